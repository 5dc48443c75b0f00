//! One line of telemetry, and many of them in few bytes. Pure.
//!
//! A block is what is written, kept and evicted as one:
//!
//! ```text
//!  version 1 B │ check 4 B │ base time │ record │ record │ ...
//!  record: flags │ point │ time since the one before │ reason │ value │ min, max │ count, length
//! ```
//!
//! Whole numbers are varints (7 bits a byte). A measured number is nearly always a decimal with few
//! places: it is kept as a whole number and its places when that gives back the very same float, else as the
//! float. So a record takes 8 to 20 bytes. Times are kept in milliseconds, as they are told.
//!
//! A block with another version, a wrong check sum or a byte too few is damaged as a whole: no number of it
//! is believed.

use crate::engine::reading::{Doubt, Fault, PointIndex, Quality};
use crate::engine::time::Wall;

/// What was read of one point between two records.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Record {
    /// Which point, in the order of the configuration under which it was recorded.
    pub point: PointIndex,
    /// When the newest reading came, or when it was noticed that there is no value.
    pub time: Wall,
    /// When the first reading of the interval came; `time` when there is only one.
    pub from: Wall,
    /// The newest value, in the point's unit; absent while the point is bad.
    pub value: Option<f64>,
    /// Bad when there is no value; else the worst of the values in the interval.
    pub quality: Quality,
    /// Why the quality is not good.
    pub reason: Option<&'static str>,
    /// Is over-range held? The value is the full scale then.
    pub held: bool,
    /// Least and greatest value in the interval, when they are not both `value`.
    pub range: Option<(f64, f64)>,
    /// Readings in the interval; 0 when nothing came, and the present was asked for.
    pub count: u32,
}

/// The first byte of a block.
const VERSION: u8 = 1;
/// Version and check sum.
const HEAD: usize = 5;

const HAS_VALUE: u8 = 1 << 2;
const HAS_RANGE: u8 = 1 << 3;
const HAS_REASON: u8 = 1 << 4;
const HELD: u8 = 1 << 5;
const IS_INTERVAL: u8 = 1 << 6;

/// Decimal places that are tried; the code after the last one says that a float follows.
const PLACES: [f64; 7] = [1.0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6];
const FLOAT: u64 = 7;
/// Decimals beyond this take no less room than a float.
const LARGEST: f64 = (1_u64 << 44) as f64;

/// The words for a quality that is not good. The place of a word is its code on disk: append only.
const REASONS: [&str; 25] = [
    "last_usable_value",
    "sensor_not_accurate",
    "engineering_units_exceeded",
    "clamped",
    "sub_normal",
    "status_not_heard",
    "bad_clock",
    "unknown_clock",
    "frozen",
    Fault::ConfigurationError.name(),
    Fault::NotConnected.name(),
    Fault::DeviceFailure.name(),
    Fault::SensorFailure.name(),
    Fault::NoCommunication.name(),
    Fault::OutOfService.name(),
    Fault::WaitingForInitialData.name(),
    Fault::Inhibited.name(),
    Fault::WarmingUp.name(),
    Fault::BeamBlocked.name(),
    Fault::IllegalAddress.name(),
    Fault::IllegalValue.name(),
    Fault::Unanswered.name(),
    Fault::SourceBad.name(),
    Fault::SourceOffline.name(),
    Fault::WrongUnit.name(),
];

/// For a reason that has no code: it says that there is one.
const UNNAMED: &str = Doubt::SubNormal.name();

/// Records in the form in which they are kept.
pub(super) fn encode(records: impl Iterator<Item = Record>) -> Vec<u8> {
    let mut bytes = vec![VERSION, 0, 0, 0, 0];
    let mut last = 0_i64;
    for record in records {
        let time = millis(record.time);
        put(&mut bytes, &record, time.wrapping_sub(last));
        last = time;
    }
    let sum = checksum(&bytes[HEAD..]);
    bytes[1..HEAD].copy_from_slice(&sum.to_le_bytes());
    bytes
}

/// The records of a block; `None` when it is damaged.
pub(super) fn decode(bytes: &[u8]) -> Option<Vec<Record>> {
    let (head, mut rest) = bytes.split_at_checked(HEAD)?;
    let sum = u32::from_le_bytes(head[1..].try_into().ok()?);
    if head[0] != VERSION || sum != checksum(rest) {
        return None;
    }
    let mut records = Vec::new();
    let mut last = 0_i64;
    while !rest.is_empty() {
        let record = take(&mut rest, &mut last)?;
        records.push(record);
    }
    Some(records)
}

