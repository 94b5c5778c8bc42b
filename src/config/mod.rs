//! What the user may set: found, read, filled in, checked.
//!
//! ```text
//! locate ──▶ tree (values with their lines) ──▶ interpolate ──▶ + environment, flags
//!                                                                    │
//!   Config  ◀── own tables, sections of the integrations  ◀── de ◀───┘
//! ```
//!
//! Every step reports all of its problems. None of them ever shows a value that
//! may be a secret, and none quotes a line of the file.

mod accept;
mod app;
mod de;
mod draft;
mod interpolate;
mod keys;
mod kinds;
mod locate;
mod own;
mod problem;
mod schema;
mod sections;
mod show;
mod surroundings;
mod tree;
mod trial;

pub use draft::{Draft, draft};
pub use kinds::{conventional, table_of};
pub use locate::{Came, Distrust, Located, Look, Place, Writable, locate};
pub use own::{Color, Console, Glyphs, History, Theme};
pub use problem::{ConfigError, Origin, Problem};
pub use schema::schema;
pub use show::Sheet;
pub use surroundings::{Surroundings, World};

use crate::{
    domain::{CheckId, Policy, Timestamp},
    engine::Override,
    integrations::Settings,
    secret::Secret,
    tui::Keymap,
};
use de::Read;
use interpolate::Source;
use kinds::{TABLES, fill_in_conventions, integrations};
use problem::why;
use sections::Wins;
use std::{
    net::SocketAddr,
    path::{Path, PathBuf},
};
use tree::{Node, Table};

/// A file longer than this is not a configuration.
const LONGEST: usize = 1024 * 1024;

/// What the command line says about things that the file may say too. It wins.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Flags {
    /// `--metrics-listen`.
    pub listen: Option<SocketAddr>,
    /// `--glyphs`.
    pub glyphs: Option<Glyphs>,
    /// `--color`.
    pub color: Option<Color>,
    /// `--theme`.
    pub theme: Option<Theme>,
}

/// Settings that are known to be usable.
#[derive(Debug)]
pub struct Config {
    /// The file that they come from, if there is one.
    pub file: Option<PathBuf>,
    /// Of each integration.
    pub integrations: Settings,
    /// What the verdict is judged by.
    pub policy: Policy,
    /// What is deployed, where somebody says how to tell.
    pub app: Option<crate::app::Settings>,
    /// What the user wants different about single checks.
    pub overrides: Vec<Override>,
    /// How the console draws.
    pub console: Console,
    /// Which keys do what there.
    pub keys: Keymap,
    /// Where `/metrics` is served, if anywhere.
    pub listen: Option<SocketAddr>,
    /// What is kept on disk.
    pub history: History,
    /// Every secret in it, for the redactor.
    pub secrets: Vec<Secret>,
    /// What is ignored or unwise, one sentence each.
    pub warnings: Vec<String>,
    /// The settings as they can be shown.
    pub sheet: Sheet,
}

/// Reads the file that was located, and the environment, and the flags.
///
/// `ids` names the checks that exist with the given settings. Nothing is
/// connected to.
///
/// # Errors
///
/// Every problem at once.
pub fn load(
    located: &Located,
    flags: &Flags,
    around: &dyn Surroundings,
    now: Timestamp,
    ids: impl FnOnce(&Settings) -> Vec<CheckId>,
) -> Result<Config, ConfigError> {
    let file = located.file().map(Path::to_owned);
    let fail = |mut problems: Vec<Problem>| {
        problems.sort();
        ConfigError { file: file.clone(), problems }
    };
    if let Some((path, why)) = located.distrusted() {
        return Err(ConfigError::distrusted(path, why));
    }
    let mut root = match &file {
        Some(path) => tree_of(path, around).map_err(fail)?,
        None => Table::new(),
    };
    let mut read = Read::default();
    let directory = file.as_deref().and_then(Path::parent).map(Path::to_owned).unwrap_or_default();
    read.problems
        .extend(interpolate::fill_in(&mut root, &Source { around, directory: directory.clone() }));
    read.problems.extend(unknown_tables(&root));
    fill_in_conventions(&mut root, around);
    put_flags(&mut root, flags);

    let integrations = integrations(&root, around, &mut read);
    let ids = ids(&integrations);
    let mut ignored = Vec::new();
    let mut policy = own::verdict(&root, &mut read);
    policy.accepted = accept::accepted(&root, &ids, now, &mut ignored);
    let app = app::app(&root, &directory, &mut read);
    let overrides = own::overrides(&root, &ids, &mut read);
    let console = own::console(&root, &mut read);
    let keys = keys::keys(&root, &mut read);
    let listen = own::listen(&root, &mut read);
    let history = own::history(&root, &mut read);
    if !read.problems.is_empty() {
        return Err(fail(read.problems));
    }
    let mut warnings: Vec<String> = located.warnings().collect();
    warnings.extend(ignored.iter().map(|problem| problem.line(file.as_deref())));
    let sheet = Sheet::new(root, read.secret_keys, read.accepted);
    warnings.extend(file.as_deref().and_then(|path| sheet.too_open(path, around)));
    let secrets = read.secrets;
    Ok(Config {
        file,
        integrations,
        policy,
        app,
        overrides,
        console,
        keys,
        listen,
        history,
        secrets,
        warnings,
        sheet,
    })
}

fn tree_of(path: &Path, around: &dyn Surroundings) -> Result<Table, Vec<Problem>> {
    let whole =
        |says: String| vec![Problem { origin: Origin::Unwritten, key: String::new(), says }];
    let bytes = around
        .read(path, LONGEST)
        .map_err(|error| whole(format!("cannot be read: {}", why(&error))))?;
    if bytes.len() > LONGEST {
        return Err(whole("is longer than 1 MiB, so it is not a configuration".into()));
    }
    let text = String::from_utf8(bytes).map_err(|error| {
        let good = error.utf8_error().valid_up_to();
        let line = error.as_bytes()[..good].split(|byte| *byte == b'\n').count();
        let says = "not UTF-8 text".into();
        vec![Problem { origin: Origin::Line(line), key: String::new(), says }]
    })?;
    tree::parse(&text)
}

fn unknown_tables(root: &Table) -> Vec<Problem> {
    let unknown = root.iter().filter(|(key, _)| !TABLES.contains(&key.as_str()));
    let problem = |(key, node): (&String, &Node)| Problem {
        origin: node.origin.clone(),
        key: key.clone(),
        says: de::not_a_key(key, TABLES),
    };
    unknown.map(problem).collect()
}

fn put_flags(root: &mut Table, flags: &Flags) {
    let mut put = |path: &[&str], flag, text: Option<String>| {
        if let Some(text) = text {
            sections::insert(root, path, Node::text(Origin::Flag(flag), text), Wins::New);
        }
    };
    let word = |value: Option<clap::builder::PossibleValue>| Some(value?.get_name().to_owned());
    let listen = flags.listen.map(|listen| listen.to_string());
    put(&["exporter", "listen"], "--metrics-listen", listen);
    let glyphs = flags.glyphs.and_then(|glyphs| clap::ValueEnum::to_possible_value(&glyphs));
    put(&["console", "glyphs"], "--glyphs", word(glyphs));
    let color = flags.color.and_then(|color| clap::ValueEnum::to_possible_value(&color));
    put(&["console", "color"], "--color", word(color));
    let theme = flags.theme.and_then(|theme| clap::ValueEnum::to_possible_value(&theme));
    put(&["console", "theme"], "--theme", word(theme));
}

#[cfg(test)]
pub(crate) mod fake;
#[cfg(test)]
mod tests;
