//! Payloads and topics, to the byte.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;
use crate::engine::overlay::{Cover, Shelf, Term};
use crate::engine::reading::{PointIndex, Quality};
use crate::engine::settings::{AlarmKind, Priority};
use crate::engine::snapshot::Acknowledgement;
use crate::engine::time::Moment;
use crate::guidance::{AlarmWords, Measure, PointWords};
use crate::notify::rota::Rota;
use crate::notify::settings::{Holder, NotifySettings, Roles};
use crate::wording::{Duties, Person};

pub(in crate::output) fn guidance(alarm: &str) -> Guidance {
    let (point, _) = alarm.split_once('/').expect("POINT/kind");
    Guidance {
        kind: AlarmKind::High,
        priority: Priority::High,
        limit: Some(25.0),
        deadband: None,
        point: Arc::new(PointWords {
            id: point.into(),
            name: "Methane, tank farm north".into(),
            area: Some("tank-farm".into()),
            area_name: Some("Tank farm north".into()),
            unit: "%LEL".into(),
            responsible: [].into(),
            measures: Measure::Other,
        }),
        words: Arc::new(AlarmWords {
            action: Some("Stop \"hot work\"".into()),
            ..AlarmWords::default()
        }),
    }
}

/// Li Wei is responsible for the tank farm.
pub(in crate::output) fn readers() -> Readers {
    with_rotas(Holder::Person("li-wei".into()), BTreeMap::new())
}

/// The same, by a rota: from this second of UTC on Li Wei and Anna Berg in turn, a minute each.
pub(in crate::output) fn on_call(begins: i64) -> Readers {
    let rota = Rota {
        begins,
        every: Duration::from_secs(60),
        order: vec![vec!["li-wei".into()], vec!["anna-berg".into()]],
        swaps: Vec::new(),
        offsets: Arc::default(),
    };
    with_rotas(
        Holder::OnCall("farm".into()),
        [("farm".into(), rota)].into(),
    )
}

fn with_rotas(responsible: Holder, rotas: BTreeMap<Arc<str>, Rota>) -> Readers {
    let roles = Roles {
        responsible: vec![responsible],
        ..Roles::default()
    };
    let settings = NotifySettings {
        areas: [("tank-farm".into(), roles)].into(),
        rotas,
        ..NotifySettings::default()
    };
    let person = |name: &str, phone: Option<&str>| Person {
        name: name.to_owned(),
        phone: phone.map(str::to_owned),
        ..Person::default()
    };
    let persons = [
        ("li-wei".to_owned(), person("Li Wei, shift lead", None)),
        (
            "anna-berg".to_owned(),
            person("Anna Berg", Some("+86 10 5567")),
        ),
    ];
    Readers {
        persons: Arc::new(persons.into()),
        duties: Arc::new(Duties::from(&settings)),
        ..Readers::default()
    }
}

pub(in crate::output) fn record(alarm: &str, state: AlarmState) -> AlarmRecord {
    AlarmRecord {
        state,
        occurrence: 4,
        raised_at: Some(may(31, 0)),
        peak: Some(31.5),
        value: Some(30.25),
        ..AlarmRecord::new(alarm.into())
    }
}

/// 2026-05-04T06:12 and this second.
fn may(second: u64, millis: u64) -> Wall {
    let minute = Wall::from_unix_nanos(1_777_875_120_000_000_000);
    minute + Duration::from_millis(second * 1000 + millis)
}

fn parsed(text: &str) -> Value {
    serde_json::from_str(text).expect("JSON")
}

#[test]
fn topics_are_those_of_the_contract() {
    let topics = Topics::new("forewarn/v1", "north-plant");
    assert_eq!(topics.status(), "forewarn/v1/north-plant/status");
    assert_eq!(topics.event(), "forewarn/v1/north-plant/event");
    assert_eq!(
        topics.alarm("CH4-101/high"),
        "forewarn/v1/north-plant/alarm/CH4-101/high"
    );
    assert_eq!(
        topics.reading("储罐.温度"),
        "forewarn/v1/north-plant/reading/储罐.温度"
    );
    assert_eq!(topics.reading("a/+#b"), topics.reading("a___b"));
}

