use super::{Failure, Session, Stop, print, tell, trace};
use crate::{
    cli::{Clean, Global, ListFormat},
    domain::{Sweep, Word},
    probe::{Integration, Whose, this_run},
    runs::{Known, Run, Runs},
    surface::{
        gate,
        report::{Cleaning, Killed, Receipt, cleaning, cleaning_json},
    },
    units,
};
use futures_util::future::join_all;
use std::sync::Arc;

/// `tminus clean`: removes what killed runs left, and prints a receipt.
pub(super) async fn run(global: &Global, asked: &Clean) -> Result<u8, Failure> {
    let session = Session::open(global)?;
    session.tell_warnings();
    let stop = Stop::on_signals()
        .map_err(|error| Failure::unusable("signals cannot be listened for", error.to_string()))?;
    let runs = trace::runs();
    let known = known(runs.as_ref())?;
    if let Some(Err(error)) = runs.as_ref().map(Runs::tidy) {
        tracing::warn!(%error, "the draft of an entry cannot be removed");
    }
    let whose = Whose {
        dead: known.dead.iter().map(|run| run.id.clone()).collect(),
        living: known.living.iter().map(|run| run.id.clone()).chain([this_run().clone()]).collect(),
    };
    let sweeps = join_all(session.integrations.iter().map(|it| swept(it, &whose)));
    let receipts = tokio::select! {
        receipts = sweeps => receipts,
        () = stop.token.cancelled() => {
            tell("tminus: interrupted; what is left expires by itself");
            return Ok(gate::interrupted(stop.signal().unwrap_or_default()));
        }
    };
    let killed = known.dead.iter().map(|run| settled(run, &receipts, runs.as_ref())).collect();
    let done = Cleaning { killed, receipts };
    let mut text = match asked.format {
        ListFormat::Human => cleaning(&done),
        ListFormat::Json => cleaning_json(&done),
    };
    session.redactor.scrub(&mut text);
    print(&text)?;
    Ok(gate::exit_code(word(&done)))
}

fn known(runs: Option<&Runs>) -> Result<Known, Failure> {
    let known = runs.map_or(Ok(Known::default()), Runs::known);
    known.map_err(|error| {
        Failure::unusable("the entries of earlier runs cannot be read", error.to_string())
    })
}

async fn swept(integration: &Arc<dyn Integration>, whose: &Whose) -> Receipt {
    Receipt {
        id: integration.id().clone(),
        target: integration.target(),
        sweep: integration.sweep(whose).await,
    }
}

/// What became of a killed run; its entry goes once nothing of it can be left.
fn settled(run: &Run, receipts: &[Receipt], runs: Option<&Runs>) -> Killed {
    let of = |address: &str| receipts.iter().find(|receipt| receipt.target.name == address);
    let found = run.targets.iter().map(|place| (place, of(&place.address)));
    let cleaned = found.clone().filter_map(|(_, receipt)| receipt).all(|it| it.sweep.is_clean());
    if cleaned && let Some(Err(error)) = runs.map(|runs| runs.forget(&run.id)) {
        tracing::warn!(%error, "the entry of a killed run cannot be removed");
    }
    let elsewhere = found.filter(|(_, receipt)| receipt.is_none());
    Killed {
        run: run.id.to_string(),
        process: run.process,
        began: units::rfc3339(run.began),
        cleaned,
        elsewhere: elsewhere.map(|(place, _)| place.address.clone()).collect(),
    }
}

/// Nothing is left: GO. Something is: NO-GO. Where nobody could look: HOLD. A target
/// that may not be written to is only missed where a killed run wrote to it.
fn word(done: &Cleaning) -> Word {
    let missed = |receipt: &Receipt| match &receipt.sweep {
        Sweep::NotAllowed { .. } | Sweep::NotNeeded => false,
        sweep @ (Sweep::Done(_) | Sweep::Failed { .. }) => !sweep.is_clean(),
    };
    if done.receipts.iter().any(|receipt| receipt.sweep.is_dirty()) {
        Word::NoGo
    } else if done.receipts.iter().any(missed) || done.killed.iter().any(|it| !it.cleaned) {
        Word::Hold
    } else {
        Word::Go
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{IntegrationId, Provenance, Swept, Target};

    #[test]
    fn the_exit_code_says_whether_anything_is_left() {
        let word = |sweep: Sweep, cleaned| {
            let id = IntegrationId::new("redis").unwrap();
            let target = Target { name: "here".into(), provenance: Provenance::Configured };
            let killed = Killed {
                run: "0123456789ab".into(),
                process: 1,
                began: String::new(),
                cleaned,
                elsewhere: vec![],
            };
            word(&Cleaning { killed: vec![killed], receipts: vec![Receipt { id, target, sweep }] })
        };
        let swept = Swept { whole: true, ..Swept::default() };
        let not_allowed = || Sweep::NotAllowed { remedy: String::new() };
        let failed = Sweep::Failed { why: String::new(), remedy: String::new() };
        let cases = [
            (Sweep::Done(swept), true, Word::Go),
            (Sweep::NotNeeded, true, Word::Go),
            (not_allowed(), true, Word::Go),
            (not_allowed(), false, Word::Hold),
            (failed, true, Word::Hold),
            (Sweep::Done(Swept { whole: false, ..swept }), true, Word::Hold),
            (Sweep::Done(Swept { left: 1, whole: false, ..swept }), false, Word::NoGo),
        ];
        for (sweep, cleaned, expected) in cases {
            assert_eq!(word(sweep.clone(), cleaned), expected, "{sweep:?}");
        }
    }
}
