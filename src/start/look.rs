use super::{Failure, Session, Stop, select, trace::Trace};
use crate::{
    domain::Snapshot,
    engine::{Begin, Engine},
    history::Kind,
    surface::{
        check::{self, Ended},
        sampling::sample,
    },
};
use std::{sync::Arc, time::Duration};

/// Time to read what earlier runs saw.
const RECALL: Duration = Duration::from_secs(2);
/// Time for runs to end when the program does.
const GRACE: Duration = Duration::from_secs(2);

/// What a look is for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum For {
    /// To tell how everything stands.
    Telling,
    /// To compare later looks with it.
    Comparing,
}

/// What came of looking at everything once.
pub(super) enum Looked {
    /// Everything that is known.
    At(Arc<Snapshot>),
    /// That signal came first.
    Interrupted(u8),
}

/// Looks once at what `selection` names, and keeps what it found in the history. To be
/// compared with, it looks often enough that chance can be told from a difference.
pub(super) async fn look(
    session: &mut Session,
    selection: &[String],
    what_for: For,
) -> Result<Looked, Failure> {
    let integrations = select(std::mem::take(&mut session.integrations), selection)?;
    let trace = Trace::begin(session, &integrations, &[]);
    session.tell_warnings();
    let stop = Stop::on_signals()
        .map_err(|error| Failure::unusable("signals cannot be listened for", error.to_string()))?;
    let (engine, handle) = Engine::start(session.plan(integrations, Begin::WhenAsked));
    let history = session.history(Kind::Check, &handle, None);
    if let Some(history) = &history {
        history.recalled(RECALL).await;
    }
    let snapshots = handle.snapshots.clone();
    let mut ended = check::run(handle.clone(), None, &stop.token, |_| {}).await;
    if what_for == For::Comparing && matches!(ended, Ended::Looked(_)) {
        ended = sample(handle, &stop.token).await;
    }
    let last = snapshots.borrow().clone();
    engine.stop(GRACE).await;
    if let Some(history) = history {
        history.stop(GRACE).await;
    }
    trace.end(&last).await;
    Ok(match ended {
        Ended::Looked(snapshot) => Looked::At(snapshot),
        Ended::Interrupted => Looked::Interrupted(stop.signal().unwrap_or_default()),
    })
}
