//! What a lock owes to many who want it at once, and to all when one of them stops.

use super::{
    super::{
        super::{Bench, Claim, Held, Left, Upset},
        Key, Lock,
        hold::{Hold, Taken, Terms},
    },
    LONG, kept_hold,
};
use crate::units;
use futures_util::future::join_all;
use std::{
    cmp,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, sleep, timeout},
};

/// How many want to count.
const TASKS: usize = 3;
/// Processes they are in. In each, one at a time asks for the lock.
const PROCESSES: usize = 2;
/// How long they try in all: on a slow link not all of them get their turn.
const PATIENCE: Duration = Duration::from_secs(2);
/// How long each is inside; who waits for the lock sleeps three times as long at least.
const PAUSE: Duration = Duration::from_millis(2);
/// At how many points of taking a lock its taker is stopped.
const POINTS: u32 = 3;
/// How long giving it back may take then.
const GIVE_BACK: Duration = Duration::from_secs(1);

/// What must be touched by one at a time: a number that is read, and written later.
#[derive(Default)]
struct Tally {
    number: AtomicU32,
    inside: AtomicU32,
    most_inside: AtomicU32,
    lost: AtomicU32,
    done: AtomicU32,
}

pub(super) async fn counted(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (key, tally) = (bench.keys.key("l9"), Tally::default());
    let processes: [Mutex<()>; PROCESSES] = Default::default();
    let turns = (0..TASKS).map(|task| &processes[task % PROCESSES]);
    let upset = OnceLock::new();
    let tasks = turns.map(|turn| async {
        let _turn = turn.lock().await;
        if let Err(first) = count_one(bench, &key, &tally).await {
            let _others_say_the_same = upset.set(first);
        }
    });
    let began = Instant::now();
    // Those who have not had their turn by then need not have it.
    drop(timeout(PATIENCE, join_all(tasks)).await);
    let took = began.elapsed();
    if let Some(upset) = upset.into_inner() {
        return Err(upset);
    }
    let [number, done, most, lost] =
        [&tally.number, &tally.done, &tally.most_inside, &tally.lost].map(|n| n.load(Relaxed));
    let alone = Claim {
        else_says: "two were inside a lock at once",
        asked: "3 tasks of 2 processes count under the lock",
        wanted: "each counts, and never 2 inside",
    };
    let seen = format!("{number} of {done}, {most} inside, {lost} without the lock");
    // Nobody at all is not two: the lock was kept from everybody.
    alone.holds(most <= 1 && (number, lost) == (done, 0), &seen)?;
    let free = Claim {
        else_says: "a lock that is given back stays taken",
        asked: "3 holders, one after another",
        wanted: "all of them get it",
    };
    free.holds(number > 1, &seen)?;
    Ok(Held::saw(format!("counted to {number} in {}, one at a time", units::span(took))))
}

/// Counts one up, once the lock is ours.
async fn count_one(bench: &Bench<dyn Lock>, key: &Key, tally: &Tally) -> Result<(), Upset> {
    let mut pause = PAUSE * 2 + bench.pace.slowest();
    let hold = loop {
        match Hold::take(&bench.back_end, key, Terms::of(LONG)).await? {
            Taken::Held(hold) => break hold,
            Taken::Busy => {
                pause = pause.mul_f64(1.5 + fastrand::f64());
                sleep(pause).await;
            }
        }
    };
    let inside = tally.inside.fetch_add(1, Relaxed) + 1;
    tally.most_inside.fetch_max(inside, Relaxed);
    let number = tally.number.load(Relaxed);
    // Longer than a turn of the others, so that two inside would lose a count.
    sleep(PAUSE).await;
    tally.lost.fetch_add(u32::from(!hold.is_held()), Relaxed);
    tally.number.store(number + 1, Relaxed);
    tally.done.fetch_add(1, Relaxed);
    tally.inside.fetch_sub(1, Relaxed);
    hold.release().await?;
    Ok(())
}

/// Stops who takes a lock, ever later, and looks whether anything is left of it:
/// what is left by one of them keeps the others out, and is there in the end.
pub(super) async fn dropped(bench: &Bench<dyn Lock>) -> Result<Held, Upset> {
    let (key, slowest) = (bench.keys.key("l11"), bench.pace.slowest());
    // As soon as it is held. First, because a refusal says that nothing was written.
    drop(kept_hold(bench, &key, LONG).await?);
    for point in 1..POINTS {
        // Time for what is given back to get there.
        sleep(PAUSE + slowest * 2).await;
        let taking = Hold::take(&bench.back_end, &key, Terms::of(LONG));
        if let Ok(Err(trouble)) = timeout(slowest * 2 / POINTS * (point - 1), taking).await {
            return Err(trouble.into());
        }
    }
    let free = freed(bench, &key).await?;
    Ok(Held::saw(format!("stopped at {POINTS} points, free within {}", units::span(free))))
}

/// Waits until a lock is free whose holder was stopped.
async fn freed(bench: &Bench<dyn Lock>, key: &Key) -> Result<Duration, Upset> {
    let began = Instant::now();
    let claim = Claim {
        else_says: "who was stopped still holds the lock",
        asked: "stop at 3 points of an acquisition",
        wanted: "the lock free",
    };
    let mut pause = PAUSE + bench.pace.slowest() * 2;
    loop {
        sleep(pause).await;
        let left = bench.back_end.left(key).await?;
        if left == Left::Absent {
            return Ok(began.elapsed());
        }
        claim.holds(began.elapsed() < GIVE_BACK, &left)?;
        pause = cmp::min(pause * 4, GIVE_BACK / 4);
    }
}
