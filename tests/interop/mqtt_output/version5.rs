//! A broker of version 5: the same promises, and it says why it refuses something.

use super::*;

fn target5(broker: &Mosquitto) -> MqttTarget {
    let mut target = target(broker.port());
    target.address.version = Version::V5;
    target.readings = None;
    target
}

/// A file that is gone when the test is.
struct Rules(PathBuf);

impl Rules {
    fn new(text: &str) -> Self {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let number = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("forewarn-acl-{}-{number}", std::process::id());
        let path = std::env::temp_dir().join(name);
        std::fs::write(&path, text).expect("a writable temporary directory");
        Self(path)
    }

    fn write(&self, text: &str) {
        std::fs::write(&self.0, text).expect("writable");
    }

    fn line(&self) -> String {
        format!("acl_file {}", self.0.display())
    }
}

impl Drop for Rules {
    fn drop(&mut self) {
        let _left_behind = std::fs::remove_file(&self.0).is_err();
    }
}

/// Waits until a series of the metrics page is at least this.
async fn counted(gateway: &Gateway, series: &str, least: f64) {
    let there = async {
        loop {
            let page = gateway.page();
            let line = page.lines().find_map(|line| line.strip_prefix(series));
            let value = line.and_then(|value| value.trim().parse::<f64>().ok());
            if value.is_some_and(|value| value >= least) {
                return;
            }
            sleep(Duration::from_millis(20)).await;
        }
    };
    let there = timeout(DEADLINE, there).await.is_ok();
    assert!(there, "{series} {least}: {}", gateway.page());
}

#[tokio::test]
async fn events_and_states_arrive_and_an_outage_loses_nothing() {
    let mut broker = Mosquitto::persistent("").await;
    let mut upstream = Upstream::connect(&broker, "upstream").await;
    let mut gateway = Gateway::begin(target5(&broker), 64 << 20);
    gateway.status(0.0).await;
    gateway.commit("A", 1, AlarmState::Unacknowledged);
    gateway.delivered(1).await;
    broker.stop().await;
    gateway.status(2.0).await;
    for occurrence in 2..=60 {
        gateway.commit("B", occurrence, AlarmState::Unacknowledged);
    }
    broker.start_again().await;
    gateway.status(0.0).await;
    gateway.delivered(60).await;
    upstream
        .until("all events", |upstream| {
            upstream.seqs() == (1..=60).collect() && upstream.state("B") == Some("unacknowledged")
        })
        .await;
    gateway.stop().await;
    upstream
        .until("the farewell", |upstream| {
            upstream.text(STATUS, "reason") == Some("stopped")
        })
        .await;
}

#[tokio::test]
async fn what_nobody_hears_is_delivered_and_shown() {
    let broker = Mosquitto::start("").await;
    let gateway = Gateway::begin(target5(&broker), 64 << 20);
    gateway.commit("A", 1, AlarmState::Unacknowledged);
    gateway.delivered(1).await;
    let unheard = r#"forewarn_output_unheard_total{output="control-room"}"#;
    counted(&gateway, unheard, 1.0).await;
    gateway.stop().await;
}

#[tokio::test]
async fn an_event_that_the_broker_may_not_take_is_not_taken_for_delivered() {
    let open = "topic readwrite forewarn/#\n";
    let rules = Rules::new(
        "topic readwrite forewarn/v1/plant/status\ntopic readwrite forewarn/v1/plant/alarm/#\n",
    );
    let mut broker = Mosquitto::start(&rules.line()).await;
    let mut gateway = Gateway::begin(target5(&broker), 64 << 20);
    gateway.commit("A", 1, AlarmState::Unacknowledged);
    let refused =
        r#"forewarn_output_failures_total{output="control-room",reason="publish_refused"}"#;
    counted(&gateway, refused, 2.0).await;
    gateway.status(1.0).await;
    assert_eq!(gateway.journal.feed().cursor(OUTPUT), 0);
    // Put right, it arrives.
    rules.write(open);
    broker.signal("-HUP");
    let mut upstream = Upstream::connect(&broker, "upstream").await;
    upstream
        .until("the event", |upstream| {
            upstream.seqs() == BTreeSet::from([1])
        })
        .await;
    gateway.delivered(1).await;
    gateway.status(0.0).await;
    gateway.stop().await;
    broker.kill();
}

#[tokio::test]
async fn a_state_that_the_broker_may_not_take_holds_back_no_event_and_is_told() {
    let rules = Rules::new(
        "topic readwrite forewarn/v1/plant/status\ntopic readwrite forewarn/v1/plant/event\n",
    );
    let broker = Mosquitto::start(&rules.line()).await;
    let mut gateway = Gateway::begin(target5(&broker), 64 << 20);
    gateway.commit("A", 1, AlarmState::Unacknowledged);
    gateway.delivered(1).await;
    gateway.status(1.0).await;
    gateway.stop().await;
}
