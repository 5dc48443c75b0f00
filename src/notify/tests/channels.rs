//! Outputs that fail, and what is told over others instead.

use super::*;

const ROOM: &str = "gateway.output.room/state";
const CHAT: &str = "gateway.output.chat/state";

/// Over `steps`, a minute apart, each an output or, with none, to the responsible persons.
fn rig(steps: &[Option<&str>]) -> Rig {
    let step = |(index, output): (u64, &Option<&str>)| Step {
        after: secs(60 * index),
        to: vec![match output {
            Some(output) => Target::Output((*output).into()),
            None => role(Role::Responsible),
        }],
    };
    let mut settings = settings();
    let ladder = settings.policies.get_mut(&Priority::High).expect("it is");
    ladder.steps = (0..).zip(steps).map(step).collect();
    let own = |id: &str| (format!("gateway.output.{id}").into(), id.into());
    settings.outputs_of_own = ["room", "chat"].map(own).into();
    let alarms = [
        ("farm/high", "farm", Priority::High),
        (ROOM, "", Priority::Low),
        (CHAT, "", Priority::Low),
    ];
    Rig::of(
        &alarms.map(|(id, area, priority)| (id.into(), area.into(), priority)),
        settings,
    )
}

const OVER_BOTH: [Option<&str>; 4] = [Some("room"), Some("room"), Some("chat"), Some("room")];

#[test]
fn steps_are_brought_forward_until_one_leads_over_an_output_that_works() {
    let mut rig = rig(&OVER_BOTH);
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(30.0, ROOM, Act::Raise);
    rig.pass_to(299.0);
    assert_eq!(
        rig.told("farm/high"),
        [
            "0 page 0 over room",
            "30 page 1 over room",
            "30 page 2 over chat",
            "180 page 3 over room"
        ],
        "each once, and the last at its time: chat works"
    );
    let of_alarm =
        |event: &&Event| (event.subject.as_ref()).is_some_and(|own| &*own.point == "farm");
    let pages = rig.log.iter().filter(of_alarm);
    let words: Vec<_> = pages
        .filter_map(|page| page.details.message.as_deref())
        .collect();
    let hurried = "perhaps nobody has heard: what it was told over does not deliver";
    assert_eq!(words, [hurried, hurried, "not acknowledged for 3 min"]);
}

#[test]
fn an_alarm_that_comes_while_an_output_fails_does_not_wait_for_it() {
    let mut rig = rig(&OVER_BOTH);
    rig.act(0.0, ROOM, Act::Raise);
    rig.act(100.0, "farm/high", Act::Raise);
    rig.pass_to(279.0);
    assert_eq!(
        rig.told("farm/high"),
        [
            "100 page 0 over room",
            "100 page 1 over room",
            "100 page 2 over chat"
        ]
    );
}

#[test]
fn nothing_is_brought_forward_where_no_other_way_is_left() {
    let mut rig = rig(&OVER_BOTH);
    rig.act(0.0, ROOM, Act::Raise);
    rig.act(0.0, CHAT, Act::Raise);
    rig.act(10.0, "farm/high", Act::Raise);
    rig.pass_to(40.0);
    assert_eq!(rig.told("farm/high"), ["10 page 0 over room"]);
    rig.act(50.0, CHAT, Act::Clear);
    rig.pass_to(60.0);
    assert_eq!(
        rig.told("farm/high")[1..],
        ["50 page 1 over room", "50 page 2 over chat"],
        "as soon as there is one"
    );
}

#[test]
fn whoever_acknowledged_has_heard() {
    let mut rig = rig(&OVER_BOTH);
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(20.0, "farm/high", Act::Acknowledge);
    rig.act(30.0, ROOM, Act::Raise);
    rig.pass_to(1_000.0);
    assert_eq!(rig.told("farm/high"), ["0 page 0 over room"]);
}

#[test]
fn an_output_that_works_again_is_waited_for() {
    let mut rig = rig(&OVER_BOTH);
    rig.act(0.0, ROOM, Act::Raise);
    rig.act(5.0, ROOM, Act::Clear);
    rig.act(10.0, "farm/high", Act::Raise);
    rig.pass_to(69.0);
    assert_eq!(rig.told("farm/high"), ["10 page 0 over room"]);
}

#[test]
fn persons_alone_are_reached_while_any_output_works() {
    let mut rig = rig(&[None, Some("chat")]);
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(10.0, ROOM, Act::Raise);
    rig.pass_to(59.0);
    assert_eq!(rig.told("farm/high"), ["0 page 0 farm-1,farm-2"]);
}

#[test]
fn a_restart_does_not_forget_which_outputs_fail() {
    let mut rig = rig(&OVER_BOTH);
    rig.act(0.0, ROOM, Act::Raise);
    let kept = rig.log.len();
    rig.power_cut(kept, 20.0);
    rig.act(30.0, "farm/high", Act::Raise);
    assert_eq!(
        rig.told("farm/high"),
        [
            "30 page 0 over room",
            "30 page 1 over room",
            "30 page 2 over chat"
        ]
    );
}

#[test]
fn a_restart_between_the_failure_and_what_follows_loses_neither() {
    let mut rig = rig(&OVER_BOTH);
    rig.act(0.0, "farm/high", Act::Raise);
    rig.act(10.0, ROOM, Act::Raise);
    let failure = rig.log.iter().position(|event| {
        let own = event.subject.as_ref();
        own.is_some_and(|own| &*own.alarm == ROOM) && event.kind == EventKind::Raised
    });
    rig.power_cut(failure.expect("it is there") + 1, 20.0);
    rig.pass_to(21.0);
    assert_eq!(
        rig.told("farm/high"),
        [
            "0 page 0 over room",
            "20 page 1 over room",
            "20 page 2 over chat"
        ]
    );
}
