//! What is new in a snapshot, as notes. Pure.

use super::note::Note;
use crate::domain::{
    Acceptance, BLOCKS, Baseline, Blocker, CheckId, CheckView, Deploy, Event, HealthScore,
    IntegrationId, IntegrationView, Journal, Severity, Snapshot, Timestamp, Verdict,
};
use std::{collections::HashMap, sync::Arc, time::Duration};

/// Values of a series that a report draws.
const DRAWN: usize = 60;
/// Latencies of a check that a later comparison needs.
const COMPARED: usize = 2 * BLOCKS;

/// Remembers what was noted, so that each thing is noted once.
#[derive(Debug, Default)]
pub(super) struct Gatherer {
    checks: HashMap<CheckId, Seen>,
    latencies: HashMap<IntegrationId, Duration>,
    event: Option<Event>,
    served: Option<String>,
    deploy: Option<Deploy>,
    baseline: Option<Arc<Baseline>>,
    answered: Vec<Acceptance>,
    verdict: Option<(Verdict, Option<HealthScore>)>,
}

/// What was noted of one check.
#[derive(Debug, Default)]
struct Seen {
    runs: u64,
    /// When the last measurement was.
    measured: Option<Duration>,
    outcome: Option<&'static str>,
    standing: Option<(Severity, Duration, Option<Duration>)>,
}

impl Gatherer {
    /// What happened between the last snapshot and this one.
    pub(super) fn gather(&mut self, snapshot: &Snapshot) -> Vec<Note> {
        let mut notes = Vec::new();
        for view in &snapshot.integrations {
            self.latencies(view, snapshot, &mut notes);
            for check in view.checks.iter().filter(|check| check.runs > 0) {
                let seen = self.checks.entry(check.id.clone()).or_default();
                seen.runs(check, snapshot, &mut notes);
                seen.outcome(check, snapshot, &mut notes);
                seen.standing(check, snapshot, &mut notes);
            }
        }
        self.events(snapshot, &mut notes);
        self.deploy(snapshot, &mut notes);
        self.baseline(snapshot, &mut notes);
        self.answered(snapshot, &mut notes);
        self.verdict(snapshot, &mut notes);
        notes
    }

    fn latencies(&mut self, view: &IntegrationView, snapshot: &Snapshot, into: &mut Vec<Note>) {
        let last = self.latencies.get(&view.id).copied().unwrap_or_default();
        let fresh = |at: Duration| at >= snapshot.began && at > last;
        for sample in view.latency.iter().filter(|sample| fresh(sample.at)) {
            into.push(Note::Point {
                series: view.id.as_str().into(),
                at: wall(snapshot, sample.at),
                mark: None,
                value: Some(sample.value),
            });
            self.latencies.insert(view.id.clone(), sample.at);
        }
    }

    fn events(&mut self, snapshot: &Snapshot, into: &mut Vec<Note>) {
        let fresh = snapshot.journal.after(self.event.as_ref(), snapshot.began);
        into.extend(fresh.map(|event| Note::Event {
            at: event.wall,
            check: event.check.as_ref().map(|check| check.as_str().into()),
            mark: event.mark,
            text: event.text.clone(),
        }));
        self.event = snapshot.journal.iter().next_back().cloned().or(self.event.take());
    }

    fn deploy(&mut self, snapshot: &Snapshot, into: &mut Vec<Note>) {
        let app = snapshot.app.as_ref();
        if let Some(app) = app
            && let Some(version) =
                app.version.as_ref().filter(|it| self.served.as_ref() != Some(it))
        {
            self.served = Some(version.clone());
            let (app, version) = (app.name.clone(), version.clone());
            into.push(Note::Served { at: snapshot.wall, app, version });
        }
        if let Some(deploy) = snapshot.deploy.as_ref().filter(|it| self.deploy.as_ref() != Some(it))
        {
            self.deploy = Some(deploy.clone());
            let app = app.map(|app| app.name.clone());
            into.push(Note::Deploy { app, deploy: deploy.clone() });
        }
    }

