//! Random lives of alarms and outputs.

use proptest::prelude::*;

use super::super::invariants::{AFTER, act, check};
use super::*;

/// Something happens to an alarm, or to an output.
#[derive(Debug, Clone)]
enum Happening {
    Alarm(usize, Act),
    Output(&'static str, bool),
}

type Life = Vec<(f64, Happening)>;

/// `length` happenings, whole seconds apart.
fn life(length: std::ops::Range<usize>) -> impl Strategy<Value = Life> {
    let gap = prop_oneof![5 => 0_u32..10, 3 => 10_u32..70, 1 => 100_u32..900];
    let output = prop::sample::select(vec!["mail", "chat", "pager", "room"]);
    let happening = prop_oneof![
        3 => (0..PLANT.len(), act()).prop_map(|(alarm, act)| Happening::Alarm(alarm, act)),
        2 => (output, any::<bool>()).prop_map(|(id, delivers)| Happening::Output(id, delivers)),
    ];
    prop::collection::vec((gap, happening), length).prop_map(|happenings| {
        let mut t = 0.0;
        let at = |(gap, happening)| {
            t += f64::from(gap);
            (t, happening)
        };
        happenings.into_iter().map(at).collect()
    })
}

/// Ways that differ from step to step, some of several outputs.
fn winding() -> Rig {
    rig(
        &["mail", "chat", "pager", "room"],
        &[
            (0, &["mail", "room"]),
            (60, &["mail"]),
            (120, &["chat", "room"]),
            (240, &["room"]),
            (400, &[]),
        ],
    )
}

/// `signals`: do outputs say anything?
fn live(rig: &mut Rig, life: &[(f64, Happening)], signals: bool) {
    for (seconds, happening) in life {
        match happening {
            Happening::Alarm(alarm, act) => rig.act(*seconds, PLANT[*alarm].0, *act),
            Happening::Output(output, delivers) if signals => {
                rig.signal(*seconds, output, *delivers);
            }
            Happening::Output(..) => {}
        }
    }
}

fn end(life: &Life) -> f64 {
    life.last().map_or(0.0, |(seconds, _)| *seconds) + AFTER
}

fn run(life: &Life, signals: bool) -> Rig {
    let mut rig = winding();
    live(&mut rig, life, signals);
    rig.pass_to(end(life));
    rig
}

/// Alarm, occurrence, step, output.
type Line = (Arc<str>, u64, u16, Option<Arc<str>>);

/// When each was told first.
fn steps(rig: &Rig) -> BTreeMap<Line, Mono> {
    let mut steps = BTreeMap::new();
    for event in &rig.log {
        if let (Some(own), Some(step)) = (&event.subject, event.details.step) {
            let output = event.details.output.clone();
            let key = (Arc::clone(&own.alarm), own.occurrence, step, output);
            steps.entry(key).or_insert(event.at.mono);
        }
    }
    steps
}

/// Of [`winding`]: the outputs over which each step leads to people.
const WAYS: [&[&str]; 5] = [
    &["mail"],
    &["mail"],
    &["chat"],
    &["room"],
    &["mail", "chat", "pager"],
];

/// Seconds by which an output says late that it does not deliver.
const LATE: f64 = 90.0;

/// The words of the outputs until some time.
struct Words<'a>(Vec<(f64, &'a str, bool)>);

impl<'a> Words<'a> {
    fn until(life: &'a Life, until: f64) -> Self {
        let word = |(seconds, happening): &(f64, Happening)| match happening {
            Happening::Output(output, delivers) if *seconds <= until => {
                Some((*seconds, *output, *delivers))
            }
            Happening::Output(..) | Happening::Alarm(..) => None,
        };
        Self(life.iter().filter_map(word).collect())
    }

    /// Since when `output` does not deliver: since it last did for long enough.
    fn silence(&self, output: &str) -> Option<f64> {
        let (mut since, mut delivers, mut turned) = (0.0, true, f64::NEG_INFINITY);
        for (seconds, _, word) in self.0.iter().filter(|(_, of, _)| *of == output) {
            if delivers && !word && seconds - turned >= LATE {
                since = *seconds;
            }
            if delivers != *word {
                (delivers, turned) = (*word, *seconds);
            }
        }
        (!delivers).then_some(since)
    }

