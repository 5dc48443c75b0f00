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
//! | 4xx | `RCPT TO`, `DATA` | this reader is put off: the others are served, and after 20 s this one is owed theirs (`resting.rs`) |
//! | 4xx | the message, when it was read | the same, until its text is to blame, within a minute: then that message alone waits (`texts.rs`) |
//! | 421, silence, a lost connection | `RCPT TO`, `DATA`, the message | the same; with three readers on end it is the relay: later |
//! | 4xx, silence, a lost connection | anything else | later; readers that have it are not served again (`served.rs`) |
//!
//! With what one reader is owed, whatever ends the conversation after the sender was taken puts them off, however often.
//! While readers are waited for, the output is in trouble and delivers, unless several are put off
//! and none is served. The pause between two attempts ends with the waiting: nobody waits longer for a full box.
//!
//! A notice that every reader is refused is refused itself. What readers are owed is the courier's to keep and to
//! bring again ([`courier`](super::courier)): it is composed anew, for that reader alone, and says that it is late.
//! Persons are owed theirs by their ids, so that a change of their address is enough where that was at fault; those
//! in `to` by their addresses. What is new about an alarm waits behind what its reader is owed about it.
//!
//! | bound | value |
//! |---|---|
//! | one attempt, one mail that is owed | 60 s in all, 10 s to connect |
//! | silence over a reader before the message is sent | 10 s a step; with what is owed, all of the attempt |
//! | mails in a session | 100; then another one |
//! | readers of a notice | 1000; those beyond miss it, in the ledger, the log and the counter of what is refused |
//! | what a relay says in one session | 256 KiB (`stream.rs`), a line of 4 KiB; 200 characters are shown |
//!
//! # How long a page waits for those who hang
//!
//! One conversation at a time is the price of order, so readers over whom the relay falls silent cost the others time:
//!
//! | what hangs | a page to a reader who is served waits |
//! |---|---|
//! | what somebody is owed, before its text is sent | 10 s: then it gives way to what is new ([`courier`](super::courier)) |
//! | the same, when its text was sent | 60 s at most, from its beginning: the relay may deliver it, and it would go twice |
//! | readers who are known to hang | not at all: they are asked with what is owed alone, in a quarter of the time |
//! | readers of whom that is new | 10 s for each of them that the page or one before it is for; 60 s where the message was sent |
//! | a notice for such readers alone, before the page | twice that, 20 s at least: they are asked twice before they are owed it |
//!
//! Deliberately absent: a queue (the journal is it), HTML, attachments, login without TLS.

mod compose;
mod one_line;
mod rehearsal;
mod resting;
mod served;
mod session;
mod stream;
mod target;
#[cfg(test)]
mod tests;
mod texts;

use std::fmt;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use lettre::Address;
use tokio::time::timeout;

use self::compose::Mail;
use self::resting::Resting;
use self::served::{Fate, Readers, Served};
pub(crate) use self::session::is_loopback;
use self::session::{Patience, Session, Trouble};
pub use self::target::{EmailTarget, Protection};
use self::texts::Texts;
use super::courier::{Carrier, Complaint, Load, Parcel};
use super::verdict::{BUSY, Parted, Verdict};
use crate::ack_links::Links;
use crate::clock;
use crate::engine::effect::EventKind;
use crate::engine::time::Mono;
use crate::event::WireEvent;
use crate::wording::Context;

/// Longer no attempt lasts.
const DEADLINE: Duration = Duration::from_secs(60);
/// Over one reader the relay may be silent so long, and nobody is asked for whom there is less time left.
const SILENCE: Duration = Duration::from_secs(10);
/// Why somebody rests with whom a conversation gave way.
const SILENT: &str = "no answer before there was something new";
/// Readers on end over whom a conversation ends before it is the relay's fault.
const ENDINGS: usize = 3;

