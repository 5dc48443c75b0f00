//! What the committed events say of every alarm: over restarts, lost power and stepping clocks it must
//! remain a story that makes sense. Knows the standard's table (alarm-standards 1.3), not the engine.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use forewarn::engine::alarm::AlarmState;
use forewarn::engine::effect::{Cause, Event, EventKind, Subject};
use forewarn::engine::overlay::{Overlay, Overlays};
use forewarn::engine::reading::Quality;
use forewarn::engine::settings::Priority;
use forewarn::engine::snapshot::AlarmRecord;

use super::Finding;
use super::plant::{LONGEST_OUTAGE, LONGEST_RUN_UP, LONGEST_SHELF};
use super::row::Row;

/// Fails with what was expected, and the event.
macro_rules! hold {
    ($condition:expr, $law:literal, $event:expr) => {
        if !$condition {
            return Err(format!("{} does not hold: {:?}", $law, $event));
        }
    };
}

/// Every alarm, as told so far.
#[derive(Clone)]
pub(super) struct Witness {
    stories: BTreeMap<Arc<str>, Story>,
    rows: Vec<Row>,
}

/// One alarm.
#[derive(Clone, Default)]
pub(super) struct Story {
    /// Where each occurrence stands.
    states: BTreeMap<u64, AlarmState>,
    raised: BTreeMap<u64, f64>,
    cleared: BTreeSet<u64>,
    /// Since the last annunciation.
    acknowledged: BTreeSet<u64>,
    overlays: Overlays,
    priority: Option<Priority>,
    /// The state as the journal has it.
    pub(super) record: Option<AlarmRecord>,
    /// Since when, in true time, it calls and nobody was told.
    pub(super) quiet_since: f64,
}

/// Is the alarm about the measuring, so that it needs no value to begin or end?
pub(super) fn is_about_measuring(alarm: &str) -> bool {
    let kinds = [
        "/bad",
        "/stale",
        "/clock",
        "/degraded",
        "/group_fault",
        "/discrepancy",
    ];
    kinds.iter().any(|kind| alarm.ends_with(kind))
}

impl Witness {
    pub(super) fn new() -> Self {
        Self {
            stories: BTreeMap::new(),
            rows: Row::all(),
        }
    }

    /// A committed event that happened at true time `t`, seconds.
    pub(super) fn hear(&mut self, event: &Event, t: f64) -> Finding {
        let Some(subject) = &event.subject else {
            self.settle(event, t);
            return Ok(());
        };
        if subject.index.is_none() {
            hold!(
                event.kind == EventKind::CommandRejected,
                "only a refused command names what is not configured",
                event
            );
            return Ok(());
        }
        let story = self.stories.entry(Arc::clone(&subject.alarm)).or_default();
        story.hear(event, subject, t)?;
        for row in &mut self.rows {
            row.hear(event, subject)?;
        }
        if let Some(record) = &event.record {
            story.record = Some(record.clone());
        }
        self.settle(event, t);
        Ok(())
    }

    /// States of other alarms that go with an event: a summary tells of them; a step of the clock moves
    /// their stamps, and a start takes over what silenced them.
    fn settle(&mut self, event: &Event, t: f64) {
        for record in &event.others {
            let other = self.stories.entry(Arc::clone(&record.alarm)).or_default();
            other.record = Some(record.clone());
            if event.kind == EventKind::Notified {
                other.quiet_since = t;
            }
        }
    }

    /// The alarm as told so far.
    pub(super) fn story(&self, alarm: &str) -> Option<&Story> {
        self.stories.get(alarm)
    }

    /// The gateway has begun anew, and said so.
    pub(super) fn restarts(&mut self) {
        self.rows.iter_mut().for_each(Row::restarts);
    }

    /// Nobody could be told before `t`.
    pub(super) fn wakes(&mut self, t: f64) {
        for story in self.stories.values_mut() {
            story.quiet_since = t;
        }
    }
}

impl Story {
    fn state(&self, occurrence: u64) -> AlarmState {
        let known = self.states.get(&occurrence);
        known.copied().unwrap_or(AlarmState::Normal)
    }

