//! What one run rests on.

use super::{Page, Slot, width};
use crate::{
    domain::{CheckView, Class, Fact, FactValue, Finding, Freshness, Outcome},
    tui::{model::Model, theme::Role},
    units,
};
use ratatui::layout::Rect;
use std::{cmp, fmt::Write as _};

/// Columns of the words at the left.
const LABEL: u16 = 8;
/// Lines that one entry may take.
const MOST: usize = 6;

/// One entry: a word and a text, over one line or several.
pub(in crate::tui) struct Entry {
    pub(in crate::tui) label: &'static str,
    pub(in crate::tui) text: String,
    pub(super) role: Role,
}

/// What the newest run of `check` asked, wanted and was told, the most needed first.
pub(in crate::tui) fn entries(check: &CheckView) -> Vec<Entry> {
    let newest = newest(check);
    let evidence = &newest.evidence;
    let mut entries = Vec::new();
    let mut add = |label, text: String, role| {
        if !text.is_empty() {
            entries.push(Entry { label, text, role });
        }
    };
    add("asked", evidence.asked.clone(), Role::Plain);
    add("want", evidence.wanted.clone(), Role::Plain);
    let failed = matches!(newest.outcome, Outcome::Fail | Outcome::Unknown(_));
    add("reply", evidence.reply.clone(), if failed { Role::Strong } else { Role::Plain });
    add("took", took(check, newest), Role::Plain);
    add("state", state(check), Role::Plain);
    add("wrote", receipt(newest), Role::Plain);
    entries
}

/// Everything measured in one more entry, for a pane that has no other place for it.
pub(in crate::tui) fn with_facts(mut entries: Vec<Entry>, check: &CheckView) -> Vec<Entry> {
    let facts = &newest(check).evidence.facts;
    let texts: Vec<String> = facts.iter().map(|f| format!("{} {}", f.name, value(f))).collect();
    if !texts.is_empty() {
        entries.push(Entry { label: "facts", text: texts.join("   "), role: Role::Plain });
    }
    entries
}

/// Everything measured, a line each.
pub(super) fn facts(page: &mut Page<'_>, area: Rect, check: &CheckView) {
    let facts = &newest(check).evidence.facts;
    let names = facts.iter().map(|fact| width(&fact.name)).max().unwrap_or(0);
    let names = cmp::min(u16::try_from(names).unwrap_or(u16::MAX), area.width / 2);
    let rows = usize::from(area.height);
    let shown = if facts.len() > rows { rows.saturating_sub(1) } else { facts.len() };
    for (line, fact) in (0..area.height).zip(&facts[..shown]) {
        let (name, rest) = Slot::of(area, line).skip(1).split(names);
        page.put(name, &fact.name, Role::Muted);
        page.put(rest.skip(2).split_last(1).0, &value(fact), Role::Plain);
    }
    if shown < facts.len() && rows > 0 {
        let slot = Slot::of(area, area.height - 1).skip(1);
        page.print(slot, Role::Muted, format_args!("+{} more", facts.len() - shown));
    }
}

fn value(fact: &Fact) -> String {
    match &fact.value {
        FactValue::Quantity(quantity) => units::quantity(*quantity),
        FactValue::Words(words) => words.clone(),
    }
}

/// The finding of the newest run, confirmed or not.
pub(super) fn newest(check: &CheckView) -> &Finding {
    check.pending.as_ref().map_or(&check.finding, |pending| &pending.finding)
}

/// What to do about `check`, in a sentence: about its root cause, if that is another check.
pub(super) fn remedy<'a>(model: &'a Model, check: &'a CheckView) -> (&'a str, Role) {
    match check.outcome() {
        Outcome::Pass if !check.finding.fallback => ("nothing: it passes", Role::Muted),
        Outcome::Skipped(_) => (&check.finding.summary, Role::Muted),
        Outcome::Pass
        | Outcome::Warn
        | Outcome::Fail
        | Outcome::Unknown(_)
        | Outcome::Blocked(_) => {
            (model.root_of(check).map_or_else(|| check.remedy(), |root| &root.remedy), Role::Plain)
        }
    }
}

/// One more entry, for a pane that has no other place for it.
pub(in crate::tui) fn to_do(model: &Model, check: &CheckView) -> Entry {
    let (text, role) = remedy(model, check);
    Entry { label: "do", text: text.to_owned(), role }
}

fn took(check: &CheckView, finding: &Finding) -> String {
    let mut text = String::new();
    if check.runs == 0 {
        return text;
    }
    text.push_str(&units::span(check.took));
    for (at, phase) in finding.evidence.phases.iter().enumerate() {
        let sign = if at == 0 { "=" } else { "+" };
        // Writing to a String cannot fail.
        let _infallible = write!(text, " {sign} {} {}", phase.name, units::span(phase.took));
    }
    if check.attempts > 1 {
        let _infallible = write!(text, ", {} tries", check.attempts);
    }
    text
}

