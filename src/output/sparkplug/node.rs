//! The edge node: which message comes next, and what is in it. Pure.
//!
//! ```text
//!            connecting            birth                    birth (again), data, device births and deaths
//!  offline ──────────▶ connected ────────▶ born ──┐◀──────┘
//!     ▲                    │                 │
//!     └────── death, or the connection ended ┘
//! ```
//!
//! - `bdSeq` is one number for the will, the birth and the death of one connection.
//! - `seq` is 0 in a node's birth and goes up by one with every message after it, 255 is followed by 0.
//! - A metric has its name and datatype in births, and its alias alone in data.
//! - Of a device nothing is told before its birth or after its death.
//!
//! **What is the present and what is history.** A birth tells how every alarm stands, as of an event
//! of the journal. Of an event that is newer, the alarm's state right after it is told as its present
//! state; of an event that is not, as history. So a host never sees an alarm go back in time, whatever
//! the order in which the events reach it. The event itself is marked historical when it is backlog.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use super::fact::{Standing, event_born, event_told, millis, point_born, point_told};
use super::plan::Plan;
use crate::engine::reading::Quality;
use crate::engine::snapshot::{AlarmRecord, PointView, Snapshot};
use crate::engine::time::Wall;
use crate::event::{Committed, WireEvent, rfc3339};
use crate::guidance::PointWords;
use crate::output::message;
use crate::output::present::Present;
use crate::sparkplug::{BD_SEQ, DataType, MessageKind, Metric, Payload, REBIRTH, metric_value};

/// A message that is to be published at QoS 0 and not retained.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Message {
    pub(super) topic: String,
    pub(super) payload: Payload,
}

/// What the host was told of a point last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Told {
    /// The bits of the value.
    value: Option<u64>,
    quality: Quality,
    reason: Option<&'static str>,
}

impl Told {
    fn of(point: &PointView) -> Self {
        Self {
            value: point.value.map(f64::to_bits),
            quality: point.quality,
            reason: point.reason,
        }
    }
}

/// One edge node.
#[derive(Debug)]
pub(super) struct Node {
    plan: Arc<Plan>,
    bd_seq: u8,
    /// Number of the next message; `None` unless it is born.
    next: Option<u8>,
    /// By device: is it born?
    up: Vec<bool>,
    /// Points that no device brings.
    own: Vec<usize>,
    /// By point.
    told: Vec<Option<Told>>,
    /// By alarm: the event up to which the state that was told as the present is true.
    as_of: Vec<u64>,
}

impl Node {
    pub(super) fn new(plan: Plan) -> Self {
        Self {
            bd_seq: 0,
            next: None,
            up: vec![false; plan.origins().len()],
            own: Vec::new(),
            told: Vec::new(),
            as_of: vec![0; plan.alarms().len()],
            plan: Arc::new(plan),
        }
    }

    /// A connection begins under this number. The will that goes with it.
    pub(super) fn connecting(&mut self, bd_seq: u8, now: Wall) -> Message {
        self.bd_seq = bd_seq;
        self.next = None;
        self.certificate_of_death(now)
    }

    /// We leave of our own accord.
    pub(super) fn death(&mut self, now: Wall) -> Message {
        self.next = None;
        self.certificate_of_death(now)
    }

    fn certificate_of_death(&self, now: Wall) -> Message {
        Message {
            topic: self.plan.of_node(MessageKind::NodeDeath),
            payload: Payload {
                timestamp: Some(millis(now)),
                metrics: vec![self.bd_seq_metric(now)],
                ..Payload::default()
            },
        }
    }

    /// Has it been born on this connection?
    pub(super) const fn is_born(&self) -> bool {
        self.next.is_some()
    }

    /// Topic of commands to it.
    pub(super) fn command_topic(&self) -> String {
        self.plan.of_node(MessageKind::NodeCommand)
    }

