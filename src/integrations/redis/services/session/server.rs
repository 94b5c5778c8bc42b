use super::{
    super::{
        super::{
            keys::milliseconds,
            reply::{bytes, count, integer, list, odd},
            server::{Lua, Server},
        },
        Answer, Left,
    },
    Created, Key, Life, Rotated, Saved, Session, Sessions,
};
use redis::Value;

/// The server's clock decides when the end has come; it is read once per script,
/// because older servers let it go on within one.
const CREATE: &str = "
if redis.call('EXISTS', KEYS[1]) == 1 then return 0 end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local idle, absolute = tonumber(ARGV[2]), tonumber(ARGV[3])
redis.call('HSET', KEYS[1], 'data', ARGV[1], 'version', 1,
  'idle', ARGV[2], 'end', string.format('%.0f', now + absolute))
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', math.min(idle, absolute)))
return 1";

/// `{data, version}`, or nothing.
const LOAD: &str = "
local session = redis.call('HMGET', KEYS[1], 'data', 'version', 'idle', 'end')
if not session[1] then return false end
local time = redis.call('TIME')
local now = time[1] * 1000 + math.floor(time[2] / 1000)
local left = math.min(tonumber(session[3]), tonumber(session[4]) - now)
if left <= 0 then
  redis.call('DEL', KEYS[1])
  return false
end
redis.call('PEXPIRE', KEYS[1], string.format('%.0f', left))
return {session[1], tonumber(session[2])}";

/// 1 if saved, 0 on a conflict, -1 if it has ended. `HSET` leaves the time to live alone.
const SAVE: &str = "
local version = redis.call('HGET', KEYS[1], 'version')
if not version then return -1 end
if version ~= ARGV[1] then return 0 end
redis.call('HSET', KEYS[1], 'data', ARGV[2], 'version', tonumber(version) + 1)
return 1";

/// 1 if moved, 0 if the new key is taken, -1 if it has ended. Renaming keeps the
/// time to live and, unlike writing anew, needs no memory.
const ROTATE: &str = "
if redis.call('EXISTS', KEYS[1]) == 0 then return -1 end
return redis.call('RENAMENX', KEYS[1], KEYS[2])";

const DESTROY: &str = "return redis.call('DEL', KEYS[1])";

/// Sessions on a server: a hash each.
pub(crate) struct OnServer {
    server: Server,
    create: Lua,
    load: Lua,
    save: Lua,
    rotate: Lua,
    destroy: Lua,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self {
            server,
            create: Lua::new(CREATE),
            load: Lua::new(LOAD),
            save: Lua::new(SAVE),
            rotate: Lua::new(ROTATE),
            destroy: Lua::new(DESTROY),
        }
    }
}

impl Sessions for OnServer {
    fn create<'a>(&'a self, key: &'a Key, data: &'a [u8], life: Life) -> Answer<'a, Created> {
        Box::pin(async move {
            let idle = milliseconds(life.idle).to_string();
            let absolute = milliseconds(life.absolute).to_string();
            let arguments = [data, idle.as_bytes(), absolute.as_bytes()];
            match integer(&self.server.run(&self.create, &[key], &arguments).await?)? {
                1 => Ok(Created::Fresh),
                0 => Ok(Created::Exists),
                other => Err(odd("0 or 1", &Value::Int(other))),
            }
        })
    }

    fn load<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Session>> {
        Box::pin(async move {
            let found = self.server.run(&self.load, &[key], &[]).await?;
            if found == Value::Nil {
                return Ok(None);
            }
            let [data, version] = list::<2>(found)?;
            Ok(Some(Session { data: bytes(data)?, version: count(&version)? }))
        })
    }

    fn save<'a>(&'a self, key: &'a Key, version: u64, data: &'a [u8]) -> Answer<'a, Saved> {
        Box::pin(async move {
            let version = version.to_string();
            let arguments = [version.as_bytes(), data];
            match integer(&self.server.run(&self.save, &[key], &arguments).await?)? {
                1 => Ok(Saved::Stored),
                0 => Ok(Saved::Conflict),
                -1 => Ok(Saved::Gone),
                other => Err(odd("-1, 0 or 1", &Value::Int(other))),
            }
        })
    }

    fn rotate<'a>(&'a self, from: &'a Key, to: &'a Key) -> Answer<'a, Rotated> {
        Box::pin(async move {
            match integer(&self.server.run(&self.rotate, &[from, to], &[]).await?)? {
                1 => Ok(Rotated::Moved),
                0 => Ok(Rotated::Exists),
                -1 => Ok(Rotated::Gone),
                other => Err(odd("-1, 0 or 1", &Value::Int(other))),
            }
        })
    }

    fn destroy<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        Box::pin(async move {
            integer(&self.server.run(&self.destroy, &[key], &[]).await?)?;
            Ok(())
        })
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Left::of_pttl(self.server.left(key).await?) })
    }
}
