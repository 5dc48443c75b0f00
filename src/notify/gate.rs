//! What passes to people at once and what waits for a summary.
//!
//! A flood (alarm-standards 3.2) is when more than ten alarms were annunciated within ten minutes, and
//! until fewer than five were. In a flood the pages of one area, priority and step are a group: the
//! first goes out at once, what follows is held and summed up. The record is never grouped.
//!
//! ```text
//!   page ──▶ first page of what must not wait? ── yes ───────▶ out
//!              │ no
//!              └▶ flood? ── no ──────────────────────────────▶ out
//!                   │ yes
//!                   └▶ group told of lately, or pages waiting? ── no ─▶ out
//!                        │ yes
//!                        └▶ held ── after `group_every` ──▶ one summary
//! ```
//!
//! **What must not wait** ([`Office::passes`]; the gate only counts it): the first
//! page of a critical alarm, of a gas point, an outermost limit or a vote, and of whatever comes back:
//! at the end of an overlay (alarm-standards 1.5.3), as a re-alarm, with a higher severity. Their later
//! steps, which tell others of what somebody knows, are grouped like all: of a storm of critical alarms
//! a deputy reads one list after seconds rather than dozens of pages.
//!
//! Priority is a part of the group, so that nothing waits behind what is less urgent. Every page that is
//! held stands in the summary, also when its alarm is over or acknowledged by then, and the summary's
//! `alarms` names every one.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::Office;
use super::case::Ladder;
use super::scene::Scene;
use super::since::{Recent, Since};
use crate::engine::settings::Priority;
use crate::engine::time::Mono;

/// More annunciations than this within [`WINDOW`] begin a flood.
const FLOOD_ABOVE: usize = 10;

/// Fewer than this end it.
const FLOOD_ENDS_BELOW: usize = 5;

/// The sliding window `(t - WINDOW, t]`.
pub(super) const WINDOW: Duration = Duration::from_secs(600);

/// Pages that wait in one group; when full they are summed up early. As many at most are in one summary,
/// which names the alarm of each.
pub(super) const GROUP_FULL: usize = 500;

/// The step of occurrences found in delayed data, which have no ladder.
pub(super) const LATE: u16 = u16::MAX;

/// Which pages are summed up together. The order is the order at one instant.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct GroupKey {
    /// Most urgent first.
    pub(super) priority: std::cmp::Reverse<Priority>,
    pub(super) area: Option<Arc<str>>,
    pub(super) step: u16,
}

/// Pages of a group since the last one that went out.
#[derive(Debug)]
struct Group {
    /// Nothing of it goes out before.
    closed_until: Mono,
    every: Duration,
    /// Alarms in the order of their pages; one that came twice stands there twice.
    held: Vec<Arc<str>>,
}

/// Decides what waits.
#[derive(Debug, Default)]
pub(super) struct Gate {
    annunciated: Recent<{ FLOOD_ABOVE + 1 }>,
    flood: bool,
    /// It is a start: what waited before it, or fell due meanwhile, is summed up now.
    catches_up: bool,
    /// As many as there are areas, priorities and steps, at most.
    groups: BTreeMap<GroupKey, Group>,
}

impl Gate {
    /// At a start with a past. Without it, starts in a row would put off the same pages each time.
    pub(super) fn catching_up() -> Self {
        Self {
            catches_up: true,
            ..Self::default()
        }
    }

    /// What was due at the start is told.
    pub(super) const fn caught_up(&mut self) {
        self.catches_up = false;
    }

    /// Is it a flood, with one more annunciation at `since` if there is one?
    fn observe(&mut self, annunciation: Option<Since>, now: Mono) {
        // Without news the count only falls, so it is enough to look when there is some.
        self.flood &= self.annunciated.within(FLOOD_ENDS_BELOW, WINDOW, now);
        if let Some(since) = annunciation {
            self.annunciated.push(since);
            self.flood |= self.annunciated.within(FLOOD_ABOVE + 1, WINDOW, now);
        }
    }

