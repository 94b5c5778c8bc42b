use super::*;
use crate::{
    domain::{Evidence, Word, perf::Arrivals},
    perf::render::sample,
};

/// Blocks around these times, of which each differs a little from the next.
fn blocks_of(count: u32, millis: f64) -> Vec<Block> {
    let block = |n: u32| {
        let time = millis * (1.0 + 0.01 * (f64::from(n * 3 % 5) - 2.0)) / 1e3;
        let time = Duration::from_secs_f64(time);
        Block {
            mean: time,
            per_second: 500.0 + f64::from(n % 3),
            within: [Some(time), Some(time * 2), Some(time * 3)],
            failed: 0.0,
        }
    };
    (0..count).map(block).collect()
}

fn record(blocks: Vec<Block>) -> Record {
    let mut record = Record { blocks, profile: "standard".into(), ..sample::record() };
    record.generator.limits.clear();
    record.facts = Evidence::default().fact("protocol", "HTTP/1.1").facts;
    record
}

/// What makes a test another one.
type Change = fn(&mut Record);

fn verdict(before: Vec<Block>, after: Vec<Block>) -> (Word, String) {
    compare(&record(before), &record(after)).verdict()
}

#[test]
fn tests_that_are_not_alike_are_named_by_what_differs() {
    let one = record(blocks_of(10, 10.0));
    assert!(unlike(&one, &one.clone()).is_empty());
    let cases: [(&str, Change); 10] = [
        ("test: redis, then load", |it| it.test = "load".into()),
        ("target: 127.0.0.1:6379/0, then there", |it| it.target = "there".into()),
        ("profile: standard, then none", |it| it.profile.clear()),
        ("operations: GET+SET, then GET", |it| it.total.name = "GET".into()),
        ("arrivals: 1000/s, then closed loop", |it| it.load.arrivals = Arrivals::Closed),
        ("clients: 50, then 49", |it| it.load.clients = 49),
        ("threads: 1, then 2", |it| it.load.threads = 2),
        ("duration: 10s, then none", |it| it.load.duration = None),
        ("protocol: HTTP/1.1, then HTTP/2", |it| {
            it.facts = Evidence::default().fact("protocol", "HTTP/2").facts;
        }),
        ("host: none, then other", |it| it.host = "other".into()),
    ];
    for (expected, change) in cases {
        let mut other = one.clone();
        change(&mut other);
        assert_eq!(unlike(&one, &other), [expected]);
    }
}

#[test]
fn a_move_counts_where_it_is_sure_and_exceeds_the_floor() {
    let before = || blocks_of(10, 10.0);
    assert_eq!(verdict(before(), before()), (Word::Go, "nothing is worse".into()));
    assert_eq!(verdict(before(), blocks_of(10, 10.2)).0, Word::Go, "under the floor");
    let worse = (Word::NoGo, "worse: p50, p95, p99".into());
    assert_eq!(verdict(before(), blocks_of(10, 11.0)), worse);
    let better = "nothing is worse; better: p50, p95, p99";
    assert_eq!(verdict(before(), blocks_of(10, 9.0)), (Word::Go, better.into()));
    let against = compare(&record(before()), &record(blocks_of(10, 11.0)));
    let by = against.moved[0].by.unwrap();
    assert!((by.at - 0.1).abs() < 0.01 && by.low.unwrap() > 0.05 && by.high.unwrap() < 0.15);
}

#[test]
fn the_tail_alone_the_rate_and_failures_are_seen() {
    let with = |change: fn(&mut Block)| {
        let mut blocks = blocks_of(10, 10.0);
        blocks.iter_mut().for_each(change);
        verdict(blocks_of(10, 10.0), blocks)
    };
    let tail = with(|block| block.within[2] = block.within[2].map(|it| it * 2));
    assert_eq!(tail, (Word::NoGo, "worse: p99".into()));
    assert_eq!(with(|block| block.within[2] = None).1, "worse: p99", "never answered");
    assert_eq!(with(|block| block.per_second *= 0.9).1, "worse: rate");
    assert_eq!(with(|block| block.per_second *= 1.1).1, "nothing is worse; better: rate");
    assert_eq!(with(|block| block.failed = 0.01).1, "worse: errors");
    // One bad part of ten is no more than chance.
    let mut once = blocks_of(10, 10.0);
    once[4].failed = 0.5;
    assert_eq!(verdict(blocks_of(10, 10.0), once).0, Word::Go);
}

#[test]
fn what_is_a_part_of_a_result_or_about_us_is_never_a_pass() {
    let fine = || record(blocks_of(10, 10.0));
    let few = compare(&fine(), &record(blocks_of(9, 10.0)));
    assert_eq!(few.verdict().0, Word::Hold);
    assert!(few.moved.is_empty() && few.doubts[0].contains("the later one has 9 parts of the 10"));
    let says = |change: fn(&mut Record)| {
        let mut other = record(blocks_of(10, 20.0));
        change(&mut other);
        compare(&fine(), &other).verdict()
    };
    assert_eq!(says(|_| {}).0, Word::NoGo);
    for change in [
        (|it: &mut Record| it.ended = Ended::Aborted) as Change,
        |it| it.ended = Ended::Stopped("6 % failed".into()),
        |it| it.generator.limits.push("a thread of clients used 90 % of a core".into()),
        |it| it.generator.failed = 1,
        |it| {
            for (block, n) in it.blocks.iter_mut().zip(1..) {
                block.within[0] = Some(Duration::from_millis(10 + 5 * n));
            }
        },
    ] {
        assert_eq!(says(change).0, Word::Hold, "{}", says(change).1);
    }
}

#[test]
fn more_blocks_than_can_be_counted_are_put_together() {
    assert_eq!(verdict(blocks_of(300, 10.0), blocks_of(300, 10.0)).0, Word::Go);
    assert_eq!(verdict(blocks_of(300, 10.0), blocks_of(300, 12.0)).0, Word::NoGo);
    let mut bad = blocks_of(300, 10.0);
    bad.iter_mut().step_by(10).for_each(|block| block.failed = 0.1);
    assert_eq!(verdict(blocks_of(300, 10.0), bad).1, "worse: errors");
}

#[test]
fn the_end_of_a_soak_is_held_against_its_begin() {
    let load = sample::record().load;
    let says = |blocks: Vec<Block>| drift(&blocks, None, &load).verdict();
    let after = |then: f64| [blocks_of(80, 10.0), blocks_of(20, then)].concat();
    assert_eq!(says(after(10.0)).0, Word::Go);
    assert_eq!(says(after(12.0)), (Word::NoGo, "worse: p50, p95, p99".into()));
    let (short, enough) = (blocks_of(19, 10.0), blocks_of(20, 10.0));
    assert!(says(short).1.contains("19 parts of 20"));
    assert_eq!(says(enough).0, Word::Go);
    let ours = drift(&after(12.0), Some("we were slow"), &load).verdict();
    assert_eq!(ours.0, Word::Hold);
}

#[test]
fn a_test_is_told_in_stretches() {
    let mut blocks = blocks_of(25, 10.0);
    blocks[24].failed = 0.5;
    blocks[24].within = [None; 3];
    let found = stretches(&blocks, 10);
    assert_eq!(found.len(), 9);
    assert_eq!((found[0].from, found[8].from), (0, 24));
    assert_eq!((found[8].within, found[8].failed), ([None; 3], 0.5));
    assert!(found[0].within[0].unwrap().abs_diff(Duration::from_millis(10)).as_millis() < 1);
    assert!(stretches(&[], 10).is_empty());
}
