use super::{
    Memory, Postgres, STATEMENT, Session, first, judge,
    measured::{Books, Counters, Refusal, Setup, Tracking},
    queries, setup,
};
use crate::integrations::database::{
    fault::{Fault, Kind},
    tally::Tally,
};
use std::time::Duration;
use tokio::time::Instant;

/// Statements in one run.
const SENT: u64 = 20;
/// A second try where somebody else counted along, or reset the counters.
const TRIES: usize = 2;

impl Postgres {
    /// Sends the canary on the second session and reads its row on the standing one.
    pub(super) async fn track(&self) -> Result<Tracking, Fault> {
        let (mut memory, mut session) = self.second().await?;
        let setup = setup(&mut session).await?;
        let tracking = match self.refusal(&mut memory, &setup).await? {
            Some(refusal) => {
                let tally = Tally::new(self.slow);
                Tracking { sent: 0, tally, books: Books::Closed(refusal, setup) }
            }
            None => self.count(&mut memory, &mut session, setup).await?,
        };
        self.part(session).await;
        Ok(tracking)
    }

    /// Why the statistics cannot be read, by reading them.
    async fn refusal(&self, memory: &mut Memory, setup: &Setup) -> Result<Option<Refusal>, Fault> {
        if let Some((before, refusal)) = &memory.refused
            && before == setup
        {
            return Ok(Some(*refusal));
        }
        let refusal = self.asked(setup).await?;
        memory.refused = refusal.map(|refusal| (setup.clone(), refusal));
        Ok(refusal)
    }

    async fn asked(&self, setup: &Setup) -> Result<Option<Refusal>, Fault> {
        if let Err(refusal) = judge::readable(setup) {
            return Ok(Some(refusal));
        }
        let sql = match &setup.schema {
            Some(schema) => queries::counters(schema, 0),
            None => queries::UNCREATED.into(),
        };
        let Err(fault) = self.read(sql).await else { return Ok(None) };
        match (judge::refusal(&fault.code, setup), &setup.schema) {
            (Some(refusal), _) => Ok(Some(refusal)),
            (None, Some(schema)) if fault.kind == Kind::NotPermitted => Err(Fault {
                remedy: format!("GRANT USAGE ON SCHEMA {schema} TO {}", setup.role),
                ..fault
            }),
            (None, _) => Err(fault),
        }
    }

    async fn count(
        &self,
        memory: &mut Memory,
        session: &mut Session,
        setup: Setup,
    ) -> Result<Tracking, Fault> {
        // Once beforehand, so that the row and its fingerprint are there.
        session.ask(queries::CANARY, Instant::now() + STATEMENT).await?;
        let fingerprint =
            self.sight(session.identity.pid).await?.and_then(|sight| sight.fingerprint);
        let mut tries = 0;
        loop {
            tries += 1;
            let before = self.counters(&setup, fingerprint).await?;
            let mut tally = Tally::new(self.slow);
            for _ in 0..SENT {
                let (rows, took) =
                    session.timed(queries::CANARY, Instant::now() + STATEMENT).await?;
                tally.note(queries::CANARY, rows.len(), took);
            }
            let after = self.counters(&setup, fingerprint).await?;
            let disturbed = after.calls < before.calls || after.calls.abs_diff(before.calls) > SENT;
            if disturbed && tries < TRIES {
                continue;
            }
            let evicted_before = memory.evicted.replace(after.evicted);
            let books = Books::Open { before, after, evicted_before, fingerprint, setup };
            return Ok(Tracking { sent: SENT, tally, books });
        }
    }

    /// Our row. All zero where there is none.
    pub(super) async fn counters(
        &self,
        setup: &Setup,
        fingerprint: Option<i64>,
    ) -> Result<Counters, Fault> {
        let Some(schema) = &setup.schema else {
            let says = "pg_stat_statements went away meanwhile".to_owned();
            return Err(Fault::new(Kind::Statement, "pg_stat_statements", says, "re-check"));
        };
        let rows = self.read(queries::counters(schema, fingerprint.unwrap_or_default())).await?;
        let line = first(&rows, "pg_stat_statements", "")?;
        let millis: f64 = line.read("millis")?;
        Ok(Counters {
            calls: line.read("calls")?,
            rows: line.read("rows")?,
            time: Duration::try_from_secs_f64(millis / 1000.0).unwrap_or_default(),
            evicted: line.read("evicted")?,
        })
    }
}
