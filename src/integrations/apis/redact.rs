//! Takes keys out of what a provider answers: some repeat a wrong key, or a part
//! of it, in their error messages.

use crate::secret::Secret;

/// Shown in a key's place.
const MASK: &str = "[key]";
/// How the keys of the providers begin.
const PREFIXES: &[&str] =
    &["sk-", "AIza", "AQ.", "ghp_", "gho_", "ghu_", "ghr_", "ghs_", "github_pat_", "sess-"];
/// So many characters in a row that are also in the key give it away.
const PART: usize = 6;

/// `text` without `key`, without parts of it, and without anything that looks like a key.
pub(super) fn redact(text: &str, key: Option<&Secret>) -> String {
    let key = key.map_or("", |key| key.expose().trim());
    let whole = if key.is_empty() { text.to_owned() } else { text.replace(key, MASK) };
    let mut clean = String::with_capacity(whole.len());
    for piece in whole.split_inclusive(|c: char| !is_of_key(c)) {
        let word = piece.trim_end_matches(|c: char| !is_of_key(c));
        if gives_away(word, key) {
            clean.push_str(MASK);
            clean.push_str(&piece[word.len()..]);
        } else {
            clean.push_str(piece);
        }
    }
    clean
}

fn is_of_key(c: char) -> bool {
    c.is_ascii_alphanumeric() || "-_.*/+=".contains(c)
}

fn gives_away(word: &str, key: &str) -> bool {
    // Only ASCII is left in a word, so that every cut is between characters.
    let parts = key.as_bytes().windows(PART);
    PREFIXES.iter().any(|prefix| word.starts_with(prefix) && word.len() > prefix.len())
        || word.contains("***")
        || parts.into_iter().any(|part| word.as_bytes().windows(PART).any(|own| own == part))
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn what_a_provider_repeats_of_a_key_is_taken_out() {
        let key = Secret::new("sk-proj-CANARY0123456789");
        let cases = [
            (
                "Incorrect API key provided: sk-proj-CANARY0123456789.",
                "Incorrect API key provided: [key].",
            ),
            (
                "Incorrect API key provided: sk-proj-********6789. See",
                "Incorrect API key provided: [key] See",
            ),
            ("key 'CANARY0123' is bad", "key '[key]' is bad"),
            ("token ghs_12_eyJhbGciOi.eyJpc3Mi-x_y expired", "token [key] expired"),
            ("use AIzaSyOther or AQ.Ab8", "use [key] or [key]"),
            ("Nothing to hide, sk-", "Nothing to hide, sk-"),
        ];
        for (text, expected) in cases {
            assert_eq!(redact(text, Some(&key)), expected);
        }
        assert_eq!(redact("Bad credentials", None), "Bad credentials");
    }

    proptest! {
        #[test]
        fn no_part_of_a_key_survives(key in "[A-Za-z0-9_-]{12,60}", before in "[ -~]{0,20}", from in 0_usize..6) {
            let part = &key[from..from + PART];
            let clean = redact(&format!("{before} {part} and {key}"), Some(&Secret::new(key.as_str())));
            let (part, whole) = (clean.contains(part), clean.contains(&key));
            prop_assert!(!part && !whole, "{}", clean);
        }
    }
}
