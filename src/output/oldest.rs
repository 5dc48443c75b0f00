//! Since when does the receiver lack something? Pure.
//!
//! Events are noted as they are handed to the wire and leave when the cursor passes them. After a
//! connection ended, only the first is still known to be next; the others are handed out again. As
//! long as nothing of an unread backlog is known, the first event beyond it stands for it: what the
//! receiver lacks is at least as old.

use std::collections::VecDeque;

use crate::engine::time::Wall;
use crate::event::{Committed, rfc3339};

/// When the unconfirmed events happened; as many as the window holds, and one.
#[derive(Debug, Default)]
pub(super) struct Oldest {
    unconfirmed: VecDeque<(u64, Wall)>,
}

impl Oldest {
    /// An event is handed to the wire; known ones change nothing. `in_order`: everything before it was
    /// handed out, too. Others are noted only while none is known.
    pub(super) fn handed_out(&mut self, event: &Committed, in_order: bool) {
        let at = self
            .unconfirmed
            .partition_point(|(seq, _)| *seq < event.seq);
        let known = self
            .unconfirmed
            .get(at)
            .is_some_and(|(seq, _)| *seq == event.seq);
        if known || !(in_order || self.unconfirmed.is_empty()) {
            return;
        }
        if let Some(time) = rfc3339::of_line(&event.line) {
            self.unconfirmed.insert(at, (event.seq, time));
        }
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

    /// The connection ended: what comes after the first is handed out again.
    pub(super) fn disconnected(&mut self) {
        self.unconfirmed.truncate(1);
    }

    /// When the first of them happened; `None` as long as none is known.
    pub(super) fn time(&self) -> Option<Wall> {
        self.unconfirmed.front().map(|(_, time)| *time)
    }
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
            at: None,
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
        for seq in [4, 5, 5, 6] {
            oldest.handed_out(&event(seq), true);
        }
        assert_eq!(second(&oldest).as_deref(), Some("04"));
        oldest.confirmed(5);
        assert_eq!(second(&oldest).as_deref(), Some("06"));
        oldest.handed_out(&event(7), true);
        oldest.disconnected();
        assert_eq!(second(&oldest).as_deref(), Some("06"));
        oldest.confirmed(6);
        assert_eq!(second(&oldest), None);
    }

    #[test]
    fn what_went_ahead_stands_for_a_backlog_of_which_nothing_is_known() {
        let mut oldest = Oldest::default();
        for seq in [40, 41, 42] {
            oldest.handed_out(&event(seq), false);
        }
        assert_eq!(oldest.time(), rfc3339::of_line(&event(40).line));
        oldest.handed_out(&event(4), true);
        assert_eq!(oldest.time(), rfc3339::of_line(&event(4).line));
        oldest.confirmed(4);
        assert_eq!(oldest.time(), rfc3339::of_line(&event(40).line));
        oldest.confirmed(42);
        assert_eq!(oldest.time(), None);
    }
}
