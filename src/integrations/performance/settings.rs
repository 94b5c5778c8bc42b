use crate::{probe::Complaint, secret::Secret};
use reqwest::Url;
use serde::Deserialize;
use std::{ops::RangeInclusive, time::Duration};

/// Shortest and longest `response_limit`. One answer may take a little longer than the longest.
const RESPONSE_LIMIT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_secs(3);
/// Least and most of the limits in MiB: one, and one TiB.
const MEBIBYTES: RangeInclusive<u64> = 1..=1_048_576;
/// Bytes of one MiB.
const MIB: u64 = 1024 * 1024;

/// Which process to watch, and how it is to behave.
#[derive(Clone, Debug, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// Watch the process with this id. At most one of `pid`, `name` and `port`
    /// may be set. Default: none, which means that the console watches itself.
    pub pid: Option<u32>,
    /// Watch the process with this name, as `ps -o comm` shows it. Of several, the
    /// one that is the parent of the others. Default: none.
    pub name: Option<String>,
    /// Watch the process of this machine that listens on this TCP port, 1 to
    /// 65535. Default: none.
    pub port: Option<u16>,
    /// Fail when the process has more memory than this many MiB, 1 to 1048576.
    /// Default: none, which means that only growth is judged.
    pub memory_limit_mib: Option<u64>,
    /// Warn when memory grows by more than this many MiB in a minute, over some
    /// minutes and beyond chance. 1 to 1048576. Default: 5.
    pub growth_limit_mib_per_minute: u64,
    /// Address of the app, `http://…` or `https://…`, that a `GET` is sent to.
    /// Default: none, which means that no response time is measured.
    pub url: Option<Secret>,
    /// Address of the app's metrics in Prometheus' text format, `http://…` or `https://…`,
    /// that a `GET` is sent to. One that was there when the baseline was taken and is gone
    /// fails. Default: none, which means that nothing is looked for.
    pub metrics: Option<Secret>,
    /// Whether `tminus perf load` may put load on the server of `url`: true, or false for
    /// never. Default: none, which allows it on this machine only.
    pub load: Option<bool>,
    /// Warn when the answers of `url` take longer than this on average over the
    /// last 20. Between 1ms and 3s. Default: `100ms`.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub response_limit: Duration,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            pid: None,
            name: None,
            port: None,
            memory_limit_mib: None,
            growth_limit_mib_per_minute: 5,
            url: None,
            metrics: None,
            load: None,
            response_limit: Duration::from_millis(100),
        }
    }
}

/// The process that is meant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Watched {
    Ourselves,
    Pid(u32),
    Name(String),
    Port(u16),
}

impl Watched {
    /// What it is called where there is no room for more.
    pub(super) fn label(&self) -> String {
        match self {
            Self::Ourselves => "this console itself".into(),
            Self::Pid(pid) => format!("pid {pid}"),
            Self::Name(name) => format!("process {name}"),
            Self::Port(port) => format!("port {port}"),
        }
    }
}

impl Settings {
    /// Everything that is wrong with them, without looking at any process.
    pub fn complaints(&self) -> Vec<Complaint> {
        let set = [self.pid.is_some(), self.name.is_some(), self.port.is_some()];
        let ambiguous = set.iter().filter(|set| **set).count() > 1;
        let checks = [
            (ambiguous, "pid", "stands beside name or port; only one of the three is accepted"),
            (self.pid == Some(0), "pid", "is 0; the id of a process is accepted"),
            (
                self.name.as_deref() == Some(""),
                "name",
                "is empty; the name of a process is accepted",
            ),
            (self.port == Some(0), "port", "is 0; 1 to 65535 is accepted"),
            (
                self.memory_limit_mib.is_some_and(|mib| !MEBIBYTES.contains(&mib)),
                "memory_limit_mib",
                "must be between 1 and 1048576",
            ),
            (
                !MEBIBYTES.contains(&self.growth_limit_mib_per_minute),
                "growth_limit_mib_per_minute",
                "must be between 1 and 1048576",
            ),
            (
                self.url.as_ref().is_some_and(|url| web_address(url).is_none()),
                "url",
                "is not an address; http:// or https:// with a host is accepted",
            ),
            (
                self.metrics.as_ref().is_some_and(|url| web_address(url).is_none()),
                "metrics",
                "is not an address; http:// or https:// with a host is accepted",
            ),
            (
                !RESPONSE_LIMIT.contains(&self.response_limit),
                "response_limit",
                "must be between 1ms and 3s",
            ),
        ];
        let wrong = checks.into_iter().filter(|(wrong, ..)| *wrong);
        wrong.map(|(_, key, says)| Complaint::new(key, says)).collect()
    }

