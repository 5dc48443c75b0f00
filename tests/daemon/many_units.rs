//! Many Modbus units on one line: each is asked as planned, and one of them that is dead costs the others
//! next to nothing. What counts is what the simulated units were asked, and when.
//!
//! `cargo run --release -p bench -- modbus` shows the same with 200 units, 10,000 points and for longer.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use simulators::modbus::{Asked, Device, DeviceConfig, Fault};
use tokio::time::{Instant, sleep};

use super::gateway::{DEADLINE, Gateway, find};
use crate::interop::bench::within;

/// Units that are read in one request.
const UNITS: u8 = 20;
/// 50 values at 0, 3, 6 ... 87 and 120 to 139, read over the holes, and a second time never over them.
const SCATTERED: u8 = 21;
const APART: u8 = 22;

const POLL: Duration = Duration::from_millis(500);
const TIMEOUT: Duration = Duration::from_millis(200);
/// How often a dead unit is asked in the end: twenty times the timeout.
const PROBE: Duration = Duration::from_secs(4);
/// The unit that dies.
const DEAD: u8 = 7;

/// What a machine that does other things, too, may add to any time.
const SLACK: Duration = Duration::from_millis(1_500);

/// A device `u{unit}` with `more` keys, and a point for each address.
fn unit(text: &mut String, line: &str, unit: u8, more: &str, addresses: &[u16]) {
    let (poll, timeout, probe) = (POLL.as_millis(), TIMEOUT.as_millis(), PROBE.as_millis());
    write!(
        text,
        "[device.u{unit}]\n{line}\nunit_id = {unit}\npoll = \"{poll}ms\"\ntimeout = \"{timeout}ms\"\n\
         reply_time = \"1ms\"\n{more}\n"
    )
    .expect("a string takes all");
    for address in addresses {
        write!(
            text,
            "[point.u{unit}-{address}]\ndevice = \"u{unit}\"\nregister = \"holding:{address}\"\n\
             type = \"uint16\"\nstale_after = \"{probe}ms\"\ngood_confirm = \"0s\"\n"
        )
        .expect("a string takes all");
    }
}

fn all_good(points: &Value) -> bool {
    let points = points["points"].as_array().into_iter().flatten();
    let mut ours = points.filter(|point| {
        point["point"]
            .as_str()
            .is_some_and(|id| id.starts_with('u'))
    });
    ours.all(|point| point["quality"] == "good")
}

/// Function, first address and count of what each unit was asked, in order.
fn by_unit(asked: &[Asked]) -> BTreeMap<u8, Vec<(u8, u16, u16)>> {
    let mut units = BTreeMap::<_, Vec<_>>::new();
    for asked in asked {
        let question = (asked.function, asked.address, asked.count);
        units.entry(asked.unit).or_default().push(question);
    }
    units
}

/// Polls of each unit that came so late that at least one was left out.
async fn late_polls(gateway: &Gateway) -> BTreeMap<u8, f64> {
    let metrics = gateway.get("/metrics").await.body;
    let line = |unit: u8| {
        let series = format!("forewarn_device_late_polls_total{{device=\"u{unit}\"}} ");
        let count = metrics.lines().find_map(|line| line.strip_prefix(&series));
        let count = count.expect("configured").parse();
        (unit, count.expect("a number"))
    };
    (1..=APART).map(line).collect()
}

