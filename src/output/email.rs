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
//!   A mail that is made after the end of its link has none.
//! - **Machines do not answer**: `Auto-Submitted`, `Precedence`, `X-Auto-Response-Suppress`.
//!
//! # What an answer means
//!
//! | answer | to | meaning |
//! |---|---|---|
//! | 5xx | greeting, TLS, login, `MAIL FROM` | nobody is served until somebody puts it right: later, with long pauses |
//! | 5xx | `RCPT TO`, the message | this reader is refused for good: logged, counted, the others are served |
//! | 4xx | `RCPT TO`, the message | this reader is put off: the others are served, and after 20 s this one is owed theirs (`resting.rs`) |
//! | 421, silence, a lost connection; 4xx | anything; what is for everybody | later; readers that have it are not served again (`served.rs`) |
//!
//! What one reader is owed is theirs alone: with it, whatever ends the conversation after the sender was taken puts them
//! off, and nobody else. While readers are waited for, the output is in trouble and delivers, unless several are put off
//! and none is served. The pause between two attempts ends with the waiting: nobody waits longer for a full box.
//!
//! A notice that every reader is refused is refused itself. What readers are owed is the courier's to keep and to
//! bring again ([`courier`](super::courier)): it is composed anew, for that reader alone, and says that it is late.
//! Persons are owed theirs by their ids, so that a change of their address is enough where that was at fault; those
//! in `to` by their addresses. What is new about an alarm waits behind what its reader is owed about it.
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
mod rehearsal;
mod resting;
mod served;
mod session;
mod stream;
#[cfg(test)]
mod tests;

use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::Address;
use tokio::time::timeout;

use self::compose::Mail;
use self::resting::Resting;
use self::served::{Fate, Readers, Served};
pub(crate) use self::session::is_loopback;
use self::session::{Session, Trouble};
use super::courier::{Carrier, Complaint, Load, Parcel};
use super::verdict::{Parted, Verdict};
use crate::ack_links::Links;
use crate::broker::Login;
use crate::clock;
use crate::engine::effect::EventKind;
use crate::engine::time::Mono;
use crate::event::WireEvent;
use crate::wording::{Context, Language};

