//! The ledger of one event, from raised to acknowledged, of the real binary: with a real broker, a receiver that
//! loses answers, one that refuses, and one that is not there; while the gateway runs, and from the file it leaves.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use serde_json::Value;
use simulators::hook::{Hook, Reply};
use simulators::modbus::{Device, DeviceConfig};
use tokio::time::{sleep, timeout};

use super::commands::{good, json, run, socket};
use super::gateway::{DEADLINE, Gateway};
use crate::interop::mosquitto::Mosquitto;

const ALARM: &str = "CH4-101/high";

async fn device() -> Device {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("holding:0 uint16 base=30")
        .expect("notation");
    Device::start(device).await.expect("a free port")
}

/// A hazard point, and four outputs: a control room, a hook for every event, a chat that people are told
/// over, and a place that is not there.
fn plant(device: &Device, broker: &Mosquitto, hook: &Hook, chat: &Hook) -> String {
    format!(
        "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n[person.li]\n[area.farm]\nresponsible = [\"li\"]\n\
         [escalation.high]\nsteps = [{{ after = \"0s\", to = [\"output:chat\"] }}]\n\
         [point.CH4-101]\narea = \"farm\"\ndevice = \"gd-01\"\nregister = \"holding:0\"\ntype = \"uint16\"\n\
         high = 25\ngood_confirm = \"0s\"\n\
         [output.control-room]\nmqtt = \"mqtt://127.0.0.1:{}\"\n\
         [output.hook]\nwebhook = \"http://{}/x\"\ntemplate = \"json\"\ntimeout = \"1s\"\n\
         [output.chat]\nwebhook = \"http://{}/y\"\ntemplate = \"slack\"\ntimeout = \"1s\"\n\
         [output.away]\nwebhook = \"http://127.0.0.1:1/z\"\ntemplate = \"json\"\ntimeout = \"1s\"\n",
        device.address(),
        broker.port(),
        hook.address(),
        chat.address()
    )
}

/// The story of an event once it is as wanted.
pub(super) async fn story(
    event: &str,
    place: [&str; 2],
    wanted: impl Fn(&Value) -> bool,
    gateway: &Gateway,
) -> Value {
    let [flag, at] = place;
    let mut last = Value::Null;
    let looking = async {
        loop {
            last = json(&good(&["journal", "show", event, "--json", flag, at]).await);
            if wanted(&last) {
                return;
            }
            sleep(std::time::Duration::from_millis(50)).await;
        }
    };
    let done = timeout(DEADLINE, looking).await;
    assert!(done.is_ok(), "{last:#}\n{}", gateway.log());
    last
}

/// How an event stands with an output.
pub(super) fn standing<'a>(outputs: &'a Value, output: &str) -> &'a Value {
    let mut all = outputs.as_array().expect("a list").iter();
    let found = all.find(|standing| standing["output"] == output);
    found.unwrap_or_else(|| panic!("no {output} in {outputs}"))
}

fn id_of<'e>(events: &'e [Value], kind: &str) -> &'e str {
    let mut events = events.iter();
    let found = events.find(|event| event["event"] == kind && event["alarm"] == ALARM);
    found
        .and_then(|event| event["id"].as_str())
        .unwrap_or_else(|| panic!("no {kind}"))
}

