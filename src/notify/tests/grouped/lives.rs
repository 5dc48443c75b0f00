//! Any life of a device and its points: what is grouped is silent only while somebody speaks for it.

use proptest::prelude::*;

use super::super::super::connection::SETTLE;
use super::super::invariants::{Fault, Life, act, acts, seconds};
use super::*;

/// The device lives more than its points.
fn life() -> impl Strategy<Value = Life> {
    let gap = prop_oneof![5 => 0_u32..10, 3 => 10_u32..40, 1 => 40_u32..400];
    let alarm = prop_oneof![2 => Just(0_usize), 3 => 0..=SILENCE.len()];
    acts(gap, alarm, act(), 1..80)
}

fn live(rig: &mut Rig, life: &[(f64, usize, Act)]) {
    let names = lines();
    for (seconds, alarm, act) in life {
        rig.act(*seconds, &names[*alarm].0, *act);
    }
}

/// What the log says of the device.
#[derive(Default)]
struct Speaker {
    standing: Standing,
    told: bool,
    /// At which it was told of.
    priority: Option<Priority>,
    /// Since when it does not speak.
    silent_since: f64,
    /// How long it had not spoken in all before.
    silent: f64,
    /// When power came back.
    cut: Option<f64>,
}

impl Speaker {
    fn speaks(&self) -> bool {
        self.standing.active && !self.standing.covered && self.told
    }

    /// How long it has not spoken in all.
    fn silence(&self, now: f64) -> f64 {
        let running = if self.speaks() {
            0.0
        } else {
            now - self.silent_since
        };
        self.silent + running
    }

    fn hear(&mut self, event: &Event, subject: &Subject, record: &AlarmRecord) {
        let spoke = self.speaks();
        if event.kind == EventKind::Raised || event.kind == EventKind::Notified {
            self.told = event.kind == EventKind::Notified;
            self.priority = Some(subject.priority);
        }
        self.standing = Standing::of(record);
        let now = seconds(event);
        match (spoke, self.speaks()) {
            (true, false) => self.silent_since = now,
            (false, true) => self.silent += now - self.silent_since,
            (true, true) | (false, false) => {}
        }
    }
}

/// What the log says of the silence of a point.
#[derive(Default)]
struct Silence {
    /// Nobody was told of it by its name, although nobody has acknowledged it.
    grouped: bool,
    /// How long the device had not spoken in all when it was.
    joined: f64,
}

impl Silence {
    /// P5 with grouping: silent only while the device speaks, and for a little longer in all.
    fn is_heard(&self, speaker: &Speaker, now: f64) -> Fault {
        let alone = speaker.silence(now) - self.joined;
        let silent = self.grouped && !speaker.speaks() && alone > SETTLE.as_secs_f64() + 1e-6;
        prop_assert!(!silent, "nobody speaks for it at {}", now);
        Ok(())
    }

    fn hear(&mut self, event: &Event, record: &AlarmRecord, speaker: &Speaker) -> Fault {
        let subject = event.subject.as_ref().expect("it is about an alarm");
        let now = seconds(event);
        if event.kind == EventKind::Raised {
            self.grouped = event.details.grouped_under.is_some();
            self.joined = speaker.silence(now);
            let may = &*subject.alarm != "HIDES/stale"
                && speaker.priority >= Some(subject.priority)
                && record.overlays().is_empty()
                && speaker.speaks();
            // Of `YARD` it depends on its priority whether the device told the same output.
            let told_alike =
                self.grouped == may || !self.grouped && &*subject.alarm == "YARD/stale";
            prop_assert!(told_alike, "{:?}", event);
        } else if event.kind == EventKind::Notified && self.grouped {
            let alone = speaker.silence(now) - self.joined;
            let left = SETTLE.as_secs_f64() - alone;
            // A device of which only some were told when power failed spoke for fewer.
            let early = speaker.cut.is_some_and(|cut| now - cut >= left - 1e-6);
            let at_its_time = left >= -1e-6 && (left <= 1e-6 || early);
            let alone = !speaker.speaks() && at_its_time;
            prop_assert!(alone, "told of although it is grouped: {:?}", event);
            prop_assert_eq!(event.details.step, Some(0));
            self.grouped = false;
        } else if event.kind == EventKind::Changed {
            self.grouped = false;
        }
        self.grouped &= record.state == AlarmState::Unacknowledged && record.overlays().is_empty();
        Ok(())
    }
}

/// `restart`: nobody watched before.
fn check(log: &[Event], restart: Option<(usize, f64)>, until: f64) -> Fault {
    let mut speaker = Speaker::default();
    let mut points: BTreeMap<Arc<str>, Silence> = BTreeMap::new();
    for (index, event) in log.iter().enumerate() {
        if let Some((kept, at)) = restart
            && kept == index
        {
            speaker.cut = Some(at);
        }
        for silence in points.values() {
            silence.is_heard(&speaker, seconds(event))?;
        }
        let (Some(subject), Some(record)) = (&event.subject, &event.record) else {
            continue;
        };
        if event.kind == EventKind::AllClear {
            continue;
        }
        if &*subject.alarm == DEVICE {
            speaker.hear(event, subject, record);
        } else {
            let silence = points.entry(Arc::clone(&subject.alarm)).or_default();
            silence.hear(event, record, &speaker)?;
        }
    }
    for silence in points.values() {
        silence.is_heard(&speaker, until)?;
    }
    Ok(())
}

proptest! {
    /// Silence is grouped exactly while the device speaks for it, is told of by itself when it does not
    /// for 20 s, and never while it does.
    #[test]
    fn a_grouped_alarm_is_silent_only_while_somebody_speaks_for_it(life in life()) {
        let mut rig = rig();
        live(&mut rig, &life);
        let end = seconds_of(&rig) + 1_000.0;
        rig.pass_to(end);
        check(&rig.log, None, end)?;
    }

    /// Power fails after any event that was committed, and comes back at once.
    #[test]
    fn a_power_cut_leaves_nothing_silent_that_nobody_speaks_for(
        life in life(), cut in any::<prop::sample::Index>()
    ) {
        let mut rig = rig();
        live(&mut rig, &life);
        prop_assume!(!rig.log.is_empty());
        let kept = cut.index(rig.log.len()) + 1;
        let at = seconds(&rig.log[kept - 1]);
        rig.power_cut(kept, at);
        let rest: Life = life.iter().filter(|(seconds, ..)| *seconds > at).copied().collect();
        live(&mut rig, &rest);
        let end = seconds_of(&rig) + 1_000.0;
        rig.pass_to(end);
        check(&rig.log, Some((kept, at)), end)?;
    }
}

fn seconds_of(rig: &Rig) -> f64 {
    rig.now.mono.since(Mono::ZERO).as_secs_f64()
}
