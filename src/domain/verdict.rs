use super::{Blocker, CheckId, HealthScore, IntegrationView, Policy, Stands};
use serde::{Deserialize, Serialize};
use std::{fmt::Write as _, time::Duration};

/// The answer in one word.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
pub enum Word {
    /// It may go.
    #[serde(rename = "GO")]
    Go,
    /// Nobody knows yet.
    #[default]
    #[serde(rename = "HOLD")]
    Hold,
    /// It may not go.
    #[serde(rename = "NO-GO")]
    NoGo,
}

/// The rule that decided. They are tried in this order.
///
/// Rule 1, a bad configuration or an empty selection, gives no verdict at all
/// and is an error before there is anything to judge.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Rule {
    /// 2: a blocker fails or runs on a fallback, or we left something behind.
    Blocked,
    /// 3: a blocker is unknown, blocked, stale or has not run since the deploy.
    #[default]
    Undecided,
    /// 3: the settle time after the deploy is not over.
    Settling,
    /// 3: too little of what applies was freshly executed.
    Coverage,
    /// 4: the score is under the configured floor.
    Floor,
    /// 4: a major check that passed before fails now.
    Regressed,
    /// 5: nothing stands in the way.
    Clear,
}

/// May this go to production, and which rule says so.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Verdict {
    /// The answer.
    pub word: Word,
    /// What decided it.
    pub rule: Rule,
    /// The checks that it rests on, worst first; none where the rule is about numbers.
    pub because: Vec<CheckId>,
    /// Blockers that somebody answers for.
    pub accepted: usize,
    /// Entries on the checklist.
    pub warnings: usize,
    /// The deciding rule in a clause, its numbers in it.
    pub reason: String,
}

impl Word {
    /// As it is written everywhere.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Go => "GO",
            Self::Hold => "HOLD",
            Self::NoGo => "NO-GO",
        }
    }
}

impl Rule {
    /// Its number in the documentation.
    pub fn number(self) -> u8 {
        match self {
            Self::Blocked => 2,
            Self::Undecided | Self::Settling | Self::Coverage => 3,
            Self::Floor | Self::Regressed => 4,
            Self::Clear => 5,
        }
    }
}

impl Verdict {
    /// Judges what stands at `now`. The first rule that matches decides.
    pub fn of(
        views: &[impl AsRef<IntegrationView>],
        blockers: &[Blocker],
        policy: &Policy,
        now: Duration,
    ) -> Self {
        let score = HealthScore::overall(views.iter().map(AsRef::as_ref));
        let (word, rule, because, reason) = no_go(blockers)
            .or_else(|| hold(blockers, policy, now, score))
            .or_else(|| floor(policy, score))
            .or_else(|| regressed(blockers))
            .unwrap_or_else(|| (Word::Go, Rule::Clear, vec![], "nothing stands in the way".into()));
        let listed = |wanted: &dyn Fn(&Blocker) -> bool| {
            blockers.iter().filter(|b| b.cleared.is_none() && wanted(b)).count()
        };
        Self {
            word,
            rule,
            because,
            accepted: listed(&|b| b.accepted.is_some() && b.stands > Stands::Checklist),
            warnings: listed(&|b| b.stands == Stands::Checklist),
            reason,
        }
    }
}

type Decision = (Word, Rule, Vec<CheckId>, String);

fn no_go(blockers: &[Blocker]) -> Option<Decision> {
    let standing = open(blockers, |stands| stands >= Stands::NoGo);
    let mut reason = counted(standing.len(), "blocker");
    let open = || blockers.iter().filter(|it| it.is_open() && it.stands >= Stands::NoGo);
    if open().any(|blocker| blocker.new.is_some()) {
        let new = open().filter(|blocker| blocker.new == Some(true)).count();
        // Writing to a String cannot fail.
        let _infallible = write!(reason, ", {new} new");
    }
    (!standing.is_empty()).then_some((Word::NoGo, Rule::Blocked, standing, reason))
}

fn hold(
    blockers: &[Blocker],
    policy: &Policy,
    now: Duration,
    score: Option<HealthScore>,
) -> Option<Decision> {
    let undecided = open(blockers, |stands| matches!(stands, Stands::Hold | Stands::Waiting));
    if !undecided.is_empty() {
        let reason = not_known(blockers, policy);
        return Some((Word::Hold, Rule::Undecided, undecided, reason));
    }
    if policy.settled().is_some_and(|settled| now < settled) {
        let reason = format!("settling for {} after the deploy", span(policy.settle));
        return Some((Word::Hold, Rule::Settling, vec![], reason));
    }
    let coverage = score.map_or(0, |score| score.coverage);
    if coverage < policy.min_coverage || score.is_none() {
        let reason = format!("coverage {coverage} %, at least {} wanted", policy.min_coverage);
        return Some((Word::Hold, Rule::Coverage, vec![], reason));
    }
    None
}

