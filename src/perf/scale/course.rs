//! The steps one after the other.

use super::{Asked, cut_short, judge};
use crate::{
    domain::perf::{Drift, Ended, Progress, Scale, Step},
    perf::{
        Figures, Reins, Untested,
        load::{LoadTest, Ready},
    },
};
use std::{collections::BTreeMap, convert::Infallible, time::Duration};
use tokio::{sync::watch, time::Instant};

/// A test under way.
pub(super) struct Course<'a> {
    asked: &'a Asked,
    load: &'a LoadTest,
    ready: &'a Ready,
    began: Instant,
    ended: Ended,
    /// What each number of clients came to in its turn,
    first: BTreeMap<u32, Figures>,
    /// and what was measured again.
    again: BTreeMap<u32, Figures>,
    /// What a guard stopped or somebody.
    partial: Option<Figures>,
}

/// What the steps came to.
pub(super) struct Climbed {
    pub(super) scale: Scale,
    pub(super) ended: Ended,
    pub(super) figures: Vec<Figures>,
}

impl<'a> Course<'a> {
    pub(super) fn new(asked: &'a Asked, load: &'a LoadTest, ready: &'a Ready) -> Self {
        Self {
            asked,
            load,
            ready,
            began: Instant::now(),
            ended: Ended::Complete,
            first: BTreeMap::new(),
            again: BTreeMap::new(),
            partial: None,
        }
    }

    /// Takes the steps until all are done, somebody stops it or a guard does.
    pub(super) async fn run(&mut self, reins: &Reins) -> Result<(), Untested> {
        let order = order(&self.asked.steps());
        for (at, clients) in order.iter().enumerate() {
            let figures = match self.step(*clients, reins).await {
                Ok(figures) => figures,
                // What is measured already stands.
                Err(why) if self.first.is_empty() => return Err(why),
                Err(why) => {
                    let stopped = format!("with {clients} clients: {}", why.says);
                    let aborted = reins.cancel.is_cancelled();
                    self.ended = if aborted { Ended::Aborted } else { Ended::Stopped(stopped) };
                    return Ok(());
                }
            };
            if let Ended::Stopped(why) = &figures.ended {
                self.ended = Ended::Stopped(format!("with {clients} clients: {why}"));
            } else {
                self.ended = figures.ended.clone();
            }
            if cut_short(&self.ended) {
                self.partial = Some(figures);
                return Ok(());
            }
            let known =
                if at < self.asked.steps().len() { &mut self.first } else { &mut self.again };
            known.insert(*clients, figures);
        }
        Ok(())
    }

    async fn step(&self, clients: u32, reins: &Reins) -> Result<Figures, Untested> {
        let (inner, progress) = Reins::new(reins.cancel.clone());
        let load = self.asked.step(clients);
        tokio::select! {
            biased;
            figures = self.load.put(self.ready, &load, &inner) => Ok(figures?),
            never = self.tell(progress, reins) => match never {},
        }
    }

    /// Passes on how far a step is, as part of the whole.
    async fn tell(&self, mut progress: watch::Receiver<Progress>, reins: &Reins) -> Infallible {
        let steps: Vec<Step> = self.first.iter().map(judge::step).collect();
        let of = self.asked.takes();
        loop {
            if progress.changed().await.is_err() {
                std::future::pending::<()>().await;
            }
            let now = progress.borrow_and_update().clone();
            let elapsed = Duration::min(self.began.elapsed(), of);
            reins.progress.send_replace(Progress {
                elapsed,
                of: Some(of),
                steps: steps.clone(),
                ..now
            });
        }
    }

    /// What it came to; nothing where nothing was measured.
    pub(super) fn finish(self) -> Option<Climbed> {
        let again = |clients: &u32, first: &Figures| {
            let again = self.again.get(clients)?;
            let (first, again) = (first.total.per_second, again.total.per_second);
            Some(Drift { clients: *clients, first, again })
        };
        let scale = Scale {
            steps: self.first.iter().map(judge::step).collect(),
            planned: u32::try_from(self.asked.steps().len()).unwrap_or(u32::MAX),
            drift: self.first.iter().filter_map(|(clients, it)| again(clients, it)).collect(),
            ..Scale::default()
        };
        let slow = self.first.iter().filter(|(_, it)| !it.generator.limits.is_empty());
        let slow: Vec<String> = slow
            .map(|(clients, it)| {
                format!("with {clients} clients: {}", it.generator.limits.join(", "))
            })
            .collect();
        let mut scale = judge::judge(scale, self.asked.max_p95);
        if cut_short(&self.ended) {
            scale.doubts.insert(0, "it ended before all steps were done".into());
        }
        scale.doubts.extend(slow);
        let figures = self.first.into_values().chain(self.again.into_values()).chain(self.partial);
        let figures: Vec<Figures> = figures.collect();
        (!figures.is_empty()).then_some(Climbed { scale, ended: self.ended, figures })
    }
}

/// The fewest first, the others in random order, then the fewest and the most again.
fn order(steps: &[u32]) -> Vec<u32> {
    let mut order = steps.to_vec();
    if let Some((_, others)) = order.split_first_mut() {
        fastrand::shuffle(others);
    }
    order.extend(steps.first());
    order.extend(steps.last().filter(|_| steps.len() > 1));
    order
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_step_has_its_turn_and_both_ends_another() {
        let steps = [1, 2, 4, 8, 16, 32];
        let found = order(&steps);
        assert_eq!((found[0], &found[6..]), (1, &[1, 32][..]));
        let mut turns = found[..6].to_vec();
        turns.sort_unstable();
        assert_eq!(turns, steps);
        assert_eq!((order(&[5]), order(&[])), (vec![5, 5], vec![]));
    }
}
