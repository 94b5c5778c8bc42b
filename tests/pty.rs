//! The real binary in a real pseudo-terminal: starts, reacts, leaves cleanly.
#![expect(
    clippy::unwrap_used,
    clippy::disallowed_methods,
    clippy::panic,
    reason = "a test against real time"
)]

use portable_pty::{Child, CommandBuilder, ExitStatus, MasterPty, PtySize, native_pty_system};
use rustix::{
    fd::{AsFd as _, OwnedFd},
    fs::{Mode, OFlags, open},
    process::{Pid, Signal, kill_process, kill_process_group},
    termios::{LocalModes, tcgetattr},
};
use std::{
    cmp, fs,
    io::{Read, Write},
    sync::{
        Arc, Mutex,
        atomic::{AtomicBool, Ordering},
    },
    thread::{self, JoinHandle},
    time::{Duration, Instant},
};

/// How long anything may take on a slow machine.
const PATIENCE: Duration = Duration::from_secs(10);

struct Console {
    child: Box<dyn Child + Send + Sync>,
    screen: Arc<Mutex<vt100::Parser>>,
    keys: Option<Box<dyn Write + Send>>,
    master: Option<Box<dyn MasterPty + Send>>,
    /// The other side, so that its modes can be looked at after the child is gone.
    slave: OwnedFd,
    /// Makes the reader close its copy of the master at the next output.
    closing: Arc<AtomicBool>,
    reader: Option<JoinHandle<()>>,
}

fn size(columns: u16, rows: u16) -> PtySize {
    PtySize { rows, cols: columns, pixel_width: 0, pixel_height: 0 }
}

impl Console {
    fn start() -> Self {
        Self::start_with(&[])
    }

    fn start_with(env: &[(&str, &str)]) -> Self {
        let pair = native_pty_system().openpty(size(80, 24)).unwrap();
        let flags = OFlags::RDWR | OFlags::NOCTTY;
        let slave = open(pair.master.tty_name().unwrap(), flags, Mode::empty()).unwrap();
        let mut command = CommandBuilder::new(env!("CARGO_BIN_EXE_tminus"));
        command.env_clear();
        let home = std::env::temp_dir();
        for (name, value) in [("TERM", "xterm-256color"), ("LC_ALL", "C.UTF-8")] {
            command.env(name, value);
        }
        for name in ["HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"] {
            command.env(name, &home);
        }
        command.cwd(&home);
        for (name, value) in env {
            command.env(name, value);
        }
        let child = pair.slave.spawn_command(command).unwrap();
        drop(pair.slave);
        let parser = vt100::Parser::new(24.try_into().unwrap(), 80.try_into().unwrap(), 0);
        let screen = Arc::new(Mutex::new(parser));
        let (mut output, seen) = (pair.master.try_clone_reader().unwrap(), Arc::clone(&screen));
        let closing = Arc::new(AtomicBool::new(false));
        let close = Arc::clone(&closing);
        let reader = thread::spawn(move || {
            let mut bytes = [0; 4096];
            while let Ok(n @ 1..) = output.read(&mut bytes) {
                seen.lock().unwrap().process(&bytes[..n]);
                if close.load(Ordering::Relaxed) {
                    return;
                }
            }
        });
        let keys = pair.master.take_writer().ok();
        let master = Some(pair.master);
        Self { child, screen, keys, master, slave, closing, reader: Some(reader) }
    }

    fn press(&mut self, keys: &str) {
        self.keys.as_mut().unwrap().write_all(keys.as_bytes()).unwrap();
    }

    fn resize(&self, columns: u16, rows: u16) {
        self.master.as_ref().unwrap().resize(size(columns, rows)).unwrap();
        let [rows, columns] = [rows, columns].map(|n| n.try_into().unwrap());
        self.screen.lock().unwrap().screen_mut().set_size(rows, columns);
    }

    fn pid(&self) -> Pid {
        Pid::from_raw(self.child.process_id().unwrap().try_into().unwrap()).unwrap()
    }

