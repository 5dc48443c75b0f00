//! What a deviation is measured from. When that is another point: its value, and what its quality means
//! for the alarm.
//!
//! An alarm is no better than what it looks at: with a doubtful reference it is uncertain, without one
//! bad, and it says so. That the reference itself is bad is told by the alarm of its own point.

use super::Engine;
use super::reading::{Finite, Quality, Sample};
use super::rule::Watch;
use super::settings::Reference;
use super::time::{Moment, spoken};

impl Engine {
    /// The present reference of an alarm that has one.
    pub(super) fn reference(&self, alarm: usize) -> Option<Finite> {
        let Watch::Deviation(deviation) = &self.alarms[alarm].watch else {
            return None;
        };
        match deviation.rule.from {
            Reference::Fixed(value) => Finite::new(value),
            Reference::Point(point) => {
                let shown = self.points[point.0 as usize].channel.shown();
                shown.and_then(Sample::value)
            }
            Reference::Median(_) => deviation.median(self.now.mono),
        }
    }

    /// Is what an alarm compares with there, but no evidence that anything is over?
    pub(super) fn is_reference_doubted(&self, alarm: usize) -> bool {
        let point = self.reference_point(alarm);
        point.is_some_and(|point| !self.points[point].channel.can_clear())
    }

    /// The quality of what an alarm looks at, its own point's being `own`, and why it is not good.
    pub(super) fn reference_quality(
        &self,
        alarm: usize,
        own: (Quality, Option<&'static str>),
    ) -> (Quality, Option<&'static str>) {
        let Some(reference) = self.reference_point(alarm) else {
            return own;
        };
        let (quality, _) = self.quality_of(reference);
        match (quality, own.0) {
            (Quality::Bad, Quality::Good | Quality::Uncertain) => (quality, Some("reference_bad")),
            (Quality::Uncertain, Quality::Good) => (quality, Some("reference_uncertain")),
            (Quality::Bad, Quality::Bad)
            | (Quality::Uncertain, Quality::Uncertain | Quality::Bad)
            | (Quality::Good, _) => own,
        }
    }

    /// Tells once that the reference of an active alarm is lost, and once that it is back.
    pub(super) fn report_reference(&mut self, alarm: usize, now: Moment) {
        let lost = self.reference(alarm).is_none();
        if let Watch::Deviation(deviation) = &mut self.alarms[alarm].watch
            && let Some(held) = deviation.report(lost)
        {
            self.report_quality(alarm, held, now);
        }
    }

    /// `12 bar above SP-330 (38 bar)`.
    pub(super) fn told_of_reference(&self, alarm: usize) -> Option<String> {
        let Watch::Deviation(deviation) = &self.alarms[alarm].watch else {
            return None;
        };
        let point = &self.points[self.point_of(alarm)];
        let value = point.channel.shown().and_then(Sample::value)?.get();
        let reference = deviation.reference()?;
        let amount = |value: f64| {
            let amount = format!("{} {}", (value * 1e6).round() / 1e6, point.unit);
            amount.trim_end().to_owned()
        };
        let side = if value >= reference { "above" } else { "below" };
        let off = amount((value - reference).abs());
        let reference = amount(reference);
        Some(match deviation.rule.from {
            Reference::Fixed(_) => format!("{off} {side} {reference}"),
            Reference::Point(from) => {
                let id = &self.points[from.0 as usize].id;
                format!("{off} {side} {id} ({reference})")
            }
            Reference::Median(usual) => {
                let window = spoken(usual.window.as_secs_f64());
                format!("{off} {side} the median of the last {window} ({reference})")
            }
        })
    }

    /// The point that a deviation is measured from.
    fn reference_point(&self, alarm: usize) -> Option<usize> {
        self.alarms[alarm].watch.reference_point()
    }
}
