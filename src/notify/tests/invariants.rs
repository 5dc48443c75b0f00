//! Random lives of all alarms, with and without power cuts. Who was told too late or never: `duties.rs`.

use std::collections::BTreeSet;

use proptest::prelude::*;

use super::*;

/// What happens, and the seconds that pass before it.
pub(super) type Life = Vec<(f64, usize, Act)>;

/// Long after the last happening: every hold and all-clear is through.
pub(super) const AFTER: f64 = 3_000.0;

pub(super) fn act() -> impl Strategy<Value = Act> {
    prop_oneof![
        6 => Just(Act::Raise),
        5 => Just(Act::Clear),
        2 => Just(Act::Acknowledge),
        1 => Just(Act::Realarm),
        1 => Just(Act::Shelve),
        2 => any::<bool>().prop_map(|by_time| Act::Unshelve { by_time }),
        1 => Just(Act::Severity),
    ]
}

/// Acts of alarms, each so long after the one before; whole seconds, so that they meet timers at one instant.
pub(super) fn acts(
    gap: impl Strategy<Value = u32>,
    alarm: impl Strategy<Value = usize>,
    act: impl Strategy<Value = Act>,
    length: std::ops::Range<usize>,
) -> impl Strategy<Value = Life> {
    prop::collection::vec((gap, alarm, act), length).prop_map(|acts| {
        let mut t = 0.0;
        let at = |(gap, alarm, act)| {
            t += f64::from(gap);
            (t, alarm, act)
        };
        acts.into_iter().map(at).collect()
    })
}

fn life() -> impl Strategy<Value = Life> {
    let gap = prop_oneof![5 => 0_u32..10, 3 => 10_u32..70, 1 => 100_u32..900];
    // Some alarms live more than others, so that they chatter.
    let alarm = prop_oneof![3 => Just(0_usize), 4 => 0..PLANT.len()];
    acts(gap, alarm, act(), 1..80)
}

fn live(rig: &mut Rig, life: &[(f64, usize, Act)]) {
    for (seconds, alarm, act) in life {
        rig.act(*seconds, PLANT[*alarm].0, *act);
    }
}

fn end(life: &Life) -> f64 {
    life.last().map_or(0.0, |(seconds, ..)| *seconds)
}

fn run(life: &Life) -> Rig {
    let mut rig = Rig::new();
    live(&mut rig, life);
    rig.pass_to(end(life) + AFTER);
    rig
}

pub(super) fn seconds(event: &Event) -> f64 {
    event.at.mono.since(Mono::ZERO).as_secs_f64()
}

/// What the events say of one alarm.
#[derive(Default)]
struct Story {
    standing: Standing,
    /// Somebody may be told: annunciated, active, nobody has acknowledged.
    calls: bool,
    /// Since when it calls, or was told of last.
    quiet_since: f64,
    annunciation: u32,
    steps: BTreeSet<(u32, u16, Option<Arc<str>>)>,
    /// Persons and outputs that were told, by occurrence.
    told: BTreeMap<u64, BTreeSet<Arc<str>>>,
    ended: BTreeSet<u64>,
    over: BTreeSet<u64>,
    last_told: f64,
}

pub(super) type Fault = Result<(), TestCaseError>;

impl Story {
    /// An event of the engine.
    fn happened(&mut self, event: &Event, subject: &Subject, record: &AlarmRecord) {
        self.standing = Standing::of(record);
        let unattended = subject.annunciated && record.state == AlarmState::Unacknowledged;
        let kind = event.kind;
        // A change that concerns people is a higher severity here.
        let anew = [
            EventKind::Realarmed,
            EventKind::Unshelved,
            EventKind::Changed,
        ];
        let begins = kind == EventKind::Raised || unattended && anew.contains(&kind);
        if kind == EventKind::Cleared {
            self.ended.insert(subject.occurrence);
        }
        if begins {
            self.annunciation += 1;
            self.quiet_since = seconds(event);
        }
        // The page of a muted raise comes with the summary.
        let muted = event.kind == EventKind::Raised && record.overlays().is_empty();
        self.calls = record.state == AlarmState::Unacknowledged
            && record.overlays().is_empty()
            && (begins && (unattended || muted) || self.calls);
    }

    /// Somebody was told.
    fn was_told(&mut self, event: &Event, subject: &Subject) -> Fault {
        let details = &event.details;
        let now = seconds(event);
        prop_assert!(
            !self.standing.covered,
            "told beneath an overlay: {:?}",
            event
        );
        let notice = details.notice.expect("every line has one");
        // A summary tells of pages that were held, whatever became of them.
        let summary = matches!(notice, Notice::Chatter | Notice::Flood) && details.step.is_none();
        prop_assert!(
            self.calls || summary,
            "told of what nobody need know: {:?}",
            event
        );
        if let Some(step) = details.step {
            let line = (self.annunciation, step, details.output.clone());
            prop_assert!(self.steps.insert(line), "a step came twice: {:?}", event);
        }
        if self.calls {
            let told = self.told.entry(subject.occurrence).or_default();
            told.extend(details.persons.iter().flatten().cloned());
            told.extend(details.output.clone());
            self.quiet_since = now;
            self.last_told = now;
        }
        Ok(())
    }

