//! Upstream was away for so long that its backlog is on disk only, and the disk cannot be read.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::net::Ipv4Addr;
use std::time::Duration;

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig};
use simulators::upstream::{Receiver, ReceiverConfig, Record};
use tokio::time::timeout;

use super::gateway::{DEADLINE, Gateway, SITE, address, skipped};
use super::spoilt::Spoilt;
use crate::interop::mosquitto::Mosquitto;

/// Points that go over their limit together.
const CROWD: u16 = 200;
/// The backlog; twice what memory keeps.
const BACKLOG: u16 = 2000;
/// An alarm is upstream within this, whatever the disk does; far more than it takes, for busy machines.
const IN_TIME: Duration = Duration::from_secs(20);
/// Microseconds that a disk hangs at each read: longer than both alarms may take together.
const HANGS: &str = "delay_enter=60000000";

/// The point that does not belong to the crowd.
const NEW: u16 = CROWD;
const ALARM: &str = "P-200/high";
const QUEUE: &str = r#"forewarn_output_queue_events{output="control-room"}"#;

struct World {
    upstream: Mosquitto,
    receiver: Receiver,
    device: Device,
    gateway: Gateway,
}

impl World {
    /// A gateway whose control room misses nothing, whoever of the two is away.
    async fn begin() -> Self {
        let upstream = Mosquitto::persistent("max_queued_messages 0\n").await;
        let receiver = Receiver::start(ReceiverConfig {
            persistent: true,
            ..ReceiverConfig::new(address(&upstream).into(), SITE)
        });
        assert!(receiver.subscribed(DEADLINE).await);
        let mut device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into());
        for point in 0..=NEW {
            let line = format!("holding:{point} uint16 base=3");
            device = device.point(&line).expect("notation");
        }
        let device = Device::start(device).await.expect("a free port");
        let mut lines = format!(
            "[device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"20ms\"\nreply_time = \"2ms\"\n\
             [output.control-room]\nmqtt = \"mqtt://127.0.0.1:{}\"\n",
            device.address(),
            upstream.port(),
        );
        for point in 0..=NEW {
            write!(
                lines,
                "[point.P-{point}]\nregister = \"holding:{point}\"\ntype = \"uint16\"\nhigh = 25\n\
                 good_confirm = \"0s\"\n"
            )
            .expect("a string takes all");
        }
        let gateway = Gateway::start(&lines).await;
        Self {
            upstream,
            receiver,
            device,
            gateway,
        }
    }

    /// Upstream goes away until its backlog is more than memory keeps.
    async fn pile_up(&mut self) {
        self.upstream.stop().await;
        self.gateway
            .alarm_is("gateway.output.control-room/state", "unacknowledged")
            .await;
        let last = format!("P-{}/high", CROWD - 1);
        let swinging = async {
            while self.gateway.metric(QUEUE).await < f64::from(BACKLOG) {
                for (value, state) in [(30, "unacknowledged"), (3, "returned_unacknowledged")] {
                    (0..CROWD).for_each(|point| self.put(point, value));
                    self.gateway.alarm_is(&last, state).await;
                }
            }
        };
        assert!(timeout(DEADLINE, swinging).await.is_ok(), "no backlog");
    }

    fn put(&self, register: u16, value: u16) {
        let line = format!("holding:{register} uint16 base={value}");
        self.device.put(&line).expect("notation");
    }

    /// An alarm that is new arrives, live, as event and as state.
    async fn new_alarm_arrives(&self, value: u16, event: &str, state: &str) {
        let before = self.receiver.look(Record::received);
        self.put(NEW, value);
        let arrived = |record: &Record| {
            let since = usize::try_from(record.received() - before).expect("few");
            let mut live = record.events().rev().take(since);
            let live = live.any(|found| {
                found["alarm"] == ALARM && found["event"] == event && found["replayed"].is_null()
            });
            live && record
                .state(ALARM)
                .is_some_and(|found| found["state"] == state)
        };
        let arrived = self.receiver.wait_for(arrived, IN_TIME).await;
        assert!(arrived, "{event} is not there: {}", self.gateway.log());
    }

    async fn ends(mut self) {
        self.gateway.metric_is(QUEUE, |queue| queue < 0.5).await;
        let journal = self.gateway.events().await;
        let id = |event: &Value| event["id"].as_str().map(ToOwned::to_owned);
        let written: BTreeSet<_> = journal.iter().filter_map(id).collect();
        let all =
            |record: &Record| record.events().filter_map(id).collect::<BTreeSet<_>>() == written;
        let arrived = self.receiver.wait_for(all, DEADLINE).await;
        assert!(arrived, "{}", self.receiver.look(Record::summary));
        self.receiver.look(|record| {
            live_events_are_in_order(record.events());
            let replayed = record.events().filter(|event| event["replayed"] == true);
            let replayed: BTreeSet<_> = replayed.filter_map(id).collect();
            assert!(
                replayed.len() >= usize::from(BACKLOG),
                "the backlog is marked"
            );
        });
        assert_eq!(self.gateway.stop().await.code(), Some(0));
    }
}

fn live_events_are_in_order<'a>(events: impl Iterator<Item = &'a Value>) {
    let (mut last, mut ids) = (BTreeMap::new(), BTreeSet::new());
    let live = events.filter(|event| event["replayed"].is_null());
    // A broker that was stopped may give its receivers again what they have not acknowledged.
    for event in live.filter(|event| ids.insert(event["id"].to_string())) {
        let seq = event["seq"].as_u64().expect("a number");
        let before = last.insert(event["alarm"].to_string(), seq);
        assert!(before.is_none_or(|before| before < seq), "{event}");
    }
}

/// The backlog cannot be read while upstream is back: alarms arrive all the same.
async fn alarms_arrive(how: &str) {
    let mut world = World::begin().await;
    world.pile_up().await;
    let Some(failing) = Spoilt::reads(world.gateway.pid(), how) else {
        return skipped("alarms_arrive: strace is not installed or not allowed");
    };
    world.upstream.start_again().await;
    let connected = r#"forewarn_output_connected{output="control-room"}"#;
    world.gateway.metric_is(connected, |up| up > 0.5).await;
    world
        .new_alarm_arrives(30, "raised", "unacknowledged")
        .await;
    world
        .new_alarm_arrives(3, "cleared", "returned_unacknowledged")
        .await;
    let waiting = world.gateway.metric(QUEUE).await;
    assert!(waiting > 100.0, "the disk was read: {waiting} wait");
    drop(failing);
    world
        .new_alarm_arrives(30, "raised", "unacknowledged")
        .await;
    world.ends().await;
}

#[tokio::test]
async fn alarms_arrive_though_the_disk_cannot_be_read() {
    alarms_arrive("error=EIO").await;
}

#[tokio::test]
async fn alarms_arrive_though_the_disk_hangs_when_it_is_read() {
    alarms_arrive(HANGS).await;
}
