//! What is said to the terminal besides the picture. Nothing of it is ever confirmed.

/// Encoded bytes of a clipboard; terminals ignore what is longer.
const LONGEST: usize = 74_994;
/// Characters of a title or of a notification.
const LINE: usize = 120;
const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// Something for the terminal that is no part of the picture.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Aside<'a> {
    /// Text for its clipboard.
    Copy(&'a str),
    /// The title of its window.
    Title(&'a str),
    /// News for somebody who looks elsewhere: the bell, and a notification.
    Call(&'a str),
    /// Whether the mouse is ours.
    Mouse(Mouse),
}

/// Whose the mouse is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Mouse {
    /// The console's.
    Ours,
    /// The terminal's, which selects text with it.
    Theirs,
}

/// How much of an aside went out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Sent {
    /// All of it.
    Whole,
    /// As much as terminals take.
    Cut,
    /// Nothing: this terminal would show it instead.
    Nothing,
}

/// What lies between us and the terminal.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::tui) enum Between {
    /// Nothing that we know of.
    Nothing,
    /// tmux, which takes some sequences for itself and passes on what is wrapped.
    Tmux,
}

/// Appends `aside` as the terminal is told it.
///
/// Plain first: tmux takes that where `set-clipboard` is on. Wrapped besides, for
/// the terminal around it, which gets it where `allow-passthrough` is on.
pub(super) fn encode(aside: Aside<'_>, between: Between, out: &mut Vec<u8>) -> Sent {
    let (sequence, sent) = match aside {
        Aside::Copy(text) => clipboard(text),
        Aside::Title(text) => (osc("2;", text), Sent::Whole),
        Aside::Call(text) => {
            // tmux marks the window that rings; the notification it has to be handed through.
            out.push(b'\x07');
            (osc("9;", text), Sent::Whole)
        }
        Aside::Mouse(Mouse::Ours) => (b"\x1b[?1000h\x1b[?1006h".to_vec(), Sent::Whole),
        Aside::Mouse(Mouse::Theirs) => (b"\x1b[?1006l\x1b[?1000l".to_vec(), Sent::Whole),
    };
    out.extend_from_slice(&sequence);
    let passed_on = matches!(aside, Aside::Copy(_) | Aside::Call(_));
    if between == Between::Tmux && passed_on {
        out.extend_from_slice(b"\x1bPtmux;");
        for byte in &sequence {
            if *byte == b'\x1b' {
                out.push(b'\x1b');
            }
            out.push(*byte);
        }
        out.extend_from_slice(b"\x1b\\");
    }
    sent
}

/// A sequence with a text in it, of which only ASCII that can be printed is left.
fn osc(number: &str, text: &str) -> Vec<u8> {
    let text = text.chars().filter(|c| c.is_ascii_graphic() || *c == ' ').take(LINE);
    format!("\x1b]{number}{}\x07", text.collect::<String>()).into_bytes()
}

/// OSC 52. `c` is the one selection that mosh passes on.
fn clipboard(text: &str) -> (Vec<u8>, Sent) {
    let fits = text.floor_char_boundary(LONGEST / 4 * 3);
    let sent = if fits < text.len() { Sent::Cut } else { Sent::Whole };
    let mut sequence = b"\x1b]52;c;".to_vec();
    base64(&text.as_bytes()[..fits], &mut sequence);
    sequence.push(b'\x07');
    (sequence, sent)
}

fn base64(bytes: &[u8], out: &mut Vec<u8>) {
    for three in bytes.chunks(3) {
        let byte = |at: usize| u32::from(three.get(at).copied().unwrap_or(0));
        let bits = byte(0) << 16 | byte(1) << 8 | byte(2);
        for (at, shift) in [18, 12, 6, 0].into_iter().enumerate() {
            let digit = DIGITS[(bits >> shift & 63) as usize];
            out.push(if at <= three.len() { digit } else { b'=' });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(aside: Aside<'_>, between: Between) -> (String, Sent) {
        let mut out = Vec::new();
        let sent = encode(aside, between, &mut out);
        (String::from_utf8(out).unwrap(), sent)
    }

    #[test]
    fn a_copy_goes_out_plain_and_in_tmux_wrapped_besides() {
        let plain = "\u{1b}]52;c;Tk8tR08=\u{7}";
        assert_eq!(told(Aside::Copy("NO-GO"), Between::Nothing), (plain.into(), Sent::Whole));
        let wrapped = format!("{plain}\u{1b}Ptmux;\u{1b}{plain}\u{1b}\\");
        assert_eq!(told(Aside::Copy("NO-GO"), Between::Tmux).0, wrapped);
    }

    #[test]
    fn a_title_and_a_call_hold_nothing_but_text() {
        let (title, _) = told(Aside::Title("NO-GO 4 - \u{1b}]0;x\u{7}\u{9b}api✓"), Between::Tmux);
        assert_eq!(title, "\u{1b}]2;NO-GO 4 - ]0;xapi\u{7}", "and tmux takes it for its own");
        let (call, _) = told(Aside::Call("T-minus: GO"), Between::Nothing);
        assert_eq!(call, "\u{7}\u{1b}]9;T-minus: GO\u{7}");
        let (wrapped, _) = told(Aside::Call("GO"), Between::Tmux);
        assert!(wrapped.contains("\u{1b}Ptmux;\u{1b}\u{1b}]9;GO\u{7}\u{1b}\\"), "{wrapped:?}");
    }

    #[test]
    fn the_mouse_is_taken_and_given_back() {
        let (taken, _) = told(Aside::Mouse(Mouse::Ours), Between::Tmux);
        assert_eq!(taken, "\u{1b}[?1000h\u{1b}[?1006h");
        let (given, _) = told(Aside::Mouse(Mouse::Theirs), Between::Nothing);
        assert_eq!(given, "\u{1b}[?1006l\u{1b}[?1000l");
    }

    #[test]
    fn base64_is_that_of_the_standard() {
        let cases =
            [("", ""), ("f", "Zg=="), ("fo", "Zm8="), ("foo", "Zm9v"), ("foob", "Zm9vYg==")];
        for (text, expected) in cases {
            let mut out = Vec::new();
            base64(text.as_bytes(), &mut out);
            assert_eq!(String::from_utf8(out).unwrap(), expected);
        }
    }

    #[test]
    fn what_is_too_long_is_cut_between_two_characters_and_says_so() {
        let long = "é".repeat(40_000);
        let (out, sent) = told(Aside::Copy(&long), Between::Nothing);
        assert_eq!(sent, Sent::Cut);
        let encoded = out.len() - "\u{1b}]52;c;\u{7}".len();
        assert!(encoded <= LONGEST && encoded > LONGEST - 8, "{encoded}");
        let fits = "x".repeat(LONGEST / 4 * 3);
        assert_eq!(told(Aside::Copy(&fits), Between::Nothing).1, Sent::Whole);
    }
}
