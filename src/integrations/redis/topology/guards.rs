//! Whether the sentinels agree and could replace the master. Pure.

use super::{
    super::transport::Move,
    verdict::{Remark, conclude},
};
use crate::{
    domain::{Evidence, Finding},
    units,
};
use std::{collections::BTreeSet, time::Duration};

/// For how long a change of the master is news.
const NEWS: Duration = Duration::from_mins(1);

const ASKED: &str = "SENTINEL MASTER and CKQUORUM of every sentinel, ROLE of the master";
const WANTED: &str = "one master, named by all, up, with a quorum to replace it";

/// A sentinel and what it says, or why it says nothing.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Guard {
    pub(super) name: String,
    pub(super) told: Result<Watched, String>,
}

/// What a sentinel says about the master.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Watched {
    pub(super) master: String,
    pub(super) flags: String,
    /// How many other sentinels it knows.
    pub(super) others: u64,
    /// How many must agree that the master is gone.
    pub(super) needed: u64,
    pub(super) replicas: u64,
    /// Whether so many can be reached, or what it says about that.
    pub(super) quorum: Result<(), String>,
}

/// Where a connection to the master led, or why to nowhere.
pub(super) type Reached = Result<String, String>;

/// Judges a deployment by what its sentinels say, and by where they led.
pub(super) fn judge(guards: &[Guard], reached: &Reached, moved: Option<&Move>) -> Finding {
    let told: Vec<(&str, &Watched)> = guards
        .iter()
        .filter_map(|guard| Some((guard.name.as_str(), guard.told.as_ref().ok()?)))
        .collect();
    let mut remarks: Vec<Remark> = reached.as_ref().err().map(unreached).into_iter().collect();
    remarks.extend(disagreement(&told));
    remarks.extend(guards.iter().filter_map(|guard| silent(guard, told.is_empty())));
    remarks.extend(told.iter().flat_map(|(name, watched)| of_one(name, watched)));
    remarks.extend(moved.filter(|moved| moved.at.elapsed() < NEWS).map(news));
    if guards.len() == 1 {
        remarks.push(Remark::warn(
            "1 sentinel is named, nobody to contradict it",
            "name all sentinels in `sentinels`",
        ));
    }
    remarks.dedup();
    let master = reached.as_deref().unwrap_or("no master");
    let well = format!("master {master}, {} of {} sentinels", told.len(), guards.len());
    conclude(&remarks, &well, evidence(guards, reached, moved))
}

fn unreached(why: &String) -> Remark {
    Remark::fail(why, "look at the master's log; the sentinels replace one that is gone for good")
}

/// The sentinels name several servers.
fn disagreement(told: &[(&str, &Watched)]) -> Option<Remark> {
    let named: BTreeSet<&str> = told.iter().map(|(_, watched)| &*watched.master).collect();
    (named.len() > 1).then(|| {
        let named: Vec<&str> = named.into_iter().collect();
        Remark::fail(
            format!("the sentinels disagree: {}", named.join(" or ")),
            "wait for a failover to end, then look at the network between the sentinels",
        )
    })
}

fn silent(guard: &Guard, all: bool) -> Option<Remark> {
    let why = guard.told.as_ref().err()?;
    let remedy = "start the sentinel, or correct it in `sentinels`";
    let says = format!("sentinel {}: {why}", guard.name);
    Some(if all { Remark::fail(says, remedy) } else { Remark::warn(says, remedy) })
}

fn of_one(name: &str, watched: &Watched) -> Vec<Remark> {
    let flagged = |flag: &str| watched.flags.split(',').any(|word| word == flag);
    let down = ["o_down", "s_down"].into_iter().find(|flag| flagged(flag));
    let down = down.map(|flag| {
        let remedy = "look at the master; the sentinels replace it once they agree";
        Remark::fail(format!("the master is {flag}, says {name}"), remedy)
    });
    let moving = flagged("failover_in_progress").then(|| {
        Remark::warn(format!("a failover is under way, says {name}"), "wait until it has ended")
    });
    let few = (watched.others + 1 < watched.needed).then(|| {
        let says = format!("{name} knows {} others, quorum {}", watched.others, watched.needed);
        Remark::fail(says, "start the other sentinels, or lower the quorum")
    });
    let quorum = watched.quorum.as_ref().err().map(|says| {
        let remedy = "start the other sentinels: nobody could replace the master now";
        Remark::fail(format!("no quorum, says {name}: {says}"), remedy)
    });
    let alone = (watched.replicas == 0).then(|| {
        Remark::warn("no replica to fail over to", "give the master a replica; two are better")
    });
    [down, moving, few, quorum, alone].into_iter().flatten().collect()
}

