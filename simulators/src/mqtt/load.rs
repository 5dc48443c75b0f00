//! Many sensors at a given rate, counted.
//!
//! ```text
//! pace --> waiting (bounded) --> handed over --> in flight (by packet id) --> acknowledged
//!             ^                                       |
//!             `------- connection lost: all again ----'
//! ```
//! The count is exact at QoS 1: a run ends when every message was acknowledged. After a lost connection
//! what was not acknowledged is sent again, so receivers may see duplicates, told by `seq`.

use std::collections::{BTreeMap, VecDeque};
use std::time::Duration;

use rumqttc::QoS;
use serde_json::{Value, json};
use tokio::time::{Instant, MissedTickBehavior, interval, sleep};

use super::payload::{Payload, Sample};
use crate::clock;
use crate::link::{Backoff, Broker, Event, INFLIGHT, Link, LinkOptions, Trouble};
use crate::waveform::Waveform;

/// Unacknowledged at a time: half of rumqttc's, which keeps its packet identifiers from colliding.
const WINDOW: usize = (INFLIGHT / 2) as usize;
/// Messages that wait for a slow broker; then the pace itself waits.
const WAITING: usize = 10_000;
const TICK: Duration = Duration::from_millis(2);

/// How much of what to send.
#[derive(Debug, Clone)]
pub struct LoadConfig {
    /// Where to publish.
    pub broker: Broker,
    /// Identifies the connection.
    pub client_id: String,
    /// Sensors, on topics `load/0` and up.
    pub sensors: u32,
    /// Messages per second, all sensors together.
    pub rate: f64,
    /// How long to send.
    pub duration: Duration,
    /// What each sensor sees, with a seed of its own.
    pub waveform: Waveform,
    /// How much later than its neighbour each sensor lives through the waveform.
    pub stagger: Duration,
    /// The form of the payload; `{seq}` counts per sensor from 1.
    pub payload: Payload,
    /// Acknowledged by the broker (QoS 1), or sent once and hoped for (QoS 0).
    pub at_least_once: bool,
    /// Count how often a sensor comes to this or above from below; its first sample counts, too.
    pub limit: Option<f64>,
}

impl LoadConfig {
    /// The payload used unless another is asked for.
    pub const PAYLOAD: &str = r#"{"value":{value},"seq":{seq},"ts":{ts_ms}}"#;
}

/// What was sent.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct LoadReport {
    /// Different messages sent; samples in a dropout are none.
    pub published: u64,
    /// Those of them the broker acknowledged; 0 at QoS 0.
    pub acknowledged: u64,
    /// Messages sent again after a lost connection.
    pub resent: u64,
    /// How often a sensor came to or above [`LoadConfig::limit`]; 0 without one.
    pub crossings: u64,
    /// Connections made.
    pub connections: u64,
    /// From the first message to the last acknowledgement, in seconds.
    pub seconds: f64,
}

impl LoadReport {
    /// The report as one JSON object.
    pub fn to_json(&self) -> Value {
        json!({
            "published": self.published,
            "acknowledged": self.acknowledged,
            "resent": self.resent,
            "crossings": self.crossings,
            "connections": self.connections,
            "seconds": self.seconds,
        })
    }
}

#[derive(Debug)]
struct Message {
    topic: String,
    bytes: String,
}

struct Load {
    config: LoadConfig,
    waveforms: Vec<Waveform>,
    /// Which sensors are at or above the limit.
    above: Vec<bool>,
    /// Samples taken, dropouts included; the next one is of sensor `taken % sensors`.
    taken: u64,
    total: u64,
    waiting: VecDeque<Message>,
    handed_over: VecDeque<Message>,
    in_flight: BTreeMap<u16, Message>,
    report: LoadReport,
}

/// Sends the load and waits until all of it is acknowledged, across as many connections as it takes.
/// Bound it with a timeout where the broker may never come back.
pub async fn run(config: LoadConfig, trouble: &Trouble) -> LoadReport {
    let options = LinkOptions {
        broker: config.broker.clone(),
        client_id: config.client_id.clone(),
        persistent: false,
        requests: usize::from(INFLIGHT),
    };
    let mut load = Load::new(config);
    let mut backoff = Backoff::new(trouble.clone());
    let mut started = None;
    loop {
        let mut link = Link::open(&options);
        let Err(why) = load
            .one_connection(&mut link, &mut started, &mut backoff)
            .await
        else {
            load.report.seconds =
                started.map_or(0.0, |started| (clock::now() - started).as_secs_f64());
            link.close().await;
            return load.report;
        };
        drop(link);
        load.take_back();
        sleep(backoff.failed(why)).await;
    }
}

