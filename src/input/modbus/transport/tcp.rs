//! Modbus TCP: one question, one answer, within one deadline. A safe wrapper around tokio-modbus.
//!
//! - **Only a complete answer or a Modbus exception keeps the connection.** After anything else (a
//!   deadline, an error, a wrong header, a wrong length, a call that was dropped half way) it is
//!   closed at once, and with it goes whatever was still under way. During a call the connection is
//!   out of its place and is put back only at the end, so that this cannot be forgotten.
//! - **Transaction ids go on over a reconnect**, as far as they can: simple device servers send a
//!   late reply to whoever is connected *now*, and a client that starts at 0 each time would accept
//!   it as the answer to its first question.
//! - Unit and function are checked by tokio-modbus, the length here: its typed helpers panic on a
//!   short answer in debug builds and pass it on in release builds.
//!
//! A connection that was kept since the last poll may have been closed by the device meanwhile (many
//! close idle ones). Then, and only then, a request is sent a second time, over a new connection and
//! within the same deadline. The old connection is always closed before another is opened, as many
//! devices accept only one.

use std::fmt;
use std::io;
use std::time::Duration;

use tokio::net::TcpStream;
use tokio_modbus::client::{Context, tcp};
use tokio_modbus::prelude::{Client as _, SlaveContext as _};
use tokio_modbus::{ProtocolError, Slave};

use super::Transport;
use super::dial::{Connector, Dial};
use crate::input::modbus::decode::Answer;
use crate::input::modbus::failure::{Exception, Failure};
use crate::input::modbus::line::Endpoint;
use crate::input::modbus::plan::Request;
use crate::input::modbus::settings::Table;

/// Connects over TCP without Nagle's delay.
#[derive(Debug, Clone)]
pub struct TcpConnector(pub Endpoint);

impl fmt::Display for TcpConnector {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}:{}", self.0.host, self.0.port)
    }
}

impl Connector for TcpConnector {
    type Stream = TcpStream;

    async fn connect(&mut self) -> io::Result<TcpStream> {
        let stream = TcpStream::connect((self.0.host.as_str(), self.0.port)).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }
}

/// The connection to one endpoint, opened when it is needed.
pub struct TcpLink<C> {
    dial: Dial<C>,
    /// Open, and nothing is under way on it.
    idle: Option<Connection>,
    /// The id after the last one used.
    transaction: u16,
}

struct Connection {
    context: Context,
    /// Has anything been answered on it?
    proven: bool,
}

impl<C: Connector> TcpLink<C> {
    /// Not connected yet.
    pub fn new(connector: C) -> Self {
        Self {
            dial: Dial::new(connector),
            idle: None,
            transaction: 0,
        }
    }

    /// One exchange; a second one if a kept connection turns out to be closed.
    async fn attempt(
        &mut self,
        unit: u8,
        request: &Request,
        connected: &mut bool,
    ) -> Result<Answer, Failure> {
        if let Some(kept) = self.idle.take() {
            *connected = true;
            match self.exchange(kept, unit, request).await {
                Err(Failure::ConnectionLost(_)) => *connected = false,
                result => return result,
            }
        }
        let fresh = self.open().await?;
        *connected = true;
        self.exchange(fresh, unit, request).await
    }

    /// Puts `connection` back in its place only if it is in step.
    async fn exchange(
        &mut self,
        mut connection: Connection,
        unit: u8,
        request: &Request,
    ) -> Result<Answer, Failure> {
        self.transaction = self.transaction.wrapping_add(1);
        connection.context.set_slave(Slave(unit));
        let result = exchange(&mut connection.context, request).await;
        match &result {
            Ok(_) | Err(Failure::Exception(_)) => {
                connection.proven = true;
                self.idle = Some(connection);
            }
            Err(Failure::ConnectionLost(_)) if !connection.proven => self.dial.pause(),
            Err(_) => drop(connection),
        }
        result
    }

    async fn open(&mut self) -> Result<Connection, Failure> {
        let mut context = tcp::attach(self.dial.open().await?);
        self.transaction %= MOST_SKIPPED;
        skip_transactions(&mut context, self.transaction).await;
        Ok(Connection {
            context,
            proven: false,
        })
    }
}

