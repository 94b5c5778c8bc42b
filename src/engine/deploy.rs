//! What is deployed, and from when on evidence counts. Pure.

use super::{
    recall::place,
    state::{Now, State},
};
use crate::domain::{Baseline, Compared, Deploy, Past, PastDeploy};
use std::{mem, sync::Arc};

impl State {
    /// Takes note of the version that is served now. Returns whether that is a deploy.
    pub(super) fn serves(&mut self, version: &str, now: Now) -> bool {
        let Some(app) = &mut self.app else { return false };
        let last = app.version.replace(version.to_owned());
        let first = last.is_none();
        let was = last.or_else(|| self.served.take());
        if first && self.told {
            // Somebody has said when it was: this is what went out then.
            if let Some(deploy) = &mut self.policy.deploy {
                deploy.version = Some(version.to_owned());
                deploy.was = was.filter(|was| was != version);
            }
            return false;
        }
        match was {
            Some(was) if was != version => self.deployed(Some(version), Some(&was), now),
            Some(_) | None => return false,
        }
        true
    }

    /// Takes a baseline, and lets only what is seen afterwards count.
    pub(super) fn baseline(&mut self, name: &str, now: Now) {
        self.take(name, now, None);
        self.chosen = true;
        self.deployed(None, None, now);
    }

    /// How everything stands is what is compared with from now on, if anything is known.
    /// What was missed against the one before that nobody has replaced is missed still.
    fn take(&mut self, name: &str, now: Now, earlier: Option<&Baseline>) {
        let mut baseline = Baseline::of(name, &self.snapshot(now));
        if let Some(earlier) = earlier {
            baseline.inherit(earlier);
        }
        if baseline.checks.is_empty() {
            return;
        }
        let score = baseline.score.map_or("no score".into(), |score| format!("score {score}"));
        let stood = baseline.stood();
        self.note(None, None, format!("baseline {name}: {score}, {stood} in the way"), now);
        self.compare(baseline);
    }

    fn compare(&mut self, baseline: Baseline) {
        Arc::new(baseline).guide(&mut self.policy);
        self.compared = Compared::default();
    }

    /// From now on only what is seen afterwards counts. What was there before another
    /// version is compared with, unless somebody has taken a baseline for that.
    pub(super) fn deployed(&mut self, version: Option<&str>, was: Option<&str>, now: Now) {
        if let Some(version) = version
            && !mem::take(&mut self.chosen)
        {
            let name = format!("before {version}");
            let usable = Baseline::is_name(&name);
            let earlier = self.policy.against.clone();
            self.take(if usable { &name } else { "before the deploy" }, now, earlier.as_deref());
        }
        let [version, was] = [version, was].map(|it| it.map(ToOwned::to_owned));
        let deploy = Deploy { at: now.at, wall: now.wall, version, was };
        self.note(None, None, deploy.says(self.app.as_ref()), now);
        self.policy.deploy = Some(deploy);
    }

    /// Takes in which deploy an earlier session saw last. Returns whether there has been
    /// one since.
    pub(super) fn recall_deploy(&mut self, past: &Past, now: Now) -> bool {
        if let Some(baseline) = past.baseline.clone()
            && self.policy.against.is_none()
        {
            // One that was taken after the last deploy is meant for the next.
            let used = |last: &PastDeploy| last.version.is_some() && last.at >= baseline.at;
            self.chosen = !past.deploys.iter().any(used);
            self.compare(baseline);
        }
        let name = self.app.as_ref().map(|app| app.name.as_str());
        if let Some(last) = past.deploys.iter().find(|it| it.app.as_deref() == name)
            && self.policy.deploy.as_ref().is_none_or(|known| !self.told && known.wall < last.at)
        {
            let PastDeploy { at: wall, version, was, .. } = last.clone();
            self.policy.deploy = Some(Deploy { at: place(wall, now), wall, version, was });
        }
        let Some(app) = &self.app else { return false };
        let served = past.served.iter().find(|(of, _)| *of == app.name);
        let Some((_, was)) = served else { return false };
        match app.version.clone() {
            Some(version) if version != *was && !self.told && !self.seen_deployed(&version) => {
                self.deployed(Some(&version), Some(was), now);
                true
            }
            Some(_) => false,
            None => {
                self.served = Some(was.clone());
                false
            }
        }
    }

    fn seen_deployed(&self, version: &str) -> bool {
        let known = self.policy.deploy.as_ref();
        known.is_some_and(|deploy| deploy.version.as_deref() == Some(version))
    }
}
