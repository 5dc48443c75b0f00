//! Groups, through the engine's calls: that voting over equal sensors is like one of them, and that
//! what is lost takes nothing back.

use proptest::prelude::*;

use super::super::reading::{Doubt, Fault, Finite, Quality};
use super::super::settings::OnBad;
use super::*;

/// `n` points with one `high` alarm of these delays, and a group `G` over them.
fn voting(m: usize, n: u32, bad: BadChannel, on: f64, off: f64) -> Settings {
    let high = || AlarmSettings {
        on_delay: seconds(on),
        off_delay: seconds(off),
        ..limit(Level::High, 8.0, 1.0)
    };
    let quality = || [alarm(Rule::Bad), alarm(Rule::Stale)];
    let channel = |index| {
        let alarms = std::iter::once(high()).chain(quality()).collect();
        point(&format!("P{index}"), alarms)
    };
    let mut points: Vec<_> = (0..n).map(channel).collect();
    points.push(group("G", m, (0..n).collect(), AlarmKind::High, bad));
    Settings {
        points,
        ..Settings::default()
    }
}

fn start(settings: &Settings) -> Engine {
    Engine::start(settings, &History::default(), moment(0.0))
}

/// What happened to `alarm`, and when.
fn of(events: &[Event], alarm: &str) -> Vec<(EventKind, f64)> {
    let named = events.iter().filter(|event| {
        let subject = event.subject.as_ref();
        subject.is_some_and(|subject| &*subject.alarm == alarm)
    });
    named
        .map(|event| (event.kind, event.at.mono.as_secs_f64()))
        .collect()
}

fn value() -> impl Strategy<Value = Sample> {
    let finite = |value| Finite::new(value).expect("a number");
    prop_oneof![
        8 => (8_u8..24).prop_map(|value| Sample::measured(f64::from(value) / 2.0)),
        1 => (8_u8..24).prop_map(move |value| Sample::Uncertain(
            finite(f64::from(value) / 2.0), Doubt::SensorNotAccurate)),
        1 => Just(Sample::Bad(Fault::SensorFailure)),
    ]
}

fn policy() -> impl Strategy<Value = BadChannel> {
    prop_oneof![Just(BadChannel::Vote), Just(BadChannel::Exclude)]
}

/// A reading of one channel a quarter of a second later, or silence for some time.
fn trace(channels: u32) -> impl Strategy<Value = Vec<(f64, u32, Sample)>> {
    let gap = prop_oneof![9 => Just(0.25), 1 => (1_u8..60).prop_map(f64::from)];
    prop::collection::vec((gap, 0..channels, value()), 1..120).prop_map(|steps| {
        let mut t = 0.0;
        let at = |(gap, channel, sample)| {
            t += gap;
            (t, channel, sample)
        };
        steps.into_iter().map(at).collect()
    })
}

