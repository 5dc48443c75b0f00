//! One alarm and its ladder.

use super::*;

#[test]
fn steps_come_at_their_times_until_somebody_acknowledges() {
    let mut rig = Rig::new();
    rig.act(10.0, "farm/high", Act::Raise);
    rig.act(100.0, "farm/high", Act::Acknowledge);
    rig.pass_to(5_000.0);
    assert_eq!(
        rig.told("farm/high"),
        ["10 page 0 farm-1,farm-2", "70 page 1 farm-d"]
    );
    rig.act(6_000.0, "farm/high", Act::Clear);
    assert_eq!(
        rig.told("farm/high")[2..],
        ["6000 all_clear farm-1,farm-2,farm-d"]
    );
}

#[test]
fn whoever_was_told_is_reminded_while_nobody_acknowledges() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    rig.pass_to(650.0);
    assert_eq!(
        rig.told("farm/high")[3..],
        [
            "300 reminder farm-1,farm-2,farm-d,boss",
            "600 reminder farm-1,farm-2,farm-d,boss"
        ]
    );
    // Gone is not seen, but there is nothing to act on any more.
    rig.act(700.0, "farm/high", Act::Clear);
    rig.pass_to(5_000.0);
    assert_eq!(
        rig.told("farm/high")[5..],
        ["700 all_clear farm-1,farm-2,farm-d,boss"]
    );
}

#[test]
fn a_line_for_each_output_and_one_when_none_is_named() {
    let mut rig = Rig::new();
    rig.act(0.0, "pit/hot", Act::Raise);
    rig.act(0.0, "yard/door", Act::Raise);
    rig.pass_to(60.0);
    assert_eq!(
        rig.told("pit/hot"),
        [
            "0 page 0 pit-1,pit-2 over room",
            "0 page 0 pit-1,pit-2 over chat",
            "60 page 1 pit-d"
        ]
    );
    assert_eq!(
        rig.told("yard/door"),
        ["0 page 0 over room", "0 page 0 over chat"],
        "an area without persons"
    );
    let line = rig.log.last().expect("a line");
    let subject = line.subject.as_ref().expect("an alarm");
    assert_eq!((subject.occurrence, subject.annunciated), (1, true));
    assert_eq!(
        line.details.message.as_deref(),
        Some("not acknowledged for 60 s")
    );
}

#[test]
fn every_annunciation_begins_again_at_step_0() {
    for (again, persons) in [
        (&[Act::Acknowledge, Act::Realarm][..], "farm-1,farm-2"),
        (
            &[Act::Shelve, Act::Unshelve { by_time: true }][..],
            "farm-1,farm-2",
        ),
        (
            &[
                Act::Acknowledge,
                Act::Shelve,
                Act::Unshelve { by_time: true },
            ][..],
            "farm-1,farm-2",
        ),
        (
            &[Act::Shelve, Act::Unshelve { by_time: false }][..],
            "farm-1,farm-2",
        ),
        (&[Act::Clear, Act::Raise][..], "farm-1,farm-2"),
    ] {
        let mut rig = Rig::new();
        rig.act(0.0, "farm/high", Act::Raise);
        for act in again {
            rig.act(100.0, "farm/high", *act);
        }
        rig.pass_to(170.0);
        let told = rig.told("farm/high");
        let pages: Vec<_> = told.iter().filter(|line| line.contains("page")).collect();
        assert_eq!(
            pages[2..],
            [&format!("100 page 0 {persons}"), "160 page 1 farm-d"],
            "{again:?}"
        );
    }
}

#[test]
fn a_person_who_takes_an_overlay_off_is_looking_at_an_acknowledged_alarm() {
    let mut rig = Rig::new();
    for act in [
        Act::Raise,
        Act::Acknowledge,
        Act::Shelve,
        Act::Unshelve { by_time: false },
    ] {
        rig.act(10.0, "farm/high", act);
    }
    rig.pass_to(5_000.0);
    assert_eq!(rig.told("farm/high"), ["10 page 0 farm-1,farm-2"]);
}

