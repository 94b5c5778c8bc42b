//! Which of the accepted names somebody may have meant.

use std::cmp;

/// The name of `names` closest to `typed`, if one is close enough to be meant.
///
/// Close enough is one slip in a short name and one in every three characters
/// of a longer one; a slip is a wrong, missing, extra or swapped character.
/// A name that begins with what was typed is meant too.
pub fn nearest<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> Option<&'a str> {
    let most = cmp::max(1, typed.chars().count() / 3);
    let rated = names.into_iter().map(|name| (slips(typed, name), name));
    let fits = |(slips, name): &(usize, &str)| {
        *slips <= most || (typed.len() >= 3 && name.starts_with(typed))
    };
    rated.filter(fits).min_by_key(|(slips, _)| *slips).map(|(_, name)| name)
}

/// The clause that names it: `; did you mean url?`, or nothing.
pub fn did_you_mean<'a>(typed: &str, names: impl IntoIterator<Item = &'a str>) -> String {
    nearest(typed, names).map(|name| format!("; did you mean {name}?")).unwrap_or_default()
}

/// How many slips lead from one to the other (optimal string alignment).
fn slips(a: &str, b: &str) -> usize {
    let (a, b): (Vec<char>, Vec<char>) = (a.chars().collect(), b.chars().collect());
    let mut before: Vec<usize> = Vec::new();
    let mut above: Vec<usize> = (0..=b.len()).collect();
    for i in 1..=a.len() {
        let mut row = vec![i];
        for j in 1..=b.len() {
            let change = above[j - 1] + usize::from(a[i - 1] != b[j - 1]);
            let mut least = cmp::min(change, cmp::min(above[j], row[j - 1]) + 1);
            if i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1] {
                least = cmp::min(least, before[j - 2] + 1);
            }
            row.push(least);
        }
        before = std::mem::replace(&mut above, row);
    }
    above[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn each_kind_of_slip_counts_once() {
        for (typed, meant) in [("urll", "url"), ("ul", "url"), ("urk", "url"), ("ulr", "url")] {
            assert_eq!(slips(typed, meant), 1, "{typed}");
        }
        assert_eq!(slips("", "abc"), 3);
    }

    #[test]
    fn only_a_near_name_is_proposed() {
        let names = ["url", "prefix", "ping_limit", "writes"];
        assert_eq!(nearest("urll", names), Some("url"));
        assert_eq!(nearest("pnig_limt", names), Some("ping_limit"));
        assert_eq!(nearest("ping", names), Some("ping_limit"));
        assert_eq!(nearest("password", names), None);
        assert_eq!(did_you_mean("wrties", names), "; did you mean writes?");
        assert_eq!(did_you_mean("zzz", names), "");
    }

    proptest! {
        #[test]
        fn the_distance_is_one(a in "[ab]{0,6}", b in "[ab]{0,6}") {
            prop_assert_eq!(slips(&a, &b), slips(&b, &a));
            prop_assert_eq!(slips(&a, &b) == 0, a == b);
            prop_assert!(slips(&a, &b) <= cmp::max(a.len(), b.len()));
        }
    }
}
