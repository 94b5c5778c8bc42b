//! Reads a version, wherever it is.

use super::{ALLOWED, MOST, Part, Source, command};
use crate::{
    domain::plain,
    probe::http::{Answer, Http, Limits, peer},
    secret::Secret,
};
use reqwest::{Url, header::HeaderMap};
use serde_json::Value;
use std::{
    ffi::OsString,
    fs::{self, File},
    io::{self, Read as _},
    path::{Path, PathBuf},
};
use tokio::{
    task::{JoinHandle, spawn_blocking},
    time::timeout,
};

/// Characters that a version has at most.
const LONGEST: usize = 80;
/// Bytes read of a body.
const BODY: usize = 64 * 1024;
/// Characters shown of a path.
const PATH: usize = 120;

/// Reads one source again and again.
pub(super) struct Reader {
    source: Source,
    hidden: Vec<OsString>,
    http: Http,
    /// A file that has not answered yet; a second attempt would wait behind it.
    file: Option<JoinHandle<Result<Vec<u8>, String>>>,
}

impl Reader {
    pub(super) fn new(source: Source, hidden: Vec<OsString>) -> Self {
        Self { source, hidden, http: Http::default(), file: None }
    }

    /// The version that is served now, or why nobody knows, in a clause.
    pub(super) async fn read(&mut self) -> Result<String, String> {
        let (whom, read) = match &self.source {
            Source::Command { words, directory } => {
                let printed = command::output(words, directory, &self.hidden).await;
                let whom = words.first().map_or("", String::as_str);
                (plain(whom, PATH), printed.and_then(|bytes| version(&bytes)))
            }
            Source::File(path) => {
                let shown = plain(&path.display().to_string(), PATH);
                let bytes = of_file(path.clone(), &mut self.file).await;
                (shown, bytes.and_then(|bytes| version(&bytes)))
            }
            Source::Url { url, part } => return ask(&self.http, url, part).await,
        };
        read.map_err(|why| format!("{whom}: {why}"))
    }
}

async fn ask(http: &Http, url: &Secret, part: &Part) -> Result<String, String> {
    let url = Url::parse(url.expose()).map_err(|_| "the address is not usable".to_owned())?;
    let limits = Limits { body: BODY, total: ALLOWED };
    let answer = http.get(&url, HeaderMap::new(), limits).await;
    let answer = answer.map_err(|error| error.to_string())?;
    of_answer(&answer, part).map_err(|why| format!("{}: {why}", peer(&url)))
}

fn of_answer(answer: &Answer, part: &Part) -> Result<String, String> {
    if let Some(elsewhere) = answer.redirected_to() {
        return Err(format!("it redirects to {elsewhere}; name that address"));
    }
    if !(200..300).contains(&answer.status) {
        return Err(format!("it answers {}", answer.status));
    }
    match part {
        Part::Body => version(&answer.body),
        Part::Header(name) => {
            let value = answer.header(name).ok_or_else(|| format!("its answer has no {name}"))?;
            version(value.as_bytes())
        }
        Part::Pointer(_) if answer.truncated => {
            Err(format!("its answer has more than {} KiB", BODY / 1024))
        }
        Part::Pointer(pointer) => {
            let body: Value = serde_json::from_slice(&answer.body)
                .map_err(|_| "it answers no JSON".to_owned())?;
            let found = body.pointer(pointer);
            let text = match found {
                Some(Value::String(text)) => Some(text.clone()),
                Some(Value::Number(number)) => Some(number.to_string()),
                Some(Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_)) | None => {
                    None
                }
            };
            let text =
                text.ok_or_else(|| format!("its JSON has no text or number at {pointer}"))?;
            version(text.as_bytes())
        }
    }
}

async fn of_file(
    path: PathBuf,
    waiting: &mut Option<JoinHandle<Result<Vec<u8>, String>>>,
) -> Result<Vec<u8>, String> {
    let reading = waiting.get_or_insert_with(|| spawn_blocking(move || content(&path)));
    let read = timeout(ALLOWED, &mut *reading).await;
    let read = read.map_err(|_| format!("it does not answer within {}s", ALLOWED.as_secs()))?;
    *waiting = None;
    read.unwrap_or_else(|_| Err("it was not read".into()))
}

fn content(path: &Path) -> Result<Vec<u8>, String> {
    let kind = fs::metadata(path).map_err(|error| unreadable(&error))?;
    if !kind.is_file() {
        return Err("it is not a file".into()); // a pipe would be waited for
    }
    let mut bytes = Vec::new();
    let limit = u64::try_from(MOST).unwrap_or(u64::MAX);
    let file = File::open(path).map_err(|error| unreadable(&error))?;
    file.take(limit).read_to_end(&mut bytes).map_err(|error| unreadable(&error))?;
    Ok(bytes)
}

fn unreadable(error: &io::Error) -> String {
    let usual = [
        (io::ErrorKind::NotFound, "it is not there"),
        (io::ErrorKind::PermissionDenied, "it may not be read"),
    ];
    let usual = usual.iter().find(|(kind, _)| *kind == error.kind());
    usual.map_or_else(|| plain(&error.to_string(), PATH), |(_, says)| (*says).into())
}

