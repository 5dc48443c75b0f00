//! The memory of one unit: what stands in its coils and registers.
//!
//! ```text
//! input:0 float32 CDAB base=3 noise=0.1          a value over time
//! holding:100 uint16 scale=0.01 base=6.5         reading = raw x scale + offset
//! coil:5 bool step=10s:+1                        a bit, set from 0.5 upwards
//! holding:10 words 0x1234 5 6                    fixed registers
//! discrete:0 bits 1 0 1                          fixed bits
//! ```

use std::time::Duration;

use super::value::{Order, Type, is_set};
use crate::notation::{self, NotationError};
use crate::waveform::Waveform;

/// The four tables of the Modbus data model.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Table {
    /// Function 1.
    Coil,
    /// Function 2.
    Discrete,
    /// Function 3.
    Holding,
    /// Function 4.
    Input,
}

impl Table {
    fn holds_bits(self) -> bool {
        matches!(self, Self::Coil | Self::Discrete)
    }
}

/// Coils, discrete inputs and registers of one unit. Later entries lie over earlier ones.
#[derive(Debug, Default)]
pub struct Unit {
    entries: Vec<Entry>,
    filled: bool,
}

#[derive(Debug)]
struct Entry {
    table: Table,
    address: u16,
    content: Content,
}

#[derive(Debug)]
enum Content {
    Fixed(Vec<u16>),
    Live(Live),
}

#[derive(Debug)]
struct Live {
    kind: Type,
    order: Order,
    scale: f64,
    offset: f64,
    waveform: Waveform,
}

impl Unit {
    /// Adds a point or fixed values in their notation; what stood at the same address is replaced.
    ///
    /// # Errors
    /// When the line does not follow the notation, with the place of the mistake.
    pub fn put(&mut self, line: &str, seed: u64) -> Result<(), NotationError> {
        let entry = parse(line, seed).map_err(|error| error.within(line))?;
        self.entries
            .retain(|old| (old.table, old.address) != (entry.table, entry.address));
        self.entries.push(entry);
        Ok(())
    }

    /// Every address nothing else stands at holds `address * 7 + unit` (of which a bit is the lowest one).
    pub fn fill(&mut self) {
        self.filled = true;
    }

    /// `count` words, or bits as 0 and 1, from `start`; `None` when an address has no content.
    pub(super) fn read(
        &mut self,
        number: u8,
        table: Table,
        start: u16,
        count: u16,
        time: Duration,
    ) -> Option<Vec<u16>> {
        let (first, end) = (u32::from(start), u32::from(start) + u32::from(count));
        if end > 0x1_0000 {
            return None;
        }
        let mut cells: Vec<Option<u16>> = (start..=start.saturating_add(count - 1))
            .map(|address| self.filled.then(|| fill_value(table, address, number)))
            .collect();
        for entry in self.entries.iter_mut().filter(|entry| entry.table == table) {
            let address = u32::from(entry.address);
            // A waveform is asked only when it is read: a spike is for the reader who sees it.
            if address >= end || address + entry.content.length() <= first {
                continue;
            }
            for (cell, word) in (address..).zip(entry.content.words(table, time)) {
                if (first..end).contains(&cell) {
                    cells[(cell - first) as usize] = Some(word);
                }
            }
        }
        cells.into_iter().collect()
    }
}

fn fill_value(table: Table, address: u16, unit: u8) -> u16 {
    let word = address.wrapping_mul(7).wrapping_add(unit.into());
    if table.holds_bits() { word & 1 } else { word }
}

impl Content {
    fn length(&self) -> u32 {
        match self {
            Self::Fixed(words) => u32::try_from(words.len()).unwrap_or(u32::MAX),
            Self::Live(live) => live.kind.registers().into(),
        }
    }

    fn words(&mut self, table: Table, time: Duration) -> Vec<u16> {
        match self {
            Self::Fixed(words) => words.clone(),
            Self::Live(live) => {
                let raw = live
                    .waveform
                    .at(time)
                    .map(|reading| (reading - live.offset) / live.scale);
                if table.holds_bits() {
                    vec![u16::from(raw.is_some_and(is_set))]
                } else {
                    live.kind.encode(raw, live.order)
                }
            }
        }
    }
}

fn parse(line: &str, seed: u64) -> Result<Entry, NotationError> {
    let expected = "TABLE:ADDRESS TYPE [ORDER] WAVEFORM, such as input:0 float32 CDAB base=3";
    let mut parts = line.split_whitespace();
    let (Some(place), Some(kind)) = (parts.next(), parts.next()) else {
        return Err(NotationError::new(line, expected));
    };
    let (table, address) =
        notation::pair(place, "coil:, discrete:, holding: or input: and an address")?;
    let table = match table {
        "coil" => Table::Coil,
        "discrete" => Table::Discrete,
        "holding" => Table::Holding,
        "input" => Table::Input,
        _ => {
            return Err(NotationError::new(
                table,
                "coil, discrete, holding or input",
            ));
        }
    };
    let address: u16 = notation::whole(address, "an address from 0 to 65535")?;
    let content = match kind {
        "bits" => Content::Fixed(fixed(parts, 1, "0 or 1")?),
        "words" if table.holds_bits() => {
            return Err(NotationError::new(kind, "bits, as this table holds bits"));
        }
        "words" => Content::Fixed(fixed(parts, 0xFFFF, "a register from 0 to 65535")?),
        _ => Content::Live(live(kind.parse()?, kind, table, parts, seed)?),
    };
    if u32::from(address) + content.length() > 0x1_0000 {
        return Err(NotationError::new(
            place,
            "an address from which all of it fits below 65536",
        ));
    }
    Ok(Entry {
        table,
        address,
        content,
    })
}

