//! Who moves the plant: a load of quiet readings, and a witness that makes alarms and times them.

use std::io::{self, Read};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::clock;
use crate::frame::{Packet, Wire, push_publish};
use crate::plant::{self, PROBES};

/// An alarm that has not come in this time is lost.
const LOST_AFTER: Duration = Duration::from_secs(20);

/// Quiet readings at a steady rate, from a thread of its own, until it is stopped or done.
pub(crate) struct Load {
    stop: Arc<AtomicBool>,
    sent: Arc<AtomicU64>,
    sender: JoinHandle<io::Result<()>>,
}

/// What to send.
#[derive(Debug, Clone, Copy)]
pub(crate) struct LoadPlan {
    /// Points of the plant; those after the probes take turns.
    pub(crate) points: usize,
    /// Readings a second.
    pub(crate) rate: u32,
    /// QoS 1; else 0.
    pub(crate) at_least_once: bool,
    /// This many, then end.
    pub(crate) limit: u64,
}

impl Load {
    pub(crate) fn start(broker: SocketAddr, plan: LoadPlan) -> io::Result<Self> {
        let mut wire = Wire::connect(broker, "bench-load")?;
        let (stop, sent) = (Arc::<AtomicBool>::default(), Arc::<AtomicU64>::default());
        let mut acknowledgements = wire.reader()?;
        // Ends with the socket.
        thread::spawn(move || {
            let mut sink = [0; 16 * 1024];
            while matches!(acknowledgements.read(&mut sink), Ok(1..)) {}
        });
        let (stopped, counter) = (Arc::clone(&stop), Arc::clone(&sent));
        let sender = thread::spawn(move || {
            let ended = send(&mut wire, plan, &stopped, &counter);
            // The broker gets the time to take what is on the socket.
            clock::sleep(Duration::from_millis(50));
            wire.reader()?.shutdown(std::net::Shutdown::Both)?;
            ended
        });
        Ok(Self { stop, sent, sender })
    }

    /// How many readings are on the wire.
    pub(crate) fn sent(&self) -> u64 {
        self.sent.load(Ordering::Relaxed)
    }

    pub(crate) fn is_done(&self) -> bool {
        self.sender.is_finished()
    }

    /// Stops and says how many were sent.
    pub(crate) fn stop(self) -> io::Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        let ended = self.sender.join();
        ended.map_err(|_panic| io::Error::other("the load's thread died"))??;
        Ok(self.sent.load(Ordering::Relaxed))
    }
}

fn send(wire: &mut Wire, plan: LoadPlan, stop: &AtomicBool, sent: &AtomicU64) -> io::Result<()> {
    let began = clock::now();
    let (mut count, mut frames) = (0_u64, Vec::new());
    let moving = plan.points.saturating_sub(PROBES).max(1);
    while count < plan.limit && !stop.load(Ordering::Relaxed) {
        let due = began + Duration::from_secs(count) / plan.rate;
        clock::sleep_until(due);
        // Everything that is due by now; one reading at a time as long as we keep up.
        let late = clock::now().saturating_duration_since(due);
        let behind = late.as_micros() * u128::from(plan.rate) / 1_000_000;
        frames.clear();
        let burst = u64::try_from(behind)
            .unwrap_or(0)
            .min(plan.limit - count - 1)
            + 1;
        for _reading in 0..burst {
            let step = usize::try_from(count).unwrap_or(0);
            let index = PROBES.min(plan.points - 1) + step % moving;
            let turn = count / moving as u64;
            let payload = plant::payload(plant::quiet(index, turn), clock::unix_ms());
            let id = u16::try_from(count % 60_000 + 1).unwrap_or(1);
            let id = plan.at_least_once.then_some(id);
            push_publish(
                &mut frames,
                &plant::topic(index.min(plan.points - 1)),
                &payload,
                id,
            );
            count += 1;
        }
        wire.write(&frames)?;
        sent.store(count, Ordering::Relaxed);
    }
    Ok(())
}

/// Publishes crossing values on one socket and hears events on another.
pub(crate) struct Witness {
    sensor: Wire,
    ear: Wire,
    next_probe: usize,
    probes: usize,
    /// Events heard that no probe asked for.
    pub(crate) uninvited: u64,
}

