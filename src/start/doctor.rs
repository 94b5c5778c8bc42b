use super::{Failure, Session, console::options, print, trace};
use crate::{
    app::Source,
    cli::{Doctor, Global, ListFormat},
    clock,
    config::{Config, Surroundings as _, World, conventional, locate},
    domain::{KnownRun, plain},
    history::{Archive, Condition, Place},
    integrations::Settings,
    runs::Runs,
    secret::Secret,
    surface::{
        doctor::{self, Level, Line, Screen},
        gate,
    },
    tui, units,
};
use futures_util::future::join_all;
use rustix::{
    fs::{Access, access},
    process::{Resource, getrlimit},
    termios::tcgetwinsize,
};
use std::{collections::BTreeSet, fs, io, net::IpAddr, path::Path, time::Duration};
use tokio::{net::lookup_host, time::timeout};
use url::Url;

/// Schemes of addresses that lead nowhere but to this machine's files.
const OF_THIS_MACHINE: [&str; 3] = ["sqlite", "unix", "file"];
/// The longest that a name may take.
const PATIENCE: Duration = Duration::from_secs(3);
/// Characters shown of a path or a name.
const NAME: usize = 120;

/// `tminus doctor`: what of this machine may trouble the console. Asks name servers, and
/// connects to nothing else.
pub(super) async fn run(global: &Global, asked: &Doctor) -> Result<u8, Failure> {
    let session = Session::read(global);
    let mut lines = configuration(global, session.as_ref());
    lines.extend(state());
    let runs = match &session {
        Ok(session) => history(session, &mut lines).await,
        Err(_) => Vec::new(),
    };
    lines.extend(doctor::screen(&screen(session.as_ref().ok())));
    lines.push(variables());
    lines.push(doctor::clock(clock::now(), doctor::latest(&runs)));
    lines.push(doctor::descriptors(limits()));
    lines.extend(strays());
    if let Ok(session) = &session {
        lines.extend(names(&session.config).await);
    }
    let mut text = match asked.format {
        ListFormat::Human => doctor::human(&lines),
        ListFormat::Json => doctor::json(&lines),
    };
    if let Ok(session) = &session {
        session.redactor.scrub(&mut text);
    }
    print(&text)?;
    let fails = lines.iter().any(|line| line.level == Level::Fail);
    Ok(match (session, fails) {
        (Err(_), _) => gate::UNUSABLE,
        (Ok(_), true) => gate::NO_GO,
        (Ok(_), false) => gate::GO,
    })
}

fn configuration(global: &Global, session: Result<&Session, &Failure>) -> Vec<Line> {
    const ABOUT: &str = "configuration";
    let located = locate(global.config.as_deref(), &World);
    let file = located.file().map(shown);
    match session {
        Err(failure) => {
            let why = failure.why.iter();
            why.map(|why| Line::fail(ABOUT, why, "correct it, then `tminus config check`"))
                .collect()
        }
        Ok(session) => {
            let says = file.map_or_else(
                || "no file: the environment and the defaults hold".into(),
                |file| format!("{file} is usable"),
            );
            let warnings = session
                .warnings
                .iter()
                .map(|says| Line::warn(ABOUT, says, "`tminus config check` says what holds"));
            [Line::ok(ABOUT, says)].into_iter().chain(warnings).collect()
        }
    }
}

/// Where the log, the history and the entries of runs are.
fn state() -> Option<Line> {
    const ABOUT: &str = "state";
    let Some(folder) = trace::state() else {
        let remedy = "set HOME or XDG_STATE_HOME: without, nothing is kept";
        return Some(Line::warn(ABOUT, "there is no state directory", remedy));
    };
    let there = folder.ancestors().find(|folder| folder.exists())?;
    let path = shown(&folder);
    let may = access(there, Access::WRITE_OK | Access::EXEC_OK).map_err(io::Error::from);
    let why = match may {
        _ if !there.is_dir() => format!("{} is not a directory", shown(there)),
        Err(error) => error.kind().to_string(),
        Ok(()) if there == folder => {
            return Some(Line::ok(ABOUT, format!("{path} can be written to")));
        }
        Ok(()) => return Some(Line::ok(ABOUT, format!("{path} is made when it is needed"))),
    };
    let remedy = format!("let this user write to {}, or set XDG_STATE_HOME", shown(there));
    Some(Line::fail(ABOUT, format!("{path} cannot be written to: {why}"), remedy))
}

