//! Silences over alerts that somebody has acknowledged or shelved (`silence_acknowledged`,
//! `silence_shelved`). Pure.
//!
//! Alertmanager knows no acknowledgement. A silence comes nearest: it has an end, a name and a comment.
//! Ours stands for no longer than what it stands for, an acknowledgement's for eight hours at the latest, and
//! is taken away as soon as the alarm is over, unshelved, or calls again. Of an alert that does not stand
//! there is no silence: it would swallow the next one.
//!
//! **Nobody's silence outlives its gateway.** Labels are the identity, so a silence mutes whoever raises the
//! alarm next: a partner, or the same gateway under another name. Each therefore ends [`LASTS`] from now, and
//! is made to last as long as it is wanted ([`RENEW`]). A partner does not wait for that: an alarm that was
//! raised here after somebody acknowledged it there calls anew, and what lies over it is ended; so is what lies over
//! one that is about to be taken back, for a far end that does not tell of the all-clear does not tell of the next
//! alarm either. The two clocks
//! are compared for it; where they differ, the short end is left. What is ours is looked for once after each
//! connection, whatever is to be silenced: an option that was switched off leaves nothing behind.
//!
//! **Found again.** The comment of each ends with a mark that says which one it is:
//! `[forewarn north-plant: acknowledged CH4-101/high 2026-05-04T06:13:02.000Z]`. The far end is asked what
//! it has before anything is made, so that a restart makes no second one and forgets none. One that ran out
//! meanwhile is made again; one that a person ended there by hand is not, and a look comes before each renewal, for
//! that would bring it back. Members of a cluster hand silences on by themselves: what
//! one was given another is given only if it still has not got it a while later ([`HANDED_ON`]).
//!
//! | bound | when full |
//! |---|---|
//! | one for each alert that stands, and kind | cannot be |
//! | others' that are remembered | a list is refused as a whole beyond its length |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::standing::Standing;
use super::wire::FoundSilence;
use crate::engine::alarm::AlarmState;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Mono, Wall};
use crate::event::rfc3339;

/// A silence ends by itself so long after it was asked for last. Ten of the longest `refresh`: a start of the
/// gateway or of its board takes less.
pub(super) const LASTS: Duration = Duration::from_secs(300);
/// It is asked for anew this often.
const RENEW: Duration = Duration::from_secs(60);
/// What a look showed is taken for true so long.
const FRESH: Duration = Duration::from_secs(5);
/// An acknowledgement silences no longer.
const LONGEST: Duration = Duration::from_secs(8 * 3600);
/// Members of a cluster have told each other by then.
pub(super) const HANDED_ON: Duration = Duration::from_secs(10);
/// Between two looks at what the far end has.
const LOOK_AGAIN: Duration = Duration::from_secs(30);

/// What is silenced.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Policy {
    pub(super) acknowledged: bool,
    pub(super) shelved: bool,
    pub(super) site: Arc<str>,
    /// Which one of two gateways this is, where there are two.
    pub(super) pair: Option<String>,
}

/// What is to be silenced, and what is not.
#[derive(Debug, Default)]
pub(super) struct Wishes {
    /// The silences that there should be, by their marks.
    pub(super) silences: BTreeMap<String, Wanted>,
    /// Since when an alarm calls that nobody here has acknowledged: no acknowledgement before that silences it.
    pub(super) calling: BTreeMap<Arc<str>, Wall>,
}

/// A silence that there should be.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Wanted {
    pub(super) alarm: Arc<str>,
    pub(super) by: String,
    /// With the mark at its end.
    pub(super) comment: String,
    pub(super) until: Wall,
}

impl Policy {
    /// Is another gateway to be watched, that may have silenced what calls here?
    const fn watches(&self) -> bool {
        self.acknowledged && self.pair.is_some()
    }

    /// What there should be at `now`.
    pub(super) fn wishes(&self, standing: &Standing, now: Wall) -> Wishes {
        let mut wishes = Wishes::default();
        let wanted = &mut wishes.silences;
        for (record, news) in standing.records() {
            if let Some(since) = record.raised_at.filter(|_| calls(record)) {
                wishes.calling.insert(Arc::clone(&record.alarm), since);
            }
            if let Some((by, at, until)) = self.acknowledgement(record) {
                let why = news.comment.as_deref().unwrap_or("acknowledged");
                let which = ("acknowledged", record, by, at);
                self.add(wanted, standing, which, why, until);
            }
            let shelf = record
                .cover
                .as_deref()
                .and_then(|cover| cover.shelf.as_ref());
            if let Some(shelf) = shelf.filter(|_| self.shelved) {
                let which = ("shelved", record, &*shelf.by, shelf.term.since);
                self.add(wanted, standing, which, &shelf.reason, shelf.term.until);
            }
        }
        wanted.retain(|_, silence| silence.until > now);
        wishes
    }

