//! What is wanted of a target, judged by what the samples allow to say. Pure.
//!
//! A goal is reached only where the pessimistic end of a 95 % interval keeps its limit,
//! and missed only where the optimistic end does not. Samples of one moment are alike:
//! where there are six blocks of the test or more, the interval of their median has to
//! keep the limit too. A failure is an answer that never came.

use super::{
    block::SHARES,
    figures::{Figures, Samples, unbegun},
    number::float,
    quantile::{ranks, within},
    steady::unsteady,
};
use crate::domain::{
    Quantity,
    perf::{Block, Ended, Goal, Judged},
};
use std::time::Duration;

/// Standard deviations to both sides that hold 95 % of a normal distribution.
const Z: f64 = 1.959_964;
/// What the lower end of an interval leaves out.
const TAIL: f64 = 0.025;

/// What is wanted; nothing where a field is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub struct Goals {
    /// The mean time is under this.
    pub mean: Option<Duration>,
    /// The times within which 50, 95 and 99 of 100 end well are under these.
    pub within: [Option<Duration>; 3],
    /// The share of failures is under this.
    pub errors: Option<f64>,
    /// At least so many end well a second.
    pub rate: Option<f64>,
}

/// An interval of what the true value may be: no end where there is none.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
struct Between {
    low: Option<f64>,
    found: Option<f64>,
    high: Option<f64>,
}

impl Goals {
    /// The longest time among them.
    pub fn longest(&self) -> Option<Duration> {
        self.within.iter().chain([&self.mean]).flatten().max().copied()
    }

    /// Whether nothing is wanted.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// These, and where they say nothing `others`.
    #[must_use]
    pub fn or(self, others: Self) -> Self {
        let [p50, p95, p99] = self.within;
        let [other_p50, other_p95, other_p99] = others.within;
        Self {
            mean: self.mean.or(others.mean),
            within: [p50.or(other_p50), p95.or(other_p95), p99.or(other_p99)],
            errors: self.errors.or(others.errors),
            rate: self.rate.or(others.rate),
        }
    }

    /// Judges each.
    pub fn judge(&self, figures: &Figures) -> Vec<Goal> {
        let samples = &figures.samples;
        let mut judged: Vec<Goal> = Vec::new();
        judged.extend(self.mean.map(|limit| mean(samples, limit)));
        for (place, (name, limit)) in ["p50", "p95", "p99"].iter().zip(self.within).enumerate() {
            judged.extend(limit.map(|limit| quantile(samples, place, name, limit)));
        }
        judged.extend(self.rate.map(|limit| rate(figures, limit)));
        for goal in &mut judged {
            doubt(goal, figures);
        }
        if let Some(mut goal) = self.errors.map(|limit| errors(samples, limit)) {
            // That we are slow makes no answer a bad one.
            if goal.judged == Judged::Pass {
                doubt(&mut goal, figures);
            }
            judged.push(goal);
        }
        judged
    }
}

/// Takes back what the test itself makes doubtful. What limits us makes times longer
/// and rates lower: a goal that is reached all the same stands.
fn doubt(goal: &mut Goal, figures: &Figures) {
    let unbegun = figures.kept.as_ref().is_some_and(unbegun);
    // Where no client was free it is the target that did not keep up, unless we were slow too.
    let slow = figures.generator.limits.len() > usize::from(unbegun);
    let why = match goal.judged {
        Judged::Pass if figures.ended != Ended::Complete => Some("the test was stopped early"),
        Judged::Pass if figures.generator.failed > 0 => Some("this host lacked something itself"),
        Judged::Pass if unbegun => Some("too much of the plan never began"),
        Judged::Pass if unsteady(&figures.samples.blocks).is_some() => Some("no steady state"),
        Judged::Fail if slow => Some("it may be us that are slow: see the notes"),
        Judged::Pass | Judged::Fail | Judged::Undecided => None,
    };
    if let Some(why) = why {
        (goal.judged, goal.why) = (Judged::Undecided, why.into());
    }
}

fn mean(samples: &Samples, limit: Duration) -> Goal {
    let (times, limit_at) = (&samples.well, limit.as_secs_f64());
    let mut between = Between::default();
    if !times.is_empty() {
        let (mean, error) = (times.mean() / 1e6, times.stdev() / 1e6 / float(times.len()).sqrt());
        between = Between {
            low: Some((mean - Z * error).max(0.0)),
            found: Some(mean),
            // The spread of a few says little of that of all.
            high: (times.len() >= 30).then_some(mean + Z * error),
        };
    }
    let blocks = median(samples.blocks.iter().map(|block| Some(block.mean.as_secs_f64())));
    let mut goal = under("mean", limit_at, between, blocks, seconds);
    if goal.judged == Judged::Pass && samples.lost > 0 {
        // A mean with an answer that never came is without end.
        goal.why = format!("of those that ended well; {} did not", samples.lost);
    }
    goal
}

fn quantile(samples: &Samples, place: usize, name: &str, limit: Duration) -> Goal {
    let share = SHARES[place];
    let found = within(&samples.well, samples.lost, share);
    let seconds_of = |time: Option<Duration>| time.map(|time| time.as_secs_f64());
    let never = samples.well.len() + samples.lost > 0;
    let between = Between {
        // Beyond every answer that came: later than any limit.
        low: seconds_of(found.low).or(never.then_some(f64::INFINITY)),
        found: seconds_of(found.time),
        high: seconds_of(found.high),
    };
    let of = |block: &Block| seconds_of(block.within[place]);
    let blocks = median(samples.blocks.iter().map(of));
    let mut goal = under(name, limit.as_secs_f64(), between, blocks, seconds);
    if goal.judged == Judged::Undecided && !found.enough {
        let needed = (TAIL.ln() / share.ln()).ceil();
        goal.why = format!("no upper bound: it takes {needed:.0} requests");
    }
    goal
}

