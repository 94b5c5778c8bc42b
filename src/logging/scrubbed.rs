use crate::{domain::plain, secret::Redactor};
use std::io::{self, Write};
use tracing_subscriber::fmt::MakeWriter;

/// Characters kept of one event.
const LONGEST: usize = 4000;

/// Makes a writer for each event that lets no secret and no control character through.
#[derive(Clone, Debug)]
pub(super) struct Scrubbed<W> {
    to: W,
    redactor: Redactor,
}

impl<W> Scrubbed<W> {
    pub(super) fn new(to: W, redactor: Redactor) -> Self {
        Self { to, redactor }
    }
}

impl<'a, W: Write + Clone + 'a> MakeWriter<'a> for Scrubbed<W> {
    type Writer = Self;

    fn make_writer(&'a self) -> Self {
        self.clone()
    }
}

impl<W: Write> Write for Scrubbed<W> {
    /// Takes one whole event, which is how they come.
    fn write(&mut self, event: &[u8]) -> io::Result<usize> {
        let mut text = String::from_utf8_lossy(event).into_owned();
        // Secrets first: cutting or disarming could leave a part of one.
        self.redactor.scrub(&mut text);
        let line = plain(text.trim_end(), LONGEST);
        self.to.write_all(format!("{line}\n").as_bytes())?;
        Ok(event.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        self.to.flush()
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::secret::Secret;
    use std::sync::{Arc, Mutex};

    #[derive(Clone, Default)]
    struct Kept(Arc<Mutex<Vec<u8>>>);

    impl Write for Kept {
        fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
            self.0.lock().unwrap().write(bytes)
        }

        fn flush(&mut self) -> io::Result<()> {
            Ok(())
        }
    }

    #[test]
    fn an_event_is_one_line_without_secrets_and_escapes() {
        let kept = Kept::default();
        let redactor = Redactor::new([&Secret::new("hunter2-very-long")]);
        let subscriber = tracing_subscriber::fmt()
            .with_ansi(false)
            .with_writer(Scrubbed::new(kept.clone(), redactor))
            .finish();
        tracing::subscriber::with_default(subscriber, || {
            tracing::info!(url = "redis://:hunter2-very-long@db", "one\nERROR forged \u{1b}[31m");
            tracing::warn!(password = ?"hunter2-very-long", "two");
        });
        let text = String::from_utf8(kept.0.lock().unwrap().clone()).unwrap();
        assert_eq!(text.lines().count(), 2, "{text}");
        assert!(!text.contains("hunter2") && !text.contains('\u{1b}'), "{text}");
        assert!(text.contains("redis://:[secret]@db"), "{text}");
    }
}
