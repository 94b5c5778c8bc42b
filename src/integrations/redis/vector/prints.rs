//! Which pattern of failing commands tells of which fault. Pure.

use super::{
    super::{
        fault::{Fault, Kind, denied, fault, paused},
        trouble::{Step, Trouble},
    },
    Answer, COUNT, PROBES, Probe, Row,
    probes::Need,
};

/// What all commands together tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Told {
    /// Every command that is needed was carried out.
    Well,
    /// What fails is needed by nothing but our own looking.
    Blind(Fault),
    /// This fault, and the name of its pattern where that is known.
    Wrong(Fault, Option<&'static str>),
}

/// A command that failed, and what stood in its way.
type Failure<'a> = (&'static Probe, &'a Trouble);

/// What fails under a fault: a letter for each command in the order of [`PROBES`].
/// `.` is carried out, `x` and `y` fail with these codes.
struct Print {
    name: &'static str,
    pattern: &'static [u8; COUNT],
    x: &'static str,
    y: &'static str,
}

const fn print(name: &'static str, pattern: &'static [u8; COUNT], x: &'static str) -> Print {
    Print { name, pattern, x, y: "" }
}

/// No answer in time, as if it were a code.
const LATE: &str = "late";
const PAUSED: &str = "paused writes";

/// Measured on Redis 7.0.15, in the order PING, GET, SET, EVAL write, delete and
/// read, PEXPIRE, ZPOPMIN, RPOPLPUSH, XADD, XREADGROUP, PUBLISH, TIME, INFO, SUBSCRIBE.
const PRINTS: &[Print] = &[
    print("a full server that evicts nothing", b"..xx....xx.....", "OOM"),
    print("a read-only replica", b"..xxx.xxxxx....", "READONLY"),
    Print {
        name: "a replica without its master that serves no old data",
        pattern: b"xxyxxxyyyyy....",
        x: "MASTERDOWN",
        y: "READONLY",
    },
    print("too few replicas", b"..xxx.xxxxx....", "NOREPLICAS"),
    print("a failed save", b"x.xxx.xxxxx....", "MISCONF"),
    print(PAUSED, b"..xxxxxxxxxx...", LATE),
    print("a process that hangs, or has paused everybody", b"xxxxxxxxxxxxxxx", LATE),
    print("no login", b"xxxxxxxxxxxxxxx", "NOAUTH"),
    print("a script that does not end", b"xxxxxxxxxxxxxxx", "BUSY"),
    print("a cluster that lost slots", b".xxxxxxxxxx....", "CLUSTERDOWN"),
    print("a server that loads its data", b"xxxxxxxxxxx....", "LOADING"),
];

/// Reads the fault from what became of the commands.
pub(super) fn read(row: &Row) -> Told {
    let failed = failures(row);
    let starved = |(_, trouble): &&Failure| matches!(trouble, Trouble::Starved(_));
    if let Some((_, starved)) = failed.iter().find(starved) {
        return Told::Wrong(starved.fault(), None);
    }
    let print = PRINTS.iter().filter(|_| !failed.is_empty()).find(|print| print.fits(row));
    if let Some(print) = print {
        return Told::Wrong(print.fault(&failed), Some(print.name));
    }
    // What a user may not run, or a product does not have, concerns only who needs it.
    let (denials, others): (Vec<Failure>, Vec<Failure>) =
        failed.into_iter().partition(|(_, trouble)| is_denial(trouble));
    match (others.is_empty(), lacking(&denials, Need::Services), lacking(&denials, Need::Looking)) {
        (false, ..) => Told::Wrong(mixed(&others), None),
        // What a product does not have it does not do badly.
        (true, Some(fault), _) if fault.kind == Kind::Capability => Told::Blind(fault),
        (true, Some(fault), _) => Told::Wrong(fault, Some("a user, or a product, of few commands")),
        (true, None, Some(fault)) => Told::Blind(fault),
        (true, None, None) => Told::Well,
    }
}

fn failures(row: &Row) -> Vec<Failure<'_>> {
    let mut failures = Vec::new();
    for (probe, seen) in PROBES.iter().zip(row) {
        match &seen.answer {
            Answer::Failed(trouble) => failures.push((probe, trouble)),
            Answer::Done | Answer::NotSent(_) => {}
        }
    }
    failures
}

impl Print {
    /// Whether every command that was sent went as the pattern says.
    fn fits(&self, row: &Row) -> bool {
        self.pattern.iter().zip(row).all(|(letter, seen)| match &seen.answer {
            Answer::NotSent(_) => true,
            Answer::Done => *letter == b'.',
            Answer::Failed(trouble) => match letter {
                b'x' => code(trouble) == self.x,
                b'y' => code(trouble) == self.y,
                _ => false,
            },
        })
    }

