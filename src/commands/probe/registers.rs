//! Which addresses are asked for: `input:0-9`, `holding:100`, `coil:0-15`.

use std::fmt;
use std::str::FromStr;

use crate::config::words;
use crate::input::modbus::Table;
use crate::input::modbus::plan::Gap;

/// So many addresses in all at most: a device is not to be busy with us for long.
pub(super) const MOST: usize = 4_000;

/// Addresses of one table, both ends included.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Span {
    /// The table.
    pub(super) table: Table,
    /// The first address.
    pub(super) first: u16,
    /// The last one, not below the first.
    pub(super) last: u16,
}

impl Span {
    /// `count` addresses from `first`; at least one, and none beyond the last that there is.
    pub(super) fn of(table: Table, first: u16, count: u16) -> Self {
        let last = first.saturating_add(count.max(1) - 1);
        Self { table, first, last }
    }

    /// How many addresses: 1 to 65,536.
    pub(super) fn len(self) -> usize {
        usize::from(self.last - self.first) + 1
    }

    /// In two, the first of an even number of addresses where it can be: values of two registers stay whole
    /// more often. `None` for a single address.
    pub(super) fn halves(self) -> Option<[Self; 2]> {
        let beyond = self.last - self.first;
        if beyond == 0 {
            return None;
        }
        let half = (beyond / 2).saturating_add(1);
        let half = if half.is_multiple_of(2) || beyond < 2 {
            half
        } else {
            (half + 1).min(beyond)
        };
        let cut = self.first + half;
        let (first, second) = (
            Self {
                last: cut - 1,
                ..self
            },
            Self { first: cut, ..self },
        );
        Some([first, second])
    }

    /// In pieces of `cap` addresses. Two neighbours share what a value of four registers needs, so that
    /// every value lies whole in one of them: halves that were read at two times are no number.
    pub(super) fn chunks(self, cap: u16) -> Vec<Self> {
        let shared = match self.table {
            Table::Coil | Table::Discrete => 0,
            Table::Holding | Table::Input if cap >= 8 => 3,
            Table::Holding | Table::Input => 0,
        };
        let mut chunks = Vec::new();
        let mut first = self.first;
        loop {
            let last = first.saturating_add(cap.max(1) - 1).min(self.last);
            chunks.push(Self {
                first,
                last,
                ..self
            });
            if last == self.last {
                return chunks;
            }
            first = last + 1 - shared;
        }
    }
}

impl FromStr for Span {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let general = "write table and zero-based addresses: input:0-9, holding:100, coil:0-15";
        let Some((table, addresses)) = text.split_once(':') else {
            return Err(format!(
                "\"{text}\" names no registers: {}",
                words::modicon(text)
            ));
        };
        let table = words::table(table).ok_or_else(|| {
            format!("\"{table}\" is none of the tables coil, discrete, holding, input: {general}")
        })?;
        let (first, last) = addresses.split_once('-').unwrap_or((addresses, addresses));
        let number = |text: &str| {
            let digits = !text.is_empty() && text.chars().all(|c| c.is_ascii_digit());
            text.parse::<u16>()
                .ok()
                .filter(|_| digits)
                .ok_or_else(|| format!("\"{text}\" is no address from 0 to 65535: {general}"))
        };
        let (first, last) = (number(first)?, number(last)?);
        if last < first {
            return Err(format!(
                "\"{text}\" goes backwards: write {last}-{first}, the lower address first"
            ));
        }
        Ok(Self { table, first, last })
    }
}

impl fmt::Display for Span {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = words::table_name(self.table);
        if self.first == self.last {
            write!(f, "{table}:{}", self.first)
        } else {
            write!(f, "{table}:{}-{}", self.first, self.last)
        }
    }
}

/// In order, what touches or overlaps made one.
pub(super) fn merged(mut spans: Vec<Span>) -> Vec<Span> {
    spans.sort_unstable();
    let mut merged: Vec<Span> = Vec::new();
    for span in spans {
        match merged.last_mut() {
            Some(before)
                if before.table == span.table && span.first <= before.last.saturating_add(1) =>
            {
                before.last = before.last.max(span.last);
            }
            _ => merged.push(span),
        }
    }
    merged
}

