//! Silences over alerts that somebody has acknowledged or shelved (`silence_acknowledged`,
//! `silence_shelved`). Pure.
//!
//! Alertmanager knows no acknowledgement. A silence comes nearest: it has an end, a name and a comment.
//! Ours ends with what it stands for, an acknowledgement's after eight hours at the latest, and is taken
//! away as soon as the alarm is over, unshelved, or calls again. Of an alert that does not stand there is
//! no silence: it would swallow the next one.
//!
//! **Found again.** The comment of each ends with a mark that says which one it is:
//! `[forewarn north-plant: acknowledged CH4-101/high 2026-05-04T06:13:02.000Z]`. The far end is asked what
//! it has before anything is made, so that a restart makes no second one and forgets none. One that a
//! person ended there by hand is not made again. Members of a cluster hand silences on by themselves: what
//! one was given another is given only if it still has not got it a while later ([`HANDED_ON`]).
//!
//! | bound | when full |
//! |---|---|
//! | one for each alert that stands, and kind | cannot be |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::standing::Standing;
use super::wire::FoundSilence;
use crate::engine::alarm::AlarmState;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Mono, Wall};
use crate::event::rfc3339;

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
    /// Before the colon of each mark: whose silences they are.
    pub(super) owner: String,
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
    /// Is anything silenced at all?
    pub(super) const fn is_on(&self) -> bool {
        self.acknowledged || self.shelved
    }

    /// What there should be at `now`, by their marks.
    pub(super) fn wanted(&self, standing: &Standing, now: Wall) -> BTreeMap<String, Wanted> {
        let mut wanted = BTreeMap::new();
        for (record, news) in standing.records() {
            if let Some((by, at, until)) = self.acknowledgement(record) {
                let why = news.comment.as_deref().unwrap_or("acknowledged");
                self.add(
                    &mut wanted,
                    standing,
                    ("acknowledged", record, by, at),
                    why,
                    until,
                );
            }
            let shelf = record
                .cover
                .as_deref()
                .and_then(|cover| cover.shelf.as_ref());
            if let Some(shelf) = shelf.filter(|_| self.shelved) {
                let which = ("shelved", record, &*shelf.by, shelf.term.since);
                self.add(
                    &mut wanted,
                    standing,
                    which,
                    &shelf.reason,
                    shelf.term.until,
                );
            }
        }
        wanted.retain(|_, silence| silence.until > now);
        wanted
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
        let (owner, alarm, at) = (&self.owner, &record.alarm, rfc3339::format(at));
        let mark = format!("[forewarn {owner}: {kind} {alarm} {at}]");
        let silence = Wanted {
            alarm: Arc::clone(alarm),
            by: standing.words.person(by),
            comment: format!("{why} {mark}"),
            until,
        };
        wanted.insert(mark, silence);
    }

    /// The mark of a silence, if it is one of ours.
    fn mark<'c>(&self, comment: &'c str) -> Option<&'c str> {
        let begin = format!("[forewarn {}: ", self.owner);
        let mark = &comment[comment.rfind(&begin)?..];
        mark.ends_with(']').then_some(mark)
    }
}

/// What is to be asked of a member.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Ask {
    /// Which silences it has.
    List,
    /// To make the one with this mark.
    Make(String, Wanted),
    /// To end the one with this id.
    End(String),
}

/// What one member has of our silences.
#[derive(Debug, Default)]
pub(super) struct Silences {
    /// `None`: not known. When it was looked.
    looked: Option<Mono>,
    /// By mark, the id of the one that silences; `None`: it is over, or about to come.
    known: BTreeMap<String, Option<String>>,
    /// Ids of those that should not be there: a second one with the same mark.
    surplus: BTreeSet<String>,
}

impl Silences {
    /// The member may have lost what it had.
    pub(super) fn forget(&mut self) {
        *self = Self::default();
    }

    /// One that is to go.
    pub(super) fn to_end(&self, wanted: &BTreeMap<String, Wanted>) -> Option<Ask> {
        let live = self
            .known
            .iter()
            .filter(|(mark, _)| !wanted.contains_key(*mark));
        let mut unwanted = live.filter_map(|(_, id)| id.as_ref());
        let id = unwanted.next().or_else(|| self.surplus.first());
        id.map(|id| Ask::End(id.clone()))
    }

    /// Does one lie over this alarm that is to go?
    pub(super) fn hold(&self, alarm: &str, wanted: &BTreeMap<String, Wanted>) -> bool {
        let name = format!(" {alarm} ");
        let unwanted = |mark: &String| mark.contains(&name) && !wanted.contains_key(mark);
        self.known
            .iter()
            .any(|(mark, id)| id.is_some() && unwanted(mark))
    }

    /// What is to be asked next, everything else being done. `given`: when any member was given one, by
    /// mark.
    pub(super) fn next(
        &self,
        policy: &Policy,
        wanted: &BTreeMap<String, Wanted>,
        given: &BTreeMap<String, Mono>,
        now: Mono,
    ) -> Option<Ask> {
        if !policy.is_on() {
            return None;
        }
        let Some(looked) = self.looked else {
            return Some(Ask::List);
        };
        let missing = wanted
            .iter()
            .filter(|(mark, _)| !self.known.contains_key(*mark));
        for (mark, silence) in missing {
            match given.get(mark) {
                // Made elsewhere: it comes by itself, or not.
                Some(at) if now.since(*at) < HANDED_ON => {}
                Some(at) if looked < *at + HANDED_ON => return Some(Ask::List),
                Some(_) | None => return Some(Ask::Make(mark.clone(), silence.clone())),
            }
        }
        let busy = !(wanted.is_empty() && self.known.is_empty());
        (busy && now.since(looked) >= LOOK_AGAIN).then_some(Ask::List)
    }

    /// The member has these.
    pub(super) fn found(&mut self, policy: &Policy, found: &[FoundSilence], now: Mono) {
        self.forget();
        self.looked = Some(now);
        for silence in found {
            let Some(mark) = policy.mark(&silence.comment) else {
                continue;
            };
            let known = self.known.entry(mark.to_owned()).or_default();
            match (silence.is_live(), known.is_some()) {
                (true, false) => *known = Some(silence.id.clone()),
                (true, true) => {
                    self.surplus.insert(silence.id.clone());
                }
                (false, _) => {}
            }
        }
    }

    /// The member did not say.
    pub(super) fn unknown(&mut self, now: Mono) {
        self.looked = Some(now);
    }

    /// It was made; `None`: it was refused, and the next look may lead to another attempt.
    pub(super) fn made(&mut self, mark: String, id: Option<String>) {
        self.known.insert(mark, id);
    }

    /// It was ended, or cannot be; the next look tells.
    pub(super) fn ended(&mut self, id: &str) {
        self.surplus.remove(id);
        self.known.retain(|_, known| known.as_deref() != Some(id));
    }
}

#[cfg(test)]
mod tests;
