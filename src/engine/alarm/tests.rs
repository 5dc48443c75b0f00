//! Every state beneath every combination of overlays with every input and every combination of traits,
//! against the tables written out; and every short sequence of inputs, against what must always hold.

use super::*;

/// What concerns the state.
const INPUTS: [Input; 6] = [
    Input::Raise,
    Input::Clear,
    Input::Acknowledge,
    Input::Reset { evidence: true },
    Input::Reset { evidence: false },
    Input::Realarm,
];

/// No overlay, all of them, and everything between.
fn combinations() -> [Overlays; 8] {
    std::array::from_fn(|bits| Overlays {
        shelved: bits & 1 != 0,
        suppressed: bits & 2 != 0,
        out_of_service: bits & 4 != 0,
    })
}

const TRAITS: [Traits; 4] = [
    Traits {
        latching: false,
        ack_required: true,
    },
    Traits {
        latching: true,
        ack_required: true,
    },
    Traits {
        latching: false,
        ack_required: false,
    },
    Traits {
        latching: true,
        ack_required: false,
    },
];

#[test]
fn states_have_the_words_of_the_contract() {
    assert_eq!(
        AlarmState::ALL.map(AlarmState::name),
        [
            "normal",
            "unacknowledged",
            "acknowledged",
            "returned_unacknowledged",
            "latched_unacknowledged",
            "latched_acknowledged",
        ]
    );
}

/// One row a state, one column an input in the order of `INPUTS`, for an alarm that neither latches
/// nor goes unattended. `-` nothing, `!` refused, else the state it leads to.
const TABLE: &str = "
            raise   clear   ack     reset   reset-blind realarm
    N       UA      -       !       !       !           -
    UA      -       RU      AA      !       !           -
    AA      -       N       already !       !           UA
    RU      UA      -       N       !       !           -
    LU      UA      -       LA      !       !           -
    LA      UA      -       already N       !           -
";

fn state(code: &str) -> AlarmState {
    match code {
        "N" => AlarmState::Normal,
        "UA" => AlarmState::Unacknowledged,
        "AA" => AlarmState::Acknowledged,
        "RU" => AlarmState::ReturnedUnacknowledged,
        "LU" => AlarmState::LatchedUnacknowledged,
        "LA" => AlarmState::LatchedAcknowledged,
        other => unreachable!("no state {other}"),
    }
}

/// Where a clear leads depends on the traits; nothing else does.
fn expected(code: &str, from: AlarmState, input: Input, traits: Traits) -> String {
    if input != Input::Clear || !from.is_active() {
        return code.to_owned();
    }
    match (from, traits.latching, traits.ack_required) {
        (AlarmState::Unacknowledged, false, true) => "RU",
        (AlarmState::Unacknowledged, true, true) => "LU",
        (AlarmState::Unacknowledged | AlarmState::Acknowledged, false, _) => "N",
        (_, true, _) => "LA",
        (_, false, _) => unreachable!("only active states clear"),
    }
    .to_owned()
}

/// Every standing of an alarm in `state`, with every combination of its traits.
fn standings(state: AlarmState) -> impl Iterator<Item = (Standing, Traits)> {
    let covered = combinations().map(|overlays| Standing { state, overlays });
    covered
        .into_iter()
        .flat_map(|standing| TRAITS.map(|traits| (standing, traits)))
}

