//! MQTT 3.1.1 over a plain blocking socket: as little as possible between the clock and the wire.

use std::io::{self, ErrorKind, Read, Write};
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use crate::clock;

/// One connection. What is read half stays in the buffer, so a read may time out at any place.
pub(crate) struct Wire {
    stream: TcpStream,
    buffer: Vec<u8>,
}

/// What the benchmark wants to know of a packet.
#[derive(Debug)]
pub(crate) enum Packet {
    /// A payload; every witness subscribes to one topic.
    Publish { payload: Vec<u8> },
    /// Anything else, by its first byte.
    Other(u8),
}

impl Wire {
    /// Connects with a clean session and waits for the CONNACK.
    pub(crate) fn connect(broker: SocketAddr, client_id: &str) -> io::Result<Self> {
        let stream = TcpStream::connect(broker)?;
        stream.set_nodelay(true)?;
        let mut wire = Self {
            stream,
            buffer: Vec::new(),
        };
        let mut body = vec![0, 4, b'M', b'Q', b'T', b'T', 4, 0b10, 0, 0];
        push_text(&mut body, client_id);
        wire.send(0x10, &body)?;
        wire.expect(0x20)?;
        Ok(wire)
    }

    /// Subscribes at QoS 0 and waits for the SUBACK: what a witness hears must not wait for its PUBACKs.
    pub(crate) fn subscribe(&mut self, filter: &str) -> io::Result<()> {
        let mut body = vec![0, 1];
        push_text(&mut body, filter);
        body.push(0);
        self.send(0x82, &body)?;
        self.expect(0x90)
    }

    /// A second handle on the same socket, for a thread that only reads.
    pub(crate) fn reader(&self) -> io::Result<TcpStream> {
        self.stream.try_clone()
    }

    /// Writes frames that are ready.
    pub(crate) fn write(&mut self, frames: &[u8]) -> io::Result<()> {
        self.stream.write_all(frames)
    }

    /// The next packet; `None` when none is complete within `patience`.
    pub(crate) fn next(&mut self, patience: Duration) -> io::Result<Option<Packet>> {
        let deadline = clock::now() + patience;
        loop {
            if let Some(packet) = self.take() {
                return Ok(Some(packet));
            }
            let left = deadline.saturating_duration_since(clock::now());
            if left.is_zero() {
                return Ok(None);
            }
            self.stream.set_read_timeout(Some(left))?;
            let mut chunk = [0; 16 * 1024];
            match self.stream.read(&mut chunk) {
                Ok(0) => return Err(ErrorKind::UnexpectedEof.into()),
                Ok(read) => self.buffer.extend_from_slice(&chunk[..read]),
                Err(error)
                    if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::TimedOut) => {}
                Err(error) => return Err(error),
            }
        }
    }

    fn expect(&mut self, first: u8) -> io::Result<()> {
        match self.next(Duration::from_secs(5))? {
            Some(Packet::Other(got)) if got == first => Ok(()),
            got => Err(io::Error::other(format!(
                "the broker answered {got:?} where packet type {first:#x} was expected"
            ))),
        }
    }

    fn send(&mut self, first: u8, body: &[u8]) -> io::Result<()> {
        let mut frame = vec![first];
        push_length(&mut frame, body.len());
        frame.extend_from_slice(body);
        self.write(&frame)
    }

    /// Takes one whole packet off the buffer.
    fn take(&mut self) -> Option<Packet> {
        let first = *self.buffer.first()?;
        let (mut length, mut at) = (0_usize, 1_usize);
        loop {
            let byte = *self.buffer.get(at)?;
            length |= usize::from(byte & 0x7f) << (7 * (at - 1));
            at += 1;
            if byte & 0x80 == 0 {
                break;
            }
        }
        let body = self.buffer.get(at..at + length)?;
        let packet = match first >> 4 {
            3 => publish(first, body)?,
            _ => Packet::Other(first),
        };
        self.buffer.drain(..at + length);
        Some(packet)
    }
}

fn publish(first: u8, body: &[u8]) -> Option<Packet> {
    let topic_length = usize::from(u16::from_be_bytes([*body.first()?, *body.get(1)?]));
    let id = if first & 0b110 == 0 { 0 } else { 2 };
    Some(Packet::Publish {
        payload: body.get(2 + topic_length + id..)?.to_vec(),
    })
}

/// Appends a PUBLISH; with a packet id it is QoS 1.
pub(crate) fn push_publish(frames: &mut Vec<u8>, topic: &str, payload: &str, id: Option<u16>) {
    frames.push(if id.is_some() { 0x32 } else { 0x30 });
    let id_length = if id.is_some() { 2 } else { 0 };
    push_length(frames, 2 + topic.len() + id_length + payload.len());
    push_text(frames, topic);
    if let Some(id) = id {
        frames.extend_from_slice(&id.to_be_bytes());
    }
    frames.extend_from_slice(payload.as_bytes());
}

fn push_text(body: &mut Vec<u8>, text: &str) {
    let length = u16::try_from(text.len()).expect("the benchmark's own short names");
    body.extend_from_slice(&length.to_be_bytes());
    body.extend_from_slice(text.as_bytes());
}

fn push_length(frame: &mut Vec<u8>, mut length: usize) {
    loop {
        let byte = u8::try_from(length % 128).expect("below 128");
        length /= 128;
        frame.push(if length > 0 { byte | 0x80 } else { byte });
        if length == 0 {
            return;
        }
    }
}
