use super::{
    super::{
        super::{checks::info, client::is_pong, reply::odd, server::Server},
        Answer,
    },
    Metrics, Numbers,
    exposition::render,
    record::Record,
};
use std::sync::{Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The numbers of a server, from its `INFO`.
pub(crate) struct OnServer {
    server: Server,
    record: Mutex<Record>,
}

impl OnServer {
    pub(crate) fn new(server: Server) -> Self {
        Self { server, record: Mutex::default() }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Metrics for OnServer {
    fn operate(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let began = Instant::now();
            let answer = self.server.read(&redis::cmd("PING")).await;
            self.record().note(answer.as_ref().is_ok_and(is_pong), began.elapsed());
            let answer = answer?;
            if is_pong(&answer) { Ok(()) } else { Err(odd("PONG", &answer)) }
        })
    }

    fn numbers(&self) -> Answer<'_, Numbers> {
        Box::pin(async move { Ok(Numbers::of(&info(&self.server, None).await?)) })
    }

    fn export<'a>(&'a self, instance: &'a str) -> Answer<'a, String> {
        Box::pin(async move {
            let mut families = self.numbers().await?.families(instance);
            families.extend(self.record().families());
            Ok(render(&families))
        })
    }
}
