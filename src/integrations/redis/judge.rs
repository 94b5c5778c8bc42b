//! The part that decides. Pure: what was seen goes in, a finding comes out.

use super::{
    fault::Fault,
    greeting::{Greeting, Role},
    settings::Meant,
};
use crate::{
    domain::{Evidence, Finding, Outcome, Quantity},
    units,
};
use std::time::Duration;

/// What a fresh connection told.
#[derive(Clone, Debug)]
pub(super) struct Met {
    pub(super) greeting: Greeting,
    /// `None` where `ROLE` is denied and the greeting is silent too.
    pub(super) role: Option<Role>,
    /// Round trips of `PING`; at least one.
    pub(super) pings: Vec<Duration>,
    /// Why it refuses `PING` and serves others, if it does.
    pub(super) refusal: Option<Fault>,
    /// What the server is meant to be.
    pub(super) meant: Meant,
    /// Where the connection leads, if not where the address says.
    pub(super) instead: Option<String>,
}

/// What is asked and wanted of a fresh connection.
pub(super) const ASKED: &str = "HELLO 3, PING, ROLE on a fresh connection";
pub(super) const WANTED: &str = "a greeting, PONG, a master";

/// Judges a connection that answered, while this host was late by `lag` at worst:
/// that much of a slow answer may be its own doing.
pub(super) fn connect(met: &Met, lag: Duration, limit: Duration) -> Finding {
    let measured = median(&met.pings);
    let ping = measured.saturating_sub(lag);
    let in_cluster = met.greeting.mode.as_deref() == Some("cluster");
    let (outcome, summary, remedy) = match &met.role {
        Some(Role::Sentinel) => (
            Outcome::Fail,
            "a Sentinel answers, not a data server".into(),
            Some("give the address of the master that it watches"),
        ),
        _ if let Some(refusal) = &met.refusal => {
            (Outcome::Warn, refusal.says.clone(), Some(&*refusal.remedy))
        }
        Some(Role::Replica { master, .. }) if met.meant == Meant::Master && !in_cluster => (
            Outcome::Warn,
            format!("read-only replica of {master}"),
            Some("give the address of the master, unless only reads are wanted"),
        ),
        _ if ping > limit => (
            Outcome::Warn,
            format!("PING takes {}, limit {}", units::span(ping), units::span(limit)),
            Some("look at the network, and for slow commands with SLOWLOG GET"),
        ),
        _ if met.instead.is_some() => (
            Outcome::Warn,
            format!("its address is away, {} answers", met.instead.as_deref().unwrap_or_default()),
            Some("start that node again, or give the address of another one"),
        ),
        Some(role) if in_cluster || matches!(role, Role::Replica { .. }) => {
            let kind = if in_cluster { "cluster" } else { "replica" };
            let summary = format!("{}, {kind}, PING {}", met.greeting.who(), units::span(measured));
            (Outcome::Pass, summary, None)
        }
        Some(_) | None => {
            let summary = format!("{}, PING {}", met.greeting.who(), units::span(measured));
            (Outcome::Pass, summary, None)
        }
    };
    let answer = met.refusal.as_ref().map_or("PONG", |refusal| &*refusal.says);
    let reply =
        format!("{}, {answer} in {}, {}", met.greeting.who(), units::span(measured), role(met));
    let evidence = facts(met, Evidence::default().asked(ASKED).wanted(WANTED).reply(&reply));
    let finding = Finding::new(outcome, &summary)
        .gist(&format!("{} {}", met.greeting.who(), role(met)))
        .latency(measured)
        .measure(Quantity::Time(measured))
        .evidence(evidence.fact("lag of this host", Quantity::Time(lag)));
    match remedy {
        Some(remedy) => finding.remedy(remedy),
        None => finding,
    }
}

fn role(met: &Met) -> String {
    match &met.role {
        Some(Role::Master { replicas: 0 }) => "master".into(),
        Some(Role::Master { replicas }) => format!("master of {replicas}"),
        Some(Role::Replica { master, link }) => format!("replica of {master}, link {link}"),
        Some(Role::Sentinel) => "sentinel".into(),
        Some(Role::Other(word)) => word.clone(),
        None => "role unknown".into(),
    }
}

fn facts(met: &Met, evidence: Evidence) -> Evidence {
    let known = |text: &Option<String>| text.clone().unwrap_or_else(|| "unknown".into());
    let worst = met.pings.iter().max().copied().unwrap_or_default();
    evidence
        .fact("product", &*known(&met.greeting.product))
        .fact("version", &*known(&met.greeting.version))
        .fact("mode", &*known(&met.greeting.mode))
        .fact("role", &*role(met))
        .fact("protocol", &*format!("RESP{}", met.greeting.protocol))
        .fact("slowest PING", Quantity::Time(worst))
}

