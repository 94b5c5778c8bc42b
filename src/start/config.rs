use super::{Failure, Session, print};
use crate::{
    cli::{About, Global},
    config::{World, locate, schema},
    probe::Integration,
    surface::gate,
};
use std::fmt::Write as _;

/// `tminus config …`: says what holds and where it comes from. Connects to nothing.
pub(super) fn run(global: &Global, about: About) -> Result<u8, Failure> {
    let mut text = match about {
        About::Schema => schema(),
        About::Path => locate(global.config.as_deref(), &World).to_string(),
        About::Check => {
            let session = Session::read(global)?;
            session.tell_warnings();
            checked(&session)
        }
        About::Show => {
            let session = Session::read(global)?;
            session.tell_warnings();
            let mut text = session.config.sheet.show(session.config.file.as_deref());
            session.redactor.scrub(&mut text);
            text
        }
    };
    if !text.ends_with('\n') {
        text.push('\n');
    }
    print(&text)?;
    Ok(gate::GO)
}

/// Each integration and where its settings come from.
fn checked(session: &Session) -> String {
    let mut text = match &session.config.file {
        Some(file) => format!("{} is usable.\n", file.display()),
        None => "There is no file; the environment and the defaults are usable.\n".into(),
    };
    let ids = session.integrations.iter().map(|it| it.id().as_str().len());
    let width = ids.max().unwrap_or(0);
    for integration in &session.integrations {
        let (id, sources) = (integration.id().as_str(), sources(session, integration.as_ref()));
        // Writing to a String cannot fail.
        let _infallible = writeln!(text, "  {id:width$}  {sources}");
    }
    text
}

fn sources(session: &Session, integration: &dyn Integration) -> String {
    let id = integration.id();
    let table = crate::config::table_of(id);
    let sources = session.config.sheet.sources(table, id.name());
    if sources.is_empty() { "nothing set: the defaults hold".into() } else { sources.join(", ") }
}