/// Longer no session lasts.
const DEADLINE: Duration = Duration::from_secs(60);

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
    /// Who has what of that which is being sent.
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

    /// One mail for each reader who has not got theirs.
    async fn send(&mut self, parcels: &[Parcel], alone: bool) -> Verdict {
        self.served.begin();
        self.hold_back(parcels);
        let mails = match self.mails(parcels, alone, None) {
            Ok(mails) => mails,
            Err(error) => return impossible(&error),
        };
        match self.within_deadline(&mails).await {
            Ok(()) => self.judged(parcels, clock::monotonic()),
            Err(trouble) => trouble.verdict(),
        }
    }

    /// What would overtake something that a reader is owed of the same alarm waits behind it, and that is tried as
    /// soon as this would have been.
    fn hold_back(&mut self, parcels: &[Parcel]) {
        for parcel in parcels.iter().filter(|parcel| !parcel.behind.is_empty()) {
            for (address, name) in self.readers_of(parcel) {
                if parcel.behind.contains(&name) {
                    self.resting.hurry(&address);
                    self.served.behind(&address, parcel.seq);
                }
            }
        }
    }

    fn mails(
        &self,
        parcels: &[Parcel],
        alone: bool,
        only: Option<&str>,
    ) -> Result<Vec<Mail>, lettre::error::Error> {
        let compose = compose::Composer {
            output: &self.id,
            target: &self.target,
            context: &self.context,
            links: self.links.as_deref(),
            served: &self.served,
            only,
            now: clock::now().wall,
        };
        match parcels {
            [parcel] if alone => compose.notice(parcel),
            parcels => compose.digest(parcels),
        }
    }

    fn readers_of(&self, parcel: &Parcel) -> Readers {
        let readers = compose::readers(&parcel.event, &self.id, &self.target, &self.context);
        let readers = readers.into_iter();
        readers
            .map(|reader| (reader.address.clone(), reader.id()))
            .collect()
    }

    async fn within_deadline(&mut self, mails: &[Mail]) -> Result<(), Trouble> {
        let done = timeout(DEADLINE, self.serve(mails)).await;
        done.unwrap_or_else(|_late| Err(Trouble::Later("timeout", no_answer())))
    }

    /// A refusal ends the session, so the next mail begins another.
    async fn serve(&mut self, mails: &[Mail]) -> Result<(), Trouble> {
        let mut session: Option<Session> = None;
        for mail in mails {
            let now = clock::monotonic();
            if let Some(why) = self.resting.resting(&mail.to, now) {
                self.served.put(mail, &Fate::PutOff(why.into()));
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
                    Fate::Accepted(answer.into())
                }
                Err(Trouble::Reader(why)) => Fate::Refused(why.into()),
                Err(Trouble::PutOff(why)) => {
                    self.resting.put_off(&mail.to, &why, now);
                    Fate::PutOff(why.into())
                }
                Err(trouble) => return Err(trouble),
            };
            self.served.put(mail, &fate);
        }
        if let Some(open) = session {
            open.close().await;
        }
        Ok(())
    }

    /// Each reader has a fate. Those who are put off are waited for, but not for long.
    fn judged(&mut self, parcels: &[Parcel], now: Mono) -> Verdict {
        let seqs = parcels.iter().map(|parcel| parcel.seq).collect();
        let load = self.served.take(&seqs);
        let waits = |reader: &Address| !self.resting.is_tired(reader, now);
        if load.put_off().any(waits) {
            let (reason, why) = (load.why_waiting(), load.words());
            self.served.keep(load);
            return Verdict::later(reason, why);
        }
        let shares = parcels
            .iter()
            .map(|parcel| (parcel.seq, self.readers_of(parcel)));
        let verdict = load.verdict(shares);
        if !matches!(verdict, Verdict::Refused { .. }) {
            self.complaints.extend(load.complaints());
        }
        verdict
    }

    /// What one reader is owed. Nobody waits with them, and what is wrong with their mail alone makes them rest.
    async fn pay(&mut self, reader: &str, parcels: &[Parcel]) -> Verdict {
        let others = std::mem::take(&mut self.served);
        let mails = self.mails(parcels, parcels.len() == 1, Some(reader));
        self.served = others;
        let mail = match mails.as_deref() {
            Ok([mail]) => mail,
            Ok(_) => {
                let why = "it is no notice for them".to_owned();
                return Verdict::Refused { why };
            }
            Err(error) => return impossible(error),
        };
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
                Verdict::Parted(Parted::all_waiting(&mail.events, reader, &why))
            }
            Err(trouble) => trouble.verdict(),
        }
    }
}

fn no_answer() -> String {
    format!("no answer within {} s", DEADLINE.as_secs())
}

fn impossible(error: &lettre::error::Error) -> Verdict {
    Verdict::Refused {
        why: format!("no mail can be made of it: {error}"),
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
        readers.iter().map(compose::Reader::id).collect()
    }

    fn may_try(&self, reader: &str, now: Mono) -> bool {
        let address = compose::address_of(reader, &self.context);
        address.is_none_or(|address| self.resting.may_try(&address, now))
    }

    fn patience(&self, now: Mono) -> Option<Duration> {
        self.resting.patience(now)
    }

    fn complaints(&mut self) -> Vec<Complaint> {
        std::mem::take(&mut self.complaints)
    }

    async fn carry(&mut self, load: &Load<'_>) -> Verdict {
        match load {
            Load::Event(parcel) => self.send(std::slice::from_ref(*parcel), true).await,
            Load::Summary(parcels) => self.send(parcels, false).await,
            Load::Owed { reader, parcels } => self.pay(reader, parcels).await,
            Load::Present(_) => Verdict::accepted(),
        }
    }
}
