//! Descriptors for many connections.

use crate::perf::Untested;
use rustix::process::{Resource, Rlimit, getrlimit, setrlimit};

/// Descriptors that everything else takes.
const OTHERS: u64 = 100;

/// Raises the limit of this process to what `clients` take, as far as this user may.
pub(super) fn make(clients: u32) -> Result<(), Untested> {
    let limit = getrlimit(Resource::Nofile);
    let needed = u64::from(clients) + OTHERS;
    if limit.current.is_none_or(|current| current >= needed) {
        return Ok(());
    }
    let raised = Rlimit { current: Some(needed), maximum: limit.maximum };
    let most = limit.maximum.unwrap_or(u64::MAX);
    if needed <= most && setrlimit(Resource::Nofile, raised).is_ok() {
        return Ok(());
    }
    let why =
        format!("{clients} connections need {needed} descriptors, and this host gives {most}");
    let untested = Untested::host(&why);
    let hint = format!("ask for fewer with --clients, or raise the limit: ulimit -Hn {needed}");
    Err(Untested { hint: Some(hint), ..untested })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perf::Hindrance;

    #[test]
    fn more_than_this_host_gives_is_refused_before_anything_is_opened() {
        assert_eq!(make(1), Ok(()));
        let most = getrlimit(Resource::Nofile).maximum;
        let Some(beyond) = most.and_then(|most| u32::try_from(most).ok()) else { return };
        let refused = make(beyond).unwrap_err();
        assert_eq!(refused.why, Hindrance::Host);
        assert!(refused.hint.unwrap().contains("--clients"));
    }
}
