//! A link in a mail, from the relay to the journal: only its button acknowledges, once, over a power cut and a
//! re-alarm.

use std::net::Ipv4Addr;
use std::os::unix::fs::PermissionsExt;

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig};

use crate::interop::bench::within;
use crate::interop::email::Relay;

use super::gateway::{DEADLINE, Folder, Gateway};

const ALARM: &str = "CH4-101/high";
const BASE: &str = "https://gw.example:8443";

async fn plant(relay: &Relay) -> (Device, Gateway) {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("holding:0 uint16 base=3")
        .expect("notation");
    let device = Device::start(device).await.expect("a free port");
    let lines = format!(
        "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n\
         [point.CH4-101]\narea = \"pit\"\ndevice = \"gd-01\"\nregister = \"holding:0\"\ntype = \"uint16\"\n\
         high = 25\nhigh_high = 50\ngood_confirm = \"0s\"\n[point.CH4-101.alarm.high]\non_delay = \"0s\"\n\
         [point.CH4-101.alarm.high_high]\non_delay = \"0s\"\npriority = \"high\"\n\
         [person.li-wei]\nname = \"Li Wei\"\nemail = \"li.wei@plant.test\"\nlanguage = \"zh\"\n\
         [person.anna]\nname = \"Anna Berg\"\nemail = \"anna@plant.test\"\n\
         [area.pit]\nresponsible = [\"li-wei\", \"anna\"]\n\
         [escalation.high]\nsteps = [{{ after = \"0s\", to = [\"responsible\"] }}]\n\
         [acknowledge_links]\nbase_url = \"{BASE}\"\nkey_file = \"links-key\"\n\
         [output.mail]\nemail = \"smtp://127.0.0.1:{}\"\nfrom = \"forewarn@plant.test\"\n",
        device.address(),
        relay.port
    );
    let folder = Folder::new();
    let key = folder.path().join("links-key");
    std::fs::write(&key, "a key of thirty-two bytes at least\n").expect("our own folder");
    let mode = std::fs::Permissions::from_mode(0o600);
    std::fs::set_permissions(&key, mode).expect("our own file");
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("our own folder");
    let gateway = Gateway::start_in(folder, data, &lines).await;
    (device, gateway)
}

/// The paths of the links that a reader got, in order.
fn links(relay: &Relay, reader: &str) -> Vec<String> {
    let mails = relay.mails();
    let mine = mails.iter().filter(|mail| mail["to"][0] == reader);
    let bodies = mine.filter_map(|mail| mail["body"].as_str());
    let links = bodies.flat_map(|body| body.split_whitespace());
    let links = links.filter_map(|word| Some(word.split_once(BASE)?.1.to_owned()));
    links.collect()
}

/// The newest link of a reader, once it is another than `before`: a power cut may bring a mail again.
async fn link(relay: &Relay, reader: &str, before: &str) -> String {
    within(DEADLINE, "a mail with a link", async || {
        let newest = links(relay, reader).pop();
        let newest = newest.filter(|link| link != before);
        newest.ok_or_else(|| format!("{reader} {:?}", relay.mails()))
    })
    .await
}

async fn newest(gateway: &Gateway, kind: &str) -> Value {
    let events = gateway.events().await;
    let found = events.iter().rev().find(|event| event["event"] == kind);
    found.cloned().expect(kind)
}

/// Whoever has a link that was used, `used`, takes nothing from those whose alarm waits.
async fn nobody_is_shut_out(relay: &Relay, device: &Device, gateway: &Gateway, used: &str) {
    let ignored = async || {
        let events = gateway.events().await;
        let ignored = events
            .iter()
            .filter(|event| event["event"] == "command_ignored");
        ignored.count()
    };
    device.put("holding:0 uint16 base=60").expect("notation");
    let waiting = within(DEADLINE, "a mail of the other alarm", async || {
        for path in links(relay, "li.wei@plant.test") {
            if gateway.get(&path).await.body.contains("<form") {
                return Ok(path);
            }
        }
        Err(format!("{:?}", relay.mails()))
    })
    .await;
    let before = ignored().await;
    for _ in 0..200 {
        let page = gateway.post(used).await;
        assert_eq!(page.status, 200, "{}", page.body);
    }
    let page = gateway.post(&waiting).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Li Wei 已于"), "{}", page.body);
    gateway.alarm_is("CH4-101/high_high", "acknowledged").await;
    let more = ignored().await - before;
    assert!(more <= 1, "{more}");
}

