//! What a scrape shows. Whether Prometheus itself likes it is asked in `tests/interop`.

use std::collections::BTreeSet;

use super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::drill;
use crate::engine::effect::{Cause, Details, Event, EventKind, Subject};
use crate::engine::notice::Notice;
use crate::engine::overlay::Overlays;
use crate::engine::reading::{Fault, Quality};
use crate::engine::settings::AlarmKind;
use crate::engine::snapshot::{AlarmView, ChannelView, GroupView, PointView, ReadingCounts};
use crate::engine::time::Moment;

fn names() -> Names {
    Names {
        devices: vec!["gd-01".into()],
        buses: vec!["192.0.2.10:502".to_owned()],
        brokers: vec!["plant".into()],
        outputs: vec!["control-room".into()],
        members: vec![("control-room".into(), "http://192.0.2.20:9093".to_owned())],
        tasks: vec!["engine".to_owned()],
        alarms: vec![("tank-farm".into(), Priority::High)],
        source_of_point: vec!["gd-01".into(), "plant".into()],
        modbus_failures: &["timeout"],
        rejections: vec!["not_json"],
        output_failures: &["refused"],
        output_drops: &["too_large"],
        link_results: &["over"],
        telemetry: vec!["control-room".into()],
        telemetry_drops: &["full"],
        config_hash: "abc".to_owned(),
    }
}

fn point(id: &str, value: Option<f64>) -> PointView {
    PointView {
        id: id.into(),
        area: Some("tank-farm".into()),
        unit: "%LEL".into(),
        value,
        quality: value.map_or(Quality::Bad, |_| Quality::Good),
        reason: None,
        last_reading: Some(Wall::from_unix_nanos(1_500_000_000)),
        slope_per_min: Some(6.0),
        forecast: Vec::new(),
        group: None,
        held: None,
        stel: None,
        twa: None,
        counts: ReadingCounts {
            accepted: 7,
            bad: Fault::ALL.map(|fault| u64::from(fault == Fault::SensorFailure)),
            duplicate: 2,
            late: 3,
            retained: 4,
            fault_current: 5,
            ..ReadingCounts::default()
        },
    }
}

fn alarm(kind: AlarmKind, state: AlarmState, overlays: Overlays) -> AlarmView {
    AlarmView {
        alarm: format!("CH4-101/{}", kind.name()).into(),
        point: "CH4-101".into(),
        kind,
        area: Some("tank-farm".into()),
        unit: "%LEL".into(),
        priority: Priority::High,
        state,
        overlays,
        cover: None,
        occurrence: 1,
        value: Some(30.0),
        limit: Some(25.0),
        quality: Quality::Good,
        raised_at: None,
        acknowledged: None,
        confirmed: None,
        unconfirmed: Vec::new(),
        acknowledged_until: None,
        first_out: false,
        peak: None,
        chattering: false,
        learning: false,
        older_unacknowledged: 0,
        exposure: None,
        notices: None,
    }
}

fn snapshot(points: Vec<PointView>, alarms: Vec<AlarmView>) -> Snapshot {
    Snapshot {
        at: Moment::default(),
        points,
        alarms,
        drills: Vec::new(),
        notices: Default::default(),
    }
}

/// The number behind a series, written as in the text.
fn value_of<'a>(text: &'a str, series: &str) -> Option<&'a str> {
    text.lines()
        .find_map(|line| line.strip_prefix(series)?.strip_prefix(' '))
}

