//! The floor: the least that could be called the same job, on the same crates. What the gateway costs
//! beyond it is the price of configuration, quality, metrics, life cycle and queues.
//!
//! Subscribed at QoS 1 in a persistent session with manual acknowledgements, as the gateway is: a
//! message is acknowledged after its reading was judged, and what it caused is committed (SQLite, WAL,
//! FULL, one commit an alarm) and handed to a second connection. Rules: a threshold with hysteresis,
//! and a rate of change between two points of time. No configuration, no metrics, no group commit, no
//! back-pressure; it ends at the first error.

use std::collections::HashMap;
use std::error::Error;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Duration;

use rumqttc::{AsyncClient, Event, EventLoop, MqttOptions, Packet, QoS, SubscribeFilter};
use rusqlite::Connection;

use crate::clock;
use crate::plant;

/// Arguments of the floor program.
#[derive(Debug, clap::Args)]
pub(crate) struct FloorArgs {
    /// Where readings come from and alarms go to
    #[arg(long)]
    broker: SocketAddr,
    /// Names the client and the event topic
    #[arg(long)]
    site: String,
    /// How many points
    #[arg(long)]
    points: usize,
    /// Folder for the database
    #[arg(long)]
    data: PathBuf,
}

struct Point {
    name: String,
    high: bool,
    rising: bool,
    /// Time in ms and value that the next rate is measured from.
    from: Option<(u64, f64)>,
}

struct Floor {
    points: Vec<Point>,
    by_topic: HashMap<String, usize>,
    database: Connection,
    upstream: AsyncClient,
    event_topic: String,
}

/// Runs until it is killed.
pub(crate) fn run(args: &FloorArgs) -> Result<(), Box<dyn Error>> {
    tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()?
        .block_on(serve(args))
}

async fn serve(args: &FloorArgs) -> Result<(), Box<dyn Error>> {
    let (upstream, forwarding) = client(args, "out", true);
    let mut floor = Floor {
        points: (0..args.points).map(Point::new).collect(),
        by_topic: (0..args.points)
            .map(|point| (plant::topic(point), point))
            .collect(),
        database: database(&args.data)?,
        upstream,
        event_topic: plant::event_topic(&args.site),
    };
    let (ingest, reading) = client(args, "in", false);
    tokio::select! {
        ended = forward(forwarding) => ended,
        ended = floor.ingest(&ingest, reading) => ended,
    }
}

fn client(args: &FloorArgs, role: &str, clean: bool) -> (AsyncClient, EventLoop) {
    let id = format!("floor-{}-{role}", args.site);
    let mut options = MqttOptions::new(id, args.broker.ip().to_string(), args.broker.port());
    options
        .set_keep_alive(Duration::from_secs(10))
        .set_clean_session(clean)
        .set_manual_acks(true)
        .set_max_packet_size(256 * 1024, 1024 * 1024);
    let (client, mut events) = AsyncClient::new(options, 512);
    events.network_options.set_tcp_nodelay(true);
    (client, events)
}

async fn forward(mut events: EventLoop) -> Result<(), Box<dyn Error>> {
    loop {
        events.poll().await?;
    }
}

fn database(folder: &Path) -> rusqlite::Result<Connection> {
    let database = Connection::open(folder.join("floor.db"))?;
    database.execute_batch(
        "PRAGMA page_size = 1024; PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
         PRAGMA wal_autocheckpoint = 200;
         CREATE TABLE event (seq INTEGER PRIMARY KEY, line TEXT NOT NULL) STRICT;",
    )?;
    Ok(database)
}

impl Floor {
    async fn ingest(
        &mut self,
        client: &AsyncClient,
        mut events: EventLoop,
    ) -> Result<(), Box<dyn Error>> {
        loop {
            match events.poll().await? {
                Event::Incoming(Packet::ConnAck(_)) => {
                    let topics = (0..self.points.len()).map(plant::topic);
                    client.try_subscribe_many(
                        topics.map(|topic| SubscribeFilter::new(topic, QoS::AtLeastOnce)),
                    )?;
                }
                Event::Incoming(Packet::Publish(publish)) => {
                    if let Some(point) = self.by_topic.get(&publish.topic) {
                        self.judge(*point, &publish.payload)?;
                    }
                    if publish.qos != QoS::AtMostOnce {
                        client.try_ack(&publish)?;
                    }
                }
                Event::Incoming(_) | Event::Outgoing(_) => {}
            }
        }
    }

    fn judge(&mut self, index: usize, payload: &[u8]) -> Result<(), Box<dyn Error>> {
        let reading: serde_json::Value = serde_json::from_slice(payload)?;
        let (Some(value), Some(time)) = (reading["value"].as_f64(), reading["ts"].as_u64()) else {
            return Ok(());
        };
        let point = &mut self.points[index];
        let high = if point.high {
            value > plant::HIGH - 1.0
        } else {
            value >= plant::HIGH
        };
        let rising = point.rate(time, value).map_or(point.rising, |per_minute| {
            per_minute >= plant::RISE_PER_MINUTE
        });
        let changes = [
            (high != point.high, high, "high", plant::HIGH),
            (
                rising != point.rising,
                rising,
                "rise",
                plant::RISE_PER_MINUTE,
            ),
        ];
        (point.high, point.rising) = (high, rising);
        for (changed, active, kind, limit) in changes {
            if changed {
                self.announce(index, kind, active, value, limit)?;
            }
        }
        Ok(())
    }

    /// Commits, then publishes.
    fn announce(
        &mut self,
        index: usize,
        kind: &str,
        active: bool,
        value: f64,
        limit: f64,
    ) -> Result<(), Box<dyn Error>> {
        let name = &self.points[index].name;
        let line = serde_json::json!({
            "event": if active { "raised" } else { "cleared" },
            "alarm": format!("{name}/{kind}"),
            "point": name,
            "kind": kind,
            "value": value,
            "limit": limit,
            "unit": plant::UNIT,
            "time": clock::unix_ms(),
        })
        .to_string();
        self.database
            .prepare_cached("INSERT INTO event (line) VALUES (?1)")?
            .execute([&line])?;
        self.upstream
            .try_publish(&self.event_topic, QoS::AtLeastOnce, false, line)?;
        Ok(())
    }
}

impl Point {
    fn new(index: usize) -> Self {
        Self {
            name: plant::point(index),
            high: false,
            rising: false,
            from: None,
        }
    }

    /// Units per minute since about a minute ago; none before there is one.
    fn rate(&mut self, time: u64, value: f64) -> Option<f64> {
        let Some((since, from)) = self.from else {
            self.from = Some((time, value));
            return None;
        };
        let elapsed = Duration::from_millis(time.saturating_sub(since));
        if elapsed < Duration::from_secs(60) {
            return None;
        }
        self.from = Some((time, value));
        Some((value - from) / elapsed.as_secs_f64() * 60.0)
    }
}
