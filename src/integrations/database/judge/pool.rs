use super::{count, time};
use crate::{
    domain::{Cause, Evidence, Finding},
    integrations::database::pooling::{Accounts, Count, SIZE, Third},
    units,
};
use std::time::Duration;

/// How late a refusal may come before it says that this host is busy.
const LATE: Duration = Duration::from_secs(1);

/// Whether the pool's own numbers are what they have to be.
pub(in super::super) fn accounting(accounts: &Accounts) -> Option<Finding> {
    let Accounts { held, patience, third, returned, closed, .. } = accounts;
    let wrong = |says: &str| Some(Finding::fail(says).remedy("report this as a bug of tminus"));
    if *held != (Count { open: SIZE, idle: 0 }) {
        return wrong(&format!("{SIZE} held, pool says {} open, {} idle", held.open, held.idle));
    }
    let allowed = units::span(*patience);
    match third {
        Third::Got => return wrong(&format!("a pool of {SIZE} gave out a third connection")),
        Third::Failed => return wrong("third acquire failed without timing out"),
        Third::TimedOut(after) if after < patience => {
            let after = units::span(*after);
            return wrong(&format!("gave up after {after}, patience is {allowed}"));
        }
        Third::TimedOut(after) if *after > *patience + LATE => {
            let says = format!("gave up after {}, patience is {allowed}", units::span(*after));
            let finding = Finding::unknown(Cause::Starved, &says);
            return Some(finding.remedy("give this host processor time, then re-check"));
        }
        Third::TimedOut(_) => {}
    }
    if *returned != (Count { open: SIZE, idle: SIZE }) {
        return wrong(&format!("{SIZE} given back, pool says {} idle", returned.idle));
    }
    if closed.open != 0 {
        return wrong(&format!("a closed pool keeps {} open", closed.open));
    }
    None
}

/// What was done with the pool and what it said.
pub(in super::super) fn accounted(accounts: &Accounts) -> Evidence {
    let Accounts { held, patience, third, returned, closed, acquire } = accounts;
    let patience = units::span(*patience);
    let third = match third {
        Third::TimedOut(after) => format!("refused after {}", units::span(*after)),
        Third::Got => "given".to_owned(),
        Third::Failed => "failed".to_owned(),
    };
    let says = |count: &Count| format!("{} open, {} idle", count.open, count.idle);
    let evidence = Evidence::default()
        .asked(&format!("a pool of {SIZE}: take {SIZE}, ask for one more, give back, close"))
        .wanted(&format!("{SIZE} held, a third refused after {patience}, then {SIZE} idle, then 0"))
        .reply(&format!("{}; third {third}; then {}", says(held), says(returned)));
    let evidence = time(evidence, "acquire, here", *acquire).fact("third, here", third.as_str());
    let evidence = evidence.fact("given back, here", says(returned).as_str());
    count(evidence, "open when closed, here", closed.open.into())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    const GOOD: Accounts = Accounts {
        held: Count { open: 2, idle: 0 },
        patience: ms(250),
        third: Third::TimedOut(ms(250)),
        returned: Count { open: 2, idle: 2 },
        closed: Count { open: 0, idle: 0 },
        acquire: ms(3),
    };

    #[test]
    fn every_deviation_of_the_pool_is_told() {
        assert_eq!(accounting(&GOOD), None);
        let late = Accounts { third: Third::TimedOut(ms(1250)), ..GOOD };
        assert_eq!(accounting(&late), None);
        let cases = [
            (Accounts { held: Count { open: 3, idle: 0 }, ..GOOD }, "fail", "3 open, 0 idle"),
            (Accounts { held: Count { open: 2, idle: 1 }, ..GOOD }, "fail", "2 open, 1 idle"),
            (Accounts { third: Third::Got, ..GOOD }, "fail", "third connection"),
            (Accounts { third: Third::Failed, ..GOOD }, "fail", "without timing out"),
            (Accounts { third: Third::TimedOut(ms(249)), ..GOOD }, "fail", "after 249ms"),
            (Accounts { third: Third::TimedOut(ms(1251)), ..GOOD }, "unknown", "after 1.2s"),
            (Accounts { returned: Count { open: 2, idle: 1 }, ..GOOD }, "fail", "says 1 idle"),
            (Accounts { closed: Count { open: 1, idle: 0 }, ..GOOD }, "fail", "keeps 1 open"),
        ];
        for (accounts, word, part) in cases {
            let finding = accounting(&accounts).unwrap();
            assert!(finding.summary.contains(part), "{}", finding.summary);
            assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
            assert_eq!(finding.outcome.word(), word);
            assert!(finding.outcome != Outcome::Pass && finding.remedy.is_some());
        }
    }

    #[test]
    fn the_evidence_tells_every_step() {
        let evidence = accounted(&GOOD);
        assert_eq!(
            evidence.reply,
            "2 open, 0 idle; third refused after 250ms; then 2 open, 2 idle"
        );
        assert_eq!(evidence.facts.len(), 4);
    }
}
