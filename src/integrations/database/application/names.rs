//! What an application's pools and queries are called on its page of metrics. Pure.

use crate::probe::exposition::{Page, Series};
use std::collections::BTreeMap;

/// Whose names they are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Tongue {
    /// OpenTelemetry's conventions for databases.
    OpenTelemetry,
    /// Those up to version 1.24.
    OldOpenTelemetry,
    /// `HikariCP`, by itself or through Micrometer.
    Hikari,
    /// The exporter of `PgBouncer`.
    PgBouncer,
    /// The exporter of PostgreSQL: sessions, whoever's they are.
    Sessions,
}

/// What a number counts.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Figure {
    /// Queries that ended, and how many of them failed.
    Queries,
    Failed,
    /// Seconds that they took.
    QueryTime,
    /// Buckets of the histogram of that.
    Buckets,
    /// Connections by a label that tells whether they are used or idle.
    ByState,
    Used,
    Idle,
    /// How many there may be.
    Max,
    /// Requests that wait for one now.
    Pending,
    /// Requests that waited in vain.
    Timeouts,
    /// Requests that got one, and the seconds that they waited for it.
    Waits,
    WaitTime,
    /// Connections that were given back after use.
    Returned,
    /// Seconds that the first in the queue waits by now.
    LongestWait,
}

/// One name.
struct Name {
    text: &'static str,
    tongue: Tongue,
    figure: Figure,
    /// What one of it is worth: seconds, for a time.
    unit: f64,
}

const fn name(tongue: Tongue, figure: Figure, text: &'static str) -> Name {
    Name { text, tongue, figure, unit: 1.0 }
}

const fn scaled(tongue: Tongue, figure: Figure, text: &'static str, unit: f64) -> Name {
    Name { text, tongue, figure, unit }
}

use Figure as F;
use Tongue::{Hikari, OldOpenTelemetry as Old, OpenTelemetry as New, PgBouncer, Sessions};

const NAMES: &[Name] = &[
    name(New, F::Queries, "db_client_operation_duration_seconds_count"),
    name(New, F::QueryTime, "db_client_operation_duration_seconds_sum"),
    name(New, F::Buckets, "db_client_operation_duration_seconds_bucket"),
    name(New, F::ByState, "db_client_connection_count"),
    name(New, F::Max, "db_client_connection_max"),
    name(New, F::Pending, "db_client_connection_pending_requests"),
    name(New, F::Timeouts, "db_client_connection_timeouts_total"),
    name(New, F::Waits, "db_client_connection_wait_time_seconds_count"),
    name(New, F::WaitTime, "db_client_connection_wait_time_seconds_sum"),
    name(New, F::Returned, "db_client_connection_use_time_seconds_count"),
    name(Old, F::ByState, "db_client_connections_usage"),
    name(Old, F::Max, "db_client_connections_max"),
    name(Old, F::Pending, "db_client_connections_pending_requests"),
    name(Old, F::Timeouts, "db_client_connections_timeouts_total"),
    name(Old, F::Waits, "db_client_connections_wait_time_milliseconds_count"),
    scaled(Old, F::WaitTime, "db_client_connections_wait_time_milliseconds_sum", 1e-3),
    name(Old, F::Returned, "db_client_connections_use_time_milliseconds_count"),
    name(Hikari, F::Used, "hikaricp_connections_active"),
    name(Hikari, F::Idle, "hikaricp_connections_idle"),
    name(Hikari, F::Max, "hikaricp_connections_max"),
    name(Hikari, F::Pending, "hikaricp_connections_pending"),
    name(Hikari, F::Timeouts, "hikaricp_connections_timeout_total"),
    name(Hikari, F::Waits, "hikaricp_connections_acquire_seconds_count"),
    name(Hikari, F::WaitTime, "hikaricp_connections_acquire_seconds_sum"),
    name(Hikari, F::Returned, "hikaricp_connections_usage_seconds_count"),
    name(Hikari, F::Used, "hikaricp_active_connections"),
    name(Hikari, F::Idle, "hikaricp_idle_connections"),
    name(Hikari, F::Max, "hikaricp_max_connections"),
    name(Hikari, F::Pending, "hikaricp_pending_threads"),
    name(Hikari, F::Timeouts, "hikaricp_connection_timeout_total"),
    name(Hikari, F::Waits, "hikaricp_connection_acquired_nanos_count"),
    scaled(Hikari, F::WaitTime, "hikaricp_connection_acquired_nanos_sum", 1e-9),
    name(Hikari, F::Returned, "hikaricp_connection_usage_millis_count"),
    name(PgBouncer, F::Used, "pgbouncer_pools_server_active_connections"),
    name(PgBouncer, F::Idle, "pgbouncer_pools_server_idle_connections"),
    // Idle as well, and not checked for a while.
    name(PgBouncer, F::Idle, "pgbouncer_pools_server_used_connections"),
    name(PgBouncer, F::Pending, "pgbouncer_pools_client_waiting_connections"),
    name(PgBouncer, F::LongestWait, "pgbouncer_pools_client_maxwait_seconds"),
    name(Sessions, F::ByState, "pg_stat_activity_count"),
];

