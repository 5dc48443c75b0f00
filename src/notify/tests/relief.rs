//! The rota turns while an alarm calls. In `farm` the responsible person is on call by a rota: `wang`, from
//! [`HAND_OVER`] on `li`.

use super::super::channels::{Audience, Channel};
use super::super::rota::{Offsets, Rota};
use super::super::settings::{Holder, Roles};
use super::*;
use crate::engine::reading::PointIndex;

const HIGH: &str = "farm/high";
const HAND_OVER: u32 = 120;
const SHIFT: u32 = 12 * 3_600;

/// Steps as in the other tests; the first over `mail`.
fn with_rota() -> NotifySettings {
    let mut settings = settings();
    let begins = moment(0.0).wall.unix_nanos() / 1_000_000_000 - 3 * i64::from(SHIFT);
    let rota = Rota {
        begins: begins + i64::from(HAND_OVER),
        every: secs(SHIFT.into()),
        order: vec![vec!["li".into()], vec!["anna".into()], vec!["wang".into()]],
        swaps: Vec::new(),
        offsets: Arc::new(Offsets::default()),
    };
    settings.rotas.insert("farm".into(), rota);
    let roles = Roles {
        responsible: vec![Holder::OnCall("farm".into())],
        deputy: vec!["farm-d".into()],
        principal: vec!["boss".into()],
    };
    settings.areas.insert("farm".into(), roles);
    settings
}

fn rig(settings: NotifySettings) -> Rig {
    let plant = PLANT.map(|(id, area, priority, _)| (id.into(), area.into(), priority));
    Rig::of(&plant, settings)
}

#[test]
fn whoever_comes_on_duty_is_told_within_a_minute_and_reminded_with_the_others() {
    let mut rig = rig(with_rota());
    rig.act(100.0, HIGH, Act::Raise);
    rig.pass_to(401.0);
    assert_eq!(
        rig.told(HIGH),
        [
            "100 page 0 wang",
            "160 reminder li",
            "160 page 1 farm-d",
            "280 page 2 boss",
            "400 reminder wang,li,farm-d,boss",
        ]
    );
    // Over a shift, and whoever follows.
    rig.pass_to(f64::from(HAND_OVER + SHIFT) + 61.0);
    let anna: Vec<_> = rig
        .told(HIGH)
        .into_iter()
        .filter(|line| line.contains("anna"))
        .collect();
    assert_eq!(anna.len(), 1, "{anna:?}");
    rig.act(f64::from(HAND_OVER + SHIFT) + 70.0, HIGH, Act::Clear);
    rig.pass_to(f64::from(HAND_OVER + SHIFT) + 200.0);
    let told = rig.told(HIGH);
    assert!(
        told.last()
            .is_some_and(|line| line.contains("all_clear wang,li,farm-d,boss,anna"))
    );
}

#[test]
fn whoever_comes_on_duty_is_told_of_nothing_that_is_acknowledged_covered_or_over() {
    for act in [Act::Acknowledge, Act::Shelve, Act::Clear] {
        let mut rig = rig(with_rota());
        rig.act(100.0, HIGH, Act::Raise);
        rig.act(110.0, HIGH, act);
        rig.pass_to(1_000.0);
        assert!(
            !rig.told(HIGH).iter().any(|line| line.contains("li")),
            "{act:?}"
        );
    }
}

#[test]
fn a_power_cut_over_the_hand_over_leaves_nobody_untold_and_tells_nobody_twice() {
    for cut in [110.0, 170.0] {
        let mut rig = rig(with_rota());
        rig.act(100.0, HIGH, Act::Raise);
        rig.pass_to(cut);
        rig.power_cut(rig.log.len(), 200.0);
        rig.pass_to(399.0);
        let told = rig.told(HIGH);
        let li = told.iter().filter(|line| line.contains("li"));
        assert_eq!(li.count(), 1, "cut at {cut}: {told:?}");
    }
}

/// A board whose clock was never set starts while a ladder runs: everybody of the rota is on call, and it is no
/// hand-over.
#[test]
fn with_a_clock_before_the_rota_begins_nobody_comes_on_duty() {
    let mut rig = rig(with_rota());
    rig.act(100.0, HIGH, Act::Raise);
    for rota in rig.settings.rotas.values_mut() {
        rota.begins += 10 * i64::from(SHIFT);
    }
    rig.power_cut(rig.log.len(), 110.0);
    rig.pass_to(401.0);
    assert_eq!(
        rig.told(HIGH),
        [
            "100 page 0 wang",
            "160 page 1 farm-d",
            "280 page 2 boss",
            "400 reminder wang,farm-d,boss",
        ]
    );
}

