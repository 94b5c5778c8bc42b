//! PostgreSQL, healthy and in each of the states that it fails in.

mod canaries;
pub(crate) mod cluster;
mod lost;
mod newest;
mod reaching;
mod servers;
mod tracking;
mod untouched;

use tminus::{
    domain::{FactValue, Finding},
    units,
};

/// Starts or shares a server, or leaves the test where there is none to start.
macro_rules! need {
    ($cluster:expr) => {
        match $cluster {
            Some(cluster) => cluster,
            None => return,
        }
    };
}
use need;

/// Each of these tests on the installed PostgreSQL, and on the newest one.
macro_rules! on_both {
    ($($test:ident,)+) => {
        mod installed {
            $(#[tokio::test] async fn $test() {
                super::$test(super::Edition::Installed).await;
            })+
        }

        mod newest {
            $(#[tokio::test] async fn $test() {
                super::$test(super::Edition::Newest).await;
            })+
        }
    };
}
use on_both;

fn pass(summary: &str) -> (&'static str, String) {
    ("pass", summary.to_owned())
}

fn fact<'a>(finding: &'a Finding, name: &str) -> &'a FactValue {
    let fact = finding.evidence.facts.iter().find(|fact| fact.name == name);
    &fact.unwrap_or_else(|| panic!("no {name} in {finding:?}")).value
}

fn words(finding: &Finding, name: &str) -> String {
    match fact(finding, name) {
        FactValue::Words(words) => words.clone(),
        FactValue::Quantity(quantity) => units::quantity(*quantity),
    }
}
