use super::{
    MySql,
    client::{Answer, Line},
    first, queries, survey, value,
    vitals::{Key, Open, Replica, Vitals, Wait},
};
use crate::{
    clock,
    integrations::database::fault::{Fault, Kind},
};
use std::time::Duration;
use tokio::time::Instant;

impl MySql {
    /// Looks at everything that the server tells of itself, on the standing session.
    pub(super) async fn survey(&self) -> Result<Vitals, Fault> {
        let before = clock::now().0;
        let answer = self.read(survey::STATE).await?;
        let after = clock::now().0;
        let line = first(&answer.rows, survey::STATE)?;
        let theirs: i64 = line.number("clock")?;
        // Between the two readings of ours no difference can be told.
        let skew = (before - theirs).max(theirs - after).max(0).unsigned_abs();
        let dialect = usize::from(!answer.identity.is_maria());
        let identity = answer.identity.clone();
        Ok(Vitals {
            room: (self.status(queries::THREADS).await?, line.number("most")?),
            open: lines(self.permitted(survey::OPEN).await?, open)?,
            waits: lines(self.permitted(survey::WAITS[dialect]).await?, wait)?,
            deadlocks: self.deadlocks(survey::DEADLOCKS[dialect]).await?,
            history: self.counted_there(survey::HISTORY[dialect]).await?,
            replica: self.replica().await?,
            key: self.key().await?,
            read_only: line.number::<u8>("read_only")? > 0,
            limit: self.limit(dialect, identity.is_maria()).await?,
            private: identity.tls || self.client.server().is_local(),
            up: Duration::from_secs(self.status(survey::UPTIME).await?),
            skew: Duration::from_millis(skew),
            account: identity.account,
        })
    }

    /// The answer; nothing where the account may not ask.
    async fn permitted(&self, sql: &str) -> Result<Option<Answer>, Fault> {
        match self.read(sql).await {
            Ok(answer) => Ok(Some(answer)),
            Err(fault) if fault.kind == Kind::NotPermitted => Ok(None),
            Err(fault) => Err(fault),
        }
    }

    async fn counted_there(&self, sql: &str) -> Result<Option<u64>, Fault> {
        let Some(answer) = self.permitted(sql).await? else { return Ok(None) };
        if answer.rows.is_empty() { Ok(None) } else { value(&answer.rows, sql).map(Some) }
    }

    async fn deadlocks(&self, sql: &str) -> Result<Option<(u64, Duration)>, Fault> {
        let Some(now) = self.counted_there(sql).await? else { return Ok(None) };
        let before = self.canary.lock().await.deadlocks.replace((now, Instant::now()));
        Ok(before.map(|(then, at)| (now.saturating_sub(then), at.elapsed())))
    }

    async fn limit(&self, dialect: usize, maria: bool) -> Result<(&'static str, Duration), Fault> {
        let sql = survey::LIMITS[dialect];
        let answer = self.read(sql).await?;
        let longest: f64 = first(&answer.rows, sql)?.number("longest")?;
        let longest = Duration::try_from_secs_f64(longest).unwrap_or_default();
        Ok((queries::statement_limit(maria), longest))
    }

    async fn replica(&self) -> Result<Replica, Fault> {
        let Some(answer) = self.permitted(survey::REPLICA).await? else {
            return Ok(Replica::Hidden);
        };
        let Some(line) = answer.rows.first() else { return Ok(Replica::None) };
        // MariaDB's names first, then those that MySQL has given them since.
        let either = |one, other| line.text(one).or_else(|_| line.text(other));
        let running = |part: Option<String>| part.is_some_and(|state| state == "Yes");
        let reads = running(either("Slave_IO_Running", "Replica_IO_Running")?);
        let applies = running(either("Slave_SQL_Running", "Replica_SQL_Running")?);
        if !reads || !applies {
            let part = if applies { "reading" } else { "applying" };
            let number = match line.number::<u32>("Last_SQL_Errno")? {
                0 => line.number("Last_IO_Errno")?,
                number => number,
            };
            return Ok(Replica::Stopped(match number {
                0 => format!("{part} stopped"),
                number => format!("{part} stopped by error {number}"),
            }));
        }
        let behind = either("Seconds_Behind_Master", "Seconds_Behind_Source")?;
        let behind = behind.and_then(|seconds| seconds.parse().ok()).unwrap_or_default();
        Ok(Replica::Behind(Duration::from_secs(behind)))
    }

    async fn key(&self) -> Result<Option<Key>, Fault> {
        let answer = self.read(survey::KEYS).await?;
        let mut fullest: Option<Key> = None;
        for line in &answer.rows {
            let found = key(line)?;
            let more = |other: &Key| share(&found) > share(other);
            if fullest.as_ref().is_none_or(more) {
                fullest = Some(found);
            }
        }
        Ok(fullest)
    }
}

fn lines<T>(
    answer: Option<Answer>,
    read: fn(&Line) -> Result<T, Fault>,
) -> Result<Option<Vec<T>>, Fault> {
    answer.map(|answer| answer.rows.iter().map(read).collect()).transpose()
}

fn open(line: &Line) -> Result<Open, Fault> {
    let command = line.text("command")?.unwrap_or_default();
    let since = Duration::from_secs(line.number("since")?);
    Ok(Open {
        id: line.number("id")?,
        who: line.text("user")?.unwrap_or_default(),
        age: Duration::from_secs(line.number("age")?),
        idle: (command == "Sleep").then_some(since),
    })
}

fn wait(line: &Line) -> Result<Wait, Fault> {
    let (user, command) = (line.text("user")?, line.text("command")?);
    Ok(Wait {
        waiter: line.number("waiter")?,
        blocker: line.number("blocker")?,
        who: format!("{}, {}", user.unwrap_or_default(), command.unwrap_or_default()),
        waited: Duration::from_secs(line.number("waited")?),
    })
}

fn key(line: &Line) -> Result<Key, Fault> {
    let (name, field) = (line.text("name")?, line.text("field")?);
    Ok(Key {
        name: format!("{}.{}", name.unwrap_or_default(), field.unwrap_or_default()),
        next: line.number("next")?,
        last: last(&line.text("type")?.unwrap_or_default()),
    })
}

/// In thousandths, which no count of keys overflows.
fn share(key: &Key) -> u128 {
    u128::from(key.next) * 1000 / u128::from(key.last.max(1))
}

/// The last value that a column of this type has room for.
fn last(column: &str) -> u64 {
    let bits = match column.split(['(', ' ']).next().unwrap_or_default() {
        "tinyint" => 8,
        "smallint" => 16,
        "mediumint" => 24,
        "int" | "integer" => 32,
        _ => 64,
    };
    let bits = if column.contains("unsigned") { bits } else { bits - 1 };
    u64::MAX >> (64 - bits)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_type_says_how_far_it_counts() {
        let cases = [
            ("tinyint(4)", 127),
            ("smallint(5) unsigned", 65_535),
            ("mediumint", 8_388_607),
            ("int(11)", 2_147_483_647),
            ("int unsigned", 4_294_967_295),
            ("bigint(20)", 9_223_372_036_854_775_807),
            ("bigint unsigned", u64::MAX),
        ];
        for (column, expected) in cases {
            assert_eq!(last(column), expected, "{column}");
        }
    }
}
