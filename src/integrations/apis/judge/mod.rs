//! The part that decides. Pure: an answer in, what it says about the key and
//! about the quota out. One file per provider, because each says it differently.

mod github;
mod google;
mod letta;
mod openai;
mod wait;

use super::providers::{Profile, Provider};
use crate::{
    domain::{Finding, Quantity, Skip, Timestamp},
    probe::http::Answer,
    units,
};
use serde_json::Value;
use std::time::Duration;

/// Less than this share of a window left is worth a warning.
const LOW: f64 = 0.20;
/// Less than this share is a failure, unless the window ends soon.
const SPENT: f64 = 0.05;
/// A window that ends within this time is waited for.
const SOON: Duration = Duration::from_mins(5);

/// What one answer says.
#[derive(Clone, Debug)]
pub(super) struct Rulings {
    /// Whether the key is good.
    pub(super) key: Finding,
    /// How much may still be used; `None` where the key's ruling leaves it open.
    pub(super) quota: Option<Finding>,
    /// How long the provider wants to be left alone.
    pub(super) again: Option<Duration>,
}

/// An answer with its body read as JSON, where it is that.
struct Heard<'a> {
    profile: &'a Profile,
    answer: &'a Answer,
    json: Value,
    now: Timestamp,
}

/// Judges an answer to the provider's free question, received at `now`.
pub(super) fn judge(profile: &Profile, answer: &Answer, now: Timestamp) -> Rulings {
    let json = serde_json::from_slice(&answer.body).unwrap_or_default();
    let heard = Heard { profile, answer, json, now };
    heard.common().unwrap_or_else(|| match profile.provider {
        Provider::OpenAi => openai::judge(&heard),
        Provider::Google => google::judge(&heard),
        Provider::Letta => letta::judge(&heard),
        Provider::GitHub => github::judge(&heard),
    })
}

/// The answer in a line: its status, and what its body says about it.
pub(super) fn gist(answer: &Answer) -> String {
    let json: Value = serde_json::from_slice(&answer.body).unwrap_or_default();
    let at = |pointer: &str| json.pointer(pointer).and_then(Value::as_str);
    let message = at("/error/message").or_else(|| at("/message")).or_else(|| at("/detail"));
    let code = at("/error/code").or_else(|| at("/error/status"));
    let says = match (code, message) {
        (Some(code), Some(message)) => format!("{code}: {message}"),
        (Some(only), None) | (None, Some(only)) => only.to_owned(),
        (None, None) if json.is_null() => answer.text().chars().take(120).collect(),
        (None, None) => format!("JSON of {} bytes", answer.body.len()),
    };
    format!("{} {says}", answer.status)
}

impl Heard<'_> {
    /// What means the same with every provider.
    fn common(&self) -> Option<Rulings> {
        let (name, status) = (self.profile.name, self.answer.status);
        if let Some(host) = self.answer.redirected_to() {
            let says = format!("redirects to {host}; not followed");
            return Some(Rulings::refused(&says, "set url to the address that answers by itself"));
        }
        let (says, remedy) = match status {
            407 => ("the proxy wants a password".into(), "give the proxy's in its own variable"),
            404 => (format!("{name} is not there (404)"), "correct url; look for a doubled path"),
            408 | 409 | 500..=599 => {
                (format!("{name} answers {status}"), "wait; the provider has trouble of its own")
            }
            _ => return None,
        };
        Some(Rulings { again: self.wait(), ..Rulings::refused(&says, remedy) })
    }

    /// Text at a JSON pointer; empty where there is none.
    fn text(&self, pointer: &str) -> &str {
        self.json.pointer(pointer).and_then(Value::as_str).unwrap_or_default()
    }

    /// Whether the array at `pointer` has something in it; `None` when there is no array.
    fn filled(&self, pointer: &str) -> Option<usize> {
        self.json.pointer(pointer).and_then(Value::as_array).map(Vec::len)
    }

    /// How long the provider asks to wait, between nothing and an hour.
    fn wait(&self) -> Option<Duration> {
        wait::retry_after(self.answer, self.now)
    }

    /// Something answered 200 that is not the provider.
    fn not_the_api(&self) -> Rulings {
        let says = if self.answer.truncated {
            format!("the answer is far too long for {}", self.profile.name)
        } else {
            format!("answers 200, but is not {}", self.profile.name)
        };
        Rulings::refused(&says, "correct url; a login page of the network may be in between")
    }

    /// The key is not good.
    fn invalid(&self, says: &str) -> Rulings {
        let remedy = format!("make a new key at {}", self.profile.console);
        Rulings::refused(says, &remedy)
    }

    /// A status that the provider does not document.
    fn unexpected(&self) -> Rulings {
        let says = format!("{} answers {}", self.profile.name, self.answer.status);
        Rulings::refused(&says, "look at the reply below; it may name the reason")
    }

    /// The key is good, but it is asked for too often.
    fn throttled(&self, least: Duration) -> Rulings {
        let wait = std::cmp::max(self.wait().unwrap_or(least), least);
        let says = format!("throttled; next try in {}", units::span(wait));
        let warn = || Finding::warn(&says).remedy("let whoever shares the key ask less often");
        Rulings { key: warn(), quota: Some(warn()), again: Some(wait) }
    }

    /// The provider tells nothing about a quota in this answer.
    fn unverified(&self, why: &str) -> Finding {
        Finding::skipped(Skip::NotApplicable, &format!("unverified: {} {why}", self.profile.name))
    }
}

