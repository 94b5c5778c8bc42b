use super::{
    CallEnd::{Failed, Good, Ignored},
    *,
};
use crate::probe::BadBackoff;
use proptest::prelude::*;
use std::time::Duration;

const SLOW: Duration = Duration::from_millis(201);

fn breaker() -> Breaker {
    Breaker::new(BreakerConfig::default()).unwrap()
}

/// One call that takes no time.
fn call(breaker: &mut Breaker, end: CallEnd, now: Instant) -> Result<(), Rejected> {
    breaker.admit(now).map(|permit| breaker.record(permit, end, now))
}

fn opened(now: Instant) -> Breaker {
    let mut breaker = breaker();
    (0..5).for_each(|_| call(&mut breaker, Failed, now).unwrap());
    assert_eq!(breaker.state(), BreakerState::Open { retry_at: now + Duration::from_secs(15) });
    breaker
}

#[test]
fn it_opens_at_its_share_and_never_below_the_minimum_of_calls() {
    let cases: [(&[CallEnd], bool, &str); 5] = [
        (&[Failed; 4], false, "four calls are under the minimum"),
        (&[Failed, Failed, Good, Good, Good], false, "2 of 5 are 40 %"),
        (&[Failed, Failed, Good, Good, Good, Failed], true, "3 of 6 are 50 %"),
        (&[Failed, Failed, Failed, Failed, Ignored, Ignored], false, "ignored ones are no calls"),
        (
            &[Good, Good, Failed, Good, Failed, Good, Failed, Good, Failed, Good, Good, Failed],
            true,
            "5 of the newest 10",
        ),
    ];
    for (ends, expected, why) in cases {
        let (mut breaker, now) = (breaker(), Instant::now());
        let rejected = ends.iter().filter(|end| call(&mut breaker, **end, now).is_err()).count();
        assert_eq!((breaker.opened(), rejected), (u64::from(expected), 0), "{why}");
    }
}

#[test]
fn slow_answers_open_it_too() {
    let (mut breaker, now) = (breaker(), Instant::now());
    for took in [SLOW, SLOW, Duration::ZERO, Duration::ZERO, Duration::from_millis(200), SLOW] {
        let permit = breaker.admit(now).unwrap();
        assert_eq!(breaker.state(), BreakerState::Closed);
        breaker.record(permit, Good, now + took);
    }
    assert!(matches!(breaker.state(), BreakerState::Open { .. }));
}

#[test]
fn a_minimum_above_the_window_is_the_window() {
    let config = BreakerConfig { window: 3, min_calls: 100, ..BreakerConfig::default() };
    let (mut breaker, now) = (Breaker::new(config).unwrap(), Instant::now());
    (0..3).for_each(|_| call(&mut breaker, Failed, now).unwrap());
    assert_eq!(breaker.opened(), 1);
}

#[test]
fn an_open_one_rejects_until_its_wait_is_over_and_waits_longer_each_time() {
    let mut now = Instant::now();
    let mut breaker = opened(now);
    for wait in [15, 30, 60, 120, 240, 300, 300] {
        let retry_at = now + Duration::from_secs(wait);
        now = retry_at - Duration::from_millis(1);
        assert_eq!(breaker.admit(now).unwrap_err(), Rejected::Open { retry_at });
        now = retry_at;
        call(&mut breaker, Failed, now).unwrap();
    }
    assert_eq!(breaker.rejected(), 7);
}

#[test]
fn one_goes_first_then_two_of_three_close_it_and_the_waits_begin_anew() {
    let mut now = Instant::now();
    let mut breaker = opened(now);
    now += Duration::from_secs(15);
    let first = breaker.admit(now).unwrap();
    assert_eq!(breaker.admit(now).unwrap_err(), Rejected::Trying, "one goes first");
    breaker.record(first, Good, now);
    let trials = [(); 3].map(|()| breaker.admit(now).unwrap());
    assert_eq!(breaker.admit(now).unwrap_err(), Rejected::Trying, "three trials, no more");
    for (trial, end) in trials.into_iter().zip([Good, Failed, Good]) {
        assert_eq!(breaker.state(), BreakerState::HalfOpen);
        breaker.record(trial, end, now);
    }
    assert_eq!(breaker.state(), BreakerState::Closed);
    (0..5).for_each(|_| call(&mut breaker, Failed, now).unwrap());
    assert_eq!(breaker.state(), BreakerState::Open { retry_at: now + Duration::from_secs(15) });
}

#[test]
fn two_bad_trials_or_a_slow_first_one_open_it_again() {
    let now = Instant::now() + Duration::from_secs(15);
    let mut breaker = opened(now - Duration::from_secs(15));
    call(&mut breaker, Good, now).unwrap();
    call(&mut breaker, Failed, now).unwrap();
    call(&mut breaker, Good, now).unwrap();
    call(&mut breaker, Failed, now).unwrap();
    let later = now + Duration::from_secs(30);
    assert_eq!(breaker.state(), BreakerState::Open { retry_at: later });
    let first = breaker.admit(later).unwrap();
    breaker.record(first, Good, later + SLOW);
    assert_eq!(breaker.opened(), 3, "a slow answer is no recovery");
}

