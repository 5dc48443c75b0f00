//! What the events alone say about each alarm, over random traces: a story that makes sense.

use std::collections::{BTreeMap, BTreeSet};

use proptest::prelude::*;
use proptest::test_runner::TestCaseError;

use super::super::alarm::AlarmState;
use super::super::effect::{Cause, Subject};
use super::super::overlay::{Overlay, Overlays};
use super::super::reading::Quality;
use super::traces::{run, trace};
use super::*;

/// One alarm, as told so far.
#[derive(Default)]
struct Story {
    newest: u64,
    raised: BTreeMap<u64, f64>,
    /// How often, since the last annunciation.
    acknowledged: BTreeMap<u64, u32>,
    /// Since the last annunciation.
    confirmed: BTreeSet<u64>,
    cleared: BTreeMap<u64, f64>,
    state: Option<AlarmState>,
    overlays: Overlays,
    /// When what lies over it ends at the latest.
    until: BTreeMap<Overlay, f64>,
}

/// What lies over the alarm after an event.
type Followed = Result<Overlays, TestCaseError>;

impl Story {
    fn state(&self) -> AlarmState {
        self.state.unwrap_or(AlarmState::Normal)
    }

    /// Reads one event on.
    fn follow(&mut self, event: &Event, subject: &Subject) -> Result<(), TestCaseError> {
        let at = event.at.mono.as_secs_f64();
        // P6: what lies over the alarm has an end, and it is not over yet.
        for overlay in Overlay::ALL {
            let until = self.until.get(&overlay);
            prop_assert_eq!(self.overlays.has(overlay), until.is_some());
            prop_assert!(
                until.is_none_or(|until| at <= *until),
                "{:?} {:?}",
                overlay,
                event
            );
        }
        prop_assert_eq!(subject.annunciated, subject.overlays.is_empty());
        let overlays = match event.kind {
            EventKind::Shelved => self.covered(Overlay::Shelved, event)?,
            EventKind::Unshelved => self.uncovered(Overlay::Shelved, event, subject)?,
            EventKind::OutOfService => self.covered(Overlay::OutOfService, event)?,
            EventKind::InService => self.uncovered(Overlay::OutOfService, event, subject)?,
            EventKind::Raised => self.raised(event, subject, at)?,
            EventKind::Cleared => self.cleared(event, subject, at)?,
            EventKind::Acknowledged => self.acknowledged(event, subject)?,
            EventKind::Realarmed => self.realarmed(subject)?,
            EventKind::Reset => self.reset(subject)?,
            EventKind::Confirmed => self.confirmed(event, subject)?,
            EventKind::CommandRejected | EventKind::CommandIgnored => {
                self.refused(event, subject)?
            }
            EventKind::Changed => {
                prop_assert!(
                    self.state().is_active() || self.overlays.out_of_service,
                    "{:?}",
                    event
                );
                self.overlays
            }
            kind @ (EventKind::Suppressed
            | EventKind::Unsuppressed
            | EventKind::Notified
            | EventKind::AllClear
            | EventKind::FirstOutReset
            | EventKind::ClockStepped
            | EventKind::MonitoringGap
            | EventKind::ConfigChanged
            | EventKind::Started
            | EventKind::Stopped) => {
                return Err(TestCaseError::fail(format!("{kind:?} of an alarm")));
            }
        };
        prop_assert_eq!(subject.overlays, overlays, "{:?}", event);
        self.overlays = overlays;
        if subject.occurrence == self.newest {
            // P5: from unacknowledged, quiet only by a person or at its end.
            if self.state() == AlarmState::Unacknowledged && subject.state != self.state() {
                prop_assert!(matches!(
                    event.kind,
                    EventKind::Acknowledged | EventKind::Cleared
                ));
            }
            self.state = Some(subject.state);
        }
        if let Some(record) = &event.record {
            let present = (self.newest, self.state(), self.overlays);
            let stored = (record.occurrence, record.state, record.overlays());
            prop_assert_eq!(stored, present, "the record is the present");
        }
        Ok(())
    }

    fn raised(&mut self, event: &Event, subject: &Subject, at: f64) -> Followed {
        prop_assert_eq!(subject.occurrence, self.newest + 1, "one after the other");
        prop_assert!(!self.state().is_active(), "{:?}", event);
        prop_assert_eq!(self.raised.insert(subject.occurrence, at), None);
        self.newest = subject.occurrence;
        Ok(self.overlays)
    }

