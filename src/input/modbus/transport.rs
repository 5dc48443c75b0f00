//! One question, one answer, within one deadline, over whatever the line is.
//!
//! A late reply taken for the answer to another question would be a wrong measurement that looks
//! right. Each kind of line has its own way to make that impossible: Modbus TCP ([`tcp`]) has
//! transaction ids and a connection to close, RTU ([`rtu`]) has neither. What they run over is opened
//! again for ever (`dial`), with pauses.

mod dial;
mod reconnect;
pub mod rtu;
pub mod serial;
pub mod tcp;

use std::future::Future;
use std::time::Duration;

pub use dial::Connector;

use self::rtu::{Manners, RtuLink};
use self::serial::SerialConnector;
use self::tcp::{TcpConnector, TcpLink};
use super::decode::Answer;
use super::failure::Failure;
use super::line::Line;
use super::plan::Request;

/// Asks units, one at a time.
pub trait Transport: Send {
    /// Asks `unit` and waits for its answer for `deadline` at most.
    ///
    /// # Errors
    /// Any [`Failure`].
    fn call(
        &mut self,
        unit: u8,
        request: &Request,
        deadline: Duration,
    ) -> impl Future<Output = Result<Answer, Failure>> + Send;

    /// How long a unit that did not answer within `deadline` is better not asked again: whoever does has to
    /// wait. Where a late answer is told from others, not at all.
    fn rest(&self, _deadline: Duration) -> Duration {
        Duration::ZERO
    }
}

/// A transport over any [`Line`].
#[derive(Debug)]
pub enum Link {
    /// Modbus TCP.
    Tcp(TcpLink<TcpConnector>),
    /// RTU frames over TCP.
    RtuOverTcp(RtuLink<TcpConnector>),
    /// RTU on a serial line.
    Serial(RtuLink<SerialConnector>),
}

/// A serial server keeps the gap on its own line. So long nothing may come before a question, so that the
/// second of two answers is seen as what it is.
const SERVER_GAP: Duration = Duration::from_millis(5);

impl Link {
    /// Nothing is opened yet. `worst` is the longest time that any device on the line may take to answer.
    pub fn new(line: &Line, worst: Duration) -> Self {
        match line {
            Line::Tcp(endpoint) => Self::Tcp(TcpLink::new(TcpConnector(endpoint.clone()))),
            Line::RtuOverTcp(endpoint) => {
                let manners = Manners {
                    gap: SERVER_GAP,
                    worst,
                    close: true,
                };
                Self::RtuOverTcp(RtuLink::new(TcpConnector(endpoint.clone()), manners))
            }
            Line::Serial(serial) => {
                let manners = Manners {
                    gap: serial.mode.gap(),
                    worst,
                    close: false,
                };
                Self::Serial(RtuLink::new(SerialConnector(serial.clone()), manners))
            }
        }
    }
}

impl Transport for Link {
    async fn call(
        &mut self,
        unit: u8,
        request: &Request,
        deadline: Duration,
    ) -> Result<Answer, Failure> {
        match self {
            Self::Tcp(link) => link.call(unit, request, deadline).await,
            Self::RtuOverTcp(link) => link.call(unit, request, deadline).await,
            Self::Serial(link) => link.call(unit, request, deadline).await,
        }
    }

    fn rest(&self, deadline: Duration) -> Duration {
        match self {
            Self::Tcp(link) => link.rest(deadline),
            Self::RtuOverTcp(link) => link.rest(deadline),
            Self::Serial(link) => link.rest(deadline),
        }
    }
}
