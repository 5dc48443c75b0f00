//! The engine's present as JSON. Fields stand even when they are empty (`null`), so that a program
//! finds the same shape for every alarm.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use serde::Serialize;

use crate::engine::alarm::AlarmState;
use crate::engine::notice::{NoticeView, Told};
use crate::engine::overlay::{Outage, Shelf, Suppression};
use crate::engine::reading::Quality;
use crate::engine::settings::{AlarmKind, Priority};
use crate::engine::snapshot::{
    Acknowledgement, AlarmView, ChannelView, DrillView, ExposureView, GroupView, PointView,
};
use crate::engine::time::Wall;
use crate::event::rfc3339;
use crate::guidance::{AlarmWords, Guidance};

/// One alarm with the words that go with it.
#[derive(Debug, Serialize)]
pub(super) struct Alarm<'a> {
    alarm: &'a str,
    point: &'a str,
    kind: AlarmKind,
    name: Option<&'a str>,
    area: Option<&'a str>,
    area_name: Option<&'a str>,
    unit: &'a str,
    priority: Priority,
    state: AlarmState,
    overlays: Vec<&'static str>,
    suppressed: Option<Suppressed<'a>>,
    shelved: Option<Shelved<'a>>,
    out_of_service: Option<OutOfService<'a>>,
    occurrence: u64,
    value: Option<f64>,
    limit: Option<f64>,
    quality: Quality,
    raised_at: Option<String>,
    acknowledged: Option<Acknowledged<'a>>,
    confirmed: Option<Confirmed<'a>>,
    /// Occurrences that wait for a confirmation.
    unconfirmed: &'a [u64],
    /// Did it come first in its group?
    first_out: bool,
    peak: Option<f64>,
    chattering: bool,
    learning: bool,
    older_unacknowledged: usize,
    /// Of an average exposure.
    exposure: Option<Exposure>,
    action: Option<Cow<'a, str>>,
    plan: Option<&'a str>,
    cause: Option<&'a str>,
    consequence: Option<&'a str>,
    time_to_respond_s: Option<f64>,
    responsible: Vec<String>,
    notices: Notices<'a>,
}

/// Who was told of the newest occurrence, and when the next step comes.
#[derive(Debug, Default, Serialize)]
struct Notices<'a> {
    told: &'a [Told],
    steps: u16,
    next_step_at: Option<String>,
    held: bool,
    grouped_under: Option<&'a str>,
}

/// How an average came about.
#[derive(Debug, Clone, Copy, Serialize)]
struct Exposure {
    average: f64,
    /// Seen, 0 to 1.
    coverage: f64,
    /// The average with unseen time as 0, and at the last value before it.
    lower_bound: f64,
    upper_bound: f64,
    uncertain: bool,
}

impl From<ExposureView> for Exposure {
    fn from(view: ExposureView) -> Self {
        Self {
            average: view.average,
            coverage: view.coverage,
            lower_bound: view.average,
            upper_bound: view.upper_bound,
            uncertain: view.uncertain,
        }
    }
}

#[derive(Debug, Serialize)]
struct Acknowledged<'a> {
    by: &'a str,
    at: String,
    /// When it runs out if the alarm is still active then.
    until: Option<String>,
}

#[derive(Debug, Serialize)]
struct Confirmed<'a> {
    by: &'a str,
    at: String,
}

/// Which states of the plant silence it, and until when at most.
#[derive(Debug, Serialize)]
struct Suppressed<'a> {
    by: Vec<&'a str>,
    since: String,
    until: Option<String>,
}

/// Who took it off the list, why, and until when.
#[derive(Debug, Serialize)]
struct Shelved<'a> {
    by: &'a str,
    reason: &'a str,
    approved_by: Option<&'a str>,
    since: String,
    until: String,
    one_shot: bool,
}

/// Who took it out, with which permit, and until when.
#[derive(Debug, Serialize)]
struct OutOfService<'a> {
    by: &'a str,
    approved_by: &'a str,
    also_approved_by: Option<&'a str>,
    permit: &'a str,
    /// What is done instead.
    compensating_measure: Option<&'a str>,
    since: String,
    until: String,
}

