//! A guarantee, and how to find out whether a back end keeps it.

use super::{super::keys::Keys, super::trouble::Trouble, Pace};
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
}

/// The guarantee held.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Held {
    /// What was seen, in a clause.
    pub(crate) saw: String,
    /// What took longer than it should, if anything did.
    pub(crate) slow: Option<String>,
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
}

/// A guarantee that does not hold.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Broken {
    pub(crate) says: String,
    pub(crate) asked: &'static str,
    pub(crate) wanted: String,
    pub(crate) got: String,
    pub(crate) remedy: &'static str,
}

/// What to do where one server, asked in one way, would have kept its promise.
pub(crate) const ONE_SERVER: &str = "look for several masters behind the address, a failover, a flush \
    or a proxy that alters commands";

/// A case that was run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Ran {
    pub(crate) id: &'static str,
    pub(crate) guarantee: &'static str,
    pub(crate) ended: Result<Held, Upset>,
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
            remedy: ONE_SERVER,
        })
    }
}

impl Held {
    pub(crate) fn saw(what: impl Into<String>) -> Self {
        Self { saw: what.into(), slow: None }
    }
}

impl From<Trouble> for Upset {
    fn from(trouble: Trouble) -> Self {
        Self::Trouble(trouble)
    }
}

/// Runs the cases side by side, leaving out those that this link is too slow for.
pub(crate) async fn run_all<S: ?Sized>(cases: &'static [Case<S>], bench: &Bench<S>) -> Vec<Ran> {
    let fitting = cases.iter().filter(|case| bench.pace.is_quick() || case.needs == Needs::Nothing);
    let runs = fitting.map(|case| async {
        let ended = (case.run)(bench).await;
        Ran { id: case.id, guarantee: case.guarantee, ended }
    });
    join_all(runs).await
}

/// How each case ends on `back_end`, in a word: for tests of the cases themselves.
#[cfg(test)]
pub(crate) async fn endings<S: ?Sized>(
    cases: &'static [Case<S>],
    back_end: Arc<S>,
) -> Vec<(&'static str, &'static str)> {
    let bench = Bench { back_end, keys: Keys::new("test"), pace: Pace::of(&[]) };
    let word = |ended| match ended {
        Ok(_) => "held",
        Err(Upset::Broken(_)) => "broken",
        Err(Upset::Missed(_)) => "missed",
        Err(Upset::Trouble(_)) => "trouble",
    };
    run_all(cases, &bench).await.into_iter().map(|ran| (ran.id, word(ran.ended))).collect()
}
