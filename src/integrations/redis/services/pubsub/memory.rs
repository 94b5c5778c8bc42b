use super::{
    super::{super::keys::Key, Answer, Told},
    Channel, Confirmed, Event, Gap, Message, PubSub, Reached, Subscription, Topic,
    inbox::Inbox,
};
use std::{
    sync::{Arc, Mutex, MutexGuard, PoisonError, Weak},
    time::Duration,
};
use tokio::time::{Instant, sleep_until};

/// How long a way that was cut stays cut.
const AWAY: Duration = Duration::from_millis(50);

/// The stand-in: messages that do not leave this process.
#[derive(Debug, Default)]
pub(crate) struct InProcess(Mutex<Vec<Weak<Ears>>>);

/// Who listens, and to what.
#[derive(Debug)]
struct Ears {
    topics: Mutex<Vec<Topic>>,
    confirmed: Vec<Confirmed>,
    inbox: Inbox,
    cut: Mutex<Option<Instant>>,
}

struct Listening(Arc<Ears>);

impl InProcess {
    fn publish(&self, channel: &str, payload: &[u8]) -> u64 {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.retain(|ears| ears.strong_count() > 0);
        all.iter().filter_map(Weak::upgrade).map(|ears| ears.hear(channel, payload)).sum()
    }
}

impl Ears {
    fn new(topics: &[Topic]) -> Self {
        let count = |(index, topic): (usize, &Topic)| Confirmed {
            topic: topic.clone(),
            count: u64::try_from(index + 1).unwrap_or(u64::MAX),
        };
        Self {
            topics: Mutex::new(topics.to_vec()),
            confirmed: topics.iter().enumerate().map(count).collect(),
            inbox: Inbox::default(),
            cut: Mutex::default(),
        }
    }

    /// Names first, then patterns: as servers do it.
    fn hear(&self, channel: &str, payload: &[u8]) -> u64 {
        if self.mended_at().is_some() {
            return 0;
        }
        let topics = self.topics();
        let covering = |patterns: bool| {
            let topics = topics.iter().filter(move |topic| topic.is_pattern() == patterns);
            topics.filter(|topic| topic.covers(channel))
        };
        covering(false).chain(covering(true)).fold(0, |heard, topic| {
            let (topic, channel) = (topic.clone(), channel.to_owned());
            self.inbox.put(Event::Message(Message { topic, channel, payload: payload.to_vec() }));
            heard + 1
        })
    }

    /// When the way will be mended, if it is cut now.
    fn mended_at(&self) -> Option<Instant> {
        let mut cut = self.cut.lock().unwrap_or_else(PoisonError::into_inner);
        let mended = (*cut)? + AWAY;
        if Instant::now() < mended {
            return Some(mended);
        }
        *cut = None;
        self.inbox.put(Event::Gap(Gap::Away(AWAY)));
        None
    }

    fn topics(&self) -> MutexGuard<'_, Vec<Topic>> {
        self.topics.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl PubSub for InProcess {
    fn publish<'a>(&'a self, channel: &'a Channel, payload: &'a [u8]) -> Answer<'a, Reached> {
        Box::pin(async move { Ok(Reached::All(self.publish(channel.as_str(), payload))) })
    }

    fn subscribe<'a>(&'a self, topics: &'a [Topic]) -> Answer<'a, Box<dyn Subscription>> {
        Box::pin(async move {
            let ears = Arc::new(Ears::new(topics));
            let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
            all.push(Arc::downgrade(&ears));
            Ok(Box::new(Listening(ears)) as Box<dyn Subscription>)
        })
    }

    fn end_of(&self, _key: &Key, _told: Told) -> Result<Topic, &'static str> {
        Err("no server to ask, or it may not be asked")
    }

    /// Nothing is stored here: there is no end to announce.
    fn store<'a>(&'a self, _key: &'a Key, _life: Duration) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }

    fn look<'a>(&'a self, _key: &'a Key) -> Answer<'a, ()> {
        Box::pin(async { Ok(()) })
    }
}

impl Subscription for Listening {
    fn confirmed(&self) -> Vec<Confirmed> {
        self.0.confirmed.clone()
    }

    fn next(&self, within: Duration) -> Answer<'_, Option<Event>> {
        Box::pin(async move {
            let deadline = Instant::now() + within;
            if let Some(mended) = self.0.mended_at() {
                sleep_until(std::cmp::min(mended, deadline)).await;
                // Tells the consumer, if it is.
                self.0.mended_at();
            }
            self.0.inbox.next(deadline.saturating_duration_since(Instant::now())).await
        })
    }

    fn unsubscribe<'a>(&'a self, topics: &'a [Topic]) -> Answer<'a, ()> {
        Box::pin(async move {
            self.0.topics().retain(|topic| !topics.contains(topic));
            Ok(())
        })
    }

    fn cut(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut cut = self.0.cut.lock().unwrap_or_else(PoisonError::into_inner);
            *cut = Some(Instant::now());
            Ok(())
        })
    }
}
