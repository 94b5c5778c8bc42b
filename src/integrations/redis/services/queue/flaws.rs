//! Queues that are broken on purpose, for the cases to notice.

use super::{
    super::{Answer, case::endings},
    Added, CASES, Dead, Failed, Hold, InProcess, Job, Key, PRIORITIES, Queue, Taken, Ticket,
    memory::State,
};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, sleep};

/// What a broken queue may get wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    IgnoresPriorities,
    OrdersByName,
    LastComesFirst,
    ChangesPayloads,
    ReplacesKnownJobs,
    HandsOutTwice,
    LosesJobs,
    NeverRecovers,
    RecoversEarly,
    TriesForEver,
    TrustsAnyAttempt,
    IsDoneTwice,
    IsDoneAfterItFailed,
    IgnoresDelays,
    DelaysForEver,
    RetriesAtOnce,
    BackoffStands,
    ForgetsTheDead,
    ForgetsWhy,
    TakesTheDead,
    HearsNoBeat,
    TakesAnyPriority,
    Stalls,
}

struct Flawed(InProcess, Flaw);

impl Flawed {
    fn has(&self, flaw: Flaw) -> bool {
        self.1 == flaw
    }

    /// The ticket of whoever has the job now, where nobody asks for it.
    fn trusted(&self, queue: &Key, ticket: &Ticket) -> Ticket {
        let current = |attempt| Ticket { attempt, ..ticket.clone() };
        let known = self
            .0
            .with(queue, |jobs| jobs.entries.get(&ticket.id).map(|entry| current(entry.attempt)));
        known.filter(|_| self.has(Flaw::TrustsAnyAttempt)).unwrap_or_else(|| ticket.clone())
    }

    /// Makes `from` what it makes it wherever it is the state of a job.
    fn all(&self, queue: &Key, change: impl Fn(&State) -> Option<State>) {
        self.0.with(queue, |jobs| {
            for entry in jobs.entries.values_mut() {
                if let Some(state) = change(&entry.state) {
                    entry.state = state;
                }
            }
        });
    }
}

impl Queue for Flawed {
    fn add<'a>(&'a self, queue: &'a Key, job: &'a Job) -> Answer<'a, Added> {
        Box::pin(async move {
            let mut job = job.clone();
            if self.has(Flaw::IgnoresPriorities) {
                job.priority = 0;
            } else if self.has(Flaw::TakesAnyPriority) {
                job.priority = job.priority.min(PRIORITIES - 1);
            } else if self.has(Flaw::ChangesPayloads) {
                job.payload.retain(|byte| *byte != 0);
            } else if self.has(Flaw::ReplacesKnownJobs) {
                self.0.with(queue, |jobs| jobs.entries.remove(&job.id));
            } else if self.has(Flaw::TriesForEver) {
                job.attempts = 1000;
            } else if self.has(Flaw::IgnoresDelays) {
                job.delay = Duration::ZERO;
            } else if self.has(Flaw::DelaysForEver) {
                job.delay *= 10;
            }
            let added = self.0.add(queue, &job).await;
            self.0.with(queue, |jobs| {
                for entry in jobs.entries.values_mut().filter(|entry| entry.job.id == job.id) {
                    if self.has(Flaw::OrdersByName) {
                        entry.sequence = 0;
                    } else if self.has(Flaw::LastComesFirst) {
                        entry.sequence = u64::MAX - entry.sequence;
                    }
                }
            });
            added
        })
    }

    fn take<'a>(&'a self, queue: &'a Key, lease: Duration) -> Answer<'a, Option<Taken>> {
        Box::pin(async move {
            if self.has(Flaw::TakesTheDead) {
                self.all(queue, |state| matches!(state, State::Dead(_)).then_some(State::Pending));
            }
            let lease = match lease {
                _ if self.has(Flaw::NeverRecovers) => lease * 100,
                _ if self.has(Flaw::RecoversEarly) => lease / 2,
                lease => lease,
            };
            if self.has(Flaw::Stalls) {
                sleep(Duration::from_millis(75)).await;
            }
            let taken = self.0.take(queue, lease).await?;
            if self.has(Flaw::HandsOutTwice) {
                self.all(queue, |state| {
                    matches!(state, State::Active(_)).then_some(State::Pending)
                });
            }
            Ok(taken.filter(|taken| !self.has(Flaw::LosesJobs) || taken.ticket.id != "1"))
        })
    }

    fn beat<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket, lease: Duration) -> Answer<'a, Hold> {
        Box::pin(async move {
            if self.has(Flaw::HearsNoBeat) {
                return Ok(Hold::Kept);
            }
            self.0.beat(queue, &self.trusted(queue, ticket), lease).await
        })
    }

    fn done<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket) -> Answer<'a, Hold> {
        Box::pin(async move {
            if self.has(Flaw::IsDoneAfterItFailed) {
                self.all(queue, |state| {
                    let waits = matches!(state, State::Delayed(_));
                    waits.then(|| State::Active(Instant::now() + Duration::from_secs(9)))
                });
            }
            let hold = self.0.done(queue, &self.trusted(queue, ticket)).await?;
            Ok(if self.has(Flaw::IsDoneTwice) { Hold::Kept } else { hold })
        })
    }

    fn fail<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket, why: &'a str) -> Answer<'a, Failed> {
        Box::pin(async move {
            let why = if self.has(Flaw::ForgetsWhy) { "" } else { why };
            let mut failed = self.0.fail(queue, &self.trusted(queue, ticket), why).await?;
            if self.has(Flaw::RetriesAtOnce) {
                let now = Instant::now();
                self.all(queue, |state| {
                    matches!(state, State::Delayed(_)).then_some(State::Delayed(now))
                });
            }
            if let (Flaw::BackoffStands, Failed::Retried { after }) = (self.1, &mut failed) {
                *after /= u32::try_from(ticket.attempt).unwrap();
            }
            Ok(failed)
        })
    }

    fn dead<'a>(&'a self, queue: &'a Key, id: &'a str) -> Answer<'a, Option<Dead>> {
        Box::pin(async move {
            let dead = self.0.dead(queue, id).await?;
            Ok(dead.filter(|_| !self.has(Flaw::ForgetsTheDead)))
        })
    }
}