#[test]
fn a_bad_point_shows_no_value() {
    let metrics = Metrics::new(&names());
    let points = vec![point("CH4-101", Some(12.5)), point("VIB-201", None)];
    let text = metrics.render(Some(&snapshot(points, Vec::new())));
    let good = r#"{area="tank-farm",device="gd-01",point="CH4-101""#;
    let bad = r#"{area="tank-farm",device="plant",point="VIB-201""#;
    for (series, expected) in [
        (
            format!(r#"forewarn_point_value{good},unit="%LEL"}}"#),
            Some("12.5"),
        ),
        (format!(r#"forewarn_point_value{bad},unit="%LEL"}}"#), None),
        (format!("forewarn_point_good{good}}}"), Some("1")),
        (format!("forewarn_point_good{bad}}}"), Some("0")),
        (
            format!("forewarn_point_last_reading_timestamp_seconds{good}}}"),
            Some("1.5"),
        ),
        (
            format!("forewarn_point_slope_per_second{good}}}"),
            Some("0.1"),
        ),
        (format!("forewarn_point_readings_total{good}}}"), Some("7")),
        (
            r#"forewarn_readings_ignored_total{device="plant",reason="late"}"#.to_owned(),
            Some("3"),
        ),
        (
            r#"forewarn_readings_ignored_total{device="gd-01",reason="fault_current"}"#.to_owned(),
            Some("5"),
        ),
        (
            r#"forewarn_readings_bad_total{device="plant",reason="sensor_failure"}"#.to_owned(),
            Some("1"),
        ),
        (
            r#"forewarn_readings_bad_total{device="plant",reason="device_failure"}"#.to_owned(),
            Some("0"),
        ),
    ] {
        assert_eq!(value_of(&text, &series), expected, "{series}");
    }
}

#[test]
fn a_group_shows_its_votes_and_its_good_channels() {
    let channel = |id: &str, quality| ChannelView {
        point: id.into(),
        alarm: format!("{id}/high").into(),
        in_alarm: true,
        quality,
        reason: None,
    };
    let mut group = point("GAS-1", Some(1.0));
    group.group = Some(Box::new(GroupView {
        configured: 2,
        needed: 1,
        votes: 1,
        good: 1,
        channels: vec![channel("A", Quality::Good), channel("B", Quality::Bad)],
    }));
    let metrics = Metrics::new(&names());
    let alone = metrics.render(Some(&snapshot(vec![point("A", None)], Vec::new())));
    assert!(!alone.contains("forewarn_group"), "{alone}");
    let text = metrics.render(Some(&snapshot(vec![group], Vec::new())));
    for (name, value) in [
        ("votes", "1"),
        ("votes_needed", "1"),
        ("channels_good", "1"),
        ("channels", "2"),
    ] {
        let series = format!("forewarn_group_{name}{{area=\"tank-farm\",group=\"GAS-1\"}}");
        assert_eq!(value_of(&text, &series), Some(value), "{text}");
    }
}

#[test]
fn every_alarm_is_always_there_and_an_overlay_covers_its_state() {
    let metrics = Metrics::new(&names());
    let shelved = Overlays {
        shelved: true,
        ..Overlays::default()
    };
    let everything = Overlays {
        shelved: true,
        suppressed: true,
        out_of_service: true,
    };
    let alarms = vec![
        alarm(AlarmKind::Low, AlarmState::Normal, Overlays::default()),
        alarm(AlarmKind::High, AlarmState::Unacknowledged, shelved),
        alarm(AlarmKind::HighHigh, AlarmState::Acknowledged, everything),
        alarm(
            AlarmKind::Rise,
            AlarmState::LatchedAcknowledged,
            Overlays::default(),
        ),
    ];
    let text = metrics.render(Some(&snapshot(Vec::new(), alarms)));
    for (kind, active, state) in [
        ("low", "0", "0"),
        ("high", "1", "6"),
        ("high_high", "1", "8"),
        ("rise", "0", "5"),
    ] {
        let labels = format!(
            r#"{{alarm="CH4-101/{kind}",area="tank-farm",point="CH4-101",priority="high"}}"#
        );
        let series = format!("forewarn_alarm_active{labels}");
        assert_eq!(value_of(&text, &series), Some(active), "{series}");
        let series = format!("forewarn_alarm_state{labels}");
        assert_eq!(value_of(&text, &series), Some(state), "{series}");
    }
    for (state, count) in [("normal", "1"), ("shelved", "1"), ("unacknowledged", "0")] {
        let series =
            format!(r#"forewarn_alarms{{area="tank-farm",priority="high",state="{state}"}}"#);
        assert_eq!(value_of(&text, &series), Some(count), "{series}");
    }
    assert!(text.contains("6 shelved, 7 suppressed, 8 out_of_service."));
    // A slope's limit has another unit than the value it would be drawn over.
    assert!(text.contains(r#"level="high_high""#));
    assert!(!text.contains(r#"level="rise""#));
}

#[test]
fn the_state_table_follows_the_life_cycle() {
    for (code, state) in AlarmState::ALL.into_iter().enumerate() {
        assert_eq!(points::STATES[code], state.name());
    }
}

#[test]
fn what_is_configured_begins_at_zero() {
    let text = Metrics::new(&names()).render(None);
    for series in [
        r#"forewarn_readings_total{device="gd-01"}"#,
        r#"forewarn_readings_total{device="plant"}"#,
        r#"forewarn_device_up{device="gd-01"}"#,
        r#"forewarn_device_late_polls_total{device="gd-01"}"#,
        r#"forewarn_modbus_cycle_seconds{bus="192.0.2.10:502"}"#,
        r#"forewarn_modbus_refused_values{device="gd-01"}"#,
        r#"forewarn_modbus_refused_again_total{device="gd-01"}"#,
        r#"forewarn_modbus_request_duration_seconds_count{device="gd-01"}"#,
        r#"forewarn_broker_reconnects_total{broker="plant"}"#,
        r#"forewarn_output_up{output="control-room"}"#,
        r#"forewarn_output_oldest_event_timestamp_seconds{output="control-room"}"#,
        r#"forewarn_alarm_transitions_total{area="tank-farm",priority="high",to="normal"}"#,
        r#"forewarn_records_dropped_total{class="event"}"#,
        r#"forewarn_modbus_request_failures_total{device="gd-01",reason="timeout"}"#,
        r#"forewarn_readings_rejected_total{reason="not_json",source="plant"}"#,
        r#"forewarn_output_failures_total{output="control-room",reason="refused"}"#,
        r#"forewarn_output_dropped_total{output="control-room",reason="too_large"}"#,
    ] {
        assert_eq!(value_of(&text, series), Some("0"), "{series}");
    }
    // A series that nothing can move looks like a plant that loses nothing.
    assert!(!text.contains(r#"class="telemetry""#), "{text}");
    for series in [
        "forewarn_journal_durable",
        r#"forewarn_config_info{hash="abc"}"#,
    ] {
        assert_eq!(value_of(&text, series), Some("1"), "{series}");
    }
    assert!(text.contains("process_resident_memory_bytes"));
}

#[test]
fn an_event_is_counted_under_the_state_it_leads_to() {
    let metrics = Metrics::default();
    let view = alarm(
        AlarmKind::High,
        AlarmState::Unacknowledged,
        Overlays::default(),
    );
    let mut event = Event {
        at: Moment::default(),
        kind: EventKind::Raised,
        subject: Some(Subject {
            index: None,
            alarm: view.alarm,
            point: view.point,
            area: view.area,
            unit: view.unit,
            occurrence: 1,
            state: view.state,
            overlays: view.overlays,
            priority: view.priority,
            value: view.value,
            limit: view.limit,
            quality: view.quality,
            annunciated: true,
            first_out: false,
        }),
        cause: Cause::Process,
        details: Details::default(),
        record: None,
        others: Vec::new(),
    };
    metrics.observe(&event);
    // A drill of the same alarm is no event of the plant, nor is who was told of it.
    let mut drill = event.clone();
    let subject = drill.subject.as_mut().expect("the alarm");
    subject.alarm = drill::name(&subject.alarm).into();
    metrics.observe(&drill);
    drill.kind = EventKind::Notified;
    drill.details.notice = Some(Notice::Page);
    metrics.observe(&drill);
    // A refused command changes no state; the gateway's own life has no alarm.
    event.kind = EventKind::CommandRejected;
    metrics.observe(&event);
    event.subject = None;
    event.kind = EventKind::Started;
    metrics.observe(&event);
    let text = metrics.render(None);
    let counted: Vec<&str> = text
        .lines()
        .filter(|line| {
            let counters = [
                "forewarn_alarm_transitions_total",
                "forewarn_notifications_total",
            ];
            let counter = counters.iter().any(|name| line.starts_with(name));
            counter && !line.ends_with(" 0")
        })
        .collect();
    assert_eq!(
        counted,
        [
            r#"forewarn_alarm_transitions_total{area="tank-farm",priority="high",to="unacknowledged"} 1"#
        ]
    );
}

#[test]
fn a_task_that_never_beat_is_known_and_ages() {
    let metrics = Metrics::new(&names());
    metrics.heartbeat("journal");
    let tasks: Vec<String> = metrics
        .heartbeats()
        .into_iter()
        .map(|beat| beat.task)
        .collect();
    assert_eq!(tasks, ["engine", "journal"]);
    let text = metrics.render(None);
    let beat = value_of(
        &text,
        r#"forewarn_heartbeat_timestamp_seconds{task="engine"}"#,
    );
    let beat: f64 = beat
        .expect("the series is there")
        .parse()
        .expect("a number");
    assert!((seconds(clock::now().wall) - beat).abs() < 60.0, "{beat}");
}

#[test]
fn an_attempt_that_failed_is_an_answer() {
    let metrics = Metrics::new(&names());
    assert_eq!(metrics.brokers(), [("plant".to_owned(), Contact::Never)]);
    metrics.broker_connected("plant", false);
    assert_eq!(metrics.brokers(), [("plant".to_owned(), Contact::Lost)]);
    metrics.broker_connected("plant", true);
    metrics.broker_connected("plant", false);
    assert_eq!(metrics.brokers(), [("plant".to_owned(), Contact::Lost)]);
    metrics.device_up("gd-01", false);
    assert_eq!(metrics.devices(), [("gd-01".to_owned(), Contact::Lost)]);
}

#[test]
fn names_use_base_units() {
    // What promtool's lint does not know: units of the plant in a metric's name.
    let text = Metrics::new(&names()).render(Some(&snapshot(
        vec![point("CH4-101", Some(1.0))],
        vec![alarm(
            AlarmKind::High,
            AlarmState::Normal,
            Overlays::default(),
        )],
    )));
    let banned = BTreeSet::from([
        "percent", "ppm", "bar", "lel", "ms", "us", "minute", "minutes", "hour", "kb", "mb", "kpa",
    ]);
    for name in text.lines().filter_map(|line| line.strip_prefix("# TYPE ")) {
        let name = name.split(' ').next().unwrap_or_default();
        let ours = name.starts_with("forewarn_") || name.starts_with("process_");
        assert!(ours, "{name}");
        let word = name.split('_').find(|word| banned.contains(word));
        assert_eq!(word, None, "{name}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_task_is_stuck_after_the_limit() {
    let metrics = Metrics::new(&names());
    tokio::time::advance(HEARTBEAT_LIMIT).await;
    assert_eq!(metrics.stuck_tasks(), []);
    tokio::time::advance(Duration::from_millis(1)).await;
    let stuck = metrics.stuck_tasks();
    assert_eq!(stuck.len(), 1);
    assert_eq!(stuck[0].task, "engine");
    metrics.heartbeat("engine");
    assert_eq!(metrics.stuck_tasks(), []);
}

/// One message that fails is no output that is down.
#[test]
fn a_failure_alone_does_not_say_that_an_output_is_down() {
    let metrics = Metrics::new(&names());
    for connected in [true, false] {
        metrics.output_connected("control-room", connected);
        metrics.output_failure("control-room", "refused");
        let up = format!(
            "forewarn_output_up{{output=\"control-room\"}} {}\n",
            u8::from(connected)
        );
        assert!(metrics.render(None).contains(&up), "{up}");
    }
}