/// Labels that name a pool, and those that tell the state of a connection.
const POOLS: [&str; 6] = [
    "db_client_connection_pool_name",
    "db_client_connections_pool_name",
    "pool_name",
    "pool",
    "datname",
    "database",
];
const STATES: [&str; 3] = ["db_client_connection_state", "db_client_connections_state", "state"];
/// Labels that hold the text of a query, and those that name the database's product.
const TEXTS: [&str; 2] = ["db_query_text", "db_statement"];
const SYSTEMS: [&str; 2] = ["db_system_name", "db_system"];

/// Numbers by what they count. What is not told is absent, and not zero.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Figures(BTreeMap<Figure, f64>);

impl Figures {
    pub(super) fn get(&self, figure: Figure) -> Option<f64> {
        self.0.get(&figure).copied()
    }

    fn add(&mut self, figure: Figure, value: f64) {
        let known = self.0.entry(figure).or_default();
        *known = if figure == Figure::LongestWait { known.max(value) } else { *known + value };
    }

    /// What came since `before`, of which what it did not tell was none yet.
    pub(super) fn since(&self, before: &Self) -> Self {
        let grown = |(figure, now): (&Figure, &f64)| {
            (*figure, now - before.get(*figure).unwrap_or_default())
        };
        Self(self.0.iter().map(grown).collect())
    }

    /// Whether a count is lower than it was: the application started anew.
    pub(super) fn fell(&self, before: &Self) -> bool {
        const COUNTS: [Figure; 4] =
            [Figure::Queries, Figure::Timeouts, Figure::Waits, Figure::Returned];
        let fell = |figure| Some(self.get(figure)? < before.get(figure)?);
        COUNTS.into_iter().any(|figure| fell(figure) == Some(true))
    }
}

/// Which pool: whose names, and its own.
pub(super) type Key = (Tongue, String);

/// A query text, and whether double quotes hold a literal there.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Text {
    pub(super) text: String,
    pub(super) doubled: bool,
}

/// What a page tells of queries and pools.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Reading {
    /// Samples on the page, of whatever.
    pub(super) samples: usize,
    pub(super) queries: Figures,
    pub(super) pools: BTreeMap<Key, Figures>,
    /// In labels, wherever they are; each once.
    pub(super) texts: Vec<Text>,
    /// A name that conventions have left behind.
    pub(super) old: Option<&'static str>,
}

/// Whether a sample is of any use here.
pub(super) fn is_ours(series: &Series) -> bool {
    known(&series.name).is_some() || label(series, &TEXTS).is_some()
}

fn known(text: &str) -> Option<&'static Name> {
    NAMES.iter().find(|name| name.text == text)
}

