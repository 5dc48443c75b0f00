//! Excursions in delayed data (alarm-standards 2.23).
//!
//! ```text
//!  late readings ─▶ rule, delays ─▶ an excursion that is over ─▶ one closed occurrence, `late`
//!                   in event time
//! ```
//!
//! What a source kept while nobody could hear it is history: it changes nothing of the present, and is
//! judged beside it by a second set of the same rules and delays, whose clock is the source's. An
//! excursion found there is told once, with its true times, when it is over. It is never active: nobody
//! is paged, but somebody must see it.
//!
//! **Is it new?** An alarm that was active at the time of the first late reading is in the known
//! excursion until a late value is inside.
//!
//! **Order.** Readings that come in the order of their times are judged as they come. If one is older
//! than those before it, nothing more is told until [`SETTLE`] has passed, or the buffer of [`SAMPLES`] is
//! full; then all of them are judged in order. Those that were judged leave a full buffer, the oldest
//! first; what is older than all in it comes too late to be put in order.
//!
//! **Open ends.** An excursion that late data do not end is told after [`SETTLE`], as long as it was
//! seen.

use std::collections::VecDeque;
use std::time::Duration;

use super::agenda::Timer;
use super::delay::{Confirmed, Delays, Phase, Zone};
use super::effect::{Cause, Details, Effect, Event, EventKind};
use super::reading::{Quality, Sample};
use super::rule::{Company, Look, Watch};
use super::time::{Moment, Mono, Wall};
use super::trend::Trend;
use super::{Engine, timer_index};

/// So long after the first late reading everything is told; what comes later begins anew.
const SETTLE: Duration = Duration::from_secs(10);

/// Late readings that are kept to be put in order, per point.
const SAMPLES: usize = 256;

/// Excursions of one alarm that are remembered, so that none is told twice.
const TOLD: usize = 16;

/// The delayed data of one point, while they come.
#[derive(Debug)]
pub(super) struct Track {
    /// In the order of their times.
    samples: VecDeque<(Wall, Sample)>,
    /// Did one come that was older than those before it?
    shuffled: bool,
    judges: Vec<Judge>,
    /// When the newest late reading came.
    heard: Mono,
}

/// One alarm's rule over delayed data.
#[derive(Debug)]
struct Judge {
    alarm: usize,
    watch: Watch,
    /// Of a rule about slopes: the windows of its point, over the delayed data.
    trends: Vec<Trend>,
    delays: Delays,
    phase: Phase,
    /// The last reading.
    last: Option<Wall>,
    /// The last value.
    value: f64,
    /// What is under way; absent while the alarm knows it already.
    open: Option<Excursion>,
    /// What was told, from when to when.
    told: VecDeque<(Wall, Wall)>,
}

/// A time in which the condition was true.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Excursion {
    pub(super) from: Wall,
    pub(super) to: Wall,
    /// The value that led to it.
    pub(super) value: f64,
    pub(super) peak: f64,
}

impl Engine {
    /// A late reading, taken at `source` as far as the gateway's clock goes.
    pub(super) fn judge_late(&mut self, index: usize, sample: Sample, source: Wall, now: Moment) {
        let mut track = match self.points[index].late.take() {
            Some(track) => track,
            None => {
                let due = now.mono + SETTLE;
                self.agenda.push(due, Timer::Late(timer_index(index)));
                Box::new(Track {
                    samples: VecDeque::new(),
                    shuffled: false,
                    judges: self.judges(index, source),
                    heard: now.mono,
                })
            }
        };
        track.heard = now.mono;
        let fits = self.make_room(index, &mut track, source, now);
        if fits && track.take(source, sample) && !track.shuffled {
            let silence = self.points[index].stale_after;
            let mut judges = std::mem::take(&mut track.judges);
            for judge in &mut judges {
                if let Some(excursion) = judge.feed(source, sample, silence) {
                    self.tell_late(judge, excursion, now);
                }
            }
            track.judges = judges;
        }
        self.points[index].late = Some(track);
    }

