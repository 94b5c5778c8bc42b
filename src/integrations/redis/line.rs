use super::{
    client::{Client, Purpose},
    transport::Transport,
    trouble::{Step, Trouble},
};
use crate::probe::Stopwatch;
use std::{sync::Arc, time::Duration};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

/// How long it may take to get at the shared connection, dialling included.
const TAKE: Duration = Duration::from_millis(2500);
/// How long dialling alone may take.
const DIAL: Duration = Duration::from_millis(1500);

/// The connection that all checks but `connect` share. Dialled on first use, and
/// anew whenever it is of no more use.
pub(super) struct Line {
    transport: Arc<Transport>,
    open: Mutex<Option<Arc<Client>>>,
}

impl Line {
    pub(super) fn new(transport: Arc<Transport>) -> Self {
        Self { transport, open: Mutex::new(None) }
    }

    /// A connection that has just answered.
    pub(super) async fn take(&self) -> Result<Arc<Client>, Trouble> {
        let late = Trouble::Late { step: Step::Answer, after: TAKE };
        timeout(TAKE, self.taken()).await.unwrap_or(Err(late))
    }

    async fn taken(&self) -> Result<Arc<Client>, Trouble> {
        let mut open = self.open.lock().await;
        if let Some(client) = open.as_ref()
            && answers(client).await
        {
            return Ok(Arc::clone(client));
        }
        *open = None;
        let deadline = Instant::now() + DIAL;
        let mut watch = Stopwatch::start();
        let fresh = Client::dial(&self.transport, Purpose::Data, &mut watch, deadline).await?;
        Ok(Arc::clone(open.insert(Arc::new(fresh))))
    }
}

/// Whether a connection that was idle still leads to its server. A server that
/// refuses answers too; it is for the check to hear what.
async fn answers(client: &Client) -> bool {
    if client.is_spent() {
        return false;
    }
    match client.ask(&redis::cmd("PING")).await {
        Ok(_) => true,
        Err(trouble) => trouble.is_refusal() && !trouble.ends_connection(),
    }
}
