//! What a configuration becomes: defaults, indices, wiring.

use std::time::Duration;

use super::*;
use crate::engine::settings::{
    AlarmKind, AlarmSettings, ForecastRule, Level, Method, PendingHold, Priority, RateRule, Rule,
    TrendSettings,
};
use crate::engine::signal::Signal;
use crate::output::Target;

const PLANT: &str = "site = \"a\"\n[device.d]\nmodbus = \"tcp://127.0.0.1\"\n[broker.b]\n\
    url = \"mqtt://127.0.0.1\"\n[person.p]\n[area.x]\nresponsible = [\"p\"]\n";

fn seconds(seconds: u64) -> Duration {
    Duration::from_secs(seconds)
}

fn loaded(text: &str) -> Config {
    match load(&Source::text("a.toml", &format!("{PLANT}{text}"))) {
        Ok((config, _)) => config,
        Err(mistakes) => panic!("{mistakes}"),
    }
}

/// A point of a register, with `more` keys.
fn point(more: &str) -> Config {
    let source = "area = \"x\"\naction = \"run\"\nregister = \"input:0\"\ntype = \"int16\"";
    loaded(&format!("[point.P]\n{source}\n{more}\n"))
}

fn alarm(config: &Config, kind: AlarmKind) -> AlarmSettings {
    let mut alarms = config.engine.points[0].alarms.iter();
    let found = alarms.find(|alarm| alarm.kind() == kind);
    found.cloned().expect("the alarm is configured")
}

fn deadband(config: &Config, kind: AlarmKind) -> f64 {
    let Rule::Limit(rule) = alarm(config, kind).rule else {
        panic!("{kind:?} has no deadband");
    };
    rule.deadband
}

fn rate(config: &Config, kind: AlarmKind) -> RateRule {
    let Rule::Rate(rule) = alarm(config, kind).rule else {
        panic!("{kind:?} is no rate");
    };
    rule
}

fn close(left: f64, right: f64) -> bool {
    (left - right).abs() < 1e-9
}

#[test]
fn what_a_point_measures_sets_its_deadbands_and_delays() {
    for (measures, share, on, off) in [
        ("gas", 0.02, 2, 10),
        ("flow", 0.05, 15, 15),
        ("level", 0.05, 60, 60),
        ("pressure", 0.02, 15, 15),
        ("temperature", 0.01, 60, 60),
        ("vibration", 0.05, 5, 5),
        ("other", 0.01, 0, 0),
    ] {
        let keys =
            format!("measures = \"{measures}\"\nrange = [-50, 150]\nhigh = 90\nhigh_high = 140");
        let config = point(&keys);
        let high = alarm(&config, AlarmKind::High);
        assert_eq!(
            (high.on_delay, high.off_delay),
            (seconds(on), seconds(off)),
            "{measures}"
        );
        assert!(
            close(deadband(&config, AlarmKind::High), share * 200.0),
            "{measures}"
        );
        let outer = alarm(&config, AlarmKind::HighHigh);
        let expected = if measures == "gas" { 0 } else { on };
        assert_eq!(outer.on_delay, seconds(expected), "{measures}");
        assert_eq!(outer.pending_hold, PendingHold::Deadband);
        let hold = if measures == "gas" {
            PendingHold::Deadband
        } else {
            PendingHold::Limit
        };
        assert_eq!(high.pending_hold, hold, "{measures}");
    }
}

#[test]
fn a_default_deadband_gives_way_to_the_next_limit_and_a_written_one_stands() {
    let config = point("range = [0, 1000]\nlow = 1\nhigh = 2\nhigh_high = 3");
    for kind in [AlarmKind::Low, AlarmKind::High, AlarmKind::HighHigh] {
        assert!(close(deadband(&config, kind), 0.5), "{kind:?}");
    }
    // Without a range: from zero to the outermost limit.
    assert!(close(deadband(&point("high = 8"), AlarmKind::High), 0.08));
    assert!(close(deadband(&point("low = -8"), AlarmKind::Low), 0.08));
    let config =
        point("high = 8\nhigh_high = 9\ndeadband = 0.5\n[point.P.alarm.high]\ndeadband = 0");
    assert!(close(deadband(&config, AlarmKind::High), 0.0));
    assert!(close(deadband(&config, AlarmKind::HighHigh), 0.5));
}

