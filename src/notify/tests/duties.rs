//! Random lives of many alarms, in floods and not: whoever is to be told of an alarm is told, in time.
//!
//! A duty is one step of one annunciation: these persons, over this output, by this time at the latest.
//! It ends when they are told, alone or with others, and when nobody need know any more.

use proptest::prelude::*;

use super::invariants::{Fault, Life, act, acts, seconds};
use super::*;
use crate::engine::notice::Told;

/// Seconds that a page waits for the summary of a flood, and of an alarm that chatters.
const FLOOD: f64 = 60.0;
const CHATTER: f64 = 600.0;

/// Enough for floods: of each priority some that may wait, and hazards that may not.
const CROWD: [(&str, Priority, bool); 18] = [
    ("farm", Priority::High, true),
    ("farm", Priority::High, true),
    ("farm", Priority::High, true),
    ("farm", Priority::High, true),
    ("farm", Priority::High, true),
    ("pit", Priority::High, true),
    ("pit", Priority::High, true),
    ("farm", Priority::Medium, true),
    ("farm", Priority::Medium, true),
    ("farm", Priority::Medium, true),
    ("pit", Priority::Low, true),
    ("", Priority::Low, true),
    ("", Priority::Low, true),
    ("farm", Priority::Critical, true),
    ("farm", Priority::Critical, true),
    ("pit", Priority::Critical, false),
    ("farm", Priority::Medium, false),
    ("farm", Priority::High, false),
];

fn crowd() -> Rig {
    let plant = CROWD.iter().zip(0..).map(|((area, priority, _), number)| {
        let alarm = format!("P{number:02}/high");
        (alarm, (*area).to_owned(), *priority)
    });
    let settings = NotifySettings {
        may_be_held: CROWD.iter().map(|(.., may_be_held)| *may_be_held).collect(),
        ..settings()
    };
    Rig::of(&plant.collect::<Vec<_>>(), settings)
}

fn life() -> impl Strategy<Value = Life> {
    let gap = prop_oneof![9 => 0_u32..3, 3 => 3_u32..30, 1 => 30_u32..200];
    let act = prop_oneof![2 => Just(Act::Raise), 3 => act()];
    acts(gap, 0..CROWD.len(), act, 20..120)
}

fn live(rig: &mut Rig, life: &[(f64, usize, Act)]) {
    for (seconds, alarm, act) in life {
        rig.act(*seconds, &format!("P{alarm:02}/high"), *act);
    }
    let end = life.last().map_or(0.0, |(seconds, ..)| *seconds);
    rig.pass_to(end.max(seconds_of(rig)) + 1_000.0);
}

fn seconds_of(rig: &Rig) -> f64 {
    rig.now.mono.since(Mono::ZERO).as_secs_f64()
}

/// One step that is to be told.
#[derive(Debug)]
struct Duty {
    step: u16,
    due: f64,
    latest: f64,
    /// A summary of a flood may tell it.
    may_group: bool,
    to: Vec<Told>,
    /// Nobody need act on it any more: that the summary names the alarm is enough.
    settled: bool,
}

#[derive(Debug, Default)]
struct Duties(BTreeMap<Arc<str>, Vec<Duty>>);

impl Duties {
    /// An event of the engine: what is to be told of it.
    fn happened(&mut self, event: &Event, settings: &NotifySettings) {
        let (Some(subject), Some(record)) = (&event.subject, &event.record) else {
            return;
        };
        let duties = self.0.entry(Arc::clone(&subject.alarm)).or_default();
        if !record.overlays().is_empty() {
            duties.clear();
            return;
        }
        let now = seconds(event);
        if record.state != AlarmState::Unacknowledged {
            duties.retain(|duty| duty.due <= now && duty.may_group);
            duties.iter_mut().for_each(|duty| duty.settled = true);
            return;
        }
        let raised = event.kind == EventKind::Raised;
        let returns = [
            EventKind::Realarmed,
            EventKind::Unshelved,
            EventKind::Changed,
        ];
        if raised || returns.contains(&event.kind) {
            *duties = annunciated(subject, raised, now, settings);
        }
    }

