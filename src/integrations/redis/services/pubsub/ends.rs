//! Whether the end of a key is announced, and when.

use super::{
    super::{super::info::Info, Bench, Broken, Held, Notices, Told, Upset},
    Event, PubSub, Subscription,
};
use crate::units;
use std::{slice, time::Duration};
use tokio::time::{Instant, sleep_until};

/// The case: what it lacks the rights for says nothing of the rest.
pub(crate) const ENDS: &str = "P8";

/// How long the key lives, and how much longer until it is looked at.
const LIFE: Duration = Duration::from_millis(100);
const GRAIN: Duration = Duration::from_millis(20);
/// How long the announcement may take from then on.
const PATIENCE: Duration = Duration::from_millis(500);
/// Whoever waits for the end of a key that nobody looks at waits no longer than this.
const LATE: Duration = Duration::from_mins(1);

const NO_SERVER: Upset = Upset::Moot("no server to ask, or it may not be asked");
const NO_ROOM: Upset = Upset::Moot("no room for a key to end");

pub(super) async fn announced(bench: &Bench<dyn PubSub>) -> Result<Held, Upset> {
    let scene = bench.scene.as_deref().ok_or(NO_SERVER)?;
    let notices = &scene.notices;
    let told = notices.told();
    if told == Some(Told::Nowhere) {
        return judged(notices, None, None);
    }
    let key = bench.keys.key("p8");
    let told = told.unwrap_or(Told::ByKey);
    let topic = bench.back_end.end_of(&key, told).map_err(Upset::Moot)?;
    if !scene.has_room() {
        return Err(NO_ROOM);
    }
    let says = if told == Told::ByEvent { key.as_str() } else { "expired" };
    let listener = bench.back_end.subscribe(slice::from_ref(&topic)).await?;
    bench.back_end.store(&key, LIFE).await?;
    let over = Instant::now() + LIFE + GRAIN;
    sleep_until(over).await;
    // Without it the end comes when the server finds it, which may take minutes.
    bench.back_end.look(&key).await?;
    let until = over + PATIENCE + bench.pace.slowest() * 4;
    let heard = heard(&*listener, says.as_bytes(), until).await?;
    let round = scene.info.as_ref().and_then(Info::expiry_round);
    judged(notices, heard.then(|| over.elapsed()), round)
}

/// Whether this is announced in time. On the channel of all keys others end, too.
async fn heard(listener: &dyn Subscription, says: &[u8], until: Instant) -> Result<bool, Upset> {
    loop {
        let left = until.saturating_duration_since(Instant::now());
        match listener.next(left).await? {
            Some(Event::Message(message)) if message.payload == says => return Ok(true),
            Some(Event::Message(_) | Event::Gap(_)) if !left.is_zero() => {}
            Some(Event::Message(_) | Event::Gap(_)) | None => return Ok(false),
        }
    }
}

/// `after` is how long after its end a key that was looked at was announced; `round` how
/// long it may take for one that is not.
fn judged(
    notices: &Notices,
    after: Option<Duration>,
    round: Option<Duration>,
) -> Result<Held, Upset> {
    let says = notices.says();
    let Some(after) = after else {
        if notices.needed {
            return Err(Upset::Broken(Broken {
                says: format!("no end of a key is told: {says}"),
                asked: "a key that ends after 100ms, looked at then",
                wanted: "an event: `key_events` is set".into(),
                got: "silence".into(),
                remedy: None,
            }));
        }
        let hazard = notices.told().is_some_and(|told| told != Told::Nowhere);
        let hazard = hazard.then(|| format!("{says}, and none came"));
        return Ok(Held::saw(format!("{says}, not needed")).but_for(hazard));
    };
    let late = round.filter(|round| *round > LATE && notices.needed);
    let late = late.map(|round| format!("ends are told up to {} late", units::span(round)));
    Ok(Held::saw(format!("told {} after the end, {says}", units::span(after))).but_for(late))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SOON: Option<Duration> = Some(Duration::from_millis(30));

    fn notices(needed: bool, setting: Option<&str>) -> Notices {
        Notices { needed, setting: setting.map(Into::into) }
    }

    /// What is said of it: a hazard, a failure, or nothing.
    fn said(notices: &Notices, after: Option<Duration>, round: u64) -> Option<String> {
        match judged(notices, after, Some(Duration::from_secs(round))) {
            Ok(held) => held.hazard,
            Err(Upset::Broken(broken)) => Some(broken.says),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn silence_fails_whoever_needs_to_be_told() {
        let off = said(&notices(true, Some("")), None, 0);
        assert_eq!(off.as_deref(), Some("no end of a key is told: key events off"));
        assert_eq!(said(&notices(false, Some("")), None, 0), None);
        assert_eq!(said(&notices(false, None), None, 0), None, "nobody knows whether it is on");
        let none = said(&notices(false, Some("Ex")), None, 0);
        assert_eq!(none.as_deref(), Some("key events \"Ex\", and none came"));
    }

    #[test]
    fn to_be_told_late_is_a_hazard_for_whoever_needs_it() {
        assert_eq!(said(&notices(true, Some("Kx")), SOON, 60), None);
        assert_eq!(said(&notices(false, Some("Kx")), SOON, 61), None);
        let late = said(&notices(true, Some("Kx")), SOON, 61);
        assert_eq!(late.as_deref(), Some("ends are told up to 1m01s late"));
    }
}
