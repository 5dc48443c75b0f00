//! Notices by mail: one for each notice and reader, in the reader's language; a digest of what could not be
//! sent for a quarter of an hour.
//!
//! ```text
//!   notified, all_clear ──▶ who of its receivers is reached here? ──▶ a letter each (`compose.rs`)
//!                                                                        │
//!       accepted by all ◀── one transaction a reader, one session ◀──────┘   (`session.rs`)
//! ```
//!
//! - **Readers** are the persons that the notice names, by their `email`. Where it names none, or none of
//!   them has an address, those in `to` of the output.
//! - **Threads**: every mail about one occurrence refers to one id that no mail has, made of site, alarm and
//!   occurrence, so that mail clients show the page, its reminders and the all-clear together. The id of
//!   a mail is that of the event: receivers remove duplicates by it.
//! - **Links to acknowledge with** ([`ack_links`](crate::ack_links)) are each person's own; those in `to` share one.
//! - **Machines do not answer**: `Auto-Submitted`, `Precedence`, `X-Auto-Response-Suppress`.
//!
//! # What an answer means
//!
//! | answer | to | meaning |
//! |---|---|---|
//! | 5xx | greeting, TLS, login, `MAIL FROM` | nobody is served until somebody puts it right: later, with long pauses |
//! | 5xx | `RCPT TO`, the message | this reader is refused for good: logged, counted, the others are served |
//! | 4xx | `RCPT TO`, the message | this reader is put off: the others are served, and after 20 s this one is owed theirs (`resting.rs`) |
//! | 421, silence, a lost connection; 4xx | anything; what is for everybody | later; readers that have it are not served again |
//!
//! What one reader is owed is theirs alone: with it, whatever ends the conversation after the sender was taken puts them
//! off, and nobody else. While readers are waited for, the output is in trouble and delivers, unless several are put off
//! and none is served.
//!
//! A notice that every reader is refused is refused itself. What readers are owed is the courier's to keep and to
//! bring again ([`courier`](super::courier)): it is composed anew, for that reader alone, and says that it is late.
//!
//! | bound | value |
//! |---|---|
//! | one session | 60 s in all, 10 s to connect |
//! | readers of a notice | 100; those beyond are told in the log |
//! | what a relay says in one session | 256 KiB (`stream.rs`), a line of 4 KiB; 200 characters are shown |
//!
//! Deliberately absent: a queue (the journal is it), HTML, attachments, login without TLS.

mod compose;
mod one_line;
mod resting;
mod session;
mod stream;
#[cfg(test)]
mod tests;

use std::collections::BTreeMap;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::Address;
use tokio::time::timeout;

use self::compose::Mail;
use self::resting::Resting;
pub(crate) use self::session::is_loopback;
use self::session::{Session, Trouble};
use super::courier::{Carrier, Complaint, Load, Parcel};
use super::verdict::{BUSY, Parted, UNAVAILABLE, UNWELCOME, Verdict};
use crate::ack_links::Links;
use crate::broker::Login;
use crate::clock;
use crate::engine::effect::EventKind;
use crate::engine::time::Mono;
use crate::event::WireEvent;
use crate::wording::{Context, Language};

/// Longer no session lasts.
const DEADLINE: Duration = Duration::from_secs(60);

/// Readers that one sentence names.
const SHOWN: usize = 4;

/// How the connection is protected.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Protection {
    /// `smtps://`: TLS before the first word.
    Implicit,
    /// `smtp://`: TLS by STARTTLS, and nothing without it.
    StartTls,
    /// `smtp://` to this machine, or `insecure = true`: STARTTLS when it is offered.
    Opportunistic,
}

/// A mail relay.
#[derive(Debug, Clone, PartialEq)]
pub struct EmailTarget {
    /// Name or address.
    pub host: String,
    /// Port.
    pub port: u16,
    /// How it is protected.
    pub protection: Protection,
    /// Authorities to trust, in PEM; `None`: those of the operating system.
    pub ca_file: Option<PathBuf>,
    /// User and password.
    pub login: Option<Login>,
    /// Sender, a bare address.
    pub from: String,
    /// Readers of notices to the output itself.
    pub to: Vec<String>,
    /// What those in `to` read; left out: as the site does.
    pub language: Option<Language>,
}

/// Sends notices to a relay.
pub struct Email {
    id: Arc<str>,
    target: EmailTarget,
    context: Context,
    links: Option<Arc<Links>>,
    /// Who has the notice that is being sent.
    served: Served,
    resting: Resting,
    complaints: Vec<Complaint>,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").field("id", &self.id).finish()
    }
}

/// Can a mail be sent to it?
pub(crate) fn is_address(text: &str) -> bool {
    text.parse::<Address>().is_ok()
}

/// What became of the readers of one load.
#[derive(Default)]
struct Served {
    /// The load, by its first and last event: two digests may end alike.
    load: (u64, u64),
    readers: BTreeMap<Address, Fate>,
}

/// What became of one reader.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Fate {
    /// What the relay said to it.
    Accepted(String),
    /// For good, in the relay's words.
    Refused(String),
    /// Not now.
    PutOff(String),
}

