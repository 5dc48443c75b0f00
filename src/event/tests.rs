//! The wire form, to the byte.

use super::*;
use crate::engine::effect::{Details, Run, Subject};
use crate::engine::time::{Moment, Mono};

fn wall(text: &str) -> Wall {
    rfc3339::parse(text).expect("a time in a test is well-formed")
}

fn identity(site: &str, epoch: u64) -> Identity {
    Identity {
        site: site.into(),
        epoch,
    }
}

fn subject() -> Subject {
    Subject {
        index: None,
        alarm: "PT-330/high".into(),
        point: "PT-330".into(),
        area: Some("reactor".into()),
        unit: "bar".into(),
        occurrence: 4,
        state: AlarmState::Unacknowledged,
        overlays: Overlays::default(),
        priority: Priority::High,
        value: Some(8.04),
        limit: Some(8.0),
        quality: Quality::Good,
        annunciated: true,
        first_out: false,
    }
}

fn event(kind: EventKind, subject: Option<Subject>) -> Event {
    Event {
        at: Moment {
            mono: Mono::ZERO,
            wall: wall("2026-05-04T06:12:31Z"),
        },
        kind,
        subject,
        cause: Cause::Process,
        details: Details::default(),
        record: None,
        others: Vec::new(),
    }
}

#[test]
fn the_example_of_the_contract() {
    let line = encode(
        &event(EventKind::Raised, Some(subject())),
        &identity("north-plant", 7),
        1042,
        Some(151.0),
    );
    assert_eq!(
        line,
        concat!(
            r#"{"id":"north-plant:7:1042","seq":1042,"time":"2026-05-04T06:12:31.000Z","t":151.0,"#,
            r#""event":"raised","alarm":"PT-330/high","occurrence":4,"point":"PT-330","#,
            r#""area":"reactor","state":"unacknowledged","overlays":[],"priority":"high","#,
            r#""value":8.04,"limit":8.0,"unit":"bar","quality":"good","annunciated":true,"#,
            r#""cause":"process"}"#
        )
    );
}

