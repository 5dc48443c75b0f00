//! Sparkplug B in: what edge nodes and their devices tell (Sparkplug 3.0).
//!
//! ```text
//!             NBIRTH                        DBIRTH
//!  unknown ───────────▶ node is there ───────────────▶ device is there ──┐
//!     ▲                   │   ▲ NBIRTH: everything anew    │             │ DDATA: by alias
//!     │            NDEATH │   └───────────────────┐ DDEATH │   or name   ▼
//!     └───────────────────┘                       └────────┘          readings
//!          points bad: source_offline          points bad: source_offline
//! ```
//!
//! A birth says which metrics there are, of which type and under which alias; its values are readings.
//! Data before a birth cannot be understood and is refused. A death that belongs to an older birth
//! (another `bdSeq`) is a last will that came late: refused. A birth that cannot be read ends what the one before
//! said: under its aliases there may be something else now. History (`is_historical`) carries its own
//! time, and the engine treats it as late.
//!
//! | bound | | beyond |
//! |---|---|---|
//! | edge nodes without a point of ours | [`MOST_NODES`] | the first of them is forgotten |
//! | devices of a node | [`MOST_DEVICES`] | not remembered: their data is refused |
//! | metrics remembered | those of configured points | |
//! | metrics in a message | [`Limits`] | `not_sparkplug` |
//!
//! Deliberately absent: asking for a birth (`Node Control/Rebirth`): the gateway is read-only towards
//! equipment, so after its start aliases are understood from the next birth on. Data sets, templates and
//! arrays.

use std::collections::{BTreeMap, BTreeSet};

use super::harvest::Harvest;
use super::pointer::{Found, Number};
use super::rejection::{Refused, Rejection};
use crate::engine::reading::{Measured, Reading};
use crate::engine::time::Wall;
use crate::input::mqtt::{Payload as Reader, Target};
use crate::sparkplug::{
    BD_SEQ, DataType, Limits, MessageKind, Metric, Payload, Topic, Value, property_value,
};

/// Edge nodes of which nothing is read and that are remembered at most.
const MOST_NODES: usize = 1_000;

/// Devices of one node at most.
const MOST_DEVICES: usize = 1_000;

/// Metrics that every node has and that are no measurements begin so.
const CONTROL: &str = "Node Control/";

/// The property that says what a value is worth, and its word for good.
const QUALITY: (&str, u32) = ("Quality", 192);

/// Every edge node that was heard, by group and id.
#[derive(Debug, Default)]
pub(super) struct Nodes(BTreeMap<(String, String), Node>);

/// An edge node since its birth.
#[derive(Debug, Default)]
struct Node {
    bd_seq: Option<f64>,
    /// Of its newest message.
    seq: Option<u64>,
    devices: BTreeSet<String>,
    known: Vec<Known>,
    /// By device and alias.
    by_alias: BTreeMap<(String, u64), usize>,
    by_name: BTreeMap<(String, String), usize>,
}

/// A metric of a configured point.
#[derive(Debug)]
struct Known {
    /// Empty for the node itself.
    device: String,
    name: String,
    alias: Option<u64>,
    datatype: DataType,
    target: Target,
}

/// How the points of a family are found.
pub(super) trait Directory {
    /// The point of a metric; `Err`: none is meant.
    fn target(&self, topic: Topic<'_>, metric: &str) -> Result<Target, Refused>;
}

impl Nodes {
    /// Reads a message. What is about hosts and commands is nobody's reading.
    pub(super) fn read(
        &mut self,
        topic: &str,
        payload: &[u8],
        directory: &impl Directory,
        reader: &Reader,
        harvest: &mut Harvest,
    ) {
        let Some(topic) = Topic::parse(topic) else {
            return;
        };
        if matches!(
            topic.kind,
            MessageKind::NodeCommand | MessageKind::DeviceCommand
        ) {
            return;
        }
        let body = match Payload::from_bytes(payload, Limits::default()) {
            Ok(body) => body,
            Err(error) => {
                let error = error.to_string();
                harvest.count(Refused::with(Rejection::NotSparkplug, &error));
                return self.unread(topic, harvest);
            }
        };
        let key = (topic.group.to_owned(), topic.node.to_owned());
        if topic.kind == MessageKind::NodeBirth {
            self.make_room(&key);
            let node = Node {
                bd_seq: body.metrics.iter().find_map(bd_seq),
                ..Node::default()
            };
            self.0.insert(key.clone(), node);
        }
        let Some(node) = self.0.get_mut(&key) else {
            if topic.kind != MessageKind::NodeDeath && topic.kind != MessageKind::DeviceDeath {
                harvest.count(Refused::with(Rejection::NoBirth, topic.node));
            }
            return;
        };
        match topic.kind {
            MessageKind::NodeBirth | MessageKind::DeviceBirth => {
                node.follow(&body, harvest);
                node.born(topic, &body, directory, harvest);
                node.tell(topic, &body, reader, harvest);
            }
            MessageKind::NodeData | MessageKind::DeviceData => {
                node.follow(&body, harvest);
                let device = topic.device.unwrap_or_default();
                if device.is_empty() || node.devices.contains(device) {
                    node.tell(topic, &body, reader, harvest);
                } else {
                    harvest.count(Refused::with(Rejection::NoBirth, device));
                }
            }
            MessageKind::DeviceDeath => {
                node.follow(&body, harvest);
                node.lose(topic.device, harvest);
            }
            MessageKind::NodeDeath => {
                let died = body.metrics.iter().find_map(bd_seq);
                if died.map(f64::to_bits) == node.bd_seq.map(f64::to_bits) {
                    node.lose(None, harvest);
                    self.0.remove(&key);
                } else {
                    harvest.count(Refused::with(Rejection::OldDeath, topic.node));
                }
            }
            MessageKind::NodeCommand | MessageKind::DeviceCommand => {}
        }
    }

