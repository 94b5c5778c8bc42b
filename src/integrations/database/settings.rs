use super::address::Place;
use crate::{domain::IntegrationId, probe::Complaint, secret::Secret};
use serde::Deserialize;
use std::{ops::RangeInclusive, time::Duration};
use url::Url;

/// Canaries run at half and at one and a half times this, within `statement_timeout`.
const SLOW: RangeInclusive<Duration> = Duration::from_millis(20)..=Duration::from_secs(1);
/// Five times this has to fit into one run of `connect`.
const CONNECT: RangeInclusive<Duration> = Duration::from_millis(1)..=Duration::from_millis(500);

/// How the address of a page of metrics reads.
const PAGE: &str = "write http://host:8080/metrics";

/// What the user may set for one database.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(default, deny_unknown_fields)]
pub struct Settings {
    /// What to call it where several are watched: lower-case letters, digits,
    /// `-` and `_`, at most 40. No default.
    pub name: Option<String>,
    /// Where it is: `postgres://role:password@host:5432/database`,
    /// `mysql://account:password@host:3306/database` (MariaDB too) or
    /// `sqlite:///path/to/file`. Without it an embedded SQLite takes its place,
    /// which is flagged as a fallback. No default.
    pub url: Option<Secret>,
    /// Whether `transactions` may write: on a server into a temporary table, within
    /// a transaction that is rolled back; beside an SQLite file into a file of its
    /// own, which is removed. Default: true on this machine, false elsewhere.
    pub writes: Option<bool>,
    /// Whether `tminus perf db` may put it under load, on a table of its own.
    /// Default: true on this machine, false elsewhere.
    pub load: Option<bool>,
    /// A statement that takes longer than this is slow. 20 ms to 1 s, default
    /// 100 ms. The canaries take half of it and one and a half times it.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub slow: Duration,
    /// A slower `SELECT 1` is a warning, one five times slower a failure.
    /// 1 ms to 500 ms, default 50 ms.
    #[serde(with = "jiff::fmt::serde::unsigned_duration::friendly::compact::required")]
    pub connect_limit: Duration,
    /// The page of metrics of the application that uses this database, or of the
    /// exporter of its pooler: `http://host:8080/metrics`. Default: none.
    pub app_metrics: Option<Secret>,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            name: None,
            url: None,
            writes: None,
            load: None,
            slow: Duration::from_millis(100),
            connect_limit: Duration::from_millis(50),
            app_metrics: None,
        }
    }
}

impl Settings {
    /// Everything that is wrong with them, and nothing of the URL's own text.
    pub fn complaints(&self) -> Vec<Complaint> {
        let mut found = Vec::new();
        if let Some(name) = &self.name
            && IntegrationId::named("database", name).is_err()
        {
            let says = "is no name: lower-case letters, digits, - and _ are accepted, at most 40";
            found.push(Complaint::new("name", says));
        }
        if let Err(says) = Place::of(self) {
            found.push(Complaint::new("url", says));
        }
        if !SLOW.contains(&self.slow) {
            found.push(Complaint::new("slow", "is out of range: 20ms to 1s is accepted"));
        }
        if !CONNECT.contains(&self.connect_limit) {
            let says = "is out of range: 1ms to 500ms is accepted";
            found.push(Complaint::new("connect_limit", says));
        }
        if let Err(says) = self.app_metrics() {
            found.push(Complaint::new("app_metrics", says));
        }
        found
    }

    /// Where the application's metrics are, if that is named; or what is wrong with it.
    pub(super) fn app_metrics(&self) -> Result<Option<Url>, String> {
        let Some(address) = &self.app_metrics else { return Ok(None) };
        let url = Url::parse(address.expose());
        let url = url.map_err(|error| format!("is not a URL ({error}); {PAGE}"))?;
        match url.scheme() {
            "http" | "https" => Ok(Some(url)),
            _ => Err(format!("must begin with http:// or https://; {PAGE}")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(toml: &str) -> Settings {
        toml::from_str(toml).unwrap()
    }

    #[test]
    fn nothing_written_is_the_embedded_database_with_its_defaults() {
        let settings = read("");
        assert_eq!(settings, Settings::default());
        assert_eq!(settings.complaints(), []);
    }

    #[test]
    fn durations_are_written_as_people_write_them() {
        let settings = read("slow = '250ms'\nconnect_limit = '20 ms'");
        assert_eq!(settings.slow, Duration::from_millis(250));
        assert_eq!(settings.connect_limit, Duration::from_millis(20));
    }

    #[test]
    fn a_limit_is_accepted_up_to_its_ends() {
        let slow = |ms| Settings { slow: Duration::from_millis(ms), ..Settings::default() };
        let keys = |settings: Settings| {
            settings.complaints().iter().map(|c| c.key.clone()).collect::<Vec<_>>()
        };
        assert_eq!(keys(slow(19)), ["slow"]);
        assert!(keys(slow(20)).is_empty() && keys(slow(1000)).is_empty());
        assert_eq!(keys(slow(1001)), ["slow"]);
        let connect =
            |us| Settings { connect_limit: Duration::from_micros(us), ..Settings::default() };
        assert_eq!(keys(connect(999)), ["connect_limit"]);
        assert!(keys(connect(1000)).is_empty() && keys(connect(500_000)).is_empty());
        assert_eq!(keys(connect(500_001)), ["connect_limit"]);
    }

    #[test]
    fn all_that_is_wrong_is_said_at_once() {
        let settings = read("name = 'Orders!'\nurl = 'mssql://u:hunter2@h/d'\nslow = '5s'");
        let complaints = settings.complaints();
        let keys: Vec<_> = complaints.iter().map(|complaint| complaint.key.as_str()).collect();
        assert_eq!(keys, ["name", "url", "slow"]);
        assert!(!format!("{complaints:?} {settings:?}").contains("hunter2"));
    }

    #[test]
    fn a_page_of_metrics_is_a_web_address_and_not_quoted() {
        let of = |address: &str| read(&format!("app_metrics = '{address}'")).complaints();
        for good in ["http://127.0.0.1:8080/metrics", "https://me:pw@app/actuator/prometheus"] {
            assert_eq!(of(good), [], "{good}");
        }
        for bad in ["127.0.0.1:8080", "hunter2", "ftp://hunter2"] {
            let complaints = of(bad);
            assert_eq!((complaints.len(), &*complaints[0].key), (1, "app_metrics"), "{bad}");
            assert!(!complaints[0].says.contains("hunter2"), "{bad}");
        }
    }

    #[test]
    fn an_unknown_key_is_refused() {
        assert!(toml::from_str::<Settings>("ulr = 'x'").is_err());
    }
}
