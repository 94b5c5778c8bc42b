//! What a rate limit must do, and how to find out whether it does.

use super::{
    super::{
        Bench, Case, Claim, Expiry, Held, Left, Needs, Upset,
        case::{CLOCK, ONE_SERVER},
        watched,
    },
    Key, Rate, RateLimit, Ruling,
    oracle::{Burst, admissible},
};
use crate::units;
use futures_util::future::join_all;
use std::time::Duration;
use tokio::time::{Instant, sleep_until};

const WINDOW: Duration = Duration::from_millis(450);
/// Long enough for every step of a case, however slow the link.
const LONG: Duration = Duration::from_secs(20);
/// How many calls each of two clients makes at once.
const CROWD: usize = 2;
/// How exact the time told need be.
const GRAIN: Duration = Duration::from_millis(5);
const MISSED: Upset = Upset::Missed("called too late to tell what a log would say");
/// When so many calls are made, in tenths of a window: no window that begins at
/// fixed times gives the rulings that a sliding one gives.
const BURSTS: [(u32, usize); 4] = [(0, 1), (3, 2), (9, 1), (12, 2)];

/// The cases, in the order to show them.
pub(crate) const CASES: &[Case<dyn RateLimit>] = &[
    Case {
        id: "R1",
        guarantee: "as many calls get through as allowed, and no more",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(counts(bench)),
    },
    Case {
        id: "R2",
        guarantee: "all clients share one limit",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(shared(bench)),
    },
    Case {
        id: "R3",
        guarantee: "the limit holds in every window",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(slides(bench)),
    },
    Case {
        id: "R4",
        guarantee: "a refusal costs nothing and says when to return",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(returns(bench)),
    },
    Case {
        id: "R6",
        guarantee: "several calls get through together or not at all",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(together(bench)),
    },
    Case {
        id: "R7",
        guarantee: "each key has a limit of its own",
        remedy: ONE_SERVER,
        needs: Needs::Nothing,
        run: |bench| Box::pin(apart(bench)),
    },
    Case {
        id: "R8",
        guarantee: "what is not used is forgotten",
        remedy: CLOCK,
        needs: Needs::QuickLink,
        run: |bench| Box::pin(forgotten(bench)),
    },
];

const fn is_admitted(ruling: &Ruling) -> bool {
    matches!(ruling, Ruling::Admitted { .. })
}

/// Makes a call that must get through, under a limit of one.
async fn only(bench: &Bench<dyn RateLimit>, key: &Key, rate: Rate) -> Result<Expiry, Upset> {
    let (ruling, set) = watched(bench.back_end.ask(key, 1, rate)).await?;
    let claim = Claim {
        else_says: "the first call is refused",
        asked: "the first call of a limit of 1",
        wanted: "let through, 0 remaining",
    };
    claim.holds(ruling == Ruling::Admitted { remaining: 0 }, &ruling)?;
    Ok(Expiry { set, ttl: rate.window, slack: bench.pace.slack() })
}

async fn counts(bench: &Bench<dyn RateLimit>) -> Result<Held, Upset> {
    let (limits, key) = (&*bench.back_end, bench.keys.key("r1"));
    let rate = Rate { calls: 2, window: LONG };
    let mut rulings = Vec::new();
    for _ in 0..3 {
        rulings.push(limits.ask(&key, 1, rate).await?);
    }
    let claim = Claim {
        else_says: "not as many calls as allowed got through",
        asked: "3 calls under a limit of 2 in 20 s",
        wanted: "1, 0 remaining, then a refusal",
    };
    let as_told = rulings.iter().enumerate().all(|(nth, ruling)| match ruling {
        Ruling::Admitted { remaining } => nth < 2 && *remaining == 1 - nth,
        Ruling::Refused { remaining, retry_after } => {
            nth >= 2 && *remaining == 0 && !retry_after.is_zero() && *retry_after <= LONG
        }
        Ruling::Never => false,
    });
    claim.holds(as_told, &rulings)?;
    Ok(Held::saw("2 of 3 let through under a limit of 2"))
}

