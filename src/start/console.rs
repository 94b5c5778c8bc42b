use super::{Failure, Session, Stop, outlet::Files, perf, print, trace::Trace};
use crate::{
    cli::Global,
    config::{self, Color, Glyphs, Surroundings as _, Theme, World},
    domain::plain,
    engine::{Begin, Engine},
    history::Kind,
    perf::Lab,
    surface::gate,
    tui::{self, Asides, Depth, Ended, Exit, Options},
};
use std::{io, mem, sync::Arc, time::Duration};

/// Time for runs to end when the console does.
const GRACE: Duration = Duration::from_millis(500);

/// Characters kept of a user's name.
const USER: usize = 40;

/// Time for a performance test to remove what it wrote.
const TIDYING: Duration = Duration::from_secs(2);

/// The console, until the user leaves it; returns the verdict as exit code.
pub(super) async fn run(global: &Global) -> Result<u8, Failure> {
    let mut session = Session::open(global)?;
    let stop = Stop::on_signals()
        .map_err(|error| Failure::unusable("signals cannot be listened for", error.to_string()))?;
    let exporter = session.exporter().await?;
    // The screen comes first: a probe may panic as soon as the engine starts.
    let console = tui::Console::open(options(&session)).map_err(|error| no_terminal(&error))?;
    let integrations = faulty::added_to(mem::take(&mut session.integrations));
    let tests = perf::tests(&session, global.safety());
    let offers: Vec<_> = tests.iter().map(|test| test.offer()).collect();
    let mut trace = Trace::begin(&mut session, &integrations, &offers);
    let (engine, handle) = Engine::start(session.plan(integrations, Begin::Polling));
    Session::accompany(exporter, &handle, &stop.token);
    let snapshots = handle.snapshots.clone();
    let (lab, tests) = Lab::start_after(tests, perf::past(session.history_place()));
    let history = session.history(Kind::Console, &handle, Some(tests.boards.clone()));
    let app = session.watch(&handle);
    let user =
        World.variable("USER").map(|user| plain(&user, USER)).filter(|user| !user.is_empty());
    let keys = Arc::new(session.config.keys.clone());
    let outlet = Arc::new(Files::new(session.redactor.clone()));
    let handles = tui::Handles { engine: handle, lab: tests, user, outlet, keys };
    let shown = console.run(handles, stop.token.clone()).await;
    // What a test has written goes first; if that takes longer, it expires.
    if !lab.stop(TIDYING).await {
        trace.keep();
    }
    if let Some(app) = app {
        app.stop().await;
    }
    let last = snapshots.borrow().clone();
    engine.stop(GRACE).await;
    if let Some(history) = history {
        history.stop(GRACE).await;
    }
    trace.end(&last).await;
    let exit = shown.map_err(|error| no_terminal(&error))?;
    if exit.ended == Ended::Quit {
        // After anything else nobody may be reading, and a full terminal would hold the exit.
        session.tell_warnings();
    }
    conclude(&exit, stop.signal())
}

/// Leaves the answer behind, in the scrollback and as exit code.
fn conclude(exit: &Exit, signal: Option<u8>) -> Result<u8, Failure> {
    const HANGUP: u8 = 1;
    match exit.ended {
        Ended::Quit => {
            let picture = exit.picture.as_ref().map(tui::Picture::scrollback);
            let picture = picture.unwrap_or_default();
            print(&format!("{picture}{}: {}\n", exit.verdict.as_str(), exit.reason))?;
            Ok(gate::exit_code(exit.verdict))
        }
        Ended::Stopped | Ended::TerminalGone => Ok(gate::interrupted(signal.unwrap_or(HANGUP))),
    }
}

/// How the console draws here.
pub(super) fn options(session: &Session) -> Options {
    let mut options = Options::detect(|name| World.variable(name));
    match session.config.console.glyphs {
        Glyphs::Auto => {}
        Glyphs::Unicode => options.look.glyphs = tui::Glyphs::UNICODE,
        Glyphs::Ascii => options.look.glyphs = tui::Glyphs::ASCII,
    }
    let depth = Depth::detect(|name| World.variable(name));
    let coloured = themed(session.config.console.theme, depth);
    match (session.config.console.color, options.look.palette) {
        (Color::Never, _) => options.look.palette = tui::Palette::Plain,
        (Color::Auto, tui::Palette::Plain) => {}
        (Color::Auto | Color::Always, _) => options.look.palette = coloured,
    }
    let config::Console { title, bell, mouse, .. } = session.config.console;
    options.asides = Asides { title, bell, mouse };
    options.panics = faulty::wanted("ui-panic");
    options
}

/// The colours of a theme, as many as there are.
pub(super) fn themed(theme: Theme, depth: Depth) -> tui::Palette {
    let name = match theme {
        Theme::Terminal => return tui::Palette::Sixteen,
        Theme::Dark => "dark",
        Theme::Light => "light",
        Theme::ColorBlind => "color-blind",
    };
    let theme = tui::Theme::shipped(name, depth);
    theme.map_or(tui::Palette::Sixteen, tui::Palette::Themed)
}

fn no_terminal(error: &io::Error) -> Failure {
    Failure::unusable("the terminal cannot be used", error.to_string())
        .hint("`tminus check` needs none")
}

/// Faults that the tests of the terminal inject into the real program. Only in
/// builds with debug assertions; a release knows nothing of them.
mod faulty {
    use crate::{
        config::{Surroundings as _, World},
        domain::{Cadence, CheckSpec, Class, Impact, IntegrationId, Provenance, Target, text},
        probe::{Cx, Integration, Run},
    };
    use std::{sync::Arc, time::Duration};

    /// Whether the fault `name` is to be injected.
    pub(super) fn wanted(name: &str) -> bool {
        cfg!(debug_assertions) && World.variable("TMINUS_FAULT").as_deref() == Some(name)
    }

    /// The integrations, and one whose probe panics if that is wanted.
    pub(super) fn added_to(
        mut integrations: Vec<Arc<dyn Integration>>,
    ) -> Vec<Arc<dyn Integration>> {
        if let Some(id) = IntegrationId::new("faulty").ok().filter(|_| wanted("probe-panic")) {
            integrations.push(Arc::new(Faulty(id)));
        }
        integrations
    }

    struct Faulty(IntegrationId);

    impl Integration for Faulty {
        fn id(&self) -> &IntegrationId {
            &self.0
        }

        fn title(&self) -> &'static str {
            "Faulty"
        }

        fn target(&self) -> Target {
            Target { name: "a probe that panics".into(), provenance: Provenance::Embedded }
        }

        fn checks(&self) -> Vec<CheckSpec> {
            vec![CheckSpec {
                name: text("panics"),
                title: text("Panics each time"),
                hint: text("leave TMINUS_FAULT unset"),
                does: text("Asks it"),
                risk: text("nothing works"),
                cadence: Cadence::Every(Duration::from_secs(2)),
                timeout: Duration::from_secs(1),
                weight: 1,
                class: Class::Info,
                impact: Impact::ReadOnly,
                needs: None,
                graph: false,
            }]
        }

        fn run<'a>(&'a self, _: usize, _: &'a Cx) -> Run<'a> {
            #[expect(clippy::panic, reason = "it is what this one is for")]
            Box::pin(async { panic!("a probe panicked on purpose") })
        }
    }
}
