//! A file to begin with.

use super::*;

/// Runs it where two secrets are in the environment.
fn among_secrets(home: &Home, line: &str) -> Ran {
    let mut command = home.command(line);
    command.env("VALKEY_URL", "redis://:hunter2@127.0.0.1:1").env("OPENAI_API_KEY", CANARY);
    Ran::of(command.output().unwrap(), home)
}

#[test]
fn what_it_writes_is_usable_holds_no_secret_and_is_its_owners() {
    let home = Home::new();
    let env = home.0.path().join("work/.env");
    fs::write(env, "DATABASE_URL=postgres://a:hunter2@b/c").unwrap();
    let printed = among_secrets(&home, "init --print");
    assert_eq!((printed.code, printed.err.as_str()), (0, ""));
    assert!(!home.file().exists(), "it is printed only");
    let wrote = among_secrets(&home, "init");
    assert_eq!((wrote.code, wrote.out.as_str()), (0, ""), "{}", wrote.err);
    assert!(wrote.err.contains("found  .env names 1 variable\n"), "{}", wrote.err);
    assert!(wrote.err.contains("none   no key of Google AI was found"), "{}", wrote.err);
    let text = fs::read_to_string(home.file()).unwrap();
    assert_eq!(text, printed.out);
    assert!(text.lines().any(|line| line == "url = \"${VALKEY_URL}\""), "{text}");
    assert!(!text.contains(CANARY) && !wrote.err.contains(CANARY), "{text}");
    assert_eq!(fs::metadata(home.file()).unwrap().permissions().mode() & 0o777, 0o600);
    let checked = among_secrets(&home, "config check");
    assert_eq!((checked.code, checked.err.as_str()), (0, ""), "{text}");
    let first = text.lines().next();
    assert_eq!(first, Some("#:schema ./tminus.schema.json"));
    if schema::validator() {
        schema::assert_valid("tminus", &schema::as_json(&text));
    }
}

#[test]
fn a_file_that_is_there_stays_unless_it_is_told_otherwise() {
    let home = Home::with("# mine\n");
    let refused = home.run("init");
    assert_eq!((refused.code, refused.out.as_str()), (2, ""));
    insta::assert_snapshot!(refused.err, @r"
    tminus: tminus.toml is not written
      it is there already
      do: `tminus init --print` shows the new one, --force takes its place
    ");
    assert_eq!(fs::read_to_string(home.file()).unwrap(), "# mine\n");
    assert_eq!(home.run("init --force").code, 0);
    assert_ne!(fs::read_to_string(home.file()).unwrap(), "# mine\n");
    let left = fs::read_dir(home.0.path().join("work")).unwrap().count();
    assert_eq!(left, 1, "nothing lies beside it");
    assert_eq!(home.run("init --config ops.toml").code, 0);
    assert!(home.0.path().join("work/ops.toml").exists());
}

#[test]
fn where_it_cannot_write_it_says_so() {
    let home = Home::new();
    for line in
        ["init --config none/t.toml", "init --force --config none/t.toml", "init --force -c /"]
    {
        let ran = home.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(ran.err.contains(" is not written\n"), "{line}: {}", ran.err);
    }
    assert_eq!(home.run("init --force --print").code, 2);
    assert_eq!(home.run("init here").code, 2);
}
