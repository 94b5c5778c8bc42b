//! What the services on a server speak through: it counts and remembers.

use super::{
    client::Client,
    keys::{Key, Keys},
    reply::{count, integer, list},
    trouble::Trouble,
};
use crate::domain::Receipt;
use redis::{Cmd, Script, Value};
use std::sync::{
    Arc,
    atomic::{AtomicU64, Ordering::Relaxed},
};

/// A server as one run of one check sees it.
#[derive(Clone)]
pub(crate) struct Server {
    client: Arc<Client>,
    sent: Arc<AtomicU64>,
}

/// A script and the name under which a server remembers it.
pub(crate) struct Lua {
    source: &'static str,
    digest: String,
}

impl Lua {
    pub(crate) fn new(source: &'static str) -> Self {
        Self { source, digest: Script::new(source).get_hash().to_owned() }
    }
}

impl Server {
    pub(super) fn new(client: Arc<Client>) -> Self {
        Self { client, sent: Arc::default() }
    }

    /// Asks what writes nothing.
    pub(crate) async fn read(&self, question: &Cmd) -> Result<Value, Trouble> {
        self.sent.fetch_add(1, Relaxed);
        self.client.ask(question).await
    }

    /// Counts a command that was sent on another connection.
    pub(crate) fn sent_one(&self) {
        self.sent.fetch_add(1, Relaxed);
    }

    /// How many commands were sent in this run.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Whether it is one node of a cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        self.client.greeting.mode.as_deref() == Some("cluster")
    }

    /// Runs a script that may write `keys`, all of one slot.
    pub(crate) async fn run(
        &self,
        script: &Lua,
        keys: &[&Key],
        arguments: &[&[u8]],
    ) -> Result<Value, Trouble> {
        let mut doubt = Doubt(keys);
        let known = self.read(&call("EVALSHA", &script.digest, keys, arguments)).await;
        let answer = match known {
            // `EVAL` and not `SCRIPT LOAD`: a user may well have the one and not the other.
            Err(trouble) if trouble.fault().is_denial() || trouble.forgot_script() => {
                self.read(&call("EVAL", script.source, keys, arguments)).await
            }
            answered => answered,
        };
        if answer.as_ref().is_err_and(Trouble::is_refusal) {
            doubt.0 = &[];
        }
        answer
    }

    /// The time to live of a key.
    pub(crate) async fn left(&self, key: &Key) -> Result<i64, Trouble> {
        let answer = self.read(&redis::cmd("PTTL").arg(key.as_str()).take()).await?;
        integer(&answer)
    }

    /// Removes every key that the run may have written, and looks whether they are gone.
    pub(super) async fn clear(&self, keys: &Keys) -> Receipt {
        let touched = keys.touched();
        let written = u64::try_from(touched.len()).unwrap_or(u64::MAX);
        let mut receipt = Receipt { written, ..Receipt::default() };
        if written > 0 && !self.client.is_spent() {
            let unlink = redis::cmd("UNLINK").arg(&touched).take();
            // Whether it worked is what looking tells.
            drop(self.read(&unlink).await);
            if let Ok((still, left)) = self.look(&touched).await {
                receipt.removed = written.saturating_sub(still);
                receipt.left = left;
            }
        }
        Receipt { sent: self.sent.load(Relaxed), ..receipt }
    }

    /// How many of `names` exist, and how many of those would stay for ever.
    async fn look(&self, names: &[String]) -> Result<(u64, u64), Trouble> {
        let exists = redis::cmd("EXISTS").arg(names).take();
        let still = count(&self.read(&exists).await?)?;
        let mut left = 0;
        if still > 0 {
            for name in names {
                let ttl = self.read(&redis::cmd("PTTL").arg(name).take()).await?;
                left += u64::from(integer(&ttl)? == -1);
            }
        }
        Ok((still, left))
    }
}

/// Keys that a script may have written, also when nobody waits for its answer any more.
struct Doubt<'a>(&'a [&'a Key]);

impl Drop for Doubt<'_> {
    fn drop(&mut self) {
        for key in self.0 {
            key.touch();
        }
    }
}

fn call(how: &str, script: &str, keys: &[&Key], arguments: &[&[u8]]) -> Cmd {
    let keys: Vec<&str> = keys.iter().map(|key| key.as_str()).collect();
    redis::cmd(how).arg(script).arg(keys.len()).arg(keys).arg(arguments).take()
}

/// The answer of a script that returns a verdict and what belongs to it.
pub(crate) fn verdict(answer: Value) -> Result<(i64, Value), Trouble> {
    let [verdict, rest] = list::<2>(answer)?;
    Ok((integer(&verdict)?, rest))
}
