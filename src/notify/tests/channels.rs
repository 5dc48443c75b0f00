//! Outputs that do not deliver, and what is told over others instead. `mail`, `chat` and `pager` go to people, `room`
//! and `line` to programs.

mod heard;
mod lives;

use super::super::channels::{Audience, Channel};
use super::storms::bounce;
use super::*;
use crate::engine::reading::PointIndex;

const OUTPUTS: [(&str, bool); 5] = [
    ("mail", true),
    ("chat", true),
    ("pager", true),
    ("room", false),
    ("line", false),
];
const HIGH: &str = "farm/high";
const HURRIED: &str = "perhaps nobody has heard: what it was told over does not deliver";

/// Ladders of all priorities with these steps, each a list of outputs; with none, to the responsible persons. `present`
/// are all outputs.
fn on(present: &[&str], steps: &[(u64, &[&str])]) -> NotifySettings {
    let step = |(after, outputs): &(u64, &[&str])| Step {
        after: secs(*after),
        to: match outputs {
            [] => vec![role(Role::Responsible)],
            outputs => (outputs.iter())
                .map(|id| Target::Output((*id).into()))
                .collect(),
        },
    };
    let mut settings = settings();
    for policy in settings.policies.values_mut() {
        policy.steps = steps.iter().map(step).collect();
    }
    settings.outputs = present.iter().map(|id| (*id).into()).collect();
    let known = OUTPUTS.iter().filter(|(id, _)| present.contains(id));
    let channel = |((id, people), index): (&(&str, bool), u32)| Channel {
        output: (*id).into(),
        status: PointIndex(100 + index),
        audience: if *people {
            Audience::Readers
        } else {
            Audience::Programs
        },
    };
    settings.channels = known.zip(0..).map(channel).collect();
    settings
}

fn rig(present: &[&str], steps: &[(u64, &[&str])]) -> Rig {
    let plant = PLANT.map(|(id, area, priority, _)| (id.into(), area.into(), priority));
    Rig::of(&plant, on(present, steps))
}

/// Mail, mail, chat, mail; a minute between them.
const OVER_BOTH: [(u64, &[&str]); 4] = [
    (0, &["mail"]),
    (60, &["mail"]),
    (120, &["chat"]),
    (180, &["mail"]),
];

fn both() -> Rig {
    rig(&["mail", "chat"], &OVER_BOTH)
}

/// What is said with each page of `farm/high`, and whether it is marked as early.
fn words(rig: &Rig) -> Vec<(&str, bool)> {
    let own = |event: &&Event| (event.subject.as_ref()).is_some_and(|own| &*own.alarm == HIGH);
    let pages = rig.log.iter().filter(own);
    pages
        .filter_map(|page| Some((page.details.message.as_deref()?, page.details.unheard)))
        .collect()
}

#[test]
fn the_next_steps_come_at_once_until_one_leads_over_an_output_that_delivers() {
    let mut rig = both();
    rig.act(0.0, HIGH, Act::Raise);
    rig.signal(30.0, "mail", false);
    rig.pass_to(299.0);
    assert_eq!(
        rig.told(HIGH),
        [
            "0 page 0 over mail",
            "30 page 1 over mail",
            "30 page 2 over chat",
            "180 page 3 over mail"
        ],
        "each once, and the last at its time: chat delivers"
    );
    let expected = [
        (HURRIED, true),
        (HURRIED, true),
        ("not acknowledged for 3 min", false),
    ];
    assert_eq!(words(&rig), expected);
}

#[test]
fn an_alarm_that_comes_while_an_output_does_not_deliver_does_not_wait_for_it() {
    let mut rig = both();
    rig.signal(0.0, "mail", false);
    rig.act(100.0, HIGH, Act::Raise);
    rig.pass_to(279.0);
    assert_eq!(
        rig.told(HIGH),
        [
            "100 page 0 over mail",
            "100 page 1 over mail",
            "100 page 2 over chat"
        ]
    );
}

#[test]
fn nothing_is_brought_forward_where_no_way_is_left_and_all_as_soon_as_there_is_one() {
    let mut rig = both();
    rig.signal(0.0, "mail", false);
    rig.signal(0.0, "chat", false);
    rig.act(10.0, HIGH, Act::Raise);
    rig.pass_to(69.0);
    assert_eq!(rig.told(HIGH), ["10 page 0 over mail"]);
    rig.pass_to(70.0);
    assert_eq!(rig.told(HIGH)[1..], ["70 page 1 over mail"], "at its time");
    rig.signal(80.0, "chat", true);
    rig.pass_to(90.0);
    assert_eq!(rig.told(HIGH)[2..], ["80 page 2 over chat"]);
}

