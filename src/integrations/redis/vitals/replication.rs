use super::{Grade, Info, Row};
use crate::units;
use std::collections::HashMap;

/// Seconds without a word between a master and a replica.
const SILENCE: u64 = 10;
/// Bytes a replica may be behind before it is a warning, and a failure.
const BEHIND: (u64, u64) = (10 << 20, 64 << 20);

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
    Some(Row::new("master", grade, says, "mend the network to the master, or promote a replica"))
}

/// Our replicas; `None` where there are none.
pub(super) fn replicas(info: &Info) -> Option<Row> {
    let replicas = info.replicas();
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
    Some(Row::new("replicas", grade, says, "look at the replica's log and at the network to it"))
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

    #[test]
    fn a_master_is_judged_by_its_replicas() {
        let of = |behind: u64, lag: u64, state: &str| {
            let offset = 1 << 30;
            let theirs = offset - behind;
            replicas(&Info::parse(&format!(
                "master_repl_offset:{offset}\nslave0:state=online,offset={offset},lag=0\n\
                 slave1:state={state},offset={theirs},lag={lag}"
            )))
            .unwrap()
            .grade
        };
        assert_eq!(of(10 << 20, 9, "online"), Grade::Fine);
        assert_eq!(of((10 << 20) + 1, 0, "online"), Grade::Warn);
        assert_eq!(of(64 << 20, 0, "online"), Grade::Warn);
        assert_eq!(of((64 << 20) + 1, 0, "online"), Grade::Fail);
        assert_eq!(of(0, 10, "online"), Grade::Warn);
        assert_eq!(of(0, 0, "wait_bgsave"), Grade::Warn);
        assert_eq!(replicas(&Info::parse("master_repl_offset:5")), None);
    }
}
