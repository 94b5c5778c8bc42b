//! What GitHub's answers to `GET /rate_limit` mean.

use super::{Heard, Rulings, wait, window};
use crate::domain::{Cause, Finding};
use jiff::{civil::DateTime, tz::TimeZone};
use serde_json::Value;
use std::time::Duration;

/// What anybody gets without a token.
const ANONYMOUS: u64 = 60;
/// A token that expires within this time is worth a warning.
const EXPIRES_SOON: i64 = 14;
/// A token that expires within this time will not live through the release.
const EXPIRES_NOW: i64 = 3;
/// How long GitHub wants to be left alone after its secondary limit.
const REST: Duration = Duration::from_mins(1);

pub(super) fn judge(heard: &Heard<'_>) -> Rulings {
    match heard.answer.status {
        200 => accepted(heard),
        401 => heard.invalid("invalid, expired or revoked"),
        403 | 429 => denied(heard),
        _ => heard.unexpected(),
    }
}

fn accepted(heard: &Heard<'_>) -> Rulings {
    let number = |name: &str| heard.json.pointer(&format!("/resources/core/{name}"))?.as_u64();
    let (Some(limit), Some(left)) = (number("limit"), number("remaining")) else {
        return heard.not_the_api();
    };
    if limit <= ANONYMOUS {
        return heard.invalid(&format!("the token was not applied: limit {limit}, as without"));
    }
    let reset = heard.json.pointer("/resources/core/reset").and_then(Value::as_i64);
    let quota = window(left, limit, reset.map(|reset| wait::until_epoch(reset, heard.now)));
    let renew = "make a new token at github.com/settings/tokens";
    match days_left(heard) {
        Some(days) if days < EXPIRES_NOW => {
            let key = Finding::fail(&format!("expires in {days} days, {EXPIRES_NOW} wanted"));
            Rulings { key: key.remedy(renew), quota: Some(quota), again: None }
        }
        Some(days) if days < EXPIRES_SOON => {
            Rulings::limited(&format!("accepted, expires in {days} days"), renew, quota)
        }
        Some(days) => Rulings::accepted(&format!("accepted, {days} days to go"), quota),
        None => Rulings::accepted(&format!("accepted, {limit} an hour"), quota),
    }
}

/// Whole days until the token expires, where GitHub says so: `2026-12-07 19:07:53 UTC`.
fn days_left(heard: &Heard<'_>) -> Option<i64> {
    let text = heard.answer.header("github-authentication-token-expiration")?;
    let (moment, zone) = text.rsplit_once(' ')?;
    let moment: DateTime = moment.parse().ok()?;
    let offset = if zone == "UTC" { 0 } else { zone.parse::<i64>().ok()? };
    let seconds = moment.to_zoned(TimeZone::UTC).ok()?.timestamp().as_second();
    // An offset is written as hours and minutes: +0130.
    let seconds = seconds - (offset / 100 * 3600 + offset % 100 * 60);
    Some((seconds - heard.now.0 / 1000).div_euclid(86_400))
}

fn denied(heard: &Heard<'_>) -> Rulings {
    let message = heard.text("/message").to_lowercase();
    if message.contains("secondary rate limit") {
        return heard.throttled(REST);
    }
    if message.contains("administrative rules") || message.contains("user-agent") {
        let key = Finding::unknown(Cause::Local, "GitHub refuses the way in which tminus asks");
        let key = key.remedy("report this as a bug of tminus; the token is not to blame");
        return Rulings { key, quota: None, again: None };
    }
    if heard.answer.header("x-ratelimit-remaining") == Some("0") {
        return used_up(heard);
    }
    if message.contains("saml") || heard.answer.header("x-github-sso").is_some() {
        return Rulings::limited(
            "valid, but not authorised for single sign-on",
            "authorise the token for the organisation, in the token's settings",
            heard.unverified("does not tell it here"),
        );
    }
    if message.contains("resource not accessible") {
        return Rulings::limited(
            "valid, but lacks a permission",
            "give the token the permission that the reply names",
            heard.unverified("does not tell it here"),
        );
    }
    match heard.answer.status {
        429 => heard.throttled(REST),
        _ => heard.invalid("the token is refused (403)"),
    }
}

/// The primary limit: nothing works until the window ends.
fn used_up(heard: &Heard<'_>) -> Rulings {
    let number = |name: &str| heard.answer.header(name)?.parse().ok();
    let reset = heard.answer.header("x-ratelimit-reset").and_then(|text| text.parse().ok());
    let ends = reset.map(|reset| wait::until_epoch(reset, heard.now));
    let limit = number("x-ratelimit-limit").unwrap_or(0);
    let key = Finding::warn("not verified: the limit is used up")
        .remedy("wait for the window to end, then re-check");
    let again = ends.map(|ends| ends.min(Duration::from_hours(1)));
    Rulings { key, quota: Some(window(0, limit, ends)), again }
}

