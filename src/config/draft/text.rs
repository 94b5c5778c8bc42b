//! From clues to a file that can be used as it stands.

use super::{
    super::{Surroundings, conventional, trial::Trial},
    clues::Clues,
    compose::{Kind, Named, Service},
};
use crate::{domain::plain, integrations::apis::PROFILES};
use std::fmt::Write as _;

/// Variables with the address of a Redis, and of a database.
const REDIS: [&str; 4] = ["REDIS_URL", "VALKEY_URL", "REDIS_URI", "CACHE_URL"];
const DATABASE: [&str; 5] =
    ["DATABASE_URL", "POSTGRES_URL", "POSTGRESQL_URL", "MYSQL_URL", "DB_URL"];
/// Their passwords, where the address is made of parts.
const PASSWORDS: [&str; 4] =
    ["REDIS_PASSWORD", "POSTGRES_PASSWORD", "MYSQL_PASSWORD", "DATABASE_PASSWORD"];
/// Ports that an app usually listens on.
const APP: [u16; 6] = [3000, 4000, 5000, 8000, 8080, 8888];

const HEAD: &str = "\
#:schema ./tminus.schema.json
#
# T-minus. What is not in here has its default; `tminus config check` names everything
# that is wrong. The first line is for an editor, which then knows every key:
# tminus config schema > tminus.schema.json
";

/// Every variable that is worth a look.
pub(super) fn variables() -> impl Iterator<Item = &'static str> {
    let keys = PROFILES.iter().flat_map(|profile| profile.keys.iter().copied());
    REDIS.into_iter().chain(DATABASE).chain(PASSWORDS).chain(keys)
}

/// A line of the file.
struct Line {
    /// `key = value`.
    says: String,
    /// Where it comes from.
    because: String,
    /// What it waits for, if it cannot be used as it stands.
    waits: Option<String>,
    /// Whether it holds without being there.
    implied: bool,
}

impl Line {
    fn ready(says: String, because: String) -> Self {
        Self { says, because, waits: None, implied: false }
    }

    fn waits(says: String, because: String, waits: impl Into<String>) -> Self {
        Self { says, because, waits: Some(waits.into()), implied: false }
    }
}

/// The file, and what was looked for in vain. Whatever it sets can be used here and now.
pub(super) fn write(clues: &Clues, around: &dyn Surroundings) -> (String, Vec<String>) {
    let mut missing = Vec::new();
    let mut text = HEAD.to_owned();
    let mut table = |name: &str, mut lines: Vec<Line>, without: &str| {
        for line in lines.iter_mut().filter(|line| line.waits.is_none()) {
            let text = format!("[{name}]\n{}\n", line.says);
            let usable = Trial { text, around: Some(around) }.problems(Vec::new()).is_empty();
            line.waits = (!usable).then(|| "that cannot be used here".to_owned());
        }
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "\n[{name}]");
        if lines.is_empty() {
            let _infallible = writeln!(text, "# {without}");
            missing.push(without.to_owned());
        }
        put(&lines, &mut text);
    };
    table("redis", redis(clues), "no Redis was found: its checks run on a stand-in");
    table("database", database(clues), "no database was found: its checks run on SQLite in memory");
    table(
        "monitoring",
        monitoring(clues),
        "no Prometheus was found: only shipped files are checked",
    );
    for profile in &PROFILES {
        let without =
            format!("no key of {} was found: {}", profile.name, profile.keys.join(" or "));
        table(&format!("apis.{}", profile.word), api(clues, profile.word, profile.keys), &without);
    }
    table("performance", app(clues), "no app was found that listens: tminus watches itself");
    (text, missing)
}

/// The first line that can be used is; every other one is a comment.
fn put(lines: &[Line], text: &mut String) {
    let first = lines.iter().position(|line| line.waits.is_none());
    for (at, Line { says, because, waits, implied }) in lines.iter().enumerate() {
        let _infallible = match (waits, first == Some(at)) {
            (None, true) if *implied => {
                writeln!(text, "# {because}, and holds without this line:\n#{says}")
            }
            (Some(waits), _) => writeln!(text, "# {because}; {waits}:\n#{says}"),
            (None, true) => writeln!(text, "# {because}:\n{says}"),
            (None, false) => writeln!(text, "# {because}, too:\n#{says}"),
        };
    }
}

/// A key with a variable for its value, by whether it is set or only kept in a file.
fn of_variable(clues: &Clues, key: &str, name: &str) -> Option<Line> {
    let says = format!("{key} = \"${{{name}}}\"");
    if clues.is_set(name) {
        let implied = conventional().any(|other| other == name);
        return Some(Line { implied, ..Line::ready(says, format!("{name} is set")) });
    }
    let file = clues.kept.get(name)?;
    let waits = "to be used once that is in the environment";
    Some(Line::waits(says, format!("{file} has {name}"), waits))
}

