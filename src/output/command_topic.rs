//! Commands from the control room: `.../command` in, `.../command/reply` out (contract, section 6).
//!
//! ```text
//!  broker ──request──▶ who may? ──▶ the page that HTTP has for it ──▶ engine, journal
//!    ▲                    │ no                   │ the answer, after the commit
//!    └────── reply ◀──────┴──────────◀───────────┘
//! ```
//!
//! A connection of its own, so that no flood of requests delays an alarm and PUBACKs of events stay in order. The
//! session is clean: a command that waited at the broker while nobody was there is an order from another hour,
//! and must not be carried out.
//!
//! **What proves who sent a request is the broker's access list, and nothing here**: let nobody publish to the topic
//! who may not command. `by` has to be a person whom the output's `commands` names; without one nothing is done.
//!
//! | bound | when full |
//! |---|---|
//! | one command at a time | the others wait at the broker |
//! | 10 at once, 5 a second | answered `too_many_requests`, not given |
//! | 64 requests remembered with their answers, each at most 32 KiB | one that comes again later than that is a new one |
//! | 32 KiB a request | the connection ends, as with every packet over its limit |
//!
//! **Our right to publish is not lent.** A response topic (MQTT 5) has to be `.../command/reply` or lie below it, so
//! that nobody has us write to a topic that others believe: our own states, those of another gateway, a machine's
//! orders. Who asks for another one is answered on `.../command/reply`, and `note` in the answer says why.
//!
//! Deliberately absent: retained commands (they would be given at each connection; ignored and counted), a queue.

mod request;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{debug, info, warn};

use self::request::{Answered, Refusal, answer, noted, read};
use super::MqttTarget;
use super::message::Topics;
use crate::allowance::Allowance;
use crate::broker::{
    Backoff, Client, Connector, Ending, Event, Grant, Happenings, Message, Sampler, Session,
    Signal, Signals, Sure, goodbye,
};
use crate::clock;
use crate::metrics::Metrics;

/// Longest packet that is taken, bytes; a comment has 4000.
const INCOMING_LIMIT: usize = 32 * 1024;
/// Longest packet that is sent, bytes.
const OUTGOING_LIMIT: usize = 64 * 1024;
/// Requests to the library that wait to be written.
const REQUESTS: usize = 32;
/// Answers without their PUBACK at most.
const INFLIGHT: u16 = 16;
/// Requests that a broker of version 5 may send ahead.
const AHEAD: u16 = 8;
/// So many at once ...
const BURST: u32 = 10;
/// ... and one more each time this has passed.
const REFILL: Duration = Duration::from_millis(200);

/// What became of requests, for metrics.
const RESULTS: [&str; 5] = [GIVEN, REFUSED, REPEATED, RETAINED, TOO_MANY];

const GIVEN: &str = "given";
const REFUSED: &str = "refused";
const REPEATED: &str = "repeated";
const RETAINED: &str = "retained";
const TOO_MANY: &str = "too_many";

/// For the log: a response topic that is not used.
const RESPONSE_TOPIC: &str = "response_topic";

/// Gives a command to the gateway: the path of a page and a JSON body in, the JSON answer out.
pub type Give =
    Arc<dyn Fn(String, String) -> Pin<Box<dyn Future<Output = Vec<u8>> + Send>> + Send + Sync>;

/// The task's name, in heartbeats.
pub fn task_name(output: &str) -> String {
    format!("output.{output}.commands")
}

/// Takes commands from the broker of `target` until `shutdown` turns true. Never returns for a fault.
pub async fn run(
    output: Arc<str>,
    target: MqttTarget,
    site: Arc<str>,
    give: Give,
    metrics: Arc<Metrics>,
    shutdown: watch::Receiver<bool>,
) {
    let mut address = target.address;
    address.client_id.push_str("-cmd");
    metrics.output_commands(&output, &RESULTS);
    let mut commander = Commander {
        task: task_name(&output),
        output,
        persons: target.commands,
        topics: Topics::new(&target.prefix, &site).spelt(target.dots),
        connector: Connector::new(address).among(&target.others),
        give,
        metrics,
        answered: Answered::default(),
        allowance: Allowance::new(BURST, REFILL),
        backoff: Backoff::default(),
        sampler: Sampler::default(),
    };
    commander.serve(Signals::new(shutdown)).await;
}

/// What outlives a connection.
struct Commander {
    output: Arc<str>,
    task: String,
    persons: Arc<[Arc<str>]>,
    topics: Topics,
    connector: Connector,
    give: Give,
    metrics: Arc<Metrics>,
    answered: Answered,
    allowance: Allowance,
    backoff: Backoff,
    sampler: Sampler,
}