    fn fault(&self, failed: &[Failure]) -> Fault {
        let told = failed.iter().map(|(_, trouble)| *trouble).find(|it| code(it) == self.x);
        match told {
            Some(Trouble::Late { after, .. }) if self.name == PAUSED => paused(*after),
            Some(trouble) => trouble.fault(),
            None => mixed(failed),
        }
    }
}

/// The fault of what fails in no known pattern: a refusal says more than silence.
fn mixed(failed: &[Failure]) -> Fault {
    let refused = failed.iter().find(|(_, trouble)| code(trouble) != LATE);
    match (refused, failed.first()) {
        (None, Some((first, trouble))) => {
            let says = match failed.len() {
                1 => format!("{} does not answer", first.name),
                n => format!("{} and {} more do not answer", first.name, n - 1),
            };
            let fault = trouble.fault();
            Fault { says, ..fault }
        }
        (Some((_, trouble)), _) => trouble.fault(),
        (None, None) => fault(Kind::Unexpected, "nothing failed", "re-check with r"),
    }
}

fn is_denial(trouble: &Trouble) -> bool {
    matches!(
        trouble.fault().kind,
        Kind::CommandDenied | Kind::KeyDenied | Kind::ChannelDenied | Kind::Capability
    )
}

/// What is lacking for the commands of a `need`, with all that mends it.
fn lacking(denials: &[Failure], need: Need) -> Option<Fault> {
    let ours: Vec<(&str, Fault)> = denials
        .iter()
        .filter(|(probe, _)| probe.need == need)
        .map(|(probe, trouble)| (probe.command, trouble.fault()))
        .collect();
    let of = |kind: Kind| ours.iter().filter(move |(_, fault)| fault.kind == kind);
    let mut commands: Vec<&str> = of(Kind::CommandDenied).map(|(command, _)| *command).collect();
    commands.dedup();
    let (keys, channels) =
        (of(Kind::KeyDenied).next().is_some(), of(Kind::ChannelDenied).next().is_some());
    if commands.is_empty() && !keys && !channels {
        return ours.first().map(|(_, fault)| fault.clone());
    }
    Some(denied(&commands, keys, channels))
}

/// The first word of a refusal.
pub(super) fn code(trouble: &Trouble) -> &str {
    match trouble {
        Trouble::Reply { code, .. } => code,
        Trouble::Late { step: Step::Answer, .. } => LATE,
        Trouble::Late { .. } => "no connection",
        Trouble::Starved(_) => "not looked",
        Trouble::Closed | Trouble::Cut => "closed",
        Trouble::NotRedis(_) | Trouble::TooLong => "not Redis",
        Trouble::Tls(_) | Trouble::WantsTls | Trouble::LacksTls => "TLS",
        Trouble::Reach(_) => "unreachable",
        Trouble::Odd(_) => "odd",
    }
}

#[cfg(test)]
mod tests {
    use super::{super::Seen, *};
    use std::{array, time::Duration};
    use tokio::time::Instant;

    const DENIED: &str = "NOPERM this user has no permissions to run the 'it' command";
    const NO_KEYS: &str = "NOPERM this user has no permissions to access one of the keys used";
    const NO_CHANNELS: &str = "NOPERM this user has no permissions to access one of the channels";

    fn late() -> Trouble {
        Trouble::Late { step: Step::Answer, after: Duration::from_millis(400) }
    }

    /// A row in which the `x` and the `y` fail with these lines, and `-` was not sent.
    fn row(pattern: &str, x: &str, y: &str) -> Row {
        let failed =
            |line: &str| Answer::Failed(if line == LATE { late() } else { Trouble::of_line(line) });
        let letters: Vec<char> = pattern.chars().collect();
        assert_eq!(letters.len(), COUNT, "{pattern}");
        array::from_fn(|at| {
            let answer = match letters[at] {
                'x' => failed(x),
                'y' => failed(y),
                '-' => Answer::NotSent("not sent"),
                _ => Answer::Done,
            };
            Seen { answer, took: Duration::ZERO, at: Instant::now() }
        })
    }

    fn kind(told: &Told) -> (Option<Kind>, Option<&'static str>) {
        match told {
            Told::Well => (None, None),
            Told::Blind(fault) => (Some(fault.kind), Some("blind")),
            Told::Wrong(fault, print) => (Some(fault.kind), *print),
        }
    }

