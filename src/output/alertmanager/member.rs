//! What one member of a cluster is asked next, and what its answers mean. Pure: time and chance are
//! arguments.
//!
//! ```text
//!            news, or `refresh` is over                      nothing new
//!   resting ──────────▶ round: all that stands, all that is over ──────▶ looks: what does it have
//!      ▲  back-off          │                                            that it should not?
//!      └────────────────────┴──── no answer, 5xx, 429, 401, 404 ...
//! ```
//!
//! A member remembers what it was told to take, whether or not its answer came. What it has and should
//! not is **taken back**: told with its end, in each round of [`told::REPEAT`] after it was taken for the first
//! time, because a member may forget, and may be one of several behind one name.
//!
//! # What others may have posted
//!
//! Labels are the identity, so two gateways that watch one plant post one alert, and whoever posts last
//! is believed. Therefore nothing that another may still mean is taken back before a look has shown that
//! nobody posted it anew for a while ([`Untouched`]):
//!
//! - in a `pair`, what is over for this gateway; for as long as two `refresh` and [`told::MARGIN`]. So the alert
//!   is taken back when it is over for both; once, because its partner may raise it again meanwhile;
//! - always, what stands there under labels that are no longer given: the alarm was taken out of the
//!   configuration, or its area, priority or device is another. For as long as two of the longest `refresh`.
//!
//! What stands there under labels that are given, while the alarm is not active here and has not been
//! within the last day, is another's, or of a journal that is lost. It is left alone.
//!
//! | bound | when full |
//! |---|---|
//! | alerts remembered: those that stand, those that are over for no longer than a day, what one look finds | a look is refused as a whole beyond its length |
//! | refused alerts: tried again alone after [`TRY_AGAIN`], or when they change | |
//! | waits: 30 s, cut short to [`IMPATIENT`] by an alert that begins or ends | |

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::alert::Alert;
use super::batches::{Item, Refusal, Round};
use super::silences::{self, Silences, Wishes};
use super::standing::Standing;
use super::told::{Over, Told};
use super::untouched::{Untouched, orphans};
use super::wire::{FoundAlert, FoundSilence};
use crate::broker::Backoff;
use crate::engine::time::Mono;

/// Changes within this go together.
const GATHER: Duration = Duration::from_millis(200);
/// A refused alert that has not changed is tried again after this.
const TRY_AGAIN: Duration = Duration::from_secs(300);
/// Between two looks while something waits for one.
const LOOK: Duration = Duration::from_secs(5);
/// Between two looks when the first had no answer.
const LOOK_LATER: Duration = Duration::from_secs(30);
/// What was asked for by mistake has to wait no longer than this.
const IMPATIENT: Duration = Duration::from_secs(1);
/// Longest wait that a member may ask for.
const LONGEST_WAIT: Duration = Duration::from_secs(30);

/// How an output treats its members.
#[derive(Debug, Clone)]
pub(super) struct Manner {
    /// Everything is told anew this often.
    pub(super) refresh: Duration,
    /// Does another gateway post the same alerts?
    pub(super) pair: bool,
    pub(super) silences: silences::Policy,
}

/// What came of a post.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Posted {
    /// It was taken.
    Taken,
    /// This, as it is, will never be taken.
    Refused,
    /// Not now. How long we are asked to wait, if we are.
    Failed(Option<Duration>),
}

/// A question beside the posts.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Aside {
    /// Which alerts stand?
    Alerts,
    /// About silences.
    Silence(silences::Ask),
}

/// The answer to it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Answer {
    /// The alerts that stand.
    Alerts(Vec<FoundAlert>),
    /// The silences there are.
    Silences(Vec<FoundSilence>),
    /// A silence was made, with this id.
    Made(String),
    /// One was ended.
    Ended,
    /// None that is of use.
    Nothing,
}

/// What one member was told.
#[derive(Debug)]
pub(super) struct Member {
    told: BTreeMap<Arc<str>, Told>,
    refused: BTreeMap<Arc<str>, (u64, Mono)>,
    round: Round,
    /// Version and urgency of what the running or last round tells.
    told_of: (u64, u64),
    began: Option<Mono>,
    due: Mono,
    backoff: Backoff,
    rest_until: Option<Mono>,
    /// It asked for this wait: no impatience.
    asked_to_wait: bool,
    /// When the alerts there are to be looked at; `None`: nothing to look for.
    look: Option<Mono>,
    silences: Silences,
    reached: Option<bool>,
}

impl Member {
    /// One that may have everything that was over lately.
    pub(super) fn new(standing: &Standing, manner: &Manner, now: Mono) -> Self {
        let mut member = Self {
            told: BTreeMap::new(),
            refused: BTreeMap::new(),
            round: Round::default(),
            told_of: (0, 0),
            began: None,
            due: now,
            backoff: Backoff::default(),
            rest_until: None,
            asked_to_wait: false,
            look: Some(now),
            silences: Silences::default(),
            reached: None,
        };
        for alert in standing.over() {
            member.remember(alert).over = Some(Over::begin(manner));
        }
        member
    }

