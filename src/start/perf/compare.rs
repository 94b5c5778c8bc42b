//! `tminus perf compare`: two results that are kept, or were written to files.

use crate::start::{Failure, Session, print};
use crate::{
    cli::{Global, ListFormat, PerfCompare},
    domain::{
        Word,
        perf::{Against, Ended, Record, VERSION},
    },
    history::{Archive, Place},
    perf::{against, render},
    surface::gate,
    units,
};
use std::{fs, path::Path};

/// What names the newest result.
const LAST: &str = "last";

pub(super) async fn run(global: &Global, asked: &PerfCompare) -> Result<u8, Failure> {
    let session = Session::read(global)?;
    let kept = kept(session.history_place()).await.map_err(unreadable)?;
    if asked.list {
        return show(&session, list(&kept)).map(|()| gate::GO);
    }
    let after = named(&kept, asked.after.as_deref().unwrap_or(LAST))?;
    let before = match &asked.before {
        Some(name) => named(&kept, name)?,
        None => earlier(&kept, &after).cloned().ok_or_else(|| {
            let why = format!("nothing before {} is like it", units::rfc3339(after.began));
            Failure::unusable("there is nothing to compare with", why).hint(LISTED)
        })?,
    };
    let apart = against::unlike(&before, &after);
    if !apart.is_empty() {
        let hint = "run the same test in the same way on both sides";
        return Err(Failure::unusable("these two are not alike", apart.join("; ")).hint(hint));
    }
    let found = against::compare(&before, &after);
    let text = match asked.format {
        ListFormat::Human => head(&before, &after) + &render::against(&found),
        // Every key in it is a text, so it cannot fail.
        ListFormat::Json => serde_json::to_string_pretty(&found).unwrap_or_default() + "\n",
    };
    show(&session, text)?;
    Ok(match found.verdict().0 {
        Word::Go => gate::GO,
        Word::Hold => gate::HOLD,
        Word::NoGo => gate::NO_GO,
    })
}

const LISTED: &str = "`tminus perf compare --list` names the results that are kept";

fn show(session: &Session, mut text: String) -> Result<(), Failure> {
    session.redactor.scrub(&mut text);
    print(&text)
}

fn unreadable(why: String) -> Failure {
    Failure::unusable("the history cannot be read", why)
        .hint("give two files that `tminus perf … --format json` has written")
}

/// How `record` stands against the newest one like it that is kept; nothing where none is.
pub(super) async fn with_kept(session: &Session, record: &Record) -> Option<Against> {
    if !against::is_comparable(record) {
        return None;
    }
    match kept(session.history_place()).await {
        Ok(kept) => earlier(&kept, record).map(|before| against::compare(before, record)),
        Err(why) => {
            tracing::warn!(why, "results of performance tests cannot be read");
            None
        }
    }
}

/// The results that are kept, the newest first; none where there is no history yet.
pub(super) async fn kept(place: Option<Place>) -> Result<Vec<Record>, String> {
    match place.filter(Place::is_there) {
        Some(place) => Archive::open(&place).await?.results().await,
        None => Ok(Vec::new()),
    }
}

/// The newest of `kept` before `after` that can be compared with it and ran to its end.
fn earlier<'a>(kept: &'a [Record], after: &Record) -> Option<&'a Record> {
    kept.iter().find(|it| {
        it.began.0 < after.began.0
            && it.ended == Ended::Complete
            && against::unlike(it, after).is_empty()
    })
}

/// The result that is meant by a file, the begin of a moment, or `last`.
fn named(kept: &[Record], name: &str) -> Result<Record, Failure> {
    if Path::new(name).is_file() {
        return read(Path::new(name));
    }
    let meant = |it: &&Record| name == LAST || units::rfc3339(it.began).starts_with(name);
    let mut found = kept.iter().filter(meant);
    let unusable = |why| Failure::unusable("there is no such result", why).hint(LISTED);
    match (found.next(), found.next()) {
        (Some(one), other) if other.is_none() || name == LAST => Ok(one.clone()),
        (Some(_), _) => Err(unusable(format!("several began at {name}: give more of the moment"))),
        (None, _) => Err(unusable(format!("{name:?} is no file, and none began then"))),
    }
}

fn read(path: &Path) -> Result<Record, Failure> {
    let unusable = |why: String| {
        Failure::unusable("a result cannot be read", format!("{}: {why}", path.display()))
            .hint("give a file that `tminus perf … --format json` has written")
    };
    let text = fs::read_to_string(path).map_err(|error| unusable(error.to_string()))?;
    let record: Record =
        serde_json::from_str(&text).map_err(|error| unusable(error.to_string()))?;
    if record.version > VERSION {
        return Err(unusable("a newer version wrote it".into()));
    }
    Ok(record)
}

/// Which two, and what of.
fn head(before: &Record, after: &Record) -> String {
    let (name, target) = (&after.test, &after.target);
    let [then, now] = [before, after].map(|it| (units::rfc3339(it.began), render::brief(it)));
    format!(
        "{name:10} {target}\n{:10} {}  {}\n{:10} {}  {}\n",
        "then", then.0, then.1, "now", now.0, now.1
    )
}

/// Every result with what names it.
fn list(kept: &[Record]) -> String {
    let line = |it: &Record| {
        let (began, brief) = (units::rfc3339(it.began), render::brief(it));
        let profile = if it.profile.is_empty() { "-" } else { &it.profile };
        format!("{began}  {:10} {profile:9} {}  {brief}\n", it.test, it.target)
    };
    kept.iter().map(line).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{domain::Timestamp, perf::render::sample};

    fn at(began: i64) -> Record {
        Record { began: Timestamp(began), ..sample::record() }
    }

    #[test]
    fn a_result_is_named_by_its_moment_or_as_the_last() {
        let kept = [at(1_795_400_060_000), at(1_795_400_000_123)];
        let began = |name: &str| named(&kept, name).map(|it| it.began.0);
        assert_eq!(began(LAST).unwrap(), 1_795_400_060_000);
        assert_eq!(began("2026-11-23T02:13:20").unwrap(), 1_795_400_000_123);
        assert!(began("2026").unwrap_err().to_string().contains("several"));
        assert!(began("never").unwrap_err().to_string().contains("no file"));
        assert!(named(&[], LAST).is_err());
    }

    #[test]
    fn what_it_is_compared_with_is_like_it_whole_and_earlier() {
        let after = at(1000);
        let other = Record { target: "there".into(), ..at(900) };
        let part = Record { ended: Ended::Aborted, ..at(800) };
        let kept = [at(1000), other, part, at(700), at(600)];
        assert_eq!(earlier(&kept, &after).map(|it| it.began.0), Some(700));
        assert!(earlier(&kept[..3], &after).is_none());
    }

    #[test]
    fn a_file_is_read_and_one_of_something_else_is_not() {
        let dir = tempfile::tempdir().unwrap();
        let path = dir.path().join("then.json");
        fs::write(&path, render::json(&at(5))).unwrap();
        assert_eq!(named(&[], path.to_str().unwrap()).unwrap(), at(5));
        let newer = Record { version: VERSION + 1, ..at(5) };
        for text in ["{}".to_owned(), "hello".into(), render::json(&newer)] {
            fs::write(&path, text).unwrap();
            assert!(named(&[], path.to_str().unwrap()).is_err());
        }
    }
}
