use super::{
    super::{
        looks::Looks,
        names::{Reading, is_ours},
    },
    *,
};
use crate::probe::exposition::page;
use tokio::time::Instant;

/// Query times of `queries` queries.
fn queries(queries: u32) -> String {
    let name = "db_client_operation_duration_seconds";
    format!("{name}_bucket{{le=\"+Inf\"}} {queries}\n{name}_count {queries}\n{name}_sum 1\n")
}

fn pool(used: u32, max: u32, pending: u32) -> String {
    format!(
        "db_client_connection_count{{pool=\"orders\",state=\"used\"}} {used}\n\
         db_client_connection_max{{pool=\"orders\"}} {max}\n\
         db_client_connection_pending_requests{{pool=\"orders\"}} {pending}\n"
    )
}

fn read(text: &str) -> Reading {
    Reading::of(&page(text, is_ours).unwrap())
}

/// Judges the last of several looks, each a minute after the one before.
fn judged(texts: &[&str]) -> Finding {
    let (mut looks, mut at, mut last) = (Looks::default(), Instant::now(), None);
    for text in texts {
        let reading = read(text);
        let growth = looks.note(at, &reading);
        last = Some(judge(&reading, growth.as_ref(), "GET app/metrics"));
        at += Duration::from_mins(1);
    }
    last.unwrap()
}

#[track_caller]
fn says(texts: &[&str], word: &str, summary: &str) {
    let finding = judged(texts);
    assert_eq!((finding.outcome.word(), &*finding.summary), (word, summary));
    assert!(summary.chars().count() <= 55, "{summary}");
    assert_eq!(finding.remedy.is_some(), word != "pass");
    assert_eq!(finding.evidence.asked, "GET app/metrics");
    assert!(!finding.evidence.wanted.is_empty() && !finding.evidence.reply.is_empty());
}

#[test]
fn both_queries_and_pool_are_wanted() {
    let (queries, pool) = (queries, pool(3, 10, 0));
    let whole = format!("{}{pool}", queries(7));
    says(&[&whole], "pass", "7 queries, pool orders: 3 of 10 used");
    says(&["up 1\n"], "fail", "exports neither query times nor a pool");
    says(&[""], "fail", "exports neither query times nor a pool");
    says(&[&pool], "warn", "a pool is exported, query times are not");
    says(&[&queries(7)], "warn", "query times are exported, a pool is not");
    let none = format!("{}{pool}", queries(0));
    says(&[&none], "warn", "query times are exported, none was counted");
    says(&[&format!("{}{pool}", queries(1))], "pass", "1 query, pool orders: 3 of 10 used");
    let flat = whole.replace("_bucket{le=\"+Inf\"}", "_other");
    says(&[&flat], "warn", "query times are exported, but no histogram");
    let failed =
        format!("{whole}db_client_operation_duration_seconds_count{{error_type=\"x\"}} 2\n");
    says(&[&failed], "pass", "9 queries, 2 failed, pool orders: 3 of 10 used");
}

#[test]
fn a_pool_is_short_above_nine_tenths_and_exhausted_when_somebody_waits() {
    let of = |used, max, pending| format!("{}{}", queries(7), pool(used, max, pending));
    says(&[&of(9, 10, 3)], "pass", "7 queries, pool orders: 9 of 10 used");
    says(&[&of(91, 100, 0)], "warn", "pool orders: 91 of 100 used, limit 90 %");
    says(&[&of(10, 10, 0)], "warn", "pool orders: 10 of 10 used, limit 90 %");
    says(&[&of(10, 10, 1)], "fail", "pool orders: 10 of 10 used, 1 waiting");
    says(&[&of(11, 10, 4)], "fail", "pool orders: 11 of 10 used, 4 waiting");
    says(&[&of(11, 0, 4)], "pass", "7 queries, pool orders: 11 used, 0 idle");
    let bare = format!("{}db_client_connection_max{{pool=\"orders\"}} 10\n", queries(7));
    says(&[&bare], "warn", "pool orders tells neither used nor idle");
    // The worst of several is told.
    let second = pool(5, 5, 2).replace("orders", "users");
    says(&[&format!("{}{second}", of(1, 10, 0))], "fail", "pool users: 5 of 5 used, 2 waiting");
}

