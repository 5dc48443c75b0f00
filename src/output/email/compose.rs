//! From a notice to mails, one a reader. Pure.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::{Duration, SystemTime};

use lettre::Address;
use lettre::message::header::{ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, Message};

use super::EmailTarget;
use super::served::Served;
use crate::ack_links::{self, Links};
use crate::engine::drill::drilled;
use crate::engine::effect::EventKind;
use crate::engine::settings::Priority;
use crate::engine::time::Wall;
use crate::event::{To, WireEvent};
use crate::output::courier::Parcel;
use crate::wording::{Context, Handing, Language, Letter, Standing, digest, letter};

/// Readers of one notice who are served.
pub(super) const READERS: usize = 1000;

/// A mail, ready to be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Mail {
    pub(super) to: Address,
    /// What it tells of, by the numbers in the journal.
    pub(super) events: Vec<u64>,
    /// Head and body as on the wire, seven bits.
    pub(super) text: Vec<u8>,
}

/// Somebody who reads a notice here.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Reader {
    /// The id, of a person who is configured.
    pub(super) person: Option<String>,
    pub(super) name: Option<String>,
    pub(super) address: Address,
    pub(super) language: Language,
}

impl Reader {
    /// As the ledger and the courier name them. An address may change while its owner is owed something.
    pub(super) fn id(&self) -> Arc<str> {
        let person = self.person.as_deref().map(Arc::from);
        person.unwrap_or_else(|| self.address.to_string().into())
    }
}

/// Where whoever the ledger names `reader` gets mails.
pub(super) fn address_of(reader: &str, context: &Context) -> Option<Address> {
    let person = context.readers.persons.get(reader);
    let address = person.map_or(Some(reader), |person| person.email.as_deref());
    address?.parse().ok()
}

/// Who reads `event` over the output `id`.
pub(super) fn readers(
    event: &WireEvent,
    id: &str,
    target: &EmailTarget,
    context: &Context,
) -> Vec<Reader> {
    let over_this = event.output.as_deref() == Some(id);
    let all_clear = event.event == EventKind::AllClear;
    // Over another output they were told by that one.
    if !all_clear && !over_this && event.output.is_some() {
        return Vec::new();
    }
    let persons = match &event.to {
        Some(To::Persons(persons)) => persons.as_slice(),
        Some(To::Time(_)) | None => &[],
    };
    let mut readers: Vec<Reader> = Vec::new();
    let mut known = BTreeSet::new();
    let mut add = |reader: Reader| {
        if known.insert(reader.address.clone()) {
            readers.push(reader);
        }
    };
    let mut unreached = 0;
    for id in persons {
        let person = context.readers.persons.get(&**id);
        let address = person.and_then(|person| person.email.as_ref()?.parse().ok());
        match (person, address) {
            (Some(person), Some(address)) => add(Reader {
                person: Some(id.to_string()),
                name: Some(displayed(&person.name)),
                address,
                language: context.language_of(id),
            }),
            (Some(_) | None, _) => unreached += 1,
        }
    }
    // A wrong reader is better than none: whoever has no address is told through those who have one.
    let nobody = unreached == persons.len();
    let unreached = match all_clear {
        true => unreached > 0,
        false => unreached > 0 && nobody,
    };
    let told_here = over_this || event.outputs.iter().any(|output| **output == *id);
    // Who was told of an occurrence over several steps cannot be told apart: all of them hear its end.
    if unreached || (told_here && (nobody || all_clear)) {
        let language = target.language.unwrap_or(context.readers.language);
        for address in target.to.iter().filter_map(|address| address.parse().ok()) {
            add(Reader {
                person: None,
                name: None,
                address,
                language,
            });
        }
    }
    readers
}

/// What a mail is made with.
pub(super) struct Composer<'c> {
    pub(super) output: &'c str,
    pub(super) target: &'c EmailTarget,
    pub(super) context: &'c Context,
    pub(super) links: Option<&'c Links>,
    /// Who has what, and gets it no more.
    pub(super) served: &'c Served,
    /// Nobody but this reader, by the ledger's name.
    pub(super) only: Option<&'c str>,
    /// No link ends before this.
    pub(super) now: Wall,
}

/// What stands in the head of a mail beside its reader.
struct Head {
    id: String,
    thread: Option<String>,
    /// Of what it tells.
    event: String,
    at: Wall,
    urgent: bool,
}

