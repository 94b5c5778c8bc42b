//! Runs a program of the user's: bounded in time and output, nothing of it left.

use super::{ALLOWED, MOST};
use crate::domain::plain;
use rustix::process::{Pid, Signal, kill_process_group};
use std::{
    ffi::OsString,
    io,
    os::unix::process::ExitStatusExt as _,
    path::Path,
    process::{ExitStatus, Stdio},
    time::Duration,
};
use tokio::{
    io::{AsyncRead, AsyncReadExt as _},
    process::{Child, Command},
    time::timeout,
};

/// Time for a killed child to be gone.
const GONE: Duration = Duration::from_secs(1);
/// Characters shown of what it says about its trouble.
const SAID: usize = 120;

/// What the program printed. `hidden` names the variables that it must not see.
///
/// It has a process group of its own, so that whatever it started ends with it.
pub(super) async fn output(
    words: &[String],
    directory: &Path,
    hidden: &[OsString],
) -> Result<Vec<u8>, String> {
    let [program, arguments @ ..] = words else { return Err("no program is named".into()) };
    let mut command = Command::new(program);
    command.args(arguments).stdin(Stdio::null()).stdout(Stdio::piped()).stderr(Stdio::piped());
    command.process_group(0).kill_on_drop(true);
    if !directory.as_os_str().is_empty() {
        command.current_dir(directory);
    }
    for name in hidden {
        command.env_remove(name);
    }
    let mut child = command.spawn().map_err(|error| not_started(&error))?;
    let group = Group::of(&child);
    let ended = timeout(ALLOWED, talk(&mut child)).await;
    let trouble = match ended {
        Ok(Ok((status, printed, said))) => {
            group.forget();
            return if status.success() { Ok(printed) } else { Err(failed(status, &said)) };
        }
        Ok(Err(trouble)) => trouble,
        Err(_) => format!("it, or what it started, does not end within {}s", ALLOWED.as_secs()),
    };
    drop(group);
    // So that no zombie is left behind.
    let _late = timeout(GONE, child.wait()).await;
    Err(trouble)
}

async fn talk(child: &mut Child) -> Result<(ExitStatus, Vec<u8>, Vec<u8>), String> {
    let (stdout, stderr) = (child.stdout.take(), child.stderr.take());
    let ended = async { child.wait().await.map_err(|error| error.to_string()) };
    tokio::try_join!(ended, bounded(stdout), bounded(stderr))
}

async fn bounded(from: Option<impl AsyncRead + Unpin>) -> Result<Vec<u8>, String> {
    let Some(from) = from else { return Ok(Vec::new()) };
    let mut bytes = Vec::new();
    let limit = u64::try_from(MOST).unwrap_or(u64::MAX);
    let read = from.take(limit + 1).read_to_end(&mut bytes).await;
    read.map_err(|error| error.to_string())?;
    if bytes.len() > MOST {
        return Err(format!("it prints more than {} KiB", MOST / 1024));
    }
    Ok(bytes)
}

fn not_started(error: &io::Error) -> String {
    let usual = [
        (io::ErrorKind::NotFound, "there is no such program, or no such directory"),
        (io::ErrorKind::PermissionDenied, "it may not be run"),
    ];
    let usual = usual.iter().find(|(kind, _)| *kind == error.kind());
    let other = || plain(&format!("it cannot be started: {error}"), SAID);
    usual.map_or_else(other, |(_, says)| (*says).into())
}

fn failed(status: ExitStatus, said: &[u8]) -> String {
    let how = match (status.code(), status.signal()) {
        (Some(code), _) => format!("it ended with {code}"),
        (None, Some(signal)) => format!("signal {signal} ended it"),
        (None, None) => "it failed".into(),
    };
    let said = String::from_utf8_lossy(said);
    let first = said.lines().map(str::trim).find(|line| !line.is_empty());
    first.map_or(how.clone(), |line| format!("{how}: {}", plain(line, SAID)))
}

/// A process group that is killed in the end, unless it is forgotten.
struct Group(Option<Pid>);

impl Group {
    fn of(child: &Child) -> Self {
        Self(child.id().and_then(|id| Pid::from_raw(i32::try_from(id).ok()?)))
    }

    fn forget(mut self) {
        self.0 = None;
    }
}

impl Drop for Group {
    fn drop(&mut self) {
        if let Some(group) = self.0 {
            // One that has ended meanwhile needs no killing.
            let _gone = kill_process_group(group, Signal::KILL);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use tokio::time::Instant;

    async fn of(script: &str) -> Result<String, String> {
        let words = ["sh", "-c", script].map(ToOwned::to_owned);
        let printed = output(&words, Path::new("/"), &["HIDDEN".into()]).await?;
        Ok(String::from_utf8(printed).unwrap())
    }

    #[tokio::test]
    async fn it_says_what_it_prints_and_why_it_fails() {
        assert_eq!(of("echo v1; pwd").await.unwrap(), "v1\n/\n");
        assert_eq!(of("echo $0 \"$HIDDEN\"").await.unwrap(), "sh \n");
        assert_eq!(of("exit 3").await.unwrap_err(), "it ended with 3");
        let said = of("printf '\\n \\033[31mno such tag\\n' >&2; exit 1").await.unwrap_err();
        assert_eq!(said, "it ended with 1: <U+001B>[31mno such tag");
        assert_eq!(of("kill -9 $$").await.unwrap_err(), "signal 9 ended it");
        let none = output(&["/none/such".into()], Path::new(""), &[]).await.unwrap_err();
        assert!(none.starts_with("there is no such program"), "{none}");
        assert_eq!(
            output(&["/".into()], Path::new(""), &[]).await.unwrap_err(),
            "it may not be run"
        );
    }

    #[tokio::test]
    async fn one_that_prints_without_end_is_killed_with_what_it_started() {
        let began = Instant::now();
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let script = format!("sleep 600 & echo $$ $! > {}; exec yes 0123456789", pids.display());
        assert_eq!(of(&script).await.unwrap_err(), "it prints more than 4 KiB");
        assert!(began.elapsed() < ALLOWED, "it was not waited for");
        for pid in fs::read_to_string(&pids).unwrap().split_whitespace() {
            gone(pid).await;
        }
    }

    #[tokio::test]
    async fn one_that_hangs_is_killed_and_leaves_no_zombie() {
        let folder = tempfile::tempdir().unwrap();
        let pids = folder.path().join("pids");
        let script = format!("trap '' TERM; echo $$ > {}; sleep 600", pids.display());
        let said = of(&script).await.unwrap_err();
        assert_eq!(said, "it, or what it started, does not end within 5s");
        gone(fs::read_to_string(&pids).unwrap().trim()).await;
    }

    /// Waits until no process has that id, not even a dead one of ours.
    async fn gone(pid: &str) {
        let path = format!("/proc/{pid}/stat");
        let deadline = Instant::now() + Duration::from_secs(20);
        // A child of a killed shell is somebody else's to bury.
        let ours = |stat: &str| stat.contains(&format!(") Z {} ", std::process::id()));
        while let Ok(stat) = fs::read_to_string(&path) {
            if stat.contains(") Z ") && !ours(&stat) {
                return;
            }
            assert!(Instant::now() < deadline, "it is still there: {stat}");
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    }
}
