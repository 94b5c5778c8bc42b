//! The part that talks to a provider: one request answers for several checks.

use super::{
    judge,
    providers::{Profile, Provider, Scheme},
    redact::redact,
    settings::ProviderSettings,
};
use crate::{
    clock,
    domain::{Evidence, Finding, Timestamp},
    probe::{
        ProbeError,
        http::{Answer, Http, Limits, peer},
        is_local,
    },
    secret::Secret,
};
use reqwest::header::{HeaderMap, HeaderName, HeaderValue};
use std::time::Duration;
use tokio::{sync::Mutex, time::Instant};
use url::Url;

const LIMITS: Limits = Limits { body: 1024 * 1024, total: Duration::from_secs(10) };
/// The negative control gets less: it only adds to an answer that is there.
const CONTROL: Limits = Limits { body: 1024, total: Duration::from_secs(3) };
/// Whoever asks again sooner gets the same answer.
const DEBOUNCE: Duration = Duration::from_secs(5);
/// The other check of the same provider may use an answer this old.
const SHARED: Duration = Duration::from_secs(35);
/// A key that no server can have given out.
const WRONG_KEY: &str = "tminus-negative-control";

/// Who asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Asker {
    /// The check that the key is accepted.
    Accepted,
    /// The check that some quota is left.
    Quota,
}

/// What an answer came to.
#[derive(Clone, Debug)]
pub(super) struct Told {
    /// About the key.
    pub(super) key: Finding,
    /// About the quota, if the key is good.
    pub(super) quota: Option<Finding>,
}

/// One provider with its key.
#[derive(Debug)]
pub(super) struct Line {
    pub(super) profile: &'static Profile,
    pub(super) settings: ProviderSettings,
    last: Mutex<Option<Last>>,
}

#[derive(Debug)]
struct Last {
    at: Instant,
    quiet_until: Instant,
    seen_by: Vec<Asker>,
    told: Result<Told, ProbeError>,
}

impl Last {
    /// Whether it answers `asker` too: so fresh, so unwanted by the provider, or new to it.
    fn serves(&self, asker: Asker) -> bool {
        let age = self.at.elapsed();
        let new = !self.seen_by.contains(&asker);
        age < DEBOUNCE || Instant::now() < self.quiet_until || (new && age < SHARED)
    }
}

impl Line {
    pub(super) fn new(profile: &'static Profile, settings: ProviderSettings) -> Self {
        Self { profile, settings, last: Mutex::default() }
    }

    /// Whether a missing key is a failure.
    pub(super) fn required(&self) -> bool {
        self.settings.required.unwrap_or(self.profile.required)
    }

    /// Where the provider is; the host alone.
    pub(super) fn host(&self) -> String {
        Url::parse(self.base()).map_or_else(|_| "no usable address".into(), |url| peer(&url))
    }

    fn base(&self) -> &str {
        self.settings.url.as_deref().unwrap_or(self.profile.base)
    }

    /// What the provider says, asked now or, for both checks at once, a moment ago.
    ///
    /// The lock is held while asking, which is what makes two checks share one
    /// request. A run that is dropped meanwhile lets go of it.
    pub(super) async fn told(
        &self,
        http: &Http,
        key: &Secret,
        asker: Asker,
    ) -> Result<Told, ProbeError> {
        let mut last = self.last.lock().await;
        if let Some(last) = last.as_mut().filter(|last| last.serves(asker)) {
            last.seen_by.push(asker);
            last.seen_by.dedup();
            return last.told.clone();
        }
        let (told, again) = match self.ask(http, key, clock::now()).await {
            Ok((told, again)) => (Ok(told), again),
            Err(error) => (Err(error), None),
        };
        let at = Instant::now();
        let quiet_until = at + again.unwrap_or_default();
        *last = Some(Last { at, quiet_until, seen_by: vec![asker], told: told.clone() });
        told
    }

    async fn ask(
        &self,
        http: &Http,
        key: &Secret,
        now: Timestamp,
    ) -> Result<(Told, Option<Duration>), ProbeError> {
        let url = self.url()?;
        let answer = http.get(&url, self.headers(key)?, LIMITS).await?;
        let mut rulings = judge::judge(self.profile, &answer, now);
        let self_hosted =
            self.profile.provider == Provider::Letta && self.base() != self.profile.base;
        if self_hosted && answer.status == 200 && rulings.quota.is_some() {
            let control = http.get(&url, self.headers(&Secret::new(WRONG_KEY))?, CONTROL).await?;
            if control.status == 200 {
                rulings.key = Finding::warn("takes any key: authentication is not enforced")
                    .remedy("start the server with SECURE=true and a password");
            }
        }
        let evidence = self.evidence(&answer, key);
        let key_finding = clean(rulings.key, key).latency(answer.waited).evidence(evidence.clone());
        let quota = rulings.quota.map(|quota| clean(quota, key).evidence(evidence));
        Ok((Told { key: key_finding, quota }, rulings.again))
    }

    /// What was asked, wanted and answered, without anything of the key.
    fn evidence(&self, answer: &Answer, key: &Secret) -> Evidence {
        let evidence = Evidence::default()
            .asked(&self.question())
            .wanted(self.profile.wanted)
            .reply(&redact(&judge::gist(answer), Some(key)))
            .phase("headers", answer.waited)
            .phase("body", answer.took.saturating_sub(answer.waited));
        let told = ["x-request-id", "x-github-request-id", "retry-after"].into_iter();
        told.filter_map(|name| Some((name, answer.header(name)?)))
            .fold(evidence, |evidence, (name, value)| {
                evidence.fact(name, &*redact(value, Some(key)))
            })
    }

    /// The question as a person could repeat it.
    pub(super) fn question(&self) -> String {
        format!("GET {} with the key, on {}", self.profile.path, self.host())
    }

    fn url(&self) -> Result<Url, ProbeError> {
        let misconfigured = |says: String| ProbeError::Misconfigured(says);
        let text = format!("{}{}", self.base().trim_end_matches('/'), self.profile.path);
        let url = Url::parse(&text).map_err(|_| misconfigured("url is not a URL".into()))?;
        if !url.username().is_empty() || url.password().is_some() {
            return Err(misconfigured("url holds a user or password".into()));
        }
        let local = url.host_str().is_some_and(is_local);
        match url.scheme() {
            "https" => Ok(url),
            "http" if local => Ok(url),
            scheme => Err(misconfigured(format!("refused to send the key over plain {scheme}"))),
        }
    }

    fn headers(&self, key: &Secret) -> Result<HeaderMap, ProbeError> {
        let unfit = |_| ProbeError::Misconfigured("the key has characters that no key has".into());
        let (name, value) = match self.profile.scheme {
            Scheme::Bearer => ("authorization", format!("Bearer {}", key.expose())),
            Scheme::GoogleKey => ("x-goog-api-key", key.expose().to_owned()),
        };
        let mut value = HeaderValue::from_str(&value).map_err(unfit)?;
        value.set_sensitive(true);
        let fixed = self.profile.headers.iter();
        let fixed = fixed.map(|(name, value)| (*name, HeaderValue::from_static(value)));
        let all = fixed.chain([(name, value)]);
        Ok(all.map(|(name, value)| (HeaderName::from_static(name), value)).collect())
    }
}

/// A finding without anything of `key`, wherever the provider's words got into it.
fn clean(mut finding: Finding, key: &Secret) -> Finding {
    for text in finding.texts_mut() {
        *text = redact(text, Some(key));
    }
    finding
}
