//! Where traces go: a file, never the terminal. Every line passes the redactor,
//! holds no control characters and is one line whatever was logged.

mod file;
mod scrubbed;

use crate::secret::Redactor;
use color_eyre::config::{HookBuilder, Theme};
use file::Rolling;
use scrubbed::Scrubbed;
use std::{
    fmt,
    io::{self, Write as _},
    panic,
    path::PathBuf,
    thread,
};
use tracing_appender::non_blocking::{NonBlockingBuilder, WorkerGuard};
use tracing_subscriber::EnvFilter;

/// What is logged where `TMINUS_LOG` says nothing.
const USUAL: &str = "info";
/// Libraries that would log addresses, headers and statements. `TMINUS_LOG` may name them.
const CAPPED: &str =
    "hyper=warn,hyper_util=warn,reqwest=warn,rustls=warn,h2=warn,sqlx=warn,redis=warn";
/// Lines waiting for the disk. Beyond that they are dropped, so that a slow disk stalls nothing.
const WAITING: usize = 1024;

/// What is to be logged, and where.
#[derive(Clone, Debug)]
pub struct Log {
    /// The file. `None` where there is no place for one.
    pub file: Option<PathBuf>,
    /// Whether the user named it.
    pub named: bool,
    /// What `TMINUS_LOG` says.
    pub filter: Option<String>,
    /// Takes the secrets out.
    pub redactor: Redactor,
}

/// A log that was started. Drop it last: it writes out what is waiting.
#[derive(Debug, Default)]
pub struct Logging {
    _guard: Option<WorkerGuard>,
    /// What did not work, one sentence each. The program works without a log.
    pub warnings: Vec<String>,
}

/// Starts logging for the whole process. Call it once.
pub fn start(log: &Log) -> Logging {
    let mut warnings = Vec::new();
    let filter = filter(log.filter.as_deref(), &mut warnings);
    let Some(path) = &log.file else {
        warnings
            .push("nothing is logged: there is no home directory; --log-file names a file".into());
        return Logging { _guard: None, warnings };
    };
    let file = match Rolling::open(path, log.named) {
        Ok(file) => file,
        Err(why) => {
            let path = path.display();
            warnings.push(format!("nothing is logged: {path}: {why}; --log-file names another"));
            return Logging { _guard: None, warnings };
        }
    };
    let builder = NonBlockingBuilder::default().buffered_lines_limit(WAITING).thread_name("log");
    let (writer, guard) = builder.finish(file);
    let subscriber = tracing_subscriber::fmt()
        .with_env_filter(filter)
        .with_ansi(false)
        .with_writer(Scrubbed::new(writer, log.redactor.clone()))
        .finish();
    if tracing::subscriber::set_global_default(subscriber).is_err() {
        warnings.push("nothing is logged: a log was started before".into());
    }
    Logging { _guard: Some(guard), warnings }
}

fn filter(wanted: Option<&str>, warnings: &mut Vec<String>) -> EnvFilter {
    let with = |wanted: &str| EnvFilter::try_new(format!("{CAPPED},{wanted}"));
    let wanted = wanted.filter(|wanted| !wanted.is_empty()).unwrap_or(USUAL);
    with(wanted).unwrap_or_else(|_| {
        warnings.push(format!(
            "TMINUS_LOG is not a filter such as debug or tminus=trace; {USUAL} is used"
        ));
        EnvFilter::new(format!("{CAPPED},{USUAL}"))
    })
}

/// Sends the panics of this thread to stderr and those of all others to the log:
/// theirs end a run and nothing else, and the terminal is not theirs.
///
/// Whoever takes the screen over must give it back before this one prints.
pub fn report_panics(redactor: Redactor) {
    let builder = HookBuilder::default().display_env_section(false).theme(Theme::new());
    let (report, errors) = builder.into_hooks();
    if errors.install().is_err() {
        tracing::warn!("error reports were set up before");
    }
    let own = thread::current().id();
    panic::set_hook(Box::new(move |panicked| {
        if thread::current().id() == own {
            let mut text = report.panic_report(panicked).to_string();
            redactor.scrub(&mut text);
            // Without a stderr there is nobody to tell.
            let _unheard = writeln!(io::stderr(), "{text}");
        } else {
            tracing::error!("a thread panicked: {}", Brief(panicked));
        }
    }));
}

/// A panic in one line, without the backtrace that would cost memory on each.
struct Brief<'a>(&'a panic::PanicHookInfo<'a>);

impl fmt::Display for Brief<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.0.payload_as_str().unwrap_or("no message"))?;
        match self.0.location() {
            Some(place) => write!(f, " at {place}"),
            None => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_filter_that_is_none_is_said_and_the_usual_one_used() {
        let mut warnings = Vec::new();
        for good in [None, Some(""), Some("debug"), Some("tminus=trace,hyper=info")] {
            filter(good, &mut warnings);
        }
        assert_eq!(warnings, [""; 0]);
        assert!(filter(Some("tminus=loud=er"), &mut warnings).to_string().contains("info"));
        assert!(warnings[0].starts_with("TMINUS_LOG is not a filter"), "{warnings:?}");
    }
}
