mod asked;
mod compare;

use super::{Failure, Session, Stop, print, tell, trace::Trace};
use crate::{
    cli::{Global, Perf, PerfFormat},
    domain::{
        IntegrationId, Word,
        perf::{Ended, Offer, Phase, Progress, Record},
    },
    history::Place,
    integrations::{self, Instance},
    perf::{Hindrance, Reins, Test, Untested, db, load, memory, redis, render, scale},
    probe::Safety,
    surface::gate,
    units,
};
use std::{convert::Infallible, mem, slice, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    time::{MissedTickBehavior, interval},
};

/// How often people are told how far it is.
const TELL: Duration = Duration::from_secs(1);
/// What becomes of what a test did not remove.
const LEFT: &str = "`tminus clean` removes it, and keys expire by themselves";

/// `tminus perf …`: puts load on a target and prints what that took.
pub(super) async fn run(global: &Global, perf: &Perf) -> Result<u8, Failure> {
    if let Perf::Compare(asked) = perf {
        return compare::run(global, asked).await;
    }
    let mut session = Session::open(global)?;
    let (id, test, format) = meant(&session.config.integrations, perf, global.safety())?;
    let stop = Stop::on_signals()
        .map_err(|error| Failure::unusable("signals cannot be listened for", error.to_string()))?;
    let offer = test.offer();
    let mut watched = mem::take(&mut session.integrations);
    watched.retain(|it| *it.id() == id && offer.refused.is_none());
    let trace = Trace::begin(&mut session, &watched, slice::from_ref(&offer));
    session.tell_warnings();
    if format == PerfFormat::Human && offer.refused.is_none() {
        tell(&begins(&offer));
    }
    let mut ended = tokio::select! {
        biased;
        () = stop.at_once.cancelled() => {
            // The entry stays, so that whoever cleans knows of it.
            tell(&format!("tminus: ended at once; {LEFT}"));
            return Ok(gate::interrupted(stop.signal().unwrap_or_default()));
        }
        ended = carry_out(test.as_ref(), &stop, format) => ended,
    };
    let left = left(&ended);
    if left > 0 {
        tell(&format!("tminus: {left} of what it wrote may be left; {LEFT}"));
    }
    trace.end_test(left).await;
    if let Ok(record) = &mut ended {
        record.against = compare::with_kept(&session, record).await.map(Box::new);
        session.keep_test(record).await;
    }
    conclude(&session, ended, format, &stop)
}

/// The test that the command line asks for, of which integration, and how to print it.
fn meant(
    configured: &integrations::Settings,
    perf: &Perf,
    safety: Safety,
) -> Result<(IntegrationId, Box<dyn Test>, PerfFormat), Failure> {
    Ok(match perf {
        Perf::Redis(asked) => {
            let Instance { id, settings } = chosen(&configured.redis, asked.name.as_deref())?;
            let test = redis::RedisTest::new(id.clone(), settings, safety, asked.load());
            (id.clone(), Box::new(test), asked.format)
        }
        Perf::Db(asked) => {
            let Instance { id, settings } = chosen(&configured.database, asked.name.as_deref())?;
            let test = db::DbTest::new(id.clone(), settings, safety, asked.load());
            (id.clone(), Box::new(test), asked.format)
        }
        Perf::Load(asked) => {
            let Instance { id, settings } = chosen(&configured.performance, asked.name.as_deref())?;
            let (url, load) = (asked.url.as_deref(), asked.load()?);
            let test = load::LoadTest::new(id, url, settings, safety, load);
            (id.clone(), Box::new(test), asked.format)
        }
        Perf::Scale(asked) => {
            let Instance { id, settings } = chosen(&configured.performance, asked.name.as_deref())?;
            let (url, load) = (asked.url.as_deref(), asked.load()?);
            let test = scale::ScaleTest::new(id, url, settings, safety, load);
            (id.clone(), Box::new(test), asked.format)
        }
        Perf::Memory(asked) => {
            let Instance { id, settings } = chosen(&configured.performance, asked.name.as_deref())?;
            let (url, load) = (asked.url.as_deref(), asked.load()?);
            let test = memory::MemoryTest::new(id, url, settings, safety, load);
            (id.clone(), Box::new(test), asked.format)
        }
        Perf::Compare(_) => {
            let why = "a comparison looks at results and puts no load on anything";
            return Err(Failure::unusable("there is nothing to test", why));
        }
    })
}

