//! Metrics of alarms and points, for births (with name, datatype and properties) and for data (by
//! alias, without datatype). Pure.
//!
//! A value that does not apply is null: never an empty text, never zero.

use super::plan::{AlarmFact, EVENT, Plan};
use crate::engine::alarm::AlarmState;
use crate::engine::overlay::Overlays;
use crate::engine::reading::{Fault, Quality};
use crate::engine::settings::Priority;
use crate::engine::snapshot::{AlarmRecord, PointView};
use crate::engine::time::Wall;
use crate::event::WireEvent;
use crate::guidance::{Guidance, PointWords};
use crate::sparkplug::{
    DataType, Metric, PropertySet, PropertyValue, metric_value, property_value,
};

/// Quality codes of the specification; it has no others.
const BAD: u32 = 0;
const GOOD: u32 = 192;
const STALE: u32 = 500;

/// What an alarm tells.
#[derive(Debug)]
pub(super) struct Standing<'a> {
    state: AlarmState,
    overlays: Overlays,
    occurrence: u64,
    priority: Priority,
    acknowledged_by: Option<&'a str>,
    message: Option<String>,
}

impl<'a> Standing<'a> {
    /// How an alarm stands by its record; without one it has never been anything but normal.
    /// `message`: the words of the event that led to it, if there are any.
    pub(super) fn now(
        guidance: &'a Guidance,
        record: Option<&'a AlarmRecord>,
        message: Option<&str>,
    ) -> Self {
        let state = record.map_or(AlarmState::Normal, |record| record.state);
        let running = record.filter(|record| record.state != AlarmState::Normal);
        let acknowledged = record.and_then(|record| record.acknowledged.as_ref());
        let what_to_do = || {
            let action = guidance.action().filter(|_| running.is_some())?;
            Some(action.into_owned())
        };
        Self {
            state,
            overlays: record.map_or_else(Overlays::default, AlarmRecord::overlays),
            occurrence: record.map_or(0, |record| record.occurrence),
            priority: running
                .and_then(|record| record.priority)
                .unwrap_or(guidance.priority),
            acknowledged_by: acknowledged.map(|acknowledged| &*acknowledged.by),
            message: message.map(str::to_owned).or_else(what_to_do),
        }
    }

    /// How it stood, by an event of the past. `None`: the event does not say.
    pub(super) fn then(event: &'a WireEvent) -> Option<Self> {
        use crate::engine::effect::EventKind;
        let by_hand = event.event == EventKind::Acknowledged;
        Some(Self {
            state: event.state?,
            overlays: event.overlays.unwrap_or_default(),
            occurrence: event.occurrence?,
            priority: event.priority?,
            acknowledged_by: event.by.as_deref().filter(|_| by_hand),
            message: event.message.clone(),
        })
    }

    fn value(&self, fact: AlarmFact) -> (DataType, Option<metric_value::Value>) {
        use metric_value::Value;
        let text = |text: &str| Some(Value::Text(text.to_owned()));
        match fact {
            AlarmFact::Active => (
                DataType::Boolean,
                Some(Value::Boolean(self.state.is_active())),
            ),
            AlarmFact::State => (DataType::String, text(self.state.name())),
            AlarmFact::Overlays => {
                let names = self.overlays.names();
                let words = (!names.is_empty()).then(|| names.join(" "));
                (DataType::String, words.map(Value::Text))
            }
            AlarmFact::Occurrence => (DataType::Int64, Some(Value::Long(self.occurrence))),
            AlarmFact::Priority => (DataType::String, text(self.priority.name())),
            AlarmFact::AcknowledgedBy => (DataType::String, self.acknowledged_by.and_then(text)),
            AlarmFact::Message => (DataType::String, self.message.as_deref().and_then(text)),
        }
    }

    /// The same as metrics of a birth.
    pub(super) fn born(&self, alarm: usize, guidance: &Guidance, at: Wall) -> Vec<Metric> {
        let metric = |fact| {
            let (datatype, value) = self.value(fact);
            let properties = (fact == AlarmFact::State).then(|| about_alarm(guidance));
            Metric {
                name: Some(Plan::alarm_name(guidance, fact)),
                datatype: Some(datatype.number()),
                properties,
                ..metric(Plan::alarm_alias(alarm, fact), at, value)
            }
        };
        AlarmFact::ALL.map(metric).into()
    }

