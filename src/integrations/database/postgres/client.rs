use crate::{
    integrations::database::{
        address::{Host, Server},
        backend::{APPLICATION, POOL},
        fault::{Fault, Kind, Names, Stage},
        postgres::queries,
    },
    probe::Stopwatch,
};
use sqlx::{
    ConnectOptions as _, Connection as _, Decode, PgConnection, Postgres, Row as _, SqlSafeStr,
    Type,
    postgres::{PgConnectOptions, PgRow},
};
use std::time::Duration;
use tokio::{
    sync::Mutex,
    time::{Instant, timeout, timeout_at},
};
use url::Url;

/// What a session says when it ends; the server would notice without it too.
const FAREWELL: Duration = Duration::from_millis(200);

/// The way to one server: a standing session, and others as they are asked for.
pub(super) struct Client {
    server: Server,
    standing: Mutex<Option<Session>>,
}

/// One session of ours, never handed on while a question is open.
pub(super) struct Session {
    link: PgConnection,
    names: Names,
    /// Who and where it is.
    pub(super) identity: Identity,
}

/// What the server says about a session when it begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Identity {
    /// `15.18 (Debian 15.18-0+deb12u1)`.
    pub(super) version: String,
    /// `150018`.
    pub(super) number: i32,
    /// The role, quoted for use in a statement.
    pub(super) role: String,
    /// The database, quoted likewise.
    pub(super) database: String,
    /// The server process.
    pub(super) pid: i32,
    /// Whether the link is encrypted.
    pub(super) tls: bool,
    /// `statement_timeout` before we touched it; zero is none.
    pub(super) timeout: Duration,
    /// Whether the role's transactions are read-only before we touched that.
    pub(super) read_only: bool,
    /// Whether our options arrived: not through a pooler.
    pub(super) own: bool,
}

/// The answer to a question on the standing session.
pub(super) struct Answer {
    /// Its rows.
    pub(super) rows: Vec<PgRow>,
    /// From the question to the answer, without waiting for the session.
    pub(super) took: Duration,
    /// Who answered.
    pub(super) identity: Identity,
}

/// Whether a session asks for options of its own.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Guards {
    Asked,
    Left,
}

impl Client {
    /// Connects when first asked.
    pub(super) fn new(server: Server) -> Self {
        Self { server, standing: Mutex::new(None) }
    }

    /// Where it leads.
    pub(super) fn server(&self) -> &Server {
        &self.server
    }

    /// Asks on the standing session, which it opens first where there is none.
    ///
    /// `name` is the step's on `watch`. While it is in use the session is out of its place, so a run that is
    /// dropped takes it along instead of leaving it half read.
    pub(super) async fn read(
        &self,
        sql: impl SqlSafeStr,
        name: &'static str,
        watch: &mut Stopwatch,
        deadline: Instant,
    ) -> Result<Answer, Fault> {
        let sql = sql.into_sql_str();
        let began = Instant::now();
        let Ok(mut place) = timeout_at(deadline, self.standing.lock()).await else {
            return Err(Fault::hung(sql.as_str(), began.elapsed(), &self.server.peer()));
        };
        let (mut session, fresh) = match place.take() {
            Some(session) => (session, false),
            None => (self.dial_timed(watch, deadline).await?, true),
        };
        let mut answer = session.timed(sql.clone(), deadline).await;
        if !fresh && answer.as_ref().is_err_and(Fault::may_be_stale) {
            // The server was restarted since: that it is back is what counts.
            session = self.dial_timed(watch, deadline).await?;
            answer = session.timed(sql, deadline).await;
        }
        watch.lap(name);
        let identity = session.identity.clone();
        if answer.as_ref().map_or_else(Fault::keeps_session, |_| true) {
            *place = Some(session);
        }
        answer.map(|(rows, took)| Answer { rows, took, identity })
    }

    async fn dial_timed(&self, watch: &mut Stopwatch, by: Instant) -> Result<Session, Fault> {
        let dialled = self.dial(by).await;
        watch.lap("log in");
        dialled
    }

    /// Opens a session of its own, which the caller closes.
    pub(super) async fn dial(&self, deadline: Instant) -> Result<Session, Fault> {
        match self.open(Guards::Asked, deadline).await {
            Err(fault) if fault.kind == Kind::Guards => self.open(Guards::Left, deadline).await,
            other => other,
        }
    }

    /// What the driver needs to know to open the connections of a pool.
    pub(super) fn pool_options(&self, own: bool) -> Result<PgConnectOptions, Fault> {
        let guards = if own { Guards::Asked } else { Guards::Left };
        let options = options(&self.server, guards).map_err(|error| self.fault(&error, "pool"))?;
        let options = options.application_name(POOL);
        let guarded = [
            ("default_transaction_read_only", "on"),
            ("lock_timeout", "500ms"),
            ("statement_timeout", "2s"),
        ];
        Ok(if own { options.options(guarded) } else { options })
    }

