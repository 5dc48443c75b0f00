//! What people read: an event in words, in English or Chinese. Everybody who sends something to people
//! takes the words from here, so that an alarm reads the same in a mail, in a chat and on a telephone.
//!
//! Pure: no clock, no sockets, nothing random. The same event gives the same letter, so a message that is
//! sent again is the same message.
//!
//! # What a letter says, in this order every time (alarm-standards 4.1)
//!
//! ```text
//!   DRILL / TEST, delayed, not on disk     marks that change what the reader does with the rest
//!   what    tag, plain name, kind          value, limit, deadband, quality, most extreme value
//!   state   and priority                   trend, and what it leads to
//!   where   area, site                     since when, for how long
//!   cause, consequence                     action, step by step; time to act
//!   responsible, deputy, principal, told   plan, how to acknowledge
//!   other   first of its group, held, comes and goes, the other alarms of a summary
//!   event id, occurrence
//! ```
//!
//! A line that has nothing to say is left out; nothing else ever changes the order. What the event does
//! not carry the configuration knows ([`Guidance`]); what neither knows is not guessed.
//!
//! # Bounds
//!
//! | what | bound | beyond it |
//! |---|---|---|
//! | one field | 300 characters | cut at a word, `...` |
//! | title | 160 characters | cut at a word, `...` |
//! | alarms of a summary by name | 20 | counted |
//! | the short form | 160 characters of GSM 03.38, or 70 of UCS-2 | `short.rs` says what goes first |
//!
//! Control characters, line breaks inside a field and characters that turn the direction of text never
//! come through: a name cannot forge a line.
//!
//! Deliberately absent: who gets the letter and when (`src/notify`), how it travels (`src/output`), the
//! making of acknowledgement links ([`Handing`] takes a finished one).

mod body;
mod chinese;
mod clean;
mod context;
mod digest;
mod duties;
mod english;
mod facts;
mod lexicon;
mod sheet;
mod short;
#[cfg(test)]
mod tests;

pub use context::{Context, Person, Readers};
pub use digest::{Standing, digest};
pub use duties::{Duties, Shift};
pub use sheet::{Answer, Sheet, button, sheet};

use serde::{Deserialize, Serialize};

use self::facts::Facts;
use self::lexicon::Lexicon;
use crate::event::WireEvent;
#[cfg(doc)]
use crate::guidance::Guidance;

/// A title is a line on a telephone; characters.
const TITLE: usize = 160;

/// What a person reads.
#[derive(
    Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize,
)]
pub enum Language {
    /// `en`
    #[default]
    #[serde(rename = "en")]
    English,
    /// `zh`, simplified.
    #[serde(rename = "zh")]
    Chinese,
}

impl Language {
    /// As configured.
    pub const WORDS: [(&'static str, Self); 2] = [("en", Self::English), ("zh", Self::Chinese)];

    /// The tag of RFC 5646, as it stands in the configuration and in `Content-Language`.
    pub const fn tag(self) -> &'static str {
        match self {
            Self::English => "en",
            Self::Chinese => "zh",
        }
    }

    fn lexicon(self) -> &'static dyn Lexicon {
        match self {
            Self::English => &english::English,
            Self::Chinese => &chinese::Chinese,
        }
    }
}

/// How one letter goes out: what belongs to this delivery and not to the event.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Handing<'a> {
    /// Of the reader.
    pub language: Language,
    /// It is backlog: what it tells of may be over.
    pub replayed: bool,
    /// The disk fails; the event is in memory only.
    pub volatile: bool,
    /// Somebody tries whether messages arrive; nothing happened at all.
    pub test: bool,
    /// A link with which this reader acknowledges from afar, when there is one. Made and checked elsewhere.
    pub link: Option<&'a str>,
}

/// An event in words.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Letter {
    /// One line: how urgent, what, the value.
    pub title: String,
    /// Everything, a line for each field, each ending in a line feed.
    pub body: String,
    /// The form for a text message: at most 160 characters of GSM 03.38, or 70 of UCS-2.
    pub short: String,
}

/// `event` in words.
pub fn letter(event: &WireEvent, handing: &Handing<'_>, context: &Context) -> Letter {
    let facts = Facts::of(event, handing, context);
    let lexicon = handing.language.lexicon();
    let title = clean::cut(&body::title(&facts, lexicon), TITLE);
    Letter {
        body: body::body(&facts, lexicon),
        short: short::short(&facts, lexicon),
        title,
    }
}
