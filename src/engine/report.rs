//! What the engine says: events with everything a reader needs, and copies of the present.

use std::sync::Arc;

use super::alarm::AlarmState;
use super::drill::drilled;
use super::effect::{Cause, Details, Effect, Event, EventKind, Subject};
use super::notice::NoticeCounts;
use super::occurrence::Alarm;
use super::reading::{AlarmIndex, PointIndex};
use super::rule::Watch;
use super::settings::{AlarmKind, Priority};
use super::snapshot::{AlarmRecord, AlarmView, History, PointView, Shown, Snapshot};
use super::time::{Moment, Wall, spoken};
use super::trend::Line;
use super::{Engine, Point, Sight, timer_index};

impl Engine {
    /// A copy of the present.
    pub fn snapshot(&self) -> Snapshot {
        let mut alarms = Vec::with_capacity(self.alarms.len());
        let mut points = Vec::with_capacity(self.points.len());
        for (index, point) in self.points.iter().enumerate() {
            let (quality, reason) = self.quality_of(index);
            let own = point.alarms.clone();
            alarms.extend(own.clone().map(|alarm| self.alarm_view(alarm, point)));
            let average = |kind| {
                let mut own = own.clone();
                let alarm = own.find(|alarm| self.alarms[*alarm].kind == kind)?;
                self.exposure_view(alarm, self.now)
            };
            let line = self.line(index, self.now.mono);
            points.push(PointView {
                id: Arc::clone(&point.id),
                area: point.area.clone(),
                unit: Arc::clone(&point.unit),
                value: self.shown(index),
                held: self.held_words(index),
                quality,
                reason,
                last_reading: point.channel.last_reading,
                slope_per_min: line.map(Line::slope_per_min),
                forecast: self.forecast(index, self.now.mono),
                stel: average(AlarmKind::Stel),
                twa: average(AlarmKind::Twa),
                counts: point.channel.counts,
                group: point
                    .group
                    .and_then(|group| self.group_view(group))
                    .map(Box::new),
            });
        }
        Snapshot {
            at: self.now,
            points,
            alarms,
            drills: self.drill_views(),
            notices: NoticeCounts::default(),
        }
    }

    /// What is known of one point now; `None` when there is no such point. A few comparisons, and no
    /// allocation.
    pub fn show(&self, point: PointIndex) -> Option<Shown> {
        let index = point.0 as usize;
        let point = self.points.get(index)?;
        let (quality, reason) = self.quality_of(index);
        Some(Shown {
            value: self.shown(index),
            quality,
            reason,
            held: point.held_at.is_some(),
            last_reading: point.channel.last_reading,
            accepted: point.channel.counts.accepted,
        })
    }

    fn alarm_view(&self, index: usize, point: &Point) -> AlarmView {
        let alarm = &self.alarms[index];
        let exposure = self.exposure_view(index, self.now);
        // The page shows the point's value beside every alarm, but beside an average that.
        let value = if matches!(alarm.watch, Watch::Exposure(_)) {
            exposure.map(|exposure| exposure.average)
        } else {
            self.shown(self.point_of(index))
        };
        let (quality, _) = self.quality_for(index, self.now);
        AlarmView {
            exposure,
            learning: point.channel.shown().is_some() && self.is_learning(index, self.now.mono),
            ..alarm.view(point, value, self.limit_of(index), quality, self.now.mono)
        }
    }

    /// The dense index of an alarm; `None` when it is not configured.
    pub fn index(&self, alarm: &str) -> Option<AlarmIndex> {
        let index = self.find(alarm)?;
        Some(AlarmIndex(timer_index(index)))
    }

    /// One alarm as it stands, for events about it, and its durable state; `None` when it is not
    /// configured. Of the name of a drill the drill, `None` when there never was one.
    pub fn alarm(&self, alarm: &str) -> Option<(Subject, AlarmRecord)> {
        if let Some(of) = drilled(alarm) {
            let index = self.find(of)?;
            let record = self.drill_record(index)?.clone();
            return Some((self.drill_subject(index, self.now), record));
        }
        let index = self.find(alarm)?;
        let record = self.alarms[index].record(self.now.mono);
        Some((self.subject(index, self.now), record))
    }

