//! What was told over an output before it stopped delivering: heard, or among what waits there.

use super::super::super::station::Station;
use super::super::pair::{drain, plant, read};
use super::*;

/// Mail at once, chat after an hour.
const OVER_CHAT_LATE: [(u64, &[&str]); 2] = [(0, &["mail"]), (3_600, &["chat"])];

fn late() -> Rig {
    rig(&["mail", "chat"], &OVER_CHAT_LATE)
}

/// The pages of `farm/high` behind its first.
fn later(rig: &Rig) -> Vec<String> {
    let mut told = rig.told(HIGH);
    told.retain(|line| line.contains(" page ") && !line.contains(" page 0 "));
    told
}

#[test]
fn what_was_told_well_before_an_output_fell_silent_was_heard() {
    for (silent, early) in [(10.0, true), (89.0, true), (90.0, false), (1_000.0, false)] {
        let mut rig = late();
        rig.act(0.0, HIGH, Act::Raise);
        rig.signal(silent, "mail", false);
        rig.pass_to(3_599.0);
        let expected = format!("{silent} page 1 over chat");
        let expected: Vec<String> = early.then_some(expected).into_iter().collect();
        assert_eq!(later(&rig), expected, "silent at {silent}");
        rig.pass_to(3_600.0);
        assert_eq!(later(&rig).len(), 1, "at its time at the latest");
        assert_eq!(words(&rig).contains(&(HURRIED, true)), early);
    }
}

/// The alarm that somebody has heard of waits; the one that is told into the silence does not.
#[test]
fn what_is_told_during_the_silence_was_not_heard() {
    let mut rig = rig(
        &["mail", "chat"],
        &[(0, &["mail"]), (300, &["mail"]), (3_600, &["chat"])],
    );
    rig.act(0.0, HIGH, Act::Raise);
    rig.signal(200.0, "mail", false);
    rig.act(250.0, "pit/hot", Act::Raise);
    rig.pass_to(3_599.0);
    assert_eq!(later(&rig), ["300 page 1 over mail"]);
    let mut hot = rig.told("pit/hot");
    hot.retain(|line| line.contains("page"));
    let expected = ["0 over mail", "1 over mail", "2 over chat"];
    assert_eq!(hot, expected.map(|step| format!("250 page {step}")));
}

/// Of two steps one is enough, whichever.
#[test]
fn who_heard_one_step_has_heard() {
    for (mail, pager, early) in [
        (200.0_f64, 150.0_f64, false),
        (150.0, 300.0, false),
        (300.0, 200.0, false),
        (101.0, 150.0, false),
        (80.0, 150.0, true),
    ] {
        let steps: [(u64, &[&str]); 3] = [(0, &["mail"]), (70, &["pager"]), (3_600, &["chat"])];
        let mut rig = rig(&["mail", "chat", "pager"], &steps);
        rig.act(0.0, HIGH, Act::Raise);
        let mut signals = [(mail, "mail"), (pager, "pager")];
        signals.sort_by(|one, other| one.0.total_cmp(&other.0));
        for (at, output) in signals {
            rig.signal(at, output, false);
        }
        rig.pass_to(3_599.0);
        assert_eq!(later(&rig).len() > 1, early, "mail {mail}, pager {pager}");
    }
}

#[test]
fn a_new_annunciation_is_heard_anew() {
    let mut rig = late();
    rig.act(0.0, HIGH, Act::Raise);
    rig.act(10.0, HIGH, Act::Acknowledge);
    rig.signal(200.0, "mail", false);
    rig.act(300.0, HIGH, Act::Realarm);
    rig.pass_to(301.0);
    assert_eq!(later(&rig), ["300 page 1 over chat"]);
}

/// One event that went through is no proof that what waits did.
#[test]
fn an_output_that_delivers_for_a_moment_was_silent_all_along() {
    for (again, early) in [(505.0, true), (589.0, true), (590.0, false)] {
        let mut rig = late();
        rig.signal(0.0, "mail", false);
        rig.signal(0.0, "chat", false);
        rig.act(50.0, HIGH, Act::Raise);
        rig.signal(500.0, "mail", true);
        rig.signal(again, "mail", false);
        rig.pass_to(600.0);
        assert_eq!(later(&rig), [""; 0], "no way is left");
        rig.signal(610.0, "chat", true);
        rig.pass_to(3_000.0);
        let expected: &[&str] = if early {
            &["610 page 1 over chat"]
        } else {
            &[]
        };
        assert_eq!(later(&rig), expected, "silent again at {again}");
    }
}

/// What was told before a restart may wait if the output turns out to be down at once, and not if it dies later.
#[test]
fn a_restart_forgets_when_steps_were_told_but_not_for_long() {
    for (silent, early) in [(1_005.0, true), (1_089.0, true), (1_090.0, false)] {
        let mut rig = late();
        rig.act(0.0, HIGH, Act::Raise);
        rig.pass_to(900.0);
        let kept = rig.log.len();
        rig.power_cut(kept, 1_000.0);
        rig.signal(silent, "mail", false);
        rig.pass_to(3_599.0);
        let expected = format!("{silent} page 1 over chat");
        let expected: Vec<String> = early.then_some(expected).into_iter().collect();
        assert_eq!(later(&rig), expected, "silent at {silent}");
    }
}

/// Thirteen alarms of one area, a second apart: the last two wait for a summary.
fn flood(steps: &[(u64, &[&str])]) -> Rig {
    let alarm = |number: usize| format!("P{number}/high");
    let plant: Vec<_> = (0..13)
        .map(|number| (alarm(number), "farm".to_owned(), Priority::High))
        .collect();
    let mut settings = on(&["mail", "chat"], steps);
    settings.may_be_held = vec![true; plant.len()];
    let mut rig = Rig::of(&plant, settings);
    for number in 0..13 {
        rig.act(number as f64, &alarm(number), Act::Raise);
    }
    assert_eq!(rig.notifier.counts().waiting, 2);
    rig
}

