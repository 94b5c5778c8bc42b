//! What another exporter says of the instance.

use super::{
    super::{Bench, Broken, Held, Upset},
    Metrics,
};
use crate::probe::{
    exposition::{Series, samples},
    http::{Http, Limits},
};
use reqwest::header::HeaderMap;
use std::time::Duration;
use url::Url;

/// How much is read of an export, and how long that may take.
const LIMITS: Limits = Limits { body: 1 << 20, total: Duration::from_secs(2) };

/// An exporter of somebody else's, such as `redis_exporter`.
pub(crate) struct Exporter {
    http: Http,
    url: Url,
}

impl Exporter {
    pub(crate) fn at(url: Url) -> Self {
        Self { http: Http::default(), url }
    }

    /// What it exports, or why it does not.
    pub(super) async fn export(&self) -> Result<String, String> {
        let answer = self.http.get(&self.url, HeaderMap::new(), LIMITS).await;
        let answer = answer.map_err(|error| error.to_string())?;
        match answer.status {
            200 => Ok(answer.text()),
            status => Err(format!("the exporter answers with status {status}")),
        }
    }
}

pub(super) async fn compared(bench: &Bench<dyn Metrics>) -> Result<Held, Upset> {
    let Some(export) = bench.back_end.elsewhere().await? else {
        return Err(Upset::Moot("no `exporter` is set in [redis]"));
    };
    let export = export.map_err(|why| broken(&why, "no answer"))?;
    let run = bench.back_end.numbers().await?.run;
    judged(&export, run.as_deref())
}

fn broken(says: &str, got: &str) -> Upset {
    Upset::Broken(Broken {
        says: says.into(),
        asked: "GET the exporter, and run_id of INFO",
        wanted: "redis_up 1, no failed scrape, our run_id in redis_instance_info".into(),
        got: got.into(),
        remedy: None,
    })
}

/// Whether an export is that of the instance that was started as `run`.
fn judged(export: &str, run: Option<&str>) -> Result<Held, Upset> {
    let all = samples(export);
    let called = |name: &str| all.iter().find(|series| series.name == name);
    let is = |series: &Series, value: f64| (series.real() - value).abs() < f64::EPSILON;
    match called("redis_up") {
        None => return Err(broken("the exporter exports no redis_up", "none")),
        Some(up) if !is(up, 1.0) => {
            return Err(broken("the exporter does not reach its server", "redis_up 0"));
        }
        Some(_) => {}
    }
    if let Some(failed) = called("redis_exporter_last_scrape_error").filter(|it| !is(it, 0.0)) {
        return Err(broken("the exporter's last scrape failed", &failed.value));
    }
    let run = run.ok_or(Upset::Moot("the server does not tell its run_id"))?;
    let told = called("redis_instance_info").and_then(|which| which.labels.get("run_id"));
    match told {
        Some(told) if told == run => Ok(Held::saw("the exporter watches this server")),
        Some(told) => {
            let got = format!("run_id {}…, ours is {}…", begin(told), begin(run));
            Err(broken("the exporter watches another server", &got))
        }
        None => Err(broken("the exporter does not say what it watches", "no run_id")),
    }
}

/// Enough of an id to tell it from another.
fn begin(id: &str) -> String {
    id.chars().take(8).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn said(up: &str, failed: &str, info: &str) -> Result<String, String> {
        let export =
            format!("# TYPE redis_up gauge\n{up}\n{failed}\n{info}\ngo_x{{a=\"b\"}} NaN 7\n");
        match judged(&export, Some("abc")) {
            Ok(held) => Ok(held.saw),
            Err(Upset::Broken(broken)) => Err(broken.says),
            Err(other) => panic!("{other:?}"),
        }
    }

    #[test]
    fn an_exporter_must_watch_this_very_server() {
        let (up, fine) = ("redis_up 1", "redis_exporter_last_scrape_error{err=\"\"} 0");
        let info = |id: &str| format!("redis_instance_info{{role=\"master\",run_id=\"{id}\"}} 1");
        assert_eq!(said(up, fine, &info("abc")), Ok("the exporter watches this server".into()));
        assert_eq!(said(up, "", &info("abc")), Ok("the exporter watches this server".into()));
        let cases = [
            ("", fine, info("abc"), "the exporter exports no redis_up"),
            ("redis_up 0", fine, info("abc"), "the exporter does not reach its server"),
            (
                up,
                "redis_exporter_last_scrape_error 1",
                info("abc"),
                "the exporter's last scrape failed",
            ),
            (up, fine, info("abd"), "the exporter watches another server"),
            (up, fine, String::new(), "the exporter does not say what it watches"),
        ];
        for (up, failed, info, says) in cases {
            assert_eq!(said(up, failed, &info), Err(says.to_owned()));
        }
        assert!(matches!(judged("redis_up 1\n", None), Err(Upset::Moot(_))));
    }
}
