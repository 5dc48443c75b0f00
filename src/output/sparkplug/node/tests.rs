//! A host that knows only what it was told checks every message of any life of a node.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use proptest::prelude::*;

use super::*;
use crate::engine::alarm::AlarmState;
use crate::engine::snapshot::ReadingCounts;
use crate::engine::time::Moment;
use crate::output::message::tests::record;
use crate::output::sparkplug::plan::tests::plan;
use crate::sparkplug::{MessageKind, Topic};

pub(in crate::output::sparkplug) fn point(id: &str) -> PointView {
    PointView {
        id: id.into(),
        area: None,
        unit: "%LEL".into(),
        value: Some(1.0),
        quality: Quality::Good,
        reason: None,
        last_reading: None,
        slope_per_min: None,
        forecast: Vec::new(),
        group: None,
        held: None,
        stel: None,
        twa: None,
        counts: ReadingCounts::default(),
    }
}

/// Two points of `gd-01`, a group, and the point that says whether `gd-01` is lost.
fn snapshot(values: [f64; 3], lost: Option<bool>) -> Snapshot {
    let ids = ["CH4-101", "CH4-102", "V", "gateway.device.gd-01"];
    let mut points = ids.map(point);
    for (point, value) in points.iter_mut().zip(values) {
        point.value = Some(value);
    }
    points[3].value = lost.map(f64::from);
    Snapshot {
        at: Moment::default(),
        points: points.into(),
        alarms: Vec::new(),
        drills: Vec::new(),
        notices: Default::default(),
    }
}

fn event(seq: u64, alarm: &str, with_record: bool) -> Committed {
    let line = format!(
        r#"{{"id":"a:1:{seq}","seq":{seq},"time":"2026-05-04T06:12:31.000Z","event":"raised","alarm":"{alarm}","occurrence":{seq},"state":"unacknowledged","overlays":[],"priority":"high","cause":"process"}}"#
    );
    let raised = record(alarm, AlarmState::Unacknowledged);
    Committed {
        seq,
        line: line.into(),
        alarm: Some(alarm.into()),
        record: with_record.then(|| Arc::new(raised)),
        durable: true,
        at: None,
    }
}

/// What a host knows: `None` as long as the node is not born.
#[derive(Default)]
struct Host {
    will: Option<u64>,
    session: Option<Session>,
    /// By alarm: the newest occurrence that was told as the present.
    present: BTreeMap<u64, u64>,
}

#[derive(Default)]
struct Session {
    next: u8,
    /// Of the node and of each device that is there: aliases with their datatype.
    known: BTreeMap<Option<String>, BTreeMap<u64, u32>>,
}

impl Host {
    /// The broker was given a will.
    fn will(&mut self, will: &Message) {
        assert_eq!(will.topic, "spBv1.0/plants/NDEATH/north");
        assert_eq!(will.payload.seq, None, "a death has no number");
        self.will = Some(bd_seq(will));
        self.session = None;
    }

    fn hear(&mut self, message: &Message) {
        let topic = Topic::parse(&message.topic).expect("a topic of Sparkplug");
        let device = topic.device.map(str::to_owned);
        let payload = &message.payload;
        assert!(payload.timestamp.is_some());
        if topic.kind == MessageKind::NodeBirth {
            assert_eq!(payload.seq, Some(0), "a birth begins the count");
            assert_eq!(Some(bd_seq(message)), self.will, "the will's number");
            let rebirth = &payload.metrics[1];
            assert_eq!(rebirth.name.as_deref(), Some(REBIRTH));
            assert_eq!(rebirth.alias, None);
            self.session = Some(Session::default());
            self.present.clear();
        }
        let session = self.session.as_mut().expect("nothing before the birth");
        assert_eq!(payload.seq, Some(session.next.into()), "{}", message.topic);
        session.next = session.next.wrapping_add(1);
        match topic.kind {
            MessageKind::NodeBirth | MessageKind::DeviceBirth => {
                let known = born(&payload.metrics);
                let all = session.known.values().flat_map(BTreeMap::keys);
                let all: BTreeSet<u64> = all.copied().collect();
                let own = session.known.get(&device);
                let again = |alias| own.is_some_and(|own| own.contains_key(alias));
                assert!(
                    known
                        .keys()
                        .all(|alias| !all.contains(alias) || again(alias)),
                    "an alias stands for one metric"
                );
                session.known.insert(device, known);
            }
            MessageKind::NodeData | MessageKind::DeviceData => {
                assert!(!payload.metrics.is_empty());
                let known = session.known.get(&device).expect("it is born");
                for metric in &payload.metrics {
                    let alias = metric.alias.expect("data goes by alias");
                    assert!(known.contains_key(&alias), "{alias} was never born");
                    assert_eq!((&metric.name, metric.datatype), (&None, None));
                    assert!(metric.timestamp.is_some());
                    assert_eq!(metric.value.is_none(), metric.is_null == Some(true));
                }
                self.look_at_occurrences(&payload.metrics);
            }
            MessageKind::DeviceDeath => {
                assert!(session.known.remove(&device).is_some(), "it was born");
            }
            MessageKind::NodeDeath | MessageKind::NodeCommand | MessageKind::DeviceCommand => {
                panic!("{} is not published as data", message.topic)
            }
        }
    }

