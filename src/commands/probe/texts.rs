//! Registers that read as text: names, types and serial numbers, by which a technician knows a device. Pure.
//!
//! A register holds two characters of ASCII; which comes first differs, and nothing tells: both ways
//! are shown, and people see which one is a word. Points are quantities, so nothing of this is ever configured.

use std::io::{self, Write};

use super::decodings::{Decoded, Register};
use super::registers::Span;

/// Fewer registers in a row are text by chance too often: one in 400 of what is none.
const SHORTEST: usize = 3;

/// Registers that read as text.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Text {
    /// Where.
    pub(super) span: Span,
    /// The more significant byte of each register first, as the specification has it.
    pub(super) high_first: String,
    /// The other way round.
    pub(super) low_first: String,
}

/// What reads as text, by table and address.
pub(super) fn texts(decoded: &Decoded) -> Vec<Text> {
    decoded.runs().into_iter().flat_map(in_run).collect()
}

fn in_run(run: &[Register]) -> Vec<Text> {
    let pieces = run.chunk_by(|one, next| is_text(one.word) && is_text(next.word));
    let pieces = pieces.filter(|piece| piece.len() == run.len() || piece.len() >= SHORTEST);
    pieces.filter_map(text).collect()
}

/// Two characters, or one and the zero that ends a text.
fn is_text(word: u16) -> bool {
    let [high, low] = word.to_be_bytes().map(is_printable);
    let [ends_low, ends_high] = word.to_be_bytes().map(|byte| byte == 0);
    (high || ends_low) && (low || ends_high)
}

const fn is_printable(byte: u8) -> bool {
    matches!(byte, b' '..=b'~')
}

/// `None` when there is hardly a letter or digit in it.
fn text(piece: &[Register]) -> Option<Text> {
    let first = piece.first()?;
    let bytes = |swapped: bool| {
        let bytes = piece.iter().flat_map(|register| {
            let [high, low] = register.word.to_be_bytes();
            if swapped { [low, high] } else { [high, low] }
        });
        bytes.collect::<Vec<u8>>()
    };
    let high_first = bytes(false);
    let shown = high_first.iter().filter(|byte| is_printable(**byte));
    let words = high_first
        .iter()
        .filter(|byte| byte.is_ascii_alphanumeric());
    let (shown, words) = (shown.count(), words.count());
    if words < 3 || words * 3 < shown * 2 || shown * 2 < high_first.len() {
        return None;
    }
    let count = u16::try_from(piece.len()).unwrap_or(u16::MAX);
    Some(Text {
        span: Span::of(first.table, first.address, count),
        high_first: trimmed(&high_first),
        low_first: trimmed(&bytes(true)),
    })
}

/// Without what only fills the registers.
fn trimmed(bytes: &[u8]) -> String {
    let shown = bytes.iter().map(|byte| char::from(*byte));
    let shown = shown.map(|c| if c == '\0' { ' ' } else { c });
    shown.collect::<String>().trim().to_owned()
}

/// One line for each.
pub(super) fn show(texts: &[Text], out: &mut impl Write) -> io::Result<()> {
    for text in texts {
        let place = text.span.to_string();
        let (one, other) = (&text.high_first, &text.low_first);
        writeln!(
            out,
            "{place:<18} \"{one}\", or with swapped bytes \"{other}\""
        )?;
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::input::modbus::Table;

    fn found(words: &[u16]) -> Vec<(String, String, String)> {
        let registers = words.iter().zip(100..).map(|(word, address)| Register {
            table: Table::Holding,
            address,
            word: *word,
            before: None,
            decodings: Vec::new(),
        });
        let decoded = Decoded {
            registers: registers.collect(),
            bits: Vec::new(),
        };
        let texts = texts(&decoded).into_iter();
        let texts = texts.map(|text| (text.span.to_string(), text.high_first, text.low_first));
        texts.collect()
    }

    fn of(place: &str, one: &str, other: &str) -> (String, String, String) {
        (place.to_owned(), one.to_owned(), other.to_owned())
    }

    #[test]
    fn a_name_is_found_among_numbers_in_both_orders() {
        // "GD-42 v1" and a zero, between 7, which is the bell, and 65535.
        let words = [7, 0x4744, 0x2D34, 0x3220, 0x7631, 0, 0xFFFF];
        let name = of("holding:101-105", "GD-42 v1", "DG4- 21v");
        assert_eq!(found(&words), [name]);
    }

    #[test]
    fn numbers_are_no_text() {
        // Zeros, small numbers, 3.2 and 61.7 in swapped words, blanks, signs.
        for words in [
            &[0, 0, 0, 0][..],
            &[1, 2, 3, 4, 5],
            &[0xCCCD, 0x404C, 0xCCCD, 0x4276],
            &[0x2020; 8],
            &[0x2D2D; 8],
            &[0x4142, 0x4344, 0xFFFF],
        ] {
            assert_eq!(found(words), [], "{words:?}");
        }
        // What was asked for by itself is shown, however short.
        assert_eq!(
            found(&[0x4142, 0x4344]),
            [of("holding:100-101", "ABCD", "BADC")]
        );
    }
}