    fn signal(&self, signal: Signal) {
        kill_process(self.pid(), signal).unwrap();
    }

    fn text(&self) -> String {
        self.screen.lock().unwrap().screen().contents()
    }

    /// Whether the terminal has the modes of a shell: lines, echo, signals.
    fn is_cooked(&self) -> bool {
        let modes = tcgetattr(self.slave.as_fd()).unwrap().local_modes;
        modes.contains(LocalModes::ICANON | LocalModes::ECHO | LocalModes::ISIG)
    }

    /// The state letter of the process: R, S, T (stopped), Z.
    fn state(&self) -> char {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid().as_raw_nonzero()));
        let stat = stat.unwrap();
        stat.rsplit(')').next().unwrap().trim_start().chars().next().unwrap()
    }

    /// Processor time so far, in clock ticks of which a second has a hundred.
    fn ticks(&self) -> u64 {
        let stat = fs::read_to_string(format!("/proc/{}/stat", self.pid().as_raw_nonzero()));
        let stat = stat.unwrap_or_default(); // gone
        let fields: Vec<&str> = stat.rsplit(')').next().unwrap().split_whitespace().collect();
        let number = |at: usize| fields.get(at).map_or(0, |field| field.parse::<u64>().unwrap());
        number(11) + number(12)
    }

    /// Waits for a condition and never for a fixed time.
    #[track_caller]
    fn wait(&self, what: &str, met: impl Fn(&Self) -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !met(self) {
            assert!(
                Instant::now() < deadline,
                "never saw {what}; the screen was:\n{}",
                self.text()
            );
            thread::sleep(Duration::from_millis(5));
        }
    }

    #[track_caller]
    fn wait_for(&self, text: &str) {
        self.wait(text, |console| console.text().contains(text));
    }

    /// Waits until the console is up and has the terminal.
    #[track_caller]
    fn wait_until_up(&self) {
        self.wait_for("BLOCKERS");
        self.wait("raw mode", |console| !console.is_cooked());
        self.wait("its own screen", |console| {
            let screen = console.screen.lock().unwrap();
            screen.screen().alternate_screen() && screen.screen().hide_cursor()
        });
    }

    /// Waits for the end, and how long it took.
    #[track_caller]
    fn ended(&mut self) -> (ExitStatus, Duration) {
        let began = Instant::now();
        loop {
            if let Some(status) = self.child.try_wait().unwrap() {
                return (status, began.elapsed());
            }
            if began.elapsed() > PATIENCE {
                self.child.kill().unwrap();
                panic!("it did not end; the screen was:\n{}", self.text());
            }
            thread::sleep(Duration::from_millis(2));
        }
    }

    /// It ended by itself, with the verdict as its exit code and in the scrollback.
    #[track_caller]
    fn assert_quit(&mut self) {
        let (status, took) = self.ended();
        assert!(took < Duration::from_secs(2), "{took:?}");
        let word = match status.exit_code() {
            0 => "GO:",
            1 => "NO-GO:",
            3 => "HOLD:",
            other => panic!("exit code {other}, {status:?}"),
        };
        self.assert_terminal_given_back();
        self.wait_for(word);
    }

    #[track_caller]
    fn assert_terminal_given_back(&self) {
        self.wait("the modes of a shell", Self::is_cooked);
        self.wait("the user's own screen", |console| {
            let screen = console.screen.lock().unwrap();
            !screen.screen().alternate_screen() && !screen.screen().hide_cursor()
        });
    }
}

impl Drop for Console {
    fn drop(&mut self) {
        // It has ended already, unless the test failed.
        let _gone = self.child.kill();
    }
}

#[test]
fn it_shows_itself_helps_and_quits() {
    let mut console = Console::start();
    console.wait_until_up();
    console.press("?");
    console.wait_for("quit from anywhere");
    console.press("\u{1b}");
    console.wait("the home screen again", |console| console.text().contains("BLOCKERS"));
    console.press("q");
    console.assert_quit();
}

