//! The plant of the simulation: every kind of alarm that the configuration knows, and sensors that
//! wander through its limits, fall silent, buffer, and repeat themselves.

/// Longest overlays of the plant, seconds; short, so that their ends come in a simulated hour.
pub(super) const LONGEST_SHELF: f64 = 600.0;
pub(super) const LONGEST_OUTAGE: f64 = 1_200.0;

/// Nobody who is to be told is left without a word for longer than this: a reminder or the summary of
/// an alarm that chatters (300 s both), and the summary of a flood (60 s), seconds.
pub(super) const LONGEST_SILENCE: f64 = 360.0;

/// So long is the flow's alarm silent after the pump was seen to start, seconds.
pub(super) const LONGEST_RUN_UP: f64 = 20.0;

/// So often the door must open within the time, seconds, before anybody is told.
pub(super) const COUNTED: (usize, f64) = (3, 60.0);

/// Alarms of which the first is marked, row by row.
pub(super) const ROWS: [&[&str]; 3] = [
    &["FLAME-A/state", "FLAME-B/state", "FLAME-C/state"],
    &["FLOW/low", "LEVEL/low"],
    &["LOOP/low", "SPEED/deviation", "DOOR/state"],
];

pub(super) const CONFIG: &str = r#"
site = "sim"
[broker.b]
url = "mqtt://127.0.0.1"
[device.d]
modbus = "tcp://127.0.0.1"
[output.room]
mqtt = "mqtt://127.0.0.2"
[shelving]
max = "10min"
[out_of_service]
max = "20min"
[person.li-wei]
[person.anna-berg]
[person.wang-fang]
[area.pit]
responsible = ["li-wei"]
deputy = ["anna-berg"]
principal = ["wang-fang"]
[area.yard]
responsible = ["anna-berg"]
[escalation.critical]
remind_every = "5min"
[escalation.high]
remind_every = "5min"
[escalation.medium]
remind_every = "5min"
chatter_hold = "5min"
[escalation.low]
remind_every = "5min"
chatter_hold = "5min"

[point.GAS]
area = "pit"
topic = "gas"
value = "/v"
time = "/t"
measures = "gas"
sensor = "catalytic"
unit = "%LEL"
range = [0, 100]
high = 25
high_high = 50
rise = { by = 10, within = "1min" }
forecast = { within = "5min" }
action = "Stop hot work"

[point.TOX]
area = "pit"
topic = "tox"
value = "/v"
time = "/t"
measures = "gas"
unit = "ppm"
range = [0, 100]
oel = 7
high = 7
high_high = 14
stel = 5
twa = 0.2
action = "Leave the pit"
[point.TOX.alarm.twa]
method = "dose"

[point.FLAME-A]
area = "pit"
topic = "flame/a"
state = { when = 1 }
action = "Leave the pit"
[point.FLAME-B]
area = "pit"
topic = "flame/b"
state = { when = 1 }
action = "Leave the pit"
[point.FLAME-C]
area = "pit"
topic = "flame/c"
state = { when = 1 }
action = "Leave the pit"
[group.FLAME]
vote = "2oo3"
of = ["FLAME-A", "FLAME-B", "FLAME-C"]
alarm = "state"
first_out = true
action = "Leave the pit"

[point.TEMP-A]
area = "yard"
topic = "temp/a"
value = "/v"
time = "/t"
high = 80
action = "Cool"
[point.TEMP-B]
area = "yard"
topic = "temp/b"
high = 80
action = "Cool"
[point.TEMP-C]
area = "yard"
topic = "temp/c"
high = 80
action = "Cool"
[group.TEMP]
vote = "2oo3"
bad = "exclude"
of = ["TEMP-A", "TEMP-B", "TEMP-C"]
alarm = "high"
discrepancy = { limit = 30, on_delay = "3s" }
action = "Cool"

[point.LEVEL]
area = "yard"
topic = "level"
value = "/v"
time = "/t"
reorder = "6s"
range = [0, 10]
low_low = 1
low = 2
high = 8
high_high = 9
delay = "2s"
action = "Stop the pump"
[point.LEVEL.alarm.high]
latching = true
off_delay = "3s"
realarm_after = "3min"
[point.LEVEL.alarm.high_high]
highly_managed = true
[point.LEVEL.alarm.low]
ack_required = false
suppressed_by = "LEVEL/low_low"

[point.LOOP]
area = "yard"
device = "d"
register = "input:0"
type = "int16"
scale = 0.001
signal = "4-20mA"
range = [0, 160]
invalid_raw = [0x8000]
max_step = 120
low = 40
action = "Start the second pump"