    /// The same as metrics of data.
    pub(super) fn told(&self, alarm: usize, at: Wall, historical: bool) -> Vec<Metric> {
        let metric = |fact| {
            let (_, value) = self.value(fact);
            Metric {
                is_historical: historical.then_some(true),
                ..metric(Plan::alarm_alias(alarm, fact), at, value)
            }
        };
        AlarmFact::ALL.map(metric).into()
    }
}

/// The birth of the metric that carries events; there is none yet.
pub(super) fn event_born(at: Wall) -> Metric {
    Metric {
        name: Some(EVENT.to_owned()),
        datatype: Some(DataType::String.number()),
        ..metric(Plan::event_alias(), at, None)
    }
}

/// An event as data.
pub(super) fn event_told(line: String, at: Wall, historical: bool) -> Metric {
    Metric {
        is_historical: historical.then_some(true),
        ..metric(
            Plan::event_alias(),
            at,
            Some(metric_value::Value::Text(line)),
        )
    }
}

/// A point's value as metric of a birth.
pub(super) fn point_born(
    point: &PointView,
    words: Option<&PointWords>,
    alias: u64,
    now: Wall,
) -> Metric {
    let mut about = quality(point);
    property(&mut about, "engUnit", Some(&*point.unit));
    property(&mut about, "documentation", words.map(|words| &*words.name));
    property(&mut about, "area", point.area.as_deref());
    Metric {
        name: Some((*point.id).to_owned()),
        datatype: Some(DataType::Double.number()),
        properties: Some(about),
        ..value(point, alias, now)
    }
}

/// The same as data.
pub(super) fn point_told(point: &PointView, alias: u64, now: Wall) -> Metric {
    Metric {
        properties: Some(quality(point)),
        ..value(point, alias, now)
    }
}

/// A point that is bad has no value.
fn value(point: &PointView, alias: u64, now: Wall) -> Metric {
    let value = point.value.filter(|_| point.quality != Quality::Bad);
    let at = point.last_reading.unwrap_or(now);
    metric(alias, at, value.map(metric_value::Value::Double))
}

/// The specification knows good, bad and stale. What is in doubt is not good; the word beside it says
/// what it is.
fn quality(point: &PointView) -> PropertySet {
    let silent = point.reason == Some(Fault::NoCommunication.name());
    let code = match point.quality {
        Quality::Good => GOOD,
        Quality::Bad if !silent => BAD,
        Quality::Uncertain | Quality::Bad => STALE,
    };
    let mut set = PropertySet {
        keys: vec!["Quality".to_owned()],
        values: vec![PropertyValue {
            datatype: Some(DataType::Int32.number()),
            value: Some(property_value::Value::Int(code)),
            ..PropertyValue::default()
        }],
    };
    if point.quality != Quality::Good {
        property(&mut set, "quality", Some(point.quality.name()));
        property(&mut set, "reason", point.reason);
        property(&mut set, "held", point.held.as_deref());
    }
    set
}

/// What does not change about an alarm.
fn about_alarm(guidance: &Guidance) -> PropertySet {
    let point = &guidance.point;
    let mut set = PropertySet::default();
    property(&mut set, "documentation", Some(&*point.name));
    property(&mut set, "area", point.area.as_deref());
    property(&mut set, "engUnit", Some(&*point.unit));
    property(&mut set, "plan", guidance.words.plan.as_deref());
    if let Some(limit) = guidance.limit {
        set.keys.push("limit".to_owned());
        set.values.push(PropertyValue {
            datatype: Some(DataType::Double.number()),
            value: Some(property_value::Value::Double(limit)),
            ..PropertyValue::default()
        });
    }
    set
}

/// A text, unless there is none.
fn property(set: &mut PropertySet, key: &str, text: Option<&str>) {
    if let Some(text) = text.filter(|text| !text.is_empty()) {
        set.keys.push(key.to_owned());
        set.values.push(PropertyValue {
            datatype: Some(DataType::String.number()),
            value: Some(property_value::Value::Text(text.to_owned())),
            ..PropertyValue::default()
        });
    }
}

