use super::{Direction, Effect, home::foremost, jump, moved, recheck, sought};
use crate::{
    domain::{CheckId, IntegrationId},
    engine::Selection,
    tui::{
        keymap::{Local, Step},
        model::{Model, Screen},
    },
};

/// What a key does on the screen of one integration.
pub(super) fn act(model: &mut Model, action: Local) -> Option<Effect> {
    match action {
        Local::Recheck => {
            let id = model.check()?.id.clone();
            return Some(recheck::ask(model, Selection::Check(id)));
        }
        Local::Move(step) => go(model, step),
        Local::Jump(number) => {
            if let Some(id) = jump(model, number) {
                show(model, id);
            }
        }
        Local::NextFailure | Local::PreviousFailure => next(model, Direction::of(action)),
        Local::Open | Local::Start | Local::Abort => {}
    }
    None
}

fn show(model: &mut Model, id: IntegrationId) {
    model.selected = Some(id);
    model.screen = Screen::Integration(model.integration().and_then(foremost));
}

fn go(model: &mut Model, step: Step) {
    let Some(view) = model.integration() else { return };
    let to = moved(model.check_row(), view.checks.len(), step, model.size.height);
    let id = view.checks.get(to).map(|check| check.id.clone());
    model.screen = Screen::Integration(id);
}

/// Walks through the checks that stand out, from one integration into the next.
fn next(model: &mut Model, order: Direction) {
    let all: Vec<(&IntegrationId, &CheckId, bool)> = model
        .snapshot()
        .integrations
        .iter()
        .flat_map(|view| view.checks.iter().map(move |check| (&view.id, check)))
        .map(|(id, check)| (id, &check.id, model.stands_out(check)))
        .collect();
    let here = model.check().map(|check| &check.id);
    let row = all.iter().position(|(_, check, _)| Some(*check) == here).unwrap_or(0);
    match sought(row, all.len(), order, |at| all[at].2) {
        Some(at) => {
            let (id, check) = (all[at].0.clone(), all[at].1.clone());
            model.selected = Some(id);
            model.screen = Screen::Integration(Some(check));
        }
        None => model.say("nothing fails"),
    }
}

#[cfg(test)]
mod tests {
    use crate::{
        engine::{Command, Selection},
        tui::{
            model::Model,
            sample,
            update::{Effect, tests::press},
        },
    };
    use crossterm::event::KeyCode;

    fn opened(number: char) -> Model {
        let mut model = sample::model();
        press(&mut model, KeyCode::Char(number));
        press(&mut model, KeyCode::Enter);
        model
    }

    fn here(model: &Model) -> &str {
        model.check().map_or("", |check| check.id.as_str())
    }

    #[test]
    fn r_asks_for_the_selected_check_only() {
        let mut model = opened('2');
        press(&mut model, KeyCode::Char('g'));
        press(&mut model, KeyCode::Char('j'));
        let asked = press(&mut model, KeyCode::Char('r'));
        let Some(Effect::Send(Command::Recheck(Selection::Check(id)))) = asked else {
            panic!("{asked:?}")
        };
        assert_eq!(id.as_str(), "database.query");
    }

    #[test]
    fn moving_stays_inside_the_integration() {
        let mut model = opened('2');
        press(&mut model, KeyCode::End);
        assert_eq!(here(&model), "database.errors");
        press(&mut model, KeyCode::Down);
        assert_eq!(here(&model), "database.errors");
        press(&mut model, KeyCode::Char('g'));
        assert_eq!(here(&model), "database.connect");
    }

    #[test]
    fn n_walks_from_one_integration_into_the_next() {
        let mut model = opened('2');
        press(&mut model, KeyCode::Char('g'));
        let mut seen = Vec::new();
        for _ in 0..5 {
            press(&mut model, KeyCode::Char('n'));
            seen.push(here(&model).to_owned());
        }
        let expected = [
            "database.pool",
            "database.transactions",
            "database.errors",
            "monitoring.rules",
            "monitoring.connect",
        ];
        assert_eq!(seen, expected);
        press(&mut model, KeyCode::Char('N'));
        assert_eq!(here(&model), "monitoring.rules");
    }

    #[test]
    fn a_digit_opens_another_integration() {
        let mut model = opened('2');
        press(&mut model, KeyCode::Char('4'));
        assert_eq!(here(&model), "apis.google");
    }
}
