//! Two gateways that watch the same plant and say the same labels.

use std::time::Duration;

use tokio::time::sleep;

use super::server::{Alertmanager, Hook};
use super::{ALARM, device, plant, put, to};
use crate::daemon::gateway::Gateway;

#[tokio::test]
async fn two_gateways_give_one_alert_and_one_all_clear_when_both_are_clear() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    // Each has a device of its own, so that one can see what the other does not.
    let devices = [device(1).await, device(1).await];
    let output =
        |name: &str| to(&[&alertmanager]) + &format!("refresh = \"5s\"\npair = \"{name}\"");
    let a = Gateway::start(&plant(&devices[0], &output("a"), &[("CH4-101", "")])).await;
    let mut b = Gateway::start(&plant(&devices[1], &output("b"), &[("CH4-101", "")])).await;
    put(&devices[0], 0, 30);
    put(&devices[1], 0, 30);
    a.alarm_is(ALARM, "unacknowledged").await;
    b.alarm_is(ALARM, "unacknowledged").await;
    hook.is_told(ALARM, &[true]).await;
    alertmanager.stands(&[ALARM]).await;

    // One of them clears: the other still sees it.
    put(&devices[0], 0, 3);
    a.alarm_is(ALARM, "returned_unacknowledged").await;
    sleep(Duration::from_secs(20)).await;
    assert_eq!(hook.told_of(ALARM), [true]);
    assert_eq!(alertmanager.standing().await, [ALARM]);
    // It dies and comes back meanwhile.
    b.kill();
    b.start_again().await;
    b.alarm_is(ALARM, "unacknowledged").await;

    put(&devices[1], 0, 3);
    b.alarm_is(ALARM, "returned_unacknowledged").await;
    hook.is_told(ALARM, &[true, false]).await;
    // And nothing of it comes back.
    sleep(Duration::from_secs(20)).await;
    assert_eq!(hook.told_of(ALARM), [true, false]);
    drop(a);
}

/// What somebody acknowledged at one of them is silenced; that one dies, and the next alarm is told all the same.
#[tokio::test]
async fn the_silence_of_a_dead_partner_mutes_no_alarm_after_it() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    let device = device(1).await;
    let output = |name: &str| {
        let options = "refresh = \"5s\"\nsilence_acknowledged = true";
        to(&[&alertmanager])
            + &format!("{options}\npair = \"{name}\"\n[person.li-wei]\nname = \"Li\"")
    };
    let mut a = Gateway::start(&plant(&device, &output("a"), &[("CH4-101", "")])).await;
    let b = Gateway::start(&plant(&device, &output("b"), &[("CH4-101", "")])).await;
    put(&device, 0, 30);
    a.alarm_is(ALARM, "unacknowledged").await;
    b.alarm_is(ALARM, "unacknowledged").await;
    hook.is_told(ALARM, &[true]).await;
    let answer = a.acknowledge(ALARM, "li-wei").await;
    assert_eq!(answer.expect("an answer").status, 200);
    alertmanager.has_silences(1).await;

    a.kill();
    put(&device, 0, 3);
    b.alarm_is(ALARM, "returned_unacknowledged").await;
    hook.is_told(ALARM, &[true, false]).await;
    put(&device, 0, 30);
    hook.is_told(ALARM, &[true, false, true]).await;
    alertmanager.has_silences(0).await;
}
