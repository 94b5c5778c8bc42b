use super::{Expected, Request};
use crate::{
    domain::perf::{Arrivals, Load, PATIENCE},
    perf::{goals::Goals, plan::measures, wanted},
    units,
};
use std::{path::PathBuf, time::Duration};

/// Clients, at most: one address of this host has some 28 000 ports.
const CLIENTS: u32 = 20_000;
/// How long a request may take, at most.
const TIMEOUT: Duration = Duration::from_mins(1);

/// How long a soak measures, at least: begin and end take ten parts of six seconds each.
const SOAK: Duration = Duration::from_mins(2);

/// What kind of test it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Profile {
    /// 100 users, 1000 requests, over in a moment.
    Smoke,
    /// A plan of arrivals that no answer changes.
    #[default]
    Standard,
    /// Every client asks again as soon as it has its answer.
    Closed,
    /// Such a plan for half an hour: whether the end is as the begin.
    Soak,
}

impl Profile {
    /// Its word on the command line.
    pub fn word(self) -> &'static str {
        match self {
            Self::Smoke => "smoke",
            Self::Standard => "standard",
            Self::Closed => "closed",
            Self::Soak => "soak",
        }
    }

    /// What has to be said about any test like that.
    pub(super) fn notes(self) -> Vec<String> {
        let notes: &[&str] = match self {
            Self::Smoke => &[
                "rate and mean are one figure here: rate = users / mean, by Little's law",
                "it is over in a moment: cold code and caches are most of what it measures",
                "1000 requests leave ten beyond p99, and give p99.9 no upper bound",
                "94 % of 1000 are shown by 955 good answers, and not by 941",
                "a target that stands still is not asked: --profile standard sees that",
            ],
            Self::Standard | Self::Soak => &[],
            Self::Closed => {
                &["a target that stands still is not asked: --profile standard sees that"]
            }
        };
        notes.iter().copied().map(str::to_owned).collect()
    }
}

/// What load an HTTP server is to be put under.
#[derive(Clone, Debug, PartialEq)]
pub struct Asked {
    /// What kind of test it is.
    pub profile: Profile,
    /// Clients, each with a connection: also the most requests under way.
    pub clients: u32,
    /// When requests begin.
    pub arrivals: Arrivals,
    /// Threads that the clients run on.
    pub threads: u32,
    /// Before anything is measured.
    pub warm_up: Duration,
    /// How long to measure, unless a number ends it.
    pub duration: Duration,
    /// How many requests to measure.
    pub requests: Option<u64>,
    /// How long a request may take before it counts as never answered.
    pub timeout: Duration,
    /// What is asked.
    pub request: Request,
    /// Whether each request has a connection of its own.
    pub fresh: bool,
    /// Which answers are good ones.
    pub expected: Expected,
    /// What is wanted of the target.
    pub goals: Goals,
    /// The file with the issuers to trust, in place of those of this host.
    pub ca: Option<PathBuf>,
}

impl Default for Asked {
    fn default() -> Self {
        Self::of(Profile::default())
    }
}

impl Asked {
    /// The usual test of a kind.
    pub fn of(profile: Profile) -> Self {
        let seconds = Duration::from_secs;
        let (arrivals, warm_up, duration) = match profile {
            Profile::Smoke => (Arrivals::Closed, Duration::ZERO, seconds(10)),
            Profile::Standard => (Arrivals::Constant { rate: 500.0 }, seconds(10), seconds(30)),
            Profile::Closed => (Arrivals::Closed, seconds(2), seconds(10)),
            Profile::Soak => (Arrivals::Constant { rate: 500.0 }, seconds(10), seconds(1800)),
        };
        let goals = match profile {
            Profile::Smoke => Goals {
                mean: Some(Duration::from_millis(100)),
                errors: Some(0.06),
                rate: Some(500.0),
                ..Goals::default()
            },
            Profile::Standard | Profile::Closed | Profile::Soak => Goals::default(),
        };
        Self {
            profile,
            clients: 100,
            arrivals,
            threads: 1,
            warm_up,
            duration,
            requests: (profile == Profile::Smoke).then_some(1000),
            timeout: PATIENCE,
            request: Request::default(),
            fresh: false,
            expected: Expected::default(),
            goals,
            ca: None,
        }
    }

    /// What is wrong with it, if anything is: what it is and what is accepted.
    pub fn complaint(&self) -> Option<String> {
        let planned = self.arrivals.rate().is_some();
        None.or_else(|| self.request.complaint())
            .or_else(|| {
                let word = self.profile.word();
                let says = format!("--rate is for --profile standard and soak, not for {word}");
                (planned && matches!(self.profile, Profile::Smoke | Profile::Closed))
                    .then_some(says)
            })
            .or_else(|| {
                let says = "--profile smoke is 100 users and 1000 requests: take --profile closed";
                let usual = (self.clients, self.requests) == (100, Some(1000));
                (self.profile == Profile::Smoke && !usual).then(|| says.into())
            })
            .or_else(|| {
                let short = self.requests.is_some() || self.duration < SOAK;
                let says = "--profile soak ends with --duration, and measures for 2m at least";
                (self.profile == Profile::Soak && short).then(|| says.into())
            })
            .or_else(|| wanted::outside("clients", self.clients.into(), CLIENTS.into()))
            .or_else(|| wanted::threads(self.threads))
            .or_else(|| wanted::outside("requests", self.requests.unwrap_or(1), u64::MAX / 2))
            .or_else(|| wanted::rate(self.arrivals))
            .or_else(|| wanted::length(self.warm_up.max(measures(&self.load()))))
            .or_else(|| {
                let outside = !(Duration::from_millis(1)..=TIMEOUT).contains(&self.timeout);
                outside.then(|| "--timeout must be between 1ms and 60s".into())
            })
            .or_else(|| self.unreachable())
    }

