//! Who has recognised an alarm, its newest occurrence and older ones, and for how long that stands.

use std::time::Duration;

use super::super::annunciation;
use super::super::command::Call;
use super::super::overlay::Term;
use super::super::snapshot::{Acknowledgement, RecognisedOccurrence};
use super::super::time::Moment;
use super::{Alarm, Episode};

/// Older occurrences of which it is remembered who recognised them, per alarm: for those who come
/// second. Of older ones the journal tells.
const RECOGNISED: usize = 4;

impl Episode {
    /// Keeps in mind who recognised an occurrence that is not the newest.
    pub(super) fn remember(&mut self, occurrence: u64, acknowledged: Acknowledgement) {
        if self.recognised.len() == RECOGNISED {
            self.recognised.remove(0);
        }
        self.recognised.push(RecognisedOccurrence {
            occurrence,
            acknowledged,
        });
    }
}

impl Alarm {
    /// A person (or the system, for unattended alarms) recognised the newest occurrence.
    pub(in super::super) fn acknowledge(&mut self, by: &str, now: Moment) {
        if let Some(episode) = self.episode.as_mut() {
            episode.acknowledged = Some(Acknowledgement {
                by: by.into(),
                at: now.wall,
            });
        }
    }

    /// From now on the acknowledgement stands for so long: as whoever gave it said, and as configured. Gives
    /// the time, if there is one and the alarm is active.
    pub(in super::super) fn promise(
        &mut self,
        span: Option<Duration>,
        now: Moment,
    ) -> Option<Term> {
        let span = span.into_iter().chain(self.realarm_after).min();
        let term = span
            .filter(|_| self.state.is_active())
            .map(|span| Term::new(now, span));
        self.episode.as_mut()?.promise = term;
        term
    }

    /// Who said that the newest occurrence is known to its first-out group, if it is.
    pub(in super::super) fn released(&self) -> Option<&Acknowledgement> {
        self.episode.as_ref()?.released.as_ref()
    }

    /// Who recognised an older occurrence, as far as that is remembered.
    pub(in super::super) fn recognised(&self, occurrence: u64) -> Option<&Acknowledgement> {
        let recognised = &self.episode.as_ref()?.recognised;
        let found = recognised
            .iter()
            .find(|older| older.occurrence == occurrence);
        found.map(|older| &older.acknowledged)
    }

    /// Somebody recognises an older occurrence. Says whether it still waited for that.
    pub(in super::super) fn recognise(&mut self, occurrence: u64, by: &str, now: Moment) -> bool {
        let Some(episode) = self.episode.as_mut() else {
            return false;
        };
        let waiting = &mut episode.unacknowledged;
        let Some(position) = waiting
            .iter()
            .position(|older| older.occurrence == occurrence)
        else {
            return false;
        };
        waiting.remove(position);
        let acknowledged = Acknowledgement {
            by: by.into(),
            at: now.wall,
        };
        episode.remember(occurrence, acknowledged);
        true
    }

    /// Is this the last call for attention of its occurrence? Of one that is over and recognised it is not known
    /// any more, and does not matter.
    pub(in super::super) fn is_last_call(&self, call: &Call) -> bool {
        let Some(episode) = self.episode.as_deref() else {
            return false;
        };
        if episode.occurrence == call.occurrence {
            return episode.annunciation == Some(call.annunciation);
        }
        let open = episode.unacknowledged.iter();
        let mut open = open.filter(|open| open.occurrence == call.occurrence);
        open.all(|open| open.annunciation == Some(call.annunciation))
    }

    /// Nobody counts as having recognised the newest occurrence any more, nor as having seen to it, nor does
    /// it count as known to its first-out group: it calls again. Gives whoever recognised it.
    pub(in super::super) fn withdraw_acknowledgement(
        &mut self,
        now: Moment,
    ) -> Option<Acknowledgement> {
        let episode = self.episode.as_mut()?;
        episode.annunciation = Some(annunciation::next(episode.annunciation, now.wall));
        episode.promise = None;
        episode.released = None;
        if let Some(confirmation) = &mut episode.confirmation {
            confirmation.confirmed = None;
        }
        episode.acknowledged.take()
    }
}
