//! Values for tests.

use super::{
    Cadence, CheckSpec, CheckView, Class, Finding, Impact, IntegrationId, IntegrationView, Outcome,
    Provenance, Series, Skip, Status, Target, text,
};
use std::{sync::Arc, time::Duration};

/// A check named `name` of the integration `test`, ended just now with `finding`.
pub(crate) fn check(name: &str, weight: u8, finding: Finding) -> CheckView {
    let spec = CheckSpec {
        name: name.to_owned().into(),
        title: text("does what it should"),
        hint: text("look at it"),
        does: text("Asks it"),
        risk: text("nothing works"),
        cadence: Cadence::Every(Duration::from_secs(10)),
        timeout: Duration::from_secs(2),
        weight,
        class: Class::Blocker,
        impact: Impact::ReadOnly,
        needs: None,
        graph: false,
    };
    let id = IntegrationId::new("test").unwrap().check(name);
    let ended = Some(Duration::ZERO);
    let (proved, finding) = (ended, Arc::new(finding));
    CheckView { finding, runs: 1, proved, ended, ..CheckView::new(id, spec) }
}

/// An integration `id` of `checks`, weighed; the checks get its name.
pub(crate) fn integration(id: &str, title: &str, checks: Vec<CheckView>) -> IntegrationView {
    let id = IntegrationId::try_from(id.to_owned()).unwrap();
    let own = |check: CheckView| CheckView { id: id.check(&check.spec.name), ..check };
    let mut view = IntegrationView {
        checks: checks.into_iter().map(own).collect(),
        id,
        title: title.into(),
        target: Target { name: "here".into(), provenance: Provenance::Embedded },
        weight: 1,
        score: None,
        status: Status::Unknown,
        latency: Series::default(),
    };
    view.weigh();
    view
}

/// The six integrations of the report that this product grew from.
pub(crate) fn seed() -> [IntegrationView; 6] {
    let mock = |name| check(name, 1, Finding::pass("answers").on_fallback());
    let pass = |name| check(name, 1, Finding::pass("works"));
    let fail = |name, why: &str| check(name, 1, Finding::fail(why));
    let blocked = |name| check(name, 1, Finding::new(Outcome::Blocked("connect".into()), "waits"));
    let absent = |name| check(name, 1, Finding::skipped(Skip::OptionalAbsent, "no key set"));
    let connect = |finding| check("connect", 3, finding);
    let not_live = || {
        let finding = Finding::unknown(super::Cause::NoSamples, "no Prometheus to ask");
        let mut check = check("connect", 2, finding);
        check.spec.class = Class::Major;
        check
    };
    let services = ["cache", "pubsub", "lock", "ratelimit", "queue", "metrics", "session"];
    let mock_connect = connect(Finding::pass("mock in use, no instance").on_fallback());
    [
        integration(
            "redis",
            "Redis / Valkey",
            [mock_connect].into_iter().chain(services.map(mock)).collect(),
        ),
        integration(
            "database",
            "DB observability",
            vec![
                connect(Finding::fail("connection refused by 127.0.0.1:5432")),
                pass("query"),
                pass("slow"),
                blocked("pool"),
                blocked("transactions"),
                blocked("errors"),
            ],
        ),
        integration(
            "monitoring",
            "Monitoring stack",
            ["agents", "system", "business", "cost", "rules", "lint"]
                .map(pass)
                .into_iter()
                .chain([not_live()])
                .collect(),
        ),
        integration(
            "apis",
            "External APIs",
            vec![
                pass("openai"),
                fail("google", "Google AI key missing"),
                absent("letta"),
                absent("github"),
            ],
        ),
        integration("performance", "Performance", ["memory", "timing", "export"].map(pass).into()),
        integration(
            "resilience",
            "Resilience",
            ["panics", "timeout", "breaker", "backoff"].map(pass).into(),
        ),
    ]
}
