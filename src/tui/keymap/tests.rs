use super::*;
use crate::tui::sample;

fn bound(row: &'static Binding) -> Bound<'static> {
    Bound { row, keys: row.keys }
}

#[test]
fn no_key_means_two_things() {
    let mut seen = Vec::new();
    for key in KEYMAP.iter().flat_map(|binding| binding.keys) {
        assert!(!seen.contains(&key), "{key} is bound twice");
        seen.push(key);
    }
}

#[test]
fn no_key_needs_alt_and_every_function_key_has_a_twin() {
    for binding in KEYMAP {
        assert!(!binding.help.is_empty() && !binding.keys.is_empty());
        let twins = binding.keys.iter().filter(|key| !matches!(key.0, KeyCode::F(_)));
        assert!(twins.count() > 0, "{}", binding.help);
        assert!(binding.keys.iter().all(|key| !key.1.contains(KeyModifiers::ALT)));
    }
}

#[test]
fn every_clause_fits_half_of_eighty_columns_beside_its_keys() {
    for binding in KEYMAP {
        assert!(binding.help.len() <= 24, "{}", binding.help);
        assert!(bound(binding).shown().len() <= 13, "{}", bound(binding).shown());
    }
}

#[test]
fn a_key_means_the_same_with_and_without_shift_and_nothing_when_released() {
    let model = sample::model();
    let press = |modifiers| KeyEvent::new(KeyCode::Char('R'), modifiers);
    assert_eq!(lookup(&model, press(KeyModifiers::NONE)), Some(Action::RecheckAll));
    assert_eq!(lookup(&model, press(KeyModifiers::SHIFT)), Some(Action::RecheckAll));
    assert_eq!(lookup(&model, press(KeyModifiers::ALT)), None);
    let released = KeyEvent { kind: KeyEventKind::Release, ..press(KeyModifiers::NONE) };
    assert_eq!(lookup(&model, released), None);
}

#[test]
fn the_digits_jump_and_other_keys_do_nothing() {
    let model = sample::model();
    let press = |code: KeyCode| lookup(&model, code.into());
    assert_eq!(press(KeyCode::Char('4')), Some(Action::Here(Local::Jump(4))));
    assert_eq!(press(KeyCode::Char('0')), None);
    for code in [KeyCode::Char('x'), KeyCode::F(9), KeyCode::Insert, KeyCode::Char('é')] {
        assert_eq!(press(code), None, "{code}");
    }
}

#[test]
fn a_key_that_has_nothing_to_act_on_does_nothing() {
    let empty = Model::new(std::sync::Arc::default());
    assert_eq!(lookup(&empty, KeyCode::Char('r').into()), None);
    assert_eq!(lookup(&empty, KeyCode::Char('q').into()), Some(Action::Leave));
    let mut helped = sample::model();
    helped.help = Some(0);
    assert_eq!(lookup(&helped, KeyCode::Char('r').into()), None);
    assert_eq!(lookup(&helped, KeyCode::Esc.into()), Some(Action::Back));
}

/// The readme's table says what this one does.
#[test]
fn the_readme_names_every_key_and_what_it_does() {
    let readme = include_str!("../../../README.md");
    let table = readme.split("\n## Keys\n").nth(1).unwrap().split("\n## ").next().unwrap();
    for binding in KEYMAP {
        let keys: Vec<String> = match binding.keys {
            [first, .., last] if binding.keys.len() > 3 => {
                vec![format!("`{first}`–`{last}`")]
            }
            keys => keys.iter().map(|key| format!("`{key}`")).collect(),
        };
        let row = table.lines().find(|row| keys.iter().all(|key| row.contains(key)));
        let row = row.unwrap_or_else(|| panic!("no row of the readme has {keys:?}"));
        assert!(row.contains(binding.help), "{row} does not say {:?}", binding.help);
    }
}

#[test]
fn keys_are_shown_as_they_are_printed_on_a_keyboard() {
    let shown: Vec<String> = Keymap::default().bound().map(|it| it.shown()).collect();
    for expected in ["enter", "R ctrl-r F5", "space", "1-9", "down j", "pgdn ctrl-d", "esc"] {
        assert!(shown.iter().any(|shown| shown == expected), "{expected}: {shown:?}");
    }
}