    /// The process that they mean.
    pub(super) fn watched(&self) -> Watched {
        match (self.pid, &self.name, self.port) {
            (Some(pid), ..) => Watched::Pid(pid),
            (None, Some(name), _) => Watched::Name(name.clone()),
            (None, None, Some(port)) => Watched::Port(port),
            (None, None, None) => Watched::Ourselves,
        }
    }

    /// The address that is asked, if it is usable.
    pub(super) fn address(&self) -> Option<Url> {
        self.url.as_ref().and_then(web_address)
    }

    /// The address of the metrics, if it is usable.
    pub(super) fn metrics_address(&self) -> Option<Url> {
        self.metrics.as_ref().and_then(web_address)
    }

    /// The most memory, in bytes.
    pub(super) fn most_bytes(&self) -> Option<u64> {
        self.memory_limit_mib.map(|mib| mib.saturating_mul(MIB))
    }

    /// The most growth, in bytes per minute.
    pub(super) fn most_growth(&self) -> u64 {
        self.growth_limit_mib_per_minute.saturating_mul(MIB)
    }
}

fn web_address(url: &Secret) -> Option<Url> {
    let url = Url::parse(url.expose()).ok()?;
    (matches!(url.scheme(), "http" | "https") && url.has_host()).then_some(url)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Settings {
        toml::from_str(text).unwrap()
    }

    fn keys(text: &str) -> Vec<String> {
        read(text).complaints().into_iter().map(|complaint| complaint.key).collect()
    }

    #[test]
    fn nothing_written_watches_ourselves() {
        let settings = read("");
        assert_eq!(settings.watched(), Watched::Ourselves);
        assert_eq!((settings.most_growth(), settings.most_bytes()), (5 * MIB, None));
        assert_eq!(keys(""), [""; 0]);
    }

    #[test]
    fn every_setting_can_be_written() {
        let text = "port = 8080\nmemory_limit_mib = 512\ngrowth_limit_mib_per_minute = 1\n\
                    url = 'https://me:pw@app:8443/health?key=x'\nresponse_limit = '250ms'\nload = true";
        let settings = read(text);
        assert_eq!(settings.watched(), Watched::Port(8080));
        assert_eq!(settings.most_bytes(), Some(512 * MIB));
        assert_eq!(settings.address().unwrap().port(), Some(8443));
        assert_eq!(keys(text), [""; 0]);
        assert_eq!(read("name = 'api'").watched(), Watched::Name("api".into()));
        assert_eq!(read("pid = 7").watched(), Watched::Pid(7));
        assert!(toml::from_str::<Settings>("process = 7").is_err(), "a typo is an error");
    }

    #[test]
    fn each_setting_is_held_to_its_range() {
        let cases: [(&str, &[&str]); 18] = [
            ("metrics = 'app:8080'", &["metrics"]),
            ("metrics = 'http://app/metrics'", &[]),
            ("pid = 7\nname = 'api'", &["pid"]),
            ("name = 'api'\nport = 80", &["pid"]),
            ("pid = 0", &["pid"]),
            ("name = ''", &["name"]),
            ("port = 0", &["port"]),
            ("memory_limit_mib = 0", &["memory_limit_mib"]),
            ("memory_limit_mib = 1048576", &[]),
            ("growth_limit_mib_per_minute = 1048577", &["growth_limit_mib_per_minute"]),
            ("growth_limit_mib_per_minute = 1", &[]),
            ("url = 'app:8080'", &["url"]),
            ("url = 'ftp://app'", &["url"]),
            ("url = 'http://127.0.0.1:1'", &[]),
            ("response_limit = '999us'", &["response_limit"]),
            ("response_limit = '1ms'", &[]),
            ("response_limit = '3s'", &[]),
            ("response_limit = '3001ms'\nport = 0", &["port", "response_limit"]),
        ];
        for (text, expected) in cases {
            assert_eq!(keys(text), expected, "{text}");
        }
    }

    #[test]
    fn no_secret_of_the_address_is_quoted() {
        let settings = read("url = 'htp://:hunter2@app'");
        assert!(!format!("{settings:?} {:?}", settings.complaints()).contains("hunter2"));
    }
}
