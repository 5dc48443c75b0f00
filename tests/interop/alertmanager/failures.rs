//! Gateways that die, Alertmanagers that die and forget, floods.

use std::fmt::Write as _;
use std::time::Duration;

use tokio::time::{Instant, sleep};

use super::server::{Alertmanager, Hook};
use super::{ALARM, SOON, device, plant, posts, put, to};
use crate::daemon::gateway::{BUSY, DEADLINE, Gateway};
use crate::interop::bench::within;

#[tokio::test]
async fn a_gateway_that_is_killed_gives_no_all_clear() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    let device = device(2).await;
    let points = [("CH4-101", ""), ("CH4-102", "")];
    let mut gateway = Gateway::start(&plant(&device, &to(&[&alertmanager]), &points)).await;
    put(&device, 0, 30);
    put(&device, 1, 30);
    hook.is_told("CH4-102/high", &[true]).await;
    hook.is_told(ALARM, &[true]).await;
    gateway.kill();
    // Several times as long as it looks for news.
    sleep(Duration::from_secs(5)).await;
    assert_eq!(hook.told_of(ALARM), [true], "nobody said that it is over");
    // It stands for hours to come.
    let alerts = alertmanager.alerts().await;
    assert!(
        alerts
            .iter()
            .all(|alert| alert["endsAt"].as_str() > alert["startsAt"].as_str())
    );
    // While nobody watched, one of them ended.
    put(&device, 0, 3);
    gateway.start_again().await;
    hook.is_told(ALARM, &[true, false]).await;
    assert_eq!(hook.told_of("CH4-102/high"), [true]);
    // A stop in good order leaves it standing, too.
    assert_eq!(gateway.stop().await.code(), Some(0));
    sleep(Duration::from_secs(3)).await;
    assert_eq!(alertmanager.standing().await, ["CH4-102/high"]);
}

#[tokio::test]
async fn nothing_comes_back_to_life_after_an_outage_and_what_stands_is_told() {
    let hook = Hook::start().await;
    let mut alertmanager = Alertmanager::start(&hook).await;
    let device = device(3).await;
    let points = [("CH4-101", ""), ("CH4-102", ""), ("CH4-103", "")];
    let gateway = Gateway::start(&plant(&device, &to(&[&alertmanager]), &points)).await;
    put(&device, 0, 30);
    hook.is_told(ALARM, &[true]).await;

    alertmanager.kill();
    gateway
        .alarm_is("gateway.output.pager/state", "unacknowledged")
        .await;
    // One ends, one comes and goes, one comes and stays.
    put(&device, 0, 3);
    put(&device, 1, 30);
    put(&device, 2, 30);
    gateway.alarm_is(ALARM, "returned_unacknowledged").await;
    gateway.alarm_is("CH4-102/high", "unacknowledged").await;
    gateway.alarm_is("CH4-103/high", "unacknowledged").await;
    put(&device, 1, 3);
    gateway
        .alarm_is("CH4-102/high", "returned_unacknowledged")
        .await;
    sleep(Duration::from_secs(2)).await;

    alertmanager.start_again().await;
    hook.is_told("CH4-103/high", &[true]).await;
    gateway
        .alarm_is("gateway.output.pager/state", "returned_unacknowledged")
        .await;
    alertmanager.stands(&["CH4-103/high"]).await;
    assert!(
        hook.told_of("CH4-102/high").is_empty(),
        "history is not sent"
    );
    assert_eq!(
        hook.told_of(ALARM),
        [true],
        "it forgot that it had told of this one"
    );
}

#[tokio::test]
async fn one_that_forgets_everything_has_it_back_within_a_refresh() {
    let hook = Hook::start().await;
    let mut alertmanager = Alertmanager::start(&hook).await;
    let device = device(1).await;
    let output = to(&[&alertmanager]) + "refresh = \"5s\"";
    let gateway = Gateway::start(&plant(&device, &output, &[("CH4-101", "")])).await;
    put(&device, 0, 30);
    hook.is_told(ALARM, &[true]).await;
    // Nobody tells the gateway, and no pause after a failure comes on top.
    gateway.pause(true);
    alertmanager.kill();
    alertmanager.start_again().await;
    gateway.pause(false);
    let back = Instant::now();
    alertmanager.stands(&[ALARM]).await;
    let took = back.elapsed();
    assert!(took < Duration::from_secs(5) + BUSY, "{took:?}");
    drop(gateway);
}

