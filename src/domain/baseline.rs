use super::{CheckId, CheckView, Mark, Measured, Policy, Snapshot, Timestamp, Word, plain};
use serde::{Deserialize, Serialize};
use std::sync::Arc;

/// Characters that a name has at most.
const LONGEST_NAME: usize = 60;

/// How everything stood at one moment, under a name, to compare with.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Baseline {
    /// What somebody calls it.
    pub name: String,
    /// When it was taken.
    pub at: Timestamp,
    /// On which host.
    pub host: String,
    /// The verdict then.
    pub word: Word,
    /// The overall score then.
    pub score: Option<u8>,
    /// Each check that had run.
    pub checks: Vec<Was>,
}

/// How one check stood.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Was {
    /// Which.
    pub check: CheckId,
    /// What it came to.
    pub mark: Mark,
    /// Whether a stand-in answered.
    pub fallback: bool,
    /// Whether it stood in the way, by itself or with another one's cause.
    pub stood: bool,
    /// What it said.
    pub summary: String,
    /// What was measured there of what was deployed then.
    #[serde(flatten)]
    pub measured: Measured,
    /// The names of what was there, where it is missed once it is gone.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub names: Vec<String>,
}

/// What became of a check from one baseline to another.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Change {
    /// It stands in the way, and did not before.
    New,
    /// It stood in the way before, and does still.
    Known,
    /// It stood in the way before, and does not any more.
    Fixed,
}

impl Change {
    fn of(stood: bool, stands: bool) -> Option<Self> {
        match (stood, stands) {
            (false, true) => Some(Self::New),
            (true, true) => Some(Self::Known),
            (true, false) => Some(Self::Fixed),
            (false, false) => None,
        }
    }

    /// As it is written everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::New => "new",
            Self::Known => "known",
            Self::Fixed => "fixed",
        }
    }
}

impl Baseline {
    /// How everything stands in `snapshot`, called `name`.
    pub fn of(name: &str, snapshot: &Snapshot) -> Self {
        let from = snapshot.relevant_from();
        let was = |check: &CheckView| Was {
            check: check.id.clone(),
            mark: check.outcome().mark(),
            fallback: check.finding.fallback,
            stood: stands(&check.id, snapshot),
            summary: check.finding.summary.clone(),
            measured: Measured::of(check, from),
            names: check.finding.names.clone(),
        };
        let checks = snapshot.integrations.iter().flat_map(|view| &view.checks);
        Self {
            name: name.into(),
            at: snapshot.wall,
            host: snapshot.host.clone(),
            word: snapshot.verdict.word,
            score: snapshot.score.map(|score| score.percent),
            checks: checks.filter(|check| check.runs > 0).map(was).collect(),
        }
    }

    /// Whether `name` can be typed, printed and told from others.
    pub fn is_name(name: &str) -> bool {
        let length = name.chars().count();
        (1..=LONGEST_NAME).contains(&length) && plain(name, LONGEST_NAME) == name
    }

    /// What became of each check that stood in the way then, or does now.
    pub fn changes_to(&self, snapshot: &Snapshot) -> Vec<(Change, &Was)> {
        let now = |was: &'_ Was| {
            let check = snapshot.check(&was.check).filter(|check| check.runs > 0)?;
            Change::of(was.stood, stands(&check.id, snapshot))
        };
        let changes = self.checks.iter().filter_map(|was| Some((now(was)?, was)));
        changes.collect()
    }

    /// How that check stood.
    pub fn was(&self, check: &CheckId) -> Option<&Was> {
        self.checks.iter().find(|was| was.check == *check)
    }

    /// What was there by name, and is not in `after`: the check that looked, and the name.
    pub fn gone<'a>(&'a self, after: &'a Self) -> impl Iterator<Item = (&'a CheckId, &'a str)> {
        self.checks.iter().flat_map(|was| {
            // Where nothing was found at all, that is what is wrong.
            let now = after.was(&was.check).filter(|now| !now.names.is_empty());
            let is_gone = move |name: &&String| now.is_some_and(|now| !now.names.contains(name));
            was.names.iter().filter(is_gone).map(|name| (&was.check, name.as_str()))
        })
    }

    /// Keeps missing what `earlier` knew where a check fails.
    pub fn inherit(&mut self, earlier: &Self) {
        for was in self.checks.iter_mut().filter(|was| was.mark == Mark::Fail) {
            let known = earlier.was(&was.check).map_or(&[][..], |it| &it.names);
            was.names.extend_from_slice(known);
            was.names.sort();
            was.names.dedup();
        }
    }

    /// How many stood in the way.
    pub fn stood(&self) -> usize {
        self.checks.iter().filter(|was| was.stood).count()
    }

    /// Lets `policy` tell what is new from what stood before.
    pub fn guide(self: &Arc<Self>, policy: &mut Policy) {
        policy.against = Some(Arc::clone(self));
        let passed = |was: &&Was| was.mark == Mark::Pass && !was.fallback;
        policy.passed_before =
            self.checks.iter().filter(passed).map(|was| was.check.clone()).collect();
        policy.before = self.checks.iter().map(|was| (was.check.clone(), was.stood)).collect();
    }

    /// What became of each check that stood in the way before, or does in `after`; what is
    /// new comes first. A check that only one of them knows cannot be compared.
    pub fn changes<'a>(&'a self, after: &'a Self) -> Vec<(Change, &'a Was, &'a Was)> {
        let both = after.checks.iter().filter_map(|now| {
            let before = self.checks.iter().find(|was| was.check == now.check)?;
            Some((Change::of(before.stood, now.stood)?, before, now))
        });
        let mut changes: Vec<_> = both.collect();
        changes.sort_by_key(|(change, ..)| *change);
        changes
    }
}

