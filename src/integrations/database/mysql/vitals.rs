//! What a server says of its health. Values only.

use std::time::Duration;

/// Everything that one look at a server tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Vitals {
    /// The account that looks, quoted.
    pub(super) account: String,
    /// Sessions of everybody, and how many there can be.
    pub(super) room: (u64, u64),
    /// Open transactions, the oldest first; none where the account may not look.
    pub(super) open: Option<Vec<Open>>,
    /// Who waits for whom; none where the account may not look.
    pub(super) waits: Option<Vec<Wait>>,
    /// Deadlocks since the last look, and how long ago that was.
    pub(super) deadlocks: Option<(u64, Duration)>,
    /// Undo records that are still kept for somebody; none where the account may not look.
    pub(super) history: Option<u64>,
    /// How replication is doing, where it is a replica.
    pub(super) replica: Replica,
    /// The `AUTO_INCREMENT` nearest to its end.
    pub(super) key: Option<Key>,
    /// Whether nobody but an administrator may write.
    pub(super) read_only: bool,
    /// The limit of a statement, by name, and what it is for everybody; zero is none.
    pub(super) limit: (&'static str, Duration),
    /// Whether our link is encrypted, or does not leave this machine.
    pub(super) private: bool,
    /// Since the server was started.
    pub(super) up: Duration,
    /// How far its clock is from ours.
    pub(super) skew: Duration,
}

/// An open transaction.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Open {
    /// Its session.
    pub(super) id: u64,
    /// Whose it is.
    pub(super) who: String,
    /// For how long it has been open.
    pub(super) age: Duration,
    /// For how long nobody has asked anything in it; none while it works.
    pub(super) idle: Option<Duration>,
}

/// A session that waits for another one's lock.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Wait {
    /// Who waits.
    pub(super) waiter: u64,
    /// For whom.
    pub(super) blocker: u64,
    /// Whose session that is, and what it does.
    pub(super) who: String,
    /// For how long.
    pub(super) waited: Duration,
}

/// A session that others wait for and that waits for nobody.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Root {
    /// Its number.
    pub(super) id: u64,
    /// Whose it is, and what it does.
    pub(super) who: String,
    /// How many wait for it, directly or not.
    pub(super) victims: usize,
    /// For how long the first of them has been waiting.
    pub(super) waited: Duration,
}

/// How replication is doing.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) enum Replica {
    /// It is none.
    #[default]
    None,
    /// The account may not look.
    Hidden,
    /// It is stopped, for this reason as far as its numbers say.
    Stopped(String),
    /// It runs, so far behind.
    Behind(Duration),
}

/// A column that counts by itself.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Key {
    /// `table.column`.
    pub(super) name: String,
    /// The next value.
    pub(super) next: u64,
    /// The last one that its type has room for.
    pub(super) last: u64,
}

/// Whom most wait for: follows each chain to its end.
pub(super) fn root(waits: &[Wait]) -> Option<Root> {
    let waits_for = |id| waits.iter().find(|wait| wait.waiter == id);
    let end_of = |wait: &Wait| {
        let mut end = wait;
        // As many steps as there are waits, should they ever form a circle.
        for _ in waits {
            let Some(next) = waits_for(end.blocker) else { break };
            end = next;
        }
        (end.blocker, end.who.clone())
    };
    let mut roots: Vec<Root> = Vec::new();
    let mut seen = Vec::new();
    for wait in waits {
        let (id, who) = end_of(wait);
        let victims = usize::from(!seen.contains(&wait.waiter));
        seen.push(wait.waiter);
        match roots.iter_mut().find(|root| root.id == id) {
            Some(root) => {
                root.victims += victims;
                root.waited = root.waited.max(wait.waited);
            }
            None => roots.push(Root { id, who, victims, waited: wait.waited }),
        }
    }
    roots.into_iter().max_by_key(|root| (root.victims, root.waited))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wait(waiter: u64, blocker: u64, seconds: u64) -> Wait {
        let who = format!("user of {blocker}");
        Wait { waiter, blocker, who, waited: Duration::from_secs(seconds) }
    }

    #[test]
    fn the_root_of_a_chain_is_named_and_not_its_victims() {
        assert_eq!(root(&[]), None);
        let chain = [wait(2, 1, 40), wait(3, 2, 30), wait(4, 2, 20), wait(9, 8, 50)];
        let found = root(&chain).unwrap();
        assert_eq!((found.id, found.victims, found.waited.as_secs()), (1, 3, 40));
        assert_eq!(found.who, "user of 1");
        let twice = root(&[wait(2, 1, 5), wait(2, 1, 6)]).unwrap();
        assert_eq!((twice.victims, twice.waited.as_secs()), (1, 6));
    }

    #[test]
    fn a_circle_ends_too() {
        assert!(root(&[wait(1, 2, 1), wait(2, 1, 1)]).is_some());
    }
}
