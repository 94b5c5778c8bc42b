use super::{
    Postgres,
    client::{Line, lines},
    first,
    pool::rooms_of,
    survey,
    vitals::{
        Blocker, Disk, Horizon, Replica, Sequences, Slot, Standby, State, Tables, Timeout, Vitals,
        Wait,
    },
};
use crate::{clock, integrations::database::fault::Fault};
use rustix::fs::statvfs;
use std::{fs, time::Duration};
use tokio::{
    task::spawn_blocking,
    time::{Instant, timeout},
};

/// For a look at the disk, which may be a network drive.
const DISK: Duration = Duration::from_millis(500);

/// What the role may see, and whether anything is vacuumed at all.
struct Sees {
    all: bool,
    log: bool,
    all_off: bool,
}

impl Postgres {
    /// Looks at everything that the server tells of itself, on the standing session.
    pub(super) async fn survey(&self) -> Result<Vitals, Fault> {
        let rooms = self.rooms().await?;
        let (role, read_only) = (rooms.identity.role.clone(), rooms.identity.read_only);
        let (state, sees) = self.state(read_only).await?;
        let tables = Tables { all_off: sees.all_off, ..self.tables().await? };
        Ok(Vitals {
            role,
            reads_all: sees.all,
            rooms: rooms_of(&rooms)?,
            waits: self.every(survey::WAITS, wait).await?,
            blocker: self.only(survey::BLOCKER, blocker).await?,
            deadlocks: self.deadlocks().await?,
            state,
            replica: self.only(survey::REPLICA, replica).await?,
            slot: self.only(survey::SLOT, slot).await?,
            horizon: self.only(survey::HORIZON, horizon).await?.unwrap_or_default(),
            sequences: self.only(survey::SEQUENCES, sequences).await?.unwrap_or_default(),
            disk: self.disk(sees.log).await?,
            timeouts: self.every(survey::TIMEOUTS, lacking).await?,
            tables,
            invalid: self.only(survey::INVALID, invalid).await?.unwrap_or_default(),
        })
    }