/// The results that are kept, for what the console finds to be compared with.
pub(super) async fn past(place: Option<Place>) -> Vec<Record> {
    compare::kept(place).await.unwrap_or_else(|why| {
        tracing::warn!(why, "results of performance tests cannot be read");
        Vec::new()
    })
}

/// The tests that the console offers: the usual load for everything configured, and for
/// the embedded database where none is.
pub(super) fn tests(session: &Session, safety: Safety) -> Vec<Arc<dyn Test>> {
    let integrations::Settings { redis, database, performance, .. } = &session.config.integrations;
    let redis = redis.iter().filter(|instance| instance.settings.url.is_some());
    let redis = redis.map(|Instance { id, settings }| -> Arc<dyn Test> {
        Arc::new(redis::RedisTest::new(id.clone(), settings, safety, redis::Asked::default()))
    });
    let database = database.iter().map(|Instance { id, settings }| -> Arc<dyn Test> {
        Arc::new(db::DbTest::new(id.clone(), settings, safety, db::Asked::default()))
    });
    let http = performance.iter().filter(|instance| instance.settings.url.is_some());
    let http = http.flat_map(|Instance { id, settings }| -> [Arc<dyn Test>; 3] {
        let load = load::LoadTest::new(id, None, settings, safety, load::Asked::default());
        let scale = scale::ScaleTest::new(id, None, settings, safety, scale::Asked::default());
        let asked = memory::Asked::default();
        let memory = memory::MemoryTest::new(id, None, settings, safety, asked);
        [Arc::new(load), Arc::new(scale), Arc::new(memory)]
    });
    redis.chain(database).chain(http).collect()
}

/// The instance that is meant: the named one, or the only one.
fn chosen<'a, S>(all: &'a [Instance<S>], name: Option<&str>) -> Result<&'a Instance<S>, Failure> {
    let named = |it: &&Instance<S>| name.is_none_or(|name| it.id.name() == Some(name));
    let mut meant = all.iter().filter(named);
    let known: Vec<&str> = all.iter().filter_map(|it| it.id.name()).collect();
    let hint = format!("choose one with --name: {}", known.join(", "));
    match (meant.next(), meant.next()) {
        (Some(one), None) => Ok(one),
        (Some(_), Some(_)) => {
            Err(Failure::unusable("several are configured", "one test has one target").hint(hint))
        }
        (None, _) => {
            let why = format!("none is called {:?}", name.unwrap_or_default());
            Err(Failure::unusable("there is nothing to test", why).hint(hint))
        }
    }
}

/// Runs a test, telling people how far it is.
async fn carry_out(test: &dyn Test, stop: &Stop, format: PerfFormat) -> Result<Record, Untested> {
    let (reins, progress) = Reins::new(stop.token.clone());
    tokio::select! {
        biased;
        ended = test.run(&reins) => ended,
        never = follow(progress, stop, format == PerfFormat::Human) => match never {},
    }
}

/// How much may be left on the target.
fn left(ended: &Result<Record, Untested>) -> u64 {
    match ended {
        Ok(record) => record.receipt.map_or(0, |receipt| receipt.left),
        Err(untested) => untested.left,
    }
}

/// Prints what a test found, and returns the exit code.
fn conclude(
    session: &Session,
    ended: Result<Record, Untested>,
    format: PerfFormat,
    stop: &Stop,
) -> Result<u8, Failure> {
    let record = match ended {
        Ok(record) => record,
        Err(untested) => return untested_code(untested, stop.signal()),
    };
    let mut result = match format {
        PerfFormat::Human => render::human(&record),
        PerfFormat::Json => render::json(&record),
        PerfFormat::Csv => render::csv(&record),
    };
    session.redactor.scrub(&mut result);
    print(&result)?;
    Ok(exit_code(&record, stop.signal()))
}

fn begins(offer: &Offer) -> String {
    let takes = units::span(offer.takes);
    let mut text = format!("tminus: {} on {}: {}, {takes}", offer.title, offer.target, offer.load);
    for does in &offer.does {
        text.push_str("\n  it ");
        text.push_str(does);
    }
    text
}

/// Tells a line a second, and that it stops; never ends.
async fn follow(progress: watch::Receiver<Progress>, stop: &Stop, to_people: bool) -> Infallible {
    let mut ticks = interval(TELL);
    ticks.set_missed_tick_behavior(MissedTickBehavior::Skip);
    let mut told = false;
    loop {
        tokio::select! {
            () = stop.token.cancelled(), if !told => {
                told = true;
                tell("tminus: it stops and removes what it wrote; ^C again ends it at once");
            }
            _ = ticks.tick() => {
                let now = progress.borrow().clone();
                if to_people && matches!(now.phase, Phase::WarmingUp | Phase::Measuring) {
                    tell(&line(&now));
                }
            }
        }
    }
}

