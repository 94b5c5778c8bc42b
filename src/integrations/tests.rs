//! What holds for every check table, whoever adds one.

use super::*;
use crate::{
    config::{self, Flags, Located, fake::Fake},
    domain::{Cadence, CheckSpec, Timestamp},
};
use std::collections::BTreeSet;
use unicode_width::UnicodeWidthStr as _;

/// All of them, with nothing configured.
fn unconfigured() -> Vec<Arc<dyn Integration>> {
    let around = Fake::default();
    let none = |_: &Settings| Vec::new();
    let config =
        config::load(&Located::default(), &Flags::default(), &around, Timestamp(0), none).unwrap();
    all(config.integrations, Safety::default())
}

fn each_spec(holds: impl Fn(&CheckSpec, &[CheckSpec]) -> bool, rule: &str) {
    for integration in unconfigured() {
        let specs = integration.checks();
        for spec in &specs {
            assert!(holds(spec, &specs), "{}.{}: {rule}", integration.id(), spec.name);
        }
    }
}

#[tokio::test]
async fn all_six_are_there_whatever_is_configured() {
    let all = unconfigured();
    let ids: Vec<&str> = all.iter().map(|it| it.id().as_str()).collect();
    let product = ["redis", "database", "monitoring", "apis", "performance", "resilience"];
    assert_eq!(ids, product);
    for integration in &all {
        assert!(integration.title().width() <= 20, "{}", integration.title());
        assert!(!integration.checks().is_empty(), "{} checks nothing", integration.id());
    }
}

#[tokio::test]
async fn every_check_says_what_it_is_and_what_to_do() {
    each_spec(|spec, _| (1..=40).contains(&spec.title.width()), "a title of 40 columns at most");
    each_spec(|spec, _| !spec.title.ends_with('.'), "a title is no sentence");
    each_spec(|spec, _| !spec.hint.is_empty(), "a hint");
    each_spec(|spec, _| spec.does.len() > 20 && !spec.does.ends_with('.'), "what it does");
    each_spec(|spec, _| spec.risk.len() > 20 && !spec.risk.ends_with('.'), "what is at risk");
    each_spec(|spec, _| spec.weight <= 10, "a weight of 10 at most");
    each_spec(
        |spec, all| all.iter().filter(|other| other.name == spec.name).count() == 1,
        "a name of its own",
    );
}

#[tokio::test]
async fn every_run_ends_before_the_next_is_due() {
    each_spec(
        |spec, _| match spec.cadence {
            Cadence::Every(period) => spec.timeout < period,
            Cadence::OnDemand => true,
        },
        "a timeout below the cadence",
    );
}

#[tokio::test]
async fn what_a_check_needs_is_there_and_needs_no_circle() {
    each_spec(
        |spec, all| {
            let mut seen = BTreeSet::from([spec.name.clone()]);
            let mut at = spec;
            while let Some(need) = &at.needs {
                let Some(next) = all.iter().find(|other| other.name == *need) else { return false };
                if !seen.insert(next.name.clone()) {
                    return false;
                }
                at = next;
            }
            true
        },
        "what it needs is a sibling, and no circle",
    );
}

#[tokio::test]
async fn the_readme_lists_every_check_and_no_other() {
    let rows = |integration: &Arc<dyn Integration>| {
        let class = |spec: &CheckSpec| format!("{:?}", spec.class).to_lowercase();
        let row = |spec: CheckSpec| {
            let id = integration.id().check(&spec.name);
            format!("| `{id}` | {} | {} |", spec.title, class(&spec))
        };
        integration.checks().into_iter().map(row).collect::<Vec<_>>()
    };
    let wanted: Vec<String> = unconfigured().iter().flat_map(rows).collect();
    let readme = include_str!("../../README.md");
    let table = readme.lines().skip_while(|line| !line.starts_with("| check |")).skip(2);
    let listed: Vec<&str> = table.take_while(|line| line.starts_with('|')).collect();
    assert_eq!(listed, wanted);
}
