/// Solves three linear equations by elimination with pivots. `None` where they are
/// dependent, as far as numbers can tell.
pub(super) fn solve(mut matrix: [[f64; 3]; 3], mut right: [f64; 3]) -> Option<[f64; 3]> {
    for column in 0..3 {
        let pivot = (column..3)
            .max_by(|one, other| {
                matrix[*one][column].abs().total_cmp(&matrix[*other][column].abs())
            })
            .filter(|row| matrix[*row][column].abs() > f64::MIN_POSITIVE)?;
        matrix.swap(column, pivot);
        right.swap(column, pivot);
        for row in column + 1..3 {
            let factor = matrix[row][column] / matrix[column][column];
            let above = matrix[column];
            for (cell, above) in matrix[row].iter_mut().zip(above).skip(column) {
                *cell -= factor * above;
            }
            right[row] -= factor * right[column];
        }
    }
    let mut found = [0.0; 3];
    for row in (0..3).rev() {
        let known: f64 = (row + 1..3).map(|cell| matrix[row][cell] * found[cell]).sum();
        found[row] = (right[row] - known) / matrix[row][row];
    }
    found.iter().all(|it| it.is_finite()).then_some(found)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn equations_are_solved_and_dependent_ones_are_not() {
        let found = solve([[0.0, 2.0, 1.0], [1.0, 1.0, 1.0], [2.0, 0.0, -1.0]], [7.0, 6.0, -1.0]);
        let expected = [1.0, 2.0, 3.0];
        for (found, expected) in found.unwrap().iter().zip(expected) {
            assert!((found - expected).abs() < 1e-12, "{found}");
        }
        assert_eq!(solve([[1.0, 1.0, 0.0], [1.0, 1.0, 0.0], [0.0, 0.0, 1.0]], [1.0; 3]), None);
    }
}
