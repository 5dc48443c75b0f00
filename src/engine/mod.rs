//! The engine decides. It does no input or output, reads no clock, spawns nothing and cannot fail on
//! a reading: a bad reading is data.
//!
//! # Calling contract
//!
//! 1. Make **one** call: [`Engine::read`], [`Engine::command`] or [`Engine::tick`].
//! 2. Drain [`Engine::poll_effect`] until it says `None`.
//! 3. Ask [`Engine::poll_timeout`] when to call [`Engine::tick`] at the latest.
//!
//! Time is an argument. It may stand still but not go back: an earlier monotonic time than the last
//! one is taken as the last one. Timers fire at their due time, in order, before anything later is
//! looked at; at one instant readings come first, then timers, then commands. Spurious ticks are
//! harmless. The same calls give the same effects, byte for byte.
//!
//! # The way of a reading
//!
//! ```text
//!  Reading ─▶ quality ─▶ rule ─▶ delay ─▶ transition ─▶ Effect
//!             is it       where    is it     what does     commit,
//!             news?       does it  certain?  it mean?      then show
//!                         lie?
//! ```

mod advance;
mod agenda;
pub mod alarm;
pub mod annunciation;
pub mod command;
mod configured;
pub mod confirm;
mod count;
mod cover;
mod current_loop;
mod delay;
pub mod drill;
pub mod effect;
mod exposure;
mod first_out;
mod frozen;
mod gate;
mod group;
mod health;
pub mod inhibited;
mod judge;
mod late;
mod links;
pub mod memory;
mod names;
pub mod notice;
mod occurrence;
mod operate;
mod outlook;
mod over_range;
pub mod overlay;
mod person;
mod presence;
mod quality;
pub mod reading;
pub mod recurrence;
mod reference;
mod refill;
mod refusals;
mod reorder;
mod report;
mod rule;
pub mod settings;
mod sight;
pub mod signal;
pub mod snapshot;
mod start;
mod step;
mod suppression;
pub mod time;
mod trend;
mod warm_up;
mod wiring;
mod withdraw;

use std::collections::VecDeque;
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use agenda::{Agenda, Timer};
use drill::Drills;
use effect::Effect;
use first_out::FirstOuts;
use group::Group;
use health::SelfCheck;
use late::Track;
use links::{Dependent, Links};
use names::Names;
use occurrence::Alarm;
use quality::{Admission, Channel};
use reading::{Finite, Quality, Reading};
use refusals::Refusals;
use rule::Watch;
use settings::{Guards, Longest, OnBad, Reminder};
use sight::Sight;
use suppression::Suppressions;
use time::{Moment, Mono};
use trend::Trend;
use warm_up::WarmUp;

/// A jump of the wall clock against the monotonic one by more than this is a step, seconds.
const CLOCK_STEP: f64 = 1.0;

/// Decides what every reading means.
#[derive(Debug)]
pub struct Engine {
    points: Vec<Point>,
    alarms: Vec<Alarm>,
    names: Names,
    groups: Vec<Group>,
    suppressions: Suppressions,
    first_outs: FirstOuts,
    drills: Drills,
    links: Links,
    agenda: Agenda,
    longest: Longest,
    guards: Guards,
    reminder: Option<Reminder>,
    effects: VecDeque<Effect>,
    refusals: Refusals,
    /// The time of the last call.
    now: Moment,
}

/// One point at run time.
#[derive(Debug)]
struct Point {
    id: Arc<str>,
    area: Option<Arc<str>>,
    unit: Arc<str>,
    /// Where it is read from, in words.
    origin: Option<Arc<str>>,
    /// What its codes mean.
    meanings: &'static [(u8, &'static str)],
    stale_after: Option<Duration>,
    good_confirm: Duration,
    channel: Channel,
    /// What its device says of itself.
    check: SelfCheck,
    /// Whether its sensor warms up.
    warm_up: WarmUp,
    /// What it is to groups without a value.
    on_bad: OnBad,
    /// Which group it is, if it is not measured but counted.
    group: Option<usize>,
    /// Delayed data, while they come.
    late: Option<Box<Track>>,
    /// What was in sight when the value was lost; empty while there is one.
    hidden: Sight,
    /// Full scale, while over-range is held.
    held_at: Option<Finite>,
    /// Its alarm about a value that does not move.
    frozen: Option<usize>,
    /// Which way it goes, for rules that ask.
    trends: Vec<Trend>,
    /// Its alarms.
    alarms: Range<usize>,
}

impl Engine {
    /// One reading, at the time it was received.
    pub fn read(&mut self, reading: Reading) {
        let now = self.arrive(reading.received, false);
        let index = reading.point.0 as usize;
        let Some(point) = self.points.get_mut(index) else {
            // An index comes from the same settings; a foreign one names nothing to judge.
            debug_assert!(false, "a reading of point {index}, which does not exist");
            return;
        };
        if point.group.is_some() {
            debug_assert!(false, "a reading of {}, which is a group", point.id);
            return;
        }
        let reading = Reading {
            received: now,
            ..reading
        };
        match point.channel.admit(&reading) {
            Admission::Live(sample, taken) => {
                self.accept(index, sample, taken, now);
                self.hear_health(index, reading.health, now);
            }
            Admission::Aside => self.set_aside(index, now),
            Admission::Reordered(sample, taken) => {
                self.judge_reordered(index, sample, taken, now);
            }
            Admission::Late(sample, source) => self.judge_late(index, sample, source, now),
            Admission::Ignored => return,
        }
        self.settle(now);
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) {
        self.arrive(now, true);
    }

