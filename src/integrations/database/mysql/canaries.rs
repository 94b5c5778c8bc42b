use super::{
    MySql, STATEMENT, Session, first,
    measured::{Counters, Counting, Plane, Setup, Slowness, Tracking},
    queries, value,
};
use crate::integrations::database::{
    fault::{Fault, Kind},
    judge::worth_another_try,
    measured::{Pair, Sample},
    tally::Tally,
};
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Statements in one run.
const SENT: u64 = 20;
/// A second try where somebody else counted along, or emptied the table.
const TRIES: usize = 2;
/// Further tries where this host or the way was too slow to tell.
const PAIRS: usize = 3;
/// How long after the limit to look, so that the slow one is surely over it.
const MARGIN: Duration = Duration::from_millis(5);
/// Questions of which the quickest gives the round trip.
const PINGS: usize = 3;
/// For the server to count what it has answered.
const SETTLE: Duration = Duration::from_millis(250);
/// Between two looks at that.
const PAUSE: Duration = Duration::from_millis(5);
/// What the canaries are called: the alias is part of the digest.
const QUICK: &str = "tminus_quick";
const SLOW: &str = "tminus_slow";

impl MySql {
    /// Sends the canary on the second session and reads its digest on the standing one.
    pub(super) async fn track(&self) -> Result<Tracking, Fault> {
        let setup = self.setup().await?;
        let (mut memory, mut session) = self.second().await?;
        let lost_before = memory.lost.replace(setup.lost);
        let mut tries = 0;
        let tracking = loop {
            tries += 1;
            let before = self.counted(&setup, queries::CANARY_DIGEST).await?;
            let tally = self.send(&mut session).await?;
            let all = |after: &Counters| before.is_none_or(|b| after.calls >= b.calls + SENT);
            let after = self.settled(&setup, queries::CANARY_DIGEST, all).await?;
            let books = before.zip(after);
            let disturbed = books.is_some_and(|(before, after)| {
                after.calls < before.calls || after.calls - before.calls > SENT
            });
            if !disturbed || tries == TRIES {
                break Tracking { sent: SENT, tally, books, lost_before, setup };
            }
        };
        self.part(session).await;
        Ok(tracking)
    }

    async fn send(&self, session: &mut Session) -> Result<Tally, Fault> {
        let mut tally = Tally::new(self.slow);
        for _ in 0..SENT {
            let (rows, took) = session.timed(queries::CANARY, Instant::now() + STATEMENT).await?;
            tally.note(queries::CANARY, rows.len(), took);
        }
        Ok(tally)
    }

    /// What the statistics say of statements like `digest`; nothing where there are none.
    pub(super) async fn counted(
        &self,
        setup: &Setup,
        digest: &str,
    ) -> Result<Option<Counters>, Fault> {
        if setup.counting == Counting::Off {
            return Ok(None);
        }
        let sql = queries::counters(digest);
        let answer = self.statistics(&sql).await?;
        let line = first(&answer.rows, &sql)?;
        let picos: u64 = line.number("picos")?;
        Ok(Some(Counters {
            calls: line.number("calls")?,
            rows: line.number("sent")?,
            time: Duration::from_nanos(picos / 1000),
            errors: line.number("errors")?,
        }))
    }

    /// The same, once it is as `wanted`: a client has its answer before the server has counted it.
    pub(super) async fn settled(
        &self,
        setup: &Setup,
        digest: &str,
        wanted: impl Fn(&Counters) -> bool,
    ) -> Result<Option<Counters>, Fault> {
        let deadline = Instant::now() + SETTLE;
        loop {
            let counters = self.counted(setup, digest).await?;
            if counters.as_ref().is_none_or(&wanted) || Instant::now() >= deadline {
                return Ok(counters);
            }
            sleep(PAUSE).await;
        }
    }

    /// Sleeps on the second session and looks on from the standing one.
    pub(super) async fn time(&self) -> Result<Slowness, Fault> {
        let setup = self.setup().await?;
        let (_memory, mut session) = self.second().await?;
        let mut tries = 0;
        let ran = loop {
            tries += 1;
            let ran = self.pair(&mut session, &setup).await;
            let again = ran.as_ref().is_ok_and(|(pair, _)| worth_another_try(pair));
            if !again || tries == PAIRS {
                break ran;
            }
        };
        if ran.as_ref().map_or_else(Fault::keeps_session, |_| true) {
            self.part(session).await;
        }
        match ran {
            Err(fault) if fault.kind == Kind::Cancelled => {
                Ok(Slowness::Cancelled { wanted: self.slow * 3 / 2, setup })
            }
            ran => ran.map(|ran| Slowness::Ran(Box::new(ran))),
        }
    }