fn redis(clues: &Clues) -> Vec<Line> {
    let mut lines: Vec<Line> =
        REDIS.iter().filter_map(|name| of_variable(clues, "url", name)).collect();
    for (service, port) in services(clues, Kind::Redis) {
        let because = format!("compose service {}", plain(&service.name, 60));
        let (user, waits) = match (service.password, clues.is_set("REDIS_PASSWORD")) {
            (false, _) => ("", None),
            (true, set) => (
                ":${REDIS_PASSWORD}@",
                (!set).then(|| "to be used once REDIS_PASSWORD is set".to_owned()),
            ),
        };
        let says = format!("url = \"redis://{user}127.0.0.1:{port}\"");
        lines.push(Line { says, because, waits, implied: false });
    }
    if lines.is_empty() && clues.ports.contains(&6379) {
        lines.push(Line::ready(
            "url = \"redis://127.0.0.1:6379\"".into(),
            "port 6379 is listened on".into(),
        ));
    }
    remark(clues, "redis", &mut lines);
    lines
}

fn database(clues: &Clues) -> Vec<Line> {
    let mut lines: Vec<Line> =
        DATABASE.iter().filter_map(|name| of_variable(clues, "url", name)).collect();
    let kinds = [
        (Kind::Postgres, "postgres", "POSTGRES_PASSWORD", "postgres", 5432),
        (Kind::MySql, "mysql", "MYSQL_PASSWORD", "root", 3306),
    ];
    for (kind, scheme, password, usual, listens) in kinds {
        for (service, port) in services(clues, kind) {
            let user = name_or(&service.user, usual, "USER");
            let name = name_or(&service.database, user, "NAME");
            let says =
                format!("url = \"{scheme}://{user}:${{{password}}}@127.0.0.1:{port}/{name}\"");
            let because = format!("compose service {}", plain(&service.name, 60));
            let unclear = [&service.user, &service.database].contains(&&Named::Unclear);
            let waits = if unclear {
                Some("to be used with its user and its name".to_owned())
            } else {
                (!clues.is_set(password)).then(|| format!("to be used once {password} is set"))
            };
            lines.push(Line { says, because, waits, implied: false });
        }
        if lines.is_empty() && clues.ports.contains(&listens) {
            let says = format!(
                "url = \"{scheme}://USER:${{DATABASE_PASSWORD}}@127.0.0.1:{listens}/NAME\""
            );
            let because = format!("port {listens} is listened on");
            lines.push(Line::waits(says, because, "to be used with its user and its name"));
        }
    }
    remark(clues, "database", &mut lines);
    lines
}

fn name_or<'a>(named: &'a Named, usual: &'a str, unclear: &'a str) -> &'a str {
    match named {
        Named::AsUsual => usual,
        Named::So(name) => name,
        Named::Unclear => unclear,
    }
}

fn monitoring(clues: &Clues) -> Vec<Line> {
    let own = services(clues, Kind::Prometheus);
    let mut lines: Vec<Line> = own
        .map(|(service, port)| {
            let because = format!("compose service {}", plain(&service.name, 60));
            Line::ready(format!("prometheus = \"http://127.0.0.1:{port}\""), because)
        })
        .collect();
    if lines.is_empty() && clues.ports.contains(&9090) {
        let says = "prometheus = \"http://127.0.0.1:9090\"".into();
        lines.push(Line::ready(says, "port 9090 is listened on".into()));
    }
    lines
}

fn api(clues: &Clues, word: &str, keys: &[&str]) -> Vec<Line> {
    let mut lines: Vec<Line> =
        keys.iter().filter_map(|name| of_variable(clues, "key", name)).collect();
    remark(clues, word, &mut lines);
    lines
}

fn app(clues: &Clues) -> Vec<Line> {
    let told = clues.port.map(|port| (port, format!(".env says PORT={port}")));
    let heard = APP.into_iter().filter(|port| clues.ports.contains(port));
    let heard = heard.map(|port| (port, format!("port {port} is listened on")));
    told.into_iter()
        .chain(heard)
        .map(|(port, because)| {
            Line::waits(
                format!("port = {port}"),
                because,
                "if that is the app, the process to watch",
            )
        })
        .collect()
}

/// A library that is used, where nothing says which server it talks to.
fn remark(clues: &Clues, meaning: &str, lines: &mut Vec<Line>) {
    let key = if matches!(meaning, "redis" | "database") { "url" } else { "key" };
    if let Some(says) = clues.used.get(meaning).filter(|_| lines.is_empty()) {
        let example = match meaning {
            "redis" => "REDIS_URL",
            "database" => "DATABASE_URL",
            other => PROFILES.iter().find(|it| it.word == other).map_or("NAME", |it| it.keys[0]),
        };
        let line = format!("{key} = \"${{{example}}}\"");
        lines.push(Line::waits(line, says.clone(), format!("to be used once {example} is set")));
    }
}

fn services(clues: &Clues, kind: Kind) -> impl Iterator<Item = (&Service, u16)> {
    let own = clues.services.iter().filter(move |service| service.kind == Some(kind));
    own.filter_map(|service| Some((service, service.port?)))
}
