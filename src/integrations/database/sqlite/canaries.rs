//! A pool tried out, and an error made on purpose. Nobody but ourselves can look on.

use super::{Sqlite, judge, queries};
use crate::{
    domain::{Finding, PoolTrouble},
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
            match pooling::hold::<sqlx::Sqlite>(options.clone(), patience, &self.meter).await {
                Ok(held) => return Ok(judge::pool(&held.account().await)),
                Err(none) if none.why == PoolTrouble::Pool => {}
                Err(none) => return Err(Fault::of(&none.error, Stage::Dial, "acquire", &names)),
            }
        }
        Err(pooling::gave_up("file opens"))
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
