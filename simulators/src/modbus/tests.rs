//! The device against an independent client (tokio-modbus), and its faults byte by byte.

use std::net::Ipv4Addr;
use std::time::Duration;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::time::{sleep, timeout};
use tokio_modbus::client::{Context, Reader, tcp};
use tokio_modbus::slave::{Slave, SlaveContext};

use super::*;

/// What is to come does, within this.
const SOON: Duration = Duration::from_secs(60);
const READ_TWO: [u8; 12] = [0x12, 0x34, 0, 0, 0, 6, 1, 3, 0, 10, 0, 2];
const RIGHT: [u8; 13] = [0x12, 0x34, 0, 0, 0, 7, 1, 3, 4, 0xAB, 0xCD, 0, 7];

fn config() -> DeviceConfig {
    DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
        .point("holding:10 words 0xABCD 7")
        .expect("good")
}

async fn start(config: DeviceConfig) -> Device {
    Device::start(config).await.expect("a free port")
}

async fn client(device: &Device, unit: u8) -> Context {
    let mut client = tcp::connect(device.address()).await.expect("listening");
    client.set_slave(Slave(unit));
    client
}

/// Nothing comes in this: nothing will.
const QUIET: Duration = Duration::from_millis(150);

/// Everything that comes until the device closes, or is quiet for a moment once `expected` bytes have come.
async fn exchange(stream: &mut TcpStream, request: &[u8], expected: usize) -> (Vec<u8>, bool) {
    stream.write_all(request).await.expect("open");
    let mut all = Vec::new();
    let mut buffer = [0; 1024];
    loop {
        let wait = if all.len() < expected { SOON } else { QUIET };
        match timeout(wait, stream.read(&mut buffer)).await {
            Ok(Ok(0) | Err(_)) => return (all, true),
            Ok(Ok(count)) => all.extend(&buffer[..count]),
            Err(_) => return (all, false),
        }
    }
}

/// Nothing comes, and then the device closes.
async fn closes(stream: &mut TcpStream, request: &[u8]) {
    assert_eq!(exchange(stream, request, 1).await, (vec![], true));
}

#[tokio::test]
async fn an_independent_client_reads_every_table() {
    let device = start(
        config()
            .point("input:0 float32 CDAB base=3.5")
            .and_then(|c| c.point("input:2 uint16 scale=0.1 base=12.3"))
            .and_then(|c| c.point("2/holding:0 int64 DCBA base=-2"))
            .and_then(|c| c.point("coil:3 bits 1 0 1 1 0 0 1 1 1"))
            .and_then(|c| c.point("discrete:7 bool base=1"))
            .expect("good")
            .fill(9),
    )
    .await;
    let mut one = client(&device, 1).await;
    let words = one
        .read_input_registers(0, 3)
        .await
        .expect("wire")
        .expect("answer");
    let value = f32::from_bits((u32::from(words[1]) << 16) | u32::from(words[0]));
    assert!((value - 3.5).abs() < 1e-6);
    assert_eq!(words[2], 123);
    assert_eq!(
        one.read_coils(3, 9).await.expect("wire").expect("answer"),
        [true, false, true, true, false, false, true, true, true]
    );
    assert_eq!(
        one.read_discrete_inputs(7, 1)
            .await
            .expect("wire")
            .expect("answer"),
        [true]
    );

    let mut two = client(&device, 2).await;
    let words = two
        .read_holding_registers(0, 4)
        .await
        .expect("wire")
        .expect("answer");
    let bytes: Vec<u8> = words.iter().flat_map(|word| word.to_be_bytes()).collect();
    assert_eq!(
        i64::from_le_bytes(bytes.try_into().expect("eight bytes")),
        -2
    );

    let mut nine = client(&device, 9).await;
    let words = nine
        .read_input_registers(40_000, 125)
        .await
        .expect("wire")
        .expect("answer");
    for (address, word) in (40_000_u32..).zip(words) {
        assert_eq!(u32::from(word), (address * 7 + 9) % 65_536);
    }

    assert_eq!(device.requests(), 5);
    assert_eq!(device.unit_requests(1), 3);
    assert_eq!(device.connections(), 3);
    device.stop().await;
}

#[tokio::test]
async fn refusals_are_exceptions() {
    use tokio_modbus::ExceptionCode;
    let device = start(config()).await;
    let mut one = client(&device, 1).await;
    let mut none = client(&device, 77).await;
    assert_eq!(
        one.read_holding_registers(12, 1).await.expect("wire"),
        Err(ExceptionCode::IllegalDataAddress)
    );
    assert_eq!(
        one.read_holding_registers(10, 0).await.expect("wire"),
        Err(ExceptionCode::IllegalDataValue)
    );
    assert_eq!(
        none.read_holding_registers(10, 1).await.expect("wire"),
        Err(ExceptionCode::GatewayTargetDevice)
    );
    device.stop().await;
}

