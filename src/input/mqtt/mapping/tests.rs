//! Payloads good, bad and nasty.

use std::time::Duration;

use proptest::prelude::*;

use super::pointer::Pointer;
use super::template::Template;
use super::*;
use crate::engine::reading::{Health, Measured, PointIndex, Reading, Sample};
use crate::input::mqtt::{Family, Format, Payload, QualityWords, TimeFormat};

fn mapping(value: Option<&str>, time: Option<&str>, time_format: TimeFormat) -> TopicMapping {
    let pointer = |text: &str| Pointer::parse(text).expect("a pointer");
    TopicMapping {
        value: value.map(pointer),
        payload: Payload {
            time: time.map(pointer),
            time_format,
            ..Payload::default()
        },
        ..TopicMapping::bare("line2/pump7", PointIndex(4))
    }
}

/// What one point makes of a live payload.
fn read(mapping: &TopicMapping, payload: &[u8]) -> Result<Reading, Rejection> {
    read_as(mapping, payload, false, Moment::default())
}

fn read_as(
    mapping: &TopicMapping,
    payload: &[u8],
    retained: bool,
    received: Moment,
) -> Result<Reading, Rejection> {
    let text = text_of(payload)?;
    let (value, target) = (mapping.value.as_ref(), &mapping.target);
    let document = Document::Text(text);
    let reading = (mapping.payload).read(value, target, document, retained, received);
    let reading = reading.map_err(|refused| refused.reason)?;
    Ok(reading.expect("it says something"))
}

fn value_of(reading: Result<Reading, Rejection>) -> Result<f64, Rejection> {
    reading.map(|reading| match reading.measured {
        Measured::Raw(number) => number,
        Measured::Sample(sample) => unreachable!("{sample:?}"),
    })
}

#[test]
fn a_bare_number_is_a_json_number_and_nothing_else() {
    use Rejection::{Empty, NotANumber, NotUtf8};
    let bare = mapping(None, None, TimeFormat::Auto);
    let good: [(&[u8], f64); 9] = [
        (b"0", 0.0),
        (b"-0.0", 0.0),
        (b"7.1", 7.1),
        (b" 7.1\r\n", 7.1),
        (b"\t-40 ", -40.0),
        (b"1e3", 1000.0),
        (b"1.5E-3", 0.0015),
        (b"0.30000000000000004", 0.300_000_000_000_000_04),
        (b"18446744073709551616", 18_446_744_073_709_551_616.0),
    ];
    for (payload, expected) in good {
        let value = value_of(read(&bare, payload));
        assert_eq!(value, Ok(expected), "{}", payload.escape_ascii());
    }
    let bad: [(&[u8], Rejection); 30] = [
        (b"", Empty),
        (b" \r\n", Empty),
        (b"1,5", NotANumber),
        (b"1.5.2", NotANumber),
        (b"1 2", NotANumber),
        (b"+5", NotANumber),
        (b"05", NotANumber),
        (b".5", NotANumber),
        (b"5.", NotANumber),
        (b"0x10", NotANumber),
        (b"1_000", NotANumber),
        (b"1e309", NotANumber),
        (b"-1e309", NotANumber),
        (b"NaN", NotANumber),
        (b"nan", NotANumber),
        (b"Infinity", NotANumber),
        (b"-inf", NotANumber),
        (b"null", NotANumber),
        (b"true", NotANumber),
        (b"\"12\"", NotANumber),
        (b"[12]", NotANumber),
        (b"{\"v\":12}", NotANumber),
        (b"12 mm/s", NotANumber),
        (b"12\0", NotANumber),
        (b"--1", NotANumber),
        (b"ERR", NotANumber),
        ("\u{feff}12".as_bytes(), NotANumber),
        ("\u{a0}12".as_bytes(), NotANumber),
        ("１２".as_bytes(), NotANumber),
        (b"12\xff", NotUtf8),
    ];
    for (payload, expected) in bad {
        assert_eq!(
            read(&bare, payload),
            Err(expected),
            "{}",
            payload.escape_ascii()
        );
    }
}