    /// The present never goes back.
    fn look_at_occurrences(&mut self, metrics: &[Metric]) {
        let of_alarms = metrics.iter().filter_map(|metric| {
            let Some(metric_value::Value::Long(occurrence)) = metric.value else {
                return None;
            };
            let told = metric.is_historical != Some(true);
            told.then_some((metric.alias?, occurrence))
        });
        for (alias, occurrence) in of_alarms {
            let before = self.present.insert(alias, occurrence).unwrap_or(0);
            assert!(before <= occurrence, "{before} then {occurrence}");
        }
    }
}

fn bd_seq(message: &Message) -> u64 {
    let metric = &message.payload.metrics[0];
    assert_eq!(metric.name.as_deref(), Some("bdSeq"));
    assert_eq!((metric.alias, metric.datatype), (None, Some(4)));
    let Some(metric_value::Value::Long(number)) = metric.value else {
        panic!("{metric:?}");
    };
    number
}

fn born(metrics: &[Metric]) -> BTreeMap<u64, u32> {
    let with_alias = metrics.iter().filter(|metric| metric.alias.is_some());
    let known: BTreeMap<u64, u32> = with_alias
        .clone()
        .map(|metric| {
            assert!(metric.name.is_some());
            let datatype = metric.datatype.expect("births say the datatype");
            (metric.alias.unwrap_or_default(), datatype)
        })
        .collect();
    assert_eq!(
        known.len(),
        with_alias.count(),
        "an alias stands for one metric"
    );
    known
}

