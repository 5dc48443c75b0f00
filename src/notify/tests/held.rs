//! What becomes of pages that are held back when something else happens to their alarms: later steps,
//! overlays, another severity, a power cut.

use super::storms::{bounce, message, notified, storm};
use super::*;
use crate::engine::notice::Partial;
use crate::notify::gate::GroupKey;

fn steps(rig: &Rig) -> BTreeMap<(Arc<str>, u16), u32> {
    let mut told = BTreeMap::<_, u32>::new();
    let lines = rig.log.iter();
    for event in lines.filter(|event| event.kind == EventKind::Notified) {
        let Some(step) = event.details.step else {
            continue;
        };
        for record in event.record.iter().chain(&event.others) {
            *told.entry((Arc::clone(&record.alarm), step)).or_default() += 1;
        }
    }
    told
}

/// Floods are counted by annunciations: eighteen pages of six alarms are none.
#[test]
fn later_steps_of_a_few_alarms_make_no_flood() {
    let mut rig = storm(10);
    for number in 0..6 {
        rig.act(f64::from(number), &format!("P{number:03}/high"), Act::Raise);
    }
    rig.pass_to(200.0);
    assert_eq!(notified(&rig).len(), 18);
    for alarm in ["P006/high", "P008/high"] {
        rig.act(200.0, alarm, Act::Raise);
    }
    assert_eq!(
        notified(&rig)[18..],
        [
            "P006/high 200 page 0 farm-1,farm-2",
            "P008/high 200 page 0 farm-1,farm-2"
        ]
    );
}

/// Whoever is told only of an alarm that stays for a while is spared one that chatters, too.
#[test]
fn a_first_step_that_has_time_is_held_at_its_time_while_the_alarm_chatters() {
    let mut settings = settings();
    let policy = settings.policies.get_mut(&Priority::Medium);
    policy.expect("it has a ladder").steps[0].after = secs(30);
    let plant = [("farm/level".to_owned(), "farm".to_owned(), Priority::Medium)];
    let mut rig = Rig::of(&plant, settings);
    bounce(&mut rig, "farm/level", &[0, 20, 40]);
    rig.act(100.0, "farm/level", Act::Raise);
    let raised = rig.log.last().and_then(|event| event.subject.as_ref());
    assert!(raised.is_some_and(|own| own.annunciated), "not held yet");
    rig.pass_to(129.0);
    assert_eq!(rig.notifier.counts().chatter, 0);
    rig.pass_to(130.0);
    assert_eq!(rig.notifier.counts().chatter, 1);
    assert_eq!(rig.told("farm/level"), [""; 0]);
    rig.pass_to(640.0);
    let told = rig.told("farm/level");
    let last = told.last().map(String::as_str);
    assert_eq!(last, Some("640 chatter 0 farm-1,farm-2 over room"));
}

/// With two steps of one alarm waiting, the summary of the first leaves the second waiting for its own.
#[test]
fn each_held_step_comes_with_the_summary_of_its_own_group() {
    let mut settings = NotifySettings {
        may_be_held: vec![true; 20],
        ..settings()
    };
    let policy = settings.policies.get_mut(&Priority::High);
    policy.expect("it has a ladder").group_every = secs(100);
    let plant = (0..20).map(|number| {
        let alarm = format!("P{number:03}/high");
        (alarm, "farm".to_owned(), Priority::High)
    });
    let mut rig = Rig::of(&plant.collect::<Vec<_>>(), settings);
    for number in 0..20 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    rig.pass_to(99.0);
    let held = |rig: &Rig| {
        let ladder = rig.notifier.cases["P015/high"].ladder.as_ref();
        ladder.map(|ladder| ladder.held.clone())
    };
    assert_eq!(held(&rig), Some(vec![0, 1]));
    rig.pass_to(100.0);
    assert_eq!(held(&rig), Some(vec![1]));
    rig.pass_to(400.0);
    let told = steps(&rig);
    for number in 0..20 {
        for step in 0..3 {
            let times = told.get(&(format!("P{number:03}/high").into(), step));
            assert_eq!(times, Some(&1), "P{number:03}, step {step}");
        }
    }
}

/// What was paged by itself in the end, at a higher severity, is reminded of by itself.
#[test]
fn a_page_at_a_higher_severity_does_not_join_the_group_that_it_was_held_in() {
    let mut rig = storm(15);
    for number in 0..15 {
        rig.act(1.0, &format!("P{number:03}/high"), Act::Raise);
    }
    rig.act(20.0, "P014/high", Act::Severity);
    let page = "P014/high 20 page 0 farm-1,farm-2 over room";
    assert!(notified(&rig).iter().any(|line| line == page));
    rig.pass_to(62.0);
    let alone = |alarm: &str| {
        let ladder = rig.notifier.cases[alarm].ladder.as_ref();
        ladder.is_some_and(|ladder| !ladder.grouped)
    };
    assert!(alone("P014/high"));
    assert!(!alone("P012/high"));
}

#[test]
fn a_power_cut_does_not_uncount_what_was_held_and_is_no_longer_wanted() {
    let mut rig = storm(15);
    for number in 0..15 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    rig.act(5.0, "P014/high", Act::Acknowledge);
    let kept = rig.log.len();
    rig.power_cut(kept, 30.0);
    rig.pass_to(200.0);
    let flood = |event: &&Event| event.details.notice == Some(Notice::Flood);
    let messages = rig
        .log
        .iter()
        .filter(flood)
        .map(|event| &event.details.message);
    let counted = messages
        .flatten()
        .find(|message| message.contains("P014/high"));
    assert_eq!(
        counted.map(String::as_str),
        Some(
            "1 page of area farm held back in a flood: P014/high; 1 over, acknowledged, covered or told meanwhile"
        )
    );
}

