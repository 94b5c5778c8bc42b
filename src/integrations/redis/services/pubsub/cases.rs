//! What pub/sub must do, and how to find out whether it does.

use super::{
    super::{Bench, Case, Claim, Held, Needs, Upset},
    Channels, ENDS, Event, Gap, Message, PubSub, Reached, Subscription, Topic, ends, glob,
};
use crate::units;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::Instant;

/// How long a message may take besides the way there and back.
const PATIENCE: Duration = Duration::from_secs(1);
/// How soon a lost connection has to be back, and when waiting is given up.
const BACK: Duration = Duration::from_secs(1);
const AWAY: Duration = Duration::from_secs(2);
/// How long it has to stay then. Shorter, and what lies between cuts that come several
/// times a second looked sound.
const STEADY: Duration = Duration::from_millis(400);
/// Messages whose way is timed.
const TIMED: usize = 3;
/// What the slowest may take besides ten round trips.
const ALLOWANCE: Duration = Duration::from_millis(20);
/// What ends a series of messages.
const END: &[u8] = b"end";

/// What to do where messages go astray, and where they are not understood.
const LISTENERS: &str = "look at client-output-buffer-limit pubsub, at proxies in between, \
    and in the server's log for listeners that it cut off";
const NO_PUBSUB_PROXY: &str = "ask the server without the proxy in between: many do not \
    carry subscriptions";

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn PubSub>] = &[
    Case {
        id: "P1",
        guarantee: "every topic is confirmed, in order, counted",
        remedy: NO_PUBSUB_PROXY,
        needs: Needs::Nothing,
        run: |bench| Box::pin(confirmed(bench)),
    },
    Case {
        id: "P2",
        guarantee: "each matching topic gets each message once, intact, in order",
        remedy: LISTENERS,
        needs: Needs::Nothing,
        run: |bench| Box::pin(delivered(bench)),
    },
    Case {
        id: "P3",
        guarantee: "by name and by pattern is twice, and told twice",
        remedy: LISTENERS,
        needs: Needs::Nothing,
        run: |bench| Box::pin(twice(bench)),
    },
    Case {
        id: "P4",
        guarantee: "messages take little longer than a round trip",
        remedy: LISTENERS,
        needs: Needs::Nothing,
        run: |bench| Box::pin(timed(bench)),
    },
    Case {
        id: "P6",
        guarantee: "nothing is heard of a topic that was left",
        remedy: LISTENERS,
        needs: Needs::Nothing,
        run: |bench| Box::pin(left(bench)),
    },
    Case {
        id: "P7",
        guarantee: "a lost connection comes back and stays, the gap is told",
        remedy: LISTENERS,
        needs: Needs::Nothing,
        run: |bench| Box::pin(mended(bench)),
    },
    Case {
        id: "P10",
        guarantee: "patterns are those of Redis",
        remedy: NO_PUBSUB_PROXY,
        needs: Needs::Nothing,
        run: |bench| Box::pin(matched(bench)),
    },
    Case {
        id: ENDS,
        guarantee: "the end of a key is announced, where that is on",
        remedy: "CONFIG SET notify-keyspace-events Ex, active-expire-effort 10; \
            or leave `key_events` out",
        needs: Needs::Nothing,
        run: |bench| Box::pin(ends::announced(bench)),
    },
];

type Listener = Box<dyn Subscription>;

/// What a topic of a test hears: which, on what channel, with what bytes.
fn message(topic: &Topic, channels: &Channels, name: &str, payload: &[u8]) -> Event {
    let channel = channels.channel(name).as_str().to_owned();
    Event::Message(Message { topic: topic.clone(), channel, payload: payload.to_vec() })
}

