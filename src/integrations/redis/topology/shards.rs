//! What a cluster says about its shards. Pure, and lenient: forks add fields.

use super::super::{
    address::at,
    info::Info,
    reply::{fields, text},
    slots::Slots,
};
use redis::Value;
use std::collections::BTreeMap;

/// A master of a cluster, and what belongs to it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Shard {
    /// Its address as it announces itself.
    pub(crate) host: String,
    pub(crate) port: u16,
    pub(crate) slots: Slots,
    /// Replicas that are in order.
    pub(crate) replicas: usize,
    /// Whether the cluster itself holds it to be gone.
    pub(crate) is_down: bool,
}

/// How to read addresses that a node tells of its cluster.
#[derive(Clone, Copy)]
pub(crate) struct Reading<'a> {
    /// The host that was asked, which a node means when it tells none.
    pub(crate) asked: &'a str,
    pub(crate) encrypted: bool,
}

/// What one master says about the cluster.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct View {
    pub(super) state: String,
    pub(super) assigned: Option<u64>,
    pub(super) pfail: u64,
    pub(super) fail: u64,
    /// Slots that leave it or come to it, in words.
    pub(super) moving: Vec<String>,
}

impl Shard {
    /// `host:port`, as it announces itself.
    pub(crate) fn name(&self) -> String {
        at(&self.host, self.port)
    }
}

/// One node of a shard.
struct Node {
    host: String,
    port: u16,
    is_master: bool,
    is_well: bool,
}

impl Reading<'_> {
    /// The shards that have slots, by their first slot, from `CLUSTER SHARDS`.
    pub(crate) fn shards(self, answer: &Value) -> Vec<Shard> {
        let shards = items(answer).iter().filter_map(|shard| {
            let shard: BTreeMap<String, Value> = fields(shard).into_iter().collect();
            let bounds: Vec<u16> = items(shard.get("slots")?).iter().filter_map(number).collect();
            let slots = Slots::of(bounds.chunks_exact(2).map(|pair| (pair[0], pair[1])));
            let nodes = items(shard.get("nodes")?).iter().filter_map(|node| self.node(node));
            of_nodes(&nodes.collect::<Vec<_>>(), slots)
        });
        ordered(shards.collect())
    }

    fn node(self, node: &Value) -> Option<Node> {
        let node: BTreeMap<String, Value> = fields(node).into_iter().collect();
        let said = |name: &str| node.get(name).and_then(text).filter(|text| is_told(text));
        let (plain, tls) = (node.get("port"), node.get("tls-port"));
        let port = if self.encrypted { tls.or(plain) } else { plain.or(tls) };
        Some(Node {
            host: said("endpoint").or_else(|| said("ip")).unwrap_or_else(|| self.asked.into()),
            port: number(port?)?,
            is_master: said("role").as_deref() == Some("master"),
            is_well: said("health").is_none_or(|health| health == "online"),
        })
    }

    /// The same from `CLUSTER SLOTS`, which older servers have; it tells no health.
    pub(crate) fn slots(self, answer: &Value) -> Vec<Shard> {
        let mut found: BTreeMap<String, Ranges> = BTreeMap::new();
        for range in items(answer) {
            let [first, last, nodes @ ..] = items(range) else { continue };
            let Some(bounds) = number(first).zip(number(last)) else { continue };
            let nodes = nodes.iter().enumerate().filter_map(|(place, node)| {
                let [host, port, ..] = items(node) else { return None };
                let host = text(host).filter(|host| is_told(host));
                Some(Node {
                    host: host.unwrap_or_else(|| self.asked.into()),
                    port: number(port)?,
                    is_master: place == 0,
                    is_well: true,
                })
            });
            let nodes: Vec<Node> = nodes.collect();
            let Some(master) = nodes.first() else { continue };
            let shard = found.entry(at(&master.host, master.port)).or_default();
            shard.0 = nodes;
            shard.1.push(bounds);
        }
        let shards = found.into_values();
        ordered(shards.filter_map(|(nodes, slots)| of_nodes(&nodes, Slots::of(slots))).collect())
    }
}