#[tokio::test]
async fn a_link_in_a_mail_acknowledges_once_and_for_its_call_only() {
    let relay = Relay::start(&[]).await;
    let (device, mut gateway) = plant(&relay).await;
    device.put("holding:0 uint16 base=30").expect("notation");
    let li = link(&relay, "li.wei@plant.test", "").await;
    let anna = link(&relay, "anna@plant.test", "").await;
    assert_ne!(li, anna, "each has a link of their own");

    // A scanner opens everything it finds.
    for path in [&li, &anna, &li] {
        let page = gateway.get(path).await;
        assert_eq!(page.status, 200, "{}", page.body);
        assert!(
            page.body.contains("<form method=\"post\">"),
            "{}",
            page.body
        );
    }
    gateway.alarm_is(ALARM, "unacknowledged").await;

    let page = gateway.post(&li).await;
    assert_eq!(page.status, 200, "{}", page.body);
    assert!(page.body.contains("Li Wei 已于"), "{}", page.body);
    gateway.alarm_is(ALARM, "acknowledged").await;
    let acknowledged = newest(&gateway, "acknowledged").await;
    assert_eq!(acknowledged["by"], "li-wei");
    assert_eq!(acknowledged["via"], "link");

    let page = gateway.post(&anna).await;
    assert!(page.body.contains("Li Wei at"), "{}", page.body);
    assert!(page.body.contains("was first"), "{}", page.body);
    let ignored = newest(&gateway, "command_ignored").await;
    assert_eq!(
        (&ignored["by"], &ignored["via"]),
        (&"anna".into(), &"link".into())
    );

    gateway.kill();
    gateway.start_again().await;
    for path in [&li, &anna] {
        let (shown, answered) = (gateway.get(path).await, gateway.post(path).await);
        for page in [shown, answered] {
            assert_eq!(page.status, 200, "{}", page.body);
            assert!(page.body.contains("Li Wei"), "{}", page.body);
            assert!(!page.body.contains("<form"), "{}", page.body);
        }
    }

    // It calls again: the end of a shelf, with the alarm still active.
    let shelf = r#"{"by":"anna","reason":"a look at the sensor","for":"1s"}"#;
    let shelved = gateway.command(&format!("{ALARM}/shelve"), shelf).await;
    assert_eq!(shelved.expect("an answer").status, 200);
    let again = link(&relay, "anna@plant.test", &anna).await;
    gateway.alarm_is(ALARM, "unacknowledged").await;
    for path in [&li, &anna] {
        let page = gateway.post(path).await;
        assert_eq!(page.status, 410, "{}", page.body);
    }
    gateway.alarm_is(ALARM, "unacknowledged").await;
    let page = gateway.post(&again).await;
    assert!(
        page.body.contains("Acknowledged by Anna Berg"),
        "{}",
        page.body
    );
    gateway.alarm_is(ALARM, "acknowledged").await;

    let metrics = gateway.get("/metrics").await.body;
    for (result, count) in [("acknowledged", 1), ("called_again", 2), ("too_many", 0)] {
        let series = format!("forewarn_acknowledge_links_total{{result=\"{result}\"}} {count}\n");
        assert!(metrics.contains(&series), "{series}{metrics}");
    }
    nobody_is_shut_out(&relay, &device, &gateway, &again).await;
    for path in [&li, &anna, &again] {
        let token = path.trim_start_matches("/a/");
        assert!(!gateway.log().contains(token), "{}", gateway.log());
    }
    device.stop().await;
}
