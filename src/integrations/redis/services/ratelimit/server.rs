use super::{
    super::{
        super::{
            keys::milliseconds,
            reply::{count, integer, list, odd},
            server::{Lua, Server},
            trouble::Trouble,
        },
        Answer, Left, Token,
    },
    Key, Rate, RateLimit, Ruling,
};
use redis::Value;
use std::{sync::Arc, time::Duration};

/// `{1, remaining, 0}` if let through, `{0, remaining, microseconds to wait}` if
/// not, `{2, 0, 0}` if it never can be.
///
/// The time is the server's, read once, in microseconds as text: `..` keeps but
/// 14 digits of a number. Entries have names of their own, because two calls may
/// come in one microsecond. Those dated later than now are left from before the
/// clock was set back. A refusal only reads. An admission takes entries away
/// before it adds some: a full server refuses a script's first write, not those
/// after it, and it does not refuse to remove. The key outlives its newest entry
/// by the millisecond that the server's rounding may take.
const ASK: &str = "
local limit, calls, window = tonumber(ARGV[1]), tonumber(ARGV[2]), tonumber(ARGV[3])
if calls > limit then return {2, 0, 0} end
local time = redis.call('TIME')
local now = time[1] * 1000000 + time[2]
local past = string.format('%.0f', now - window)
local future = string.format('%.0f', now + 1000000)
local count = redis.call('ZCOUNT', KEYS[1], '(' .. past, future)
local remaining = math.max(limit - count, 0)
if calls > remaining then
  local last = redis.call('ZRANGEBYSCORE', KEYS[1], '(' .. past, future,
    'WITHSCORES', 'LIMIT', count + calls - limit - 1, 1)
  return {0, remaining, last[2] + window - now}
end
if calls > 0 then
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '-inf', past)
  redis.call('ZREMRANGEBYSCORE', KEYS[1], '(' .. future, '+inf')
  for call = 1, calls do
    redis.call('ZADD', KEYS[1], string.format('%.0f', now), ARGV[5] .. ':' .. call)
  end
  redis.call('PEXPIRE', KEYS[1], ARGV[4])
end
return {1, remaining - calls, 0}";

/// Limits on a server: a sorted set each, of calls by time.
pub(crate) struct OnServer {
    server: Server,
    ask: Lua,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self { server, ask: Lua::new(ASK) }
    }

    async fn rule(&self, key: &Key, calls: usize, rate: Rate) -> Result<Ruling, Trouble> {
        let window = milliseconds(rate.window);
        let ttl = self.server.lives(Duration::from_millis(window + 1));
        let numbers = [rate.calls.to_string(), calls.to_string(), (window * 1000).to_string()];
        let token = Token::new()?;
        let [limit, calls, window] = numbers.each_ref().map(String::as_bytes);
        let arguments = [limit, calls, window, ttl.as_bytes(), token.as_bytes()];
        let answer = self.server.run(&self.ask, &[key], &arguments).await?;
        let [verdict, remaining, wait] = list::<3>(answer)?;
        let remaining = usize::try_from(count(&remaining)?).unwrap_or(usize::MAX);
        match integer(&verdict)? {
            1 => Ok(Ruling::Admitted { remaining }),
            0 => {
                let retry_after = Duration::from_micros(count(&wait)?);
                Ok(Ruling::Refused { remaining, retry_after })
            }
            2 => Ok(Ruling::Never),
            other => Err(odd("0, 1 or 2", &Value::Int(other))),
        }
    }
}

impl RateLimit for OnServer {
    fn ask<'a>(&'a self, key: &'a Key, calls: usize, rate: Rate) -> Answer<'a, Ruling> {
        Box::pin(self.rule(key, calls, rate))
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Left::of_pttl(self.server.left(key).await?) })
    }

    fn peer(&self) -> Arc<dyn RateLimit> {
        Arc::new(Self::new(self.server.clone()))
    }
}
