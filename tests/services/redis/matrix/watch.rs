//! The engine that watches, and when it says what.

use super::*;
use std::collections::BTreeSet;
use tminus::{
    clock,
    engine::{Begin, Command as Order, Engine, Handle, Plan, Selection},
    secret::Redactor,
};
use tokio::time::timeout;

/// An engine at its default cadence, and a server under its eyes.
pub(super) struct Watch {
    engine: Engine,
    handle: Handle,
    began: Moment,
    /// What failed so far, and why.
    blamed: BTreeSet<(String, String)>,
}

impl Watch {
    /// Starts one; nothing has been asked yet.
    pub(super) fn start(settings: Settings) -> Self {
        let (engine, handle) = Engine::start(Plan {
            integrations: vec![Arc::new(watch(settings))],
            notices: Vec::new(),
            began: Duration::ZERO,
            policy: Policy::default(),
            app: None,
            overrides: Vec::new(),
            redactor: Redactor::default(),
            host: "here".into(),
            now: clock::now,
            begin: Begin::Polling,
        });
        Self { engine, handle, began: Moment::now(), blamed: BTreeSet::new() }
    }

    /// Starts one, and waits until it has nothing to complain of.
    pub(super) async fn healthy(settings: Settings) -> Self {
        let mut watch = Self::start(settings);
        let row = Row::new("0", "none", (0, 0));
        watch.until(&row, "health", FIRST, |seen| views(seen).all(is_fine)).await;
        watch
    }

    pub(super) fn seen(&self) -> Arc<Snapshot> {
        Arc::clone(&self.handle.snapshots.borrow())
    }

    /// Waits for a state, asking again and again if the row is one that asks.
    pub(super) async fn until(
        &mut self,
        row: &Row,
        what: &str,
        allowed: Duration,
        met: impl Fn(&Snapshot) -> bool,
    ) -> Duration {
        let since = Moment::now();
        loop {
            let seen = self.seen();
            let failed = views(&seen).filter(|view| newest(view).outcome == Outcome::Fail);
            let said =
                failed.map(|view| (view.spec.name.to_string(), newest(view).summary.clone()));
            self.blamed.extend(said);
            if met(&seen) {
                return since.elapsed();
            }
            let (number, fault) = (row.number, row.fault);
            assert!(
                since.elapsed() < allowed,
                "row {number}, {fault}: no {what} within {allowed:?}\n{}",
                described(&seen)
            );
            let idle = views(&seen).all(|view| view.running.is_none() && !view.queued);
            if row.asked && idle {
                self.ask();
            }
            // A snapshot need not follow: then look again.
            drop(timeout(Duration::from_millis(250), self.handle.snapshots.changed()).await);
        }
    }

    /// What failed so far, and why.
    pub(super) fn blamed(&self) -> &BTreeSet<(String, String)> {
        &self.blamed
    }

    pub(super) fn ask(&self) {
        let _refused_when_many_wait = self.handle.send(Order::Recheck(Selection::All));
    }

    /// What is reported from `injected` on.
    async fn report(&mut self, row: &Row, injected: Moment, before: &Snapshot) -> Report {
        let at = injected - self.began;
        if row.asked {
            self.ask();
        }
        let (factor, spare) = PATIENCE;
        let allowed = row.specified.0 * factor + spare;
        let raw = |seen: &Snapshot, want: &Want| {
            let view = view(seen, want.check);
            view.ended.is_some_and(|ended| ended >= at) && want.is_met(newest(view))
        };
        let first = &row.wants[..1];
        self.until(row, "report", allowed, |seen| first.iter().any(|want| raw(seen, want))).await;
        let named = injected.elapsed();
        let (says, class) = {
            let seen = self.seen();
            let view = view(&seen, first[0].check);
            let class = format!("{:?}", view.spec.class).to_lowercase();
            let fault = newest(view).fault.as_deref().unwrap_or("–");
            (newest(view).summary.clone(), format!("{fault}, {class}"))
        };
        self.until(row, "report of all", allowed, |seen| {
            row.wants.iter().all(|want| raw(seen, want))
        })
        .await;
        let all = injected.elapsed();
        let untouched = |seen: &Snapshot| {
            views(seen).filter(|view| row.leaves_alone(view)).all(|view| {
                view.ended.is_some_and(|ended| ended >= at + view.took)
                    && newest(view).outcome.severity()
                        <= standing(before, &view.spec.name).outcome.severity()
            })
        };
        let confirms = Row { asked: true, ..row.clone() };
        self.until(&confirms, "confirmation", allowed, |seen| {
            let confirmed = |want: &Want| want.is_met(standing(seen, want.check));
            row.wants.iter().all(confirmed) && untouched(seen)
        })
        .await;
        let seen = self.seen();
        self.no_false_failure(row, before, &seen);
        Report {
            says,
            class,
            outcomes: outcomes(&seen),
            verdict: seen.verdict.word.as_str(),
            named,
            all,
            confirmed: injected.elapsed(),
        }
    }