impl Load {
    fn new(config: LoadConfig) -> Self {
        let sensors = config.sensors.max(1);
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate below zero sends nothing"
        )]
        let total = (config.rate * config.duration.as_secs_f64()).round() as u64;
        Self {
            waveforms: (0..sensors)
                .map(|sensor| config.waveform.clone().with_seed(sensor.into()))
                .collect(),
            above: vec![false; sensors as usize],
            config,
            taken: 0,
            total,
            waiting: VecDeque::new(),
            handed_over: VecDeque::new(),
            in_flight: BTreeMap::new(),
            report: LoadReport {
                published: 0,
                acknowledged: 0,
                resent: 0,
                crossings: 0,
                connections: 0,
                seconds: 0.0,
            },
        }
    }

    /// Until everything is done, or why the connection was lost.
    async fn one_connection(
        &mut self,
        link: &mut Link,
        started: &mut Option<Instant>,
        backoff: &mut Backoff,
    ) -> Result<(), String> {
        let mut tick = interval(TICK);
        tick.set_missed_tick_behavior(MissedTickBehavior::Delay);
        let mut connected = false;
        loop {
            tokio::select! {
                event = link.next() => match event {
                    Event::Up => {
                        connected = true;
                        backoff.connected();
                        self.report.connections += 1;
                    }
                    Event::Sent(id) => self.sent(id),
                    Event::Acked(id) => self.acknowledged(id),
                    Event::Down(why) => return Err(why),
                    Event::Subscribed { .. } | Event::Message(_) => {}
                },
                _ = tick.tick() => {}
            }
            if connected {
                let since_start = clock::now() - *started.get_or_insert_with(clock::now);
                self.take_samples(since_start);
                self.hand_over(link);
                if self.is_done() {
                    return Ok(());
                }
            }
        }
    }

    /// Takes the samples that are due by now.
    fn take_samples(&mut self, since_start: Duration) {
        #[expect(
            clippy::cast_possible_truncation,
            clippy::cast_sign_loss,
            reason = "a rate below zero sends nothing"
        )]
        let due = (since_start.as_secs_f64() * self.config.rate) as u64;
        let sensors = self.waveforms.len() as u64;
        while self.taken < due.min(self.total) && self.waiting.len() < WAITING {
            let (sensor, sequence) = (self.taken % sensors, self.taken / sensors + 1);
            self.taken += 1;
            let number = u32::try_from(sensor).unwrap_or(u32::MAX);
            let Some(waveform) = self.waveforms.get_mut(number as usize) else {
                continue;
            };
            let time = since_start + self.config.stagger * number;
            if let Some(value) = waveform.at(time) {
                let above = self.config.limit.is_some_and(|limit| value >= limit);
                if let Some(was_above) = self.above.get_mut(number as usize) {
                    self.report.crossings += u64::from(above && !*was_above);
                    *was_above = above;
                }
                let sample = Sample {
                    value,
                    unix_ms: clock::unix_ms(),
                    sequence,
                };
                self.waiting.push_back(Message {
                    topic: format!("load/{sensor}"),
                    bytes: self.config.payload.render(&sample),
                });
                self.report.published += 1;
            }
        }
    }

    fn hand_over(&mut self, link: &Link) {
        let qos = if self.config.at_least_once {
            QoS::AtLeastOnce
        } else {
            QoS::AtMostOnce
        };
        while self.handed_over.len() + self.in_flight.len() < WINDOW {
            let Some(message) = self.waiting.pop_front() else {
                return;
            };
            let (topic, bytes) = (message.topic.clone(), message.bytes.clone());
            if link.client.try_publish(topic, qos, false, bytes).is_err() {
                self.waiting.push_front(message);
                return;
            }
            self.handed_over.push_back(message);
        }
    }

    /// rumqttc names no token: what goes out next is what was handed over first.
    fn sent(&mut self, id: u16) {
        if let Some(message) = self.handed_over.pop_front()
            && id != 0
        {
            self.in_flight.insert(id, message);
        }
    }

    fn acknowledged(&mut self, id: u16) {
        if self.in_flight.remove(&id).is_some() {
            self.report.acknowledged += 1;
        }
    }

    /// Puts everything unacknowledged back in front, in about its old order.
    fn take_back(&mut self) {
        self.report.resent += self.in_flight.len() as u64;
        for message in std::mem::take(&mut self.handed_over).into_iter().rev() {
            self.waiting.push_front(message);
        }
        for message in std::mem::take(&mut self.in_flight).into_values().rev() {
            self.waiting.push_front(message);
        }
    }

    fn is_done(&self) -> bool {
        self.taken >= self.total
            && self.waiting.is_empty()
            && self.handed_over.is_empty()
            && self.in_flight.is_empty()
    }
}
