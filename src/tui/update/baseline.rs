//! Taking a baseline: what is shown is compared with it from then on.

use super::Effect;
use crate::{domain::Baseline, engine::Command, tui::model::Model, units};

/// Takes one now, under the name of what is deployed, or else of the moment.
pub(super) fn take(model: &mut Model) -> Effect {
    let version = model.live.app.as_ref().and_then(|app| app.version.clone());
    let usable = version.filter(|version| Baseline::is_name(version));
    let name = usable.unwrap_or_else(|| units::moment(model.wall()));
    model.say(format!("baseline {name} taken; only what is seen afterwards counts"));
    Effect::Send(Command::Baseline(name))
}

#[cfg(test)]
mod tests {
    use crate::{
        domain::App,
        engine::Command,
        tui::{
            model::Model,
            sample,
            update::{Effect, tests::press},
        },
    };
    use crossterm::event::KeyCode;
    use std::sync::Arc;

    fn named(model: &mut Model) -> String {
        match press(model, KeyCode::Char('b')) {
            Some(Effect::Send(Command::Baseline(name))) => name,
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn a_baseline_is_called_like_the_version_or_the_moment() {
        let mut model = sample::model();
        let by_moment = named(&mut model);
        assert!(by_moment.starts_with("2026-11-2") && by_moment.len() == 16, "{by_moment}");
        for (version, usable) in [("4f2c1d9", true), (&*"v".repeat(70), false)] {
            let mut snapshot = (*model.live).clone();
            snapshot.app = Some(App { name: "api".into(), version: Some(version.into()) });
            model.live = Arc::new(snapshot);
            assert_eq!(named(&mut model) == version, usable, "{version}");
        }
        assert!(model.message.is_some_and(|it| it.text.contains("only what is seen afterwards")));
    }

    #[test]
    fn what_is_held_is_no_baseline() {
        let mut model = sample::model();
        press(&mut model, KeyCode::Char(' '));
        assert_eq!(press(&mut model, KeyCode::Char('b')), None);
    }
}
