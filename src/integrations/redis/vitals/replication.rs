use super::{Aspect, Grade, Growth, Info, Past, Row, Seen, some};
use crate::units;
use std::collections::HashMap;

/// Seconds without a word between a master and a replica.
const SILENCE: u64 = 10;
/// Bytes a replica may be behind before it is a warning, and a failure.
const BEHIND: (u64, u64) = (10 << 20, 64 << 20);

pub(super) const MASTER: Aspect = Aspect {
    name: "master",
    limit: "up; 10s",
    why: "a replica without its master serves old data",
    see: "INFO replication",
    remedy: "mend the network to the master, or promote a replica",
};
pub(super) const REPLICAS: Aspect = Aspect {
    name: "replicas",
    limit: "10 MiB, 64 MiB; 10s",
    why: "what a replica lacks is lost in a failover",
    see: "INFO replication",
    remedy: "look at the replica's log and at the network to it",
};
pub(super) const RESYNCS: Aspect = Aspect {
    name: "full syncs",
    limit: "none",
    why: "the backlog is too small for the link, and each costs a fork",
    see: "INFO stats, twice",
    remedy: "raise repl-backlog-size, or mend a link that flaps",
};

/// The link to our master; `None` on a master.
pub(super) fn master_link(info: &Info) -> Option<Row> {
    let status = info.text("master_link_status")?;
    let silence = info.count("master_last_io_seconds_ago").unwrap_or(0);
    let (grade, says) = if info.flag("master_sync_in_progress") == Some(true) {
        (Grade::Warn, "copying the master's data".into())
    } else if status != "up" {
        (Grade::Fail, format!("link to the master is {status}"))
    } else if silence > SILENCE {
        (Grade::Warn, format!("master silent for {silence}s, limit {SILENCE}s"))
    } else if info.flag("slave_read_only") == Some(false) {
        (Grade::Warn, "a replica that accepts writes".into())
    } else {
        (Grade::Fine, "link to the master is up".into())
    };
    Some(Row::new(&MASTER, grade, says))
}

/// Our replicas; `None` where there are and were none.
pub(super) fn replicas(seen: &Seen, past: &Past) -> Option<Row> {
    let info = &seen.info;
    let replicas = info.replicas();
    let wanted = seen.setting("min-replicas-to-write").and_then(|it| it.parse::<u64>().ok());
    let good = info.count("min_slaves_good_slaves");
    if let (Some(wanted), Some(good)) = (wanted, good)
        && good < wanted
    {
        let says = format!("{good} of {wanted} replicas that writes need");
        return Some(Row::new(&REPLICAS, Grade::Fail, says));
    }
    if info.text("role") == Some("master") && replicas.len() < past.replicas {
        let says = format!("{} of {} replicas left", replicas.len(), past.replicas);
        return Some(Row::new(&REPLICAS, Grade::Fail, says));
    }
    let offset = info.count("master_repl_offset").filter(|_| !replicas.is_empty())?;
    let most = |name: &str, of: fn(u64, u64) -> u64| {
        let numbers = replicas.iter().filter_map(|replica| number(replica, name));
        numbers.map(|theirs| of(offset, theirs)).max().unwrap_or(0)
    };
    let behind = most("offset", u64::saturating_sub);
    let lag = most("lag", |_, lag| lag);
    let online = replicas.iter().filter(|fields| fields.get("state") == Some(&"online")).count();
    let (soft, hard) = BEHIND;
    let (grade, says) = match behind {
        far if far > hard => (Grade::Fail, format!("a replica is {} behind", units::bytes(far))),
        far if far > soft => (Grade::Warn, format!("a replica is {} behind", units::bytes(far))),
        _ if lag >= SILENCE => (Grade::Warn, format!("a replica is silent for {lag}s")),
        _ if online < replicas.len() => {
            (Grade::Warn, format!("{online} of {} replicas online", replicas.len()))
        }
        _ => (Grade::Fine, format!("{online} online")),
    };
    Some(Row::new(&REPLICAS, grade, says))
}

