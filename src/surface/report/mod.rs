//! One snapshot as text. Each format is a pure function in its own file.

mod changes;
mod github;
mod human;
mod json;
mod junit;
mod markdown;
mod nagios;
mod sweep;
mod tap;

pub use changes::changes;
pub use github::{github, github_summary};
pub use human::{Paint, human};
pub use json::json;
pub use junit::junit;
pub use markdown::markdown;
pub use nagios::nagios;
pub use sweep::{Cleaning, Killed, Receipt, cleaning, cleaning_json};
pub use tap::tap;

use crate::domain::{Blocker, CheckView, Freshness, Outcome, Snapshot, Stands};

/// What is to be said about a check besides its outcome, in the order in which it is said.
fn flags(check: &CheckView, snapshot: &Snapshot) -> Vec<&'static str> {
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

/// Whether what stands in the way at this check stood when the baseline was taken.
fn novelty(check: &CheckView, snapshot: &Snapshot) -> Option<&'static str> {
    let stands = |it: &&Blocker| {
        it.cleared.is_none() && (it.check == check.id || it.also.contains(&check.id))
    };
    let blocker = snapshot.blockers.iter().find(stands)?;
    Some(if blocker.new? { "new" } else { "known" })
}

/// What stands in the way at this check, and somebody answers for.
fn accepted<'a>(check: &CheckView, snapshot: &'a Snapshot) -> Option<&'a Blocker> {
    snapshot.blockers.iter().find(|blocker| {
        blocker.accepted.is_some()
            && blocker.cleared.is_none()
            && blocker.stands > Stands::Checklist
            && (blocker.check == check.id || blocker.also.contains(&check.id))
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
fn needs_remedy(check: &CheckView) -> bool {
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
        domain::{Notice, Topic},
        surface::sample,
    };

    /// A note as it might come from a file, hostile in every format.
    const NOTE: &str = "a|b <x> ]]> # c % ::error::d \\ *e*";

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
