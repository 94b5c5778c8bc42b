//! Blockers that somebody answers for in the file.

use super::*;

/// A moment that many hours from now, as the file wants it.
fn in_hours(hours: i64) -> String {
    (jiff::Timestamp::now() + jiff::SignedDuration::from_hours(hours))
        .strftime("%FT%TZ")
        .to_string()
}

fn entry(check: &str, reason: &str, hours: i64) -> String {
    let until = in_hours(hours);
    format!(
        "[[accept]]\ncheck = '{check}'\nreason = '{reason}'\nowner = 'ops'\nuntil = '{until}'\n"
    )
}

/// Reasons that mean something in the formats.
const REASON: &str = "mended | <b>soon</b> % # ]]>";

#[test]
fn what_somebody_answers_for_lifts_the_verdict_and_is_in_every_format() {
    let home = Home::with(&entry("apis.*", REASON, 5));
    let run = |format: &str| home.run(&format!("check apis resilience --format {format}"));
    let human = run("human");
    assert_eq!(human.code, 0, "{}{}", human.out, human.err);
    assert!(human.out.contains(&format!("accepted by ops until {}", &in_hours(5)[..10])));
    assert!(human.out.contains(REASON), "{}", human.out);
    assert!(human.out.lines().last().unwrap().contains(" accepted"), "{}", human.out);
    let escaped = [
        ("junit", "mended | &lt;b&gt;soon&lt;/b&gt; % # ]]&gt;"),
        ("tap", "mended | <b>soon</b> % \\# ]]>"),
        ("markdown", "mended \\| &lt;b&gt;soon&lt;/b&gt; % \\# \\]\\]&gt;"),
        ("json", REASON),
    ];
    for (format, reason) in escaped {
        let ran = run(format);
        assert_eq!(ran.code, 0, "{format}");
        assert!(ran.out.contains(reason), "{format}: {}", ran.out);
    }
    let github = run("github").out;
    assert!(github.contains("::notice title=apis.openai_key::"), "{github}");
    assert_eq!(home.run("check apis resilience --strict").code, 4);
    let nagios = home.run("check apis resilience --exit-style nagios --format nagios");
    assert_eq!((nagios.code, nagios.out.starts_with("TMINUS WARNING")), (1, true));
}

#[test]
fn what_has_ended_or_names_nothing_counts_for_nothing_and_is_told() {
    let file = format!(
        "{}{}",
        entry("apis.openai_key", "it was mended long ago", -1),
        entry("redis.lok", "the lock is not used here", 1),
    );
    let home = Home::with(&file);
    for format in ["human", "json", "junit", "tap", "markdown", "github", "nagios"] {
        let ran = home.run(&format!("check apis --format {format}"));
        assert_eq!(ran.code, 1, "{format}");
        let told = if format == "human" { &ran.err } else { &ran.out };
        assert!(told.contains("tminus.toml:5: accept.until was "), "{format}: {told}");
        assert!(told.contains("did you mean redis.lock?"), "{format}: {told}");
        assert!(ran.err.contains("it has ended; this acceptance is ignored"), "{}", ran.err);
    }
}

#[test]
fn what_passes_needs_nobody_to_answer_for_it() {
    let home = Home::with(&entry("resilience.*", "it is not deployed yet", 1));
    let ran = home.run("check resilience");
    assert_eq!((ran.code, ran.err.as_str()), (0, ""));
    let note = "note         resilience.* passes: its acceptance can go\n";
    assert!(ran.out.contains(note), "{}", ran.out);
}
