use super::{
    super::{
        super::{
            reply::{bytes, count, integer, list, odd},
            server::{Lua, Server},
            trouble::Trouble,
        },
        Answer, Left,
    },
    Created, Key, Life, Rotated, Saved, Session, Sessions,
};
use redis::Value;
use std::time::Duration;

/// Sessions on a server: a hash each.
pub(crate) struct OnServer {
    server: Server,
    script: Lua,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self { server, script: Lua::new(include_str!("session.lua")) }
    }

    async fn run(&self, keys: &[&Key], arguments: &[&[u8]]) -> Result<Value, Trouble> {
        self.server.run(&self.script, keys, arguments).await
    }
}

impl Sessions for OnServer {
    fn create<'a>(&'a self, key: &'a Key, data: &'a [u8], life: Life) -> Answer<'a, Created> {
        Box::pin(async move {
            let (idle, absolute) = (self.server.lives(life.idle), self.server.lives(life.absolute));
            let arguments: [&[u8]; 4] = [b"create", data, idle.as_bytes(), absolute.as_bytes()];
            match integer(&self.run(&[key], &arguments).await?)? {
                1 => Ok(Created::Fresh),
                0 => Ok(Created::Exists),
                other => Err(odd("0 or 1", &Value::Int(other))),
            }
        })
    }

    fn load<'a>(&'a self, key: &'a Key) -> Answer<'a, Option<Session>> {
        Box::pin(async move {
            let found = self.run(&[key], &[b"load"]).await?;
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
            let arguments: [&[u8]; 3] = [b"save", version.as_bytes(), data];
            match integer(&self.run(&[key], &arguments).await?)? {
                1 => Ok(Saved::Stored),
                0 => Ok(Saved::Conflict),
                -1 => Ok(Saved::Gone),
                other => Err(odd("-1, 0 or 1", &Value::Int(other))),
            }
        })
    }

    fn rotate<'a>(&'a self, from: &'a Key, to: &'a Key) -> Answer<'a, Rotated> {
        Box::pin(async move {
            match integer(&self.run(&[from, to], &[b"rotate"]).await?)? {
                1 => Ok(Rotated::Moved),
                0 => Ok(Rotated::Exists),
                -1 => Ok(Rotated::Gone),
                other => Err(odd("-1, 0 or 1", &Value::Int(other))),
            }
        })
    }

    fn destroy<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        Box::pin(async move {
            integer(&self.run(&[key], &[b"destroy"]).await?)?;
            Ok(())
        })
    }

    fn leave<'a>(&'a self, keys: &'a [Key], life: Duration) -> Answer<'a, ()> {
        Box::pin(async move {
            let (keys, life) = (keys.iter().collect::<Vec<_>>(), self.server.lives(life));
            integer(&self.run(&keys, &[b"leave", life.as_bytes()]).await?)?;
            Ok(())
        })
    }

    fn lingering<'a>(&'a self, keys: &'a [Key]) -> Answer<'a, Option<u64>> {
        Box::pin(async move {
            let keys: Vec<_> = keys.iter().collect();
            Ok(u64::try_from(integer(&self.run(&keys, &[b"lingering"]).await?)?).ok())
        })
    }

    fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Left::of_pttl(self.server.left(key).await?) })
    }
}
