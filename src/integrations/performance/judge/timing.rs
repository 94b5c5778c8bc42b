use super::worst;
use crate::{
    domain::{Evidence, Finding, Outcome, Quantity},
    integrations::performance::clocks::Readings,
    units::span,
};
use std::time::Duration;

/// A clock with coarser steps cannot time what takes microseconds.
const FINE: Duration = Duration::from_micros(1);
/// Sleeps that end later than this say that the host is short of processor time.
const LATE: Duration = Duration::from_millis(20);

/// What this host's clocks showed.
pub(in super::super) struct Timing {
    pub(in super::super) readings: Readings,
    /// How late short sleeps end, in the median.
    pub(in super::super) late: Duration,
    /// The last step of the wall clock in milliseconds, and how long ago.
    pub(in super::super) step: Option<(i64, Duration)>,
}

/// Judges the clocks.
pub(in super::super) fn timing(seen: &Timing) -> Finding {
    let Timing { readings: Readings { count, step, backwards }, late, step: moved } = seen;
    let fine = step.map_or("none".into(), |step| format!("{step:?}"));
    let mut found = Vec::new();
    if *backwards > 0 {
        found.push((Outcome::Fail, format!("the clock went back {backwards} times in {count}")));
    }
    if step.is_none() {
        found.push((Outcome::Fail, format!("the clock stood still over {count} readings")));
    }
    if step.is_some_and(|step| step >= FINE) {
        found.push((Outcome::Warn, format!("clock steps of {fine}, limit {FINE:?}")));
    }
    if *late > LATE {
        let says = format!("sleeps end {} late, limit {}", span(*late), span(LATE));
        found.push((Outcome::Warn, says));
    }
    let moved = moved.map(|(step, ago)| (signed(step), span(ago)));
    if let Some((step, ago)) = &moved {
        found.push((Outcome::Warn, format!("the wall clock stepped {step} {ago} ago")));
    }
    let reply = format!("smallest step {fine}, {backwards} back, sleeps {} late", span(*late));
    let evidence = Evidence::default()
        .asked(&format!("{count} readings of the clock, sleeps of 5 ms, wall clock since last run"))
        .wanted(&format!("steps under {FINE:?}, none back, under {} late, no jump", span(LATE)))
        .reply(&reply)
        .fact("late", Quantity::Time(*late))
        .fact("smallest step", fine.as_str())
        .fact("wall clock", moved.map_or("kept time".into(), |(step, _)| step).as_str());
    worst(found, &format!("steps of {fine}, sleeps {} late", span(*late)))
        .measure(Quantity::Time(*late))
        .evidence(evidence)
}

fn signed(millis: i64) -> String {
    let sign = if millis < 0 { '-' } else { '+' };
    format!("{sign}{}", span(Duration::from_millis(millis.unsigned_abs())))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judged(step: Option<u64>, backwards: usize, late: u64, moved: Option<i64>) -> Finding {
        timing(&Timing {
            readings: Readings { count: 2000, step: step.map(Duration::from_nanos), backwards },
            late: Duration::from_micros(late),
            step: moved.map(|moved| (moved, Duration::from_secs(40))),
        })
    }

    #[test]
    fn clocks_are_judged_at_their_limits() {
        let cases = [
            (judged(Some(40), 0, 1_100, None), Outcome::Pass, "steps of 40ns, sleeps 1.1ms late"),
            (judged(Some(999), 0, 1_100, None), Outcome::Pass, "steps of 999ns"),
            (judged(Some(1000), 0, 1_100, None), Outcome::Warn, "clock steps of 1µs, limit 1µs"),
            (judged(None, 0, 1_100, None), Outcome::Fail, "stood still over 2000 readings"),
            (judged(Some(40), 1, 1_100, None), Outcome::Fail, "went back 1 times in 2000"),
            (judged(Some(40), 0, 20_000, None), Outcome::Pass, "sleeps 20ms late"),
            (judged(Some(40), 0, 20_001, None), Outcome::Warn, "sleeps end 20ms late, limit 20ms"),
            (judged(Some(40), 0, 0, Some(3_000)), Outcome::Warn, "stepped +3.0s 40s ago"),
            (judged(Some(40), 0, 0, Some(-3_000)), Outcome::Warn, "stepped -3.0s 40s ago"),
        ];
        for (finding, outcome, says) in cases {
            assert_eq!(finding.outcome, outcome, "{}", finding.summary);
            assert!(finding.summary.contains(says), "{}", finding.summary);
            assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        }
    }
}