    /// One that this session has taken; earlier ones are kept already.
    fn baseline(&mut self, snapshot: &Snapshot, into: &mut Vec<Note>) {
        let began = wall(snapshot, snapshot.began);
        let new = |it: &&Arc<Baseline>| self.baseline.as_ref() != Some(it) && it.at >= began;
        if let Some(baseline) = snapshot.baseline.as_ref().filter(new)
            && let Ok(snapshot) = serde_json::to_string(baseline.as_ref())
        {
            self.baseline = Some(Arc::clone(baseline));
            into.push(Note::Baseline { baseline: Arc::clone(baseline), snapshot });
        }
    }

    /// What was answered for in this session; what earlier ones said is kept already.
    fn answered(&mut self, snapshot: &Snapshot, into: &mut Vec<Note>) {
        let new = snapshot.answered.iter().filter(|it| !self.answered.contains(it));
        into.extend(
            new.cloned().map(|acceptance| Note::Accepted { at: snapshot.wall, acceptance }),
        );
        self.answered.clone_from(&snapshot.answered);
    }

    fn verdict(&mut self, snapshot: &Snapshot, into: &mut Vec<Note>) {
        let now = (snapshot.verdict.clone(), snapshot.score);
        if self.verdict.as_ref() != Some(&now) {
            self.verdict = Some(now);
            into.push(Note::Verdict {
                verdict: snapshot.verdict.clone(),
                score: snapshot.score.map(|score| score.percent),
                coverage: snapshot.score.map(|score| score.coverage),
            });
        }
    }
}

impl Seen {
    /// The runs that have ended since, with what they measured.
    fn runs(&mut self, check: &CheckView, snapshot: &Snapshot, into: &mut Vec<Note>) {
        let ended = usize::try_from(check.runs.saturating_sub(self.runs)).unwrap_or(usize::MAX);
        self.runs = check.runs;
        let known = check.strip.len();
        let last = wall(snapshot, check.ended.unwrap_or(snapshot.at));
        let measured = self.measured.unwrap_or_default();
        let fresh = |at: Duration| at >= snapshot.began && at > measured;
        let mut values: Vec<_> = check.measures.iter().filter(|it| fresh(it.at)).collect();
        self.measured = values.last().map(|sample| sample.at).or(self.measured);
        let series = || check.id.as_str().to_owned();
        let marks = check.strip.iter().skip(known.saturating_sub(ended));
        let count = marks.clone().count();
        for (place, mark) in marks.enumerate() {
            // Only the last of a burst has a time; the others were just before it.
            let before = i64::try_from(count - 1 - place).unwrap_or(0);
            let at = Timestamp(last.0.saturating_sub(before));
            let own = values.pop_if(|it| before == 0 && Some(it.at) == check.ended);
            let value = own.map(|sample| sample.value);
            into.push(Note::Point { series: series(), at, mark: Some(*mark), value });
        }
        into.extend(values.into_iter().map(|sample| Note::Point {
            series: series(),
            at: wall(snapshot, sample.at),
            mark: None,
            value: Some(sample.value),
        }));
    }

    fn outcome(&mut self, check: &CheckView, snapshot: &Snapshot, into: &mut Vec<Note>) {
        let word = check.outcome().word();
        if self.outcome != Some(word) {
            self.outcome = Some(word);
            into.push(Note::Transition {
                check: check.id.as_str().into(),
                at: snapshot.wall,
                outcome: word,
                summary: check.finding.summary.clone(),
            });
        }
    }

    fn standing(&mut self, check: &CheckView, snapshot: &Snapshot, into: &mut Vec<Note>) {
        // One without a number only waits for its check to run.
        let stands = |it: &&Blocker| it.cleared.is_none() && it.number > 0;
        let mut standing = snapshot.blockers.iter().filter(stands);
        let blocked = standing.find(|it| it.check == check.id).map(|it| it.since);
        let now = (check.outcome().severity(), check.since, blocked);
        if self.standing != Some(now) {
            self.standing = Some(now);
            into.push(Note::Standing {
                check: check.id.as_str().into(),
                severity: now.0,
                since: wall(snapshot, check.since),
                blocked: blocked.map(|since| wall(snapshot, since)),
            });
        }
    }
}