/// What is left of `spans` without `gaps`, and what is left out.
pub(super) fn outside(spans: Vec<Span>, gaps: &[Gap]) -> (Vec<Span>, Vec<Span>) {
    let (mut left, mut out) = (spans, Vec::new());
    for gap in gaps {
        let mut kept = Vec::new();
        for span in left {
            let (first, last) = (span.first.max(gap.first), span.last.min(gap.last));
            if span.table != gap.table || first > last {
                kept.push(span);
                continue;
            }
            out.push(Span {
                first,
                last,
                ..span
            });
            if span.first < first {
                let last = first - 1;
                kept.push(Span { last, ..span });
            }
            if last < span.last {
                let first = last + 1;
                kept.push(Span { first, ..span });
            }
        }
        left = kept;
    }
    (merged(left), merged(out))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn registers_are_a_table_and_addresses() {
        for (text, shown) in [
            ("input:0-9", "input:0-9"),
            ("holding:100", "holding:100"),
            ("coil:7-7", "coil:7"),
            ("discrete:0-65535", "discrete:0-65535"),
        ] {
            assert_eq!(text.parse::<Span>().expect(text).to_string(), shown);
        }
        for (text, hint) in [
            ("", "table"),
            ("40001", "holding:0"),
            ("30011", "input:10"),
            ("register:0", "none of the tables"),
            ("input:", "no address"),
            ("input:-3", "no address"),
            ("input:+3", "no address"),
            ("input:0-", "no address"),
            ("input:65536", "no address"),
            ("input:9-0", "write 0-9"),
            ("input:0..9", "no address"),
        ] {
            let refused = text.parse::<Span>().expect_err(text);
            assert!(refused.contains(hint), "{text}: {refused}");
        }
    }

    #[test]
    fn what_touches_is_one() {
        let spans = [
            "input:4-9",
            "input:0-3",
            "holding:3",
            "input:2-5",
            "input:11",
        ];
        let spans = spans.map(|text| text.parse().expect(text)).to_vec();
        let shown: Vec<String> = merged(spans).iter().map(Span::to_string).collect();
        assert_eq!(shown, ["holding:3", "input:0-9", "input:11"]);
    }

    #[test]
    fn every_value_lies_whole_in_a_chunk() {
        for cap in [1, 4, 7, 8, 125] {
            for last in [0, 6, 7, 124, 125, 300] {
                let whole = Span {
                    table: Table::Input,
                    first: 65_535 - last,
                    last: 65_535,
                };
                let chunks = whole.chunks(cap);
                assert!(chunks.iter().all(|chunk| chunk.len() <= usize::from(cap)));
                let width = if cap < 8 { 1 } else { 4 };
                for at in whole.first..=(whole.last - (width - 1).min(last)) {
                    let end = at + (width - 1).min(last);
                    let holds = |chunk: &Span| chunk.first <= at && end <= chunk.last;
                    assert!(chunks.iter().any(holds), "{cap} {last} {at}");
                }
            }
        }
        let bits = Span::of(Table::Coil, 0, 20).chunks(10);
        assert_eq!(
            bits,
            [Span::of(Table::Coil, 0, 10), Span::of(Table::Coil, 10, 10)]
        );
    }

    #[test]
    fn halves_are_the_whole() {
        for last in 0..300 {
            let whole = Span {
                table: Table::Holding,
                first: 1,
                last: 1 + last,
            };
            let Some([one, other]) = whole.halves() else {
                assert_eq!(last, 0);
                continue;
            };
            assert_eq!((one.first, other.last), (whole.first, whole.last));
            assert_eq!(one.last + 1, other.first);
            assert!(one.first <= one.last && other.first <= other.last);
            assert!(last < 3 || one.len().is_multiple_of(2), "{last}");
        }
        let all = Span::of(Table::Input, 0, u16::MAX);
        assert!(all.halves().is_some());
    }

    #[test]
    fn gaps_are_left_out_and_named() {
        let gap = |first, last| Gap {
            table: Table::Holding,
            first,
            last,
        };
        let gaps = [gap(5, 6), gap(9, 20), gap(0, 0)];
        let of = |table, first, count| Span::of(table, first, count);
        let asked = vec![of(Table::Holding, 0, 12), of(Table::Input, 5, 2)];
        let (left, out) = outside(asked, &gaps);
        let holding = |first, count| of(Table::Holding, first, count);
        let whole = of(Table::Input, 5, 2);
        assert_eq!(left, [holding(1, 4), holding(7, 2), whole]);
        assert_eq!(out, [holding(0, 1), holding(5, 2), holding(9, 3)]);
    }
}
