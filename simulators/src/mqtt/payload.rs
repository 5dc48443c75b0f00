//! What a sensor sends: right payloads and wrong ones.

use std::str::FromStr;
use std::time::Duration;

use crate::clock;
use crate::notation::{self, NotationError};

const HOUR_MS: i64 = 3_600_000;
const MEGABYTE: usize = 1_048_576;

/// The form of a payload.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Payload {
    /// The number and nothing else.
    Bare,
    /// Text in which `{value}`, `{ts_ms}`, `{ts_s}`, `{ts_rfc3339}` and `{seq}` are replaced.
    Template(String),
}

/// One sample of a sensor.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    pub(crate) value: f64,
    pub(crate) unix_ms: i64,
    pub(crate) sequence: u64,
}

impl Payload {
    pub(crate) fn render(&self, sample: &Sample) -> String {
        self.render_with(&number(sample.value), sample)
    }

    fn render_with(&self, value: &str, sample: &Sample) -> String {
        match self {
            Self::Bare => value.to_owned(),
            Self::Template(template) => {
                let ms = sample.unix_ms;
                let seconds = format!("{}.{:03}", ms.div_euclid(1_000), ms.rem_euclid(1_000));
                template
                    .replace("{value}", value)
                    .replace("{ts_ms}", &ms.to_string())
                    .replace("{ts_s}", &seconds)
                    .replace("{ts_rfc3339}", &clock::rfc3339(ms))
                    .replace("{seq}", &sample.sequence.to_string())
            }
        }
    }
}

/// Four decimals at most, as instruments print.
fn number(value: f64) -> String {
    let rounded = (value * 1e4).round() / 1e4;
    // No negative zero.
    (rounded + 0.0).to_string()
}

/// A message that is wrong in one way, or right and troublesome.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Malformed {
    /// JSON that breaks off.
    Truncated,
    /// `NaN` where the number should be.
    Nan,
    /// `null` where the number should be.
    Null,
    /// No payload.
    Empty,
    /// `1,5` where the number should be.
    Comma,
    /// Bytes that are no UTF-8.
    Binary,
    /// The right payload, then white space up to one megabyte.
    Huge,
    /// The right payload twice.
    Duplicate,
    /// A timestamp one hour ago (only in templates).
    OldTime,
    /// A timestamp in one hour (only in templates).
    FutureTime,
    /// The right payload, retained by the broker.
    Retained,
}

impl Malformed {
    /// All of them, with the names they have on command lines.
    pub const ALL: [(&'static str, Self); 11] = [
        ("truncated", Self::Truncated),
        ("nan", Self::Nan),
        ("null", Self::Null),
        ("empty", Self::Empty),
        ("comma", Self::Comma),
        ("binary", Self::Binary),
        ("huge", Self::Huge),
        ("duplicate", Self::Duplicate),
        ("old-time", Self::OldTime),
        ("future-time", Self::FutureTime),
        ("retained", Self::Retained),
    ];

    /// The payload, how often it is sent and whether it is retained.
    pub(crate) fn spoil(self, payload: &Payload, sample: &Sample) -> (Vec<u8>, usize, bool) {
        let right = payload.render(sample);
        let shifted = |ms: i64| {
            payload.render(&Sample {
                unix_ms: sample.unix_ms + ms,
                ..*sample
            })
        };
        let bytes = match self {
            Self::Truncated => match payload {
                Payload::Bare => format!("{{\"value\":{right}").into_bytes(),
                Payload::Template(_) => right.as_bytes()[..right.len() / 2].to_vec(),
            },
            Self::Nan => payload.render_with("NaN", sample).into_bytes(),
            Self::Null => payload.render_with("null", sample).into_bytes(),
            Self::Comma => payload.render_with("1,5", sample).into_bytes(),
            Self::Empty => Vec::new(),
            Self::Binary => vec![0x00, 0xFF, 0xFE, 0x80, 0xC3, 0x28, 0x00, 0x7F],
            Self::Huge => {
                let mut bytes = right.into_bytes();
                bytes.resize(MEGABYTE, b' ');
                bytes
            }
            Self::OldTime => shifted(-HOUR_MS).into_bytes(),
            Self::FutureTime => shifted(HOUR_MS).into_bytes(),
            Self::Duplicate | Self::Retained => right.into_bytes(),
        };
        let times = if self == Self::Duplicate { 2 } else { 1 };
        (bytes, times, self == Self::Retained)
    }
}

impl FromStr for Malformed {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        Self::ALL
            .iter()
            .find(|(name, _)| *name == text)
            .map(|(_, malformed)| *malformed)
            .ok_or_else(|| {
                let names: Vec<&str> = Self::ALL.iter().map(|(name, _)| *name).collect();
                NotationError::new(text, format!("one of {}", names.join(", ")))
            })
    }
}

