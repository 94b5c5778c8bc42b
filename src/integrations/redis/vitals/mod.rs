//! What `INFO` says about the health of an instance. Pure.

mod clients;
mod clock;
mod memory;
mod persistence;
mod replication;

pub(super) use clock::{ClockWatch, Reading, Skew};
pub(super) use memory::room;

use super::info::Info;
use crate::domain::{Cause, Evidence, Finding, Outcome, Quantity};

/// What `INFO` should tell.
const WANTED: &str = "room for data and clients, saves and replication in order";

/// One aspect of an instance, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Row {
    /// The aspect, in a word or two.
    name: &'static str,
    grade: Grade,
    /// What was seen, in a clause; the limit too where it does not hold.
    says: String,
    /// What to do about it.
    remedy: &'static str,
}

/// How good an aspect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Grade {
    Fine,
    Warn,
    Fail,
}

/// The counters of one look, for the next one to compare with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Sample {
    run: Option<String>,
    evicted: Option<u64>,
    rejected: Option<u64>,
    delayed: Option<u64>,
}

/// How a counter moved since the look before.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Growth {
    /// There was none, or the server has started anew since.
    Unknown,
    By(u64),
}

/// Judges an instance by what it tells now, and told `before`.
pub(super) fn judge(info: &Info, skew: &Skew, before: Option<&Sample>) -> Finding {
    let now = Sample::of(info);
    let comparable = before.filter(|before| now.continues(before));
    let rows = rows(info, skew, comparable);
    let Some(worst) = rows.iter().rev().max_by_key(|row| row.grade) else {
        let evidence = Evidence::default().asked("INFO").wanted(WANTED).reply("none of its fields");
        return Finding::unknown(Cause::NoSamples, "INFO tells nothing to judge by")
            .remedy("allow the server, or the proxy in front of it, to tell INFO")
            .evidence(evidence);
    };
    let further = rows.iter().filter(|row| row.grade != Grade::Fine).count().saturating_sub(1);
    let summary = match (worst.grade, further) {
        (Grade::Fine, _) => well(info, &rows),
        (Grade::Warn | Grade::Fail, 0) => worst.says.clone(),
        (Grade::Warn | Grade::Fail, _) => format!("{}; {further} more", worst.says),
    };
    let counters = match (before, comparable) {
        (None, _) => "first look, not compared yet",
        (Some(_), None) => "server restarted, compared anew from now",
        (Some(_), Some(_)) => "compared with the last look",
    };
    let evidence = told(info, &rows, &summary).fact("counters", counters);
    let finding = Finding::new(worst.grade.outcome(), &summary).evidence(evidence);
    let finding = if worst.grade == Grade::Fine { finding } else { finding.remedy(worst.remedy) };
    match (memory::fill(info), info.count("used_memory")) {
        (Some(fill), _) => finding.measure(Quantity::Ratio(fill)),
        (None, Some(used)) => finding.measure(Quantity::Bytes(used)),
        (None, None) => finding,
    }
}

/// Every aspect that the server tells something about.
fn rows(info: &Info, skew: &Skew, before: Option<&Sample>) -> Vec<Row> {
    let now = Sample::of(info);
    let growth = |of: fn(&Sample) -> Option<u64>| {
        let now = of(&now)?;
        let then = before.and_then(of);
        Some(then.map_or(Growth::Unknown, |then| Growth::By(now.saturating_sub(then))))
    };
    [
        persistence::loading(info),
        memory::memory(info),
        growth(|sample| sample.evicted).map(memory::evictions),
        clients::clients(info),
        growth(|sample| sample.rejected).map(clients::rejections),
        persistence::snapshots(info),
        persistence::append_log(info),
        growth(|sample| sample.delayed).and_then(persistence::fsync),
        replication::master_link(info),
        replication::replicas(info),
        skew.row(),
    ]
    .into_iter()
    .flatten()
    .collect()
}

fn well(info: &Info, rows: &[Row]) -> String {
    let memory = rows.iter().find(|row| row.name == "memory");
    let memory = memory.map(|row| format!("memory {}", row.says));
    let clients = info.count("connected_clients").map(|n| some(n, "client"));
    let told: Vec<String> = [memory, clients].into_iter().flatten().collect();
    if told.is_empty() { format!("{} aspects fine", rows.len()) } else { told.join(", ") }
}

fn told(info: &Info, rows: &[Row], summary: &str) -> Evidence {
    let evidence = Evidence::default()
        .asked("INFO")
        .wanted(WANTED)
        .reply(summary)
        .fact("version", &*info.who().unwrap_or_else(|| "unknown".into()));
    let evidence = match info.count("used_memory") {
        Some(used) => evidence.fact("used memory", Quantity::Bytes(used)),
        None => evidence,
    };
    rows.iter().fold(evidence, |evidence, row| evidence.fact(row.name, &*row.says))
}

