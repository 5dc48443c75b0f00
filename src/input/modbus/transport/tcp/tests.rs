//! The safe wrapper against a device that lies.

use std::collections::BTreeMap;

use tokio::io::{AsyncWriteExt as _, DuplexStream};
use tokio::net::TcpListener;
use tokio::sync::mpsc;
use tokio::task::JoinSet;

use super::*;
use crate::input::modbus::rogue::{Question, Wire, frame, how_many, register, wire};

const DEADLINE: Duration = Duration::from_millis(200);

fn request(table: Table, address: u16, count: u16) -> Request {
    Request {
        table,
        address,
        count,
        points: 0..0,
    }
}

fn holding(address: u16, count: u16) -> Request {
    request(Table::Holding, address, count)
}

/// What the device task says in the end; a device that still waits is a failure, not a hang.
async fn end_of<T: 'static>(mut device: JoinSet<T>) -> T {
    let end = tokio::time::timeout(Duration::from_secs(5), device.join_next()).await;
    let end = end.expect("the device got what it waits for");
    end.expect("one device").expect("no panic")
}

/// The right answer, worked out from the request alone.
fn expected(unit: u8, request: &Request) -> Answer {
    let values = (0..request.count).map(|i| register(unit, request.address + i));
    match request.table {
        Table::Coil | Table::Discrete => Answer::Bits(values.map(|value| value & 1 == 1).collect()),
        Table::Holding | Table::Input => Answer::Registers(values.collect()),
    }
}

#[tokio::test]
async fn a_late_reply_is_gone_with_its_connection() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    let mut device = JoinSet::new();
    device.spawn(async move {
        let (mut first, _) = listener.accept().await.expect("accept");
        let late = Question::read(&mut first).await.expect("first question");
        // `None` when the client has closed, as it must.
        let again = Question::read(&mut first).await;
        if let Some(question) = again {
            let replies = [late.answer(), question.answer()].concat();
            first.write_all(&replies).await.expect("client waits");
            return Err("the second question came over the connection that timed out");
        }
        let _gone = first.write_all(&late.answer()).await.is_err();
        let (mut second, _) = listener.accept().await.expect("accept");
        let question = Question::read(&mut second).await.expect("second question");
        second
            .write_all(&question.answer())
            .await
            .expect("client waits");
        Ok(())
    });

    let host = "127.0.0.1".to_owned();
    let mut link = TcpLink::new(TcpConnector(Endpoint { host, port }));
    let first = link.call(1, &holding(10, 2), DEADLINE).await;
    assert!(matches!(first, Err(Failure::Timeout(_))), "{first:?}");
    let second = link.call(1, &holding(20, 2), DEADLINE * 10).await;
    assert_eq!(second.expect("right answer"), expected(1, &holding(20, 2)));
    assert_eq!(end_of(device).await, Ok(()));
}

#[tokio::test(start_paused = true)]
async fn a_late_reply_on_the_next_connection_is_refused() {
    let (wire, mut accept) = wire();
    let mut device = JoinSet::new();
    device.spawn(async move {
        // Never a second connection before the first is closed.
        let mut first = accept.recv().await.expect("first connection");
        let late = Question::read(&mut first).await.expect("first question");
        assert!(Question::read(&mut first).await.is_none(), "closed");
        let mut second = accept.recv().await.expect("second connection");
        Question::read(&mut second).await.expect("second question");
        second
            .write_all(&late.answer())
            .await
            .expect("client waits");
        assert!(Question::read(&mut second).await.is_none(), "closed");
    });
    let mut link = TcpLink::new(wire);
    // Same unit, table and length: only the transaction tells them apart.
    let first = link.call(1, &holding(10, 2), DEADLINE).await;
    assert!(matches!(first, Err(Failure::Timeout(_))), "{first:?}");
    let second = link.call(1, &holding(20, 2), DEADLINE).await;
    assert!(matches!(second, Err(Failure::Mismatch(_))), "{second:?}");
    end_of(device).await;
}

