//! What the services on a server speak through: it counts and remembers.

use super::{
    client::Client,
    keys::{Key, Keys, milliseconds},
    reply::{count, integer, list},
    steps::Steps,
    tally::Tally,
    trouble::Trouble,
};
use crate::domain::Receipt;
use redis::{Cmd, Script, Value};
use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{sync::OnceCell, time::Instant};

/// A server as one case of one run of one check sees it.
#[derive(Clone)]
pub(crate) struct Server {
    client: Arc<Client>,
    tally: Arc<Tally>,
    steps: Steps,
    script: Arc<Met>,
}

/// What is known in a run of the script that it uses.
#[derive(Default)]
struct Met {
    /// Whether the server has it. Whoever needs it first sends it.
    known: OnceCell<Result<(), Trouble>>,
    /// Whether it may not be called by its digest.
    by_name: AtomicBool,
}

/// A script and the digest under which a server remembers it.
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
        let tally = Arc::new(Tally::default());
        tally.opened();
        Self { client, tally, steps: Steps::default(), script: Arc::default() }
    }

    /// The same where the run has the connection to itself: its greeting counts too.
    pub(super) fn alone(client: Arc<Client>) -> Self {
        let greeting = client.sent();
        let server = Self::new(client);
        (0..greeting).for_each(|_| server.tally.sends(0));
        server
    }

    /// The same, with what is said noted in `steps`.
    pub(super) fn noting(&self, steps: &Steps) -> Self {
        Self { steps: steps.clone(), ..self.clone() }
    }

    /// Asks what writes nothing.
    pub(crate) async fn read(&self, question: &Cmd) -> Result<Value, Trouble> {
        self.tally.sends(question.get_packed_command().len());
        let began = Instant::now();
        let answer = self.client.ask(question).await;
        self.steps.note(question, &answer, began.elapsed());
        answer
    }

    /// Notes what was said on a connection on which the answers come by themselves.
    pub(super) fn said(&self, command: &Cmd) {
        let sent = Ok(Value::SimpleString("sent".into()));
        self.steps.note(command, &sent, Duration::ZERO);
    }

    /// What counts the commands, also those that are sent on other connections.
    pub(super) fn tally(&self) -> &Tally {
        &self.tally
    }

    /// Whether it is one node of a cluster.
    pub(crate) fn is_cluster(&self) -> bool {
        self.client.is_cluster()
    }

    /// A time to live that a key is given, as scripts want it.
    pub(crate) fn lives(&self, ttl: Duration) -> String {
        let ttl = milliseconds(ttl);
        self.tally.gives(ttl);
        ttl.to_string()
    }

    /// Runs a script that may write `keys`, all of one slot.
    ///
    /// The first call of a run brings the script, and the others wait for that.
    pub(crate) async fn run(
        &self,
        script: &Lua,
        keys: &[&Key],
        arguments: &[&[u8]],
    ) -> Result<Value, Trouble> {
        let mut doubt = Doubt(keys);
        let mut first = None;
        let bringing = async {
            let answer = self.read(&call("EVAL", script.source, keys, arguments)).await;
            // A refusal is an answer to this call, and a silence one to all of them.
            let silence = answer.as_ref().err().filter(|trouble| !trouble.is_refusal());
            let known = silence.map_or(Ok(()), |trouble| Err(trouble.clone()));
            first = Some(answer);
            known
        };
        let known = self.script.known.get_or_init(|| bringing).await.clone();
        let answer = match (first, known) {
            (Some(answer), _) => answer,
            (None, Ok(())) => self.call_known(script, keys, arguments).await,
            (None, Err(silence)) => {
                doubt.0 = &[];
                return Err(silence);
            }
        };
        if answer.as_ref().is_err_and(Trouble::is_refusal) {
            doubt.0 = &[];
        }
        answer.map_err(Trouble::out_of_script)
    }

    /// Calls a script by its digest, unless only its text will do.
    async fn call_known(
        &self,
        script: &Lua,
        keys: &[&Key],
        arguments: &[&[u8]],
    ) -> Result<Value, Trouble> {
        if !self.script.by_name.load(Relaxed) {
            match self.read(&call("EVALSHA", &script.digest, keys, arguments)).await {
                // `EVAL` and not `SCRIPT LOAD`: a user may well have the one and not the other.
                Err(trouble) if trouble.forgot_script() => {}
                Err(Trouble::Reply { text, .. }) if text.to_lowercase().contains("'evalsha'") => {
                    self.script.by_name.store(true, Relaxed);
                }
                answered => return answered,
            }
        }
        self.read(&call("EVAL", script.source, keys, arguments)).await
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
        Receipt { sent: self.tally.sent(), ..receipt }
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