    /// Somebody was told: of one alarm, or of all that the line names.
    fn was_told(&mut self, event: &Event) {
        let details = &event.details;
        if !matches!(
            details.notice,
            Some(Notice::Page | Notice::Chatter | Notice::Flood)
        ) {
            return;
        }
        let told = Told {
            output: details.output.clone(),
            persons: details.persons.clone().unwrap_or_default(),
        };
        let own = event.subject.iter().map(|subject| &subject.alarm);
        let now = seconds(event);
        for alarm in own.chain(&details.alarms) {
            let Some(duties) = self.0.get_mut(alarm) else {
                continue;
            };
            for duty in duties.iter_mut().filter(|duty| duty.due <= now) {
                if details.step == Some(duty.step) || duty.settled {
                    duty.to.retain(|to| *to != told);
                }
            }
            duties.retain(|duty| !duty.to.is_empty());
        }
    }

    fn are_done(&self, now: f64) -> Fault {
        for (alarm, duties) in &self.0 {
            for duty in duties {
                prop_assert!(now <= duty.latest + 1e-6, "{} untold: {:?}", alarm, duty);
            }
        }
        Ok(())
    }
}

/// The duties of an annunciation at `now`.
fn annunciated(subject: &Subject, raised: bool, now: f64, settings: &NotifySettings) -> Vec<Duty> {
    let area = subject.area.as_deref();
    let index = subject.index.expect("it is configured").0 as usize;
    let (hazard, priority) = (!settings.may_be_held[index], subject.priority);
    let policy = settings.policy(priority).expect("each has one");
    let steps = policy.steps.iter().zip(0..).map(|(step, number)| {
        let due = now + step.after.as_secs_f64();
        let may_chatter = raised && !hazard && priority <= Priority::Medium;
        let wait = match number {
            0 if !raised || hazard || priority == Priority::Critical => 0.0,
            0 if may_chatter => CHATTER,
            _ => FLOOD,
        };
        Duty {
            step: number,
            due,
            latest: due + wait,
            may_group: wait > 0.0 && wait < CHATTER,
            to: settings.reached(priority, area, number, Wall::default()),
            settled: false,
        }
    });
    steps.filter(|duty| !duty.to.is_empty()).collect()
}

fn check(log: &[Event], until: f64, settings: &NotifySettings) -> Fault {
    let mut duties = Duties::default();
    for event in log {
        duties.are_done(seconds(event))?;
        if event.kind == EventKind::Notified {
            duties.was_told(event);
        } else if event.kind != EventKind::AllClear {
            duties.happened(event, settings);
        }
    }
    duties.are_done(until)
}

proptest! {
    /// Nobody who should be told of an alarm goes untold, and no first page of a critical alarm, of a
    /// hazard, or of what comes back is later than its annunciation.
    #[test]
    fn whoever_is_to_be_told_is_told_in_time(life in life()) {
        let mut rig = crowd();
        live(&mut rig, &life);
        check(&rig.log, seconds_of(&rig), &rig.settings)?;
    }

    /// Power fails after any event that was committed, and comes back at once.
    #[test]
    fn a_power_cut_leaves_nobody_untold(life in life(), cut in any::<prop::sample::Index>()) {
        let mut rig = crowd();
        live(&mut rig, &life);
        let kept = cut.index(rig.log.len()) + 1;
        let at = seconds(&rig.log[kept - 1]);
        rig.power_cut(kept, at);
        let rest: Life = life.iter().filter(|(seconds, ..)| *seconds > at).copied().collect();
        live(&mut rig, &rest);
        check(&rig.log, seconds_of(&rig), &rig.settings)?;
    }
}