fn metric(alias: u64, at: Wall, value: Option<metric_value::Value>) -> Metric {
    Metric {
        alias: Some(alias),
        timestamp: Some(millis(at)),
        is_null: value.is_none().then_some(true),
        value,
        ..Metric::default()
    }
}

/// Milliseconds since 1970; before that, 0.
pub(super) fn millis(at: Wall) -> u64 {
    u64::try_from(at.unix_nanos() / 1_000_000).unwrap_or(0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::output::message::tests::{guidance, record};
    use crate::output::sparkplug::node::tests::point;

    fn text(set: &PropertySet, key: &str) -> Option<String> {
        match &set.get(key)?.value {
            Some(property_value::Value::Text(text)) => Some(text.clone()),
            Some(_) | None => None,
        }
    }

    fn code(set: &PropertySet) -> Option<u32> {
        match set.get("Quality")?.value {
            Some(property_value::Value::Int(code)) => Some(code),
            Some(_) | None => None,
        }
    }

    #[test]
    fn a_bad_point_has_no_value_and_doubt_is_not_good() {
        let table = [
            (Some(1.0), Quality::Good, None, 192, false),
            (
                Some(1.0),
                Quality::Uncertain,
                Some("sub_normal"),
                500,
                false,
            ),
            (None, Quality::Bad, Some("device_failure"), 0, true),
            (None, Quality::Bad, Some("no_communication"), 500, true),
            // Should it ever come through: it is bad, so it is none.
            (Some(1.0), Quality::Bad, None, 0, true),
        ];
        for (value, quality, reason, expected, null) in table {
            let point = PointView {
                value,
                quality,
                reason,
                ..point("CH4-101")
            };
            let metric = point_told(&point, 9, Wall::default());
            let properties = metric.properties.expect("the quality is always told");
            assert_eq!(code(&properties), Some(expected), "{point:?}");
            assert_eq!(text(&properties, "reason").as_deref(), reason, "{point:?}");
            assert_eq!(metric.is_null == Some(true), null, "{point:?}");
            assert_eq!(metric.value.is_none(), null, "{point:?}");
            assert_eq!((metric.name, metric.datatype), (None, None));
        }
    }

    #[test]
    fn a_birth_says_what_a_metric_is() {
        let alarm = guidance("CH4-101/high");
        let metric = point_born(&point("CH4-101"), Some(&alarm.point), 9, Wall::default());
        assert_eq!(metric.datatype, Some(10));
        let about = metric.properties.expect("properties");
        assert_eq!(text(&about, "engUnit").as_deref(), Some("%LEL"));
        assert_eq!(
            text(&about, "documentation").as_deref(),
            Some("Methane, tank farm north")
        );

        let born = Standing::now(&alarm, None, None).born(2, &alarm, Wall::default());
        let types: Vec<_> = born.iter().filter_map(|metric| metric.datatype).collect();
        assert_eq!(types, [11, 12, 12, 4, 12, 12, 12]);
        let names = born.iter().filter_map(|metric| metric.name.as_deref());
        assert!(
            names
                .clone()
                .all(|name| name.starts_with("Alarms/CH4-101/high/"))
        );
        assert_eq!(names.count(), 7);
    }

    #[test]
    fn nobody_and_nothing_are_null() {
        let alarm = guidance("CH4-101/high");
        let told = Standing::now(&alarm, None, None).told(0, Wall::default(), false);
        let null = |told: &[Metric], fact: AlarmFact| told[fact as usize].is_null == Some(true);
        for fact in [
            AlarmFact::Overlays,
            AlarmFact::AcknowledgedBy,
            AlarmFact::Message,
        ] {
            assert!(null(&told, fact), "{fact:?}");
        }
        let raised = record("CH4-101/high", AlarmState::Unacknowledged);
        let told = Standing::now(&alarm, Some(&raised), None).told(0, Wall::default(), true);
        assert!(told.iter().all(|metric| metric.is_historical == Some(true)));
        assert_eq!(
            told[AlarmFact::Message as usize].value,
            Some(metric_value::Value::Text("Stop \"hot work\"".into()))
        );
    }
}
