//! Pub/sub that is broken on purpose: each flaw must be noticed by its case.

#![expect(clippy::wildcard_enum_match_arm, reason = "a flaw concerns one thing")]

use super::{
    super::{super::keys::Key, Answer, Told, case::endings},
    CASES, Channel, Confirmed, Event, Gap, InProcess, Message, PubSub, Reached, Subscription,
    Topic,
};
use std::{
    collections::VecDeque,
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::time::{Instant, sleep};

/// What a broken one may get wrong.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Flaw {
    ConfirmsTheFirstOnly,
    ConfirmsInDisorder,
    CountsAnew,
    Loses,
    Doubles,
    Swaps,
    Cuts,
    LosesTheEmpty,
    MakesText,
    TellsThePatternOnly,
    TakesPatternsForPrefixes,
    TellsOnce,
    IsLate,
    IsSilent,
    CountsNobody,
    NeverLeaves,
    LeavesEverything,
    StaysAway,
    HidesTheGap,
    ForgetsPatterns,
    IsUnsteady,
    GlobsLikeAShell,
}

struct Flawed(InProcess, Flaw);

struct Listening {
    inner: Box<dyn Subscription>,
    flaw: Flaw,
    /// What was subscribed to in place of the topics.
    asked: Vec<Topic>,
    topics: Vec<Topic>,
    /// Of a flaw that changes several events: those still to tell.
    held: Mutex<VecDeque<Event>>,
    seen: Mutex<usize>,
    was_cut: Mutex<bool>,
}

impl PubSub for Flawed {
    fn publish<'a>(&'a self, channel: &'a Channel, payload: &'a [u8]) -> Answer<'a, Reached> {
        Box::pin(async move {
            let reached = PubSub::publish(&self.0, channel, payload).await?;
            Ok(if self.1 == Flaw::CountsNobody { Reached::All(0) } else { reached })
        })
    }

    fn subscribe<'a>(&'a self, topics: &'a [Topic]) -> Answer<'a, Box<dyn Subscription>> {
        Box::pin(async move {
            let asked = match self.1 {
                Flaw::TakesPatternsForPrefixes => widened(topics),
                Flaw::GlobsLikeAShell => shelled(topics),
                _ => topics.to_vec(),
            };
            let inner = PubSub::subscribe(&self.0, &asked).await?;
            let (held, seen, was_cut) = Default::default();
            let (flaw, topics) = (self.1, topics.to_vec());
            Ok(Box::new(Listening { inner, flaw, asked, topics, held, seen, was_cut })
                as Box<dyn Subscription>)
        })
    }

    fn end_of(&self, key: &Key, told: Told) -> Result<Topic, &'static str> {
        self.0.end_of(key, told)
    }

    fn store<'a>(&'a self, key: &'a Key, life: Duration) -> Answer<'a, ()> {
        self.0.store(key, life)
    }

    fn look<'a>(&'a self, key: &'a Key) -> Answer<'a, ()> {
        self.0.look(key)
    }
}

fn widened(topics: &[Topic]) -> Vec<Topic> {
    let widen = |topic: &Topic| match topic {
        Topic::Pattern(glob) => {
            let fixed = glob.split(['*', '?', '[', '\\']).next().unwrap();
            Topic::Pattern(format!("{fixed}*"))
        }
        exact @ Topic::Channel(_) => exact.clone(),
    };
    topics.iter().map(widen).collect()
}

/// Where `!` and not `^` turns a class round.
fn shelled(topics: &[Topic]) -> Vec<Topic> {
    let shell = |topic: &Topic| match topic {
        Topic::Pattern(glob) => Topic::Pattern(glob.replace("[^", "[\\^")),
        exact @ Topic::Channel(_) => exact.clone(),
    };
    topics.iter().map(shell).collect()
}

impl Listening {
    /// What a broken one makes of a message.
    fn spoil(&self, mut message: Message) -> Vec<Event> {
        let number = {
            let mut seen = self.seen.lock().unwrap();
            *seen += 1;
            *seen
        };
        let was_cut = *self.was_cut.lock().unwrap();
        let place = self.asked.iter().position(|topic| *topic == message.topic);
        message.topic = self.topics[place.unwrap()].clone();
        match self.flaw {
            Flaw::Loses if number == 3 => return Vec::new(),
            Flaw::IsSilent => return Vec::new(),
            Flaw::LosesTheEmpty if message.payload.is_empty() => return Vec::new(),
            Flaw::TellsOnce if number == 2 => return Vec::new(),
            Flaw::ForgetsPatterns if was_cut && message.topic.is_pattern() => return Vec::new(),
            Flaw::Doubles if number == 3 => {
                return vec![Event::Message(message.clone()), Event::Message(message)];
            }
            Flaw::Cuts => message.payload.truncate(1000),
            Flaw::MakesText => {
                message.payload = String::from_utf8_lossy(&message.payload).into_owned().into();
            }
            Flaw::TellsThePatternOnly if message.topic.is_pattern() => {
                message.channel = message.topic.as_str().into();
            }
            _ => {}
        }
        vec![Event::Message(message)]
    }
}

