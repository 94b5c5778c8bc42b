//! What has moved since a baseline: latencies and memory, told from noise.

use super::{Baseline, CheckId, CheckView, Quantity, Series, Snapshot, Timestamp};
use crate::stats::{Comparison, Sway, blocks, holm};
use serde::{Deserialize, Serialize};
use std::{
    cmp::{self, Ordering},
    collections::HashMap,
    time::Duration,
};

/// Blocks that what was measured is divided into. Fewer are compared as they are.
pub const BLOCKS: usize = 10;

/// What is compared over time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Gauge {
    /// How long the target took, in seconds.
    Latency,
    /// What a process holds, in bytes.
    Memory,
}

impl Gauge {
    /// Each of them.
    pub const ALL: [Self; 2] = [Self::Latency, Self::Memory];

    /// As it is written everywhere.
    pub fn word(self) -> &'static str {
        match self {
            Self::Latency => "latency",
            Self::Memory => "memory",
        }
    }

    /// The number with its unit.
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "saturates at both ends"
    )]
    pub fn quantity(self, value: f64) -> Quantity {
        match self {
            Self::Latency => Quantity::Time(Duration::try_from_secs_f64(value).unwrap_or_default()),
            Self::Memory => Quantity::Bytes(value.round() as u64),
        }
    }

    /// What a check has measured of it.
    fn of(self, check: &CheckView) -> Option<&Series> {
        let bytes = || matches!(check.finding.measure, Some(Quantity::Bytes(_)));
        match self {
            Self::Latency => Some(&check.latency),
            Self::Memory => bytes().then_some(&check.measures),
        }
    }
}

/// What was measured at one check, in blocks that follow each other.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Measured {
    /// Seconds.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub latency: Vec<f64>,
    /// Bytes.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub memory: Vec<f64>,
}

impl Measured {
    /// What `check` has measured since `from`.
    pub fn of(check: &CheckView, from: Duration) -> Self {
        let blocks = |gauge: Gauge| gauge.of(check).map_or(Vec::new(), |it| cut(it, from));
        Self { latency: blocks(Gauge::Latency), memory: blocks(Gauge::Memory) }
    }

    fn get(&self, gauge: Gauge) -> &[f64] {
        match gauge {
            Gauge::Latency => &self.latency,
            Gauge::Memory => &self.memory,
        }
    }
}

fn cut(series: &Series, from: Duration) -> Vec<f64> {
    let values: Vec<f64> = series.iter().filter(|it| it.at >= from).map(|it| it.value).collect();
    blocks(&values, BLOCKS)
}

/// Something that has moved by more than noise.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct Shift {
    /// Where it was measured.
    pub check: CheckId,
    /// What.
    pub gauge: Gauge,
    /// Whether it is more than before: slower, or larger.
    pub worse: bool,
    /// The median before, in the unit of the gauge.
    pub before: f64,
    /// The median now.
    pub after: f64,
    /// How far it has moved, in the same unit.
    pub by: f64,
    /// The least and the most that it has moved, 99 times in 100.
    pub bounds: [f64; 2],
    /// The chance that it has not, among everything that was compared.
    pub p: f64,
    /// The share of `before` that it had to exceed.
    pub floor: f64,
}

impl Shift {
    /// How far it has moved, as a share of what was before.
    pub fn ratio(&self) -> f64 {
        self.by / self.before
    }
}

/// What has moved from one look to another, and how much was compared for that.
#[derive(Clone, Debug, Default, PartialEq, Serialize, Deserialize)]
pub struct Shifts {
    /// What moved by more than noise: what is worse first, the largest first.
    pub told: Vec<Shift>,
    /// How many moved by no more than noise.
    pub steady: usize,
    /// How many were measured too few times to say.
    pub few: usize,
    /// The host that the earlier look was taken on, where that is another: nothing that
    /// was measured on two hosts is compared.
    pub elsewhere: Option<String>,
}

/// Comparisons that need not be made again, as nothing was measured since.
#[derive(Clone, Debug, Default)]
pub struct Compared(HashMap<(CheckId, Gauge), (Extent, Option<Comparison>)>);

/// Which part of a series was compared.
type Extent = (usize, Option<Duration>);

impl Compared {
    /// What was measured before, compared with what `check` has measured since.
    fn of(
        &mut self,
        check: &CheckView,
        gauge: Gauge,
        before: &[f64],
        from: Duration,
    ) -> Option<Found> {
        let series = gauge.of(check).filter(|_| !before.is_empty())?;
        let since = series.iter().rev().take_while(|it| it.at >= from).count();
        let extent = (since, series.last().map(|it| it.at));
        let known = self.0.entry((check.id.clone(), gauge)).or_insert((extent, None));
        if known.0 != extent || known.1.is_none() {
            *known = (extent, Comparison::of(before, &cut(series, from)));
        }
        Some((check.id.clone(), gauge, known.1))
    }
}

/// What was compared, and what that gave if there was enough of it.
type Found = (CheckId, Gauge, Option<Comparison>);

