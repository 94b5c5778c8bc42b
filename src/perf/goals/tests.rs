use super::*;
use crate::{
    domain::perf::{Generator, Kept, Operation},
    perf::{render::sample, times::Times},
    units,
};

fn times(values: impl IntoIterator<Item = (u64, u64)>) -> Times {
    let mut times = Times::default();
    values.into_iter().for_each(|(micros, count)| times.record_n(micros, count));
    times
}

fn figures(well: Times, lost: u64) -> Figures {
    let record = sample::record();
    let total = Operation { succeeded: well.len(), failed: lost, ..record.total };
    let samples = Samples { well, lost, ours: 0, blocks: Vec::new() };
    Figures {
        ended: Ended::Complete,
        measured: Duration::from_secs(10),
        total,
        operations: Vec::new(),
        errors: record.errors,
        kept: None,
        generator: Generator::default(),
        seconds: Vec::new(),
        samples,
    }
}

const fn ms(millis: u64) -> Duration {
    Duration::from_millis(millis)
}

fn p99(limit: Duration) -> Goals {
    Goals { within: [None, None, Some(limit)], ..Goals::default() }
}

fn errors(limit: f64) -> Goals {
    Goals { errors: Some(limit), ..Goals::default() }
}

fn rate(limit: f64) -> Goals {
    Goals { rate: Some(limit), ..Goals::default() }
}

fn judged(goals: &Goals, figures: &Figures) -> Judged {
    let found = goals.judge(figures);
    assert_eq!(found.len(), 1, "{found:?}");
    assert_eq!(found[0].why.is_empty(), found[0].judged != Judged::Undecided, "{found:?}");
    found[0].judged
}

/// The figures of methods for "over 94 % of 1000 are good", and for none that failed.
#[test]
fn a_share_is_shown_by_what_wilson_asks_for() {
    use Judged::{Fail, Pass, Undecided};
    let of = |failed, all| figures(times([(1000, all - failed)]), failed);
    for (failed, all, limit, expected) in [
        (45, 1000, 0.06, Pass),
        (46, 1000, 0.06, Undecided),
        (59, 1000, 0.06, Undecided),
        (74, 1000, 0.06, Undecided),
        (76, 1000, 0.06, Fail),
        (0, 61, 0.06, Pass),
        (0, 60, 0.06, Undecided),
        (0, 381, 0.01, Pass),
        (0, 380, 0.01, Undecided),
        (0, 3838, 0.001, Pass),
        (0, 3837, 0.001, Undecided),
        (10, 10, 0.5, Fail),
    ] {
        assert_eq!(judged(&errors(limit), &of(failed, all)), expected, "{failed} of {all}");
    }
    let (low, high) = wilson(45, 1000);
    assert!((low - 0.033_79).abs() < 1e-4 && (high - 0.059_71).abs() < 1e-4, "{low} {high}");
    let needs = errors(0.01).judge(&of(0, 100));
    assert_eq!(needs[0].why, "it takes about 381 requests to tell");
    assert_eq!(judged(&errors(0.01), &of(0, 0)), Undecided);
}

#[test]
fn a_quantile_passes_by_its_upper_bound_and_fails_by_its_lower_one() {
    use Judged::{Fail, Pass, Undecided};
    // 990 quick ones and ten of 100 ms: the true p99 lies anywhere between.
    let even = |slow: u64| figures(times([(1000, 1000 - slow), (100_000, slow)]), 0);
    for (slow, expected) in
        [(2, Pass), (3, Pass), (4, Undecided), (10, Undecided), (17, Undecided), (18, Fail)]
    {
        assert_eq!(judged(&p99(ms(50)), &even(slow)), expected, "{slow} slow ones");
    }
    let few = figures(times([(1000, 367)]), 0);
    let goal = &p99(ms(50)).judge(&few)[0];
    assert_eq!((goal.judged, goal.high), (Undecided, None));
    assert_eq!(goal.why, "no upper bound: it takes 368 requests");
    assert_eq!(judged(&p99(ms(50)), &figures(times([(1000, 368)]), 0)), Pass);
    assert_eq!(judged(&p99(ms(50)), &figures(times([]), 0)), Undecided);
}

#[test]
fn an_answer_that_never_came_is_later_than_any_limit() {
    let quick = |lost| figures(times([(1000, 10_000 - lost)]), lost);
    assert_eq!(judged(&p99(ms(50)), &quick(0)), Judged::Pass);
    assert_eq!(judged(&p99(ms(50)), &quick(70)), Judged::Pass);
    assert_eq!(judged(&p99(ms(50)), &quick(100)), Judged::Undecided);
    assert_eq!(judged(&p99(ms(50)), &quick(130)), Judged::Fail);
    let nothing = p99(ms(50)).judge(&quick(10_000));
    assert_eq!((nothing[0].judged, nothing[0].found, nothing[0].low), (Judged::Fail, None, None));
}

#[test]
fn what_was_not_so_all_the_time_does_not_pass() {
    let with = |blocks: Vec<Block>| {
        let mut figures = figures(times([(1000, 100_000)]), 0);
        figures.samples.blocks = blocks;
        figures
    };
    let block = |p99| Block {
        mean: ms(1),
        per_second: 10_000.0,
        within: [Some(ms(1)), Some(ms(1)), p99],
        failed: 0.0,
    };
    let blocks = |slow: usize, of: usize| {
        let slow = std::iter::repeat_n(block(Some(ms(90))), slow);
        with(slow.chain(std::iter::repeat_n(block(Some(ms(2))), of)).take(of).collect())
    };
    // Of ten blocks the ninth bounds the median from above, of six the last.
    assert_eq!(judged(&p99(ms(50)), &blocks(1, 10)), Judged::Pass);
    assert_eq!(judged(&p99(ms(50)), &blocks(2, 10)), Judged::Undecided);
    assert_eq!(judged(&p99(ms(50)), &blocks(1, 6)), Judged::Undecided);
    assert_eq!(judged(&p99(ms(50)), &blocks(1, 5)), Judged::Pass, "five bound nothing");
    assert_eq!(judged(&p99(ms(50)), &with(vec![block(None); 6])), Judged::Undecided);
}

