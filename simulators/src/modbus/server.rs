//! The wire side of a device: listener or pseudo-terminal, connections, counters.

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep};

use super::fault::{Fault, Faults, ScheduledFault};
use super::frame::{self, Framing, HEADER, Header, Reply};
use super::record::Record;
use super::rtu;
use super::unit::Unit;
use crate::clock;
use crate::notation::NotationError;
use crate::pty::Pty;

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
    record: Mutex<Record>,
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
            record: Mutex::default(),
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

    pub(super) fn take_record(&self) -> Record {
        std::mem::take(&mut *lock(&self.record))
    }

    pub(super) fn connections(&self) -> u64 {
        self.connections.load(Ordering::Relaxed)
    }

    fn time(&self) -> Duration {
        clock::now() - self.started
    }

    /// Counts a request and gives its fault and its right answer; `None` when there is no such unit.
    fn answer(&self, unit: u8, request: &[u8]) -> (Fault, Option<Vec<u8>>) {
        *lock(&self.requests).entry(unit).or_default() += 1;
        let time = self.time();
        lock(&self.record).note(time, unit, request);
        let fault = self.faults.borrow().of(unit, time);
        let mut units = lock(&self.units);
        let memory = units.get_mut(&unit);
        (
            fault,
            memory.map(|memory| frame::answer(memory, unit, request, time)),
        )
    }
}

/// A panic while the lock was held would have failed the test already; the data itself is whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Serves a listener until it is dropped.
pub(super) async fn serve(
    listener: TcpListener,
    address: SocketAddr,
    framing: Framing,
    shared: Arc<Shared>,
) {
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
                    connections.spawn(async move { drop(connection(stream, framing, &shared).await) });
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

/// Serves a pseudo-terminal until it is dropped. One that ended is plugged in again under the same `link`.
pub(super) async fn serve_pty(pty: Pty, link: Option<PathBuf>, shared: Arc<Shared>) {
    let mut faults = shared.faults.subscribe();
    let mut line = JoinSet::new();
    let plug = |pty: Pty, line: &mut JoinSet<()>| {
        shared.connections.fetch_add(1, Ordering::Relaxed);
        let shared = Arc::clone(&shared);
        line.spawn(async move { drop(converse(pty, Framing::Rtu, &shared).await) });
    };
    plug(pty, &mut line);
    loop {
        let time = shared.time();
        let (refuses, mut change) = {
            let faults = faults.borrow_and_update();
            (faults.refuses(time), faults.next_change(time))
        };
        if refuses {
            line.shutdown().await;
        } else if line.is_empty() {
            match Pty::open(link.as_deref()) {
                Ok(pty) => plug(pty, &mut line),
                Err(_) => change = Some(change.map_or(REBIND, |change| change.min(REBIND))),
            }
        }
        tokio::select! {
            // Never fails: `shared` holds the sender.
            _ = faults.changed() => {}
            () = sleep(change.unwrap_or(Duration::MAX)) => {}
            Some(_) = line.join_next() => {}
        }
    }
}

async fn connection(stream: TcpStream, framing: Framing, shared: &Shared) -> io::Result<()> {
    stream.set_nodelay(true)?;
    converse(stream, framing, shared).await
}

/// One connection: request, answer, request, answer.
async fn converse(
    mut stream: impl AsyncRead + AsyncWrite + Unpin,
    framing: Framing,
    shared: &Shared,
) -> io::Result<()> {
    let mut heard = Vec::new();
    let mut number = 0_u16;
    loop {
        let (header, request) = match framing {
            Framing::Tcp => read_request(&mut stream).await?,
            Framing::Rtu => {
                let (unit, request) = rtu::read_request(&mut stream, &mut heard).await?;
                number = number.wrapping_add(1);
                let transaction = number;
                (Header { transaction, unit }, request)
            }
        };
        let (fault, pdu) = shared.answer(header.unit, &request);
        let pdu = match (pdu, framing) {
            (Some(pdu), _) => pdu,
            (None, Framing::Tcp) => {
                frame::exception(request.first().copied().unwrap_or(0), frame::NO_SUCH_UNIT)
            }
            // Nobody there to say so.
            (None, Framing::Rtu) => continue,
        };
        if let Fault::Late(delay) = fault {
            sleep(delay).await;
        }
        match framing.reply(fault, header, &request, pdu) {
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

async fn read_request(stream: &mut (impl AsyncRead + Unpin)) -> io::Result<(Header, Vec<u8>)> {
    let mut bytes = [0; HEADER];
    stream.read_exact(&mut bytes).await?;
    let (header, length) =
        frame::parse_header(bytes).ok_or_else(|| io::Error::from(io::ErrorKind::InvalidData))?;
    let mut request = vec![0; length];
    stream.read_exact(&mut request).await?;
    Ok((header, request))
}
