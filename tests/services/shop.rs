//! A small app as somebody would deploy it: a process of its own with a page, a version,
//! and metrics for Prometheus. A bad version is slower, keeps what it is given, and has
//! lost a metric.

use std::{
    env,
    io::{Read as _, Write as _},
    net::{Ipv4Addr, TcpListener, TcpStream},
    process::{Child, Command, Stdio},
    thread,
    time::{Duration, Instant},
};

/// The variable that makes of this test the app: its port and its version.
const BE_THE_APP: &str = "TMINUS_TEST_SHOP";
/// What a version that leaks keeps of each page.
const KEPT: usize = 12 * 1024 * 1024;

/// A version of the app, and how it behaves.
#[derive(Clone, Copy)]
pub(crate) struct Version {
    pub(crate) name: &'static str,
    /// How long a page takes, in milliseconds.
    pub(crate) millis: u64,
    pub(crate) is_bad: bool,
}

/// A running app. Killed when dropped.
pub(crate) struct Shop {
    port: u16,
    process: Child,
}

impl Shop {
    /// Starts that version, on a port that is free.
    pub(crate) fn start(version: Version) -> Self {
        let free = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).unwrap();
        let port = free.local_addr().unwrap().port();
        drop(free);
        Self { port, process: run(port, version) }
    }

    pub(crate) fn url(&self) -> String {
        format!("http://127.0.0.1:{}", self.port)
    }

    pub(crate) fn port(&self) -> u16 {
        self.port
    }

    /// Puts another version in its place.
    pub(crate) fn deploy(&mut self, version: Version) {
        self.stop();
        self.process = run(self.port, version);
    }

    fn stop(&mut self) {
        drop(self.process.kill());
        drop(self.process.wait());
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.stop();
    }
}

/// Starts the app and waits until it serves.
fn run(port: u16, version: Version) -> Child {
    let Version { name, millis, is_bad } = version;
    let process = Command::new(env::current_exe().unwrap())
        .args(["--exact", "shop::be_the_app", "--ignored", "--nocapture"])
        .env(BE_THE_APP, format!("{port} {name} {millis} {is_bad}"))
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    let deadline = Instant::now() + Duration::from_secs(30);
    while TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_err() {
        assert!(Instant::now() < deadline, "the app does not listen on {port}");
        thread::sleep(Duration::from_millis(20));
    }
    process
}

#[test]
#[ignore = "it is the app that another test deploys"]
fn be_the_app() {
    let told = env::var(BE_THE_APP).unwrap();
    let told: Vec<&str> = told.split(' ').collect();
    let [port, version, millis, is_bad] = told[..] else { panic!("{told:?}") };
    let (port, is_bad) = (port.parse::<u16>().unwrap(), is_bad == "true");
    let pause = Duration::from_millis(millis.parse().unwrap());
    let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, port)).unwrap();
    let (mut kept, mut pages) = (Vec::new(), 0);
    for peer in listener.incoming() {
        let Ok(mut peer) = peer else { continue };
        let mut asked = [0; 1024];
        let length = peer.read(&mut asked).unwrap_or(0);
        let asked = String::from_utf8_lossy(&asked[..length]).into_owned();
        let body = match asked.split(' ').nth(1) {
            Some("/") => {
                pages += 1;
                thread::sleep(pause);
                if is_bad {
                    kept.push(vec![1_u8; KEPT]);
                }
                "<h1>Shop</h1>".to_owned()
            }
            Some("/version") => version.to_owned(),
            Some("/metrics") => metrics(pages, kept.len(), is_bad),
            _ => String::new(),
        };
        let length = body.len();
        let head = "HTTP/1.1 200 OK\r\nconnection: close\r\ncontent-length:";
        // A client that has gone away has seen enough.
        let _gone = peer.write_all(format!("{head} {length}\r\n\r\n{body}").as_bytes());
    }
}

fn metrics(pages: u64, kept: usize, is_bad: bool) -> String {
    let orders = "# TYPE shop_orders_total counter\nshop_orders_total{paid=\"yes\"} 7\n";
    format!(
        "# TYPE shop_pages_total counter\nshop_pages_total {pages}\n\
         # TYPE shop_kept gauge\nshop_kept {kept}\n{}",
        if is_bad { "" } else { orders }
    )
}
