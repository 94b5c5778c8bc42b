//! The part that decides. Pure: measurements and limits in, a finding out.

use super::{
    queries,
    transactions::{Transactions, Turn, View},
};
use crate::{
    domain::{Evidence, Finding, Quantity, Receipt},
    integrations::database::{
        judge::{accounted, accounting, controls, count, noticed, sampled, time},
        measured::Pair,
        pooling::{Accounts, SIZE},
        tally::Tally,
    },
};

const BUG: &str = "report this as a bug of tminus";
const HERE: &str = "this side only: SQLite keeps no count that others can read";

/// SQLite: nobody but ourselves can count.
pub(super) fn query(sent: u64, tally: &Tally) -> Finding {
    let evidence = Evidence::default()
        .asked(&format!("{}, {sent} times", queries::CANARY_FILE))
        .wanted(&format!("{sent} calls and {sent} rows more than before"))
        .reply(&format!("{} calls, {} rows", tally.statements, tally.rows))
        .fact("counted by", HERE);
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

/// Whether the pool's own numbers are what they have to be.
pub(super) fn pool(accounts: &Accounts) -> Finding {
    let finding = accounting(accounts)
        .unwrap_or_else(|| Finding::pass(&format!("pool of {SIZE} adds up, on our side only")));
    finding.evidence(accounted(accounts).fact("counted by", HERE))
}

/// Whether an error is counted as one, and what is none is not.
pub(super) fn errors(tally: &Tally) -> Finding {
    let found: u64 = tally.errors.iter().map(|(_, count)| count).sum();
    let codes: Vec<&str> = tally.errors.iter().map(|(code, _)| code.as_str()).collect();
    let finding = if codes == ["1"] && found == 1 && tally.statements == 1 {
        Finding::pass("1 of 1 error counted, on our side only")
    } else {
        let says = format!("{found} of 1 error, {} of 1 fine counted here", tally.statements);
        Finding::fail(&says).remedy(BUG)
    };
    let evidence = Evidence::default()
        .asked(queries::MISTAKE)
        .wanted("result code 1 (ERROR), counted once; the statement before it fine")
        .reply(&format!("result code {}", codes.join(", ")))
        .fact("counted by", HERE);
    finding.evidence(count(count(evidence, "errors, here", found), "fine, here", tally.statements))
}

/// Whether what was rolled back is undone, what was committed is seen, and a
/// writer gets its turn.
pub(super) fn transactions(seen: &Transactions) -> Finding {
    let Transactions { open, rolled_back, committed, gone, file } = seen;
    let broken = |says: &str| Finding::fail(says).remedy("check the disk and its file system");
    let finding = if open.rows != 0 {
        broken("an open transaction is seen by others")
    } else if !open.kept_out {
        broken("two writers at once: locks do not hold here")
            .remedy("move the file off the network drive: its locks do not work")
    } else if *rolled_back != (View { rows: 0, changed: false }) {
        broken("a rollback left something behind")
    } else if *committed != (View { rows: 1, changed: true }) {
        broken("a commit is not seen by others")
    } else if !gone {
        broken("our own file is still there")
            .remedy("remove the files .*.tminus-* beside the database")
    } else {
        match file {
            Turn::Busy => Finding::warn("a writer holds the file for over 500ms")
                .remedy("end the writer's transaction: find it with lsof or fuser"),
            Turn::AtRest => Finding::pass("rollback undone, commit seen; file at rest"),
            Turn::None | Turn::Taken(_) => Finding::pass("rollback undone, commit seen by others"),
        }
    };
    let left = u64::from(!gone);
    let receipt = Receipt { sent: 2, written: 2, removed: 2 - left, left };
    finding.evidence(told(seen)).receipt(receipt)
}

fn told(seen: &Transactions) -> Evidence {
    let Transactions { open, rolled_back, committed, file, .. } = seen;
    let version = |view: &View| if view.changed { "new version" } else { "same version" };
    let view = |view: &View| format!("{} rows, {}", view.rows, version(view));
    let evidence = Evidence::default()
        .asked("in a file of our own beside it: insert, ROLLBACK; insert, COMMIT")
        .wanted("another connection sees 0 rows, 0 rows, then 1 row and a new version")
        .reply(&format!("{} rows, then {}, then {}", open.rows, view(rolled_back), view(committed)))
        .fact("read from", "a second connection")
        .fact("second writer", if open.kept_out { "kept out" } else { "let in" });
    match file {
        Turn::Taken(took) => time(evidence, "BEGIN IMMEDIATE on the file", *took),
        Turn::Busy => evidence.fact("BEGIN IMMEDIATE on the file", "BUSY after 500ms"),
        Turn::AtRest => {
            evidence.fact("BEGIN IMMEDIATE on the file", "not tried: nobody has it open")
        }
        Turn::None => evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::database::sqlite::transactions::Open;
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

    #[test]
    fn an_error_is_counted_once() {
        let mut tally = Tally::new(Duration::from_millis(100));
        tally.note("fine", 1, Duration::ZERO);
        assert_eq!(errors(&tally).outcome.word(), "fail");
        tally.failed("1");
        assert_eq!(errors(&tally).outcome.word(), "pass");
        tally.failed("14");
        assert_eq!(errors(&tally).outcome.word(), "fail");
    }

    #[test]
    fn each_promise_of_a_transaction_is_held_against_what_was_seen() {
        let good = Transactions {
            open: Open { rows: 0, kept_out: true },
            rolled_back: View { rows: 0, changed: false },
            committed: View { rows: 1, changed: true },
            gone: true,
            file: Turn::Taken(Duration::from_millis(1)),
        };
        assert_eq!(transactions(&good).summary, "rollback undone, commit seen by others");
        assert_eq!(transactions(&good).receipt.left, 0);
        let fails = [
            Transactions { open: Open { rows: 1, kept_out: true }, ..good },
            Transactions { open: Open { rows: 0, kept_out: false }, ..good },
            Transactions { rolled_back: View { rows: 1, changed: false }, ..good },
            Transactions { rolled_back: View { rows: 0, changed: true }, ..good },
            Transactions { committed: View { rows: 0, changed: true }, ..good },
            Transactions { committed: View { rows: 1, changed: false }, ..good },
            Transactions { gone: false, ..good },
        ];
        for seen in fails {
            let finding = transactions(&seen);
            assert_eq!(finding.outcome.word(), "fail", "{seen:?}");
            assert!(finding.remedy.is_some() && finding.summary.chars().count() <= 45);
        }
        assert_eq!(transactions(&Transactions { gone: false, ..good }).receipt.left, 1);
        let busy = transactions(&Transactions { file: Turn::Busy, ..good });
        assert_eq!(busy.outcome.word(), "warn");
        let rest = transactions(&Transactions { file: Turn::AtRest, ..good });
        assert_eq!(rest.outcome.word(), "pass");
    }
}
