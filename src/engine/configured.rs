//! What was configured in the run before, and what is configured now (alarm-standards 1.5.6 and 1.5.11).
//!
//! Settings change with a restart only. The journal keeps what every alarm compared with, how long it
//! waited and how urgent it was ([`Configured`]); the next start compares. Every difference is a
//! `config_changed` event of its alarm, with the old and the new value; one more tells how many there
//! are. What follows for an occurrence that is open:
//!
//! | changed  | so                                                                                      |
//! |----------|-----------------------------------------------------------------------------------------|
//! | limit    | the first good value is judged by the new limit at once: if only the change ended the   |
//! |          | condition it is `cleared` without a delay, reason `config_change`                       |
//! | priority | higher: `changed`, and recognised or not, it wants attention as a new call to people    |
//! |          | lower: `changed`, for the record only                                                   |
//! | removed  | `cleared`, reason `rule_removed`                                                        |
//!
//! A journal that does not know (a new one, or one of an older version) is no difference.

use std::collections::BTreeMap;
use std::sync::Arc;

use super::Engine;
use super::alarm::{AlarmState, Input, Step, transition};
use super::delay::Zone;
use super::effect::{Cause, Details, Effect, EventKind, Was};
use super::memory::{CONFIGURATION, Configured, Content, Memory};
use super::occurrence::Alarm;
use super::reading::Finite;
use super::rule::{Watch, limit};
use super::settings::{LimitRule, Priority};
use super::snapshot::History;
use super::time::{Moment, show_duration};

/// Names of alarms in a message at most; the events of the alarms name all of them.
const NAMED: usize = 10;

impl Engine {
    /// Compares with the run before, and keeps what is configured for the next one.
    pub(super) fn compare_configuration(&mut self, history: &History) {
        let now = self.now;
        let before = history
            .memories
            .iter()
            .find_map(|memory| match &memory.content {
                Content::Configuration { configured } => Some(configured),
                Content::Exposure { .. } => None,
            });
        let mut changed = Vec::new();
        let mut added = Vec::new();
        for index in 0..self.alarms.len() {
            let is = self.alarms[index].configured();
            let was = before.map(|before| before.get(&self.alarms[index].id));
            match was {
                Some(Some(was)) if *was != is => {
                    changed.push(Arc::clone(&self.alarms[index].id));
                    self.reconfigure(index, *was, is, now);
                }
                Some(None) => added.push(Arc::clone(&self.alarms[index].id)),
                Some(Some(_)) | None => {}
            }
        }
        let removed = before.into_iter().flat_map(BTreeMap::keys);
        let removed = removed.filter(|alarm| self.find(alarm).is_none());
        let removed: Vec<Arc<str>> = removed.cloned().collect();
        let told = [
            ("changed", &changed),
            ("added", &added),
            ("removed", &removed),
        ];
        let told = told.iter().filter(|(_, alarms)| !alarms.is_empty());
        let told: Vec<String> = told.map(|(what, alarms)| listed(what, alarms)).collect();
        if !told.is_empty() {
            let details = Details {
                message: Some(told.join("; ")),
                ..Details::default()
            };
            self.announce(EventKind::ConfigChanged, Cause::Config, details);
        }
        if before.is_none() || !told.is_empty() {
            self.remember_configuration(now);
        }
    }

    fn remember_configuration(&mut self, now: Moment) {
        let configured = self.alarms.iter();
        let configured = configured.map(|alarm| (Arc::clone(&alarm.id), alarm.configured()));
        let content = Content::Configuration {
            configured: configured.collect(),
        };
        self.effects.push_back(Effect::Remember(Box::new(Memory {
            alarm: CONFIGURATION.into(),
            at: now.wall,
            content,
        })));
    }

    fn reconfigure(&mut self, index: usize, was: Configured, is: Configured, now: Moment) {
        let alarm = &mut self.alarms[index];
        if was.limit != is.limit
            && alarm.state.is_active()
            && alarm.count.is_none()
            && matches!(alarm.watch, Watch::Limit(_))
            && let Some(episode) = &mut alarm.episode
        {
            alarm.revised = true;
            episode.former_limit = was.limit;
        }
        let details = Details {
            reason: Some("config_change".to_owned()),
            message: Some(in_words(was, is)),
            was: Some(Box::new(Was {
                limit: was.limit.filter(|_| was.limit != is.limit),
                on_delay_s: (was.on_delay != is.on_delay).then_some(was.on_delay.as_secs_f64()),
                off_delay_s: (was.off_delay != is.off_delay).then_some(was.off_delay.as_secs_f64()),
                priority: (was.priority != is.priority).then_some(was.priority),
            })),
            ..Details::default()
        };
        self.report(index, EventKind::ConfigChanged, Cause::Config, details, now);
        if was.priority != is.priority {
            self.change_severity(index, now);
        }
    }

