//! Whole tests against a target that exists only on a paused clock.

use super::*;
use crate::{
    domain::perf::{Arrivals, Judged, PATIENCE},
    perf::{Broken, Client, Trip, goals::Goals},
};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};
use tokio::time::{advance, sleep_until};

/// Answers after a time of service, but not at all while it is frozen.
#[derive(Debug, Default)]
struct Target {
    service: Duration,
    /// From when to when nothing is answered, after the first connection.
    frozen: (Duration, Duration),
    fails: Option<&'static str>,
    asked: Arc<AtomicU64>,
}

struct Caller {
    service: Duration,
    frozen: (Instant, Instant),
    fails: Option<&'static str>,
    asked: Arc<AtomicU64>,
}

impl Subject for Target {
    type Client = Caller;

    fn operations(&self) -> Vec<String> {
        vec!["ASK".into()]
    }

    async fn connect(&self) -> Result<Caller, Broken> {
        let now = Instant::now() + LEAD;
        let frozen = (now + self.frozen.0, now + self.frozen.1);
        let asked = Arc::clone(&self.asked);
        Ok(Caller { service: self.service, frozen, fails: self.fails, asked })
    }

    async fn look(&self) -> Result<(), String> {
        Ok(())
    }
}

impl Client for Caller {
    async fn trip(&mut self, trip: &mut Trip<'_>) -> Result<(), Broken> {
        self.asked.fetch_add(1, Relaxed);
        let now = Instant::now();
        let free = if (self.frozen.0..self.frozen.1).contains(&now) { self.frozen.1 } else { now };
        sleep_until(free + self.service).await;
        match self.fails {
            Some("closed") => return Err(Broken::new("closed", "it closed the connection")),
            Some(class) => trip.failed(0, class),
            None => trip.ended(0, trip.left()),
        }
        Ok(())
    }
}

fn load(arrivals: Arrivals, clients: u32, seconds: u64) -> Load {
    Load {
        arrivals,
        clients,
        depth: 1,
        threads: 1,
        warm_up: Duration::ZERO,
        duration: Some(Duration::from_secs(seconds)),
        requests: None,
        timeout: PATIENCE,
    }
}

async fn simulate(target: Target, load: Load, reins: &Reins) -> Result<Figures, Failed> {
    let subject = Arc::new(target);
    let (start, news, jobs, _guard) = orders(&load, reins, Alarms::Coarse);
    let local = LocalSet::new();
    for job in jobs {
        local.spawn_local(work(Arc::clone(&subject), job));
    }
    let with = Collecting { load, guards: Guards::default(), start, news };
    local.run_until(collect(&*subject, with, reins)).await
}

fn reins() -> Reins {
    Reins::new(CancellationToken::new()).0
}

fn about(found: Duration, expected: u64) -> bool {
    found.abs_diff(Duration::from_millis(expected)) <= Duration::from_millis(expected / 100 + 3)
}

const MINUTE: Duration = Duration::from_mins(1);

#[tokio::test(start_paused = true)]
async fn a_freeze_of_a_second_shows_in_an_open_plan() {
    let frozen = (Duration::from_secs(4), Duration::from_secs(5));
    let target = Target { service: Duration::from_millis(1), frozen, ..Target::default() };
    let load = load(Arrivals::Constant { rate: 1000.0 }, 2000, 10);
    let figures = simulate(target, load, &reins()).await.unwrap();
    assert_eq!((figures.ended, figures.total.succeeded), (Ended::Complete, 10_000));
    // A tenth of the operations waited, evenly between a second and nothing.
    let latency = &figures.total.latency;
    for (share, expected) in [(0.5, 1), (0.95, 500), (0.99, 900), (0.999, 990)] {
        assert!(about(latency.at(share), expected), "{share}: {:?}", latency.at(share));
    }
    assert!(about(latency.max, 1001));
    assert_eq!(figures.kept.unwrap().missed, 0);
}

