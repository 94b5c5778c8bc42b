//! How much memory a process may still take, and who says so.

use super::process::field;
use std::{
    fs,
    path::{Component, Path},
};

/// Bytes of one kB, as `/proc` means it.
const KIB: u64 = 1024;
/// Where the version 2 of control groups is: alone, or beside the version 1.
const GROUPS: [&str; 2] = ["/sys/fs/cgroup", "/sys/fs/cgroup/unified"];

/// What memory may grow to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Room {
    /// The most, in bytes.
    pub limit: u64,
    /// What is taken of it, in bytes.
    pub used: u64,
    /// Who says so, for people.
    pub of: String,
}

impl Room {
    /// How much is left.
    fn left(&self) -> u64 {
        self.limit.saturating_sub(self.used)
    }
}

/// The least room that a process with so much `resident` memory has: of what is configured,
/// of the control groups that it is in, and of this host.
pub(super) fn room(pid: Option<u32>, resident: u64, most: Option<u64>) -> Option<Room> {
    let of = || "memory_limit_mib in [performance]".to_owned();
    let configured = most.map(|limit| Room { limit, used: resident, of: of() });
    let groups = pid.and_then(|pid| fs::read_to_string(format!("/proc/{pid}/cgroup")).ok());
    let groups = groups.as_deref().and_then(unified).map(str::to_owned);
    let groups = groups.iter().flat_map(|group| GROUPS.map(|root| grouped(Path::new(root), group)));
    let host = fs::read_to_string("/proc/meminfo").ok();
    let host = host.as_deref().and_then(host_room);
    configured.into_iter().chain(groups.flatten()).chain(host).min_by_key(Room::left)
}

/// The group of version 2 in a `/proc/…/cgroup`, unless it lies outside of what is seen here.
fn unified(text: &str) -> Option<&str> {
    let path = text.lines().find_map(|line| line.strip_prefix("0::/"))?;
    let inside = Path::new(path).components().all(|part| matches!(part, Component::Normal(_)));
    inside.then_some(path)
}

/// The least room of a group and of those that it lies in.
fn grouped(root: &Path, group: &str) -> Option<Room> {
    let folders = Path::new(group).ancestors().map(|folder| root.join(folder));
    let of = |folder: &Path| {
        let read = |name: &str| fs::read_to_string(folder.join(name)).ok();
        let limit = read("memory.max")?.trim().parse().ok()?;
        let current: u64 = read("memory.current")?.trim().parse().ok()?;
        // Pages of files that nobody uses are given up before anybody is killed.
        let idle = field(&read("memory.stat")?, "inactive_file").unwrap_or_default();
        let used = current.saturating_sub(idle);
        Some(Room { limit, used, of: "memory.max of its cgroup".into() })
    };
    folders.filter_map(|folder| of(&folder)).min_by_key(Room::left)
}

fn host_room(meminfo: &str) -> Option<Room> {
    let bytes = |name: &str| field(meminfo, name).map(|kib| kib.saturating_mul(KIB));
    let (limit, free) = (bytes("MemTotal:")?, bytes("MemAvailable:")?);
    Some(Room { limit, used: limit.saturating_sub(free), of: "memory of this host".into() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_tightest_group_decides_and_idle_pages_are_free() {
        let top = tempfile::tempdir().unwrap();
        let group = |path: &str, max: &str, current: &str| {
            let folder = top.path().join(path);
            fs::create_dir_all(&folder).unwrap();
            let files = [
                ("memory.max", max),
                ("memory.current", current),
                ("memory.stat", "anon 7\ninactive_file 30\n"),
            ];
            for (name, text) in files {
                fs::write(folder.join(name), text).unwrap();
            }
        };
        group("app.slice", "1000\n", "900\n");
        group("app.slice/shop.service", "500\n", "130\n");
        group("app.slice/shop.service/inner", "max\n", "90\n");
        let room = |path| grouped(top.path(), path).map(|room| (room.limit, room.used));
        assert_eq!(room("app.slice/shop.service/inner"), Some((1000, 870)), "130 are left");
        group("app.slice", "max\n", "900\n");
        assert_eq!(room("app.slice/shop.service/inner"), Some((500, 100)));
        assert_eq!((room("elsewhere"), room("app.slice")), (None, None));
    }

    #[test]
    fn a_group_is_that_of_version_2_and_inside() {
        assert_eq!(unified("4:memory:/x\n0::/user.slice/a b\n"), Some("user.slice/a b"));
        assert_eq!((unified("0::/\n"), unified("4:memory:/x\n")), (Some(""), None));
        assert_eq!(unified("0::/../../elsewhere\n"), None);
    }

    #[test]
    fn a_limit_that_is_set_counts_where_it_is_the_least() {
        let room = room(None, 60, Some(100)).unwrap();
        assert_eq!((room.limit, room.used), (100, 60));
        assert!(room.of.contains("memory_limit_mib"));
        let host = host_room("MemTotal: 100 kB\nMemFree: 3 kB\nMemAvailable: 40 kB\n").unwrap();
        assert_eq!((host.limit, host.used), (102_400, 61_440));
        assert_eq!(host_room("MemTotal: 100 kB\n"), None);
    }
}