    fn cleared(&mut self, event: &Event, subject: &Subject, at: f64) -> Followed {
        prop_assert!(self.state().is_active(), "{:?}", event);
        prop_assert!(self.raised[&subject.occurrence] <= at);
        prop_assert_eq!(self.cleared.insert(subject.occurrence, at), None);
        let process = !is_about_measuring(&subject.alarm) && !subject.is_drill();
        // P4: nothing about the process ends without a value.
        prop_assert!(!process || subject.quality != Quality::Bad, "{:?}", event);
        prop_assert!(!process || subject.value.is_some(), "{:?}", event);
        Ok(self.overlays)
    }

    fn acknowledged(&mut self, event: &Event, subject: &Subject) -> Followed {
        prop_assert!(self.raised.contains_key(&subject.occurrence));
        let times = self.acknowledged.entry(subject.occurrence).or_default();
        *times += 1;
        prop_assert_eq!(*times, 1, "recognised once: {:?}", event);
        Ok(self.overlays)
    }

    /// It moves nothing, and is given once until attention is wanted again.
    fn confirmed(&mut self, event: &Event, subject: &Subject) -> Followed {
        prop_assert!(self.raised.contains_key(&subject.occurrence));
        let newest = subject.occurrence == self.newest;
        prop_assert!(!newest || subject.state == self.state(), "{:?}", event);
        prop_assert!(self.confirmed.insert(subject.occurrence), "{:?}", event);
        Ok(self.overlays)
    }

    fn realarmed(&mut self, subject: &Subject) -> Followed {
        prop_assert_eq!(subject.occurrence, self.newest);
        prop_assert_eq!(self.state(), AlarmState::Acknowledged);
        prop_assert_eq!(subject.state, AlarmState::Unacknowledged);
        self.acknowledged.remove(&subject.occurrence);
        self.confirmed.remove(&subject.occurrence);
        Ok(self.overlays)
    }

    /// P8: never while the condition is true.
    fn reset(&self, subject: &Subject) -> Followed {
        prop_assert_eq!(self.state(), AlarmState::LatchedAcknowledged);
        prop_assert!(self.cleared.contains_key(&subject.occurrence));
        prop_assert_eq!(subject.quality, Quality::Good);
        Ok(self.overlays)
    }

    /// P18: a command that changed nothing is on record all the same.
    fn refused(&self, event: &Event, subject: &Subject) -> Followed {
        prop_assert!(event.details.reason.is_some() && event.details.by.is_some());
        let newest = subject.occurrence == self.newest;
        prop_assert!(!newest || subject.state == self.state(), "{:?}", event);
        Ok(self.overlays)
    }

    fn covered(&mut self, overlay: Overlay, event: &Event) -> Followed {
        let longest = plant().longest;
        let most = match overlay {
            Overlay::Shelved => {
                prop_assert!(!self.overlays.shelved, "shelved twice: {:?}", event);
                longest.shelf
            }
            Overlay::OutOfService | Overlay::Suppressed => longest.outage,
        };
        let until = event.details.until.expect("every overlay ends");
        let span = until.seconds_since(event.at.wall);
        prop_assert!(span > 0.0 && span <= most.as_secs_f64(), "{:?}", event);
        self.until
            .insert(overlay, event.at.mono.as_secs_f64() + span);
        Ok(self.overlays.with(overlay, true))
    }

    fn uncovered(&mut self, overlay: Overlay, event: &Event, subject: &Subject) -> Followed {
        prop_assert!(self.until.remove(&overlay).is_some(), "{:?}", event);
        let looked_at = overlay == Overlay::Shelved && event.cause == Cause::Operator;
        if self.state().is_active() && !looked_at {
            // P7: what is true beneath an overlay that ends wants attention, whatever was before.
            prop_assert_eq!(subject.state, AlarmState::Unacknowledged);
            self.acknowledged.remove(&subject.occurrence);
            self.confirmed.remove(&subject.occurrence);
        } else {
            prop_assert_eq!(subject.state, self.state());
        }
        Ok(self.overlays.with(overlay, false))
    }
}

proptest! {
    /// P3 to P8, P18: each occurrence begins once, ends once and later, and is recognised once for each
    /// time it was annunciated; only allowed ways lead out of sight, and none for ever.
    #[test]
    fn every_alarm_has_a_story_that_makes_sense(trace in trace()) {
        let mut stories: BTreeMap<Arc<str>, Story> = BTreeMap::new();
        for event in run(&trace, |_, _| {}) {
            if let Some(subject) = &event.subject {
                let story = stories.entry(Arc::clone(&subject.alarm)).or_default();
                story.follow(&event, subject)?;
            }
        }
    }
}
