//! What is held back: alarms that chatter, and floods.

use super::*;

/// Raises at each of these seconds, and clears a second later.
pub(super) fn bounce(rig: &mut Rig, alarm: &str, seconds: &[u32]) {
    for second in seconds {
        let second = f64::from(*second);
        rig.act(second, alarm, Act::Raise);
        rig.act(second + 1.0, alarm, Act::Clear);
    }
}

pub(super) fn message(rig: &Rig, notice: Notice) -> String {
    let mut lines = rig.log.iter().rev();
    let line = lines.find(|event| event.details.notice == Some(notice));
    let message = line.and_then(|event| event.details.message.clone());
    message.expect("it has one")
}

fn pages(rig: &Rig, alarm: &str) -> Vec<String> {
    let mut told = rig.told(alarm);
    told.retain(|line| !line.contains("all_clear"));
    told
}

#[test]
fn an_alarm_that_chatters_is_told_of_once_a_hold_with_a_count() {
    let mut rig = Rig::new();
    bounce(&mut rig, "farm/level", &[0, 20, 40, 60, 80, 100, 300]);
    rig.pass_to(639.0);
    assert_eq!(
        pages(&rig, "farm/level"),
        [
            "0 page 0 farm-1,farm-2 over room",
            "20 page 0 farm-1,farm-2 over room",
            "40 chatter 0 farm-1,farm-2 over room"
        ]
    );
    assert_eq!(
        message(&rig, Notice::Chatter),
        "raised 3 times within 60 s: further pages are held back and summed up every 10 min"
    );
    let counts = rig.notifier.counts();
    assert_eq!((counts.waiting, counts.chatter), (4, 4));
    let muted = rig
        .log
        .iter()
        .filter(|event| event.kind == EventKind::Raised);
    let muted = muted.filter(|event| event.subject.as_ref().is_some_and(|own| !own.annunciated));
    assert_eq!(
        muted.count(),
        4,
        "nobody was alerted, and the events say so"
    );
    rig.pass_to(640.0);
    assert_eq!(
        pages(&rig, "farm/level")[3..],
        ["640 chatter farm-1,farm-2 over room"]
    );
    assert_eq!(
        message(&rig, Notice::Chatter),
        "4 pages held back within 10 min; now not active"
    );
    assert_eq!(rig.notifier.counts().waiting, 0);
    // A hold without any ends it: the next raise is a page again.
    bounce(&mut rig, "farm/level", &[1_300]);
    assert_eq!(
        pages(&rig, "farm/level")[4..],
        ["1300 page 0 farm-1,farm-2 over room"]
    );
}

#[test]
fn two_raises_a_minute_are_no_chatter() {
    let mut rig = Rig::new();
    bounce(&mut rig, "farm/level", &[0, 30, 60, 90, 120]);
    assert_eq!(pages(&rig, "farm/level").len(), 5);
    assert!(
        pages(&rig, "farm/level")
            .iter()
            .all(|line| line.contains("page 0"))
    );
}

#[test]
fn a_page_that_was_held_is_told_with_the_summary_if_the_alarm_stays() {
    let mut rig = Rig::new();
    bounce(&mut rig, "farm/level", &[0, 20, 40]);
    rig.act(100.0, "farm/level", Act::Raise);
    rig.pass_to(700.0);
    let told = rig.told("farm/level");
    assert_eq!(
        told[told.len() - 4..],
        [
            // Nobody of the first step knows of it yet; the others are told at their times.
            "160 page 1 farm-d",
            "280 page 2 boss",
            "460 reminder farm-d,boss",
            "640 chatter 0 farm-1,farm-2 over room"
        ]
    );
    assert_eq!(
        message(&rig, Notice::Chatter),
        "1 page held back within 10 min; now active"
    );
    rig.act(710.0, "farm/level", Act::Clear);
    assert_eq!(
        rig.told("farm/level").last().map(String::as_str),
        Some("710 all_clear farm-d,boss,farm-1,farm-2")
    );
}

