//! `kill -9` again and again while alarms come and go.
//!
//! `FOREWARN_KILLS=1000 cargo test daemon::kills` for the long run; 20 is the default.
//!
//! Two kinds of points. `H-n` stand above their limit for ever and are acknowledged one per round,
//! just before the kill: what was answered with 200 must be there in every later round. `S-n` swing
//! through their limit several times a second, and somebody acknowledges what they find.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig};
use tokio::time::sleep;

use super::gateway::{DEADLINE, Gateway, control_room, from_environment};
use crate::interop::mosquitto::Mosquitto;

const SWINGING: u64 = 8;

#[tokio::test]
async fn killed_twenty_times() {
    let kills = from_environment("FOREWARN_KILLS", 20);
    let held = kills.min(60);
    let broker = Mosquitto::start("").await;
    let receiver = control_room(&broker).await;
    let device = plant(held).await;
    let mut gateway = Gateway::start(&configuration(broker.port(), device.address(), held)).await;
    let mut acknowledged = Acknowledged::default();
    for round in 1..=kills {
        let moment = Duration::from_millis(fastrand::u64(0..800));
        let hand = acknowledge_what_is_found(&gateway, &mut acknowledged.swinging);
        tokio::select! {
            () = hand => {}
            () = sleep(moment) => {}
        }
        if round <= held {
            acknowledged.hold(&gateway, round).await;
        }
        gateway.kill();
        gateway.start_again().await;
        acknowledged.are_kept(&gateway, round.min(held)).await;
    }
    assert_eq!(gateway.stop().await.code(), Some(0));
    gateway.start_again().await;
    let journal = gateway.events().await;
    let last = journal.last().expect("events")["seq"]
        .as_u64()
        .expect("a number");
    let all =
        |record: &simulators::upstream::Record| record.events().any(|event| event["seq"] == last);
    assert!(
        receiver.wait_for(all, DEADLINE).await,
        "event {last} did not arrive"
    );

    receiver.look(|record| {
        assert_eq!(record.missing_seq().collect::<Vec<_>>(), Vec::<u64>::new());
        assert_eq!((record.out_of_order(), record.malformed()), (0, 0));
        assert!(record.distinct() as u64 > 8 * kills, "{}", record.summary());
        assert_eq!(record.distinct(), journal.len(), "each once, over all runs");
        let arrived: Vec<_> = record.events().cloned().collect();
        arrived_as_written(&arrived, &journal);
        acknowledged.arrived(&arrived);
    });
    nothing_twice(&journal);
    let count = |name: &str| {
        journal
            .iter()
            .filter(|event| event["event"] == name)
            .count() as u64
    };
    assert_eq!(count("monitoring_gap"), kills + 1, "one after each stop");
    assert_eq!(count("started"), kills + 2);
    assert_eq!(gateway.stop().await.code(), Some(0));
}

pub(super) async fn plant(held: u64) -> Device {
    let mut device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into());
    for number in 1..=SWINGING {
        let period = 300 + 70 * number;
        let line = format!("holding:{number} uint16 base=100 sine={period}ms:90");
        device = device.point(&line).expect("notation");
    }
    for number in 1..=held {
        let line = format!("holding:{} uint16 base=200", 100 + number);
        device = device.point(&line).expect("notation");
    }
    Device::start(device).await.expect("a free port")
}

pub(super) fn configuration(port: u16, device: SocketAddr, held: u64) -> String {
    let mut text = format!(
        "[device.plc]\nmodbus = \"tcp://{device}\"\npoll = \"100ms\"\n\
         [output.control-room]\nmqtt = \"mqtt://127.0.0.1:{port}\"\n"
    );
    let swinging = (1..=SWINGING).map(|number| ("S", number, number));
    let steady = (1..=held).map(|number| ("H", number, 100 + number));
    for (letter, number, register) in swinging.chain(steady) {
        write!(
            text,
            "[point.{letter}-{number}]\nregister = \"holding:{register}\"\ntype = \"uint16\"\n\
             high = 120\ngood_confirm = \"0s\"\n"
        )
        .expect("a string takes all");
    }
    text
}

