use super::{Page, Slot, detail::doing, since, width};
use crate::{
    domain::{HealthScore, Rule},
    tui::{
        model::{Model, Screen, Standing},
        theme::Role,
    },
    units,
};
use std::fmt::Write as _;

/// Where the text after the verdict begins, so that it does not move with the word.
const TEXT: u16 = 9;
/// From this width on there is room for the time.
const WITH_CLOCK: u16 = 24;
/// From this width on words are written out.
const SPACIOUS: u16 = 100;

/// Row 1: the answer. Whatever the size, it is there and begins with the verdict.
pub(super) fn draw(page: &mut Page<'_>, slot: Slot, model: &Model) {
    let word = model.word();
    if slot.width > 7 {
        page.print(slot, Role::Verdict(word), format_args!(" {} ", word.as_str()));
    } else {
        page.put(slot, word.as_str(), Role::Verdict(word));
    }
    let mut rest = slot.skip(TEXT);
    if slot.width >= WITH_CLOCK {
        let (before, clock) = rest.split_last(8);
        let shown = if model.run.is_some() { model.wall_of(model.now()) } else { model.wall() };
        page.put(clock, &(page.look().clock)(shown), Role::Plain);
        rest = before.split_last(1).0;
    }
    let roomy = slot.width >= SPACIOUS;
    match (model.under(), model.standing()) {
        (_, standing @ (Standing::Frozen { .. } | Standing::Past { .. } | Standing::Stale(_))) => {
            held(page, rest, model, standing);
        }
        (Screen::Integration(_), Standing::Live | Standing::Paused) => {
            opened(page, rest, model);
        }
        (_, Standing::Live | Standing::Paused) => {
            overall(page, rest, model, roomy);
        }
    }
}

/// Segments from left to right, the most important first; those that do not fit
/// are left out, and the first is cut if it must be.
fn segments<const N: usize>(page: &mut Page<'_>, slot: Slot, parts: [(&str, Role); N]) {
    let gap = if slot.width >= SPACIOUS - TEXT { 3 } else { 2 };
    let mut rest = slot;
    for (at, (text, role)) in parts.into_iter().enumerate() {
        if text.is_empty() || (at > 0 && width(text) > usize::from(rest.width)) {
            continue;
        }
        rest = page.put(rest, text, role).skip(gap);
    }
}

fn overall(page: &mut Page<'_>, slot: Slot, model: &Model, roomy: bool) {
    let snapshot = model.snapshot();
    let verdict = &snapshot.verdict;
    let mut reason = settling(model).unwrap_or_else(|| verdict.reason.clone());
    for (count, word) in [(verdict.accepted, "accepted"), (verdict.warnings, "to do")] {
        if count > 0 && slot.width >= 40 {
            // Writing to a String cannot fail.
            let _infallible = write!(reason, ", {count} {word}");
        }
    }
    let score = score(snapshot.score, slot.width);
    let paused = if model.standing() == Standing::Paused { "PAUSED" } else { "" };
    let host = if roomy { format!("on {}", snapshot.host) } else { format!("@{}", snapshot.host) };
    let host = if snapshot.host.is_empty() { String::new() } else { host };
    let (served, ago) = since::deployed(model, roomy);
    let parts = [
        (reason.as_str(), Role::Plain),
        (paused, Role::Warn),
        (&score, Role::Plain),
        (&ago, Role::Plain),
        (&served, Role::Plain),
        (&host, Role::Muted),
    ];
    segments(page, slot, parts);
}

/// How much of the settle time is over, while that is all that is waited for.
fn settling(model: &Model) -> Option<String> {
    let snapshot = model.snapshot();
    let deploy = snapshot.deploy.as_ref().filter(|_| snapshot.verdict.rule == Rule::Settling)?;
    let whole = snapshot.settled?.saturating_sub(deploy.at);
    Some(format!("settling {} of {}", units::age(model.age(deploy.at)), units::age(whole)))
}

fn score(score: Option<HealthScore>, room: u16) -> String {
    let Some(HealthScore { percent, coverage }) = score else { return "score ?".into() };
    match room {
        ..32 => format!("{percent}"),
        32..56 => format!("score {percent} ({coverage} %)"),
        _ => format!("score {percent}, {coverage} % covered"),
    }
}

