//! One alarm at run time: its rule, how far its condition is confirmed, and the episode it is in.

mod recognition;
mod told;

use std::sync::Arc;
use std::time::Duration;

use super::alarm::{AlarmState, Standing, Traits};
use super::annunciation;
use super::configured::Former;
use super::confirm::Confirmation;
use super::count::Count;
use super::delay::{Confirmed, Delays, Phase};
use super::late::Excursion;
use super::overlay::{Cover, Overlays, Term};
use super::reading::Finite;
use super::recurrence::{CHATTER_RAISES, CHATTER_WINDOW, Instants};
use super::report::six_digits;
use super::rule::Watch;
use super::settings::{AlarmKind, AlarmSettings, Priority};
use super::snapshot::{Acknowledgement, AlarmRecord, OpenOccurrence, RecognisedOccurrence};
use super::time::{Moment, Mono, Wall};

/// Older occurrences that may wait for an acknowledgement, per alarm. When more pile up, the oldest
/// leaves this list; its events stay in the journal.
const OPEN_OCCURRENCES: usize = 32;

/// A reading that raised an alarm was taken no longer before than this.
const LATE: Duration = Duration::from_secs(10);

/// What every reading touches. Kept small: a point's alarms lie together.
#[derive(Debug)]
pub(super) struct Alarm {
    pub(super) id: Arc<str>,
    pub(super) kind: AlarmKind,
    pub(super) watch: Watch,
    pub(super) delays: Delays,
    /// How far its condition is confirmed; of one that counts, that there were enough.
    pub(super) phase: Phase,
    /// How often the condition became true, if that is counted.
    pub(super) count: Option<Box<Count>>,
    /// Is it judged after the other alarms of its point, because one of them may silence it?
    pub(super) waits: bool,
    /// Is there an entry of this alarm's delay in the agenda?
    pub(super) armed: bool,
    pub(super) state: AlarmState,
    pub(super) traits: Traits,
    /// As configured.
    pub(super) floor: Priority,
    pub(super) inherits: bool,
    pub(super) realarm_after: Option<Duration>,
    pub(super) highly_managed: bool,
    /// Does a reset take a confirmation, and what is over one, too?
    pub(super) confirm_required: bool,
    /// Of the newest occurrence.
    pub(super) priority: Priority,
    /// Absent before the first occurrence.
    pub(super) episode: Option<Box<Episode>>,
    /// The highest number given to an occurrence; late ones have theirs, too.
    numbered: u64,
    /// What lies over it; absent when nothing does.
    pub(super) cover: Option<Box<Cover>>,
    /// When the agenda wakes for the next end of what lies over it; [`Mono::NEVER`]: it does not.
    pub(super) attention: Mono,
}

/// The newest occurrence, and older ones that nobody has acknowledged.
#[derive(Debug, Default)]
pub(super) struct Episode {
    pub(super) occurrence: u64,
    pub(super) raised_at: Option<Wall>,
    /// Its newest call for attention; absent of what an older version raised.
    pub(super) annunciation: Option<u64>,
    /// Absent when it was raised before this start.
    raised_mono: Option<Mono>,
    cleared_at: Option<Wall>,
    /// When the condition began and ended by the clock of the source, as far as readings have one.
    seen: (Option<Wall>, Option<Wall>),
    /// Did a reading out of order raise it?
    added: bool,
    pub(super) acknowledged: Option<Acknowledgement>,
    /// Absent when nobody asked for a confirmation, or gave one.
    pub(super) confirmation: Option<Box<Confirmation>>,
    /// How long the acknowledgement stands while the alarm is active; absent when for ever.
    pub(super) promise: Option<Term>,
    /// Did it come first in its group?
    pub(super) first_out: bool,
    /// Who freed its group since it was raised, if anybody did.
    pub(super) released: Option<Acknowledgement>,
    /// What raised it, if the present rule is another and no good value was judged by that yet.
    pub(super) former: Option<Former>,
    /// Did a rule raise it that cannot be asked any more, and has the present one not found it true yet?
    pub(super) unproven: bool,
    pub(super) peak: Option<f64>,
    pub(super) value: Option<f64>,
    pub(super) unacknowledged: Vec<OpenOccurrence>,
    /// Older ones of which it is remembered who recognised them, in the order of that.
    pub(super) recognised: Vec<RecognisedOccurrence>,
    /// The newest raises that were annunciated; absent before the first of this run.
    raises: Option<Instants>,
}

impl Episode {
    /// Keeps an older occurrence that nobody has acknowledged.
    fn leave_open(&mut self, older: OpenOccurrence) {
        if self.unacknowledged.len() == OPEN_OCCURRENCES {
            self.unacknowledged.remove(0);
        }
        self.unacknowledged.push(older);
    }
}

