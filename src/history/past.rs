//! What earlier sessions knew, for an engine that has just begun.

use super::{
    note::{mark, severity},
    trim::ENDED,
    trouble::Trouble,
};
use crate::domain::{
    Acceptance, Baseline, CheckId, IntegrationId, Past, PastCheck, PastDeploy, PastEvent, Stood,
    Timestamp, plain,
};
use futures_util::TryStreamExt as _;
use sqlx::{Row as _, SqliteConnection, sqlite::SqliteRow};
use std::{collections::BTreeMap, time::Duration};

/// How far back single points are read: what a graph shows.
const POINTS: Duration = Duration::from_mins(20);
/// How far back events are read, and how many.
const EVENTS: (Duration, i64) = (Duration::from_hours(1), 100);

/// Apps whose versions are read; one host has few.
const APPS: i64 = 50;
/// Acceptances that are read: there are fewer checks.
const ACCEPTED: i64 = 500;
/// Characters kept of a reason and of a name.
const SENTENCE: usize = 300;

/// Reads what a console shows, up to `now`: what a clock that was set back has put
/// into the future stays there.
pub(super) async fn read(link: &mut SqliteConnection, now: Timestamp) -> Result<Past, Trouble> {
    let mut past = Reading::default();
    let span = [before(now, POINTS), now.0];
    past.points(link, span).await?;
    past.standing(link).await?;
    past.events(link, [before(now, EVENTS.0), now.0]).await?;
    past.deploys(link, now).await?;
    past.baseline(link, now).await?;
    past.accepted(link, now).await?;
    Ok(past.done())
}

#[derive(Default)]
struct Reading {
    checks: BTreeMap<String, PastCheck>,
    latencies: Vec<(IntegrationId, Vec<(Timestamp, f64)>)>,
    events: Vec<PastEvent>,
    served: Vec<(String, String)>,
    deploys: Vec<PastDeploy>,
    baseline: Option<Baseline>,
    accepted: Vec<Acceptance>,
}

impl Reading {
    /// The check of that name, with what is known of it so far.
    fn check(&mut self, name: &str) -> Option<&mut PastCheck> {
        let check = CheckId::try_from(name.to_owned()).ok()?;
        let blank = || PastCheck { check, stood: None, strip: Vec::new(), measures: Vec::new() };
        Some(self.checks.entry(name.to_owned()).or_insert_with(blank))
    }

    async fn points(&mut self, link: &mut SqliteConnection, span: [i64; 2]) -> Result<(), Trouble> {
        let sql = "SELECT name, at, mark, value FROM series JOIN point ON series = id
            WHERE at BETWEEN ? AND ? ORDER BY series, at";
        let mut rows = sqlx::query(sql).bind(span[0]).bind(span[1]).fetch(link);
        while let Some(row) = rows.try_next().await? {
            self.point(&row)?;
        }
        Ok(())
    }

    fn point(&mut self, row: &SqliteRow) -> Result<(), Trouble> {
        let name: &str = row.try_get(0)?;
        let at = Timestamp(row.try_get(1)?);
        let value: Option<f64> = row.try_get(3)?;
        if let Ok(id) = IntegrationId::try_from(name.to_owned()) {
            if self.latencies.last().is_none_or(|(last, _)| *last != id) {
                self.latencies.push((id, Vec::new()));
            }
            if let (Some((_, values)), Some(value)) = (self.latencies.last_mut(), value) {
                values.push((at, value));
            }
        } else if let Some(check) = self.check(name) {
            check.strip.extend(row.try_get::<Option<i64>, _>(2)?.and_then(mark));
            check.measures.extend(value.map(|value| (at, value)));
        }
        Ok(())
    }

    async fn standing(&mut self, link: &mut SqliteConnection) -> Result<(), Trouble> {
        let sql = "SELECT name, severity, since, blocked FROM series JOIN standing ON series = id";
        let mut rows = sqlx::query(sql).fetch(link);
        while let Some(row) = rows.try_next().await? {
            let Some(severity) = severity(row.try_get(1)?) else { continue };
            let (since, blocked) = (Timestamp(row.try_get(2)?), row.try_get(3)?);
            if let Some(check) = self.check(row.try_get(0)?) {
                let blocked = Option::<i64>::map(blocked, Timestamp);
                check.stood = Some(Stood { severity, since, blocked });
            }
        }
        Ok(())
    }

