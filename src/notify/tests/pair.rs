//! Engine and notifier behind one contract.

use proptest::prelude::*;

use super::super::station::Station;
use super::*;
use crate::engine::command::{Action, Command};
use crate::engine::effect::Effect;
use crate::engine::reading::{PointIndex, Reading, Sample};
use crate::engine::settings::{AlarmSettings, Level, LimitRule, PointSettings, Rule, Settings};

/// A point with a limit at 8, 2 s of delay, and an alarm about its silence after 30 s.
fn point(id: &str, area: &str) -> PointSettings {
    let high = Rule::Limit(LimitRule {
        level: Level::High,
        limit: 8.0,
        deadband: 0.0,
    });
    let high = AlarmSettings {
        on_delay: secs(2),
        ..AlarmSettings::new(high, Priority::High)
    };
    let stale = AlarmSettings::new(Rule::Stale, Priority::High);
    PointSettings {
        area: (!area.is_empty()).then(|| area.into()),
        unit: "bar".into(),
        stale_after: Some(secs(30)),
        reorder: Duration::ZERO,
        ..PointSettings::new(id, vec![high, stale])
    }
}

pub(super) fn station(settings: NotifySettings) -> Station {
    Station::start(&plant(), settings, &History::default(), moment(0.0))
}

pub(super) fn plant() -> Settings {
    Settings {
        points: vec![point("A", "farm"), point("B", "pit"), point("C", "")],
        ..Settings::default()
    }
}

pub(super) fn read(station: &mut Station, point: u32, value: f64, seconds: f64) {
    let reading = Reading::live(PointIndex(point), Sample::measured(value), moment(seconds));
    station.read(reading);
}

pub(super) fn drain(station: &mut Station) -> Vec<Event> {
    let effects = std::iter::from_fn(|| station.poll_effect());
    let events = effects.filter_map(|effect| match effect {
        Effect::Event(event) => Some(*event),
        Effect::Remember(_) => None,
    });
    events.collect()
}

fn lines(events: &[Event]) -> Vec<String> {
    let told = events
        .iter()
        .filter(|event| event.kind == EventKind::Notified);
    told.map(said).collect()
}

#[test]
fn the_start_says_of_how_many_alarms_nobody_is_told() {
    let without = NotifySettings {
        outputs: Vec::new(),
        ..settings()
    };
    for (settings, told) in [
        (settings(), "3 points with 6 alarms"),
        (
            without,
            "3 points with 6 alarms; nobody is told of 2 of them",
        ),
        (
            NotifySettings::default(),
            "3 points with 6 alarms; nobody is told of 6 of them",
        ),
    ] {
        let started = drain(&mut station(settings)).remove(0);
        let message = started.details.message.expect("the start says something");
        assert!(message.ends_with(told), "{message}");
    }
}

#[test]
fn a_page_stands_right_behind_what_it_tells_of() {
    let mut station = station(settings());
    drain(&mut station);
    read(&mut station, 0, 9.0, 1.0);
    read(&mut station, 1, 9.0, 1.0);
    assert!(!station.has_events());
    station.tick(moment(3.0));
    assert!(station.has_events());
    let kinds: Vec<_> = drain(&mut station).iter().map(|event| event.kind).collect();
    let (raised, notified) = (EventKind::Raised, EventKind::Notified);
    assert_eq!(kinds, [raised, notified, raised, notified]);
    assert_eq!(station.poll_timeout(), Some(moment(30.0).mono));
}

#[test]
fn what_people_should_have_been_told_in_a_pause_they_are_told_after_it() {
    let mut station = station(settings());
    read(&mut station, 0, 9.0, 1.0);
    station.tick(moment(3.0));
    drain(&mut station);
    station.paused(moment(10.0), moment(500.0));
    let events = drain(&mut station);
    assert_eq!(events[0].kind, EventKind::MonitoringGap);
    assert_eq!(
        lines(&events),
        [
            "500 reminder farm-1,farm-2",
            "500 page 1 farm-d",
            "500 page 2 boss"
        ]
    );
}

#[test]
fn the_end_of_an_alarm_is_told_with_its_end() {
    let mut station = station(settings());
    read(&mut station, 0, 9.0, 1.0);
    read(&mut station, 0, 9.0, 29.0);
    read(&mut station, 0, 5.0, 40.0);
    let kinds: Vec<_> = drain(&mut station).iter().map(|event| event.kind).collect();
    assert_eq!(
        kinds[kinds.len() - 2..],
        [EventKind::Cleared, EventKind::AllClear]
    );
}