impl Subscription for Listening {
    fn confirmed(&self) -> Vec<Confirmed> {
        let mut confirmed = self.inner.confirmed();
        match self.flaw {
            Flaw::ConfirmsTheFirstOnly => confirmed.truncate(1),
            Flaw::ConfirmsInDisorder => confirmed.reverse(),
            Flaw::CountsAnew => confirmed.iter_mut().for_each(|confirmed| confirmed.count = 1),
            _ => {}
        }
        confirmed
    }

    fn next(&self, within: Duration) -> Answer<'_, Option<Event>> {
        Box::pin(async move {
            let deadline = Instant::now() + within;
            if self.flaw == Flaw::IsLate {
                sleep(Duration::from_millis(21)).await;
            }
            if self.flaw == Flaw::StaysAway && *self.was_cut.lock().unwrap() {
                sleep(within).await;
                return Ok(None);
            }
            loop {
                if let Some(event) = self.held.lock().unwrap().pop_front() {
                    return Ok(Some(event));
                }
                let left = deadline.saturating_duration_since(Instant::now());
                match self.inner.next(left).await? {
                    Some(Event::Message(message)) => {
                        let mut spoilt = self.spoil(message);
                        if self.flaw == Flaw::Swaps && *self.seen.lock().unwrap() == 1 {
                            let second = self.inner.next(left).await?;
                            spoilt.splice(0..0, second);
                        }
                        self.held.lock().unwrap().extend(spoilt);
                    }
                    Some(Event::Gap(_)) if self.flaw == Flaw::HidesTheGap => {}
                    None if self.flaw == Flaw::IsUnsteady && *self.was_cut.lock().unwrap() => {
                        return Ok(Some(Event::Gap(Gap::Away(within))));
                    }
                    other => return Ok(other),
                }
            }
        })
    }

    fn unsubscribe<'a>(&'a self, topics: &'a [Topic]) -> Answer<'a, ()> {
        Box::pin(async move {
            match self.flaw {
                Flaw::NeverLeaves => Ok(()),
                Flaw::LeavesEverything => self.inner.unsubscribe(&self.topics).await,
                _ => self.inner.unsubscribe(topics).await,
            }
        })
    }

    fn cut(&self) -> Answer<'_, ()> {
        *self.was_cut.lock().unwrap() = true;
        self.inner.cut()
    }
}

#[tokio::test(start_paused = true)]
async fn the_stand_in_keeps_every_promise() {
    let ended = endings(CASES, Arc::new(InProcess::default())).await;
    let ids = ["P1", "P2", "P3", "P4", "P6", "P7", "P10"].map(|id| (id, "held"));
    assert_eq!(ended[..ids.len()], ids);
    assert_eq!(ended[ids.len()..], [("P8", "moot")]);
}

#[tokio::test(start_paused = true)]
async fn every_flaw_is_noticed() {
    let cases = [
        (Flaw::ConfirmsTheFirstOnly, "P1"),
        (Flaw::ConfirmsInDisorder, "P1"),
        (Flaw::CountsAnew, "P1"),
        (Flaw::Loses, "P2"),
        (Flaw::Doubles, "P2"),
        (Flaw::Swaps, "P2"),
        (Flaw::Cuts, "P2"),
        (Flaw::LosesTheEmpty, "P2"),
        (Flaw::MakesText, "P2"),
        (Flaw::TellsThePatternOnly, "P2"),
        (Flaw::TakesPatternsForPrefixes, "P2"),
        (Flaw::TellsOnce, "P3"),
        (Flaw::IsSilent, "P4"),
        (Flaw::CountsNobody, "P3"),
        (Flaw::NeverLeaves, "P6"),
        (Flaw::LeavesEverything, "P6"),
        (Flaw::StaysAway, "P7"),
        (Flaw::HidesTheGap, "P7"),
        (Flaw::ForgetsPatterns, "P7"),
        (Flaw::IsUnsteady, "P7"),
        (Flaw::TakesPatternsForPrefixes, "P10"),
        (Flaw::GlobsLikeAShell, "P10"),
    ];
    for (flaw, id) in cases {
        let ended = endings(CASES, Arc::new(Flawed(InProcess::default(), flaw))).await;
        assert!(ended.contains(&(id, "broken")), "{flaw:?}: {ended:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn late_messages_are_slow_and_not_broken() {
    let late = Arc::new(Flawed(InProcess::default(), Flaw::IsLate)) as Arc<dyn PubSub>;
    let keys = super::super::super::keys::Keys::new("test");
    let ran = super::super::run_in_process(CASES, late, keys).await;
    let timed = ran.iter().find(|ran| ran.id == "P4").unwrap();
    let slow = timed.ended.as_ref().unwrap().slow.as_deref();
    assert_eq!(slow, Some("messages take up to 21ms > 20ms"));
}
