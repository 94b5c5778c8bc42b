//! `tminus --screenshot`: the console as a picture, without a terminal.

use super::{
    Failure, Session,
    check::unwritten,
    console::themed,
    look::{For, Looked, look},
    tell,
};
use crate::{
    cli::{Global, Picture as Asked, PicturePaper},
    config::{Color, Glyphs},
    surface::gate,
    tui::{self, Depth, Look, Palette, Paper, Picture, model::Model},
};
use ratatui::layout::Size;
use std::{fs, path::Path};

/// How a picture is written.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Kind {
    Svg,
    Text,
}

/// Looks once, draws what it found into `path`, and returns the verdict as exit code.
pub(super) async fn run(global: &Global, asked: &Asked, path: &Path) -> Result<u8, Failure> {
    let kind = Kind::of(path)?;
    let mut session = Session::open(global)?;
    let snapshot = match look(&mut session, &[], For::Telling).await? {
        Looked::At(snapshot) => snapshot,
        Looked::Interrupted(signal) => {
            tell("tminus: interrupted, so there is no picture");
            return Ok(gate::interrupted(signal));
        }
    };
    let word = snapshot.verdict.word;
    let size = Size::new(asked.size.columns, asked.size.rows);
    let mut picture = Picture::of(&Model::new(snapshot), &drawn_with(&session), size);
    picture.clean(|text| session.redactor.scrub(text));
    let paper = match asked.paper {
        PicturePaper::Dark => Paper::Dark,
        PicturePaper::Light => Paper::Light,
    };
    let text = match kind {
        Kind::Svg => picture.svg(paper),
        Kind::Text => picture.text(),
    };
    fs::write(path, text).map_err(|error| unwritten(path, &error))?;
    Ok(gate::exit_code(word))
}

impl Kind {
    fn of(path: &Path) -> Result<Self, Failure> {
        match path.extension().and_then(|it| it.to_str()) {
            Some("svg") => Ok(Self::Svg),
            Some("txt") => Ok(Self::Text),
            Some(_) | None => {
                let why = format!("{} ends neither with .svg nor with .txt", path.display());
                Err(Failure::unusable("the picture cannot be drawn", why)
                    .hint("name the file so that its end says how it is written"))
            }
        }
    }
}

/// A file has no terminal whose limits count: only what was chosen does.
fn drawn_with(session: &Session) -> Look {
    let chosen = &session.config.console;
    let glyphs = match chosen.glyphs {
        Glyphs::Auto | Glyphs::Unicode => tui::Glyphs::UNICODE,
        Glyphs::Ascii => tui::Glyphs::ASCII,
    };
    let palette = match chosen.color {
        Color::Auto | Color::Always => themed(chosen.theme, Depth::Any),
        Color::Never => Palette::Plain,
    };
    Look { palette, glyphs, ..Look::default() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_end_of_the_name_says_how_it_is_written() {
        assert_eq!(Kind::of(Path::new("a/b.svg")).ok(), Some(Kind::Svg));
        assert_eq!(Kind::of(Path::new("b.txt")).ok(), Some(Kind::Text));
        for wrong in ["b.png", "svg", "b.SVG", ""] {
            assert!(Kind::of(Path::new(wrong)).unwrap_err().hint.is_some(), "{wrong}");
        }
    }
}
