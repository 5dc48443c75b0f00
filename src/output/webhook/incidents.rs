//! What a paging service has open: an incident for each occurrence of an alarm, under a key of its own.
//!
//! ```text
//!  raised, uncovered, told of ──▶ trigger ──── acknowledged ──▶ acknowledge ──── cleared (latched: reset) ──▶ resolve
//!       │                            ▲
//!       └── the first that is sent ──┘   and then `resolve` for the one before, should its end never have come
//! ```
//!
//! The summary of a flood opens one for each alarm that it tells of and that has none yet (`paging`).
//!
//! A trigger for what is open changes nothing there, so nothing of this is stored: after a restart an incident may be
//! opened once more. What it saves is a request for every step of a ladder, and an incident that nobody ends: its raise
//! was backlog while its end was live.
//!
//! | bound | value |
//! |---|---|
//! | incidents known | one per alarm, its newest |

use std::collections::BTreeMap;
use std::sync::Arc;

use crate::engine::alarm::AlarmState;
use crate::engine::drill::drilled;
use crate::engine::effect::EventKind;
use crate::engine::notice::Notice;
use crate::engine::snapshot::AlarmRecord;
use crate::event::WireEvent;
use crate::output::courier::Parcel;
use crate::output::selection::{begins, is_over};

/// What this run has told.
#[derive(Debug, Default)]
pub(super) struct Incidents(BTreeMap<Arc<str>, Incident>);

/// The newest of an alarm.
#[derive(Debug, Clone, Copy)]
struct Incident {
    occurrence: u64,
    over: bool,
}

impl Incidents {
    /// Does the event open what is open, or over?
    pub(super) fn have(&self, event: &WireEvent) -> bool {
        let Some((alarm, occurrence)) = incident(event).filter(|_| begins(event)) else {
            return false;
        };
        self.0.get(alarm).is_some_and(|known| {
            let is_told = known.over || event.event == EventKind::Notified;
            known.occurrence > occurrence || known.occurrence == occurrence && is_told
        })
    }

    /// The end of the incident before the one that this event opens, if it may still be open: an alarm that is raised
    /// again while it waits for its reset gets none.
    pub(super) fn end_before(&self, parcel: &Parcel) -> Option<Parcel> {
        let (alarm, occurrence) = incident(&parcel.event).filter(|_| begins(&parcel.event))?;
        let before = match self.0.get(alarm) {
            Some(known) => (!known.over).then_some(known.occurrence),
            None => occurrence.checked_sub(1),
        };
        let before = before.filter(|before| (1..occurrence).contains(before))?;
        let event = WireEvent {
            event: EventKind::Reset,
            occurrence: Some(before),
            state: Some(AlarmState::Normal),
            ..parcel.event.clone()
        };
        Some(parcel.with(event))
    }

    /// What opens an incident for an alarm that a flood names, as it stands: if it still calls and has none, for nobody was
    /// alerted of it alone. The flood's line has its name and no more.
    pub(super) fn other(&self, flood: &WireEvent, record: AlarmRecord) -> Option<WireEvent> {
        if record.state != AlarmState::Unacknowledged || !record.overlays().is_empty() {
            return None;
        }
        let own = drilled(&record.alarm).unwrap_or(&record.alarm);
        let point = own.rsplit_once('/').map_or(own, |(point, _)| point);
        let event = WireEvent {
            alarm: Some(Arc::clone(&record.alarm)),
            occurrence: Some(record.occurrence),
            point: Some(point.into()),
            priority: record.priority,
            value: record.value,
            limit: None,
            unit: None,
            quality: None,
            slope_per_min: None,
            forecast_s: BTreeMap::new(),
            peak: record.peak,
            raised_at: record.raised_at,
            first_out: record.first_out,
            notice: Some(Notice::Page),
            alarms: Vec::new(),
            ..flood.clone()
        };
        (!self.have(&event)).then_some(event)
    }

    /// The service took the event.
    pub(super) fn note(&mut self, event: &WireEvent) {
        let over = is_over(event);
        let Some((alarm, occurrence)) = incident(event).filter(|_| over || begins(event)) else {
            return;
        };
        let known = self.0.get(alarm).map_or(0, |known| known.occurrence);
        if known <= occurrence {
            self.0
                .insert(Arc::clone(alarm), Incident { occurrence, over });
        }
    }
}

