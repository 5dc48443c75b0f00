//! What is answered, and as what bytes: Modbus TCP here, RTU in [`rtu`]. By hand, so that it can be made wrong
//! on purpose.
//!
//! ```text
//! 0           2           4           6      7          8
//! | transaction | protocol 0 | length   | unit | function | data ...
//!                                        `------ length counts from here
//! ```
//! Source: MODBUS Messaging on TCP/IP Implementation Guide V1.0b, 3.1; MODBUS Application Protocol V1.1b3, 6.1-6.4.

use std::time::Duration;

use super::fault::Fault;
use super::rtu;
use super::unit::{Table, Unit};

/// How bytes are framed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Framing {
    Tcp,
    Rtu,
}

/// Bytes before the PDU.
pub(super) const HEADER: usize = 7;
/// The most a length field may announce: unit and the longest PDU.
pub(super) const MAX_LENGTH: usize = 254;

const ILLEGAL_FUNCTION: u8 = 1;
const ILLEGAL_DATA_ADDRESS: u8 = 2;
const ILLEGAL_DATA_VALUE: u8 = 3;
/// Gateway target device failed to respond: the honest answer for a unit that is not there.
pub(super) const NO_SUCH_UNIT: u8 = 11;

/// The part of a request's header that its answer repeats; RTU has no transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) transaction: u16,
    pub(super) unit: u8,
}

/// Reads a header: what to repeat, and the length of the PDU that follows. `None` when it is no Modbus frame.
pub(super) fn parse_header(bytes: [u8; HEADER]) -> Option<(Header, usize)> {
    let protocol = u16::from_be_bytes([bytes[2], bytes[3]]);
    let length = usize::from(u16::from_be_bytes([bytes[4], bytes[5]]));
    let header = Header {
        transaction: u16::from_be_bytes([bytes[0], bytes[1]]),
        unit: bytes[6],
    };
    (protocol == 0 && (2..=MAX_LENGTH).contains(&length)).then_some((header, length - 1))
}

/// The right answer to a request.
pub(super) fn answer(unit: &mut Unit, number: u8, request: &[u8], time: Duration) -> Vec<u8> {
    let function = request.first().copied().unwrap_or(0);
    match read(unit, number, request, time) {
        Ok(data) => {
            let mut pdu = vec![function, u8::try_from(data.len()).unwrap_or(u8::MAX)];
            pdu.extend(data);
            pdu
        }
        Err(code) => exception(function, code),
    }
}

/// An exception answer.
pub(super) fn exception(function: u8, code: u8) -> Vec<u8> {
    vec![function | 0x80, code]
}

fn read(unit: &mut Unit, number: u8, request: &[u8], time: Duration) -> Result<Vec<u8>, u8> {
    let (table, most) = match request.first() {
        Some(1) => (Table::Coil, 2_000),
        Some(2) => (Table::Discrete, 2_000),
        Some(3) => (Table::Holding, 125),
        Some(4) => (Table::Input, 125),
        _ => return Err(ILLEGAL_FUNCTION),
    };
    let &[_, start_high, start_low, count_high, count_low] = request else {
        return Err(ILLEGAL_DATA_VALUE);
    };
    let start = u16::from_be_bytes([start_high, start_low]);
    let count = u16::from_be_bytes([count_high, count_low]);
    if !(1..=most).contains(&count) {
        return Err(ILLEGAL_DATA_VALUE);
    }
    let words = unit
        .read(number, table, start, count, time)
        .ok_or(ILLEGAL_DATA_ADDRESS)?;
    Ok(match table {
        Table::Coil | Table::Discrete => pack_bits(&words),
        Table::Holding | Table::Input => words.iter().flat_map(|word| word.to_be_bytes()).collect(),
    })
}

/// Bits as Modbus packs them: the first one is the lowest bit of the first byte.
fn pack_bits(bits: &[u16]) -> Vec<u8> {
    bits.chunks(8)
        .map(|eight| {
            eight
                .iter()
                .enumerate()
                .fold(0, |byte, (at, bit)| byte | (u8::from(*bit != 0) << at))
        })
        .collect()
}

/// What goes onto the wire.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Reply {
    Nothing,
    Close,
    Bytes(Vec<u8>),
    ByteByByte(Vec<u8>),
}

