//! The short form, for text messages and watches (alarm-standards 4.1):
//!
//! ```text
//!   [HH GAS] GD-201 Tank-3 pump 54%LEL (lim 50) +4/min since 08:17 EVACUATE PUMP BAY, call 5566.
//! ```
//!
//! One message, because parts of a longer one arrive in any order or not at all: 160 characters while all
//! of them are in the alphabet of GSM 03.38 (those of its extension table count twice), otherwise 70 of
//! UCS-2. Signs of units that the alphabet lacks are written with what it has.
//!
//! What does not fit goes, from the least to the most important: the link to acknowledge with (half a message
//! by itself, and of no use in part), the name, the trend, the limit, since when, the first step of the action (cut
//! at a word), the value. The marks, why it comes, the kind and the tag never go; only a tag for which those leave no
//! room is cut in its middle.

use super::body::{actions, stamps};
use super::clean::{cut_by, number};
use super::facts::Facts;
use super::lexicon::{Headline, Lexicon};

/// How a message travels.
#[derive(Clone, Copy)]
struct Alphabet {
    /// Units that one message holds.
    room: usize,
    width: fn(char) -> usize,
}

const GSM: Alphabet = Alphabet {
    room: 160,
    width: septets,
};

const UCS2: Alphabet = Alphabet {
    room: 70,
    width: char::len_utf16,
};

/// Fewer units than this say nothing of a name or an action.
const LEAST: usize = 12;

/// The basic table of GSM 03.38 beside letters, digits and the signs that ASCII shares with it.
const BASIC: &str = "@£$¥èéùìòÇØøÅåΔ_ΦΓΛΩΠΨΣΘΞÆæßÉ !\"#¤%&'()*+,-./:;<=>?¡ÄÖÑÜ§¿äöñüà";

/// Its extension table.
const EXTENDED: &str = "^{}\\[~]|€";

fn is_gsm(c: char) -> bool {
    c.is_ascii_alphanumeric() || BASIC.contains(c) || EXTENDED.contains(c)
}

fn septets(c: char) -> usize {
    if EXTENDED.contains(c) { 2 } else { 1 }
}

/// Does it fit one message, and in how many of how many units?
#[cfg(test)]
pub(super) fn measured(text: &str) -> (usize, usize) {
    let alphabet = if text.chars().all(is_gsm) { GSM } else { UCS2 };
    (text.chars().map(alphabet.width).sum(), alphabet.room)
}

/// Signs that GSM 03.38 lacks, written with those it has.
fn plain(text: &str) -> String {
    let mut plain = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '°' | '\u{b7}' => {}
            '²' => plain.push('2'),
            '³' => plain.push('3'),
            'µ' | 'μ' => plain.push('u'),
            '‘' | '’' | '`' | '´' => plain.push('\''),
            '“' | '”' | '«' | '»' => plain.push('"'),
            '–' | '—' | '−' | '‑' => plain.push('-'),
            '…' => plain.push_str("..."),
            '≥' => plain.push_str(">="),
            '≤' => plain.push_str("<="),
            '×' => plain.push('x'),
            other => plain.push(other),
        }
    }
    plain
}

/// Part of a message. Smaller is more important.
struct Part {
    rank: u8,
    text: String,
    /// May it be cut at a word?
    flexible: bool,
}

/// The short form of one event.
pub(super) fn short(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let (before, tag) = head(facts, words);
    let (before, tag) = (plain(&before), plain(&tag));
    let mut parts = parts(facts, words);
    for part in &mut parts {
        part.text = plain(&part.text);
    }
    let gsm = |text: &str| text.chars().all(is_gsm);
    let mut alphabet = UCS2;
    if gsm(&before) && gsm(&tag) {
        let crowded = size(&before, UCS2) + size(&tag, UCS2) + LEAST >= UCS2.room;
        // One name in another script halves the room for everything, and may leave none.
        parts.retain(|part| gsm(&part.text) || (part.rank < NAME && !crowded));
        if parts.iter().all(|part| gsm(&part.text)) {
            alphabet = GSM;
        }
    }
    let head = format!("{before}{}", fit_tag(&tag, &before, alphabet));
    fit(head, parts, alphabet)
}

const VALUE: u8 = 1;
const ACTION: u8 = 2;
const SINCE: u8 = 3;
const LIMIT: u8 = 4;
const TREND: u8 = 5;
const NAME: u8 = 6;
const LINK: u8 = 7;

/// One text, as much of it as one message holds.
pub(super) fn plain_short(text: &str) -> String {
    let text = plain(text);
    let alphabet = if text.chars().all(is_gsm) { GSM } else { UCS2 };
    cut_by(&text, alphabet.room, alphabet.width)
}

