//! What an exporter counts itself.

use super::exposition::{Family, Kind, Sample};
use std::time::Duration;

/// Upper bounds of the buckets, as they are written and as they are.
const BOUNDS: &[(&str, Duration)] = &[
    ("0.0001", Duration::from_micros(100)),
    ("0.00025", Duration::from_micros(250)),
    ("0.0005", Duration::from_micros(500)),
    ("0.001", Duration::from_millis(1)),
    ("0.0025", Duration::from_micros(2500)),
    ("0.005", Duration::from_millis(5)),
    ("0.01", Duration::from_millis(10)),
    ("0.025", Duration::from_millis(25)),
    ("0.05", Duration::from_millis(50)),
    ("0.1", Duration::from_millis(100)),
    ("0.25", Duration::from_millis(250)),
    ("0.5", Duration::from_millis(500)),
    ("1", Duration::from_secs(1)),
    ("2.5", Duration::from_millis(2500)),
];

pub(super) const OPERATIONS: &str = "tminus_redis_operations_total";
pub(super) const SECONDS: &str = "tminus_redis_operation_seconds";

/// Operations by how they ended, and how long those took that ended well.
#[derive(Clone, Debug, Default)]
pub(super) struct Record {
    failed: u64,
    done: u64,
    /// By bound, each with those of the bounds before it.
    within: [u64; BOUNDS.len()],
    sum: Duration,
}

impl Record {
    /// An operation ended.
    pub(super) fn note(&mut self, well: bool, took: Duration) {
        if !well {
            self.failed += 1;
            return;
        }
        self.done += 1;
        self.sum += took;
        for (within, (_, bound)) in self.within.iter_mut().zip(BOUNDS) {
            *within += u64::from(took <= *bound);
        }
    }

    /// Both families. Every series is there from the start.
    pub(super) fn families(&self) -> Vec<Family> {
        let ended = |how: &str, times: u64| Sample::of(&[("outcome", how)], times);
        let operations = Family {
            name: OPERATIONS,
            help: "Operations of this exporter, by how they ended.",
            kind: Kind::Counter,
            samples: vec![ended("ok", self.done), ended("error", self.failed)],
        };
        let bucket = |bound: &str, count: u64| Sample {
            suffix: "_bucket",
            ..Sample::of(&[("le", bound)], count)
        };
        let within = BOUNDS.iter().zip(self.within);
        let buckets = within.map(|((text, _), count)| bucket(text, count));
        let sum = self.sum.as_secs_f64().to_string();
        let ends = [
            bucket("+Inf", self.done),
            Sample { suffix: "_sum", value: sum, ..Sample::of(&[], 0) },
            Sample { suffix: "_count", ..Sample::of(&[], self.done) },
        ];
        let seconds = Family {
            name: SECONDS,
            help: "Time of the operations that ended well.",
            kind: Kind::Histogram,
            samples: buckets.chain(ends).collect(),
        };
        vec![operations, seconds]
    }
}

#[cfg(test)]
mod tests {
    use super::{
        super::{exposition::render, strict::read},
        *,
    };

    #[test]
    fn series_begin_at_zero_and_buckets_add_up() {
        let mut record = Record::default();
        let begins = read(&render(&record.families())).unwrap();
        assert!(begins.series.iter().all(|series| series.whole() == Some(0)));
        for micros in [100, 101, 3_000_000] {
            record.note(true, Duration::from_micros(micros));
        }
        record.note(false, Duration::ZERO);
        let export = read(&render(&record.families())).unwrap();
        let buckets: Vec<_> = export
            .called("tminus_redis_operation_seconds_bucket")
            .map(|s| s.whole().unwrap())
            .collect();
        assert_eq!((buckets[0], buckets[1], buckets[13], buckets[14]), (1, 2, 2, 3));
        let ended: Vec<_> = export.called(OPERATIONS).map(|s| s.value.as_str()).collect();
        assert_eq!(ended, ["3", "1"]);
    }
}
