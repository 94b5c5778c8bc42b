//! The part that decides. Pure: measurements and limits in, a finding out.

use super::queries;
use crate::{
    domain::{Evidence, Finding, Quantity},
    integrations::database::{
        judge::{controls, noticed, sampled, time},
        measured::Pair,
        tally::Tally,
    },
};

/// SQLite: nobody but ourselves can count.
pub(super) fn query(sent: u64, tally: &Tally) -> Finding {
    let evidence = Evidence::default()
        .asked(&format!("{}, {sent} times", queries::CANARY_FILE))
        .wanted(&format!("{sent} calls and {sent} rows more than before"))
        .reply(&format!("{} calls, {} rows", tally.statements, tally.rows))
        .fact("counted by", "this side only: SQLite keeps no count that others can read");
    let evidence = time(evidence, "time, here", tally.time);
    let mean = tally.time / u32::try_from(sent).unwrap_or(u32::MAX).max(1);
    let finding = if tally.statements != sent || tally.rows != sent {
        let says = format!("{} of {sent} statements counted here", tally.statements);
        Finding::fail(&says).remedy("report this as a bug of tminus")
    } else if tally.time.is_zero() {
        Finding::fail("statements counted without their time")
            .remedy("report this as a bug of tminus")
    } else {
        Finding::pass(&format!("{sent} of {sent} counted, on our side only"))
    };
    finding.evidence(evidence).measure(Quantity::Time(mean))
}

/// Whether our side tells the slow one from the quick one; nobody else can.
pub(super) fn slow(pair: &Pair) -> Finding {
    controls(pair).unwrap_or_else(|| noticed(pair)).evidence(sampled(pair, "this side only"))
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    #[test]
    fn it_is_counted_on_our_side_and_says_so() {
        let mut tally = Tally::new(Duration::from_millis(100));
        for _ in 0..20 {
            tally.note("canary", 1, Duration::from_micros(50));
        }
        let finding = query(20, &tally);
        assert_eq!(finding.outcome.word(), "pass");
        assert_eq!(finding.summary, "20 of 20 counted, on our side only");
        let short = query(21, &tally);
        assert_eq!(short.outcome.word(), "fail");
        assert_eq!(short.summary, "20 of 21 statements counted here");
    }
}
