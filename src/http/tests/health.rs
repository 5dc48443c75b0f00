//! What the health pages say of tasks, sources and the journal.

use super::*;

#[tokio::test]
async fn health_says_what_is_wrong() {
    let port = Port::open().await;
    let (status, body) = port.get("/readyz").await;
    assert_eq!(status, 503);
    let problems = json(&body)["problems"].to_string();
    assert_eq!(
        problems,
        r#"["device gd-01: not polled yet","broker plant: not tried yet"]"#
    );

    // One source at least is there: a broker that was down when the board started is an alarm.
    port.metrics.device_up("gd-01", true);
    port.metrics.broker_connected("plant", false);
    let (status, body) = port.get("/readyz").await;
    assert_eq!(status, 200, "{body}");

    port.metrics.device_up("gd-01", false);
    port.metrics.broker_connected("plant", true);
    port.metrics.output_connected("control-room", true);
    port.metrics.journal_durable(false);
    let (status, body) = port.get("/readyz").await;
    assert_eq!(status, 200, "{body}");
    assert_eq!(
        json(&body)["degraded"].as_array().map(Vec::len),
        Some(2),
        "{body}"
    );
    port.metrics.journal_dropped(1);
    port.metrics.points_inhibited(3);
    port.metrics.output_aside("control-room", 2);
    let (status, body) = port.get("/healthz").await;
    assert_eq!((status, &json(&body)["status"]), (200, &"ok".into()));
    assert_eq!(
        json(&body)["degraded"].to_string(),
        concat!(
            r#"["journal: events are kept in memory only, the disk fails","#,
            r#""journal: events lost since start because memory was full: 1","#,
            r#""hazard points inhibited: 3","#,
            r#""device gd-01: does not answer","#,
            r#""output control-room: events it refuses, set aside: 2"]"#
        )
    );

    port.metrics.broker_connected("plant", false);
    let (status, body) = port.get("/readyz").await;
    assert_eq!(status, 503, "{body}");
    assert_eq!(
        json(&body)["problems"].to_string(),
        r#"["no device answers and no broker is connected: nothing is watched"]"#
    );
    let (status, _) = port.get("/healthz").await;
    assert_eq!(status, 200);
}

#[tokio::test(start_paused = true)]
async fn a_stuck_task_fails_health() {
    let port = Port::open().await;
    tokio::time::advance(crate::metrics::HEARTBEAT_LIMIT * 2).await;
    let (status, body) = port.get("/healthz").await;
    assert_eq!(status, 503);
    assert!(body.contains("task engine: no progress for 30 s"), "{body}");
}
