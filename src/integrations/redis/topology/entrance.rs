//! Where a deployment is entered, as the settings have it. Pure.

use super::super::{
    address::{Address, Place, at, host_and_port},
    settings::Settings,
};
use crate::{probe::Complaint, secret::Secret};
use std::collections::{BTreeMap, BTreeSet};

/// Where sentinels listen unless they are told otherwise.
const SENTINEL: u16 = 26_379;
/// Sentinels that may be named.
const MOST: usize = 15;

const CHAIN: &str = "is no address of sentinels; it must be \
    redis-sentinel://[user:password@]host[:port],host[:port]/master[/db], or rediss-sentinel://… \
    for TLS";
const ENTRY: &str = "must be host:port, with rediss:// before it for TLS; a password belongs into \
    `sentinel_password`";
const NAMELESS: &str = "is missing: under which name do the sentinels know the master?";
const OTHER_HOST: &str = "names another host than `master`; with `sentinels` it says as whom to \
    talk to the master, and its host is the master's name";

/// Where a deployment is entered: a server, or the sentinels that know it.
#[derive(Clone, Debug)]
pub(crate) struct Entrance {
    /// What to talk to; with sentinels, the master that they name.
    pub(crate) address: Address,
    /// Whom to ask for the master; empty where there is nobody to ask.
    pub(crate) sentinels: Vec<Address>,
    pub(crate) announced: Announced,
}

/// Addresses that servers tell of themselves, and where they can be reached from here.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Announced(BTreeMap<String, (String, u16)>);

impl Entrance {
    /// A single server.
    #[cfg(test)]
    pub(crate) fn of(address: Address) -> Self {
        Self { address, sentinels: Vec::new(), announced: Announced::default() }
    }

    /// What the settings name, or `None` where they name nothing.
    ///
    /// # Errors
    ///
    /// Everything that is wrong with them, quoting no secret.
    pub(crate) fn read(settings: &Settings) -> Result<Option<Self>, Vec<Complaint>> {
        let mut wrong = contradictions(settings);
        let mut note = |complaint| wrong.push(complaint);
        let announced = Announced::read(&settings.announced).map_err(&mut note).ok();
        let entered = entered(settings).map_err(&mut note).ok();
        if !wrong.is_empty() {
            return Err(wrong);
        }
        Ok(entered.flatten().zip(announced).map(|((address, sentinels), announced)| Self {
            address,
            sentinels,
            announced,
        }))
    }
}

impl Entrance {
    /// The hosts that the settings name; for a socket its path.
    pub(crate) fn hosts(&self) -> impl Iterator<Item = String> {
        let own = self.sentinels.is_empty().then_some(&self.address);
        own.into_iter().chain(&self.sentinels).map(|address| address.place.host())
    }
}

type Entered = Option<(Address, Vec<Address>)>;

fn entered(settings: &Settings) -> Result<Entered, Complaint> {
    let chain = settings.url.as_ref().and_then(|url| Chain::of(url.expose()));
    match (chain, &settings.url) {
        (Some(_), _) if !settings.sentinels.is_empty() => {
            Err(Complaint::new("sentinels", "are named in `url` too; once is enough"))
        }
        (Some(chain), _) => chain.read(settings).map(Some),
        (None, _) if !settings.sentinels.is_empty() => listed(settings).map(Some),
        (None, Some(url)) => {
            let address = Address::parse(url).map_err(|says| Complaint::new("url", says))?;
            Ok(Some((address, Vec::new())))
        }
        (None, None) => Ok(None),
    }
}

fn contradictions(settings: &Settings) -> Vec<Complaint> {
    let chained = settings.url.as_ref().is_some_and(|url| Chain::of(url.expose()).is_some());
    let guarded = chained || !settings.sentinels.is_empty();
    let alone = [
        ("master", settings.master.is_some() && settings.sentinels.is_empty()),
        ("sentinel_user", settings.sentinel_user.is_some() && !guarded),
        ("sentinel_password", settings.sentinel_password.is_some() && !guarded),
    ];
    let alone = alone.into_iter().filter(|(_, is_so)| *is_so).map(|(key, _)| {
        Complaint::new(key, if chained { "is in `url` already" } else { "needs `sentinels`" })
    });
    let cluster = (settings.cluster && guarded)
        .then(|| Complaint::new("cluster", "is no deployment that sentinels look after"));
    let replica = (settings.replica && (guarded || settings.cluster)).then(|| {
        Complaint::new("replica", "is for a single server; name the replica alone, in `url`")
    });
    alone.chain(cluster).chain(replica).collect()
}