async fn broken(flaw: Flaw) -> Vec<(&'static str, &'static str)> {
    endings(CASES, Arc::new(Flawed(InProcess::default(), flaw))).await
}

#[tokio::test(start_paused = true)]
async fn the_stand_in_keeps_every_promise() {
    let ended = endings(CASES, Arc::new(InProcess::default())).await;
    let held = ["Q1", "Q2", "Q3", "Q4", "Q5", "Q6", "Q7", "Q8", "Q9"].map(|id| (id, "held"));
    assert_eq!(ended[..held.len()], held);
    assert_eq!(ended[held.len()..], [("Q10", "moot"), ("Q11", "moot")]);
}

#[tokio::test(start_paused = true)]
async fn every_flaw_is_noticed() {
    let cases = [
        (Flaw::IgnoresPriorities, "Q1"),
        (Flaw::OrdersByName, "Q1"),
        (Flaw::LastComesFirst, "Q1"),
        (Flaw::ChangesPayloads, "Q1"),
        (Flaw::ReplacesKnownJobs, "Q2"),
        (Flaw::HandsOutTwice, "Q3"),
        (Flaw::LosesJobs, "Q3"),
        (Flaw::NeverRecovers, "Q4"),
        (Flaw::RecoversEarly, "Q4"),
        (Flaw::TriesForEver, "Q4"),
        (Flaw::TriesForEver, "Q7"),
        (Flaw::TrustsAnyAttempt, "Q5"),
        (Flaw::IsDoneTwice, "Q5"),
        (Flaw::IsDoneAfterItFailed, "Q5"),
        (Flaw::IgnoresDelays, "Q6"),
        (Flaw::DelaysForEver, "Q6"),
        (Flaw::RetriesAtOnce, "Q7"),
        (Flaw::BackoffStands, "Q7"),
        (Flaw::ForgetsTheDead, "Q7"),
        (Flaw::ForgetsTheDead, "Q4"),
        (Flaw::ForgetsWhy, "Q7"),
        (Flaw::TakesTheDead, "Q7"),
        (Flaw::HearsNoBeat, "Q8"),
        (Flaw::TakesAnyPriority, "Q9"),
    ];
    for (flaw, id) in cases {
        let ended = broken(flaw).await;
        assert!(ended.contains(&(id, "broken")), "{flaw:?}: {ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_stall_of_ours_is_never_a_broken_promise() {
    let ended = broken(Flaw::Stalls).await;
    assert!(ended.iter().all(|(_, word)| *word != "broken"), "{ended:?}");
    assert!(ended.contains(&("Q6", "missed")), "{ended:?}");
}
