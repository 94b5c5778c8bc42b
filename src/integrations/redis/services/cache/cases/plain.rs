//! What is filled in comes back, for as long as it was given.

use super::{
    super::{
        super::{Bench, Claim, Held, Upset, watched},
        Cache, Entry, Fresh,
    },
    LOAD, LONG, TTL, stored, value,
};
use crate::units;

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
        asked: "read back 4 KiB of any bytes",
        wanted: "the same bytes",
    };
    let bytes = entry.value.as_deref().unwrap_or_default();
    let differs = bytes.iter().zip(&sent).position(|(got, sent)| got != sent);
    claim.holds(bytes == sent, &(&entry, "first difference at", differs))?;
    expiry.fits(seen, entry.left)?;
    Ok(Held::saw(format!("4 KiB unchanged, read in {}", units::span(seen.to - seen.from))))
}

pub(super) async fn absent(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key) = (&*bench.back_end, bench.keys.key("c2"));
    let claim = Claim {
        else_says: "absent and missing are one to the cache",
        asked: "look before and after it is filled in as absent",
        wanted: "nothing, then that it is absent",
    };
    let before = cache.look(&key).await?;
    claim.holds(before.is_none(), &before)?;
    let expiry = stored(bench, &key, Fresh { value: None, cost: LOAD, keep: LONG }).await?;
    let (after, seen) = watched(cache.look(&key)).await?;
    let Some(Entry { value, left, .. }) = &after else { return Err(expiry.missing(seen)) };
    claim.holds(value.is_none(), &after)?;
    expiry.fits(seen, *left)?;
    Ok(Held::saw("known to be absent, and only for its time"))
}

pub(super) async fn expiry(bench: &Bench<dyn Cache>) -> Result<Held, Upset> {
    let (cache, key) = (&*bench.back_end, bench.keys.key("c10"));
    let expiry = stored(bench, &key, value(b"short", bench.pace.ttl(TTL))).await?;
    expiry.nearly().await;
    let (found, seen) = watched(cache.look(&key)).await?;
    expiry.there(seen, found.is_some())?;
    expiry.over().await;
    let (found, seen) = watched(cache.look(&key)).await?;
    expiry.gone(seen, found.is_some())?;
    let (ttl, slack) = (units::span(expiry.ttl), units::span(expiry.slack));
    Ok(Held::saw(format!("there before {ttl}, gone {slack} after")))
}