fn put(bytes: &mut Vec<u8>, record: &Record, since: i64) {
    let mark = |set: bool, flag: u8| if set { flag } else { 0 };
    let quality = match record.quality {
        Quality::Good => 0,
        Quality::Uncertain => 1,
        Quality::Bad => 2,
    };
    bytes.push(
        quality
            | mark(record.value.is_some(), HAS_VALUE)
            | mark(record.range.is_some(), HAS_RANGE)
            | mark(record.reason.is_some(), HAS_REASON)
            | mark(record.held, HELD)
            | mark(record.count != 1, IS_INTERVAL),
    );
    whole(bytes, u64::from(record.point.0));
    whole(bytes, folded(since));
    if let Some(reason) = record.reason {
        bytes.push(code(reason));
    }
    let (low, high) = record.range.unzip();
    for value in [record.value, low, high].into_iter().flatten() {
        number(bytes, value);
    }
    if record.count != 1 {
        whole(bytes, u64::from(record.count));
        let length = millis(record.time).saturating_sub(millis(record.from));
        whole(bytes, folded(length));
    }
}

fn take(rest: &mut &[u8], last: &mut i64) -> Option<Record> {
    let flags = byte(rest)?;
    let point = PointIndex(u32::try_from(next_whole(rest)?).ok()?);
    let time = last.wrapping_add(unfolded(next_whole(rest)?));
    *last = time;
    let reason = match flags & HAS_REASON {
        0 => None,
        _ => Some(*REASONS.get(usize::from(byte(rest)?))?),
    };
    let mut numbers = [HAS_VALUE, HAS_RANGE, HAS_RANGE].map(|_| None);
    for (flag, slot) in [HAS_VALUE, HAS_RANGE, HAS_RANGE]
        .into_iter()
        .zip(&mut numbers)
    {
        if flags & flag != 0 {
            *slot = Some(next_number(rest)?);
        }
    }
    let (count, length) = match flags & IS_INTERVAL {
        0 => (1, 0),
        _ => (
            u32::try_from(next_whole(rest)?).ok()?,
            unfolded(next_whole(rest)?),
        ),
    };
    let [value, low, high] = numbers;
    Some(Record {
        point,
        time: wall(time),
        from: wall(time.wrapping_sub(length)),
        value,
        quality: match flags & 3 {
            0 => Quality::Good,
            1 => Quality::Uncertain,
            2 => Quality::Bad,
            _ => return None,
        },
        reason,
        held: flags & HELD != 0,
        range: low.zip(high),
        count,
    })
}

fn code(reason: &str) -> u8 {
    let find = |word: &str| REASONS.iter().position(|known| *known == word);
    let place = find(reason).or_else(|| find(UNNAMED)).unwrap_or(0);
    u8::try_from(place).unwrap_or(0)
}

/// The fewest decimal places that give back the very same number.
fn number(bytes: &mut Vec<u8>, value: f64) {
    for (places, factor) in (0_u64..).zip(PLACES) {
        let scaled = (value * factor).round();
        if scaled.abs() >= LARGEST {
            break;
        }
        #[expect(clippy::cast_possible_truncation, reason = "below 2^44")]
        let digits = scaled as i64;
        if (digits as f64 / factor).to_bits() == value.to_bits() {
            return whole(bytes, folded(digits) << 3 | places);
        }
    }
    whole(bytes, FLOAT);
    bytes.extend(value.to_bits().to_le_bytes());
}

fn next_number(rest: &mut &[u8]) -> Option<f64> {
    let word = next_whole(rest)?;
    let value = if word == FLOAT {
        let (bits, after) = rest.split_first_chunk::<8>()?;
        *rest = after;
        f64::from_bits(u64::from_le_bytes(*bits))
    } else {
        let factor = PLACES.get(usize::try_from(word & 7).ok()?)?;
        unfolded(word >> 3) as f64 / factor
    };
    // Nothing else was ever put in.
    value.is_finite().then_some(value)
}

fn whole(bytes: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        bytes.push((number & 0x7f) as u8 | 0x80);
        number >>= 7;
    }
    bytes.push((number & 0x7f) as u8);
}

