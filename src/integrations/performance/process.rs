//! Finds the watched process and reads what it has.

use super::{settings::Watched, sockets};
use std::{collections::BTreeMap, ffi::OsStr, fs, process, time::Duration};
use sysinfo::{Pid, Process, ProcessRefreshKind, ProcessStatus, ProcessesToUpdate, System};
use tokio::time::Instant;

/// Letters that Linux keeps of a process's name.
const NAME: usize = 15;
/// The kernel walks every page of a process to share its memory out, and keeps
/// the process from mapping any meanwhile. Not asked for beyond this size.
const SHARED_OUT: u64 = 512 * 1024 * 1024;
/// Processes that one starts, and they others, at most.
const FAMILY: usize = 256;
/// Bytes of one kB, as `/proc` means it.
const KIB: u64 = 1024;

/// What a process had at one moment. What could not be read is absent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Reading {
    pub(super) pid: u32,
    pub(super) name: String,
    /// When it was started, in seconds since 1970: tells it from one of the same id.
    pub(super) started: u64,
    pub(super) up: Duration,
    /// Time that it took of this host's processors since it was started.
    pub(super) busy: Duration,
    /// Memory that it holds, in bytes.
    pub(super) resident: u64,
    /// The part that is neither file nor shared memory: what a leak leaves.
    pub(super) anonymous: Option<u64>,
    /// Its share of memory, what it shares with others divided among them.
    pub(super) proportional: Option<u64>,
    /// What nobody else has and no file holds, swapped or not: what its end would give back.
    pub(super) private: Option<u64>,
    pub(super) threads: Option<u64>,
    pub(super) descriptors: Option<u64>,
    pub(super) descriptor_limit: Option<u64>,
}

/// Why there is no process to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Missing {
    /// There is none.
    Nobody(String),
    /// There are several and none stands out.
    Several(String),
    /// There is one, and this user may not see which.
    Hidden(String),
    /// This host does not let us look.
    Local(String),
}

/// Reads the process `pid`. Blocks for well under a millisecond.
///
/// `None` when there is none, or only its remains.
pub(super) fn read(system: &mut System, pid: u32) -> Option<Reading> {
    refresh(system, &[Pid::from_u32(pid)], ProcessRefreshKind::nothing().with_memory().with_cpu());
    let process = system.process(Pid::from_u32(pid))?;
    if matches!(process.status(), ProcessStatus::Zombie | ProcessStatus::Dead) {
        return None;
    }
    let status = fs::read_to_string(format!("/proc/{pid}/status")).unwrap_or_default();
    let resident = process.memory();
    let kib = |kib: u64| kib.saturating_mul(KIB);
    let rollup = if resident <= SHARED_OUT { rollup(pid) } else { None };
    let sum = |names: &[&str]| {
        let rollup = rollup.as_deref()?;
        names.iter().map(|name| field(rollup, name)).sum::<Option<u64>>()
    };
    Some(Reading {
        pid,
        name: process.name().to_string_lossy().into_owned(),
        started: process.start_time(),
        up: Duration::from_secs(process.run_time()),
        busy: Duration::from_millis(process.accumulated_cpu_time()),
        resident,
        anonymous: field(&status, "RssAnon:").map(kib),
        proportional: sum(&["Pss:"]).map(kib),
        private: sum(&["Private_Dirty:", "Swap:"]).map(kib),
        threads: field(&status, "Threads:"),
        descriptors: descriptors(pid, process),
        descriptor_limit: process.open_files_limit().and_then(|limit| u64::try_from(limit).ok()),
    })
}

fn refresh(system: &mut System, pids: &[Pid], kind: ProcessRefreshKind) {
    // The count of processes refreshed says nothing that the list does not.
    let _refreshed = system.refresh_processes_specifics(ProcessesToUpdate::Some(pids), true, kind);
}

/// The number after `name` in a file of `/proc` with a field on each line.
pub(super) fn field(text: &str, name: &str) -> Option<u64> {
    let rest = text.lines().find_map(|line| line.strip_prefix(name))?;
    rest.split_ascii_whitespace().next()?.parse().ok()
}

/// How the kernel shares a process's memory out. Only for whoever may debug it.
fn rollup(pid: u32) -> Option<String> {
    fs::read_to_string(format!("/proc/{pid}/smaps_rollup")).ok()
}

