//! Which decoding of a register can be what was measured. Pure.
//!
//! A decoding is **plausible** when it
//!
//! 1. is a number: finite, and of decimal digits where it should be;
//! 2. lies inside the range: of the point that is configured there, as stated, or of the unit stated; without
//!    any, from minus to plus a million;
//! 3. is not suspiciously small: no denormal float, and no float nearer to zero than a millionth of the range
//!    (without any, a thousandth), except zero itself. Bytes in a wrong order mostly end there;
//! 4. moved between two reads by no more than a tenth of the range. Bytes in a wrong order jump.
//!
//! Several decodings of the same bytes may pass. Which one is the **most plausible** is a matter of chance: a
//! decoding of which few bit patterns would have passed is better evidence than one that nearly everything
//! passes (in 0 to 100: float16 a third, uint16 one of 650, int32 one of 40 million). Without a range, a whole number
//! is the better evidence the smaller it is. The evidence is counted in bits,
//! eight for each register at most; zero is none, as it is zero in every type; and types and orders that are
//! rare in the field start with a handicap. Neighbouring values share the registers so that the sum is
//! greatest, all in one byte order: a device has one. That is a guess, to be compared with the device's display
//! or its manual.

use crate::input::modbus::{ByteOrder, DataType};

/// Where numbers are expected, as they come from the device.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Expected {
    /// The least.
    pub(super) low: f64,
    /// The greatest.
    pub(super) high: f64,
    /// Nearer to zero no float is, but zero itself.
    least: f64,
    /// Did anybody say so?
    stated: bool,
}

impl Expected {
    /// Nobody said what to expect.
    pub(super) const ANY: Self = Self {
        low: -1e6,
        high: 1e6,
        least: 1e-3,
        stated: false,
    };

    /// From `low` to `high`.
    pub(super) fn between(low: f64, high: f64) -> Self {
        Self {
            low,
            high,
            least: low.abs().max(high.abs()) * 1e-6,
            stated: true,
        }
    }

    fn tenth(self) -> f64 {
        (self.high - self.low) / 10.0
    }
}

/// What is expected of a unit that is known; both ends as instruments are built.
const UNITS: [(&[&str], f64, f64); 13] = [
    (&["%lel", "lel%", "%", "%rh", "%vol", "vol%"], 0.0, 100.0),
    (&["ppm", "ppb", "mg/m3", "mg/m³"], 0.0, 10_000.0),
    (&["°c", "degc", "c", "celsius"], -273.15, 2_000.0),
    (&["°f", "degf"], -460.0, 3_600.0),
    (&["k"], 0.0, 2_300.0),
    (&["bar", "barg", "mbar", "mpa"], -1.0, 2_000.0),
    (&["pa", "kpa", "hpa"], -100_000.0, 1_000_000.0),
    (&["ma"], 0.0, 24.0),
    (&["v", "kv", "mv"], -1_000.0, 100_000.0),
    (&["a"], -10_000.0, 10_000.0),
    (&["mm/s", "m/s", "m/s2", "m/s²"], -1_000.0, 1_000.0),
    (&["hz", "rpm", "1/min"], 0.0, 100_000.0),
    (&["mm", "cm", "m"], -10_000.0, 100_000.0),
];

/// What is expected of numbers in `unit`; `None` when it is not known here.
pub(super) fn of_unit(unit: &str) -> Option<Expected> {
    let plain = unit.trim().to_lowercase();
    let known = UNITS
        .iter()
        .find(|(names, _, _)| names.contains(&plain.as_str()));
    known.map(|&(_, low, high)| Expected::between(low, high))
}

/// Why a decoding is plausible or not; the first rule that it breaks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Verdict {
    /// It keeps all rules.
    Plausible,
    /// NaN, infinity, or a decimal digit beyond 9.
    NoNumber,
    /// Beyond the range.
    Outside,
    /// Suspiciously near to zero.
    Tiny,
    /// It jumped between the reads.
    Unstable,
}

impl Verdict {
    /// In `--json`.
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Plausible => "plausible",
            Self::NoNumber => "no_number",
            Self::Outside => "outside",
            Self::Tiny => "tiny",
            Self::Unstable => "unstable",
        }
    }
}

/// Judges a number; `before` is what the same decoding gave in the read before.
pub(super) fn judge(
    data_type: DataType,
    number: Option<f64>,
    before: Option<f64>,
    expected: Expected,
) -> Verdict {
    let Some(number) = number.filter(|number| number.is_finite()) else {
        return Verdict::NoNumber;
    };
    if !(expected.low..=expected.high).contains(&number) {
        return Verdict::Outside;
    }
    let size = number.abs();
    let least = float(data_type).map_or(0.0, |float| float.least.max(expected.least));
    if size > 0.0 && size < least {
        return Verdict::Tiny;
    }
    let jumped = |before: f64| !before.is_finite() || (number - before).abs() > expected.tenth();
    if before.is_some_and(jumped) {
        return Verdict::Unstable;
    }
    Verdict::Plausible
}

