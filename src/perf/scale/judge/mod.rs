//! What the steps say. Pure.

mod bounds;

use super::asked::ENOUGH;
use crate::{
    domain::perf::{Curve, Decline, Drift, Estimate, Fit, Scale, Slo, Step},
    perf::{figures::Figures, quantile::within},
    stats::usl::{self, Contention, Loss, Usl, left_out, plateau},
};
use bounds::{around, drawn, estimate, points};
use std::time::Duration;

/// By how much a step that is measured twice may differ.
const DRIFT: f64 = 0.1;
/// By how much the rate has to decline before that is called a decline.
const DECLINE: f64 = 0.05;
/// How far beyond the last step, as a multiple, a peak is still called possible.
const BEYOND: f64 = 1.25;
/// By how much several may surpass as many alone before that is called so.
const SUPERLINEAR: f64 = 1.05;
/// The share of the best rate that is nearly the best.
const NEARLY: f64 = 0.95;

/// One step, of its figures.
pub(super) fn step((clients, figures): (&u32, &Figures)) -> Step {
    let samples = &figures.samples;
    let blocks: Vec<f64> = samples.blocks.iter().map(|block| block.per_second).collect();
    let around = around(&blocks);
    let p95 = within(&samples.well, samples.lost, 0.95);
    Step {
        clients: *clients,
        per_second: figures.total.per_second,
        low: around.map(|(mean, half)| (mean - half).max(0.0)),
        high: around.map(|(mean, half)| mean + half),
        mean: Duration::from_secs_f64(samples.well.mean() / 1e6),
        p95: p95.time,
        p95_high: p95.high,
        failed: figures.total.failed,
        blocks,
    }
}

/// Adds what follows from the steps; `wanted` is what 95 of 100 are to end within.
pub(super) fn judge(mut scale: Scale, wanted: Option<Duration>) -> Scale {
    scale.slo = wanted.map(|limit| slo(&scale.steps, limit));
    match fit(&scale.steps) {
        Ok(fit) => scale.fit = Some(fit),
        Err(why) => scale.doubts.push(why),
    }
    scale.decline = decline(&scale.steps, scale.fit.as_ref());
    scale.doubts.extend(scale.drift.iter().filter_map(drifted));
    scale.doubts.extend(superlinear(&scale.steps).map(|step| {
        format!(
            "{} clients bring more than {0} times one: a bad first step, or a cache",
            step.clients
        )
    }));
    scale
}

fn drifted(drift: &Drift) -> Option<String> {
    let Drift { clients, first, again } = drift;
    let apart = (again - first).abs() / first.max(f64::MIN_POSITIVE);
    (apart > DRIFT).then(|| {
        format!("with {clients}: {first:.0}/s in turn, {again:.0}/s at the end: it drifts")
    })
}

/// The first step that surely brings more than so many times one client.
fn superlinear(steps: &[Step]) -> Option<&Step> {
    let one = steps.first().filter(|step| step.clients == 1)?.per_second;
    let over = |step: &&Step| {
        step.low.is_some_and(|low| low > SUPERLINEAR * one * f64::from(step.clients))
    };
    steps.iter().skip(1).find(over)
}

fn fit(steps: &[Step]) -> Result<Fit, String> {
    let measured = points(steps);
    if measured.len() < ENOUGH {
        let count = measured.len();
        return Err(format!("no curve through {count} steps: it takes {ENOUGH}"));
    }
    let contention =
        if superlinear(steps).is_some() { Contention::Any } else { Contention::NotNegative };
    let law = |steps: &[usl::Step], loss| usl::usl(steps, contention, loss).map(curve);
    let flat = |steps: &[usl::Step]| {
        let found = plateau(steps)?;
        Some(Curve::Plateau { gamma: found.gamma, ceiling: found.ceiling })
    };
    let missed = |fit: &dyn Fn(&[usl::Step]) -> Option<Curve>| {
        left_out(&measured, |others| fit(others).map(|curve| move |n| curve.rate(n)))
    };
    let of_law = |steps: &[usl::Step]| law(steps, Loss::Huber);
    let is_flat = match (missed(&of_law), missed(&flat)) {
        // What was seen to decline is no plateau, however well one would do.
        _ if declined(steps).is_some_and(|(_, step)| step.is_some()) => false,
        (Some(law), Some(flat)) => flat < law,
        (None, flat) => flat.is_some(),
        (Some(_), None) => false,
    };
    let curve = if is_flat { flat(&measured) } else { of_law(&measured) };
    let curve = curve.ok_or("no curve fits the steps")?;
    let again = |steps: &[usl::Step]| {
        if is_flat { flat(steps) } else { law(steps, Loss::Squares) }
    };
    Ok(derive(curve, steps, drawn(steps, again).as_deref()))
}

fn curve(Usl { gamma, alpha, beta }: Usl) -> Curve {
    Curve::Usl { gamma, alpha, beta }
}

/// What follows from the curve.
fn derive(curve: Curve, steps: &[Step], draws: Option<&[Curve]>) -> Fit {
    let most = most(steps);
    let share = |clients: f64| curve.rate(clients) / clients / curve.gamma();
    let optimum_at = optimum(&curve);
    let measured = points(steps);
    let missed = measured.iter().map(|it| (curve.rate(it.clients) / it.rate - 1.0).powi(2));
    let count = u32::try_from(measured.len()).unwrap_or(1).max(1);
    let of_law = match curve {
        Curve::Usl { gamma, alpha, beta } => Usl { gamma, alpha, beta }.standard_errors(&measured),
        Curve::Plateau { .. } => None,
    };
    let parameter = |place: usize| {
        let of = move |curve: &Curve| parameters(curve).get(place).copied();
        Some(estimate(of(&curve)?, draws, of))
    };
    Fit {
        optimum: optimum_at.map(|at| estimate(at, draws, optimum)),
        efficiency: optimum_at.map(share),
        efficiency_at_most: share(most.into()),
        nearly: nearly(&curve, most),
        miss: (missed.sum::<f64>() / f64::from(count)).sqrt(),
        parameters: (0..3).filter_map(parameter).collect(),
        standard_errors: of_law,
        curve,
    }
}