impl Framing {
    /// The frame of an answer as a fault leaves it. A delay is the caller's business.
    pub(super) fn reply(
        self,
        fault: Fault,
        header: Header,
        request: &[u8],
        mut pdu: Vec<u8>,
    ) -> Reply {
        let Header { transaction, unit } = header;
        match fault {
            Fault::None | Fault::Late(_) => Reply::Bytes(self.frame(header, &pdu)),
            Fault::Silent => Reply::Nothing,
            Fault::Close | Fault::Refuse => Reply::Close,
            Fault::Truncated => {
                let mut bytes = self.frame(header, &pdu);
                bytes.truncate(bytes.len() / 2);
                Reply::Bytes(bytes)
            }
            Fault::WrongTransaction => {
                let transaction = transaction.wrapping_add(1);
                Reply::Bytes(self.frame(Header { transaction, unit }, &pdu))
            }
            Fault::WrongUnit => {
                let unit = unit.wrapping_add(1);
                Reply::Bytes(self.frame(Header { transaction, unit }, &pdu))
            }
            Fault::WrongFunction => {
                pdu[0] = if pdu[0] == 3 { 4 } else { 3 };
                Reply::Bytes(self.frame(header, &pdu))
            }
            Fault::BadCount => {
                pdu[1] = pdu[1].wrapping_add(2);
                Reply::Bytes(self.frame(header, &pdu))
            }
            Fault::Short => {
                let less = if pdu[0] <= 2 { 1 } else { 2 };
                pdu.truncate(pdu.len().saturating_sub(less).max(2));
                pdu[1] = pdu[1].saturating_sub(less.try_into().unwrap_or(0));
                Reply::Bytes(self.frame(header, &pdu))
            }
            Fault::Exception(code) => Reply::Bytes(self.frame(header, &exception(pdu[0], code))),
            Fault::Garbage => {
                let mut random = fastrand::Rng::with_seed(transaction.into());
                Reply::Bytes((0..32).map(|_| random.u8(..)).collect())
            }
            Fault::Duplicate => Reply::Bytes(self.frame(header, &pdu).repeat(2)),
            Fault::Drip => Reply::ByteByByte(self.frame(header, &pdu)),
            Fault::HugeLength => {
                let mut bytes = self.frame(header, &pdu);
                match self {
                    Self::Tcp => bytes[4..6].copy_from_slice(&[0xFF, 0xFF]),
                    Self::Rtu => bytes[2] = 0xFF,
                }
                Reply::Bytes(bytes)
            }
            Fault::BadCrc => {
                let mut bytes = self.frame(header, &pdu);
                let spoilt = match self {
                    Self::Tcp => 3,
                    Self::Rtu => bytes.len() - 1,
                };
                bytes[spoilt] ^= 1;
                Reply::Bytes(bytes)
            }
            Fault::Echo => {
                let mut bytes = match self {
                    Self::Tcp => Vec::new(),
                    Self::Rtu => self.frame(header, request),
                };
                bytes.extend(self.frame(header, &pdu));
                Reply::Bytes(bytes)
            }
            Fault::Noise => {
                let mut bytes = vec![0xFF, 0];
                bytes.extend(self.frame(header, &pdu));
                Reply::Bytes(bytes)
            }
        }
    }

    fn frame(self, header: Header, pdu: &[u8]) -> Vec<u8> {
        match self {
            Self::Tcp => frame(header, pdu),
            Self::Rtu => rtu::frame(header.unit, pdu),
        }
    }
}

fn frame(header: Header, pdu: &[u8]) -> Vec<u8> {
    let length = u16::try_from(pdu.len() + 1).unwrap_or(u16::MAX);
    let mut bytes = Vec::with_capacity(HEADER + pdu.len());
    bytes.extend(header.transaction.to_be_bytes());
    bytes.extend([0, 0]);
    bytes.extend(length.to_be_bytes());
    bytes.push(header.unit);
    bytes.extend(pdu);
    bytes
}

#[cfg(test)]
mod tests {
    use super::*;

    const HEAD: Header = Header {
        transaction: 0x0102,
        unit: 9,
    };

    #[test]
    fn answers_follow_the_specification() {
        let mut unit = Unit::default();
        unit.put("holding:107 words 0x022B 0 0x64", 0)
            .expect("good");
        unit.put("coil:19 bits 1 0 1 1 0 0 1 1 1 1 0", 0)
            .expect("good");
        // The examples of the specification, 6.1 and 6.3, and the ways to be refused.
        let cases: [(&[u8], &[u8]); 9] = [
            (&[3, 0, 0x6B, 0, 3], &[3, 6, 0x02, 0x2B, 0, 0, 0, 0x64]),
            (&[1, 0, 0x13, 0, 11], &[1, 2, 0xCD, 0x03]),
            (&[3, 0, 0x6B, 0, 4], &[0x83, 2]),
            (&[3, 0, 0x6B, 0, 0], &[0x83, 3]),
            (&[3, 0, 0x6B, 0, 126], &[0x83, 3]),
            (&[1, 0, 0x13, 0x07, 0xD1], &[0x81, 3]),
            (&[6, 0, 0x6B, 0, 1], &[0x86, 1]),
            (&[43, 14, 1, 0], &[0xAB, 1]),
            (&[3, 0, 0x6B], &[0x83, 3]),
        ];
        for (request, expected) in cases {
            assert_eq!(
                answer(&mut unit, 1, request, Duration::ZERO),
                expected,
                "{request:?}"
            );
        }
    }

