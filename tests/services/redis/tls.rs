//! The way to a server, encrypted.

use super::{
    hostile::impostor,
    topology::{assert_passes, full_run},
    *,
};
use std::path::PathBuf;

/// An issuer, and a certificate of its for this machine.
const STEPS: [&str; 3] = [
    "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj /CN=issuer \
     -keyout ca.key -out ca.pem",
    "req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server \
     -keyout key.pem -out server.csr",
    "x509 -req -in server.csr -CA ca.pem -CAkey ca.key -CAcreateserial -days DAYS \
     -extfile names -out cert.pem",
];

/// A server that speaks TLS alone, and the certificate that vouches for it.
fn start() -> Option<(Server, PathBuf)> {
    start_as("subjectAltName=DNS:localhost,IP:127.0.0.1", "2")
}

/// The same with a certificate for these names that is valid for so many days.
fn start_as(names: &str, days: &str) -> Option<(Server, PathBuf)> {
    let openssl = binary("openssl")?;
    let dir = tempfile::tempdir().unwrap();
    std::fs::write(dir.path().join("names"), names).unwrap();
    for step in STEPS {
        let mut command = Command::new(&openssl);
        let words = step.split(' ').map(|word| if word == "DAYS" { days } else { word });
        let made = command.current_dir(dir.path()).args(words).output().unwrap();
        assert!(made.status.success(), "{}", String::from_utf8_lossy(&made.stderr));
    }
    let port = free_port();
    let mut command = Command::new(binary("redis-server")?);
    command.current_dir(dir.path()).args(["--port", "0", "--tls-port", &port.to_string()]);
    command.args(["--bind", "127.0.0.1", "--save", "", "--tls-auth-clients", "no"]);
    command.args(["--maxmemory", "100mb", "--tls-cert-file", "cert.pem"]);
    command.args(["--tls-key-file", "key.pem", "--tls-ca-cert-file", "ca.pem"]);
    let (process, ca) = (Process::start(&mut command), dir.path().join("ca.pem"));
    let server = Server { process, port, dir, options: Vec::new() };
    wait_until("a listening server", || std::net::TcpStream::connect(("127.0.0.1", port)).is_ok());
    Some((server, ca))
}

#[tokio::test]
async fn a_trusted_server_passes_every_check() {
    let Some((server, ca)) = start() else { return };
    for host in ["localhost", "127.0.0.1"] {
        let mut settings = at(&format!("rediss://{host}:{}", server.port));
        settings.ca = Some(ca.clone());
        let redis = watch(settings);
        let finding = run(&redis, "connect").await;
        assert_eq!(finding.outcome, Outcome::Pass, "{host}: {}", finding.summary);
        let phases: Vec<_> = finding.evidence.phases.iter().map(|phase| &*phase.name).collect();
        assert_eq!(phases, ["resolve", "connect", "tls", "hello", "ping", "role"]);
        assert_passes(&full_run("TLS", &redis).await, &[]);
    }
}

#[tokio::test]
async fn whoever_is_not_trusted_or_does_not_speak_tls_is_told_apart() {
    let Some((server, _)) = start() else { return };
    let stranger = run(&watch(at(&format!("rediss://localhost:{}", server.port))), "connect").await;
    assert_fails(&stranger, "TLS failed: nobody trusted vouches for the certificate");
    let plain = run(&watch(server.settings()), "connect").await;
    assert_fails(&plain, "the port speaks TLS, the address does not");
    assert!(plain.remedy.unwrap().contains("rediss://"), "{}", plain.summary);
    let Some(open) = Server::start(&[]) else { return };
    // It takes the greeting of TLS for the beginning of a command and waits for the rest.
    let encrypted = run(&watch(at(&format!("rediss://localhost:{}", open.port))), "connect").await;
    assert_fails(&encrypted, "the port speaks Redis without TLS");
    assert!(encrypted.remedy.unwrap().contains("redis://"));
    let (port, _) = impostor(b"HTTP/1.1 400 Bad Request\r\n\r\n", 1, true);
    let other = run(&watch(at(&format!("rediss://localhost:{port}"))), "connect").await;
    assert_fails(&other, "TLS failed: the port does not speak TLS");
}

/// The shortest of some attempts, since this host may be busy.
async fn quickest(redis: &Redis, says: &str) -> Duration {
    let mut quickest = Duration::MAX;
    for _ in 0..5 {
        let began = Instant::now();
        assert_fails(&run(redis, "connect").await, says);
        quickest = quickest.min(began.elapsed());
        if quickest < Duration::from_secs(1) {
            break;
        }
    }
    quickest
}

#[tokio::test]
async fn what_is_wrong_with_a_certificate_is_named_within_a_second() {
    let cases = [
        ("subjectAltName=DNS:localhost", "-1", "TLS failed: the certificate has expired"),
        ("subjectAltName=DNS:elsewhere", "2", "TLS failed: the certificate is not for localhost"),
    ];
    for (names, days, says) in cases {
        let Some((server, ca)) = start_as(names, days) else { return };
        let mut settings = at(&format!("rediss://localhost:{}", server.port));
        settings.ca = Some(ca);
        let took = quickest(&watch(settings), says).await;
        assert!(took < Duration::from_secs(1), "{says}: {took:?}");
        let took =
            quickest(&watch(server.settings()), "the port speaks TLS, the address does not").await;
        assert!(took < Duration::from_secs(1), "plain words: {took:?}");
    }
    let Some(open) = Server::start(&[]) else { return };
    let redis = watch(at(&format!("rediss://localhost:{}", open.port)));
    let took = quickest(&redis, "the port speaks Redis without TLS").await;
    assert!(took < Duration::from_secs(1), "TLS to a plain port: {took:?}");
}

#[tokio::test]
async fn a_certificate_file_that_is_not_there_is_a_wrong_setting() {
    let Some(server) = Server::start(&[]) else { return };
    let mut settings = at(&format!("rediss://localhost:{}", server.port));
    settings.ca = Some("/nowhere/ca.pem".into());
    let finding = run(&watch(settings), "connect").await;
    assert_fails(&finding, "`ca`: /nowhere/ca.pem cannot be read");
}
