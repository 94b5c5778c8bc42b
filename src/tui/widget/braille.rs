//! Braille cells: two columns of four dots each.

/// The dots of a cell by column, from top to bottom.
const DOTS: [[u32; 4]; 2] = [[0x01, 0x02, 0x04, 0x40], [0x08, 0x10, 0x20, 0x80]];
const BLANK: u32 = 0x2800;

/// The character with the dots from `top` to `bottom` of each column set.
///
/// Rows count from the top of the cell and may lie outside of it.
pub(super) fn cell(columns: [Option<(i32, i32)>; 2]) -> Option<char> {
    let mut bits = 0;
    for (dots, range) in DOTS.iter().zip(columns) {
        let Some((top, bottom)) = range else { continue };
        for (row, dot) in (0..).zip(dots) {
            if (top..=bottom).contains(&row) {
                bits |= dot;
            }
        }
    }
    if bits == 0 { None } else { char::from_u32(BLANK | bits) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dots_are_where_they_belong() {
        assert_eq!(cell([None, None]), None);
        assert_eq!(cell([Some((3, 3)), Some((3, 3))]), Some('⣀'));
        assert_eq!(cell([Some((0, 3)), Some((0, 3))]), Some('⣿'));
        assert_eq!(cell([Some((0, 0)), None]), Some('⠁'));
        assert_eq!(cell([None, Some((-9, 99))]), Some('⢸'));
        assert_eq!(cell([Some((4, 9)), None]), None);
    }
}