#[test]
fn what_is_copied_is_in_a_file_and_the_last_picture_stays() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().to_string_lossy().into_owned();
    let env = ["HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"].map(|name| (name, path.as_str()));
    let mut console = Console::start_with(&env);
    console.wait_until_up();
    console.press("y");
    console.wait_for("sent to the terminal, and in");
    let copied = fs::read_to_string(home.path().join("tminus/copied.txt")).unwrap();
    assert!(copied.contains(" @") && copied.lines().count() == 1, "{copied}");
    console.press("e");
    console.wait_for("report, JSON and picture are in");
    let incidents = fs::read_dir(home.path().join("tminus/incidents")).unwrap();
    for incident in incidents {
        let files = fs::read_dir(incident.unwrap().path()).unwrap();
        assert_eq!(files.count(), 4);
    }
    console.press("Q");
    console.assert_quit();
    // The screen that was left is above the verdict, in the user's own screen.
    console.wait("the last picture", |console| console.text().contains("BLOCKERS"));
}

#[test]
fn ctrl_c_is_a_key_that_quits() {
    let mut console = Console::start();
    console.wait_until_up();
    console.press("\u{3}");
    console.assert_quit();
}

#[test]
fn every_signal_that_ends_a_process_gives_the_terminal_back() {
    for signal in [Signal::TERM, Signal::HUP, Signal::INT] {
        let mut console = Console::start();
        console.wait_until_up();
        console.signal(signal);
        let (_, took) = console.ended();
        assert!(took < Duration::from_secs(1), "{signal:?} took {took:?}");
        console.assert_terminal_given_back();
    }
}

#[test]
fn a_terminal_that_is_closed_ends_it_within_a_second_and_without_a_spin() {
    let mut console = Console::start();
    console.wait_until_up();
    console.closing.store(true, Ordering::Relaxed);
    drop(console.keys.take());
    drop(console.master.take());
    console.reader.take().unwrap().join().unwrap(); // at the next tick of the clock
    let (began, before) = (Instant::now(), console.ticks());
    let mut last = before;
    while console.child.try_wait().unwrap().is_none() {
        last = cmp::max(last, console.ticks());
        assert!(began.elapsed() < Duration::from_secs(1), "still there");
        thread::sleep(Duration::from_millis(2));
    }
    assert!(last - before < 50, "{} ticks of processor time", last - before);
}

#[test]
fn a_terminal_that_stops_reading_does_not_hold_the_end() {
    let mut console = Console::start();
    console.wait_until_up();
    console.closing.store(true, Ordering::Relaxed);
    console.reader.take().unwrap().join().unwrap();
    for n in 0..10 {
        // A whole frame each; a pseudo-terminal holds about three of them.
        console.master.as_ref().unwrap().resize(size(200 + n, 60)).unwrap();
        thread::sleep(Duration::from_millis(30));
    }
    console.signal(Signal::TERM);
    let (_, took) = console.ended();
    assert!(took < Duration::from_secs(1), "{took:?}");
    assert!(console.is_cooked());
}

#[test]
fn ctrl_z_stops_it_and_a_continue_brings_it_back() {
    let mut console = Console::start();
    console.wait_until_up();
    console.press("\u{1a}");
    console.wait("it to stop", |console| console.state() == 'T');
    console.assert_terminal_given_back();
    kill_process_group(console.pid(), Signal::CONT).unwrap();
    console.wait_until_up();
    console.press("q");
    console.assert_quit();
}

#[test]
fn a_stop_from_outside_gives_the_terminal_back_too() {
    let mut console = Console::start();
    console.wait_until_up();
    console.signal(Signal::TSTP);
    console.wait("it to stop", |console| console.state() == 'T');
    console.assert_terminal_given_back();
    console.signal(Signal::CONT);
    console.wait_until_up();
    console.press("q");
    console.assert_quit();
}

