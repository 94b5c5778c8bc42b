//! A corpus with one rule in each file, and the promise that no text ever holds a secret.

use super::{fake::Fake, *};
use crate::{
    integrations,
    probe::{Integration, Safety},
};
use insta::{assert_snapshot, with_settings};
use proptest::prelude::*;
use std::{fmt::Write as _, fs, sync::Arc};
use tokio::runtime::{Builder, Runtime};

/// When every file of the corpus is read.
const NOW: Timestamp = Timestamp(1_795_400_000_000);
/// Part of every secret in the corpus.
const CANARY: &str = "hunter2";
/// Where every file of the corpus is said to be.
const FILE: &str = "/srv/app/tminus.toml";

/// Some integrations want a runtime to be built in.
fn runtime() -> Runtime {
    Builder::new_current_thread().enable_all().build().unwrap()
}

fn ids(settings: &Settings) -> Vec<CheckId> {
    let all = integrations::all(settings.clone(), Safety::default());
    let ids = |it: &Arc<dyn Integration>| {
        let id = it.id().clone();
        it.checks().into_iter().map(move |spec| id.check(&spec.name))
    };
    all.iter().flat_map(ids).collect()
}

/// A world with that file; its first comments name variables and further files.
fn around(text: &str) -> Fake {
    let plain = Fake::default().directory("/srv/app").file(FILE, text);
    text.lines().fold(plain, |around, line| {
        let said = |word| line.strip_prefix(word)?.split_once('=');
        match (said("# env "), said("# file ")) {
            (Some((name, value)), _) => around.variable(name, value),
            (_, Some((path, value))) => around.file(path, &format!("{value}\n")),
            (None, None) => around,
        }
    })
}

fn load_text(text: &str) -> Result<Config, ConfigError> {
    let around = around(text);
    let _entered = runtime().enter();
    load(&locate(None, &around), &Flags::default(), &around, NOW, ids)
}

/// Each file of a folder of the corpus, with what `tell` says of it.
fn corpus(folder: &str, tell: impl Fn(&str) -> String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/fixtures/config").join(folder);
    let mut files: Vec<PathBuf> =
        fs::read_dir(&path).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.retain(|file| file.extension().is_some_and(|it| it == "toml"));
    files.sort();
    assert!(files.len() > 10, "the corpus is not where it was: {}", path.display());
    for file in files {
        let told = tell(&fs::read_to_string(&file).unwrap());
        assert!(!told.contains(CANARY), "{} gives a secret away:\n{told}", file.display());
        let name = file.file_stem().unwrap().to_string_lossy().into_owned();
        with_settings!({
            snapshot_path => &path, prepend_module_to_snapshot => false, omit_expression => true
        }, { assert_snapshot!(name, told) });
    }
}

#[test]
fn every_wrong_file_is_answered_with_every_problem_in_it() {
    corpus("invalid", |text| load_text(text).unwrap_err().to_string());
}

#[test]
fn every_right_file_means_what_it_shows() {
    corpus("valid", |text| {
        let config = load_text(text).unwrap();
        let mut told = config.sheet.show(config.file.as_deref());
        // Writing to a String cannot fail.
        let _infallible = writeln!(told, "\n{:?} {:?}", config.console, config.listen);
        let History { off, path, url, max_age, max_bytes } = &config.history;
        if config.sheet.show(None).contains("[history]") {
            let _infallible =
                writeln!(told, "history {off} {path:?} {url:?} {max_age:?} {max_bytes}");
        }
        let Policy { min_coverage, min_score, accepted, .. } = &config.policy;
        let _infallible = writeln!(told, "coverage {min_coverage}, score {min_score:?}");
        if let Some(app) = &config.app {
            let _infallible = writeln!(told, "{app:?}, settles {:?}", config.policy.settle);
        }
        for change in &config.overrides {
            let _infallible = writeln!(told, "{change:?}");
        }
        for one in accepted {
            let _infallible = writeln!(told, "{one:?}");
        }
        for warning in &config.warnings {
            let _infallible = writeln!(told, "warning: {warning}");
        }
        told
    });
}

#[test]
fn every_secret_that_is_read_is_known_to_the_redactor() {
    for text in ["[redis]\nurl = 'redis://:hunter2@h'", "[apis.openai]\nkey = 'hunter2'"] {
        let config = load_text(text).unwrap();
        let mut told = format!("it said {CANARY}");
        crate::secret::Redactor::new(&config.secrets).scrub(&mut told);
        assert!(!told.contains(CANARY), "{text}: {told}");
        assert!(!format!("{config:?}").contains(CANARY), "{text}");
    }
}

#[test]
fn a_flag_wins_over_the_file() {
    let around = around("[exporter]\nlisten = '127.0.0.1:1'\n[console]\ncolor = 'always'");
    let listen = "127.0.0.1:2".parse().unwrap();
    let flags = Flags { listen: Some(listen), color: Some(Color::Never), ..Flags::default() };
    let config = load(&locate(None, &around), &flags, &around, NOW, |_| Vec::new()).unwrap();
    assert_eq!((config.listen, config.console.color), (Some(listen), Color::Never));
    assert!(config.sheet.show(None).contains("# --metrics-listen"), "{:?}", config.sheet);
}

