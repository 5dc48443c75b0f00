//! One line: polls its devices for ever and hands what they say to the engine.
//!
//! Each turn polls one device: its requests in order, up to the first that is not answered. Whatever
//! was read becomes one delivery. Nothing here ends the task but the gateway: connections are
//! retried for ever.
//!
//! A device that gave no answer to three polls in a row is *lost*, which is a reading of its own on
//! the device's status point (1 lost, 0 answers), sent when it changes. Missing values are not made
//! up: the engine's stale rule speaks for each point.

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::MissedTickBehavior;
use tracing::{debug, info, warn};

use super::coverage::{Coverage, Refusal};
use super::decode::{self, Answer};
use super::failure::{Exception, Failure};
use super::plan::{Plan, Request};
use super::schedule::{SILENT_AFTER, Schedule};
use super::transport::{Link, Transport};
use super::{BusSettings, DeviceSettings};
use crate::clock;
use crate::engine::reading::{Fault, Reading, Sample};
use crate::engine::time::Moment;
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
    let mut bus = Bus::new(settings.devices, link, readings, Arc::clone(&metrics));
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
    schedule: Schedule,
    readings: Readings,
    metrics: Arc<Metrics>,
}

struct Device {
    settings: DeviceSettings,
    coverage: Coverage,
    /// Polls in a row without any answer.
    failures: u32,
    /// What the status point said last.
    lost: Option<bool>,
}

/// What a poll says about its device.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Presence {
    /// It could not be asked: the line could not be opened.
    Unreachable,
    /// It was asked and did not answer.
    Silent,
    /// It answered something, be it an exception.
    Answered,
}

/// The gateway does not want readings any more.
struct Closed;

impl<T: Transport> Bus<T> {
    fn new(
        devices: Vec<DeviceSettings>,
        link: T,
        readings: Readings,
        metrics: Arc<Metrics>,
    ) -> Self {
        // Nothing is asked of a device without points, so nothing can be said about its presence.
        let devices: Vec<_> = devices
            .into_iter()
            .filter(|device| !device.points.is_empty())
            .collect();
        let periods = devices.iter().map(|device| device.poll);
        let schedule = Schedule::new(periods, clock::monotonic());
        let devices = devices.into_iter().map(Device::new).collect();
        Self {
            link,
            devices,
            schedule,
            readings,
            metrics,
        }
    }

    async fn poll_until_closed(&mut self) {
        loop {
            let now = clock::monotonic();
            let Some(unit) = self.schedule.due(now) else {
                // `NEVER` without devices: at most an hour, then look again.
                let pause = self.schedule.next_due().since(now);
                tokio::time::sleep(pause.min(Duration::from_secs(3600))).await;
                continue;
            };
            if self.poll(unit).await.is_err() {
                return;
            }
        }
    }

