//! What may change a session, and what may not.

use super::{
    super::{
        super::{Bench, Claim, Held, Left, Upset, watched},
        Created, Key, Life, Rotated, Saved, Session, Sessions,
    },
    DATA, LONG, begun, key, short,
};
use std::time::Duration;
use tokio::time::sleep;

pub(super) async fn begins(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let expiry = begun(bench, &key, LONG).await?;
    let again = sessions.create(&key, b"intruder", LONG).await?;
    let claim = Claim {
        else_says: "a session was begun twice",
        asked: "create a session that exists",
        wanted: "refused, and the first unchanged",
    };
    claim.holds(again == Created::Exists, &again)?;
    let (found, seen) = watched(sessions.load(&key)).await?;
    let Some(session) = found else { return Err(expiry.missing(seen)) };
    claim.holds(session == Session { data: DATA.into(), version: 1 }, &session)?;
    Ok(Held::saw("the second time it is refused"))
}

pub(super) async fn stays_dead(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, destroyed, expired) = (&*bench.back_end, key(bench)?, key(bench)?);
    let expiry = begun(bench, &expired, short(bench)).await?;
    begun(bench, &destroyed, LONG).await?;
    // Twice: to end what has ended is no error.
    sessions.destroy(&destroyed).await?;
    sessions.destroy(&destroyed).await?;
    expiry.over().await;
    let claim = Claim {
        else_says: "a change brought an ended session back",
        asked: "save, rotate and load after the end",
        wanted: "gone, and no key",
    };
    let elsewhere = key(bench)?;
    for key in [&destroyed, &expired] {
        let saved = sessions.save(key, 1, b"back").await?;
        let loaded = sessions.load(key).await?;
        claim.holds(saved == Saved::Gone && loaded.is_none(), &(saved, loaded))?;
    }
    let rotated = sessions.rotate(&expired, &elsewhere).await?;
    claim.holds(rotated == Rotated::Gone, &rotated)?;
    let left = sessions.left(&elsewhere).await?;
    claim.holds(left == Left::Absent, &left)?;
    Ok(Held::saw("neither save nor rotation nor use brings it back"))
}

pub(super) async fn conflicts(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let expiry = begun(bench, &key, LONG).await?;
    let first = sessions.save(&key, 1, b"first").await?;
    let second = sessions.save(&key, 1, b"second").await?;
    let claim = Claim {
        else_says: "a writer overwrote another unawares",
        asked: "two saves of one version",
        wanted: "saved, then a conflict, the first kept",
    };
    claim.holds((first, second) == (Saved::Stored, Saved::Conflict), &(first, second))?;
    let (found, seen) = watched(sessions.load(&key)).await?;
    let Some(session) = found else { return Err(expiry.missing(seen)) };
    claim.holds(session == Session { data: b"first".into(), version: 2 }, &session)?;
    Ok(Held::saw("the second save is a conflict"))
}

/// Only the absolute end counts, so that a deadline that was set anew would show.
const FIXED: Life = Life { idle: Duration::from_secs(20), absolute: Duration::from_secs(20) };

pub(super) async fn rotates(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, old, new, taken) = (&*bench.back_end, key(bench)?, key(bench)?, key(bench)?);
    let expiry = begun(bench, &old, FIXED).await?;
    begun(bench, &taken, LONG).await?;
    let claim = Claim {
        else_says: "a session lost itself while changing its key",
        asked: "rotate to a key that is taken, then to a free one",
        wanted: "refused, then moved with its data and version",
    };
    let saved = sessions.save(&old, 1, b"kept").await?;
    let refused = sessions.rotate(&old, &taken).await?;
    // Longer than the slack, or an end that was set anew would pass.
    sleep(bench.pace.slack() * 2).await;
    let moved = sessions.rotate(&old, &new).await?;
    let all = (saved, refused, moved);
    claim.holds(all == (Saved::Stored, Rotated::Exists, Rotated::Moved), &all)?;
    // Before a use sets it right, and after, when the absolute end shows.
    let (left, seen) = watched(sessions.left(&new)).await?;
    expiry.fits(seen, left)?;
    let (found, seen) = watched(sessions.load(&new)).await?;
    let Some(session) = found else { return Err(expiry.missing(seen)) };
    claim.holds(session == Session { data: b"kept".into(), version: 2 }, &session)?;
    let (left, seen) = watched(sessions.left(&new)).await?;
    expiry.fits(seen, left)?;
    gone(bench, &old).await?;
    Ok(Held::saw("same data, same end, the old key gone"))
}

/// The old key of a session that has changed it opens nothing.
async fn gone(bench: &Bench<dyn Sessions>, old: &Key) -> Result<(), Upset> {
    let claim = Claim {
        else_says: "the old key of a session still opens it",
        asked: "load under the old key",
        wanted: "nothing there",
    };
    let loaded = bench.back_end.load(old).await?;
    claim.holds(loaded.is_none(), &loaded)
}

/// Each change is looked at once in all: `load` by S2, `rotate` by S7, `create` by S3.
pub(super) async fn never_immortal(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let (sessions, key) = (&*bench.back_end, key(bench)?);
    let expiry = begun(bench, &key, LONG).await?;
    sessions.save(&key, 1, b"saved").await?;
    let (left, seen) = watched(sessions.left(&key)).await?;
    expiry.fits(seen, left)?;
    Ok(Held::saw("the same end after a save"))
}
