use crate::tui::{
    theme::Role,
    view::{Page, Slot},
};

/// A score as a bar over the whole slot, in steps of half a cell.
///
/// Nothing known is an empty bar; the number beside it says which it is.
pub(in crate::tui) fn score_bar(page: &mut Page<'_>, slot: Slot, percent: Option<u8>, role: Role) {
    let [whole, half, empty] = page.look().glyphs.bar;
    let halves = u32::from(slot.width) * 2 * u32::from(percent.unwrap_or(0)) / 100;
    let mut rest = slot;
    for cell in 0..u32::from(slot.width) {
        let (glyph, role) = match halves.saturating_sub(cell * 2) {
            0 => (empty, Role::Muted),
            1 => (half, role),
            _ => (whole, role),
        };
        rest = page.glyph(rest, glyph, role);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tui::{Glyphs, Look, sample, widget::tests::drawn};

    fn bar(look: &Look, percent: Option<u8>, width: u16) -> String {
        drawn((width, 1), look, |page, area| {
            score_bar(page, Slot::of(area, 0), percent, Role::Good);
        })
        .concat()
    }

    #[test]
    fn full_and_empty_are_exact_and_the_rest_is_rounded_down() {
        let look = sample::look();
        let cases = [
            (Some(100), "██████████"),
            (Some(99), "█████████▌"),
            (Some(75), "███████▌░░"),
            (Some(25), "██▌░░░░░░░"),
            (Some(1), "░░░░░░░░░░"),
            (None, "░░░░░░░░░░"),
        ];
        for (percent, expected) in cases {
            assert_eq!(bar(&look, percent, 10), expected);
        }
        assert_eq!(bar(&look, Some(50), 0), "");
    }

    #[test]
    fn the_ascii_bar_reads_the_same() {
        let look = Look { glyphs: Glyphs::ASCII, ..sample::look() };
        assert_eq!(bar(&look, Some(75), 10), "#######=..");
    }
}
