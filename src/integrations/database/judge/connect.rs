use crate::{
    domain::{Evidence, Finding, Quantity},
    integrations::database::measured::{Concern, Contact},
    units,
};
use std::time::Duration;

/// Times over the limit at which slow becomes broken.
const BROKEN: u32 = 5;

/// Whether a database that answers does so in time. `limit` is where a warning begins.
pub(in super::super) fn connect(contact: &Contact, limit: Duration) -> Finding {
    let Contact { product, asked, round_trip, facts, concern } = contact;
    let took = units::span(*round_trip);
    let slow = |limit: Duration| format!("{product}: answer took {took}, limit {}", span(limit));
    let busy = "look for load on the server and for distance on the way to it";
    let finding = match (*round_trip, concern) {
        (trip, _) if trip > limit * BROKEN => Finding::fail(&slow(limit * BROKEN)).remedy(busy),
        (_, Some(Concern::OnlyReserved { used, limit })) => {
            Finding::warn(&format!("{used} of {limit} connections taken, rest reserved"))
                .remedy("close idle connections, or raise max_connections")
        }
        (_, Some(Concern::NobodyWrites)) => Finding::warn("answers, but nobody may write the file")
            .remedy("give the application write permission, or add ?mode=ro to the url"),
        (trip, None) if trip > limit => Finding::warn(&slow(limit)).remedy(busy),
        (_, None) => Finding::pass(&format!("{product} answers in {took}")),
    };
    let evidence = Evidence::default()
        .asked(asked)
        .wanted(&format!("an answer within {}", span(limit)))
        .reply(&format!("an answer after {took}"));
    let evidence =
        facts.iter().fold(evidence, |evidence, (name, value)| evidence.fact(name, value.clone()));
    let measure = Quantity::Time(*round_trip);
    finding.evidence(evidence).latency(*round_trip).measure(measure)
}

fn span(limit: Duration) -> String {
    units::span(limit)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::domain::Outcome;

    const LIMIT: Duration = Duration::from_millis(50);

    fn judged(round_trip: Duration, concern: Option<Concern>) -> Finding {
        let product = "PostgreSQL 15.18".to_owned();
        let facts = vec![("role", "app".into())];
        connect(&Contact { product, asked: "SELECT 1", round_trip, facts, concern }, LIMIT)
    }

    #[test]
    fn an_answer_is_judged_at_its_limits() {
        let nano = Duration::from_nanos(1);
        let cases = [
            (LIMIT, Outcome::Pass, "PostgreSQL 15.18 answers in 50ms"),
            (LIMIT + nano, Outcome::Warn, "PostgreSQL 15.18: answer took 50ms, limit 50ms"),
            (LIMIT * 5, Outcome::Warn, "PostgreSQL 15.18: answer took 250ms, limit 50ms"),
            (LIMIT * 5 + nano, Outcome::Fail, "PostgreSQL 15.18: answer took 250ms, limit 250ms"),
        ];
        for (round_trip, outcome, summary) in cases {
            let finding = judged(round_trip, None);
            assert_eq!((finding.outcome, finding.summary.as_str()), (outcome.clone(), summary));
            assert_eq!(finding.remedy.is_some(), outcome != Outcome::Pass);
            assert_eq!(finding.latency, Some(round_trip));
        }
    }

    #[test]
    fn a_concern_warns_however_quick_the_answer() {
        let full = judged(LIMIT, Some(Concern::OnlyReserved { used: 97, limit: 97 }));
        assert_eq!(full.outcome, Outcome::Warn);
        assert_eq!(full.summary, "97 of 97 connections taken, rest reserved");
        let sealed = judged(LIMIT, Some(Concern::NobodyWrites));
        assert_eq!(sealed.outcome, Outcome::Warn);
        let hung = judged(LIMIT * 6, Some(Concern::NobodyWrites));
        assert_eq!(hung.outcome, Outcome::Fail, "the worse of two is told");
    }

    #[test]
    fn the_evidence_names_question_wish_and_answer() {
        let evidence = judged(LIMIT, None).evidence;
        assert_eq!(evidence.asked, "SELECT 1");
        assert_eq!(evidence.wanted, "an answer within 50ms");
        assert_eq!(evidence.reply, "an answer after 50ms");
        assert_eq!(evidence.facts[0].name, "role");
    }
}
