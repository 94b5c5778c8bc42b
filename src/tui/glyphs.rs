use super::theme::Role;
use crate::domain::{CheckView, IntegrationView, Mark, Outcome, Severity, Stands, Status};

/// How something stands, as one sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Sign {
    /// It passes.
    Pass,
    /// A soft limit, or a stand-in answers.
    Warn,
    /// It fails.
    Fail,
    /// Nobody knows.
    Unknown,
    /// Off on purpose.
    Off,
    /// It keeps changing.
    Flapping,
}

impl Sign {
    /// Of one check. An answer of a stand-in is never shown as a pass.
    pub(super) fn of_check(check: &CheckView) -> Self {
        let stand_in = check.finding.fallback && *check.outcome() == Outcome::Pass;
        if check.flags.flapping {
            Self::Flapping
        } else if stand_in {
            Self::Warn
        } else {
            Self::of_mark(check.outcome().mark())
        }
    }

    /// Of one integration: its status, and a pass only where every check is fine.
    pub(super) fn of_integration(view: &IntegrationView) -> Self {
        let fine = |check: &CheckView| check.outcome().severity() == Severity::Fine;
        match view.status {
            Status::Operational if !view.checks.iter().all(fine) => Self::Warn,
            Status::Operational => Self::Pass,
            Status::Degraded => Self::Warn,
            Status::Down => Self::Fail,
            Status::Unknown => Self::Unknown,
        }
    }

    pub(super) fn of_mark(mark: Mark) -> Self {
        match mark {
            Mark::Pass => Self::Pass,
            Mark::Warn => Self::Warn,
            Mark::Fail => Self::Fail,
            Mark::Unknown => Self::Unknown,
            Mark::Skipped => Self::Off,
        }
    }

    pub(super) fn of_blocker(stands: Stands) -> Self {
        match stands {
            Stands::Checklist => Self::Warn,
            Stands::Waiting | Stands::Hold => Self::Unknown,
            Stands::Regressed | Stands::NoGo | Stands::LeftBehind => Self::Fail,
        }
    }

    pub(super) fn role(self) -> Role {
        match self {
            Self::Pass => Role::Good,
            Self::Warn | Self::Flapping => Role::Warn,
            Self::Fail => Role::Bad,
            Self::Unknown => Role::Unclear,
            Self::Off => Role::Muted,
        }
    }
}

/// The characters that stand for something.
///
/// Only ones whose width no terminal doubts, or which every terminal draws one
/// cell wide although Unicode calls them ambiguous. No emoji.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Glyphs {
    pass: char,
    fail: char,
    /// A horizontal rule.
    pub(super) rule: char,
    /// The vertical axis of a graph.
    pub(super) axis: char,
    /// The deploy, on a graph.
    pub(super) deploy: char,
    /// A cell of a bar: whole, half, empty.
    pub(super) bar: [char; 3],
    /// Where a text was cut.
    pub(super) cut: char,
    /// Whether graphs are drawn in braille and foreign text is shown as it is.
    pub(super) unicode: bool,
}

impl Glyphs {
    /// For a terminal that knows Unicode.
    pub const UNICODE: Self = Self {
        pass: '✓',
        fail: '✗',
        rule: '─',
        axis: '┤',
        deploy: '╎',
        bar: ['█', '▌', '░'],
        cut: '…',
        unicode: true,
    };

    /// For any terminal at all.
    pub const ASCII: Self = Self {
        pass: '+',
        fail: 'x',
        rule: '-',
        axis: '|',
        deploy: ':',
        bar: ['#', '=', '.'],
        cut: '~',
        unicode: false,
    };

    /// ASCII where the locale is not UTF-8 or the terminal is known to be a simple one.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let set = |name| variable(name).filter(|value| !value.is_empty());
        // The first of the three that is set decides, as in setlocale(3).
        let locale = ["LC_ALL", "LC_CTYPE", "LANG"].into_iter().find_map(set).unwrap_or_default();
        let locale = locale.to_ascii_lowercase();
        let terminal = set("TERM").unwrap_or_default();
        let simple = matches!(terminal.as_str(), "linux" | "dumb") || terminal.starts_with("vt");
        if (locale.contains("utf-8") || locale.contains("utf8")) && !simple {
            Self::UNICODE
        } else {
            Self::ASCII
        }
    }

    pub(super) fn sign(&self, sign: Sign) -> char {
        match sign {
            Sign::Pass => self.pass,
            Sign::Warn => '!',
            Sign::Fail => self.fail,
            Sign::Unknown => '?',
            Sign::Off => '-',
            Sign::Flapping => '~',
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Finding, sample};

    #[test]
    fn the_environment_decides_between_unicode_and_ascii() {
        let cases: [(&[(&str, &str)], bool); 8] = [
            (&[("LANG", "C.UTF-8")], true),
            (&[("LANG", "de_DE.utf8"), ("TERM", "xterm-256color")], true),
            (&[], false),
            (&[("LANG", "C")], false),
            (&[("LC_ALL", "C"), ("LANG", "C.UTF-8")], false),
            (&[("LC_ALL", ""), ("LC_CTYPE", "C.UTF-8"), ("LANG", "C")], true),
            (&[("LANG", "C.UTF-8"), ("TERM", "linux")], false),
            (&[("LANG", "C.UTF-8"), ("TERM", "vt220")], false),
        ];
        for (variables, unicode) in cases {
            let value = |name: &str| {
                variables.iter().find(|(known, _)| *known == name).map(|(_, value)| (*value).into())
            };
            assert_eq!(Glyphs::detect(value).unicode, unicode, "{variables:?}");
        }
    }

    #[test]
    fn every_sign_has_a_character_of_its_own_in_both_sets() {
        let signs = [Sign::Pass, Sign::Warn, Sign::Fail, Sign::Unknown, Sign::Off, Sign::Flapping];
        for glyphs in [Glyphs::UNICODE, Glyphs::ASCII] {
            let mut drawn: Vec<char> = signs.iter().map(|sign| glyphs.sign(*sign)).collect();
            drawn.sort_unstable();
            drawn.dedup();
            assert_eq!(drawn.len(), signs.len());
        }
    }

    #[test]
    fn a_stand_in_is_never_shown_as_a_pass() {
        let pass = sample::check("a", 1, Finding::pass("ok"));
        let stand_in = sample::check("a", 1, Finding::pass("ok").on_fallback());
        assert_eq!((Sign::of_check(&pass), Sign::of_check(&stand_in)), (Sign::Pass, Sign::Warn));
    }

    #[test]
    fn the_sign_of_an_integration_is_its_status() {
        let signs = sample::seed().map(|view| Sign::of_integration(&view));
        let [fine, soft] = [Sign::Pass, Sign::Warn];
        assert_eq!(signs, [soft, Sign::Fail, soft, soft, fine, fine]);
    }
}
