//! What windows hold over a restart (alarm-standards 1.7): the samples behind slopes and medians, and the
//! instants that are counted.
//!
//! The journal holds no readings: one commit for each would wear out the flash of a small board. So what
//! is kept is bounded by what it is worth:
//!
//! | window | kept | because |
//! |---|---|---|
//! | shorter than [`LASTING`] | never | filled again within minutes; a hole of a third of it, hardly longer than a restart, begins it anew anyway |
//! | up to [`LONG`] | at an orderly end | a planned restart takes seconds |
//! | longer | also at every eighth of it | a power cut costs an eighth, and a third is the longest hole that a window lives with. The slow heating of a heap would go unseen for most of a day otherwise |
//! | instants of a count | at every change | one that is lost is missed for ever, and nothing shows that |
//!
//! A window is kept in [`PIECES`] pieces at most, some 2 kB, and reaches the disk with a transaction that
//! happens anyway, a minute later at the latest; a count has one of its own ([`Memory::is_urgent`]). The time
//! of the restart is a hole: after too long a one the window begins anew. Nothing
//! is taken up when the clock does not go on from where it was, for then nobody knows how old it is, or
//! when the configuration says that the values of the point mean something else now, or come from another
//! instrument.
//!
//! **What is not known is told.** While more must be seen before there is a verdict the alarm is *learning*,
//! as everybody who looks at it sees; and the event of the gap before a start names those that are.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Engine;
use super::configured::{Kinship, kinship};
use super::effect::Effect;
use super::memory::{Content, Counted, Memory};
use super::rule::{RollingMedian, Watch};
use super::settings::Settings;
use super::snapshot::History;
use super::time::{Moment, Mono, spoken};
use super::trend::Trend;

/// A window of this length or longer is kept at an orderly end.
pub(super) const LASTING: Duration = Duration::from_secs(600);

/// One of this length or longer is kept while it is filled, too.
const LONG: Duration = Duration::from_secs(3_600);

/// So many times while it passes once.
const TIMES: u32 = 8;

/// Pieces of a window that are kept at most.
pub(super) const PIECES: usize = 64;

/// Names of alarms in a message at most; everybody sees the others where alarms are shown.
const NAMED: usize = 10;

/// Is it time to keep a window again?
pub(super) fn is_due(window: Duration, last: Mono, now: Mono) -> bool {
    window >= LONG && now.since(last) >= window / TIMES
}

impl Engine {
    /// Fills windows with what is remembered, as far as that may be used.
    pub(super) fn refill(&mut self, settings: &Settings, history: &History) {
        let now = self.now;
        if !self.trusts_clock(history) {
            return;
        }
        // What is kept with a time that is still to come was kept by a clock that was set back since.
        let known = history.memories.iter();
        let known = known.filter(|memory| memory.at <= now.wall);
        let known: BTreeMap<&str, &Memory> = known.map(|memory| (&*memory.alarm, memory)).collect();
        for point in 0..self.points.len() {
            if kinship(&settings.points[point], settings, history) != Kinship::Same {
                continue;
            }
            for trend in 0..self.points[point].trends.len() {
                let name = self.name_of_slope(point, trend);
                if let Some(memory) = name.and_then(|name| known.get(&*name)) {
                    let own = &mut self.points[point].trends[trend];
                    own.restore(&memory.content, now.nanos_of(memory.at), now.mono);
                }
            }
            for alarm in self.points[point].alarms.clone() {
                let own = &mut self.alarms[alarm];
                if let Watch::Deviation(deviation) = &mut own.watch
                    && let Some(usual) = deviation.usual_mut()
                    && let Some(memory) = known.get(&*format!("{}/usual", own.id))
                {
                    usual.restore(&memory.content, now.nanos_of(memory.at), now.mono);
                }
                if let Some(count) = &mut own.count
                    && let Some(memory) = known.get(&*format!("{}/count", own.id))
                    && let Content::Count { counted } = &memory.content
                {
                    count.restore(counted, now);
                }
            }
        }
    }

    /// Everything that is worth it is kept, whether its turn has come or not.
    pub(super) fn remember_everything(&mut self, now: Moment) {
        for alarm in 0..self.alarms.len() {
            self.remember_exposure(alarm, now);
            let counted = self.alarms[alarm].count.as_mut();
            if let Some(counted) = counted.map(|count| count.remember(now)) {
                self.keep_count(alarm, counted, now);
            }
        }
        for point in 0..self.points.len() {
            for trend in 0..self.points[point].trends.len() {
                self.remember_slope(point, trend, now);
            }
            for alarm in self.points[point].alarms.clone() {
                self.remember_usual(alarm, now);
            }
        }
    }