    /// Everything there is to be known, from the beginning: the node, and every device that is there.
    /// Alarms are told as of event `as_of`.
    pub(super) fn birth(
        &mut self,
        snapshot: &Snapshot,
        alarms: &Present,
        as_of: u64,
        now: Wall,
    ) -> Vec<Message> {
        self.next = Some(0);
        self.told = vec![None; snapshot.points.len()];
        self.as_of.fill(as_of);
        let mut metrics = vec![self.bd_seq_metric(now), rebirth_metric(now)];
        metrics.push(event_born(now));
        for (position, guidance) in self.plan.alarms().iter().enumerate() {
            let record = alarms.get(&guidance.alarm());
            let standing = Standing::now(guidance, record, None);
            metrics.extend(standing.born(position, guidance, now));
        }
        let of_devices = self.points_of_devices();
        let own = (0..snapshot.points.len()).filter(|point| !of_devices.contains(point));
        self.own = own.collect();
        let plan = Arc::clone(&self.plan);
        let words = plan.point_words();
        metrics.extend(self.points_born(&self.own.clone(), snapshot, &words, now));
        let topic = self.plan.of_node(MessageKind::NodeBirth);
        let mut messages = vec![self.message(topic, metrics, now)];
        for device in 0..self.up.len() {
            self.up[device] = self.is_there(device, snapshot);
            if self.up[device] {
                messages.push(self.device_birth(device, snapshot, &words, now));
            }
        }
        messages
    }

    fn device_birth(
        &mut self,
        device: usize,
        snapshot: &Snapshot,
        words: &BTreeMap<&str, &PointWords>,
        now: Wall,
    ) -> Message {
        let points = self.points_of(device);
        let metrics = self.points_born(&points, snapshot, words, now);
        let topic = self.plan.of_device(MessageKind::DeviceBirth, device);
        self.message(topic, metrics, now)
    }

    fn points_born(
        &mut self,
        points: &[usize],
        snapshot: &Snapshot,
        words: &BTreeMap<&str, &PointWords>,
        now: Wall,
    ) -> Vec<Metric> {
        let mut metrics = Vec::with_capacity(points.len());
        for &point in points {
            let (Some(view), Some(told)) = (snapshot.points.get(point), self.told.get_mut(point))
            else {
                continue;
            };
            *told = Some(Told::of(view));
            let words = words.get(&*view.id).copied();
            metrics.push(point_born(view, words, self.plan.point_alias(point), now));
        }
        metrics
    }

    /// What is other than was told: devices that come and go, and values. Nothing before the birth.
    pub(super) fn values(&mut self, snapshot: &Snapshot, now: Wall) -> Vec<Message> {
        let mut messages = Vec::new();
        if !self.is_born() {
            return messages;
        }
        let topic = self.plan.of_node(MessageKind::NodeData);
        messages.extend(self.changed(&self.own.clone(), topic, snapshot, now));
        for device in 0..self.up.len() {
            let there = self.is_there(device, snapshot);
            let was = std::mem::replace(&mut self.up[device], there);
            messages.extend(match (was, there) {
                (false, true) => {
                    let plan = Arc::clone(&self.plan);
                    Some(self.device_birth(device, snapshot, &plan.point_words(), now))
                }
                (true, false) => {
                    let topic = self.plan.of_device(MessageKind::DeviceDeath, device);
                    Some(self.message(topic, Vec::new(), now))
                }
                (true, true) => {
                    let topic = self.plan.of_device(MessageKind::DeviceData, device);
                    self.changed(&self.points_of(device), topic, snapshot, now)
                }
                (false, false) => None,
            });
        }
        messages
    }

    /// The points among these that are other than was told, if there are any.
    fn changed(
        &mut self,
        points: &[usize],
        topic: String,
        snapshot: &Snapshot,
        now: Wall,
    ) -> Option<Message> {
        let mut metrics = Vec::new();
        for &point in points {
            let (Some(view), Some(told)) = (snapshot.points.get(point), self.told.get_mut(point))
            else {
                continue;
            };
            if told.replace(Told::of(view)) != Some(Told::of(view)) {
                metrics.push(point_told(view, self.plan.point_alias(point), now));
            }
        }
        (!metrics.is_empty()).then(|| self.message(topic, metrics, now))
    }

    /// An event, with what it says of its alarm. `None` before the birth.
    pub(super) fn event(&mut self, event: &Committed, backlog: bool, now: Wall) -> Option<Message> {
        self.next?;
        let at = rfc3339::of_line(&event.line).unwrap_or(now);
        let mut metrics = self.alarm_of(event, at);
        let line = message::event(&event.line, backlog, event.durable);
        metrics.push(event_told(line, at, backlog));
        let topic = self.plan.of_node(MessageKind::NodeData);
        Some(self.message(topic, metrics, now))
    }

