//! Which module may use which. The table is the architecture; this keeps it true.
#![expect(clippy::unwrap_used, reason = "a test")]

use std::{
    fs,
    path::{Path, PathBuf},
};

/// Each top-level module and the others that it may name outside its tests.
const MAY_USE: &[(&str, &[&str])] = &[
    ("stats", &[]),
    ("domain", &["stats"]),
    ("secret", &[]),
    ("nearest", &[]),
    ("contract", &[]),
    ("clock", &["domain"]),
    ("units", &["domain"]),
    ("probe", &["domain", "secret", "units"]),
    ("integrations", &["probe", "domain", "secret", "units", "clock", "contract", "stats"]),
    ("engine", &["probe", "domain", "secret"]),
    ("history", &["engine", "domain", "secret"]),
    ("app", &["engine", "probe", "domain", "secret"]),
    ("perf", &["integrations", "probe", "domain", "secret", "units", "clock", "stats"]),
    ("runs", &["probe", "domain"]),
    ("tui", &["engine", "perf", "domain", "units"]),
    ("surface", &["engine", "domain", "units", "contract"]),
    ("config", &["integrations", "app", "engine", "tui", "probe", "domain", "secret", "nearest"]),
    ("logging", &["domain", "secret"]),
];

/// What sees everything.
const TOP: &[&str] = &["cli", "start", "main", "lib"];

#[test]
fn every_module_keeps_to_its_layer() {
    let mut offences = Vec::new();
    for (module, allowed) in MAY_USE {
        for (file, text) in sources(module) {
            for other in modules().iter().filter(|other| *other != module) {
                let mentions = |path: &str| text.contains(&format!("{path}{other}::"));
                let named = mentions("crate::") || mentions("    ") || mentions("{");
                if named && !allowed.contains(&other.as_str()) {
                    offences.push(format!("{} uses {other}", file.display()));
                }
            }
        }
    }
    assert!(offences.is_empty(), "{}", offences.join("\n"));
}

#[test]
fn every_module_has_its_row() {
    for module in modules() {
        let listed = MAY_USE.iter().any(|(name, _)| *name == module);
        assert!(listed || TOP.contains(&module.as_str()), "{module} has no row in the table");
    }
}

#[test]
fn the_domain_is_plain_values() {
    for (file, code) in sources("domain") {
        for banned in
            ["tokio", "ratatui", "crossterm", "std::fs", "std::net", "Instant", "SystemTime"]
        {
            assert!(!code.contains(banned), "{} mentions {banned}", file.display());
        }
    }
}

#[test]
fn drawing_does_no_work() {
    for (file, code) in sources("tui") {
        let path = file.to_string_lossy().into_owned();
        let draws = path.contains("/view/") || path.contains("/widget/");
        for banned in ["tokio", "std::fs", "std::net", "clock::", ".await"] {
            assert!(!draws || !code.contains(banned), "{path} mentions {banned}");
        }
    }
}

#[test]
fn no_integration_uses_another() {
    let all = ["redis", "database", "monitoring", "apis", "performance", "resilience"];
    for name in all {
        for (file, code) in sources(&format!("integrations/{name}")) {
            for other in all.iter().filter(|other| **other != name) {
                let named = code.contains(&format!("integrations::{other}"));
                assert!(!named, "{} uses {other}", file.display());
            }
        }
    }
}

#[test]
fn no_file_grows_past_its_limit() {
    for file in rust_files(&src()) {
        let lines = fs::read_to_string(&file).unwrap().lines().count();
        assert!(lines <= 400, "{} has {lines} lines; 400 are enough", file.display());
    }
}

fn src() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("src")
}

/// The top-level modules, by name.
fn modules() -> Vec<String> {
    let name = |path: PathBuf| path.file_stem().unwrap().to_string_lossy().into_owned();
    fs::read_dir(src()).unwrap().map(|entry| name(entry.unwrap().path())).collect()
}

/// The files of a module and their code without the tests.
fn sources(module: &str) -> Vec<(PathBuf, String)> {
    let folder = src().join(module);
    let files =
        if folder.is_dir() { rust_files(&folder) } else { vec![folder.with_extension("rs")] };
    let tests = |file: &PathBuf| file.ends_with("tests.rs") || file.ends_with("sample.rs");
    let code = |file: PathBuf| {
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]\nmod tests {").next().unwrap_or_default().to_owned();
        (file, code)
    };
    files.into_iter().filter(|file| !tests(file)).map(code).collect()
}

fn rust_files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            found.extend(rust_files(&path));
        } else if path.extension().is_some_and(|ext| ext == "rs") {
            found.push(path);
        }
    }
    found
}
