//! The real gateway as an edge node on a real broker, and what a host sees of it: births only for a host
//! that is there, alarms, what was missed as history, rebirth on command, devices that die and come
//! back, death in order and by the will. All of it is decoded by two decoders of others, which must
//! agree with each other.

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;

use serde_json::{Value, json};
use simulators::modbus::{Device, DeviceConfig};

use self::host::Host;
use self::witness::{Decoder, Told};
use super::bench::{DEADLINE, Daemon, free_port, within};
use super::mosquitto::{Message, Mosquitto};

mod host;
mod hostile;
mod witness;

const STATE: &str = "spBv1.0/STATE/ignition";
const COMMAND: &str = "spBv1.0/plants/NCMD/north-plant";

fn config(broker: u16, device: u16) -> String {
    format!(
        r#"
site = "north-plant"
[broker.plant]
url = "mqtt://127.0.0.1:{broker}"
[device.gd-01]
modbus = "tcp://127.0.0.1:{device}"
unit_id = 1
poll = "200ms"
[point.CH4-101]
name = "Methane, tank farm north"
device = "gd-01"
register = "input:0"
type = "float32"
unit = "%LEL"
high = 25
[point.PT-330]
topic = "reactor/pressure"
unit = "bar"
high = 8
stale_after = "10min"
[output.scada]
sparkplug = "mqtt://127.0.0.1:{broker}"
group = "plants"
primary_host = "ignition"
readings = "100ms"
"#
    )
}

async fn device(port: u16) -> Device {
    let listen = SocketAddr::from(([127, 0, 0, 1], port));
    within(DEADLINE, "the device listens", async || {
        let config = DeviceConfig::new(listen).point("input:0 float32 base=3");
        Device::start(config.expect("the notation of the simulators")).await
    })
    .await
}

async fn pressure(broker: &Mosquitto, value: &str) {
    let message = Message::new("reactor/pressure", value.as_bytes());
    broker.publish(&[message]).await;
}

/// The events that the gateway has committed, by their numbers.
async fn committed(daemon: &Daemon) -> BTreeMap<u64, Value> {
    let page = daemon.get("/api/v1/events?after=0").await;
    let page: Value = serde_json::from_str(&page).expect("JSON");
    let events = page["events"].as_array().cloned().unwrap_or_default();
    let numbered = events.into_iter().map(|event| {
        let seq = event["seq"].as_u64().expect("a number");
        (seq, event)
    });
    numbered.collect()
}

async fn until_raised(daemon: &Daemon, alarm: &str, times: usize) {
    within(DEADLINE, alarm, async || {
        let events = committed(daemon).await;
        let raised = |event: &&Value| event["event"] == "raised" && event["alarm"] == alarm;
        let count = events.values().filter(raised).count();
        (count >= times).then_some(()).ok_or(count)
    })
    .await;
}

#[tokio::test]
async fn a_host_sees_alarms_values_and_deaths_and_misses_nothing() {
    let broker = Mosquitto::start("").await;
    let port = free_port();
    let gas_panel = device(port).await;
    let mut host = Host::connect(&broker).await;
    let mut daemon = Daemon::start(&config(broker.port(), port)).await;

    // Nobody is there to see it.
    daemon.program.says("waiting for the primary host").await;
    pressure(&broker, "9").await;
    until_raised(&daemon, "PT-330/high", 1).await;
    assert_eq!(
        host.kinds(),
        BTreeSet::new(),
        "nothing before the host is there"
    );

    host.says(true, 1000).await;
    host.until("births", |host| host.count("DBIRTH") == 2).await;
    let raised = |host: &Host| host.events().any(|event| event["event"] == "raised");
    host.until("what was missed", raised).await;

    pressure(&broker, "1.5").await;
    let cleared = |host: &Host| host.events().any(|event| event["event"] == "cleared");
    host.until("the present", cleared).await;
    host.until("a value", |host| host.count("DDATA") > 0).await;

    host.asks_for_birth().await;
    host.until("births again", |host| host.count("DBIRTH") == 4)
        .await;

    gas_panel.stop().await;
    host.until("death of the device", |host| host.count("DDEATH") == 1)
        .await;
    let lost = "gateway.device.gd-01/state";
    let told = move |host: &Host| host.events().any(|event| event["alarm"] == lost);
    host.until("the alarm of it", told).await;
    let _gas_panel = device(port).await;
    host.until("it is back", |host| host.count("DBIRTH") == 5)
        .await;

    // An older word changes nothing; the next does.
    host.says(false, 999).await;
    host.says(false, 1000).await;
    host.until("death of the node", |host| host.count("NDEATH") == 1)
        .await;
    pressure(&broker, "9").await;
    until_raised(&daemon, "PT-330/high", 2).await;
    host.says(true, 2000).await;
    host.until("third births", |host| host.count("NBIRTH") == 3)
        .await;
    let events = committed(&daemon).await;
    let last = *events.keys().last().expect("there are some");
    let all = |host: &Host| host.events().any(|event| event["seq"] == last);
    host.until("everything", all).await;

    daemon.program.kill();
    host.until("the will", |host| host.count("NDEATH") == 2)
        .await;

    let told = decoded(&host);
    sequences_and_deaths(&told);
    births_and_data(&told);
    alarms(&told);
    history(&told, &events);
}

