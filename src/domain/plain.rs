use std::fmt::Write as _;

/// Makes text from outside safe to print, at most `most` characters of it.
///
/// Control characters, bidirectional overrides, zero-width characters and tags
/// are shown as `<U+202E>` and never dropped: what a server sent stays visible
/// and cannot move the cursor, reorder a line or hide. Line breaks and tabs
/// become one space. A text that was cut ends in `…`.
pub fn plain(text: &str, most: usize) -> String {
    let mut safe = String::with_capacity(text.len().min(most));
    for (shown, c) in text.chars().enumerate() {
        if shown == most {
            safe.pop();
            safe.push('…');
            break;
        }
        match c {
            '\n' | '\r' | '\t' => safe.push(' '),
            c if is_hostile(c) => {
                // Writing to a String cannot fail.
                let _infallible = write!(safe, "<U+{:04X}>", u32::from(c));
            }
            c => safe.push(c),
        }
    }
    safe
}

fn is_hostile(c: char) -> bool {
    c.is_control()
        || matches!(u32::from(c),
            0xAD | 0x34F | 0x61C | 0x115F..=0x1160 | 0x17B4..=0x17B5 | 0x180B..=0x180F
            | 0x200B..=0x200F | 0x2028..=0x202E | 0x2060..=0x206F | 0x3164 | 0xFE00..=0xFE0F
            | 0xFEFF | 0xFFA0 | 0xFFF0..=0xFFFB | 0xE0000..=0xE0FFF)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn escapes_overrides_and_breaks_are_disarmed_and_stay_visible() {
        assert_eq!(plain("a\u{1b}[31mb", 99), "a<U+001B>[31mb");
        assert_eq!(plain("user\u{202e}txt.exe", 99), "user<U+202E>txt.exe");
        assert_eq!(plain("one\r\ntwo", 99), "one  two");
        assert_eq!(plain("\u{9b}2J\u{200b}\u{e0041}", 99), "<U+009B>2J<U+200B><U+E0041>");
    }

    #[test]
    fn a_long_text_says_that_it_was_cut() {
        assert_eq!(plain("abcdef", 4), "abc…");
        assert_eq!(plain("abcd", 4), "abcd");
    }

    proptest! {
        #[test]
        fn nothing_hostile_gets_through(text in any::<String>()) {
            prop_assert!(!plain(&text, 64).chars().any(is_hostile));
        }
    }
}
