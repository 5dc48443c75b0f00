//! What the way of the commands says of itself: heartbeat, log, and for the health pages that nothing is heard.
//! There the output's own point takes it from, so that whoever commands in vain is not the first to know.

use std::time::Duration;

use tracing::{error, warn};

use super::{Commander, Talk};
use crate::broker::{Ending, STOLEN};
use crate::engine::time::Mono;

/// The kind of these troubles on the health pages; their name is the output's.
pub(crate) const COMMANDS: &str = "commands";

/// The kind of what is said of a subscription that is granted, but not as asked for. Not [`COMMANDS`]: that makes an
/// alarm, which would stand for as long as the broker is the one that it is.
const GRANT: &str = "commands over";

/// Connected and deaf is worse than disconnected: no SUBACK in this time ends the connection.
const SUBACK_WITHIN: Duration = Duration::from_secs(5);

/// How connections end on which nothing can be heard.
pub(super) const NO_SUBACK: &str = "no_suback";
pub(super) const SUBSCRIPTION_REFUSED: &str = "subscription_refused";

impl Commander {
    /// About twice a second, whatever happens.
    pub(super) fn turn(&mut self, talk: &Talk, now: Mono) -> Result<(), Ending> {
        self.metrics.heartbeat(&self.task);
        if let Some(since) = talk.subscribed {
            self.theft.stands(now.since(since));
            if !self.theft.is_known() {
                self.tell(None);
            }
        } else if talk
            .asked
            .is_some_and(|asked| now.since(asked) > SUBACK_WITHIN)
        {
            let detail = "the broker did not answer the subscription of commands";
            return Err(Ending::ours(NO_SUBACK, detail));
        }
        Ok(())
    }

    /// The connection ended.
    pub(super) fn lost(&mut self, ending: &Ending, lived: Option<Duration>, now: Mono) {
        self.unsure(None);
        let known = self.theft.is_known();
        self.theft.ended(ending, lived);
        if self.theft.is_known() {
            if !known {
                let (output, client_id) = (&*self.output, &*self.client_id);
                error!(
                    output,
                    client_id, "{STOLEN}: the broker drops us for it, again and again"
                );
            }
            self.tell(Some(STOLEN.to_owned()));
        } else if [NO_SUBACK, SUBSCRIPTION_REFUSED].contains(&ending.name) {
            self.tell(Some(ending.detail.clone()));
        }
        if let Some(count) = self.sampler.hit(ending.name, now) {
            let (reason, detail) = (ending.name, &ending.detail);
            warn!(
                output = &*self.output,
                reason, detail, count, "no commands can be received"
            );
        }
    }

    /// What the broker grants is less than was asked for, or nothing is any more: as long as the connection stands.
    pub(super) fn unsure(&self, words: Option<String>) {
        if let Some(words) = &words {
            warn!(output = &*self.output, "commands: {words}");
        }
        self.metrics.trouble(GRANT, &self.output, words);
    }

    fn tell(&mut self, words: Option<String>) {
        if words != self.told {
            self.metrics.trouble(COMMANDS, &self.output, words.clone());
            self.told = words;
        }
    }
}