/// What can happen to a node.
#[derive(Debug, Clone)]
enum Step {
    Connect,
    Birth,
    Values([u8; 3], Option<bool>),
    Event {
        skipped: u8,
        alarm: u8,
        with_record: bool,
        backlog: bool,
    },
    /// An old one again.
    Again(u8),
    Ahead(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let step = prop_oneof![
        1 => Just(Step::Connect),
        2 => Just(Step::Birth),
        4 => (any::<[u8; 3]>(), any::<Option<bool>>())
            .prop_map(|(values, lost)| Step::Values(values.map(|value| value % 3), lost)),
        4 => (0_u8..3, 0_u8..5, any::<bool>(), any::<bool>()).prop_map(
            |(skipped, alarm, with_record, backlog)| Step::Event { skipped, alarm, with_record, backlog }
        ),
        2 => (0_u8..9).prop_map(Step::Again),
        2 => (0_u8..5).prop_map(Step::Ahead),
    ];
    proptest::collection::vec(step, 0..400)
}

const ALARMS: [&str; 5] = [
    "CH4-101/high",
    "CH4-102/high",
    "V/high",
    "V/high/drill",
    "GONE/high",
];

/// An event whose record has its own number as occurrence.
fn numbered(seq: u64, alarm: u8, with_record: bool) -> Committed {
    let mut event = event(seq, ALARMS[usize::from(alarm) % 5], with_record);
    if let Some(record) = event.record.as_mut().map(Arc::make_mut) {
        record.occurrence = seq;
    }
    event
}

fn live(steps: &[Step]) {
    let now = Wall::from_unix_nanos(1_777_875_120_000_000_000);
    let (mut node, mut host) = (Node::new(plan()), Host::default());
    let (mut present, mut seq, mut number) = (snapshot([0.0; 3], Some(false)), 0, 0_u8);
    for step in steps {
        let messages = match step {
            Step::Connect => {
                host.will(&node.connecting(number, now));
                number = number.wrapping_add(1);
                Vec::new()
            }
            // Without a will there is no connection to be born on.
            Step::Birth if host.will.is_none() => Vec::new(),
            Step::Birth => node.birth(&present, &Present::default(), seq, now),
            Step::Values(values, lost) => {
                present = snapshot(values.map(f64::from), *lost);
                node.values(&present, now)
            }
            Step::Event {
                skipped,
                alarm,
                with_record,
                backlog,
            } => {
                seq += 1 + u64::from(*skipped);
                let event = numbered(seq, *alarm, *with_record);
                node.event(&event, *backlog, now).into_iter().collect()
            }
            Step::Again(back) => {
                let old = numbered(seq.saturating_sub((*back).into()), *back, true);
                node.event(&old, true, now).into_iter().collect()
            }
            Step::Ahead(alarm) => {
                seq += 1;
                let event = numbered(seq, *alarm, true);
                node.ahead(&event, now).into_iter().collect()
            }
        };
        for message in &messages {
            host.hear(message);
        }
    }
    assert_eq!(node.is_born(), host.session.is_some());
}

proptest! {
    #[test]
    fn a_host_understands_any_life(steps in steps()) {
        live(&steps);
    }
}

#[test]
fn the_count_goes_round_after_255() {
    let event = Step::Event {
        skipped: 0,
        alarm: 2,
        with_record: true,
        backlog: false,
    };
    let mut steps = vec![Step::Connect, Step::Birth];
    steps.resize(600, event);
    live(&steps);
}

fn historical(message: &Message) -> Vec<bool> {
    let metrics = message.payload.metrics.iter();
    metrics
        .map(|metric| metric.is_historical == Some(true))
        .collect()
}

fn born_at(as_of: u64) -> Node {
    let mut node = Node::new(plan());
    node.connecting(0, Wall::default());
    node.birth(
        &snapshot([0.0; 3], Some(false)),
        &Present::default(),
        as_of,
        Wall::default(),
    );
    node
}

#[test]
fn what_a_birth_has_told_is_history_and_what_comes_after_it_is_the_present() {
    let mut node = born_at(7);
    let mut told = |seq, with_record, backlog| {
        let event = event(seq, "V/high", with_record);
        node.event(&event, backlog, Wall::default())
            .expect("it is born")
    };
    // Seven facts of the alarm, then the event.
    let (old, new) = ([true; 7], [false; 7]);
    let all = |facts: [bool; 7], event: bool| [&facts[..], &[event]].concat();
    assert_eq!(historical(&told(5, true, true)), all(old, true));
    assert_eq!(historical(&told(7, false, true)), all(old, true));
    assert_eq!(historical(&told(8, true, false)), all(new, false));
    // It comes again: the host has it.
    assert_eq!(historical(&told(8, true, true)), all(old, true));
    assert_eq!(historical(&told(9, false, false)), all(old, false));
}

#[test]
fn a_state_goes_ahead_of_its_event_once() {
    let mut node = born_at(7);
    let newer = event(9, "V/high", true);
    assert!(node.ahead(&newer, Wall::default()).is_some());
    assert!(node.ahead(&newer, Wall::default()).is_none());
    let older = event(8, "V/high", true);
    assert!(node.ahead(&older, Wall::default()).is_none());
    assert!(!node.leaves_behind(&older));
    assert!(node.leaves_behind(&event(10, "V/high", false)));
}

#[test]
fn a_drill_is_told_as_an_event_and_never_as_the_alarm() {
    let mut node = born_at(0);
    let drill = event(1, "V/high/drill", true);
    let message = node.event(&drill, false, Wall::default());
    assert_eq!(message.expect("it is born").payload.metrics.len(), 1);
}

#[test]
fn a_lost_device_dies_with_its_values_and_not_with_its_alarms() {
    let mut node = born_at(0);
    let kinds = |messages: &[Message]| -> Vec<MessageKind> {
        let topics = messages.iter().map(|message| Topic::parse(&message.topic));
        topics.map(|topic| topic.expect("a topic").kind).collect()
    };
    let lost = node.values(&snapshot([5.0; 3], Some(true)), Wall::default());
    assert_eq!(
        kinds(&lost),
        [MessageKind::NodeData, MessageKind::DeviceDeath]
    );
    let silent = node.values(&snapshot([6.0, 6.0, 5.0], Some(true)), Wall::default());
    assert_eq!(kinds(&silent), []);
    let raised = node.event(&event(1, "CH4-101/high", true), false, Wall::default());
    assert_eq!(raised.expect("it is born").payload.metrics.len(), 8);
    let back = node.values(&snapshot([6.0, 6.0, 5.0], Some(false)), Wall::default());
    assert_eq!(
        kinds(&back),
        [MessageKind::NodeData, MessageKind::DeviceBirth]
    );
    let same = node.values(&snapshot([6.0, 6.0, 5.0], Some(false)), Wall::default());
    assert_eq!(kinds(&same), [], "what did not change is not told");
}

#[test]
fn nothing_is_told_before_a_birth() {
    let mut node = Node::new(plan());
    node.connecting(3, Wall::default());
    let present = snapshot([0.0; 3], Some(false));
    assert!(node.values(&present, Wall::default()).is_empty());
    let raised = event(1, "V/high", true);
    assert!(node.event(&raised, false, Wall::default()).is_none());
    assert!(node.ahead(&raised, Wall::default()).is_none());
}
