//! What a line is made of: the alarm as it stands, and what the notice is about.

use std::cmp::Reverse;
use std::sync::Arc;

use super::Present;
use super::gate::GroupKey;
use super::settings::NotifySettings;
use crate::engine::alarm::AlarmState;
use crate::engine::effect::{Cause, Details, Event, EventKind};
use crate::engine::notice::{Notice, NoticeRecord, Told};
use crate::engine::settings::Priority;
use crate::engine::time::Moment;

/// The alarm that is told of, as it stands, and the time.
pub(super) struct Scene<'a> {
    pub(super) present: &'a Present,
    pub(super) at: Moment,
}

/// What a notice is about.
#[derive(Debug, Clone)]
pub(super) struct Topic {
    pub(super) occurrence: u64,
    pub(super) notice: Notice,
    pub(super) step: Option<u16>,
    pub(super) message: Option<String>,
    /// It is early, for nobody may have heard.
    pub(super) unheard: bool,
}

impl Scene<'_> {
    /// Somebody was told: one line.
    pub(super) fn notified(
        &self,
        topic: &Topic,
        told: &Told,
        notices: Option<Box<NoticeRecord>>,
    ) -> Event {
        let Present {
            record, outlook, ..
        } = self.present;
        // An occurrence of delayed data is not the one that the record is about.
        let newest = Some(record).filter(|record| record.occurrence == topic.occurrence);
        let outlook = newest.map(|_| outlook.clone()).unwrap_or_default();
        let open = record.unacknowledged.iter();
        let mut open = open.filter(|open| open.occurrence == topic.occurrence);
        let details = Details {
            message: topic.message.clone(),
            annunciation: match newest {
                Some(record) => record.annunciation,
                None => open.next().and_then(|open| open.annunciation),
            },
            notice: Some(topic.notice),
            step: topic.step,
            unheard: topic.unheard,
            persons: Some(told.persons.clone()),
            output: told.output.clone(),
            raised_at: newest.and_then(|record| record.raised_at),
            peak: newest.and_then(|record| record.peak),
            slope_per_min: outlook.slope_per_min,
            forecast_s: outlook.forecast_s,
            ..Details::default()
        };
        let mut event = self.event(EventKind::Notified, topic.occurrence, details, notices);
        if let Some(subject) = &mut event.subject {
            subject.annunciated = true;
        }
        event
    }

    pub(super) fn event(
        &self,
        kind: EventKind,
        occurrence: u64,
        details: Details,
        notices: Option<Box<NoticeRecord>>,
    ) -> Event {
        let Present {
            subject, record, ..
        } = self.present;
        let mut subject = subject.clone();
        if occurrence != subject.occurrence {
            let open = record.unacknowledged.iter();
            let open = open
                .map(|open| open.occurrence)
                .any(|open| open == occurrence);
            subject.occurrence = occurrence;
            subject.first_out = false;
            subject.state = if open {
                AlarmState::ReturnedUnacknowledged
            } else {
                AlarmState::Normal
            };
        }
        let mut record = record.clone();
        record.notices = notices;
        Event {
            at: self.at,
            kind,
            subject: Some(subject),
            cause: Cause::System,
            details,
            record: Some(record),
            others: Vec::new(),
        }
    }

    /// The group that pages of this alarm belong to.
    pub(super) fn group(
        &self,
        settings: &NotifySettings,
        priority: Priority,
        step: u16,
    ) -> GroupKey {
        GroupKey {
            priority: Reverse(priority),
            area: settings.area_of(&self.present.subject).cloned(),
            step,
        }
    }

    pub(super) fn alarm(&self) -> &Arc<str> {
        &self.present.subject.alarm
    }

    pub(super) fn area<'a>(&'a self, settings: &'a NotifySettings) -> Option<&'a str> {
        settings.area_of(&self.present.subject).map(|area| &**area)
    }
}