    /// A good sample went into the windows of a point: those whose turn it is are kept.
    pub(super) fn remember_slopes(&mut self, point: usize, now: Moment) {
        for trend in 0..self.points[point].trends.len() {
            if self.points[point].trends[trend].is_memory_due(now.mono) {
                self.remember_slope(point, trend, now);
            }
        }
    }

    /// What an alarm counts is kept when it changes.
    pub(super) fn remember_count(&mut self, alarm: usize, now: Moment) {
        let count = self.alarms[alarm].count.as_mut();
        let count = count.filter(|count| count.has_changed());
        if let Some(counted) = count.map(|count| count.remember(now)) {
            self.keep_count(alarm, counted, now);
        }
    }

    fn keep_count(&mut self, alarm: usize, counted: Counted, now: Moment) {
        let name = format!("{}/count", self.alarms[alarm].id).into();
        self.keep(name, Content::Count { counted }, now);
    }

    fn remember_slope(&mut self, point: usize, trend: usize, now: Moment) {
        let name = self.name_of_slope(point, trend);
        let content = self.points[point].trends[trend].remember(now.mono);
        if let (Some(name), Some(content)) = (name, content) {
            self.keep(name, content, now);
        }
    }

    /// What is usual of the value of an alarm is kept, if it is measured from that.
    pub(super) fn remember_usual(&mut self, alarm: usize, now: Moment) {
        let own = &mut self.alarms[alarm];
        if let Watch::Deviation(deviation) = &mut own.watch
            && let Some(content) = deviation
                .usual_mut()
                .and_then(|usual| usual.remember(now.mono))
        {
            let name = format!("{}/usual", own.id).into();
            self.keep(name, content, now);
        }
    }

    fn keep(&mut self, name: Arc<str>, content: Content, now: Moment) {
        self.effects.push_back(Effect::Remember(Box::new(Memory {
            alarm: name,
            at: now.wall,
            content,
        })));
    }

    /// By the first alarm that looks through it; none looks through one of no use.
    fn name_of_slope(&self, point: usize, trend: usize) -> Option<Arc<str>> {
        let mut own = self.alarms[self.points[point].alarms.clone()].iter();
        let own = own.find(|alarm| alarm.watch.trend() == Some(trend))?;
        Some(format!("{}/slope", own.id).into())
    }

    /// Must more be seen before an alarm has a verdict, however good the values are?
    pub(super) fn is_learning(&self, alarm: usize, now: Mono) -> bool {
        match self.looks_through(alarm) {
            Some(Through::Slope(trend)) => trend.line(now).is_none(),
            Some(Through::Usual(usual)) => usual.get(now).is_none(),
            None => false,
        }
    }

    /// Alarms of which nothing is known at a start, and how long each must look before it has a verdict.
    pub(super) fn told_of_learning(&self) -> Option<String> {
        let (mut names, mut count) = (Vec::new(), 0_usize);
        for (index, alarm) in self.alarms.iter().enumerate() {
            let span = match self.looks_through(index) {
                Some(Through::Slope(trend)) if trend.is_empty() => trend.min_span(),
                Some(Through::Usual(usual)) if usual.is_empty() => usual.min_span(),
                Some(Through::Slope(_) | Through::Usual(_)) | None => continue,
            };
            count += 1;
            if names.len() < NAMED {
                names.push(format!("{} ({})", alarm.id, spoken(span.as_secs_f64())));
            }
        }
        let more = if count > names.len() { ", ..." } else { "" };
        let names = names.join(", ");
        (count > 0)
            .then(|| format!("{count} without a verdict before enough is seen: {names}{more}"))
    }

    fn looks_through(&self, alarm: usize) -> Option<Through<'_>> {
        let watch = &self.alarms[alarm].watch;
        if let Watch::Deviation(deviation) = watch {
            return deviation.usual().map(Through::Usual);
        }
        let trend = watch.trend()?;
        let trends = &self.points[self.point_of(alarm)].trends;
        trends.get(trend).map(Through::Slope)
    }
}

/// What an alarm sees its values through.
enum Through<'e> {
    Slope(&'e Trend),
    Usual(&'e RollingMedian),
}