#[test]
fn a_reading_that_changes_nothing_allocates_nothing_while_people_are_being_told() {
    let mut station = station(settings());
    let mut second = 0;
    let mut go = |station: &mut Station| {
        second += 1;
        (0..3).for_each(|point| read(station, point, 9.0, f64::from(second) / 10.0));
    };
    (0..300).for_each(|_| go(&mut station));
    station.tick(moment(30.0));
    assert!(!lines(&drain(&mut station)).is_empty());
    let allocations = allocation_counter::measure(|| (0..300).for_each(|_| go(&mut station)));
    assert_eq!(allocations.count_total, 0, "{allocations:?}");
}

proptest! {
    /// A replay jumps from line to line, a running gateway wakes for every timer: the same comes of it.
    #[test]
    fn whoever_wakes_for_every_timer_says_the_same_as_whoever_jumps(
        readings in prop::collection::vec((0_u32..400, 0_u32..3, 0_u8..12), 1..40)
    ) {
        let mut times = 0.0;
        let readings = readings.into_iter().map(|(gap, point, value)| {
            times += f64::from(gap) / 4.0;
            (times, point, f64::from(value))
        });
        let readings: Vec<_> = readings.collect();
        let (mut awake, mut jumps) = (station(settings()), station(settings()));
        for (seconds, point, value) in &readings {
            while let Some(due) = awake.poll_timeout() && due < moment(*seconds).mono {
                awake.tick(moment(due.as_secs_f64()));
            }
            read(&mut awake, *point, *value, *seconds);
            read(&mut jumps, *point, *value, *seconds);
        }
        let end = moment(times + 2_000.0);
        while let Some(due) = awake.poll_timeout() && due < end.mono {
            awake.tick(moment(due.as_secs_f64()));
        }
        awake.tick(end);
        jumps.tick(end);
        prop_assert_eq!(drain(&mut awake), drain(&mut jumps));
    }
}

#[test]
fn the_end_in_good_order_is_on_the_record() {
    let mut station = station(settings());
    drain(&mut station);
    station.stop(moment(5.0));
    let events = drain(&mut station);
    let last = events.last().map(|event| event.kind);
    assert_eq!(last, Some(EventKind::Stopped));
}

/// What is remembered by the wall clock goes with the step that moves it, each record once.
#[test]
fn a_step_of_the_clock_stores_again_who_was_told_when() {
    let mut station = station(settings());
    read(&mut station, 0, 9.0, 1.0);
    station.tick(moment(5.0));
    drain(&mut station);
    let hour = Duration::from_secs(3_600);
    station.tick(Moment {
        wall: moment(6.0).wall + hour,
        ..moment(6.0)
    });
    let events = drain(&mut station);
    let stepped = events
        .iter()
        .find(|event| event.kind == EventKind::ClockStepped);
    let others = &stepped.expect("it is told").others;
    let own: Vec<_> = others
        .iter()
        .filter(|record| &*record.alarm == "A/high")
        .collect();
    let [record] = own[..] else {
        panic!("once: {others:?}");
    };
    let ladder = record
        .notices
        .as_ref()
        .and_then(|notices| notices.ladder.as_ref());
    let began = ladder.map(|ladder| ladder.began_at);
    assert_eq!(began, Some(moment(3.0).wall + hour));
}

/// Of an alarm that is over people are yet to be told: when they were told last moves with the clock, too.
#[test]
fn a_step_of_the_clock_stores_again_what_is_over() {
    let mut station = station(settings());
    read(&mut station, 0, 9.0, 1.0);
    station.tick(moment(5.0));
    let acknowledge = Command {
        alarm: "A/high".to_owned(),
        action: Action::Acknowledge {
            occurrence: None,
            span: None,
        },
        by: "li-wei".to_owned(),
        comment: None,
    };
    let accepted = station.command(&acknowledge, moment(5.0));
    assert!(accepted.is_ok());
    read(&mut station, 0, 5.0, 8.0);
    station.tick(moment(9.0));
    drain(&mut station);
    let hour = Duration::from_secs(3_600);
    station.tick(Moment {
        wall: moment(10.0).wall + hour,
        ..moment(10.0)
    });
    let events = drain(&mut station);
    let stepped = events
        .iter()
        .find(|event| event.kind == EventKind::ClockStepped);
    let mut others = stepped.expect("it is told").others.iter();
    let own = others.find(|record| &*record.alarm == "A/high");
    let notices = own.and_then(|record| record.notices.as_ref());
    let over = notices.and_then(|notices| notices.over.as_ref());
    let told_at = over.map(|over| over.told_at);
    assert_eq!(told_at, Some(moment(3.0).wall + hour));
}
