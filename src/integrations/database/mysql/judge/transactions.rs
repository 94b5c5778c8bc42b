use crate::{
    domain::{Cause, Evidence, Finding, Receipt},
    integrations::database::{
        judge::{count, time},
        mysql::{
            measured::{Mode, Open, Transactions},
            queries,
        },
    },
    units,
};
use std::time::Duration;

/// The server keeps the start of a transaction in whole seconds.
const GRAIN: Duration = Duration::from_secs(1);

/// Whether a transaction shows while it is open, and both count when they end.
pub(in super::super) fn transactions(ran: &Transactions) -> Finding {
    let finding = uncounted(ran)
        .or_else(|| mistaken(ran))
        .or_else(|| unseen(ran))
        .or_else(|| not_written(ran))
        .unwrap_or_else(|| {
            let how = if ran.mode == Mode::Writes { "" } else { ", nothing written" };
            Finding::pass(&format!("open, rolled back and committed seen{how}"))
        });
    finding.evidence(evidence(ran)).receipt(receipt(ran))
}

/// The table and its row. It is dropped, and would go with its session in any case.
fn receipt(ran: &Transactions) -> Receipt {
    let written = if ran.mode == Mode::Writes { 2 } else { 0 };
    Receipt { sent: 2, written, removed: written, left: 0 }
}

/// The rollback has to be in the counters, and the commit: exactly for the
/// session, at least for the whole server.
fn uncounted(ran: &Transactions) -> Option<Finding> {
    let Transactions { here, all, own_session, .. } = ran;
    if !own_session && *here != (1, 1) {
        let finding = Finding::unknown(Cause::NoSamples, "a proxy hides which session is ours");
        return Some(finding.remedy("point the url at the server itself"));
    }
    let (commits, rollbacks) = if *here == (1, 1) { *all } else { *here };
    (*here != (1, 1) || commits < 1 || rollbacks < 1).then(|| {
        Finding::fail(&format!("{rollbacks} of 1 rollback, {commits} of 1 commit counted"))
            .remedy("look for a proxy that answers in the server's place: Com_rollback has to grow")
    })
}

/// What was rolled back has to be gone, what was committed has to be there.
fn mistaken(ran: &Transactions) -> Option<Finding> {
    let (rolled_back, committed) = ran.rows?;
    (rolled_back != 0 || committed != 1).then(|| {
        Finding::fail(&format!("{rolled_back} rows after ROLLBACK, {committed} after COMMIT"))
            .remedy(
                "look whether the engine is InnoDB: SHOW ENGINES; others keep what is rolled back",
            )
    })
}

/// The open one has to show, with an age that is its own.
fn unseen(ran: &Transactions) -> Option<Finding> {
    let Transactions { open, held, account, .. } = ran;
    match open {
        Open::Hidden => Some(
            Finding::unknown(Cause::NotPermitted, "open transactions are hidden from us")
                .remedy(&format!("GRANT PROCESS ON *.* TO {account}")),
        ),
        Open::Unseen => Some(
            Finding::fail("open transaction not seen by the server")
                .remedy("look into information_schema.INNODB_TRX: our session has to show up"),
        ),
        Open::Seen(age) if *age > *held + GRAIN => {
            let [age, held] = [*age, *held].map(units::span);
            Finding::fail(&format!("open for {held}, seen as {age}"))
                .remedy("look at the clock of the server's machine: it was set forward")
                .into()
        }
        Open::Seen(_) => None,
    }
}

/// Reading proves less than writing; why it was not written is said.
fn not_written(ran: &Transactions) -> Option<Finding> {
    let Transactions { mode, account, read_only, .. } = ran;
    if *read_only {
        return Some(
            Finding::warn("read_only = 1: applications cannot write")
                .remedy("SET GLOBAL read_only = 0, unless it is a replica and meant to be read"),
        );
    }
    match mode {
        Mode::Writes | Mode::NotAllowed | Mode::NoDatabase => None,
        Mode::NoTemporary(database) => {
            let database = database.replace('`', "``");
            let grant = format!("GRANT CREATE TEMPORARY TABLES ON `{database}`.* TO {account}");
            Some(Finding::warn("counted, but may not try to write").remedy(&grant))
        }
    }
}

