//! Asks for the version from time to time, and tells the engine.

use super::{Settings, read::Reader};
use crate::{
    domain::{Notice, Topic},
    engine::{Command, Handle, Refused},
    secret::Redactor,
};
use std::{ffi::OsString, time::Duration};
use tokio::{
    task::JoinHandle,
    time::{sleep, timeout},
};
use tokio_util::sync::CancellationToken;

/// How soon another version than before is asked for again: a file that is half
/// written and one of several servers are no deploy.
const AGAIN: Duration = Duration::from_secs(1);
/// How soon an engine that was busy is told again.
const BUSY: Duration = Duration::from_millis(100);
/// Failures in a row that are told: while it is replaced an app may be away for a moment.
const TOLD_AFTER: u8 = 2;

/// What the asking must not give away.
#[derive(Clone, Debug, Default)]
pub struct Around {
    /// Takes secrets out of what is told.
    pub redactor: Redactor,
    /// Variables that hold one, which no program of the user's gets.
    pub hidden: Vec<OsString>,
}

/// The task that asks.
#[derive(Debug)]
pub struct Watch {
    cancel: CancellationToken,
    first: CancellationToken,
    task: JoinHandle<()>,
}

impl Watch {
    /// Begins to ask. Must be called within a runtime.
    pub fn start(settings: Settings, engine: Handle, around: Around) -> Self {
        let (cancel, first) = (CancellationToken::new(), CancellationToken::new());
        let task = Asker {
            reader: Reader::new(settings.source, around.hidden),
            redactor: around.redactor,
            name: settings.name,
            interval: settings.interval,
            engine,
            seen: Seen::default(),
        };
        let (stop, asked) = (cancel.clone(), first.clone());
        let task = tokio::spawn(async move {
            tokio::select! {
                () = stop.cancelled() => {}
                () = task.run(&asked) => {}
            }
            asked.cancel();
        });
        Self { cancel, first, task }
    }

    /// Waits until the version was asked for once, but no longer than `patience`.
    pub async fn first(&self, patience: Duration) {
        // What is not known by then is told when it is.
        let _late = timeout(patience, self.first.cancelled()).await;
    }

    /// Stops asking. A program that runs is killed.
    pub async fn stop(self) {
        self.cancel.cancel();
        let _ended = self.task.await;
    }
}

struct Asker {
    reader: Reader,
    redactor: Redactor,
    name: String,
    interval: Duration,
    engine: Handle,
    seen: Seen,
}

impl Asker {
    /// Asks until the engine is gone.
    async fn run(mut self, asked: &CancellationToken) {
        loop {
            let read = self.reader.read().await;
            let told = self.seen.note(read);
            let pause = if told == Told::Unclear { AGAIN } else { self.interval };
            if self.tell(told).await.is_err() {
                return;
            }
            asked.cancel();
            sleep(pause).await;
        }
    }

    async fn tell(&self, told: Told) -> Result<(), Refused> {
        let topic = Topic::Version;
        match told {
            Told::Nothing | Told::Unclear => Ok(()),
            Told::Serves { version, recovered } => {
                if recovered {
                    self.send(Command::Untell(topic)).await?;
                }
                self.send(Command::Serves(version)).await
            }
            Told::Recovered => self.send(Command::Untell(topic)).await,
            Told::Trouble(why) => {
                let mut says = format!("the version of {} cannot be read: {why}", self.name);
                self.redactor.scrub(&mut says);
                tracing::warn!("{says}");
                self.send(Command::Tell(Notice { topic, says })).await
            }
        }
    }

    /// Hands a command over, however long the engine is busy.
    async fn send(&self, command: Command) -> Result<(), Refused> {
        loop {
            match self.engine.send(command.clone()) {
                Err(Refused::Busy) => sleep(BUSY).await,
                sent => return sent,
            }
        }
    }
}

/// What was read so far.
#[derive(Debug, Default)]
struct Seen {
    known: Option<String>,
    /// Another version that was seen once.
    other: Option<String>,
    failed: u8,
    /// The trouble that was told and stands.
    trouble: Option<String>,
}

/// What is to be told after an answer.
#[derive(Clone, Debug, PartialEq, Eq)]
enum Told {
    Nothing,
    /// It has to be asked once more, soon.
    Unclear,
    Serves {
        version: String,
        recovered: bool,
    },
    Recovered,
    Trouble(String),
}

