//! Which subscriptions the broker granted at QoS 0 only. Pure.
//!
//! Messages come all the same, so the connection stays. But what is lost on the way does not come again, and a
//! broker keeps nothing for us while we are away: that is told for as long as it is so.

use super::Grant;

/// Filters named in a sentence at most.
const NAMED: usize = 3;

/// Filters of one connection.
#[derive(Debug, Default)]
pub(crate) struct Unsure {
    asked: usize,
    count: usize,
    named: Vec<Box<str>>,
}

impl Unsure {
    /// This was granted.
    pub(crate) fn granted<'f>(&mut self, grants: impl Iterator<Item = (&'f str, &'f Grant)>) {
        for (filter, grant) in grants {
            self.asked += 1;
            if *grant != Grant::AtMostOnce {
                continue;
            }
            self.count += 1;
            if self.named.len() < NAMED {
                self.named.push(filter.into());
            }
        }
    }

    /// What there is to say, if there is.
    pub(crate) fn words(&self) -> Option<String> {
        let named: Vec<String> = self
            .named
            .iter()
            .map(|filter| format!("`{filter}`"))
            .collect();
        let more = if self.count > NAMED { ", ..." } else { "" };
        (self.count > 0).then(|| {
            format!(
                "the broker granted {} of {} subscriptions at QoS 0 instead of 1: {}{more}; what is lost on the \
                 way does not come again",
                self.count,
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
    fn the_first_of_those_that_are_less_than_asked_are_named() {
        let mut unsure = Unsure::default();
        unsure.granted([("a", &Grant::Granted)].into_iter());
        assert_eq!(unsure.words(), None);
        for filter in ["b", "c", "d", "e"] {
            unsure.granted([(filter, &Grant::AtMostOnce)].into_iter());
        }
        let words = unsure.words().expect("four are");
        let expected = "granted 4 of 5 subscriptions at QoS 0 instead of 1: `b`, `c`, `d`, ...;";
        assert!(words.contains(expected), "{words}");
    }
}
