//! A receiver is dead: whoever would be told after ten minutes is told at once, over one that is not.

use std::net::Ipv4Addr;
use std::time::Duration;

use simulators::hook::{Hook, Reply};
use simulators::modbus::{Device, DeviceConfig};
use tokio::time::{sleep, timeout};

use super::gateway::Gateway;

const ALARM: &str = "CH4-101/high";

/// The grace of a lost output is 5 s; the rest is for a machine that is busy.
const SOON: Duration = Duration::from_secs(60);

/// Over the chat at once, over the pager after ten minutes.
async fn plant(device: &Device, chat: &Hook, pager: &Hook) -> Gateway {
    Gateway::start(&format!(
        "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n\
         [point.CH4-101]\ndevice = \"gd-01\"\nregister = \"holding:0\"\ntype = \"uint16\"\n\
         high = 25\ngood_confirm = \"0s\"\n\
         [output.chat]\nwebhook = \"http://{}/x\"\ntemplate = \"slack\"\ntimeout = \"1s\"\n\
         [output.pager]\nwebhook = \"http://{}/x\"\ntemplate = \"slack\"\n\
         [escalation.high]\nsteps = [{{ after = \"0s\", to = [\"output:chat\"] }}, \
         {{ after = \"10min\", to = [\"output:pager\"] }}]\n",
        device.address(),
        chat.address(),
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
