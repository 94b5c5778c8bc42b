//! What a server says about its own health. Pure.
//!
//! Counters are judged by what they gained since the look before, in one life of
//! the server; a field that is absent is not zero, and its row says `n/a`.

mod clients;
mod clock;
mod hazards;
mod memory;
mod past;
mod persistence;
mod replication;
mod row;
mod seen;
mod shape;
mod version;
mod work;

#[cfg(test)]
pub(super) use clock::Step;
pub(super) use clock::{ClockWatch, Reading, Skew};
pub(super) use memory::room;
pub(super) use past::Past;
pub(super) use seen::{Seen, Slow, Way};

use super::info::Info;
use crate::domain::{Cause, Evidence, Finding, Grid, Mark, Quantity};
use past::{Growth, Since};
use row::{Aspect, Grade, Row, percent, share, some};
use std::cmp::Reverse;

/// What is asked of a server.
pub(super) const ASKED: &str = "INFO, SLOWLOG GET 16, CONFIG GET of 10 settings";
/// What they should tell.
const WANTED: &str = "room for data and clients, saves and replication in order, no hazard";

/// Judges one aspect; `None` where the server does not tell, or it does not apply.
type Judge = fn(&Seen, &Past) -> Option<Row>;

/// Every aspect, those whose failure is felt first in front.
const ASPECTS: &[(&Aspect, Judge)] = &[
    (&persistence::LOADING, |seen, _| persistence::loading(&seen.info)),
    (&memory::MEMORY, |seen, _| memory::memory(&seen.info)),
    (&memory::EVICTIONS, memory::evictions),
    (&clients::CLIENTS_ASPECT, |seen, _| clients::clients(&seen.info)),
    (&clients::REJECTIONS, clients::rejections),
    (&persistence::SNAPSHOTS, |seen, _| persistence::snapshots(&seen.info)),
    (&persistence::LOG, |seen, _| persistence::append_log(&seen.info)),
    (&replication::MASTER, |seen, _| replication::master_link(&seen.info)),
    (&hazards::ROLE, hazards::role),
    (&replication::REPLICAS, replication::replicas),
    (&replication::RESYNCS, replication::resyncs),
    (&clock::CLOCK, |seen, _| seen.skew.row()),
    (&work::ERRORS, work::errors),
    (&work::CPU_ASPECT, work::cpu),
    (&work::SLOW_ASPECT, work::slow),
    (&work::EXPIRY, work::expiry),
    (&work::BACKGROUND, |seen, _| work::background(seen)),
    (&shape::TREND_ASPECT, shape::time_to_full),
    (&shape::FRAGMENTATION, |seen, _| shape::fragmentation(seen)),
    (&shape::SHAPE, |seen, _| shape::buffers(seen)),
    (&shape::FORK_ASPECT, |seen, _| shape::fork(seen)),
    (&persistence::FSYNC, persistence::fsync),
    (&work::BLOCKED, work::blocked),
    (&work::KILLED, work::killed),
    (&work::HITS_ASPECT, work::hits),
    (&hazards::RESTART, hazards::restart),
    (&hazards::DATABASE, |seen, _| hazards::database(seen)),
    (&hazards::POLICY, |seen, _| hazards::policy(seen)),
    (&hazards::DURABILITY, |seen, _| hazards::durability(seen)),
    (&hazards::CONFIG, |seen, _| hazards::settings(seen)),
    (&hazards::EVENTS, |seen, _| hazards::events(seen)),
    (&hazards::EXPOSURE, |seen, _| Some(hazards::exposure(seen))),
    (&version::VERSION, |seen, _| version::version(seen)),
];

