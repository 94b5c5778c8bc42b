//! When a session ends.

use super::{
    super::super::{Bench, Expiry, Held, Upset, watched},
    LONG, Sessions, begun, key, short,
};
use crate::units;
use std::cmp;
use tokio::time::{Instant, sleep, sleep_until};

pub(super) async fn slides(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let expiry = begun(bench, &key, LONG).await?;
    // Longer than the slack, or a session that does not slide would pass.
    sleep(bench.pace.slack() * 2).await;
    let (found, used) = watched(sessions.load(&key)).await?;
    if found.is_none() {
        return Err(expiry.missing(used));
    }
    let (left, seen) = watched(sessions.left(&key)).await?;
    Expiry { set: used, ..expiry }.fits(seen, left)?;
    Ok(Held::saw(format!("back to {} after a use", units::span(LONG.idle))))
}

pub(super) async fn idles_out(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let expiry = begun(bench, &key, short(bench)).await?;
    expiry.nearly().await;
    let (left, seen) = watched(sessions.left(&key)).await?;
    expiry.fits(seen, left)?;
    expiry.over().await;
    let (found, seen) = watched(sessions.load(&key)).await?;
    expiry.gone(seen, found.is_some())?;
    let (ttl, slack) = (units::span(expiry.ttl), units::span(expiry.slack));
    Ok(Held::saw(format!("there before {ttl}, gone {slack} after")))
}

pub(super) async fn ends(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key, life) = (&*bench.back_end, key(bench)?, short(bench));
    let mut idle = begun(bench, &key, life).await?;
    let absolute = Expiry { ttl: life.absolute, ..idle };
    let mut uses = 0;
    loop {
        sleep_until(cmp::min(idle.set.from + life.idle * 2 / 3, absolute.latest())).await;
        let (found, seen) = watched(sessions.load(&key)).await?;
        match found {
            Some(_) => absolute.there(seen, true)?,
            None if seen.to >= absolute.earliest() => break,
            // Not its end yet: either its idle time was cut short, or we came too late to use it.
            None => return Err(idle.missing(seen)),
        }
        idle.set = seen;
        uses += 1;
    }
    let lived = Instant::now() - absolute.set.from;
    let (lived, end) = (units::span(lived), units::span(life.absolute));
    Ok(Held::saw(format!("gone after {lived} of {end}, used {uses} times")))
}
