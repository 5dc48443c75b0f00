//! The bus over in-memory streams and virtual time.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Mutex;
use std::sync::atomic::Ordering;

use tokio::io::AsyncWriteExt as _;
use tokio::sync::mpsc;
use tokio::task::JoinSet;
use tokio::time::{Instant, timeout_at};

use super::*;
use crate::engine::reading::Measured;
use crate::input::modbus::line::{Endpoint, Line};
use crate::input::modbus::plan::Rules;
use crate::input::modbus::rogue::{Question, Wire, register, wire};
use crate::input::modbus::timing::Timing;
use crate::input::modbus::transport::tcp::TcpLink;
use crate::input::modbus::{ByteOrder, DataType, RegisterPoint, Table};

mod hostile;
mod serial;

/// The point that says whether the bus is behind.
const BUS: PointIndex = PointIndex(2000);

const SECOND: Duration = Duration::from_secs(1);

/// How a unit behaves; units that are not named do not answer.
#[derive(Debug, Clone)]
enum Manner {
    Fine,
    /// Answers, but takes its time.
    Slow(Duration),
    /// Closes the connection in place of an answer.
    Closes,
    Exception(u8),
    Refuses(BTreeSet<u16>),
    /// Says nothing when it is asked for these.
    Chokes(BTreeSet<u16>),
}

type Manners = Arc<Mutex<BTreeMap<u8, Manner>>>;

/// A bus of devices in memory, and what the gateway makes of it.
struct Plant {
    tasks: JoinSet<()>,
    manners: Manners,
    wire: Wire,
    deliveries: mpsc::Receiver<Delivery>,
    stop: watch::Sender<bool>,
    began: Mono,
}

/// Point 10 x unit + i at address i of a unit; the status point is 1000 + unit.
fn device(unit: u8, points: u16) -> DeviceSettings {
    let index = |i: u16| PointIndex(u32::from(unit) * 10 + u32::from(i));
    DeviceSettings {
        id: format!("unit-{unit}").into(),
        unit_id: unit,
        poll: SECOND,
        timeout: Duration::from_millis(400),
        slowest_probe: SECOND * 8,
        stale_after: None,
        rules: Rules {
            max_registers: 125,
            max_bits: 2000,
            max_gap: 0,
            gaps: Vec::new(),
            timing: Timing::tcp(Duration::from_millis(10)),
        },
        points: (0..points)
            .map(|i| RegisterPoint {
                point: index(i),
                table: Table::Holding,
                address: i,
                data_type: DataType::Uint16,
                order: ByteOrder::Abcd,
                bits: None,
                poll: SECOND,
                hazard: false,
            })
            .collect(),
        status: PointIndex(1000 + u32::from(unit)),
    }
}

async fn serve_devices(mut accept: mpsc::Receiver<tokio::io::DuplexStream>, manners: Manners) {
    while let Some(mut stream) = accept.recv().await {
        while let Some(question) = Question::read(&mut stream).await {
            let manner = manners
                .lock()
                .expect("not poisoned")
                .get(&question.unit)
                .cloned();
            let end = question.address + question.count;
            let reply = match manner {
                None => continue,
                Some(Manner::Closes) => break,
                Some(Manner::Chokes(bad)) if bad.range(question.address..end).count() > 0 => {
                    continue;
                }
                Some(Manner::Exception(code)) => question.exception(code),
                Some(Manner::Refuses(bad)) if bad.range(question.address..end).count() > 0 => {
                    question.exception(2)
                }
                Some(Manner::Slow(pause)) => {
                    tokio::time::sleep(pause).await;
                    question.answer()
                }
                Some(Manner::Fine | Manner::Refuses(_) | Manner::Chokes(_)) => question.answer(),
            };
            if stream.write_all(&reply).await.is_err() {
                break;
            }
        }
    }
}

impl Plant {
    fn start(devices: Vec<DeviceSettings>, manners: &[(u8, Manner)], queue: usize) -> Self {
        let (wire, accept) = wire();
        let manners: Manners = Arc::new(Mutex::new(manners.iter().cloned().collect()));
        let (readings, deliveries) = mpsc::channel(queue);
        let (stop, stopped) = watch::channel(false);
        let settings = BusSettings {
            line: Line::Tcp(Endpoint {
                host: "192.0.2.1".into(),
                port: 502,
            }),
            devices,
            cycle_limit: SECOND * 2,
            status: BUS,
        };
        let mut tasks = JoinSet::new();
        tasks.spawn(serve_devices(accept, Arc::clone(&manners)));
        let metrics = Arc::new(Metrics::default());
        let link = TcpLink::new(wire.clone());
        tasks.spawn(serve(settings, link, readings, metrics, stopped));
        Self {
            tasks,
            manners,
            wire,
            deliveries,
            stop,
            began: clock::monotonic(),
        }
    }