#[test]
fn a_summary_that_was_told_is_not_told_again_after_a_power_cut() {
    let mut rig = storm(30);
    for number in 0..30 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    rig.pass_to(60.0);
    let kept = rig.log.len();
    rig.power_cut(kept, 61.0);
    rig.pass_to(400.0);
    let told = steps(&rig);
    for number in 0..30 {
        let times = told.get(&(format!("P{number:03}/high").into(), 0));
        assert_eq!(times, Some(&1), "P{number:03}");
    }
}

/// The first of two outputs was told; then the second is configured no more: nothing is left to do.
#[test]
fn a_half_told_step_is_done_when_the_other_half_is_gone() {
    let mut rig = Rig::new();
    rig.act(0.0, "pit/hot", Act::Raise);
    let policy = rig.settings.policies.get_mut(&Priority::Critical);
    let first = &mut policy.expect("it has a ladder").steps[0];
    first.to.pop();
    rig.power_cut(2, 10.0);
    assert_eq!(rig.log.len(), 2, "nothing is told");
    let ladder = rig.notifier.cases["pit/hot"].ladder.as_ref();
    assert_eq!(ladder.expect("it runs").partial, None);
}

#[test]
fn delayed_data_found_before_an_overlay_are_told_to_nobody_beneath_it() {
    let mut rig = storm(15);
    for number in 0..15 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Late);
    }
    // Held: P012 and P014 of one area, P013 of the other.
    rig.act(20.0, "P013/high", Act::Shelve);
    rig.act(20.0, "P014/high", Act::Shelve);
    let kept = rig.log.len();
    rig.power_cut(kept, 30.0);
    rig.pass_to(200.0);
    assert_eq!(rig.told("P012/high"), ["30 late farm-1,farm-2"]);
    for covered in ["P013/high", "P014/high"] {
        assert_eq!(rig.told(covered), [""; 0], "{covered}");
    }
}

#[test]
fn a_summary_of_delayed_data_forgets_what_is_covered_and_names_the_occurrence() {
    let mut rig = storm(15);
    for number in (0..15).chain([12]) {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Late);
    }
    rig.act(20.0, "P013/high", Act::Shelve);
    rig.pass_to(60.0);
    let late = |event: &&Event| event.details.notice == Some(Notice::Late);
    let last = rig.log.iter().rev().find(late).expect("the summary");
    assert_eq!(said(last), "60 late farm-1,farm-2");
    let occurrence = last.subject.as_ref().map(|own| own.occurrence);
    assert_eq!(occurrence, Some(2), "the newest of P012");
    assert!(message(&rig, Notice::Late).contains("3 occurrences"));
    assert!(rig.notifier.cases["P013/high"].late.is_none());
}

/// What a start sums up at once it does once: later pages of a flood wait as ever.
#[test]
fn after_a_start_the_pages_of_a_flood_are_held_as_before_it() {
    let mut rig = storm(40);
    rig.act(0.0, "P000/high", Act::Raise);
    let kept = rig.log.len();
    rig.power_cut(kept, 100.0);
    for number in 1..40 {
        rig.act(200.0, &format!("P{number:03}/high"), Act::Raise);
    }
    let lines = notified(&rig).len();
    rig.pass_to(259.0);
    assert_eq!(notified(&rig).len(), lines, "nothing before its summary");
    let flood = |rig: &Rig| {
        let lines = notified(rig);
        lines.iter().filter(|line| line.contains("flood 0")).count()
    };
    assert_eq!(flood(&rig), 0);
    rig.pass_to(262.0);
    assert_eq!(flood(&rig), 2);
}

/// The page that was held before its severity changed waits in the group of the severity it was held with; the
/// summary of another priority does not tell it.
#[test]
fn a_page_waits_in_the_group_of_its_own_priority_and_step() {
    let mut rig = storm(15);
    for number in 0..15 {
        rig.act(1.0, &format!("P{number:03}/high"), Act::Raise);
    }
    let held = rig.notifier.cases["P014/high"].ladder.as_ref();
    let held = held.expect("it is held");
    for (priority, step, waits) in [
        (Priority::High, 0, true),
        (Priority::High, 1, false),
        (Priority::Critical, 0, false),
        (Priority::Medium, 1, false),
    ] {
        let key = GroupKey {
            priority: Reverse(priority),
            area: Some("farm".into()),
            step,
        };
        assert_eq!(held.waits_in(&key), waits, "{priority:?} {step}");
    }
}

/// A step that was told over one of its outputs is still news; others that are due after a reminder are not.
#[test]
fn half_a_step_is_news_until_it_is_told() {
    let mut rig = Rig::new();
    rig.act(0.0, "pit/hot", Act::Raise);
    let case = rig.notifier.cases.get_mut("pit/hot");
    let ladder = case.and_then(|case| case.ladder.as_mut());
    let ladder = ladder.expect("it runs");
    assert!(!ladder.is_news(0) && !ladder.is_news(1), "all were told");
    ladder.partial = Some(Partial {
        step: 1,
        outputs: 1,
    });
    assert!(ladder.is_news(1) && !ladder.is_news(0));
}