    /// Sees to it that a sample taken at `source` fits in; says whether it does. One by one where they are
    /// judged as they come; all at once where they must be judged for that, so that it is not done anew
    /// for each.
    fn make_room(&mut self, index: usize, track: &mut Track, source: Wall, now: Moment) -> bool {
        if track.samples.len() < SAMPLES {
            return true;
        }
        if track.shuffled {
            self.judge_anew(index, track, now);
            track.samples.drain(..SAMPLES - 1);
            return true;
        }
        let oldest = track.samples.front().map(|(time, _)| *time);
        if oldest.is_some_and(|oldest| source < oldest) {
            return false;
        }
        track.samples.pop_front();
        true
    }

    /// Everything that came late is told by now.
    pub(super) fn settle_late(&mut self, index: usize, now: Moment) {
        let Some(mut track) = self.points[index].late.take() else {
            return;
        };
        if track.shuffled {
            self.judge_anew(index, &mut track, now);
        }
        for judge in &mut track.judges {
            if let Some(excursion) = judge.open.take() {
                self.tell_late(judge, excursion, now);
            }
        }
        let due = track.heard + SETTLE;
        if due > now.mono {
            self.agenda.push(due, Timer::Late(timer_index(index)));
            self.points[index].late = Some(track);
        }
    }

    /// Judges everything that is kept in order, from its beginning.
    fn judge_anew(&mut self, index: usize, track: &mut Track, now: Moment) {
        let Some((first, _)) = track.samples.front().copied() else {
            return;
        };
        let silence = self.points[index].stale_after;
        let before = std::mem::replace(&mut track.judges, self.judges(index, first));
        for (judge, mut before) in track.judges.iter_mut().zip(before) {
            // What began before the oldest that is still there would be forgotten.
            if let Some(open) = before.open.take().filter(|open| open.from < first) {
                self.tell_late(&mut before, open, now);
            }
            judge.told = before.told;
            for (time, sample) in &track.samples {
                if let Some(excursion) = judge.feed(*time, *sample, silence) {
                    self.tell_late(judge, excursion, now);
                }
            }
        }
        track.shuffled = false;
    }

    /// A judge for each alarm of a point that can look back, as things stood at `from`.
    fn judges(&self, point: usize, from: Wall) -> Vec<Judge> {
        let alarms = self.points[point].alarms.clone();
        let judges = alarms.filter_map(|index| {
            let alarm = &self.alarms[index];
            if alarm.count.is_some() {
                return None;
            }
            Some(Judge {
                alarm: index,
                watch: alarm.watch.anew()?,
                trends: if matches!(alarm.watch, Watch::Rate(_)) {
                    self.points[point].trends.iter().map(Trend::anew).collect()
                } else {
                    Vec::new()
                },
                delays: alarm.delays,
                phase: if alarm.was_active(from) {
                    Phase::Active
                } else {
                    Phase::Idle
                },
                last: None,
                value: 0.0,
                open: None,
                told: VecDeque::new(),
            })
        });
        judges.collect()
    }

    /// One occurrence, over before it was known.
    fn tell_late(&mut self, judge: &mut Judge, excursion: Excursion, now: Moment) {
        let overlaps = |told: &(Wall, Wall)| excursion.from <= told.1 && told.0 <= excursion.to;
        if judge.told.iter().any(overlaps) {
            return;
        }
        if judge.told.len() == TOLD {
            judge.told.pop_front();
        }
        judge.told.push_back((excursion.from, excursion.to));
        let (occurrence, state, left) = self.alarms[judge.alarm].add_late(&excursion, now);
        let mut subject = self.subject(judge.alarm, now);
        subject.occurrence = occurrence;
        subject.first_out = false;
        subject.state = state;
        subject.value = Some(excursion.value);
        subject.quality = Quality::Good;
        subject.annunciated = false;
        let lasted = excursion.to.seconds_since(excursion.from);
        let details = Details {
            late: true,
            raised_at: Some(excursion.from),
            cleared_at: Some(excursion.to),
            duration_s: Some((lasted * 1000.0).round() / 1000.0),
            peak: Some(excursion.peak),
            left_unconfirmed: left,
            message: Some("found in delayed data; it is over".to_owned()),
            ..Details::default()
        };
        self.effects.push_back(Effect::Event(Box::new(Event {
            at: now,
            kind: EventKind::Raised,
            subject: Some(subject),
            cause: Cause::Process,
            details,
            record: Some(self.alarms[judge.alarm].record(now.mono)),
            others: Vec::new(),
        })));
        self.make_way(judge.alarm, now);
    }
}

