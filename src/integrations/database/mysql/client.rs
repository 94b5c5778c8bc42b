use super::{address::Server, queries};
use crate::integrations::database::fault::{Dialect, Fault, Kind, Names, Stage};
use sqlx::{
    AssertSqlSafe, ConnectOptions as _, Connection as _, MySqlConnection, Row as _,
    mysql::{MySqlConnectOptions, MySqlRow},
};
use std::{str::FromStr, time::Duration};
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
    link: MySqlConnection,
    names: Names,
    /// Who and where it is.
    pub(super) identity: Identity,
}

/// What the server says about a session when it begins.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Identity {
    /// `10.11.6-MariaDB-0+deb12u1`, `8.4.3`.
    pub(super) version: String,
    /// Whose privileges it has, quoted for use in a statement.
    pub(super) account: String,
    /// The database that is selected; none where the URL names none.
    pub(super) database: Option<String>,
    /// The session's number.
    pub(super) id: u64,
    /// Whether the link is encrypted.
    pub(super) tls: bool,
    /// Whether nothing stands in between and hands sessions around.
    pub(super) own: bool,
}

impl Identity {
    /// Whether it is MariaDB rather than MySQL.
    pub(super) fn is_maria(&self) -> bool {
        self.version.contains("MariaDB")
    }

    /// `MariaDB 10.11.6`.
    pub(super) fn product(&self) -> String {
        let name = if self.is_maria() { "MariaDB" } else { "MySQL" };
        let number = self.version.split('-').next().unwrap_or_default();
        format!("{name} {number}")
    }
}

/// The answer to a question on the standing session.
pub(super) struct Answer {
    /// Its rows.
    pub(super) rows: Vec<Line>,
    /// Who answered.
    pub(super) identity: Identity,
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
    /// While it is in use the session is out of its place, so a run that is
    /// dropped takes it along instead of leaving it half read.
    pub(super) async fn read(&self, sql: &str, deadline: Instant) -> Result<Answer, Fault> {
        let began = Instant::now();
        let Ok(mut place) = timeout_at(deadline, self.standing.lock()).await else {
            return Err(Fault::hung(sql, began.elapsed(), &self.server.peer()));
        };
        let (mut session, fresh) = match place.take() {
            Some(session) => (session, false),
            None => (self.dial(deadline).await?, true),
        };
        let mut answer = session.ask(sql, deadline).await;
        if !fresh && answer.as_ref().is_err_and(Fault::may_be_stale) {
            // The server was restarted since: that it is back is what counts.
            session = self.dial(deadline).await?;
            answer = session.ask(sql, deadline).await;
        }
        let identity = session.identity.clone();
        if answer.as_ref().map_or_else(Fault::keeps_session, |_| true) {
            *place = Some(session);
        }
        answer.map(|rows| Answer { rows, identity })
    }

    /// Opens a session of its own, which the caller closes.
    pub(super) async fn dial(&self, deadline: Instant) -> Result<Session, Fault> {
        const ASKED: &str = "log in";
        let mut names = self.names();
        let options = self.options().map_err(|error| dialled(&error, &names))?;
        options.get_username().clone_into(&mut names.role);
        options.get_database().unwrap_or_default().clone_into(&mut names.database);
        let began = Instant::now();
        let link = timeout_at(deadline, MySqlConnection::connect_with(&options))
            .await
            .map_err(|_| Fault::hung(ASKED, began.elapsed(), &names.peer))?
            .map_err(|error| dialled(&error, &names))?;
        let mut session = Session { link, names, identity: Identity::default() };
        session.identify(deadline).await?;
        Ok(session)
    }

    /// What the driver needs to know.
    pub(super) fn options(&self) -> Result<MySqlConnectOptions, sqlx::Error> {
        load_options(&self.server)
    }

    /// What an error of the driver means that came from opening a session.
    pub(super) fn fault(&self, error: &sqlx::Error) -> Fault {
        dialled(error, &self.names())
    }

    fn names(&self) -> Names {
        Names { peer: self.server.peer(), dialect: Dialect::MySql, ..Names::default() }
    }
}

/// What the driver needs to know, for a session under load as for any other.
pub(in super::super) fn load_options(server: &Server) -> Result<MySqlConnectOptions, sqlx::Error> {
    let url = Url::parse(server.url.expose())
        .map_err(|error| sqlx::Error::Configuration(error.into()))?;
    // What it would set by itself is none of our business, and a pooler would
    // hand it on to somebody else.
    Ok(MySqlConnectOptions::from_url(&url)?
        .pipes_as_concat(false)
        .no_engine_substitution(false)
        .timezone(None)
        .disable_statement_logging())
}

/// What it means that no session was opened with a server that has greeted us.
fn dialled(error: &sqlx::Error, names: &Names) -> Fault {
    const ASKED: &str = "log in";
    if matches!(error, sqlx::Error::Protocol(_)) {
        let says = "account logs in by a method not understood".to_owned();
        let remedy =
            "ALTER USER … IDENTIFIED VIA mysql_native_password, or caching_sha2_password with TLS";
        return Fault::new(Kind::Credentials, ASKED, says, remedy);
    }
    if let sqlx::Error::Configuration(said) = error
        && said.to_string().contains("RSA")
    {
        let says = "password may only be sent through TLS".to_owned();
        let remedy = "let the server offer TLS and add ?ssl-mode=REQUIRED to the url";
        return Fault::new(Kind::Tls, ASKED, says, remedy);
    }
    Fault::of(error, Stage::Dial, ASKED, names)
}

