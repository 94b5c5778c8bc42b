use super::super::keys::{Key, Keys, milliseconds};
use redis::Cmd;
use std::time::Duration;

/// How many commands there are.
pub(super) const COUNT: usize = 15;
/// How long the two keys live that are written.
const TTL: Duration = Duration::from_secs(10);

/// The connection that a command goes over. A server that pauses writes stops to
/// read from a connection that sent one.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lane {
    Reads,
    Writes,
    Listens,
}

/// Who cannot do without a command.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Need {
    /// The services.
    Services,
    /// The checks that look at the server itself.
    Looking,
    /// Nobody here; what it fails with tells faults apart.
    Nobody,
}

/// One command of the vector.
pub(super) struct Probe {
    /// As it is shown.
    pub(super) name: &'static str,
    /// As an ACL calls it.
    pub(super) command: &'static str,
    pub(super) lane: Lane,
    pub(super) need: Need,
    /// Whether the poll between two full runs sends it.
    pub(super) light: bool,
    /// An error that the command itself ends in, so that it was carried out.
    pub(super) fine: &'static str,
    pub(super) cmd: fn(&Names) -> Cmd,
}

/// What the commands are about.
pub(super) struct Names {
    /// Written by `SET`.
    pub(super) canary: Key,
    /// Written by a script.
    pub(super) scripted: Key,
    /// Never there.
    absent: Key,
    channel: String,
}

impl Names {
    pub(super) fn of(keys: &Keys) -> Self {
        Self {
            canary: keys.key("canary"),
            scripted: keys.key("scripted"),
            absent: keys.key("absent"),
            channel: format!("tminus:{}:commands", keys.run()),
        }
    }
}

const READ: Probe = Probe {
    name: "",
    command: "",
    lane: Lane::Reads,
    need: Need::Services,
    light: false,
    fine: "",
    cmd: |_| redis::cmd("PING"),
};
const WRITE: Probe = Probe { lane: Lane::Writes, ..READ };

/// The commands, in the order in which they are sent and shown.
///
/// But for the two canaries none of them writes anything: they ask for keys that
/// are not there. A server refuses them by what they could do.
pub(super) static PROBES: [Probe; COUNT] = [
    Probe { name: "PING", command: "ping", light: true, ..READ },
    Probe {
        name: "GET",
        command: "get",
        cmd: |names| redis::cmd("GET").arg(names.absent.as_str()).take(),
        ..READ
    },
    Probe { name: "SET", command: "set", light: true, cmd: set, ..WRITE },
    Probe { name: "EVAL write", command: "eval", light: true, cmd: eval_write, ..WRITE },
    Probe { name: "EVAL delete", command: "eval", cmd: eval_delete, ..WRITE },
    Probe { name: "EVAL read", command: "eval", cmd: eval_read, ..WRITE },
    Probe {
        name: "PEXPIRE",
        command: "pexpire",
        cmd: |names| redis::cmd("PEXPIRE").arg(names.absent.as_str()).arg(1).take(),
        ..WRITE
    },
    Probe {
        name: "ZPOPMIN",
        command: "zpopmin",
        cmd: |names| redis::cmd("ZPOPMIN").arg(names.absent.as_str()).take(),
        ..WRITE
    },
    Probe {
        name: "RPOPLPUSH",
        command: "rpoplpush",
        need: Need::Nobody,
        cmd: |names| {
            let absent = names.absent.as_str();
            redis::cmd("RPOPLPUSH").arg(absent).arg(absent).take()
        },
        ..WRITE
    },
    Probe { name: "XADD", command: "xadd", need: Need::Nobody, cmd: xadd, ..WRITE },
    Probe {
        name: "XREADGROUP",
        command: "xreadgroup",
        need: Need::Nobody,
        fine: "NOGROUP",
        cmd: xreadgroup,
        ..WRITE
    },
    Probe {
        name: "PUBLISH",
        command: "publish",
        light: true,
        cmd: |names| redis::cmd("PUBLISH").arg(&names.channel).arg("").take(),
        ..WRITE
    },
    Probe {
        name: "TIME",
        command: "time",
        need: Need::Looking,
        light: true,
        cmd: |_| redis::cmd("TIME"),
        ..READ
    },
    Probe {
        name: "INFO",
        command: "info",
        need: Need::Looking,
        light: true,
        cmd: |_| redis::cmd("INFO").arg("memory").take(),
        ..READ
    },
    Probe {
        name: "SUBSCRIBE",
        command: "subscribe",
        lane: Lane::Listens,
        cmd: |names| redis::cmd("SUBSCRIBE").arg(&names.channel).take(),
        ..READ
    },
];

