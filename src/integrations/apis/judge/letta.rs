//! What Letta's answers to `GET /v1/agents/` mean.

use super::{Heard, Rulings};
use std::time::Duration;

/// Without word from the provider, a throttled key rests this long.
const REST: Duration = Duration::from_secs(20);

pub(super) fn judge(heard: &Heard<'_>) -> Rulings {
    let body = heard.answer.text();
    let credits = body.contains("credit");
    match heard.answer.status {
        200 if heard.json.is_array() => {
            Rulings::accepted("accepted", heard.unverified("does not tell it"))
        }
        200 => heard.not_the_api(),
        401 => heard.invalid("the key is invalid"),
        status @ (402 | 403) if status == 402 || credits => {
            Rulings::exhausted("the credits are used up", "buy credits at app.letta.com")
        }
        403 => heard.invalid("the key is refused (403)"),
        429 => heard.throttled(REST),
        _ => heard.unexpected(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{
        super::providers::Provider,
        tests::{answer, rulings, words},
    };

    #[test]
    fn every_row_of_the_table_has_its_verdict() {
        let unverified = "skipped unverified: Letta does not tell it";
        let cases = [
            (200, "[]", format!("pass accepted | {unverified}")),
            (200, r#"[{"id":"agent-1"}]"#, format!("pass accepted | {unverified}")),
            (200, r#"{"version":"1"}"#, "fail answers 200, but is not Letta | open".into()),
            (401, "{}", "fail the key is invalid | open".into()),
            (402, "{}", "pass accepted | fail the credits are used up".into()),
            (
                403,
                r#"{"detail":"insufficient credits"}"#,
                "pass accepted | fail the credits are used up".into(),
            ),
            (403, "{}", "fail the key is refused (403) | open".into()),
            (404, "{}", "fail Letta is not there (404) | open".into()),
            (429, "", "warn throttled; next try in 20s | warn throttled; next try in 20s".into()),
        ];
        for (status, body, expected) in cases {
            let found = words(&rulings(Provider::Letta, &answer(status, &[], body)));
            assert_eq!(found, expected, "{status} {body}");
        }
    }
}