/// The process and all that it started, and those that these started, as far as they live.
pub(super) fn family(pid: u32) -> Vec<u32> {
    let mut family = vec![pid];
    let mut next = 0;
    while let Some(pid) = family.get(next).copied().filter(|_| family.len() < FAMILY) {
        next += 1;
        let threads = fs::read_dir(format!("/proc/{pid}/task")).into_iter().flatten().flatten();
        let children = threads.filter_map(|it| fs::read_to_string(it.path().join("children")).ok());
        for children in children {
            let known = children.split_ascii_whitespace().filter_map(|pid| pid.parse().ok());
            let new: Vec<u32> = known.filter(|pid| !family.contains(pid)).collect();
            family.extend(new);
        }
    }
    family
}

/// How many descriptors are open. Newer kernels say so as the directory's size.
fn descriptors(pid: u32, process: &Process) -> Option<u64> {
    match fs::metadata(format!("/proc/{pid}/fd")).map(|directory| directory.len()) {
        Ok(count @ 1..) => Some(count),
        Ok(0) | Err(_) => process.open_files().and_then(|count| u64::try_from(count).ok()),
    }
}

/// Finds out which process is meant. May block for longer than a run should,
/// and for no longer than until `deadline`.
pub(super) fn find(watched: &Watched, deadline: Instant) -> Result<u32, Missing> {
    match watched {
        Watched::Ourselves => Ok(process::id()),
        Watched::Pid(pid) => Ok(*pid),
        Watched::Name(name) => {
            let found = named(&all()?, name);
            choose(&found, &format!("named {name}"))
        }
        Watched::Port(port) => {
            let owners = sockets::listeners(*port, deadline)?;
            let pids: Vec<Pid> = owners.into_iter().map(Pid::from_u32).collect();
            let mut system = empty()?;
            refresh(&mut system, &pids, ProcessRefreshKind::nothing());
            choose(&parents(system.processes().values()), &format!("listening on port {port}"))
        }
    }
}

/// Knows no process yet. Reads nothing but the time of the last boot.
pub(super) fn empty() -> Result<System, Missing> {
    System::new().map_err(|_| Missing::Local("this system does not list its processes".into()))
}

fn all() -> Result<System, Missing> {
    let mut system = empty()?;
    let kind = ProcessRefreshKind::nothing();
    let _refreshed = system.refresh_processes_specifics(ProcessesToUpdate::All, true, kind);
    Ok(system)
}

fn named(system: &System, name: &str) -> BTreeMap<u32, Option<u32>> {
    let cut = name.get(..NAME).unwrap_or(name);
    let fits = |found: &OsStr| found == name || found == cut;
    let processes = system.processes().values();
    parents(processes.filter(|process| process.thread_kind().is_none() && fits(process.name())))
}

fn parents<'a>(processes: impl Iterator<Item = &'a Process>) -> BTreeMap<u32, Option<u32>> {
    processes.map(|process| (process.pid().as_u32(), process.parent().map(Pid::as_u32))).collect()
}