fn news(moved: &Move) -> Remark {
    let says = format!("master moved from {} to {}", moved.from, moved.to);
    Remark::warn(says, "find out why the sentinels replaced it, if nobody asked them to")
}

fn evidence(guards: &[Guard], reached: &Reached, moved: Option<&Move>) -> Evidence {
    let master = match reached {
        Ok(place) => format!("{place}, ROLE master"),
        Err(why) => why.clone(),
    };
    let evidence = Evidence::default().asked(ASKED).wanted(WANTED).fact("master", &*master);
    let evidence = guards.iter().fold(evidence, |evidence, guard| {
        let says = match &guard.told {
            Ok(watched) => format!(
                "{}, {}, {} replicas, {} other sentinels, quorum {}{}",
                watched.master,
                watched.flags,
                watched.replicas,
                watched.others,
                watched.needed,
                if watched.quorum.is_ok() { " usable" } else { " out of reach" },
            ),
            Err(why) => why.clone(),
        };
        evidence.fact(&guard.name, &*says)
    });
    match moved {
        Some(Move { from, to, at }) => {
            let says = format!("{from} to {to}, {} ago", units::age(at.elapsed()));
            evidence.fact("last move", &*says)
        }
        None => evidence,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;
    use tokio::time::Instant;

    fn watched() -> Watched {
        Watched {
            master: "a:1".into(),
            flags: "master".into(),
            others: 2,
            needed: 2,
            replicas: 1,
            quorum: Ok(()),
        }
    }

    fn guards(told: [Result<Watched, String>; 3]) -> Vec<Guard> {
        let named = (1..).zip(told);
        named.map(|(number, told)| Guard { name: format!("s{number}"), told }).collect()
    }

    fn judged(third: Result<Watched, String>) -> (Outcome, String) {
        let guards = guards([Ok(watched()), Ok(watched()), third]);
        let finding = judge(&guards, &Ok("a:1".into()), None);
        (finding.outcome, finding.summary)
    }

    #[test]
    fn agreement_with_a_quorum_passes() {
        assert_eq!(judged(Ok(watched())), (Outcome::Pass, "master a:1, 3 of 3 sentinels".into()));
        // Two know each other, and the quorum is two.
        assert_eq!(judged(Ok(Watched { others: 1, ..watched() })).0, Outcome::Pass);
    }

    #[test]
    fn everything_that_is_wrong_is_named() {
        let none = || "NOQUORUM 1 usable".to_owned();
        let cases = [
            (
                Ok(Watched { master: "b:2".into(), ..watched() }),
                "the sentinels disagree: a:1 or b:2",
            ),
            (
                Ok(Watched { flags: "s_down,master".into(), ..watched() }),
                "the master is s_down, says s3",
            ),
            (
                Ok(Watched { flags: "s_down,o_down,master".into(), ..watched() }),
                "the master is o_down, says s3",
            ),
            (Ok(Watched { others: 0, ..watched() }), "s3 knows 0 others, quorum 2"),
            (
                Ok(Watched { quorum: Err(none()), ..watched() }),
                "no quorum, says s3: NOQUORUM 1 usable",
            ),
        ];
        for (third, says) in cases {
            assert_eq!(judged(third), (Outcome::Fail, says.into()));
        }
        let warned = [
            (Err("connection refused by s3".to_owned()), "sentinel s3: connection refused by s3"),
            (Ok(Watched { replicas: 0, ..watched() }), "no replica to fail over to"),
            (
                Ok(Watched { flags: "master,failover_in_progress".into(), ..watched() }),
                "a failover is under way, says s3",
            ),
        ];
        for (third, says) in warned {
            assert_eq!(judged(third), (Outcome::Warn, says.into()));
        }
    }

    #[test]
    fn silence_of_all_and_a_master_out_of_reach_are_failures() {
        let silent = guards([1, 2, 3].map(|_| Err("connection refused".to_owned())));
        let gone = judge(&silent, &Err("no sentinel of 3 names a master".into()), None);
        assert_eq!(gone.outcome, Outcome::Fail);
        assert_eq!(gone.summary, "no sentinel of 3 names a master; 3 more");
        assert!(gone.remedy.is_some());
    }

    #[tokio::test(start_paused = true)]
    async fn a_move_is_news_for_a_minute() {
        let guards = guards([1, 2, 3].map(|_| Ok(watched())));
        let moved = Move { from: "a:1".into(), to: "b:2".into(), at: Instant::now() };
        let judged = || judge(&guards, &Ok("b:2".into()), Some(&moved));
        assert_eq!(judged().outcome, Outcome::Warn);
        assert_eq!(judged().summary, "master moved from a:1 to b:2");
        tokio::time::advance(NEWS).await;
        assert_eq!(judged().outcome, Outcome::Pass);
        assert!(judged().evidence.facts.iter().any(|fact| fact.name == "last move"));
    }
}
