//! The whole loop in this process: scripted input, hand-made snapshots, a
//! surface that counts bytes.

mod budget;
mod leaving;
mod stall;

use super::*;
use crate::{
    domain::{
        Word,
        perf::{Board, Order},
    },
    engine::{Command, Handle},
    perf::LabHandle,
    tui::{
        outlet::{Outlet, Usage},
        sample,
        screen::{Canvas, Sync},
    },
};
use crossterm::event::{KeyCode, KeyEvent, KeyModifiers};
use std::path::PathBuf;
use tokio::{
    sync::{mpsc, watch},
    time::sleep,
};

/// A terminal made of memory.
struct Paper {
    canvas: Canvas,
    size: Size,
    screen: vt100::Parser,
    /// When each frame was written, and how long it was.
    frames: Vec<(Instant, usize)>,
    suspended: usize,
    /// What was told besides.
    told: Vec<String>,
}

impl Paper {
    fn new(width: u16, height: u16) -> Self {
        let screen = vt100::Parser::new(height.try_into().unwrap(), width.try_into().unwrap(), 0);
        let canvas = Canvas::new(Sync::Marked);
        Self {
            canvas,
            size: Size::new(width, height),
            screen,
            frames: Vec::new(),
            suspended: 0,
            told: Vec::new(),
        }
    }

    fn row(&self, row: u16) -> String {
        self.screen.screen().contents().lines().nth(row.into()).unwrap_or_default().to_owned()
    }
}

impl Surface for Paper {
    fn size(&self) -> io::Result<Size> {
        Ok(self.size)
    }

    async fn ready(&mut self) -> io::Result<Option<Duration>> {
        Ok(None)
    }

    fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        if let Some(bytes) = self.canvas.frame(self.size, paint) {
            self.screen.process(&bytes);
            self.frames.push((Instant::now(), bytes.len()));
        }
        Ok(())
    }

    fn redraw(&mut self) {
        self.canvas.forget();
    }

    fn written(&self) -> u64 {
        self.frames.iter().map(|(_, bytes)| *bytes as u64).sum()
    }

    fn tell(&mut self, aside: Aside<'_>) -> Sent {
        self.told.push(format!("{aside:?}"));
        Sent::Whole
    }

    fn suspend(&mut self) -> io::Result<()> {
        self.suspended += 1;
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        self.canvas.forget();
        Ok(())
    }
}

/// The other ends of a console.
struct Desktop {
    keys: mpsc::Sender<Input>,
    snapshots: watch::Sender<Arc<Snapshot>>,
    commands: mpsc::Receiver<Command>,
    tests: watch::Sender<Arc<Board>>,
    orders: mpsc::Receiver<Order>,
    ends: Ends,
}

impl Desktop {
    async fn press(&self, code: KeyCode) {
        self.keys.send(Input::Key(code.into())).await.unwrap();
    }

    async fn wait(&self, milliseconds: u64) {
        sleep(Duration::from_millis(milliseconds)).await;
    }

    /// Publishes the newest snapshot after `change`, a second later on its own clock.
    fn publish(&self, change: impl Fn(&mut Snapshot)) {
        let mut next = (**self.snapshots.borrow()).clone();
        next.seq += 1;
        next.at += Duration::from_secs(1);
        next.wall = next.wall.after(Duration::from_secs(1));
        change(&mut next);
        self.snapshots.send_replace(Arc::new(next));
    }
}

/// A lab's ends: the console's, and those of whoever plays the lab.
fn lab() -> (LabHandle, watch::Sender<Arc<Board>>, mpsc::Receiver<Order>) {
    let (tests, boards) = watch::channel(Arc::clone(&sample::model_with_tests().board));
    let (sender, orders) = mpsc::channel(1);
    (LabHandle::new(boards, sender), tests, orders)
}

/// An outlet without a disk.
#[derive(Debug)]
struct Shelf;

impl Outlet for Shelf {
    fn keep(&self, text: &mut String) -> Result<PathBuf, String> {
        *text = text.replace("127.0.0.1", "[secret]");
        Ok("/state/copied.txt".into())
    }

    fn export(&self, incident: Incident) -> Result<PathBuf, String> {
        assert!(incident.picture.text().starts_with(" NO-GO"));
        Err("the disk is full".into())
    }

    fn usage(&self) -> Option<Usage> {
        Some(Usage { cpu: Duration::from_millis(30), memory: 11 << 20, sockets: 2 })
    }
}

