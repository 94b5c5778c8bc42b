//! The part that talks to Prometheus.

use crate::probe::{
    ProbeError,
    http::{Answer, Http, Limits, peer},
};
use reqwest::header::HeaderMap;
use std::time::Duration;
use url::Url;

/// Nothing that is asked here is longer.
const LIMITS: Limits = Limits { body: 64 * 1024, total: Duration::from_millis(2500) };

/// One Prometheus server.
#[derive(Debug)]
pub(super) struct Prometheus {
    base: Url,
    http: Http,
}

impl Prometheus {
    /// Talks to the server at `base`, which may have a path. Connects on each request.
    pub(super) fn new(base: Url) -> Self {
        Self { base, http: Http::default() }
    }

    /// Host, port and path, without user and password.
    pub(super) fn address(&self) -> String {
        format!("{}{}", peer(&self.base), self.base.path().trim_end_matches('/'))
    }

    /// Sends one `GET` to `path` below the base.
    pub(super) async fn get(&self, path: &str) -> Result<Answer, ProbeError> {
        let mut url = self.base.clone();
        url.set_path(&format!("{}{path}", self.base.path().trim_end_matches('/')));
        self.http.get(&url, HeaderMap::new(), LIMITS).await
    }
}
