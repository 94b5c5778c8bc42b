use super::*;
use crate::{
    integrations::database::{Settings, address::Place},
    secret::Secret,
};
use tokio::{
    task::JoinHandle,
    time::{Duration, timeout},
};

fn message(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = u32::try_from(content.len() + 4).unwrap().to_be_bytes();
    [&[tag][..], &length, content].concat()
}

fn ready() -> Vec<u8> {
    message(b'Z', b"I")
}

fn error(severity: &str, code: &str) -> Vec<u8> {
    let fields = format!("SFEHLER\0V{severity}\0C{code}\0Mrelation \"secret\" is missing\0\0");
    message(b'E', fields.as_bytes())
}

fn inserted() -> Vec<u8> {
    [message(b'2', b""), message(b'C', b"INSERT 0 1\0"), ready()].concat()
}

/// A session, and the server's side of it.
fn pair() -> (Plain, UnixStream) {
    let (ours, theirs) = UnixStream::pair().unwrap();
    (Plain::new(Either::Right(ours)), theirs)
}

/// Answers each request so, in pieces of so many bytes; what was asked comes back.
fn serve(mut stream: UnixStream, answers: Vec<Vec<u8>>, piece: usize) -> JoinHandle<Vec<Vec<u8>>> {
    tokio::spawn(async move {
        let mut asked = Vec::new();
        for answer in answers {
            let mut request = BytesMut::with_capacity(ROOM);
            stream.read_buf(&mut request).await.unwrap();
            asked.push(request.to_vec());
            for piece in answer.chunks(piece) {
                // Whoever has heard enough may be gone.
                drop(stream.write_all(piece).await);
                tokio::task::yield_now().await;
            }
        }
        asked
    })
}

async fn insert(session: &mut Plain) -> Result<u64, Unable> {
    let table = LoadTable::sample();
    let asked = session.run(&table, Operation::Insert, 7);
    timeout(Duration::from_secs(10), asked).await.unwrap()
}

#[tokio::test]
async fn an_answer_is_the_same_however_it_is_cut() {
    let first = [
        message(b'1', b""),
        message(b'2', b""),
        message(b'N', b"VNOTICE\0C00000\0Mnews\0\0"),
        message(b'D', &[0, 1, 0, 0, 0, 8, 0, 0, 0, 0, 0, 0, 0, 7]),
        message(b'C', b"INSERT 0 1\0"),
        message(b'S', b"TimeZone\0UTC\0"),
        ready(),
    ]
    .concat();
    for piece in 1..=first.len() {
        let (mut session, theirs) = pair();
        let server = serve(theirs, vec![first.clone(), inserted()], piece);
        assert_eq!(insert(&mut session).await, Ok(1), "in pieces of {piece}");
        assert_eq!(insert(&mut session).await, Ok(1), "in pieces of {piece}");
        let asked = server.await.unwrap();
        assert_eq!((asked[0][0], asked[1][0]), (b'P', b'B'), "it is prepared once");
        let value = 7_i64.to_be_bytes();
        assert!(asked[1].windows(8).any(|bytes| bytes == value), "{:?}", asked[1]);
    }
}

#[tokio::test]
async fn an_error_has_its_code_and_leaves_the_session() {
    let (mut session, theirs) = pair();
    let refusal = [error("ERROR", "23505"), ready()].concat();
    let server = serve(theirs, vec![refusal, inserted()], 9);
    let why = insert(&mut session).await.unwrap_err();
    assert_eq!((&*why.class, why.broken), ("23505", false));
    assert!(!why.says.contains("secret"), "{why:?}");
    assert_eq!(insert(&mut session).await, Ok(1));
    assert_eq!(server.await.unwrap()[1][0], b'P', "it is not known to be prepared");
}

#[tokio::test]
async fn an_end_is_told_with_what_the_server_said_of_it() {
    let cases = [
        (error("FATAL", "57P01"), "57P01"),
        (error("PANIC", "XX000"), "XX000"),
        (error("ERROR", "57014"), "57014"),
        (error("ERROR", "\u{1b}[31"), ""),
        (Vec::new(), "closed"),
        (inserted()[..12].to_vec(), "closed"),
        (b"HTTP/1.1 400 Bad Request\r\n\r\n".to_vec(), "not postgres"),
        (message(b'C', b"no end"), "not postgres"),
        ([&[b'D'][..], &u32::MAX.to_be_bytes()].concat(), "not postgres"),
        ([&[b'D'][..], &(LONGEST + 1).to_be_bytes()].concat(), "not postgres"),
        ([&[b'Z'][..], &3_u32.to_be_bytes()].concat(), "not postgres"),
    ];
    for (answer, class) in cases {
        let (mut session, theirs) = pair();
        let server = serve(theirs, vec![answer.clone()], 5);
        let why = insert(&mut session).await.unwrap_err();
        assert_eq!((&*why.class, why.broken), (class, true), "{answer:?}");
        server.await.unwrap();
    }
}

fn entry(url: &str) -> Entry {
    let settings = Settings { url: Some(Secret::new(url)), ..Settings::default() };
    let Ok(Place::Postgres(server)) = Place::of(&settings) else { panic!("not a server") };
    let options = crate::integrations::database::postgres::load_options(&server, "test").unwrap();
    Entry::of(&server, &options).unwrap()
}

fn asks(kind: u32, rest: &[u8]) -> Vec<u8> {
    message(b'R', &[&kind.to_be_bytes()[..], rest].concat())
}

#[tokio::test]
async fn a_password_is_given_as_it_is_asked_for() {
    let done = [asks(0, b""), message(b'S', b"a\0b\0"), message(b'K', &[0; 8]), ready()].concat();
    // As PostgreSQL's documentation builds it: `md5` and md5(md5(password user) salt).
    let hash = b"md5187e309f8513cbab5d26627dcc6e59c8\0";
    let cases = [(asks(3, b""), &b"hunter2\0"[..]), (asks(5, b"salt"), &hash[..])];
    for (question, expected) in cases {
        let (mut session, theirs) = pair();
        let server = serve(theirs, vec![question, done.clone()], 64);
        entry("postgres://app:hunter2@127.0.0.1/shop").log_in(&mut session).await.unwrap();
        let asked = server.await.unwrap();
        let start = String::from_utf8_lossy(&asked[0]);
        for said in ["user\0app\0", "database\0shop\0", "application_name\0test\0"] {
            assert!(start.contains(said), "{start:?}");
        }
        assert!(!start.contains("hunter2"));
        assert!(asked[1][5..].starts_with(expected), "{:?}", asked[1]);
    }
}

#[tokio::test]
async fn what_is_not_known_here_is_left_to_the_driver() {
    let (cleartext, kerberos) = (asks(3, b""), asks(2, b""));
    let plus = asks(10, b"SCRAM-SHA-256-PLUS\0\0");
    let early = asks(11, b"r=1,s=2,i=3");
    let refusal = error("FATAL", "28P01");
    let known = "postgres://app:hunter2@127.0.0.1/shop";
    let cases = [
        ("postgres://app@127.0.0.1/shop", cleartext),
        (known, kerberos),
        (known, plus),
        (known, early),
        (known, refusal),
    ];
    for (url, answer) in cases {
        let (mut session, theirs) = pair();
        let server = serve(theirs, vec![answer.clone()], 64);
        assert!(entry(url).log_in(&mut session).await.is_err(), "{answer:?}");
        drop(session);
        server.await.unwrap();
    }
}
