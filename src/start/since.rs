//! When the deploy was, as somebody says it.

use super::{Failure, Session, baseline, tell};
use crate::{
    clock,
    domain::{Deploy, PastDeploy, Timestamp},
    nearest::did_you_mean,
    units,
};
use std::time::Duration;

/// Lets only what is seen after `when` count.
pub(super) async fn mark(session: &mut Session, when: &str) -> Result<(), Failure> {
    let deploy = found(session, when).await?;
    session.deployed(&deploy);
    Ok(())
}

/// Says so where no wait is long enough to become GO.
pub(super) fn tell_in_vain(deploy: Option<&Deploy>, settle: Duration, wait: Option<Duration>) {
    let Some(deploy) = deploy else { return };
    let end = clock::now().after(wait.unwrap_or_default());
    if deploy.wall.after(settle) > end {
        let settle = units::span(settle);
        tell(&format!(
            "tminus: the settle time of {settle} is not over by then, so it cannot be GO; \
             --wait longer, or --settle shorter"
        ));
    }
}

async fn found(session: &Session, when: &str) -> Result<PastDeploy, Failure> {
    let at = |at: Timestamp| PastDeploy { at, app: None, version: None, was: None };
    let now = clock::now();
    match moment(when, now) {
        Some(moment) if moment > now => {
            let why = format!("{when} is still to come");
            Err(Failure::unusable("no evidence can count", why).hint("a moment that has been"))
        }
        Some(moment) => Ok(at(moment)),
        None => {
            let (baselines, deploys) = baseline::moments(session).await?;
            let app = session.config.app.as_ref().map(|app| &app.name);
            let of_app = |it: &&PastDeploy| app.is_none() || it.app.as_ref() == app;
            let meant = |it: &&PastDeploy| when == "deploy" || it.version.as_deref() == Some(when);
            let deploy = deploys.iter().filter(of_app).find(meant).cloned();
            let baseline = || baselines.iter().find(|it| it.name == when).map(|it| at(it.at));
            let names = baselines.iter().map(|it| it.name.as_str());
            let versions = deploys.iter().filter_map(|it| it.version.as_deref());
            let names = ["now", "deploy"].into_iter().chain(names).chain(versions);
            deploy.or_else(baseline).ok_or_else(|| unknown(when, names))
        }
    }
}

/// `now`, a span ago, or a moment with its zone.
fn moment(when: &str, now: Timestamp) -> Option<Timestamp> {
    if when == "now" {
        return Some(now);
    }
    if let Ok(moment) = when.parse::<jiff::Timestamp>() {
        return Some(Timestamp(moment.as_millisecond()));
    }
    let ago = Duration::try_from(when.parse::<jiff::SignedDuration>().ok()?).ok()?;
    Some(Timestamp(now.0.saturating_sub(i64::try_from(ago.as_millis()).unwrap_or(i64::MAX))))
}

fn unknown<'a>(when: &str, names: impl Iterator<Item = &'a str>) -> Failure {
    let why = if when == "deploy" {
        "none is in the history".into()
    } else {
        format!("{when:?} is no moment, version or baseline{}", did_you_mean(when, names))
    };
    Failure::unusable("there is no such deploy", why)
        .hint("now, 10m, 2026-12-31T18:00:00Z, deploy, a version that was deployed, a baseline")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_moment_is_said_in_three_ways() {
        let now = Timestamp(1_795_400_000_000);
        let cases = [
            ("now", Some(now.0)),
            ("10m", Some(now.0 - 600_000)),
            ("1h 30m", Some(now.0 - 5_400_000)),
            ("2026-11-23T02:13:19Z", Some(1_795_399_999_000)),
            ("2026-11-23T03:13:19+01:00", Some(1_795_399_999_000)),
            ("-10m", None),
            ("4f2c1d9", None),
            ("", None),
        ];
        for (when, expected) in cases {
            assert_eq!(moment(when, now).map(|it| it.0), expected, "{when}");
        }
    }
}
