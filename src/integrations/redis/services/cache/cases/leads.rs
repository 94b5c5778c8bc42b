//! Who may fill in, and who is to load before it is missed.

use super::{
    super::{
        super::{Bench, Claim, Expiry, Held, Upset, watched},
        Cache, Fill, Lead,
        refresh::Haste,
    },
    LEASE, LONG, lead, stored, value,
};
use crate::units;
use std::{cmp, time::Duration};

pub(super) async fn late_fill(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key) = (&*bench.back_end, bench.keys.key("c6"));
    let lease = cmp::max(LEASE, bench.pace.slack() * 3);
    // To end sooner than it would have, so that a lease that is not set anew shows.
    let slow = lead(cache, &key, Duration::ZERO, LONG).await?;
    let (prolonged, set) = watched(cache.prolong(&key, &slow, lease)).await?;
    let keeps = Claim {
        else_says: "a leader at work cannot keep the lead",
        asked: "prolong the lead, and again when it is over",
        wanted: "prolonged, then refused",
    };
    keeps.holds(prolonged, &prolonged)?;
    Expiry { set, ttl: lease, slack: bench.pace.slack() }.over().await;
    let expiry = stored(bench, &key, value(b"newer", LONG)).await?;
    let prolonged = cache.prolong(&key, &slow, LONG).await?;
    keeps.holds(!prolonged, &prolonged)?;
    let fill = cache.fill(&key, &slow, value(b"older", LONG)).await?;
    let claim = Claim {
        else_says: "a late leader overwrote a newer value",
        asked: "fill in a value after the lease is over",
        wanted: "refused, and the newer value unchanged",
    };
    claim.holds(fill == Fill::Refused, &fill)?;
    let (bid, seen) = watched(cache.lead(&key, Duration::ZERO, LONG)).await?;
    let Some(entry) = bid.entry else { return Err(expiry.missing(seen)) };
    claim.holds(entry.value.as_deref() == Some(b"newer"), &entry)?;
    Ok(Held::saw(format!("refused after a lease of {}", units::span(lease))))
}

pub(super) async fn invalidated(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key) = (&*bench.back_end, bench.keys.key("c7"));
    stored(bench, &key, value(b"old", LONG)).await?;
    let loading = lead(cache, &key, LONG, LONG).await?;
    cache.invalidate(&key).await?;
    let claim = Claim {
        else_says: "an invalidated value came back",
        asked: "invalidate while a load is under way",
        wanted: "nothing there, the load's value refused",
    };
    let fill = cache.fill(&key, &loading, value(b"old", LONG)).await?;
    claim.holds(fill == Fill::Refused, &fill)?;
    // The next reader need not wait for the lease of a load that is in vain.
    let next = cache.lead(&key, Duration::ZERO, LONG).await?;
    claim.holds(next.entry.is_none(), &next)?;
    claim.holds(matches!(next.lead, Lead::Ours(_)), &next)?;
    Ok(Held::saw("the load under way is refused, the next may begin"))
}

/// What loading took.
const COST: Duration = Duration::from_millis(200);
/// How often the lot is drawn for each time that is left.
const DRAWS: u32 = 10_000;

/// Our own part, which asks nobody: that the cost comes back as it was is C1.
pub(super) fn early() -> Result<Held, Upset> {
    early_by(Haste::is_due)
}

/// `is_due` says who of those that draw loads a value with so long left.
fn early_by(is_due: impl Fn(Haste, Duration, f64) -> bool) -> Result<Held, Upset> {
    let haste = Haste { cost: COST, beta: 1.0, most: LONG };
    let claim = Claim {
        else_says: "values are renewed too early or too late",
        asked: "30000 draws at 0.5, 1 and 2 times the cost",
        wanted: "exp(-left / cost) of them, within 4 sigma",
    };
    let mut rng = fastrand::Rng::with_seed(7);
    let mut shares = Vec::new();
    for times in [0.5_f64, 1.0, 2.0] {
        let left = COST.mul_f64(times);
        let won = (0..DRAWS).map(|_| u32::from(is_due(haste, left, 1.0 - rng.f64()))).sum::<u32>();
        let (share, chance) = (f64::from(won) / f64::from(DRAWS), (-times).exp());
        let sigma = (chance * (1.0 - chance) / f64::from(DRAWS)).sqrt();
        claim.holds((share - chance).abs() <= 4.0 * sigma, &(share, chance))?;
        shares.push(format!("{:.0}%", share * 100.0));
    }
    Ok(Held::saw(format!("renewed early by {} of readers", shares.join(", "))))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Whether who draws a share loads a value with so long left.
    type Draw = fn(Haste, Duration, f64) -> bool;

    #[test]
    fn every_wrong_draw_is_noticed() {
        assert!(early().is_ok());
        let wrong: [(&str, Draw); 6] = [
            ("nobody", |_, _, _| false),
            ("everybody", |_, _, _| true),
            ("always at the cost", |haste, left, _| left <= haste.cost),
            ("as if it cost more", |haste, left, share| {
                Haste { cost: haste.cost.mul_f64(1.1), ..haste }.is_due(left, share)
            }),
            ("later than asked", |haste, left, share| {
                Haste { beta: 0.9, ..haste }.is_due(left, share)
            }),
            ("linearly", |haste, left, share| left <= haste.cost.mul_f64(1.0 / share - 1.0)),
        ];
        for (name, is_due) in wrong {
            assert!(matches!(early_by(is_due), Err(Upset::Broken(_))), "{name}");
        }
    }
}
