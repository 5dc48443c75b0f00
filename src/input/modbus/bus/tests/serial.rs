//! Many units on one serial line, in virtual time.

use tokio::io::{AsyncReadExt as _, DuplexStream};
use tokio::time::sleep;

use super::*;
use crate::input::modbus::transport::rtu::{Manners as LineManners, RtuLink};

/// 9,600 Bd: a question, the device's own time, the answer.
const EXCHANGE: Duration = Duration::from_millis(30);
const TIMEOUT: Duration = Duration::from_millis(400);
const UNITS: u8 = 20;
const DEAD: u8 = 7;

/// A line on which every unit answers but the one that `dead` names.
async fn serve_line(mut accept: mpsc::Receiver<DuplexStream>, dead: watch::Receiver<Option<u8>>) {
    while let Some(mut stream) = accept.recv().await {
        let mut bytes = [0; 8];
        while stream.read_exact(&mut bytes).await.is_ok() {
            let question = Question::from_rtu(&bytes).expect("a right checksum");
            if *dead.borrow() == Some(question.unit) {
                continue;
            }
            sleep(EXCHANGE).await;
            if stream.write_all(&question.rtu_answer()).await.is_err() {
                break;
            }
        }
    }
}

/// The longest time between two readings of any unit but the dead one, and how many there were.
fn others(deliveries: &[Vec<Reading>]) -> (Duration, usize) {
    let (mut longest, mut count) = (Duration::ZERO, 0);
    for unit in (1..=UNITS).filter(|unit| *unit != DEAD) {
        let own = deliveries.iter().flatten();
        let own = own.filter(|reading| reading.point == PointIndex(u32::from(unit) * 10));
        let times: Vec<_> = own.map(|reading| reading.received.mono).collect();
        let gaps = times.windows(2).map(|pair| pair[1].since(pair[0]));
        longest = longest.max(gaps.max().expect("several readings"));
        count += times.len();
    }
    (longest, count)
}

/// A line with these devices, of which all answer at first.
fn start(devices: Vec<DeviceSettings>) -> (Plant, watch::Sender<Option<u8>>) {
    let (wire, accept) = wire();
    let (dead, deadness) = watch::channel(None);
    let (readings, deliveries) = mpsc::channel(64);
    let (stop, stopped) = watch::channel(false);
    let worst = devices.iter().map(|device| device.timeout).max();
    let manners = LineManners {
        gap: Duration::from_millis(4),
        worst: worst.expect("some"),
        close: false,
    };
    let settings = BusSettings {
        line: Line::RtuOverTcp(Endpoint {
            host: "192.0.2.1".into(),
            port: 4001,
        }),
        devices,
        cycle_limit: SECOND * 2,
        status: BUS,
    };
    let mut tasks = JoinSet::new();
    tasks.spawn(serve_line(accept, deadness));
    let link = RtuLink::new(wire.clone(), manners);
    let metrics = Arc::new(Metrics::default());
    tasks.spawn(serve(settings, link, readings, metrics, stopped));
    let plant = Plant {
        tasks,
        manners: Manners::default(),
        wire,
        deliveries,
        stop,
        began: clock::monotonic(),
    };
    (plant, dead)
}

#[tokio::test(start_paused = true)]
async fn a_dead_unit_of_twenty_costs_the_others_a_timeout_and_then_next_to_nothing() {
    let (mut plant, dead) = start((1..=UNITS).map(|unit| device(unit, 1)).collect());

    // The first question waits until the line was silent.
    plant.until(5).await;
    let (longest, count) = others(&plant.until(25).await);
    assert!(longest <= SECOND + EXCHANGE * 2, "{longest:?}");
    assert_eq!(count, 20 * usize::from(UNITS - 1));

    dead.send_replace(Some(DEAD));
    let first = plant.until(30).await;
    let (longest, _) = others(&first);
    assert!(longest <= SECOND + TIMEOUT + EXCHANGE * 2, "{longest:?}");
    plant.until(60).await;
    let (_, count) = others(&plant.until(160).await);
    assert!(count * 100 >= 95 * 100 * usize::from(UNITS - 1), "{count}");

    dead.send_replace(None);
    // Within one probe period, and then as before.
    let back = plant.until(195).await;
    assert_eq!(of(&back, 1000 + u32::from(DEAD)), [Sample::measured(0.0)]);
    assert!(of(&back, u32::from(DEAD) * 10).len() >= 3);
    let (_, count) = others(&plant.until(205).await);
    assert_eq!(count, 10 * usize::from(UNITS - 1));
}

/// A unit that owes an answer is left alone for a timeout; nobody waits for that.
#[tokio::test(start_paused = true)]
async fn a_dead_unit_whose_period_is_its_timeout_costs_the_others_one_timeout_too() {
    let mut slow = device(1, 1);
    slow.points[0].poll = SECOND * 3;
    let mut dying = device(DEAD, 1);
    dying.timeout = SECOND;
    let (mut plant, dead) = start(vec![slow, dying]);
    let mut deliveries = plant.until(10).await;
    // Between two of its polls, so that the other unit comes due while it owes its second answer.
    tokio::time::sleep(Duration::from_millis(700)).await;
    dead.send_replace(Some(DEAD));
    deliveries.extend(plant.until(30).await);
    let own = deliveries.iter().flatten();
    let own = own.filter(|reading| reading.point == PointIndex(10));
    let times: Vec<_> = own.map(|reading| reading.received.mono).collect();
    let gaps = times.windows(2).map(|pair| pair[1].since(pair[0]));
    let longest = gaps.max().expect("several readings");
    assert!(longest <= SECOND * 4 + EXCHANGE * 2, "{longest:?}");
}
