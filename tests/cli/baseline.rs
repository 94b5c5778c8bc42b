//! Before and after a deploy.

use super::*;

#[test]
fn what_is_new_since_the_baseline_is_told_from_what_is_known() {
    let home = Home::with("[checks.\"apis.google_key\"]\nclass = \"info\"");
    let save = |name: &str| home.run(&format!("baseline save {name} apis resilience"));
    let kept = save("before");
    assert_eq!((kept.code, kept.err.as_str()), (0, ""));
    assert!(kept.out.starts_with("kept  before  2"), "{}", kept.out);
    fs::write(home.file(), "").unwrap();
    let line = "check apis resilience --baseline before";
    let human = home.run(line);
    assert_eq!(human.code, 1, "{}", human.err);
    assert!(human.out.contains("rule 2, 2 blockers, 1 new: "), "{}", human.out);
    let row = |id: &str| {
        let found = human.out.lines().find(|it| it.contains(id) && it.contains("fail"));
        found.unwrap_or_else(|| panic!("{id} in {}", human.out)).to_owned()
    };
    assert!(row("apis.google_key").ends_with("[new]"), "{}", row("apis.google_key"));
    assert!(row("apis.openai_key").ends_with("[known]"));
    let json: serde_json::Value =
        serde_json::from_str(&home.run(&format!("{line} --format json")).out).unwrap();
    let blockers = json["blockers"].as_array().unwrap();
    let new = blockers.iter().filter(|it| it["new"] == true).count();
    let known = blockers.iter().filter(|it| it["new"] == false).count();
    assert_eq!((new, known), (1, 1));
    assert_eq!(save("after").code, 0);
    let diff = home.run("diff before after");
    assert_eq!(diff.code, 1, "{}", diff.err);
    assert!(diff.out.starts_with("new    apis.google_key "), "{}", diff.out);
    assert!(diff.out.contains(" new, ") && diff.out.ends_with("from before to after\n"));
    assert_eq!(home.run("diff before before").code, 0, "what is known is not new");
}

#[test]
fn baselines_are_listed_shown_and_removed_by_name() {
    let home = Home::new();
    assert!(home.run("baseline list").out.starts_with("no baseline is kept"));
    assert_eq!(home.run("baseline save one resilience").code, 0);
    assert!(home.run("baseline list").out.starts_with("one  2"));
    let shown = home.run("baseline show one").out;
    assert!(shown.lines().any(|it| it.starts_with("  pass     resilience.")), "{shown}");
    for line in ["baseline show ones", "check resilience --baseline ones", "diff one ones"] {
        let ran = home.run(line);
        assert_eq!((ran.code, ran.out.as_str()), (2, ""), "{line}");
        assert!(ran.err.contains("did you mean one?"), "{line}: {}", ran.err);
    }
    assert_eq!(home.run("baseline rm one").code, 0);
    assert_eq!(home.run("baseline rm one").code, 2);
    let off = Home::with("[history]\noff = true");
    let ran = off.run("baseline list");
    assert!(ran.code == 2 && ran.err.contains("which is off"), "{}", ran.err);
}