#[test]
fn it_survives_twenty_resizes_and_fits_the_last() {
    let mut console = Console::start();
    console.wait_until_up();
    for n in 0..20_u16 {
        let (columns, rows) = [(1, 1), (40, 5), (200, 60), (60, 15), (8, 1)][usize::from(n) % 5];
        console.resize(columns + n, rows + n % 3);
        thread::sleep(Duration::from_millis(u64::from(n % 4) * 7));
    }
    console.resize(100, 30);
    console.wait("a footer in the last line", |console| {
        let text = console.text();
        text.lines().count() == 30 && text.lines().last().unwrap().contains("q quit")
    });
    console.press("q");
    console.assert_quit();
}

#[test]
fn without_colour_the_verdict_still_stands_out() {
    let mut console = Console::start_with(&[("NO_COLOR", "1")]);
    console.wait_until_up();
    {
        let screen = console.screen.lock().unwrap();
        let all = (0..24).flat_map(|row| (0..80).map(move |column| (row, column)));
        let mut cells = all.filter_map(|(row, column)| screen.screen().cell(row, column));
        let word = screen.screen().cell(0, 1).unwrap();
        assert!(word.inverse() && word.bold(), "the verdict");
        let mut left = (0..24).filter_map(|row| screen.screen().cell(row, 0));
        assert!(left.any(|cell| cell.contents() == ">" && cell.bold()), "the cursor");
        assert!(cells.all(|cell| cell.fgcolor() == vt100::Color::Default));
    }
    console.press("q");
    console.assert_quit();
}

#[test]
fn a_panicking_probe_leaves_the_screen_alone() {
    let mut console = Console::start_with(&[("TMINUS_FAULT", "probe-panic")]);
    console.wait_until_up();
    console.wait_for("the probe crashed");
    console.press("R");
    console.wait_for("re-checked all");
    assert!(!console.text().contains("panicked at"), "{}", console.text());
    assert!(!console.is_cooked());
    console.press("q");
    console.assert_quit();
}

#[test]
fn a_panic_while_drawing_gives_the_terminal_back_before_it_is_reported() {
    let mut console = Console::start_with(&[("TMINUS_FAULT", "ui-panic")]);
    console.wait_until_up();
    let (status, _) = console.ended();
    assert!(!status.success(), "{status:?}");
    console.assert_terminal_given_back();
    console.wait_for("asked for by a test");
}

#[test]
fn who_answers_for_a_blocker_is_remembered_after_a_restart_and_can_end_it() {
    let home = tempfile::tempdir().unwrap();
    let path = home.path().to_string_lossy().into_owned();
    let env = ["HOME", "XDG_STATE_HOME", "XDG_CONFIG_HOME"].map(|name| (name, path.as_str()));
    let check = || {
        let mut command = std::process::Command::new(env!("CARGO_BIN_EXE_tminus"));
        command.args(["check", "redis.connect"]).env_clear().current_dir(&path).envs(env);
        let ran = command.output().unwrap();
        (ran.status.code(), String::from_utf8(ran.stdout).unwrap())
    };
    assert_eq!(check().0, Some(1), "it runs on a stand-in");
    let answer = |console: &mut Console, seen: &str, [reason, until]: [&str; 2]| {
        console.wait_for(seen);
        console.press("1a");
        console.wait_for("redis.connect because:");
        console.press(&format!("{reason}\r"));
        console.wait_for(" until (");
        console.press(&format!("{until}\r"));
    };
    let mut console = Console::start_with(&env);
    answer(&mut console, "no Redis configured", ["no Redis tonight", "4h"]);
    console.wait_for("redis.connect is accepted until");
    console.press("Q");
    console.assert_quit();
    let (code, out) = check();
    assert!(code == Some(0) && out.contains("no Redis tonight"), "{code:?} {out}");
    let mut console = Console::start_with(&env);
    answer(&mut console, "accepted until", ["there is one now", "now"]);
    console.wait_for("is not accepted any more");
    console.press("Q");
    console.assert_quit();
    assert_eq!(check().0, Some(1), "nobody answers for it any more");
}
