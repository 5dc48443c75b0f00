//! The real gateway with a real Alertmanager: what stands there, and what people are told.

mod failures;
mod hostile;
mod pair;
mod server;
mod shipped;
mod silences;
mod trial;

use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig};
use tokio::time::{Instant, sleep};

use self::server::{Alertmanager, Hook};
use crate::daemon::gateway::{BUSY, DEADLINE, Gateway};
use crate::interop::bench::within;

const ALARM: &str = "CH4-101/high";

/// What begins is told within this: long before the next refresh would tell it.
const SOON: Duration = Duration::from_secs(1);

/// Devices of a plant: so many values, all of them normal.
async fn device(points: usize) -> Device {
    let mut config = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into());
    for register in 0..points {
        let line = format!("holding:{register} uint16 base=3");
        config = config.point(&line).expect("notation");
    }
    Device::start(config).await.expect("a free port")
}

fn put(device: &Device, register: usize, value: u32) {
    let line = format!("holding:{register} uint16 base={value}");
    device.put(&line).expect("notation");
}

/// A configuration with the output and these points, each with its register and what else is said of it.
fn plant(device: &Device, output: &str, points: &[(&str, &str)]) -> String {
    let mut text = format!(
        "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"50ms\"\n[output.pager]\n{output}\n",
        device.address()
    );
    for (register, (point, more)) in points.iter().enumerate() {
        write!(
            text,
            "[point.{point}]\ndevice = \"gd-01\"\nregister = \"holding:{register}\"\ntype = \"uint16\"\n\
             high = 25\ngood_confirm = \"0s\"\n{more}\n"
        )
        .expect("a string takes all");
    }
    text
}

/// The line of an output for these members.
fn to(members: &[&Alertmanager]) -> String {
    let members: Vec<_> = members
        .iter()
        .map(|member| format!("\"http://{}\"", member.address()))
        .collect();
    format!(
        "alertmanager = [{}]\nmin_notify = \"1s\"\n",
        members.join(", ")
    )
}

/// The series that counts what a member was posted.
fn posts(alertmanager: &Alertmanager) -> String {
    format!(
        "forewarn_alertmanager_posts_total{{member=\"http://{}\",output=\"pager\"}}",
        alertmanager.address()
    )
}

/// The only alert that stands.
async fn only(alertmanager: &Alertmanager) -> Value {
    let mut alerts = alertmanager.alerts().await;
    assert_eq!(alerts.len(), 1, "{alerts:?}");
    alerts.remove(0)
}

#[tokio::test]
async fn it_fires_at_once_says_everything_and_is_resolved_within_seconds_of_the_clear() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    let device = device(1).await;
    let output = to(&[&alertmanager])
        + "labels = { team = \"罐区\" }\npage_url = \"https://gw.example.invalid\"\n\
           [person.li-wei]\nname = \"李伟，班长\"\n[area.tank-farm]\nname = \"北罐区\"\nresponsible = [\"li-wei\"]";
    let more =
        "name = \"甲烷，北罐区\"\narea = \"tank-farm\"\nunit = \"%LEL\"\naction = \"停止动火\"";
    let mut gateway = Gateway::start(&plant(&device, &output, &[("CH4-101", more)])).await;
    gateway
        .point_is("CH4-101", "is read", |point| point["value"] == 3.0)
        .await;

    put(&device, 0, 30);
    gateway.alarm_is(ALARM, "unacknowledged").await;
    let raised = Instant::now();
    hook.is_told(ALARM, &[true]).await;
    let took = raised.elapsed();
    assert!(took < SOON + BUSY, "{took:?}");
    let alert = only(&alertmanager).await;
    for (label, value) in [
        ("alertname", "HazardHigh"),
        ("site", "test-plant"),
        ("area", "tank-farm"),
        ("point", "CH4-101"),
        ("device", "gd-01"),
        ("priority", "high"),
        ("severity", "critical"),
        ("team", "罐区"),
    ] {
        assert_eq!(alert["labels"][label], value, "{label}");
    }
    let told = &hook.all()[0].alert;
    for (note, text) in [
        ("name", "甲烷，北罐区"),
        ("area_name", "北罐区"),
        ("value", "30"),
        ("limit", "25"),
        ("action", "停止动火"),
        ("responsible", "李伟，班长"),
    ] {
        assert_eq!(told["annotations"][note], text, "{note}");
    }
    let event = gateway.events().await;
    let event = event
        .iter()
        .find(|event| event["event"] == "raised")
        .expect("it was raised");
    assert_eq!(told["annotations"]["event_id"], event["id"]);
    assert_eq!(told["annotations"]["durable"], Value::Null);
    assert_eq!(
        told["generatorURL"],
        "https://gw.example.invalid/api/v1/alarms/CH4-101/high"
    );

    // Acknowledged is not over.
    gateway
        .acknowledge(ALARM, "li-wei")
        .await
        .expect("an answer");
    gateway.alarm_is(ALARM, "acknowledged").await;
    within(DEADLINE, "who acknowledged it", async || {
        let by = only(&alertmanager).await["annotations"]["acknowledged_by"].clone();
        if by == "李伟，班长" {
            Ok(())
        } else {
            Err(by)
        }
    })
    .await;
    sleep(Duration::from_secs(2)).await;
    assert_eq!(hook.told_of(ALARM), [true]);
    only(&alertmanager).await;

    put(&device, 0, 3);
    gateway.alarm_is(ALARM, "normal").await;
    let cleared = Instant::now();
    hook.is_told(ALARM, &[true, false]).await;
    assert!(
        cleared.elapsed() < Duration::from_secs(10),
        "{:?}",
        cleared.elapsed()
    );
    let up = "forewarn_alertmanager_member_up{member=\"http://";
    let page = gateway.get("/metrics").await.body;
    assert!(
        page.lines()
            .any(|line| line.starts_with(up) && line.ends_with(" 1")),
        "{page}"
    );
    assert_eq!(gateway.stop().await.code(), Some(0));
}