/// How the history is; returns the runs that it knows.
async fn history(session: &Session, lines: &mut Vec<Line>) -> Vec<KnownRun> {
    const ABOUT: &str = "history";
    let Some(place) = session.history_place() else {
        lines.push(Line::ok(ABOUT, "off: nothing is kept"));
        return Vec::new();
    };
    lines.extend(place.file().map(put_aside).into_iter().flatten());
    if !place.is_there() {
        lines.push(Line::ok(ABOUT, format!("{place} is made when it is needed")));
        return Vec::new();
    }
    match examined(&place).await {
        Ok((condition, runs)) => {
            lines.push(kept(&place, &condition, session.config.history.max_bytes));
            runs
        }
        Err(why) => {
            let says = format!("{place} cannot be read: {why}");
            let remedy = match place {
                Place::File(_) => "the next start puts a damaged file aside and begins anew",
                Place::Shared(_) => "look at the server, and at the role that `url` names",
            };
            lines.push(Line::fail(ABOUT, says, remedy));
            Vec::new()
        }
    }
}

async fn examined(place: &Place) -> Result<(Condition, Vec<KnownRun>), String> {
    let mut archive = Archive::open(place).await?;
    Ok((archive.condition().await?, archive.runs().await?))
}

fn kept(place: &Place, condition: &Condition, most: u64) -> Line {
    const ABOUT: &str = "history";
    let Condition { bytes, runs, oldest, damage } = condition;
    if let Some(damage) = damage {
        let says = format!("{place} is damaged: {}", plain(damage, NAME));
        return Line::fail(ABOUT, says, "move it away; the next start begins a new one");
    }
    let since = oldest.map(|at| format!(" since {}", units::moment(at))).unwrap_or_default();
    let noun = if *runs == 1 { "run" } else { "runs" };
    let says = format!("{}, {runs} {noun}{since}, whole", units::bytes(*bytes));
    if *bytes > most {
        let remedy = "leave the console open for a minute: it trims; or raise max_size_mib";
        return Line::warn(ABOUT, format!("{says}; {} are allowed", units::bytes(most)), remedy);
    }
    Line::ok(ABOUT, says)
}

/// Files that were put aside because they could not be used.
fn put_aside(path: &Path) -> Vec<Line> {
    let name = path.file_name().map(|name| name.to_string_lossy().into_owned()).unwrap_or_default();
    let folder = path.parent().map(fs::read_dir).into_iter().flatten().flatten().flatten();
    let aside = folder.filter_map(|entry| entry.file_name().into_string().ok()).filter(|other| {
        let rest = other.strip_prefix(&name).unwrap_or_default();
        let word = |word: &str| rest.starts_with(&format!(".{word}-"));
        ["damaged", "foreign", "newer"].into_iter().any(word)
            && !rest.ends_with("-wal")
            && !rest.ends_with("-shm")
    });
    let line = |other: String| {
        let says = format!("{} was put aside", plain(&other, NAME));
        Line::warn("history", says, "look whether you need it, then remove it")
    };
    aside.map(line).collect()
}

fn limits() -> [Option<u64>; 2] {
    let limit = getrlimit(Resource::Nofile);
    [limit.current, limit.maximum]
}

/// Which of the conventional variables are set.
fn variables() -> Line {
    let set: Vec<&str> = conventional()
        .filter(|name| World.variable(name).is_some_and(|value| !value.is_empty()))
        .collect();
    let says = match set.as_slice() {
        [] => "no address and no key is set".to_owned(),
        set => format!("{} {} set", set.join(", "), if set.len() == 1 { "is" } else { "are" }),
    };
    Line::ok("environment", says)
}

fn screen(session: Option<&Session>) -> Screen {
    let detected = || tui::Options::detect(|name| World.variable(name));
    let look = session.map_or_else(detected, options).look;
    let size = tcgetwinsize(io::stdout()).ok().map(|size| [size.ws_col, size.ws_row]);
    Screen {
        size: size.filter(|[columns, rows]| *columns > 0 && *rows > 0),
        term: World.variable("TERM").map(|term| plain(&term, NAME)),
        unicode: look.glyphs == tui::Glyphs::UNICODE,
        colors: look.palette != tui::Palette::Plain,
    }
}

/// Runs that were killed.
fn strays() -> Option<Line> {
    let known = trace::runs().as_ref().map(Runs::known)?;
    Some(known.map_or_else(
        |error| {
            Line::warn(
                "runs",
                format!("their entries cannot be read: {}", error.kind()),
                "tminus clean",
            )
        },
        |known| doctor::strays(known.dead.len(), known.living.len()),
    ))
}

