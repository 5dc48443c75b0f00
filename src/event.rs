//! The event as the world sees it: one JSON object a line, in the journal, on the event topic, in
//! `replay`, in exports (contract 5.2). One place writes it ([`encode`]), one place reads it
//! ([`WireEvent`]).
//!
//! The order of the fields is the order of [`WireEvent`]. A field that does not apply is absent:
//! never `null`, never zero. Readers ignore fields they do not know.
//!
//! What all events of one run have in common (alarm-standards 1.6) is said once: the `epoch` of an id,
//! `site:epoch:seq`, leads to the one `started` of that epoch, which has `version`, `config_hash` and
//! `boot_id`. In a replay all starts have one epoch; there the last one before the event counts.
//!
//! Marks that belong to a delivery and not to the event (`replayed`, `durable`) are added by the
//! output; the stored line never has them.

mod fields;
pub mod rfc3339;

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::engine::alarm::AlarmState;
use crate::engine::effect::{Cause, Event, EventKind, Subject, Via, Was};
use crate::engine::notice::Notice;
use crate::engine::overlay::Overlays;
use crate::engine::reading::Quality;
use crate::engine::settings::{AlarmKind, Priority};
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Mono, Wall};

/// A committed event: what an output sends.
#[derive(Debug, Clone, PartialEq)]
pub struct Committed {
    /// Position in the journal. Given again by a later run, under another id, if this event is lost
    /// with a disk that failed.
    pub seq: u64,
    /// The event as one line of JSON, without a line feed.
    pub line: Arc<str>,
    /// `POINT/kind`, when the event is about an alarm.
    pub alarm: Option<Arc<str>>,
    /// The alarm's state right after this event, while the event is still in memory. Events read
    /// back from disk have none: the present state is newer than they are.
    pub record: Option<Arc<AlarmRecord>>,
    /// False while the disk fails and the event is served from memory (contract, promise 3).
    pub durable: bool,
    /// When it happened, by the clock of this run. Events read back from disk have only the time in
    /// their line: they may be of another run.
    pub at: Option<Mono>,
}

/// The part of an event id that does not change from event to event.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The site, as configured.
    pub site: Arc<str>,
    /// Of one run of the gateway; grows with every start.
    pub epoch: u64,
}

impl Identity {
    /// `site:epoch:seq`, unique over the life of the site.
    pub fn event_id(&self, seq: u64) -> String {
        format!("{}:{}:{seq}", self.site, self.epoch)
    }
}

/// `event` as one line of JSON without a line feed. `t`: seconds since the start of a replay,
/// printed with at most three decimals; `None` outside a replay.
pub fn encode(event: &Event, identity: &Identity, seq: u64, t: Option<f64>) -> String {
    let wire = WireEvent::new(event, identity, seq, t);
    serde_json::to_string(&wire).expect("strings, numbers and unit variants always serialize")
}

