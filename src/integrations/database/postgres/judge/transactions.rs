use crate::{
    domain::{Cause, Evidence, Finding, Receipt},
    integrations::database::{
        judge::{count, time},
        postgres::{
            activity::{Mode, Transactions},
            queries,
        },
    },
    units,
};

const IDLE: &str = "idle in transaction";

/// Whether a transaction shows while it is open, and both count when they end.
pub(in super::super) fn transactions(ran: &Transactions) -> Finding {
    let finding = uncounted(ran)
        .or_else(|| unseen(ran))
        .or_else(|| mistaken(ran))
        .or_else(|| not_written(ran))
        .unwrap_or_else(|| {
            let how = if ran.mode == Mode::Writes { "" } else { ", only read" };
            Finding::pass(&format!("seen open, rolled back, committed{how}"))
        });
    finding.evidence(evidence(ran)).receipt(receipt(ran))
}

/// The table and its row are there until the rollback takes both away.
fn receipt(ran: &Transactions) -> Receipt {
    let written = if ran.mode == Mode::Writes { 2 } else { 0 };
    let left = u64::from(ran.gone == Some(false));
    Receipt { sent: 2, written, removed: written - left, left }
}

/// The rollback has to be in the counters, and the commit.
fn uncounted(ran: &Transactions) -> Option<Finding> {
    let Transactions { before, after, role, .. } = ran;
    if !after.counting {
        let remedy = "ALTER SYSTEM SET track_counts = on; SELECT pg_reload_conf(); \
                      without it autovacuum does not run either";
        let finding = Finding::fail("track_counts=off: nothing is counted");
        return Some(finding.fault("track_counts=off").remedy(remedy));
    }
    if !after.continues(before) {
        let finding = Finding::unknown(Cause::NoSamples, "statistics were reset meanwhile");
        return Some(finding.remedy("re-check"));
    }
    let (rollbacks, commits) = (after.rollbacks - before.rollbacks, after.commits - before.commits);
    (rollbacks < 1 || commits < 1).then(|| {
        Finding::fail(&format!("{rollbacks} of 1 rollback, {commits} of 1 commit counted"))
            .remedy(&format!("look for a setting of {role} that keeps it out of pg_stat_database"))
    })
}

/// The open one has to show, with an age that is its own.
fn unseen(ran: &Transactions) -> Option<Finding> {
    let Transactions { open, held, activities, own_session, role, .. } = ran;
    if !own_session && open.is_none() {
        return Some(
            Finding::unknown(Cause::NoSamples, "a pooler hides which session is ours")
                .remedy("point the url at the server itself"),
        );
    }
    if !activities {
        return Some(
            Finding::fail("track_activities=off hides open transactions")
                .fault("track_activities=off")
                .remedy(&format!("ALTER ROLE {role} SET track_activities = on")),
        );
    }
    let Some(open) = open else {
        return Some(
            Finding::fail("open transaction not seen by the server")
                .remedy("look into pg_stat_activity: the session of tminus-probe has to show up"),
        );
    };
    if open.state != IDLE {
        return Some(
            Finding::fail(&format!("open transaction seen as {}", open.state))
                .remedy("look for a pooler between here and the server"),
        );
    }
    (open.age < held.0 || open.age > held.1).then(|| {
        let [age, least, most] = [open.age, held.0, held.1].map(units::span);
        Finding::fail(&format!("open for {least} to {most}, seen as {age}"))
            .remedy("look at the clock source of the server's machine")
    })
}

/// What ended has to be known as what it was, and leave nothing.
fn mistaken(ran: &Transactions) -> Option<Finding> {
    let Transactions { ended, gone, .. } = ran;
    if *gone == Some(false) {
        let remedy = "look at the server's log: what a rollback leaves is a damaged server";
        return Some(Finding::fail("a temporary table outlived its rollback").remedy(remedy));
    }
    let [one, other] = ended.as_ref()?;
    (one != "aborted" || other != "committed").then(|| {
        Finding::fail(&format!("ended, known as {one} and {other}"))
            .remedy("look at the server's log: its transaction status is not to be trusted")
    })
}

/// Reading proves less than writing; why it was not written is said.
fn not_written(ran: &Transactions) -> Option<Finding> {
    let Transactions { role, database, .. } = ran;
    match ran.mode {
        Mode::Writes | Mode::NotAllowed | Mode::Standby => None,
        Mode::NoTemp => Some(
            Finding::warn("counted, but the role may not try to write")
                .remedy(&format!("GRANT TEMPORARY ON DATABASE {database} TO {role}")),
        ),
        Mode::ReadOnly => {
            Some(Finding::warn("default_transaction_read_only=on, not written").remedy(&format!(
                "ALTER ROLE {role} RESET default_transaction_read_only, or the same of the \
                     database {database}, if it is meant to be written to"
            )))
        }
    }
}