/// What never goes: `DRILL NOT ACKED [HH GAS] ` and the tag.
fn head(facts: &Facts<'_>, words: &dyn Lexicon) -> (String, String) {
    let headline = facts.headline();
    let kind = facts.kind.map(|kind| words.code(kind));
    let measure = facts.guidance.map(|guidance| guidance.point.measures);
    let measure = measure.map(|measure| words.measure(measure));
    let inside = kind.into_iter().chain(measure);
    let inside: Vec<&str> = inside.filter(|word| !word.is_empty()).collect();
    let stamps = stamps(&facts.marks(), words);
    // That nobody has acknowledged goes without saying where nobody may have heard.
    let why = if facts.event.unheard {
        words.short_unheard()
    } else {
        words.short_head(headline)
    };
    let mut before = format!("{stamps}{why}");
    if let Headline::Summary(many) | Headline::LateSummary(many) | Headline::ReminderOfMany(many) =
        headline
    {
        before.push_str(&words.short_count(many));
    }
    if !inside.is_empty() {
        before.push_str(&format!("[{}] ", inside.join(" ")));
    }
    let tag = facts.tag.clone();
    (
        before,
        tag.unwrap_or_else(|| super::clean::clean(&facts.context.site)),
    )
}

/// In the order of the message.
fn parts(facts: &Facts<'_>, words: &dyn Lexicon) -> Vec<Part> {
    let event = facts.event;
    let mut parts = Vec::new();
    let mut add = |rank, flexible, text: Option<String>| {
        let text = text.filter(|text| !text.is_empty());
        parts.extend(text.map(|text| Part {
            rank,
            text,
            flexible,
        }));
    };
    add(NAME, true, facts.name.clone());
    let over = facts.is_over();
    let shown = if over { event.peak } else { facts.value() };
    let shown = shown.map(|value| {
        let amount = facts.tight_amount(value);
        if over {
            words.peak(facts.goes_up(), &amount)
        } else {
            amount
        }
    });
    let reason = event
        .reason
        .as_deref()
        .and_then(|reason| words.reason(reason));
    add(VALUE, false, shown.or_else(|| reason.map(str::to_owned)));
    if over {
        let lasted = event.duration_s.map(|seconds| words.span(seconds));
        add(SINCE, false, lasted.map(|span| words.short_lasted(&span)));
        return parts;
    }
    let limit = facts.limit().map(|limit| {
        let per = if facts.is_rate() { "/min" } else { "" };
        words.short_limit(&format!("{}{per}", number(limit)))
    });
    add(LIMIT, false, limit);
    let slope = event.slope_per_min.filter(|slope| slope.abs() > 0.0);
    let sign = |slope: f64| if slope > 0.0 { "+" } else { "-" };
    let slope = slope.map(|slope| format!("{}{}/min", sign(slope), rough(slope.abs())));
    add(TREND, false, slope);
    let since = facts
        .since()
        .map(|since| words.short_since(&facts.short_time(since)));
    add(SINCE, false, since);
    add(ACTION, true, actions(facts, words).into_iter().next());
    let link = facts.handing.link;
    let link = link.filter(|_| facts.wants_acknowledgement());
    let link = link.map(|link| words.short_acknowledge(&super::clean::line(link)));
    add(LINK, false, link);
    parts
}

/// Two digits are enough to see how fast.
fn rough(value: f64) -> String {
    let decimals = match value {
        10.0.. => 0,
        1.0.. => 1,
        _ => return number(value),
    };
    number(format!("{value:.decimals$}").parse().unwrap_or(value))
}

fn size(text: &str, alphabet: Alphabet) -> usize {
    text.chars().map(alphabet.width).sum()
}

/// The tag whole, or its ends.
fn fit_tag(tag: &str, before: &str, alphabet: Alphabet) -> String {
    let room = alphabet.room.saturating_sub(size(before, alphabet));
    if size(tag, alphabet) <= room {
        return tag.to_owned();
    }
    let half = room.saturating_sub(2) / 2;
    let take = |chars: &mut dyn Iterator<Item = char>| {
        let mut used = 0;
        let mut kept = Vec::new();
        for c in chars {
            used += (alphabet.width)(c);
            if used > half {
                break;
            }
            kept.push(c);
        }
        kept
    };
    let start: String = take(&mut tag.chars()).into_iter().collect();
    let end: String = take(&mut tag.chars().rev()).into_iter().rev().collect();
    format!("{start}..{end}")
}

/// The head and as much of the parts as there is room for, in their order.
fn fit(head: String, parts: Vec<Part>, alphabet: Alphabet) -> String {
    let mut left = alphabet.room.saturating_sub(size(&head, alphabet));
    let mut kept: Vec<Option<String>> = parts.iter().map(|_| None).collect();
    let mut order: Vec<usize> = (0..parts.len()).collect();
    order.sort_by_key(|index| parts[*index].rank);
    for index in order {
        let part = &parts[index];
        let room = left.saturating_sub(1);
        let text = if size(&part.text, alphabet) <= room {
            part.text.clone()
        } else if part.flexible && room >= LEAST {
            cut_by(&part.text, room, alphabet.width)
        } else {
            continue;
        };
        left -= size(&text, alphabet) + 1;
        kept[index] = Some(text);
    }
    let kept = kept.into_iter().flatten();
    std::iter::once(head)
        .chain(kept)
        .collect::<Vec<_>>()
        .join(" ")
}
