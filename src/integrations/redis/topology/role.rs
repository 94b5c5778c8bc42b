//! Whether a single server is what it is meant to be. Pure.

use super::super::{greeting::Role, settings::Meant};
use crate::domain::{Cause, Evidence, Finding};

pub(super) const ASKED: &str = "ROLE";

/// Judges the role of a server that is no node of a cluster.
pub(super) fn judge(role: Option<&Role>, meant: Meant) -> Finding {
    let wanted = match meant {
        Meant::Master => "a master",
        Meant::Replica => "a replica whose link to its master is up",
    };
    let evidence = Evidence::default().asked(ASKED).wanted(wanted);
    let finding = match (role, meant) {
        (Some(Role::Master { replicas }), Meant::Master) => Finding::pass(&match replicas {
            0 => "a single master".into(),
            1 => "a master of 1 replica".into(),
            many => format!("a master of {many} replicas"),
        }),
        (Some(Role::Replica { master, .. }), Meant::Master) => {
            Finding::fail(&format!("a replica of {master}, a master is meant"))
                .remedy("give the address of the master, or say `replica = true` if it is meant")
        }
        (Some(Role::Replica { master, link }), Meant::Replica) => of_link(master, link),
        (Some(Role::Master { .. }), Meant::Replica) => Finding::fail(
            "a master, a replica is meant",
        )
        .remedy("give the address of the replica, or leave `replica` out; it may be promoted"),
        (Some(Role::Sentinel), _) => Finding::fail("a Sentinel answers, not a data server")
            .remedy("name it in `sentinels`, with `master`"),
        (Some(Role::Other(word)), _) => {
            Finding::warn(&format!("an unknown role: {word}")).remedy("compare with redis-cli ROLE")
        }
        (None, _) => Finding::unknown(Cause::NotPermitted, "the server does not tell its role")
            .remedy("grant it: ACL SETUSER <user> +role"),
    };
    let reply = finding.summary.clone();
    finding.evidence(evidence.reply(&reply))
}

fn of_link(master: &str, link: &str) -> Finding {
    match link {
        // A server that denies ROLE tells the role and not the link.
        "connected" | "unknown" => Finding::pass(&format!("a replica of {master}, as meant")),
        "sync" => Finding::warn(&format!("copying the data of {master}"))
            .remedy("wait until the copy is complete"),
        other => Finding::fail(&format!("its link to {master} is {other}"))
            .remedy("look at the master, and at the network to it"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;

    fn judged(role: Option<&Role>, meant: Meant) -> (Outcome, String) {
        let finding = judge(role, meant);
        assert_eq!(finding.remedy.is_some(), finding.outcome != Outcome::Pass);
        (finding.outcome, finding.summary)
    }

    fn replica(link: &str) -> Role {
        Role::Replica { master: "a:1".into(), link: link.into() }
    }

    #[test]
    fn a_role_is_held_against_what_is_meant() {
        use Meant::{Master, Replica};
        let master = |replicas| Role::Master { replicas };
        let cases = [
            (master(0), Master, Outcome::Pass, "a single master"),
            (master(2), Master, Outcome::Pass, "a master of 2 replicas"),
            (master(1), Replica, Outcome::Fail, "a master, a replica is meant"),
            (replica("connected"), Master, Outcome::Fail, "a replica of a:1, a master is meant"),
            (replica("connected"), Replica, Outcome::Pass, "a replica of a:1, as meant"),
            (replica("sync"), Replica, Outcome::Warn, "copying the data of a:1"),
            (replica("connect"), Replica, Outcome::Fail, "its link to a:1 is connect"),
            (Role::Sentinel, Master, Outcome::Fail, "a Sentinel answers, not a data server"),
            (Role::Other("x".into()), Master, Outcome::Warn, "an unknown role: x"),
        ];
        for (role, meant, outcome, says) in cases {
            assert_eq!(judged(Some(&role), meant), (outcome, says.into()));
        }
        assert_eq!(judged(None, Master).0, Outcome::Unknown(Cause::NotPermitted));
    }
}
