//! Letting somebody answer for a blocker: a reason, then an end.

use super::{Effect, typing::edit};
use crate::{
    domain::{
        ACCEPTANCE_DAYS, Acceptance, Blocker, CheckId, LONGEST_ACCEPTANCE, SHORTEST_REASON,
        Timestamp,
    },
    engine::Command,
    tui::model::{Model, Screen, belongs},
    units,
};
use crossterm::event::{KeyCode, KeyEvent, KeyEventKind, KeyModifiers};

/// Characters of a reason that are taken.
const LONGEST_REASON: usize = 200;
/// What an end looks like, for whoever typed something else.
pub(crate) const ENDS: &str = "4h, 2d, 18:00 or 2026-12-31T18:00:00Z";

/// The question about a blocker that the user answers.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// The blocker's check and its label.
    pub(crate) check: CheckId,
    /// `B3`
    pub(crate) label: String,
    /// Whether somebody answers for it already.
    pub(crate) accepted: bool,
    /// Why it is acceptable, or is not any more.
    pub(crate) reason: String,
    /// Until when, once the reason is there.
    pub(crate) until: Option<String>,
    /// Why the last answer was not taken.
    pub(crate) wrong: Option<String>,
}

impl Prompt {
    fn about(blocker: &Blocker) -> Self {
        Self {
            check: blocker.check.clone(),
            label: blocker.label(),
            accepted: blocker.accepted.is_some(),
            reason: String::new(),
            until: None,
            wrong: None,
        }
    }

    /// What is being typed.
    pub(crate) fn typed(&self) -> &str {
        self.until.as_deref().unwrap_or(&self.reason)
    }

    fn text(&mut self) -> &mut String {
        self.wrong = None;
        self.until.as_mut().unwrap_or(&mut self.reason)
    }
}

/// Whether there is a blocker that somebody may answer for.
pub(crate) fn is_possible(model: &Model) -> bool {
    model.live.blockers.iter().any(Blocker::is_acceptable)
}

/// Asks about the blocker under the cursor, or the foremost of all; about one that
/// somebody answers for where there is no other.
pub(super) fn ask(model: &mut Model) {
    let here = |blocker: &&Blocker| match (model.under(), model.check()) {
        (Screen::Integration(_), Some(check)) => blocker.stands_at(&check.id),
        (_, _) => model.selected.as_ref().is_some_and(|id| belongs(&blocker.check, id)),
    };
    let all = || model.live.blockers.iter().filter(|blocker| blocker.is_acceptable());
    let open = || all().filter(|blocker| blocker.is_open());
    let under = open().find(here).or_else(|| all().find(here));
    let found = under.or_else(|| open().next()).or_else(|| all().next());
    model.prompt = found.map(Prompt::about);
}

/// What a key does while the question stands; nothing else hears it.
pub(super) fn press(model: &mut Model, event: KeyEvent) -> Option<Effect> {
    if event.kind == KeyEventKind::Release {
        return None;
    }
    let prompt = model.prompt.as_mut()?;
    let control = event.modifiers.contains(KeyModifiers::CONTROL);
    match (event.code, control) {
        (KeyCode::Esc, _) | (KeyCode::Char('c'), true) => model.prompt = None,
        (KeyCode::Char('l'), true) => return Some(Effect::Redraw),
        (KeyCode::Char('z'), true) => return Some(Effect::Suspend),
        (KeyCode::Up, _) => another(model, false),
        (KeyCode::Down, _) => another(model, true),
        (KeyCode::Enter, _) => return go_on(model),
        _ => {
            edit(prompt.text(), event, LONGEST_REASON);
        }
    }
    None
}

/// Moves the question to the next blocker, or the one before; what was typed stays.
fn another(model: &mut Model, onwards: bool) {
    let Some(prompt) = &mut model.prompt else { return };
    let all: Vec<&Blocker> = model.live.blockers.iter().filter(|it| it.is_acceptable()).collect();
    let Some(count) = Some(all.len()).filter(|count| *count > 0) else { return };
    let here = all.iter().position(|it| it.check == prompt.check).unwrap_or(0);
    let next = if onwards { (here + 1) % count } else { (here + count - 1) % count };
    let Prompt { check, label, accepted, .. } = Prompt::about(all[next]);
    (prompt.check, prompt.label, prompt.accepted) = (check, label, accepted);
}

fn go_on(model: &mut Model) -> Option<Effect> {
    let now = model.wall();
    let prompt = model.prompt.as_mut()?;
    let reason = prompt.reason.trim().to_owned();
    let Some(typed) = prompt.until.clone() else {
        if reason.chars().count() < SHORTEST_REASON {
            prompt.wrong = Some(format!("a reason has {SHORTEST_REASON} characters or more"));
        } else {
            prompt.until = Some(String::new());
        }
        return None;
    };
    match end(&typed, now, prompt.accepted) {
        Err(wrong) => {
            prompt.wrong = Some(wrong);
            None
        }
        Ok(until) => {
            let check = prompt.check.clone();
            model.prompt = None;
            model.say(if until > now {
                format!("{check} is accepted until {}", units::moment(until))
            } else {
                format!("{check} is not accepted any more")
            });
            let owner = model.user.clone();
            let acceptance = Acceptance { check, pattern: None, reason, owner, until };
            Some(Effect::Send(Command::Accept(acceptance)))
        }
    }
}

