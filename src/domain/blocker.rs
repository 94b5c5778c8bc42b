use super::{
    Acceptance, Cause, CheckId, CheckView, Class, Freshness, IntegrationView, Outcome, Policy,
    Timestamp,
};
use serde::{Deserialize, Serialize};
use std::{cmp, collections::BTreeMap, time::Duration};

/// How long a cleared blocker stays listed.
const SHOWN_CLEARED: Duration = Duration::from_mins(10);

/// How something stands in the way. Worst last.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Stands {
    /// On the pre-production checklist; it does not stop a release.
    Checklist,
    /// It has not run yet, or not since the deploy: HOLD until it has.
    Waiting,
    /// Nobody knows whether it may go: HOLD.
    Hold,
    /// A major check that passed when the baseline was taken fails: NO-GO by rule 4.
    Regressed,
    /// It may not go: NO-GO.
    NoGo,
    /// We left something behind on a target: NO-GO, and nobody can accept it.
    LeftBehind,
}

/// Something that stands between now and production.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Blocker {
    /// B1, B2, … or, on the checklist, W1, W2, …; kept as long as it stands. Zero
    /// while its check has not run, now or since the deploy.
    pub number: u32,
    /// The check that it rests on: the root cause.
    pub check: CheckId,
    /// That check's class.
    pub class: Class,
    /// How it stands in the way.
    pub stands: Stands,
    /// What is wrong, in a clause.
    pub summary: String,
    /// What to do about it.
    pub remedy: String,
    /// Others that fall with the same cause.
    pub also: Vec<CheckId>,
    /// Since when, as time since the engine started.
    pub since: Duration,
    /// When it went away.
    pub cleared: Option<Duration>,
    /// Who answers for it.
    pub accepted: Option<Acceptance>,
    /// Whether it did not stand when the baseline was taken, if that is known.
    pub new: Option<bool>,
}

impl Blocker {
    /// Whether it stands and nobody answers for it.
    pub fn is_open(&self) -> bool {
        self.stands > Stands::Checklist && self.cleared.is_none() && self.accepted.is_none()
    }

    /// Whether it stands, and at `check`: as its root, or as one that falls with it.
    pub fn stands_at(&self, check: &CheckId) -> bool {
        self.cleared.is_none() && (self.check == *check || self.also.contains(check))
    }

    /// Whether somebody may answer for it, or for it anew: what we left on a target, nobody can.
    pub fn is_acceptable(&self) -> bool {
        let stands = self.is_open() || self.accepted.is_some() && self.cleared.is_none();
        stands && !matches!(self.stands, Stands::LeftBehind | Stands::Waiting)
    }

    /// `B3`, or `W1` for one on the checklist; `--` for one that never stood and waits.
    pub fn label(&self) -> String {
        match self.stands {
            Stands::Waiting if self.number == 0 => "--".into(),
            Stands::Checklist => format!("W{}", self.number),
            Stands::Waiting
            | Stands::Hold
            | Stands::Regressed
            | Stands::NoGo
            | Stands::LeftBehind => format!("B{}", self.number),
        }
    }
}

/// Blockers over time: gives each its number and remembers the cleared ones.
#[derive(Clone, Debug, Default)]
pub struct Ledger {
    blockers: Vec<Blocker>,
    /// Those whose checks have not run: they come and go without a number.
    waiting: Vec<Blocker>,
    given: [u32; 2],
    /// Since when they stood in an earlier session that have not run in this one.
    recalled: BTreeMap<CheckId, Duration>,
}

impl Ledger {
    /// Takes note that `check` stood in the way since then when an earlier session ended.
    pub fn recall(&mut self, check: CheckId, since: Duration) {
        let known = |it: &&mut Blocker| it.check == check && it.cleared.is_none();
        match self.blockers.iter_mut().find(known) {
            Some(known) => known.since = cmp::min(known.since, since),
            None => drop(self.recalled.insert(check, since)),
        }
    }

    /// What still stands is as old as it was; what has come to pass begins anew.
    fn resume(&mut self, views: &[impl AsRef<IntegrationView>], standing: &mut [Blocker]) {
        for found in standing {
            if let Some(since) = self.recalled.remove(&found.check) {
                found.since = cmp::min(found.since, since);
            }
        }
        let checks = || views.iter().flat_map(|view| &view.as_ref().checks);
        self.recalled.retain(|id, _| checks().any(|check| check.id == *id && check.runs == 0));
    }