    fn hear(&mut self, event: &Event, subject: &Subject, t: f64) -> Finding {
        let before = self.state(subject.occurrence);
        let overlays = match event.kind {
            EventKind::Raised => self.raised(event, subject, t)?,
            EventKind::Cleared => self.cleared(event, subject, before, t)?,
            EventKind::Acknowledged => self.acknowledged(event, subject, before)?,
            EventKind::Realarmed => {
                let again = (before, subject.state)
                    == (AlarmState::Acknowledged, AlarmState::Unacknowledged);
                hold!(again, "only what is acknowledged re-alarms", event);
                self.anew(subject, t)
            }
            EventKind::Reset => self.reset(event, subject, before)?,
            EventKind::Shelved => self.covered(Overlay::Shelved, LONGEST_SHELF, event)?,
            EventKind::OutOfService => {
                self.covered(Overlay::OutOfService, LONGEST_OUTAGE, event)?
            }
            EventKind::Suppressed => self.suppressed(event)?,
            EventKind::Unshelved => self.uncovered(Overlay::Shelved, event, subject, before, t)?,
            EventKind::InService => {
                self.uncovered(Overlay::OutOfService, event, subject, before, t)?
            }
            EventKind::Unsuppressed => {
                self.uncovered(Overlay::Suppressed, event, subject, before, t)?
            }
            EventKind::Confirmed => {
                hold!(
                    subject.state == before,
                    "a confirmation changes no state",
                    event
                );
                self.overlays
            }
            EventKind::Changed => self.changed(event, subject, before, t)?,
            EventKind::Notified => {
                hold!(
                    self.overlays.is_empty(),
                    "P5: nobody is told beneath an overlay",
                    event
                );
                self.quiet_since = t;
                self.overlays
            }
            EventKind::AllClear => {
                hold!(
                    self.cleared.contains(&subject.occurrence),
                    "nobody is told that it is over while it is not",
                    event
                );
                self.overlays
            }
            EventKind::CommandRejected | EventKind::CommandIgnored => {
                let told = event.details.reason.is_some() && event.details.by.is_some();
                hold!(told, "P18: a refusal says why and to whom", event);
                hold!(
                    subject.state == before,
                    "P18: a refusal changes no state",
                    event
                );
                self.overlays
            }
            EventKind::FirstOutReset
            | EventKind::ClockStepped
            | EventKind::MonitoringGap
            | EventKind::ConfigChanged
            | EventKind::Started
            | EventKind::Stopped => {
                return Err(format!("an alarm has no such event: {event:?}"));
            }
        };
        let silent = subject.state != AlarmState::Unacknowledged;
        let allowed = matches!(event.kind, EventKind::Acknowledged | EventKind::Cleared);
        hold!(
            before != AlarmState::Unacknowledged || !silent || allowed,
            "P5: only a person or the end of the condition silences",
            event
        );
        hold!(
            subject.overlays == overlays,
            "overlays come and go with their events",
            event
        );
        hold!(
            overlays.is_empty() || !subject.annunciated,
            "P5: nothing annunciates beneath an overlay",
            event
        );
        self.overlays = overlays;
        self.priority = Some(subject.priority);
        if subject.occurrence > 0 {
            self.states.insert(subject.occurrence, subject.state);
        }
        if let Some(record) = &event.record {
            hold!(
                record.overlays() == overlays && record.state == self.state(record.occurrence),
                "the stored state is the one told",
                event
            );
        }
        Ok(())
    }

    /// P3: one raise an occurrence, numbers without a gap, one active occurrence at a time.
    fn raised(&mut self, event: &Event, subject: &Subject, t: f64) -> Result<Overlays, String> {
        let last = self.states.keys().next_back().copied().unwrap_or_default();
        hold!(
            subject.occurrence == last + 1,
            "P3: occurrences are numbered without a gap",
            event
        );
        self.raised.insert(subject.occurrence, t);
        if event.details.late {
            self.cleared.insert(subject.occurrence);
            let over = !subject.state.is_active() && !subject.annunciated;
            let (from, to) = (event.details.raised_at, event.details.cleared_at);
            hold!(
                over && from <= to && from.is_some(),
                "what is found in delayed data is over",
                event
            );
            return Ok(self.overlays);
        }
        hold!(
            self.states.values().all(|state| !state.is_active())
                && subject.state == AlarmState::Unacknowledged,
            "P3: an active alarm is not raised again",
            event
        );
        Ok(self.anew(subject, t))
    }

    /// P3, P4: once, after its raise, and never without a value.
    fn cleared(
        &mut self,
        event: &Event,
        subject: &Subject,
        before: AlarmState,
        t: f64,
    ) -> Result<Overlays, String> {
        let after = self
            .raised
            .get(&subject.occurrence)
            .is_some_and(|raised| *raised <= t);
        hold!(
            before.is_active() && after,
            "P3: what clears was raised",
            event
        );
        hold!(
            self.cleared.insert(subject.occurrence),
            "P3: an occurrence clears once",
            event
        );
        hold!(
            subject.is_drill()
                || is_about_measuring(&subject.alarm)
                || subject.quality != Quality::Bad,
            "P4: nothing about the process clears without a value",
            event
        );
        Ok(self.overlays)
    }

