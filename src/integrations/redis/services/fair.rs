use super::{super::client::STARVED, Held, Pace, Ran, Upset};
use crate::probe::with_lag;
use std::time::Duration;

const TOO_BUSY: Upset = Upset::Missed("this host was too busy to tell");

/// The cases of a run during which this host stood still for `lag`: what a lease or a
/// session outlasts then, and what it does not, says nothing about the server.
pub(crate) fn excused(mut ran: Vec<Ran>, lag: Duration) -> Vec<Ran> {
    if lag > STARVED {
        let broken = |ran: &&mut Ran| matches!(ran.ended, Err(Upset::Broken(_)));
        ran.iter_mut().filter(broken).for_each(|ran| ran.ended = Err(TOO_BUSY));
    }
    ran
}

/// Runs a case that waits for timers of ours: what it saw while this host was
/// late by more than the slack says nothing about the server.
pub(crate) async fn fairly(
    pace: Pace,
    case: impl Future<Output = Result<Held, Upset>>,
) -> Result<Held, Upset> {
    let (ended, lag) = with_lag(case).await;
    let blames = match &ended {
        Ok(held) => held.slow.is_some() || held.hazard.is_some(),
        Err(upset) => matches!(upset, Upset::Broken(_)),
    };
    if blames && lag > pace.slack() { Err(TOO_BUSY) } else { ended }
}

#[cfg(test)]
mod tests {
    use super::{super::Broken, *};
    use tokio::time::advance;

    fn broken() -> Upset {
        let x = || String::from("x");
        Upset::Broken(Broken { says: x(), asked: "x", wanted: x(), got: x(), remedy: None })
    }

    #[test]
    fn a_host_that_stood_still_breaks_no_promise_of_another() {
        let of = |ended| Ran { id: "C1", guarantee: "", remedy: "", ended, steps: Vec::new() };
        let all = || vec![of(Err(broken())), of(Ok(Held::saw("x")))];
        assert_eq!(excused(all(), STARVED), all());
        let missed = excused(all(), STARVED + Duration::from_millis(1));
        assert_eq!((&missed[0].ended, &missed[1]), (&Err(TOO_BUSY), &all()[1]));
    }

    async fn after_a_stall_of(ms: u64, ended: Result<Held, Upset>) -> Result<Held, Upset> {
        let case = async {
            advance(Duration::from_millis(ms)).await;
            tokio::task::yield_now().await;
            ended
        };
        fairly(Pace::of(&[]), case).await
    }

    #[tokio::test(start_paused = true)]
    async fn a_busy_host_blames_nobody() {
        let slow = Ok(Held::saw("x").but_slow(Some("x".into())));
        let hazard = Ok(Held::saw("x").but_for(Some("x".into())));
        let fine = Ok(Held::saw("x"));
        for ended in [Err(broken()), slow, hazard] {
            // A beat comes every 10 ms, so 50 ms late is 60 ms after the start.
            assert_eq!(after_a_stall_of(60, ended.clone()).await, ended);
            let missed = after_a_stall_of(61, ended).await;
            assert!(matches!(missed, Err(Upset::Missed(_))), "{missed:?}");
        }
        assert_eq!(after_a_stall_of(500, fine.clone()).await, fine);
    }
}
