//! The metrics that the console exports: names, types, labels, units.
//!
//! The exporter renders exactly these from a snapshot; the dashboards and the
//! alert rules in `assets/` are held against them. Nothing is listed that is not
//! built. Names, labels and label values are public: they change with a major
//! version only.

/// What kind of number it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Kind {
    /// Only ever grows, from 0 when the console starts.
    Counter,
    /// Goes up and down.
    Gauge,
    /// Counters, each of what was within a bound: three names behind one.
    Histogram,
}

/// One label of a metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Label {
    /// Its name.
    pub name: &'static str,
    /// Every value that it can have; none where the set is open.
    pub values: &'static [&'static str],
}

/// One metric.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Metric {
    /// Its name, the base unit in it.
    pub name: &'static str,
    /// What kind of number it is.
    pub kind: Kind,
    /// What is counted or measured.
    pub unit: &'static str,
    /// Its labels, in the order to write them.
    pub labels: &'static [Label],
    /// What it says, in one sentence.
    pub help: &'static str,
}

impl Metric {
    /// Its label `name`.
    pub fn label(&self, name: &str) -> Option<&'static Label> {
        self.labels.iter().find(|label| label.name == name)
    }
}

/// What the series of a histogram add to its name.
pub const HISTOGRAM: [&str; 3] = ["_bucket", "_sum", "_count"];
/// The label that the buckets of a histogram have besides.
pub const BOUND: &str = "le";

/// The metric of the series `name`, if this build exports it.
pub fn find(name: &str) -> Option<&'static Metric> {
    METRICS.iter().find(|metric| match metric.kind {
        Kind::Counter | Kind::Gauge => metric.name == name,
        Kind::Histogram => {
            name.strip_prefix(metric.name).is_some_and(|rest| HISTOGRAM.contains(&rest))
        }
    })
}

const INTEGRATION: Label = Label { name: "integration", values: &[] };
const CHECK: Label = Label { name: "check", values: &[] };
const PER_CHECK: &[Label] = &[INTEGRATION, CHECK];

const fn gauge(
    name: &'static str,
    unit: &'static str,
    labels: &'static [Label],
    help: &'static str,
) -> Metric {
    Metric { name, kind: Kind::Gauge, unit, labels, help }
}

