//! A pool tried out, and an error made on purpose. Nobody but ourselves can look on.

use super::{Sqlite, judge, queries};
use crate::{
    domain::Finding,
    integrations::database::{
        fault::{Fault, Kind, Stage},
        pooling::{self, PATIENCE},
        tally::Tally,
    },
};

impl Sqlite {
    /// Tries out a pool on the file.
    pub(super) async fn pooled(&self) -> Result<Finding, Fault> {
        let (options, names, _) = self.options().await?;
        for patience in PATIENCE {
            match pooling::hold::<sqlx::Sqlite>(options.clone(), patience).await {
                Ok(held) => return Ok(judge::pool(&held.account().await)),
                Err(sqlx::Error::PoolTimedOut) => {}
                Err(error) => return Err(Fault::of(&error, Stage::Dial, "acquire", &names)),
            }
        }
        // A pool only says that it has timed out; a connection of its own says why.
        self.open().await?.close().await;
        let says = "our own pool gave up, though the file opens".to_owned();
        let remedy = "give this host processor time, then re-check";
        Err(Fault::new(Kind::Local, "acquire", says, remedy))
    }

    /// Asks one thing that is there and one that is not.
    pub(super) async fn mistakes(&self) -> Result<Finding, Fault> {
        let mut session = self.open().await?;
        let mut tally = Tally::new(self.slow);
        for sql in [queries::CANARY_FILE, queries::MISTAKE] {
            match session.ask(sql).await {
                Ok((rows, took)) => tally.note(sql, rows.len(), took),
                Err(fault) if fault.kind == Kind::Statement => {
                    tally.failed(&fault.code);
                }
                Err(fault) => return Err(fault),
            }
        }
        session.close().await;
        Ok(judge::errors(&tally))
    }
}
