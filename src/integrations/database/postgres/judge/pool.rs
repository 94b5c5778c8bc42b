use crate::{
    domain::{Cause, Evidence, Finding, Quantity},
    integrations::database::{
        judge::{accounted, accounting, count, time},
        pooling::SIZE,
        postgres::activity::{Habits, Pooled, Room, Seen},
    },
};

/// Shares of a room at which it is getting full, and as good as full, in percent.
pub(in super::super) const FULL: (u64, u64) = (80, 95);
/// Share of the room in percent that may idle for over an hour.
const STALE: u64 = 25;
/// Abandoned sessions that say something, and their share in percent of those begun.
const ABANDONED: (u64, u64) = (5, 10);

/// Whether a pool keeps its books, the server agrees, and there is room for more.
pub(in super::super) fn pool(pooled: &Pooled) -> Finding {
    let Pooled { rooms, trial, habits, own_session } = pooled;
    let fullest = rooms.iter().max_by_key(|room| percent(room)).cloned().unwrap_or_default();
    let finding = crowded(&fullest, FULL.1)
        .map(|(says, remedy)| Finding::fail(&says).remedy(remedy))
        .or_else(|| match trial {
            None => Some(spared(rooms)),
            Some((accounts, seen)) => {
                accounting(accounts).or_else(|| disagreement(*seen, *own_session))
            }
        })
        .or_else(|| crowded(&fullest, FULL.0).map(|(s, remedy)| Finding::warn(&s).remedy(remedy)))
        .or_else(|| habit(habits, &fullest))
        .unwrap_or_else(|| {
            // What is fullest of all is no news where nothing is full.
            let Room { used, most, .. } = rooms.first().unwrap_or(&fullest);
            Finding::pass(&format!("pool of {SIZE} adds up, {used} of {most} connections"))
        });
    finding.evidence(evidence(pooled)).measure(Quantity::Ratio(share(&fullest)))
}

fn crowded(room: &Room, limit: u64) -> Option<(String, &'static str)> {
    let Room { what, used, most, .. } = room;
    (percent(room) >= limit).then(|| {
        let remedy = match what.split_once(' ') {
            None => "close idle connections, pool them, or raise max_connections",
            Some(("role", _)) => "close its idle connections, or ALTER ROLE … CONNECTION LIMIT",
            Some(_) => "close idle connections, or ALTER DATABASE … CONNECTION LIMIT",
        };
        (format!("{what}: {used} of {most} connections taken"), remedy)
    })
}

/// There is no room for a pool of ours where fewest connections are left to us.
fn spared(rooms: &[Room]) -> Finding {
    let left = |room: &&Room| room.most.saturating_sub(room.used);
    let narrowest = rooms.iter().filter(|room| room.ours).min_by_key(left);
    let Room { what, used, most, .. } = narrowest.cloned().unwrap_or_default();
    let says = format!("{what}: {used} of {most} taken, no room to try");
    let remedy = "raise the connection limit: a pool of 2 must not take the last room";
    Finding::unknown(Cause::NoSamples, &says).remedy(remedy)
}

/// Where the server sees another number than the pool says.
fn disagreement(seen: Seen, own_session: bool) -> Option<Finding> {
    let held = u64::from(SIZE);
    if seen.held != held {
        let says = format!("{SIZE} held, the server sees {}", seen.held);
        return Some(if own_session {
            Finding::fail(&says).remedy("look into pg_stat_activity for sessions of tminus-pool")
        } else {
            Finding::warn("a pooler shares sessions in transaction mode")
                .remedy("point the url at the server itself, or use the pooler's SHOW POOLS")
        });
    }
    (seen.left > 0).then(|| {
        Finding::fail(&format!("{} of {SIZE} closed sessions still there", seen.left))
            .remedy("look for a proxy that keeps sessions of clients that have left")
    })
}

/// What is odd in how the applications use their sessions.
fn habit(habits: &Habits, room: &Room) -> Option<Finding> {
    let stale = habits.stale.unwrap_or_default();
    if stale * 100 >= room.most * STALE && stale > 0 {
        let says = format!("{stale} of {} connections idle for over 1h", room.most);
        let remedy = "let the applications' pools close what idles: idle_timeout, max_lifetime";
        return Some(Finding::warn(&says).remedy(remedy));
    }
    let (gone, begun) = habits.abandoned.zip(habits.begun)?;
    (gone >= ABANDONED.0 && gone * 100 >= begun * ABANDONED.1).then(|| {
        Finding::warn(&format!("{gone} of {begun} sessions abandoned"))
            .remedy("look for clients that crash, or a firewall that cuts idle connections")
    })
}