/// The nodes that serve the same ranges of slots.
type Ranges = (Vec<Node>, Vec<(u16, u16)>);

/// A shard without slots serves nothing; without a master there is none to talk to.
fn of_nodes(nodes: &[Node], slots: Slots) -> Option<Shard> {
    let replicas = nodes.iter().filter(|node| !node.is_master && node.is_well).count();
    // After a failover the old master is listed beside the new one.
    let masters = || nodes.iter().filter(|node| node.is_master);
    let master = masters().find(|node| node.is_well).or_else(|| masters().next())?;
    let (host, port, is_down) = (master.host.clone(), master.port, !master.is_well);
    (slots.count() > 0).then_some(Shard { host, port, slots, replicas, is_down })
}

fn ordered(mut shards: Vec<Shard>) -> Vec<Shard> {
    shards.sort_by_key(|shard| shard.slots.first());
    shards
}

fn items(value: &Value) -> &[Value] {
    if let Value::Array(items) = value { items } else { &[] }
}

fn number(value: &Value) -> Option<u16> {
    text(value)?.parse().ok()
}

/// What a node says of an address that it does not know.
fn is_told(host: &str) -> bool {
    !host.is_empty() && host != "?"
}

impl View {
    /// From `CLUSTER INFO` and the node's own line of `CLUSTER NODES`.
    pub(super) fn read(info: &str, nodes: &str) -> Self {
        let info = Info::parse(info);
        let count = |name: &str| info.count(name).unwrap_or(0);
        Self {
            state: info.text("cluster_state").unwrap_or("unknown").into(),
            assigned: info.count("cluster_slots_assigned"),
            pfail: count("cluster_slots_pfail"),
            fail: count("cluster_slots_fail"),
            moving: moving(nodes),
        }
    }
}

