//! What lies around: variables, `.env`, compose files, manifests, sockets that listen.

use super::{
    super::Surroundings,
    compose::{self, Service},
};
use crate::domain::plain;
use std::{
    collections::{BTreeMap, BTreeSet},
    path::Path,
};

/// Bytes that are read of a file.
const LONGEST: usize = 256 * 1024;
/// Characters that are told of a name.
const NAME: usize = 60;
/// Where variables are kept for a project.
const ENV_FILES: [&str; 3] = [".env", ".env.local", ".env.development"];
/// Where services are described.
const COMPOSE_FILES: [&str; 4] =
    ["compose.yaml", "compose.yml", "docker-compose.yaml", "docker-compose.yml"];
/// Where libraries are named.
const MANIFESTS: [&str; 8] = [
    "package.json",
    "pyproject.toml",
    "requirements.txt",
    "Cargo.toml",
    "go.mod",
    "Gemfile",
    "composer.json",
    "pom.xml",
];
/// Libraries, and what their use means for us.
pub(super) const LIBRARIES: [(&str, &str); 14] = [
    ("ioredis", "redis"),
    ("redis", "redis"),
    ("go-redis", "redis"),
    ("pg", "database"),
    ("psycopg", "database"),
    ("asyncpg", "database"),
    ("sqlx", "database"),
    ("mysql2", "database"),
    ("openai", "openai"),
    ("google-genai", "google"),
    ("@google/genai", "google"),
    ("google-generativeai", "google"),
    ("octokit", "github"),
    ("letta-client", "letta"),
];
/// How the kernel writes that a socket listens.
const LISTENS: &str = "0A";

/// Everything that was found.
#[derive(Debug, Default)]
pub(super) struct Clues {
    /// Variables that are set, of those that are worth a look.
    set: BTreeSet<&'static str>,
    /// Variables that a file would set, and which file.
    pub(super) kept: BTreeMap<String, &'static str>,
    /// The port that the app is told to listen on.
    pub(super) port: Option<u16>,
    /// What compose files describe.
    pub(super) services: Vec<Service>,
    /// What a library in a manifest means for us, and what to say about it.
    pub(super) used: BTreeMap<&'static str, String>,
    /// Ports that somebody listens on here.
    pub(super) ports: BTreeSet<u16>,
    /// What to say about all of it.
    pub(super) found: Vec<String>,
}

impl Clues {
    pub(super) fn gather(around: &dyn Surroundings) -> Self {
        let mut clues = Self { ports: listening(around), ..Self::default() };
        let folder = around.directory().unwrap_or_default();
        for file in ENV_FILES {
            if let Some(text) = text(&folder.join(file), around) {
                clues.env_file(file, &text);
            }
        }
        for file in COMPOSE_FILES {
            if let Some(text) = text(&folder.join(file), around) {
                clues.compose_file(file, &text);
            }
        }
        for file in MANIFESTS {
            if let Some(text) = text(&folder.join(file), around) {
                clues.manifest(file, &text);
            }
        }
        let filled = |name: &&str| around.variable(name).is_some_and(|value| !value.is_empty());
        clues.set = super::text::variables().filter(filled).collect();
        clues.found.extend(clues.set.iter().map(|name| format!("{name} is set")));
        clues
    }

    /// Whether that variable is set.
    pub(super) fn is_set(&self, name: &str) -> bool {
        self.set.contains(name)
    }

    /// Takes note of the names, and of no value but that of PORT.
    fn env_file(&mut self, file: &'static str, text: &str) {
        let mut names = 0_usize;
        for line in text.lines() {
            let line = line.trim().trim_start_matches("export ");
            let Some((name, value)) = line.split_once('=').filter(|(name, _)| is_name(name)) else {
                continue;
            };
            names += 1;
            if name == "PORT" {
                self.port = self.port.or_else(|| value.trim_matches(['"', '\'']).parse().ok());
            }
            self.kept.entry(name.to_owned()).or_insert(file);
        }
        let noun = if names == 1 { "variable" } else { "variables" };
        self.found.push(format!("{file} names {names} {noun}"));
    }

    fn compose_file(&mut self, file: &str, text: &str) {
        match compose::read(text) {
            Some(services) => {
                let names: Vec<String> =
                    services.iter().map(|service| plain(&service.name, NAME)).collect();
                self.found.push(format!("{file} describes {}", names.join(", ")));
                self.services.extend(services);
            }
            None => self.found.push(format!("{file} cannot be read as a compose file")),
        }
    }

    fn manifest(&mut self, file: &str, text: &str) {
        let part = |c: char| c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '@' | '/');
        let words: BTreeSet<&str> = text.split(|c| !part(c)).collect();
        let known = LIBRARIES.iter().filter(|(library, _)| {
            words.contains(library)
                || words.iter().any(|word| word.ends_with(&format!("/{library}")))
        });
        let known: Vec<&(&str, &str)> = known.collect();
        for (library, meaning) in &known {
            self.used.entry(meaning).or_insert_with(|| format!("{file} uses {library}"));
        }
        let names: Vec<&str> = known.iter().map(|(library, _)| *library).collect();
        let says =
            if names.is_empty() { "nothing that is watched".into() } else { names.join(", ") };
        self.found.push(format!("{file} uses {says}"));
    }
}

fn is_name(text: &str) -> bool {
    let part = |c: char| c.is_ascii_alphanumeric() || c == '_';
    !text.is_empty() && text.chars().all(part)
}

/// A file's text, if it is one and not too long.
fn text(path: &Path, around: &dyn Surroundings) -> Option<String> {
    let bytes = begin(path, around).filter(|bytes| bytes.len() <= LONGEST)?;
    String::from_utf8(bytes).ok()
}

/// How a file begins. Of a pipe nobody knows whether it ever does.
fn begin(path: &Path, around: &dyn Surroundings) -> Option<Vec<u8>> {
    around.look(path).filter(|look| look.regular)?;
    around.read(path, LONGEST).ok()
}

/// The ports that somebody listens on, as Linux tells them, these first; none elsewhere.
fn listening(around: &dyn Surroundings) -> BTreeSet<u16> {
    let tables = ["/proc/net/tcp", "/proc/net/tcp6"].map(Path::new);
    let begins = tables.iter().filter_map(|path| begin(path, around));
    let texts = begins.map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    texts.flat_map(|text| text.lines().filter_map(port).collect::<Vec<_>>()).collect()
}

fn port(line: &str) -> Option<u16> {
    let mut fields = line.split_ascii_whitespace().skip(1);
    let (_, port) = fields.next()?.rsplit_once(':')?;
    let listens = fields.nth(1)? == LISTENS;
    u16::from_str_radix(port, 16).ok().filter(|_| listens)
}
