use super::{
    super::{
        super::{
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

/// The cache on a server: a hash for the value, a string for the lead.
pub(crate) struct OnServer {
    server: Server,
    script: Lua,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self { server, script: Lua::new(include_str!("cache.lua")) }
    }

    async fn run(&self, key: &Key, arguments: &[&[u8]]) -> Result<Value, Trouble> {
        self.server.run(&self.script, &[key, &key.part("lead")], arguments).await
    }

    /// Does what only the leader may.
    async fn as_leader(&self, key: &Key, arguments: &[&[u8]]) -> Result<bool, Trouble> {
        match integer(&self.run(key, arguments).await?)? {
            1 => Ok(true),
            0 => Ok(false),
            other => Err(odd("0 or 1", &Value::Int(other))),
        }
    }
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
            let lease = self.server.lives(lease);
            let arguments: [&[u8]; 4] =
                [b"lead", token.as_bytes(), lease.as_bytes(), within.as_bytes()];
            let [lead, wait, left, fields] = list::<4>(self.run(key, &arguments).await?)?;
            let lead = match integer(&lead)? {
                0 => Lead::Others(Duration::from_millis(count(&wait)?)),
                1 => Lead::Ours(token),
                2 => Lead::Needless,
                other => return Err(odd("0, 1 or 2", &Value::Int(other))),
            };
            Ok(Bid { entry: entry(fields, integer(&left)?)?, lead })
        })
    }

    fn prolong<'a>(&'a self, key: &'a Key, lead: &'a Token, lease: Duration) -> Answer<'a, bool> {
        Box::pin(async move {
            let lease = self.server.lives(lease);
            self.as_leader(key, &[b"prolong", lead.as_bytes(), lease.as_bytes()]).await
        })
    }

    fn fill<'a>(&'a self, key: &'a Key, lead: &'a Token, fresh: Fresh<'a>) -> Answer<'a, Fill> {
        Box::pin(async move {
            let (cost, keep) = (fresh.cost.as_micros().to_string(), self.server.lives(fresh.keep));
            let (value, absent): (_, &[u8]) =
                fresh.value.map_or((&b""[..], b"1"), |value| (value, b"0"));
            let (lead, keep) = (lead.as_bytes(), keep.as_bytes());
            let arguments: [&[u8]; 6] = [b"fill", lead, keep, value, cost.as_bytes(), absent];
            let stored = self.as_leader(key, &arguments).await?;
            Ok(if stored { Fill::Stored } else { Fill::Refused })
        })
    }

    fn give_up<'a>(&'a self, key: &'a Key, lead: &'a Token) -> Answer<'a, ()> {
        Box::pin(async move { self.as_leader(key, &[b"give up", lead.as_bytes()]).await.map(drop) })
    }

    fn invalidate<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        Box::pin(async move { integer(&self.run(key, &[b"invalidate"]).await?).map(drop) })
    }
}
