//! Many notices in one letter: of whoever could not be reached for hours.

use std::cmp::Reverse;
use std::collections::BTreeMap;

use super::body;
use super::clean::{clean, cut};
use super::facts::Facts;
use super::lexicon::{Field, Lexicon, Mark};
use super::{Context, Handing, Letter, TITLE, short};
use crate::engine::alarm::AlarmState;
use crate::engine::effect::EventKind;
use crate::engine::settings::Priority;
use crate::event::WireEvent;

/// Notices that a digest names; the rest is counted.
const NAMED: usize = 100;

/// What is not over by some notices. What has come since, they do not know.
#[derive(Debug, Clone, PartialEq)]
pub struct Standing<'e> {
    /// So many alarms.
    pub alarms: usize,
    /// The last notice of each of them, each once: real ones before drills, most urgent first, the oldest first.
    pub notices: Vec<&'e WireEvent>,
}

impl<'e> Standing<'e> {
    /// By `events`, oldest first.
    pub fn by(events: &[&'e WireEvent]) -> Self {
        let mut last: BTreeMap<&str, &WireEvent> = BTreeMap::new();
        for event in events {
            let named = event.alarm.iter().chain(&event.alarms);
            last.extend(named.map(|alarm| (&**alarm, *event)));
        }
        last.retain(|_, event| !is_over(event));
        let alarms = last.len();
        let mut notices: Vec<_> = last.into_values().collect();
        notices.sort_by_key(|event| (event.test, Reverse(event.priority), event.seq));
        notices.dedup_by_key(|event| event.seq);
        Self { alarms, notices }
    }

    /// Does somebody have to act promptly?
    pub fn is_urgent(&self) -> bool {
        let mut real = self.notices.iter().filter(|event| !event.test);
        real.any(|event| event.priority >= Some(Priority::High))
    }
}

/// One that came and went while nobody could be told is over, too.
fn is_over(event: &WireEvent) -> bool {
    event.event == EventKind::AllClear || event.state == Some(AlarmState::Normal)
}

/// `events`, oldest first, in one letter. It is late by nature, so it says so before anything else; then which alarms
/// are not over by these notices, and then all of them, a line each, the newest at the end.
pub fn digest(events: &[&WireEvent], handing: &Handing<'_>, context: &Context) -> Letter {
    let words = handing.language.lexicon();
    let handing = Handing {
        link: None,
        ..*handing
    };
    let mut marks = Vec::new();
    if handing.test {
        marks.push(Mark::Test);
    }
    let mut text = String::new();
    for mark in &marks {
        text.push_str(&format!("{}\n", words.mark(mark)));
    }
    let site = clean(&context.site);
    let end = words.label_end();
    text.push_str(&format!("{}\n\n", words.digest_note(events.len())));
    text.push_str(&format!("{}{end}{site}\n", words.label(Field::Where)));
    let line = |event: &&WireEvent| line(&Facts::of(event, &handing, context), words);
    let mut list = |head: &str, note: Option<String>, named: Vec<String>, rest: Option<String>| {
        text.push_str(format!("{head}{end}").trim_end());
        let lines = note.into_iter().chain(named).chain(rest);
        lines.for_each(|line| text.push_str(&format!("\n  {line}")));
        text.push('\n');
    };
    let standing = Standing::by(events);
    if standing.alarms > 0 {
        let notices = &standing.notices;
        let beyond = notices.len().saturating_sub(NAMED);
        let rest = (beyond > 0).then(|| words.more(beyond));
        let named = notices.iter().take(NAMED).map(line).collect();
        list(&words.not_over_note(standing.alarms), None, named, rest);
    }
    let skipped = events.len().saturating_sub(NAMED);
    let note = (skipped > 0).then(|| words.earlier(skipped));
    let newest = events.iter().skip(skipped).map(line).collect();
    list(words.label(Field::Alarms), note, newest, None);
    let title = title(events.len(), &standing, words);
    let stamps = body::stamps(&marks, words);
    let title = cut(&format!("{stamps}{title}{end}{site}"), TITLE);
    Letter {
        short: short::plain_short(&title),
        body: text,
        title,
    }
}

/// `DELAYED summary of 23 messages, 2 not over, priority critical`.
fn title(count: usize, standing: &Standing<'_>, words: &dyn Lexicon) -> String {
    let mut parts = vec![words.digest(count)];
    if let Some(worst) = standing.notices.first() {
        parts.push(words.not_over(standing.alarms));
        parts.extend(
            worst
                .priority
                .map(|priority| words.priority(priority).to_owned()),
        );
    }
    parts.join(words.comma())
}

/// `2026-05-04 08:19:31 +08:00 (00:19:31 UTC) DRILL Critical alarm: GD-201 ..., 54.2 %LEL (ID)`.
fn line(facts: &Facts<'_>, words: &dyn Lexicon) -> String {
    let time = facts.time(facts.event.time);
    let title = body::title(facts, words);
    format!("{time} {title} ({})", clean(&facts.event.id))
}
