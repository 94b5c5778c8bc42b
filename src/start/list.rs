use super::{Failure, Session, print, select};
use crate::{
    cli::{Global, List, ListFormat},
    probe::Integration,
    surface::{
        catalogue::{self, Entry},
        gate,
    },
};

/// `tminus list`: every check that a run would have. Connects to nothing.
pub(super) fn run(global: &Global, asked: &List) -> Result<u8, Failure> {
    let mut session = Session::read(global)?;
    let integrations = select(std::mem::take(&mut session.integrations), &asked.selection)?;
    session.tell_warnings();
    let entries: Vec<Entry> =
        integrations.iter().flat_map(|it| entries(&session, it.as_ref())).collect();
    let mut text = match asked.format {
        ListFormat::Human => catalogue::human(&entries),
        ListFormat::Json => catalogue::json(&entries),
    };
    session.redactor.scrub(&mut text);
    print(&text)?;
    Ok(gate::GO)
}

fn entries(
    session: &Session,
    integration: &dyn Integration,
) -> impl Iterator<Item = Entry> + use<> {
    let (id, target) = (integration.id().clone(), integration.target().name);
    session.specs(integration).into_iter().map(move |spec| Entry::new(&id, &target, spec))
}