impl Row {
    fn new(
        name: &'static str,
        grade: Grade,
        says: impl Into<String>,
        remedy: &'static str,
    ) -> Self {
        Self { name, grade, says: says.into(), remedy }
    }
}

impl Grade {
    /// Fine below `soft`, fail from `hard`.
    fn of(share: f64, (soft, hard): (f64, f64)) -> Self {
        match share {
            share if share >= hard => Self::Fail,
            share if share >= soft => Self::Warn,
            _ => Self::Fine,
        }
    }

    fn outcome(self) -> Outcome {
        match self {
            Self::Fine => Outcome::Pass,
            Self::Warn => Outcome::Warn,
            Self::Fail => Outcome::Fail,
        }
    }
}

impl Sample {
    pub(super) fn of(info: &Info) -> Self {
        Self {
            run: info.text("run_id").map(ToOwned::to_owned),
            evicted: info.count("evicted_keys"),
            rejected: info.count("rejected_connections"),
            delayed: info.count("aof_delayed_fsync"),
        }
    }

    /// Whether its counters go on where those of `before` ended.
    fn continues(&self, before: &Self) -> bool {
        self.run == before.run
            && self.evicted >= before.evicted
            && self.rejected >= before.rejected
            && self.delayed >= before.delayed
    }
}

/// `part` of `whole`, from 0.0 to 1.0 and more.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits than f64 has")]
fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// `1 key`, `2 keys`.
fn some(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A share for people, rounded down so that 100 means all of it.
fn percent(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).floor())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn judge(info: &Info, before: Option<&Sample>) -> Finding {
        super::judge(info, &Skew::default(), before)
    }

    const HEALTHY: &str = "redis_version:7.0.15\nrun_id:aa\nloading:0\nused_memory:1048576\n\
        maxmemory:104857600\nmaxmemory_policy:noeviction\nevicted_keys:7\nconnected_clients:3\n\
        maxclients:10000\nrejected_connections:2\nrdb_last_bgsave_status:ok\naof_enabled:0\nrole:master\n";

    fn info(further: &str) -> Info {
        Info::parse(&format!("{HEALTHY}{further}"))
    }

    fn said(finding: &Finding, fact: &str) -> String {
        let fact = finding.evidence.facts.iter().find(|found| found.name == fact);
        format!("{:?}", fact.unwrap().value)
    }

    #[test]
    fn a_healthy_instance_passes_and_its_first_look_says_so() {
        let finding = judge(&info(""), None);
        assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
        assert_eq!(finding.summary, "memory 1 % of 100 MiB, 3 clients");
        assert_eq!(finding.measure, Some(Quantity::Ratio(0.01)));
        assert!(said(&finding, "counters").contains("first look"));
        assert!(said(&finding, "evictions").contains("not compared"));
    }

    #[test]
    fn counters_are_judged_by_what_they_gained() {
        let before = Sample::of(&info(""));
        let same = judge(&info(""), Some(&before));
        assert_eq!(same.outcome, Outcome::Pass);
        assert!(said(&same, "counters").contains("compared with"));
        let evicting = judge(&info("evicted_keys:10"), Some(&before));
        assert_eq!(evicting.outcome, Outcome::Fail);
        assert_eq!(evicting.summary, "3 keys evicted since the last look");
        let rejecting = judge(&info("rejected_connections:3"), Some(&before));
        assert_eq!(rejecting.summary, "1 client rejected since the last look");
    }

    #[test]
    fn a_restart_begins_the_comparison_anew() {
        let before = Sample::of(&info("evicted_keys:7"));
        for restarted in ["run_id:bb\nevicted_keys:9", "evicted_keys:6"] {
            let finding = judge(&info(restarted), Some(&before));
            assert_eq!(finding.outcome, Outcome::Pass, "{restarted}");
            assert!(said(&finding, "counters").contains("restarted"), "{restarted}");
        }
    }

    #[test]
    fn the_worst_aspect_decides_and_the_others_are_counted() {
        let finding = judge(&info("used_memory:85000000\nrdb_last_bgsave_status:err"), None);
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.summary, "last save: err, writes may stop; 1 more");
        assert_eq!(finding.remedy.as_deref(), Some("free disk space and read the server's log"));
    }

    #[test]
    fn what_is_absent_is_not_judged_and_nothing_is_no_pass() {
        let finding =
            judge(&Info::parse("redis_version:7.4.0\nconnected_clients:1\nmaxclients:9"), None);
        assert_eq!((finding.outcome, &*finding.summary), (Outcome::Pass, "1 client"));
        let nothing = judge(&Info::parse("redis_version:7.4.0\nrejected_connections:-1"), None);
        assert_eq!(nothing.outcome, Outcome::Unknown(Cause::NoSamples));
    }
}
