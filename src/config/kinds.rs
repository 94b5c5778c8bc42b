//! Which tables there are, and which variables stand for which key.

use super::{
    Origin, Surroundings,
    de::Read,
    sections::{Kind, always, let_stand_for, some},
    tree::{Node, Table},
};
use crate::{
    domain::IntegrationId,
    integrations::{
        Instance, Settings,
        apis::{self, PROFILES, Provider},
        database, monitoring, performance, redis,
    },
};

/// Every table that the file may have.
pub(super) const TABLES: &[&str] = &[
    "redis",
    "database",
    "monitoring",
    "apis",
    "api",
    "performance",
    "app",
    "verdict",
    "checks",
    "accept",
    "console",
    "keys",
    "exporter",
    "history",
];

/// The table that the settings of an integration stand in.
///
/// A named account of an API has a table of its own; everything else has that of its kind.
pub fn table_of(id: &IntegrationId) -> &str {
    if id.kind() == "apis" && id.name().is_some() { "api" } else { id.kind() }
}

/// The variables that stand for something the file does not say.
pub fn conventional() -> impl Iterator<Item = &'static str> {
    let own = |profile: &'static apis::Profile| profile.keys.iter().copied().chain(profile.url);
    ["REDIS_URL", "DATABASE_URL"].into_iter().chain(PROFILES.iter().flat_map(own))
}

/// Lets the conventional variables stand for what the file does not say.
pub(super) fn fill_in_conventions(root: &mut Table, around: &dyn Surroundings) {
    let_stand_for(root, &["redis", "url"], &["REDIS_URL"], around);
    let_stand_for(root, &["database", "url"], &["DATABASE_URL"], around);
    for profile in &PROFILES {
        let_stand_for(root, &["apis", profile.word, "key"], profile.keys, around);
        let_stand_for(root, &["apis", profile.word, "url"], profile.url.as_slice(), around);
    }
}

/// The settings of every integration, configured or not.
pub(super) fn integrations(root: &Table, around: &dyn Surroundings, into: &mut Read) -> Settings {
    let of = |key| Kind { key, kind: key };
    let mut settings = Settings {
        redis: always(root, of("redis"), redis::Settings::complaints, into),
        database: always(root, of("database"), database::Settings::complaints, into),
        monitoring: always(root, of("monitoring"), monitoring::Settings::complaints, into),
        apis: always(root, of("apis"), apis::Settings::complaints, into),
        api: some(
            root,
            Kind { key: "api", kind: "apis" },
            apis::InstanceSettings::complaints,
            into,
        ),
        performance: always(root, of("performance"), performance::Settings::complaints, into),
        // There is nothing to set about it.
        resilience: IntegrationId::new("resilience")
            .into_iter()
            .map(|id| Instance { id, settings: () })
            .collect(),
    };
    for apis in &mut settings.apis {
        name_variables(&mut apis.settings, root, around);
    }
    settings
}

/// Lets the integration find out by itself which variable each key came from, so
/// that it can name it, and another one that disagrees.
fn name_variables(settings: &mut apis::Settings, root: &Table, around: &dyn Surroundings) {
    for profile in &PROFILES {
        let provider =
            root.get("apis").and_then(Node::as_table).and_then(|it| it.get(profile.word));
        let key = provider.and_then(Node::as_table).and_then(|it| it.get("key"));
        if key.is_some_and(|key| matches!(key.origin, Origin::Variable(_))) {
            let own = match profile.provider {
                Provider::OpenAi => &mut settings.openai,
                Provider::Google => &mut settings.google,
                Provider::Letta => &mut settings.letta,
                Provider::GitHub => &mut settings.github,
            };
            own.key = None;
        }
    }
    settings.fill(|name| around.variable(name).filter(|value| !value.is_empty()));
}