/// The first line that holds something, if it can be a version.
fn version(bytes: &[u8]) -> Result<String, String> {
    let first = |line: &&[u8]| !line.trim_ascii().is_empty();
    let line = bytes.split(|byte| *byte == b'\n').find(first).ok_or("it is empty")?;
    let line = str::from_utf8(line.trim_ascii()).map_err(|_| "it is not text")?;
    let length = line.chars().count();
    if plain(line, usize::MAX) != line {
        return Err("it holds characters that cannot be printed".into());
    }
    if length > LONGEST {
        return Err(format!("its first line has {length} characters; a version has {LONGEST}"));
    }
    Ok(line.to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;
    use wiremock::{Mock, MockServer, ResponseTemplate, matchers::path};

    #[test]
    fn a_version_is_one_line_that_can_be_printed() {
        assert_eq!(version(b"\n  4f2c1d9 \r\nmore\n"), Ok("4f2c1d9".into()));
        assert_eq!(version("v1 – zwei".as_bytes()), Ok("v1 – zwei".into()));
        for (bytes, why) in [
            (&b" \n\n"[..], "it is empty"),
            (b"", "it is empty"),
            (b"\xff\xfe", "it is not text"),
            (b"\x1b[2Jv1", "it holds characters that cannot be printed"),
            ("v1\u{202e}".as_bytes(), "it holds characters that cannot be printed"),
            (&[b'x'; 81], "its first line has 81 characters; a version has 80"),
        ] {
            assert_eq!(version(bytes), Err(why.into()));
        }
    }

    async fn of(source: Source) -> Result<String, String> {
        Reader::new(source, Vec::new()).read().await
    }

    #[tokio::test]
    async fn a_file_is_read_as_far_as_it_is_one() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("VERSION");
        let read = async || {
            let shown = folder.path().display().to_string();
            of(Source::File(file.clone())).await.map_err(|why| why.replace(&shown, "~"))
        };
        assert_eq!(read().await.unwrap_err(), "~/VERSION: it is not there");
        fs::write(&file, "v1\n").unwrap();
        assert_eq!(read().await.unwrap(), "v1");
        fs::write(&file, "v".repeat(10_000_000)).unwrap();
        assert!(read().await.unwrap_err().contains("its first line has 4096 characters"));
        fs::remove_file(&file).unwrap();
        rustix::fs::mknodat(
            rustix::fs::CWD,
            &file,
            rustix::fs::FileType::Fifo,
            rustix::fs::Mode::RUSR,
            0,
        )
        .unwrap();
        assert_eq!(read().await.unwrap_err(), "~/VERSION: it is not a file");
    }

    #[tokio::test]
    async fn a_server_says_it_in_its_body_a_header_or_its_json() {
        let server = MockServer::start().await;
        let json = serde_json::json!({"build": {"commit": "4f2c1d9", "number": 7, "dirty": false}});
        let fine = ResponseTemplate::new(200).insert_header("x-version", "2.0").set_body_json(json);
        Mock::given(path("/json")).respond_with(fine).mount(&server).await;
        let text = ResponseTemplate::new(200).set_body_string("v3\n");
        Mock::given(path("/text")).respond_with(text).mount(&server).await;
        let away =
            ResponseTemplate::new(302).insert_header("location", "https://u:pw@else.example/");
        Mock::given(path("/away")).respond_with(away).mount(&server).await;
        let long = ResponseTemplate::new(200).set_body_bytes(vec![b' '; 10_000_000]);
        Mock::given(path("/long")).respond_with(long).mount(&server).await;
        let pointer = |to: &str| Part::Pointer(to.into());
        let header = |name: &str| Part::Header(name.into());
        let cases = [
            ("/text", Part::Body, Ok("v3")),
            ("/json", header("X-Version"), Ok("2.0")),
            ("/json", pointer("/build/commit"), Ok("4f2c1d9")),
            ("/json", pointer("/build/number"), Ok("7")),
            (
                "/json",
                pointer("/build/dirty"),
                Err("its JSON has no text or number at /build/dirty"),
            ),
            ("/json", header("x-build"), Err("its answer has no x-build")),
            ("/text", pointer("/a"), Err("it answers no JSON")),
            ("/none", Part::Body, Err("it answers 404")),
            ("/away", Part::Body, Err("it redirects to else.example; name that address")),
            ("/long", pointer("/a"), Err("its answer has more than 64 KiB")),
        ];
        let host = server.uri().replace("http://", "");
        for (at, part, expected) in cases {
            let url = Secret::new(format!("http://u:hunter2@{host}{at}?token=hunter2"));
            let read = of(Source::Url { url, part }).await;
            let expected = expected.map(ToOwned::to_owned);
            assert_eq!(read, expected.map_err(|why| format!("{host}: {why}")), "{at}");
        }
        let nobody = Secret::new("http://u:hunter2@127.0.0.1:1/?token=hunter2");
        let why = of(Source::Url { url: nobody, part: Part::Body }).await.unwrap_err();
        assert_eq!(why, "connection refused by 127.0.0.1:1");
    }
}
