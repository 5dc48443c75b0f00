//! Suppression by design (alarm-standards 1.4): while the plant is in a state in which an alarm means
//! nothing (no flow while the pump stands still), nobody is told of it. Its condition is judged and
//! recorded as ever.
//!
//! Each cause of an alarm's suppression is followed by itself ([`cause`]); one that *holds* is enough.
//!
//! - Only good evidence silences. A cause whose point is bad, stale, doubtful or not heard yet is not
//!   known, and holds nothing: the alarm shows itself.
//! - A restart changes nothing of the plant. What silenced an alarm when the life before ended goes on
//!   until its input is heard, or found bad, or has been silent for as long as makes it stale; so an
//!   alarm that means nothing calls nobody because the gateway was restarted. But word of the life before is
//!   handed on once, and by a restart: not after a longer absence ([`ABSENCE`]), when nobody can know what
//!   became of the plant, and not from a life that was too short to notice the silence of an input that
//!   was itself silent on such word, so that a gateway that starts again and again silences nothing for
//!   ever. Nor where no clock can tell this, or for an input that is never stale (the gateway's own
//!   condition). Then the cause is not known.
//! - A cause with a longest time must be **seen** to begin. One that is true when it becomes known may
//!   have been so for ever, so its time counts as over; unless it was seen to begin before it was lost,
//!   and time is left.
//! - An alarm as a cause counts while it is active, acknowledged or not. It does not while it is out of
//!   service, for what is being worked on is no evidence; nor while it is shelved: who put one alarm
//!   aside did not mean the others that it stands for.
//! - At one instant a suppression that begins comes before a raise, and one that ends comes after a
//!   clear: while a clear is due at this instant the alarm stays silent, and is looked at again when it is
//!   gone, or when something comes between.

mod cause;

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::alarm::{Input, transition};
use super::effect::{Cause as Origin, Details, Effect, EventKind};
use super::links::{Dependent, Source, Wiring};
use super::occurrence::Alarm;
use super::overlay::{Overlay, Suppressing, Suppression};
use super::quality::Condition;
use super::reading::{Finite, Quality, Sample};
use super::settings::Settings;
use super::snapshot::History;
use super::time::{Moment, Mono, Wall};
use super::{Engine, Point};
use cause::{Cause, Lapse, Sign, Truth};

/// What a restart takes at most: a board that starts anew, or its software.
const ABSENCE: Duration = Duration::from_secs(5 * 60);

/// May a start take over what silenced an alarm, on word of a life that ended at `alive`? `taken_over`: when
/// that one took it over itself. `silence` makes the input stale.
fn is_handed_on(taken_over: Option<Wall>, alive: Wall, now: Wall, silence: Duration) -> bool {
    let heard = taken_over.is_none_or(|at| alive.seconds_since(at) >= silence.as_secs_f64());
    heard && now.seconds_since(alive) <= ABSENCE.max(silence).as_secs_f64()
}

/// Every alarm that is suppressed by design at times.
#[derive(Debug, Default)]
pub(super) struct Suppressions {
    all: Vec<Suppressed>,
    by_alarm: BTreeMap<usize, usize>,
}

/// One of them.
#[derive(Debug)]
struct Suppressed {
    alarm: usize,
    causes: Box<[Cause]>,
}

impl Suppressions {
    /// Finds what silences each alarm. `points` and `alarms` are all there are.
    pub(super) fn new(settings: &Settings, points: &[Point], alarms: &mut [Alarm]) -> Self {
        let mut suppressions = Self::default();
        let configured = settings.points.iter().flat_map(|point| &point.alarms);
        for (alarm, configured) in configured.enumerate() {
            let causes = configured.suppressed_by.iter();
            let causes = causes.filter_map(|cause| Cause::new(*cause, points, alarms));
            let causes: Box<[Cause]> = causes.collect();
            debug_assert_eq!(causes.len(), configured.suppressed_by.len());
            if causes.is_empty() {
                continue;
            }
            let own = &points[points.partition_point(|point| point.alarms.end <= alarm)];
            let beside = |cause: &Cause| match cause.sign {
                Sign::Active { alarm } => own.alarms.contains(&alarm),
                Sign::Value { .. } => false,
            };
            alarms[alarm].waits = causes.iter().any(beside);
            let number = suppressions.all.len();
            suppressions.by_alarm.insert(alarm, number);
            suppressions.all.push(Suppressed { alarm, causes });
        }
        suppressions
    }

