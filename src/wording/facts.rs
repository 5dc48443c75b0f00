//! What is known about one event, cleaned and in no language yet.

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::clean::{clean, number};
use super::lexicon::{Headline, Lexicon, Mark, Remark};
use super::{Context, Handing};
use crate::engine::drill::drilled;
use crate::engine::effect::EventKind;
use crate::engine::notice::Notice;
use crate::engine::settings::{AlarmKind, Priority};
use crate::engine::time::Wall;
use crate::event::{To, WireEvent};
use crate::guidance::Guidance;

/// An event with everything that belongs to it.
pub(super) struct Facts<'a> {
    pub(super) event: &'a WireEvent,
    pub(super) handing: &'a Handing<'a>,
    pub(super) context: &'a Context,
    pub(super) guidance: Option<&'a Guidance>,
    pub(super) kind: Option<AlarmKind>,
    /// The point's id.
    pub(super) tag: Option<String>,
    /// Its plain name, when it says more than the id.
    pub(super) name: Option<String>,
}

impl<'a> Facts<'a> {
    pub(super) fn of(event: &'a WireEvent, handing: &'a Handing<'a>, context: &'a Context) -> Self {
        let alarm = event.alarm.as_deref();
        let guidance = alarm.and_then(|alarm| context.guidance(alarm));
        let (tag, kind) = alarm.map_or((None, None), named);
        let tag = tag.or_else(|| event.point.as_deref().map(clean));
        let name = guidance.map(|guidance| clean(&guidance.point.name));
        Self {
            event,
            handing,
            context,
            guidance,
            kind: guidance.map(|guidance| guidance.kind).or(kind),
            name: name.filter(|name| !name.is_empty() && tag.as_ref() != Some(name)),
            tag,
        }
    }

    pub(super) fn priority(&self) -> Priority {
        let configured = self.guidance.map(|guidance| guidance.priority);
        self.event
            .priority
            .or(configured)
            .unwrap_or(Priority::Medium)
    }

    /// Why the letter comes.
    pub(super) fn headline(&self) -> Headline {
        let (priority, event) = (self.priority(), self.event);
        let many = event.alarms.len();
        match (event.event, event.notice) {
            (EventKind::Raised, _) if event.late => Headline::Late,
            (EventKind::Raised, _) => Headline::Alarm(priority),
            (EventKind::AllClear, _) => Headline::AllClear,
            (EventKind::Notified, Some(Notice::Reminder)) if many > 1 => {
                Headline::ReminderOfMany(many)
            }
            (EventKind::Notified, Some(Notice::Reminder)) => Headline::Reminder(priority),
            (EventKind::Notified, Some(Notice::Chatter)) => Headline::Chatter(priority),
            (EventKind::Notified, Some(Notice::Flood)) => Headline::Summary(many.max(1)),
            (EventKind::Notified, Some(Notice::Late)) if many > 1 => Headline::LateSummary(many),
            (EventKind::Notified, Some(Notice::Late)) => Headline::Late,
            (EventKind::Notified, _) if event.step.is_some_and(|step| step > 0) => {
                Headline::Unattended(priority)
            }
            (EventKind::Notified, _) => Headline::Alarm(priority),
            (kind, _) => Headline::Happened(kind),
        }
    }

    /// What changes how everything else is read, most important first.
    pub(super) fn marks(&self) -> Vec<Mark> {
        let mut marks = Vec::new();
        if self.handing.test {
            marks.push(Mark::Test);
        } else if self.event.test {
            marks.push(Mark::Drill);
        }
        if self.handing.replayed {
            marks.push(Mark::Delayed(self.time(self.event.time)));
        }
        if self.handing.volatile {
            marks.push(Mark::Volatile);
        }
        marks
    }

    /// `2026-05-04 14:12:31 +08:00 (06:12:31 UTC)`.
    pub(super) fn time(&self, wall: Wall) -> String {
        local_time(&self.context.readers.zone, wall)
    }