proptest! {
    /// P15: with N identical sensors MooN raises and clears exactly when one alone would.
    #[test]
    fn identical_sensors_vote_as_one(
        samples in prop::collection::vec(value(), 1..80),
        (m, n) in (1_usize..6, 2_u32..6),
        bad in policy(),
        (on, off) in (0_u8..3, 0_u8..3),
    ) {
        let m = 1 + (m - 1) % n as usize;
        let mut engine = start(&voting(m, n, bad, f64::from(on), f64::from(off)));
        let mut events = drain(&mut engine);
        for (t, sample) in (1_u32..).zip(&samples) {
            for channel in 0..n {
                read(&mut engine, channel, *sample, moment(f64::from(t)));
            }
            engine.tick(moment(f64::from(t)));
            events.extend(drain(&mut engine));
        }
        let confirmed = |alarm: &str| {
            let mut of = of(&events, alarm);
            of.retain(|(kind, _)| *kind != EventKind::Changed);
            of
        };
        prop_assert_eq!(confirmed("G/vote"), confirmed("P0/high"));
    }

    /// P16 and P4: a channel that fails or falls silent never ends a vote, whether its loss is a vote or not,
    /// and confirmed at once or not; under the policy that leans to safety a failure instead of a normal value
    /// never keeps one from being raised.
    #[test]
    fn what_is_lost_takes_no_vote_back(
        trace in trace(4), m in 1_usize..5, bad in policy(),
        trips in any::<[(bool, bool); 4]>(),
    ) {
        let mut settings = voting(m, 4, bad, 0.0, 0.0);
        for (point, (trips, later)) in settings.points.iter_mut().zip(trips) {
            if trips {
                point.on_bad = OnBad::VoteTrip;
            }
            if later {
                point.alarms[1].on_delay = seconds(0.5);
                point.alarms[2].on_delay = seconds(0.5);
            }
        }
        let mut engine = start(&settings);
        for (t, channel, sample) in &trace {
            // Timers alone, up to the reading: channels fall silent, or are believed again.
            engine.tick(moment(*t - 0.125));
            let timers = drain(&mut engine);
            let back = timers.iter().any(|event| {
                let of_quality = |alarm: &str| alarm.ends_with("/bad") || alarm.ends_with("/stale");
                event.kind == EventKind::Cleared
                    && event.subject.as_ref().is_some_and(|subject| of_quality(&subject.alarm))
            });
            let cleared = of(&timers, "G/vote").iter().any(|(kind, _)| *kind == EventKind::Cleared);
            prop_assert!(back || !cleared, "{:?}", timers);
            let before = is_voted(&engine);
            read(&mut engine, *channel, *sample, moment(*t));
            let events = drain(&mut engine);
            if matches!(sample, Sample::Bad(_)) {
                prop_assert!(of(&events, "G/vote").iter().all(|(kind, _)| *kind != EventKind::Cleared));
                prop_assert!(!before || is_voted(&engine));
            }
        }
    }

    /// P16, the other way round: of two groups that see the same, but for one channel that is bad in one and
    /// normal in the other, the one with the bad channel never lacks a vote that the other one has.
    #[test]
    fn a_bad_channel_never_hides_what_a_normal_one_would_not(
        alarms in prop::collection::vec((0_u32..3, any::<bool>()), 1..60), m in 1_usize..5,
    ) {
        let settings = voting(m, 4, BadChannel::Vote, 0.0, 0.0);
        let (mut whole, mut lost) = (start(&settings), start(&settings));
        for channel in 0..4 {
            read(&mut whole, channel, Sample::measured(1.0), moment(0.0));
            let sample = if channel == 3 { Sample::Bad(Fault::SensorFailure) } else { Sample::measured(1.0) };
            read(&mut lost, channel, sample, moment(0.0));
        }
        for (t, (channel, high)) in (1_u32..).zip(alarms) {
            let t = moment(f64::from(t) / 100.0);
            let value = Sample::measured(if high { 9.0 } else { 1.0 });
            read(&mut whole, channel, value, t);
            read(&mut lost, channel, value, t);
            prop_assert!(!is_voted(&whole) || is_voted(&lost));
        }
    }

    /// A group is what its channels are: after anything that happened its alarms say what a fresh look at the
    /// channels says. Nothing was missed, nothing judged too early.
    #[test]
    fn a_group_is_what_its_channels_are(trace in trace(3), m in 1_usize..4, bad in policy()) {
        let mut engine = start(&voting(m, 3, bad, 1.0, 2.0));
        for (t, channel, sample) in &trace {
            read(&mut engine, *channel, *sample, moment(*t));
            drain(&mut engine);
            let snapshot = engine.snapshot();
            let good = snapshot.points[..3].iter().filter(|point| point.quality != Quality::Bad).count();
            let group = snapshot.points[3].group.as_ref().expect("it is one");
            let waiting = snapshot.points[..3].iter().filter(|point| point.reason == Some("waiting_for_initial_data")).count();
            prop_assert_eq!(group.good as usize, good);
            let active = |alarm: &str| {
                let mut alarms = snapshot.alarms.iter();
                alarms.find(|view| &*view.alarm == alarm).expect("configured").state.is_active()
            };
            let votes = (0..3).filter(|index| snapshot.points[*index].quality != Quality::Bad && active(&format!("P{index}/high")));
            prop_assert_eq!(group.votes as usize, votes.count());
            if good > 0 && group.votes >= group.needed {
                prop_assert!(active("G/vote"));
            }
            if waiting == 0 {
                prop_assert_eq!(active("G/degraded"), good < 3);
                prop_assert_eq!(active("G/group_fault"), good == 0);
                let quality = snapshot.points[3].quality;
                prop_assert_eq!(quality == Quality::Bad, good == 0);
            }
        }
    }
}

