//! Every address with every decoding, and the most plausible ones. Pure.

use std::collections::BTreeMap;

use super::ask::{Heard, Piece};
use super::plausible::{self, Choice, Expected, Verdict};
use crate::input::modbus::decode::{self, Answer};
use crate::input::modbus::{ByteOrder, DataType, Table};

/// What is tried on registers, by how many they are.
const TYPES: [DataType; 16] = [
    DataType::Uint16,
    DataType::Int16,
    DataType::Float16,
    DataType::Bcd16,
    DataType::Uint8Hi,
    DataType::Int8Hi,
    DataType::Uint8Lo,
    DataType::Int8Lo,
    DataType::Float32,
    DataType::Uint32,
    DataType::Int32,
    DataType::Bcd32,
    DataType::Float64,
    DataType::Uint64,
    DataType::Int64,
    DataType::Bcd64,
];

/// The orders that make a difference for a type.
pub(super) fn orders(data_type: DataType) -> &'static [ByteOrder] {
    const ALL: [ByteOrder; 4] = [
        ByteOrder::Abcd,
        ByteOrder::Badc,
        ByteOrder::Cdab,
        ByteOrder::Dcba,
    ];
    if data_type.is_byte() || data_type == DataType::Bool {
        &ALL[..1]
    } else if data_type.registers() == 1 {
        &ALL[..2]
    } else {
        &ALL
    }
}

/// Only these are looked at.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Wanted {
    /// Only this type.
    pub(super) data_type: Option<DataType>,
    /// Only this order, where it makes a difference.
    pub(super) order: Option<ByteOrder>,
}

impl Wanted {
    fn takes(self, data_type: DataType, order: ByteOrder) -> bool {
        let any_order = orders(data_type).len() == 1;
        self.data_type.is_none_or(|wanted| wanted == data_type)
            && (any_order || self.order.is_none_or(|wanted| wanted == order))
    }
}

/// One way to read one or more registers.
#[derive(Debug, Clone, Copy)]
pub(super) struct Decoding {
    /// The type.
    pub(super) data_type: DataType,
    /// The order.
    pub(super) order: ByteOrder,
    /// What it gives; `None` where its digits are none.
    pub(super) number: Option<f64>,
    /// Can it be?
    pub(super) verdict: Verdict,
    /// Bits of evidence, for a plausible one.
    pub(super) evidence: f64,
}

/// A register.
#[derive(Debug, Clone)]
pub(super) struct Register {
    /// Its table.
    pub(super) table: Table,
    /// Its address.
    pub(super) address: u16,
    /// What it holds.
    pub(super) word: u16,
    /// What it held in the read before.
    pub(super) before: Option<u16>,
    /// Of it and those behind it, in order of width.
    pub(super) decodings: Vec<Decoding>,
}

/// A coil or discrete input.
#[derive(Debug, Clone, Copy)]
pub(super) struct Bit {
    /// Its table.
    pub(super) table: Table,
    /// Its address.
    pub(super) address: u16,
    /// Where it stands.
    pub(super) set: bool,
    /// Did it stand otherwise in the read before?
    pub(super) moved: bool,
}

/// Everything that was read, by table and address.
#[derive(Debug, Clone, Default)]
pub(super) struct Decoded {
    /// The registers.
    pub(super) registers: Vec<Register>,
    /// The bits.
    pub(super) bits: Vec<Bit>,
}

/// A decoding at its address.
#[derive(Debug, Clone, Copy)]
pub(super) struct Found {
    /// Its table.
    pub(super) table: Table,
    /// Its first address.
    pub(super) address: u16,
    /// What it is.
    pub(super) decoding: Decoding,
    /// The same registers in another byte order, which is nearly as plausible.
    pub(super) rival: Option<Decoding>,
}

/// So many bits of evidence more or less decide nothing: it is a matter of one value in four.
pub(super) const CLOSE: f64 = 2.0;

/// Decodes what was read. `expected` is asked what numbers may be at an address.
pub(super) fn decoded(
    heard: &Heard,
    wanted: Wanted,
    expected: impl Fn(Table, u16) -> Expected,
) -> Decoded {
    let (now, before) = (words(&heard.pieces), words(&heard.before));
    let registers = now.iter().map(|(&(table, address), &word)| {
        let expected = expected(table, address);
        let types = TYPES.iter().filter_map(|data_type| {
            let whole = whole(&heard.pieces, table, address, data_type.registers())?;
            let earlier = run(&before, table, address, data_type.registers());
            Some(decodings(
                *data_type,
                whole,
                earlier.as_deref(),
                wanted,
                expected,
            ))
        });
        Register {
            table,
            address,
            word,
            before: before.get(&(table, address)).copied(),
            decodings: types.flatten().collect(),
        }
    });
    Decoded {
        registers: registers.collect(),
        bits: bits(heard),
    }
}

/// One type of some registers in all its orders.
fn decodings(
    data_type: DataType,
    now: &[u16],
    before: Option<&[u16]>,
    wanted: Wanted,
    expected: Expected,
) -> Vec<Decoding> {
    let orders = orders(data_type).iter();
    let orders = orders.filter(|order| wanted.takes(data_type, **order));
    orders
        .map(|&order| {
            let number = |words: &[u16]| decode::number(words, data_type, order, None).ok();
            let (number, before) = (number(now), before.map(number));
            // What was no number before and is one now has jumped.
            let before = before.map(|before| before.unwrap_or(f64::NAN));
            let verdict = plausible::judge(data_type, number, before, expected);
            let evidence = match (verdict, number) {
                (Verdict::Plausible, Some(number)) => {
                    plausible::evidence(data_type, order, number, expected)
                }
                _ => 0.0,
            };
            Decoding {
                data_type,
                order,
                number,
                verdict,
                evidence,
            }
        })
        .collect()
}

