//! A way to a server that a test can slow down, freeze, lose and cut.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::{mpsc, watch},
    time::{Instant, sleep, sleep_until},
};
use tokio_util::task::AbortOnDropHandle;

/// Chunks under way in one direction of one connection.
const UNDER_WAY: usize = 256;

/// What becomes of the bytes of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Way {
    /// They pass.
    Open,
    /// The replies pass this much later, however many are under way.
    Delayed(Duration),
    /// They wait until the way is open again, as behind a stopped router.
    Frozen,
    /// They are gone, as behind a firewall that has forgotten the connection.
    Lost,
    /// The connection ends.
    Cut,
}

/// A port of its own that leads to that of a server.
pub(crate) struct Proxy {
    pub(crate) port: u16,
    ways: Arc<Mutex<Ways>>,
    _listener: AbortOnDropHandle<()>,
}

/// The way of those who come, and of each who is there.
struct Ways {
    to: u16,
    of_new: Way,
    of_open: Vec<watch::Sender<Way>>,
    /// Who says this is forgotten, a moment later.
    forgets: Option<&'static str>,
}

/// How long it takes to forget.
const MOMENT: Duration = Duration::from_millis(3);

impl Proxy {
    pub(crate) async fn to(port: u16) -> Self {
        let listener = TcpListener::bind(("127.0.0.1", 0)).await.unwrap();
        let entrance = listener.local_addr().unwrap().port();
        let ways = Ways { to: port, of_new: Way::Open, of_open: Vec::new(), forgets: None };
        let ways = Arc::new(Mutex::new(ways));
        let listening = tokio::spawn(listen(listener, Arc::clone(&ways)));
        Self { port: entrance, ways, _listener: AbortOnDropHandle::new(listening) }
    }

    /// For every connection, those to come too.
    pub(crate) fn set(&self, way: Way) {
        self.set_new(way);
        self.set_open(way);
    }

    fn set_open(&self, way: Way) {
        for of_one in &self.ways.lock().unwrap().of_open {
            of_one.send_replace(way);
        }
    }

    /// Leads those who come to another port.
    pub(crate) fn lead_to(&self, port: u16) {
        self.ways.lock().unwrap().to = port;
        self.set_open(Way::Cut);
    }

    /// Forgets each connection to come on which this is said, as a firewall does.
    pub(crate) fn forget(&self, whoever_says: Option<&'static str>) {
        self.ways.lock().unwrap().forgets = whoever_says;
    }

    /// For the connections to come.
    pub(crate) fn set_new(&self, way: Way) {
        self.ways.lock().unwrap().of_new = way;
    }
}

async fn listen(listener: TcpListener, ways: Arc<Mutex<Ways>>) {
    while let Ok((client, _)) = listener.accept().await {
        let mut ways = ways.lock().unwrap();
        let (sender, way) = watch::channel(ways.of_new);
        ways.of_open.retain(|open| !open.is_closed());
        ways.of_open.push(sender.clone());
        let forgets = ways.forgets.map(|word| Forgets { word, way: sender });
        tokio::spawn(attend(client, ways.to, way, forgets));
    }
}

/// Loses a connection soon after a word was said on it.
struct Forgets {
    word: &'static str,
    way: watch::Sender<Way>,
}

impl Forgets {
    fn hear(&self, chunk: &[u8]) {
        if chunk.windows(self.word.len()).any(|window| window == self.word.as_bytes()) {
            let way = self.way.clone();
            tokio::spawn(async move {
                sleep(MOMENT).await;
                way.send_replace(Way::Lost);
            });
        }
    }
}

async fn attend(
    client: TcpStream,
    port: u16,
    mut way: watch::Receiver<Way>,
    forgets: Option<Forgets>,
) {
    let Ok(server) = TcpStream::connect(("127.0.0.1", port)).await else { return };
    for side in [&client, &server] {
        side.set_nodelay(true).unwrap();
    }
    let (from_client, to_client) = client.into_split();
    let (from_server, to_server) = server.into_split();
    tokio::select! {
        () = carry(from_client, to_server, way.clone(), (false, forgets)) => {}
        () = carry(from_server, to_client, way.clone(), (true, None)) => {}
        _ = way.wait_for(|way| *way == Way::Cut) => {}
    }
}

async fn carry(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut way: watch::Receiver<Way>,
    (replies, forgets): (bool, Option<Forgets>),
) {
    let (came, mut under_way) = mpsc::channel::<(Instant, Vec<u8>)>(UNDER_WAY);
    let taking = async move {
        let mut chunk = [0; 16 * 1024];
        while let Ok(n @ 1..) = from.read(&mut chunk).await {
            if let Some(forgets) = &forgets {
                forgets.hear(&chunk[..n]);
            }
            if came.send((Instant::now(), chunk[..n].to_vec())).await.is_err() {
                return;
            }
        }
    };
    let giving = async move {
        while let Some((came, chunk)) = under_way.recv().await {
            if passes(&mut way, came, replies).await && to.write_all(&chunk).await.is_err() {
                return;
            }
        }
    };
    tokio::join!(taking, giving);
}

/// Waits for as long as the way is; says whether what came gets there at all.
async fn passes(way: &mut watch::Receiver<Way>, came: Instant, reply: bool) -> bool {
    loop {
        let now = *way.borrow_and_update();
        match now {
            Way::Open | Way::Cut => return true,
            Way::Lost => return false,
            Way::Delayed(by) => {
                if reply {
                    sleep_until(came + by).await;
                }
                return true;
            }
            Way::Frozen => {
                if way.changed().await.is_err() {
                    return false;
                }
            }
        }
    }
}
