//! What people do: to alarms that want something of them, to others, and to some that do not exist.

use std::time::Duration;

use fastrand::Rng;
use forewarn::engine::alarm::AlarmState;
use forewarn::engine::command::{Action, Command, Drilling, Permit, Shelving};
use forewarn::engine::drill;
use forewarn::engine::snapshot::{AlarmView, Snapshot};

const PEOPLE: [&str; 4] = ["li-wei", "anna-berg", "wang-fang", " "];

/// Anything that anybody may ask, sensible more often than not.
pub(super) fn command(dice: &mut Rng, snapshot: &Snapshot) -> Command {
    let by = PEOPLE[(dice.usize(..16) / 5).min(3)];
    let calling: Vec<&AlarmView> = snapshot
        .alarms
        .iter()
        .filter(|view| stands_out(view))
        .collect();
    let all = &snapshot.alarms;
    let view = match dice.u8(..) {
        0..190 if !calling.is_empty() => calling[dice.usize(..calling.len())],
        _ => &all[dice.usize(..all.len())],
    };
    let alarm = match dice.u8(..) {
        0..4 => "NOBODY/high".to_owned(),
        _ => view.alarm.to_string(),
    };
    let (alarm, action) = match dice.u8(..) {
        0..24 => drill(dice, alarm),
        _ => (alarm, action(dice, view)),
    };
    Command {
        alarm,
        action,
        by: by.to_owned(),
        comment: dice.bool().then(|| "seen".to_owned()),
    }
}

fn stands_out(view: &AlarmView) -> bool {
    view.state != AlarmState::Normal || !view.overlays.is_empty() || view.older_unacknowledged > 0
}

/// Something about the drill of an alarm, under its name or that of the alarm.
fn drill(dice: &mut Rng, alarm: String) -> (String, Action) {
    let drill = drill::name(&alarm);
    match dice.u8(..8) {
        0..4 => {
            let drilling = Drilling {
                span: span(dice).filter(|_| dice.bool()),
                reason: words(dice, "monthly"),
            };
            (alarm, Action::Drill(drilling))
        }
        4..7 => {
            let acknowledge = Action::Acknowledge {
                occurrence: None,
                span: None,
            };
            (drill, acknowledge)
        }
        _ => (drill, Action::EndDrill),
    }
}

fn action(dice: &mut Rng, view: &AlarmView) -> Action {
    let occurrence = match dice.u8(..8) {
        0..4 => None,
        4 => Some(dice.u64(..6)),
        _ => Some(view.occurrence),
    };
    match dice.u8(..16) {
        0..6 => Action::Acknowledge {
            occurrence,
            span: span(dice).filter(|_| dice.bool()),
        },
        6 | 7 => Action::Reset {
            occurrence,
            verified_independently: dice.u8(..4) > 0,
        },
        8..11 => Action::Shelve(Shelving {
            span: span(dice),
            one_shot: dice.u8(..3) == 0,
            reason: words(dice, "calibration"),
            approved_by: dice.bool().then(|| words(dice, "wang-fang")),
        }),
        11 | 12 => Action::Unshelve,
        13 | 14 => Action::TakeOut(Permit {
            span: span(dice),
            approved_by: words(dice, "wang-fang"),
            also_approved_by: dice.bool().then(|| words(dice, "anna-berg")),
            number: words(dice, "P-2210"),
            compensating_measure: Some("a guard".to_owned()),
            reason: None,
        }),
        _ => Action::PutBack,
    }
}

/// Often short, sometimes none, sometimes longer than allowed.
fn span(dice: &mut Rng) -> Option<Duration> {
    match dice.u8(..16) {
        0 => None,
        1 => Some(Duration::ZERO),
        2 => Some(Duration::from_secs(dice.u64(1_000..100_000))),
        _ => Some(Duration::from_secs(dice.u64(1..400))),
    }
}

fn words(dice: &mut Rng, usual: &str) -> String {
    if dice.u8(..16) == 0 {
        " ".to_owned()
    } else {
        usual.to_owned()
    }
}