#[test]
fn whoever_waits_must_not_wait_for_long() {
    let of = |pending| format!("{}{}", queries(7), pool(3, 10, pending));
    says(&[&of(2)], "pass", "7 queries, pool orders: 3 of 10 used");
    says(&[&of(0), &of(2)], "pass", "7 queries, pool orders: 3 of 10 used");
    says(&[&of(2), &of(2)], "warn", "pool orders: 2 waiting for 1m00s, limit 10s");
    let key = (super::super::names::Tongue::OpenTelemetry, "orders".to_owned());
    let sooner = PATIENCE.checked_sub(Duration::from_nanos(1)).unwrap();
    for (since, word) in [(sooner, "pass"), (PATIENCE, "warn")] {
        let growth = Growth { waiting: [(key.clone(), since)].into(), ..Growth::default() };
        let finding = judge(&read(&of(1)), Some(&growth), "x");
        assert_eq!(finding.outcome.word(), word);
    }
    let bouncer = |secs: &str| {
        format!(
            "{}pgbouncer_pools_server_active_connections{{database=\"o\"}} 3\n\
             pgbouncer_pools_client_maxwait_seconds{{database=\"o\"}} {secs}\n",
            queries(7)
        )
    };
    says(&[&bouncer("1")], "pass", "7 queries, pool o: 3 used, 0 idle");
    says(&[&bouncer("1.5")], "fail", "pool o: the first waits 1.5s, limit 1s");
}

#[test]
fn timeouts_count_where_they_grow() {
    let of = |timeouts: &str| {
        let (queries, pool) = (queries(7), pool(3, 10, 0));
        format!(
            "{queries}{pool}db_client_connection_timeouts_total{{pool=\"orders\"}} {timeouts}\n"
        )
    };
    let fine = "7 queries, pool orders: 3 of 10 used";
    says(&[&of("5")], "pass", fine);
    says(&[&of("5"), &of("5")], "pass", fine);
    says(&[&of("5"), &of("6")], "warn", "pool orders: 1 timed out in 1m00s");
    says(&[&of("5"), &of("6"), &of("6")], "warn", "pool orders: 1 timed out in 2m00s");
    says(&[&of("5"), &of("0")], "pass", fine);
}

#[test]
fn a_wait_of_a_second_on_average_is_too_long() {
    let of = |count: u32, sum: &str| {
        let name = "db_client_connection_wait_time_seconds";
        let (queries, pool) = (queries(7), pool(3, 10, 0));
        let label = "{pool=\"orders\"}";
        format!("{queries}{pool}{name}_count{label} {count}\n{name}_sum{label} {sum}\n")
    };
    let fine = "7 queries, pool orders: 3 of 10 used";
    says(&[&of(4, "4")], "pass", fine);
    says(&[&of(4, "6")], "fail", "pool orders: waits of 1.5s on average, limit 1s");
    says(&[&of(4, "6"), &of(8, "7")], "pass", fine);
    says(&[&of(4, "6"), &of(4, "6")], "pass", fine);
}

#[test]
fn connections_that_go_round_without_a_query_are_a_counter_that_stands_still() {
    let of = |count: u32, turns: u32| {
        let name = "db_client_connection_use_time_seconds_count{pool=\"orders\"}";
        format!("{}{}{name} {turns}\n", queries(count), pool(3, 10, 0))
    };
    let fine = "7 queries, pool orders: 3 of 10 used";
    says(&[&of(7, 100), &of(7, 100)], "pass", fine);
    says(&[&of(7, 100), &of(7, 119)], "pass", fine);
    says(&[&of(7, 100), &of(7, 120)], "warn", "no query counted in 20 turns of a connection");
    says(&[&of(6, 100), &of(7, 120)], "pass", fine);
}

#[test]
fn an_old_name_and_a_literal_are_warnings_and_the_literal_is_not_repeated() {
    let old = format!(
        "{}db_client_connections_usage{{pool_name=\"orders\",state=\"used\"}} 3\n",
        queries(7)
    );
    says(&[&old], "warn", "old name db_client_connections_usage");
    let of = |text: &str| {
        let label = format!("{{db_query_text=\"{text}\"}}");
        format!("{}{}app_slow_queries{label} 1\n", queries(7), pool(3, 10, 0))
    };
    let fine = "7 queries, pool orders: 3 of 10 used";
    says(&[&of("SELECT * FROM users WHERE email = ?")], "pass", fine);
    let leak = of("SELECT * FROM users WHERE email = 'hunter2'");
    says(&[&leak], "warn", "literals in 1 of 1 query texts");
    assert!(!format!("{:?}", judged(&[&leak])).contains("hunter2"));
}
