//! Upstream is gone for days, at one alarm a minute and with telemetry at rated load; then it is back.
//!
//! The days go by in virtual time, through the real engine, journal, recorder and files; then the real
//! daemon starts on that folder, with a real broker.
//!
//! `FOREWARN_OUTAGE_HOURS=168 cargo test --release daemon::telemetry -- --nocapture` for seven days with a
//! cap of 64 MiB; 2 hours with 4 MiB is the default. `FOREWARN_OUTAGE_POINTS=100` for a small plant.
//!
//! Sampled: of the 20 readings that a point of the rated load (1,000 points, 2,000 readings/s) has in an
//! interval of 10 s the recorder is fed two, a spike and what follows. What it records, and what is written, is as
//! much as with all of them: one record with a value, least and greatest for each point and interval.

mod days;
mod upstream;

use std::collections::{BTreeMap, BTreeSet};
use std::io::Write as _;
use std::time::Duration;

use forewarn::clock;
use tokio::time::timeout;

use self::days::Days;
use self::upstream::{Arrival, Upstream};
use super::gateway::{Folder, Gateway, from_environment};
use crate::interop::mosquitto::Mosquitto;

/// What has been collected in days may take a while.
const DRAINED_WITHIN: Duration = Duration::from_secs(600);
/// Events a second.
const RATE: f64 = 200.0;
const MIB: u64 = 1 << 20;

#[tokio::test]
async fn upstream_is_gone_for_days() {
    let hours = from_environment("FOREWARN_OUTAGE_HOURS", 2);
    let points = from_environment("FOREWARN_OUTAGE_POINTS", 1000);
    let points = u32::try_from(points).expect("not that many");
    let cap = if hours > 24 { 64 * MIB } else { 4 * MIB };
    let folder = Folder::new();
    let data = folder.path().join("data");
    std::fs::create_dir(&data).expect("our own folder");
    let mut broker = Mosquitto::start("max_queued_messages 0").await;
    let lines = days::configuration(broker.port(), cap, points);
    let before = {
        let (lines, data) = (lines.clone(), data.clone());
        let went =
            tokio::task::spawn_blocking(move || Days::pass(&lines, &data, points, hours, cap));
        went.await.expect("the days go by")
    };
    let mut upstream = Upstream::connect(&broker).await;

    let began = clock::monotonic();
    let mut gateway = Gateway::start_in(folder, data.clone(), &lines).await;
    upstream.publish(&format!("load/{points}"), "90").await;
    let alarm = format!("P-{points}/high");
    let live = |upstream: &Upstream| {
        upstream.find(|arrival| {
            matches!(arrival, Arrival::Event { event, replayed: false, .. }
                if event["alarm"] == *alarm && event["event"] == "raised")
        })
    };
    let all = |upstream: &Upstream| {
        upstream.replayed_records() >= before.kept.len() && live(upstream).is_some()
    };
    let arrived = timeout(DRAINED_WITHIN, upstream.until(all)).await;
    assert!(
        arrived.is_ok(),
        "{} of {}",
        upstream.replayed_records(),
        before.kept.len()
    );
    let drained = clock::monotonic().since(began);

    // Every event once, and those of each alarm in order.
    let events: Vec<_> = upstream.backlog().collect();
    let ids: BTreeSet<_> = events.iter().map(|event| event["id"].to_string()).collect();
    assert_eq!(ids.len(), events.len(), "none comes twice");
    assert_eq!(ids, before.events, "none is missing");
    let mut last: BTreeMap<String, u64> = BTreeMap::new();
    for event in &events {
        let seq = event["seq"].as_u64().expect("a number");
        let before = last.insert(event["alarm"].to_string(), seq);
        assert!(before.is_none_or(|before| before < seq), "{event}");
    }
    let took = upstream.backlog_took();
    let rate = events.len() as f64 / took.as_secs_f64();
    assert!(rate >= RATE, "{rate} events/s");

    // The live alarm came while backlog was on its way, and telemetry behind every event of it.
    let first_telemetry = upstream.find(|arrival| matches!(arrival, Arrival::Records { .. }));
    let last_backlog =
        upstream.rfind(|arrival| matches!(arrival, Arrival::Event { replayed: true, .. }));
    let last_telemetry =
        upstream.rfind(|arrival| matches!(arrival, Arrival::Records { replayed: true, .. }));
    let (live, first_telemetry) = (live(&upstream), first_telemetry);
    assert!(last_backlog < first_telemetry, "telemetry waits for events");
    assert!(
        live < last_telemetry,
        "a live alarm does not wait for telemetry"
    );

    // What was kept is there without a hole, and what is missing was counted.
    let received = upstream.replayed(before.ended_ms);
    let differs = received
        .iter()
        .zip(&before.kept)
        .position(|(one, other)| one != other);
    assert_eq!((differs, received.len()), (None, before.kept.len()));
    assert_eq!(before.dropped + received.len() as u64, before.recorded);
    assert!(before.dropped > 0 || points < 1000, "the cap was reached");
    let lost = gateway
        .metric("forewarn_telemetry_dropped_total{reason=\"full\"}")
        .await;
    assert!(lost < 0.5, "{lost} were dropped after the return");
    let sent = gateway
        .metric("forewarn_telemetry_sent_total{output=\"control-room\"}")
        .await;
    assert!(sent >= received.len() as f64, "{sent}");
    assert_eq!(gateway.stop().await.code(), Some(0), "{}", gateway.log());
    assert!(days::telemetry_on_disk(&data) <= cap);

    // Past the capture: the numbers of the long run.
    let told = writeln!(
        std::io::stderr(),
        "{points} points, {hours} h: {before} | back: {} events at {rate:.0}/s, {} records, all within {:.1} s, {:.0} records/s",
        events.len(),
        received.len(),
        drained.as_secs_f64(),
        received.len() as f64 / (drained - took).as_secs_f64(),
    );
    assert!(told.is_ok());
    broker.kill();
}
