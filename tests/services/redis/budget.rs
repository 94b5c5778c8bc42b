//! What a full run costs its server, by the server's own log of commands.

use super::*;
use futures_util::future::join_all;
use std::{
    collections::{BTreeMap, BTreeSet},
    io::{BufRead as _, BufReader},
    sync::{Arc, mpsc},
    thread,
};
use tminus::domain::FactValue;

const ROOM: &[&str] = &["--maxmemory", "100mb", "--maxmemory-policy", "noeviction"];

/// What a full run may cost: five commands are left for a host that is slow.
const COMMANDS: usize = 345;
const KEYS: usize = 96;
const KIBIBYTES: f64 = 128.0;
const SCRIPTS: usize = 9;
const WALL: Duration = Duration::from_secs(3);

/// What is never sent, by the first words of a command.
const NEVER: &[&str] = &[
    "flushall",
    "flushdb",
    "keys",
    "config set",
    "config rewrite",
    "config resetstat",
    "debug",
    "monitor",
    "save",
    "bgsave",
    "bgrewriteaof",
    "shutdown",
    "script",
    "client kill",
    "client pause",
    "replicaof",
    "slaveof",
    "swapdb",
    "acl setuser",
    "acl deluser",
    "scan",
    "function",
    "failover",
    "cluster",
];

/// The commands that write a key, which is their first argument.
const WRITES: &[&str] = &["set", "incr", "hset", "hincrby", "zadd", "renamenx"];

/// A command as a server logged it.
#[derive(Clone, Debug)]
struct Logged {
    words: Vec<String>,
    /// Whether a script called it.
    inner: bool,
}

/// Everything that a server carries out, from now until it is asked for.
struct Log(mpsc::Receiver<Logged>);

impl Log {
    fn of(server: &Server) -> Self {
        let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stream.write_all(b"MONITOR\r\n").unwrap();
        let mut lines = BufReader::new(stream);
        let mut first = String::new();
        lines.read_line(&mut first).unwrap();
        assert_eq!(first.trim(), "+OK");
        let (sender, log) = mpsc::channel();
        // Ends with the server, or with whoever reads.
        thread::spawn(move || {
            for line in lines.lines().map_while(Result::ok) {
                if sender.send(Logged::read(&line)).is_err() {
                    return;
                }
            }
        });
        Self(log)
    }

    /// What came until a command that only the test sends.
    fn until_marked(&self, server: &Server) -> Vec<Logged> {
        server.ask::<String>(&["ECHO", "the end of the run"]);
        let within = Duration::from_secs(20);
        let mut all = Vec::new();
        loop {
            let logged = self.0.recv_timeout(within).unwrap();
            // What the test itself says.
            if logged.begins("client setinfo") || logged.begins("info commandstats") {
                continue;
            }
            if logged.words[0] == "ECHO" {
                return all;
            }
            all.push(logged);
        }
    }
}

impl Logged {
    /// `+1700000000.000001 [0 127.0.0.1:60866] "SET" "key" "a \"b\""`
    fn read(line: &str) -> Self {
        let (from, rest) = line.split_once("] ").unwrap();
        let (mut words, mut word, mut escaped, mut quoted) =
            (Vec::new(), String::new(), false, false);
        for letter in rest.chars() {
            match letter {
                _ if escaped => {
                    escaped = false;
                    word.push(letter);
                }
                '\\' => escaped = true,
                '"' if quoted => {
                    words.push(std::mem::take(&mut word));
                    quoted = false;
                }
                '"' => quoted = true,
                _ if quoted => word.push(letter),
                _ => {}
            }
        }
        Self { words, inner: from.ends_with(" lua") }
    }

    fn name(&self) -> String {
        self.words[0].to_lowercase()
    }

    fn begins(&self, words: &str) -> bool {
        let mut said = self.words.iter().map(|word| word.to_lowercase());
        words.split(' ').all(|wanted| said.next().is_some_and(|said| said == wanted))
    }
}

/// One full run, as the engine starts it: all at once, each check a task of its own.
async fn full_run(redis: &Arc<Redis>) -> (Vec<Finding>, Duration) {
    let began = Instant::now();
    let all = ALL.map(|name| {
        let redis = Arc::clone(redis);
        tokio::spawn(async move { run(&redis, name).await })
    });
    let findings = join_all(all).await.into_iter().collect::<Result<Vec<_>, _>>().unwrap();
    let wall = began.elapsed();
    for (name, finding) in ALL.iter().zip(&findings) {
        eprintln!("{name:>10}: {:?}", finding.receipt);
        assert_eq!(finding.receipt.left, 0, "{name}");
        assert_ne!(finding.outcome, Outcome::Fail, "{name}: {}", finding.summary);
    }
    (findings, wall)
}

