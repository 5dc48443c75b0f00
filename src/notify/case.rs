//! One alarm, as far as telling people of it goes: the escalation that runs, what is over, what is
//! held back. [`Case::record`] is its durable form, [`Case::restore`] the way back.

use std::collections::BTreeSet;
use std::sync::Arc;
use std::time::Duration;

use super::Present;
use super::channels::StepTold;
use super::connection::{Quiet, Under};
use super::settings::{NotifySettings, Policy};
use super::since::Since;
use crate::engine::alarm::AlarmState;
use crate::engine::notice::{
    ChatterRecord, LadderRecord, LateRecord, Notice, NoticeRecord, OverRecord, Partial, Told,
};
use crate::engine::settings::Priority;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Moment, Mono, Wall};

/// What is known of one alarm.
#[derive(Debug, Default)]
pub(super) struct Case {
    pub(super) standing: Standing,
    pub(super) ladder: Option<Ladder>,
    pub(super) over: Option<Over>,
    pub(super) chatter: Option<Chatter>,
    pub(super) late: Option<Late>,
    /// Alarms that were grouped under this one; some of them may be no more.
    pub(super) members: BTreeSet<Arc<str>>,
    /// How long it has not spoken for them.
    pub(super) quiet: Quiet,
    /// Its entry in the agenda.
    pub(super) scheduled: Option<Mono>,
}

/// How the alarm stands, as of its last event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Standing {
    /// The condition is true.
    pub(super) active: bool,
    /// The condition is gone, and the alarm waits for its reset.
    pub(super) latched: bool,
    /// Something lies over it: nobody is told.
    pub(super) covered: bool,
}

impl Standing {
    pub(super) fn of(record: &AlarmRecord) -> Self {
        Self {
            active: record.state.is_active(),
            latched: matches!(
                record.state,
                AlarmState::LatchedUnacknowledged | AlarmState::LatchedAcknowledged
            ),
            covered: !record.overlays().is_empty(),
        }
    }
}

/// The escalation of one occurrence since its last annunciation.
#[derive(Debug)]
pub(super) struct Ladder {
    pub(super) occurrence: u64,
    pub(super) began: Since,
    pub(super) priority: Priority,
    /// Steps below this number are done, but for those in `held` and `owed`.
    pub(super) steps: u16,
    /// What each step told last; after a restart, that of all before it.
    pub(super) steps_told: Vec<StepTold>,
    pub(super) partial: Option<Partial>,
    /// They wait in a group.
    pub(super) held: Vec<u16>,
    /// They were held or half told when the gateway stopped, and are due.
    pub(super) owed: Vec<u16>,
    pub(super) told: Vec<Told>,
    pub(super) told_at: Option<Since>,
    pub(super) reminded: Option<Since>,
    pub(super) muted: bool,
    pub(super) grouped: bool,
    /// It began with the end of an overlay, a re-alarm or a higher severity.
    pub(super) returned: bool,
    /// Another alarm tells of it: no step is done.
    pub(super) under: Option<Under>,
    /// The alarm that told of it before.
    pub(super) left: Option<Arc<str>>,
    /// Unacknowledged, active, and nothing lies over it.
    pub(super) running: bool,
    /// It began with a raise that is held back while the alarm chatters.
    pub(super) raised: bool,
    /// What its first step is told as: a page, or that the alarm chatters.
    pub(super) first: Notice,
    /// Then it is to be seen whether anybody has heard (`channels.rs`).
    pub(super) look: Option<Mono>,
    /// When it was last seen who is on call (`relief.rs`).
    pub(super) relief_seen: Mono,
}

/// People are to be told that an occurrence is over.
#[derive(Debug)]
pub(super) struct Over {
    pub(super) occurrence: u64,
    pub(super) priority: Priority,
    pub(super) told: Vec<Told>,
    pub(super) told_at: Since,
    pub(super) duration_s: Option<f64>,
    pub(super) peak: Option<f64>,
}

/// Repeated pages are held back since then.
#[derive(Debug, Clone, Copy)]
pub(super) struct Chatter {
    pub(super) since: Since,
    pub(super) held: u32,
    /// As told at the raise that began it.
    pub(super) priority: Priority,
}

/// Occurrences found in delayed data that people are to be told of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Late {
    pub(super) occurrence: u64,
    pub(super) count: u32,
    pub(super) priority: Priority,
    /// It waits in a group, and not for its own time.
    pub(super) waits: bool,
}

impl Ladder {
    /// A new annunciation. What people were told of the same occurrence is remembered.
    pub(super) fn begin(present: &Present, before: Option<Self>, now: Mono) -> Self {
        let occurrence = present.subject.occurrence;
        let before = before.filter(|before| before.occurrence == occurrence);
        let (told, told_at) =
            before.map_or((Vec::new(), None), |before| (before.told, before.told_at));
        Self {
            occurrence,
            began: Since::now(now),
            priority: present.subject.priority,
            steps: 0,
            steps_told: Vec::new(),
            partial: None,
            held: Vec::new(),
            owed: Vec::new(),
            told,
            told_at,
            reminded: None,
            muted: false,
            grouped: false,
            returned: false,
            under: None,
            left: None,
            running: true,
            raised: false,
            first: Notice::Page,
            look: None,
            relief_seen: now,
        }
    }

