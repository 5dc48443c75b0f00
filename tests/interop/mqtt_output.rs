//! The forwarder with the real journal against a real broker that dies, forgets and hangs.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, MutexGuard};
use std::time::Duration;

use forewarn::broker::{BrokerAddress, Version};
use forewarn::engine::alarm::AlarmState;
use forewarn::engine::effect::{Cause, Details, Event, EventKind, Subject};
use forewarn::engine::overlay::Overlays;
use forewarn::engine::reading::{PointIndex, Quality};
use forewarn::engine::settings::{AlarmKind, Priority};
use forewarn::engine::snapshot::AlarmRecord;
use forewarn::evaluation::{Delivery, Desk};
use forewarn::guidance::{AlarmWords, Directory, Guidance, Measure, PointWords};
use forewarn::journal::{Journal, JournalSettings, Record};
use forewarn::metrics::Metrics;
use forewarn::output::message::Dots;
use forewarn::output::mqtt::run;
use forewarn::output::{Form, MqttTarget, Wiring};
use forewarn::telemetry::{Tap, Telemetry};
use forewarn::wording::Readers;
use rumqttc::{AsyncClient, EventLoop, MqttOptions, Packet, Publish, QoS};
use serde_json::Value;
use tokio::runtime::Builder;
use tokio::sync::{mpsc, watch};
use tokio::task::{JoinSet, spawn_blocking};
use tokio::time::{sleep, timeout};

use super::mosquitto::{BUSY, DEADLINE, Mosquitto};
use upstream::Upstream;

mod hanging;
mod scripted;
mod set_aside;
mod shifts;
mod telemetry;
mod telemetry_alone;
mod upstream;
mod version5;

/// The forwarder promises to return within this.
const STOPS_WITHIN: Duration = Duration::from_secs(3);

const OUTPUT: &str = "control-room";
const STATUS: &str = "forewarn/v1/plant/status";
const EVENT: &str = "forewarn/v1/plant/event";

/// A journal and the forwarder that empties it.
struct Gateway {
    dir: PathBuf,
    journal: Journal,
    telemetry: Telemetry,
    tap: Tap,
    inbox: mpsc::Receiver<Delivery>,
    metrics: Arc<Metrics>,
    stop: watch::Sender<bool>,
    tasks: JoinSet<()>,
}

impl Gateway {
    fn start(broker: &Mosquitto) -> Self {
        Self::begin(target(broker.port()), 64 << 20)
    }

    /// With a journal of at most `max_size` bytes.
    fn begin(target: MqttTarget, max_size: u64) -> Self {
        Self::begin_in(folder(), target, max_size)
    }

    /// Over the journal that another left in this folder, or a fresh one.
    fn begin_in(dir: PathBuf, target: MqttTarget, max_size: u64) -> Self {
        Self::begin_for(Readers::default(), dir, target, max_size)
    }