/// The slots in brackets: `[77->-id]` leaves for that node, `[93-<-id]` comes from it.
fn moving(nodes: &str) -> Vec<String> {
    let lines = || nodes.lines().map(|line| line.split_whitespace().collect::<Vec<_>>());
    let address = |id: &str| {
        let line = lines().find(|line| line.first() == Some(&id));
        let address = line.and_then(|line| line.get(1)?.split(['@', ',']).next().map(String::from));
        address.unwrap_or_else(|| "a node unknown".into())
    };
    let own = lines().find(|line| line.get(2).is_some_and(|flags| flags.contains("myself")));
    let own = own.unwrap_or_default();
    let marks = own.iter().skip(8).filter_map(|mark| mark.strip_prefix('[')?.strip_suffix(']'));
    let told = marks.filter_map(|mark| match mark.split_once("->-") {
        Some((slot, id)) => Some(format!("slot {slot} leaves for {}", address(id))),
        None => mark
            .split_once("-<-")
            .map(|(slot, id)| format!("slot {slot} comes from {}", address(id))),
    });
    told.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    const READING: Reading<'static> = Reading { asked: "10.0.0.9", encrypted: false };

    fn bulk(text: &str) -> Value {
        Value::BulkString(text.into())
    }

    fn node(host: &str, port: i64, role: &str, health: &str) -> Value {
        let fields = [
            ("id", bulk("aa")),
            ("port", Value::Int(port)),
            ("tls-port", Value::Int(port + 1000)),
            ("ip", bulk("10.0.0.1")),
            ("endpoint", bulk(host)),
            ("role", bulk(role)),
            ("health", bulk(health)),
            ("availability-zone", bulk("")),
        ];
        Value::Map(fields.into_iter().map(|(name, value)| (bulk(name), value)).collect())
    }

    fn shard(slots: &[i64], nodes: Vec<Value>) -> Value {
        let slots = Value::Array(slots.iter().map(|slot| Value::Int(*slot)).collect());
        // As RESP2 has it: names and values in turn.
        Value::Array(vec![bulk("slots"), slots, bulk("nodes"), Value::Array(nodes)])
    }

    #[test]
    fn shards_are_read_in_the_order_of_their_slots() {
        let answer = Value::Array(vec![
            shard(&[8192, 16_383, 5, 5], vec![node("b", 7001, "master", "online")]),
            shard(
                &[0, 4, 6, 8191],
                vec![
                    node("old", 7000, "master", "failed"),
                    node("a", 7003, "master", "online"),
                    node("c", 7004, "replica", "online"),
                    node("d", 7005, "replica", "loading"),
                ],
            ),
            shard(&[], vec![node("e", 7006, "master", "online")]),
        ]);
        let shards = READING.shards(&answer);
        let told: Vec<_> =
            shards.iter().map(|shard| (shard.name(), shard.replicas, shard.is_down)).collect();
        assert_eq!(told, [("a:7003".into(), 1, false), ("b:7001".into(), 0, false)]);
        assert_eq!(shards[1].slots, Slots::of([(8192, 16_383), (5, 5)]));
        let encrypted = Reading { encrypted: true, ..READING }.shards(&answer);
        assert_eq!(encrypted[0].port, 8003);
    }

    #[test]
    fn a_master_that_is_gone_is_still_that_of_its_slots() {
        let gone = Value::Array(vec![shard(&[0, 9], vec![node("?", 1, "master", "failed")])]);
        let shards = READING.shards(&gone);
        assert_eq!((shards[0].name(), shards[0].is_down), ("10.0.0.1:1".into(), true));
    }

    #[test]
    fn an_older_server_tells_the_same_in_another_way() {
        let node = |host, port| Value::Array(vec![host, Value::Int(port), bulk("id")]);
        let range = |first, last, nodes: Vec<Value>| {
            Value::Array([vec![Value::Int(first), Value::Int(last)], nodes].concat())
        };
        let answer = Value::Array(vec![
            range(0, 4, vec![node(bulk("a"), 1), node(bulk("c"), 3)]),
            range(9, 9, vec![node(Value::Nil, 2)]),
            range(6, 8, vec![node(bulk("a"), 1), node(bulk("c"), 3)]),
        ]);
        let shards = READING.slots(&answer);
        let told: Vec<_> = shards.iter().map(|shard| (shard.name(), shard.replicas)).collect();
        assert_eq!(told, [("a:1".into(), 1), ("10.0.0.9:2".into(), 0)]);
        assert_eq!(shards[0].slots, Slots::of([(0, 4), (6, 8)]));
    }

    #[test]
    fn nonsense_is_no_shard() {
        for nonsense in [Value::Nil, Value::Okay, Value::Array(vec![Value::Nil, Value::Int(3)])] {
            assert_eq!(READING.shards(&nonsense), []);
            assert_eq!(READING.slots(&nonsense), []);
        }
    }

    #[test]
    fn a_node_tells_the_state_and_what_moves() {
        let info = "cluster_enabled:1\r\ncluster_state:ok\r\ncluster_slots_assigned:16384\r\n\
            cluster_slots_pfail:3\r\ncluster_slots_fail:0\r\n";
        let nodes = "aa 10.0.0.1:7000@17000 myself,master - 0 0 1 connected 0-5460 [77->-bb] [93-<-cc]\n\
            bb 10.0.0.2:7001@17001,host master - 0 1 2 connected 5461-10922 [77-<-aa]\n";
        let view = View::read(info, nodes);
        assert_eq!((&*view.state, view.assigned, view.pfail), ("ok", Some(16_384), 3));
        assert_eq!(
            view.moving,
            ["slot 77 leaves for 10.0.0.2:7001", "slot 93 comes from a node unknown"]
        );
        assert_eq!(View::read("", "").state, "unknown");
    }
}
