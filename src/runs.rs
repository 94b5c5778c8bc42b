//! Which runs are alive and which were killed: a file for each in the state
//! directory, written before the first write to a target and locked for as long
//! as its run lives. The lock goes with its process, however that ends.

use crate::{domain::Timestamp, probe::RunId};
use rustix::fs::{FlockOperation, flock};
use serde::{Deserialize, Serialize};
use std::{
    fs::{self, DirBuilder, File, OpenOptions},
    io::{self, Write as _},
    os::unix::fs::{DirBuilderExt as _, OpenOptionsExt as _},
    path::{Path, PathBuf},
};

/// Entries that are read; nobody is killed more often than that without noticing.
const MOST: usize = 1000;
/// Bytes of an entry that are read.
const LONGEST: u64 = 64 * 1024;

/// One start of the program.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Run {
    /// What its keys and connections are named after.
    pub id: RunId,
    /// Its process, for people.
    pub process: u32,
    /// When it began.
    pub began: Timestamp,
    /// What it may write to, each as id and address without a secret.
    pub targets: Vec<Place>,
}

/// A target that may be written to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Place {
    /// The integration.
    pub id: String,
    /// Its address, without any secret.
    pub address: String,
}

/// The folder of the entries.
#[derive(Clone, Debug)]
pub struct Runs {
    folder: PathBuf,
}

/// This process's own entry. While it is held, the run counts as alive.
#[derive(Debug)]
pub struct Entry {
    path: PathBuf,
    _locked: File,
}

/// All runs that have an entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Known {
    /// Their process is there.
    pub living: Vec<Run>,
    /// Their process is gone, and did not remove its entry.
    pub dead: Vec<Run>,
}

impl Runs {
    /// The entries in `folder`, which need not exist.
    pub fn within(folder: PathBuf) -> Self {
        Self { folder }
    }

    /// Writes the entry of a run that begins, and locks it.
    pub fn begin(&self, run: &Run) -> io::Result<Entry> {
        DirBuilder::new().recursive(true).mode(0o700).create(&self.folder)?;
        let path = self.path(&run.id);
        // Under its own name only once it is locked and whole: nobody takes it for dead.
        let draft = path.with_extension("new");
        let mut file = OpenOptions::new().write(true).create_new(true).mode(0o600).open(&draft)?;
        let written = flock(&file, FlockOperation::NonBlockingLockExclusive)
            .map_err(io::Error::from)
            .and_then(|()| file.write_all(&serde_json::to_vec(run)?))
            .and_then(|()| file.sync_all())
            .and_then(|()| fs::rename(&draft, &path));
        if let Err(error) = written {
            // The first error is the one that tells.
            drop(fs::remove_file(&draft));
            return Err(error);
        }
        Ok(Entry { path, _locked: file })
    }

    /// Every run with an entry. What cannot be read is nobody's.
    pub fn known(&self) -> io::Result<Known> {
        let entries = match fs::read_dir(&self.folder) {
            Ok(entries) => entries,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(Known::default()),
            Err(error) => return Err(error),
        };
        let mut known = Known::default();
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()).take(MOST) {
            let Some((run, lives)) = read(&path) else { continue };
            if lives { &mut known.living } else { &mut known.dead }.push(run);
        }
        known.dead.sort_by_key(|run| run.began);
        known.living.sort_by_key(|run| run.began);
        Ok(known)
    }

    /// Removes what a run that was killed while it wrote its entry left of it. It had
    /// not written to any target by then.
    pub fn tidy(&self) -> io::Result<()> {
        let Ok(entries) = fs::read_dir(&self.folder) else { return Ok(()) };
        for path in entries.filter_map(Result::ok).map(|entry| entry.path()).take(MOST) {
            let is_draft = path.extension().is_some_and(|end| end == "new");
            if is_draft && File::open(&path).is_ok_and(|file| !is_held(&file)) {
                fs::remove_file(&path)?;
            }
        }
        Ok(())
    }

    /// Removes the entry of a run that left nothing.
    pub fn forget(&self, id: &RunId) -> io::Result<()> {
        fs::remove_file(self.path(id))
    }

    fn path(&self, id: &RunId) -> PathBuf {
        self.folder.join(id.as_str()).with_extension("json")
    }
}

impl Entry {
    /// Removes it, because nothing is left of its run.
    pub fn end(self) -> io::Result<()> {
        fs::remove_file(&self.path)
    }
}

/// A run and whether it lives. Its name is that of its file, so that nobody can
/// have the traces of another removed by writing its name into his own.
fn read(path: &Path) -> Option<(Run, bool)> {
    let id = RunId::parse(path.file_stem()?.to_str()?)?;
    let file = OpenOptions::new().read(true).open(path).ok()?;
    if path.extension()? != "json" || file.metadata().ok()?.len() > LONGEST {
        return None;
    }
    let run: Run = serde_json::from_slice(&fs::read(path).ok()?).ok()?;
    (run.id == id).then_some((run, is_held(&file)))
}

fn is_held(file: &File) -> bool {
    flock(file, FlockOperation::NonBlockingLockExclusive).is_err()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::this_run;

    fn run(id: &str) -> Run {
        let targets = vec![Place { id: "redis".into(), address: "127.0.0.1:6379/0".into() }];
        let id = RunId::parse(id).unwrap();
        Run { id, process: 1, began: Timestamp(1_795_400_000_000), targets }
    }

    #[test]
    fn a_run_lives_while_its_entry_is_held_and_is_dead_afterwards() {
        let folder = tempfile::tempdir().unwrap();
        let runs = Runs::within(folder.path().join("deep/runs"));
        assert_eq!(runs.known().unwrap(), Known::default(), "no folder, no runs");
        let mine = run(this_run().as_str());
        let entry = runs.begin(&mine).unwrap();
        let living = vec![mine.clone()];
        assert_eq!(runs.known().unwrap(), Known { living, dead: vec![] });
        drop(entry); // as its process would, killed or not
        let dead = vec![mine.clone()];
        assert_eq!(runs.known().unwrap(), Known { living: vec![], dead });
        runs.forget(&mine.id).unwrap();
        assert_eq!(runs.known().unwrap(), Known::default());
        runs.begin(&mine).unwrap().end().unwrap();
        assert_eq!(runs.known().unwrap(), Known::default(), "who ends well leaves no entry");
    }

    #[test]
    fn what_is_no_entry_is_nobodys() {
        let folder = tempfile::tempdir().unwrap();
        let whole = serde_json::to_string(&run("0123456789ab")).unwrap();
        let files = [
            ("0123456789ab.new", whole.as_str()),  // being written
            ("fedcba987654.json", whole.as_str()), // under another's name
            ("0123456789aa.json", "{"),            // cut off
            ("notes.json", whole.as_str()),
        ];
        for (name, text) in files {
            fs::write(folder.path().join(name), text).unwrap();
        }
        fs::create_dir(folder.path().join("0123456789ad.json")).unwrap();
        let runs = Runs::within(folder.path().into());
        assert_eq!(runs.known().unwrap(), Known::default());
        runs.tidy().unwrap();
        let left = fs::read_dir(folder.path()).unwrap().count();
        assert_eq!(left, files.len(), "the draft is gone, and what is not ours stays");
    }
}
