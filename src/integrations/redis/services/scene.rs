//! What a server says of itself before the cases are run. Pure.

use super::{
    super::{
        info::Info,
        reply::text,
        vitals::{Skew, room},
    },
    Broken, Held, Notices, Upset,
};
use crate::units;
use redis::Value;
use std::collections::HashMap;

/// How full a cache may be that can make no room.
const CROWDED: u64 = 90;

const MOOT: Upset = Upset::Moot("no server to ask, or it may not be asked");

/// What a server said of itself, now and before the run before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Scene {
    pub(in super::super) info: Option<Info>,
    pub(in super::super) before: Option<Info>,
    pub(in super::super) commands: Option<Commands>,
    pub(in super::super) notices: Notices,
    /// How its clock stood to ours of late.
    pub(in super::super) skew: Skew,
}

/// The commands that a server has, of those that it was asked for, and their flags.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Commands(HashMap<String, Vec<String>>);

impl Commands {
    /// Reads the answer to `COMMAND INFO`.
    pub(in super::super) fn read(answer: &Value) -> Self {
        let Value::Array(rows) = answer else { return Self::default() };
        let words = |value: &Value| {
            let (Value::Array(flags) | Value::Set(flags)) = value else { return Vec::new() };
            flags.iter().filter_map(text).collect()
        };
        let row = |row: &Value| {
            let Value::Array(cells) = row else { return None };
            Some((text(cells.first()?)?.to_lowercase(), words(cells.get(2)?)))
        };
        Self(rows.iter().filter_map(row).collect())
    }