    async fn every<T>(
        &self,
        sql: &'static str,
        read: fn(&Line<'_>) -> Result<T, Fault>,
    ) -> Result<Vec<T>, Fault> {
        let rows = self.read(sql.into()).await?;
        lines(&rows, sql).map(|line| read(&line)).collect()
    }

    async fn only<T>(
        &self,
        sql: &'static str,
        read: fn(&Line<'_>) -> Result<T, Fault>,
    ) -> Result<Option<T>, Fault> {
        Ok(self.every(sql, read).await?.pop())
    }

    async fn state(&self, read_only: bool) -> Result<(State, Sees), Fault> {
        let before = clock::now().0;
        let rows = self.read(survey::STATE.into()).await?;
        let after = clock::now().0;
        let line = first(&rows, survey::STATE, "")?;
        let theirs: i64 = line.read("clock")?;
        // Between the two readings of ours no difference can be told.
        let skew = (before - theirs).max(theirs - after).max(0);
        let fails: Option<i64> = line.read("archive_fails")?;
        let plain: i64 = line.read("plain")?;
        let standby: bool = line.read("standby")?;
        let (receiving, behind) = (line.read("receiving")?, seconds(&line, "behind")?);
        let state = State {
            counting: line.read("counting")?,
            standby: standby.then_some(Standby { receiving, behind }),
            read_only,
            up: seconds(&line, "up")?,
            skew: Duration::from_millis(skew.unsigned_abs()),
            archive: line.read("archive")?,
            archive_fails: fails.map(i64::unsigned_abs),
            plain: plain.unsigned_abs(),
        };
        let all_off = line.read("all_off")?;
        let sees = Sees { all: line.read("reads_all")?, log: line.read("sees_log")?, all_off };
        Ok((state, sees))
    }

    async fn deadlocks(&self) -> Result<Option<(u64, Duration)>, Fault> {
        let stats = self.stats().await?;
        let now = Instant::now();
        let before = self.canary.lock().await.deadlocks.replace((now, stats.clone()));
        Ok(before.filter(|(_, then)| stats.continues(then)).map(|(at, then)| {
            let more = (stats.deadlocks - then.deadlocks).max(0);
            (more.unsigned_abs(), now.saturating_duration_since(at))
        }))
    }

    async fn tables(&self) -> Result<Tables, Fault> {
        Ok(self.only(survey::TABLES, tables).await?.unwrap_or_default())
    }

    async fn disk(&self, sees_log: bool) -> Result<Disk, Fault> {
        // Asking without the right to would be an error in the server's log.
        let size = |line: &Line<'_>| count(line, "bytes");
        let log = if sees_log { self.only(survey::LOG_SIZE, size).await? } else { None };
        Ok(Disk { room: self.room_left().await, log })
    }

    /// Free and all bytes of the server's disk, if it is surely one of this machine.
    async fn room_left(&self) -> Option<(u64, u64)> {
        if !self.client.server().is_local() {
            return None;
        }
        let path = |line: &Line<'_>| Ok((line.read::<String>("path")?, line.read::<i32>("pid")?));
        let (path, pid) = self.only(survey::DIRECTORY, path).await.ok()??;
        let look = move || {
            // A port may be forwarded from a container or another machine: what
            // calls itself our session has to be a process of this machine.
            let called = fs::read(format!("/proc/{pid}/cmdline")).ok()?;
            if !String::from_utf8_lossy(&called).starts_with("postgres: ") {
                return None;
            }
            let disk = statvfs(path.as_str()).ok()?;
            // As df counts: what is set aside for root is nobody's.
            let all = disk.f_blocks - disk.f_bfree + disk.f_bavail;
            Some((disk.f_bavail * disk.f_frsize, all * disk.f_frsize))
        };
        timeout(DISK, spawn_blocking(look)).await.ok()?.ok()?
    }
}

fn seconds(line: &Line<'_>, name: &str) -> Result<Duration, Fault> {
    let seconds: f64 = line.read(name)?;
    Ok(Duration::try_from_secs_f64(seconds).unwrap_or_default())
}

fn count(line: &Line<'_>, name: &str) -> Result<u64, Fault> {
    line.read::<i64>(name).map(|count| count.max(0).unsigned_abs())
}

fn wait(line: &Line<'_>) -> Result<Wait, Fault> {
    let age = seconds(line, "seconds")?;
    let (kind, pid, who) = (line.read("kind")?, line.read("pid")?, line.read("who")?);
    Ok(Wait { kind, pid, who, age, xmin: count(line, "xmin")? })
}

fn blocker(line: &Line<'_>) -> Result<Blocker, Fault> {
    let (victims, waited) = (count(line, "victims")?, seconds(line, "seconds")?);
    Ok(Blocker { pid: line.read("pid")?, who: line.read("who")?, victims, waited })
}

fn replica(line: &Line<'_>) -> Result<Replica, Fault> {
    let (lag, bytes) = (seconds(line, "seconds")?, count(line, "bytes")?);
    Ok(Replica { name: line.read("name")?, state: line.read("state")?, lag, bytes })
}

fn slot(line: &Line<'_>) -> Result<Slot, Fault> {
    let (kept, inactive) = (count(line, "kept")?, count(line, "inactive")?);
    Ok(Slot { name: line.read("name")?, status: line.read("status")?, kept, inactive })
}

fn horizon(line: &Line<'_>) -> Result<Horizon, Fault> {
    Ok(Horizon { database: line.read("name")?, age: count(line, "age")? })
}

fn sequences(line: &Line<'_>) -> Result<Sequences, Fault> {
    let (used, hidden) = (count(line, "used")?, count(line, "hidden")?);
    Ok(Sequences { name: line.read("name")?, used, hidden })
}

fn lacking(line: &Line<'_>) -> Result<Timeout, Fault> {
    let (roles, without) = (count(line, "roles")?, count(line, "without")?);
    Ok(Timeout { name: line.read("name")?, roles, without, one: line.read("one")? })
}

fn tables(line: &Line<'_>) -> Result<Tables, Fault> {
    let name: String = line.read("name")?;
    let rows = (count(line, "dead")?, count(line, "live")?);
    let dead = (!name.is_empty()).then_some((name, rows.0, rows.1));
    Ok(Tables { dead, off: count(line, "off")?, all_off: false })
}

fn invalid(line: &Line<'_>) -> Result<(u64, String), Fault> {
    Ok((count(line, "many")?, line.read("one")?))
}
