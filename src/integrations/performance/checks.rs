//! Measures; [`judge`] decides.

use super::{
    Performance,
    clocks::{lateness, readings},
    judge::{self, Earlier, Memory, Recent, Timing},
    process::{self, Missing, Reading},
    settings::Watched,
    trend::Trend,
};
use crate::{
    clock,
    domain::{Evidence, Finding, Skip},
    probe::{
        Cx, ProbeError,
        http::{self, Limits},
    },
};
use reqwest::{Url, header::HeaderMap};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::{task::spawn_blocking, time::Instant};

/// How long a process may be looked for. Within the time of a run.
const LOOK: Duration = Duration::from_millis(1_500);
/// How much of an answer is read, and how long that may take. Within the time of a run.
const ANSWER: Limits = Limits { body: 1024 * 1024, total: Duration::from_secs(4) };
/// The same of what an app exports: some ten thousand series.
const METRICS: Limits = Limits { body: 8 * 1024 * 1024, total: Duration::from_secs(4) };

impl Performance {
    /// Reads the watched process's memory and what became of it so far.
    pub(super) async fn memory(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let reading = match self.reading().await {
            Ok(reading) => reading,
            Err(missing) => {
                lock(&self.track).lost();
                return Ok(judge::missing(&self.watched, &missing));
            }
        };
        let now = Instant::now();
        let mut track = lock(&self.track);
        track.note(&reading, now);
        let seen = Memory {
            watched: &self.watched,
            reading: &reading,
            kept: track.samples().len(),
            trend: Trend::of(track.samples()),
            restart: track.restart(now),
            cpu: track.cpu(),
        };
        Ok(judge::memory(&seen, self.memory_limits))
    }

    /// Looks at the clocks and at how late this host wakes those who sleep.
    pub(super) async fn timing(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let readings = readings();
        let late = lateness().await;
        let step = lock(&self.pace).note(Instant::now(), clock::now());
        let finding = judge::timing(&Timing { readings, late, step });
        // Where an app is asked, its answers are the latency that is shown.
        Ok(if self.address.is_none() { finding.latency(late) } else { finding })
    }

    /// Asks the app and sums up its last answers.
    pub(super) async fn response(&self, _cx: &Cx) -> Result<Finding, ProbeError> {
        let Some(url) = &self.address else {
            return Ok(Finding::skipped(Skip::NotApplicable, "no url configured")
                .remedy("set url under [performance] to have the app's answers timed"));
        };
        let answer = self.http.get(url, HeaderMap::new(), ANSWER).await;
        let good = answer.as_ref().ok().filter(|answer| judge::is_good(answer));
        let summary = {
            let mut answers = lock(&self.answers);
            answers.note(good.map(|answer| answer.took));
            answers.summary()
        };
        let recent = Recent { address: &shown(url), summary, limit: self.response_limit };
        Ok(match answer {
            Ok(answer) => judge::response(&answer, &recent),
            Err(error) => {
                let evidence = recent.write_to(recent.evidence().reply(&error.to_string()));
                Finding::from(error).evidence(evidence)
            }
        })
    }

    /// Reads what the app exports, and looks for what the baseline had.
    pub(super) async fn export(&self, cx: &Cx) -> Result<Finding, ProbeError> {
        let Some(url) = &self.metrics else {
            return Ok(Finding::skipped(Skip::NotApplicable, "no metrics configured")
                .remedy("set metrics under [performance] to have what the app exports checked"));
        };
        let check = self.id.check("export");
        let earlier = cx.before.as_deref().and_then(|baseline| {
            let names = &baseline.was(&check)?.names;
            (!names.is_empty()).then_some(Earlier { baseline: &baseline.name, names })
        });
        let asked = |evidence: Evidence| {
            evidence
                .asked(&format!("GET {}", shown(url)))
                .wanted("2xx, Prometheus' text format, every metric of the baseline")
        };
        Ok(match self.http.get(url, HeaderMap::new(), METRICS).await {
            Ok(answer) => {
                let mut finding = judge::export(&answer, earlier).latency(answer.took);
                let evidence = std::mem::take(&mut finding.evidence);
                finding.evidence(asked(evidence))
            }
            Err(error) => {
                let evidence = asked(Evidence::default().reply(&error.to_string()));
                Finding::from(error).evidence(evidence)
            }
        })
    }

    /// Reads the process that is known, and looks for it where that is not possible.
    async fn reading(&self) -> Result<Reading, Missing> {
        let remembered = lock(&self.track).remembered(Instant::now());
        if let Some(reading) = remembered.map(|pid| self.read(pid)).transpose()?.flatten() {
            return Ok(reading);
        }
        let pid = self.find().await?;
        let gone = || Missing::Nobody(format!("no process with pid {pid}"));
        let reading = self.read(pid)?.ok_or_else(gone)?;
        lock(&self.track).found(Instant::now());
        Ok(reading)
    }

    fn read(&self, pid: u32) -> Result<Option<Reading>, Missing> {
        let mut system = lock(&self.system);
        let system = match &mut *system {
            Some(system) => system,
            none => none.insert(process::empty()?),
        };
        Ok(process::read(system, pid))
    }

    async fn find(&self) -> Result<u32, Missing> {
        if let Watched::Ourselves | Watched::Pid(_) = self.watched {
            return process::find(&self.watched, Instant::now());
        }
        // Thousands of files may have to be looked at, which is no work for a worker.
        let (watched, deadline) = (self.watched.clone(), Instant::now() + LOOK);
        spawn_blocking(move || process::find(&watched, deadline))
            .await
            .unwrap_or_else(|_| Err(Missing::Local("the look for the process crashed".into())))
    }
}

/// A URL as it may be shown: without user, password and query.
pub(super) fn shown(url: &Url) -> String {
    format!("{}://{}{}", url.scheme(), http::peer(url), url.path())
}

/// Held for a few lines, never across an await. A panic leaves nothing half done.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
