//! What a job queue must do, and how to find out whether it does.

use super::{
    super::{
        Bench, Case, Claim, Expiry, Held, Needs, Scene, Upset,
        case::{CLOCK, KEEP_ALL, ONE_SERVER},
        expiry::Window,
        scene, watched,
    },
    Added, Dead, Failed, Hold, Job, Key, PRIORITIES, Queue, Taken, Ticket,
};
use crate::units;
use futures_util::future::join_all;
use std::{cmp, collections::BTreeSet, ops::RangeInclusive, time::Duration};
use tokio::time::sleep_until;

/// Long enough for every step of a case, however slow the link.
const LONG: Duration = Duration::from_secs(20);
const LEASE: Duration = Duration::from_millis(200);
const BACKOFF: Duration = Duration::from_millis(100);
const PAYLOAD: &[u8] = b"mail=7\0\xff\r\n";
/// How many jobs lie there for more takers.
const JOBS: usize = 2;
const TAKERS: usize = 3;

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn Queue>] = &[
    Case {
        id: "Q1",
        guarantee: "jobs are taken by priority, then as they came",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(ordered(bench)),
    },
    Case {
        id: "Q2",
        guarantee: "a job that is there is not added again",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(added_once(bench)),
    },
    Case {
        id: "Q3",
        guarantee: "of many workers one gets a job",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(taken_once(bench)),
    },
    Case {
        id: "Q4",
        guarantee: "a silent worker's job goes to the next, then dies",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(recovered(bench)),
    },
    Case {
        id: "Q5",
        guarantee: "a former worker's word changes nothing",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(fenced(bench)),
    },
    Case {
        id: "Q6",
        guarantee: "a delayed job waits for its time",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(delayed(bench)),
    },
    Case {
        id: "Q7",
        guarantee: "a failed job waits longer each time, then dies",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(retried(bench)),
    },
    Case {
        id: "Q8",
        guarantee: "a worker that beats keeps its job",
        remedy: ONE_SERVER,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(kept(bench)),
    },
    Case {
        id: "Q9",
        guarantee: "a priority beyond the last is refused",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(bounded(bench)),
    },
    Case {
        id: "Q10",
        guarantee: "a full server lets jobs be taken",
        remedy: "use a server on which ZPOPMIN needs no room, or keep memory free",
        needs: Needs::Nothing,
        run: |bench| Box::pin(async { scene::of(bench.scene.as_deref(), Scene::drains) }),
    },
    Case {
        id: "Q11",
        guarantee: "no job is pushed out",
        remedy: KEEP_ALL,
        needs: Needs::Nothing,
        run: |bench| {
            Box::pin(async { scene::of(bench.scene.as_deref(), |scene| scene.keeps("jobs")) })
        },
    },
];

fn job(id: &str, priority: u32) -> Job {
    let (delay, backoff) = (Duration::ZERO, Duration::ZERO);
    Job { id: id.into(), payload: PAYLOAD.into(), priority, delay, attempts: 3, backoff }
}

/// Adds a job that must be new.
async fn add(bench: &Bench<dyn Queue>, queue: &Key, job: &Job) -> Result<Window, Upset> {
    let (added, when) = watched(bench.back_end.add(queue, job)).await?;
    let claim =
        Claim { else_says: "a job cannot be added", asked: "add a new job", wanted: "added" };
    claim.holds(added == Added::Fresh, &added)?;
    Ok(when)
}

/// Takes a job that must be due. The lease begins in the window.
async fn take(
    bench: &Bench<dyn Queue>,
    queue: &Key,
    lease: Duration,
    claim: Claim,
) -> Result<(Ticket, Expiry), Upset> {
    let (taken, set) = watched(bench.back_end.take(queue, lease)).await?;
    let Some(Taken { ticket, payload }) = taken else { return Err(claim.fails(&taken)) };
    claim.holds(payload == PAYLOAD, &payload)?;
    Ok((ticket, Expiry { set, ttl: lease, slack: bench.pace.slack() }))
}