fn label<'a>(series: &'a Series, names: &[&str]) -> Option<&'a str> {
    names.iter().find_map(|name| series.labels.get(*name)).map(String::as_str)
}

impl Reading {
    /// What a page tells, of which everything was kept that [`is_ours`].
    pub(super) fn of(page: &Page) -> Self {
        let mut reading = Self { samples: page.samples, ..Self::default() };
        for one in &page.kept {
            reading.note_text(one);
            if let Some(name) = known(&one.name) {
                reading.note(one, name);
            }
        }
        reading.texts.sort();
        reading.texts.dedup();
        // Whoever tells both is about to change over.
        if reading.pools.keys().any(|(tongue, _)| *tongue == Tongue::OpenTelemetry) {
            reading.old = reading.old.filter(|old| !old.starts_with("db_client_connections_"));
        }
        reading
    }

    fn note(&mut self, series: &Series, name: &'static Name) {
        if name.tongue == Tongue::OldOpenTelemetry {
            self.old.get_or_insert(name.text);
        }
        let value = series.real();
        // A gauge of something that is gone is NaN.
        if !value.is_finite() || value < 0.0 {
            return;
        }
        let value = value * name.unit;
        if name.figure == Figure::Queries {
            self.note_query(series, value);
        } else if [Figure::QueryTime, Figure::Buckets].contains(&name.figure) {
            self.queries.add(name.figure, value);
        } else {
            let by_state = name.figure == Figure::ByState;
            let figure = if by_state { state(series) } else { name.figure };
            let pool = label(series, &POOLS).unwrap_or_default().to_owned();
            self.pools.entry((name.tongue, pool)).or_default().add(figure, value);
        }
    }

    fn note_query(&mut self, series: &Series, value: f64) {
        self.queries.add(Figure::Queries, value);
        if series.labels.contains_key("error_type") {
            self.queries.add(Figure::Failed, value);
        }
        if !series.labels.contains_key(SYSTEMS[0]) && series.labels.contains_key(SYSTEMS[1]) {
            self.old.get_or_insert(SYSTEMS[1]);
        }
    }

    fn note_text(&mut self, series: &Series) {
        if let Some(text) = label(series, &TEXTS) {
            let system = label(series, &SYSTEMS).unwrap_or_default();
            let doubled = ["mysql", "mariadb"].contains(&system);
            self.texts.push(Text { text: text.into(), doubled });
        }
    }
}