#[tokio::test]
async fn faults_reach_the_wire_and_go_again() {
    let device = start(config()).await;
    let mut stream = TcpStream::connect(device.address())
        .await
        .expect("listening");

    for (fault, answer) in [
        (Fault::Silent, vec![]),
        (Fault::Truncated, RIGHT[..6].to_vec()),
        (Fault::Drip, RIGHT.to_vec()),
        (Fault::Duplicate, RIGHT.repeat(2)),
    ] {
        device.set_fault(Some(1), fault);
        let seen = exchange(&mut stream, &READ_TWO, answer.len()).await;
        assert_eq!(seen, (answer, false), "{fault:?}");
    }

    device.set_fault(Some(1), Fault::Late(QUIET * 5));
    let seen = exchange(&mut stream, &READ_TWO, 0).await;
    assert_eq!(seen, (vec![], false), "not yet");
    let seen = exchange(&mut stream, &[], RIGHT.len()).await;
    assert_eq!(seen, (RIGHT.to_vec(), false));

    device.set_fault(Some(1), Fault::None);
    let seen = exchange(&mut stream, &READ_TWO, RIGHT.len()).await;
    assert_eq!(seen, (RIGHT.to_vec(), false));

    device.set_fault(None, Fault::Close);
    closes(&mut stream, &READ_TWO).await;
    assert_eq!(device.requests(), 7);
    device.stop().await;
}

#[tokio::test]
async fn a_refusing_device_comes_back_on_its_port() {
    let device = start(config()).await;
    let mut open = TcpStream::connect(device.address())
        .await
        .expect("listening");
    device.set_fault(None, Fault::Refuse);
    timeout(SOON, async {
        while TcpStream::connect(device.address()).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("refuses");
    assert_eq!(
        timeout(SOON, open.read(&mut [0]))
            .await
            .expect("closed")
            .unwrap_or(0),
        0
    );

    device.set_fault(None, Fault::None);
    let mut stream = timeout(SOON, async {
        loop {
            match TcpStream::connect(device.address()).await {
                Ok(stream) => break stream,
                Err(_) => sleep(Duration::from_millis(5)).await,
            }
        }
    })
    .await
    .expect("listens again");
    let (bytes, _) = exchange(&mut stream, &READ_TWO, RIGHT.len()).await;
    assert_eq!(bytes, RIGHT);
    device.stop().await;
}

#[tokio::test]
async fn a_schedule_acts_without_a_request() {
    let device = start(config().fault("refuse@0s..300ms").expect("good")).await;
    timeout(SOON, async {
        while TcpStream::connect(device.address()).await.is_ok() {
            sleep(Duration::from_millis(5)).await;
        }
        while TcpStream::connect(device.address()).await.is_err() {
            sleep(Duration::from_millis(5)).await;
        }
    })
    .await
    .expect("refuses, then listens");
    device.stop().await;
}

#[tokio::test]
async fn a_point_can_be_changed_while_the_device_runs() {
    let device = start(config()).await;
    let mut one = client(&device, 1).await;
    device.put("1/holding:10 uint16 base=42").expect("good");
    assert_eq!(
        one.read_holding_registers(10, 1)
            .await
            .expect("wire")
            .expect("answer"),
        [42]
    );
    assert!(device.put("300/holding:10 uint16 base=42").is_err());
    device.stop().await;
}

#[tokio::test]
async fn stop_leaves_no_listener_and_no_connection() {
    let device = start(config()).await;
    let address = device.address();
    let mut stream = TcpStream::connect(address).await.expect("listening");
    device.stop().await;
    assert!(TcpStream::connect(address).await.is_err());
    assert_eq!(
        timeout(SOON, stream.read(&mut [0]))
            .await
            .expect("closed")
            .unwrap_or(0),
        0
    );
}

/// Reads two holding registers at 10 of unit 1, and the right answer; checksums worked out elsewhere.
const RTU_READ_TWO: [u8; 8] = [1, 3, 0, 10, 0, 2, 0xE4, 0x09];
const RTU_RIGHT: [u8; 9] = [1, 3, 4, 0xAB, 0xCD, 0, 7, 0x0A, 0x2A];

#[tokio::test]
async fn a_serial_server_speaks_rtu_and_a_unit_that_is_not_there_is_silent() {
    let mut config = DeviceConfig::rtu_over_tcp((Ipv4Addr::LOCALHOST, 0).into());
    config = config.point("holding:10 words 0xABCD 7").expect("good");
    let device = start(config).await;
    let mut stream = TcpStream::connect(device.address())
        .await
        .expect("listening");
    let (answer, closed) = exchange(&mut stream, &RTU_READ_TWO, RTU_RIGHT.len()).await;
    assert_eq!((&answer[..], closed), (&RTU_RIGHT[..], false));
    let stranger = rtu::frame(2, &RTU_READ_TWO[1..6]);
    let seen = exchange(&mut stream, &stranger, 0).await;
    assert_eq!(seen, (vec![], false));
    assert_eq!((device.requests(), device.unit_requests(2)), (2, 1));

    device.set_fault(None, Fault::Close);
    closes(&mut stream, &RTU_READ_TWO).await;
    device.stop().await;
}
