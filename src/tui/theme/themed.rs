use ratatui::style::Color;
use std::cmp;

/// The themes that ship.
const SHIPPED: [(&str, &str); 3] = [
    ("dark", include_str!("../../../assets/themes/dark.toml")),
    ("light", include_str!("../../../assets/themes/light.toml")),
    ("color-blind", include_str!("../../../assets/themes/color-blind.toml")),
];
/// The levels of the cube of the 256 colours.
const LEVELS: [u8; 6] = [0, 95, 135, 175, 215, 255];

/// How many colours a terminal says it has.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Depth {
    /// Sixteen, whose hues are its own.
    Sixteen,
    /// The cube of 256.
    Cube,
    /// Any.
    Any,
}

impl Depth {
    /// What the environment says. Over SSH it says less than there is, never more.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let any = variable("COLORTERM").unwrap_or_default();
        let terminal = variable("TERM").unwrap_or_default();
        if matches!(any.as_str(), "truecolor" | "24bit") || terminal.ends_with("-direct") {
            Self::Any
        } else if terminal.contains("256color") {
            Self::Cube
        } else {
            Self::Sixteen
        }
    }
}

/// Hues of our own, as far as a terminal can show them. Text and ground stay its own.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Theme {
    good: Color,
    warn: Color,
    bad: Color,
    unclear: Color,
    focus: Color,
}

impl Theme {
    /// The theme of that name that ships, in as many colours as there are.
    pub fn shipped(name: &str, depth: Depth) -> Option<Self> {
        let (_, text) = SHIPPED.into_iter().find(|(known, _)| *known == name)?;
        Self::read(text, depth)
    }

    fn read(text: &str, depth: Depth) -> Option<Self> {
        let table = text.parse::<toml::Table>().ok()?;
        let colour = |role: &str| {
            let [exact, named] = table.get(role)?.as_array()?.as_slice() else { return None };
            at(rgb(exact.as_str()?)?, named.as_str()?.parse().ok()?, depth)
        };
        Some(Self {
            good: colour("good")?,
            warn: colour("warn")?,
            bad: colour("bad")?,
            unclear: colour("unclear")?,
            focus: colour("focus")?,
        })
    }

    /// Its own hue for one of the terminal's, as the roles name them.
    pub(super) fn instead_of(&self, colour: Color) -> Color {
        let ours = [
            (Color::Green, self.good),
            (Color::Yellow, self.warn),
            (Color::Red, self.bad),
            (Color::Magenta, self.unclear),
            (Color::Cyan, self.focus),
        ];
        let own = ours.into_iter().find(|(theirs, _)| *theirs == colour);
        own.map_or(colour, |(_, own)| own)
    }
}

fn at((r, g, b): (u8, u8, u8), named: Color, depth: Depth) -> Option<Color> {
    Some(match depth {
        Depth::Sixteen => named,
        Depth::Cube => Color::Indexed(16 + 36 * nearest(r)? + 6 * nearest(g)? + nearest(b)?),
        Depth::Any => Color::Rgb(r, g, b),
    })
}

/// The level of the cube that is nearest.
fn nearest(value: u8) -> Option<u8> {
    let distance = |level: &u8| cmp::max(*level, value) - cmp::min(*level, value);
    let (place, _) = (0..).zip(LEVELS).min_by_key(|(_, level)| distance(level))?;
    Some(place)
}

fn rgb(text: &str) -> Option<(u8, u8, u8)> {
    let digits = text.strip_prefix('#').filter(|digits| digits.len() == 6)?;
    let part = |at: usize| u8::from_str_radix(digits.get(at..at + 2)?, 16).ok();
    Some((part(0)?, part(2)?, part(4)?))
}

/// What an index of the 256 looks like; none for the sixteen, which are the terminal's own.
pub(in crate::tui) fn exact(index: u8) -> Option<(u8, u8, u8)> {
    let cube = index.checked_sub(16)?;
    if cube >= 216 {
        let grey = 8 + 10 * (cube - 216);
        return Some((grey, grey, grey));
    }
    let level = |place: u8| LEVELS.get(usize::from(place)).copied();
    Some((level(cube / 36)?, level(cube / 6 % 6)?, level(cube % 6)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_theme_that_ships_can_be_read_at_every_depth() {
        for (name, _) in SHIPPED {
            for depth in [Depth::Sixteen, Depth::Cube, Depth::Any] {
                let theme = Theme::shipped(name, depth).unwrap();
                let all = [theme.good, theme.warn, theme.bad, theme.unclear, theme.focus];
                for (at, colour) in all.iter().enumerate() {
                    assert!(!all[..at].contains(colour), "{name} {depth:?}: two are the same");
                    let rgb = matches!(colour, Color::Rgb(..));
                    assert_eq!(rgb, depth == Depth::Any, "{name} {depth:?}");
                }
            }
        }
        assert_eq!(Theme::shipped("solarized", Depth::Any), None);
    }

    #[test]
    fn what_is_no_theme_is_none() {
        for text in ["", "good = 1", "good = [\"#12345\", \"green\"]", "\u{1b}[31m"] {
            assert_eq!(Theme::read(text, Depth::Any), None, "{text}");
        }
    }

    /// Relative luminance, as the rules for readable text define it.
    fn luminance((r, g, b): (u8, u8, u8)) -> f64 {
        let linear = |value: u8| {
            let share = f64::from(value) / 255.0;
            if share <= 0.03928 { share / 12.92 } else { ((share + 0.055) / 1.055).powf(2.4) }
        };
        0.2126 * linear(r) + 0.7152 * linear(g) + 0.0722 * linear(b)
    }

    #[test]
    fn each_theme_can_be_read_on_its_ground() {
        let (dark, light) = ((0x16, 0x18, 0x1a), (255, 255, 255));
        let grounds = [("dark", vec![dark], 4.5), ("light", vec![light], 4.5)];
        let both = ("color-blind", vec![dark, light], 3.0);
        for (name, grounds, least) in grounds.into_iter().chain([both]) {
            let theme = Theme::shipped(name, Depth::Any).unwrap();
            for colour in [theme.good, theme.warn, theme.bad, theme.unclear, theme.focus] {
                let Color::Rgb(r, g, b) = colour else { panic!("{colour:?}") };
                for ground in &grounds {
                    let [a, b] = [luminance((r, g, b)), luminance(*ground)];
                    let contrast = (a.max(b) + 0.05) / (a.min(b) + 0.05);
                    assert!(contrast >= least, "{name} {colour:?}: {contrast:.2} to 1");
                }
            }
        }
    }

    #[test]
    fn the_environment_says_how_many_colours_there_are() {
        let depth = |colorterm: &'static str, term: &'static str| {
            Depth::detect(move |name| Some(if name == "TERM" { term } else { colorterm }.into()))
        };
        assert_eq!(depth("truecolor", "xterm"), Depth::Any);
        assert_eq!(depth("", "tmux-256color"), Depth::Cube);
        assert_eq!(depth("", "xterm"), Depth::Sixteen);
        assert_eq!(Depth::detect(|_| None), Depth::Sixteen);
    }

    #[test]
    fn the_cube_is_that_of_xterm() {
        assert_eq!(at((255, 107, 96), Color::Red, Depth::Cube), Some(Color::Indexed(203)));
        assert_eq!(exact(203), Some((255, 95, 95)));
        assert_eq!((exact(232), exact(255)), (Some((8, 8, 8)), Some((238, 238, 238))));
        assert_eq!((exact(15), exact(16)), (None, Some((0, 0, 0))));
    }
}
