use super::{Page, Slot};
use crate::{
    domain::{Baseline, Change, CheckId, Shift, Snapshot, Was},
    tui::{glyphs::Sign, model::Model, theme::Role},
    units,
};
use ratatui::layout::Rect;

/// What became of everything since the baseline was taken: what is new first, what is
/// known folded into one line.
pub(super) fn draw(page: &mut Page<'_>, area: Rect, model: &Model, baseline: &Baseline) {
    let snapshot = model.snapshot();
    let when = (page.look().clock)(baseline.at);
    page.title(Slot::of(area, 0), "SINCE THE DEPLOY", format_args!("{when}"));
    let changes = baseline.changes_to(snapshot);
    let of = |wanted: Change| changes.iter().filter(move |(change, _)| *change == wanted);
    let known = of(Change::Known).count();
    let shifts = |worse| snapshot.shifts.told.iter().filter(move |it| it.worse == worse);
    let shifts = |worse| shifts(worse).map(Told::Shift);
    let worse = of(Change::New).map(Told::Change).chain(shifts(true));
    let better = of(Change::Fixed).map(Told::Change).chain(shifts(false));
    let told: Vec<Told<'_>> = worse.chain(better).collect();
    let mut lines = (1..area.height).map(|line| Slot::of(area, line));
    if let Some(slot) = lines.next() {
        score(page, slot, baseline, snapshot);
    }
    // The line for what is known is kept before the last change is.
    let room = usize::from(area.height.saturating_sub(3));
    let shown = if told.len() > room { room.saturating_sub(1) } else { told.len() };
    for (told, slot) in told[..shown].iter().zip(lines.by_ref()) {
        match told {
            Told::Change(change) => row(page, slot, model, change),
            Told::Shift(shift) => moved(page, slot, model, shift),
        }
    }
    if shown < told.len()
        && let Some(slot) = lines.next()
    {
        page.print(slot.skip(3), Role::Muted, format_args!("+{} more", told.len() - shown));
    }
    if let Some(slot) = lines.next() {
        folded(page, slot, (told.len(), known), snapshot.shifts.steady);
    }
}

/// What is worth a line of its own.
enum Told<'a> {
    Change(&'a (Change, &'a Was)),
    Shift(&'a Shift),
}

/// What is not: what stood in the way before, and what moved by no more than noise.
fn folded(page: &mut Page<'_>, slot: Slot, (told, known): (usize, usize), steady: usize) {
    let rest = page.put(slot.skip(1), "=", Role::Muted).skip(1);
    let rest = match (told, known) {
        (0, 0) => page.put(rest, "nothing stood in the way, and nothing does", Role::Muted),
        (0, 1) => page.put(rest, "1 known, and no other change", Role::Muted),
        (0, _) => page.print(rest, Role::Muted, format_args!("{known} known, and no other change")),
        (..) => page.print(rest, Role::Muted, format_args!("{known} known")),
    };
    if steady > 0 {
        page.print(rest, Role::Muted, format_args!(", {steady} measured within noise"));
    }
}

/// What has moved by more than noise.
fn moved(page: &mut Page<'_>, slot: Slot, model: &Model, shift: &Shift) {
    let (sign, word) = if shift.worse { (Sign::Warn, "worse") } else { (Sign::Pass, "better") };
    let rest = page.sign(slot.skip(1), sign).skip(1);
    let (at, rest) = rest.split(7);
    page.put(at, word, Role::Plain);
    let rest = numbered(page, rest, model, &shift.check);
    let says = format_args!("{}: {}", shift.check.name(), units::shift(shift));
    page.print(rest, Role::Plain, says);
}

/// The number of the integration that a check belongs to.
fn numbered(page: &mut Page<'_>, slot: Slot, model: &Model, check: &CheckId) -> Slot {
    match model.place_of(check) {
        Some((number, _)) => page.print(slot, Role::Plain, format_args!("{number} ")),
        None => slot,
    }
}

/// The score then and now, against the baseline by name.
fn score(page: &mut Page<'_>, slot: Slot, baseline: &Baseline, snapshot: &Snapshot) {
    let now = snapshot.score.map(|score| score.percent);
    let change = match (baseline.score, now) {
        (Some(was), Some(now)) => i16::from(now) - i16::from(was),
        (..) => 0,
    };
    let (sign, role) = match change {
        ..0 => ("!", Role::Warn),
        0 => ("=", Role::Muted),
        1.. => ("+", Role::Good),
    };
    let shown = |score: Option<u8>| score.map_or("?".to_owned(), |score| score.to_string());
    let (was, now) = (shown(baseline.score), shown(now));
    let rest = page.put(slot.skip(1), sign, role).skip(1);
    let difference = if change == 0 { String::new() } else { format!("  {change:+}") };
    let says = format_args!("score {was} -> {now}{difference}");
    let rest = page.print(rest, Role::Plain, says).skip(2);
    page.print(rest, Role::Muted, format_args!("against {}", baseline.name));
}

fn row(page: &mut Page<'_>, slot: Slot, model: &Model, (change, was): &(Change, &Was)) {
    let snapshot = model.snapshot();
    let fixed = *change == Change::Fixed;
    let now = snapshot.check(&was.check);
    let sign = if fixed { Sign::Pass } else { now.map_or(Sign::Unknown, Sign::of_check) };
    let rest = page.sign(slot.skip(1), sign).skip(1);
    let role = if fixed { Role::Plain } else { Role::Strong };
    let (word, rest) = rest.split(7);
    page.put(word, change.word(), role);
    let rest = numbered(page, rest, model, &was.check);
    let said =
        if fixed { &was.summary } else { now.map_or(&was.summary, |it| &it.finding.summary) };
    page.print(rest, Role::Plain, format_args!("{}: {said}", was.check.name()));
}