impl<'a> Alarm<'a> {
    /// `guidance` is that of the same alarm; `responsible` is so now.
    pub(super) fn new(
        view: &'a AlarmView,
        guidance: Option<&'a Guidance>,
        responsible: Vec<String>,
    ) -> Self {
        let words = |field: fn(&AlarmWords) -> &Option<Arc<str>>| {
            guidance.and_then(|guidance| field(&guidance.words).as_deref())
        };
        let point = guidance.map(|guidance| &*guidance.point);
        let cover = view.cover.as_deref();
        Self {
            alarm: &view.alarm,
            point: &view.point,
            kind: view.kind,
            name: point.map(|point| &*point.name),
            area: view.area.as_deref(),
            area_name: point.and_then(|point| point.area_name.as_deref()),
            unit: &view.unit,
            priority: view.priority,
            state: view.state,
            overlays: view.overlays.names(),
            suppressed: cover
                .and_then(|cover| cover.suppression.as_ref())
                .map(suppressed),
            shelved: cover.and_then(|cover| cover.shelf.as_ref()).map(shelved),
            out_of_service: cover
                .and_then(|cover| cover.outage.as_ref())
                .map(out_of_service),
            occurrence: view.occurrence,
            value: view.value,
            limit: view.limit,
            quality: view.quality,
            raised_at: view.raised_at.map(rfc3339::format),
            acknowledged: view
                .acknowledged
                .as_ref()
                .map(|by| acknowledged(by, view.acknowledged_until)),
            confirmed: view.confirmed.as_ref().map(|confirmed| Confirmed {
                by: &confirmed.by,
                at: rfc3339::format(confirmed.at),
            }),
            unconfirmed: &view.unconfirmed,
            first_out: view.first_out,
            peak: view.peak,
            chattering: view.chattering,
            learning: view.learning,
            older_unacknowledged: view.older_unacknowledged,
            exposure: view.exposure.map(Exposure::from),
            action: guidance.and_then(Guidance::action),
            plan: words(|words| &words.plan),
            cause: words(|words| &words.cause),
            consequence: words(|words| &words.consequence),
            time_to_respond_s: guidance
                .and_then(|guidance| guidance.words.time_to_respond)
                .map(|span| span.as_secs_f64()),
            responsible,
            notices: view.notices.as_deref().map(notices).unwrap_or_default(),
        }
    }
}

/// One drill with the words of its alarm. It has what a page needs to show it, and is no [`Alarm`].
#[derive(Debug, Serialize)]
pub(super) struct Drill<'a> {
    alarm: &'a str,
    test: bool,
    point: Option<&'a str>,
    kind: Option<AlarmKind>,
    name: Option<&'a str>,
    area: Option<&'a str>,
    area_name: Option<&'a str>,
    priority: Option<Priority>,
    state: AlarmState,
    occurrence: u64,
    by: Option<&'a str>,
    reason: Option<&'a str>,
    raised_at: Option<String>,
    cleared_at: Option<String>,
    until: Option<String>,
    acknowledged: Option<Acknowledged<'a>>,
    action: Option<Cow<'a, str>>,
    plan: Option<&'a str>,
    responsible: Vec<String>,
    notices: Notices<'a>,
}

impl<'a> Drill<'a> {
    /// `guidance` is that of the alarm which is exercised; `responsible` is so now.
    pub(super) fn new(
        view: &'a DrillView,
        guidance: Option<&'a Guidance>,
        responsible: Vec<String>,
    ) -> Self {
        let point = guidance.map(|guidance| &*guidance.point);
        let record = &view.record;
        let exercise = record.drill.as_deref();
        Self {
            alarm: &record.alarm,
            test: true,
            point: point.map(|point| &*point.id),
            kind: guidance.map(|guidance| guidance.kind),
            name: point.map(|point| &*point.name),
            area: point.and_then(|point| point.area.as_deref()),
            area_name: point.and_then(|point| point.area_name.as_deref()),
            priority: record.priority,
            state: record.state,
            occurrence: record.occurrence,
            by: exercise.map(|exercise| &*exercise.by),
            reason: exercise.map(|exercise| &*exercise.reason),
            raised_at: record.raised_at.map(rfc3339::format),
            cleared_at: record.cleared_at.map(rfc3339::format),
            until: exercise.map(|exercise| rfc3339::format(exercise.term.until)),
            acknowledged: record
                .acknowledged
                .as_ref()
                .map(|by| acknowledged(by, None)),
            action: guidance.and_then(Guidance::action),
            plan: guidance.and_then(|guidance| guidance.words.plan.as_deref()),
            responsible,
            notices: view.notices.as_deref().map(notices).unwrap_or_default(),
        }
    }
}

fn notices(view: &NoticeView) -> Notices<'_> {
    Notices {
        told: &view.told,
        steps: view.steps,
        next_step_at: view.next_step_at.map(rfc3339::format),
        held: view.held,
        grouped_under: view.under.as_deref(),
    }
}

