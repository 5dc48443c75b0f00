//! The control room's end of the line: receives events and judges their delivery.
//!
//! Subscribes to everything below `PREFIX/SITE/` at QoS 1 and acknowledges a message only once it stands in
//! the [`Record`], so that a receiver that was killed proves nothing lost which it had not seen. With a
//! persistent session the broker keeps for it what comes while it is away.

mod record;
#[cfg(test)]
mod tests;

use std::time::Duration;

use rumqttc::QoS;
use serde_json::Value;
use tokio::sync::{oneshot, watch};
use tokio::task::JoinHandle;
use tokio::time::{sleep, timeout};

pub use crate::link::{Broker, Trouble};
pub use record::{Received, Record};

use crate::clock;
use crate::link::{Backoff, Event, Link, LinkOptions};

/// Requests that wait for the wire: acknowledgements, far above any broker's in-flight limit.
const REQUESTS: usize = 10_000;
const STOP: Duration = Duration::from_secs(3);

/// A receiver to be.
#[derive(Debug, Clone)]
pub struct ReceiverConfig {
    /// Where to subscribe.
    pub broker: Broker,
    /// Identifies the connection, and the session when it is persistent.
    pub client_id: String,
    /// First part of all topics.
    pub prefix: String,
    /// The site of the gateway, the next part of all topics.
    pub site: String,
    /// Have the broker keep undelivered messages while the receiver is away.
    pub persistent: bool,
    /// Newest events kept in memory.
    pub keep: usize,
}

impl ReceiverConfig {
    /// A receiver for one site: default prefix, no persistent session, the newest 100,000 events.
    pub fn new(broker: Broker, site: &str) -> Self {
        Self {
            broker,
            client_id: format!("upstream-receiver-{site}"),
            prefix: "forewarn/v1".to_owned(),
            site: site.to_owned(),
            persistent: false,
            keep: 100_000,
        }
    }
}

/// A running receiver. Dropping it ends it at once; [`Receiver::stop`] acknowledges what it has first.
#[derive(Debug)]
pub struct Receiver {
    record: watch::Receiver<Record>,
    trouble: Trouble,
    stop: Option<oneshot::Sender<()>>,
    task: JoinHandle<()>,
}

impl Receiver {
    /// Connects and subscribes from now on, for ever anew; the broker need not be there yet.
    pub fn start(config: ReceiverConfig) -> Self {
        let (sender, record) = watch::channel(Record::new(config.keep));
        let (stop, stopped) = oneshot::channel();
        let trouble = Trouble::default();
        let task = clock::start(run(config, sender, trouble.clone(), stopped));
        Self {
            record,
            trouble,
            stop: Some(stop),
            task,
        }
    }

    /// Waits until a condition holds; `false` when it does not within the time given.
    ///
    /// ```ignore
    /// let raised = |record: &Record| record.events().any(|event| event["event"] == "raised");
    /// assert!(receiver.wait_for(raised, Duration::from_secs(5)).await);
    /// ```
    #[must_use]
    pub async fn wait_for(&self, condition: impl FnMut(&Record) -> bool, within: Duration) -> bool {
        let mut record = self.record.clone();
        matches!(timeout(within, record.wait_for(condition)).await, Ok(Ok(_)))
    }

    /// Waits until the broker granted the subscription; `false` when it did not within the time given.
    #[must_use]
    pub async fn subscribed(&self, within: Duration) -> bool {
        self.wait_for(|record| record.subscriptions() > 0, within)
            .await
    }

    /// Why there is no connection.
    pub fn trouble(&self) -> &Trouble {
        &self.trouble
    }

    /// Looks at the record as it is now. The receiver takes nothing in meanwhile.
    pub fn look<T>(&self, look: impl FnOnce(&Record) -> T) -> T {
        look(&self.record.borrow())
    }

    /// Waits for events after the first `cursor` ones, and gives those still kept. The next cursor is
    /// [`Record::received`], returned beside them.
    pub async fn events_after(&self, cursor: u64) -> (Vec<Received>, u64) {
        let mut record = self.record.clone();
        match record.wait_for(|record| record.received() > cursor).await {
            Ok(record) => (record.after(cursor), record.received()),
            // The receiver has ended: nothing will come any more.
            Err(_) => std::future::pending().await,
        }
    }

    /// Ends the receiver and gives its summary.
    pub async fn stop(mut self) -> Value {
        // Dropped: the task reads it as the wish to end.
        self.stop = None;
        if timeout(STOP, &mut self.task).await.is_err() {
            self.task.abort();
        }
        self.look(Record::summary)
    }
}

impl Drop for Receiver {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn run(
    config: ReceiverConfig,
    record: watch::Sender<Record>,
    trouble: Trouble,
    mut stopped: oneshot::Receiver<()>,
) {
    let options = LinkOptions {
        broker: config.broker,
        client_id: config.client_id,
        persistent: config.persistent,
        requests: REQUESTS,
    };
    let base = format!("{}/{}/", config.prefix, config.site);
    let mut backoff = Backoff::new(trouble);
    loop {
        let mut link = Link::open(&options);
        let why = tokio::select! {
            why = receive(&mut link, &base, &record, &mut backoff) => why,
            _ = &mut stopped => {
                link.close().await;
                return;
            }
        };
        drop(link);
        tokio::select! {
            () = sleep(backoff.failed(why)) => {}
            _ = &mut stopped => return,
        }
    }
}

/// Receives until the connection is of no more use, and says why.
async fn receive(
    link: &mut Link,
    base: &str,
    record: &watch::Sender<Record>,
    backoff: &mut Backoff,
) -> String {
    loop {
        match link.next().await {
            Event::Up => {
                record.send_modify(Record::connected);
                let subscribed = link
                    .client
                    .try_subscribe(format!("{base}#"), QoS::AtLeastOnce);
                if subscribed.is_err() {
                    return "no room to subscribe".to_owned();
                }
            }
            Event::Subscribed { granted: true } => {
                backoff.connected();
                record.send_modify(Record::subscribed);
            }
            Event::Message(message) => {
                let topic = message.topic.strip_prefix(base).unwrap_or_default();
                record.send_modify(|record| record.accept(topic, &message.payload));
                // Without room for the acknowledgement the broker sends it again on the next connection.
                if link.client.try_ack(&message).is_err() {
                    return "no room to acknowledge".to_owned();
                }
            }
            Event::Subscribed { granted: false } => return format!("{base}# was refused"),
            Event::Down(why) => return why,
            Event::Sent(_) | Event::Acked(_) => {}
        }
    }
}