#[test]
fn nobody_is_told_beneath_an_overlay_but_that_it_is_over() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(10.0, "farm/high", Act::Shelve);
    rig.act(100.0, "farm/high", Act::Clear);
    rig.act(200.0, "farm/high", Act::Raise);
    rig.act(300.0, "farm/high", Act::Clear);
    rig.pass_to(5_000.0);
    assert_eq!(
        rig.told("farm/high"),
        ["0 page 0 farm-1,farm-2", "100 all_clear farm-1,farm-2"]
    );
}

#[test]
fn the_all_clear_waits_until_the_page_can_have_been_seen() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(3.0, "farm/high", Act::Clear);
    rig.pass_to(100.0);
    assert_eq!(
        rig.told("farm/high"),
        ["0 page 0 farm-1,farm-2", "20 all_clear farm-1,farm-2"]
    );
    let event = rig.log.last().expect("the all-clear");
    assert_eq!(
        (event.details.duration_s, event.details.peak),
        (Some(1.5), Some(9.0))
    );
    let subject = event.subject.as_ref().expect("an alarm");
    assert_eq!(subject.state, AlarmState::ReturnedUnacknowledged);
}

#[test]
fn nobody_is_told_that_it_is_over_while_it_is_not() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(3.0, "farm/high", Act::Clear);
    rig.act(5.0, "farm/high", Act::Raise);
    assert_eq!(
        rig.told("farm/high"),
        [
            "0 page 0 farm-1,farm-2",
            "5 all_clear farm-1,farm-2",
            "5 page 0 farm-1,farm-2"
        ],
        "and the page that follows says so"
    );
    let over = &rig.log[rig.log.len() - 2];
    let subject = over.subject.as_ref().expect("an alarm");
    assert_eq!(
        (subject.occurrence, subject.state),
        (1, AlarmState::ReturnedUnacknowledged)
    );
    // Beneath an overlay there is no page that could follow.
    rig.act(10.0, "farm/high", Act::Clear);
    rig.act(11.0, "farm/high", Act::Shelve);
    rig.act(12.0, "farm/high", Act::Raise);
    rig.pass_to(50.0);
    assert_eq!(rig.told("farm/high").len(), 3);
    rig.act(60.0, "farm/high", Act::Clear);
    assert_eq!(rig.told("farm/high")[3..], ["60 all_clear farm-1,farm-2"]);
}

#[test]
fn a_latched_alarm_is_over_after_its_reset() {
    let mut rig = Rig::new();
    rig.latching = true;
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(30.0, "farm/high", Act::Clear);
    rig.act(50.0, "farm/high", Act::Acknowledge);
    rig.pass_to(100.0);
    assert_eq!(rig.told("farm/high").len(), 1);
    rig.act(100.0, "farm/high", Act::Reset);
    assert_eq!(rig.told("farm/high")[1..], ["100 all_clear farm-1,farm-2"]);
}

#[test]
fn an_old_acknowledgement_stops_nothing() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(30.0, "farm/high", Act::Clear);
    rig.act(40.0, "farm/high", Act::Raise);
    // Of occurrence 1, beside the one that runs.
    let present = rig.plant.present("farm/high").expect("configured");
    let mut event = Event {
        at: moment(50.0),
        kind: EventKind::Acknowledged,
        subject: Some(Subject {
            occurrence: 1,
            state: AlarmState::Normal,
            ..present.subject.clone()
        }),
        cause: Cause::Operator,
        details: Details::default(),
        record: Some(present.record),
        others: Vec::new(),
    };
    assert_eq!(rig.notifier.observe(&mut event, false), []);
    rig.pass_to(100.0);
    assert_eq!(
        rig.told("farm/high").last().map(String::as_str),
        Some("100 page 1 farm-d")
    );
}

