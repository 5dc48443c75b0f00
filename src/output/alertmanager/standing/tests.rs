//! What stands, over the life of an alarm.

use super::*;
use crate::engine::overlay::{Cover, Shelf, Term};
use crate::output::alertmanager::alert::tests::words;
use crate::output::message::tests::{on_call, record};

const ALARM: &str = "CH4-101/high";
const MINUTE: Duration = Duration::from_secs(60);

fn at(seconds: u64) -> Moment {
    Moment::default().after(Duration::from_secs(1_000_000 + seconds))
}

/// The alarm in `state`, raised in this second.
fn alarm(state: AlarmState, raised: u64) -> AlarmRecord {
    AlarmRecord {
        raised_at: Some(at(raised).wall),
        cleared_at: (!state.is_active()).then(|| at(raised + 5).wall),
        ..record(ALARM, state)
    }
}

fn shelved(mut record: AlarmRecord, since: u64) -> AlarmRecord {
    let shelf = Shelf {
        by: "li-wei".into(),
        reason: "exchange".into(),
        approved_by: None,
        term: Term::new(at(since), MINUTE * 60),
        one_shot: false,
    };
    record.cover = Some(Box::new(Cover {
        shelf: Some(shelf),
        suppression: None,
        outage: None,
    }));
    record
}

fn standing(records: &[AlarmRecord], now: u64) -> Standing {
    Standing::new(words(&[ALARM, "B/high"]), MINUTE, records.iter(), at(now))
}

fn stands(standing: &Standing) -> bool {
    standing.firing().any(|alert| &*alert.alarm == ALARM)
}

fn is_over(standing: &Standing) -> bool {
    standing.over().any(|alert| &*alert.alarm == ALARM)
}

#[test]
fn it_stands_while_the_condition_is_true_and_no_longer() {
    use AlarmState::*;
    for (state, expected) in [
        (Normal, false),
        (Unacknowledged, true),
        (Acknowledged, true),
        (ReturnedUnacknowledged, false),
        (LatchedUnacknowledged, true),
        (LatchedAcknowledged, true),
    ] {
        let mut seen = standing(&[], 0);
        seen.heard(&alarm(Unacknowledged, 0), "", at(0));
        assert!(stands(&seen));
        seen.heard(&alarm(state, 0), "", at(100));
        assert_eq!(
            (stands(&seen), is_over(&seen)),
            (expected, !expected),
            "{state:?}"
        );
        let found = standing(&[alarm(state, 0)], 100);
        assert_eq!(stands(&found), expected, "{state:?} found at a start");
        assert_eq!(is_over(&found), !expected, "{state:?} found at a start");
    }
}

#[test]
fn a_short_alarm_stands_for_a_minute_all_the_same() {
    // (seen while active?, cleared in second)
    for (seen, cleared) in [(true, 1), (true, 59), (false, 0), (false, 1), (false, 30)] {
        let mut standing = standing(&[], 0);
        if seen {
            standing.heard(&alarm(AlarmState::Unacknowledged, 0), "", at(0));
        }
        standing.heard(
            &alarm(AlarmState::ReturnedUnacknowledged, 0),
            "",
            at(cleared),
        );
        assert!(stands(&standing), "{cleared}");
        standing.heard(&alarm(AlarmState::Normal, 0), "", at(59));
        standing.turn(at(59));
        assert!(stands(&standing), "acknowledged meanwhile");
        standing.turn(at(60));
        assert!(!stands(&standing) && is_over(&standing), "{cleared}");
    }
}

#[test]
fn history_is_no_alert() {
    let past = alarm(AlarmState::ReturnedUnacknowledged, 0);
    assert!(!stands(&standing(std::slice::from_ref(&past), 61)));
    assert!(
        stands(&standing(std::slice::from_ref(&past), 59)),
        "it is a minute young"
    );
    let mut seen = standing(&[], 100);
    seen.heard(&past, "", at(100));
    assert!(!stands(&seen));
    // A clock that was set back knows nothing of ages.
    let future = alarm(AlarmState::ReturnedUnacknowledged, 5000);
    assert!(!stands(&standing(&[future], 100)));
    let day = 24 * 3600 + 5;
    assert!(
        is_over(&standing(std::slice::from_ref(&past), day - 1)),
        "it may still stand there"
    );
    assert!(!is_over(&standing(&[past], day + 1)));
}

#[test]
fn what_is_raised_beneath_an_overlay_is_told_when_that_ends() {
    let mut standing = standing(&[], 0);
    standing.heard(
        &shelved(alarm(AlarmState::Unacknowledged, 10), 5),
        "",
        at(10),
    );
    assert!(!stands(&standing));
    standing.heard(&shelved(alarm(AlarmState::Acknowledged, 10), 5), "", at(20));
    assert!(!stands(&standing));
    standing.heard(&alarm(AlarmState::Unacknowledged, 10), "", at(30));
    assert!(stands(&standing));
}

