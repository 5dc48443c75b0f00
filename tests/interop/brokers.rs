//! Upstreams of more than one broker: a node is killed among alarms, and nothing is lost.
//!
//! `FOREWARN_CLUSTER_ALARMS=1000 cargo test --test integration brokers` for the long run; 200 is the default.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::net::{Ipv4Addr, SocketAddr};
use std::time::Duration;

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig};
use simulators::upstream::{Receiver, ReceiverConfig, Record};

use super::bench::within;
use super::mosquitto::Mosquitto;
use super::nats::Cluster;
use crate::daemon::gateway::{Gateway, SITE, control_room, from_environment, skipped};

/// Elections take their time, and two cores may be shared by many.
const DEADLINE: Duration = Duration::from_secs(120);
/// One alarm each, which comes and goes about once a second.
const POINTS: u64 = 40;
/// An output has 50 events on their way at most; each may come twice when its receipt is lost, once for every
/// connection until the cluster has its new leaders.
const TWICE: u64 = 3 * 50;

#[tokio::test]
async fn a_node_of_a_nats_cluster_is_killed_among_alarms() {
    let Some(mut cluster) = Cluster::start().await else {
        return skipped("nats: nats-server is not installed (tests/setup)");
    };
    let alarms = from_environment("FOREWARN_CLUSTER_ALARMS", 200);
    let receiver = Receiver::start(ReceiverConfig {
        persistent: true,
        ..ReceiverConfig::new(cluster.address(2).into(), SITE)
    });
    assert!(
        receiver.subscribed(DEADLINE).await,
        "{:?}",
        receiver.trouble()
    );
    let plant = plant().await;
    let urls = [0, 1, 2].map(|node| format!("\"mqtt://{}\"", cluster.address(node)));
    let output = format!(
        "[output.control-room]\nmqtt = [{}]\nescape_dots = true\n",
        urls.join(", ")
    );
    let mut gateway = Gateway::start(&configuration(&output, plant.address())).await;
    raised(&gateway, alarms / 2).await;

    cluster.kill(0);
    let late = Receiver::start(ReceiverConfig {
        client_id: "late".to_owned(),
        ..ReceiverConfig::new(cluster.address(1).into(), SITE)
    });
    let every_state = |record: &Record| swinging(record.states().keys()) == POINTS;
    let known = late.wait_for(every_state, DEADLINE).await;
    assert!(known, "retained: {}", late.look(Record::summary));
    raised(&gateway, alarms).await;

    all_arrived(&gateway, &plant, &receiver).await;
    states_are_those_of(&gateway, &late).await;
    let log = gateway.log();
    let servers = log
        .lines()
        .filter(|line| line.contains("connected output="));
    assert!(servers.count() >= 2, "it went to another node: {log}");
    assert_eq!(gateway.stop().await.code(), Some(0));
}

/// Without a cluster: an output for each broker, both carry everything, and the id tells what came twice.
#[tokio::test]
async fn one_of_two_brokers_is_killed_among_alarms() {
    let alarms = from_environment("FOREWARN_CLUSTER_ALARMS", 200);
    let (mut first, second) = (Mosquitto::start("").await, Mosquitto::start("").await);
    let (_dying, living) = (control_room(&first).await, control_room(&second).await);
    let plant = plant().await;
    let outputs = format!(
        "[output.a]\nmqtt = \"mqtt://127.0.0.1:{}\"\n[output.b]\nmqtt = \"mqtt://127.0.0.1:{}\"\n",
        first.port(),
        second.port()
    );
    let mut gateway = Gateway::start(&configuration(&outputs, plant.address())).await;
    raised(&gateway, alarms / 2).await;
    first.kill();
    raised(&gateway, alarms).await;

    all_arrived(&gateway, &plant, &living).await;
    states_are_those_of(&gateway, &living).await;
    assert_eq!(living.look(Record::duplicates), 0, "it never lost anything");
    assert_eq!(gateway.stop().await.code(), Some(0));
}

