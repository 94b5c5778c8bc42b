//! The application's own side: what it exports of its pool and of its queries.
//!
//! The server counts what everybody does, and the other checks what we do. Only the
//! application itself knows who waits for its pool, and how long its queries take there.

mod judge;
mod looks;
mod names;
mod text;

use self::{looks::Looks, names::Reading};
use crate::{
    domain::{Evidence, Finding},
    probe::{
        ProbeError,
        exposition::page,
        http::{Answer, Http, Limits, peer},
    },
    units,
};
use reqwest::header::{ACCEPT, HeaderMap, HeaderValue};
use std::{
    sync::{Mutex, PoisonError},
    time::Duration,
};
use tokio::time::Instant;
use url::Url;

/// How much is read of a page, and how long that may take.
const LIMITS: Limits = Limits { body: 4 << 20, total: Duration::from_secs(2) };
/// Text that every exporter writes.
const FORMAT: HeaderValue = HeaderValue::from_static("text/plain;version=0.0.4");
/// What to do where nothing can be read.
const CORRECT: &str = "start the application, or correct `app_metrics` in [database]";

/// The application that uses a database.
pub(super) struct Application {
    url: Url,
    http: Http,
    looks: Mutex<Looks>,
}

impl Application {
    /// Asks nothing yet.
    pub(super) fn at(url: Url) -> Self {
        Self { url, http: Http::default(), looks: Mutex::default() }
    }

    /// Reads its page once.
    pub(super) async fn look(&self) -> Finding {
        let asked = format!("GET {}{}", peer(&self.url), self.url.path());
        let headers = HeaderMap::from_iter([(ACCEPT, FORMAT)]);
        let answer = match self.http.get(&self.url, headers, LIMITS).await {
            Ok(answer) => answer,
            Err(error) => return unreached(error, &asked),
        };
        let finding = match read(&answer) {
            Ok(reading) => {
                let mut looks = self.looks.lock().unwrap_or_else(PoisonError::into_inner);
                let growth = looks.note(Instant::now(), &reading);
                judge::judge(&reading, growth.as_ref(), &asked)
            }
            Err(unread) => unread.finding(&asked),
        };
        finding.latency(answer.took)
    }
}

/// Why there is nothing to judge.
#[derive(Debug, PartialEq, Eq)]
struct Unread {
    says: String,
    remedy: &'static str,
}

impl Unread {
    fn finding(&self, asked: &str) -> Finding {
        let evidence = Evidence::default().asked(asked).wanted(&wanted()).reply(&self.says);
        Finding::fail(&self.says).remedy(self.remedy).evidence(evidence)
    }
}

fn wanted() -> String {
    let (most, within) = (units::bytes(LIMITS.body as u64), units::span(LIMITS.total));
    format!("status 200 and Prometheus text of at most {most} within {within}")
}

fn unreached(error: ProbeError, asked: &str) -> Finding {
    let theirs = match &error {
        ProbeError::Unreachable(_) | ProbeError::Refused(_) | ProbeError::Protocol(_) => true,
        ProbeError::Misconfigured(_) | ProbeError::Local(_) | ProbeError::NotPermitted(_) => false,
    };
    let finding = Finding::from(error);
    let evidence = finding.evidence.clone().asked(asked).wanted(&wanted());
    let finding = finding.evidence(evidence);
    if theirs { finding.remedy(CORRECT) } else { finding }
}

/// What an answer tells.
fn read(answer: &Answer) -> Result<Reading, Unread> {
    let unread = |says: String, remedy| Err(Unread { says, remedy });
    match answer.status {
        200 => {}
        status @ (401 | 403) => {
            let remedy = "write http://user:password@host/… in `app_metrics`, or let us in";
            return unread(format!("page of metrics answers with status {status}"), remedy);
        }
        status => {
            return unread(format!("page of metrics answers with status {status}"), CORRECT);
        }
    }
    if answer.truncated {
        let most = units::bytes(LIMITS.body as u64);
        let remedy = "drop labels with many values, or name a page with fewer metrics";
        return unread(format!("page of metrics is longer than {most}"), remedy);
    }
    match page(&answer.text(), names::is_ours) {
        Ok(page) => Ok(Reading::of(&page)),
        Err(refused) => {
            let remedy = "name the page that Prometheus scrapes, and mend the line";
            unread(format!("no page of metrics, {refused}"), remedy)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn says(status: u16, body: &str, truncated: bool) -> Result<usize, String> {
        let (body, headers) = (body.as_bytes().to_vec(), HeaderMap::new());
        let (waited, took) = (Duration::ZERO, Duration::ZERO);
        let answer = Answer { status, headers, body, truncated, waited, took };
        read(&answer).map(|reading| reading.samples).map_err(|unread| unread.says)
    }

    #[test]
    fn only_a_whole_page_is_judged() {
        assert_eq!(says(200, "a 1\n", false), Ok(1));
        let cases = [
            (500, "a 1\n", false, "page of metrics answers with status 500"),
            (401, "", false, "page of metrics answers with status 401"),
            (302, "", false, "page of metrics answers with status 302"),
            (200, "a 1\n", true, "page of metrics is longer than 4.0 MiB"),
            (200, "a 1\n<!DOCTYPE html>\n", false, "no page of metrics, line 2: an illegal name"),
        ];
        for (status, body, truncated, expected) in cases {
            assert_eq!(says(status, body, truncated), Err(expected.to_owned()));
        }
    }
}