/// One line, field by field, in the order of the wire.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct WireEvent {
    /// `site:epoch:seq`; receivers remove duplicates by it.
    pub id: String,
    /// Position in the journal.
    pub seq: u64,
    /// When it happened, RFC 3339 in UTC with milliseconds.
    #[serde(with = "rfc3339")]
    pub time: Wall,
    /// Seconds since the start, only in replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub t: Option<f64>,
    /// What happened.
    pub event: EventKind,
    /// `POINT/kind`, of a drill `POINT/kind/drill`; absent for the gateway's own life, as are all fields
    /// down to `annunciated`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub alarm: Option<Arc<str>>,
    /// Which episode of the alarm, from 1; 0 before the first.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub occurrence: Option<u64>,
    /// The point's id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub point: Option<Arc<str>>,
    /// The point's area id.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub area: Option<Arc<str>>,
    /// State of that episode after the event.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub state: Option<AlarmState>,
    /// What lies over the alarm, as a list of words, strongest first.
    #[serde(default, skip_serializing_if = "Option::is_none", with = "overlays")]
    pub overlays: Option<Overlays>,
    /// Priority of the alarm.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub priority: Option<Priority>,
    /// The value that led to the event, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub value: Option<f64>,
    /// What the value is compared with: `unit`, or `unit` per minute for rates.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub limit: Option<f64>,
    /// The point's unit as configured; absent when it has none.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub unit: Option<Arc<str>>,
    /// Quality of the point.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub quality: Option<Quality>,
    /// Was anyone alerted?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annunciated: Option<bool>,
    /// The occurrence came first in its group.
    #[serde(default, skip_serializing_if = "is_false")]
    pub first_out: bool,
    /// It came at the same instant as the first.
    #[serde(default, skip_serializing_if = "is_false")]
    pub tie: bool,
    /// The first-out group that was freed, or was to be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub group: Option<Arc<str>>,
    /// What brought it about.
    pub cause: Cause,
    /// Who.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub by: Option<String>,
    /// How their command came, where that says more than their name: `link`, that was sent to this person
    /// alone; `shared_link`, that several could read and chose a name by.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub via: Option<Via>,
    /// Why: a reason of quality, or the typed denial of a command.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// What the person wrote.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub comment: Option<String>,
    /// What happened, in words for people.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub message: Option<String>,
    /// Slope at the event, `unit` per minute.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub slope_per_min: Option<f64>,
    /// Seconds until each limit ahead at this slope, by kind.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub forecast_s: BTreeMap<AlarmKind, f64>,
    /// How long the occurrence was active, seconds.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub duration_s: Option<f64>,
    /// Most extreme value of the occurrence, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub peak: Option<f64>,
    /// Is the state held although the condition cannot be seen?
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub held: Option<bool>,
    /// Does the alarm keep coming and going: three raises within a minute?
    #[serde(default, skip_serializing_if = "is_false")]
    pub chattering: bool,
    /// Found in delayed data.
    #[serde(default, skip_serializing_if = "is_false")]
    pub late: bool,
    /// The older occurrence that was to be confirmed, never was, and can no longer be.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub left_unconfirmed: Option<u64>,
    /// A drill, and nothing real.
    #[serde(default, skip_serializing_if = "is_false")]
    pub test: bool,
    /// Size of a clock step, seconds, positive when the clock went forward.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step_s: Option<f64>,
    /// Start of a monitoring gap.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rfc3339::option"
    )]
    pub from: Option<Wall>,
    /// End of a monitoring gap; of a notice, who was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub to: Option<To>,
    /// Why somebody was told.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub notice: Option<Notice>,
    /// Which step of the escalation, counted from 0.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub step: Option<u16>,
    /// The page comes before its time: what the alarm was told over before does not deliver.
    #[serde(default, skip_serializing_if = "is_false")]
    pub unheard: bool,
    /// The output over which they were told; absent when any that reaches them will do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub output: Option<Arc<str>>,
    /// Of a notice: which call for attention it tells of. A number that changes whenever the occurrence calls
    /// again, and nothing else.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub annunciation: Option<u64>,
    /// Every output over which the occurrence that is over was told of.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub outputs: Vec<Arc<str>>,
    /// Every alarm that a summary, or a reminder of several, tells of; those that still call come first. Of
    /// `first_out_reset` those that are known, and keep no other from coming first any more.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub alarms: Vec<Arc<str>>,
    /// Nobody is told of the alarm itself: this one, of the device or broker that is lost, speaks for it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub grouped_under: Option<Arc<str>>,
    /// When the overlay, or the acknowledgement, ends at the latest.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rfc3339::option"
    )]
    pub until: Option<Wall>,
    /// The shelf ends as soon as the alarm is no longer active.
    #[serde(default, skip_serializing_if = "is_false")]
    pub one_shot: bool,
    /// When the condition of a late occurrence, or of one that is told of, began.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rfc3339::option"
    )]
    pub raised_at: Option<Wall>,
    /// When it ended.
    #[serde(
        default,
        skip_serializing_if = "Option::is_none",
        with = "rfc3339::option"
    )]
    pub cleared_at: Option<Wall>,
    /// Of an average: the share of its time that was seen, 0 to 1.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub coverage: Option<f64>,
    /// Of an average with little coverage: what it is at least, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub lower_bound: Option<f64>,
    /// Of an average with little coverage: what it would be had the last value stayed, in `unit`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub upper_bound: Option<f64>,
    /// Who approved it.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub approved_by: Option<String>,
    /// Who else did: for a second channel of a group.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub also_approved_by: Option<String>,
    /// Number of the permit or work order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub permit: Option<String>,
    /// What is done instead while the alarm is out of service.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub compensating_measure: Option<String>,
    /// What was configured before, as far as it is another now.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub was: Option<Box<Was>>,
    /// Of `started`, as are the next two, which hold for every event of the same epoch (module docs): the
    /// version of the program.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub version: Option<Cow<'static, str>>,
    /// SHA-256 over the effective configuration, 64 hex digits; the `hash` of `forewarn_config_info`.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub config_hash: Option<Arc<str>>,
    /// What the kernel calls this boot of the board; absent in replay.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub boot_id: Option<Arc<str>>,
}