/// How long ago the deploy was, and what went out: `api 4f2c1d9`, `T+9m`.
pub(super) fn deployed(model: &Model, roomy: bool) -> (String, String) {
    let snapshot = model.snapshot();
    let version = snapshot.app.as_ref().and_then(|app| app.version.as_deref());
    let served = match (&snapshot.app, version) {
        (Some(app), Some(version)) => format!("{} {version}", app.name),
        (..) => String::new(),
    };
    let Some(deploy) = &snapshot.deploy else { return (served, String::new()) };
    let was = deploy.was.as_deref().filter(|_| roomy && !served.is_empty());
    let was = was.map_or(String::new(), |was| format!(" (was {was})"));
    (served + &was, format!("T+{}", units::age(model.age(deploy.at))))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{App, Deploy, Gauge, Shifts},
        tui::{sample, view::tests::screen},
    };
    use std::{sync::Arc, time::Duration};

    /// The console of the tests, ten minutes after a deploy that broke one thing and mended one.
    fn deployed() -> Model {
        let mut model = sample::model();
        let mut snapshot = (*model.live).clone();
        let mut baseline = Baseline::of("before 4f2c1d9", &snapshot);
        for was in &mut baseline.checks {
            match was.check.as_str() {
                "database.connect" => was.stood = false,
                "redis.lock" => (was.stood, was.summary) = (true, "held by nobody".into()),
                _ => {}
            }
        }
        // The lock is mended: whatever the stand-in of the sample says stands at connect.
        for blocker in &mut snapshot.blockers {
            blocker.also.retain(|check| check.as_str() != "redis.lock");
            let was = baseline.checks.iter().find(|was| was.check == blocker.check);
            blocker.new = was.map(|was| !was.stood);
        }
        baseline.score = Some(83);
        let at = snapshot.at.checked_sub(Duration::from_mins(5)).unwrap();
        snapshot.deploy = Some(Deploy {
            at,
            wall: baseline.at,
            version: Some("4f2c1d9".into()),
            was: Some("91be02a".into()),
        });
        snapshot.app = Some(App { name: "api".into(), version: Some("4f2c1d9".into()) });
        snapshot.baseline = Some(Arc::new(baseline));
        model.live = Arc::new(snapshot);
        model
    }

    #[test]
    fn a_large_console_tells_what_is_new_since_the_deploy() {
        let picture = screen(&deployed(), (120, 40));
        insta::assert_snapshot!(picture);
    }

    #[test]
    fn what_has_moved_has_its_place_and_noise_is_folded_away() {
        let mut model = deployed();
        let mut snapshot = (*model.live).clone();
        let shift = |integration: usize, gauge, [before, after]: [f64; 2]| Shift {
            check: snapshot.integrations[integration].checks[0].id.clone(),
            gauge,
            worse: after > before,
            before,
            after,
            by: after - before,
            bounds: [0.0, 0.0],
            p: 0.001,
            floor: 0.03,
        };
        let mib = |count: f64| count * 1024.0 * 1024.0;
        let told = vec![
            shift(4, Gauge::Memory, [mib(12.0), mib(84.0)]),
            shift(5, Gauge::Latency, [0.01, 0.006]),
        ];
        snapshot.shifts = Shifts { told, steady: 21, few: 3, elsewhere: None };
        model.live = Arc::new(snapshot);
        let picture = screen(&model, (120, 40));
        let pane = picture.lines().skip_while(|line| !line.contains("SINCE THE DEPLOY"));
        let pane: Vec<String> =
            pane.take(8).map(|line| line.chars().skip(66).collect::<String>()).collect();
        insta::assert_snapshot!(pane.join("\n"));
    }

    #[test]
    fn a_small_one_has_it_in_row_one_and_beside_the_blockers() {
        let picture = screen(&deployed(), (80, 24));
        insta::assert_snapshot!(picture);
    }

    #[test]
    fn what_settles_says_how_long_it_has_to() {
        let mut model = sample::model();
        let mut snapshot = (*model.live).clone();
        snapshot.verdict.rule = crate::domain::Rule::Settling;
        snapshot.settled = Some(snapshot.at + Duration::from_secs(110));
        let at = snapshot.at.checked_sub(Duration::from_secs(190)).unwrap();
        snapshot.deploy = Some(Deploy { at, wall: snapshot.wall, version: None, was: None });
        model.live = Arc::new(snapshot);
        let row = screen(&model, (80, 24)).lines().next().unwrap().to_owned();
        assert!(row.contains("settling 3m of 5m") && row.contains("T+3m"), "{row}");
    }

    #[test]
    fn nothing_new_is_said_too() {
        let mut model = sample::model();
        let mut snapshot = (*model.live).clone();
        let baseline = Baseline::of("same", &snapshot);
        snapshot.baseline = Some(Arc::new(baseline));
        model.live = Arc::new(snapshot);
        let picture = screen(&model, (120, 40));
        assert!(picture.contains("known, and no other change"), "{picture}");
    }
}
