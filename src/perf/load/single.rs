//! One client that asks when it is told to, and not by a plan.

use super::{LoadTest, Ready, address::Address, client::Caller, client::Way};
use crate::{integrations::performance::Settings, perf::Broken};
use std::{sync::Arc, time::Duration};
use tokio::time::{Instant, timeout};

/// One client, connected when it first asks.
pub(in crate::perf) struct Single {
    caller: Caller,
    way: Arc<Way>,
    patience: Duration,
}

impl LoadTest {
    /// The port of this machine that is asked; none where it is another machine.
    pub(in crate::perf) fn local_port(&self) -> Option<u16> {
        self.address.as_ref().ok().filter(|address| address.is_local()).map(|address| address.port)
    }

    /// Whether it is the server that `settings` name.
    pub(in crate::perf) fn is_of(&self, settings: &Settings) -> bool {
        let configured = settings.url.as_ref().and_then(|url| Address::parse(url.expose()).ok());
        self.address
            .as_ref()
            .ok()
            .zip(configured)
            .is_some_and(|(one, other)| one.same_server(&other))
    }
}

impl Ready {
    /// A client on this way that waits so long for an answer.
    pub(in crate::perf) fn single(&self, patience: Duration) -> Single {
        let way = Arc::clone(&self.0);
        Single { caller: Caller::new(Arc::clone(&way)), way, patience }
    }
}

impl Single {
    /// Asks once; says how long a good answer took, or why there was none.
    pub(in crate::perf) async fn ask(&mut self) -> Result<Duration, Broken> {
        let began = Instant::now();
        let asked = timeout(self.patience, self.caller.once()).await;
        let late = |_| Broken::new("no answer", "the server did not answer in time");
        let answered = asked.map_err(late).flatten();
        if answered.is_err() {
            // Whatever the connection still holds belongs to nobody.
            self.caller = Caller::new(Arc::clone(&self.way));
        }
        match answered? {
            None => Ok(began.elapsed()),
            Some(class) => Err(Broken::new(&class, "the answer is none of the good ones")),
        }
    }

    /// Why the server must be left alone, if it said so.
    pub(in crate::perf) fn slowed(&self) -> Option<String> {
        self.way.seen.slowed()
    }
}
