use super::slots::Slots;
use crate::probe::this_run;
use std::{
    collections::BTreeSet,
    iter,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// No key of ours lives longer, whatever becomes of this process.
pub(crate) const CEILING: Duration = Duration::from_mins(1);

/// How often a run is drawn until its slot fits. A single slot of all is hit by then.
const DRAWS: usize = 1 << 18;

/// The keys of one run of one check. Nothing else can make a [`Key`].
///
/// A key reads `tminus:{<run>}:<process>:<service>:<name>`. The braces put all keys
/// of a run into one slot of a cluster, so that a script may use several; by the
/// name of the process those that a killed one left are found.
#[derive(Clone)]
pub(crate) struct Keys {
    run: String,
    prefix: String,
    touched: Touched,
}

/// Keys that a command which may have written them was sent for.
type Touched = Arc<Mutex<BTreeSet<String>>>;

/// The name of a key that may be written.
#[derive(Clone, Debug)]
pub(crate) struct Key {
    name: String,
    touched: Touched,
}

impl Keys {
    /// The keys of a new run, told from all other runs by 48 random bits.
    pub(crate) fn new(service: &str) -> Self {
        Self::within(service, &Slots::all())
    }

    /// The keys of a new run that belong to one of `slots`, if there is any.
    pub(crate) fn within(service: &str, slots: &Slots) -> Self {
        let run = drawn();
        let fitting = || iter::repeat_with(drawn).take(DRAWS).find(|run| slots.hold(run));
        let run = if slots.hold(&run) { run } else { fitting().unwrap_or(run) };
        let prefix = format!("tminus:{{{run}}}:{}:{service}", this_run());
        Self { run, prefix, touched: Touched::default() }
    }

    /// What tells the run from all others.
    pub(crate) fn run(&self) -> &str {
        &self.run
    }

    /// The key called `name`.
    pub(crate) fn key(&self, name: &str) -> Key {
        Key { name: format!("{}:{name}", self.prefix), touched: Arc::clone(&self.touched) }
    }

    /// What all keys of the run begin with.
    pub(crate) fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The names of all keys that may have been written.
    pub(crate) fn touched(&self) -> Vec<String> {
        self.touched.lock().unwrap_or_else(PoisonError::into_inner).iter().cloned().collect()
    }
}

impl Key {
    /// A key that belongs to this one, such as the lease of a value.
    pub(crate) fn part(&self, suffix: &str) -> Self {
        Self { name: format!("{}:{suffix}", self.name), touched: Arc::clone(&self.touched) }
    }

    /// The name as the server knows it.
    pub(crate) fn as_str(&self) -> &str {
        &self.name
    }

    /// Remembers that it may have been written, and has to be removed.
    pub(crate) fn touch(&self) {
        let mut touched = self.touched.lock().unwrap_or_else(PoisonError::into_inner);
        touched.insert(self.name.clone());
    }
}

/// 48 random bits.
fn drawn() -> String {
    format!("{:012x}", fastrand::u64(..1 << 48))
}

/// A time to live as the server wants it: whole milliseconds, from 1 to 60 000.
pub(crate) fn milliseconds(ttl: Duration) -> u64 {
    u64::try_from(ttl.min(CEILING).as_millis()).unwrap_or(1).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn all_keys_of_a_run_share_its_prefix_and_its_slot() {
        let keys = Keys::new("lock");
        let key = keys.key("l1");
        let run = &key.as_str()["tminus:{".len()..][..12];
        assert_eq!(key.as_str(), format!("tminus:{{{run}}}:{}:lock:l1", this_run()));
        assert_eq!(key.part("f").as_str(), format!("{}:f", key.as_str()));
        assert!(key.as_str().starts_with(keys.prefix()));
        assert_ne!(keys.prefix(), Keys::new("lock").prefix());
    }

    #[test]
    fn keys_can_be_had_in_any_single_slot() {
        let only = Slots::of([(12_182, 12_182)]);
        let keys = Keys::within("lock", &only);
        assert!(only.hold(keys.run()));
        assert_ne!(keys.run(), Keys::within("lock", &only).run());
    }

    #[test]
    fn what_was_touched_is_remembered_once() {
        let keys = Keys::new("cache");
        let key = keys.key("c1");
        assert!(keys.touched().is_empty());
        key.part("l").touch();
        key.touch();
        key.touch();
        assert_eq!(keys.touched(), [key.as_str().to_owned(), format!("{}:l", key.as_str())]);
    }

    #[test]
    fn no_time_to_live_exceeds_the_ceiling_or_is_none() {
        let ms = |ttl| milliseconds(Duration::from_micros(ttl));
        assert_eq!([ms(0), ms(999), ms(1_500_000)], [1, 1, 1500]);
        assert_eq!(milliseconds(Duration::MAX), 60_000);
    }
}
