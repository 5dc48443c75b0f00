//! What was found, as text for people.

use std::io::{self, Write};

use super::ask::{Heard, Piece, Stopped};
use super::decodings::{CLOSE, Decoded, Decoding, Found, Register, orders};
use super::plausible::Verdict;
use super::target::{Known, Target};
use super::words as said;
use crate::config::words;
use crate::engine::reading::{Fault, Measured, Sample};
use crate::input::modbus::decode;
use crate::input::modbus::{ByteOrder, DataType, Table};
use crate::scalar::show_number;

/// Cells of a number in the table.
const CELL: usize = 16;

const ORDERS: [ByteOrder; 4] = [
    ByteOrder::Abcd,
    ByteOrder::Badc,
    ByteOrder::Cdab,
    ByteOrder::Dcba,
];

/// How things are made visible.
#[derive(Debug, Clone, Copy)]
pub(super) struct Look {
    /// May it be coloured?
    pub(super) colour: bool,
}

impl Look {
    fn strong(self, text: &str) -> String {
        if self.colour {
            format!("\x1b[1;32m{text}\x1b[0m")
        } else {
            text.to_owned()
        }
    }
}

/// A number of a type, without the noise of binary fractions.
pub(super) fn number(data_type: DataType, number: f64) -> String {
    if !number.is_finite() {
        return number.to_string();
    }
    let size = number.abs();
    let wide = size > 0.0 && !(1e-4..1e9).contains(&size);
    if matches!(data_type, DataType::Float16 | DataType::Float32) {
        let single = narrowed(number);
        return if wide {
            format!("{single:.4e}")
        } else {
            single.to_string()
        };
    }
    if data_type == DataType::Float64 && wide {
        format!("{number:.6e}")
    } else if size >= 1e15 {
        format!("{number:.8e}")
    } else {
        number.to_string()
    }
}

#[expect(
    clippy::cast_possible_truncation,
    reason = "it was made of a half or a single, and is one of those that a single has"
)]
const fn narrowed(number: f64) -> f32 {
    number as f32
}

/// Every address with every decoding.
pub(super) fn table(decoded: &Decoded, look: Look, out: &mut impl Write) -> io::Result<()> {
    if !decoded.registers.is_empty() {
        let heads = ORDERS.map(|order| format!("{:<CELL$}", words::order_name(order)));
        writeln!(out, "{:<25}{}", "", heads.concat().trim_end())?;
    }
    for register in &decoded.registers {
        one_register(register, look, out)?;
    }
    let mut bits = decoded.bits.as_slice();
    while let Some(first) = bits.first() {
        let follows = |at: &usize| {
            bits.get(*at).is_some_and(|bit| {
                bit.table == first.table && usize::from(bit.address - first.address) == *at
            })
        };
        let length = (0..8).take_while(follows).count().max(1);
        let (row, rest) = bits.split_at(length);
        let place = place(first.table, first.address);
        let row: String = row.iter().fold(String::new(), |row, bit| {
            let moved = if bit.moved { "~" } else { " " };
            format!("{row} {}{moved}", u8::from(bit.set))
        });
        writeln!(out, "{place:<14}{}", row.trim_end())?;
        bits = rest;
    }
    Ok(())
}

fn one_register(register: &Register, look: Look, out: &mut impl Write) -> io::Result<()> {
    let place = place(register.table, register.address);
    let moved = match register.before.filter(|before| *before != register.word) {
        Some(before) => format!(" (was {before:04X})"),
        None => String::new(),
    };
    let nibble = |shift: u32| register.word >> shift & 15;
    let bits = [12, 8, 4, 0].map(|shift| format!("{:04b}", nibble(shift)));
    writeln!(
        out,
        "{place:<14}{:04X}{moved}  {}",
        register.word,
        bits.join(" ")
    )?;
    let rows = register
        .decodings
        .chunk_by(|one, next| one.data_type == next.data_type);
    let rows: Vec<(&str, String)> = rows
        .filter_map(|row| {
            let data_type = row.first()?.data_type;
            // Bytes stand there in hex; digits of which some are beyond 9 in every order are none.
            let alone = register.decodings.len() == row.len();
            let shown = row.iter().any(|decoding| decoding.number.is_some());
            let shown = shown && (alone || !data_type.is_byte());
            shown.then(|| (words::type_name(data_type), cells(row, look)))
        })
        .collect();
    for row in rows.chunk_by(is_the_same_signed) {
        let [(name, cells), signed @ ..] = row else {
            continue;
        };
        let both = signed.first().map(|(name, _)| format!("(u){name}"));
        let name = both.as_deref().unwrap_or(name);
        writeln!(out, "{:14}{name:<9} {}", "", cells.trim_end())?;
    }
    Ok(())
}

