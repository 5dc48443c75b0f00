//! Labels and annotations, to the letter.

use std::time::Duration;

use super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::drill::{self, Exercise};
use crate::engine::overlay::Term;
use crate::engine::snapshot::Acknowledgement;
use crate::engine::time::Moment;
use crate::output::message::tests::{guidance, readers, record};

pub(in crate::output::alertmanager) fn words(alarms: &[&str]) -> Words {
    let guidance: Vec<_> = alarms.iter().map(|alarm| guided(alarm)).collect();
    let sources = [("CH4-101".into(), "gd-01".into())];
    Words {
        site: "north-plant".into(),
        alarms: Directory::new(guidance).into(),
        labels: BTreeMap::new(),
        sources: Arc::new(sources.into()),
        readers: readers(),
        page_url: None,
        drills: false,
    }
}

/// The guidance of this alarm, of the kind that its name says.
fn guided(alarm: &str) -> Guidance {
    let (_, kind) = alarm.rsplit_once('/').expect("POINT/kind");
    let kind = serde_json::from_value(kind.into()).expect("a kind");
    Guidance {
        kind,
        ..guidance(alarm)
    }
}

pub(in crate::output::alertmanager) fn alert(alarm: &str) -> Alert {
    let active = record(alarm, AlarmState::Unacknowledged);
    let alert = words(&[alarm]).alert(&active, &News::default(), 1, Wall::default());
    alert.expect("it is configured")
}

fn label<'a>(alert: &'a Alert, name: &str) -> Option<&'a str> {
    alert.labels.get(name).map(String::as_str)
}

fn note<'a>(alert: &'a Alert, name: &str) -> Option<&'a str> {
    alert.annotations.get(name).map(String::as_str)
}

#[test]
fn labels_say_which_alarm_it_is_and_nothing_that_moves() {
    let alert = alert("CH4-101/high_high");
    let labels: Vec<_> = alert
        .labels
        .iter()
        .map(|(name, value)| (&**name, &**value))
        .collect();
    assert_eq!(
        labels,
        [
            ("alarm", "CH4-101/high_high"),
            ("alertname", "HazardHighHigh"),
            ("area", "tank-farm"),
            ("device", "gd-01"),
            ("point", "CH4-101"),
            ("priority", "high"),
            ("severity", "critical"),
            ("site", "north-plant"),
        ]
    );
    assert!(labels.iter().all(|(name, _)| LABELS.contains(name)));
    let words = words(&["CH4-101/high_high"]);
    let mut moved = record("CH4-101/high_high", AlarmState::Acknowledged);
    (moved.value, moved.peak, moved.occurrence) = (Some(99.0), Some(99.5), 17);
    let moved = words
        .alert(&moved, &News::default(), 2, Wall::default())
        .expect("configured");
    assert_eq!(moved.key, alert.key);
    assert!(!moved.says_the_same(&alert));
}

