//! Opens what a transport runs over, for ever, with pauses, and says why it cannot.

use std::fmt;
use std::future::Future;
use std::io;

use tokio::io::{AsyncRead, AsyncWrite};
use tracing::{info, warn};

use super::reconnect::Reconnect;
use crate::clock;
use crate::input::modbus::failure::Failure;

/// Opens connections to an endpoint, or a serial device.
pub trait Connector: Send + fmt::Display {
    /// Bytes in both directions.
    type Stream: AsyncRead + AsyncWrite + Send + Unpin + fmt::Debug + 'static;

    /// Opens one. Dropping the future gives up.
    fn connect(&mut self) -> impl Future<Output = io::Result<Self::Stream>> + Send;
}

/// A connector that pauses between attempts and tells each new reason once.
#[derive(Debug)]
pub(super) struct Dial<C> {
    connector: C,
    reconnect: Reconnect,
    /// Why the last attempt failed; `None` after one that did not.
    trouble: Option<String>,
}

impl<C: Connector> Dial<C> {
    pub(super) fn new(connector: C) -> Self {
        Self {
            connector,
            reconnect: Reconnect::default(),
            trouble: None,
        }
    }

    /// An attempt, unless the last one failed a moment ago.
    pub(super) async fn open(&mut self) -> Result<C::Stream, Failure> {
        if !self.reconnect.allowed(clock::monotonic()) {
            return Err(Failure::NotConnected);
        }
        match self.connector.connect().await {
            Ok(stream) => {
                if self.trouble.take().is_some() {
                    info!(line = %self.connector, "modbus line open again");
                }
                Ok(stream)
            }
            Err(error) => {
                let trouble = error.to_string();
                if self.trouble.as_ref() != Some(&trouble) {
                    warn!(line = %self.connector, error = trouble, "modbus line cannot be opened");
                    self.trouble = Some(trouble);
                }
                Err(Failure::ConnectFailed(error))
            }
        }
    }

    /// A pause before the next attempt.
    pub(super) fn pause(&mut self) {
        self.reconnect.failed(clock::monotonic(), fastrand::f64());
    }

    /// A request was answered.
    pub(super) fn worked(&mut self) {
        self.reconnect.worked();
    }
}