#[tokio::test]
async fn the_ledger_says_who_has_an_event_since_when_and_who_saw_it() {
    let broker = Mosquitto::start("").await;
    // Takes everything, but every other answer is lost on its way.
    let mut lost = false;
    let hook = Hook::start(move |_count| {
        lost = !lost;
        if lost {
            Reply::Lost
        } else {
            Reply::Good("thanks".to_owned())
        }
    });
    let hook = hook.await.expect("a free port");
    let right = Arc::new(AtomicBool::new(false));
    let is_right = Arc::clone(&right);
    let chat = Hook::start(move |_count| {
        if is_right.load(Ordering::Relaxed) {
            Reply::Good("at last".to_owned())
        } else {
            Reply::Status(400, None)
        }
    });
    let chat = chat.await.expect("a free port");
    let device = device().await;
    let mut gateway = Gateway::start(&plant(&device, &broker, &hook, &chat)).await;
    gateway.alarm_is(ALARM, "unacknowledged").await;
    let given = gateway.acknowledge(ALARM, "li").await;
    given.expect("an answer");
    let events = gateway.events().await;
    let (raised, notified) = (id_of(&events, "raised"), id_of(&events, "notified"));
    let socket = socket(&gateway);
    let at = ["--socket", socket.to_str().expect("a plain path")];

    let is = |story: &Value, output: &str, state: &str| {
        standing(&story["outputs"], output)["state"] == state
    };
    let complete = |story: &Value| {
        let notice = &story["told"][0]["outputs"];
        let aside = notice.as_array().is_some_and(|told| {
            told.iter()
                .any(|one| one["output"] == "chat" && one["state"] == "aside")
        });
        is(story, "hook", "accepted") && is(story, "control-room", "accepted") && aside
    };
    let story_now = story(raised, at, complete, &gateway).await;
    assert_eq!(story_now["raised"]["id"], raised);
    let committed = story_now["committed_at"].as_str().expect("it is on disk");
    let hooked = standing(&story_now["outputs"], "hook");
    assert_eq!(hooked["answer"], "HTTP 200: thanks");
    assert!(hooked["attempts"].as_u64() >= Some(1), "{hooked}");
    let (sent, accepted) = (&hooked["sent_at"], &hooked["at"]);
    let order = [Some(committed), sent.as_str(), accepted.as_str()];
    assert!(order.is_sorted(), "{order:?}");
    // The very first answer was lost.
    let first = events[0]["id"].as_str().expect("an id");
    let first = story(first, at, |story| is(story, "hook", "accepted"), &gateway).await;
    let first = standing(&first["outputs"], "hook");
    assert!(first["attempts"].as_u64() >= Some(2), "{first}");
    let room = standing(&story_now["outputs"], "control-room");
    let expected = format!("PUBACK of 127.0.0.1:{}", broker.port());
    assert_eq!(room["answer"], expected.as_str(), "{room}");
    assert_eq!(standing(&story_now["outputs"], "away")["state"], "waiting");
    assert_eq!(standing(&story_now["outputs"], "chat")["state"], "passed");
    assert_eq!(story_now["told"][0]["id"], notified);
    let told = standing(&story_now["told"][0]["outputs"], "chat");
    assert_eq!(
        (&told["reason"], &told["attempts"]),
        (&"HTTP 400: told".into(), &3.into())
    );
    assert_eq!(story_now["acknowledged"][0]["by"], "li");

    let words = good(&["journal", "show", notified, at[0], at[1]]).await;
    for part in [
        "\nledger\n",
        "chat           set aside",
        "3 attempts: HTTP 400",
        "raised         20",
        "away           waiting",
    ] {
        assert!(words.contains(part), "{part} in {words}");
    }
    let answer = gateway.get(&format!("/api/v1/journal/{raised}")).await;
    let answer = json(&answer.body);
    assert_eq!(answer["event"]["id"], raised);
    assert_eq!(standing(&answer["outputs"], "hook"), hooked);

    // From the file the same is read, and a later run takes up what an earlier one had set aside.
    gateway.stop().await;
    let file = gateway.data().join("journal.db");
    let file = ["--file", file.to_str().expect("a plain path")];
    let left = story(raised, file, |_| true, &gateway).await;
    assert_eq!(standing(&left["outputs"], "hook"), hooked);
    assert_eq!(left["committed_at"], committed);
    assert_eq!(
        standing(&left["told"][0]["outputs"], "chat")["state"],
        "aside"
    );
    gateway.start_again().await;
    let after = story(raised, at, |_| true, &gateway).await;
    let told = standing(&after["told"][0]["outputs"], "chat");
    assert_eq!(
        (&told["state"], &told["reason"]),
        (&"aside".into(), &"HTTP 400: told".into())
    );
    // The receiver was put right, and the next start is what tries it first.
    gateway.stop().await;
    right.store(true, Ordering::Relaxed);
    gateway.start_again().await;
    let arrived = |story: &Value| {
        let told = story["told"][0]["outputs"].as_array();
        let mut told = told.into_iter().flatten();
        told.any(|one| one["output"] == "chat" && one["state"] == "accepted")
    };
    let after = story(raised, at, arrived, &gateway).await;
    let told = standing(&after["told"][0]["outputs"], "chat");
    assert_eq!(told["answer"], "HTTP 200: at last");

    let (code, _, said) = run(&["journal", "show", "test-plant:1:1", at[0], at[1]]).await;
    assert!(code == 1 && said.contains("there is no event"), "{said}");
    gateway.stop().await;
    device.stop().await;
}
