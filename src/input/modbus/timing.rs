//! What a request costs on its transport: the model behind merging and behind the promise of a bus.
//!
//! ```text
//!  ├─ question ─┤├── silence, thinking, network ──┤├────── answer ──────┤├─ silence ─┤
//!    8 bytes            paid by every request         5 bytes and data
//! ```
//!
//! Every request pays `request` and the bytes of its two frames; every address read more pays for its
//! data alone. So reading over a hole is cheaper than a second request as long as the data of the hole
//! cost less than that: on a serial line of 9,600 baud and a device that thinks for 10 ms holes of up to
//! 14 registers, over TCP any hole that fits in one answer.

use std::time::Duration;

use super::Table;
use super::line::Line;

/// Address, function, first address, count and checksum.
const QUESTION_BYTES: u64 = 8;

/// Address, function, byte count and checksum of an answer; its data come on top.
const ANSWER_BYTES: u64 = 5;

/// How long a byte takes within a TCP connection: 10 Mbit/s, which is nothing next to a round trip.
const TCP_BYTE: Duration = Duration::from_micros(1);

/// What requests to one device take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timing {
    /// What every request takes whatever it reads: silent intervals, the device's thinking, the network.
    pub request: Duration,
    /// What each byte takes on the wire.
    pub byte: Duration,
}

impl Timing {
    /// To a device on `line` that needs `reply` to answer. How fast a line behind a serial server is
    /// nobody says here: `reply` should be what an answer takes there.
    pub fn on(line: &Line, reply: Duration) -> Self {
        match line {
            Line::Tcp(_) | Line::RtuOverTcp(_) => Self::tcp(reply),
            Line::Serial(line) => Self::serial(line.mode.time_of(1), line.mode.gap(), reply),
        }
    }

    /// Over TCP, where a device needs `reply` to answer.
    pub const fn tcp(reply: Duration) -> Self {
        Self {
            request: reply,
            byte: TCP_BYTE,
        }
    }

    /// Frames of RTU on a line where a character takes `character` and the silence between two frames
    /// `gap`, to a device that needs `reply` to answer.
    pub fn serial(character: Duration, gap: Duration, reply: Duration) -> Self {
        Self {
            request: reply.saturating_add(gap).saturating_add(gap),
            byte: character,
        }
    }

    /// How long a request for `count` addresses of `table` takes, its answer included.
    pub fn of(&self, table: Table, count: u16) -> Duration {
        Duration::from_nanos(self.nanos(table, count))
    }

    /// [`of`](Self::of) in nanoseconds, which add up without a check: at most 255 bytes each.
    pub(super) fn nanos(&self, table: Table, count: u16) -> u64 {
        let data = match table {
            Table::Coil | Table::Discrete => u64::from(count).div_ceil(8),
            Table::Holding | Table::Input => u64::from(count) * 2,
        };
        let bytes = (QUESTION_BYTES + ANSWER_BYTES + data) * nanos(self.byte);
        nanos(self.request).saturating_add(bytes)
    }
}

/// Whole nanoseconds, at most an hour: longer is no time of a request, and sums stay within 64 bits.
fn nanos(span: Duration) -> u64 {
    const MOST: u64 = 3_600_000_000_000;
    u64::try_from(span.as_nanos()).map_or(MOST, |nanos| nanos.min(MOST))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 9,600 baud, 11 bits a character, 10 ms to think.
    fn line() -> Timing {
        let character = Duration::from_nanos(1_145_833);
        Timing::serial(character, character * 7 / 2, Duration::from_millis(10))
    }

    #[test]
    fn a_request_takes_its_frames_and_its_silence() {
        // 13 characters, 7 of silence, 10 ms, and 2 characters for each register.
        let one = line().of(Table::Holding, 1);
        assert_eq!(one.as_micros(), (13 + 7 + 2) * 1_145_833 / 1_000 + 10_000);
        let full = line().of(Table::Holding, 125);
        assert_eq!((full - one).as_micros(), 124 * 2 * 1_145_833 / 1_000);
        assert_eq!(line().of(Table::Coil, 1), line().of(Table::Coil, 8));
        assert!(line().of(Table::Coil, 9) > line().of(Table::Coil, 8));
    }

    #[test]
    fn absurd_times_stay_within_numbers() {
        let timing = Timing::serial(Duration::MAX, Duration::MAX, Duration::MAX);
        assert!(timing.of(Table::Coil, u16::MAX) < Duration::MAX);
    }
}
