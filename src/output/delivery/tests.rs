//! The window against a model of the far end and the disk.

use proptest::prelude::*;

use super::*;

fn send(delivery: &mut Delivery, seqs: std::ops::RangeInclusive<u64>) {
    for seq in seqs {
        delivery.sent(seq, 1, Mono::ZERO);
    }
}

fn cursor_after(delivery: &mut Delivery, seq: u64) -> Option<u64> {
    delivery.acknowledged(seq).cursor
}

#[test]
fn the_cursor_stops_at_a_hole() {
    let mut delivery = Delivery::new(10, 5, 0);
    delivery.connected(15);
    assert_eq!(delivery.room(), 0);
    delivery.proved();
    assert_eq!((delivery.room(), delivery.next()), (5, 10));
    send(&mut delivery, 11..=15);
    assert_eq!((delivery.room(), delivery.next()), (0, 15));
    assert_eq!(cursor_after(&mut delivery, 12), None);
    assert_eq!(cursor_after(&mut delivery, 13), None);
    assert_eq!(cursor_after(&mut delivery, 11), Some(13));
    assert_eq!((delivery.room(), delivery.cursor()), (3, 13));
}

#[test]
fn an_event_is_complete_with_its_last_acknowledgement() {
    let mut delivery = Delivery::new(0, 5, 0);
    delivery.connected(1);
    delivery.sent(1, 2, Mono::from_nanos(7));
    assert_eq!(delivery.acknowledged(1), Progress::default());
    let progress = delivery.acknowledged(1);
    assert_eq!(progress.delivered, Some(Mono::from_nanos(7)));
    assert_eq!(progress.cursor, Some(1));
    assert_eq!(delivery.acknowledged(1), Progress::default());
    assert_eq!(delivery.acknowledged(99), Progress::default());
}

#[test]
fn backlog_is_what_was_committed_before_the_connection() {
    // Events 1 to 5 are of earlier runs; 6 and 7 came before the first connection of this one.
    let mut delivery = Delivery::new(2, 5, 5);
    delivery.connected(7);
    let replayed = |delivery: &Delivery| -> Vec<u64> {
        (3..=10).filter(|seq| delivery.replayed(*seq)).collect()
    };
    assert_eq!(replayed(&delivery), [3, 4, 5]);
    delivery.disconnected(true);
    delivery.connected(9);
    assert_eq!(replayed(&delivery), [3, 4, 5, 6, 7, 8, 9]);
}

#[test]
fn after_a_disconnect_everything_behind_the_cursor_goes_again() {
    let mut delivery = Delivery::new(0, 5, 0);
    delivery.connected(5);
    send(&mut delivery, 1..=5);
    cursor_after(&mut delivery, 1);
    cursor_after(&mut delivery, 3);
    assert_eq!(delivery.disconnected(true), None);
    delivery.connected(5);
    delivery.proved();
    assert_eq!((delivery.room(), delivery.next()), (5, 1));
    // An acknowledgement of the old connection.
    assert_eq!(delivery.acknowledged(2), Progress::default());
}

/// One connection on which event `seq` and what fits with it is sent, and which the far end closes.
fn die(delivery: &mut Delivery, seq: u64, proven: bool, by_far_end: bool) -> Option<u64> {
    delivery.connected(100);
    if proven {
        delivery.proved();
    }
    let room = delivery.room();
    for seq in (seq..).take(room.max(usize::from(!proven))) {
        delivery.sent(seq, 1, Mono::ZERO);
    }
    delivery.disconnected(by_far_end)
}

#[test]
fn a_row_that_kills_connections_is_set_aside_in_the_end() {
    let mut delivery = Delivery::new(0, 5, 0);
    assert_eq!(die(&mut delivery, 1, true, true), None);
    for _ in 1..STRIKES {
        assert_eq!(die(&mut delivery, 1, true, true), None);
    }
    assert_eq!(die(&mut delivery, 1, true, true), Some(1));
    delivery.connected(100);
    delivery.proved();
    assert_eq!((delivery.cursor(), delivery.room()), (1, 5));
}