impl Decoded {
    /// What is most plausible, by table and address, none over another, in one byte order. `evenly`: without
    /// evidence, too, because somebody said which type it is.
    pub(super) fn most_plausible(&self, evenly: bool) -> Vec<Found> {
        let runs = self.runs();
        let in_order = |order: &ByteOrder| {
            let found = runs.iter().flat_map(|run| chosen(run, *order, evenly));
            let found: Vec<Found> = found.collect();
            let evidence = found.iter().map(|found| found.decoding.evidence);
            (evidence.sum::<f64>(), found)
        };
        let all: Vec<(f64, Vec<Found>)> = orders(DataType::Float32).iter().map(in_order).collect();
        let mut best: (f64, Vec<Found>) = (0.0, Vec::new());
        for (sum, found) in &all {
            if best.1.is_empty() || *sum > best.0 {
                best = (*sum, found.clone());
            }
        }
        let (most, mut best) = best;
        let close = all.iter().filter(|(sum, _)| sum + CLOSE >= most);
        let others: Vec<&Found> = close.flat_map(|(_, found)| found).collect();
        for found in &mut best {
            let mut rivals = others.iter().filter(|other| other.is_rival_of(found));
            found.rival = rivals.next().map(|other| other.decoding);
        }
        best
    }

    /// Registers in a row.
    pub(super) fn runs(&self) -> Vec<&[Register]> {
        let follows = |one: &Register, next: &Register| {
            one.table == next.table && next.address.checked_sub(1) == Some(one.address)
        };
        self.registers.chunk_by(follows).collect()
    }
}

impl Found {
    /// Are they the same registers in different orders?
    fn is_rival_of(&self, other: &Self) -> bool {
        let (own, others) = (self.decoding, other.decoding);
        let width = own.data_type.registers();
        (self.table, self.address, width)
            == (other.table, other.address, others.data_type.registers())
            && width > 1
            && own.order != others.order
    }
}

/// The best of a run whose values of several registers are all in `order`.
fn chosen(run: &[Register], order: ByteOrder, evenly: bool) -> Vec<Found> {
    let all: Vec<(usize, &Decoding)> = run
        .iter()
        .enumerate()
        .flat_map(|(at, register)| {
            register
                .decodings
                .iter()
                .map(move |decoding| (at, decoding))
        })
        .filter(|(_, decoding)| decoding.verdict == Verdict::Plausible)
        .filter(|(_, decoding)| decoding.data_type.registers() == 1 || decoding.order == order)
        .collect();
    let choices: Vec<Choice> = all
        .iter()
        .enumerate()
        .map(|(id, (at, decoding))| Choice {
            at: *at,
            width: usize::from(decoding.data_type.registers()),
            // Of one type only the orders differ; how rare they are is still to be seen.
            evidence: decoding.evidence + if evenly { 100.0 } else { 0.0 },
            id,
        })
        .collect();
    let chosen = plausible::choose(run.len(), &choices);
    let found = chosen.iter().filter_map(|choice| {
        let (at, decoding) = all.get(choice.id)?;
        let register = run.get(*at)?;
        Some(Found {
            table: register.table,
            address: register.address,
            decoding: **decoding,
            rival: None,
        })
    });
    found.collect()
}

type Words = BTreeMap<(Table, u16), u16>;

/// By table and address.
fn words(pieces: &[Piece]) -> Words {
    let mut words = Words::new();
    for piece in pieces {
        if let Answer::Registers(registers) = &piece.answer {
            for (address, word) in (piece.first..=u16::MAX).zip(registers) {
                words.entry((piece.table, address)).or_insert(*word);
            }
        }
    }
    words
}

/// `width` words from `address` on.
fn run(words: &Words, table: Table, address: u16, width: u16) -> Option<Vec<u16>> {
    let last = address.checked_add(width - 1)?;
    let found = words.range((table, address)..=(table, last));
    let found: Vec<u16> = found.map(|(_, word)| *word).collect();
    (found.len() == usize::from(width)).then_some(found)
}

/// `width` words from `address` on, out of one answer: halves of two answers are no number.
fn whole(pieces: &[Piece], table: Table, address: u16, width: u16) -> Option<&[u16]> {
    let of_table = pieces.iter().filter(|piece| piece.table == table);
    of_table
        .filter_map(|piece| match &piece.answer {
            Answer::Registers(registers) => Some((piece.first, registers)),
            Answer::Bits(_) => None,
        })
        .find_map(|(first, registers)| {
            let start = usize::from(address.checked_sub(first)?);
            registers.get(start..start + usize::from(width))
        })
}

fn bits(heard: &Heard) -> Vec<Bit> {
    let of = |pieces: &[Piece]| {
        let mut bits: BTreeMap<(Table, u16), bool> = BTreeMap::new();
        for piece in pieces {
            if let Answer::Bits(answer) = &piece.answer {
                let addresses = piece.first..=u16::MAX;
                bits.extend(
                    addresses
                        .zip(answer)
                        .map(|(at, bit)| ((piece.table, at), *bit)),
                );
            }
        }
        bits
    };
    let (now, before) = (of(&heard.pieces), of(&heard.before));
    let bits = now.into_iter().map(|((table, address), set)| Bit {
        table,
        address,
        set,
        moved: before.get(&(table, address)).is_some_and(|was| *was != set),
    });
    bits.collect()
}

#[cfg(test)]
mod tests;
