use super::{
    Postgres, STATEMENT, Session, judge,
    measured::{Counters, Plane, Setup, Sight, Slowness},
    queries, setup,
};
use crate::integrations::database::{
    fault::{Fault, Kind},
    judge as common,
    measured::{Pair, Sample},
    tally::Tally,
};
use sqlx::AssertSqlSafe;
use std::time::Duration;
use tokio::time::{Instant, sleep};

/// Further tries where this host or the way was too slow to tell.
const TRIES: usize = 3;
/// How long after the limit to look, so that the slow one is surely over it.
const MARGIN: Duration = Duration::from_millis(5);
/// Questions of which the quickest gives the round trip.
const PINGS: usize = 3;

impl Postgres {
    /// Sleeps on the second session and looks on from the standing one.
    pub(super) async fn time(&self) -> Result<Slowness, Fault> {
        let (_memory, mut session) = self.second().await?;
        let ran = self.canaries(&mut session).await;
        let timeout = session.identity.timeout;
        let role = session.identity.role.clone();
        if ran.as_ref().map_or_else(Fault::keeps_session, |_| true) {
            self.part(session).await;
        }
        match ran {
            Err(fault) if fault.kind == Kind::Cancelled && !timeout.is_zero() => {
                Ok(Slowness::Cancelled { wanted: self.slow * 3 / 2, timeout, role })
            }
            ran => ran.map(|ran| Slowness::Ran(Box::new(ran))),
        }
    }

    async fn canaries(&self, session: &mut Session) -> Result<(Pair, Plane), Fault> {
        let setup = setup(session).await?;
        let round_trip = round_trip(session).await?;
        let mut tries = 0;
        loop {
            tries += 1;
            let (pair, plane) = self.pair(session, &setup, round_trip).await?;
            let clear = judge::seen_in_time(&pair, &plane) && !common::worth_another_try(&pair);
            if tries == TRIES || clear {
                return Ok((pair, plane));
            }
        }
    }

    /// The quick one, then the slow one, each with what the server noticed of it.
    async fn pair(
        &self,
        session: &mut Session,
        setup: &Setup,
        round_trip: Duration,
    ) -> Result<(Pair, Plane), Fault> {
        const QUICK: &str = "quick pg_sleep";
        const SLOW: &str = "slow pg_sleep";
        let pid = session.identity.pid;
        let visible = judge::fingerprints(setup);
        let mut tally = Tally::new(self.slow);

        let short = self.slow / 2;
        let short_took = pause(session, short, QUICK, &mut tally).await?;
        let seen_short = if visible { self.sight(pid).await? } else { None };
        let before = self.booked(setup, seen_short.as_ref()).await;

        let long = self.slow * 3 / 2;
        let look = async {
            sleep(self.slow + MARGIN).await;
            if visible { self.sight(pid).await } else { Ok(None) }
        };
        let (long_took, seen) = tokio::join!(pause(session, long, SLOW, &mut tally), look);
        let (long_took, mut seen_long) = (long_took?, seen?);
        if visible && !seen_long.as_ref().is_some_and(|sight| sight.in_flight) {
            // Too late to see it at work; what it took is still there to read.
            seen_long = self.sight(pid).await?;
        }
        let after = self.booked(setup, seen_short.as_ref()).await;
        let booked = before.zip(after).map(|(before, after)| {
            (after.calls - before.calls, after.time.saturating_sub(before.time))
        });

        let sample = |wanted, took, name| Sample { wanted, took, flagged: tally.found_slow(name) };
        let pair = Pair {
            limit: self.slow,
            long: sample(long, long_took, SLOW),
            short: sample(short, short_took, QUICK),
            round_trip,
            short_there: seen_short.as_ref().map(|sight| sight.took),
        };
        Ok((pair, Plane { setup: setup.clone(), long: seen_long, short: seen_short, booked }))
    }

    /// The row of `pg_sleep`, where the module is there to keep one.
    async fn booked(&self, setup: &Setup, sight: Option<&Sight>) -> Option<Counters> {
        let fingerprint = sight?.fingerprint?;
        if judge::readable(setup).is_err() || setup.schema.is_none() || setup.track.is_none() {
            return None;
        }
        self.counters(setup, Some(fingerprint)).await.ok()
    }
}

async fn pause(
    session: &mut Session,
    pause: Duration,
    name: &'static str,
    tally: &mut Tally,
) -> Result<Duration, Fault> {
    let sql = AssertSqlSafe(queries::pause(pause));
    let (rows, took) = session.timed(sql, Instant::now() + STATEMENT + pause).await?;
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
