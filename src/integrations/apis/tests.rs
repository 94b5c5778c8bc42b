//! The whole integration against servers of our own that answer as the providers do.

use super::{Apis, InstanceSettings, PROFILES, Provider, ProviderSettings, Settings};
use crate::{
    domain::{Class, Finding, IntegrationId, Outcome, Skip},
    probe::{Cx, Integration},
    secret::Secret,
};
use std::time::Duration;
use tokio::time::{advance, pause, resume};
use wiremock::{
    Mock, MockServer, ResponseTemplate,
    matchers::{any, header, path},
};

/// Part of every key here; it must turn up in no finding.
const MARKER: &str = "CANARY0123456789";
const LIST: &str = r#"{"object":"list","data":[{"id":"m"}]}"#;

fn settings(key: &str, url: &str) -> Settings {
    let openai = ProviderSettings {
        key: Some(Secret::new(key)),
        url: Some(url.into()),
        ..ProviderSettings::default()
    };
    Settings { openai, ..Settings::default() }
}

fn apis(settings: &Settings) -> Apis {
    Apis::new(IntegrationId::new("apis").unwrap(), settings.clone())
}

fn single(provider: Provider, key: &str, url: &str) -> Apis {
    let settings = InstanceSettings {
        name: "eu".into(),
        provider,
        key: Some(Secret::new(key)),
        url: Some(url.into()),
        required: None,
    };
    Apis::single(IntegrationId::named("apis", "eu").unwrap(), settings)
}

/// Runs a check and makes sure that nothing of the key is in what it says.
async fn run(apis: &Apis, name: &str) -> Finding {
    let index = apis.checks().iter().position(|spec| spec.name == *name).unwrap();
    let cx = Cx::default();
    let finding = apis.run(index, &cx).await.unwrap_or_else(Finding::from);
    let all = format!("{finding:?}");
    assert!(!all.contains("CANARY"), "{name} leaks the key: {all}");
    if finding.outcome == Outcome::Fail {
        let evidence = &finding.evidence;
        let told = [&evidence.asked, &evidence.wanted, &evidence.reply];
        assert!(told.iter().all(|text| !text.is_empty()), "{name} does not say why: {all}");
        assert!(finding.remedy.is_some(), "{name} does not say what to do: {all}");
    }
    finding
}

async fn answering(template: ResponseTemplate) -> MockServer {
    let server = MockServer::start().await;
    Mock::given(any()).respond_with(template).mount(&server).await;
    server
}

fn key() -> String {
    format!("sk-proj-{MARKER}")
}

#[tokio::test]
async fn without_keys_nothing_is_sent_and_only_the_required_ones_fail() {
    let apis = apis(&Settings::default());
    for (word, required) in
        [("openai", true), ("google", true), ("letta", false), ("github", false)]
    {
        let (key, rest) = if required {
            (Outcome::Fail, Outcome::Blocked(format!("{word}_key").into()))
        } else {
            (Outcome::Skipped(Skip::OptionalAbsent), Outcome::Skipped(Skip::NotApplicable))
        };
        for (check, expected) in [("key", &key), ("accepted", &rest), ("quota", &rest)] {
            assert_eq!(run(&apis, &format!("{word}_{check}")).await.outcome, *expected, "{word}");
        }
    }
    let missing = run(&apis, "google_key").await;
    assert_eq!(missing.summary, "Google AI key is missing");
    assert!(missing.evidence.asked.contains("GOOGLE_AI_API_KEY, GEMINI_API_KEY, GOOGLE_API_KEY"));
}

#[tokio::test]
async fn a_good_key_is_accepted_and_two_checks_cost_one_request() {
    let server = answering(ResponseTemplate::new(200).set_body_string(LIST)).await;
    let apis = apis(&settings(&key(), &format!("{}/v1/", server.uri())));
    assert_eq!(run(&apis, "openai_key").await.summary, "project key from the configuration");
    let accepted = run(&apis, "openai_accepted").await;
    assert_eq!((accepted.outcome, &*accepted.summary), (Outcome::Pass, "accepted, 1 models"));
    assert!(accepted.latency.is_some());
    let quota = run(&apis, "openai_quota").await;
    assert_eq!(quota.outcome, Outcome::Skipped(Skip::NotApplicable));
    assert_eq!(quota.summary, "unverified: OpenAI tells it only on paid calls");
    let requests = server.received_requests().await.unwrap();
    assert_eq!(requests.len(), 1);
    assert_eq!(requests[0].url.path(), "/v1/models");
    assert_eq!(requests[0].headers["authorization"], format!("Bearer {}", key()).as_str());
}

#[tokio::test]
async fn checks_that_ask_at_the_same_time_share_one_request() {
    let slow =
        ResponseTemplate::new(200).set_body_string(LIST).set_delay(Duration::from_millis(80));
    let server = answering(slow).await;
    let apis = apis(&settings(&key(), &server.uri()));
    let (accepted, quota) = tokio::join!(run(&apis, "openai_accepted"), run(&apis, "openai_quota"));
    assert_eq!(accepted.outcome, Outcome::Pass);
    assert!(matches!(quota.outcome, Outcome::Skipped(_)));
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
}

