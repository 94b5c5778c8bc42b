//! What listens on the port is no Redis, or means ill.

use super::*;
use std::{
    io::{Read as _, Write as _},
    net::TcpListener,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering::Relaxed},
    },
    thread,
};

/// Something that sends `says` to everybody, `times` over, and counts what got through.
pub(super) fn impostor(says: &[u8], times: usize, waits: bool) -> (u16, Arc<AtomicUsize>) {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    let (says, through) = (says.to_vec(), Arc::new(AtomicUsize::new(0)));
    let counted = Arc::clone(&through);
    thread::spawn(move || {
        for stream in listener.incoming() {
            let mut stream = stream.unwrap();
            if waits {
                drop(stream.read(&mut [0; 1024]));
            }
            for _ in 0..times {
                if stream.write_all(&says).is_err() {
                    break;
                }
                counted.fetch_add(says.len(), Relaxed);
            }
        }
    });
    (port, through)
}

async fn connect_to(port: u16) -> Finding {
    run(&watch(at(&format!("redis://127.0.0.1:{port}"))), "connect").await
}

#[tokio::test]
async fn what_is_not_redis_is_shown_and_disarmed() {
    let cases: [(&[u8], &str); 5] = [
        (
            b"HTTP/1.1 400 Bad Request\r\nServer: x\r\n\r\n",
            "not Redis: it says \"HTTP/1.1 400 Bad Request",
        ),
        (
            b"\x1b[2J\x1b]0;owned\x07\r\n",
            "not Redis: it says \"<U+001B>[2J<U+001B>]0;owned<U+0007>",
        ),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "not Redis: it says \"SSH-2.0-OpenSSH_9.2"),
        (b"\xff\xfe\x00\x01garbage\r\n", "not Redis: it says "),
        (b"-EVIL \x1b[31m\xe2\x80\xae look\r\n", "it answers \"EVIL <U+001B>[31m<U+202E> look"),
    ];
    for (says, summary) in cases {
        for waits in [false, true] {
            let (port, _) = impostor(says, 1, waits);
            let finding = connect_to(port).await;
            if waits {
                assert_fails(&finding, summary);
            } else {
                // Sent before we asked: the driver may take it for an answer or for the end.
                assert_eq!(finding.outcome, Outcome::Fail, "{}", finding.summary);
            }
        }
    }
}

#[tokio::test]
async fn an_answer_to_another_question_is_not_taken() {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut stream, _) = listener.accept().unwrap();
        while stream.read(&mut [0; 1024]).is_ok_and(|n| n > 0) {
            stream.write_all("+\u{1b}[31m\u{202e}GNOP\r\n".as_bytes()).unwrap();
        }
    });
    let expected = "unexpected answer: wanted PONG, got <U+001B>[31m<U+202E>GNOP";
    assert_fails(&connect_to(port).await, expected);
}

#[tokio::test]
async fn a_refusal_before_we_ask_is_heard() {
    let cases: [(&[u8], &str); 2] = [
        (
            b"-DENIED Redis is running in protected mode because protected mode is enabled\r\n",
            "protected mode refuses other hosts (DENIED)",
        ),
        (b"-ERR max number of clients reached\r\n", "all client connections are taken"),
    ];
    for (says, summary) in cases {
        for _ in 0..10 {
            let (port, _) = impostor(says, 1, false);
            assert_fails(&connect_to(port).await, summary);
        }
    }
}

#[tokio::test]
async fn a_flood_is_cut_off() {
    let floods: [&[u8]; 5] =
        [b"$104857600\r\n", b"*2147483647\r\n", b"+", b"*1\r\n", b">3\r\n+message\r\n+a\r\n+b\r\n"];
    for flood in floods {
        let chunk = flood.iter().copied().chain(vec![b'x'; 64 * 1024]).collect::<Vec<u8>>();
        let repeats = flood.repeat(64 * 1024 / flood.len());
        for says in [chunk, repeats] {
            let (port, through) = impostor(&says, 100 * 1024 * 1024 / says.len(), true);
            let finding = connect_to(port).await;
            assert_eq!(finding.outcome, Outcome::Fail, "{}", finding.summary);
            let through = through.load(Relaxed);
            assert!(through < 24 << 20, "{} MiB of {flood:?} were taken", through >> 20);
        }
    }
}

#[tokio::test]
async fn whoever_says_nothing_is_hung_and_whoever_hangs_up_is_named() {
    let (port, _) = impostor(b"", 0, true);
    assert_fails(&connect_to(port).await, "it closed the connection");
    let silent = TcpListener::bind("127.0.0.1:0").unwrap();
    let began = Instant::now();
    let finding = connect_to(silent.local_addr().unwrap().port()).await;
    assert_fails(&finding, "hung: connected, no answer within 1.0s");
    assert!(began.elapsed() < Duration::from_millis(1500));
}

#[tokio::test]
async fn what_cannot_be_reached_says_which_step_failed() {
    let nobody = run(&watch(at("redis://127.0.0.1:1")), "connect").await;
    assert_fails(&nobody, "connection refused by 127.0.0.1:1/0");
    let nowhere = run(&watch(at("unix:///nowhere/redis.sock")), "connect").await;
    assert_fails(&nowhere, "/nowhere/redis.sock does not exist");
    let nameless = run(&watch(at("redis://no-such-host.invalid")), "connect").await;
    let expected = [Outcome::Fail, Outcome::Unknown(Cause::Local)];
    assert!(expected.contains(&nameless.outcome), "{nameless:?}");
    assert!(nameless.summary.contains("no-such-host.invalid"), "{}", nameless.summary);
}
