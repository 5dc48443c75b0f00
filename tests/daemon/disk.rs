//! The disk under the journal fills up, or fails, and recovers while the gateway runs.

use std::collections::BTreeSet;
use std::fs::{self, OpenOptions};
use std::io::Write as _;
use std::net::Ipv4Addr;
use std::path::PathBuf;
use std::process::{Command, Stdio};

use serde_json::Value;
use simulators::modbus::{Device, DeviceConfig};
use simulators::upstream::{Receiver, Record};
use tokio::time::timeout;

use super::gateway::{DEADLINE, Folder, Gateway, control_room, skipped};
use super::slow_card::one_id_each;
use super::spoilt::Spoilt;
use crate::interop::mosquitto::Mosquitto;

const ALARM: &str = "CH4-101/high";
const OWN: &str = "gateway.journal/state";
const DURABLE: &str = "forewarn_journal_durable";

/// A small disk of its own; only root may have one.
struct SmallDisk(Folder);

impl SmallDisk {
    fn mount() -> Option<Self> {
        let folder = Folder::new();
        let mount = Command::new("mount")
            .args(["-t", "tmpfs", "-o", "size=20m", "tmpfs"])
            .arg(folder.path())
            .stderr(Stdio::null())
            .status();
        mount
            .is_ok_and(|status| status.success())
            .then_some(Self(folder))
    }

    fn filler(&self) -> PathBuf {
        self.0.path().join("filler")
    }

    /// Takes the last byte.
    fn fill(&self) {
        let mut file = OpenOptions::new()
            .append(true)
            .create(true)
            .open(self.filler());
        let file = file.as_mut().expect("our own disk");
        for size in [65536, 4096, 1] {
            while file.write_all(&vec![0; size]).is_ok() {}
        }
    }

    fn give_back(&self) {
        fs::remove_file(self.filler()).expect("it is there");
    }
}

impl Drop for SmallDisk {
    fn drop(&mut self) {
        let unmounted = Command::new("umount").arg("-l").arg(self.0.path()).status();
        let _still_mounted = unmounted.is_err();
    }
}

struct World {
    receiver: Receiver,
    device: Device,
    gateway: Gateway,
    _broker: Mosquitto,
}

impl World {
    async fn begin(folder: Folder, data: PathBuf) -> Self {
        let broker = Mosquitto::start("").await;
        let receiver = control_room(&broker).await;
        let device = DeviceConfig::new((Ipv4Addr::LOCALHOST, 0).into())
            .point("holding:0 uint16 base=3")
            .expect("notation");
        let device = Device::start(device).await.expect("a free port");
        let lines = format!(
            "[journal]\nmax_size = \"16MiB\"\n\
             [device.gd-01]\nmodbus = \"tcp://{}\"\npoll = \"20ms\"\n\
             [output.control-room]\nmqtt = \"mqtt://127.0.0.1:{}\"\n\
             [point.CH4-101]\nregister = \"holding:0\"\ntype = \"uint16\"\nhigh = 25\ngood_confirm = \"0s\"\n",
            device.address(),
            broker.port(),
        );
        let gateway = Gateway::start_in(folder, data, &lines).await;
        let world = Self {
            receiver,
            device,
            gateway,
            _broker: broker,
        };
        world.swing().await;
        world
    }

    /// An alarm comes and goes, and both arrive.
    async fn swing(&self) {
        for (value, state) in [(30, "unacknowledged"), (3, "returned_unacknowledged")] {
            let line = format!("holding:0 uint16 base={value}");
            self.device.put(&line).expect("notation");
            let shown = |record: &Record| record.state(ALARM).is_some_and(|s| s["state"] == state);
            assert!(
                self.receiver.wait_for(shown, DEADLINE).await,
                "{state}: {}",
                self.gateway.log()
            );
        }
    }

    /// Alarms go on until the journal has given up the disk; then they still arrive, marked.
    ///
    /// `spoil` is done again before every alarm: the journal has a reserve on disk, which it gives up
    /// first.
    async fn goes_volatile(&self, spoil: impl Fn()) {
        let giving_up = async {
            while self.gateway.metric(DURABLE).await > 0.5 {
                spoil();
                self.swing().await;
            }
        };
        assert!(timeout(DEADLINE, giving_up).await.is_ok(), "still durable");
        self.gateway.alarm_is(OWN, "unacknowledged").await;
        self.swing().await;
        self.arrives("raised", OWN).await;
        let marked = |record: &Record| {
            let mut events = record.events();
            events.any(|event| event["alarm"] == ALARM && event["durable"] == false)
        };
        assert!(self.receiver.look(marked), "what is not on disk is marked");
    }

    async fn recovers(&self) {
        self.gateway
            .metric_is(DURABLE, |durable| durable > 0.5)
            .await;
        self.gateway.alarm_is(OWN, "returned_unacknowledged").await;
        self.arrives("cleared", OWN).await;
        let before = self.receiver.look(Record::received);
        self.swing().await;
        let live = |record: &Record| {
            let new = usize::try_from(record.received() - before).expect("few");
            let mut newest = record.events().rev().take(new);
            newest.any(|event| event["alarm"] == ALARM && event.get("durable").is_none())
        };
        assert!(
            self.receiver.wait_for(live, DEADLINE).await,
            "durable again"
        );
    }

