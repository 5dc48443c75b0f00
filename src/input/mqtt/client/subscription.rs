//! Asking for the topics, a part at a time.
//!
//! One SUBSCRIBE for all of them would be longer than a packet may be when there are thousands. The
//! next part is asked for when the one before was answered, so an answer always belongs to the part
//! that is open, and the broker is never asked for more than it keeps up with.

use tracing::{debug, info, warn};

use super::{Connection, Subscriber};
use crate::broker::{Ending, Grant};
use crate::clock;
use crate::engine::time::Mono;

/// How a connection ends on which the broker refuses a topic: connected and deaf is worse.
pub(super) const SUBSCRIPTION_REFUSED: &str = "subscription_refused";

/// Topics in one SUBSCRIBE at most.
const FILTERS: usize = 500;
/// Bytes of one SUBSCRIBE at most, unless a single topic is longer.
const BYTES: usize = 64 * 1024;
/// What a topic takes beside its text: its length and its QoS.
const PER_FILTER: usize = 3;

/// How far a connection has come with its topics.
#[derive(Debug, Default)]
pub(super) struct Subscription {
    /// Topics that are granted.
    granted: usize,
    /// Topics in the part that is open.
    open: usize,
    /// When that was asked for.
    pub(super) asked_at: Option<Mono>,
}

/// How many of `topics` go into one SUBSCRIBE; at least one, if there is one.
fn part<'a>(topics: impl Iterator<Item = &'a str>) -> usize {
    let mut bytes = 0;
    let fits = |topic: &str| {
        let first = bytes == 0;
        bytes += topic.len() + PER_FILTER;
        first || bytes <= BYTES
    };
    topics
        .take(FILTERS)
        .map(fits)
        .take_while(|fits| *fits)
        .count()
}

impl Subscriber {
    /// Asks for the next part, or is done.
    pub(super) fn subscribe(&mut self, connection: &mut Connection) {
        let granted = connection.subscription.granted;
        let open = part(self.mapper.topics().skip(granted));
        if open == 0 {
            connection.subscribed = true;
            self.set_connected(true);
            info!(
                broker = &*self.id,
                topics = granted,
                "connected and subscribed"
            );
            if let Some(words) = connection.unsure.words() {
                warn!(broker = &*self.id, "{words}");
            }
            return;
        }
        let topics = self.mapper.topics().skip(granted).take(open);
        let asked = connection.client.subscribe(topics);
        connection.subscription.open = open;
        connection.subscription.asked_at = Some(clock::monotonic());
        if asked.is_err() {
            // The pump has met an error already and will tell; if not, no SUBACK will come.
            debug!(broker = &*self.id, "subscription not sent");
        }
    }

    /// The broker answered the open part.
    pub(super) fn suback(
        &mut self,
        connection: &mut Connection,
        grants: &[Grant],
    ) -> Result<(), Ending> {
        let Subscription { granted, open, .. } = connection.subscription;
        let asked = self.mapper.topics().skip(granted).take(open);
        let refused = asked
            .zip(grants)
            .find_map(|(topic, grant)| Some((topic, grant.refusal()?)));
        if let Some((topic, reason)) = refused {
            let detail =
                format!("the broker refuses the subscription of `{topic}` ({reason}); see its ACL");
            return Err(Ending::ours(SUBSCRIPTION_REFUSED, &detail));
        }
        if grants.len() != open {
            return Err(Ending::ours(
                "protocol",
                "the broker answered for another number of topics than it was asked",
            ));
        }
        let topics = self.mapper.topics().skip(granted).take(open);
        connection.unheard.granted(topics);
        let topics = self.mapper.topics().skip(granted).take(open);
        connection.unsure.granted(topics.zip(grants));
        connection.subscription.granted += open;
        connection.subscription.open = 0;
        self.subscribe(connection);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_bounded_in_topics_and_bytes_and_never_empty() {
        let long = "x".repeat(2 * BYTES);
        let middle = "x".repeat(BYTES / 4 - PER_FILTER);
        // (topics, how many fit)
        let cases = [
            (vec![], 0),
            (vec!["a"; 499], 499),
            (vec!["a"; 10_000], FILTERS),
            (vec![&*middle; 10], 4),
            (vec![&*long, "a"], 1),
            (vec!["a", &*long], 1),
        ];
        for (topics, expected) in cases {
            assert_eq!(part(topics.iter().copied()), expected, "{}", topics.len());
        }
    }
}