/// Whether the hosts of configured targets have addresses.
async fn names(config: &Config) -> Vec<Line> {
    const ABOUT: &str = "names";
    let hosts = hosts(&addresses(config));
    if hosts.is_empty() {
        return vec![Line::ok(ABOUT, "no target needs a name server")];
    }
    join_all(hosts.iter().map(|host| resolved(host))).await
}

async fn resolved(host: &str) -> Line {
    const ABOUT: &str = "names";
    let name = plain(host, NAME);
    let remedy = format!("correct {name} in the configuration, or this host's name server");
    match timeout(PATIENCE, lookup_host((host, 0))).await {
        Ok(Ok(found)) => {
            let count = found.map(|it| it.ip()).collect::<BTreeSet<IpAddr>>().len();
            let noun = if count == 1 { "address" } else { "addresses" };
            Line::ok(ABOUT, format!("{name} has {count} {noun}"))
        }
        Ok(Err(_)) => Line::fail(ABOUT, format!("{name} has no address"), remedy),
        Err(_) => {
            let says = format!("no answer about {name} within {}", units::span(PATIENCE));
            Line::fail(ABOUT, says, remedy)
        }
    }
}

/// The addresses of everything that is configured.
fn addresses(config: &Config) -> Vec<&str> {
    let Settings { redis, database, monitoring, apis, api, performance, .. } = &config.integrations;
    let mut secret: Vec<&Secret> = Vec::new();
    let mut plain: Vec<&str> = Vec::new();
    for settings in redis.iter().map(|it| &it.settings) {
        // Beside sentinels the host of the address is the name of a master.
        secret.extend(settings.url.as_ref().filter(|_| settings.sentinels.is_empty()));
        plain.extend(settings.sentinels.iter().map(String::as_str));
    }
    secret.extend(database.iter().filter_map(|it| it.settings.url.as_ref()));
    secret.extend(monitoring.iter().filter_map(|it| it.settings.prometheus.as_ref()));
    secret.extend(performance.iter().filter_map(|it| it.settings.url.as_ref()));
    if let Some(Source::Url { url, .. }) = config.app.as_ref().map(|app| &app.source) {
        secret.push(url);
    }
    plain.extend(api.iter().filter_map(|it| it.settings.url.as_deref()));
    for it in apis.iter().map(|it| &it.settings) {
        let own = [&it.openai, &it.google, &it.letta, &it.github];
        plain.extend(own.into_iter().filter_map(|it| it.url.as_deref()));
    }
    plain.extend(secret.into_iter().map(Secret::expose));
    plain
}

/// The hosts among addresses that a name server has to know.
fn hosts(addresses: &[&str]) -> BTreeSet<String> {
    let named = |host: &String| {
        let is_address = host.trim_matches(['[', ']']).parse::<IpAddr>().is_ok();
        !host.is_empty() && host != "localhost" && !is_address
    };
    let mut hosts = BTreeSet::new();
    for address in addresses {
        let (scheme, rest) = address.split_once("://").unwrap_or(("", address));
        if !OF_THIS_MACHINE.contains(&scheme) {
            let authority = rest.split(['/', '?', '#']).next().unwrap_or_default();
            let authority = authority.rsplit_once('@').map_or(authority, |(_, host)| host);
            // Of sentinels there may be several.
            let parsed = authority.split(',').filter_map(|host| {
                Url::parse(&format!("redis://{host}")).ok()?.host_str().map(str::to_lowercase)
            });
            hosts.extend(parsed.filter(named));
        }
    }
    hosts
}

fn shown(path: &Path) -> String {
    plain(&path.display().to_string(), NAME)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_server_is_asked_for_names_alone() {
        let found = hosts(&[
            "redis://:p@ss@Cache-1:6379/0",
            "redis-sentinel://u:p@s-1:26379,s-2:26379,10.0.0.3:26379/mymaster/0",
            "s-4:26379",
            "postgres://u:p@db.example/app?host=x",
            "http://127.0.0.1:9090",
            "http://[::1]:9090/x",
            "http://localhost/",
            "sqlite://app.db",
            "unix:///run/redis.sock",
            "postgres:///app",
            "",
        ]);
        let expected = ["cache-1", "db.example", "s-1", "s-2", "s-4"];
        assert_eq!(found.iter().map(String::as_str).collect::<Vec<_>>(), expected);
    }
}
