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
//! | 4xx, silence, a lost connection | anything | later; readers that have it are not served again |
//!
//! A notice that every reader is refused is refused itself ([`courier`](super::courier)).
//!
//! | bound | value |
//! |---|---|
//! | one session | 60 s in all, 10 s to connect |
//! | readers of a notice | 100; those beyond are told in the log |
//! | an answer | as lettre reads it: a line of 4 KiB at most, few of them; 200 characters are shown |
//!
//! Deliberately absent: a queue (the journal is it), HTML, attachments, login without TLS.

mod compose;
mod one_line;
mod session;
#[cfg(test)]
mod tests;

use std::collections::BTreeSet;
use std::fmt;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use lettre::Address;
use tokio::time::timeout;
use tracing::warn;

use self::compose::Mail;
pub(crate) use self::session::is_loopback;
use self::session::{Session, Trouble};
use super::courier::{Carrier, Load, Parcel};
use super::verdict::Verdict;
use crate::ack_links::Links;
use crate::broker::Login;
use crate::engine::effect::EventKind;
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
    /// Who has the notice that is being sent.
    served: Served,
}

impl fmt::Debug for Email {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Email").field("id", &self.id).finish()
    }
}

/// Who need not be served again of one load.
#[derive(Default)]
struct Served {
    /// The load, by its last event.
    seq: u64,
    accepted: BTreeSet<Address>,
    /// What the relay said to each of those.
    answers: Vec<String>,
    refused: BTreeSet<Address>,
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
        }
    }

    /// With links to acknowledge with.
    #[must_use]
    pub fn with_links(self, links: Option<Arc<Links>>) -> Self {
        Self { links, ..self }
    }

    /// One mail for each reader.
    async fn send(&mut self, seq: u64, mails: Vec<Mail>) -> Verdict {
        if self.served.seq != seq {
            self.served = Served {
                seq,
                ..Served::default()
            };
        }
        match timeout(DEADLINE, self.serve(&mails)).await {
            Ok(Ok(())) => {}
            Ok(Err(trouble)) => return trouble.verdict(),
            Err(_late) => {
                let why = format!("no answer within {} s", DEADLINE.as_secs());
                return Verdict::later("timeout", why);
            }
        }
        self.judged(&mails)
    }

    /// Everybody who was neither served nor refused yet. A refusal ends the session, so the next one begins
    /// another.
    async fn serve(&mut self, mails: &[Mail]) -> Result<(), Trouble> {
        let mut session: Option<Session> = None;
        for mail in mails {
            if self.served.has(&mail.to) {
                continue;
            }
            let mut open = match session.take() {
                Some(open) => open,
                None => Session::open(&self.target).await?,
            };
            match open.send(&self.target.from, mail).await {
                Ok(answer) => {
                    self.served.accepted.insert(mail.to.clone());
                    self.served.answers.push(answer);
                    session = Some(open);
                }
                Err(Trouble::Reader(why)) => {
                    warn!(
                        output = &*self.id,
                        to = %mail.to,
                        why,
                        "the mail relay refuses a reader for good"
                    );
                    self.served.refused.insert(mail.to.clone());
                }
                Err(trouble) => return Err(trouble),
            }
        }
        if let Some(open) = session {
            open.close().await;
        }
        Ok(())
    }

    fn judged(&mut self, mails: &[Mail]) -> Verdict {
        let nobody = self.served.accepted.is_empty() && !mails.is_empty();
        let refused: Vec<String> = self.served.refused.iter().map(Address::to_string).collect();
        // What is tried again later is tried with everybody.
        let answers = std::mem::take(&mut self.served).answers;
        if nobody {
            let why = format!("every reader is refused: {}", refused.join(", "));
            return Verdict::Refused { why };
        }
        let mut answer = answers.join("; ");
        if !refused.is_empty() {
            answer = format!("refused for good: {}; else {answer}", refused.join(", "));
        }
        Verdict::Accepted { answer }
    }
}

impl Served {
    fn has(&self, reader: &Address) -> bool {
        self.accepted.contains(reader) || self.refused.contains(reader)
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

    async fn carry(&mut self, load: &Load<'_>) -> Verdict {
        let compose = compose::Composer {
            output: &self.id,
            target: &self.target,
            context: &self.context,
            links: self.links.as_deref(),
        };
        let (seq, mails) = match load {
            Load::Event(parcel) => (parcel.seq, compose.notice(parcel)),
            Load::Summary(parcels) => {
                let last = parcels.last().map_or(0, |parcel: &Parcel| parcel.seq);
                (last, compose.digest(parcels))
            }
            Load::Present(_) => return Verdict::accepted(),
        };
        match mails {
            Ok(mails) => self.send(seq, mails).await,
            Err(error) => Verdict::Refused {
                why: format!("no mail can be made of it: {error}"),
            },
        }
    }
}
