//! Messages in, effects out. The only file here that waits for anything.

use super::{
    input::{Input, Inputs},
    model::Model,
    theme::Look,
    update::{Effect, Msg, update},
    view,
};
use crate::{
    domain::{Snapshot, Word, perf::Board},
    engine::Handle,
    perf::LabHandle,
};
use ratatui::{buffer::Buffer, layout::Size};
use std::{cmp, io, sync::Arc, time::Duration};
use tokio::time::{Instant, sleep_until};
use tokio_util::sync::CancellationToken;

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

    /// Gives the terminal back and stops the process.
    fn suspend(&mut self) -> io::Result<()>;

    /// Takes the terminal again.
    fn resume(&mut self) -> io::Result<()>;
}

/// How the console ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exit {
    /// The verdict that was shown last.
    pub verdict: Word,
    /// The deciding rule in a clause.
    pub reason: String,
    /// Why it ended.
    pub ended: Ended,
}

/// Why the console ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ended {
    /// The user left.
    Quit,
    /// It was told to stop.
    Stopped,
    /// There is no terminal any more.
    TerminalGone,
}

/// What ends the console from outside.
#[derive(Clone, Debug, Default)]
pub(super) struct Ends {
    /// Somebody wants it to stop.
    pub(super) stop: CancellationToken,
    /// The terminal is gone.
    pub(super) gone: CancellationToken,
}

/// Whom the console hears and tells: each does its work elsewhere, but for the user.
#[derive(Clone, Debug)]
pub struct Handles {
    /// The engine.
    pub engine: Handle,
    /// Whoever runs the performance tests.
    pub lab: LabHandle,
    /// Who sits in front of it.
    pub user: Option<String>,
}

/// What woke the loop.
enum Wake {
    Stop(Ended),
    Draw(io::Result<Option<Duration>>),
    Input(Input),
    Snapshot(Arc<Snapshot>),
    Board(Arc<Board>),
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
    look: &Look,
) -> io::Result<Exit> {
    let first = Arc::clone(&desks.engine.snapshots.borrow_and_update());
    let mut desk = Desk::new(first, surface.size()?);
    desk.fold(Msg::Board(Arc::clone(&desks.lab.boards.borrow_and_update())));
    desk.model.user.clone_from(&desks.user);
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
            () = sleep_until(desk.tick), if !desk.away => Wake::Tick,
        };
        match wake {
            Wake::Stop(ended) => return Ok(desk.exit(ended)),
            Wake::Draw(ready) => {
                if desk.draw(surface, look, ready).is_err() {
                    return Ok(desk.exit(Ended::TerminalGone));
                }
            }
            Wake::Input(input) => {
                let mut next = Some(input);
                while let Some(input) = next {
                    if desk.handle(surface, &desks, input)?.is_break() {
                        return Ok(desk.exit(Ended::Quit));
                    }
                    next = inputs.waiting();
                }
            }
            Wake::Snapshot(snapshot) => desk.receive(snapshot),
            Wake::Board(board) => {
                desk.fold(Msg::Board(board));
                desk.touch(FRAME);
            }
            Wake::EngineGone => heard = false,
            Wake::LabGone => tested = false,
            Wake::Tick => desk.tick(),
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
}

impl Desk {
    fn new(snapshot: Arc<Snapshot>, size: Size) -> Self {
        let now = Instant::now();
        let mut model = Model::new(snapshot);
        update(&mut model, Msg::Resized(size.height));
        let frame = Some(now);
        Self { model, began: now, came: now, drawn: None, frame, tick: now, away: false }
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
        surface.draw(|buf| view::draw(&self.model, look, buf))?;
        (self.drawn, self.frame) = (Some(Instant::now()), None);
        Ok(())
    }

    /// Handles one input; breaks if the user leaves.
    fn handle(
        &mut self,
        surface: &mut impl Surface,
        desks: &Handles,
        input: Input,
    ) -> io::Result<std::ops::ControlFlow<()>> {
        let effect = match input {
            Input::Key(key) => self.fold(Msg::Key(key)),
            Input::Resized => {
                let size = surface.size()?;
                self.fold(Msg::Resized(size.height))
            }
            Input::Suspend => Some(Effect::Suspend),
            Input::Continued => {
                self.away = false;
                surface.resume()?;
                None
            }
            #[cfg(debug_assertions)]
            Input::Fault => fault(),
        };
        match effect {
            Some(Effect::Quit) => return Ok(std::ops::ControlFlow::Break(())),
            Some(Effect::Send(command)) => {
                if let Err(refused) = desks.engine.send(command) {
                    self.fold(Msg::Refused(refused));
                }
            }
            Some(Effect::Order(order)) => {
                let taken = desks.lab.send(order);
                if !taken {
                    self.fold(Msg::Unheard);
                }
            }
            Some(Effect::Redraw) => surface.redraw(),
            Some(Effect::Suspend) if self.away => {}
            Some(Effect::Suspend) => {
                // Nothing is drawn until the shell lets us go on.
                self.away = true;
                surface.suspend()?;
            }
            None => {}
        }
        self.touch(AFTER_KEY);
        Ok(std::ops::ControlFlow::Continue(()))
    }

    fn exit(&self, ended: Ended) -> Exit {
        let reason = self.model.snapshot().verdict.reason.clone();
        Exit { verdict: self.model.word(), reason, ended }
    }
}

#[cfg(debug_assertions)]
#[expect(clippy::panic, reason = "proves that the terminal is given back")]
fn fault() -> Option<Effect> {
    panic!("asked for by a test");
}

#[cfg(test)]
mod tests;
