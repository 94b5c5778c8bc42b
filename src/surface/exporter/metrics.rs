use super::pools;
use crate::{
    contract::{BOUND, HISTOGRAM, Kind, METRICS, Metric},
    domain::{
        Blocker, CheckView, IntegrationView, Mark, Quantity, Snapshot, Stands, Status, Waits, Word,
    },
};
use std::{borrow::Cow, fmt::Write as _};

/// The type of the text, for the header of an answer.
pub(super) const CONTENT_TYPE: &str = "text/plain; version=0.0.4; charset=utf-8";

/// One series: the values of the metric's labels, in their order, and the number.
pub(super) type Row<'a> = (Vec<Cow<'a, str>>, f64);

/// Everything in the contract, in Prometheus' text format.
///
/// Not in `OpenMetrics`: there, a counter's family has another name than its
/// series, which `promtool check metrics` objects to.
pub fn metrics(snapshot: &Snapshot) -> String {
    let mut text = String::new();
    for metric in METRICS {
        let mut series = String::new();
        match metric.kind {
            Kind::Counter | Kind::Gauge => {
                for (values, number) in rows(metric, snapshot) {
                    line(metric.name, &labels(metric, &values), number, &mut series);
                }
            }
            Kind::Histogram => {
                for (values, waits) in histograms(metric, snapshot) {
                    buckets(metric.name, &labels(metric, &values), waits, &mut series);
                }
            }
        }
        if !series.is_empty() {
            head(metric, &mut text);
            text.push_str(&series);
        }
    }
    text
}

fn head(metric: &Metric, text: &mut String) {
    let kind = match metric.kind {
        Kind::Counter => "counter",
        Kind::Gauge => "gauge",
        Kind::Histogram => "histogram",
    };
    let (name, help) = (metric.name, metric.help.replace('\\', "\\\\").replace('\n', "\\n"));
    // Writing to a String cannot fail.
    let _infallible = writeln!(text, "# HELP {name} {help}\n# TYPE {name} {kind}");
}

fn labels(metric: &Metric, values: &[Cow<'_, str>]) -> Vec<String> {
    let labels = metric.labels.iter().zip(values);
    labels.map(|(label, value)| format!("{}=\"{}\"", label.name, escaped(value))).collect()
}

fn line(name: &str, labels: &[String], number: f64, text: &mut String) {
    if number.is_finite() {
        let labels =
            if labels.is_empty() { String::new() } else { format!("{{{}}}", labels.join(",")) };
        let _infallible = writeln!(text, "{name}{labels} {number}");
    }
}

/// A histogram's buckets, its sum and its count.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 waits")]
fn buckets(name: &str, labels: &[String], waits: &Waits, text: &mut String) {
    let [bucket, sum, count] = HISTOGRAM.map(|suffix| format!("{name}{suffix}"));
    let all = waits.count();
    let within = waits.cumulative().map(|(bound, n)| (bound.as_secs_f64().to_string(), n));
    for (bound, n) in within.chain([("+Inf".to_owned(), all)]) {
        let bounded = [labels, &[format!("{BOUND}=\"{bound}\"")]].concat();
        line(&bucket, &bounded, n as f64, text);
    }
    line(&sum, labels, waits.total().as_secs_f64(), text);
    line(&count, labels, all as f64, text);
}

fn escaped(value: &str) -> String {
    value.replace('\\', "\\\\").replace('"', "\\\"").replace('\n', "\\n")
}

/// The series of one metric. The names are the contract's; a test holds both against each other.
fn rows<'a>(metric: &Metric, snapshot: &'a Snapshot) -> Vec<Row<'a>> {
    match metric.name {
        "tminus_build_info" => vec![(vec![env!("CARGO_PKG_VERSION").into()], 1.0)],
        "tminus_verdict" => verdict(snapshot),
        "tminus_health_ratio" => overall(snapshot.score.map(|score| score.percent)),
        "tminus_coverage_ratio" => overall(snapshot.score.map(|score| score.coverage)),
        "tminus_blockers" => blockers(snapshot),
        "tminus_integration_status" => views(snapshot).flat_map(status).collect(),
        "tminus_integration_health_ratio" => views(snapshot)
            .filter_map(|view| of(view, view.score.map(|score| score.percent)))
            .collect(),
        "tminus_integration_coverage_ratio" => views(snapshot)
            .filter_map(|view| of(view, view.score.map(|score| score.coverage)))
            .collect(),
        "tminus_probe_duration_seconds" => views(snapshot).flat_map(percentiles).collect(),
        "tminus_check_runs_total" => checks(snapshot).flat_map(runs).collect(),
        "tminus_check_last_run_timestamp_seconds" => {
            each(snapshot, |check| Some(check.ended_wall?.as_secs_f64()))
        }
        "tminus_check_last_run_duration_seconds" => {
            each(snapshot, |check| check.ended.map(|_| check.took.as_secs_f64()))
        }
        "tminus_check_measured_seconds" => {
            measured(snapshot, |quantity| matches!(quantity, Quantity::Time(_)))
        }
        "tminus_check_measured_bytes" => {
            measured(snapshot, |quantity| matches!(quantity, Quantity::Bytes(_)))
        }
        "tminus_check_measured_ratio" => {
            measured(snapshot, |quantity| matches!(quantity, Quantity::Ratio(_)))
        }
        "tminus_db_pool_connections" => pools::all(snapshot).flat_map(pools::connections).collect(),
        "tminus_db_pool_connections_max" => {
            pools::all(snapshot).map(|(id, pool)| (vec![id], pool.most.into())).collect()
        }
        "tminus_db_pool_waiters" => {
            pools::all(snapshot).map(|(id, pool)| (vec![id], pool.waiters.into())).collect()
        }
        "tminus_db_pool_timeouts_total" => pools::all(snapshot).flat_map(pools::refusals).collect(),
        _ => Vec::new(),
    }
}