fn set(names: &Names) -> Cmd {
    let ttl = milliseconds(TTL);
    redis::cmd("SET").arg(names.canary.as_str()).arg("1").arg("PX").arg(ttl).take()
}

fn eval(script: &str, key: &Key) -> Cmd {
    redis::cmd("EVAL").arg(script).arg(1).arg(key.as_str()).take()
}

fn eval_write(names: &Names) -> Cmd {
    let script = "return redis.call('SET', KEYS[1], '1', 'PX', ARGV[1])";
    eval(script, &names.scripted).arg(milliseconds(TTL)).take()
}

fn eval_delete(names: &Names) -> Cmd {
    eval("return redis.call('DEL', KEYS[1])", &names.scripted)
}

fn eval_read(names: &Names) -> Cmd {
    eval("return redis.call('GET', KEYS[1])", &names.absent)
}

/// Into a stream that is not there, and is not made.
fn xadd(names: &Names) -> Cmd {
    redis::cmd("XADD").arg(names.absent.as_str()).arg(&["NOMKSTREAM", "*", "f", "v"]).take()
}

fn xreadgroup(names: &Names) -> Cmd {
    let group = ["GROUP", "g", "c", "COUNT", "1", "STREAMS"];
    redis::cmd("XREADGROUP").arg(&group).arg(names.absent.as_str()).arg(">").take()
}

impl Probe {
    /// Whether it may change or disturb anything, and so is sent only where that is allowed.
    pub(super) fn writes(&self) -> bool {
        self.lane == Lane::Writes && self.name != "EVAL read"
    }

    /// The key that it writes, if it writes one.
    pub(super) fn written<'a>(&self, names: &'a Names) -> Option<&'a Key> {
        match self.name {
            "SET" => Some(&names.canary),
            "EVAL write" => Some(&names.scripted),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn sent(probe: &Probe) -> String {
        let packed = (probe.cmd)(&Names::of(&Keys::new("commands"))).get_packed_command();
        let text = String::from_utf8(packed).unwrap();
        let words: Vec<_> = text.split("\r\n").skip(2).step_by(2).collect();
        words.join(" ")
    }

    #[test]
    fn the_poll_is_one_of_each_kind() {
        let light: Vec<_> = PROBES.iter().filter(|p| p.light).map(|p| p.name).collect();
        assert_eq!(light, ["PING", "SET", "EVAL write", "PUBLISH", "TIME", "INFO"]);
    }

    #[test]
    fn every_command_is_what_its_row_says() {
        for probe in &PROBES {
            let words = sent(probe);
            let first = words.split(' ').next().unwrap();
            assert_eq!(first.to_lowercase(), probe.command, "{words}");
            assert!(probe.name.starts_with(first), "{words}");
        }
    }

    #[test]
    fn what_is_written_is_ours_and_ends_by_itself() {
        let names = Names::of(&Keys::new("commands"));
        let writing: Vec<_> = PROBES.iter().filter(|p| p.written(&names).is_some()).collect();
        assert_eq!(writing.len(), 2);
        for probe in writing {
            let words = sent(probe);
            assert!(words.contains("tminus:{") && words.contains("PX"), "{words}");
            assert!(words.ends_with("10000 ") || words.ends_with("10000"), "{words}");
        }
        let xadd = sent(PROBES.iter().find(|probe| probe.name == "XADD").unwrap());
        assert!(xadd.contains("NOMKSTREAM"), "a stream has no time to live: {xadd}");
        let blind: Vec<_> = PROBES.iter().filter(|p| !p.writes()).map(|p| p.name).collect();
        assert_eq!(blind, ["PING", "GET", "EVAL read", "TIME", "INFO", "SUBSCRIBE"]);
    }
}