/// Nothing may be due shortly before `until` is over.
async fn nothing_before(
    bench: &Bench<dyn Queue>,
    queue: &Key,
    until: &Expiry,
    claim: Claim,
) -> Result<(), Upset> {
    until.nearly().await;
    let (taken, seen) = watched(bench.back_end.take(queue, LONG)).await?;
    match taken {
        None => Ok(()),
        Some(_) if seen.to < until.earliest() => Err(claim.fails(&taken)),
        Some(_) => Err(Upset::Missed("looked too late to see that it was not due")),
    }
}

/// A time of `least` or longer, that can be told from none on this link.
fn telling(bench: &Bench<dyn Queue>, least: Duration) -> Duration {
    cmp::max(least, bench.pace.slack() * 2)
}

async fn ordered(bench: &Bench<dyn Queue>) -> Result<Held, Upset> {
    let queue = bench.keys.key("q1");
    let claim = Claim {
        else_says: "jobs are not taken in order",
        asked: "add d and c of the last priority, a of the first",
        wanted: "a, d, c",
    };
    let last = PRIORITIES - 1;
    for (id, priority) in [("d", last), ("c", last), ("a", 0)] {
        add(bench, &queue, &job(id, priority)).await?;
    }
    let mut order = Vec::new();
    for _ in 0..3 {
        order.push(take(bench, &queue, LONG, claim).await?.0.id);
    }
    claim.holds(order == ["a", "d", "c"], &order)?;
    Ok(Held::saw(format!("in order, exact among {PRIORITIES} priorities")))
}

async fn added_once(bench: &Bench<dyn Queue>) -> Result<Held, Upset> {
    let (jobs, queue) = (&*bench.back_end, bench.keys.key("q2"));
    let claim = Claim {
        else_says: "a job was added twice",
        asked: "add a job that waits, and one that is taken",
        wanted: "known both times, and the first unchanged",
    };
    add(bench, &queue, &job("a", 0)).await?;
    let again = Job { payload: b"intruder".into(), ..job("a", 0) };
    let waits = jobs.add(&queue, &again).await?;
    take(bench, &queue, LONG, claim).await?;
    let taken = jobs.add(&queue, &again).await?;
    claim.holds((waits, taken) == (Added::Known, Added::Known), &(waits, taken))?;
    Ok(Held::saw("known while it waits and while it is taken"))
}

async fn taken_once(bench: &Bench<dyn Queue>) -> Result<Held, Upset> {
    let (jobs, queue) = (&*bench.back_end, bench.keys.key("q3"));
    let each: Vec<Job> = (0..JOBS).map(|nth| job(&nth.to_string(), 0)).collect();
    let added = join_all(each.iter().map(|job| add(bench, &queue, job))).await;
    added.into_iter().collect::<Result<Vec<_>, _>>()?;
    let taken = join_all((0..TAKERS).map(|_| jobs.take(&queue, LONG))).await;
    let taken: Vec<_> = taken.into_iter().collect::<Result<Vec<_>, _>>()?;
    let ids: Vec<_> = taken.iter().flatten().map(|taken| taken.ticket.id.as_str()).collect();
    let claim = Claim {
        else_says: "jobs were taken twice, or not at all",
        asked: "3 workers take 2 jobs at once",
        wanted: "2 different jobs",
    };
    let different = ids.iter().collect::<BTreeSet<_>>().len();
    claim.holds((ids.len(), different) == (JOBS, JOBS), &ids)?;
    Ok(Held::saw(format!("{JOBS} jobs for {TAKERS} workers, each once")))
}