#[test]
fn a_pointer_leads_to_a_number_or_a_reason() {
    use Rejection::{DuplicateKey, NoValueAtPointer, NotANumber, NotJson};
    let deep = format!("{{\"a\":{}1{}}}", "[".repeat(200), "]".repeat(200));
    let cases: Vec<(&str, &str, Result<f64, Rejection>)> = vec![
        ("/rms", r#"{"rms":7.5}"#, Ok(7.5)),
        (
            "/data/rms",
            r#"{"data":{"peak":1,"rms":7.5},"x":[{}]}"#,
            Ok(7.5),
        ),
        ("/a/1", r#"{"a":[1,2,3]}"#, Ok(2.0)),
        ("/a/1/v", r#"{"a":[1,{"v":-2e-1}]}"#, Ok(-0.2)),
        ("/a~1b/~0", r#"{"a/b":{"~":3}}"#, Ok(3.0)),
        ("", " 12 ", Ok(12.0)),
        ("/", r#"{"":1}"#, Ok(1.0)),
        ("/rms", "{\"\\u0072ms\":1}", Ok(1.0)),
        ("/a/01", r#"{"a":[1,2]}"#, Err(NoValueAtPointer)),
        ("/a/-", r#"{"a":[1,2]}"#, Err(NoValueAtPointer)),
        ("/a/2", r#"{"a":[1,2]}"#, Err(NoValueAtPointer)),
        ("/rms", r#"{"RMS":1}"#, Err(NoValueAtPointer)),
        ("/rms", "{}", Err(NoValueAtPointer)),
        ("/rms", "12", Err(NoValueAtPointer)),
        ("/rms/x", r#"{"rms":1}"#, Err(NoValueAtPointer)),
        ("/rms", r#"{"rms":null}"#, Err(NotANumber)),
        ("/rms", r#"{"rms":"NaN"}"#, Err(NotANumber)),
        ("/rms", r#"{"rms":"7.5"}"#, Err(NotANumber)),
        ("/rms", r#"{"rms":false}"#, Err(NotANumber)),
        ("/rms", r#"{"rms":{}}"#, Err(NotANumber)),
        ("/rms", r#"{"rms":[1]}"#, Err(NotANumber)),
        ("/rms", r#"{"rms":1e400}"#, Err(NotANumber)),
        ("/rms", r#"{"rms":1,"rms":2}"#, Err(DuplicateKey)),
        ("/d/rms", r#"{"d":{"rms":1},"d":{}}"#, Err(DuplicateKey)),
        ("/rms", r#"{"rms":NaN}"#, Err(NotJson)),
        ("/rms", r#"{"rms":1}x"#, Err(NotJson)),
        ("/rms", r#"{"rms":1"#, Err(NotJson)),
        ("/rms", r#"{"rms":1,}"#, Err(NotJson)),
        ("/rms", "{'rms':1}", Err(NotJson)),
        ("/a", &deep, Err(NotANumber)),
    ];
    for (pointer, payload, expected) in cases {
        let mapping = mapping(Some(pointer), None, TimeFormat::Auto);
        let value = value_of(read(&mapping, payload.as_bytes()));
        assert_eq!(value, expected, "{pointer} in {payload}");
    }
}

#[test]
fn depth_is_bounded() {
    let depth = 100_000;
    let payload = format!("{{\"a\":{}{}}}", "[".repeat(depth), "]".repeat(depth));
    let here = mapping(Some("/a"), None, TimeFormat::Auto);
    let beside = mapping(Some("/b"), None, TimeFormat::Auto);
    assert!(read(&here, payload.as_bytes()).is_err());
    assert!(read(&beside, payload.as_bytes()).is_err());
    let path = "/0".repeat(depth);
    let followed = mapping(Some(&format!("/a{path}")), None, TimeFormat::Auto);
    assert_eq!(read(&followed, payload.as_bytes()), Err(Rejection::NotJson));
}

#[test]
fn source_times_are_read_in_their_format() {
    use Rejection::{BadTime, DuplicateKey, NoTimeAtPointer, TimeOutOfRange};
    use TimeFormat::{Auto, Microseconds, Milliseconds, Nanoseconds, Rfc3339, Seconds};
    const MS: i64 = 1_000_000;
    let may = 1_777_875_011_123 * MS;
    let cases: [(TimeFormat, &str, Result<i64, Rejection>); 29] = [
        (Auto, "\"2026-05-04T06:10:11.123Z\"", Ok(may)),
        (Auto, "\"2026-05-04T14:10:11.123+08:00\"", Ok(may)),
        (Auto, "1777875011.123", Ok(may)),
        (Auto, "1777875011123", Ok(may)),
        (Auto, "1777875011123.0", Ok(may)),
        (Auto, "1777875011123000", Ok(may)),
        (Auto, "1777875011123000000", Ok(may)),
        (Microseconds, "1777875011123000", Ok(may)),
        (Nanoseconds, "1777875011123000000", Ok(may)),
        (Nanoseconds, "1e19", Err(TimeOutOfRange)),
        (Seconds, "1777875011", Ok(may - 123 * MS)),
        (Seconds, "-1.5", Ok(-1500 * MS)),
        (Seconds, "0", Ok(0)),
        (Milliseconds, "1777875011123", Ok(may)),
        (Rfc3339, "\"2026-05-04T06:10:11.123Z\"", Ok(may)),
        (Auto, "\"2026-05-04T06:10:11\"", Err(BadTime)),
        (Auto, "\"2026-05-04\"", Err(BadTime)),
        (Auto, "\"2026-13-04T06:10:11Z\"", Err(BadTime)),
        (Auto, "\"yesterday\"", Err(BadTime)),
        (Auto, "\"1777875011\"", Err(BadTime)),
        (Auto, "null", Err(BadTime)),
        (Rfc3339, "1777875011", Err(BadTime)),
        (Seconds, "\"2026-05-04T06:10:11Z\"", Err(BadTime)),
        (Seconds, "1e300", Err(TimeOutOfRange)),
        (Seconds, "9300000000", Err(TimeOutOfRange)),
        (Milliseconds, "-9300000000000", Err(TimeOutOfRange)),
        (Auto, "\"9999-01-01T00:00:00Z\"", Err(TimeOutOfRange)),
        (Auto, "\"1600-01-01T00:00:00Z\"", Err(TimeOutOfRange)),
        (Auto, "1,\"ts\":2", Err(DuplicateKey)),
    ];
    for (format, text, expected) in cases {
        let mapping = mapping(Some("/v"), Some("/ts"), format);
        let payload = format!("{{\"v\":1,\"ts\":{text}}}");
        let time = read(&mapping, payload.as_bytes())
            .map(|reading| reading.source_time.expect("asked for").unix_nanos());
        assert_eq!(time, expected, "{format:?} {text}");
    }
    let mapping = mapping(Some("/v"), Some("/ts"), Auto);
    assert_eq!(read(&mapping, br#"{"v":1}"#), Err(NoTimeAtPointer));
}

#[test]
fn the_reading_carries_what_was_configured_and_received() {
    let mapping = mapping(None, None, TimeFormat::Auto);
    let received = Moment::default().after(Duration::from_secs(3));
    let reading = read_as(&mapping, b"100", true, received);
    let expected = Reading {
        retained: true,
        ..Reading::live(PointIndex(4), Measured::Raw(100.0), received)
    };
    assert_eq!(reading, Ok(expected));
}

#[test]
fn true_and_false_are_positions_and_no_numbers() {
    use Rejection::NotANumber;
    for (pointer, payload, expected) in [
        (None, "true", Ok(1.0)),
        (None, " false\n", Ok(0.0)),
        (None, "1", Ok(1.0)),
        (None, "True", Err(NotANumber)),
        (Some("/open"), r#"{"open":true}"#, Ok(1.0)),
        (Some("/open"), r#"{"open":false}"#, Ok(0.0)),
        (Some("/open"), r#"{"open":"true"}"#, Err(NotANumber)),
        (Some("/open"), r#"{"open":null}"#, Err(NotANumber)),
    ] {
        let number = mapping(pointer, None, TimeFormat::Auto);
        let mut digital = number.clone();
        digital.target.digital = true;
        assert_eq!(
            value_of(read(&digital, payload.as_bytes())),
            expected,
            "{payload}"
        );
        if payload.contains("true") || payload.contains("false") {
            let refused = value_of(read(&number, payload.as_bytes()));
            assert_eq!(refused, Err(NotANumber), "{payload}");
        }
    }
    let mapping = mapping(Some("/v"), Some("/t"), TimeFormat::Auto);
    let refused = read(&mapping, br#"{"v":1,"t":true}"#);
    assert_eq!(refused, Err(Rejection::BadTime));
}

#[test]
fn a_topic_may_feed_several_points() {
    let mut other = mapping(Some("/temp"), None, TimeFormat::Auto);
    other.target.point = PointIndex(5);
    let mut elsewhere = mapping(None, None, TimeFormat::Auto);
    elsewhere.topic = "a".to_owned();
    let first = mapping(Some("/rms"), None, TimeFormat::Auto);
    let mut mapper = Mapper::new(vec![first, elsewhere, other]);
    assert_eq!(mapper.topics().collect::<Vec<_>>(), ["a", "line2/pump7"]);
    assert_eq!(mapper.sources("line2/pump7").len(), 2);
    assert_eq!(mapper.sources("a").len(), 1);
    for unknown in ["", "line2", "line2/pump7/", "z"] {
        let (batch, refused) = mapper.read(unknown, b"1", false, Moment::default());
        assert!(batch.is_none(), "{unknown}");
        assert_eq!(refused, [Rejection::UnknownTopic]);
    }
    let mut read = |payload: &[u8]| mapper.read("line2/pump7", payload, false, Moment::default());
    let (batch, refused) = read(br#"{"rms":1,"temp":2}"#);
    assert!(matches!(batch, Some(Batch::Many(many)) if many.len() == 2));
    assert!(refused.is_empty());
    let (batch, refused) = read(br#"{"rms":null,"temp":2}"#);
    let Some(Batch::Many(many)) = batch else {
        unreachable!("one bad, one good: {batch:?}");
    };
    let seen: Vec<_> = many
        .iter()
        .map(|r| (r.point.0, matches!(r.measured, Measured::Raw(_))))
        .collect();
    assert_eq!(seen, [(4, false), (5, true)]);
    assert_eq!(refused, [Rejection::NotANumber]);
}

#[test]
fn a_large_payload_is_not_looked_at() {
    let bare = mapping(None, None, TimeFormat::Auto);
    let mut payload = vec![b' '; MAX_PAYLOAD];
    payload.push(b'1');
    assert_eq!(read(&bare, &payload), Err(Rejection::TooLarge));
    assert_eq!(value_of(read(&bare, &payload[1..])), Ok(1.0));
}

/// An independent, slower opinion: `serde_json`'s own tree. It takes the last of two equal keys, so
/// it may only know more than we do.
fn opinion(pointer: Option<&str>, payload: &[u8]) -> Option<f64> {
    let tree: serde_json::Value = serde_json::from_slice(payload.trim_ascii()).ok()?;
    tree.pointer(pointer.unwrap_or_default())?.as_f64()
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic_and_never_become_a_value(
        payload in prop::collection::vec(any::<u8>(), 0..64),
    ) {
        for pointer in [None, Some("/v"), Some("/0")] {
            let mapping = mapping(pointer, None, TimeFormat::Auto);
            if let Ok(value) = value_of(read(&mapping, &payload)) {
                let other = opinion(pointer, &payload).expect("the tree finds a number, too");
                prop_assert!((value - other).abs() <= other.abs() * f64::EPSILON);
            }
        }
    }

    #[test]
    fn json_like_text_never_panics_and_never_becomes_a_value(
        payload in r#"([{}\[\]:,"]|"v"|"ts"|null|true|-?[0-9]{1,3}|\.[0-9]|[eE][+-]?[0-9]{1,3}| |NaN){0,16}"#,
    ) {
        let mapping = mapping(Some("/v"), Some("/ts"), TimeFormat::Auto);
        if let Ok(value) = value_of(read(&mapping, payload.as_bytes())) {
            let other = opinion(Some("/v"), payload.as_bytes()).expect("the tree agrees");
            prop_assert!((value - other).abs() <= other.abs() * f64::EPSILON);
        }
    }

    #[test]
    fn numbers_come_through_unchanged(value in any::<f64>().prop_filter("finite", |v| v.is_finite())) {
        let bare = mapping(None, None, TimeFormat::Auto);
        let text = format!("{value:?}");
        prop_assert_eq!(value_of(read(&bare, text.as_bytes())).map(f64::to_bits), Ok(value.to_bits()));
    }
}

/// The reading of the one point there is, and the reasons.
fn readings(
    mapper: &mut Mapper,
    topic: &str,
    payload: &[u8],
    retained: bool,
) -> (Option<Reading>, Vec<Rejection>) {
    let (batch, refused) = mapper.read(topic, payload, retained, Moment::default());
    let refused = refused.into_iter().map(|refused| refused.reason).collect();
    let reading = batch.map(|batch| match batch {
        Batch::One(reading) => reading,
        Batch::Many(many) => unreachable!("one point reads the topic: {many:?}"),
    });
    (reading, refused)
}

#[test]
fn a_live_payload_without_a_value_makes_its_point_bad() {
    use Rejection::{
        BadTime, DuplicateKey, Empty, NoTimeAtPointer, NoValueAtPointer, NotANumber, NotJson,
        NotUtf8, TooLarge,
    };
    let huge = vec![b'7'; MAX_PAYLOAD + 1];
    let mut mapper = Mapper::new(vec![mapping(Some("/v"), Some("/t"), TimeFormat::Auto)]);
    let cases: [(&[u8], Rejection, bool); 9] = [
        (br#"{"v":null,"t":1}"#, NotANumber, true),
        (b"error", NotJson, true),
        (b"\xff", NotUtf8, true),
        (b" ", Empty, true),
        (br#"{"t":1}"#, NoValueAtPointer, true),
        (&huge, TooLarge, true),
        (br#"{"v":1,"t":"noon"}"#, BadTime, false),
        (br#"{"v":1}"#, NoTimeAtPointer, false),
        (br#"{"v":1,"v":2,"t":1}"#, DuplicateKey, false),
    ];
    for (payload, reason, turns_bad) in cases {
        let live = readings(&mut mapper, "line2/pump7", payload, false);
        let bad = Sample::Bad(Fault::SensorFailure);
        let reading = Reading::live(PointIndex(4), bad, Moment::default());
        assert_eq!(live, (turns_bad.then_some(reading), vec![reason]));
        let old = readings(&mut mapper, "line2/pump7", payload, true);
        assert_eq!(old, (None, vec![reason]), "retained");
    }
    let elsewhere = readings(&mut mapper, "line2/other", b"error", false);
    assert_eq!(elsewhere, (None, vec![Rejection::UnknownTopic]));
}

/// Whoever may publish to a topic of many points can invent names, but no points.
#[test]
fn a_name_that_nobody_configured_gives_nobody_a_value() {
    let known = TopicMapping::bare("plant/a", PointIndex(4)).target;
    let family = Family {
        id: "plant".into(),
        topic: TopicPattern::parse("plant/{point}").expect("a pattern"),
        format: Format::Json,
        values: vec![(Template::parse("{point}").expect("a template"), None)],
        payload: Payload::default(),
        points: [("a".into(), known)].into(),
    };
    let mut mapper = Mapper::new(Mappings {
        families: vec![family],
        ..Mappings::default()
    });
    let (reading, refused) = readings(&mut mapper, "plant/a", b"7", false);
    assert_eq!(
        (reading.map(|reading| reading.point), refused),
        (Some(PointIndex(4)), vec![])
    );
    for topic in ["plant/b", "plant/A"] {
        let unknown = readings(&mut mapper, topic, b"7", false);
        assert_eq!(unknown, (None, vec![Rejection::UnknownPoint]), "{topic}");
    }
}

/// What the source does not call good is never taken for it, and neither is its silence about it.
#[test]
fn a_value_is_worth_what_its_source_says() {
    let words = |words: &[&str]| words.iter().map(|word| (*word).to_owned()).collect();
    let mut mapping = mapping(Some("/v"), None, TimeFormat::Auto);
    mapping.payload.quality = Some(QualityWords {
        at: Pointer::parse("/q").expect("a pointer"),
        good: words(&["GOOD", "192"]),
        uncertain: words(&["64"]),
    });
    for (quality, expected) in [
        (r#","q":"GOOD""#, Ok(Health::Good)),
        (r#","q":192"#, Ok(Health::Good)),
        (r#","q":64"#, Ok(Health::OutOfSpecification)),
        (r#","q":"BAD""#, Err(Rejection::SourceBad)),
        (r#","q":"good""#, Err(Rejection::SourceBad)),
        (r#","q":null"#, Err(Rejection::SourceBad)),
        ("", Err(Rejection::SourceBad)),
    ] {
        let payload = format!("{{\"v\":7{quality}}}");
        let health = read(&mapping, payload.as_bytes()).map(|reading| reading.health);
        assert_eq!(health, expected, "{payload}");
    }
}