impl Rulings {
    /// The key is good.
    fn accepted(says: &str, quota: Finding) -> Self {
        Self { key: Finding::pass(says), quota: Some(quota), again: None }
    }

    /// The key is good, but not for everything.
    fn limited(says: &str, remedy: &str, quota: Finding) -> Self {
        Self { key: Finding::warn(says).remedy(remedy), quota: Some(quota), again: None }
    }

    /// The key, or the way to the provider, is not good. Nothing is known of the quota.
    fn refused(says: &str, remedy: &str) -> Self {
        Self { key: Finding::fail(says).remedy(remedy), quota: None, again: None }
    }

    /// The key is good and there is nothing left to use it for.
    fn exhausted(says: &str, remedy: &str) -> Self {
        Self::accepted("accepted", Finding::fail(says).remedy(remedy).measure(Quantity::Ratio(0.0)))
    }
}

/// How much of a window is left; `ends` is when it starts anew, where that is known.
fn window(left: u64, limit: u64, ends: Option<Duration>) -> Finding {
    #[expect(clippy::cast_precision_loss, reason = "a share needs no more than f64 has")]
    let share = if limit == 0 { 0.0 } else { left as f64 / limit as f64 };
    let until = ends.map_or(String::new(), |ends| format!(", resets in {}", units::span(ends)));
    let says = format!("{left} of {limit} left{until}");
    let soon = ends.is_some_and(|ends| ends <= SOON);
    let finding = match share {
        spent if spent < SPENT && !soon => Finding::fail(&says),
        low if low < LOW => Finding::warn(&says),
        _ => return Finding::pass(&says).measure(Quantity::Ratio(share)),
    };
    finding
        .remedy("slow down whoever uses the key, or give them one of their own")
        .measure(Quantity::Ratio(share))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;
    use reqwest::header::{HeaderMap, HeaderName};

    /// 2026-11-23T02:13:20Z.
    pub(super) const NOW: Timestamp = Timestamp(1_795_400_000_000);

    pub(super) fn answer(status: u16, headers: &[(&str, &str)], body: &str) -> Answer {
        let (waited, took) = (Duration::ZERO, Duration::ZERO);
        let headers: HeaderMap = headers
            .iter()
            .map(|(name, value)| (name.parse::<HeaderName>().unwrap(), value.parse().unwrap()))
            .collect();
        Answer { status, headers, body: body.into(), truncated: false, waited, took }
    }

    pub(super) fn rulings(provider: Provider, answer: &Answer) -> Rulings {
        judge(provider.profile(), answer, NOW)
    }

    /// The key's outcome and summary, and the quota's.
    pub(super) fn words(rulings: &Rulings) -> String {
        let one = |finding: &Finding| format!("{} {}", finding.outcome.word(), finding.summary);
        let quota = rulings.quota.as_ref().map_or("open".into(), one);
        format!("{} | {quota}", one(&rulings.key))
    }

    #[test]
    fn some_answers_mean_the_same_everywhere() {
        for profile in &super::super::providers::PROFILES {
            let says = |status| words(&judge(profile, &answer(status, &[], ""), NOW));
            assert_eq!(says(503), format!("fail {} answers 503 | open", profile.name));
            assert_eq!(says(404), format!("fail {} is not there (404) | open", profile.name));
            assert_eq!(says(407), "fail the proxy wants a password | open");
            assert_eq!(says(418), format!("fail {} answers 418 | open", profile.name));
            let away = answer(302, &[("location", "https://evil.example/?k=1")], "");
            assert!(words(&judge(profile, &away, NOW)).contains("redirects to evil.example;"));
            for page in ["<html>Sign in</html>", "", "{\"object\":\"list\",\"da", "null", "{}"] {
                let says = words(&judge(profile, &answer(200, &[], page), NOW));
                assert_eq!(says, format!("fail answers 200, but is not {} | open", profile.name));
            }
        }
    }

    #[test]
    fn a_window_is_judged_at_its_limits() {
        let soon = Some(Duration::from_mins(5));
        let late = Some(Duration::from_secs(301));
        let cases = [
            (1000, None, Outcome::Pass),
            (200, late, Outcome::Pass),
            (199, late, Outcome::Warn),
            (50, late, Outcome::Warn),
            (49, late, Outcome::Fail),
            (49, None, Outcome::Fail),
            (49, soon, Outcome::Warn),
            (0, soon, Outcome::Warn),
            (0, late, Outcome::Fail),
        ];
        for (left, ends, expected) in cases {
            let finding = window(left, 1000, ends);
            assert_eq!(finding.outcome, expected, "{left} of 1000, {ends:?}");
            assert!(finding.measure.is_some());
        }
        assert_eq!(window(49, 1000, late).summary, "49 of 1000 left, resets in 5m01s");
        assert_eq!(window(0, 0, None).outcome, Outcome::Fail);
    }

    #[test]
    fn the_gist_is_what_the_provider_says() {
        let says = |body| gist(&answer(401, &[], body));
        assert_eq!(says(r#"{"error":{"message":"no"}}"#), "401 no");
        assert_eq!(says(r#"{"message":"Bad credentials"}"#), "401 Bad credentials");
        assert_eq!(says("<html>"), "401 <html>");
        assert_eq!(says(r#"{"error":{"message":"no","code":"c"}}"#), "401 c: no");
        assert_eq!(says("[]"), "401 JSON of 2 bytes");
        assert_eq!(says(&"x".repeat(9000)).len(), 124);
    }
}
