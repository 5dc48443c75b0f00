//! Points and alarms as series, made from a [`Snapshot`] at scrape time and forgotten after it.

use std::collections::BTreeMap;
use std::sync::Arc;

use prometheus::proto::{Counter, Gauge, LabelPair, Metric, MetricFamily, MetricType};

use super::seconds;
use crate::engine::alarm::AlarmState;
use crate::engine::reading::Quality;
use crate::engine::settings::AlarmKind;
use crate::engine::snapshot::{AlarmView, PointView, Snapshot};

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

/// Appends the families of points and alarms. `sources` gives the device or broker of each point by
/// its index.
pub(super) fn collect(snapshot: &Snapshot, sources: &[Arc<str>], into: &mut Vec<MetricFamily>) {
    collect_points(snapshot, sources, into);
    collect_ignored(snapshot, sources, into);
    collect_alarms(snapshot, into);
}

fn collect_points(snapshot: &Snapshot, sources: &[Arc<str>], into: &mut Vec<MetricFamily>) {
    let mut values = Vec::new();
    let mut good = Vec::new();
    let mut times = Vec::new();
    let mut slopes = Vec::new();
    let mut counts = Vec::new();
    for (point, device) in with_sources(snapshot, sources) {
        let labels = [
            ("area", point.area.as_deref().unwrap_or_default()),
            ("device", device),
            ("point", &*point.id),
        ];
        if let Some(value) = point.value {
            let [area, device, id] = labels;
            values.push(gauge(&[area, device, id, ("unit", &*point.unit)], value));
        }
        let seen = point.quality != Quality::Bad;
        good.push(gauge(&labels, f64::from(u8::from(seen))));
        times.extend(point.last_reading.map(|at| gauge(&labels, seconds(at))));
        slopes.extend(
            point
                .slope_per_min
                .map(|slope| gauge(&labels, slope / 60.0)),
        );
        counts.push(counter(&labels, point.counts.accepted));
    }
    into.extend([
        family(
            "forewarn_point_value",
            "Last good or uncertain value in the unit of the label; absent while the point is bad.",
            MetricType::GAUGE,
            values,
        ),
        family(
            "forewarn_point_good",
            "1 while the point is measured, 0 while it is blind (bad, stale or never read).",
            MetricType::GAUGE,
            good,
        ),
        family(
            "forewarn_point_last_reading_timestamp_seconds",
            "Wall time of the last accepted reading, in seconds since 1970; absent before the first.",
            MetricType::GAUGE,
            times,
        ),
        family(
            "forewarn_point_slope_per_second",
            "Slope of the point in its unit per second; absent without a rate rule or a valid slope.",
            MetricType::GAUGE,
            slopes,
        ),
        family(
            "forewarn_point_readings_total",
            "Readings of the point that were judged.",
            MetricType::COUNTER,
            counts,
        ),
    ]);
}

/// Summed by device: which point it was is told by `/api/v1/points`, and three more series for each
/// point would double a scrape.
fn collect_ignored(snapshot: &Snapshot, sources: &[Arc<str>], into: &mut Vec<MetricFamily>) {
    let mut ignored: BTreeMap<(&str, &str), u64> = BTreeMap::new();
    for (point, device) in with_sources(snapshot, sources) {
        let counts = point.counts;
        for (reason, count) in [
            ("duplicate", counts.duplicate),
            ("late", counts.late),
            ("retained", counts.retained),
        ] {
            *ignored.entry((device, reason)).or_default() += count;
        }
    }
    let series = |((device, reason), count): ((&str, &str), u64)| {
        counter(&[("device", device), ("reason", reason)], count)
    };
    into.push(family(
        "forewarn_readings_ignored_total",
        "Readings that did not change the present, by reason (duplicate, late or retained).",
        MetricType::COUNTER,
        ignored.into_iter().map(series).collect(),
    ));
}

fn collect_alarms(snapshot: &Snapshot, into: &mut Vec<MetricFamily>) {
    let mut limits = Vec::new();
    let mut active = Vec::new();
    let mut states = Vec::new();
    let mut tally: BTreeMap<(&str, &str), [u32; STATES.len()]> = BTreeMap::new();
    for alarm in &snapshot.alarms {
        let area = alarm.area.as_deref().unwrap_or_default();
        let priority = alarm.priority.name();
        let labels = [
            ("alarm", &*alarm.alarm),
            ("area", area),
            ("point", &*alarm.point),
            ("priority", priority),
        ];
        let code = state_code(alarm);
        let is_active = alarm.state.is_active();
        active.push(gauge(&labels, f64::from(u8::from(is_active))));
        states.push(gauge(&labels, f64::from(code)));
        tally.entry((area, priority)).or_default()[usize::from(code)] += 1;
        limits.extend(limit_line(alarm));
    }
    let counts = tally.into_iter().flat_map(|((area, priority), counts)| {
        STATES.into_iter().zip(counts).map(move |(state, count)| {
            let labels = [("area", area), ("priority", priority), ("state", state)];
            gauge(&labels, f64::from(count))
        })
    });
    into.extend([
        family(
            "forewarn_point_limit",
            "Configured limit in the unit of the point, by level (low_low, low, high, high_high).",
            MetricType::GAUGE,
            limits,
        ),
        family(
            "forewarn_alarm_active",
            "1 while the alarm's condition is true, else 0; exposed for every configured alarm.",
            MetricType::GAUGE,
            active,
        ),
        family(
            "forewarn_alarm_state",
            &state_help(),
            MetricType::GAUGE,
            states,
        ),
        family(
            "forewarn_alarms",
            "Number of configured alarms in each state.",
            MetricType::GAUGE,
            counts.collect(),
        ),
    ]);
}

/// A limit that can be drawn over the value. Limits of slopes have another unit.
fn limit_line(alarm: &AlarmView) -> Option<Metric> {
    let on_value = matches!(
        alarm.kind,
        AlarmKind::LowLow | AlarmKind::Low | AlarmKind::High | AlarmKind::HighHigh
    );
    let limit = alarm.limit.filter(|_| on_value)?;
    let labels = [
        ("alarm", &*alarm.alarm),
        ("area", alarm.area.as_deref().unwrap_or_default()),
        ("level", alarm.kind.name()),
        ("point", &*alarm.point),
    ];
    Some(gauge(&labels, limit))
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

/// One family.
pub(super) fn family(
    name: &str,
    help: &str,
    kind: MetricType,
    series: Vec<Metric>,
) -> MetricFamily {
    let mut family = MetricFamily::default();
    family.set_name(name.to_owned());
    family.set_help(help.to_owned());
    family.set_field_type(kind);
    family.set_metric(series);
    family
}

/// One series of a gauge family.
pub(super) fn gauge(labels: &[(&str, &str)], value: f64) -> Metric {
    let mut gauge = Gauge::default();
    gauge.set_value(value);
    let mut series = Metric::from_label(pairs(labels));
    series.set_gauge(gauge);
    series
}

#[expect(
    clippy::cast_precision_loss,
    reason = "the text format writes floats; above 2^53 a counter loses single steps"
)]
fn counter(labels: &[(&str, &str)], value: u64) -> Metric {
    let mut counter = Counter::default();
    counter.set_value(value as f64);
    let mut series = Metric::from_label(pairs(labels));
    series.set_counter(counter);
    series
}

fn pairs(labels: &[(&str, &str)]) -> Vec<LabelPair> {
    let pair = |(name, value): &(&str, &str)| {
        let mut pair = LabelPair::default();
        pair.set_name((*name).to_owned());
        pair.set_value((*value).to_owned());
        pair
    };
    labels.iter().map(pair).collect()
}
