use super::*;
use crate::domain::{Finding, sample};
use proptest::prelude::*;

const ASKED: Order = Order { trigger: Trigger::Asked };

fn spec(name: &'static str, need: Option<&'static str>) -> CheckSpec {
    let spec = sample::check(name, 1, Finding::pass("")).spec; // every 10 s
    CheckSpec { needs: need.map(Into::into), ..spec }
}

fn schedule(specs: &[CheckSpec], begin: Begin) -> (Schedule, Instant) {
    let now = Instant::now();
    let id = IntegrationId::new("test").unwrap();
    (Schedule::new(&id, specs, begin, 7, now).at_most(4), now)
}

fn taken(schedule: &mut Schedule, now: Instant) -> Vec<usize> {
    schedule.take_due(now).into_iter().map(|due| due.check).collect()
}

#[tokio::test(start_paused = true)]
async fn first_runs_are_staggered_and_at_most_four_at_once() {
    let names = ["a", "b", "c", "d", "e", "f"];
    let (mut schedule, start) = schedule(&names.map(|name| spec(name, None)), Begin::Polling);
    assert!(taken(&mut schedule, start).is_empty());
    assert_eq!(schedule.next(), Some(start + FIRST));
    assert_eq!(taken(&mut schedule, start + FIRST), [0]);
    let later = start + Duration::from_secs(1);
    assert_eq!(taken(&mut schedule, later), [1, 2, 3]);
    assert_eq!(schedule.next(), None, "there is no room until one ends");
    schedule.ended(0, later);
    assert_eq!(taken(&mut schedule, later), [4]);
}

#[tokio::test(start_paused = true)]
async fn a_check_waits_for_what_it_needs() {
    let specs = [spec("lock", Some("connect")), spec("connect", None)];
    let (mut schedule, start) = schedule(&specs, Begin::WhenAsked);
    assert_eq!(schedule.next(), None, "nothing runs by itself");
    schedule.request(0, ASKED, start);
    assert_eq!(taken(&mut schedule, start), [1], "what it needs goes first, unasked");
    assert_eq!(schedule.next(), None);
    schedule.ended(1, start);
    assert_eq!(taken(&mut schedule, start), [0]);
}

#[tokio::test(start_paused = true)]
async fn what_others_need_begins_however_many_run() {
    let others = ["a", "b", "c", "d", "e"].map(|name| spec(name, Some("connect")));
    let specs = [&[spec("connect", None)], &others[..]].concat();
    let (mut schedule, start) = schedule(&specs, Begin::WhenAsked);
    for check in 0..specs.len() {
        schedule.request(check, ASKED, start);
    }
    assert_eq!(taken(&mut schedule, start), [0]);
    schedule.ended(0, start);
    assert_eq!(taken(&mut schedule, start), [1, 2, 3, 4]);
    assert_eq!(schedule.next(), None, "there is no room for the fifth");
    schedule.request_needs(&[2, 3], start);
    assert_eq!(schedule.next(), Some(start));
    assert_eq!(taken(&mut schedule, start), [0]);
    schedule.request_needs(&[2, 3], start);
    schedule.ended(0, start);
    schedule.ended(1, start);
    assert_eq!(taken(&mut schedule, start), [5], "what was under way was not asked for again");
}

#[tokio::test(start_paused = true)]
async fn asking_during_a_run_queues_one_more_and_never_two() {
    let (mut schedule, start) = schedule(&[spec("a", None)], Begin::WhenAsked);
    schedule.request(0, ASKED, start);
    assert_eq!(taken(&mut schedule, start), [0]);
    assert!(schedule.request(0, ASKED, start) && schedule.request(0, ASKED, start));
    schedule.ended(0, start);
    assert_eq!(taken(&mut schedule, start), [0]);
    schedule.ended(0, start);
    assert!(taken(&mut schedule, start).is_empty());
}

#[tokio::test(start_paused = true)]
async fn while_paused_only_what_is_asked_for_runs() {
    let (mut schedule, start) = schedule(&[spec("a", None), spec("b", None)], Begin::Polling);
    schedule.pause(true);
    let later = start + Duration::from_mins(1);
    assert_eq!((taken(&mut schedule, later), schedule.next()), (vec![], None));
    schedule.request(1, ASKED, later);
    assert_eq!(taken(&mut schedule, later), [1]);
    schedule.pause(false);
    assert_eq!(taken(&mut schedule, later), [0]);
}

#[tokio::test(start_paused = true)]
async fn what_was_called_off_goes_back_to_its_timetable() {
    let (mut schedule, start) = schedule(&[spec("a", None)], Begin::Polling);
    taken(&mut schedule, start + FIRST);
    schedule.ended(0, start + FIRST);
    let due = schedule.next();
    schedule.request(0, ASKED, start + FIRST);
    schedule.call_off(0, start + FIRST);
    assert_eq!(schedule.next(), due);
    assert!(taken(&mut schedule, start + FIRST).is_empty());
}

