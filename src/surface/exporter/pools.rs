//! The console's own pools of connections.

use super::metrics::{Row, views};
use crate::domain::{CheckView, PoolFigures, PoolTrouble, Snapshot};
use std::borrow::Cow;

/// The pools that checks have used, as the newest run left them, confirmed or not.
pub(super) fn all(snapshot: &Snapshot) -> impl Iterator<Item = (Cow<'_, str>, &PoolFigures)> {
    views(snapshot).filter_map(|view| {
        let pool = view.checks.iter().find_map(newest)?;
        Some((view.id.as_str().into(), pool))
    })
}

fn newest(check: &CheckView) -> Option<&PoolFigures> {
    let pending = check.pending.as_ref().and_then(|pending| pending.finding.pool.as_ref());
    pending.or(check.finding.pool.as_ref())
}

/// How many connections there are, by what becomes of them.
pub(super) fn connections<'a>((id, pool): (Cow<'a, str>, &PoolFigures)) -> Vec<Row<'a>> {
    let row = |(state, n): (&'static str, u32)| (vec![id.clone(), state.into()], f64::from(n));
    [("idle", pool.idle), ("used", pool.used)].map(row).into()
}

/// How often nobody got one, by why.
#[expect(clippy::cast_precision_loss, reason = "exact up to 2^53 attempts")]
pub(super) fn refusals<'a>((id, pool): (Cow<'a, str>, &PoolFigures)) -> Vec<Row<'a>> {
    let row =
        |why: PoolTrouble| (vec![id.clone(), why.word().into()], pool.refused_for(why) as f64);
    PoolTrouble::ALL.map(row).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{
        domain::{Finding, Pending},
        surface::sample,
    };
    use std::sync::Arc;

    #[test]
    fn a_result_that_waits_for_confirmation_counts_already() {
        let mut snapshot = sample::seed();
        assert_eq!(all(&snapshot).count(), 0, "a check that used no pool has none to show");
        let with = |used| {
            let pool = PoolFigures { used, ..PoolFigures::default() };
            Arc::new(Finding::pass("accounted for").pool(pool))
        };
        let mut view = (*snapshot.integrations[1]).clone();
        view.checks[0].finding = with(1);
        snapshot.integrations[1] = Arc::new(view.clone());
        assert_eq!(all(&snapshot).map(|(_, pool)| pool.used).collect::<Vec<_>>(), [1]);
        view.checks[0].pending = Some(Pending { finding: with(2), seen: 1, of: 2 });
        snapshot.integrations[1] = Arc::new(view);
        let shown: Vec<_> = all(&snapshot).collect();
        assert_eq!((shown[0].1.used, &*shown[0].0), (2, "database"));
    }
}