/// How many nobody knows about, and how many have not run since the deploy.
fn not_known(blockers: &[Blocker], policy: &Policy) -> String {
    let open =
        |wanted: Stands| blockers.iter().filter(move |it| it.is_open() && it.stands == wanted);
    let (hold, waiting) = (open(Stands::Hold).count(), open(Stands::Waiting));
    if policy.deploy.is_none() {
        return format!("{} not known", counted(hold + waiting.count(), "blocker"));
    }
    let checks: usize = waiting.map(|blocker| 1 + blocker.also.len()).sum();
    let unknown = format!("{} not known", counted(hold, "blocker"));
    let not_run = format!("{} not run since the deploy", counted(checks, "check"));
    match (hold, checks) {
        (_, 0) => unknown,
        (0, _) => not_run,
        (_, _) => format!("{unknown}, {not_run}"),
    }
}

/// `5m`, `90s`, `1h`
fn span(span: Duration) -> String {
    match span.as_secs() {
        seconds if seconds > 0 && seconds % 3600 == 0 => format!("{}h", seconds / 3600),
        seconds if seconds > 0 && seconds % 60 == 0 => format!("{}m", seconds / 60),
        seconds => format!("{seconds}s"),
    }
}

fn floor(policy: &Policy, score: Option<HealthScore>) -> Option<Decision> {
    let percent = score.map_or(0, |score| score.percent);
    let floor = policy.min_score.filter(|floor| percent < *floor)?;
    let reason = format!("score {percent}, at least {floor} wanted");
    Some((Word::NoGo, Rule::Floor, vec![], reason))
}

fn regressed(blockers: &[Blocker]) -> Option<Decision> {
    let because = open(blockers, |stands| stands == Stands::Regressed);
    let reason = format!("{} since the baseline", counted(because.len(), "regression"));
    (!because.is_empty()).then_some((Word::NoGo, Rule::Regressed, because, reason))
}

fn open(blockers: &[Blocker], stands: impl Fn(Stands) -> bool) -> Vec<CheckId> {
    let open = blockers.iter().filter(|blocker| blocker.is_open() && stands(blocker.stands));
    open.map(|blocker| blocker.check.clone()).collect()
}