impl Email {
    /// For the output `id`.
    pub fn new(id: Arc<str>, target: EmailTarget, context: Context) -> Self {
        Self {
            id,
            target,
            context,
            links: None,
            served: Served::default(),
            resting: Resting::default(),
            complaints: Vec::new(),
        }
    }

    /// With links to acknowledge with.
    #[must_use]
    pub fn with_links(self, links: Option<Arc<Links>>) -> Self {
        Self { links, ..self }
    }

    /// One mail for each reader.
    async fn send(&mut self, load: (u64, u64), mails: Vec<Mail>) -> Verdict {
        if self.served.load != load {
            self.served = Served {
                load,
                ..Served::default()
            };
        }
        match self.within_deadline(&mails).await {
            Ok(()) => self.judged(clock::monotonic()),
            Err(trouble) => trouble.verdict(),
        }
    }

    async fn within_deadline(&mut self, mails: &[Mail]) -> Result<(), Trouble> {
        let done = timeout(DEADLINE, self.serve(mails)).await;
        done.unwrap_or_else(|_late| Err(Trouble::Later("timeout", no_answer())))
    }

    /// Everybody who was neither served nor refused yet. A refusal ends the session, so the next one begins
    /// another.
    async fn serve(&mut self, mails: &[Mail]) -> Result<(), Trouble> {
        let mut session: Option<Session> = None;
        for mail in mails {
            if self.served.is_done_with(&mail.to) {
                continue;
            }
            let now = clock::monotonic();
            if let Some(why) = self.resting.resting(&mail.to, now) {
                self.served.put(mail, Fate::PutOff(why.to_owned()));
                continue;
            }
            let mut open = match session.take() {
                Some(open) => open,
                None => Session::open(&self.target).await?,
            };
            let fate = match open.send(&self.target.from, mail).await {
                Ok(answer) => {
                    session = Some(open);
                    self.resting.served(&mail.to);
                    Fate::Accepted(answer)
                }
                Err(Trouble::Reader(why)) => Fate::Refused(why),
                Err(Trouble::PutOff(why)) => {
                    self.resting.put_off(&mail.to, &why, now);
                    Fate::PutOff(why)
                }
                Err(trouble) => return Err(trouble),
            };
            self.served.put(mail, fate);
        }
        if let Some(open) = session {
            open.close().await;
        }
        Ok(())
    }

    /// Each reader has a fate. Those who are put off are waited for, but not for long.
    fn judged(&mut self, now: Mono) -> Verdict {
        let put_off = self.served.put_off();
        let waits = |reader: &&Address| !self.resting.is_tired(reader, now);
        if put_off.iter().any(waits) {
            let why = self.served.words();
            let reason = self.served.why_waiting();
            self.served.forget_put_off();
            return Verdict::later(reason, why);
        }
        // What is tried again later is tried with everybody.
        let served = std::mem::take(&mut self.served);
        let verdict = served.verdict();
        if !matches!(verdict, Verdict::Refused { .. }) {
            self.complaints.extend(served.complaints());
        }
        verdict
    }

    /// What one reader is owed. Nobody waits with them, and what is wrong with their mail alone makes them rest.
    async fn pay(&mut self, mail: &Mail) -> Verdict {
        let mut is_open = false;
        let paying = async {
            let mut open = Session::open(&self.target).await?;
            is_open = true;
            let answer = open.send(&self.target.from, mail).await?;
            open.close().await;
            Ok(answer)
        };
        let sent = timeout(DEADLINE, paying).await;
        let sent = sent.unwrap_or_else(|_late| {
            let whose = if is_open {
                Trouble::Ended
            } else {
                Trouble::Later
            };
            Err(whose("timeout", no_answer()))
        });
        match sent {
            Ok(answer) => {
                self.resting.served(&mail.to);
                Verdict::Accepted { answer }
            }
            Err(Trouble::PutOff(why) | Trouble::Ended(_, why)) => {
                let now = clock::monotonic();
                self.resting.put_off(&mail.to, &why, now);
                Verdict::Parted(Parted {
                    put_off: vec![name(&mail.to)],
                    why: format!("{} ({why})", mail.to),
                    ..Parted::default()
                })
            }
            Err(trouble) => trouble.verdict(),
        }
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", DEADLINE.as_secs())
}

/// First and last of them.
fn ends(parcels: &[Parcel]) -> (u64, u64) {
    let ends = parcels.first().zip(parcels.last());
    ends.map_or((0, 0), |(first, last)| (first.seq, last.seq))
}

/// As the ledger and the courier name a reader.
fn name(reader: &Address) -> Arc<str> {
    reader.to_string().into()
}

impl Served {
    fn put(&mut self, mail: &Mail, fate: Fate) {
        self.readers.insert(mail.to.clone(), fate);
    }

    fn is_done_with(&self, reader: &Address) -> bool {
        self.readers.contains_key(reader)
    }