    fn behave(&self, unit: u8, manner: Option<Manner>) {
        let mut manners = self.manners.lock().expect("not poisoned");
        match manner {
            Some(manner) => manners.insert(unit, manner),
            None => manners.remove(&unit),
        };
    }

    /// Everything delivered until half a second before `seconds` after the start, between two ticks.
    async fn until(&mut self, seconds: u64) -> Vec<Vec<Reading>> {
        let passed = clock::monotonic().since(self.began);
        let span = SECOND * u32::try_from(seconds).expect("short") - SECOND / 2;
        let end = Instant::now() + span.saturating_sub(passed);
        let mut all = Vec::new();
        while let Ok(Some(delivery)) = timeout_at(end, self.deliveries.recv()).await {
            assert!(delivery.receipt.is_none());
            match delivery.readings {
                Batch::Many(readings) => all.push(readings),
                Batch::One(_) => panic!("a poll is a batch"),
            }
        }
        all
    }
}

fn of(readings: &[Vec<Reading>], point: u32) -> Vec<Sample> {
    let readings = readings.iter().flatten();
    let point = readings.filter(|reading| reading.point == PointIndex(point));
    point.map(sample).collect()
}

/// What a plain number means.
fn sample(reading: &Reading) -> Sample {
    match reading.measured {
        Measured::Raw(number) => Sample::measured(number),
        Measured::Sample(sample) => sample,
    }
}

fn value(unit: u8, address: u16) -> Sample {
    Sample::measured(f64::from(register(unit, address)))
}