/// Everything that this build exports, in the order to render it.
///
/// Latencies are percentiles of the console's own window, not a histogram: the
/// window forgets, and buckets that go down would look like restarts to `rate`.
pub const METRICS: &[Metric] = &[
    gauge(
        "tminus_build_info",
        "always 1",
        &[Label { name: "version", values: &[] }],
        "Version of the console.",
    ),
    gauge(
        "tminus_verdict",
        "0 or 1",
        &[Label { name: "word", values: &["go", "hold", "no_go"] }],
        "May this go to production: exactly one word is 1.",
    ),
    gauge("tminus_health_ratio", "0 to 1", &[], "Overall score; absent while nothing applies."),
    gauge(
        "tminus_coverage_ratio",
        "0 to 1",
        &[],
        "Freshly executed share of what applies; absent while nothing applies.",
    ),
    gauge(
        "tminus_blockers",
        "blockers",
        &[Label { name: "severity", values: &["no_go", "hold", "accepted", "checklist"] }],
        "What stands in the way: no_go counts what was left behind too, an accepted one counts as \
         accepted only, a cleared one not at all.",
    ),
    gauge(
        "tminus_integration_status",
        "0 or 1",
        &[
            INTEGRATION,
            Label { name: "state", values: &["operational", "degraded", "down", "unknown"] },
        ],
        "State of an integration: exactly one state is 1.",
    ),
    gauge(
        "tminus_integration_health_ratio",
        "0 to 1",
        &[INTEGRATION],
        "Score of an integration; absent while nothing applies.",
    ),
    gauge(
        "tminus_integration_coverage_ratio",
        "0 to 1",
        &[INTEGRATION],
        "Freshly executed share of an integration; absent while nothing applies.",
    ),
    gauge(
        "tminus_probe_duration_seconds",
        "seconds",
        &[INTEGRATION, Label { name: "percentile", values: &["50", "95", "99"] }],
        "How long the target took, over the last 240 samples; absent without samples.",
    ),
    Metric {
        name: "tminus_check_runs_total",
        kind: Kind::Counter,
        unit: "runs",
        labels: &[
            INTEGRATION,
            CHECK,
            Label { name: "result", values: &["pass", "warn", "fail", "unknown", "skipped"] },
        ],
        help: "Runs that have ended, by how.",
    },
    gauge(
        "tminus_check_last_run_timestamp_seconds",
        "seconds since 1970",
        PER_CHECK,
        "When the last run ended; absent before the first.",
    ),
    gauge(
        "tminus_check_last_run_duration_seconds",
        "seconds",
        PER_CHECK,
        "How long the last run took; absent before the first.",
    ),
    gauge(
        "tminus_check_measured_seconds",
        "seconds",
        PER_CHECK,
        "What a check measured last, where that is a time.",
    ),
    gauge(
        "tminus_check_measured_bytes",
        "bytes",
        PER_CHECK,
        "What a check measured last, where that is an amount of memory.",
    ),
    gauge(
        "tminus_check_measured_ratio",
        "0 to 1",
        PER_CHECK,
        "What a check measured last, where that is a share.",
    ),
    gauge(
        "tminus_db_pool_connections",
        "connections",
        &[INTEGRATION, Label { name: "state", values: &["idle", "used"] }],
        "Connections that the console's own pool had when its check ended; absent before the first.",
    ),
    gauge(
        "tminus_db_pool_connections_max",
        "connections",
        &[INTEGRATION],
        "Connections that the console's own pool may open.",
    ),
    gauge(
        "tminus_db_pool_waiters",
        "tasks",
        &[INTEGRATION],
        "Who waited for a connection of the console's own pool when its check ended.",
    ),
    Metric {
        name: "tminus_db_pool_wait_seconds",
        kind: Kind::Histogram,
        unit: "seconds",
        labels: &[INTEGRATION],
        help: "How long it took to get a connection out of the console's own pool.",
    },
    Metric {
        name: "tminus_db_pool_timeouts_total",
        kind: Kind::Counter,
        unit: "attempts",
        labels: &[
            INTEGRATION,
            Label {
                name: "cause",
                values: &["pool", "server_full", "starting", "network", "auth", "other"],
            },
        ],
        help: "Attempts that got no connection out of the console's own pool, by why; pool means \
               that all were in use, as the check itself brings about once a run.",
    },
];

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeSet;

    #[test]
    fn names_follow_the_conventions_of_prometheus() {
        let names: BTreeSet<_> = METRICS.iter().map(|metric| metric.name).collect();
        assert_eq!(names.len(), METRICS.len(), "a name is there twice");
        for metric in METRICS {
            let Metric { name, kind, help, .. } = metric;
            assert!(name.starts_with("tminus_"), "{name}");
            assert!(name.chars().all(|c| c.is_ascii_lowercase() || c == '_'), "{name}");
            assert_eq!(name.ends_with("_total"), *kind == Kind::Counter, "{name}");
            assert!(help.ends_with('.') && !metric.unit.is_empty(), "{name}");
            if metric.unit.starts_with("seconds") {
                assert!(name.ends_with("_seconds"), "{name} does not name its unit");
            }
        }
    }

    #[test]
    fn every_mark_has_its_result() {
        let words = crate::domain::Mark::ALL.map(crate::domain::Mark::word);
        let result = find("tminus_check_runs_total").and_then(|metric| metric.label("result"));
        assert_eq!(result.unwrap().values, words);
        assert_eq!(find("tminus_spend_usd_total"), None);
    }

    #[test]
    fn every_trouble_of_a_pool_has_its_cause() {
        let words = crate::domain::PoolTrouble::ALL.map(crate::domain::PoolTrouble::word);
        let cause = find("tminus_db_pool_timeouts_total").and_then(|metric| metric.label("cause"));
        assert_eq!(cause.unwrap().values, words);
    }

    #[test]
    fn a_histogram_is_found_by_its_series_only() {
        let name = "tminus_db_pool_wait_seconds";
        assert_eq!(find(name), None);
        for suffix in HISTOGRAM {
            assert_eq!(find(&format!("{name}{suffix}")).unwrap().kind, Kind::Histogram);
        }
        assert_eq!(find("tminus_db_pool_waiters_bucket"), None);
    }
}
