//! How often something has begun within a time: of the rule that counts
//! ([`CountRule`](super::settings::CountRule)), and of alarms that chatter.

use std::time::Duration;

use super::time::Mono;

/// So many raises within [`CHATTER_WINDOW`] are chatter (alarm-standards 1.5.12).
pub const CHATTER_RAISES: usize = 3;

/// The window `(t - CHATTER_WINDOW, t]`.
pub const CHATTER_WINDOW: Duration = Duration::from_secs(60);

/// The newest instants of something, as many as are counted: the window `(t - span, t]` holds so many
/// exactly when the oldest of them lies in it. Room for all from the start.
#[derive(Debug, Clone)]
pub(super) struct Instants {
    /// A ring; the next one takes the place of the oldest.
    ring: Box<[Option<Mono>]>,
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
        self.ring[self.next] = Some(now);
        self.next = (self.next + 1) % self.ring.len();
    }

    /// The oldest of as many as are counted; `None` while there were fewer.
    pub(super) fn oldest(&self) -> Option<Mono> {
        self.ring[self.next]
    }

    /// Were there as many within `span` up to `now`?
    pub(super) fn are_within(&self, span: Duration, now: Mono) -> bool {
        self.oldest().is_some_and(|oldest| now.since(oldest) < span)
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
        assert_eq!(instants.oldest(), Some(at(10)));
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