/// Whether something stands in the way at `check`, that only waits for a run apart.
fn stands(check: &CheckId, snapshot: &Snapshot) -> bool {
    snapshot.blockers.iter().any(|it| it.number > 0 && it.stands_at(check))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Finding, Ledger, Rule, Verdict, sample};
    use std::{sync::Arc, time::Duration};

    fn snapshot(findings: [Finding; 4], policy: &Policy) -> Snapshot {
        let checks = ["a", "b", "c", "d"].into_iter().zip(findings);
        let checks = checks.map(|(name, finding)| sample::check(name, 1, finding)).collect();
        let views = vec![Arc::new(sample::integration("test", "Test", checks))];
        let mut ledger = Ledger::default();
        ledger.fold(&views, policy, Duration::ZERO, Timestamp(7));
        let blockers = ledger.list();
        let verdict = Verdict::of(&views, &blockers, policy, Duration::ZERO);
        Snapshot {
            wall: Timestamp(7),
            integrations: views,
            blockers,
            verdict,
            ..Snapshot::default()
        }
    }

    fn before() -> Baseline {
        let (pass, fail) = (|| Finding::pass("ok"), || Finding::fail("no"));
        Baseline::of("before", &snapshot([pass(), fail(), fail(), pass()], &Policy::default()))
    }

    #[test]
    fn what_is_new_is_told_from_what_stood_before() {
        let (pass, fail) = (|| Finding::pass("ok"), || Finding::fail("no"));
        let mut policy = Policy::default();
        Arc::new(before()).guide(&mut policy);
        let names: Vec<&str> = policy.passed_before.iter().map(CheckId::name).collect();
        assert_eq!(names, ["a", "d"]);
        let after = snapshot([fail(), fail(), pass(), pass()], &policy);
        let new: Vec<_> = after.blockers.iter().map(|it| (it.check.name(), it.new)).collect();
        assert_eq!(new, [("a", Some(true)), ("b", Some(false))]);
        assert_eq!(
            (after.verdict.rule, after.verdict.reason.as_str()),
            (Rule::Blocked, "2 blockers, 1 new")
        );
        let after = Baseline::of("after", &after);
        let before = before();
        let told: Vec<_> = before
            .changes(&after)
            .iter()
            .map(|(change, _, now)| (change.word(), now.check.name()))
            .collect();
        assert_eq!(told, [("new", "a"), ("known", "b"), ("fixed", "c")]);
        let now = snapshot([fail(), fail(), pass(), pass()], &policy);
        let live = before.changes_to(&now);
        let live = live.iter().map(|(change, was)| (change.word(), was.check.name()));
        assert_eq!(live.collect::<Vec<_>>(), told, "of a baseline or of what is seen now");
    }

    #[test]
    fn what_was_not_looked_at_then_cannot_be_compared() {
        let mut before = before();
        before.checks.retain(|was| was.check.name() == "b");
        let mut policy = Policy::default();
        let before = Arc::new(before);
        before.guide(&mut policy);
        let all = || Finding::fail("no");
        let after = snapshot([all(), all(), all(), all()], &policy);
        let known = after.blockers.iter().filter_map(|it| it.new).collect::<Vec<_>>();
        assert_eq!(known, [false]);
        assert_eq!(before.changes(&Baseline::of("after", &after)).len(), 1);
    }

    #[test]
    fn what_was_missed_stays_missed_until_it_fails_no_more() {
        let with = |finding: Finding, names: [&str; 2]| {
            Baseline::of(
                "x",
                &snapshot(
                    [
                        finding.names(names.map(ToOwned::to_owned)),
                        Finding::pass("ok"),
                        Finding::pass("ok"),
                        Finding::pass("ok"),
                    ],
                    &Policy::default(),
                ),
            )
        };
        let earlier = with(Finding::pass("ok"), ["b", "c"]);
        let mut fails = with(Finding::fail("1 gone"), ["a", "b"]);
        fails.inherit(&earlier);
        assert_eq!(fails.checks[0].names, ["a", "b", "c"]);
        let mut passes = with(Finding::pass("ok"), ["a", "b"]);
        passes.inherit(&earlier);
        assert_eq!(passes.checks[0].names, ["a", "b"]);
        let check = &earlier.checks[0].check;
        assert_eq!(earlier.gone(&passes).collect::<Vec<_>>(), [(check, "c")]);
        passes.checks[0].names.clear();
        assert_eq!(earlier.gone(&passes).count(), 0, "nobody knows");
        assert_eq!(passes.was(&earlier.checks[3].check), Some(&passes.checks[3]));
    }

    #[test]
    fn a_name_can_be_typed_and_printed() {
        for good in ["before-v2", "4f2c1d9", "vor dem Einspielen"] {
            assert!(Baseline::is_name(good), "{good}");
        }
        for bad in ["", "a\u{1b}[31m", "\u{202e}x", "a\nb", &"x".repeat(61)] {
            assert!(!Baseline::is_name(bad), "{bad:?}");
        }
    }
}
