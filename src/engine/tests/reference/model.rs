//! The slow and obvious engine for one point.

use super::super::super::alarm::AlarmState;
use super::super::super::reading::Sample;
use super::super::super::settings::{
    AlarmKind, AlarmSettings, Method, PendingHold, PointSettings, Rule,
};
use super::{Ask, Duration, Instant, Plan, Quarters, Told, What, span};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Where {
    Beyond,
    Margin,
    Inside,
    Unknown,
}

struct ModelAlarm {
    settings: AlarmSettings,
    /// Since the condition was last confirmed or confirmed gone.
    verdicts: Vec<(Quarters, Where)>,
    active: bool,
    acknowledged: bool,
    latched: bool,
    occurrence: u64,
    open: Vec<u64>,
    /// Those that are not the newest and that somebody recognised, in the order of that.
    recognised: Vec<u64>,
}

struct Model {
    stale_after: Quarters,
    confirm: Quarters,
    alarms: Vec<ModelAlarm>,
    /// Every good value that was judged, with its time.
    values: Vec<(Quarters, f64)>,
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

impl ModelAlarm {
    /// Since when everything has spoken for the other condition than the present one.
    fn run(&self) -> Option<Quarters> {
        let hold = self.settings.pending_hold == PendingHold::Deadband;
        let fits = |place: Where| match place {
            Where::Inside => self.active,
            Where::Beyond => !self.active,
            Where::Margin => !self.active && hold,
            Where::Unknown => false,
        };
        let begins = if self.active {
            Where::Inside
        } else {
            Where::Beyond
        };
        let run = self
            .verdicts
            .iter()
            .rev()
            .take_while(|(_, place)| fits(*place));
        run.filter(|(_, place)| *place == begins)
            .last()
            .map(|(t, _)| *t)
    }

    fn delay(&self) -> Duration {
        if self.active {
            self.settings.off_delay
        } else {
            self.settings.on_delay
        }
    }

    fn is_due(&self, now: Quarters) -> bool {
        self.run()
            .is_some_and(|since| span(now - since) >= self.delay())
    }

    fn state(&self) -> AlarmState {
        match (self.active, self.latched, self.acknowledged) {
            (true, _, false) => AlarmState::Unacknowledged,
            (true, _, true) => AlarmState::Acknowledged,
            (false, true, false) => AlarmState::LatchedUnacknowledged,
            (false, true, true) => AlarmState::LatchedAcknowledged,
            (false, false, false) => AlarmState::ReturnedUnacknowledged,
            (false, false, true) => AlarmState::Normal,
        }
    }

    fn turn(&mut self) -> What {
        self.verdicts.clear();
        self.active = !self.active;
        if self.active {
            if !self.acknowledged {
                self.open.push(self.occurrence);
            } else if self.occurrence > 0 {
                self.recognised.push(self.occurrence);
            }
            self.occurrence += 1;
            self.acknowledged = false;
            self.latched = false;
            return What::Raised;
        }
        self.latched = self.settings.latching;
        self.acknowledged |= !self.settings.ack_required;
        What::Cleared
    }
}

impl Model {
    fn new(settings: &PointSettings, stale_after: Quarters, confirm: Quarters) -> Self {
        let alarm = |settings: &AlarmSettings| ModelAlarm {
            settings: settings.clone(),
            verdicts: Vec::new(),
            active: false,
            acknowledged: true,
            latched: false,
            occurrence: 0,
            open: Vec::new(),
            recognised: Vec::new(),
        };
        Self {
            stale_after,
            confirm,
            alarms: settings.alarms.iter().map(alarm).collect(),
            values: Vec::new(),
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
        if let Sample::Good(value) = sample {
            self.values.push((now, value.get()));
        }
        self.judge(now);
    }

    /// What is due at `now`, after the readings of that instant.
    fn pass(&mut self, now: Quarters) {
        self.confirm_due(false, now);
        if now - self.last_news == self.stale_after {
            self.good_since = None;
            match self.trouble {
                Some(Trouble::Stale) => {}
                Some(Trouble::Bad) => self.lose(Trouble::Bad, now),
                None => self.lose(Trouble::Stale, now),
            }
        }
        if self
            .good_since
            .is_some_and(|since| now - since == self.confirm)
        {
            self.regain(now);
        }
        self.confirm_due(true, now);
    }

    fn confirm_due(&mut self, active: bool, now: Quarters) {
        for index in 0..self.alarms.len() {
            if self.alarms[index].active == active && self.alarms[index].is_due(now) {
                self.turn(index, now);
            }
        }
    }

    fn lose(&mut self, trouble: Trouble, now: Quarters) {
        self.trouble = Some(trouble);
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

    fn regain(&mut self, now: Quarters) {
        self.good_since = None;
        self.trouble = None;
        self.begun = true;
        self.judge(now);
    }

    fn judge(&mut self, now: Quarters) {
        for index in 0..self.alarms.len() {
            let place = self.place(self.alarms[index].settings.rule, now);
            self.hear(index, place, now);
        }
    }

    #[expect(
        clippy::wildcard_enum_match_arm,
        reason = "the model knows two kinds of rule; the others are about the missing value"
    )]
    fn place(&self, rule: Rule, now: Quarters) -> Where {
        let (value, certain) = match self.newest {
            Some(Sample::Good(value)) => (value.get(), true),
            Some(Sample::Uncertain(value, _)) => (value.get(), false),
            Some(Sample::Bad(_)) | None => return Where::Unknown,
        };
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
            Rule::Rate(rule) => match self.slope(now).filter(|_| certain) {
                None => Where::Unknown,
                Some(slope) => place(
                    slope >= rule.limit_per_min,
                    slope < rule.limit_per_min - rule.deadband_per_min,
                ),
            },
            _ => Where::Inside,
        }
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
        let alarm = &mut self.alarms[index];
        alarm.verdicts.push((now, place));
        if alarm.delay().is_zero() && alarm.is_due(now) {
            self.turn(index, now);
        }
    }

    fn turn(&mut self, index: usize, now: Quarters) {
        let what = self.alarms[index].turn();
        self.tell(index, what, now);
    }

    fn tell(&mut self, index: usize, what: What, now: Quarters) {
        let alarm = &self.alarms[index];
        self.told
            .push((now, index, what, alarm.occurrence, alarm.state()));
    }

    fn ask(&mut self, index: usize, ask: Ask, now: Quarters) {
        let good =
            self.begun && self.trouble.is_none() && matches!(self.newest, Some(Sample::Good(_)));
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
                let released = alarm.latched && alarm.acknowledged && good && alarm.run().is_none();
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
    let mut model = Model::new(settings, plan.stale_after, plan.confirm);
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
        model.pass(now);
        if let Some((alarm, ask)) = instant.command {
            model.ask(alarm, ask, now);
        }
    }
    model.told
}
