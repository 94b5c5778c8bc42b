//! What is deployed: how its version is read, and what counts after a change.

use crate::{CANARY, Home, Ran};
use serde_json::Value;
use std::{fs, process::Command};

/// The history of a home, asked in SQL by nobody: only through the program.
fn check(home: &Home, line: &str) -> (i32, Value, String) {
    let ran = home.run(&format!("check resilience --format json {line}"));
    (ran.code, serde_json::from_str(&ran.out).unwrap_or_default(), ran.err)
}

fn app(home: &Home, version: &str) {
    fs::write(home.file().with_file_name("VERSION"), version).unwrap();
}

fn of_file() -> Home {
    Home::with("[app]\nname = \"api\"\nversion = { file = \"VERSION\" }\n")
}

#[test]
fn a_change_of_version_is_a_deploy_and_holds_until_it_has_settled() {
    let home = of_file();
    app(&home, "1\n");
    let (code, first, _) = check(&home, "");
    assert_eq!((code, &first["app"]["version"], &first["deploy"]), (0, &"1".into(), &Value::Null));
    assert_eq!(check(&home, "").0, 0, "the same version is no deploy");
    app(&home, "2\n");
    let (code, deployed, _) = check(&home, "");
    assert_eq!((code, &deployed["verdict"]["rule"]), (3, &3.into()));
    assert_eq!(deployed["verdict"]["reason"], "settling for 5m after the deploy");
    assert_eq!(
        (&deployed["deploy"]["version"], &deployed["deploy"]["was"]),
        (&"2".into(), &"1".into())
    );
    let (code, later, _) = check(&home, "");
    assert_eq!((code, &later["deploy"]), (3, &deployed["deploy"]), "the next session knows");
    assert_eq!(check(&home, "--settle 0s").0, 0);
    let (code, waited, _) = check(&home, "--settle 1s --wait 1m");
    assert_eq!((code, &waited["verdict"]["word"]), (0, &"GO".into()));
}

#[test]
fn somebody_says_since_when_evidence_counts() {
    let home = of_file();
    app(&home, "1");
    let hold = "settling for 5m after the deploy";
    let (code, now, err) = check(&home, "--since now");
    assert_eq!((code, &now["verdict"]["reason"]), (3, &hold.into()));
    assert!(err.contains("the settle time of 5m00s is not over by then"), "{err}");
    assert_eq!(now["deploy"]["version"], "1");
    let (code, _, err) = check(&home, "--since 10m");
    assert_eq!((code, err.as_str()), (0, ""), "that deploy has settled");
    assert_eq!(check(&home, "--since 2026-01-01T00:00:00Z").0, 0);
    assert_eq!(check(&home, "--since now --settle 0s").0, 0);
    let (code, since, _) = check(&home, "--since deploy");
    let at = |document: &Value| document["deploy"]["at"].clone();
    assert_eq!(code, 3);
    assert!(at(&since).as_str() >= at(&now).as_str(), "{since}");
    let (_, same, _) = check(&home, "--since 1");
    assert_eq!(at(&same), at(&since), "by its version");
    assert_eq!(home.run("baseline save before-v2 resilience").code, 0);
    assert_eq!(check(&home, "--since before-v2").0, 3);
    for (when, says) in [
        ("before-v3", "did you mean before-v2?"),
        ("3000-01-01T00:00:00Z", "is still to come"),
        ("soon", "is no moment, version or baseline"),
    ] {
        let (code, _, err) = check(&home, &format!("--since {when}"));
        assert!(code == 2 && err.contains(says), "{when}: {err}");
    }
    let none = Home::new().run("check resilience --since deploy");
    assert!(none.code == 2 && none.err.contains("none is in the history"), "{}", none.err);
}

#[test]
fn a_version_that_cannot_be_read_is_told_and_stops_nothing() {
    let cases = [
        ("file = \"VERSION\"", "VERSION: it is not there"),
        ("command = \"none-such --version\"", "none-such: there is no such program"),
        ("command = [\"sh\", \"-c\", \"echo no tag >&2; exit 7\"]", "sh: it ended with 7: no tag"),
        ("command = \"yes 0123456789abcdef\"", "yes: it prints more than 4 KiB"),
        ("command = [\"printf\", \"v1\\\\033[2J\"]", "printf: it holds characters that cannot be"),
        ("command = \"true\"", "true: it is empty"),
        ("url = \"http://u:hunter2@127.0.0.1:1/?k=hunter2\"", "connection refused by 127.0.0.1:1"),
    ];
    for (source, says) in cases {
        let home = Home::with(&format!("[app]\nname = \"api\"\nversion = {{ {source} }}\n"));
        let ran = home.run("check resilience");
        assert_eq!(ran.code, 0, "{source}");
        let note = ran.out.lines().find(|line| line.contains("the version of api")).unwrap();
        assert!(note.contains(says), "{source}: {note}");
        assert!(!ran.out.contains('\u{1b}') && !ran.out.contains(CANARY), "{source}: {}", ran.out);
    }
}

#[test]
fn a_program_of_the_users_sees_no_secret_and_its_own_folder() {
    let script = "env > seen; pwd > here; echo v1";
    let home =
        Home::with(&format!("[app]\nversion = {{ command = [\"sh\", \"-c\", \"{script}\"] }}\n"));
    let mut command = home.command("check resilience --format json");
    command.env("REDIS_URL", "redis://u:hunter2@127.0.0.1:1").env("KEPT", "yes");
    command.env("OPENAI_API_KEY", "sk-hunter2");
    let ran = Ran::of(command.output().unwrap(), &home);
    assert_eq!(ran.code, 0, "{}", ran.err);
    let read = |name: &str| fs::read_to_string(home.file().with_file_name(name)).unwrap();
    assert!(
        read("seen").contains("KEPT=yes") && !read("seen").contains(CANARY),
        "{}",
        read("seen")
    );
    assert!(read("here").trim_end().ends_with("/work"), "{}", read("here"));
}

#[test]
fn a_command_that_hangs_holds_nothing_up_and_leaves_nothing_behind() {
    let home = Home::with("[app]\nversion = { command = [\"sh\", \"-c\", \"sleep 98765\"] }\n");
    let ran = home.run("check resilience");
    assert_eq!(ran.code, 0, "{}", ran.err);
    assert!(ran.out.contains("does not end within 5s"), "{}", ran.out);
    let left = Command::new("ps").args(["-eo", "args"]).output().unwrap();
    let left = String::from_utf8_lossy(&left.stdout).into_owned();
    assert!(!left.lines().any(|line| line.contains("sleep 98765")), "{left}");
}