#[tokio::test]
async fn each_poll_of_many_units_is_made_in_the_requests_of_the_plan() {
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    let config = (1..=APART).fold(DeviceConfig::new(listen), DeviceConfig::fill);
    let device = Device::start(config).await.expect("a free port");
    let line = format!("modbus = \"tcp://{}\"", device.place());
    let mut text = String::new();
    let contiguous: Vec<u16> = (0..50).collect();
    for number in 1..=UNITS {
        unit(&mut text, &line, number, "", &contiguous);
    }
    let scattered: Vec<u16> = (0..=87).step_by(3).chain(120..=139).collect();
    let holes = (0..29).map(|hole| format!("\"holding:{}-{}\"", hole * 3 + 1, hole * 3 + 2));
    let holes: Vec<String> = holes.chain(["\"holding:88-119\"".to_owned()]).collect();
    unit(&mut text, &line, SCATTERED, "", &scattered);
    let gaps = format!("gaps = [{}]", holes.join(", "));
    unit(&mut text, &line, APART, &gaps, &scattered);
    let gateway = Gateway::start(&text).await;
    gateway
        .wait_for("/api/v1/points", "all are good", all_good)
        .await;

    let mut planned: BTreeMap<u8, Vec<(u8, u16, u16)>> =
        (1..=UNITS).map(|unit| (unit, vec![(3, 0, 50)])).collect();
    planned.insert(SCATTERED, vec![(3, 0, 88), (3, 120, 20)]);
    let apart = (0..30).map(|value| (3, value * 3, 1)).chain([(3, 120, 20)]);
    planned.insert(APART, apart.collect());
    assert_eq!(planned[&APART].len(), 31);

    // A machine that stops us for longer than two periods leaves more polls out than it makes late: then once more.
    within(DEADLINE, "every poll is made, or late", async || {
        let late_before = late_polls(&gateway).await;
        device.take_record();
        let began = Instant::now();
        sleep(POLL * 12).await;
        let record = device.take_record();
        let periods = began.elapsed().as_secs_f64() / POLL.as_secs_f64();
        let late_after = late_polls(&gateway).await;
        let units = by_unit(&Vec::from(record.asked));
        planned.iter().try_for_each(|(unit, plan)| {
            let late = late_after[unit] - late_before[unit];
            let made = polls_of_the_plan(&units[unit], plan) as f64;
            assert!(
                made <= periods + 1.5,
                "unit {unit}: {made} polls in {periods} periods"
            );
            // One at either end of the window may be cut off.
            if made + late >= periods - 1.5 {
                Ok(())
            } else {
                Err(format!("unit {unit}: {made} of {periods}, {late} late"))
            }
        })
    })
    .await;
    device.stop().await;
}

/// How many polls these questions to one unit are; fails when one was not made in the requests of the plan.
fn polls_of_the_plan(asked: &[(u8, u16, u16)], plan: &[(u8, u16, u16)]) -> usize {
    // The window may begin and end within a poll.
    let begin = asked.iter().position(|question| *question == plan[0]);
    let polls = asked[begin.expect("polls")..].chunks(plan.len());
    for poll in polls.clone() {
        assert_eq!(poll, &plan[..poll.len()]);
    }
    polls.len()
}

#[tokio::test]
async fn a_dead_unit_over_tcp_disturbs_nobody_and_comes_back() {
    let listen = (Ipv4Addr::LOCALHOST, 0).into();
    one_of_twenty_dies(DeviceConfig::new(listen), |place| {
        format!("modbus = \"tcp://{place}\"")
    })
    .await;
}

#[tokio::test]
async fn a_dead_unit_on_a_serial_line_disturbs_nobody_and_comes_back() {
    let path = format!("forewarn-{}-dead-unit", std::process::id());
    let path = std::env::temp_dir().join(path);
    one_of_twenty_dies(DeviceConfig::pty(Some(path)), |place| {
        format!("modbus = \"rtu://{place}\"\nserial = \"115200 8N1\"")
    })
    .await;
}

/// What a line was asked, from the last look on.
struct Line {
    device: Device,
    asked: Vec<Asked>,
}

impl Line {
    fn look(&mut self) {
        let record = self.device.take_record();
        assert_eq!(record.lost, 0);
        self.asked.extend(record.asked);
    }

    /// When unit `unit` was asked, from `since` on.
    fn times(&self, unit: u8, since: Duration) -> Vec<Duration> {
        let own = self.asked.iter();
        let own = own.filter(|asked| asked.unit == unit && asked.at >= since);
        own.map(|asked| asked.at).collect()
    }

    /// About now, as the line counts time: somebody is asked all the time.
    fn now(&mut self) -> Duration {
        self.look();
        self.asked.last().expect("it is polled").at
    }
}

fn others() -> impl Iterator<Item = u8> {
    (1..=UNITS).filter(|unit| *unit != DEAD)
}