/// By both decoders, which agree.
fn decoded(host: &Host) -> Vec<Told> {
    let [first, second] = Decoder::ALL.map(|decoder| decoder.read(&host.record()));
    assert_eq!(first.len(), second.len());
    for (first, second) in first.iter().zip(&second) {
        assert_eq!(first, second);
    }
    first
}

/// `seq` without a hole, `bdSeq` of the death is that of the birth before it.
fn sequences_and_deaths(told: &[Told]) {
    let (mut next, mut bd_seq, mut numbers) = (0_u8, None, Vec::new());
    for message in told {
        match message.kind() {
            "NDEATH" => {
                assert_eq!(message.seq, Value::Null);
                assert_eq!(message.metrics.len(), 1);
                assert_eq!(message.value("bdSeq"), bd_seq);
            }
            kind => {
                if kind == "NBIRTH" {
                    next = 0;
                    bd_seq = message.value("bdSeq");
                    numbers.extend(bd_seq.clone());
                }
                assert_eq!(message.seq, json!(f64::from(next)), "{message:?}");
                next = next.wrapping_add(1);
            }
        }
    }
    // Born, born again on command, born for the host that came back.
    assert_eq!(numbers, [json!(0.0), json!(0.0), json!(1.0)]);
}

/// Births have names and datatypes, data has neither; nothing goes by an alias that was not born.
fn births_and_data(told: &[Told]) {
    let mut born = BTreeSet::new();
    for message in told {
        let birth = message.kind().ends_with("BIRTH");
        let death = message.kind().ends_with("DEATH");
        for metric in message.metrics.iter().filter(|_| !death) {
            assert!(metric["timestamp"].as_f64() > Some(1e12), "{metric}");
            if birth {
                assert!(metric["name"].is_string(), "{metric}");
                assert!(metric["written_type"].is_number(), "{metric}");
                born.insert(metric["alias"].to_string());
            } else {
                assert_eq!(
                    (&metric["name"], &metric["written_type"]),
                    (&Value::Null, &Value::Null)
                );
                assert!(born.contains(&metric["alias"].to_string()), "{metric}");
            }
        }
    }
    let gas = told
        .iter()
        .find(|message| message.topic == "spBv1.0/plants/DBIRTH/north-plant/gd-01");
    let gas = gas.expect("the gas panel is born").metric("CH4-101");
    assert_eq!(gas["type"], json!(10.0));
    let properties = &gas["properties"];
    assert_eq!(properties["engUnit"], "%LEL");
    assert_eq!(properties["documentation"], "Methane, tank farm north");
    let node = told.iter().find(|message| message.kind() == "NBIRTH");
    let rebirth = node.expect("a birth").metric("Node Control/Rebirth");
    assert_eq!(
        (&rebirth["value"], &rebirth["type"]),
        (&json!(false), &json!(11.0))
    );
}

/// The birth shows the alarm that is there; it goes on by alias.
fn alarms(told: &[Told]) {
    let births = told.iter().filter(|message| message.kind() == "NBIRTH");
    let state = |birth: &Told| birth.value("Alarms/PT-330/high/state");
    let states: Vec<_> = births
        .map(|birth| state(birth).expect("it is in every birth"))
        .collect();
    let raised = json!("unacknowledged");
    assert_eq!(
        states,
        [raised.clone(), json!("returned_unacknowledged"), raised]
    );
    let first = told
        .first()
        .expect("there are some")
        .metric("Alarms/PT-330/high/state");
    let present = told.iter().flat_map(|message| &message.metrics);
    let present = present.filter(|metric| metric["alias"] == first["alias"]);
    let present = present.filter(|metric| metric["historical"] == false);
    let values: Vec<_> = present.map(|metric| &metric["value"]).collect();
    assert!(
        values.contains(&&json!("returned_unacknowledged")),
        "{values:?}"
    );
}

/// Every event that the journal has, by its id; what happened while the host was away is marked.
fn history(told: &[Told], committed: &BTreeMap<u64, Value>) {
    let alias = &told.first().expect("there are some").metric("Event")["alias"];
    let metrics = told.iter().filter(|message| message.kind() == "NDATA");
    let metrics = metrics.flat_map(|message| &message.metrics);
    let carried = metrics.filter(|metric| metric["alias"] == *alias);
    let mut seen = BTreeMap::new();
    for metric in carried {
        let line = metric["value"].as_str().expect("a line of JSON");
        let event: Value = serde_json::from_str(line).expect("JSON");
        let marked = event["replayed"] == true;
        assert_eq!(metric["historical"], marked, "{event}");
        seen.insert(event["id"].to_string(), marked);
    }
    for event in committed.values() {
        assert!(
            seen.contains_key(&event["id"].to_string()),
            "not told: {event}"
        );
    }
    let raised = |event: &&Value| event["event"] == "raised" && event["alarm"] == "PT-330/high";
    let second = committed.values().filter(raised).nth(1);
    let second = second.expect("it rose while the host was away");
    assert!(seen[&second["id"].to_string()], "it is history: {second}");
}
