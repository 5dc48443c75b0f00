//! Readings that come out of order or in a bunch, but in time (alarm-standards 2.23).
//!
//! They go to their place in the windows of the rules. Of the present they are no evidence, but of a
//! hazard they are: one may delay a clear and add an excursion, which begins and ends now. It never
//! clears, never takes back a raise on its way, and never becomes the value that is shown.
//!
//! A value beyond the limit that comes behind the clear of its own excursion adds one, too: in order it
//! would have kept the alarm for longer, and needs no on-delay for that. One is enough for all that come
//! behind it. An excursion that is whole by the times of the source counts also while another is on its way.

use super::delay::{Confirmed, Phase, Zone};
use super::reading::Sample;
use super::settings::PendingHold;
use super::time::{Moment, Mono, Wall};
use super::{Engine, Point};

/// When a reading was taken.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Taken {
    /// On the rules' windows.
    pub(super) mono: Mono,
    /// By the clock of the source.
    pub(super) source: Wall,
    /// By that of the gateway.
    pub(super) wall: Wall,
}

impl Engine {
    /// A reading older than the newest one, but not by much.
    pub(super) fn judge_reordered(
        &mut self,
        index: usize,
        sample: Sample,
        taken: Taken,
        now: Moment,
    ) {
        // What an exposure adds up, and what holds an over-range, goes by the order of arrival.
        if let Sample::Good(value) = sample {
            for trend in &mut self.points[index].trends {
                trend.learn(taken.mono, value);
            }
        }
        for alarm in self.points[index].alarms.clone() {
            let Point {
                channel, trends, ..
            } = &self.points[index];
            let recent = &channel.recent;
            let own = &mut self.alarms[alarm];
            if own.watch.is_judged_apart() || own.count.is_some() {
                continue;
            }
            let zone = |sample: Sample| own.watch.zone_then(sample, trends, now.mono);
            match (own.phase, zone(sample)) {
                (Phase::Clearing { .. }, Zone::Beyond | Zone::Margin) => {
                    own.phase.hold();
                    self.judge_again(alarm, now);
                }
                (Phase::Idle | Phase::Pending { .. }, Zone::Beyond) => {
                    let delays = own.delays;
                    let lasted = delays.on.is_zero()
                        || own.was_about_to_clear(taken.wall)
                        || recent.lasted(taken.source, delays.on, delays.hold, zone);
                    if lasted && !own.was_added(taken.wall) {
                        self.add_excursion(index, alarm, sample, taken.wall, now);
                    }
                }
                (
                    Phase::Idle | Phase::Pending { .. } | Phase::Active | Phase::Clearing { .. },
                    _,
                ) => {}
            }
        }
    }

    /// The newest reading lies in `zone` and ends a raise on its way. Did the condition last for the
    /// whole on-delay by the times of the source, although the readings came out of order, or faster one
    /// after the other than they were taken? Then the value before the newest.
    pub(super) fn was_about_to(&self, point: usize, alarm: usize, zone: Zone) -> Option<Sample> {
        let own = &self.alarms[alarm];
        let ends = match (own.phase, zone, own.delays.hold) {
            (Phase::Pending { .. }, Zone::Inside, _)
            | (Phase::Pending { .. }, Zone::Margin, PendingHold::Limit) => true,
            (_, _, _) => false,
        };
        let recent = &self.points[point].channel.recent;
        let (before, newest) = recent.last_two().filter(|_| ends)?;
        let trends = &self.points[point].trends;
        let zone = |sample: Sample| own.watch.zone_then(sample, trends, self.now.mono);
        recent
            .lasted(newest, own.delays.on, own.delays.hold, zone)
            .then_some(before)
    }

    /// A raise that a reading in order would have brought; then the present is judged again.
    pub(super) fn add_excursion(
        &mut self,
        point: usize,
        alarm: usize,
        sample: Sample,
        taken: Wall,
        now: Moment,
    ) {
        // The event tells the value that led to it.
        let shown = self.points[point].channel.sample.replace(sample);
        self.alarms[alarm].phase = Phase::Active;
        self.confirm(alarm, Confirmed::Raise, now);
        self.alarms[alarm].seen_at(taken, Confirmed::Raise);
        self.alarms[alarm].mark_added();
        self.points[point].channel.sample = shown;
        // A value that only holds is no evidence that it is over.
        if self.points[point].channel.aside.is_none() {
            self.judge_again(alarm, now);
        }
    }
}
