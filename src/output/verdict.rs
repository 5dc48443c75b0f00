//! What an answer means for what was sent. Pure.
//!
//! | answer | meaning |
//! |---|---|
//! | 2xx | accepted; what the body says against it, the output knows |
//! | 400, 413, 415, 422 and every other 4xx not below | *this one* is refused for good |
//! | 3xx, 401, 402, 403, 404, 405, 407, 410, 451 | *everything* is refused: wrong address or credentials. Nothing is set aside, it goes when somebody has put it right |
//! | 408, 409, 421, 425, 429 | later |
//! | 1xx, 5xx, anything else, none | later |
//!
//! `Retry-After` is respected up to [`LONGEST`], so that a receiver cannot silence an output for a day.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use jiff::Timestamp;

use super::http_client::{Answer, Failure, Url};
use crate::engine::time::Wall;
use crate::journal::Audience;

/// A receiver may ask for as long a pause.
pub const LONGEST: Duration = Duration::from_secs(600);
/// So much of an answer is shown, characters.
const SHOWN: usize = 200;
/// A word of an answer that is as long may be a secret, characters; our shortest token has 54.
const TOKEN: usize = 40;

/// Everything that the far end refuses is refused for its address or credentials.
pub const UNWELCOME: &str = "refused";
/// The far end is there and cannot take it now.
pub const UNAVAILABLE: &str = "unavailable";
/// The far end asks to wait: for its pace, whatever it is sent, or for single readers, while it serves others.
pub const BUSY: &str = "busy";
/// What came back is not what such a receiver answers.
pub const PROTOCOL: &str = "protocol";

/// Did the far end answer, and may what it was sent be to blame? Not where nobody was reached, and not where the pace
/// was too fast.
pub fn is_answer(reason: &str) -> bool {
    [UNAVAILABLE, UNWELCOME, PROTOCOL].contains(&reason)
}

/// What became of what was sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// The far end has it.
    Accepted {
        /// What it said; empty: nothing.
        answer: String,
    },
    /// Some readers have it, others not, or not yet.
    Parted(Parted),
    /// The far end will never take this one, in its words.
    Refused {
        /// For people.
        why: String,
    },
    /// Perhaps another time.
    Later {
        /// Not before, if the far end said so.
        after: Option<Duration>,
        /// A word of a closed set ([`FAILURE_REASONS`](super::FAILURE_REASONS)).
        reason: &'static str,
        /// For people.
        why: String,
    },
}

/// What became of it, reader by reader.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Parted {
    /// How each event of the load stands, by its number in the journal.
    pub events: BTreeMap<u64, Audience>,
    /// What the far end said of those who have it.
    pub answer: String,
    /// Why the others have not got it, for people.
    pub why: String,
}

impl Parted {
    /// One reader waits for all of these.
    pub fn all_waiting(events: &[u64], reader: &str, why: &str) -> Self {
        let audience = Audience {
            waiting: vec![reader.into()],
            ..Audience::default()
        };
        let events = events.iter().map(|seq| (*seq, audience.clone()));
        Self {
            events: events.collect(),
            answer: String::new(),
            why: format!("{reader} ({why})"),
        }
    }

    /// Readers who wait for any of it.
    pub fn put_off(&self) -> BTreeSet<Arc<str>> {
        let waiting = self.events.values().flat_map(|it| &it.waiting);
        waiting.cloned().collect()
    }

    /// Has no reader got anything?
    pub fn serves_nobody(&self) -> bool {
        !self.events.values().any(|audience| audience.reached)
    }
}

impl Verdict {
    /// The far end has it, and said nothing.
    pub const fn accepted() -> Self {
        Self::Accepted {
            answer: String::new(),
        }
    }

    /// Does the far end have it?
    pub const fn is_accepted(&self) -> bool {
        matches!(self, Self::Accepted { .. })
    }

    /// Another time, for this reason.
    pub const fn later(reason: &'static str, why: String) -> Self {
        Self::Later {
            after: None,
            reason,
            why,
        }
    }

    /// What `answer` means by its status alone; nothing of a secret address is repeated.
    pub fn of(answer: &Answer, url: &Url, now: Wall) -> Self {
        let why = || told(answer, url);
        match answer.status {
            200..=299 => Self::Accepted { answer: why() },
            300..=399 => Self::later(UNWELCOME, redirected(answer, url)),
            401..=405 | 407 | 410 | 451 => Self::later(UNWELCOME, why()),
            status @ (408 | 409 | 421 | 425 | 429 | 500..=599) => Self::Later {
                after: retry_after(answer, now),
                reason: if status < 500 { BUSY } else { UNAVAILABLE },
                why: why(),
            },
            400..=499 => Self::Refused { why: why() },
            _ => Self::later(PROTOCOL, why()),
        }
    }
}

impl From<Failure> for Verdict {
    fn from(failure: Failure) -> Self {
        Self::later(failure.reason(), failure.to_string())
    }
}

/// Status and body in one line.
pub fn told(answer: &Answer, url: &Url) -> String {
    let body = without_tokens(&url.hide(answer.body.trim()));
    let mut shown: String = body.chars().take(SHOWN).map(printable).collect();
    if shown.is_empty() {
        return format!("HTTP {}", answer.status);
    }
    if shown.len() < body.len() {
        shown.push_str("...");
    }
    format!("HTTP {}: {shown}", answer.status)
}

