use super::time;
use crate::{
    domain::{Cause, Evidence, Finding},
    integrations::database::measured::{Pair, Sample},
    units,
};

/// Whether the canaries say more about this host, or the way, than about the database.
pub(in super::super) fn worth_another_try(pair: &Pair) -> bool {
    pair.short.flagged || !pair.long.flagged
}

/// What is wrong with our own side of it: the slow one missed, or the quick one flagged.
pub(in super::super) fn controls(pair: &Pair) -> Option<Finding> {
    missed(pair).or_else(|| mistaken(pair))
}

/// Both are told apart.
pub(in super::super) fn noticed(pair: &Pair) -> Finding {
    let [long, short, limit] = [pair.long.wanted, pair.short.wanted, pair.limit].map(units::span);
    Finding::pass(&format!("{long} noticed, {short} not, limit {limit}"))
}

/// The positive control: our side has to find the slow one slow.
fn missed(pair: &Pair) -> Option<Finding> {
    let Pair { limit, long, .. } = pair;
    (!long.flagged).then(|| {
        let [wanted, took, limit] = [long.wanted, long.took, *limit].map(units::span);
        Finding::fail(&format!("canary of {wanted} back after {took}, limit {limit}"))
            .remedy("look for a cache or a proxy that answers in the server's place")
    })
}

/// The negative control: our side must not find the quick one slow.
fn mistaken(pair: &Pair) -> Option<Finding> {
    let Pair { limit, short, round_trip, short_there, .. } = pair;
    if !short.flagged {
        return None;
    }
    let (wanted, took) = (units::span(short.wanted), units::span(short.took));
    Some(if short.wanted + *round_trip > *limit {
        let (trip, limit) = (units::span(*round_trip), units::span(*limit));
        Finding::warn(&format!("round trip of {trip} drowns a limit of {limit}"))
            .remedy("run tminus nearer to the database, or raise slow in tminus.toml")
    } else if let Some(there) = short_there.filter(|there| there > limit) {
        let there = units::span(there);
        Finding::warn(&format!("server took {there} for a canary of {wanted}"))
            .remedy("give the server processor time: it cannot even sleep in time")
    } else {
        Finding::unknown(Cause::Starved, &format!("canary of {wanted} took {took} here"))
            .remedy("give this host processor time, then re-check")
    })
}

/// What was sent and what our side saw of it; `planes` is who looked.
pub(in super::super) fn sampled(pair: &Pair, planes: &str) -> Evidence {
    let Pair { limit, long, short, round_trip, .. } = pair;
    let [slow, quick, limit] = [long.wanted, short.wanted, *limit].map(units::span);
    let verdict = |sample: &Sample| if sample.flagged { "slow" } else { "not slow" };
    let evidence = Evidence::default()
        .asked(&format!("a statement of {slow} and one of {quick}"))
        .wanted(&format!("{slow} found slow, {quick} not; limit {limit}"))
        .reply(&format!("{slow} {}, {quick} {}", verdict(long), verdict(short)))
        .fact("looked at by", planes);
    let evidence = time(evidence, &format!("{slow}, here"), long.took);
    let evidence = time(evidence, &format!("{quick}, here"), short.took);
    time(evidence, "round trip", *round_trip)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;
    use std::time::Duration;

    const LIMIT: Duration = ms(100);

    const fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn sample(wanted: u64, took: u64) -> Sample {
        Sample { wanted: ms(wanted), took: ms(took), flagged: ms(took) > LIMIT }
    }

    /// Canaries that took `long` and `short` milliseconds here.
    fn pair(long: u64, short: u64, trip: u64, short_there: Option<Duration>) -> Pair {
        let (long, short) = (sample(150, long), sample(50, short));
        Pair { limit: LIMIT, long, short, round_trip: ms(trip), short_there }
    }

    fn says(pair: &Pair) -> (&'static str, String) {
        let finding = controls(pair).unwrap_or_else(|| noticed(pair));
        assert!(finding.summary.chars().count() <= 45, "{}", finding.summary);
        assert!(finding.outcome == Outcome::Pass || finding.remedy.is_some(), "{finding:?}");
        let evidence = sampled(pair, "this side only");
        assert!(!evidence.asked.is_empty() && !evidence.wanted.is_empty());
        assert!(!evidence.reply.is_empty());
        (finding.outcome.word(), finding.summary)
    }

    #[test]
    fn the_slow_one_has_to_be_noticed_and_the_quick_one_must_not() {
        let pass = ("pass", "150ms noticed, 50ms not, limit 100ms".to_owned());
        assert_eq!(says(&pair(151, 51, 1, None)), pass);
        assert_eq!(says(&pair(101, 100, 1, None)), pass);
        let missed = ("fail", "canary of 150ms back after 100ms, limit 100ms".to_owned());
        assert_eq!(says(&pair(100, 51, 1, None)), missed);
        let mistaken = ("unknown", "canary of 50ms took 101ms here".to_owned());
        assert_eq!(says(&pair(151, 101, 1, None)), mistaken);
    }

    #[test]
    fn what_delays_the_quick_one_is_told_apart() {
        let far = pair(231, 131, 51, Some(ms(50)));
        assert_eq!(says(&far), ("warn", "round trip of 51ms drowns a limit of 100ms".into()));
        let near = pair(200, 130, 50, Some(ms(50)));
        assert_eq!(says(&near), ("unknown", "canary of 50ms took 130ms here".into()));
        let busy = pair(200, 130, 1, Some(ms(120)));
        assert_eq!(says(&busy), ("warn", "server took 120ms for a canary of 50ms".into()));
    }

    #[test]
    fn only_a_doubtful_pair_is_tried_again() {
        assert!(!worth_another_try(&pair(151, 51, 1, None)));
        assert!(worth_another_try(&pair(151, 101, 1, None)));
        assert!(worth_another_try(&pair(100, 51, 1, None)));
    }
}
