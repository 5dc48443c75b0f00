//! The task of the sensors: connect, publish what is due, connect again.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use rumqttc::QoS;
use tokio::sync::mpsc;
use tokio::time::{Instant, sleep_until};

use super::SensorsConfig;
use super::payload::MalformedOrder;
use super::sensor::Sensor;
use crate::clock;
use crate::link::{Backoff, Event, INFLIGHT, Link, LinkOptions, Trouble};

/// What the handle reads and the task counts.
#[derive(Debug, Default)]
pub(super) struct Counters {
    published: AtomicU64,
    acknowledged: AtomicU64,
    lost: AtomicU64,
}

impl Counters {
    pub(super) fn published(&self) -> u64 {
        self.published.load(Ordering::Relaxed)
    }

    pub(super) fn acknowledged(&self) -> u64 {
        self.acknowledged.load(Ordering::Relaxed)
    }

    pub(super) fn lost(&self) -> u64 {
        self.lost.load(Ordering::Relaxed)
    }
}

struct Publisher {
    started: Instant,
    counters: Arc<Counters>,
    /// Each sensor with the moment of its next sample.
    sensors: Vec<(Instant, Sensor)>,
    /// Orders for later, the latest first.
    schedule: Vec<MalformedOrder>,
}

/// Runs until the sender of orders is dropped.
pub(super) async fn run(
    config: SensorsConfig,
    counters: Arc<Counters>,
    trouble: Trouble,
    mut orders: mpsc::Receiver<MalformedOrder>,
) {
    let options = LinkOptions {
        broker: config.broker,
        client_id: config.client_id,
        persistent: false,
        requests: usize::from(INFLIGHT),
    };
    let started = clock::now();
    let mut schedule = config.malformed;
    schedule.sort_by_key(|order| std::cmp::Reverse(order.at));
    let mut publisher = Publisher {
        started,
        counters,
        sensors: config.sensors.into_iter().map(|s| (started, s)).collect(),
        schedule,
    };
    let mut backoff = Backoff::new(trouble);
    let mut link = Some(Link::open(&options));
    let mut connected = false;
    let mut reopen_at = started;
    loop {
        tokio::select! {
            event = next(link.as_mut()) => match event {
                Event::Up => {
                    connected = true;
                    backoff.connected();
                }
                Event::Acked(_) => {
                    publisher.counters.acknowledged.fetch_add(1, Ordering::Relaxed);
                }
                Event::Down(why) => {
                    connected = false;
                    link = None;
                    reopen_at = clock::now() + backoff.failed(why);
                }
                Event::Sent(_) | Event::Subscribed { .. } | Event::Message(_) => {}
            },
            () = sleep_until(reopen_at), if link.is_none() => link = Some(Link::open(&options)),
            () = sleep_until(publisher.next_due()) => publisher.publish_due(link.as_ref().filter(|_| connected)),
            order = orders.recv() => match order {
                Some(order) => publisher.carry_out(&order, link.as_ref().filter(|_| connected)),
                None => break,
            },
        }
    }
    if let Some(link) = link {
        link.close().await;
    }
}

async fn next(link: Option<&mut Link>) -> Event {
    match link {
        Some(link) => link.next().await,
        None => std::future::pending().await,
    }
}

impl Publisher {
    fn next_due(&self) -> Instant {
        let order = self.schedule.last().map(|order| self.started + order.at);
        let samples = self.sensors.iter().map(|(due, _)| *due);
        let far = self.started + Duration::from_secs(86_400 * 365);
        samples.chain(order).min().unwrap_or(far)
    }

    fn publish_due(&mut self, link: Option<&Link>) {
        let now = clock::now();
        for (due, sensor) in &mut self.sensors {
            if *due > now {
                continue;
            }
            while *due <= now {
                *due += sensor.interval;
            }
            if let Some(sample) = sensor.sample(now - self.started) {
                let bytes = sensor.payload.render(&sample).into_bytes();
                send(&self.counters, link, sensor, bytes, sensor.retain);
            }
        }
        while let Some(order) = self.schedule.pop_if(|order| self.started + order.at <= now) {
            self.carry_out(&order, link);
        }
    }

    fn carry_out(&mut self, order: &MalformedOrder, link: Option<&Link>) {
        let since_start = clock::now() - self.started;
        for (_, sensor) in &mut self.sensors {
            let wanted = order
                .topic
                .as_ref()
                .is_none_or(|topic| *topic == sensor.topic);
            if let Some(sample) = wanted.then(|| sensor.sample(since_start)).flatten() {
                let (bytes, times, retain) = order.malformed.spoil(&sensor.payload, &sample);
                for _ in 0..times {
                    send(
                        &self.counters,
                        link,
                        sensor,
                        bytes.clone(),
                        retain || sensor.retain,
                    );
                }
            }
        }
    }
}

/// Never waits: a sensor without a way to its broker loses the sample.
fn send(counters: &Counters, link: Option<&Link>, sensor: &Sensor, bytes: Vec<u8>, retain: bool) {
    let qos = if sensor.at_least_once {
        QoS::AtLeastOnce
    } else {
        QoS::AtMostOnce
    };
    let taken = link.is_some_and(|link| {
        link.client
            .try_publish(sensor.topic.clone(), qos, retain, bytes)
            .is_ok()
    });
    let counter = if taken {
        &counters.published
    } else {
        &counters.lost
    };
    counter.fetch_add(1, Ordering::Relaxed);
}
