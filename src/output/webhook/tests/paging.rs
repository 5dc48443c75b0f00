//! A paging service that answers as it is told to, and a journal that knows how alarms stand.

use std::net::Ipv4Addr;

use simulators::hook::{Hook, Reply};

use super::super::paging::AT_LEAST;
use super::*;
use crate::engine::effect::EventKind;
use crate::engine::settings::Priority;
use crate::journal::scratch::{Scratch, event};
use crate::journal::{ByHand, Record};

struct World {
    _scratch: Scratch,
    journal: ByHand,
    service: Hook,
    webhook: Webhook,
}

impl World {
    /// `answer`: to the request with this number, from 0.
    async fn new(answer: impl FnMut(usize) -> Reply + Send + 'static) -> Self {
        let scratch = Scratch::new();
        let outputs = [Arc::from("pager")];
        let now = clock::now();
        let journal = ByHand::open(&scratch.settings(), "north", &outputs, Arc::default(), now);
        let (journal, _) = journal.expect("it opens");
        let service = Hook::start(answer).await.expect("a free port");
        let mut target = target(find("pagerduty").expect("a preset"));
        let url = format!(
            "http://{}:{}/",
            Ipv4Addr::LOCALHOST,
            service.address().port()
        );
        target.client.url = Url::parse(&url, true).expect("an address");
        target.client.timeout = Duration::from_secs(20);
        target.secret = Some(Secret::new("routing"));
        let webhook = Webhook::new("pager".into(), north(), target).expect("a good template");
        Self {
            webhook: webhook.with_feed(journal.feed()),
            journal,
            service,
            _scratch: scratch,
        }
    }

    /// An event that the journal has from now on, and with it how its alarm stands.
    fn happens(&mut self, kind: EventKind, alarm: &str, priority: Priority) {
        let mut event = Box::new(event(kind, alarm, 1));
        if let Some(record) = &mut event.record {
            record.priority = Some(priority);
        }
        let committed = None;
        self.journal.push(Record { event, committed }, clock::now());
        self.journal.write(clock::now());
    }

    /// Each calls, and nobody was alerted of it.
    fn call(&mut self, alarms: &[&str]) {
        for alarm in alarms {
            self.happens(EventKind::Unshelved, alarm, Priority::High);
        }
    }

    /// The newest event of the journal tells of these; the first is its own.
    fn flood(&self, alarms: &[&str]) -> Parcel {
        let (own, seq) = (alarms[0], self.journal.feed().committed());
        let point = own.split('/').next().expect("a point");
        let alarms = serde_json::to_string(alarms).expect("JSON");
        parcel(&format!(
            r#"{{"id":"a:1:{seq}","seq":{seq},"time":"2026-05-04T06:12:31.000Z","event":"notified","alarm":"{own}","occurrence":1,"point":"{point}","state":"unacknowledged","overlays":[],"priority":"high","annunciated":true,"cause":"process","notice":"flood","alarms":{alarms}}}"#
        ))
    }

    /// As the courier does: what is not wanted is passed over.
    async fn given(&mut self, parcel: &Parcel) -> Option<Verdict> {
        if !self.webhook.wants(&parcel.event) {
            return None;
        }
        Some(self.webhook.carry(&Load::Event(parcel)).await)
    }

    /// Alarms of the requests, in order.
    fn asked(&self) -> Vec<String> {
        let asked = self.service.received().into_iter().map(|request| {
            let body: serde_json::Value = serde_json::from_str(&request.body).expect("JSON");
            body["payload"]["class"]
                .as_str()
                .expect("an alarm")
                .to_owned()
        });
        asked.collect()
    }
}

