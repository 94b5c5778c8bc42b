//! Which processes hold the socket that listens on a port, as Linux tells it.

use super::process::Missing;
use std::{
    collections::BTreeSet,
    fs::{self, File},
    io::{BufRead as _, BufReader, Read as _},
    path::Path,
};
use tokio::time::Instant;

/// Bytes read of each table. The kernel lists those that listen first.
const TABLE: u64 = 1024 * 1024;
/// How the kernel writes that a socket listens.
const LISTENS: &str = "0A";

/// The processes that hold a socket which listens on `port`.
///
/// Looks at every descriptor of every process that this user may look at, so it
/// blocks for some milliseconds, and for no longer than until `deadline`.
pub(super) fn listeners(port: u16, deadline: Instant) -> Result<BTreeSet<u32>, Missing> {
    let inodes = inodes(Path::new("/proc/net"), port)?;
    if inodes.is_empty() {
        return Err(Missing::Nobody(format!("nobody listens on port {port}")));
    }
    let owners = owners(Path::new("/proc"), &inodes, deadline)?;
    if owners.is_empty() {
        return Err(Missing::Hidden(format!("this user may not see who listens on port {port}")));
    }
    Ok(owners)
}

/// The numbers of the sockets that listen on `port`.
fn inodes(tables: &Path, port: u16) -> Result<BTreeSet<u64>, Missing> {
    let four = File::open(tables.join("tcp"))
        .map_err(|_| Missing::Local("this system does not tell who listens on a port".into()))?;
    // There is no second table where IPv6 is switched off.
    let six = File::open(tables.join("tcp6")).ok();
    let mut found = BTreeSet::new();
    for table in [Some(four), six].into_iter().flatten() {
        let lines = BufReader::new(table.take(TABLE)).lines().map_while(Result::ok);
        found.extend(lines.filter_map(|line| listening(&line, port)));
    }
    Ok(found)
}

/// The inode of the socket on a line of `/proc/net/tcp`, if it listens on `port`.
fn listening(line: &str, port: u16) -> Option<u64> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (_, local) = fields.next()?.rsplit_once(':')?;
    let state = fields.nth(1)?;
    let inode = fields.nth(5)?.parse().ok()?;
    (u16::from_str_radix(local, 16).ok()? == port && state == LISTENS).then_some(inode)
}

/// The processes that hold one of the sockets, as far as this user may look.
fn owners(
    processes: &Path,
    inodes: &BTreeSet<u64>,
    deadline: Instant,
) -> Result<BTreeSet<u32>, Missing> {
    let mut owners = BTreeSet::new();
    for process in fs::read_dir(processes).into_iter().flatten().flatten() {
        let Some(pid) = process.file_name().to_str().and_then(|name| name.parse().ok()) else {
            continue;
        };
        if Instant::now() > deadline {
            return Err(Missing::Local(
                "this host has too many descriptors to look through".into(),
            ));
        }
        let descriptors = fs::read_dir(process.path().join("fd")).into_iter().flatten().flatten();
        let mut links = descriptors.filter_map(|descriptor| fs::read_link(descriptor.path()).ok());
        if links.any(|link| socket(&link).is_some_and(|inode| inodes.contains(&inode))) {
            owners.insert(pid);
        }
    }
    Ok(owners)
}

/// The number of the socket that a descriptor's link names.
fn socket(link: &Path) -> Option<u64> {
    link.to_str()?.strip_prefix("socket:[")?.strip_suffix(']')?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::{net::TcpListener, process, time::Duration};

    #[test]
    fn only_the_one_that_listens_on_the_port_counts() {
        let line = |local: &str, state: &str| {
            format!(
                "   0: {local} 00000000:0000 {state} 00000000:00000000 00:00000000 00000000 \
                 1000        0 65782 1 0000000097f1f1f9 100 0 0 10 0"
            )
        };
        let six = "00000000000000000000000001000000:1F90";
        let cases = [
            (line("0100007F:1F90", "0A"), Some(65782)),
            (line(six, "0A"), Some(65782)),
            (line("0100007F:1F90", "01"), None),
            (line("0100007F:1F91", "0A"), None),
            ("  sl  local_address rem_address   st tx_queue rx_queue tr tm->when".into(), None),
            ("0: 0100007F:1F90 00000000:0000 0A".into(), None),
            (String::new(), None),
        ];
        for (line, expected) in cases {
            assert_eq!(listening(&line, 8080), expected, "{line}");
        }
    }

    #[test]
    fn a_link_names_a_socket_or_something_else() {
        assert_eq!(socket(Path::new("socket:[65782]")), Some(65782));
        for other in ["pipe:[65782]", "/dev/null", "socket:[]", "socket:[1"] {
            assert_eq!(socket(Path::new(other)), None, "{other}");
        }
    }

    #[test]
    fn our_own_listener_is_found_and_a_closed_one_is_not() {
        let soon = || Instant::now() + Duration::from_secs(5);
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        assert!(listeners(port, soon()).unwrap().contains(&process::id()));
        drop(listener);
        // A process that another test is just starting holds it for a moment too.
        let deadline = soon();
        while !matches!(listeners(port, soon()), Err(Missing::Nobody(_))) {
            assert!(Instant::now() < deadline, "it is still found");
        }
    }

    #[test]
    fn a_look_that_takes_too_long_is_given_up() {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = listener.local_addr().unwrap().port();
        let past = Instant::now() - Duration::from_secs(1);
        assert!(matches!(listeners(port, past), Err(Missing::Local(_))));
    }

    #[test]
    fn a_socket_of_someone_we_may_not_look_at_is_hidden_and_not_absent() {
        let nobody = owners(
            Path::new("/proc"),
            &BTreeSet::from([u64::MAX]),
            Instant::now() + Duration::from_secs(5),
        );
        assert_eq!(nobody.unwrap(), BTreeSet::new());
        let elsewhere = inodes(Path::new("/nonexistent"), 80);
        assert!(matches!(elsewhere, Err(Missing::Local(_))));
    }
}