    /// What an error of the driver means that came from `asked`.
    pub(super) fn fault(&self, error: &sqlx::Error, asked: &str) -> Fault {
        let names = Names { peer: self.server.peer(), ..Names::default() };
        Fault::of(error, Stage::Dial, asked, &names)
    }

    /// Gives up the standing session: a server that waits for its clients to
    /// leave must not wait for us.
    pub(super) async fn leave(&self) {
        let session = self.standing.lock().await.take();
        if let Some(session) = session {
            session.close().await;
        }
    }

    async fn open(&self, guards: Guards, deadline: Instant) -> Result<Session, Fault> {
        const ASKED: &str = "log in";
        let mut names = Names { peer: self.server.peer(), ..Names::default() };
        let options = options(&self.server, guards)
            .map_err(|error| Fault::of(&error, Stage::Dial, ASKED, &names))?;
        options.get_username().clone_into(&mut names.role);
        options.get_database().unwrap_or(&names.role).clone_into(&mut names.database);
        let began = Instant::now();
        let link = timeout_at(deadline, PgConnection::connect_with(&options))
            .await
            .map_err(|_| Fault::hung(ASKED, began.elapsed(), &names.peer))?
            .map_err(|error| Fault::of(&error, Stage::Dial, ASKED, &names))?;
        let mut session = Session { link, names, identity: Identity::default() };
        session.identify(deadline).await?;
        Ok(session)
    }
}

/// What the driver needs to know. Reads the environment and `~/.pgpass`, as every client does.
fn options(server: &Server, guards: Guards) -> Result<PgConnectOptions, sqlx::Error> {
    let url = Url::parse(server.url.expose())
        .map_err(|error| sqlx::Error::Configuration(error.into()))?;
    let options = PgConnectOptions::from_url(&url)?
        .application_name(APPLICATION)
        // Poolers refuse what they do not know, and nothing here reads a float's last digit.
        .extra_float_digits(None)
        .disable_statement_logging();
    let options = match &server.host {
        Host::Tcp(host) => options.host(host),
        Host::Unix(directory) => options.socket(directory),
    };
    Ok(match guards {
        Guards::Left => options,
        // Set within the session, so that what the role has by itself can still be read.
        Guards::Asked => options.options([("tminus.session", "own")]),
    })
}

/// The same for sessions under load, which wait longer than a check may.
pub(in super::super) fn load_options(
    server: &Server,
    application: &str,
) -> Result<PgConnectOptions, sqlx::Error> {
    let limits = [
        ("statement_timeout", "60s"),
        ("lock_timeout", "5s"),
        ("idle_in_transaction_session_timeout", "5s"),
    ];
    Ok(options(server, Guards::Left)?.application_name(application).options(limits))
}

impl Session {
    /// Asks one question; after a hang or a loss the session is of no more use.
    pub(super) async fn ask(
        &mut self,
        sql: impl SqlSafeStr,
        deadline: Instant,
    ) -> Result<Vec<PgRow>, Fault> {
        self.timed(sql, deadline).await.map(|(rows, _)| rows)
    }

    /// Asks one question and says how long the answer took.
    ///
    /// In the simple protocol: one round trip, nothing prepared that a pooler
    /// could hand to somebody else.
    pub(super) async fn timed(
        &mut self,
        sql: impl SqlSafeStr,
        deadline: Instant,
    ) -> Result<(Vec<PgRow>, Duration), Fault> {
        let sql = sql.into_sql_str();
        let began = Instant::now();
        let answer =
            timeout_at(deadline, sqlx::raw_sql(sql.clone()).fetch_all(&mut self.link)).await;
        let took = began.elapsed();
        let rows = answer
            .map_err(|_| Fault::hung(sql.as_str(), took, &self.names.peer))?
            .map_err(|error| Fault::of(&error, Stage::Statement, sql.as_str(), &self.names))?;
        Ok((rows, took))
    }

    async fn identify(&mut self, deadline: Instant) -> Result<(), Fault> {
        let rows = self.ask(queries::IDENTIFY, deadline).await?;
        let row = first(&rows, queries::IDENTIFY, &self.names.peer)?;
        let timeout: i64 = row.read("timeout")?;
        self.identity = Identity {
            version: row.read("version")?,
            number: row.read("number")?,
            role: row.read("role")?,
            database: row.read("database")?,
            pid: row.read("pid")?,
            tls: row.read("tls")?,
            timeout: Duration::from_millis(timeout.unsigned_abs()),
            read_only: row.read("read_only")?,
            own: row.read("own")?,
        };
        Ok(())
    }

