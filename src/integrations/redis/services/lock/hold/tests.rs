use super::{
    super::{
        super::{super::keys::Keys, Answer, Left},
        InProcess, Written,
    },
    *,
};
use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
use tokio::time::{advance, sleep};

const TTL: Duration = Duration::from_millis(600);

/// The stand-in behind a line that fails, and that counts what comes through.
#[derive(Default)]
struct Flaky {
    lock: InProcess,
    extends: AtomicU32,
    /// Of so many attempts to extend, only the last gets through.
    one_in: u32,
    /// How long the answer to an acquisition takes.
    delay: Duration,
}

impl Lock for Flaky {
    fn acquire<'a>(&'a self, k: &'a Key, t: &'a Token, ttl: Duration) -> Answer<'a, Acquired> {
        Box::pin(async move {
            let acquired = self.lock.acquire(k, t, ttl).await;
            sleep(self.delay).await;
            acquired
        })
    }

    fn extend<'a>(&'a self, k: &'a Key, t: &'a Token, ttl: Duration) -> Answer<'a, Owner> {
        Box::pin(async move {
            let attempt = self.extends.fetch_add(1, Relaxed) + 1;
            match attempt % self.one_in {
                0 => self.lock.extend(k, t, ttl).await,
                // One is refused, the next is never answered.
                left if left % 2 == 1 => Err(Trouble::Closed),
                _ => std::future::pending().await,
            }
        })
    }

    fn release<'a>(&'a self, k: &'a Key, t: &'a Token) -> Answer<'a, Owner> {
        self.lock.release(k, t)
    }

    fn remembered<'a>(&'a self, k: &'a Key) -> Answer<'a, Left> {
        self.lock.remembered(k)
    }

    fn left<'a>(&'a self, k: &'a Key) -> Answer<'a, Left> {
        self.lock.left(k)
    }

    fn write<'a>(
        &'a self,
        k: &'a Key,
        fence: u64,
        value: &'a [u8],
        ttl: Duration,
    ) -> Answer<'a, Written> {
        self.lock.write(k, fence, value, ttl)
    }
}

fn flaky(one_in: u32) -> (Arc<Flaky>, Arc<dyn Lock>, Key) {
    let flaky = Arc::new(Flaky { one_in, ..Flaky::default() });
    let lock: Arc<dyn Lock> = Arc::<Flaky>::clone(&flaky);
    (flaky, lock, Keys::new("test").key("hold"))
}

async fn held(lock: &Arc<dyn Lock>, key: &Key, terms: Terms) -> Hold {
    match Hold::take(lock, key, terms).await {
        Ok(Taken::Held(hold)) => hold,
        other => panic!("{other:?}"),
    }
}

#[tokio::test(start_paused = true)]
async fn it_is_renewed_after_each_third_and_no_oftener() {
    let (flaky, lock, key) = flaky(1);
    let hold = held(&lock, &key, Terms::of(TTL)).await;
    for (ms, renewals) in [(199, 0), (2, 1), (198, 1), (2, 2), (1800, 11)] {
        sleep(Duration::from_millis(ms)).await;
        assert_eq!((hold.renewed().1, hold.is_held()), (renewals, true));
    }
    assert_eq!(flaky.extends.load(Relaxed), 11);
    assert_eq!(hold.release().await, Ok(Owner::Yes));
    assert_eq!(lock.left(&key).await, Ok(Left::Absent));
}

#[tokio::test(start_paused = true)]
async fn attempts_that_fail_or_hang_are_repeated_in_time() {
    let (flaky, lock, key) = flaky(3);
    let hold = held(&lock, &key, Terms::of(TTL)).await;
    sleep(TTL * 5).await;
    assert!(hold.is_held());
    assert_eq!(flaky.extends.load(Relaxed) / 3, hold.renewed().1);
}

#[tokio::test(start_paused = true)]
async fn without_an_answer_it_is_lost_a_little_before_it_expires() {
    let (_, lock, key) = flaky(u32::MAX);
    let hold = held(&lock, &key, Terms::of(TTL)).await;
    let began = Instant::now();
    hold.lost().cancelled().await;
    // 600 ms less 1 % and 2 ms.
    assert_eq!(began.elapsed().as_millis(), 592);
    assert_eq!((hold.loss(), hold.is_held()), (Some(Loss::Lapsed), false));
    assert_eq!(lock.left(&key).await, Ok(Left::For(Duration::from_millis(8))));
}

#[tokio::test(start_paused = true)]
async fn after_a_pause_nothing_is_asked() {
    let (flaky, lock, key) = flaky(1);
    let hold = held(&lock, &key, Terms::of(TTL)).await;
    advance(TTL * 2).await;
    assert!(!hold.is_held() && hold.lost().is_cancelled());
    hold.lost().cancelled().await;
    tokio::task::yield_now().await;
    assert_eq!((flaky.extends.load(Relaxed), hold.loss()), (0, Some(Loss::Lapsed)));
}

#[tokio::test(start_paused = true)]
async fn nobody_holds_it_for_ever() {
    let (_, lock, key) = flaky(1);
    let terms = Terms { longest: TTL * 3 / 2, ..Terms::of(TTL) };
    let (hold, began) = (held(&lock, &key, terms).await, Instant::now());
    hold.lost().cancelled().await;
    assert_eq!((began.elapsed(), hold.loss()), (terms.longest, Some(Loss::Expended)));
}

#[tokio::test(start_paused = true)]
async fn it_is_given_back_when_dropped_even_while_it_is_taken() {
    let lock: Arc<dyn Lock> = Arc::new(Flaky { one_in: 1, delay: TTL, ..Flaky::default() });
    let key = Keys::new("test").key("hold");
    let taking = Hold::take(&lock, &key, Terms::of(TTL * 9));
    assert!(timeout_at(Instant::now() + TTL / 2, taking).await.is_err());
    tokio::task::yield_now().await;
    assert_eq!(lock.left(&key).await, Ok(Left::Absent), "dropped while it was taken");
    drop(held(&lock, &key, Terms::of(TTL * 9)).await);
    tokio::task::yield_now().await;
    assert_eq!(lock.left(&key).await, Ok(Left::Absent), "dropped while it was held");
}

#[tokio::test(start_paused = true)]
async fn who_is_killed_while_it_renews_does_not_know_until_when_it_is_held() {
    for (one_in, known) in [(1, true), (3, false)] {
        let (_, lock, key) = flaky(one_in);
        let hold = held(&lock, &key, Terms::of(TTL)).await;
        let taken = hold.renewed().0;
        sleep(TTL / 3 + Duration::from_millis(1)).await;
        let left = hold.abandon();
        assert_eq!(left.map(|at| at.from - taken.from), known.then_some(TTL / 3));
    }
}
