//! RTU frames against the specification's examples and against generated noise.

use proptest::prelude::*;

use super::*;
use crate::input::modbus::rogue::{self, rtu_frame};

fn request(table: Table, address: u16, count: u16) -> Request {
    Request {
        table,
        address,
        count,
        points: 0..0,
    }
}

const TABLES: [Table; 4] = [Table::Coil, Table::Discrete, Table::Holding, Table::Input];

/// The right answer as the rogue has it, and as it should be read.
fn answered(question: &Question) -> (Vec<u8>, Answer) {
    let theirs = question.bytes().try_into().expect("8 bytes");
    let theirs = rogue::Question::from_rtu(&theirs).expect("a right checksum");
    let values =
        (0..theirs.count).map(|i| rogue::register(theirs.unit, theirs.address.wrapping_add(i)));
    let answer = match question.table {
        Table::Coil | Table::Discrete => Answer::Bits(values.map(|value| value & 1 == 1).collect()),
        Table::Holding | Table::Input => Answer::Registers(values.collect()),
    };
    (theirs.rtu_answer(), answer)
}

#[test]
fn frames_are_as_the_specification_has_them() {
    // V1.1b3, 6.3 and 6.1; checksums from V1.02 and from other masters.
    let question = Question::new(0x11, &request(Table::Holding, 0x6B, 3));
    assert_eq!(question.bytes(), [0x11, 3, 0, 0x6B, 0, 3, 0x76, 0x87]);
    let answer = [0x11, 3, 6, 0xAE, 0x41, 0x56, 0x52, 0x43, 0x40, 0x49, 0xAD];
    assert!(matches!(
        question.look(&answer),
        Seen::Answer(Ok(Answer::Registers(words))) if words == [0xAE41, 0x5652, 0x4340]
    ));
    let question = Question::new(1, &request(Table::Holding, 0, 10));
    assert_eq!(question.bytes(), [1, 3, 0, 0, 0, 10, 0xC5, 0xCD]);
    let question = Question::new(0x0A, &request(Table::Coil, 0x04A1, 1));
    assert_eq!(question.bytes()[6..], [0xAC, 0x63]);
    let refusal = [0x0A, 0x81, 2, 0xB0, 0x53];
    assert!(matches!(
        question.look(&refusal),
        Seen::Answer(Err(Exception::IllegalAddress))
    ));
}

#[test]
fn no_question_writes() {
    let functions = TABLES.map(|table| Question::new(1, &request(table, 0, 1)).bytes()[1]);
    assert_eq!(functions, [1, 2, 3, 4]);
}

#[test]
fn what_is_not_the_answer_is_told_apart() {
    let question = Question::new(7, &request(Table::Holding, 10, 2));
    let right = rtu_frame(7, &[3, 4, 0, 1, 0, 2]);
    let wrong = |bytes: &[u8]| {
        let Seen::Wrong(failure) = question.look(bytes) else {
            panic!("{bytes:?}");
        };
        failure.reason()
    };
    assert_eq!(wrong(&rtu_frame(7, &[3, 2, 0, 1])), "wrong_length");
    assert_eq!(
        wrong(&rtu_frame(7, &[3, 6, 0, 1, 0, 2, 0, 3])),
        "wrong_length"
    );
    assert_eq!(wrong(&rtu_frame(7, &[4, 4, 0, 1, 0, 2])), "mismatch");
    assert_eq!(wrong(&rtu_frame(7, &[0x84, 2])), "mismatch");
    assert_eq!(wrong(&right.repeat(2)), "mismatch");
    // It might be the begin of another answer.
    for more in [&[7][..], &[0, 7], &[247], &[0; 5]] {
        assert_eq!(wrong(&[&right[..], more].concat()), "mismatch", "{more:?}");
    }
    for noise in [&[0][..], &[0xFF; 4], &[0, 248]] {
        let noisy = [&right[..], noise].concat();
        assert!(
            matches!(question.look(&noisy), Seen::Answer(Ok(_))),
            "{noise:?}"
        );
    }
    for noise in 0..=4 {
        let stranger = [
            vec![0xFF; noise],
            rtu_frame(8, &[3, 4, 0, 1, 0, 2]),
            right.clone(),
        ]
        .concat();
        let Seen::Stranger { unit: 8, length } = question.look(&stranger) else {
            panic!("{noise}");
        };
        assert_eq!(length, noise + 9);
        assert!(matches!(
            question.look(&stranger[length..]),
            Seen::Answer(Ok(_))
        ));
    }
    // It might be the rest of another frame.
    let long = [vec![0xFF; 5], right.clone()].concat();
    assert!(matches!(question.look(&long), Seen::Nothing));
    let echo = [question.bytes(), &right[..]].concat();
    assert!(matches!(question.look(&echo), Seen::Echo { length: 8 }));
}

#[test]
fn an_echo_that_looks_like_an_answer_is_an_echo() {
    // Three bytes of coils, and the address says 3: every check of an answer holds.
    let question = Question::new(1, &request(Table::Coil, 0x03A5, 24));
    assert_eq!(whole(question.bytes()), Some(8));
    assert!(matches!(question.look(question.bytes()), Seen::Echo { .. }));
}

fn questions() -> impl Strategy<Value = Question> {
    let counts = (0..4_usize, 1..=2000_u16);
    (1..=247_u8, any::<u16>(), counts).prop_map(|(unit, address, (table, count))| {
        let table = TABLES[table];
        let most = if matches!(table, Table::Holding | Table::Input) {
            125
        } else {
            2000
        };
        Question::new(unit, &request(table, address, (count - 1) % most + 1))
    })
}

proptest! {
    #[test]
    fn every_answer_is_read_whole_and_only_whole(
        question in questions(), noise in prop::collection::vec(Just(0_u8), 0..=NOISE)
    ) {
        let (frame, expected) = answered(&question);
        for end in 0..frame.len() {
            prop_assert!(matches!(question.look(&frame[..end]), Seen::Nothing), "{end}");
        }
        let heard = [noise, frame].concat();
        let seen = question.look(&heard);
        let Seen::Answer(Ok(answer)) = seen else {
            return Err(TestCaseError::fail(format!("{seen:?}")));
        };
        prop_assert_eq!(answer, expected);
    }

    /// The checksum finds up to three wrong bits in a frame, wherever they are.
    #[test]
    fn wrong_bits_never_make_an_answer(
        question in questions(), bits in prop::collection::vec(any::<prop::sample::Index>(), 1..=3)
    ) {
        let (mut frame, _) = answered(&question);
        let bits: std::collections::BTreeSet<_> =
            bits.iter().map(|bit| bit.index(frame.len() * 8)).collect();
        for bit in bits {
            frame[bit / 8] ^= 1 << (bit % 8);
        }
        let seen = question.look(&frame);
        prop_assert!(!matches!(seen, Seen::Answer(Ok(_))), "{:?}", seen);
    }

    #[test]
    fn any_bytes_are_looked_at_without_harm(
        question in questions(), heard in prop::collection::vec(any::<u8>(), 0..600)
    ) {
        let seen = question.look(&heard);
        prop_assert!(!matches!(seen, Seen::Answer(Ok(_))), "{:?}", seen);
        if let Some(length) = whole(&heard) {
            prop_assert!(length <= heard.len());
        }
    }
}