    /// Folds in what stands in the way at `now`.
    pub fn fold(
        &mut self,
        views: &[impl AsRef<IntegrationView>],
        policy: &Policy,
        now: Duration,
        wall: Timestamp,
    ) {
        let mut standing = Vec::new();
        for view in views {
            collect(view.as_ref(), policy, &mut standing);
        }
        // What stood before keeps its number and its age while it is looked at again.
        let stood = |found: &Blocker| {
            self.blockers.iter().any(|known| known.cleared.is_none() && same(known, found))
        };
        let new = |found: &mut Blocker| found.stands == Stands::Waiting && !stood(found);
        self.waiting = standing.extract_if(.., new).collect();
        for known in &mut self.blockers {
            let same = |found: &Blocker| same(known, found);
            match standing.iter().position(same).map(|at| standing.swap_remove(at)) {
                Some(found) => {
                    let since = if known.cleared.is_some() { now } else { known.since };
                    *known = Blocker { number: known.number, since, ..found };
                }
                None => known.cleared = known.cleared.or(Some(now)),
            }
        }
        self.resume(views, &mut standing);
        standing.sort_by(|a, b| a.since.cmp(&b.since).then_with(|| a.check.cmp(&b.check)));
        for found in standing {
            let given = &mut self.given[usize::from(found.stands == Stands::Checklist)];
            *given += 1;
            self.blockers.push(Blocker { number: *given, ..found });
        }
        self.blockers.retain(|known| known.cleared.is_none_or(|at| now < at + SHOWN_CLEARED));
        for known in self.blockers.iter_mut().chain(&mut self.waiting) {
            let may_be = known.stands != Stands::LeftBehind;
            known.new = policy.is_new(&known.check);
            known.accepted = policy.acceptance(&known.check, wall).filter(|_| may_be).cloned();
        }
    }

    /// What stands in the way: open, accepted, waiting, on the checklist, cleared.
    pub fn list(&self) -> Vec<Blocker> {
        let mut list = [self.blockers.as_slice(), &self.waiting].concat();
        let rank = |blocker: &Blocker| {
            let checklist = blocker.stands == Stands::Checklist;
            let waiting = blocker.number == 0;
            let accepted = blocker.accepted.is_some();
            (blocker.cleared.is_some(), checklist, waiting, accepted, blocker.number)
        };
        list.sort_by_key(rank);
        list
    }
}

fn same(known: &Blocker, found: &Blocker) -> bool {
    let listed = |blocker: &Blocker| blocker.stands == Stands::Checklist;
    known.check == found.check && listed(known) == listed(found)
}

/// What stands in the way in one integration, one entry per root cause.
fn collect(view: &IntegrationView, policy: &Policy, into: &mut Vec<Blocker>) {
    let first = into.len();
    for check in &view.checks {
        let Some(stands) = stands(check, policy) else { continue };
        let root = into[first..].iter_mut().find(|root| explains(root, view, check, policy));
        match root {
            Some(root) => {
                root.also.push(check.id.clone());
                root.stands = root.stands.max(stands);
            }
            None => into.push(entry(check, stands, policy)),
        }
    }
}

fn entry(check: &CheckView, stands: Stands, policy: &Policy) -> Blocker {
    let summary = match (check.freshness, check.finding.receipt.left) {
        _ if check.runs > 0 && only_waits(check, policy) => "not run since the deploy".into(),
        (Freshness::Expired, _) => format!("{}: no answer for too long", check.spec.title),
        (_, 0) => check.finding.summary.clone(),
        (_, left) => format!("{left} of our own keys are still on the target"),
    };
    Blocker {
        number: 0,
        check: check.id.clone(),
        class: check.spec.class,
        stands,
        summary,
        remedy: check.remedy().into(),
        also: Vec::new(),
        since: check.since,
        cleared: None,
        accepted: None,
        new: None,
    }
}