    /// Whom faults on this session name.
    pub(super) fn peer(&self) -> &str {
        &self.names.peer
    }

    /// Takes leave of the server.
    pub(super) async fn close(self) {
        // A server that does not listen any more has closed it itself.
        drop(timeout(FAREWELL, self.link.close()).await);
    }
}

/// A row whose columns fail as a [`Fault`].
pub(super) struct Line<'a> {
    row: &'a PgRow,
    asked: &'a str,
    peer: &'a str,
}

/// The only row of an answer.
pub(super) fn first<'a>(
    rows: &'a [PgRow],
    asked: &'a str,
    peer: &'a str,
) -> Result<Line<'a>, Fault> {
    match rows.first() {
        Some(row) => Ok(Line { row, asked, peer }),
        None => Err(Fault::foreign(asked, peer)),
    }
}

/// Every row of an answer.
pub(super) fn lines<'a>(rows: &'a [PgRow], asked: &'a str) -> impl Iterator<Item = Line<'a>> {
    rows.iter().map(move |row| Line { row, asked, peer: "" })
}

impl Line<'_> {
    /// The column `name`.
    pub(super) fn read<T>(&self, name: &str) -> Result<T, Fault>
    where
        T: for<'r> Decode<'r, Postgres> + Type<Postgres>,
    {
        self.row.try_get(name).map_err(|_| Fault::foreign(self.asked, self.peer))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        integrations::database::{Settings, address::Place},
        secret::Secret,
    };
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
    };

    fn client(port: u16, parameters: &str) -> Client {
        let url = format!("postgres://app:hunter2@127.0.0.1:{port}/shop?{parameters}");
        let settings = Settings { url: Some(Secret::new(url)), ..Settings::default() };
        match Place::of(&settings) {
            Ok(Place::Postgres(server)) => Client::new(server),
            Ok(Place::MySql(_) | Place::Sqlite(_) | Place::Embedded) | Err(_) => {
                panic!("not a server")
            }
        }
    }

    /// One message: its letter, its length, its body.
    fn message(letter: u8, body: &[u8]) -> Vec<u8> {
        let length = u32::try_from(body.len() + 4).unwrap().to_be_bytes();
        [&[letter], length.as_slice(), body].concat()
    }

    fn refusal(code: &str) -> Vec<u8> {
        message(b'E', format!("SFATAL\0VFATAL\0C{code}\0Mhunter2\0\0").as_bytes())
    }

    /// Accepts a session and reads what it begins with.
    async fn accept(listener: &TcpListener) -> (TcpStream, String) {
        let (mut stream, _) = listener.accept().await.unwrap();
        let length = stream.read_u32().await.unwrap();
        let mut startup = vec![0; usize::try_from(length).unwrap() - 4];
        stream.read_exact(&mut startup).await.unwrap();
        (stream, String::from_utf8_lossy(&startup).into_owned())
    }

    #[tokio::test]
    async fn a_pooler_that_refuses_our_options_is_asked_without_them() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let client = client(listener.local_addr().unwrap().port(), "sslmode=disable");
        let pooler = async {
            let (mut stream, first) = accept(&listener).await;
            stream.write_all(&refusal("08P01")).await.unwrap();
            let (mut stream, second) = accept(&listener).await;
            let welcome = [message(b'R', &[0; 4]), message(b'Z', b"I"), refusal("42883")].concat();
            stream.write_all(&welcome).await.unwrap();
            (first, second, stream)
        };
        let deadline = Instant::now() + Duration::from_secs(5);
        let (dialled, (first, second, _open)) = tokio::join!(client.dial(deadline), pooler);
        assert!(first.contains("tminus.session=own"));
        assert!(first.contains("application_name\0tminus-probe\0"), "{first:?}");
        assert!(!second.contains("tminus.session"), "{second:?}");
        let fault = dialled.err().unwrap();
        assert_eq!(fault.code, "42883", "the second session was opened: {fault:?}");
        assert!(!format!("{:?}", fault.finding()).contains("hunter2"));
    }

    #[test]
    fn an_address_reaches_the_driver_without_its_brackets() {
        let url = Some(Secret::new("postgres://app@[::1]/shop?application_name=mine"));
        let Ok(Place::Postgres(server)) = Place::of(&Settings { url, ..Settings::default() })
        else {
            panic!("not a server")
        };
        let options = options(&server, Guards::Left).unwrap();
        assert_eq!(options.get_host(), "::1");
        assert_eq!(options.get_application_name(), Some(APPLICATION));
        assert_eq!(options.get_database(), Some("shop"));
    }
}
