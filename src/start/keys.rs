use super::{Failure, Session, print};
use crate::{
    cli::{Global, Keys, ListFormat},
    surface::gate,
    tui::KeyRow,
};
use serde_json::json;

/// `tminus keys`: every key of the console, with what the file changes about them.
pub(super) fn run(global: &Global, asked: Keys) -> Result<u8, Failure> {
    let session = Session::read(global)?;
    session.tell_warnings();
    let rows: Vec<KeyRow> = session.config.keys.rows().collect();
    let mut text = match asked.format {
        ListFormat::Human => human(&rows),
        ListFormat::Json => {
            let rows: Vec<_> = rows
                .iter()
                .map(|row| json!({ "name": row.name, "keys": row.keys, "does": row.does }))
                .collect();
            // Every key in it is a text, so it cannot fail.
            serde_json::to_string_pretty(&rows).unwrap_or_default() + "\n"
        }
    };
    session.redactor.scrub(&mut text);
    print(&text)?;
    Ok(gate::GO)
}

/// The name for `[keys]`, the keys, and what they do.
fn human(rows: &[KeyRow]) -> String {
    let lines = rows.iter().map(|row| {
        let keys = match row.keys.as_slice() {
            [] => "none".to_owned(),
            [first, .., last] if row.keys.len() > 3 => format!("{first}-{last}"),
            keys => keys.join(" "),
        };
        format!("{:<14}{keys:<14}{}\n", row.name, row.does)
    });
    lines.collect()
}