/// Everything that is known, without what the tables have: it is read together with them,
/// and a report draws no more of a series. `None` before anything is known.
pub(super) fn evidence(snapshot: &Snapshot) -> Option<Note> {
    let mut kept = snapshot.clone();
    kept.journal = Journal::default();
    for view in &mut kept.integrations {
        let view = Arc::make_mut(view);
        view.latency.keep(DRAWN);
        for check in &mut view.checks {
            check.measures.keep(DRAWN);
            check.latency.keep(COMPARED);
            check.pending = None;
        }
    }
    let ran = kept.integrations.iter().flat_map(|view| &view.checks).any(|check| check.runs > 0);
    let text = serde_json::to_string(&kept).ok().filter(|_| ran)?;
    Some(Note::Evidence { at: kept.wall, snapshot: text })
}

/// When `at`, a time of the engine's, was on the wall.
fn wall(snapshot: &Snapshot, at: Duration) -> Timestamp {
    let ago = i64::try_from(snapshot.at.saturating_sub(at).as_millis()).unwrap_or(i64::MAX);
    Timestamp(snapshot.wall.0.saturating_sub(ago))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{App, Finding, Ledger, Mark, Policy, sample};

    const WALL: Timestamp = Timestamp(1_795_400_000_000);
    const BEGAN: Duration = Duration::from_secs(1000);

    /// A snapshot `second` seconds after the start, with one check that ended just then.
    fn snapshot(second: u64, change: impl FnOnce(&mut CheckView)) -> Snapshot {
        let at = BEGAN + Duration::from_secs(second);
        let mut check = sample::check("lock", 1, Finding::fail("held"));
        (check.ended, check.since) = (Some(at), at);
        check.note(Mark::Fail);
        change(&mut check);
        let views = vec![Arc::new(sample::integration("redis", "Redis", vec![check]))];
        let mut ledger = Ledger::default();
        let wall = WALL.after(Duration::from_secs(second));
        ledger.fold(&views, &Policy::default(), at, wall);
        let blockers = ledger.list();
        let verdict = Verdict::of(&views, &blockers, &Policy::default(), at);
        Snapshot {
            at,
            wall,
            began: BEGAN,
            integrations: views,
            blockers,
            verdict,
            ..Snapshot::default()
        }
    }

    fn points(notes: &[Note]) -> Vec<(i64, Option<Mark>, Option<f64>)> {
        let point = |note: &Note| match note {
            Note::Point { at, mark, value, .. } => Some((at.0 - WALL.0, *mark, *value)),
            Note::Transition { .. }
            | Note::Standing { .. }
            | Note::Event { .. }
            | Note::Verdict { .. }
            | Note::Baseline { .. }
            | Note::Served { .. }
            | Note::Deploy { .. }
            | Note::Accepted { .. }
            | Note::Test { .. }
            | Note::Evidence { .. } => None,
        };
        notes.iter().filter_map(point).collect()
    }

    #[test]
    fn each_run_is_noted_once_with_what_it_measured() {
        let mut gatherer = Gatherer::default();
        let first = snapshot(1, |check| {
            check.measures.push(BEGAN.checked_sub(Duration::from_secs(9)).unwrap(), 7.0);
            check.measures.push(BEGAN + Duration::from_secs(1), 1.5);
        });
        let notes = gatherer.gather(&first);
        assert_eq!(points(&notes), [(1000, Some(Mark::Fail), Some(1.5))], "the past is kept");
        assert!(points(&gatherer.gather(&first)).is_empty());
        let burst = snapshot(4, |check| {
            check.runs = 4;
            for mark in [Mark::Fail, Mark::Fail, Mark::Pass] {
                check.note(mark);
            }
        });
        let three = [Mark::Fail, Mark::Fail, Mark::Pass].map(Some);
        let expected = [(3998, three[0], None), (3999, three[1], None), (4000, three[2], None)];
        assert_eq!(points(&gatherer.gather(&burst)), expected);
    }

    #[test]
    fn how_it_stands_is_noted_when_that_changes() {
        let mut gatherer = Gatherer::default();
        let first = snapshot(1, |_| {});
        let of_kind = |notes: &[Note], wanted: fn(&Note) -> bool| {
            notes.iter().filter(|note| wanted(note)).cloned().collect::<Vec<_>>()
        };
        let standing = |note: &Note| matches!(note, Note::Standing { .. });
        let notes = gatherer.gather(&first);
        let expected = Note::Standing {
            check: "redis.lock".into(),
            severity: Severity::Bad,
            since: WALL.after(Duration::from_secs(1)),
            blocked: Some(WALL.after(Duration::from_secs(1))),
        };
        assert_eq!(of_kind(&notes, standing), [expected]);
        let others = |note: &Note| matches!(note, Note::Transition { .. } | Note::Verdict { .. });
        assert_eq!(of_kind(&notes, others).len(), 2);
        assert!(gatherer.gather(&first).is_empty(), "and nothing twice");
        let passes = snapshot(9, |check| check.finding = Arc::new(Finding::pass("ok")));
        let notes = gatherer.gather(&passes);
        let [Note::Standing { severity: Severity::Fine, blocked: None, .. }] =
            &of_kind(&notes, standing)[..]
        else {
            panic!("{notes:?}")
        };
    }

    #[test]
    fn what_is_served_and_when_that_changed_is_noted_once() {
        let mut gatherer = Gatherer::default();
        let deploy =
            Deploy { at: BEGAN, wall: WALL, version: Some("2".into()), was: Some("1".into()) };
        let app = App { name: "api".into(), version: Some("2".into()) };
        let deployed =
            Snapshot { app: Some(app), deploy: Some(deploy.clone()), ..snapshot(1, |_| {}) };
        let notes = gatherer.gather(&deployed);
        let (at, app) = (deployed.wall, || "api".to_owned());
        assert!(notes.contains(&Note::Served { at, app: app(), version: "2".into() }));
        assert!(notes.contains(&Note::Deploy { app: Some(app()), deploy }));
        assert!(gatherer.gather(&deployed).is_empty());
        let of = |at: Timestamp| {
            let taken = Snapshot { wall: at, ..deployed.clone() };
            Some(Arc::new(Baseline::of("before", &taken)))
        };
        let with = |baseline| Snapshot { baseline, ..deployed.clone() };
        assert!(gatherer.gather(&with(of(Timestamp(WALL.0 - 1)))).is_empty(), "is kept already");
        let notes = gatherer.gather(&with(of(WALL)));
        let [Note::Baseline { baseline, .. }] = &notes[..] else { panic!("{notes:?}") };
        assert_eq!((baseline.name.as_str(), baseline.checks.len()), ("before", 1));
        assert!(gatherer.gather(&with(of(WALL))).is_empty());
    }

    #[test]
    fn events_and_latencies_of_this_session_are_noted_once() {
        let mut gatherer = Gatherer::default();
        let mut first = snapshot(1, |_| {});
        let event = |at: Duration, text: &str| Event {
            at,
            wall: WALL,
            check: None,
            mark: None,
            text: text.into(),
        };
        first.journal.push(event(BEGAN.checked_sub(Duration::from_secs(1)).unwrap(), "long ago"));
        first.journal.push(event(BEGAN, "now"));
        let view = Arc::make_mut(&mut first.integrations[0]);
        view.latency.push(Duration::from_secs(3), 0.5);
        view.latency.push(BEGAN + Duration::from_secs(1), 0.25);
        let notes = gatherer.gather(&first);
        let events = notes.iter().filter(|note| matches!(note, Note::Event { .. })).count();
        let latency = Note::Point {
            series: "redis".into(),
            at: WALL.after(Duration::from_secs(1)),
            mark: None,
            value: Some(0.25),
        };
        assert_eq!((events, notes.contains(&latency)), (1, true));
        assert!(gatherer.gather(&first).is_empty());
        first.journal.push(event(BEGAN, "and more"));
        assert_eq!(gatherer.gather(&first).len(), 1);
    }
}
