use super::{
    link::{Row, ask},
    store::{Opened, Place},
    timely,
    trouble::Trouble,
    write::taken,
};
use crate::domain::{Baseline, PastDeploy, Timestamp};

/// The most that are read: nobody compares with more.
const MOST: i64 = 500;

/// The baselines in a history.
pub struct Baselines {
    opened: Opened,
}

impl Baselines {
    /// Opens the history at `place`, or a new one. An error is a clause.
    pub async fn open(place: &Place, now: Timestamp) -> Result<Self, String> {
        let opened = timely(place.open(now)).await?;
        Ok(Self { opened })
    }

    /// Keeps a baseline, in place of one of the same name.
    pub async fn save(&mut self, baseline: &Baseline) -> Result<(), String> {
        let text = serde_json::to_string(baseline).map_err(|error| error.to_string())?;
        timely(taken(baseline, &text).execute(self.opened.link.at())).await?;
        Ok(())
    }

    /// Every baseline, the oldest first. One that cannot be read is left out.
    pub async fn all(&mut self) -> Result<Vec<Baseline>, String> {
        let asked = ask("SELECT snapshot FROM baseline ORDER BY at, name LIMIT $1").bind(MOST);
        let rows = timely(asked.rows(self.opened.link.at())).await?;
        let texts = rows.iter().filter_map(|row| row.must::<String>(0).ok());
        Ok(texts.filter_map(|text| serde_json::from_str(&text).ok()).collect())
    }

    /// Every deploy, the newest first.
    pub async fn deploys(&mut self) -> Result<Vec<PastDeploy>, String> {
        let sql = "SELECT at, app, version, was FROM deploy ORDER BY at DESC LIMIT $1";
        let rows = timely(ask(sql).bind(MOST).rows(self.opened.link.at())).await?;
        rows.iter().map(deploy).collect::<Result<_, _>>().map_err(|it: Trouble| it.to_string())
    }

    /// Removes the baseline of that name; says whether there was one.
    pub async fn remove(&mut self, name: &str) -> Result<bool, String> {
        let gone = ask("DELETE FROM baseline WHERE name = $1").bind(name);
        Ok(timely(gone.execute(self.opened.link.at())).await? > 0)
    }
}

/// A deploy that was kept: when, of what, which version, and which before.
pub(super) fn deploy(row: &Row) -> Result<PastDeploy, Trouble> {
    Ok(PastDeploy {
        at: Timestamp(row.must(0)?),
        app: row.get(1)?,
        version: row.get(2)?,
        was: row.get(3)?,
    })
}
