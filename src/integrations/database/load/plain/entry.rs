//! The way into a server without TLS: a start, a password, and the server is ready.

use super::Plain;
use crate::{
    integrations::database::address::{Host, Server},
    secret::Secret,
};
use bytes::BytesMut;
use fallible_iterator::FallibleIterator as _;
use postgres_protocol::{
    authentication::{
        md5_hash,
        sasl::{ChannelBinding, SCRAM_SHA_256, ScramSha256},
    },
    message::{backend::Message, frontend},
};
use sqlx::postgres::{PgConnectOptions, PgSslMode};
use std::{io, path::PathBuf};
use tokio::{
    io::AsyncReadExt as _,
    net::{TcpStream, UnixStream},
    sync::OnceCell,
};
use tokio_util::either::Either;

/// What a server says that was asked for TLS and has none.
const NO_TLS: u8 = b'N';

/// The way into one server.
#[derive(Debug)]
pub(in super::super) struct Entry {
    at: At,
    /// The server is asked whether it wants TLS; if so, this is not the way.
    asks: bool,
    start: BytesMut,
    user: String,
    password: Option<Secret>,
    /// Whether it led anywhere when it was first tried.
    works: OnceCell<bool>,
}

#[derive(Debug)]
enum At {
    Tcp(String, u16),
    Unix(PathBuf),
}

impl Entry {
    /// The way into `server`; none where TLS is demanded.
    pub(in super::super) fn of(server: &Server, options: &PgConnectOptions) -> Option<Self> {
        let asks = match options.get_ssl_mode() {
            PgSslMode::Disable | PgSslMode::Allow => false,
            PgSslMode::Prefer => true,
            PgSslMode::Require | PgSslMode::VerifyCa | PgSslMode::VerifyFull => return None,
        };
        let at = match &server.host {
            Host::Tcp(host) => At::Tcp(host.clone(), server.port),
            Host::Unix(directory) => At::Unix(server.socket(directory)),
        };
        let user = options.get_username().to_owned();
        let said = [
            ("user", Some(&*user)),
            ("database", options.get_database()),
            ("client_encoding", Some("UTF8")),
            ("application_name", options.get_application_name()),
            ("options", options.get_options()),
        ];
        let mut start = BytesMut::new();
        let said = said.into_iter().filter_map(|(name, value)| Some((name, value?)));
        frontend::startup_message(said, &mut start).ok()?;
        let (password, works) = (server.password(), OnceCell::new());
        Some(Self { at, asks, start, user, password, works })
    }

    /// A session, if it can be had this way; why not, the driver finds out.
    pub(in super::super) async fn open(&self) -> Option<Plain> {
        let mut first = None;
        let works = async {
            first = self.enter().await.ok();
            first.is_some()
        };
        let works = *self.works.get_or_init(|| works).await;
        match first {
            None if works => self.enter().await.ok(),
            first => first,
        }
    }

    async fn enter(&self) -> io::Result<Plain> {
        let stream = match &self.at {
            At::Tcp(host, port) => {
                let stream = TcpStream::connect((host.as_str(), *port)).await?;
                stream.set_nodelay(true)?;
                Either::Left(stream)
            }
            At::Unix(path) => Either::Right(UnixStream::connect(path).await?),
        };
        let mut session = Plain::new(stream);
        if self.asks {
            frontend::ssl_request(&mut session.request);
            session.send().await?;
            if session.stream.read_u8().await? != NO_TLS {
                return Err(io::ErrorKind::Unsupported.into());
            }
        }
        self.log_in(&mut session).await?;
        Ok(session)
    }

    /// From the start to the moment at which the server is ready.
    pub(super) async fn log_in(&self, session: &mut Plain) -> io::Result<()> {
        session.request.clear();
        session.request.extend_from_slice(&self.start);
        session.send().await?;
        let mut scram = None;
        loop {
            let message = session.hear().await?;
            session.request.clear();
            if self.reply(&message, &mut scram, &mut session.request)? {
                return Ok(());
            }
            if !session.request.is_empty() {
                session.send().await?;
            }
        }
    }

    /// Writes what a message wants to hear; says whether it was the last.
    #[expect(clippy::wildcard_enum_match_arm, reason = "other ways to log in are the driver's")]
    fn reply(
        &self,
        message: &Message,
        scram: &mut Option<ScramSha256>,
        to: &mut BytesMut,
    ) -> io::Result<bool> {
        let unsupported = || io::Error::from(io::ErrorKind::Unsupported);
        let password = || self.password.as_ref().map(Secret::expose).ok_or_else(unsupported);
        match message {
            Message::ReadyForQuery(_) => return Ok(true),
            Message::AuthenticationOk
            | Message::BackendKeyData(_)
            | Message::ParameterStatus(_)
            | Message::NoticeResponse(_) => {}
            Message::AuthenticationCleartextPassword => {
                frontend::password_message(password()?.as_bytes(), to)?;
            }
            Message::AuthenticationMd5Password(asks) => {
                let hash = md5_hash(self.user.as_bytes(), password()?.as_bytes(), asks.salt());
                frontend::password_message(hash.as_bytes(), to)?;
            }
            Message::AuthenticationSasl(asks) => {
                if !asks.mechanisms().any(|name| Ok(name == SCRAM_SHA_256))? {
                    return Err(unsupported());
                }
                let binding = ChannelBinding::unsupported();
                let begun = scram.insert(ScramSha256::new(password()?.as_bytes(), binding));
                frontend::sasl_initial_response(SCRAM_SHA_256, begun.message(), to)?;
            }
            Message::AuthenticationSaslContinue(more) => {
                let begun = scram.as_mut().ok_or_else(unsupported)?;
                begun.update(more.data())?;
                frontend::sasl_response(begun.message(), to)?;
            }
            Message::AuthenticationSaslFinal(last) => {
                // The server proves that it knows the password, too.
                scram.as_mut().ok_or_else(unsupported)?.finish(last.data())?;
            }
            _ => return Err(unsupported()),
        }
        Ok(false)
    }
}
