//! Which numbers of an instance are exported, and under what names. Pure.

use super::{
    super::super::info::Info,
    exposition::{Family, Kind, Sample},
};

/// One number that an instance tells.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Row {
    /// As in `INFO`.
    pub(super) field: &'static str,
    /// For Prometheus.
    pub(super) name: &'static str,
    pub(super) kind: Kind,
    help: &'static str,
}

const fn counter(field: &'static str, name: &'static str, help: &'static str) -> Row {
    Row { field, name, kind: Kind::Counter, help }
}

const fn gauge(field: &'static str, name: &'static str, help: &'static str) -> Row {
    Row { field, name, kind: Kind::Gauge, help }
}

/// The numbers, in the order of the export.
pub(super) const ROWS: &[Row] = &[
    gauge("uptime_in_seconds", "tminus_redis_uptime_seconds", "Time since the start."),
    gauge("connected_clients", "tminus_redis_connected_clients", "Connections of clients."),
    gauge("blocked_clients", "tminus_redis_blocked_clients", "Clients that wait."),
    gauge("used_memory", "tminus_redis_memory_used_bytes", "Memory in use."),
    gauge("maxmemory", "tminus_redis_memory_max_bytes", "Limit of memory, 0 for none."),
    counter(
        "total_commands_processed",
        "tminus_redis_commands_processed_total",
        "Commands carried out.",
    ),
    counter(
        "total_connections_received",
        "tminus_redis_connections_received_total",
        "Connections accepted.",
    ),
    counter(
        "rejected_connections",
        "tminus_redis_connections_rejected_total",
        "Connections refused for want of room.",
    ),
    counter(
        "total_net_input_bytes",
        "tminus_redis_net_input_bytes_total",
        "Bytes received from clients.",
    ),
    counter(
        "total_net_output_bytes",
        "tminus_redis_net_output_bytes_total",
        "Bytes sent to clients.",
    ),
    counter("expired_keys", "tminus_redis_expired_keys_total", "Keys whose time was over."),
    counter("evicted_keys", "tminus_redis_evicted_keys_total", "Keys removed to make room."),
    counter("keyspace_hits", "tminus_redis_keyspace_hits_total", "Keys looked up and found."),
    counter("keyspace_misses", "tminus_redis_keyspace_misses_total", "Keys looked up in vain."),
];

/// What an instance says of itself at one moment.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Numbers {
    /// Which start of the instance it is.
    pub(super) run: Option<String>,
    pub(super) version: Option<String>,
    /// By the names of `INFO`. What it does not tell is absent.
    pub(super) told: Vec<(&'static str, u64)>,
}

impl Numbers {
    /// Those of `INFO`.
    pub(super) fn of(info: &Info) -> Self {
        let told = ROWS.iter().filter_map(|row| Some((row.field, info.count(row.field)?)));
        Self { run: info.text("run_id").map(Into::into), version: info.who(), told: told.collect() }
    }

    /// One of them.
    pub(super) fn get(&self, field: &str) -> Option<u64> {
        self.told.iter().find(|(known, _)| *known == field).map(|(_, value)| *value)
    }

    /// Families for all of them.
    pub(super) fn families(&self, instance: &str) -> Vec<Family> {
        let run = self.run.as_deref().unwrap_or_default();
        let version = self.version.as_deref().unwrap_or_default();
        let labels = [("instance", instance), ("run_id", run), ("version", version)];
        let which = Family {
            name: "tminus_redis_instance_info",
            help: "Which instance, and which start of it.",
            kind: Kind::Gauge,
            samples: vec![Sample::of(&labels, 1)],
        };
        let up = Family::single("tminus_redis_up", "Whether it answers.", Kind::Gauge, 1);
        let told = ROWS.iter().filter_map(|row| {
            Some(Family::single(row.name, row.help, row.kind, self.get(row.field)?))
        });
        [up, which].into_iter().chain(told).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{exposition::render, strict::read},
        *,
    };

    #[test]
    fn what_is_not_told_is_absent_and_not_zero() {
        let info =
            Info::parse("run_id:abc\r\nuptime_in_seconds:-4\r\nused_memory:7\r\nevicted_keys:0");
        let text = render(&Numbers::of(&info).families("db"));
        let export = read(&text).unwrap();
        assert_eq!(export.whole("tminus_redis_memory_used_bytes"), Some(7));
        assert_eq!(export.whole("tminus_redis_evicted_keys_total"), Some(0));
        assert_eq!(export.whole("tminus_redis_uptime_seconds"), None);
        assert_eq!(export.families.len(), 4);
        let which = export.called("tminus_redis_instance_info").next().unwrap();
        assert_eq!((&*which.labels["run_id"], &*which.labels["instance"]), ("abc", "db"));
    }
}