#[test]
fn a_broker_that_takes_no_dots_is_given_none() {
    let topics = Topics::new("forewarn/v1.x", "north.plant").spelt(Dots::Escaped);
    let base = "forewarn/v1%2Ex/north%2Eplant";
    assert_eq!(topics.status(), format!("{base}/status"));
    assert_eq!(topics.event(), format!("{base}/event"));
    assert_eq!(
        topics.alarm("gateway.output.control-room/state"),
        format!("{base}/alarm/gateway%2Eoutput%2Econtrol-room/state")
    );
    assert_eq!(
        topics.reading("储罐.温度"),
        format!("{base}/reading/储罐%2E温度")
    );
}

#[test]
fn the_status_says_since_when_or_why_not() {
    let version = env!("CARGO_PKG_VERSION");
    assert_eq!(
        parsed(&online(may(31, 7), 1042)),
        json!({"status": "online", "since": "2026-05-04T06:12:31.007Z", "version": version,
               "last_seq": 1042})
    );
    assert_eq!(
        parsed(&last_will()),
        json!({"status": "offline", "reason": "connection_lost", "version": version})
    );
    assert_eq!(parsed(&stopped(may(0, 0), 3))["reason"], "stopped");
}

#[test]
fn a_state_is_complete() {
    let mut record = record("CH4-101/high", AlarmState::Acknowledged);
    record.acknowledged = Some(Acknowledgement {
        by: "li-wei".into(),
        at: may(40, 0),
    });
    let now = Moment {
        wall: may(41, 0),
        ..Moment::default()
    };
    record.cover = Some(Box::new(Cover {
        shelf: Some(Shelf {
            by: "li-wei".into(),
            reason: "coupling exchange".into(),
            term: Term::new(now, Duration::from_secs(7200)),
            one_shot: false,
            approved_by: None,
        }),
        ..Cover::default()
    }));
    let text = state(
        &guidance("CH4-101/high"),
        &readers(),
        Some(&record),
        true,
        may(41, 500),
    );
    let expected = json!({
        "alarm": "CH4-101/high", "point": "CH4-101", "kind": "high", "area": "tank-farm",
        "area_name": "Tank farm north", "name": "Methane, tank farm north", "unit": "%LEL",
        "priority": "high", "limit": 25.0, "state": "acknowledged", "overlays": ["shelved"],
        "occurrence": 4, "value": 30.25, "peak": 31.5, "since": "2026-05-04T06:12:31.000Z",
        "acknowledged_by": "li-wei", "acknowledged_at": "2026-05-04T06:12:40.000Z",
        "action": "Stop \"hot work\"", "responsible": ["Li Wei, shift lead"],
        "time": "2026-05-04T06:12:41.500Z", "version": env!("CARGO_PKG_VERSION"),
    });
    assert_eq!(parsed(&text), expected);
}

/// Nobody can call a rota.
#[test]
fn whoever_is_on_call_then_is_named() {
    let readers = on_call(1_777_875_120);
    for (second, expected) in [
        (0, "Li Wei, shift lead, on call"),
        (59, "Li Wei, shift lead, on call"),
        (60, "Anna Berg (+86 10 5567), on call"),
        (120, "Li Wei, shift lead, on call"),
    ] {
        let text = state(
            &guidance("CH4-101/high"),
            &readers,
            None,
            true,
            may(second, 0),
        );
        assert_eq!(parsed(&text)["responsible"], json!([expected]), "{second}");
    }
}

#[test]
fn an_alarm_that_never_changed_is_normal() {
    let state = parsed(&state(
        &guidance("CH4-101/high"),
        &readers(),
        None,
        true,
        may(0, 0),
    ));
    assert_eq!(state["state"], "normal");
    assert_eq!(state["occurrence"], 0);
    assert!(state.get("since").is_none() && state.get("value").is_none());
}

#[test]
fn a_running_alarm_has_the_priority_of_what_it_hides() {
    let priority = |state: AlarmState| {
        let mut record = record("CH4-101/bad", state);
        record.priority = Some(Priority::Critical);
        let text = super::state(
            &guidance("CH4-101/bad"),
            &readers(),
            Some(&record),
            true,
            may(0, 0),
        );
        parsed(&text)["priority"].clone()
    };
    assert_eq!(priority(AlarmState::ReturnedUnacknowledged), "critical");
    // The next occurrence may hide something else.
    assert_eq!(priority(AlarmState::Normal), "high");
}

