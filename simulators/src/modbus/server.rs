//! The wire side of a device: listener, connections, counters.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::fault::{Fault, Faults, ScheduledFault};
use super::frame::{self, HEADER, Header, Reply};
use super::unit::Unit;
use crate::clock;
use crate::notation::NotationError;

/// Connections open at a time; one more is closed at once, as devices do.
const MAX_CONNECTIONS: usize = 64;
/// Between two attempts to listen again after `refuse`.
const REBIND: Duration = Duration::from_millis(20);
/// Between two bytes of a dripping answer.
const DRIP: Duration = Duration::from_millis(2);

/// What the handle and the tasks of a device share.
#[derive(Debug)]
pub(super) struct Shared {
    started: Instant,
    seed: u64,
    units: Mutex<BTreeMap<u8, Unit>>,
    faults: watch::Sender<Faults>,
    requests: Mutex<BTreeMap<u8, u64>>,
    connections: AtomicU64,
}

impl Shared {
    pub(super) fn new(units: BTreeMap<u8, Unit>, schedule: Vec<ScheduledFault>, seed: u64) -> Self {
        Self {
            started: clock::now(),
            seed,
            units: Mutex::new(units),
            faults: watch::Sender::new(Faults::new(schedule)),
            requests: Mutex::default(),
            connections: AtomicU64::new(0),
        }
    }

    pub(super) fn set_fault(&self, unit: Option<u8>, fault: Fault) {
        self.faults.send_modify(|faults| faults.set(unit, fault));
    }

    pub(super) fn put(&self, line: &str) -> Result<(), NotationError> {
        super::put(&mut lock(&self.units), self.seed, line)
    }

    pub(super) fn requests(&self) -> u64 {
        lock(&self.requests).values().sum()
    }

    pub(super) fn unit_requests(&self, unit: u8) -> u64 {
        lock(&self.requests).get(&unit).copied().unwrap_or(0)
    }

    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    fn time(&self) -> Duration {
        clock::now() - self.started
    }

    /// Counts a request and gives its fault and its right answer.
    fn answer(&self, unit: u8, request: &[u8]) -> (Fault, Vec<u8>) {
        *lock(&self.requests).entry(unit).or_default() += 1;
        let time = self.time();
        let fault = self.faults.borrow().of(unit, time);
        let pdu = match lock(&self.units).get_mut(&unit) {
            Some(memory) => frame::answer(memory, unit, request, time),
            None => frame::exception(request.first().copied().unwrap_or(0), frame::NO_SUCH_UNIT),
        };
        (fault, pdu)
    }
}

/// A panic while the lock was held would have failed the test already; the data itself is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves until it is dropped.
pub(super) async fn serve(listener: TcpListener, address: SocketAddr, shared: Arc<Shared>) {
    let mut faults = shared.faults.subscribe();
    let mut listener = Some(listener);
    let mut connections = JoinSet::new();
    loop {
        let time = shared.time();
        let (refuses, mut change) = {
            let faults = faults.borrow_and_update();
            (faults.refuses(time), faults.next_change(time))
        };
        if refuses {
            listener = None;
            connections.shutdown().await;
        } else if listener.is_none() {
            listener = TcpListener::bind(address).await.ok();
            if listener.is_none() {
                change = Some(change.map_or(REBIND, |change| change.min(REBIND)));
            }
        }
        tokio::select! {
            // Never fails: `shared` holds the sender.
            _ = faults.changed() => {}
            () = sleep(change.unwrap_or(Duration::MAX)) => {}
            accepted = accept(listener.as_ref()) => if let Ok(stream) = accepted {
                shared.connections.fetch_add(1, Ordering::Relaxed);
                if connections.len() < MAX_CONNECTIONS {
                    let shared = Arc::clone(&shared);
                    // A broken connection is the client's to see; the device goes on.
                    connections.spawn(async move { drop(converse(stream, &shared).await) });
                }
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

async fn accept(listener: Option<&TcpListener>) -> io::Result<TcpStream> {
    match listener {
        Some(listener) => listener.accept().await.map(|(stream, _)| stream),
        None => std::future::pending().await,
    }
}

/// One connection: request, answer, request, answer.
async fn converse(mut stream: TcpStream, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    loop {
        let (header, request) = read_request(&mut stream).await?;
        let (fault, pdu) = shared.answer(header.unit, &request);
        if let Fault::Late(delay) = fault {
            sleep(delay).await;
        }
        match frame::reply(fault, header, pdu) {
            Reply::Nothing => {}
            Reply::Close => return Ok(()),
            Reply::Bytes(bytes) => stream.write_all(&bytes).await?,
            Reply::ByteByByte(bytes) => {
                for byte in bytes {
                    stream.write_all(&[byte]).await?;
                    sleep(DRIP).await;
                }
            }
        }
    }
}

async fn read_request(stream: &mut TcpStream) -> io::Result<(Header, Vec<u8>)> {
    let mut bytes = [0; HEADER];
    stream.read_exact(&mut bytes).await?;
    let (header, length) =
        frame::parse_header(bytes).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    let mut request = vec![0; length];
    stream.read_exact(&mut request).await?;
    Ok((header, request))
}
