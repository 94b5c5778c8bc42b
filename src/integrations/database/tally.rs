//! The counting plane of our own: what our side saw, whatever the server says.

use std::time::Duration;

/// What our side counted in one run, and which statements were slow.
#[derive(Debug)]
pub(super) struct Tally {
    limit: Duration,
    /// Statements that came to their end.
    pub(super) statements: u64,
    /// Rows that came back.
    pub(super) rows: u64,
    /// Time spent waiting for them.
    pub(super) time: Duration,
    /// Those that took longer than the limit, in order.
    pub(super) slow: Vec<Slow>,
    /// Those that failed, by the class of their code.
    pub(super) errors: Vec<(String, u64)>,
}

/// A statement that took too long.
#[derive(Debug, PartialEq)]
pub(super) struct Slow {
    /// Which one.
    pub(super) statement: &'static str,
    /// How long it took.
    pub(super) took: Duration,
}

impl Tally {
    /// Counts from zero; what takes longer than `limit` is slow.
    pub(super) fn new(limit: Duration) -> Self {
        Self {
            limit,
            statements: 0,
            rows: 0,
            time: Duration::ZERO,
            slow: Vec::new(),
            errors: Vec::new(),
        }
    }

    /// Counts one statement that came to its end.
    pub(super) fn note(&mut self, statement: &'static str, rows: usize, took: Duration) {
        self.statements += 1;
        self.rows += u64::try_from(rows).unwrap_or(u64::MAX);
        self.time += took;
        if took > self.limit {
            self.slow.push(Slow { statement, took });
        }
    }

    /// Counts one statement that failed with `code`.
    ///
    /// The class of an SQLSTATE is its first two characters; other codes are their own.
    pub(super) fn failed(&mut self, code: &str) {
        let class = if code.len() == 5 { code.get(..2).unwrap_or(code) } else { code };
        match self.errors.iter_mut().find(|(known, _)| known == class) {
            Some((_, count)) => *count += 1,
            None => self.errors.push((class.to_owned(), 1)),
        }
    }

    /// Whether `statement` was found slow.
    pub(super) fn found_slow(&self, statement: &str) -> bool {
        self.slow.iter().any(|slow| slow.statement == statement)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_exceeds_the_limit_is_slow() {
        let mut tally = Tally::new(Duration::from_millis(100));
        tally.note("at the limit", 1, Duration::from_millis(100));
        tally.note("beyond it", 2, Duration::from_micros(100_001));
        assert!(!tally.found_slow("at the limit"));
        assert!(tally.found_slow("beyond it"));
        assert_eq!((tally.statements, tally.rows, tally.slow.len()), (2, 3, 1));
        assert_eq!(tally.time, Duration::from_micros(200_001));
    }

    #[test]
    fn errors_are_counted_by_their_class_and_not_as_statements() {
        let mut tally = Tally::new(Duration::from_millis(100));
        for code in ["22012", "22001", "42P01", "1"] {
            tally.failed(code);
        }
        assert_eq!(tally.errors, [("22".into(), 2), ("42".into(), 1), ("1".into(), 1)]);
        assert_eq!(tally.statements, 0);
    }
}
