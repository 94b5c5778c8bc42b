//! What Google AI's answers to `GET /models` mean.

use super::{Heard, Rulings, wait};
use crate::domain::Finding;
use serde_json::Value;
use std::time::Duration;

pub(super) fn judge(heard: &Heard<'_>) -> Rulings {
    let quota = || heard.unverified("tells it only in errors");
    match heard.answer.status {
        200 if heard.filled("/models").is_some_and(|models| models > 0) => {
            Rulings::accepted("accepted", quota())
        }
        200 => heard.not_the_api(),
        400 => bad_request(heard),
        401 => heard.invalid(if reason(heard) == "ACCESS_TOKEN_TYPE_UNSUPPORTED" {
            "a token of another service, not a key"
        } else {
            "not taken for a key of Google AI"
        }),
        402 => Rulings::exhausted(
            "the prepaid credit is used up",
            "add credit under billing at aistudio.google.com; waiting does not help",
        ),
        403 => blocked(heard),
        429 => limited(heard),
        _ => heard.unexpected(),
    }
}

/// Google refuses a wrong key with 400, not 401.
fn bad_request(heard: &Heard<'_>) -> Rulings {
    let message = heard.text("/error/message");
    if reason(heard) == "API_KEY_INVALID" || message.contains("API key not valid") {
        heard.invalid("the key is invalid")
    } else if heard.text("/error/status") == "FAILED_PRECONDITION" {
        Rulings::refused(
            "valid, but not here: region or billing",
            "enable billing, or run where Google AI is offered",
        )
    } else if message.contains("Multiple authentication credentials") {
        Rulings::refused(
            "two credentials arrived at once",
            "look for a gateway at url that adds one of its own",
        )
    } else {
        heard.unexpected()
    }
}

fn blocked(heard: &Heard<'_>) -> Rulings {
    let (says, remedy) = match reason(heard) {
        "SERVICE_DISABLED" => (
            "valid, but the API is not enabled",
            "enable the Generative Language API in the key's project",
        ),
        "API_KEY_SERVICE_BLOCKED"
        | "API_KEY_IP_ADDRESS_BLOCKED"
        | "API_KEY_HTTP_REFERRER_BLOCKED" => (
            "valid, but restricted against this use",
            "loosen the key's restrictions, or make a key for this host",
        ),
        "CONSUMER_SUSPENDED" => (
            "its project is suspended",
            "look for mail of Google about abuse or a leaked key, then make a new one",
        ),
        _ => (
            "known, but blocked",
            "look at the reply: restricted, suspended, or reported as leaked",
        ),
    };
    Rulings::refused(says, remedy)
}

/// That there is a limit to exceed says that the key is good.
fn limited(heard: &Heard<'_>) -> Rulings {
    let delay = detail(heard, "RetryInfo").and_then(|info| info.get("retryDelay"));
    if let Some(delay) = delay.and_then(Value::as_str).and_then(wait::span) {
        let throttled = heard.throttled(delay.min(Duration::from_hours(1)));
        return Rulings { key: Finding::pass("accepted"), ..throttled };
    }
    let failed = detail(heard, "QuotaFailure");
    let which = failed.and_then(|failed| failed.pointer("/violations/0/quotaId"));
    let which = which.and_then(Value::as_str).unwrap_or("a daily quota or the spend cap");
    let remedy = "wait for midnight Pacific time, or raise the quota or the spend cap";
    Rulings::exhausted(&format!("used up: {which}"), remedy)
}

/// The reason that Google's own error details give.
fn reason<'a>(heard: &'a Heard<'_>) -> &'a str {
    let reason = detail(heard, "ErrorInfo").and_then(|info| info.get("reason"));
    reason.and_then(Value::as_str).unwrap_or_default()
}

fn detail<'a>(heard: &'a Heard<'_>, kind: &str) -> Option<&'a Value> {
    let details = heard.json.pointer("/error/details")?.as_array()?;
    let of_kind = |detail: &&Value| {
        detail.get("@type").and_then(Value::as_str).is_some_and(|own| own.ends_with(kind))
    };
    details.iter().find(of_kind)
}

#[cfg(test)]
mod tests {
    use super::super::{
        super::providers::Provider,
        tests::{answer, rulings, words},
    };
    use serde_json::{Value, json};

    fn says(status: u16, body: &Value) -> String {
        words(&rulings(Provider::Google, &answer(status, &[], &body.to_string())))
    }

    fn error(status: u16, word: &str, detail: &Value) -> String {
        says(status, &json!({"error": {"status": word, "message": "m", "details": [detail]}}))
    }

    fn info(reason: &str) -> Value {
        json!({"@type": "type.googleapis.com/google.rpc.ErrorInfo", "reason": reason})
    }

    fn open(status: u16, word: &str, detail: &Value) -> String {
        let found = error(status, word, detail);
        let closed = found.strip_prefix("fail ").and_then(|rest| rest.strip_suffix(" | open"));
        closed.map_or(found.clone(), ToOwned::to_owned)
    }

    #[test]
    fn every_way_to_refuse_a_key_has_its_words() {
        let none = json!({});
        let cases = [
            (open(400, "INVALID_ARGUMENT", &info("API_KEY_INVALID")), "the key is invalid"),
            (open(400, "FAILED_PRECONDITION", &none), "valid, but not here: region or billing"),
            (open(400, "INVALID_ARGUMENT", &none), "Google AI answers 400"),
            (
                open(401, "UNAUTHENTICATED", &info("ACCESS_TOKEN_TYPE_UNSUPPORTED")),
                "a token of another service, not a key",
            ),
            (open(401, "UNAUTHENTICATED", &none), "not taken for a key of Google AI"),
            (
                open(403, "PERMISSION_DENIED", &info("SERVICE_DISABLED")),
                "valid, but the API is not enabled",
            ),
            (
                open(403, "PERMISSION_DENIED", &info("API_KEY_SERVICE_BLOCKED")),
                "valid, but restricted against this use",
            ),
            (
                open(403, "PERMISSION_DENIED", &info("CONSUMER_SUSPENDED")),
                "its project is suspended",
            ),
            (open(403, "PERMISSION_DENIED", &none), "known, but blocked"),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
        let message = |text: &str| says(400, &json!({"error": {"message": text}}));
        assert!(message("API key not valid. Please …").starts_with("fail the key is invalid"));
        assert!(
            message("Multiple authentication credentials …").starts_with("fail two credentials")
        );
    }

    #[test]
    fn a_limit_to_exceed_says_that_the_key_is_good() {
        let retry =
            json!({"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "31s"});
        let failed = json!({"@type": "type.googleapis.com/google.rpc.QuotaFailure",
                            "violations": [{"quotaId": "PerDayPerProject"}]});
        let spent = "RESOURCE_EXHAUSTED";
        let unverified = "skipped unverified: Google AI tells it only in errors";
        let cases = [
            (
                says(200, &json!({"models": [{"name": "m"}]})),
                format!("pass accepted | {unverified}"),
            ),
            (
                says(200, &json!({"models": []})),
                "fail answers 200, but is not Google AI | open".into(),
            ),
            (error(429, spent, &retry), "pass accepted | warn throttled; next try in 31s".into()),
            (error(429, spent, &failed), "pass accepted | fail used up: PerDayPerProject".into()),
            (
                error(429, spent, &json!({})),
                "pass accepted | fail used up: a daily quota or the spend cap".into(),
            ),
            (
                error(402, spent, &json!({})),
                "pass accepted | fail the prepaid credit is used up".into(),
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }
}
