//! What happens, into the log: one line for each event of the journal.

use crate::{domain::Snapshot, engine::Handle};
use std::sync::Arc;
use tokio_util::sync::CancellationToken;

/// Logs every event until cancelled, or until the engine has stopped.
pub async fn run(mut handle: Handle, cancel: CancellationToken) {
    let mut last = None;
    loop {
        let snapshot: Arc<Snapshot> = Arc::clone(&handle.snapshots.borrow_and_update());
        for event in snapshot.journal.after(last.as_ref(), snapshot.began) {
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