/// The middle one; of an even number the slower of the two.
pub(super) fn median(times: &[Duration]) -> Duration {
    let mut times = times.to_vec();
    times.sort_unstable();
    times.get(times.len() / 2).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::{super::fault::of_reply, *};

    const LIMIT: Duration = Duration::from_millis(10);

    fn met(role: Option<Role>, pings: &[u64]) -> Met {
        let greeting = Greeting {
            protocol: 3,
            product: Some("redis".into()),
            version: Some("7.0.15".into()),
            ..Greeting::default()
        };
        let pings = pings.iter().map(|micros| Duration::from_micros(*micros)).collect();
        Met { greeting, role, pings, refusal: None, meant: Meant::Master, instead: None }
    }

    const MASTER: Role = Role::Master { replicas: 0 };

    #[test]
    fn a_ping_is_judged_at_its_limits() {
        // However slow: that breaks no promise, and whatever needs the server can tell.
        let cases = [(10_000, Outcome::Pass), (10_001, Outcome::Warn), (900_000, Outcome::Warn)];
        for (micros, outcome) in cases {
            let finding =
                connect(&met(Some(MASTER), &[1, micros, 1_000_000]), Duration::ZERO, LIMIT);
            assert_eq!(finding.outcome, outcome, "{micros} us");
            assert_eq!(finding.latency, Some(Duration::from_micros(micros)));
            assert_eq!(finding.remedy.is_some(), outcome != Outcome::Pass);
        }
    }

    #[test]
    fn every_role_has_its_outcome() {
        let replica = Role::Replica { master: "10.0.0.7:6379".into(), link: "connected".into() };
        let cases = [
            (Some(MASTER), Outcome::Pass, "redis 7.0.15, PING 0.2ms"),
            (Some(replica), Outcome::Warn, "read-only replica of 10.0.0.7:6379"),
            (Some(Role::Sentinel), Outcome::Fail, "a Sentinel answers, not a data server"),
            (Some(Role::Other("active-replica".into())), Outcome::Pass, "redis 7.0.15, PING 0.2ms"),
            (None, Outcome::Pass, "redis 7.0.15, PING 0.2ms"),
        ];
        for (role, outcome, summary) in cases {
            let finding = connect(&met(role, &[200]), Duration::ZERO, LIMIT);
            assert_eq!((finding.outcome, &*finding.summary), (outcome, summary));
        }
    }

    #[test]
    fn a_server_that_refuses_ping_and_serves_others_is_reached() {
        let broken = of_reply("MISCONF", "Redis is configured to save RDB snapshots, but…");
        let met = Met { refusal: Some(broken.clone()), ..met(Some(MASTER), &[200]) };
        let finding = connect(&met, Duration::ZERO, LIMIT);
        assert!(finding.evidence.reply.contains("(MISCONF) in 0.2ms"), "{finding:?}");
        assert_eq!((finding.outcome, finding.summary), (Outcome::Warn, broken.says));
        assert_eq!(finding.remedy, Some(broken.remedy));
    }

    #[test]
    fn a_replica_is_fine_where_one_is_meant_or_a_cluster_leads_on() {
        let replica = Role::Replica { master: "m:1".into(), link: "connected".into() };
        let meant = Met { meant: Meant::Replica, ..met(Some(replica.clone()), &[200]) };
        let finding = connect(&meant, Duration::ZERO, LIMIT);
        assert_eq!(finding.summary, "redis 7.0.15, replica, PING 0.2ms");
        let mut node = met(Some(replica), &[200]);
        node.greeting.mode = Some("cluster".into());
        let finding = connect(&node, Duration::ZERO, LIMIT);
        assert_eq!(finding.summary, "redis 7.0.15, cluster, PING 0.2ms");
        assert_eq!(finding.outcome, Outcome::Pass);
    }

    #[test]
    fn another_node_that_answers_in_its_place_is_a_warning() {
        let met = Met { instead: Some("b:7001".into()), ..met(Some(MASTER), &[200]) };
        let finding = connect(&met, Duration::ZERO, LIMIT);
        assert_eq!(finding.outcome, Outcome::Warn);
        assert_eq!(finding.summary, "its address is away, b:7001 answers");
    }

    #[test]
    fn our_own_lag_is_not_held_against_the_server() {
        let busy = |lag| connect(&met(Some(MASTER), &[60_000]), Duration::from_millis(lag), LIMIT);
        assert_eq!([49, 50].map(|lag| busy(lag).outcome), [Outcome::Warn, Outcome::Pass]);
        assert_eq!(busy(50).latency, Some(Duration::from_millis(60)));
    }

    #[test]
    fn the_median_is_the_middle_one() {
        let of = |ms: &[u64]| {
            median(&ms.iter().map(|ms| Duration::from_millis(*ms)).collect::<Vec<_>>()).as_millis()
        };
        assert_eq!([of(&[9, 1, 5]), of(&[1, 2]), of(&[])], [5, 2, 0]);
    }
}
