//! When the broker has what was published at QoS 0. Pure.
//!
//! The specification wants births and data at QoS 0, for which MQTT has no receipt: a message that was
//! written to a socket may never be read from it. But a broker takes the packets of a connection in
//! their order, and must answer an UNSUBSCRIBE whatever it names (MQTT 3.1.1, 3.10.4). So one that names
//! a topic nobody subscribed to follows what was published; its answer is the receipt for all of it:
//!
//! ```text
//!   NDATA 41, NDATA 42, UNSUBSCRIBE ─────▶  broker
//!                           UNSUBACK ◀─────         events 41 and 42 are there
//! ```
//!
//! A PINGREQ would do as well, but the client library sends it only when it likes. A publish at QoS 1
//! would need a topic that access lists allow.
//!
//! Bound: one question is open at a time; what was published meanwhile is the next one's.

use crate::engine::time::Mono;

/// The receipts of one connection.
#[derive(Debug, Default)]
pub(super) struct Receipts {
    /// Something was published that no question covers.
    open: bool,
    /// Events among it.
    events: Vec<u64>,
    asked: Option<(Mono, Vec<u64>)>,
}

impl Receipts {
    /// A message was handed to the wire; `event`: the event it carries.
    pub(super) fn wrote(&mut self, event: Option<u64>) {
        self.open = true;
        self.events.extend(event);
    }

    /// `true`: ask now, after everything that was written.
    pub(super) fn ask(&mut self, now: Mono) -> bool {
        if !self.open || self.asked.is_some() {
            return false;
        }
        self.open = false;
        self.asked = Some((now, std::mem::take(&mut self.events)));
        true
    }

    /// The answer came: for these events.
    pub(super) fn answered(&mut self) -> Option<Vec<u64>> {
        self.asked.take().map(|(_, events)| events)
    }

    /// Since when an answer is missing.
    pub(super) fn missing_since(&self) -> Option<Mono> {
        self.asked.as_ref().map(|(since, _)| *since)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_covers_what_was_written_before_the_question() {
        let mut receipts = Receipts::default();
        let at = Mono::from_nanos;
        assert!(!receipts.ask(at(1)), "nothing was written");
        assert_eq!(receipts.answered(), None);
        receipts.wrote(None);
        receipts.wrote(Some(41));
        assert!(receipts.ask(at(2)));
        receipts.wrote(Some(42));
        assert!(!receipts.ask(at(3)), "one is open");
        assert_eq!(receipts.missing_since(), Some(at(2)));
        assert_eq!(receipts.answered(), Some(vec![41]));
        assert_eq!(receipts.missing_since(), None);
        assert!(receipts.ask(at(4)));
        assert_eq!(receipts.answered(), Some(vec![42]));
        assert!(!receipts.ask(at(5)));
    }
}