/// A vote from when the alarm about the loss says so, and until there is a value; another reason for the loss,
/// of which no alarm tells yet, takes nothing back.
#[test]
fn a_loss_votes_from_its_alarm_on_until_there_is_a_value() {
    let mut settings = voting(1, 2, BadChannel::Exclude, 0.0, 0.0);
    settings.points[0].on_bad = OnBad::VoteTrip;
    settings.points[0].alarms[1].on_delay = seconds(60.0);
    settings.points[0].alarms[2].on_delay = seconds(2.0);
    settings.points[0].stale_after = Some(seconds(5.0));
    settings.points[1].stale_after = None;
    let bad = Sample::Bad(Fault::DeviceFailure);
    let mut engine = start(&settings);
    for channel in 0..2 {
        read(&mut engine, channel, Sample::measured(1.0), moment(0.0));
    }
    engine.tick(moment(6.5));
    assert!(!is_voted(&engine), "silent, and not confirmed yet");
    engine.tick(moment(7.0));
    assert!(is_voted(&engine));
    read(&mut engine, 0, bad, moment(8.0));
    assert!(is_voted(&engine), "the alarm about it is far away");
    read(&mut engine, 1, bad, moment(9.0));
    assert!(is_voted(&engine), "no channel is good");
    read(&mut engine, 0, Sample::measured(1.0), moment(10.0));
    engine.tick(moment(14.0));
    assert!(!is_voted(&engine), "it has a value again");
}

/// A gateway that starts anew holds a vote that a loss gave until that channel is heard, or silent for too long.
#[test]
fn a_vote_by_loss_survives_a_restart() {
    let mut settings = voting(1, 2, BadChannel::Vote, 0.0, 0.0);
    settings.points[0].on_bad = OnBad::VoteTrip;
    let mut engine = start(&settings);
    let mut events = drain(&mut engine);
    read(&mut engine, 1, Sample::measured(1.0), moment(0.0));
    read(
        &mut engine,
        0,
        Sample::Bad(Fault::DeviceFailure),
        moment(1.0),
    );
    events.extend(drain(&mut engine));
    assert!(is_voted(&engine));
    // The alarm about the loss is gone with its rule: what it gave is held all the same.
    for losses_known in [true, false] {
        let mut known = history(&events);
        known
            .records
            .retain(|record| losses_known || !is_about_measuring(&record.alarm));
        let mut engine = Engine::start(&settings, &known, moment(2.0));
        read(&mut engine, 1, Sample::measured(1.0), moment(2.0));
        assert!(is_voted(&engine), "not heard yet: {losses_known}");
        read(&mut engine, 0, Sample::measured(1.0), moment(3.0));
        engine.tick(moment(9.0));
        assert!(!is_voted(&engine), "heard: {losses_known}");
    }
}

fn is_voted(engine: &Engine) -> bool {
    let snapshot = engine.snapshot();
    let mut alarms = snapshot.alarms.iter();
    let vote = alarms.find(|view| &*view.alarm == "G/vote");
    vote.expect("the group is configured").state.is_active()
}

#[test]
fn a_group_costs_no_allocation_while_nothing_changes() {
    let mut settings = voting(2, 3, BadChannel::Vote, 0.0, 0.0);
    for member in &mut settings.points[..3] {
        let rule = Rule::Discrepancy(DiscrepancyRule {
            limit: 2.0,
            deadband: 0.5,
        });
        member.alarms.insert(
            1,
            AlarmSettings {
                on_delay: seconds(5.0),
                ..alarm(rule)
            },
        );
    }
    if let Some(group) = &mut settings.points[3].group {
        group.compares = true;
    }
    let mut engine = start(&settings);
    let round = |engine: &mut Engine, t: u32| {
        for channel in 0..3 {
            let value = f64::from(channel) / 8.0 + f64::from(t % 7);
            read(
                engine,
                channel,
                Sample::measured(value),
                moment(f64::from(t)),
            );
        }
    };
    (0..20).for_each(|t| round(&mut engine, t));
    let counted = allocation_counter::measure(|| (20..500).for_each(|t| round(&mut engine, t)));
    assert_eq!(counted.count_total, 0);
    assert_eq!(
        drain(&mut engine)
            .iter()
            .filter(|event| event.subject.is_some())
            .count(),
        0
    );
}