#[tokio::test(start_paused = true)]
async fn what_happens_brings_a_check_forward_at_most_every_five_seconds() {
    let (mut schedule, start) = schedule(&[spec("a", None)], Begin::Polling);
    let at = |millis| start + Duration::from_millis(millis);
    taken(&mut schedule, at(5));
    schedule.ended(0, at(10));
    schedule.stir(0, at(20));
    assert_eq!(taken(&mut schedule, at(20)), [0], "the first time at once");
    schedule.stir(0, at(30));
    schedule.stir(0, at(40));
    schedule.ended(0, at(50));
    assert_eq!(schedule.next(), Some(at(5020)), "then not before 5 s after the last");
    assert!(taken(&mut schedule, at(5019)).is_empty());
    assert_eq!(taken(&mut schedule, at(5020)), [0]);
    schedule.stir(0, at(5030));
    schedule.request(0, ASKED, at(5040));
    schedule.ended(0, at(5050));
    assert_eq!(taken(&mut schedule, at(5050)), [0], "who asks does not wait");
    schedule.ended(0, at(5060));
    schedule.pause(true);
    schedule.stir(0, at(20_000));
    assert!(taken(&mut schedule, at(20_000)).is_empty(), "nothing by itself while paused");
}

#[tokio::test(start_paused = true)]
async fn what_is_due_anyway_is_not_put_off_by_what_happens() {
    let (mut schedule, start) = schedule(&[spec("a", None)], Begin::Polling);
    taken(&mut schedule, start + FIRST);
    schedule.ended(0, start + FIRST);
    schedule.stir(0, start + FIRST);
    assert_eq!(taken(&mut schedule, start + FIRST), [0]);
    schedule.ended(0, start + FIRST);
    let due = schedule.next().unwrap();
    schedule.stir(0, start + FIRST);
    assert_eq!(schedule.next(), Some(cmp::min(due, start + FIRST + STIRRED)));
}

#[tokio::test(start_paused = true)]
async fn minutes_are_a_tenth_longer_or_shorter_and_seconds_are_not() {
    let gaps = |period| {
        let spec = CheckSpec { cadence: Cadence::Every(period), ..spec("a", None) };
        let (mut schedule, start) = schedule(&[spec], Begin::Polling);
        let mut now = start + FIRST;
        let turns = (0..200).map(|_| {
            assert_eq!(taken(&mut schedule, now), [0]);
            schedule.ended(0, now);
            let last = now;
            now = schedule.next().unwrap();
            now - last
        });
        // The first gap depends on the offset.
        turns.skip(1).collect::<Vec<_>>()
    };
    let minute = gaps(Duration::from_mins(1));
    let (least, most) = (minute.iter().min().unwrap(), minute.iter().max().unwrap());
    assert!(*least >= Duration::from_secs(54) && *most <= Duration::from_secs(66));
    assert!(*most > *least + Duration::from_secs(6), "{least:?} to {most:?}");
    assert!(gaps(Duration::from_secs(5)).iter().all(|gap| *gap == Duration::from_secs(5)));
}

#[tokio::test(start_paused = true)]
async fn what_is_looked_at_less_often_follows_what_shares_its_need() {
    let every = |name, seconds, need| {
        let cadence = Cadence::Every(Duration::from_secs(seconds));
        CheckSpec { cadence, ..spec(name, need) }
    };
    let need = Some("connect");
    let specs = [
        every("connect", 5, None),
        every("commands", 5, need),
        every("instance", 15, need),
        every("lock", 60, need),
        every("queue", 60, need),
        every("alone", 60, None),
        every("vector", 15, None),
    ];
    let (schedule, _) = schedule(&specs, Begin::Polling);
    let followers: [&[usize]; 7] = [&[2, 3, 4], &[2, 3, 4], &[3, 4], &[], &[], &[], &[3, 4]];
    for (check, expected) in followers.into_iter().enumerate() {
        assert_eq!(schedule.followers(check), expected, "{}", specs[check].name);
    }
}

proptest! {
    #[test]
    fn missed_turns_are_skipped_and_the_rhythm_is_kept(runs in prop::collection::vec(0_u64..60_000, 1..20)) {
        let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
        let _entered = runtime.enter();
        let (mut schedule, start) = schedule(&[spec("a", None)], Begin::Polling);
        let period = Duration::from_secs(10);
        let mut now = start + FIRST;
        let mut phases = Vec::new();
        for took in runs {
            prop_assert_eq!(taken(&mut schedule, now), vec![0]);
            let ended = now + Duration::from_millis(took);
            schedule.ended(0, ended);
            now = schedule.next().unwrap();
            prop_assert!(now >= ended + BREATH && now <= ended + BREATH + period);
            phases.push((now - start).as_millis() % period.as_millis());
        }
        prop_assert!(phases.windows(2).all(|pair| pair[0] == pair[1]));
    }
}