#[test]
fn an_output_that_delivers_again_is_waited_for() {
    let mut rig = both();
    rig.signal(0.0, "mail", false);
    rig.signal(5.0, "mail", true);
    rig.act(10.0, HIGH, Act::Raise);
    rig.pass_to(69.0);
    assert_eq!(rig.told(HIGH), ["10 page 0 over mail"]);
}

/// Acknowledged, covered, over: nobody waits for anything.
#[test]
fn what_nobody_calls_for_is_left_alone() {
    for act in [Act::Acknowledge, Act::Shelve, Act::Clear] {
        let mut rig = both();
        rig.act(0.0, HIGH, Act::Raise);
        rig.act(20.0, HIGH, act);
        rig.signal(30.0, "mail", false);
        rig.pass_to(1_000.0);
        let mut told = rig.told(HIGH);
        told.retain(|line| line.contains("page"));
        assert_eq!(told, ["0 page 0 over mail"], "{act:?}");
    }
}

/// `(outputs there are, steps, silent, is the second step brought forward?)`.
#[test]
fn programs_count_as_a_way_to_people_only_where_there_is_no_other() {
    type Case<'a> = (
        &'a [&'a str],
        [(u64, &'a [&'a str]); 2],
        &'a [&'a str],
        bool,
    );
    let every: &[&str] = &["mail", "room"];
    let cases: [Case<'_>; 9] = [
        // The first step as it is by default, with everything: the broker hides no dead mail.
        (
            &["mail", "room", "pager"],
            [(0, every), (60, &["pager"])],
            &["mail"],
            true,
        ),
        // A deputy over whatever there is: that is the dead mail.
        (every, [(0, every), (60, &[])], &["mail"], false),
        // Persons, over any output: one of those that go to people is enough.
        (
            &["mail", "chat", "pager"],
            [(0, &[]), (60, &["pager"])],
            &["mail"],
            false,
        ),
        (
            &["mail", "chat", "pager"],
            [(0, &["mail", "chat"]), (60, &[])],
            &["mail", "chat"],
            true,
        ),
        // A program that a step names alone is what somebody chose.
        (every, [(0, &["room"]), (60, &["mail"])], &["room"], true),
        (every, [(0, &["room"]), (60, &["mail"])], &["mail"], false),
        // Nothing but programs.
        (
            &["room", "line"],
            [(0, &[]), (60, &["line"])],
            &["room"],
            false,
        ),
        (
            &["room", "line"],
            [(0, &["room"]), (60, &[])],
            &["room"],
            true,
        ),
        (
            &["room", "line"],
            [(0, &["room"]), (60, &["line"])],
            &["line"],
            false,
        ),
    ];
    for (number, (present, steps, silent, early)) in cases.into_iter().enumerate() {
        let mut rig = rig(present, &steps);
        rig.act(0.0, HIGH, Act::Raise);
        for output in silent {
            rig.signal(10.0, output, false);
        }
        rig.pass_to(59.0);
        let told = rig.told(HIGH);
        let second = told.iter().filter(|line| line.starts_with("10 page 1"));
        assert_eq!(second.count() > 0, early, "case {number}: {told:?}");
    }
}

/// An earlier annunciation of the same occurrence went over the chat; this one did not.
#[test]
fn what_an_earlier_annunciation_told_is_no_comfort_to_this_one() {
    let mut rig = both();
    rig.act(0.0, HIGH, Act::Raise);
    rig.act(130.0, HIGH, Act::Shelve);
    rig.signal(140.0, "mail", false);
    rig.act(200.0, HIGH, Act::Unshelve { by_time: true });
    rig.pass_to(250.0);
    assert_eq!(
        rig.told(HIGH)[3..],
        [
            "200 page 0 over mail",
            "200 page 1 over mail",
            "200 page 2 over chat"
        ]
    );
}

/// The page that waits for its summary is not told yet; what follows comes after it.
#[test]
fn nothing_is_brought_forward_past_a_page_that_a_flood_holds() {
    let alarm = |number: usize| format!("P{number}/high");
    let plant: Vec<_> = (0..13)
        .map(|number| (alarm(number), "farm".to_owned(), Priority::High))
        .collect();
    let mut settings = on(&["mail", "chat"], &[(0, &["mail"]), (900, &["chat"])]);
    settings.may_be_held = vec![true; plant.len()];
    let mut rig = Rig::of(&plant, settings);
    rig.signal(0.0, "mail", false);
    for number in 0..13 {
        rig.act(number as f64, &alarm(number), Act::Raise);
    }
    rig.pass_to(69.0);
    let last = alarm(12);
    assert_eq!(
        rig.told(&alarm(9)),
        ["9 page 0 over mail", "9 page 1 over chat"]
    );
    assert_eq!(rig.told(&last), [""; 0]);
    assert_eq!(
        rig.notifier.counts().waiting,
        2,
        "two first pages, and no other"
    );
    rig.pass_to(140.0);
    let told = |step: u16| {
        let own = |event: &&Event| {
            let mut records = event.record.iter().chain(&event.others);
            event.details.step == Some(step) && records.any(|record| *record.alarm == *last)
        };
        let lines: Vec<_> = rig.log.iter().filter(own).collect();
        assert_eq!(lines.len(), 1, "step {step}: {lines:?}");
        (lines[0].at.mono, lines[0].details.unheard)
    };
    let ((first, early), (second, hurried)) = (told(0), told(1));
    assert!(!early && hurried, "it says why");
    assert!(first <= second && second < moment(140.0).mono);
}

