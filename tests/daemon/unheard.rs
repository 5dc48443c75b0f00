//! A receiver is dead: whoever would be told after ten minutes is told at once, over one that is not.

use std::net::Ipv4Addr;
use std::time::Duration;

use simulators::hook::{Hook, Reply};
use simulators::modbus::{Device, DeviceConfig};
use tokio::time::{sleep, timeout};

use super::commands::socket;
use super::gateway::Gateway;
use super::ledger::{standing, story};
use crate::interop::bench::Scratch;
use crate::interop::email::Relay;

const ALARM: &str = "CH4-101/high";

/// The grace of a lost output is 5 s; the rest is for a machine that is busy.
const SOON: Duration = Duration::from_secs(60);

/// Over the chat at once, over the pager after ten minutes.
async fn plant(device: &Device, chat: &Hook, pager: &Hook) -> Gateway {
    let chat = format!(
        "[output.chat]\nwebhook = \"http://{}/x\"\ntemplate = \"slack\"\ntimeout = \"1s\"\n",
        chat.address()
    );
    plant_with(device, "chat", &chat, pager).await
}

/// The same over another output than the chat.
async fn plant_with(device: &Device, id: &str, output: &str, pager: &Hook) -> Gateway {
    Gateway::start(&format!(
        "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n\
         [point.CH4-101]\ndevice = \"gd-01\"\nregister = \"holding:0\"\ntype = \"uint16\"\n\
         high = 25\ngood_confirm = \"0s\"\n\
         {output}\
         [output.pager]\nwebhook = \"http://{}/x\"\ntemplate = \"slack\"\n\
         [escalation.high]\nsteps = [{{ after = \"0s\", to = [\"output:{id}\"] }}, \
         {{ after = \"10min\", to = [\"output:pager\"] }}]\n",
        device.address(),
        pager.address(),
    ))
    .await
}

async fn device() -> Device {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("holding:0 uint16 base=3")
        .expect("notation");
    Device::start(device).await.expect("a free port")
}

/// Answers every request so.
async fn hook(reply: Reply) -> Hook {
    let hook = Hook::start(move |_count| reply.clone()).await;
    hook.expect("a free port")
}

/// The steps that were told of the alarm, and whether they came early.
async fn pages(gateway: &Gateway) -> Vec<(u64, bool)> {
    let events = gateway.events().await;
    let pages = events
        .iter()
        .filter(|event| event["alarm"] == ALARM && event["event"] == "notified");
    pages
        .map(|event| {
            let step = event["step"].as_u64().expect("a page of a step");
            (step, event["unheard"] == true)
        })
        .collect()
}

#[tokio::test]
async fn a_page_that_reaches_nobody_is_followed_by_the_next_at_once() {
    let (dead, alive) = (
        hook(Reply::Lost).await,
        hook(Reply::Good("ok".to_owned())).await,
    );
    let device = device().await;
    let mut gateway = plant(&device, &dead, &alive).await;
    device.put("holding:0 uint16 base=30").expect("notation");
    gateway.alarm_is(ALARM, "unacknowledged").await;
    let page = async {
        loop {
            let received = alive.received();
            if let Some(page) = received.iter().find(|one| one.body.contains("CH4-101")) {
                return page.body.clone();
            }
            sleep(Duration::from_millis(50)).await;
        }
    };
    let page = timeout(SOON, page).await;
    assert!(page.is_ok(), "no page\n{}", gateway.log());
    let page = page.expect("just looked at");
    assert!(page.contains("may not have heard"), "it says why: {page}");
    assert_eq!(pages(&gateway).await, [(0, false), (1, true)], "each once");
    gateway
        .point_is("gateway.output.chat", "lets nothing through", |point| {
            point["value"] == 2.0
        })
        .await;
    gateway.stop().await;
    device.stop().await;
}

/// In trouble is not dead: the chat takes it later.
#[tokio::test]
async fn a_receiver_that_asks_for_a_slower_pace_brings_nothing_forward() {
    let busy = hook(Reply::Status(429, Some(600))).await;
    let alive = hook(Reply::Good("ok".to_owned())).await;
    let device = device().await;
    let mut gateway = plant(&device, &busy, &alive).await;
    device.put("holding:0 uint16 base=30").expect("notation");
    gateway.alarm_is(ALARM, "unacknowledged").await;
    gateway
        .point_is("gateway.output.chat", "is in trouble", |point| {
            point["value"] == 1.0
        })
        .await;
    gateway
        .alarm_is("gateway.output.chat/state", "unacknowledged")
        .await;
    assert_eq!(pages(&gateway).await, [(0, false)]);
    gateway.stop().await;
    device.stop().await;
}

/// One reader's full box is no dead mail: whoever else reads it has the page.
#[tokio::test]
async fn a_relay_with_one_full_box_brings_nothing_forward() {
    let scratch = Scratch::new("one-full-box");
    let full = scratch.write("full", "li.wei@plant.test");
    let relay = Relay::start(&["--full", full.to_str().expect("a plain path")]).await;
    let alive = hook(Reply::Good("ok".to_owned())).await;
    let device = device().await;
    let mail = format!(
        "[output.mail]\nemail = \"smtp://127.0.0.1:{}\"\nfrom = \"forewarn@plant.test\"\n\
         to = [\"li.wei@plant.test\", \"anna@plant.test\"]\n",
        relay.port
    );
    let mut gateway = plant_with(&device, "mail", &mail, &alive).await;
    device.put("holding:0 uint16 base=30").expect("notation");
    gateway.alarm_is(ALARM, "unacknowledged").await;
    // While the reader is waited for, and when they are owed it.
    gateway
        .point_is("gateway.output.mail", "is in trouble", |point| {
            point["value"] == 1.0
        })
        .await;
    let events = gateway.events().await;
    let notice = events.iter().find(|event| event["event"] == "notified");
    let notice = notice.expect("a page")["id"].as_str().expect("an id");
    let socket = socket(&gateway);
    let at = ["--socket", socket.to_str().expect("a plain path")];
    let owed = |story: &serde_json::Value| {
        let outputs = story["outputs"].as_array().into_iter().flatten();
        let mut mails = outputs.filter(|it| it["output"] == "mail");
        mails.any(|it| it["state"] == "aside")
    };
    let owed = story(notice, at, owed, &gateway).await;
    let owed = standing(&owed["outputs"], "mail");
    assert_eq!(owed["owed_to"], serde_json::json!(["li.wei@plant.test"]));
    assert_eq!(pages(&gateway).await, [(0, false)]);
    gateway.stop().await;
    device.stop().await;
}