/// How often it carried out what its log leaves out.
fn unlogged(server: &Server) -> usize {
    let stats: String = server.ask(&["INFO", "commandstats"]);
    let calls = stats.lines().filter_map(|line| {
        let (name, told) = line.strip_prefix("cmdstat_")?.split_once(":calls=")?;
        let silent = ["config|get", "slowlog|get"].contains(&name);
        silent.then(|| told.split(',').next()?.parse::<usize>().ok())?
    });
    calls.sum()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_full_run_keeps_to_its_budget_and_to_its_commands() {
    let Some(server) = Server::start(ROOM) else { return };
    let (redis, log) = (Arc::new(watch(server.settings())), Log::of(&server));
    let (mut fastest, mut silent, mut untold) = (Duration::MAX, 0, 0_i64);
    for attempt in 1..=5 {
        let (findings, wall) = full_run(&redis).await;
        let before = std::mem::replace(&mut silent, unlogged(&server));
        let logged = log.until_marked(&server);
        let sent: Vec<_> = logged.iter().filter(|logged| !logged.inner).collect();
        cost(&sent, silent - before, &logged);
        harmless(&logged);
        let told: u64 = findings.iter().map(|finding| finding.receipt.sent).sum();
        let counted = sent.len() + silent - before;
        // What the shared connection takes is told by `connect`, now or the next time; what
        // was stopped on purpose before it was sent is told all the same.
        untold += i64::try_from(counted).unwrap() - i64::try_from(told).unwrap();
        assert!((-6..=3).contains(&untold), "{told} told, {counted} counted, {untold} untold");
        let bytes: f64 = findings.iter().filter_map(kibibytes).sum();
        assert!(bytes > 0.0 && bytes <= KIBIBYTES, "{bytes} KiB");
        fastest = fastest.min(wall);
        eprintln!("run {attempt}: {counted} commands in {wall:?}, {told} told");
        if attempt > 1 && fastest < WALL {
            break;
        }
    }
    assert!(fastest < WALL, "the fastest of five runs took {fastest:?}");
    assert_eq!(server.ask::<u64>(&["DBSIZE"]), 0);
}

/// What a run of a service sent, in KiB, by its receipt.
fn kibibytes(finding: &Finding) -> Option<f64> {
    let receipt = finding.evidence.facts.iter().find(|fact| fact.name == "receipt")?;
    let FactValue::Words(told) = &receipt.value else { panic!("{receipt:?}") };
    let mut words = told.split(", ").nth(1).unwrap().split(' ');
    let number: f64 = words.next().unwrap().parse().unwrap();
    match words.next().unwrap() {
        "KiB" => Some(number),
        "B" => Some(number / 1024.0),
        unit => panic!("{unit} in {told}"),
    }
}

/// The first run and every other: a script is sent once in each.
fn cost(sent: &[&Logged], silent: usize, logged: &[Logged]) {
    let count = |name: &str| sent.iter().filter(|logged| logged.name() == name).count();
    let mut by_name: BTreeMap<String, usize> = BTreeMap::new();
    for logged in sent {
        *by_name.entry(logged.name()).or_default() += 1;
    }
    let all = sent.len() + silent;
    assert!(all <= COMMANDS, "{all} commands: {by_name:?}");
    let texts = sent.iter().filter(|logged| logged.name() == "eval");
    let texts: BTreeSet<_> = texts.map(|logged| logged.words[1].clone()).collect();
    let digests = sent.iter().filter(|logged| logged.name() == "evalsha");
    let digests: BTreeSet<_> = digests.map(|logged| logged.words[1].clone()).collect();
    assert!(texts.len() <= SCRIPTS && digests.len() <= texts.len(), "{digests:?}");
    assert_eq!(count("eval"), texts.len(), "each script is brought once");
    let written = logged.iter().filter(|logged| WRITES.contains(&&*logged.name()));
    let written: BTreeSet<_> = written.map(|logged| logged.words[1].clone()).collect();
    eprintln!("{all} commands, {} keys, {} scripts: {by_name:?}", written.len(), texts.len());
    assert!(!written.is_empty() && written.len() <= KEYS, "{} keys", written.len());
    assert!(written.iter().all(|key| key.starts_with("tminus:{")), "{written:?}");
}

fn harmless(logged: &[Logged]) {
    for logged in logged {
        let never = NEVER.iter().find(|never| logged.begins(never));
        assert!(never.is_none(), "sent: {:?}", logged.words);
    }
}