/// Runs the console while `script` plays; returns what it drew on and how it ended.
async fn play<S: Surface>(mut paper: S, script: impl AsyncFnOnce(&mut Desktop)) -> (S, Exit) {
    let (keys, input) = mpsc::channel(32);
    let (snapshots, newest) = watch::channel(Arc::new(sample::snapshot()));
    let (sender, commands) = mpsc::channel(1);
    let (lab, tests, orders) = lab();
    let ends = Ends::default();
    let mut desktop = Desktop { keys, snapshots, commands, tests, orders, ends };
    let ends = desktop.ends.clone();
    let look = Shown { look: sample::look(), ..Shown::default() };
    let console = async {
        let mut inputs = Inputs::from_channel(input);
        let handles = Handles {
            engine: Handle::new(newest, sender),
            lab,
            user: None,
            outlet: Arc::new(Shelf),
            keys: Arc::default(),
        };
        run(&mut paper, &mut inputs, handles, ends, &look).await.unwrap()
    };
    let (exit, ()) = tokio::join!(console, async {
        script(&mut desktop).await;
        desktop.ends.stop.cancel();
    });
    (paper, exit)
}

#[tokio::test(start_paused = true)]
async fn a_test_starts_when_it_was_asked_and_shows_how_far_it_is() {
    let (paper, _) = play(Paper::new(80, 24), async |desktop| {
        for code in [KeyCode::Char('t'), KeyCode::Enter, KeyCode::Char('s')] {
            desktop.press(code).await;
        }
        assert_eq!(desktop.orders.recv().await, Some(Order::Start("redis".into())));
        let running = sample::running(&desktop.tests.borrow().clone());
        desktop.tests.send_replace(Arc::new(running));
        desktop.wait(100).await;
        desktop.press(KeyCode::Char('x')).await;
        assert_eq!(desktop.orders.recv().await, Some(Order::Abort));
        // Nobody follows any more; the keys must not wait for anybody.
        for _ in 0..3 {
            desktop.press(KeyCode::Char('x')).await;
        }
        desktop.wait(100).await;
    })
    .await;
    let screen = paper.screen.screen().contents();
    assert!(screen.contains("measures 6.2s of 10s"), "{screen}");
    assert!(screen.contains("the tests cannot be reached"), "{screen}");
}

#[tokio::test(start_paused = true)]
async fn keys_move_open_ask_and_quit() {
    let (paper, exit) = play(Paper::new(80, 24), async |desktop| {
        for code in [KeyCode::Char('j'), KeyCode::Enter, KeyCode::Char('r')] {
            desktop.press(code).await;
            desktop.wait(100).await;
        }
        let asked = desktop.commands.recv().await.unwrap();
        assert!(format!("{asked:?}").contains("database.connect"), "{asked:?}");
        desktop.press(KeyCode::Char('Q')).await;
        desktop.wait(100).await;
    })
    .await;
    assert_eq!(exit.ended, Ended::Quit);
    assert_eq!((exit.verdict, exit.reason.as_str()), (Word::NoGo, "3 blockers"));
    assert!(paper.row(0).contains("> 2 DB observability"), "{}", paper.row(0));
    assert_eq!(paper.row(22), " re-check of database.connect asked");
}

#[tokio::test(start_paused = true)]
async fn the_first_change_is_drawn_at_once_and_a_flood_is_not() {
    let (paper, _) = play(Paper::new(80, 24), async |desktop| {
        desktop.wait(990).await;
        for n in 0..1000_u64 {
            desktop.publish(|snapshot| snapshot.host = format!("web-{n}"));
            desktop.wait(1).await;
        }
    })
    .await;
    let began = paper.frames[0].0;
    let after = |at: &Instant| at.duration_since(began).as_millis();
    assert!(paper.frames.iter().any(|(at, _)| (990..=991).contains(&after(at))));
    assert!(paper.frames.len() <= 2 + 21, "{} frames in two seconds", paper.frames.len());
    assert!(paper.row(0).contains("@web-999"), "{}", paper.row(0));
}

#[tokio::test(start_paused = true)]
async fn a_key_is_answered_within_ten_milliseconds_of_the_last_frame() {
    let mut pressed = Vec::new();
    let (paper, _) = play(Paper::new(80, 24), async |desktop| {
        for n in 0..50_u64 {
            desktop.wait(37 + n).await;
            desktop.publish(|snapshot| snapshot.host = format!("web-{n}"));
            desktop.wait(n % 9).await;
            pressed.push(Instant::now());
            desktop.press(if n % 2 == 0 { KeyCode::Down } else { KeyCode::Up }).await;
        }
        desktop.wait(100).await;
    })
    .await;
    for at in pressed {
        let answered = paper.frames.iter().find(|(frame, _)| *frame >= at).unwrap().0;
        assert!(answered - at <= Duration::from_millis(11), "{:?}", answered - at);
    }
}

