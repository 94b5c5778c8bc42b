//! `tminus perf load`: HTTP/1.1 requests by a plan or in a closed loop.
//!
//! The request is encoded once and the responses are framed without keeping their
//! bodies, so that the figures are about the server. A redirect is not followed. What
//! the server does with a request is its own matter: nothing has to be removed after.

mod address;
mod asked;
mod chunks;
mod client;
mod dial;
mod expect;
mod frame;
mod request;
mod room;
mod seen;
mod single;

pub use asked::{Asked, Profile};
pub use expect::Expected;
pub use request::Request;
pub(super) use single::Single;

use super::{
    About, Failed, Figures, Guards, Place, Reins, Test, Testing, Untested, against::drift, refusal,
    run, steady::unsteady, unusable,
};
use crate::{
    clock,
    domain::{
        Fact, IntegrationId, Timestamp,
        perf::{Against, Load, Offer, Phase, Record, Refusal},
    },
    integrations::performance::Settings,
    probe::{ProbeError, Safety},
};
use address::Address;
use client::{Ask, Target, Way};
use dial::Dial;
use seen::Seen;
use std::sync::Arc;

/// Share of requests that may fail within a second before the test stops by itself.
const ERRORS: f64 = 0.2;

/// The test of one address.
pub struct LoadTest {
    name: String,
    address: Result<Address, Refusal>,
    asked: Asked,
    /// Why that address may not be put under load.
    denied: Option<Refusal>,
}

/// The way to a target that may be put under load.
pub(super) struct Ready(Arc<Way>);

impl Ready {
    /// What came of all that was sent on it.
    pub(super) fn facts(&self, fresh: bool) -> Vec<Fact> {
        self.0.seen.facts(fresh)
    }
}

impl LoadTest {
    /// A test of `url`, or else of the address that `settings` name. Connects to nothing yet.
    pub fn new(
        id: &IntegrationId,
        url: Option<&str>,
        settings: &Settings,
        safety: Safety,
        asked: Asked,
    ) -> Self {
        let configured = settings.url.as_ref().and_then(|url| Address::parse(url.expose()).ok());
        let address = address(url, configured.as_ref());
        let denied = match &address {
            Ok(address) => {
                let own = configured.as_ref().is_some_and(|it| it.same_server(address));
                not_allowed(address, settings.load.filter(|_| own), safety, &asked.request)
            }
            Err(refused) => Some(refused.clone()),
        };
        let name = id.name().map_or_else(|| "load".into(), |name| format!("load/{name}"));
        Self { name, address, asked, denied }
    }

    /// Why it may not be run, if it may not, for whoever typed `verb`.
    pub(super) fn refusal(&self, verb: &str) -> Option<Refusal> {
        self.denied.clone().or_else(|| unusable(self.asked.complaint(), verb))
    }

    /// What is put under load, without any secret.
    pub(super) fn target(&self) -> String {
        self.address.as_ref().map_or_else(|_| "none".into(), Address::name)
    }

    async fn test(&self, reins: &Reins) -> Result<Record, Untested> {
        let began = clock::now();
        let ready = self.ready(reins).await?;
        let figures = self.put(&ready, &self.asked.load(), reins).await?;
        Ok(self.record(began, figures, &ready))
    }

    /// Finds the way to the target, where it may be put under load at all.
    pub(super) async fn ready(&self, reins: &Reins) -> Result<Ready, Untested> {
        let address = match (&self.address, self.refusal("load")) {
            (Ok(address), None) => address,
            (_, Some(refused)) => return Err(Untested::refused(&refused.why, &refused.hint)),
            (Err(refused), None) => return Err(Untested::refused(&refused.why, &refused.hint)),
        };
        room::make(self.asked.clients)?;
        reins.say(Phase::Preparing);
        let dial = tokio::select! {
            biased;
            () = reins.cancel.cancelled() => return Err(Untested::aborted()),
            dial = Dial::to(address, self.asked.ca.clone()) => dial.map_err(|error| undialled(&error))?,
        };
        Ok(Ready(Arc::new(Way { dial, ask: self.ask(address), seen: Seen::new() })))
    }

    /// Puts so much load on it.
    pub(super) async fn put(
        &self,
        ready: &Ready,
        load: &Load,
        reins: &Reins,
    ) -> Result<Figures, Failed> {
        run(Arc::new(Target(Arc::clone(&ready.0))), load, self.guards(), reins).await
    }

    fn ask(&self, address: &Address) -> Ask {
        let Asked { request, fresh, expected, .. } = &self.asked;
        Ask {
            bytes: request.encode(address, *fresh),
            name: request.method.clone(),
            bodiless: request.bodiless(),
            repeatable: request.repeatable(),
            fresh: *fresh,
            expected: expected.clone(),
        }
    }

    /// Whoever allows many failures does not want to be stopped by them.
    fn guards(&self) -> Guards {
        let allowed = self.asked.goals.errors.unwrap_or_default() * 2.0;
        Guards { errors: allowed.clamp(ERRORS, 1.0), ..Guards::default() }
    }

    fn record(&self, began: Timestamp, figures: Figures, ready: &Ready) -> Record {
        let Asked { profile, goals, fresh, .. } = &self.asked;
        let drift = (*profile == Profile::Soak).then(|| Box::new(self.drift(&figures)));
        let goals = goals.judge(&figures);
        let moving = unsteady(&figures.samples.blocks);
        let (test, target, load) = (self.name.clone(), self.target(), self.asked.load());
        Record {
            profile: profile.word().into(),
            goals,
            drift,
            notes: profile.notes().into_iter().chain(moving).collect(),
            facts: ready.facts(*fresh),
            ..figures.record(About { test, target, began, load })
        }
    }

