//! Events to anything that takes a POST: programs, chat rooms, paging services.
//!
//! ```text
//!  event ──▶ facts ──▶ template ──▶ body ──▶ signed ──▶ http_client ──▶ status ──▶ code in the body ──▶ verdict
//!             words, line, ...                                           `verdict`   `answers`
//! ```
//!
//! When, in which order and how often is the [courier's](super::courier) affair. A receiver's form is data: a
//! template, a preset's (`presets/`) or the plant's own. The address is a secret when it comes from a file, and
//! so are the headers of a file; neither is in any message.
//!
//! | bound | value | then |
//! |---|---|---|
//! | a body | 256 KiB | refused: set aside and told; of the states after an outage the least urgent are left out, and counted |
//! | an answer | as in [`http_client`](super::http_client) | |
//!
//! Deliberately absent: batches (a receiver removes duplicates by id, one event a request), and any request but POST.

pub mod answers;
mod incidents;
mod paging;
pub mod presets;
pub mod signing;
mod snapshot;
pub mod template;
#[cfg(test)]
mod tests;

use std::collections::VecDeque;
use std::sync::Arc;

use hyper::Method;
use hyper::body::Bytes;
use hyper::header::{HeaderName, HeaderValue};
use minijinja::value::Value;
use tracing::warn;

use self::incidents::Incidents;
use self::paging::Member;
use self::presets::Preset;
use self::signing::Scheme;
use self::template::{Source, Template};
use super::courier::{Carrier, Load, Parcel};
use super::http_client::{Answer, Client, ClientSettings, Failure, Hidden, Request};
use super::selection::{Selection, is_over};
use super::verdict::Verdict;
use crate::ack_links::{Links, Reader};
use crate::broker::Secret;
use crate::clock;
use crate::engine::time::Wall;
use crate::event::WireEvent;
use crate::journal::Feed;
use crate::wording::{Context, Handing, Language, Letter, button, digest, letter};

/// A receiver of POST requests.
#[derive(Debug, Clone, PartialEq)]
pub struct WebhookTarget {
    /// Where it is.
    pub client: ClientSettings,
    /// Its kind, when it is a known one.
    pub preset: Option<&'static Preset>,
    /// What its bodies are made from.
    pub source: Source,
    /// What a body is, for the header.
    pub content_type: String,
    /// Headers as configured.
    pub headers: Vec<(String, Secret)>,
    /// Signature in a header.
    pub signature: Option<Signature>,
    /// What the preset's scheme is made with.
    pub secret: Option<Secret>,
    /// Channel, where the preset has such a thing.
    pub topic: Option<String>,
    /// Which events it gets.
    pub selection: Selection,
    /// In which language texts are; left out: as the site reads.
    pub language: Option<Language>,
}

impl WebhookTarget {
    /// What of an answer is told to nobody, beside the address.
    fn hidden(&self) -> Hidden {
        let headers = self.headers.iter().map(|(_name, value)| value);
        let signature = self.signature.iter().map(|signature| &signature.secret);
        let secrets = headers.chain(signature).chain(&self.secret);
        Hidden::of(secrets.map(Secret::expose))
    }
}

/// A header that shows that the body is ours (`signing`).
#[derive(Debug, Clone, PartialEq)]
pub struct Signature {
    /// Shared with the receiver.
    pub secret: Secret,
    /// Name of the header.
    pub header: String,
}

/// What came back, and what it means.
pub type Outcome = Result<(Answer, Verdict), Failure>;

/// Sends to one receiver.
pub struct Webhook {
    id: Arc<str>,
    context: Context,
    links: Option<Arc<Links>>,
    target: WebhookTarget,
    template: Template,
    client: Client,
    hidden: Hidden,
    /// Of a paging service.
    incidents: Incidents,
    /// What floods told of and has no incident yet.
    members: VecDeque<Member>,
    /// The newest event that it was given.
    newest: u64,
    /// Where it looks how alarms stand.
    feed: Option<Feed>,
}

impl Webhook {
    /// For the output `id`.
    ///
    /// # Errors
    /// The template has a mistake.
    pub fn new(id: Arc<str>, context: Context, target: WebhookTarget) -> Result<Self, String> {
        Ok(Self {
            template: Template::new(target.source.clone())?,
            client: Client::new(target.client.clone()),
            hidden: target.hidden(),
            id,
            context,
            links: None,
            incidents: Incidents::default(),
            members: VecDeque::new(),
            newest: 0,
            feed: None,
            target,
        })
    }

