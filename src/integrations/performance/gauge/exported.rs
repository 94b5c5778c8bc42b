//! A heap that an app exports.

use crate::{
    integrations::performance::{checks::shown, heap, judge},
    probe::http::{Http, Limits},
};
use reqwest::{Url, header::HeaderMap};
use std::time::Duration;

/// How much of what an app exports is read, and how long that may take.
const METRICS: Limits = Limits { body: 8 * 1024 * 1024, total: Duration::from_secs(4) };

/// A heap that is exported.
#[derive(Debug)]
pub(super) struct Exported {
    url: Url,
    http: Http,
    pub(super) metric: String,
    began: Option<f64>,
}

impl Exported {
    pub(super) async fn find(url: Url, named: Option<&str>) -> Result<Self, String> {
        let http = Http::default();
        let mut found = Self { url, http, metric: String::new(), began: None };
        let heap = found.page(named).await?;
        (found.metric, found.began) = (heap.metric, heap.began);
        Ok(found)
    }

    pub(super) async fn read(&mut self) -> Result<heap::Heap, String> {
        let heap = match self.page(Some(&self.metric)).await {
            Ok(heap) => heap,
            // Among hundreds one may be lost on its way.
            Err(_) => self.page(Some(&self.metric)).await?,
        };
        if heap.began == self.began {
            return Ok(heap);
        }
        Err(format!("what exports {} was restarted", self.metric))
    }

    async fn page(&self, named: Option<&str>) -> Result<heap::Heap, String> {
        let at = shown(&self.url);
        let answer = self.http.get(&self.url, HeaderMap::new(), METRICS).await;
        let answer = answer.map_err(|error| format!("{at}: {error}"))?;
        if !judge::is_good(&answer) {
            return Err(format!("{at} answered {}, wanted 2xx", answer.status));
        }
        if answer.truncated {
            return Err(format!("{at} exports more than {} bytes", answer.body.len()));
        }
        let heap = heap::read(&answer.text(), named)
            .map_err(|malformed| format!("{at}: line {} is no metric", malformed.0))?;
        let none = || match named {
            Some(name) => format!("{at} exports no {name}"),
            None => format!("{at} exports no heap that is known"),
        };
        heap.ok_or_else(none)
    }
}
