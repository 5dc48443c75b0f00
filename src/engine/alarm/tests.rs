//! Every state with every input and every combination of traits, against the table written out; and
//! every short sequence of inputs, against what must always hold.

use super::*;

const INPUTS: [Input; 6] = [
    Input::Raise,
    Input::Clear,
    Input::Acknowledge,
    Input::Reset { evidence: true },
    Input::Reset { evidence: false },
    Input::Realarm,
];

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
        let cells: Vec<_> = cells.collect();
        for traits in TRAITS {
            for (cell, input) in cells.iter().zip(INPUTS) {
                let cell = expected(cell, from, input, traits);
                let result = transition(from, input, traits);
                let case = format!("{from:?} {input:?} {traits:?}: {result:?}");
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
    assert_eq!(checked, AlarmState::ALL.len() * INPUTS.len() * TRAITS.len());
}

#[test]
fn denials_say_why() {
    let traits = TRAITS[1];
    let deny = |from: &str, input| transition(state(from), input, traits).expect_err("refused");
    let reset = Input::Reset { evidence: true };
    assert_eq!(deny("N", Input::Acknowledge), Denied::NothingToAcknowledge);
    assert_eq!(deny("N", reset), Denied::NotLatched);
    assert_eq!(deny("UA", reset), Denied::StillActive);
    assert_eq!(deny("AA", reset), Denied::StillActive);
    assert_eq!(deny("RU", reset), Denied::NotLatched);
    assert_eq!(deny("LU", reset), Denied::NotAcknowledged);
    assert_eq!(
        deny("LA", Input::Reset { evidence: false }),
        Denied::QualityNotGood
    );
}

/// Follows one alarm through a sequence and checks what must hold whatever happens.
fn follow(sequence: &[Input], traits: Traits) {
    let mut now = AlarmState::Normal;
    let (mut condition, mut recognised) = (false, true);
    for input in sequence {
        // The delays before this module never confirm a condition twice.
        match input {
            Input::Raise if condition => continue,
            Input::Clear if !condition => continue,
            Input::Raise
            | Input::Clear
            | Input::Acknowledge
            | Input::Reset { .. }
            | Input::Realarm => {}
        }
        let before = now;
        let Ok((after, step)) = transition(now, *input, traits) else {
            continue;
        };
        now = after;
        match step {
            Step::Raised => (condition, recognised) = (true, false),
            Step::Cleared => condition = false,
            Step::ClearedUnattended => (condition, recognised) = (false, true),
            Step::Acknowledged => recognised = true,
            Step::Realarmed => recognised = false,
            Step::Nothing | Step::AlreadyAcknowledged | Step::Reset => {}
        }
        let story = format!("{sequence:?} {traits:?}: {before:?} -> {after:?}");
        assert_eq!(after.is_active(), condition, "{story}");
        assert_eq!(after.is_unacknowledged(), !recognised, "{story}");
        if matches!(input, Input::Reset { .. }) {
            assert!(!condition, "reset while true: {story}");
        }
        if before.is_unacknowledged() && after == AlarmState::Normal {
            // Out of sight only through a person, or because nobody has to look.
            assert!(
                matches!(input, Input::Acknowledge) || !traits.ack_required,
                "{story}"
            );
        }
        if traits.latching && before != AlarmState::Normal && after == AlarmState::Normal {
            assert!(matches!(input, Input::Reset { evidence: true }), "{story}");
        }
    }
}

#[test]
fn all_sequences_of_six_inputs_keep_the_invariants() {
    let total = INPUTS.len().pow(6);
    for traits in TRAITS {
        for mut number in 0..total {
            let sequence: [Input; 6] = std::array::from_fn(|_| {
                let input = INPUTS[number % INPUTS.len()];
                number /= INPUTS.len();
                input
            });
            follow(&sequence, traits);
        }
    }
}

#[test]
fn overlays_are_named_strongest_first() {
    let all = Overlays {
        shelved: true,
        suppressed: true,
        out_of_service: true,
    };
    assert_eq!(all.names(), ["out_of_service", "shelved", "suppressed"]);
    assert!(!all.is_empty());
    assert!(Overlays::default().is_empty());
}
