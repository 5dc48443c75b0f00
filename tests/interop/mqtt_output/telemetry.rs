//! Telemetry with a broker that goes and comes back.

use forewarn::engine::snapshot::Shown;
use forewarn::telemetry::{JournalState, Names, Pace, TelemetrySettings};

use super::*;

/// Telemetry of point A, which reads 7.5 bar; in memory.
pub(super) fn recorded(metrics: &Arc<Metrics>) -> (Telemetry, Tap) {
    let settings = TelemetrySettings {
        pace: Pace {
            shortest: Duration::ZERO,
            longest: Duration::from_secs(600),
        },
        deadbands: vec![0.0],
        disk: None,
        commit_every: Duration::from_secs(30),
    };
    let names = Names::new([("A".into(), "bar".into())].into_iter());
    let sound = || JournalState::Sound;
    let outputs = [OUTPUT.into()];
    let metrics = Arc::clone(metrics);
    let (telemetry, mut tap) =
        forewarn::telemetry::start(&settings, names, &outputs, sound, metrics);
    tap.judged(PointIndex(0), Some(shown(7.5, 1)), forewarn::clock::now());
    (telemetry, tap)
}

/// What the engine shows of A after so many readings.
fn shown(value: f64, accepted: u64) -> Shown {
    Shown {
        value: Some(value),
        quality: Quality::Good,
        reason: None,
        held: false,
        last_reading: Some(forewarn::clock::now().wall),
        accepted,
    }
}

/// What the points' readings were, and whether they are backlog.
fn told(upstream: &Upstream) -> Vec<(f64, bool)> {
    let told = upstream.readings.iter();
    told.map(|reading| {
        let value = reading["value"].as_f64().expect("a number");
        (value, reading["replayed"] == true)
    })
    .collect()
}

/// Waits until the broker has acknowledged all telemetry.
async fn all_arrived(gateway: &Gateway) {
    let feed = gateway.telemetry.feed();
    let there = async {
        while feed.cursor(OUTPUT) < feed.newest() {
            sleep(Duration::from_millis(10)).await;
        }
    };
    timeout(DEADLINE, there)
        .await
        .expect("all telemetry arrives");
}

async fn missed_telemetry_follows(form: Form) -> (Vec<Value>, Upstream) {
    let mut broker = Mosquitto::persistent("").await;
    let mut upstream = Upstream::connect(&broker, "upstream").await;
    let target = MqttTarget {
        readings: Some(form),
        ..target(broker.port())
    };
    let mut gateway = Gateway::begin(target, 64 << 20);
    upstream
        .until("the first reading", |upstream| upstream.readings.len() == 1)
        .await;
    let feed = gateway.telemetry.feed();
    all_arrived(&gateway).await;

    broker.stop().await;
    gateway.status(2.0).await;
    for number in 2..=6_u8 {
        let shown = Some(shown(number.into(), number.into()));
        let now = forewarn::clock::now();
        gateway.tap.judged(PointIndex(0), shown, now);
    }
    assert_eq!(feed.newest() - feed.cursor(OUTPUT), 5);
    broker.start_again().await;
    all_arrived(&gateway).await;
    let page = gateway.page();
    let sent = "forewarn_telemetry_sent_total{output=\"control-room\"} 6";
    assert!(page.contains(sent), "{page}");
    let enough = |upstream: &Upstream| {
        let newest = upstream.readings.last();
        newest.is_some_and(|reading| reading.to_string().contains("\"value\":6.0"))
    };
    upstream.until("what was missed", enough).await;
    gateway.stop().await;
    // What its receiver had not acknowledged the broker gives again.
    upstream.readings.dedup();
    (upstream.readings.clone(), upstream)
}

#[tokio::test]
async fn telemetry_that_was_missed_follows_in_order_and_is_marked() {
    let (_, upstream) = missed_telemetry_follows(Form::Points).await;
    let missed = [2.0, 3.0, 4.0, 5.0, 6.0].map(|value| (value, true));
    // The first was recorded before there was a connection.
    let mut expected = vec![(7.5, true)];
    expected.extend(missed);
    assert_eq!(told(&upstream), expected);
}

#[tokio::test]
async fn telemetry_that_was_missed_follows_in_one_message() {
    let (messages, _) = missed_telemetry_follows(Form::Batches).await;
    assert_eq!(messages.len(), 2, "{messages:?}");
    assert_eq!(messages[1]["replayed"], true);
    let records = messages[1]["records"].as_array().expect("a list").iter();
    let values: Vec<_> = records.map(|record| record["value"].as_f64()).collect();
    assert_eq!(values, [2.0, 3.0, 4.0, 5.0, 6.0].map(Some));
}