/// Numbers without a sign are the same, signed or not.
fn is_the_same_signed(one: &(&str, String), next: &(&str, String)) -> bool {
    one.0.strip_prefix('u') == Some(next.0) && one.1 == next.1
}

/// The orders of one type, each below its head.
fn cells(row: &[Decoding], look: Look) -> String {
    ORDERS.iter().fold(String::new(), |mut cells, order| {
        let decoding = row.iter().find(|decoding| decoding.order == *order);
        let (mark, text) = match decoding {
            Some(decoding) => {
                let mark = match decoding.verdict {
                    Verdict::Plausible => "*",
                    Verdict::Unstable => "~",
                    Verdict::NoNumber | Verdict::Outside | Verdict::Tiny => " ",
                };
                let number = decoding.number;
                let text = number.map_or("-".to_owned(), |n| self::number(decoding.data_type, n));
                (mark, text)
            }
            None => (" ", String::new()),
        };
        // Colour takes no cell.
        let padding = " ".repeat(CELL.saturating_sub(1 + text.chars().count()).max(1));
        let shown = if mark == "*" {
            look.strong(&format!("{mark}{text}"))
        } else {
            format!("{mark}{text}")
        };
        cells.push_str(&shown);
        cells.push_str(&padding);
        cells
    })
}

pub(super) fn place(table: Table, address: u16) -> String {
    format!("{}:{address}", words::table_name(table))
}

/// What the configured points make of what was read.
pub(super) fn points(points: &[(&Known, Judged)], out: &mut impl Write) -> io::Result<()> {
    for (known, judged) in points {
        let register = &known.register;
        let place = place(register.table, register.address);
        let kind = kind(register.data_type, register.order);
        let unit = if known.unit.is_empty() {
            String::new()
        } else {
            format!(" {}", known.unit)
        };
        let value = match judged.value {
            Some(value) => format!("{}{unit}", show_number(value)),
            None => "no value".to_owned(),
        };
        let raw = judged.raw.map_or("no number".to_owned(), |raw| {
            number(register.data_type, raw)
        });
        let doubt = if judged.plausible {
            ""
        } else {
            ", not plausible"
        };
        let id = &known.id;
        writeln!(
            out,
            "{id}: {place} {kind} is {raw}, which makes {value}{doubt}"
        )?;
    }
    Ok(())
}

/// A type, with its order where that makes a difference.
fn kind(data_type: DataType, order: ByteOrder) -> String {
    let kind = words::type_name(data_type);
    match orders(data_type).len() {
        // A register has one order of words, and its bytes are seldom swapped.
        2 if order == ByteOrder::Abcd => kind.to_owned(),
        1 => kind.to_owned(),
        _ => format!("{kind} {}", words::order_name(order)),
    }
}

/// A configured point, and what was read there.
#[derive(Debug, Clone, Copy)]
pub(super) struct Judged {
    /// The number on the wire.
    pub(super) raw: Option<f64>,
    /// What its configuration makes of it.
    pub(super) value: Option<f64>,
    /// Can it be?
    pub(super) plausible: bool,
    /// The most plausible decoding at its address, where its own is not.
    pub(super) instead: Option<Found>,
}

