use super::{
    super::{
        super::{
            client::ANSWER,
            keys::Key,
            reply::count,
            server::Server,
            transport::Transport,
            trouble::{Step, Trouble},
        },
        Answer, Told,
    },
    Channel, Confirmed, Event, PubSub, Reached, Subscription, Topic,
    inbox::Inbox,
    link::Way,
    supervisor::{Order, Supervisor},
};
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::{OwnedSemaphorePermit, Semaphore, mpsc, oneshot},
    time::timeout,
};
use tokio_util::task::AbortOnDropHandle;

/// Connections of a run that listen at the same time. One at a time would take
/// too long on a slow link.
const LISTENING: usize = 4;
/// How long a subscription waits until it is its turn.
const TURN: Duration = Duration::from_secs(3);
/// Orders of a consumer that may wait.
const ORDERS: usize = 4;

/// Publishing over the shared connection, listening on one of its own.
pub(crate) struct OnServer {
    way: Way,
    /// However many the cases of a run, few connections listen at a time.
    turn: Arc<Semaphore>,
}

/// A subscription that its supervisor keeps alive.
struct Listening {
    confirmed: Vec<Confirmed>,
    inbox: Arc<Inbox>,
    orders: mpsc::Sender<Order>,
    _supervisor: AbortOnDropHandle<()>,
    _turn: OwnedSemaphorePermit,
}

impl OnServer {
    pub(crate) fn new(server: Server, transport: Arc<Transport>) -> Self {
        Self { way: Way { transport, server }, turn: Arc::new(Semaphore::new(LISTENING)) }
    }

    /// The same with another view of the server, its connections counted together.
    pub(crate) fn seen_by(&self, server: Server) -> Self {
        let transport = Arc::clone(&self.way.transport);
        Self { way: Way { transport, server }, turn: Arc::clone(&self.turn) }
    }

    async fn listen(&self, topics: &[Topic]) -> Result<Listening, Trouble> {
        let turn = timeout(TURN, Arc::clone(&self.turn).acquire_owned()).await;
        let Ok(Ok(turn)) = turn else {
            return Err(Trouble::Late { step: Step::Answer, after: TURN });
        };
        let opened = self.way.open(topics).await?;
        let inbox = Arc::new(Inbox::default());
        opened.early.into_iter().for_each(|message| inbox.put(Event::Message(message)));
        let (sender, orders) = mpsc::channel(ORDERS);
        let (way, topics) = (self.way.clone(), topics.to_vec());
        let supervisor = Supervisor { way, topics, inbox: Arc::clone(&inbox), orders };
        Ok(Listening {
            confirmed: opened.confirmed,
            inbox,
            orders: sender,
            _supervisor: AbortOnDropHandle::new(tokio::spawn(supervisor.run(opened.link))),
            _turn: turn,
        })
    }
}

impl PubSub for OnServer {
    fn publish<'a>(&'a self, channel: &'a Channel, payload: &'a [u8]) -> Answer<'a, Reached> {
        Box::pin(async move {
            let publish = redis::cmd("PUBLISH").arg(channel.as_str()).arg(payload).take();
            let reached = count(&self.way.server.read(&publish).await?)?;
            let in_cluster = self.way.server.is_cluster();
            Ok(if in_cluster { Reached::Here(reached) } else { Reached::All(reached) })
        })
    }

    fn subscribe<'a>(&'a self, topics: &'a [Topic]) -> Answer<'a, Box<dyn Subscription>> {
        Box::pin(async move { Ok(Box::new(self.listen(topics).await?) as Box<dyn Subscription>) })
    }

    fn end_of(&self, key: &Key, told: Told) -> Result<Topic, &'static str> {
        if self.way.server.is_cluster() {
            return Err("each node of a cluster tells of its own keys only");
        }
        Topic::of_end(key, self.way.transport.address.database, told).ok_or("key events are off")
    }

    fn store<'a>(&'a self, key: &'a Key, life: Duration) -> Answer<'a, ()> {
        Box::pin(async move {
            let life = self.way.server.lives(life);
            let set = redis::cmd("SET").arg(key.as_str()).arg("").arg("PX").arg(life).take();
            key.touch();
            self.way.server.read(&set).await.map(drop)
        })
    }

    fn look<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        Box::pin(async move {
            let exists = redis::cmd("EXISTS").arg(key.as_str()).take();
            self.way.server.read(&exists).await.map(drop)
        })
    }
}

impl Listening {
    async fn order(&self, order: Order) -> Result<(), Trouble> {
        self.orders.send(order).await.map_err(|_| Trouble::Closed)
    }
}

impl Subscription for Listening {
    fn confirmed(&self) -> Vec<Confirmed> {
        self.confirmed.clone()
    }

    fn next(&self, within: Duration) -> Answer<'_, Option<Event>> {
        Box::pin(self.inbox.next(within))
    }

    fn unsubscribe<'a>(&'a self, topics: &'a [Topic]) -> Answer<'a, ()> {
        Box::pin(async move {
            let (done, left) = oneshot::channel();
            let left = async {
                self.order(Order::Leave(topics.to_vec(), done)).await?;
                // The connection was lost meanwhile; the topics are not asked for anew.
                drop(left.await);
                Ok(())
            };
            let late = Trouble::Late { step: Step::Answer, after: ANSWER };
            timeout(ANSWER, left).await.unwrap_or(Err(late))
        })
    }

    fn cut(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let late = Trouble::Late { step: Step::Answer, after: ANSWER };
            timeout(ANSWER, self.order(Order::Cut)).await.unwrap_or(Err(late))
        })
    }
}