#[test]
fn annotations_say_everything_that_is_known() {
    let words = words(&["CH4-101/high"]);
    let mut record = record("CH4-101/high", AlarmState::Acknowledged);
    let at = record.raised_at.expect("raised") + Duration::from_secs(30);
    record.acknowledged = Some(Acknowledgement {
        by: "li-wei".into(),
        at,
    });
    let mut news = News::default();
    news.hear(r#"{"id":"n:7:9","event":"raised","slope_per_min":22.0}"#);
    let alert = words
        .alert(&record, &news, 1, Wall::default())
        .expect("configured");
    for (name, text) in [
        (
            "summary",
            "Methane, tank farm north: high 30.25 %LEL (limit 25 %LEL)",
        ),
        ("name", "Methane, tank farm north"),
        ("area_name", "Tank farm north"),
        ("value", "30.25"),
        ("peak", "31.5"),
        ("limit", "25"),
        ("unit", "%LEL"),
        ("trend", "+22 %LEL/min"),
        ("action", "Stop \"hot work\""),
        ("responsible", "Li Wei, shift lead"),
        ("state", "acknowledged"),
        ("occurrence", "4"),
        ("event_id", "n:7:9"),
        ("raised_at", "2026-05-04T06:12:31.000Z"),
        ("acknowledged_by", "Li Wei, shift lead"),
        ("acknowledged_at", "2026-05-04T06:13:01.000Z"),
    ] {
        assert_eq!(note(&alert, name), Some(text), "{name}");
    }
    for absent in [
        "cause",
        "plan",
        "overlays",
        "cleared_at",
        "first_out",
        "drill",
        "durable",
    ] {
        assert_eq!(note(&alert, absent), None, "{absent}");
    }
    assert_eq!(alert.page, None);
}

#[test]
fn the_gateways_own_alarms_and_drills_have_names_of_their_own() {
    assert_eq!(alertname("CH4-101", AlarmKind::Stel, false), "HazardStel");
    assert_eq!(
        alertname("FLAME-2", AlarmKind::GroupFault, false),
        "HazardGroupFault"
    );
    assert_eq!(
        alertname("gateway.journal", AlarmKind::State, false),
        "GatewayJournal"
    );
    assert_eq!(
        alertname("gateway.bus.ttyUSB0", AlarmKind::State, false),
        "GatewayBus"
    );
    assert_eq!(
        alertname("CH4-101", AlarmKind::HighHigh, true),
        "DrillHighHigh"
    );
    let lost = alert("gateway.device.gd-01/state");
    assert_eq!(label(&lost, "device"), Some("gd-01"));
    assert_eq!(label(&lost, "alertname"), Some("GatewayDevice"));
}

#[test]
fn drills_are_sent_when_they_are_to_be_and_never_look_like_the_alarm() {
    let mut words = words(&["CH4-101/high"]);
    let mut exercise = record(&drill::name("CH4-101/high"), AlarmState::Unacknowledged);
    exercise.drill = Some(Box::new(Exercise {
        by: "li-wei".into(),
        reason: "monthly".into(),
        term: Term::new(Moment::default(), Duration::from_secs(60)),
    }));
    assert_eq!(
        words.alert(&exercise, &News::default(), 1, Wall::default()),
        None
    );
    words.drills = true;
    let alert = words
        .alert(&exercise, &News::default(), 1, Wall::default())
        .expect("it is sent");
    assert_eq!(label(&alert, "alertname"), Some("DrillHigh"));
    assert_eq!(label(&alert, "alarm"), Some("CH4-101/high/drill"));
    assert_eq!(label(&alert, "test"), Some("true"));
    assert!(note(&alert, "summary").is_some_and(|line| line.starts_with("DRILL: ")));
    assert_eq!(note(&alert, "drill"), Some("Li Wei, shift lead: monthly"));
}

#[test]
fn an_alarm_of_another_script_keeps_its_name_and_has_a_page() {
    let mut words = words(&["储罐.甲烷/high"]);
    words.page_url = Some("https://gw.example".to_owned());
    words.labels.insert("team".to_owned(), "罐区".to_owned());
    let record = record("储罐.甲烷/high", AlarmState::Unacknowledged);
    let alert = words
        .alert(&record, &News::default(), 1, Wall::default())
        .expect("configured");
    assert_eq!(label(&alert, "point"), Some("储罐.甲烷"));
    assert_eq!(label(&alert, "team"), Some("罐区"));
    let page = "https://gw.example/api/v1/alarms/%E5%82%A8%E7%BD%90.%E7%94%B2%E7%83%B7/high";
    assert_eq!(alert.page.as_deref(), Some(page));
}

#[test]
fn the_priority_of_what_a_quality_alarm_hides_is_a_label() {
    let words = words(&["CH4-101/stale"]);
    let mut record = record("CH4-101/stale", AlarmState::Unacknowledged);
    record.priority = Some(Priority::Critical);
    let alert = words
        .alert(&record, &News::default(), 1, Wall::default())
        .expect("configured");
    assert_eq!(label(&alert, "priority"), Some("critical"));
    let at_rest = words.labels_at_rest("CH4-101/stale").expect("configured");
    assert_eq!(at_rest.get("priority").map(String::as_str), Some("high"));
    assert_eq!(words.labels_at_rest("GONE/high"), None);
}
