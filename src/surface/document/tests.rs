use super::*;
use crate::{
    domain::{
        Class, Evidence, Finding, Grid, IntegrationView, Mark, Policy, Quantity, sample as values,
    },
    surface::sample,
};
use std::{collections::BTreeMap, time::Duration};

fn document(snapshot: &Snapshot) -> Document {
    Document::of(&Subject { snapshot, run: "0123456789ab", stored: false, tests: &[] })
}

/// An integration with one check of class major, which ended with `finding`.
fn major(id: &str, name: &str, finding: Finding) -> IntegrationView {
    let mut check = values::check(name, 1, finding);
    check.spec.class = Class::Major;
    values::integration(id, "X", vec![check])
}

fn one(id: &str, name: &str, finding: Finding) -> Document {
    document(&sample::of([major(id, name, finding)], &Policy::default()))
}

fn found(document: &Document) -> Vec<&Opportunity> {
    document.opportunities.iter().flat_map(|it| &it.found).collect()
}

#[test]
fn the_seed_reads_like_the_report_that_this_product_grew_from() {
    insta::assert_snapshot!(markdown(&document(&sample::seed())));
}

#[test]
fn every_section_is_in_every_format_and_in_this_order() {
    let seed = document(&sample::accepted());
    let sections = [
        "Executive summary",
        "Integrations",
        "Performance tests",
        "Critical issues",
        "Optimisation opportunities",
        "Deployment readiness",
        "Production blockers",
        "Pre-production checklist",
        "Next steps",
        "Immediate",
        "Short term",
        "Medium term",
        "Long term",
        "Conclusion",
        "Checks run",
    ];
    for (text, mark) in [(markdown(&seed), "# "), (html(&seed), ">")] {
        let places: Vec<usize> = sections
            .iter()
            .map(|it| text.rfind(&format!("{mark}{it}")).unwrap_or_else(|| panic!("{it}")))
            .collect();
        assert!(places.is_sorted(), "{places:?}");
        for says in ["contract starts in December", "ops", "connection refused", "NO-GO"] {
            assert!(text.contains(says), "{says}");
        }
    }
}

#[test]
fn what_a_server_said_stays_text() {
    let hostile = "a|b <script>x</script> [x](http://y) `c` \"q\" 'r' &amp; # e @all";
    let evidence =
        Evidence::default().asked(hostile).reply(hostile).fact(hostile, hostile).grid(
            Grid::new(&["aspect", "value", "do"]).row(Mark::Warn, &[hostile, hostile, hostile]),
        );
    let finding = Finding::warn(hostile).remedy(hostile).evidence(evidence);
    let mut snapshot = sample::of([major("redis", "instance", finding)], &Policy::default());
    snapshot.host = hostile.into();
    let document = document(&snapshot);
    let (page, text) = (html(&document), markdown(&document));
    assert!(!page.contains("<script") && page.contains("&lt;script&gt;"), "{page}");
    let quotes = page.split("aria-label=\"").skip(1);
    assert!(quotes.clone().all(|it| !it.split('"').next().unwrap().contains('<')), "{page}");
    for markup in ["<script", "[x](", "http://", " `c` "] {
        assert!(!text.contains(markup), "{markup}: {text}");
    }
    let bars = |line: &str| line.replace("\\|", "").matches('|').count();
    for line in text.lines().filter(|line| line.starts_with("| memory") || line.contains("a\\|b")) {
        assert!(!line.starts_with('|') || [6, 8].contains(&bars(line)), "{line}");
    }
}

#[test]
fn nothing_is_advised_without_a_figure() {
    let passes = one("redis", "instance", Finding::pass("all within their limits"));
    assert!(found(&passes).is_empty());
    assert_eq!(passes.opportunities[0].measured, 1);
    let blind = one("redis", "instance", Finding::pass("answers").on_fallback());
    assert_eq!((found(&blind).len(), blind.opportunities[0].measured), (0, 0));
    assert!(blind.opportunities[0].nothing().starts_with("Nothing was measured"));
    let seed = document(&sample::seed());
    for it in found(&seed) {
        assert!(!it.figure.is_empty() && !it.advice.is_empty(), "{it:?}");
        assert!(seed.integrations.iter().any(|view| it.source.starts_with(&view.id)), "{it:?}");
    }
}

#[test]
fn a_row_beyond_its_limit_is_an_opportunity_of_its_area() {
    let grid = Grid::new(&["aspect", "value", "limit", "why", "do"])
        .row(Mark::Pass, &["clients", "5", "80 %", "", "find who leaks"])
        .row(Mark::Warn, &["hit ratio", "61 %", "80 %", "each miss is a load", "look for keys"]);
    let finding =
        || Finding::warn("hit ratio 61 %").evidence(Evidence::default().grid(grid.clone()));
    let report = one("redis", "instance", finding());
    let all = found(&report);
    assert_eq!(all.len(), 1);
    assert_eq!((all[0].about.as_str(), all[0].figure.as_str()), ("hit ratio", "61 %"));
    assert_eq!((all[0].limit.as_deref(), all[0].advice.as_str()), (Some("80 %"), "look for keys"));
    assert_eq!(report.next_steps.long.len(), 1, "the check's own remedy is another one");
    let area = |id: &str, name: &str| {
        let report = one(id, name, finding());
        report.opportunities.into_iter().find(|it| !it.found.is_empty()).unwrap().area
    };
    assert_eq!(area("redis", "metrics"), Area::Monitoring);
    assert_eq!(area("redis", "ratelimit"), Area::RateLimiting);
    assert_eq!(area("apis", "github_quota"), Area::RateLimiting);
    assert_eq!(area("database/jobs", "server"), Area::Database);
    assert_eq!(area("performance", "response"), Area::Performance);
}

