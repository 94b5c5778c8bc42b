use super::{
    super::{
        super::keys::{CEILING, milliseconds},
        Answer, Shelf,
    },
    Added, Dead, Failed, Hold, Job, Key, PRIORITIES, Queue, SILENCE, Taken, Ticket, jitter,
};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The stand-in: queues that end with this process.
#[derive(Debug, Default)]
pub(crate) struct InProcess(Mutex<Shelf<Jobs>>);

/// The jobs of a queue by name.
#[derive(Debug, Default)]
pub(super) struct Jobs {
    sequence: u64,
    pub(super) entries: BTreeMap<String, Entry>,
}

#[derive(Debug)]
pub(super) struct Entry {
    pub(super) job: Job,
    pub(super) sequence: u64,
    pub(super) attempt: u64,
    pub(super) state: State,
}

#[derive(Debug, PartialEq, Eq)]
pub(super) enum State {
    Pending,
    Delayed(Instant),
    Active(Instant),
    Dead(String),
}

impl InProcess {
    /// Does something with the jobs of a queue, which prolongs its life.
    pub(super) fn with<T>(&self, key: &Key, work: impl FnOnce(&mut Jobs) -> T) -> T {
        let mut queues = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let mut jobs = queues.take(key.as_str()).unwrap_or_default();
        let done = work(&mut jobs);
        queues.put(key.as_str(), jobs, CEILING);
        done
    }
}

impl Jobs {
    fn add(&mut self, job: &Job) -> Added {
        if job.priority >= PRIORITIES {
            return Added::OutOfRange;
        }
        if self.entries.contains_key(&job.id) {
            return Added::Known;
        }
        self.sequence += 1;
        let due = Instant::now() + job.delay.min(CEILING);
        let state = if job.delay.is_zero() { State::Pending } else { State::Delayed(due) };
        let entry = Entry { job: job.clone(), sequence: self.sequence, attempt: 0, state };
        self.entries.insert(job.id.clone(), entry);
        Added::Fresh
    }

    fn take(&mut self, lease: Duration) -> Option<Taken> {
        let now = Instant::now();
        self.entries.values_mut().for_each(|entry| entry.come_due(now));
        let pending = self.entries.values_mut().filter(|entry| entry.state == State::Pending);
        let first = pending.min_by_key(|entry| (entry.job.priority, entry.sequence))?;
        first.attempt += 1;
        first.state = State::Active(now + lease.min(CEILING));
        let ticket = Ticket { id: first.job.id.clone(), attempt: first.attempt };
        Some(Taken { ticket, payload: first.job.payload.clone() })
    }

    /// The job, if this worker has it.
    fn held(&mut self, ticket: &Ticket) -> Option<&mut Entry> {
        self.entries.get_mut(&ticket.id).filter(|entry| {
            entry.attempt == ticket.attempt && matches!(entry.state, State::Active(_))
        })
    }

    fn done(&mut self, ticket: &Ticket) -> Hold {
        if self.held(ticket).is_none() {
            return Hold::Lost;
        }
        self.entries.remove(&ticket.id);
        Hold::Kept
    }

    fn beat(&mut self, ticket: &Ticket, lease: Duration) -> Hold {
        let Some(entry) = self.held(ticket) else { return Hold::Lost };
        entry.state = State::Active(Instant::now() + lease.min(CEILING));
        Hold::Kept
    }

    fn dead(&self, id: &str) -> Option<Dead> {
        let entry = self.entries.get(id)?;
        let State::Dead(why) = &entry.state else { return None };
        Some(Dead { attempts: entry.attempt, why: why.clone() })
    }
}

impl Entry {
    fn come_due(&mut self, now: Instant) {
        match self.state {
            State::Active(until) if until <= now && self.attempt >= self.job.attempts => {
                self.state = State::Dead(SILENCE.into());
            }
            State::Active(until) | State::Delayed(until) if until <= now => {
                self.state = State::Pending;
            }
            State::Pending | State::Delayed(_) | State::Active(_) | State::Dead(_) => {}
        }
    }

    fn fail(&mut self, why: &str) -> Failed {
        if self.attempt >= self.job.attempts {
            self.state = State::Dead(why.into());
            return Failed::Dead;
        }
        let doubled = 1_u64.checked_shl(u32::try_from(self.attempt - 1).unwrap_or(u32::MAX));
        let backoff = u64::try_from(self.job.backoff.as_millis()).unwrap_or(u64::MAX);
        let longer = backoff.saturating_mul(doubled.unwrap_or(u64::MAX));
        let after = longer.saturating_mul(1000 + jitter()) / 1000;
        let after = Duration::from_millis(after.min(milliseconds(CEILING)));
        self.state = State::Delayed(Instant::now() + after);
        Failed::Retried { after }
    }
}

impl Queue for InProcess {
    fn add<'a>(&'a self, queue: &'a Key, job: &'a Job) -> Answer<'a, Added> {
        Box::pin(async move { Ok(self.with(queue, |jobs| jobs.add(job))) })
    }

    fn take<'a>(&'a self, queue: &'a Key, lease: Duration) -> Answer<'a, Option<Taken>> {
        Box::pin(async move { Ok(self.with(queue, |jobs| jobs.take(lease))) })
    }

    fn beat<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket, lease: Duration) -> Answer<'a, Hold> {
        Box::pin(async move { Ok(self.with(queue, |jobs| jobs.beat(ticket, lease))) })
    }

    fn done<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket) -> Answer<'a, Hold> {
        Box::pin(async move { Ok(self.with(queue, |jobs| jobs.done(ticket))) })
    }

    fn fail<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket, why: &'a str) -> Answer<'a, Failed> {
        Box::pin(async move {
            let failed = |jobs: &mut Jobs| jobs.held(ticket).map(|entry| entry.fail(why));
            Ok(self.with(queue, failed).unwrap_or(Failed::Lost))
        })
    }

    fn dead<'a>(&'a self, queue: &'a Key, id: &'a str) -> Answer<'a, Option<Dead>> {
        Box::pin(async move { Ok(self.with(queue, |jobs| jobs.dead(id))) })
    }
}
