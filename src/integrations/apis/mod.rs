//! External APIs: is there a key, does the provider accept it, is quota left?
//!
//! Each provider is asked the one question that costs nothing; its answer serves
//! two checks. Keys leave through a header that redirects cannot carry away, and
//! nothing of them is shown.

mod checks;
mod client;
mod judge;
mod keys;
mod providers;
mod redact;
mod settings;
#[cfg(test)]
mod tests;

pub use providers::{PROFILES, Profile, Provider};
pub use settings::{InstanceSettings, ProviderSettings, Settings};

use crate::{
    domain::{Cadence, CheckSpec, Class, Impact, IntegrationId, Provenance, Target, text},
    probe::{Check, Cx, Integration, Run, http::Http, specs},
};
use client::Line;
use std::time::Duration;

/// Some providers with their keys.
pub struct Apis {
    id: IntegrationId,
    title: String,
    lines: Vec<Line>,
    table: &'static [Check<Apis>],
    http: Http,
}

impl Apis {
    /// Watches the four providers. Connects on first use, and never without a key.
    pub fn new(id: IntegrationId, settings: Settings) -> Self {
        let Settings { openai, google, letta, github } = settings;
        let settings = [openai, google, letta, github];
        let lines = PROFILES.iter().zip(settings).map(|(profile, own)| Line::new(profile, own));
        let (lines, title) = (lines.collect(), "External APIs".into());
        Self { id, title, lines, table: ALL, http: Http::default() }
    }

    /// Watches one further account of a provider.
    pub fn single(id: IntegrationId, settings: InstanceSettings) -> Self {
        let profile = settings.provider.profile();
        let title: String =
            format!("{} {}", profile.name, settings.name).chars().take(20).collect();
        let lines = vec![Line::new(profile, settings.into())];
        Self { id, title, lines, table: ONE, http: Http::default() }
    }

    /// The name of the check `what` of a provider.
    fn name(&self, line: &Line, what: &str) -> String {
        if self.lines.len() == 1 { what.into() } else { format!("{}_{what}", line.profile.word) }
    }
}

/// Which provider a row is about: rows come in threes.
const CHECKS_EACH: usize = 3;

/// The checks of a provider read one answer a minute; its key costs nothing to look at.
const fn spec(
    name: &'static str,
    title: &'static str,
    [hint, does, risk]: [&'static str; 3],
    needs: Option<&'static str>,
) -> CheckSpec {
    let (seconds, timeout) = if needs.is_some() { (60, 15) } else { (15, 1) };
    CheckSpec {
        name: text(name),
        title: text(title),
        hint: text(hint),
        does: text(does),
        risk: text(risk),
        cadence: Cadence::Every(Duration::from_secs(seconds)),
        timeout: Duration::from_secs(timeout),
        weight: 1,
        class: Class::Blocker,
        impact: Impact::ReadOnly,
        needs: match needs {
            Some(needs) => Some(text(needs)),
            None => None,
        },
        graph: false,
    }
}

/// Three rows for each provider.
macro_rules! table {
    ($($at:literal $key:literal $accepted:literal $quota:literal $name:literal),+) => {
        &[$(
            Check {
                spec: spec(
                    $key,
                    concat!($name, " key is set"),
                    [
                        "set the variable that the evidence names",
                        "Looks for the key in the configuration and its conventional variables, \
                         and whether it could be one. Sends nothing",
                        "every call to it fails",
                    ],
                    None,
                ),
                run: |apis, _| Box::pin(async { Ok(apis.key($at)) }),
            },
            Check {
                spec: spec(
                    $accepted,
                    concat!($name, " accepts the key"),
                    [
                        "compare the key with the one in the provider's console",
                        "Sends one GET with the key, which costs nothing, at most once a minute, \
                         and reads what comes back",
                        "every call is refused",
                    ],
                    Some($key),
                ),
                run: |apis, _| Box::pin(apis.accepted($at)),
            },
            Check {
                spec: CheckSpec {
                    name: text($quota),
                    title: text(concat!($name, " has quota left")),
                    hint: text("look at usage and limits in the provider's console"),
                    does: text(
                        "Reads from the same answer how much may be used, and how much of that is \
                         left",
                    ),
                    risk: text("calls are refused as soon as traffic grows"),
                    cadence: Cadence::Every(Duration::from_mins(1)),
                    timeout: Duration::from_secs(15),
                    weight: 1,
                    class: Class::Major,
                    impact: Impact::ReadOnly,
                    needs: Some(text($accepted)),
                    graph: false,
                },
                run: |apis, _| Box::pin(apis.quota($at)),
            },
        )+]
    };
}

/// The catalogue of the row with all four providers.
const ALL: &[Check<Apis>] = table!(
    0 "openai_key" "openai_accepted" "openai_quota" "OpenAI",
    1 "google_key" "google_accepted" "google_quota" "Google AI",
    2 "letta_key" "letta_accepted" "letta_quota" "Letta",
    3 "github_key" "github_accepted" "github_quota" "GitHub"
);

/// The catalogue of a row with one account.
const ONE: &[Check<Apis>] = table!(0 "key" "accepted" "quota" "The provider");

impl Integration for Apis {
    fn id(&self) -> &IntegrationId {
        &self.id
    }

    fn title(&self) -> &str {
        &self.title
    }

    fn target(&self) -> Target {
        let known = self.lines.iter().filter(|line| line.settings.key.is_some());
        let names: Vec<_> = known.map(|line| line.profile.name).collect();
        match (&*self.lines, &*names) {
            (_, []) => Target { name: "no key set".into(), provenance: Provenance::Embedded },
            ([line], _) => Target { name: line.host(), provenance: Provenance::Configured },
            _ => Target { name: names.join(", "), provenance: Provenance::Configured },
        }
    }

    fn checks(&self) -> Vec<CheckSpec> {
        let mut specs = specs(self.table);
        for (line, specs) in self.lines.iter().zip(specs.chunks_mut(CHECKS_EACH)) {
            for spec in specs.iter_mut().filter(|_| !line.required()) {
                spec.class = Class::Info;
            }
        }
        specs
    }

    fn run<'a>(&'a self, index: usize, cx: &'a Cx) -> Run<'a> {
        (self.table[index].run)(self, cx)
    }
}