fn taken(_count: usize) -> Reply {
    Reply::Good(r#"{"status":"success"}"#.to_owned())
}

#[track_caller]
fn accepted(verdict: Option<Verdict>) {
    let is_accepted = verdict.as_ref().is_some_and(Verdict::is_accepted);
    assert!(is_accepted, "{verdict:?}");
}

/// Its own alarm was paged before it; the others are told of nowhere else.
#[tokio::test]
async fn a_flood_whose_own_alarm_has_an_incident_opens_the_others() {
    let mut world = World::new(taken).await;
    let alarms = ["P/high", "A/high", "B/high"];
    world.call(&alarms);
    let page = world.flood(&alarms[..1]);
    accepted(world.given(&page).await);
    let flood = world.flood(&alarms);
    accepted(world.given(&flood).await);
    assert_eq!(world.asked(), alarms, "each once");
    assert_eq!(world.given(&flood).await, None, "to the next reader");
}

/// What is over stays over, whatever else the flood is sent for.
#[tokio::test]
async fn a_flood_opens_nothing_that_is_over() {
    let mut world = World::new(taken).await;
    let alarms = ["P/high", "A/high"];
    world.call(&alarms);
    let mut end = world.flood(&alarms[..1]);
    end = end.with(WireEvent {
        event: EventKind::Cleared,
        state: Some(AlarmState::Normal),
        notice: None,
        ..end.event.clone()
    });
    world.given(&end).await;
    let flood = world.flood(&alarms);
    assert_eq!(world.given(&flood).await, Some(Verdict::accepted()));
    assert_eq!(world.asked(), alarms);
    let page = world.flood(&alarms[..1]);
    assert_eq!(world.given(&page).await, None);
}

#[tokio::test]
async fn a_member_that_is_refused_takes_nobody_along() {
    let refuses = |refused: usize| {
        move |count| match count {
            count if count == refused => Reply::Status(400, None),
            count => taken(count),
        }
    };
    let alarms = ["P/high", "A/high", "B/high", "C/high"];
    for (refused, is_taken) in [(0, false), (1, true), (2, true)] {
        let mut world = World::new(refuses(refused)).await;
        world.call(&alarms);
        let flood = world.flood(&alarms);
        let verdict = world.given(&flood).await.expect("it is wanted");
        assert_eq!(verdict.is_accepted(), is_taken, "{refused}: {verdict:?}");
        assert_eq!(world.asked(), alarms, "{refused}");
    }
}

/// Nobody is reached: the whole once more.
#[tokio::test]
async fn a_member_that_does_not_arrive_keeps_the_flood() {
    let answer = |count| match count {
        2 => Reply::Status(503, None),
        count => taken(count),
    };
    let mut world = World::new(answer).await;
    let alarms = ["P/high", "A/high", "B/high", "C/high"];
    world.call(&alarms);
    let flood = world.flood(&alarms);
    let verdict = world.given(&flood).await;
    assert!(
        matches!(verdict, Some(Verdict::Later { .. })),
        "{verdict:?}"
    );
    accepted(world.given(&flood).await);
    let expected = ["P/high", "A/high", "B/high", "P/high", "B/high", "C/high"];
    assert_eq!(world.asked(), expected);
}

/// Hundreds of incidents, one after the other, would hold up what is worse than all of them.
#[tokio::test]
async fn what_is_new_does_not_wait_for_all_that_a_flood_names() {
    let mut world = World::new(taken).await;
    let names: Vec<String> = (10..30).map(|number| format!("F-{number}/high")).collect();
    let alarms: Vec<&str> = names.iter().map(String::as_str).collect();
    world.call(&alarms);
    world.happens(EventKind::Unshelved, "F-29/high", Priority::Critical);
    let flood = world.flood(&alarms);
    world.happens(EventKind::Raised, "P/high", Priority::Critical);
    accepted(world.given(&flood).await);
    let first = world.asked();
    assert_eq!(first.len(), 1 + AT_LEAST);
    assert_eq!(
        first[..2],
        ["F-10/high", "F-29/high"],
        "the most urgent first"
    );
    // Somebody takes one of them over meanwhile.
    let mut acknowledged = event(EventKind::Acknowledged, "F-20/high", 1);
    acknowledged.record.as_mut().expect("a record").state = AlarmState::Acknowledged;
    let (event, committed) = (Box::new(acknowledged), None);
    let new = world.flood(&["P/high"]);
    world
        .journal
        .push(Record { event, committed }, clock::now());
    world.journal.write(clock::now());
    accepted(world.given(&new).await);
    assert_eq!(world.asked()[first.len()], "P/high");
    let newest = world.flood(&["Q/high"]);
    accepted(world.given(&newest).await);
    let mut asked = world.asked();
    asked.sort();
    let mut expected: Vec<&str> = alarms.clone();
    expected.retain(|alarm| *alarm != "F-20/high");
    expected.extend(["P/high", "Q/high"]);
    assert_eq!(asked, expected, "each once, and then all have theirs");
}

/// A plant program that reads the line sees that it is late, or may be lost.
#[test]
fn what_goes_with_an_event_has_its_marks() {
    for marks in [r#","replayed":true"#, r#","durable":false"#, ""] {
        let mut first = parcel(SAMPLES[2]);
        first.replayed = marks.contains("replayed");
        first.line.truncate(first.line.len() - 1);
        first.line.push_str(marks);
        first.line.push('}');
        let other = first.with(first.event.clone());
        assert!(
            other.line.ends_with(&format!("{marks}}}")),
            "{}",
            other.line
        );
        assert_eq!(other.is_volatile(), first.is_volatile());
        assert_eq!(other.line.contains("replayed"), first.replayed);
    }
}
