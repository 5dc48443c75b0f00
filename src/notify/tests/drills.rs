//! Drills: told as alarms are, and no real alarm is told of otherwise because of them.

use proptest::prelude::*;

use super::super::station::Station;
use super::pair::{drain, plant, read, station};
use super::*;
use crate::engine::command::{Action, Command, Drilling};

/// What people do; the real alarm's name is that of [`ALARMS`].
#[derive(Debug, Clone, Copy)]
enum Ask {
    Drill,
    End,
    Acknowledge,
}

const ALARMS: [&str; 4] = ["A/high", "A/stale", "B/high", "C/high"];

fn ask(station: &mut Station, alarm: &str, ask: Ask, seconds: f64) -> bool {
    let drilling = || Drilling {
        span: Some(secs(200)),
        reason: "monthly".to_owned(),
    };
    let command = Command {
        alarm: format!("{alarm}/drill"),
        action: match ask {
            Ask::Drill => Action::Drill(drilling()),
            Ask::End => Action::EndDrill,
            Ask::Acknowledge => Action::Acknowledge {
                occurrence: None,
                span: None,
            },
        },
        by: "li-wei".to_owned(),
        comment: None,
    };
    station.command(&command, moment(seconds)).is_ok()
}

/// Nothing happens at the point of the drill, and it is heard of.
fn pass(station: &mut Station, from: u32, to: u32) {
    for seconds in (from..to).step_by(20) {
        read(station, 0, 5.0, f64::from(seconds));
    }
    station.tick(moment(f64::from(to)));
}

/// What was told of `alarm`, in words.
fn told(events: &[Event], alarm: &str) -> Vec<String> {
    let lines = events.iter().filter(|event| {
        let own = event.subject.as_ref();
        own.is_some_and(|subject| &*subject.alarm == alarm)
            && matches!(event.kind, EventKind::Notified | EventKind::AllClear)
    });
    lines.map(said).collect()
}

/// What a journal would know, power being lost right after `events`.
fn known(events: &[Event]) -> History {
    let mut stored: BTreeMap<Arc<str>, AlarmRecord> = BTreeMap::new();
    for event in events {
        for record in event.record.iter().chain(&event.others) {
            stored.insert(Arc::clone(&record.alarm), record.clone());
        }
    }
    History {
        records: stored.into_values().collect(),
        last_alive: events.last().map(|event| event.at.wall),
        ..History::default()
    }
}

#[test]
fn a_drill_has_the_ladder_of_its_alarm_and_an_all_clear() {
    let mut station = station(settings());
    assert!(ask(&mut station, "A/high", Ask::Drill, 5.0));
    pass(&mut station, 6, 70);
    assert!(ask(&mut station, "A/high", Ask::Acknowledge, 70.0));
    pass(&mut station, 70, 1_000);
    let expected = [
        "5 page 0 farm-1,farm-2",
        "65 page 1 farm-d",
        "205 all_clear farm-1,farm-2,farm-d",
    ];
    assert_eq!(told(&drain(&mut station), "A/high/drill"), expected);
}

#[test]
fn a_power_cut_in_a_drill_neither_loses_nor_repeats_a_step() {
    let mut first = station(settings());
    assert!(ask(&mut first, "A/high", Ask::Drill, 5.0));
    pass(&mut first, 6, 70);
    let before = drain(&mut first);
    let history = known(&before);
    let mut second = Station::start(&plant(), settings(), &history, moment(100.0));
    assert_eq!(second.snapshot().drills.len(), 1);
    pass(&mut second, 100, 1_000);
    let mut all = before;
    all.extend(drain(&mut second));
    let expected = [
        "5 page 0 farm-1,farm-2",
        "65 page 1 farm-d",
        "185 page 2 boss",
        "205 all_clear farm-1,farm-2,farm-d,boss",
    ];
    assert_eq!(told(&all, "A/high/drill"), expected);
}

/// Records of what has an end go with the event of the step, and with them who was told.
#[test]
fn a_step_of_the_clock_forgets_nobody_who_was_told_of_a_drill() {
    let mut station = station(settings());
    assert!(ask(&mut station, "A/high", Ask::Drill, 5.0));
    let mut stepped = moment(20.0);
    stepped.wall = stepped.wall + secs(3_600);
    station.tick(stepped);
    let history = known(&drain(&mut station));
    let mut drills = history.records.iter();
    let record = drills.find(|record| record.drill.is_some());
    let notices = record.and_then(|record| record.notices.as_deref());
    let ladder = notices.and_then(|notices| notices.ladder.as_ref());
    assert_eq!(ladder.expect("it runs").steps, 1);
}

#[test]
fn drills_make_no_flood_of_real_pages() {
    let mut station = station(settings());
    for _ in 0..12 {
        assert!(ask(&mut station, "A/high", Ask::Drill, 1.0));
        assert!(ask(&mut station, "A/high", Ask::End, 1.0));
    }
    drain(&mut station);
    read(&mut station, 0, 9.0, 2.0);
    station.tick(moment(4.0));
    assert_eq!(
        told(&drain(&mut station), "A/high"),
        ["4 page 0 farm-1,farm-2"]
    );
}

#[test]
fn the_snapshot_shows_who_was_told_of_a_drill_and_nothing_beside_the_alarm() {
    let mut station = station(settings());
    assert!(ask(&mut station, "A/high", Ask::Drill, 5.0));
    let snapshot = station.snapshot();
    let notices = snapshot.drills[0].notices.as_ref();
    assert_eq!(notices.expect("people were told").steps, 1);
    assert_eq!(snapshot.alarms[0].notices, None);
}

/// When, of which alarm (or its point), and a value or what people ask.
type Life = Vec<(f64, usize, Result<u8, Ask>)>;

fn life() -> impl Strategy<Value = Life> {
    let ask = prop_oneof![
        3 => Just(Ask::Drill),
        1 => Just(Ask::End),
        1 => Just(Ask::Acknowledge),
    ];
    let what = prop_oneof![3 => (0_u8..12).prop_map(Ok), 2 => ask.prop_map(Err)];
    let happening = (0_u32..160, 0..ALARMS.len(), what);
    prop::collection::vec(happening, 1..60).prop_map(|life| {
        let mut t = 0.0;
        let at = |(gap, alarm, what)| {
            t += f64::from(gap) / 4.0;
            (t, alarm, what)
        };
        life.into_iter().map(at).collect()
    })
}

/// Lives it; without drills, time passes where they would have been.
fn live(life: &Life, drills: bool) -> Vec<Event> {
    let mut station = station(settings());
    for (seconds, alarm, what) in life {
        match what {
            Ok(value) => {
                let point = u32::try_from(alarm % 3).expect("three points");
                read(&mut station, point, f64::from(*value), *seconds);
            }
            Err(what) if drills => {
                ask(&mut station, ALARMS[*alarm], *what, *seconds);
            }
            Err(_) => station.tick(moment(*seconds)),
        }
    }
    let end = life.last().map_or(0.0, |(seconds, ..)| *seconds);
    station.tick(moment(end + 3_000.0));
    drain(&mut station)
}

proptest! {
    /// Pages, reminders and summaries of real alarms come as if nobody ever held a drill.
    #[test]
    fn no_real_alarm_is_told_of_otherwise(life in life()) {
        let mut real = live(&life, true);
        real.retain(|event| !event.subject.as_ref().is_some_and(Subject::is_drill));
        prop_assert_eq!(real, live(&life, false));
    }
}
