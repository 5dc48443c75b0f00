//! How a device misbehaves, and when.
//!
//! ```text
//! late:600ms@10s..20s          every answer 600 ms late, between second 10 and 20
//! unit=2 silent@70s.. every=2min
//! exception:4                  from the start on
//! ```

use std::collections::BTreeMap;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use crate::clock;
use crate::notation::{self, NotationError};

/// One way to misbehave. The request is always read whole first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Fault {
    /// Healthy.
    #[default]
    None,
    /// Never answers.
    Silent,
    /// Answers right, but this much later; what comes meanwhile waits in line.
    Late(Duration),
    /// Sends half of the answer and stops.
    Truncated,
    /// Answers under another transaction identifier; RTU has none and is healthy.
    WrongTransaction,
    /// Answers in the name of another unit.
    WrongUnit,
    /// Answers another function code.
    WrongFunction,
    /// The byte count announces two bytes more than there are.
    BadCount,
    /// A well-formed answer with one register, or eight bits, less than was asked for.
    Short,
    /// A Modbus exception with this code.
    Exception(u8),
    /// Bytes that are no frame.
    Garbage,
    /// Closes the connection instead of answering; a pseudo-terminal is unplugged and plugged in again.
    Close,
    /// Nobody listens: existing connections are closed, new ones refused; a pseudo-terminal is unplugged. For
    /// one unit: as [`Fault::Close`].
    Refuse,
    /// Sends every answer twice.
    Duplicate,
    /// Sends the answer byte by byte, 2 ms apart.
    Drip,
    /// The length field of the frame announces 65535 bytes; on RTU the byte count announces 255.
    HugeLength,
    /// A wrong checksum; on Modbus TCP, which has none, a wrong protocol.
    BadCrc,
    /// RTU: the line gives the request back before the answer, as some adapters do. Else healthy.
    Echo,
    /// Two bytes of noise before the answer, as transceivers make them.
    Noise,
}

impl FromStr for Fault {
    type Err = NotationError;

    fn from_str(text: &str) -> Result<Self, NotationError> {
        let (name, value) = text.split_once(':').unwrap_or((text, ""));
        Ok(match (name, value) {
            ("none", "") => Self::None,
            ("silent", "") => Self::Silent,
            ("late", delay) => Self::Late(notation::duration(delay)?),
            ("truncated", "") => Self::Truncated,
            ("wrong-transaction", "") => Self::WrongTransaction,
            ("wrong-unit", "") => Self::WrongUnit,
            ("wrong-function", "") => Self::WrongFunction,
            ("bad-count", "") => Self::BadCount,
            ("short", "") => Self::Short,
            ("exception", code) => {
                Self::Exception(notation::whole(code, "an exception code from 0 to 255")?)
            }
            ("garbage", "") => Self::Garbage,
            ("close", "") => Self::Close,
            ("refuse", "") => Self::Refuse,
            ("duplicate", "") => Self::Duplicate,
            ("drip", "") => Self::Drip,
            ("huge-length", "") => Self::HugeLength,
            ("bad-crc", "") => Self::BadCrc,
            ("echo", "") => Self::Echo,
            ("noise", "") => Self::Noise,
            _ => {
                let expected = "none, silent, late:TIME, truncated, wrong-transaction, wrong-unit, \
                                wrong-function, bad-count, short, exception:CODE, garbage, close, refuse, \
                                duplicate, drip, huge-length, \
                                bad-crc, echo or noise";
                return Err(NotationError::new(text, expected));
            }
        })
    }
}

/// A fault of the whole device or of one unit, within an interval that may come again.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ScheduledFault {
    unit: Option<u8>,
    fault: Fault,
    within: Range<Duration>,
    every: Option<Duration>,
}

impl FromStr for ScheduledFault {
    type Err = NotationError;

    fn from_str(line: &str) -> Result<Self, NotationError> {
        Self::parse(line).map_err(|error| error.within(line))
    }
}

impl ScheduledFault {
    fn parse(line: &str) -> Result<Self, NotationError> {
        let expected = "[unit=N] FAULT[@FROM..TO] [every=TIME], such as late:600ms@10s..20s";
        let (mut unit, mut fault, mut every) = (None, None, None);
        for part in line.split_whitespace() {
            match notation::key_value(part) {
                ("unit", Some(number)) => {
                    unit = Some(notation::whole(number, "a unit from 0 to 255")?)
                }
                ("every", Some(time)) => every = Some(notation::period(time)?),
                (_, None) if fault.is_none() => fault = Some(part),
                _ => return Err(NotationError::new(part, expected)),
            }
        }
        let fault = fault.ok_or_else(|| NotationError::new(line, expected))?;
        let (fault, within) = match fault.split_once('@') {
            Some((fault, within)) => (fault.parse()?, notation::interval(within)?),
            None => (fault.parse()?, Duration::ZERO..Duration::MAX),
        };
        Ok(Self {
            unit,
            fault,
            within,
            every,
        })
    }

    /// The fault and the unit it is for, without its times: for commands that act at once.
    pub fn immediate(self) -> (Option<u8>, Fault) {
        (self.unit, self.fault)
    }

    fn time_in_round(&self, time: Duration) -> Duration {
        self.every.map_or(time, |every| clock::round(time, every).1)
    }