    /// How the end of a soak stands against its begin.
    fn drift(&self, figures: &Figures) -> Against {
        let limit = figures.generator.limits.first().map(String::as_str);
        drift(&figures.samples.blocks, limit, &self.asked.load())
    }
}

impl Test for LoadTest {
    fn offer(&self) -> Offer {
        let Asked { clients, fresh, request, .. } = &self.asked;
        let connects = if *fresh {
            format!("opens a connection for each request, up to {clients} at once")
        } else {
            format!("opens {clients} connections and keeps them")
        };
        let sends = format!("sends {}, and follows no redirect", request.method);
        let stops = "stops at 20 % errors in a second, and when it is told 429".into();
        Offer {
            test: self.name.clone(),
            title: "HTTP requests".into(),
            target: self.target(),
            load: self.asked.says(),
            does: vec![connects, sends, stops],
            writes: false,
            takes: self.asked.takes(),
            refused: self.refusal("load"),
        }
    }

    fn run<'a>(&'a self, reins: &'a Reins) -> Testing<'a> {
        Box::pin(self.test(reins))
    }
}

fn address(url: Option<&str>, configured: Option<&Address>) -> Result<Address, Refusal> {
    let hint = "name it: tminus perf load http://127.0.0.1:8080/, or set `url` in [performance]";
    let refused = |why: String| Refusal { why, hint: hint.into() };
    match url {
        Some(url) => Address::parse(url).map_err(refused),
        None => configured.cloned().ok_or_else(|| refused("no address is known".into())),
    }
}

/// Why it may not be put under load, if it may not.
fn not_allowed(
    address: &Address,
    load: Option<bool>,
    safety: Safety,
    request: &Request,
) -> Option<Refusal> {
    let (name, local) = (address.peer(), address.is_local());
    let place = Place { name, local, writes: None, load, table: "performance" };
    let changes = !local && !request.repeatable() && !safety.allow_writes;
    refusal(&place, safety).or_else(|| {
        changes.then(|| Refusal {
            why: format!(
                "{} may change something, and {name} is not on this machine",
                request.method
            ),
            hint: "give --allow-writes too, if its owner agrees".into(),
        })
    })
}

fn undialled(error: &ProbeError) -> Untested {
    let hint = error.hint().map(str::to_owned);
    let says = error.to_string();
    let untested = match error {
        ProbeError::Local(_) | ProbeError::NotPermitted(_) => Untested::host(&says),
        ProbeError::Misconfigured(_) => Untested::refused(&says, ""),
        ProbeError::Unreachable(_) | ProbeError::Refused(_) | ProbeError::Protocol(_) => {
            Untested::from(Failed::Unfit(says))
        }
    };
    Untested { hint, ..untested }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;

    fn test(url: Option<&str>, settings: &Settings, safety: Safety, method: &str) -> LoadTest {
        let request = Request { method: method.into(), ..Request::default() };
        let asked = Asked { request, ..Asked::default() };
        LoadTest::new(&IntegrationId::new("performance").unwrap(), url, settings, safety, asked)
    }

    fn settings(url: &str, load: Option<bool>) -> Settings {
        Settings { url: Some(Secret::new(url)), load, ..Settings::default() }
    }

    const STRICT: Safety = Safety { allow_writes: false, allow_load: false };
    const LAX: Safety = Safety { allow_writes: false, allow_load: true };

    #[test]
    fn only_what_is_here_or_declared_is_put_under_load() {
        let none = Settings::default();
        let remote = settings("http://app.example/health", Some(true));
        let refused = |url, settings: &Settings, safety, method| {
            test(url, settings, safety, method).offer().refused.map(|refused| refused.why)
        };
        assert_eq!(refused(Some("http://127.0.0.1:1/"), &none, STRICT, "POST"), None);
        assert!(refused(None, &none, STRICT, "GET").unwrap().contains("no address"));
        assert!(refused(Some("app"), &none, STRICT, "GET").unwrap().contains("http://"));
        assert!(refused(Some("http://app.example/"), &none, STRICT, "GET").is_some());
        assert_eq!(refused(Some("http://app.example/"), &none, LAX, "GET"), None);
        assert!(refused(Some("http://app.example/"), &none, LAX, "POST").unwrap().contains("POST"));
        assert_eq!(refused(None, &remote, STRICT, "GET"), None);
        assert_eq!(refused(Some("http://app.example/other"), &remote, STRICT, "GET"), None);
        assert!(refused(Some("http://app.example:81/"), &remote, STRICT, "GET").is_some());
        let never = settings("http://127.0.0.1:8080/", Some(false));
        assert!(refused(None, &never, LAX, "GET").unwrap().contains("`load = false`"));
        assert_eq!(refused(Some("http://127.0.0.1:8081/"), &never, STRICT, "GET"), None);
    }

    #[test]
    fn an_offer_says_what_it_does_and_nothing_secret() {
        let secret = settings("http://me:hunter2@127.0.0.1:8080/a?key=hunter2", None);
        let offer = test(None, &secret, STRICT, "GET").offer();
        assert_eq!((&*offer.test, &*offer.target), ("load", "http://127.0.0.1:8080/a"));
        assert_eq!(offer.load, "GET with 100 clients, 500/s");
        assert!(offer.title.len() <= 20 && !offer.writes);
        assert!(!format!("{offer:?}").contains("hunter2"));
    }
}