/// Judges an instance by what it tells now, and told before.
pub(super) fn judge(seen: &Seen, past: &Past) -> Finding {
    let judged = ASPECTS.iter().map(|(aspect, judge)| (*aspect, judge(seen, past)));
    let (told, silent): (Vec<_>, Vec<_>) = judged.partition(|(_, row)| row.is_some());
    let rows: Vec<Row> = told.into_iter().filter_map(|(_, row)| row).collect();
    let silent: Vec<&Aspect> = silent.into_iter().map(|(aspect, _)| aspect).collect();
    // What is known without the server's telling is no answer of its.
    let answered = rows.iter().any(|row| *row.aspect != hazards::EXPOSURE);
    let Some(worst) = rows.iter().rev().max_by_key(|row| row.grade).filter(|_| answered) else {
        let evidence = Evidence::default().asked("INFO").wanted(WANTED).reply("none of its fields");
        return Finding::unknown(Cause::NoSamples, "INFO tells nothing to judge by")
            .remedy("allow the server, or the proxy in front of it, to tell INFO")
            .evidence(evidence);
    };
    let bad = |row: &&Row| row.grade >= Grade::Warn;
    let further = rows.iter().filter(bad).count().saturating_sub(1);
    let summary = match (worst.grade, further) {
        (Grade::Fine | Grade::Open, _) => well(&seen.info, &rows),
        (Grade::Warn | Grade::Fail, 0) => worst.says.clone(),
        (Grade::Warn | Grade::Fail, _) => format!("{}; {further} more", worst.says),
    };
    let evidence = evidence(seen, past, &summary).grid(grid(&rows, &silent));
    let finding = Finding::new(worst.grade.outcome(), &summary).evidence(evidence);
    let finding = match worst.grade {
        Grade::Open | Grade::Fine => finding,
        Grade::Warn | Grade::Fail => {
            finding.remedy(&format!("{}; it shows in {}", worst.aspect.remedy, worst.aspect.see))
        }
    };
    match (memory::fill(&seen.info), seen.info.count("used_memory")) {
        (Some(fill), _) => finding.measure(Quantity::Ratio(fill)),
        (None, Some(used)) => finding.measure(Quantity::Bytes(used)),
        (None, None) => finding,
    }
}

fn well(info: &Info, rows: &[Row]) -> String {
    let memory = rows.iter().find(|row| *row.aspect == memory::MEMORY);
    let memory = memory.map(|row| format!("memory {}", row.says));
    let clients = info.count("connected_clients").map(|n| some(n, "client"));
    let told: Vec<String> = [memory, clients].into_iter().flatten().collect();
    if told.is_empty() { format!("{} aspects fine", rows.len()) } else { told.join(", ") }
}

fn evidence(seen: &Seen, past: &Past, summary: &str) -> Evidence {
    let counters = match past.since(&seen.info) {
        Since::FirstLook => "first look, not compared yet",
        Since::Restart => "server restarted, compared anew from now",
        Since::LastLook => "compared with the last look",
    };
    let evidence = Evidence::default()
        .asked(ASKED)
        .wanted(WANTED)
        .reply(summary)
        .fact("version", &*seen.info.who().unwrap_or_else(|| "unknown".into()))
        .fact("counters", counters);
    match seen.info.count("used_memory") {
        Some(used) => evidence.fact("used memory", Quantity::Bytes(used)),
        None => evidence,
    }
}