/// What was brought forward and waits for a summary was not told yet.
#[test]
fn nothing_is_brought_forward_past_a_later_step_that_a_flood_holds() {
    let mut rig = flood(&[(0, &["mail"]), (300, &["mail"]), (900, &["chat"])]);
    rig.signal(20.0, "mail", false);
    rig.pass_to(21.0);
    let chat = |rig: &Rig| {
        let lines = rig.log.iter();
        let lines = lines.filter(|event| event.details.output.as_deref() == Some("chat"));
        lines
            .flat_map(|event| event.record.iter().chain(&event.others))
            .count()
    };
    assert_eq!(chat(&rig), 1, "of the first alarm");
    assert_eq!(rig.notifier.counts().waiting, 2 + 10, "a second step each");
    rig.pass_to(299.0);
    assert_eq!(chat(&rig), 13, "behind the summaries");
}

/// The page that a flood held is told with its summary.
#[test]
fn a_summary_is_when_the_pages_in_it_were_told() {
    let mut rig = flood(&[(0, &["mail"]), (900, &["chat"])]);
    rig.pass_to(119.0);
    assert_eq!(rig.notifier.counts().waiting, 0, "the summary is out");
    rig.signal(120.0, "mail", false);
    rig.pass_to(899.0);
    let mut early: BTreeSet<&str> = BTreeSet::new();
    for event in rig.log.iter().filter(|event| event.details.step == Some(1)) {
        assert!(event.details.unheard, "{event:?}");
        let records = event.record.iter().chain(&event.others);
        early.extend(records.map(|record| &*record.alarm));
    }
    assert_eq!(early, BTreeSet::from(["P11/high", "P12/high"]));
}

/// As is the page that is held while its alarm chatters.
#[test]
fn the_end_of_a_hold_is_when_the_page_in_it_was_told() {
    for (silent, early) in [(700.0, true), (740.0, false)] {
        let mut rig = late();
        bounce(&mut rig, "farm/level", &[0, 20, 40]);
        rig.act(50.0, "farm/level", Act::Raise);
        rig.signal(silent, "mail", false);
        rig.pass_to(1_000.0);
        let told = rig.told("farm/level");
        assert!(told.contains(&"640 chatter 0 over mail".to_owned()));
        let page = format!("{silent} page 1 over chat");
        assert_eq!(told.contains(&page), early, "{told:?}");
    }
}

/// Mail that has no address for whom it names, and nobody else to write to.
#[test]
fn mail_leads_to_nobody_who_has_no_address() {
    let persons = |ids: &[&str]| Audience::Persons(ids.iter().map(|id| (*id).into()).collect());
    let everybody = Audience::Readers;
    // Over which outputs the responsible are told; whom mail reaches; is the second step brought forward?
    let cases: [(&[&str], Audience, bool); 5] = [
        (&["mail", "chat"], persons(&["farm-d"]), true),
        (&["mail", "chat"], persons(&["farm-d", "farm-2"]), false),
        (&["mail", "chat"], everybody, false),
        // It leads to nobody whether chats deliver or not: that is told by `check`.
        (&["mail"], persons(&["farm-d"]), false),
        (&["mail", "room"], persons(&["farm-d"]), false),
    ];
    for (number, (over, audience, early)) in cases.into_iter().enumerate() {
        let steps: [(u64, &[&str]); 2] = [(0, over), (600, &["pager"])];
        let mut settings = on(&["mail", "chat", "pager", "room"], &steps);
        for policy in settings.policies.values_mut() {
            policy.steps[0].to.push(role(Role::Responsible));
        }
        settings.channels[0].audience = audience;
        let plant = PLANT.map(|(id, area, priority, _)| (id.into(), area.into(), priority));
        let mut rig = Rig::of(&plant, settings);
        rig.act(0.0, HIGH, Act::Raise);
        rig.signal(10.0, "chat", false);
        rig.pass_to(599.0);
        assert_eq!(!later(&rig).is_empty(), early, "case {number}");
    }
}

/// Board and outputs slept: what an output says after that may have been so before.
#[test]
fn an_output_that_is_silent_after_a_pause_was_silent_before_it() {
    const MAIL: u32 = 3;
    for (silent, early) in [(4_005.0, true), (4_090.0, false)] {
        let own =
            |at: u32| crate::engine::settings::PointSettings::new(&format!("own-{at}"), vec![]);
        let mut plant = plant();
        plant.points.extend([own(MAIL), own(MAIL + 1)]);
        let mut settings = on(&["mail", "chat"], &[(0, &["mail"]), (7_200, &["chat"])]);
        for (channel, at) in settings.channels.iter_mut().zip(MAIL..) {
            channel.status = PointIndex(at);
        }
        let mut station = Station::start(&plant, settings, &History::default(), moment(0.0));
        read(&mut station, 0, 9.0, 1.0);
        station.tick(moment(10.0));
        station.paused(moment(20.0), moment(4_000.0));
        read(&mut station, MAIL, 2.0, silent);
        station.tick(moment(5_000.0));
        let of_high = |event: &Event| {
            event
                .subject
                .as_ref()
                .is_some_and(|it| &*it.alarm == "A/high")
        };
        let early_pages = drain(&mut station)
            .into_iter()
            .filter(|event| of_high(event) && event.details.unheard);
        assert_eq!(
            early_pages.count(),
            usize::from(early),
            "silent at {silent}"
        );
    }
}
