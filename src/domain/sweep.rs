use serde::{Deserialize, Serialize};

/// What came of looking for what killed runs left on a target.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(tag = "is", rename_all = "snake_case")]
pub enum Sweep {
    /// Its checks leave nothing behind, so nobody looked.
    NotNeeded,
    /// Nothing may be removed there, as nothing may be written.
    NotAllowed {
        /// What to do about it.
        remedy: String,
    },
    /// Somebody looked.
    Done(Swept),
    /// It could not be looked at.
    Failed {
        /// Why not, in a clause.
        why: String,
        /// What to do about it.
        remedy: String,
    },
}

/// What was found on a target, and what became of it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Swept {
    /// Keys, rows or objects that were looked at.
    pub looked: u64,
    /// How many were ours, of a run that is over, and are gone now.
    pub removed: u64,
    /// How many belong to runs that are alive, and were left alone.
    pub living: u64,
    /// How many are of runs that nobody knows here; they expire by themselves.
    pub expiring: u64,
    /// How many should be gone and are not.
    pub left: u64,
    /// Whether everything was looked at.
    pub whole: bool,
}

impl Sweep {
    /// Whether nothing of a killed run can still be there.
    pub fn is_clean(&self) -> bool {
        match self {
            Self::NotNeeded => true,
            Self::Done(swept) => swept.whole && swept.left == 0,
            Self::NotAllowed { .. } | Self::Failed { .. } => false,
        }
    }

    /// Whether something of a killed run is known to be there.
    pub fn is_dirty(&self) -> bool {
        matches!(self, Self::Done(swept) if swept.left > 0)
    }
}
