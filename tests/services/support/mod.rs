//! Finding, starting and stopping real servers, each on its own port and directory.

pub(crate) mod proxy;

use std::{
    env,
    net::{Ipv4Addr, TcpListener},
    path::PathBuf,
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// Where Debian puts servers that are not on everybody's PATH.
const FURTHER: &[&str] = &["/usr/sbin", "/usr/lib/postgresql/15/bin", "/usr/lib/postgresql/17/bin"];

/// The path of a server's binary.
///
/// Without it the calling test cannot run: in CI that is a failure, elsewhere it
/// says so and the test returns.
pub(crate) fn binary(name: &str) -> Option<PathBuf> {
    let path = env::var_os("PATH").unwrap_or_default();
    let further = FURTHER.iter().map(PathBuf::from);
    let found =
        env::split_paths(&path).chain(further).map(|dir| dir.join(name)).find(|p| p.is_file());
    if found.is_none() {
        assert!(env::var_os("CI").is_none(), "{name} is not installed; tests/run installs it");
        eprintln!("SKIPPED: {name} is not installed, so this test proves nothing here");
    }
    found
}

/// A loopback port that nobody listens on.
pub(crate) fn free_port() -> u16 {
    TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap().local_addr().unwrap().port()
}

/// A server of ours. Killed when dropped.
pub(crate) struct Process(pub(crate) Child);

impl Process {
    /// Starts `command` without its output.
    pub(crate) fn start(command: &mut Command) -> Self {
        Self(
            command
                .stdin(Stdio::null())
                .stdout(Stdio::null())
                .stderr(Stdio::null())
                .spawn()
                .unwrap(),
        )
    }

    /// Sends it a signal by name: `STOP`, `CONT`, `KILL`.
    pub(crate) fn signal(&self, name: &str) {
        let pid = self.0.id().to_string();
        assert!(Command::new("kill").args([&format!("-{name}"), &pid]).status().unwrap().success());
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself, or been killed by the test.
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

/// Waits for a condition, and never for a fixed time.
#[track_caller]
pub(crate) fn wait_until(what: &str, mut met: impl FnMut() -> bool) {
    let deadline = Instant::now() + Duration::from_secs(20);
    while !met() {
        assert!(Instant::now() < deadline, "never came: {what}");
        thread::sleep(Duration::from_millis(20));
    }
}