/// A goal that is reached by what is less than `limit`.
fn under(
    name: &str,
    limit: f64,
    between: Between,
    blocks: Between,
    quantity: fn(f64) -> Quantity,
) -> Goal {
    let keeps = |high: Option<f64>| high.is_some_and(|high| high < limit);
    let blocked = blocks.found.is_some();
    let (judged, why) = match between {
        Between { low: None, .. } => (Judged::Undecided, "nothing was measured".into()),
        Between { low: Some(low), .. } if low > limit => (Judged::Fail, String::new()),
        Between { high, .. } if !keeps(high) => {
            (Judged::Undecided, "the interval holds the limit: measure for longer".into())
        }
        _ if blocked && !keeps(blocks.high) => {
            let says = "it was not so all the time: measure for longer";
            (Judged::Undecided, says.into())
        }
        _ => (Judged::Pass, String::new()),
    };
    let finite = |end: Option<f64>| end.filter(|end| end.is_finite()).map(quantity);
    Goal {
        name: name.into(),
        limit: quantity(limit),
        found: finite(between.found),
        low: finite(between.low),
        high: finite(between.high),
        judged,
        why,
    }
}

fn rate(figures: &Figures, limit: f64) -> Goal {
    let (count, took) = (float(figures.samples.well.len()), figures.measured.as_secs_f64());
    let mut between = Between::default();
    if took > 0.0 {
        // The score interval of a Poisson count.
        let (middle, reach) = (count + Z * Z / 2.0, Z * (count + Z * Z / 4.0).sqrt());
        between = Between {
            low: Some((middle - reach) / took),
            found: Some(count / took),
            high: Some((middle + reach) / took),
        };
    }
    let blocks = median(figures.samples.blocks.iter().map(|block| Some(block.per_second)));
    let over = |end: Option<f64>| end.is_some_and(|end| end >= limit);
    let (judged, why) = match (over(between.low), over(between.high)) {
        _ if between.found.is_none() => (Judged::Undecided, "nothing was measured"),
        (_, false) => (Judged::Fail, ""),
        (false, true) => (Judged::Undecided, "the interval holds the limit: measure for longer"),
        (true, true) if blocks.found.is_some() && !over(blocks.low) => {
            (Judged::Undecided, "it was not so all the time: measure for longer")
        }
        (true, true) => (Judged::Pass, ""),
    };
    let per_second = |end: Option<f64>| end.map(Quantity::PerSecond);
    Goal {
        name: "rate".into(),
        limit: Quantity::PerSecond(limit),
        found: per_second(between.found),
        low: per_second(between.low),
        high: per_second(between.high),
        judged,
        why: why.into(),
    }
}

fn errors(samples: &Samples, limit: f64) -> Goal {
    let lost = samples.lost.saturating_sub(samples.ours);
    let all = samples.well.len() + lost;
    let (low, high) = wilson(lost, all);
    let found = float(lost) / float(all.max(1));
    let (judged, why) = match all {
        0 => (Judged::Undecided, "nothing was measured".into()),
        _ if high < limit => (Judged::Pass, String::new()),
        _ if low > limit => (Judged::Fail, String::new()),
        _ if found < limit => {
            // Where the score interval just ends at the limit.
            let needed = (Z / (limit - found)).powi(2) * limit * (1.0 - limit);
            (Judged::Undecided, format!("it takes about {:.0} requests to tell", needed.ceil()))
        }
        _ => (Judged::Undecided, "the interval holds the limit: measure for longer".into()),
    };
    let ratio = |share: f64| (all > 0).then_some(Quantity::Ratio(share));
    Goal {
        name: Goal::ERRORS.into(),
        limit: Quantity::Ratio(limit),
        found: ratio(found),
        low: ratio(low),
        high: ratio(high),
        judged,
        why,
    }
}

/// Between which shares that of `some` in `all` truly lies, after Wilson.
fn wilson(some: u64, all: u64) -> (f64, f64) {
    let (n, share) = (float(all.max(1)), float(some) / float(all.max(1)));
    let middle = share + Z * Z / (2.0 * n);
    let reach = Z * (share * (1.0 - share) / n + Z * Z / (4.0 * n * n)).sqrt();
    let whole = 1.0 + Z * Z / n;
    (((middle - reach) / whole).max(0.0), ((middle + reach) / whole).min(1.0))
}

/// Between which values the median of the blocks lies, by their order alone; nothing of
/// fewer than six. What is none is beyond all others.
fn median(values: impl Iterator<Item = Option<f64>>) -> Between {
    let mut values: Vec<f64> = values.map(|value| value.unwrap_or(f64::INFINITY)).collect();
    values.sort_by(f64::total_cmp);
    let count = u64::try_from(values.len()).unwrap_or(0);
    let (low, high) = ranks(count, 0.5);
    let at =
        |rank: u64| usize::try_from(rank).ok().and_then(|rank| values.get(rank.checked_sub(1)?));
    if count < 6 {
        return Between::default();
    }
    Between {
        low: at(low).copied(),
        found: at(count.div_ceil(2)).copied(),
        high: at(high).copied().filter(|high| high.is_finite()),
    }
}

fn seconds(value: f64) -> Quantity {
    Quantity::Time(Duration::try_from_secs_f64(value).unwrap_or(Duration::MAX))
}

#[cfg(test)]
mod tests;
