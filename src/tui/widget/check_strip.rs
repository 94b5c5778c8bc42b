use crate::{
    domain::Mark,
    tui::{
        glyphs::Sign,
        theme::Role,
        view::{Page, Slot},
    },
};
use std::collections::VecDeque;

/// One sign per check; more than fit end in a `+`.
pub(in crate::tui) fn checks(
    page: &mut Page<'_>,
    slot: Slot,
    signs: impl ExactSizeIterator<Item = Sign>,
) {
    let width = usize::from(slot.width);
    let (all, mut rest) = (signs.len(), slot);
    for (at, sign) in signs.enumerate().take(width) {
        rest = if at + 1 == width && all > width {
            page.glyph(rest, '+', Role::Muted)
        } else {
            page.sign(rest, sign)
        };
    }
}

/// The newest runs, oldest first, the newest at the right end of the slot.
pub(in crate::tui) fn runs(page: &mut Page<'_>, slot: Slot, marks: &VecDeque<Mark>) -> Slot {
    let shown = marks.len().min(usize::from(slot.width));
    let (before, mut rest) = slot.split_last(u16::try_from(shown).unwrap_or(u16::MAX));
    for mark in marks.iter().skip(marks.len() - shown) {
        rest = page.sign(rest, Sign::of_mark(*mark));
    }
    before
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{sample, widget::tests::drawn};

    #[test]
    fn more_checks_than_fit_are_not_hidden() {
        let strip = |width, count| {
            let signs = vec![Sign::Pass; count].into_iter();
            drawn((width, 1), &sample::look(), |page, area| {
                checks(page, Slot::of(area, 0), signs);
            })
            .concat()
        };
        assert_eq!(strip(4, 4), "✓✓✓✓");
        assert_eq!(strip(4, 5), "✓✓✓+");
        assert_eq!(strip(4, 2), "✓✓  ");
        assert_eq!(strip(0, 2), "");
    }

    #[test]
    fn the_newest_run_is_at_the_right_end() {
        let marks = VecDeque::from([Mark::Pass, Mark::Unknown, Mark::Fail]);
        let strip = |width| {
            drawn((width, 1), &sample::look(), |page, area| {
                runs(page, Slot::of(area, 0), &marks);
            })
            .concat()
        };
        assert_eq!([strip(5), strip(2), strip(0)], ["  ✓?✗", "?✗", ""]);
    }
}
