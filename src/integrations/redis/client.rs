//! One connection to one server: dialling, greeting, asking.

use super::{
    address::Place,
    crowd::Crowd,
    greeting::Greeting,
    reply::text,
    topology::arrive,
    transport::Transport,
    trouble::{Step, Trouble},
    wire::{Limited, Stream, Tap},
};
use crate::probe::{Stopwatch, this_run};
use redis::{
    AsyncConnectionConfig, Cmd, RedisConnectionInfo, RedisError, Value, aio::MultiplexedConnection,
};
use std::{
    cmp,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicU8, AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::time::{Instant, timeout, timeout_at};
use tokio_util::task::AbortOnDropHandle;

/// How long one answer may take.
pub(super) const ANSWER: Duration = Duration::from_secs(1);
/// Answers in a row that may be late before the connection is given up: a
/// connection that leads into nothing does not end by itself for minutes.
const PATIENCE: u8 = 2;

/// An alarm of ours that comes later than this says that this host is starved.
pub(super) const STARVED: Duration = Duration::from_millis(250);

/// What a connection is for; servers list it by this name.
#[derive(Clone, Copy, Debug)]
pub(super) enum Purpose {
    /// A fresh one for each look.
    Probe,
    /// The one that all other checks share.
    Data,
    /// The one that hears what is published.
    Listen,
}

/// A greeted connection. Closed when dropped.
pub(super) struct Client {
    // Goes first: once it is stopped, the end of the connection is our doing.
    _driver: AbortOnDropHandle<()>,
    connection: MultiplexedConnection,
    pub(super) greeting: Greeting,
    /// Where it leads; unknown until it is greeted.
    pub(super) place: Option<Place>,
    tap: Arc<Tap>,
    sent: AtomicU64,
    late: AtomicU8,
    fate: Arc<Fate>,
}

/// What becomes of a connection, and who wants to know.
#[derive(Default)]
struct Fate {
    spent: AtomicBool,
    watched: Option<Watched>,
}

/// Who is to know of the end of a connection, and as what.
type Watched = (Crowd, fn(&Crowd));

impl Fate {
    /// It is of no more use, and our side knew first.
    fn spend(&self, tell: fn(&Crowd)) {
        if !self.spent.swap(true, Relaxed)
            && let Some((crowd, _)) = &self.watched
        {
            tell(crowd);
        }
    }

    /// The other side has closed it.
    fn end(&self) {
        if !self.spent.swap(true, Relaxed)
            && let Some((crowd, tell)) = &self.watched
        {
            tell(crowd);
        }
    }
}

impl Client {
    /// Connects and greets, writing each step to `watch`.
    pub(super) async fn dial(
        transport: &Transport,
        purpose: Purpose,
        watch: &mut Stopwatch,
        deadline: Instant,
    ) -> Result<Self, Trouble> {
        let (stream, place) = transport.open(watch, deadline).await?;
        let watched = purpose.tells_its_end().map(|tell| (transport.crowd.clone(), tell));
        let over = Self::over(stream, watched);
        let late = Trouble::Late { step: Step::Answer, after: ANSWER };
        let mut client = timeout_at(deadline, over).await.unwrap_or(Err(late))?;
        let greeted = client.greet(transport, purpose, deadline).await;
        watch.lap("hello");
        client.greeting = match greeted {
            Err(Trouble::Closed | Trouble::NotRedis(_))
                if transport.speaks_tls(&place, deadline).await =>
            {
                return Err(Trouble::WantsTls);
            }
            greeted => greeted?,
        };
        client.place = Some(place);
        arrive(&mut client, transport, deadline).await?;
        Ok(client)
    }

    /// A connection that nothing was said on yet.
    pub(super) async fn over(
        stream: Box<dyn Stream>,
        watched: Option<Watched>,
    ) -> Result<Self, Trouble> {
        let (limited, tap) = Limited::new(stream);
        // Greeting is ours to do, for its answer and its errors: the driver only carries.
        let silent = RedisConnectionInfo::default().set_skip_set_lib_name();
        let config = AsyncConnectionConfig::new().set_response_timeout(None);
        let carried = MultiplexedConnection::new_with_config(&silent, limited, config).await;
        let (connection, driver) = carried.map_err(|error| told(&error, &tap))?;
        let fate = Arc::new(Fate { watched, ..Fate::default() });
        let told = Arc::clone(&fate);
        let driver = tokio::spawn(async move {
            driver.await;
            // Nobody asked it to end, so the server did.
            told.end();
        });
        Ok(Self {
            _driver: AbortOnDropHandle::new(driver),
            connection,
            greeting: Greeting::default(),
            place: None,
            tap,
            sent: AtomicU64::new(0),
            late: AtomicU8::new(0),
            fate,
        })
    }

    /// `HELLO 3` with the credentials; what older servers and proxies need instead.
    async fn greet(
        &self,
        transport: &Transport,
        purpose: Purpose,
        deadline: Instant,
    ) -> Result<Greeting, Trouble> {
        let address = &transport.address;
        let greeting = match self.ask_by(&hello(transport, purpose), deadline).await {
            Ok(answer) => Greeting::read(&answer),
            Err(Trouble::Reply { code, text }) if lacks_hello(&code, &text) => {
                self.greet_plainly(transport, purpose, deadline).await?
            }
            Err(trouble) => return Err(self.first_words().unwrap_or(trouble)),
        };
        if address.database != 0 {
            let select = redis::cmd("SELECT").arg(address.database).take();
            self.ask_by(&select, deadline).await?;
        }
        Ok(greeting)
    }

    async fn greet_plainly(
        &self,
        transport: &Transport,
        purpose: Purpose,
        deadline: Instant,
    ) -> Result<Greeting, Trouble> {
        let address = &transport.address;
        if let Some(password) = &address.password {
            let auth = redis::cmd("AUTH").arg(&address.user).arg(password.expose()).take();
            self.ask_by(&auth, deadline).await?;
        }
        let name = redis::cmd("CLIENT").arg("SETNAME").arg(purpose.name()).take();
        match self.ask_by(&name, deadline).await {
            // A proxy need not know it: the name is a courtesy to whoever lists clients.
            Ok(_) | Err(Trouble::Reply { .. }) => Ok(Greeting::unspoken()),
            Err(trouble) => Err(trouble),
        }
    }

    /// Asks one question.
    pub(super) async fn ask(&self, question: &Cmd) -> Result<Value, Trouble> {
        self.ask_by(question, Instant::now() + ANSWER).await
    }

    /// Asks one question, to be answered by `deadline` and within [`ANSWER`].
    pub(super) async fn ask_by(&self, question: &Cmd, deadline: Instant) -> Result<Value, Trouble> {
        self.sent.fetch_add(1, Relaxed);
        let began = Instant::now();
        let allowed = cmp::min(ANSWER, deadline.saturating_duration_since(began));
        let mut connection = self.connection.clone();
        let answered = match timeout(allowed, connection.send_packed_command(question)).await {
            Ok(answer) => {
                answer.and_then(Value::extract_error).map_err(|error| told(&error, &self.tap))
            }
            Err(_) => Err(unanswered(allowed, began.elapsed())),
        };
        // Who was greeted did speak Redis.
        let ended = self.place.is_some() && answered == Err(Trouble::Closed);
        let answered = if ended { Err(Trouble::Cut) } else { answered };
        self.remember(answered.as_ref().err());
        answered
    }

    /// How many commands were sent on it, greeting included.
    pub(super) fn sent(&self) -> u64 {
        self.sent.load(Relaxed)
    }

    /// Whether it leads to one node of a cluster.
    pub(super) fn is_cluster(&self) -> bool {
        self.greeting.mode.as_deref() == Some("cluster")
    }

    /// Whether it is of no more use.
    pub(super) fn is_spent(&self) -> bool {
        self.fate.spent.load(Relaxed)
    }

    fn remember(&self, trouble: Option<&Trouble>) {
        let late = match trouble {
            Some(Trouble::Late { .. }) => self.late.load(Relaxed).saturating_add(1),
            Some(_) | None => 0,
        };
        self.late.store(late, Relaxed);
        if let (Some(trouble), Some((crowd, _))) = (trouble, &self.fate.watched) {
            crowd.note(trouble);
        }
        match trouble {
            Some(Trouble::Closed | Trouble::Cut) => self.fate.end(),
            Some(trouble) if trouble.ends_connection() => self.fate.spend(Crowd::turn_away),
            // What is given up for its silence is not asked again at once.
            _ if late >= PATIENCE => self.fate.spend(|_| ()),
            Some(_) | None => {}
        }
    }

    /// What a server said instead of answering. It may refuse us before we ask,
    /// and close; the driver then knows of the end and not of the reason.
    fn first_words(&self) -> Option<Trouble> {
        let first = self.tap.first();
        let line = first.strip_prefix(b"-")?;
        Some(Trouble::of_line(String::from_utf8_lossy(line).lines().next()?))
    }
}

impl Purpose {
    /// What its end is to those who count. That of one that is kept says how steady
    /// the way is; that of any other, that a run was cut short.
    fn tells_its_end(self) -> Option<fn(&Crowd)> {
        match self {
            Self::Data => Some(Crowd::lose),
            Self::Probe => Some(Crowd::turn_away),
            // Who listens connects anew by itself.
            Self::Listen => None,
        }
    }

    /// What a server lists the connection as: `tminus:<role>:<run>`.
    pub(super) fn name(self) -> String {
        let role = match self {
            Self::Probe => "probe",
            Self::Data => "data",
            Self::Listen => "sub",
        };
        format!("tminus:{role}:{}", this_run())
    }
}

/// The greeting, with name and credentials.
pub(super) fn hello(transport: &Transport, purpose: Purpose) -> Cmd {
    let address = &transport.address;
    let mut hello = redis::cmd("HELLO");
    hello.arg(3);
    if let Some(password) = &address.password {
        let user = address.user.as_deref().unwrap_or("default");
        hello.arg("AUTH").arg(user).arg(password.expose());
    }
    hello.arg("SETNAME").arg(purpose.name()).take()
}

/// Whether an answer to it means that the server does not know it.
pub(super) fn lacks_hello(code: &str, text: &str) -> bool {
    code == "NOPROTO" || text.starts_with("unknown command")
}

/// What it means that no answer came in the time that was `allowed`.
pub(super) fn unanswered(allowed: Duration, waited: Duration) -> Trouble {
    silent(Step::Answer, allowed, waited)
}

/// What it means that nothing came of a step in the time that was `allowed`. It may
/// have been waiting for us, if our own alarm came far too late.
pub(super) fn silent(step: Step, allowed: Duration, waited: Duration) -> Trouble {
    match waited.saturating_sub(allowed) {
        lag if lag > STARVED => Trouble::Starved(lag),
        _ => Trouble::Late { step, after: allowed },
    }
}

/// What the driver's error means. Its own text may hold anything and is not used.
fn told(error: &RedisError, tap: &Tap) -> Trouble {
    if tap.overran() {
        return Trouble::TooLong;
    }
    match error.code() {
        Some(code) => {
            Trouble::Reply { code: code.into(), text: error.detail().unwrap_or_default().into() }
        }
        None if error.kind() == redis::ErrorKind::Parse => {
            Trouble::NotRedis(String::from_utf8_lossy(&tap.first()).into_owned())
        }
        None => Trouble::Closed,
    }
}

/// Whether an answer is that to `PING`.
pub(super) fn is_pong(answer: &Value) -> bool {
    text(answer).as_deref() == Some("PONG")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_alarm_that_came_far_too_late_excuses_the_server() {
        let of = |waited| unanswered(ANSWER, Duration::from_millis(waited));
        assert_eq!(of(1250), Trouble::Late { step: Step::Answer, after: ANSWER });
        assert_eq!(of(1251), Trouble::Starved(Duration::from_millis(251)));
        let connects = |waited| silent(Step::Connect, ANSWER, Duration::from_millis(waited));
        assert_eq!(connects(1250), Trouble::Late { step: Step::Connect, after: ANSWER });
        assert_eq!(connects(7560), Trouble::Starved(Duration::from_millis(6560)));
    }

    #[test]
    fn only_a_server_without_hello_is_greeted_in_the_old_way() {
        assert!(lacks_hello("ERR", "unknown command 'HELLO', with args beginning with: "));
        assert!(lacks_hello("NOPROTO", "unsupported protocol version"));
        assert!(!lacks_hello(
            "NOAUTH",
            "HELLO must be called with the client already authenticated"
        ));
        assert!(!lacks_hello("WRONGPASS", "invalid username-password pair"));
    }
}