#[test]
fn every_optional_field_has_its_place() {
    let mut event = event(EventKind::Cleared, Some(subject()));
    event.details = Details {
        by: Some("li-wei".into()),
        reason: Some("no_communication".into()),
        comment: Some("going there".into()),
        message: Some("silent".into()),
        slope_per_min: Some(-0.5),
        forecast_s: [(AlarmKind::High, 90.0), (AlarmKind::HighHigh, 180.5)].into(),
        duration_s: Some(12.5),
        peak: Some(9.0),
        held: Some(false),
        late: true,
        step_s: Some(-90.5),
        from: Some(wall("2026-05-04T06:00:00.123456Z")),
        to: Some(wall("2026-05-04T08:00:00.5+02:00")),
        until: Some(wall("2026-05-04T14:00:00Z")),
        one_shot: true,
        approved_by: Some("wang-fang".into()),
        permit: Some("P-2210".into()),
        ..Details::default()
    };
    let line = encode(&event, &identity("s", 1), 1, None);
    let tail = line.split(r#""cause":"process","#).nth(1);
    assert_eq!(
        tail,
        Some(concat!(
            r#""by":"li-wei","reason":"no_communication","comment":"going there","#,
            r#""message":"silent","slope_per_min":-0.5,"#,
            r#""forecast_s":{"high":90.0,"high_high":180.5},"duration_s":12.5,"#,
            r#""peak":9.0,"held":false,"late":true,"step_s":-90.5,"#,
            r#""from":"2026-05-04T06:00:00.123Z","to":"2026-05-04T06:00:00.500Z","#,
            r#""until":"2026-05-04T14:00:00.000Z","one_shot":true,"approved_by":"wang-fang","permit":"P-2210"}"#
        ))
    );
}

#[test]
fn a_drill_says_so_in_every_line_and_before_every_word() {
    let mut own = subject();
    own.alarm = "PT-330/high/drill".into();
    let mut event = event(EventKind::Cleared, Some(own));
    for (message, expected) in [
        (None, r#""message":"DRILL","test":true}"#),
        (
            Some("held by li-wei"),
            r#""message":"DRILL: held by li-wei","test":true}"#,
        ),
    ] {
        event.details.message = message.map(str::to_owned);
        let line = encode(&event, &identity("s", 1), 1, None);
        let tail = line.split(r#""cause":"process","#).nth(1);
        assert_eq!(tail, Some(expected));
        assert!(line.contains(r#""alarm":"PT-330/high/drill""#), "{line}");
    }
}

#[test]
fn a_notice_says_who_was_told_on_which_step_over_which_output() {
    let mut event = event(EventKind::Notified, None);
    for (persons, output, expected) in [
        (
            vec!["li-wei".into(), "anna".into()],
            Some("chat".into()),
            r#""to":["li-wei","anna"],"notice":"page","step":1,"output":"chat"}"#,
        ),
        (vec![], None, r#""to":[],"notice":"page","step":1}"#),
    ] {
        event.details = Details {
            notice: Some(Notice::Page),
            step: Some(1),
            persons: Some(persons),
            output,
            ..Details::default()
        };
        let line = encode(&event, &identity("s", 1), 1, None);
        let tail = line.split(r#""cause":"process","#).nth(1);
        assert_eq!(tail, Some(expected));
        let read: WireEvent = serde_json::from_str(&line).expect("what is written can be read");
        assert_eq!(read, WireEvent::new(&event, &identity("s", 1), 1, None));
    }
    event.details = Details {
        persons: Some(vec!["anna".into()]),
        outputs: vec!["chat".into(), "siren".into()],
        ..Details::default()
    };
    let line = encode(&event, &identity("s", 1), 1, None);
    assert!(line.ends_with(r#""to":["anna"],"outputs":["chat","siren"]}"#));
}

#[test]
fn a_line_that_stands_for_several_alarms_names_them_all() {
    let mut event = event(EventKind::Notified, None);
    event.details = Details {
        notice: Some(Notice::Flood),
        persons: Some(vec!["anna".into()]),
        alarms: vec!["A/high".into(), "B/high".into()],
        ..Details::default()
    };
    let line = encode(&event, &identity("s", 1), 1, None);
    assert!(
        line.ends_with(r#""to":["anna"],"notice":"flood","alarms":["A/high","B/high"]}"#),
        "{line}"
    );
}

#[test]
fn the_gateways_own_life_names_no_alarm() {
    let line = encode(&event(EventKind::Stopped, None), &identity("s", 1), 1, None);
    assert_eq!(
        line,
        r#"{"id":"s:1:1","seq":1,"time":"2026-05-04T06:12:31.000Z","event":"stopped","cause":"process"}"#
    );
}

#[test]
fn a_start_says_what_holds_for_the_whole_run() {
    let mut event = event(EventKind::Started, None);
    let version = env!("CARGO_PKG_VERSION");
    for (boot_id, rest) in [(None, "}"), (Some("3d0a".into()), r#","boot_id":"3d0a"}"#)] {
        event.details.run = Some(Box::new(Run {
            config_hash: Some("0f1e".into()),
            boot_id,
        }));
        let line = encode(&event, &identity("s", 1), 1, None);
        let expected = format!(r#""version":"{version}","config_hash":"0f1e"{rest}"#);
        assert!(line.ends_with(&expected), "{line}");
        let read: WireEvent = serde_json::from_str(&line).expect("it can be read again");
        assert_eq!(read.config_hash.as_deref(), Some("0f1e"));
    }
}

#[test]
fn what_does_not_apply_is_absent() {
    let mut bare = subject();
    bare.area = None;
    bare.unit = "".into();
    bare.value = None;
    bare.limit = None;
    bare.overlays.shelved = true;
    bare.overlays.out_of_service = true;
    let line = encode(
        &event(EventKind::Changed, Some(bare)),
        &identity("s", 1),
        1,
        None,
    );
    for field in [
        "\"area\"",
        "\"unit\"",
        "\"value\"",
        "\"limit\"",
        "\"t\"",
        "null",
    ] {
        assert!(!line.contains(field), "{field} in {line}");
    }
    assert!(line.contains(r#""overlays":["out_of_service","shelved"]"#));
}

#[test]
fn t_has_at_most_three_decimals() {
    for (t, printed) in [
        (0.0, r#""t":0.0,"#),
        (12.345_678_9, r#""t":12.346,"#),
        (0.1 + 0.2, r#""t":0.3,"#),
    ] {
        let line = encode(
            &event(EventKind::Stopped, None),
            &identity("s", 1),
            1,
            Some(t),
        );
        assert!(line.contains(printed), "{printed} not in {line}");
    }
}

#[test]
fn every_kind_goes_out_by_its_name_and_comes_back() {
    use EventKind as K;
    for kind in [
        K::Raised,
        K::Cleared,
        K::Acknowledged,
        K::Reset,
        K::Realarmed,
        K::Shelved,
        K::Unshelved,
        K::Suppressed,
        K::Unsuppressed,
        K::OutOfService,
        K::InService,
        K::Notified,
        K::AllClear,
        K::Changed,
        K::CommandRejected,
        K::CommandIgnored,
        K::ClockStepped,
        K::MonitoringGap,
        K::ConfigChanged,
        K::Started,
        K::Stopped,
    ] {
        let line = encode(&event(kind, Some(subject())), &identity("s", 1), 9, None);
        assert!(line.contains(&format!(r#""event":"{}""#, kind.name())));
        let back: WireEvent = serde_json::from_str(&line).expect("our own line");
        assert_eq!(back.event, kind);
    }
}

#[test]
fn a_line_is_one_line_in_any_script_and_survives_the_round_trip() {
    let mut event = event(EventKind::Acknowledged, Some(subject()));
    if let Some(subject) = &mut event.subject {
        subject.alarm = "甲烷-101/high".into();
        subject.point = "甲烷-101".into();
        subject.overlays.suppressed = true;
    }
    event.details.by = Some("李伟".into());
    event.details.comment = Some("line one\nline \"two\"\u{2028}\u{0}".into());
    event.details.from = Some(event.at.wall);
    let site = identity("北厂", u64::MAX);
    let line = encode(&event, &site, u64::MAX, Some(1.5));
    assert!(!line.contains('\n'));
    assert!(line.contains("甲烷-101/high"));
    let back: WireEvent = serde_json::from_str(&line).expect("our own line");
    assert_eq!(back, WireEvent::new(&event, &site, u64::MAX, Some(1.5)));
}

#[test]
fn readers_pass_over_what_they_do_not_know() {
    let line = encode(
        &event(EventKind::Raised, Some(subject())),
        &identity("s", 1),
        1,
        None,
    );
    let later = line.replacen('{', r#"{"replayed":true,"durable":false,"new":[1,{}],"#, 1);
    let back: WireEvent = serde_json::from_str(&later).expect("unknown fields are ignored");
    assert_eq!(back.alarm.as_deref(), Some("PT-330/high"));
}

#[test]
fn times_have_milliseconds_and_the_ends_of_time_do_not_panic() {
    let at = |nanos| rfc3339::format(Wall::from_unix_nanos(nanos));
    assert_eq!(at(1_777_875_151_000_000_000), "2026-05-04T06:12:31.000Z");
    assert_eq!(at(1_777_875_151_999_999_999), "2026-05-04T06:12:31.999Z");
    assert!(at(i64::MIN).starts_with("1677-"));
    assert!(at(i64::MAX).starts_with("2262-"));
}