#[test]
fn the_short_delay_is_for_limits_and_the_long_form_is_stronger() {
    let config = point(
        "measures = \"gas\"\nhigh = 8\nhigh_high = 9\nrise = { by = 1, within = \"1min\" }\ndelay = \"3s\"\n\
         [point.P.alarm.high_high]\non_delay = \"0s\"\nlatching = true\nack_required = false\npriority = \"low\"",
    );
    assert_eq!(alarm(&config, AlarmKind::High).on_delay, seconds(3));
    assert_eq!(alarm(&config, AlarmKind::Rise).on_delay, seconds(0));
    let outer = alarm(&config, AlarmKind::HighHigh);
    assert_eq!(
        (outer.on_delay, outer.priority),
        (seconds(0), Priority::Low)
    );
    assert!(outer.latching && !outer.ack_required);
    assert!(
        !alarm(&config, AlarmKind::High).latching && alarm(&config, AlarmKind::High).ack_required
    );
}

#[test]
fn rates_are_per_minute_and_their_window_fits_the_poll() {
    let config = point("rise = { by = 10, within = \"30s\" }\n[point.P.alarm.fall]\nlimit = 4");
    let rise = rate(&config, AlarmKind::Rise);
    assert!(close(rise.limit_per_min, 20.0) && close(rise.deadband_per_min, 4.0));
    let trends = &config.engine.points[0].trends;
    assert_eq!(trends.len(), 1, "both look at one window");
    assert_eq!((trends[0].window, trends[0].min_samples), (seconds(60), 10));
    assert_eq!(
        (trends[0].min_span, trends[0].max_gap),
        (seconds(36), seconds(20))
    );
    assert!(close(rate(&config, AlarmKind::Fall).limit_per_min, 4.0));

    let slow = PLANT.replace("[broker.b]", "poll = \"10s\"\n[broker.b]");
    let keys = "register = \"input:0\"\ntype = \"int16\"\nrise = { by = 1, within = \"1min\" }";
    let (slow, _) = load(&Source::text("a", &format!("{slow}[point.P]\n{keys}\n"))).expect("good");
    assert_eq!(slow.engine.points[0].trends[0].window, seconds(150));
}

fn forecast(config: &Config) -> (ForecastRule, TrendSettings) {
    let Rule::Forecast(rule) = alarm(config, AlarmKind::Forecast).rule else {
        panic!("no forecast");
    };
    (rule, config.engine.points[0].trends[rule.trend])
}

#[test]
fn a_forecast_looks_at_the_outermost_limit_over_the_window_of_the_rate() {
    let soon = "forecast = { within = \"10min\" }\n";
    for (keys, to, limit, window) in [
        (
            "high = 5\nhigh_high = 9\nlow = 1\n",
            Level::HighHigh,
            9.0,
            60,
        ),
        ("high = 5\nlow_low = 0.5\n", Level::High, 5.0, 60),
        ("low_low = 0.5\nlow = 1\n", Level::LowLow, 0.5, 60),
        (
            "high = 5\n[point.P.alarm.rise]\nlimit = 1\nwindow = \"90s\"\n[point.P.alarm.fall]\nlimit = 1\n",
            Level::High,
            5.0,
            90,
        ),
        (
            "high = 5\n[point.P.alarm.fall]\nlimit = 1\nwindow = \"80s\"\n",
            Level::High,
            5.0,
            80,
        ),
    ] {
        let (rule, trend) = forecast(&point(&format!("{soon}{keys}")));
        assert_eq!((rule.to, rule.confirmations), (to, 3), "{keys}");
        assert!(close(rule.limit, limit), "{keys}");
        assert_eq!(trend.window, seconds(window), "{keys}");
        assert_eq!(rule.within, seconds(600));
    }
    let own = "high = 5\nhigh_high = 9\nrise = { by = 1, within = \"1min\" }\n[point.P.alarm.forecast]\n\
               to = \"high\"\nwithin = \"5min\"\nconfirmations = 1\nwindow = \"5min\"\nmethod = \"theil_sen\"\n";
    let config = point(own);
    let (rule, trend) = forecast(&config);
    assert_eq!((rule.to, rule.confirmations), (Level::High, 1));
    assert_eq!(
        (trend.window, trend.method),
        (seconds(300), Method::TheilSen)
    );
    assert_eq!(config.engine.points[0].trends.len(), 2);
    assert_eq!(
        alarm(&config, AlarmKind::Forecast).priority,
        Priority::Medium
    );
}

