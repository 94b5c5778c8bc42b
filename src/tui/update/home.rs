use super::{Direction, Effect, jump, moved, recheck, sought};
use crate::{
    domain::{CheckId, IntegrationView},
    engine::Selection,
    tui::{
        keymap::{Local, Step},
        model::{Model, Screen},
    },
};

/// What a key does on the home screen.
pub(super) fn act(model: &mut Model, action: Local) -> Option<Effect> {
    match action {
        Local::Open => open(model),
        Local::Recheck => {
            let id = model.integration()?.id.clone();
            return Some(recheck::ask(model, Selection::Integration(id)));
        }
        Local::Move(step) => go(model, step),
        Local::Jump(number) => {
            if let Some(id) = jump(model, number) {
                model.selected = Some(id);
            }
        }
        Local::NextFailure | Local::PreviousFailure => next(model, Direction::of(action)),
        Local::Start | Local::Abort => {}
    }
    None
}

fn go(model: &mut Model, step: Step) {
    let stops = model.stops();
    let here = stops.iter().position(|at| *at == model.row()).unwrap_or(0);
    let to = stops.get(moved(here, stops.len(), step, model.size.height));
    let view = to.and_then(|at| model.snapshot().integrations.get(*at));
    model.selected = view.map(|view| view.id.clone());
}

fn next(model: &mut Model, order: Direction) {
    let views = &model.snapshot().integrations;
    let fails = |at: usize| views[at].checks.iter().any(|check| model.stands_out(check));
    let wanted = |at: usize| if model.filters() { model.wants_view(&views[at]) } else { fails(at) };
    match sought(model.row(), views.len(), order, wanted) {
        Some(at) => model.selected = Some(views[at].id.clone()),
        None => model.say(none(model)),
    }
}

/// That there is no next one.
pub(super) fn none(model: &Model) -> String {
    if model.filters() {
        format!("nothing matches {:?}", model.filter.trim())
    } else {
        "nothing fails".into()
    }
}

fn open(model: &mut Model) {
    let first = model.integration().and_then(foremost);
    model.screen = Screen::Integration(first);
}

/// The check that explains an integration best.
pub(super) fn foremost(view: &IntegrationView) -> Option<CheckId> {
    view.worst().map(|check| check.id.clone())
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::{CheckId, IntegrationId},
        engine::{Command, Selection},
        tui::{
            model::{Model, Screen},
            sample,
            update::{Effect, tests::press},
        },
    };
    use crossterm::event::KeyCode;

    fn here(model: &Model) -> &str {
        model.selected.as_ref().map_or("", IntegrationId::as_str)
    }

    #[test]
    fn r_asks_for_the_selected_integration_and_capital_r_for_all() {
        let mut model = sample::model();
        press(&mut model, KeyCode::Down);
        let asked = press(&mut model, KeyCode::Char('r'));
        let database = Selection::Integration(IntegrationId::new("database").unwrap());
        assert_eq!(asked, Some(Effect::Send(Command::Recheck(database))));
        assert_eq!(model.message.as_ref().unwrap().text, "re-check of database asked");
        let all = Some(Effect::Send(Command::Recheck(Selection::All)));
        assert_eq!(press(&mut model, KeyCode::Char('R')), all);
        assert_eq!(press(&mut model, KeyCode::F(5)), all);
    }

    #[test]
    fn arrows_letters_and_digits_move() {
        let mut model = sample::model();
        let moves = [
            (KeyCode::Char('j'), "database"),
            (KeyCode::Down, "monitoring"),
            (KeyCode::Up, "database"),
            (KeyCode::Char('G'), "resilience"),
            (KeyCode::Char('k'), "performance"),
            (KeyCode::Home, "redis"),
            (KeyCode::Char('4'), "apis"),
            (KeyCode::Char('9'), "apis"),
        ];
        for (code, expected) in moves {
            press(&mut model, code);
            assert_eq!(here(&model), expected, "{code}");
        }
        assert_eq!(model.message.unwrap().text, "there is no integration 9");
    }

    #[test]
    fn n_goes_to_the_next_that_stands_out_and_round() {
        let mut model = sample::model();
        let mut seen = Vec::new();
        for _ in 0..4 {
            press(&mut model, KeyCode::Char('n'));
            seen.push(here(&model).to_owned());
        }
        assert_eq!(seen, ["database", "monitoring", "apis", "redis"]);
        press(&mut model, KeyCode::Char('N'));
        assert_eq!(here(&model), "apis");
    }

    #[test]
    fn enter_opens_at_the_check_that_explains_the_row() {
        let mut model = sample::model();
        press(&mut model, KeyCode::Char('4'));
        press(&mut model, KeyCode::Enter);
        let google = CheckId::try_from("apis.google".to_owned()).unwrap();
        assert_eq!(model.screen, Screen::Integration(Some(google)));
    }
}
