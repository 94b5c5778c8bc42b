//! One connection that listens: dialling, greeting, joining, hearing.

use super::{
    super::super::{
        client::{ANSWER, Purpose, hello, lacks_hello},
        reply::odd,
        server::Server,
        transport::Transport,
        trouble::{Step, Trouble},
        wire::Stream,
    },
    Confirmed, Message, Topic,
    frame::{Heard, decode},
};
use crate::probe::Stopwatch;
use redis::{Cmd, Value};
use std::{sync::Arc, time::Duration};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    time::{Instant, timeout, timeout_at},
};

/// How long it may take until a new connection listens.
const OPENING: Duration = Duration::from_millis(1500);
/// Messages that may come before the last topic is confirmed.
const EARLY: usize = 1024;

/// How to get a connection, and who counts what is sent on it.
#[derive(Clone)]
pub(super) struct Way {
    pub(super) transport: Arc<Transport>,
    pub(super) server: Server,
}

/// A connection that listens. Closed when dropped.
pub(super) struct Link {
    stream: Box<dyn Stream>,
    came: Vec<u8>,
    server: Server,
}

/// A connection on which every topic is confirmed.
pub(super) struct Opened {
    pub(super) link: Link,
    pub(super) confirmed: Vec<Confirmed>,
    /// What was heard before the last of them was.
    pub(super) early: Vec<Message>,
}

impl Way {
    /// Connects, greets, and waits until all of `topics` are confirmed.
    pub(super) async fn open(&self, topics: &[Topic]) -> Result<Opened, Trouble> {
        let deadline = Instant::now() + OPENING;
        let (stream, _) = self.transport.open(&mut Stopwatch::start(), deadline).await?;
        let mut link = Link::over(stream, self.server.clone());
        let late = Trouble::Late { step: Step::Answer, after: OPENING };
        let joined = async {
            link.greet(&self.transport).await?;
            link.join(topics).await
        };
        let joined = timeout_at(deadline, joined).await.unwrap_or(Err(late));
        let (confirmed, early) =
            joined.inspect_err(|trouble| self.transport.crowd.note(trouble))?;
        Ok(Opened { link, confirmed, early })
    }
}

impl Link {
    /// A connection that nothing was said on yet.
    pub(super) fn over(stream: Box<dyn Stream>, server: Server) -> Self {
        server.tally().opened();
        Self { stream, came: Vec::new(), server }
    }

    async fn greet(&mut self, transport: &Transport) -> Result<(), Trouble> {
        match self.ask(&hello(transport, Purpose::Listen)).await {
            Err(Trouble::Reply { code, text }) if lacks_hello(&code, &text) => {}
            greeted => return greeted.map(drop),
        }
        if let Some(password) = &transport.address.password {
            let user = &transport.address.user;
            self.ask(&redis::cmd("AUTH").arg(user).arg(password.expose()).take()).await?;
        }
        let name = redis::cmd("CLIENT").arg("SETNAME").arg(Purpose::Listen.name()).take();
        match self.ask(&name).await {
            // A proxy need not know it.
            Ok(_) | Err(Trouble::Reply { .. }) => Ok(()),
            Err(trouble) => Err(trouble),
        }
    }

    async fn ask(&mut self, question: &Cmd) -> Result<Value, Trouble> {
        self.send(std::slice::from_ref(question)).await?;
        self.next().await
    }

    /// Asks for all topics in one go, and waits for as many confirmations.
    async fn join(&mut self, topics: &[Topic]) -> Result<(Vec<Confirmed>, Vec<Message>), Trouble> {
        self.say(&by(topics, "SUBSCRIBE", "PSUBSCRIBE")).await?;
        let (mut confirmed, mut early) = (Vec::new(), Vec::new());
        while confirmed.len() < topics.len() {
            let value = self.next().await?;
            match Heard::of(value.clone()) {
                Heard::Joined(topic) => confirmed.push(topic),
                Heard::Message(_) if early.len() >= EARLY => return Err(Trouble::TooLong),
                Heard::Message(message) => early.push(message),
                Heard::Left(_) | Heard::Pong | Heard::Other => {
                    return Err(odd("a confirmation", &value));
                }
            }
        }
        Ok((confirmed, early))
    }

    /// Stops listening to `topics`; the confirmations come among the messages.
    pub(super) async fn leave(&mut self, topics: &[Topic]) -> Result<(), Trouble> {
        self.say(&by(topics, "UNSUBSCRIBE", "PUNSUBSCRIBE")).await
    }

    /// Asks for a sign of life; it comes among the messages.
    pub(super) async fn ping(&mut self) -> Result<(), Trouble> {
        self.send(&[redis::cmd("PING")]).await
    }

    /// Sends what may be shown, which a greeting with its password may not.
    async fn say(&mut self, commands: &[Cmd]) -> Result<(), Trouble> {
        for command in commands {
            self.server.said(command);
        }
        self.send(commands).await
    }

