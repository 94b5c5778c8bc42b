//! Finds and removes what killed runs left on a server.

use super::{
    Back, Redis, Site,
    client::Client,
    reply::{count, integer, list, odd, text},
    trouble::Trouble,
};
use crate::{
    domain::{Sweep, Swept},
    probe::{Claim, RunId, Whose},
};
use redis::Value;
use std::time::Duration;
use tokio::time::Instant;

/// What every key of ours looks like, for the server; [`run_of`] looks closer.
const OURS: &str = "tminus:{*}:*";
/// Keys that the server looks at for one question.
const PAGE: u32 = 200;
/// Questions, so that the largest keyspace is left in peace some time: ten million keys.
const PAGES: u32 = 50_000;
/// And time.
const LOOKING: Duration = Duration::from_secs(30);

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

async fn on_server(site: &Site, whose: &Whose) -> Result<Swept, Trouble> {
    let client = site.line.take().await?;
    let began = Instant::now();
    let (mut swept, mut cursor) = (Swept::default(), "0".to_owned());
    for _ in 0..PAGES {
        let scan =
            redis::cmd("SCAN").arg(&cursor).arg("MATCH").arg(OURS).arg("COUNT").arg(PAGE).take();
        let [next, names] = list::<2>(client.ask(&scan).await?)?;
        cursor = text(&next).ok_or_else(|| odd("a cursor", &next))?;
        let Value::Array(names) = names else { return Err(odd("keys", &names)) };
        for name in names.iter().filter_map(text) {
            if let Some(run) = run_of(&name) {
                swept.looked += 1;
                settle(&client, &name, whose.claim(&run), &mut swept).await?;
            }
        }
        swept.whole = cursor == "0";
        if swept.whole || began.elapsed() > LOOKING {
            break;
        }
    }
    Ok(swept)
}

/// Removes a key if it may go. Each on its own, as in a cluster they are of many slots.
async fn settle(
    client: &Client,
    name: &str,
    claim: Claim,
    swept: &mut Swept,
) -> Result<(), Trouble> {
    let goes = match claim {
        Claim::Keep => {
            swept.living += 1;
            return Ok(());
        }
        Claim::Remove => true,
        Claim::Unknown => {
            let left = integer(&client.ask(&redis::cmd("PTTL").arg(name).take()).await?)?;
            swept.expiring += u64::from(left >= 0);
            left == -1
        }
    };
    if goes {
        swept.removed += count(&client.ask(&redis::cmd("UNLINK").arg(name).take()).await?)?;
        swept.left += count(&client.ask(&redis::cmd("EXISTS").arg(name).take()).await?)?;
    }
    Ok(())
}

/// The run that a key belongs to, if it is a key of ours: `tminus:{<tag>}:<run>:<service>:<name>`.
fn run_of(name: &str) -> Option<RunId> {
    let (tag, rest) = name.strip_prefix("tminus:{")?.split_once("}:")?;
    let mut parts = rest.splitn(3, ':');
    let (run, service, last) = (parts.next()?, parts.next()?, parts.next()?);
    let worded = !service.is_empty() && service.bytes().all(|byte| byte.is_ascii_lowercase());
    RunId::parse(tag)?;
    RunId::parse(run).filter(|_| worded && !last.is_empty())
}

#[cfg(test)]
mod tests {
    use super::{super::keys::Keys, *};
    use crate::probe::this_run;

    #[test]
    fn only_keys_as_we_make_them_are_ours() {
        let ours = Keys::new("lock").key("l1").part("f");
        assert_eq!(run_of(ours.as_str()).as_ref(), Some(this_run()));
        for foreign in [
            "tminus:settings",
            "tminus:{user}:0123456789ab:lock:l1",
            "tminus:{0123456789ab}:0123456789ab:lock",
            "tminus:{0123456789ab}:0123456789ab::l1",
            "tminus:{0123456789ab}:0123456789ab:lock:",
            "tminus:{0123456789ab}:0123456789AB:lock:l1",
            "x:tminus:{0123456789ab}:0123456789ab:lock:l1",
        ] {
            assert_eq!(run_of(foreign), None, "{foreign}");
        }
    }
}
