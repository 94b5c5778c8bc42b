//! Lines that the user types: what to look for, a command, a word in the help.

use super::{Effect, act, moved};
use crate::tui::{
    keymap::{Action, Bound, Local, Step},
    model::Model,
};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Characters that are looked for at most.
const LONGEST: usize = 60;

/// What is being typed. Where it goes to, the model says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Typing {
    /// What the panes are filtered by.
    Filter,
    /// What the help is searched for.
    Help,
    /// A command.
    Command(Command),
}

/// A command that is being chosen.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Command {
    /// What was typed.
    pub(crate) text: String,
    /// Which of the commands that it may mean.
    pub(crate) row: usize,
}

impl Command {
    /// The commands that it may mean, those that work here first.
    pub(crate) fn meant<'a>(&self, model: &'a Model) -> Vec<Bound<'a>> {
        let named = |bound: &Bound<'_>| {
            // Where a digit would jump to, no name can say; and it is open already.
            !matches!(bound.row.action, Action::Here(Local::Jump(_)) | Action::Commands)
                && has(&self.text, &[bound.row.name, bound.row.help])
        };
        let works = |bound: &Bound<'_>| (bound.row.when)(model);
        let mut meant: Vec<_> = model.keys.bound().filter(named).filter(works).collect();
        meant.extend(model.keys.bound().filter(named).filter(|bound| !works(bound)));
        meant
    }

    /// The one that is run.
    pub(crate) fn chosen<'a>(&self, model: &'a Model) -> Option<Bound<'a>> {
        self.meant(model).get(self.row).copied()
    }
}

/// Whether every word of `sought` is in one of `texts`, in any case.
pub(crate) fn has(sought: &str, texts: &[&str]) -> bool {
    let within = |word: &str| {
        let word = word.to_lowercase();
        texts.iter().any(|text| text.to_lowercase().contains(&word))
    };
    sought.split_whitespace().all(within)
}

/// Begins a line.
pub(super) fn begin(model: &mut Model, typing: Typing) {
    if typing == Typing::Filter {
        model.filter.clear();
    }
    model.message = None;
    model.typing = Some(typing);
}

/// A character that the help has no key for begins a search there.
pub(super) fn begin_in_help(model: &mut Model, event: KeyEvent) {
    let control = event.modifiers.intersects(KeyModifiers::CONTROL | KeyModifiers::ALT);
    let plain = event.code.as_char().is_some_and(|c| !c.is_control() && c != ' ');
    if model.help.is_none() || !plain || control || event.kind == KeyEventKind::Release {
        return;
    }
    model.typing = Some(Typing::Help);
    write(model, event);
}

/// What a key does while a line is typed; nothing else hears it.
pub(super) fn press(model: &mut Model, event: KeyEvent) -> Option<Effect> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    match (event.code, control) {
        (KeyCode::Esc, _) | (KeyCode::Char('c'), true) => leave(model),
        (KeyCode::Char('l'), true) => return Some(Effect::Redraw),
        (KeyCode::Char('z'), true) => return Some(Effect::Suspend),
        (KeyCode::Enter, _) => return finish(model),
        (KeyCode::Up, _) => go(model, Step::Up),
        (KeyCode::Down, _) => go(model, Step::Down),
        (KeyCode::PageUp, _) => go(model, Step::HalfPageUp),
        (KeyCode::PageDown, _) => go(model, Step::HalfPageDown),
        (KeyCode::Tab, _) => complete(model),
        _ => write(model, event),
    }
    None
}

/// Writes or takes back a character; true if the key did one of the two.
pub(super) fn edit(text: &mut String, event: KeyEvent, most: usize) -> bool {
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    let alt = event.modifiers.contains(KeyModifiers::ALT);
    match (event.code, control) {
        (KeyCode::Char('u'), true) => text.clear(),
        (KeyCode::Char(c), false) if !alt => {
            if text.chars().count() < most && !c.is_control() {
                text.push(c);
            }
        }
        (KeyCode::Backspace, _) => {
            text.pop();
        }
        _ => return false,
    }
    true
}

fn write(model: &mut Model, event: KeyEvent) {
    match &mut model.typing {
        Some(Typing::Filter) => {
            edit(&mut model.filter, event, LONGEST);
        }
        Some(Typing::Help) => {
            if event.code == KeyCode::Backspace && model.sought.is_empty() {
                model.typing = None;
            }
            edit(&mut model.sought, event, LONGEST);
            model.help = Some(0);
        }
        Some(Typing::Command(command)) => {
            let changed = edit(&mut command.text, event, LONGEST);
            command.row = if changed { 0 } else { command.row };
        }
        None => {}
    }
}

fn leave(model: &mut Model) {
    match model.typing.take() {
        Some(Typing::Filter) => model.filter.clear(),
        Some(Typing::Help) => model.sought.clear(),
        Some(Typing::Command(_)) | None => {}
    }
}

fn finish(model: &mut Model) -> Option<Effect> {
    match model.typing.take()? {
        Typing::Filter | Typing::Help => None,
        Typing::Command(command) => {
            let chosen = command.chosen(model).map(|bound| bound.row);
            let Some(row) = chosen else {
                model.say(format!("there is no command {:?}", command.text));
                return None;
            };
            if (row.when)(model) {
                return act(model, row.action);
            }
            model.say(format!("{} has nothing to act on here", row.name));
            None
        }
    }
}

fn go(model: &mut Model, step: Step) {
    if let (Some(Typing::Help), Some(top)) = (&model.typing, model.help) {
        let to = moved(usize::from(top), 99, step, model.size.height);
        model.help = u16::try_from(to).ok();
    }
    let Some(Typing::Command(command)) = &model.typing else { return };
    let (count, row) = (command.meant(model).len(), command.row);
    let to = moved(row, count, step, model.size.height);
    if let Some(Typing::Command(command)) = &mut model.typing {
        command.row = to;
    }
}

