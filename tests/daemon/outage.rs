//! Both brokers die with all their sessions, and come back.
//!
//! `FOREWARN_OUTAGE_SECONDS=60 cargo test daemon::outage` for a whole minute; 3 is the default.

use std::net::Ipv4Addr;
use std::time::Duration;

use simulators::modbus::{Device, DeviceConfig};
use simulators::mqtt::{Sensors, SensorsConfig};
use simulators::upstream::{Receiver, Record};
use tokio::time::Instant;

use super::gateway::{DEADLINE, Gateway, address, control_room, from_environment};
use crate::interop::mosquitto::Mosquitto;

/// The gateway may need so much more memory after an outage.
const GROWTH: u64 = 8 * 1024 * 1024;

/// So many events happen in an outage at least, however short it is.
const BACKLOG: u64 = 20;

const ALARM: &str = "CH4-101/high";

#[tokio::test]
async fn broker_gone_for_a_while_with_its_sessions() {
    let outage = Duration::from_secs(from_environment("FOREWARN_OUTAGE_SECONDS", 3));
    let mut plant = Mosquitto::start("").await;
    let mut upstream = Mosquitto::start("").await;
    let receiver = control_room(&upstream).await;
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("holding:0 uint16 base=3")
        .expect("notation");
    let device = Device::start(device).await.expect("a free port");
    let sensors = Sensors::start(SensorsConfig {
        broker: address(&plant).into(),
        client_id: "sensors".to_owned(),
        sensors: vec!["pit/co interval=50ms base=12".parse().expect("notation")],
        malformed: Vec::new(),
    });
    let mut gateway = Gateway::start(&format!(
        "[broker.plant]\nurl = \"mqtt://127.0.0.1:{}\"\n\
         [device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n\
         [output.control-room]\nmqtt = \"mqtt://127.0.0.1:{}\"\n\
         [point.CH4-101]\ndevice = \"gd-01\"\nregister = \"holding:0\"\ntype = \"uint16\"\n\
         high = 25\ngood_confirm = \"0s\"\n\
         [point.CO-12]\ntopic = \"pit/co\"\nhigh = 24\ngood_confirm = \"0s\"\nstale_after = \"2s\"\n",
        plant.port(),
        device.address(),
        upstream.port(),
    ))
    .await;
    gateway
        .point_is("CO-12", "has its value", |p| p["value"] == 12.0)
        .await;
    swing(&gateway, &device).await;
    all_arrived(&gateway, &receiver).await;
    // Nothing that is known waits for its receipt; a notice may still come at this very moment.
    let waiting = "forewarn_output_queue_events{output=\"control-room\"}";
    gateway.metric_is(waiting, |count| count < 0.5).await;
    let (before, memory) = (gateway.events().await.len() as u64, gateway.resident());

    plant.kill();
    upstream.kill();
    gateway
        .alarm_is("gateway.broker.plant/state", "unacknowledged")
        .await;
    gateway
        .alarm_is("gateway.output.control-room/state", "unacknowledged")
        .await;
    let began = Instant::now();
    let mut during = before;
    while began.elapsed() < outage || during < before + BACKLOG {
        swing(&gateway, &device).await;
        during = gateway.events().await.len() as u64;
    }

    // A broker acknowledges what nobody has subscribed to: the control room has to be there first.
    gateway.pause(true);
    upstream.start_again().await;
    let again = |record: &Record| record.subscriptions() > 1;
    assert!(receiver.wait_for(again, DEADLINE).await);
    gateway.pause(false);
    plant.start_again().await;

    gateway
        .alarm_is(
            "gateway.output.control-room/state",
            "returned_unacknowledged",
        )
        .await;
    gateway
        .alarm_is("gateway.broker.plant/state", "returned_unacknowledged")
        .await;
    gateway
        .point_is("CO-12", "is read again", |p| p["quality"] == "good")
        .await;
    swing(&gateway, &device).await;
    all_arrived(&gateway, &receiver).await;
    receiver.look(|record| {
        assert_eq!(record.missing_seq().collect::<Vec<_>>(), Vec::<u64>::new());
        assert_eq!(record.out_of_order(), 0);
        // What was on its way when the broker died comes again, under the same id.
        assert!(record.duplicates() <= 2, "{} twice", record.duplicates());
        let replayed = record.events().filter(|event| event["replayed"] == true);
        assert!(
            replayed.count() as u64 >= during - before - 2,
            "the backlog is marked"
        );
        let last = record.events().next_back().expect("events");
        assert_eq!(last.get("replayed"), None, "live events are not: {last}");
    });
    let grown = gateway.resident().saturating_sub(memory);
    assert!(
        grown < GROWTH,
        "{grown} bytes more after {} events",
        during - before
    );
    assert_eq!(gateway.stop().await.code(), Some(0));
    sensors.stop().await;
    device.stop().await;
}

/// Up over the limit and down again.
async fn swing(gateway: &Gateway, device: &Device) {
    device.put("holding:0 uint16 base=30").expect("notation");
    gateway.alarm_is(ALARM, "unacknowledged").await;
    device.put("holding:0 uint16 base=3").expect("notation");
    gateway.alarm_is(ALARM, "returned_unacknowledged").await;
}

/// Waits until the control room has every event of the journal.
async fn all_arrived(gateway: &Gateway, receiver: &Receiver) {
    let written = gateway.events().await.len();
    let all = |record: &Record| record.distinct() >= written;
    let arrived = receiver.wait_for(all, DEADLINE).await;
    assert!(arrived, "of {written}: {}", receiver.look(Record::summary));
}