#[tokio::test(start_paused = true)]
async fn a_call_that_is_dropped_takes_its_connection_along() {
    let (wire, mut accept) = wire();
    let mut device = JoinSet::new();
    device.spawn(async move {
        let mut first = accept.recv().await.expect("first connection");
        Question::read(&mut first).await.expect("first question");
        assert!(Question::read(&mut first).await.is_none(), "closed");
        let mut second = accept.recv().await.expect("second connection");
        let question = Question::read(&mut second).await.expect("second question");
        second
            .write_all(&question.answer())
            .await
            .expect("client waits");
    });
    let mut link = TcpLink::new(wire);
    let request = holding(10, 2);
    let call = link.call(1, &request, DEADLINE);
    let dropped = tokio::time::timeout(DEADLINE / 2, call).await;
    assert!(dropped.is_err());
    let second = link.call(1, &holding(20, 2), DEADLINE).await;
    assert_eq!(second.expect("right answer"), expected(1, &holding(20, 2)));
    end_of(device).await;
}

#[tokio::test(start_paused = true)]
async fn exceptions_keep_the_connection_and_a_closed_idle_one_is_replaced() {
    let (wire, mut accept) = wire();
    let attempts = std::sync::Arc::clone(&wire.attempts);
    let mut device = JoinSet::new();
    device.spawn(async move {
        let mut first = accept.recv().await.expect("first connection");
        let question = Question::read(&mut first).await.expect("question");
        first
            .write_all(&question.exception(6))
            .await
            .expect("client waits");
        let question = Question::read(&mut first).await.expect("question");
        first
            .write_all(&question.answer())
            .await
            .expect("client waits");
        drop(first);
        let mut second = accept.recv().await.expect("second connection");
        let question = Question::read(&mut second).await.expect("question");
        second
            .write_all(&question.answer())
            .await
            .expect("client waits");
    });
    let mut link = TcpLink::new(wire);
    let busy = link.call(1, &holding(0, 1), DEADLINE).await;
    assert!(matches!(busy, Err(Failure::Exception(Exception::Busy))));
    for _ in 0..2 {
        let answer = link.call(1, &holding(5, 3), DEADLINE).await;
        assert_eq!(answer.expect("right answer"), expected(1, &holding(5, 3)));
    }
    assert_eq!(attempts.load(std::sync::atomic::Ordering::Relaxed), 2);
    end_of(device).await;
}

#[tokio::test]
async fn a_refused_connection_is_not_tried_again_at_once() {
    let listener = TcpListener::bind("127.0.0.1:0").await.expect("loopback");
    let port = listener.local_addr().expect("bound").port();
    let host = "127.0.0.1".to_owned();
    let mut connector = TcpConnector(Endpoint { host, port });
    let stream = connector.connect().await.expect("listening");
    assert!(stream.nodelay().expect("a live socket"));
    drop((stream, listener));

    let mut link = TcpLink::new(connector);
    let first = link.call(1, &holding(0, 1), DEADLINE).await;
    assert!(matches!(first, Err(Failure::ConnectFailed(_))), "{first:?}");
    let second = link.call(1, &holding(0, 1), DEADLINE).await;
    assert!(matches!(second, Err(Failure::NotConnected)), "{second:?}");
}

/// Does to each question what a seed says.
struct Rogue {
    random: fastrand::Rng,
    /// A reply held back on an earlier connection.
    late: Option<Vec<u8>>,
}

/// What a misdeed leaves of the connection.
#[derive(PartialEq)]
enum After {
    Open,
    Closed,
}

impl Rogue {
    async fn serve(mut self, mut accept: mpsc::Receiver<DuplexStream>) {
        while let Some(mut stream) = accept.recv().await {
            while let Some(question) = Question::read(&mut stream).await {
                match self.reply(&question, &mut stream).await {
                    Ok(After::Open) => {}
                    Ok(After::Closed) | Err(_) => break,
                }
            }
        }
    }