    /// An open occurrence is as urgent as its alarm is now.
    fn change_severity(&mut self, index: usize, now: Moment) {
        let alarm = &mut self.alarms[index];
        let (before, wanted) = (alarm.priority, alarm.wanted_priority());
        if wanted == before || alarm.state == AlarmState::Normal {
            return;
        }
        alarm.priority = wanted;
        let reason = if wanted > before {
            let realarmed = transition(alarm.standing(), Input::Realarm, alarm.traits);
            if let Ok((standing, Step::Realarmed)) = realarmed {
                alarm.withdraw_acknowledgement();
                alarm.state = standing.state;
            }
            "priority_raised"
        } else {
            "priority_lowered"
        };
        let details = Details {
            reason: Some(reason.to_owned()),
            message: Some(format!("priority {} -> {}", before.name(), wanted.name())),
            ..Details::default()
        };
        self.report(index, EventKind::Changed, Cause::Config, details, now);
    }

    /// The first verdict under another limit than the one that raised the alarm. Says whether that
    /// ended it: when the value has left the alarm by the new limit, and would not have by the old one.
    pub(super) fn end_by_config(
        &mut self,
        index: usize,
        zone: Zone,
        value: Finite,
        now: Moment,
    ) -> bool {
        let alarm = &mut self.alarms[index];
        if zone == Zone::Unknown {
            return false;
        }
        alarm.revised = false;
        let episode = alarm.episode.as_mut();
        let former = episode.and_then(|episode| episode.former_limit.take());
        if zone != Zone::Inside || !alarm.phase.in_alarm() {
            return false;
        }
        let (Watch::Limit(rule), Some(former)) = (&alarm.watch, former) else {
            return false;
        };
        let former = LimitRule {
            limit: former,
            ..*rule
        };
        if limit::zone(&former, value) == Zone::Inside {
            return false;
        }
        self.stand_down(index, now);
        self.clear(index, Cause::Config, now);
        true
    }
}

impl Alarm {
    /// What is kept for the next start, to know a change.
    fn configured(&self) -> Configured {
        Configured {
            limit: self.watch.limit(),
            on_delay: self.delays.on,
            off_delay: self.delays.off,
            priority: self.floor,
        }
    }

    /// The priority of the newest occurrence under the present settings.
    fn wanted_priority(&self) -> Priority {
        if self.inherits {
            self.priority.max(self.floor)
        } else {
            self.floor
        }
    }
}

/// `2 changed: A/high, B/high`.
fn listed(what: &str, alarms: &[Arc<str>]) -> String {
    let names: Vec<&str> = alarms.iter().take(NAMED).map(|alarm| &**alarm).collect();
    let more = if alarms.len() > NAMED { ", ..." } else { "" };
    format!("{} {what}: {}{more}", alarms.len(), names.join(", "))
}

/// `limit 25 -> 30, priority high -> critical`.
fn in_words(was: Configured, is: Configured) -> String {
    let mut parts = Vec::new();
    if was.limit != is.limit {
        let number =
            |limit: Option<f64>| limit.map_or_else(|| "none".to_owned(), |limit| limit.to_string());
        parts.push(format!(
            "limit {} -> {}",
            number(was.limit),
            number(is.limit)
        ));
    }
    for (name, was, is) in [
        ("on_delay", was.on_delay, is.on_delay),
        ("off_delay", was.off_delay, is.off_delay),
    ] {
        if was != is {
            let (was, is) = (show_duration(was), show_duration(is));
            parts.push(format!("{name} {was} -> {is}"));
        }
    }
    if was.priority != is.priority {
        let (was, is) = (was.priority.name(), is.priority.name());
        parts.push(format!("priority {was} -> {is}"));
    }
    parts.join(", ")
}
