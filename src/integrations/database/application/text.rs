//! Whether the text of a query holds what a user has written. Pure.
//!
//! An instrumentation that sanitises puts a `?` in place of every literal. What it
//! leaves may be a password or an address, and is never repeated here.

/// Digits of a number that may be somebody's: `LIMIT 100` is not.
const DIGITS: usize = 4;
/// What stands in quotes and is no literal any more.
const BLANKED: [&str; 4] = ["", "?", "%s", "***"];

/// The length of the first literal in `text`, in characters. `doubled` says whether
/// double quotes hold one, as in MySQL, or a name.
pub(super) fn literal(text: &str, doubled: bool) -> Option<usize> {
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let (length, told) = token(rest, first, doubled);
        if told.is_some() {
            return told;
        }
        rest = rest.get(length..).unwrap_or_default();
    }
    None
}

/// The bytes of the first token, and the length of the literal that it is.
fn token(rest: &str, first: char, doubled: bool) -> (usize, Option<usize>) {
    match first {
        '\'' => quoted(rest, first, true),
        '"' => quoted(rest, first, doubled),
        '`' => quoted(rest, first, false),
        '$' => dollars(rest),
        '/' if rest.starts_with("/*") => (up_to(rest, "*/"), None),
        '-' if rest.starts_with("--") => (up_to(rest, "\n"), None),
        ':' | '@' | '#' => (1 + word(&rest[1..]), None),
        digit if digit.is_ascii_digit() => {
            let length = word(rest);
            let digits = rest[..length].bytes().filter(u8::is_ascii_digit).count();
            (length, (digits >= DIGITS).then_some(length))
        }
        letter if is_part(letter) => (word(rest), None),
        other => (other.len_utf8(), None),
    }
}

/// Up to the closing quote, of which two in a row stand for one.
fn quoted(rest: &str, quote: char, is_literal: bool) -> (usize, Option<usize>) {
    let mut end = 1;
    loop {
        match rest[end..].find(quote) {
            None => {
                end = rest.len();
                break;
            }
            Some(at) if rest[end + at + 1..].starts_with(quote) => end += at + 2,
            Some(at) => {
                end += at + 1;
                break;
            }
        }
    }
    let inner = rest[1..end].strip_suffix(quote).unwrap_or(&rest[1..end]);
    let tells = is_literal && !BLANKED.contains(&inner);
    (end, tells.then(|| inner.chars().count()))
}

/// `$1`, or `$tag$…$tag$`.
fn dollars(rest: &str) -> (usize, Option<usize>) {
    let tag = 1 + word(&rest[1..]);
    let is_number = rest[1..].starts_with(|letter: char| letter.is_ascii_digit());
    if is_number || !rest[tag..].starts_with('$') {
        return (tag, None);
    }
    let (mark, body) = rest.split_at(tag + 1);
    let end = body.find(mark).unwrap_or(body.len());
    let inner = &body[..end];
    let length = rest.len().min(2 * mark.len() + end);
    (length, (!BLANKED.contains(&inner)).then(|| inner.chars().count()))
}

/// Up to the end of what begins a comment.
fn up_to(rest: &str, end: &str) -> usize {
    rest.find(end).map_or(rest.len(), |at| at + end.len())
}

fn word(rest: &str) -> usize {
    rest.find(|letter: char| !is_part(letter)).unwrap_or(rest.len())
}

fn is_part(letter: char) -> bool {
    letter.is_alphanumeric() || letter == '_' || letter == '.'
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_literal_is_told_from_what_a_sanitiser_leaves() {
        let clean = [
            "SELECT 1",
            "SELECT * FROM t WHERE a = ? AND b = $1 AND c = :name AND d = @p1234",
            "SELECT \"a b\".\"c\" FROM t2024 WHERE x = '?' OR y = '' OR z = '%s' LIMIT 999",
            "SELECT `it's` FROM t -- it's 12345\nWHERE a = ?",
            "/*traceparent='00-4bf92f35'*/ SELECT $12345",
            "SELECT a::int FROM s.t1234",
            "UPDATE ü SET é = ?",
            "$",
            "$$$$",
            "",
        ];
        for text in clean {
            assert_eq!(literal(text, false), None, "{text}");
        }
        let told = [
            ("SELECT * FROM users WHERE email = 'a@b.example'", 11),
            ("SELECT 'it''s'", 5),
            ("SELECT 'cut of", 6),
            ("SELECT '''", 1),
            ("SELECT $$secret$$", 6),
            ("SELECT $tag$a$b$tag$", 3),
            ("SELECT $$cut", 3),
            ("SELECT * FROM cards WHERE number = 1000", 4),
            ("SELECT 10.00", 5),
            ("SELECT '你好'", 2),
        ];
        for (text, length) in told {
            assert_eq!(literal(text, false), Some(length), "{text}");
        }
    }

    #[test]
    fn double_quotes_are_a_literal_only_where_the_product_says_so() {
        let text = "SELECT * FROM users WHERE name = \"hunter2\"";
        assert_eq!((literal(text, false), literal(text, true)), (None, Some(7)));
    }

    proptest::proptest! {
        #[test]
        fn no_text_breaks_it(text in "[a$'\"`/*\\-0-9é:@ ?\n]{0,40}", doubled: bool) {
            let told = literal(&text, doubled);
            proptest::prop_assert!(told.is_none_or(|length| length <= text.chars().count()));
        }
    }
}
