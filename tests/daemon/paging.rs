//! A paging service has an incident open for whatever somebody is to attend to, and for nothing else.

use std::collections::BTreeMap;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use simulators::hook::{Hook, Reply};
use simulators::modbus::{Device, DeviceConfig};
use tokio::time::{sleep, timeout};

use super::gateway::{DEADLINE, Folder, Gateway};
use super::webhook::secret;

const ALARM: &str = "PT-1/high";

/// A pressure whose high alarm is as `rule` says, and a paging service that is told at once and again.
async fn plant(rule: &str) -> (Device, Hook, Gateway) {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("holding:0 uint16 base=3")
        .expect("notation");
    let device = Device::start(device).await.expect("a free port");
    let pager = Hook::start(|_count| Reply::Good(r#"{"status":"success"}"#.to_owned())).await;
    let pager = pager.expect("a free port");
    let folder = Folder::new();
    secret(&folder, "pager-key", "R0123456789ABCDEF0123456789ABCDE\n");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("our own folder");
    let lines = format!(
        "[device.plc]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n\
         [point.PT-1]\ndevice = \"plc\"\nregister = \"holding:0\"\ntype = \"uint16\"\n\
         high = 25\ngood_confirm = \"0s\"\n\
         [point.PT-1.alarm.high]\npriority = \"medium\"\non_delay = \"0s\"\noff_delay = \"0s\"\n{rule}\
         [output.pager]\nwebhook = \"http://{}/v2/enqueue\"\ntemplate = \"pagerduty\"\nsecret_file = \"pager-key\"\n\
         [escalation.medium]\nsteps = [{{ after = \"0s\", to = [\"output:pager\"] }}, \
         {{ after = \"3s\", to = [\"output:pager\"] }}]\n",
        device.address(),
        pager.address()
    );
    let gateway = Gateway::start_in(folder, data, &lines).await;
    (device, pager, gateway)
}

/// Incidents that are open: the occurrences, by what the service was told of the alarm last.
fn open(pager: &Hook) -> Vec<u64> {
    let mut incidents = BTreeMap::new();
    for one in pager.received() {
        let body: Value = serde_json::from_str(&one.body).expect("JSON");
        let key = body["dedup_key"].as_str().expect("a key");
        if let Some((_, occurrence)) = key.split_once(&format!("/{ALARM}/")) {
            let occurrence = occurrence.parse().expect("a number");
            match body["event_action"].as_str().expect("an action") {
                "trigger" => incidents.insert(occurrence, true),
                "resolve" => incidents.insert(occurrence, false),
                _ => None,
            };
        }
    }
    let open = incidents.into_iter().filter(|(_, open)| *open);
    open.map(|(occurrence, _)| occurrence).collect()
}

async fn open_are(gateway: &Gateway, pager: &Hook, expected: &[u64]) {
    let looking = async {
        while open(pager) != expected {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let found = timeout(DEADLINE, looking).await;
    let (open, log) = (open(pager), gateway.log());
    assert!(found.is_ok(), "{open:?} instead of {expected:?}\n{log}");
}

fn set(device: &Device, value: u16) {
    let line = format!("holding:0 uint16 base={value}");
    device.put(&line).expect("notation");
}

/// The raise of an alarm that keeps coming and going alerts nobody; a later step does.
#[tokio::test]
async fn what_stays_after_chattering_has_an_incident() {
    let (device, pager, mut gateway) = plant("").await;
    for _ in 0..3 {
        set(&device, 30);
        gateway.alarm_is(ALARM, "unacknowledged").await;
        set(&device, 3);
        gateway.alarm_is(ALARM, "returned_unacknowledged").await;
    }
    set(&device, 30);
    gateway.alarm_is(ALARM, "unacknowledged").await;
    let events = gateway.events().await;
    let raised = |event: &&Value| event["alarm"] == ALARM && event["event"] == "raised";
    let annunciated: Vec<&Value> = events.iter().filter(raised).collect();
    let annunciated: Vec<&Value> = annunciated.iter().map(|it| &it["annunciated"]).collect();
    assert_eq!(annunciated, [true, true, true, false]);
    open_are(&gateway, &pager, &[4]).await;
    gateway.kill();
    gateway.start_again().await;
    set(&device, 3);
    gateway.alarm_is(ALARM, "returned_unacknowledged").await;
    open_are(&gateway, &pager, &[]).await;
    gateway.stop().await;
    device.stop().await;
}

/// Gone is not over: somebody is to look at it, and to reset it.
#[tokio::test]
async fn what_is_latched_is_open_until_its_reset() {
    let (device, pager, mut gateway) = plant("latching = true\n").await;
    set(&device, 30);
    gateway.alarm_is(ALARM, "unacknowledged").await;
    set(&device, 3);
    gateway.alarm_is(ALARM, "latched_unacknowledged").await;
    gateway.acknowledge(ALARM, "li").await;
    gateway.alarm_is(ALARM, "latched_acknowledged").await;
    acknowledged(&gateway, &pager).await;
    assert_eq!(open(&pager), [1]);
    let reset = format!("{ALARM}/reset");
    gateway.command(&reset, r#"{"by":"li"}"#).await;
    gateway.alarm_is(ALARM, "normal").await;
    open_are(&gateway, &pager, &[]).await;
    gateway.stop().await;
    device.stop().await;
}

/// Waits until the service knows that somebody attends to it: what came before has been sent, too.
async fn acknowledged(gateway: &Gateway, pager: &Hook) {
    let knows = || {
        let mut received = pager.received().into_iter();
        received.any(|one| one.body.contains("\"acknowledge\""))
    };
    let looking = async {
        while !knows() {
            sleep(Duration::from_millis(50)).await;
        }
    };
    let found = timeout(DEADLINE, looking).await;
    assert!(found.is_ok(), "not acknowledged\n{}", gateway.log());
}