    /// Who touches them.
    pub(super) fn wire(&self, points: &[Point], alarms: &[Alarm], wiring: &mut Wiring) {
        for (index, suppressed) in self.all.iter().enumerate() {
            let dependent = Dependent::Suppression(index);
            // What it waited for came, or does not come.
            wiring.input(Source::Alarm(suppressed.alarm), dependent);
            for cause in &suppressed.causes {
                let point = match cause.sign {
                    Sign::Value { point, .. } => {
                        wiring.input(Source::Value(point), dependent);
                        point
                    }
                    Sign::Active { alarm } => {
                        wiring.input(Source::Alarm(alarm), dependent);
                        // It is evidence only while what it is compared with is.
                        if let Some(reference) = alarms[alarm].watch.reference_point() {
                            wiring.input(Source::Value(reference), dependent);
                            wiring.input(Source::Condition(reference), dependent);
                        }
                        let point = points.partition_point(|point| point.alarms.end <= alarm);
                        // Doubt after a moment without changes no condition.
                        wiring.input(Source::Value(point), dependent);
                        point
                    }
                };
                wiring.input(Source::Condition(point), dependent);
            }
        }
    }

    /// The wall clock stepped.
    pub(super) fn clock_stepped(&mut self, step: f64) {
        let causes = self.all.iter_mut().flat_map(|own| &mut own.causes);
        for term in causes.filter_map(|cause| cause.term.as_mut()) {
            term.shift(step);
        }
    }
}

impl Engine {
    /// Looks at the causes of a suppression anew, and lays it over its alarm or takes it off.
    pub(super) fn judge_suppression(&mut self, index: usize, now: Moment) {
        let alarm = self.suppressions.all[index].alarm;
        let own = &self.alarms[alarm];
        if own.overlays().suppressed && own.clears_now(now.mono) {
            return;
        }
        let (mut changed, mut first, mut let_go) = (false, None, None);
        for position in 0..self.suppressions.all[index].causes.len() {
            let truth = self.truth(&self.suppressions.all[index].causes[position], now);
            let cause = &mut self.suppressions.all[index].causes[position];
            let held = cause.holds();
            cause.take(truth, now);
            let holds = cause.holds();
            changed |= held != holds;
            let lapse = Some(cause.lapse(truth, now));
            first = first.or(lapse);
            let_go = let_go.or(lapse.filter(|_| held && !holds));
        }
        let causes = &self.suppressions.all[index].causes;
        let holds = causes.iter().any(Cause::holds);
        match (self.alarms[alarm].overlays().suppressed, holds) {
            (false, true) => self.suppress(index, EventKind::Suppressed, now),
            (true, true) if changed => self.suppress(index, EventKind::Changed, now),
            (true, false) => {
                let lapse = let_go.or(first).unwrap_or(Lapse::Config);
                self.unsuppress(alarm, lapse, now);
            }
            (true, true) | (false, false) => {}
        }
    }

    /// The same before a raise of `alarm`, if anything silences it.
    pub(super) fn suppress_in_time(&mut self, alarm: usize, now: Moment) {
        if let Some(index) = self.suppressions.by_alarm.get(&alarm) {
            self.judge_suppression(*index, now);
        }
    }

    /// The same when a cause has silenced `alarm` for long enough.
    pub(super) fn expire_suppression(&mut self, alarm: usize, due: Mono, now: Moment) {
        let cover = self.alarms[alarm].cover.as_ref();
        let next = cover.and_then(|cover| cover.suppression.as_ref()?.next());
        if next.is_some_and(|next| next <= due) {
            self.suppress_in_time(alarm, now);
        }
    }

