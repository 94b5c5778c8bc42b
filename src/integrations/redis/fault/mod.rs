//! What an error reply means and what to do about it. Pure.

use crate::{
    domain::{Cause, Finding, plain},
    units,
};
use std::time::Duration;

/// What is wrong, in terms of what to do about it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Kind {
    Unreachable,
    Hung,
    ProtectedMode,
    ConnectionLimit,
    Credentials,
    CommandDenied,
    KeyDenied,
    ChannelDenied,
    Capability,
    WrongRole,
    DurabilityGate,
    PersistenceBroken,
    MemoryFull,
    Starting,
    StaleReplica,
    ScriptHog,
    Paused,
    Cluster,
    WrongDatabase,
    Transient,
    Cut,
    NotRedis,
    Tls,
    Ours,
    Unexpected,
}

/// The word of what hangs.
pub(super) const HUNG: &str = "hung";
/// The word of what holds writes back.
pub(super) const PAUSED: &str = "paused";

/// What is wrong, in a clause, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Fault {
    pub(super) kind: Kind,
    /// What it is about, where a kind is about one thing at a time: a command.
    pub(super) subject: Option<String>,
    pub(super) says: String,
    pub(super) remedy: String,
}

impl Kind {
    /// The kind in a word, the same wherever it is met; `None` for those that say
    /// nothing of what lies behind.
    fn word(self) -> Option<&'static str> {
        Some(match self {
            Self::Unreachable => "unreachable",
            Self::Hung => HUNG,
            Self::ProtectedMode => "protected-mode",
            Self::ConnectionLimit => "connection-limit",
            Self::Credentials => "credentials",
            Self::CommandDenied => "command-denied",
            Self::KeyDenied => "key-denied",
            Self::ChannelDenied => "channel-denied",
            Self::Capability => "capability",
            Self::WrongRole => "wrong-role",
            Self::DurabilityGate => "durability-gate",
            Self::PersistenceBroken => "persistence-broken",
            Self::MemoryFull => "memory-full",
            Self::Starting => "starting",
            Self::StaleReplica => "stale-replica",
            Self::ScriptHog => "script-hog",
            Self::Paused => PAUSED,
            Self::Cluster => "cluster",
            Self::WrongDatabase => "wrong-database",
            Self::Cut => "cut-off",
            Self::NotRedis => "not-redis",
            Self::Tls => "tls",
            Self::Transient | Self::Ours | Self::Unexpected => return None,
        })
    }
}

impl Fault {
    /// The fault in a word or two: what two checks report with the same one, one
    /// remedy mends. Two commands that are denied or missing are two faults.
    fn word(&self) -> Option<String> {
        let word = self.kind.word()?;
        Some(self.subject.as_ref().map_or(word.into(), |subject| format!("{word} {subject}")))
    }

    /// What it concludes.
    pub(super) fn finding(&self) -> Finding {
        let finding = if self.kind == Kind::Ours {
            Finding::unknown(Cause::Starved, &self.says)
        } else {
            self.mark(Finding::fail(&self.says))
        };
        finding.remedy(&self.remedy)
    }

    /// Lets a finding say that this lies behind it.
    pub(super) fn mark(&self, finding: Finding) -> Finding {
        match self.word() {
            Some(word) => finding.fault(&word),
            None => finding,
        }
    }

    /// Whether it is our leave to ask that is missing, and not what we asked for.
    pub(super) fn is_denial(&self) -> bool {
        matches!(self.kind, Kind::CommandDenied | Kind::Capability)
    }
}

/// What a code, or words, of an error reply mean.
struct Row {
    words: &'static str,
    kind: Kind,
    says: &'static str,
    remedy: &'static str,
}

const fn row(words: &'static str, kind: Kind, says: &'static str, remedy: &'static str) -> Row {
    Row { words, kind, says, remedy }
}