    async fn arrives(&self, event: &str, alarm: &str) {
        let found = |record: &Record| {
            let mut events = record.events();
            events.any(|found| found["event"] == event && found["alarm"] == alarm)
        };
        assert!(
            self.receiver.wait_for(found, DEADLINE).await,
            "{event} of {alarm}"
        );
    }

    /// Everything that was shown is on disk in the end, under the ids it was shown with.
    async fn ends(mut self) {
        assert_eq!(self.gateway.stop().await.code(), Some(0));
        self.gateway.start_again().await;
        let journal = self.gateway.events().await;
        let written: BTreeSet<_> = journal
            .iter()
            .filter_map(|event| event["id"].as_str())
            .collect();
        assert_eq!(written.len(), journal.len(), "an id stands there twice");
        let numbers = journal.iter().filter_map(|event| event["seq"].as_u64());
        assert!(
            numbers.eq(1..=journal.len() as u64),
            "a number is missing or stands there twice"
        );
        self.receiver.look(|record| {
            let lost =
                |event: &&Value| !event["id"].as_str().is_some_and(|id| written.contains(id));
            let lost: Vec<_> = record.events().filter(lost).collect();
            assert!(lost.is_empty(), "shown, but not in the journal: {lost:?}");
            assert_eq!((record.out_of_order(), record.malformed()), (0, 0));
        });
    }
}

#[tokio::test]
async fn disk_full_and_back() {
    let Some(disk) = SmallDisk::mount() else {
        skipped("disk_full_and_back: no right to mount a small disk");
        return;
    };
    let data = disk.0.path().join("data");
    fs::create_dir(&data).expect("our own disk");
    let world = World::begin(Folder::new(), data).await;
    world.goes_volatile(|| disk.fill()).await;
    disk.give_back();
    world.recovers().await;
    world.ends().await;
}

#[tokio::test]
async fn disk_failing_and_back() {
    let folder = Folder::new();
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("our own folder");
    let world = World::begin(folder, data).await;
    let Some(failing) = Spoilt::syncs(world.gateway.pid(), "error=EIO") else {
        skipped("disk_failing_and_back: strace is not installed or not allowed");
        return;
    };
    world.goes_volatile(|| {}).await;
    drop(failing);
    world.recovers().await;
    world.ends().await;
}

#[tokio::test]
async fn folder_removed_while_it_runs() {
    let folder = Folder::new();
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("our own folder");
    let mut world = World::begin(folder, data.clone()).await;
    fs::remove_dir_all(&data).expect("it is there");
    world.swing().await;
    world.gateway.alarm_is(OWN, "unacknowledged").await;
    world.arrives("raised", OWN).await;
    world
        .gateway
        .metric_is(DURABLE, |durable| durable > 0.5)
        .await;
    world.gateway.kill();
    world.gateway.start_again().await;
    // What the new files have was shown as it is written there, the state of the alarm included.
    world
        .gateway
        .alarm_is(ALARM, "returned_unacknowledged")
        .await;
    world.swing().await;
    let journal = world.gateway.events().await;
    assert!(journal[0]["seq"].as_u64() > Some(1), "{}", journal[0]);
    world.receiver.look(|record| {
        one_id_each(record.events().chain(&journal));
        assert_eq!((record.out_of_order(), record.malformed()), (0, 0));
    });
    assert_eq!(world.gateway.stop().await.code(), Some(0));
}

#[tokio::test]
async fn disk_that_hangs_at_start() {
    let folder = Folder::new();
    let data = folder.path().join("data");
    fs::create_dir(&data).expect("our own folder");
    // Opening a pipe does not return until somebody writes to it.
    let pipe = data.join("journal.db.epoch");
    let made = Command::new("mkfifo").arg(&pipe).status();
    assert!(made.is_ok_and(|status| status.success()));
    let mut gateway = Gateway::start_in(folder, data, "").await;
    gateway.alarm_is(OWN, "unacknowledged").await;
    gateway.metric_is(DURABLE, |durable| durable < 0.5).await;
    let started = &gateway.events().await[0];
    assert!(
        started["message"]
            .as_str()
            .is_some_and(|message| message.contains("gives no answer")),
        "{started}"
    );
    // The disk answers in the end; the thread that was left behind does its work and lets go.
    drop(OpenOptions::new().write(true).open(&pipe));
    let answered = async {
        while !fs::metadata(&pipe).is_ok_and(|file| file.is_file()) {
            tokio::task::yield_now().await;
        }
    };
    assert!(timeout(DEADLINE, answered).await.is_ok(), "still a pipe");
    assert_eq!(gateway.stop().await.code(), Some(0));
    gateway.start_again().await;
    gateway.metric_is(DURABLE, |durable| durable > 0.5).await;
    assert_eq!(gateway.stop().await.code(), Some(0));
}