/// The sentinels of a list, and the login of the address beside it.
fn listed(settings: &Settings) -> Result<(Address, Vec<Address>), Complaint> {
    let login = settings.url.as_ref().map(Address::parse).transpose();
    let login = login.map_err(|says| Complaint::new("url", says))?;
    let host = login.as_ref().map(|login| login.place.host());
    let name = match (&settings.master, host) {
        (Some(master), Some(host)) if *master != host => {
            return Err(Complaint::new("url", OTHER_HOST));
        }
        (Some(name), _) => name.clone(),
        (None, Some(host)) => host,
        (None, None) => return Err(Complaint::new("master", NAMELESS)),
    };
    let encrypted = login.as_ref().is_some_and(|login| login.place.is_encrypted());
    let place = named(name, encrypted, "master")?;
    let address = match login {
        Some(login) => login.at(place),
        None => Address { place, user: None, password: None, database: 0 },
    };
    Ok((address, sentinels(&settings.sentinels, settings, encrypted, "sentinels")?))
}

fn named(name: String, encrypted: bool, key: &str) -> Result<Place, Complaint> {
    // What Sentinel itself accepts as a name.
    let is_name = |name: &str| {
        !name.is_empty()
            && name.chars().all(|c| c.is_ascii_alphanumeric() || matches!(c, '.' | '-' | '_'))
    };
    if is_name(&name) {
        Ok(Place::Master { name, encrypted })
    } else {
        Err(Complaint::new(key, "is no name of a master: letters, digits, `.`, `-` and `_`"))
    }
}

/// The sentinels to ask, each once: one that is asked twice always agrees with itself.
fn sentinels(
    entries: &[String],
    settings: &Settings,
    encrypted: bool,
    key: &str,
) -> Result<Vec<Address>, Complaint> {
    let wrong = |says: String| Complaint::new(key, says);
    let mut known = BTreeSet::new();
    let mut found = Vec::new();
    for (number, entry) in (1..).zip(entries) {
        let place = sentinel(entry, encrypted)
            .ok_or_else(|| wrong(format!("has an unusable entry, number {number}: it {ENTRY}")))?;
        if !known.insert(place.to_string()) {
            return Err(wrong(format!("names one twice: number {number}")));
        }
        found.push(Address {
            place,
            user: settings.sentinel_user.clone(),
            password: settings.sentinel_password.clone(),
            database: 0,
        });
    }
    if found.len() > MOST {
        return Err(wrong(format!("are {}; {MOST} may be named", found.len())));
    }
    Ok(found)
}

fn sentinel(entry: &str, encrypted: bool) -> Option<Place> {
    let (rest, encrypted) = match entry.split_once("://") {
        Some(("redis" | "valkey", rest)) => (rest, false),
        Some(("rediss" | "valkeys", rest)) => (rest, true),
        Some(_) => return None,
        None => (entry, encrypted),
    };
    let with_port = || host_and_port(&format!("{rest}:{SENTINEL}"));
    let (host, port) = host_and_port(rest).or_else(with_port)?;
    Some(Place::new(&host, port, encrypted))
}

/// An address that names sentinels, taken apart no further.
struct Chain<'a> {
    encrypted: bool,
    user: Option<&'a str>,
    hosts: &'a str,
    path: &'a str,
}

impl<'a> Chain<'a> {
    fn of(url: &'a str) -> Option<Self> {
        let (scheme, rest) = url.split_once("://")?;
        let encrypted = match scheme {
            "redis-sentinel" | "valkey-sentinel" => false,
            "rediss-sentinel" | "valkeys-sentinel" => true,
            _ => return None,
        };
        let (authority, path) = rest.split_once('/').unwrap_or((rest, ""));
        let (user, hosts) = match authority.rsplit_once('@') {
            Some((user, hosts)) => (Some(user), hosts),
            None => (None, authority),
        };
        Some(Self { encrypted, user, hosts, path })
    }

    fn read(&self, settings: &Settings) -> Result<(Address, Vec<Address>), Complaint> {
        let wrong = || Complaint::new("url", CHAIN);
        let (name, database) = self.path.split_once('/').unwrap_or((self.path, "0"));
        // Credentials are read as those of a single server are.
        let user = self.user.map(|user| format!("{user}@")).unwrap_or_default();
        let single = Secret::new(format!("redis://{user}host/{database}"));
        let login = Address::parse(&single).map_err(|_| wrong())?;
        let place = named(name.to_owned(), self.encrypted, "url").map_err(|_| wrong())?;
        let hosts: Vec<String> = self.hosts.split(',').map(ToOwned::to_owned).collect();
        let asked = sentinels(&hosts, settings, self.encrypted, "url").map_err(|_| wrong())?;
        Ok((login.at(place), asked))
    }
}

impl Announced {
    fn read(pairs: &BTreeMap<String, String>) -> Result<Self, Complaint> {
        let wrong = || Complaint::new("announced", "must lead from host:port to host:port");
        let read = pairs.iter().map(|(from, to)| {
            let (host, port) = host_and_port(from).ok_or_else(wrong)?;
            Ok((at(&host, port), host_and_port(to).ok_or_else(wrong)?))
        });
        Ok(Self(read.collect::<Result<_, Complaint>>()?))
    }

