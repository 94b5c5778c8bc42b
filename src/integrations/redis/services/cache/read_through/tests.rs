use super::{
    super::{super::super::keys::Keys, InProcess},
    *,
};
use std::cell::Cell;

const LOAD: Duration = Duration::from_millis(100);
const TERMS: Terms = Terms {
    ttl: Duration::from_secs(10),
    grace: Duration::from_secs(5),
    absent: Duration::from_secs(1),
    lease: Duration::from_secs(1),
    beta: 1.0,
};

/// What the next load brings.
type Brings = Result<Option<&'static str>, &'static str>;

/// What a reader sees who comes so many milliseconds later, with what the next load brings.
async fn seen(random: fn() -> f64, steps: &[(u64, Brings)]) -> Vec<String> {
    let (key, loads) = (Keys::new("test").key("read"), Cell::new(0));
    let reader = ReadThrough::drawing(Arc::new(InProcess::default()), random);
    let mut seen = Vec::new();
    for (wait, brings) in steps {
        sleep(Duration::from_millis(*wait)).await;
        let load = || async {
            loads.set(loads.get() + 1);
            sleep(LOAD).await;
            brings.map(|value| value.map(Into::into)).map_err(Into::into)
        };
        seen.push(match reader.get(&key, TERMS, load).await {
            Ok(Got { value, state, trouble: None }) => {
                let value = value.as_deref().map(String::from_utf8_lossy);
                format!("{} {state:?} {}", value.as_deref().unwrap_or("-"), loads.get())
            }
            other => format!("{other:?} {}", loads.get()),
        });
    }
    seen
}

#[tokio::test(start_paused = true)]
async fn a_value_is_good_then_renewed_then_gone() {
    // A draw of 1 is never early, and makes the time to live 11 s.
    let steps =
        [(0, Ok(Some("a"))), (10_999, Ok(Some("b"))), (2, Ok(Some("b"))), (16_001, Ok(Some("c")))];
    let expected = ["a Loaded 1", "a Good 1", "b Loaded 2", "c Loaded 3"];
    assert_eq!(seen(|| 1.0, &steps).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_lucky_draw_renews_early_but_not_before_half_of_its_time() {
    // A draw of almost nothing makes the time to live 9 s, of which 5 s are the last half.
    let steps = [(0, Ok(Some("a"))), (3999, Ok(Some("b"))), (2, Ok(Some("b")))];
    assert_eq!(seen(|| 1e-99, &steps).await, ["a Loaded 1", "a Good 1", "b Loaded 2"]);
}

#[tokio::test(start_paused = true)]
async fn a_failed_load_is_not_kept_and_leaves_what_is_there() {
    let bad = || Err("down");
    let steps = [(0, bad()), (0, Ok(Some("a"))), (11_001, bad()), (0, Ok(Some("b")))];
    let expected = ["Err(Load(\"down\")) 1", "a Loaded 2", "a Stale 3", "b Loaded 4"];
    assert_eq!(seen(|| 1.0, &steps).await, expected);
}

#[tokio::test(start_paused = true)]
async fn a_slow_leader_keeps_the_lead_and_a_hanging_one_loses_it() {
    let cache: Arc<dyn Cache> = Arc::new(InProcess::default());
    let (key, reader) = (Keys::new("test").key("slow"), ReadThrough::new(Arc::clone(&cache)));
    let takes = |leases: u32| {
        move || async move {
            sleep(TERMS.lease * leases).await;
            Ok(Some(b"late".to_vec()))
        }
    };
    let slow = reader.get(&key, TERMS, takes(5));
    let bids = async {
        let mut leads = 0;
        for _ in 0..9 {
            sleep(TERMS.lease / 2).await;
            let bid = cache.lead(&key, Duration::ZERO, TERMS.lease).await.unwrap();
            leads += usize::from(matches!(bid.lead, Lead::Ours(_)));
        }
        leads
    };
    let (got, leads) = tokio::join!(slow, bids);
    assert_eq!((got.unwrap().state, leads), (State::Loaded, 0));
    assert!(cache.look(&key).await.unwrap().is_some(), "what it brought is kept");
    cache.invalidate(&key).await.unwrap();
    let (got, ()) = tokio::join!(reader.get(&key, TERMS, takes(13)), async {
        sleep(TERMS.lease * 12).await;
        let bid = cache.lead(&key, Duration::ZERO, TERMS.lease * 9).await.unwrap();
        assert!(matches!(bid.lead, Lead::Ours(_)), "{bid:?}");
    });
    assert_eq!(got.unwrap().state, State::Loaded);
    assert_eq!(cache.look(&key).await.unwrap(), None, "it came too late");
}

#[tokio::test(start_paused = true)]
async fn that_there_is_none_is_remembered_for_its_own_time() {
    let steps = [(0, Ok(None)), (999, Ok(Some("a"))), (1, Ok(Some("a")))];
    assert_eq!(seen(|| 1.0, &steps).await, ["- Loaded 1", "- Good 1", "a Loaded 2"]);
}
