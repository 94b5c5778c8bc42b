use super::{
    super::{
        super::{checks::info, reply::list, server::Server},
        Answer,
    },
    Exporter, Metrics, Numbers,
    exposition::render,
    record::Record,
};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use tokio::time::Instant;

/// The numbers of a server, from its `INFO`.
pub(crate) struct OnServer {
    server: Server,
    exporter: Option<Arc<Exporter>>,
    record: Mutex<Record>,
}

impl OnServer {
    pub(crate) fn new(server: Server, exporter: Option<Arc<Exporter>>) -> Self {
        Self { server, exporter, record: Mutex::default() }
    }

    fn record(&self) -> MutexGuard<'_, Record> {
        self.record.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Metrics for OnServer {
    fn operate(&self) -> Answer<'_, ()> {
        Box::pin(async move {
            let began = Instant::now();
            // Not PING: a server whose last save failed refuses that, and counts all the same.
            let answer = self.server.read(&redis::cmd("TIME")).await.and_then(list::<2>);
            self.record().note(answer.is_ok(), began.elapsed());
            answer.map(drop)
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

    fn elsewhere(&self) -> Answer<'_, Option<Result<String, String>>> {
        Box::pin(async move {
            match &self.exporter {
                Some(exporter) => Ok(Some(exporter.export().await)),
                None => Ok(None),
            }
        })
    }
}