fn evidence(ran: &Transactions) -> Evidence {
    let Transactions { mode, open, held, ended, before, after, .. } = ran;
    let (begin, how) = match mode {
        Mode::Writes => (queries::BEGIN_WRITING, "temporary table, rolled back"),
        Mode::NotAllowed => (queries::BEGIN_READING, "no: set writes = true, or --allow-writes"),
        Mode::NoTemp => (queries::BEGIN_READING, "no: the role has no TEMPORARY"),
        Mode::Standby => (queries::BEGIN_READING, "no: a standby"),
        Mode::ReadOnly => (queries::BEGIN_READING, "no: read-only by default"),
    };
    let rollbacks = after.rollbacks.saturating_sub(before.rollbacks);
    let commits = after.commits.saturating_sub(before.commits);
    let state = open.as_ref().map_or("not seen", |open| open.state.as_str());
    let evidence = Evidence::default()
        .asked(&format!("{begin}; ROLLBACK; then the like with COMMIT"))
        .wanted("seen idle in transaction while open; then +1 rollback and +1 commit, or more")
        .reply(&format!("{state}; then +{rollbacks} rollbacks, +{commits} commits"))
        .fact("read from", "a second session")
        .fact("written", how);
    let evidence = time(evidence, "open, here", held.1);
    let evidence = match open {
        Some(open) => time(evidence, "open, server", open.age),
        None => evidence,
    };
    let evidence = match ended {
        Some([one, other]) => evidence.fact("known as", format!("{one}, {other}").as_str()),
        None => evidence.fact("known as", "no xid taken: nothing written"),
    };
    let evidence = count(evidence, "rollbacks, server", rollbacks.unsigned_abs());
    count(evidence, "commits, server", commits.unsigned_abs())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::database::postgres::activity::{Open, Stats};
    use std::time::Duration;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn stats(commits: i64, rollbacks: i64) -> Stats {
        Stats { commits, rollbacks, counting: true, ..Stats::default() }
    }

    fn ran() -> Transactions {
        Transactions {
            mode: Mode::Writes,
            open: Some(Open { state: IDLE.into(), age: ms(105) }),
            held: (ms(100), ms(120)),
            ended: Some(["aborted".into(), "committed".into()]),
            gone: Some(true),
            before: stats(10, 5),
            after: stats(20, 6),
            activities: true,
            own_session: true,
            role: "app".into(),
            database: "shop".into(),
        }
    }

    fn says(ran: &Transactions) -> (&'static str, String) {
        let finding = transactions(ran);
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        let explained = finding.remedy.is_some() && !finding.evidence.reply.is_empty();
        assert!(finding.outcome.word() == "pass" || explained, "{finding:?}");
        (finding.outcome.word(), finding.summary)
    }

    fn open(state: &str, age: u64) -> Open {
        Open { state: state.into(), age: ms(age) }
    }

    #[test]
    fn what_is_open_and_what_has_ended_has_to_be_known() {
        assert_eq!(says(&ran()), ("pass", "seen open, rolled back, committed".into()));
        let fails = [
            Transactions { open: None, ..ran() },
            Transactions { open: Some(open("active", 105)), ..ran() },
            Transactions { open: Some(open(IDLE, 99)), ..ran() },
            Transactions { open: Some(open(IDLE, 121)), ..ran() },
            Transactions { after: stats(20, 5), ..ran() },
            Transactions { after: stats(10, 6), ..ran() },
            Transactions { ended: Some(["committed".into(), "committed".into()]), ..ran() },
            Transactions { ended: Some(["aborted".into(), "in progress".into()]), ..ran() },
            Transactions { gone: Some(false), ..ran() },
            Transactions { activities: false, ..ran() },
            Transactions { after: Stats { counting: false, ..stats(20, 6) }, ..ran() },
        ];
        for ran in &fails {
            assert_eq!(says(ran).0, "fail");
        }
        for held in [100, 120] {
            assert_eq!(says(&Transactions { open: Some(open(IDLE, held)), ..ran() }).0, "pass");
        }
    }

    #[test]
    fn a_reset_and_a_pooler_prove_nothing() {
        let reset = Transactions { after: Stats { reset: "now".into(), ..stats(2, 1) }, ..ran() };
        assert_eq!(says(&reset), ("unknown", "statistics were reset meanwhile".into()));
        let pooled = Transactions { own_session: false, open: None, ..ran() };
        assert_eq!(says(&pooled).0, "unknown");
    }

    #[test]
    fn why_nothing_was_written_is_said() {
        let with = |mode| Transactions { mode, ended: None, gone: None, ..ran() };
        let passes = "seen open, rolled back, committed, only read";
        assert_eq!(transactions(&with(Mode::NotAllowed)).summary, passes);
        assert_eq!(transactions(&with(Mode::Standby)).summary, passes);
        let no_temp = transactions(&with(Mode::NoTemp));
        assert_eq!(no_temp.outcome.word(), "warn");
        assert_eq!(no_temp.remedy.unwrap(), "GRANT TEMPORARY ON DATABASE shop TO app");
        assert_eq!(says(&with(Mode::ReadOnly)).0, "warn");
    }

    #[test]
    fn the_receipt_says_what_was_written_and_what_is_left() {
        let clean = Receipt { sent: 2, written: 2, removed: 2, left: 0 };
        assert_eq!(transactions(&ran()).receipt, clean);
        let left = transactions(&Transactions { gone: Some(false), ..ran() }).receipt;
        assert_eq!((left.removed, left.left), (1, 1));
        let read = Transactions { mode: Mode::Standby, gone: None, ..ran() };
        assert_eq!(transactions(&read).receipt.written, 0);
    }
}
