//! One line: polls its devices for ever and hands what they say to the engine.
//!
//! Each turn polls one class of one device, its points with one period: their requests in order, up to
//! the first that is not answered. Whatever was read becomes one delivery. A turn takes the time planned for it
//! and one timeout at most: of a slower device the rest is put off until the others had their turn. Nothing
//! here ends the task but the gateway: connections are retried for ever.
//!
//! A device that gave no answer to three polls in a row is *lost*, which is a reading of its own on
//! the device's status point (0 answers, else why not: [`Loss`]), sent when it changes; to two polls, when the first of its
//! points would be stale before the third. So people hear of the device, and not of each point before it
//! (alarm-standards 2.10). Missing values are not made up: the engine's stale rule speaks for each point.

mod device;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tracing::{debug, info, warn};

use self::device::{Device, Presence};
use super::coverage::{Coverage, Refusal};
use super::decode::{self, Answer};
use super::failure::{Exception, Failure, Loss};
use super::pace::Pace;
use super::plan::Request;
use super::schedule::Schedule;
use super::transport::{Link, Transport};
use super::{BusSettings, DeviceSettings};
use crate::clock;
use crate::engine::reading::{Fault, PointIndex, Reading, Sample};
use crate::engine::time::{Moment, Mono};
use crate::evaluation::{Batch, Delivery, Readings};
use crate::metrics::Metrics;

/// Between two heartbeats, also while waiting for a slow device. Every wait of a poll has a deadline
/// of its own, except for room in the engine's queue, and the engine has its own heartbeat.
const HEARTBEAT: Duration = Duration::from_millis(500);

/// Polls the devices of a line until `shutdown` turns true or its sender is gone.
pub async fn run(
    settings: BusSettings,
    readings: Readings,
    metrics: Arc<Metrics>,
    shutdown: watch::Receiver<bool>,
) {
    let timeouts = settings.devices.iter().map(|device| device.timeout);
    let link = Link::new(&settings.line, timeouts.max().unwrap_or_default());
    serve(settings, link, readings, metrics, shutdown).await;
}

/// What the task of a bus is called.
pub fn task_name(settings: &BusSettings) -> String {
    format!("input.modbus.{}", settings.line)
}

/// [`run`] over any transport.
async fn serve<T: Transport>(
    settings: BusSettings,
    link: T,
    readings: Readings,
    metrics: Arc<Metrics>,
    mut shutdown: watch::Receiver<bool>,
) {
    let line = settings.line.to_string();
    let task = task_name(&settings);
    info!(line, devices = settings.devices.len(), "modbus bus started");

    let mut heartbeat = tokio::time::interval(HEARTBEAT);
    heartbeat.set_missed_tick_behavior(MissedTickBehavior::Delay);
    let mut bus = Bus::new(settings, link, readings, Arc::clone(&metrics));
    let mut polling = std::pin::pin!(bus.poll_until_closed());
    loop {
        tokio::select! {
            biased;
            _ = shutdown.wait_for(|stop| *stop) => break,
            _ = heartbeat.tick() => metrics.heartbeat(&task),
            () = &mut polling => break,
        }
    }
    info!(line, "modbus bus stopped");
}

struct Bus<T> {
    link: T,
    devices: Vec<Device>,
    classes: Vec<Class>,
    schedule: Schedule,
    pace: Pace,
    /// As metrics name the bus.
    name: String,
    status: PointIndex,
    readings: Readings,
    metrics: Arc<Metrics>,
}

/// Points of one device with one period, in the schedule's order.
struct Class {
    /// Position among the devices.
    device: usize,
    coverage: Coverage,
    /// Of its values, so many are refused.
    refused: usize,
    /// When it came due, if a part of it was put off.
    waiting: Option<Mono>,
}

/// The gateway does not want readings any more.
struct Closed;

impl<T: Transport> Bus<T> {
    fn new(settings: BusSettings, link: T, readings: Readings, metrics: Arc<Metrics>) -> Self {
        // Nothing is asked of a device without points, so nothing can be said about its presence.
        let name = settings.line.to_string();
        let devices: Vec<_> = settings
            .devices
            .into_iter()
            .filter(|device| !device.points.is_empty())
            .map(Device::new)
            .collect();
        let (mut classes, mut scheduled) = (Vec::new(), Vec::new());
        for (position, device) in devices.iter().enumerate() {
            for (class, points) in device.settings.classes() {
                scheduled.push(class);
                classes.push(Class {
                    device: position,
                    coverage: Coverage::new(points, device.settings.rules.clone()),
                    refused: 0,
                    waiting: None,
                });
            }
        }
        Self {
            link,
            devices,
            classes,
            schedule: Schedule::new(scheduled, clock::monotonic()),
            pace: Pace::new(settings.cycle_limit, clock::monotonic()),
            name,
            status: settings.status,
            readings,
            metrics,
        }
    }