    /// Nobody watched between `from` and `now`: the process was stopped, or the board stood still.
    /// To be called before anything else is, when the caller notices; lateness is not guessed here,
    /// for a replay jumps from line to line and sleeps through nothing.
    ///
    /// Silence that nobody listened to is no silence, and a value that nobody looked at has not
    /// lasted: deadlines of silence move on by the gap, delays and confirmations begin anew, as after
    /// a restart. The gap is on record.
    pub fn paused(&mut self, from: Moment, now: Moment) {
        let from = self.arrive(from, true);
        let now = if now.mono < from.mono { from } else { now };
        let gap = now.mono.since(from.mono);
        for point in &mut self.points {
            point.channel.sleep(gap, point.good_confirm, now.mono);
        }
        for alarm in &mut self.alarms {
            alarm.restart_delay(now.mono);
            alarm.watch.lose(from.mono);
        }
        // Entries of the agenda are earlier than the deadlines now, and move when they come up.
        self.arrive(now, false);
        self.report_gap(from.wall, None);
    }

    /// The next thing to do; `None` when there is nothing left.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// When to call [`Engine::tick`] at the latest. May be earlier than anything happens.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.agenda.next()
    }

    /// The time of the last call.
    pub const fn now(&self) -> Moment {
        self.now
    }

    /// Moves time to `to` at the latest seen: fires timers, notices a stepped clock.
    fn arrive(&mut self, to: Moment, inclusive: bool) -> Moment {
        // The monotonic clock never goes back; readings stamped by two tasks may cross by a hair.
        let to = if to.mono < self.now.mono {
            to.at(self.now.mono)
        } else {
            to
        };
        while let Some((due, timer)) = self.agenda.pop(to.mono, inclusive) {
            // What a timer reports is seen at its time, whenever the call comes that lets it fire.
            self.now = self.now.at(due.max(self.now.mono));
            self.fire(timer, due, self.now);
        }
        let step = to.wall.seconds_since(self.now.at(to.mono).wall);
        self.now = to;
        if step.abs() > CLOCK_STEP {
            self.clock_stepped(step);
        }
        to
    }

    fn fire(&mut self, timer: Timer, due: Mono, now: Moment) {
        match timer {
            Timer::Raise(alarm) | Timer::Clear(alarm) => {
                self.end_delay(alarm as usize, timer, due, now);
            }
            Timer::Aside(point) => self.end_aside(point as usize, due, now),
            Timer::Stale(point) => self.fall_silent(point as usize, due, now),
            Timer::Late(point) => self.settle_late(point as usize, now),
            Timer::Confirm(point) => self.end_confirmation(point as usize, due, now),
            Timer::Attend(alarm) => self.attend(alarm as usize, due, now),
            Timer::Look(alarm) => self.look_again(alarm as usize, now),
            Timer::Drill(alarm) => self.drill_due(alarm as usize, due, now),
        }
        self.settle(now);
    }

    /// Time has passed for an alarm that depends on it, whether values come or not.
    fn look_again(&mut self, alarm: usize, now: Moment) {
        if matches!(self.alarms[alarm].watch, Watch::Exposure(_)) {
            self.update_exposure(alarm, now);
        } else if self.alarms[alarm].count.is_some() {
            self.look_at_count(alarm, now);
        } else {
            self.look_for_movement(alarm, now);
        }
    }

    /// Judges again whoever looks at what has changed, until nothing changes any more.
    fn settle(&mut self, now: Moment) {
        while let Some(dependent) = self.links.next() {
            match dependent {
                Dependent::Health(point) => self.judge_health(point, now),
                Dependent::Alarm(alarm) => self.judge_again(alarm, now),
                Dependent::Group(group) => self.judge_group(group, now),
                Dependent::Suppression(index) => self.judge_suppression(index, now),
            }
        }
    }

    /// The value that belongs into an alarm's event: none for alarms about the missing value, and none
    /// while it is not believed. Of an average, the average.
    fn value_for(&self, alarm: usize, now: Moment) -> Option<f64> {
        let watch = &self.alarms[alarm].watch;
        if matches!(watch, Watch::Exposure(_)) {
            return self
                .exposure_view(alarm, now)
                .map(|exposure| exposure.average);
        }
        if watch.needs_value() {
            self.shown(self.point_of(alarm))
        } else {
            None
        }
    }

    /// The quality that belongs into an alarm's event, and why it is not good.
    fn quality_for(&self, alarm: usize, now: Moment) -> (Quality, Option<&'static str>) {
        let point = self.quality_of(self.point_of(alarm));
        let own = self.exposure_quality(alarm, point, now);
        self.reference_quality(alarm, own)
    }

    /// The index of an alarm of this id.
    fn find(&self, alarm: &str) -> Option<usize> {
        self.names.find(&self.alarms, alarm)
    }

    /// The point that an alarm belongs to. Points lie in the order of their alarms.
    fn point_of(&self, alarm: usize) -> usize {
        self.points
            .partition_point(|point| point.alarms.end <= alarm)
    }
}

/// Index of a point or alarm in a timer. Settings of more than 2^32 alarms do not fit into memory.
fn timer_index(index: usize) -> u32 {
    u32::try_from(index).expect("fewer than 2^32 points and alarms")
}

#[cfg(test)]
mod tests;