/// Whether `root` is why `check` stands in the way too.
fn explains(root: &Blocker, view: &IntegrationView, check: &CheckView, policy: &Policy) -> bool {
    let Some(other) = view.checks.iter().find(|other| other.id == root.check) else { return false };
    if check.finding.receipt.left > 0 {
        return false;
    }
    match (only_waits(other, policy), only_waits(check, policy)) {
        (true, true) => return true,
        (false, false) => {}
        (true, false) | (false, true) => return false,
    }
    match check.outcome() {
        Outcome::Blocked(by) => other.spec.name == *by,
        Outcome::Pass => check.finding.fallback && other.finding.fallback,
        Outcome::Warn | Outcome::Fail | Outcome::Unknown(_) => {
            check.finding.fault.is_some() && check.finding.fault == other.finding.fault
        }
        Outcome::Skipped(_) => false,
    }
}

/// Whether nothing is known against `check` but that it has not run, or not since the deploy.
fn only_waits(check: &CheckView, policy: &Policy) -> bool {
    match check.outcome() {
        Outcome::Unknown(Cause::NotRun) => true,
        Outcome::Pass | Outcome::Warn | Outcome::Skipped(_) => {
            policy.is_before_deploy(check) && !check.finding.fallback
        }
        Outcome::Fail | Outcome::Unknown(_) | Outcome::Blocked(_) => false,
    }
}

