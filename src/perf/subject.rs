use super::Trip;
use crate::domain::plain;
use std::{fmt, future::Future};

/// Characters of an error's class.
const CLASS: usize = 24;
/// Characters of what an error says.
const SAYS: usize = 160;

/// What is put under load.
///
/// It is shared by the threads that the clients run on. `connect` and the trips
/// of a client run on that client's thread and need not be `Send`. All of them
/// may be dropped at any await.
pub trait Subject: Send + Sync + 'static {
    /// One virtual user.
    type Client: Client;

    /// What its operations are called; a trip names them by their place in here.
    fn operations(&self) -> Vec<String>;

    /// Opens the connection of one more client. It is given five seconds.
    fn connect(&self) -> impl Future<Output = Result<Self::Client, Broken>>;

    /// Looks once a second whether the target can bear it.
    ///
    /// # Errors
    ///
    /// Why the test must stop, in a clause with the figure and its limit.
    fn look(&self) -> impl Future<Output = Result<(), String>> + Send;
}

/// One virtual user with a connection of its own.
pub trait Client: 'static {
    /// Does [`Trip::left`] operations, and tells the trip of each as it ends.
    ///
    /// # Errors
    ///
    /// The connection is of no more use. What has not ended counts as failed,
    /// and another client is connected in its place.
    fn trip(&mut self, trip: &mut Trip<'_>) -> impl Future<Output = Result<(), Broken>>;
}

/// Why a connection is of no more use, or why there is none.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Broken {
    /// Under which word failures are counted: `closed`, `refused`, `NOAUTH`.
    pub class: String,
    /// What happened, in a clause, safe to print and without any secret.
    pub says: String,
    /// Whether this host lacks something, so that the target is not to blame.
    pub ours: bool,
}

impl Broken {
    /// Both texts are cut and made safe to print.
    pub fn new(class: &str, says: &str) -> Self {
        Self { class: plain(class, CLASS), says: plain(says, SAYS), ours: false }
    }

    /// The same, where this host lacks what it takes: descriptors, ports, memory.
    pub fn ours(class: &str, says: &str) -> Self {
        Self { ours: true, ..Self::new(class, says) }
    }
}

impl fmt::Display for Broken {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.says)
    }
}
