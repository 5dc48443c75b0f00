//! That every setting that decides what an alarm does is kept, and told when it is another.

use super::super::memory::{Configured, Content};
use super::super::settings::{
    Average, CountRule, DeviationRule, ExposureRule, FirstOutSettings, ForecastRule, FrozenRule,
    HealthRule, MedianRule, OnBad, Origin, OverRangeRule, PlantState, Reference, Suppressor,
};
use super::super::signal::{
    Bounds, Conversion, CurrentLoop, CurrentMeaning, Curve, Meaning, Scaling, Special,
};
use super::configured::life;
use super::*;

/// A plant in which everything is configured that a point and an alarm can have.
fn everything() -> Settings {
    let contact = PlantState::Position {
        point: PointIndex(1),
        on: true,
    };
    let frozen = FrozenRule {
        after: seconds(60.0),
        tolerance: 0.5,
        rests_at_zero: false,
        gate: None,
    };
    let forecast = ForecastRule {
        to: Level::High,
        limit: 8.0,
        within: seconds(60.0),
        confirmations: 3,
        trend: 0,
    };
    let over_range = OverRangeRule {
        at: 10.0,
        bottom: 0.0,
        deadband: 1.0,
        latching: true,
        reset_below: 7.0,
        reset_after: seconds(60.0),
    };
    let twa = ExposureRule {
        average: Average::Shift,
        limit: 5.0,
        deadband: 1.0,
    };
    let high = AlarmSettings {
        suppressed_by: vec![Suppressor {
            plant: contact,
            max: None,
        }],
        ..limit(Level::High, 8.0, 1.0)
    };
    let measured = [
        Rule::Frozen(frozen),
        Rule::Forecast(forecast),
        Rule::OverRange(over_range),
        Rule::Exposure(twa),
        Rule::Deviation(DeviationRule {
            from: Reference::Fixed(5.0),
            below: None,
            above: Some(2.0),
            deadband: 0.5,
            settle: Duration::ZERO,
        }),
        Rule::Discrepancy(DiscrepancyRule {
            limit: 4.0,
            deadband: 1.0,
        }),
    ];
    let measured = measured.map(alarm).into_iter().chain([high, rise(30.0)]);
    Settings {
        points: vec![
            point("P", measured.collect()),
            point("C", vec![alarm(Rule::State { when: true })]),
            group("G", 1, vec![1], AlarmKind::State, BadChannel::Vote),
        ],
        ..Settings::default()
    }
}

/// What the start with `changed` settings tells of each alarm.
fn told_of_change(changed: &Settings) -> Vec<String> {
    let mut engine = Engine::start(&everything(), &History::default(), moment(0.0));
    let (_, memories) = life(&mut engine);
    let known = History {
        memories,
        ..History::default()
    };
    let (events, _) = life(&mut Engine::start(changed, &known, moment(1.0)));
    let told = events.iter().filter_map(|event| {
        let alarm = &event.subject.as_ref()?.alarm;
        (event.kind == EventKind::ConfigChanged).then(|| {
            format!(
                "{alarm}: {}",
                event.details.message.as_deref().unwrap_or("")
            )
        })
    });
    told.collect()
}

fn rule(settings: &mut Settings, kind: AlarmKind) -> &mut AlarmSettings {
    let points = settings.points.iter_mut();
    let mut alarms = points.flat_map(|point| &mut point.alarms);
    let found = alarms.find(|alarm| alarm.kind() == kind);
    found.expect("everything is configured")
}

/// A change of each setting, of an alarm or of its rule, and what is told of it.
macro_rules! changes {
    (@set $alarm:ident . $field:ident $value:expr) => {
        $alarm.$field = $value
    };
    (@set $alarm:ident $rule:ident . $field:ident $value:expr) => {
        if let Rule::$rule(rule) = &mut $alarm.rule {
            rule.$field = $value;
        }
    };
    ($($kind:ident $($rule:ident)? . $field:ident = $value:expr => $told:literal;)*) => {
        [$((
            AlarmKind::$kind,
            (|alarm| changes!(@set alarm $($rule)? . $field $value)) as fn(&mut AlarmSettings),
            $told,
        )),*]
    };
}

