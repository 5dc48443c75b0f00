//! What a notice says beyond the alarm itself: why it comes now, and what it stands for.

use std::sync::Arc;
use std::time::Duration;

use crate::engine::recurrence::{CHATTER_RAISES, CHATTER_WINDOW};
use crate::engine::time::spoken;

/// Alarms named in the words of a summary; the rest is counted there, and named in its `alarms`.
const NAMED: usize = 8;

fn span(span: Duration) -> String {
    spoken(span.as_secs_f64())
}

/// A later step, or a reminder.
pub(super) fn unattended(age: Duration) -> String {
    format!("not acknowledged for {}", span(age))
}

/// A step that comes before its time.
pub(super) fn unheard() -> String {
    "perhaps nobody has heard: what it was told over does not deliver".to_owned()
}

/// The raise that makes an alarm chatter.
pub(super) fn chatter_begins(hold: Duration) -> String {
    format!(
        "raised {CHATTER_RAISES} times within {}: further pages are held back and summed up every {}",
        span(CHATTER_WINDOW),
        span(hold)
    )
}

/// The end of a hold.
pub(super) fn chatter_held(pages: u32, age: Duration, active: bool) -> String {
    let now = if active { "active" } else { "not active" };
    format!(
        "{} held back within {}; now {now}",
        counted(pages as usize, "page"),
        span(age)
    )
}

/// An occurrence is over, but the alarm chatters.
pub(super) fn over_while_chattering() -> String {
    "it keeps coming and going: another page may be held back".to_owned()
}

/// The first page of an alarm that was grouped under another.
pub(super) fn left_alone(lost: &str) -> String {
    format!("still so, and {lost} does not speak for it any more")
}

/// A drill is over, whatever the plant does.
pub(super) fn only_the_drill() -> String {
    "only the drill is over".to_owned()
}

/// Pages of an area that were held in a flood; `waiting` of their alarms still want attention.
pub(super) fn flood(
    area: Option<&str>,
    alarms: &[Arc<str>],
    pages: usize,
    waiting: usize,
) -> String {
    let of = area.map_or_else(String::new, |area| format!(" of area {area}"));
    let mut text = format!(
        "{}{of} held back in a flood: {}",
        counted(pages, "page"),
        named(alarms)
    );
    let done = alarms.len() - waiting;
    if done > 0 {
        text.push_str(&format!(
            "; {done} over, acknowledged, covered or told meanwhile"
        ));
    }
    text
}

/// Several alarms that were told of together, and that nobody has acknowledged.
pub(super) fn unattended_group(alarms: &[Arc<str>], age: Duration) -> String {
    format!("{}: {}", unattended(age), named(alarms))
}

/// One alarm in delayed data.
pub(super) fn late(occurrences: u32) -> String {
    let times = counted(occurrences as usize, "occurrence");
    format!("happened while disconnected, and is over: {times} found in delayed data")
}

/// Several alarms in delayed data.
pub(super) fn late_group(area: Option<&str>, alarms: &[Arc<str>], occurrences: u32) -> String {
    let of = area.map_or_else(String::new, |area| format!(" of area {area}"));
    format!("{}{of}: {}", late(occurrences), named(alarms))
}

fn counted(count: usize, what: &str) -> String {
    let plural = if count == 1 { "" } else { "s" };
    format!("{count} {what}{plural}")
}

fn named(alarms: &[Arc<str>]) -> String {
    let shown: Vec<&str> = alarms.iter().take(NAMED).map(|alarm| &**alarm).collect();
    let more = alarms.len() - shown.len();
    let more = if more > 0 {
        format!(" and {more} more")
    } else {
        String::new()
    };
    format!("{}{more}", shown.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn summaries_count_everything_and_name_a_few() {
        let alarms: Vec<Arc<str>> = (1..=10)
            .map(|number| format!("P{number}/high").into())
            .collect();
        assert_eq!(
            flood(Some("farm"), &alarms, 12, 7),
            "12 pages of area farm held back in a flood: P1/high, P2/high, P3/high, P4/high, P5/high, \
             P6/high, P7/high, P8/high and 2 more; 3 over, acknowledged, covered or told meanwhile"
        );
        assert_eq!(
            flood(None, &alarms[..1], 1, 1),
            "1 page held back in a flood: P1/high"
        );
        assert_eq!(
            chatter_held(7, Duration::from_secs(600), true),
            "7 pages held back within 10 min; now active"
        );
    }
}
