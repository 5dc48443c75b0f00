//! Who must be judged again when something changes elsewhere: a point when its status does, a group when
//! one of its channels does, an alarm that compares its point with another one, a suppression when the plant's state changes.
//!
//! ```text
//!   reading, timer, command                    until nothing is touched any more
//!            │                              ┌────────────────────────────────────┐
//!            ▼                              ▼                                    │
//!   its own point is judged ──touch──▶ dependents, each once, in order ──judged──┴─touch─▶ later ones
//! ```
//!
//! The call's own judging only *touches* what changed; that sets a bit for every dependent. Then the
//! engine works off the bits ([`Links::next`]), one after the other: no recursion, however long the
//! chain.
//!
//! **The order** is that of cause and effect, and that of the indices where neither depends on the
//! other. So whoever is judged sees everything before it settled: it is judged once, and not first by
//! half of what happened. Only what comes later may be touched while the work goes on, so it ends, after
//! as many steps as there are dependents at most; and as nothing that was judged is touched again,
//! judging anybody once more would change nothing. What a judging may touch is wired for that, and is all
//! it touches: a debug build asserts it. Suppressions touch nobody, for of what lies over an alarm only
//! what people laid there means something to others; so they stand in no circle.
//!
//! **Circles** (an alarm that in the end depends on itself) have no such order. They are refused with
//! the configuration; were there one, it would be cut where it closes.
//!
//! Built once, from the settings. Numbers instead of names, and room for every dependent from the
//! start: touching and working off allocates nothing. There is no queue to run full.

use std::collections::{BTreeMap, BTreeSet};

/// What may change, by index of the point or alarm.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Source {
    /// A point has another value, or has lost it. As often as there are readings.
    Value(usize),
    /// A point has a value again, has none any more, or is of another quality.
    Condition(usize),
    /// An alarm's condition was confirmed, or confirmed gone.
    Alarm(usize),
}

/// What is judged again.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Dependent {
    /// What the device of a point says of itself, by the point's index.
    Health(usize),
    /// A group as a whole, by its index among the groups.
    Group(usize),
    /// One alarm, by its index.
    Alarm(usize),
    /// What silences an alarm by design, by its index among the suppressions. Last: when what it looks
    /// at has settled.
    Suppression(usize),
}

/// Everything that depends on something, before it is put in order.
#[derive(Debug)]
pub(super) struct Wiring {
    /// What a dependent looks at.
    inputs: Vec<(Source, Dependent)>,
    /// What may change when it is judged.
    outputs: Vec<(Dependent, Source)>,
}

impl Wiring {
    /// Nothing depends on anything.
    pub(super) const fn new() -> Self {
        Self {
            inputs: Vec::new(),
            outputs: Vec::new(),
        }
    }

    /// `dependent` looks at `source`.
    pub(super) fn input(&mut self, source: Source, dependent: Dependent) {
        self.inputs.push((source, dependent));
    }

    /// Judging `dependent` may change `source`. For an alarm, itself goes without saying.
    pub(super) fn output(&mut self, dependent: Dependent, source: Source) {
        self.outputs.push((dependent, source));
    }
}

/// The links, and who was touched.
#[derive(Debug, Default)]
pub(super) struct Links {
    /// How many points there are: sources are numbered values first, then conditions, then alarms.
    points: usize,
    /// Where the dependents of each source begin in `dependents`; empty when nothing depends.
    starts: Vec<u32>,
    /// Positions in `order`, by source.
    dependents: Vec<u32>,
    /// Everyone, in the order in which they are judged.
    order: Vec<Dependent>,
    /// Who stands in a circle.
    circle: Vec<Dependent>,
    /// One bit for each position in `order`.
    touched: Vec<u64>,
    /// No bit is set in the words before this one.
    first: usize,
    /// Positions below this one are settled for this time; 0 outside of the work.
    settled: u32,
}

impl Links {
    /// Puts `wiring` between `points` points and `alarms` alarms in order.
    pub(super) fn new(mut wiring: Wiring, points: usize, alarms: usize) -> Self {
        wiring.inputs.sort_unstable();
        wiring.inputs.dedup();
        if wiring.inputs.is_empty() {
            return Self::default();
        }
        let (order, circle) = in_order(&wiring);
        let positions: BTreeMap<Dependent, u32> = order.iter().copied().zip(0..).collect();
        let mut links = Self {
            points,
            starts: Vec::with_capacity(2 * points + alarms + 1),
            dependents: Vec::with_capacity(wiring.inputs.len()),
            touched: vec![0; order.len().div_ceil(64)],
            order,
            circle,
            first: 0,
            settled: 0,
        };
        let mut inputs = wiring.inputs.iter().peekable();
        for number in 0..2 * points + alarms {
            links.starts.push(index(links.dependents.len()));
            while let Some((_, dependent)) =
                inputs.next_if(|(source, _)| links.number(*source) == number)
            {
                links.dependents.push(positions[dependent]);
            }
        }
        links.starts.push(index(links.dependents.len()));
        debug_assert!(inputs.next().is_none(), "a source that does not exist");
        links
    }

