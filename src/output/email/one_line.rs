//! A connection that gives its reader no more than one line at a time.
//!
//! What a relay writes behind its answer to STARTTLS, still in the clear, must not be taken for its words within the
//! encryption: whoever stands on the way could say there that mails were accepted (RFC 3207, 6; CVE-2021-38371).
//! lettre 0.11 reads through a buffer that it keeps over the upgrade. As no line reaches the buffer before the one
//! before it was used, whatever follows stays in the socket, where the handshake meets it and fails.

use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::task::{Context, Poll, ready};

use lettre::transport::smtp::client::AsyncTokioStream;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::TcpStream;

/// So much is looked at for the end of a line, bytes.
const WINDOW: usize = 1024;

/// See the module docs. What is encrypted comes in pieces, too, which changes nothing but their number.
#[derive(Debug)]
pub(super) struct OneLine(pub(super) TcpStream);

impl AsyncRead for OneLine {
    fn poll_read(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        taken: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let stream = &mut self.get_mut().0;
        let most = WINDOW.min(taken.remaining());
        let mut window = [0; WINDOW];
        let mut there = ReadBuf::new(&mut window[..most]);
        ready!(stream.poll_peek(context, &mut there))?;
        let line = there.filled().split_inclusive(|byte| *byte == b'\n').next();
        let length = line.map_or(0, <[u8]>::len);
        let mut window = [0; WINDOW];
        let mut line = ReadBuf::new(&mut window[..length]);
        ready!(Pin::new(stream).poll_read(context, &mut line))?;
        taken.put_slice(line.filled());
        Poll::Ready(Ok(()))
    }
}

impl AsyncWrite for OneLine {
    fn poll_write(
        self: Pin<&mut Self>,
        context: &mut Context<'_>,
        bytes: &[u8],
    ) -> Poll<io::Result<usize>> {
        Pin::new(&mut self.get_mut().0).poll_write(context, bytes)
    }

    fn poll_flush(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_flush(context)
    }

    fn poll_shutdown(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.get_mut().0).poll_shutdown(context)
    }
}

impl AsyncTokioStream for OneLine {
    fn peer_addr(&self) -> io::Result<SocketAddr> {
        self.0.peer_addr()
    }
}
