//! The patterns of Redis: neither those of a shell nor regular expressions. Pure.
//!
//! `*` is any text, `/` included, `?` any byte, `[a-c]`, `[abc]` and `[^a]` one
//! of a class, and `\` takes the next byte for itself. A class that is not
//! closed ends with the pattern. Ported from what servers do, not from what the
//! manual says; the same cases are put to servers.

/// Whether `subject` matches `pattern`.
///
/// At most as many steps as the product of both lengths, whatever the pattern.
pub(crate) fn matches(pattern: &[u8], subject: &[u8]) -> bool {
    let (mut rest, mut left) = (pattern, subject);
    // After the last star: the pattern behind it, and where to try that next.
    let mut retry: Option<(&[u8], &[u8])> = None;
    loop {
        if let [b'*', behind @ ..] = rest {
            (rest, retry) = (behind, Some((behind, left)));
            continue;
        }
        let Some((byte, further)) = left.split_first() else { return rest.is_empty() };
        if let Some(behind) = one(rest, *byte) {
            (rest, left) = (behind, further);
            continue;
        }
        let Some((behind, [_, further @ ..])) = retry else { return false };
        (rest, left, retry) = (behind, further, Some((behind, further)));
    }
}

/// What is left of a pattern once its first element took `byte`, if it does.
fn one(pattern: &[u8], byte: u8) -> Option<&[u8]> {
    match pattern {
        [] => None,
        [b'?', behind @ ..] => Some(behind),
        [b'[', b'^', class @ ..] => {
            let (has, behind) = in_class(class, byte);
            (!has).then_some(behind)
        }
        [b'[', class @ ..] => {
            let (has, behind) = in_class(class, byte);
            has.then_some(behind)
        }
        [b'\\', literal, behind @ ..] | [literal, behind @ ..] => {
            (*literal == byte).then_some(behind)
        }
    }
}

/// Whether a class has `byte`, and what follows the class.
fn in_class(mut class: &[u8], byte: u8) -> (bool, &[u8]) {
    let mut has = false;
    loop {
        let hit;
        (hit, class) = match class {
            [] => return (has, class),
            [b']', behind @ ..] => return (has, behind),
            [b'\\', literal, behind @ ..] => (*literal == byte, behind),
            [from, b'-', to, behind @ ..] => {
                let (low, high) = if from <= to { (from, to) } else { (to, from) };
                ((low..=high).contains(&&byte), behind)
            }
            [literal, behind @ ..] => (*literal == byte, behind),
        };
        has |= hit;
    }
}

/// Pattern, subject, and whether they match: what a server was seen to do. Few
/// subjects, because each is published.
pub(super) const SEEN: &[(&str, &str, bool)] = &[
    ("h?llo", "hello", true),
    ("h?llo", "hllo", false),
    ("H*", "hello", false),
    ("h[ae]llo", "hello", true),
    ("h[ae]llo", "hbllo", false),
    ("h[^e]llo", "hbllo", true),
    ("h[^e]llo", "hello", false),
    ("h[a-b]llo", "hbllo", true),
    ("h[a-b]llo", "hello", false),
    ("h[c-a]llo", "hbllo", true),
    ("h*llo", "hllo", true),
    (r"h\*llo", "hello", false),
    (r"h\*]\", r"h*]\", true),
    (r"h?[\]]\", r"h*]\", true),
    (r"h*[a-]]\", r"h*]\", true),
    ("*", "aXb/bc", true),
    ("a*b*c", "aXb/bc", true),
    ("a*b*c", "ab", false),
    ("a[", "ab", false),
    ("a[b", "ab", true),
    ("a[^", "ab", true),
];

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn patterns_match_what_servers_were_seen_to_match() {
        for (pattern, subject, expected) in SEEN {
            assert_eq!(matches(pattern.as_bytes(), subject.as_bytes()), *expected, "{pattern}");
        }
    }

    #[test]
    fn only_stars_match_nothing_at_all() {
        let matching = ["", "*", "**"].map(|pattern| matches(pattern.as_bytes(), b""));
        assert_eq!(matching, [true; 3]);
        assert!(!matches(b"", b"x") && !matches(b"?", b"") && !matches(b"[^a]", b""));
    }

    #[test]
    fn many_stars_take_no_time() {
        let (pattern, subject) = ("a*".repeat(500) + "b", "a".repeat(5_000));
        assert!(!matches(pattern.as_bytes(), subject.as_bytes()));
    }

    proptest! {
        #[test]
        fn an_escaped_text_matches_itself_alone(text in "[ -~]{0,12}", other in "[ -~]{0,12}") {
            let escaped: String = text.chars().flat_map(|c| ['\\', c]).collect();
            prop_assert!(matches(escaped.as_bytes(), text.as_bytes()));
            prop_assert_eq!(matches(escaped.as_bytes(), other.as_bytes()), text == other);
        }

        #[test]
        fn a_star_stands_for_any_middle(a in "[a-z]{0,5}", b in "[a-z/.]{0,9}", c in "[a-z]{0,5}") {
            let (pattern, subject) = (format!("{a}*{c}"), format!("{a}{b}{c}"));
            prop_assert!(matches(pattern.as_bytes(), subject.as_bytes()));
        }
    }
}