fn fixed<'a>(
    parts: impl Iterator<Item = &'a str>,
    max: u16,
    expected: &str,
) -> Result<Vec<u16>, NotationError> {
    let values = parts
        .map(|part| {
            notation::whole(part, expected).and_then(|value: u16| match value {
                value if value <= max => Ok(value),
                _ => Err(NotationError::new(part, expected)),
            })
        })
        .collect::<Result<Vec<_>, _>>()?;
    if values.is_empty() {
        return Err(NotationError::new("", "at least one value"));
    }
    Ok(values)
}

fn live<'a>(
    kind: Type,
    name: &str,
    table: Table,
    parts: impl Iterator<Item = &'a str>,
    seed: u64,
) -> Result<Live, NotationError> {
    if table.holds_bits() && kind != Type::Bool {
        return Err(NotationError::new(name, "bool, as this table holds bits"));
    }
    let mut live = Live {
        kind,
        order: Order::Abcd,
        scale: 1.0,
        offset: 0.0,
        waveform: Waveform::empty().with_seed(seed),
    };
    for part in parts {
        match notation::key_value(part) {
            ("scale", Some(scale)) => {
                live.scale = notation::number(scale)?;
                if live.scale == 0.0 {
                    return Err(NotationError::new(part, "a scale that is not zero"));
                }
            }
            ("offset", Some(offset)) => live.offset = notation::number(offset)?,
            (order, None) => live.order = order.parse()?,
            (key, value) => {
                if !live.waveform.add(key, value)? {
                    let expected = format!("scale, offset, {}", Waveform::KEYS);
                    return Err(NotationError::new(key, expected));
                }
            }
        }
    }
    Ok(live)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn unit(lines: &[&str]) -> Unit {
        let mut unit = Unit::default();
        for line in lines {
            unit.put(line, 1).expect(line);
        }
        unit
    }

    #[test]
    fn reads_across_entries_and_refuses_holes() {
        let mut unit = unit(&[
            "input:0 float32 CDAB base=1",
            "input:2 uint16 scale=0.1 base=2.5",
            "input:3 int16 offset=-40 base=-50",
            "holding:9 words 1 0x10",
            "coil:1 bool step=5s:+1",
            "discrete:0 bits 1 0",
        ]);
        let cases: [(Table, u16, u16, Option<&[u16]>); 11] = [
            (Table::Input, 0, 4, Some(&[0, 0x3F80, 25, 0xFFF6])),
            (Table::Input, 1, 2, Some(&[0x3F80, 25])),
            (Table::Input, 3, 2, None),
            (Table::Input, 65_535, 2, None),
            (Table::Holding, 9, 2, Some(&[1, 16])),
            (Table::Holding, 0, 1, None),
            (Table::Coil, 1, 1, Some(&[0])),
            (Table::Coil, 0, 2, None),
            (Table::Discrete, 0, 2, Some(&[1, 0])),
            (Table::Discrete, 1, 1, Some(&[0])),
            (Table::Discrete, 2, 1, None),
        ];
        for (table, start, count, expected) in cases {
            let read = unit.read(1, table, start, count, Duration::ZERO);
            assert_eq!(read.as_deref(), expected, "{table:?}:{start} {count}");
        }
        assert_eq!(
            unit.read(1, Table::Coil, 1, 1, Duration::from_secs(5)),
            Some(vec![1])
        );
    }

    #[test]
    fn a_filled_unit_answers_everywhere() {
        let mut unit = unit(&["holding:1 words 5"]);
        unit.fill();
        assert_eq!(
            unit.read(3, Table::Holding, 0, 3, Duration::ZERO),
            Some(vec![3, 5, 17])
        );
        assert_eq!(
            unit.read(3, Table::Input, 65_535, 1, Duration::ZERO),
            Some(vec![65_535_u16.wrapping_mul(7).wrapping_add(3)])
        );
        assert_eq!(
            unit.read(3, Table::Coil, 0, 2, Duration::ZERO),
            Some(vec![1, 0])
        );
    }

    #[test]
    fn a_new_entry_replaces_the_old_one() {
        let mut unit = unit(&["input:0 uint32 base=70000", "input:0 uint16 base=7"]);
        assert_eq!(
            unit.read(1, Table::Input, 0, 1, Duration::ZERO),
            Some(vec![7])
        );
        assert_eq!(unit.read(1, Table::Input, 0, 2, Duration::ZERO), None);
    }

    #[test]
    fn mistakes_are_named_where_they_stand() {
        let cases = [
            ("input:0", "TABLE:ADDRESS TYPE"),
            (
                "register:0 int16 base=1",
                "\"register\" should be coil, discrete, holding or input",
            ),
            ("input:70000 int16 base=1", "\"70000\" should be an address"),
            ("input:65535 int32 base=1", "fits below 65536"),
            ("input:0 int8 base=1", "\"int8\" should be bool, int16"),
            (
                "input:0 int32 ACBD base=1",
                "\"ACBD\" should be ABCD, CDAB, BADC or DCBA",
            ),
            ("coil:0 int16 base=1", "\"int16\" should be bool"),
            ("coil:0 bits 2", "\"2\" should be 0 or 1"),
            ("coil:0 words 2", "\"words\" should be bits"),
            ("input:0 words", "at least one value"),
            ("input:0 int16 scale=0 base=1", "a scale that is not zero"),
            (
                "input:0 int16 factor=2",
                "\"factor\" should be scale, offset, base",
            ),
        ];
        for (line, expected) in cases {
            let error = Unit::default().put(line, 1).expect_err(line).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