    fn remember(&mut self, alert: &Arc<Alert>) -> &mut Told {
        let told = self
            .told
            .entry(Arc::clone(&alert.key))
            .or_insert_with(|| Told {
                alert: Arc::clone(alert),
                taken: 0,
                over: None,
            });
        told.alert = Arc::clone(alert);
        told
    }

    /// The next post. The answer to the one before must be known.
    pub(super) fn post(
        &mut self,
        standing: &Standing,
        (manner, wishes): (&Manner, &Wishes),
        now: Mono,
    ) -> Option<Vec<Item>> {
        let news = self.told_of.1 < standing.urgent();
        if self.rest_until.is_some_and(|until| now < until) && !self.is_impatient(news, now) {
            return None;
        }
        if let Some(post) = self.round.next() {
            return Some(post);
        }
        let gathered = self.began.is_none_or(|began| now.since(began) >= GATHER);
        if now >= self.due || (self.told_of.0 < standing.version() && gathered) {
            self.begin(standing, (manner, wishes), now);
        }
        self.round.next()
    }

    /// The next question beside the posts, which wait for no answer to it. The answer to the one before
    /// must be known. `given`: when any member was given a silence, by mark.
    pub(super) fn aside(
        &self,
        (manner, wishes): (&Manner, &Wishes),
        given: &BTreeMap<String, Mono>,
        now: Mono,
    ) -> Option<Aside> {
        if self.reached != Some(true) {
            return None;
        }
        let leaves = |alarm: &str| self.leaves(alarm);
        let end = self.silences.to_end(wishes, leaves).map(Aside::Silence);
        let look = self.look.filter(|at| now >= *at).map(|_at| Aside::Alerts);
        let policy = &manner.silences;
        let next = || self.silences.next(policy, wishes, given, now);
        end.or(look).or_else(|| next().map(Aside::Silence))
    }

    /// Is the alert of this alarm to be taken back, under whatever labels it stands?
    fn leaves(&self, alarm: &str) -> bool {
        let of_alarm = |told: &&Told| *told.alert.alarm == *alarm;
        let mut of_alarm = self.told.values().filter(of_alarm).peekable();
        of_alarm.peek().is_some()
            && of_alarm.all(|told| told.over.is_some() && told.is_to_be_told())
    }

    /// A member that does not answer is asked sooner when there is an alert to tell of.
    fn is_impatient(&self, news: bool, now: Mono) -> bool {
        let tried = self.began.is_some_and(|began| now.since(began) < IMPATIENT);
        news && !tried && !self.asked_to_wait
    }

    /// Lists everything that is to be told, the news first.
    fn begin(&mut self, standing: &Standing, (manner, wishes): (&Manner, &Wishes), now: Mono) {
        for told in self.told.values_mut() {
            told.over.get_or_insert_with(|| Over::begin(manner));
        }
        let over: Vec<_> = standing.over().map(Arc::clone).collect();
        for alert in over {
            // What it says now is what happened last.
            if let Some(told) = self.told.get_mut(&alert.key) {
                told.alert = alert;
            }
        }
        for alert in standing.firing() {
            self.remember(alert).over = None;
        }
        self.told.retain(|_, told| !told.is_done(now));
        let waits = self.told.values().any(Told::waits);
        if waits {
            self.look.get_or_insert(now);
        }
        let told = self.told.values().filter(|told| told.is_to_be_told());
        // What is over while it is silenced has no all-clear: the silence goes first.
        let silenced = |told: &Told| {
            let alarm = &told.alert.alarm;
            told.over.is_some() && self.silences.hold(alarm, wishes, self.leaves(alarm))
        };
        let mut items: Vec<_> = told.filter(|told| !silenced(told)).collect();
        items.sort_by_key(|told| {
            let known = told.taken == told.alert.version;
            (
                known,
                std::cmp::Reverse(told.alert.priority),
                &told.alert.alarm,
            )
        });
        let items = items.into_iter().map(Told::item);
        let refused = |item: &Item| self.refused.contains_key(&item.alert.key);
        let (apart, together): (Vec<_>, Vec<_>) = items.partition(refused);
        let apart = apart
            .into_iter()
            .filter(|item| self.try_again(item, now))
            .collect();
        self.round = Round::new(together, apart);
        self.told_of = (standing.version(), standing.urgent());
        self.began = Some(now);
        self.due = now + manner.refresh;
    }

    /// A refused alert: has it changed, or is it long ago?
    fn try_again(&self, item: &Item, now: Mono) -> bool {
        let refused = self.refused.get(&item.alert.key);
        refused.is_none_or(|(version, at)| {
            *version != item.alert.version || now.since(*at) >= TRY_AGAIN
        })
    }