/// Writes out the name of the command that is chosen.
fn complete(model: &mut Model) {
    let Some(Typing::Command(command)) = &model.typing else { return };
    let Some(name) = command.chosen(model).map(|bound| bound.row.name) else { return };
    if let Some(Typing::Command(command)) = &mut model.typing {
        (command.text, command.row) = (name.to_owned(), 0);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        engine::Selection,
        tui::{model::Screen, sample, update::tests::press},
    };
    use crossterm::event::KeyEvent;

    fn type_in(model: &mut Model, text: &str) -> Option<Effect> {
        let mut last = None;
        for c in text.chars() {
            let code = if c == '\n' { KeyCode::Enter } else { KeyCode::Char(c) };
            last = press(model, code);
        }
        last
    }

    fn here(model: &Model) -> String {
        model.selected.as_ref().map(ToString::to_string).unwrap_or_default()
    }

    fn said(model: &Model) -> &str {
        model.message.as_ref().map_or("", |message| &message.text)
    }

    #[test]
    fn every_word_must_be_found_in_any_case_and_in_any_text() {
        assert!(has("Redis LOCK", &["redis.lock", "a lock holds"]) && has("", &[]));
        assert!(has("ÄRGER", &["ärger"]));
        assert!(!has("redis gone", &["redis.lock", "a lock holds"]));
    }

    #[test]
    fn while_a_filter_is_typed_no_key_does_anything_else() {
        let mut model = sample::model();
        assert_eq!(type_in(&mut model, "/qrab"), None);
        assert_eq!((model.filter.as_str(), &model.screen), ("qrab", &Screen::Home));
        press(&mut model, KeyCode::Backspace);
        assert_eq!(model.filter, "qra");
        press(&mut model, KeyCode::Esc);
        assert!(model.typing.is_none() && model.filter.is_empty());
    }

    #[test]
    fn n_goes_to_the_next_match_until_the_filter_is_given_up() {
        let mut model = sample::model();
        type_in(&mut model, "/memory\nn");
        assert_eq!(here(&model), "performance");
        type_in(&mut model, "n");
        assert_eq!(here(&model), "performance", "the only one that matches");
        press(&mut model, KeyCode::Esc);
        assert!(model.filter.is_empty(), "esc gives up the filter first");
        type_in(&mut model, "n");
        assert_ne!(here(&model), "performance");
        type_in(&mut model, "/nothing has this\nn");
        assert_eq!(said(&model), "nothing matches \"nothing has this\"");
    }

    #[test]
    fn n_walks_through_the_checks_that_match_from_one_integration_to_the_next() {
        let mut model = sample::model();
        type_in(&mut model, "1\n/connect\nn");
        let check = model.check().unwrap().id.to_string();
        type_in(&mut model, "n");
        let next = model.check().unwrap().id.to_string();
        assert!(check.contains("connect") || check.contains("redis"), "{check}");
        assert_ne!(check, next);
    }

    #[test]
    fn a_command_is_found_by_name_or_meaning_and_runs_what_its_key_would() {
        let mut model = sample::model();
        let asked = type_in(&mut model, ":recheck-all\n");
        assert_eq!(asked, Some(Effect::Send(crate::engine::Command::Recheck(Selection::All))));
        assert!(model.typing.is_none());
        assert_eq!(type_in(&mut model, ":quit\n"), Some(Effect::Quit));
        type_in(&mut model, ":frozen?\n");
        assert_eq!(said(&model), "there is no command \"frozen?\"");
        type_in(&mut model, ":freeze\n");
        assert!(model.frozen.is_some());
    }

    #[test]
    fn what_does_not_work_here_is_found_and_says_so() {
        let mut model = sample::model();
        type_in(&mut model, ":stop\n");
        assert_eq!(said(&model), "stop has nothing to act on here");
    }

    #[test]
    fn arrows_choose_and_tab_writes_the_name_out() {
        let mut model = sample::model();
        type_in(&mut model, ":re");
        press(&mut model, KeyCode::Down);
        let Some(Typing::Command(command)) = model.typing.clone() else { panic!() };
        let second = command.meant(&model)[1].row.name;
        press(&mut model, KeyCode::Tab);
        let Some(Typing::Command(command)) = &model.typing else { panic!() };
        assert_eq!((command.text.as_str(), command.row), (second, 0));
        for _ in 0..99 {
            press(&mut model, KeyCode::Down);
        }
        press(&mut model, KeyCode::Esc);
        assert_eq!(press(&mut model, KeyCode::Char('q')), Some(Effect::Quit));
    }

    #[test]
    fn a_letter_that_the_help_has_no_key_for_searches_it() {
        let mut model = sample::model();
        type_in(&mut model, "?base");
        assert_eq!((model.sought.as_str(), model.help), ("base", Some(0)));
        type_in(&mut model, "q");
        assert_eq!(model.sought, "baseq", "q is a letter now");
        press(&mut model, KeyCode::Esc);
        assert!(model.sought.is_empty() && model.help.is_some());
        press(&mut model, KeyCode::Esc);
        assert!(model.help.is_none());
        type_in(&mut model, "?/q");
        assert_eq!(model.sought, "q");
    }

    #[test]
    fn ctrl_c_closes_the_line_and_nothing_more() {
        let control = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        for begin in ["/x", ":x", "?x"] {
            let mut model = sample::model();
            type_in(&mut model, begin);
            let effect = super::super::update(&mut model, super::super::Msg::Key(control));
            assert_eq!((effect, model.typing.is_none()), (None, true), "{begin}");
        }
    }
}