async fn recovered(bench: &Bench<dyn Queue>) -> Result<Held, Upset> {
    let (jobs, queue) = (&*bench.back_end, bench.keys.key("q4"));
    let (lease, mut attempts) = (telling(bench, LEASE), Vec::new());
    let claim = Claim {
        else_says: "a silent worker's job is not recovered",
        asked: "take, say nothing, take after the lease",
        wanted: "attempt 2 when it is over, and not before",
    };
    add(bench, &queue, &Job { attempts: 2, ..job("a", 0) }).await?;
    for _ in 0..2 {
        let (ticket, expiry) = take(bench, &queue, lease, claim).await?;
        attempts.push(ticket.attempt);
        if attempts.len() == 1 {
            nothing_before(bench, &queue, &expiry, claim).await?;
        }
        expiry.over().await;
    }
    claim.holds(attempts == [1, 2], &attempts)?;
    let last = jobs.take(&queue, LONG).await?;
    let dead = jobs.dead(&queue, "a").await?;
    let dies = Claim {
        else_says: "a job is taken for ever",
        asked: "take after the last of 2 leases",
        wanted: "nothing, and the job dead after 2 attempts",
    };
    let is_dead = dead.as_ref().is_some_and(|dead| dead.attempts == 2);
    dies.holds(last.is_none() && is_dead, &(last, dead))?;
    Ok(Held::saw(format!("taken again after {}, dead after 2", units::span(lease))))
}

async fn fenced(bench: &Bench<dyn Queue>) -> Result<Held, Upset> {
    let (jobs, queue) = (&*bench.back_end, bench.keys.key("q5"));
    let claim = Claim {
        else_says: "a failed job is not tried again",
        asked: "take, fail, take",
        wanted: "attempt 1, then attempt 2",
    };
    add(bench, &queue, &job("a", 0)).await?;
    let (first, _) = take(bench, &queue, LONG, claim).await?;
    jobs.fail(&queue, &first, "on purpose").await?;
    let settled = jobs.done(&queue, &first).await?;
    let failed = Claim {
        else_says: "a worker could settle what it had failed",
        asked: "fail, then done by the same attempt",
        wanted: "lost: it waits for another attempt",
    };
    failed.holds(settled == Hold::Lost, &settled)?;
    let (second, _) = take(bench, &queue, LONG, claim).await?;
    claim.holds((first.attempt, second.attempt) == (1, 2), &(&first, &second))?;
    let late = (jobs.done(&queue, &first).await?, jobs.fail(&queue, &first, "late").await?);
    let stranger = Claim {
        else_says: "a former worker could settle a job",
        asked: "done and fail by attempt 1 after 2",
        wanted: "lost, lost",
    };
    stranger.holds(late == (Hold::Lost, Failed::Lost), &late)?;
    let ends = (jobs.done(&queue, &second).await?, jobs.done(&queue, &second).await?);
    let once = Claim {
        else_says: "a job is not done once",
        asked: "done twice by the worker that has it",
        wanted: "kept, then lost",
    };
    once.holds(ends == (Hold::Kept, Hold::Lost), &ends)?;
    Ok(Held::saw("attempt 1 is lost once attempt 2 is taken"))
}

async fn delayed(bench: &Bench<dyn Queue>) -> Result<Held, Upset> {
    let (queue, delay) = (bench.keys.key("q6"), telling(bench, LEASE));
    let claim = Claim {
        else_says: "a delayed job comes at the wrong time",
        asked: "add with a delay, take before and after",
        wanted: "nothing, then the job",
    };
    let set = add(bench, &queue, &Job { delay, ..job("a", 0) }).await?;
    let expiry = Expiry { set, ttl: delay, slack: bench.pace.slack() };
    nothing_before(bench, &queue, &expiry, claim).await?;
    expiry.over().await;
    take(bench, &queue, LONG, claim).await?;
    Ok(Held::saw(format!("not before {}, {} after", units::span(delay), units::span(expiry.slack))))
}

/// Fails a job that must be tried again after a time of these.
async fn fail(
    bench: &Bench<dyn Queue>,
    queue: &Key,
    ticket: &Ticket,
    right: RangeInclusive<Duration>,
) -> Result<Expiry, Upset> {
    let claim = Claim {
        else_says: "a failed job waits too long or too short",
        asked: "fail",
        wanted: "tried after its backoff, doubled each time",
    };
    let (failed, set) = watched(bench.back_end.fail(queue, ticket, "on purpose")).await?;
    match failed {
        Failed::Retried { after } if right.contains(&after) => {
            Ok(Expiry { set, ttl: after, slack: bench.pace.slack() })
        }
        Failed::Retried { .. } | Failed::Dead | Failed::Lost => Err(claim.fails(&failed)),
    }
}

