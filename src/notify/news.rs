//! What an event of the engine means for telling people, and what it changes in the alarm's case. Told
//! is nothing here.

use std::sync::Arc;

use super::case::{Case, Chatter, Ladder, Late};
use super::connection::Under;
use super::settings::NotifySettings;
use super::since::Since;
use super::{Office, Present};
use crate::engine::alarm::AlarmState;
use crate::engine::effect::{Event, EventKind};
use crate::engine::notice::Notice;
use crate::engine::settings::Priority;
use crate::engine::time::Mono;

/// What an event means.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum News {
    /// People are to be told, from step 0.
    Annunciated {
        /// By a raise: those may be held back.
        raised: bool,
    },
    /// A new occurrence of which nobody is told.
    Unannounced,
    /// Found in delayed data.
    Late,
    /// Somebody has recognised it, or something lies over it now.
    Attended,
    /// The condition is gone.
    Ended,
    /// Nothing.
    Nothing,
}

impl News {
    /// Of an event; `case` is that of its alarm. Of alarms that nobody would be told of there is none.
    pub(super) fn of(
        event: &Event,
        present: &Present,
        case: Option<&Case>,
        settings: &NotifySettings,
    ) -> Self {
        let subject = &present.subject;
        let area = settings.area_of(subject).map(|area| &**area);
        let reaches = settings.reaches_anybody(subject.priority, area);
        let annunciated =
            reaches && subject.annunciated && subject.state == AlarmState::Unacknowledged;
        match event.kind {
            EventKind::Raised if event.details.late => {
                if reaches && subject.overlays.is_empty() {
                    Self::Late
                } else {
                    Self::Nothing
                }
            }
            EventKind::Raised if annunciated => Self::Annunciated { raised: true },
            EventKind::Raised => Self::Unannounced,
            EventKind::Realarmed
            | EventKind::Unshelved
            | EventKind::Unsuppressed
            | EventKind::InService
                if annunciated =>
            {
                Self::Annunciated { raised: false }
            }
            // A higher severity is told as if it had just begun (alarm-standards 1.5.6).
            EventKind::Changed
                if annunciated && !case.is_some_and(|case| case.calls(subject.priority)) =>
            {
                Self::Annunciated { raised: false }
            }
            EventKind::Acknowledged
            | EventKind::Shelved
            | EventKind::Suppressed
            | EventKind::OutOfService => Self::Attended,
            EventKind::Cleared if !event.details.late => Self::Ended,
            EventKind::Cleared
            | EventKind::Realarmed
            | EventKind::Unshelved
            | EventKind::Unsuppressed
            | EventKind::InService
            | EventKind::Changed
            | EventKind::Reset
            | EventKind::Confirmed
            | EventKind::FirstOutReset
            | EventKind::Notified
            | EventKind::AllClear
            | EventKind::CommandRejected
            | EventKind::CommandIgnored
            | EventKind::ClockStepped
            | EventKind::MonitoringGap
            | EventKind::ConfigChanged
            | EventKind::Started
            | EventKind::Stopped => Self::Nothing,
        }
    }
}

impl Case {
    /// Does a ladder of at least this priority run?
    fn calls(&self, priority: Priority) -> bool {
        let ladder = self.ladder.as_ref().filter(|ladder| ladder.running);
        ladder.is_some_and(|ladder| ladder.priority >= priority)
    }

    /// Changes with the event; `speaker` is the alarm that it is grouped under. Says whether the alarm's
    /// first page is held back, so that the event alerts nobody.
    pub(super) fn take(
        &mut self,
        news: News,
        event: &mut Event,
        present: &Present,
        speaker: Option<Under>,
        office: &mut Office,
    ) -> bool {
        let subject = &present.subject;
        match news {
            News::Annunciated { raised } => {
                if let Some(under) = speaker {
                    event.details.grouped_under = Some(Arc::clone(&under.alarm));
                    self.group(present, under, event.at.mono);
                    office.counts.grouped += 1;
                    return true;
                }
                self.annunciate(raised, present, office, event.at.mono);
                return self.holds_first_page(present, office);
            }
            News::Unannounced => self.ladder = None,
            News::Late => {
                let before = self.late;
                self.late = Some(Late {
                    occurrence: subject.occurrence,
                    count: before.map_or(1, |late| late.count.saturating_add(1)),
                    priority: subject.priority,
                    waits: before.is_some_and(|late| late.waits),
                });
            }
            News::Attended => {
                // An acknowledgement of an older occurrence leaves the newest alone.
                let ladder = self.ladder.as_mut();
                if let Some(ladder) = ladder.filter(|own| own.occurrence == subject.occurrence) {
                    ladder.stop();
                }
            }
            News::Ended => {
                let details = &event.details;
                self.end(subject.occurrence, details.duration_s, details.peak);
            }
            News::Nothing => self.change_of_reason(event),
        }
        false
    }

    /// A new annunciation that another alarm speaks for.
    fn group(&mut self, present: &Present, under: Under, now: Mono) {
        let mut ladder = Ladder::begin(present, self.ladder.take(), now);
        ladder.under = Some(under);
        self.ladder = Some(ladder);
    }

    fn annunciate(&mut self, raised: bool, present: &Present, office: &Office, now: Mono) {
        let subject = &present.subject;
        let mut ladder = Ladder::begin(present, self.ladder.take(), now);
        ladder.returned = !raised;
        ladder.raised = raised && office.settings.may_be_held(subject.index, subject.priority);
        if ladder.raised && present.record.chattering && self.chatter.is_none() {
            ladder.first = Notice::Chatter;
            self.chatter = Some(Chatter {
                since: Since::now(now),
                held: 0,
                priority: subject.priority,
            });
        }
        self.ladder = Some(ladder);
    }

    /// Holds the first page back if it is due with the event itself: then no line follows, and the
    /// event's own record must say so.
    fn holds_first_page(&mut self, present: &Present, office: &mut Office) -> bool {
        let priority = present.subject.priority;
        let area = office.settings.area_of(&present.subject);
        let area = area.map(|area| &**area);
        let steps = office.settings.policy(priority).map(|policy| &policy.steps);
        let at_once = steps
            .and_then(|steps| steps.first())
            .is_some_and(|step| step.after.is_zero());
        if !at_once || !office.settings.tells(priority, area, 0) || !self.mute(office, 0) {
            return false;
        }
        if let Some(ladder) = &mut self.ladder {
            ladder.steps = 1;
        }
        true
    }
}
