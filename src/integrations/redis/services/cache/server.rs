use super::{
    super::{
        super::{
            keys::milliseconds,
            reply::{bytes, count, integer, odd},
            server::{Lua, Server, verdict},
            trouble::Trouble,
        },
        Answer, Left, Token,
    },
    Cache, Fill, Key, Look,
};
use redis::Value;
use std::time::Duration;

/// `{1, value}`, or the lead: `{2, 0}` ours, `{3, time left}` somebody else's.
const LOOK: &str = "
local value = redis.call('GET', KEYS[1])
if value then return {1, value} end
if redis.call('SET', KEYS[2], ARGV[1], 'NX', 'PX', ARGV[2]) then return {2, 0} end
return {3, redis.call('PTTL', KEYS[2])}";

/// 1 if stored, 0 if the lead is lost.
const FILL: &str = "
if redis.call('GET', KEYS[2]) ~= ARGV[1] then return 0 end
redis.call('SET', KEYS[1], ARGV[2], 'PX', ARGV[3])
redis.call('DEL', KEYS[2])
return 1";

/// The cache on a server: a string for the value, one for the lead.
pub(crate) struct OnServer {
    server: Server,
    look: Lua,
    fill: Lua,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self { server, look: Lua::new(LOOK), fill: Lua::new(FILL) }
    }

    /// The hot path is a plain `GET`: it still answers while writes are paused,
    /// which a script does not.
    async fn hit(&self, key: &Key) -> Result<Option<Vec<u8>>, Trouble> {
        let value = self.server.read(&redis::cmd("GET").arg(key.as_str()).take()).await?;
        if value == Value::Nil { Ok(None) } else { bytes(value).map(Some) }
    }

    async fn miss(&self, key: &Key, lease: Duration) -> Result<Look, Trouble> {
        let token = Token::new()?;
        let lease = milliseconds(lease).to_string();
        let arguments = [token.as_bytes(), lease.as_bytes()];
        let answer = self.server.run(&self.look, &[key, &key.part("lead")], &arguments).await?;
        match verdict(answer)? {
            (1, value) => bytes(value).map(Look::Hit),
            (2, _) => Ok(Look::Lead(token)),
            // A lease may expire between the two commands of the script's last lines.
            (3, left) => Ok(Look::Wait(Duration::from_millis(count(&left).unwrap_or(0)))),
            (other, _) => Err(odd("1, 2 or 3", &Value::Int(other))),
        }
    }
}

impl Cache for OnServer {
    fn look<'a>(&'a self, key: &'a Key, lease: Duration) -> Answer<'a, Look> {
        Box::pin(async move {
            match self.hit(key).await? {
                Some(value) => Ok(Look::Hit(value)),
                None => self.miss(key, lease).await,
            }
        })
    }

    fn fill<'a>(
        &'a self,
        key: &'a Key,
        lead: &'a Token,
        value: &'a [u8],
        ttl: Duration,
    ) -> Answer<'a, Fill> {
        Box::pin(async move {
            let ttl = milliseconds(ttl).to_string();
            let arguments = [lead.as_bytes(), value, ttl.as_bytes()];
            let answer = self.server.run(&self.fill, &[key, &key.part("lead")], &arguments).await?;
            match integer(&answer)? {
                1 => Ok(Fill::Stored),
                0 => Ok(Fill::Refused),
                other => Err(odd("0 or 1", &Value::Int(other))),
            }
        })
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Left::of_pttl(self.server.left(key).await?) })
    }
}
