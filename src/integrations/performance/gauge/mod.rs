//! Reads the memory of the watched process over and over, always in the same way.

mod exported;
mod lives;
#[cfg(test)]
mod tests;

use super::{
    Settings,
    process::Missing,
    room::{self, Room},
    settings::Watched,
};
use crate::secret::Secret;
use exported::Exported;
use lives::Lives;
use reqwest::Url;

/// Readings after each of which the processes are looked for that were started meanwhile.
const OFTEN: u64 = 25;

/// Whose memory is meant, beyond what the settings say.
#[derive(Clone, Debug, Default)]
pub struct Sought {
    /// The process with this id.
    pub pid: Option<u32>,
    /// The one that listens on this port of this machine.
    pub port: Option<u16>,
    /// Where it exports its metrics.
    pub metrics: Option<Secret>,
    /// Which of them is its heap, as `name` or `name{label="text"}`; none for a known one.
    pub heap: Option<String>,
}

/// Memory at one moment, in bytes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Amount {
    /// What is to be judged.
    pub judged: u64,
    /// That of the process, where the judged one is its heap and it can be read too.
    pub process: Option<u64>,
    /// How often the heap was collected, where that is told.
    pub collections: Option<u64>,
}

/// Reads memory.
#[derive(Debug)]
pub struct Gauge {
    process: Option<Lives>,
    heap: Option<Exported>,
    readings: u64,
    notes: Vec<String>,
    most: Option<u64>,
}

impl Gauge {
    /// Finds what is `sought`, or else what `settings` name, and reads it once.
    ///
    /// # Errors
    ///
    /// There is neither a process nor a heap that can be read.
    pub async fn find(settings: &Settings, sought: Sought) -> Result<Self, Missing> {
        let watched = match (sought.pid, settings.watched(), sought.port) {
            (Some(pid), ..) => Some(Watched::Pid(pid)),
            (None, Watched::Ourselves, port) => port.map(Watched::Port),
            (None, named @ (Watched::Pid(_) | Watched::Name(_) | Watched::Port(_)), _) => {
                Some(named)
            }
        };
        let mut notes = Vec::new();
        let metrics = sought.metrics.as_ref().and_then(|url| Url::parse(url.expose()).ok());
        let heap = match metrics.or_else(|| settings.metrics_address()) {
            None => None,
            Some(url) => match Exported::find(url, sought.heap.as_deref()).await {
                Ok(heap) => Some(heap),
                // What was asked for by its name is not replaced.
                Err(why) if sought.heap.is_some() => return Err(Missing::Nobody(why)),
                Err(why) => {
                    notes.push(format!("{why}, so the process is read"));
                    None
                }
            },
        };
        let process = match watched {
            None => None,
            Some(watched) => match Lives::find(watched).await {
                Ok(lives) => Some(lives),
                Err(missing) if heap.is_none() => return Err(missing),
                Err(missing) => {
                    notes.push(format!("{}, so the heap alone is read", says(&missing)));
                    None
                }
            },
        };
        if process.is_none() && heap.is_none() {
            return Err(Missing::Nobody("no process and no heap is known to read".into()));
        }
        notes.extend(process.as_ref().and_then(Lives::note));
        Ok(Self { process, heap, readings: 0, notes, most: settings.most_bytes() })
    }

    /// Reads it.
    ///
    /// # Errors
    ///
    /// It is not there any more, or is another now; in a clause.
    pub async fn read(&mut self) -> Result<Amount, String> {
        self.readings += 1;
        let often = self.readings.is_multiple_of(OFTEN);
        let process = match &mut self.process {
            Some(lives) => Some(lives.read(often).await?),
            None => None,
        };
        let heap = match &mut self.heap {
            Some(exported) => Some(exported.read().await?),
            None => None,
        };
        let collections = heap.as_ref().and_then(|heap| heap.collections);
        match (heap.map(|heap| heap.bytes), process) {
            (Some(judged), process) => Ok(Amount { judged, process, collections }),
            (None, Some(judged)) => Ok(Amount { judged, process: None, collections }),
            (None, None) => Err("there is nothing to read".into()),
        }
    }

    /// What is read, for people: `private memory of pid 12, api`.
    pub fn measure(&self) -> String {
        match (&self.heap, &self.process) {
            (Some(heap), _) => format!("heap, {}", heap.metric),
            (None, Some(lives)) => lives.measure(),
            (None, None) => String::new(),
        }
    }

    /// Whether it is a heap, so that what an allocator keeps is not part of it.
    pub fn is_heap(&self) -> bool {
        self.heap.is_some()
    }

    /// What has to be said of it, a clause each.
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// Why what was read may not be all of it, in a clause.
    pub fn doubt(&self) -> Option<String> {
        let lives = self.process.as_ref().filter(|_| self.heap.is_none())?;
        let (eldest, new) = (lives.eldest, lives.unread?);
        Some(format!("pid {eldest} started pid {new} meanwhile, which is not read"))
    }

    /// How much more memory it may take, as of the last reading.
    pub fn room(&self) -> Option<Room> {
        let lives = self.process.as_ref()?;
        room::room(Some(lives.eldest), lives.resident, self.most)
    }
}

/// What is missing, in a clause.
fn says(missing: &Missing) -> &str {
    match missing {
        Missing::Nobody(says)
        | Missing::Several(says)
        | Missing::Hidden(says)
        | Missing::Local(says) => says,
    }
}