fn line(now: &Progress) -> String {
    let phase = match now.phase {
        Phase::Preparing => "prepares",
        Phase::WarmingUp => "warms up",
        Phase::Measuring => "measures",
        Phase::Finishing => "finishes",
    };
    let of = now.of.map(|of| format!(" of {}", units::span(of))).unwrap_or_default();
    let [p50, p99] = [now.recent.p50, now.recent.p99].map(|time| match now.phase {
        Phase::Measuring => units::latency(time),
        Phase::Preparing | Phase::WarmingUp | Phase::Finishing => "-".into(),
    });
    let Progress { rate, failed, clients, .. } = now;
    let elapsed = units::span(now.elapsed);
    format!(
        "  {phase} {elapsed:>5}{of}, clients: {clients}  {rate:>9.0}/s  p50 {p50:>7}  p99 {p99:>7}  {failed} failed"
    )
}

/// A complete test without a failure is fine. Without a measurement nobody knows.
fn exit_code(record: &Record, signal: Option<u8>) -> u8 {
    match (&record.ended, record.verdict().0) {
        (Ended::Aborted, _) => gate::interrupted(signal.unwrap_or_default()),
        (_, Word::Go) => gate::GO,
        (_, Word::Hold) => gate::HOLD,
        (_, Word::NoGo) => gate::NO_GO,
    }
}

fn untested_code(untested: Untested, signal: Option<u8>) -> Result<u8, Failure> {
    let mut failure = Failure::unusable("the test cannot be run", untested.says);
    failure.hint = untested.hint;
    match untested.why {
        Hindrance::Refused => Err(failure),
        Hindrance::Target => Err(Failure { code: gate::NO_GO, ..failure }),
        Hindrance::Host => Err(Failure { code: gate::HOLD, ..failure }),
        Hindrance::Aborted => {
            tell("tminus: interrupted, so there is no result");
            Ok(gate::interrupted(signal.unwrap_or_default()))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perf::render::sample;

    fn instances(names: &[&str]) -> Vec<Instance<()>> {
        let id = |name: &&str| IntegrationId::named("redis", name).unwrap();
        names.iter().map(|name| Instance { id: id(name), settings: () }).collect()
    }

    #[test]
    fn one_test_has_one_target() {
        let two = instances(&["cache", "jobs"]);
        assert_eq!(chosen(&two, Some("jobs")).unwrap().id.name(), Some("jobs"));
        assert!(chosen(&two, None).unwrap_err().to_string().contains("--name: cache, jobs"));
        assert!(chosen(&two, Some("job")).unwrap_err().to_string().contains("none is called"));
        assert!(chosen(&instances(&["cache"]), None).is_ok());
    }

    #[test]
    fn a_test_is_fine_only_when_it_ended_and_nothing_failed_or_is_left() {
        let record = |failed, succeeded, left| {
            let mut record = sample::record();
            (record.total.failed, record.total.succeeded) = (failed, succeeded);
            if let Some(receipt) = &mut record.receipt {
                receipt.left = left;
            }
            record
        };
        assert_eq!(exit_code(&record(0, 9, 0), None), gate::GO);
        assert_eq!(exit_code(&record(1, 9, 0), None), gate::NO_GO);
        assert_eq!(exit_code(&record(0, 9, 1), None), gate::NO_GO);
        assert_eq!(exit_code(&record(0, 0, 0), None), gate::HOLD);
        let stopped = Record { ended: Ended::Stopped(String::new()), ..record(0, 9, 0) };
        assert_eq!(exit_code(&stopped, None), gate::NO_GO);
        let aborted = Record { ended: Ended::Aborted, ..record(0, 9, 0) };
        assert_eq!(exit_code(&aborted, Some(2)), 130);
    }

    #[test]
    fn what_stood_in_the_way_decides_the_code() {
        let refused = untested_code(Untested::refused("a", "b"), None).unwrap_err();
        assert_eq!((refused.code, refused.hint.as_deref()), (gate::UNUSABLE, Some("b")));
        assert_eq!(untested_code(Untested::target("x"), None).unwrap_err().code, gate::NO_GO);
        assert_eq!(untested_code(Untested::aborted(), Some(15)).unwrap(), 143);
    }
}