    /// Takes up what the plant silenced in the life before.
    pub(super) fn resume_suppressions(&mut self, history: &History) {
        let (now, trusted) = (self.now, self.trusts_clock(history));
        let alive = history.last_alive.filter(|_| trusted);
        for alarm in 0..self.alarms.len() {
            let cover = self.alarms[alarm].cover.as_ref();
            let Some(before) = cover.and_then(|cover| cover.suppression.clone()) else {
                continue;
            };
            let Some(index) = self.suppressions.by_alarm.get(&alarm).copied() else {
                self.unsuppress(alarm, Lapse::Config, now);
                continue;
            };
            for position in 0..self.suppressions.all[index].causes.len() {
                let silence = self.silence(&self.suppressions.all[index].causes[position]);
                let lasts = alive.zip(silence).is_some_and(|(alive, silence)| {
                    is_handed_on(before.taken_over, alive, now.wall, silence)
                });
                let cause = &mut self.suppressions.all[index].causes[position];
                let mut known = before.causes.iter();
                if let Some(known) = known.find(|known| known.state == cause.words) {
                    cause.resume(known, lasts, trusted, now);
                }
            }
            let kept = self.holding(index);
            if kept.is_empty() {
                continue;
            }
            if kept.len() == before.causes.len() {
                // With the ends that they have in this life.
                self.lay_suppression(index, kept, now);
            } else {
                self.suppress(index, EventKind::Changed, now);
            }
            self.take_over(alarm, now);
        }
    }

    /// What an alarm is silent by is word of the life before; stored with the start, for the next life asks.
    fn take_over(&mut self, alarm: usize, now: Moment) {
        let cover = self.alarms[alarm].cover.as_mut();
        if let Some(suppression) = cover.and_then(|cover| cover.suppression.as_mut()) {
            suppression.taken_over = Some(now.wall);
        }
        let record = self.alarms[alarm].record(now.mono);
        if let Some(Effect::Event(event)) = self.effects.back_mut() {
            event.others.push(record);
        }
    }

    /// Looks at all of them for the first time.
    pub(super) fn judge_suppressions(&mut self, now: Moment) {
        for index in 0..self.suppressions.all.len() {
            self.judge_suppression(index, now);
        }
    }

    /// The silence after which its inputs are stale, every one of them; `None` when one never is.
    fn silence(&self, cause: &Cause) -> Option<Duration> {
        let (point, reference) = match cause.sign {
            Sign::Value { point, .. } => (point, None),
            Sign::Active { alarm } => (
                self.point_of(alarm),
                self.alarms[alarm].watch.reference_point(),
            ),
        };
        let inputs = reference.into_iter().chain([point]);
        let silences = inputs.map(|input| match self.points[input].group {
            Some(group) => self.groups[group].longest_silence(&self.points),
            None => self.points[input].stale_after,
        });
        silences.max_by_key(|silence| silence.unwrap_or(Duration::MAX))?
    }

    /// The causes that silence an alarm now.
    fn holding(&self, index: usize) -> Vec<Suppressing> {
        let causes = self.suppressions.all[index].causes.iter();
        let holding = causes.filter(|cause| cause.holds());
        let holding = holding.map(|cause| Suppressing {
            state: Arc::clone(&cause.words),
            term: cause.term,
        });
        holding.collect()
    }

    /// Lays a suppression over its alarm, or renews what its causes are; says until when it lasts.
    fn lay_suppression(
        &mut self,
        index: usize,
        causes: Vec<Suppressing>,
        now: Moment,
    ) -> Option<Wall> {
        let own = &mut self.alarms[self.suppressions.all[index].alarm];
        let cover = own.cover.get_or_insert_default();
        let before = cover.suppression.as_ref();
        let suppression = Suppression {
            since: before.map_or(now.wall, |before| before.since),
            causes,
            taken_over: None,
        };
        cover.suppression.insert(suppression).until()
    }

