use super::{
    super::{
        super::{
            keys::{CEILING, milliseconds},
            reply::{count, integer, odd},
            server::{Lua, Server, verdict},
            trouble::Trouble,
        },
        Answer, Left, Token,
    },
    Acquired, Key, Lock, Owner, Written,
};
use redis::Value;
use std::time::Duration;

/// `{1, fence}` if held now, `{0, time left}` if somebody else has it.
///
/// It reads first: a contender on a full server must hear "busy" and not "out of
/// memory", and must not use up a number.
const ACQUIRE: &str = "
local holder = redis.call('GET', KEYS[1])
if holder == ARGV[1] then
  redis.call('PEXPIRE', KEYS[1], ARGV[2])
  return {1, tonumber(redis.call('GET', KEYS[2]) or 0)}
end
if holder then return {0, redis.call('PTTL', KEYS[1])} end
redis.call('SET', KEYS[1], ARGV[1], 'NX', 'PX', ARGV[2])
local fence = redis.call('INCR', KEYS[2])
redis.call('PEXPIRE', KEYS[2], ARGV[3])
return {1, fence}";

/// `PEXPIRE` and not `SET`, which a full server refuses.
const EXTEND: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('PEXPIRE', KEYS[1], ARGV[2])";

const RELEASE: &str = "
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return 0 end
return redis.call('DEL', KEYS[1])";

const WRITE: &str = "
local highest = tonumber(redis.call('HGET', KEYS[1], 'fence') or 0)
if tonumber(ARGV[1]) < highest then return 0 end
redis.call('HSET', KEYS[1], 'fence', ARGV[1], 'value', ARGV[2])
redis.call('PEXPIRE', KEYS[1], ARGV[3])
return 1";

/// The lock on a server: a string for the holder, a counter for the fence.
pub(crate) struct OnServer {
    server: Server,
    acquire: Lua,
    extend: Lua,
    release: Lua,
    write: Lua,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            acquire: Lua::new(ACQUIRE),
            extend: Lua::new(EXTEND),
            release: Lua::new(RELEASE),
            write: Lua::new(WRITE),
        }
    }

    /// Runs a script that answers 1 or 0.
    async fn yes(&self, script: &Lua, key: &Key, arguments: &[&[u8]]) -> Result<bool, Trouble> {
        match integer(&self.server.run(script, &[key], arguments).await?)? {
            1 => Ok(true),
            0 => Ok(false),
            other => Err(odd("0 or 1", &Value::Int(other))),
        }
    }
}

impl Lock for OnServer {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: &'a Token,
        ttl: Duration,
    ) -> Answer<'a, Acquired> {
        Box::pin(async move {
            let (ttl, fence) = (milliseconds(ttl).to_string(), milliseconds(CEILING).to_string());
            let arguments = [token.as_bytes(), ttl.as_bytes(), fence.as_bytes()];
            let keys = [key, &key.part("fence")];
            match verdict(self.server.run(&self.acquire, &keys, &arguments).await?)? {
                (1, fence) => Ok(Acquired::Held { fence: count(&fence)? }),
                (0, left) => Ok(Acquired::Busy { left: Duration::from_millis(count(&left)?) }),
                (other, _) => Err(odd("0 or 1", &Value::Int(other))),
            }
        })
    }

    fn extend<'a>(&'a self, key: &'a Key, token: &'a Token, ttl: Duration) -> Answer<'a, Owner> {
        Box::pin(async move {
            let ttl = milliseconds(ttl).to_string();
            let yes = self.yes(&self.extend, key, &[token.as_bytes(), ttl.as_bytes()]).await?;
            Ok(if yes { Owner::Yes } else { Owner::No })
        })
    }

    fn release<'a>(&'a self, key: &'a Key, token: &'a Token) -> Answer<'a, Owner> {
        Box::pin(async move {
            let yes = self.yes(&self.release, key, &[token.as_bytes()]).await?;
            Ok(if yes { Owner::Yes } else { Owner::No })
        })
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Left::of_pttl(self.server.left(key).await?) })
    }

    fn write<'a>(
        &'a self,
        key: &'a Key,
        fence: u64,
        value: &'a [u8],
        ttl: Duration,
    ) -> Answer<'a, Written> {
        Box::pin(async move {
            let (fence, ttl) = (fence.to_string(), milliseconds(ttl).to_string());
            let arguments = [fence.as_bytes(), value, ttl.as_bytes()];
            let yes = self.yes(&self.write, key, &arguments).await?;
            Ok(if yes { Written::Accepted } else { Written::Refused })
        })
    }
}
