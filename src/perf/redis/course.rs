//! One test from its first key to its last: prepares, runs, tidies up, gives a receipt.

use super::{
    Asked,
    client::{Sending, Target, too_full},
    control::{Control, Info},
    tape::{GET, Material, SET},
};
use crate::{
    domain::{
        Evidence, Fact, Quantity, Receipt,
        perf::{Ended, Load},
    },
    integrations::redis::Dial,
    perf::{Broken, Figures, Guards, Reins, Untested, number::float, run},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

/// How long it may take to remove what was written; what is left then expires.
const TIDYING: Duration = Duration::from_secs(20);
/// Counts that differ by one in so many are the same to us: somebody else may ask, too.
const NEARLY: u64 = 1000;
/// Why a node of a cluster is not tested, and what to test instead.
const IN_CLUSTER: &str = "it is a node of a cluster, and has only some of the slots";
const ONE_SERVER: &str = "test a server like it that is in no cluster: \
    what a node does not have it answers with MOVED, and that measures nothing";
/// Bytes that a key costs the server beside its value, about.
const KEY_COST: u64 = 200;

/// A prepared test.
pub(super) struct Course {
    target: Arc<Target>,
    load: Load,
    before: Stats,
    filled: u64,
}

/// What the server counted, and when it was asked.
struct Stats {
    at: Instant,
    commands: Info,
    whole: Info,
}

impl Stats {
    async fn ask(control: &mut Control) -> Result<Self, Broken> {
        let commands = control.info("commandstats").await?;
        let whole = control.info("all").await?;
        Ok(Self { at: Instant::now(), commands, whole })
    }
}

fn unfit(why: &Broken) -> Untested {
    Untested::target(&why.says)
}

/// What is left of a test besides its figures.
pub(super) struct Tidied {
    pub(super) receipt: Receipt,
    pub(super) facts: Vec<Fact>,
}

impl Course {
    /// Looks whether the server can bear it. Writes nothing yet.
    pub(super) async fn begin(
        dial: Dial,
        material: Material,
        asked: &Asked,
    ) -> Result<Self, Untested> {
        let mut control = Control::open(&dial).await.map_err(|why| unfit(&why))?;
        let before = Stats::ask(&mut control).await.map_err(|why| unfit(&why))?;
        if before.whole.number("cluster_enabled") > 0 {
            return Err(Untested::refused(IN_CLUSTER, ONE_SERVER));
        }
        let (used, most) = (before.whole.number("used_memory"), before.whole.number("maxmemory"));
        let needed = asked.keys * (asked.size + KEY_COST);
        if let Some(why) = too_full(used.saturating_add(needed), most) {
            return Err(Untested::target(&format!("the keys of the test do not fit: {why}")));
        }
        let depth = usize::try_from(asked.pipeline).unwrap_or(1);
        let sending = Arc::new(Sending::new(asked.mix));
        let control = Mutex::new(control);
        let expires = Instant::now() + asked.lives();
        let target = Arc::new(Target { dial, material, depth, sending, expires, control });
        // Where nothing is read, the first key shows whether any may be written.
        let filled = if asked.mix.reads() { asked.keys } else { 1 };
        Ok(Self { target, load: asked.load(), before, filled })
    }

    /// Writes the keys that are to be read.
    pub(super) async fn fill(&self, reins: &Reins) -> Result<(), Untested> {
        let material = Material { keys: self.filled, ..self.target.material.clone() };
        let filled = tokio::select! {
            biased;
            () = reins.cancel.cancelled() => Err(Untested::aborted()),
            filled = async { self.target.control.lock().await.fill(&material).await } => {
                filled.map_err(|why| unfit(&why))
            }
        };
        match filled {
            Ok(()) => Ok(()),
            Err(why) if self.target.control.lock().await.set == 0 => Err(why),
            Err(why) => Err(Untested { left: self.tidy(None).await.receipt.left, ..why }),
        }
    }

    /// Puts the load on.
    pub(super) async fn run(&self, reins: &Reins) -> Result<Figures, crate::perf::Failed> {
        run(Arc::clone(&self.target), &self.load, Guards::default(), reins).await
    }

    /// Removes every key by its name, and counts what is left.
    pub(super) async fn tidy(&self, figures: Option<&Figures>) -> Tidied {
        let keys = self.target.material.keys;
        let mut control = self.target.control.lock().await;
        let after = Stats::ask(&mut control).await.ok();
        let removing = timeout(TIDYING, async {
            let material = &self.target.material;
            let mut removed = control.remove(material).await;
            if removed.is_err() {
                // Whatever became of the connection, a new one may still get through.
                *control = Control::open(&self.target.dial).await?;
                removed = control.remove(material).await;
            }
            Ok::<_, Broken>((removed?, control.count(material).await?))
        });
        let (removed, left) = match removing.await {
            Ok(Ok(counted)) => counted,
            // Nobody knows: then all of them may be left, until they expire.
            Ok(Err(_)) | Err(_) => (0, keys),
        };
        let sent = self.target.sending.counts();
        let receipt = Receipt {
            sent: sent[GET] + sent[SET] + control.sent,
            written: removed + left,
            removed,
            left,
        };
        let facts = after.map(|after| self.facts(&after, figures)).unwrap_or_default();
        Tidied { receipt, facts }
    }

    /// What the server says of the test.
    fn facts(&self, after: &Stats, figures: Option<&Figures>) -> Vec<Fact> {
        let before = &self.before;
        let sent = self.target.sending.counts();
        let gone = |field| after.whole.number(field).saturating_sub(before.whole.number(field));
        let mut facts = Evidence::default();
        if !after.commands.is_empty() {
            let counted =
                |name| after.commands.calls(name).saturating_sub(before.commands.calls(name));
            let (ours, theirs) =
                (sent[GET] + sent[SET] + self.filled, counted("get") + counted("set"));
            facts = facts
                .fact("commands sent", Quantity::Count(ours))
                .fact("commands counted there", Quantity::Count(theirs))
                .fact("counts agree", agreement(ours, theirs, self.in_flight(figures)));
        }
        if let Some(cpu) = cpu_between(&before.whole, &after.whole) {
            let took = after.at.duration_since(before.at).as_secs_f64();
            let each = cpu * 1e6 / float(sent[GET] + sent[SET] + self.filled).max(1.0);
            facts = facts
                .fact("server processor", Quantity::Ratio(cpu / took.max(1e-9)))
                .fact("server processor each", format!("{each:.2}µs").as_str());
        }
        facts
            .fact("keys evicted", Quantity::Count(gone("evicted_keys")))
            .fact("connections rejected", Quantity::Count(gone("rejected_connections")))
            .facts
    }

    /// Commands that may have been sent without an answer.
    fn in_flight(&self, figures: Option<&Figures>) -> u64 {
        let cut_short = figures.is_none_or(|figures| figures.ended != Ended::Complete);
        let answered = figures.is_some_and(|figures| figures.errors.is_empty());
        if answered && !cut_short {
            0
        } else {
            u64::from(self.load.clients) * u64::from(self.load.depth)
        }
    }
}

/// Whether both counts are of the same commands: `slack` of ours may not have arrived.
fn agreement(ours: u64, theirs: u64, slack: u64) -> &'static str {
    let apart = ours.abs_diff(theirs);
    match (theirs > ours, apart <= ours / NEARLY) {
        (false, _) if apart <= slack => "yes",
        (_, true) => "yes, within 0.1 %",
        (true, false) => "no: somebody else sends commands too",
        (false, false) => "no: the server counts less than was sent",
    }
}

/// Seconds of processor time that the server took in between.
fn cpu_between(before: &Info, after: &Info) -> Option<f64> {
    let of = |info: &Info| Some(info.seconds("used_cpu_user")? + info.seconds("used_cpu_sys")?);
    Some((of(after)? - of(before)?).max(0.0))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_agree_when_every_command_arrived() {
        assert_eq!(agreement(100, 100, 0), "yes");
        assert_eq!(agreement(100, 90, 10), "yes");
        assert!(agreement(100, 89, 10).contains("less"));
        assert!(agreement(100, 101, 0).contains("somebody else"));
        assert_eq!(agreement(10_000, 10_010, 0), "yes, within 0.1 %", "our own checks run too");
        assert!(agreement(10_000, 10_011, 0).starts_with("no"));
    }
}
