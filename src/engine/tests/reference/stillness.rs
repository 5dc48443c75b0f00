//! Whether a value stands still, found by going through everything that was ever seen.

use super::model::Where;
use super::{FrozenPlan, Quarters};

#[derive(Debug, Clone, Copy, PartialEq)]
enum Seen {
    Value(f64),
    /// Must it move? `None`: nobody knows.
    Gate(Option<bool>),
    Lost,
}

pub(super) struct Stillness {
    after: Quarters,
    tolerance: f64,
    gated: bool,
    seen: Vec<(Quarters, Seen)>,
    /// How much was seen when it was last found to stand still.
    found: usize,
}

impl Stillness {
    pub(super) const fn new(plan: &FrozenPlan) -> Self {
        Self {
            after: plan.after,
            tolerance: plan.tolerance(),
            gated: plan.gated,
            seen: Vec::new(),
            found: 0,
        }
    }

    pub(super) fn value(&mut self, now: Quarters, value: f64) {
        self.seen.push((now, Seen::Value(value)));
    }

    pub(super) fn gate(&mut self, now: Quarters, open: Option<bool>) {
        self.seen.push((now, Seen::Gate(open)));
    }

    pub(super) fn lose(&mut self, now: Quarters) {
        self.seen.push((now, Seen::Lost));
    }

    /// Must it move, after the first `seen` of what was seen?
    fn open(&self, seen: usize) -> Option<bool> {
        if !self.gated {
            return Some(true);
        }
        let mut gates = self.seen[..seen].iter().rev();
        gates.find_map(|(_, seen)| match seen {
            Seen::Gate(open) => Some(*open),
            Seen::Value(_) | Seen::Lost => None,
        })?
    }

    pub(super) fn place(&mut self, now: Quarters) -> Where {
        let lost = self.seen.iter().rposition(|(_, seen)| *seen == Seen::Lost);
        let first = lost.map_or(0, |lost| lost + 1);
        // Values of the present run, when it began, and the last movement.
        let mut run: Vec<f64> = Vec::new();
        let mut read = 0;
        let mut begun = now;
        let mut moved = None;
        let mut was_open = false;
        for index in first..self.seen.len() {
            let (t, seen) = self.seen[index];
            if let Seen::Value(value) = seen {
                let far = run
                    .iter()
                    .any(|other| (other - value).abs() > self.tolerance);
                if far || run.is_empty() {
                    moved = if far { Some(index) } else { moved };
                    (run, read, begun) = (Vec::new(), 0, t);
                }
                run.push(value);
                read += 1;
            }
            let is_open = self.open(index + 1) == Some(true);
            if is_open && !was_open {
                // From now on it must move: from the value that holds now.
                run = run.last().copied().into_iter().collect();
                read = usize::from(matches!(seen, Seen::Value(_)));
                begun = t;
            }
            was_open = is_open && !run.is_empty();
        }
        let Some(open) = self.open(self.seen.len()).filter(|_| !run.is_empty()) else {
            return Where::Unknown;
        };
        if open && read >= 5 && now - begun >= self.after {
            self.found = self.seen.len();
            return Where::Beyond;
        }
        if moved.is_some_and(|moved| moved >= self.found) {
            Where::Inside
        } else {
            Where::Unknown
        }
    }
}