/// Replicas that had to copy everything anew.
pub(super) fn resyncs(seen: &Seen, past: &Past) -> Option<Row> {
    let of = |name| past.growth(&seen.info, name);
    Some(match (of("sync_full")?, of("sync_partial_err")) {
        (Growth::Unknown, _) => Row::open(&RESYNCS),
        (Growth::By(n @ 1..), _) => {
            Row::new(&RESYNCS, Grade::Warn, format!("{} since the last look", some(n, "full sync")))
        }
        (Growth::By(0), Some(Growth::By(n @ 1..))) => {
            Row::new(&RESYNCS, Grade::Warn, format!("{} refused", some(n, "partial sync")))
        }
        (Growth::By(0), _) => Row::new(&RESYNCS, Grade::Fine, "none since the last look"),
    })
}

fn number(replica: &HashMap<&str, &str>, name: &str) -> Option<u64> {
    replica.get(name)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_replica_is_judged_by_its_link() {
        let of = |text: &str| {
            let row = master_link(&Info::parse(text)).unwrap();
            (row.grade, row.says)
        };
        assert_eq!(master_link(&Info::parse("role:master")), None);
        assert_eq!(of("master_link_status:up\nmaster_last_io_seconds_ago:10").0, Grade::Fine);
        assert_eq!(of("master_link_status:up\nmaster_last_io_seconds_ago:11").0, Grade::Warn);
        assert_eq!(of("master_link_status:up\nslave_read_only:0").0, Grade::Warn);
        assert_eq!(of("master_link_status:down\nmaster_sync_in_progress:1").0, Grade::Warn);
        let down = of("master_link_status:down\nmaster_last_io_seconds_ago:-1");
        assert_eq!(down, (Grade::Fail, "link to the master is down".into()));
    }

    #[tokio::test]
    async fn a_master_is_judged_by_its_replicas() {
        let of = |behind: u64, lag: u64, state: &str| {
            let offset = 1 << 30;
            let theirs = offset - behind;
            let info = Info::parse(&format!(
                "master_repl_offset:{offset}\nslave0:state=online,offset={offset},lag=0\n\
                 slave1:state={state},offset={theirs},lag={lag}"
            ));
            replicas(&Seen::of(info), &Past::default()).unwrap().grade
        };
        assert_eq!(of(10 << 20, 9, "online"), Grade::Fine);
        assert_eq!(of((10 << 20) + 1, 0, "online"), Grade::Warn);
        assert_eq!(of(64 << 20, 0, "online"), Grade::Warn);
        assert_eq!(of((64 << 20) + 1, 0, "online"), Grade::Fail);
        assert_eq!(of(0, 10, "online"), Grade::Warn);
        assert_eq!(of(0, 0, "wait_bgsave"), Grade::Warn);
        let none = Seen::of(Info::parse("role:master\nmaster_repl_offset:5"));
        let mut past = Past::default();
        assert_eq!(replicas(&none, &past), None);
        past.replicas = 1;
        let row = replicas(&none, &past).unwrap();
        assert_eq!((row.grade, &*row.says), (Grade::Fail, "0 of 1 replicas left"));
    }

    #[tokio::test]
    async fn a_write_gate_and_a_full_sync_are_told() {
        let seen = |further: &str| {
            let info = Info::parse(&format!("run_id:a\nrole:master\n{further}"));
            let config = [("min-replicas-to-write".to_owned(), "2".to_owned())];
            Seen { config: Some(config.into()), ..Seen::of(info) }
        };
        let gated = replicas(&seen("min_slaves_good_slaves:1"), &Past::default()).unwrap();
        assert_eq!(gated.says, "1 of 2 replicas that writes need");
        let mut past = Past::default();
        past.remember(&seen("sync_full:1\nsync_partial_err:0"));
        let of = |full, refused| {
            let text = format!("sync_full:{full}\nsync_partial_err:{refused}");
            resyncs(&seen(&text), &past).unwrap().grade
        };
        assert_eq!([of(1, 0), of(2, 0), of(1, 1)], [Grade::Fine, Grade::Warn, Grade::Warn]);
    }
}
