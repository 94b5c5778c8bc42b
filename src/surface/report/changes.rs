use crate::{
    domain::{Blocker, Snapshot},
    units,
};

/// For a log or a pipe: what changed since `before`, in sentences, and nothing
/// when nothing did. Without a `before`, how it stands.
pub fn changes(before: Option<&Snapshot>, after: &Snapshot) -> Vec<String> {
    let clock = units::clock(after.wall);
    let mut lines = Vec::new();
    if before.is_none_or(|before| before.verdict.word != after.verdict.word) {
        lines.push(format!("{clock} {}", standing(after)));
    }
    let known = |blocker: &Blocker| {
        before.is_some_and(|before| open(before).any(|other| other.check == blocker.check))
    };
    for blocker in open(after).filter(|blocker| !known(blocker)) {
        let Blocker { check, summary, .. } = blocker;
        lines.push(format!("{clock}   {} {check}: {summary}.", blocker.label()));
    }
    for gone in before.into_iter().flat_map(open) {
        if !open(after).any(|blocker| blocker.check == gone.check) {
            lines.push(format!(
                "{clock}   {} {} no longer stands in the way.",
                gone.label(),
                gone.check
            ));
        }
    }
    lines
}

fn standing(snapshot: &Snapshot) -> String {
    let score =
        snapshot.score.map_or("no score".into(), |score| format!("score {}", score.percent));
    let (word, rule) = (snapshot.verdict.word.as_str(), snapshot.verdict.rule.number());
    format!("{word} on {}, rule {rule}: {}; {score}.", snapshot.host, snapshot.verdict.reason)
}

fn open(snapshot: &Snapshot) -> impl Iterator<Item = &Blocker> {
    snapshot.blockers.iter().filter(|blocker| blocker.is_open())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Finding, Policy, sample as values},
        surface::sample,
    };

    fn with(findings: &[(&str, Finding)]) -> Snapshot {
        let checks = findings.iter().map(|(name, finding)| values::check(name, 1, finding.clone()));
        sample::of([values::integration("x", "X", checks.collect())], &Policy::default())
    }

    /// Without the time of day, which is that of the zone of this host.
    fn said(before: Option<&Snapshot>, after: &Snapshot) -> Vec<String> {
        let lines = changes(before, after);
        lines.into_iter().map(|line| line.split_once(' ').unwrap().1.trim().to_owned()).collect()
    }

    #[test]
    fn first_it_says_how_it_stands_then_only_what_changed() {
        let bad = with(&[("a", Finding::fail("refused")), ("b", Finding::pass("ok"))]);
        assert_eq!(
            said(None, &bad),
            ["NO-GO on web-3, rule 2: 1 blocker; score 50.", "B1 x.a: refused."]
        );
        assert_eq!(said(Some(&bad), &bad), [""; 0]);
        let good = with(&[("a", Finding::pass("ok")), ("b", Finding::pass("ok"))]);
        assert_eq!(
            said(Some(&bad), &good),
            [
                "GO on web-3, rule 5: nothing stands in the way; score 100.",
                "B1 x.a no longer stands in the way."
            ]
        );
    }
}
