//! A reader whose box is full while the power fails: the ledger says that they wait, and the next run brings it to
//! them, and to nobody else again. The real binary with a real relay.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use simulators::modbus::{Device, DeviceConfig};

use super::commands::socket;
use super::gateway::Gateway;
use super::ledger::{standing, story};
use crate::interop::bench::Scratch;
use crate::interop::email::Relay;

const ALARM: &str = "CH4-101/high";
const LI: &str = "li.wei@plant.test";
const ANNA: &str = "anna@plant.test";

async fn plant(relay: &Relay) -> (Device, Gateway) {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("holding:0 uint16 base=30")
        .expect("notation");
    let device = Device::start(device).await.expect("a free port");
    let lines = format!(
        "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n\
         [point.CH4-101]\narea = \"pit\"\ndevice = \"gd-01\"\nregister = \"holding:0\"\ntype = \"uint16\"\n\
         high = 25\ngood_confirm = \"0s\"\n[point.CH4-101.alarm.high]\non_delay = \"0s\"\n\
         [person.li-wei]\nname = \"Li Wei\"\nemail = \"{LI}\"\n\
         [person.anna]\nname = \"Anna Berg\"\nemail = \"{ANNA}\"\n\
         [area.pit]\nresponsible = [\"li-wei\", \"anna\"]\n\
         [escalation.high]\nsteps = [{{ after = \"0s\", to = [\"responsible\"] }}]\n\
         [output.mail]\nemail = \"smtp://127.0.0.1:{}\"\nfrom = \"forewarn@plant.test\"\n",
        device.address(),
        relay.port
    );
    let gateway = Gateway::start(&lines).await;
    (device, gateway)
}

/// Subjects of what a reader got of one event.
fn got(relay: &Relay, reader: &str, seq: &str) -> Vec<String> {
    let mails = relay.mails();
    let mine = mails.iter().filter(|mail| {
        let id = mail["head"]["X-Forewarn-Event"].as_str();
        mail["to"][0] == reader && id.is_some_and(|id| id.rsplit('.').next() == Some(seq))
    });
    mine.map(|mail| mail["head"]["Subject"].as_str().expect("a head").to_owned())
        .collect()
}

#[tokio::test]
async fn a_mail_that_a_reader_is_owed_outlives_a_power_cut_and_is_sent_once() {
    let scratch = Scratch::new("full-box");
    let full = scratch.write("full", LI);
    let relay = Relay::start(&["--full", full.to_str().expect("a plain path")]).await;
    let (device, mut gateway) = plant(&relay).await;
    gateway.alarm_is(ALARM, "unacknowledged").await;
    let events = gateway.events().await;
    let notice = events.iter().find(|event| event["event"] == "notified");
    let notice = notice.expect("a page")["id"].as_str().expect("an id");
    let seq = notice.rsplit(':').next().expect("a number");

    // On disk, before the power fails.
    let file = gateway.data().join("journal.db");
    let file = ["--file", file.to_str().expect("a plain path")];
    let is = |story: &Value, state: &str| {
        let outputs = story["outputs"].as_array().into_iter().flatten();
        let mut outputs = outputs.filter(|it| it["output"] == "mail");
        outputs.any(|it| it["state"] == state)
    };
    let owed = story(notice, file, |story| is(story, "aside"), &gateway).await;
    let owed = standing(&owed["outputs"], "mail");
    assert_eq!(owed["owed_to"], json!([LI]), "{owed}");
    let reason = owed["reason"].as_str().expect("why");
    assert!(reason.contains("box full"), "{reason}");
    assert_eq!(got(&relay, ANNA, seq).len(), 1);
    gateway.kill();

    std::fs::remove_file(&full).expect("our own file");
    gateway.start_again().await;
    let socket = socket(&gateway);
    let at = ["--socket", socket.to_str().expect("a plain path")];
    let paid = story(notice, at, |story| is(story, "accepted"), &gateway).await;
    let paid = standing(&paid["outputs"], "mail");
    assert_eq!(paid["answer"], "250 taken", "{paid}");
    assert!(paid.get("owed_to").is_none() && paid.get("missed_by").is_none());
    let mine = got(&relay, LI, seq);
    assert!(
        matches!(&mine[..], [only] if only.starts_with("DELAYED")),
        "{mine:?}"
    );
    assert_eq!(got(&relay, ANNA, seq).len(), 1, "she had it");
    gateway.stop().await;
    device.stop().await;
}
