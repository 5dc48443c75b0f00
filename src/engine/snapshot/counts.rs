//! What became of readings, as numbers.

use std::ops::AddAssign;

use super::super::reading::Fault;

/// What became of the readings of one point, since start.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct ReadingCounts {
    /// Judged.
    pub accepted: u64,
    /// Judged, and of bad quality; in the order of [`Fault::ALL`].
    pub bad: [u64; Fault::ALL.len()],
    /// Repeated by the transport; changed nothing.
    pub duplicate: u64,
    /// Older than the newest one; not shown and not judged as the present.
    pub late: u64,
    /// Retained messages, which are not fresh.
    pub retained: u64,
    /// Fault currents of a loop that had not lasted for long enough; the value before held.
    pub fault_current: u64,
    /// Steps that no process makes; the value before held.
    pub step: u64,
    /// Judged, but out of order: older than the newest one, and not by much.
    pub reordered: u64,
    /// How often late readings turned out to be live ones of a source whose clock fell back, or
    /// whose way became longer.
    pub reskewed: u64,
}

impl ReadingCounts {
    /// Those that are refused, by reason; the names stand in metrics and summaries.
    pub const fn refused(&self) -> [(&'static str, u64); 3] {
        [
            ("retained", self.retained),
            ("fault_current", self.fault_current),
            ("step", self.step),
        ]
    }

    /// Those of bad quality.
    pub fn bad(&self) -> u64 {
        self.bad.iter().sum()
    }
}

impl AddAssign for ReadingCounts {
    fn add_assign(&mut self, other: Self) {
        // Taken apart, so that none is forgotten.
        let Self {
            accepted,
            bad,
            duplicate,
            late,
            reordered,
            retained,
            fault_current,
            step,
            reskewed,
        } = other;
        self.accepted += accepted;
        for (sum, count) in self.bad.iter_mut().zip(bad) {
            *sum += count;
        }
        self.duplicate += duplicate;
        self.late += late;
        self.reordered += reordered;
        self.retained += retained;
        self.fault_current += fault_current;
        self.step += step;
        self.reskewed += reskewed;
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// No field is the same number, so that none can stand for another.
    fn counts(first: u64) -> ReadingCounts {
        let mut numbers = first..;
        let mut next = || numbers.next().expect("there is always another number");
        ReadingCounts {
            accepted: next(),
            bad: Fault::ALL.map(|_| next()),
            duplicate: next(),
            late: next(),
            retained: next(),
            fault_current: next(),
            step: next(),
            reordered: next(),
            reskewed: next(),
        }
    }

    #[test]
    fn the_counts_of_points_add_up_field_by_field() {
        let mut sum = ReadingCounts::default();
        sum += counts(1);
        assert_eq!(sum, counts(1));
        sum += counts(1);
        sum += counts(1);
        let three_times = |count: u64| 3 * count;
        let one = counts(1);
        assert_eq!(
            sum,
            ReadingCounts {
                accepted: three_times(one.accepted),
                bad: one.bad.map(three_times),
                duplicate: three_times(one.duplicate),
                late: three_times(one.late),
                retained: three_times(one.retained),
                fault_current: three_times(one.fault_current),
                step: three_times(one.step),
                reordered: three_times(one.reordered),
                reskewed: three_times(one.reskewed),
            }
        );
    }

    #[test]
    fn refusals_have_names_and_bad_readings_a_sum() {
        let one = counts(1);
        assert_eq!(
            one.refused(),
            [
                ("retained", one.retained),
                ("fault_current", one.fault_current),
                ("step", one.step),
            ]
        );
        let faults = Fault::ALL.len() as u64;
        // 2, 3, 4 and so on.
        assert_eq!(one.bad(), faults * (faults + 3) / 2);
    }
}
