//! What happens, into the log: one line for each event of the journal.

use crate::{
    domain::{Event, Journal, Snapshot},
    engine::Handle,
};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Logs every event until cancelled, or until the engine has stopped.
pub async fn run(mut handle: Handle, cancel: CancellationToken) {
    let mut last = None;
    loop {
        let snapshot: Arc<Snapshot> = Arc::clone(&handle.snapshots.borrow_and_update());
        for event in after(last.as_ref(), &snapshot.journal) {
            if let Some(check) = &event.check {
                tracing::info!(%check, "{}", event.text);
            } else {
                tracing::info!("{}", event.text);
            }
        }
        last = snapshot.journal.iter().next_back().cloned().or(last);
        tokio::select! {
            () = cancel.cancelled() => break,
            changed = handle.snapshots.changed() => if changed.is_err() { break },
        }
    }
}

/// The events that came after `last`; all that are left where it is forgotten.
fn after<'a>(last: Option<&Event>, journal: &'a Journal) -> impl Iterator<Item = &'a Event> {
    let known = journal.iter().rposition(|event| Some(event) == last);
    journal.iter().skip(known.map_or(0, |known| known + 1))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Timestamp;
    use std::time::Duration;

    fn event(second: u64, text: &str) -> Event {
        let at = Duration::from_secs(second);
        Event { at, wall: Timestamp(0), check: None, mark: None, text: text.into() }
    }

    #[test]
    fn each_event_is_told_once() {
        let mut journal = Journal::default();
        assert_eq!(after(None, &journal).count(), 0);
        for (second, text) in [(1, "a"), (2, "b"), (2, "c")] {
            journal.push(event(second, text));
        }
        let told = |last: Option<&Event>| -> Vec<String> {
            after(last, &journal).map(|event| event.text.clone()).collect()
        };
        assert_eq!(told(None), ["a", "b", "c"]);
        assert_eq!(told(Some(&event(2, "b"))), ["c"]);
        assert_eq!(told(Some(&event(2, "c"))), [""; 0]);
        assert_eq!(told(Some(&event(0, "forgotten"))), ["a", "b", "c"]);
    }
}
