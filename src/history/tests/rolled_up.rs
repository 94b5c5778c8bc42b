use super::*;
use crate::history::trim::trim;

const MINUTE: i64 = 60_000;
const DAY: i64 = 24 * 60 * MINUTE;
const BOUNDS: Bounds = Bounds { age: Duration::from_hours(400 * 24), bytes: 200 << 20 };

/// All that is kept of a series: the runs, the values and their sum.
async fn sums(opened: &mut Opened) -> (i64, i64, i64) {
    let runs = "SELECT (SELECT count(mark) FROM point)
        + (SELECT ifnull(sum(passed + warned + failed + unknown + skipped), 0) FROM rollup)";
    let values = "SELECT (SELECT count(value) FROM point) + (SELECT ifnull(sum(n), 0) FROM rollup)";
    let sum = "SELECT CAST(round((SELECT ifnull(sum(value), 0) FROM point)
        + (SELECT ifnull(sum(mean * n), 0) FROM rollup)) AS INTEGER)";
    (number(opened, runs).await, number(opened, values).await, number(opened, sum).await)
}

/// A run every ten minutes of the last ninety days, each with a value.
fn ninety_days() -> Vec<Note> {
    let marks = [Mark::Pass, Mark::Fail, Mark::Unknown];
    let run = |n: i64| {
        let mark = marks[usize::try_from(n % 3).unwrap()];
        point(
            "redis.lock",
            NOW.0 - n * 10 * MINUTE,
            Some(mark),
            Some(f64::from(i32::try_from(n % 5).unwrap())),
        )
    };
    (1..=90 * 144).map(run).collect()
}

#[tokio::test]
async fn rolling_up_loses_detail_and_nothing_else() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    write(&mut file, &ninety_days()).await.unwrap();
    let before = sums(&mut file).await;
    for hours in [0, 1, 30] {
        let now = NOW.after(Duration::from_hours(hours));
        trim(&mut file.link, BOUNDS, now).await.unwrap();
        assert_eq!(sums(&mut file).await, before, "after {hours} h");
    }
    let steps = "SELECT group_concat(step || ':' || n) FROM
        (SELECT step, count(*) AS n FROM rollup GROUP BY step ORDER BY step)";
    let told = word(&mut file, steps).await;
    assert!(told.contains("3600000:") && told.contains("600000:"), "{told}");
    let rows = number(&mut file, "SELECT count(*) FROM rollup").await;
    assert!(rows < 6_000, "{rows} of {}", before.0);
    // The clock is set back, and what is seen then leads into steps that are there.
    let again = point("redis.lock", NOW.0 - DAY, Some(Mark::Pass), Some(3.0));
    let no_value = point("redis.lock", NOW.0 - 60 * DAY + 1, Some(Mark::Pass), None);
    write(&mut file, &[again, no_value]).await.unwrap();
    trim(&mut file.link, BOUNDS, NOW).await.unwrap();
    assert_eq!(sums(&mut file).await, (before.0 + 2, before.1 + 1, before.2 + 3));
}

#[tokio::test]
async fn what_is_too_old_or_too_much_goes_the_oldest_first() {
    let (_folder, path) = place();
    let mut file = opened(&path).await;
    let mut notes = ninety_days();
    notes.extend((0..90).map(|day| Note::Event {
        at: Timestamp(NOW.0 - day * DAY - 1),
        check: None,
        mark: None,
        text: "x".repeat(8000),
    }));
    write(&mut file, &notes).await.unwrap();
    let month = Bounds { age: Duration::from_hours(30 * 24), ..BOUNDS };
    trim(&mut file.link, month, NOW).await.unwrap();
    let events = "SELECT count(*) FROM event";
    assert_eq!(number(&mut file, events).await, 30);
    let small = Bounds { bytes: file.link.size(0).await.unwrap() / 2, ..BOUNDS };
    trim(&mut file.link, small, NOW).await.unwrap();
    assert!(file.link.size(0).await.unwrap() <= small.bytes);
    let left = number(&mut file, events).await;
    assert!((1..30).contains(&left), "{left}");
    let newest = number(&mut file, "SELECT max(at) FROM event").await;
    assert_eq!(newest, NOW.0 - 1, "the newest stay");
    let on_disk = fs::metadata(&path).unwrap().len();
    assert!(on_disk <= small.bytes + 64 * 1024, "{on_disk} on disk: room is given back");
    assert_eq!(number(&mut file, "SELECT count(*) FROM run").await, 1);
}
