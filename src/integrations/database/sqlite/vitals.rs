//! How a file is doing. What an application sets for its own connections only,
//! such as `synchronous` or `foreign_keys`, cannot be seen from outside.

use super::{Session, Sqlite, file::Look, queries, read, transactions::blocking};
use crate::{
    domain::{Finding, Mark},
    integrations::database::{
        fault::{Fault, Kind},
        vitals::{Aspect, Subject, above, conclude},
    },
    units,
};
use rustix::fs::{Access, access, statvfs};
use sqlx::Row as _;
use std::{fs, path::Path, time::Duration};
use tokio::time::Instant;

const DAMAGE: Subject = Subject {
    what: "integrity",
    limit: "ok",
    why: "a damaged page is found by whoever needs it",
    look: "PRAGMA quick_check",
};
const ORPHANS: Subject = Subject {
    what: "foreign keys",
    limit: "0 violated",
    why: "an application runs with foreign_keys off",
    look: "PRAGMA foreign_key_check",
};
const DISK: Subject = Subject {
    what: "disk",
    limit: "20 % / 10 % free",
    why: "without room no transaction ends",
    look: "df of the file's directory",
};
const LOG: Subject = Subject {
    what: "write-ahead log",
    limit: "64 MiB",
    why: "a long reader keeps it from being taken over",
    look: "ls -l of the -wal file; PRAGMA wal_checkpoint",
};
const JOURNAL: Subject = Subject {
    what: "journal mode",
    limit: "wal, if shared",
    why: "otherwise a writer keeps every reader out",
    look: "PRAGMA journal_mode",
};
const PLACE: Subject = Subject {
    what: "directory",
    limit: "may be written to",
    why: "the journal lies beside the file",
    look: "ls -ld of the directory",
};
const SPACE: Subject = Subject {
    what: "free pages",
    limit: "50 % from 16 MiB",
    why: "room that the file has and does not use",
    look: "PRAGMA freelist_count; PRAGMA page_count",
};
const SUBJECTS: [Subject; 7] = [DAMAGE, ORPHANS, DISK, LOG, PLACE, JOURNAL, SPACE];

/// Time for each look that reads the whole file.
const WHOLE: Duration = Duration::from_millis(500);
/// Steps of SQLite's machine between two looks at the clock.
const OPS: i32 = 1000;
const MIB: u64 = 1 << 20;

/// What a file tells.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Vitals {
    /// What the check of its pages said; none if it took too long.
    pub(super) damage: Option<String>,
    /// Rows that point nowhere; none if the look took too long.
    pub(super) orphans: Option<u64>,
    /// `delete`, `wal`, …
    pub(super) journal: String,
    /// Pages, those of them free, and bytes of each.
    pub(super) pages: (u64, u64, u64),
    /// What lies around it; none for a database in memory.
    pub(super) around: Option<Around>,
}

/// What lies around a file.
#[derive(Clone, Copy, Debug, Default, PartialEq)]
pub(super) struct Around {
    /// Bytes of the write-ahead log.
    pub(super) log: u64,
    /// Bytes free and in all on its disk.
    pub(super) room: Option<(u64, u64)>,
    /// Whether this user may write to its directory.
    pub(super) writable: bool,
}

impl Sqlite {
    /// Looks at everything that the file tells of itself.
    pub(super) async fn survey(&self) -> Result<Finding, Fault> {
        let mut session = self.open().await?;
        let journal = text(&mut session, queries::JOURNAL).await?;
        let pages = (
            number(&mut session, queries::PAGES).await?,
            number(&mut session, queries::FREE).await?,
            number(&mut session, queries::PAGE).await?,
        );
        let damage = session.whole(queries::CHECK).await?;
        let damage = damage.map(|rows| {
            let first = rows.first().and_then(|row| row.try_get(0).ok());
            first.unwrap_or_else(|| "nothing".to_owned())
        });
        let orphans = session.whole(queries::ORPHANS).await?;
        let orphans = orphans.and_then(|rows| rows.first()?.try_get::<i64, _>(0).ok());
        let look = session.look;
        session.close().await;
        let around = match (&self.file, look) {
            (Some(file), Some(_)) => {
                let path = file.path.clone();
                Some(blocking(move || around(&path)).await?)
            }
            _ => None,
        };
        let orphans = orphans.map(i64::unsigned_abs);
        let meant = self.file.as_ref().is_some_and(|file| file.read_only);
        Ok(judge(&Vitals { damage, orphans, journal, pages, around }, look, meant))
    }
}