impl Judged {
    /// `None` when its registers were not read.
    pub(super) fn of(known: &Known, pieces: &[Piece], decoded: &Decoded) -> Option<Self> {
        let wanted = &known.register;
        let raw = pieces.iter().find_map(|piece| {
            let here = piece.table == wanted.table;
            match decode::measured(&piece.answer, piece.first, wanted) {
                // The answer to another question.
                Measured::Sample(Sample::Bad(Fault::ConfigurationError)) => None,
                Measured::Raw(raw) => here.then_some(Some(raw)),
                Measured::Sample(_) => here.then_some(None),
            }
        })?;
        let mut registers = decoded.registers.iter();
        let register =
            registers.find(|here| (here.table, here.address) == (wanted.table, wanted.address));
        let decodings = register.map_or(&[][..], |register| &register.decodings);
        // Single bits have no range; all they can be is read.
        let own = decodings.iter().find(|decoding| {
            wanted.bits.is_none()
                && decoding.data_type == wanted.data_type
                && (decoding.order == wanted.order || wanted.data_type.is_byte())
        });
        let plausible = own.is_none_or(|own| own.verdict == Verdict::Plausible);
        let mut judged = Self::from_raw(known, raw, plausible);
        if !judged.plausible && own.is_some() {
            let plausible = decodings
                .iter()
                .filter(|other| other.verdict == Verdict::Plausible);
            let best = plausible.max_by(|one, other| one.evidence.total_cmp(&other.evidence));
            judged.instead = best.map(|best| {
                let is_rival = |other: &&Decoding| {
                    let width = other.data_type.registers();
                    other.order != best.order
                        && width > 1
                        && width == best.data_type.registers()
                        && other.evidence + CLOSE >= best.evidence
                };
                let rivals = decodings.iter().filter(is_rival);
                let mut rivals = rivals.filter(|other| other.verdict == Verdict::Plausible);
                Found {
                    table: wanted.table,
                    address: wanted.address,
                    decoding: *best,
                    rival: rivals.next().copied(),
                }
            });
        }
        Some(judged)
    }

    fn from_raw(known: &Known, raw: Option<f64>, plausible: bool) -> Self {
        let sample = raw.map(|raw| known.signal.value(raw));
        let value = sample.and_then(|sample| sample.value());
        Self {
            raw,
            value: value.map(|value| value.get()),
            plausible: plausible && value.is_some(),
            instead: None,
        }
    }
}

/// What was not read, why, and what to do.
pub(super) fn refusals(heard: &Heard, target: &Target, err: &mut impl Write) -> io::Result<()> {
    let mut advised = Vec::new();
    for refusal in &heard.refused {
        writeln!(
            err,
            "{}: {}",
            refusal.span,
            said::happened(&refusal.failure)
        )?;
        let advice = said::advice(&refusal.failure, &target.line);
        if !advised.contains(&advice) {
            writeln!(err, "  hint: {advice}")?;
            advised.push(advice);
        }
    }
    match &heard.stopped {
        None => Ok(()),
        Some(Stopped::Unreachable(failure)) => {
            let what = said::happened(failure);
            let advice = said::advice(failure, &target.line);
            let (line, unit) = (&target.line, target.unit_id);
            writeln!(
                err,
                "error: unit {unit} at {line}: {what}\n  hint: {advice}"
            )
        }
        Some(Stopped::Late) => writeln!(
            err,
            "the time is over and not everything was read\n  hint: fewer registers, or a longer `--within`"
        ),
        Some(Stopped::Requests) => writeln!(
            err,
            "after {} requests not everything was read\n  hint: ask for fewer registers at a time",
            heard.requests
        ),
    }
}

/// One line for each of what is most plausible.
pub(super) fn found(found: &[Found], out: &mut impl Write) -> io::Result<()> {
    for Found {
        table,
        address,
        decoding,
        rival,
    } in found
    {
        let kind = kind(decoding.data_type, decoding.order);
        let number = decoding.number.unwrap_or(f64::NAN);
        let number = self::number(decoding.data_type, number);
        let doubt = rival.map_or_else(String::new, |rival| {
            let (order, number) = (words::order_name(rival.order), rival.number);
            let number = self::number(rival.data_type, number.unwrap_or(f64::NAN));
            format!(", or {order} = {number}: which of them, the device's display tells")
        });
        let place = place(*table, *address);
        writeln!(out, "{place:<14}{kind} = {number}{doubt}")?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_are_shown_without_noise() {
        for (data_type, value, shown) in [
            (DataType::Float32, f64::from(3.2_f32), "3.2"),
            (DataType::Float32, f64::from(-1.07e8_f32), "-107000000"),
            (DataType::Float32, f64::from(4.17e-8_f32), "4.1700e-8"),
            (DataType::Float32, f64::NAN, "NaN"),
            (
                DataType::Float64,
                2_718.281_828_459_045,
                "2718.281828459045",
            ),
            (DataType::Float64, 1e300, "1.000000e300"),
            (DataType::Int16, -5.0, "-5"),
            (DataType::Uint32, 3_456_789_012.0, "3456789012"),
            (DataType::Uint64, 1.844_674_4e19, "1.84467440e19"),
            (DataType::Float16, 0.0, "0"),
        ] {
            assert_eq!(number(data_type, value), shown);
        }
    }
}