    /// The measured table.
    #[tokio::test]
    async fn every_measured_fault_is_named_by_its_pattern() {
        let cases = [
            ("..xx....xx.....", "OOM full", "", Kind::MemoryFull),
            ("..xxx.xxxxx....", "READONLY no", "", Kind::WrongRole),
            ("xxyxxxyyyyy....", "MASTERDOWN no", "READONLY no", Kind::StaleReplica),
            ("..xxx.xxxxx....", "NOREPLICAS no", "", Kind::DurabilityGate),
            ("x.xxx.xxxxx....", "MISCONF no", "", Kind::PersistenceBroken),
            ("..xxxxxxxxxx...", LATE, "", Kind::Paused),
            ("xxxxxxxxxxxxxxx", LATE, "", Kind::Hung),
            ("xxxxxxxxxxxxxxx", "NOAUTH Authentication required.", "", Kind::Credentials),
            ("xxxxxxxxxxxxxxx", "BUSY Redis is busy", "", Kind::ScriptHog),
            (".xxxxxxxxxx....", "CLUSTERDOWN Hash slot not served", "", Kind::Cluster),
            ("xxxxxxxxxxx....", "LOADING Redis is loading", "", Kind::Starting),
        ];
        for (pattern, x, y, expected) in cases {
            let (found, print) = kind(&read(&row(pattern, x, y)));
            assert_eq!(found, Some(expected), "{pattern} {x}");
            assert!(print.is_some(), "{pattern} {x} is no known pattern");
            let light: String = pattern
                .char_indices()
                .map(|(at, letter)| if PROBES[at].light { letter } else { '-' })
                .collect();
            if light.contains('x') {
                let (found, _) = kind(&read(&row(&light, x, y)));
                assert_eq!(found, Some(expected), "the poll, {light} {x}");
            }
        }
        assert_eq!(read(&row("...............", "", "")), Told::Well);
    }

    #[tokio::test]
    async fn a_strange_pattern_is_still_named_by_its_code() {
        let told = |pattern: &str, x: &str, y: &str| kind(&read(&row(pattern, x, y)));
        assert_eq!(told("..x............", "OOM full", ""), (Some(Kind::MemoryFull), None));
        let both = told("..xy...........", LATE, "OOM full");
        assert_eq!(both, (Some(Kind::MemoryFull), None), "a refusal says more than silence");
        let Told::Wrong(fault, None) = read(&row(".........xx....", LATE, "")) else {
            panic!("no pattern has it");
        };
        assert_eq!((fault.kind, &*fault.says), (Kind::Hung, "XADD and 1 more do not answer"));
    }

    #[tokio::test]
    async fn what_a_user_lacks_is_told_with_the_rule_that_grants_it() {
        let remedy = |pattern: &str, x: &str, y: &str| {
            let told = read(&row(pattern, x, y));
            let Told::Wrong(fault, Some(_)) = told else { panic!("{pattern}: {told:?}") };
            fault.remedy
        };
        let scripts = remedy("...xxx.........", DENIED, "");
        assert_eq!(scripts, "grant it: ACL SETUSER <user> +eval +evalsha");
        let more = remedy("...xxx.....x..x", DENIED, "");
        assert_eq!(more, "grant it: ACL SETUSER <user> +eval +evalsha +publish +subscribe");
        assert_eq!(
            remedy(".xxxxxxx.......", NO_KEYS, ""),
            "grant it: ACL SETUSER <user> ~tminus:*"
        );
        assert_eq!(
            remedy("...yyy.....x..x", NO_CHANNELS, DENIED),
            "grant it: ACL SETUSER <user> +eval +evalsha allchannels, which patterns need"
        );
    }

    #[tokio::test]
    async fn what_nobody_needs_may_be_denied_and_what_looks_is_a_blindness() {
        assert_eq!(read(&row("........xxx....", DENIED, "")), Told::Well);
        let blind = kind(&read(&row("........xx...x.", DENIED, "")));
        assert_eq!(blind, (Some(Kind::CommandDenied), Some("blind")));
        let absent = kind(&read(&row("...xxx.........", "ERR unknown command 'EVAL'", "")));
        assert_eq!(absent.0, Some(Kind::Capability), "a product without scripts");
    }

    #[tokio::test]
    async fn a_starved_host_blames_nobody() {
        let mut starved = row("xx.............", LATE, "");
        starved[1].answer = Answer::Failed(Trouble::Starved(Duration::from_secs(1)));
        assert_eq!(kind(&read(&starved)), (Some(Kind::Ours), None));
    }
}