/// The same for a metric of buckets.
fn histograms<'a>(metric: &Metric, snapshot: &'a Snapshot) -> Vec<(Vec<Cow<'a, str>>, &'a Waits)> {
    match metric.name {
        "tminus_db_pool_wait_seconds" => {
            pools::all(snapshot).map(|(id, pool)| (vec![id], &pool.waits)).collect()
        }
        _ => Vec::new(),
    }
}

pub(super) fn views(snapshot: &Snapshot) -> impl Iterator<Item = &IntegrationView> {
    snapshot.integrations.iter().map(AsRef::as_ref)
}

fn checks(snapshot: &Snapshot) -> impl Iterator<Item = &CheckView> {
    views(snapshot).flat_map(|view| &view.checks)
}

fn verdict(snapshot: &Snapshot) -> Vec<Row<'_>> {
    let words = [("go", Word::Go), ("hold", Word::Hold), ("no_go", Word::NoGo)];
    let row = |(name, word): (&'static str, Word)| {
        (vec![name.into()], one_if(snapshot.verdict.word == word))
    };
    words.map(row).into()
}

fn one_if(holds: bool) -> f64 {
    f64::from(u8::from(holds))
}

fn overall<'a>(percent: Option<u8>) -> Vec<Row<'a>> {
    percent.map(|percent| (vec![], ratio(percent))).into_iter().collect()
}

fn ratio(percent: u8) -> f64 {
    f64::from(percent) / 100.0
}

fn of(view: &IntegrationView, percent: Option<u8>) -> Option<Row<'_>> {
    Some((vec![view.id.as_str().into()], ratio(percent?)))
}

fn blockers(snapshot: &Snapshot) -> Vec<Row<'_>> {
    let severity = |blocker: &Blocker| match (blocker.stands, &blocker.accepted) {
        (Stands::Checklist, _) => "checklist",
        (_, Some(_)) => "accepted",
        (Stands::Hold | Stands::Waiting, None) => "hold",
        (Stands::Regressed | Stands::NoGo | Stands::LeftBehind, None) => "no_go",
    };
    let standing = || snapshot.blockers.iter().filter(|blocker| blocker.cleared.is_none());
    let row = |name: &'static str| {
        let count = standing().filter(|blocker| severity(blocker) == name).count();
        (vec![name.into()], f64::from(u32::try_from(count).unwrap_or(u32::MAX)))
    };
    ["no_go", "hold", "accepted", "checklist"].map(row).into()
}

