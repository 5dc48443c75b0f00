//! Which readings are recorded. Pure: time is an argument, and records come out one by one.
//!
//! ```text
//!                                   inside the deadband, same quality: counted, min and max kept
//!                                  ┌────┐
//!   ┌─────────┐  a reading   ┌─────┴────▼─┐  a reading outside the deadband,  ┌────────┐
//!   │ nothing │ ───────────▶ │  interval  │ ────────────────────────────────▶ │ moved  │
//!   │ to tell │ ◀─────────── └────────────┘  or of another quality             └───┬────┘
//!   └─────────┘  max_interval: a record                                            │
//!        ▲                                   min_interval after the last record:   │
//!        └─────────────────────────────────────────────── a record ────────────────┘
//! ```
//!
//! The deadband lies around what was recorded last. A reading that leaves it counts although the value is
//! back before the record is due, so a peak of one second is in the record: as its `min` or `max`.
//!
//! **An interval has one quality.** When the quality changes, what the interval holds is recorded and the
//! change with it, at once; but a change that follows a change within `min_interval` waits like a
//! value, so that a flickering sensor gives at most three records in each. The record of such an interval
//! has the worst quality of its values.
//!
//! A clock that is set changes nothing here: intervals are counted on the monotonic clock.
//!
//! Deliberately absent: interpolation and a swinging door (a straight line between two records is a claim
//! about what lay between; min and max are facts), and delayed data, which the journal judges.

use std::time::Duration;

use super::record::Record;
use crate::engine::reading::{PointIndex, Quality};
use crate::engine::snapshot::Shown;
use crate::engine::time::{Moment, Mono, Wall};

/// How often a point is recorded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Pace {
    /// A value that moves is recorded no sooner after the last record.
    pub shortest: Duration,
    /// A value that comes is recorded no later after the last record.
    pub longest: Duration,
}

/// All points.
#[derive(Debug)]
pub struct Recorder {
    pace: Pace,
    tracks: Vec<Track>,
}

/// One point.
#[derive(Debug)]
struct Track {
    /// In the point's unit.
    deadband: f64,
    /// What is known of it; `None` before anything was.
    present: Option<Present>,
    /// Readings that the engine had accepted then.
    accepted: u64,
    /// What was recorded last; `None`: nothing, or that there is no value.
    recorded: Option<f64>,
    /// When.
    recorded_at: Mono,
    /// The last record told a change of quality that did not wait.
    hurried: bool,
    interval: Interval,
}

#[derive(Debug, Clone, Copy)]
struct Present {
    time: Wall,
    value: Option<f64>,
    condition: Condition,
}

