//! Which alerts stand now, by the states that the journal shows. Pure.
//!
//! | the alarm | its alert |
//! |---|---|
//! | active, acknowledged or not | stands: an acknowledgement is no all-clear |
//! | latched, its condition gone | stands until it is reset |
//! | returned, unacknowledged | over: the condition is gone; the gateway itself goes on asking for the acknowledgement |
//! | raised beneath an overlay (shelved, suppressed, out of service) | does not exist: nobody is to be told |
//! | standing when an overlay is laid over it | stands: to take it back would read as an all-clear |
//! | the overlay ends, the condition is true | stands, as any other |
//! | a drill | as an alarm of its own, if drills are sent |
//! | not configured any more | over (`found`) |
//!
//! **No alert is shorter than `min_notify`**, counted from its raise: Alertmanager never tells of what
//! comes and goes within its `group_wait`. So an alarm that is over sooner stands until then, even one
//! whose raise and clear are seen in one look. What is older than that when it is first seen is history,
//! and history never becomes an alert.
//!
//! What is over is kept for as long as Alertmanager may still have it, so that it can be taken back, also
//! after a restart.
//!
//! | bound | when full |
//! |---|---|
//! | alerts: one for each configured alarm and drill | cannot be |

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use super::alert::{Alert, Words};
use super::news::News;
use crate::engine::alarm::AlarmState;
use crate::engine::snapshot::AlarmRecord;
use crate::engine::time::{Moment, Mono, Wall};
use crate::wording::Shift;

/// Alertmanager is told that an alert ends so long from now, each time anew: a gateway that dies leaves
/// its alerts standing, and what it cannot take back any more is gone after this.
pub(super) const STANDS_FOR: Duration = Duration::from_secs(24 * 3600);

/// The alerts of one output.
#[derive(Debug)]
pub(super) struct Standing {
    pub(super) words: Words,
    min_notify: Duration,
    firing: BTreeMap<Arc<str>, Firing>,
    /// Names that the journal knows and that are not sent: taken out of the configuration, or drills.
    former: BTreeSet<Arc<str>>,
    /// By alarm: what was last said of it.
    over: BTreeMap<Arc<str>, Arc<Alert>>,
    version: u64,
    /// The version of the newest change that somebody must hear of at once.
    urgent: u64,
    /// Of whom the alerts name.
    shift: Shift,
}

/// An alert that stands.
#[derive(Debug)]
struct Firing {
    alert: Arc<Alert>,
    record: AlarmRecord,
    news: News,
    /// It stands until then whatever happens.
    at_least: Mono,
}