#[test]
fn nothing_urgent_no_hazard_and_nothing_that_comes_back_is_held() {
    for alarm in ["farm/high", "pit/gas", "pit/hot"] {
        let mut rig = Rig::new();
        bounce(&mut rig, alarm, &[0, 10, 20, 30, 40]);
        let told = pages(&rig, alarm);
        let first = told.iter().filter(|line| line.contains("page 0"));
        let lines = if alarm == "pit/hot" { 10 } else { 5 };
        assert_eq!(first.count(), lines, "{alarm}: {told:?}");
    }
    for comes_back in [
        &[Act::Acknowledge, Act::Realarm][..],
        &[Act::Shelve, Act::Unshelve { by_time: true }][..],
    ] {
        let mut rig = Rig::new();
        bounce(&mut rig, "farm/level", &[0, 10, 20]);
        rig.act(30.0, "farm/level", Act::Raise);
        let held = rig.told("farm/level").len();
        for act in comes_back {
            rig.act(40.0, "farm/level", *act);
        }
        let told = rig.told("farm/level");
        assert_eq!(
            told[held..],
            [
                "40 all_clear farm-1,farm-2",
                "40 page 0 farm-1,farm-2 over room"
            ],
            "{comes_back:?}"
        );
    }
}

#[test]
fn a_summary_waits_for_the_end_of_an_overlay_and_forgets_nothing() {
    let mut rig = Rig::new();
    bounce(&mut rig, "farm/level", &[0, 10, 20, 30, 40]);
    rig.act(100.0, "farm/level", Act::Shelve);
    rig.pass_to(2_000.0);
    assert_eq!(rig.notifier.counts().waiting, 2);
    rig.act(2_000.0, "farm/level", Act::Unshelve { by_time: false });
    rig.pass_to(2_600.0);
    assert!(message(&rig, Notice::Chatter).starts_with("2 pages held back"));
    assert_eq!(rig.notifier.counts().waiting, 0);
}

pub(super) fn storm(alarms: usize) -> Rig {
    let plant = (0..alarms).map(|number| {
        let area = if number % 2 == 0 { "farm" } else { "pit" };
        (
            format!("P{number:03}/high"),
            area.to_owned(),
            Priority::High,
        )
    });
    let settings = NotifySettings {
        may_be_held: vec![true; alarms],
        ..settings()
    };
    Rig::of(&plant.collect::<Vec<_>>(), settings)
}

pub(super) fn notified(rig: &Rig) -> Vec<String> {
    let lines = rig
        .log
        .iter()
        .filter(|event| event.kind == EventKind::Notified);
    lines
        .map(|event| {
            let subject = event.subject.as_ref().expect("an alarm");
            format!("{} {}", subject.alarm, said(event))
        })
        .collect()
}

#[test]
fn a_flood_is_told_of_by_area_and_every_page_is_in_it() {
    let mut rig = storm(41);
    for number in 0..41 {
        rig.act(1.0, &format!("P{number:03}/high"), Act::Raise);
    }
    // Ten alarms are no flood; then one page for each area goes out at once.
    assert_eq!(notified(&rig).len(), 12);
    let counts = rig.notifier.counts();
    assert_eq!((counts.waiting, counts.flood), (29, 29));
    rig.act(20.0, "P020/high", Act::Acknowledge);
    rig.act(20.0, "P022/high", Act::Clear);
    rig.pass_to(60.9);
    assert_eq!(notified(&rig).len(), 12);
    rig.pass_to(61.0);
    let lines = notified(&rig);
    // Step 1 of whoever was told, two pages of the flood, and two summaries of step 0.
    let flood: Vec<_> = lines.iter().filter(|line| line.contains("flood")).collect();
    assert_eq!(
        flood,
        [
            "P012/high 61 flood 0 farm-1,farm-2",
            "P013/high 61 flood 0 pit-1,pit-2"
        ]
    );
    let farm = rig
        .log
        .iter()
        .find(|event| event.details.notice == Some(Notice::Flood));
    let farm = farm.expect("a summary");
    assert_eq!(
        farm.details.message.as_deref(),
        Some(
            "15 pages of area farm held back in a flood: P012/high, P014/high, P016/high, P018/high, \
             P024/high, P026/high, P028/high, P030/high and 7 more; 2 over, acknowledged, covered or told \
             meanwhile"
        )
    );
    assert_eq!(
        farm.others.len(),
        14,
        "the records of all of them go with it"
    );
    rig.pass_to(400.0);
    for number in (12..41).filter(|number| ![20, 22].contains(number)) {
        let alarm = format!("P{number:03}/high");
        let case = &rig.notifier.cases[&*alarm];
        let told = &case.ladder.as_ref().expect("it runs").told[0].persons;
        assert_eq!(told.len(), 4, "{alarm}: everybody of the three steps");
    }
}