impl Commander {
    async fn serve(&mut self, mut signals: Signals) {
        while !signals.stopping() {
            let Err(ending) = self.connection(&mut signals).await else {
                break;
            };
            let now = clock::monotonic();
            if let Some(count) = self.sampler.hit(ending.name, now) {
                let (reason, detail) = (ending.name, ending.detail);
                warn!(
                    output = &*self.output,
                    reason, detail, count, "no commands can be received"
                );
            }
            self.connector.turn();
            let wait = self.backoff.failed(now, fastrand::f64());
            let beat = || self.metrics.heartbeat(&self.task);
            if signals.pause(wait, beat).await == Signal::Stop {
                break;
            }
        }
    }

    /// One connection, to its end; `Ok`: we were asked to stop.
    async fn connection(&mut self, signals: &mut Signals) -> Result<(), Ending> {
        let session = Session {
            keep: false,
            incoming: INCOMING_LIMIT,
            outgoing: OUTGOING_LIMIT,
            inflight: INFLIGHT,
            ahead: AHEAD,
            will: None,
        };
        let (client, pump, mut happenings) = self.connector.open(session, REQUESTS).await?;
        let conversation = self.converse(&client, &mut happenings, signals);
        pump.beside(conversation).await
    }

    async fn converse(
        &mut self,
        client: &Client,
        happenings: &mut Happenings,
        signals: &mut Signals,
    ) -> Result<(), Ending> {
        loop {
            let event = tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::Turn => {
                        self.metrics.heartbeat(&self.task);
                        continue;
                    }
                    Signal::Stop => {
                        goodbye(client, happenings).await;
                        return Ok(());
                    }
                },
                happening = happenings.next() => happening?,
            };
            match event {
                Event::Connected(_) => {
                    self.backoff.connected(clock::monotonic());
                    let topic = self.topics.command();
                    // The pump has met an error if it takes nothing, and will tell.
                    let _ended = client.subscribe([&*topic].into_iter()).is_err();
                }
                Event::Subscribed(grants) => self.subscribed(&grants)?,
                Event::Message(message) => self.take(client, message).await,
                Event::Written(_)
                | Event::Acknowledged(..)
                | Event::Unsubscribed
                | Event::IdsCameRound(_) => {}
            }
        }
    }

    fn subscribed(&self, grants: &[Grant]) -> Result<(), Ending> {
        let topic = self.topics.command();
        if let Some(reason) = grants.iter().find_map(|grant| grant.refusal()) {
            let detail =
                format!("the broker refuses the subscription of `{topic}` ({reason}); see its ACL");
            return Err(Ending::ours("subscription_refused", &detail));
        }
        info!(output = &*self.output, topic, "commands are received");
        if grants.contains(&Grant::AtMostOnce) {
            warn!(
                output = &*self.output,
                topic,
                "the broker granted QoS 0 instead of 1: a command that is lost on the way is not sent again, \
                 and nobody answers it"
            );
        }
        Ok(())
    }

    /// One request: answered, then acknowledged.
    async fn take(&mut self, client: &Client, message: Message) {
        if message.retain {
            self.metrics.output_command(&self.output, RETAINED);
            if let Some(count) = self.sampler.hit(RETAINED, clock::monotonic()) {
                warn!(
                    output = &*self.output,
                    count, "a retained command is ignored"
                );
            }
        } else {
            let (result, answer) = self.answer(&message.payload).await;
            self.metrics.output_command(&self.output, result);
            let (topic, answer) = self.reply(message.answer_to, answer);
            let correlation = message.correlation;
            let sent = client.answer(topic, answer, false, Sure::Acknowledged, correlation);
            if sent.is_err() {
                debug!(
                    output = &*self.output,
                    "answer not sent; the request comes again, or is asked again"
                );
                return;
            }
        }
        if let Some(id) = message.id {
            let _ended = client.acknowledge(id).is_err();
        }
    }

    async fn answer(&mut self, payload: &[u8]) -> (&'static str, String) {
        if !self.allowance.take(clock::monotonic()) {
            let message = "too many requests at once: this one was not read; try again";
            return (
                TOO_MANY,
                Refusal::new("", "too_many_requests", message).payload(),
            );
        }
        let request = match read(payload, &self.persons) {
            Ok(request) => request,
            Err(refusal) => return (REFUSED, refusal.payload()),
        };
        if let Some(answer) = self.answered.get(&request) {
            return (REPEATED, answer.to_owned());
        }
        let page = (self.give)(request.path.clone(), request.body.clone()).await;
        let answer = answer(&request.id, &page);
        self.answered.put(request, answer.clone());
        (GIVEN, answer)
    }

    /// Where the answer goes, and the answer with a note if that is not where it was asked for.
    fn reply(&mut self, asked: Option<String>, answer: String) -> (String, String) {
        let ours = self.topics.command_reply();
        let Some(asked) = asked else {
            return (ours, answer);
        };
        if is_at_or_below(&asked, &ours) {
            return (asked, answer);
        }
        if let Some(count) = self.sampler.hit(RESPONSE_TOPIC, clock::monotonic()) {
            warn!(
                output = &*self.output,
                asked, count, "an answer goes to our own topic: the one asked for is not below it"
            );
        }
        let note = format!("the response topic is not used: it has to be `{ours}` or lie below it");
        (ours, noted(answer, note))
    }
}