    /// Something changed: whoever depends on it is judged again.
    pub(super) fn touch(&mut self, source: Source) {
        let number = self.number(source);
        let (Some(from), Some(to)) = (self.starts.get(number), self.starts.get(number + 1)) else {
            return;
        };
        for position in &self.dependents[*from as usize..*to as usize] {
            debug_assert!(
                *position >= self.settled || !self.circle.is_empty(),
                "{source:?} is touched after {:?}, which looks at it, was judged",
                self.order[*position as usize]
            );
            if *position >= self.settled {
                let word = *position as usize / 64;
                self.touched[word] |= 1 << (position % 64);
                self.first = self.first.min(word);
            }
        }
    }

    /// The next one to judge; `None` when everything is settled.
    pub(super) fn next(&mut self) -> Option<Dependent> {
        while let Some(word) = self.touched.get_mut(self.first) {
            if *word != 0 {
                let position = self.first * 64 + word.trailing_zeros() as usize;
                *word &= *word - 1;
                self.settled = index(position + 1);
                return self.order.get(position).copied();
            }
            self.first += 1;
        }
        self.settled = 0;
        None
    }

    /// Everyone, in order.
    #[cfg(test)]
    pub(super) fn everyone(&self) -> Vec<Dependent> {
        self.order.clone()
    }

    /// Whoever depends on itself, by whatever detour.
    pub(super) fn circle(&self) -> &[Dependent] {
        &self.circle
    }

    const fn number(&self, source: Source) -> usize {
        match source {
            Source::Value(point) => point,
            Source::Condition(point) => self.points + point,
            Source::Alarm(alarm) => 2 * self.points + alarm,
        }
    }
}

/// Causes before effects, lower indices first. What stands in a circle, or behind one, comes last.
fn in_order(wiring: &Wiring) -> (Vec<Dependent>, Vec<Dependent>) {
    let mut waits_for: BTreeMap<Dependent, usize> = BTreeMap::new();
    let mut inputs: BTreeMap<Source, Vec<Dependent>> = BTreeMap::new();
    for (source, dependent) in &wiring.inputs {
        waits_for.entry(*dependent).or_default();
        inputs.entry(*source).or_default().push(*dependent);
    }
    let mut effects: BTreeMap<Dependent, BTreeSet<Dependent>> = BTreeMap::new();
    let own = waits_for.keys().filter_map(|dependent| match dependent {
        Dependent::Alarm(alarm) => Some((*dependent, Source::Alarm(*alarm))),
        Dependent::Health(_) | Dependent::Group(_) | Dependent::Suppression(_) => None,
    });
    for (dependent, source) in own.chain(wiring.outputs.iter().copied()) {
        let touched = inputs.get(&source).into_iter().flatten();
        effects.entry(dependent).or_default().extend(touched);
    }
    for effect in effects.values().flatten() {
        *waits_for.entry(*effect).or_default() += 1;
    }
    let free = waits_for.iter().filter(|(_, causes)| **causes == 0);
    let mut free: BTreeSet<Dependent> = free.map(|(dependent, _)| *dependent).collect();
    let mut order = Vec::with_capacity(waits_for.len());
    while let Some(dependent) = free.pop_first() {
        waits_for.remove(&dependent);
        order.push(dependent);
        for effect in effects.get(&dependent).into_iter().flatten() {
            if let Some(causes) = waits_for.get_mut(effect) {
                *causes -= 1;
                if *causes == 0 {
                    free.insert(*effect);
                }
            }
        }
    }
    order.extend(waits_for.keys());
    // Who is only behind a circle is not in it: nobody left waits for them.
    let mut circle: BTreeSet<Dependent> = waits_for.into_keys().collect();
    while let Some(behind) = circle.iter().copied().find(|dependent| {
        let mut effects = effects.get(dependent).into_iter().flatten();
        !effects.any(|effect| circle.contains(effect))
    }) {
        circle.remove(&behind);
    }
    (order, circle.into_iter().collect())
}

/// Settings of more than 2^32 links do not fit into memory.
fn index(position: usize) -> u32 {
    u32::try_from(position).expect("fewer than 2^32 links")
}

#[cfg(test)]
mod tests;
