//! The slow and obvious engine for one point.

use super::super::super::alarm::AlarmState;
use super::super::super::reading::Sample;
use super::super::super::settings::{
    AlarmKind, DeviationRule, Method, PointSettings, Reference, Rule,
};
use super::alarm::ModelAlarm;
use super::stillness::Stillness;
use super::{Ask, Instant, Plan, Quarters, Told, What, span};

#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) enum Where {
    Beyond,
    Margin,
    Inside,
    Unknown,
}

struct Model {
    stale_after: Quarters,
    confirm: Quarters,
    alarms: Vec<ModelAlarm>,
    /// Every good value that was judged, with its time.
    values: Vec<(Quarters, f64)>,
    stillness: Stillness,
    newest: Option<Sample>,
    last_news: Quarters,
    /// Is there no usable value, and is that the source's word?
    trouble: Option<Trouble>,
    begun: bool,
    good_since: Option<Quarters>,
    told: Vec<Told>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Trouble {
    Bad,
    Stale,
}

impl Model {
    fn new(settings: &PointSettings, plan: &Plan) -> Self {
        Self {
            stale_after: plan.stale_after,
            confirm: plan.confirm,
            alarms: settings.alarms.iter().map(ModelAlarm::new).collect(),
            values: Vec::new(),
            stillness: Stillness::new(&plan.frozen),
            newest: None,
            last_news: 0,
            trouble: None,
            begun: false,
            good_since: None,
            told: Vec::new(),
        }
    }

    fn read(&mut self, sample: Sample, now: Quarters) {
        self.last_news = now;
        if let Sample::Bad(_) = sample {
            self.good_since = None;
            self.lose(Trouble::Bad, now);
            return;
        }
        self.newest = Some(sample);
        if self.trouble.is_some() {
            self.good_since = self.good_since.or(Some(now));
            if self.confirm == 0 {
                self.regain(now);
            }
            return;
        }
        self.begun = true;
        if let Some(value) = sample.value() {
            self.stillness.value(now, value.get());
        }
        // It says what the others see.
        self.look_for_movement(now);
        if let (Sample::Good(value), true) = (sample, self.is_certain()) {
            self.values.push((now, value.get()));
        }
        self.judge(now);
    }

    /// The contact that says whether the value must move.
    fn gate(&mut self, sample: Sample, now: Quarters) {
        let open = sample.value().map(|value| value.get() > 0.5);
        self.stillness.gate(now, open);
        self.look_for_movement(now);
    }

    fn look_for_movement(&mut self, now: Quarters) {
        let place = if self.has_value() {
            self.stillness.place(now)
        } else {
            Where::Unknown
        };
        for index in 0..self.alarms.len() {
            if self.alarms[index].settings.kind() == AlarmKind::Frozen {
                self.hear(index, place, now);
            }
        }
    }

    fn has_value(&self) -> bool {
        self.begun && self.trouble.is_none()
    }

    /// Is the newest value beyond doubt?
    fn is_certain(&self) -> bool {
        let mut alarms = self.alarms.iter();
        let frozen = alarms.any(|own| own.settings.kind() == AlarmKind::Frozen && own.is_active());
        matches!(self.newest, Some(Sample::Good(_))) && !frozen
    }

    /// What is due at `now`, after the readings of that instant.
    fn pass(&mut self, now: Quarters) {
        self.confirm_due(false, now);
        if now - self.last_news == self.stale_after {
            self.good_since = None;
            match self.trouble {
                Some(Trouble::Stale) => {}
                Some(Trouble::Bad) if self.is_told_bad() => self.lose(Trouble::Bad, now),
                Some(Trouble::Bad) | None => self.lose(Trouble::Stale, now),
            }
        }
        if self
            .good_since
            .is_some_and(|since| now - since == self.confirm)
        {
            self.regain(now);
        }
        self.look_for_movement(now);
        self.confirm_due(true, now);
    }

    fn confirm_due(&mut self, gone: bool, now: Quarters) {
        for index in 0..self.alarms.len() {
            let what = self.alarms[index].pass(gone, now);
            self.tell_turn(index, what, now);
        }
    }