/// What a stop of the whole target does to the quantiles of a plan is plain arithmetic:
/// whoever falls due in it waits for its end.
#[tokio::test(start_paused = true)]
async fn a_stop_of_any_length_shows_as_long_as_it_is() {
    for (stop, expected) in [
        // 500 of 10000 wait: the 80th of 100 of them is the p99.
        (500, [(0.94, 1), (0.95, 1), (0.96, 100), (0.99, 400), (0.999, 490)]),
        (2000, [(0.79, 1), (0.8, 1), (0.9, 1000), (0.99, 1900), (0.999, 1990)]),
    ] {
        let frozen = (Duration::from_secs(4), Duration::from_millis(4000 + stop));
        let target = Target { service: Duration::from_millis(1), frozen, ..Target::default() };
        let load = load(Arrivals::Constant { rate: 1000.0 }, 5000, 10);
        let figures = simulate(target, load, &reins()).await.unwrap();
        assert_eq!((figures.total.succeeded, figures.total.failed), (10_000, 0));
        let well = &figures.samples.well;
        for (share, millis) in expected {
            let found = Duration::from_micros(well.value_at_quantile(share));
            assert!(about(found, millis), "{stop} ms, {share}: {found:?}");
        }
        assert!(about(Duration::from_micros(well.max()), stop + 1));
        // Eight or nine of ten blocks knew nothing of it, and that decides nothing.
        let goals =
            Goals { within: [None, None, Some(Duration::from_millis(300))], ..Goals::default() };
        assert_eq!(goals.judge(&figures)[0].judged, Judged::Fail, "{stop} ms");
        assert_eq!(figures.samples.blocks.len(), 10);
    }
}

#[tokio::test(start_paused = true)]
async fn few_clients_wait_in_line_and_the_plan_still_knows() {
    let frozen = (Duration::from_secs(4), Duration::from_secs(5));
    let target = Target { service: Duration::from_millis(1), frozen, ..Target::default() };
    let load = load(Arrivals::Constant { rate: 1000.0 }, 50, 10);
    let figures = simulate(target, load, &reins()).await.unwrap();
    let (latency, service) = (&figures.total.latency, figures.total.service.unwrap());
    assert!(latency.at(0.95) > Duration::from_millis(480), "{:?}", latency.at(0.95));
    assert!(latency.at(0.99) > Duration::from_millis(880), "{:?}", latency.at(0.99));
    assert!(about(service.at(0.99), 1), "what was sent was answered at once");
    let kept = figures.kept.unwrap();
    assert_eq!((kept.planned, kept.missed), (10_000, 0));
    assert!((950..1100).contains(&kept.late), "{}", kept.late);
}

#[tokio::test(start_paused = true)]
async fn a_closed_loop_hides_the_same_freeze() {
    let frozen = (Duration::from_secs(4), Duration::from_secs(5));
    let target = Target { service: Duration::from_millis(10), frozen, ..Target::default() };
    let figures = simulate(target, load(Arrivals::Closed, 50, 10), &reins()).await.unwrap();
    let latency = &figures.total.latency;
    assert!(about(latency.at(0.99), 10), "{:?}", latency.at(0.99));
    assert!(latency.max > Duration::from_secs(1), "only the longest betrays it");
    assert!(figures.kept.is_none() && figures.total.service.is_none());
}

#[tokio::test(start_paused = true)]
async fn what_never_begins_counts_with_the_time_that_it_waited() {
    let frozen = (Duration::from_secs(1), MINUTE);
    let target = Target { frozen, service: Duration::from_millis(1), ..Target::default() };
    let load = load(Arrivals::Constant { rate: 10.0 }, 2, 4);
    let figures = simulate(target, load, &reins()).await.unwrap();
    assert_eq!((figures.total.succeeded, figures.total.failed), (10, 30));
    assert_eq!(figures.errors["no answer"], 2);
    assert_eq!(figures.errors["never began"], 28);
    assert_eq!(figures.kept.unwrap().missed, 28);
    let latency = figures.total.latency;
    assert_eq!(latency.count, 40);
    assert!(latency.at(0.9) > Duration::from_secs(2), "{latency:?}");
}

