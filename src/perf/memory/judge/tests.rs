use super::*;

const MIB: u64 = 1024 * 1024;
const RULES: Rules = Rules { limit: 5 * MIB, strict: false };

/// Readings of 92 MiB and what `more` adds, with a jitter that repeats.
fn readings(count: u64, more: impl Fn(u64) -> u64) -> Vec<u64> {
    (0..count).map(|at| 92 * MIB + more(at) + at * 7_919 % 97 * 1024).collect()
}

fn found(readings: &[u64]) -> Leak {
    judge(readings, RULES).found
}

#[test]
fn each_shape_is_called_what_it_is() {
    let flat = judge(&readings(500, |_| 0), RULES);
    assert_eq!((flat.found, flat.jump, flat.floors.len()), (Leak::Flat, None, BLOCKS));
    let leak = judge(&readings(500, |at| at * 12 * 1024), RULES);
    let trend = leak.trend.unwrap();
    assert_eq!(leak.found, Leak::Leaks);
    assert!((trend.per_operation / 12_288.0 - 1.0).abs() < 0.02, "{trend:?}");
    assert!((trend.at(500.0) / (98.0 * 1_048_576.0) - 1.0).abs() < 0.01, "{trend:?}");
    let filled = judge(&readings(500, |at| at.min(120) * 100 * 1024), RULES);
    assert_eq!((filled.found, filled.warm_up), (Leak::Settled, 5));
    let step = |at: u64| move |now: u64| if now >= at { 8 * MIB } else { 0 };
    let early = judge(&readings(500, step(275)), RULES);
    assert_eq!((early.found, early.jump.unwrap().after), (Leak::Settled, 275));
    assert!(early.jump.unwrap().bytes.abs_diff(8 * MIB) < 64 * 1024);
    assert_eq!(found(&readings(500, step(425))), Leak::Stepped, "it may come again");
    let slow = |at: u64| whole(20e6 * (1.0 - (-float(at) / 400.0).exp()));
    assert_eq!(found(&readings(1000, slow)), Leak::Undecided, "a cache that fills up");
    assert_eq!(found(&readings(500, |at| 60 * MIB - at * 100 * 1024)), Leak::Flat, "it falls");
}

#[test]
fn growth_that_matters_is_told_from_growth_that_does_not() {
    // A tenth of the limit in 500 operations is 1049 bytes each.
    let by = |bytes: u64| readings(1000, move |at| at * bytes);
    assert_eq!(found(&by(1_000)), Leak::Flat);
    assert_eq!(found(&by(1_200)), Leak::Leaks);
    let strict = |readings: &[u64]| judge(readings, Rules { strict: true, ..RULES }).found;
    assert_eq!(strict(&by(1_000)), Leak::Leaks);
    assert_eq!(strict(&by(0)), Leak::Flat);
}

#[test]
fn too_few_readings_say_nothing() {
    for count in [0, 1, 19] {
        let told = judge(&readings(count, |_| 0), RULES);
        assert_eq!((told.found, told.trend), (Leak::Unknown, None), "{count}");
    }
    assert_eq!(found(&readings(20, |_| 0)), Leak::Flat);
    let few = goal(&Told::default(), Leak::Unknown, None, RULES);
    assert_eq!(
        (few.judged, few.found, &*few.why),
        (Judged::Undecided, None, "there are too few readings")
    );
}

#[test]
fn a_flat_heap_does_not_excuse_its_process_and_garbage_is_no_leak() {
    assert_eq!(beside(Leak::Flat, Some(Leak::Leaks), None), Leak::Retained);
    assert_eq!(beside(Leak::Settled, Some(Leak::Undecided), Some(9)), Leak::Retained);
    assert_eq!(beside(Leak::Flat, Some(Leak::Settled), Some(0)), Leak::Flat);
    assert_eq!(beside(Leak::Flat, None, Some(0)), Leak::Flat);
    assert_eq!(beside(Leak::Leaks, Some(Leak::Leaks), Some(2)), Leak::Undecided);
    assert_eq!(beside(Leak::Leaks, Some(Leak::Leaks), Some(3)), Leak::Leaks);
    assert_eq!(beside(Leak::Leaks, None, None), Leak::Leaks);
}

#[test]
fn only_what_is_shown_passes_and_everything_else_says_why() {
    let told = judge(&readings(500, |at| at * 12 * 1024), RULES);
    let judged = |found, collections| {
        let goal = goal(&told, found, collections, RULES);
        assert_eq!(goal.why.is_empty(), goal.judged == Judged::Pass, "{goal:?}");
        (goal.judged, goal.why)
    };
    assert_eq!(judged(Leak::Flat, None).0, Judged::Pass);
    assert_eq!(judged(Leak::Settled, None).0, Judged::Pass);
    assert_eq!(judged(Leak::Leaks, None), (Judged::Fail, "without end".into()));
    for open in [Leak::Unknown, Leak::Stepped, Leak::Retained, Leak::Undecided] {
        assert_eq!(judged(open, None).0, Judged::Undecided, "{open:?}");
    }
    assert!(judged(Leak::Undecided, Some(2)).1.contains("collected 2 times"));
    let goal = goal(&told, Leak::Leaks, None, RULES);
    assert_eq!(goal.limit, Quantity::Bytes(5 * MIB));
    let (Some(Quantity::Bytes(low)), Some(Quantity::Bytes(high))) = (goal.low, goal.high) else {
        panic!("{goal:?}")
    };
    assert!(low <= 6_144_000 && 6_144_000 <= high, "{low} to {high}");
}
