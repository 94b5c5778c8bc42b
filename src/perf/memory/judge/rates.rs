//! How often the two-stage rule cries wolf, and how often it finds one: 400 simulated series
//! a shape. `cargo test rates -- --nocapture` prints the table.

use super::{Rules, judge};
use crate::domain::perf::Leak;
use std::f64::consts::TAU;

const MIB: f64 = 1024.0 * 1024.0;
const KIB: f64 = 1024.0;
const BASE: f64 = 92.0 * MIB;
const RULES: Rules = Rules { limit: 5 * 1024 * 1024, strict: false };
const SERIES: u32 = 400;
const OPERATIONS: u32 = 1000;

/// What is added at each operation.
type Extra = Box<dyn Fn(f64) -> f64>;

/// What is added to each reading.
struct Shape {
    name: &'static str,
    /// Bytes that an operation leaks.
    leak: f64,
    /// What every reading has beside it.
    noise: Noise,
    /// What a series has of its own, drawn once.
    extra: fn(&mut fastrand::Rng) -> Extra,
    /// Percent: at most so many called a leak, at least so many called a leak,
    leaks: (u32, u32),
    /// at most so many passed, at least so many passed.
    passes: (u32, u32),
}

#[derive(Clone, Copy)]
enum Noise {
    /// Independent, a third of a MiB.
    Plain,
    /// Each like nine tenths of the one before: 1.5 MiB.
    Clinging,
    /// And garbage up to 8 MiB, collected each so many operations or so.
    Teeth(u32),
}

fn normal(dice: &mut fastrand::Rng) -> f64 {
    (-2.0 * (1.0 - dice.f64()).ln()).sqrt() * (TAU * dice.f64()).cos()
}

fn nothing(_: &mut fastrand::Rng) -> Extra {
    Box::new(|_| 0.0)
}

/// Fills up: four fifths of it in so many operations.
fn fills(mib: f64, within: f64) -> Extra {
    Box::new(move |at| mib * MIB * (1.0 - (-at * 1.6 / within).exp()))
}

fn step(at: u32) -> Extra {
    Box::new(move |now| if now >= f64::from(at) { 6.0 * MIB } else { 0.0 })
}

const FLAT: Shape = Shape {
    name: "flat",
    leak: 0.0,
    noise: Noise::Plain,
    extra: nothing,
    leaks: (0, 0),
    passes: (100, 99),
};
const LEAK: Shape =
    Shape { name: "leak 12 KiB", leak: 12.0 * KIB, leaks: (100, 97), passes: (0, 0), ..FLAT };

const SHAPES: &[Shape] = &[
    FLAT,
    Shape {
        name: "clinging noise",
        noise: Noise::Clinging,
        leaks: (1, 0),
        passes: (100, 93),
        ..FLAT
    },
    Shape {
        name: "saw teeth of 40",
        noise: Noise::Teeth(40),
        leaks: (1, 0),
        passes: (100, 93),
        ..FLAT
    },
    Shape {
        name: "saw teeth of 170",
        noise: Noise::Teeth(170),
        leaks: (2, 0),
        passes: (100, 80),
        ..FLAT
    },
    Shape { name: "warm-up +12 MiB", extra: |_| fills(12.0, 60.0), ..FLAT },
    Shape { name: "step +6 MiB, early", extra: |dice| step(dice.u32(50..400)), ..FLAT },
    Shape { name: "step +6 MiB, 400-499", extra: |dice| step(dice.u32(400..500)), ..FLAT },
    Shape {
        name: "retained in 6 steps",
        extra: |dice| {
            let at: Vec<f64> = (0..6).map(|_| f64::from(dice.u32(0..300))).collect();
            Box::new(move |now| at.iter().filter(|step| now >= **step).map(|_| 2.0 * MIB).sum())
        },
        leaks: (1, 0),
        passes: (100, 95),
        ..FLAT
    },
    Shape {
        name: "cache +20 MiB, slow",
        extra: |_| fills(20.0, 800.0),
        leaks: (5, 0),
        passes: (5, 0),
        ..FLAT
    },
    LEAK,
    Shape {
        name: "leak, saw teeth of 40",
        noise: Noise::Teeth(40),
        leaks: (100, 90),
        passes: (5, 0),
        ..LEAK
    },
    Shape { name: "leak, warm-up", extra: |_| fills(12.0, 60.0), ..LEAK },
    Shape {
        name: "leak, clinging noise",
        noise: Noise::Clinging,
        leaks: (100, 60),
        passes: (20, 0),
        ..LEAK
    },
    Shape {
        name: "leak, in 2.4 MiB",
        leak: 0.0,
        extra: |_| Box::new(|now| (now / 200.0).floor() * 2.4 * MIB),
        leaks: (100, 60),
        passes: (10, 0),
        ..LEAK
    },
    Shape { name: "leak 40 KiB, clinging", leak: 40.0 * KIB, noise: Noise::Clinging, ..LEAK },
    Shape { name: "leak 2 KiB: 1 MiB", leak: 2.0 * KIB, leaks: (100, 0), passes: (100, 0), ..LEAK },
];

