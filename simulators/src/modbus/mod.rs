//! Modbus devices that can misbehave: over TCP, in RTU frames over TCP, or on a pseudo-terminal.
//!
//! ```text
//! listener --- accept --> connection task --- request --> Unit (memory, pure)
//!    ^                          |
//!    `-- refuse closes it       `--- answer --> fault --> bytes on the wire
//! ```
//!
//! One task owns the listener and a bounded set of connection tasks; it ends them all when it ends.
//! A connection answers one request after the other, as small devices do: what comes while a late
//! answer is held back waits in line. Faults are looked up per request, so that one set by hand acts on
//! the next request; only `refuse` acts on the listener.
//!
//! On a pseudo-terminal ([`crate::pty`]) there is one line in place of the listener and its connections, and
//! `refuse` and `close` pull its plug. A unit that is not there is an exception of the gateway over TCP, and
//! silence on RTU.
//!
//! Functions 1 to 4 are answered; writing is deliberately absent (exception 1), as the gateway never writes.

mod fault;
mod frame;
mod record;
mod rtu;
mod server;
#[cfg(test)]
mod tests;
mod unit;
mod value;

use std::collections::BTreeMap;
use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;

use tokio::net::TcpListener;
use tokio::task::JoinHandle;

pub use fault::{Fault, ScheduledFault};
use frame::Framing;
pub use record::{Asked, Record};
use server::Shared;
pub use unit::{Table, Unit};
pub use value::{Order, Type};

use crate::clock;
use crate::notation::{self, NotationError};
use crate::pty::Pty;

/// What a device is reached over.
#[derive(Debug, Clone)]
enum Line {
    Tcp(SocketAddr),
    RtuOverTcp(SocketAddr),
    Pty(Option<PathBuf>),
}

/// A device to be: where it listens, its units and their faults.
#[derive(Debug)]
pub struct DeviceConfig {
    line: Line,
    seed: u64,
    units: BTreeMap<u8, Unit>,
    faults: Vec<ScheduledFault>,
}

impl DeviceConfig {
    /// A Modbus TCP device without any unit. Port 0 takes a free one.
    pub fn new(listen: SocketAddr) -> Self {
        Self::over(Line::Tcp(listen))
    }

    /// A serial server without any unit behind it: RTU frames over TCP. Port 0 takes a free one.
    pub fn rtu_over_tcp(listen: SocketAddr) -> Self {
        Self::over(Line::RtuOverTcp(listen))
    }

    /// A serial line without any unit on it: a pseudo-terminal, to which the path `link` leads if there is one.
    pub fn pty(link: Option<PathBuf>) -> Self {
        Self::over(Line::Pty(link))
    }

    fn over(line: Line) -> Self {
        Self {
            line,
            seed: 0,
            units: BTreeMap::new(),
            faults: Vec::new(),
        }
    }

    /// The seed of the noise of the points that follow.
    #[must_use]
    pub fn seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// Adds a point or fixed values: `[UNIT/]input:0 float32 CDAB base=3`; the unit is 1 when left out.
    ///
    /// # Errors
    /// When the line does not follow the notation, with the place of the mistake.
    pub fn point(mut self, line: &str) -> Result<Self, NotationError> {
        put(&mut self.units, self.seed, line)?;
        Ok(self)
    }

    /// Every address of the unit that nothing else stands at holds `address * 7 + unit`, modulo 65536; a
    /// bit is the lowest one of that.
    #[must_use]
    pub fn fill(mut self, unit: u8) -> Self {
        self.units.entry(unit).or_default().fill();
        self
    }

    /// Adds a scheduled fault: `[unit=N] FAULT[@FROM..TO] [every=TIME]`.
    ///
    /// # Errors
    /// When the line does not follow the notation, with the place of the mistake.
    pub fn fault(mut self, line: &str) -> Result<Self, NotationError> {
        self.faults.push(line.parse()?);
        Ok(self)
    }
}

