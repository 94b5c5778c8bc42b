//! `[[accept]]`: blockers that somebody answers for.

use super::{
    Origin, Problem,
    de::{self, Read},
    own::{not_a_check, origin},
    tree::{Node, Table, Value},
};
use crate::domain::{
    ACCEPTANCE_DAYS, Acceptance, CheckId, LONGEST_ACCEPTANCE, SHORTEST_REASON, Timestamp, plain,
};
use serde::Deserialize;

/// Characters kept of a reason and of a name.
const SENTENCE: usize = 300;

#[derive(Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
struct Entry {
    check: Option<String>,
    reason: Option<String>,
    owner: Option<String>,
    until: Option<String>,
}

/// What is wrong with one key, or with the whole entry where no key is named.
struct Wrong(&'static str, String);

/// `[[accept]]`. What cannot be used is left out and said, and never an error:
/// an acceptance that has run out must not keep the console from starting.
pub(super) fn accepted(
    root: &Table,
    ids: &[CheckId],
    now: Timestamp,
    warnings: &mut Vec<Problem>,
) -> Vec<Acceptance> {
    let entries: Vec<&Node> = match root.get("accept") {
        None => Vec::new(),
        Some(Node { value: Value::List(list), .. }) => list.iter().collect(),
        Some(single) => vec![single],
    };
    let mut accepted = Vec::new();
    for node in entries {
        match of_entry(node, ids, now) {
            Ok(found) => accepted.extend(found),
            Err(problems) => warnings.extend(problems),
        }
    }
    accepted
}

/// The acceptances of one entry, or everything that is wrong with it.
fn of_entry(node: &Node, ids: &[CheckId], now: Timestamp) -> Result<Vec<Acceptance>, Vec<Problem>> {
    let ignored = |origin: Origin, key: String, says: String| Problem {
        origin,
        key,
        says: match says.strip_suffix('?') {
            Some(asks) => format!("{asks}? This acceptance is ignored"),
            None => format!("{says}; this acceptance is ignored"),
        },
    };
    let mut read = Read::default();
    let entry: Option<Entry> = de::read("accept", &mut node.clone(), &mut read);
    let mut problems: Vec<Problem> =
        read.problems.into_iter().map(|it| ignored(it.origin, it.key, it.says)).collect();
    let entry = entry.unwrap_or_default();
    let broken = |key: &str| problems.iter().any(|it| it.key == format!("accept.{key}"));
    let (named, reason) = (checks(entry.check.as_deref(), ids), reason(entry.reason.as_deref()));
    let until = until(entry.until.as_deref(), now);
    let wrong = [named.as_ref().err(), reason.as_ref().err(), until.as_ref().err()];
    let wrong = wrong.into_iter().flatten().filter(|Wrong(key, _)| !broken(key));
    let further: Vec<Problem> = wrong
        .map(|Wrong(key, says)| ignored(origin(node, key), format!("accept.{key}"), says.clone()))
        .collect();
    problems.extend(further);
    match (named, reason, until) {
        (Ok(named), Ok(reason), Ok(until)) if problems.is_empty() => {
            let pattern = entry.check.filter(|name| named.iter().all(|id| id.as_str() != name));
            let owner = entry.owner.map(|owner| plain(&owner, SENTENCE));
            let of = |check: CheckId| Acceptance {
                check,
                pattern: pattern.clone(),
                reason: reason.clone(),
                owner: owner.clone(),
                until,
            };
            Ok(named.into_iter().map(of).collect())
        }
        _ => Err(problems),
    }
}

/// The checks that a name or a pattern means.
fn checks(name: Option<&str>, ids: &[CheckId]) -> Result<Vec<CheckId>, Wrong> {
    let wrong = |says: String| Wrong("check", says);
    let name = name.ok_or_else(|| wrong("is missing: name a check such as redis.lock".into()))?;
    if !name.contains(|c: char| c.is_ascii_alphanumeric()) {
        return Err(wrong("means everything; name an integration or a check".into()));
    }
    let meant: Vec<CheckId> = ids.iter().filter(|id| id.is_meant_by(name)).cloned().collect();
    if meant.is_empty() {
        let why = if name.contains(['*', '?']) {
            "names no check".into()
        } else {
            not_a_check(name, None, ids)
        };
        return Err(wrong(format!("{:?} {why}", plain(name, SENTENCE))));
    }
    Ok(meant)
}

fn reason(reason: Option<&str>) -> Result<String, Wrong> {
    let reason = reason.unwrap_or_default().trim();
    if reason.chars().count() < SHORTEST_REASON {
        let says = format!("needs {SHORTEST_REASON} characters or more");
        return Err(Wrong("reason", says));
    }
    Ok(plain(reason, SENTENCE))
}

fn until(until: Option<&str>, now: Timestamp) -> Result<Timestamp, Wrong> {
    let wrong = |says: String| Wrong("until", says);
    let until = until.ok_or_else(|| wrong("is missing: 2026-12-31T18:00:00Z".into()))?;
    let moment: jiff::Timestamp = until
        .parse()
        .map_err(|_| wrong("is not a moment with its zone such as 2026-12-31T18:00:00Z".into()))?;
    let end = Timestamp(moment.as_millisecond());
    if end <= now {
        return Err(wrong(format!("was {moment}: it has ended")));
    }
    if end > now.after(LONGEST_ACCEPTANCE) {
        return Err(wrong(format!("is more than {ACCEPTANCE_DAYS} days away")));
    }
    Ok(end)
}
