//! The supervisors, one per integration, and what happens when one dies.

use super::{
    Command, Selection,
    orders::Orders,
    supervisor::{Supervisor, Surroundings},
};
use crate::{
    domain::{CheckSpec, IntegrationId},
    probe::{Backoff, Ending, Integration},
};
use std::{collections::HashMap, sync::Arc, time::Duration};
use tokio::{
    sync::watch,
    task::{Id, JoinError, JoinSet},
    time::sleep,
};

/// Delays before a dead supervisor is started again.
const FIRST_DELAY: Duration = Duration::from_millis(200);
const LONGEST_DELAY: Duration = Duration::from_secs(30);

/// The supervisors.
pub(super) struct Pool {
    members: Vec<Member>,
    tasks: JoinSet<()>,
    places: HashMap<Id, usize>,
    around: Surroundings,
}

struct Member {
    integration: Arc<dyn Integration>,
    id: IntegrationId,
    specs: Vec<CheckSpec>,
    orders: watch::Sender<Orders>,
    delays: Option<Backoff>,
}

impl Pool {
    pub(super) fn start(integrations: Vec<Arc<dyn Integration>>, around: Surroundings) -> Self {
        let member = |integration: Arc<dyn Integration>| {
            let specs = integration.checks();
            Member {
                id: integration.id().clone(),
                orders: watch::Sender::new(Orders::none(&specs)),
                specs,
                delays: Backoff::new(FIRST_DELAY, LONGEST_DELAY).ok(),
                integration,
            }
        };
        let members: Vec<Member> = integrations.into_iter().map(member).collect();
        let mut pool = Self { members, tasks: JoinSet::new(), places: HashMap::new(), around };
        for place in 0..pool.members.len() {
            pool.spawn(place, Duration::ZERO);
        }
        pool
    }

    /// Leaves each supervisor its part of `command`. Never waits, never loses one.
    pub(super) fn pass_on(&self, command: &Command) {
        for member in &self.members {
            match command {
                Command::Recheck(selection) => {
                    member.concerned(selection, Orders::recheck);
                }
                Command::Sample(selection) => member.concerned(selection, Orders::sample),
                Command::Cancel(selection) => member.concerned(selection, Orders::cancel),
                Command::Pause => member.orders.send_modify(|orders| orders.pause(true)),
                Command::Resume => member.orders.send_modify(|orders| orders.pause(false)),
                // These are about what is published.
                Command::Accept(_)
                | Command::Serves(_)
                | Command::Baseline(_)
                | Command::Recall(_)
                | Command::Tell(_)
                | Command::Untell(_) => {}
            }
        }
    }

    /// Waits until a supervisor has died, starts it again after a while, and says which and why.
    ///
    /// `None` when all have ended because the engine stops.
    pub(super) async fn died(&mut self) -> Option<(usize, String)> {
        loop {
            let (place, why) = match self.tasks.join_next_with_id().await? {
                Ok((id, ())) => (self.places.remove(&id), None),
                Err(error) => (self.places.remove(&error.id()), Some(reason(error))),
            };
            let (Some(place), Some(why)) = (place, why) else { continue };
            let delays = self.members[place].delays.as_mut();
            let delay = delays.and_then(Iterator::next).unwrap_or(LONGEST_DELAY);
            self.spawn(place, delay);
            return Some((place, why));
        }
    }

    fn spawn(&mut self, place: usize, delay: Duration) {
        let member = &self.members[place];
        let (integration, around) = (Arc::clone(&member.integration), self.around.clone());
        let orders = member.orders.subscribe();
        // One that died has obeyed what was asked until then, or died of it.
        let seen = orders.borrow().seq();
        let task = self.tasks.spawn(async move {
            tokio::select! {
                () = around.cancel.cancelled() => return,
                () = sleep(delay) => {}
            }
            Supervisor::new(place, integration, around, seen).run(orders).await;
        });
        self.places.insert(task.id(), place);
    }
}

impl Member {
    /// Applies `order` to the checks that `selection` names, if any are this integration's.
    fn concerned(&self, selection: &Selection, order: fn(&mut Orders, Option<usize>)) {
        let check = match selection {
            Selection::All => None,
            Selection::Integration(id) if *id == self.id => None,
            Selection::Check(id) if id.integration() == self.id => {
                let found = self.specs.iter().position(|spec| spec.name == id.name());
                let Some(check) = found else { return };
                Some(check)
            }
            Selection::Integration(_) | Selection::Check(_) => return,
        };
        self.orders.send_modify(|orders| order(orders, check));
    }
}

fn reason(error: JoinError) -> String {
    match Ending::of_panic(error) {
        Ending::Panicked(text) => text,
        Ending::Finding(_) | Ending::TimedOut { .. } | Ending::Cancelled => "it was stopped".into(),
    }
}