    /// No run of what the row does not call failed, or blocked, has failed.
    fn no_false_failure(&self, row: &Row, before: &Snapshot, seen: &Snapshot) {
        for now in views(seen) {
            let may_fail = row.wants.iter().any(|want| {
                now.spec.name == want.check && matches!(want.outcome, "fail" | "blocked")
            });
            let may_fail = may_fail || row.may_suffer.contains(&&*now.spec.name);
            let then = view(before, &now.spec.name).tally.fail;
            assert!(
                may_fail || now.tally.fail == then,
                "row {}: {} failed {} times: {:?}\n{}",
                row.number,
                now.spec.name,
                now.tally.fail - then,
                self.blamed,
                described(seen)
            );
        }
    }

    /// Injects a fault, sees it reported as the row says, removes it, sees it gone.
    pub(super) async fn goes_through(
        &mut self,
        row: Row,
        inject: impl AsyncFnOnce(),
        remove: impl AsyncFnOnce(),
    ) {
        let before = self.seen();
        inject().await;
        let report = self.report(&row, Moment::now(), &before).await;
        remove().await;
        let removed = Moment::now();
        let at = removed - self.began;
        if row.asked {
            self.ask();
        }
        let (factor, spare) = PATIENCE;
        let allowed = row.specified.1 * factor + spare;
        let touched = |seen: &Snapshot, is_well: fn(&CheckView) -> bool| {
            views(seen).filter(|view| row.touches(view)).all(|view| {
                is_well(view) && view.ended.is_some_and(|ended| ended >= at + view.took)
            })
        };
        self.until(&row, "recovery", allowed, |seen| {
            touched(seen, |view| newest(view).outcome.severity() <= Severity::Soft)
        })
        .await;
        let cleared = removed.elapsed();
        let confirms = Row { asked: true, ..row.clone() };
        self.until(&confirms, "confirmed recovery", allowed, |seen| touched(seen, is_fine)).await;
        row.print(&report, Some((cleared, removed.elapsed())));
    }

    /// Injects a fault that is not taken back, and sees it reported as the row says.
    pub(super) async fn shows(&mut self, row: Row, inject: impl AsyncFnOnce()) {
        let before = self.seen();
        inject().await;
        let report = self.report(&row, Moment::now(), &before).await;
        row.print(&report, None);
    }

    /// Sees reported what is wrong from the start on.
    pub(super) async fn begins(&mut self, row: Row) {
        let before = self.seen();
        let began = self.began;
        let report = self.report(&row, began, &before).await;
        row.print(&report, None);
    }

    /// Injects what touches nothing: whatever runs from then on is as well as before.
    pub(super) async fn stays(&mut self, row: Row, inject: impl AsyncFnOnce()) {
        let before = self.seen();
        self.ask();
        inject().await;
        let injected = Moment::now();
        let at = injected - self.began;
        let asks = Row { asked: true, ..row.clone() };
        let twice = |seen: &Snapshot| {
            let again = |view: &CheckView| view.runs >= runs(&before, &view.spec.name) + 2;
            views(seen).all(|view| again(view) && is_fine(view) && view.ended >= Some(at))
        };
        let allowed = FIRST;
        self.until(&asks, "second run", allowed, twice).await;
        let seen = self.seen();
        self.no_false_failure(&row, &before, &seen);
        let report = Report {
            says: "nothing".into(),
            class: "–".into(),
            outcomes: outcomes(&seen),
            verdict: seen.verdict.word.as_str(),
            named: Duration::ZERO,
            all: Duration::ZERO,
            confirmed: injected.elapsed(),
        };
        row.print(&report, None);
    }

    /// Ends it; nothing of ours may be left, not in a minute and not on the server.
    pub(super) async fn end(self, server: &Server) {
        assert!(self.engine.stop(Duration::from_secs(5)).await, "it does not stop");
        nothing_left(&mut server.connection()).await;
    }
}

/// Waits until no key and no connection of ours is left, for as long as a key may live.
pub(super) async fn nothing_left(connection: &mut Connection) {
    let deadline = Moment::now() + LIFE + Duration::from_secs(5);
    loop {
        let clients: String = redis::cmd("CLIENT").arg("LIST").query(connection).unwrap();
        let keys = keys_over(connection);
        let immortal = keys.iter().find(|(_, left)| !(0..=60_000).contains(left));
        assert_eq!(immortal, None, "it may live for a minute");
        if keys.is_empty() && !clients.contains("name=tminus:") {
            return;
        }
        assert!(Moment::now() < deadline, "left behind: {keys:?}, {clients}");
        tokio::time::sleep(Duration::from_millis(100)).await;
    }
}
