//! The journal's memory, a disk and somebody who reads along, against what must hold of the three.

use proptest::prelude::*;

use super::*;

#[derive(Debug, Clone)]
enum Step {
    Push(usize),
    Begin,
    Succeed,
    Fail { reached_disk: bool },
    GoVolatile,
    Crash { reached_disk: bool },
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (1_usize..4).prop_map(Step::Push),
        1 => (300_usize..1500).prop_map(Step::Push),
        4 => Just(Step::Begin),
        4 => Just(Step::Succeed),
        2 => any::<bool>().prop_map(|reached_disk| Step::Fail { reached_disk }),
        2 => Just(Step::GoVolatile),
        1 => any::<bool>().prop_map(|reached_disk| Step::Crash { reached_disk }),
    ]
}

/// What the world was told of each event of a run, by the event's number in the test.
type Outcomes = Arc<Mutex<BTreeMap<u64, CommitOutcome>>>;

/// A ledger, a disk and somebody who reads along.
struct World {
    ledger: Ledger,
    epoch: u64,
    disk: BTreeMap<u64, Arc<str>>,
    group: Option<Group>,
    shown: Vec<Committed>,
    /// Ids by what they were ever given to, seen upstream or found on disk.
    given: BTreeMap<String, String>,
    told: Outcomes,
    pushed: u64,
    began: u64,
}

/// The line without its id and number: the event itself.
fn content(line: &str) -> &str {
    &line[line.find("\"time\"").expect("every line has a time")..]
}

impl World {
    fn new() -> Self {
        Self {
            ledger: run(1, 0),
            epoch: 1,
            disk: BTreeMap::new(),
            group: None,
            shown: Vec::new(),
            given: BTreeMap::new(),
            told: Arc::default(),
            pushed: 0,
            began: 0,
        }
    }

    fn push(&mut self, count: usize) -> Told {
        let mut calls = Told::new();
        for _ in 0..count {
            self.pushed += 1;
            let (number, told) = (self.pushed, Arc::clone(&self.told));
            let waiter: Waiter = Box::new(move |outcome| {
                let before = told.lock().expect("sound").insert(number, outcome);
                assert_eq!(before, None, "told twice");
            });
            calls.extend(self.ledger.push(entry(number), Some(waiter), Mono::ZERO).0);
        }
        calls
    }

    /// The group's rows reach the disk, whatever the process is told.
    fn reach_disk(&mut self, group: &mut Group) {
        store(&mut self.disk, group);
        for row in &group.rows {
            give(&mut self.given, &row.committed.line);
        }
    }

    fn step(&mut self, step: Step) -> Told {
        match (step, self.group.take()) {
            (Step::Push(count), group) => {
                self.group = group;
                self.push(count)
            }
            (Step::Begin, group) => {
                self.group = group.or_else(|| Some(self.ledger.group()));
                Told::new()
            }
            (Step::GoVolatile, group) => {
                self.group = group;
                self.ledger.go_volatile("io")
            }
            (Step::Crash { reached_disk }, group) => {
                if let Some(mut group) = group.filter(|_| reached_disk) {
                    self.reach_disk(&mut group);
                }
                self.crash();
                Told::new()
            }
            (Step::Succeed, Some(mut group)) => {
                self.reach_disk(&mut group);
                self.ledger.settle(group, Mono::ZERO)
            }
            (Step::Fail { reached_disk }, Some(mut group)) => {
                if reached_disk {
                    self.reach_disk(&mut group);
                }
                self.ledger.abandon(group);
                Told::new()
            }
            (Step::Succeed | Step::Fail { .. }, None) => Told::new(),
        }
    }

    /// Memory is gone; the next run finds the disk and takes an epoch of its own.
    fn crash(&mut self) {
        let last = self.disk.last_key_value().map_or(0, |(seq, _)| *seq);
        self.epoch += 1;
        self.ledger = run(self.epoch, last);
        self.shown.clear();
        self.told = Arc::default();
        self.began = last;
    }

    fn read_along(&mut self) {
        let last = self.shown.last().map_or(self.began, |event| event.seq);
        for event in self.ledger.in_memory(last, usize::MAX) {
            give(&mut self.given, &event.line);
            self.shown.push(event);
        }
    }

    /// At the end, with a disk that works: everything is in its place.
    fn check(&self) {
        assert_eq!((self.ledger.waiting(), self.ledger.volatile()), (0, None));
        // Memory is bounded, so a burst may be read from disk; here: seen or stored.
        assert!(self.shown.is_sorted_by(|a, b| a.seq < b.seq));
        for event in &self.shown {
            if let Some(line) = self.disk.get(&event.seq) {
                assert_eq!(line, &event.line, "stored otherwise than shown");
            }
        }
        let told = self.told.lock().expect("sound");
        let numbers: Vec<u64> = told
            .values()
            .filter_map(|outcome| match outcome {
                CommitOutcome::Committed { seq, .. } => Some(*seq),
                CommitOutcome::Dropped => None,
            })
            .collect();
        let expected = self.began + 1..=self.began + numbers.len() as u64;
        assert!(numbers.iter().copied().eq(expected), "order or gap");
        assert_eq!(self.ledger.issued(), self.began + numbers.len() as u64);
        if self.ledger.dropped() == 0 {
            let stored = self.disk.range(self.began + 1..).count();
            assert_eq!(stored, numbers.len());
        }
        let mut events: Vec<_> = self.given.values().collect();
        events.sort_unstable();
        let many = events.len();
        events.dedup();
        assert_eq!(events.len(), many, "an event was found under two ids");
    }
}

/// `line` was seen: its id belongs to this event, and to no other for ever.
fn give(given: &mut BTreeMap<String, String>, line: &str) {
    let event = content(line).to_owned();
    let before = given.insert(id(line).to_owned(), event.clone());
    assert!(
        before.is_none_or(|before| before == event),
        "{} was given twice",
        id(line)
    );
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]
    #[test]
    fn whatever_the_disk_does_the_invariants_hold(steps in proptest::collection::vec(step(), 1..60)) {
        let mut world = World::new();
        let end = [Step::Succeed].into_iter().chain([Step::Begin, Step::Succeed].into_iter().cycle().take(40));
        for step in steps.into_iter().chain(end) {
            let calls = world.step(step);
            calls.into_iter().for_each(|(waiter, outcome)| waiter(outcome));
            world.read_along();
            prop_assert!(world.ledger.waiting() <= RING);
        }
        world.check();
    }
}