/// The first page waits for the end of the hold; then the next is not waited for.
#[test]
fn nothing_is_brought_forward_past_a_page_that_is_held_while_an_alarm_chatters() {
    let mut rig = rig(&["mail", "chat"], &[(0, &["mail"]), (3_600, &["chat"])]);
    bounce(&mut rig, "farm/level", &[0, 20, 40]);
    rig.signal(45.0, "mail", false);
    rig.act(50.0, "farm/level", Act::Raise);
    rig.pass_to(639.0);
    let pages = |rig: &Rig| {
        let mut told = rig.told("farm/level");
        told.retain(|line| !line.contains("all_clear"));
        told
    };
    assert_eq!(pages(&rig)[2..], ["40 chatter 0 over mail"]);
    rig.pass_to(640.0);
    assert_eq!(
        pages(&rig)[3..],
        ["640 chatter 0 over mail", "640 page 1 over chat"]
    );
}

/// What was brought forward is on record: neither the restart nor its own time brings it again.
#[test]
fn a_restart_repeats_nothing_that_was_brought_forward() {
    for kept in 1..=4 {
        let mut rig = both();
        rig.signal(0.0, "mail", false);
        rig.act(10.0, HIGH, Act::Raise);
        assert_eq!(rig.log.len(), 4, "the raise and three pages");
        rig.power_cut(kept, 20.0);
        // Until it says so anew every output counts as delivering.
        rig.pass_to(29.0);
        rig.signal(30.0, "mail", false);
        rig.pass_to(1_000.0);
        let mut steps: Vec<_> = rig
            .log
            .iter()
            .filter_map(|event| event.details.step)
            .collect();
        assert!(steps.is_sorted(), "{steps:?}");
        steps.dedup();
        assert_eq!(steps, [0, 1, 2, 3], "{kept} events kept");
        let chat = rig
            .told(HIGH)
            .into_iter()
            .find(|line| line.contains("chat"));
        let at = if kept == 4 { "10" } else { "30" };
        assert_eq!(
            chat,
            Some(format!("{at} page 2 over chat")),
            "{kept} events kept"
        );
    }
}

/// What an output says is a reading of its point; only the last of its words counts, and a mere trouble is none.
#[test]
fn the_station_takes_the_word_of_an_output_from_its_point() {
    use super::super::station::Station;
    use super::pair::{drain, plant, read};

    const MAIL: u32 = 3;
    let own = |at: u32| crate::engine::settings::PointSettings::new(&format!("own-{at}"), vec![]);
    let mut plant = plant();
    plant.points.extend([own(MAIL), own(MAIL + 1)]);
    let mut settings = on(&["mail", "chat"], &[(0, &["mail"]), (600, &["chat"])]);
    for (channel, at) in settings.channels.iter_mut().zip(MAIL..) {
        channel.status = PointIndex(at);
    }
    let mut station = Station::start(&plant, settings, &History::default(), moment(0.0));
    read(&mut station, 0, 9.0, 1.0);
    station.tick(moment(10.0));
    let told = |station: &mut Station| {
        let lines = drain(station).into_iter();
        let lines = lines.filter(|event| event.kind == EventKind::Notified);
        lines.map(|line| said(&line)).collect::<Vec<_>>()
    };
    assert_eq!(told(&mut station), ["3 page 0 over mail"]);
    for (second, value) in [(11.0, 1.0), (12.0, 0.0), (13.0, 1.0)] {
        read(&mut station, MAIL, value, second);
        station.tick(moment(second + 0.5));
        assert_eq!(told(&mut station), [""; 0], "in trouble, and delivers");
    }
    read(&mut station, MAIL, 2.0, 14.0);
    assert_eq!(station.poll_timeout(), Some(moment(14.0).mono), "at once");
    station.tick(moment(14.0));
    assert_eq!(told(&mut station), ["14 page 1 over chat"]);
}
