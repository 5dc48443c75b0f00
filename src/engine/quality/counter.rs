//! Readings without a time, by the counter of their source (alarm-standards 2.23).
//!
//! A lower number than the newest one is an older reading that comes again, or late: it is not news. Unless
//! the counter began anew, because the device did or because it is full. How that looks:
//!
//! | number | is |
//! |---|---|
//! | the newest, or one below it | known, or older |
//! | at most [`NEAR_ZERO`], and more than [`FAR`] below the newest | the first after a restart or an overflow |
//! | the third of some that rise, the first of them [`RUN`] ago | of a counter that was set back |
//!
//! Brokers and devices deliver again in a bunch what they have not got a receipt for, so what rises for
//! longer than that is the present. A device that is started anew before its counter was far says nothing
//! new for that long, and for three readings at least; a bunch of older readings that takes longer, with
//! three or more of them, is believed. Whoever needs more gives its readings a time.

use std::time::Duration;

use super::super::time::Mono;

/// A counter that began anew is heard first with one of these.
const NEAR_ZERO: u64 = 16;

/// So many readings nobody delivers again.
const FAR: u64 = 128;

/// Numbers that rise for so long are those of the present.
const RUN: Duration = Duration::from_secs(10);

/// ... if they are so many.
const NUMBERS: u32 = 3;

/// See the module docs.
#[derive(Debug, Default)]
pub(super) struct Counter {
    /// Of the newest reading that was news.
    newest: Option<u64>,
    /// Below that, numbers that rise.
    run: Option<Run>,
}

#[derive(Debug, Clone, Copy)]
struct Run {
    /// The highest.
    number: u64,
    /// When the first one came.
    since: Mono,
    /// How many.
    numbers: u32,
}

impl Counter {
    /// Is the reading with this number, which comes at `now`, known or older than the newest one?
    pub(super) fn is_behind(&mut self, number: u64, now: Mono) -> bool {
        let Some(newest) = self.newest.filter(|newest| number <= *newest) else {
            return false;
        };
        if number <= NEAR_ZERO && newest - number > FAR {
            return false;
        }
        let run = match self.run {
            Some(run) if number == run.number => return true,
            Some(run) if number > run.number && number < newest => Run {
                number,
                numbers: run.numbers.saturating_add(1),
                ..run
            },
            Some(_) | None => Run {
                number,
                since: now,
                numbers: 1,
            },
        };
        self.run = Some(run);
        run.numbers < NUMBERS || now.since(run.since) < RUN
    }

    /// A reading with this number is news.
    pub(super) const fn accept(&mut self, number: Option<u64>) {
        if number.is_some() {
            self.newest = number;
            self.run = None;
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: f64) -> Mono {
        Mono::ZERO + Duration::from_secs_f64(seconds)
    }

    /// Which of these are news.
    fn news(numbers: &[(f64, u64)]) -> Vec<u64> {
        let mut counter = Counter::default();
        let mut news = Vec::new();
        for (time, number) in numbers {
            if !counter.is_behind(*number, at(*time)) {
                counter.accept(Some(*number));
                news.push(*number);
            }
        }
        news
    }

    #[test]
    fn lower_numbers_are_older_unless_the_counter_began_anew() {
        type Case = (&'static [(f64, u64)], &'static [u64]);
        let cases: [Case; 9] = [
            (
                &[(0.0, 5), (1.0, 7), (2.0, 6), (3.0, 7), (4.0, 8)],
                &[5, 7, 8],
            ),
            // From nothing, and after an overflow of a byte, one reading of which is lost.
            (&[(0.0, 200), (1.0, 0), (2.0, 1)], &[200, 0, 1]),
            (&[(0.0, 255), (1.0, 1)], &[255, 1]),
            // Near to zero, but not far from the newest; far, but not near to zero.
            (&[(0.0, 144), (1.0, 16)], &[144]),
            (&[(0.0, 145), (1.0, 16)], &[145, 16]),
            (&[(0.0, 900), (1.0, 17)], &[900]),
            // It was set back: three that rise, and for long enough.
            (
                &[(0.0, 90), (1.0, 1), (6.0, 2), (11.0, 3), (12.0, 4)],
                &[90, 3, 4],
            ),
            (&[(0.0, 90), (1.0, 1), (11.0, 2), (21.0, 3)], &[90, 3]),
            // One that comes again and again does not rise, and what falls begins anew.
            (
                &[
                    (0.0, 90),
                    (1.0, 1),
                    (9.0, 2),
                    (20.0, 2),
                    (30.0, 1),
                    (35.0, 2),
                    (39.0, 3),
                ],
                &[90],
            ),
        ];
        for (numbers, expected) in cases {
            assert_eq!(news(numbers), expected, "{numbers:?}");
        }
    }

    proptest! {
        /// What is delivered again within ten seconds, in whatever order and how often, is no news.
        #[test]
        fn no_bunch_of_older_readings_is_news(
            newest in 0_u64..100_000,
            behind in prop::collection::vec(0_u64..=FAR, 1..60),
        ) {
            let mut numbers = vec![(0.0, newest)];
            let bunch = behind.iter().zip(0_u32..);
            numbers.extend(bunch.map(|(behind, nth)| {
                (1.0 + f64::from(nth) * 0.16, newest.saturating_sub(*behind))
            }));
            prop_assert_eq!(news(&numbers), [newest]);
        }

        /// Wherever a counter goes on, one that counts each second is believed again soon.
        #[test]
        fn no_counter_is_unheard_for_long(newest: u64, from: u64, steps in 12_u64..40) {
            let from = from.min(u64::MAX - 100);
            let mut numbers = vec![(0.0, newest)];
            let present = (1..=steps).map(|step| (step, from + step));
            numbers.extend(present.map(|(step, number)| {
                (f64::from(u32::try_from(step).expect("few")), number)
            }));
            prop_assert_eq!(news(&numbers).last().copied(), Some(from + steps));
        }
    }
}
