//! How much a payload would take, before it is built.
//!
//! The decoder of protobuf makes an element of every entry of a list, and an empty entry is two bytes
//! long. So the lists are counted first, by walking over the wire format without keeping anything:
//!
//! ```text
//!   payload ─ 2: metric ─ 9: properties ─ 1: key, 2: value
//! ```
//!
//! Everything else is of fixed size, or a text or bytes no longer than the payload.

/// What is accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Length of a payload, bytes.
    pub bytes: usize,
    /// Metrics, property keys and property values, together.
    pub elements: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            bytes: 1 << 20,
            elements: 50_000,
        }
    }
}

/// Why a payload is not read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Too many bytes.
    #[error("{size} bytes, more than {limit}")]
    TooLong {
        /// Of the payload, bytes.
        size: usize,
        /// The limit, bytes.
        limit: usize,
    },
    /// Too many metrics and properties.
    #[error("more than {0} metrics and properties")]
    TooMany(usize),
    /// It is something else, or damaged.
    #[error("not a Sparkplug B payload: {0}")]
    NotAPayload(String),
}

/// Where lists lie in the messages of a payload.
#[derive(Debug, Clone, Copy)]
enum Within {
    Payload,
    Metric,
    Properties,
}

/// Refuses what is over `limits` or is no protobuf.
pub(super) fn measure(bytes: &[u8], limits: Limits) -> Result<(), Refusal> {
    if bytes.len() > limits.bytes {
        return Err(Refusal::TooLong {
            size: bytes.len(),
            limit: limits.bytes,
        });
    }
    let mut left = limits.elements;
    match count(bytes, Within::Payload, &mut left) {
        Some(true) => Ok(()),
        Some(false) => Err(Refusal::TooMany(limits.elements)),
        None => Err(Refusal::NotAPayload("it ends within a field".to_owned())),
    }
}

/// Takes the elements of a message from what is left. `Some(false)`: there are more. `None`: it is
/// malformed. At most three deep.
fn count(mut message: &[u8], within: Within, left: &mut usize) -> Option<bool> {
    while !message.is_empty() {
        let (field, content) = next_field(&mut message)?;
        let Some(content) = content else { continue };
        let (element, inside) = match (within, field) {
            (Within::Payload, 2) => (true, Some(Within::Metric)),
            (Within::Metric, 9) => (false, Some(Within::Properties)),
            (Within::Properties, 1 | 2) => (true, None),
            (Within::Payload | Within::Metric | Within::Properties, _) => (false, None),
        };
        if element {
            let Some(fewer) = left.checked_sub(1) else {
                return Some(false);
            };
            *left = fewer;
        }
        if let Some(inside) = inside
            && !count(content, inside, left)?
        {
            return Some(false);
        }
    }
    Some(true)
}

/// Number of the next field and, if its length is written before it, its content.
fn next_field<'m>(message: &mut &'m [u8]) -> Option<(u64, Option<&'m [u8]>)> {
    let key = varint(message)?;
    let content = match key & 7 {
        0 => {
            varint(message)?;
            None
        }
        1 => {
            take(message, 8)?;
            None
        }
        2 => {
            let length = usize::try_from(varint(message)?).ok()?;
            Some(take(message, length)?)
        }
        5 => {
            take(message, 4)?;
            None
        }
        // Groups are of an older protobuf; the others do not exist.
        _ => return None,
    };
    Some((key >> 3, content))
}

fn take<'m>(message: &mut &'m [u8], length: usize) -> Option<&'m [u8]> {
    let (taken, rest) = message.split_at_checked(length)?;
    *message = rest;
    Some(taken)
}

fn varint(message: &mut &[u8]) -> Option<u64> {
    let mut value = 0_u64;
    for shift in (0..64).step_by(7) {
        let [byte] = *take(message, 1)? else {
            return None;
        };
        value |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::super::Payload;
    use super::*;

    fn limited(elements: usize) -> Limits {
        Limits {
            elements,
            ..Limits::default()
        }
    }

    #[test]
    fn empty_metrics_are_counted_before_they_are_made() {
        let bytes = [0x12, 0x00].repeat(500);
        assert!(Payload::from_bytes(&bytes, limited(500)).is_ok());
        let refused = Payload::from_bytes(&bytes, limited(499));
        assert_eq!(refused, Err(Refusal::TooMany(499)));
    }

    #[test]
    fn so_are_empty_properties_of_a_metric() {
        let keys = [0x0a, 0x00, 0x12, 0x00].repeat(10);
        let metric = [&[0x4a, 40][..], &keys].concat();
        let bytes = [&[0x12, 42][..], &metric].concat();
        assert!(Payload::from_bytes(&bytes, limited(21)).is_ok());
        let refused = Payload::from_bytes(&bytes, limited(20));
        assert_eq!(refused, Err(Refusal::TooMany(20)));
    }

    #[test]
    fn what_is_too_long_is_not_looked_at() {
        let limits = Limits {
            bytes: 3,
            elements: 9,
        };
        let refused = measure(&[0xff; 4], limits);
        assert_eq!(refused, Err(Refusal::TooLong { size: 4, limit: 3 }));
    }

    #[test]
    fn what_ends_within_a_field_is_no_payload() {
        for bytes in [
            &[0x12][..],
            &[0x12, 0x05, 0x00],
            &[0x80; 11],
            &[0x09, 1, 2],
            &[0x13],
        ] {
            let refused = measure(bytes, Limits::default());
            assert!(
                matches!(refused, Err(Refusal::NotAPayload(_))),
                "{bytes:?}: {refused:?}"
            );
        }
    }
}