    async fn events(&mut self, link: &mut SqliteConnection, span: [i64; 2]) -> Result<(), Trouble> {
        let sql =
            "SELECT event.at, name, mark, text FROM event LEFT JOIN series ON series = series.id
            WHERE event.at BETWEEN ? AND ? ORDER BY event.at DESC, event.id DESC LIMIT ?";
        let query = sqlx::query(sql).bind(span[0]).bind(span[1]).bind(EVENTS.1);
        let mut rows = query.fetch(link);
        while let Some(row) = rows.try_next().await? {
            let check: Option<String> = row.try_get(1)?;
            self.events.push(PastEvent {
                at: Timestamp(row.try_get(0)?),
                check: check.and_then(|name| CheckId::try_from(name).ok()),
                mark: row.try_get::<Option<i64>, _>(2)?.and_then(mark),
                text: row.try_get(3)?,
            });
        }
        self.events.reverse();
        Ok(())
    }

    /// The newest baseline that can be read.
    async fn baseline(
        &mut self,
        link: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let sql = "SELECT snapshot FROM baseline WHERE at <= ? ORDER BY at DESC LIMIT 1";
        let text: Option<String> = sqlx::query_scalar(sql).bind(now.0).fetch_optional(link).await?;
        self.baseline = text.and_then(|text| serde_json::from_str(&text).ok());
        Ok(())
    }

    /// What each app has served last, and the last deploy of each.
    async fn deploys(
        &mut self,
        link: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let there = "SELECT count(*) FROM sqlite_schema WHERE name IN ('served', 'deploy')";
        if sqlx::query_scalar::<_, i64>(there).fetch_one(&mut *link).await? < 2 {
            return Ok(()); // an older file that nobody may write to
        }
        let sql = "SELECT app, version FROM served ORDER BY at DESC LIMIT ?";
        for row in sqlx::query(sql).bind(APPS).fetch_all(&mut *link).await? {
            self.served.push((row.try_get(0)?, row.try_get(1)?));
        }
        let sql = "SELECT max(at), app, version, was FROM deploy WHERE at <= ?
            GROUP BY app ORDER BY 1 DESC LIMIT ?";
        for row in sqlx::query(sql).bind(now.0).bind(APPS).fetch_all(link).await? {
            self.deploys.push(PastDeploy {
                at: Timestamp(row.try_get(0)?),
                app: row.try_get(1)?,
                version: row.try_get(2)?,
                was: row.try_get(3)?,
            });
        }
        Ok(())
    }

    /// What somebody answers for, and what has just ended.
    async fn accepted(
        &mut self,
        link: &mut SqliteConnection,
        now: Timestamp,
    ) -> Result<(), Trouble> {
        let there = "SELECT count(*) FROM sqlite_schema WHERE name = 'accepted'";
        if sqlx::query_scalar::<_, i64>(there).fetch_one(&mut *link).await? == 0 {
            return Ok(()); // an older file that nobody may write to
        }
        let sql = "SELECT name, reason, owner, until FROM accepted WHERE until > ? LIMIT ?";
        let query = sqlx::query(sql).bind(before(now, ENDED)).bind(ACCEPTED);
        for row in query.fetch_all(link).await? {
            let Ok(check) = CheckId::try_from(row.try_get::<String, _>(0)?) else { continue };
            let owner: Option<String> = row.try_get(2)?;
            self.accepted.push(Acceptance {
                check,
                pattern: None,
                reason: plain(&row.try_get::<String, _>(1)?, SENTENCE),
                owner: owner.map(|owner| plain(&owner, SENTENCE)),
                until: Timestamp(row.try_get(3)?),
            });
        }
        Ok(())
    }

    fn done(self) -> Past {
        Past {
            checks: self.checks.into_values().collect(),
            latencies: self.latencies,
            events: self.events,
            served: self.served,
            deploys: self.deploys,
            baseline: self.baseline,
            accepted: self.accepted,
        }
    }
}

fn before(now: Timestamp, span: Duration) -> i64 {
    now.0.saturating_sub(i64::try_from(span.as_millis()).unwrap_or(i64::MAX))
}