fn incident(event: &WireEvent) -> Option<(&Arc<str>, u64)> {
    event.alarm.as_ref().zip(event.occurrence)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::selection::Selection;

    /// An event of `P/high` as the journal has it; of notices the kind.
    fn parcel(occurrence: u64, what: &str, state: &str) -> Parcel {
        let (event, notice) = match what {
            "page" | "chatter" | "flood" => ("notified", format!(r#","notice":"{what}""#)),
            event => (event, String::new()),
        };
        let line = format!(
            r#"{{"id":"a:1:1","seq":1,"time":"2026-05-04T06:12:31.000Z","event":"{event}","alarm":"P/high","occurrence":{occurrence},"state":"{state}","annunciated":true,"cause":"process"{notice}}}"#
        );
        let event = serde_json::from_str(&line).expect(&line);
        Parcel {
            seq: 1,
            line,
            event,
            replayed: false,
            behind: Vec::new(),
        }
    }

    /// What the service is sent, in order: `OCCURRENCE EVENT`, of an end `OCCURRENCE over`.
    fn sent(incidents: &mut Incidents, events: &[(u64, &str, &str)]) -> Vec<String> {
        let mut sent = Vec::new();
        for (occurrence, what, state) in events {
            let parcel = parcel(*occurrence, what, state);
            if !Selection::Lifecycle.takes(&parcel.event, "pager") || incidents.have(&parcel.event)
            {
                continue;
            }
            let word = |event: &WireEvent| match is_over(event) {
                true => "over".to_owned(),
                false => (*what).to_owned(),
            };
            sent.push(format!("{occurrence} {}", word(&parcel.event)));
            if let Some(end) = incidents.end_before(&parcel) {
                let own = end.event.occurrence.expect("it is of an occurrence");
                sent.push(format!("{own} {}", word(&end.event)));
                assert_eq!(serde_json::from_str(&end.line).ok(), Some(end.event));
            }
            incidents.note(&parcel.event);
        }
        sent
    }

    const CALLS: &str = "unacknowledged";
    const RETURNED: &str = "returned_unacknowledged";

    #[test]
    fn an_incident_is_opened_once_and_ends_with_its_occurrence() {
        let mut incidents = Incidents::default();
        let life = [
            (1, "raised", CALLS),
            (1, "page", CALLS),
            (1, "page", CALLS),
            (1, "acknowledged", "acknowledged"),
            (1, "realarmed", CALLS),
            (1, "page", CALLS),
            (1, "cleared", RETURNED),
            (1, "acknowledged", "normal"),
            (2, "raised", CALLS),
        ];
        let sent = sent(&mut incidents, &life);
        let expected = [
            "1 raised",
            "1 acknowledged",
            "1 realarmed",
            "1 over",
            "1 over",
            "2 raised",
        ];
        assert_eq!(sent, expected);
    }

    /// Its raise alerted nobody: it was held back, or told of by the alarm of its device.
    #[test]
    fn what_is_told_of_by_a_notice_alone_is_opened_with_it() {
        for notice in ["page", "chatter", "flood"] {
            let life = [
                (1, notice, CALLS),
                (1, "page", CALLS),
                (1, "cleared", RETURNED),
            ];
            let opened = [format!("1 {notice}"), "1 over".to_owned()];
            assert_eq!(sent(&mut Incidents::default(), &life), opened);
            // Of what is over the summary opens nothing.
            let life = [(1, notice, RETURNED)];
            assert_eq!(sent(&mut Incidents::default(), &life), [""; 0]);
        }
    }

    /// What is live goes before a long backlog.
    #[test]
    fn a_raise_that_comes_after_its_end_opens_nothing() {
        let life = [
            (3, "cleared", RETURNED),
            (2, "raised", CALLS),
            (3, "raised", CALLS),
            (3, "page", CALLS),
            (4, "raised", CALLS),
        ];
        let sent = sent(&mut Incidents::default(), &life);
        assert_eq!(sent, ["3 over", "4 raised"]);
    }

    /// What an earlier run had opened is ended, also when its end was lost.
    #[test]
    fn a_new_run_ends_what_the_last_one_opened() {
        let life = [(7, "page", CALLS), (7, "cleared", RETURNED)];
        let sent = sent(&mut Incidents::default(), &life);
        assert_eq!(sent, ["7 page", "6 over", "7 over"]);
    }

    /// Somebody is to look at it and reset it; that it is raised again ends it, too.
    #[test]
    fn what_is_latched_stays_open_until_its_reset() {
        let life = [
            (1, "raised", CALLS),
            (1, "cleared", "latched_unacknowledged"),
            (1, "acknowledged", "latched_acknowledged"),
            (1, "reset", "normal"),
            (2, "raised", CALLS),
            (2, "cleared", "latched_unacknowledged"),
            (3, "raised", CALLS),
            (2, "acknowledged", "normal"),
        ];
        let sent = sent(&mut Incidents::default(), &life);
        let expected = [
            "1 raised",
            "1 acknowledged",
            "1 over",
            "2 raised",
            "3 raised",
            "2 over",
            "2 over",
        ];
        assert_eq!(sent, expected);
    }

    /// Thirty sensors of a device that is back stay silent: each has an incident, though people get one message.
    #[test]
    fn of_a_flood_each_alarm_that_calls_has_an_incident() {
        let mut flood = parcel(1, "flood", CALLS);
        let names = ["P/high", "A/stale", "B/stale", "C/stale"];
        flood.event.alarms = names.map(Arc::from).to_vec();
        let record = |alarm: &str, state| AlarmRecord {
            state,
            occurrence: 4,
            ..AlarmRecord::new(alarm.into())
        };
        let states = [
            record("P/high", AlarmState::Unacknowledged),
            record("A/stale", AlarmState::Unacknowledged),
            record("B/stale", AlarmState::Acknowledged),
            record("C/stale", AlarmState::Unacknowledged),
        ];
        let mut incidents = Incidents::default();
        let others = |incidents: &Incidents| -> Vec<WireEvent> {
            let records = states[1..].iter().cloned();
            let others = records.filter_map(|record| incidents.other(&flood.event, record));
            others.collect()
        };
        let opened = |incidents: &Incidents| -> Vec<String> {
            let event = |event: &WireEvent| {
                assert!(Selection::Lifecycle.takes(event, "pager"), "{event:?}");
                let line = flood.with(event.clone()).line;
                assert_eq!(serde_json::from_str(&line).ok().as_ref(), Some(event));
                let point = event.point.as_deref().expect("a point");
                let alarm = event.alarm.as_deref().expect("an alarm");
                format!("{alarm} {} at {point}", event.occurrence.expect("a number"))
            };
            others(incidents).iter().map(event).collect()
        };
        let expected = ["A/stale 4 at A", "C/stale 4 at C"];
        assert_eq!(opened(&incidents), expected);
        incidents.note(&others(&incidents)[0]);
        assert_eq!(
            opened(&incidents),
            expected[1..],
            "what is open is not opened again"
        );
    }
}