    /// `14:12`, with its date when that is not the day of the event.
    pub(super) fn short_time(&self, wall: Wall) -> String {
        let zoned = |wall| timestamp(wall).to_zoned(self.context.readers.zone.clone());
        let (then, now) = (zoned(wall), zoned(self.event.time));
        let form = match (then.date() == now.date(), self.is_utc()) {
            (true, true) => "%H:%MZ",
            (true, false) => "%H:%M",
            (false, true) => "%m-%d %H:%MZ",
            (false, false) => "%m-%d %H:%M",
        };
        then.strftime(form).to_string()
    }

    fn is_utc(&self) -> bool {
        self.context.readers.zone == TimeZone::UTC
    }

    /// Since when the condition holds.
    pub(super) fn since(&self) -> Option<Wall> {
        let event = self.event;
        let begins = matches!(event.event, EventKind::Raised | EventKind::Realarmed);
        event.raised_at.or(begins.then_some(event.time))
    }

    /// For how long at the time of the event, seconds.
    pub(super) fn age(&self) -> Option<f64> {
        let age = self.event.time.seconds_since(self.since()?);
        (age >= 1.0).then_some(age)
    }

    /// A number with the point's unit.
    pub(super) fn amount(&self, value: f64) -> String {
        format!("{} {}", number(value), self.unit())
            .trim_end()
            .to_owned()
    }

    fn unit(&self) -> String {
        let configured = self.guidance.map(|guidance| &guidance.point.unit);
        let unit = self.event.unit.as_ref().or(configured);
        unit.map(|unit| clean(unit)).unwrap_or_default()
    }

    /// Written without a space, as people do where there is little room.
    pub(super) fn tight_amount(&self, value: f64) -> String {
        format!("{}{}", number(value), self.unit())
    }

    /// The value, where it is one and not the position of a contact.
    pub(super) fn value(&self) -> Option<f64> {
        let contact = matches!(
            self.kind,
            Some(AlarmKind::State | AlarmKind::Vote | AlarmKind::Degraded | AlarmKind::GroupFault)
        );
        self.event.value.filter(|_| !contact)
    }

    pub(super) fn limit(&self) -> Option<f64> {
        let configured = self.guidance.and_then(|guidance| guidance.limit);
        self.event.limit.or(configured)
    }

    /// How far the value comes back before the alarm clears.
    pub(super) fn deadband(&self) -> Option<f64> {
        let configured = self.guidance.and_then(|guidance| guidance.deadband);
        configured.filter(|deadband| *deadband > 0.0)
    }

    /// Is the limit one of units per minute?
    pub(super) const fn is_rate(&self) -> bool {
        matches!(self.kind, Some(AlarmKind::Rise | AlarmKind::Fall))
    }

    /// Is the most extreme value the highest one?
    pub(super) const fn goes_up(&self) -> bool {
        !matches!(
            self.kind,
            Some(AlarmKind::Low | AlarmKind::LowLow | AlarmKind::Fall)
        )
    }

    /// Does the occurrence wait for somebody to acknowledge it?
    pub(super) fn wants_acknowledgement(&self) -> bool {
        use crate::engine::alarm::AlarmState as State;
        let waits = matches!(
            self.event.state,
            Some(
                State::Unacknowledged
                    | State::ReturnedUnacknowledged
                    | State::LatchedUnacknowledged
            )
        );
        waits && !self.handing.test
    }

    /// Is it still to be acted on?
    pub(super) fn is_over(&self) -> bool {
        matches!(self.event.event, EventKind::AllClear | EventKind::Cleared)
            || self.event.late
            || self.event.notice == Some(Notice::Late)
    }

    /// Ids of those who are told.
    pub(super) fn told(&self) -> Option<Vec<String>> {
        let Some(To::Persons(persons)) = &self.event.to else {
            return None;
        };
        let name = |id: &str| {
            let person = self.context.readers.persons.get(id);
            clean(person.map_or(id, |person| &person.name))
        };
        Some(persons.iter().map(|id| name(id)).collect())
    }