impl Witness {
    pub(crate) fn connect(broker: SocketAddr, site: &str, points: usize) -> io::Result<Self> {
        let mut ear = Wire::connect(broker, "bench-ear")?;
        ear.subscribe(&plant::event_topic(site))?;
        Ok(Self {
            sensor: Wire::connect(broker, "bench-sensor")?,
            ear,
            next_probe: 0,
            probes: PROBES.min(points),
            uninvited: 0,
        })
    }

    /// Repeats a crossing value until the first alarm is out: how long after `since`?
    pub(crate) fn first_alarm(&mut self, since: Instant) -> io::Result<Duration> {
        let name = plant::point(0);
        let mut frames = Vec::new();
        while since.elapsed() < LOST_AFTER {
            frames.clear();
            let payload = plant::payload(90.0, clock::unix_ms());
            push_publish(&mut frames, &plant::topic(0), &payload, None);
            self.sensor.write(&frames)?;
            if let Some(at) = self.hear(&name, "raised", Duration::from_millis(2))? {
                self.lower(0)?;
                return Ok(at.saturating_duration_since(since));
            }
        }
        Err(io::Error::other("no alarm came after the start"))
    }

    /// One alarm: from the write of the crossing value to the event.
    pub(crate) fn alarm(&mut self) -> io::Result<Duration> {
        let probe = self.next_probe;
        self.next_probe = (probe + 1) % self.probes;
        let name = plant::point(probe);
        let began = self.publish(probe, 90.0)?;
        let Some(at) = self.hear(&name, "raised", LOST_AFTER)? else {
            return Err(io::Error::other(format!("the alarm of {name} is lost")));
        };
        self.lower(probe)?;
        Ok(at.saturating_duration_since(began))
    }

    /// `count` alarms, with pauses that keep step with nothing.
    pub(crate) fn alarms(&mut self, count: usize) -> io::Result<Vec<Duration>> {
        let mut latencies = Vec::with_capacity(count);
        for turn in 0..count {
            latencies.push(self.alarm()?);
            clock::sleep(Duration::from_micros(
                5_000 + (turn as u64 * 7_919) % 20_000,
            ));
        }
        Ok(latencies)
    }

    fn lower(&mut self, probe: usize) -> io::Result<()> {
        self.publish(probe, 20.0)?;
        let name = plant::point(probe);
        match self.hear(&name, "cleared", LOST_AFTER)? {
            Some(_) => Ok(()),
            None => Err(io::Error::other(format!("{name} does not clear"))),
        }
    }

    /// Publishes at QoS 1 as the load does.
    fn publish(&mut self, probe: usize, value: f64) -> io::Result<Instant> {
        let mut frame = Vec::new();
        let payload = plant::payload(value, clock::unix_ms());
        push_publish(&mut frame, &plant::topic(probe), &payload, Some(1));
        let began = clock::now();
        self.sensor.write(&frame)?;
        self.sensor.next(LOST_AFTER)?;
        Ok(began)
    }

    /// Waits for an event of this point's `high`; counts what else comes.
    fn hear(
        &mut self,
        point: &str,
        event: &str,
        patience: Duration,
    ) -> io::Result<Option<Instant>> {
        let deadline = clock::now() + patience;
        loop {
            let left = deadline.saturating_duration_since(clock::now());
            let Some(packet) = self.ear.next(left)? else {
                return Ok(None);
            };
            let at = clock::now();
            let Packet::Publish { payload } = packet else {
                continue;
            };
            let heard: Value = serde_json::from_slice(&payload)?;
            if heard["alarm"] == format!("{point}/high") && heard["event"] == event {
                return Ok(Some(at));
            }
            let probes_own = heard["alarm"]
                .as_str()
                .and_then(|alarm| alarm.split_once('/')?.0.strip_prefix("GAS-")?.parse().ok())
                .is_some_and(|index: usize| index < PROBES);
            if heard["event"] != "started" && !probes_own {
                self.uninvited += 1;
            }
        }
    }
}
