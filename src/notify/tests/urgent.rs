//! What no flood delays, and that a summary names everything that it stands for.

use super::storms::{message, notified, storm};
use super::*;
use crate::notify::gate::GROUP_FULL;

/// A flood in which both areas have been told of at `0`, so that the next page of each waits.
fn flood() -> Rig {
    let mut rig = storm(40);
    rig.notifier.office.settings.may_be_held[20] = false;
    for number in 0..16 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    assert_eq!(rig.notifier.counts().waiting, 4);
    rig
}

fn last(rig: &Rig) -> String {
    notified(rig).pop().expect("somebody was told")
}

#[test]
fn a_critical_alarm_and_a_hazard_are_told_of_at_once_and_others_wait() {
    let mut rig = flood();
    for alarm in ["P030/high", "P032/high"] {
        // One priority up before it is ever raised: critical.
        rig.act(1.0, alarm, Act::Severity);
        rig.act(2.0, alarm, Act::Raise);
        assert_eq!(
            last(&rig),
            format!("{alarm} 2 page 0 farm-1,farm-2 over chat")
        );
    }
    rig.act(3.0, "P020/high", Act::Raise);
    assert_eq!(last(&rig), "P020/high 3 page 0 farm-1,farm-2");
    let before = notified(&rig).len();
    rig.act(3.0, "P022/high", Act::Raise);
    assert_eq!(notified(&rig).len(), before, "it waits");
    // Whoever is told later of what somebody knows reads one list.
    rig.pass_to(130.0);
    let lines = notified(&rig);
    let deputies = lines.iter().filter(|line| {
        line.starts_with("P030") && line.contains(" 1 ") || line.starts_with("P032/high 62")
    });
    assert_eq!(deputies.count(), 1, "{lines:?}");
}

#[test]
fn whatever_comes_back_is_told_of_at_once() {
    let ways: [&[Act]; 4] = [
        &[Act::Shelve, Act::Unshelve { by_time: true }],
        &[Act::Shelve, Act::Unshelve { by_time: false }],
        &[Act::Acknowledge, Act::Realarm],
        &[Act::Severity],
    ];
    for way in ways {
        let mut rig = flood();
        for act in way {
            rig.act(20.0, "P014/high", *act);
        }
        let line = last(&rig);
        assert!(
            line.starts_with("P014/high 20 page 0 farm-1,farm-2"),
            "{way:?}: {line}"
        );
        // What was held of it is named where it was to be told, and told no second time.
        rig.pass_to(60.0);
        assert!(message(&rig, Notice::Flood).starts_with("2 pages of area pit"));
        let pages = notified(&rig);
        let again = pages
            .iter()
            .filter(|line| line.starts_with("P014/high") && line.contains("flood"));
        assert_eq!(again.count(), 0, "{way:?}");
    }
}

/// Power fails between the end of the shelf and its page: it comes with the start, alone, and is not one of
/// those that waited.
#[test]
fn a_power_cut_turns_the_end_of_a_shelf_into_no_raise() {
    let mut rig = flood();
    rig.act(5.0, "P014/high", Act::Shelve);
    rig.act(20.0, "P014/high", Act::Unshelve { by_time: true });
    let unshelved = |event: &Event| event.kind == EventKind::Unshelved;
    let kept = 1 + rig.log.iter().position(unshelved).expect("it ended");
    rig.power_cut(kept, 21.0);
    let page = "P014/high 21 page 0 farm-1,farm-2";
    assert!(notified(&rig).iter().any(|line| line == page));
}

/// Its second step waited as a high alarm, and waits again as a critical one: the summary of the high ones
/// does not take it away.
#[test]
fn a_group_releases_no_page_of_another_priority() {
    let mut rig = storm(16);
    let policies = &mut rig.notifier.office.settings.policies;
    let high = policies.get_mut(&Priority::High);
    high.expect("it has a ladder").group_every = secs(90);
    for number in 0..16 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    // The second steps of the high ones wait from 60 to 150, those of the critical ones from 129 to 189.
    rig.act(69.0, "P012/high", Act::Severity);
    rig.act(70.0, "P014/high", Act::Severity);
    rig.pass_to(150.0);
    let named = rig.log.last().map(|event| &event.details.alarms);
    let last = named.and_then(|alarms| alarms.last());
    assert_eq!(last.map(|alarm| &**alarm), Some("P015/high"));
    rig.pass_to(189.0);
    let line = "P014/high 189 flood 1 farm-d";
    assert!(notified(&rig).iter().any(|told| told == line));
}

fn named(rig: &Rig, notice: Notice) -> Vec<Vec<Arc<str>>> {
    let lines = rig.log.iter();
    let lines = lines.filter(|event| event.details.notice == Some(notice));
    lines
        .map(|event| event.details.alarms.clone())
        .filter(|alarms| !alarms.is_empty())
        .collect()
}

#[test]
fn a_summary_and_a_reminder_name_every_alarm_that_they_stand_for() {
    let mut rig = storm(31);
    for number in 0..31 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    rig.act(1.0, "P012/high", Act::Acknowledge);
    rig.pass_to(60.0);
    let alarm = |number: usize| -> Arc<str> { format!("P{number:03}/high").into() };
    let farm: Vec<_> = (14..31).step_by(2).chain([12]).map(alarm).collect();
    let pit: Vec<_> = (13..31).step_by(2).map(alarm).collect();
    assert!(farm.len() > 8, "more than the words name");
    assert_eq!(named(&rig, Notice::Flood)[..2], [farm.clone(), pit.clone()]);
    rig.pass_to(400.0);
    let farm: Vec<_> = farm[..farm.len() - 1].to_vec();
    assert_eq!(named(&rig, Notice::Reminder), [farm, pit]);
}

#[test]
fn a_line_names_so_many_alarms_at_most_and_the_next_one_the_rest() {
    let mut rig = storm(1_100);
    for number in 0..1_100 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Late);
    }
    for number in 0..1_100 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    rig.pass_to(400.0);
    for notice in [Notice::Flood, Notice::Late, Notice::Reminder] {
        let lines = named(&rig, notice);
        assert!(lines.iter().all(|alarms| alarms.len() <= GROUP_FULL));
        let all: std::collections::BTreeSet<_> = lines.iter().flatten().collect();
        assert!(all.len() > 1_000, "{notice:?}: {}", all.len());
    }
}
