//! What is made of registers.

use super::*;

fn percent() -> Expected {
    Expected::between(0.0, 100.0)
}

fn heard(now: &[u16], before: &[u16]) -> Heard {
    let piece = |words: &[u16]| Piece {
        table: Table::Input,
        first: 7,
        answer: Answer::Registers(words.to_vec()),
    };
    Heard {
        pieces: vec![piece(now)],
        before: vec![piece(before)],
        ..Heard::default()
    }
}

fn best(now: &[u16], expected: Expected) -> Vec<(u16, DataType, ByteOrder)> {
    let decoded = decoded(&heard(now, now), Wanted::default(), |_, _| expected);
    let found = decoded.most_plausible(false);
    let short = |found: &Found| {
        let Decoding {
            data_type, order, ..
        } = found.decoding;
        (found.address, data_type, order)
    };
    found.iter().map(short).collect()
}

#[test]
fn a_single_in_swapped_words_is_found_among_all_others() {
    // 3.2 is 404C CCCD, 61.7 is 4276 CCCD.
    for expected in [percent(), Expected::ANY] {
        let cdab = |address| (address, DataType::Float32, ByteOrder::Cdab);
        assert_eq!(best(&[0xCCCD, 0x404C], expected), [cdab(7)]);
        assert_eq!(
            best(&[0xCCCD, 0x404C, 0xCCCD, 0x4276], expected),
            [cdab(7), cdab(9)]
        );
    }
    for (words, order) in [
        ([0x404C, 0xCCCD], ByteOrder::Abcd),
        ([0x4C40, 0xCDCC], ByteOrder::Badc),
        ([0xCDCC, 0x4C40], ByteOrder::Dcba),
    ] {
        assert_eq!(best(&words, percent()), [(7, DataType::Float32, order)]);
    }
}

/// 3.2 and 61.7 from the second register on: the most significant words could also be taken with what
/// stands before them.
#[test]
fn all_values_are_taken_in_one_order() {
    let words = [0x0007, 0x404C, 0xCCCD, 0x4276, 0xCCCD];
    let abcd = |address| (address, DataType::Float32, ByteOrder::Abcd);
    let seven = (7, DataType::Uint16, ByteOrder::Abcd);
    assert_eq!(best(&words, percent()), [seven, abcd(8), abcd(10)]);
    // 61.5 in swapped words, if it were the only one.
    let words = [0x404C, 0xCCCD, 0xF000, 0x4276];
    assert_eq!(best(&words, percent()), [abcd(7)]);
    let cdab = (7, DataType::Float32, ByteOrder::Cdab);
    assert_eq!(best(&words[2..], percent()), [cdab]);
}

/// 50.06 in one order, 25.03 in another: nobody can tell from one look.
#[test]
fn another_order_that_is_nearly_as_plausible_is_named() {
    let rivals = |words: &[u16]| -> Vec<Option<ByteOrder>> {
        let decoded = decoded(&heard(words, words), Wanted::default(), |_, _| percent());
        let found = decoded.most_plausible(false);
        let rivals = found.iter().map(|found| found.rival);
        rivals.map(|rival| rival.map(|rival| rival.order)).collect()
    };
    assert_eq!(rivals(&[0x4248, 0x41C8]), [Some(ByteOrder::Cdab)]);
    // The same number either way, now.
    assert_eq!(rivals(&[0x4248, 0x4248]), [Some(ByteOrder::Cdab)]);
    assert_eq!(rivals(&[0xCCCD, 0x404C]), [None]);
    // A neighbour that can be in one order only decides for both.
    assert_eq!(rivals(&[0x4248, 0x41C8, 0x404C, 0xCCCD]), [None, None]);
    assert_eq!(rivals(&[42, 17]), [None, None]);
}

#[test]
fn whole_numbers_are_told_from_singles() {
    let at = |address| (address, DataType::Uint16, ByteOrder::Abcd);
    assert_eq!(best(&[42, 17], percent()), [at(7), at(8)]);
    assert_eq!(best(&[42, 17], Expected::ANY), [at(7), at(8)]);
    assert_eq!(best(&[0, 0], percent()), [], "zero says nothing");
}

#[test]
fn a_value_that_lies_in_two_answers_is_none() {
    let piece = |first, words: [u16; 2]| Piece {
        table: Table::Input,
        first,
        answer: Answer::Registers(words.to_vec()),
    };
    let heard = Heard {
        pieces: vec![piece(0, [1, 2]), piece(2, [3, 4])],
        ..Heard::default()
    };
    let decoded = decoded(&heard, Wanted::default(), |_, _| percent());
    let widths = decoded.registers.iter().map(|register| {
        let widths = register.decodings.iter().map(|d| d.data_type.registers());
        widths.max()
    });
    assert_eq!(
        widths.collect::<Vec<_>>(),
        [Some(2), Some(1), Some(2), Some(1)]
    );
}

#[test]
fn what_jumps_between_the_reads_is_not_plausible() {
    let moved = heard(&[0xCCCD, 0x404C], &[0xCCCD, 0x4276]);
    let decoded = decoded(&moved, Wanted::default(), |_, _| percent());
    assert!(decoded.most_plausible(false).is_empty());
    let register = &decoded.registers[1];
    assert_eq!((register.word, register.before), (0x404C, Some(0x4276)));
}

#[test]
fn a_type_that_was_asked_for_is_the_only_one_and_needs_no_evidence() {
    let wanted = Wanted {
        data_type: Some(DataType::Uint16),
        order: Some(ByteOrder::Abcd),
    };
    let words = [52_429, 0];
    let decoded = decoded(&heard(&words, &words), wanted, |_, _| Expected::ANY);
    assert_eq!(decoded.registers[0].decodings.len(), 1);
    assert!(decoded.most_plausible(false).is_empty());
    assert_eq!(decoded.most_plausible(true).len(), 2);
}