    async fn poll_until_closed(&mut self) {
        loop {
            let now = clock::monotonic();
            let Some(class) = self.schedule.due(now) else {
                // `NEVER` without devices: at most an hour, then look again.
                let pause = self.schedule.next_due().since(now);
                tokio::time::sleep(pause.min(Duration::from_secs(3600))).await;
                continue;
            };
            if self.poll(class).await.is_err() {
                return;
            }
        }
    }

    async fn poll(&mut self, position: usize) -> Result<(), Closed> {
        let now = clock::monotonic();
        let tick = self.schedule.tick_of(position);
        let missed = self.schedule.begin(position, now);
        let Some(class) = self.classes.get_mut(position) else {
            return Ok(());
        };
        let Some(device) = self.devices.get(class.device) else {
            return Ok(());
        };
        let device = &device.settings;
        if missed > 0 {
            self.metrics.late_poll(&device.id);
            debug!(device = %device.id, missed, "modbus poll late");
        }

        let mut batch = Vec::with_capacity(class.coverage.plan().points().len() + 1);
        class.coverage.begin(now);
        let mut poll = Poll {
            device,
            coverage: &mut class.coverage,
            metrics: &self.metrics,
            batch: &mut batch,
            loss: Loss::Line,
        };
        let presence = poll.read(&mut self.link).await;
        let loss = poll.loss;
        let (id, unit) = (Arc::clone(&device.id), device.unit_id);
        let rest = self.link.rest(device.timeout);
        let done = clock::monotonic();
        match presence {
            Presence::Answered => self.schedule.answered(position, done),
            Presence::Silent => self.schedule.silent(position, done, rest),
            // The pause between attempts to open is the line's; a unit that was not asked must not be
            // probed rarely once the line is back.
            Presence::Unreachable => self.schedule.unreachable(position, done),
        }
        let since = class.waiting.take().unwrap_or(tick);
        if class.coverage.is_put_off() {
            class.waiting = Some(since);
            self.schedule.put_off(position, done);
        }
        let is_whole = presence == Presence::Answered && class.waiting.is_none();
        class.refused = class.coverage.refused_points().count();
        let own = class.device;
        let classes = self.classes.iter().filter(|class| class.device == own);
        let refused = classes.map(|class| class.refused).sum();
        self.metrics.refused_values(&id, refused);
        self.metrics.readings(&id, batch.len() as u64);
        // Several devices of the configuration may be one unit, which is there for all of them or none.
        let devices = self.devices.iter_mut();
        for device in devices.filter(|device| device.settings.unit_id == unit) {
            if let Some(lost) = device.judge(presence, loss, done) {
                self.metrics.device_up(&device.settings.id, !lost);
                let sample = Sample::measured(if lost { f64::from(loss as u8) } else { 0.0 });
                batch.push(Reading::live(device.settings.status, sample, clock::now()));
            }
        }
        if is_whole {
            self.measure(since, done, &mut batch);
        }
        if batch.is_empty() {
            return Ok(());
        }
        // Waits while the engine's queue is full; polls that come late by it are counted.
        let delivery = Delivery {
            readings: Batch::Many(batch),
            receipt: None,
        };
        self.readings.send(delivery).await.map_err(|_closed| Closed)
    }

    /// A class that was due at `tick` was read at `done`.
    fn measure(&mut self, tick: Mono, done: Mono, batch: &mut Vec<Reading>) {
        let changed = self.pace.read(tick, done);
        self.metrics.bus_cycle(&self.name, self.pace.cycle());
        if let Some(behind) = changed {
            if behind {
                warn!(bus = %self.name, cycle = ?self.pace.cycle(), "modbus bus behind");
            }
            let sample = Sample::measured(if behind { 1.0 } else { 0.0 });
            batch.push(Reading::live(self.status, sample, clock::now()));
        }
    }
}

/// One poll of one class.
struct Poll<'a> {
    device: &'a DeviceSettings,
    coverage: &'a mut Coverage,
    metrics: &'a Metrics,
    batch: &'a mut Vec<Reading>,
    /// What stood in the way of the last answer that did not come.
    loss: Loss,
}

