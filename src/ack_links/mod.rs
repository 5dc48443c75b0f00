//! Links in messages with which one person acknowledges one call of one occurrence, from wherever they are.
//!
//! ```text
//!  notified ──▶ link(event, reader) ──▶ mail, chat          base_url/a/TOKEN
//!                                           │
//!  GET  ◀── a page: the alarm, its state now, a button. Changes nothing: scanners and previews open links
//!  POST ──▶ read(token) ──▶ standing(record) ──▶ the engine's own command ──▶ journal: who, `via` a link
//! ```
//!
//! # What a token is
//!
//! Bytes in URL-safe base64, about 54 characters (`token.rs`): what it is about, until when, for whom, and an
//! HMAC-SHA256 over all of it and the site, cut to 128 bits. It is looked up nowhere and stored nowhere.
//!
//! | it is bound to | so that it is refused |
//! |---|---|
//! | the site, and a key that only this gateway has | elsewhere, and when anybody made or changed it |
//! | the alarm (or its drill) and the occurrence | for any other occurrence: the next one, an older one |
//! | the call for attention, [`WireEvent::annunciation`] | when the occurrence calls again, and when a lost journal gives its number away again |
//! | its readers | for a name that the message was not for |
//! | an end, `valid_for` after the notice | later |
//!
//! **Single use, without a table.** A call for attention is answered once: who answers it acknowledges the
//! occurrence, which stands in the journal with its state. A link that was used finds its call answered, after a
//! restart, too. When the occurrence wants attention again that is another call, with another number, and
//! none of the old links is for that. The engine compares the number where it changes the state, so that no
//! re-alarm comes between.
//!
//! # Whose name it gives
//!
//! A mail goes to one person: its link acknowledges in that person's name (`via: "link"`). What several can read, a
//! chat room or a shared address, has a link to a page that lists the persons of the message, or everybody who is
//! configured where it names none; who opens it says who they are (`via: "shared_link"`). **Neither proves who it
//! was.** The first shows that somebody had that person's mail, the second that somebody read along and chose a
//! name. A link can acknowledge, and nothing else: not reset, not shelve, not confirm.
//!
//! # Time
//!
//! The end is judged by the wall clock, the clock that the notice was stamped by. No clock is asked whether it is
//! right: one that was wrong and is set forward ends links too early, and then people acknowledge another way, while
//! the escalation goes on; one that is set back lets them live longer, and even then they acknowledge only what was
//! told in their message. An acknowledgement silences no alarm that comes later.
//!
//! # Bounds
//!
//! | what | bound |
//! |---|---|
//! | a token | 200 characters; longer ones are not looked at |
//! | readers of one shared link by name | 16; beyond them everybody who is configured may answer |
//! | answers of holders of links | as [`http`](crate::http) says |
//!
//! Deliberately absent: one link for several alarms (a summary names none), links in digests of an outage, links for
//! anything but acknowledging, a list of links to revoke: a new key ends all of them at once.

mod standing;
#[cfg(test)]
mod tests;
mod token;

use std::sync::Arc;
use std::time::Duration;

pub use self::standing::{Standing, standing};
use self::token::Seal;
pub use self::token::{AlarmTag, Claim, PersonTag, Readers};
use crate::broker::Secret;
use crate::engine::drill::drilled;
use crate::engine::effect::EventKind;
use crate::engine::time::Wall;
use crate::event::{To, WireEvent};

/// Below `base_url` and on our own port; behind it the token.
pub const PATH: &str = "/a/";

/// Persons whom a shared link names.
const NAMED: usize = 16;

/// `[acknowledge_links]`.
#[derive(Debug, Clone, PartialEq)]
pub struct LinkSettings {
    /// Where people reach [`PATH`] of this gateway; without a slash at its end.
    pub base_url: String,
    /// What tokens are signed with; 32 bytes or more.
    pub key: Secret,
    /// From the notice until the link ends.
    pub valid_for: Duration,
}

/// Whom a link is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reader<'r> {
    /// This person alone reads the message.
    Person(&'r str),
    /// Several may read it.
    Several,
}

/// Why a token is worth nothing, whatever it says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Flaw {
    /// It is no token of ours, or not whole.
    Broken,
    /// It is of another site.
    Foreign,
    /// It was not signed with our key.
    Forged,
    /// It ended then.
    Expired(Wall),
}

/// Makes links and reads them.
#[derive(Debug)]
pub struct Links {
    base_url: String,
    valid_for: Duration,
    seal: Seal,
}

impl Links {
    /// For `site`.
    pub fn new(site: impl Into<Arc<str>>, settings: &LinkSettings) -> Self {
        Self {
            base_url: settings.base_url.clone(),
            valid_for: settings.valid_for,
            seal: Seal::new(site.into(), settings.key.clone()),
        }
    }

    /// A link with which a reader of the notice `event` acknowledges what it tells of; `None` when there is
    /// nothing to acknowledge, or more than one thing, or when the link would have ended at `now`: the notice comes
    /// that late. The same event gives the same link.
    pub fn link(&self, event: &WireEvent, reader: Reader<'_>, now: Wall) -> Option<String> {
        let alarm = event.alarm.as_deref()?;
        let waits = event.state.is_some_and(|state| state.is_unacknowledged());
        let expires = event.time + self.valid_for;
        if event.event != EventKind::Notified || !waits || event.alarms.len() > 1 || expires <= now
        {
            return None;
        }
        let claim = Claim {
            alarm: AlarmTag::of(drilled(alarm).unwrap_or(alarm)),
            drill: drilled(alarm).is_some(),
            occurrence: event.occurrence.filter(|number| *number > 0)?,
            annunciation: event.annunciation?,
            expires,
            readers: readers(event, reader),
        };
        let token = self.seal.close(&claim)?;
        Some(format!("{}{PATH}{token}", self.base_url))
    }

    /// What `token` stands for at `now`.
    ///
    /// # Errors
    /// It stands for nothing.
    pub fn read(&self, token: &str, now: Wall) -> Result<Claim, Flaw> {
        let claim = self.seal.open(token)?;
        if claim.expires <= now {
            return Err(Flaw::Expired(claim.expires));
        }
        Ok(claim)
    }
}

fn readers(event: &WireEvent, reader: Reader<'_>) -> Readers {
    let named = match &event.to {
        Some(To::Persons(persons)) => persons.as_slice(),
        Some(To::Time(_)) | None => &[],
    };
    match reader {
        Reader::Person(id) => Readers::One(PersonTag::of(id)),
        Reader::Several if named.len() > NAMED => Readers::Several(Vec::new()),
        Reader::Several => Readers::Several(named.iter().map(|id| PersonTag::of(id)).collect()),
    }
}