    /// The quick one, then the slow one, each with what the server noticed of it.
    async fn pair(&self, session: &mut Session, setup: &Setup) -> Result<(Pair, Plane), Fault> {
        let id = session.identity.id;
        let round_trip = round_trip(session).await?;
        let mut tally = Tally::new(self.slow);
        let before = self.noted(setup, None).await?;
        let logged = logged(session).await?;

        let short = self.slow / 2;
        let short_took = pause(session, short, QUICK, &mut tally).await?;
        let long = self.slow * 3 / 2;
        let look = async {
            sleep(self.slow + MARGIN).await;
            self.sight(id).await
        };
        let (long_took, seen) = tokio::join!(pause(session, long, SLOW, &mut tally), look);
        let (long_took, seen) = (long_took?, seen?);

        let logged = logged_since(session, logged).await?;
        let after = self.noted(setup, before).await?;
        let booked = before.zip(after).map(|(before, after)| {
            [0, 1].map(|at| {
                let calls = after[at].calls.saturating_sub(before[at].calls);
                (calls, after[at].time.saturating_sub(before[at].time))
            })
        });
        let sample = |wanted, took, name| Sample { wanted, took, flagged: tally.found_slow(name) };
        let pair = Pair {
            limit: self.slow,
            long: sample(long, long_took, SLOW),
            short: sample(short, short_took, QUICK),
            round_trip,
            short_there: booked.filter(|[_, (calls, _)]| *calls == 1).map(|[_, (_, took)]| took),
        };
        Ok((pair, Plane { setup: setup.clone(), seen, booked, logged }))
    }

    /// What the statistics say of the slow one and of the quick one, one more than `before`.
    async fn noted(
        &self,
        setup: &Setup,
        before: Option<[Counters; 2]>,
    ) -> Result<Option<[Counters; 2]>, Fault> {
        let more = |at: usize| {
            move |now: &Counters| before.is_none_or(|before| now.calls > before[at].calls)
        };
        let slow = self.settled(setup, &queries::pause_digest(SLOW), more(0)).await?;
        let quick = self.settled(setup, &queries::pause_digest(QUICK), more(1)).await?;
        Ok(slow.zip(quick).map(|(slow, quick)| [slow, quick]))
    }

    /// What the server shows of the session `id` while it works.
    async fn sight(&self, id: u64) -> Result<Option<String>, Fault> {
        let sql = queries::sight(id);
        let answer = self.read(&sql).await?;
        let Some(line) = answer.rows.first() else { return Ok(None) };
        let at_work = line.text("command")?.is_some_and(|command| command == "Query");
        Ok(if at_work { line.text("state")? } else { None })
    }
}

async fn pause(
    session: &mut Session,
    pause: Duration,
    name: &'static str,
    tally: &mut Tally,
) -> Result<Duration, Fault> {
    let sql = queries::pause(pause, name);
    let (rows, took) = session.timed(&sql, Instant::now() + STATEMENT + pause).await?;
    // MySQL ends a sleep without an error: it says that it was interrupted.
    if first(&rows, &sql)?.number::<u8>(name)? > 0 {
        let says = "sleep was interrupted".to_owned();
        return Err(Fault::new(Kind::Cancelled, &sql, says, "raise max_execution_time"));
    }
    tally.note(name, rows.len(), took);
    Ok(took)
}

async fn round_trip(session: &mut Session) -> Result<Duration, Fault> {
    let mut quickest = Duration::MAX;
    for _ in 0..PINGS {
        let (_, took) = session.timed(queries::PING, Instant::now() + STATEMENT).await?;
        quickest = quickest.min(took);
    }
    Ok(quickest)
}

async fn logged(session: &mut Session) -> Result<u64, Fault> {
    let rows = session.ask(queries::SLOW, Instant::now() + STATEMENT).await?;
    value(&rows, queries::SLOW)
}

async fn logged_since(session: &mut Session, before: u64) -> Result<u64, Fault> {
    Ok(logged(session).await?.saturating_sub(before))
}