#[test]
fn silence_is_measured_in_polls_or_by_a_default() {
    let stale = |config: &Config| config.engine.points[0].stale_after.expect("external");
    assert_eq!(stale(&point("")), seconds(5));
    let polled = |poll: &str, more: &str| {
        let plant = PLANT.replace("[broker.b]", &format!("poll = \"{poll}\"\n[broker.b]"));
        let point = "[point.P]\nregister = \"input:0\"\ntype = \"int16\"";
        let (config, _) =
            load(&Source::text("a", &format!("{plant}{point}\n{more}\n"))).expect("good");
        stale(&config)
    };
    assert_eq!(polled("4s", ""), seconds(12));
    assert_eq!(polled("4s", "measures = \"gas\""), seconds(10));
    assert_eq!(polled("4s", "stale_after = \"9s\""), seconds(9));
    assert_eq!(stale(&loaded("[point.P]\ntopic = \"a\"\n")), seconds(30));
    assert_eq!(
        stale(&loaded("[point.P]\ntopic = \"a\"\nmeasures = \"gas\"\n")),
        seconds(10)
    );
}

#[test]
fn every_point_has_bad_and_stale_as_urgent_as_what_they_hide() {
    let config = point("");
    let kinds: Vec<AlarmKind> = config.engine.points[0]
        .alarms
        .iter()
        .map(AlarmSettings::kind)
        .collect();
    assert_eq!(kinds, [AlarmKind::Bad, AlarmKind::Stale]);
    let bad = alarm(&config, AlarmKind::Bad);
    assert_eq!(
        (bad.priority, bad.inherit_priority),
        (Priority::Medium, true)
    );
    assert_eq!(bad.on_delay, Duration::ZERO);
    let config = loaded(
        "[priority]\nbad = \"low\"\n[point.P]\ntopic = \"a\"\n[point.P.alarm.stale]\npriority = \"high\"\n",
    );
    let (bad, stale) = (
        alarm(&config, AlarmKind::Bad),
        alarm(&config, AlarmKind::Stale),
    );
    assert_eq!((bad.priority, bad.inherit_priority), (Priority::Low, false));
    assert_eq!(
        (stale.priority, stale.inherit_priority),
        (Priority::High, false)
    );
}

#[test]
fn an_inverted_contact_is_in_alarm_when_it_opens() {
    let config = loaded(
        "[point.P]\nregister = \"coil:3\"\nstate = { when = 0 }\n[point.Q]\nregister = \"coil:4\"\nstate = { when = 1 }\n",
    );
    for point in &config.engine.points[..2] {
        // The value stays as it is read; only the rule knows which position is the alarm.
        assert_eq!(*point.signal, Signal::plain());
    }
    let rule = |index: usize| {
        let alarms = &config.engine.points[index].alarms;
        let state = alarms.iter().find(|alarm| alarm.kind() == AlarmKind::State);
        state.expect("configured").rule
    };
    assert_eq!(rule(0), Rule::State { when: false });
    assert_eq!(rule(1), Rule::State { when: true });
    let text = explain::explain(&config);
    assert!(
        text.contains("Raised when the value is 0; clears when it is not 0."),
        "{text}"
    );
    assert!(
        text.contains("Raised when the value is not 0; clears when it is 0."),
        "{text}"
    );
    let bad = "Raised when the value cannot be trusted; clears once the value was good for 5s.";
    assert!(text.contains(bad), "{text}");
    let stale = "Raised after 5s without a new value; clears once the value was good for 5s.";
    assert!(text.contains(stale), "{text}");
}

