use super::{
    super::{
        super::{
            keys::CEILING,
            reply::{count, odd},
            server::{Lua, Server, verdict},
            trouble::Trouble,
        },
        Answer, Left, Token,
    },
    Acquired, Key, Lock, Owner, Written,
};
use redis::Value;
use std::time::Duration;

/// The lock on a server: a string for the holder, a counter for the fence.
pub(crate) struct OnServer {
    server: Server,
    script: Lua,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self { server, script: Lua::new(include_str!("lock.lua")) }
    }

    /// Whether it was done, and what was told besides.
    async fn run(&self, keys: &[&Key], arguments: &[&[u8]]) -> Result<(bool, Value), Trouble> {
        match verdict(self.server.run(&self.script, keys, arguments).await?)? {
            (1, told) => Ok((true, told)),
            (0, told) => Ok((false, told)),
            (other, _) => Err(odd("0 or 1", &Value::Int(other))),
        }
    }
}

fn owner(is_owner: bool) -> Owner {
    if is_owner { Owner::Yes } else { Owner::No }
}

impl Lock for OnServer {
    fn acquire<'a>(
        &'a self,
        key: &'a Key,
        token: &'a Token,
        ttl: Duration,
    ) -> Answer<'a, Acquired> {
        Box::pin(async move {
            let (ttl, fence) = (self.server.lives(ttl), self.server.lives(CEILING));
            let arguments: [&[u8]; 4] =
                [b"acquire", token.as_bytes(), ttl.as_bytes(), fence.as_bytes()];
            Ok(match self.run(&[key, &key.part("fence")], &arguments).await? {
                (true, fence) => Acquired::Held { fence: count(&fence)? },
                (false, left) => Acquired::Busy { left: Duration::from_millis(count(&left)?) },
            })
        })
    }

    fn extend<'a>(&'a self, key: &'a Key, token: &'a Token, ttl: Duration) -> Answer<'a, Owner> {
        Box::pin(async move {
            let ttl = self.server.lives(ttl);
            let arguments: [&[u8]; 3] = [b"extend", token.as_bytes(), ttl.as_bytes()];
            Ok(owner(self.run(&[key], &arguments).await?.0))
        })
    }

    fn release<'a>(&'a self, key: &'a Key, token: &'a Token) -> Answer<'a, Owner> {
        Box::pin(
            async move { Ok(owner(self.run(&[key], &[b"release", token.as_bytes()]).await?.0)) },
        )
    }

    fn remembered<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
        Box::pin(async move { Left::of_pttl(self.server.left(&key.part("fence")).await?) })
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
            let (fence, ttl) = (fence.to_string(), self.server.lives(ttl));
            let arguments: [&[u8]; 4] = [b"write", fence.as_bytes(), ttl.as_bytes(), value];
            let written = self.run(&[key], &arguments).await?.0;
            Ok(if written { Written::Accepted } else { Written::Refused })
        })
    }
}
