//! What a device was asked, and when: for whoever counts polls.

use std::collections::VecDeque;
use std::time::Duration;

/// Requests that are remembered; of more the oldest go, and are counted.
const MOST: usize = 1 << 16;

/// A request, answered or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// Since the start of the device.
    pub at: Duration,
    /// The unit.
    pub unit: u8,
    /// The function code.
    pub function: u8,
    /// The first address; 0 of a request that has none.
    pub address: u16,
    /// How many registers or bits; 0 of a request that does not say.
    pub count: u16,
}

/// The requests since somebody last looked.
#[derive(Debug, Default)]
pub struct Record {
    /// The earliest first.
    pub asked: VecDeque<Asked>,
    /// Earlier ones that nobody looked at in time.
    pub lost: u64,
}

impl Record {
    /// Notes a request by its PDU.
    pub(super) fn note(&mut self, at: Duration, unit: u8, request: &[u8]) {
        if self.asked.len() >= MOST {
            self.asked.pop_front();
            self.lost += 1;
        }
        let number = |at: usize| match request.get(at..at + 2) {
            Some(&[high, low]) => u16::from_be_bytes([high, low]),
            Some(_) | None => 0,
        };
        self.asked.push_back(Asked {
            at,
            unit,
            function: request.first().copied().unwrap_or(0),
            address: number(1),
            count: number(3),
        });
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_oldest_go_and_are_counted() {
        let mut record = Record::default();
        for address in 0..=u16::MAX {
            let [high, low] = address.to_be_bytes();
            record.note(Duration::ZERO, 1, &[3, high, low, 0, 2]);
        }
        record.note(Duration::ZERO, 1, &[7]);
        assert_eq!((record.asked.len(), record.lost), (MOST, 1));
        let first = record.asked.front().expect("many");
        assert_eq!((first.function, first.address, first.count), (3, 1, 2));
        let last = record.asked.back().expect("many");
        assert_eq!((last.function, last.address, last.count), (7, 0, 0));
    }
}