/// Whose page was held and who is covered by the time of the summary: nobody is told of that alarm alone.
#[test]
fn a_summary_of_what_lies_beneath_overlays_tells_nobody() {
    let mut rig = storm(15);
    for number in 0..15 {
        rig.act(1.0, &format!("P{number:03}/high"), Act::Raise);
    }
    // Held: P012 and P014 of one area, P013 of the other.
    assert_eq!(rig.notifier.counts().waiting, 3);
    rig.act(20.0, "P012/high", Act::Shelve);
    rig.act(20.0, "P013/high", Act::Shelve);
    rig.pass_to(61.0);
    let lines = notified(&rig);
    let flood: Vec<_> = lines.iter().filter(|line| line.contains("flood")).collect();
    assert_eq!(flood, ["P014/high 61 flood 0 farm-1,farm-2"]);
    // Once it is uncovered it calls like any other.
    rig.act(700.0, "P013/high", Act::Unshelve { by_time: true });
    let last = notified(&rig).pop();
    assert_eq!(last.as_deref(), Some("P013/high 700 page 0 pit-1,pit-2"));
}

#[test]
fn who_was_told_together_is_reminded_together() {
    let mut rig = storm(31);
    for number in 0..31 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    rig.pass_to(359.0);
    let before = notified(&rig).len();
    rig.pass_to(361.0);
    let lines = notified(&rig);
    let reminders: Vec<_> = lines[before..]
        .iter()
        .filter(|line| line.contains("reminder"))
        .collect();
    assert_eq!(
        reminders,
        [
            "P012/high 360 reminder farm-1,farm-2,farm-d,boss",
            "P013/high 360 reminder pit-1,pit-2,pit-d,boss"
        ]
    );
    let message = message(&rig, Notice::Reminder);
    assert!(message.contains("P013/high, P015/high"), "{message}");
}

#[test]
fn the_all_clear_of_a_page_that_was_held_goes_to_whoever_heard_the_summary() {
    let mut rig = storm(30);
    for number in 0..30 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    rig.act(30.0, "P028/high", Act::Clear);
    rig.act(100.0, "P026/high", Act::Clear);
    assert_eq!(
        rig.told("P028/high"),
        [""; 0],
        "nobody was told that it was active"
    );
    assert_eq!(
        rig.told("P026/high").last().map(String::as_str),
        Some("100 all_clear farm-1,farm-2")
    );
}

#[test]
fn delayed_data_of_a_whole_area_is_summed_up() {
    let mut rig = storm(40);
    for number in 0..40 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Late);
    }
    assert_eq!(notified(&rig).len(), 12);
    let counts = rig.notifier.counts();
    assert_eq!((counts.waiting, counts.flood), (28, 28));
    rig.pass_to(100.0);
    assert_eq!(
        notified(&rig)[12..],
        [
            "P012/high 60 late farm-1,farm-2",
            "P013/high 60 late pit-1,pit-2"
        ]
    );
    assert!(
        message(&rig, Notice::Late)
            .starts_with("happened while disconnected, and is over: 14 occurrences found in delayed data of area pit: P013/high")
    );
    assert_eq!(rig.notifier.counts().waiting, 0);
}

#[test]
fn a_storm_of_thousands_is_a_few_lines() {
    let mut rig = storm(3_000);
    for number in 0..3_000 {
        rig.act(0.0, &format!("P{number:03}/high"), Act::Raise);
    }
    rig.pass_to(59.0);
    let lines = notified(&rig);
    // Ten, one for each area, and a summary whenever 500 pages wait.
    assert!(lines.len() < 20, "{} lines", lines.len());
}
