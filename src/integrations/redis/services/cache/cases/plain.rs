//! What is filled in comes back, for as long as it was given.

use super::{
    super::{
        super::{Bench, Claim, Expiry, Held, Upset, watched},
        Cache, Entry, Fill, Fresh, Lead,
    },
    LOAD, LONG, TTL, stored, value,
};
use crate::units;
use std::time::Duration;

/// Every byte there is, line ends, a NUL and UTF-8, sixteen times over.
fn awkward() -> Vec<u8> {
    let every = (0..=u8::MAX).collect::<Vec<u8>>();
    let mut bytes = every.repeat(16);
    let text = "\r\n\0$-1\r\n*3 grüße, 你好 \u{202e}";
    bytes[..text.len()].copy_from_slice(text.as_bytes());
    bytes
}

pub(super) async fn round_trip(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key, sent) = (&*bench.back_end, bench.keys.key("c1"), awkward());
    let expiry = stored(bench, &key, value(&sent, bench.pace.ttl(TTL))).await?;
    let (found, seen) = watched(cache.look(&key)).await?;
    let Some(entry) = found else { return Err(expiry.missing(seen)) };
    let claim = Claim {
        else_says: "the bytes came back changed",
        asked: "read back 4 KiB of any bytes, and their cost",
        wanted: "the same bytes, the same cost",
    };
    let bytes = entry.value.as_deref().unwrap_or_default();
    let differs = bytes.iter().zip(&sent).position(|(got, sent)| got != sent);
    claim.holds(bytes == sent && entry.cost == LOAD, &(&entry, "first difference at", differs))?;
    expiry.fits(seen, entry.left)?;
    Ok(Held::saw(format!("4 KiB unchanged, read in {}", units::span(seen.to - seen.from))))
}

pub(super) async fn absent(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key) = (&*bench.back_end, bench.keys.key("c2"));
    let claim = Claim {
        else_says: "absent and missing are one to the cache",
        asked: "ask for the lead, fill in that it is absent, look",
        wanted: "nothing, then that it is absent",
    };
    let before = cache.lead(&key, Duration::ZERO, LONG).await?;
    claim.holds(before.entry.is_none(), &before)?;
    let Lead::Ours(token) = &before.lead else { return Err(claim.fails(&before)) };
    let fresh = Fresh { value: None, cost: LOAD, keep: LONG };
    let (fill, set) = watched(cache.fill(&key, token, fresh)).await?;
    claim.holds(fill == Fill::Stored, &fill)?;
    let expiry = Expiry { set, ttl: LONG, slack: bench.pace.slack() };
    let (after, seen) = watched(cache.lead(&key, Duration::ZERO, LONG)).await?;
    let Some(Entry { value, left, .. }) = &after.entry else { return Err(expiry.missing(seen)) };
    claim.holds(value.is_none(), &after)?;
    expiry.fits(seen, *left)?;
    Ok(Held::saw("known to be absent, and only for its time"))
}

pub(super) async fn expiry(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key) = (&*bench.back_end, bench.keys.key("c10"));
    let expiry = stored(bench, &key, value(b"short", bench.pace.ttl(TTL))).await?;
    expiry.nearly().await;
    let (bid, seen) = watched(cache.lead(&key, Duration::ZERO, LONG)).await?;
    expiry.there(seen, bid.entry.is_some())?;
    expiry.over().await;
    let (bid, seen) = watched(cache.lead(&key, Duration::ZERO, LONG)).await?;
    expiry.gone(seen, bid.entry.is_some())?;
    let (ttl, slack) = (units::span(expiry.ttl), units::span(expiry.slack));
    Ok(Held::saw(format!("there before {ttl}, gone {slack} after")))
}
