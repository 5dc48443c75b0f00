//! A thousand points over a real broker, 2,000 readings a second.
//!
//! `FOREWARN_LOAD_SECONDS=60 cargo test --release daemon::load -- --nocapture` for the long run with its
//! numbers; 5 s is the default.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::io::Write as _;
use std::time::Duration;

use serde_json::Value;
use simulators::mqtt::Payload;
use simulators::mqtt::load::{self, LoadConfig};
use simulators::upstream::Record;
use tokio::time::timeout;

use super::gateway::{DEADLINE, Gateway, address, control_room, from_environment, skipped};
use super::spoilt::Spoilt;
use crate::interop::mosquitto::Mosquitto;

const POINTS: u32 = 1000;
const RATE: f64 = 2000.0;
const LIMIT: f64 = 60.0;

fn configuration(port: u16) -> String {
    let mut text = format!(
        "[broker.plant]\nurl = \"mqtt://127.0.0.1:{port}\"\n\
         [output.control-room]\nmqtt = \"mqtt://127.0.0.1:{port}\"\n"
    );
    for point in 0..POINTS {
        write!(
            text,
            "[point.P-{point}]\ntopic = \"load/{point}\"\nvalue = \"/value\"\ntime = \"/ts\"\n\
             high = {LIMIT}\ngood_confirm = \"0s\"\n"
        )
        .expect("a string takes all");
    }
    text
}

#[tokio::test]
async fn thousand_points() {
    nothing_is_lost(false).await;
}

/// The broker sends far ahead of the commits: nothing may wait for something that waits for it.
#[tokio::test]
async fn thousand_points_on_a_slow_disk() {
    nothing_is_lost(true).await;
}

/// What a broker holds while the disk commits sixteen times a second must fit into its queue: on a slow disk
/// no more than this.
const SLOW: u64 = 5;

async fn nothing_is_lost(slow_disk: bool) {
    let asked = from_environment("FOREWARN_LOAD_SECONDS", SLOW);
    let seconds = if slow_disk { asked.min(SLOW) } else { asked };
    let duration = Duration::from_secs(seconds);
    // A broker that throws away what waits proves nothing about the gateway.
    let broker = Mosquitto::start("max_queued_messages 20000").await;
    let receiver = control_room(&broker).await;
    let gateway = Gateway::start(&configuration(broker.port())).await;
    let slow = slow_disk.then(|| Spoilt::syncs(gateway.pid(), "delay_exit=60000"));
    if let Some(None) = slow {
        return skipped("thousand_points_on_a_slow_disk: strace is not installed or not allowed");
    }
    let load = LoadConfig {
        broker: address(&broker).into(),
        client_id: "load".to_owned(),
        sensors: POINTS,
        rate: RATE,
        duration,
        // Each point is above the limit for one second of four, at a time of its own.
        waveform: "base=20 noise=1 step=3s:+50 every=4s"
            .parse()
            .expect("notation"),
        stagger: Duration::from_millis(37),
        payload: Payload::Template(LoadConfig::PAYLOAD.to_owned()),
        at_least_once: true,
        limit: Some(LIMIT),
    };
    let report = timeout(duration + DEADLINE, load::run(load, &Default::default())).await;
    let report = report.expect("the broker takes it all");
    assert_eq!(report.published, report.acknowledged);
    assert!(report.crossings > u64::from(POINTS / 2), "{report:?}");

    let series = "forewarn_readings_total{device=\"plant\"}";
    let published = report.published as f64;
    gateway.metric_is(series, |count| count >= published).await;
    let crossings = usize::try_from(report.crossings).expect("few");
    let raised = |record: &Record| {
        record
            .events()
            .filter(|event| event["event"] == "raised")
            .count()
            >= crossings
    };
    assert!(
        receiver.wait_for(raised, DEADLINE).await,
        "{report:?} {}",
        receiver.look(Record::summary)
    );

    let counted = gateway.metric(series).await;
    assert!(
        (counted - published).abs() < 0.5,
        "{counted} readings of {published}"
    );
    let points = gateway.get("/api/v1/points").await.json();
    assert_eq!(
        accepted(&points),
        report.published,
        "judged, as the engine counts"
    );
    let commits = gateway
        .metric("forewarn_commit_duration_seconds_count")
        .await;
    let mean = gateway.metric("forewarn_commit_duration_seconds_sum").await / commits * 1e3;
    let memory = gateway.resident() / 1024;
    receiver.look(|record| {
        assert_eq!(
            (record.duplicates(), record.out_of_order()),
            (0, 0),
            "{}",
            record.summary()
        );
        assert_eq!(record.missing_seq().count(), 0);
        let events: Vec<_> = record.events().collect();
        assert_eq!(in_turns(&events), crossings);
        // Past the capture: the numbers of the long run.
        let told = writeln!(
            std::io::stderr(),
            "{report:?} commits={commits} mean={mean:.1} ms resident={memory} kB events={}",
            events.len()
        );
        assert!(told.is_ok());
    });
}

/// Readings accepted by the rules, all points together; none may have become anything else.
fn accepted(points: &Value) -> u64 {
    let points = points["points"].as_array().expect("points").iter();
    let points = points.filter(|point| is_ours(&point["point"]));
    let counts = points.map(|point| {
        let readings = &point["readings"];
        let refused = ["bad", "duplicate", "late", "retained"];
        assert!(refused.iter().all(|count| readings[count] == 0), "{point}");
        readings["accepted"].as_u64().expect("a count")
    });
    counts.sum()
}

/// Not one of the gateway's own points or alarms.
fn is_ours(name: &Value) -> bool {
    name.as_str().is_some_and(|name| name.starts_with("P-"))
}

/// The raised alarms of points; each is raised and cleared in turns, its occurrences counted without a hole.
fn in_turns(events: &[&Value]) -> usize {
    let mut alarms: BTreeMap<&str, (u64, bool)> = BTreeMap::new();
    let mut raised = 0;
    for event in events {
        let Some(alarm) = event["alarm"].as_str().filter(|_| is_ours(&event["alarm"])) else {
            continue;
        };
        let (occurrence, active) = alarms.entry(alarm).or_default();
        match event["event"].as_str() {
            Some("raised") if !*active => {
                (*occurrence, *active) = (*occurrence + 1, true);
                raised += 1;
            }
            Some("cleared") if *active => *active = false,
            // They tell of what others are about.
            Some("notified" | "all_clear") => continue,
            _ => unreachable!("out of turn: {event}"),
        }
        assert_eq!(event["occurrence"], *occurrence, "{event}");
    }
    raised
}
