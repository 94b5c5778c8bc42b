use super::{
    MySql, STATEMENT, first,
    measured::{Counters, Counting, Errors, Window},
    queries,
};
use crate::integrations::database::{
    fault::{Fault, Kind},
    tally::Tally,
};
use std::{collections::VecDeque, time::Duration};
use tokio::time::Instant;

/// How far back the counters are compared.
const WINDOW: Duration = Duration::from_mins(5);
/// Looks kept of that time.
const LOOKS: usize = 32;
/// What is kept from one look at the errors to the next.
#[derive(Default)]
pub(super) struct Looks {
    /// Statements of our own that failed on purpose.
    own: u64,
    past: VecDeque<Look>,
}

/// What the server had counted at one moment.
#[derive(Clone, Copy, Debug, PartialEq)]
struct Look {
    at: Instant,
    ended: u64,
    failed: u64,
    own: u64,
}

impl MySql {
    /// Makes an error on the second session and sees who counts it. It costs
    /// nothing: the server does not log it.
    pub(super) async fn mistake(&self) -> Result<Errors, Fault> {
        let setup = self.setup().await?;
        let (mut memory, mut session) = self.second().await?;
        let before = self.counted(&setup, queries::MISTAKE_DIGEST).await?;
        let mut tally = Tally::new(self.slow);
        let mut code = String::new();
        for sql in [queries::PING, queries::MISTAKE] {
            match session.timed(sql, Instant::now() + STATEMENT).await {
                Ok((rows, took)) => tally.note(sql, rows.len(), took),
                Err(fault) if fault.kind == Kind::Statement => {
                    tally.failed(&fault.code);
                    code = fault.code;
                }
                Err(fault) => return Err(fault),
            }
        }
        memory.looks.own += u64::from(!code.is_empty());
        let more = |now: &Counters| before.is_none_or(|before| now.errors > before.errors);
        let after = self.settled(&setup, queries::MISTAKE_DIGEST, more).await?;
        let counted =
            before.zip(after).map(|(before, after)| after.errors.saturating_sub(before.errors));
        let window = match setup.counting {
            Counting::Off => Window::default(),
            Counting::NoDigests | Counting::NoInstruments | Counting::On => {
                self.window(&mut memory.looks).await?
            }
        };
        self.part(session).await;
        Ok(Errors { code, tally, counted, window, setup })
    }

    async fn window(&self, looks: &mut Looks) -> Result<Window, Fault> {
        let answer = self.statistics(queries::ALL).await?;
        let line = first(&answer.rows, queries::ALL)?;
        let (ended, failed) = (line.number("calls")?, line.number("errors")?);
        Ok(looks.look(Look { at: Instant::now(), ended, failed, own: looks.own }))
    }
}

impl Looks {
    /// How the counters moved within the window, up to `now`.
    fn look(&mut self, now: Look) -> Window {
        self.past.retain(|then| {
            now.at.saturating_duration_since(then.at) <= WINDOW && then.ended <= now.ended
        });
        if self.past.len() == LOOKS {
            self.past.pop_front();
        }
        let window = self.past.front().map_or_else(Window::default, |then| Window {
            span: now.at.saturating_duration_since(then.at),
            ended: now.ended - then.ended,
            failed: now.failed.saturating_sub(then.failed).saturating_sub(now.own - then.own),
        });
        self.past.push_back(now);
        window
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(start_paused = true)]
    async fn the_window_leaves_our_own_errors_out_and_starts_anew_after_a_restart() {
        let start = Instant::now();
        let look = |seconds, ended, failed, own| Look {
            at: start + Duration::from_secs(seconds),
            ended,
            failed,
            own,
        };
        let mut looks = Looks::default();
        assert_eq!(looks.look(look(0, 100, 7, 1)), Window::default());
        let window = looks.look(look(30, 150, 12, 3));
        assert_eq!((window.ended, window.failed), (50, 3));
        assert_eq!(window.span, Duration::from_secs(30));
        let later = looks.look(look(310, 160, 12, 3));
        assert_eq!(later.span, Duration::from_secs(280), "what is over 5 min old is forgotten");
        assert_eq!(looks.look(look(320, 5, 0, 4)), Window::default(), "a restart counts from zero");
    }
}