/// A float's format.
struct Float {
    /// The smallest that is not denormal.
    least: f64,
    /// How many exponents it has.
    exponents: f64,
}

fn float(data_type: DataType) -> Option<Float> {
    let (least, exponents) = match data_type {
        DataType::Float16 => (2_f64.powi(-14), 32.0),
        DataType::Float32 => (f64::from(f32::MIN_POSITIVE), 256.0),
        DataType::Float64 => (f64::MIN_POSITIVE, 2_048.0),
        DataType::Bool
        | DataType::Int8Hi
        | DataType::Int8Lo
        | DataType::Uint8Hi
        | DataType::Uint8Lo
        | DataType::Int16
        | DataType::Uint16
        | DataType::Int32
        | DataType::Uint32
        | DataType::Int64
        | DataType::Uint64
        | DataType::Bcd16
        | DataType::Bcd32
        | DataType::Bcd64 => return None,
    };
    Some(Float { least, exponents })
}

/// How many bits of evidence there are in that `number`, which is plausible, is what was meant. Not above 0: none.
pub(super) fn evidence(
    data_type: DataType,
    order: ByteOrder,
    number: f64,
    expected: Expected,
) -> f64 {
    let most = 8.0 * f64::from(data_type.registers());
    let chance = match float(data_type) {
        Some(float) => {
            let least = float.least.max(expected.least);
            let octaves = |end: f64| {
                if end > least {
                    (end / least).log2() + 1.0
                } else {
                    0.0
                }
            };
            (octaves(expected.high) + octaves(-expected.low)) / (2.0 * float.exponents)
        }
        None => {
            let patterns = 16.0 * f64::from(data_type.registers());
            let numbers = if expected.stated {
                let least = expected.low.max(least_whole(data_type));
                expected.high.floor() - least.ceil() + 1.0
            } else {
                2.0 * number.abs()
            };
            numbers.max(1.0) / patterns.exp2()
        }
    };
    let bits = if number.abs() > 0.0 {
        -chance.min(1.0).log2()
    } else {
        0.0
    };
    bits.min(most) - rarity(data_type, order)
}

/// The least number of a type of whole numbers, as far as it matters.
fn least_whole(data_type: DataType) -> f64 {
    if data_type == DataType::Int16 {
        i16::MIN.into()
    } else if data_type == DataType::Int32 {
        i32::MIN.into()
    } else if data_type == DataType::Int64 {
        f64::MIN
    } else {
        0.0
    }
}

/// The handicap of what is rare in the field, in bits.
fn rarity(data_type: DataType, order: ByteOrder) -> f64 {
    let kind = match data_type {
        DataType::Uint16 | DataType::Int16 | DataType::Float32 => 0.0,
        DataType::Int32 | DataType::Uint32 => 1.0,
        DataType::Float64 => 4.0,
        DataType::Int64 | DataType::Uint64 => 5.0,
        DataType::Bcd16 | DataType::Bcd32 | DataType::Bcd64 => 6.0,
        DataType::Float16
        | DataType::Bool
        | DataType::Int8Hi
        | DataType::Int8Lo
        | DataType::Uint8Hi
        | DataType::Uint8Lo => 8.0,
    };
    let order = match (order, data_type.registers()) {
        (ByteOrder::Abcd, _) => 0.0,
        (ByteOrder::Cdab, 2..) => 0.25,
        // Devices that swap the bytes of a single register are rare indeed.
        (_, 1) => 6.0,
        (ByteOrder::Cdab | ByteOrder::Badc | ByteOrder::Dcba, _) => 1.5,
    };
    kind + order
}

/// One way to take some registers.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Choice {
    /// Its first register, as a position in the run.
    pub(super) at: usize,
    /// How many registers.
    pub(super) width: usize,
    /// Bits of evidence.
    pub(super) evidence: f64,
    /// What it is, for whoever asks.
    pub(super) id: usize,
}

/// The choices that together have the most evidence, none over another, in order. `length` registers lie in a
/// row; what has no evidence is not chosen. Of equal ones the first.
pub(super) fn choose(length: usize, choices: &[Choice]) -> Vec<Choice> {
    // From the end: the most that can be had from each register on, and how.
    let mut best: Vec<(f64, Option<Choice>)> = vec![(0.0, None); length + 1];
    for at in (0..length).rev() {
        let skipped = best.get(at + 1).map_or(0.0, |(sum, _)| *sum);
        let mut here = (skipped, None);
        for choice in choices.iter().filter(|choice| choice.at == at) {
            let Some((rest, _)) = best.get(at + choice.width) else {
                continue;
            };
            let sum = choice.evidence + rest;
            if choice.evidence > 0.0 && sum > here.0 {
                here = (sum, Some(*choice));
            }
        }
        best[at] = here;
    }
    let mut chosen = Vec::new();
    let mut at = 0;
    while let Some((_, choice)) = best.get(at) {
        at += choice.map_or(1, |choice| choice.width);
        chosen.extend(*choice);
    }
    chosen
}

#[cfg(test)]
mod tests;