#[test]
fn a_state_that_is_not_on_disk_says_so() {
    let record = record("CH4-101/high", AlarmState::Unacknowledged);
    let state = |durable| {
        let text = state(
            &guidance("CH4-101/high"),
            &readers(),
            Some(&record),
            durable,
            may(0, 0),
        );
        parsed(&text).get("durable").cloned()
    };
    assert_eq!((state(true), state(false)), (None, Some(json!(false))));
}

/// One reading of 12.5 %LEL.
fn recorded() -> Record {
    Record {
        point: PointIndex(0),
        time: may(31, 0),
        from: may(31, 0),
        value: Some(12.5),
        quality: Quality::Good,
        reason: None,
        held: false,
        range: None,
        count: 1,
    }
}

#[test]
fn a_bad_point_has_no_value() {
    let time = "2026-05-04T06:12:31.000Z";
    assert_eq!(
        parsed(&reading(&recorded(), "%LEL", false)),
        json!({"time": time, "value": 12.5, "unit": "%LEL", "quality": "good"})
    );
    let bad = Record {
        value: None,
        quality: Quality::Bad,
        reason: Some("not_connected"),
        ..recorded()
    };
    assert_eq!(
        parsed(&reading(&bad, "%LEL", true)),
        json!({"time": time, "unit": "%LEL", "quality": "bad", "reason": "not_connected",
               "replayed": true})
    );
}

#[test]
fn an_interval_says_what_was_in_it() {
    let (time, from) = ("2026-05-04T06:12:31.000Z", "2026-05-04T06:12:22.000Z");
    let interval = Record {
        from: may(22, 0),
        range: Some((11.0, 95.5)),
        count: 9,
        ..recorded()
    };
    let steady = Record {
        range: None,
        ..interval
    };
    let held = Record {
        held: true,
        quality: Quality::Uncertain,
        ..recorded()
    };
    assert_eq!(
        parsed(&reading(&interval, "%LEL", false)),
        json!({"time": time, "value": 12.5, "unit": "%LEL", "quality": "good", "min": 11.0,
               "max": 95.5, "count": 9, "from": from})
    );
    let steady = parsed(&reading(&steady, "%LEL", false));
    assert_eq!(
        (&steady["min"], &steady["max"]),
        (&json!(12.5), &json!(12.5))
    );
    let held = parsed(&reading(&held, "%LEL", false));
    assert_eq!(held["held"], "at or above 12.5 %LEL (held)");
}

#[test]
fn a_batch_is_no_longer_than_it_may_be_and_says_what_was_lost() {
    let mut batch = Batch::new(true, 7);
    let record = recorded();
    let line = || Line::of(&record, "%LEL").at("CH4-101");
    let mut count = 0;
    while batch.add(&line(), 1000) {
        count += 1;
    }
    let text = batch.finish();
    assert!(count > 5 && text.len() <= 1000, "{count} in {}", text.len());
    let payload = parsed(&text);
    assert_eq!(
        (&payload["replayed"], &payload["dropped"]),
        (&json!(true), &json!(7))
    );
    let records = payload["records"].as_array().expect("a list");
    assert_eq!(records.len(), count);
    assert_eq!(
        records[0],
        json!({"point": "CH4-101", "time": "2026-05-04T06:12:31.000Z", "value": 12.5,
               "unit": "%LEL", "quality": "good"})
    );
    let mut batch = Batch::new(false, 0);
    assert!(batch.add(&line(), 1), "one always fits");
    let text = batch.finish();
    assert!(text.starts_with("{\"records\":[{"), "{text}");
}

#[test]
fn marks_stand_at_the_end_of_the_line() {
    let line = r#"{"id":"n:7:1","event":"raised","message":"}"}"#;
    assert_eq!(event(line, false, true), line);
    assert_eq!(
        event(line, true, false),
        r#"{"id":"n:7:1","event":"raised","message":"}","replayed":true,"durable":false}"#
    );
    assert_eq!(event("{}", true, true), r#"{"replayed":true}"#);
}

proptest! {
    #[test]
    fn a_marked_line_is_the_same_object_and_two_fields(
        fields in prop::collection::btree_map("[a-z]{1,6}", ".{0,12}", 0..5),
    ) {
        let line = serde_json::to_string(&fields).expect("serializes");
        let mut expected = parsed(&line);
        expected["replayed"] = json!(true);
        expected["durable"] = json!(false);
        let marked = event(&line, true, false);
        prop_assert!(marked.starts_with(&line[..line.len() - 1]));
        prop_assert_eq!(parsed(&marked), expected);
    }
}