    /// What the fates of all readers mean for the load.
    fn verdict(&self) -> Verdict {
        let parted = Parted {
            served: self.those(|fate| matches!(fate, Fate::Accepted(_))),
            refused: self.those(|fate| matches!(fate, Fate::Refused(_))),
            put_off: self.those(|fate| matches!(fate, Fate::PutOff(_))),
            answer: self.answer(),
            why: self.words(),
        };
        if parted.served.len() == self.readers.len() {
            return Verdict::Accepted {
                answer: parted.answer,
            };
        }
        if parted.refused.len() == self.readers.len() {
            let why = format!("no reader is served: {}", parted.why);
            return Verdict::Refused { why };
        }
        Verdict::Parted(parted)
    }

    fn those(&self, are: impl Fn(&Fate) -> bool) -> Vec<Arc<str>> {
        let readers = self.readers.iter().filter(|(_, fate)| are(fate));
        readers.map(|(reader, _)| name(reader)).collect()
    }

    /// Who was not served, one by one.
    fn complaints(&self) -> impl Iterator<Item = Complaint> {
        self.readers.iter().filter_map(|(reader, fate)| match fate {
            Fate::Accepted(_) => None,
            Fate::Refused(why) => Some((UNWELCOME, format!("{reader} is refused: {why}"))),
            Fate::PutOff(why) => Some((UNAVAILABLE, format!("{reader} is put off: {why}"))),
        })
    }

    /// What the relay said to those that it took mails for, and who is not among them.
    fn answer(&self) -> String {
        let answers = self.readers.values().filter_map(|fate| match fate {
            Fate::Accepted(answer) => Some(answer.as_str()),
            Fate::Refused(_) | Fate::PutOff(_) => None,
        });
        let answer = answers.collect::<Vec<_>>().join("; ");
        let not_served = self.words();
        if not_served.is_empty() {
            return answer;
        }
        format!("not served: {not_served}; else {answer}")
    }

    fn put_off(&self) -> Vec<&Address> {
        let readers = self.readers.iter();
        let put_off = readers.filter(|(_, fate)| matches!(fate, Fate::PutOff(_)));
        put_off.map(|(reader, _)| reader).collect()
    }

    /// One reader may have a full box; several of whom none is served have a relay that serves nobody.
    fn why_waiting(&self) -> &'static str {
        let served = self.those(|fate| matches!(fate, Fate::Accepted(_)));
        let nobody = served.is_empty() && self.put_off().len() > 1;
        if nobody { UNAVAILABLE } else { BUSY }
    }

    fn forget_put_off(&mut self) {
        self.readers
            .retain(|_, fate| !matches!(fate, Fate::PutOff(_)));
    }

    /// Who was not served, and why.
    fn words(&self) -> String {
        let readers = self.readers.iter().filter_map(|(reader, fate)| match fate {
            Fate::Accepted(_) => None,
            Fate::Refused(why) | Fate::PutOff(why) => Some(format!("{reader} ({why})")),
        });
        readers.take(SHOWN).collect::<Vec<_>>().join(", ")
    }
}

impl Carrier for Email {
    fn wants(&self, event: &WireEvent) -> bool {
        matches!(event.event, EventKind::Notified | EventKind::AllClear)
            && !compose::readers(event, &self.id, &self.target, &self.context).is_empty()
    }

    fn sums_up(&self) -> bool {
        true
    }

    fn readers(&self, event: &WireEvent) -> Vec<Arc<str>> {
        let readers = compose::readers(event, &self.id, &self.target, &self.context);
        readers.iter().map(|reader| name(&reader.address)).collect()
    }

    fn may_try(&self, reader: &str, now: Mono) -> bool {
        let address = reader.parse();
        address.map_or(true, |address| self.resting.may_try(&address, now))
    }

    fn complaints(&mut self) -> Vec<Complaint> {
        std::mem::take(&mut self.complaints)
    }

    async fn carry(&mut self, load: &Load<'_>) -> Verdict {
        let only = match load {
            Load::Owed { reader, .. } => reader.parse().ok(),
            Load::Event(_) | Load::Summary(_) | Load::Present(_) => None,
        };
        let compose = compose::Composer {
            output: &self.id,
            target: &self.target,
            context: &self.context,
            links: self.links.as_deref(),
            only: only.as_ref(),
        };
        let (parcels, is_notice) = match load {
            Load::Event(parcel) => (std::slice::from_ref(*parcel), true),
            Load::Summary(parcels) => (*parcels, false),
            Load::Owed { parcels, .. } => (*parcels, parcels.len() == 1),
            Load::Present(_) => return Verdict::accepted(),
        };
        let mails = match parcels {
            [parcel] if is_notice => compose.notice(parcel),
            parcels => compose.digest(parcels),
        };
        match mails {
            Ok(mails) if only.is_some() => match &mails[..] {
                [mail] => self.pay(mail).await,
                _ => Verdict::Refused {
                    why: "it is no notice for them".to_owned(),
                },
            },
            Ok(mails) => self.send(ends(parcels), mails).await,
            Err(error) => Verdict::Refused {
                why: format!("no mail can be made of it: {error}"),
            },
        }
    }
}
