//! What a simulated device was asked, and what that says about the polling. Pure.

/// One request, as the device noted it.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Asked {
    /// Seconds since the device started.
    pub(super) at: f64,
    pub(super) unit: u8,
    pub(super) address: u16,
    pub(super) count: u16,
}

/// When `unit` was asked for what begins at `address`: once in every poll.
pub(super) fn times(asked: &[Asked], unit: u8, address: u16) -> Vec<f64> {
    let own = asked.iter();
    let own = own.filter(|asked| asked.unit == unit && asked.address == address);
    own.map(|asked| asked.at).collect()
}

/// Seconds between the polls of each of the units.
pub(super) fn gaps(asked: &[Asked], units: impl Iterator<Item = u8>) -> Vec<f64> {
    let of_unit = |unit| {
        let times = times(asked, unit, 0);
        let pairs = times.windows(2);
        pairs.map(|pair| pair[1] - pair[0]).collect::<Vec<_>>()
    };
    units.flat_map(of_unit).collect()
}

/// How far each gap is from the period, milliseconds.
pub(super) fn jitter(gaps: &[f64], period: f64) -> Vec<f64> {
    gaps.iter().map(|gap| (gap - period).abs() * 1e3).collect()
}

/// Polls that were left out: a gap of two periods lacks one.
pub(super) fn missed(gaps: &[f64], period: f64) -> f64 {
    let lacking = gaps.iter().map(|gap| (gap / period).round() - 1.0);
    lacking.map(|lacking| lacking.max(0.0)).sum()
}

/// Requests of `unit` for each of its polls, which begin at `address`.
pub(super) fn requests_a_poll(asked: &[Asked], unit: u8, address: u16) -> f64 {
    let times = times(asked, unit, address);
    let (Some(first), Some(last)) = (times.first(), times.last()) else {
        return 0.0;
    };
    let own = asked.iter().filter(|asked| asked.unit == unit);
    let within = own.filter(|asked| asked.at >= *first && asked.at < *last);
    within.count() as f64 / (times.len() - 1).max(1) as f64
}

#[cfg(test)]
mod tests {
    use super::*;

    fn asked(at: f64, unit: u8, address: u16) -> Asked {
        Asked {
            at,
            unit,
            address,
            count: 1,
        }
    }

    #[test]
    fn polls_are_counted_by_their_first_request() {
        let polls = [0.0, 1.0, 3.0];
        let polls = polls.map(|at| {
            [
                asked(at, 1, 0),
                asked(at + 0.1, 1, 9),
                asked(at + 0.2, 2, 0),
            ]
        });
        let polls = polls.concat();
        assert!((requests_a_poll(&polls, 1, 0) - 2.0).abs() < 1e-9);
        assert!((requests_a_poll(&polls, 3, 0)).abs() < 1e-9);
        let gaps = gaps(&polls, 1..=1);
        assert_eq!(gaps, [1.0, 2.0]);
        assert!((missed(&gaps, 1.0) - 1.0).abs() < 1e-9);
        assert_eq!(jitter(&gaps, 1.0), [0.0, 1000.0]);
    }
}
