//! What the console knows how to watch, one folder each.

pub mod apis;
pub mod database;
pub mod monitoring;
pub mod performance;
pub mod redis;
pub mod resilience;

use crate::{
    domain::IntegrationId,
    probe::{Integration, Safety},
};
use std::sync::Arc;

/// One of possibly several of a kind: what it is called, and its settings.
#[derive(Clone, Debug)]
pub struct Instance<S> {
    /// What it is called.
    pub id: IntegrationId,
    /// Its settings.
    pub settings: S,
}

/// Everything to watch, in the order to show it.
#[derive(Clone, Debug, Default)]
pub struct Settings {
    /// Redis and Valkey.
    pub redis: Vec<Instance<redis::Settings>>,
    /// PostgreSQL and SQLite.
    pub database: Vec<Instance<database::Settings>>,
    /// Prometheus, and what ships for it.
    pub monitoring: Vec<Instance<monitoring::Settings>>,
    /// The four providers together.
    pub apis: Vec<Instance<apis::Settings>>,
    /// Further accounts, a row each.
    pub api: Vec<Instance<apis::InstanceSettings>>,
    /// A process and what it answers.
    pub performance: Vec<Instance<performance::Settings>>,
    /// Our own machinery.
    pub resilience: Vec<Instance<()>>,
}

/// Builds every integration. Connects to nothing.
pub fn all(settings: Settings, safety: Safety) -> Vec<Arc<dyn Integration>> {
    let Settings { redis, database, monitoring, apis, api, performance, resilience } = settings;
    let mut all: Vec<Arc<dyn Integration>> = Vec::new();
    all.extend(built(redis, |id, settings| redis::Redis::new(id, settings, safety)));
    all.extend(built(database, |id, settings| database::Database::new(id, settings, safety)));
    all.extend(built(monitoring, monitoring::Monitoring::new));
    all.extend(built(apis, apis::Apis::new));
    all.extend(built(api, apis::Apis::single));
    all.extend(built(performance, performance::Performance::new));
    all.extend(built(resilience, |id, ()| resilience::Resilience::new(id)));
    all
}

fn built<S, I: Integration>(
    instances: Vec<Instance<S>>,
    build: impl Fn(IntegrationId, S) -> I,
) -> impl Iterator<Item = Arc<dyn Integration>> {
    instances.into_iter().map(move |Instance { id, settings }| {
        let integration: Arc<dyn Integration> = Arc::new(build(id, settings));
        integration
    })
}

#[cfg(test)]
mod tests;