impl Shifts {
    /// What has moved since `baseline` was taken, by what was measured since.
    pub fn since(baseline: &Baseline, snapshot: &Snapshot, known: &mut Compared) -> Self {
        if baseline.host != snapshot.host {
            return Self { elsewhere: Some(baseline.host.clone()), ..Self::default() };
        }
        let from = from(baseline.at, snapshot);
        let mut all = Vec::new();
        for was in &baseline.checks {
            let Some(check) = snapshot.check(&was.check) else { continue };
            if was.fallback != check.finding.fallback {
                continue; // a stand-in is not what it stands in for
            }
            let compared = |gauge| known.of(check, gauge, was.measured.get(gauge), from);
            all.extend(Gauge::ALL.into_iter().filter_map(compared));
        }
        Self::judged(all)
    }

    /// What has moved from one baseline to another.
    pub fn between(before: &Baseline, after: &Baseline) -> Self {
        if before.host != after.host {
            return Self { elsewhere: Some(before.host.clone()), ..Self::default() };
        }
        let both = before.checks.iter().filter_map(|was| {
            let now = after.checks.iter().find(|now| now.check == was.check)?;
            (was.fallback == now.fallback).then_some((was, now))
        });
        let compared = |gauge: Gauge| {
            both.clone().filter_map(move |(was, now)| {
                let (before, after) = (was.measured.get(gauge), now.measured.get(gauge));
                let any = !before.is_empty() && !after.is_empty();
                any.then(|| (was.check.clone(), gauge, Comparison::of(before, after)))
            })
        };
        Self::judged(Gauge::ALL.into_iter().flat_map(compared).collect())
    }

    fn judged(all: Vec<Found>) -> Self {
        let chances: Vec<f64> = all.iter().filter_map(|(.., it)| it.map(|it| it.p)).collect();
        let mut shifts = Self { few: all.len() - chances.len(), ..Self::default() };
        let compared = all.into_iter().filter_map(|(check, gauge, it)| Some((check, gauge, it?)));
        for ((check, gauge, found), p) in compared.zip(holm(&chances)) {
            let worse = match found.sway(p) {
                Sway::Noise => {
                    shifts.steady += 1;
                    continue;
                }
                Sway::More => true,
                Sway::Less => false,
            };
            let Comparison { before, after, by, floor, .. } = found;
            let bounds = [by.low, by.high];
            let by = by.at;
            shifts.told.push(Shift { check, gauge, worse, before, after, by, bounds, p, floor });
        }
        shifts.told.sort_by(order);
        shifts
    }

    /// Whether nothing was compared, nor could be for a reason worth telling.
    pub fn is_empty(&self) -> bool {
        *self == Self::default()
    }

    /// What came of it, counted: `2 worse, 14 within noise`.
    pub fn says(&self) -> String {
        if let Some(host) = &self.elsewhere {
            return format!("taken on {host}, so what was measured is not compared");
        }
        let worse = self.told.iter().filter(|shift| shift.worse).count();
        let counts = [
            (worse, "worse"),
            (self.told.len() - worse, "better"),
            (self.steady, "within noise"),
            (self.few, "with too few samples"),
        ];
        let counts = counts.into_iter().filter(|(count, _)| *count > 0);
        let counts: Vec<String> = counts.map(|(count, what)| format!("{count} {what}")).collect();
        if counts.is_empty() { "no measurements to compare".into() } else { counts.join(", ") }
    }
}

fn order(one: &Shift, other: &Shift) -> Ordering {
    let size = other.ratio().abs().total_cmp(&one.ratio().abs());
    other.worse.cmp(&one.worse).then(size)
}