#[test]
fn a_long_tail_takes_twenty_answers_to_be_one() {
    let tail = |count: u64, slow: f64| {
        let mut view = major("database", "connect", Finding::pass("answers"));
        for n in 0..count {
            let value = if n % 10 == 0 { slow } else { 0.002 };
            view.latency.push(Duration::from_secs(n), value);
        }
        let report = document(&sample::of([view], &Policy::default()));
        found(&report).iter().map(|it| it.figure.clone()).collect::<Vec<_>>()
    };
    assert_eq!(tail(20, 0.05), ["p95 50.0ms, p50 2.00ms, of 20 answers"]);
    assert_eq!(tail(19, 0.05), [""; 0], "too few");
    assert_eq!(tail(20, 0.009), [""; 0], "quick enough");
    assert_eq!(tail(20, 0.0101), ["p95 10.1ms, p50 2.00ms, of 20 answers"]);
}

#[test]
fn the_rule_that_decides_by_numbers_is_told_where_nothing_stands_in_the_way() {
    let policy = Policy { min_score: Some(90), ..Policy::default() };
    let view = major("performance", "memory", Finding::warn("grows"));
    let report = document(&sample::of([view], &policy));
    assert_eq!(report.summary.rule, 4);
    assert!(report.critical_issues.is_empty() && !report.readiness.production);
    assert!(markdown(&report).contains("None by itself. What decides is rule 4: score 50"));
    assert_eq!(report.next_steps.immediate[0].source, "rule 4");
    let passed_before = vec![sample_id("performance.memory")];
    let policy = Policy { passed_before, ..Policy::default() };
    let view = major("performance", "memory", Finding::fail("leaks"));
    let report = document(&sample::of([view], &policy));
    assert_eq!(report.next_steps.immediate[0].source, "performance.memory");
}

fn sample_id(id: &str) -> CheckId {
    CheckId::try_from(id.to_owned()).unwrap()
}

#[test]
fn what_is_deployed_is_said_with_its_version() {
    let mut snapshot = sample::seed();
    snapshot.app = Some(crate::domain::App { name: "shop".into(), version: Some("1.3".into()) });
    let text = markdown(&document(&snapshot));
    assert!(text.contains("\nshop 1.3.\n"), "{text}");
    assert!(html(&document(&snapshot)).contains("<p class=\"dim\">shop 1.3.</p>"));
    snapshot.app = Some(crate::domain::App { name: "shop".into(), version: None });
    assert_eq!(document(&snapshot).deployed().unwrap(), "shop, of unknown version.");
    assert_eq!(document(&sample::seed()).deployed(), None);
}

#[test]
fn the_totals_add_up() {
    let Totals { checks, executed, passed, on_stand_in, warned, failed, .. } =
        document(&sample::seed()).totals;
    assert_eq!((checks, executed), (32, 26));
    assert_eq!(passed + on_stand_in + warned + failed, executed);
    let seed = document(&sample::seed()).totals;
    assert_eq!(executed + seed.unknown + seed.blocked + seed.skipped + seed.not_run, checks);
}

#[test]
fn what_is_ready_for_development_may_run_on_stand_ins() {
    let stand_in = Finding::pass("answers").on_fallback();
    let check = values::check("connect", 3, stand_in);
    let view = values::integration("redis", "Redis", vec![check]);
    let report = document(&sample::of([view], &Policy::default()));
    assert!(report.readiness.development && !report.readiness.production);
    assert_eq!(report.readiness.blockers, ["B1"]);
    assert!(report.critical_issues[0].impact.starts_with("a stand-in answers"));
    let seed = document(&sample::seed());
    assert!(!seed.readiness.development);
    assert_eq!(seed.readiness.development_lacks, ["database.connect", "apis.google"]);
}

#[test]
fn load_says_how_many_clients_are_enough_and_what_failed() {
    let report = |record: &Record| {
        let snapshot = sample::seed();
        let tests = std::slice::from_ref(record);
        Document::of(&Subject { snapshot: &snapshot, run: "", stored: true, tests })
    };
    let mut record = record();
    let all = report(&record);
    let by_load = |all: &Document| -> Vec<String> {
        let own =
            all.opportunities[1].found.iter().filter(|it| it.source.starts_with("perf database"));
        own.map(|it| it.figure.clone()).collect()
    };
    assert_eq!(
        by_load(&all),
        ["8 clients bring 95 % of the best rate, 50 were used", "3 of 103 operations failed"]
    );
    assert!(markdown(&all).contains("### perf database on 127.0.0.1:5432/app"));
    record.generator.limits.push("this host's processor is full".into());
    assert_eq!(by_load(&report(&record)), [""; 0], "figures about us advise nothing");
    assert_eq!(report(&record).performance_tests[0].doubts.len(), 1);
}

