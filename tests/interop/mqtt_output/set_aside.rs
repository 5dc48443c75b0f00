//! Events that a broker cannot take, events that are gone before their turn, and what becomes of them.

use std::ops::RangeInclusive;
use std::sync::mpsc::sync_channel;

use forewarn::clock;
use forewarn::journal::{Fate, Receipt};

use super::scripted::{Script, Scripted};
use super::*;

/// Far more than anything here needs.
pub(super) const VIRTUAL: Duration = Duration::from_secs(2 * 3600);
/// Time passes this much ...
pub(super) const STEP: Duration = Duration::from_millis(250);
/// ... in this, so that a quarter of an hour takes seconds.
const PACE: Duration = Duration::from_millis(1);

const ASIDE: &str = r#"forewarn_output_aside_events{output="control-room"}"#;
const QUEUE: &str = r#"forewarn_output_queue_events{output="control-room"}"#;
const POISON: &str = r#"forewarn_output_dropped_total{output="control-room",reason="poison"}"#;
const GONE: &str = r#"forewarn_output_dropped_total{output="control-room",reason="gone"}"#;

/// Lets paused time pass. Not as fast as it could: sockets and threads know nothing of it.
async fn pass_time() {
    loop {
        tokio::time::advance(STEP).await;
        // Nobody sends; and time does not pass by itself while a blocking task runs.
        let (_sender, nobody) = sync_channel::<()>(0);
        let waited = tokio::task::spawn_blocking(move || nobody.recv_timeout(PACE).is_err());
        assert!(waited.await.is_ok());
    }
}

pub(super) struct World {
    pub(super) broker: Scripted,
    pub(super) gateway: Gateway,
}

/// Events and states, no telemetry.
fn alone(target: MqttTarget, ack_timeout: Duration) -> MqttTarget {
    MqttTarget {
        ack_timeout,
        readings: None,
        ..target
    }
}

impl World {
    async fn begin(ack_timeout: Duration, max_size: u64) -> Self {
        Self::with(|target| alone(target, ack_timeout), max_size).await
    }

    /// With another target than usual.
    pub(super) async fn with(other: impl FnOnce(MqttTarget) -> MqttTarget, max_size: u64) -> Self {
        let broker = Scripted::start().await;
        let target = other(target(broker.port()));
        let mut gateway = Gateway::begin(target, max_size);
        gateway.tasks.spawn(pass_time());
        Self { broker, gateway }
    }

    /// Events 1 to 3, of which the broker does not take the second, until that is set aside.
    async fn with_the_second_aside(ack_timeout: Duration, max_size: u64) -> Self {
        let world = Self::begin(ack_timeout, max_size).await;
        world.script().poison.insert(2);
        world.raise("A", 1..=3);
        let others = |script: &Script| script.seqs().ends_with(&[1, 3]);
        world.until("1 and 3", others).await;
        world.metric(ASIDE, 1).await;
        world
    }

    /// What arrived last was set aside before, and nothing is any more.
    async fn the_last_came_late(&self) {
        let last = self.script().events.last().cloned().expect("some");
        assert_eq!(last["replayed"], true);
        self.metric(ASIDE, 0).await;
        assert!(!self.gateway.page().contains(POISON), "nothing is lost");
    }

    /// Another run over the same journal.
    async fn again(self, ack_timeout: Duration, max_size: u64) -> Self {
        let Self { broker, gateway } = self;
        let dir = gateway.end().await;
        let target = alone(target(broker.port()), ack_timeout);
        let mut gateway = Gateway::begin_in(dir, target, max_size);
        gateway.tasks.spawn(pass_time());
        Self { broker, gateway }
    }

    /// An event for each of these occurrences.
    fn raise(&self, point: &str, occurrences: RangeInclusive<u64>) {
        for occurrence in occurrences {
            let state = AlarmState::Unacknowledged;
            self.gateway.commit(point, occurrence, state);
        }
    }

    pub(super) fn script(&self) -> MutexGuard<'_, Script> {
        self.broker.script()
    }

    /// Waits until the script says so.
    pub(super) async fn until(&self, what: &str, holds: impl Fn(&Script) -> bool) {
        let there = async {
            while !holds(&self.script()) {
                sleep(STEP).await;
            }
        };
        let there = timeout(VIRTUAL, there).await.is_ok();
        let seqs = self.script().seqs();
        assert!(there, "{what}: {seqs:?}\n{}", self.gateway.page());
    }

    /// Waits until a series of the metrics page has a value.
    pub(super) async fn metric(&self, series: &str, value: u64) {
        let line = format!("{series} {value}");
        let there = async {
            while !self.gateway.page().lines().any(|found| found == line) {
                sleep(STEP).await;
            }
        };
        let there = timeout(VIRTUAL, there).await.is_ok();
        assert!(there, "{line}\n{}", self.gateway.page());
    }
}

