//! What `OpenAI`'s answers to `GET /models` mean.

use super::{Heard, Rulings, wait, window};
use crate::domain::Finding;
use std::time::Duration;

/// Codes that say that no waiting helps.
const SPENT: &[&str] = &[
    "credit_balance_exhausted",
    "organization_spend_limit_exceeded",
    "project_spend_limit_exceeded",
    "organization_usage_limit_exceeded",
    "billing_hard_limit_reached",
    "insufficient_quota",
];
/// Without word from the provider, a throttled key rests this long.
const REST: Duration = Duration::from_secs(20);

pub(super) fn judge(heard: &Heard<'_>) -> Rulings {
    match heard.answer.status {
        200 => match (heard.text("/object"), heard.filled("/data")) {
            ("list", Some(0)) => Rulings::refused(
                "the key is good for no model at all",
                "allow the key a model in the project's settings",
            ),
            ("list", Some(models)) => {
                Rulings::accepted(&format!("accepted, {models} models"), quota(heard))
            }
            _ => heard.not_the_api(),
        },
        401 | 403 => denied(heard),
        429 => limited(heard),
        _ => heard.unexpected(),
    }
}

fn denied(heard: &Heard<'_>) -> Rulings {
    let (code, message) = (heard.text("/error/code"), heard.text("/error/message"));
    let mentions = |words: &str| message.contains(words);
    if mentions("nsufficient permissions") || mentions("issing scopes") {
        return Rulings::limited(
            "valid, but lacks a scope",
            "give the key the scope that the reply names, or use another key",
            quota(heard),
        );
    }
    if code == "unsupported_country_region_territory" || mentions("Country, region") {
        return Rulings::refused(
            "valid, but not from this country",
            "run where OpenAI is offered, or through a gateway there",
        );
    }
    if code == "ip_not_authorized" || (mentions("IP") && mentions("authoriz")) {
        return Rulings::refused(
            "valid, but not from this address",
            "add this host's address to the project's allow list",
        );
    }
    match (heard.answer.status, code) {
        (401, "invalid_api_key") => heard.invalid("the key is invalid"),
        (401, _) if mentions("Incorrect API key") => heard.invalid("the key is invalid"),
        (status, _) => heard.invalid(&format!("the key is refused ({status})")),
    }
}

fn limited(heard: &Heard<'_>) -> Rulings {
    let (code, kind) = (heard.text("/error/code"), heard.text("/error/type"));
    let spent = SPENT.iter().find(|spent| code == **spent || kind == **spent);
    match spent {
        Some(spent) => {
            let code = if code.is_empty() { spent } else { code };
            let remedy = "add credit or raise the limit under billing; waiting does not help";
            Rulings::exhausted(&format!("used up: {code}"), remedy)
        }
        None => heard.throttled(REST),
    }
}

/// Gateways tell it on every answer, `OpenAI` itself on paid calls only.
fn quota(heard: &Heard<'_>) -> Finding {
    let number = |name: &str| heard.answer.header(name)?.parse().ok();
    let left = number("x-ratelimit-remaining-requests");
    let limit = number("x-ratelimit-limit-requests");
    match (left, limit) {
        (Some(left), Some(limit)) => {
            let ends = heard.answer.header("x-ratelimit-reset-requests").and_then(wait::span);
            window(left, limit, ends)
        }
        _ => heard.unverified("tells it only on paid calls"),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        super::providers::Provider,
        tests::{answer, rulings, words},
    };
    use std::time::Duration;

    const UNVERIFIED: &str = "skipped unverified: OpenAI tells it only on paid calls";

    fn says(status: u16, body: &str) -> String {
        words(&rulings(Provider::OpenAi, &answer(status, &[], body)))
    }

    fn error(status: u16, kind: &str, code: &str, message: &str) -> String {
        let error = serde_json::json!({"error": {"type": kind, "code": code, "message": message}});
        says(status, &error.to_string())
    }

    #[test]
    fn every_row_of_the_table_has_its_verdict() {
        let list = r#"{"object":"list","data":[{"id":"m"}]}"#;
        let none = r#"{"object":"list","data":[]}"#;
        let cases = [
            (says(200, list), format!("pass accepted, 1 models | {UNVERIFIED}")),
            (says(200, none), "fail the key is good for no model at all | open".into()),
            (
                error(401, "", "invalid_api_key", "Incorrect API key provided: sk-***"),
                "fail the key is invalid | open".into(),
            ),
            (
                error(401, "", "", "Incorrect API key provided"),
                "fail the key is invalid | open".into(),
            ),
            (
                error(
                    401,
                    "",
                    "",
                    "You have insufficient permissions. Missing scopes: api.model.read",
                ),
                format!("warn valid, but lacks a scope | {UNVERIFIED}"),
            ),
            (
                error(403, "", "", "Missing scopes: api.model.read"),
                format!("warn valid, but lacks a scope | {UNVERIFIED}"),
            ),
            (
                error(401, "", "", "Your IP is not authorized to access this project"),
                "fail valid, but not from this address | open".into(),
            ),
            (
                error(403, "", "unsupported_country_region_territory", "Country, region, or …"),
                "fail valid, but not from this country | open".into(),
            ),
            (
                error(401, "", "", "No such organization"),
                "fail the key is refused (401) | open".into(),
            ),
            (error(403, "", "", "Forbidden"), "fail the key is refused (403) | open".into()),
            (
                error(429, "insufficient_quota", "credit_balance_exhausted", ""),
                "pass accepted | fail used up: credit_balance_exhausted".into(),
            ),
            (
                error(429, "", "project_spend_limit_exceeded", ""),
                "pass accepted | fail used up: project_spend_limit_exceeded".into(),
            ),
            (
                error(429, "insufficient_quota", "", ""),
                "pass accepted | fail used up: insufficient_quota".into(),
            ),
            (
                error(429, "requests", "rate_limit_exceeded", ""),
                "warn throttled; next try in 20s | warn throttled; next try in 20s".into(),
            ),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_throttled_key_rests_as_long_as_it_is_told() {
        let told = answer(429, &[("retry-after", "90")], r#"{"error":{"code":"slow_down"}}"#);
        let rulings = rulings(Provider::OpenAi, &told);
        assert_eq!(rulings.again, Some(Duration::from_secs(90)));
        assert_eq!(rulings.key.summary, "throttled; next try in 1m30s");
    }

    #[test]
    fn a_gateway_that_tells_the_window_is_believed() {
        let headers = [
            ("x-ratelimit-limit-requests", "1000"),
            ("x-ratelimit-remaining-requests", "40"),
            ("x-ratelimit-reset-requests", "6m0s"),
        ];
        let list = r#"{"object":"list","data":[{"id":"m"}]}"#;
        let found = words(&rulings(Provider::OpenAi, &answer(200, &headers, list)));
        assert_eq!(found, "pass accepted, 1 models | fail 40 of 1000 left, resets in 6m00s");
    }
}
