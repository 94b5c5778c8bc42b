use super::{
    file::{self, Opened},
    trouble::Trouble,
};
use crate::domain::{Baseline, PastDeploy, Timestamp};
use sqlx::Row as _;
use std::path::Path;

/// The most that are read: nobody compares with more.
const MOST: i64 = 500;

/// The baselines in a history.
pub struct Baselines {
    opened: Opened,
}

impl Baselines {
    /// Opens the history at `path`, or a new one. An error is a clause.
    pub async fn open(path: &Path, now: Timestamp) -> Result<Self, String> {
        let opened = file::open(path, now).await.map_err(|trouble| trouble.to_string())?;
        Ok(Self { opened })
    }

    /// Keeps a baseline, in place of one of the same name.
    pub async fn save(&mut self, baseline: &Baseline) -> Result<(), String> {
        let text = serde_json::to_string(baseline).map_err(|error| error.to_string())?;
        let sql = "INSERT OR REPLACE INTO baseline (name, at, host, snapshot) VALUES (?, ?, ?, ?)";
        sqlx::query(sql)
            .bind(&baseline.name)
            .bind(baseline.at.0)
            .bind(&baseline.host)
            .bind(text)
            .execute(&mut self.opened.link)
            .await
            .map_err(told)?;
        Ok(())
    }

    /// Every baseline, the oldest first. One that cannot be read is left out.
    pub async fn all(&mut self) -> Result<Vec<Baseline>, String> {
        let sql = "SELECT snapshot FROM baseline ORDER BY at, name LIMIT ?";
        let rows = sqlx::query(sql).bind(MOST).fetch_all(&mut self.opened.link).await;
        let rows = rows.map_err(told)?;
        let text = |row: &sqlx::sqlite::SqliteRow| row.try_get::<String, _>(0).ok();
        let texts = rows.iter().filter_map(text);
        Ok(texts.filter_map(|text| serde_json::from_str(&text).ok()).collect())
    }

    /// Every deploy, the newest first.
    pub async fn deploys(&mut self) -> Result<Vec<PastDeploy>, String> {
        let sql = "SELECT at, app, version, was FROM deploy ORDER BY at DESC LIMIT ?";
        let rows = sqlx::query(sql).bind(MOST).fetch_all(&mut self.opened.link).await;
        let deploy = |row: &sqlx::sqlite::SqliteRow| {
            Ok(PastDeploy {
                at: Timestamp(row.try_get(0)?),
                app: row.try_get(1)?,
                version: row.try_get(2)?,
                was: row.try_get(3)?,
            })
        };
        rows.and_then(|rows| rows.iter().map(deploy).collect()).map_err(told)
    }

    /// Removes the baseline of that name; says whether there was one.
    pub async fn remove(&mut self, name: &str) -> Result<bool, String> {
        let sql = "DELETE FROM baseline WHERE name = ?";
        let gone = sqlx::query(sql).bind(name).execute(&mut self.opened.link).await;
        Ok(gone.map_err(told)?.rows_affected() > 0)
    }
}

fn told(error: sqlx::Error) -> String {
    Trouble::from(error).to_string()
}