impl Poll<'_> {
    /// Asks what is to be asked, up to the first request that stays without an answer, or until the time that
    /// was planned for all of them is over.
    async fn read(&mut self, link: &mut impl Transport) -> Presence {
        let mut presence = Presence::Unreachable;
        let enough = clock::monotonic() + self.coverage.planned();
        while let Some(request) = self.coverage.ask() {
            let asked = clock::monotonic();
            let (unit, timeout) = (self.device.unit_id, self.device.timeout);
            let result = link.call(unit, &request, timeout).await;
            let now = clock::now();
            match result {
                Ok(answer) => {
                    let took = now.mono.since(asked);
                    self.metrics.modbus_request(&self.device.id, took);
                    self.coverage.answered();
                    presence = Presence::Answered;
                    self.take(&request, &answer, now);
                }
                Err(failure) => {
                    let reason = failure.reason();
                    self.metrics.modbus_failure(&self.device.id, reason);
                    self.loss = Loss::from(&failure);
                    let outcome = self.failed(&request, &failure, now);
                    // Silence after an answer is a request that the device chokes on.
                    presence = presence.max(outcome);
                    if outcome != Presence::Answered {
                        break;
                    }
                }
            }
            if now.mono > enough {
                break;
            }
        }
        if presence == Presence::Answered {
            self.report_refused_points();
        }
        presence
    }

    /// Every point of an answered request becomes a reading.
    fn take(&mut self, request: &Request, answer: &Answer, now: Moment) {
        let points = self.coverage.plan().points_of(request);
        self.batch.extend(points.iter().map(|point| {
            let measured = decode::measured(answer, request.address, point);
            Reading::live(point.point, measured, now)
        }));
    }

    /// Every point of `request` becomes bad.
    fn spoil(&mut self, request: &Request, fault: Fault, now: Moment) {
        let points = self.coverage.plan().points_of(request);
        let bad = |point| Reading::live(point, Sample::Bad(fault), now);
        self.batch
            .extend(points.iter().map(|point| bad(point.point)));
    }

    /// What a failed request means for its points, and for the presence of the device.
    fn failed(&mut self, request: &Request, failure: &Failure, now: Moment) -> Presence {
        let device = &*self.device.id;
        debug!(device, %request, error = %failure, "modbus request failed");
        let exception = match failure {
            Failure::Exception(exception) => *exception,
            Failure::NotConnected | Failure::ConnectFailed(_) => {
                self.coverage.unreachable();
                return Presence::Unreachable;
            }
            Failure::Timeout(_)
            | Failure::ConnectionLost(_)
            | Failure::Malformed(_)
            | Failure::Mismatch(_)
            | Failure::WrongLength { .. }
            | Failure::Babble => return self.silent(request),
        };
        match exception {
            Exception::IllegalAddress => self.refused(request, Fault::IllegalAddress),
            Exception::IllegalValue => self.refused(request, Fault::IllegalValue),
            Exception::IllegalFunction => self.spoil(request, Fault::ConfigurationError, now),
            Exception::Acknowledge | Exception::Busy => {}
            Exception::GatewayPath | Exception::GatewayTarget => return self.silent(request),
            Exception::DeviceFailure | Exception::MemoryParity | Exception::Other(_) => {
                self.spoil(request, Fault::DeviceFailure, now);
            }
        }
        Presence::Answered
    }

    /// The device refuses addresses of `request`.
    fn refused(&mut self, request: &Request, fault: Fault) {
        let device = &*self.device.id;
        match self.coverage.refused(fault) {
            Refusal::Searching => {}
            Refusal::Found => {
                warn!(device, %request, reason = fault.name(), "modbus address refused");
            }
            Refusal::Known => self.metrics.refused_again(device),
        }
    }

    /// The device did not answer `request`.
    fn silent(&mut self, request: &Request) -> Presence {
        let device = &*self.device.id;
        match self.coverage.silent() {
            None | Some(Refusal::Searching) => {}
            Some(Refusal::Found) => {
                let reason = Fault::Unanswered.name();
                warn!(device, %request, reason, "modbus address refused");
            }
            Some(Refusal::Known) => self.metrics.refused_again(device),
        }
        Presence::Silent
    }

    /// Points whose addresses the device refuses are bad in every poll that it answers.
    fn report_refused_points(&mut self) {
        let now = clock::now();
        let points = self.coverage.plan().points();
        for (position, fault) in self.coverage.refused_points() {
            if let Some(point) = points.get(position) {
                let bad = Sample::Bad(fault);
                self.batch.push(Reading::live(point.point, bad, now));
            }
        }
    }
}

#[cfg(test)]
mod tests;