    /// Something about the gateway itself.
    pub(super) fn announce(&mut self, kind: EventKind, cause: Cause, details: Details) {
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: self.now,
            kind,
            subject: None,
            cause,
            details,
            record: None,
            others: Vec::new(),
        })));
    }

    /// The start, with what the journal has to say, and the gap before it.
    pub(super) fn announce_start(&mut self, history: &History) {
        let mut message = format!(
            "forewarn {} watches {} points with {} alarms",
            env!("CARGO_PKG_VERSION"),
            self.points.len(),
            self.alarms.len()
        );
        for note in &history.notes {
            message.push_str("; ");
            message.push_str(note);
        }
        let details = Details {
            message: Some(message),
            run: Some(Box::new(history.run.clone())),
            ..Details::default()
        };
        self.announce(EventKind::Started, Cause::System, details);
        if let Some(from) = history.last_alive {
            self.report_gap(from, self.told_of_learning());
        }
    }

    /// Nobody watched from `from` until now; with what else there is to say about that.
    pub(super) fn report_gap(&mut self, from: Wall, message: Option<String>) {
        let details = Details {
            from: Some(from),
            to: Some(self.now.wall),
            message,
            ..Details::default()
        };
        self.announce(EventKind::MonitoringGap, Cause::System, details);
    }

    /// The gateway ends in good order. The last call.
    pub fn stop(&mut self, now: Moment) {
        self.tick(now);
        self.remember_everything(self.now);
        self.announce(EventKind::Stopped, Cause::System, Details::default());
    }

    /// `left`: the older occurrence that leaves unconfirmed with it.
    pub(super) fn report_raise(&mut self, alarm: usize, left: Option<u64>, now: Moment) {
        let mut details = self.trend(alarm, now.mono);
        details.left_unconfirmed = left;
        let told = joined(self.told_by_channels(alarm), self.told_of_reference(alarm));
        let told = joined(told, self.told_of_movement(alarm));
        let mut told = joined(told, self.told_of_count(alarm));
        told = joined(self.told_of_code(alarm), told);
        if matches!(self.alarms[alarm].watch, Watch::Clock) {
            let (reason, behind) = self.points[self.point_of(alarm)].channel.clock_fault();
            details.reason = Some(reason.to_owned());
            told = joined(told, Some(wrong_clock(behind)));
        } else if !self.alarms[alarm].watch.needs_value() {
            let hidden = &self.points[self.point_of(alarm)].hidden;
            details.held = (!hidden.held.is_empty()).then_some(true);
            details.hides_hazard = hidden.priority.is_some();
            told = joined(told, hidden_hazards(hidden));
            told = joined(self.told_of_refusal(alarm), told);
        }
        if self.alarms[alarm].overlays().is_empty() {
            let first = self.mark_first_out(alarm, &mut details, now);
            told = joined(first, told);
        }
        details.message = joined(told, details.message);
        self.report(alarm, EventKind::Raised, Cause::Process, details, now);
    }

    pub(super) fn report_clear(
        &mut self,
        alarm: usize,
        lasted: Option<f64>,
        cause: Cause,
        now: Moment,
    ) {
        let details = Details {
            duration_s: lasted.map(|seconds| (seconds * 1000.0).round() / 1000.0),
            peak: self.alarms[alarm]
                .episode
                .as_ref()
                .and_then(|episode| episode.peak),
            reason: (cause == Cause::Config).then(|| "config_change".to_owned()),
            ..Details::default()
        };
        self.report(alarm, EventKind::Cleared, cause, details, now);
    }

    /// The reason of a running occurrence changed.
    pub(super) fn report_change(&mut self, alarm: usize, now: Moment) {
        let details = Details {
            message: self.told_by_channels(alarm),
            ..Details::default()
        };
        self.report(alarm, EventKind::Changed, Cause::Process, details, now);
    }

    /// The quality beneath a process alarm changed: if it is active, it is `held` without evidence, or
    /// there is evidence again.
    pub(super) fn report_quality(&mut self, alarm: usize, held: bool, now: Moment) {
        let Alarm { watch, state, .. } = &self.alarms[alarm];
        if watch.needs_value() && state.is_active() {
            let details = Details {
                held: Some(held),
                message: self.told_by_channels(alarm),
                ..Details::default()
            };
            self.report(alarm, EventKind::Changed, Cause::Process, details, now);
        }
    }

    /// An alarm that is no longer configured: what is open of it ends on the record. An occurrence is
    /// cleared only once, so one whose condition had ended before is `changed`.
    pub(super) fn close_removed(&mut self, record: &AlarmRecord) {
        if record.state == AlarmState::Normal && record.unacknowledged.is_empty() {
            return;
        }
        let closed = AlarmRecord {
            state: AlarmState::Normal,
            unacknowledged: Vec::new(),
            confirmation: None,
            cleared_at: record.cleared_at.or(Some(self.now.wall)),
            ..record.clone()
        };
        let older = record.unacknowledged.iter().map(|open| open.occurrence);
        let newest = (record.state != AlarmState::Normal).then_some(record.occurrence);
        for occurrence in older.chain(newest) {
            let active = Some(occurrence) == newest && record.state.is_active();
            let kind = if active {
                EventKind::Cleared
            } else {
                EventKind::Changed
            };
            let subject = Subject {
                occurrence,
                priority: record.priority.unwrap_or(Priority::Low),
                ..Subject::unconfigured(&record.alarm)
            };
            self.effects.push_back(Effect::Event(Box::new(Event {
                at: self.now,
                kind,
                subject: Some(subject),
                cause: Cause::Config,
                details: Details {
                    reason: Some("rule_removed".to_owned()),
                    ..Details::default()
                },
                record: Some(closed.clone()),
                others: Vec::new(),
            })));
        }
    }

    /// An event of an alarm, as the alarm stands now.
    pub(super) fn report(
        &mut self,
        alarm: usize,
        kind: EventKind,
        cause: Cause,
        mut details: Details,
        now: Moment,
    ) {
        let subject = self.subject(alarm, now);
        if details.reason.is_none() && !matches!(kind, EventKind::Cleared) {
            let (_, reason) = self.quality_for(alarm, now);
            details.reason = reason.map(str::to_owned);
        }
        self.tell_exposure(alarm, kind == EventKind::Raised, &mut details, now);
        self.tell_held(alarm, &mut details);
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: now,
            kind,
            subject: Some(subject),
            cause,
            details,
            record: Some(self.alarms[alarm].record(now.mono)),
            others: Vec::new(),
        })));
        self.first_outs.changed(alarm, &self.alarms);
        self.make_way(alarm, now);
    }

    /// The alarm as it stands now.
    pub(super) fn subject(&self, index: usize, now: Moment) -> Subject {
        let alarm = &self.alarms[index];
        let point = &self.points[self.point_of(index)];
        let overlays = alarm.overlays();
        Subject {
            index: Some(AlarmIndex(timer_index(index))),
            alarm: Arc::clone(&alarm.id),
            point: Arc::clone(&point.id),
            area: point.area.clone(),
            unit: Arc::clone(&point.unit),
            occurrence: alarm.occurrence(),
            state: alarm.state,
            overlays,
            priority: alarm.priority,
            value: self.value_for(index, now),
            limit: self.limit_of(index),
            quality: self.quality_for(index, now).0,
            annunciated: overlays.is_empty(),
            first_out: alarm
                .episode
                .as_ref()
                .is_some_and(|episode| episode.first_out),
        }
    }
}