impl<C: Connector> Transport for TcpLink<C> {
    /// Connecting included. A dropped call closes the connection; it is kept after an answer and after
    /// [`Failure::Exception`] only.
    async fn call(
        &mut self,
        unit: u8,
        request: &Request,
        deadline: Duration,
    ) -> Result<Answer, Failure> {
        let mut connected = false;
        let attempt = self.attempt(unit, request, &mut connected);
        let result = match tokio::time::timeout(deadline, attempt).await {
            Ok(result) => result,
            Err(_elapsed) if connected => Err(Failure::Timeout(deadline)),
            Err(_elapsed) => Err(Failure::ConnectFailed(io::ErrorKind::TimedOut.into())),
        };
        match &result {
            Ok(_) | Err(Failure::Exception(_)) => self.dial.worked(),
            Err(Failure::ConnectFailed(_)) => self.dial.pause(),
            // Whether a new connection that was closed at once counts is decided where it is known.
            Err(_) => {}
        }
        result
    }
}

/// Most transaction ids skipped on a new connection; ids of an earlier connection come up again
/// after that many requests at the earliest, long after its last reply.
const MOST_SKIPPED: u16 = 1024;

/// Moves a new context on to transaction id `count`. tokio-modbus starts at 0 and cannot be told
/// otherwise, but a request that is too long to be sent uses up an id, and nothing else.
async fn skip_transactions(context: &mut Context, count: u16) {
    const TOO_LONG: &[u8] = &[0; 254];
    for _ in 0..count {
        let unsendable = tokio_modbus::Request::Custom(0x41, TOO_LONG.into());
        let sent = context.call(unsendable).await;
        debug_assert!(
            sent.is_err(),
            "a PDU of 255 bytes is refused before it is sent"
        );
    }
}

/// Sends `request` and checks everything about the answer that can be checked.
async fn exchange(context: &mut Context, request: &Request) -> Result<Answer, Failure> {
    use tokio_modbus::{Error, Request as Wire, Response};

    let (address, count) = (request.address, request.count);
    let wire = match request.table {
        Table::Coil => Wire::ReadCoils(address, count),
        Table::Discrete => Wire::ReadDiscreteInputs(address, count),
        Table::Holding => Wire::ReadHoldingRegisters(address, count),
        Table::Input => Wire::ReadInputRegisters(address, count),
    };
    let response = match context.call(wire).await {
        Ok(Ok(response)) => response,
        Ok(Err(code)) => return Err(Failure::Exception(Exception::from_code(code.into()))),
        Err(Error::Protocol(ProtocolError::HeaderMismatch { message, .. })) => {
            return Err(Failure::Mismatch(message));
        }
        Err(Error::Protocol(ProtocolError::FunctionCodeMismatch { request, .. })) => {
            return Err(Failure::Mismatch(format!("not function {request}")));
        }
        // The decoder gives these two kinds and nothing else; a closed connection gives whatever
        // error the system happened to have last. Only the name in the metrics depends on it.
        Err(Error::Transport(error)) => {
            let undecodable = [io::ErrorKind::InvalidData, io::ErrorKind::UnexpectedEof];
            return Err(if undecodable.contains(&error.kind()) {
                Failure::Malformed(error)
            } else {
                Failure::ConnectionLost(error)
            });
        }
    };
    let count = usize::from(count);
    match (request.table, response) {
        (Table::Coil, Response::ReadCoils(mut bits))
        | (Table::Discrete, Response::ReadDiscreteInputs(mut bits)) => {
            check_length(count.div_ceil(8) * 8, bits.len())?;
            bits.truncate(count);
            Ok(Answer::Bits(bits))
        }
        (Table::Holding, Response::ReadHoldingRegisters(registers))
        | (Table::Input, Response::ReadInputRegisters(registers)) => {
            check_length(count, registers.len())?;
            Ok(Answer::Registers(registers))
        }
        (_, other) => Err(Failure::Mismatch(format!("{other:?}"))),
    }
}

const fn check_length(expected: usize, got: usize) -> Result<(), Failure> {
    if expected == got {
        Ok(())
    } else {
        Err(Failure::WrongLength { expected, got })
    }
}

impl<C: fmt::Debug> fmt::Debug for TcpLink<C> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("TcpLink")
            .field("dial", &self.dial)
            .field("connected", &self.idle.is_some())
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests;
