//! Real files, and everything that can be wrong with one.

mod kept;
mod put_aside;
mod read_back;
mod rolled_up;

use super::{
    file,
    link::Link,
    note::Note,
    store::Opened,
    trouble::Trouble,
    write::{Kind, Pen, Writer},
    *,
};
use crate::domain::Mark;
use sqlx::SqliteConnection;
use std::{
    fs,
    path::{Path, PathBuf},
};
use tempfile::TempDir;

/// The moment at which every test begins.
const NOW: Timestamp = Timestamp(1_795_400_000_000);

fn writer() -> Writer {
    Writer { run: "0123456789ab".into(), kind: Kind::Console, host: "web-3".into() }
}

/// A folder of its own, and where the file is to be.
fn place() -> (TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("state/tminus/history.db");
    (folder, path)
}

async fn opened(path: &Path) -> Opened {
    file::open(path, NOW).await.map_err(|trouble| trouble.to_string()).unwrap()
}

async fn write(opened: &mut Opened, notes: &[Note]) -> Result<(), Trouble> {
    write_as(opened, &writer().run, notes).await
}

async fn write_as(opened: &mut Opened, run: &str, notes: &[Note]) -> Result<(), Trouble> {
    let writer = Writer { run: run.into(), ..writer() };
    let mut pen = Pen::begin(&mut opened.link, &writer, NOW).await?;
    pen.write(&mut opened.link, notes, NOW).await
}

fn point(series: &str, at: i64, mark: Option<Mark>, value: Option<f64>) -> Note {
    Note::Point { series: series.into(), at: Timestamp(at), mark, value }
}

async fn number(opened: &mut Opened, sql: &'static str) -> i64 {
    sqlx::query_scalar(sql).fetch_one(sqlite(opened)).await.unwrap()
}

async fn word(opened: &mut Opened, sql: &'static str) -> String {
    sqlx::query_scalar(sql).fetch_one(sqlite(opened)).await.unwrap()
}

fn sqlite(opened: &mut Opened) -> &mut SqliteConnection {
    match &mut opened.link {
        Link::File(link) => link,
        Link::Shared(_) => panic!("it is a file"),
    }
}
