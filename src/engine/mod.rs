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

mod agenda;
pub mod alarm;
pub mod command;
mod delay;
pub mod effect;
mod occurrence;
mod operate;
mod quality;
pub mod reading;
mod report;
mod rule;
pub mod settings;
pub mod snapshot;
pub mod time;

use std::collections::{BTreeMap, VecDeque};
use std::ops::Range;
use std::sync::Arc;
use std::time::Duration;

use agenda::{Agenda, Timer};
use alarm::{Input, Step, transition};
use delay::{Confirmed, Phase, Zone};
use effect::{Cause, Details, Effect, EventKind};
use occurrence::Alarm;
use quality::{Admission, Channel, Condition};
use reading::{Fault, Reading, Sample};
use settings::{AlarmKind, Priority, Settings};
use snapshot::{AlarmRecord, History};
use time::{Moment, Mono};

/// A jump of the wall clock against the monotonic one by more than this is a step, seconds.
const CLOCK_STEP: f64 = 1.0;

/// Decides what every reading means.
#[derive(Debug)]
pub struct Engine {
    points: Vec<Point>,
    alarms: Vec<Alarm>,
    names: BTreeMap<Arc<str>, usize>,
    agenda: Agenda,
    effects: VecDeque<Effect>,
    /// The time of the last call.
    now: Moment,
}

/// Hazards of a point that its missing value hides.
#[derive(Debug, Default)]
struct Sight {
    /// The highest priority among them.
    priority: Option<Priority>,
    /// Active, and held.
    held: Vec<AlarmKind>,
    /// On their way, and dropped.
    pending: Vec<AlarmKind>,
}

/// One point at run time.
#[derive(Debug)]
struct Point {
    id: Arc<str>,
    area: Option<Arc<str>>,
    unit: Arc<str>,
    stale_after: Option<Duration>,
    good_confirm: Duration,
    channel: Channel,
    /// Its alarms.
    alarms: Range<usize>,
}

impl Engine {
    /// Begins to watch: takes up what the journal knows, records the start and the gap before it.
    /// Active alarms stay active, acknowledgements stay, delays begin anew, and nothing clears
    /// before there is good evidence.
    pub fn start(settings: &Settings, history: &History, now: Moment) -> Self {
        let mut engine = Self::build(settings, now);
        engine.announce_start(history);
        for record in &history.records {
            engine.restore(record);
        }
        for point in 0..engine.points.len() {
            engine.restore_condition(point);
        }
        engine
    }

    /// One reading, at the time it was received.
    pub fn read(&mut self, reading: Reading) {
        let now = self.arrive(reading.received, false);
        let index = reading.point.0 as usize;
        let Some(point) = self.points.get_mut(index) else {
            // An index comes from the same settings; a foreign one names nothing to judge.
            debug_assert!(false, "a reading of point {index}, which does not exist");
            return;
        };
        let reading = Reading {
            received: now,
            ..reading
        };
        if let Admission::Live(sample, taken) = point.channel.admit(&reading) {
            self.accept(index, sample, taken, now);
        }
    }

    /// Lets time pass.
    pub fn tick(&mut self, now: Moment) {
        self.arrive(now, true);
    }

    /// The next thing to do; `None` when there is nothing left.
    pub fn poll_effect(&mut self) -> Option<Effect> {
        self.effects.pop_front()
    }

    /// Is there something to do?
    pub fn has_effects(&self) -> bool {
        !self.effects.is_empty()
    }

    /// When to call [`Engine::tick`] at the latest. May be earlier than anything happens.
    pub fn poll_timeout(&self) -> Option<Mono> {
        self.agenda.next()
    }

    fn build(settings: &Settings, now: Moment) -> Self {
        let mut points = Vec::with_capacity(settings.points.len());
        let mut alarms: Vec<Alarm> = Vec::new();
        for point in &settings.points {
            let first = alarms.len();
            alarms.extend(
                point
                    .alarms
                    .iter()
                    .map(|alarm| Alarm::new(&point.id, alarm)),
            );
            points.push(Point {
                id: Arc::clone(&point.id),
                area: point.area.clone(),
                unit: Arc::clone(&point.unit),
                stale_after: point.stale_after,
                good_confirm: point.good_confirm,
                channel: Channel::new(Condition::Waiting, now.mono),
                alarms: first..alarms.len(),
            });
        }
        let names = alarms
            .iter()
            .enumerate()
            .map(|(index, alarm)| (Arc::clone(&alarm.id), index));
        Self {
            names: names.collect(),
            agenda: Agenda::with_capacity(points.len() + alarms.len()),
            effects: VecDeque::with_capacity(64),
            points,
            alarms,
            now,
        }
    }

