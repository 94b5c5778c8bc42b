//! Keeps a subscription alive for as long as somebody wants it.

use super::{
    super::super::{fault::Kind, trouble::Trouble},
    Event, Gap, Topic,
    frame::Heard,
    inbox::Inbox,
    link::{Link, Opened, Way},
};
use redis::Value;
use std::{cmp, sync::Arc, time::Duration};
use tokio::{
    sync::{mpsc, oneshot},
    time::{Instant, sleep, sleep_until},
};

/// How often a sign of life is asked for, and how many may stay out. A listener
/// that says nothing itself never learns that its connection leads nowhere.
const BEAT: Duration = Duration::from_secs(5);
const PATIENCE: u8 = 2;
/// First and longest pause between attempts to connect anew.
const PAUSES: (Duration, Duration) = (Duration::from_millis(50), Duration::from_secs(2));

/// What a consumer may ask for.
pub(super) enum Order {
    /// Stop listening to these; told when all are confirmed.
    Leave(Vec<Topic>, oneshot::Sender<()>),
    /// Drop the connection.
    Cut,
}

/// Looks after one subscription.
pub(super) struct Supervisor {
    pub(super) way: Way,
    pub(super) topics: Vec<Topic>,
    pub(super) inbox: Arc<Inbox>,
    pub(super) orders: mpsc::Receiver<Order>,
}

/// How a connection ended.
enum Ended {
    /// It is of no more use.
    Lost,
    /// Nobody listens any more.
    Unwanted,
}

/// What is known of a connection while it is attended to.
struct Watch {
    next: Instant,
    /// Signs of life that stayed out.
    missed: u8,
    /// Topics whose end is not confirmed yet, and who waits for that.
    leaving: Vec<(Vec<Topic>, oneshot::Sender<()>)>,
}

impl Supervisor {
    /// Runs until nobody wants the subscription, or it may never be had again.
    pub(super) async fn run(mut self, mut link: Link) {
        while let Ended::Lost = self.attend(&mut link).await {
            drop(link);
            let since = Instant::now();
            match self.connect_anew().await {
                Ok(opened) => {
                    self.inbox.put(Event::Gap(Gap::Away(since.elapsed())));
                    opened
                        .early
                        .into_iter()
                        .for_each(|early| self.inbox.put(Event::Message(early)));
                    link = opened.link;
                }
                Err(why) => return self.inbox.end(why),
            }
        }
    }

    async fn attend(&mut self, link: &mut Link) -> Ended {
        let mut watch = Watch { next: Instant::now() + BEAT, missed: 0, leaving: Vec::new() };
        loop {
            let goes_on = tokio::select! {
                came = link.next() => came.is_ok_and(|value| self.hear(value, &mut watch)),
                order = self.orders.recv() => match order {
                    Some(order) => self.obey(order, link, &mut watch).await,
                    None => return Ended::Unwanted,
                },
                () = sleep_until(watch.next) => watch.beat(link).await,
            };
            if !goes_on {
                return Ended::Lost;
            }
        }
    }

    /// Passes on what was heard.
    fn hear(&mut self, value: Value, watch: &mut Watch) -> bool {
        match Heard::of(value) {
            Heard::Message(message) => self.inbox.put(Event::Message(message)),
            Heard::Pong => watch.missed = 0,
            Heard::Left(topic) => watch.left(&topic),
            Heard::Joined(_) | Heard::Other => {}
        }
        true
    }

    async fn obey(&mut self, order: Order, link: &mut Link, watch: &mut Watch) -> bool {
        let Order::Leave(topics, done) = order else { return false };
        self.topics.retain(|topic| !topics.contains(topic));
        let sent = link.leave(&topics).await;
        watch.leaving.push((topics, done));
        sent.is_ok()
    }

    /// The same topics on a new connection.
    async fn connect_anew(&self) -> Result<Opened, Trouble> {
        let (mut pause, longest) = PAUSES;
        loop {
            sleep(pause).await;
            match self.way.open(&self.topics).await {
                Ok(opened) => return Ok(opened),
                // Asking again and again with a wrong password locks accounts.
                Err(why) if why.fault().kind == Kind::Credentials => return Err(why),
                Err(_) => pause = cmp::min(pause * 2, longest),
            }
        }
    }
}

