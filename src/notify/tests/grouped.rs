//! Devices and brokers that are lost: what their points say of their silence is grouped.

mod lives;

use super::*;
use crate::notify::settings::Holder;

const DEVICE: &str = "gateway.device.d/state";

/// The device, whose points lie in the farm and the pit, and what is said of their silence. `CRIT` is more
/// urgent than the device, `HIDES` hides a hazard, `YARD` lies where only an output is told.
const SILENCE: [(&str, &str, Priority); 6] = [
    ("FARM/stale", "farm", Priority::Medium),
    ("PIT/stale", "pit", Priority::High),
    ("PIT/bad", "pit", Priority::Medium),
    ("CRIT/stale", "farm", Priority::Critical),
    ("HIDES/stale", "farm", Priority::Medium),
    ("YARD/stale", "", Priority::Low),
];

/// Those that are grouped when the device speaks.
const GROUPED: [&str; 3] = ["FARM/stale", "PIT/stale", "PIT/bad"];

fn lines() -> Vec<(String, String, Priority)> {
    let device = (DEVICE, "", Priority::High);
    let all = std::iter::once(device).chain(SILENCE);
    all.map(|(id, area, priority)| (id.to_owned(), area.to_owned(), priority))
        .collect()
}

fn settings_of_lost(may_be_held: bool) -> NotifySettings {
    let mut settings = settings();
    let steps = &mut settings
        .policies
        .get_mut(&Priority::High)
        .expect("it has a ladder")
        .steps;
    steps[0].to.push(Target::Output("room".into()));
    let both = [&settings.areas["farm"], &settings.areas["pit"]];
    let of =
        |role: fn(&Roles) -> &Vec<Holder>| both.iter().flat_map(move |roles| role(roles)).cloned();
    let roles = Roles {
        responsible: of(|roles| &roles.responsible).collect(),
        deputy: of(|roles| &roles.deputy).collect(),
        principal: vec!["boss".into()],
    };
    settings.areas.insert("farm, pit".into(), roles);
    let own = ("gateway.device.d".into(), "farm, pit".into());
    settings.areas_of_own = [own].into();
    settings.lost_with = std::iter::once(None)
        .chain(SILENCE.map(|_| Some(DEVICE.into())))
        .collect();
    settings.may_be_held = vec![may_be_held; SILENCE.len() + 1];
    settings
}

fn rig() -> Rig {
    Rig::of(&lines(), settings_of_lost(false))
}

fn grouped(rig: &Rig, alarm: &str) -> bool {
    let mut raises = rig.log.iter().rev().filter(|event| {
        let own = event.subject.as_ref();
        event.kind == EventKind::Raised && own.is_some_and(|own| &*own.alarm == alarm)
    });
    let raised = raises.next().expect("it was raised");
    let under = raised.details.grouped_under.as_deref();
    let annunciated = raised.subject.as_ref().is_some_and(|own| own.annunciated);
    assert_eq!(under.is_some(), !annunciated, "{raised:?}");
    under == Some(DEVICE)
}

#[test]
fn silence_is_grouped_under_a_device_that_was_told_of() {
    let mut rig = rig();
    rig.act(0.0, DEVICE, Act::Raise);
    assert_eq!(
        rig.told(DEVICE),
        ["0 page 0 farm-1,farm-2,pit-1,pit-2 over room"]
    );
    for (alarm, ..) in SILENCE {
        rig.act(2.0, alarm, Act::Raise);
        assert_eq!(grouped(&rig, alarm), GROUPED.contains(&alarm), "{alarm}");
    }
    assert_eq!(rig.notifier.counts().grouped, 3);
    let views: BTreeMap<_, _> = rig.notifier.views(rig.now).collect();
    assert_eq!(views["FARM/stale"].under.as_deref(), Some(DEVICE));
    assert_eq!(views["FARM/stale"].next_step_at, None);
    assert_eq!(views["CRIT/stale"].under, None);
    rig.pass_to(2_000.0);
    for alarm in GROUPED {
        assert_eq!(rig.told(alarm), [""; 0], "{alarm}");
    }
    assert_eq!(
        rig.told("HIDES/stale")[0],
        "2 page 0 farm-1,farm-2 over room"
    );
    assert_eq!(rig.told("YARD/stale")[0], "2 page 0 over room");
}