/// Until when; now takes back what was said before.
fn end(typed: &str, now: Timestamp, accepted: bool) -> Result<Timestamp, String> {
    if accepted && typed.trim() == "now" {
        return Ok(now);
    }
    let until = units::end(typed, now).ok_or_else(|| format!("an end is {ENDS}"))?;
    if until <= now {
        return Err("that is over already".into());
    }
    if until > now.after(LONGEST_ACCEPTANCE) {
        return Err(format!("{ACCEPTANCE_DAYS} days at most: what lasts longer is to be mended"));
    }
    Ok(until)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{
        sample,
        update::{Msg, tests::press, update},
    };
    use std::sync::Arc;

    fn write(model: &mut Model, text: &str) -> Option<Effect> {
        text.chars().fold(None, |_, c| match c {
            '\n' => press(model, KeyCode::Enter),
            c => press(model, KeyCode::Char(c)),
        })
    }

    fn label(model: &Model) -> &str {
        model.prompt.as_ref().map_or("", |prompt| &prompt.label)
    }

    #[test]
    fn a_blocker_is_accepted_with_a_reason_and_an_end() {
        let mut model = sample::model();
        model.user = Some("anna".into());
        write(&mut model, "2a");
        assert_eq!(label(&model), "B4", "that of the selected row");
        let sent = write(&mut model, "moved to web-4 tonight\n4h\n");
        let Some(Effect::Send(Command::Accept(acceptance))) = sent else { panic!("{sent:?}") };
        assert_eq!(acceptance.check.as_str(), "database.connect");
        assert_eq!(acceptance.reason, "moved to web-4 tonight");
        assert_eq!(acceptance.until.0 - model.wall().0, 4 * 3_600_000);
        assert_eq!(acceptance.owner.as_deref(), Some("anna"));
        assert!(model.prompt.is_none());
    }

    #[test]
    fn what_is_no_reason_and_no_end_is_said_and_can_be_mended() {
        let mut model = sample::model();
        let wrong = |model: &Model| model.prompt.as_ref().unwrap().wrong.clone().unwrap();
        assert_eq!(write(&mut model, "ashort\n"), None);
        assert!(wrong(&model).starts_with("a reason has 10"));
        assert_eq!(write(&mut model, " but now it is long enough\nnever\n"), None);
        assert!(wrong(&model).starts_with("an end is 4h"));
        update(&mut model, Msg::Key(KeyEvent::new(KeyCode::Char('u'), KeyModifiers::CONTROL)));
        assert_eq!(write(&mut model, "31d\n"), None);
        assert!(wrong(&model).starts_with("30 days"));
        for _ in 0..3 {
            press(&mut model, KeyCode::Backspace);
        }
        assert!(write(&mut model, "1d\n").is_some());
    }

    #[test]
    fn what_somebody_answers_for_can_be_taken_back() {
        let mut model = sample::model();
        let mut snapshot = (*model.live).clone();
        snapshot.blockers.retain(|it| it.check.as_str() == "database.connect");
        write(&mut model, "2aanother reason\nnow\n");
        let wrong = model.prompt.take().unwrap().wrong.unwrap();
        assert!(wrong.starts_with("an end is 4h"), "nobody answers for it yet: {wrong}");
        let until = model.wall().after(std::time::Duration::from_hours(1));
        let check = snapshot.blockers[0].check.clone();
        let (reason, owner) = ("moved to web-4 tonight".into(), None);
        snapshot.blockers[0].accepted =
            Some(Acceptance { check, pattern: None, reason, owner, until });
        model.live = Arc::new(snapshot);
        assert!(is_possible(&model));
        let sent = write(&mut model, "ait was not moved\nnow\n");
        let Some(Effect::Send(Command::Accept(acceptance))) = sent else { panic!("{sent:?}") };
        assert_eq!(acceptance.until, model.wall(), "it ends at once");
        assert!(model.message.as_ref().unwrap().text.ends_with("is not accepted any more"));
    }

    #[test]
    fn while_it_is_asked_no_key_means_anything_else() {
        let mut model = sample::model();
        write(&mut model, "aqQr R?t1");
        assert_eq!(model.prompt.as_ref().unwrap().reason, "qQr R?t1");
        press(&mut model, KeyCode::Down);
        assert_eq!(label(&model), "B4", "the next one");
        press(&mut model, KeyCode::Down);
        assert_eq!(label(&model), "B1", "round");
        let interrupt = KeyEvent::new(KeyCode::Char('c'), KeyModifiers::CONTROL);
        assert_eq!(update(&mut model, Msg::Key(interrupt)), None, "it only ends the question");
        assert!(model.prompt.is_none());
        write(&mut model, "a");
        press(&mut model, KeyCode::Esc);
        assert!(model.prompt.is_none());
    }

    #[test]
    fn where_nothing_can_be_accepted_nothing_is_asked() {
        let mut model = sample::model();
        let mut snapshot = (*model.live).clone();
        snapshot.blockers.retain(|it| it.stands == crate::domain::Stands::Checklist);
        model.live = Arc::new(snapshot);
        write(&mut model, "a");
        assert!(model.prompt.is_none() && !is_possible(&model));
    }
}