#[tokio::test(start_paused = true)]
async fn a_poisonous_event_is_set_aside_and_arrives_when_the_broker_is_put_right() {
    let mut world = World::with_the_second_aside(Duration::from_secs(15), 64 << 20).await;
    let dropped = world.script().dropped;
    assert!(
        (9..12).contains(&dropped),
        "{dropped}: in company, then eight times alone"
    );
    world.gateway.status(1.0).await;

    // Not put right at once: an attempt costs a connection, and nothing else.
    let tried = |script: &Script| script.dropped > dropped;
    world.until("another attempt", tried).await;
    world.gateway.commit("B", 1, AlarmState::Unacknowledged);
    let live = |script: &Script| script.seqs().ends_with(&[1, 3, 4]);
    world.until("live events go on", live).await;
    world.script().poison.clear();
    let all = |script: &Script| script.seqs().ends_with(&[1, 3, 4, 2]);
    world.until("it arrives", all).await;
    world.the_last_came_late().await;
    world.gateway.status(0.0).await;
    world.gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn what_a_broker_did_not_take_the_next_run_tries_at_once() {
    let (ack_timeout, max_size) = (Duration::from_secs(15), 64 << 20);
    let world = World::with_the_second_aside(ack_timeout, max_size).await;
    world.metric(QUEUE, 0).await;
    world.script().poison.clear();
    let world = world.again(ack_timeout, max_size).await;
    let began = tokio::time::Instant::now();
    let all = |script: &Script| script.seqs().ends_with(&[1, 3, 2]);
    world.until("it arrives", all).await;
    assert!(began.elapsed() < Duration::from_secs(600), "no pause first");
    world.the_last_came_late().await;
    world.gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn many_that_a_broker_did_not_take_are_tried_one_a_minute() {
    let (ack_timeout, max_size) = (VIRTUAL, 64 << 20);
    let world = World::begin(ack_timeout, max_size).await;
    let connected = |script: &Script| script.state("C").is_some();
    world.until("connected", connected).await;
    // As if each had ended nine connections.
    world.script().silent = true;
    let feed = world.gateway.journal.feed();
    for seq in 1..=6 {
        world.gateway.commit("A", seq, AlarmState::Unacknowledged);
        feed.note(Receipt {
            seq,
            output: OUTPUT.into(),
            at: clock::now().wall,
            fate: Fate::Aside,
            sent: None,
            attempts: None,
            words: None,
            audience: None,
        });
    }
    world.gateway.committed(6).await;
    feed.acknowledge(OUTPUT, 6);
    drop(feed);
    world.script().poison.extend(1..=6);
    let world = world.again(ack_timeout, max_size).await;
    world.broker.speak();
    let before = world.script().dropped;
    let first = |script: &Script| script.dropped > before;
    world.until("the first", first).await;
    let began = tokio::time::Instant::now();
    let all = |script: &Script| script.dropped == before + 6;
    world.until("all of them", all).await;
    assert!(began.elapsed() > Duration::from_secs(240), "{began:?}");
    assert_eq!(world.gateway.metrics.troubles(), [""; 0]);
    world.metric(ASIDE, 6).await;
    world.gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn the_state_of_an_alarm_that_changes_now_does_not_wait_behind_backlog() {
    let world = World::begin(VIRTUAL, 64 << 20).await;
    let connected = |script: &Script| script.state("C").is_some();
    world.until("connected", connected).await;
    world.script().poison.insert(1);
    world.raise("B", 1..=100);
    world.gateway.committed(100).await;
    let dropped = world.script().dropped;
    let again = |script: &Script| script.dropped > dropped;
    world.until("disconnected", again).await;
    // Again connected, the window stays full of backlog.
    world.script().silent_from = Some(1);
    world.script().poison.clear();
    world.until("silence", |script| script.silent).await;
    world.gateway.commit("A", 1, AlarmState::Unacknowledged);
    let state = |script: &Script| script.state("A") == Some("unacknowledged");
    world.until("the state of A", state).await;
    let last = world.script().seqs().into_iter().max();
    assert!(last.is_some_and(|last| last < 100), "{last:?}");
    world.broker.speak();
    world.metric(QUEUE, 0).await;
    assert_eq!(world.script().seqs().last(), Some(&101), "in its turn");
    world.gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn events_gone_before_their_turn_are_counted_and_their_states_go_at_once() {
    // The broker may owe its acknowledgements for as long as it likes, and the journal is tiny.
    let mut world = World::begin(VIRTUAL, 256 << 10).await;
    let connected = |script: &Script| script.state("C").is_some();
    world.until("connected", connected).await;
    world.script().silent = true;
    world.raise("B", 1..=100);
    let events = 4000;
    world.gateway.commit("A", 1, AlarmState::Unacknowledged);
    for occurrence in 102..=events {
        world
            .gateway
            .commit("B", occurrence, AlarmState::Unacknowledged);
        if occurrence.is_multiple_of(500) {
            world.gateway.committed(occurrence).await;
        }
    }
    world.gateway.committed(events).await;
    assert_eq!(
        world.script().state("A"),
        Some("normal"),
        "its turn has not come"
    );
    world.broker.speak();
    world.metric(QUEUE, 0).await;
    let arrived: BTreeSet<u64> = world.script().seqs().into_iter().collect();
    assert!(!arrived.contains(&101), "the event of A is gone");
    world.metric(GONE, events - arrived.len() as u64).await;
    let state = |script: &Script| script.state("A") == Some("unacknowledged");
    world.until("the state of A", state).await;
    world.gateway.status(1.0).await;
    assert_eq!(world.script().connections, 1, "without another connection");
    world.gateway.stop().await;
}

#[tokio::test(start_paused = true)]
async fn a_broker_that_acknowledges_what_was_never_sent_is_left_and_nothing_is_taken_for_delivered()
{
    let mut world = World::begin(Duration::from_secs(15), 64 << 20).await;
    world.script().wrong_ids = true;
    world.raise("A", 1..=30);
    let failed = r#"forewarn_output_failures_total{output="control-room",reason="protocol"}"#;
    world.metric(failed, 3).await;
    world.gateway.status(2.0).await;
    assert_eq!(world.gateway.journal.feed().cursor(OUTPUT), 0);
    world.script().wrong_ids = false;
    world.metric(QUEUE, 0).await;
    let seqs: BTreeSet<u64> = world.script().seqs().into_iter().collect();
    assert_eq!(seqs, (1..=30).collect());
    world.gateway.status(0.0).await;
    world.gateway.stop().await;
}
