//! Messages in, effects out. The only file here that waits for anything.

mod caller;
mod meter;
mod terms;

pub use caller::Asides;
pub use terms::{Ended, Exit, Handles};

pub(super) use terms::{Ends, Shown};

use super::{
    input::{Input, Inputs},
    model::Model,
    outlet::{Done, Errand, Errands, Incident},
    picture::Picture,
    screen::{Aside, Mouse, Sent},
    theme::Look,
    update::{Effect, Msg, update},
    view,
};
use crate::domain::{Snapshot, perf::Board};
use caller::Caller;
use meter::Meter;
use ratatui::{buffer::Buffer, layout::Size};
use std::{cmp, io, ops::ControlFlow, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};

/// At most twenty frames a second of what changes by itself,
const FRAME: Duration = Duration::from_millis(50);
/// an answer to a key nearly at once,
const AFTER_KEY: Duration = Duration::from_millis(10);
/// and so the first answers of all, while the screen fills.
const START: Duration = Duration::from_millis(500);

/// Where frames go. The terminal is one; a test has others.
pub(super) trait Surface {
    /// How large it is.
    fn size(&self) -> io::Result<Size>;

    /// Waits until the last frame is out; returns how long that took, if it was
    /// too long. Can be dropped and called again.
    async fn ready(&mut self) -> io::Result<Option<Duration>>;

    /// Brings out what differs from the last frame. Call it only when it is ready.
    fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> io::Result<()>;

    /// Makes the next frame a whole one.
    fn redraw(&mut self);

