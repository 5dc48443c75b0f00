//! Everything that decides what an alarm does, as it is kept for the next start.
//!
//! Names are those of the configuration where there is one, and values as a person writes them, for both
//! stand in events. What is off is left out: most alarms have little. The settings are taken apart field
//! by field, so that a new one does not compile before somebody has said whether it is kept.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::sync::Arc;
use std::time::Duration;

use super::super::memory::{Configured, Content, Keys};
use super::super::reading::PointIndex;
use super::super::settings::{
    AlarmSettings, Average, CountRule, DeviationRule, DiscrepancyRule, ExposureRule, ForecastRule,
    FrozenRule, LimitRule, MedianRule, Method, OnBad, Origin, OverRangeRule, PendingHold,
    PointSettings, RateRule, Reference, Rule, Settings, Suppressor, TrendSettings,
};
use super::super::signal::{Bounds, Conversion, CurrentLoop, Curve, Scaling, Signal, Special};
use super::super::time::show_duration;
use super::super::{Engine, gate};
use super::company::{FirstOuts, first_outs};

/// What a value must be inside a limit by.
pub(super) const DEADBAND: &str = "deadband";

/// Is over-range held until its reset?
pub(super) const HELD: &str = "held";

/// The alarm position of a digital point.
pub(super) const WHEN: &str = "when";

/// How often a condition must become true.
pub(super) const COUNT: &str = "count";

/// What a deviation is measured from.
pub(super) const FROM: &str = "from";

/// How a line is drawn through the values.
pub(super) const LINE: [&str; 5] = ["method", "window", "min_samples", "min_span", "max_gap"];

/// What is foretold.
pub(super) const FORECAST: [&str; 3] = ["to", "within", "confirmations"];

/// What decides how large a number of a point is.
pub(super) const SCALE: [&str; 8] = [
    "unit",
    "scale",
    "offset",
    "raw_range",
    "range",
    "square_root",
    "table",
    "signal",
];

/// Where a point is read from.
pub(super) const SOURCE: &str = "source";

impl Engine {
    /// Of every alarm and every point.
    pub(super) fn inventory(&self, settings: &Settings) -> Content {
        let first_outs = first_outs(settings);
        let points = (0_u32..).map(PointIndex).zip(&settings.points);
        let alarms = points.flat_map(|(position, point)| {
            let own = point.alarms.iter();
            own.map(move |alarm| (position, point, alarm))
        });
        let alarms = alarms.enumerate().map(|(index, (position, point, alarm))| {
            let is = self.configured(index, position, point, alarm, &first_outs);
            (Arc::clone(&self.alarms[index].id), is)
        });
        let points = settings.points.iter();
        let points = points.map(|point| (Arc::clone(&point.id), of_point(point, settings)));
        Content::Configuration {
            configured: alarms.collect(),
            points: points.collect(),
        }
    }

    /// Of the alarm at `index`, which `point` at `position` has.
    pub(super) fn configured(
        &self,
        index: usize,
        position: PointIndex,
        point: &PointSettings,
        alarm: &AlarmSettings,
        first_outs: &FirstOuts<'_>,
    ) -> Configured {
        let first_out = first_outs.get(&(position, alarm.kind())).copied();
        Configured {
            limit: self.alarms[index].watch.limit(),
            on_delay: alarm.on_delay,
            off_delay: alarm.off_delay,
            priority: alarm.priority,
            others: Some(self.of_alarm(point, alarm, first_out)),
        }
    }

    fn of_alarm(
        &self,
        point: &PointSettings,
        alarm: &AlarmSettings,
        first_out: Option<&str>,
    ) -> Keys {
        let AlarmSettings {
            rule,
            priority: _,
            inherit_priority,
            on_delay: _,
            off_delay: _,
            pending_hold,
            count,
            latching,
            ack_required,
            realarm_after,
            highly_managed,
            confirm_required,
            suppressed_by,
        } = alarm;
        let mut kept = Kept::default();
        self.keep_rule(rule, point, &mut kept);
        kept.flag("inherit_priority", *inherit_priority);
        match pending_hold {
            PendingHold::Limit => {}
            PendingHold::Deadband => kept.text("pending_hold", "deadband"),
        }
        if let Some(CountRule { times, within }) = count {
            kept.text(COUNT, format!("{times} within {}", show_duration(*within)));
        }
        kept.flag("latching", *latching);
        kept.flag("ack_required", *ack_required);
        kept.span("realarm_after", realarm_after.unwrap_or_default());
        kept.flag("highly_managed", *highly_managed);
        kept.flag("confirm_required", *confirm_required);
        let states = suppressed_by.iter().map(|Suppressor { plant, max }| {
            let words = gate::words(*plant, &self.points);
            match max {
                Some(max) => format!("{words} for {} at most", show_duration(*max)),
                None => words,
            }
        });
        kept.list("suppressed_by", states);
        kept.list("first_out", first_out);
        kept.0.into()
    }