/// Adds a line to the unit it names. Each address gets noise of its own.
fn put(units: &mut BTreeMap<u8, Unit>, seed: u64, line: &str) -> Result<(), NotationError> {
    let line = line.trim();
    let (unit, point) = match line.split_once('/') {
        Some((unit, point)) if unit.bytes().all(|b| b.is_ascii_digit()) => {
            let unit = notation::whole(unit, "a unit from 0 to 255").map_err(|e| e.within(line))?;
            (unit, point)
        }
        _ => (1, line),
    };
    let place = point.split_whitespace().next().unwrap_or_default();
    let own = place.bytes().fold(seed ^ u64::from(unit), |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01B3)
    });
    units
        .entry(unit)
        .or_default()
        .put(point, own)
        .map_err(|error| error.within(line))
}

/// Where a device is found.
#[derive(Debug)]
enum Place {
    Address(SocketAddr),
    Path(PathBuf),
}

/// A running device. Dropping it ends it at once; [`Device::stop`] waits for the end.
#[derive(Debug)]
pub struct Device {
    place: Place,
    shared: Arc<Shared>,
    task: JoinHandle<()>,
}

impl Device {
    /// Listens and answers from now on; waveforms and schedules begin here.
    ///
    /// # Errors
    /// When the address cannot be listened on, or there is no pseudo-terminal.
    pub async fn start(config: DeviceConfig) -> io::Result<Self> {
        let shared = Arc::new(Shared::new(config.units, config.faults, config.seed));
        let own = Arc::clone(&shared);
        let (place, task) = match config.line {
            Line::Pty(link) => {
                let pty = Pty::open(link.as_deref())?;
                let path = pty.path().to_owned();
                (
                    Place::Path(path),
                    clock::start(server::serve_pty(pty, link, own)),
                )
            }
            Line::Tcp(listen) => listen_at(listen, Framing::Tcp, own).await?,
            Line::RtuOverTcp(listen) => listen_at(listen, Framing::Rtu, own).await?,
        };
        Ok(Self {
            place,
            shared,
            task,
        })
    }

    /// Where it listens.
    ///
    /// # Panics
    /// When it is on a pseudo-terminal: see [`Device::place`].
    pub fn address(&self) -> SocketAddr {
        match &self.place {
            Place::Address(address) => *address,
            Place::Path(path) => unreachable!("{} has no address", path.display()),
        }
    }

    /// Address and port, or the path to open.
    pub fn place(&self) -> String {
        match &self.place {
            Place::Address(address) => address.to_string(),
            Place::Path(path) => path.display().to_string(),
        }
    }

    /// Sets a fault of one unit or of the whole device from the next request on; [`Fault::None`] takes it
    /// back. [`Fault::Refuse`] closes the listener a moment later.
    pub fn set_fault(&self, unit: Option<u8>, fault: Fault) {
        self.shared.set_fault(unit, fault);
    }

    /// Adds or replaces a point while the device runs: `[UNIT/]input:0 float32 CDAB base=60`. Its time
    /// counts from the start of the device.
    ///
    /// # Errors
    /// When the line does not follow the notation, with the place of the mistake.
    pub fn put(&self, line: &str) -> Result<(), NotationError> {
        self.shared.put(line)
    }

    /// Requests read since the start, answered or not.
    pub fn requests(&self) -> u64 {
        self.shared.requests()
    }

    /// Requests for one unit since the start, answered or not.
    pub fn unit_requests(&self, unit: u8) -> u64 {
        self.shared.unit_requests(unit)
    }

    /// What was asked since this was last called, or since the start.
    pub fn take_record(&self) -> Record {
        self.shared.take_record()
    }

    /// Connections accepted since the start; of a pseudo-terminal how often it was plugged in.
    pub fn connections(&self) -> u64 {
        self.shared.connections()
    }

    /// Ends the device: no listener, no connection and no task is left.
    pub async fn stop(mut self) {
        self.task.abort();
        // Cancelled is what was asked for; a panic of the task shows in the test's output already.
        drop((&mut self.task).await);
    }
}

async fn listen_at(
    listen: SocketAddr,
    framing: Framing,
    shared: Arc<Shared>,
) -> io::Result<(Place, JoinHandle<()>)> {
    let listener = TcpListener::bind(listen).await?;
    let address = listener.local_addr()?;
    let task = clock::start(server::serve(listener, address, framing, shared));
    Ok((Place::Address(address), task))
}

impl Drop for Device {
    fn drop(&mut self) {
        self.task.abort();
    }
}