impl Track {
    /// Takes a sample in; `false` when it is there already.
    fn take(&mut self, time: Wall, sample: Sample) -> bool {
        let at = self.samples.partition_point(|(known, _)| *known <= time);
        let equal = self.samples.iter().take(at).rev();
        let mut equal = equal.take_while(|(known, _)| *known == time);
        if equal.any(|(_, known)| *known == sample) {
            return false;
        }
        self.shuffled |= at < self.samples.len();
        self.samples.insert(at, (time, sample));
        true
    }
}

impl Judge {
    /// The next sample in order. What is over with it, if it was not known.
    fn feed(&mut self, time: Wall, sample: Sample, silence: Option<Duration>) -> Option<Excursion> {
        let mut found = None;
        // A value holds until the next one, but not longer than until it is stale.
        if let (Some(last), Some(silence)) = (self.last, silence)
            && last + silence < time
        {
            found = self.pass(last + silence);
            self.phase
                .judge(Zone::Unknown, self.delays, mono(last + silence));
        }
        found = found.or_else(|| self.pass(time));
        self.last = Some(time);
        let at = mono(time);
        if let Sample::Good(value) = sample {
            for trend in &mut self.trends {
                trend.learn(at, value);
            }
        }
        let zone = match sample.value() {
            Some(value) => {
                self.value = value.get();
                let look = Look {
                    value,
                    sample,
                    taken: Some(at),
                    until: Mono::NEVER,
                    now: at,
                    held: false,
                };
                self.watch.learn(&look);
                self.watch.zone(&look, &self.trends, Company::default())
            }
            None => Zone::Unknown,
        };
        let confirmed = self.phase.judge(zone, self.delays, mono(time));
        let ended = self.conclude(confirmed, time);
        if let Some(open) = &mut self.open {
            open.follow(time, self.value, &self.watch);
        }
        found.or(ended)
    }

    /// Lets time pass up to just before `to`.
    fn pass(&mut self, to: Wall) -> Option<Excursion> {
        let (due, _) = self.phase.timer(0).filter(|(due, _)| *due < mono(to))?;
        let at = Wall::from_unix_nanos(i64::try_from(due.as_nanos()).unwrap_or(i64::MAX));
        let confirmed = self.phase.expire(due);
        self.conclude(confirmed, at)
    }

    fn conclude(&mut self, confirmed: Option<Confirmed>, at: Wall) -> Option<Excursion> {
        match confirmed? {
            Confirmed::Raise => {
                self.open = Some(Excursion {
                    from: at,
                    to: at,
                    value: self.value,
                    peak: self.value,
                });
                None
            }
            Confirmed::Clear => {
                let open = self.open.take()?;
                Some(Excursion { to: at, ..open })
            }
        }
    }
}

impl Excursion {
    fn follow(&mut self, time: Wall, value: f64, watch: &Watch) {
        self.to = time;
        self.peak = match watch.rises() {
            Some(true) => self.peak.max(value),
            Some(false) => self.peak.min(value),
            None => self.peak,
        };
    }
}

/// A time of a source on the scale of delays: no time before 2020 comes here.
fn mono(time: Wall) -> Mono {
    Mono::from_nanos(u64::try_from(time.unix_nanos()).unwrap_or_default())
}