    /// With links to acknowledge with. Who reads a chat or stands behind a program nobody here knows, so it is
    /// always a link on which a name is chosen.
    #[must_use]
    pub fn with_links(self, links: Option<Arc<Links>>) -> Self {
        Self { links, ..self }
    }

    /// It can look how alarms stand: a paging service is told of each that a summary names.
    #[must_use]
    pub fn with_feed(self, feed: Feed) -> Self {
        Self {
            feed: Some(feed),
            ..self
        }
    }

    /// Tries the template against samples of what it will be given; every name must be there.
    ///
    /// # Errors
    /// What is wrong with it, with its line.
    pub fn rehearse(&self) -> Result<(), String> {
        for line in SAMPLES {
            let event: WireEvent = serde_json::from_str(line).expect("the samples are events");
            if !self.target.selection.takes(&event, &self.id) {
                continue;
            }
            let parcel = Parcel {
                seq: event.seq,
                line: line.to_owned(),
                replayed: false,
                behind: Vec::new(),
                event,
            };
            self.template
                .strict(&self.facts(&Load::Event(&parcel), Wall::default()))?;
        }
        Ok(())
    }

    /// Sends `load` and tells what came back.
    ///
    /// # Errors
    /// The body could not be made, or there was no answer.
    pub async fn send(&mut self, load: &Load<'_>) -> Result<Outcome, String> {
        let now = clock::now().wall;
        let request = self.request(load, now)?;
        let answer = match self.client.ask(&request).await {
            Ok(answer) => answer.without(&self.hidden),
            Err(failure) => return Ok(Err(failure)),
        };
        let url = self.client.url();
        let mut verdict = Verdict::of(&answer, url, clock::now().wall);
        if let (Verdict::Accepted { .. }, Some(preset)) = (&verdict, self.target.preset) {
            verdict = preset.answers.verdict(&answer, url);
        }
        Ok(Ok((answer, verdict)))
    }

    async fn deliver(&mut self, load: &Load<'_>) -> Verdict {
        match self.send(load).await {
            Ok(Ok((_, verdict))) => verdict,
            Ok(Err(failure)) => failure.into(),
            Err(why) => Verdict::Refused { why },
        }
    }

    fn request(&self, load: &Load<'_>, now: Wall) -> Result<Request, String> {
        let facts = self.facts(load, now);
        let body = self.template.strict(&facts).or_else(|mistake| {
            let output = &*self.id;
            warn!(
                output,
                mistake, "the template lacks something; it is left empty"
            );
            self.template.lenient(&facts)
        })?;
        let url = self.client.url();
        let path = match (self.scheme(), &self.target.secret) {
            (Some(Scheme::DingTalk), Some(secret)) => {
                url.with_query(&signing::dingtalk(secret.expose(), now))
            }
            (Some(_) | None, _) => url.path().to_owned(),
        };
        let mut headers = Vec::new();
        for (name, value) in &self.target.headers {
            headers.push((header_name(name)?, header_value(value.expose())?));
        }
        if let Some(signature) = &self.target.signature {
            let value = signing::header(signature.secret.expose(), &body, now);
            headers.push((header_name(&signature.header)?, header_value(&value)?));
        }
        Ok(Request {
            method: Method::POST,
            path,
            content_type: header_value(&self.target.content_type)?,
            headers,
            body: Bytes::from(body),
        })
    }

    fn scheme(&self) -> Option<Scheme> {
        self.target.preset?.scheme
    }

    /// What a template may name.
    fn facts(&self, load: &Load<'_>, now: Wall) -> Value {
        let mut facts = vec![("site", Value::from(&*self.context.site))];
        if let Some(topic) = &self.target.topic {
            facts.push(("topic", Value::from(topic.as_str())));
        }
        match (self.scheme(), &self.target.secret) {
            (Some(Scheme::Feishu), Some(secret)) => {
                let (timestamp, sign) = signing::feishu(secret.expose(), now);
                facts.push(("timestamp", timestamp.into()));
                facts.push(("sign", sign.into()));
            }
            (Some(Scheme::InBody), Some(secret)) => {
                facts.push(("secret", Value::from(secret.expose())));
            }
            (Some(Scheme::DingTalk | Scheme::Feishu | Scheme::InBody) | None, _) => {}
        }
        match load {
            Load::Event(parcel) => {
                let links = self.links.as_ref().filter(|_| !parcel.is_trial());
                let link = links.and_then(|links| links.link(&parcel.event, Reader::Several, now));
                let handing = Handing {
                    link: link.as_deref(),
                    ..self.handing(parcel)
                };
                facts.extend(self.about(parcel));
                if let Some(link) = &link {
                    facts.push(("link", Value::from(link.as_str())));
                    facts.push(("link_label", button(handing.language, None).into()));
                }
                facts.extend(told(letter(&parcel.event, &handing, &self.context)));
            }
            Load::Summary(parcels) => {
                if let Some(newest) = parcels.last() {
                    facts.extend(self.about(newest));
                    let events: Vec<&WireEvent> =
                        parcels.iter().map(|parcel| &parcel.event).collect();
                    facts.extend(told(digest(&events, &self.handing(newest), &self.context)));
                }
            }
            Load::Present(present) => facts.extend(snapshot::facts(present)),
            // A webhook has one reader.
            Load::Owed { .. } => {}
        }
        facts.into_iter().collect()
    }