    /// What else there is to know, most telling first.
    pub(super) fn remarks(&self) -> Vec<Remark> {
        let event = self.event;
        let mut remarks = Vec::new();
        let mut when = |is: bool, remark| {
            if is {
                remarks.push(remark);
            }
        };
        when(event.first_out, Remark::FirstOut);
        when(event.tie, Remark::Tie);
        when(event.held == Some(true), Remark::Held);
        let chatter = event.notice == Some(Notice::Chatter);
        let over = event.event == EventKind::AllClear;
        when(event.chattering && !chatter && !over, Remark::Chattering);
        when(chatter, Remark::ChatterSummed);
        when(event.chattering && over, Remark::MoreMayBeHeld);
        let first_page = event.notice == Some(Notice::Page) && event.step == Some(0);
        // A drill says so in its message, and is never grouped.
        when(
            first_page && event.message.is_some() && !event.test,
            Remark::LeftAlone,
        );
        when(event.unheard, Remark::Unheard);
        let clean = |text: &str| clean(text);
        let texts = [
            (
                event.grouped_under.as_deref(),
                Remark::GroupedUnder as fn(String) -> Remark,
            ),
            (event.permit.as_deref(), Remark::Permit),
            (event.approved_by.as_deref(), Remark::ApprovedBy),
            (event.also_approved_by.as_deref(), Remark::ApprovedBy),
            (
                event.compensating_measure.as_deref(),
                Remark::CompensatingMeasure,
            ),
        ];
        for (text, remark) in texts {
            remarks.extend(text.map(|text| remark(clean(text))));
        }
        remarks.extend(event.coverage.map(Remark::Coverage));
        let (lower, upper) = (event.lower_bound, event.upper_bound);
        if lower.or(upper).is_some() {
            let amount = |bound: Option<f64>| bound.map(|bound| self.amount(bound));
            remarks.push(Remark::Bounds(amount(lower), amount(upper)));
        }
        remarks.extend(event.until.map(|until| Remark::Until(self.time(until))));
        // What a notice says beyond the alarm is said above.
        if event.notice.is_none() && !over {
            let message = event.message.as_deref().map(clean);
            remarks.extend(message.map(Remark::Message));
        }
        remarks
    }
}

/// The point and the kind that an alarm's id names.
fn named(alarm: &str) -> (Option<String>, Option<AlarmKind>) {
    let own = drilled(alarm).unwrap_or(alarm);
    let Some((point, kind)) = own.rsplit_once('/') else {
        return (Some(clean(own)), None);
    };
    let kind = serde_json::from_value(kind.into()).ok();
    (Some(clean(point)), kind)
}

/// The tag, the plain name and the kind of another alarm than the letter's.
pub(super) fn named_alarm(alarm: &str, words: &dyn Lexicon, context: &Context) -> String {
    let (tag, kind) = named(alarm);
    let guidance = context.guidance(alarm);
    let name = guidance.map(|guidance| clean(&guidance.point.name));
    let name = name.filter(|name| tag.as_ref() != Some(name));
    let kind = kind.map(|kind| words.kind(kind).to_owned());
    let parts = [tag, name, kind].into_iter().flatten();
    parts.collect::<Vec<_>>().join(words.comma())
}

/// `2026-05-04 14:12:31 +08:00 (06:12:31 UTC)`.
pub(super) fn local_time(zone: &TimeZone, wall: Wall) -> String {
    let utc = timestamp(wall).to_zoned(TimeZone::UTC);
    if *zone == TimeZone::UTC {
        return utc.strftime("%Y-%m-%d %H:%M:%S UTC").to_string();
    }
    let local = utc.with_time_zone(zone.clone());
    let form = if utc.date() == local.date() {
        "%H:%M:%S UTC"
    } else {
        "%Y-%m-%d %H:%M:%S UTC"
    };
    let local = local.strftime("%Y-%m-%d %H:%M:%S %:z");
    format!("{local} ({})", utc.strftime(form))
}

fn timestamp(wall: Wall) -> Timestamp {
    Timestamp::from_nanosecond(i128::from(wall.unix_nanos()))
        .expect("64 bits of nanoseconds cover 1677 to 2262, well inside jiff's years")
}