    /// The first of `needed` that the server does not have. One that knows none at
    /// all did not understand the question.
    pub(in super::super) fn lack(&self, needed: &[&'static str]) -> Option<&'static str> {
        if self.0.is_empty() {
            return None;
        }
        needed.iter().find(|name| !self.0.contains_key(**name)).copied()
    }

    /// Whether a full server refuses it, where that is known.
    fn needs_room(&self, name: &str) -> Option<bool> {
        self.0.get(name).map(|flags| flags.iter().any(|flag| flag == "denyoom"))
    }
}

impl Scene {
    /// What must not be pushed out to make room for others, and whether it may be.
    pub(crate) fn keeps(&self, what: &str) -> Result<Held, Upset> {
        let info = self.info.as_ref().ok_or(MOOT)?;
        if let Some(gone) = self.risen("evicted_keys").filter(|gone| *gone > 0) {
            return Err(Upset::Broken(Broken {
                says: format!("{gone} keys were pushed out since the last run"),
                asked: "INFO stats, now and at the last run",
                wanted: "no more evicted_keys than before".into(),
                got: format!("evicted_keys rose by {gone}"),
                remedy: None,
            }));
        }
        let policy = info.text("maxmemory_policy").unwrap_or("unknown");
        let limited = info.count("maxmemory").is_some_and(|limit| limit > 0);
        let hazard = (limited && policy != "noeviction" && policy != "unknown")
            .then(|| format!("{what} may be pushed out: {policy}"));
        Ok(Held::saw(format!("{policy}, {}", self.saved())).but_for(hazard))
    }

    /// Whether a cache can make room, and how often it is asked in vain.
    pub(crate) fn makes_room(&self) -> Result<Held, Upset> {
        let info = self.info.as_ref().ok_or(MOOT)?;
        let fill = info.count("maxmemory").filter(|limit| *limit > 0).and_then(|limit| {
            info.count("used_memory").map(|used| used.saturating_mul(100) / limit)
        });
        let policy = info.text("maxmemory_policy").unwrap_or("unknown");
        let hazard = fill
            .filter(|fill| policy == "noeviction" && *fill > CROWDED)
            .map(|fill| format!("a cache that makes no room is {fill} % full"));
        let hits = match (self.risen("keyspace_hits"), self.risen("keyspace_misses")) {
            (Some(hits), Some(misses)) if hits + misses > 0 => {
                format!(", {} % hits of all", hits * 100 / (hits + misses))
            }
            _ => String::new(),
        };
        let gone = self.risen("evicted_keys").map(|gone| format!(", {gone} pushed out"));
        let saw = format!("{policy}{}{hits}", gone.unwrap_or_default());
        Ok(Held::saw(saw).but_for(hazard))
    }

    /// Whether a full server lets workers take jobs.
    pub(crate) fn drains(&self) -> Result<Held, Upset> {
        let refuses = self.commands.as_ref().and_then(|known| known.needs_room("zpopmin"));
        let refuses = refuses.ok_or(MOOT)?;
        let hazard = refuses.then(|| "no job can be taken when memory is full".into());
        let saw = if refuses { "ZPOPMIN needs room" } else { "ZPOPMIN needs no room" };
        Ok(Held::saw(saw).but_for(hazard))
    }

    /// Whether the server's clock was set of late: what had a time to live ended that much
    /// too early, or ends that much too late.
    pub(crate) fn runs_steadily(&self) -> Result<Held, Upset> {
        self.skew.offset.ok_or(Upset::Moot("nobody has looked at the clock yet"))?;
        let Some(step) = self.skew.step else { return Ok(Held::saw("its clock was not set")) };
        Err(Upset::Broken(Broken {
            says: format!("server clock was set by {}", step.size()),
            asked: "TIME, at every poll",
            wanted: "a clock that runs, and is not set".into(),
            got: step.size(),
            remedy: None,
        }))
    }

    /// Whether it has room for a key without giving up another.
    pub(crate) fn has_room(&self) -> bool {
        self.info.as_ref().is_none_or(|info| room(info).is_ok())
    }

    /// By how much a counter rose since the last run, of the same run of the server.
    fn risen(&self, field: &str) -> Option<u64> {
        let (now, then) = (self.info.as_ref()?, self.before.as_ref()?);
        let same = now.text("run_id").is_some() && now.text("run_id") == then.text("run_id");
        if same { now.count(field)?.checked_sub(then.count(field)?) } else { None }
    }

    /// What becomes of it when the server crashes.
    fn saved(&self) -> String {
        let Some(info) = &self.info else { return "unknown".into() };
        let replicas = info.count("connected_slaves").unwrap_or(0);
        match (info.flag("aof_enabled"), replicas) {
            (Some(true), _) => "written to an append-only file".into(),
            (_, 1..) => format!("copied to {replicas} replicas"),
            (Some(false), _) => match info.count("used_memory") {
                Some(used) => format!("of {} only what was saved last is kept", units::bytes(used)),
                None => "only what was saved last is kept".into(),
            },
            (None, _) => "unknown whether it is kept".into(),
        }
    }
}

/// Judges what is known of the server, if anything is.
pub(crate) fn of(
    scene: Option<&Scene>,
    judge: impl Fn(&Scene) -> Result<Held, Upset>,
) -> Result<Held, Upset> {
    judge(scene.ok_or(MOOT)?)
}

#[cfg(test)]
mod tests {
    use super::{super::super::vitals::Step, *};
    use jiff::SignedDuration;
    use std::time::Duration;
    use tokio::time::Instant;

    fn scene(now: &str, before: &str) -> Scene {
        let info = |text: &str| Some(Info::parse(text)).filter(|_| !text.is_empty());
        Scene { info: info(now), before: info(before), ..Scene::default() }
    }

    fn hazard(held: Result<Held, Upset>) -> Option<String> {
        held.unwrap().hazard
    }

    #[test]
    fn what_may_be_pushed_out_is_a_hazard_and_what_was_is_a_failure() {
        let of = |policy: &str, limit: u64| {
            scene(&format!("maxmemory:{limit}\nmaxmemory_policy:{policy}"), "").keeps("locks")
        };
        assert_eq!(hazard(of("noeviction", 1)), None);
        assert_eq!(hazard(of("allkeys-lru", 0)), None, "without a limit nothing is");
        let expected = "locks may be pushed out: volatile-ttl";
        assert_eq!(hazard(of("volatile-ttl", 1)).as_deref(), Some(expected));
        let rose = |run, now| {
            let before = format!("run_id:a\nevicted_keys:7\nmaxmemory_policy:{}", "noeviction");
            scene(&format!("run_id:{run}\nevicted_keys:{now}"), &before).keeps("locks")
        };
        assert!(rose("a", 7).is_ok() && rose("b", 8).is_ok() && rose("a", 6).is_ok());
        let Err(Upset::Broken(broken)) = rose("a", 8) else { panic!("not noticed") };
        assert_eq!(broken.says, "1 keys were pushed out since the last run");
        assert_eq!(Scene::default().keeps("locks"), Err(MOOT));
    }

    #[tokio::test]
    async fn a_clock_that_was_set_breaks_what_has_a_time_to_live() {
        let of = |offset, step| {
            let offset = Some((SignedDuration::from_millis(offset), Duration::ZERO));
            Scene { skew: Skew { offset, step }, ..Scene::default() }.runs_steadily()
        };
        assert!(of(9000, None).is_ok(), "it is wrong, and runs");
        let step = Step { by: SignedDuration::from_secs(-60), at: Instant::now() };
        let Err(Upset::Broken(broken)) = of(0, Some(step)) else { panic!("not noticed") };
        assert_eq!(broken.says, "server clock was set by -1m00s");
        assert!(matches!(Scene::default().runs_steadily(), Err(Upset::Moot(_))));
    }

    #[test]
    fn a_cache_that_can_make_no_room_is_a_hazard_above_its_limit() {
        let of = |policy: &str, used| {
            let now = format!("used_memory:{used}\nmaxmemory:1000\nmaxmemory_policy:{policy}");
            hazard(scene(&now, "").makes_room())
        };
        assert_eq!((of("noeviction", 909), of("allkeys-lru", 999)), (None, None));
        assert_eq!(
            of("noeviction", 910).as_deref(),
            Some("a cache that makes no room is 91 % full")
        );
        let hits =
            |hits, misses| format!("run_id:a\nkeyspace_hits:{hits}\nkeyspace_misses:{misses}");
        let held = scene(&hits(19, 11), &hits(10, 10)).makes_room().unwrap();
        assert!(held.saw.ends_with("90 % hits of all"), "{}", held.saw);
    }

    #[test]
    fn commands_and_their_flags_are_read_in_either_protocol() {
        let word = |word: &str| Value::BulkString(word.into());
        let row = |name, flags| Value::Array(vec![word(name), Value::Int(2), flags]);
        let answer = Value::Array(vec![
            row("zpopmin", Value::Array(vec![word("write"), word("fast")])),
            Value::Nil,
            row("SET", Value::Set(vec![word("write"), word("denyoom")])),
        ]);
        let known = Commands::read(&answer);
        assert_eq!(known.lack(&["zpopmin", "set"]), None);
        assert_eq!(known.lack(&["set", "eval"]), Some("eval"));
        assert_eq!(
            (known.needs_room("set"), known.needs_room("zpopmin")),
            (Some(true), Some(false))
        );
        assert_eq!(Commands::read(&Value::Nil).lack(&["eval"]), None, "it did not say");
        let scene = Scene { commands: Some(known), ..Scene::default() };
        assert_eq!(scene.drains().unwrap().hazard, None);
        assert_eq!(Scene::default().drains(), Err(MOOT));
    }
}
