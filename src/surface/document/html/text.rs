//! Text that may stand in a page, and the class of a word.

/// Text in which nothing is markup, also within a quoted attribute.
pub(super) fn escape(text: &str) -> String {
    let mut escaped = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '&' => escaped.push_str("&amp;"),
            '<' => escaped.push_str("&lt;"),
            '>' => escaped.push_str("&gt;"),
            '"' => escaped.push_str("&quot;"),
            '\'' => escaped.push_str("&#39;"),
            _ => escaped.push(c),
        }
    }
    escaped
}

/// The colour of an outcome or a status; each says the same in words.
pub(super) fn hue(word: &str) -> &'static str {
    match word {
        "pass" | "OPERATIONAL" => "good",
        "warn" | "fallback" | "DEGRADED" => "warn",
        "fail" | "DOWN" => "bad",
        "unknown" | "blocked" | "UNKNOWN" => "unclear",
        _ => "dim",
    }
}

/// The colour of a verdict.
pub(super) fn verdict_hue(word: &str) -> &'static str {
    match word {
        "GO" => "good",
        "HOLD" => "warn",
        _ => "bad",
    }
}

/// A row of a table, its cells as they are.
pub(super) fn row(cells: &[&str]) -> String {
    let cells: Vec<String> = cells.iter().map(|cell| format!("<td>{cell}</td>")).collect();
    format!("<tr>{}</tr>\n", cells.concat())
}

/// The head of a table, and the begin of its body.
pub(super) fn table(heads: &[&str]) -> String {
    let heads: Vec<String> = heads.iter().map(|head| format!("<th>{head}</th>")).collect();
    format!("<table>\n<thead><tr>{}</tr></thead>\n<tbody>\n", heads.concat())
}

/// The end of a table.
pub(super) const END: &str = "</tbody>\n</table>\n";

/// An id as code.
pub(super) fn code(id: &str) -> String {
    format!("<code>{}</code>", escape(id))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_of_a_text_is_markup() {
        let hostile = "<script>alert('x')</script> & \"quoted\"";
        let escaped = escape(hostile);
        assert!(!escaped.contains(['<', '>', '"', '\'']), "{escaped}");
        assert_eq!(escape("a & b"), "a &amp; b");
    }
}
