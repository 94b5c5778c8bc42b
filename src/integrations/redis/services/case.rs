//! A guarantee, and how to find out whether a back end keeps it.

use super::{
    super::{
        keys::Keys,
        steps::{Step, Steps},
        trouble::Trouble,
    },
    Pace, Scene,
};
use futures_util::future::join_all;
use std::{fmt, pin::Pin, sync::Arc};

/// What a back end answers, in time or not at all.
pub(crate) type Answer<'a, T> = Pin<Box<dyn Future<Output = Result<T, Trouble>> + Send + 'a>>;
/// How a case ends.
pub(crate) type Trial<'a> = Pin<Box<dyn Future<Output = Result<Held, Upset>> + Send + 'a>>;

/// One guarantee of a service `S`, and how to find out whether it holds.
pub(crate) struct Case<S: ?Sized + 'static> {
    /// Short name: `C3`.
    pub(crate) id: &'static str,
    /// What is guaranteed, in a clause.
    pub(crate) guarantee: &'static str,
    /// What to do where it does not hold.
    pub(crate) remedy: &'static str,
    /// What the case cannot do without.
    pub(crate) needs: Needs,
    /// Finds out.
    pub(crate) run: for<'a> fn(&'a Bench<S>) -> Trial<'a>,
}

/// What a case cannot do without.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Needs {
    /// Nothing: it holds however slow the link is.
    Nothing,
    /// A link quick enough to tell when a key expires.
    QuickLink,
}

/// What a case works with.
pub(crate) struct Bench<S: ?Sized> {
    pub(crate) back_end: Arc<S>,
    pub(crate) keys: Keys,
    pub(crate) pace: Pace,
    /// What the server said of itself; nothing in process, or where it may not be asked.
    pub(crate) scene: Option<Arc<Scene>>,
}

/// The guarantee held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// What was seen, in a clause.
    pub(crate) saw: String,
    /// What took longer than it should, if anything did.
    pub(crate) slow: Option<String>,
    /// What may break it some day, if anything may.
    pub(crate) hazard: Option<String>,
}

/// The guarantee did not hold, or nobody can tell.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Upset {
    /// It does not hold.
    Broken(Broken),
    /// We were too late to see what we wanted to see: says nothing about the server.
    Missed(&'static str),
    /// The server did not do what was asked.
    Trouble(Trouble),
    /// There is nothing here that it could be asked of, for this reason.
    Moot(&'static str),
}

/// A guarantee that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) says: String,
    pub(crate) asked: &'static str,
    pub(crate) wanted: String,
    pub(crate) got: String,
    /// What to do about it, where that is known better than by the case.
    pub(crate) remedy: Option<&'static str>,
}

/// What to do where bytes come back changed.
pub(crate) const NO_PROXY: &str = "ask the server without the proxy in between: a proxy that \
    alters bytes breaks what is stored";

/// What to do where something came or went at the wrong time.
pub(crate) const CLOCK: &str =
    "look for evicted_keys in INFO stats, a flush, or a step of the server's clock";

/// What to do where the clock was set.
pub(crate) const SLEW: &str = "let NTP slew the server's clock, and never step it";

/// What to do where what must stay may be pushed out.
pub(crate) const KEEP_ALL: &str =
    "set maxmemory-policy noeviction, or give what must stay a server of its own";

/// What to do where one server, asked in one way, would have kept its promise.
pub(crate) const ONE_SERVER: &str = "look for several masters behind the address, a failover, a flush \
    or a proxy that alters commands";

/// A case that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) id: &'static str,
    pub(crate) guarantee: &'static str,
    pub(crate) remedy: &'static str,
    pub(crate) ended: Result<Held, Upset>,
    /// Its first commands, and the one that mattered.
    pub(crate) steps: Vec<Step>,
}

impl Ran {
    /// Whether a node of a cluster sent us to another one, because a slot moves.
    pub(crate) fn is_redirected(&self) -> bool {
        matches!(&self.ended, Err(Upset::Trouble(Trouble::Reply { code, .. }))
            if matches!(code.as_str(), "MOVED" | "ASK" | "TRYAGAIN"))
    }
}

/// One thing that must be so.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Claim {
    /// The failure, in a clause.
    pub(crate) else_says: &'static str,
    /// What is asked of the back end.
    pub(crate) asked: &'static str,
    /// The answer that is right.
    pub(crate) wanted: &'static str,
}

impl Claim {
    /// Goes on if it is so.
    pub(crate) fn holds(self, is_so: bool, got: &dyn fmt::Debug) -> Result<(), Upset> {
        if is_so { Ok(()) } else { Err(self.fails(got)) }
    }

    /// It is not so.
    pub(crate) fn fails(self, got: &dyn fmt::Debug) -> Upset {
        Upset::Broken(Broken {
            says: self.else_says.into(),
            asked: self.asked,
            wanted: self.wanted.into(),
            got: format!("{got:?}"),
            remedy: None,
        })
    }
}

impl Held {
    pub(crate) fn saw(what: impl Into<String>) -> Self {
        Self { saw: what.into(), slow: None, hazard: None }
    }

    /// The same, but for what took too long.
    pub(crate) fn but_slow(self, slow: Option<String>) -> Self {
        Self { slow, ..self }
    }

    /// The same, but for what may break it some day.
    pub(crate) fn but_for(self, hazard: Option<String>) -> Self {
        Self { hazard, ..self }
    }
}

impl From<Trouble> for Upset {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Runs the cases side by side, each on a bench of its own, leaving out those
/// that this link is too slow for.
pub(crate) async fn run_all<S: ?Sized>(
    cases: &'static [Case<S>],
    pace: Pace,
    set_up: impl Fn(&Steps) -> Bench<S>,
) -> Vec<Ran> {
    let fitting = cases.iter().filter(|case| pace.is_quick() || case.needs == Needs::Nothing);
    let runs = fitting.map(|case| {
        let steps = Steps::default();
        let bench = set_up(&steps);
        async move {
            let ended = (case.run)(&bench).await;
            let Case { id, guarantee, remedy, .. } = *case;
            Ran { id, guarantee, remedy, ended, steps: steps.shown() }
        }
    });
    join_all(runs).await
}

/// The same where no server is spoken to.
pub(crate) async fn run_in_process<S: ?Sized>(
    cases: &'static [Case<S>],
    back_end: Arc<S>,
    keys: Keys,
) -> Vec<Ran> {
    let pace = Pace::of(&[]);
    let set_up = |_: &Steps| Bench {
        back_end: Arc::clone(&back_end),
        keys: keys.clone(),
        pace,
        scene: None,
    };
    run_all(cases, pace, set_up).await
}

/// How each case ends on `back_end`, in a word: for tests of the cases themselves.
#[cfg(test)]
pub(crate) async fn endings<S: ?Sized>(
    cases: &'static [Case<S>],
    back_end: Arc<S>,
) -> Vec<(&'static str, &'static str)> {
    let word = |ended| match ended {
        Ok(_) => "held",
        Err(Upset::Broken(_)) => "broken",
        Err(Upset::Missed(_)) => "missed",
        Err(Upset::Trouble(_)) => "trouble",
        Err(Upset::Moot(_)) => "moot",
    };
    let ran = run_in_process(cases, back_end, Keys::new("test")).await;
    ran.into_iter().map(|ran| (ran.id, word(ran.ended))).collect()
}
