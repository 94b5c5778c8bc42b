//! What stands behind an address: a server, a master that sentinels look after,
//! or a cluster.
//!
//! ```text
//! settings ─▶ entrance ─▶ transport ─▶ sentinel: who is master now?
//!                             │
//!     turn ◀── shards ◀───────┘        one master of a cluster for each run
//!     check ─▶ role · guards · members the verdict on the whole
//! ```
//!
//! A connection leads to one server, and no command is ever repeated behind the
//! back of a check: what a cluster or a failover does to applications is seen.

mod check;
mod cluster;
mod entrance;
mod guards;
mod members;
mod role;
mod sentinel;
mod shards;
mod turn;
mod verdict;

pub(crate) use entrance::{Announced, Entrance};
pub(crate) use sentinel::named_master;
pub(crate) use turn::{Reached, Turn, Turns};

use super::{client::Client, transport::Transport, trouble::Trouble};
use tokio::time::Instant;

/// What is done with a connection that was just greeted, before anybody uses it.
pub(super) async fn arrive(
    client: &mut Client,
    transport: &Transport,
    deadline: Instant,
) -> Result<(), Trouble> {
    if client.greeting.is_unspoken() && cluster::tells_of_one(client, deadline).await {
        client.greeting.mode = Some("cluster".into());
    }
    sentinel::confirm(client, transport, deadline).await
}