fn evidence(pooled: &Pooled) -> Evidence {
    let Pooled { rooms, trial, habits, .. } = pooled;
    let mut evidence = match trial {
        Some((accounts, seen)) => {
            let evidence = count(accounted(accounts), "held, server", seen.held);
            let evidence = count(evidence, "open when closed, server", seen.left);
            time(evidence, "gone after, server", seen.gone_after)
        }
        None => Evidence::default()
            .asked("how many connections are taken")
            .wanted("room for a pool of 2")
            .reply("not enough of it"),
    };
    for Room { what, used, most, .. } in rooms {
        evidence = evidence.fact(what, format!("{used} of {most}").as_str());
    }
    evidence = count(evidence, "without application_name", habits.nameless);
    evidence = match habits.stale {
        Some(stale) => count(evidence, "idle for over 1h", stale),
        None => evidence.fact("idle for over 1h", "hidden from this role"),
    };
    match habits.begun.zip(habits.abandoned) {
        Some((begun, abandoned)) => count(
            count(evidence, "begun since last look", begun),
            "abandoned since last look",
            abandoned,
        ),
        None => evidence,
    }
}

/// How full it is, in percent, rounded down.
pub(in super::super) fn percent(room: &Room) -> u64 {
    room.used * 100 / room.most.max(1)
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits than f64 has")]
fn share(room: &Room) -> f64 {
    room.used as f64 / room.most.max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::database::pooling::{Accounts, Count, Third};
    use std::time::Duration;

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn room(what: &str, used: u64, most: u64) -> Room {
        Room { what: what.into(), used, most, ours: true }
    }

    fn pooled(rooms: Vec<Room>, held: u64, left: u64) -> Pooled {
        let accounts = Accounts {
            held: Count { open: 2, idle: 0 },
            patience: ms(250),
            third: Third::TimedOut(ms(251)),
            returned: Count { open: 2, idle: 2 },
            closed: Count { open: 0, idle: 0 },
            acquire: ms(3),
        };
        let seen = Seen { held, left, gone_after: ms(4) };
        let habits = Habits { stale: Some(0), ..Habits::default() };
        Pooled { rooms, trial: Some((accounts, seen)), habits, own_session: true }
    }

    fn says(pooled: &Pooled) -> (&'static str, String) {
        let finding = pool(pooled);
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        let explained = finding.remedy.is_some() && !finding.evidence.reply.is_empty();
        assert!(finding.outcome.word() == "pass" || explained, "{finding:?}");
        (finding.outcome.word(), finding.summary)
    }

    #[test]
    fn room_is_judged_at_both_sides_of_its_limits() {
        let at = |used| says(&pooled(vec![room("server", used, 100)], 2, 0));
        assert_eq!(at(79), ("pass", "pool of 2 adds up, 79 of 100 connections".into()));
        assert_eq!(at(80), ("warn", "server: 80 of 100 connections taken".into()));
        assert_eq!(at(94).0, "warn");
        assert_eq!(at(95), ("fail", "server: 95 of 100 connections taken".into()));
        let rooms = vec![room("server", 10, 100), room("role app", 10, 10)];
        let finding = pool(&pooled(rooms, 2, 0));
        assert_eq!(finding.summary, "role app: 10 of 10 connections taken");
        assert!(finding.remedy.unwrap().contains("ALTER ROLE"));
    }

    #[test]
    fn the_server_has_to_see_what_the_pool_says() {
        let quiet = || vec![room("server", 5, 100)];
        assert_eq!(says(&pooled(quiet(), 3, 0)), ("fail", "2 held, the server sees 3".into()));
        let left = ("fail", "1 of 2 closed sessions still there".to_owned());
        assert_eq!(says(&pooled(quiet(), 2, 1)), left);
        let shared = Pooled { own_session: false, ..pooled(quiet(), 1, 0) };
        assert_eq!(says(&shared).0, "warn");
    }

    #[test]
    fn the_last_room_is_left_to_others() {
        let tight = Pooled { trial: None, ..pooled(vec![room("server", 2, 4)], 2, 0) };
        assert_eq!(says(&tight), ("unknown", "server: 2 of 4 taken, no room to try".into()));
        let rooms = || {
            let other = Room { ours: false, ..room("role app", 3, 4) };
            vec![room("server", 90, 200), room("role us", 1, 3), other]
        };
        let tight = Pooled { trial: None, ..pooled(rooms(), 2, 0) };
        assert_eq!(says(&tight), ("unknown", "role us: 1 of 3 taken, no room to try".into()));
    }

    #[test]
    fn odd_habits_are_a_warning() {
        let with = |habits| says(&Pooled { habits, ..pooled(vec![room("server", 30, 100)], 2, 0) });
        assert_eq!(with(Habits { stale: Some(24), ..Habits::default() }).0, "pass");
        assert_eq!(with(Habits { stale: Some(25), ..Habits::default() }).0, "warn");
        let gone = |abandoned, begun| {
            with(Habits { abandoned: Some(abandoned), begun: Some(begun), ..Habits::default() }).0
        };
        assert_eq!([gone(4, 10), gone(5, 50), gone(5, 51)], ["pass", "warn", "pass"]);
    }
}