/// Of two channels, one after the other says what it likes; the quality of the group is in its vote.
#[test]
fn a_group_is_as_doubtful_as_its_channels() {
    let mut engine = start(&voting(2, 2, BadChannel::Vote, 0.0, 0.0));
    let doubtful = |value| {
        let value = Finite::new(value).expect("a number");
        Sample::Uncertain(value, Doubt::SensorNotAccurate)
    };
    let quality = |engine: &Engine| {
        let points = engine.snapshot().points;
        let group = points.iter().find(|point| &*point.id == "G");
        group.expect("it is configured").quality
    };
    read(&mut engine, 0, Sample::measured(1.0), moment(0.0));
    read(&mut engine, 1, Sample::measured(1.0), moment(0.0));
    assert_eq!(quality(&engine), Quality::Good);
    read(&mut engine, 0, doubtful(1.0), moment(1.0));
    assert_eq!(quality(&engine), Quality::Uncertain);
    // Bad is no less than doubtful, also of one that was doubtful before.
    read(
        &mut engine,
        0,
        Sample::Bad(Fault::SensorFailure),
        moment(2.0),
    );
    assert_eq!(quality(&engine), Quality::Uncertain);
    read(&mut engine, 1, doubtful(1.0), moment(2.0));
    assert_eq!(quality(&engine), Quality::Uncertain);
}

/// Who works on a channel moves it as he likes: it is compared with no other.
#[test]
fn a_channel_that_is_out_of_service_is_compared_with_no_other() {
    let mut settings = plant();
    for point in &mut settings.points {
        point.stale_after = None;
    }
    let order = take_out("A/high", 1_000.0);
    for out in [false, true] {
        let mut engine = start(&settings);
        if out {
            let outcome = engine.command(&order, moment(0.0));
            outcome.expect("it may be taken out");
        }
        let values = [7.0, 2.5, 2.5];
        for (channel, value) in (0..).zip(values) {
            read(&mut engine, channel, Sample::measured(value), moment(1.0));
        }
        engine.tick(moment(9.0));
        let raised = of(&drain(&mut engine), "A/discrepancy");
        let expected = if out { 0 } else { 1 };
        assert_eq!(raised.len(), expected, "out of service: {out}");
    }
}

/// A second channel of one group needs a second approval; what is in no group with it does not.
#[test]
fn only_channels_of_one_group_ask_for_a_second_approval() {
    let mut settings = voting(2, 2, BadChannel::Vote, 0.0, 0.0);
    let alone = point("X", vec![limit(Level::High, 8.0, 1.0)]);
    settings.points.push(alone);
    let mut engine = start(&settings);
    let mut allowed = |alarm: &str| {
        let command = take_out(alarm, 1_000.0);
        engine.command(&command, moment(1.0)).is_ok()
    };
    assert!(allowed("P0/high"));
    assert!(allowed("X/high"), "in no group");
    assert!(allowed("P0/bad"), "no vote of the group's");
    assert!(!allowed("P1/high"));
}

/// Whoever is told that the evidence of a vote changed is told by which channels.
#[test]
fn the_quality_of_a_running_vote_is_told_with_its_channels() {
    let mut engine = start(&voting(1, 2, BadChannel::Vote, 0.0, 0.0));
    for channel in 0..2 {
        read(&mut engine, channel, Sample::measured(9.0), moment(0.0));
    }
    drain(&mut engine);
    read(
        &mut engine,
        0,
        Sample::Bad(Fault::SensorFailure),
        moment(1.0),
    );
    let changed = drain(&mut engine).into_iter().find(|event| {
        let subject = event.subject.as_ref();
        event.kind == EventKind::Changed && subject.is_some_and(|own| &*own.alarm == "G/vote")
    });
    let message = changed.and_then(|event| event.details.message);
    assert!(message.is_some_and(|message| message.contains("P0")));
}