/// Sends notices to a relay.
pub struct Email {
    id: Arc<str>,
    target: EmailTarget,
    context: Context,
    links: Option<Arc<Links>>,
    /// Who has what of that which is being sent.
    served: Served,
    resting: Resting,
    texts: Texts,
    /// Has the relay been given a text since the last load was begun?
    on_its_way: Arc<AtomicBool>,
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
            texts: Texts::default(),
            on_its_way: Arc::default(),
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
        self.leave_out(parcels);
        let mails = match self.mails(parcels, alone, None) {
            Ok(mails) => mails,
            Err(error) => return impossible(&error),
        };
        match self.serve(&mails).await {
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

    /// A notice has so many readers and no more; the others miss it.
    fn leave_out(&mut self, parcels: &[Parcel]) {
        for parcel in parcels {
            for (address, _) in self.readers_of(parcel).into_iter().skip(compose::READERS) {
                self.served.leave_out(&address, parcel.seq);
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

    /// A refusal ends the session, so the next mail begins another. Who was put off last goes last.
    async fn serve(&mut self, mails: &[Mail]) -> Result<(), Trouble> {
        let patience = Patience {
            until: clock::monotonic() + DEADLINE,
            reader: SILENCE,
        };
        let (mut session, mut is_served, mut on_end) = (None, false, 0);
        let is_known = |mail: &&Mail| self.resting.knows(&mail.to);
        let (last, first): (Vec<&Mail>, Vec<&Mail>) = mails.iter().partition(is_known);
        for mail in first.into_iter().chain(last) {
            let now = clock::monotonic();
            if let Some(why) = self.resting.resting(&mail.to, now) {
                self.served.put(mail, &Fate::PutOff(why.into()));
                continue;
            }
            let left = patience.until.since(now);
            if left < SILENCE {
                let reason = if is_served { BUSY } else { "timeout" };
                return Err(Trouble::Later(reason, no_answer()));
            }
            let mut open: Session = match session.take() {
                Some(open) => open,
                None => opened(&self.target, left).await?,
            };
            let sending = open.send(&self.target.from, mail, patience, &self.on_its_way);
            let sent = sending.await;
            let is_end = matches!(sent, Err(Trouble::Ended(..)));
            on_end = if is_end { on_end + 1 } else { 0 };
            let fate = match sent {
                Ok(answer) => {
                    session = open.goes_on().await;
                    is_served = true;
                    self.is_taken(mail);
                    Fate::Accepted(answer.into())
                }
                Err(trouble) => {
                    let fate = self.is_not_taken(mail, &trouble, now);
                    fate.filter(|_| on_end < ENDINGS).ok_or(trouble)?
                }
            };
            self.served.put(mail, &fate);
        }
        if let Some(open) = session {
            open.close().await;
        }
        Ok(())
    }

    fn is_taken(&mut self, mail: &Mail) {
        self.resting.served(&mail.to);
        self.texts.taken(&mail.to, &mail.events);
    }

    /// What that means for the reader alone, if it does. The mail was begun then.
    fn is_not_taken(&mut self, mail: &Mail, trouble: &Trouble, begun: Mono) -> Option<Fate> {
        let now = clock::monotonic();
        match trouble {
            Trouble::Everybody(_) | Trouble::Later(..) => return None,
            Trouble::Reader(why) => return Some(Fate::Refused(why.as_str().into())),
            Trouble::Text(_) if self.texts.put_off(&mail.to, &mail.events, now) => {
                self.resting.served(&mail.to);
            }
            // Who answers does not hang, however late.
            Trouble::PutOff(why) | Trouble::Text(why) => {
                self.resting.put_off(&mail.to, why, now, now);
            }
            Trouble::Ended(_, why) => self.resting.put_off(&mail.to, why, begun, now),
        }
        let (Trouble::PutOff(why) | Trouble::Text(why) | Trouble::Ended(_, why)) = trouble else {
            return None;
        };
        Some(Fate::PutOff(why.as_str().into()))
    }

    /// Each reader has a fate. Those who are put off are waited for, but not for long.
    fn judged(&mut self, parcels: &[Parcel], now: Mono) -> Verdict {
        let seqs = parcels.iter().map(|parcel| parcel.seq).collect();
        let load = self.served.take(&seqs);
        let waits = |reader: &Address| self.resting.is_waited_for(reader, now);
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
        let begun = clock::monotonic();
        let patience = Patience {
            until: begun + DEADLINE,
            reader: DEADLINE,
        };
        let paying = async {
            let mut open = opened(&self.target, DEADLINE).await?;
            let sending = open.send(&self.target.from, mail, patience, &self.on_its_way);
            let answer = sending.await?;
            open.close().await;
            Ok(answer)
        };
        let trouble = match paying.await {
            Ok(answer) => {
                self.is_taken(mail);
                return Verdict::Accepted { answer };
            }
            Err(trouble) => trouble,
        };
        match self.is_not_taken(mail, &trouble, begun) {
            Some(Fate::PutOff(why)) => {
                Verdict::Parted(Parted::all_waiting(&mail.events, reader, &why))
            }
            Some(_) | None => trouble.verdict(),
        }
    }

    /// The address of whoever the ledger names so, where something is known of a text.
    fn with_texts(&self, reader: &str) -> Option<Address> {
        let known = (!self.texts.is_empty()).then_some(reader)?;
        compose::address_of(known, &self.context)
    }
}

/// An open conversation, within `patience`.
async fn opened(target: &EmailTarget, patience: Duration) -> Result<Session, Trouble> {
    let opened = timeout(patience, Session::open(target)).await;
    opened.unwrap_or_else(|_late| Err(Trouble::Later("timeout", no_answer())))
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

    fn is_stuck(&self, reader: &str, seq: u64) -> bool {
        let address = self.with_texts(reader);
        address.is_some_and(|address| self.texts.is_stuck(&address, seq))
    }

    fn may_try_stuck(&self, reader: &str, seq: u64, now: Mono) -> bool {
        let address = self.with_texts(reader);
        address.is_none_or(|address| self.texts.may_try(&address, seq, now))
    }

    fn width(&self, reader: &str) -> usize {
        let address = self.with_texts(reader);
        address.map_or(usize::MAX, |address| self.texts.width(&address))
    }

    fn gave_way(&mut self, reader: &str, begun: Mono, now: Mono) {
        if let Some(address) = compose::address_of(reader, &self.context) {
            self.resting.put_off(&address, SILENT, begun, now);
        }
    }

    fn on_its_way(&self) -> Arc<AtomicBool> {
        Arc::clone(&self.on_its_way)
    }

    fn patience(&self, now: Mono) -> Option<Duration> {
        self.resting.patience(now)
    }

    fn complaints(&mut self) -> Vec<Complaint> {
        std::mem::take(&mut self.complaints)
    }

    async fn carry(&mut self, load: &Load<'_>) -> Verdict {
        self.on_its_way.store(false, Ordering::Relaxed);
        match load {
            Load::Event(parcel) => self.send(std::slice::from_ref(*parcel), true).await,
            Load::Summary(parcels) => self.send(parcels, false).await,
            Load::Owed { reader, parcels } => self.pay(reader, parcels).await,
            Load::Present(_) => Verdict::accepted(),
        }
    }
}