/// The codes whose meaning does not depend on the text after them.
const CODES: &[Row] = &[
    row(
        "DENIED",
        Kind::ProtectedMode,
        "protected mode refuses other hosts",
        "set a password or an ACL on the server, or bind it to an address",
    ),
    row(
        "NOAUTH",
        Kind::Credentials,
        "a password is required",
        "put it into the address: redis://user:password@host, best through ${REDIS_URL}",
    ),
    row(
        "WRONGPASS",
        Kind::Credentials,
        "user or password is wrong, or the user is off",
        "correct the user and the password in the address",
    ),
    row(
        "READONLY",
        Kind::WrongRole,
        "a read-only replica answers",
        "give the address of the master; a failover may be under way",
    ),
    row(
        "NOREPLICAS",
        Kind::DurabilityGate,
        "too few replicas to accept writes",
        "bring the replicas back, or lower min-replicas-to-write",
    ),
    row(
        "MISCONF",
        Kind::PersistenceBroken,
        "the last save failed, writes are refused",
        "free disk space and read the server's log, then let it save",
    ),
    row(
        "OOM",
        Kind::MemoryFull,
        "memory is full, writes are refused",
        "raise maxmemory, choose an eviction policy, or remove keys",
    ),
    row(
        "LOADING",
        Kind::Starting,
        "starting: loading its data",
        "wait; it is checked again by itself",
    ),
    row(
        "MASTERDOWN",
        Kind::StaleReplica,
        "a replica that has lost its master",
        "mend the link to the master, or give the master's address",
    ),
    row(
        "BUSY",
        Kind::ScriptHog,
        "busy with a script that does not end",
        "find out whose script it is; SCRIPT KILL ends one that has not written",
    ),
    row(
        "CLUSTERDOWN",
        Kind::Cluster,
        "the cluster is down",
        "look at CLUSTER INFO: some of its slots are not served",
    ),
    row(
        "CROSSSLOT",
        Kind::Cluster,
        "keys of several slots in one command",
        "report this as a bug of tminus; its keys belong in one slot",
    ),
    row("NOSCRIPT", Kind::Transient, "a script was forgotten between two calls", "re-check with r"),
    row("EXECABORT", Kind::Transient, "a transaction was aborted", "re-check with r"),
];

/// Words of a plain `ERR` that say more than the code.
const WORDS: &[Row] = &[
    row(
        "user executing the script can't run",
        Kind::CommandDenied,
        "the user may not run what a script of ours runs",
        "grant it all that docs/redis.md lists: ACL SETUSER <user> …",
    ),
    row(
        "user executing the script can't access at least one of the keys",
        Kind::KeyDenied,
        "the user may not use our keys",
        "grant them: ACL SETUSER <user> ~tminus:*",
    ),
    row(
        "max number of clients",
        Kind::ConnectionLimit,
        "all client connections are taken",
        "raise maxclients, or find who leaks connections with CLIENT LIST",
    ),
    row(
        "without any password",
        Kind::Credentials,
        "a password was given and none is set",
        "take the password out of the address, or set one on the server",
    ),
    row(
        "no password is set",
        Kind::Credentials,
        "a password was given and none is set",
        "take the password out of the address, or set one on the server",
    ),
    row(
        "invalid password",
        Kind::Credentials,
        "the password is wrong",
        "correct the password in the address",
    ),
    row(
        "operation not permitted",
        Kind::Credentials,
        "a password is required",
        "put the password into the address",
    ),
    row(
        "DB index",
        Kind::WrongDatabase,
        "no such database number",
        "correct the number after the address, or raise `databases`",
    ),
    row(
        "SELECT is not allowed in cluster mode",
        Kind::WrongDatabase,
        "a cluster has database 0 only",
        "remove the number after the address",
    ),
];

pub(super) fn fault(kind: Kind, says: &str, remedy: &str) -> Fault {
    Fault { kind, subject: None, says: says.into(), remedy: remedy.into() }
}

/// Writes, and only writes, wait for longer than this.
pub(super) fn paused(after: Duration) -> Fault {
    fault(
        Kind::Paused,
        &format!("writes are paused: none within {}", units::span(after)),
        "wait for the failover or the CLIENT PAUSE to end, or send CLIENT UNPAUSE",
    )
}