#[tokio::test]
async fn what_is_taken_out_of_the_configuration_is_taken_back() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    let device = device(2).await;
    let points = [("CH4-101", ""), ("CH4-102", "")];
    let output = to(&[&alertmanager]);
    let mut gateway = Gateway::start(&plant(&device, &output, &points)).await;
    put(&device, 0, 30);
    put(&device, 1, 30);
    hook.is_told(ALARM, &[true]).await;
    hook.is_told("CH4-102/high", &[true]).await;
    // Somebody else's alert of the same site stays.
    let theirs = r#"[{"labels":{"alertname":"HazardHigh","alarm":"OTHER/high","site":"test-plant"},
                      "startsAt":"2026-01-01T00:00:00Z","endsAt":"2099-01-01T00:00:00Z"}]"#;
    alertmanager
        .ask("POST", "/api/v2/alerts", theirs)
        .await
        .expect("it takes it");
    assert_eq!(gateway.stop().await.code(), Some(0));
    let lines = plant(&device, &output, &points[..1]);
    let text = std::fs::read_to_string(gateway.config()).expect("our own file");
    let (head, _) = text
        .split_once("[device.gd-01]")
        .expect("as it was written");
    std::fs::write(gateway.config(), format!("{head}{lines}")).expect("our own file");
    gateway.start_again().await;
    // Nobody must have meant it for as long as two of the longest refresh: a minute, and what a look may take that
    // has no answer.
    within(DEADLINE * 3, "it does not stand for ever", async || {
        let told = hook.told_of("CH4-102/high");
        let is_over = told == [true, false];
        if is_over {
            Ok(())
        } else {
            Err(format!("{told:?}"))
        }
    })
    .await;
    alertmanager.stands(&[ALARM, "OTHER/high"]).await;
}

#[tokio::test]
async fn every_member_gets_everything_and_a_dead_one_holds_up_nobody() {
    let hook = Hook::start().await;
    let first = Alertmanager::start(&hook).await;
    let mut second = Alertmanager::start(&hook).await;
    let device = device(2).await;
    let points = [("CH4-101", ""), ("CH4-102", "")];
    let gateway = Gateway::start(&plant(&device, &to(&[&first, &second]), &points)).await;
    put(&device, 0, 30);
    first.stands(&[ALARM]).await;
    second.stands(&[ALARM]).await;
    second.kill();
    put(&device, 1, 30);
    let raised = Instant::now();
    first.stands(&[ALARM, "CH4-102/high"]).await;
    let took = raised.elapsed();
    assert!(took < SOON + BUSY, "{took:?}");
    gateway
        .alarm_is("gateway.output.pager/state", "unacknowledged")
        .await;
    second.start_again().await;
    let both = [ALARM, "CH4-102/high", "gateway.output.pager/state"];
    second.stands(&both[..2]).await;
}

#[tokio::test]
async fn two_thousand_alarms_go_in_one_post() {
    const POINTS: usize = 2_000;
    let hook = Hook::start().await;
    let mut alertmanager = Alertmanager::start(&hook).await;
    let device = device(POINTS).await;
    let mut text = plant(&device, &to(&[&alertmanager]), &[]);
    for register in 0..POINTS {
        write!(
            text,
            "[point.P-{register}]\ndevice = \"gd-01\"\nregister = \"holding:{register}\"\n\
             type = \"uint16\"\nhigh = 25\ngood_confirm = \"0s\"\nstale_after = \"1h\"\n\
             action = \"Leave the building\"\n"
        )
        .expect("a string takes all");
    }
    let text = text.replace("poll = \"50ms\"", "poll = \"1s\"");
    let mut gateway = Gateway::start(&text).await;
    gateway
        .point_is("P-1999", "is read", |point| point["value"] == 3.0)
        .await;
    for register in 0..POINTS {
        put(&device, register, 30);
    }
    within(DEADLINE, "all of them stand", async || {
        let standing = alertmanager.standing().await;
        let standing = standing
            .iter()
            .filter(|alarm| alarm.ends_with("/high"))
            .count();
        if standing == POINTS {
            Ok(())
        } else {
            Err(standing)
        }
    })
    .await;
    gateway.kill();
    // One that knows nothing gets all of them with the first post, and with each one after it.
    alertmanager.kill();
    alertmanager.start_again().await;
    gateway.launch().await;
    let posts = posts(&alertmanager);
    gateway.metric_is(&posts, |count| count > 0.5).await;
    let posts = gateway.metric(&posts).await;
    let received = alertmanager.received().await;
    assert!(
        received > posts * (POINTS as f64 - 0.5),
        "{received} alerts in {posts} posts"
    );
}
