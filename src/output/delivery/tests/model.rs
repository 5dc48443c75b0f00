//! The window against a model of the far end, memory and disk.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Commit(u64),
    /// The oldest events leave memory.
    Forget(u64),
    /// What is not in memory can be read from disk, or not.
    Disk(bool),
    /// An event that is on disk only goes from there.
    Prune(prop::sample::Index),
    Send(usize),
    Acknowledge(prop::sample::Index),
    /// Everything that can go has gone.
    Rest,
    Disconnect(bool),
    Crash,
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        3 => (1..8_u64).prop_map(Step::Commit),
        2 => (1..8_u64).prop_map(Step::Forget),
        2 => any::<bool>().prop_map(Step::Disk),
        1 => any::<prop::sample::Index>().prop_map(Step::Prune),
        4 => (1..6_usize).prop_map(Step::Send),
        6 => any::<prop::sample::Index>().prop_map(Step::Acknowledge),
        1 => Just(Step::Rest),
        2 => any::<bool>().prop_map(Step::Disconnect),
        1 => Just(Step::Crash),
    ];
    prop::collection::vec(step, 0..160)
}

const CAPACITY: usize = 4;

/// The far end, memory and disk, as simple as can be.
struct World {
    delivery: Delivery,
    committed: u64,
    /// Memory begins after this number.
    memory: u64,
    readable: bool,
    pruned: BTreeSet<u64>,
    durable: u64,
    /// Events whose acknowledgement is to come on this connection, once for each.
    wire: Vec<u64>,
    /// Events that memory lost while they were on the way: they go again on the same connection.
    twice: BTreeSet<u64>,
    /// What the far end has, and what it cannot take.
    dealt_with: BTreeSet<u64>,
    last_live: u64,
    /// The last event on this connection, as long as the disk could always be read.
    last_in_order: Option<u64>,
}

impl World {
    fn new() -> Self {
        Self {
            delivery: Delivery::new(0, CAPACITY, 0),
            committed: 0,
            memory: 0,
            readable: true,
            pruned: BTreeSet::new(),
            durable: 0,
            wire: Vec::new(),
            twice: BTreeSet::new(),
            dealt_with: BTreeSet::new(),
            last_live: 0,
            last_in_order: None,
        }
    }

    fn connect(&mut self) {
        self.delivery.connected(self.committed);
        self.delivery.proved();
        self.wire.clear();
        self.twice.clear();
        self.last_live = 0;
        self.last_in_order = (!self.delivery.is_cut()).then_some(self.delivery.cursor());
    }

    fn disconnect(&mut self, by_far_end: bool) {
        if let Some(aside) = self.delivery.disconnected(by_far_end) {
            assert!(!self.dealt_with.contains(&aside), "it had arrived");
            self.dealt_with.insert(aside);
        }
    }

    fn progress(&mut self, progress: Progress) {
        if let Some(cursor) = progress.cursor {
            assert!(cursor > self.durable, "it never goes back");
            self.durable = cursor;
        }
        let lost = |seq: &u64| !self.dealt_with.contains(seq) && !self.pruned.contains(seq);
        let lost = (1..=self.delivery.cursor()).find(lost);
        assert_eq!(lost, None, "the cursor passed an event nobody has");
    }

    fn hand_out(&mut self, after: u64, seq: u64) {
        if self.delivery.replayed(seq) {
            assert!(seq <= self.committed);
        } else {
            assert!(seq > self.last_live, "live events go in order");
            self.last_live = seq;
        }
        if let Some(last) = &mut self.last_in_order {
            assert!(seq > *last, "everything goes in order");
            *last = seq;
        }
        if self.wire.contains(&seq) {
            self.twice.insert(seq);
        }
        let due = if seq.is_multiple_of(3) { 2 } else { 1 };
        let progress = self.delivery.sent(seq, due, Mono::ZERO);
        let pruned = (after + 1..seq).filter(|seq| self.pruned.contains(seq));
        assert_eq!(progress.gone, pruned.count() as u64, "only what is gone");
        self.wire.extend(std::iter::repeat_n(seq, due));
        self.progress(progress);
    }