impl Session {
    /// A look that reads the whole file, unless that takes too long.
    async fn whole(
        &mut self,
        sql: &'static str,
    ) -> Result<Option<Vec<sqlx::sqlite::SqliteRow>>, Fault> {
        let end = Instant::now() + WHOLE;
        let lock = |error| Fault::of(&error, super::Stage::Statement, sql, &self.names);
        let mut handle = self.link.lock_handle().await.map_err(lock)?;
        handle.set_progress_handler(OPS, move || Instant::now() < end);
        drop(handle);
        let rows = self.ask_within(sql, WHOLE * 2).await;
        let lock = |error| Fault::of(&error, super::Stage::Statement, sql, &self.names);
        let mut handle = self.link.lock_handle().await.map_err(lock)?;
        handle.remove_progress_handler();
        drop(handle);
        match rows {
            Ok((rows, _)) => Ok(Some(rows)),
            // SQLITE_INTERRUPT: our own handler.
            Err(fault) if fault.kind == Kind::Statement && fault.code == "9" => Ok(None),
            Err(fault) => Err(fault),
        }
    }
}

async fn text(session: &mut Session, sql: &'static str) -> Result<String, Fault> {
    let (rows, _) = session.ask(sql).await?;
    read(&rows, sql.trim_start_matches("PRAGMA "), sql)
}

async fn number(session: &mut Session, sql: &'static str) -> Result<u64, Fault> {
    let (rows, _) = session.ask(sql).await?;
    read::<i64>(&rows, sql.trim_start_matches("PRAGMA "), sql).map(i64::unsigned_abs)
}

/// Blocks.
fn around(path: &Path) -> Around {
    let mut log = path.as_os_str().to_owned();
    log.push("-wal");
    let parent = path.parent().filter(|parent| !parent.as_os_str().is_empty());
    let parent = parent.unwrap_or(Path::new("."));
    // As df counts: what is set aside for root is nobody's.
    let room = statvfs(parent).ok().map(|disk| {
        let all = disk.f_blocks - disk.f_bfree + disk.f_bavail;
        (disk.f_bavail * disk.f_frsize, all * disk.f_frsize)
    });
    Around {
        log: fs::metadata(log).map_or(0, |meta| meta.len()),
        room,
        writable: access(parent, Access::WRITE_OK).is_ok(),
    }
}

fn judge(vitals: &Vitals, look: Option<Look>, meant: bool) -> Finding {
    let mut aspects = vec![damage(vitals), orphans(vitals), space(vitals)];
    if let Some(around) = &vitals.around {
        aspects.extend([disk(around), log(around), place(around, meant)]);
        aspects.push(JOURNAL.fine(vitals.journal.as_str()));
    }
    let asked = "PRAGMA quick_check, foreign_key_check, journal_mode, freelist_count";
    let finding = conclude(&SUBJECTS, &aspects, asked);
    match look {
        Some(look) => {
            let size = crate::domain::Quantity::Bytes(look.size);
            let evidence = finding.evidence.clone().fact("size", size);
            finding.evidence(evidence)
        }
        None => finding,
    }
}

fn damage(vitals: &Vitals) -> Aspect {
    match vitals.damage.as_deref() {
        None => DAMAGE.fine("too large for 500ms"),
        Some("ok") => DAMAGE.fine("ok"),
        Some(says) => {
            let remedy = "restore a backup, or save what is left: sqlite3 FILE .recover";
            DAMAGE.bad(Mark::Fail, says, "quick_check finds damage".into(), remedy.into())
        }
    }
}