    fn keep_rule(&self, rule: &Rule, point: &PointSettings, kept: &mut Kept) {
        match *rule {
            Rule::Limit(LimitRule {
                level: _,
                limit: _,
                deadband,
            })
            | Rule::Discrepancy(DiscrepancyRule { limit: _, deadband }) => {
                kept.number(DEADBAND, deadband);
            }
            Rule::Rate(RateRule {
                direction: _,
                limit_per_min: _,
                deadband_per_min,
                significant,
                trend,
            }) => {
                kept.number(DEADBAND, deadband_per_min);
                kept.flag("significant", significant);
                kept.trend(point.trends.get(trend));
            }
            Rule::Forecast(ForecastRule {
                to,
                limit: _,
                within,
                confirmations,
                trend,
            }) => {
                kept.text("to", to.kind().name());
                kept.span("within", within);
                kept.text("confirmations", confirmations.to_string());
                kept.trend(point.trends.get(trend));
            }
            Rule::Deviation(DeviationRule {
                from,
                below,
                above,
                deadband,
                settle,
            }) => {
                kept.text(FROM, self.reference_in_words(from));
                kept.list("below", below.map(|below| below.to_string()));
                kept.list("above", above.map(|above| above.to_string()));
                kept.number(DEADBAND, deadband);
                kept.span("settle", settle);
            }
            Rule::State { when } => kept.text(WHEN, u8::from(when).to_string()),
            Rule::Frozen(FrozenRule {
                after,
                tolerance,
                rests_at_zero,
                gate,
            }) => {
                kept.span("after", after);
                kept.number("tolerance", tolerance);
                kept.flag("rests_at_zero", rests_at_zero);
                kept.list("while", gate.map(|gate| gate::words(gate, &self.points)));
            }
            Rule::Exposure(ExposureRule {
                average,
                limit: _,
                deadband,
            }) => {
                kept.text(
                    "method",
                    match average {
                        Average::ShortTerm | Average::Shift => "window",
                        Average::Dose => "dose",
                    },
                );
                kept.number(DEADBAND, deadband);
            }
            Rule::OverRange(OverRangeRule {
                at: _,
                bottom,
                deadband,
                latching,
                reset_below,
                reset_after,
            }) => {
                kept.number("bottom", bottom);
                kept.number(DEADBAND, deadband);
                kept.flag(HELD, latching);
                kept.number("reset_below", reset_below);
                kept.span("reset_after", reset_after);
            }
            Rule::Bad
            | Rule::Stale
            | Rule::Clock
            | Rule::Maintenance
            | Rule::Vote
            | Rule::Degraded
            | Rule::GroupFault => {}
        }
    }

    fn reference_in_words(&self, from: Reference) -> String {
        match from {
            Reference::Fixed(value) => value.to_string(),
            Reference::Point(point) => {
                let point = self.points.get(point.0 as usize);
                point.map_or_else(String::new, |point| point.id.to_string())
            }
            Reference::Median(MedianRule { window }) => {
                format!("median of {}", show_duration(window))
            }
        }
    }
}

pub(super) fn of_point(point: &PointSettings, settings: &Settings) -> Keys {
    let PointSettings {
        id: _,
        area,
        unit,
        stale_after,
        good_confirm,
        warm_up,
        signal,
        reorder,
        late,
        health,
        on_bad,
        // Of the rules that look through them.
        trends: _,
        alarms: _,
        group,
        origin,
        meanings: _,
    } = point;
    let mut kept = Kept::default();
    if let Some(Origin { words, poll }) = origin {
        kept.text(SOURCE, &**words);
        kept.span("poll", poll.unwrap_or_default());
    }
    kept.list("area", area.as_deref());
    kept.list("unit", Some(&**unit).filter(|unit| !unit.is_empty()));
    if let Some(group) = group {
        kept.group(group, settings);
        return kept.0.into();
    }
    kept.span("stale_after", stale_after.unwrap_or_default());
    kept.span("good_confirm", *good_confirm);
    kept.span("warm_up", *warm_up);
    kept.span("reorder", *reorder);
    kept.span("late", *late);
    kept.health(health, settings);
    match on_bad {
        OnBad::Hold => {}
        OnBad::VoteTrip => kept.text("on_bad", "vote_trip"),
    }
    kept.signal(signal);
    kept.0.into()
}