fn acknowledged(by: &Acknowledgement, until: Option<Wall>) -> Acknowledged<'_> {
    Acknowledged {
        by: &by.by,
        at: rfc3339::format(by.at),
        until: until.map(rfc3339::format),
    }
}

fn suppressed(suppression: &Suppression) -> Suppressed<'_> {
    let causes = suppression.causes.iter();
    Suppressed {
        by: causes.map(|cause| &*cause.state).collect(),
        since: rfc3339::format(suppression.since),
        until: suppression.until().map(rfc3339::format),
    }
}

fn shelved(shelf: &Shelf) -> Shelved<'_> {
    Shelved {
        by: &shelf.by,
        reason: &shelf.reason,
        approved_by: shelf.approved_by.as_deref(),
        since: rfc3339::format(shelf.term.since),
        until: rfc3339::format(shelf.term.until),
        one_shot: shelf.one_shot,
    }
}

fn out_of_service(outage: &Outage) -> OutOfService<'_> {
    OutOfService {
        by: &outage.by,
        approved_by: &outage.approved_by,
        also_approved_by: outage.also_approved_by.as_deref(),
        permit: &outage.permit,
        compensating_measure: outage.compensating_measure.as_deref(),
        since: rfc3339::format(outage.term.since),
        until: rfc3339::format(outage.term.until),
    }
}

/// One point.
#[derive(Debug, Serialize)]
pub(super) struct Point<'a> {
    point: &'a str,
    name: Option<&'a str>,
    area: Option<&'a str>,
    unit: &'a str,
    value: Option<f64>,
    /// What to show instead of the value while over-range is held.
    held: Option<&'a str>,
    quality: Quality,
    reason: Option<&'static str>,
    last_reading: Option<String>,
    slope_per_min: Option<f64>,
    /// Seconds until each limit ahead.
    forecast_s: BTreeMap<&'static str, f64>,
    stel: Option<Exposure>,
    twa: Option<Exposure>,
    readings: Readings,
    /// For a group, how it votes now.
    group: Option<Group<'a>>,
}

#[derive(Debug, Serialize)]
struct Group<'a> {
    /// `2oo3`, as configured.
    vote: String,
    votes: u32,
    needed: u32,
    good: u32,
    channels: Vec<Channel<'a>>,
}

#[derive(Debug, Serialize)]
struct Channel<'a> {
    point: &'a str,
    alarm: &'a str,
    in_alarm: bool,
    quality: Quality,
    reason: Option<&'static str>,
}

fn group(view: &GroupView) -> Group<'_> {
    Group {
        vote: format!("{}oo{}", view.configured, view.channels.len()),
        votes: view.votes,
        needed: view.needed,
        good: view.good,
        channels: view.channels.iter().map(channel).collect(),
    }
}

fn channel(view: &ChannelView) -> Channel<'_> {
    Channel {
        point: &view.point,
        alarm: &view.alarm,
        in_alarm: view.in_alarm,
        quality: view.quality,
        reason: view.reason,
    }
}

#[derive(Debug, Serialize)]
struct Readings {
    accepted: u64,
    bad: u64,
    duplicate: u64,
    late: u64,
    reordered: u64,
    /// By reason.
    #[serde(flatten)]
    refused: BTreeMap<&'static str, u64>,
}

impl<'a> Point<'a> {
    /// `name` is the plain name, known for points that have alarms.
    pub(super) fn new(view: &'a PointView, name: Option<&'a str>) -> Self {
        let forecast = view.forecast.iter();
        let counts = view.counts;
        Self {
            point: &view.id,
            name,
            area: view.area.as_deref(),
            unit: &view.unit,
            value: view.value,
            held: view.held.as_deref(),
            quality: view.quality,
            reason: view.reason,
            last_reading: view.last_reading.map(rfc3339::format),
            slope_per_min: view.slope_per_min,
            forecast_s: forecast.map(|(kind, span)| (kind.name(), *span)).collect(),
            stel: view.stel.map(Exposure::from),
            twa: view.twa.map(Exposure::from),
            readings: Readings {
                accepted: counts.accepted,
                bad: counts.bad(),
                duplicate: counts.duplicate,
                late: counts.late,
                reordered: counts.reordered,
                refused: counts.refused().into_iter().collect(),
            },
            group: view.group.as_deref().map(group),
        }
    }
}

/// Plain names by point id.
pub(super) fn names(guidance: &[Guidance]) -> BTreeMap<Arc<str>, Arc<str>> {
    guidance
        .iter()
        .map(|guidance| (guidance.point.id.clone(), guidance.point.name.clone()))
        .collect()
}
