//! A whole life: start, a reading, an alarm, its acknowledgement, the end.

use std::net::Ipv4Addr;

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig};
use simulators::mqtt::{Sensors, SensorsConfig};
use simulators::upstream::{Receiver, Record};

use super::gateway::{DEADLINE, Gateway, address, control_room};
use crate::interop::mosquitto::Mosquitto;

/// Has an event of this name for this alarm arrived?
fn has(record: &Record, event: &str, alarm: &str) -> bool {
    record
        .events()
        .any(|found| found["event"] == event && found["alarm"] == alarm)
}

async fn arrives(receiver: &Receiver, event: &str, alarm: &str) {
    let arrived = receiver.wait_for(|record| has(record, event, alarm), DEADLINE);
    assert!(arrived.await, "{event} of {alarm} did not arrive");
}

async fn state_is(receiver: &Receiver, alarm: &str, state: &str) {
    let shown = |record: &Record| record.state(alarm).is_some_and(|s| s["state"] == state);
    let arrived = receiver.wait_for(shown, DEADLINE).await;
    assert!(
        arrived,
        "{:?}",
        receiver.look(|record| record.state(alarm).cloned())
    );
}

#[tokio::test]
async fn starts_watches_and_stops() {
    let broker = Mosquitto::start("").await;
    let receiver = control_room(&broker).await;
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("input:0 float32 CDAB base=3")
        .expect("notation");
    let device = Device::start(device).await.expect("a free port");
    let sensors = Sensors::start(SensorsConfig {
        broker: address(&broker).into(),
        client_id: "sensors".to_owned(),
        sensors: vec!["pit/co interval=50ms base=12".parse().expect("notation")],
        malformed: Vec::new(),
    });
    let mut gateway = Gateway::start(&format!(
        "[broker.plant]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         [device.gd-01]\nmodbus = \"tcp://{device}\"\npoll = \"100ms\"\n\
         [output.control-room]\nmqtt = \"mqtt://127.0.0.1:{port}\"\n\
         [point.CH4-101]\ndevice = \"gd-01\"\nregister = \"input:0\"\ntype = \"float32\"\norder = \"CDAB\"\n\
         unit = \"%LEL\"\nhigh = 25\ngood_confirm = \"0s\"\n\
         [point.CO-12]\ntopic = \"pit/co\"\nunit = \"ppm\"\nhigh = 24\ngood_confirm = \"0s\"\n",
        port = broker.port(),
        device = device.address(),
    ))
    .await;

    gateway
        .point_is("CH4-101", "has its value", |p| p["value"] == 3.0)
        .await;
    gateway
        .point_is("CO-12", "has its value", |p| p["value"] == 12.0)
        .await;
    gateway
        .metric_is(
            "forewarn_point_value{area=\"\",device=\"gd-01\",point=\"CH4-101\",unit=\"%LEL\"}",
            |value| value > 2.9 && value < 3.1,
        )
        .await;
    state_is(&receiver, "CH4-101/high", "normal").await;

    device
        .put("input:0 float32 CDAB base=30")
        .expect("notation");
    gateway.alarm_is("CH4-101/high", "unacknowledged").await;
    arrives(&receiver, "raised", "CH4-101/high").await;
    state_is(&receiver, "CH4-101/high", "unacknowledged").await;

    let first = gateway
        .acknowledge("CH4-101/high", "li-wei")
        .await
        .expect("an answer");
    assert_eq!(
        (first.status, &first.json()["result"]),
        (200, &Value::from("accepted"))
    );
    assert_eq!(first.json()["durable"], true);
    arrives(&receiver, "acknowledged", "CH4-101/high").await;
    let second = gateway
        .acknowledge("CH4-101/high", "anna-berg")
        .await
        .expect("an answer");
    let answer = second.json();
    assert_eq!(
        (second.status, &answer["result"]),
        (200, &Value::from("already_done"))
    );
    assert_eq!(answer["by"], "li-wei", "who was first");

    let status = |record: &Record| record.status().cloned().unwrap_or_default();
    assert_eq!(receiver.look(status)["status"], "online");
    assert_eq!(gateway.stop().await.code(), Some(0));
    let offline = |record: &Record| status(record)["status"] == "offline";
    assert!(receiver.wait_for(offline, DEADLINE).await);
    assert_eq!(
        receiver.look(status)["reason"],
        "stopped",
        "and not the last will"
    );
    arrives_stopped(&receiver).await;

    gateway.start_again().await;
    // It may be ready before its start is committed.
    let told = |page: &Value, name: &str| {
        let events = page["events"].as_array().into_iter().flatten();
        events.filter(|event| event["event"] == name).count()
    };
    let page = gateway
        .wait_for("/api/v1/events?after=0&limit=1000", "both starts", |page| {
            told(page, "started") == 2
        })
        .await;
    assert_eq!(told(&page, "stopped"), 1, "{page}");
    one_run_after_the_other(&page);
    gateway.alarm_is("CH4-101/high", "acknowledged").await;
    assert_eq!(gateway.stop().await.code(), Some(0));
    sensors.stop().await;
    device.stop().await;
    receiver.stop().await;
}

/// Each `started` says what holds for its epoch: here the same program, configuration and boot twice.
fn one_run_after_the_other(page: &Value) {
    let events = page["events"].as_array().into_iter().flatten();
    let starts: Vec<&Value> = events.filter(|event| event["event"] == "started").collect();
    let boot = std::fs::read_to_string("/proc/sys/kernel/random/boot_id").expect("Linux has it");
    for start in &starts {
        assert_eq!(start["version"], env!("CARGO_PKG_VERSION"), "{start}");
        assert_eq!(start["boot_id"], boot.trim(), "{start}");
        assert_eq!(
            start["config_hash"].as_str().map(str::len),
            Some(64),
            "{start}"
        );
        assert_eq!(start["config_hash"], starts[0]["config_hash"]);
    }
    assert_ne!(starts[0]["id"], starts[1]["id"], "an epoch of its own");
}

async fn arrives_stopped(receiver: &Receiver) {
    let stopped = |record: &Record| record.events().any(|event| event["event"] == "stopped");
    assert!(
        receiver.wait_for(stopped, DEADLINE).await,
        "also the last event goes out"
    );
}