/// What an error reply means; `code` is its first word.
pub(super) fn of_reply(code: &str, text: &str) -> Fault {
    if let Some(known) = CODES.iter().find(|row| row.words == code) {
        return fault(known.kind, &format!("{} ({code})", known.says), known.remedy);
    }
    match code {
        "NOPERM" => of_denial(text),
        "MOVED" | "ASK" | "TRYAGAIN" => of_redirection(code, text),
        _ if text.starts_with("unknown command") || text.contains("unknown subcommand") => {
            of_unknown(text)
        }
        _ => match WORDS.iter().find(|row| text.contains(row.words)) {
            Some(known) => fault(known.kind, known.says, known.remedy),
            None => fault(
                Kind::Unexpected,
                &format!("it answers {:?}", plain(&format!("{code} {text}"), 60)),
                "look the answer up in the server's documentation",
            ),
        },
    }
}

/// The first word in quotes: servers quote the command that they mean.
fn quoted(text: &str) -> Option<String> {
    let word = text.split(['\'', '`', '"']).nth(1)?;
    (!word.is_empty()).then(|| plain(word, 40))
}

/// What a user lacks. Servers name the command, and neither the key nor the channel.
fn of_denial(text: &str) -> Fault {
    let about_command = text.contains("to run the");
    let (keys, channels) = (text.contains("key"), text.contains("channel"));
    if !about_command && (keys || channels) {
        return denied(&[], keys, channels);
    }
    denied(&[&quoted(text).unwrap_or_else(|| "the command".into())], false, false)
}

/// The user lacks the right to run these commands, to use our keys, or our channels.
pub(super) fn denied(commands: &[&str], keys: bool, channels: bool) -> Fault {
    let granting: Vec<String> = commands.iter().map(|command| right(command)).collect();
    let subject = granting.first().cloned();
    let kind = match (&subject, keys) {
        (Some(_), _) => Kind::CommandDenied,
        (None, true) => Kind::KeyDenied,
        (None, false) => Kind::ChannelDenied,
    };
    let named = commands.join(", ").to_uppercase();
    let says = [
        (!commands.is_empty()).then(|| format!("run {named}")),
        keys.then(|| "use our keys".into()),
        channels.then(|| "use our channels".into()),
    ];
    let says: Vec<String> = says.into_iter().flatten().collect();
    let rights = [granting.join(" "), if keys { "~tminus:*" } else { "" }.into()];
    // `&tminus:*` will not do: a pattern is allowed by its very text only, and ours are new
    // in every run.
    let channel = if channels { "allchannels, which patterns need" } else { "" }.into();
    let rights: Vec<String> =
        rights.into_iter().chain([channel]).filter(|right: &String| !right.is_empty()).collect();
    let says = format!("the user may not {} (NOPERM)", says.join(" nor "));
    let remedy = format!("grant it: ACL SETUSER <user> {}", rights.join(" "));
    Fault { subject, ..fault(kind, &says, &remedy) }
}

/// The rule that grants a command; scripts are called in two ways.
fn right(command: &str) -> String {
    match command.to_lowercase().as_str() {
        "eval" | "evalsha" => "+eval +evalsha".into(),
        other => format!("+{other}"),
    }
}

fn of_redirection(code: &str, text: &str) -> Fault {
    let node = text.split_whitespace().nth(1).map(|node| plain(node, 40));
    let says = match node {
        Some(node) if code != "TRYAGAIN" => format!("a cluster: the slot is on {node} ({code})"),
        _ => format!("a cluster is moving the slot ({code})"),
    };
    fault(Kind::Cluster, &says, "give the address of a single server, or of a proxy of the cluster")
}

fn of_unknown(text: &str) -> Fault {
    let command = quoted(text).unwrap_or_else(|| "the command".into()).to_uppercase();
    let lacks = fault(
        Kind::Capability,
        &format!("it does not know {command}"),
        "undo its rename-command, or use a server that has the command",
    );
    Fault { subject: Some(command), ..lacks }
}

#[cfg(test)]
mod tests;
