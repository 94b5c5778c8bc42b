use super::worst;
use crate::{
    domain::{Cause, Evidence, Finding, Outcome, Quantity},
    integrations::performance::{
        process::{Missing, Reading},
        settings::Watched,
        track::Restart,
        trend::{NEEDED, Trend},
    },
    units::{bytes, span},
};

/// Share of its descriptors, in percent, from which on a process is about to run out.
const DESCRIPTORS: u64 = 80;
/// A trend that over all that was seen moved less than this share is called steady.
const STEADY: f64 = 0.01;

/// What is known of the watched process's memory.
pub(in super::super) struct Memory<'a> {
    pub(in super::super) watched: &'a Watched,
    pub(in super::super) reading: &'a Reading,
    /// Readings kept of this life of the process.
    pub(in super::super) kept: usize,
    pub(in super::super) trend: Option<Trend>,
    pub(in super::super) restart: Option<Restart>,
    /// The share of a core that it takes.
    pub(in super::super) cpu: Option<f64>,
}

/// Where good ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in super::super) struct MemoryLimits {
    /// Bytes, where the user set a limit.
    pub(in super::super) most: Option<u64>,
    /// Bytes per minute.
    pub(in super::super) growth: u64,
}

/// Judges a process that was read.
pub(in super::super) fn memory(seen: &Memory, limits: MemoryLimits) -> Finding {
    let Reading { resident, descriptors, descriptor_limit, .. } = seen.reading;
    let subject = if *seen.watched == Watched::Ourselves { "tminus itself: " } else { "" };
    let size = bytes(*resident);
    let words = words(seen.trend, *resident);
    let mut found = Vec::new();
    if let Some(most) = limits.most.filter(|most| resident > most) {
        found.push((Outcome::Fail, format!("{subject}{size}, limit {}", bytes(most))));
    }
    let too_fast = |trend: &Trend| trend.exceeds(Quantity::Bytes(limits.growth).as_f64());
    if let Some(trend) = seen.trend.filter(too_fast) {
        let (rate, limit) = (rate(trend), bytes(limits.growth));
        found.push((Outcome::Warn, format!("{subject}{rate}, limit {limit}")));
    }
    if let (Some(open), Some(limit)) = (*descriptors, *descriptor_limit)
        && u128::from(open) * 100 >= u128::from(limit) * u128::from(DESCRIPTORS)
    {
        found.push((Outcome::Warn, format!("{subject}{open} of {limit} descriptors in use")));
    }
    if let Some(Restart { from, to, ago }) = seen.restart {
        let says = format!("restarted {} ago, pid {from} to {to}; {size}", span(ago));
        found.push((Outcome::Warn, says));
    }
    worst(found, &format!("{subject}{size}, {words}"))
        .measure(Quantity::Bytes(*resident))
        .evidence(evidence(seen, limits))
}

/// Judges a process that could not be read.
pub(in super::super) fn missing(watched: &Watched, missing: &Missing) -> Finding {
    let (finding, remedy) = match missing {
        Missing::Nobody(says) => {
            (Finding::fail(says), "start it, or correct pid, name or port under [performance]")
        }
        Missing::Several(says) => {
            (Finding::fail(says), "set pid or port under [performance] to say which one is meant")
        }
        Missing::Hidden(says) => (
            Finding::unknown(Cause::NotPermitted, says),
            "run tminus as the user that runs the app, or set pid under [performance]",
        ),
        Missing::Local(says) => (
            Finding::unknown(Cause::Local, says),
            "set pid or name under [performance] in place of what is set",
        ),
    };
    let evidence = Evidence::default()
        .asked(&format!("look for {}", watched.label()))
        .wanted("one process that is alive")
        .reply(&finding.summary);
    finding.remedy(remedy).evidence(evidence)
}

/// The trend in two or three words.
fn words(trend: Option<Trend>, resident: u64) -> String {
    let Some(trend) = trend else { return "trend not known yet".into() };
    let moved = trend.per_minute.abs() * trend.span.as_secs_f64() / 60.0;
    if !trend.is_sure() || moved < STEADY * Quantity::Bytes(resident).as_f64() {
        return "steady".into();
    }
    rate(trend)
}

fn rate(trend: Trend) -> String {
    let verb = if trend.per_minute > 0.0 { "growing" } else { "shrinking" };
    format!("{verb} {}/min", bytes(whole(trend.per_minute.abs())))
}