    /// Nobody is told any more. Pages that are held stay in the count of their summary.
    pub(super) fn stop(&mut self) {
        self.running = false;
        self.partial = None;
        self.owed.clear();
    }

    /// Does it run, and nobody else tell of it?
    pub(super) const fn climbs(&self) -> bool {
        self.running && self.under.is_none()
    }

    /// Is a step that is done still to be told?
    pub(super) const fn waits(&self) -> bool {
        self.muted || !self.held.is_empty() || !self.owed.is_empty()
    }

    /// Is it not yet time for this step?
    pub(super) fn is_early(&self, step: u16, policy: &Policy, now: Mono) -> bool {
        let step = policy.steps.get(usize::from(step));
        step.is_some_and(|step| self.began.plus(step.after) > now)
    }

    /// The next step that is due; `at_once`: whatever its time.
    pub(super) fn take_step(&mut self, policy: &Policy, at_once: bool, now: Mono) -> Option<u16> {
        if !self.climbs() {
            return None;
        }
        if !self.owed.is_empty() {
            return Some(self.owed.remove(0));
        }
        let step = self.steps;
        let left = usize::from(step) < policy.steps.len();
        if !left || !at_once && self.is_early(step, policy, now) {
            return None;
        }
        self.steps += 1;
        Some(step)
    }

    /// Should everybody be reminded?
    pub(super) fn needs_reminder(&self, policy: &Policy, now: Mono) -> bool {
        let due = self.reminded.map(|since| since.plus(policy.remind_every));
        self.climbs() && due.is_some_and(|due| due <= now)
    }

    fn due(&self, policy: &Policy) -> Option<Mono> {
        if !self.running {
            return None;
        }
        if let Some(under) = &self.under {
            return under.ends;
        }
        if !self.owed.is_empty() {
            return Some(Mono::ZERO);
        }
        let step = policy.steps.get(usize::from(self.steps));
        let step = step.map(|step| self.began.plus(step.after));
        let reminder = self.reminded.map(|since| since.plus(policy.remind_every));
        step.into_iter().chain(reminder).chain(self.look).min()
    }

    /// Was nobody told of this annunciation yet, or of this step not everybody?
    pub(super) fn is_news(&self, step: u16) -> bool {
        let half_told = self.partial.is_some_and(|partial| partial.step == step);
        self.reminded.is_none() || half_told
    }

    /// `told` was told just now.
    pub(super) fn remember(&mut self, told: &Told, now: Mono) {
        match self
            .told
            .iter_mut()
            .find(|known| known.output == told.output)
        {
            Some(known) => {
                let new = |person: &&Arc<str>| !known.persons.contains(person);
                let new: Vec<_> = told.persons.iter().filter(new).cloned().collect();
                known.persons.extend(new);
            }
            None => self.told.push(told.clone()),
        }
        self.told_at = Some(Since::now(now));
        self.reminded.get_or_insert(Since::now(now));
    }

    fn record(&self, at: Moment) -> LadderRecord {
        // A step in two lists at once would be told twice.
        let mut held = self.held.clone();
        held.extend(&self.owed);
        LadderRecord {
            occurrence: self.occurrence,
            began_at: self.began.wall(at),
            priority: self.priority,
            steps: self.steps,
            partial: self.partial,
            held,
            told: self.told.clone(),
            told_at: self.told_at.map(|since| since.wall(at)),
            reminded_at: self.reminded.map(|since| since.wall(at)),
            muted: self.muted,
            grouped: self.grouped,
            returned: self.returned,
            under: self.under.as_ref().map(|under| Arc::clone(&under.alarm)),
            quiet_s: (self.under.as_ref()).map_or(0.0, |under| under.joined.as_secs_f64()),
        }
    }

    fn restore(record: &LadderRecord, since: impl Fn(Wall) -> Since) -> Self {
        // What is half told comes first: only of one step it is known how far it had come.
        let half_told = record.partial.map(|partial| partial.step);
        let held = record.held.iter().copied();
        let held = held.filter(|step| Some(*step) != half_told);
        let owed = half_told.into_iter().chain(held).collect();
        let began = since(record.began_at);
        Self {
            occurrence: record.occurrence,
            began,
            priority: record.priority,
            steps: record.steps,
            steps_told: (0..record.steps)
                .map(|step| StepTold {
                    step,
                    at: began.seen(),
                    lines: None,
                })
                .collect(),
            partial: record.partial,
            held: Vec::new(),
            owed,
            told: record.told.clone(),
            told_at: record.told_at.map(&since),
            reminded: record.reminded_at.map(&since),
            muted: record.muted,
            grouped: record.grouped,
            returned: record.returned,
            under: Under::restore(record),
            left: None,
            running: false,
            raised: false,
            first: Notice::Page,
            look: None,
            relief_seen: Mono::ZERO,
        }
    }
}