/// What `to` says.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(untagged)]
pub enum To {
    /// The end of a monitoring gap.
    Time(#[serde(with = "rfc3339")] Wall),
    /// Person ids; none when an output is the receiver itself.
    Persons(Vec<Arc<str>>),
}

impl WireEvent {
    /// The wire form of `event` as number `seq` of the journal; `t` as in [`encode`].
    pub fn new(event: &Event, identity: &Identity, seq: u64, t: Option<f64>) -> Self {
        let subject = event.subject.as_ref();
        let details = &event.details;
        let run = details.run.as_deref();
        Self {
            id: identity.event_id(seq),
            seq,
            time: event.at.wall,
            t: t.map(|seconds| (seconds * 1000.0).round() / 1000.0),
            event: event.kind,
            alarm: subject.map(|subject| Arc::clone(&subject.alarm)),
            occurrence: subject.map(|subject| subject.occurrence),
            point: subject.map(|subject| Arc::clone(&subject.point)),
            area: subject.and_then(|subject| subject.area.clone()),
            state: subject.map(|subject| subject.state),
            overlays: subject.map(|subject| subject.overlays),
            priority: subject.map(|subject| subject.priority),
            value: subject.and_then(|subject| subject.value),
            limit: subject.and_then(|subject| subject.limit),
            unit: subject
                .filter(|subject| !subject.unit.is_empty())
                .map(|subject| Arc::clone(&subject.unit)),
            quality: subject.map(|subject| subject.quality),
            annunciated: subject.map(|subject| subject.annunciated),
            first_out: subject.is_some_and(|subject| subject.first_out),
            tie: details.tie,
            group: details.group.clone(),
            cause: event.cause,
            by: details.by.clone(),
            via: details.via,
            reason: details.reason.clone(),
            comment: details.comment.clone(),
            message: message(event),
            slope_per_min: details.slope_per_min,
            forecast_s: details.forecast_s.clone(),
            duration_s: details.duration_s,
            peak: details.peak,
            held: details.held,
            chattering: event
                .record
                .as_ref()
                .is_some_and(|record| record.chattering),
            late: details.late,
            left_unconfirmed: details.left_unconfirmed,
            test: subject.is_some_and(Subject::is_drill),
            step_s: details.step_s,
            from: details.from,
            to: match &details.persons {
                Some(persons) => Some(To::Persons(persons.clone())),
                None => details.to.map(To::Time),
            },
            notice: details.notice,
            step: details.step,
            unheard: details.unheard,
            output: details.output.clone(),
            annunciation: details.annunciation,
            outputs: details.outputs.clone(),
            alarms: details.alarms.clone(),
            grouped_under: details.grouped_under.clone(),
            until: details.until,
            one_shot: details.one_shot,
            raised_at: details.raised_at,
            cleared_at: details.cleared_at,
            coverage: details.coverage,
            lower_bound: details.lower_bound,
            upper_bound: details.upper_bound,
            approved_by: details.approved_by.clone(),
            also_approved_by: details.also_approved_by.clone(),
            permit: details.permit.clone(),
            compensating_measure: details.compensating_measure.clone(),
            was: details.was.clone(),
            version: run.map(|_run| env!("CARGO_PKG_VERSION").into()),
            config_hash: run.and_then(|run| run.config_hash.clone()),
            boot_id: run.and_then(|run| run.boot_id.clone()),
        }
    }
}

/// What people read. Of a drill it says so before anything else.
fn message(event: &Event) -> Option<String> {
    let message = event.details.message.as_deref();
    if !event.subject.as_ref().is_some_and(Subject::is_drill) {
        return message.map(str::to_owned);
    }
    Some(message.map_or_else(|| "DRILL".to_owned(), |words| format!("DRILL: {words}")))
}

/// The names of all fields that an event may have, in the order of the wire.
pub fn fields() -> &'static [&'static str] {
    fields::of::<WireEvent>()
}

#[expect(
    clippy::trivially_copy_pass_by_ref,
    reason = "the signature serde calls"
)]
const fn is_false(flag: &bool) -> bool {
    !*flag
}

/// A list of words; words of a later version are passed over.
mod overlays {
    use serde::{Deserialize, Deserializer, Serialize, Serializer};

    use crate::engine::overlay::Overlays;

    #[expect(clippy::ref_option, reason = "the signature serde calls")]
    pub(super) fn serialize<S: Serializer>(
        overlays: &Option<Overlays>,
        serializer: S,
    ) -> Result<S::Ok, S::Error> {
        overlays.map(Overlays::names).serialize(serializer)
    }

    pub(super) fn deserialize<'de, D: Deserializer<'de>>(
        source: D,
    ) -> Result<Option<Overlays>, D::Error> {
        let names = Vec::<String>::deserialize(source)?;
        let has = |name: &str| names.iter().any(|given| given == name);
        Ok(Some(Overlays {
            shelved: has("shelved"),
            suppressed: has("suppressed"),
            out_of_service: has("out_of_service"),
        }))
    }
}

#[cfg(test)]
mod tests;