impl Seen {
    /// Folds in an answer. The first counts at once, another one when it is seen twice.
    fn note(&mut self, read: Result<String, String>) -> Told {
        let version = match read {
            Ok(version) => version,
            Err(why) => return self.failed(why),
        };
        self.failed = 0;
        let new = self.known.as_ref() != Some(&version);
        if new && self.known.is_some() && self.other.as_ref() != Some(&version) {
            self.other = Some(version);
            return Told::Unclear;
        }
        self.other = None;
        let recovered = self.trouble.take().is_some();
        if new {
            self.known = Some(version.clone());
            return Told::Serves { version, recovered };
        }
        if recovered { Told::Recovered } else { Told::Nothing }
    }

    fn failed(&mut self, why: String) -> Told {
        self.failed = self.failed.saturating_add(1);
        self.other = None;
        let early = self.known.is_some() && self.failed < TOLD_AFTER;
        if early || self.trouble.as_ref() == Some(&why) {
            return Told::Nothing;
        }
        self.trouble = Some(why.clone());
        Told::Trouble(why)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{app::Source, domain::Snapshot};
    use std::{fs, sync::Arc};
    use tokio::sync::{mpsc, watch};

    fn note(seen: &mut Seen, read: &str) -> Told {
        seen.note(read.strip_prefix('!').map_or(Ok(read.to_owned()), |why| Err(why.to_owned())))
    }

    fn serves(version: &str, recovered: bool) -> Told {
        Told::Serves { version: version.into(), recovered }
    }

    #[test]
    fn a_version_counts_when_it_is_seen_twice_and_the_first_at_once() {
        let seen = &mut Seen::default();
        let said = ["1", "1", "2", "1", "2", "2", "2"].map(|read| note(seen, read));
        let (nothing, unclear) = (Told::Nothing, Told::Unclear);
        let expected = [
            serves("1", false),
            nothing.clone(),
            unclear.clone(),
            nothing.clone(),
            unclear,
            serves("2", false),
            nothing,
        ];
        assert_eq!(said, expected);
    }

    #[test]
    fn trouble_is_told_once_and_only_if_it_lasts() {
        let seen = &mut Seen::default();
        let told = |why: &str| Told::Trouble(why.into());
        assert_eq!(note(seen, "!away"), told("away"), "nothing is known yet");
        assert_eq!(note(seen, "!away"), Told::Nothing);
        assert_eq!(note(seen, "1"), serves("1", true));
        assert_eq!(note(seen, "!away"), Told::Nothing, "for a moment");
        assert_eq!(note(seen, "1"), Told::Nothing);
        assert_eq!(note(seen, "!away"), Told::Nothing);
        assert_eq!(note(seen, "!gone"), told("gone"));
        assert_eq!(note(seen, "2"), Told::Unclear);
        assert_eq!(note(seen, "!gone"), Told::Nothing);
        assert_eq!(note(seen, "1"), Told::Recovered);
    }

    #[tokio::test]
    async fn the_engine_is_told_what_is_served_and_what_is_wrong() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("hunter2");
        let (_publish, snapshots) = watch::channel(Arc::new(Snapshot::default()));
        let (commands, mut told) = mpsc::channel(1);
        let settings = Settings {
            name: "api".into(),
            source: Source::File(file.clone()),
            interval: Duration::from_millis(10),
        };
        let redactor = Redactor::new([&crate::secret::Secret::new("hunter2")]);
        let around = Around { redactor, hidden: Vec::new() };
        let watch = Watch::start(settings, Handle::new(snapshots, commands), around);
        watch.first(Duration::from_secs(20)).await;
        let Some(Command::Tell(notice)) = told.recv().await else { panic!("nothing is told") };
        assert!(notice.says.starts_with("the version of api cannot be read: "));
        assert!(notice.says.ends_with("[secret]: it is not there"), "{}", notice.says);
        fs::write(&file, "v1").unwrap();
        assert_eq!(told.recv().await, Some(Command::Untell(Topic::Version)));
        assert_eq!(told.recv().await, Some(Command::Serves("v1".into())));
        watch.stop().await;
        assert_eq!(told.recv().await, None, "it is gone");
    }
}