/// Every aspect, the worst first, and last those that nothing is told about.
fn grid(rows: &[Row], silent: &[&Aspect]) -> Grid {
    let mut rows: Vec<&Row> = rows.iter().collect();
    rows.sort_by_key(|row| Reverse(row.grade.max(Grade::Fine)));
    let heads = Grid::new(&["aspect", "value", "limit", "see", "why", "do"]);
    let told = rows.iter().fold(heads, |grid, row| {
        let Aspect { name, limit, why, see, remedy } = row.aspect;
        grid.row(row.grade.mark(), &[name, &row.says, limit, see, why, remedy])
    });
    silent.iter().fold(told, |grid, aspect| {
        let Aspect { name, limit, why, see, .. } = aspect;
        grid.row(Mark::Skipped, &[name, "n/a", limit, see, why])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;

    const HEALTHY: &str = "redis_version:8.2.2\nrun_id:aa\nloading:0\nused_memory:1048576\n\
        maxmemory:104857600\nmaxmemory_policy:noeviction\nevicted_keys:7\nconnected_clients:3\n\
        maxclients:10000\nrejected_connections:2\nrdb_last_bgsave_status:ok\naof_enabled:0\nrole:master\n";

    fn seen(further: &str) -> Seen {
        Seen::of(Info::parse(&format!("{HEALTHY}{further}")))
    }

    /// What is made of a look after one that saw a healthy instance.
    fn after(further: &str) -> Finding {
        let mut past = Past::default();
        past.remember(&seen(""));
        judge(&seen(further), &past)
    }

    fn said(finding: &Finding, fact: &str) -> String {
        let fact = finding.evidence.facts.iter().find(|found| found.name == fact);
        format!("{:?}", fact.unwrap().value)
    }

    fn cells(finding: &Finding, aspect: &str) -> (Mark, Vec<String>) {
        let rows = &finding.evidence.grid.as_ref().unwrap().rows;
        let row = rows.iter().find(|row| row.cells[0] == aspect).unwrap();
        (row.mark, row.cells.clone())
    }

    #[tokio::test]
    async fn a_healthy_instance_passes_and_its_first_look_says_so() {
        let finding = judge(&seen(""), &Past::default());
        assert_eq!(finding.outcome, Outcome::Pass, "{}", finding.summary);
        assert_eq!(finding.summary, "memory 1 % of 100 MiB, 3 clients");
        assert_eq!(finding.measure, Some(Quantity::Ratio(0.01)));
        assert!(said(&finding, "counters").contains("first look"));
        assert_eq!(cells(&finding, "evictions").0, Mark::Unknown, "not compared is no pass");
    }

    #[tokio::test]
    async fn counters_are_judged_by_what_they_gained() {
        assert!(said(&after(""), "counters").contains("compared with"));
        let evicting = after("evicted_keys:10");
        assert_eq!(evicting.outcome, Outcome::Fail);
        assert_eq!(evicting.summary, "3 keys evicted since the last look");
        let rejecting = after("rejected_connections:3");
        assert_eq!(rejecting.summary, "1 client rejected since the last look");
    }

    #[tokio::test]
    async fn a_restart_begins_the_comparison_anew() {
        let finding = after("run_id:bb\nevicted_keys:9");
        assert_eq!(finding.outcome, Outcome::Warn, "{}", finding.summary);
        assert!(finding.summary.starts_with("restarted"), "{}", finding.summary);
        assert!(said(&finding, "counters").contains("restarted"));
        assert_eq!(cells(&finding, "evictions").0, Mark::Unknown);
    }

    #[tokio::test]
    async fn the_worst_aspect_decides_is_shown_first_and_the_others_are_counted() {
        let finding = after("used_memory:85000000\nrdb_last_bgsave_status:err");
        assert_eq!(finding.outcome, Outcome::Fail);
        assert_eq!(finding.summary, "last save: err, writes may stop; 1 more");
        assert!(finding.remedy.unwrap().starts_with("free disk space and read the server's log"));
        let rows = &finding.evidence.grid.as_ref().unwrap().rows;
        let first: Vec<_> = rows.iter().take(3).map(|row| (row.mark, &*row.cells[0])).collect();
        assert_eq!(first[..2], [(Mark::Fail, "snapshots"), (Mark::Warn, "memory")]);
    }

    #[tokio::test]
    async fn what_is_absent_is_not_judged_and_nothing_is_no_pass() {
        let few = Seen::of(Info::parse("redis_version:8.2.2\nconnected_clients:1\nmaxclients:9"));
        let finding = judge(&few, &Past::default());
        assert_eq!((finding.outcome.clone(), &*finding.summary), (Outcome::Pass, "1 client"));
        assert_eq!(cells(&finding, "memory").1[1], "n/a");
        let nothing = judge(&Seen::of(Info::parse("rejected_connections:-1")), &Past::default());
        assert_eq!(nothing.outcome, Outcome::Unknown(Cause::NoSamples));
    }

    #[tokio::test]
    async fn every_row_tells_its_limit_why_and_how_to_see_it() {
        for (aspect, _) in ASPECTS {
            let Aspect { name, limit, why, see, remedy } = aspect;
            for text in [name, limit, why, see, remedy] {
                assert!(!text.is_empty() && text.len() <= 100, "{name}: {text}");
            }
        }
        let finding = judge(&seen(""), &Past::default());
        assert_eq!(finding.evidence.grid.unwrap().rows.len(), ASPECTS.len());
    }
}
