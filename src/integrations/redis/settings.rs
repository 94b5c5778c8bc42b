use super::topology::Entrance;
use crate::{domain::IntegrationId, probe::Complaint, secret::Secret};
use serde::Deserialize;
use std::{collections::BTreeMap, path::PathBuf, time::Duration};
use url::Url;

/// Shortest and longest `ping_limit`. An answer that takes a second is none.
const PING_LIMIT: (Duration, Duration) = (Duration::from_millis(1), Duration::from_millis(200));

/// How the address of an exporter reads.
const WRITE: &str = "write http://host:9121/metrics";

/// What an instance is used for.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Duty {
    /// Values that can be loaded again.
    Cache,
    /// Messages to whoever listens.
    Pubsub,
    /// Locks with a lease.
    Lock,
    /// Counters of a rate limit.
    Ratelimit,
    /// Jobs that wait to be done.
    Queue,
    /// Numbers for Prometheus.
    Metrics,
    /// Sessions of users.
    Session,
}

impl Duty {
    /// Every one of them.
    pub const ALL: [Self; 7] = [
        Self::Cache,
        Self::Pubsub,
        Self::Lock,
        Self::Ratelimit,
        Self::Queue,
        Self::Metrics,
        Self::Session,
    ];
}

/// Where Redis is and what is asked of it.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// What to call this instance where there are several: lower-case letters,
    /// digits, `-` and `_`. Default: none, which is right for the only one.
    pub name: Option<String>,
    /// Address: `redis://[user:password@]host[:port][/db]`, `rediss://…` for TLS,
    /// `unix:///path` for a socket; of a cluster, that of any of its nodes.
    /// `redis-sentinel://[user:password@]host:port,host:port/master[/db]` asks these
    /// sentinels where the master is. Beside `sentinels` it says as whom to talk to
    /// the master, and its host is the master's name. Without any address an
    /// in-process stand-in is checked, and flagged as one. Default: none.
    pub url: Option<Secret>,
    /// Sentinels to ask where the master is, each `host:port`, or
    /// `rediss://host:port` for TLS. Two must agree. Default: none.
    pub sentinels: Vec<String>,
    /// The name under which the sentinels know the master. Default: the host of `url`.
    pub master: Option<String>,
    /// As whom to talk to the sentinels. Default: their default user.
    pub sentinel_user: Option<String>,
    /// The password of the sentinels, which need not be that of the master.
    /// Default: none.
    pub sentinel_password: Option<Secret>,
    /// Whether a cluster has to answer; one that does is recognised in any case.
    /// Default: false.
    pub cluster: bool,
    /// Whether a single server is meant to be a replica: then only what reads is
    /// checked. Default: false.
    pub replica: bool,
    /// Where to reach the nodes of a cluster, or the master that sentinels name,
    /// when they call themselves by an address that leads nowhere from here:
    /// `{ "172.17.0.2:6379" = "127.0.0.1:7001" }`. Default: none.
    pub announced: BTreeMap<String, String>,
    /// Whether the checks that write may run: `cache`, `lock` and `session` write
    /// keys that begin with `tminus:`, live 60 s at most and are removed again;
    /// `pubsub` publishes to channels that begin alike, where nothing is stored.
    /// Default: true on this machine, false elsewhere.
    pub writes: Option<bool>,
    /// Whether `tminus perf redis` may put it under load.
    /// Default: true on this machine, false elsewhere.
    pub load: Option<bool>,
    /// A slower `PING` is a warning; one that takes a second is a failure.
    /// Between 1ms and 200ms. Default: `10ms`.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub ping_limit: Duration,
    /// File with the certificates, in PEM form, that may vouch for the server of a
    /// `rediss://` address. Default: none, which means those that this host trusts.
    pub ca: Option<PathBuf>,
    /// What it is used for: `cache`, `pubsub`, `lock`, `ratelimit`, `queue`, `metrics`,
    /// `session`. The same number means different things: a cache may evict, a queue
    /// must not. Default: all of them.
    pub roles: Vec<Duty>,
    /// Whether an application counts on being told of keys that end
    /// (`notify-keyspace-events`): then it is a failure that nobody is told, and a
    /// hazard that it takes more than a minute. Default: false.
    pub key_events: bool,
    /// Address of a `redis_exporter` that is to watch this very server:
    /// `http://host:9121/metrics`, or `…/scrape?target=…`. Default: none.
    pub exporter: Option<Secret>,
}

/// What a server is meant to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Meant {
    /// The one that takes writes.
    Master,
    /// One that follows a master, and is only read.
    Replica,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: None,
            url: None,
            sentinels: Vec::new(),
            master: None,
            sentinel_user: None,
            sentinel_password: None,
            cluster: false,
            replica: false,
            announced: BTreeMap::new(),
            writes: None,
            load: None,
            ping_limit: Duration::from_millis(10),
            ca: None,
            roles: Duty::ALL.to_vec(),
            key_events: false,
            exporter: None,
        }
    }
}