fn series(shape: &Shape, dice: &mut fastrand::Rng) -> Vec<u64> {
    let extra = (shape.extra)(dice);
    let (mut clings, mut garbage) = (normal(dice) * 1.5, dice.f64() * 8.0);
    let reading = |at: u32| {
        let noise = match shape.noise {
            Noise::Plain => normal(dice) * 0.33,
            Noise::Clinging => {
                clings = 0.9 * clings + normal(dice) * 1.5 * (1.0_f64 - 0.81).sqrt();
                clings
            }
            Noise::Teeth(every) => {
                garbage += 8.0 / f64::from(every) * (0.5 + dice.f64());
                if garbage > 8.0 {
                    garbage = dice.f64() * 0.5;
                }
                garbage + normal(dice) * 0.33
            }
        };
        let at = f64::from(at);
        super::whole(BASE + noise * MIB + shape.leak * at + extra(at))
    };
    (0..OPERATIONS).map(reading).collect()
}

/// As the test does it: 500 operations, and 1000 unless these passed.
fn two_stages(readings: &[u64]) -> Leak {
    let first = judge(&readings[..readings.len() / 2], RULES).found;
    if first.is_none() { first } else { judge(readings, RULES).found }
}

#[test]
#[expect(clippy::print_stdout, reason = "the table is what it is run for")]
fn rates_of_false_alarms_and_of_leaks_that_are_found() {
    println!(
        "{:24}{:>8}{:>8}{:>12}{:>10}{:>10}",
        "shape", "leak", "pass", "undecided", "plain", "last"
    );
    let mut wrong = Vec::new();
    for shape in SHAPES {
        let mut dice = fastrand::Rng::with_seed(7);
        let (mut leaks, mut passes, mut plain, mut last) = (0, 0, 0, 0);
        for _ in 0..SERIES {
            let readings = series(shape, &mut dice);
            let found = two_stages(&readings);
            leaks += u32::from(found == Leak::Leaks);
            passes += u32::from(found.is_none());
            // What others do: Mann-Kendall over all readings of 500, and last less first.
            let values: Vec<f64> =
                readings[..500].iter().step_by(5).map(|it| super::float(*it)).collect();
            plain += u32::from(crate::stats::Order::of(&values).score() > 1.645);
            last += u32::from(readings[499] > readings[0] + RULES.limit);
        }
        let percent = |count: u32| f64::from(count) * 100.0 / f64::from(SERIES);
        let undecided = SERIES - leaks - passes;
        println!(
            "{:24}{:>7.1}%{:>7.1}%{:>11.1}%{:>9.1}%{:>9.1}%",
            shape.name,
            percent(leaks),
            percent(passes),
            percent(undecided),
            percent(plain),
            percent(last)
        );
        let within = |count: u32, (most, least): (u32, u32)| {
            (f64::from(least)..=f64::from(most)).contains(&percent(count))
        };
        if !within(leaks, shape.leaks) || !within(passes, shape.passes) {
            wrong.push(shape.name);
        }
    }
    assert!(wrong.is_empty(), "other than it should be: {wrong:?}");
}
