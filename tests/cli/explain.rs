//! What one check is, and how it went.

use super::*;

#[test]
fn a_check_is_explained_with_what_was_seen_of_it() {
    let home = Home::with("[checks.\"resilience.breaker\"]\nclass = \"minor\"\nweight = 2");
    let before = home.run("explain resilience.breaker");
    assert_eq!((before.code, before.err.as_str()), (0, ""));
    for says in [
        "resilience.breaker  The breaker opens, waits and closes",
        "minor: a failure is on the checklist; weight 2 of 5 in resilience",
        "history  it has not run yet, as far as is kept",
    ] {
        assert!(before.out.contains(says), "{says:?} is missing:\n{}", before.out);
    }
    assert!(!home.0.path().join(".local/state/tminus/history.db").exists(), "nothing is made");
    assert_eq!(home.run("check resilience").code, 0);
    let after = home.run("explain resilience.breaker");
    assert!(after.out.contains("history  1 run since 20"), "{}", after.out);
    assert!(after.out.contains("fine since 20"), "{}", after.out);
    let json: serde_json::Value =
        serde_json::from_str(&home.run("explain resilience.breaker --format json").out).unwrap();
    assert_eq!((&json["class"], &json["history"]["pass"]), (&"minor".into(), &1.into()));
    let listed = home.run("list resilience.breaker").out;
    assert!(listed.contains("minor         2"), "{listed}");
}

#[test]
fn what_is_no_check_is_refused_with_what_was_meant() {
    let home = Home::new();
    for (typed, meant) in [
        ("redis.lok", "did you mean redis.lock?"),
        ("breaker", "did you mean resilience.breaker?"),
        ("redis", "one check is wanted, such as redis.connect"),
    ] {
        let ran = home.run(&format!("explain {typed}"));
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{typed}");
        assert!(ran.err.contains(meant), "{}", ran.err);
    }
    let off = Home::with("[history]\noff = true");
    let said = off.run("explain redis.lock").out;
    assert!(said.contains("history  it is off: nothing is kept"), "{said}");
}
