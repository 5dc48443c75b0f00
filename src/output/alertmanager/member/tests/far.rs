//! The far end, and a gateway that talks to it.

use std::collections::BTreeSet;

use super::super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::snapshot::{Acknowledgement, AlarmRecord};
use crate::engine::time::{Moment, Wall};
use crate::event::rfc3339;
use crate::output::alertmanager::alert::tests::words;
use crate::output::alertmanager::wire::SilenceStatus;
use crate::output::message::tests::record;

/// A member of a cluster of one.
#[derive(Debug)]
pub(super) struct Far {
    pub(super) is_up: bool,
    /// Answers 429 and asks for this pause.
    pub(super) asks_for: Option<Duration>,
    /// Refuses each post with this alarm; with an empty text, each post.
    pub(super) refuses: Option<String>,
    pub(super) posts: u32,
    /// How often an alert began and ended.
    pub(super) begins: u32,
    pub(super) ends: u32,
    /// All-clears that a silence swallowed.
    pub(super) ended_in_silence: u32,
    /// By id; also those that are over.
    silences: BTreeMap<String, FoundSilence>,
    alerts: BTreeMap<String, (Arc<Alert>, bool, u64)>,
    ever: BTreeSet<String>,
    clock: u64,
}

impl Default for Far {
    fn default() -> Self {
        Self {
            is_up: true,
            asks_for: None,
            refuses: None,
            posts: 0,
            begins: 0,
            ends: 0,
            ended_in_silence: 0,
            silences: BTreeMap::new(),
            alerts: BTreeMap::new(),
            ever: BTreeSet::new(),
            clock: 0,
        }
    }
}

impl Far {
    /// The alarms whose alerts stand.
    pub(super) fn standing(&self) -> Vec<&str> {
        let standing = self.alerts.values().filter(|(_, stands, _)| *stands);
        standing.map(|(alert, ..)| &*alert.alarm).collect()
    }

    /// Does this one stand? `None`: it was never told of.
    pub(super) fn told(&self, alarm: &str) -> Option<bool> {
        let mut told = self
            .alerts
            .values()
            .filter(|(alert, ..)| &*alert.alarm == alarm);
        told.next().map(|(_, stands, _)| *stands)
    }

    /// The alarms whose alerts ever stood.
    pub(super) fn ever(&self) -> Vec<&str> {
        self.ever.iter().map(String::as_str).collect()
    }

    /// The marks of the silences that silence at `now`.
    pub(super) fn silences(&self, now: Moment) -> Vec<&str> {
        let silences = self.silences.values();
        let live = silences.filter(|silence| Some(now.wall) < rfc3339::parse(&silence.ends_at));
        live.map(|silence| &*silence.comment).collect()
    }

    /// The alarms that people are told of at `now`.
    pub(super) fn heard(&self, now: Moment) -> Vec<&str> {
        let mut heard = self.standing();
        heard.retain(|alarm| !self.is_silenced(alarm, now));
        heard
    }

    fn is_silenced(&self, alarm: &str, now: Moment) -> bool {
        let name = format!(" {alarm} ");
        let mut silences = self.silences(now).into_iter();
        silences.any(|comment| comment.contains(&name))
    }

    fn post(&mut self, items: &[Item], now: Moment) -> Posted {
        self.posts += 1;
        if !self.is_up {
            return Posted::Failed(None);
        }
        if self.asks_for.is_some() {
            return Posted::Failed(self.asks_for);
        }
        let bad = |item: &Item| {
            self.refuses
                .as_deref()
                .is_some_and(|alarm| *alarm == *item.alert.alarm)
        };
        if self.refuses.as_deref() == Some("") || items.iter().any(bad) {
            return Posted::Refused;
        }
        for item in items {
            self.clock += 1;
            let key = item.alert.key.to_string();
            let stood = self.alerts.get(&key).is_some_and(|(_, stands, _)| *stands);
            self.begins += u32::from(!stood && !item.over);
            self.ends += u32::from(stood && item.over);
            if !item.over {
                self.ever.insert(item.alert.alarm.to_string());
            }
            let silenced = self.is_silenced(&item.alert.alarm, now);
            self.ended_in_silence += u32::from(stood && item.over && silenced);
            let told = (Arc::clone(&item.alert), !item.over, self.clock);
            self.alerts.insert(key, told);
        }
        Posted::Taken
    }

    fn aside(&mut self, aside: &Aside, now: Moment) -> Answer {
        match aside {
            Aside::Alerts => {
                let standing = self.alerts.values().filter(|(_, stands, _)| *stands);
                let found = standing.map(|(alert, _, updated)| FoundAlert {
                    labels: alert.labels.clone(),
                    annotations: BTreeMap::new(),
                    starts_at: String::new(),
                    updated_at: updated.to_string(),
                });
                Answer::Alerts(found.collect())
            }
            Aside::Silence(silences::Ask::List) => {
                let all = self.silences.values().cloned();
                Answer::Silences(all.map(|silence| silence.at(now.wall)).collect())
            }
            Aside::Silence(silences::Ask::Make(_, wanted, live)) => {
                let known = live.as_ref().map(|live| live.id.clone());
                let id = known.unwrap_or_else(|| format!("s-{}", self.silences.len()));
                let silence = FoundSilence {
                    id: id.clone(),
                    comment: wanted.comment.clone(),
                    status: SilenceStatus {
                        state: String::new(),
                    },
                    starts_at: String::new(),
                    ends_at: rfc3339::format(wanted.until.min(now.wall + silences::LASTS)),
                    updated_at: rfc3339::format(now.wall),
                };
                self.silences.insert(id.clone(), silence);
                Answer::Made(id)
            }
            Aside::Silence(silences::Ask::End(id)) => {
                if let Some(silence) = self.silences.get_mut(id) {
                    silence.ends_at = rfc3339::format(now.wall);
                    silence.updated_at.clone_from(&silence.ends_at);
                }
                Answer::Ended
            }
        }
    }
}