#[test]
fn every_setting_of_an_alarm_is_told() {
    let cases = changes! {
        High Limit.limit = 9.0 => "P/high: limit 8 -> 9";
        High Limit.deadband = 2.5 => "P/high: deadband 1 -> 2.5";
        High.on_delay = seconds(5.0) => "P/high: on_delay 0s -> 5s";
        High.off_delay = seconds(5.0) => "P/high: off_delay 0s -> 5s";
        High.priority = Priority::High => "P/high: priority medium -> high";
        High.inherit_priority = true => "P/high: inherit_priority off -> on";
        High.pending_hold = PendingHold::Deadband => "P/high: pending_hold off -> deadband";
        High.count = Some(CountRule { times: 3, within: seconds(600.0) })
            => "P/high: count off -> 3 within 10min";
        High.latching = true => "P/high: latching off -> on";
        High.ack_required = false => "P/high: ack_required on -> off";
        High.realarm_after = Some(seconds(60.0)) => "P/high: realarm_after off -> 1min";
        High.highly_managed = true => "P/high: highly_managed off -> on";
        High.confirm_required = true => "P/high: confirm_required off -> on";
        High.suppressed_by = Vec::new() => "P/high: suppressed_by C is 1 -> off";
        State.rule = Rule::State { when: false } => "C/state: when 1 -> 0";
        Rise Rate.limit_per_min = 40.0 => "P/rise: limit 30 -> 40";
        Rise Rate.deadband_per_min = 3.0 => "P/rise: deadband 6 -> 3";
        Rise Rate.significant = true => "P/rise: significant off -> on";
        Forecast Forecast.to = Level::HighHigh => "P/forecast: to high -> high_high";
        Forecast Forecast.within = seconds(90.0) => "P/forecast: within 1min -> 90s";
        Forecast Forecast.confirmations = 5 => "P/forecast: confirmations 3 -> 5";
        Deviation Deviation.from = Reference::Point(PointIndex(1)) => "P/deviation: from 5 -> C";
        Deviation Deviation.from = Reference::Median(MedianRule { window: seconds(600.0) })
            => "P/deviation: from 5 -> median of 10min";
        Deviation Deviation.below = Some(3.0) => "P/deviation: below off -> 3";
        Deviation Deviation.above = Some(3.0) => "P/deviation: limit 2 -> 3, above 2 -> 3";
        Deviation Deviation.deadband = 0.25 => "P/deviation: deadband 0.5 -> 0.25";
        Deviation Deviation.settle = seconds(30.0) => "P/deviation: settle off -> 30s";
        Discrepancy Discrepancy.deadband = 2.0 => "P/discrepancy: deadband 1 -> 2";
        Frozen Frozen.after = seconds(120.0) => "P/frozen: after 1min -> 2min";
        Frozen Frozen.tolerance = 1.0 => "P/frozen: tolerance 0.5 -> 1";
        Frozen Frozen.rests_at_zero = true => "P/frozen: rests_at_zero off -> on";
        Frozen Frozen.gate = Some(PlantState::Active {
            point: PointIndex(1),
            kind: AlarmKind::State,
        }) => "P/frozen: while off -> C/state is active";
        Twa Exposure.average = Average::Dose => "P/twa: method window -> dose";
        Twa Exposure.deadband = 2.0 => "P/twa: deadband 1 -> 2";
        OverRange OverRange.bottom = 1.0 => "P/over_range: bottom 0 -> 1";
        OverRange OverRange.deadband = 2.0 => "P/over_range: deadband 1 -> 2";
        OverRange OverRange.latching = false => "P/over_range: held on -> off";
        OverRange OverRange.reset_below = 6.0 => "P/over_range: reset_below 7 -> 6";
        OverRange OverRange.reset_after = seconds(30.0) => "P/over_range: reset_after 1min -> 30s";
    };
    for (kind, change, expected) in cases {
        let mut changed = everything();
        change(rule(&mut changed, kind));
        assert_eq!(told_of_change(&changed), [expected]);
    }
    let mut changed = everything();
    rule(&mut changed, AlarmKind::High).suppressed_by[0].max = Some(seconds(20.0));
    let expected = "P/high: suppressed_by C is 1 -> C is 1 for 20s at most";
    assert_eq!(told_of_change(&changed), [expected]);
    let mut changed = everything();
    changed.first_outs = vec![FirstOutSettings {
        id: "F".into(),
        members: vec![
            (PointIndex(0), AlarmKind::High),
            (PointIndex(1), AlarmKind::State),
        ],
    }];
    let expected = ["P/high: first_out off -> F", "C/state: first_out off -> F"];
    assert_eq!(told_of_change(&changed), expected);
}