impl Case {
    /// Takes up what the journal knows. `since` turns a wall time into a beginning.
    pub(super) fn restore(record: &AlarmRecord, since: impl Fn(Wall) -> Since) -> Self {
        let mut case = Self {
            standing: Standing::of(record),
            ..Self::default()
        };
        let Some(notices) = record.notices.as_deref() else {
            return case;
        };
        let priority = record.priority.unwrap_or(Priority::Low);
        case.ladder = notices.ladder.as_ref().map(|ladder| {
            let mut ladder = Ladder::restore(ladder, &since);
            ladder.running = record.state == AlarmState::Unacknowledged
                && !case.standing.covered
                && ladder.occurrence == record.occurrence;
            ladder
        });
        case.over = notices.over.as_ref().map(|over| Over {
            occurrence: over.occurrence,
            priority: over.priority,
            told: over.told.clone(),
            told_at: since(over.told_at),
            duration_s: over.duration_s,
            peak: over.peak,
        });
        case.chatter = notices.chatter.map(|chatter| Chatter {
            since: since(chatter.since),
            held: chatter.held,
            priority,
        });
        case.quiet =
            (notices.quiet).map_or_else(Quiet::default, |quiet| Quiet::restore(quiet, &since));
        case.late = notices.late.map(|late| Late {
            occurrence: late.occurrence,
            count: late.count,
            priority,
            waits: false,
        });
        case
    }

    /// Its durable form at `at`; `None` when there is nothing to remember.
    pub(super) fn record(&self, at: Moment) -> Option<Box<NoticeRecord>> {
        let record = NoticeRecord {
            ladder: self.ladder.as_ref().map(|ladder| ladder.record(at)),
            over: self.over.as_ref().map(|over| OverRecord {
                occurrence: over.occurrence,
                priority: over.priority,
                told: over.told.clone(),
                told_at: over.told_at.wall(at),
                duration_s: over.duration_s,
                peak: over.peak,
            }),
            chatter: self.chatter.map(|chatter| ChatterRecord {
                since: chatter.since.wall(at),
                held: chatter.held,
            }),
            late: self.late.map(|late| LateRecord {
                occurrence: late.occurrence,
                count: late.count,
            }),
            quiet: self.quiet_record(at),
        };
        (!record.is_empty()).then(|| Box::new(record))
    }

    /// When something is to be done, if ever.
    pub(super) fn due(&self, settings: &NotifySettings) -> Option<Mono> {
        let policy = |priority| settings.policy(priority);
        let ladder = self.ladder.as_ref();
        let relief = ladder.and_then(|ladder| ladder.relief_due(settings));
        let ladder = ladder.and_then(|ladder| ladder.due(policy(ladder.priority)?));
        let over = self.over.as_ref().filter(|_| self.is_over());
        let over = over.map(|over| over.due(policy(over.priority)));
        let chatter = self.chatter;
        let chatter = chatter.and_then(|chatter| Some(chatter.ends(policy(chatter.priority)?)));
        let late = self.late.filter(|late| !late.waits).map(|_| Mono::ZERO);
        let due = [ladder, relief, over, chatter, late];
        due.into_iter().flatten().min()
    }

    /// May people be told that it is over? Not while it is not: neither while a newer occurrence is
    /// active, nor before a latched alarm is reset.
    pub(super) const fn is_over(&self) -> bool {
        !self.standing.active && !self.standing.latched
    }

    /// Is the first page of the ladder one of those that are held back?
    pub(super) fn is_muted(&self, step: u16) -> bool {
        let muted = |ladder: &Ladder| ladder.raised && ladder.first == Notice::Page;
        step == 0 && self.chatter.is_some() && self.ladder.as_ref().is_some_and(muted)
    }

    /// The occurrence ended: whoever was told of it will be told.
    pub(super) fn end(&mut self, occurrence: u64, duration_s: Option<f64>, peak: Option<f64>) {
        let ladder = self
            .ladder
            .take_if(|ladder| ladder.occurrence == occurrence);
        let Some(mut ladder) = ladder else { return };
        ladder.stop();
        let told = std::mem::take(&mut ladder.told);
        if let (Some(told_at), false) = (ladder.told_at, told.is_empty()) {
            self.over = Some(Over {
                occurrence,
                priority: ladder.priority,
                told,
                told_at,
                duration_s,
                peak,
            });
        }
        if !ladder.held.is_empty() {
            // Nobody was told of it yet; the summary will count it, also after a power cut.
            self.ladder = Some(ladder);
        }
    }
}

impl Over {
    pub(super) fn due(&self, policy: Option<&Policy>) -> Mono {
        let open = policy.map_or(Duration::ZERO, |policy| policy.hold_open);
        self.told_at.plus(open)
    }
}

impl Chatter {
    pub(super) fn ends(&self, policy: &Policy) -> Mono {
        self.since.plus(policy.chatter_hold)
    }
}
