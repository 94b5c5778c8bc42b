//! Finds and removes what killed runs left on a server.

use super::{
    Back, Redis, Site,
    client::{Client, Purpose},
    reply::{count, integer, list, odd, text},
    trouble::Trouble,
};
use crate::{
    domain::{Sweep, Swept},
    probe::{Claim, ProbeError, RunId, Stopwatch, Whose},
};
use redis::Value;
use std::{collections::BTreeMap, time::Duration};
use tokio::time::Instant;

/// What every key of ours looks like, for the server; [`tag_and_run`] looks closer.
const OURS: &str = "tminus:{*}:*";
/// Keys that the server looks at for one question.
const PAGE: u32 = 200;
/// Questions, so that the largest keyspace is left in peace some time: ten million keys.
const PAGES: u32 = 50_000;
/// And time.
const LOOKING: Duration = Duration::from_secs(30);
/// How long it may take to get at a master of a cluster.
const DIAL: Duration = Duration::from_millis(1500);

const ALLOW: &str = "pass --allow-writes, or set `writes = true` in [redis]";

impl Redis {
    /// Removes keys of dead runs, and those of ours that would stay for ever.
    pub(super) async fn swept(&self, whose: &Whose) -> Sweep {
        match &self.back {
            Back::StandIn => Sweep::NotNeeded,
            Back::Misconfigured(says) => {
                Sweep::Failed { why: says.clone(), remedy: "correct it in tminus.toml".into() }
            }
            Back::Server(site) if !site.may_write => Sweep::NotAllowed { remedy: ALLOW.into() },
            Back::Server(site) => match on_server(site, whose).await {
                Ok(swept) => Sweep::Done(swept),
                Err(trouble) => {
                    let fault = trouble.fault();
                    Sweep::Failed { why: fault.says, remedy: fault.remedy }
                }
            },
        }
    }
}

/// Sweeps the server, or every master of a cluster; one that is away spares none of
/// the others.
async fn on_server(site: &Site, whose: &Whose) -> Result<Swept, Trouble> {
    let (door, until) = (site.line.take().await?, Instant::now() + LOOKING);
    let mut swept = Swept { whole: true, ..Swept::default() };
    if !door.is_cluster() {
        sweep(site, &door, whose, (until, &mut swept)).await?;
        return Ok(swept);
    }
    let mut away = None;
    for way in site.masters(&door).await? {
        let (mut watch, deadline) = (Stopwatch::start(), Instant::now() + DIAL);
        let ended = match Client::dial(&way, Purpose::Data, &mut watch, deadline).await {
            Ok(master) => sweep(site, &master, whose, (until, &mut swept)).await,
            Err(trouble) => Err(trouble),
        };
        away = away.or(ended.err());
    }
    away.map_or(Ok(swept), Err)
}

/// Sweeps one server.
async fn sweep(
    site: &Site,
    client: &Client,
    whose: &Whose,
    (until, swept): (Instant, &mut Swept),
) -> Result<(), Trouble> {
    if !site.may_write_to(client) {
        let says = "the address leads to a server without `writes = true`";
        return Err(Trouble::Reach(ProbeError::Misconfigured(says.into())));
    }
    let mut cursor = "0".to_owned();
    for _ in 0..PAGES {
        let scan =
            redis::cmd("SCAN").arg(&cursor).arg("MATCH").arg(OURS).arg("COUNT").arg(PAGE).take();
        let [next, names] = list::<2>(client.ask(&scan).await?)?;
        cursor = text(&next).ok_or_else(|| odd("a cursor", &next))?;
        let Value::Array(names) = names else { return Err(odd("keys", &names)) };
        settle(client, names.iter().filter_map(text), whose, swept).await?;
        if cursor == "0" {
            return Ok(());
        }
        if Instant::now() > until {
            break;
        }
    }
    swept.whole = false;
    Ok(())
}

/// Removes those of the keys that may go, all of one tag together: in a cluster they
/// are of one slot.
async fn settle(
    client: &Client,
    names: impl Iterator<Item = String>,
    whose: &Whose,
    swept: &mut Swept,
) -> Result<(), Trouble> {
    let mut going: BTreeMap<RunId, Vec<String>> = BTreeMap::new();
    for name in names {
        let Some((tag, run)) = tag_and_run(&name) else { continue };
        swept.looked += 1;
        let goes = match whose.claim(&run) {
            Claim::Keep => {
                swept.living += 1;
                false
            }
            Claim::Remove => true,
            Claim::Unknown => {
                let left = redis::cmd("PTTL").arg(&name).take();
                let left = integer(&client.ask(&left).await?)?;
                swept.expiring += u64::from(left >= 0);
                left == -1
            }
        };
        if goes {
            going.entry(tag).or_default().push(name);
        }
    }
    for names in going.values() {
        swept.removed += count(&client.ask(&redis::cmd("UNLINK").arg(names).take()).await?)?;
        swept.left += count(&client.ask(&redis::cmd("EXISTS").arg(names).take()).await?)?;
    }
    Ok(())
}

/// The tag of a key and the run that it belongs to, if it is a key of ours:
/// `tminus:{<tag>}:<run>:<service>:<name>`.
fn tag_and_run(name: &str) -> Option<(RunId, RunId)> {
    let (tag, rest) = name.strip_prefix("tminus:{")?.split_once("}:")?;
    let mut parts = rest.splitn(3, ':');
    let (run, service, last) = (parts.next()?, parts.next()?, parts.next()?);
    let worded = !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_lowercase());
    (worded && !last.is_empty()).then_some((RunId::parse(tag)?, RunId::parse(run)?))
}

#[cfg(test)]
mod tests {
    use super::{super::keys::Keys, *};
    use crate::probe::this_run;

    #[test]
    fn only_keys_as_we_make_them_are_ours() {
        let ours = Keys::new("lock").key("l1").part("f");
        assert_eq!(tag_and_run(ours.as_str()).unwrap().1, *this_run());
        for foreign in [
            "tminus:settings",
            "tminus:{user}:0123456789ab:lock:l1",
            "tminus:{0123456789ab}:0123456789ab:lock",
            "tminus:{0123456789ab}:0123456789ab::l1",
            "tminus:{0123456789ab}:0123456789ab:lock:",
            "tminus:{0123456789ab}:0123456789AB:lock:l1",
            "x:tminus:{0123456789ab}:0123456789ab:lock:l1",
        ] {
            assert_eq!(tag_and_run(foreign), None, "{foreign}");
        }
    }
}
