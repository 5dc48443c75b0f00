//! Power fails.

use super::*;

#[test]
fn overdue_steps_come_once_and_at_once() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    let kept = rig.log.len();
    rig.power_cut(kept, 1_000.0);
    rig.pass_to(1_700.0);
    assert_eq!(
        rig.told("farm/high"),
        [
            "0 page 0 farm-1,farm-2",
            "1000 reminder farm-1,farm-2",
            "1000 page 1 farm-d",
            "1000 page 2 boss",
            "1300 reminder farm-1,farm-2,farm-d,boss",
            "1600 reminder farm-1,farm-2,farm-d,boss"
        ]
    );
}

#[test]
fn a_short_cut_moves_no_step() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    for seconds in [10.0, 20.0, 30.0] {
        let kept = rig.log.len();
        rig.power_cut(kept, seconds);
    }
    rig.pass_to(320.0);
    assert_eq!(
        rig.told("farm/high"),
        [
            "0 page 0 farm-1,farm-2",
            "60 page 1 farm-d",
            "180 page 2 boss",
            "300 reminder farm-1,farm-2,farm-d,boss"
        ]
    );
}

#[test]
fn a_cut_between_the_raise_and_its_page_loses_no_page() {
    let mut rig = Rig::new();
    rig.act(5.0, "pit/hot", Act::Raise);
    for (kept, lines) in [(1, 2), (2, 1), (3, 0)] {
        let mut cut = Rig::new();
        cut.act(5.0, "pit/hot", Act::Raise);
        assert_eq!(cut.log.len(), 3);
        cut.power_cut(kept, 8.0);
        assert_eq!(cut.log.len(), kept + lines, "cut after {kept}");
        assert_eq!(
            cut.told("pit/hot")
                .last()
                .map(String::as_str)
                .unwrap_or_default(),
            if lines == 0 {
                "5 page 0 pit-1,pit-2 over chat"
            } else {
                "8 page 0 pit-1,pit-2 over chat"
            }
        );
    }
}

#[test]
fn who_was_told_is_told_that_it_is_over_also_after_a_restart() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(30.0, "farm/high", Act::Acknowledge);
    let kept = rig.log.len();
    rig.power_cut(kept, 500.0);
    rig.pass_to(5_000.0);
    assert_eq!(
        rig.told("farm/high").len(),
        1,
        "no new page of an acknowledged alarm"
    );
    rig.act(5_000.0, "farm/high", Act::Clear);
    assert_eq!(rig.told("farm/high")[1..], ["5000 all_clear farm-1,farm-2"]);

    // The all-clear itself was on its way.
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(3.0, "farm/high", Act::Clear);
    let kept = rig.log.len();
    rig.power_cut(kept, 10.0);
    rig.pass_to(50.0);
    assert_eq!(rig.told("farm/high")[1..], ["20 all_clear farm-1,farm-2"]);
}

#[test]
fn a_hold_goes_on_with_its_count() {
    let mut rig = Rig::new();
    for second in [0.0, 10.0, 20.0, 30.0, 40.0] {
        rig.act(second, "farm/level", Act::Raise);
        rig.act(second + 1.0, "farm/level", Act::Clear);
    }
    let kept = rig.log.len();
    rig.power_cut(kept, 100.0);
    rig.act(200.0, "farm/level", Act::Raise);
    rig.pass_to(620.0);
    let last = rig.log.last().expect("the summary");
    assert_eq!(said(last), "620 chatter 0 farm-1,farm-2 over room");
    assert_eq!(
        last.details.message.as_deref(),
        Some("3 pages held back within 10 min; now active")
    );
}

#[test]
fn pages_held_in_a_flood_are_told_after_the_restart_once() {
    let plant: Vec<_> = (0..30)
        .map(|number| {
            (
                format!("P{number:02}/high"),
                "farm".to_owned(),
                Priority::High,
            )
        })
        .collect();
    let settings = NotifySettings {
        may_be_held: vec![true; 30],
        ..settings()
    };
    let mut rig = Rig::of(&plant, settings);
    for (id, ..) in &plant {
        rig.act(0.0, id, Act::Raise);
    }
    rig.act(5.0, "P29/high", Act::Acknowledge);
    let kept = rig.log.len();
    rig.power_cut(kept, 30.0);
    rig.pass_to(59.0);
    let steps = |rig: &Rig| {
        let mut told = BTreeMap::<(Arc<str>, u16), u32>::new();
        for event in rig
            .log
            .iter()
            .filter(|event| event.kind == EventKind::Notified)
        {
            let Some(step) = event.details.step else {
                continue;
            };
            for record in event.record.iter().chain(&event.others) {
                *told.entry((Arc::clone(&record.alarm), step)).or_default() += 1;
            }
        }
        told
    };
    // The flood goes on, but at once comes all that waited: what is wanted no longer, and what is.
    assert_eq!(rig.log.len(), kept + 2);
    assert_eq!(
        said(&rig.log[kept + 1]),
        "30 flood 0 farm-1,farm-2",
        "overdue steps come at once"
    );
    rig.pass_to(300.0);
    for (id, ..) in &plant[..29] {
        let told = steps(&rig)[&(id.as_str().into(), 0)];
        assert_eq!(told, 1, "{id}");
    }
}

#[test]
fn a_changed_ladder_goes_on_with_the_next_number() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    rig.pass_to(70.0);
    let policy = rig
        .settings
        .policies
        .get_mut(&Priority::High)
        .expect("there");
    // Steps 0 and 1 are done. The new ladder has another person in front and is tighter.
    let boss = Step {
        after: secs(1),
        to: vec![Target::Person("wang".into())],
    };
    policy.steps.insert(0, boss);
    let kept = rig.log.len();
    rig.power_cut(kept, 80.0);
    rig.pass_to(250.0);
    assert_eq!(
        rig.told("farm/high"),
        [
            "0 page 0 farm-1,farm-2",
            "60 page 1 farm-d",
            "80 page 2 farm-d",
            "180 page 3 boss"
        ]
    );
}

#[test]
fn an_alarm_of_a_journal_that_knows_no_notices_is_paged() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    for event in &mut rig.log {
        for record in event.record.iter_mut() {
            record.notices = None;
        }
    }
    rig.power_cut(1, 50.0);
    rig.pass_to(61.0);
    assert_eq!(
        rig.told("farm/high"),
        ["50 page 0 farm-1,farm-2", "60 page 1 farm-d"]
    );
}

#[test]
fn of_a_removed_alarm_people_are_told_that_it_is_over() {
    let mut rig = Rig::new();
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(3.0, "farm/high", Act::Clear);
    let record = rig.log.last().and_then(|event| event.record.clone());
    let history = History {
        records: vec![record.expect("stored")],
        ..History::default()
    };
    let nothing = Plant(BTreeMap::new());
    let now = moment(5.0);
    let mut notifier = Notifier::restore(settings(), &history, false, &nothing, now);
    let lines = notifier.forget_removed(&history, &nothing, now);
    assert_eq!(
        lines.iter().map(said).collect::<Vec<_>>(),
        ["5 all_clear farm-1,farm-2"]
    );
    let stored = lines[0].record.as_ref().expect("stored with it");
    assert_eq!(stored.state, AlarmState::Normal);
    assert_eq!((notifier.due(), notifier.cases.len()), (None, 0));
}
