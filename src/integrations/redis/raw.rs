//! Connections for whoever speaks the protocol by hand: tests that put load on a
//! server cannot afford a driver between them and it.

use super::{
    Settings,
    fault::Fault,
    in_words,
    keys::Keys,
    topology::Entrance,
    transport::Transport,
    trouble::{Step, Trouble},
    wire::Stream,
};
use crate::{
    probe::{ProbeError, Stopwatch, is_local},
    secret::Secret,
};
use redis::Cmd;
use std::sync::Arc;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout_at},
};

/// Bytes that the answers to a greeting may have.
const GREETING: usize = 4096;

/// A way to one server.
#[derive(Clone)]
pub struct Dial {
    transport: Arc<Transport>,
    /// Whether everything that the settings name is on this machine.
    is_local: bool,
}

/// A greeted connection on which nothing is under way: RESP2, the right user and database.
pub type Raw = Box<dyn Stream>;

/// Why there is no connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Undialled {
    /// In a word: the server's own, such as `NOAUTH`, or ours.
    pub class: String,
    /// In a clause.
    pub says: String,
    /// What to do about it.
    pub hint: String,
}

impl Dial {
    /// The way to the server that `settings` name. Connects to nothing yet.
    ///
    /// # Errors
    ///
    /// Why they name none, and what to do about it.
    pub fn new(settings: &Settings) -> Result<Self, Undialled> {
        let unusable = |says: &str| Undialled {
            class: "unusable".into(),
            says: says.into(),
            hint: "set REDIS_URL, or `url` in [redis]".into(),
        };
        let entrance = Entrance::read(settings).map_err(|wrong| unusable(&in_words(&wrong)))?;
        let entrance = entrance.ok_or_else(|| unusable("no Redis is configured"))?;
        let is_local = entrance.hosts().all(|host| is_local(&host));
        let transport = Arc::new(Transport::new(entrance, settings.ca.clone()));
        Ok(Self { transport, is_local })
    }

    /// The address without any credentials, for people.
    pub fn name(&self) -> String {
        self.transport.address.name()
    }

    /// Whether it is on this machine.
    pub fn is_local(&self) -> bool {
        self.is_local
    }

    /// What the keys of a new run begin with, told from those of all other runs.
    pub fn prefix(service: &str) -> String {
        Keys::new(service).prefix().into()
    }

    /// Connects and greets.
    pub async fn open(&self, deadline: Instant) -> Result<Raw, Undialled> {
        let opened = async {
            let (mut stream, place) =
                self.transport.reach(&mut Stopwatch::start(), deadline).await?;
            if self.is_local && !is_local(&place.host()) {
                let says = format!("leads to {place}, which is not this machine; name it in `url`");
                return Err(Trouble::Reach(ProbeError::Misconfigured(says)));
            }
            let (greeting, asked) = self.greeting();
            let answered = exchange(&mut stream, &greeting, asked);
            let late = |_| Trouble::Late { step: Step::Answer, after: super::client::ANSWER };
            timeout_at(deadline, answered).await.map_err(late)??;
            Ok(stream)
        };
        opened.await.map_err(|trouble| undialled(&trouble))
    }

    /// What to say first, and how many answers it has. The last one is to the name
    /// of the connection, which not every proxy knows.
    fn greeting(&self) -> (Secret, usize) {
        let address = &self.transport.address;
        let mut said: Vec<Cmd> = Vec::new();
        if let Some(password) = &address.password {
            said.push(redis::cmd("AUTH").arg(&address.user).arg(password.expose()).take());
        }
        if address.database != 0 {
            said.push(redis::cmd("SELECT").arg(address.database).take());
        }
        said.push(redis::cmd("CLIENT").arg("SETNAME").arg("tminus:load").take());
        let packed: Vec<u8> = said.iter().flat_map(Cmd::get_packed_command).collect();
        (Secret::new(String::from_utf8_lossy(&packed).into_owned()), said.len())
    }
}

/// What stood in the way, as the checks would say it.
fn undialled(trouble: &Trouble) -> Undialled {
    let Fault { says, remedy, .. } = trouble.fault();
    let class = match trouble {
        Trouble::Reply { code, .. } => code.as_str(),
        Trouble::Late { .. } => "late",
        Trouble::Starved(_) => "starved",
        Trouble::Closed | Trouble::Cut => "closed",
        Trouble::NotRedis(_) | Trouble::TooLong | Trouble::Odd(_) => "not redis",
        Trouble::Tls(_) | Trouble::WantsTls | Trouble::LacksTls => "tls",
        Trouble::Reach(_) => "unreachable",
    };
    Undialled { class: class.into(), says, hint: remedy }
}

/// Says what there is to say first, and hears whether it was taken well.
async fn exchange(stream: &mut Raw, said: &Secret, asked: usize) -> Result<(), Trouble> {
    let closed = |_| Trouble::Closed;
    stream.write_all(said.expose().as_bytes()).await.map_err(closed)?;
    let mut heard = Vec::new();
    while heard.split(|byte| *byte == b'\n').count() <= asked {
        let read = stream.read_buf(&mut heard).await.map_err(closed)?;
        if heard.len() > GREETING {
            return Err(Trouble::TooLong);
        }
        if read == 0 {
            // A server may refuse us before we ask, and close.
            break;
        }
    }
    judge(&String::from_utf8_lossy(&heard), asked)
}

/// Whether all of the `asked` answers are fine. The name of the connection is a
/// courtesy: a proxy need not know the command.
fn judge(heard: &str, asked: usize) -> Result<(), Trouble> {
    let lines: Vec<&str> = heard.lines().collect();
    for (line, place) in lines.iter().zip(1..) {
        match line.strip_prefix('-') {
            Some(error) if place == asked && error.starts_with("ERR ") => {}
            Some(error) => return Err(Trouble::of_line(error)),
            None if line.starts_with('+') => {}
            None => return Err(Trouble::NotRedis((*line).to_owned())),
        }
    }
    if lines.len() < asked { Err(Trouble::Closed) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_greeting_is_judged_by_every_answer() {
        assert_eq!(judge("+OK\r\n+OK\r\n", 2), Ok(()));
        assert_eq!(judge("-ERR unknown command 'CLIENT'\r\n", 1), Ok(()));
        for (heard, asked) in [
            ("-NOAUTH Authentication required.\r\n", 1),
            ("-WRONGPASS invalid\r\n+OK\r\n", 2),
            ("-ERR DB index is out of range\r\n+OK\r\n", 2),
            ("-DENIED Redis is running in protected mode\r\n", 3),
        ] {
            assert!(matches!(judge(heard, asked), Err(Trouble::Reply { .. })), "{heard}");
        }
        assert!(matches!(judge("HTTP/1.1 400 Bad Request\r\n", 1), Err(Trouble::NotRedis(_))));
        assert_eq!(judge("+OK\r\n", 2), Err(Trouble::Closed));
    }

    #[test]
    fn without_an_address_there_is_no_way() {
        let none = Dial::new(&Settings::default()).err().unwrap();
        assert_eq!(none.says, "no Redis is configured");
        let bad = Settings { url: Some(Secret::new("http://:hunter2@db")), ..Settings::default() };
        let bad = Dial::new(&bad).err().unwrap();
        assert!(bad.says.starts_with("`url` is no address") && !bad.says.contains("hunter2"));
    }
}
