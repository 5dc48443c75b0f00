//! Silences over what somebody has acknowledged or shelved.

use std::time::Duration;

use tokio::time::sleep;

use super::server::{Alertmanager, Hook};
use super::{ALARM, device, plant, posts, put, to};
use crate::daemon::gateway::Gateway;

const OPTIONS: &str = "silence_acknowledged = true\nsilence_shelved = true\nrefresh = \"5s\"\n\
                       [person.li-wei]\nname = \"Li Wei, shift lead\"";

#[tokio::test]
async fn an_acknowledgement_is_a_silence_that_outlives_a_restart_and_ends_with_the_alarm() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    let device = device(1).await;
    let output = to(&[&alertmanager]) + OPTIONS;
    let mut gateway = Gateway::start(&plant(&device, &output, &[("CH4-101", "")])).await;
    put(&device, 0, 30);
    hook.is_told(ALARM, &[true]).await;
    let body = r#"{"by":"li-wei","comment":"going there"}"#;
    gateway
        .command(&format!("{ALARM}/acknowledge"), body)
        .await
        .expect("an answer");
    alertmanager.has_silences(1).await;
    let silence = alertmanager.silences().await.remove(0);
    assert_eq!(silence["createdBy"], "Li Wei, shift lead");
    let comment = silence["comment"].as_str().expect("a text");
    assert!(comment.starts_with("going there [forewarn test-plant: acknowledged CH4-101/high"));

    gateway.kill();
    gateway.start_again().await;
    gateway.alarm_is(ALARM, "acknowledged").await;
    let posts = posts(&alertmanager);
    gateway.metric_is(&posts, |count| count > 1.5).await;
    let found = alertmanager.silences().await;
    assert_eq!(
        (found.len(), &found[0]["id"]),
        (1, &silence["id"]),
        "found again, none made"
    );

    put(&device, 0, 3);
    hook.is_told(ALARM, &[true, false]).await;
    alertmanager.has_silences(0).await;
}

#[tokio::test]
async fn a_shelf_is_a_silence_that_ends_with_it() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    let device = device(2).await;
    let output = to(&[&alertmanager]) + OPTIONS;
    let points = [("CH4-101", ""), ("CH4-102", "")];
    let gateway = Gateway::start(&plant(&device, &output, &points)).await;
    gateway
        .point_is("CH4-102", "is read", |point| point["value"] == 3.0)
        .await;
    put(&device, 0, 30);
    hook.is_told(ALARM, &[true]).await;
    let shelve = r#"{"by":"li-wei","reason":"coupling exchange","for":"1h"}"#;
    for alarm in [ALARM, "CH4-102/high"] {
        let answer = gateway.command(&format!("{alarm}/shelve"), shelve).await;
        assert_eq!(answer.expect("an answer").status, 200);
    }
    alertmanager.has_silences(1).await;
    alertmanager.stands(&[ALARM]).await;
    // Nobody is told of what is raised beneath a shelf.
    put(&device, 1, 30);
    gateway.alarm_is("CH4-102/high", "unacknowledged").await;
    // It was asked twice since: the first of those may have been on its way.
    let before = gateway.metric(&posts(&alertmanager)).await;
    let later = |count| count > before + 1.5;
    gateway.metric_is(&posts(&alertmanager), later).await;
    assert_eq!(alertmanager.standing().await, [ALARM]);
    for alarm in [ALARM, "CH4-102/high"] {
        gateway
            .command(&format!("{alarm}/unshelve"), r#"{"by":"li-wei"}"#)
            .await
            .expect("an answer");
    }
    alertmanager.has_silences(0).await;
    alertmanager.stands(&[ALARM, "CH4-102/high"]).await;
    hook.is_told("CH4-102/high", &[true]).await;
}

#[tokio::test]
async fn members_of_a_cluster_share_one_silence() {
    let hook = Hook::start().await;
    let url = hook.url("all");
    let config = format!(
        "route: {{receiver: all}}\nreceivers: [{{name: all, webhook_configs: [{{url: \"{url}\"}}]}}]\n"
    );
    let first = Alertmanager::with(&config, &[]).await;
    let second = Alertmanager::with(&config, &[first.gossip()]).await;
    let device = device(1).await;
    let output = to(&[&first, &second]) + OPTIONS;
    let gateway = Gateway::start(&plant(&device, &output, &[("CH4-101", "")])).await;
    put(&device, 0, 30);
    first.stands(&[ALARM]).await;
    second.stands(&[ALARM]).await;
    gateway
        .acknowledge(ALARM, "li-wei")
        .await
        .expect("an answer");
    first.has_silences(1).await;
    second.has_silences(1).await;
    // The interval that is measured: longer than a member waits to be handed one by another.
    sleep(Duration::from_secs(12)).await;
    assert_eq!(
        (first.silences().await.len(), second.silences().await.len()),
        (1, 1)
    );
    assert_eq!(
        first.silences().await[0]["id"],
        second.silences().await[0]["id"]
    );
}

/// A switch of the option and a clear while nobody watches: the silence goes, then the alert, and the next one is
/// told.
#[tokio::test]
async fn an_option_that_is_switched_off_silences_nothing_that_comes_after() {
    let hook = Hook::start().await;
    let alertmanager = Alertmanager::start(&hook).await;
    let device = device(1).await;
    let points = [("CH4-101", "")];
    let output = to(&[&alertmanager]) + OPTIONS;
    let mut gateway = Gateway::start(&plant(&device, &output, &points)).await;
    put(&device, 0, 30);
    hook.is_told(ALARM, &[true]).await;
    let answer = gateway.acknowledge(ALARM, "li-wei").await;
    assert_eq!(answer.expect("an answer").status, 200);
    alertmanager.has_silences(1).await;

    gateway.kill();
    put(&device, 0, 3);
    let text = std::fs::read_to_string(gateway.config()).expect("our own file");
    let text = text.replace("acknowledged = true", "acknowledged = false");
    std::fs::write(gateway.config(), text).expect("our own file");
    gateway.start_again().await;
    hook.is_told(ALARM, &[true, false]).await;
    alertmanager.has_silences(0).await;
    put(&device, 0, 30);
    hook.is_told(ALARM, &[true, false, true]).await;
}