    /// An annunciation that does not ask whether it may pass: it waits for nothing, or was before this
    /// start. Oldest first.
    pub(super) fn count(&mut self, annunciation: Since, now: Mono) {
        self.observe(Some(annunciation), now);
    }

    /// May a page of `alarm` go out now? If not it is held. `annunciation`: it is the first of its
    /// kind, which is what floods are counted by.
    pub(super) fn pass(
        &mut self,
        key: &GroupKey,
        alarm: &Arc<str>,
        annunciation: bool,
        every: Duration,
        now: Mono,
    ) -> bool {
        self.observe(annunciation.then_some(Since::now(now)), now);
        let known = self.groups.get_mut(key);
        // A summary that is due at this very instant takes along what else comes.
        let waiting = known.as_ref().is_some_and(|group| !group.held.is_empty());
        if !self.flood && !waiting {
            return true;
        }
        match known {
            Some(group) if waiting || group.closed_until > now || self.catches_up => {
                group.held.push(Arc::clone(alarm));
                false
            }
            Some(group) => {
                group.closed_until = now + every;
                true
            }
            None => {
                let closed = if self.catches_up {
                    Duration::ZERO
                } else {
                    every
                };
                let group = Group {
                    closed_until: now + closed,
                    every,
                    held: Vec::new(),
                };
                self.groups.insert(key.clone(), group);
                true
            }
        }
    }

    /// Holds a page that was held before this start and is no longer wanted: the summary counts it.
    pub(super) fn recall_held(&mut self, key: &GroupKey, alarm: &Arc<str>, every: Duration) {
        let group = self.groups.entry(key.clone()).or_insert(Group {
            closed_until: Mono::ZERO,
            every,
            held: Vec::new(),
        });
        group.held.push(Arc::clone(alarm));
    }

    /// When the next summary is due.
    pub(super) fn due(&self) -> Option<Mono> {
        self.groups.values().filter_map(Group::due).min()
    }

    /// The next group to sum up, with its pages.
    pub(super) fn take_due(&mut self, now: Mono) -> Option<(GroupKey, Vec<Arc<str>>)> {
        let mut groups = self.groups.iter_mut();
        let (key, group) = groups.find(|(_, group)| group.due().is_some_and(|due| due <= now))?;
        let rest = group.held.split_off(group.held.len().min(GROUP_FULL));
        if rest.is_empty() {
            let closed = if self.catches_up {
                Duration::ZERO
            } else {
                group.every
            };
            group.closed_until = now + closed;
        }
        Some((key.clone(), std::mem::replace(&mut group.held, rest)))
    }

    /// Pages that wait now.
    pub(super) fn waiting(&self) -> usize {
        self.groups.values().map(|group| group.held.len()).sum()
    }
}

impl Office {
    /// May a step be told now, or does a flood hold it?
    pub(super) fn passes(
        &mut self,
        ladder: &Ladder,
        step: u16,
        every: Duration,
        scene: &Scene<'_>,
    ) -> bool {
        let now = scene.at.mono;
        let annunciation = ladder.reminded.is_none() && ladder.held.is_empty();
        let index = scene.present.subject.index;
        let may_wait = self.settings.may_wait(index, ladder.priority) && !ladder.returned;
        if !may_wait && ladder.is_news(step) {
            if annunciation {
                self.gate.count(Since::now(now), now);
            }
            return true;
        }
        let key = scene.group(&self.settings, ladder.priority, step);
        self.gate
            .pass(&key, scene.alarm(), annunciation, every, now)
    }
}