    fn acknowledgement<'r>(&self, record: &'r AlarmRecord) -> Option<(&'r str, Wall, Wall)> {
        let recognised = matches!(
            record.state,
            AlarmState::Acknowledged | AlarmState::LatchedAcknowledged
        );
        let first = record.acknowledged.as_ref();
        let first = first.filter(|_| self.acknowledged && recognised)?;
        let longest = first.at + LONGEST;
        let until = record
            .promise
            .map_or(longest, |promise| promise.until.min(longest));
        Some((&first.by, first.at, until))
    }

    fn add(
        &self,
        wanted: &mut BTreeMap<String, Wanted>,
        standing: &Standing,
        (kind, record, by, at): (&str, &AlarmRecord, &str, Wall),
        why: &str,
        until: Wall,
    ) {
        let (owner, alarm, at) = (self.owner(), &record.alarm, rfc3339::format(at));
        let mark = format!("[forewarn {owner}: {kind} {alarm} {at}]");
        let silence = Wanted {
            alarm: Arc::clone(alarm),
            by: standing.words.person(by),
            comment: format!("{why} {mark}"),
            until,
        };
        wanted.insert(mark, silence);
    }

    /// Before the colon of each mark: whose silences they are.
    fn owner(&self) -> String {
        match &self.pair {
            Some(pair) => format!("{}/{pair}", self.site),
            None => self.site.to_string(),
        }
    }

    /// The mark of a silence, if it is one of ours.
    fn mark<'c>(&self, comment: &'c str) -> Option<&'c str> {
        let begin = format!("[forewarn {}: ", self.owner());
        let mark = &comment[comment.rfind(&begin)?..];
        mark.ends_with(']').then_some(mark)
    }

    /// Which alarm was acknowledged when, if the comment is that of another gateway of this site.
    fn of_another<'c>(&self, comment: &'c str) -> Option<(&'c str, Wall)> {
        let begin = format!("[forewarn {}", self.site);
        let (_, mark) = comment.rsplit_once(&begin)?;
        let (pair, which) = mark.strip_suffix(']')?.split_once(": acknowledged ")?;
        let (alarm, at) = which.split_once(' ')?;
        let of_site = pair.is_empty() || pair.starts_with('/');
        let at = rfc3339::parse(at).filter(|_| of_site)?;
        Some((alarm, at))
    }
}

/// Does the alarm call, acknowledged by nobody?
const fn calls(record: &AlarmRecord) -> bool {
    matches!(
        record.state,
        AlarmState::Unacknowledged | AlarmState::LatchedUnacknowledged
    )
}

/// What is to be asked of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// Which silences it has.
    List,
    /// To make the one with this mark; to make it last, if there is one.
    Make(String, Wanted, Option<Live>),
    /// To end the one with this id.
    End(String),
}

/// A silence that silences.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Live {
    pub(super) id: String,
    /// As it was shown: it lasts longer only when it is asked for with the same. `None`: not shown yet.
    pub(super) starts_at: Option<String>,
}

/// An acknowledgement that another gateway of this site has silenced.
#[derive(Debug)]
struct Foreign {
    id: String,
    alarm: String,
    at: Wall,
}

/// What one member has of our silences.
#[derive(Debug, Default)]
pub(super) struct Silences {
    /// `None`: not known. When it was looked.
    looked: Option<Mono>,
    /// By mark, the one that silences; `None`: somebody ended it, or it is about to come.
    known: BTreeMap<String, Option<Live>>,
    /// Ids of those that should not be there: a second one with the same mark.
    surplus: BTreeSet<String>,
    foreign: Vec<Foreign>,
    /// When each was asked for last, by mark.
    asked: BTreeMap<String, Mono>,
}

impl Silences {
    /// The member may have lost what it had.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// It is to be asked what it has before anything else.
    pub(super) fn doubt(&mut self) {
        self.looked = None;
    }

    /// Was the member asked what it has?
    pub(super) const fn are_known(&self) -> bool {
        self.looked.is_some()
    }

    /// One that is to go. `leaves`: is the alert of this alarm to be taken back?
    pub(super) fn to_end(&self, wishes: &Wishes, leaves: impl Fn(&str) -> bool) -> Option<Ask> {
        let live = self
            .known
            .iter()
            .filter(|(mark, _)| !wishes.silences.contains_key(*mark));
        let mut unwanted = live.filter_map(|(_, live)| Some(&live.as_ref()?.id));
        let outdated = |foreign: &&Foreign| {
            let since = wishes.calling.get(foreign.alarm.as_str());
            since.is_some_and(|since| *since > foreign.at) || leaves(&foreign.alarm)
        };
        let mut outdated = self.foreign.iter().filter(outdated);
        let id = unwanted.next().or_else(|| self.surplus.first());
        let id = id.or_else(|| outdated.next().map(|foreign| &foreign.id));
        id.map(|id| Ask::End(id.clone()))
    }