    /// With these persons and their duties.
    fn begin_for(readers: Readers, dir: PathBuf, target: MqttTarget, max_size: u64) -> Self {
        let settings = JournalSettings {
            path: dir.join("journal.db"),
            max_size,
            keep_events: Duration::from_secs(3600),
            first_epoch: Some(1),
        };
        let metrics = Arc::new(Metrics::default());
        let outputs = [Arc::from(OUTPUT)];
        let (journal, _) =
            forewarn::journal::start(&settings, "plant", &outputs, Arc::clone(&metrics))
                .expect("the journal opens");
        let (readings, inbox) = mpsc::channel(64);
        let (requests, _nobody_asks) = mpsc::channel(16);
        let (telemetry, tap) = telemetry::recorded(&metrics);
        let (stop, stopped) = watch::channel(false);
        let wiring = Wiring {
            site: "plant".into(),
            guidance: Directory::new(["A", "B", "C"].map(guidance)).into(),
            feed: journal.feed(),
            readers,
            links: None,
            desk: Desk::new(requests),
            telemetry: Some(telemetry.feed()),
            readings,
            metrics: Arc::clone(&metrics),
            sources: Arc::default(),
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(run(OUTPUT.into(), PointIndex(0), target, wiring, stopped));
        Self {
            dir,
            journal,
            telemetry,
            tap,
            inbox,
            metrics,
            stop,
            tasks,
        }
    }

    /// Commits one event of an alarm.
    fn commit(&self, point: &str, occurrence: u64, state: AlarmState) {
        self.journal.inbox().push(Record {
            event: Box::new(event(point, occurrence, state)),
            committed: None,
        });
    }

    /// The metrics page.
    fn page(&self) -> String {
        self.metrics.render(None)
    }

    /// Waits until an event is committed.
    async fn committed(&self, seq: u64) {
        self.journal.feed().advanced(seq - 1).await;
    }

    /// Waits until the broker has acknowledged everything up to here.
    async fn delivered(&self, seq: u64) {
        let feed = self.journal.feed();
        let there = async {
            while feed.cursor(OUTPUT) < seq {
                sleep(Duration::from_millis(10)).await;
            }
        };
        timeout(DEADLINE, there).await.expect("all delivered");
        assert_eq!(feed.cursor(OUTPUT), seq);
    }

    /// Waits until the status point says this.
    async fn status(&mut self, expected: f64) {
        let said = async {
            loop {
                let delivery = self.inbox.recv().await.expect("the forwarder runs");
                let text = format!("{:?}", delivery.readings);
                if text.contains(&format!("Finite({expected:?})")) {
                    return;
                }
            }
        };
        timeout(DEADLINE, said).await.expect("in time");
    }

    async fn stop(self) {
        let dir = self.end().await;
        std::fs::remove_dir_all(dir).expect("removed");
    }

    /// Stops and leaves the journal where it is.
    async fn end(mut self) -> PathBuf {
        self.stop.send(true).expect("the forwarder runs");
        timeout(STOPS_WITHIN + BUSY, self.tasks.join_next())
            .await
            .expect("ends in time")
            .expect("ran")
            .expect("without a panic");
        close(self.journal).await;
        self.dir
    }
}

/// A fresh one.
fn folder() -> PathBuf {
    static COUNT: AtomicU32 = AtomicU32::new(0);
    let number = COUNT.fetch_add(1, Ordering::Relaxed);
    let name = format!("forewarn-output-{}-{number}", std::process::id());
    let dir = std::env::temp_dir().join(name);
    std::fs::create_dir_all(&dir).expect("a writable temporary directory");
    dir
}

/// Closes it, so that another may open it. A disk knows nothing of paused time: its deadline is one of real time.
async fn close(journal: Journal) {
    let closing = spawn_blocking(move || {
        let clock = Builder::new_current_thread().enable_time().build();
        clock.expect("a runtime").block_on(journal.close(DEADLINE))
    });
    let stored = closing.await.expect("without a panic");
    assert!(stored, "everything is on disk");
}

fn target(port: u16) -> MqttTarget {
    MqttTarget {
        address: BrokerAddress {
            host: "127.0.0.1".to_owned(),
            port,
            tls: None,
            login: None,
            version: Version::V3,
            client_id: "forewarn-plant-fw".to_owned(),
            keep_alive: Duration::from_secs(5),
        },
        others: Vec::new(),
        prefix: "forewarn/v1".to_owned(),
        dots: Dots::Kept,
        window: 8,
        ack_timeout: DEADLINE,
        commands: [].into(),
        readings: Some(Form::Points),
    }
}

fn guidance(point: &str) -> Guidance {
    Guidance {
        kind: AlarmKind::High,
        priority: Priority::High,
        limit: Some(8.0),
        deadband: None,
        point: Arc::new(PointWords {
            id: point.into(),
            name: "Pressure".into(),
            area: Some("farm".into()),
            area_name: None,
            unit: "bar".into(),
            responsible: [].into(),
            measures: Measure::Pressure,
        }),
        words: Arc::new(AlarmWords {
            action: Some("Close V-12".into()),
            ..AlarmWords::default()
        }),
    }
}

fn event(point: &str, occurrence: u64, state: AlarmState) -> Event {
    let alarm: Arc<str> = format!("{point}/high").into();
    let at = forewarn::clock::now();
    Event {
        at,
        kind: if state.is_active() {
            EventKind::Raised
        } else {
            EventKind::Cleared
        },
        subject: Some(Subject {
            index: None,
            alarm: alarm.clone(),
            point: point.into(),
            area: None,
            unit: "bar".into(),
            occurrence,
            state,
            overlays: Overlays::default(),
            priority: Priority::High,
            value: Some(8.5),
            limit: Some(8.0),
            quality: Quality::Good,
            annunciated: true,
            first_out: false,
        }),
        cause: Cause::Process,
        details: Details::default(),
        record: Some(AlarmRecord {
            state,
            occurrence,
            raised_at: Some(at.wall),
            peak: Some(8.5),
            value: Some(8.5),
            ..AlarmRecord::new(alarm)
        }),
        others: Vec::new(),
    }
}

#[tokio::test]
async fn events_and_states_arrive_live_and_the_end_is_announced() {
    let broker = Mosquitto::start("").await;
    let mut upstream = Upstream::connect(&broker, "upstream").await;
    let mut gateway = Gateway::start(&broker);
    gateway.status(0.0).await;
    gateway.commit("A", 1, AlarmState::Unacknowledged);
    let all = "everything of the first event";
    upstream
        .until(all, |upstream| {
            upstream.text(STATUS, "status") == Some("online")
                && upstream.state("A") == Some("unacknowledged")
                && upstream.state("B") == Some("normal")
                && upstream.state("C") == Some("normal")
                && upstream.seqs() == BTreeSet::from([1])
        })
        .await;
    assert!(upstream.events[0].get("replayed").is_none());
    gateway.delivered(1).await;
    let telemetry = "forewarn/v1/plant/reading/A";
    upstream
        .until("telemetry", |upstream| {
            upstream.latest.contains_key(telemetry)
        })
        .await;
    assert_eq!(upstream.latest[telemetry]["value"], 7.5);

    gateway.stop().await;
    upstream
        .until("the farewell", |upstream| {
            upstream.text(STATUS, "reason") == Some("stopped")
        })
        .await;
}

#[tokio::test]
async fn what_happened_in_an_outage_arrives_afterwards_and_is_marked() {
    let mut broker = Mosquitto::persistent("").await;
    let mut upstream = Upstream::connect(&broker, "upstream").await;
    let mut gateway = Gateway::start(&broker);
    gateway.status(0.0).await;
    gateway.commit("A", 1, AlarmState::Unacknowledged);
    upstream
        .until("the first", |upstream| upstream.seqs().len() == 1)
        .await;
    gateway.delivered(1).await;

    broker.stop().await;
    gateway.status(2.0).await;
    for occurrence in 2..=41 {
        gateway.commit("A", occurrence, AlarmState::Unacknowledged);
        gateway.commit("B", occurrence, AlarmState::Unacknowledged);
    }
    gateway.commit("A", 41, AlarmState::Normal);
    broker.start_again().await;
    gateway.status(0.0).await;
    gateway.delivered(82).await;
    gateway.commit("C", 1, AlarmState::Unacknowledged);
    gateway.delivered(83).await;
    upstream
        .until("all events", |upstream| {
            upstream.seqs() == (1..=83).collect()
        })
        .await;
    for event in &upstream.events {
        let seq = event["seq"].as_u64().expect("a number");
        let replayed = event.get("replayed").is_some();
        assert_eq!(replayed, (2..=82).contains(&seq), "event {seq}");
    }
    upstream
        .until("the last states", |upstream| {
            upstream.state("A") == Some("normal")
                && upstream.state("B") == Some("unacknowledged")
                && upstream.state("C") == Some("unacknowledged")
        })
        .await;
    gateway.stop().await;
}

#[tokio::test]
async fn a_broker_that_forgot_everything_is_told_every_state() {
    let mut broker = Mosquitto::start("").await;
    let mut gateway = Gateway::start(&broker);
    gateway.commit("B", 1, AlarmState::Unacknowledged);
    gateway.delivered(1).await;
    broker.kill();
    gateway.status(2.0).await;
    broker.start_again().await;
    gateway.status(0.0).await;
    let mut upstream = Upstream::connect(&broker, "late").await;
    upstream
        .until("every state", |upstream| {
            upstream.state("A") == Some("normal")
                && upstream.state("B") == Some("unacknowledged")
                && upstream.state("C") == Some("normal")
                && upstream.text(STATUS, "status") == Some("online")
        })
        .await;
    assert!(upstream.events.is_empty());
    gateway.stop().await;
}

#[tokio::test]
async fn the_topic_of_an_alarm_that_is_no_longer_configured_is_taken_away() {
    let mut broker = Mosquitto::persistent("").await;
    let mut upstream = Upstream::connect(&broker, "upstream").await;
    let mut gateway = Gateway::start(&broker);
    gateway.status(0.0).await;
    let ghost = "forewarn/v1/plant/alarm/GONE/high";
    let state = r#"{"state":"unacknowledged"}"#;
    let asked = upstream
        .client
        .publish(ghost, QoS::AtLeastOnce, true, state);
    asked.await.expect("room for one request");
    upstream
        .until("the ghost", |upstream| upstream.state("GONE").is_some())
        .await;
    gateway.commit("GONE", 1, AlarmState::Normal);
    gateway.delivered(1).await;
    assert_eq!(upstream.state("GONE"), Some("unacknowledged"));
    broker.stop().await;
    gateway.status(2.0).await;
    broker.start_again().await;
    upstream
        .until("no ghost", |upstream| upstream.latest[ghost].is_null())
        .await;
    gateway.stop().await;
}

#[tokio::test]
async fn the_last_will_speaks_for_a_gateway_that_died() {
    let broker = Mosquitto::start("").await;
    let mut upstream = Upstream::connect(&broker, "upstream").await;
    let mut gateway = Gateway::start(&broker);
    gateway.status(0.0).await;
    upstream
        .until("online", |upstream| {
            upstream.text(STATUS, "status") == Some("online")
        })
        .await;
    gateway.tasks.shutdown().await;
    upstream
        .until("the last will", |upstream| {
            upstream.text(STATUS, "reason") == Some("connection_lost")
        })
        .await;
    close(gateway.journal).await;
    std::fs::remove_dir_all(&gateway.dir).expect("removed");
}