impl Composer<'_> {
    /// One notice, a mail a reader.
    pub(super) fn notice(&self, parcel: &Parcel) -> Result<Vec<Mail>, lettre::error::Error> {
        let event = &parcel.event;
        let urgent = event.priority >= Some(Priority::High) && event.event == EventKind::Notified;
        let head = Head {
            id: atoms(&event.id),
            thread: thread(event, &self.context.site),
            event: atoms(&event.id),
            at: event.time,
            urgent: urgent && !event.test,
        };
        let readers = self.readers(parcel);
        let mail = |reader: &Reader| {
            let person = reader.person.as_deref();
            let who = person.map_or(ack_links::Reader::Several, ack_links::Reader::Person);
            let links = self.links.filter(|_| !parcel.is_trial());
            let link = links.and_then(|links| links.link(event, who, self.now));
            let handing = Handing {
                language: reader.language,
                replayed: parcel.replayed,
                volatile: parcel.is_volatile(),
                test: parcel.is_trial(),
                link: link.as_deref(),
            };
            let events = vec![parcel.seq];
            self.mail(
                reader,
                events,
                &letter(event, &handing, self.context),
                &head,
            )
        };
        readers.iter().map(mail).collect()
    }

    fn readers(&self, parcel: &Parcel) -> Vec<Reader> {
        let mut readers = readers(&parcel.event, self.output, self.target, self.context);
        readers.retain(|reader| {
            let is_meant = self.only.is_none_or(|only| *reader.id() == *only);
            is_meant && !self.served.is_through(&reader.address, parcel.seq)
        });
        readers
    }

    /// Notices of an outage: each reader gets those that are theirs and that they have not got, in one mail.
    pub(super) fn digest(&self, parcels: &[Parcel]) -> Result<Vec<Mail>, lettre::error::Error> {
        let mut shares: BTreeMap<Address, (Reader, Vec<&Parcel>)> = BTreeMap::new();
        for parcel in parcels {
            for reader in self.readers(parcel) {
                let share = shares.entry(reader.address.clone());
                let share = share.or_insert_with(|| (reader, Vec::new()));
                share.1.push(parcel);
            }
        }
        let mail = |(reader, share): &(Reader, Vec<&Parcel>)| {
            let events: Vec<&WireEvent> = share.iter().map(|parcel| &parcel.event).collect();
            let handing = Handing {
                language: reader.language,
                replayed: true,
                ..Handing::default()
            };
            let ends = events.first().zip(events.last());
            let (first, last) = ends.map_or(("", ""), |(first, last)| (&*first.id, &*last.id));
            let head = Head {
                id: format!("digest.{}.{}", atoms(first), atoms(last)),
                thread: None,
                event: atoms(last),
                at: events.last().map_or_else(Wall::default, |event| event.time),
                urgent: Standing::by(&events).is_urgent(),
            };
            let seqs = share.iter().map(|parcel| parcel.seq).collect();
            self.mail(
                reader,
                seqs,
                &digest(&events, &handing, self.context),
                &head,
            )
        };
        shares.values().map(mail).collect()
    }

    fn mail(
        &self,
        reader: &Reader,
        events: Vec<u64>,
        letter: &Letter,
        head: &Head,
    ) -> Result<Mail, lettre::error::Error> {
        let from = Mailbox::new(Some("forewarn".to_owned()), address(&self.target.from)?);
        let to = Mailbox::new(reader.name.clone(), reader.address.clone());
        let domain = from.email.domain().to_owned();
        let mut builder = Message::builder()
            .from(from)
            .to(to)
            .subject(letter.title.as_str())
            .date(time(head.at))
            .message_id(Some(format!("<{}@{domain}>", head.id)));
        if let Some(thread) = &head.thread {
            let thread = format!("<{thread}@{domain}>");
            builder = builder.in_reply_to(thread.clone()).references(thread);
        }
        let mut message = builder
            .header(ContentType::TEXT_PLAIN)
            .body(letter.body.clone())?;
        let headers = message.headers_mut();
        let urgent = [("Importance", "high"), ("X-Priority", "1")];
        let urgent = urgent.iter().filter(|_| head.urgent);
        let always = [
            ("Auto-Submitted", "auto-generated"),
            ("Precedence", "bulk"),
            ("X-Auto-Response-Suppress", "All"),
            ("Content-Language", reader.language.tag()),
            ("X-Forewarn-Event", head.event.as_str()),
        ];
        for (name, value) in always.iter().chain(urgent) {
            let name = HeaderName::new_from_ascii((*name).to_owned());
            let name = name.expect("header names of ours are ASCII");
            headers.insert_raw(HeaderValue::new(name, (*value).to_owned()));
        }
        Ok(Mail {
            to: reader.address.clone(),
            events,
            text: message.formatted(),
        })
    }
}

/// A name as it may stand in a head; the library panics at a control character.
fn displayed(name: &str) -> String {
    let printable = |c: char| if c.is_control() { ' ' } else { c };
    name.chars().map(printable).collect()
}

fn address(text: &str) -> Result<Address, lettre::error::Error> {
    text.parse().map_err(|_| lettre::error::Error::MissingFrom)
}

/// What all mails of one occurrence refer to.
fn thread(event: &WireEvent, site: &str) -> Option<String> {
    let alarm = event.alarm.as_deref()?;
    let (alarm, drill) = match drilled(alarm) {
        Some(alarm) => (alarm, ".drill"),
        None => (alarm, ""),
    };
    let occurrence = event.occurrence?;
    Some(format!(
        "{}.{}.{occurrence}{drill}",
        atoms(site),
        atoms(alarm)
    ))
}

/// An id as one side of a message id (RFC 5322, `dot-atom-text`): colons become dots, what may not stand there
/// becomes its bytes.
fn atoms(id: &str) -> String {
    let mut text = String::with_capacity(id.len());
    for byte in id.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'-' | b'_' => text.push(char::from(byte)),
            b':' if !text.is_empty() && !text.ends_with('.') => text.push('.'),
            other => text.push_str(&format!("={other:02X}")),
        }
    }
    text
}

fn time(wall: Wall) -> SystemTime {
    let nanos = u64::try_from(wall.unix_nanos()).unwrap_or(0);
    SystemTime::UNIX_EPOCH + Duration::from_nanos(nanos)
}