    async fn send(&mut self, commands: &[Cmd]) -> Result<(), Trouble> {
        let mut packed = Vec::new();
        for command in commands {
            let before = packed.len();
            command.write_packed_command(&mut packed);
            self.server.tally().sends(packed.len() - before);
        }
        let late = Trouble::Late { step: Step::Answer, after: ANSWER };
        let sent = async {
            self.stream.write_all(&packed).await?;
            self.stream.flush().await
        };
        timeout(ANSWER, sent).await.map_err(|_| late)?.map_err(|_| Trouble::Cut)
    }

    /// What comes next. Has no deadline of its own; dropping it loses nothing.
    pub(super) async fn next(&mut self) -> Result<Value, Trouble> {
        loop {
            if let Some((frame, used)) = decode(&self.came)? {
                self.came.drain(..used);
                return frame;
            }
            match self.stream.read_buf(&mut self.came).await {
                Ok(1..) => {}
                Ok(0) | Err(_) => return Err(Trouble::Cut),
            }
        }
    }
}

impl Drop for Link {
    fn drop(&mut self) {
        self.server.tally().closed();
    }
}

/// One command for as many topics as it can name, in their order.
fn by(topics: &[Topic], name: &'static str, pattern: &'static str) -> Vec<Cmd> {
    let alike = topics.chunk_by(|one, next| one.is_pattern() == next.is_pattern());
    let command = |alike: &[Topic]| {
        let names: Vec<&str> = alike.iter().map(Topic::as_str).collect();
        redis::cmd(if alike[0].is_pattern() { pattern } else { name }).arg(names).take()
    };
    alike.map(command).collect()
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::super::{address::Address, client::Client, topology::Entrance},
        *,
    };
    use crate::secret::Secret;
    use tokio::{
        net::{TcpListener, TcpStream},
        time::sleep,
    };

    const HELLO: &[u8] = b"+OK\r\n";
    const JOINED: &[u8] = b"*3\r\n$9\r\nsubscribe\r\n$1\r\ne\r\n:1\r\n";

    /// A server that says these things, one after each request, and then holds the line.
    async fn opened(says: &'static [&'static [u8]]) -> Result<Opened, Trouble> {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let port = listener.local_addr().unwrap().port();
        tokio::spawn(async move {
            while let Ok((mut stream, _)) = listener.accept().await {
                tokio::spawn(async move { answer(&mut stream, says).await });
            }
        });
        let address = Address::parse(&Secret::new(format!("redis://127.0.0.1:{port}"))).unwrap();
        let transport = Arc::new(Transport::new(Entrance::of(address), None));
        let deadline = Instant::now() + OPENING;
        let client =
            Client::dial(&transport, Purpose::Data, &mut Stopwatch::start(), deadline).await;
        let way = Way { transport, server: Server::new(Arc::new(client.unwrap())) };
        way.open(&[Topic::Channel("e".into()), Topic::Pattern("p*".into())]).await
    }

    async fn answer(stream: &mut TcpStream, says: &[&[u8]]) {
        let mut heard = [0; 1024];
        for said in says {
            if stream.read(&mut heard).await.is_ok_and(|bytes| bytes > 0) {
                stream.write_all(said).await.unwrap();
            }
        }
        sleep(Duration::from_mins(1)).await;
    }

    #[test]
    fn topics_of_a_kind_share_a_command_and_keep_their_order() {
        let topics = [
            Topic::Channel("a".into()),
            Topic::Pattern("b*".into()),
            Topic::Pattern("c*".into()),
            Topic::Channel("d".into()),
        ];
        let packed: Vec<_> = by(&topics, "S", "P").iter().map(Cmd::get_packed_command).collect();
        let expected: [&[u8]; 3] = [
            b"*2\r\n$1\r\nS\r\n$1\r\na\r\n",
            b"*3\r\n$1\r\nP\r\n$2\r\nb*\r\n$2\r\nc*\r\n",
            b"*2\r\n$1\r\nS\r\n$1\r\nd\r\n",
        ];
        assert_eq!(packed, expected);
    }

    #[tokio::test]
    async fn one_confirmation_is_not_all() {
        let late = Trouble::Late { step: Step::Answer, after: OPENING };
        assert_eq!(opened(&[HELLO, JOINED]).await.err(), Some(late));
    }

    #[tokio::test]
    async fn what_is_heard_between_confirmations_is_not_lost() {
        const BOTH: &[u8] =
            b"*3\r\n$9\r\nsubscribe\r\n$1\r\ne\r\n:1\r\n*3\r\n$7\r\nmessage\r\n$1\r\ne\r\n$2\r\nhi\
            \r\n*3\r\n$10\r\npsubscribe\r\n$2\r\np*\r\n:2\r\n";
        let opened = opened(&[HELLO, BOTH]).await.unwrap();
        assert_eq!((opened.confirmed.len(), opened.early.len()), (2, 1));
        assert_eq!(opened.early[0].payload, b"hi");
    }

    #[tokio::test]
    async fn a_refusal_is_told_as_it_is() {
        let refused = opened(&[HELLO, b"-NOPERM no channels\r\n"]).await.err();
        assert_eq!(refused, Some(Trouble::of_line("NOPERM no channels")));
        let strange = opened(&[HELLO, b"+hello\r\n"]).await.err();
        assert!(matches!(strange, Some(Trouble::Odd(_))), "{strange:?}");
    }
}