async fn one_of_twenty_dies(config: DeviceConfig, line: impl Fn(&str) -> String) {
    let config = (1..=UNITS).fold(config, DeviceConfig::fill);
    let device = Device::start(config).await.expect("a free place");
    let keys = line(&device.place());
    let mut text = String::new();
    for number in 1..=UNITS {
        unit(&mut text, &keys, number, "", &[0, 1]);
    }
    let gateway = Gateway::start(&text).await;
    gateway
        .wait_for("/api/v1/points", "all are good", all_good)
        .await;
    let mut line = Line {
        device,
        asked: Vec::new(),
    };

    let died = line.now();
    line.device.set_fault(Some(DEAD), Fault::Silent);
    alarms_in_time(&gateway).await;
    let steady = backed_off(&mut line, died).await;
    first_cycles(&line, died, steady);
    next_to_nothing_is_lost(&mut line, steady).await;

    let returned = line.now();
    line.device.set_fault(Some(DEAD), Fault::None);
    gateway
        .wait_for("/api/v1/points", "all are good again", all_good)
        .await;
    line.look();
    let again = line.times(DEAD, returned);
    let waited = again[0] - returned;
    assert!(waited <= PROBE + TIMEOUT + SLACK, "{waited:?}");
    let alarm = format!("gateway.device.u{DEAD}/state");
    gateway.alarm_is(&alarm, "returned_unacknowledged").await;
    for event in gateway.events().await {
        let alarm = event["alarm"].as_str().unwrap_or_default();
        let theirs = others().any(|unit| {
            alarm.starts_with(&format!("u{unit}-"))
                || alarm == format!("gateway.device.u{unit}/state")
        });
        assert!(!theirs, "another unit has an alarm: {event}");
    }
    line.device.stop().await;
}

/// The device is lost after three polls, before its points are stale, and they are when they must be.
async fn alarms_in_time(gateway: &Gateway) {
    let died = Instant::now();
    let lost = format!("gateway.device.u{DEAD}/state");
    gateway.alarm_is(&lost, "unacknowledged").await;
    let took = died.elapsed();
    assert!(took <= (POLL + TIMEOUT) * 3 + SLACK, "lost after {took:?}");
    for address in [0, 1] {
        let stale = format!("/api/v1/alarms/u{DEAD}-{address}/stale");
        gateway
            .wait_for(&stale, "stale", |found| found["state"] == "unacknowledged")
            .await;
        let took = died.elapsed();
        assert!(took <= PROBE + POLL + SLACK, "stale after {took:?}");
    }
    let points = gateway.get("/api/v1/points").await.json();
    let living = find(&points, "u1-0").expect("configured");
    assert_eq!(living["quality"], "good");
}

/// Waits until the dead unit is asked as rarely as it will be; says when it was so the first time.
async fn backed_off(line: &mut Line, died: Duration) -> Duration {
    let waiting = Instant::now();
    loop {
        line.look();
        let asked = line.times(DEAD, died);
        let steady = asked.windows(2).find(|pair| pair[1] - pair[0] >= PROBE);
        if let Some(pair) = steady {
            return pair[1];
        }
        assert!(waiting.elapsed() < DEADLINE, "{asked:?}");
        sleep(TIMEOUT).await;
    }
}

/// Between two questions to the dead unit everybody else is asked: nobody waits for two timeouts.
fn first_cycles(line: &Line, died: Duration, until: Duration) {
    let dead = line.times(DEAD, died);
    for pair in dead.windows(2).filter(|pair| pair[1] <= until) {
        for unit in others() {
            let between = line.times(unit, pair[0]);
            assert!(
                between.iter().any(|at| *at < pair[1]),
                "unit {unit} in {pair:?}"
            );
        }
    }
    // Three polls, then ever more rarely.
    let gaps: Vec<Duration> = dead.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.len() <= 8, "{gaps:?}");
    for unit in others() {
        let own = line.times(unit, died);
        let gaps = own.windows(2).map(|pair| pair[1] - pair[0]);
        let longest = gaps.max().expect("polls");
        assert!(
            longest <= POLL + TIMEOUT + SLACK,
            "unit {unit}: {longest:?}"
        );
    }
}

/// Over two probes: 95 of 100 polls are made, and no more than a probe in its period is asked of the dead.
async fn next_to_nothing_is_lost(line: &mut Line, from: Duration) {
    let window = (PROBE + TIMEOUT) * 2;
    let waiting = Instant::now();
    while line.now() < from + window {
        assert!(waiting.elapsed() < DEADLINE, "nobody is polled");
        sleep(TIMEOUT).await;
    }
    let within = |at: &Duration| *at < from + window;
    let probes = line.times(DEAD, from).into_iter().filter(within).count();
    assert!((1..=2).contains(&probes), "{probes} probes");
    let polls: usize = others()
        .map(|unit| line.times(unit, from).into_iter().filter(within).count())
        .sum();
    let expected = window.as_secs_f64() / POLL.as_secs_f64() * f64::from(UNITS - 1);
    let made = polls as f64 / expected;
    assert!(made >= 0.95, "{polls} of {expected} polls");
}