#[tokio::test(start_paused = true)]
async fn the_warm_up_is_not_measured_and_a_number_ends_it_exactly() {
    let target = Target { service: Duration::from_millis(10), ..Target::default() };
    let asked = Arc::clone(&target.asked);
    let closed = load(Arrivals::Closed, 4, 0);
    let load =
        Load { warm_up: Duration::from_secs(1), duration: None, requests: Some(1001), ..closed };
    let figures = simulate(target, load, &reins()).await.unwrap();
    assert_eq!((figures.total.succeeded, figures.total.failed), (1001, 0));
    assert!((1001 + 396..=1001 + 408).contains(&asked.load(Relaxed)), "{}", asked.load(Relaxed));
    assert!((figures.generator.in_flight - 4.0).abs() < 0.1, "{}", figures.generator.in_flight);
    // Little's law: what is in flight is the rate times the time.
    let little = figures.total.per_second * figures.total.latency.mean.as_secs_f64();
    assert!((little - 4.0).abs() < 0.2, "{little}");
}

#[tokio::test(start_paused = true)]
async fn a_guard_stops_what_fails() {
    let slow = Duration::from_millis(5);
    let target = Target { fails: Some("LOADING"), service: slow, ..Target::default() };
    let load = load(Arrivals::Closed, 4, 60);
    let began = Instant::now();
    let figures = simulate(target, load, &reins()).await.unwrap();
    let Ended::Stopped(why) = &figures.ended else { panic!("{:?}", figures.ended) };
    assert!(why.ends_with("limit 5 %, most: LOADING"), "{why}");
    assert!(began.elapsed() < Duration::from_secs(2));
}

#[tokio::test(start_paused = true)]
async fn a_connection_that_breaks_is_replaced_and_its_operation_failed() {
    let slow = Duration::from_millis(100);
    let target = Target { fails: Some("closed"), service: slow, ..Target::default() };
    let load = load(Arrivals::Closed, 1, 2);
    let figures = simulate(target, load, &reins()).await.unwrap();
    assert_eq!(figures.total.succeeded, 0);
    assert_eq!(figures.errors["closed"], 20);
}

#[tokio::test(start_paused = true)]
async fn drawn_reins_end_it_at_once_with_what_there_is() {
    let target = Target { service: MINUTE, ..Target::default() };
    let (reins, progress) = Reins::new(CancellationToken::new());
    let cancel = reins.cancel.clone();
    let drawn = async {
        sleep(Duration::from_secs(3)).await;
        assert_eq!(progress.borrow().phase, Phase::Measuring);
        assert_eq!(progress.borrow().in_flight, 2);
        cancel.cancel();
        Instant::now()
    };
    let load = load(Arrivals::Closed, 2, 60);
    let (figures, drawn) = tokio::join!(simulate(target, load, &reins), drawn);
    assert_eq!(figures.unwrap().ended, Ended::Aborted);
    assert!(drawn.elapsed() < Duration::from_secs(1));
    advance(Duration::from_secs(1)).await;
}

#[tokio::test]
async fn threads_of_their_own_do_the_same() {
    let target = Arc::new(Target { service: Duration::from_millis(1), ..Target::default() });
    let asked = Arc::clone(&target.asked);
    let load = Load { requests: Some(101), threads: 2, ..load(Arrivals::Closed, 5, 30) };
    let figures = run(target, &load, Guards::default(), &reins()).await.unwrap();
    assert_eq!((figures.ended, figures.total.succeeded), (Ended::Complete, 101));
    assert_eq!(asked.load(Relaxed), 101);
}