#[test]
fn a_file_that_cannot_be_read_is_one_sentence() {
    let read = |flag: &str, around: &Fake| {
        let located = locate(Some(Path::new(flag)), around);
        let loaded = load(&located, &Flags::default(), around, NOW, |_| Vec::new());
        loaded.unwrap_err().to_string()
    };
    let none = Fake::default();
    assert_eq!(read("/none.toml", &none), "/none.toml: cannot be read: it does not exist");
    let large = Fake::default().file("/large.toml", &"#".repeat(LONGEST + 1));
    assert!(read("/large.toml", &large).contains("longer than 1 MiB"));
}

#[test]
fn a_secret_that_others_can_read_is_warned_of() {
    let writable = Writable::ByOwner;
    let look = Look { regular: true, owner: 1000, link: None, writable, readable_by_others: true };
    let warnings = |text: &str| {
        let around = around(text).with(FILE, look, text);
        let loaded = load(&locate(None, &around), &Flags::default(), &around, NOW, |_| Vec::new());
        loaded.unwrap().warnings
    };
    let spelt_out = warnings("[redis]\nurl = 'redis://:hunter2@cache'");
    assert_eq!(spelt_out.len(), 1, "{spelt_out:?}");
    assert!(spelt_out[0].contains("redis.url") && !spelt_out[0].contains(CANARY), "{spelt_out:?}");
    for harmless in [
        "[redis]\nurl = 'redis://cache'",
        "# env REDIS_PASSWORD=hunter2\n[redis]\nurl = 'redis://:${REDIS_PASSWORD}@cache'",
        "[redis]\nwrites = true",
    ] {
        assert_eq!(warnings(harmless), [""; 0], "{harmless}");
    }
}

/// The example that ships, with every key in it set.
fn example() -> (String, String) {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("assets/config.example.toml");
    let text = fs::read_to_string(path).unwrap();
    let set = |line: &str| match line.strip_prefix('#') {
        Some(key) if key.starts_with(|c: char| c.is_ascii_lowercase()) => format!("{key}\n"),
        _ => format!("{line}\n"),
    };
    (text.lines().map(set).collect(), text)
}

#[test]
fn the_example_sets_nothing_and_its_keys_are_those_that_exist() {
    let (set, as_it_ships) = example();
    let nothing = load_text(&as_it_ships).unwrap();
    for kind in ["redis", "database", "monitoring", "apis", "performance"] {
        assert_eq!(nothing.sheet.sources(kind, None), [""; 0], "{kind}");
    }
    let variables = ["REDIS_PASSWORD", "DATABASE_PASSWORD", "OPENAI_API_KEY", "LETTA_API_KEY"];
    let around = variables.into_iter().chain(["GITHUB_TOKEN"]).fold(
        Fake::default().directory("/srv/app").file(FILE, &set).file("/run/secrets/google", "k"),
        |around, name| around.variable(name, "some-value"),
    );
    let _entered = runtime().enter();
    let config = load(&locate(None, &around), &Flags::default(), &around, NOW, ids);
    let shown = config.unwrap().sheet.show(None);
    let unset: Vec<&str> = shown.lines().filter(|line| line.starts_with("# default")).collect();
    // Names are for several instances, and of several ways to name a process or a place
    // one is enough.
    let expected = [
        "# default: name, sentinels, master, sentinel_user, sentinel_password",
        "# default: name",
        "# default: pid, name",
        "# default: file, url, header, pointer",
        "# default: url",
    ];
    assert_eq!(unset, expected, "{shown}");
}

/// A file in which every text is a secret, or next to one.
const LADEN: &str = "\
[redis]
url = \"redis://hunter2:hunter2@hunter2:6379/0\"
ping_limit = \"10ms\"
[monitoring]
prometheus = \"http://hunter2:hunter2@prom\"
[apis.openai]
key = \"hunter2\"
url = \"https://gateway.example\"
[[api]]
name = \"eu\"
provider = \"openai\"
key = \"hunter2\"
[console]
color = \"auto\"
";

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]
    #[test]
    fn no_slip_of_the_pen_makes_a_message_give_a_secret_away(
        at in 0_usize..LADEN.len(),
        put in prop::sample::select(vec!["", "\"", "\n", "=", "[", "]", "#", "x", "$", "${", "{", "\\"]),
        gone in 0_usize..12,
    ) {
        let end = (at + gone).min(LADEN.len());
        let text = format!("{}{put}{}", &LADEN[..at], &LADEN[end..]);
        // What is typed where a name belongs is a name, and is shown as one.
        let names_it = text.lines().any(|line| {
            line.split('=').next().is_some_and(|key| key.contains(CANARY)) || line.starts_with('[') && line.contains(CANARY)
        });
        if let Err(error) = load_text(&text) {
            prop_assert!(names_it || !error.to_string().contains(CANARY), "{error}\n{text}");
        }
    }
}