impl Settings {
    /// What a single server is meant to be.
    pub(super) fn meant(&self) -> Meant {
        if self.replica { Meant::Replica } else { Meant::Master }
    }

    /// Everything that is wrong with them, without connecting to anything.
    pub fn complaints(&self) -> Vec<Complaint> {
        let (shortest, longest) = PING_LIMIT;
        let name = self.name.as_deref().map(|name| IntegrationId::named("redis", name));
        let name = name.and_then(Result::err).map(|bad| Complaint::new("name", bad.to_string()));
        let entrance = Entrance::read(self).err().unwrap_or_default();
        let limit = (!(shortest..=longest).contains(&self.ping_limit)).then(|| {
            let says = format!("is {:?}; it must be between 1ms and 200ms", self.ping_limit);
            Complaint::new("ping_limit", says)
        });
        let none = "is empty; leave it out for all, or name what it is used for";
        let roles = self.roles.is_empty().then(|| Complaint::new("roles", none.to_owned()));
        let exporter = self.exporter.as_ref().and_then(|_| self.exporter().err());
        let exporter = exporter.map(|says| Complaint::new("exporter", says));
        name.into_iter().chain(entrance).chain(limit).chain(roles).chain(exporter).collect()
    }

    /// Where another exporter is, if one is named; or what is wrong with that.
    pub(super) fn exporter(&self) -> Result<Option<Url>, String> {
        let Some(address) = &self.exporter else { return Ok(None) };
        let url = Url::parse(address.expose());
        let url = url.map_err(|error| format!("is not a URL ({error}); {WRITE}"))?;
        match url.scheme() {
            "http" | "https" => Ok(Some(url)),
            _ => Err(format!("must begin with http:// or https://; {WRITE}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    fn keys(settings: &Settings) -> Vec<String> {
        settings.complaints().into_iter().map(|complaint| complaint.key).collect()
    }

    #[test]
    fn nothing_written_is_the_default_and_fine() {
        let settings = read("");
        assert_eq!(settings.ping_limit, Duration::from_millis(10));
        assert!(settings.url.is_none() && settings.writes.is_none());
        assert_eq!(keys(&settings), [""; 0]);
    }

    #[test]
    fn every_setting_can_be_written() {
        let settings = read(
            "name = 'sessions'\nurl = 'rediss://u:p@db:6380/2'\nwrites = true\nping_limit = '20ms'\nca = '/etc/ca.pem'\n\
             cluster = false\nreplica = true\nannounced = { 'a:1' = 'b:2' }
             roles = ['cache', 'session']\nkey_events = true\nexporter = 'http://u:hunter2@e:9121/metrics'",
        );
        assert_eq!(settings.meant(), Meant::Replica);
        assert_eq!(settings.roles, [Duty::Cache, Duty::Session]);
        assert!(settings.key_events);
        assert_eq!(settings.ping_limit, Duration::from_millis(20));
        assert_eq!(keys(&settings), [""; 0]);
        let guarded = "sentinels = ['s:1', 's:2']\nmaster = 'm'\nsentinel_user = 'u'\n\
             sentinel_password = 'hunter2'";
        assert_eq!(keys(&read(guarded)), [""; 0]);
        assert!(!format!("{:?}", read(guarded)).contains("hunter2"));
        assert!(toml::from_str::<Settings>("role = 'slave'").is_err());
        assert!(toml::from_str::<Settings>("ping_limits = '1s'").is_err(), "a typo is an error");
    }

    #[test]
    fn every_problem_is_reported_and_no_secret_quoted() {
        let settings = read("name = 'A B'\nurl = 'http://:hunter2@db'\nping_limit = '201ms'");
        assert_eq!(keys(&settings), ["name", "url", "ping_limit"]);
        assert!(!format!("{:?}", settings.complaints()).contains("hunter2"));
        assert!(!format!("{settings:?}").contains("hunter2"));
    }

    #[test]
    fn an_exporter_is_a_web_address_and_not_quoted() {
        let of = |address: &str| keys(&read(&format!("exporter = '{address}'")));
        assert_eq!(of("http://127.0.0.1:9121/scrape?target=redis://db:6379"), [""; 0]);
        for bad in ["127.0.0.1:9121", "hunter2", "redis://hunter2@db"] {
            assert_eq!(of(bad), ["exporter"], "{bad}");
            let settings = read(&format!("exporter = '{bad}'"));
            assert!(!format!("{:?}", settings.complaints()).contains("hunter2"), "{bad}");
        }
    }

    #[test]
    fn roles_are_words_that_we_know_and_at_least_one() {
        assert_eq!(read("").roles, Duty::ALL);
        assert_eq!(keys(&read("roles = []")), ["roles"]);
        assert!(toml::from_str::<Settings>("roles = ['kv']").is_err());
    }

    #[test]
    fn the_ping_limit_is_held_to_its_range() {
        for (limit, fine) in [("1ms", true), ("200ms", true), ("999us", false), ("201ms", false)] {
            assert_eq!(keys(&read(&format!("ping_limit = '{limit}'"))).is_empty(), fine, "{limit}");
        }
    }
}