/// Whatever lies over the alarm: its state goes its way, and the overlays stay.
#[test]
fn the_whole_table() {
    let mut checked = 0;
    for row in TABLE
        .lines()
        .map(str::trim)
        .filter(|row| !row.is_empty())
        .skip(1)
    {
        let mut cells = row.split_whitespace();
        let from = state(cells.next().expect("a row begins with its state"));
        for (cell, input) in cells.zip(INPUTS) {
            for (standing, traits) in standings(from) {
                let cell = expected(cell, from, input, traits);
                let result = transition(standing, input, traits);
                let case = format!("{standing:?} {input:?} {traits:?}: {result:?}");
                let result = result.map(|(to, step)| {
                    assert_eq!(to.overlays, standing.overlays, "{case}");
                    (to.state, step)
                });
                match (cell.as_str(), result) {
                    ("!", Err(_)) => {}
                    ("-", Ok((to, Step::Nothing)))
                    | ("already", Ok((to, Step::AlreadyAcknowledged))) => {
                        assert_eq!(to, from, "{case}");
                    }
                    ("-" | "already" | "!", _) => unreachable!("{case}, wanted {cell}"),
                    (code, Ok((to, step))) => {
                        assert_eq!(to, state(code), "{case}");
                        assert_ne!(step, Step::Nothing, "{case}");
                    }
                    (_, Err(_)) => unreachable!("{case}, wanted {cell}"),
                }
                checked += 1;
            }
        }
    }
    let standings = AlarmState::ALL.len() * combinations().len();
    assert_eq!(checked, standings * INPUTS.len() * TRAITS.len());
}

/// One row an overlay, one column an input that concerns it, while it lies over the alarm and while it
/// does not. `on` and `off` tell what becomes of it, `!` refused, `-` nothing.
const OVERLAYS: &str = "
                       lay/off lay/on take/off take/on end/off end/on
        suppressed     on      on     -        off     -       off
        shelved        on      !      !        off     -       off
        out_of_service on      on     !        off     -       off
";

/// Whatever else lies over the alarm: one overlay comes or goes. Only its end touches the state, where a
/// recognised alarm is still active, and not when a person unshelves it.
#[test]
fn the_whole_table_of_overlays() {
    let mut checked = 0;
    let rows = OVERLAYS.lines().map(str::trim);
    for row in rows.filter(|row| !row.is_empty()).skip(1) {
        let mut cells = row.split_whitespace();
        let name = cells.next().expect("a row begins with its overlay");
        let overlay = Overlay::ALL.into_iter().find(|known| known.name() == name);
        let overlay = overlay.expect("an overlay");
        let inputs = [
            Input::Lay(overlay),
            Input::TakeOff(overlay),
            Input::End(overlay),
        ];
        let columns = inputs
            .into_iter()
            .flat_map(|input| [(input, false), (input, true)]);
        for (cell, (input, laid)) in cells.zip(columns) {
            let every = AlarmState::ALL.into_iter().flat_map(standings);
            for (before, traits) in every.filter(|(before, _)| before.overlays.has(overlay) == laid)
            {
                check_overlay(before, input, traits, cell, overlay);
                checked += 1;
            }
        }
    }
    let standings = AlarmState::ALL.len() * combinations().len();
    assert_eq!(checked, standings * Overlay::ALL.len() * 3 * TRAITS.len());
}

fn check_overlay(before: Standing, input: Input, traits: Traits, cell: &str, overlay: Overlay) {
    let result = transition(before, input, traits);
    let case = format!("{before:?} {input:?}: {result:?}");
    let Ok((after, step)) = result else {
        assert_eq!(cell, "!", "{case}");
        return;
    };
    let others = |standing: Standing| standing.overlays.with(overlay, false);
    assert_eq!(others(after), others(before), "{case}");
    let looked_at = input == Input::TakeOff(Overlay::Shelved);
    let resurfaces = !looked_at && before.state == AlarmState::Acknowledged;
    match cell {
        "on" => assert_eq!(step, Step::Covered, "{case}"),
        "off" if resurfaces => assert_eq!(step, Step::Resurfaced, "{case}"),
        "off" => assert_eq!(step, Step::Uncovered, "{case}"),
        "-" => assert_eq!((after, step), (before, Step::Nothing), "{case}"),
        _ => unreachable!("{case}, wanted {cell}"),
    }
    assert_eq!(after.overlays.has(overlay), cell == "on", "{case}");
    let state = if step == Step::Resurfaced {
        AlarmState::Unacknowledged
    } else {
        before.state
    };
    assert_eq!(after.state, state, "{case}");
}

