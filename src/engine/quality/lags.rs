//! The smallest of the newest lags, without keeping them all.
//!
//! A lag that a smaller one follows can never be the smallest again, so it is forgotten at once. What
//! is left rises from the oldest to the newest, the first is the smallest, and of sixty random lags
//! four or five are kept. Exact: the answers are those of a list of all of them.

use std::collections::VecDeque;

/// Lags that count; older ones are forgotten.
pub(super) const LAGS: u64 = 60;

/// See the module docs. Lags are in seconds.
#[derive(Debug, Default)]
pub(super) struct Lags {
    /// Number and lag of those that may still become the smallest: both rise.
    rising: VecDeque<(u64, f64)>,
    /// Number of the next one.
    next: u64,
    /// Number of the oldest one that counts.
    oldest: u64,
}

impl Lags {
    /// How many count.
    pub(super) const fn len(&self) -> u64 {
        self.next - self.oldest
    }

    /// The smallest one, if there is any.
    pub(super) fn smallest(&self) -> Option<f64> {
        self.rising.front().map(|(_, lag)| *lag)
    }

    /// Forgets the oldest one if as many are there as count. Says whether it did.
    pub(super) fn make_room(&mut self) -> bool {
        if self.len() < LAGS {
            return false;
        }
        self.rising
            .pop_front_if(|(number, _)| *number == self.oldest);
        self.oldest += 1;
        true
    }

    /// Adds the newest one.
    pub(super) fn push(&mut self, lag: f64) {
        self.make_room();
        while self
            .rising
            .pop_back_if(|(_, before)| *before >= lag)
            .is_some()
        {}
        self.rising.push_back((self.next, lag));
        self.next += 1;
    }

    /// Each is off by `step`.
    pub(super) fn shift(&mut self, step: f64) {
        for (_, lag) in &mut self.rising {
            *lag += step;
        }
    }

    /// These take the place of all others.
    pub(super) fn begin_anew(&mut self, lags: impl Iterator<Item = f64>) {
        self.rising.clear();
        self.oldest = self.next;
        lags.for_each(|lag| self.push(lag));
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[derive(Debug, Clone)]
    enum Step {
        Push(i8),
        MakeRoom,
        Shift(i8),
        Anew(Vec<i8>),
    }

    fn step() -> impl Strategy<Value = Step> {
        prop_oneof![
            40 => any::<i8>().prop_map(Step::Push),
            3 => Just(Step::MakeRoom),
            2 => any::<i8>().prop_map(Step::Shift),
            1 => prop::collection::vec(any::<i8>(), 0..9).prop_map(Step::Anew),
        ]
    }

    proptest! {
        #[test]
        fn answers_as_a_list_of_all_of_them(steps in prop::collection::vec(step(), 1..300)) {
            let (mut lags, mut all) = (Lags::default(), VecDeque::new());
            for step in steps {
                let full = all.len() as u64 == LAGS;
                match step {
                    Step::Push(lag) => {
                        lags.push(lag.into());
                        if full {
                            all.pop_front();
                        }
                        all.push_back(f64::from(lag));
                    }
                    Step::MakeRoom => {
                        prop_assert_eq!(lags.make_room(), full);
                        if full {
                            all.pop_front();
                        }
                    }
                    Step::Shift(step) => {
                        lags.shift(step.into());
                        all.iter_mut().for_each(|lag| *lag += f64::from(step));
                    }
                    Step::Anew(anew) => {
                        lags.begin_anew(anew.iter().map(|lag| f64::from(*lag)));
                        all = anew.into_iter().map(f64::from).collect();
                    }
                }
                prop_assert_eq!(lags.len(), all.len() as u64);
                prop_assert_eq!(lags.smallest(), all.iter().copied().reduce(f64::min));
            }
        }
    }
}