impl Alarm {
    pub(super) fn new(point: &str, settings: &AlarmSettings) -> Self {
        let kind = settings.kind();
        Self {
            id: format!("{point}/{}", kind.name()).into(),
            kind,
            watch: Watch::new(settings.rule),
            delays: Delays {
                on: settings.on_delay,
                off: settings.off_delay,
                hold: settings.pending_hold,
            },
            phase: Phase::default(),
            count: settings.count.map(|rule| Box::new(Count::new(rule))),
            waits: false,
            armed: false,
            state: AlarmState::Normal,
            traits: Traits {
                latching: settings.latching,
                ack_required: settings.ack_required,
            },
            floor: settings.priority,
            inherits: settings.inherit_priority,
            realarm_after: settings.realarm_after,
            highly_managed: settings.highly_managed,
            confirm_required: settings.confirm_required,
            priority: settings.priority,
            episode: None,
            numbered: 0,
            cover: None,
            attention: Mono::NEVER,
        }
    }

    /// Takes up the life before this one.
    pub(super) fn restore(&mut self, record: &AlarmRecord) {
        self.state = record.state;
        if record.state.is_active() {
            self.resume_active();
        }
        if let (Some(priority), false) = (record.priority, record.state == AlarmState::Normal) {
            self.priority = priority;
        }
        self.episode = Some(Box::new(Episode {
            occurrence: record.occurrence,
            raised_at: record.raised_at,
            annunciation: record.annunciation,
            raised_mono: None,
            cleared_at: record.cleared_at,
            // The readings that led to it were taken a little earlier.
            seen: (record.raised_at.map(|at| at - LATE), record.cleared_at),
            added: false,
            acknowledged: record.acknowledged.clone(),
            confirmation: record.confirmation.clone(),
            promise: record.promise,
            first_out: record.first_out,
            released: record.released.clone(),
            former: None,
            unproven: false,
            peak: record.peak,
            value: record.value,
            unacknowledged: record.unacknowledged.clone(),
            recognised: record.recognised.clone(),
            // Counted anew, as delays are.
            raises: None,
        }));
        let open = record.unacknowledged.iter().map(|open| open.occurrence);
        let given = open.chain(record.numbered).chain([record.occurrence]);
        self.numbered = given.max().unwrap_or_default();
        self.cover = record.cover.clone();
    }

    /// Its state, and what lies over it.
    pub(super) fn standing(&self) -> Standing {
        Standing {
            state: self.state,
            overlays: self.overlays(),
        }
    }

    /// What lies over it.
    pub(super) fn overlays(&self) -> Overlays {
        self.cover
            .as_ref()
            .map_or_else(Overlays::default, |cover| cover.overlays())
    }

    /// Number of the newest occurrence; 0 before the first.
    pub(super) fn occurrence(&self) -> u64 {
        self.episode
            .as_ref()
            .map_or(0, |episode| episode.occurrence)
    }

    /// Begins a new occurrence. One that nobody acknowledged stays open beside it. `inherited` is
    /// the highest priority among the point's hazards in sight. Gives an older one that from now on nobody
    /// can confirm any more although it was to be.
    pub(super) fn begin(
        &mut self,
        now: Moment,
        value: Option<f64>,
        inherited: Option<Priority>,
    ) -> Option<u64> {
        let left = self.follow_on(Episode {
            raised_at: Some(now.wall),
            annunciation: Some(annunciation::next(None, now.wall)),
            raised_mono: Some(now.mono),
            peak: value,
            value,
            ..Episode::default()
        });
        self.priority = match inherited {
            Some(inherited) if self.inherits => self.floor.max(inherited),
            Some(_) | None => self.floor,
        };
        let annunciated = self.overlays().is_empty();
        if let (Some(episode), true) = (&mut self.episode, annunciated) {
            let raises = episode.raises.take();
            let mut raises = raises.unwrap_or_else(|| Instants::new(CHATTER_RAISES));
            raises.note(now.mono);
            episode.raises = Some(raises);
        }
        left
    }

    /// Does it keep coming and going (alarm-standards 1.5.12)? Raises beneath an overlay alert nobody and
    /// are not counted.
    pub(super) fn is_chattering(&self, now: Mono) -> bool {
        let raises = self
            .episode
            .as_ref()
            .and_then(|episode| episode.raises.as_ref());
        raises.is_some_and(|raises| raises.are_within(CHATTER_WINDOW, now))
    }

    /// The next occurrence takes the place of the newest. One that nobody acknowledged stays open
    /// beside it. Gives what leaves unconfirmed.
    fn follow_on(&mut self, next: Episode) -> Option<u64> {
        let unattended = self.state.is_unacknowledged();
        let episode = self.episode.get_or_insert_default();
        if let Some(acknowledged) = episode.acknowledged.take() {
            episode.remember(episode.occurrence, acknowledged);
        }
        if let (true, Some(raised_at)) = (unattended, episode.raised_at) {
            let occurrence = episode.occurrence;
            let annunciation = episode.annunciation;
            episode.leave_open(OpenOccurrence {
                occurrence,
                raised_at,
                annunciation,
            });
        }
        self.numbered += 1;
        let mut confirmation = episode.confirmation.take();
        let left =
            Confirmation::follow_on(&mut confirmation, episode.occurrence, self.confirm_required);
        **episode = Episode {
            occurrence: self.numbered,
            confirmation,
            unacknowledged: std::mem::take(&mut episode.unacknowledged),
            recognised: std::mem::take(&mut episode.recognised),
            raises: episode.raises.take(),
            ..next
        };
        left
    }

