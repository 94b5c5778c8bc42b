//! Whether the version is still supported, and above the security floor.

use super::{Aspect, Grade, Row, Seen};
use jiff::civil::Date;
use serde::Deserialize;
use std::{collections::HashMap, sync::LazyLock};

/// Days before the end of support from which to warn.
const SOON: i64 = 30;
/// Days after which the table is old news.
const OLD: i64 = 180;

pub(super) const VERSION: Aspect = Aspect {
    name: "version",
    limit: "supported, fixed",
    why: "known holes stay open, and nobody mends the next",
    see: "HELLO, INFO server",
    remedy: "upgrade, or make sure that your distribution has back-ported the fixes",
};

/// `assets/redis-versions.toml`; `None` could only be if that were broken.
static TABLE: LazyLock<Option<Table>> =
    LazyLock::new(|| toml::from_str(include_str!("../../../../assets/redis-versions.toml")).ok());

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Table {
    as_of: Date,
    /// By product and branch the day on which support ends; empty where none is announced.
    ends: HashMap<String, HashMap<String, String>>,
    advisory: Vec<Advisory>,
}

#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
struct Advisory {
    id: String,
    product: String,
    fixed: Vec<String>,
}

/// A version as numbers: branch and patch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Version {
    branch: (u16, u16),
    patch: u16,
}

impl Version {
    fn parse(text: &str) -> Option<Self> {
        let text = text.trim_start_matches(['v', 'd', 'f', '-']);
        let mut numbers = text.split(['.', '-', '+']).map(|part| part.parse().ok());
        let branch = (numbers.next()??, numbers.next()??);
        Some(Self { branch, patch: numbers.next().flatten().unwrap_or(0) })
    }
}

/// `None` where nobody told the version.
pub(super) fn version(seen: &Seen) -> Option<Row> {
    let who = seen.info.who()?;
    let (product, told) = who.split_once(' ')?;
    let table = TABLE.as_ref()?;
    let (grade, says) = table.judge(product, told, seen.today);
    let age = seen.today.since(table.as_of).ok().map_or(0, |span| i64::from(span.get_days()));
    let old = if age > OLD { "; table older than 180 d" } else { "" };
    Some(Row::new(&VERSION, grade, format!("{who}{says}{old}")))
}

impl Table {
    /// The grade of a version, and what to say behind its name.
    fn judge(&self, product: &str, told: &str, today: Date) -> (Grade, String) {
        let (Some(branches), Some(version)) = (self.ends.get(product), Version::parse(told)) else {
            return (Grade::Fine, ", not in our table".into());
        };
        if let Some(id) = self.open_to(product, version) {
            return (Grade::Warn, format!(" lacks the fix of {id}"));
        }
        let (major, minor) = version.branch;
        let end = branches.get(&format!("{major}.{minor}"));
        let left = end.and_then(|end| end.parse::<Date>().ok()).map(|end| (end, end.since(today)));
        match (end, left) {
            (None, _) => (Grade::Warn, ": a branch that we do not know".into()),
            (Some(_), Some((end, Ok(left)))) if left.get_days() < 0 => {
                (Grade::Warn, format!(": support ended {end}"))
            }
            (Some(_), Some((end, Ok(left)))) if i64::from(left.get_days()) <= SOON => {
                (Grade::Warn, format!(": support ends {end}"))
            }
            (Some(_), Some((end, _))) => (Grade::Fine, format!(", until {end}")),
            (Some(_), None) => (Grade::Fine, ", current".into()),
        }
    }

    /// An advisory whose fix this version does not have.
    fn open_to(&self, product: &str, version: Version) -> Option<&str> {
        let open = |advisory: &&Advisory| {
            let mut fixed = advisory.fixed.iter().filter_map(|fixed| Version::parse(fixed));
            advisory.product == product
                && fixed.any(|it| it.branch == version.branch && it.patch > version.patch)
        };
        self.advisory.iter().find(open).map(|advisory| &*advisory.id)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::integrations::redis::info::Info;
    use jiff::{ToSpan as _, civil::date};

    fn on(text: &str, today: Date) -> (Grade, String) {
        let row = version(&Seen { today, ..Seen::of(Info::parse(text)) }).unwrap();
        (row.grade, row.says)
    }

    fn now(text: &str) -> (Grade, String) {
        on(text, date(2026, 11, 23))
    }

    #[test]
    fn the_table_is_read_and_every_date_of_it_is_one() {
        let table = TABLE.as_ref().unwrap();
        for end in table.ends.values().flat_map(HashMap::values).filter(|end| !end.is_empty()) {
            assert!(end.parse::<Date>().is_ok(), "{end}");
        }
        for advisory in &table.advisory {
            assert!(table.ends.contains_key(&advisory.product), "{}", advisory.id);
            assert!(
                advisory.fixed.iter().all(|it| Version::parse(it).is_some()),
                "{}",
                advisory.id
            );
        }
        assert!(date(2026, 11, 23).checked_sub(OLD.days()).unwrap() < table.as_of);
    }

    #[tokio::test]
    async fn the_end_of_support_is_told_a_month_before() {
        let of = |day| on("redis_version:8.0.4", day);
        assert_eq!(of(date(2026, 10, 31)).0, Grade::Fine);
        assert_eq!(of(date(2026, 11, 1)).0, Grade::Warn);
        let says = of(date(2026, 12, 1)).1;
        assert_eq!(says, "redis 8.0.4: support ends 2026-12-01");
        assert_eq!(of(date(2026, 12, 2)).1, "redis 8.0.4: support ended 2026-12-01");
        let debian = now("redis_version:7.0.15");
        assert_eq!(debian, (Grade::Warn, "redis 7.0.15: support ended 2024-07-29".into()));
    }

    #[tokio::test]
    async fn the_security_floor_is_that_of_the_product_and_the_branch() {
        assert_eq!(now("redis_version:7.2.10").1, "redis 7.2.10 lacks the fix of CVE-2025-49844");
        assert_eq!(now("redis_version:7.2.11").0, Grade::Fine);
        let valkey = |version| {
            now(&format!("redis_version:7.2.4\nserver_name:valkey\nvalkey_version:{version}"))
        };
        assert_eq!(valkey("9.1.3"), (Grade::Fine, "valkey 9.1.3, current".into()));
        assert_eq!(valkey("9.0.1").1, "valkey 9.0.1 lacks the fix of CVE-2026-21863");
        assert_eq!(valkey("9.0.7").0, Grade::Fine);
    }

    #[tokio::test]
    async fn what_the_table_does_not_know_is_said() {
        assert_eq!(now("redis_version:9.4.0").0, Grade::Warn, "an unknown branch");
        let other = now("redis_version:7.4.0\ndragonfly_version:df-v1.30.1");
        assert_eq!(other.1, "dragonfly df-v1.30.1, not in our table");
        let later = on("redis_version:8.2.2", date(2027, 6, 1)).1;
        assert!(later.ends_with("; table older than 180 d"), "{later}");
    }
}
