use super::{
    super::{
        super::{
            keys::milliseconds,
            reply::{bytes, count, integer, list, odd, text},
            server::{Lua, Server},
            trouble::Trouble,
        },
        Answer, Left, Token,
    },
    Bid, Cache, Entry, Fill, Fresh, Key, Lead,
};
use redis::Value;
use std::time::Duration;

/// `{0, time left of the lead, ..}` if it is somebody else's, `{1, ..}` if it is
/// ours, `{2, ..}` if what is there is good for longer; then `PTTL` and the entry.
const LEAD: &str = "
local entry = redis.call('HMGET', KEYS[1], 'value', 'cost', 'absent')
local left = redis.call('PTTL', KEYS[1])
local lead, wait = 0, 0
if left > tonumber(ARGV[3]) then
  lead = 2
elseif redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then
  lead = 1
else
  wait = math.max(redis.call('PTTL', KEYS[2]), 0)
end
return {lead, wait, left, entry}";

/// 1 if stored, 0 if the lead is lost.
const FILL: &str = "
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'value', ARGV[2], 'cost', ARGV[3], 'absent', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ARGV[5])
redis.call('DEL', KEYS[2])
return 1";

const GIVE_UP: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])";

/// Both at once, or a load that is on its way would bring the old value back.
const INVALIDATE: &str = "return redis.call('DEL', KEYS[1], KEYS[2])";

/// The cache on a server: a hash for the value, a string for the lead.
pub(crate) struct OnServer {
    server: Server,
    lead: Lua,
    fill: Lua,
    give_up: Lua,
    invalidate: Lua,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            lead: Lua::new(LEAD),
            fill: Lua::new(FILL),
            give_up: Lua::new(GIVE_UP),
            invalidate: Lua::new(INVALIDATE),
        }
    }
}

/// The key of who leads.
fn lead_of(key: &Key) -> Key {
    key.part("lead")
}

/// What `HMGET` and `PTTL` say together.
fn entry(fields: Value, left: i64) -> Result<Option<Entry>, Trouble> {
    let [value, cost, absent] = list::<3>(fields)?;
    let left = Left::of_pttl(left)?;
    if value == Value::Nil || left == Left::Absent {
        return Ok(None);
    }
    let micros = text(&cost).and_then(|cost| cost.parse().ok());
    let cost = micros.map(Duration::from_micros).ok_or_else(|| odd("a cost", &cost))?;
    let value = if text(&absent).as_deref() == Some("1") { None } else { Some(bytes(value)?) };
    Ok(Some(Entry { value, cost, left }))
}

impl Cache for OnServer {
    /// Two plain commands: they still answer while writes are paused, which a
    /// script does not.
    fn look<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Entry>> {
        Box::pin(async move {
            let fields = ["value", "cost", "absent"];
            let get = redis::cmd("HMGET").arg(key.as_str()).arg(&fields).take();
            let (fields, left) = tokio::try_join!(self.server.read(&get), self.server.left(key))?;
            entry(fields, left)
        })
    }

    fn lead<'a>(&'a self, key: &'a Key, within: Duration, lease: Duration) -> Answer<'a, Bid> {
        Box::pin(async move {
            let token = Token::new()?;
            let within = u64::try_from(within.as_millis()).unwrap_or(u64::MAX).to_string();
            let lease = milliseconds(lease).to_string();
            let arguments = [token.as_bytes(), lease.as_bytes(), within.as_bytes()];
            let answer = self.server.run(&self.lead, &[key, &lead_of(key)], &arguments).await?;
            let [lead, wait, left, fields] = list::<4>(answer)?;
            let lead = match integer(&lead)? {
                0 => Lead::Others(Duration::from_millis(count(&wait)?)),
                1 => Lead::Ours(token),
                2 => Lead::Needless,
                other => return Err(odd("0, 1 or 2", &Value::Int(other))),
            };
            Ok(Bid { entry: entry(fields, integer(&left)?)?, lead })
        })
    }

    fn fill<'a>(&'a self, key: &'a Key, lead: &'a Token, fresh: Fresh<'a>) -> Answer<'a, Fill> {
        Box::pin(async move {
            let (cost, keep) =
                (fresh.cost.as_micros().to_string(), milliseconds(fresh.keep).to_string());
            let (value, absent): (_, &[u8]) =
                fresh.value.map_or((&b""[..], b"1"), |value| (value, b"0"));
            let arguments = [lead.as_bytes(), value, cost.as_bytes(), absent, keep.as_bytes()];
            let answer = self.server.run(&self.fill, &[key, &lead_of(key)], &arguments).await?;
            match integer(&answer)? {
                1 => Ok(Fill::Stored),
                0 => Ok(Fill::Refused),
                other => Err(odd("0 or 1", &Value::Int(other))),
            }
        })
    }

    fn give_up<'a>(&'a self, key: &'a Key, lead: &'a Token) -> Answer<'a, ()> {
        Box::pin(async move {
            let (own, token) = (lead_of(key), [lead.as_bytes()]);
            integer(&self.server.run(&self.give_up, &[&own], &token).await?).map(drop)
        })
    }

    fn invalidate<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        Box::pin(async move {
            let answer = self.server.run(&self.invalidate, &[key, &lead_of(key)], &[]).await?;
            integer(&answer).map(drop)
        })
    }
}