/// From when on what was measured belongs to what is compared with a baseline.
fn from(taken: Timestamp, snapshot: &Snapshot) -> Duration {
    let ago = u64::try_from(snapshot.wall.0.saturating_sub(taken.0)).unwrap_or(0);
    let taken = snapshot.at.saturating_sub(Duration::from_millis(ago));
    cmp::max(taken, snapshot.relevant_from())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::{Deploy, Finding, sample};
    use std::sync::Arc;

    const MIB: f64 = 1024.0 * 1024.0;

    /// A check with `count` latencies around `millis`, and with memory where that is given.
    fn check(name: &str, count: u64, millis: f64, mebibytes: Option<f64>) -> CheckView {
        let mut finding = Finding::pass("ok");
        if mebibytes.is_some() {
            finding = finding.measure(Quantity::Bytes(1));
        }
        let mut check = sample::check(name, 1, finding);
        for n in 0..count {
            let (at, wave) = (Duration::from_secs(100 + n), f64::from((n % 3) as u8) / 200.0);
            check.latency.push(at, millis / 1000.0 * (1.0 + wave));
            if let Some(mebibytes) = mebibytes {
                check.measures.push(at, mebibytes * MIB * (1.0 + wave));
            }
        }
        check
    }

    fn snapshot(checks: Vec<CheckView>) -> Snapshot {
        let views = vec![Arc::new(sample::integration("test", "Test", checks))];
        let at = Duration::from_secs(500);
        Snapshot { at, wall: Timestamp(500_000), integrations: views, ..Snapshot::default() }
    }

    /// Taken long before, so that everything in a snapshot is from after it.
    fn baseline(checks: Vec<CheckView>) -> Baseline {
        Baseline { at: Timestamp(0), ..Baseline::of("before", &snapshot(checks)) }
    }

    fn shifts(before: Vec<CheckView>, after: Vec<CheckView>) -> Shifts {
        let (before, after) = (baseline(before), snapshot(after));
        let found = Shifts::since(&before, &after, &mut Compared::default());
        let kept = Shifts::between(&before, &Baseline::of("after", &after));
        if found.few == 0 {
            assert_eq!(found, kept, "of a baseline or of what is seen now");
        }
        found
    }

    #[test]
    fn what_moved_is_told_and_noise_is_folded_away() {
        let before = || {
            vec![
                check("app", 10, 10.0, None),
                check("memory", 10, 1.0, Some(50.0)),
                check("steady", 10, 5.0, None),
                check("quick", 10, 30.0, None),
            ]
        };
        let after = vec![
            check("app", 10, 60.0, None),
            check("memory", 10, 1.0, Some(90.0)),
            check("steady", 10, 5.1, None),
            check("quick", 10, 10.0, None),
        ];
        let found = shifts(before(), after);
        let told = found.told.iter().map(|it| (it.check.name(), it.gauge, it.worse));
        let told: Vec<_> = told.collect();
        let expected = [
            ("app", Gauge::Latency, true),
            ("memory", Gauge::Memory, true),
            ("quick", Gauge::Latency, false),
        ];
        assert_eq!((told.as_slice(), found.steady, found.few), (&expected[..], 2, 0));
        assert!((found.told[0].ratio() - 5.0).abs() < 0.1, "{:?}", found.told[0]);
        let same = shifts(before(), before());
        assert_eq!((same.told.len(), same.steady), (0, 5));
    }

    #[test]
    fn few_samples_are_counted_and_say_nothing() {
        let found = shifts(vec![check("app", 10, 1.0, None)], vec![check("app", 4, 9.0, None)]);
        assert_eq!((found.told.len(), found.steady, found.few), (0, 0, 1));
        let found = shifts(vec![check("app", 4, 1.0, None)], vec![check("app", 10, 9.0, None)]);
        assert_eq!((found.told.len(), found.steady, found.few), (0, 0, 1));
        let found = shifts(vec![check("app", 0, 1.0, None)], vec![check("app", 10, 9.0, None)]);
        assert!(found.is_empty(), "there is nothing to compare with");
    }

    #[test]
    fn only_what_was_measured_since_the_deploy_is_compared() {
        let before = baseline(vec![check("app", 10, 10.0, None)]);
        let mut slow = check("app", 30, 10.0, None);
        let deployed = Duration::from_secs(130);
        for n in 0..20 {
            slow.latency.push(deployed + Duration::from_secs(n), 0.06);
        }
        let mut now = snapshot(vec![slow]);
        let (at, wall) = (deployed, Timestamp(0));
        now.deploy = Some(Deploy { at, wall, version: None, was: None });
        let mut known = Compared::default();
        let found = Shifts::since(&before, &now, &mut known);
        assert!((found.told[0].after - 0.06).abs() < 1e-9, "{found:?}");
        assert_eq!(Shifts::since(&before, &now, &mut known), found, "what is known is the same");
        now.deploy = Some(Deploy { at: now.at, wall, version: None, was: None });
        assert_eq!(Shifts::since(&before, &now, &mut known).few, 1, "another deploy");
    }

    #[test]
    fn another_host_or_a_stand_in_is_not_compared() {
        let of = || vec![check("app", 10, 10.0, None)];
        let slow = || vec![check("app", 10, 60.0, None)];
        let before = Baseline { host: "web-1".into(), ..baseline(of()) };
        let found = Shifts::since(&before, &snapshot(slow()), &mut Compared::default());
        assert_eq!((found.elsewhere.as_deref(), found.told.len()), (Some("web-1"), 0));
        let mut stand_in = slow();
        stand_in[0].finding = Arc::new(Finding::pass("ok").on_fallback());
        assert!(shifts(of(), stand_in).is_empty());
    }

    #[test]
    fn a_baseline_from_before_this_was_kept_can_be_read() {
        let old = r#"{"name":"old","at":0,"host":"","word":"GO","score":null,"checks":
            [{"check":"test.app","mark":"pass","fallback":false,"stood":false,"summary":"ok"}]}"#;
        let old: Baseline = serde_json::from_str(old).unwrap();
        let now = snapshot(vec![check("app", 10, 1.0, None)]);
        assert!(Shifts::since(&old, &now, &mut Compared::default()).is_empty());
        let kept = Baseline::of("new", &now);
        let text = serde_json::to_string(&kept).unwrap();
        assert_eq!(serde_json::from_str::<Baseline>(&text).unwrap(), kept);
    }
}
