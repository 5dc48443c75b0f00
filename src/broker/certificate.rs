//! What a person has to know of a certificate before a broker sees it: its version and the days on which
//! it is good. Pure.
//!
//! Whether a certificate can be trusted is decided by the TLS library and by nothing here. But the library
//! tells only when a connection fails, and an authority that runs out on Sunday should be a line of
//! `forewarn check` on Friday. So this reads the three fields of RFC 5280, 4.1 that lie before it
//! (version, then serial number, signature and issuer, which are passed over, then validity), and no more.
//!
//! Deliberately absent: names, extensions, signatures. A certificate that is not understood is no finding.

use jiff::civil;

use crate::engine::time::Wall;

/// What stands in a certificate.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Facts {
    /// 1, 2 or 3; the TLS library refuses all but 3.
    pub(crate) version: u8,
    /// Good from then on.
    pub(crate) from: Wall,
    /// Good until then.
    pub(crate) until: Wall,
}

/// DER tags (X.690).
const SEQUENCE: u8 = 0x30;
const INTEGER: u8 = 0x02;
const UTC_TIME: u8 = 0x17;
const GENERALIZED_TIME: u8 = 0x18;
/// `[0]`, explicit: where the version stands if it is not 1.
const VERSION: u8 = 0xa0;

/// Reads a certificate. `None`: it is none that this understands.
pub(crate) fn read(der: &[u8]) -> Option<Facts> {
    let mut certificate = Parts(der).open(SEQUENCE)?;
    let mut fields = certificate.open(SEQUENCE)?;
    let version = match fields.open(VERSION) {
        Some(mut explicit) => match explicit.take(INTEGER)? {
            [number @ 0..=2] => number + 1,
            _ => return None,
        },
        None => 1,
    };
    fields.take(INTEGER)?;
    fields.take(SEQUENCE)?;
    fields.take(SEQUENCE)?;
    let mut validity = fields.open(SEQUENCE)?;
    Some(Facts {
        version,
        from: validity.time()?,
        until: validity.time()?,
    })
}

/// Elements one after another.
struct Parts<'d>(&'d [u8]);

impl<'d> Parts<'d> {
    /// The content of the next element, if it has this tag; else nothing is taken.
    fn take(&mut self, tag: u8) -> Option<&'d [u8]> {
        let (&first, rest) = self.0.split_first()?;
        if first != tag {
            return None;
        }
        let (length, rest) = length(rest)?;
        let (content, rest) = rest.split_at_checked(length)?;
        self.0 = rest;
        Some(content)
    }

    /// The same, as elements.
    fn open(&mut self, tag: u8) -> Option<Self> {
        self.take(tag).map(Parts)
    }

    /// A time; RFC 5280 has them in UTC, to the second.
    fn time(&mut self) -> Option<Wall> {
        let (century, text) = match self.take(UTC_TIME) {
            // Two digits of a year are 1950 to 2049.
            Some([tens, rest @ ..]) => {
                let century = if *tens >= b'5' { "19" } else { "20" };
                (century, [&[*tens], rest].concat())
            }
            Some([]) => return None,
            None => ("", self.take(GENERALIZED_TIME)?.to_vec()),
        };
        let text = format!("{century}{}", String::from_utf8(text).ok()?);
        let time = civil::DateTime::strptime("%Y%m%d%H%M%SZ", text).ok()?;
        let time = time.to_zoned(jiff::tz::TimeZone::UTC).ok()?;
        let nanos = i64::try_from(time.timestamp().as_nanosecond()).ok()?;
        Some(Wall::from_unix_nanos(nanos))
    }
}

/// A length, and what follows it. Four bytes are more than any file here has.
fn length(der: &[u8]) -> Option<(usize, &[u8])> {
    let (&first, rest) = der.split_first()?;
    let digits = usize::from(first & 0x7f);
    if first & 0x80 == 0 {
        return Some((digits, rest));
    }
    if !(1..=4).contains(&digits) {
        return None;
    }
    let (bytes, rest) = rest.split_at_checked(digits)?;
    let length = bytes
        .iter()
        .fold(0, |sum, byte| sum << 8 | usize::from(*byte));
    Some((length, rest))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::event::rfc3339;

    fn element(tag: u8, content: &[u8]) -> Vec<u8> {
        let length = u16::try_from(content.len()).expect("short").to_be_bytes();
        [&[tag, 0x82], &length[..], content].concat()
    }

    /// A certificate as far as it is read; `version` is what stands in it.
    fn certificate(version: Option<u8>, from: (u8, &str), until: (u8, &str)) -> Vec<u8> {
        let number = |number| element(INTEGER, &[number]);
        let times = [from, until].map(|(tag, text)| element(tag, text.as_bytes()));
        let fields = [
            version.map_or_else(Vec::new, |version| element(VERSION, &number(version))),
            number(77),
            element(SEQUENCE, b"signature"),
            element(SEQUENCE, &[b'i'; 300]),
            element(SEQUENCE, &times.concat()),
            b"what follows is nothing to us".to_vec(),
        ];
        element(SEQUENCE, &element(SEQUENCE, &fields.concat()))
    }

    #[test]
    fn version_and_validity_are_read_in_both_notations() {
        let short = (UTC_TIME, "991231235959Z");
        let next = (UTC_TIME, "260504061231Z");
        let long = (GENERALIZED_TIME, "20510101000000Z");
        for (version, from, until, expected) in [
            (
                Some(2),
                short,
                next,
                (3, "1999-12-31T23:59:59.000Z", "2026-05-04T06:12:31.000Z"),
            ),
            (
                Some(0),
                next,
                long,
                (1, "2026-05-04T06:12:31.000Z", "2051-01-01T00:00:00.000Z"),
            ),
            (
                None,
                next,
                long,
                (1, "2026-05-04T06:12:31.000Z", "2051-01-01T00:00:00.000Z"),
            ),
        ] {
            let facts = read(&certificate(version, from, until)).expect("readable");
            let (from, until) = (rfc3339::format(facts.from), rfc3339::format(facts.until));
            assert_eq!((facts.version, &*from, &*until), expected);
        }
    }

    #[test]
    fn what_is_not_understood_is_nothing() {
        let good = (UTC_TIME, "260504061231Z");
        for bad in [
            (UTC_TIME, ""),
            (UTC_TIME, "2605"),
            (UTC_TIME, "269904061231Z"),
            (INTEGER, "1"),
        ] {
            assert_eq!(read(&certificate(Some(2), bad, good)), None);
        }
        assert_eq!(read(&certificate(Some(9), good, good)), None);
    }

    proptest! {
        #[test]
        fn no_bytes_and_no_stump_of_a_certificate_panic(
            bytes in proptest::collection::vec(any::<u8>(), 0..64),
            cut in 0..400_usize,
        ) {
            read(&bytes);
            let whole = certificate(Some(2), (UTC_TIME, "260504061231Z"), (UTC_TIME, "260504061231Z"));
            read(whole.get(..cut).unwrap_or(&whole));
        }
    }
}
