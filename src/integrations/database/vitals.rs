//! How a server is doing, aspect by aspect: what was seen, its limit, why it
//! matters and the command to see it by oneself. The worst aspect decides.

use crate::domain::{Cause, Evidence, Finding, Grid, Mark};
use std::cmp::Reverse;

/// One aspect, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Aspect {
    /// Which one, in a word or two.
    pub(super) what: &'static str,
    /// How good it is.
    pub(super) mark: Mark,
    /// What was seen.
    pub(super) seen: String,
    /// What is wrong in a clause, with the number and its limit; empty if nothing is.
    pub(super) says: String,
    /// What to do about it; empty if nothing is to be done.
    pub(super) remedy: String,
}

/// What holds for an aspect whatever was seen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Subject {
    /// Which one.
    pub(super) what: &'static str,
    /// Where warning and failure begin.
    pub(super) limit: &'static str,
    /// Why it matters.
    pub(super) why: &'static str,
    /// The command to see it.
    pub(super) look: &'static str,
}

impl Subject {
    /// Nothing is wrong.
    pub(super) fn fine(&self, seen: impl Into<String>) -> Aspect {
        let (says, remedy) = (String::new(), String::new());
        Aspect { what: self.what, mark: Mark::Pass, seen: seen.into(), says, remedy }
    }

    /// Something is as `mark` says, and `remedy` is what to do.
    pub(super) fn bad(&self, mark: Mark, seen: &str, says: String, remedy: String) -> Aspect {
        Aspect { what: self.what, mark, seen: seen.into(), says, remedy }
    }

    /// The role may not look; `grant` would let it.
    pub(super) fn hidden(&self, grant: &str) -> Aspect {
        let says = format!("{} hidden from this role", self.what);
        self.bad(Mark::Unknown, "hidden from this role", says, grant.into())
    }
}

/// How bad `value` is, where warning begins above `soft` and failure above `hard`.
pub(super) fn above<T: PartialOrd>(value: &T, (soft, hard): &(T, T)) -> Mark {
    if value > hard {
        Mark::Fail
    } else if value > soft {
        Mark::Warn
    } else {
        Mark::Pass
    }
}

/// The worst of all aspects, and all of them as a grid.
pub(super) fn conclude(subjects: &[Subject], aspects: &[Aspect], asked: &str) -> Finding {
    let bad: Vec<&Aspect> = aspects.iter().filter(|aspect| aspect.mark != Mark::Pass).collect();
    let worst =
        bad.iter().max_by_key(|aspect| (weight(aspect.mark), Reverse(at(subjects, aspect))));
    let more = match bad.len() {
        0 | 1 => String::new(),
        many => format!("; {} more", many - 1),
    };
    let finding = match worst {
        None => Finding::pass(&format!("{} aspects, all within their limits", aspects.len())),
        Some(aspect) => {
            let says = format!("{}{more}", aspect.says);
            let finding = match aspect.mark {
                Mark::Fail => Finding::fail(&says),
                Mark::Warn => Finding::warn(&says),
                Mark::Unknown => Finding::unknown(Cause::NotPermitted, &says),
                Mark::Pass | Mark::Skipped => Finding::pass(&says),
            };
            finding.remedy(&aspect.remedy)
        }
    };
    let reply = match worst {
        None => "all of it".to_owned(),
        Some(aspect) => format!("{}: {}", aspect.what, aspect.seen),
    };
    let subject = worst.and_then(|aspect| subjects.iter().find(|one| one.what == aspect.what));
    let (asked, wanted) = match subject {
        None => (asked, "every aspect within its limit".to_owned()),
        Some(subject) => (subject.look, format!("{}: {}", subject.limit, subject.why)),
    };
    let evidence = Evidence::default()
        .asked(asked)
        .wanted(&wanted)
        .reply(&reply)
        .grid(grid(subjects, aspects));
    finding.evidence(evidence)
}

/// The worst first: a small screen shows only those.
fn grid(subjects: &[Subject], aspects: &[Aspect]) -> Grid {
    let mut rows: Vec<&Aspect> = aspects.iter().collect();
    rows.sort_by_key(|aspect| Reverse(weight(aspect.mark)));
    let grid = Grid::new(&["aspect", "seen", "limit", "why", "look"]);
    rows.into_iter().fold(grid, |grid, aspect| {
        let subject = subjects.iter().find(|subject| subject.what == aspect.what);
        let [limit, why, look] =
            subject.map_or([""; 3], |subject| [subject.limit, subject.why, subject.look]);
        grid.row(aspect.mark, &[aspect.what, &aspect.seen, limit, why, look])
    })
}

fn at(subjects: &[Subject], aspect: &Aspect) -> usize {
    subjects.iter().position(|subject| subject.what == aspect.what).unwrap_or(usize::MAX)
}

fn weight(mark: Mark) -> u8 {
    match mark {
        Mark::Pass | Mark::Skipped => 0,
        Mark::Unknown => 1,
        Mark::Warn => 2,
        Mark::Fail => 3,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LOCKS: Subject = Subject { what: "locks", limit: "1s / 60s", why: "w", look: "l" };
    const DISK: Subject = Subject { what: "disk", limit: "20 %", why: "w", look: "l" };
    const BOTH: [Subject; 2] = [LOCKS, DISK];

    fn bad(subject: Subject, mark: Mark) -> Aspect {
        subject.bad(mark, "seen", format!("{} bad", subject.what), "mend it".into())
    }

    #[test]
    fn the_worst_aspect_decides_and_the_first_of_equals() {
        let finding = conclude(&BOTH, &[bad(LOCKS, Mark::Warn), bad(DISK, Mark::Fail)], "x");
        assert_eq!((finding.outcome.word(), &*finding.summary), ("fail", "disk bad; 1 more"));
        let finding = conclude(&BOTH, &[bad(DISK, Mark::Warn), bad(LOCKS, Mark::Warn)], "x");
        assert_eq!(finding.summary, "locks bad; 1 more");
        assert_eq!(finding.remedy.as_deref(), Some("mend it"));
        let evidence = &finding.evidence;
        assert_eq!((&*evidence.asked, &*evidence.wanted), ("l", "1s / 60s: w"));
        let hidden = conclude(&BOTH, &[LOCKS.hidden("GRANT x"), DISK.fine("ok")], "x");
        assert_eq!(hidden.outcome.word(), "unknown");
        assert_eq!(hidden.remedy.as_deref(), Some("GRANT x"));
        let fine = conclude(&BOTH, &[LOCKS.fine("none"), DISK.fine("ok")], "x");
        assert_eq!(fine.outcome.word(), "pass");
    }

    #[test]
    fn the_grid_shows_the_worst_first_with_limit_reason_and_command() {
        let finding = conclude(&BOTH, &[LOCKS.fine("none"), bad(DISK, Mark::Warn)], "x");
        let grid = finding.evidence.grid.unwrap();
        assert_eq!(grid.rows[0].cells, ["disk", "seen", "20 %", "w", "l"]);
        assert_eq!(grid.rows[1].mark, Mark::Pass);
    }

    #[test]
    fn a_limit_itself_is_still_fine() {
        let limits = (10, 20);
        let marks = [10, 11, 20, 21].map(|value| above(&value, &limits));
        assert_eq!(marks, [Mark::Pass, Mark::Warn, Mark::Warn, Mark::Fail]);
    }
}