    /// As the output does it, with a disk that answers at once. `true`: something moved.
    fn send(&mut self, mut left: usize) -> bool {
        let (mut turn, mut moved) = (0, false);
        while let Some(want) = self.delivery.want(turn) {
            assert!(want.room <= CAPACITY);
            turn += 1;
            let Want {
                mut after, upto, ..
            } = want;
            let newest = upto.min(self.committed);
            let room = want.room.min(left);
            if after >= upto {
                continue;
            }
            if after >= self.memory {
                for seq in (after + 1..=newest).take(room) {
                    self.hand_out(seq - 1, seq);
                    (left, moved) = (left - 1, true);
                }
                continue;
            }
            if matches!(want.place, Place::Only | Place::Oldest) && self.readable {
                let kept = (after + 1..=newest).filter(|seq| !self.pruned.contains(seq));
                let kept: Vec<u64> = kept.take(room).collect();
                if kept.is_empty() && room > 0 {
                    let progress = self.delivery.passed_over(after, newest);
                    assert_eq!(progress.gone, newest - after);
                    self.progress(progress);
                    moved = true;
                }
                for seq in kept {
                    self.hand_out(after, seq);
                    (after, left, moved) = (seq, left - 1, true);
                }
                return moved;
            }
            if self.delivery.go_ahead(after, self.memory) {
                self.last_in_order = None;
                turn = 0;
            } else {
                assert_eq!(want.place, Place::Oldest, "for ever");
            }
        }
        moved
    }

    fn acknowledge(&mut self, position: usize) {
        let seq = self.wire.swap_remove(position);
        let complete = !self.wire.contains(&seq);
        let progress = self.delivery.acknowledged(seq);
        let delivered = progress.delivered.is_some();
        assert!(!delivered || complete || self.twice.contains(&seq));
        if complete || delivered {
            self.dealt_with.insert(seq);
        }
        self.progress(progress);
    }

    /// Whatever the disk does, nothing that memory has is held back for ever.
    fn rest(&mut self) {
        loop {
            let moved = self.send(CAPACITY);
            if !moved && self.wire.is_empty() {
                break;
            }
            while !self.wire.is_empty() {
                self.acknowledge(0);
            }
        }
        let held_back = |seq: &u64| !self.dealt_with.contains(seq);
        assert_eq!((self.memory + 1..=self.committed).find(held_back), None);
        let unread = self.delivery.unconfirmed(self.committed);
        assert!(unread == 0 || !self.readable, "{unread} are left");
        let memory = if self.readable { 0 } else { self.memory };
        assert!(!self.delivery.has_more(self.committed, memory));
    }

    fn step(&mut self, step: Step) {
        match step {
            Step::Commit(count) => self.committed += count,
            Step::Forget(count) => self.memory = (self.memory + count).min(self.committed),
            Step::Disk(readable) => self.readable = readable,
            Step::Prune(index) => {
                if self.memory > 0 {
                    let seqs = usize::try_from(self.memory).expect("few");
                    self.pruned.insert(index.index(seqs) as u64 + 1);
                }
            }
            Step::Send(count) => {
                self.send(count);
            }
            Step::Acknowledge(index) => {
                if !self.wire.is_empty() {
                    self.acknowledge(index.index(self.wire.len()));
                }
            }
            Step::Rest => self.rest(),
            Step::Disconnect(by_far_end) => {
                self.disconnect(by_far_end);
                self.connect();
            }
            Step::Crash => {
                self.memory = self.committed;
                self.delivery = Delivery::new(self.durable, CAPACITY, self.committed);
                self.connect();
            }
        }
    }
}

proptest! {
    #[test]
    fn nothing_is_lost_or_held_back_whatever_happens(steps in steps()) {
        let mut world = World::new();
        world.connect();
        for step in steps {
            world.step(step);
        }
        world.readable = true;
        world.rest();
        prop_assert_eq!(world.delivery.unconfirmed(world.committed), 0);
    }
}