#[tokio::test(start_paused = true)]
async fn input_is_drained_before_a_frame_is_drawn() {
    let (paper, _) = play(Paper::new(80, 24), async |desktop| {
        desktop.wait(100).await;
        for _ in 0..30 {
            desktop.keys.try_send(Input::Key(KeyCode::Char('j').into())).unwrap();
        }
        desktop.wait(100).await;
    })
    .await;
    assert!(paper.frames.len() <= 3, "{} frames", paper.frames.len());
    assert!(paper.row(8).starts_with('>'), "{}", paper.row(8));
}

#[tokio::test(start_paused = true)]
async fn nothing_that_changes_is_no_byte_but_for_the_clock() {
    let (paper, _) = play(Paper::new(120, 40), async |desktop| {
        desktop.wait(900).await;
        for _ in 0..5 {
            // What nobody sees is published, and keys that do nothing are pressed.
            desktop.snapshots.send_modify(|snapshot| {
                Arc::make_mut(snapshot).seq += 1;
            });
            desktop.press(KeyCode::Char('x')).await;
            desktop.keys.send(Input::Resized).await.unwrap();
            desktop.wait(15).await;
        }
    })
    .await;
    let later = &paper.frames[1..];
    assert!(later.is_empty(), "{later:?}");
}

#[tokio::test(start_paused = true)]
async fn a_busy_engine_says_so_on_the_screen() {
    let (paper, _) = play(Paper::new(80, 24), async |desktop| {
        for code in ['r', 'R'] {
            desktop.press(KeyCode::Char(code)).await;
            desktop.wait(100).await;
        }
    })
    .await;
    assert!(paper.row(22).starts_with(" busy: "), "{}", paper.row(22));
}

#[tokio::test(start_paused = true)]
async fn a_dead_engine_turns_the_screen_stale_and_leaves_the_keys_alive() {
    let (keys, input) = mpsc::channel(32);
    let (snapshots, newest) = watch::channel(Arc::new(sample::snapshot()));
    let (sender, _) = mpsc::channel(1);
    let mut paper = Paper::new(80, 24);
    let look = Shown { look: sample::look(), ..Shown::default() };
    let ends = Ends::default();
    let mut inputs = Inputs::from_channel(input);
    let handles = Handles {
        engine: Handle::new(newest, sender),
        lab: lab().0,
        user: None,
        outlet: Arc::new(Shelf),
        keys: Arc::default(),
    };
    let script = async {
        drop(snapshots);
        sleep(Duration::from_mins(1)).await;
        keys.send(Input::Key(KeyCode::Char('r').into())).await.unwrap();
        sleep(Duration::from_secs(1)).await;
        keys.send(Input::Key(KeyCode::Char('q').into())).await.unwrap();
    };
    let console = run(&mut paper, &mut inputs, handles, ends, &look);
    let (exit, ()) = tokio::join!(console, script);
    assert_eq!(exit.unwrap().verdict, Word::Hold);
    assert!(paper.row(0).contains("STALE: no news from web-3 for 1m"), "{}", paper.row(0));
    assert!(paper.row(22).contains("the engine has stopped"), "{}", paper.row(22));
}

#[tokio::test(start_paused = true)]
async fn while_the_shell_has_the_terminal_nothing_is_drawn() {
    let (paper, _) = play(Paper::new(80, 24), async |desktop| {
        desktop.wait(100).await;
        let stop = KeyEvent::new(KeyCode::Char('z'), KeyModifiers::CONTROL);
        desktop.keys.send(Input::Key(stop)).await.unwrap();
        desktop.wait(1).await;
        desktop.publish(|snapshot| snapshot.host = "elsewhere".into());
        desktop.wait(60_000).await;
        desktop.publish(|snapshot| snapshot.host = "elsewhere".into());
        desktop.keys.send(Input::Continued).await.unwrap();
        desktop.wait(100).await;
    })
    .await;
    assert_eq!(paper.suspended, 1);
    let gap = paper.frames.windows(2).map(|pair| pair[1].0 - pair[0].0).max().unwrap();
    assert!(gap >= Duration::from_mins(1), "{gap:?}");
    let whole = paper.frames[0].1;
    assert!(paper.frames[1].1 > whole / 2, "what the shell left is painted over");
    assert!(paper.row(0).contains("@elsewhere"), "{}", paper.row(0));
}

#[tokio::test(start_paused = true)]
async fn every_end_from_outside_is_told_apart() {
    let (_, exit) = play(Paper::new(80, 24), async |desktop| desktop.wait(10).await).await;
    assert_eq!(exit.ended, Ended::Stopped);
    let (_, exit) = play(Paper::new(80, 24), async |desktop| {
        desktop.ends.gone.cancel();
        desktop.wait(10).await;
    })
    .await;
    assert_eq!(exit.ended, Ended::TerminalGone);
}
