use super::*;
use crate::domain::{CheckView, Finding, Mark, Trigger};

/// A minute of six integrations that poll: every check every ten seconds, each
/// at its own moment, every latency and every number a little different.
async fn poll(desktop: &Desktop) {
    for tenth in 0..600_u64 {
        desktop.wait(100).await;
        let begun = (**desktop.snapshots.borrow()).clone();
        let ended = |check: u64| (check * 37 + 11) % 100 == tenth % 100;
        let checks = begun.integrations.iter().map(|view| view.checks.len()).sum::<usize>();
        if !(0..checks as u64).any(ended) {
            continue;
        }
        let mut next = begun;
        next.seq += 1;
        next.at = Duration::from_millis(602_000 + tenth * 100);
        next.wall = sample::snapshot().wall.after(Duration::from_millis(tenth * 100));
        let mut number = 0;
        for view in &mut next.integrations {
            for at in 0..view.checks.len() {
                if ended(number) {
                    let noise = f64::from(u32::try_from(tenth * 7919 % 97).unwrap()) / 97.0;
                    let view = Arc::make_mut(view);
                    let usual = view.latency.percentile(50).unwrap();
                    view.latency.push(next.at, usual * (0.7 + noise));
                    again(&mut view.checks[at], next.at, noise);
                }
                number += 1;
            }
        }
        desktop.snapshots.send_replace(Arc::new(next));
    }
}

fn again(check: &mut CheckView, at: Duration, noise: f64) {
    check.runs += 1;
    (check.ended, check.trigger) = (Some(at), Trigger::Schedule);
    check.took = Duration::from_secs_f64(0.01 + noise / 10.0);
    check.note(check.finding.outcome.mark());
    if check.finding.outcome.mark() == Mark::Pass {
        let summary = format!("answered in {:.1} ms", noise * 10.0);
        let finding = Finding { summary, ..(*check.finding).clone() };
        check.finding = Arc::new(finding);
    }
    if check.spec.graph {
        check.measures.push(at, (92.0 + noise) * 1_048_576.0);
    }
}

#[tokio::test(start_paused = true)]
async fn at_rest_it_writes_less_than_its_budget() {
    for (size, budget) in [((80, 24), 150), ((120, 40), 150)] {
        let paper = Paper::new(size.0, size.1);
        let (paper, _) = play(paper, async |desktop| poll(desktop).await).await;
        let whole = paper.frames[0].1;
        let bytes: usize = paper.frames[1..].iter().map(|(_, bytes)| bytes).sum();
        let frames = paper.frames.len();
        let says = format!("{size:?}: first {whole}, then {} B/s, {frames} frames", bytes / 60);
        assert!(bytes / 60 < budget && bytes > 0, "{says}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_minute_of_keys_stays_within_a_kilobyte_a_second() {
    let (paper, _) = play(Paper::new(120, 40), async |desktop| {
        for n in 0..120 {
            desktop.wait(500).await;
            desktop.press(if n % 12 < 6 { KeyCode::Down } else { KeyCode::Up }).await;
        }
    })
    .await;
    let bytes: usize = paper.frames[1..].iter().map(|(_, bytes)| bytes).sum();
    assert!(bytes / 60 < 1000, "{} B/s", bytes / 60);
}
