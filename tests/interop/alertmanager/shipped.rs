//! The configuration that is shipped, with the labels that are sent.

use std::process::Command;

use super::server::{Alertmanager, Hook, project};
use super::{ALARM, device, plant, put, to};
use crate::daemon::gateway::Gateway;

/// The shipped file with its receivers behind `hook`.
fn shipped(hook: &Hook) -> String {
    let text = std::fs::read_to_string(project("deploy/alertmanager/alertmanager.yml"));
    let mut text = text.expect("a file of the project");
    for (host, receiver) in [
        ("pager", "on-call"),
        ("control-room", "control-room"),
        ("maintenance", "maintenance"),
        ("dead-man", "dead-man"),
        ("drill", "drill"),
    ] {
        let url = format!("https://{host}.example.invalid/forewarn");
        assert!(text.contains(&url), "{url}");
        text = text.replace(&url, &hook.url(receiver));
    }
    text
}

#[tokio::test]
async fn the_outer_limit_speaks_for_the_inner_one_and_a_lost_device_for_its_silence() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::with(&shipped(&hook), &[]).await;
    let device = device(2).await;
    let responsible =
        "[person.li-wei]\nname = \"Li Wei\"\n[area.pit]\nresponsible = [\"li-wei\"]\n";
    let points = [
        (
            "CH4-101",
            "high_high = 50\narea = \"pit\"\naction = \"Leave\"",
        ),
        ("CH4-102", "stale_after = \"1s\""),
    ];
    let gateway = Gateway::start(&plant(
        &device,
        &(to(&[&alertmanager]) + responsible),
        &points,
    ))
    .await;
    gateway
        .point_is("CH4-102", "is read", |point| point["value"] == 3.0)
        .await;
    put(&device, 0, 30);
    hook.is_told(ALARM, &[true]).await;
    assert!(hook.all().iter().all(|told| told.receiver == "on-call"));
    put(&device, 0, 60);
    hook.is_told("CH4-101/high_high", &[true]).await;
    alertmanager.stands(&[ALARM, "CH4-101/high_high"]).await;
    alertmanager.inhibits(ALARM).await;
    assert!(!alertmanager.is_inhibited("CH4-101/high_high").await);

    device.stop().await;
    gateway
        .alarm_is("gateway.device.gd-01/state", "unacknowledged")
        .await;
    gateway.alarm_is("CH4-102/stale", "unacknowledged").await;
    hook.is_told("gateway.device.gd-01/state", &[true]).await;
    alertmanager.inhibits("CH4-102/stale").await;
    // Never a hazard: one that stood when the device was lost still stands.
    assert!(!alertmanager.is_inhibited("CH4-101/high_high").await);
    let unexpected = hook
        .all()
        .into_iter()
        .filter(|told| told.receiver == "unexpected");
    assert_eq!(unexpected.count(), 0);
}

#[test]
fn the_shipped_file_is_accepted_and_its_routes_lead_where_they_should() {
    let config = project("deploy/alertmanager/alertmanager.yml");
    let checked = Command::new("amtool")
        .arg("check-config")
        .arg(&config)
        .output();
    let checked = checked.expect("amtool is installed (apt-get install prometheus-alertmanager)");
    assert!(
        checked.status.success(),
        "{}",
        String::from_utf8_lossy(&checked.stderr)
    );
    let routes = std::fs::read_to_string(project("deploy/alertmanager/routes_test.txt"));
    let routes = routes.expect("a file of the project");
    for line in routes.lines().filter(|line| !line.starts_with('#')) {
        let (receiver, labels) = line.split_once('|').expect("receiver | labels");
        let tested = Command::new("amtool")
            .args(["config", "routes", "test"])
            .arg(format!("--config.file={}", config.display()))
            .arg(format!("--verify.receivers={}", receiver.trim()))
            .args(labels.split_whitespace())
            .output()
            .expect("amtool runs");
        assert!(
            tested.status.success(),
            "{line}: {}",
            String::from_utf8_lossy(&tested.stdout)
        );
    }
}