/// One malformed payload to send: `KIND[@TIME] [topic=TOPIC]`, such as `nan@10s topic=sensors/co`. Without
/// a topic every sensor sends it; without a time it is sent at once.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MalformedOrder {
    pub(super) malformed: Malformed,
    pub(super) at: Duration,
    pub(super) topic: Option<String>,
}

impl MalformedOrder {
    /// To be sent at once, on one topic or on all of them.
    pub fn now(malformed: Malformed, topic: Option<&str>) -> Self {
        Self {
            malformed,
            at: Duration::ZERO,
            topic: topic.map(str::to_owned),
        }
    }

    fn parse(line: &str) -> Result<Self, NotationError> {
        let expected = "KIND[@TIME] [topic=TOPIC], such as nan@10s";
        let (mut kind, mut topic) = (None, None);
        for part in line.split_whitespace() {
            match notation::key_value(part) {
                ("topic", Some(text)) => topic = Some(text.to_owned()),
                (text, None) if kind.is_none() => kind = Some(text),
                _ => return Err(NotationError::new(part, expected)),
            }
        }
        let kind = kind.ok_or_else(|| NotationError::new(line, expected))?;
        let (kind, at) = match kind.split_once('@') {
            Some((kind, at)) => (kind, notation::duration(at)?),
            None => (kind, Duration::ZERO),
        };
        Ok(Self {
            malformed: kind.parse()?,
            at,
            topic,
        })
    }
}

impl FromStr for MalformedOrder {
    type Err = NotationError;

    fn from_str(line: &str) -> Result<Self, NotationError> {
        Self::parse(line).map_err(|error| error.within(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SAMPLE: Sample = Sample {
        value: 12.34567,
        unix_ms: 1_777_875_151_042,
        sequence: 9,
    };

    fn template(text: &str) -> Payload {
        Payload::Template(text.to_owned())
    }

    #[test]
    fn templates_are_filled_in() {
        let cases = [
            (Payload::Bare, "12.3457"),
            (
                template(r#"{"data":{"rms":{value}},"ts":{ts_ms}}"#),
                r#"{"data":{"rms":12.3457},"ts":1777875151042}"#,
            ),
            (
                template("{seq} {ts_s} {ts_rfc3339}"),
                "9 1777875151.042 2026-05-04T06:12:31.042Z",
            ),
        ];
        for (payload, expected) in cases {
            assert_eq!(payload.render(&SAMPLE), expected);
        }
        assert_eq!(number(-0.00001), "0");
    }

    #[test]
    fn every_malformed_payload_is_wrong_in_its_own_way() {
        let json = template(r#"{"v":{value},"ts":{ts_ms}}"#);
        let right = br#"{"v":12.3457,"ts":1777875151042}"#;
        let cases: [(Malformed, &[u8], usize, bool); 10] = [
            (Malformed::Truncated, &right[..16], 1, false),
            (Malformed::Nan, br#"{"v":NaN,"ts":1777875151042}"#, 1, false),
            (
                Malformed::Null,
                br#"{"v":null,"ts":1777875151042}"#,
                1,
                false,
            ),
            (Malformed::Empty, b"", 1, false),
            (
                Malformed::Comma,
                br#"{"v":1,5,"ts":1777875151042}"#,
                1,
                false,
            ),
            (Malformed::Duplicate, right, 2, false),
            (
                Malformed::OldTime,
                br#"{"v":12.3457,"ts":1777871551042}"#,
                1,
                false,
            ),
            (
                Malformed::FutureTime,
                br#"{"v":12.3457,"ts":1777878751042}"#,
                1,
                false,
            ),
            (Malformed::Retained, right, 1, true),
            (
                Malformed::Binary,
                &[0, 255, 254, 128, 195, 40, 0, 127],
                1,
                false,
            ),
        ];
        for (malformed, bytes, times, retained) in cases {
            let spoiled = malformed.spoil(&json, &SAMPLE);
            assert_eq!(spoiled, (bytes.to_vec(), times, retained), "{malformed:?}");
        }
        let (huge, _, _) = Malformed::Huge.spoil(&json, &SAMPLE);
        assert_eq!(huge.len(), MEGABYTE);
        assert_eq!(huge[..right.len()], *right);
        assert_eq!(Malformed::Nan.spoil(&Payload::Bare, &SAMPLE).0, b"NaN");
    }

    #[test]
    fn an_order_says_what_when_and_where() {
        let order: MalformedOrder = "nan@10s topic=a/b".parse().expect("good");
        assert_eq!(order.malformed, Malformed::Nan);
        assert_eq!(order.at, Duration::from_secs(10));
        assert_eq!(order.topic.as_deref(), Some("a/b"));
        assert_eq!(
            "huge".parse(),
            Ok(MalformedOrder::now(Malformed::Huge, None))
        );
        for wrong in ["", "lazy", "nan@10", "nan huge", "nan every=1s"] {
            assert!(wrong.parse::<MalformedOrder>().is_err(), "{wrong}");
        }
    }
}