#[test]
fn a_higher_severity_is_told_as_if_it_had_just_begun_and_a_lower_one_is_not() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/level", Act::Raise);
    rig.act(10.0, "farm/level", Act::Acknowledge);
    rig.act(100.0, "farm/level", Act::Severity);
    rig.pass_to(160.0);
    assert_eq!(
        rig.told("farm/level"),
        [
            "0 page 0 farm-1,farm-2 over room",
            "100 page 0 farm-1,farm-2",
            "160 page 1 farm-d"
        ]
    );
    let mut lower = rig.happen("farm/level", Act::Severity).expect("critical");
    if let Some(subject) = &mut lower.subject {
        subject.priority = Priority::Low;
    }
    assert_eq!(rig.notifier.observe(&mut lower, false), []);
}

#[test]
fn what_is_found_in_delayed_data_is_told_once_and_has_no_ladder() {
    let mut rig = Rig::new();
    rig.act(10.0, "farm/high", Act::Late);
    rig.pass_to(5_000.0);
    assert_eq!(rig.told("farm/high"), ["10 late farm-1,farm-2"]);
    let message = rig.log[1].details.message.as_deref();
    assert_eq!(
        message,
        Some("happened while disconnected, and is over: 1 occurrence found in delayed data")
    );
    // Beneath an overlay nobody is told.
    rig.act(6_000.0, "farm/high", Act::Shelve);
    rig.act(6_001.0, "farm/high", Act::Late);
    rig.pass_to(9_000.0);
    assert_eq!(rig.told("farm/high").len(), 1);
}

#[test]
fn of_a_priority_without_a_ladder_nobody_is_told() {
    let mut settings = settings();
    settings.policies.remove(&Priority::High);
    let plant = [("a/high".to_owned(), "farm".to_owned(), Priority::High)];
    let mut rig = Rig::of(&plant, settings);
    rig.act(0.0, "a/high", Act::Raise);
    rig.pass_to(5_000.0);
    assert_eq!(rig.log.len(), 1);
    assert_eq!(rig.log[0].record.as_ref().expect("stored").notices, None);
}

#[test]
fn the_view_shows_that_a_page_is_held() {
    let held = |rig: &Rig, alarm: &str| {
        let mut views = rig.notifier.views(rig.now);
        views
            .find(|(own, _)| *own == alarm)
            .is_some_and(|(_, view)| view.held)
    };
    let mut rig = Rig::new();
    super::storms::bounce(&mut rig, "farm/level", &[0, 20, 40]);
    rig.act(50.0, "farm/level", Act::Raise);
    assert!(held(&rig, "farm/level"), "it chatters");
    let mut rig = super::storms::storm(15);
    for number in 0..15 {
        rig.act(1.0, &format!("P{number:03}/high"), Act::Raise);
    }
    assert!(held(&rig, "P014/high"), "a flood");
    assert!(!held(&rig, "P000/high"));
}

#[test]
fn the_view_shows_who_was_told_and_who_is_next() {
    let mut rig = Rig::new();
    rig.act(10.0, "farm/high", Act::Raise);
    let view = |rig: &Rig| {
        let views = rig.notifier.views(rig.now);
        views.map(|(alarm, view)| (alarm.to_owned(), view)).next()
    };
    let (alarm, shown) = view(&rig).expect("one is being told of");
    assert_eq!(alarm, "farm/high");
    assert_eq!((shown.steps, shown.held), (1, false));
    assert_eq!(shown.next_step_at, Some(moment(70.0).wall));
    assert_eq!(
        shown.told[0].persons[..],
        ["farm-1".into(), "farm-2".into()]
    );
    rig.act(20.0, "farm/high", Act::Acknowledge);
    assert_eq!(view(&rig).expect("still active").1.next_step_at, None);
    rig.act(60.0, "farm/high", Act::Clear);
    assert_eq!(view(&rig), None);
}
