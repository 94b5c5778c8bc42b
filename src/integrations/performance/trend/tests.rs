use super::*;
use fastrand::Rng;
use proptest::prelude::*;

/// One MiB, in which the simulated series are written.
const MIB: f64 = 1024.0 * 1024.0;
/// Series of a kind that are simulated.
const RUNS: u32 = 300;
/// The limit that they are held against, in MiB per minute.
const LIMIT: f64 = 5.0;

fn points(at: &[f64], values: &[f64]) -> Vec<Sample> {
    let at = at.iter().map(|seconds| Duration::from_secs_f64(*seconds));
    at.zip(values).map(|(at, value)| Sample { at, value: *value }).collect()
}

fn series(values: impl IntoIterator<Item = f64>) -> Series {
    let mut series = Series::default();
    for (poll, value) in (0_u32..).zip(values) {
        series.push(Duration::from_secs(5) * poll, value);
    }
    series
}

#[test]
fn order_is_as_in_the_worked_example() {
    // J. Little, College of the Holy Cross, "A Mann-Kendall Example (By Hand)".
    let values =
        [12.9, 14.8, 13.2, 15.7, 13.8, 15.6, 12.9, 11.0, 17.3, 15.9, 19.0, 18.3, 20.1, 21.7];
    let order = Order::of(&values);
    assert!((order.balance - 54.0).abs() < f64::EPSILON);
    assert!((order.variance - (14.0 * 13.0 * 33.0 - 2.0 * 1.0 * 9.0) / 18.0).abs() < 1e-9);
    assert!((order.score() - 2.9058).abs() < 5e-5, "{}", order.score());
}

#[test]
fn the_slope_and_its_bounds_are_those_of_sen() {
    // P. K. Sen, J. Am. Stat. Assoc. 63 (1968) 1379: slope 4, between 26/7 and 35/8 at 93 %.
    let at = [1.0, 2.0, 3.0, 4.0, 10.0, 12.0, 18.0];
    let values = [9.0, 15.0, 19.0, 20.0, 45.0, 55.0, 78.0];
    let margin = 1.812 * Order::of(&values).variance.sqrt();
    let slope = Slope::of(&points(&at, &values), margin).unwrap();
    let expected = [4.0, 26.0 / 7.0, 35.0 / 8.0];
    for (found, expected) in [slope.median, slope.low, slope.high].into_iter().zip(expected) {
        assert!((found - expected).abs() < 1e-9, "{slope:?}");
    }
}

#[test]
fn the_slope_and_its_bounds_are_those_of_statpsych() {
    // The example of `ci.theil` in the R package statpsych: 0.5, from 0.3243243 to 0.75 at 95 %.
    let values =
        [21.0, 4.0, 9.0, 12.0, 35.0, 18.0, 10.0, 22.0, 24.0, 1.0, 6.0, 8.0, 13.0, 16.0, 19.0];
    let at =
        [67.0, 28.0, 30.0, 28.0, 52.0, 40.0, 25.0, 37.0, 44.0, 10.0, 14.0, 20.0, 28.0, 40.0, 51.0];
    let slope =
        Slope::of(&points(&at, &values), 1.96 * Order::of(&values).variance.sqrt()).unwrap();
    for (found, expected) in
        [slope.median, slope.low, slope.high].into_iter().zip([0.5, 0.324_324_3, 0.75])
    {
        assert!((found - expected).abs() < 1e-6, "{slope:?}");
    }
}

#[test]
fn the_slope_is_that_of_cloud_seeding() {
    // Hollander and Wolfe, Nonparametric Statistical Methods, example 9.1.
    let at = [1.0, 2.0, 3.0, 4.0, 5.0];
    let slope = Slope::of(&points(&at, &[1.26, 1.27, 1.12, 1.16, 1.03]), 0.0).unwrap();
    assert!((slope.median + 0.05625).abs() < 1e-9, "{slope:?}");
}

#[test]
fn nothing_is_said_about_too_few_readings() {
    assert_eq!(Trend::of(&series((0..NEEDED - 1).map(as_f64))), None);
    assert!(Trend::of(&series((0..NEEDED).map(as_f64))).is_some());
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
