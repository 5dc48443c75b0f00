//! A first-out group as its members' committed events tell of it (alarm-standards 2.15): of the alarms
//! that come in a row exactly one is the first, and what nobody was told of is none.

use std::collections::BTreeMap;

use forewarn::engine::alarm::AlarmState;
use forewarn::engine::effect::{Event, EventKind, Subject};
use forewarn::engine::snapshot::AlarmRecord;

use super::Finding;
use super::plant::ROWS;

/// One group.
#[derive(Clone)]
pub(super) struct Row {
    /// How each member stands; absent before its first event.
    members: BTreeMap<&'static str, AlarmRecord>,
    ids: &'static [&'static str],
    /// Was a member raised since all were normal, or silenced?
    begun: bool,
}

impl Row {
    pub(super) fn all() -> Vec<Self> {
        let row = |ids: &&'static [&'static str]| Self {
            members: BTreeMap::new(),
            ids,
            begun: false,
        };
        ROWS.iter().map(row).collect()
    }

    /// The gateway begins anew, and knows of a row what its members show.
    pub(super) fn restarts(&mut self) {
        self.begun = self.is_busy();
    }

    /// A committed event.
    pub(super) fn hear(&mut self, event: &Event, subject: &Subject) -> Finding {
        let id = self.ids.iter().find(|id| ***id == *subject.alarm);
        let (Some(id), Some(record)) = (id, &event.record) else {
            return Ok(());
        };
        if event.kind == EventKind::Raised {
            let speaks = !event.details.late && record.overlays().is_empty();
            let active = |(other, record): (&&str, &AlarmRecord)| {
                other != id && speaks_up(record) && record.state.is_active()
            };
            let first = speaks && !self.begun && !self.members.iter().any(active);
            if subject.first_out != first {
                return Err(format!("first out: {first} is right of {event:?}"));
            }
            self.begun |= speaks;
        }
        // The mark stays with its occurrence.
        let before = self.members.insert(id, record.clone());
        let moved = before.filter(|before| {
            before.occurrence == record.occurrence && before.first_out != record.first_out
        });
        if moved.is_some() {
            return Err(format!("first out: the mark came or went with {event:?}"));
        }
        self.begun &= self.is_busy();
        Ok(())
    }

    fn is_busy(&self) -> bool {
        self.members.values().any(speaks_up)
    }
}

/// Does the alarm say anything to people?
fn speaks_up(record: &AlarmRecord) -> bool {
    record.state != AlarmState::Normal && record.overlays().is_empty()
}