fn status(view: &IntegrationView) -> Vec<Row<'_>> {
    let states = [
        ("operational", Status::Operational),
        ("degraded", Status::Degraded),
        ("down", Status::Down),
        ("unknown", Status::Unknown),
    ];
    let row = |(name, status): (&'static str, Status)| {
        (vec![view.id.as_str().into(), name.into()], one_if(view.status == status))
    };
    states.map(row).into()
}

fn percentiles(view: &IntegrationView) -> Vec<Row<'_>> {
    let row = |(name, percent): (&'static str, usize)| {
        let labels = vec![view.id.as_str().into(), name.into()];
        Some((labels, view.latency.percentile(percent)?))
    };
    [("50", 50), ("95", 95), ("99", 99)].into_iter().filter_map(row).collect()
}

#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 runs")]
fn runs(check: &CheckView) -> Vec<Row<'_>> {
    let row = |mark: Mark| {
        let mut labels = named(check);
        labels.push(mark.word().into());
        (labels, check.tally.of(mark) as f64)
    };
    Mark::ALL.map(row).into()
}

fn each(snapshot: &Snapshot, number: impl Fn(&CheckView) -> Option<f64>) -> Vec<Row<'_>> {
    checks(snapshot).filter_map(|check| Some((named(check), number(check)?))).collect()
}

fn measured(snapshot: &Snapshot, wanted: impl Fn(Quantity) -> bool) -> Vec<Row<'_>> {
    each(snapshot, |check| check.finding.measure.filter(|it| wanted(*it)).map(Quantity::as_f64))
}