#[test]
fn an_ignored_trial_gives_its_place_back_and_a_lost_one_only_in_time() {
    let now = Instant::now() + Duration::from_secs(15);
    let mut breaker = opened(now - Duration::from_secs(15));
    call(&mut breaker, Ignored, now).unwrap();
    let lost = breaker.admit(now).unwrap();
    assert_eq!(breaker.admit(now).unwrap_err(), Rejected::Trying);
    let late = now + Duration::from_millis(10_001);
    let Err(Rejected::Open { retry_at }) = breaker.admit(late) else { panic!("still trying") };
    assert_eq!(retry_at, late + Duration::from_secs(30));
    breaker.record(lost, Good, late);
    assert_eq!(breaker.state(), BreakerState::Open { retry_at }, "what comes late is void");
}

#[test]
fn a_result_from_before_a_change_does_not_count() {
    let now = Instant::now();
    let mut breaker = breaker();
    let early = [(); 5].map(|()| breaker.admit(now).unwrap());
    (0..5).for_each(|_| call(&mut breaker, Failed, now).unwrap());
    let half = now + Duration::from_secs(15);
    let first = breaker.admit(half).unwrap();
    for permit in early {
        breaker.record(permit, Failed, half);
    }
    assert_eq!(breaker.state(), BreakerState::HalfOpen);
    breaker.record(first, Good, half);
    assert_eq!(breaker.opened(), 1);
}

#[test]
fn what_could_never_open_or_close_is_refused() {
    let good = BreakerConfig::default();
    let cases = [
        (BreakerConfig { window: 0, ..good }, BadBreaker::NoWindow),
        (BreakerConfig { min_calls: 0, ..good }, BadBreaker::NoWindow),
        (BreakerConfig { failed_percent: 0, ..good }, BadBreaker::BadShare),
        (BreakerConfig { slow_percent: 101, ..good }, BadBreaker::BadShare),
        (BreakerConfig { needed: 0, ..good }, BadBreaker::BadTrials),
        (BreakerConfig { needed: 4, ..good }, BadBreaker::BadTrials),
        (BreakerConfig { open: Duration::ZERO, ..good }, BadBreaker::BadWait(BadBackoff::Zero)),
    ];
    for (config, expected) in cases {
        assert_eq!(Breaker::new(config).unwrap_err(), expected);
    }
}

#[derive(Clone, Copy, Debug)]
enum Step {
    Begin,
    End(CallEnd, usize),
    Wait(u64),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let end = prop_oneof![
        3 => Just(Failed), 3 => Just(Good), 1 => Just(Ignored),
    ];
    let step = prop_oneof![
        6 => Just(Step::Begin),
        6 => (end, any::<usize>()).prop_map(|(end, which)| Step::End(end, which)),
        2 => (0_u64..20_000).prop_map(Step::Wait),
    ];
    prop::collection::vec(step, 1..300)
}

proptest! {
    #[test]
    fn whatever_happens_it_keeps_its_promises(steps in steps()) {
        let (mut breaker, mut now) = (breaker(), Instant::now());
        let (mut under_way, mut rejected, mut recorded) = (Vec::new(), 0, 0);
        for step in steps {
            let (before, opened) = (breaker.state(), breaker.opened());
            match step {
                Step::Wait(ms) => now += Duration::from_millis(ms),
                Step::Begin => match (breaker.admit(now), before) {
                    (Ok(permit), BreakerState::Open { retry_at }) => {
                        prop_assert!(now >= retry_at, "a call went through an open circuit");
                        under_way = vec![permit];
                    }
                    (Ok(permit), BreakerState::Closed | BreakerState::HalfOpen) => under_way.push(permit),
                    (Err(_), _) => rejected += 1,
                },
                Step::End(end, which) if !under_way.is_empty() => {
                    let permit = under_way.swap_remove(which % under_way.len());
                    recorded += usize::from(before == BreakerState::Closed && end != Ignored);
                    breaker.record(permit, end, now);
                }
                Step::End(..) => {}
            }
            let after = breaker.state();
            if after != before {
                under_way.truncate(usize::from(after == BreakerState::HalfOpen));
            }
            if let BreakerState::Open { retry_at } = after && breaker.opened() > opened {
                let wait = retry_at - now;
                prop_assert!(wait >= Duration::from_secs(15) && wait <= Duration::from_mins(5));
                prop_assert!(before != BreakerState::Closed || recorded >= 5, "opened too early");
                recorded = 0;
            }
            if after == BreakerState::HalfOpen {
                prop_assert!(under_way.len() <= 3, "{} trials at once", under_way.len());
            }
            prop_assert_eq!(breaker.rejected(), rejected);
        }
    }
}