#[test]
fn what_was_wanted_of_a_test_and_has_to_be_said_of_it_is_in_every_format() {
    use crate::domain::perf::{Goal, Judged};
    let mut record = record();
    record.goals = vec![Goal {
        name: "p95".into(),
        limit: Quantity::Time(Duration::from_millis(200)),
        found: Some(Quantity::Time(Duration::from_millis(310))),
        low: Some(Quantity::Time(Duration::from_millis(290))),
        high: None,
        judged: Judged::Fail,
        why: String::new(),
    }];
    record.notes = vec!["ten requests of a user <say> little".into()];
    let snapshot = sample::seed();
    let tests = std::slice::from_ref(&record);
    let all = Document::of(&Subject { snapshot: &snapshot, run: "", stored: true, tests });
    let run = &all.performance_tests[0];
    assert_eq!((run.verdict, run.because.as_str()), (Some("NO-GO"), "missed: p95"));
    let (page, text) = (html(&all), markdown(&all));
    assert!(text.contains("| goal | FAIL: p95 under 200ms; 310ms, surely over 290ms |"), "{text}");
    assert!(text.contains("| verdict | NO-GO: missed: p95 |"));
    for says in ["FAIL: p95 under 200ms", "ten requests of a user &lt;say&gt; little"] {
        assert!(page.contains(says) && text.contains(says), "{says}");
    }
}

#[test]
fn what_is_compared_with_a_baseline_has_a_section_and_nothing_else_does() {
    let mut snapshot = sample::compared();
    let mut baseline = (**snapshot.baseline.as_ref().unwrap()).clone();
    for was in &mut baseline.checks {
        match was.check.as_str() {
            "apis.google" => was.stood = false,
            "performance.export" => (was.stood, was.summary) = (true, "1 metric | gone".into()),
            _ => {}
        }
    }
    let shifts = snapshot.shifts.clone();
    snapshot.compare(std::sync::Arc::new(baseline));
    assert!(snapshot.shifts.is_empty(), "nothing was measured there");
    let google = snapshot.blockers.iter().find(|it| it.check.as_str() == "apis.google");
    assert_eq!(google.unwrap().new, Some(true));
    snapshot.shifts = shifts;
    let all = document(&snapshot);
    let (page, text) = (html(&all), markdown(&all));
    let rows = [
        "| new | `apis.google` | Google AI key missing |",
        "| fixed | `performance.export` | 1 metric \\| gone |",
        "| worse | `performance.timing` | latency 12.0ms -&gt; 61.0ms, x5.1 |",
    ];
    for row in rows {
        assert!(text.contains(row), "{row} in {text}");
    }
    let says = "Measured since: 2 worse, 1 better, 14 within noise, 3 with too few samples.";
    assert!(text.contains(says) && page.contains(says));
    assert!(page.contains("<a href=\"#since\">") && page.contains("x5.1"));
    let without = document(&sample::seed());
    assert!(!markdown(&without).contains("Since the baseline"));
    assert!(!html(&without).contains("Since the baseline"));
}

fn record() -> Record {
    use crate::domain::perf::{Arrivals, Ended, Generator, Latency, Load, Operation, Quantile};
    let time = Duration::from_millis(2);
    let quantile = |share| Quantile { share, time, low: time, high: None, few: false };
    let latency = Latency {
        count: 100,
        mean: time,
        min: time,
        max: time,
        quantiles: [0.5, 0.95, 0.99].map(quantile).into(),
    };
    let total = Operation {
        name: "all".into(),
        succeeded: 100,
        failed: 3,
        per_second: 100.0,
        latency,
        service: None,
    };
    let knee = Evidence::default().fact("clients for 95 % of the best", Quantity::Count(8));
    Record {
        version: 1,
        test: "database".into(),
        target: "127.0.0.1:5432/app".into(),
        profile: String::new(),
        host: String::new(),
        blocks: Vec::new(),
        drift: None,
        against: None,
        began: sample::WALL,
        load: Load {
            arrivals: Arrivals::Closed,
            clients: 50,
            depth: 1,
            threads: 1,
            warm_up: Duration::ZERO,
            duration: Some(Duration::from_secs(1)),
            requests: None,
            timeout: Duration::from_secs(10),
        },
        ended: Ended::Complete,
        measured: Duration::from_secs(1),
        total,
        operations: Vec::new(),
        errors: BTreeMap::new(),
        kept: None,
        generator: Generator::default(),
        seconds: Vec::new(),
        goals: Vec::new(),
        notes: Vec::new(),
        facts: knee.facts,
        receipt: None,
        scale: None,
        memory: None,
    }
}