impl Watch {
    async fn beat(&mut self, link: &mut Link) -> bool {
        if self.missed >= PATIENCE {
            return false;
        }
        self.missed += 1;
        self.next = Instant::now() + BEAT;
        link.ping().await.is_ok()
    }

    fn left(&mut self, topic: &Topic) {
        for (topics, _) in &mut self.leaving {
            topics.retain(|leaving| leaving != topic);
        }
        for (_, done) in self.leaving.extract_if(.., |(topics, _)| topics.is_empty()) {
            // Whoever asked may have given up waiting.
            let _given_up = done.send(());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::super::super::{
            address::Address, client::Client, server::Server, topology::Entrance,
            transport::Transport,
        },
        *,
    };
    use crate::secret::Secret;
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _, DuplexStream, duplex};

    /// A supervisor, its connection, and the other ends of that and of its orders.
    async fn set_up() -> (Supervisor, Link, DuplexStream, mpsc::Sender<Order>) {
        let client = Client::over(Box::new(duplex(1024).0), None).await.unwrap();
        let server = Server::new(Arc::new(client));
        let address = Address::parse(&Secret::new("redis://127.0.0.1:1")).unwrap();
        let way = Way { transport: Arc::new(Transport::new(Entrance::of(address), None)), server };
        let ((ours, theirs), (sender, orders)) = (duplex(1024), mpsc::channel(1));
        let link = Link::over(Box::new(ours), way.server.clone());
        let topics = vec![Topic::Channel("e".into()), Topic::Pattern("p*".into())];
        (Supervisor { way, topics, inbox: Arc::default(), orders }, link, theirs, sender)
    }

    #[tokio::test(start_paused = true)]
    async fn a_connection_that_leads_nowhere_is_given_up() {
        let (mut supervisor, mut link, _silent, _sender) = set_up().await;
        let began = Instant::now();
        assert!(matches!(supervisor.attend(&mut link).await, Ended::Lost));
        assert_eq!(began.elapsed(), BEAT * 3);
    }

    #[tokio::test(start_paused = true)]
    async fn signs_of_life_keep_a_connection_until_it_ends() {
        let (mut supervisor, mut link, mut theirs, _sender) = set_up().await;
        let (began, beats) = (Instant::now(), 9);
        tokio::spawn(async move {
            for _ in 0..beats {
                let mut asked = [0; 14];
                theirs.read_exact(&mut asked).await.unwrap();
                assert_eq!(&asked, b"*1\r\n$4\r\nPING\r\n");
                theirs.write_all(b"+PONG\r\n").await.unwrap();
            }
        });
        assert!(matches!(supervisor.attend(&mut link).await, Ended::Lost));
        assert_eq!(began.elapsed(), BEAT * beats);
    }

    #[tokio::test(start_paused = true)]
    async fn a_topic_is_left_once_its_confirmation_came() {
        let (mut supervisor, mut link, mut theirs, sender) = set_up().await;
        let (done, mut left) = oneshot::channel();
        sender.send(Order::Leave(vec![Topic::Channel("e".into())], done)).await.unwrap();
        let inbox = Arc::clone(&supervisor.inbox);
        let attending = tokio::spawn(async move {
            let ended = supervisor.attend(&mut link).await;
            (matches!(ended, Ended::Unwanted), supervisor.topics)
        });
        theirs.read_exact(&mut [0; 29]).await.unwrap();
        theirs.write_all(b">3\r\n$7\r\nmessage\r\n$1\r\ne\r\n$2\r\nhi\r\n").await.unwrap();
        assert!(matches!(inbox.next(BEAT).await, Ok(Some(Event::Message(_)))));
        assert!(left.try_recv().is_err(), "it is not confirmed yet");
        theirs.write_all(b">3\r\n$11\r\nunsubscribe\r\n$1\r\ne\r\n:1\r\n").await.unwrap();
        left.await.unwrap();
        drop(sender);
        let (unwanted, topics) = attending.await.unwrap();
        assert!(unwanted);
        assert_eq!(topics, [Topic::Pattern("p*".into())]);
    }
}
