//! What brokers of the tests' own read: MQTT packets as they come off a socket (3.1.1, section 2.2).

/// Every packet of these tests is shorter.
const LONGEST: usize = 64 * 1024;

/// Takes a whole packet off the front: its first byte and what follows the length.
pub(super) fn packet(input: &mut Vec<u8>) -> Option<(u8, Vec<u8>)> {
    let kind = *input.first()?;
    let (mut length, mut header) = (0, 1);
    loop {
        let byte = usize::from(*input.get(header)?);
        length |= (byte & 0x7f) << (7 * (header - 1));
        header += 1;
        if byte & 0x80 == 0 {
            break;
        }
    }
    assert!(length < LONGEST, "a packet of {length} bytes");
    let end = header + length;
    if input.len() < end {
        return None;
    }
    let body = input.get(header..end)?.to_vec();
    input.drain(..end);
    Some((kind, body))
}