async fn publish(
    bench: &Bench<dyn PubSub>,
    channels: &Channels,
    messages: &[(&str, &[u8])],
) -> Result<Vec<Reached>, Upset> {
    let names: Vec<_> = messages.iter().map(|(name, _)| channels.channel(name)).collect();
    let sent = names.iter().zip(messages);
    let sent = sent.map(|(channel, (_, payload))| bench.back_end.publish(channel, payload));
    // Started in this order, and so sent in this order, without waiting for each answer.
    let reached = join_all(sent).await.into_iter().collect::<Result<_, _>>()?;
    Ok(reached)
}

fn patience(bench: &Bench<dyn PubSub>) -> Duration {
    PATIENCE + bench.pace.slowest() * 4
}

/// Everything that is heard, up to and with the message that ends the series, or
/// up to silence.
async fn heard(bench: &Bench<dyn PubSub>, listener: &Listener) -> Result<Vec<Event>, Upset> {
    let mut events = Vec::new();
    while let Some(event) = listener.next(patience(bench)).await? {
        let is_last = matches!(&event, Event::Message(message) if message.payload == END);
        events.push(event);
        if is_last {
            break;
        }
    }
    Ok(events)
}

async fn confirmed(bench: &Bench<dyn PubSub>) -> Result<Held, Upset> {
    let channels = Channels::new(&bench.keys, "p1");
    let topics = [channels.exactly("e"), channels.like("p:*:evt"), channels.like("q:?")];
    let listener = bench.back_end.subscribe(&topics).await?;
    let claim = Claim {
        else_says: "a subscription is not confirmed as agreed",
        asked: "subscribe to a name and two patterns",
        wanted: "three confirmations in order, counted 1, 2, 3",
    };
    let confirmed = listener.confirmed();
    let right = confirmed.len() == topics.len()
        && (1..).zip(confirmed.iter().zip(&topics)).all(|(number, (confirmed, topic))| {
            (confirmed.count, &confirmed.topic) == (number, topic)
        });
    claim.holds(right, &confirmed)?;
    Ok(Held::saw("3 confirmed, counted 1, 2, 3"))
}

/// Where to, and which of the topics of `delivered` must hear it.
const SENT: [(&str, Option<usize>); 8] = [
    ("e", Some(0)),
    ("p:a:evt", Some(1)),
    ("p:a:evt2", None),
    ("e", Some(0)),
    ("p:a/b.c:evt", Some(1)),
    ("q:ab", None),
    ("p::evt", Some(1)),
    ("e", Some(0)),
];

/// A few words, nothing, a byte, any bytes, and more than a server takes in one
/// piece; what ends the series comes last.
fn payloads() -> [Vec<u8>; SENT.len()] {
    let any: Vec<u8> = (0..=u8::MAX).collect();
    let text = "\r\n\0$-1\r\n*3 grüße, 你好 \u{202e}".as_bytes().to_vec();
    let (nothing, byte, many) = (Vec::new(), vec![0], any.repeat(160));
    [text, nothing, number(2), byte, any, number(5), many, END.into()]
}

async fn delivered(bench: &Bench<dyn PubSub>) -> Result<Held, Upset> {
    let channels = Channels::new(&bench.keys, "p2");
    let topics = [channels.exactly("e"), channels.like("p:*:evt"), channels.like("q:?")];
    let listener = bench.back_end.subscribe(&topics).await?;
    let payloads = payloads();
    let (mut sent, mut expected) = (Vec::new(), Vec::new());
    for ((name, topic), payload) in SENT.into_iter().zip(&payloads) {
        sent.push((name, payload.as_slice()));
        expected.extend(topic.map(|topic| message(&topics[topic], &channels, name, payload)));
    }
    publish(bench, &channels, &sent).await?;
    let events = heard(bench, &listener).await?;
    let claim = Claim {
        else_says: "messages were lost, doubled or changed",
        asked: "publish 8 messages, some of them awkward",
        wanted: "each once, in order, bytes as sent, by the topics that match",
    };
    let differs = (0..).zip(&expected).find(|(at, event)| events.get(*at) != Some(event));
    let got = match differs {
        Some((at, event)) => format!("at {at} {:?} instead of {event:?}", events.get(at)),
        None => format!("{} events instead of {}", events.len(), expected.len()),
    };
    claim.holds(events == expected, &got)?;
    Ok(Held::saw(format!("{} sent, {} heard, bytes equal", sent.len(), events.len())))
}

