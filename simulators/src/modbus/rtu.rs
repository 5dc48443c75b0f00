//! Frames of RTU, by hand, so that they can be made wrong on purpose.
//!
//! ```text
//! | unit | function | data ... | checksum, low byte first |
//! ```
//! Source: MODBUS over Serial Line V1.02, 2.5.1 and 6.2.2.

use std::io;
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt};
use tokio::time::timeout;

/// A frame that has begun and not gone on for so long is forgotten.
const PAUSE: Duration = Duration::from_millis(50);

/// Unit, PDU and checksum.
pub(super) fn frame(unit: u8, pdu: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(pdu.len() + 3);
    bytes.push(unit);
    bytes.extend(pdu);
    bytes.extend(checksum(&bytes).to_le_bytes());
    bytes
}

/// The checksum, bit by bit.
fn checksum(bytes: &[u8]) -> u16 {
    let mut checksum = 0xFFFF;
    for byte in bytes {
        checksum ^= u16::from(*byte);
        for _ in 0..8 {
            let odd = checksum & 1 == 1;
            checksum >>= 1;
            if odd {
                checksum ^= 0xA001;
            }
        }
    }
    checksum
}

/// Takes the first whole request out of `heard`; what is none is dropped.
fn take(heard: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    loop {
        let length = match heard.as_slice() {
            [_, 1..=6, ..] => 8,
            [_, 15 | 16, _, _, _, _, count, ..] => 9 + usize::from(*count),
            [] | [_] | [_, 15 | 16, ..] => return None,
            [..] => 0,
        };
        let request = heard.get(..length)?;
        if length > 0 && checksum(request) == 0 {
            let request: Vec<u8> = heard.drain(..length).collect();
            let pdu = request.get(1..length - 2).unwrap_or_default().to_vec();
            return request.first().map(|unit| (*unit, pdu));
        }
        heard.remove(0);
    }
}

/// The unit and the PDU of the next request; what came beyond it stays in `heard`. Functions whose length
/// nobody knows are noise, as to most devices.
pub(super) async fn read_request(
    stream: &mut (impl AsyncRead + Unpin),
    heard: &mut Vec<u8>,
) -> io::Result<(u8, Vec<u8>)> {
    let mut bytes = [0; 256];
    loop {
        if let Some(request) = take(heard) {
            return Ok(request);
        }
        let pause = if heard.is_empty() {
            Duration::MAX
        } else {
            PAUSE
        };
        match timeout(pause, stream.read(&mut bytes)).await {
            Ok(Ok(0)) => return Err(io::ErrorKind::UnexpectedEof.into()),
            Ok(count) => heard.extend(bytes.iter().take(count?)),
            Err(_silence) => heard.clear(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn frames_are_as_the_specification_has_them() {
        assert_eq!(
            frame(0x11, &[3, 0, 0x6B, 0, 3]),
            [0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87]
        );
        assert_eq!(frame(0x0A, &[0x81, 2]), [0x0A, 0x81, 2, 0xB0, 0x53]);
    }

    #[test]
    fn requests_are_found_in_noise() {
        let read = frame(7, &[3, 0, 10, 0, 2]);
        let write = frame(8, &[16, 0, 1, 0, 1, 2, 0xAB, 0xCD]);
        let mut heard = [&[0, 3, 0xFF], &read[..], &write[..], &[9, 3]].concat();
        assert_eq!(take(&mut heard), Some((7, vec![3, 0, 10, 0, 2])));
        assert_eq!(
            take(&mut heard),
            Some((8, write[1..write.len() - 2].to_vec()))
        );
        assert_eq!(take(&mut heard), None);
        assert_eq!(heard, [9, 3]);
    }
}
