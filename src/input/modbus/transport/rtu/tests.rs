//! RTU against devices that lie, in virtual time.

use std::collections::BTreeMap;

use tokio::io::DuplexStream;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::Instant;

use super::*;
use crate::input::modbus::failure::Exception;
use crate::input::modbus::rogue::{self, Wire, how_many, register, rtu_frame, wire};
use crate::input::modbus::settings::Table;

mod search;

const DEADLINE: Duration = Duration::from_millis(200);
const GAP: Duration = Duration::from_millis(4);
const SERIAL: Manners = Manners {
    gap: GAP,
    worst: DEADLINE,
    close: false,
};
const OVER_TCP: Manners = Manners {
    close: true,
    ..SERIAL
};

fn request(table: Table, address: u16, count: u16) -> Request {
    Request {
        table,
        address,
        count,
        points: 0..0,
    }
}

fn holding(address: u16) -> Request {
    request(Table::Holding, address, 2)
}

/// The right answer, worked out from the request alone.
fn expected(unit: u8, request: &Request) -> Answer {
    let values = (0..request.count).map(|i| register(unit, request.address.wrapping_add(i)));
    match request.table {
        Table::Coil | Table::Discrete => Answer::Bits(values.map(|value| value & 1 == 1).collect()),
        Table::Holding | Table::Input => Answer::Registers(values.collect()),
    }
}

/// The other end of a line.
struct Device {
    accept: mpsc::Receiver<DuplexStream>,
    stream: DuplexStream,
}

impl Device {
    /// The next question and when it came.
    async fn asked(&mut self) -> (rogue::Question, Instant) {
        let mut bytes = [0; 8];
        self.stream
            .read_exact(&mut bytes)
            .await
            .expect("a question");
        (
            rogue::Question::from_rtu(&bytes).expect("a right checksum"),
            Instant::now(),
        )
    }

    async fn say(&mut self, bytes: &[u8]) {
        self.stream
            .write_all(bytes)
            .await
            .expect("the line is open");
    }

    async fn answer(&mut self) {
        let (question, _) = self.asked().await;
        self.say(&question.rtu_answer()).await;
    }

    /// The line is closed by the other end.
    async fn closed(&mut self) {
        let end = self.stream.read(&mut [0; 8]).await;
        assert!(matches!(end, Ok(0)), "{end:?}");
    }

    /// Closes, if that was not done, and waits to be connected to again.
    async fn accept(&mut self) {
        (self.stream, _) = tokio::io::duplex(1);
        self.stream = self.accept.recv().await.expect("opened again");
    }
}

/// A line on which `device` plays; both must come to their end.
async fn play<F: Future<Output = ()>>(
    manners: Manners,
    device: impl FnOnce(Device) -> F,
    master: impl AsyncFnOnce(RtuLink<Wire>),
) {
    let (wire, mut accept) = wire();
    let device = async {
        let stream = accept.recv().await.expect("opened");
        device(Device { accept, stream }).await;
    };
    let both = async { tokio::join!(device, master(RtuLink::new(wire, manners))) };
    let end = timeout(Duration::from_secs(60), both).await;
    end.expect("neither waits for ever");
}

async fn right(link: &mut RtuLink<Wire>, unit: u8, request: &Request) {
    let answer = link.call(unit, request, DEADLINE).await;
    assert_eq!(
        answer.expect("right answer"),
        expected(unit, request),
        "{request}"
    );
}

/// The name of what went wrong.
async fn fails(link: &mut RtuLink<Wire>, unit: u8, request: &Request) -> &'static str {
    link.call(unit, request, DEADLINE)
        .await
        .expect_err("no answer")
        .reason()
}