    fn suppress(&mut self, index: usize, kind: EventKind, now: Moment) {
        let Suppressed { alarm, causes } = &self.suppressions.all[index];
        let alarm = *alarm;
        let holding = causes.iter().filter(|cause| cause.holds());
        let told: Vec<String> = holding.map(|cause| self.in_words(cause)).collect();
        let own = &self.alarms[alarm];
        let input = Input::Lay(Overlay::Suppressed);
        let laid = transition(own.standing(), input, own.traits);
        debug_assert!(laid.is_ok(), "a suppression is never refused");
        let details = Details {
            reason: Some("by_design".to_owned()),
            message: Some(told.join("; ")),
            until: self.lay_suppression(index, self.holding(index), now),
            ..Details::default()
        };
        self.covered(alarm, kind, Origin::Process, details, now);
    }

    fn unsuppress(&mut self, alarm: usize, lapse: Lapse, now: Moment) {
        let cover = self.alarms[alarm].cover.as_ref();
        let details = Details {
            reason: Some(lapse.name().to_owned()),
            message: cover.and_then(|cover| cover.story(Overlay::Suppressed)),
            ..Details::default()
        };
        let input = Input::End(Overlay::Suppressed);
        let ended = self.lift(
            alarm,
            (Overlay::Suppressed, input),
            lapse.origin(),
            details,
            now,
        );
        debug_assert!(ended.is_ok(), "the end of an overlay is never refused");
    }

    fn truth(&self, cause: &Cause, now: Moment) -> Truth {
        let is = match cause.sign {
            Sign::Value { point, plant } => self
                .trusted_value(point)
                .map(|value| plant.is_shown_by(value, cause.is_true())),
            Sign::Active { alarm } => self.is_active(alarm, now),
        };
        match is {
            Ok(true) => Truth::Yes,
            Ok(false) => Truth::No,
            Err(lapse) => Truth::Unknown(lapse),
        }
    }

    /// Is the alarm active, or about to be at this very instant?
    fn is_active(&self, alarm: usize, now: Moment) -> Result<bool, Lapse> {
        let own = &self.alarms[alarm];
        if own.overlays().out_of_service {
            return Err(Lapse::OutOfService);
        }
        if own.overlays().shelved {
            return Err(Lapse::Shelved);
        }
        if own.watch.needs_value() {
            let (point, (quality, _)) = (self.point_of(alarm), self.quality_for(alarm, now));
            let reference = own.watch.reference_point();
            let has_value = self.points[point].channel.condition == Condition::Present;
            self.trust(reference.filter(|_| has_value).unwrap_or(point), quality)?;
        }
        Ok(own.state.is_active() || own.raises_now(now.mono))
    }

    /// The value of a point, if it is beyond doubt.
    fn trusted_value(&self, point: usize) -> Result<Finite, Lapse> {
        let (quality, _) = self.quality_of(point);
        self.trust(point, quality)?;
        let shown = self.points[point].channel.shown();
        shown.and_then(Sample::value).ok_or(Lapse::Bad)
    }

    fn trust(&self, point: usize, quality: Quality) -> Result<(), Lapse> {
        match (quality, self.points[point].channel.condition) {
            (Quality::Good, _) => Ok(()),
            (Quality::Uncertain, _) => Err(Lapse::Uncertain),
            (Quality::Bad, Condition::Waiting) => Err(Lapse::NotHeard),
            (Quality::Bad, Condition::Stale) => Err(Lapse::Stale),
            (Quality::Bad, Condition::Bad(_) | Condition::Present) => Err(Lapse::Bad),
        }
    }

    /// A cause with what shows it: `SPEED-7 is below 300 rpm (12 rpm, good)`.
    fn in_words(&self, cause: &Cause) -> String {
        let words = &cause.words;
        match cause.sign {
            Sign::Active { alarm } => {
                let state = self.alarms[alarm].state.name();
                format!("{words} ({state})")
            }
            Sign::Value { point, .. } => {
                let quality = self.quality_of(point).0.name();
                let Some(value) = self.shown(point) else {
                    return format!("{words} ({quality})");
                };
                let value = format!("{value} {}", self.points[point].unit);
                format!("{words} ({}, {quality})", value.trim_end())
            }
        }
    }
}
