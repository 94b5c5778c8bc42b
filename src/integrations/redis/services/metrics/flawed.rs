//! Exports that are broken on purpose: each flaw must be noticed by its case.

use super::{
    super::{Answer, case::endings},
    CASES, InProcess, Metrics, Numbers,
};
use std::sync::{
    Arc, Mutex,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// What a broken one may get wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    LacksHelp,
    LacksTypes,
    NamesCountersPlainly,
    TellsTwice,
    EndsInTheMiddle,
    CountsNotANumber,
    IsDown,
    LacksCounters,
    CountsBackwards,
    StandsStill,
    ForgetsOperations,
    CountsDouble,
    BucketsFall,
    LacksInfinity,
    CountsApart,
    IsOfAnother,
    IsStale,
    RoundsDown,
    Invents,
    EscapesNothing,
    EscapesTwice,
    DiffersAtOnce,
}

struct Flawed {
    inner: InProcess,
    flaw: Flaw,
    exports: AtomicU64,
    first: Mutex<Option<String>>,
}

const COMMANDS: &str = "tminus_redis_commands_processed_total";

/// The value of the sample that begins with `series` replaced.
fn set(text: &str, series: &str, value: impl Fn(u64) -> u64) -> String {
    let line = |line: &str| match line.strip_prefix(series).and_then(|rest| rest.parse().ok()) {
        Some(old) => format!("{series}{}\n", value(old)),
        None => format!("{line}\n"),
    };
    text.lines().map(line).collect()
}

fn without(text: &str, words: &str) -> String {
    text.split_inclusive('\n').filter(|line| !line.contains(words)).collect()
}

impl Flawed {
    fn spoil(&self, text: &str) -> String {
        let turn = self.exports.fetch_add(1, Relaxed);
        let first = self.first.lock().unwrap().get_or_insert_with(|| text.to_owned()).clone();
        match self.flaw {
            Flaw::LacksHelp => without(text, "# HELP"),
            Flaw::LacksTypes => without(text, "# TYPE"),
            Flaw::NamesCountersPlainly => text.replace("_total", ""),
            Flaw::TellsTwice => {
                text.replace("tminus_redis_up 1\n", "tminus_redis_up 1\ntminus_redis_up 1\n")
            }
            Flaw::EndsInTheMiddle => text.trim_end().into(),
            Flaw::CountsNotANumber => {
                text.replace("{outcome=\"error\"} 0", "{outcome=\"error\"} NaN")
            }
            Flaw::IsDown => set(text, "tminus_redis_up ", |_| 0),
            Flaw::LacksCounters => {
                without(&without(text, COMMANDS), "tminus_redis_connections_rejected_total")
            }
            Flaw::CountsBackwards => set(text, &format!("{COMMANDS} "), |n| 1000 - n),
            Flaw::StandsStill => set(text, &format!("{COMMANDS} "), |_| 1),
            Flaw::ForgetsOperations => {
                set(text, "tminus_redis_operations_total{outcome=\"ok\"} ", |_| 1)
            }
            Flaw::CountsDouble => {
                set(text, "tminus_redis_operations_total{outcome=\"ok\"} ", |n| n * 2)
            }
            Flaw::BucketsFall => {
                set(text, "tminus_redis_operation_seconds_bucket{le=\"0.005\"} ", |_| 0)
            }
            Flaw::LacksInfinity => without(text, "le=\"+Inf\""),
            Flaw::CountsApart => set(text, "tminus_redis_operation_seconds_count ", |n| n + 1),
            Flaw::IsOfAnother => text.replace("run_id=\"", "run_id=\"0"),
            Flaw::IsStale => first,
            Flaw::RoundsDown => set(text, &format!("{COMMANDS} "), |n| n / 100 * 100),
            Flaw::Invents => text.replace(
                "# HELP tminus_redis_connected",
                "# HELP tminus_redis_memory_used_bytes x\n\
                 # TYPE tminus_redis_memory_used_bytes gauge\n\
                 tminus_redis_memory_used_bytes 0\n# HELP tminus_redis_connected",
            ),
            Flaw::EscapesNothing => text.replace("\\\"", "\"").replace("\\\\", "\\"),
            Flaw::EscapesTwice => text.replace('\\', "\\\\\\"),
            Flaw::DiffersAtOnce if turn % 2 == 1 => without(text, "tminus_redis_uptime_seconds"),
            Flaw::DiffersAtOnce => text.into(),
        }
    }
}

impl Metrics for Flawed {
    fn operate(&self) -> Answer<'_, ()> {
        self.inner.operate()
    }

    fn numbers(&self) -> Answer<'_, Numbers> {
        self.inner.numbers()
    }

    fn export<'a>(&'a self, instance: &'a str) -> Answer<'a, String> {
        Box::pin(async move { Ok(self.spoil(&self.inner.export(instance).await?)) })
    }

    fn elsewhere(&self) -> Answer<'_, Option<Result<String, String>>> {
        self.inner.elsewhere()
    }
}

#[tokio::test(start_paused = true)]
async fn the_stand_in_keeps_every_promise() {
    let ended = endings(CASES, Arc::new(InProcess::default())).await;
    let held = ["M2", "M3", "M4", "M5", "M6", "M7"].map(|id| (id, "held"));
    assert_eq!(ended[..held.len()], held);
    assert_eq!(ended[held.len()..], [("M8", "moot")]);
}

#[tokio::test(start_paused = true)]
async fn every_flaw_is_noticed() {
    let cases = [
        (Flaw::LacksHelp, "M2"),
        (Flaw::LacksTypes, "M2"),
        (Flaw::NamesCountersPlainly, "M2"),
        (Flaw::TellsTwice, "M2"),
        (Flaw::EndsInTheMiddle, "M2"),
        (Flaw::CountsNotANumber, "M2"),
        (Flaw::IsDown, "M2"),
        (Flaw::LacksCounters, "M2"),
        (Flaw::CountsBackwards, "M3"),
        (Flaw::StandsStill, "M3"),
        (Flaw::ForgetsOperations, "M3"),
        (Flaw::CountsDouble, "M3"),
        (Flaw::BucketsFall, "M4"),
        (Flaw::LacksInfinity, "M4"),
        (Flaw::CountsApart, "M4"),
        (Flaw::IsOfAnother, "M5"),
        (Flaw::IsStale, "M5"),
        (Flaw::RoundsDown, "M5"),
        (Flaw::Invents, "M5"),
        (Flaw::EscapesNothing, "M6"),
        (Flaw::EscapesTwice, "M6"),
        (Flaw::DiffersAtOnce, "M7"),
    ];
    for (flaw, id) in cases {
        let (inner, first) = (InProcess::default(), Mutex::default());
        let flawed = Flawed { inner, flaw, exports: AtomicU64::new(0), first };
        let ended = endings(CASES, Arc::new(flawed)).await;
        assert!(ended.contains(&(id, "broken")), "{flaw:?}: {ended:?}");
    }
}
