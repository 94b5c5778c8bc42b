//! Whether every slot of a cluster is served, and would be if a master died. Pure.

use super::{
    super::slots::ALL,
    shards::{Shard, View},
    verdict::{Remark, conclude},
};
use crate::domain::{Evidence, Finding};

const ASKED: &str = "CLUSTER SHARDS, then CLUSTER INFO and NODES of every master";
const WANTED: &str = "every slot served, each shard with a replica, nothing moving";
const MEND: &str = "start the node again, or let a replica take over with CLUSTER FAILOVER FORCE";

/// A master of a cluster, and how it sees it, or why it tells nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Member {
    pub(super) shard: Shard,
    pub(super) view: Result<View, String>,
}

/// Judges a cluster of so many shards by what the masters in `members` say.
pub(super) fn judge(members: &[Member], shards: usize) -> Finding {
    let nobody = members.is_empty().then(|| {
        Remark::fail("a cluster without slots", "give its masters slots: redis-cli --cluster fix")
    });
    let mut remarks: Vec<Remark> =
        nobody.into_iter().chain(members.iter().filter_map(gone)).collect();
    let views: Vec<(&Member, &View)> =
        members.iter().filter_map(|member| Some((member, member.view.as_ref().ok()?))).collect();
    remarks.extend(views.iter().find_map(|(member, view)| down(member, view)));
    remarks.extend(views.iter().find_map(|(_, view)| slots(view)));
    remarks.extend(views.iter().flat_map(|(_, view)| moving(view)));
    remarks.extend(alone(members, shards));
    let served: usize = members.iter().map(|member| member.shard.slots.count()).sum();
    let well = match members.len() {
        all if all == shards => format!("{shards} shards, {served} slots, all replicated"),
        some => format!("{some} of {shards} shards asked, all well"),
    };
    conclude(&remarks, &well, evidence(members))
}

/// A master that cannot be asked.
fn gone(member: &Member) -> Option<Remark> {
    let why = member.view.as_ref().err()?;
    let Shard { slots, .. } = &member.shard;
    let name = member.shard.name();
    let who = if why.contains(&name) { String::new() } else { format!("{name}: ") };
    Some(Remark::fail(format!("{who}{why}, {slots}"), MEND))
}

fn down(member: &Member, view: &View) -> Option<Remark> {
    let says = format!("cluster_state {}, says {}", view.state, member.shard.name());
    (view.state != "ok").then(|| Remark::fail(says, MEND))
}

/// Slots that nobody serves, or whose master may be gone.
fn slots(view: &View) -> Option<Remark> {
    let all = u64::from(ALL);
    let assigned = view.assigned.unwrap_or(all);
    if view.fail > 0 {
        return Some(Remark::fail(format!("{} slots fail", view.fail), MEND));
    }
    if assigned < all {
        let says = format!("{} slots belong to nobody", all - assigned);
        let remedy = "give them to a master: redis-cli --cluster fix";
        // With cluster-require-full-coverage off the others are served all the same.
        let partial = view.state == "ok";
        return Some(if partial { Remark::warn(says, remedy) } else { Remark::fail(says, remedy) });
    }
    (view.pfail > 0).then(|| Remark::warn(format!("{} slots may fail", view.pfail), MEND))
}

fn moving(view: &View) -> Vec<Remark> {
    let remedy = "let the resharding end; redis-cli --cluster fix ends one that was broken off";
    let told = view.moving.iter();
    told.map(|moving| Remark::warn(format!("migrating: {moving}"), remedy)).collect()
}

/// Shards that would be lost with their master.
fn alone(members: &[Member], shards: usize) -> Option<Remark> {
    let alone = members.iter().filter(|member| member.shard.replicas == 0).count();
    (alone > 0).then(|| {
        Remark::warn(
            format!("{alone} of {shards} shards without a replica"),
            "give every master a replica; its slots are lost with it otherwise",
        )
    })
}

