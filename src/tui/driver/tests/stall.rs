use super::*;
use crate::tui::screen::Frames;
use std::{io::Write, sync::Mutex, thread};

/// A terminal on the other side of a pipe, read only while `reads` is set.
struct Piped(Frames);

struct Pipe {
    reads: watch::Receiver<bool>,
    read: Arc<Mutex<Vec<Vec<u8>>>>,
}

impl Write for Pipe {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        while !*self.reads.borrow_and_update() {
            thread::sleep(Duration::from_millis(1));
        }
        self.read.lock().unwrap().push(bytes.to_vec());
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}

impl Surface for Piped {
    fn size(&self) -> io::Result<Size> {
        Ok(Size::new(80, 24))
    }

    async fn ready(&mut self) -> io::Result<Option<Duration>> {
        self.0.ready().await
    }

    fn draw(&mut self, paint: impl FnOnce(&mut Buffer)) -> io::Result<()> {
        self.0.draw(Size::new(80, 24), paint)
    }

    fn redraw(&mut self) {
        self.0.redraw();
    }

    fn written(&self) -> u64 {
        self.0.written()
    }

    fn tell(&mut self, aside: Aside<'_>) -> Sent {
        self.0.tell(aside, crate::tui::screen::Between::Nothing)
    }

    fn suspend(&mut self) -> io::Result<()> {
        Ok(())
    }

    fn resume(&mut self) -> io::Result<()> {
        Ok(())
    }
}

/// In real time, because the writer is a real thread.
#[tokio::test]
async fn a_terminal_that_stops_reading_stalls_no_key_and_is_painted_anew() {
    let (reads, reading) = watch::channel(true);
    let read = Arc::<Mutex<Vec<Vec<u8>>>>::default();
    let pipe = Pipe { reads: reading, read: Arc::clone(&read) };
    let surface = Piped(Frames::to(pipe, Sync::Marked).unwrap());
    let count = || read.lock().unwrap().len();
    let (_, exit) = play(surface, async |desktop| {
        desktop.wait(100).await;
        reads.send_replace(false);
        let before = count();
        for n in 0..60 {
            desktop.publish(|snapshot| snapshot.host = format!("web-{n}"));
            desktop.press(if n % 2 == 0 { KeyCode::Down } else { KeyCode::Up }).await;
            desktop.wait(20).await;
        }
        desktop.press(KeyCode::Char('r')).await;
        let asked = tokio::time::timeout(Duration::from_millis(50), desktop.commands.recv());
        assert!(asked.await.is_ok(), "keys are answered while nothing can be drawn");
        assert_eq!(count(), before, "and nothing is queued");
        reads.send_replace(true);
        desktop.wait(150).await;
        let frames = read.lock().unwrap().clone();
        assert!(frames.len() - before <= 4, "{} frames after the stall", frames.len() - before);
        let whole = frames.iter().skip(before + 1).find(|frame| frame.len() > 1000).unwrap();
        let text = String::from_utf8(whole.clone()).unwrap();
        assert!(text.contains("\x1b[2J") && text.contains("web-59"), "the newest, painted anew");
        assert!(text.contains("read nothing for 1."), "{text}");
    })
    .await;
    assert_eq!(exit.ended, Ended::Stopped);
}