#[test]
fn denials_say_why() {
    let traits = TRAITS[1];
    let deny = |from: &str, input| {
        let standing = Standing {
            state: state(from),
            overlays: Overlays {
                shelved: input == Input::Lay(Overlay::Shelved),
                ..Overlays::default()
            },
        };
        transition(standing, input, traits).expect_err("refused")
    };
    let reset = Input::Reset { evidence: true };
    for (from, input, denied) in [
        ("N", Input::Acknowledge, Denied::NothingToAcknowledge),
        ("N", reset, Denied::NotLatched),
        ("UA", reset, Denied::StillActive),
        ("AA", reset, Denied::StillActive),
        ("RU", reset, Denied::NotLatched),
        ("LU", reset, Denied::NotAcknowledged),
        (
            "LA",
            Input::Reset { evidence: false },
            Denied::QualityNotGood,
        ),
        ("UA", Input::Lay(Overlay::Shelved), Denied::AlreadyShelved),
        ("UA", Input::TakeOff(Overlay::Shelved), Denied::NotShelved),
        (
            "UA",
            Input::TakeOff(Overlay::OutOfService),
            Denied::NotOutOfService,
        ),
    ] {
        assert_eq!(deny(from, input), denied, "{from} {input:?}");
    }
}

/// Follows one alarm through a sequence and checks what must hold whatever happens.
fn follow(sequence: &[Input], traits: Traits) {
    let mut now = Standing {
        state: AlarmState::Normal,
        overlays: Overlays::default(),
    };
    let (mut condition, mut recognised) = (false, true);
    for input in sequence {
        // The delays before this module never confirm a condition twice.
        if (*input == Input::Raise && condition) || (*input == Input::Clear && !condition) {
            continue;
        }
        let Ok((after, step)) = transition(now, *input, traits) else {
            continue;
        };
        let before = std::mem::replace(&mut now, after);
        match step {
            Step::Raised => (condition, recognised) = (true, false),
            Step::Cleared => condition = false,
            Step::ClearedUnattended => (condition, recognised) = (false, true),
            Step::Acknowledged => recognised = true,
            Step::Realarmed | Step::Resurfaced => recognised = false,
            Step::Nothing
            | Step::AlreadyAcknowledged
            | Step::Reset
            | Step::Covered
            | Step::Uncovered => {}
        }
        let story = || format!("{sequence:?} {traits:?}: {before:?} -> {after:?}");
        let (from, to) = (before.state, after.state);
        assert_eq!(to.is_active(), condition, "{}", story());
        assert_eq!(to.is_unacknowledged(), !recognised, "{}", story());
        if matches!(input, Input::Reset { .. }) {
            assert!(!condition, "reset while true: {}", story());
        }
        if matches!(input, Input::End(_)) && condition && step != Step::Nothing {
            assert_eq!(
                to,
                AlarmState::Unacknowledged,
                "quiet after its end: {}",
                story()
            );
        }
        if from.is_unacknowledged() && to == AlarmState::Normal {
            // Out of sight only through a person, or because nobody has to look.
            assert!(
                matches!(input, Input::Acknowledge) || !traits.ack_required,
                "{}",
                story()
            );
        }
        if traits.latching && from != AlarmState::Normal && to == AlarmState::Normal {
            assert!(
                matches!(input, Input::Reset { evidence: true }),
                "{}",
                story()
            );
        }
    }
}

#[test]
fn all_sequences_of_five_inputs_keep_the_invariants() {
    for overlay in Overlay::ALL {
        let mut inputs = INPUTS.to_vec();
        inputs.extend([
            Input::Lay(overlay),
            Input::TakeOff(overlay),
            Input::End(overlay),
        ]);
        for traits in TRAITS {
            for mut number in 0..inputs.len().pow(5) {
                let sequence: [Input; 5] = std::array::from_fn(|_| {
                    let input = inputs[number % inputs.len()];
                    number /= inputs.len();
                    input
                });
                follow(&sequence, traits);
            }
        }
    }
}