    /// Tells the terminal something besides the picture; returns what went out.
    fn tell(&mut self, aside: Aside<'_>) -> Sent;

    /// Bytes that went out so far.
    fn written(&self) -> u64;

    /// Gives the terminal back and stops the process.
    fn suspend(&mut self) -> io::Result<()>;

    /// Takes the terminal again.
    fn resume(&mut self) -> io::Result<()>;
}

/// What woke the loop.
enum Wake {
    Stop(Ended),
    Draw(io::Result<Option<Duration>>),
    Input(Input),
    Snapshot(Arc<Snapshot>),
    Board(Arc<Board>),
    Errand(Option<Done>),
    EngineGone,
    LabGone,
    Tick,
}

/// Shows the console until the user leaves or something ends it.
pub(super) async fn run(
    surface: &mut impl Surface,
    inputs: &mut Inputs,
    mut desks: Handles,
    ends: Ends,
    shown: &Shown,
) -> io::Result<Exit> {
    let first = Arc::clone(&desks.engine.snapshots.borrow_and_update());
    let mut desk = Desk::new(first, surface.size()?, &desks);
    desk.caller = Caller::new(shown.asides);
    if shown.asides.mouse {
        desk.model.mouse = true;
        surface.tell(Aside::Mouse(Mouse::Ours));
    }
    desk.fold(Msg::Board(Arc::clone(&desks.lab.boards.borrow_and_update())));
    let (mut heard, mut tested) = (true, true);
    loop {
        let frame = desk.frame;
        let wake = tokio::select! {
            biased;
            () = ends.stop.cancelled() => Wake::Stop(Ended::Stopped),
            () = ends.gone.cancelled() => Wake::Stop(Ended::TerminalGone),
            ready = due(surface, frame), if frame.is_some() && !desk.away => Wake::Draw(ready),
            input = inputs.next() => input.map_or(Wake::Stop(Ended::TerminalGone), Wake::Input),
            changed = desks.engine.snapshots.changed(), if heard => match changed {
                Ok(()) => Wake::Snapshot(Arc::clone(&desks.engine.snapshots.borrow_and_update())),
                Err(_) => Wake::EngineGone,
            },
            changed = desks.lab.boards.changed(), if tested => match changed {
                Ok(()) => Wake::Board(Arc::clone(&desks.lab.boards.borrow_and_update())),
                Err(_) => Wake::LabGone,
            },
            done = desk.errands.done() => Wake::Errand(done),
            () = sleep_until(desk.tick), if !desk.away => Wake::Tick,
        };
        match wake {
            Wake::Stop(ended) => return Ok(desk.exit(ended)),
            Wake::Draw(ready) => {
                if desk.draw(surface, &shown.look, ready).is_err() {
                    return Ok(desk.exit(Ended::TerminalGone));
                }
            }
            Wake::Input(input) => {
                let mut next = Some(input);
                while let Some(input) = next {
                    if desk.handle(surface, &desks, &shown.look, input)?.is_break() {
                        return Ok(desk.exit(Ended::Quit));
                    }
                    next = inputs.waiting();
                }
            }
            Wake::Errand(done) => desk.done(surface, done),
            Wake::Snapshot(snapshot) => desk.receive(snapshot),
            Wake::Board(board) => {
                desk.fold(Msg::Board(board));
                desk.touch(FRAME);
            }
            Wake::EngineGone => heard = false,
            Wake::LabGone => tested = false,
            Wake::Tick => {
                desk.measure(surface);
                desk.tick();
            }
        }
    }
}

async fn due(surface: &mut impl Surface, frame: Option<Instant>) -> io::Result<Option<Duration>> {
    if let Some(frame) = frame {
        sleep_until(frame).await;
    }
    surface.ready().await
}

/// The model, and when to look at it again.
struct Desk {
    model: Model,
    /// When the console started.
    began: Instant,
    /// When the newest snapshot came.
    came: Instant,
    /// When the last frame was drawn.
    drawn: Option<Instant>,
    /// When the next one is due, if anything changed.
    frame: Option<Instant>,
    /// When the clock on the screen moves.
    tick: Instant,
    /// Whether the shell has the terminal.
    away: bool,
    /// What is being written.
    errands: Errands,
    /// What the console itself takes.
    meter: Meter,
    /// What is said besides.
    caller: Caller,
    /// The picture to leave behind.
    last: Option<Picture>,
}

impl Desk {
    fn new(snapshot: Arc<Snapshot>, size: Size, desks: &Handles) -> Self {
        let now = Instant::now();
        let meter = Meter::new(&snapshot);
        let mut model = Model::new(snapshot);
        update(&mut model, Msg::Resized(size));
        model.user.clone_from(&desks.user);
        model.keys = Arc::clone(&desks.keys);
        Self {
            model,
            began: now,
            came: now,
            drawn: None,
            frame: Some(now),
            tick: now,
            away: false,
            errands: Errands::new(Arc::clone(&desks.outlet)),
            meter,
            caller: Caller::new(Asides::default()),
            last: None,
        }
    }

    /// Something changed: a frame is due, but not sooner than `gap` after the last one.
    fn touch(&mut self, gap: Duration) {
        let now = Instant::now();
        let gap = if now - self.began < START { AFTER_KEY } else { gap };
        let due = self.drawn.map_or(now, |drawn| cmp::max(drawn + gap, now));
        self.frame = Some(self.frame.map_or(due, |frame| cmp::min(frame, due)));
    }

    fn fold(&mut self, msg: Msg) -> Option<Effect> {
        update(&mut self.model, Msg::Tick(self.came.elapsed()));
        update(&mut self.model, msg)
    }

    fn receive(&mut self, snapshot: Arc<Snapshot>) {
        self.came = Instant::now();
        self.fold(Msg::Snapshot(snapshot));
        self.touch(FRAME);
    }

    /// Moves the clock, and wakes again when it moves next.
    fn tick(&mut self) {
        update(&mut self.model, Msg::Tick(self.came.elapsed()));
        let into = u64::try_from(self.model.wall().0.rem_euclid(1000)).unwrap_or(0);
        self.tick = Instant::now() + Duration::from_millis(1000 - into);
        self.touch(FRAME);
    }