    fn acknowledged(
        &mut self,
        event: &Event,
        subject: &Subject,
        before: AlarmState,
    ) -> Result<Overlays, String> {
        hold!(
            before.is_unacknowledged() && !subject.state.is_unacknowledged(),
            "an acknowledgement answers what waits for one",
            event
        );
        hold!(
            before.is_active() == subject.state.is_active(),
            "an acknowledgement ends nothing",
            event
        );
        hold!(
            self.acknowledged.insert(subject.occurrence),
            "P3: one first acknowledgement an annunciation",
            event
        );
        Ok(self.overlays)
    }

    /// P8. Two kinds release something else than a latch: a held over-range, which then clears, and a
    /// dose, which begins anew.
    fn reset(
        &self,
        event: &Event,
        subject: &Subject,
        before: AlarmState,
    ) -> Result<Overlays, String> {
        let other = subject.alarm.ends_with("/over_range") || subject.alarm.ends_with("/twa");
        let latch = before == AlarmState::LatchedAcknowledged
            && subject.state == AlarmState::Normal
            && self.cleared.contains(&subject.occurrence);
        hold!(
            latch || (other && subject.state == before),
            "P8: no reset while the condition is true",
            event
        );
        hold!(
            other || subject.quality == Quality::Good,
            "P8: no reset without good evidence",
            event
        );
        Ok(self.overlays)
    }

    /// Severity may rise, and then wants attention; nothing else changes a state.
    fn changed(
        &mut self,
        event: &Event,
        subject: &Subject,
        before: AlarmState,
        t: f64,
    ) -> Result<Overlays, String> {
        let worse = self.priority.is_some_and(|known| known < subject.priority);
        let again = worse
            && before == AlarmState::Acknowledged
            && subject.state == AlarmState::Unacknowledged;
        hold!(
            subject.state == before || again,
            "a change of quality changes no state",
            event
        );
        Ok(if again {
            self.anew(subject, t)
        } else {
            self.overlays
        })
    }

    /// P6: every overlay has an end, and not too late.
    fn covered(&self, overlay: Overlay, most: f64, event: &Event) -> Result<Overlays, String> {
        let span = event
            .details
            .until
            .map(|until| until.seconds_since(event.at.wall));
        hold!(
            span.is_some_and(|span| span > 0.0 && span <= most),
            "P6: no overlay without an end",
            event
        );
        Ok(self.overlays.with(overlay, true))
    }

    /// P6: what the plant silences says why, and ends with the state of the plant or before.
    fn suppressed(&self, event: &Event) -> Result<Overlays, String> {
        let details = &event.details;
        let until = details
            .until
            .map(|until| until.seconds_since(event.at.wall));
        let ends = until.is_none_or(|left| left > 0.0 && left <= LONGEST_RUN_UP);
        hold!(
            !self.overlays.suppressed && ends && details.message.is_some(),
            "P6: no suppression without a state of the plant",
            event
        );
        Ok(self.overlays.with(Overlay::Suppressed, true))
    }

    /// P7: what is true beneath an overlay that ends wants attention, whatever was before. Whoever
    /// unshelves an alarm looks at it.
    fn uncovered(
        &mut self,
        overlay: Overlay,
        event: &Event,
        subject: &Subject,
        before: AlarmState,
        t: f64,
    ) -> Result<Overlays, String> {
        hold!(
            self.overlays.has(overlay),
            "only what lies over an alarm ends",
            event
        );
        let looked_at = overlay == Overlay::Shelved && event.cause == Cause::Operator;
        let expected = match before {
            AlarmState::Acknowledged if !looked_at => AlarmState::Unacknowledged,
            state @ (AlarmState::Normal
            | AlarmState::Unacknowledged
            | AlarmState::Acknowledged
            | AlarmState::ReturnedUnacknowledged
            | AlarmState::LatchedUnacknowledged
            | AlarmState::LatchedAcknowledged) => state,
        };
        hold!(
            subject.state == expected,
            "P7: what is true at the end of an overlay wants attention",
            event
        );
        let left = self.overlays.with(overlay, false);
        if subject.state == AlarmState::Unacknowledged {
            self.anew(subject, t);
        }
        Ok(left)
    }

    /// It calls from now on.
    fn anew(&mut self, subject: &Subject, t: f64) -> Overlays {
        self.acknowledged.remove(&subject.occurrence);
        self.quiet_since = t;
        self.overlays
    }
}
