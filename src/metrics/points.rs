//! Points and alarms as series, written from a [`Snapshot`] at scrape time.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::seconds;
use super::text::{Family, Kind};
use crate::engine::alarm::AlarmState;
use crate::engine::reading::{Fault, Quality};
use crate::engine::settings::AlarmKind;
use crate::engine::snapshot::{AlarmView, ExposureView, PointView, ReadingCounts, Snapshot};

/// What `forewarn_alarm_state` counts: the states of the life cycle, then the overlays. An overlay
/// covers the state; of several the strongest shows.
pub(super) const STATES: [&str; 9] = [
    AlarmState::Normal.name(),
    AlarmState::Unacknowledged.name(),
    AlarmState::Acknowledged.name(),
    AlarmState::ReturnedUnacknowledged.name(),
    AlarmState::LatchedUnacknowledged.name(),
    AlarmState::LatchedAcknowledged.name(),
    "shelved",
    "suppressed",
    "out_of_service",
];

/// The family whose series carry a unit.
const VALUE: &str = "forewarn_point_value";

/// Appends the families of points and alarms. `sources` gives the device or broker of each point by
/// its index.
pub(super) fn write(snapshot: &Snapshot, sources: &[Arc<str>], text: &mut String) {
    write_points(snapshot, sources, text);
    super::groups::write(snapshot, text);
    write_by_device(snapshot, sources, text);
    write_alarms(snapshot, text);
    write_held(snapshot, text);
}

fn write_held(snapshot: &Snapshot, text: &mut String) {
    let notices = snapshot.notices;
    let mut family = Family::new(
        text,
        "forewarn_pages_waiting",
        "Pages held back that wait for the summary they are told in.",
        Kind::Gauge,
    );
    family.series(&[], float(notices.waiting));
    let mut family = Family::new(
        text,
        "forewarn_pages_held_total",
        "Pages that were held back, by reason (chatter or flood: for a summary; grouped: the alarm of the \
         device or broker speaks for it).",
        Kind::Counter,
    );
    for (reason, count) in [
        ("chatter", notices.chatter),
        ("flood", notices.flood),
        ("grouped", notices.grouped),
    ] {
        family.series(&[("reason", reason)], float(count));
    }
}

fn write_points(snapshot: &Snapshot, sources: &[Arc<str>], text: &mut String) {
    let mut each = |name, help, kind, value: fn(&PointView) -> Option<f64>| {
        let mut family = Family::new(text, name, help, kind);
        for (point, device) in with_sources(snapshot, sources) {
            let labels = [
                ("area", point.area.as_deref().unwrap_or_default()),
                ("device", device),
                ("point", &*point.id),
                ("unit", &*point.unit),
            ];
            // Only a value is in the point's unit.
            let labels = match name {
                VALUE => &labels[..],
                _ => &labels[..3],
            };
            if let Some(value) = value(point) {
                family.series(labels, value);
            }
        }
    };
    each(
        VALUE,
        "Last good or uncertain value in the unit of the label; absent while the point is bad.",
        Kind::Gauge,
        |point| point.value,
    );
    each(
        "forewarn_point_good",
        "1 while the point is measured, 0 while it is blind (bad, stale or never read).",
        Kind::Gauge,
        |point| Some(f64::from(u8::from(point.quality != Quality::Bad))),
    );
    each(
        "forewarn_point_last_reading_timestamp_seconds",
        "Wall time of the last accepted reading, in seconds since 1970; absent before the first.",
        Kind::Gauge,
        |point| point.last_reading.map(seconds),
    );
    each(
        "forewarn_point_slope_per_second",
        "Slope of the point in its unit per second; absent without a rate rule or a valid slope.",
        Kind::Gauge,
        |point| point.slope_per_min.map(|slope| slope / 60.0),
    );
    each(
        "forewarn_point_readings_total",
        "Readings of the point that were judged.",
        Kind::Counter,
        |point| Some(float(point.counts.accepted)),
    );
}

/// Summed by device: which point it was is told by `/api/v1/points`, and a dozen more series for each
/// point would triple a scrape.
fn write_by_device(snapshot: &Snapshot, sources: &[Arc<str>], text: &mut String) {
    let mut devices: BTreeMap<&str, ReadingCounts> = BTreeMap::new();
    let fields = with_sources(snapshot, sources).filter(|(_, device)| !device.is_empty());
    for (point, device) in fields {
        *devices.entry(device).or_default() += point.counts;
    }
    let mut bad = Family::new(
        text,
        "forewarn_readings_bad_total",
        "Readings with bad quality, by reason.",
        Kind::Counter,
    );
    for (device, counts) in &devices {
        for (fault, count) in Fault::ALL.into_iter().zip(counts.bad) {
            let labels = [("device", *device), ("reason", fault.name())];
            bad.series(&labels, float(count));
        }
    }
    let mut ignored = Family::new(
        text,
        "forewarn_readings_ignored_total",
        "Readings that did not change the present, by reason (duplicate, late, retained; not believed \
         yet: fault_current, step).",
        Kind::Counter,
    );
    for (device, counts) in &devices {
        let known = [("duplicate", counts.duplicate), ("late", counts.late)];
        for (reason, count) in known.into_iter().chain(counts.refused()) {
            ignored.series(&[("device", device), ("reason", reason)], float(count));
        }
    }
}