    /// The state of the alarm that an event has led to, ahead of the event itself. `None`: the host has
    /// it, or it is not known, or nothing is born.
    pub(super) fn ahead(&mut self, event: &Committed, now: Wall) -> Option<Message> {
        self.next?;
        let alarm = self.newer_for(event)?;
        let record = event.record.as_deref()?;
        let at = rfc3339::of_line(&event.line).unwrap_or(now);
        let metrics = self.present(alarm, record, event, at);
        let topic = self.plan.of_node(MessageKind::NodeData);
        Some(self.message(topic, metrics, now))
    }

    /// What an event says of its alarm: its present state, or how it was then.
    fn alarm_of(&mut self, event: &Committed, at: Wall) -> Vec<Metric> {
        if let (Some(alarm), Some(record)) = (self.newer_for(event), event.record.as_deref()) {
            return self.present(alarm, record, event, at);
        }
        let alarm = event.alarm.as_deref();
        let Some(alarm) = alarm.and_then(|alarm| self.plan.position(alarm)) else {
            return Vec::new();
        };
        let wire = serde_json::from_str::<WireEvent>(&event.line).ok();
        let then = wire.as_ref().filter(|event| !event.late);
        let then = then.and_then(Standing::then);
        then.map_or_else(Vec::new, |standing| standing.told(alarm, at, true))
    }

    fn present(
        &mut self,
        alarm: usize,
        record: &AlarmRecord,
        event: &Committed,
        at: Wall,
    ) -> Vec<Metric> {
        let Some(guidance) = self.plan.alarms().get(alarm) else {
            return Vec::new();
        };
        let wire = serde_json::from_str::<WireEvent>(&event.line).ok();
        let words = wire.as_ref().and_then(|event| event.message.as_deref());
        let metrics = Standing::now(guidance, Some(record), words).told(alarm, at, false);
        if let Some(as_of) = self.as_of.get_mut(alarm) {
            *as_of = event.seq;
        }
        metrics
    }

    /// The alarm of an event that is newer than what was told of it.
    fn newer_for(&self, event: &Committed) -> Option<usize> {
        let alarm = self.plan.position(event.alarm.as_deref()?)?;
        (event.seq > *self.as_of.get(alarm)?).then_some(alarm)
    }

    /// Is there an alarm of which this event knows the present, and does not say it? It was read back
    /// from disk, where states are not kept with events.
    pub(super) fn leaves_behind(&self, event: &Committed) -> bool {
        event.record.is_none() && self.newer_for(event).is_some()
    }

    fn is_there(&self, device: usize, snapshot: &Snapshot) -> bool {
        let origin = self.plan.origins().get(device);
        let status = origin.and_then(|origin| snapshot.points.get(origin.status.0 as usize));
        // 1 is lost; without a value nothing is known of it yet.
        status
            .and_then(|status| status.value)
            .is_some_and(|lost| lost < 0.5)
    }

    fn points_of(&self, device: usize) -> Vec<usize> {
        let origin = self.plan.origins().get(device);
        let points = origin.map_or(&[][..], |origin| &origin.points);
        points.iter().map(|point| point.0 as usize).collect()
    }

    fn points_of_devices(&self) -> BTreeSet<usize> {
        let devices = 0..self.plan.origins().len();
        devices.flat_map(|device| self.points_of(device)).collect()
    }

    fn bd_seq_metric(&self, now: Wall) -> Metric {
        Metric {
            name: Some(BD_SEQ.to_owned()),
            timestamp: Some(millis(now)),
            datatype: Some(DataType::Int64.number()),
            value: Some(metric_value::Value::Long(self.bd_seq.into())),
            ..Metric::default()
        }
    }

    fn message(&mut self, topic: String, metrics: Vec<Metric>, now: Wall) -> Message {
        let seq = self.next.unwrap_or_default();
        self.next = Some(seq.wrapping_add(1));
        Message {
            topic,
            payload: Payload {
                timestamp: Some(millis(now)),
                metrics,
                seq: Some(seq.into()),
                ..Payload::default()
            },
        }
    }
}

/// By this a host asks for births. Without alias: a host that knows none must be able to.
fn rebirth_metric(now: Wall) -> Metric {
    Metric {
        name: Some(REBIRTH.to_owned()),
        timestamp: Some(millis(now)),
        datatype: Some(DataType::Boolean.number()),
        value: Some(metric_value::Value::Boolean(false)),
        ..Metric::default()
    }
}

#[cfg(test)]
pub(super) mod tests;
