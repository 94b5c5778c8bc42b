use crate::domain::{Mark, Outcome};

/// One aspect of an instance: what does not change from look to look.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Aspect {
    /// In a word or two.
    pub(super) name: &'static str,
    /// From where on it is a warning, and a failure.
    pub(super) limit: &'static str,
    /// Why anybody should care.
    pub(super) why: &'static str,
    /// The command that shows it.
    pub(super) see: &'static str,
    /// What to do about it; what an operator may send, and we never do.
    pub(super) remedy: &'static str,
}

/// One aspect of an instance, judged.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Row {
    pub(super) aspect: &'static Aspect,
    pub(super) grade: Grade,
    /// What was seen, in a clause; the limit too where it does not hold.
    pub(super) says: String,
}

/// How good an aspect is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Grade {
    /// It takes another look to tell.
    Open,
    Fine,
    Warn,
    Fail,
}

impl Row {
    pub(super) fn new(aspect: &'static Aspect, grade: Grade, says: impl Into<String>) -> Self {
        Self { aspect, grade, says: says.into() }
    }

    /// It takes another look to tell.
    pub(super) fn open(aspect: &'static Aspect) -> Self {
        Self::new(aspect, Grade::Open, "not compared yet")
    }
}

impl Grade {
    /// Fine below `soft`, fail from `hard`.
    pub(super) fn of(share: f64, (soft, hard): (f64, f64)) -> Self {
        match share {
            share if share >= hard => Self::Fail,
            share if share >= soft => Self::Warn,
            _ => Self::Fine,
        }
    }

    /// A warning if so.
    pub(super) fn warn_if(so: bool) -> Self {
        if so { Self::Warn } else { Self::Fine }
    }

    pub(super) fn outcome(self) -> Outcome {
        match self {
            Self::Open | Self::Fine => Outcome::Pass,
            Self::Warn => Outcome::Warn,
            Self::Fail => Outcome::Fail,
        }
    }

    pub(super) fn mark(self) -> Mark {
        match self {
            Self::Open => Mark::Unknown,
            Self::Fine => Mark::Pass,
            Self::Warn => Mark::Warn,
            Self::Fail => Mark::Fail,
        }
    }
}

/// `part` of `whole`, from 0.0 to 1.0 and more.
#[expect(clippy::cast_precision_loss, reason = "a share needs no more digits than f64 has")]
pub(super) fn share(part: u64, whole: u64) -> f64 {
    part as f64 / whole as f64
}

/// `1 key`, `2 keys`.
pub(super) fn some(n: u64, noun: &str) -> String {
    if n == 1 { format!("1 {noun}") } else { format!("{n} {noun}s") }
}

/// A share for people, rounded down so that 100 means all of it.
pub(super) fn percent(share: f64) -> String {
    format!("{:.0} %", (share * 100.0).floor())
}