fn number(number: usize) -> Vec<u8> {
    format!("message {number}").into_bytes()
}

async fn twice(bench: &Bench<dyn PubSub>) -> Result<Held, Upset> {
    let channels = Channels::new(&bench.keys, "p3");
    let topics = [channels.exactly("both"), channels.exactly("end"), channels.like("b*")];
    let listener = bench.back_end.subscribe(&topics).await?;
    let reached = publish(bench, &channels, &[("both", b"x"), ("end", END)]).await?;
    let events = heard(bench, &listener).await?;
    let claim = Claim {
        else_says: "a message did not come once for each topic",
        asked: "publish to a channel that a name and a pattern cover",
        wanted: "two messages, one for each",
    };
    let each = [&topics[0], &topics[2]].map(|topic| message(topic, &channels, "both", b"x"));
    // And what ends the series.
    let right = events.len() == 3 && each.iter().all(|event| events.contains(event));
    claim.holds(right, &events)?;
    let told = Claim {
        else_says: "listeners are not counted when publishing",
        wanted: "2 or more told to who publishes",
        ..claim
    };
    match reached[..] {
        // Of a cluster every node counts its own: there is no wrong number.
        [Reached::Here(count), _] => {
            Ok(Held::saw(format!("1 published, 2 heard, {count} at this node of a cluster")))
        }
        [Reached::All(count), _] if count >= 2 => {
            Ok(Held::saw(format!("1 published, 2 heard, {count} told")))
        }
        ref reached => Err(told.fails(&reached)),
    }
}

async fn timed(bench: &Bench<dyn PubSub>) -> Result<Held, Upset> {
    let channels = Channels::new(&bench.keys, "p4");
    let topic = channels.exactly("e");
    let listener = bench.back_end.subscribe(std::slice::from_ref(&topic)).await?;
    let claim = Claim {
        else_says: "a message was not delivered",
        asked: "publish to a channel that is listened to",
        wanted: "the message",
    };
    let (channel, mut took) = (channels.channel("e"), Vec::with_capacity(TIMED));
    let mut limit = bench.pace.slowest() * 10 + ALLOWANCE;
    for turn in 0..TIMED {
        let (payload, began) = (number(turn), Instant::now());
        let listening = listener.next(patience(bench));
        let (reached, event) = tokio::join!(bench.back_end.publish(&channel, &payload), listening);
        // Between the nodes of a cluster it takes as long as their own link does.
        limit = if let Reached::Here(_) = reached? { PATIENCE } else { limit };
        let event = event?;
        took.push(began.elapsed());
        claim.holds(event == Some(message(&topic, &channels, "e", &payload)), &event)?;
    }
    took.sort_unstable();
    let (median, slowest) = (took[took.len() / 2], took[took.len() - 1]);
    let slow = (slowest > limit)
        .then(|| format!("messages take up to {} > {}", units::span(slowest), units::span(limit)));
    let saw = format!("median {}, slowest {}", units::span(median), units::span(slowest));
    Ok(Held::saw(saw).but_slow(slow))
}

async fn left(bench: &Bench<dyn PubSub>) -> Result<Held, Upset> {
    let channels = Channels::new(&bench.keys, "p6");
    let topics = [channels.exactly("end"), channels.exactly("e"), channels.like("p*")];
    let listener = bench.back_end.subscribe(&topics).await?;
    let claim = Claim {
        else_says: "a topic that was left is still heard",
        asked: "unsubscribe from a name and a pattern, then publish to both",
        wanted: "nothing of either, the rest as before",
    };
    listener.unsubscribe(&topics[1..]).await?;
    // What is published later is heard later: so once the last came, nothing else will.
    publish(bench, &channels, &[("e", b"x"), ("p", b"x"), ("end", b"stays")]).await?;
    let event = listener.next(patience(bench)).await?;
    claim.holds(event == Some(message(&topics[0], &channels, "end", b"stays")), &event)?;
    Ok(Held::saw("silence of both, the rest as before"))
}

