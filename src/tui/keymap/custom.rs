//! The keys that a user wants in the place of ours.

use super::{Action, KEYMAP, Key, Keymap};
use crossterm::event::{KeyCode, KeyModifiers};

/// Keys whose name is longer than what they print.
const NAMED: [(&str, KeyCode); 16] = [
    ("space", KeyCode::Char(' ')),
    ("enter", KeyCode::Enter),
    ("esc", KeyCode::Esc),
    ("tab", KeyCode::Tab),
    ("backtab", KeyCode::BackTab),
    ("backspace", KeyCode::Backspace),
    ("delete", KeyCode::Delete),
    ("insert", KeyCode::Insert),
    ("up", KeyCode::Up),
    ("down", KeyCode::Down),
    ("left", KeyCode::Left),
    ("right", KeyCode::Right),
    ("home", KeyCode::Home),
    ("end", KeyCode::End),
    ("pgup", KeyCode::PageUp),
    ("pgdn", KeyCode::PageDown),
];

/// What is wrong with the keys that a user wants.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyProblem {
    /// The entry that it is about.
    pub name: String,
    /// Another entry that it is about too.
    pub other: Option<String>,
    /// What it is and what is accepted.
    pub says: String,
}

/// A row of the table, for whoever prints it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyRow {
    /// What the settings and the palette call it.
    pub name: &'static str,
    /// Its keys, the one that is shown first.
    pub keys: Vec<String>,
    /// What it does.
    pub does: &'static str,
}

impl Keymap {
    /// The table, with `wanted` keys in the place of those of the rows that it names.
    ///
    /// # Errors
    ///
    /// Every name that there is not, every key that there is not, every key that would
    /// mean two things, and a table without a way out.
    pub fn with(wanted: &[(String, Vec<String>)]) -> Result<Self, Vec<KeyProblem>> {
        let mut map = Self::default();
        let mut problems = Vec::new();
        let mut chosen: Vec<&str> = Vec::new();
        for (name, keys) in wanted {
            let about = |says: String| KeyProblem { name: name.clone(), other: None, says };
            let Some(at) = KEYMAP.iter().position(|row| row.name == *name) else {
                problems.push(about("is no action; `tminus keys` names them".into()));
                continue;
            };
            let read: Vec<Option<Key>> = keys.iter().map(|key| Key::read(key)).collect();
            for key in keys.iter().zip(&read).filter(|(_, read)| read.is_none()).map(|it| it.0) {
                let says = format!("has {key:?}; a character, ctrl-r, F5, space, pgdn are keys");
                problems.push(about(says));
            }
            map.0[at] = read.into_iter().flatten().collect();
            chosen.push(name);
        }
        problems.extend(map.clashes(&chosen));
        let leaves = |action| {
            let row = KEYMAP.iter().position(|row| row.action == action);
            row.is_some_and(|at| !map.0[at].is_empty())
        };
        if !leaves(Action::Leave) && !leaves(Action::Quit) {
            let says = "and quit-now have no key, so that nobody could leave".into();
            problems.push(KeyProblem { name: "quit".into(), other: None, says });
        }
        if problems.is_empty() { Ok(map) } else { Err(problems) }
    }

    /// Every row, in the order of the help.
    pub fn rows(&self) -> impl Iterator<Item = KeyRow> + '_ {
        self.bound().map(|bound| KeyRow {
            name: bound.row.name,
            keys: bound.keys.iter().map(ToString::to_string).collect(),
            does: bound.row.help,
        })
    }

    /// Keys that two rows have. The one that the user wrote is to blame, or the later one.
    fn clashes(&self, chosen: &[&str]) -> Vec<KeyProblem> {
        let mut clashes = Vec::new();
        let all: Vec<_> = self.bound().collect();
        for (at, first) in all.iter().enumerate() {
            for second in &all[at + 1..] {
                for key in first.keys.iter().filter(|key| second.keys.contains(key)) {
                    let [a, b] = [first.row.name, second.row.name];
                    let (name, other) = if chosen.contains(&b) { (b, a) } else { (a, b) };
                    let ours = !chosen.contains(&other);
                    let says = if ours {
                        format!("has {key}, which is the key of {other}; give that one another")
                    } else {
                        format!("has {key}, and so has {other}")
                    };
                    let other = (!ours).then(|| other.to_owned());
                    clashes.push(KeyProblem { name: name.to_owned(), other, says });
                }
            }
        }
        clashes
    }
}