fn most(steps: &[Step]) -> u32 {
    steps.iter().map(|step| step.clients).max().unwrap_or(1)
}

fn parameters(curve: &Curve) -> Vec<f64> {
    match *curve {
        Curve::Usl { gamma, alpha, beta } => vec![gamma, alpha, beta],
        Curve::Plateau { gamma, ceiling } => vec![gamma, ceiling],
    }
}

fn optimum(curve: &Curve) -> Option<f64> {
    match *curve {
        Curve::Usl { gamma, alpha, beta } => Usl { gamma, alpha, beta }.optimum(),
        Curve::Plateau { gamma, ceiling } => Some(ceiling / gamma),
    }
}

fn peak(curve: &Curve) -> Option<f64> {
    match *curve {
        Curve::Usl { gamma, alpha, beta } => Usl { gamma, alpha, beta }.peak(),
        Curve::Plateau { .. } => None,
    }
}

/// How few clients bring nearly the best rate of those that were tried.
fn nearly(curve: &Curve, most: u32) -> f64 {
    let rates = || (1..=most).map(|clients| curve.rate(clients.into()));
    let best = rates().fold(0.0, f64::max);
    let enough = (1..=most).zip(rates()).find(|(_, rate)| *rate >= NEARLY * best);
    enough.map_or(1.0, |(clients, _)| clients.into())
}

/// A decline is claimed only where it is in the data: a fit alone would claim one of a
/// pool that is merely full.
fn decline(steps: &[Step], fit: Option<&Fit>) -> Decline {
    let peak = fit.and_then(peak_of);
    let measured = steps.iter().any(|step| step.per_second > 0.0);
    match (declined(steps), &peak) {
        (Some((best, Some(step))), _) => {
            let by = 1.0 - step.per_second / best.per_second;
            Decline::Seen { best: best.clients, at: step.clients, by, peak }
        }
        (Some((_, None)), _) => Decline::Unknown,
        (None, _) if !measured => Decline::Unknown,
        (None, Some(peak)) if is_possible(peak, steps, fit) => Decline::Possible { peak: *peak },
        (None, _) => Decline::NotSeen { up_to: most(steps), peak: peak.map(|peak| peak.at) },
    }
}

/// The best step, and one beyond that is surely lower by so much that it matters; none
/// where that is so by all that is known, but nobody can be sure.
fn declined(steps: &[Step]) -> Option<(&Step, Option<&Step>)> {
    let best = steps.iter().max_by(|one, other| one.per_second.total_cmp(&other.per_second))?;
    let lower = |step: &&Step| {
        step.clients > best.clients && step.per_second < (1.0 - DECLINE) * best.per_second
    };
    let surely = |step: &&Step| step.high.zip(best.low).is_some_and(|(high, low)| high < low);
    let sure = steps.iter().filter(lower).find(surely);
    let unsure = steps.iter().filter(lower).any(|step| step.high.is_none());
    (sure.is_some() || unsure).then_some((best, sure))
}

/// Where the curve has its peak. Its bounds follow from those of α and β.
fn peak_of(fit: &Fit) -> Option<Estimate> {
    let at = peak(&fit.curve)?;
    let [gamma, alpha, beta] = <[Estimate; 3]>::try_from(fit.parameters.clone()).ok()?;
    let end = |alpha: Option<f64>, beta: Option<f64>| {
        Usl { gamma: gamma.at, alpha: alpha?, beta: beta? }.peak()
    };
    Some(Estimate { at, low: end(alpha.high, beta.high), high: end(alpha.low, beta.low) })
}

/// Whether coherency is more than chance, and the peak not far from what was measured.
fn is_possible(peak: &Estimate, steps: &[Step], fit: Option<&Fit>) -> bool {
    let beta = fit.and_then(|fit| fit.parameters.get(2)).and_then(|beta| beta.low);
    beta.is_some_and(|low| low > 0.0) && peak.at <= BEYOND * f64::from(most(steps))
}

/// The most clients with which 95 of 100 surely end within `limit`, in a line between
/// the last step that keeps it and the first that does not.
fn slo(steps: &[Step], limit: Duration) -> Slo {
    let keeps = |step: &&Step| step.p95_high.is_some_and(|high| high <= limit);
    let kept = steps.iter().take_while(keeps).count();
    let last = kept.checked_sub(1).and_then(|at| steps.get(at));
    let clients = match (last, steps.get(kept)) {
        (None, _) => 0.0,
        (Some(last), None) => last.clients.into(),
        (Some(last), Some(next)) => {
            let way = next.p95_high.zip(last.p95_high).map(|(after, before)| {
                let way = after.saturating_sub(before).as_secs_f64().max(f64::MIN_POSITIVE);
                limit.saturating_sub(before).as_secs_f64() / way
            });
            let apart = f64::from(next.clients - last.clients);
            f64::from(last.clients) + way.unwrap_or(0.0) * apart
        }
    };
    Slo { limit, clients, at_least: kept > 0 && kept == steps.len() }
}

#[cfg(test)]
mod tests;
