//! What the events say about an alarm that its state does not: the id, and where the value is going. Pure.
//!
//! Known of what happened while this process runs; after a restart an alarm that is still active has
//! neither, until something happens to it.

use std::collections::BTreeMap;

use serde::Deserialize;

use crate::engine::effect::EventKind;
use crate::engine::settings::AlarmKind;
use crate::engine::time::spoken;

/// The newest of it.
#[derive(Debug, Clone, Default, PartialEq)]
pub(super) struct News {
    /// Id of the event that raised the newest occurrence.
    pub(super) id: Option<String>,
    /// What was written with the acknowledgement, or why it was shelved.
    pub(super) comment: Option<String>,
    slope_per_min: Option<f64>,
    forecast_s: BTreeMap<AlarmKind, f64>,
}

/// The fields of an event that matter here.
#[derive(Debug, Deserialize)]
struct Told {
    id: String,
    event: EventKind,
    #[serde(default)]
    comment: Option<String>,
    #[serde(default)]
    slope_per_min: Option<f64>,
    #[serde(default)]
    forecast_s: BTreeMap<AlarmKind, f64>,
}

impl News {
    /// Takes up a line of the journal. One that cannot be read says nothing: the state counts.
    pub(super) fn hear(&mut self, line: &str) {
        let Ok(told) = serde_json::from_str::<Told>(line) else {
            return;
        };
        if told.event == EventKind::Raised {
            *self = Self {
                id: Some(told.id),
                ..Self::default()
            };
        }
        if told.slope_per_min.is_some() {
            self.slope_per_min = told.slope_per_min;
            self.forecast_s = told.forecast_s;
        }
        if told.event == EventKind::Acknowledged {
            self.comment = told.comment;
        }
    }

    /// Where the value is going, in words: `+22 %LEL/min, high_high in about 58 s`.
    pub(super) fn trend(&self, quantity: &impl Fn(f64) -> String) -> Option<String> {
        let slope = self.slope_per_min?;
        let sign = if slope > 0.0 { "+" } else { "" };
        let mut trend = format!("{sign}{}/min", quantity(slope));
        for (limit, seconds) in &self.forecast_s {
            trend.push_str(&format!(", {} in about {}", limit.name(), spoken(*seconds)));
        }
        Some(trend)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_raise_begins_anew_and_what_cannot_be_read_changes_nothing() {
        let mut news = News::default();
        let slope = r#"{"id":"n:1:7","event":"raised","slope_per_min":22.0,"forecast_s":{"high_high":58.0}}"#;
        news.hear(slope);
        news.hear(r#"{"id":"n:1:8","event":"acknowledged","comment":"going there"}"#);
        news.hear("nonsense");
        news.hear(r#"{"id":"n:1:9","event":"of a later version"}"#);
        assert_eq!(news.id.as_deref(), Some("n:1:7"));
        assert_eq!(news.comment.as_deref(), Some("going there"));
        let trend = news.trend(&|value| format!("{value} %LEL"));
        assert_eq!(
            trend.as_deref(),
            Some("+22 %LEL/min, high_high in about 58 s")
        );
        news.hear(r#"{"id":"n:1:10","event":"raised"}"#);
        assert_eq!((news.id.as_deref(), &news.comment), (Some("n:1:10"), &None));
        assert_eq!(news.trend(&|value| value.to_string()), None);
    }
}
