//! A process and those that it started, read together.

use crate::{
    domain::plain,
    integrations::performance::{
        process::{self, Missing, Reading},
        settings::Watched,
    },
};
use std::{collections::BTreeMap, time::Duration};
use sysinfo::System;
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};

/// How long a process may be looked for.
const LOOK: Duration = Duration::from_secs(5);
/// How long a reading of a process may take.
const READ: Duration = Duration::from_secs(10);
/// Up to so much resident memory a process is read page by page: twice that may be.
pub(super) const SMALL: u64 = 256 * 1024 * 1024;
/// Characters of a process's name.
const NAME: usize = 32;

/// A process and those that it started.
#[derive(Debug)]
pub(super) struct Lives {
    name: String,
    pub(super) eldest: u32,
    /// When each was started.
    all: BTreeMap<u32, u64>,
    part: Part,
    system: Option<System>,
    watched: Watched,
    pub(super) resident: u64,
    /// One that it started meanwhile.
    pub(super) unread: Option<u32>,
}

/// What of a process is read. Always the same: two are never compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Part {
    Private,
    Anonymous,
    Resident,
}

impl Lives {
    pub(super) async fn find(watched: Watched) -> Result<Self, Missing> {
        let (sought, deadline) = (watched.clone(), Instant::now() + LOOK);
        let found = spawn_blocking(move || {
            let mut system = process::empty()?;
            let eldest = process::find(&sought, deadline)?;
            let gone = || Missing::Nobody(format!("no process with pid {eldest}"));
            let first = process::read(&mut system, eldest).ok_or_else(gone)?;
            let family = process::family(eldest);
            let readings: Vec<Reading> =
                family.iter().filter_map(|pid| process::read(&mut system, *pid)).collect();
            Ok((system, first, readings))
        });
        let crashed = |_| Missing::Local("the look for the process did not end".into());
        let found = timeout(LOOK * 2, found).await.map_err(crashed)?;
        let lost = |_| Missing::Local("the look for the process crashed".into());
        let (system, first, readings) = found.map_err(lost)??;
        Ok(Self {
            name: plain(&first.name, NAME),
            eldest: first.pid,
            all: readings.iter().map(|reading| (reading.pid, reading.started)).collect(),
            part: Part::fit(&readings),
            system: Some(system),
            watched,
            resident: readings.iter().map(|reading| reading.resident).sum(),
            unread: None,
        })
    }

    /// All of them together; `often` also looks for those that were started meanwhile.
    pub(super) async fn read(&mut self, often: bool) -> Result<u64, String> {
        let crashed = || "the reading of the process crashed".to_owned();
        let mut system = self.system.take().ok_or_else(crashed)?;
        let (pids, eldest) = (self.all.keys().copied().collect::<Vec<_>>(), self.eldest);
        let reading = spawn_blocking(move || {
            let read = pids.iter().map(|pid| (*pid, process::read(&mut system, *pid)));
            let read: Vec<_> = read.collect();
            (system, read, if often { process::family(eldest) } else { Vec::new() })
        });
        let late = |_| "the process could not be read in time".to_owned();
        let read = timeout(READ, reading).await.map_err(late)?;
        let (system, readings, family) = read.map_err(|_| crashed())?;
        self.system = Some(system);
        self.resident = 0;
        let mut sum = 0;
        for (pid, reading) in readings {
            let same = |it: &Reading| self.all.get(&pid) == Some(&it.started);
            let Some(reading) = reading.filter(same) else { return Err(self.ended(pid).await) };
            sum += self.part.of(&reading).ok_or_else(|| self.unreadable(pid))?;
            self.resident += reading.resident;
        }
        self.unread = self.unread.or(family.into_iter().find(|pid| !self.all.contains_key(pid)));
        Ok(sum)
    }

    /// What to say of one that is not there any more.
    async fn ended(&self, pid: u32) -> String {
        if pid != self.eldest {
            return format!("pid {pid}, which pid {} had started, ended", self.eldest);
        }
        let name = &self.name;
        // Whoever keeps it alive takes a moment; one that is there already is told.
        let (watched, deadline) = (self.watched.clone(), Instant::now() + LOOK);
        let found = spawn_blocking(move || process::find(&watched, deadline));
        match timeout(LOOK, found).await {
            Ok(Ok(Ok(now))) if now != pid => format!("{name} was restarted, pid {pid} to {now}"),
            Ok(Ok(Ok(_) | Err(_)) | Err(_)) | Err(_) => format!("{name}, pid {pid}, ended"),
        }
    }

    fn unreadable(&self, pid: u32) -> String {
        let what = self.part.words();
        format!("the {what} of pid {pid} cannot be read any more")
    }

    pub(super) fn measure(&self) -> String {
        let (what, pid, name) = (self.part.words(), self.eldest, &self.name);
        match self.all.len() {
            0 | 1 => format!("{what} of pid {pid}, {name}"),
            many => format!("{what} of pid {pid}, {name}, and {} that it started", many - 1),
        }
    }

    /// What has to be said of what is read in place of what should be.
    pub(super) fn note(&self) -> Option<String> {
        let why = "its private memory may not be read or is too large to be read often";
        match self.part {
            Part::Private => None,
            Part::Anonymous => Some(format!("{why}: anonymous memory is read in its place")),
            Part::Resident => {
                Some(format!("{why}: resident memory is read, with shared and file pages in it"))
            }
        }
    }
}

impl Part {
    /// The best that can be read of all of them, time and again.
    pub(super) fn fit(readings: &[Reading]) -> Self {
        if readings.iter().all(|it| it.private.is_some() && it.resident <= SMALL) {
            Self::Private
        } else if readings.iter().all(|it| it.anonymous.is_some()) {
            Self::Anonymous
        } else {
            Self::Resident
        }
    }

    fn of(self, reading: &Reading) -> Option<u64> {
        match self {
            Self::Private => reading.private,
            Self::Anonymous => reading.anonymous,
            Self::Resident => Some(reading.resident),
        }
    }

    fn words(self) -> &'static str {
        match self {
            Self::Private => "private memory",
            Self::Anonymous => "anonymous memory",
            Self::Resident => "resident memory",
        }
    }
}