/// The only one, or the one that started all the others.
///
/// `found` is each process with its parent.
fn choose(found: &BTreeMap<u32, Option<u32>>, which: &str) -> Result<u32, Missing> {
    let is_among = |parent: &Option<u32>| parent.is_some_and(|parent| found.contains_key(&parent));
    let eldest: Vec<u32> =
        found.iter().filter(|(_, parent)| !is_among(parent)).map(|(pid, _)| *pid).collect();
    match eldest[..] {
        [] => Err(Missing::Nobody(format!("no process {which}"))),
        [only] => Ok(only),
        _ => {
            let shown: Vec<String> = eldest.iter().take(6).map(ToString::to_string).collect();
            let more = if eldest.len() > shown.len() { ", …" } else { "" };
            let (count, pids) = (eldest.len(), shown.join(", "));
            Err(Missing::Several(format!("{count} processes {which}: {pids}{more}")))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{
        net::TcpListener,
        process::{Child, Command, Stdio},
    };

    /// A process of ours. Killed when dropped.
    struct Sleeper(Child);

    impl Sleeper {
        fn start(name: &str) -> Self {
            let script = format!("printf %s {name} > /proc/self/comm; read line");
            let mut shell = Command::new("bash");
            let child = shell.args(["-c", &script]).stdin(Stdio::piped()).spawn().unwrap();
            let sleeper = Self(child);
            let comm = format!("/proc/{}/comm", sleeper.pid());
            while fs::read_to_string(&comm).unwrap().trim() != name {
                std::thread::sleep(Duration::from_millis(1));
            }
            sleeper
        }

        fn pid(&self) -> u32 {
            self.0.id()
        }
    }

    impl Drop for Sleeper {
        fn drop(&mut self) {
            drop(self.0.kill());
            drop(self.0.wait());
        }
    }

    fn soon() -> Instant {
        Instant::now() + Duration::from_secs(5)
    }

    #[test]
    fn our_own_reading_holds_together() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let reading = read(&mut empty().unwrap(), process::id()).unwrap();
        assert_eq!(reading.pid, process::id());
        assert!(reading.resident > 1024 * 1024, "{reading:?}");
        assert!(reading.anonymous.unwrap() <= reading.resident);
        assert!(reading.proportional.unwrap() <= reading.resident + 1024 * 1024);
        assert!((1..=reading.resident).contains(&reading.private.unwrap()), "{reading:?}");
        assert!(reading.threads.unwrap() >= 2);
        let later = || read(&mut empty().unwrap(), process::id()).unwrap();
        // It reads until that has taken some time.
        while later().busy < reading.busy + Duration::from_millis(20) {}
        assert_eq!(family(process::id())[0], process::id());
        assert!(reading.descriptors.unwrap() >= 4);
        assert!(reading.descriptor_limit.unwrap() >= reading.descriptors.unwrap());
        let port = listener.local_addr().unwrap().port();
        assert_eq!(find(&Watched::Port(port), soon()), Ok(process::id()));
        assert_eq!(find(&Watched::Ourselves, soon()), Ok(process::id()));
    }

    #[test]
    fn a_name_finds_its_process_and_only_that() {
        let (short, long) = (Sleeper::start("tm-probe-a"), Sleeper::start("tm-probe-longna"));
        let by = |name: &str| find(&Watched::Name(name.into()), soon());
        assert_eq!(by("tm-probe-a"), Ok(short.pid()));
        assert_eq!(by("tm-probe-longname"), Ok(long.pid()), "the kernel keeps 15 letters");
        assert_eq!(by("tm-probe"), Err(Missing::Nobody("no process named tm-probe".into())));
        let twin = Sleeper::start("tm-probe-a");
        let Err(Missing::Several(says)) = by("tm-probe-a") else { panic!("which of the two?") };
        assert!(says.contains(&short.pid().to_string()) && says.contains(&twin.pid().to_string()));
    }

    #[test]
    fn what_has_ended_is_gone_even_before_it_is_reaped() {
        let mut sleeper = Sleeper::start("tm-probe-end");
        let (mut system, pid) = (empty().unwrap(), sleeper.pid());
        assert_eq!(read(&mut system, pid).unwrap().name, "tm-probe-end");
        sleeper.0.kill().unwrap();
        let deadline = soon();
        while read(&mut system, pid).is_some() {
            assert!(Instant::now() < deadline, "its remains count as a process");
        }
        assert!(fs::exists(format!("/proc/{pid}")).unwrap(), "it was reaped, so nothing was shown");
    }

    #[test]
    fn the_parent_of_all_the_others_stands_for_them() {
        let choose = |found: &[(u32, u32)]| {
            let found = found.iter().map(|(pid, parent)| (*pid, Some(*parent))).collect();
            choose(&found, "named api")
        };
        assert_eq!(choose(&[(7, 1)]), Ok(7));
        assert_eq!(choose(&[(7, 1), (9, 7), (8, 7), (12, 9)]), Ok(7));
        let several = |text: &str| Err(Missing::Several(text.into()));
        assert_eq!(choose(&[(7, 1), (9, 1)]), several("2 processes named api: 7, 9"));
        let many: Vec<(u32, u32)> = (10..18).map(|pid| (pid, 1)).collect();
        assert_eq!(choose(&many), several("8 processes named api: 10, 11, 12, 13, 14, 15, …"));
        assert_eq!(choose(&[]), Err(Missing::Nobody("no process named api".into())));
    }

    #[test]
    fn fields_of_proc_are_read_or_absent() {
        let text = "Name:\tapi\nThreads:\t5\nRssAnon:\t    1628 kB\n";
        assert_eq!((field(text, "Threads:"), field(text, "RssAnon:")), (Some(5), Some(1628)));
        assert_eq!((field(text, "Name:"), field(text, "Pss:")), (None, None));
    }
}