/// The user holds the screen, or the engine is silent.
fn held(page: &mut Page<'_>, slot: Slot, model: &Model, standing: Standing) {
    let snapshot = model.snapshot();
    let (text, hint) = match standing {
        Standing::Frozen { age, waiting } => {
            let plural = if waiting == 1 { "" } else { "s" };
            let text = format!("FROZEN {}, {waiting} update{plural} wait", units::age(age));
            (text, "space goes live".to_owned())
        }
        Standing::Past { ago, run, of } => {
            let text = format!("PAST {} ago, run {run}/{of}", units::age(ago));
            (text, "esc goes live".to_owned())
        }
        Standing::Stale(age) => {
            let was = snapshot.verdict.word.as_str();
            let host = &snapshot.host;
            (
                format!("STALE: no news from {host} for {}, was {was}", units::age(age)),
                String::new(),
            )
        }
        Standing::Live | Standing::Paused => (String::new(), String::new()),
    };
    let score = score(snapshot.score, slot.width);
    let name = match (model.under(), model.integration()) {
        (Screen::Integration(_), Some(view)) => format!("> {}", view.title),
        (_, _) => String::new(),
    };
    let parts = [
        (text.as_str(), Role::Warn),
        (&name, Role::Strong),
        (&score, Role::Plain),
        (&hint, Role::Muted),
    ];
    segments(page, slot, parts);
}

/// One integration: its name, its score, its status, and what explains it.
fn opened(page: &mut Page<'_>, slot: Slot, model: &Model) {
    let Some(view) = model.integration() else { return };
    let title = format!("> {} {}", model.row() + 1, view.title);
    let roomy = slot.width >= SPACIOUS - TEXT;
    let score = match view.score {
        None => "?".into(),
        Some(HealthScore { percent, coverage: 100 }) => format!("{percent}"),
        Some(HealthScore { percent, coverage }) if roomy => {
            format!("{percent}, {coverage} % covered")
        }
        Some(HealthScore { percent, coverage }) => format!("{percent} ({coverage} %)"),
    };
    let because = view.worst().map_or_else(String::new, |check| {
        let name = if roomy { check.id.name() } else { "" };
        let gap = if roomy { " " } else { "" };
        let age = units::age(model.age(check.since));
        let plural = if check.streak == 1 { "" } else { "s" };
        format!("{name}{gap}{} {age}, {} run{plural}", doing(check), check.streak)
    });
    let paused = if model.standing() == Standing::Paused { "PAUSED" } else { "" };
    let parts = [
        (title.as_str(), Role::Strong),
        (&score, Role::Plain),
        (paused, Role::Warn),
        (view.status.word(), Role::Plain),
        (&because, Role::Plain),
    ];
    segments(page, slot, parts);
}

/// Row 2: the rule that decided and what it rests on; what is shown, at the right.
pub(super) fn rule(page: &mut Page<'_>, slot: Slot, model: &Model) {
    let rest = standing(page, slot, model);
    let verdict = &model.snapshot().verdict;
    let number = verdict.rule.number();
    let mut rest = rest.skip(1);
    if verdict.because.is_empty() {
        page.print(rest, Role::Muted, format_args!("rule {number}: {}", verdict.reason));
        return;
    }
    rest = if slot.width >= SPACIOUS {
        let text = format_args!("rule {number}, {}: ", meaning(verdict.rule));
        page.print(rest, Role::Muted, text)
    } else {
        page.print(rest, Role::Muted, format_args!("rule {number}: "))
    };
    for (at, check) in verdict.because.iter().enumerate() {
        let left = verdict.because.len() - at;
        if rest.width < 12 && left > 1 || usize::from(rest.width) < width(check.as_str()) {
            page.print(rest, Role::Muted, format_args!("+{left} more"));
            return;
        }
        rest = page.print(
            rest,
            Role::Muted,
            format_args!("{check}{}", if left > 1 { ", " } else { "" }),
        );
    }
}

/// Row 2 of one integration: what it looks at.
pub(super) fn target(page: &mut Page<'_>, slot: Slot, model: &Model) {
    let rest = standing(page, slot, model);
    let Some(view) = model.integration() else { return };
    let origin = match view.target.provenance {
        crate::domain::Provenance::Configured => "configured",
        crate::domain::Provenance::Embedded => "built in, nothing is configured",
    };
    let text = format_args!("looks at {} ({origin})   weight {}", view.target.name, view.weight);
    page.print(rest.skip(1), Role::Muted, text);
}

/// Says at the right end what is shown; returns what is left before it.
fn standing(page: &mut Page<'_>, slot: Slot, model: &Model) -> Slot {
    let (word, role) = match model.standing() {
        Standing::Live => ("LIVE", Role::Muted),
        Standing::Paused => ("PAUSED", Role::Warn),
        Standing::Frozen { .. } => ("FROZEN", Role::Warn),
        Standing::Past { .. } => ("PAST", Role::Warn),
        Standing::Stale(_) => ("STALE", Role::Warn),
    };
    page.print_right(slot, role, format_args!("{word}")).split_last(2).0
}

fn meaning(rule: Rule) -> &'static str {
    match rule {
        Rule::Blocked => "a blocker fails or runs on a stand-in",
        Rule::Undecided => "a blocker is not known",
        Rule::Settling => "the settle time is not over",
        Rule::Coverage => "too little was looked at",
        Rule::Floor => "the score is under its floor",
        Rule::Regressed => "it worked before",
        Rule::Clear => "nothing stands in the way",
    }
}
