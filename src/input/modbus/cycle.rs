//! How long a bus takes at worst until it has read what is due.
//!
//! A bus asks one question at a time, so whatever comes due waits for what is before it. The longest
//! that anything can wait is the *cycle*: everything comes due at one moment, and what is fast comes due
//! again while the rest still waits:
//!
//! ```text
//!   cycle = hold-up + sum over all classes of  cost * (how often it comes due within the cycle)
//! ```
//!
//! which is solved by trying: beginning with each class once, until nothing more comes due meanwhile. It
//! has a solution when the shares of the bus that the classes take add up to less than all of it. The
//! hold-up is what the bus loses to a unit that does not answer: one timeout.

use std::time::Duration;

/// A cycle longer than this is no monitoring, and not looked for.
const LONGEST: Duration = Duration::from_secs(3_600);

/// Ticks of a class that are looked at: a cycle of more is none that anybody wants.
const MOST_LOOKED_AT: usize = 1_000;

/// What is read together, as a load of its bus.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Load {
    /// From one question to the next.
    pub period: Duration,
    /// What all its requests take.
    pub cost: Duration,
}

/// The part of its time that a bus is busy; 1 and more is more than it has.
pub fn share(loads: &[Load]) -> f64 {
    let share = |load: &Load| {
        let period = load.period.max(Duration::from_nanos(1));
        load.cost.as_secs_f64() / period.as_secs_f64()
    };
    loads.iter().map(share).sum()
}

/// The longest that anything waits from when it is due until it was read, on a bus that loses `held_up`
/// first; `None` when the bus never gets done with what is due.
pub fn cycle(loads: &[Load], held_up: Duration) -> Option<Duration> {
    let mut cycle = loads
        .iter()
        .fold(held_up, |sum, load| sum.saturating_add(load.cost));
    while cycle <= LONGEST {
        let longer = loads.iter().fold(held_up, |sum, load| {
            let period = load.period.as_nanos().max(1);
            let polls = cycle.as_nanos().div_ceil(period).max(1);
            let polls = u32::try_from(polls).unwrap_or(u32::MAX);
            sum.saturating_add(load.cost.saturating_mul(polls))
        });
        if longer <= cycle {
            return Some(cycle);
        }
        cycle = longer;
    }
    None
}

/// How long what is read over a bus waits, from when it is due until it was read.
///
/// At most a cycle, and at most its own period where everything is read before it is due again. That is
/// so, as the nearest next tick goes first, when in no span of time more must be done than fits in it,
/// after the hold-up and what was begun before. That classes with hazards go ahead is not reckoned with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Waits {
    cycle: Option<Duration>,
    in_time: bool,
}

impl Waits {
    /// On a bus of these `loads` that loses `held_up` first.
    pub fn new(loads: &[Load], held_up: Duration) -> Self {
        let cycle = cycle(loads, held_up);
        let in_time = |load: &Load| {
            let last = cycle.unwrap_or_default().max(load.period);
            let ends = (1u32..).map(|polls| load.period.saturating_mul(polls));
            let mut ends = ends.take(MOST_LOOKED_AT).take_while(|end| *end <= last);
            ends.all(|end| demand(loads, end).saturating_add(held_up) <= end)
        };
        Self {
            cycle,
            in_time: loads.iter().all(in_time),
        }
    }

    /// The longest wait of what has this `period`; `None` when it is without end.
    pub fn of(&self, period: Duration) -> Option<Duration> {
        let cycle = self.cycle?;
        Some(if self.in_time {
            cycle.min(period)
        } else {
            cycle
        })
    }
}

