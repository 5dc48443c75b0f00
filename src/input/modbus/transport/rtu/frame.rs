//! RTU frames: questions to bytes, bytes to answers. Pure.
//!
//! ```text
//! question   unit  function  address  count   CRC      8 bytes
//! answer     unit  function  n        n bytes CRC      5 + n bytes; n follows from the question
//! exception  unit  function + 128     code    CRC      5 bytes
//! ```
//!
//! A frame has no begin and no end on the wire but silence, and silence is gone once the bytes have come
//! through a USB adapter or a network. But who asked knows how long the answer is, so length and
//! checksum are enough to find it. Only functions 1 to 4 can be asked.
//!
//! Sources: Modbus Application Protocol V1.1b3, 6.1 to 6.4 and 7; Modbus over Serial Line V1.02, 2.5.

use crate::input::modbus::decode::Answer;
use crate::input::modbus::failure::{Exception, Failure};
use crate::input::modbus::plan::Request;
use crate::input::modbus::settings::Table;

/// The shortest frame: an exception.
pub(super) const SHORTEST: usize = 5;

/// The longest frame there is on a serial line.
pub(super) const LONGEST: usize = 256;

/// Bytes of noise before and behind a frame that are overlooked: transceivers make one or two when they change
/// direction. Longer noise may be the rest of another frame.
pub(super) const NOISE: usize = SHORTEST - 1;

/// A question as it was put on the line.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question {
    bytes: [u8; 8],
    table: Table,
    count: u16,
}

/// What stands in the bytes heard since a question.
#[derive(Debug)]
pub(super) enum Seen {
    /// Nothing whole yet.
    Nothing,
    /// The answer, or the device's refusal, and nothing more but noise.
    Answer(Result<Answer, Exception>),
    /// First a whole frame of another unit: its number and the length of it.
    Stranger { unit: u8, length: usize },
    /// First the question itself, of this length: the adapter hears what it sends.
    Echo { length: usize },
    /// A whole frame of the unit that does not answer the question, or more than an answer.
    Wrong(Failure),
}

impl Question {
    /// Reads what `request` says from `unit`.
    pub(super) fn new(unit: u8, request: &Request) -> Self {
        let [address_high, address_low] = request.address.to_be_bytes();
        let [count_high, count_low] = request.count.to_be_bytes();
        let function = request.table.function();
        let mut bytes = [
            unit,
            function,
            address_high,
            address_low,
            count_high,
            count_low,
            0,
            0,
        ];
        let [low, high] = crc(&bytes[..6]).to_le_bytes();
        (bytes[6], bytes[7]) = (low, high);
        Self {
            bytes,
            table: request.table,
            count: request.count,
        }
    }

    /// What goes onto the line.
    pub(super) const fn bytes(&self) -> &[u8] {
        &self.bytes
    }

    /// Bytes of values in the answer.
    fn values(&self) -> usize {
        let count = usize::from(self.count);
        match self.table {
            Table::Coil | Table::Discrete => count.div_ceil(8),
            Table::Holding | Table::Input => count * 2,
        }
    }

    /// What is in `heard`?
    pub(super) fn look(&self, heard: &[u8]) -> Seen {
        // Before all else: an echo may look like the answer to a question for bits.
        if heard.starts_with(&self.bytes) {
            return Seen::Echo {
                length: self.bytes.len(),
            };
        }
        for noise in 0..=NOISE.min(heard.len()) {
            let bytes = heard.get(noise..).unwrap_or_default();
            if let Some(length) = whole(bytes) {
                return self.judge(bytes, noise, length);
            }
            // A beginning of the answer: what else its bytes might be is not looked for.
            if self.begins(bytes) {
                return Seen::Nothing;
            }
        }
        Seen::Nothing
    }