/// A slope with its sign.
fn signed(per_minute: f64) -> String {
    let sign = if per_minute < 0.0 { '-' } else { '+' };
    format!("{sign}{}", bytes(whole(per_minute.abs())))
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "saturates at both ends"
)]
fn whole(positive: f64) -> u64 {
    positive.round() as u64
}

fn evidence(seen: &Memory, limits: MemoryLimits) -> Evidence {
    let reading = seen.reading;
    let most = limits.most.map(|most| format!("at most {}, ", bytes(most))).unwrap_or_default();
    let growth = bytes(limits.growth);
    let words = words(seen.trend, reading.resident);
    let of = reading.anonymous.map_or("resident", |_| "anonymous");
    let slope = seen.trend.map_or_else(
        || format!("{} of {NEEDED} readings so far", seen.kept),
        |Trend { per_minute, bounds: (low, high), score, span: seen }| {
            let (at, low, high) = (signed(per_minute), signed(low), signed(high));
            format!("{at}/min ({low} to {high}) over {}, score {score:.1}", span(seen))
        },
    );
    let evidence = Evidence::default()
        .asked(&format!("memory of pid {}, {}", reading.pid, reading.name))
        .wanted(&format!(
            "alive, {most}growing at most {growth}/min, under {DESCRIPTORS} % of descriptors"
        ))
        .reply(&format!("{} resident, {words}", bytes(reading.resident)))
        .fact("resident", Quantity::Bytes(reading.resident));
    let bytes = [
        ("anonymous", reading.anonymous),
        ("private", reading.private),
        ("proportional share", reading.proportional),
    ];
    let counts = [
        ("threads", reading.threads),
        ("descriptors", reading.descriptors),
        ("descriptor limit", reading.descriptor_limit),
    ];
    let cpu = [("cpu, of one core", seen.cpu.map(Quantity::Ratio))];
    let bytes = bytes.map(|(name, count)| (name, count.map(Quantity::Bytes)));
    let counts = counts.map(|(name, count)| (name, count.map(Quantity::Count)));
    bytes
        .into_iter()
        .chain(counts)
        .chain(cpu)
        .filter_map(|(name, quantity)| Some((name, quantity?)))
        .fold(evidence, |evidence, (name, quantity)| evidence.fact(name, quantity))
        .fact("up", Quantity::Time(reading.up))
        .fact(&format!("trend of {of} memory"), slope.as_str())
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    const MIB: u64 = 1024 * 1024;
    const LIMITS: MemoryLimits = MemoryLimits { most: Some(100 * MIB), growth: 5 * MIB };

    fn reading(resident: u64) -> Reading {
        Reading {
            pid: 12,
            name: "api".into(),
            started: 1,
            up: Duration::from_mins(10),
            busy: Duration::from_mins(1),
            resident,
            anonymous: Some(resident / 2),
            proportional: None,
            private: None,
            threads: Some(4),
            descriptors: Some(79),
            descriptor_limit: Some(100),
        }
    }

    /// A trend of so many MiB per minute over five minutes, give or take one.
    fn trend(mib: f64, score: f64) -> Trend {
        let per_minute = mib * 1_048_576.0;
        let bounds = (per_minute - 1_048_576.0, per_minute + 1_048_576.0);
        Trend { per_minute, bounds, score, span: Duration::from_mins(5) }
    }

    fn judged(reading: &Reading, trend: Option<Trend>) -> Finding {
        let watched = Watched::Pid(12);
        memory(
            &Memory { watched: &watched, reading, kept: 7, trend, restart: None, cpu: None },
            LIMITS,
        )
    }

    #[test]
    fn growth_counts_when_it_is_fast_and_sure() {
        let at = |mib, score| judged(&reading(40 * MIB), Some(trend(mib, score)));
        let cases = [
            (at(6.0, 9.0), Outcome::Pass, "40 MiB, growing 6.0 MiB/min"),
            (at(6.5, 9.0), Outcome::Warn, "growing 6.5 MiB/min, limit 5.0 MiB"),
            (at(6.5, 2.33), Outcome::Warn, "growing 6.5 MiB/min, limit 5.0 MiB"),
            (at(6.5, 2.32), Outcome::Pass, "40 MiB, steady"),
            (at(-6.5, -9.0), Outcome::Pass, "40 MiB, shrinking 6.5 MiB/min"),
            (at(0.125, 9.0), Outcome::Pass, "40 MiB, growing 128 KiB/min"),
            (at(0.0625, 9.0), Outcome::Pass, "40 MiB, steady"),
            (judged(&reading(40 * MIB), None), Outcome::Pass, "40 MiB, trend not known yet"),
        ];
        for (finding, outcome, says) in cases {
            assert_eq!((finding.outcome, finding.summary.as_str()), (outcome, says));
        }
    }

    #[test]
    fn growth_over_the_limit_is_told_of_a_large_process_too() {
        let limits = MemoryLimits { most: None, ..LIMITS };
        let (watched, reading) = (Watched::Pid(12), reading(10_240 * MIB));
        let trend = Some(trend(6.5, 9.0));
        let seen = Memory {
            watched: &watched,
            reading: &reading,
            kept: 60,
            trend,
            restart: None,
            cpu: None,
        };
        assert_eq!(memory(&seen, limits).summary, "growing 6.5 MiB/min, limit 5.0 MiB");
    }

    #[test]
    fn size_is_judged_at_its_limit_and_outweighs_growth() {
        assert_eq!(judged(&reading(100 * MIB), None).outcome, Outcome::Pass);
        let over = judged(&reading(100 * MIB + 1), Some(trend(9.0, 9.0)));
        assert_eq!(
            (over.outcome, over.summary.as_str()),
            (Outcome::Fail, "100 MiB, limit 100 MiB")
        );
        assert_eq!(over.measure, Some(Quantity::Bytes(100 * MIB + 1)));
    }

    #[test]
    fn running_out_of_descriptors_is_a_warning() {
        let with = |open, limit| {
            let (descriptors, descriptor_limit) = (Some(open), limit);
            judged(&Reading { descriptors, descriptor_limit, ..reading(MIB) }, None)
        };
        assert_eq!(with(79, Some(100)).outcome, Outcome::Pass);
        let full = with(80, Some(100));
        assert_eq!((full.outcome, &*full.summary), (Outcome::Warn, "80 of 100 descriptors in use"));
        assert_eq!(with(80, None).outcome, Outcome::Pass, "no limit is known");
    }

    #[test]
    fn a_restart_is_told_and_ourselves_are_named() {
        let restart = Some(Restart { from: 7, to: 12, ago: Duration::from_secs(12) });
        let (ours, theirs) = (Watched::Ourselves, Watched::Name("api".into()));
        let seen = |watched, restart| {
            memory(
                &Memory {
                    watched,
                    reading: &reading(MIB),
                    kept: 7,
                    trend: None,
                    restart,
                    cpu: None,
                },
                LIMITS,
            )
        };
        let told = seen(&theirs, restart);
        assert_eq!(told.outcome, Outcome::Warn);
        assert_eq!(told.summary, "restarted 12s ago, pid 7 to 12; 1.0 MiB");
        let own = seen(&ours, None);
        assert_eq!(own.summary, "tminus itself: 1.0 MiB, trend not known yet");
        assert!(!own.fallback);
    }

    #[test]
    fn evidence_holds_what_was_read_and_leaves_out_what_was_not() {
        let evidence = judged(&reading(40 * MIB), None).evidence;
        let names: Vec<&str> = evidence.facts.iter().map(|fact| fact.name.as_str()).collect();
        let expected =
            ["resident", "anonymous", "threads", "descriptors", "descriptor limit", "up"];
        assert_eq!(names[..6], expected);
        assert_eq!(names[6], "trend of anonymous memory");
        assert!(evidence.asked.contains("pid 12, api") && evidence.wanted.contains("100 MiB"));
    }

    #[test]
    fn each_way_of_missing_a_process_says_whose_doing_it_is() {
        let cases = [
            (Missing::Nobody("x".into()), Outcome::Fail),
            (Missing::Several("x".into()), Outcome::Fail),
            (Missing::Hidden("x".into()), Outcome::Unknown(Cause::NotPermitted)),
            (Missing::Local("x".into()), Outcome::Unknown(Cause::Local)),
        ];
        for (why, outcome) in cases {
            let finding = missing(&Watched::Port(80), &why);
            assert_eq!(finding.outcome, outcome, "{why:?}");
            assert!(finding.remedy.is_some() && finding.evidence.asked.contains("port 80"));
        }
    }
}