[point.SET]
area = "yard"
topic = "set"
[point.SPEED]
area = "yard"
topic = "speed"
deviation = { from = "SET", limit = 3, settle = "10s" }
action = "Look at the drive"

[point.CHATTER]
area = "yard"
topic = "chatter"
high = 8
deadband = 0
action = "Mend the switch"

[point.PUMP]
area = "yard"
device = "d"
register = "coil:0"
[point.FLOW]
area = "yard"
topic = "flow"
value = "/v"
time = "/t"
action = "Start the second pump"
[point.FLOW.alarm.low]
limit = 40
suppressed_by = [{ point = "PUMP", is = 0 }, { point = "PUMP", is = 1, max = "20s" }]
[point.FLOW.alarm.frozen]
after = "15s"
tolerance = 0.5
while = "PUMP"

[point.DOOR]
area = "yard"
topic = "door"
state = { when = 1 }
action = "Close it"
[point.DOOR.alarm.state]
count = { times = 3, within = "1min" }

[group.TRIP-1]
first_out = ["FLOW/low", "LEVEL/low"]
[group.TRIP-2]
first_out = ["LOOP/low", "SPEED/deviation", "DOOR/state"]

[point.FAR]
topic = "far"
low = -1000000
high = 1000000
fall = { by = 1000000000, within = "1min" }
action = "Nothing ever comes near"
"#;

/// One sensor, and how its readings travel.
#[derive(Debug)]
pub(super) struct Sensor {
    pub(super) id: &'static str,
    /// Values that it makes for; the first is where everything is well.
    pub(super) moods: &'static [f64],
    /// Do its readings carry the time at which they were taken, and a number?
    pub(super) timed: bool,
    /// Does it jump, or creep?
    pub(super) jumps: bool,
    /// In so many of 256 rounds it makes for another value.
    pub(super) turns: u8,
    /// Is what it sends the number on the wire?
    pub(super) raw: bool,
}

const CREEPS: Sensor = Sensor {
    id: "",
    moods: &[],
    timed: false,
    jumps: false,
    turns: 16,
    raw: false,
};

const JUMPS: Sensor = Sensor {
    jumps: true,
    ..CREEPS
};

/// Every point that is measured.
pub(super) const SENSORS: [Sensor; 17] = [
    Sensor {
        id: "GAS",
        moods: &[2.0, 30.0, 55.0, 104.0, 22.0],
        timed: true,
        ..CREEPS
    },
    Sensor {
        id: "TOX",
        moods: &[1.0, 8.0, 20.0, -1.0],
        timed: true,
        ..CREEPS
    },
    Sensor {
        id: "FLAME-A",
        moods: &[0.0, 1.0],
        ..JUMPS
    },
    Sensor {
        id: "FLAME-B",
        moods: &[0.0, 1.0],
        ..JUMPS
    },
    Sensor {
        id: "FLAME-C",
        moods: &[0.0, 1.0],
        ..JUMPS
    },
    Sensor {
        id: "TEMP-A",
        moods: &[60.0, 85.0, 120.0],
        timed: true,
        ..CREEPS
    },
    Sensor {
        id: "TEMP-B",
        moods: &[60.0, 85.0],
        ..CREEPS
    },
    Sensor {
        id: "TEMP-C",
        moods: &[60.0, 85.0],
        ..CREEPS
    },
    Sensor {
        id: "LEVEL",
        moods: &[5.0, 8.2, 9.5, 1.7, 0.5],
        timed: true,
        ..CREEPS
    },
    Sensor {
        id: "LOOP",
        // Microamps: measured, measured low, broken, shorted, and a marker of the card.
        moods: &[12_000.0, 6_000.0, 3_000.0, 21_500.0, -32_768.0],
        raw: true,
        ..JUMPS
    },
    Sensor {
        id: "SET",
        moods: &[50.0, 60.0],
        ..JUMPS
    },
    Sensor {
        id: "SPEED",
        moods: &[50.0, 55.0, 60.0],
        ..CREEPS
    },
    Sensor {
        id: "CHATTER",
        moods: &[5.0, 9.0, 5.0, 9.0],
        ..JUMPS
    },
    Sensor {
        id: "PUMP",
        moods: &[1.0, 0.0, 1.0],
        ..JUMPS
    },
    Sensor {
        id: "FLOW",
        // It stands still in between.
        moods: &[60.0, 30.0, 61.0, 45.0],
        timed: true,
        turns: 8,
        ..JUMPS
    },
    Sensor {
        id: "DOOR",
        moods: &[0.0, 1.0],
        turns: 96,
        ..JUMPS
    },
    Sensor {
        id: "FAR",
        moods: &[0.0, 900_000.0, -900_000.0],
        ..JUMPS
    },
];
