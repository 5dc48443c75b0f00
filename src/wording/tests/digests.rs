//! Many notices in one letter: what is not over comes first.

use super::*;

fn notices() -> Vec<WireEvent> {
    let notice = |seq: u64, fields: Value| {
        let mut event = event(fields);
        event.seq = seq;
        event
    };
    let flood = ["GD-202/high", "GD-203/high"];
    vec![
        notice(1, json!({ "alarm": "GD-201/high", "priority": "high" })),
        notice(
            2,
            json!({ "notice": "flood", "alarm": flood[0], "alarms": flood, "priority": "medium" }),
        ),
        notice(3, json!({})),
        notice(
            4,
            json!({ "alarm": "GD-201/high", "event": "all_clear", "state": "normal" }),
        ),
        notice(
            5,
            json!({ "alarm": "GD-203/high", "event": "all_clear", "state": "normal" }),
        ),
        notice(
            6,
            json!({ "alarm": "GD-209/high_high/drill", "test": true }),
        ),
        // It came and went, and nobody could be told.
        notice(
            7,
            json!({ "alarm": "GD-204/high", "notice": "late", "state": "normal", "late": true }),
        ),
        notice(
            8,
            json!({ "alarm": "GD-202/high", "notice": "reminder", "priority": "medium" }),
        ),
    ]
}

#[test]
fn what_is_not_over_comes_first_most_urgent_first_and_drills_last() {
    let notices = notices();
    let events: Vec<&WireEvent> = notices.iter().collect();
    let standing = Standing::by(&events);
    let seqs: Vec<u64> = standing.notices.iter().map(|event| event.seq).collect();
    assert_eq!((standing.alarms, &*seqs), (3, &[3, 8, 6][..]));
    assert!(standing.is_urgent());
    assert!(!Standing::by(&events[3..]).is_urgent(), "a drill is not");
    let none = Standing::by(&events[3..5]);
    assert_eq!((none.alarms, none.notices.len()), (0, 0));
}

#[test]
fn a_flood_that_stands_is_one_line_and_counts_each_of_its_alarms() {
    let notices = notices();
    let standing = Standing::by(&[&notices[1]]);
    assert_eq!((standing.alarms, standing.notices.len()), (2, 1));
}

/// A hundred lines of chatter do not hide the one that matters.
#[test]
fn a_digest_names_what_stands_however_much_came_after_it() {
    let mut notices = notices();
    let later = (9..400).map(|seq| {
        let mut event = event(json!({ "alarm": "LT-40/low", "priority": "low" }));
        event.seq = seq;
        event
    });
    notices.extend(later);
    let events: Vec<&WireEvent> = notices.iter().collect();
    for language in [Language::English, Language::Chinese] {
        let handing = Handing {
            language,
            ..Handing::default()
        };
        let letter = digest(&events, &handing, &plant(language));
        let first = letter.body.lines().find(|line| line.starts_with("  "));
        let first = first.expect("a list");
        let words = language.lexicon();
        assert!(
            first.contains("GD-201") && first.contains("54.2"),
            "{first}"
        );
        assert!(
            letter.title.contains(&words.not_over(4)),
            "{}",
            letter.title
        );
        let critical = words.priority(crate::engine::settings::Priority::Critical);
        assert!(letter.title.contains(critical), "{}", letter.title);
    }
}