/// A ladder that runs is not told anew because the configuration is another.
#[test]
fn whoever_was_told_is_no_relief_over_an_output_that_is_new() {
    let mut rig = rig(with_rota());
    rig.act(0.0, HIGH, Act::Raise);
    rig.pass_to(10.0);
    rig.settings = over(&["mail", "chat"]);
    rig.power_cut(rig.log.len(), 20.0);
    rig.pass_to(119.0);
    assert_eq!(rig.told(HIGH), ["0 page 0 wang", "60 page 1 farm-d"]);
}

/// As [`with_rota`]; the first step names these outputs.
fn over(outputs: &[&str]) -> NotifySettings {
    let mut settings = with_rota();
    for policy in settings.policies.values_mut() {
        let outputs = outputs.iter().map(|id| Target::Output((*id).into()));
        policy.steps[0].to.extend(outputs);
    }
    settings
}

#[test]
fn a_power_cut_between_two_outputs_leaves_none_of_them_out() {
    let mut rig = rig(over(&["mail", "chat"]));
    rig.act(100.0, HIGH, Act::Raise);
    rig.pass_to(170.0);
    let is_relief = |event: &Event| {
        event.kind == EventKind::Notified && said(event) == "160 reminder li over mail"
    };
    let first = rig.log.iter().position(is_relief);
    rig.power_cut(first.expect("it was told") + 1, 200.0);
    rig.pass_to(300.0);
    let told = rig.told(HIGH);
    for output in ["mail", "chat"] {
        let line = format!("reminder li over {output}");
        let mut after = told.iter().filter(|told| !told.starts_with("160 "));
        assert!(after.any(|told| told.ends_with(&line)), "{told:?}");
    }
}

/// Else it would stay due for ever, and the tick that waits for nothing to be due would not end.
#[test]
fn without_a_policy_nobody_is_looked_for() {
    let mut rig = rig(with_rota());
    rig.act(5.0, HIGH, Act::Raise);
    rig.settings.policies.remove(&Priority::High);
    rig.power_cut(rig.log.len(), 10.0);
    assert_eq!(rig.notifier.due(), None);
}

/// Of alarms that a flood summed up one line tells whoever comes.
#[test]
fn what_a_flood_summed_up_is_handed_over_in_one_line() {
    let plant: Vec<_> = (0..40)
        .map(|number| {
            (
                format!("P{number:02}/high"),
                "farm".to_owned(),
                Priority::High,
            )
        })
        .collect();
    let settings = NotifySettings {
        may_be_held: vec![true; plant.len()],
        ..with_rota()
    };
    let mut rig = Rig::of(&plant, settings);
    for (alarm, ..) in &plant {
        rig.act(30.0, alarm, Act::Raise);
    }
    rig.pass_to(329.0);
    let to_li = rig.log.iter().filter(|event| {
        let persons = event.details.persons.iter().flatten();
        persons.into_iter().any(|person| &**person == "li")
    });
    let mut named = BTreeSet::new();
    let mut lines = 0;
    for event in to_li {
        lines += 1;
        named.extend(
            event
                .subject
                .iter()
                .map(|subject| Arc::clone(&subject.alarm)),
        );
        named.extend(event.details.alarms.iter().cloned());
    }
    assert_eq!(named.len(), plant.len(), "each of them");
    assert!(lines < plant.len() / 2, "{lines} lines");
}

/// Whether anybody has heard depends on whom it was told to, not on whom it would be told to now.
#[test]
fn a_hand_over_does_not_hide_that_nobody_may_have_heard() {
    let mut settings = with_rota();
    for policy in settings.policies.values_mut() {
        policy.steps.truncate(1);
        policy.steps.push(Step {
            after: secs(3_600),
            to: vec![Target::Output("chat".into())],
        });
    }
    let channel = |(index, (id, audience)): (u32, (&str, Audience))| Channel {
        output: id.into(),
        status: PointIndex(100 + index),
        audience,
    };
    let mail = Audience::Persons(["wang".into()].into());
    let channels = [("mail", mail), ("chat", Audience::Readers)];
    settings.outputs = vec!["mail".into(), "chat".into()];
    settings.channels = (0..).zip(channels).map(channel).collect();
    for policy in settings.policies.values_mut() {
        policy.steps[0].to.push(Target::Output("mail".into()));
    }
    for restart in [false, true] {
        let mut rig = rig(settings.clone());
        rig.act(100.0, HIGH, Act::Raise);
        rig.pass_to(130.0);
        if restart {
            rig.power_cut(rig.log.len(), 130.0);
        }
        rig.signal(140.0, "mail", false);
        rig.pass_to(141.0);
        let told = rig.told(HIGH);
        let early = told.iter().any(|line| line == "140 page 1 over chat");
        assert!(early, "restart: {restart}, {told:?}");
    }
}