    /// A message that cannot be read. After a birth the old aliases stand for other metrics: what is told until
    /// the next birth is not understood, and the points have no value.
    pub(super) fn unread(&mut self, topic: Topic<'_>, harvest: &mut Harvest) {
        let key = (topic.group.to_owned(), topic.node.to_owned());
        let Some(node) = self.0.get_mut(&key) else {
            return;
        };
        match topic.kind {
            MessageKind::NodeBirth => {
                node.lose(None, harvest);
                self.0.remove(&key);
            }
            MessageKind::DeviceBirth => node.lose(topic.device, harvest),
            MessageKind::NodeData
            | MessageKind::NodeDeath
            | MessageKind::NodeCommand
            | MessageKind::DeviceData
            | MessageKind::DeviceDeath
            | MessageKind::DeviceCommand => {}
        }
    }

    /// Strangers must not fill the memory: one of which nothing is read goes for each that comes.
    fn make_room(&mut self, newcomer: &(String, String)) {
        let mut idle = self.0.iter().filter(|(_, node)| node.known.is_empty());
        let first = idle.next().map(|(key, _)| key.clone());
        let is_full = idle.count() + 1 >= MOST_NODES;
        if let Some(first) = first.filter(|_| is_full && !self.0.contains_key(newcomer)) {
            self.0.remove(&first);
        }
    }
}

impl Node {
    /// Takes note of the number of a message, and tells of a gap. What came before the gap is lost;
    /// aliases hold until the next birth, so what comes is understood.
    fn follow(&mut self, body: &Payload, harvest: &mut Harvest) {
        let expected = self.seq.map(|last| (last + 1) % 256);
        if expected.is_some() && body.seq != expected {
            let found = body.seq.map_or_else(String::new, |seq| seq.to_string());
            harvest.count(Refused::with(Rejection::SequenceGap, &found));
        }
        self.seq = body.seq.or(expected);
    }

    /// Learns the metrics of a birth.
    fn born(
        &mut self,
        topic: Topic<'_>,
        body: &Payload,
        directory: &impl Directory,
        harvest: &mut Harvest,
    ) {
        let device = topic.device.unwrap_or_default();
        if !device.is_empty() && self.devices.len() < MOST_DEVICES {
            self.devices.insert(device.to_owned());
        }
        self.known.retain(|known| known.device != device);
        let (mut unknown, shared) = (None, shared_aliases(&body.metrics));
        for metric in &body.metrics {
            let name = metric.name.as_deref().unwrap_or_default();
            if name.is_empty() || name == BD_SEQ || name.starts_with(CONTROL) {
                continue;
            }
            let datatype = metric.datatype.and_then(DataType::from_number);
            let alias = metric.alias.filter(|alias| !shared.contains(alias));
            match (directory.target(topic, name), datatype) {
                (Ok(target), Some(datatype)) => {
                    if alias != metric.alias {
                        harvest.count(Refused::with(Rejection::SharedAlias, name));
                    }
                    self.known.push(Known {
                        device: device.to_owned(),
                        name: name.to_owned(),
                        alias,
                        datatype,
                        target,
                    });
                }
                (Ok(target), None) => harvest.take(Err(Rejection::NotANumber.into()), &target),
                (Err(refused), _) => {
                    unknown.get_or_insert(refused);
                }
            }
        }
        // One for the message: a device may have thousands of metrics that nobody reads.
        if let Some(refused) = unknown {
            harvest.count(refused);
        }
        self.index();
    }