    fn handing(&self, parcel: &Parcel) -> Handing<'static> {
        let language = self.target.language;
        Handing {
            language: language.unwrap_or(self.context.readers.language),
            replayed: parcel.replayed,
            volatile: parcel.is_volatile(),
            test: parcel.is_trial(),
            link: None,
        }
    }

    /// An event as it is, and the parts that are asked for most.
    fn about(&self, parcel: &Parcel) -> [(&'static str, Value); 6] {
        let event: serde_json::Value =
            serde_json::from_str(&parcel.line).expect("the journal's lines are JSON");
        let priority = parcel.event.priority.map_or("", |priority| priority.name());
        [
            ("event", Value::from_serialize(&event)),
            ("line", Value::from_safe_string(parcel.line.clone())),
            ("priority", priority.into()),
            ("replayed", parcel.replayed.into()),
            ("test", parcel.event.test.into()),
            ("over", is_over(&parcel.event).into()),
        ]
    }
}

fn told(words: Letter) -> [(&'static str, Value); 3] {
    [
        ("title", words.title.into()),
        ("body", words.body.into()),
        ("short", words.short.into()),
    ]
}

fn header_name(name: &str) -> Result<HeaderName, String> {
    let parsed = name.parse();
    parsed.map_err(|_| format!("`{name}` cannot be the name of a header"))
}

fn header_value(value: &str) -> Result<HeaderValue, String> {
    let mut parsed = HeaderValue::from_str(value)
        .map_err(|_| "the value of a header has characters that cannot stand there".to_owned())?;
    parsed.set_sensitive(true);
    Ok(parsed)
}

impl Carrier for Webhook {
    fn wants(&self, event: &WireEvent) -> bool {
        self.target.selection.takes(event, &self.id)
            && (!self.incidents.have(event) || self.tells_of_others(event))
    }

    fn sums_up(&self) -> bool {
        self.target.selection == Selection::Notices
    }

    fn tells_present(&self) -> bool {
        let preset = self.target.preset;
        preset.is_some_and(|preset| preset.tells_present)
            && self.target.selection == Selection::Events
    }

    async fn carry(&mut self, load: &Load<'_>) -> Verdict {
        match (load, self.target.selection) {
            (Load::Event(parcel), Selection::Lifecycle) => self.page(parcel).await,
            _ => self.deliver(load).await,
        }
    }
}

/// One of each kind that a template meets, with few fields and with many.
const SAMPLES: [&str; 4] = [
    r#"{"id":"site:1:1","seq":1,"time":"2026-05-04T06:00:00.000Z","event":"started","cause":"process","version":"0.1.0"}"#,
    r#"{"id":"site:1:2","seq":2,"time":"2026-05-04T06:12:31.000Z","event":"raised","alarm":"PT-330/high","occurrence":4,"point":"PT-330","area":"reactor","state":"unacknowledged","overlays":[],"priority":"high","value":8.04,"limit":8.0,"unit":"bar","quality":"good","annunciated":true,"cause":"process","message":"\"quoted\" \u0007 & <b>"}"#,
    r#"{"id":"site:1:3","seq":3,"time":"2026-05-04T06:12:31.000Z","event":"notified","alarm":"PT-330/high","occurrence":4,"point":"PT-330","state":"unacknowledged","overlays":[],"priority":"high","quality":"good","annunciated":true,"cause":"process","notice":"page","step":0,"to":["li-wei"]}"#,
    r#"{"id":"site:1:4","seq":4,"time":"2026-05-04T06:22:31.000Z","event":"all_clear","alarm":"PT-330/high","occurrence":4,"point":"PT-330","state":"normal","overlays":[],"priority":"high","quality":"good","annunciated":true,"cause":"process","to":["li-wei"]}"#,
];
