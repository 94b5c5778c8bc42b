//! The part that measures; [`judge`](super::judge) and [`keys`] decide.

use super::{
    Apis,
    client::{Asker, Line},
    keys::{self, Sanity},
};
use crate::{
    domain::{Evidence, Finding, Outcome, Skip},
    probe::ProbeError,
    secret::Secret,
};

/// Why there is no key to send.
enum Keyless {
    Absent,
    Broken,
}

impl Apis {
    /// Whether there is a key and it could be one. Nothing is sent.
    pub(super) fn key(&self, at: usize) -> Finding {
        let line = &self.lines[at];
        let finding = match &line.settings.key {
            None => absent(line),
            Some(key) => present(line, key.expose()),
        };
        let places = line.profile.keys.join(", ");
        let mut finding = finding;
        let evidence = std::mem::take(&mut finding.evidence)
            .asked(&format!("{places} and tminus.toml"))
            .wanted("a key that could be one");
        let reply = if line.settings.key.is_some() { &finding.summary } else { "nothing is set" };
        let evidence = evidence.reply(reply);
        finding.evidence(evidence)
    }

    /// Whether the provider accepts the key.
    pub(super) async fn accepted(&self, at: usize) -> Result<Finding, ProbeError> {
        let line = &self.lines[at];
        let key = match usable(line) {
            Ok(key) => key,
            Err(why) => return Ok(self.without_key(line, &why)),
        };
        Ok(match line.told(&self.http, key, Asker::Accepted).await {
            Ok(told) => told.key,
            Err(error) => unanswered(line, error),
        })
    }

    /// Whether enough may still be used.
    pub(super) async fn quota(&self, at: usize) -> Result<Finding, ProbeError> {
        let line = &self.lines[at];
        let key = match usable(line) {
            Ok(key) => key,
            Err(why) => return Ok(self.without_key(line, &why)),
        };
        Ok(match line.told(&self.http, key, Asker::Quota).await {
            Ok(told) => told.quota.unwrap_or_else(|| {
                let accepted = self.name(line, "accepted");
                Finding::new(Outcome::Blocked(accepted.into()), "the key was not accepted")
            }),
            Err(error) => unanswered(line, error),
        })
    }

    /// What a check that needs the key comes to without one.
    fn without_key(&self, line: &Line, why: &Keyless) -> Finding {
        match why {
            Keyless::Absent if !line.required() => {
                Finding::skipped(Skip::NotApplicable, "no key, and none is needed")
            }
            Keyless::Absent | Keyless::Broken => {
                let key = self.name(line, "key");
                Finding::new(Outcome::Blocked(key.into()), "there is no usable key")
            }
        }
    }
}

fn usable(line: &Line) -> Result<&Secret, Keyless> {
    let key = line.settings.key.as_ref().ok_or(Keyless::Absent)?;
    match keys::sanity(line.profile, key.expose()) {
        Sanity::Usable(_) => Ok(key),
        Sanity::Broken(_) => Err(Keyless::Broken),
    }
}

fn absent(line: &Line) -> Finding {
    let profile = line.profile;
    if line.required() {
        let remedy = format!("set {} to a key from {}", profile.keys[0], profile.console);
        Finding::fail(&format!("{} key is missing", profile.name)).remedy(&remedy)
    } else {
        Finding::skipped(Skip::OptionalAbsent, "not set, and optional")
    }
}

fn present(line: &Line, key: &str) -> Finding {
    let source = line.settings.variable.unwrap_or("the configuration");
    let hint = match keys::sanity(line.profile, key) {
        Sanity::Broken(says) => {
            let remedy = format!("set it to a key from {}, and nothing else", line.profile.console);
            return Finding::fail(&format!("{source} {says}")).remedy(&remedy);
        }
        Sanity::Usable(hint) => hint,
    };
    if let Some(rival) = line.settings.rival {
        return Finding::warn(&format!("{source} is used, {rival} differs"))
            .remedy("unset the one that is not meant, for libraries choose differently");
    }
    match hint {
        Some(hint) => Finding::warn(hint.says).remedy(hint.remedy),
        None => Finding::pass(&format!("{} from {source}", keys::kind(line.profile.provider, key))),
    }
}

fn unanswered(line: &Line, error: ProbeError) -> Finding {
    let reply = error.to_string();
    let evidence = Evidence::default().asked(&line.question()).wanted(line.profile.wanted);
    Finding::from(error).evidence(evidence.reply(&reply))
}
