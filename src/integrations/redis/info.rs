use std::{collections::HashMap, time::Duration};

/// What `INFO` told. A field that is absent stays absent: it is never zero.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Info(HashMap<String, String>);

impl Info {
    /// Reads `INFO`'s text, skipping whatever it does not understand.
    pub(super) fn parse(text: &str) -> Self {
        let lines = text.lines().filter(|line| !line.starts_with('#'));
        let fields = lines.filter_map(|line| line.split_once(':'));
        Self(fields.map(|(name, value)| (name.into(), value.trim().into())).collect())
    }

    /// A field as text.
    pub(super) fn text(&self, name: &str) -> Option<&str> {
        self.0.get(name).map(String::as_str).filter(|value| !value.is_empty())
    }

    /// A field as a count. A negative one means that the server does not know.
    pub(super) fn count(&self, name: &str) -> Option<u64> {
        self.text(name)?.parse().ok()
    }

    /// A field as a number with a fraction.
    pub(super) fn number(&self, name: &str) -> Option<f64> {
        self.text(name)?.parse().ok().filter(|number: &f64| number.is_finite())
    }

    /// A field that is 0 or 1.
    pub(super) fn flag(&self, name: &str) -> Option<bool> {
        self.count(name).map(|value| value != 0)
    }

    /// Version and product: Valkey goes on saying `redis_version`, but says more.
    pub(super) fn who(&self) -> Option<String> {
        if let Some(version) = self.text("valkey_version") {
            return Some(format!("valkey {version}"));
        }
        if let Some(version) = self.text("dragonfly_version") {
            return Some(format!("dragonfly {version}"));
        }
        let product = self.text("server_name").unwrap_or("redis");
        self.text("redis_version").map(|version| format!("{product} {version}"))
    }

    /// How long it takes to look once at every key that may have ended, where little
    /// has: twenty of each database in each of so many rounds a second.
    pub(super) fn expiry_round(&self) -> Option<Duration> {
        let each = self.count("hz").filter(|hz| *hz > 0)?.saturating_mul(20);
        let most = self.databases().map(|(_, expiring)| expiring).max().unwrap_or(0);
        Some(Duration::from_millis(most.saturating_mul(1000) / each))
    }

    /// The keys of every database.
    pub(super) fn keys(&self) -> KeyCount {
        self.databases().fold(KeyCount::default(), |sum, (all, expiring)| KeyCount {
            all: sum.all.saturating_add(all),
            lasting: sum.lasting.saturating_add(all.saturating_sub(expiring)),
        })
    }

    /// Of each database: how many keys, and how many of them have a time to live.
    fn databases(&self) -> impl Iterator<Item = (u64, u64)> {
        let of = |index| {
            let told = self.text(&format!("db{index}"))?;
            let count = |name| told.split(',').find_map(|pair| pair.strip_prefix(name));
            let number = |name| count(name).and_then(|count: &str| count.parse().ok());
            Some((number("keys=")?, number("expires=").unwrap_or(0)))
        };
        (0..64).filter_map(of)
    }

    /// The replicas of a master, each as its own fields: `ip=…,state=online,lag=0`.
    pub(super) fn replicas(&self) -> Vec<HashMap<&str, &str>> {
        (0..64)
            .map_while(|index| self.text(&format!("slave{index}")))
            .map(|line| line.split(',').filter_map(|pair| pair.split_once('=')).collect())
            .collect()
    }
}

/// How many keys there are.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct KeyCount {
    pub(super) all: u64,
    /// Those without a time to live.
    pub(super) lasting: u64,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn fields_are_read_leniently_and_absence_is_not_zero() {
        let info = Info::parse(
            "# Server\r\nredis_version:7.0.15\r\nuptime_in_seconds:-4\r\nempty:\r\nno colon\r\n\
             rejected_connections:-1\r\nmaxclients:10000\r\nloading:0\r\npath:/a:b\r\n",
        );
        assert_eq!(info.count("maxclients"), Some(10_000));
        assert_eq!(info.count("rejected_connections"), None, "Dragonfly does not know");
        assert_eq!(info.count("absent"), None);
        assert_eq!(info.flag("loading"), Some(false));
        assert_eq!((info.text("empty"), info.text("path")), (None, Some("/a:b")));
        assert_eq!(info.who().as_deref(), Some("redis 7.0.15"));
        assert_eq!(Info::parse("\u{0}garbage"), Info::default());
    }

    #[test]
    fn the_product_is_told_by_what_only_it_says() {
        let valkey = Info::parse("redis_version:7.2.4\nserver_name:valkey\nvalkey_version:9.1.3");
        assert_eq!(valkey.who().as_deref(), Some("valkey 9.1.3"));
        let dragonfly = Info::parse("redis_version:7.4.0\ndragonfly_version:df-v1.30");
        assert_eq!(dragonfly.who().as_deref(), Some("dragonfly df-v1.30"));
        assert_eq!(Info::default().who(), None);
    }

    #[test]
    fn replicas_are_read_by_name() {
        let info = Info::parse(
            "slave0:ip=10.0.0.2,port=6379,state=online,offset=14,lag=1\nslave1:lag=0,state=wait_bgsave",
        );
        let states: Vec<_> = info.replicas().iter().map(|fields| fields["state"]).collect();
        assert_eq!(states, ["online", "wait_bgsave"]);
    }

    #[test]
    fn a_round_of_expiry_takes_as_long_as_the_largest_database_needs() {
        let of = |text: &str| Info::parse(text).expiry_round();
        let keys = "db0:keys=100001,expires=100000,avg_ttl=1\ndb3:keys=9,expires=1";
        assert_eq!(of(&format!("hz:10\n{keys}")), Some(Duration::from_secs(500)));
        assert_eq!(of(&format!("hz:100\n{keys}")), Some(Duration::from_secs(50)));
        assert_eq!(of("hz:10"), Some(Duration::ZERO));
        assert_eq!((of(keys), of("hz:0")), (None, None), "it does not say how often");
    }
}
