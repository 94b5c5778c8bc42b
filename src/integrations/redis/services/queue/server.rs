use super::{
    super::{
        super::{
            keys::{CEILING, milliseconds},
            reply::{bytes, count, integer, list, odd},
            server::{Lua, Server, verdict},
            trouble::Trouble,
        },
        Answer,
    },
    Added, Dead, Failed, Hold, Job, Key, PRIORITIES, Queue, SILENCE, Taken, Ticket, jitter,
};
use redis::Value;
use std::time::Duration;

/// A queue on a server: a hash of jobs, and a sorted set for each state of theirs.
pub(crate) struct OnServer {
    server: Server,
    script: Lua,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self { server, script: Lua::new(include_str!("queue.lua")) }
    }

    /// Does `what` with all keys of `queue`, and with what belongs to that.
    async fn run(&self, queue: &Key, what: &str, rest: &[&[u8]]) -> Result<Value, Trouble> {
        let keys = ["jobs", "pending", "delayed", "active"].map(|part| queue.part(part));
        let ttl = self.server.lives(CEILING);
        let arguments = [&[what.as_bytes(), ttl.as_bytes()], rest].concat();
        self.server.run(&self.script, &keys.each_ref(), &arguments).await
    }

    async fn settle(
        &self,
        queue: &Key,
        ticket: &Ticket,
        says: [&str; 3],
    ) -> Result<Failed, Trouble> {
        let attempt = ticket.attempt.to_string();
        let [says, number, why] = says;
        let (id, attempt) = (ticket.id.as_bytes(), attempt.as_bytes());
        let arguments = [id, attempt, number.as_bytes(), why.as_bytes()];
        match verdict(self.run(queue, says, &arguments).await?)? {
            (0, _) => Ok(Failed::Lost),
            (1, after) => Ok(Failed::Retried { after: Duration::from_millis(count(&after)?) }),
            (2, _) => Ok(Failed::Dead),
            (other, _) => Err(odd("0, 1 or 2", &Value::Int(other))),
        }
    }

    async fn hold(&self, queue: &Key, ticket: &Ticket, says: [&str; 3]) -> Result<Hold, Trouble> {
        Ok(match self.settle(queue, ticket, says).await? {
            Failed::Lost => Hold::Lost,
            Failed::Retried { .. } | Failed::Dead => Hold::Kept,
        })
    }

    async fn add(&self, queue: &Key, job: &Job) -> Result<Added, Trouble> {
        if job.priority >= PRIORITIES {
            return Ok(Added::OutOfRange);
        }
        let numbers = [u64::from(job.priority), whole(job.delay), job.attempts, whole(job.backoff)];
        let numbers = numbers.map(|number| number.to_string());
        let [priority, delay, attempts, backoff] = numbers.each_ref().map(String::as_bytes);
        let rest = [job.id.as_bytes(), &job.payload, priority, delay, attempts, backoff];
        match integer(&self.run(queue, "add", &rest).await?)? {
            1 => Ok(Added::Fresh),
            0 => Ok(Added::Known),
            other => Err(odd("0 or 1", &Value::Int(other))),
        }
    }

    async fn take(&self, queue: &Key, lease: Duration) -> Result<Option<Taken>, Trouble> {
        let lease = self.server.lives(lease);
        let answer = self.run(queue, "take", &[lease.as_bytes(), SILENCE.as_bytes()]).await?;
        if answer == Value::Nil {
            return Ok(None);
        }
        let [id, payload, attempt] = list::<3>(answer)?;
        let ticket = Ticket { id: words(id)?, attempt: count(&attempt)? };
        Ok(Some(Taken { ticket, payload: bytes(payload)? }))
    }
}

/// A time that may be none.
fn whole(time: Duration) -> u64 {
    if time.is_zero() { 0 } else { milliseconds(time) }
}

fn words(value: Value) -> Result<String, Trouble> {
    Ok(String::from_utf8_lossy(&bytes(value)?).into_owned())
}

impl Queue for OnServer {
    fn add<'a>(&'a self, queue: &'a Key, job: &'a Job) -> Answer<'a, Added> {
        Box::pin(self.add(queue, job))
    }

    fn take<'a>(&'a self, queue: &'a Key, lease: Duration) -> Answer<'a, Option<Taken>> {
        Box::pin(self.take(queue, lease))
    }

    fn beat<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket, lease: Duration) -> Answer<'a, Hold> {
        Box::pin(async move {
            let lease = self.server.lives(lease);
            self.hold(queue, ticket, ["beat", &lease, ""]).await
        })
    }

    fn done<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket) -> Answer<'a, Hold> {
        Box::pin(self.hold(queue, ticket, ["done", "0", ""]))
    }

    fn fail<'a>(&'a self, queue: &'a Key, ticket: &'a Ticket, why: &'a str) -> Answer<'a, Failed> {
        Box::pin(async move {
            let longer = jitter().to_string();
            self.settle(queue, ticket, ["fail", &longer, why]).await
        })
    }

    fn dead<'a>(&'a self, queue: &'a Key, id: &'a str) -> Answer<'a, Option<Dead>> {
        Box::pin(async move {
            let answer = self.run(queue, "dead", &[id.as_bytes()]).await?;
            if answer == Value::Nil {
                return Ok(None);
            }
            let [attempts, why] = list::<2>(answer)?;
            Ok(Some(Dead { attempts: count(&attempts)?, why: words(why)? }))
        })
    }
}