#[tokio::test(start_paused = true)]
async fn a_late_answer_is_heard_and_thrown_away_before_its_unit_is_asked_again() {
    let device = async |mut device: Device| {
        let (late, first) = device.asked().await;
        tokio::time::sleep(DEADLINE * 3 / 2).await;
        device.say(&late.rtu_answer()).await;
        let (question, second) = device.asked().await;
        assert!(second - first >= DEADLINE * 2, "{:?}", second - first);
        assert_eq!(question.address, 20);
        device.say(&question.rtu_answer()).await;
        device.answer().await;
    };
    play(SERIAL, device, async |mut link| {
        assert_eq!(fails(&mut link, 1, &holding(10)).await, "timeout");
        right(&mut link, 1, &holding(20)).await;
        right(&mut link, 1, &holding(30)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_silent_unit_holds_up_nobody_else_and_its_late_answer_neither() {
    let device = async |mut device: Device| {
        let (late, first) = device.asked().await;
        let (question, second) = device.asked().await;
        assert_eq!(question.unit, 2);
        assert!(second - first < DEADLINE + GAP * 2, "{:?}", second - first);
        // In one piece, as a USB adapter gives them.
        device
            .say(&[late.rtu_answer(), question.rtu_answer()].concat())
            .await;
        device.answer().await;
        let (question, again) = device.asked().await;
        assert!(again - first >= DEADLINE * 2, "{:?}", again - first);
        device.say(&question.rtu_answer()).await;
    };
    play(SERIAL, device, async |mut link| {
        assert_eq!(fails(&mut link, 1, &holding(10)).await, "timeout");
        right(&mut link, 2, &holding(10)).await;
        right(&mut link, 3, &holding(10)).await;
        // What it owed has come: asked once.
        right(&mut link, 1, &holding(20)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_frame_of_a_unit_that_owes_nothing_is_trouble() {
    let device = async |mut device: Device| {
        let (question, _) = device.asked().await;
        let stranger = rtu_frame(question.unit + 1, &[3, 4, 0, 1, 0, 2]);
        device
            .say(&[stranger, question.rtu_answer()].concat())
            .await;
        let heard = Instant::now();
        let (question, again) = device.asked().await;
        assert!(again - heard >= DEADLINE, "{:?}", again - heard);
        device.say(&question.rtu_answer()).await;
    };
    play(SERIAL, device, async |mut link| {
        assert_eq!(fails(&mut link, 1, &holding(10)).await, "mismatch");
        right(&mut link, 3, &holding(10)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_answer_later_than_all_waiting_is_not_taken_for_another() {
    let device = async |mut device: Device| {
        let (late, _) = device.asked().await;
        let (question, asked) = device.asked().await;
        device.say(&late.rtu_answer()).await;
        let (again, _) = device.asked().await;
        assert_eq!(
            (again.address, again.count),
            (question.address, question.count)
        );
        device.say(&question.rtu_answer()).await;
        tokio::time::sleep(GAP * 3).await;
        device.say(&again.rtu_answer()).await;
        let (next, at) = device.asked().await;
        assert!(at - asked >= DEADLINE, "the line must be silent after that");
        device.say(&next.rtu_answer()).await;
    };
    play(SERIAL, device, async |mut link| {
        assert_eq!(fails(&mut link, 1, &holding(10)).await, "timeout");
        right(&mut link, 1, &holding(20)).await;
        right(&mut link, 1, &holding(30)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn after_noise_everybody_waits_for_silence() {
    for noise in [
        vec![0xAA; 40],
        vec![0; 600],
        vec![1, 3, 4, 0, 1, 0, 2, 0, 0],
    ] {
        let device = async |mut device: Device| {
            let (_, first) = device.asked().await;
            tokio::time::sleep(DEADLINE / 2).await;
            device.say(&noise).await;
            let (question, second) = device.asked().await;
            assert!(second - first >= DEADLINE * 3 / 2, "{:?}", second - first);
            device.say(&question.rtu_answer()).await;
        };
        play(SERIAL, device, async |mut link| {
            assert_eq!(fails(&mut link, 1, &holding(10)).await, "malformed");
            right(&mut link, 2, &holding(10)).await;
        })
        .await;
    }
}

#[tokio::test(start_paused = true)]
async fn a_second_answer_is_not_the_answer_to_the_next_question() {
    let device = async |mut device: Device| {
        let (question, first) = device.asked().await;
        device.say(&question.rtu_answer()).await;
        tokio::time::sleep(GAP / 2).await;
        device.say(&question.rtu_answer()).await;
        let (question, second) = device.asked().await;
        assert!(second - first >= DEADLINE, "{:?}", second - first);
        device.say(&question.rtu_answer()).await;
    };
    play(SERIAL, device, async |mut link| {
        right(&mut link, 1, &holding(10)).await;
        right(&mut link, 1, &holding(20)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn who_begins_to_speak_on_an_idle_line_is_not_interrupted() {
    let device = async |mut device: Device| {
        let (question, _) = device.asked().await;
        device.say(&question.rtu_answer()).await;
        tokio::time::sleep(GAP * 10 + GAP / 2).await;
        device.say(&question.rtu_answer()).await;
        let spoke = Instant::now();
        let (question, asked) = device.asked().await;
        assert!(asked - spoke >= DEADLINE, "{:?}", asked - spoke);
        device.say(&question.rtu_answer()).await;
    };
    play(SERIAL, device, async |mut link| {
        right(&mut link, 1, &holding(10)).await;
        tokio::time::sleep(GAP * 10).await;
        right(&mut link, 1, &holding(20)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn frames_are_parted_by_the_gap() {
    let device = async |mut device: Device| {
        for _ in 0..3 {
            let (question, _) = device.asked().await;
            let answered = Instant::now();
            device.say(&question.rtu_answer()).await;
            let (question, asked) = device.asked().await;
            assert!(asked - answered >= GAP, "{:?}", asked - answered);
            device.say(&question.rtu_answer()).await;
        }
    };
    play(SERIAL, device, async |mut link| {
        for unit in 1..=6 {
            right(&mut link, unit, &holding(10)).await;
        }
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn an_echo_is_taken_away_and_never_an_answer() {
    // A question for 24 coils whose echo has everything that an answer has.
    let coils = request(Table::Coil, 0x03A5, 24);
    let echo = async |mut device: Device| {
        for _ in 0..2 {
            let mut bytes = [0; 8];
            device
                .stream
                .read_exact(&mut bytes)
                .await
                .expect("a question");
            device.say(&bytes).await;
            tokio::time::sleep(GAP).await;
            let question = rogue::Question::from_rtu(&bytes).expect("a right checksum");
            device.say(&question.rtu_answer()).await;
        }
        let mut bytes = [0; 8];
        device
            .stream
            .read_exact(&mut bytes)
            .await
            .expect("a question");
        device.say(&bytes).await;
        // And then nothing; the line stays open.
        tokio::time::sleep(DEADLINE * 2).await;
    };
    play(SERIAL, echo, async |mut link| {
        right(&mut link, 1, &coils).await;
        right(&mut link, 1, &holding(10)).await;
        assert_eq!(fails(&mut link, 1, &coils).await, "timeout");
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_line_that_never_falls_silent_is_named() {
    let device = async |mut device: Device| {
        let mut master_waits = true;
        while master_waits {
            master_waits = device.stream.write_all(&[0x55; 3]).await.is_ok();
            tokio::time::sleep(GAP / 2).await;
        }
    };
    play(SERIAL, device, async |mut link| {
        let began = Instant::now();
        assert_eq!(fails(&mut link, 1, &holding(10)).await, "babble");
        assert!(began.elapsed() < DEADLINE * 4, "{:?}", began.elapsed());
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn exceptions_are_answers() {
    let device = async |mut device: Device| {
        let (question, _) = device.asked().await;
        device
            .say(&rtu_frame(question.unit, &[question.function | 0x80, 6]))
            .await;
        device.answer().await;
    };
    play(OVER_TCP, device, async |mut link| {
        let busy = link.call(1, &holding(10), DEADLINE).await;
        assert!(
            matches!(busy, Err(Failure::Exception(Exception::Busy))),
            "{busy:?}"
        );
        right(&mut link, 1, &holding(10)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn over_tcp_trouble_closes_the_connection_and_the_debt_remains() {
    let device = async |mut device: Device| {
        let (late, first) = device.asked().await;
        device.closed().await;
        device.accept().await;
        // To whoever is connected now, as serial servers do.
        device.say(&late.rtu_answer()).await;
        let (question, second) = device.asked().await;
        assert!(second - first >= DEADLINE * 2, "{:?}", second - first);
        device.say(&question.rtu_answer()).await;
    };
    play(OVER_TCP, device, async |mut link| {
        assert_eq!(fails(&mut link, 1, &holding(10)).await, "timeout");
        right(&mut link, 1, &holding(20)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_connection_closed_while_idle_is_replaced_before_anything_is_asked() {
    let device = async |mut device: Device| {
        device.answer().await;
        device.accept().await;
        device.answer().await;
    };
    play(OVER_TCP, device, async |mut link| {
        right(&mut link, 1, &holding(10)).await;
        right(&mut link, 1, &holding(20)).await;
    })
    .await;
}

#[tokio::test(start_paused = true)]
async fn a_dropped_call_leaves_a_debt() {
    let device = async |mut device: Device| {
        let (late, first) = device.asked().await;
        device.closed().await;
        device.accept().await;
        device.say(&late.rtu_answer()).await;
        let (question, second) = device.asked().await;
        assert!(second - first >= DEADLINE * 2, "{:?}", second - first);
        device.say(&question.rtu_answer()).await;
    };
    play(SERIAL, device, async |mut link| {
        // Waiting for silence at the start, then half of the time for an answer.
        let dropped = timeout(DEADLINE * 3 / 2, link.call(1, &holding(10), DEADLINE)).await;
        assert!(dropped.is_err());
        right(&mut link, 1, &holding(20)).await;
    })
    .await;
}
