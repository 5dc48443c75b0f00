//! The present, looked at: what must hold of every snapshot, and between two of them.

use forewarn::engine::alarm::AlarmState;
use forewarn::engine::drill;
use forewarn::engine::effect::Event;
use forewarn::engine::overlay::Term;
use forewarn::engine::snapshot::{AlarmRecord, AlarmView, PointView, Snapshot};

use super::Finding;
use super::design;
use super::plant::{LONGEST_OUTAGE, LONGEST_SHELF, LONGEST_SILENCE};
use super::witness::{Witness, is_about_measuring};

/// What must hold at true time `t`, seconds, with everything told.
pub(super) fn at(snapshot: &Snapshot, witness: &Witness, t: f64) -> Finding {
    for point in &snapshot.points {
        is_finite(point)?;
    }
    for view in &snapshot.alarms {
        overlays_end(view, snapshot)?;
        if &*view.point == "FAR" && !is_about_measuring(&view.alarm) && view.occurrence > 0 {
            return Err(format!("P13: nothing comes near the limit of {view:?}"));
        }
        let calls = view.state == AlarmState::Unacknowledged && view.overlays.is_empty();
        let quiet = witness
            .story(&view.alarm)
            .map(|story| t - story.quiet_since);
        as_told(view, witness)?;
        if calls && quiet.is_none_or(|quiet| quiet > LONGEST_SILENCE) {
            return Err(format!("P5: nobody was told for {quiet:?} s of {view:?}"));
        }
    }
    design::at(snapshot)
}

/// P17: what is no number is shown nowhere.
fn is_finite(point: &PointView) -> Finding {
    let exposures = point.stel.into_iter().chain(point.twa);
    let mut numbers: Vec<f64> = exposures
        .flat_map(|view| [view.average, view.upper_bound, view.coverage])
        .collect();
    numbers.extend(point.value);
    numbers.extend(point.slope_per_min);
    numbers.extend(point.forecast.iter().map(|(_, seconds)| *seconds));
    if numbers.iter().all(|number| number.is_finite()) {
        return Ok(());
    }
    Err(format!("P17: not a number in {point:?}"))
}

/// P6: whatever lies over an alarm ends, not too late, and is gone then.
fn overlays_end(view: &AlarmView, snapshot: &Snapshot) -> Finding {
    let shelf = view.cover.as_ref().and_then(|cover| cover.shelf.as_ref());
    let outage = view.cover.as_ref().and_then(|cover| cover.outage.as_ref());
    let shelf = shelf.map(|shelf| (shelf.term, LONGEST_SHELF));
    let outage = outage.map(|outage| (outage.term, LONGEST_OUTAGE));
    let fits = |(term, most): (Term, f64)| {
        let left = term.until.seconds_since(snapshot.at.wall);
        // The wall clock of a step is rounded.
        left > -0.01 && left <= most + 0.01
    };
    if shelf.into_iter().chain(outage).all(fits) {
        return Ok(());
    }
    Err(format!("P6: an overlay outlives its end: {view:?}"))
}

/// P10: right after a restart every alarm stands as it was committed last, unless an event says otherwise.
pub(super) fn restored(snapshot: &Snapshot, said: &[Event], witness: &Witness) -> Finding {
    for view in &snapshot.alarms {
        let mut told = said.iter().filter_map(|event| event.subject.as_ref());
        if !told.any(|subject| subject.alarm == view.alarm) {
            as_told(view, witness)?;
        }
    }
    Ok(())
}

/// The same of drills, of which those are shown that are open.
pub(super) fn restored_drills(snapshot: &Snapshot, said: &[Event], witness: &Witness) -> Finding {
    for view in &snapshot.alarms {
        let name = drill::name(&view.alarm);
        let mut told = said.iter().filter_map(|event| event.subject.as_ref());
        if told.any(|subject| *subject.alarm == *name) {
            continue;
        }
        let stored = witness.story(&name).and_then(|story| story.record.as_ref());
        let stored = stored.filter(|record| record.state != AlarmState::Normal);
        let mut drills = snapshot.drills.iter().map(|drill| &drill.record);
        let shown = drills.find(|record| *record.alarm == *name);
        let essence = |record: &AlarmRecord| {
            let first = record.acknowledged.clone();
            (record.state, record.occurrence, record.raised_at, first)
        };
        if stored.map(essence) != shown.map(essence) {
            return Err(format!(
                "P10: committed as {stored:?}, restored as {shown:?}"
            ));
        }
    }
    Ok(())
}

/// P10: an alarm stands as it was committed last, whatever lies over it: nothing happens without an event.
fn as_told(view: &AlarmView, witness: &Witness) -> Finding {
    let record = witness
        .story(&view.alarm)
        .and_then(|story| story.record.as_ref());
    let same = match record {
        None => view.occurrence == 0 && view.state == AlarmState::Normal,
        Some(record) => {
            view.state == record.state
                && view.occurrence == record.occurrence
                && view.overlays == record.overlays()
                && view.acknowledged == record.acknowledged
                && view.first_out == record.first_out
                && view.older_unacknowledged == record.unacknowledged.len()
                && (view.occurrence == 0 || view.raised_at == record.raised_at)
        }
    };
    if same {
        return Ok(());
    }
    Err(format!("P10: committed as {record:?}, shown as {view:?}"))
}

/// What is there beside times and counts of readings: the first alarm or point that differs, before and
/// after.
pub(super) fn difference(before: &Snapshot, after: &Snapshot) -> Option<(String, String)> {
    let alarms = before.alarms.iter().zip(&after.alarms);
    let alarms = alarms.map(|(a, b)| (essence(a), essence(b)));
    let points = before.points.iter().zip(&after.points);
    let points = points.map(|(a, b)| (shown(a), shown(b)));
    alarms.chain(points).find(|(before, after)| before != after)
}

fn essence(view: &AlarmView) -> String {
    let AlarmView {
        alarm,
        priority,
        state,
        overlays,
        occurrence,
        value,
        quality,
        acknowledged,
        peak,
        older_unacknowledged,
        ..
    } = view;
    let by = acknowledged.as_ref().map(|first| &first.by);
    format!(
        "{alarm} {priority:?} {state:?} {overlays:?} {occurrence} {value:?} {quality:?} {by:?} \
         {peak:?} {older_unacknowledged}"
    )
}

fn shown(view: &PointView) -> String {
    let PointView {
        id,
        value,
        held,
        quality,
        reason,
        slope_per_min,
        stel,
        twa,
        group,
        ..
    } = view;
    format!(
        "{id} {value:?} {held:?} {quality:?} {reason:?} {slope_per_min:?} {stel:?} {twa:?} \
         {group:?}"
    )
}
