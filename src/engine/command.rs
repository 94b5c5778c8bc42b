use crate::domain::{Acceptance, CheckId, IntegrationId, Notice, Past, Topic};
use serde::{Deserialize, Serialize};
use thiserror::Error;

/// What a reader may ask of the engine. Plain data: it can cross a socket.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Command {
    /// Run these checks now and come to a confirmed answer: a burst of up to
    /// three attempts. One already running is followed by one more burst.
    Recheck(Selection),
    /// Run these checks once more, for what they measure; that is no news by itself.
    Sample(Selection),
    /// Stop these runs; they end as unknown.
    Cancel(Selection),
    /// Run nothing by itself until [`Command::Resume`].
    Pause,
    /// Poll again.
    Resume,
    /// Let somebody answer for a blocker until a given end.
    Accept(Acceptance),
    /// The app serves this version now; another one than before is a deploy.
    Serves(String),
    /// Take a baseline under this name, and let only what is seen afterwards count.
    Baseline(String),
    /// Take in what earlier sessions saw.
    Recall(Box<Past>),
    /// Tell the user something, in place of what was told about the same before.
    Tell(Notice),
    /// What was told about it does not hold any more.
    Untell(Topic),
}

/// Which checks a command means.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Selection {
    /// Every check that runs by itself.
    All,
    /// The checks of one integration that run by themselves.
    Integration(IntegrationId),
    /// One check; the only way to run one on demand.
    Check(CheckId),
}

/// Why a command was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Error)]
pub enum Refused {
    /// Too many are waiting. Nothing was lost; ask again.
    #[error("busy: the last requests are still being handled")]
    Busy,
    /// The engine has stopped.
    #[error("the engine has stopped")]
    Stopped,
}