impl Session {
    /// Asks one question; after a hang or a loss the session is of no more use.
    pub(super) async fn ask(&mut self, sql: &str, deadline: Instant) -> Result<Vec<Line>, Fault> {
        self.timed(sql, deadline).await.map(|(rows, _)| rows)
    }

    /// Asks one question and says how long the answer took.
    ///
    /// As text: one round trip, and nothing prepared that stays with the server.
    pub(super) async fn timed(
        &mut self,
        sql: &str,
        deadline: Instant,
    ) -> Result<(Vec<Line>, Duration), Fault> {
        let began = Instant::now();
        let question = sqlx::raw_sql(AssertSqlSafe(sql.to_owned())).fetch_all(&mut self.link);
        let answer = timeout_at(deadline, question).await;
        let took = began.elapsed();
        let rows = answer
            .map_err(|_| Fault::hung(sql, took, &self.names.peer))?
            .map_err(|error| Fault::of(&error, Stage::Statement, sql, &self.names))?;
        Ok((rows.into_iter().map(Line).collect(), took))
    }

    /// Asks who and where it is, and sets what keeps it from harm.
    async fn identify(&mut self, deadline: Instant) -> Result<(), Fault> {
        let rows = self.ask(queries::IDENTIFY, deadline).await?;
        let line = first(&rows, queries::IDENTIFY)?;
        let account = line.text("account")?.unwrap_or_default();
        self.identity = Identity {
            version: line.text("version")?.unwrap_or_default(),
            account: quoted(&account),
            database: line.text("name")?,
            id: line.number("id")?,
            tls: false,
            own: line.number::<u8>("own")? == 1,
        };
        let cipher = self.ask(queries::CIPHER, deadline).await?;
        self.identity.tls = match cipher.first() {
            Some(line) => line.text("Value")?.is_some_and(|cipher| !cipher.is_empty()),
            None => false,
        };
        if self.identity.own {
            self.ask(queries::guards(self.identity.is_maria()), deadline).await?;
        }
        Ok(())
    }

    /// Says goodbye, so that the server does not log a client that went away.
    pub(super) async fn close(self) {
        drop(timeout(FAREWELL, self.link.close()).await);
    }
}

/// `app@10.%` as `'app'@'10.%'`.
fn quoted(account: &str) -> String {
    let (user, host) = account.rsplit_once('@').unwrap_or((account, "%"));
    let quote = |part: &str| format!("'{}'", part.replace('\\', "\\\\").replace('\'', "''"));
    format!("{}@{}", quote(user), quote(host))
}

/// One row of an answer, every value of which is text.
pub(super) struct Line(MySqlRow);

/// The only row that an answer has.
pub(super) fn first<'a>(rows: &'a [Line], asked: &str) -> Result<&'a Line, Fault> {
    rows.first().ok_or_else(|| shapeless(asked))
}

fn shapeless(asked: &str) -> Fault {
    let says = "server answered in another shape".to_owned();
    Fault::new(Kind::Foreign, asked, says, "look for a proxy that answers in the server's place")
}

impl Line {
    /// The column `name`; nothing where it is null.
    pub(super) fn text(&self, name: &str) -> Result<Option<String>, Fault> {
        self.0.try_get_unchecked(name).map_err(|_| shapeless(name))
    }

    /// The column `name` as a number, zero where it is null.
    pub(super) fn number<T: FromStr + Default>(&self, name: &str) -> Result<T, Fault> {
        match self.text(name)? {
            None => Ok(T::default()),
            Some(text) => text.parse().map_err(|_| shapeless(name)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_account_is_quoted_for_a_grant() {
        assert_eq!(quoted("app@%"), "'app'@'%'");
        assert_eq!(quoted("o'b@x@10.0.0.%"), "'o''b@x'@'10.0.0.%'");
    }

    #[test]
    fn both_products_are_told_apart() {
        let of = |version: &str| Identity { version: version.into(), ..Identity::default() };
        assert_eq!(of("10.11.6-MariaDB-0+deb12u1").product(), "MariaDB 10.11.6");
        assert_eq!(of("8.4.3").product(), "MySQL 8.4.3");
        assert!(!of("8.0.36-0ubuntu0.22.04.1").is_maria());
    }

    #[test]
    fn what_keeps_us_out_is_told_apart() {
        let names = Names { dialect: Dialect::MySql, ..Names::default() };
        let method = dialled(&sqlx::Error::Protocol("hunter2".into()), &names);
        assert_eq!(method.kind, Kind::Credentials);
        let rsa = sqlx::Error::Configuration("RSA auth backend disabled".into());
        assert_eq!(dialled(&rsa, &names).kind, Kind::Tls);
        let option = sqlx::Error::Configuration("hunter2".into());
        assert_eq!(dialled(&option, &names).kind, Kind::Misconfigured);
    }
}