fn orphans(vitals: &Vitals) -> Aspect {
    match vitals.orphans {
        None => ORPHANS.fine("too many for 500ms"),
        Some(0) => ORPHANS.fine("0 violated"),
        Some(many) => {
            let remedy = "PRAGMA foreign_keys = ON in every connection; see foreign_key_check";
            let says = format!("{many} rows point to none that is there");
            ORPHANS.bad(Mark::Warn, &format!("{many} violated"), says, remedy.into())
        }
    }
}

fn disk(around: &Around) -> Aspect {
    let Some((free, all)) = around.room else { return DISK.fine("not to be seen") };
    let percent = free * 100 / all.max(1);
    let seen = format!("{percent} % of {} free", units::bytes(all));
    let mark = match percent {
        0..10 => Mark::Fail,
        10..20 => Mark::Warn,
        _ => return DISK.fine(seen),
    };
    DISK.bad(mark, &seen, format!("{percent} % of the disk left"), "make room on the disk".into())
}

fn log(around: &Around) -> Aspect {
    let seen = units::bytes(around.log);
    match above(&around.log, &(64 * MIB, u64::MAX)) {
        Mark::Warn | Mark::Fail => {
            let remedy = "end the longest reader, then PRAGMA wal_checkpoint(TRUNCATE)";
            LOG.bad(Mark::Warn, &seen, format!("write-ahead log of {seen}"), remedy.into())
        }
        Mark::Pass | Mark::Skipped | Mark::Unknown => LOG.fine(seen),
    }
}

fn place(around: &Around, meant: bool) -> Aspect {
    match (around.writable, meant) {
        (true, _) => PLACE.fine("may be written to"),
        (false, true) => PLACE.fine("read-only, as the url says"),
        (false, false) => {
            let remedy = "let the application's user write to the directory, or add ?mode=ro";
            let seen = "not for this user";
            PLACE.bad(Mark::Warn, seen, "directory may not be written to".into(), remedy.into())
        }
    }
}

fn space(vitals: &Vitals) -> Aspect {
    let (pages, free, size) = vitals.pages;
    let seen = format!("{free} of {pages}");
    if pages * size < 16 * MIB || free * 2 <= pages {
        return SPACE.fine(seen);
    }
    let remedy = "VACUUM at a quiet time: it rewrites the file and needs as much room again";
    SPACE.bad(Mark::Warn, &seen, format!("{free} of {pages} pages unused"), remedy.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn healthy() -> Vitals {
        let around = Around { log: 0, room: Some((50, 100)), writable: true };
        Vitals {
            damage: Some("ok".into()),
            orphans: Some(0),
            journal: "wal".into(),
            pages: (10, 0, 4096),
            around: Some(around),
        }
    }

    fn says(vitals: &Vitals) -> (&'static str, String) {
        let finding = judge(vitals, None, false);
        assert!(finding.outcome.word() == "pass" || finding.remedy.is_some());
        (finding.outcome.word(), finding.summary)
    }

    #[test]
    fn each_aspect_is_judged_at_its_limit() {
        let with = |around| says(&Vitals { around: Some(around), ..healthy() }).0;
        let around = healthy().around.unwrap();
        assert_eq!(says(&healthy()), ("pass", "7 aspects, all within their limits".into()));
        let free = |free| with(Around { room: Some((free, 100)), ..around });
        assert_eq!([free(20), free(19), free(10), free(9)], ["pass", "warn", "warn", "fail"]);
        let log = |log| with(Around { log, ..around });
        assert_eq!([log(64 * MIB), log(64 * MIB + 1)], ["pass", "warn"]);
        assert_eq!(with(Around { writable: false, ..around }), "warn");
        let pages = |free| says(&Vitals { pages: (4096, free, 4096), ..healthy() }).0;
        assert_eq!([pages(2048), pages(2049)], ["pass", "warn"]);
        assert_eq!(says(&Vitals { orphans: Some(1), ..healthy() }).0, "warn");
        let damaged = Vitals { damage: Some("page 2".into()), ..healthy() };
        assert_eq!(says(&damaged), ("fail", "quick_check finds damage".into()));
    }
}
