mod themed;

pub use themed::{Depth, Theme};

pub(super) use themed::exact;

use super::glyphs::Glyphs;
use crate::{
    domain::{Timestamp, Word},
    units,
};
use ratatui::style::{Color, Modifier, Style};

/// What a piece of text is, which decides how it looks.
///
/// A role never carries a meaning by its colour alone: a sign or a word beside
/// it says the same.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    /// The text itself.
    Plain,
    /// Secondary text: the DIM attribute and never bright black, which is the
    /// background in Solarized.
    Muted,
    /// Titles and names.
    Strong,
    /// Passes.
    Good,
    /// A soft limit, a fallback.
    Warn,
    /// Fails.
    Bad,
    /// Nobody knows.
    Unclear,
    /// Where the cursor is.
    Focus,
    /// The verdict, one word in reverse.
    Verdict(Word),
}

/// How many colours the terminal gets to see.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Palette {
    /// The terminal's own sixteen, so that its owner's choice of theme holds.
    #[default]
    Sixteen,
    /// None: bold, dim and reverse alone.
    Plain,
    /// A theme's.
    Themed(Theme),
}

impl Palette {
    /// None where `NO_COLOR` is set to anything.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        match variable("NO_COLOR") {
            Some(value) if !value.is_empty() => Self::Plain,
            Some(_) | None => Self::Sixteen,
        }
    }

    /// The whole style: it leaves nothing of what was in a cell before.
    pub(super) fn style(self, role: Role) -> Style {
        let style = Style::new().fg(Color::Reset).bg(Color::Reset);
        let (colour, style) = match role {
            Role::Plain => (None, style),
            Role::Muted => (None, style.add_modifier(Modifier::DIM)),
            Role::Strong => (None, style.add_modifier(Modifier::BOLD)),
            Role::Good => (Some(Color::Green), style),
            Role::Warn => (Some(Color::Yellow), style.add_modifier(Modifier::BOLD)),
            Role::Bad => (Some(Color::Red), style.add_modifier(Modifier::BOLD)),
            Role::Unclear => (Some(Color::Magenta), style),
            Role::Focus => (Some(Color::Cyan), style.add_modifier(Modifier::BOLD)),
            Role::Verdict(word) => {
                (Some(of(word)), style.add_modifier(Modifier::BOLD | Modifier::REVERSED))
            }
        };
        let style = style.remove_modifier(Modifier::all().difference(style.add_modifier));
        match (self, colour) {
            (Self::Sixteen, Some(colour)) => style.fg(colour),
            (Self::Themed(theme), Some(colour)) => style.fg(theme.instead_of(colour)),
            (Self::Sixteen | Self::Themed(_), None) | (Self::Plain, _) => style,
        }
    }
}

fn of(word: Word) -> Color {
    match word {
        Word::Go => Color::Green,
        Word::Hold => Color::Yellow,
        Word::NoGo => Color::Red,
    }
}

/// Everything about the terminal that a view has to know.
#[derive(Clone, Copy, Debug)]
pub struct Look {
    /// Its colours.
    pub palette: Palette,
    /// Its signs.
    pub glyphs: Glyphs,
    /// How a moment is written, as `14:07:32`.
    pub clock: fn(Timestamp) -> String,
}

impl Default for Look {
    fn default() -> Self {
        Self { palette: Palette::Sixteen, glyphs: Glyphs::UNICODE, clock: units::clock }
    }
}

impl Look {
    /// What the environment says about the terminal.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        Self {
            palette: Palette::detect(&variable),
            glyphs: Glyphs::detect(&variable),
            ..Self::default()
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ROLES: [Role; 11] = [
        Role::Plain,
        Role::Muted,
        Role::Strong,
        Role::Good,
        Role::Warn,
        Role::Bad,
        Role::Unclear,
        Role::Focus,
        Role::Verdict(Word::Go),
        Role::Verdict(Word::Hold),
        Role::Verdict(Word::NoGo),
    ];

    #[test]
    fn without_colour_the_verdict_and_the_cursor_still_stand_out() {
        for role in ROLES {
            let style = Palette::Plain.style(role);
            assert_eq!((style.fg, style.bg), (Some(Color::Reset), Some(Color::Reset)), "{role:?}");
            let sixteen = Palette::Sixteen.style(role);
            assert_eq!(style.add_modifier, sixteen.add_modifier, "{role:?}");
        }
        let verdict = Palette::Plain.style(Role::Verdict(Word::NoGo));
        assert!(verdict.add_modifier.contains(Modifier::REVERSED | Modifier::BOLD));
        assert!(Palette::Plain.style(Role::Focus).add_modifier.contains(Modifier::BOLD));
    }

    #[test]
    fn no_role_sets_a_background_or_a_grey() {
        for role in ROLES {
            let style = Palette::Sixteen.style(role);
            assert_eq!(style.bg, Some(Color::Reset), "{role:?}");
            assert_ne!(style.fg, Some(Color::DarkGray), "{role:?}");
        }
    }

    #[test]
    fn an_empty_no_color_is_not_set() {
        let set = |value: &'static str| {
            Palette::detect(move |name| (name == "NO_COLOR").then(|| value.into()))
        };
        assert_eq!([set(""), set("1")], [Palette::Sixteen, Palette::Plain]);
        assert_eq!(Palette::detect(|_| None), Palette::Sixteen);
    }
}
