//! A point's story, reading by reading, and the records that must come of it.

use super::*;

const PACE: Pace = Pace {
    shortest: Duration::from_secs(10),
    longest: Duration::from_secs(600),
};
const GOOD: Condition = (Quality::Good, None, false);
const LOST: Condition = (Quality::Bad, Some("no_communication"), false);
const DOUBTFUL: Condition = (Quality::Uncertain, Some("frozen"), false);

/// One point with a deadband of 1.
struct Story {
    recorder: Recorder,
    accepted: u64,
}

impl Story {
    fn new() -> Self {
        Self::with(PACE, 1.0)
    }

    fn with(pace: Pace, deadband: f64) -> Self {
        Self {
            recorder: Recorder::new(pace, std::iter::once(deadband)),
            accepted: 0,
        }
    }

    /// A reading at `second`, as the engine shows it.
    fn read(&mut self, second: f64, value: f64) -> Vec<Record> {
        self.show(second, Some(value), GOOD, true)
    }

    fn show(
        &mut self,
        second: f64,
        value: Option<f64>,
        condition: Condition,
        fresh: bool,
    ) -> Vec<Record> {
        self.accepted += u64::from(fresh);
        let shown = Shown {
            value,
            quality: condition.0,
            reason: condition.1,
            held: condition.2,
            last_reading: Some(at(second).wall),
            accepted: self.accepted,
        };
        let mut told = Vec::new();
        let point = PointIndex(0);
        self.recorder
            .see(point, &shown, at(second), &mut |record| told.push(record));
        told
    }

    fn close(&mut self, second: f64) -> Vec<Record> {
        let mut told = Vec::new();
        self.recorder
            .close(at(second), &mut |record| told.push(record));
        told
    }

    fn turn(&mut self, second: f64) -> Vec<Record> {
        let mut told = Vec::new();
        let point = PointIndex(0);
        self.recorder
            .turn(point, at(second), &mut |record| told.push(record));
        told
    }
}

fn at(second: f64) -> Moment {
    Moment::default().after(Duration::from_secs(1000) + Duration::from_secs_f64(second))
}

/// Values and counts, to compare.
fn told(records: &[Record]) -> Vec<(Option<f64>, u32)> {
    let told = records.iter().map(|record| (record.value, record.count));
    told.collect()
}

#[test]
fn the_first_reading_is_recorded_at_once() {
    let mut story = Story::new();
    let records = story.read(0.0, 20.0);
    assert_eq!(told(&records), [(Some(20.0), 1)]);
    assert_eq!((records[0].from, records[0].range), (at(0.0).wall, None));
}

#[test]
fn what_stays_inside_the_deadband_waits_for_the_longest_interval() {
    let mut story = Story::new();
    story.read(0.0, 20.0);
    for second in 1..600 {
        let value = 20.0 + f64::from(second % 3 - 1);
        assert_eq!(story.read(f64::from(second), value), [], "{second}");
        assert_eq!(story.turn(f64::from(second)), [], "{second}");
    }
    let records = story.read(600.0, 20.5);
    assert_eq!(told(&records), [(Some(20.5), 600)]);
    assert_eq!(records[0].range, Some((19.0, 21.0)));
    assert_eq!(records[0].from, at(1.0).wall);
}

#[test]
fn movement_is_recorded_and_not_sooner_than_the_shortest_interval() {
    let mut story = Story::new();
    story.read(0.0, 20.0);
    assert_eq!(story.read(1.0, 25.0), []);
    assert_eq!(story.turn(9.9), []);
    let records = story.turn(10.0);
    assert_eq!(told(&records), [(Some(25.0), 1)]);
    // The deadband lies around what was recorded.
    assert_eq!(story.read(21.0, 25.9), []);
    assert_eq!(story.turn(22.0), []);
    assert_eq!(told(&story.read(23.0, 26.5)), [(Some(26.5), 2)]);
}

#[test]
fn a_short_spike_survives_although_the_value_is_back() {
    for spike in [95.0, -40.0] {
        let mut story = Story::new();
        story.read(0.0, 20.0);
        for (tenth, value) in [(30.0, 20.1), (31.0, spike), (32.0, 20.2), (33.0, 20.0)] {
            assert_eq!(story.read(tenth / 10.0, value), []);
        }
        let records = story.turn(10.0);
        assert_eq!(told(&records), [(Some(20.0), 4)]);
        let (low, high) = records[0].range.expect("it was elsewhere");
        assert!(low <= spike && spike <= high, "{low} to {high}");
        assert_eq!(story.turn(30.0), [], "told once");
    }
}