#[test]
fn a_page_that_was_sent_before_the_device_was_lost_stands() {
    let mut rig = rig();
    rig.act(0.0, "FARM/stale", Act::Raise);
    rig.act(1.0, DEVICE, Act::Raise);
    rig.pass_to(100.0);
    assert_eq!(
        rig.told("FARM/stale"),
        ["0 page 0 farm-1,farm-2 over room", "60 page 1 farm-d"]
    );
}

/// Its own page comes 20 s after nobody speaks for it any more, with the steps of its own ladder from then.
#[test]
fn what_is_left_alone_is_told_of_after_a_while() {
    for (what, end) in [("over", Act::Clear), ("shelved", Act::Shelve)] {
        let mut rig = rig();
        rig.act(0.0, DEVICE, Act::Raise);
        rig.act(2.0, "FARM/stale", Act::Raise);
        rig.act(2.0, "PIT/stale", Act::Raise);
        rig.act(50.0, DEVICE, Act::Acknowledge);
        rig.act(500.0, DEVICE, end);
        rig.act(519.0, "PIT/stale", Act::Clear);
        rig.pass_to(600.0);
        assert_eq!(
            rig.told("FARM/stale"),
            ["520 page 0 farm-1,farm-2 over room", "580 page 1 farm-d"],
            "{what}"
        );
        assert_eq!(rig.told("PIT/stale"), [""; 0], "it came back in time");
        let page = rig.log.iter().find(|event| event.at == moment(520.0));
        assert_eq!(
            page.and_then(|event| event.details.message.as_deref()),
            Some("still so, and gateway.device.d/state does not speak for it any more")
        );
    }
}

/// A device that comes and goes speaks on while it is lost; the time between counts in all, power cuts in
/// any of its spans included.
#[test]
fn a_device_that_comes_and_goes_hides_nothing_for_longer() {
    for cuts in [
        &[][..],
        &[105.0],
        &[115.0],
        &[122.0, 203.0],
        &[105.0, 115.0],
    ] {
        let mut rig = rig();
        let mut cuts = cuts.iter().peekable();
        for (second, alarm, act) in [
            (0.0, DEVICE, Act::Raise),
            (2.0, "FARM/stale", Act::Raise),
            (100.0, DEVICE, Act::Clear),
            (110.0, DEVICE, Act::Raise),
            (119.0, DEVICE, Act::Clear),
            (125.0, DEVICE, Act::Raise),
            (200.0, DEVICE, Act::Clear),
        ] {
            while let Some(cut) = cuts.next_if(|cut| **cut < second) {
                rig.pass_to(*cut);
                rig.power_cut(rig.log.len(), *cut);
            }
            assert_eq!(rig.told("FARM/stale"), [""; 0], "before {second}");
            rig.act(second, alarm, act);
        }
        for cut in cuts {
            rig.pass_to(*cut);
            rig.power_cut(rig.log.len(), *cut);
        }
        rig.pass_to(230.0);
        assert_eq!(
            rig.told("FARM/stale"),
            ["204 page 0 farm-1,farm-2 over room"]
        );
    }
}

/// Power that fails again and again does not begin the time anew.
#[test]
fn restarts_keep_nothing_silent() {
    let mut rig = rig();
    rig.act(0.0, DEVICE, Act::Raise);
    rig.act(2.0, "FARM/stale", Act::Raise);
    rig.act(100.0, DEVICE, Act::Clear);
    for (lost, back) in [(110.0, 115.0), (117.0, 119.0)] {
        rig.pass_to(lost);
        rig.power_cut(rig.log.len(), back);
    }
    rig.pass_to(200.0);
    let page = ["120 page 0 farm-1,farm-2 over room", "180 page 1 farm-d"];
    assert_eq!(rig.told("FARM/stale"), page);
}

/// Whoever would be told by a later step, or sooner than of the device, is.
#[test]
fn nobody_is_reached_by_the_device_later_than_by_the_point() {
    let person = |after, id: &str| Step {
        after: secs(after),
        to: vec![Target::Person(id.into())],
    };
    for (own, device, alike) in [
        (person(60, "boss"), None, false),
        (person(60, "boss"), Some(person(60, "boss")), true),
        (person(60, "boss"), Some(person(30, "boss")), true),
        (person(60, "boss"), Some(person(61, "boss")), false),
        (person(60, "farm-1"), None, true),
    ] {
        let mut settings = settings_of_lost(false);
        for (priority, step) in [
            (Priority::Medium, Some(own.clone())),
            (Priority::High, device),
        ] {
            let policy = settings.policies.get_mut(&priority).expect("a ladder");
            policy.steps.truncate(1);
            policy.steps.extend(step);
        }
        let what = format!("{own:?} {:?}", settings.policies[&Priority::High].steps);
        let mut rig = Rig::of(&lines(), settings);
        rig.act(0.0, DEVICE, Act::Raise);
        rig.act(2.0, "FARM/stale", Act::Raise);
        assert_eq!(grouped(&rig, "FARM/stale"), alike, "{what}");
    }
}

