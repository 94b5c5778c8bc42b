//! One snapshot as text. Each format is a pure function in its own file.

mod changes;
mod github;
mod human;
mod json;
mod junit;
mod markdown;
mod nagios;
mod shifts;
mod sweep;
mod tap;

pub use changes::changes;
pub use github::{github, github_summary};
pub use human::{Paint, human};
pub use json::json;
pub use junit::junit;
pub(super) use markdown::escape;
pub use markdown::markdown;
pub use nagios::nagios;
pub(super) use shifts::{ShiftsPart, moved};
pub use sweep::{Cleaning, Killed, Receipt, cleaning, cleaning_json};
pub use tap::tap;

use crate::{
    domain::{Blocker, CheckView, Freshness, Outcome, Snapshot, Stands},
    units,
};

/// What is to be said about a check besides its outcome, in the order in which it is said.
pub(super) fn flags(check: &CheckView, snapshot: &Snapshot) -> Vec<&'static str> {
    let stale = match check.freshness {
        Freshness::Fresh => None,
        Freshness::Stale => Some("stale"),
        Freshness::Expired => Some("expired"),
    };
    [
        check.finding.fallback.then_some("fallback"),
        check.flags.flaky.then_some("flaky"),
        check.flags.flapping.then_some("flapping"),
        stale,
        accepted(check, snapshot).map(|_| "accepted"),
        novelty(check, snapshot),
    ]
    .into_iter()
    .flatten()
    .collect()
}

/// What is deployed and since when, where anybody knows.
fn deployed(snapshot: &Snapshot) -> Option<String> {
    let app = snapshot.app.as_ref();
    let version = app.and_then(|app| app.version.as_deref());
    let served = app.zip(version).map(|(app, version)| format!("{} {version}", app.name));
    let Some(deploy) = &snapshot.deploy else { return served };
    let served = served.map_or(String::new(), |served| served + ", ");
    let was = deploy.was.as_deref().map_or(String::new(), |was| format!("was {was}, "));
    let ago = units::age(snapshot.at.saturating_sub(deploy.at));
    Some(format!("{served}{was}since {} ({ago})", units::rfc3339(deploy.wall)))
}

/// Whether what stands in the way at this check stood when the baseline was taken.
fn novelty(check: &CheckView, snapshot: &Snapshot) -> Option<&'static str> {
    let blocker = snapshot.blockers.iter().find(|it| it.stands_at(&check.id))?;
    Some(if blocker.new? { "new" } else { "known" })
}

/// What stands in the way at this check, and somebody answers for.
fn accepted<'a>(check: &CheckView, snapshot: &'a Snapshot) -> Option<&'a Blocker> {
    snapshot.blockers.iter().find(|blocker| {
        blocker.accepted.is_some()
            && blocker.stands > Stands::Checklist
            && blocker.stands_at(&check.id)
    })
}

/// Whether there is nothing more to say about a check than that it passes.
fn is_plain_pass(check: &CheckView) -> bool {
    *check.outcome() == Outcome::Pass
        && !check.finding.fallback
        && !check.flags.flaky
        && !check.flags.flapping
        && check.freshness == Freshness::Fresh
}

/// A blocked check is mended where its cause is, and a skipped one needs no mending.
pub(super) fn needs_remedy(check: &CheckView) -> bool {
    match check.outcome() {
        Outcome::Warn | Outcome::Fail | Outcome::Unknown(_) => true,
        // The hint is about a failure; a stand-in says by itself what to configure.
        Outcome::Pass => check.finding.fallback && check.finding.remedy.is_some(),
        Outcome::Blocked(_) | Outcome::Skipped(_) => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{App, Deploy, Notice, Topic},
        surface::sample,
    };
    use std::time::Duration;

    /// A note as it might come from a file, hostile in every format.
    const NOTE: &str = "a|b <x> ]]> # c % ::error::d \\ *e*";

    #[test]
    fn what_is_deployed_is_said_in_every_format_that_has_room() {
        let app = |version: &str| Some(App { name: "api".into(), version: Some(version.into()) });
        let mut snapshot = Snapshot { app: app("<2>"), ..sample::seed() };
        assert_eq!(deployed(&snapshot).unwrap(), "api <2>");
        snapshot.deploy = Some(Deploy {
            at: snapshot.at.checked_sub(Duration::from_secs(9)).unwrap(),
            wall: sample::WALL,
            version: Some("<2>".into()),
            was: Some("1".into()),
        });
        snapshot.settled = Some(snapshot.at);
        let says = "api <2>, was 1, since 2026-11-23T02:13:20.000Z (9s)";
        assert!(human(&snapshot, Paint::Plain).contains(&format!("deployed     {says}\n")));
        assert!(markdown(&snapshot).contains("\nDeployed: api &lt;2&gt;, was 1, since "));
        let json: serde_json::Value = serde_json::from_str(&json(&snapshot)).unwrap();
        assert_eq!((&json["app"]["version"], &json["deploy"]["was"]), (&"<2>".into(), &"1".into()));
        assert_eq!(json["deploy"]["settled"], "2026-11-23T02:13:29.000Z");
        snapshot.app = None;
        assert!(deployed(&snapshot).unwrap().starts_with("was 1, since "));
    }

    #[test]
    fn a_note_is_in_every_format_and_stays_text() {
        let mut snapshot = sample::seed();
        snapshot.notices = vec![Notice { topic: Topic::Acceptance, says: NOTE.into() }];
        let has = |text: String, note: &str| assert!(text.contains(note), "{note} in {text}");
        has(human(&snapshot, Paint::Plain), NOTE);
        has(markdown(&snapshot), "- a\\|b &lt;x&gt; \\]\\]&gt; \\# c % ::error::d \\\\ \\*e\\*\n");
        has(junit(&snapshot), "<system-out>a|b &lt;x&gt; ]]&gt; # c %");
        has(tap(&snapshot), "\n# a|b <x> ]]> \\# c % ::error::d \\\\ *e*\n");
        has(github(&snapshot), "\n::notice title=T-minus::a|b <x> ]]> # c %25 ::error::d \\ *e*\n");
        has(nagios(&snapshot), "\na/b <x> ]]> # c % ::error::d \\ *e*\n");
        let json: serde_json::Value = serde_json::from_str(&json(&snapshot)).unwrap();
        assert_eq!(json["notices"][0]["says"], NOTE);
        assert_eq!(json["notices"][0]["topic"], "acceptance");
    }
}