    /// Everybody was told that it is over.
    fn all_clear(&mut self, event: &Event, subject: &Subject, later: &[Event]) -> Fault {
        let occurrence = subject.occurrence;
        let details = &event.details;
        prop_assert!(self.ended.contains(&occurrence), "not over: {:?}", event);
        prop_assert!(self.over.insert(occurrence), "over twice: {:?}", event);
        let mut told: BTreeSet<Arc<str>> = details.persons.iter().flatten().cloned().collect();
        told.extend(details.outputs.iter().cloned());
        prop_assert_eq!(Some(&told), self.told.get(&occurrence), "others were told");
        if self.standing.active {
            // At the same instant; after a power cut others may be told in between.
            let follows = later.iter().any(|next| {
                let same = next.subject.as_ref().map(|own| &own.alarm) == Some(&subject.alarm);
                same && next.kind == EventKind::Notified && next.at == event.at
            });
            prop_assert!(follows, "over, and active: {:?}", event);
        } else {
            prop_assert!(
                seconds(event) >= self.last_told + 20.0,
                "not seen yet: {:?}",
                event
            );
        }
        Ok(())
    }

    /// P5: an alarm that calls is not silent for longer than a reminder, or than a hold.
    fn is_heard(&self, now: f64) -> Fault {
        if self.calls {
            prop_assert!(now - self.quiet_since <= 600.0 + 1e-6, "silent at {}", now);
        }
        Ok(())
    }
}

/// Tells the story of every alarm.
pub(super) fn check(log: &[Event], until: f64) -> Fault {
    let mut stories: BTreeMap<Arc<str>, Story> = BTreeMap::new();
    for (index, event) in log.iter().enumerate() {
        let (Some(subject), Some(record)) = (&event.subject, &event.record) else {
            continue;
        };
        let story = stories.entry(Arc::clone(&subject.alarm)).or_default();
        story.is_heard(seconds(event))?;
        if event.kind == EventKind::Notified {
            story.was_told(event, subject)?;
        } else if event.kind == EventKind::AllClear {
            story.all_clear(event, subject, &log[index + 1..])?;
        } else {
            story.happened(event, subject, record);
        }
    }
    for story in stories.values() {
        story.is_heard(until)?;
        let told = story.told.keys();
        let due: BTreeSet<u64> = told
            .filter(|told| story.ended.contains(told))
            .copied()
            .collect();
        // A page of the present occurrence may wait for the end of an overlay or of a hold.
        let waits = story.standing.active;
        let missing: Vec<_> = due.difference(&story.over).collect();
        prop_assert!(
            missing.len() <= usize::from(waits),
            "never over: {:?}",
            missing
        );
    }
    Ok(())
}

/// Steps of each alarm with their times: what a restart must neither lose nor repeat.
fn steps(log: &[Event]) -> BTreeMap<String, u32> {
    let mut steps = BTreeMap::new();
    for event in log {
        if let (Some(subject), Some(step)) = (&event.subject, event.details.step) {
            let line = (subject.occurrence, step, &event.details.output);
            *steps
                .entry(format!("{} {line:?}", subject.alarm))
                .or_default() += 1;
        }
    }
    steps
}

proptest! {
    /// Each step at most once for an annunciation; nobody is told after an acknowledgement, an end or
    /// beneath an overlay; nobody is left without a notice; everybody who was told is told that it is
    /// over, once, and not while it is not.
    #[test]
    fn everybody_is_told_what_they_need_and_nothing_else(life in life()) {
        let rig = run(&life);
        check(&rig.log, end(&life) + AFTER)?;
    }

    #[test]
    fn the_same_life_gives_the_same_lines(life in life()) {
        prop_assert_eq!(run(&life).log, run(&life).log);
    }

    /// Woken at odd moments it says the same.
    #[test]
    fn spurious_ticks_are_harmless(life in life(), ticks in prop::collection::vec(0.0..2_000.0_f64, 0..40)) {
        let mut rig = Rig::new();
        let mut ticks = ticks;
        ticks.sort_by(f64::total_cmp);
        let mut ticks = ticks.into_iter().peekable();
        for happening in &life {
            while let Some(tick) = ticks.next_if(|tick| *tick < happening.0) {
                rig.pass_to(tick);
                let lines = rig.notifier.tick(rig.now, &rig.plant);
                prop_assert_eq!(lines, []);
            }
            live(&mut rig, std::slice::from_ref(happening));
        }
        rig.pass_to(end(&life) + AFTER);
        prop_assert_eq!(rig.log, run(&life).log);
    }

    /// Power fails after any event that was committed, and comes back at once: no step is lost, none is
    /// told twice, and everything else still makes sense.
    #[test]
    fn a_power_cut_at_any_event_neither_loses_nor_repeats_a_step(
        life in life(), cut in any::<prop::sample::Index>()
    ) {
        let undisturbed = run(&life);
        prop_assume!(!undisturbed.log.is_empty());
        let kept = cut.index(undisturbed.log.len()) + 1;
        let at = seconds(&undisturbed.log[kept - 1]);
        // What has not happened yet, happens after the restart; what was cut off is lost.
        let mut rig = Rig::new();
        live(&mut rig, &life);
        rig.pass_to(end(&life) + AFTER);
        rig.power_cut(kept, at);
        let rest: Life = life.iter().filter(|(seconds, ..)| *seconds > at).copied().collect();
        let lost = life.iter().any(|(seconds, ..)| (*seconds - at).abs() < 1e-9);
        live(&mut rig, &rest);
        rig.pass_to(end(&life) + AFTER);
        check(&rig.log, end(&life) + AFTER)?;
        // Lives differ when an event of the same instant was not committed, and chatter is counted
        // anew.
        let chatters = |log: &[Event]| log.iter().any(|event| event.details.notice == Some(Notice::Chatter));
        if !lost && !chatters(&undisturbed.log) && !chatters(&rig.log) {
            prop_assert_eq!(steps(&rig.log), steps(&undisturbed.log));
        }
    }
}