    /// May one lie over this alarm that is to go before the all-clear? `leaves` as above.
    pub(super) fn hold(&self, alarm: &str, wishes: &Wishes, leaves: bool) -> bool {
        let name = format!(" {alarm} ");
        let unwanted = |mark: &String| mark.contains(&name) && !wishes.silences.contains_key(mark);
        let mut known = self.known.iter();
        let mut foreign = self.foreign.iter();
        self.looked.is_none()
            || known.any(|(mark, live)| live.is_some() && unwanted(mark))
            || leaves && foreign.any(|foreign| foreign.alarm == alarm)
    }

    /// What is to be asked next, everything else being done. `given`: when any member was given one, by
    /// mark.
    pub(super) fn next(
        &self,
        policy: &Policy,
        wishes: &Wishes,
        given: &BTreeMap<String, Mono>,
        now: Mono,
    ) -> Option<Ask> {
        let Some(looked) = self.looked else {
            return Some(Ask::List);
        };
        let wanted = &wishes.silences;
        let missing = wanted
            .iter()
            .filter(|(mark, _)| !self.known.contains_key(*mark));
        for (mark, silence) in missing {
            match given.get(mark) {
                // Made elsewhere: it comes by itself, or not.
                Some(at) if now.since(*at) < HANDED_ON => {}
                Some(at) if looked < *at + HANDED_ON => return Some(Ask::List),
                Some(_) | None => return Some(Ask::Make(mark.clone(), silence.clone(), None)),
            }
        }
        let age = now.since(looked);
        if let Some(renewal) = self.renewal(wanted, now) {
            return Some(if age < FRESH { renewal } else { Ask::List });
        }
        let lives = self.known.values().any(Option::is_some);
        let busy = lives || !wanted.is_empty() || policy.watches();
        (busy && age >= LOOK_AGAIN).then_some(Ask::List)
    }

    /// What is to last longer, the one first that was asked for longest ago.
    fn renewal(&self, wanted: &BTreeMap<String, Wanted>, now: Mono) -> Option<Ask> {
        let asked = |mark: &str| self.asked.get(mark).copied();
        let due = wanted.iter().filter_map(|(mark, silence)| {
            let live = self.known.get(mark)?.as_ref()?;
            let rests = asked(mark).is_some_and(|at| now.since(at) < RENEW);
            (!rests && live.starts_at.is_some()).then_some((mark, silence, live))
        });
        let (mark, silence, live) = due.min_by_key(|(mark, ..)| asked(mark))?;
        Some(Ask::Make(mark.clone(), silence.clone(), Some(live.clone())))
    }

    /// The member has these.
    pub(super) fn found(&mut self, policy: &Policy, found: Vec<FoundSilence>, now: Mono) {
        let mut asked = std::mem::take(&mut self.asked);
        self.forget();
        self.looked = Some(now);
        for silence in found {
            if let Some(mark) = policy.mark(&silence.comment) {
                self.found_own(mark.to_owned(), silence);
            } else if let Some((alarm, at)) = policy.of_another(&silence.comment)
                && silence.is_live()
            {
                let alarm = alarm.to_owned();
                let id = silence.id;
                self.foreign.push(Foreign { id, alarm, at });
            }
        }
        asked.retain(|mark, _| self.known.contains_key(mark));
        self.asked = asked;
    }

    fn found_own(&mut self, mark: String, silence: FoundSilence) {
        if !silence.is_live() && !silence.was_ended() {
            return;
        }
        let known = self.known.entry(mark).or_default();
        match (silence.is_live(), known.is_some()) {
            (true, false) => {
                *known = Some(Live {
                    id: silence.id,
                    starts_at: Some(silence.starts_at),
                });
            }
            (true, true) => {
                self.surplus.insert(silence.id);
            }
            (false, _) => {}
        }
    }

    /// The member did not say.
    pub(super) fn unknown(&mut self, now: Mono) {
        self.looked = Some(now);
        // Somebody may have ended them.
        let lives = self.known.values_mut().flatten();
        lives.for_each(|live| live.starts_at = None);
    }

    /// It was made, or lasts longer, with this id. `None`: it was refused, and the next look may lead to another
    /// attempt.
    pub(super) fn made(&mut self, mark: String, id: Option<String>, now: Mono) {
        self.asked.insert(mark.clone(), now);
        let known = self.known.entry(mark).or_default();
        match id {
            Some(id) if known.as_ref().is_none_or(|live| live.id != id) => {
                let starts_at = None;
                *known = Some(Live { id, starts_at });
            }
            // It lasts longer, or as long as it did.
            Some(_) | None => {}
        }
    }

    /// It was ended, or cannot be; the next look tells.
    pub(super) fn ended(&mut self, id: &str) {
        self.surplus.remove(id);
        self.foreign.retain(|foreign| foreign.id != id);
        self.known
            .retain(|_, live| live.as_ref().is_none_or(|live| live.id != id));
    }
}

#[cfg(test)]
mod tests;