    /// An occurrence that was over before it was known; its number, its state, and what leaves unconfirmed
    /// with it. It takes the place of the newest unless that one still needs it: while it is active, or
    /// latched.
    pub(super) fn add_late(
        &mut self,
        found: &Excursion,
        now: Moment,
    ) -> (u64, AlarmState, Option<u64>) {
        let state = if self.traits.ack_required {
            AlarmState::ReturnedUnacknowledged
        } else {
            AlarmState::Normal
        };
        if !matches!(
            self.state,
            AlarmState::Normal | AlarmState::ReturnedUnacknowledged
        ) {
            self.numbered += 1;
            let occurrence = self.numbered;
            let episode = self.episode.get_or_insert_default();
            if self.traits.ack_required {
                episode.leave_open(OpenOccurrence {
                    occurrence,
                    raised_at: found.from,
                    annunciation: Some(annunciation::next(None, now.wall)),
                });
            }
            let left = self.confirm_required.then(|| {
                let confirmation = episode.confirmation.get_or_insert_default();
                confirmation.put_behind(occurrence, None)
            });
            return (occurrence, state, left.flatten());
        }
        let left = self.follow_on(Episode {
            raised_at: Some(found.from),
            annunciation: Some(annunciation::next(None, now.wall)),
            cleared_at: Some(found.to),
            seen: (Some(found.from), Some(found.to)),
            peak: Some(found.peak),
            value: Some(found.value),
            ..Episode::default()
        });
        self.priority = self.floor;
        self.state = state;
        if state == AlarmState::Normal {
            self.acknowledge("system", now);
        }
        (self.numbered, state, left)
    }

    /// The condition was confirmed, or confirmed gone, by a value taken at `time`.
    pub(super) fn seen_at(&mut self, time: Wall, confirmed: Confirmed) {
        if let Some(episode) = self.episode.as_mut() {
            match confirmed {
                Confirmed::Raise => episode.seen = (Some(time - self.delays.on), None),
                Confirmed::Clear => episode.seen.1 = Some(time - self.delays.off),
            }
        }
    }

    /// A reading out of order raised the newest occurrence.
    pub(super) fn mark_added(&mut self) {
        if let Some(episode) = self.episode.as_mut() {
            episode.added = true;
        }
    }

    /// Did a reading out of order raise the newest occurrence, and did that end only after `time` of
    /// the source? One is enough for all that come behind it.
    pub(super) fn was_added(&self, time: Wall) -> bool {
        self.episode.as_ref().is_some_and(|episode| {
            episode.added && episode.seen.1.is_some_and(|ended| time < ended)
        })
    }

    /// Did `time` of the source lie within the off-delay that ended the newest occurrence?
    pub(super) fn was_about_to_clear(&self, time: Wall) -> bool {
        let ended = self.episode.as_ref().and_then(|episode| episode.seen.1);
        ended.is_some_and(|ended| ended <= time && time <= ended + self.delays.off)
    }

    /// Is it known that the condition was true at `time` of the source?
    pub(super) fn was_active(&self, time: Wall) -> bool {
        let seen = self.episode.as_ref().map(|episode| episode.seen);
        let Some((Some(from), to)) = seen else {
            return false;
        };
        from <= time && (self.phase.in_alarm() || to.is_some_and(|to| time < to))
    }

    /// The condition ended; says how long it lasted, in seconds. By the monotonic clock when the
    /// whole occurrence was seen, else by the wall clock; that says nothing when it was set back behind
    /// the raise while nobody looked.
    pub(super) fn end(&mut self, now: Moment) -> Option<f64> {
        let episode = self.episode.as_mut()?;
        episode.cleared_at = Some(now.wall);
        episode.promise = None;
        match (episode.raised_mono, episode.raised_at) {
            (Some(raised), _) => Some(now.mono.since(raised).as_secs_f64()),
            (None, Some(raised)) => Some(now.wall.seconds_since(raised)).filter(|s| *s >= 0.0),
            (None, None) => None,
        }
    }

    /// Takes a value while the condition is true.
    pub(super) fn follow(&mut self, value: Finite) {
        let Some(rising) = self.watch.rises() else {
            return;
        };
        self.note(value.get(), rising);
    }

    /// Takes the average while the condition is true, if the alarm is about one.
    pub(super) fn follow_exposure(&mut self, now: Mono) {
        if let Watch::Exposure(exposure) = &self.watch
            && let Some(exposed) = exposure.average(now)
        {
            self.note(six_digits(exposed.lower), true);
        }
    }

    fn note(&mut self, value: f64, rising: bool) {
        if let Some(episode) = self.episode.as_mut() {
            episode.value = Some(value);
            let peak = episode.peak.unwrap_or(value);
            episode.peak = Some(if rising {
                peak.max(value)
            } else {
                peak.min(value)
            });
        }
    }
}

/// Point and kind of a stored alarm id, for alarms that are no longer configured.
pub(super) fn split_id(alarm: &str) -> (&str, &str) {
    alarm.rsplit_once('/').unwrap_or((alarm, ""))
}