async fn shared(bench: &Bench<dyn RateLimit>) -> Result<Held, Upset> {
    let (key, rate) = (bench.keys.key("r2"), Rate { calls: 3, window: LONG });
    let (one, other) = (bench.back_end.peer(), bench.back_end.peer());
    let calls = (0..CROWD).flat_map(|_| [one.ask(&key, 1, rate), other.ask(&key, 1, rate)]);
    let rulings = join_all(calls).await.into_iter().collect::<Result<Vec<_>, _>>()?;
    let admitted = rulings.iter().filter(|ruling| is_admitted(ruling)).count();
    let claim = Claim {
        else_says: "clients do not share the limit",
        asked: "two clients, 2 calls each, limit 3",
        wanted: "3 let through",
    };
    claim.holds(admitted == rate.calls, &admitted)?;
    Ok(Held::saw(format!("{admitted} of {} calls of two clients let through", CROWD * 2)))
}

async fn slides(bench: &Bench<dyn RateLimit>) -> Result<Held, Upset> {
    let (limits, key) = (&*bench.back_end, bench.keys.key("r3"));
    let rate = Rate { calls: 3, window: bench.pace.ttl(WINDOW) };
    let claim = Claim {
        else_says: "the limit does not hold in every window",
        asked: "1, 2, 1, 2 calls after 0, 0.3, 0.9, 1.2 windows",
        wanted: "as many as an exact log lets through",
    };
    let (began, mut bursts, mut unsure) = (Instant::now(), Vec::new(), 0);
    for (tenths, calls) in BURSTS {
        sleep_until(began + rate.window * tenths / 10).await;
        let asked = join_all((0..calls).map(|_| limits.ask(&key, 1, rate)));
        let rulings = async { asked.await.into_iter().collect::<Result<Vec<_>, _>>() };
        let (rulings, seen) = watched(rulings).await?;
        let admitted = rulings.iter().filter(|ruling| is_admitted(ruling)).count();
        let right = admissible(&bursts, seen, calls, rate);
        bursts.push(Burst { seen, admitted });
        let so_far: Vec<usize> = bursts.iter().map(|burst| burst.admitted).collect();
        claim.holds(right.contains(&admitted), &so_far)?;
        unsure += usize::from(right.start() != right.end());
    }
    if unsure > 1 {
        return Err(MISSED);
    }
    let admitted: Vec<String> = bursts.iter().map(|burst| burst.admitted.to_string()).collect();
    Ok(Held::saw(format!("{} let through, as by a log", admitted.join(", "))))
}

async fn returns(bench: &Bench<dyn RateLimit>) -> Result<Held, Upset> {
    let (limits, key) = (&*bench.back_end, bench.keys.key("r4"));
    let rate = Rate { calls: 1, window: bench.pace.ttl(WINDOW) };
    let expiry = only(bench, &key, rate).await?;
    let refused = Claim {
        else_says: "a refusal does not say when to return",
        asked: "a second call under a limit of 1",
        wanted: "refused until the first is a window ago",
    };
    expiry.nearly().await;
    let (early, seen) = watched(limits.ask(&key, 1, rate)).await?;
    match early {
        Ruling::Refused { remaining: 0, retry_after } => {
            let shortest = expiry.set.from + rate.window - seen.to;
            let longest = expiry.set.to + rate.window - seen.from;
            let is_right = retry_after + GRAIN >= shortest && retry_after <= longest + GRAIN;
            refused.holds(is_right, &early)?;
        }
        Ruling::Admitted { .. } if seen.to >= expiry.earliest() => return Err(MISSED),
        Ruling::Admitted { .. } | Ruling::Refused { .. } | Ruling::Never => {
            return Err(refused.fails(&early));
        }
    }
    expiry.over().await;
    let late = limits.ask(&key, 1, rate).await?;
    let returned = Claim {
        else_says: "who returns when told is refused again",
        asked: "a call a window after the one let through",
        wanted: "let through, 0 remaining",
    };
    returned.holds(late == Ruling::Admitted { remaining: 0 }, &late)?;
    let (window, slack) = (units::span(rate.window), units::span(expiry.slack));
    Ok(Held::saw(format!("refused before {window}, let through {slack} after")))
}