#[test]
fn a_deadband_of_nothing_records_every_change_and_no_repetition() {
    let mut story = Story::with(PACE, 0.0);
    story.read(0.0, 20.0);
    assert_eq!(story.read(11.0, 20.0), []);
    assert_eq!(told(&story.read(12.0, 20.000_001)), [(Some(20.000_001), 2)]);
}

#[test]
fn a_lost_value_is_told_at_once_and_what_was_before_is_not_lost() {
    let mut story = Story::new();
    story.read(0.0, 20.0);
    story.read(1.0, 90.0);
    let records = story.show(2.0, None, LOST, false);
    assert_eq!(told(&records), [(Some(90.0), 1), (None, 1)]);
    assert_eq!(records[1].quality, Quality::Bad);
    assert_eq!(records[1].reason, Some("no_communication"));
    assert_eq!((records[1].range, records[1].time), (None, at(2.0).wall));
    // As long as it is so, nothing is new.
    assert_eq!(story.show(3.0, None, LOST, false), []);
    assert_eq!(story.turn(700.0), []);
}

#[test]
fn a_number_that_is_none_becomes_no_number() {
    let mut story = Story::new();
    for value in [f64::NAN, f64::INFINITY] {
        let records = story.show(0.0, Some(value), LOST, true);
        assert!(records.iter().all(|record| record.value.is_none()));
    }
}

#[test]
fn a_flickering_quality_is_bounded_and_its_record_has_the_worst() {
    let mut story = Story::new();
    story.read(0.0, 20.0);
    let mut records = Vec::new();
    for second in 1..=100 {
        let second = f64::from(second);
        records.extend(story.show(second - 0.5, Some(20.0), DOUBTFUL, true));
        records.extend(story.show(second, Some(20.0), GOOD, true));
        records.extend(story.turn(second));
    }
    assert!(records.len() <= 31, "{} records", records.len());
    let waited = records.iter().filter(|record| record.count > 1);
    for record in waited {
        assert_eq!(record.quality, Quality::Uncertain, "{record:?}");
    }
}

#[test]
fn who_comes_back_gets_the_present_of_what_does_not_move() {
    let mut story = Story::new();
    assert_eq!(story.turn(0.0), []);
    story.recorder.refresh();
    assert_eq!(story.turn(0.0), [], "nothing is known yet");
    story.read(0.0, 20.0);
    story.recorder.refresh();
    assert_eq!(story.turn(9.0), []);
    let records = story.turn(10.0);
    assert_eq!(told(&records), [(Some(20.0), 0)]);
    assert_eq!(
        (records[0].time, records[0].from),
        (at(0.0).wall, at(0.0).wall)
    );
    assert_eq!(story.turn(30.0), [], "once");
}

#[test]
fn a_wall_clock_that_steps_shortens_no_interval() {
    let mut story = Story::new();
    story.read(0.0, 20.0);
    let stepped = Moment {
        wall: at(1.0).wall + Duration::from_secs(86_400),
        ..at(1.0)
    };
    let shown = Shown {
        value: Some(30.0),
        quality: Quality::Good,
        reason: None,
        held: false,
        last_reading: Some(stepped.wall),
        accepted: 99,
    };
    let mut records = Vec::new();
    story
        .recorder
        .see(PointIndex(0), &shown, stepped, &mut |record| {
            records.push(record)
        });
    assert_eq!(records, []);
}

#[test]
fn what_is_open_at_the_end_is_recorded() {
    let mut story = Story::new();
    assert_eq!(story.close(0.0), [], "nothing was seen");
    story.read(0.0, 20.0);
    assert_eq!(story.close(1.0), [], "it is recorded");
    story.read(2.0, 95.0);
    story.read(3.0, 20.0);
    let records = story.close(4.0);
    assert_eq!(told(&records), [(Some(20.0), 2)]);
    assert_eq!(records[0].range, Some((20.0, 95.0)));
    assert_eq!(story.close(5.0), [], "once");
}
