//! Sensors that publish over MQTT 3.1.1, and a load of many.
//!
//! All sensors of a [`Sensors`] share one connection, as behind a field gateway. What they measure while the
//! broker is away is lost and counted, as with real ones; they connect again for ever. [`load`] is
//! different: it exists to prove that nothing is lost, so it sends again what was not acknowledged.

pub mod load;
mod payload;
mod publisher;
mod sensor;
#[cfg(test)]
mod tests;

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use tokio::sync::mpsc;
use tokio::task::JoinHandle;
use tokio::time::timeout;

pub use crate::link::{Broker, Trouble};
pub use payload::{Malformed, MalformedOrder, Payload};
use publisher::Counters;
pub use sensor::Sensor;

use crate::clock;

/// Orders (malformed payloads) that wait to be carried out.
const ORDERS: usize = 64;
const STOP: Duration = Duration::from_secs(3);

/// Sensors to be, and the broker they publish to.
#[derive(Debug)]
pub struct SensorsConfig {
    /// Where to publish.
    pub broker: Broker,
    /// Identifies the connection; two with the same one evict each other for ever.
    pub client_id: String,
    /// What to publish.
    pub sensors: Vec<Sensor>,
    /// Malformed payloads at their times.
    pub malformed: Vec<MalformedOrder>,
}

/// Running sensors. Dropping it ends them at once; [`Sensors::stop`] says goodbye to the broker.
#[derive(Debug)]
pub struct Sensors {
    counters: Arc<Counters>,
    trouble: Trouble,
    orders: Option<mpsc::Sender<MalformedOrder>>,
    task: JoinHandle<()>,
}

impl Sensors {
    /// Connects and publishes from now on; the broker need not be there yet. Waveforms begin here.
    pub fn start(config: SensorsConfig) -> Self {
        let counters = Arc::new(Counters::default());
        let (orders, inbox) = mpsc::channel(ORDERS);
        let trouble = Trouble::default();
        let run = publisher::run(config, Arc::clone(&counters), trouble.clone(), inbox);
        let task = clock::start(run);
        Self {
            counters,
            trouble,
            orders: Some(orders),
            task,
        }
    }

    /// Sends a malformed payload now, whatever time the order says; `false` when too many are waiting.
    /// While there is no broker it is lost like any sample.
    pub fn send_malformed(&self, order: MalformedOrder) -> bool {
        self.orders
            .as_ref()
            .is_some_and(|orders| orders.try_send(order).is_ok())
    }

    /// Messages handed to a connection since the start.
    pub fn published(&self) -> u64 {
        self.counters.published()
    }

    /// Messages acknowledged by the broker since the start (QoS 1 only).
    pub fn acknowledged(&self) -> u64 {
        self.counters.acknowledged()
    }

    /// Samples that nobody could take, as there was no connection.
    pub fn lost(&self) -> u64 {
        self.counters.lost()
    }

    /// Why there is no connection.
    pub fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// The counts as one JSON object.
    pub fn summary(&self) -> Value {
        json!({
            "published": self.published(),
            "acknowledged": self.acknowledged(),
            "lost": self.lost(),
        })
    }

    /// Ends the sensors and their connection.
    pub async fn stop(mut self) {
        self.orders = None;
        if timeout(STOP, &mut self.task).await.is_err() {
            self.task.abort();
        }
    }
}

impl Drop for Sensors {
    fn drop(&mut self) {
        self.task.abort();
    }
}
