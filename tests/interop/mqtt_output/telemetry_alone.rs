//! A broker that is silent on telemetry alone, and one that is silent on everything.

use super::set_aside::{VIRTUAL, World};
use super::*;

/// Long enough for a machine that is busy while virtual time passes.
const ACK_TIMEOUT: Duration = Duration::from_secs(60);
const REFUSED: &str = r#"forewarn_telemetry_refused_total{output="control-room"}"#;
const SENT: &str = r#"forewarn_telemetry_sent_total{output="control-room"}"#;
const NO_PUBACK: &str =
    r#"forewarn_output_failures_total{output="control-room",reason="no_puback"}"#;

/// Over connections that nothing but acknowledgements ends: no sign of life is due in the time of a test.
async fn begin() -> World {
    let patient = |target: MqttTarget| MqttTarget {
        ack_timeout: ACK_TIMEOUT,
        address: BrokerAddress {
            keep_alive: VIRTUAL,
            ..target.address
        },
        ..target
    };
    World::with(patient, 64 << 20).await
}

#[tokio::test(start_paused = true)]
async fn alarms_flow_while_telemetry_is_not_acknowledged() {
    let mut world = begin().await;
    world.script().deaf_to_telemetry = true;
    world.metric(REFUSED, 1).await;
    world.gateway.status(1.0).await;
    assert_eq!(world.script().connections, 1, "alarms keep theirs");
    // Twenty minutes, and more publishes than the connection has packet ids.
    for occurrence in 1..=60 {
        world
            .gateway
            .commit("A", occurrence, AlarmState::Unacknowledged);
        let there = |script: &scripted::Script| script.seqs().last() == Some(&occurrence);
        world.until("the alarm", there).await;
        sleep(Duration::from_secs(20)).await;
    }
    let connections = world.script().connections;
    let page = world.gateway.page();
    assert!((2..=4).contains(&connections), "{connections}: {page}");
    assert!(
        page.contains(&format!("{NO_PUBACK} {}", connections - 1)),
        "{page}"
    );
    assert!(!page.contains(r#"reason="protocol""#), "{page}");
    // Tried with growing pauses, 6 or 7 times, and once more for each connection; at an even pace it would be 17.
    let refused = |count: u64| page.contains(&format!("{REFUSED} {count}\n"));
    assert!((4..=11).any(refused), "{page}");
    world.script().deaf_to_telemetry = false;
    world.metric(SENT, 1).await;
    world.gateway.status(0.0).await;
    world.gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_acknowledges_nothing_is_left_and_telemetry_is_not_blamed() {
    let world = begin().await;
    world.script().silent_from_telemetry = true;
    // No event is due: the status that goes once more tells.
    world.metric(NO_PUBACK, 1).await;
    world.script().silent_from_telemetry = false;
    world.broker.speak();
    world.metric(SENT, 1).await;
    assert!(!world.gateway.page().contains(REFUSED));
    world.gateway.stop().await;
}