    fn draw(
        &mut self,
        surface: &mut impl Surface,
        look: &Look,
        ready: io::Result<Option<Duration>>,
    ) -> io::Result<()> {
        if let Some(took) = ready? {
            self.fold(Msg::Stalled(took));
        }
        self.caller.call(&self.model, |aside| surface.tell(aside));
        surface.draw(|buf| view::draw(&self.model, look, buf))?;
        (self.drawn, self.frame) = (Some(Instant::now()), None);
        Ok(())
    }

    /// Handles one input; breaks if the user leaves.
    fn handle(
        &mut self,
        surface: &mut impl Surface,
        desks: &Handles,
        look: &Look,
        input: Input,
    ) -> io::Result<ControlFlow<()>> {
        let effect = match input {
            Input::Key(key) => self.fold(Msg::Key(key)),
            Input::Mouse(event) => self.fold(Msg::Mouse(event)),
            Input::Resized => {
                let size = surface.size()?;
                self.fold(Msg::Resized(size))
            }
            Input::Suspend => Some(Effect::Suspend),
            Input::Continued => {
                self.away = false;
                surface.resume()?;
                self.caller.forget();
                self.model.mouse.then_some(Effect::Mouse(Mouse::Ours))
            }
            #[cfg(debug_assertions)]
            Input::Fault => fault(),
        };
        self.measure(surface);
        self.touch(AFTER_KEY);
        match effect {
            Some(effect) => self.perform(surface, desks, look, effect),
            None => Ok(ControlFlow::Continue(())),
        }
    }

    fn perform(
        &mut self,
        surface: &mut impl Surface,
        desks: &Handles,
        look: &Look,
        effect: Effect,
    ) -> io::Result<ControlFlow<()>> {
        match effect {
            Effect::Quit => return Ok(ControlFlow::Break(())),
            Effect::QuitKeeping => {
                self.last = Some(Picture::of(&self.model, look, surface.size()?));
                return Ok(ControlFlow::Break(()));
            }
            Effect::Send(command) => {
                if let Err(refused) = desks.engine.send(command) {
                    self.fold(Msg::Refused(refused));
                }
            }
            Effect::Order(order) => {
                let taken = desks.lab.send(order);
                if !taken {
                    self.fold(Msg::Unheard);
                }
            }
            Effect::Copy(text) => self.begin(Errand::Copy(text)),
            Effect::Export => {
                let picture = Picture::of(&self.model, look, surface.size()?);
                self.begin(Errand::Export(Box::new(Incident::of(&self.model, picture))));
            }
            Effect::Mouse(whose) => {
                surface.tell(Aside::Mouse(whose));
            }
            Effect::Redraw => surface.redraw(),
            Effect::Suspend if self.away => {}
            Effect::Suspend => {
                // Nothing is drawn until the shell lets us go on.
                self.away = true;
                surface.suspend()?;
            }
        }
        Ok(ControlFlow::Continue(()))
    }

    /// Measures what the console itself takes, while the help shows it.
    fn measure(&mut self, surface: &impl Surface) {
        if self.model.help.is_some() {
            let usage = self.errands.usage();
            let cost = self.meter.read(usage, surface.written(), &self.model.live);
            cost.map(|cost| self.fold(Msg::Cost(cost)));
        }
    }

    fn begin(&mut self, errand: Errand) {
        if !self.errands.begin(errand) {
            self.fold(Msg::Said("the last file is still being written; wait for it".into()));
        }
    }

    fn done(&mut self, surface: &mut impl Surface, done: Option<Done>) {
        let says = done.map(|done| done.say(|aside| surface.tell(aside)));
        let says = says.unwrap_or_else(|| "nothing is written: it was cut off".into());
        self.fold(Msg::Said(says));
        self.touch(AFTER_KEY);
    }

    fn exit(&mut self, ended: Ended) -> Exit {
        let reason = self.model.snapshot().verdict.reason.clone();
        Exit { verdict: self.model.word(), reason, ended, picture: self.last.take() }
    }
}

#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "proves that the terminal is given back")]
fn fault() -> Option<Effect> {
    panic!("asked for by a test");
}

#[cfg(test)]
mod tests;