async fn together(bench: &Bench<dyn RateLimit>) -> Result<Held, Upset> {
    let (limits, key) = (&*bench.back_end, bench.keys.key("r6"));
    let rate = Rate { calls: 5, window: LONG };
    let mut rulings = Vec::new();
    for calls in [6, 3, 3, 0, 2] {
        rulings.push(limits.ask(&key, calls, rate).await?);
    }
    let claim = Claim {
        else_says: "calls made together are counted wrongly",
        asked: "6, 3, 3, 0 and 2 calls under a limit of 5",
        wanted: "never, 2 left, refused, 2 left, 0 left",
    };
    let as_told = matches!(
        rulings[..],
        [
            Ruling::Never,
            Ruling::Admitted { remaining: 2 },
            Ruling::Refused { remaining: 2, .. },
            Ruling::Admitted { remaining: 2 },
            Ruling::Admitted { remaining: 0 },
        ]
    );
    claim.holds(as_told, &rulings)?;
    Ok(Held::saw("3 and 2 of 5 let through, 6 never, 3 more not"))
}

async fn apart(bench: &Bench<dyn RateLimit>) -> Result<Held, Upset> {
    let rate = Rate { calls: 1, window: LONG };
    only(bench, &bench.keys.key("r7-one"), rate).await?;
    only(bench, &bench.keys.key("r7-other"), rate).await?;
    Ok(Held::saw("a used up limit leaves another untouched"))
}

async fn forgotten(bench: &Bench<dyn RateLimit>) -> Result<Held, Upset> {
    let (limits, key) = (&*bench.back_end, bench.keys.key("r8"));
    let expiry = only(bench, &key, Rate { calls: 1, window: bench.pace.ttl(WINDOW) }).await?;
    let (left, seen) = watched(limits.left(&key)).await?;
    expiry.fits(seen, left)?;
    expiry.over().await;
    let (left, seen) = watched(limits.left(&key)).await?;
    expiry.gone(seen, left != Left::Absent)?;
    Ok(Held::saw(format!("gone {} after its window", units::span(expiry.slack))))
}

#[cfg(test)]
#[expect(clippy::wildcard_enum_match_arm, reason = "a flaw concerns one thing")]
mod tests {
    use super::{
        super::{
            super::{Answer, case::endings},
            InProcess,
        },
        *,
    };
    use std::sync::{Arc, OnceLock};
    use tokio::time::sleep;

    /// What a broken limit may get wrong.
    #[derive(Clone, Copy, Debug, PartialEq)]
    enum Flaw {
        LetsOneMoreIn,
        LetsNobodyIn,
        WindowsAreFixed,
        ForgetsTooSoon,
        ForgetsTooLate,
        RefusalsCost,
        SaysZero,
        SaysTheWindow,
        CountsMomentsOnly,
        LetsSomeIn,
        LookingCosts,
        CountsPerClient,
        CountsAllKeysTogether,
        NeverExpires,
        Stalls,
    }

    struct Flawed(InProcess, Flaw, OnceLock<Key>);

    impl Flawed {
        /// Gives all calls so far the moment `at`.
        fn move_all(&self, key: &Key, at: Option<Instant>) {
            if let (Some(at), Some(log)) = (at, self.0.logs().get(key.as_str())) {
                log.fill(at);
            }
        }

        fn first(&self, key: &Key) -> Option<Instant> {
            self.0.logs().get(key.as_str())?.first().copied()
        }

        async fn refused(&self, key: &Key, calls: usize, rate: Rate, told: Ruling) -> Ruling {
            let Ruling::Refused { remaining, .. } = told else { return told };
            match self.1 {
                Flaw::LetsSomeIn => self.0.ask(key, remaining, rate).await.unwrap(),
                Flaw::SaysZero => Ruling::Refused { remaining, retry_after: Duration::ZERO },
                Flaw::SaysTheWindow => Ruling::Refused { remaining, retry_after: rate.window },
                Flaw::RefusalsCost => {
                    let now = Instant::now();
                    self.0.logs().get(key.as_str()).unwrap().extend(vec![now; calls]);
                    self.0.logs().keep(key.as_str(), rate.window);
                    told
                }
                _ => told,
            }
        }
    }