#[test]
fn what_is_covered_while_it_stands_goes_on_to_stand() {
    let mut standing = standing(&[], 0);
    standing.heard(&alarm(AlarmState::Unacknowledged, 0), "", at(0));
    standing.heard(
        &shelved(alarm(AlarmState::Unacknowledged, 0), 90),
        "",
        at(90),
    );
    assert!(stands(&standing));
    let cleared = shelved(alarm(AlarmState::ReturnedUnacknowledged, 0), 90);
    standing.heard(&cleared, "", at(100));
    assert!(is_over(&standing));
    let again = AlarmRecord {
        occurrence: 5,
        ..shelved(alarm(AlarmState::Unacknowledged, 110), 90)
    };
    standing.heard(&again, "", at(110));
    assert!(!stands(&standing), "nobody is told of a new one");
}

#[test]
fn a_start_knows_what_the_life_before_had_told() {
    let told = shelved(alarm(AlarmState::Acknowledged, 0), 50);
    assert!(stands(&standing(&[told], 200)));
    let short = shelved(alarm(AlarmState::ReturnedUnacknowledged, 60), 50);
    assert!(!stands(&standing(&[short], 70)), "nobody was to be told");
    let untold = shelved(alarm(AlarmState::Unacknowledged, 60), 50);
    let untold = standing(&[untold], 200);
    assert!(!stands(&untold) && !is_over(&untold));
}

#[test]
fn what_is_not_configured_is_former_and_neither_stands_nor_is_over() {
    let gone = record("GONE/high", AlarmState::Unacknowledged);
    let drill = record("CH4-101/high/drill", AlarmState::Unacknowledged);
    let standing = standing(&[gone, drill], 0);
    assert_eq!((standing.len(), standing.over().count()), (0, 0));
    assert!(standing.is_former("GONE/high") && standing.is_former("CH4-101/high/drill"));
    assert!(!standing.is_former(ALARM) && !standing.is_former("NEVER/high"));
}

#[test]
fn only_what_a_reader_sees_is_a_change_and_only_a_begin_or_an_end_is_urgent() {
    let mut standing = standing(&[], 0);
    standing.heard(&alarm(AlarmState::Unacknowledged, 0), "", at(0));
    let (version, urgent) = (standing.version(), standing.urgent());
    assert_eq!(version, urgent);
    let mut paged = alarm(AlarmState::Unacknowledged, 0);
    paged.numbered = Some(9);
    standing.heard(&paged, "", at(1));
    assert_eq!((standing.version(), standing.urgent()), (version, urgent));
    standing.heard(&alarm(AlarmState::Acknowledged, 0), "", at(70));
    assert!(standing.version() > version);
    assert_eq!(standing.urgent(), urgent);
    standing.heard(&alarm(AlarmState::Normal, 0), "", at(80));
    assert!(standing.urgent() > urgent);
}

#[test]
fn a_new_occurrence_has_a_minute_of_its_own() {
    let mut standing = standing(&[], 0);
    standing.heard(&alarm(AlarmState::Unacknowledged, 0), "", at(0));
    standing.heard(&alarm(AlarmState::ReturnedUnacknowledged, 0), "", at(30));
    let again = |state| AlarmRecord {
        occurrence: 5,
        ..alarm(state, 40)
    };
    standing.heard(&again(AlarmState::Unacknowledged), "", at(40));
    standing.heard(&again(AlarmState::Normal), "", at(41));
    standing.turn(at(99));
    assert!(stands(&standing));
    standing.turn(at(100));
    assert!(!stands(&standing));
}

/// An annotation of an alert that stands, and no label: there is never a second alert, nor one that begins anew.
#[test]
fn another_shift_is_named_in_the_alert_that_stands() {
    let mut words = words(&[ALARM]);
    words.readers = on_call(1_000_000);
    let mut standing = Standing::new(words, MINUTE, [].iter(), at(0));
    standing.heard(&alarm(AlarmState::Unacknowledged, 0), "", at(0));
    let stands = |standing: &Standing| {
        let alerts: Vec<_> = standing.firing().cloned().collect();
        let [alert] = &alerts[..] else {
            panic!("one: {alerts:?}");
        };
        (Arc::clone(alert), standing.version(), standing.urgent())
    };
    let responsible = |alert: &Alert| alert.annotations["responsible"].clone();
    standing.turn(at(59));
    let (before, version, urgent) = stands(&standing);
    assert_eq!(responsible(&before), "Li Wei, shift lead, on call");
    standing.turn(at(60));
    let (after, newer, as_urgent) = stands(&standing);
    assert_eq!(responsible(&after), "Anna Berg (+86 10 5567), on call");
    assert_eq!((&after.labels, &after.key), (&before.labels, &before.key));
    assert_eq!(after.starts_at, before.starts_at);
    assert!(newer > version && after.version == newer, "it is told");
    assert_eq!(as_urgent, urgent);
    assert_eq!(standing.over().count(), 0);
    standing.turn(at(61));
    assert_eq!(standing.version(), newer, "once");
}