/// Connections that are not idle are in use, whatever they do.
fn state(series: &Series) -> Figure {
    if label(series, &STATES) == Some("idle") { Figure::Idle } else { Figure::Used }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::probe::exposition::page;

    fn read(text: &str) -> Reading {
        Reading::of(&page(text, is_ours).unwrap())
    }

    fn pool(reading: &Reading, tongue: Tongue, name: &str) -> [Option<f64>; 4] {
        let figures = &reading.pools[&(tongue, name.to_owned())];
        [Figure::Used, Figure::Idle, Figure::Max, Figure::Pending].map(|it| figures.get(it))
    }

    #[test]
    fn each_tongue_is_understood() {
        let cases = [
            (
                New,
                "db_client_connection_count{db_client_connection_pool_name=\"p\",\
                 db_client_connection_state=\"used\"} 3\n\
                 db_client_connection_count{db_client_connection_pool_name=\"p\",state=\"idle\"} 7\n\
                 db_client_connection_max{db_client_connection_pool_name=\"p\"} 10\n\
                 db_client_connection_pending_requests{db_client_connection_pool_name=\"p\"} 1\n",
            ),
            (
                Old,
                "db_client_connections_usage{pool_name=\"p\",state=\"used\"} 3\n\
                 db_client_connections_usage{pool_name=\"p\",state=\"idle\"} 7\n\
                 db_client_connections_max{pool_name=\"p\"} 10\n\
                 db_client_connections_pending_requests{pool_name=\"p\"} 1\n",
            ),
            (
                Hikari,
                "hikaricp_connections_active{pool=\"p\",} 3.0\n\
                 hikaricp_connections_idle{pool=\"p\",} 7.0\n\
                 hikaricp_connections_max{pool=\"p\",} 10.0\n\
                 hikaricp_connections_pending{pool=\"p\",} 1.0\n",
            ),
            (
                Hikari,
                "hikaricp_active_connections{pool=\"p\"} 3\nhikaricp_idle_connections{pool=\"p\"} 7\n\
                 hikaricp_max_connections{pool=\"p\"} 10\nhikaricp_pending_threads{pool=\"p\"} 1\n",
            ),
        ];
        for (tongue, text) in cases {
            let told = pool(&read(text), tongue, "p");
            assert_eq!(told, [Some(3.0), Some(7.0), Some(10.0), Some(1.0)], "{text}");
        }
        let bouncer = "pgbouncer_pools_server_active_connections{database=\"p\",user=\"a\"} 1\n\
            pgbouncer_pools_server_active_connections{database=\"p\",user=\"b\"} 2\n\
            pgbouncer_pools_server_idle_connections{database=\"p\"} 3\n\
            pgbouncer_pools_server_used_connections{database=\"p\"} 4\n\
            pgbouncer_pools_client_waiting_connections{database=\"p\"} 1\n";
        assert_eq!(
            pool(&read(bouncer), PgBouncer, "p"),
            [Some(3.0), Some(7.0), None, Some(1.0)],
            "of all users together"
        );
        let sessions = "pg_stat_activity_count{datname=\"p\",state=\"active\"} 1\n\
            pg_stat_activity_count{datname=\"p\",state=\"idle in transaction\"} 2\n\
            pg_stat_activity_count{datname=\"p\",state=\"idle\"} 7\n";
        assert_eq!(pool(&read(sessions), Sessions, "p"), [Some(3.0), Some(7.0), None, None]);
    }

    #[test]
    fn times_are_seconds_and_what_is_no_number_is_not_told() {
        let text = "db_client_connections_wait_time_milliseconds_sum{pool_name=\"p\"} 1500\n\
            hikaricp_connection_acquired_nanos_sum{pool=\"p\"} 2e9\n\
            hikaricp_connections_max{pool=\"p\"} NaN\nhikaricp_connections_idle{pool=\"p\"} -1\n";
        let reading = read(text);
        let waited = |tongue| reading.pools[&(tongue, "p".into())].get(Figure::WaitTime);
        assert_eq!((waited(Old), waited(Hikari)), (Some(1.5), Some(2.0)));
        assert_eq!(pool(&reading, Hikari, "p"), [None; 4]);
    }

    #[test]
    fn an_old_name_is_told_unless_the_new_one_is_there_too() {
        let old = "db_client_connections_usage{pool_name=\"p\",state=\"used\"} 3\n";
        let new = "db_client_connection_count{pool_name=\"p\",state=\"used\"} 3\n";
        assert_eq!(read(old).old, Some("db_client_connections_usage"));
        assert_eq!(read(&format!("{old}{new}")).old, None);
        assert_eq!(read(new).old, None);
        let query = |labels| format!("db_client_operation_duration_seconds_count{{{labels}}} 1\n");
        assert_eq!(read(&query("db_system=\"postgresql\"")).old, Some("db_system"));
        assert_eq!(read(&query("db_system=\"a\",db_system_name=\"postgresql\"")).old, None);
    }

    #[test]
    fn failed_queries_are_those_with_a_type_of_error() {
        let count = "db_client_operation_duration_seconds_count";
        let reading = read(&format!("{count} 5\n{count}{{error_type=\"23505\"}} 2\n"));
        let told = [Figure::Queries, Figure::Failed].map(|figure| reading.queries.get(figure));
        assert_eq!(told, [Some(7.0), Some(2.0)]);
    }
}