    impl RateLimit for Flawed {
        fn ask<'a>(&'a self, key: &'a Key, calls: usize, rate: Rate) -> Answer<'a, Ruling> {
            Box::pin(async move {
                let (mut allowed, mut asked) = (rate, calls);
                let any = self.2.get_or_init(|| key.clone());
                let key = if self.1 == Flaw::CountsAllKeysTogether { any } else { key };
                let first = self.first(key);
                match self.1 {
                    Flaw::LetsOneMoreIn => allowed.calls += 1,
                    Flaw::LetsNobodyIn => allowed.calls = 0,
                    Flaw::ForgetsTooSoon => allowed.window = rate.window / 2,
                    Flaw::ForgetsTooLate => allowed.window = rate.window * 2,
                    Flaw::CountsMomentsOnly => asked = calls.min(1),
                    Flaw::LookingCosts => asked = calls.max(1),
                    Flaw::Stalls if first.is_some() => sleep(Duration::from_millis(120)).await,
                    _ => {}
                }
                let told = self.0.ask(key, asked, allowed).await?;
                if self.1 == Flaw::WindowsAreFixed {
                    self.move_all(key, first.filter(|first| first.elapsed() < rate.window));
                }
                Ok(self.refused(key, calls, rate, told).await)
            })
        }

        fn left<'a>(&'a self, key: &'a Key) -> Answer<'a, Left> {
            Box::pin(async move {
                if self.1 == Flaw::NeverExpires {
                    return Ok(Left::Forever);
                }
                self.0.left(key).await
            })
        }

        fn peer(&self) -> Arc<dyn RateLimit> {
            let of = match self.1 {
                Flaw::CountsPerClient => InProcess::default(),
                _ => self.0.clone(),
            };
            Arc::new(Self(of, self.1, OnceLock::new()))
        }
    }

    async fn broken(flaw: Flaw) -> Vec<(&'static str, &'static str)> {
        endings(CASES, Arc::new(Flawed(InProcess::default(), flaw, OnceLock::new()))).await
    }

    #[tokio::test(start_paused = true)]
    async fn the_stand_in_keeps_every_promise() {
        let ended = endings(CASES, Arc::new(InProcess::default())).await;
        assert_eq!(ended, ["R1", "R2", "R3", "R4", "R6", "R7", "R8"].map(|id| (id, "held")));
    }

    #[tokio::test(start_paused = true)]
    async fn every_flaw_is_noticed() {
        let cases = [
            (Flaw::LetsOneMoreIn, "R1"),
            (Flaw::LetsNobodyIn, "R1"),
            (Flaw::WindowsAreFixed, "R3"),
            (Flaw::ForgetsTooSoon, "R3"),
            (Flaw::ForgetsTooSoon, "R4"),
            (Flaw::ForgetsTooLate, "R3"),
            (Flaw::ForgetsTooLate, "R4"),
            (Flaw::ForgetsTooLate, "R8"),
            (Flaw::RefusalsCost, "R4"),
            (Flaw::SaysZero, "R1"),
            (Flaw::SaysZero, "R4"),
            (Flaw::SaysTheWindow, "R4"),
            (Flaw::CountsMomentsOnly, "R6"),
            (Flaw::LetsSomeIn, "R6"),
            (Flaw::LookingCosts, "R6"),
            (Flaw::CountsPerClient, "R2"),
            (Flaw::CountsAllKeysTogether, "R7"),
            (Flaw::NeverExpires, "R8"),
        ];
        for (flaw, id) in cases {
            let ended = broken(flaw).await;
            assert!(ended.contains(&(id, "broken")), "{flaw:?}: {ended:?}");
        }
    }

    #[tokio::test(start_paused = true)]
    async fn a_stall_of_ours_is_never_a_broken_promise() {
        let ended = broken(Flaw::Stalls).await;
        assert!(ended.iter().all(|(_, word)| *word != "broken"), "{ended:?}");
        assert!(ended.contains(&("R4", "missed")), "{ended:?}");
    }
}
