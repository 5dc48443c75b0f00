//! A reader whose box is full: what is new about an alarm comes after what they are owed of it; and when the power fails,
//! the ledger says that they wait, and the next run brings it to them, and to nobody else again. The real binary with a
//! real relay.

use std::net::Ipv4Addr;

use serde_json::{Value, json};
use simulators::modbus::{Device, DeviceConfig};

use super::commands::socket;
use super::gateway::Gateway;
use super::ledger::{standing, story};
use crate::interop::bench::{DEADLINE, Scratch, within};
use crate::interop::email::Relay;

const LI: &str = "li.wei@plant.test";
/// The address that Li has in the end.
const LI_NOW: &str = "li@plant.test";
const ANNA: &str = "anna@plant.test";

async fn plant(relay: &Relay) -> (Device, Gateway) {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("holding:0 uint16 base=30")
        .expect("notation");
    let device = Device::start(device).await.expect("a free port");
    let lines = format!(
        "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n\
         [point.CH4-101]\narea = \"pit\"\ndevice = \"gd-01\"\nregister = \"holding:0\"\ntype = \"uint16\"\n\
         high = 25\ngood_confirm = \"0s\"\n[point.CH4-101.alarm.high]\non_delay = \"0s\"\noff_delay = \"0s\"\n\
         [person.li-wei]\nname = \"Li Wei\"\nemail = \"{LI}\"\n\
         [person.anna]\nname = \"Anna Berg\"\nemail = \"{ANNA}\"\n\
         [area.pit]\nresponsible = [\"li-wei\", \"anna\"]\n\
         [escalation.high]\nsteps = [{{ after = \"0s\", to = [\"responsible\"] }}]\nhold_open = \"0s\"\n\
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

/// The id of the first event of that kind, when there is one.
async fn told(gateway: &Gateway, kind: &str) -> String {
    let mut id = None;
    within(DEADLINE, kind, async || {
        let events = gateway.events().await;
        let found = events.iter().find(|event| event["event"] == kind);
        id = found.and_then(|event| event["id"].as_str().map(str::to_owned));
        if id.is_some() {
            Ok(())
        } else {
            Err(format!("{} events", events.len()))
        }
    })
    .await;
    id.expect("just found")
}

fn number(id: &str) -> &str {
    id.rsplit(':').next().expect("a number")
}

/// Does the event stand so with the mail output?
fn is(story: &Value, state: &str) -> bool {
    let outputs = story["outputs"].as_array().into_iter().flatten();
    let mut outputs = outputs.filter(|it| it["output"] == "mail");
    outputs.any(|it| it["state"] == state)
}

#[tokio::test]
async fn a_mail_that_is_owed_outlives_a_power_cut_and_goes_once_to_the_address_of_then() {
    let scratch = Scratch::new("full-box");
    let full = scratch.write("full", LI);
    let relay = Relay::start(&["--full", full.to_str().expect("a plain path")]).await;
    let (device, mut gateway) = plant(&relay).await;
    let notice = told(&gateway, "notified").await;
    let (notice, seq) = (notice.as_str(), number(&notice));

    // On disk, before the power fails.
    let file = gateway.data().join("journal.db");
    let file = ["--file", file.to_str().expect("a plain path")];
    let owed = story(notice, file, |story| is(story, "aside"), &gateway).await;
    let owed = standing(&owed["outputs"], "mail");
    assert_eq!(owed["owed_to"], json!(["li-wei"]), "{owed}");
    let reason = owed["reason"].as_str().expect("why");
    assert!(reason.contains("box full"), "{reason}");
    assert_eq!(got(&relay, ANNA, seq).len(), 1);
    gateway.kill();

    // The box is as full as ever, and its owner has another.
    let config = std::fs::read_to_string(gateway.config()).expect("our own file");
    let config = config.replace(LI, LI_NOW);
    std::fs::write(gateway.config(), config).expect("a good disk");
    gateway.start_again().await;
    let socket = socket(&gateway);
    let at = ["--socket", socket.to_str().expect("a plain path")];
    let paid = story(notice, at, |story| is(story, "accepted"), &gateway).await;
    let paid = standing(&paid["outputs"], "mail");
    assert_eq!(paid["answer"], "250 taken", "{paid}");
    assert!(paid.get("owed_to").is_none() && paid.get("missed_by").is_none());
    let mine = got(&relay, LI_NOW, seq);
    assert!(
        matches!(&mine[..], [only] if only.starts_with("DELAYED")),
        "{mine:?}"
    );
    assert_eq!(got(&relay, ANNA, seq).len(), 1, "she had it");
    gateway.stop().await;
    device.stop().await;
}

/// The box has room again when the alarm clears, and the all-clear does not come before the page.
#[tokio::test]
async fn an_all_clear_comes_after_the_page_that_its_reader_is_owed() {
    let scratch = Scratch::new("page-first");
    let full = scratch.write("full", LI);
    let relay = Relay::start(&["--full", full.to_str().expect("a plain path")]).await;
    let (device, mut gateway) = plant(&relay).await;
    let socket = socket(&gateway);
    let at = ["--socket", socket.to_str().expect("a plain path")];
    let page = told(&gateway, "notified").await;
    story(&page, at, |story| is(story, "aside"), &gateway).await;
    std::fs::remove_file(&full).expect("our own file");
    device.put("holding:0 uint16 base=3").expect("notation");
    let clear = told(&gateway, "all_clear").await;
    for event in [&page, &clear] {
        story(event, at, |story| is(story, "accepted"), &gateway).await;
    }
    let order = |reader: &str| {
        let mails = relay.mails();
        let mine = mails.iter().filter(|mail| mail["to"][0] == reader);
        let told = mine.map(|mail| mail["head"]["X-Forewarn-Event"].as_str().expect("a head"));
        let numbers = told.map(|id| id.rsplit('.').next().expect("a number").to_owned());
        numbers.collect::<Vec<_>>()
    };
    let expected = [number(&page), number(&clear)];
    assert_eq!(order(LI), expected);
    assert_eq!(order(ANNA), expected);
    gateway.stop().await;
    device.stop().await;
}