    /// Where to reach what calls itself `host:port`.
    pub(crate) fn reach(&self, host: &str, port: u16) -> (String, u16) {
        let known = self.0.get(&at(host, port));
        known.cloned().unwrap_or_else(|| (host.to_owned(), port))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<Option<Entrance>, Vec<Complaint>> {
        Entrance::read(&toml::from_str(text).unwrap())
    }

    fn named(text: &str) -> (String, Vec<String>) {
        let entrance = read(text).unwrap().unwrap();
        (entrance.address.name(), entrance.sentinels.iter().map(Address::name).collect())
    }

    #[test]
    fn sentinels_are_named_in_a_list_or_in_an_address() {
        let list = "sentinels = ['s1:26380', '10.0.0.2', '[::1]:5']\nmaster = 'm'";
        let asked = ["s1:26380/0", "10.0.0.2:26379/0", "[::1]:5/0"].map(ToOwned::to_owned);
        assert_eq!(named(list), ("m/0".into(), asked.to_vec()));
        let with_login = format!("{list}\nurl = 'rediss://app:hunter2@m/3'");
        assert_eq!(named(&with_login), ("m/3".into(), asked.to_vec()));
        let chain = "url = 'redis-sentinel://app:p%40ss@s1:26380,10.0.0.2,[::1]:5/m/3'";
        assert_eq!(named(chain), ("m/3".into(), asked.to_vec()));
        let entrance = read(chain).unwrap().unwrap();
        assert_eq!(entrance.address.password.unwrap().expose(), "p@ss");
        assert!(entrance.sentinels[0].password.is_none(), "it is the master's alone");
    }

    #[test]
    fn sentinels_have_credentials_and_encryption_of_their_own() {
        let entrance = read(
            "sentinels = ['rediss://s1', 's2']\nmaster = 'm'\nsentinel_user = 'w'\n\
             sentinel_password = 'hunter3'\nurl = 'redis://:hunter2@m'",
        );
        let Entrance { address, sentinels, .. } = entrance.unwrap().unwrap();
        let encrypted: Vec<_> = sentinels.iter().map(|s| s.place.is_encrypted()).collect();
        assert_eq!((encrypted, address.place.is_encrypted()), (vec![true, false], false));
        assert_eq!(sentinels[0].user.as_deref(), Some("w"));
        assert_eq!(sentinels[0].password.as_ref().unwrap().expose(), "hunter3");
        assert_eq!(address.password.unwrap().expose(), "hunter2");
        let all = read("url = 'rediss-sentinel://s1,s2/m'").unwrap().unwrap();
        assert!(all.address.place.is_encrypted() && all.sentinels[1].place.is_encrypted());
    }

    #[test]
    fn every_contradiction_is_named_by_its_key() {
        let cases = [
            ("master = 'm'", "master"),
            ("sentinel_password = 'hunter2'", "sentinel_password"),
            ("sentinel_user = 'w'", "sentinel_user"),
            ("sentinels = ['s1', 's2']", "master"),
            ("sentinels = ['s1', 's1:26379']\nmaster = 'm'", "sentinels"),
            ("sentinels = ['redis://:hunter2@s1']\nmaster = 'm'", "sentinels"),
            ("sentinels = ['http://s1']\nmaster = 'm'", "sentinels"),
            ("sentinels = ['s1']\nmaster = 'a b'", "master"),
            ("sentinels = ['s1']\nmaster = 'm'\nurl = 'redis://:hunter2@db'", "url"),
            ("sentinels = ['s1']\nmaster = 'm'\ncluster = true", "cluster"),
            ("sentinels = ['s1']\nmaster = 'm'\nreplica = true", "replica"),
            ("url = 'redis://db'\ncluster = true\nreplica = true", "replica"),
            ("url = 'redis-sentinel://s1/m'\nsentinels = ['s1']", "sentinels"),
            ("url = 'redis-sentinel://s1/m'\nmaster = 'm'", "master"),
            ("url = 'redis-sentinel://:hunter2@s1'", "url"),
            ("url = 'redis-sentinel://:hunter2@/m'", "url"),
            ("url = 'redis-sentinel://:hunter2@s1,s1/m'", "url"),
            ("url = 'redis-sentinel://s1/m/x'", "url"),
            ("announced = { 'db' = '127.0.0.1:1' }", "announced"),
            ("announced = { 'db:1' = 'redis://db:1' }", "announced"),
        ];
        for (text, key) in cases {
            let complaints = read(text).expect_err(text);
            assert_eq!(complaints[0].key, key, "{text}: {complaints:?}");
            assert!(!format!("{complaints:?}").contains("hunter"), "{complaints:?}");
        }
    }

    #[test]
    fn what_a_server_calls_itself_is_led_where_it_can_be_reached() {
        let text = "url = 'redis://db'\nannounced = { '10.0.0.5:6379' = '127.0.0.1:7001' }";
        let announced = read(text).unwrap().unwrap().announced;
        assert_eq!(announced.reach("10.0.0.5", 6379), ("127.0.0.1".into(), 7001));
        assert_eq!(announced.reach("10.0.0.5", 6380), ("10.0.0.5".into(), 6380));
    }
}