    fn lose(&mut self, trouble: Trouble, now: Quarters) {
        self.trouble = Some(trouble);
        self.stillness.lose(now);
        for index in 0..self.alarms.len() {
            let place = match (self.alarms[index].settings.kind(), trouble) {
                (AlarmKind::Bad, Trouble::Bad) | (AlarmKind::Stale, Trouble::Stale) => {
                    Where::Beyond
                }
                (AlarmKind::Bad, Trouble::Stale) | (AlarmKind::Stale, Trouble::Bad) => {
                    Where::Inside
                }
                _ => Where::Unknown,
            };
            self.hear(index, place, now);
        }
    }

    fn is_told_bad(&self) -> bool {
        let mut alarms = self.alarms.iter();
        alarms.any(|own| own.settings.kind() == AlarmKind::Bad && own.is_active())
    }

    fn regain(&mut self, now: Quarters) {
        self.good_since = None;
        self.trouble = None;
        self.begun = true;
        self.judge(now);
    }

    fn judge(&mut self, now: Quarters) {
        for index in 0..self.alarms.len() {
            let rule = self.alarms[index].settings.rule;
            if !matches!(rule, Rule::Frozen(_)) {
                let place = self.place(rule, now);
                self.hear(index, place, now);
            }
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the model knows three kinds of rule that are judged here; the others are about the missing value"
    )]
    fn place(&self, rule: Rule, now: Quarters) -> Where {
        let Some(value) = self.newest.and_then(Sample::value) else {
            return Where::Unknown;
        };
        let value = value.get();
        let place = |beyond, inside| match (beyond, inside) {
            (true, _) => Where::Beyond,
            (_, true) => Where::Inside,
            _ => Where::Margin,
        };
        match rule {
            Rule::Limit(rule) if rule.level.is_upper() => {
                place(value >= rule.limit, value < rule.limit - rule.deadband)
            }
            Rule::Limit(rule) => place(value <= rule.limit, value > rule.limit + rule.deadband),
            Rule::Rate(rule) => match self.slope(now).filter(|_| self.is_certain()) {
                None => Where::Unknown,
                Some(slope) => place(
                    slope >= rule.limit_per_min,
                    slope < rule.limit_per_min - rule.deadband_per_min,
                ),
            },
            Rule::Deviation(rule) => match self.usual(&rule, now) {
                None => Where::Unknown,
                Some(usual) => {
                    let off = value - usual;
                    let excess = |limit: Option<f64>, off: f64| limit.map(|limit| off - limit);
                    let excess = excess(rule.above, off)
                        .into_iter()
                        .chain(excess(rule.below, -off));
                    let worst = excess.fold(f64::NEG_INFINITY, f64::max);
                    place(worst >= 0.0, worst < -rule.deadband)
                }
            },
            _ => Where::Inside,
        }
    }

    /// By its definition: sorts what lies in the window, and takes the middle.
    fn usual(&self, rule: &DeviationRule, now: Quarters) -> Option<f64> {
        let Reference::Median(usual) = rule.from else {
            return None;
        };
        let (newest, _) = *self.values.last()?;
        let hole = |from: Quarters, to: Quarters| 3 * span(to - from) > usual.window;
        if hole(newest, now) {
            return None;
        }
        let mut inside: Vec<(Quarters, f64)> = Vec::new();
        for (t, value) in &self.values {
            if inside.last().is_some_and(|(last, _)| hole(*last, *t)) {
                inside.clear();
            }
            // Of several at one instant the first counts.
            if inside.last().is_none_or(|(last, _)| last != t) {
                inside.push((*t, *value));
            }
        }
        inside.retain(|(t, _)| span(newest - t) < usual.window);
        let (first, last) = (inside.first()?.0, inside.last()?.0);
        if inside.len() < 10 || 5 * span(last - first) < 3 * usual.window {
            return None;
        }
        let mut sorted: Vec<f64> = inside.into_iter().map(|(_, value)| value).collect();
        sorted.sort_by(f64::total_cmp);
        let middle = sorted.len() / 2;
        Some(if sorted.len() % 2 == 1 {
            sorted[middle]
        } else {
            f64::midpoint(sorted[middle - 1], sorted[middle])
        })
    }

