use super::{
    client::{Client, Purpose, unanswered},
    transport::Transport,
    trouble::{FIND_WHO_CLOSES, Trouble},
};
use crate::{
    domain::{Finding, Outcome},
    probe::{ProbeError, Run, Stopwatch},
};
use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};
use tokio::{
    sync::Mutex,
    time::{Instant, timeout},
};

/// How long it may take to get at the shared connection, dialling included.
const TAKE: Duration = Duration::from_millis(2500);
/// How long dialling alone may take.
const DIAL: Duration = Duration::from_millis(1500);
/// How long one answer stands for all: eight checks that start together are one
/// attempt, and the next attempt of a check is one of its own.
const ONE_ATTEMPT: Duration = Duration::from_millis(200);
/// A run that took longer is not worth another within its time.
const SHORT: Duration = Duration::from_millis(2500);
/// Connections lost within this span say how steady the way to the server is.
const STEADY: Duration = Duration::from_secs(10);

/// The connection that all checks but `connect` share. Dialled on first use, and
/// anew whenever it is of no more use.
pub(super) struct Line {
    transport: Arc<Transport>,
    held: Mutex<Held>,
    /// Commands that keeping it up took, and that nobody has told of yet.
    upkeep: AtomicU64,
}

#[derive(Default)]
enum Held {
    #[default]
    Nothing,
    /// It answered then.
    Open(Instant, Arc<Client>),
    /// Dialling failed, then and for this reason.
    Failed(Instant, Trouble),
}

impl Line {
    pub(super) fn new(transport: Arc<Transport>) -> Self {
        Self { transport, held: Mutex::default(), upkeep: AtomicU64::default() }
    }

    /// A connection that has just answered.
    pub(super) async fn take(&self) -> Result<Arc<Client>, Trouble> {
        let (began, taken) = (Instant::now(), self.taken(ONE_ATTEMPT));
        timeout(TAKE, taken).await.unwrap_or_else(|_| Err(unanswered(TAKE, began.elapsed())))
    }

    /// A connection of its own, for who only looks: what waits on the shared one, as
    /// a write that is held back, would hold up the looking too.
    pub(super) async fn look(&self) -> Result<Arc<Client>, Trouble> {
        let (mut watch, deadline) = (Stopwatch::start(), Instant::now() + DIAL);
        Client::dial(&self.transport, Purpose::Probe, &mut watch, deadline).await.map(Arc::new)
    }

    /// Sees to it that there is a connection, now that the server is known to answer.
    pub(super) async fn renew(&self) {
        // What comes of it is for those to say who use it.
        drop(timeout(TAKE, self.taken(Duration::ZERO)).await);
    }

    /// How many commands keeping it up took since this was asked last.
    pub(super) fn upkeep(&self) -> u64 {
        self.upkeep.swap(0, Relaxed)
    }

    async fn taken(&self, stands_for: Duration) -> Result<Arc<Client>, Trouble> {
        let mut held = self.held.lock().await;
        match &mut *held {
            Held::Open(when, client) if !client.is_spent() && when.elapsed() < ONE_ATTEMPT => {
                return Ok(Arc::clone(client));
            }
            Held::Open(when, client) if self.answers(client).await => {
                *when = Instant::now();
                return Ok(Arc::clone(client));
            }
            Held::Failed(when, trouble) if when.elapsed() < stands_for => {
                return Err(trouble.clone());
            }
            Held::Nothing | Held::Open(..) | Held::Failed(..) => {}
        }
        *held = Held::Nothing;
        let deadline = Instant::now() + DIAL;
        let mut watch = Stopwatch::start();
        match Client::dial(&self.transport, Purpose::Data, &mut watch, deadline).await {
            Ok(fresh) => {
                let fresh = Arc::new(fresh);
                self.upkeep.fetch_add(fresh.sent(), Relaxed);
                *held = Held::Open(Instant::now(), Arc::clone(&fresh));
                Ok(fresh)
            }
            Err(trouble) => {
                *held = Held::Failed(Instant::now(), trouble.clone());
                Err(trouble)
            }
        }
    }

    /// Whether a connection that was idle still leads to its server. A server that
    /// refuses answers too; it is for the check to hear what.
    async fn answers(&self, client: &Client) -> bool {
        if client.is_spent() {
            return false;
        }
        self.upkeep.fetch_add(1, Relaxed);
        match client.ask(&redis::cmd("PING")).await {
            Ok(_) => true,
            Err(trouble) => trouble.is_refusal() && !trouble.ends_connection(),
        }
    }

    /// Runs a check, and once more where it failed while the connection was lost
    /// under it, or led to a server that says that it is the wrong one.
    pub(super) async fn steadily<'a>(
        &'a self,
        run: impl Fn() -> Run<'a> + Send,
    ) -> Result<Finding, ProbeError> {
        let (ended, began) = (self.transport.crowd.ended(), Instant::now());
        let first = run().await?;
        let lost = self.transport.crowd.ended() > ended;
        if first.outcome != Outcome::Fail || !lost || began.elapsed() > SHORT {
            return Ok(first);
        }
        let mut again = run().await?;
        again.evidence = again.evidence.fact("reconnected", "once, during the run");
        Ok(again)
    }

    /// What the way to the server was like of late, added to what is known of the server.
    pub(super) fn steadiness(&self, finding: Finding) -> Finding {
        steadiness(finding, self.transport.crowd.lost_within(STEADY))
    }
}

