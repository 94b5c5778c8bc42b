//! What waits for a consumer, and never more than fits.

use super::{
    super::super::{client::STARVED, trouble::Trouble},
    Event, Gap,
};
use std::{
    collections::VecDeque,
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{
    sync::Notify,
    time::{Instant, timeout_at},
};

/// Messages that may wait.
const MESSAGES: usize = 1024;
/// Bytes that may wait.
const BYTES: usize = 4 << 20;

/// A queue for one consumer whose oldest messages give way to new ones.
#[derive(Debug, Default)]
pub(super) struct Inbox {
    waiting: Mutex<Waiting>,
    came: Notify,
}

#[derive(Debug, Default)]
struct Waiting {
    events: VecDeque<Event>,
    bytes: usize,
    /// Messages that gave way and of which the consumer has not heard.
    lost: u64,
    /// Why nothing more will come.
    ended: Option<Trouble>,
}

impl Inbox {
    /// Puts an event behind the others.
    pub(super) fn put(&self, event: Event) {
        self.waiting().put(event);
        self.came.notify_one();
    }

    /// Nothing more will come.
    pub(super) fn end(&self, why: Trouble) {
        self.waiting().ended = Some(why);
        self.came.notify_one();
    }

    /// The next event, waiting for it if need be. If we looked far too late to
    /// know, that is said and nobody blamed.
    pub(super) async fn next(&self, within: Duration) -> Result<Option<Event>, Trouble> {
        let began = Instant::now();
        let deadline = began + within;
        loop {
            if let Some(event) = self.waiting().take() {
                return Ok(Some(event));
            }
            if let Some(why) = self.waiting().ended.clone() {
                return Err(why);
            }
            if timeout_at(deadline, self.came.notified()).await.is_err() {
                let late = began.elapsed().saturating_sub(within);
                return if late > STARVED { Err(Trouble::Starved(late)) } else { Ok(None) };
            }
        }
    }

    fn waiting(&self) -> MutexGuard<'_, Waiting> {
        self.waiting.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Waiting {
    fn put(&mut self, event: Event) {
        self.bytes += weight(&event);
        self.events.push_back(event);
        while self.events.len() > MESSAGES || self.bytes > BYTES && self.events.len() > 1 {
            let Some(oldest) = self.events.pop_front() else { return };
            self.bytes -= weight(&oldest);
            self.lost += 1;
        }
    }

    fn take(&mut self) -> Option<Event> {
        if self.lost > 0 {
            let lost = std::mem::take(&mut self.lost);
            return Some(Event::Gap(Gap::Overflow(lost)));
        }
        let event = self.events.pop_front()?;
        self.bytes -= weight(&event);
        Some(event)
    }
}

fn weight(event: &Event) -> usize {
    match event {
        Event::Message(message) => message.payload.len(),
        Event::Gap(_) => 0,
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{Message, Topic},
        *,
    };
    use std::sync::Arc;
    use tokio::time::{advance, sleep};

    fn message(number: usize, bytes: usize) -> Event {
        let topic = Topic::Channel("e".into());
        Event::Message(Message { topic, channel: number.to_string(), payload: vec![0; bytes] })
    }

    async fn all(inbox: &Inbox) -> Vec<Event> {
        let mut events = Vec::new();
        while let Some(event) = inbox.next(Duration::ZERO).await.unwrap() {
            events.push(event);
        }
        events
    }

    #[tokio::test(start_paused = true)]
    async fn the_oldest_give_way_and_the_consumer_is_told_how_many() {
        let inbox = Inbox::default();
        (0..MESSAGES + 3).for_each(|number| inbox.put(message(number, 1)));
        let events = all(&inbox).await;
        assert_eq!(events[0], Event::Gap(Gap::Overflow(3)));
        assert_eq!((events.len(), &events[1]), (MESSAGES + 1, &message(3, 1)));
        assert_eq!(events.last(), Some(&message(MESSAGES + 2, 1)));
    }

    #[tokio::test(start_paused = true)]
    async fn bytes_are_bounded_too_but_the_newest_stays() {
        let inbox = Inbox::default();
        (1..=3).for_each(|number| inbox.put(message(number, BYTES / 2)));
        let expected = [Event::Gap(Gap::Overflow(1)), message(2, BYTES / 2), message(3, BYTES / 2)];
        assert_eq!(all(&inbox).await, expected);
        inbox.put(message(4, BYTES + 1));
        assert_eq!(all(&inbox).await, [message(4, BYTES + 1)]);
    }

    #[tokio::test(start_paused = true)]
    async fn a_consumer_waits_and_is_woken() {
        let inbox = Arc::new(Inbox::default());
        let put = Arc::clone(&inbox);
        tokio::spawn(async move {
            sleep(Duration::from_millis(70)).await;
            put.put(message(1, 0));
        });
        assert_eq!(inbox.next(Duration::from_millis(69)).await, Ok(None));
        assert_eq!(inbox.next(Duration::from_millis(5)).await, Ok(Some(message(1, 0))));
        inbox.end(Trouble::Closed);
        assert_eq!(inbox.next(Duration::from_secs(1)).await, Err(Trouble::Closed));
    }

    #[tokio::test(start_paused = true)]
    async fn who_was_held_up_does_not_know_that_nothing_came() {
        let inbox = Arc::new(Inbox::default());
        let waits = Arc::clone(&inbox);
        let waiting = tokio::spawn(async move { waits.next(Duration::from_millis(10)).await });
        tokio::task::yield_now().await;
        advance(Duration::from_millis(261)).await;
        let late = Trouble::Starved(Duration::from_millis(251));
        assert_eq!(waiting.await.unwrap(), Err(late));
    }
}