fn next_whole(rest: &mut &[u8]) -> Option<u64> {
    let mut number = 0;
    for shift in (0..64).step_by(7) {
        let byte = byte(rest)?;
        number |= u64::from(byte & 0x7f) << shift;
        if byte < 0x80 {
            return Some(number);
        }
    }
    None
}

fn byte(rest: &mut &[u8]) -> Option<u8> {
    let (first, after) = rest.split_first()?;
    *rest = after;
    Some(*first)
}

/// Small numbers of either sign are small whole numbers.
const fn folded(number: i64) -> u64 {
    ((number << 1) ^ (number >> 63)).cast_unsigned()
}

const fn unfolded(number: u64) -> i64 {
    (number >> 1).cast_signed() ^ -((number & 1).cast_signed())
}

pub(super) const fn millis(time: Wall) -> i64 {
    time.unix_nanos().div_euclid(1_000_000)
}

const fn wall(millis: i64) -> Wall {
    Wall::from_unix_nanos(millis.saturating_mul(1_000_000))
}

/// FNV-1a: finds what a worn card does to a block, and no forger.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |sum, byte| {
        (sum ^ u32::from(*byte)).wrapping_mul(0x0100_0193)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn record(value: Option<f64>) -> Record {
        Record {
            point: PointIndex(3),
            time: wall(1_700_000_000_123),
            from: wall(1_700_000_000_123),
            value,
            quality: Quality::Good,
            reason: None,
            held: false,
            range: None,
            count: 1,
        }
    }

    #[test]
    fn every_number_comes_back_as_it_was() {
        for value in [
            0.0,
            -0.0,
            12.3,
            -12.3,
            0.1 + 0.2,
            1e-300,
            f64::MAX,
            f64::MIN_POSITIVE,
            1e15,
            -7.0,
            20.5437,
            std::f64::consts::PI,
        ] {
            let block = encode([record(Some(value))].into_iter());
            let back = decode(&block).expect("whole");
            let back = back[0].value.expect("a value");
            assert_eq!(back.to_bits(), value.to_bits(), "{value:?}");
        }
    }

    #[test]
    fn every_field_comes_back() {
        let records = [
            record(Some(1.5)),
            Record {
                from: wall(1_699_999_990_000),
                range: Some((-3.0, 90.25)),
                count: 12,
                ..record(Some(2.0))
            },
            Record {
                point: PointIndex(70_000),
                time: wall(1_600_000_000_000),
                from: wall(1_600_000_000_000),
                quality: Quality::Bad,
                reason: Some("no_communication"),
                ..record(None)
            },
            Record {
                quality: Quality::Uncertain,
                reason: Some("engineering_units_exceeded"),
                held: true,
                count: 0,
                ..record(Some(100.0))
            },
        ];
        let block = encode(records.into_iter());
        assert_eq!(decode(&block).expect("whole"), records);
    }

    #[test]
    fn everyday_records_take_few_bytes() {
        let day = (0..500).map(|n| Record {
            point: PointIndex(n),
            range: Some((12.1, 14.0)),
            count: 20,
            from: wall(1_700_000_000_123 - 9_500),
            ..record(Some(12.3))
        });
        let each = encode(day).len() / 500;
        assert!(each <= 16, "{each} bytes a record");
    }

    #[test]
    fn a_damaged_block_gives_nothing() {
        let block = encode([record(Some(1.5)), record(None)].into_iter());
        for at in 0..block.len() {
            let mut spoilt = block.clone();
            spoilt[at] ^= 0x10;
            assert_eq!(decode(&spoilt), None, "byte {at}");
            assert_eq!(decode(&block[..at]), None, "cut at {at}");
        }
    }

    #[test]
    fn every_reason_has_a_code() {
        let faults = Fault::ALL.map(Fault::name);
        for word in faults.into_iter().chain([
            Doubt::LastUsableValue.name(),
            Doubt::SensorNotAccurate.name(),
            Doubt::EngineeringUnitsExceeded.name(),
            Doubt::Clamped.name(),
            Doubt::SubNormal.name(),
            Doubt::StatusNotHeard.name(),
            Doubt::BadClock.name(),
            Doubt::UnknownClock.name(),
            Doubt::Frozen.name(),
        ]) {
            assert_eq!(REASONS[usize::from(code(word))], word);
        }
    }
}