/// All that makes a record of another quality.
type Condition = (Quality, Option<&'static str>, bool);

/// What came since the last record.
#[derive(Debug, Clone, Copy, Default)]
struct Interval {
    from: Wall,
    count: u32,
    range: Option<(f64, f64)>,
    /// The worst of its values.
    worst: Option<Condition>,
    /// Something is to be told of it before it is as old as may be.
    moved: bool,
}

impl Recorder {
    /// For as many points as there are `deadbands`, each in its point's unit.
    pub fn new(pace: Pace, deadbands: impl Iterator<Item = f64>) -> Self {
        let track = |deadband: f64| Track {
            deadband,
            present: None,
            accepted: 0,
            recorded: None,
            recorded_at: Mono::ZERO,
            hurried: false,
            interval: Interval::default(),
        };
        Self {
            pace,
            tracks: deadbands.map(track).collect(),
        }
    }

    /// What the engine shows of a point after a reading, or at any other time: nothing new is noticed as
    /// such. Gives 0, 1 or 2 records to `tell`.
    pub fn see(
        &mut self,
        point: PointIndex,
        shown: &Shown,
        now: Moment,
        tell: &mut impl FnMut(Record),
    ) {
        let Some(track) = self.tracks.get_mut(point.0 as usize) else {
            return;
        };
        track.see(point, self.pace, shown, now, tell);
    }

    /// Records of a point what is due by now.
    pub fn turn(&mut self, point: PointIndex, now: Moment, tell: &mut impl FnMut(Record)) {
        let Some(track) = self.tracks.get_mut(point.0 as usize) else {
            return;
        };
        if track.is_due(self.pace, now.mono) {
            tell(track.record(point, now.mono));
            track.hurried = false;
        }
    }

    /// Nothing more is seen: records what has come since the last record of each point.
    pub fn close(&mut self, now: Moment, tell: &mut impl FnMut(Record)) {
        for (index, track) in (0..).zip(&mut self.tracks) {
            if track.interval.count > 0 {
                tell(track.record(PointIndex(index), now.mono));
            }
        }
    }

    /// Somebody who was away wants the present of every point: it is recorded when it may be.
    pub fn refresh(&mut self) {
        for track in &mut self.tracks {
            track.interval.moved |= track.present.is_some();
        }
    }
}

impl Track {
    fn see(
        &mut self,
        point: PointIndex,
        pace: Pace,
        shown: &Shown,
        now: Moment,
        tell: &mut impl FnMut(Record),
    ) {
        let condition = (shown.quality, shown.reason, shown.held);
        let value = shown.value.filter(|value| value.is_finite());
        let fresh = shown.accepted != self.accepted;
        let before = self.present;
        let turned = before.is_some_and(|present| present.condition != condition);
        if !fresh && before.is_some_and(|present| !turned && same(present.value, value)) {
            return;
        }
        self.accepted = shown.accepted;
        if turned && !self.hurried && self.interval.count > 0 {
            tell(self.record(point, now.mono));
        }
        let time = match shown.last_reading {
            Some(last) if fresh => last,
            Some(_) | None => now.wall,
        };
        self.present = Some(Present {
            time,
            value,
            condition,
        });
        self.interval.add(time, value, condition);
        self.interval.moved |= turned || self.has_left(value);
        let at_once = before.is_none() || (turned && !self.hurried);
        if at_once || self.is_due(pace, now.mono) {
            tell(self.record(point, now.mono));
            self.hurried = turned && at_once;
        }
    }

    /// Is a value outside the deadband around what was recorded?
    fn has_left(&self, value: Option<f64>) -> bool {
        match (self.recorded, value) {
            (Some(recorded), Some(value)) => (value - recorded).abs() > self.deadband,
            (None, Some(_)) => true,
            (_, None) => false,
        }
    }

    fn is_due(&self, pace: Pace, now: Mono) -> bool {
        let age = now.since(self.recorded_at);
        (self.interval.moved && age >= pace.shortest)
            || (self.interval.count > 0 && age >= pace.longest)
    }

    /// Closes the interval.
    fn record(&mut self, point: PointIndex, now: Mono) -> Record {
        let present = self
            .present
            .expect("nothing is recorded before something is seen");
        let interval = std::mem::take(&mut self.interval);
        let (value, range) = (present.value, interval.range);
        let condition = match interval.worst {
            Some(worst) if value.is_some() => worst,
            Some(_) | None => present.condition,
        };
        self.recorded = value;
        self.recorded_at = now;
        Record {
            point,
            time: present.time,
            from: if interval.count > 0 {
                interval.from
            } else {
                present.time
            },
            value,
            quality: condition.0,
            reason: condition.1,
            held: condition.2,
            range: range
                .filter(|(low, high)| !same(Some(*low), value) || !same(Some(*high), value)),
            count: interval.count,
        }
    }
}

impl Interval {
    fn add(&mut self, time: Wall, value: Option<f64>, condition: Condition) {
        if self.count == 0 {
            self.from = time;
        }
        self.count = self.count.saturating_add(1);
        let Some(value) = value else { return };
        let (low, high) = self.range.unwrap_or((value, value));
        self.range = Some((low.min(value), high.max(value)));
        let doubtful = condition.0 != Quality::Good;
        if self.worst.is_none() || doubtful {
            self.worst = Some(condition);
        }
    }
}

/// Bit by bit: what is told again is the very same number.
fn same(one: Option<f64>, other: Option<f64>) -> bool {
    one.map(f64::to_bits) == other.map(f64::to_bits)
}

#[cfg(test)]
mod tests;
