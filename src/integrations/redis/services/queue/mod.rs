//! A queue of jobs that workers take, and that no worker's death loses.

mod cases;
#[cfg(test)]
mod flaws;
mod memory;
mod server;

pub(crate) use cases::CASES;
pub(crate) use memory::InProcess;
pub(crate) use server::OnServer;

use super::{super::keys::Key, Answer};
use std::time::Duration;

/// A job queue with priorities.
///
/// Jobs are taken in the order of their priorities, 0 first, and within one in
/// the order in which they came, which retries keep. A job is taken by one worker
/// at a time, for a lease: a worker that neither settles it nor beats before the
/// lease is over loses it to the next. So each job is carried out at least once,
/// and its carrying out must bear repetition. A failed job waits before it is
/// taken again, each time twice as long as before and up to a quarter longer, so
/// that jobs that failed together do not return together. What was taken as often
/// as it may be and not done is dead: it is kept, with the reason.
///
/// A [`Ticket`] names the attempt: what an earlier worker says of a job that has
/// been taken again changes nothing. On a server that is out of memory jobs can
/// be taken and settled, and none added: a full queue drains.
///
/// Times are the back end's own, in whole milliseconds up to 60 s. A queue goes
/// away, with its jobs, 60 s after it was last changed. Every error is a
/// [`Trouble`](super::super::trouble::Trouble), after which the call may have
/// taken effect: adding can be repeated, a taken job returns when its lease is
/// over. Dropping an answer leaves at most keys that expire.
pub(crate) trait Queue: Send + Sync {
    /// Adds a job, unless one of this name is there in any state.
    fn add<'a>(&'a self, queue: &'a Key, job: &'a Job) -> Answer<'a, Added>;

    /// Takes the first job, if one is due. What is due is found out here: jobs
    /// whose time has come and jobs whose lease is over, 100 of each at a time.
    fn take<'a>(&'a self, queue: &'a Key, lease: Duration) -> Answer<'a, Option<Taken>>;

    /// Lets the worker have the job for `lease` from now on.
    fn beat<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket, lease: Duration) -> Answer<'a, Hold>;

    /// The job is done, and forgotten.
    fn done<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket) -> Answer<'a, Hold>;

    /// The job could not be done.
    fn fail<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket, why: &'a str) -> Answer<'a, Failed>;

    /// A job that is dead.
    fn dead<'a>(&'a self, queue: &'a Key, id: &'a str) -> Answer<'a, Option<Dead>>;
}

/// One more than the greatest priority. A server keeps the order in numbers of 53
/// bits, 32 of which tell the jobs of one priority apart.
pub(crate) const PRIORITIES: u32 = 1 << 21;

/// Why a job is dead whose last worker was not heard of again.
pub(crate) const SILENCE: &str = "its lease ran out";

/// A job to be added.
#[derive(Clone, Debug)]
pub(crate) struct Job {
    /// No other job of the queue is called so.
    pub(crate) id: String,
    pub(crate) payload: Vec<u8>,
    /// From 0, which is first, to below [`PRIORITIES`].
    pub(crate) priority: u32,
    /// It is not due before.
    pub(crate) delay: Duration,
    /// How often it may be taken.
    pub(crate) attempts: u64,
    /// How long it waits after its first failure.
    pub(crate) backoff: Duration,
}

/// How an addition ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Added {
    /// It is in the queue.
    Fresh,
    /// A job of this name was there; it was not touched.
    Known,
    /// There is no such priority; nothing was changed.
    OutOfRange,
}

/// Who has a job: the worker that took it in this attempt.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ticket {
    pub(crate) id: String,
    /// From 1.
    pub(crate) attempt: u64,
}

/// A job that was taken.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Taken {
    pub(crate) ticket: Ticket,
    pub(crate) payload: Vec<u8>,
}

/// Whether the worker had the job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hold {
    /// It had it.
    Kept,
    /// It was taken again, or settled before; nothing was changed.
    Lost,
}

/// What becomes of a failed job.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Failed {
    /// It is due again after this time.
    Retried { after: Duration },
    /// It is dead.
    Dead,
    /// The worker did not have it; nothing was changed.
    Lost,
}

/// A job that is not tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Dead {
    pub(crate) attempts: u64,
    /// Why its last attempt failed.
    pub(crate) why: String,
}

/// By how many thousandths a failed job waits longer.
fn jitter() -> u64 {
    fastrand::u64(..=250)
}
