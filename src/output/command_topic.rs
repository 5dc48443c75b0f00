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
//! **Connected and deaf is trouble of the output.** A subscription that is refused or not answered, and another client
//! with the same id (`CLIENT_ID-cmd`), stand on the health pages, and the output's own point reads 1. A subscription
//! that is granted at QoS 0 only stands there, too, while it lasts; the point does not tell of it, for commands come.
//!
//! Deliberately absent: retained commands (they would be given at each connection; ignored and counted), a queue.

mod reporting;
mod request;

use std::pin::Pin;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tracing::{debug, info, warn};

pub(crate) use self::reporting::COMMANDS;
use self::reporting::SUBSCRIPTION_REFUSED;
use self::request::{Answered, Refusal, answer, noted, read};
use super::MqttTarget;
use super::message::Topics;
use crate::allowance::Allowance;
use crate::broker::{
    Backoff, Client, Connector, Ending, Event, Grant, Happenings, Message, Sampler, Session,
    Signal, Signals, Sure, Theft, Unsure, goodbye,
};
use crate::clock;
use crate::engine::time::Mono;
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
    let client_id = address.client_id.clone();
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
        client_id,
        theft: Theft::default(),
        told: None,
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
    client_id: String,
    theft: Theft,
    /// What the health pages say of it.
    told: Option<String>,
}

/// How far a connection has come.
#[derive(Debug, Default)]
struct Talk {
    /// When the broker accepted it, and was asked for the topic.
    asked: Option<Mono>,
    /// When it granted that.
    subscribed: Option<Mono>,
}

impl Commander {
    async fn serve(&mut self, mut signals: Signals) {
        while !signals.stopping() {
            let mut talk = Talk::default();
            let Err(ending) = self.connection(&mut talk, &mut signals).await else {
                break;
            };
            let now = clock::monotonic();
            let lived = talk.asked.map(|since| now.since(since));
            self.lost(&ending, lived, now);
            self.connector.turn();
            let wait = self.backoff.failed(now, fastrand::f64());
            let beat = || self.metrics.heartbeat(&self.task);
            if signals.pause(wait, beat).await == Signal::Stop {
                break;
            }
        }
    }

    /// One connection, to its end; `Ok`: we were asked to stop.
    async fn connection(&mut self, talk: &mut Talk, signals: &mut Signals) -> Result<(), Ending> {
        let session = Session {
            keep: false,
            incoming: INCOMING_LIMIT,
            outgoing: OUTGOING_LIMIT,
            inflight: INFLIGHT,
            ahead: AHEAD,
            will: None,
        };
        let (client, pump, mut happenings) = self.connector.open(session, REQUESTS).await?;
        let conversation = self.converse(&client, &mut happenings, talk, signals);
        pump.beside(conversation).await
    }

    async fn converse(
        &mut self,
        client: &Client,
        happenings: &mut Happenings,
        talk: &mut Talk,
        signals: &mut Signals,
    ) -> Result<(), Ending> {
        loop {
            let event = tokio::select! {
                biased;
                signal = signals.next() => match signal {
                    Signal::Turn => {
                        self.turn(talk, clock::monotonic())?;
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
                    let now = clock::monotonic();
                    self.backoff.connected(now);
                    talk.asked = Some(now);
                    let topic = self.topics.command();
                    // The pump has met an error if it takes nothing, and will tell.
                    let _ended = client.subscribe([&*topic].into_iter()).is_err();
                }
                Event::Subscribed(grants) => {
                    self.subscribed(&grants)?;
                    talk.subscribed = Some(clock::monotonic());
                }
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
            return Err(Ending::ours(SUBSCRIPTION_REFUSED, &detail));
        }
        info!(output = &*self.output, topic, "commands are received");
        let mut unsure = Unsure::default();
        unsure.granted([&*topic].into_iter().zip(grants));
        self.unsure(unsure.words());
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
mod tests;