#[tokio::test(start_paused = true)]
async fn each_poll_is_one_delivery_and_the_first_says_that_the_device_answers() {
    let mut plant = Plant::start(vec![device(1, 3)], &[(1, Manner::Fine)], 8);
    let deliveries = plant.until(10).await;
    assert_eq!(deliveries.len(), 10);
    assert_eq!(deliveries[0].len(), 5);
    for (address, point) in [(0, 10), (1, 11), (2, 12)] {
        assert_eq!(of(&deliveries, point), [value(1, address); 10]);
    }
    assert_eq!(of(&deliveries, 1001), [Sample::measured(0.0)]);
    assert_eq!(of(&deliveries, BUS.0), [Sample::measured(0.0)]);
    for pair in deliveries.windows(2) {
        let gap = pair[1][0].received.mono.since(pair[0][0].received.mono);
        assert!(gap.abs_diff(SECOND) < Duration::from_millis(5), "{gap:?}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_silent_unit_gives_no_reading_is_reported_once_and_disturbs_nobody() {
    let devices = (1..=3).map(|unit| device(unit, 1)).collect();
    let fine = [(1, Manner::Fine), (3, Manner::Fine)];
    let mut plant = Plant::start(devices, &fine, 8);
    let mut deliveries = plant.until(3).await;
    assert!(of(&deliveries, 1002).is_empty(), "two polls prove nothing");
    deliveries.extend(plant.until(100).await);
    assert!(of(&deliveries, 20).is_empty(), "silence is no reading");
    assert_eq!(of(&deliveries, 1002), [Sample::measured(1.0)]);
    for unit in [1, 3] {
        let polls = of(&deliveries, unit * 10).len();
        assert!((99..=100).contains(&polls), "unit {unit}: {polls}");
    }
    // Back: found by a probe, at most 30 s later, then polled as before.
    plant.behave(2, Some(Manner::Fine));
    let deliveries = plant.until(140).await;
    assert_eq!(of(&deliveries, 1002), [Sample::measured(0.0)]);
    assert!(of(&deliveries, 20).len() >= 8);
    // And lost again after three polls.
    plant.behave(2, None);
    let deliveries = plant.until(144).await;
    assert_eq!(of(&deliveries, 1002), [Sample::measured(1.0)]);
    assert!(of(&deliveries, 20).len() <= 1);
}

/// With the usual stale time of three periods, and with one that leaves room for a third poll.
#[tokio::test(start_paused = true)]
async fn a_device_is_lost_before_its_points_are_stale() {
    for (period, stale, polls) in [(2, 6, 2), (5, 15, 2), (2, 20, 3)] {
        let slow = DeviceSettings {
            poll: SECOND * period,
            stale_after: Some(SECOND * stale),
            ..device(1, 1)
        };
        let points = slow.points.iter().map(|point| RegisterPoint {
            poll: SECOND * period,
            ..*point
        });
        let points = points.collect();
        let devices = vec![DeviceSettings { points, ..slow }];
        let mut plant = Plant::start(devices, &[(1, Manner::Fine)], 8);
        let before = plant.until(u64::from(period) * 4 + 1).await;
        assert_eq!(of(&before, 1001), [Sample::measured(0.0)]);
        plant.behave(1, None);
        let after = plant.until(u64::from(period) * 4 + 40).await;
        let mut all = before.iter().chain(&after).flatten();
        let at = |point: u32| move |reading: &&Reading| reading.point == PointIndex(point);
        let last = all.clone().rfind(at(10)).expect("it was read");
        let lost = all.rfind(at(1001)).expect("it is told");
        assert_eq!(lost.measured, Measured::Sample(Sample::measured(1.0)));
        let silent = lost.received.mono.since(last.received.mono);
        assert!(silent < SECOND * stale, "{silent:?} of {stale} s");
        assert!(
            silent >= SECOND * period * polls,
            "{silent:?}, {polls} polls"
        );
    }
}

#[tokio::test(start_paused = true)]
async fn a_refused_address_is_bad_and_its_neighbours_are_read() {
    let refuses = Manner::Refuses(BTreeSet::from([4]));
    let mut plant = Plant::start(vec![device(1, 9)], &[(1, refuses)], 8);
    let deliveries = plant.until(20).await;
    let bad = Sample::Bad(Fault::IllegalAddress);
    for address in 0..9 {
        let expected = if address == 4 { bad } else { value(1, address) };
        assert_eq!(of(&deliveries, 10 + u32::from(address)), [expected; 20]);
    }
    assert_eq!(of(&deliveries, 1001), [Sample::measured(0.0)]);
    plant.behave(1, Some(Manner::Fine));
    let deliveries = plant.until(70).await;
    assert_eq!(of(&deliveries, 14).last(), Some(&value(1, 4)));
}

/// It is not lost, and its other values are read all the time.
#[tokio::test(start_paused = true)]
async fn an_address_that_is_never_answered_is_bad_and_its_device_is_there() {
    let chokes = Manner::Chokes(BTreeSet::from([4]));
    let mut plant = Plant::start(vec![device(1, 9)], &[(1, chokes)], 8);
    let deliveries = plant.until(30).await;
    assert_eq!(of(&deliveries, 1001), [Sample::measured(0.0)]);
    let deliveries = plant.until(50).await;
    assert!(of(&deliveries, 1001).is_empty());
    for address in 0..9 {
        let bad = Sample::Bad(Fault::Unanswered);
        let expected = if address == 4 { bad } else { value(1, address) };
        assert_eq!(of(&deliveries, 10 + u32::from(address)), [expected; 20]);
    }
    plant.behave(1, None);
    let deliveries = plant.until(54).await;
    assert_eq!(
        of(&deliveries, 1001),
        [Sample::measured(1.0)],
        "gone is gone"
    );
}

#[tokio::test(start_paused = true)]
async fn what_an_exception_means() {
    let failed = Some(Sample::Bad(Fault::DeviceFailure));
    let bad = |fault| Some(Sample::Bad(fault));
    let cases = [
        (1, bad(Fault::ConfigurationError), false),
        (2, bad(Fault::IllegalAddress), false),
        (3, bad(Fault::IllegalValue), false),
        (4, failed, false),
        (5, None, false),
        (6, None, false),
        (8, failed, false),
        (10, None, true),
        (11, None, true),
        (99, failed, false),
    ];
    for (code, sample, lost) in cases {
        let manner = Manner::Exception(code);
        let mut plant = Plant::start(vec![device(1, 1)], &[(1, manner)], 8);
        let deliveries = plant.until(5).await;
        let samples = of(&deliveries, 10);
        let expected = sample.into_iter().cycle().take(samples.len());
        assert!(
            samples.iter().copied().eq(expected),
            "exception {code}: {samples:?}"
        );
        assert_eq!(samples.is_empty(), sample.is_none(), "exception {code}");
        let loss = f64::from(Loss::Exception as u8);
        let status = Sample::measured(if lost { loss } else { 0.0 });
        assert_eq!(of(&deliveries, 1001), [status], "exception {code}");
    }
}

#[tokio::test(start_paused = true)]
async fn an_endpoint_that_is_down_is_retried_for_ever_but_not_often() {
    let devices = (1..=5).map(|unit| device(unit, 1)).collect();
    let fine: Vec<_> = (1..=5).map(|unit| (unit, Manner::Fine)).collect();
    let mut plant = Plant::start(devices, &fine, 8);
    plant.wire.up.store(false, Ordering::Relaxed);
    let deliveries = plant.until(600).await;
    assert_eq!(deliveries.len(), 5, "each device is lost, once");
    let closed = Sample::measured(f64::from(Loss::Line as u8));
    assert!(
        deliveries
            .iter()
            .all(|delivery| delivery.len() == 1 && sample(&delivery[0]) == closed)
    );
    let attempts = plant.wire.attempts.load(Ordering::Relaxed);
    assert!((58..=90).contains(&attempts), "{attempts}");

    plant.wire.up.store(true, Ordering::Relaxed);
    let deliveries = plant.until(612).await;
    for unit in 1..=5 {
        assert_eq!(of(&deliveries, 1000 + unit), [Sample::measured(0.0)]);
        assert!(!of(&deliveries, unit * 10).is_empty());
    }
}

#[tokio::test(start_paused = true)]
async fn a_full_queue_delays_polls_and_is_not_followed_by_a_burst() {
    let mut plant = Plant::start(vec![device(1, 1)], &[(1, Manner::Fine)], 2);
    tokio::time::sleep(SECOND * 41 / 2).await;
    // Two in the queue and one that waited; then a late one, and one a second again.
    let deliveries = plant.until(30).await;
    assert_eq!(deliveries.len(), 3 + 1 + 9);
}

#[tokio::test(start_paused = true)]
async fn points_with_a_period_of_their_own_are_asked_for_by_themselves() {
    let mut slow = device(1, 6);
    for point in &mut slow.points {
        point.poll = SECOND * if point.address < 2 { 1 } else { 5 };
    }
    let mut plant = Plant::start(vec![slow], &[(1, Manner::Fine)], 8);
    let deliveries = plant.until(20).await;
    for address in 0..6 {
        let polls = of(&deliveries, 10 + address).len();
        assert_eq!(polls, if address < 2 { 20 } else { 4 }, "address {address}");
    }
}

#[tokio::test(start_paused = true)]
async fn a_unit_that_is_two_devices_is_lost_and_back_for_both() {
    let mut other = device(1, 2);
    other.status = PointIndex(1999);
    other
        .points
        .iter_mut()
        .for_each(|point| point.poll = SECOND * 60);
    let mut plant = Plant::start(vec![device(1, 2), other], &[(1, Manner::Fine)], 8);
    plant.until(3).await;
    plant.behave(1, None);
    let deliveries = plant.until(40).await;
    assert_eq!(of(&deliveries, 1001), [Sample::measured(1.0)]);
    assert_eq!(of(&deliveries, 1999), [Sample::measured(1.0)]);
    plant.behave(1, Some(Manner::Fine));
    let deliveries = plant.until(50).await;
    assert_eq!(of(&deliveries, 1001), [Sample::measured(0.0)]);
    assert_eq!(of(&deliveries, 1999), [Sample::measured(0.0)]);
}

#[tokio::test(start_paused = true)]
async fn a_bus_that_reads_too_late_says_so_until_it_keeps_up() {
    let patient = DeviceSettings {
        timeout: SECOND * 3,
        ..device(1, 1)
    };
    let mut plant = Plant::start(vec![patient], &[(1, Manner::Fine)], 8);
    let deliveries = plant.until(2).await;
    assert_eq!(of(&deliveries, BUS.0), [Sample::measured(0.0)]);
    plant.behave(1, Some(Manner::Slow(SECOND * 5 / 2)));
    let deliveries = plant.until(20).await;
    assert_eq!(of(&deliveries, BUS.0), [Sample::measured(1.0)]);
    plant.behave(1, Some(Manner::Fine));
    let deliveries = plant.until(140).await;
    assert_eq!(of(&deliveries, BUS.0), [Sample::measured(0.0)]);
}

#[tokio::test(start_paused = true)]
async fn stopping_does_not_wait_for_a_silent_device() {
    let mut plant = Plant::start(vec![device(1, 1)], &[], 2);
    plant.until(2).await;
    let asked = Instant::now();
    plant.stop.send(true).expect("it runs");
    drop(plant.wire);
    while plant.tasks.join_next().await.is_some() {}
    assert!(asked.elapsed() < Duration::from_millis(10));
}