    async fn poll(&mut self, unit: usize) -> Result<(), Closed> {
        let now = clock::monotonic();
        let missed = self.schedule.begin(unit, now);
        let Some(device) = self.devices.get_mut(unit) else {
            return Ok(());
        };
        let id = Arc::clone(&device.settings.id);
        if missed > 0 {
            self.metrics.late_poll(&id);
            debug!(device = %id, missed, "modbus poll late");
        }

        let mut batch = Vec::with_capacity(device.settings.points.len() + 1);
        device.coverage.begin(now);
        let presence = device.read(&mut self.link, &self.metrics, &mut batch).await;
        match presence {
            Presence::Answered => {
                device.report_refused_points(&mut batch);
                self.schedule.answered(unit);
            }
            Presence::Silent => self.schedule.silent(unit, clock::monotonic()),
            // The pause between attempts to open is the line's; a unit that was not asked must not be
            // probed rarely once the line is back.
            Presence::Unreachable => {}
        }
        self.metrics.readings(&id, batch.len() as u64);
        if let Some(lost) = device.judge(presence) {
            self.metrics.device_up(&id, !lost);
            let sample = Sample::measured(if lost { 1.0 } else { 0.0 });
            batch.push(Reading::live(device.settings.status, sample, clock::now()));
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
}

impl Device {
    fn new(settings: DeviceSettings) -> Self {
        Self {
            coverage: Coverage::new(Plan::new(&settings)),
            settings,
            failures: 0,
            lost: None,
        }
    }

    /// Asks what is to be asked, up to the first request that stays without an answer.
    async fn read(
        &mut self,
        link: &mut impl Transport,
        metrics: &Metrics,
        batch: &mut Vec<Reading>,
    ) -> Presence {
        let mut presence = Presence::Unreachable;
        while let Some(request) = self.coverage.ask().cloned() {
            let asked = clock::monotonic();
            let unit = self.settings.unit_id;
            let result = link.call(unit, &request, self.settings.timeout).await;
            let now = clock::now();
            match result {
                Ok(answer) => {
                    metrics.modbus_request(&self.settings.id, now.mono.since(asked));
                    self.coverage.answered();
                    presence = Presence::Answered;
                    self.take(&request, &answer, now, batch);
                }
                Err(failure) => {
                    metrics.modbus_failure(&self.settings.id, failure.reason());
                    let outcome = self.failed(&request, &failure, now, batch);
                    // Silence after an answer is a request that the device chokes on.
                    presence = presence.max(outcome);
                    if outcome != Presence::Answered {
                        return presence;
                    }
                }
            }
        }
        presence
    }

    /// Every point of an answered request becomes a reading.
    fn take(&self, request: &Request, answer: &Answer, now: Moment, batch: &mut Vec<Reading>) {
        let points = self.coverage.plan().points_of(request);
        batch.extend(points.iter().map(|point| {
            let measured = decode::measured(answer, request.address, point);
            Reading::live(point.point, measured, now)
        }));
    }

    /// Every point of `request` becomes bad.
    fn spoil(&self, request: &Request, fault: Fault, now: Moment, batch: &mut Vec<Reading>) {
        let points = self.coverage.plan().points_of(request);
        let bad = |point| Reading::live(point, Sample::Bad(fault), now);
        batch.extend(points.iter().map(|point| bad(point.point)));
    }

    /// What a failed request means for its points, and for the presence of the device.
    fn failed(
        &mut self,
        request: &Request,
        failure: &Failure,
        now: Moment,
        batch: &mut Vec<Reading>,
    ) -> Presence {
        let device = &*self.settings.id;
        debug!(device, %request, error = %failure, "modbus request failed");
        let exception = match failure {
            Failure::Exception(exception) => *exception,
            Failure::NotConnected | Failure::ConnectFailed(_) => {
                self.coverage.silent();
                return Presence::Unreachable;
            }
            Failure::Timeout(_)
            | Failure::ConnectionLost(_)
            | Failure::Malformed(_)
            | Failure::Mismatch(_)
            | Failure::WrongLength { .. }
            | Failure::Babble => {
                self.coverage.silent();
                return Presence::Silent;
            }
        };
        match exception {
            Exception::IllegalAddress | Exception::IllegalValue => {
                if self.coverage.refused() == Refusal::Found {
                    warn!(device, %request, exception = exception.code(), "modbus address refused");
                }
            }
            Exception::IllegalFunction => {
                self.spoil(request, Fault::ConfigurationError, now, batch);
            }
            Exception::Acknowledge | Exception::Busy => {}
            Exception::GatewayPath | Exception::GatewayTarget => {
                self.coverage.silent();
                return Presence::Silent;
            }
            Exception::DeviceFailure | Exception::MemoryParity | Exception::Other(_) => {
                self.spoil(request, Fault::DeviceFailure, now, batch);
            }
        }
        Presence::Answered
    }

    /// Points whose addresses the device refuses are bad in every poll that it answers.
    fn report_refused_points(&self, batch: &mut Vec<Reading>) {
        let now = clock::now();
        let points = self.coverage.plan().points();
        let refused = self
            .coverage
            .refused_points()
            .filter_map(|at| points.get(at));
        batch.extend(
            refused.map(|point| {
                Reading::live(point.point, Sample::Bad(Fault::ConfigurationError), now)
            }),
        );
    }

    /// Is the device lost? `Some` when that changes or is known for the first time.
    fn judge(&mut self, presence: Presence) -> Option<bool> {
        let lost = match presence {
            Presence::Answered => {
                self.failures = 0;
                false
            }
            Presence::Silent | Presence::Unreachable => {
                self.failures = self.failures.saturating_add(1);
                if self.failures < SILENT_AFTER {
                    return None;
                }
                true
            }
        };
        if self.lost.replace(lost) == Some(lost) {
            return None;
        }
        let device = &*self.settings.id;
        if lost {
            warn!(device, polls = self.failures, "modbus device lost");
        } else {
            info!(device, "modbus device answers");
        }
        Some(lost)
    }
}

#[cfg(test)]
mod tests;
