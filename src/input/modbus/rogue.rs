//! A Modbus server for tests, made of bytes so that it can do everything wrong. It shares no code
//! with what it tests.

use std::fmt;
use std::io;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};

use tokio::io::{AsyncRead, AsyncReadExt as _, DuplexStream};
use tokio::sync::mpsc;

use super::transport::Connector;

/// What the register at `address` of `unit` holds; a bit is its lowest one.
pub(super) fn register(unit: u8, address: u16) -> u16 {
    address.wrapping_mul(7).wrapping_add(u16::from(unit))
}

/// At least this many requests; more for a longer search.
pub(super) fn how_many() -> usize {
    let asked = std::env::var("FOREWARN_ROGUE_REQUESTS").ok();
    asked.and_then(|count| count.parse().ok()).unwrap_or(4_000)
}

/// A read request as it came.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    pub(super) transaction: u16,
    pub(super) unit: u8,
    pub(super) function: u8,
    pub(super) address: u16,
    pub(super) count: u16,
}

impl Question {
    /// The next request; `None` when the client has closed.
    pub(super) async fn read(stream: &mut (impl AsyncRead + Unpin)) -> Option<Self> {
        let mut bytes = [0; 12];
        stream.read_exact(&mut bytes).await.ok()?;
        let [t0, t1, p0, p1, l0, l1, unit, function, a0, a1, c0, c1] = bytes;
        assert_eq!(
            [p0, p1, l0, l1],
            [0, 0, 0, 6],
            "a read request has 12 bytes"
        );
        assert!((1..=4).contains(&function), "the gateway only reads");
        Some(Self {
            transaction: u16::from_be_bytes([t0, t1]),
            unit,
            function,
            address: u16::from_be_bytes([a0, a1]),
            count: u16::from_be_bytes([c0, c1]),
        })
    }

    /// A request as RTU has it; `None` when its checksum is wrong.
    pub(super) fn from_rtu(bytes: &[u8; 8]) -> Option<Self> {
        let &[unit, function, a0, a1, c0, c1, low, high] = bytes;
        if rtu_checksum(&bytes[..6]) != [low, high] {
            return None;
        }
        assert!((1..=4).contains(&function), "the gateway only reads");
        Some(Self {
            transaction: 0,
            unit,
            function,
            address: u16::from_be_bytes([a0, a1]),
            count: u16::from_be_bytes([c0, c1]),
        })
    }

    /// The right answer as RTU has it.
    pub(super) fn rtu_answer(&self) -> Vec<u8> {
        let values = self.values();
        let length = u8::try_from(values.len()).expect("at most 250 bytes of values");
        rtu_frame(self.unit, &[&[self.function, length], &values[..]].concat())
    }

    /// The bytes of the values, without their count.
    pub(super) fn values(&self) -> Vec<u8> {
        let values = (0..self.count).map(|i| register(self.unit, self.address.wrapping_add(i)));
        if self.function > 2 {
            return values.flat_map(u16::to_be_bytes).collect();
        }
        let bits: Vec<u16> = values.map(|value| value & 1).collect();
        bits.chunks(8)
            .map(|byte| {
                byte.iter()
                    .rev()
                    .fold(0, |byte, bit| byte << 1 | (*bit == 1) as u8)
            })
            .collect()
    }

    /// A frame around `values` that answers this request.
    pub(super) fn frame(&self, values: &[u8]) -> Vec<u8> {
        let length = u8::try_from(values.len()).expect("at most 250 bytes of values");
        frame(
            self.transaction,
            self.unit,
            &[&[self.function, length], values].concat(),
        )
    }

    /// The right answer.
    pub(super) fn answer(&self) -> Vec<u8> {
        self.frame(&self.values())
    }

    /// A refusal.
    pub(super) fn exception(&self, code: u8) -> Vec<u8> {
        frame(self.transaction, self.unit, &[self.function | 0x80, code])
    }
}

/// MBAP header and PDU.
pub(super) fn frame(transaction: u16, unit: u8, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).expect("a PDU has at most 253 bytes");
    let [t0, t1] = transaction.to_be_bytes();
    let [l0, l1] = length.to_be_bytes();
    [&[t0, t1, 0, 0, l0, l1, unit], pdu].concat()
}

/// Unit, PDU and checksum.
pub(super) fn rtu_frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut frame = [&[unit], pdu].concat();
    let checksum = rtu_checksum(&frame);
    frame.extend(checksum);
    frame
}

/// The checksum as long division of polynomials, most significant bit first: x^16 + x^15 + x^2 + 1 over the
/// message with each byte turned around.
fn rtu_checksum(bytes: &[u8]) -> [u8; 2] {
    let mut remainder: u32 = 0xFFFF;
    for byte in bytes {
        remainder ^= u32::from(byte.reverse_bits()) << 8;
        for _ in 0..8 {
            remainder <<= 1;
            if remainder & 0x1_0000 != 0 {
                remainder ^= 0x1_8005;
            }
        }
    }
    let [.., high, low] = remainder.to_be_bytes();
    [high.reverse_bits(), low.reverse_bits()]
}

/// Connects in memory, so that time can be virtual.
#[derive(Debug, Clone)]
pub(super) struct Wire {
    server: mpsc::Sender<DuplexStream>,
    /// Are connections accepted?
    pub(super) up: Arc<AtomicBool>,
    /// Attempts to connect.
    pub(super) attempts: Arc<AtomicUsize>,
}

/// A wire, and where its server accepts connections.
pub(super) fn wire() -> (Wire, mpsc::Receiver<DuplexStream>) {
    let (server, accept) = mpsc::channel(16);
    let wire = Wire {
        server,
        up: Arc::new(AtomicBool::new(true)),
        attempts: Arc::default(),
    };
    (wire, accept)
}

impl fmt::Display for Wire {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a wire in memory")
    }
}

impl Connector for Wire {
    type Stream = DuplexStream;

    async fn connect(&mut self) -> io::Result<DuplexStream> {
        self.attempts.fetch_add(1, Ordering::Relaxed);
        if !self.up.load(Ordering::Relaxed) {
            return Err(io::ErrorKind::ConnectionRefused.into());
        }
        let (ours, theirs) = tokio::io::duplex(4096);
        let accepted = self.server.send(theirs).await;
        accepted.map_err(|_gone| io::ErrorKind::ConnectionRefused)?;
        Ok(ours)
    }
}