    /// What is wrong with the goals: nothing could ever show that they are reached.
    fn unreachable(&self) -> Option<String> {
        let Goals { errors, rate, .. } = self.goals;
        let late = self.goals.longest().filter(|limit| *limit > self.timeout);
        let late = late.map(|limit| {
            let (limit, timeout) = (units::span(limit), units::span(self.timeout));
            format!("a goal of {limit} needs a --timeout of as much, which is {timeout}")
        });
        let share = errors.filter(|share| !(*share > 0.0 && *share <= 1.0));
        let share = share.map(|_| "--max-errors must be over 0 % and at most 100 %".to_owned());
        let slow = rate.filter(|rate| !(0.01..=1e7).contains(rate));
        let slow =
            slow.map(|rate| format!("--min-rate is {rate}; it must be between 0.01 and 1e7"));
        let planned = self.arrivals.rate().zip(rate).filter(|(planned, wanted)| wanted >= planned);
        let planned = planned.map(|(planned, wanted)| {
            format!("a plan of {planned}/s never shows --min-rate {wanted}: plan for more")
        });
        late.or(share).or(slow).or(planned)
    }

    /// The load that it is.
    pub fn load(&self) -> Load {
        Load {
            arrivals: self.arrivals,
            clients: self.clients,
            depth: 1,
            threads: self.threads.min(self.clients),
            warm_up: self.warm_up,
            duration: self.requests.is_none().then_some(self.duration),
            requests: self.requests,
            timeout: self.timeout,
        }
    }

    /// How long it takes, about, for whoever decides.
    pub(super) fn takes(&self) -> Duration {
        let quick = self.requests.is_some() && self.arrivals == Arrivals::Closed;
        let measures = if quick { Duration::from_secs(1) } else { measures(&self.load()) };
        self.warm_up.saturating_add(measures)
    }

    /// The load in a clause.
    pub(super) fn says(&self) -> String {
        let (method, clients) = (&self.request.method, self.clients);
        let arrivals = wanted::arrivals(self.arrivals);
        let requests = self.requests.map(|requests| format!("{requests} ")).unwrap_or_default();
        let fresh = if self.fresh { ", each on a new connection" } else { "" };
        format!("{requests}{method} with {clients} clients, {arrivals}{fresh}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    type Set = fn(&mut Asked, u64);

    fn fine(asked: &Asked) -> bool {
        asked.complaint().is_none()
    }

    #[test]
    fn each_limit_holds_at_both_sides() {
        let cases: [(Set, u64, u64); 4] = [
            (|asked, n| asked.clients = u32::try_from(n).unwrap(), 1, 20_000),
            (|asked, n| asked.threads = u32::try_from(n).unwrap(), 1, 64),
            (|asked, n| asked.timeout = Duration::from_millis(n), 1, 60_000),
            (|asked, n| asked.requests = Some(n), 1, 1_800_000),
        ];
        for (set, least, most) in cases {
            for (value, expected) in
                [(least - 1, false), (least, true), (most, true), (most + 1, false)]
            {
                let mut asked = Asked { duration: Duration::ZERO, ..Asked::default() };
                set(&mut asked, value);
                assert_eq!(fine(&asked), expected, "{value} of {most}");
            }
        }
        for (seconds, expected) in [(3600, true), (3601, false)] {
            let duration = Duration::from_secs(seconds);
            assert_eq!(fine(&Asked { duration, ..Asked::default() }), expected);
        }
    }

    #[test]
    fn a_profile_is_what_it_says() {
        for profile in [Profile::Smoke, Profile::Standard, Profile::Closed, Profile::Soak] {
            assert!(fine(&Asked::of(profile)), "{profile:?}");
        }
        let smoke = Asked::of(Profile::Smoke);
        assert!(!fine(&Asked { clients: 50, ..smoke.clone() }));
        assert!(!fine(&Asked { requests: None, ..smoke.clone() }));
        let plan = Arrivals::Constant { rate: 10.0 };
        assert!(!fine(&Asked { arrivals: plan, ..smoke.clone() }));
        assert!(!fine(&Asked { arrivals: plan, ..Asked::of(Profile::Closed) }));
        assert_eq!(smoke.says(), "1000 GET with 100 clients, closed loop");
        assert_eq!(smoke.load().duration, None);
        assert_eq!(Asked::default().takes(), Duration::from_secs(40));
        let soak = Asked::of(Profile::Soak);
        assert_eq!(soak.takes(), Duration::from_secs(1810));
        let of = |seconds| Asked { duration: Duration::from_secs(seconds), ..soak.clone() };
        assert!(fine(&of(120)) && !fine(&of(119)));
        assert!(!fine(&Asked { requests: Some(60_000), ..soak.clone() }));
        let fresh = Asked { fresh: true, ..Asked::default() };
        assert_eq!(fresh.says(), "GET with 100 clients, 500/s, each on a new connection");
    }

    #[test]
    fn a_goal_that_nothing_could_show_is_refused() {
        let with = |goals: Goals| Asked { goals, ..Asked::default() }.complaint();
        let p99 = |seconds| Goals {
            within: [None, None, Some(Duration::from_secs(seconds))],
            ..Goals::default()
        };
        assert_eq!(with(p99(5)), None);
        assert!(with(p99(6)).unwrap().contains("--timeout"));
        let errors = |share| with(Goals { errors: Some(share), ..Goals::default() }).is_none();
        assert!(errors(0.01) && errors(1.0) && !errors(0.0) && !errors(1.01) && !errors(f64::NAN));
        let rate = |rate| with(Goals { rate: Some(rate), ..Goals::default() }).is_none();
        assert!(rate(499.0) && !rate(500.0) && !rate(0.0));
    }
}