fn named(check: &CheckView) -> Vec<Cow<'_, str>> {
    vec![check.id.integration().as_str().to_owned().into(), check.id.name().into()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        contract,
        domain::{Finding, PoolFigures, PoolTrouble, Timestamp},
        surface::sample,
    };
    use std::{
        env,
        io::Write as _,
        process::{Command, Stdio},
        sync::Arc,
        time::Duration,
    };

    /// One in which every metric has something to say.
    fn full() -> Snapshot {
        let mut snapshot = sample::accepted();
        let mut view = (*snapshot.integrations[0]).clone();
        let quantities = [
            Quantity::Time(Duration::from_millis(250)),
            Quantity::Bytes(4096),
            Quantity::Ratio(0.75),
            Quantity::Count(3),
        ];
        for (check, quantity) in view.checks.iter_mut().zip(quantities) {
            check.finding = Arc::new(Finding::pass("measured").measure(quantity));
            check.ended_wall = Some(Timestamp(1_795_400_000_500));
            check.note(Mark::Pass);
        }
        let mut pool = PoolFigures { most: 2, size: 2, idle: 2, ..PoolFigures::default() };
        pool.waits.note(Duration::from_millis(3));
        pool.refuse(PoolTrouble::Pool);
        view.checks[0].finding = Arc::new((*view.checks[0].finding).clone().pool(pool));
        for millis in 1..=100 {
            view.latency.push(Duration::ZERO, f64::from(millis) / 1000.0);
        }
        snapshot.integrations[0] = Arc::new(view);
        snapshot
    }

    /// The name, the labels and the number of a line.
    fn parts(line: &str) -> (&str, Vec<(&str, &str)>, f64) {
        let (series, number) = line.rsplit_once(' ').unwrap();
        let (name, labels) = series.split_once('{').unwrap_or((series, "}"));
        let labels = labels.trim_end_matches('}').split(',').filter(|label| !label.is_empty());
        let label = |label: &'_ str| -> (usize, usize) {
            let at = label.find('=').unwrap();
            (at, label.len() - 1)
        };
        let labels = labels.map(|text| {
            let (at, end) = label(text);
            (&text[..at], &text[at + 2..end])
        });
        (name, labels.collect(), number.parse().unwrap())
    }

    #[test]
    fn exactly_the_contract_is_rendered() {
        let text = metrics(&full());
        for metric in METRICS {
            let kind = format!("{:?}", metric.kind).to_lowercase();
            assert!(text.contains(&format!("# TYPE {} {kind}\n", metric.name)), "{}", metric.name);
        }
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let (name, labels, _) = parts(line);
            let metric = contract::find(name).unwrap_or_else(|| panic!("{name} is not agreed on"));
            let bound = name.ends_with(HISTOGRAM[0]).then_some(BOUND);
            let agreed: Vec<_> = metric.labels.iter().map(|it| it.name).chain(bound).collect();
            assert_eq!(labels.iter().map(|(name, _)| *name).collect::<Vec<_>>(), agreed, "{line}");
            for ((_, value), label) in labels.iter().zip(metric.labels) {
                assert!(label.values.is_empty() || label.values.contains(value), "{line}");
            }
        }
    }

    #[test]
    fn the_numbers_are_those_of_the_snapshot() {
        let text = metrics(&full());
        for line in [
            "tminus_verdict{word=\"no_go\"} 1",
            "tminus_verdict{word=\"go\"} 0",
            "tminus_health_ratio 0.75",
            "tminus_blockers{severity=\"accepted\"} 1",
            "tminus_integration_status{integration=\"database\",state=\"down\"} 1",
            "tminus_integration_health_ratio{integration=\"database\"} 0.25",
            "tminus_probe_duration_seconds{integration=\"redis\",percentile=\"95\"} 0.095",
            "tminus_check_runs_total{integration=\"redis\",check=\"cache\",result=\"pass\"} 1",
            "tminus_check_last_run_timestamp_seconds{integration=\"redis\",check=\"connect\"} 1795400000.5",
            "tminus_check_measured_seconds{integration=\"redis\",check=\"connect\"} 0.25",
            "tminus_check_measured_bytes{integration=\"redis\",check=\"cache\"} 4096",
            "tminus_db_pool_connections{integration=\"redis\",state=\"idle\"} 2",
            "tminus_db_pool_timeouts_total{integration=\"redis\",cause=\"pool\"} 1",
            "tminus_db_pool_wait_seconds_bucket{integration=\"redis\",le=\"0.0025\"} 0",
            "tminus_db_pool_wait_seconds_bucket{integration=\"redis\",le=\"0.005\"} 1",
            "tminus_db_pool_wait_seconds_bucket{integration=\"redis\",le=\"+Inf\"} 1",
            "tminus_db_pool_wait_seconds_sum{integration=\"redis\"} 0.003",
        ] {
            assert!(text.lines().any(|other| other == line), "{line} is not in\n{text}");
        }
    }

    #[test]
    fn what_is_not_known_is_absent_and_not_zero() {
        let text = metrics(&Snapshot::default());
        for name in ["tminus_health_ratio", "tminus_probe", "tminus_check_last", "tminus_check_m"] {
            assert!(!text.contains(name), "{text}");
        }
        assert!(text.contains("tminus_verdict{word=\"hold\"} 1\n"), "{text}");
    }

    #[test]
    fn a_label_cannot_break_out_of_its_line() {
        assert_eq!(escaped("a\"} 1\nb\\"), "a\\\"} 1\\nb\\\\");
    }

    #[test]
    fn promtool_has_no_objection() {
        let mut promtool = Command::new("promtool");
        promtool.args(["check", "metrics"]).stdin(Stdio::piped());
        let Ok(mut promtool) = promtool.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn()
        else {
            assert!(
                env::var_os("CI").is_none(),
                "promtool is not installed; tests/run installs it"
            );
            return;
        };
        promtool.stdin.take().unwrap().write_all(metrics(&full()).as_bytes()).unwrap();
        let output = promtool.wait_with_output().unwrap();
        let says = [output.stdout, output.stderr].concat();
        let says = String::from_utf8_lossy(&says);
        assert!(output.status.success() && says.trim().is_empty(), "{says}");
    }
}
