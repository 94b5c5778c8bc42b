//! What of this machine may trouble the console.

use super::*;

/// What `doctor` says of one thing.
#[track_caller]
fn line<'a>(ran: &'a Ran, about: &str) -> &'a str {
    let about = format!("  {about} ");
    let found = ran.out.lines().find(|line| line.contains(&about));
    found.unwrap_or_else(|| panic!("{about} is not in\n{}", ran.out))
}

#[test]
fn it_finds_what_is_wrong_makes_nothing_and_tells_no_secret() {
    let home = Home::with(
        "[redis]\nurl = \"redis://:hunter2@no-such-host.invalid:6379\"\n[monitoring]\n\
         prometheus = \"http://127.0.0.1:9\"\n",
    );
    let ran = home.run("doctor");
    assert_eq!((ran.code, ran.err.as_str()), (1, ""), "{}", ran.out);
    assert!(!ran.out.contains(CANARY), "{}", ran.out);
    assert!(line(&ran, "names").starts_with("fail  names"), "{}", ran.out);
    assert!(line(&ran, "names").contains("no-such-host.invalid"), "{}", ran.out);
    assert!(line(&ran, "configuration").ends_with("~/work/tminus.toml is usable"), "{}", ran.out);
    for about in ["state", "history"] {
        assert!(line(&ran, about).contains("is made when it is needed"), "{}", ran.out);
    }
    assert!(line(&ran, "terminal").starts_with("warn  terminal"), "{}", ran.out);
    assert!(line(&ran, "environment").contains("no address and no key is set"), "{}", ran.out);
    assert!(!home.0.path().join(".local").exists(), "it makes nothing");
}

#[test]
fn a_wrong_file_is_one_of_its_findings() {
    let home = Home::with("[redis]\nurll = 1\nwrites = 2");
    let ran = home.run("doctor");
    assert_eq!((ran.code, ran.err.as_str()), (2, ""));
    let wrong = ran.out.lines().filter(|line| line.starts_with("fail  configuration"));
    assert_eq!(wrong.count(), 2, "{}", ran.out);
    assert!(ran.out.contains("~/work/tminus.toml:2: redis.urll is not a key here"), "{}", ran.out);
    let none = home.run("doctor --config none.toml --format json");
    assert_eq!(none.code, 2);
    assert!(none.out.contains("none.toml: cannot be read: it does not exist"), "{}", none.out);
    for bad in ["doctor --format xml", "doctor now"] {
        let ran = home.run(bad);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{bad}");
    }
}

#[test]
fn a_history_is_looked_through_and_left_as_it_is() {
    let home = Home::new();
    assert_eq!(home.run("check resilience").code, 0);
    let told = home.run("doctor --format json");
    assert_eq!(told.code, 0, "{}", told.out);
    let read: serde_json::Value = serde_json::from_str(&told.out).unwrap();
    let history = read.as_array().unwrap().iter().find(|it| it["about"] == "history").unwrap();
    assert!(history["says"].as_str().unwrap().contains("1 run since 20"), "{history}");
    let state = home.0.path().join(".local/state/tminus");
    let file = state.join("history.db");
    for suffix in ["-wal", "-shm"] {
        // They are gone already if it was closed in good order.
        let _gone = fs::remove_file(state.join(format!("history.db{suffix}")));
    }
    fs::write(&file, "no database ".repeat(100)).unwrap();
    let damaged = home.run("doctor");
    assert_eq!(damaged.code, 1);
    assert!(damaged.out.contains("cannot be read: the file is damaged"), "{}", damaged.out);
    assert!(file.exists(), "it puts nothing aside");
    home.run("check resilience");
    assert!(home.run("doctor").out.contains("was put aside"));
    let off = Home::with("[history]\noff = true").run("doctor");
    assert!(line(&off, "history").ends_with("off: nothing is kept"), "{}", off.out);
}

#[test]
fn what_cannot_be_written_is_to_be_mended() {
    let home = Home::new();
    let mut command = home.command("doctor");
    command.env("XDG_STATE_HOME", "/dev/null").env("REDIS_URL", "redis://127.0.0.1:1");
    let ran = Ran::of(command.output().unwrap(), &home);
    assert_eq!(ran.code, 1, "{}", ran.out);
    assert!(line(&ran, "state").starts_with("fail  state"), "{}", ran.out);
    assert!(line(&ran, "environment").ends_with("REDIS_URL is set"), "{}", ran.out);
}