impl FoundSilence {
    /// As it is shown at `now`.
    fn at(mut self, now: Wall) -> Self {
        let is_live = Some(now) < rfc3339::parse(&self.ends_at);
        self.status.state = if is_live { "active" } else { "expired" }.to_owned();
        self
    }
}

/// A gateway with one member.
pub(super) struct Gateway {
    pub(super) member: Member,
    /// Alarms whose alerts were refused.
    pub(super) refused: Vec<String>,
    standing: Standing,
    manner: Manner,
    records: BTreeMap<String, AlarmRecord>,
    configured: Vec<String>,
    pub(super) now: Moment,
}

impl Gateway {
    /// All of them have the same alarms.
    pub(super) fn new(site: &str, pair: Option<&str>) -> Self {
        let mut configured: Vec<String> = ["A", "B", "C", "D"]
            .map(|point| format!("{point}/high"))
            .into();
        configured.extend((0..200).map(|number| format!("P-{number}/high")));
        let now = Moment::default().after(Duration::from_secs(1_000_000));
        let manner = Manner {
            refresh: Duration::from_secs(30),
            pair: pair.is_some(),
            silences: silences::Policy {
                site: site.into(),
                pair: pair.map(str::to_owned),
                ..silences::Policy::default()
            },
        };
        let standing = stand(&configured, &BTreeMap::new(), now);
        Self {
            member: Member::new(&standing, &manner, now.mono),
            refused: Vec::new(),
            standing,
            manner,
            records: BTreeMap::new(),
            configured,
            now,
        }
    }

    /// Takes effect at once.
    pub(super) fn silences(&mut self, acknowledged: bool) {
        self.manner.silences.acknowledged = acknowledged;
    }

    /// As if the last look had been before there was any.
    pub(super) fn overlook_silences(&mut self) {
        let now = self.now.mono;
        let policy = &self.manner.silences;
        self.member.silences.found(policy, Vec::new(), now);
    }

    /// The alarm is in `state` now; an active one was raised now, if it was not active before.
    pub(super) fn set(&mut self, alarm: &str, state: AlarmState, occurrence: u64) {
        let before = self.records.get(alarm);
        let raised = before.filter(|before| before.occurrence == occurrence);
        let raised = raised
            .and_then(|before| before.raised_at)
            .unwrap_or(self.now.wall);
        let record = AlarmRecord {
            occurrence,
            raised_at: Some(raised),
            cleared_at: (!state.is_active()).then_some(self.now.wall),
            ..record(alarm, state)
        };
        self.standing.heard(&record, "", self.now);
        self.records.insert(alarm.to_owned(), record);
    }

    pub(super) fn acknowledge(&mut self, alarm: &str) {
        let record = self.records.get_mut(alarm).expect("it was set");
        record.state = AlarmState::Acknowledged;
        record.acknowledged = Some(Acknowledgement {
            by: "li-wei".into(),
            at: self.now.wall,
        });
        self.standing.heard(record, "", self.now);
    }

    /// The alarm is taken out of the configuration; takes effect with a restart.
    pub(super) fn remove(&mut self, alarm: &str) {
        self.configured.retain(|configured| configured != alarm);
    }

    pub(super) fn restart(&mut self) {
        self.standing = stand(&self.configured, &self.records, self.now);
        self.member = Member::new(&self.standing, &self.manner, self.now.mono);
    }

    /// Talks to `far` for so many seconds.
    pub(super) fn run(&mut self, far: &mut Far, seconds: u64) {
        for _ in 0..seconds * 4 {
            self.standing.turn(self.now);
            let silences = &self.manner.silences;
            let wishes = silences.wishes(&self.standing, self.now.wall);
            let mut busy = true;
            while busy {
                busy = false;
                let now = self.now.mono;
                let ways = (&self.manner, &wishes);
                if let Some(post) = self.member.post(&self.standing, ways, now) {
                    let outcome = far.post(&post, self.now);
                    let refused = self.member.posted(post, outcome, now, 0.5);
                    self.refused
                        .extend(refused.map(|alert| alert.alarm.to_string()));
                    busy = true;
                }
                if let Some(aside) = self.member.aside(ways, &BTreeMap::new(), now) {
                    let answer = far.aside(&aside, self.now);
                    self.member
                        .told(aside, answer, (&self.standing, &self.manner), now);
                    busy = true;
                }
            }
            self.now = self.now.after(Duration::from_millis(250));
        }
    }
}

fn stand(configured: &[String], records: &BTreeMap<String, AlarmRecord>, now: Moment) -> Standing {
    let names: Vec<&str> = configured.iter().map(String::as_str).collect();
    Standing::new(words(&names), Duration::ZERO, records.values(), now)
}
