//! The standing reminder of inhibited hazard points, end to end: from the command, over a power cut, to the
//! return.

use std::net::Ipv4Addr;

use simulators::modbus::{Device, DeviceConfig};

use super::gateway::Gateway;

const REMINDER: &str = "gateway.inhibited/state";
const GAUGE: &str = "forewarn_points_inhibited";

#[tokio::test]
async fn an_outage_of_a_hazard_point_is_reminded_of_until_it_ends() {
    let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("input:0 float32 CDAB base=3")
        .expect("notation");
    let device = Device::start(device).await.expect("a free port");
    let mut gateway = Gateway::start(&format!(
        "[person.li-wei]\n[area.pit]\nresponsible = [\"li-wei\"]\n[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"100ms\"\n\
         [point.LT-1]\ndevice = \"gd-01\"\nregister = \"input:0\"\ntype = \"float32\"\norder = \"CDAB\"\n\
         area = \"pit\"\naction = \"stop the pump\"\nhigh_high = 25\ngood_confirm = \"0s\"\n",
        device.address(),
    ))
    .await;
    gateway
        .point_is("LT-1", "has its value", |p| p["value"] == 3.0)
        .await;
    gateway.alarm_is(REMINDER, "normal").await;

    let out = r#"{"by":"li-wei","approved_by":"wang-fang","permit":"P-2210","for":"1h"}"#;
    let taken = gateway.command("LT-1/high_high/out-of-service", out).await;
    let taken = taken.expect("an answer");
    assert_eq!(taken.status, 200, "{}", taken.body);
    gateway.alarm_is(REMINDER, "unacknowledged").await;
    gateway.metric_is(GAUGE, |count| count > 0.5).await;
    let degraded = gateway.get("/readyz").await.json()["degraded"].to_string();
    assert!(
        degraded.contains("hazard points inhibited: 1"),
        "{degraded}"
    );

    gateway.kill();
    gateway.start_again().await;
    gateway.metric_is(GAUGE, |count| count > 0.5).await;
    let stands = gateway.alarm_is(REMINDER, "unacknowledged").await;
    assert_eq!(stands["occurrence"], 1, "no second page: {stands}");

    let back = r#"{"by":"li-wei"}"#;
    let returned = gateway.command("LT-1/high_high/in-service", back).await;
    assert_eq!(returned.map(|answer| answer.status), Some(200));
    gateway.alarm_is(REMINDER, "returned_unacknowledged").await;
    gateway.metric_is(GAUGE, |count| count < 0.5).await;
    assert_eq!(gateway.stop().await.code(), Some(0));
    device.stop().await;
}
