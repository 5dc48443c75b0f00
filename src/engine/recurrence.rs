//! How often something has begun within a time: of the rule that counts
//! ([`CountRule`](super::settings::CountRule)), and of alarms that chatter.

use std::time::Duration;

use super::time::{Mono, Nanos, nanos, span_nanos};

/// So many raises within [`CHATTER_WINDOW`] are chatter (alarm-standards 1.5.12).
pub const CHATTER_RAISES: usize = 3;

/// The window `(t - CHATTER_WINDOW, t]`.
pub const CHATTER_WINDOW: Duration = Duration::from_secs(60);

/// The newest instants of something, as many as are counted: the window `(t - span, t]` holds so many
/// exactly when the oldest of them lies in it. Room for all from the start.
#[derive(Debug, Clone)]
pub(super) struct Instants {
    /// A ring; the next one takes the place of the oldest.
    ring: Box<[Option<Nanos>]>,
    next: usize,
}

impl Instants {
    /// None yet; `count` of them are counted, at least one.
    pub(super) fn new(count: usize) -> Self {
        Self {
            ring: vec![None; count.max(1)].into(),
            next: 0,
        }
    }

    /// One more, not before the last one.
    pub(super) fn note(&mut self, now: Mono) {
        self.note_at(nanos(now));
    }

    /// The same of a time that may lie before the start.
    pub(super) fn note_at(&mut self, time: Nanos) {
        self.ring[self.next] = Some(time);
        self.next = (self.next + 1) % self.ring.len();
    }

    /// All that are known, the oldest first.
    pub(super) fn known(&self) -> impl Iterator<Item = Nanos> {
        let (newer, older) = self.ring.split_at(self.next);
        older.iter().chain(newer).copied().flatten()
    }

    /// When the oldest of as many as are counted is `span` old; `None` while there were fewer.
    pub(super) fn pass(&self, span: Duration) -> Option<Mono> {
        let pass = self.ring[self.next]?.saturating_add(span_nanos(span));
        Some(Mono::from_nanos(u64::try_from(pass).unwrap_or_default()))
    }

    /// Were there as many within `span` up to `now`?
    pub(super) fn are_within(&self, span: Duration, now: Mono) -> bool {
        let oldest = self.ring[self.next];
        oldest.is_some_and(|oldest| nanos(now).saturating_sub(oldest) < span_nanos(span))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(second: u64) -> Mono {
        Mono::ZERO + Duration::from_secs(second)
    }

    #[test]
    fn the_window_is_open_at_its_old_end() {
        let minute = Duration::from_secs(60);
        let mut instants = Instants::new(3);
        for second in [0, 10] {
            instants.note(at(second));
            assert!(!instants.are_within(minute, at(second)), "{second}");
        }
        instants.note(at(59));
        assert!(instants.are_within(minute, at(59)));
        assert!(!instants.are_within(minute, at(60)), "(0, 60] has two");
        instants.note(at(60));
        assert!(
            instants.are_within(minute, at(69)),
            "the ring has gone round"
        );
        assert!(!instants.are_within(minute, at(70)));
        assert_eq!(instants.pass(minute), Some(at(70)));
        assert_eq!(
            instants.known().collect::<Vec<_>>(),
            [10, 59, 60].map(|second| nanos(at(second)))
        );
    }

    #[test]
    fn one_is_enough_where_one_is_counted() {
        let mut instants = Instants::new(1);
        assert!(!instants.are_within(Duration::from_secs(5), at(0)));
        instants.note(at(0));
        assert!(instants.are_within(Duration::from_secs(5), at(4)));
        assert!(!instants.are_within(Duration::from_secs(5), at(5)));
    }
}