async fn plant() -> Device {
    let mut device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into());
    for number in 0..POINTS {
        let period = 700 + 17 * number;
        let line = format!("holding:{number} uint16 base=100 sine={period}ms:90");
        device = device.point(&line).expect("notation");
    }
    Device::start(device).await.expect("a free port")
}

fn configuration(outputs: &str, device: SocketAddr) -> String {
    let mut text =
        format!("{outputs}[device.plc]\nmodbus = \"tcp://{device}\"\npoll = \"100ms\"\n");
    for number in 0..POINTS {
        write!(
            text,
            "[point.S-{number}]\nregister = \"holding:{number}\"\ntype = \"uint16\"\nhigh = 120\n\
             good_confirm = \"0s\"\n"
        )
        .expect("a string takes all");
    }
    text
}

/// How many of these are alarms of the swinging points.
fn swinging<'a>(alarms: impl Iterator<Item = &'a String>) -> u64 {
    let high = |alarm: &&String| alarm.starts_with("S-") && alarm.ends_with("/high");
    alarms.filter(high).count() as u64
}

/// Waits until so many alarms were raised since the start.
async fn raised(gateway: &Gateway, alarms: u64) {
    let what = format!("{alarms} alarms");
    within(DEADLINE, &what, async || {
        let events = gateway.events().await;
        let raised = events.iter().filter(|event| event["event"] == "raised");
        let count = raised.count() as u64;
        if count >= alarms { Ok(()) } else { Err(count) }
    })
    .await;
}

/// Lets the plant rest, and waits until the receiver has what the journal has.
async fn all_arrived(gateway: &Gateway, plant: &Device, receiver: &Receiver) {
    for number in 0..POINTS {
        let line = format!("holding:{number} uint16 base=100");
        plant.put(&line).expect("notation");
    }
    within(DEADLINE, "every event", async || {
        let written = gateway.events().await.len();
        let arrived = receiver.look(Record::distinct);
        if arrived == written {
            Ok(())
        } else {
            let missing: Vec<_> = receiver.look(|record| record.missing_seq().collect());
            Err(format!("{arrived} of {written}, without {missing:?}"))
        }
    })
    .await;
    let journal = gateway.events().await.len();
    receiver.look(|record| {
        let summary = record.summary();
        let _nobody = writeln!(
            std::io::stderr(),
            "journal: {journal} events; receiver: {summary}"
        )
        .is_err();
        assert_eq!(record.missing_seq().count(), 0, "{summary}");
        assert_eq!((record.out_of_order(), record.malformed()), (0, 0));
        assert!(record.duplicates() <= TWICE, "{summary}");
    });
}

/// Waits until the retained states are the present ones.
async fn states_are_those_of(gateway: &Gateway, receiver: &Receiver) {
    within(DEADLINE, "the last states", async || {
        let listed = gateway.get("/api/v1/alarms").await.json();
        let listed = listed["alarms"].as_array().cloned().unwrap_or_default();
        let listed = listed.iter().filter_map(|alarm| {
            let name = alarm["alarm"].as_str()?;
            let high = name.starts_with("S-") && name.ends_with("/high");
            high.then(|| (name.to_owned(), step(alarm)))
        });
        let present: BTreeMap<_, _> = listed.collect();
        let retained: BTreeMap<_, _> = receiver.look(|record| {
            let states = record.states().iter();
            let states = states.filter(|(alarm, _)| present.contains_key(*alarm));
            states
                .map(|(alarm, state)| (alarm.clone(), step(state)))
                .collect()
        });
        if present == retained && present.len() as u64 == POINTS {
            Ok(())
        } else {
            Err(format!("{present:?}\nretained {retained:?}"))
        }
    })
    .await;
}

/// Where an alarm stands.
fn step(alarm: &Value) -> (Value, Value) {
    (alarm["state"].clone(), alarm["occurrence"].clone())
}
