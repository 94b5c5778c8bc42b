//! What is wrong with a configuration, where it comes from, and whom it is taken from.

use super::*;

#[test]
fn a_wrong_file_is_answered_with_all_that_is_wrong() {
    let home = Home::with("[redis]\nurll = \"redis://:hunter2@h\"\n[verdict]\nmin_score = 101\n");
    for verb in ["", "check", "config check", "config show"] {
        let ran = home.run(verb);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{verb}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(ran.err, @r"
            tminus: the configuration cannot be used
              ~/work/tminus.toml:2: redis.urll is not a key here; did you mean url?
              ~/work/tminus.toml:4: verdict.min_score is 101; a percentage from 0 to 100 is accepted
              do: correct it, then `tminus config check`
            ");
        }
    }
}

#[test]
fn the_configuration_says_where_it_comes_from() {
    let home = Home::with("[[redis]]\nname = \"cache\"\nwrites = false\n");
    let path = home.run("config path");
    insta::assert_snapshot!(path.out, @r"
    ~/work/tminus.toml  (the working directory): read
    ~/.config/tminus/config.toml  (the user's): not there
    /etc/tminus/config.toml  (the host's): not there
    ");
    let mut check = home.command("config check");
    let check =
        Ran::of(check.env("DATABASE_URL", "sqlite:///tmp/orders.db").output().unwrap(), &home);
    assert_eq!((check.code, check.err.as_str()), (0, ""));
    insta::assert_snapshot!(check.out, @r"
    ~/work/tminus.toml is usable.
      redis/cache  name line 2, writes line 3
      database     url $DATABASE_URL
      monitoring   nothing set: the defaults hold
      apis         nothing set: the defaults hold
      performance  nothing set: the defaults hold
      resilience   nothing set: the defaults hold
    ");
}

#[test]
fn a_file_that_somebody_else_may_have_written_runs_nothing_and_is_told() {
    let home = Home::with("[app]\nversion = { command = [\"touch\", \"ran\"] }");
    let mode = |mode| fs::set_permissions(home.file(), fs::Permissions::from_mode(mode)).unwrap();
    let ran = || home.0.path().join("work/ran").exists();
    mode(0o666);
    for verb in ["", "check", "config check", "config show", "list", "report", "perf db"] {
        let refused = home.run(verb);
        assert_eq!((refused.code, refused.out.as_str()), (2, ""), "{verb}");
        insta::allow_duplicates! {
            insta::assert_snapshot!(refused.err, @r"
            tminus: the configuration cannot be used
              ~/work/tminus.toml: is not read: everybody may write to it. It could run a program and send keys anywhere; chmod go-w, or name it with --config if you trust it
              do: correct it, then `tminus config check`
            ");
        }
        assert!(!ran(), "{verb}");
    }
    let path = home.run("config path").out;
    assert!(path.contains("tminus.toml  (the working directory): in the way: everybody"), "{path}");
    assert_eq!(home.run("check resilience --config tminus.toml").code, 0, "it was named");
    assert!(ran(), "and what it says is done");
    mode(0o644);
    assert_eq!(home.run("config check").code, 0);
}