#[test]
fn only_one_is_set_aside_until_another_arrives() {
    let mut delivery = Delivery::new(0, 5, 0);
    let lost: Vec<u64> = (0..=STRIKES)
        .filter_map(|_| die(&mut delivery, 1, true, true))
        .collect();
    assert_eq!(lost, [1]);
    for _ in 0..50 {
        assert_eq!(die(&mut delivery, 2, true, true), None);
    }
    delivery.connected(100);
    delivery.sent(2, 1, Mono::ZERO);
    assert_eq!(cursor_after(&mut delivery, 2), Some(2));
    assert_eq!(delivery.disconnected(true), None);
    let lost = (0..=STRIKES).find_map(|_| die(&mut delivery, 3, true, true));
    assert_eq!(lost, Some(3));
}

#[test]
fn a_broken_far_end_is_not_the_fault_of_an_event() {
    for (proven, by_far_end) in [(false, true), (true, false)] {
        let mut delivery = Delivery::new(0, 5, 0);
        for _ in 0..50 {
            assert_eq!(die(&mut delivery, 1, proven, by_far_end), None);
            assert_eq!(delivery.suspect, None);
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Commit(u64),
    Send(usize),
    Acknowledge(prop::sample::Index),
    Disconnect(bool),
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        (1..5_u64).prop_map(Step::Commit),
        (1..6_usize).prop_map(Step::Send),
        any::<prop::sample::Index>().prop_map(Step::Acknowledge),
        any::<bool>().prop_map(Step::Disconnect),
        Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..120)
}

/// The far end and the disk, as simple as can be.
struct World {
    delivery: Delivery,
    committed: u64,
    durable: u64,
    /// (event, acknowledgements due) on this connection.
    wire: Vec<u64>,
    received: std::collections::BTreeSet<u64>,
    last_on_connection: u64,
}

impl World {
    fn connect(&mut self) {
        self.delivery.connected(self.committed);
        self.delivery.proved();
        self.wire.clear();
        self.last_on_connection = self.delivery.cursor();
    }

    /// What is set aside is the oldest that nobody has; it counts as dealt with.
    fn disconnect(&mut self, by_far_end: bool) {
        if let Some(aside) = self.delivery.disconnected(by_far_end) {
            assert_eq!(aside, self.durable + 1, "the oldest");
            self.received.insert(aside);
            self.durable = aside;
        }
    }

    fn send(&mut self, count: usize) {
        for _ in 0..count.min(self.delivery.room()) {
            let seq = self.delivery.next() + 1;
            if seq > self.committed {
                return;
            }
            assert_eq!(seq, self.last_on_connection + 1, "in order, without a hole");
            self.last_on_connection = seq;
            let due = if seq.is_multiple_of(3) { 2 } else { 1 };
            self.delivery.sent(seq, due, Mono::ZERO);
            self.wire.extend(std::iter::repeat_n(seq, due));
        }
    }

    fn acknowledge(&mut self, position: usize) {
        let seq = self.wire.swap_remove(position);
        let complete = !self.wire.contains(&seq);
        if complete {
            self.received.insert(seq);
        }
        let progress = self.delivery.acknowledged(seq);
        assert_eq!(progress.delivered.is_some(), complete);
        if let Some(cursor) = progress.cursor {
            self.durable = self.durable.max(cursor);
        }
        let holes = (1..=self.durable).find(|seq| !self.received.contains(seq));
        assert_eq!(holes, None, "the cursor passed an event nobody has");
        let oldest = self.wire.iter().min();
        assert!(oldest.is_none_or(|oldest| *oldest > self.durable));
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_whatever_happens(steps in steps()) {
        let mut world = World {
            delivery: Delivery::new(0, 4, 0),
            committed: 0,
            durable: 0,
            wire: Vec::new(),
            received: std::collections::BTreeSet::new(),
            last_on_connection: 0,
        };
        world.connect();
        for step in steps {
            match step {
                Step::Commit(count) => world.committed += count,
                Step::Send(count) => world.send(count),
                Step::Acknowledge(index) => {
                    if !world.wire.is_empty() {
                        world.acknowledge(index.index(world.wire.len()));
                    }
                }
                Step::Disconnect(by_far_end) => {
                    world.disconnect(by_far_end);
                    world.connect();
                }
                Step::Crash => {
                    world.delivery = Delivery::new(world.durable, 4, world.committed);
                    world.connect();
                }
            }
        }
        while world.durable < world.committed {
            world.send(4);
            world.acknowledge(0);
        }
        prop_assert_eq!(world.received.len() as u64, world.committed);
    }
}
