//! `tminus perf scale`: the load of `perf load` in steps of concurrency, and the curve
//! through them.
//!
//! The order of the steps is random after the first, so that what drifts with time is not
//! taken for what comes with clients; the first and the last are measured again at the
//! end. `judge` decides and is pure.

mod asked;
mod course;
mod judge;

pub use asked::Asked;

use super::{
    About, Reins, Test, Testing, Untested,
    figures::Figures,
    load::{LoadTest, Ready},
    render, unusable,
};
use crate::{
    clock,
    domain::{
        Evidence, IntegrationId, Quantity, Timestamp,
        perf::{Ended, Offer, Record, Refusal, Scale},
    },
    integrations::performance::Settings,
    probe::Safety,
};
use course::{Climbed, Course};
use std::collections::BTreeMap;

/// The test of one address.
pub struct ScaleTest {
    name: String,
    load: LoadTest,
    asked: Asked,
    refused: Option<Refusal>,
}

impl ScaleTest {
    /// A test of `url`, or else of the address that `settings` name. Connects to nothing yet.
    pub fn new(
        id: &IntegrationId,
        url: Option<&str>,
        settings: &Settings,
        safety: Safety,
        asked: Asked,
    ) -> Self {
        let load = LoadTest::new(id, url, settings, safety, asked.load.clone());
        let refused = load.refusal("scale").or_else(|| unusable(asked.complaint(), "scale"));
        let name = id.name().map_or_else(|| "scale".into(), |name| format!("scale/{name}"));
        Self { name, load, asked, refused }
    }

    async fn test(&self, reins: &Reins) -> Result<Record, Untested> {
        if let Some(Refusal { why, hint }) = &self.refused {
            return Err(Untested::refused(why, hint));
        }
        let began = clock::now();
        let ready = self.load.ready(reins).await?;
        let mut course = Course::new(&self.asked, &self.load, &ready);
        course.run(reins).await?;
        self.record(began, course.finish().ok_or_else(Untested::aborted)?, &ready)
    }

    fn record(
        &self,
        began: Timestamp,
        climbed: Climbed,
        ready: &Ready,
    ) -> Result<Record, Untested> {
        let Climbed { scale, ended, figures } = climbed;
        // What is told in whole is that of the best step.
        let rate = |figures: &&Figures| figures.total.per_second;
        let best = figures.iter().max_by(|one, other| rate(one).total_cmp(&rate(other)));
        let best = best.ok_or_else(Untested::aborted)?.clone();
        let mut errors = BTreeMap::<String, u64>::new();
        for (class, count) in figures.iter().flat_map(|it| &it.errors) {
            *errors.entry(class.clone()).or_default() += count;
        }
        let (failed, ours) = figures.iter().fold((0, 0), |(failed, ours), it| {
            (failed + it.total.failed, ours + it.generator.failed)
        });
        let load = self.asked.step(self.asked.steps().last().copied().unwrap_or(1));
        let (test, target) = (self.name.clone(), self.load.target());
        let mut facts = ready.facts(self.asked.load.fresh);
        facts.splice(..0, derived(&scale).facts);
        let record = best.record(About { test, target, began, load });
        let mut record = Record { ended, errors, facts, scale: Some(Box::new(scale)), ..record };
        (record.total.failed, record.generator.failed) = (failed, ours);
        record.notes.push("a closed loop: the times are those of so many patient clients".into());
        Ok(record)
    }
}

/// What whoever reads a report wants to know of it.
fn derived(scale: &Scale) -> Evidence {
    let mut evidence = Evidence::default();
    #[expect(
        clippy::cast_possible_truncation,
        clippy::cast_sign_loss,
        reason = "a number of clients, and no negative one"
    )]
    let whole = |clients: f64| Quantity::Count(clients.round() as u64);
    if let Some(fit) = &scale.fit {
        if let Some(optimum) = &fit.optimum {
            evidence = evidence.fact("optimal clients", whole(optimum.at));
        }
        if let Some(efficiency) = fit.efficiency {
            evidence = evidence.fact("efficiency there", Quantity::Ratio(efficiency));
        }
        evidence = evidence.fact("clients for 95 % of the best", whole(fit.nearly));
    }
    evidence.fact("decline", &*render::decline(&scale.decline))
}

impl Test for ScaleTest {
    fn offer(&self) -> Offer {
        let load = self.load.offer();
        Offer {
            test: self.name.clone(),
            title: "HTTP scaling".into(),
            load: self.asked.says(),
            does: vec![
                "takes the steps in random order, the first and last twice".into(),
                "fits a curve: optimal clients, efficiency, limit".into(),
                "stops at 20 % errors in a second, and when it is told 429".into(),
            ],
            takes: self.asked.takes(),
            refused: self.refused.clone(),
            ..load
        }
    }

    fn run<'a>(&'a self, reins: &'a Reins) -> Testing<'a> {
        Box::pin(self.test(reins))
    }
}

/// Whether it ended before all steps were done.
fn cut_short(ended: &Ended) -> bool {
    match ended {
        Ended::Complete => false,
        Ended::Aborted | Ended::Stopped(_) => true,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::perf::load;

    #[test]
    fn whatever_is_wrong_points_to_the_help_of_what_was_typed() {
        let refused = |asked| {
            let id = IntegrationId::new("performance").unwrap();
            let (url, settings) = (Some("http://127.0.0.1:1/"), Settings::default());
            ScaleTest::new(&id, url, &settings, Safety::default(), asked).offer().refused.unwrap()
        };
        let method = load::Request { method: "TRACE".into(), ..load::Request::default() };
        let usual = Asked::default();
        let odd = load::Asked { request: method, ..usual.load.clone() };
        let steps = Asked { steps: vec![0, 1], ..usual.clone() };
        for asked in [Asked { load: odd, ..usual }, steps] {
            assert_eq!(refused(asked).hint, "see `tminus perf scale --help`");
        }
    }
}
