//! What earlier sessions knew, for an engine that has just begun.

use super::{
    baselines::deploy,
    link::{Link, Row, ask},
    note::{mark, severity},
    trim::ENDED,
    trouble::Trouble,
};
use crate::domain::{
    Acceptance, Baseline, CheckId, IntegrationId, Past, PastCheck, PastDeploy, PastEvent, Stood,
    Timestamp, plain,
};
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
pub(super) async fn read(link: &mut Link, now: Timestamp) -> Result<Past, Trouble> {
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

    async fn points(&mut self, link: &mut Link, span: [i64; 2]) -> Result<(), Trouble> {
        let sql = "SELECT name, at, mark, value FROM series JOIN point ON series = id
            WHERE at BETWEEN $1 AND $2 ORDER BY series, at";
        let rows = ask(sql).bind(span[0]).bind(span[1]).rows(link.at()).await?;
        rows.iter().try_for_each(|row| self.point(row))
    }

    fn point(&mut self, row: &Row) -> Result<(), Trouble> {
        let name: String = row.must(0)?;
        let at = Timestamp(row.must(1)?);
        let value: Option<f64> = row.get(3)?;
        if let Ok(id) = IntegrationId::try_from(name.clone()) {
            if self.latencies.last().is_none_or(|(last, _)| *last != id) {
                self.latencies.push((id, Vec::new()));
            }
            if let (Some((_, values)), Some(value)) = (self.latencies.last_mut(), value) {
                values.push((at, value));
            }
        } else if let Some(check) = self.check(&name) {
            check.strip.extend(row.get(2)?.and_then(mark));
            check.measures.extend(value.map(|value| (at, value)));
        }
        Ok(())
    }

    async fn standing(&mut self, link: &mut Link) -> Result<(), Trouble> {
        let sql = "SELECT name, severity, since, blocked FROM series JOIN standing ON series = id";
        for row in ask(sql).rows(link.at()).await? {
            let Some(severity) = severity(row.must(1)?) else { continue };
            let (since, blocked) = (Timestamp(row.must(2)?), row.get(3)?.map(Timestamp));
            if let Some(check) = self.check(&row.must::<String>(0)?) {
                check.stood = Some(Stood { severity, since, blocked });
            }
        }
        Ok(())
    }

    async fn events(&mut self, link: &mut Link, span: [i64; 2]) -> Result<(), Trouble> {
        let sql =
            "SELECT event.at, name, mark, text FROM event LEFT JOIN series ON series = series.id
            WHERE event.at BETWEEN $1 AND $2 ORDER BY event.at DESC, event.id DESC LIMIT $3";
        let asked = ask(sql).bind(span[0]).bind(span[1]).bind(EVENTS.1);
        for row in asked.rows(link.at()).await? {
            let check: Option<String> = row.get(1)?;
            self.events.push(PastEvent {
                at: Timestamp(row.must(0)?),
                check: check.and_then(|name| CheckId::try_from(name).ok()),
                mark: row.get(2)?.and_then(mark),
                text: row.must(3)?,
            });
        }
        self.events.reverse();
        Ok(())
    }

    /// The newest baseline that can be read.
    async fn baseline(&mut self, link: &mut Link, now: Timestamp) -> Result<(), Trouble> {
        let sql = "SELECT snapshot FROM baseline WHERE at <= $1 ORDER BY at DESC LIMIT 1";
        let text: Option<String> = ask(sql).bind(now.0).scalar(link.at()).await?;
        self.baseline = text.and_then(|text| serde_json::from_str(&text).ok());
        Ok(())
    }

    /// What each app has served last, and the last deploy of each.
    async fn deploys(&mut self, link: &mut Link, now: Timestamp) -> Result<(), Trouble> {
        if !link.has(&["served", "deploy"]).await? {
            return Ok(()); // an older file that nobody may write to
        }
        let sql = "SELECT app, version FROM served ORDER BY at DESC LIMIT $1";
        for row in ask(sql).bind(APPS).rows(link.at()).await? {
            self.served.push((row.must(0)?, row.must(1)?));
        }
        let sql = "SELECT at, app, version, was FROM deploy
            WHERE at IN (SELECT max(at) FROM deploy WHERE at <= $1 GROUP BY app)
            ORDER BY at DESC LIMIT $2";
        for row in ask(sql).bind(now.0).bind(APPS).rows(link.at()).await? {
            self.deploys.push(deploy(&row)?);
        }
        Ok(())
    }

    /// What somebody answers for, and what has just ended.
    async fn accepted(&mut self, link: &mut Link, now: Timestamp) -> Result<(), Trouble> {
        if !link.has(&["accepted"]).await? {
            return Ok(()); // an older file that nobody may write to
        }
        let sql = "SELECT name, reason, owner, until FROM accepted WHERE until > $1 LIMIT $2";
        let asked = ask(sql).bind(before(now, ENDED)).bind(ACCEPTED);
        for row in asked.rows(link.at()).await? {
            let Ok(check) = CheckId::try_from(row.must::<String>(0)?) else { continue };
            let owner: Option<String> = row.get(2)?;
            self.accepted.push(Acceptance {
                check,
                pattern: None,
                reason: plain(&row.must::<String>(1)?, SENTENCE),
                owner: owner.map(|owner| plain(&owner, SENTENCE)),
                until: Timestamp(row.must(3)?),
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