/// What comes due and is due again within `span` from a moment when all comes due, and what was begun
/// just before that could have waited.
fn demand(loads: &[Load], span: Duration) -> Duration {
    let begun = loads.iter().filter(|load| load.period > span);
    let begun = begun.map(|load| load.cost).max();
    loads.iter().fold(begun.unwrap_or_default(), |sum, load| {
        let polls = span.as_nanos() / load.period.as_nanos().max(1);
        let polls = u32::try_from(polls).unwrap_or(u32::MAX);
        sum.saturating_add(load.cost.saturating_mul(polls))
    })
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const MS: Duration = Duration::from_millis(1);

    fn load(period: u32, cost: u32) -> Load {
        Load {
            period: MS * period,
            cost: MS * cost,
        }
    }

    #[test]
    fn a_cycle_is_everything_once_and_what_comes_due_meanwhile() {
        assert_eq!(cycle(&[], MS), Some(MS));
        assert_eq!(cycle(&[load(1000, 60); 10], Duration::ZERO), Some(MS * 600));
        // A timeout of 1 s: each of the ten comes due a second time, a third time nothing does.
        assert_eq!(cycle(&[load(2000, 60); 10], MS * 1000), Some(MS * 1600));
        assert_eq!(cycle(&[load(1000, 60); 10], MS * 1000), Some(MS * 2800));
        // The fast one comes due six times while the slow one is read.
        let mixed = [load(100, 10), load(10_000, 500)];
        assert_eq!(cycle(&mixed, Duration::ZERO), Some(MS * 560));
        assert!((share(&mixed) - 0.15).abs() < 1e-9);
    }

    #[test]
    fn what_is_more_than_a_bus_has_never_gets_done() {
        for cost in [101, 150, u32::MAX] {
            assert_eq!(cycle(&[load(1000, cost); 10], Duration::ZERO), None);
            assert!(share(&[load(1000, cost); 10]) > 1.0);
        }
        assert_eq!(cycle(&[load(0, 1)], Duration::ZERO), None);
    }

    /// Everything comes due at zero; serves in order of deadline and says how long the bus is busy.
    fn played(loads: &[Load], held_up: Duration) -> Duration {
        let mut due = vec![Duration::ZERO; loads.len()];
        let mut now = held_up;
        loop {
            let waiting = (0..loads.len()).filter(|&at| due[at] < now || now.is_zero());
            let Some(next) = waiting.min_by_key(|&at| due[at] + loads[at].period) else {
                return now;
            };
            due[next] += loads[next].period;
            now += loads[next].cost;
        }
    }

    /// The longest wait of each, when the nearest next tick goes first and `held_up` is lost at the start.
    fn waits(loads: &[Load], held_up: Duration, offsets: &[Duration]) -> Vec<Duration> {
        let mut due = offsets.to_vec();
        let mut longest = vec![Duration::ZERO; loads.len()];
        let mut now = held_up;
        while now < MS * 30_000 {
            let waiting = (0..loads.len()).filter(|&at| due[at] <= now);
            let Some(next) = waiting.min_by_key(|&at| due[at] + loads[at].period) else {
                now = due.iter().copied().min().expect("some");
                continue;
            };
            now += loads[next].cost;
            longest[next] = longest[next].max(now - due[next]);
            due[next] += loads[next].period;
        }
        longest
    }

    #[test]
    fn what_is_in_time_waits_for_its_period_at_most() {
        // 93 %, and all in time.
        let loads = [load(250, 160), load(1000, 65), load(5000, 80)];
        assert_eq!(wait(&loads, Duration::ZERO, MS * 250), Some(MS * 250));
        assert_eq!(wait(&loads, Duration::ZERO, MS * 1000), Some(MS * 465));
        let busy = [load(400, 120); 3];
        assert_eq!(
            wait(&busy, Duration::ZERO, MS * 400),
            cycle(&busy, Duration::ZERO)
        );
        let roomy = [load(1000, 100); 8];
        assert_eq!(wait(&roomy, MS * 100, MS * 1000), Some(MS * 900));
        assert_eq!(wait(&roomy, MS * 1000, MS * 1000), cycle(&roomy, MS * 1000));
    }

    fn wait(loads: &[Load], held_up: Duration, period: Duration) -> Option<Duration> {
        Waits::new(loads, held_up).of(period)
    }

    proptest! {
        #[test]
        fn nothing_waits_longer_than_was_said(
            loads in prop::collection::vec((50u32..2000, 1u32..60, 0u32..2000), 1..8),
            held_up in 0u32..1500,
        ) {
            let offsets: Vec<_> = loads.iter().map(|(_, _, offset)| MS * *offset).collect();
            let loads: Vec<_> = loads.into_iter().map(|(period, cost, _)| load(period, cost)).collect();
            prop_assume!(share(&loads) < 0.95);
            let held_up = MS * held_up;
            for (load, longest) in loads.iter().zip(waits(&loads, held_up, &offsets)) {
                let said = wait(&loads, held_up, load.period).expect("a share below one");
                // What was begun just before adds to a cycle.
                let begun = loads.iter().map(|load| load.cost).max().expect("one");
                prop_assert!(longest <= said + begun, "{load:?}: {longest:?}, said {said:?}");
            }
        }

        #[test]
        fn the_cycle_is_how_long_a_bus_is_busy_when_all_comes_due_at_once(
            loads in prop::collection::vec((50u32..2000, 1u32..40), 1..12),
            held_up in 0u32..1500,
        ) {
            let loads: Vec<_> = loads.into_iter().map(|(period, cost)| load(period, cost)).collect();
            prop_assume!(share(&loads) < 0.95);
            let held_up = MS * held_up;
            let found = cycle(&loads, held_up);
            prop_assert_eq!(found, Some(played(&loads, held_up)));
        }
    }
}
