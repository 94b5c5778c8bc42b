use crate::{
    domain::{Cause, Evidence, Finding, Quantity},
    integrations::database::{
        judge::{accounted, accounting, count},
        mysql::measured::{Pooled, Seen},
        pooling::SIZE,
    },
};

/// Shares of a room at which it is getting full, and as good as full, in percent.
const FULL: (u64, u64) = (80, 95);
/// Share of the room in percent that may idle for over an hour.
const STALE: u64 = 25;

/// Whether a pool keeps its books, the server agrees, and there is room for more.
pub(in super::super) fn pool(pooled: &Pooled) -> Finding {
    let Pooled { server: (used, most), trial, own_session, .. } = pooled;
    let finding = crowded(pooled, FULL.1)
        .map(|(says, remedy)| Finding::fail(&says).remedy(remedy))
        .or_else(|| match trial {
            None => Some(spared(pooled)),
            Some((accounts, seen)) => {
                accounting(accounts).or_else(|| disagreement(*seen, *own_session))
            }
        })
        .or_else(|| crowded(pooled, FULL.0).map(|(s, remedy)| Finding::warn(&s).remedy(remedy)))
        .or_else(|| stale(pooled))
        .unwrap_or_else(|| {
            Finding::pass(&format!("pool of {SIZE} adds up, {used} of {most} connections"))
        });
    finding.evidence(evidence(pooled)).measure(Quantity::Ratio(share((*used, *most))))
}

/// The fullest room that is beyond `limit` percent.
fn crowded(pooled: &Pooled, limit: u64) -> Option<(String, &'static str)> {
    let beyond = |(used, most): (u64, u64)| used * 100 >= most * limit;
    let account = pooled.account.filter(|room| beyond(*room));
    let server = Some(pooled.server).filter(|room| beyond(*room));
    let (what, (used, most), remedy) = match (server, account) {
        (Some(room), _) => {
            ("server", room, "close idle connections, pool them, or raise max_connections")
        }
        (None, Some(room)) => (
            "account",
            room,
            "close its idle connections, or ALTER USER … WITH MAX_USER_CONNECTIONS",
        ),
        (None, None) => return None,
    };
    Some((format!("{what}: {used} of {most} connections taken"), remedy))
}

fn spared(pooled: &Pooled) -> Finding {
    let (used, most) = pooled.account.unwrap_or(pooled.server);
    let says = format!("{used} of {most} connections taken, no room to try");
    let remedy = "raise the connection limit: a pool of 2 must not take the last room";
    Finding::unknown(Cause::NoSamples, &says).remedy(remedy)
}

/// Where the server sees another number than the pool says.
fn disagreement(seen: Seen, own_session: bool) -> Option<Finding> {
    let Seen { held, left } = seen;
    if held != u64::from(SIZE) {
        let says = format!("{SIZE} held, the server sees {held}");
        return Some(if own_session {
            Finding::fail(&says).remedy("look at SHOW PROCESSLIST for who ended them")
        } else {
            Finding::warn("a proxy shares sessions among its clients")
                .remedy("point the url at the server itself, or use the proxy's own statistics")
        });
    }
    (left > 0).then(|| {
        Finding::fail(&format!("{left} of {SIZE} closed sessions still there"))
            .remedy("look for a proxy that keeps sessions of clients that have left")
    })
}

fn stale(pooled: &Pooled) -> Option<Finding> {
    let Pooled { server: (_, most), stale, .. } = pooled;
    (*stale > 0 && stale * 100 >= most * STALE).then(|| {
        Finding::warn(&format!("{stale} of {most} connections idle for over 1h"))
            .remedy("let the applications' pools close what idles, or lower wait_timeout")
    })
}

fn evidence(pooled: &Pooled) -> Evidence {
    let Pooled { server, account, trial, stale, .. } = pooled;
    let evidence = match trial {
        Some((accounts, seen)) => {
            let evidence = count(accounted(accounts), "held, server", seen.held);
            count(evidence, "open when closed, server", seen.left)
        }
        None => Evidence::default()
            .asked("how many connections are taken")
            .wanted("room for a pool of 2")
            .reply("not enough of it"),
    };
    let of = |(used, most): &(u64, u64)| format!("{used} of {most}");
    let evidence = evidence.fact("server", of(server).as_str());
    let evidence = match account {
        Some(account) => evidence.fact("account", of(account).as_str()),
        None => evidence,
    };
    count(evidence, "idle for over 1h, of those we see", *stale)
}

#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits than f64 has")]
fn share((used, most): (u64, u64)) -> f64 {
    used as f64 / most.max(1) as f64
}
