use super::*;
use crate::tui::sample;

#[test]
fn the_selection_follows_its_integration_through_a_reorder() {
    let mut model = sample::model();
    model.selected = Some(IntegrationId::new("apis").unwrap());
    assert_eq!(model.row(), 3);
    let mut snapshot = (*model.live).clone();
    snapshot.integrations.reverse();
    model.live = Arc::new(snapshot);
    assert_eq!(model.row(), 2);
    assert_eq!(model.integration().unwrap().id.as_str(), "apis");
}

#[test]
fn a_selection_that_is_gone_falls_back_to_the_first() {
    let mut model = sample::model();
    model.selected = Some(IntegrationId::new("gone").unwrap());
    assert_eq!(model.row(), 0);
    let nothing = Model::new(Arc::default());
    assert!(nothing.integration().is_none() && nothing.check().is_none());
}

#[test]
fn silence_of_the_engine_turns_any_verdict_into_hold() {
    let mut model = sample::model();
    assert_eq!((model.standing(), model.word()), (Standing::Live, Word::NoGo));
    model.since = Duration::from_secs(22); // twice the cadence and a timeout
    assert_eq!(model.standing(), Standing::Live);
    model.since = Duration::from_secs(23);
    assert_eq!(model.standing(), Standing::Stale(model.since));
    assert_eq!(model.word(), Word::Hold);
    let paused = Snapshot { paused: true, ..(*model.live).clone() };
    model.live = Arc::new(paused);
    assert_eq!(model.standing(), Standing::Paused, "a pause is not silence");
}

#[test]
fn ages_move_in_calm_steps() {
    let mut model = sample::model();
    let then = model.live.at;
    let mut ages = Vec::new();
    for second in 0..12 {
        model.since = Duration::from_secs(second);
        ages.push(model.age(then).as_secs());
    }
    ages.dedup();
    assert!(ages.len() <= 4, "{ages:?}");
}

#[test]
fn a_check_belongs_to_one_instance_only() {
    let id = IntegrationId::named("redis", "a").unwrap();
    assert!(belongs(&id.check("lock"), &id));
    assert!(!belongs(&IntegrationId::named("redis", "ab").unwrap().check("lock"), &id));
    assert!(!belongs(&IntegrationId::new("redis").unwrap().check("lock"), &id));
}