    fn index(&mut self) {
        let positions = || self.known.iter().zip(0..);
        let aliases =
            positions().filter_map(|(known, at)| Some(((known.device.clone(), known.alias?), at)));
        let names = positions().map(|(known, at)| ((known.device.clone(), known.name.clone()), at));
        (self.by_alias, self.by_name) = (aliases.collect(), names.collect());
    }

    /// Readings of all metrics that are of points.
    fn tell(&self, topic: Topic<'_>, body: &Payload, reader: &Reader, harvest: &mut Harvest) {
        let device = topic.device.unwrap_or_default();
        let mut seen = super::family::Seen::default();
        for metric in &body.metrics {
            let named = metric.name.as_deref().filter(|name| !name.is_empty());
            let at = match (named, metric.alias) {
                (Some(name), _) => self.by_name.get(&(device.to_owned(), name.to_owned())),
                (None, Some(alias)) => self.by_alias.get(&(device.to_owned(), alias)),
                (None, None) => None,
            };
            let Some(known) = at.and_then(|at| self.known.get(*at)) else {
                continue;
            };
            let reading = reading(metric, body.timestamp, known, reader, harvest);
            harvest.take(seen.once(reading), &known.target);
        }
    }

    /// The node, or one of its devices, is gone.
    fn lose(&mut self, device: Option<&str>, harvest: &mut Harvest) {
        let is_gone = |known: &Known| device.is_none_or(|device| known.device == device);
        for known in self.known.iter().filter(|known| is_gone(known)) {
            harvest.lose(
                known.target.point,
                crate::engine::reading::Fault::SourceOffline,
            );
        }
        if let Some(device) = device {
            self.devices.remove(device);
        }
        self.known.retain(|known| !is_gone(known));
        self.index();
    }
}

/// Aliases that several metrics of a birth have: which one data means by them nobody knows.
fn shared_aliases(metrics: &[Metric]) -> BTreeSet<u64> {
    let mut aliases: Vec<u64> = metrics.iter().filter_map(|metric| metric.alias).collect();
    aliases.sort_unstable();
    let pairs = aliases.windows(2);
    let same = pairs.filter_map(|pair| (pair[0] == pair[1]).then_some(pair[0]));
    same.collect()
}

/// What a metric says of its point.
fn reading(
    metric: &Metric,
    sent: Option<u64>,
    known: &Known,
    reader: &Reader,
    harvest: &Harvest,
) -> Result<Option<Reading>, Refused> {
    check_quality(metric)?;
    let found = match metric.value_as(known.datatype) {
        Some(Value::Number(number)) if number.is_finite() => Found::Number(Number::Float(number)),
        Some(Value::Flag(flag)) => Found::Flag(flag),
        Some(Value::Text(text)) => Found::Text(text.to_owned()),
        Some(Value::Number(_) | Value::Null) | None => Found::Other,
    };
    let number = reader.number(found, &known.target)?;
    let time = match metric.timestamp.or(sent) {
        Some(millis) => Some(wall(millis)?),
        // History without a time would pass for the present.
        None if metric.is_historical == Some(true) => return Err(Rejection::BadTime.into()),
        None => None,
    };
    Ok(Some(Reading {
        source_time: time,
        retained: harvest.retained,
        ..Reading::live(known.target.point, Measured::Raw(number), harvest.received)
    }))
}

/// 192 is good; 0, 500 and whatever else is not (Sparkplug 3.0, 6.4.8).
fn check_quality(metric: &Metric) -> Result<(), Refused> {
    let (key, good) = QUALITY;
    let quality = metric.properties.as_ref().and_then(|all| all.get(key));
    match quality.and_then(|quality| quality.value.as_ref()) {
        None => Ok(()),
        Some(property_value::Value::Int(number)) if *number == good => Ok(()),
        Some(property_value::Value::Int(number)) => {
            Err(Refused::with(Rejection::SourceBad, &number.to_string()))
        }
        Some(_) => Err(Rejection::SourceBad.into()),
    }
}

fn wall(millis: u64) -> Result<Wall, Rejection> {
    let nanos = i64::try_from(millis).ok();
    let nanos = nanos.and_then(|millis| millis.checked_mul(1_000_000));
    nanos
        .map(Wall::from_unix_nanos)
        .ok_or(Rejection::TimeOutOfRange)
}

/// The number that ties a death to its birth.
fn bd_seq(metric: &Metric) -> Option<f64> {
    if metric.name.as_deref() != Some(BD_SEQ) {
        return None;
    }
    match metric.value_as(DataType::UInt64) {
        Some(Value::Number(number)) => Some(number),
        Some(Value::Flag(_) | Value::Text(_) | Value::Null) | None => None,
    }
}