async fn mended(bench: &Bench<dyn PubSub>) -> Result<Held, Upset> {
    let channels = Channels::new(&bench.keys, "p7");
    let topics = [channels.exactly("e"), channels.like("p*")];
    let listener = bench.back_end.subscribe(&topics).await?;
    let began = Instant::now();
    listener.cut().await?;
    let event = listener.next(AWAY + bench.pace.slowest() * 4).await?;
    let took = began.elapsed();
    let told = Claim {
        else_says: "a lost connection is not told or not mended",
        asked: "break the listening connection",
        wanted: "a gap, within 1 s",
    };
    let away = match event {
        Some(Event::Gap(Gap::Away(away))) => away,
        other => return Err(told.fails(&other)),
    };
    publish(bench, &channels, &[("p", b"x"), ("e", END)]).await?;
    let events = heard(bench, &listener).await?;
    let again = Claim {
        else_says: "topics are forgotten with a connection",
        asked: "publish to the same topics after the gap",
        wanted: "both messages",
    };
    let both =
        [message(&topics[1], &channels, "p", b"x"), message(&topics[0], &channels, "e", END)];
    again.holds(events == both, &events)?;
    let stays = Claim {
        else_says: "no stable subscription",
        asked: "listen on after the gap",
        wanted: "silence, and no second gap",
    };
    let later = listener.next(STEADY).await?;
    stays.holds(later.is_none(), &later)?;
    let limit = BACK + bench.pace.slowest() * 4;
    let slow = (took > limit).then(|| format!("back only after {}", units::span(took)));
    Ok(Held::saw(format!("back after {}", units::span(away))).but_slow(slow))
}

/// A topic for each pattern, a channel for each subject, and what has to be heard.
/// Each subject has a place of its own, so that only its own patterns see it.
fn matched_rows(channels: &Channels) -> (Vec<Topic>, Vec<String>, Vec<Event>) {
    let (mut topics, mut names, mut expected) = (Vec::new(), Vec::new(), Vec::new());
    for (pattern, subject, matches) in glob::SEEN {
        let place = glob::SEEN.iter().position(|(_, other, _)| other == subject).unwrap_or(0);
        let (topic, name) =
            (channels.like(&format!("{place}:{pattern}")), format!("{place}:{subject}"));
        if *matches {
            expected.push(message(&topic, channels, &name, b"x"));
        }
        topics.push(topic);
        if !names.contains(&name) {
            names.push(name);
        }
    }
    let end = channels.like("end");
    expected.push(message(&end, channels, "end", END));
    topics.push(end);
    (topics, names, expected)
}

async fn matched(bench: &Bench<dyn PubSub>) -> Result<Held, Upset> {
    let channels = Channels::new(&bench.keys, "p10");
    let (topics, names, expected) = matched_rows(&channels);
    let listener = bench.back_end.subscribe(&topics).await?;
    let mut sent: Vec<(&str, &[u8])> = names.iter().map(|name| (&**name, &b"x"[..])).collect();
    sent.push(("end", END));
    publish(bench, &channels, &sent).await?;
    let events = heard(bench, &listener).await?;
    let claim = Claim {
        else_says: "a pattern matches otherwise than Redis'",
        asked: "publish the subjects of 21 patterns",
        wanted: "those, and only those, that Redis matches",
    };
    let odd = expected.iter().find(|event| !events.contains(event));
    let odd = odd.or_else(|| events.iter().find(|event| !expected.contains(event)));
    // Of several patterns for one message a server keeps no order.
    claim.holds(odd.is_none() && events.len() == expected.len(), &odd)?;
    Ok(Held::saw(format!("{} of {} patterns match", events.len() - 1, glob::SEEN.len())))
}