fn evidence(ran: &Transactions) -> Evidence {
    let Transactions { mode, open, held, rows, here, all, read_only, .. } = ran;
    let written = match mode {
        Mode::Writes => "temporary table, dropped",
        Mode::NotAllowed => "no: set writes = true, or --allow-writes",
        Mode::NoDatabase => "no: the url names no database",
        Mode::NoTemporary(_) => "no: CREATE TEMPORARY TABLES is not granted",
    };
    let seen = match open {
        Open::Seen(_) => "open",
        Open::Unseen => "not seen",
        Open::Hidden => "hidden",
    };
    let evidence = Evidence::default()
        .asked(&format!("{}; ROLLBACK; then the like with COMMIT", queries::BEGIN))
        .wanted("seen in INNODB_TRX while open; then +1 rollback and +1 commit, or more")
        .reply(&format!("{seen}; then +{} rollbacks, +{} commits", all.1, all.0))
        .fact("read from", "a second session")
        .fact("written", written)
        .fact("read_only", if *read_only { "on" } else { "off" });
    let evidence = time(evidence, "open, here", *held);
    let evidence = match open {
        Open::Seen(age) => time(evidence, "open, server", *age),
        Open::Unseen | Open::Hidden => evidence,
    };
    let evidence = match rows {
        Some((rolled_back, committed)) => count(
            count(evidence, "rows after ROLLBACK", *rolled_back),
            "rows after COMMIT",
            *committed,
        ),
        None => evidence,
    };
    let evidence = count(evidence, "rollbacks, session", here.1);
    count(evidence, "commits, session", here.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ran() -> Transactions {
        Transactions {
            mode: Mode::Writes,
            open: Open::Seen(Duration::from_millis(500)),
            held: Duration::from_millis(105),
            rows: Some((0, 1)),
            here: (1, 1),
            all: (3, 2),
            read_only: false,
            account: "'app'@'%'".into(),
            own_session: true,
        }
    }

    fn says(ran: &Transactions) -> (&'static str, String) {
        let finding = transactions(ran);
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        let explained = finding.remedy.is_some() && !finding.evidence.reply.is_empty();
        assert!(finding.outcome.word() == "pass" || explained, "{finding:?}");
        (finding.outcome.word(), finding.summary)
    }

    #[test]
    fn what_is_open_and_what_has_ended_has_to_be_known() {
        assert_eq!(says(&ran()), ("pass", "open, rolled back and committed seen".into()));
        let seen = |millis| Open::Seen(Duration::from_millis(millis));
        assert_eq!(says(&Transactions { open: seen(1105), ..ran() }).0, "pass");
        for ran in [
            Transactions { open: seen(1106), ..ran() },
            Transactions { open: Open::Unseen, ..ran() },
            Transactions { here: (0, 1), ..ran() },
            Transactions { here: (1, 0), ..ran() },
            Transactions { all: (0, 1), ..ran() },
            Transactions { all: (1, 0), ..ran() },
            Transactions { rows: Some((1, 1)), ..ran() },
            Transactions { rows: Some((0, 0)), ..ran() },
        ] {
            assert_eq!(says(&ran).0, "fail", "{ran:?}");
        }
    }

    #[test]
    fn what_may_not_be_seen_is_not_taken_for_nothing() {
        let hidden = Transactions { open: Open::Hidden, ..ran() };
        assert_eq!(says(&hidden), ("unknown", "open transactions are hidden from us".into()));
        let remedy = transactions(&hidden).remedy.unwrap();
        assert_eq!(remedy, "GRANT PROCESS ON *.* TO 'app'@'%'");
        let proxied = Transactions { own_session: false, here: (0, 0), ..ran() };
        assert_eq!(says(&proxied).0, "unknown");
    }

    #[test]
    fn a_temporary_table_is_no_proof_that_anybody_may_write() {
        let finding = says(&Transactions { read_only: true, ..ran() });
        assert_eq!(finding, ("warn", "read_only = 1: applications cannot write".into()));
        let read = |mode| Transactions { mode, rows: None, ..ran() };
        assert_eq!(says(&read(Mode::NoTemporary("a`b".into()))).0, "warn");
        let remedy = transactions(&read(Mode::NoTemporary("a`b".into()))).remedy.unwrap();
        assert_eq!(remedy, "GRANT CREATE TEMPORARY TABLES ON `a``b`.* TO 'app'@'%'");
        let summary = transactions(&read(Mode::NoDatabase)).summary;
        assert_eq!(summary, "open, rolled back and committed seen, nothing written");
        assert_eq!(transactions(&read(Mode::NotAllowed)).receipt.written, 0);
    }
}