#[cfg(test)]
mod tests {
    use super::super::{
        super::providers::Provider,
        tests::{NOW, answer, rulings, words},
    };
    use std::time::Duration;

    fn says(status: u16, headers: &[(&str, &str)], body: &str) -> String {
        words(&rulings(Provider::GitHub, &answer(status, headers, body)))
    }

    fn core(limit: u32, left: u32) -> String {
        let reset = NOW.0 / 1000 + 720;
        serde_json::json!({"resources": {"core": {"limit": limit, "remaining": left, "reset": reset}}})
            .to_string()
    }

    #[test]
    fn every_row_of_the_table_has_its_verdict() {
        let reset = (NOW.0 / 1000 + 720).to_string();
        let used = [
            ("x-ratelimit-remaining", "0"),
            ("x-ratelimit-limit", "5000"),
            ("x-ratelimit-reset", &*reset),
        ];
        let quota = "pass 4900 of 5000 left, resets in 12m00s";
        let silent = "skipped unverified: GitHub does not tell it here";
        let message = |text: &str| format!("{{\"message\":\"{text}\"}}");
        let cases = [
            (says(200, &[], &core(5000, 4900)), format!("pass accepted, 5000 an hour | {quota}")),
            (
                says(200, &[], &core(60, 59)),
                "fail the token was not applied: limit 60, as without | open".into(),
            ),
            (
                says(200, &[], &core(5000, 100)),
                "pass accepted, 5000 an hour | fail 100 of 5000 left, resets in 12m00s".into(),
            ),
            (
                says(401, &[], &message("Bad credentials")),
                "fail invalid, expired or revoked | open".into(),
            ),
            (
                says(403, &used, &message("API rate limit exceeded")),
                "warn not verified: the limit is used up | fail 0 of 5000 left, resets in 12m00s"
                    .into(),
            ),
            (
                says(403, &[], &message("You have exceeded a secondary rate limit")),
                "warn throttled; next try in 1m00s | warn throttled; next try in 1m00s".into(),
            ),
            (
                says(429, &[("retry-after", "90")], "{}"),
                "warn throttled; next try in 1m30s | warn throttled; next try in 1m30s".into(),
            ),
            (
                says(403, &[], &message("Resource not accessible by integration")),
                format!("warn valid, but lacks a permission | {silent}"),
            ),
            (
                says(403, &[("x-github-sso", "required; url=https://x")], "{}"),
                format!("warn valid, but not authorised for single sign-on | {silent}"),
            ),
            (
                says(403, &[], &message("Request forbidden by administrative rules.")),
                "unknown GitHub refuses the way in which tminus asks | open".into(),
            ),
            (says(403, &[], "{}"), "fail the token is refused (403) | open".into()),
        ];
        for (found, expected) in cases {
            assert_eq!(found, expected);
        }
    }

    #[test]
    fn a_token_that_expires_soon_is_told_in_time() {
        let expires = |date: &str| {
            let headers = [("github-authentication-token-expiration", date)];
            let found = says(200, &headers, &core(5000, 4900));
            found.split(" | ").next().unwrap().to_owned()
        };
        // Now is 2026-11-23 02:13:20 UTC.
        assert_eq!(expires("2026-11-26 02:13:19 UTC"), "fail expires in 2 days, 3 wanted");
        assert_eq!(expires("2026-11-26 02:13:20 UTC"), "warn accepted, expires in 3 days");
        assert_eq!(expires("2026-12-07 02:13:19 UTC"), "warn accepted, expires in 13 days");
        assert_eq!(expires("2026-12-07 02:13:20 UTC"), "pass accepted, 14 days to go");
        assert_eq!(expires("2026-12-07 03:13:20 +0100"), "pass accepted, 14 days to go");
        assert_eq!(expires("one day"), "pass accepted, 5000 an hour");
    }

    #[test]
    fn a_used_up_limit_is_not_asked_again_before_it_ends() {
        let reset = (NOW.0 / 1000 + 86_400).to_string();
        let headers = [("x-ratelimit-remaining", "0"), ("x-ratelimit-reset", &*reset)];
        let again = rulings(Provider::GitHub, &answer(403, &headers, "{}")).again;
        assert_eq!(again, Some(Duration::from_hours(1)));
    }
}
