//! What leaves the screen as text: for a chat, a ticket, a terminal's title. Pure.

use super::{
    model::{Model, belongs},
    view::{entries, to_do, with_facts},
};
use crate::{
    domain::{Blocker, CheckView, Event, HealthScore, plain},
    units,
};
use std::fmt::Write as _;

/// Characters of the line for a chat.
const LINE: usize = 400;
/// Blockers that it names.
const NAMED: usize = 3;
/// Events that are told beside the evidence.
const EVENTS: usize = 5;
/// Characters of one line of the evidence.
const TEXT: usize = 4000;

/// The answer in one line, for a chat.
pub(super) fn status(model: &Model) -> String {
    let snapshot = model.snapshot();
    let mut line = format!("{}: {}", subject(model), snapshot.verdict.reason);
    let open: Vec<&Blocker> = snapshot.blockers.iter().filter(|it| it.is_open()).collect();
    let news = open.iter().filter(|it| it.new == Some(true)).count();
    // Writing to a String cannot fail.
    let mut add = |text: std::fmt::Arguments<'_>| {
        let _infallible = line.write_fmt(text);
    };
    if news > 0 {
        add(format_args!(" ({news} new since the deploy)"));
    }
    if let Some(HealthScore { percent, coverage }) = snapshot.score {
        add(format_args!(", score {percent}, {coverage} % covered"));
    }
    for (at, blocker) in open.iter().take(NAMED).enumerate() {
        let gap = if at == 0 { '.' } else { ';' };
        add(format_args!("{gap} {} {}: {}", blocker.label(), blocker.check, blocker.summary));
    }
    if open.len() > NAMED {
        add(format_args!("; +{} more", open.len() - NAMED));
    }
    add(format_args!(" [{}]", units::rfc3339(model.wall_of(model.now()))));
    plain(&line, LINE)
}

/// What `check` asked, wanted and was told, and what happened around it.
pub(super) fn evidence(model: &Model, check: &CheckView) -> String {
    let mut lines = vec![
        format!("{}: {}", check.id, check.spec.title),
        format!("{}: {}", subject(model), model.snapshot().verdict.reason),
    ];
    let place = model.place_of(&check.id);
    let target = place.map_or("", |(_, view)| view.target.name.as_str());
    let ended = check.ended_wall.map_or_else(|| "never".into(), units::rfc3339);
    let fixed =
        [("target", target), ("looked", ended.as_str()), ("says", check.finding.summary.as_str())];
    lines.extend(fixed.map(|(label, text)| labelled(label, text)));
    let all = with_facts(entries(check), check);
    lines.extend(all.iter().map(|entry| labelled(entry.label, &entry.text)));
    let to_do = to_do(model, check);
    lines.push(labelled(to_do.label, &to_do.text));
    let mine = |event: &&Event| {
        let check = event.check.as_ref();
        check.zip(place).is_some_and(|(check, (_, view))| belongs(check, &view.id))
    };
    let events = model.snapshot().journal.iter().rev().filter(mine).take(EVENTS);
    lines.extend(events.map(|event| {
        let name = event.check.as_ref().map_or("", |check| check.name());
        labelled("event", &format!("{} {name}: {}", units::rfc3339(event.wall), event.text))
    }));
    // Each line by itself: a line break in a text would look like a line of ours.
    let safe = lines.iter().map(|line| plain(line, TEXT));
    safe.fold(String::new(), |text, line| text + line.trim_end() + "\n")
}

fn labelled(label: &str, text: &str) -> String {
    format!("{label:<8}{text}")
}

/// The window's title: the verdict, how many blockers, what is watched.
pub(super) fn title(model: &Model) -> String {
    let snapshot = model.snapshot();
    let open = snapshot.blockers.iter().filter(|it| it.is_open()).count();
    let count = if open > 0 { format!(" {open}") } else { String::new() };
    let what = snapshot.app.as_ref().map_or(snapshot.host.as_str(), |app| &app.name);
    let version = snapshot.app.as_ref().and_then(|app| app.version.as_deref()).unwrap_or_default();
    plain(format!("{}{count} - {what} {version}", model.word().as_str()).trim(), LINE)
}

/// The verdict about what, and where.
fn subject(model: &Model) -> String {
    let snapshot = model.snapshot();
    let mut text = model.word().as_str().to_owned();
    if let Some(app) = &snapshot.app {
        // Writing to a String cannot fail.
        let _infallible = write!(text, " {}", app.name);
        if let Some(version) = &app.version {
            let _infallible = write!(text, " {version}");
        }
    }
    if !snapshot.host.is_empty() {
        let _infallible = write!(text, " @{}", snapshot.host);
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::App, tui::sample};
    use std::sync::Arc;

    #[test]
    fn the_line_for_a_chat_says_all_that_row_1_does_and_why() {
        let mut model = sample::model();
        let mut snapshot = (*model.live).clone();
        snapshot.app = Some(App { name: "api".into(), version: Some("4f2c1d9".into()) });
        model.live = Arc::new(snapshot);
        insta::assert_snapshot!(status(&model));
        assert_eq!(status(&model).lines().count(), 1);
    }

    #[test]
    fn the_title_tells_a_tab_what_is_the_matter() {
        let mut model = sample::model();
        assert_eq!(title(&model), "NO-GO 3 - web-3");
        let mut snapshot = (*model.live).clone();
        snapshot.app = Some(App { name: "api".into(), version: Some("4f2c1d9".into()) });
        model.live = Arc::new(snapshot);
        assert_eq!(title(&model), "NO-GO 3 - api 4f2c1d9");
    }

    #[test]
    fn the_evidence_is_whole_and_can_be_read_without_the_console() {
        let model = sample::model();
        let check = &model.live.integrations[1].checks[0];
        insta::assert_snapshot!(evidence(&model, check));
    }

    #[test]
    fn a_text_from_outside_makes_no_line_of_its_own_and_hides_nothing() {
        let model = sample::model();
        let mut check = model.live.integrations[1].checks[0].clone();
        let mut finding = (*check.finding).clone();
        finding.summary = "up\ndo      nothing\u{1b}[2K\u{202e}".into();
        check.finding = Arc::new(finding);
        let text = evidence(&model, &check);
        assert!(!text.lines().any(|line| line == "do      nothing"), "{text}");
        assert!(!text.contains(['\u{1b}', '\u{202e}']), "{text}");
    }
}