/// What is kept so far.
#[derive(Default)]
pub(super) struct Kept(BTreeMap<&'static str, String>);

impl Kept {
    pub(super) fn text(&mut self, name: &'static str, text: impl Into<String>) {
        self.0.insert(name, text.into());
    }

    fn number(&mut self, name: &'static str, number: f64) {
        self.text(name, number.to_string());
    }

    pub(super) fn flag(&mut self, name: &'static str, flag: bool) {
        if flag {
            self.text(name, "on");
        }
    }

    fn span(&mut self, name: &'static str, span: Duration) {
        if !span.is_zero() {
            self.text(name, show_duration(span));
        }
    }

    pub(super) fn list<T: AsRef<str>>(
        &mut self,
        name: &'static str,
        items: impl IntoIterator<Item = T>,
    ) {
        let mut text = String::new();
        for item in items {
            let gap = if text.is_empty() { "" } else { ", " };
            let _infallible = write!(text, "{gap}{}", item.as_ref()).is_err();
        }
        if !text.is_empty() {
            self.text(name, text);
        }
    }

    fn pair(&mut self, name: &'static str, (from, to): (f64, f64)) {
        self.text(name, format!("{from} to {to}"));
    }

    fn bounds(&mut self, name: &'static str, bounds: Option<Bounds>) {
        match bounds {
            Some(Bounds { low, high }) if high < f64::MAX => self.pair(name, (low, high)),
            Some(Bounds { low, .. }) => self.text(name, format!("{low} or more")),
            None => {}
        }
    }

    fn scaling(&mut self, Scaling { scale, offset }: Scaling) {
        self.number("scale", scale);
        self.number("offset", offset);
    }

    fn trend(&mut self, trend: Option<&TrendSettings>) {
        let Some(TrendSettings {
            method,
            window,
            min_samples,
            min_span,
            max_gap,
        }) = trend
        else {
            return;
        };
        self.text(
            "method",
            match method {
                Method::LeastSquares => "least_squares",
                Method::TheilSen => "theil_sen",
            },
        );
        self.span("window", *window);
        self.text("min_samples", min_samples.to_string());
        self.span("min_span", *min_span);
        self.span("max_gap", *max_gap);
    }

    fn curve(&mut self, curve: Curve) {
        if curve == Curve::SquareRoot {
            self.flag("square_root", true);
        }
    }

    fn signal(&mut self, signal: &Signal) {
        let Signal {
            conversion,
            invalid_raw,
            meanings,
            valid,
            clamp,
            max_step,
            settle,
        } = signal;
        match conversion {
            Conversion::Scale(scaling) if *scaling == Scaling::IDENTITY => {}
            Conversion::Scale(scaling) => self.scaling(*scaling),
            Conversion::Ranges { raw, value, curve } => {
                self.pair("raw_range", *raw);
                self.pair("range", *value);
                self.curve(*curve);
            }
            Conversion::Table(rows) => {
                let rows = rows.iter().map(|(raw, value)| format!("{raw} is {value}"));
                self.list("table", rows);
            }
            Conversion::CurrentLoop(CurrentLoop {
                milliamps,
                range,
                curve,
                fault_low,
                fault_high,
                special,
            }) => {
                self.text("signal", "4-20mA");
                self.scaling(*milliamps);
                self.pair("range", *range);
                self.curve(*curve);
                self.number("fault_low", *fault_low);
                self.number("fault_high", *fault_high);
                let special = special.iter().map(|Special { band, means }| {
                    format!("{} to {} {}", band.low, band.high, means.name())
                });
                self.list("currents", special);
            }
        }
        self.list("invalid_raw", invalid_raw.iter().map(f64::to_string));
        let meanings = meanings.iter();
        let meanings = meanings.map(|meaning| format!("{} is {}", meaning.value, meaning.name));
        self.list("enum", meanings);
        self.bounds("valid_range", *valid);
        self.bounds("clamp", *clamp);
        self.list("max_step", max_step.map(|step| step.to_string()));
        self.span("fault_after", *settle);
    }
}