/// A person who shelves an alarm, and time that ends the shelf, want it by its own name.
#[test]
fn what_comes_back_is_not_grouped() {
    let mut rig = rig();
    rig.act(0.0, DEVICE, Act::Raise);
    rig.act(2.0, "FARM/stale", Act::Raise);
    rig.act(10.0, "FARM/stale", Act::Shelve);
    rig.act(100.0, "FARM/stale", Act::Unshelve { by_time: true });
    assert_eq!(
        rig.told("FARM/stale"),
        ["100 page 0 farm-1,farm-2 over room"]
    );
    rig.act(2.0, "PIT/stale", Act::Raise);
    rig.act(110.0, "PIT/stale", Act::Severity);
    assert_eq!(rig.told("PIT/stale").len(), 2, "over both outputs");
}

/// In a flood the device's own page may wait: nobody has heard of it yet.
#[test]
fn a_device_that_nobody_was_told_of_speaks_for_nothing() {
    let mut plant = lines();
    plant.extend((0..12).map(|number| {
        let alarm = format!("P{number:02}/high");
        (alarm, "farm, pit".to_owned(), Priority::High)
    }));
    let mut settings = settings_of_lost(true);
    settings.may_be_held.resize(plant.len(), true);
    let mut rig = Rig::of(&plant, settings);
    for number in 0..12 {
        rig.act(0.0, &format!("P{number:02}/high"), Act::Raise);
    }
    rig.act(1.0, DEVICE, Act::Raise);
    assert_eq!(rig.told(DEVICE), [""; 0], "it waits for the summary");
    rig.act(2.0, "PIT/stale", Act::Raise);
    assert!(!grouped(&rig, "PIT/stale"));
    rig.pass_to(60.0);
    rig.act(61.0, "FARM/stale", Act::Raise);
    assert!(
        grouped(&rig, "FARM/stale"),
        "the summary told of the device"
    );
}

#[test]
fn another_reason_than_silence_is_told_at_once() {
    let mut rig = rig();
    rig.act(0.0, DEVICE, Act::Raise);
    rig.act(2.0, "PIT/bad", Act::Raise);
    for (second, reason, cause, told) in [
        (3.0, "not_connected", Cause::Process, 0),
        (4.0, "config_change", Cause::Config, 0),
        (5.0, "sensor_failure", Cause::Process, 1),
    ] {
        rig.pass_to(second);
        let present = rig.plant.present("PIT/bad").expect("it is configured");
        let mut event = Event {
            at: rig.now,
            kind: EventKind::Changed,
            subject: Some(present.subject),
            cause,
            details: Details {
                reason: Some(reason.to_owned()),
                ..Details::default()
            },
            record: Some(present.record),
            others: Vec::new(),
        };
        let lines = rig.notifier.observe(&mut event, false);
        assert_eq!(lines.len(), told, "{reason}");
    }
}

#[test]
fn a_restart_keeps_grouped_what_still_has_a_speaker() {
    for (moved, told) in [(false, 0), (true, 1)] {
        let mut rig = rig();
        rig.act(0.0, DEVICE, Act::Raise);
        rig.act(2.0, "FARM/stale", Act::Raise);
        if moved {
            // The point is read from another device from now on.
            rig.settings.lost_with[1] = Some("gateway.device.e/state".into());
        }
        let kept = rig.log.len();
        rig.power_cut(kept, 30.0);
        rig.pass_to(49.0);
        assert_eq!(rig.told("FARM/stale"), [""; 0]);
        rig.pass_to(50.0);
        assert_eq!(rig.told("FARM/stale").len(), told, "moved: {moved}");
        if !moved {
            rig.act(100.0, DEVICE, Act::Clear);
            rig.pass_to(120.0);
            assert_eq!(rig.told("FARM/stale").len(), 1, "it is known whose it is");
        }
    }
}
