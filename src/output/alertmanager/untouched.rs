//! Does anybody else still mean an alert? Pure.
//!
//! Whoever means it posts it anew within a `refresh`, and the far end then shows another `updatedAt`. The
//! two are compared and never read: no clock but ours is trusted with a duration.

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use super::alert::Alert;
use super::standing::Standing;
use super::wire::FoundAlert;
use crate::engine::settings::Priority;
use crate::engine::time::Mono;
use crate::event::rfc3339;

/// Two of the longest `refresh` that may be configured, and what is on its way.
const ANY_REFRESH: Duration = Duration::from_secs(65);

/// A wait for an alert to be left alone.
#[derive(Debug)]
pub(super) struct Untouched {
    enough: Duration,
    /// Its `updatedAt`, and since when it has been that.
    since: Option<(String, Mono)>,
    state: State,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Waits,
    /// Nobody means it.
    Ripe,
    /// It stands there no longer.
    Done,
}

impl Untouched {
    /// Until nobody has posted it for so long.
    pub(super) const fn for_at_least(enough: Duration) -> Self {
        Self {
            enough,
            since: None,
            state: State::Waits,
        }
    }

    /// Of labels that are not given any more.
    pub(super) const fn former() -> Self {
        Self::for_at_least(ANY_REFRESH)
    }

    /// A look found these. `true`: now it is known that nobody means it.
    pub(super) fn seen(&mut self, alert: &Alert, found: &[FoundAlert], now: Mono) -> bool {
        if self.state == State::Done {
            return false;
        }
        let Some(found) = found.iter().find(|found| found.labels == alert.labels) else {
            self.state = State::Done;
            return false;
        };
        match &self.since {
            Some((updated, since)) if *updated == found.updated_at => {
                if now.since(*since) >= self.enough {
                    self.state = State::Ripe;
                }
            }
            Some(_) | None => {
                self.since = Some((found.updated_at.clone(), now));
                self.state = State::Waits;
            }
        }
        self.state == State::Ripe
    }

    /// It was taken back.
    pub(super) fn done(&mut self) {
        self.state = State::Done;
    }

    pub(super) fn is_ripe(&self) -> bool {
        self.state == State::Ripe
    }

    pub(super) fn is_done(&self) -> bool {
        self.state == State::Done
    }
}

/// What stands at the far end in the name of this gateway and under labels that it does not give any more.
/// In a pair a priority says nothing: the partner's alarm may hide another hazard.
pub(super) fn orphans(found: &[FoundAlert], standing: &Standing, pair: bool) -> Vec<Alert> {
    let orphans = found.iter().filter_map(|found| {
        let alarm = found.labels.get("alarm")?;
        let site = found.labels.get("site")?;
        if **site != *standing.words.site {
            return None;
        }
        let given = standing.words.labels_at_rest(alarm);
        let is_orphan = match &given {
            Some(given) if pair => rest(given) != rest(&found.labels),
            Some(given) => given != &found.labels,
            None => standing.is_former(alarm),
        };
        is_orphan.then(|| orphan(alarm, found))
    });
    orphans.collect()
}

fn rest(labels: &BTreeMap<String, String>) -> BTreeMap<&str, &str> {
    let own = labels.iter().map(|(name, value)| (&**name, &**value));
    own.filter(|(name, _)| !matches!(*name, "priority" | "severity"))
        .collect()
}

fn orphan(alarm: &str, found: &FoundAlert) -> Alert {
    let key = serde_json::to_string(&found.labels).expect("a map of texts always serializes");
    Alert {
        key: Arc::from(key),
        alarm: alarm.into(),
        priority: Priority::Low,
        labels: found.labels.clone(),
        annotations: found.annotations.clone(),
        starts_at: rfc3339::parse(&found.starts_at).unwrap_or_default(),
        page: None,
        version: 0,
    }
}

#[cfg(test)]
mod tests;