#[test]
fn what_becomes_of_a_number_is_told() {
    let config = loaded(
        "[point.A]\nregister = \"input:0\"\ntype = \"uint16\"\nbits = [4, 6]\norder = \"BADC\"\n\
         enum = { 0 = \"off\", 0x2 = \"on\" }\n\
         [point.B]\nregister = \"input:1\"\ntype = \"bcd32\"\nunit = \"m3\"\ntable = [[0, 0], [100, 2.5]]\n\
         [point.C]\nregister = \"input:3\"\ntype = \"int16\"\nunit = \"m3/h\"\nrange = [0, 160]\n\
         raw_range = [0, 27648]\nsquare_root = true\n\
         [point.D]\nregister = \"input:4\"\nbit = 3\n",
    );
    let text = explain::explain(&config);
    for words in [
        "Read from device d, input:0 uint16 BADC bits 4 to 6, every 1s.",
        "0 is off, 2 is on; any other number is no value.",
        "Read from device d, input:1 bcd32 ABCD, every 1s.",
        "By a table: raw 0 is 0 m3, raw 100 is 2.5 m3; between rows on a line, beyond them it is no value.",
        "Raw 0 to 27648 is 0 to 160 m3/h, by the square root of the way.",
        "Read from device d, input:4 bool bit 3, every 1s.",
    ] {
        assert!(text.contains(words), "{words}\n{text}");
    }
}

#[test]
fn a_line_with_several_devices_says_how_long_the_others_may_hold_it_up() {
    let config = loaded(
        "[device.e]\nmodbus = \"tcp://127.0.0.1:502\"\nunit_id = 1\n\
         [device.f]\nmodbus = \"tcp://127.0.0.1:502\"\nunit_id = 2\ntimeout = \"20s\"\n\
         [device.g]\nmodbus = \"tcp://127.0.0.1:503\"\nunit_id = 1\n\
         [point.A]\nregister = \"coil:0\"\ndevice = \"e\"\nstate = { when = 1 }\n\
         [point.B]\nregister = \"coil:0\"\ndevice = \"f\"\n\
         [point.C]\nregister = \"coil:0\"\ndevice = \"g\"\nstate = { when = 1 }\n",
    );
    let text = explain::explain(&config);
    let of = |point: &str| {
        let words = text.split("\n\n").find(|words| words.starts_with(point));
        words.expect("every point is explained").to_owned()
    };
    let held_up = "Up to 20s later while other devices on its line do not answer.";
    assert!(of("A").contains(held_up), "{}", of("A"));
    assert!(!of("C").contains("other devices"), "{}", of("C"));
}

/// What is read together goes to the engine together: at 9,600 baud 1,000 registers take 2.3 s.
#[test]
fn an_alarm_waits_for_everything_that_is_read_with_its_point() {
    use std::fmt::Write as _;

    let mut text = String::from(
        "[device.e]\nmodbus = \"rtu:///dev/ttyS9\"\nserial = \"9600 8N1\"\nunit_id = 1\npoll = \"5s\"\n",
    );
    for address in 0..1_000 {
        let keys = "device = \"e\"\ntype = \"uint16\"\nhigh = 25";
        writeln!(
            text,
            "[point.P{address}]\nregister = \"holding:{address}\"\n{keys}"
        )
        .expect("a text");
    }
    let text = explain::explain(&loaded(&text));
    // The period, seven requests of 0.29 s, and the timeout of one; of `high` and `bad`.
    let told = text.matches("At worst raised within 8s").count();
    assert_eq!(told, 2_000, "{text}");
}