    fn restore(&mut self, record: &AlarmRecord) {
        match self.names.get(&record.alarm) {
            Some(index) => self.alarms[*index].restore(record),
            None => self.close_removed(record),
        }
    }

    /// A point whose bad or stale alarm was active is still bad or stale; any other was good, or
    /// new, and needs no confirmation.
    fn restore_condition(&mut self, point: usize) {
        let active = |watch: fn(&rule::Watch) -> bool| {
            let mut alarms = self.alarms[self.points[point].alarms.clone()].iter();
            alarms.any(|alarm| watch(&alarm.watch) && alarm.state.is_active())
        };
        let condition = if active(|watch| matches!(watch, rule::Watch::Bad)) {
            Condition::Bad(Fault::WaitingForInitialData)
        } else if active(|watch| matches!(watch, rule::Watch::Stale)) {
            Condition::Stale
        } else {
            Condition::Waiting
        };
        self.points[point].channel.condition = condition;
        if condition != Condition::Stale {
            self.arm_stale(point);
        }
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
            let now = self.now.at(due.max(self.now.mono));
            self.fire(timer, due, now);
        }
        let step = to.wall.seconds_since(self.now.at(to.mono).wall);
        self.now = to;
        if step.abs() > CLOCK_STEP {
            self.clock_stepped(step);
        }
        to
    }

    fn clock_stepped(&mut self, step: f64) {
        for point in &mut self.points {
            point.channel.forget_skew();
        }
        let details = Details {
            step_s: Some((step * 1000.0).round() / 1000.0),
            ..Details::default()
        };
        self.announce(EventKind::ClockStepped, Cause::System, details);
    }

    fn fire(&mut self, timer: Timer, due: Mono, now: Moment) {
        match timer {
            Timer::Raise(alarm) | Timer::Clear(alarm) => {
                let alarm = alarm as usize;
                if let Some(confirmed) = self.alarms[alarm].phase.expire(due) {
                    let sight = self.hazards_in_sight(self.point_of(alarm));
                    self.confirm(alarm, confirmed, &sight, now);
                }
            }
            Timer::Stale(point) => self.fall_silent(point as usize, due, now),
            Timer::Confirm(point) => {
                if self.points[point as usize].channel.confirm_due == Some(due) {
                    self.regain_value(point as usize, now);
                }
            }
        }
    }

    /// A live reading of a point.
    fn accept(&mut self, index: usize, sample: Sample, taken: Mono, now: Moment) {
        self.arm_stale(index);
        let channel = &mut self.points[index].channel;
        if let Sample::Bad(fault) = sample {
            channel.confirm_due = None;
            self.lose_value(index, Condition::Bad(fault), now);
            return;
        }
        channel.sample = Some(sample);
        match channel.condition {
            Condition::Waiting | Condition::Present => {
                channel.condition = Condition::Present;
                self.judge(index, sample, Some(taken), now);
            }
            Condition::Bad(_) | Condition::Stale => self.await_confirmation(index, now),
        }
    }

    /// A point that was bad or stale delivers again; it is believed after `good_confirm`.
    fn await_confirmation(&mut self, index: usize, now: Moment) {
        let point = &mut self.points[index];
        if point.good_confirm.is_zero() {
            self.regain_value(index, now);
        } else if point.channel.confirm_due.is_none() {
            let due = now.mono + point.good_confirm;
            point.channel.confirm_due = Some(due);
            self.agenda.push(due, Timer::Confirm(timer_index(index)));
        }
    }

    /// The value is believed again, and judged as it stands. It is not a new sample: a slope is
    /// drawn through samples only.
    fn regain_value(&mut self, index: usize, now: Moment) {
        let channel = &mut self.points[index].channel;
        channel.confirm_due = None;
        channel.condition = Condition::Present;
        if let Some(sample) = channel.sample {
            self.judge(index, sample, None, now);
        }
        self.report_quality_of_active(index, now);
    }

    fn fall_silent(&mut self, index: usize, due: Mono, now: Moment) {
        let point = &mut self.points[index];
        let Some(stale_after) = point.stale_after else {
            return;
        };
        let silent_from = point.channel.last_fresh + stale_after;
        if silent_from > due {
            self.agenda
                .push(silent_from, Timer::Stale(timer_index(index)));
            return;
        }
        point.channel.stale_armed = false;
        point.channel.confirm_due = None;
        match point.channel.condition {
            Condition::Stale => {}
            // The alarm is there already; silence is only another reason for it.
            Condition::Bad(_) => {
                self.lose_value(index, Condition::Bad(Fault::NoCommunication), now)
            }
            Condition::Waiting | Condition::Present => {
                self.lose_value(index, Condition::Stale, now)
            }
        }
    }

    /// Watches for silence. Costs nothing while the timer runs already: it moves when it comes up.
    fn arm_stale(&mut self, index: usize) {
        let Point {
            stale_after: Some(stale_after),
            channel,
            ..
        } = &mut self.points[index]
        else {
            return;
        };
        if !channel.stale_armed {
            channel.stale_armed = true;
            let due = channel.last_fresh + *stale_after;
            self.agenda.push(due, Timer::Stale(timer_index(index)));
        }
    }

    /// There is no value to judge: alarms hold, pending raises are dropped, the alarm about the
    /// missing value rises and says what it hides.
    fn lose_value(&mut self, index: usize, condition: Condition, now: Moment) {
        let sight = self.hazards_in_sight(index);
        let was = std::mem::replace(&mut self.points[index].channel.condition, condition);
        for alarm in self.points[index].alarms.clone() {
            let known = self.alarms[alarm].state.is_active();
            let zone = self.alarms[alarm].watch.zone_without_value(condition);
            self.advance(alarm, zone, &sight, now);
            if known && zone == Zone::Beyond && was != condition {
                self.report_change(alarm, now);
            }
        }
        if matches!(was, Condition::Waiting | Condition::Present) {
            self.report_quality_of_active(index, now);
        }
    }

    /// Judges a value by every rule of its point. `taken` is its time on the rules' windows.
    fn judge(&mut self, index: usize, sample: Sample, taken: Option<Mono>, now: Moment) {
        let Some(value) = sample.value() else {
            return;
        };
        let quality = sample.quality();
        for index in self.points[index].alarms.clone() {
            let alarm = &mut self.alarms[index];
            if let Some(taken) = taken {
                alarm.watch.learn(taken, sample);
            }
            let zone = alarm.watch.zone(value, quality);
            if alarm.phase.in_alarm() {
                alarm.follow(value);
            }
            self.advance(index, zone, &Sight::default(), now);
        }
    }

    /// Hands a verdict to the delays of an alarm.
    fn advance(&mut self, index: usize, zone: Zone, sight: &Sight, now: Moment) {
        let alarm = &mut self.alarms[index];
        let before = alarm.phase;
        if let Some(confirmed) = alarm.phase.judge(zone, alarm.delays, now.mono) {
            self.confirm(index, confirmed, sight, now);
        } else if alarm.phase != before {
            match alarm.phase {
                Phase::Pending { due } => self.agenda.push(due, Timer::Raise(timer_index(index))),
                Phase::Clearing { due } => self.agenda.push(due, Timer::Clear(timer_index(index))),
                Phase::Idle | Phase::Active => {}
            }
        }
    }

    /// A condition has become certain: runs the life cycle and reports.
    fn confirm(&mut self, index: usize, confirmed: Confirmed, sight: &Sight, now: Moment) {
        let input = match confirmed {
            Confirmed::Raise => Input::Raise,
            Confirmed::Clear => Input::Clear,
        };
        let value = self.value_for(index);
        let alarm = &mut self.alarms[index];
        let Ok((state, step)) = transition(alarm.state, input, alarm.traits) else {
            debug_assert!(false, "raise and clear are never refused");
            return;
        };
        match step {
            Step::Raised => {
                alarm.begin(now, value, sight.priority);
                alarm.state = state;
                self.report_raise(index, sight, now);
            }
            Step::Cleared | Step::ClearedUnattended => {
                let lasted = alarm.end(now);
                alarm.state = state;
                if step == Step::ClearedUnattended {
                    alarm.acknowledge("system", now);
                }
                self.report_clear(index, lasted, now);
            }
            Step::Nothing
            | Step::Acknowledged
            | Step::AlreadyAcknowledged
            | Step::Reset
            | Step::Realarmed => alarm.state = state,
        }
    }

    /// What a point whose value is lost hides: hazards that are active, and those on their way.
    fn hazards_in_sight(&self, point: usize) -> Sight {
        let mut sight = Sight::default();
        for alarm in &self.alarms[self.points[point].alarms.clone()] {
            if !alarm.watch.is_process() {
                continue;
            }
            match alarm.phase {
                Phase::Idle => continue,
                Phase::Pending { .. } => sight.pending.push(alarm.kind),
                Phase::Active | Phase::Clearing { .. } => sight.held.push(alarm.kind),
            }
            sight.priority = sight.priority.max(Some(alarm.priority));
        }
        sight
    }

    /// The value that belongs into an alarm's event: none for alarms about the missing value.
    fn value_for(&self, alarm: usize) -> Option<f64> {
        if !self.alarms[alarm].watch.is_process() {
            return None;
        }
        let channel = &self.points[self.point_of(alarm)].channel;
        channel
            .sample
            .and_then(Sample::value)
            .map(reading::Finite::get)
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
