//! Serial lines made of pseudo-terminals, in real time.

use std::path::PathBuf;
use std::time::Duration;

use simulators::modbus::{Device, DeviceConfig, Fault};
use simulators::pty::Pty;
use tokio::task::JoinSet;

use super::*;
use crate::clock;
use crate::input::modbus::decode::Answer;
use crate::input::modbus::failure::Failure;
use crate::input::modbus::line::Line;
use crate::input::modbus::plan::Request;
use crate::input::modbus::rogue::{how_many, register};
use crate::input::modbus::settings::Table;
use crate::input::modbus::transport::{Link, Transport as _};

const DEADLINE: Duration = Duration::from_millis(100);
/// Longer than anything takes, on a machine that does other things too.
const PATIENCE: Duration = Duration::from_secs(30);

fn line(path: &str, rs485: bool) -> SerialLine {
    SerialLine {
        path: path.to_owned(),
        // A pseudo-terminal has no parity; the configuration of the real line works all the same.
        mode: SerialMode {
            baud: 115_200,
            parity: Parity::Even,
            two_stop_bits: false,
        },
        rs485,
    }
}

fn link(path: &str) -> Link {
    Link::new(&Line::Serial(line(path, false)), DEADLINE)
}

async fn refused(path: &str, rs485: bool) -> String {
    let opened = SerialConnector(line(path, rs485)).connect().await;
    opened.expect_err("refused").to_string()
}

fn holding(address: u16, count: u16) -> Request {
    Request {
        table: Table::Holding,
        address,
        count,
        points: 0..0,
    }
}

fn expected(unit: u8, request: &Request) -> Answer {
    let values = (0..request.count).map(|i| register(unit, request.address + i));
    Answer::Registers(values.collect())
}

async fn plant(link: Option<PathBuf>) -> Device {
    let config = (1..=3).fold(DeviceConfig::pty(link), DeviceConfig::fill);
    Device::start(config).await.expect("a pseudo-terminal")
}

#[tokio::test]
async fn what_cannot_be_opened_says_why() {
    for (path, words) in [
        ("/dev/forewarn-no-such-device", "is the adapter plugged in?"),
        ("/dev/null", "cannot be opened as a serial device"),
        ("/dev", "cannot be opened as a serial device"),
    ] {
        let told = refused(path, false).await;
        assert!(told.contains(words), "{path}: {told}");
    }
    let pty = Pty::open(None).expect("a pseudo-terminal");
    let path = pty.path().to_str().expect("ASCII");
    let told = refused(path, true).await;
    assert!(told.contains("take `rs485` out"), "{told}");

    let held = SerialConnector(line(path, false))
        .connect()
        .await
        .expect("opened");
    let told = refused(path, false).await;
    assert!(told.contains("another process has it"), "{told}");
    drop(held);
    SerialConnector(line(path, false))
        .connect()
        .await
        .expect("opened again");
}

#[tokio::test]
async fn an_adapter_that_is_unplugged_and_plugged_in_again_comes_back() {
    let path = format!("forewarn-replugged-{}", std::process::id());
    let path = std::env::temp_dir().join(path);
    let device = plant(Some(path.clone())).await;
    let mut link = link(&device.place());
    let request = holding(10, 4);
    for round in 0..2 {
        // The first question waits for silence, later ones for the pause between attempts.
        let began = clock::monotonic();
        let answer = loop {
            match link.call(1, &request, DEADLINE).await {
                Ok(answer) => break answer,
                Err(failure) => {
                    let waited = clock::monotonic().since(began);
                    assert!(waited < PATIENCE, "round {round}: {failure}");
                    tokio::time::sleep(DEADLINE / 4).await;
                }
            }
        };
        assert_eq!(answer, expected(1, &request));
        if round == 0 {
            device.set_fault(None, Fault::Refuse);
            let began = clock::monotonic();
            while path.is_symlink() {
                assert!(
                    clock::monotonic().since(began) < PATIENCE,
                    "still plugged in"
                );
                tokio::time::sleep(DEADLINE / 4).await;
            }
            let failure = link
                .call(1, &request, DEADLINE)
                .await
                .expect_err("unplugged");
            assert!(
                matches!(
                    failure,
                    Failure::ConnectFailed(_) | Failure::ConnectionLost(_)
                ),
                "{failure}"
            );
            device.set_fault(None, Fault::None);
        }
    }
    assert_eq!(device.connections(), 2);
    device.stop().await;
}

/// What devices and lines do, one after another at random, each answer at most a fifth later than the deadline.
const FAULTS: [&str; 17] = [
    "none",
    "none",
    "none",
    "none",
    "none",
    "silent",
    "late:120ms",
    "truncated",
    "wrong-unit",
    "wrong-function",
    "bad-count",
    "short",
    "exception:6",
    "garbage",
    "duplicate",
    "bad-crc",
    "echo",
];

async fn interrogate(seed: u64, requests: usize) -> (usize, usize) {
    let device = plant(None).await;
    let mut link = link(&device.place());
    let mut random = fastrand::Rng::with_seed(seed);
    let (mut right, mut failed) = (0, 0);
    for _ in 0..requests {
        let fault = FAULTS[random.usize(0..FAULTS.len())];
        device.set_fault(None, fault.parse().expect("notation"));
        let request = holding(random.u16(0..50) * 10, [2, 10][random.usize(0..2)]);
        let unit = random.u8(1..4);
        match link.call(unit, &request, DEADLINE).await {
            Ok(answer) => {
                assert_eq!(
                    answer,
                    expected(unit, &request),
                    "seed {seed}: {fault} {request}"
                );
                right += 1;
            }
            Err(_) => failed += 1,
        }
    }
    device.stop().await;
    (right, failed)
}

/// Most of the time is waiting, so many lines wait at once: 100,000 requests of `FOREWARN_ROGUE_REQUESTS=200000` take
/// about five minutes.
#[tokio::test]
async fn a_rogue_on_a_pseudo_terminal_never_gets_a_wrong_value_through() {
    const FEW: usize = 4_000;
    let (count, each) = match how_many() {
        asked @ ..=FEW => (8, asked / 200),
        asked => (32, asked / 64),
    };
    let mut lines = JoinSet::new();
    for seed in 0..count {
        lines.spawn(interrogate(seed, each));
    }
    let (mut right, mut failed) = (0, 0);
    while let Some(line) = lines.join_next().await {
        let line = line.expect("no wrong value");
        (right, failed) = (right + line.0, failed + line.1);
    }
    println!("{right} right, {failed} failed");
    assert!(
        right > each && failed > each,
        "{right} right, {failed} failed"
    );
}
