//! Bare sessions for a load test, and the one table that it works on.

mod dial;
mod link;
mod plain;
mod statements;
mod table;

pub use dial::Dial;
pub use link::{Keeper, Link, Session};
pub use plain::Plain;
pub use statements::Operation;
pub use table::LoadTable;

use super::fault::{Fault, Kind};

/// Why there is no session, or no answer: safe to print.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unable {
    /// The code under which failures are counted: an SQLSTATE, a number, a word.
    pub class: String,
    /// In a clause.
    pub says: String,
    /// What to do about it.
    pub hint: String,
    /// Whether the session is of no more use.
    pub broken: bool,
}

impl From<Fault> for Unable {
    fn from(fault: Fault) -> Self {
        let class = if fault.kind == Kind::Hung { "no answer" } else { "closed" };
        let class = if fault.code.is_empty() { class.into() } else { fault.code.clone() };
        let broken = !fault.keeps_session();
        Self { class, says: fault.says, hint: fault.remedy, broken }
    }
}