/// What was answered with 200.
#[derive(Default)]
struct Acknowledged {
    /// Points `H-n` by name, who acknowledged them.
    held: BTreeMap<String, String>,
    /// Alarm and occurrence of swinging points.
    swinging: Vec<(String, u64)>,
}

/// Until it is interrupted: looks for unacknowledged alarms of swinging points.
async fn acknowledge_what_is_found(gateway: &Gateway, done: &mut Vec<(String, u64)>) {
    loop {
        let found = gateway
            .get("/api/v1/alarms?state=unacknowledged")
            .await
            .json();
        let names = found["alarms"].as_array().into_iter().flatten();
        let names = names.filter_map(|alarm| alarm["alarm"].as_str());
        for alarm in names.filter(|alarm| alarm.starts_with("S-")) {
            let answer = gateway.acknowledge(alarm, "round").await.expect("it runs");
            let json = answer.json();
            if answer.status == 200 && json["result"] == "accepted" {
                let occurrence = json["occurrence"].as_u64().expect("a number");
                done.push((alarm.to_owned(), occurrence));
            }
        }
    }
}

impl Acknowledged {
    async fn hold(&mut self, gateway: &Gateway, round: u64) {
        let (alarm, by) = (format!("H-{round}/high"), format!("person-{round}"));
        gateway.alarm_is(&alarm, "unacknowledged").await;
        let answer = gateway.acknowledge(&alarm, &by).await.expect("it runs");
        assert_eq!(
            (answer.status, &answer.json()["durable"]),
            (200, &Value::from(true))
        );
        self.held.insert(alarm, by);
    }

    async fn are_kept(&self, gateway: &Gateway, up_to: u64) {
        let alarms = gateway.get("/api/v1/alarms").await.json();
        let alarms = alarms["alarms"].as_array().expect("alarms");
        let kept = alarms.iter().filter_map(|alarm| {
            let name = alarm["alarm"].as_str()?;
            let by = self.held.get(name)?;
            (alarm["state"] == "acknowledged" && alarm["acknowledged"]["by"] == **by).then_some(())
        });
        assert_eq!(kept.count() as u64, up_to, "acknowledgements were lost");
    }

    fn arrived(&self, events: &[Value]) {
        for (alarm, occurrence) in &self.swinging {
            let arrived = events.iter().any(|event| {
                event["event"] == "acknowledged"
                    && event["alarm"] == **alarm
                    && event["occurrence"] == *occurrence
            });
            assert!(
                arrived,
                "the acknowledgement of {alarm} {occurrence} was answered, but is lost"
            );
        }
        assert!(!self.swinging.is_empty(), "somebody acknowledged something");
    }
}

/// Each number carries one id, and what arrived is what stands in the journal.
fn arrived_as_written(arrived: &[Value], journal: &[Value]) {
    let written: BTreeMap<_, _> = journal
        .iter()
        .map(|event| (event["seq"].as_u64(), event))
        .collect();
    for event in arrived {
        let mut event = event.clone();
        event.as_object_mut().expect("an object").remove("replayed");
        assert_eq!(Some(&&event), written.get(&event["seq"].as_u64()));
    }
}

/// No step of an occurrence stands there under two ids, and each occurrence is raised before anything else.
fn nothing_twice(journal: &[Value]) {
    let mut steps: BTreeMap<(String, u64), Vec<&str>> = BTreeMap::new();
    for event in journal {
        if let (Some(alarm), Some(occurrence)) =
            (event["alarm"].as_str(), event["occurrence"].as_u64())
        {
            let steps = steps.entry((alarm.to_owned(), occurrence)).or_default();
            steps.push(event["event"].as_str().expect("a name"));
        }
    }
    for ((alarm, occurrence), steps) in steps {
        assert_eq!(steps[0], "raised", "{alarm} {occurrence}: {steps:?}");
        for step in ["raised", "cleared", "acknowledged"] {
            let times = steps.iter().filter(|found| **found == step).count();
            assert!(times <= 1, "{alarm} {occurrence}: {steps:?}");
        }
    }
}