impl Group {
    fn due(&self) -> Option<Mono> {
        match self.held.len() {
            0 => None,
            GROUP_FULL.. => Some(Mono::ZERO),
            _ => Some(self.closed_until),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const EVERY: Duration = Duration::from_secs(60);

    fn at(seconds: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(seconds)
    }

    fn key(area: &str, priority: Priority) -> GroupKey {
        GroupKey {
            priority: std::cmp::Reverse(priority),
            area: Some(area.into()),
            step: 0,
        }
    }

    fn page(gate: &mut Gate, area: &str, alarm: usize, seconds: u64) -> bool {
        let alarm = format!("P{alarm}/high").into();
        gate.pass(&key(area, Priority::High), &alarm, true, EVERY, at(seconds))
    }

    fn in_flood() -> Gate {
        let mut gate = Gate::default();
        for number in 0..11 {
            assert!(page(&mut gate, "quiet", number, 0), "{number}");
        }
        gate
    }

    #[test]
    fn ten_alarms_are_no_flood_and_eleven_are() {
        let mut gate = Gate::default();
        for number in 0..10 {
            assert!(page(&mut gate, "farm", number, 0), "{number}");
        }
        assert!(!gate.flood);
        // The eleventh is the first page of its area in the flood.
        assert!(page(&mut gate, "farm", 10, 599));
        assert!(gate.flood);
        assert!(!page(&mut gate, "farm", 11, 599));
        let mut slow = Gate::default();
        for number in 0..40 {
            assert!(page(&mut slow, "farm", number, 60 * number as u64));
        }
    }

    #[test]
    fn a_flood_ends_when_fewer_than_five_came_within_ten_minutes() {
        for (later, ends) in [(4, true), (5, false)] {
            let mut gate = in_flood();
            for number in 0..later {
                page(&mut gate, "quiet", number, 300);
            }
            gate.observe(None, at(599));
            assert!(gate.flood);
            gate.observe(None, at(600));
            assert_eq!(!gate.flood, ends, "{later} within ten minutes");
        }
    }

    #[test]
    fn the_first_page_of_each_area_and_priority_is_never_delayed() {
        let mut gate = in_flood();
        assert!(page(&mut gate, "farm", 1, 10));
        assert!(!page(&mut gate, "farm", 2, 11));
        assert!(page(&mut gate, "pit", 3, 12));
        let critical = key("farm", Priority::Critical);
        assert!(gate.pass(&critical, &"P4/high_high".into(), true, EVERY, at(13)));
        // The group opens again after its time, for one page.
        assert!(page(&mut gate, "pit", 5, 72));
        assert!(!page(&mut gate, "pit", 6, 73));
    }

    #[test]
    fn what_is_held_comes_out_once_all_of_it_and_keeps_its_distance() {
        let mut gate = in_flood();
        assert!(page(&mut gate, "farm", 1, 10));
        for number in 2..5 {
            assert!(!page(&mut gate, "farm", number, 20));
        }
        assert_eq!((gate.due(), gate.waiting()), (Some(at(70)), 3));
        assert!(gate.take_due(at(69)).is_none());
        // It belongs to the summary of this instant, and does not overtake it.
        assert!(!page(&mut gate, "farm", 5, 70));
        let (_, held) = gate.take_due(at(70)).expect("due");
        assert_eq!(held.len(), 4);
        assert_eq!((gate.due(), gate.waiting()), (None, 0));
        assert!(!page(&mut gate, "farm", 6, 71));
        assert_eq!(gate.due(), Some(at(130)));
    }

    #[test]
    fn a_full_group_is_summed_up_early() {
        let mut gate = in_flood();
        for number in 0..=GROUP_FULL {
            page(&mut gate, "farm", number, 10);
        }
        let (_, held) = gate.take_due(at(10)).expect("due at once");
        assert_eq!(held.len(), GROUP_FULL);
    }

    #[test]
    fn the_most_urgent_group_is_told_first() {
        let mut gate = in_flood();
        for priority in [Priority::Low, Priority::Critical] {
            for number in 0..2 {
                let alarm = format!("P{number}/high").into();
                gate.pass(&key("farm", priority), &alarm, true, EVERY, at(1));
            }
        }
        let (key, _) = gate.take_due(at(61)).expect("two are due");
        assert_eq!(key.priority.0, Priority::Critical);
    }
}
