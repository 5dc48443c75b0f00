//! Room four: committed events leave. One file per output, one delivery rule for all.

pub mod alertmanager;
mod aside;
pub mod command_topic;
pub mod courier;
pub mod delivery;
pub mod email;
mod finishing;
pub mod http_client;
pub mod message;
pub mod mqtt;
mod oldest;
mod present;
mod pubacks;
mod reporting;
mod retained;
pub mod selection;
mod shipment;
pub mod sparkplug;
mod stdout;
mod supply;
pub mod trial;
mod tries;
pub mod verdict;
pub mod webhook;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;

pub use self::alertmanager::AlertmanagerTarget;
pub use self::finishing::END;
use self::message::Dots;
pub use self::reporting::{DROP_REASONS, FAILURE_REASONS};
use self::selection::Selection;
pub use self::sparkplug::Origin;
use self::webhook::{Webhook, WebhookTarget};
use crate::ack_links::Links;
use crate::broker::{BrokerAddress, Server};
use crate::engine::reading::PointIndex;
use crate::evaluation::{Desk, Readings};
use crate::guidance::Directory;
use crate::journal::Feed;
use crate::metrics::Metrics;
use crate::telemetry;
use crate::wording::{Context, Language, Readers};

/// What an output is connected to inside the gateway.
#[derive(Debug, Clone)]
pub struct Wiring {
    /// The site, as in every topic.
    pub site: Arc<str>,
    /// What is fixed about each alarm.
    pub guidance: Arc<Directory>,
    /// Who reads messages, and how.
    pub readers: Readers,
    /// Makes links to acknowledge with, if there are any.
    pub links: Option<Arc<Links>>,
    /// What is committed, and this output's cursor.
    pub feed: Feed,
    /// For asking the engine.
    pub desk: Desk,
    /// What is recorded, when an output carries it.
    pub telemetry: Option<telemetry::Feed>,
    /// Where the status point's readings go.
    pub readings: Readings,
    /// Counters.
    pub metrics: Arc<Metrics>,
    /// What each point is read from, a device or a broker, by the point's id; empty unless an output asks.
    pub sources: Arc<BTreeMap<Arc<str>, Arc<str>>>,
}

impl Wiring {
    /// For whoever writes to people.
    fn context(&self) -> Context {
        let (site, guidance) = (Arc::clone(&self.site), Arc::clone(&self.guidance));
        Context::new(site, guidance, self.readers.clone())
    }
}

/// Runs one output until `shutdown` turns true.
pub async fn run(output: OutputSettings, wiring: Wiring, shutdown: watch::Receiver<bool>) {
    match output.target {
        Target::Mqtt(target) => {
            mqtt::run(output.id, output.status, target, wiring, shutdown).await;
        }
        Target::Webhook(target) => {
            let carrier = Webhook::new(Arc::clone(&output.id), wiring.context(), *target)
                .expect("its template was compiled when the configuration was checked")
                .with_links(wiring.links.clone())
                .with_feed(wiring.feed.clone());
            courier::run(output.id, output.status, carrier, wiring, shutdown).await;
        }
        Target::Sparkplug(target) => {
            sparkplug::run(output.id, output.status, target, wiring, shutdown).await;
        }
        Target::Stdout => {
            let carrier = stdout::Stdout;
            courier::run(output.id, output.status, carrier, wiring, shutdown).await;
        }
        Target::Alertmanager(target) => {
            alertmanager::run(output.id, output.status, target, wiring, shutdown).await;
        }
        Target::Email(target) => {
            let carrier = email::Email::new(Arc::clone(&output.id), target, wiring.context())
                .with_links(wiring.links.clone());
            courier::run(output.id, output.status, carrier, wiring, shutdown).await;
        }
    }
}

/// One output.
#[derive(Debug, Clone, PartialEq)]
pub struct OutputSettings {
    /// The output's id in the configuration; its durable cursor hangs on it.
    pub id: Arc<str>,
    /// Where events go.
    pub target: Target,
    /// The gateway's own point that says how this output serves ([`Service`](crate::engine::reading::Service)).
    pub status: PointIndex,
}

