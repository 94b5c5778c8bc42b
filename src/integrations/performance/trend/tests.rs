use super::*;
use fastrand::Rng;
use proptest::prelude::*;

/// One MiB, in which the simulated series are written.
const MIB: f64 = 1024.0 * 1024.0;
/// Series of a kind that are simulated.
const RUNS: u32 = 300;
/// The limit that they are held against, in MiB per minute.
const LIMIT: f64 = 5.0;

fn series(values: impl IntoIterator<Item = f64>) -> Series {
    let mut series = Series::default();
    for (poll, value) in (0_u32..).zip(values) {
        series.push(Duration::from_secs(5) * poll, value);
    }
    series
}

#[test]
fn nothing_is_said_about_too_few_readings() {
    let needed = u32::try_from(NEEDED).unwrap();
    assert_eq!(Trend::of(&series((0..needed - 1).map(f64::from))), None);
    assert!(Trend::of(&series((0..needed).map(f64::from))).is_some());
    assert_eq!(Trend::of(&Series::default()), None);
}

/// About normal, mean 0 and deviation 1.
fn noise(rng: &mut Rng) -> f64 {
    (0..12).map(|_| rng.f64()).sum::<f64>() - 6.0
}

/// How many of [`RUNS`] series of `polls` readings would be warned about.
///
/// `shape` gives the reading at a poll, in MiB, without noise.
fn warned(polls: u32, deviation: f64, shape: impl Fn(&mut Rng, f64) -> f64) -> u32 {
    let warns = |seed: u32| {
        let mut rng = Rng::with_seed(u64::from(seed));
        let phase = rng.f64();
        let mut values = Vec::new();
        for poll in 0..polls {
            let at = f64::from(poll) + phase;
            values.push((shape(&mut rng, at) + deviation * noise(&mut rng)) * MIB);
        }
        let trend = Trend::of(&series(values)).unwrap();
        trend.exceeds(LIMIT * MIB)
    };
    (0..RUNS).map(|seed| u32::from(warns(seed))).sum()
}

/// The lengths that are looked at: the shortest, five minutes, all that is kept.
const POLLS: [u32; 3] = [40, 60, 240];

#[test]
fn a_leak_is_found() {
    for polls in POLLS {
        let flat = |per_minute: f64| move |_: &mut Rng, poll: f64| 92.0 + per_minute * poll / 12.0;
        let found = warned(polls, 1.0, flat(10.0));
        assert!(found >= RUNS * 99 / 100, "10 MiB/min: {found} of {RUNS} at {polls} polls");
        let under = warned(polls, 1.0, flat(2.0));
        assert!(under <= RUNS / 100, "2 MiB/min: {under} of {RUNS} at {polls} polls");
    }
}

#[test]
fn a_leak_under_saw_teeth_is_found() {
    for polls in POLLS {
        // Teeth of 8 MiB, each 20 seconds long.
        let found = warned(polls, 0.5, |_, poll| 92.0 + poll / 12.0 * 10.0 + poll % 4.0 * 2.0);
        assert!(found >= RUNS * 99 / 100, "{found} of {RUNS} at {polls} polls");
    }
}

#[test]
fn what_does_not_leak_is_left_alone() {
    type Shape = fn(&mut Rng, f64) -> f64;
    let shapes: [(&str, f64, Shape); 5] = [
        ("steady", 1.0, |_, _| 92.0),
        ("steady and restless", 10.0, |_, _| 92.0),
        ("short saw teeth", 0.5, |_, poll| 92.0 + poll % 4.0 * 2.0),
        ("saw teeth of a minute", 0.5, |_, poll| 92.0 + poll % 12.0 * 2.0),
        ("filling up and staying", 0.5, |_, poll| 92.0 - 12.0 * (-poll / 4.0).exp()),
    ];
    for (name, deviation, shape) in shapes {
        for polls in POLLS {
            let wrong = warned(polls, deviation, shape);
            assert!(wrong <= RUNS / 100, "{name}: {wrong} of {RUNS} at {polls} polls");
        }
    }
}

