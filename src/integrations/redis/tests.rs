use super::*;
use crate::{
    domain::{Cadence, Finding, Outcome, Skip},
    secret::Secret,
};

fn redis(settings: Settings) -> Redis {
    Redis::new(IntegrationId::new("redis").unwrap(), settings, Safety::default())
}

fn at(url: &str) -> Settings {
    Settings { url: Some(Secret::new(url)), ..Settings::default() }
}

async fn run(redis: &Redis, name: &str) -> Finding {
    let cx = Cx::default();
    let index = redis.checks().iter().position(|spec| spec.name == name).unwrap();
    redis.run(index, &cx).await.unwrap_or_else(Finding::from)
}

#[test]
fn the_table_keeps_to_the_rules() {
    let specs = redis(Settings::default()).checks();
    for spec in &specs {
        let Cadence::Every(cadence) = spec.cadence else { panic!("{} is on demand", spec.name) };
        assert!(spec.timeout < cadence, "{}", spec.name);
        assert!(spec.title.chars().count() <= 40 && !spec.title.ends_with('.'), "{}", spec.title);
        assert!((1..=10).contains(&spec.weight) && !spec.hint.is_empty());
        let first = ["connect", "commands"].contains(&&*spec.name);
        assert_eq!(spec.needs.is_none(), first, "{}", spec.name);
    }
    let names: Vec<_> = specs.iter().map(|spec| &*spec.name).collect();
    assert_eq!(
        names,
        [
            "connect",
            "commands",
            "instance",
            "topology",
            "cache",
            "lock",
            "session",
            "ratelimit",
            "queue",
            "pubsub",
            "metrics"
        ]
    );
}

#[tokio::test(start_paused = true)]
async fn without_an_address_everything_runs_here_and_says_so() {
    let redis = redis(Settings::default());
    assert_eq!(redis.target().provenance, Provenance::Embedded);
    for spec in redis.checks() {
        let finding = run(&redis, &spec.name).await;
        let expected = match &*spec.name {
            "commands" | "instance" | "topology" => Outcome::Skipped(Skip::NotApplicable),
            _ => Outcome::Pass,
        };
        assert_eq!(finding.outcome, expected, "{}: {}", spec.name, finding.summary);
        assert!(finding.fallback, "{} hides that it is a stand-in", spec.name);
        assert!(finding.remedy.is_some_and(|remedy| remedy.contains("REDIS_URL")));
    }
}

#[tokio::test]
async fn a_server_that_is_away_is_never_stood_in_for() {
    let redis = redis(at("redis://:hunter2@127.0.0.1:1/3"));
    assert_eq!(redis.target().name, "127.0.0.1:1/3");
    assert_eq!(redis.target().provenance, Provenance::Configured);
    for spec in redis.checks() {
        let finding = run(&redis, &spec.name).await;
        assert_eq!(finding.outcome, Outcome::Fail, "{}", spec.name);
        assert_eq!(finding.summary, "connection refused by 127.0.0.1:1/3");
        assert!(!finding.fallback && finding.remedy.is_some());
        assert!(!format!("{finding:?}").contains("hunter2"));
    }
}

#[tokio::test]
async fn nothing_is_written_where_it_is_not_allowed() {
    let mut settings = at("redis://192.0.2.1");
    for writes in [None, Some(false)] {
        settings.writes = writes;
        let redis = redis(settings.clone());
        for name in ["cache", "lock", "session", "ratelimit", "queue", "pubsub"] {
            let finding = run(&redis, name).await;
            assert_eq!(finding.outcome, Outcome::Skipped(Skip::NotAllowed));
            assert!(finding.remedy.unwrap().contains("writes = true"));
        }
    }
}

#[tokio::test]
async fn an_unusable_address_is_said_without_quoting_it() {
    let redis = redis(at("http://:hunter2@db"));
    for spec in redis.checks() {
        let finding = run(&redis, &spec.name).await;
        assert_eq!(finding.outcome, Outcome::Fail);
        assert!(finding.summary.starts_with("`url` is no address"));
        assert!(!format!("{finding:?}").contains("hunter2"));
    }
}

#[test]
fn a_title_fits_its_column() {
    let named =
        Settings { name: Some("sessions-of-the-whole-world".into()), ..Settings::default() };
    assert_eq!(redis(named).title(), "Redis sessions-of-th");
}
