//! What the command line asks for, as what a test is asked.

use super::Failure;
use crate::{
    cli::{PerfDb, PerfLoad, PerfMemory, PerfRedis, PerfRequest, PerfScale},
    domain::perf::Arrivals,
    perf::{db, goals::Goals, load, memory, redis, scale},
    secret::Secret,
};
use std::{fs, path::Path};

impl PerfRedis {
    /// The load that the command line asks for.
    pub(super) fn load(&self) -> redis::Asked {
        let arrivals = arrivals(self.rate, self.poisson);
        redis::Asked {
            clients: self.clients,
            pipeline: self.pipeline,
            mix: self.mix,
            size: self.size,
            keys: self.keys,
            arrivals,
            threads: self.threads,
            warm_up: self.warm_up,
            duration: self.duration,
            requests: self.requests,
        }
    }
}

impl PerfDb {
    /// The load that the command line asks for.
    pub(super) fn load(&self) -> db::Asked {
        db::Asked {
            clients: self.clients,
            weights: self.mix,
            rows: self.rows,
            arrivals: arrivals(self.rate, self.poisson),
            threads: self.threads,
            warm_up: self.warm_up,
            duration: self.duration,
            steps: if self.no_steps { db::Steps::Leap } else { db::Steps::Climb },
        }
    }
}

impl PerfLoad {
    /// The load that the command line asks for.
    pub(super) fn load(&self) -> Result<load::Asked, Failure> {
        let usual = load::Asked::of(self.profile);
        let planned = self.rate.or_else(|| usual.arrivals.rate());
        if self.poisson && planned.is_none() {
            let why = format!("--poisson is for a plan, which {} has not", self.profile.word());
            return Err(Failure::unusable("the test cannot be run", why));
        }
        let goals = Goals {
            mean: self.max_mean,
            within: [self.max_p50, self.max_p95, self.max_p99],
            errors: self.max_errors,
            rate: self.min_rate,
        };
        Ok(load::Asked {
            profile: self.profile,
            clients: self.clients,
            arrivals: arrivals(planned, self.poisson),
            warm_up: self.warm_up.unwrap_or(usual.warm_up),
            duration: self.duration.unwrap_or(usual.duration),
            requests: self.requests.or(usual.requests),
            goals: goals.or(usual.goals),
            ..self.request.asked(&usual)?
        })
    }
}

impl PerfScale {
    /// The steps that the command line asks for.
    pub(super) fn load(&self) -> Result<scale::Asked, Failure> {
        let usual = scale::Asked::default().load;
        let load = load::Asked {
            clients: self.clients,
            warm_up: self.warm_up,
            duration: self.duration,
            ..self.request.asked(&usual)?
        };
        Ok(scale::Asked { load, steps: self.steps.clone(), max_p95: self.max_p95 })
    }
}

impl PerfMemory {
    /// The operations that the command line asks for.
    pub(super) fn load(&self) -> Result<memory::Asked, Failure> {
        Ok(memory::Asked {
            load: self.request.asked(&memory::Asked::default().load)?,
            operations: self.operations,
            max_growth: self.max_growth,
            strict: self.strict,
            pid: self.pid,
            metrics: self.metrics.as_deref().map(Secret::new),
            heap: self.heap.clone(),
        })
    }
}

impl PerfRequest {
    /// `usual`, with what is to be sent and how.
    fn asked(&self, usual: &load::Asked) -> Result<load::Asked, Failure> {
        Ok(load::Asked {
            threads: self.threads,
            timeout: self.timeout,
            request: self.request()?,
            fresh: self.fresh_connections,
            expected: self.expect.clone(),
            ca: self.ca.clone(),
            ..usual.clone()
        })
    }

    fn request(&self) -> Result<load::Request, Failure> {
        let unusable = |why: String| Failure::unusable("the request cannot be made", why);
        let read = |path: &Path| {
            fs::read(path).map_err(|error| unusable(format!("{}: {error}", path.display())))
        };
        let mut lines: Vec<String> = Vec::new();
        for line in &self.header {
            match line.strip_prefix('@') {
                Some(path) => {
                    let text = String::from_utf8_lossy(&read(Path::new(path))?).into_owned();
                    lines
                        .extend(text.lines().filter(|it| !it.trim().is_empty()).map(str::to_owned));
                }
                None => lines.push(line.clone()),
            }
        }
        let fields = lines.iter().map(|line| load::Request::field(line));
        let fields = fields.collect::<Result<_, _>>().map_err(unusable)?;
        let body = self.body.as_deref().map(read).transpose()?.unwrap_or_default();
        Ok(load::Request { method: self.method.clone(), fields, body: body.into() })
    }
}

fn arrivals(rate: Option<f64>, poisson: bool) -> Arrivals {
    match (rate, poisson) {
        (None, _) => Arrivals::Closed,
        (Some(rate), false) => Arrivals::Constant { rate },
        (Some(rate), true) => Arrivals::Poisson { rate },
    }
}