/// A point's setting is one of all its alarms; a window one of those that look through it.
#[test]
fn every_setting_of_a_point_is_told() {
    type Change = fn(&mut PointSettings);
    fn signal(point: &mut PointSettings, change: impl FnOnce(&mut Signal)) {
        let mut signal = Signal::plain();
        change(&mut signal);
        point.signal = signal.into();
    }
    const BOUNDS: Option<Bounds> = Some(Bounds {
        low: -1.0,
        high: 99.0,
    });
    let on_contact: [(Change, &str); 22] = [
        (
            |point| {
                point.origin = Some(Origin {
                    words: "device d, coil:0".into(),
                    poll: Some(seconds(1.0)),
                });
            },
            "poll off -> 1s, source off -> device d, coil:0",
        ),
        (|point| point.area = Some("pit".into()), "area off -> pit"),
        (|point| point.unit = "bar".into(), "unit off -> bar"),
        (
            |point| point.stale_after = Some(seconds(20.0)),
            "stale_after 10s -> 20s",
        ),
        (
            |point| point.good_confirm = seconds(5.0),
            "good_confirm 3s -> 5s",
        ),
        (|point| point.warm_up = seconds(60.0), "warm_up off -> 1min"),
        (|point| point.reorder = seconds(5.0), "reorder 10s -> 5s"),
        (|point| point.late = seconds(5.0), "late 10s -> 5s"),
        (
            |point| {
                point.health = vec![HealthRule {
                    from: PointIndex(0),
                    good: [0.0].into(),
                    failure: [4.0, 5.0].into(),
                    function_check: [3.0].into(),
                    out_of_specification: [2.0].into(),
                    maintenance: [1.0].into(),
                }];
            },
            "health off -> P 0 good 4 failure 5 failure 3 function_check 2 out_of_specification 1 maintenance",
        ),
        (
            |point| point.on_bad = OnBad::VoteTrip,
            "on_bad off -> vote_trip",
        ),
        (
            |point| {
                signal(point, |signal| {
                    signal.conversion = Conversion::Scale(Scaling {
                        scale: 0.1,
                        offset: 0.0,
                    });
                });
            },
            "offset off -> 0, scale off -> 0.1",
        ),
        (
            |point| {
                signal(point, |signal| {
                    signal.conversion = Conversion::Ranges {
                        raw: (0.0, 27648.0),
                        value: (0.0, 40.0),
                        curve: Curve::Linear,
                    };
                });
            },
            "range off -> 0 to 40, raw_range off -> 0 to 27648",
        ),
        (
            |point| {
                signal(point, |signal| {
                    signal.conversion = Conversion::Ranges {
                        raw: (0.0, 27648.0),
                        value: (0.0, 40.0),
                        curve: Curve::SquareRoot,
                    };
                });
            },
            "range off -> 0 to 40, raw_range off -> 0 to 27648, square_root off -> on",
        ),
        (
            |point| {
                signal(point, |signal| {
                    signal.conversion = Conversion::Table([(0.0, 1.5), (8.0, -2.0)].into());
                });
            },
            "table off -> 0 is 1.5, 8 is -2",
        ),
        (
            |point| {
                signal(point, |signal| {
                    let (value, name) = (2.0, "fault".into());
                    signal.meanings = [Meaning { value, name }].into();
                });
            },
            "enum off -> 2 is fault",
        ),
        (
            |point| {
                signal(point, |signal| {
                    signal.conversion = Conversion::CurrentLoop(CurrentLoop {
                        milliamps: Scaling::IDENTITY,
                        range: (0.0, 40.0),
                        curve: Curve::Linear,
                        fault_low: 3.6,
                        fault_high: 21.0,
                        special: CurrentMeaning::ALL
                            .map(|means| Special {
                                band: Bounds {
                                    low: 1.8,
                                    high: 2.2,
                                },
                                means,
                            })
                            .into(),
                    });
                });
            },
            "currents off -> 1.8 to 2.2 fault, 1.8 to 2.2 inhibited, 1.8 to 2.2 maintenance, 1.8 to 2.2 \
             warming_up, 1.8 to 2.2 beam_blocked, 1.8 to 2.2 over_range, fault_high off -> 21, fault_low \
             off -> 3.6, offset off -> 0, range off -> 0 to 40, scale off -> 1, signal off -> 4-20mA",
        ),
        (
            |point| signal(point, |signal| signal.invalid_raw = [1.0, 2.0].into()),
            "invalid_raw off -> 1, 2",
        ),
        (
            |point| signal(point, |signal| signal.valid = BOUNDS),
            "valid_range off -> -1 to 99",
        ),
        (
            |point| {
                signal(point, |signal| {
                    signal.valid = Some(Bounds {
                        low: -1.0,
                        high: f64::MAX,
                    });
                });
            },
            "valid_range off -> -1 or more",
        ),
        (
            |point| signal(point, |signal| signal.clamp = BOUNDS),
            "clamp off -> -1 to 99",
        ),
        (
            |point| signal(point, |signal| signal.max_step = Some(5.0)),
            "max_step off -> 5",
        ),
        (
            |point| signal(point, |signal| signal.settle = seconds(6.0)),
            "fault_after 4s -> 6s",
        ),
    ];
    for (change, expected) in on_contact {
        let mut changed = everything();
        change(&mut changed.points[1]);
        assert_eq!(told_of_change(&changed), [format!("C/state: {expected}")]);
    }
    let mut changed = everything();
    changed.points[0].trends[0].window = seconds(24.0);
    let expected = ["P/forecast: window 12s -> 24s", "P/rise: window 12s -> 24s"];
    assert_eq!(told_of_change(&changed), expected);
    let mut changed = everything();
    if let Some(group) = &mut changed.points[2].group {
        group.bad = BadChannel::Exclude;
    }
    let all = ["vote", "degraded", "group_fault"];
    let expected = all.map(|kind| format!("G/{kind}: bad vote -> exclude"));
    assert_eq!(told_of_change(&changed), expected);
}

