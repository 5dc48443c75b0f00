//! Since when does the receiver lack something? Pure.
//!
//! Events are noted as they are read from the journal and leave when the cursor passes them. After a
//! connection ended, only the first is still known to be next; the others are read again.

use std::collections::VecDeque;

use serde::Deserialize;

use crate::engine::time::Wall;
use crate::event::{Committed, rfc3339};

/// When the unconfirmed events happened that were read; as many as the window holds.
#[derive(Debug, Default)]
pub(super) struct Oldest {
    unconfirmed: VecDeque<(u64, Wall)>,
}

impl Oldest {
    /// Events were read from the journal, in order; known ones change nothing.
    pub(super) fn read(&mut self, events: &[Committed]) {
        let known = self.unconfirmed.back().map_or(0, |(seq, _)| *seq);
        let new = events.iter().filter(|event| event.seq > known);
        let new = new.filter_map(|event| Some((event.seq, time_of(&event.line)?)));
        self.unconfirmed.extend(new);
    }

    /// The receiver has everything up to `cursor`.
    pub(super) fn confirmed(&mut self, cursor: u64) {
        while self
            .unconfirmed
            .front()
            .is_some_and(|(seq, _)| *seq <= cursor)
        {
            self.unconfirmed.pop_front();
        }
    }

    /// The connection ended: what was read behind the first is read again.
    pub(super) fn disconnected(&mut self) {
        self.unconfirmed.truncate(1);
    }

    /// When the first of them happened; `None` as long as none is known.
    pub(super) fn time(&self) -> Option<Wall> {
        self.unconfirmed.front().map(|(_, time)| *time)
    }
}

/// The journal wrote the line, so its time is there.
fn time_of(line: &str) -> Option<Wall> {
    #[derive(Deserialize)]
    struct Stamp<'l> {
        #[serde(borrow)]
        time: &'l str,
    }
    let stamp: Stamp<'_> = serde_json::from_str(line).ok()?;
    rfc3339::parse(stamp.time)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn event(seq: u64) -> Committed {
        Committed {
            seq,
            line: format!(r#"{{"id":"a:1:{seq}","time":"2026-05-04T06:12:{seq:02}.000Z"}}"#).into(),
            alarm: None,
            record: None,
            durable: true,
        }
    }

    #[test]
    fn the_first_unconfirmed_event_counts() {
        let mut oldest = Oldest::default();
        let second = |oldest: &Oldest| {
            let time = oldest.time()?;
            Some(rfc3339::format(time)[17..19].to_owned())
        };
        assert_eq!(second(&oldest), None);
        oldest.read(&[event(4), event(5)]);
        oldest.read(&[event(5), event(6)]);
        assert_eq!(second(&oldest).as_deref(), Some("04"));
        oldest.confirmed(5);
        assert_eq!(second(&oldest).as_deref(), Some("06"));
        oldest.read(&[event(7)]);
        oldest.disconnected();
        assert_eq!(second(&oldest).as_deref(), Some("06"));
        oldest.confirmed(6);
        assert_eq!(second(&oldest), None);
    }
}