#[test]
fn a_single_step_is_no_leak() {
    for polls in POLLS {
        for part in [0.25, 0.5, 0.75] {
            let at = f64::from(polls) * part;
            let wrong = warned(polls, 0.5, |_, poll| if poll < at { 92.0 } else { 122.0 });
            assert!(wrong <= RUNS / 100, "{wrong} of {RUNS} at {polls} polls, step at {part}");
        }
    }
}

#[test]
fn memory_that_wanders_is_not_taken_for_a_leak() {
    for polls in POLLS {
        let warns = |seed: u32| {
            let mut rng = Rng::with_seed(u64::from(seed));
            let mut off = 0.0;
            let mut values = Vec::new();
            for _ in 0..polls {
                off = 0.9 * off + 3.0 * noise(&mut rng);
                values.push((92.0 + off) * MIB);
            }
            let trend = Trend::of(&series(values)).unwrap();
            trend.exceeds(LIMIT * MIB)
        };
        let wrong: u32 = (0..RUNS).map(|seed| u32::from(warns(seed))).sum();
        assert!(wrong <= RUNS / 100, "{wrong} of {RUNS} at {polls} polls");
    }
}

#[test]
fn a_leak_that_begins_later_is_found_within_minutes() {
    const BEGINS: u32 = 240;
    for (per_minute, within) in [(10.0, 420), (60.0, 300)] {
        let (mut rng, mut kept) = (Rng::with_seed(1), Series::default());
        let found = (0..BEGINS + 240).find(|poll| {
            let leaked = f64::from(poll.saturating_sub(BEGINS)) * per_minute / 12.0;
            kept.push(Duration::from_secs(5) * *poll, (92.0 + leaked + noise(&mut rng)) * MIB);
            Trend::of(&kept).is_some_and(|trend| trend.exceeds(LIMIT * MIB))
        });
        let after = found.and_then(|poll| poll.checked_sub(BEGINS)).map(|polls| polls * 5);
        assert!(after.is_some_and(|after| after <= within), "{per_minute} MiB/min: {after:?} s");
    }
}

proptest! {
    #[test]
    fn a_straight_line_has_its_own_slope(slope in -1e6..1e6_f64, start in 0.0..1e9_f64, polls in 40_u32..240) {
        let trend = Trend::of(&series((0..polls).map(|poll| start + slope * f64::from(poll) * 5.0))).unwrap();
        prop_assert!((trend.per_minute - slope * 60.0).abs() <= 1e-3 + slope.abs() * 1e-6);
        prop_assert!(trend.bounds.0 <= trend.per_minute && trend.per_minute <= trend.bounds.1);
        prop_assert!(trend.is_sure() || slope.abs() < 1.0);
    }

    #[test]
    fn moving_or_mirroring_a_series_moves_or_mirrors_its_trend(
        values in prop::collection::vec(0_u32..1_000_000, 40..120), shift in 0_u32..1_000_000,
    ) {
        let of = |value: &dyn Fn(f64) -> f64| {
            Trend::of(&series(values.iter().map(|v| value(f64::from(*v))))).unwrap()
        };
        let (here, there) = (of(&|v| v), of(&|v| v + f64::from(shift)));
        prop_assert!((here.per_minute - there.per_minute).abs() < 1e-6 * (1.0 + here.per_minute.abs()));
        prop_assert!((here.score - there.score).abs() < 1e-9);
        let order = |mirror: f64| {
            Order::of(&values.iter().map(|v| f64::from(*v) * mirror).collect::<Vec<_>>()).score()
        };
        prop_assert!((order(1.0) + order(-1.0)).abs() < 1e-12);
    }

    #[test]
    fn no_series_is_a_trap(values in prop::collection::vec(any::<f64>(), 0..300)) {
        if let Some(trend) = Trend::of(&series(values)) {
            prop_assert!(!trend.score.is_nan());
        }
    }
}