/// How a check stands in the way, if it does.
fn stands(check: &CheckView, policy: &Policy) -> Option<Stands> {
    if check.finding.receipt.left > 0 {
        return Some(Stands::LeftBehind);
    }
    match (check.spec.class, check.outcome()) {
        (Class::Info, _) | (_, Outcome::Skipped(_)) => None,
        (Class::Blocker, Outcome::Unknown(Cause::NotRun)) => Some(Stands::Waiting),
        (Class::Blocker, _) if policy.is_before_deploy(check) => Some(Stands::Waiting),
        (Class::Blocker, Outcome::Fail) => Some(Stands::NoGo),
        (Class::Blocker, Outcome::Unknown(_) | Outcome::Blocked(_)) => Some(Stands::Hold),
        (Class::Blocker, _) if check.finding.fallback => Some(Stands::NoGo),
        (Class::Blocker, _) if check.freshness != Freshness::Fresh => Some(Stands::Hold),
        (Class::Major, Outcome::Fail) if policy.has_regressed(check) => Some(Stands::Regressed),
        (_, Outcome::Pass | Outcome::Unknown(Cause::NotRun)) => None,
        (_, Outcome::Warn | Outcome::Fail | Outcome::Unknown(_) | Outcome::Blocked(_)) => {
            Some(Stands::Checklist)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Finding, Skip, sample};

    fn view(checks: Vec<CheckView>) -> [std::sync::Arc<IntegrationView>; 1] {
        [std::sync::Arc::new(sample::integration("test", "Test", checks))]
    }

    fn fold(ledger: &mut Ledger, checks: Vec<CheckView>, second: u64) -> Vec<(String, bool, u64)> {
        let now = Duration::from_secs(second);
        ledger.fold(&view(checks), &Policy::default(), now, Timestamp(0));
        let shown = |b: &Blocker| (b.label(), b.cleared.is_some(), b.since.as_secs());
        ledger.list().iter().map(shown).collect()
    }

    fn check(name: &str, finding: Finding) -> CheckView {
        sample::check(name, 1, finding)
    }

    #[test]
    fn a_blocker_keeps_its_number_is_cleared_and_forgotten() {
        let (fail, pass) = (|| Finding::fail("no"), || Finding::pass("ok"));
        let mut ledger = Ledger::default();
        let both = || vec![check("a", fail()), check("b", fail())];
        let [b1, b2] = [("B1".to_owned(), false, 0), ("B2".to_owned(), false, 0)];
        assert_eq!(fold(&mut ledger, both(), 1), [b1, b2.clone()]);
        let one = || vec![check("a", pass()), check("b", fail())];
        let cleared = ("B1".to_owned(), true, 0);
        assert_eq!(fold(&mut ledger, one(), 2), [b2.clone(), cleared], "open ones first");
        let again = ("B1".to_owned(), false, 3);
        assert_eq!(fold(&mut ledger, both(), 3), [again, b2.clone()], "reopened, with a new age");
        fold(&mut ledger, one(), 4);
        assert_eq!(fold(&mut ledger, one(), 604), [b2], "a cleared one goes after ten minutes");
    }

    #[test]
    fn what_follows_from_one_cause_is_one_blocker() {
        let blocked = || Finding::new(Outcome::Blocked("a".into()), "waits");
        let checks =
            vec![check("a", Finding::fail("no")), check("b", blocked()), check("c", blocked())];
        let views = view(checks);
        let mut ledger = Ledger::default();
        ledger.fold(&views, &Policy::default(), Duration::ZERO, Timestamp(0));
        let list = ledger.list();
        assert_eq!((list.len(), list[0].also.len()), (1, 2));
        let fallback = || Finding::pass("ok").on_fallback();
        let views = view(vec![check("a", fallback()), check("b", fallback())]);
        let mut ledger = Ledger::default();
        ledger.fold(&views, &Policy::default(), Duration::ZERO, Timestamp(0));
        assert_eq!(ledger.list().len(), 1, "a stand-in is one blocker, however many rely on it");
    }

    #[test]
    fn what_one_fault_does_is_told_once_and_at_its_worst() {
        let full = |finding: Finding| finding.fault("memory-full");
        let checks = vec![
            check("a", full(Finding::warn("nearly full"))),
            check("b", full(Finding::fail("refused"))),
            check("c", Finding::fail("something else")),
            check("d", Finding::fail("and another")),
        ];
        let mut ledger = Ledger::default();
        ledger.fold(&view(checks), &Policy::default(), Duration::ZERO, Timestamp(0));
        let told: Vec<_> =
            ledger.list().iter().map(|b| (b.summary.clone(), b.also.len(), b.stands)).collect();
        let alone = |says: &str| (says.to_owned(), 0, Stands::NoGo);
        let folded = ("nearly full".to_owned(), 1, Stands::NoGo);
        assert_eq!(told, [folded, alone("something else"), alone("and another")]);
    }

    #[test]
    fn what_stood_in_an_earlier_session_is_as_old_as_it_was() {
        let late = |name: &str, finding| CheckView {
            since: Duration::from_secs(100),
            ..check(name, finding)
        };
        let id = |name: &str| check(name, Finding::pass("")).id;
        let mut ledger = Ledger::default();
        for name in ["a", "b", "c"] {
            ledger.recall(id(name), Duration::from_secs(7));
        }
        let not_run = CheckView::new(id("c"), check("c", Finding::pass("")).spec);
        let checks = vec![late("a", Finding::fail("no")), late("b", Finding::pass("ok")), not_run];
        let shown = fold(&mut ledger, checks, 100);
        assert_eq!(shown[0], ("B1".to_owned(), false, 7));
        let both = || vec![late("b", Finding::fail("no")), late("c", Finding::fail("no"))];
        let shown = fold(&mut ledger, both(), 101);
        let open: Vec<u64> = shown.iter().filter(|it| !it.1).map(|it| it.2).collect();
        assert_eq!(open, [7, 100], "c had not run; b had passed");
        ledger.recall(id("b"), Duration::from_secs(3));
        assert!(fold(&mut ledger, both(), 102).iter().any(|it| it.2 == 3), "it came late");
    }

    #[test]
    fn what_has_not_run_waits_without_a_number() {
        let ready = check("a", Finding::pass("ok"));
        let mut ledger = Ledger::default();
        let new = CheckView::new(ready.id.clone(), ready.spec.clone());
        let shown = fold(&mut ledger, vec![new], 1);
        assert_eq!(shown, [("--".to_owned(), false, 0)]);
        assert!(fold(&mut ledger, vec![ready], 2).is_empty(), "and is not listed as cleared");
    }

    #[test]
    fn the_checklist_is_numbered_apart_and_listed_after() {
        let minor = |name, finding| {
            let mut check = check(name, finding);
            check.spec.class = Class::Minor;
            check
        };
        let checks = vec![
            minor("a", Finding::warn("slow")),
            check("b", Finding::fail("no")),
            minor("c", Finding::skipped(Skip::OptionalAbsent, "not there")),
        ];
        let shown = fold(&mut Ledger::default(), checks, 1);
        assert_eq!(shown, [("B1".to_owned(), false, 0), ("W1".to_owned(), false, 0)]);
    }
}