#[test]
fn a_rate_and_a_mean_are_bounded_too() {
    use Judged::{Fail, Pass, Undecided};
    let even = figures(times([(9_000, 2500), (11_000, 2500)]), 0);
    for (limit, expected) in [(480.0, Pass), (495.0, Undecided), (505.0, Undecided), (520.0, Fail)]
    {
        assert_eq!(judged(&rate(limit), &even), expected, "{limit}/s");
    }
    let mean = |micros| Goals { mean: Some(Duration::from_micros(micros)), ..Goals::default() };
    for (limit, expected) in
        [(10_040, Pass), (10_020, Undecided), (9_980, Undecided), (9_950, Fail)]
    {
        assert_eq!(judged(&mean(limit), &even), expected, "{limit} µs");
    }
    let few = figures(times([(1000, 29)]), 0);
    assert_eq!(judged(&mean(5_000), &few), Undecided);
    let nothing = figures(times([]), 0);
    assert_eq!(judged(&mean(5_000), &nothing), Undecided);
    assert_eq!(judged(&rate(1.0), &nothing), Fail, "ten seconds without an answer");
}

#[test]
fn what_the_test_itself_makes_doubtful_is_taken_back() {
    let quick = || figures(times([(1000, 10_000)]), 0);
    let stopped = Figures { ended: Ended::Aborted, ..quick() };
    assert_eq!(judged(&p99(ms(50)), &stopped), Judged::Undecided);
    assert_eq!(judged(&errors(0.01), &stopped), Judged::Undecided);
    let mut short = quick();
    short.generator.failed = 1;
    assert_eq!(judged(&p99(ms(50)), &short), Judged::Undecided);
    let kept = |missed| Figures {
        kept: Some(Kept { planned: 10_000, missed, ..Kept::default() }),
        ..quick()
    };
    assert_eq!(judged(&p99(ms(50)), &kept(10)), Judged::Pass);
    assert_eq!(judged(&p99(ms(50)), &kept(11)), Judged::Undecided);
    let mut slow = quick();
    slow.generator.limits = vec!["a thread of clients used 93 % of a core".into()];
    assert_eq!(judged(&p99(ms(50)), &slow), Judged::Pass, "what slows us down makes it no better");
    assert_eq!(judged(&p99(Duration::from_micros(500)), &slow), Judged::Undecided);
    assert_eq!(judged(&p99(Duration::from_micros(500)), &quick()), Judged::Fail);
}

#[test]
fn a_way_from_one_state_to_another_does_not_pass() {
    let mut figures = figures(times([(1000, 100_000)]), 0);
    let block = |millis| Block {
        mean: ms(millis),
        per_second: 10_000.0,
        within: [Some(ms(millis)); 3],
        failed: 0.0,
    };
    figures.samples.blocks = vec![block(2); 10];
    assert_eq!(judged(&p99(ms(50)), &figures), Judged::Pass);
    figures.samples.blocks = (1..=10).map(block).collect();
    assert_eq!(p99(ms(50)).judge(&figures)[0].why, "no steady state");
}

#[test]
fn only_what_this_host_lacked_is_no_failure_of_the_target() {
    let mut short = figures(times([(1000, 500)]), 500);
    short.samples.ours = 500;
    assert_eq!(judged(&errors(0.01), &short), Judged::Pass, "it is the record that holds");
    short.generator.failed = 500;
    assert_eq!(judged(&errors(0.01), &short), Judged::Undecided);
}

#[test]
fn goals_are_said_in_a_line() {
    let figures = figures(times([(1000, 9_900), (40_000, 100)]), 12);
    let goals = Goals {
        mean: Some(ms(2)),
        within: [None, Some(ms(5)), Some(ms(20))],
        errors: Some(0.01),
        rate: Some(2000.0),
    };
    let lines: Vec<String> = goals.judge(&figures).iter().map(units::goal).collect();
    insta::assert_snapshot!(lines.join("\n"), @"
    pass: mean under 2.00ms; 1.39ms, surely 1.31ms to 1.46ms; of those that ended well; 12 did not
    pass: p95 under 5.00ms; 1.00ms, surely 1.00ms to 1.00ms
    undecided: p99 under 20.0ms; 40.0ms, surely 1.00ms to 40.0ms; the interval holds the limit: measure for longer
    FAIL: rate at least 2000.0/s; 1000.0/s, surely 980.6/s to 1019.8/s
    pass: errors under 1.0 %; 0.12 %, surely 0.07 % to 0.21 %
    ");
}

#[test]
fn own_goals_stand_before_the_usual_ones() {
    let usual = Goals { mean: Some(ms(100)), rate: Some(500.0), ..Goals::default() };
    let both = Goals { rate: Some(9.0), ..p99(ms(7)) }.or(usual);
    assert_eq!((both.mean, both.rate, both.within[2]), (Some(ms(100)), Some(9.0), Some(ms(7))));
    assert_eq!(both.longest(), Some(ms(100)));
    assert!(Goals::default().is_empty() && !both.is_empty());
}