fn write_alarms(snapshot: &Snapshot, text: &mut String) {
    let mut limits = Family::new(
        text,
        "forewarn_point_limit",
        "Configured limit in the unit of the point, by level (low_low, low, high, high_high).",
        Kind::Gauge,
    );
    for alarm in &snapshot.alarms {
        write_limit(alarm, &mut limits);
    }
    let help = state_help();
    for (name, help, value) in [
        (
            "forewarn_alarm_active",
            "1 while the alarm's condition is true, else 0; exposed for every configured alarm.",
            (|alarm| u8::from(alarm.state.is_active())) as fn(&AlarmView) -> u8,
        ),
        ("forewarn_alarm_state", &*help, state_code),
    ] {
        let mut family = Family::new(text, name, help, Kind::Gauge);
        for alarm in &snapshot.alarms {
            let labels = [
                ("alarm", &*alarm.alarm),
                ("area", alarm.area.as_deref().unwrap_or_default()),
                ("point", &*alarm.point),
                ("priority", alarm.priority.name()),
            ];
            family.series(&labels, f64::from(value(alarm)));
        }
    }
    write_exposures(snapshot, text);
    write_tally(snapshot, text);
    write_counted(
        snapshot,
        "forewarn_alarms_chattering",
        "Alarms that were raised three times within the last minute.",
        |alarm| alarm.chattering,
        text,
    );
    write_counted(
        snapshot,
        "forewarn_alarms_learning",
        "Alarms without a verdict before more is seen, though their values are there.",
        |alarm| alarm.learning,
        text,
    );
}

fn write_exposures(snapshot: &Snapshot, text: &mut String) {
    let average = |exposure: ExposureView| exposure.average;
    let coverage = |exposure: ExposureView| exposure.coverage;
    for (name, help, value) in [
        (
            "forewarn_exposure_average",
            "Average exposure in the unit of the point, unseen time as 0; absent while nothing was seen.",
            average as fn(ExposureView) -> f64,
        ),
        (
            "forewarn_exposure_coverage_ratio",
            "Share of the time of an average exposure that was seen, 0 to 1.",
            coverage,
        ),
    ] {
        let mut family = Family::new(text, name, help, Kind::Gauge);
        for alarm in &snapshot.alarms {
            let labels = [
                ("alarm", &*alarm.alarm),
                ("area", alarm.area.as_deref().unwrap_or_default()),
                ("point", &*alarm.point),
            ];
            if let Some(exposure) = alarm.exposure {
                family.series(&labels, value(exposure));
            }
        }
    }
}

fn write_tally(snapshot: &Snapshot, text: &mut String) {
    let mut tally: BTreeMap<(&str, &str), [u32; STATES.len()]> = BTreeMap::new();
    for alarm in &snapshot.alarms {
        let key = (
            alarm.area.as_deref().unwrap_or_default(),
            alarm.priority.name(),
        );
        tally.entry(key).or_default()[usize::from(state_code(alarm))] += 1;
    }
    let mut family = Family::new(
        text,
        "forewarn_alarms",
        "Number of configured alarms in each state.",
        Kind::Gauge,
    );
    for ((area, priority), counts) in tally {
        for (state, count) in STATES.into_iter().zip(counts) {
            let labels = [("area", area), ("priority", priority), ("state", state)];
            family.series(&labels, f64::from(count));
        }
    }
}

/// How many alarms of each area are so.
fn write_counted(
    snapshot: &Snapshot,
    name: &'static str,
    help: &'static str,
    is_so: fn(&AlarmView) -> bool,
    text: &mut String,
) {
    let mut counts: BTreeMap<&str, u32> = BTreeMap::new();
    for alarm in &snapshot.alarms {
        let count = counts.entry(alarm.area.as_deref().unwrap_or_default());
        *count.or_default() += u32::from(is_so(alarm));
    }
    let mut family = Family::new(text, name, help, Kind::Gauge);
    for (area, count) in counts {
        family.series(&[("area", area)], f64::from(count));
    }
}

/// A limit that can be drawn over the value. Limits of slopes have another unit.
fn write_limit(alarm: &AlarmView, family: &mut Family<'_>) {
    let on_value = matches!(
        alarm.kind,
        AlarmKind::LowLow | AlarmKind::Low | AlarmKind::High | AlarmKind::HighHigh
    );
    if let Some(limit) = alarm.limit.filter(|_| on_value) {
        let labels = [
            ("alarm", &*alarm.alarm),
            ("area", alarm.area.as_deref().unwrap_or_default()),
            ("level", alarm.kind.name()),
            ("point", &*alarm.point),
        ];
        family.series(&labels, limit);
    }
}

/// Index into [`STATES`].
const fn state_code(alarm: &AlarmView) -> u8 {
    if alarm.overlays.out_of_service {
        return 8;
    }
    if alarm.overlays.shelved {
        return 6;
    }
    if alarm.overlays.suppressed {
        return 7;
    }
    match alarm.state {
        AlarmState::Normal => 0,
        AlarmState::Unacknowledged => 1,
        AlarmState::Acknowledged => 2,
        AlarmState::ReturnedUnacknowledged => 3,
        AlarmState::LatchedUnacknowledged => 4,
        AlarmState::LatchedAcknowledged => 5,
    }
}

fn state_help() -> String {
    let rows = STATES.iter().enumerate();
    let rows: Vec<String> = rows.map(|(code, name)| format!("{code} {name}")).collect();
    format!("{}.", rows.join(", "))
}

fn with_sources<'a>(
    snapshot: &'a Snapshot,
    sources: &'a [Arc<str>],
) -> impl Iterator<Item = (&'a PointView, &'a str)> {
    let sources = sources.iter().map(|source| &**source);
    snapshot
        .points
        .iter()
        .zip(sources.chain(std::iter::repeat("")))
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the text format writes floats; above 2^53 a counter loses single steps"
)]
const fn float(count: u64) -> f64 {
    count as f64
}