    /// Has nobody heard of the steps `told`, each with its time, while one that is left would be?
    fn nobody_has_heard(&self, told: &[(u16, f64)]) -> bool {
        let ways = |step: u16| WAYS[usize::from(step)].iter();
        let heard = |(step, at): &(u16, f64)| {
            let heard = |output: &&str| self.silence(output).is_none_or(|since| at + LATE <= since);
            ways(*step).any(heard)
        };
        let next = told.last().map_or(0, |(step, _)| step + 1);
        let mut left = (next..5).flat_map(ways);
        !told.iter().any(heard) && left.any(|output| self.silence(output).is_none())
    }
}

/// Acts on one alarm that neither chatters nor makes a flood, and words of outputs; no two at one instant.
fn plain_life() -> impl Strategy<Value = Life> {
    let happening = prop_oneof![
        2 => act().prop_map(|act| Happening::Alarm(1, act)),
        5 => (prop::sample::select(vec!["mail", "chat", "pager", "room"]), any::<bool>())
            .prop_map(|(id, delivers)| Happening::Output(id, delivers)),
    ];
    let gap = prop_oneof![3 => 1_u32..20, 3 => 20_u32..120, 1 => 100_u32..400];
    prop::collection::vec((gap, happening), 1..40).prop_map(|happenings| {
        let mut t = 0.0;
        let mut acts = 0;
        let mut life = vec![(0.0, Happening::Alarm(1, Act::Raise))];
        for (gap, happening) in happenings {
            t += f64::from(gap);
            acts += usize::from(matches!(happening, Happening::Alarm(..)));
            if acts < 10 || matches!(happening, Happening::Output(..)) {
                life.push((t, happening));
            }
        }
        life
    })
}

proptest! {
    /// A step comes before its time if and only if nobody may have heard those before it.
    #[test]
    fn a_step_is_early_exactly_when_nobody_may_have_heard(life in plain_life()) {
        let rig = run(&life, true);
        let mut told: Vec<(u16, f64)> = Vec::new();
        for event in &rig.log {
            let Some(step) = event.details.step else { continue };
            let at = super::super::invariants::seconds(event);
            if step == 0 {
                told.clear();
            } else if told.last().is_some_and(|(last, _)| *last == step) {
                continue;
            } else if event.details.unheard {
                prop_assert!(Words::until(&life, at).nobody_has_heard(&told), "{:?}", event);
            } else if told.iter().all(|(_, told)| *told < at) {
                prop_assert!(!Words::until(&life, at - 0.5).nobody_has_heard(&told), "{:?}", event);
            }
            told.push((step, at));
        }
    }

    /// Whatever the outputs say, every promise about telling people holds: above all, each step comes once.
    #[test]
    fn outputs_that_come_and_go_break_no_promise(life in life(1..80)) {
        check(&run(&life, true).log, end(&life))?;
    }

    /// Nor do they after a power cut, though every output counts as delivering then until it says otherwise.
    #[test]
    fn nor_with_a_power_cut(life in life(1..60), cut in any::<prop::sample::Index>()) {
        let mut rig = run(&life, true);
        prop_assume!(!rig.log.is_empty());
        let kept = cut.index(rig.log.len()) + 1;
        let at = rig.log[kept - 1].at.mono.since(Mono::ZERO).as_secs_f64();
        rig.power_cut(kept, at);
        let (past, rest): (Life, Life) = life.iter().cloned().partition(|(seconds, _)| *seconds <= at);
        for (_, happening) in past {
            if let Happening::Output(output, delivers) = happening {
                rig.signal(at, output, delivers);
            }
        }
        live(&mut rig, &rest, true);
        rig.pass_to(end(&life));
        check(&rig.log, end(&life))?;
    }

    /// Nobody is told later because an output does not deliver, and nobody is left out. (Without a flood: in one,
    /// pages that come early may wait for a summary.)
    #[test]
    fn no_step_comes_later_than_without_a_word_of_the_outputs(life in life(1..15)) {
        let raises = |(_, happening): &&(f64, Happening)| matches!(happening, Happening::Alarm(..));
        prop_assume!(life.iter().filter(raises).count() <= 10);
        let (heard, calm) = (steps(&run(&life, true)), steps(&run(&life, false)));
        for (step, at) in calm {
            let early = heard.get(&step);
            prop_assert!(early.is_some_and(|early| *early <= at), "{:?}: {:?}, not {:?}", step, early, at);
        }
    }
}
