//! Many notices in one letter: of whoever could not be reached for hours.

use super::body;
use super::clean::{clean, cut};
use super::facts::Facts;
use super::lexicon::{Field, Lexicon, Mark};
use super::{Context, Handing, Letter, TITLE, short};
use crate::event::WireEvent;

/// Notices that a digest names; the rest is counted.
const NAMED: usize = 100;

/// `events`, oldest first, in one letter: a line each, the newest at the end. It is late by nature, so it
/// says so before anything else.
pub fn digest(events: &[&WireEvent], handing: &Handing<'_>, context: &Context) -> Letter {
    let words = handing.language.lexicon();
    let handing = Handing {
        link: None,
        ..*handing
    };
    let skipped = events.len().saturating_sub(NAMED);
    let newest = events.iter().skip(skipped);
    let lines: Vec<String> = newest
        .map(|event| line(&Facts::of(event, &handing, context), words))
        .collect();
    let headline = words.digest(events.len());
    let site = clean(&context.site);
    let end = words.label_end();
    let mut text = String::new();
    let mut marks = Vec::new();
    if handing.test {
        marks.push(Mark::Test);
    }
    for mark in &marks {
        text.push_str(&format!("{}\n", words.mark(mark)));
    }
    text.push_str(&format!("{}\n\n", words.digest_note(events.len())));
    text.push_str(&format!("{}{end}{site}\n", words.label(Field::Where)));
    text.push_str(format!("{}{end}", words.label(Field::Alarms)).trim_end());
    text.push('\n');
    if skipped > 0 {
        text.push_str(&format!("  {}\n", words.earlier(skipped)));
    }
    for line in lines {
        text.push_str(&format!("  {line}\n"));
    }
    let stamps = body::stamps(&marks, words);
    let title = cut(&format!("{stamps}{headline}{end}{site}"), TITLE);
    Letter {
        short: short::plain_short(&title),
        body: text,
        title,
    }
}

/// `2026-05-04 08:19:31 +08:00 (00:19:31 UTC) DRILL Critical alarm: GD-201 ..., 54.2 %LEL (ID)`.
fn line(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let time = facts.time(facts.event.time);
    let title = body::title(facts, words);
    format!("{time} {title} ({})", clean(&facts.event.id))
}