#[tokio::test]
async fn a_spike_is_notified() {
    let hook = Hook::start().await;
    // Waits three seconds before it tells anybody, as many do.
    let url = hook.url("all");
    let config = format!(
        "route: {{receiver: all, group_by: [alarm], group_wait: 3s, group_interval: 1s}}\n\
         receivers: [{{name: all, webhook_configs: [{{url: \"{url}\"}}]}}]\n"
    );
    let alertmanager = Alertmanager::with(&config, &[]).await;
    let device = device(1).await;
    let output = to(&[&alertmanager]).replace("\"1s\"", "\"6s\"");
    let gateway = Gateway::start(&plant(&device, &output, &[("CH4-101", "")])).await;
    gateway
        .point_is("CH4-101", "is read", |point| point["value"] == 3.0)
        .await;
    put(&device, 0, 30);
    gateway.alarm_is(ALARM, "unacknowledged").await;
    put(&device, 0, 3);
    gateway.alarm_is(ALARM, "returned_unacknowledged").await;
    hook.is_told(ALARM, &[true, false]).await;
}

#[tokio::test]
async fn a_drill_is_sent_only_when_it_is_to_be() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    let device = device(1).await;
    for drills in [false, true] {
        let output = to(&[&alertmanager]) + &format!("drills = {drills}");
        let gateway = Gateway::start(&plant(&device, &output, &[("CH4-101", "")])).await;
        gateway
            .point_is("CH4-101", "is read", |point| point["value"] == 3.0)
            .await;
        let body = r#"{"by":"li-wei","reason":"monthly","for":"10min"}"#;
        let begun = gateway.command(&format!("{ALARM}/drill"), body).await;
        assert_eq!(begun.expect("an answer").status, 200);
        if drills {
            hook.is_told("CH4-101/high/drill", &[true]).await;
            let alert = only(&alertmanager).await;
            assert_eq!(alert["labels"]["alertname"], "DrillHigh");
            assert_eq!(alert["labels"]["test"], "true");
            let end = gateway
                .command(&format!("{ALARM}/drill/end"), r#"{"by":"li-wei"}"#)
                .await;
            assert_eq!(end.expect("an answer").status, 200);
            hook.is_told("CH4-101/high/drill", &[true, false]).await;
        } else {
            // What happens afterwards is sent, and the drill is not.
            put(&device, 0, 30);
            hook.is_told(ALARM, &[true]).await;
            assert!(hook.told_of("CH4-101/high/drill").is_empty());
            put(&device, 0, 3);
            hook.is_told(ALARM, &[true, false]).await;
        }
    }
}