    /// What came of a post. `jitter` is random in 0 to 1. The alert that is refused, if one is.
    pub(super) fn posted(
        &mut self,
        post: Vec<Item>,
        outcome: Posted,
        now: Mono,
        jitter: f64,
    ) -> Option<Arc<Alert>> {
        match outcome {
            Posted::Taken => self.taken(&post, now),
            Posted::Refused => return self.not_taken(post, now, jitter),
            Posted::Failed(wait) => self.failed(wait, now, jitter),
        }
        None
    }

    /// What came of a question beside the posts.
    pub(super) fn told(
        &mut self,
        aside: Aside,
        answer: Answer,
        (standing, manner): (&Standing, &Manner),
        now: Mono,
    ) {
        use silences::Ask;
        match (aside, answer) {
            (Aside::Alerts, Answer::Alerts(found)) => self.looked(&found, standing, manner, now),
            (Aside::Alerts, _) => self.look = Some(now + LOOK_LATER),
            (Aside::Silence(Ask::List), answer) => {
                if !self.silences.are_known() {
                    // What is over waited for it.
                    self.due = now;
                }
                match answer {
                    Answer::Silences(found) => {
                        self.silences.found(&manner.silences, found, now);
                    }
                    Answer::Alerts(_) | Answer::Made(_) | Answer::Ended | Answer::Nothing => {
                        self.silences.unknown(now);
                    }
                }
            }
            (Aside::Silence(Ask::Make(mark, ..)), Answer::Made(id)) => {
                self.silences.made(mark, Some(id), now);
            }
            (Aside::Silence(Ask::Make(mark, ..)), _) => self.silences.made(mark, None, now),
            (Aside::Silence(Ask::End(id)), _) => {
                self.silences.ended(&id);
                // The all-clear waited for it.
                self.due = now;
            }
        }
    }

    fn taken(&mut self, post: &[Item], now: Mono) {
        if self.reached != Some(true) {
            self.reached = Some(true);
            self.backoff.connected(now);
            // It may have been away, or is another one now.
            self.look = Some(now);
            self.silences.forget();
        }
        self.rest_until = None;
        self.round.accepted();
        for item in post {
            self.refused.remove(&item.alert.key);
            let Some(told) = self.told.get_mut(&item.alert.key) else {
                continue;
            };
            told.taken = item.alert.version;
            match &mut told.over {
                Some(Over::Plainly(since)) if item.over => {
                    since.get_or_insert(now);
                }
                Some(Over::WhenUntouched(untouched)) if item.over => untouched.done(),
                Some(_) | None => {}
            }
        }
    }

    fn not_taken(&mut self, post: Vec<Item>, now: Mono, jitter: f64) -> Option<Arc<Alert>> {
        match self.round.refused(post) {
            Refusal::Split => None,
            Refusal::Alone(item) => {
                let refused = (item.alert.version, now);
                self.refused.insert(Arc::clone(&item.alert.key), refused);
                Some(item.alert)
            }
            Refusal::Hopeless => {
                // It was never them.
                self.refused.clear();
                self.failed(None, now, jitter);
                None
            }
        }
    }

    fn failed(&mut self, wait: Option<Duration>, now: Mono, jitter: f64) {
        self.reached = Some(false);
        self.round = Round::default();
        let pause = self.backoff.failed(now, jitter);
        self.asked_to_wait = wait.is_some();
        let pause = wait.map_or(pause, |wait| wait.clamp(pause, LONGEST_WAIT));
        self.rest_until = Some(now + pause);
        // Everything, then: nobody knows what it took.
        self.due = now + pause;
    }

    /// What the far end has is compared with what it should have.
    fn looked(&mut self, found: &[FoundAlert], standing: &Standing, manner: &Manner, now: Mono) {
        for alert in orphans(found, standing, manner.pair) {
            let key = Arc::clone(&alert.key);
            self.told.entry(key).or_insert_with(|| Told {
                alert: Arc::new(alert),
                taken: 0,
                over: Some(Over::WhenUntouched(Untouched::former())),
            });
        }
        let mut ripe = false;
        for told in self.told.values_mut() {
            if let Some(Over::WhenUntouched(untouched)) = &mut told.over {
                ripe |= untouched.seen(&told.alert, found, now);
            }
        }
        if ripe {
            self.due = now;
            // Whoever meant it may have silenced it since the last look, and died.
            self.silences.doubt();
        }
        let waits = self.told.values().any(Told::waits);
        self.look = waits.then_some(now + LOOK);
    }

    /// Did the last question get through? `None`: none was asked yet.
    pub(super) const fn reached(&self) -> Option<bool> {
        self.reached
    }

    /// Alerts that it does not take.
    pub(super) fn refused(&self) -> usize {
        self.refused.len()
    }

    /// Has it been told everything there is?
    pub(super) fn is_up_to_date(&self, standing: &Standing) -> bool {
        self.told_of.0 == standing.version() && self.round.is_done() && self.reached == Some(true)
    }

    /// The clocks differ: what was told has wrong times.
    pub(super) fn tell_again(&mut self, now: Mono) {
        self.due = now;
    }
}

#[cfg(test)]
mod tests;