fn counted(n: usize, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{
        Acceptance, Cause, CheckView, Class, Finding, Freshness, Ledger, Outcome, Receipt,
        Severity, Skip, Timestamp, sample,
    };
    use proptest::prelude::*;
    use std::sync::Arc;

    const NOW: Duration = Duration::from_secs(100);
    const WALL: Timestamp = Timestamp(1_000_000);

    fn judged(checks: Vec<CheckView>, policy: &Policy) -> (Verdict, Vec<Blocker>) {
        let views = [Arc::new(sample::integration("test", "Test", checks))];
        let mut ledger = Ledger::default();
        ledger.fold(&views, policy, NOW, WALL);
        let blockers = ledger.list();
        (Verdict::of(&views, &blockers, policy, NOW), blockers)
    }

    fn class(class: Class, mut check: CheckView) -> CheckView {
        check.spec.class = class;
        check
    }

    fn pass() -> CheckView {
        sample::check("fine", 9, Finding::pass("ok"))
    }

    fn rule(check: CheckView, policy: &Policy) -> (Word, u8) {
        let (verdict, _) = judged(vec![pass(), check], policy);
        (verdict.word, verdict.rule.number())
    }

    #[test]
    fn each_standing_of_a_blocker_gives_what_the_rules_say() {
        let check = |finding| sample::check("c", 1, finding);
        let stale = CheckView { freshness: Freshness::Stale, ..check(Finding::pass("ok")) };
        let not_run = CheckView::new(stale.id.clone(), stale.spec.clone());
        let left = Receipt { written: 3, removed: 2, left: 1, sent: 9 };
        let cases = [
            (check(Finding::pass("ok")), (Word::Go, 5)),
            (check(Finding::warn("slow")), (Word::Go, 5)),
            (check(Finding::fail("no")), (Word::NoGo, 2)),
            (check(Finding::pass("ok").on_fallback()), (Word::NoGo, 2)),
            (check(Finding::unknown(Cause::Starved, "busy")), (Word::Hold, 3)),
            (check(Finding::new(Outcome::Blocked("x".into()), "waits")), (Word::Hold, 3)),
            (check(Finding::skipped(Skip::NotApplicable, "no such")), (Word::Go, 5)),
            (stale, (Word::Hold, 3)),
            (not_run, (Word::Hold, 3)),
            (class(Class::Major, check(Finding::fail("no"))), (Word::Go, 5)),
            (class(Class::Info, check(Finding::fail("no"))), (Word::Go, 5)),
            (class(Class::Info, check(Finding::pass("ok").receipt(left))), (Word::NoGo, 2)),
        ];
        for (check, expected) in cases {
            let what = format!("{:?} {}", check.spec.class, check.finding.summary);
            assert_eq!(rule(check, &Policy::default()), expected, "{what}");
        }
    }

    #[test]
    fn floors_and_regressions_come_after_everything_else() {
        let warn = || class(Class::Major, sample::check("m", 9, Finding::warn("slow")));
        let floor = Policy { min_score: Some(90), ..Policy::default() };
        assert_eq!(rule(warn(), &floor), (Word::NoGo, 4));
        let fail = class(Class::Major, sample::check("m", 1, Finding::fail("no")));
        let id = sample::integration("test", "", vec![fail.clone()]).checks[0].id.clone();
        let baseline = Policy { passed_before: vec![id.clone()], ..Policy::default() };
        let (verdict, blockers) = judged(vec![pass(), fail.clone()], &baseline);
        assert_eq!((verdict.rule, verdict.because), (Rule::Regressed, vec![id.clone()]));
        assert_eq!((blockers[0].label(), blockers[0].is_open()), ("B1".to_owned(), true));
        let mut answered = baseline;
        answered.accept(Acceptance {
            check: id,
            pattern: None,
            reason: "slower, as was agreed".into(),
            owner: None,
            until: Timestamp(WALL.0 + 1),
        });
        assert_eq!(rule(fail, &answered), (Word::Go, 5), "somebody answers for it");
        let unknown = sample::check("u", 9, Finding::unknown(Cause::NoSamples, "none"));
        let unknown = class(Class::Minor, unknown);
        let strict = Policy { min_coverage: 51, ..Policy::default() };
        assert_eq!(rule(unknown, &strict), (Word::Hold, 3));
    }

    #[test]
    fn an_acceptance_lifts_its_blocker_until_it_ends_and_changes_nothing_else() {
        let fail = || sample::check("c", 1, Finding::fail("no"));
        let id = sample::integration("test", "", vec![fail()]).checks[0].id.clone();
        let until = |until| Policy {
            accepted: vec![Acceptance {
                check: id.clone(),
                pattern: None,
                reason: "the vendor mends it today".into(),
                owner: None,
                until,
            }],
            ..Policy::default()
        };
        let (verdict, blockers) = judged(vec![pass(), fail()], &until(Timestamp(WALL.0 + 1)));
        assert_eq!((verdict.word, verdict.accepted), (Word::Go, 1));
        assert!(blockers[0].accepted.is_some() && !blockers[0].is_open());
        let (verdict, _) = judged(vec![pass(), fail()], &until(WALL));
        assert_eq!((verdict.word, verdict.accepted), (Word::NoGo, 0), "it has expired");
        let left = Receipt { left: 1, ..Receipt::default() };
        let dirty = sample::check("c", 1, Finding::pass("ok").receipt(left));
        let (verdict, _) = judged(vec![pass(), dirty], &until(Timestamp(WALL.0 + 1)));
        assert_eq!(verdict.word, Word::NoGo, "what we left behind cannot be accepted");
    }

    #[test]
    fn the_seed_is_no_go_for_its_four_reasons_or_fewer() {
        let views = sample::seed().map(Arc::new);
        let mut ledger = Ledger::default();
        ledger.fold(&views, &Policy::default(), NOW, WALL);
        let blockers = ledger.list();
        let verdict = Verdict::of(&views, &blockers, &Policy::default(), NOW);
        assert_eq!((verdict.word, verdict.rule.number()), (Word::NoGo, 2));
        let because: Vec<&str> = verdict.because.iter().map(CheckId::as_str).collect();
        assert_eq!(because, ["apis.google", "database.connect", "redis.connect"]);
        assert_eq!(verdict.warnings, 1, "the live part of monitoring is on the checklist");
    }

    proptest! {
        #[test]
        fn a_failed_blocker_is_never_go(weights in prop::collection::vec(0_u8..10, 1..8), at in 0_usize..8) {
            let at = at % weights.len();
            let of = |index| if index == at { Finding::fail("no") } else { Finding::pass("ok") };
            let names = ["a", "b", "c", "d", "e", "f", "g", "h"];
            let checks = weights.iter().enumerate().map(|(i, w)| sample::check(names[i], *w, of(i)));
            let (verdict, _) = judged(checks.collect(), &Policy::default());
            prop_assert_eq!(verdict.word, Word::NoGo);
        }

        #[test]
        fn go_rests_on_evidence(severity in 0_u8..4, weight in 1_u8..10) {
            let finding = match severity {
                0 => Finding::pass("ok"),
                1 => Finding::warn("slow"),
                2 => Finding::unknown(Cause::NoSamples, "none"),
                _ => Finding::fail("no"),
            };
            let fine = finding.outcome.severity() <= Severity::Soft;
            let (verdict, _) = judged(vec![sample::check("a", weight, finding)], &Policy::default());
            prop_assert_eq!(verdict.word == Word::Go, fine);
        }
    }
}
