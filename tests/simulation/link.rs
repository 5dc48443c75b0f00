//! A sensor at work, and the way of its readings: most arrive at once, some late, twice, out of order,
//! or all together after an outage.

use std::time::Duration;

use fastrand::Rng;
use forewarn::engine::reading::{Doubt, Fault, Finite, Measured, Sample};

use super::plant::Sensor;

/// A copy comes no later than this after the original: how long a broker takes to send again.
const COPY_WITHIN: Duration = Duration::from_secs(6);

/// One reading as it left its sensor.
#[derive(Debug, Clone)]
pub(super) struct Sent {
    pub(super) measured: Measured,
    /// When it was taken, in true time; absent when the sensor does not say.
    pub(super) taken: Option<Duration>,
    pub(super) number: u64,
}

/// One reading as it arrives.
#[derive(Debug, Clone)]
pub(super) struct Arrival {
    pub(super) sent: Sent,
    /// It has arrived before, or is a retained message: no news.
    pub(super) again: bool,
    pub(super) retained: bool,
}

/// What the way is like for some rounds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Way {
    Open,
    /// Nothing leaves.
    Silent,
    /// Everything waits, and comes together in the end.
    Buffering,
    /// The sensor says that it has failed.
    Failing,
}

/// A sensor and its way to the gateway.
#[derive(Debug)]
pub(super) struct Link {
    sensor: &'static Sensor,
    value: f64,
    mood: f64,
    way: Way,
    rounds: u32,
    number: u64,
    waiting: Vec<Sent>,
    /// On a longer way than the others, and for how many rounds still.
    strays: Vec<(u32, Sent)>,
    delivered: Vec<Sent>,
}

impl Link {
    pub(super) fn new(sensor: &'static Sensor) -> Self {
        Self {
            sensor,
            value: sensor.moods[0],
            mood: sensor.moods[0],
            way: Way::Open,
            rounds: 10,
            number: 0,
            waiting: Vec::new(),
            strays: Vec::new(),
            delivered: Vec::new(),
        }
    }

    pub(super) const fn sensor(&self) -> &'static Sensor {
        self.sensor
    }

    /// What arrives in this round. `heard`: is there anybody to hear it?
    pub(super) fn beat(&mut self, dice: &mut Rng, now: Duration, heard: bool) -> Vec<Arrival> {
        let opened = self.turn(dice);
        let mut ready = Vec::new();
        if opened {
            ready.append(&mut self.waiting);
            if dice.bool() {
                dice.shuffle(&mut ready);
            }
        }
        self.strays.iter_mut().for_each(|(left, _)| *left -= 1);
        let home = self.strays.extract_if(.., |(left, _)| *left == 0);
        ready.extend(home.map(|(_, sent)| sent));
        let sent = self.measure(dice, now);
        let keeps = self.sensor.timed && !heard;
        match self.way {
            Way::Silent => {}
            Way::Buffering if self.waiting.len() < 60 => self.waiting.push(sent),
            Way::Buffering => {}
            Way::Open | Way::Failing if self.sensor.timed && dice.u8(..) < 8 => {
                self.strays.push((dice.u32(1..5), sent));
            }
            Way::Open | Way::Failing if keeps => self.waiting.push(sent),
            Way::Open | Way::Failing => ready.push(sent),
        }
        if !heard {
            if self.sensor.timed {
                ready.truncate(60);
                self.waiting.append(&mut ready);
            }
            return Vec::new();
        }
        let mut arrivals = self.copies(dice, now);
        arrivals.extend(ready.into_iter().map(|sent| self.arrive(sent, false)));
        if dice.u8(..) < 3
            && let Some(last) = self.delivered.last().cloned()
        {
            arrivals.push(self.arrive(last, true));
        }
        arrivals
    }

    /// What arrived lately arrives once more.
    fn copies(&mut self, dice: &mut Rng, now: Duration) -> Vec<Arrival> {
        self.delivered
            .retain(|sent| sent.taken.is_some_and(|taken| taken + COPY_WITHIN > now));
        if self.delivered.is_empty() || dice.u8(..) >= 16 {
            return Vec::new();
        }
        let copy = self.delivered[dice.usize(..self.delivered.len())].clone();
        vec![Arrival {
            sent: copy,
            again: true,
            retained: false,
        }]
    }

    fn arrive(&mut self, sent: Sent, retained: bool) -> Arrival {
        if sent.taken.is_some() && !retained {
            self.delivered.push(sent.clone());
        }
        Arrival {
            sent,
            again: retained,
            retained,
        }
    }

    /// The gateway forgets what arrived before its restart; a copy of that is news to it.
    pub(super) fn forget(&mut self) {
        self.delivered.clear();
    }

    /// Another way for some rounds. Says whether one on which readings waited is open now.
    fn turn(&mut self, dice: &mut Rng) -> bool {
        if self.rounds > 0 {
            self.rounds -= 1;
            return self.way == Way::Open && !self.waiting.is_empty();
        }
        let before = self.way;
        (self.way, self.rounds) = match dice.u8(..) {
            0..12 => (Way::Silent, dice.u32(2..40)),
            12..24 if self.sensor.timed => (Way::Buffering, dice.u32(2..60)),
            24..40 => (Way::Failing, dice.u32(1..15)),
            _ => (Way::Open, dice.u32(4..60)),
        };
        before == Way::Buffering && self.way != Way::Buffering
    }

    fn measure(&mut self, dice: &mut Rng, now: Duration) -> Sent {
        if dice.u8(..) < self.sensor.turns {
            self.mood = self.sensor.moods[dice.usize(..self.sensor.moods.len())];
        }
        self.value = if self.sensor.jumps {
            self.mood
        } else {
            let noise = (dice.f64() - 0.5) * 0.02 * self.sensor.moods[1].abs();
            self.value + (self.mood - self.value) * 0.3 + noise
        };
        self.number += 1;
        let way = Duration::from_millis(dice.u64(..200));
        Sent {
            measured: self.measured(dice),
            taken: self.sensor.timed.then(|| now.saturating_sub(way)),
            number: self.number,
        }
    }

    fn measured(&self, dice: &mut Rng) -> Measured {
        let value = (self.value * 100.0).round() / 100.0;
        let sample = Sample::measured(value);
        match (self.way, dice.u8(..)) {
            (Way::Failing, _) => Sample::Bad(Fault::DeviceFailure).into(),
            (_, 0..3) => Sample::measured(f64::NAN).into(),
            (_, 3..6) => Sample::measured(f64::INFINITY).into(),
            (_, 6..10) if !self.sensor.raw => Finite::new(value)
                .map_or(sample, |value| {
                    Sample::Uncertain(value, Doubt::SensorNotAccurate)
                })
                .into(),
            _ if self.sensor.raw => Measured::Raw(value),
            _ => sample.into(),
        }
    }
}

impl Sent {
    /// Can a value be made of it?
    pub(super) fn has_value(&self) -> bool {
        match self.measured {
            Measured::Sample(sample) => sample.value().is_some(),
            // Microamps of a loop.
            Measured::Raw(raw) => (3_600.0..=21_000.0).contains(&raw),
        }
    }
}
