use super::{
    lives::{Part, SMALL},
    *,
};
use crate::integrations::performance::process::{self, Reading};
use std::process::{Child, Command, Stdio};
use std::time::Duration;

/// A process of ours. Killed when dropped.
struct Sleeper(Child);

impl Sleeper {
    fn start(script: &str) -> Self {
        let mut shell = Command::new("bash");
        let shell = shell.args(["-c", script]).stdin(Stdio::piped()).stdout(Stdio::null());
        Self(shell.spawn().unwrap())
    }

    fn end(&mut self) {
        drop(self.0.kill());
        drop(self.0.wait());
    }
}

impl Drop for Sleeper {
    fn drop(&mut self) {
        self.end();
    }
}

async fn gauge(pid: u32) -> Result<Gauge, Missing> {
    let sought = Sought { pid: Some(pid), ..Sought::default() };
    Gauge::find(&Settings::default(), sought).await
}

#[tokio::test]
async fn a_process_is_read_until_it_ends() {
    let mut sleeper = Sleeper::start("read line");
    let pid = sleeper.0.id();
    let mut gauge = gauge(pid).await.unwrap();
    assert_eq!(gauge.measure(), format!("private memory of pid {pid}, bash"));
    let amount = gauge.read().await.unwrap();
    assert!(amount.judged > 0 && amount.process.is_none() && !gauge.is_heap());
    let room = gauge.room().unwrap();
    assert!(room.limit > room.used && !room.of.is_empty(), "{room:?}");
    sleeper.end();
    assert_eq!(gauge.read().await, Err(format!("bash, pid {pid}, ended")));
    let none = self::gauge(pid).await.unwrap_err();
    assert_eq!(none, Missing::Nobody(format!("no process with pid {pid}")));
}

#[tokio::test]
async fn what_it_starts_is_read_too_and_what_it_starts_later_is_doubted() {
    let sleeper = Sleeper::start("sleep 600 & read line; sleep 600 & read line");
    let pid = sleeper.0.id();
    let family = || process::family(pid).len();
    while family() < 2 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    let mut gauge = gauge(pid).await.unwrap();
    assert!(gauge.measure().ends_with("bash, and 1 that it started"), "{}", gauge.measure());
    assert!(gauge.read().await.is_ok() && gauge.doubt().is_none());
    std::io::Write::write_all(&mut sleeper.0.stdin.as_ref().unwrap(), b"\n").unwrap();
    while family() < 3 {
        tokio::time::sleep(Duration::from_millis(5)).await;
    }
    for _ in 0..OFTEN {
        gauge.read().await.unwrap();
    }
    assert!(gauge.doubt().unwrap().contains("meanwhile, which is not read"));
    let child = process::family(pid)[1].to_string();
    assert!(Command::new("kill").args(["-KILL", &child]).status().unwrap().success());
    let ended = format!("pid {child}, which pid {pid} had started, ended");
    let mut read = gauge.read().await;
    while read.is_ok() {
        read = gauge.read().await;
    }
    assert_eq!(read, Err(ended));
    for child in process::family(pid).iter().skip(1) {
        drop(Command::new("kill").args(["-KILL", &child.to_string()]).status());
    }
}

#[tokio::test]
async fn what_cannot_be_read_is_said() {
    let sought =
        || Sought { metrics: Some(Secret::new("http://127.0.0.1:1/metrics")), ..Sought::default() };
    let unread = Gauge::find(&Settings::default(), sought()).await.unwrap_err();
    assert!(matches!(unread, Missing::Nobody(_)), "{unread:?}");
    let own = Sought { pid: Some(std::process::id()), ..sought() };
    let gauge = Gauge::find(&Settings::default(), own).await.unwrap();
    assert!(gauge.notes()[0].contains("so the process is read"), "{:?}", gauge.notes());
    let named = Sought { heap: Some("heap".into()), pid: Some(std::process::id()), ..sought() };
    assert!(Gauge::find(&Settings::default(), named).await.is_err(), "it was asked for");
}

#[test]
fn the_best_that_all_allow_is_read() {
    let reading = |private, anonymous, resident| Reading {
        pid: 1,
        name: "api".into(),
        started: 1,
        up: Duration::ZERO,
        busy: Duration::ZERO,
        resident,
        anonymous,
        proportional: None,
        private,
        threads: None,
        descriptors: None,
        descriptor_limit: None,
    };
    let (all, some, none) =
        (reading(Some(1), Some(2), 3), reading(None, Some(2), 3), reading(None, None, 3));
    assert_eq!(Part::fit(std::slice::from_ref(&all)), Part::Private);
    assert_eq!(Part::fit(&[all.clone(), some.clone()]), Part::Anonymous, "another user's");
    assert_eq!(Part::fit(&[all, some, none]), Part::Resident);
    assert_eq!(Part::fit(&[reading(Some(1), Some(2), SMALL)]), Part::Private);
    assert_eq!(Part::fit(&[reading(Some(1), Some(2), SMALL + 1)]), Part::Anonymous);
}
