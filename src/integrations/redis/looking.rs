//! Asks a server about itself, for [`vitals`] to judge.

use super::{
    Site,
    address::Place,
    checks::{denied, info},
    client::Client,
    reply::{count, fields, integer, text},
    server::Server,
    trouble::Trouble,
    vitals::{self, ClockWatch, Reading, Seen, Skew, Slow, Way},
};
use crate::{
    clock,
    domain::{Finding, Receipt},
    probe::is_local,
};
use jiff::{Timestamp, civil::Date, tz::TimeZone};
use redis::{Cmd, Value};
use std::{
    collections::HashMap,
    sync::{Arc, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// Entries of the slow log to look at.
const SLOWEST: usize = 16;
/// The settings that may be hazards. What a server does not know it leaves out.
const SETTINGS: [&str; 10] = [
    "save",
    "timeout",
    "tcp-keepalive",
    "stop-writes-on-bgsave-error",
    "busy-reply-threshold",
    "slowlog-log-slower-than",
    "slowlog-max-len",
    "min-replicas-to-write",
    "import-mode",
    KEY_EVENTS,
];
/// Which events of keys are announced.
pub(super) const KEY_EVENTS: &str = "notify-keyspace-events";

impl Site {
    /// Lets the clock of a server be watched: its `time` was asked for at this moment,
    /// and the answer took so long.
    pub(super) fn note_time(
        &self,
        client: &Client,
        time: Duration,
        (asked, took): (Instant, Duration),
    ) {
        let Some(place) = &client.place else { return };
        let ago = asked.elapsed().saturating_sub(took / 2);
        let wall = Duration::from_millis(u64::try_from(clock::now().0).unwrap_or(0));
        let reading = Reading {
            server: time,
            wall: wall.saturating_sub(ago),
            at: asked + took / 2,
            error: took / 2,
        };
        let mut clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        let known = clock.take().filter(|(of, _)| of == place);
        // Another server is no clock that was set.
        let new = || (place.clone(), ClockWatch::beside(is_local(&place.host())));
        let (place, mut watch) = known.unwrap_or_else(new);
        watch.observe(reading);
        *clock = Some((place, watch));
    }

    /// How the clock of the server stood to ours of late.
    pub(super) fn skew(&self, at: Instant) -> Skew {
        let clock = self.clock.lock().unwrap_or_else(PoisonError::into_inner);
        clock.as_ref().map(|(_, watch)| watch.skew(at)).unwrap_or_default()
    }
}

/// Looks at the instance and judges it by what it was like before.
pub(super) async fn look(site: &Site) -> Result<Finding, Trouble> {
    let client = site.line.look().await?;
    let who = client.greeting.who();
    let way = way(site, client.place.as_ref());
    let server = Server::alone(Arc::clone(&client));
    let began = Instant::now();
    let info = match info(&server, None).await {
        Err(trouble) if trouble.is_refusal() => {
            let finding = denied(&trouble);
            let evidence = finding.evidence.clone().fact("product", &*who);
            return Ok(finding.evidence(evidence).receipt(receipt(&server)));
        }
        answered => answered?,
    };
    let (took, at) = (began.elapsed(), Instant::now());
    if let Some(time) = info.count("server_time_usec").map(Duration::from_micros) {
        site.note_time(&client, time, (began, took));
    }
    let log = redis::cmd("SLOWLOG").arg("GET").arg(SLOWEST).take();
    let slow = if_allowed(site, &server, "SLOWLOG", &log).await?.as_ref().map(slow_log);
    let config = redis::cmd("CONFIG").arg("GET").arg(&SETTINGS).take();
    let config = if_allowed(site, &server, "CONFIG", &config).await?.as_ref().map(settings);
    let lingering = site.lingering.lock().unwrap_or_else(PoisonError::into_inner).clone();
    let seen = Seen {
        info,
        at,
        today: today(),
        skew: site.skew(at),
        duties: site.duties.clone(),
        way,
        key_events: site.key_events,
        lingering,
        config,
        slow,
        ours: site.transport.crowd.errors(),
    };
    let mut past = site.past.lock().unwrap_or_else(PoisonError::into_inner);
    let finding = vitals::judge(&seen, &past);
    past.remember(&seen);
    Ok(finding.latency(took).receipt(receipt(&server)))
}

fn receipt(server: &Server) -> Receipt {
    Receipt { sent: server.tally().sent(), ..Receipt::default() }
}

/// The answer to a question that we can do without. One that is refused is not put again.
async fn if_allowed(
    site: &Site,
    server: &Server,
    name: &'static str,
    question: &Cmd,
) -> Result<Option<Value>, Trouble> {
    if !site.past.lock().unwrap_or_else(PoisonError::into_inner).may_ask(name) {
        return Ok(None);
    }
    match server.read(question).await {
        Err(trouble) if trouble.is_refusal() => {
            // What is refused for now, as while loading, is asked again.
            if trouble.fault().is_denial() {
                site.past.lock().unwrap_or_else(PoisonError::into_inner).was_refused(name);
            }
            Ok(None)
        }
        answered => answered.map(Some),
    }
}

/// Which events of keys are announced, if we may know.
pub(super) async fn key_events(site: &Site, server: &Server) -> Result<Option<String>, Trouble> {
    let config = redis::cmd("CONFIG").arg("GET").arg(KEY_EVENTS).take();
    let told = if_allowed(site, server, "CONFIG", &config).await?;
    Ok(told.and_then(|told| settings(&told).remove(KEY_EVENTS)))
}

fn way(site: &Site, place: Option<&Place>) -> Way {
    let address = &site.transport.address;
    let place = place.unwrap_or(&address.place);
    Way {
        local: is_local(&place.host()),
        tls: place.is_encrypted(),
        login: address.password.is_some(),
        database: address.database,
    }
}

fn today() -> Date {
    let now = Timestamp::from_millisecond(clock::now().0).unwrap_or(Timestamp::UNIX_EPOCH);
    now.to_zoned(TimeZone::UTC).date()
}

fn settings(answer: &Value) -> HashMap<String, String> {
    let pairs = fields(answer).into_iter();
    pairs.filter_map(|(name, value)| Some((name, text(&value)?))).collect()
}

/// Entries of a slow log: number, time, microseconds, words, address and name of the client.
fn slow_log(answer: &Value) -> Vec<Slow> {
    let Value::Array(entries) = answer else { return Vec::new() };
    entries.iter().filter_map(slow).collect()
}

fn slow(entry: &Value) -> Option<Slow> {
    let Value::Array(parts) = entry else { return None };
    let Some(Value::Array(words)) = parts.get(3) else { return None };
    Some(Slow {
        id: integer(parts.first()?).ok()?,
        took: Duration::from_micros(count(parts.get(2)?).ok()?),
        // The rest of its words may be anybody's secret.
        command: words.first().and_then(text)?,
        client: parts.get(5).and_then(text).unwrap_or_default(),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    #[test]
    fn a_slow_command_is_told_without_its_words() {
        let words = Value::Array(vec![bulk("AUTH"), bulk("hunter2")]);
        let int = Value::Int;
        let parts = vec![int(7), int(1_795_442_852), int(1500), words, bulk("h:1"), bulk("app")];
        let old = vec![int(6), int(1), int(2), Value::Array(vec![bulk("GET")])];
        let log = Value::Array(vec![Value::Array(parts), Value::Array(old), Value::Nil]);
        let took = Duration::from_micros(1500);
        let first = Slow { id: 7, took, command: "AUTH".into(), client: "app".into() };
        assert_eq!(slow_log(&log)[0], first);
        assert_eq!(slow_log(&log).len(), 2, "before 4.0 nobody is named");
        assert!(!format!("{:?}", slow_log(&log)).contains("hunter2"));
    }

    #[test]
    fn settings_are_read_by_name() {
        let answer = Value::Array(vec![bulk("save"), bulk(""), bulk("timeout"), bulk("0")]);
        let settings = settings(&answer);
        assert_eq!(settings["save"], "");
        assert_eq!(settings["timeout"], "0");
    }
}