/// How the confirmed result came about, where there is more to say than its word.
fn state(check: &CheckView) -> String {
    let word = check.outcome().word();
    let class = match check.spec.class {
        Class::Blocker => "class blocker",
        Class::Major => "class major",
        Class::Minor => "class minor",
        Class::Info => "for information",
    };
    let mut text = format!("{word}, {} in a row; {class}", check.streak);
    let mut add = |more: std::fmt::Arguments| {
        // Writing to a String cannot fail.
        let _infallible = write!(text, "; {more}");
    };
    if let Some(pending) = &check.pending {
        let outcome = pending.finding.outcome.word();
        add(format_args!("now {outcome}, {} of {} to count", pending.seen, pending.of));
    }
    if check.finding.fallback {
        add(format_args!("a stand-in answered"));
    }
    if check.flags.flapping {
        add(format_args!("flapping"));
    }
    if check.flags.flaky {
        add(format_args!("flaky: an attempt failed first"));
    }
    if let Outcome::Blocked(by) = &check.finding.outcome {
        add(format_args!("waits for {by}"));
    }
    match check.freshness {
        Freshness::Fresh => {}
        Freshness::Stale => add(format_args!("stale, earns half")),
        Freshness::Expired => add(format_args!("expired, stands for nothing")),
    }
    text
}

fn receipt(finding: &Finding) -> String {
    let receipt = finding.receipt;
    if receipt.written == 0 && receipt.left == 0 {
        return String::new();
    }
    let left = match receipt.left {
        0 => "nothing is left behind".into(),
        n => format!("{n} LEFT BEHIND"),
    };
    format!(
        "{} sent, {} written, {} removed: {left}",
        receipt.sent, receipt.written, receipt.removed
    )
}

/// Writes the entries into `area`: one line each, and what is left over for those that are longer.
pub(super) fn write(page: &mut Page<'_>, area: Rect, entries: &[Entry]) {
    let columns = usize::from(area.width.saturating_sub(LABEL + 2));
    let wanted: Vec<usize> =
        entries.iter().map(|entry| wrapped(&entry.text, columns).take(MOST).count()).collect();
    let room = usize::from(area.height);
    let mut extra = room.saturating_sub(entries.len());
    let mut line = 0;
    for (entry, wanted) in entries.iter().zip(wanted) {
        let lines = cmp::min(wanted, 1 + extra);
        extra -= lines - cmp::min(lines, 1);
        let left = area.height.saturating_sub(line);
        let lines = cmp::min(u16::try_from(lines).unwrap_or(left), left);
        let here = Rect { y: area.y.saturating_add(line), height: lines, ..area };
        let (label, _) = Slot::of(here, 0).skip(1).split(LABEL);
        page.put(label, entry.label, Role::Muted);
        text(
            page,
            Rect {
                x: here.x + cmp::min(LABEL + 1, here.width),
                width: here.width.saturating_sub(LABEL + 1),
                ..here
            },
            &entry.text,
            entry.role,
        );
        line += lines;
    }
}

/// Writes `text` over the lines of `area`; the last one is cut if there is more.
pub(super) fn text(page: &mut Page<'_>, area: Rect, text: &str, role: Role) {
    let columns = usize::from(area.width.saturating_sub(1));
    let mut rest = text.trim();
    for line in 0..area.height {
        let slot = Slot::of(area, line);
        let last = line + 1 == area.height;
        let Some(first) = wrapped(rest, columns).next().filter(|_| !last) else {
            page.put(slot.split_last(1).0, rest, role);
            return;
        };
        page.put(slot, first, role);
        rest = rest.get(first.len()..).unwrap_or_default().trim_start();
    }
}

/// The lines of `text` at most `columns` wide, broken at blanks where there are any.
pub(super) fn wrapped(text: &str, columns: usize) -> impl Iterator<Item = &str> {
    let mut rest = text.trim();
    std::iter::from_fn(move || {
        if rest.is_empty() || columns == 0 {
            return None;
        }
        let end = line_end(rest, columns);
        let (line, after) = rest.split_at(end);
        rest = after.trim_start();
        Some(line.trim_end())
    })
}

/// Where the first line of `text` ends.
fn line_end(text: &str, columns: usize) -> usize {
    let (mut used, mut blank) = (0, None);
    for (at, c) in text.char_indices() {
        if c == ' ' {
            blank = Some(at);
        }
        used += width(text.get(at..at + c.len_utf8()).unwrap_or_default());
        if used > columns {
            let full = if at == 0 { c.len_utf8() } else { at };
            return blank.filter(|blank| *blank > 0).unwrap_or(full);
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn lines_break_at_blanks_and_inside_of_words_that_are_too_long() {
        let lines = |text, columns| wrapped(text, columns).collect::<Vec<_>>();
        assert_eq!(
            lines("set REDIS_URL or start redis", 13),
            ["set REDIS_URL", "or start", "redis"]
        );
        assert_eq!(lines("abcdefgh", 3), ["abc", "def", "gh"]);
        assert_eq!(lines("日本語", 4), ["日本", "語"]);
        assert_eq!(lines("  ", 4), [""; 0]);
        assert_eq!(lines("text", 0), [""; 0]);
    }

    proptest! {
        #[test]
        fn wrapping_ends_and_loses_no_character(text in any::<String>(), columns in 1_usize..20) {
            let dense = |text: &str| text.split_whitespace().collect::<String>();
            let lines: Vec<_> = wrapped(&text, columns).collect();
            prop_assert_eq!(dense(&lines.concat()), dense(&text));
            // One character may be wider than all the room there is.
            let fits = |line: &&str| width(line) <= columns || line.chars().count() == 1;
            prop_assert!(lines.iter().all(fits));
        }
    }
}