/// What a missing value hides, for the person who is told that it is missing.
fn hidden_hazards(sight: &Sight) -> Option<String> {
    let list = |kinds: &[AlarmKind]| {
        let names: Vec<_> = kinds.iter().map(|kind| kind.name()).collect();
        names.join(", ")
    };
    match (sight.held.is_empty(), sight.pending.is_empty()) {
        (true, true) => None,
        (false, true) => Some(format!("held without a value: {}", list(&sight.held))),
        (true, false) => Some(format!("was about to raise: {}", list(&sight.pending))),
        (false, false) => Some(format!(
            "held without a value: {}; was about to raise: {}",
            list(&sight.held),
            list(&sight.pending)
        )),
    }
}

/// Two sentences in one.
fn joined(first: Option<String>, second: Option<String>) -> Option<String> {
    match (first, second) {
        (Some(first), Some(second)) => Some(format!("{first}; {second}")),
        (first, second) => first.or(second),
    }
}

/// A number to six significant digits; what follows is the arithmetic's, not the plant's.
pub(super) fn six_digits(number: f64) -> f64 {
    format!("{number:.5e}").parse().unwrap_or(number)
}

/// How wrong a source's clock is, for the person who sets it.
fn wrong_clock(behind: f64) -> String {
    let way = if behind < 0.0 { "ahead of" } else { "behind" };
    format!(
        "the clock of the source is {} {way} the gateway's",
        spoken(behind.abs())
    )
}

#[cfg(test)]
mod tests;