/// A journal of an older version kept less: what it did not keep is no difference, and is kept from now on.
#[test]
fn what_was_not_kept_is_no_difference() {
    let mut engine = Engine::start(&everything(), &History::default(), moment(0.0));
    let (_, mut memories) = life(&mut engine);
    if let Content::Configuration { configured, points } = &mut memories[0].content {
        points.clear();
        for alarm in configured.values_mut() {
            alarm.others = None;
        }
    }
    let mut changed = everything();
    rule(&mut changed, AlarmKind::High).latching = true;
    changed.points[0].reorder = seconds(5.0);
    let known = History {
        memories,
        ..History::default()
    };
    let (events, memories) = life(&mut Engine::start(&changed, &known, moment(1.0)));
    let kinds: Vec<_> = events.iter().map(|event| event.kind).collect();
    assert_eq!(kinds, [EventKind::Started]);
    assert_eq!(memories.len(), 1);
    let known = History {
        memories,
        ..History::default()
    };
    let (_, memories) = life(&mut Engine::start(&changed, &known, moment(2.0)));
    assert!(memories.is_empty(), "now it is kept");
}

/// Both forms in which a journal holds what was configured of an alarm.
#[test]
fn both_forms_on_disk_are_read() {
    let whole = r#"[8.0,2.5,0.0,"high",{"deadband":"1"}]"#;
    let configured: Configured = serde_json::from_str(whole).expect("the present form");
    let deadband = configured
        .others
        .as_ref()
        .and_then(|keys| keys.get("deadband"));
    assert_eq!(deadband, Some("1"));
    let written = serde_json::to_string(&configured).expect("numbers and words");
    assert_eq!(written, whole);
    let part: Configured = serde_json::from_str(r#"[8.0,2.5,0.0,"high"]"#).expect("the older form");
    assert_eq!(
        (part.limit, part.on_delay),
        (configured.limit, configured.on_delay)
    );
    assert_eq!(part.others, None);
}
