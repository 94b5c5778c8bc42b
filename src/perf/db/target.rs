//! The clients: a held connection each, one prepared statement at a time.

use super::asked::Asked;
use crate::{
    integrations::database::load::{Dial, LoadTable, Operation, Session, Unable},
    perf::{Broken, Client, Subject, Trip, times::Times, window::micros},
};
use std::{
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};
use tokio::time::Instant;

/// How long a connection may take.
const ACQUIRE: Duration = Duration::from_secs(5);

/// A database under load.
pub(super) struct Target {
    pub(super) dial: Dial,
    pub(super) table: LoadTable,
    dice: Dice,
    /// How long it took to get each connection, apart from what is done with it.
    pub(super) acquired: Mutex<Times>,
    counts: Arc<Counts>,
}

/// What was asked of the table, by all clients, from the first moment on.
#[derive(Debug, Default)]
struct Counts {
    sent: AtomicU64,
    confirmed: AtomicU64,
    inserted: AtomicU64,
    deleted: AtomicU64,
}

impl Target {
    pub(super) fn new(dial: Dial, table: LoadTable, asked: &Asked) -> Self {
        let (dice, acquired) = (Dice::new(asked), Mutex::new(Times::default()));
        Self { dial, table, dice, acquired, counts: Arc::default() }
    }

    /// Statements sent.
    pub(super) fn sent(&self) -> u64 {
        self.counts.sent.load(Ordering::Relaxed)
    }

    /// Those of which nobody knows whether they were carried out.
    pub(super) fn unsure(&self) -> u64 {
        self.sent().saturating_sub(self.counts.confirmed.load(Ordering::Relaxed))
    }

    /// Rows that the table has, going by what was confirmed.
    pub(super) fn rows(&self) -> u64 {
        let inserted = self.counts.inserted.load(Ordering::Relaxed);
        let deleted = self.counts.deleted.load(Ordering::Relaxed);
        (self.dice.rows.unsigned_abs() + inserted).saturating_sub(deleted)
    }
}

impl Counts {
    fn confirm(&self, what: Operation, rows: u64) {
        self.confirmed.fetch_add(1, Ordering::Relaxed);
        match what {
            Operation::Insert => self.inserted.fetch_add(rows, Ordering::Relaxed),
            Operation::Delete => self.deleted.fetch_add(rows, Ordering::Relaxed),
            Operation::Select | Operation::Update => 0,
        };
    }
}

/// What is drawn for each operation: which, and on which row.
#[derive(Clone, Debug)]
pub(super) struct Dice {
    /// The upper ends of the shares of the operations.
    ends: [u32; 4],
    rows: i64,
    random: fastrand::Rng,
}

impl Dice {
    pub(super) fn new(asked: &Asked) -> Self {
        let mut sum = 0;
        let ends = asked.weights.map(|weight| {
            sum += weight;
            sum
        });
        let rows = i64::try_from(asked.rows).unwrap_or(i64::MAX);
        Self { ends, rows, random: fastrand::Rng::new() }
    }

    /// The place of the operation, and a row.
    pub(super) fn roll(&mut self) -> (usize, i64) {
        let drawn = self.random.u32(..self.ends[3].max(1));
        let place = self.ends.partition_point(|end| *end <= drawn).min(3);
        (place, self.random.i64(1..=self.rows.max(1)))
    }
}

impl Subject for Target {
    type Client = User;

    fn operations(&self) -> Vec<String> {
        Operation::ALL.map(|what| what.word().to_owned()).into()
    }

    async fn connect(&self) -> Result<User, Broken> {
        let began = Instant::now();
        let session = self.dial.seat(began + ACQUIRE).await.map_err(|why| broken(&why))?;
        let mut acquired = self.acquired.lock().unwrap_or_else(PoisonError::into_inner);
        acquired.record(micros(began.elapsed()));
        drop(acquired);
        let mut dice = self.dice.clone();
        dice.random = fastrand::Rng::new();
        Ok(User { session, table: self.table.clone(), dice, counts: Arc::clone(&self.counts) })
    }

    async fn look(&self) -> Result<(), String> {
        // What it does to the clients says how it is; the room was looked at before.
        Ok(())
    }
}

fn broken(why: &Unable) -> Broken {
    Broken::new(&why.class, &why.says)
}

/// One client.
pub(super) struct User {
    session: Session,
    table: LoadTable,
    dice: Dice,
    counts: Arc<Counts>,
}

impl Client for User {
    async fn trip(&mut self, trip: &mut Trip<'_>) -> Result<(), Broken> {
        while trip.left() > 0 {
            let (place, row) = self.dice.roll();
            let what = Operation::ALL[place];
            self.counts.sent.fetch_add(1, Ordering::Relaxed);
            match self.session.run(&self.table, what, row).await {
                Ok(rows) => {
                    self.counts.confirm(what, rows);
                    trip.ended(place, 1);
                }
                Err(why) if why.broken => return Err(broken(&why)),
                Err(why) => trip.failed(place, &why.class),
            }
        }
        Ok(())
    }
}

/// Share of the sessions that a test leaves free.
const FREE: u64 = 5;

/// Why so many `clients` more are too many for a server with so many sessions of so
/// many, if it has a limit.
pub(super) fn too_many(clients: u32, room: Option<(u64, u64)>) -> Option<String> {
    let (used, most) = room?;
    let spare = most / FREE;
    let wanted = used + u64::from(clients);
    (wanted + spare > most).then(|| {
        format!("{clients} clients with {used} of {most} sessions leave under {spare} free")
    })
}

/// The smallest number of clients that reaches 95 % of the best rate.
pub(super) fn knee(steps: &[(u32, f64)]) -> Option<u32> {
    const NEARLY: f64 = 0.95;
    let best = steps.iter().map(|(_, rate)| *rate).fold(0.0, f64::max);
    let reached = steps.iter().find(|(_, rate)| best > 0.0 && *rate >= best * NEARLY);
    reached.map(|(clients, _)| *clients)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn operations_come_in_their_shares() {
        let mut dice = Dice::new(&Asked { weights: [70, 0, 25, 5], rows: 10, ..Asked::default() });
        let mut counts = [0_u32; 4];
        for _ in 0..100_000 {
            let (place, row) = dice.roll();
            assert!((1..=10).contains(&row));
            counts[place] += 1;
        }
        assert_eq!(counts[1], 0);
        for (place, share) in [(0, 70_000), (2, 25_000), (3, 5000)] {
            assert!(counts[place].abs_diff(share) < 1000, "{counts:?}");
        }
    }

    #[test]
    fn a_fifth_of_the_sessions_is_left_to_others() {
        assert_eq!(too_many(50, Some((30, 100))), None);
        let says = "50 clients with 31 of 100 sessions leave under 20 free";
        assert_eq!(too_many(50, Some((31, 100))).as_deref(), Some(says));
        assert_eq!(too_many(50, None), None, "a file has no sessions");
    }

    #[test]
    fn the_knee_is_where_more_clients_bring_no_more() {
        assert_eq!(knee(&[(1, 100.0), (2, 190.0), (4, 290.0), (8, 300.0)]), Some(4));
        assert_eq!(knee(&[(1, 100.0), (2, 94.0)]), Some(1));
        assert_eq!(knee(&[(1, 0.0)]), None);
    }
}