impl Key {
    /// A key as it is written; no Alt, which a slow line takes apart.
    fn read(text: &str) -> Option<Self> {
        let (modifiers, rest) = match text.strip_prefix("ctrl-") {
            Some(rest) => (KeyModifiers::CONTROL, rest),
            None => (KeyModifiers::NONE, text),
        };
        if let Some((_, code)) = NAMED.iter().find(|(name, _)| *name == rest) {
            return Some(Self(*code, modifiers));
        }
        let mut characters = rest.chars();
        match (characters.next(), characters.as_str()) {
            (Some(c), "") if !c.is_control() && c != ' ' => {
                // A terminal knows no ctrl with a capital letter.
                let usable = modifiers.is_empty() || c.is_ascii_lowercase();
                usable.then_some(Self(KeyCode::Char(c), modifiers))
            }
            (Some('F' | 'f'), number) if modifiers.is_empty() => {
                let number = number.parse().ok().filter(|number| (1..=12).contains(number))?;
                Some(Self(KeyCode::F(number), modifiers))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{keymap::lookup, sample};
    use std::sync::Arc;

    fn with(wanted: &[(&str, &[&str])]) -> Result<Keymap, Vec<KeyProblem>> {
        let own = |keys: &[&str]| keys.iter().map(ToString::to_string).collect();
        let wanted: Vec<_> =
            wanted.iter().map(|(name, keys)| ((*name).to_owned(), own(keys))).collect();
        Keymap::with(&wanted)
    }

    #[test]
    fn every_key_is_read_as_it_is_shown() {
        for key in KEYMAP.iter().flat_map(|row| row.keys) {
            assert_eq!(Key::read(&key.to_string()), Some(*key), "{key}");
        }
        for wrong in ["", "alt-x", "ctrl-", "ctrl-R", "ctrl-F5", "F0", "F13", "xx", "\u{7}", " "] {
            assert_eq!(Key::read(wrong), None, "{wrong:?}");
        }
    }

    #[test]
    fn a_wanted_key_takes_the_place_of_ours_and_the_footer_shows_it() {
        let mut model = sample::model();
        let map = with(&[("recheck", &["x", "ctrl-x"]), ("stop", &[])]).unwrap();
        model.keys = Arc::new(map);
        assert!(lookup(&model, KeyCode::Char('x').into()).is_some());
        assert_eq!(lookup(&model, KeyCode::Char('r').into()), None);
        let shown = crate::tui::picture::Picture::of(
            &model,
            &sample::look(),
            ratatui::layout::Size::new(80, 24),
        );
        assert!(shown.text().contains("x re-check"), "{}", shown.text());
    }

    #[test]
    fn a_key_that_would_mean_two_things_is_refused_with_both() {
        let both = with(&[("recheck", &["z"]), ("freeze", &["z"])]).unwrap_err();
        let [problem] = both.as_slice() else { panic!("{both:?}") };
        assert_eq!((problem.name.as_str(), problem.other.as_deref()), ("freeze", Some("recheck")));
        assert_eq!(problem.says, "has z, and so has recheck");
        let ours = with(&[("recheck", &["y"])]).unwrap_err();
        assert_eq!(ours[0].name, "recheck");
        assert_eq!(ours[0].says, "has y, which is the key of copy; give that one another");
        assert!(with(&[("recheck", &["y"]), ("copy", &["r"])]).is_ok(), "they change places");
    }

    #[test]
    fn what_there_is_not_is_named_and_there_is_a_way_out() {
        let unknown = with(&[("rechek", &["z"]), ("copy", &["alt-c"])]).unwrap_err();
        assert_eq!(unknown.len(), 2, "{unknown:?}");
        assert!(unknown[1].says.contains("\"alt-c\""), "{unknown:?}");
        let locked = with(&[("quit", &[]), ("quit-now", &[])]).unwrap_err();
        assert!(locked[0].says.contains("nobody could leave"), "{locked:?}");
        assert!(with(&[("quit", &[])]).is_ok());
    }
}
