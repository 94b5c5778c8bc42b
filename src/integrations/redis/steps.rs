//! What was said to a server in one case, and what it answered: for people.

use super::trouble::Trouble;
use redis::{Arg, Cmd, Value};
use std::{
    fmt::Write as _,
    mem,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

/// How many commands are kept from the beginning.
const FIRST: usize = 10;
/// Characters kept of one argument, of one answer, and how many arguments.
const WORD: usize = 24;
const ANSWER: usize = 80;
const WORDS: usize = 12;
/// Digits kept of what looks like a secret: a token, or the digest of a script.
const DIGITS: usize = 6;

/// A command, its answer, and how long that took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Step {
    pub(crate) says: String,
    pub(crate) took: Duration,
}

/// The commands of one case, as they are sent.
#[derive(Clone, Debug, Default)]
pub(crate) struct Steps(Arc<Mutex<Noted>>);

#[derive(Debug, Default)]
struct Noted {
    first: Vec<Step>,
    /// The last that came after those, and the last of them that failed.
    last: Option<Step>,
    failed: Option<Step>,
}

impl Steps {
    /// Remembers a command that has ended.
    pub(super) fn note(&self, asked: &Cmd, answer: &Result<Value, Trouble>, took: Duration) {
        let step = Step { says: format!("{} -> {}", words(asked), came(answer)), took };
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let slot = match answer {
            _ if noted.first.len() < FIRST => {
                noted.first.push(step);
                return;
            }
            Ok(_) => &mut noted.last,
            Err(_) => &mut noted.failed,
        };
        *slot = Some(step);
    }

    /// The first commands, then the last one that failed, or else the last.
    pub(super) fn shown(&self) -> Vec<Step> {
        let mut noted = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let Noted { mut first, last, failed } = mem::take(&mut *noted);
        first.extend(failed.or(last));
        first
    }
}

/// A command as a person would write it, all of it short and printable.
fn words(command: &Cmd) -> String {
    let arguments = command.args_iter();
    let more = arguments.len().saturating_sub(WORDS);
    let mut said = String::new();
    for argument in arguments.take(WORDS) {
        let Arg::Simple(bytes) = argument else { continue };
        if !said.is_empty() {
            said.push(' ');
        }
        said.push_str(&word(bytes, WORD));
    }
    if more > 0 {
        // Writing to a String cannot fail.
        let _infallible = write!(said, " +{more}");
    }
    said
}

/// Bytes as text. Of our names the part that all of a run share is left out, and
/// of a token all but its beginning.
fn word(bytes: &[u8], most: usize) -> String {
    let text = String::from_utf8_lossy(bytes);
    let own = own_part(&text);
    let id = own.rsplit(':').next().unwrap_or_default();
    let hidden = id.len() >= 32 && id.bytes().all(|byte| byte.is_ascii_hexdigit());
    let (shown, cut) = match own.strip_suffix(id) {
        Some(before) if hidden => (format!("{before}{}", &id[..DIGITS]), true),
        Some(_) | None => {
            let shown: String = own.chars().take(most).collect();
            let cut = shown.len() < own.len();
            (shown, cut)
        }
    };
    let dots = if cut { "…" } else { "" };
    match shown.escape_debug().to_string() {
        empty if empty.is_empty() => "\"\"".into(),
        same if same == shown && !shown.contains(' ') => format!("{same}{dots}"),
        escaped => format!("\"{escaped}{dots}\""),
    }
}

/// `lock:l3` of `tminus:{run}:run:lock:l3`, and everything of a name of others.
fn own_part(text: &str) -> &str {
    let Some(rest) = text.strip_prefix("tminus:") else { return text };
    let skip = if rest.starts_with('{') { 2 } else { 1 };
    rest.splitn(skip + 1, ':').nth(skip).unwrap_or(rest)
}

fn came(answer: &Result<Value, Trouble>) -> String {
    let text = match answer {
        Ok(value) => value_of(value),
        Err(trouble) => trouble.reply(),
    };
    let cut: String = text.chars().take(ANSWER).collect();
    if cut.len() < text.len() { format!("{cut}…") } else { cut }
}

fn value_of(value: &Value) -> String {
    if let Value::Array(items) = value {
        let items: Vec<String> = items.iter().take(WORDS).map(value_of).collect();
        return format!("[{}]", items.join(" "));
    }
    match (super::reply::text(value), value) {
        (Some(text), _) => word(text.as_bytes(), WORD),
        (None, Value::Nil) => "nil".into(),
        (None, _) => "…".into(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn noted(steps: &Steps, name: &str, answer: &Result<Value, Trouble>) {
        steps.note(&redis::cmd(name), answer, Duration::from_micros(7));
    }

    #[test]
    fn commands_are_short_printable_and_give_no_token_away() {
        let command = redis::cmd("EVALSHA")
            .arg("0123456789abcdef0123456789abcdef01234567")
            .arg(1)
            .arg("tminus:{0a1b2c3d4e5f}:0a1b2c3d4e5f:session:00112233445566778899aabbccddeeff")
            .arg(b"\0\xff\r\n\x1b[2J")
            .arg("x".repeat(5000))
            .arg("")
            .take();
        let expected = format!(
            "EVALSHA 012345… 1 session:001122… \"\\0\u{fffd}\\r\\n\\u{{1b}}[2J\" {}… \"\"",
            "x".repeat(24)
        );
        assert_eq!(words(&command), expected);
        let channel = redis::cmd("PUBLISH").arg("tminus:0a1b2c3d4e5f:p2:e").arg("hi").take();
        assert_eq!(words(&channel), "PUBLISH p2:e hi");
        let many = redis::cmd("UNLINK").arg(vec!["k"; 20]).take();
        assert!(words(&many).ends_with(" k +9"), "{}", words(&many));
    }

    #[test]
    fn answers_are_told_in_a_few_words() {
        let bulk = |text: &str| Value::BulkString(text.into());
        let array = Value::Array(vec![Value::Int(1), bulk("a b"), Value::Nil, Value::Okay]);
        assert_eq!(came(&Ok(array)), "[1 \"a b\" nil OK]");
        let denied = Trouble::of_line("NOPERM no permissions to run the 'eval' command");
        assert_eq!(came(&Err(denied)), "-NOPERM no permissions to run the 'eval' command");
        assert!(came(&Err(Trouble::Closed)).starts_with("end of"));
    }

    #[test]
    fn the_first_are_kept_and_then_the_one_that_failed() {
        let steps = Steps::default();
        for nth in 0..20 {
            noted(&steps, &format!("C{nth}"), &Ok(Value::Okay));
        }
        let last = |steps: &Steps| {
            let shown = steps.shown();
            (shown.len(), shown.last().unwrap().says.clone())
        };
        assert_eq!(last(&steps), (11, "C19 -> OK".into()));
        (0..12).for_each(|_| noted(&steps, "GET", &Ok(Value::Nil)));
        noted(&steps, "SET", &Err(Trouble::of_line("OOM full")));
        noted(&steps, "GET", &Ok(Value::Nil));
        assert_eq!(last(&steps), (11, "SET -> -OOM full".into()));
        let few = Steps::default();
        noted(&few, "PING", &Ok(Value::Okay));
        assert_eq!(last(&few), (1, "PING -> OK".into()));
    }
}
