//! Prometheus' own lint over everything that `/metrics` can show.

use std::io::Write;
use std::process::{Command, Stdio};
use std::time::Duration;

use forewarn::engine::alarm::AlarmState;
use forewarn::engine::overlay::Overlays;
use forewarn::engine::reading::Quality;
use forewarn::engine::settings::{AlarmKind, Priority};
use forewarn::engine::snapshot::{AlarmView, PointView, ReadingCounts, Snapshot};
use forewarn::engine::time::{Moment, Wall};
use forewarn::metrics::{Metrics, Names};

#[test]
fn promtool_finds_nothing() {
    let (passed, words) = promtool(&populated());
    assert!(passed, "{words}");
    assert_eq!(words, "");
}

#[test]
fn promtool_would_find_something() {
    let wrong = "# HELP forewarn_request_duration_ms Too long.\n\
                 # TYPE forewarn_request_duration_ms counter\n\
                 forewarn_request_duration_ms 1\n";
    let (passed, words) = promtool(wrong);
    assert!(!passed, "promtool accepts anything: {words}");
}

/// Its verdict and its words on an exposition.
pub(crate) fn promtool(text: &str) -> (bool, String) {
    let mut child = Command::new("promtool")
        .args(["check", "metrics"])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .expect("promtool runs; Debian's package `prometheus` has it");
    let mut stdin = child.stdin.take().expect("stdin is piped");
    stdin.write_all(text.as_bytes()).expect("promtool reads");
    drop(stdin);
    let output = child.wait_with_output().expect("promtool ends");
    let words = [output.stdout, output.stderr].concat();
    (
        output.status.success(),
        String::from_utf8_lossy(&words).into_owned(),
    )
}

/// Every family, with every kind of label value.
fn populated() -> String {
    let metrics = Metrics::new(&Names {
        devices: vec!["gd-01".into()],
        buses: vec!["192.0.2.10:502".to_owned()],
        brokers: vec!["plant".into()],
        outputs: vec!["control-room".into()],
        members: vec![("control-room".into(), "http://192.0.2.20:9093".to_owned())],
        tasks: vec!["engine".to_owned()],
        alarms: vec![("tank-farm".into(), Priority::Critical)],
        source_of_point: vec!["gd-01".into(), "plant".into()],
        modbus_failures: &["timeout"],
        rejections: vec!["not_json"],
        output_failures: &["refused"],
        output_drops: &["too_large"],
        link_results: &["over"],
        telemetry: vec!["control-room".into()],
        telemetry_drops: &forewarn::telemetry::DROP_REASONS,
        config_hash: "0f".repeat(32),
    });
    let took = Duration::from_millis(7);
    metrics.readings("gd-01", 3);
    metrics.reading_rejected("plant", "not_a_number");
    metrics.modbus_request("gd-01", took);
    metrics.modbus_failure("gd-01", "timeout");
    metrics.evaluation(took);
    metrics.commit(2, took);
    metrics.store_size(4096, 1 << 30);
    metrics.output_delivered("control-room", took);
    metrics.output_failure("control-room", "refused");
    metrics.output_dropped("control-room", "gone", 1);
    metrics.output_aside("control-room", 1);
    metrics.output_oldest("control-room", Some(Wall::from_unix_nanos(1)));
    metrics.alertmanager_member("control-room", "http://192.0.2.20:9093", true);
    metrics.alertmanager_alerts("control-room", 2, 1);
    metrics.alertmanager_post("control-room", "http://192.0.2.20:9093");
    metrics.heartbeat("engine");
    metrics.render(Some(&Snapshot {
        at: Moment::default(),
        // Names of points may be in any script, and hold what the text format must escape.
        points: vec![point("甲烷-101", Some(12.5)), point("a\"b\\c\nd", None)],
        alarms: vec![alarm()],
        drills: Vec::new(),
        notices: Default::default(),
    }))
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
        slope_per_min: value,
        forecast: Vec::new(),
        group: None,
        held: None,
        stel: None,
        twa: None,
        counts: ReadingCounts::default(),
    }
}

fn alarm() -> AlarmView {
    AlarmView {
        alarm: "甲烷-101/high".into(),
        point: "甲烷-101".into(),
        kind: AlarmKind::High,
        area: Some("tank-farm".into()),
        unit: "%LEL".into(),
        priority: Priority::Critical,
        state: AlarmState::Unacknowledged,
        overlays: Overlays::default(),
        cover: None,
        occurrence: 1,
        value: Some(12.5),
        limit: Some(10.0),
        quality: Quality::Good,
        raised_at: None,
        acknowledged: None,
        confirmed: None,
        unconfirmed: Vec::new(),
        acknowledged_until: None,
        first_out: false,
        peak: None,
        chattering: true,
        learning: false,
        older_unacknowledged: 0,
        exposure: None,
        notices: None,
    }
}