    /// By its definition, from all values there ever were.
    fn slope(&self, now: Quarters) -> Option<f64> {
        let window = super::super::trend(Method::LeastSquares);
        let (newest, _) = *self.values.last()?;
        let mut holes = self
            .values
            .windows(2)
            .filter(|pair| span(pair[1].0 - pair[0].0) > window.max_gap);
        let hole = holes.next_back().map(|pair| (pair[0].0, pair[1].0));
        if span(now - newest) > window.max_gap
            || hole.is_some_and(|(before, _)| span(newest - before) < window.window)
        {
            return None;
        }
        let after_hole = hole.map_or(0, |(_, after)| after);
        let inside = |t: Quarters| t >= after_hole && span(newest - t) < window.window;
        let values: Vec<(f64, f64)> = self
            .values
            .iter()
            .filter(|(t, _)| inside(*t))
            .map(|(t, value)| (f64::from(*t) / 4.0, *value))
            .collect();
        let (first, last) = (values.first()?.0, values.last()?.0);
        if values.len() < window.min_samples || last - first < window.min_span.as_secs_f64() {
            return None;
        }
        let n = values.len() as f64;
        let mean = |of: fn(&(f64, f64)) -> f64| values.iter().map(of).sum::<f64>() / n;
        let (time, value) = (mean(|v| v.0), mean(|v| v.1));
        let over: f64 = values.iter().map(|v| (v.0 - time) * (v.1 - value)).sum();
        let under: f64 = values.iter().map(|v| (v.0 - time) * (v.0 - time)).sum();
        Some(over / under * 60.0)
    }

    fn hear(&mut self, index: usize, place: Where, now: Quarters) {
        let what = self.alarms[index].hear(place, now);
        self.tell_turn(index, what, now);
    }

    fn tell_turn(&mut self, index: usize, what: Option<What>, now: Quarters) {
        if let Some(what) = what {
            self.tell(index, what, now);
        }
    }

    fn tell(&mut self, index: usize, what: What, now: Quarters) {
        let alarm = &self.alarms[index];
        self.told
            .push((now, index, what, alarm.occurrence, alarm.state()));
    }

    fn ask(&mut self, index: usize, ask: Ask, now: Quarters) {
        let good = self.has_value() && self.is_certain();
        let alarm = &mut self.alarms[index];
        let what = match ask {
            Ask::Acknowledge(Some(asked)) if asked != alarm.occurrence => {
                let what = if let Some(at) = alarm.open.iter().position(|open| *open == asked) {
                    alarm.open.remove(at);
                    alarm.recognised.push(asked);
                    What::Acknowledged
                } else if alarm
                    .recognised
                    .iter()
                    .rev()
                    .take(4)
                    .any(|older| *older == asked)
                {
                    // It is remembered who was first.
                    What::NoEffect
                } else {
                    return self.tell(index, What::NoEffect, now);
                };
                self.told
                    .push((now, index, what, asked, AlarmState::Normal));
                return;
            }
            Ask::Acknowledge(_) if alarm.acknowledged => What::NoEffect,
            Ask::Acknowledge(_) => {
                alarm.acknowledged = true;
                What::Acknowledged
            }
            Ask::Reset => {
                let released =
                    alarm.latched && alarm.acknowledged && good && !alarm.is_on_its_way();
                alarm.latched &= !released;
                if released {
                    What::Reset
                } else {
                    What::NoEffect
                }
            }
        };
        self.tell(index, what, now);
    }
}

pub(super) fn model(settings: &PointSettings, plan: &Plan, trace: &[Instant]) -> Vec<Told> {
    let mut model = Model::new(settings, plan);
    let mut now = 0;
    for instant in trace {
        for passing in 1..instant.gap {
            model.pass(now + passing);
        }
        now += instant.gap;
        instant
            .readings
            .iter()
            .for_each(|sample| model.read(*sample, now));
        if let Some(gate) = instant.gate {
            model.gate(gate, now);
        }
        model.pass(now);
        if let Some((alarm, ask)) = instant.command {
            model.ask(alarm, ask, now);
        }
    }
    model.told
}
