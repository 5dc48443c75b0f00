//! A drill, end to end: from the command to the control room, over a power cut, and nothing of it where real
//! alarms are shown.

use serde_json::Value;
use simulators::mqtt::{Sensors, SensorsConfig};
use simulators::upstream::{Receiver, Record};

use super::gateway::{DEADLINE, Gateway, address, control_room};
use crate::interop::mosquitto::Mosquitto;

const ALARM: &str = "CO-12/high";
const DRILL: &str = "CO-12/high/drill";

/// Waits for an event of the drill, which says what it is.
async fn arrives(receiver: &Receiver, event: &str) {
    let drill = |found: &&Value| found["event"] == event && found["alarm"] == DRILL;
    let arrived = receiver.wait_for(|record| record.events().any(|e| drill(&e)), DEADLINE);
    assert!(arrived.await, "{event} did not arrive");
    let found = receiver.look(|record| record.events().find(drill).cloned());
    let found = found.expect("it arrived");
    let message = found["message"].as_str().unwrap_or_default();
    assert!(
        found["test"] == true && message.starts_with("DRILL"),
        "{found}"
    );
}

#[tokio::test]
async fn a_drill_goes_to_the_control_room_and_touches_nothing_real() {
    let broker = Mosquitto::start("").await;
    let receiver = control_room(&broker).await;
    let sensors = Sensors::start(SensorsConfig {
        broker: address(&broker).into(),
        client_id: "sensors".to_owned(),
        sensors: vec!["pit/co interval=50ms base=12".parse().expect("notation")],
        malformed: Vec::new(),
    });
    let mut gateway = Gateway::start(&format!(
        "[broker.plant]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         [output.control-room]\nmqtt = \"mqtt://127.0.0.1:{port}\"\n\
         [point.CO-12]\ntopic = \"pit/co\"\nunit = \"ppm\"\nhigh = 24\ngood_confirm = \"0s\"\n",
        port = broker.port(),
    ))
    .await;
    gateway
        .point_is("CO-12", "has its value", |p| p["value"] == 12.0)
        .await;

    let begin = r#"{"by":"li-wei","reason":"monthly","for":"30min"}"#;
    let begun = gateway.command(DRILL, begin).await.expect("an answer");
    assert_eq!((begun.status, &begun.json()["alarm"]), (200, &DRILL.into()));
    arrives(&receiver, "raised").await;
    arrives(&receiver, "notified").await;

    gateway.kill();
    gateway.start_again().await;
    let path = format!("/api/v1/alarms/{DRILL}");
    let runs = |drill: &Value| drill["state"] == "unacknowledged" && drill["test"] == true;
    gateway.wait_for(&path, "the drill goes on", runs).await;
    // Whoever means the alarm does not reach its drill.
    let real = gateway.acknowledge(ALARM, "li-wei").await;
    assert_eq!(real.expect("an answer").status, 409);
    let own = gateway.acknowledge(DRILL, "anna-berg").await;
    assert_eq!(own.expect("an answer").status, 200);
    arrives(&receiver, "acknowledged").await;
    let end = format!("{DRILL}/end");
    let ended = gateway.command(&end, r#"{"by":"li-wei"}"#).await;
    assert_eq!(ended.expect("an answer").status, 200);
    arrives(&receiver, "cleared").await;

    let list = gateway.get("/api/v1/alarms?state=active").await.json();
    assert_eq!(list["alarms"], Value::Array(Vec::new()));
    assert_eq!(list["drills"], Value::Array(Vec::new()), "it is over");
    let page = gateway.get("/metrics").await.body;
    let counted =
        |line: &&str| line.starts_with("forewarn_alarm_transitions_total") && !line.ends_with(" 0");
    assert_eq!(page.lines().find(counted), None);
    let states = |record: &Record| (record.state(ALARM).cloned(), record.state(DRILL).cloned());
    let (alarm, drill) = receiver.look(states);
    assert_eq!(
        alarm.map(|state| state["state"].clone()),
        Some("normal".into())
    );
    assert_eq!(drill, None, "a drill has no retained state");
    let real = |record: &Record| {
        record
            .events()
            .any(|event| event["alarm"] == ALARM && event["event"] != "command_rejected")
    };
    assert!(!receiver.look(real), "nothing happened to the alarm");
    assert_eq!(gateway.stop().await.code(), Some(0));
    sensors.stop().await;
    receiver.stop().await;
}