/// Is `topic` this one or one below it that can be published to?
fn is_at_or_below(topic: &str, this: &str) -> bool {
    let rest = topic.strip_prefix(this);
    let below = rest.is_some_and(|rest| rest.is_empty() || rest.starts_with('/'));
    below && !topic.contains(['+', '#', '\0'])
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicUsize, Ordering};

    use super::*;
    use crate::broker::{BrokerAddress, Version};

    /// A broker gives it at each connection: an acknowledgement of long ago would be one of today.
    #[tokio::test]
    async fn a_retained_command_is_counted_and_not_given() {
        let given = Arc::new(AtomicUsize::new(0));
        let counter = Arc::clone(&given);
        let give: Give = Arc::new(move |_path, _body| {
            counter.fetch_add(1, Ordering::Relaxed);
            Box::pin(async { b"{}".to_vec() })
        });
        let mut commander = commander(give);
        let (client, _unread) = Client::unconnected();
        for (retain, expected) in [(true, 0), (false, 1)] {
            let message = Message {
                topic: "forewarn/v1/plant/command".to_owned(),
                payload: COMMAND.into(),
                retain,
                id: Some(1),
                answer_to: None,
                correlation: None,
            };
            commander.take(&client, message).await;
            let given = given.load(Ordering::Relaxed);
            assert_eq!(given, expected, "retained: {retain}");
        }
    }

    /// We write on behalf of whoever may send a command only where answers are expected.
    #[test]
    fn an_answer_goes_nowhere_but_at_or_below_the_topic_for_answers() {
        let mut commander = commander(Arc::new(|_path, _body| Box::pin(async { Vec::new() })));
        let ours = "forewarn/v1/plant/command/reply";
        let answer = r#"{"id":"7","result":"accepted"}"#;
        for good in [ours, "forewarn/v1/plant/command/reply/room/7"] {
            let found = commander.reply(Some(good.to_owned()), answer.to_owned());
            assert_eq!(found, (good.to_owned(), answer.to_owned()));
        }
        assert_eq!(
            commander.reply(None, answer.to_owned()),
            (ours.to_owned(), answer.to_owned())
        );
        for bad in [
            "",
            "room/7",
            "$SYS/a",
            "$share/a/forewarn/v1/plant/command/reply",
            "forewarn/v1/plant/status",
            "forewarn/v1/plant/alarm/P/high",
            "forewarn/v1/plant/command",
            "forewarn/v1/plant/command/replying",
            "forewarn/v1/other/command",
            "forewarn/v1/plant/command/reply/+",
            "forewarn/v1/plant/command/reply/#",
            "forewarn/v1/plant/command/reply/\0",
        ] {
            let (topic, answer) = commander.reply(Some(bad.to_owned()), answer.to_owned());
            assert_eq!(topic, ours, "{bad:?}");
            let said = answer.starts_with('{') && answer.contains(r#""note":"the response topic"#);
            assert!(
                said && answer.contains(r#""result":"accepted""#),
                "{answer}"
            );
        }
    }

    const COMMAND: &str =
        r#"{"id":"1","command":"acknowledge","alarm":"P/high","by":"li","occurrence":1}"#;

    fn commander(give: Give) -> Commander {
        let address = BrokerAddress {
            host: "127.0.0.1".to_owned(),
            port: 1,
            tls: None,
            login: None,
            client_id: "a".to_owned(),
            version: Version::V3,
            keep_alive: Duration::from_secs(30),
        };
        Commander {
            output: "up".into(),
            task: "t".to_owned(),
            persons: [Arc::from("li")].into(),
            topics: Topics::new("forewarn/v1", "plant"),
            connector: Connector::new(address),
            give,
            metrics: Arc::default(),
            answered: Answered::default(),
            allowance: Allowance::new(BURST, REFILL),
            backoff: Backoff::default(),
            sampler: Sampler::default(),
        }
    }
}