impl Standing {
    /// Takes up what the journal knows at the start.
    pub(super) fn new<'r>(
        words: Words,
        min_notify: Duration,
        records: impl Iterator<Item = &'r AlarmRecord>,
        now: Moment,
    ) -> Self {
        let shift = words.readers.duties.shift(now.wall);
        let mut standing = Self {
            words,
            min_notify,
            firing: BTreeMap::new(),
            former: BTreeSet::new(),
            over: BTreeMap::new(),
            version: 1,
            urgent: 1,
            shift,
        };
        for record in records {
            if standing.words.guidance(&record.alarm).is_none() {
                standing.former.insert(Arc::clone(&record.alarm));
                continue;
            }
            let remembered = record
                .cleared_at
                .is_some_and(|at| at + STANDS_FOR > now.wall);
            let young = standing.left(record, now).is_some() && record.overlays().is_empty();
            if raised_before_its_cover(record) || (young && !is_true(record)) {
                standing.fire(record, News::default(), now);
            } else if remembered && !is_true(record) {
                standing.keep_over(record, &News::default(), now.wall);
            }
        }
        standing
    }

    /// An event led to this state of an alarm; `line` is the event.
    pub(super) fn heard(&mut self, record: &AlarmRecord, line: &str, now: Moment) {
        let known = self.firing.get(&record.alarm);
        let mut news = known.map(|firing| firing.news.clone()).unwrap_or_default();
        let same = known.is_some_and(|firing| firing.record.occurrence == record.occurrence);
        news.hear(line);
        if is_true(record) && (same || record.overlays().is_empty()) {
            self.fire(record, news, now);
        } else if is_true(record) {
            // A new occurrence beneath an overlay; the one before it is over.
            self.end(&record.alarm, now.mono, true);
        } else if known.is_some() || self.left(record, now).is_some() {
            self.hold(record, news, now);
        } else if self.over.contains_key(&record.alarm) {
            self.keep_over(record, &news, now.wall);
        }
    }

    fn fire(&mut self, record: &AlarmRecord, news: News, now: Moment) {
        let Some(mut alert) = self.words.alert(record, &news, self.version, now.wall) else {
            return;
        };
        let known = self.firing.get(&record.alarm);
        let same = known.filter(|firing| firing.record.occurrence == record.occurrence);
        let at_least = same.map_or_else(
            || now.mono + self.left(record, now).unwrap_or_default(),
            |firing| firing.at_least,
        );
        let began = same.is_none_or(|firing| firing.alert.key != alert.key);
        // Not everything that happens to an alarm is told there: who was paged, for one.
        if let Some(before) = same.filter(|firing| firing.alert.says_the_same(&alert)) {
            alert.version = before.alert.version;
        } else {
            self.version += 1;
            alert.version = self.version;
        }
        if began {
            self.urgent = self.version;
        }
        self.over.remove(&record.alarm);
        let firing = Firing {
            alert: Arc::new(alert),
            record: record.clone(),
            news,
            at_least,
        };
        self.firing.insert(Arc::clone(&record.alarm), firing);
    }

    /// The condition is gone; the alert stands as long as it has to.
    fn hold(&mut self, record: &AlarmRecord, news: News, now: Moment) {
        if self.firing.contains_key(&record.alarm) || record.overlays().is_empty() {
            self.fire(record, news, now);
            self.end(&record.alarm, now.mono, false);
        }
    }

    /// Ends what need not stand any longer; `anyway`: whatever was promised.
    fn end(&mut self, alarm: &str, now: Mono, anyway: bool) {
        let due = |firing: &Firing| anyway || firing.at_least <= now;
        if self.firing.get(alarm).is_none_or(|firing| !due(firing)) {
            return;
        }
        if let Some((alarm, firing)) = self.firing.remove_entry(alarm) {
            self.version += 1;
            self.urgent = self.version;
            self.over.insert(alarm, firing.alert);
        }
    }

    fn keep_over(&mut self, record: &AlarmRecord, news: &News, now: Wall) {
        self.version += 1;
        if let Some(alert) = self.words.alert(record, news, self.version, now) {
            self.over.insert(Arc::clone(&record.alarm), Arc::new(alert));
        }
    }

    /// How long an alarm raised like this one has to be told of, from now; `None`: no longer, or its raise
    /// is not known, or lies ahead of a clock that was set back.
    fn left(&self, record: &AlarmRecord, now: Moment) -> Option<Duration> {
        let age = now.wall.seconds_since(record.raised_at?);
        let age = Duration::try_from_secs_f64(age).ok()?;
        self.min_notify
            .checked_sub(age)
            .filter(|left| !left.is_zero())
    }

    /// Lets go what was held long enough, and names the next shift. To be called about once a second.
    pub(super) fn turn(&mut self, now: Moment) {
        self.hand_over(now.wall);
        let now = now.mono;
        let held = self
            .firing
            .iter()
            .filter(|(_, firing)| !is_true(&firing.record));
        let due = held.filter(|(_, firing)| firing.at_least <= now);
        let due: Vec<_> = due.map(|(alarm, _)| Arc::clone(alarm)).collect();
        for alarm in due {
            self.end(&alarm, now, false);
        }
    }

    /// Whoever is responsible now is news of an alert that stands; nobody must hear of it at once.
    fn hand_over(&mut self, now: Wall) {
        let shift = self.words.readers.duties.shift(now);
        if shift == self.shift {
            return;
        }
        self.shift = shift;
        for firing in self.firing.values_mut() {
            let (record, news) = (&firing.record, &firing.news);
            let alert = self.words.alert(record, news, self.version + 1, now);
            if let Some(alert) = alert.filter(|alert| !firing.alert.says_the_same(alert)) {
                self.version += 1;
                firing.alert = Arc::new(alert);
            }
        }
    }

    /// The alerts that stand, by alarm.
    pub(super) fn firing(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.firing.values().map(|firing| &firing.alert)
    }

    /// The states of the alarms whose alerts stand, and what was said about them.
    pub(super) fn records(&self) -> impl Iterator<Item = (&AlarmRecord, &News)> {
        let firing = self.firing.values();
        firing.map(|firing| (&firing.record, &firing.news))
    }

    /// What is over, and may still stand at the far end.
    pub(super) fn over(&self) -> impl Iterator<Item = &Arc<Alert>> {
        self.over.values()
    }

    /// Is this the name of an alarm that was configured once?
    pub(super) fn is_former(&self, alarm: &str) -> bool {
        self.former.contains(alarm)
    }

    /// How many stand.
    pub(super) fn len(&self) -> usize {
        self.firing.len()
    }

    /// Grows with every change.
    pub(super) const fn version(&self) -> u64 {
        self.version
    }

    /// The version of the newest alert that began or ended.
    pub(super) const fn urgent(&self) -> u64 {
        self.urgent
    }
}

/// Is there something to be told: the condition is true, or a latch stands for it?
const fn is_true(record: &AlarmRecord) -> bool {
    match record.state {
        AlarmState::Unacknowledged
        | AlarmState::Acknowledged
        | AlarmState::LatchedUnacknowledged
        | AlarmState::LatchedAcknowledged => true,
        AlarmState::Normal | AlarmState::ReturnedUnacknowledged => false,
    }
}

/// At a start: was the alert sent by the life before? One that is true and was raised before anything was
/// laid over it, as far as the record can tell.
fn raised_before_its_cover(record: &AlarmRecord) -> bool {
    let cover = record.cover.as_deref();
    let shelf = cover.and_then(|cover| Some(cover.shelf.as_ref()?.term.since));
    let outage = cover.and_then(|cover| Some(cover.outage.as_ref()?.term.since));
    let suppression = cover.and_then(|cover| Some(cover.suppression.as_ref()?.since));
    let laid: Option<Wall> = shelf.into_iter().chain(outage).chain(suppression).min();
    let before = |laid| record.raised_at.is_some_and(|at| at < laid);
    is_true(record) && laid.is_none_or(before)
}

#[cfg(test)]
mod tests;