/// Lets time pass for the cache alone: requests need the real clock.
async fn later(seconds: u64) {
    pause();
    advance(Duration::from_secs(seconds)).await;
    resume();
}

#[tokio::test]
async fn asked_again_it_asks_again_but_never_at_once() {
    let server = answering(ResponseTemplate::new(200).set_body_string(LIST)).await;
    let apis = apis(&settings(&key(), &server.uri()));
    let requests = async || server.received_requests().await.unwrap().len();
    run(&apis, "openai_accepted").await;
    run(&apis, "openai_accepted").await;
    assert_eq!(requests().await, 1, "within five seconds");
    later(6).await;
    run(&apis, "openai_accepted").await;
    assert_eq!(requests().await, 2, "asked again");
    later(30).await;
    run(&apis, "openai_quota").await;
    assert_eq!(requests().await, 2, "the other check uses what is there");
    later(6).await;
    run(&apis, "openai_quota").await;
    assert_eq!(requests().await, 3, "too old by now");
}

#[tokio::test]
async fn a_throttled_provider_is_left_alone_for_as_long_as_it_wants() {
    let throttled = ResponseTemplate::new(429).insert_header("retry-after", "120");
    let server = answering(throttled).await;
    let apis = apis(&settings(&key(), &server.uri()));
    for _ in 0..3 {
        let finding = run(&apis, "openai_accepted").await;
        assert_eq!(
            (finding.outcome, &*finding.summary),
            (Outcome::Warn, "throttled; next try in 2m00s")
        );
        later(30).await;
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 1);
    later(31).await;
    run(&apis, "openai_accepted").await;
    assert_eq!(server.received_requests().await.unwrap().len(), 2);
}