fn evidence(members: &[Member]) -> Evidence {
    let evidence = Evidence::default().asked(ASKED).wanted(WANTED);
    members.iter().fold(evidence, |evidence, member| {
        let Shard { slots, replicas, .. } = &member.shard;
        let says = match &member.view {
            Ok(view) => format!(
                "{slots}, {replicas} replicas, state {}, {} assigned, {} pfail, {} fail{}",
                view.state,
                view.assigned.unwrap_or_default(),
                view.pfail,
                view.fail,
                if view.moving.is_empty() { "" } else { ", migrating" },
            ),
            Err(why) => format!("{slots}, {why}"),
        };
        evidence.fact(&member.shard.name(), &*says)
    })
}

#[cfg(test)]
mod tests {
    use super::{super::super::slots::Slots, *};
    use crate::domain::Outcome;

    fn view() -> View {
        View { state: "ok".into(), assigned: Some(16_384), ..View::default() }
    }

    fn member(port: u16, replicas: usize, view: Result<View, String>) -> Member {
        let slots = Slots::of([(0, 99)]);
        let host = "a".into();
        Member { shard: Shard { host, port, slots, replicas, is_down: false }, view }
    }

    fn judged(replicas: usize, view_of_second: Result<View, String>) -> (Outcome, String) {
        let members = [member(1, 1, Ok(view())), member(2, replicas, view_of_second)];
        let finding = judge(&members, 2);
        assert_eq!(finding.remedy.is_some(), finding.outcome != Outcome::Pass);
        (finding.outcome, finding.summary)
    }

    #[test]
    fn a_cluster_that_serves_everything_twice_passes() {
        let expected = "2 shards, 200 slots, all replicated";
        assert_eq!(judged(1, Ok(view())), (Outcome::Pass, expected.into()));
        let large = judge(&[member(1, 1, Ok(view()))], 40);
        assert_eq!(large.summary, "1 of 40 shards asked, all well");
    }

    #[test]
    fn what_is_not_served_fails() {
        let refused = || Err("connection refused by a:2/0".to_owned());
        let hung = || Err("hung: connected, no answer within 1.0s".to_owned());
        let cases = [
            (refused(), "connection refused by a:2/0, slots 0-99"),
            (hung(), "a:2: hung: connected, no answer within 1.0s, slots 0-99"),
            (Ok(View { state: "fail".into(), ..view() }), "cluster_state fail, says a:2"),
            (Ok(View { fail: 1, ..view() }), "1 slots fail"),
            (
                Ok(View { state: "fail".into(), assigned: Some(16_383), ..view() }),
                "cluster_state fail, says a:2; 1 more",
            ),
        ];
        for (view, says) in cases {
            assert_eq!(judged(1, view), (Outcome::Fail, says.into()));
        }
    }

    #[test]
    fn a_cluster_that_serves_nothing_fails() {
        let finding = judge(&[], 0);
        assert_eq!(
            (finding.outcome, &*finding.summary),
            (Outcome::Fail, "a cluster without slots")
        );
    }

    #[test]
    fn what_may_be_lost_or_moves_is_a_warning() {
        let moving = vec!["slot 77 leaves for b:3".to_owned()];
        let cases = [
            (1, View { pfail: 2, ..view() }, "2 slots may fail"),
            (1, View { assigned: Some(16_383), ..view() }, "1 slots belong to nobody"),
            (1, View { moving, ..view() }, "migrating: slot 77 leaves for b:3"),
            (0, view(), "1 of 2 shards without a replica"),
        ];
        for (replicas, view, says) in cases {
            assert_eq!(judged(replicas, Ok(view)), (Outcome::Warn, says.into()));
        }
    }

    #[test]
    fn every_shard_has_a_row() {
        let finding = judge(&[member(1, 1, Ok(view())), member(2, 0, Err("gone".into()))], 2);
        let rows: Vec<_> = finding.evidence.facts.iter().map(|fact| &*fact.name).collect();
        assert_eq!(rows, ["a:1", "a:2"]);
    }
}