    fn is_on(&self, time: Duration) -> bool {
        self.within.contains(&self.time_in_round(time))
    }

    /// How long until this fault comes or goes; `None` when it does so no more.
    fn next_change(&self, time: Duration) -> Option<Duration> {
        let into = self.time_in_round(time);
        [Some(self.within.start), Some(self.within.end), self.every]
            .into_iter()
            .flatten()
            .filter(|edge| *edge > into && *edge != Duration::MAX)
            .min()
            .map(|edge| edge - into)
    }
}

/// What is set by hand, over what is scheduled.
#[derive(Debug, Clone, Default)]
pub(super) struct Faults {
    schedule: Vec<ScheduledFault>,
    device: Fault,
    units: BTreeMap<u8, Fault>,
}

impl Faults {
    pub(super) fn new(schedule: Vec<ScheduledFault>) -> Self {
        Self {
            schedule,
            ..Self::default()
        }
    }

    /// Sets a fault by hand. `Fault::None` takes it back: the schedule goes on.
    pub(super) fn set(&mut self, unit: Option<u8>, fault: Fault) {
        match unit {
            None => self.device = fault,
            Some(unit) => {
                self.units.insert(unit, fault);
            }
        }
    }

    /// The fault a request meets: set for its unit, set for the device, scheduled for its unit, scheduled
    /// for the device, in this order.
    pub(super) fn of(&self, unit: u8, time: Duration) -> Fault {
        let scheduled = |unit| {
            self.schedule
                .iter()
                .find(|scheduled| scheduled.unit == unit && scheduled.is_on(time))
                .map(|scheduled| scheduled.fault)
        };
        [
            self.units.get(&unit).copied(),
            Some(self.device),
            scheduled(Some(unit)),
            scheduled(None),
        ]
        .into_iter()
        .flatten()
        .find(|fault| *fault != Fault::None)
        .unwrap_or_default()
    }

    /// Whether the device refuses connections now.
    pub(super) fn refuses(&self, time: Duration) -> bool {
        if self.device != Fault::None {
            return self.device == Fault::Refuse;
        }
        self.schedule.iter().any(|scheduled| {
            scheduled.unit.is_none() && scheduled.fault == Fault::Refuse && scheduled.is_on(time)
        })
    }

    /// How long until the schedule changes.
    pub(super) fn next_change(&self, time: Duration) -> Option<Duration> {
        self.schedule
            .iter()
            .filter_map(|scheduled| scheduled.next_change(time))
            .min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(s: u64) -> Duration {
        Duration::from_secs(s)
    }

    #[test]
    fn a_schedule_comes_and_goes_and_comes_again() {
        let faults = Faults::new(vec![
            "late:600ms@10s..20s".parse().expect("good"),
            "unit=2 silent@70s..85s every=2min".parse().expect("good"),
        ]);
        let cases = [
            (1, 9, Fault::None),
            (1, 10, Fault::Late(Duration::from_millis(600))),
            (1, 20, Fault::None),
            (1, 75, Fault::None),
            (2, 15, Fault::Late(Duration::from_millis(600))),
            (2, 75, Fault::Silent),
            (2, 85, Fault::None),
            (2, 190, Fault::Silent),
        ];
        for (unit, time, expected) in cases {
            assert_eq!(
                faults.of(unit, seconds(time)),
                expected,
                "unit {unit} at {time} s"
            );
        }
        assert_eq!(faults.next_change(seconds(0)), Some(seconds(10)));
        assert_eq!(faults.next_change(seconds(12)), Some(seconds(8)));
        assert_eq!(faults.next_change(seconds(90)), Some(seconds(30)));
    }

    #[test]
    fn what_is_set_by_hand_lies_over_the_schedule() {
        let mut faults = Faults::new(vec!["refuse@0s..10s".parse().expect("good")]);
        assert!(faults.refuses(seconds(1)));
        faults.set(None, Fault::Drip);
        assert!(!faults.refuses(seconds(1)));
        assert_eq!(faults.of(1, seconds(1)), Fault::Drip);
        faults.set(Some(1), Fault::Close);
        assert_eq!(faults.of(1, seconds(1)), Fault::Close);
        assert_eq!(faults.of(2, seconds(1)), Fault::Drip);
        faults.set(Some(1), Fault::None);
        faults.set(None, Fault::None);
        assert_eq!(faults.of(1, seconds(1)), Fault::Refuse);
        assert_eq!(faults.of(1, seconds(11)), Fault::None);
    }

    #[test]
    fn mistakes_are_named_where_they_stand() {
        let cases = [
            ("lazy", "\"lazy\" should be none, silent"),
            ("late", "\"\" should be a time with its unit"),
            ("silent:3", "\"silent:3\" should be none, silent"),
            ("exception:300", "\"300\" should be an exception code"),
            ("silent@10s", "\"10s\" should be an interval"),
            ("unit=256 silent", "\"256\" should be a unit"),
            ("silent drip", "\"drip\" should be [unit=N] FAULT"),
            ("", "should be [unit=N] FAULT"),
        ];
        for (line, expected) in cases {
            let error = line.parse::<ScheduledFault>().expect_err(line).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