    /// Is this an answer or exception of which the rest is still to come?
    fn begins(&self, bytes: &[u8]) -> bool {
        let [unit, function, ..] = self.bytes;
        match bytes {
            [] => true,
            [first] => *first == unit,
            [first, second] => *first == unit && *second & 0x7F == function,
            [first, second, third, ..] if *first == unit && *second == function => {
                usize::from(*third) == self.values() && bytes.len() < SHORTEST + self.values()
            }
            [first, second, ..] => {
                *first == unit && *second == function | 0x80 && bytes.len() < SHORTEST
            }
        }
    }

    /// What the whole frame at the start of `bytes` is, with `noise` before it.
    fn judge(&self, bytes: &[u8], noise: usize, length: usize) -> Seen {
        let [unit, function, ..] = self.bytes;
        let (frame, rest) = bytes.split_at(length);
        let [its_unit, its_function, middle @ .., _, _] = frame else {
            return Seen::Nothing;
        };
        if *its_unit != unit {
            return Seen::Stranger {
                unit: *its_unit,
                length: noise + length,
            };
        }
        if *its_function & 0x7F != function {
            let text = format!("function {its_function} of unit {its_unit}");
            return Seen::Wrong(Failure::Mismatch(text));
        }
        if !is_noise(rest) {
            let text = format!("{} bytes more than an answer", rest.len());
            return Seen::Wrong(Failure::Mismatch(text));
        }
        match (middle, *its_function == function) {
            ([_, values @ ..], true) if values.len() == self.values() => {
                Seen::Answer(Ok(self.values_of(values)))
            }
            ([_, values @ ..], true) => Seen::Wrong(Failure::WrongLength {
                expected: self.values_in(self.values()),
                got: self.values_in(values.len()),
            }),
            ([code], false) => Seen::Answer(Err(Exception::from_code(*code))),
            _ => Seen::Nothing,
        }
    }

    /// How many registers or bits so many bytes hold.
    const fn values_in(&self, bytes: usize) -> usize {
        match self.table {
            Table::Coil | Table::Discrete => bytes * 8,
            Table::Holding | Table::Input => bytes / 2,
        }
    }

    fn values_of(&self, bytes: &[u8]) -> Answer {
        match self.table {
            Table::Coil | Table::Discrete => {
                let bits = bytes
                    .iter()
                    .flat_map(|byte| (0..8).map(move |bit| byte >> bit & 1 == 1));
                Answer::Bits(bits.take(usize::from(self.count)).collect())
            }
            Table::Holding | Table::Input => {
                let words = bytes.chunks_exact(2);
                Answer::Registers(
                    words
                        .map(|word| {
                            word.iter()
                                .fold(0, |value, byte| value << 8 | u16::from(*byte))
                        })
                        .collect(),
                )
            }
        }
    }
}

/// May these bytes behind an answer be overlooked? Transceivers make a few when they let go of the line. What
/// is no number of a unit is no begin of another answer, which would put this one in doubt.
fn is_noise(rest: &[u8]) -> bool {
    let is_unit = |byte: &u8| (1..=247).contains(byte);
    rest.len() <= NOISE && !rest.iter().any(is_unit)
}

/// The length of the frame that `bytes` begin with; `None` when it is not all there, or its checksum is
/// wrong, or it is no answer to a question that anybody here could ask.
pub(super) fn whole(bytes: &[u8]) -> Option<usize> {
    let length = match bytes {
        [_, 1..=4, values, ..] => SHORTEST + usize::from(*values),
        [_, 0x81..=0x84, ..] => SHORTEST,
        _ => return None,
    };
    // Over a frame with its own checksum the checksum is 0.
    (crc(bytes.get(..length)?) == 0).then_some(length)
}

/// The checksum: polynomial 0xA001, start 0xFFFF, low byte first on the line (Modbus over Serial Line
/// V1.02, 6.2.2).
pub(super) fn crc(bytes: &[u8]) -> u16 {
    bytes.iter().fold(0xFFFF, |crc, byte| {
        (0..8).fold(crc ^ u16::from(*byte), |crc, _| {
            let shifted = crc >> 1;
            if crc & 1 == 1 {
                shifted ^ 0xA001
            } else {
                shifted
            }
        })
    })
}

#[cfg(test)]
mod tests;
