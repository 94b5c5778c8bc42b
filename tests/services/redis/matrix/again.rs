//! What is done to a server again and again.

use super::*;
use std::{
    sync::atomic::{AtomicBool, Ordering::Relaxed},
    thread,
};

/// Does something to a server again and again while it lives.
pub(super) struct Again {
    stop: Arc<AtomicBool>,
    thread: Option<thread::JoinHandle<()>>,
}

impl Again {
    pub(super) fn every(
        pause: Duration,
        server: &Server,
        mut act: impl FnMut(&mut Connection) + Send + 'static,
    ) -> Self {
        let (stop, mut connection) = (Arc::new(AtomicBool::new(false)), server.connection());
        let stopped = Arc::clone(&stop);
        let thread = thread::spawn(move || {
            while !stopped.load(Relaxed) {
                act(&mut connection);
                thread::sleep(pause);
            }
        });
        Self { stop, thread: Some(thread) }
    }
}

impl Drop for Again {
    fn drop(&mut self) {
        self.stop.store(true, Relaxed);
        self.thread.take().unwrap().join().unwrap();
    }
}

pub(super) fn send(connection: &mut Connection, words: &[&str]) {
    redis::cmd(words[0]).arg(&words[1..]).query::<redis::Value>(connection).unwrap();
}