/// Kinds of output.
#[derive(Debug, Clone, PartialEq)]
pub enum Target {
    /// An MQTT broker (contract, section 6).
    Mqtt(MqttTarget),
    /// An MQTT broker, as an edge node of Sparkplug B.
    Sparkplug(SparkplugTarget),
    /// Standard output, a line for each event.
    Stdout,
    /// Anything that takes a POST.
    Webhook(Box<WebhookTarget>),
    /// Every member of an Alertmanager.
    Alertmanager(AlertmanagerTarget),
    /// Notices by mail.
    Email(email::EmailTarget),
}

impl Target {
    /// Does it deliver events, so that the journal has to keep those that it has not delivered yet?
    pub const fn carries_events(&self) -> bool {
        match self {
            Self::Mqtt(_)
            | Self::Webhook(_)
            | Self::Email(_)
            | Self::Sparkplug(_)
            | Self::Stdout => true,
            Self::Alertmanager(_) => false,
        }
    }
}

impl Target {
    /// Do people read what it is sent, as far as we know? Whatever takes a template of the plant's own, or events
    /// in a form for programs, may be anything.
    pub fn is_for_people(&self) -> bool {
        match self {
            Self::Email(_) | Self::Alertmanager(_) => true,
            Self::Webhook(target) => {
                let preset = target.preset;
                preset.is_some_and(|preset| preset.selection != Selection::Events)
            }
            Self::Mqtt(_) | Self::Sparkplug(_) | Self::Stdout => false,
        }
    }

    /// Does it carry telemetry from the recorder? A Sparkplug node tells values in a way of its own.
    pub const fn carries_telemetry(&self) -> bool {
        match self {
            Self::Mqtt(target) => target.readings.is_some(),
            Self::Webhook(_)
            | Self::Email(_)
            | Self::Sparkplug(_)
            | Self::Stdout
            | Self::Alertmanager(_) => false,
        }
    }

    /// Speaks another language, if it speaks to people at all.
    pub const fn speak(&mut self, language: Language) {
        match self {
            Self::Webhook(target) => target.language = Some(language),
            Self::Email(target) => target.language = Some(language),
            Self::Mqtt(_) | Self::Sparkplug(_) | Self::Stdout | Self::Alertmanager(_) => {}
        }
    }
}

/// Upstream over MQTT 3.1.1.
#[derive(Debug, Clone, PartialEq)]
pub struct MqttTarget {
    /// Where the broker is.
    pub address: BrokerAddress,
    /// Its other servers, when several are one broker; tried in turn.
    pub others: Vec<Server>,
    /// First levels of every topic; default `forewarn/v1`.
    pub prefix: String,
    /// How topics are spelt.
    pub dots: Dots,
    /// Events without their PUBACK at most.
    pub window: usize,
    /// A PUBACK later than this drops the connection.
    pub ack_timeout: Duration,
    /// Ids of the persons who may command over this broker; empty: nobody listens.
    pub commands: Arc<[Arc<str>]>,
    /// In which form telemetry goes out; `None`: not at all.
    pub readings: Option<Form>,
}

/// The form of telemetry.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// A message for each record, on the topic of its point.
    Points,
    /// Many records in a message, on one topic.
    Batches,
}

/// Upstream as an edge node of Sparkplug B 3.0, over MQTT 3.1.1.
#[derive(Debug, Clone, PartialEq)]
pub struct SparkplugTarget {
    /// Where the broker is.
    pub address: BrokerAddress,
    /// Group id; default `forewarn`.
    pub group: String,
    /// Edge node id; default: the site.
    pub node: String,
    /// Id of the host application that must be there before anything is told; `None`: whoever listens.
    pub primary_host: Option<String>,
    /// Events without a receipt at most.
    pub window: usize,
    /// A receipt later than this drops the connection.
    pub ack_timeout: Duration,
    /// Tell values that have changed this often.
    pub readings: Duration,
    /// Devices and brokers that bring points.
    pub origins: Arc<[Origin]>,
    /// Where the number of its connections is kept: the journal's folder.
    pub folder: PathBuf,
}

impl MqttTarget {
    /// Host and port of every server, as configured.
    pub fn servers(&self) -> impl Iterator<Item = (&str, u16)> {
        let first = (self.address.host.as_str(), self.address.port);
        let others = self.others.iter();
        std::iter::once(first).chain(others.map(|other| (other.host.as_str(), other.port)))
    }
}
