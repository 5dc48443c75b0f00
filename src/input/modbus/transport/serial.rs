//! Opens a serial device: speed and parity, direction of an RS-485 transceiver, one user at a time.
//!
//! Everything that was asked for is read back: a driver that cannot do 7 bits or a certain speed says
//! nothing and does something else.

use std::io;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use serial2::rs4xx::{Rs485Config, TransceiverMode};
use serial2::{CharSize, SerialPort, Settings, StopBits};
use tokio::io::unix::AsyncFd;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};

use super::dial::Connector;
use crate::input::modbus::line::{Parity, SerialLine, SerialMode};

/// Opens the device anew each time: after an adapter was unplugged and plugged in again its path leads to
/// another device.
#[derive(Debug, Clone)]
pub struct SerialConnector(pub SerialLine);

impl std::fmt::Display for SerialConnector {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0.path)
    }
}

impl Connector for SerialConnector {
    type Stream = Port;

    async fn connect(&mut self) -> io::Result<Port> {
        let SerialLine { path, mode, rs485 } = &self.0;
        let port = open(path, *mode)?;
        take_alone(&port, path)?;
        if *rs485 {
            switch_direction(&port)?;
        }
        Port::new(port)
    }
}

fn open(path: &str, mode: SerialMode) -> io::Result<SerialPort> {
    let parity = match mode.parity {
        Parity::None => serial2::Parity::None,
        Parity::Even => serial2::Parity::Even,
        Parity::Odd => serial2::Parity::Odd,
    };
    let stop_bits = if mode.two_stop_bits {
        StopBits::Two
    } else {
        StopBits::One
    };
    let opened = SerialPort::open(path, |mut settings: Settings| {
        settings.set_raw();
        settings.set_baud_rate(mode.baud)?;
        settings.set_char_size(CharSize::Bits8);
        settings.set_parity(if is_pseudo_terminal(path) {
            serial2::Parity::None
        } else {
            parity
        });
        settings.set_stop_bits(stop_bits);
        Ok(settings)
    });
    opened.map_err(|error| {
        let kind = error.kind();
        let known = KNOWN.iter().find(|(known, _)| *known == kind);
        match known {
            Some((_, what)) => explain(what, error),
            // What `serial2` says when it reads back other settings than it wrote.
            None if kind == io::ErrorKind::Other => {
                explain(&format!("cannot be set to {mode}"), error)
            }
            None => explain("cannot be opened as a serial device", error),
        }
    })
}

/// What the system says about devices, in words of the plant.
const KNOWN: [(io::ErrorKind, &str); 3] = [
    (
        io::ErrorKind::NotFound,
        "no such device; is the adapter plugged in?",
    ),
    (
        io::ErrorKind::PermissionDenied,
        "may not be opened; is the user in the group dialout, and the device open to the service?",
    ),
    (io::ErrorKind::ResourceBusy, "another process has it"),
];

/// Another process on the line would steal answers, and its questions be taken for noise. The lock is seen by
/// who looks for it, other gateways before all; the kernel's own refusal (TIOCEXCL) by everybody but root.
fn take_alone(port: &SerialPort, path: &str) -> io::Result<()> {
    use rustix::fs::{FlockOperation, flock};

    const ALONE: &str = "another process has it";
    flock(port, FlockOperation::NonBlockingLockExclusive)
        .map_err(|error| explain(ALONE, error.into()))?;
    // A pseudo-terminal would go on refusing when we have left it.
    if is_pseudo_terminal(path) {
        return Ok(());
    }
    rustix::termios::ioctl_tiocexcl(port).map_err(|error| explain(ALONE, error.into()))
}

/// Pseudo-terminals have no parity and refuse it. Simulators and network serial ports are made of them, and
/// the configuration of the real line should work there.
fn is_pseudo_terminal(path: &str) -> bool {
    std::fs::canonicalize(path).is_ok_and(|path| path.starts_with("/dev/pts"))
}

/// The kernel's own RS-485 mode (Linux, serial-rs485): RTS high from the first to the last bit sent.
fn switch_direction(port: &SerialPort) -> io::Result<()> {
    const REFUSED: &str = "the driver does not switch the direction of RS-485 (TIOCSRS485); take \
                           `rs485` out if the adapter does it itself";
    let wanted = TransceiverMode::Rs485(Rs485Config::new());
    port.set_rs4xx_mode(wanted)
        .map_err(|error| explain(REFUSED, error))?;
    match port.get_rs4xx_mode() {
        Ok(TransceiverMode::Rs485(set)) if !set.get_invert_rts() => Ok(()),
        Ok(_) => Err(io::Error::new(io::ErrorKind::Unsupported, REFUSED)),
        Err(error) => Err(explain(REFUSED, error)),
    }
}

fn explain(what: &str, error: io::Error) -> io::Error {
    io::Error::new(error.kind(), format!("{what} ({error})"))
}

/// An open serial device. Closed when it is dropped.
#[derive(Debug)]
pub struct Port(AsyncFd<SerialPort>);

impl Port {
    #[expect(
        deprecated,
        reason = "its successor is unsafe: it trusts that the descriptor lives as long as its owner, which a \
                  port that is never taken out does"
    )]
    fn new(port: SerialPort) -> io::Result<Self> {
        Ok(Self(AsyncFd::new(port)?))
    }
}

impl AsyncRead for Port {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        loop {
            let mut ready = ready!(self.0.poll_read_ready(context))?;
            let free = bytes.initialize_unfilled();
            let read = |port: &AsyncFd<SerialPort>| Ok(rustix::io::read(port.get_ref(), free)?);
            if let Ok(read) = ready.try_io(read) {
                bytes.advance(read?);
                return Poll::Ready(Ok(()));
            }
        }
    }
}

impl AsyncWrite for Port {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        loop {
            let mut ready = ready!(self.0.poll_write_ready(context))?;
            let write = |port: &AsyncFd<SerialPort>| Ok(rustix::io::write(port.get_ref(), bytes)?);
            if let Ok(written) = ready.try_io(write) {
                return Poll::Ready(written);
            }
        }
    }

    /// The kernel sends what it has; to wait for that would block.
    fn poll_flush(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn poll_shutdown(self: Pin<&mut Self>, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }
}

#[cfg(test)]
mod tests;