/// A receiver may repeat what it was sent, and in that may be a link with which its reader acknowledges. Words as long as its
/// token tell nobody anything.
fn without_tokens(text: &str) -> String {
    let is_part = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
    let words = text.split_inclusive(|c| !is_part(c));
    let shown = words.map(|word| {
        let token = word.trim_end_matches(|c| !is_part(c));
        match token.len() {
            TOKEN.. => format!("[...]{}", &word[token.len()..]),
            _ => word.to_owned(),
        }
    });
    shown.collect()
}

fn printable(c: char) -> char {
    if c.is_control() { ' ' } else { c }
}

fn redirected(answer: &Answer, url: &Url) -> String {
    let place = answer.location.as_deref().map_or("nowhere", str::trim);
    let place: String = url.hide(place).chars().take(SHOWN).map(printable).collect();
    format!(
        "HTTP {}: the receiver is elsewhere, at {place}; redirects are not followed, so write that address",
        answer.status
    )
}

/// Seconds or a date, as RFC 9110 allows.
fn retry_after(answer: &Answer, now: Wall) -> Option<Duration> {
    let text = answer.retry_after.as_deref()?.trim();
    let wait = match text.parse() {
        Ok(seconds) => Duration::from_secs(seconds),
        Err(_) => {
            let date = jiff::fmt::rfc2822::parse(text).ok()?.timestamp();
            let now = Timestamp::from_nanosecond(now.unix_nanos().into()).ok()?;
            Duration::try_from(date.duration_since(now)).unwrap_or_default()
        }
    };
    Some(wait.min(LONGEST))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(status: u16) -> Answer {
        Answer {
            status,
            ..Answer::default()
        }
    }

    fn verdict(answer: &Answer) -> Verdict {
        Verdict::of(answer, &Url::default(), Wall::from_unix_nanos(0))
    }

    #[test]
    fn each_status_has_its_meaning() {
        let meaning = |status| match verdict(&answer(status)) {
            Verdict::Accepted { .. } => "accepted",
            // Not the word of those that refuse everything.
            Verdict::Refused { .. } => "this one",
            Verdict::Parted(_) => "some",
            Verdict::Later { reason, .. } => reason,
        };
        for (statuses, expected) in [
            (&[200, 201, 202, 204, 299][..], "accepted"),
            (&[400, 406, 411, 413, 415, 418, 422, 431, 499], "this one"),
            (
                &[301, 302, 307, 308, 401, 403, 404, 405, 407, 410],
                UNWELCOME,
            ),
            (&[408, 409, 421, 425, 429], BUSY),
            (&[500, 502, 503, 504, 599], UNAVAILABLE),
            (&[0, 101, 199, 600, 999], PROTOCOL),
        ] {
            for status in statuses {
                assert_eq!(meaning(*status), expected, "{status}");
            }
        }
    }

    #[test]
    fn a_link_that_a_receiver_repeats_is_not_told_on() {
        let mut echo = answer(400);
        let token = "EEn2U3UxE0uRAZ3whT9CafhIQwS2u2IG0mC8fJ3mW1oV0kq1Yb7-3n";
        echo.body = format!("invalid text: \"Ack: https://gw.example/a/{token}\\n\", see help");
        assert_eq!(
            told(&echo, &Url::default()),
            "HTTP 400: invalid text: \"Ack: https://gw.example/a/[...]\\n\", see help"
        );
    }

    #[test]
    fn a_pause_is_respected_within_bounds() {
        for (text, expected) in [
            ("7", Some(7)),
            (" 0 ", Some(0)),
            ("99999", Some(600)),
            ("Thu, 01 Jan 1970 00:01:00 GMT", Some(60)),
            ("Wed, 31 Dec 1969 00:00:00 GMT", Some(0)),
            ("Thu, 01 Jan 2037 00:00:00 GMT", Some(600)),
            ("-3", None),
            ("soon", None),
            ("", None),
        ] {
            let mut busy = answer(429);
            busy.retry_after = Some(text.to_owned());
            let Verdict::Later { after, .. } = verdict(&busy) else {
                unreachable!("429 is later");
            };
            assert_eq!(after.map(|after| after.as_secs()), expected, "{text}");
        }
    }

    #[test]
    fn the_words_are_short_printable_and_without_the_address() {
        let url = Url::parse("https://chat.example.com/hook/0123456789", true).expect("an address");
        let mut refusal = answer(400);
        refusal.body = format!("no\u{1b}[2J hook 0123456789 {}", "x ".repeat(2500));
        let words = told(&refusal, &url);
        assert!(
            words.starts_with("HTTP 400: no [2J hook *** x x"),
            "{words}"
        );
        assert!(words.len() < 230 && words.ends_with("..."), "{words}");
        let mut moved = answer(302);
        moved.location = Some("https://chat.example.com/other/0123456789".to_owned());
        let Verdict::Later { why, .. } = Verdict::of(&moved, &url, Wall::default()) else {
            unreachable!("a redirect is no refusal of this one");
        };
        assert!(why.contains("at https://***/other/***;"), "{why}");
    }
}
