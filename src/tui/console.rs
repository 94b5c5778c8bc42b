use super::{
    driver::{self, Asides, Ends, Exit, Handles, Shown},
    input::Inputs,
    screen::{Between, Screen, Sync},
    theme::Look,
};
use std::{fs::File, io};
use tokio_util::sync::CancellationToken;

/// How a console is opened.
#[derive(Debug, Default)]
pub struct Options {
    /// Colours and signs.
    pub look: Look,
    /// Where stderr goes while the terminal is ours; nowhere without one.
    pub log: Option<File>,
    /// For terminals that would show what marks the beginning and end of a frame.
    pub unmarked: bool,
    /// What is said to the terminal besides.
    pub asides: Asides,
    /// Whether tmux lies between us and the terminal.
    pub tmux: bool,
    /// Panic while drawing, a second after the start; only in builds with debug assertions.
    #[doc(hidden)]
    pub panics: bool,
}

impl Options {
    /// What the environment says about the terminal.
    pub fn detect(variable: impl Fn(&str) -> Option<String>) -> Self {
        let terminal = variable("TERM").unwrap_or_default();
        let unmarked = matches!(terminal.as_str(), "dumb" | "linux");
        let tmux = variable("TMUX").is_some_and(|socket| !socket.is_empty());
        Self { look: Look::detect(variable), unmarked, tmux, ..Self::default() }
    }
}

/// The console, from the moment at which the terminal is ours.
#[derive(Debug)]
pub struct Console {
    screen: Screen,
    look: Look,
    asides: Asides,
    panics: bool,
}

impl Console {
    /// Takes the terminal behind stdout.
    ///
    /// Call it on the thread that will [`run`](Self::run) it, after every other
    /// panic hook is installed and before anything runs that may panic.
    pub fn open(options: Options) -> io::Result<Self> {
        let sync = if options.unmarked { Sync::Plain } else { Sync::Marked };
        let between = if options.tmux { Between::Tmux } else { Between::Nothing };
        let reach = (!options.unmarked).then_some(between);
        let screen = Screen::take(sync, reach, options.log)?;
        let Options { look, asides, panics, .. } = options;
        Ok(Self { screen, look, asides, panics })
    }

    /// Shows what the engine publishes until the user leaves, `stop` fires or
    /// the terminal is gone. Then the terminal is given back.
    ///
    /// # Errors
    ///
    /// The terminal cannot be asked for its size or be taken again after a
    /// suspension, or a thread cannot be started. One that goes away is no error.
    pub async fn run(mut self, handles: Handles, stop: CancellationToken) -> io::Result<Exit> {
        let ends = Ends { stop, gone: CancellationToken::new() };
        let shown = Shown { look: self.look, asides: self.asides };
        self.screen.watch(ends.gone.clone())?;
        let mut inputs = Inputs::open(self.panics)?;
        driver::run(&mut self.screen, &mut inputs, handles, ends, &shown).await
    }
}