#[test]
fn nothing_is_known_of_a_line_behind_a_serial_server() {
    let told = |address: &str| {
        let device = format!("[device.e]\nmodbus = \"{address}\"\nunit_id = 1\n");
        let point = "[point.A]\nregister = \"coil:0\"\ndevice = \"e\"\n";
        explain::explain(&loaded(&format!("{device}{point}"))).contains("line behind the server")
    };
    assert!(told("rtu+tcp://127.0.0.1:4001"));
    assert!(!told("tcp://127.0.0.1:502"));
}

#[test]
fn the_gateways_own_points_come_last_and_are_wired() {
    let config = loaded(
        "[device.e]\nmodbus = \"tcp://127.0.0.1:502\"\nunit_id = 7\n[device.f]\nmodbus = \"tcp://127.0.0.1:503\"\n\
         [output.o]\nmqtt = \"mqtt://127.0.0.1\"\n[point.Z]\ntopic = \"z\"\n[point.A]\nregister = \"coil:0\"\ndevice = \"e\"\n",
    );
    let ids: Vec<&str> = config
        .engine
        .points
        .iter()
        .map(|point| &*point.id)
        .collect();
    assert_eq!(
        ids,
        [
            "Z",
            "A",
            "gateway.journal",
            "gateway.device.d",
            "gateway.bus.127.0.0.1-502",
            "gateway.device.e",
            "gateway.device.f",
            "gateway.bus.127.0.0.1-503",
            "gateway.broker.b",
            "gateway.output.o"
        ]
    );
    let id = |index: PointIndex| ids[usize::try_from(index.0).expect("small")];
    assert_eq!(id(config.journal_status), "gateway.journal");
    let devices: Vec<Vec<&str>> = config
        .buses
        .iter()
        .map(|bus| bus.devices.iter().map(|d| id(d.status)).collect())
        .collect();
    assert_eq!(
        devices,
        [
            vec!["gateway.device.d", "gateway.device.e"],
            vec!["gateway.device.f"]
        ]
    );
    assert_eq!(id(config.subscribers[0].status), "gateway.broker.b");
    assert_eq!(id(config.outputs[0].status), "gateway.output.o");
    assert_eq!(id(config.notify.channels[0].status), "gateway.output.o");
    assert_eq!(id(config.buses[0].devices[1].points[0].point), "A");
    assert_eq!(config.subscribers[0].address.client_id, "forewarn-a-b");
    let Target::Mqtt(target) = &config.outputs[0].target else {
        panic!("MQTT is configured");
    };
    assert_eq!(target.address.client_id, "forewarn-a-out-o");
    for own in &config.engine.points[2..] {
        assert_eq!(
            (own.stale_after, own.good_confirm, own.alarms.len()),
            (None, Duration::ZERO, 1)
        );
    }
    assert_eq!(config.engine.reminder, None, "nothing here is a hazard");
    let guidance: Vec<String> = config.guidance.iter().map(Guidance::alarm).collect();
    assert_eq!(
        guidance[..5],
        [
            "Z/bad",
            "Z/stale",
            "A/bad",
            "A/stale",
            "gateway.journal/state"
        ]
    );
}

#[test]
fn the_gateway_reminds_of_what_guards_against_a_hazard() {
    let config = loaded(
        "[point.A]\ntopic = \"a\"\nhigh = 1\n\
         [point.CH4]\ntopic = \"ch4\"\nmeasures = \"gas\"\nunit = \"ppm\"\narea = \"x\"\naction = \"run\"\nhigh = 1\n\
         [point.LT]\ntopic = \"lt\"\narea = \"x\"\naction = \"run\"\nhigh_high = 9\n",
    );
    let id =
        |index: &PointIndex| &*config.engine.points[usize::try_from(index.0).expect("small")].id;
    let reminder = config.engine.reminder.as_ref().expect("there are hazards");
    assert_eq!(id(&reminder.point), "gateway.inhibited");
    let hazards: Vec<&str> = reminder.hazards.iter().map(id).collect();
    assert_eq!(hazards, ["CH4", "LT"]);
    let alarms = &config.engine.points.last().expect("its own").alarms;
    assert_eq!(alarms[0].priority, Priority::Low);
}