async fn retried(bench: &Bench<dyn Queue>) -> Result<Held, Upset> {
    let (jobs, queue) = (&*bench.back_end, bench.keys.key("q7"));
    // In whole milliseconds, as servers count: what is cut off would be waited too short.
    let least = cmp::max(BACKOFF, bench.pace.slack()).as_millis();
    let backoff = Duration::from_millis(u64::try_from(least).unwrap_or(u64::MAX));
    let claim = Claim {
        else_says: "a failed job comes back at the wrong time",
        asked: "take before and after the time told",
        wanted: "nothing, then the job",
    };
    add(bench, &queue, &Job { backoff, ..job("a", 0) }).await?;
    let (mut ticket, _) = take(bench, &queue, LONG, claim).await?;
    for wait in [backoff, backoff * 2] {
        let expiry = fail(bench, &queue, &ticket, wait..=wait * 5 / 4).await?;
        if wait == backoff {
            nothing_before(bench, &queue, &expiry, claim).await?;
        }
        expiry.over().await;
        ticket = take(bench, &queue, LONG, claim).await?.0;
    }
    let failed = jobs.fail(&queue, &ticket, "on purpose").await?;
    let (dead, left) = (jobs.dead(&queue, "a").await?, jobs.take(&queue, LONG).await?);
    let dies = Claim {
        else_says: "a job that failed for good is not kept so",
        asked: "fail the last of 3 attempts",
        wanted: "dead after 3, with the reason, not taken",
    };
    let right = Some(Dead { attempts: 3, why: "on purpose".into() });
    let so = failed == Failed::Dead && dead == right && left.is_none();
    dies.holds(so, &(failed, dead, left))?;
    Ok(Held::saw(format!("waits from {}, doubles, dead after 3", units::span(backoff))))
}

async fn kept(bench: &Bench<dyn Queue>) -> Result<Held, Upset> {
    let (jobs, queue) = (&*bench.back_end, bench.keys.key("q8"));
    let lease = telling(bench, LEASE);
    let claim = Claim {
        else_says: "a worker that beats loses its job",
        asked: "take, beat, another takes after the lease",
        wanted: "nothing to take, and the job kept",
    };
    add(bench, &queue, &job("a", 0)).await?;
    let (ticket, expiry) = take(bench, &queue, lease, claim).await?;
    sleep_until(expiry.set.from + lease / 2).await;
    let (beat, set) = watched(jobs.beat(&queue, &ticket, lease * 2)).await?;
    claim.holds(beat == Hold::Kept, &beat)?;
    expiry.over().await;
    let (other, seen) = watched(jobs.take(&queue, LONG)).await?;
    let longer = Expiry { set, ttl: lease * 2, ..expiry };
    match other {
        Some(_) if seen.to >= longer.earliest() => {
            return Err(Upset::Missed("looked too late to see that it was kept"));
        }
        Some(_) => return Err(claim.fails(&other)),
        None => {}
    }
    let done = jobs.done(&queue, &ticket).await?;
    claim.holds(done == Hold::Kept, &done)?;
    Ok(Held::saw(format!("kept past its lease of {}", units::span(lease))))
}

async fn bounded(bench: &Bench<dyn Queue>) -> Result<Held, Upset> {
    let claim = Claim {
        else_says: "a priority that is none is taken",
        asked: "add a job one beyond the last priority",
        wanted: "refused",
    };
    let beyond = bench.back_end.add(&bench.keys.key("q9"), &job("a", PRIORITIES)).await?;
    claim.holds(beyond == Added::OutOfRange, &beyond)?;
    Ok(Held::saw(format!("{PRIORITIES} is refused")))
}