    async fn reply(&mut self, asked: &Question, wire: &mut DuplexStream) -> io::Result<After> {
        if let Some(late) = self.late.take() {
            wire.write_all(&late).await?;
        }
        let right = asked.answer();
        let mut bytes = right.clone();
        let mut after = After::Open;
        let (own, unit) = (asked.transaction, asked.unit);
        let deadline = u64::try_from(DEADLINE.as_millis()).expect("short");
        match self.random.u8(0..40) {
            0 => bytes.clear(),
            1 => {
                bytes.clear();
                after = After::Closed;
            }
            2 => bytes.truncate(self.random.usize(0..right.len())),
            3 => {
                bytes.truncate(self.random.usize(0..right.len()));
                after = After::Closed;
            }
            4 => {
                let late = self.random.u64(deadline / 2..deadline * 2);
                tokio::time::sleep(Duration::from_millis(late)).await;
            }
            5 => {
                // Held back until the next connection.
                self.late = Some(right);
                bytes.clear();
            }
            6 => bytes = frame(own.wrapping_sub(self.random.u16(1..9)), unit, &right[7..]),
            7 => bytes = frame(own.wrapping_add(self.random.u16(1..9)), unit, &right[7..]),
            8 => bytes = frame(own, unit.wrapping_add(1), &right[7..]),
            9 => bytes[7] = self.random.u8(0..=255) & 0x7F | 0x40,
            10 => bytes[7] = asked.function % 4 + 1,
            11 => bytes[8] = bytes[8].wrapping_add(self.random.u8(1..=255)),
            12 => bytes = asked.frame(&right[9..right.len() - 1]),
            13 if right.len() > 11 => bytes = asked.frame(&right[9..right.len() - 2]),
            14 if right.len() < 240 => bytes = asked.frame(&[&right[9..], &[7; 2]].concat()),
            15 => bytes = asked.frame(&[]),
            16 => self.random.fill(&mut bytes),
            17 => bytes[2] = self.random.u8(1..=255),
            18 => bytes[4] = self.random.u8(1..=255),
            19 => bytes[4..6].copy_from_slice(&[0, 0]),
            20 => bytes[5] = bytes[5].wrapping_sub(self.random.u8(1..=3)),
            21 => bytes = [right.clone(), right].concat(),
            22 => bytes = [vec![0xFF; self.random.usize(1..20)], right].concat(),
            23 => bytes = asked.exception(self.random.u8(0..=12)),
            24 => bytes = frame(own, unit, &[asked.function | 0x80]),
            25 => {
                for byte in &right {
                    wire.write_all(&[*byte]).await?;
                    tokio::time::sleep(Duration::from_millis(2)).await;
                }
                bytes.clear();
            }
            _ => {}
        }
        wire.write_all(&bytes).await?;
        Ok(after)
    }
}

/// Questions a rogue for `seed`; says how often it got each outcome. Panics on a wrong value.
async fn interrogate(seed: u64, requests: usize) -> BTreeMap<&'static str, usize> {
    let (wire, accept): (Wire, _) = wire();
    let mut device = JoinSet::new();
    let rogue = Rogue {
        random: fastrand::Rng::with_seed(seed),
        late: None,
    };
    device.spawn(rogue.serve(accept));

    let mut random = fastrand::Rng::with_seed(!seed);
    let mut link = TcpLink::new(wire);
    let mut outcomes = BTreeMap::new();
    for _ in 0..requests {
        let tables = [Table::Coil, Table::Discrete, Table::Holding, Table::Input];
        let table = tables[random.usize(0..4)];
        // Few shapes, so that a reply often fits another question in all but its transaction.
        let request = request(
            table,
            random.u16(0..50) * 10,
            [1, 2, 10, 50][random.usize(0..4)],
        );
        let unit = random.u8(1..4);
        let call = link.call(unit, &request, DEADLINE);
        // Some callers lose patience.
        let patience = if random.u8(0..50) == 0 {
            DEADLINE / 2
        } else {
            DEADLINE * 3
        };
        let outcome = match tokio::time::timeout(patience, call).await {
            Err(_dropped) => "dropped",
            Ok(Ok(answer)) => {
                assert_eq!(answer, expected(unit, &request), "seed {seed}: {request}");
                "right"
            }
            Ok(Err(failure)) => {
                if matches!(failure, Failure::NotConnected) {
                    tokio::time::sleep(DEADLINE).await;
                }
                failure.reason()
            }
        };
        *outcomes.entry(outcome).or_default() += 1;
    }
    outcomes
}

#[tokio::test(start_paused = true)]
async fn a_rogue_device_never_gets_a_wrong_value_through() {
    let mut total = BTreeMap::<_, usize>::new();
    for seed in 0..8 {
        for (outcome, count) in interrogate(seed, how_many() / 8).await {
            *total.entry(outcome).or_default() += count;
        }
    }
    // The search is only worth something if it went everywhere.
    let outcomes = "right dropped timeout connection_lost malformed mismatch wrong_length busy";
    for outcome in outcomes.split(' ') {
        assert!(
            total.get(outcome).is_some_and(|count| *count > 0),
            "{outcome}: {total:?}"
        );
    }
    assert!(total["right"] > how_many() / 3, "{total:?}");
    println!("{total:?}");
}
