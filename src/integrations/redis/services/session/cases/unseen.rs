//! Whether sessions that nobody asks for any more go away by themselves.

use super::{
    super::super::{Bench, Held, Notices, Told, Upset},
    Key, Sessions, key,
};
use crate::units;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

/// Sessions that are left alone, and how long they live.
const LEFT: u64 = 8;
const LIFE: Duration = Duration::from_millis(100);
/// When to see what of them is still there, after their end.
const LOOKS: [Duration; 3] =
    [Duration::from_millis(400), Duration::from_secs(1), Duration::from_millis(1500)];
/// A server with so many other keys that it takes longer to look at all of them
/// proves nothing by what it has not found yet.
const CONCLUSIVE: Duration = Duration::from_secs(1);
/// Whoever waits for the announcement of an end waits no longer than this.
const PATIENCE: Duration = Duration::from_mins(1);

/// How it begins where it is the server that takes nothing down.
pub(crate) const LINGERS: &str = "background expiry";

const UNTOLD: Upset = Upset::Moot("what takes room is not told");

/// What became of them.
#[derive(Clone, Copy, Debug)]
struct Fate {
    gone: u64,
    after: Duration,
    /// How long the server takes to look at all of its keys.
    round: Option<Duration>,
}

pub(super) async fn goes(bench: &Bench<dyn Sessions>) -> Result<Held, Upset> {
    let keys: Vec<Key> = (0..LEFT).map(|_| key(bench)).collect::<Result<_, _>>()?;
    bench.back_end.leave(&keys, LIFE).await?;
    let ended = Instant::now() + LIFE;
    let mut there = LEFT;
    for look in LOOKS {
        sleep_until(ended + look).await;
        there = bench.back_end.lingering(&keys).await?.ok_or(UNTOLD)?;
        if there == 0 {
            break;
        }
    }
    let scene = bench.scene.as_deref();
    let fate = Fate {
        gone: LEFT.saturating_sub(there),
        after: ended.elapsed(),
        round: scene.and_then(|scene| scene.info.as_ref()?.expiry_round()),
    };
    Ok(judged(fate, scene.map(|scene| &scene.notices)))
}

fn judged(fate: Fate, notices: Option<&Notices>) -> Held {
    let Fate { gone, after, round } = fate;
    let slow = round.filter(|round| *round > CONCLUSIVE);
    let after = units::span(after);
    let saw = match slow.filter(|_| gone < LEFT) {
        Some(round) => {
            format!("{gone} of {LEFT} gone after {after}, all keys take {}", units::span(round))
        }
        None => format!("{gone} of {LEFT} gone {after} after their end"),
    };
    let needs = notices.filter(|notices| notices.needed);
    let hazard = if gone < LEFT && slow.is_none() {
        Some(format!("{LINGERS}: {gone} of {LEFT} keys in {after}"))
    } else if needs.is_some_and(|notices| notices.told() == Some(Told::Nowhere)) {
        Some("nobody is told of sessions that end".into())
    } else {
        let late = slow.filter(|round| *round > PATIENCE && needs.is_some());
        late.map(|late| format!("ends are told up to {} late", units::span(late)))
    };
    Held::saw(saw).but_for(hazard)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hazard(gone: u64, round: u64, needed: bool, setting: &str) -> Option<String> {
        let (after, round) = (Duration::from_millis(1500), Some(Duration::from_millis(round)));
        let notices = Notices { needed, setting: Some(setting.into()) };
        judged(Fate { gone, after, round }, Some(&notices)).hazard
    }

    #[test]
    fn what_lingers_is_a_hazard_unless_there_is_much_else_to_look_at() {
        let off = "background expiry: 7 of 8 keys in 1.5s";
        assert_eq!(hazard(8, 0, false, ""), None);
        assert_eq!(hazard(7, 1000, false, "").as_deref(), Some(off));
        assert_eq!(hazard(7, 1001, false, ""), None, "too many keys to tell");
        let fate = Fate { gone: 0, after: Duration::from_millis(1500), round: None };
        let unknown = judged(fate, None);
        assert_eq!(unknown.hazard.as_deref(), Some("background expiry: 0 of 8 keys in 1.5s"));
        assert_eq!(unknown.saw, "0 of 8 gone 1.5s after their end");
    }

    #[test]
    fn who_waits_for_announcements_must_not_wait_long_or_in_vain() {
        let late = "ends are told up to 1m00s late";
        assert_eq!([hazard(0, 60_000, true, "Ex"), hazard(8, 60_001, false, "Ex")], [None, None]);
        assert_eq!(hazard(0, 60_001, true, "Ex").as_deref(), Some(late));
        let off = Some("nobody is told of sessions that end".to_owned());
        assert_eq!([hazard(8, 0, true, ""), hazard(8, 0, true, "K$")], [off.clone(), off]);
        assert_eq!([hazard(8, 0, false, ""), hazard(8, 0, true, "Ex")], [None, None]);
    }
}