#[tokio::test]
async fn googles_key_travels_in_its_own_header() {
    let server = MockServer::start().await;
    let good = ResponseTemplate::new(200).set_body_string(r#"{"models":[{"name":"m"}]}"#);
    let google = format!("AQ.{MARKER}");
    let right = header("x-goog-api-key", &*google);
    Mock::given(path("/v1beta/models")).and(right).respond_with(good).mount(&server).await;
    let apis = single(Provider::Google, &google, &format!("{}/v1beta", server.uri()));
    assert_eq!(run(&apis, "accepted").await.outcome, Outcome::Pass);
    let request = &server.received_requests().await.unwrap()[0];
    assert!(!request.headers.contains_key("authorization"));
    assert!(!request.url.as_str().contains(MARKER), "the key is in the URL");
}

#[tokio::test]
async fn a_redirect_does_not_carry_the_key_away() {
    let elsewhere = answering(ResponseTemplate::new(200).set_body_string(LIST)).await;
    let away = ResponseTemplate::new(307).insert_header("location", elsewhere.uri());
    let server = answering(away).await;
    for provider in PROFILES.iter().map(|profile| profile.provider) {
        let finding = run(&single(provider, &key(), &server.uri()), "accepted").await;
        assert_eq!(finding.outcome, Outcome::Fail);
        assert!(finding.summary.contains("; not followed"), "{}", finding.summary);
    }
    assert_eq!(elsewhere.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn what_is_not_the_api_fails_in_bounded_time_and_memory() {
    let html = "<html>Welcome to Hotel WLAN</html>";
    for (template, expected) in [
        (ResponseTemplate::new(200).set_body_string(html), "answers 200, but is not"),
        (ResponseTemplate::new(200).set_body_string(&LIST[..20]), "answers 200, but is not"),
        (ResponseTemplate::new(200).set_body_bytes(vec![b'['; 10_000_000]), "is far too long for"),
        (ResponseTemplate::new(500).set_body_string("oops"), "answers 500"),
    ] {
        let server = answering(template).await;
        for provider in PROFILES.iter().map(|profile| profile.provider) {
            let finding = run(&single(provider, &key(), &server.uri()), "accepted").await;
            assert_eq!(finding.outcome, Outcome::Fail);
            assert!(finding.summary.contains(expected), "{}", finding.summary);
        }
    }
}

#[tokio::test]
async fn an_answer_that_never_ends_is_given_up() {
    let slow = ResponseTemplate::new(200).set_delay(Duration::from_mins(1));
    let server = answering(slow).await;
    let apis = apis(&settings(&key(), &server.uri()));
    // The clock jumps to the deadline as soon as nothing else can happen.
    let finding = {
        let asked = run(&apis, "openai_accepted");
        tokio::pin!(asked);
        tokio::select! {
            finding = &mut asked => finding,
            () = tokio::time::sleep(Duration::from_millis(200)) => {
                later(10).await;
                asked.await
            }
        }
    };
    assert_eq!(finding.outcome, Outcome::Fail);
    assert!(finding.summary.ends_with("did not answer within 10s"), "{}", finding.summary);
}

#[tokio::test]
async fn a_provider_that_repeats_the_key_does_not_leak_it() {
    let message =
        format!("Incorrect API key provided: {}. Also {MARKER} and sk-p*****6789.", key());
    let body = serde_json::json!({"error": {"code": "invalid_api_key", "message": message}});
    let mirror = ResponseTemplate::new(401)
        .set_body_string(body.to_string())
        .insert_header("x-request-id", &*key());
    let server = answering(mirror).await;
    let finding = run(&apis(&settings(&key(), &server.uri())), "openai_accepted").await;
    assert_eq!(finding.summary, "the key is invalid");
    assert_eq!(
        finding.evidence.reply,
        "401 invalid_api_key: Incorrect API key provided: [key]. Also [key] and [key]"
    );
}

#[tokio::test]
async fn a_key_is_never_sent_in_the_clear_or_where_it_cannot_be_meant() {
    for (url, expected) in [
        ("http://api.example.com/v1", "refused to send the key over plain http"),
        ("ftp://localhost/v1", "refused to send the key over plain ftp"),
        ("https://me:pw@localhost/v1", "url holds a user or password"),
        ("api.example.com", "url is not a URL"),
        ("http://127.0.0.1:1", "connection refused by 127.0.0.1:1"),
    ] {
        let finding = run(&apis(&settings(&key(), url)), "openai_accepted").await;
        assert_eq!((finding.outcome, &*finding.summary), (Outcome::Fail, expected), "{url}");
    }
}

#[tokio::test]
async fn a_broken_key_is_explained_and_not_sent() {
    let server = answering(ResponseTemplate::new(200).set_body_string(LIST)).await;
    for (broken, expected) in [
        (format!("{}\n", key()), "the configuration has a line break in it"),
        (format!("\"{}\"", key()), "the configuration has quotes around it"),
    ] {
        let apis = apis(&settings(&broken, &server.uri()));
        let finding = run(&apis, "openai_key").await;
        assert_eq!((finding.outcome, &*finding.summary), (Outcome::Fail, expected));
        let accepted = run(&apis, "openai_accepted").await;
        assert_eq!(accepted.outcome, Outcome::Blocked("openai_key".into()));
    }
    assert_eq!(server.received_requests().await.unwrap().len(), 0);
}

#[tokio::test]
async fn two_variables_that_differ_are_told_apart() {
    let mut settings = Settings::default();
    settings.fill(|name| match name {
        "GEMINI_API_KEY" => Some(format!("AQ.{MARKER}")),
        "GOOGLE_API_KEY" => Some(format!("AQ.other-{MARKER}")),
        "GITHUB_TOKEN" => Some(format!("ghp_{MARKER}")),
        _ => None,
    });
    let apis = apis(&settings);
    let google = run(&apis, "google_key").await;
    assert_eq!(google.outcome, Outcome::Warn);
    assert_eq!(google.summary, "GEMINI_API_KEY is used, GOOGLE_API_KEY differs");
    assert_eq!(run(&apis, "github_key").await.summary, "classic token from GITHUB_TOKEN");
    assert_eq!(apis.target().name, "Google AI, GitHub");
}

#[tokio::test]
async fn a_letta_that_takes_any_key_is_found_out() {
    let open = answering(ResponseTemplate::new(200).set_body_string("[]")).await;
    let finding = run(&single(Provider::Letta, &key(), &open.uri()), "accepted").await;
    assert_eq!(finding.outcome, Outcome::Warn);
    assert_eq!(finding.summary, "takes any key: authentication is not enforced");
    let closed = MockServer::start().await;
    let right = header("authorization", format!("Bearer {}", key()));
    let good = ResponseTemplate::new(200).set_body_string("[]");
    Mock::given(right).respond_with(good).mount(&closed).await;
    Mock::given(any()).respond_with(ResponseTemplate::new(401)).mount(&closed).await;
    let finding = run(&single(Provider::Letta, &key(), &closed.uri()), "accepted").await;
    assert_eq!((finding.outcome, &*finding.summary), (Outcome::Pass, "accepted"));
}

#[test]
fn only_what_is_required_stands_in_the_way() {
    let class = |apis: &Apis, name: &str| {
        apis.checks().into_iter().find(|spec| spec.name == *name).unwrap().class
    };
    let mut settings = Settings::default();
    let four = apis(&settings);
    assert_eq!(class(&four, "openai_accepted"), Class::Blocker);
    assert_eq!(class(&four, "openai_quota"), Class::Major);
    assert_eq!(class(&four, "github_key"), Class::Info);
    settings.openai.required = Some(false);
    settings.github.required = Some(true);
    let four = apis(&settings);
    assert_eq!(class(&four, "openai_key"), Class::Info);
    assert_eq!(class(&four, "github_accepted"), Class::Blocker);
    assert_eq!(four.checks().len(), 12);
}

#[test]
fn a_further_account_has_three_checks_of_its_own() {
    let one = single(Provider::OpenAi, "sk-proj-x", "https://gateway.example/v1");
    let names: Vec<_> = one.checks().iter().map(|spec| spec.name.to_string()).collect();
    assert_eq!(names, ["key", "accepted", "quota"]);
    assert_eq!(one.checks()[1].needs.as_deref(), Some("key"));
    assert_eq!((one.title(), &*one.target().name), ("OpenAI eu", "gateway.example"));
}