    #[test]
    fn only_modbus_headers_pass() {
        assert_eq!(parse_header([1, 2, 0, 0, 0, 6, 9]), Some((HEAD, 5)));
        assert_eq!(parse_header([1, 2, 0, 1, 0, 6, 9]), None, "protocol");
        assert_eq!(parse_header([1, 2, 0, 0, 0, 1, 9]), None, "no function");
        assert_eq!(parse_header([1, 2, 0, 0, 0, 255, 9]), None, "too long");
    }

    #[test]
    fn each_fault_spoils_exactly_one_thing() {
        let pdu = [3, 4, 0xA, 0xB, 0xC, 0xD];
        let right = [1, 2, 0, 0, 0, 7, 9, 3, 4, 0xA, 0xB, 0xC, 0xD];
        let reply = |fault| Framing::Tcp.reply(fault, HEAD, &[], pdu.to_vec());
        let with = |at: usize, byte: u8| {
            let mut bytes = right.to_vec();
            bytes[at] = byte;
            Reply::Bytes(bytes)
        };
        let cases = [
            (Fault::None, Reply::Bytes(right.to_vec())),
            (Fault::Late(Duration::MAX), Reply::Bytes(right.to_vec())),
            (Fault::Silent, Reply::Nothing),
            (Fault::Close, Reply::Close),
            (Fault::Refuse, Reply::Close),
            (Fault::Truncated, Reply::Bytes(right[..6].to_vec())),
            (Fault::WrongTransaction, with(1, 3)),
            (Fault::WrongUnit, with(6, 10)),
            (Fault::WrongFunction, with(7, 4)),
            (Fault::BadCount, with(8, 6)),
            (
                Fault::Short,
                Reply::Bytes(vec![1, 2, 0, 0, 0, 5, 9, 3, 2, 0xA, 0xB]),
            ),
            (
                Fault::Exception(4),
                Reply::Bytes(vec![1, 2, 0, 0, 0, 3, 9, 0x83, 4]),
            ),
            (Fault::Duplicate, Reply::Bytes(right.repeat(2))),
            (Fault::Drip, Reply::ByteByByte(right.to_vec())),
            (Fault::BadCrc, with(3, 1)),
            (Fault::Echo, Reply::Bytes(right.to_vec())),
            (
                Fault::Noise,
                Reply::Bytes([&[0xFF, 0], &right[..]].concat()),
            ),
        ];
        for (fault, expected) in cases {
            assert_eq!(reply(fault), expected, "{fault:?}");
        }
        let Reply::Bytes(huge) = reply(Fault::HugeLength) else {
            panic!("bytes");
        };
        assert_eq!(huge[4..6], [0xFF, 0xFF]);
        let Reply::Bytes(garbage) = reply(Fault::Garbage) else {
            panic!("bytes");
        };
        assert_eq!(garbage.len(), 32);
        assert_ne!(garbage[..7], right[..7]);
    }

    #[test]
    fn rtu_is_spoilt_in_its_own_way() {
        let pdu = [3, 4, 0xA, 0xB, 0xC, 0xD];
        let request = [3, 0, 10, 0, 2];
        let right = rtu::frame(9, &pdu);
        let with = |at: usize, byte: u8| {
            let mut bytes = right.clone();
            bytes[at] = byte;
            Reply::Bytes(bytes)
        };
        let last = right.len() - 1;
        let echo = [rtu::frame(9, &request), right.clone()].concat();
        let cases = [
            (Fault::None, Reply::Bytes(right.clone())),
            (Fault::WrongTransaction, Reply::Bytes(right.clone())),
            (Fault::WrongUnit, Reply::Bytes(rtu::frame(10, &pdu))),
            (Fault::Truncated, Reply::Bytes(right[..4].to_vec())),
            (Fault::HugeLength, with(2, 0xFF)),
            (Fault::BadCrc, with(last, right[last] ^ 1)),
            (Fault::Echo, Reply::Bytes(echo)),
        ];
        for (fault, expected) in cases {
            let reply = Framing::Rtu.reply(fault, HEAD, &request, pdu.to_vec());
            assert_eq!(reply, expected, "{fault:?}");
        }
    }
}
