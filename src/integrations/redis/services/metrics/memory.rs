use super::{super::Answer, Metrics, Numbers, exposition::render, record::Record};
use std::{
    sync::{Mutex, MutexGuard, PoisonError},
    time::Duration,
};
use tokio::time::Instant;

/// The stand-in: an instance that is this process, with its own counters.
#[derive(Debug)]
pub(crate) struct InProcess {
    run: String,
    began: Instant,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    commands: u64,
    record: Record,
}

impl Default for InProcess {
    fn default() -> Self {
        let run = format!("{:016x}", fastrand::u64(..));
        Self { run, began: Instant::now(), state: Mutex::default() }
    }
}

impl InProcess {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// One more command, and what is to be told after it.
    fn told(&self, state: &mut State) -> Numbers {
        state.commands += 1;
        Numbers {
            run: Some(self.run.clone()),
            version: Some(concat!("stand-in ", env!("CARGO_PKG_VERSION")).into()),
            told: vec![
                ("uptime_in_seconds", self.began.elapsed().as_secs()),
                ("connected_clients", 1),
                ("total_commands_processed", state.commands),
                ("rejected_connections", 0),
            ],
        }
    }
}

impl Metrics for InProcess {
    fn operate(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let mut state = self.state();
            state.commands += 1;
            state.record.note(true, Duration::ZERO);
            Ok(())
        })
    }

    fn numbers(&self) -> Answer<'_, Numbers> {
        Box::pin(async move { Ok(self.told(&mut self.state())) })
    }

    fn export<'a>(&'a self, instance: &'a str) -> Answer<'a, String> {
        Box::pin(async move {
            let mut state = self.state();
            let mut families = self.told(&mut state).families(instance);
            families.extend(state.record.families());
            Ok(render(&families))
        })
    }

    fn elsewhere(&self) -> Answer<'_, Option<Result<String, String>>> {
        Box::pin(async { Ok(None) })
    }
}