/// One loss is told, and more are a warning.
fn steadiness(mut finding: Finding, lost: usize) -> Finding {
    if lost == 0 {
        return finding;
    }
    let says = format!("{lost}× in {} s", STEADY.as_secs());
    finding.evidence = finding.evidence.fact("reconnected", &*says);
    if lost == 1 || finding.outcome != Outcome::Pass {
        return finding;
    }
    finding.outcome = Outcome::Warn;
    finding.summary = format!("flapping: reconnected {says}");
    finding.remedy(FIND_WHO_CLOSES)
}

#[cfg(test)]
mod tests {
    use super::{
        super::{address::Address, topology::Entrance},
        *,
    };
    use crate::secret::Secret;
    use std::sync::atomic::{AtomicU32, Ordering::Relaxed};
    use tokio::{
        io::{AsyncReadExt as _, AsyncWriteExt as _},
        net::{TcpListener, TcpStream},
        time::sleep,
    };

    /// A server that gives each connection the same answers, one to each request,
    /// and then closes it; and how many connections it has had.
    async fn server(says: &'static [&'static str]) -> (Line, Arc<AtomicU32>) {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let url = format!("redis://{}", listener.local_addr().unwrap());
        let (met, dials) = (Arc::new(AtomicU32::new(0)), Arc::new(AtomicU32::new(0)));
        let counted = Arc::clone(&dials);
        tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                met.fetch_add(1, Relaxed);
                counted.store(met.load(Relaxed), Relaxed);
                tokio::spawn(answer(stream, says));
            }
        });
        let address = Address::parse(&Secret::new(url)).unwrap();
        (Line::new(Arc::new(Transport::new(Entrance::of(address), None))), dials)
    }

    async fn answer(mut stream: TcpStream, says: &[&str]) {
        let mut heard = [0; 1024];
        for said in says {
            if stream.read(&mut heard).await.is_ok_and(|bytes| bytes > 0) {
                drop(stream.write_all(said.as_bytes()).await);
            }
        }
    }

    #[tokio::test]
    async fn checks_that_start_together_are_one_attempt() {
        let (line, dials) = server(&["-WRONGPASS invalid\r\n"]).await;
        for _ in 0..8 {
            assert_eq!(line.take().await.err(), Some(Trouble::of_line("WRONGPASS invalid")));
        }
        assert_eq!(dials.load(Relaxed), 1);
        sleep(ONE_ATTEMPT).await;
        assert!(line.take().await.is_err());
        assert_eq!(dials.load(Relaxed), 2);
        line.renew().await;
        assert_eq!(dials.load(Relaxed), 3, "an old failure stands for nothing by then");
    }

    #[tokio::test]
    async fn a_connection_that_ends_while_nobody_uses_it_is_noticed_and_replaced() {
        let (line, dials) = server(&["+OK\r\n"]).await;
        let client = line.take().await.unwrap();
        timeout(Duration::from_secs(5), line.transport.crowd.lost()).await.unwrap();
        assert!(client.is_spent());
        assert!(line.take().await.is_ok());
        assert_eq!(dials.load(Relaxed), 2);
        assert!(line.transport.crowd.ended() >= 1);
        drop(line);
        assert_eq!(client.ask(&redis::cmd("PING")).await, Err(Trouble::Cut));
    }

    #[tokio::test]
    async fn a_connection_that_we_close_is_no_loss() {
        let (line, _) = server(&["+OK\r\n", "+PONG\r\n", "+PONG\r\n", "+PONG\r\n"]).await;
        let crowd = line.transport.crowd.clone();
        drop(line.take().await.unwrap());
        drop(line);
        assert!(timeout(Duration::from_millis(50), crowd.lost()).await.is_err());
        assert_eq!(crowd.ended(), 0);
    }

    #[tokio::test]
    async fn a_check_is_run_once_more_where_its_connection_was_lost() {
        let (line, _) = server(&[]).await;
        let (line, runs) = (&line, &AtomicU32::new(0));
        let failing = |loses: bool| {
            move || -> Run<'_> {
                Box::pin(async move {
                    runs.fetch_add(1, Relaxed);
                    if loses {
                        line.transport.crowd.lose();
                    }
                    Ok(Finding::fail("it closed the connection"))
                })
            }
        };
        let finding = line.steadily(failing(false)).await.unwrap();
        assert_eq!((runs.load(Relaxed), finding.evidence.facts.len()), (1, 0));
        let finding = line.steadily(failing(true)).await.unwrap();
        assert_eq!(runs.load(Relaxed), 3, "once more, and not for ever");
        assert_eq!(finding.evidence.facts[0].name, "reconnected");
    }

    #[test]
    fn one_loss_is_told_and_two_are_a_warning() {
        let of = |lost| steadiness(Finding::pass("well"), lost);
        assert_eq!((of(0).outcome, of(0).evidence.facts.len()), (Outcome::Pass, 0));
        assert_eq!((of(1).outcome, of(1).evidence.facts.len()), (Outcome::Pass, 1));
        assert_eq!(of(2).summary, "flapping: reconnected 2× in 10 s");
        assert!(of(2).outcome == Outcome::Warn && of(2).remedy.is_some());
        let failed = steadiness(Finding::fail("refused"), 9);
        assert_eq!((failed.outcome, &*failed.summary), (Outcome::Fail, "refused"));
    }
}
