//! Which subscriptions have brought nothing since the broker granted them. Pure.
//!
//! A broker may grant what its access list then hides: mosquitto does. The points behind such a topic go
//! stale by themselves; this says which subscription it is.

use std::collections::BTreeSet;
use std::time::Duration;

/// A sensor that has said nothing for so long may be one that says little; it is told all the same.
pub(super) const TOLD_AFTER: Duration = Duration::from_secs(60);

/// Filters named in a sentence at most.
const NAMED: usize = 3;

/// Filters of one connection.
#[derive(Debug, Default)]
pub(super) struct Unheard {
    asked: usize,
    exact: BTreeSet<Box<str>>,
    /// Few: a mapping has one.
    wild: Vec<Box<str>>,
}

impl Unheard {
    /// These were granted.
    pub(super) fn granted<'f>(&mut self, filters: impl Iterator<Item = &'f str>) {
        for filter in filters {
            self.asked += 1;
            if filter.contains(['+', '#']) {
                self.wild.push(filter.into());
            } else {
                self.exact.insert(filter.into());
            }
        }
    }

    /// A message came.
    pub(super) fn heard(&mut self, topic: &str) {
        self.exact.remove(topic);
        if !self.wild.is_empty() {
            self.wild.retain(|filter| !rumqttc::matches(topic, filter));
        }
    }

    /// What there is to say, if there is.
    pub(super) fn words(&self) -> Option<String> {
        let silent = self.exact.len() + self.wild.len();
        let all = self.wild.iter().chain(&self.exact);
        let named: Vec<String> = all
            .take(NAMED)
            .map(|filter| format!("`{filter}`"))
            .collect();
        let more = if silent > NAMED { ", ..." } else { "" };
        (silent > 0).then(|| {
            format!(
                "nothing has come on {silent} of {} subscriptions since they were granted: {}{more}; does the \
                 broker's access list hide them?",
                self.asked,
                named.join(", ")
            )
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_subscription_that_brought_something_is_not_named() {
        let mut unheard = Unheard::default();
        assert_eq!(unheard.words(), None);
        unheard.granted(["a/b", "a/c", "plant/+/level", "x/#"].into_iter());
        unheard.heard("a/b");
        unheard.heard("x/y/z");
        unheard.heard("nobody/asked");
        let words = unheard.words().expect("two are silent");
        assert!(
            words.contains("2 of 4") && words.contains("`plant/+/level`, `a/c`;"),
            "{words}"
        );
        unheard.heard("plant/7/level");
        unheard.heard("a/c");
        assert_eq!(unheard.words(), None);
    }
}
