//! A clock that a test sets, for one process.

use super::binary;
use std::{
    fs::{self, OpenOptions},
    io::Write as _,
    process::Command,
    time::Duration,
};
use tempfile::TempDir;

/// What the clock of a process says beside that of this host.
pub(crate) struct Clock {
    dir: TempDir,
}

impl Clock {
    /// One that agrees with this host; `None` where it cannot be made.
    pub(crate) fn new() -> Option<Self> {
        let (compiler, dir) = (binary("cc")?, tempfile::tempdir().unwrap());
        let source = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/services/support/clock.c");
        let mut command = Command::new(compiler);
        command.args(["-shared", "-fPIC", "-O1", "-o"]).arg(dir.path().join("clock.so"));
        assert!(command.arg(source).status().unwrap().success());
        fs::write(dir.path().join("shift"), 0_i64.to_le_bytes()).unwrap();
        Some(Self { dir })
    }

    /// Makes a process that is about to start go by it.
    pub(crate) fn govern(&self, command: &mut Command) {
        command.env("LD_PRELOAD", self.dir.path().join("clock.so"));
        command.env("TEST_CLOCK", self.dir.path().join("shift"));
    }

    /// Sets it ahead of this host's by so much.
    pub(crate) fn set_ahead(&self, by: Duration) {
        let micros = i64::try_from(by.as_micros()).unwrap();
        // In place: the process has it in its memory.
        let mut file = OpenOptions::new().write(true).open(self.dir.path().join("shift")).unwrap();
        file.write_all(&micros.to_le_bytes()).unwrap();
    }
}
