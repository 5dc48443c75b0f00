//! Steps of the wall clock before a power cut (P10 and P12 of alarm-standards 1.8 together).

use super::*;

/// Everything whose age decides something: a count, an average, a slope, a ladder with reminders, a shelf, a
/// drill.
const AGES: &str = "
site = 'plant'
[broker.b]
url = 'mqtt://127.0.0.1'
[person.li-wei]
[person.anna-berg]
[area.yard]
responsible = ['li-wei']
deputy = ['anna-berg']
[escalation.high]
steps = [
  { after = '0s', to = ['responsible'] },
  { after = '10min', to = ['deputy'] },
  { after = '50min', to = ['deputy'] },
]
[point.P]
topic = 'p'
area = 'yard'
measures = 'gas'
unit = 'ppm'
range = [0, 20]
stale_after = '2min'
oel = 8
high = 8
stel = 8.5
deadband = 1
action = 'leave'
[point.Q]
topic = 'q'
area = 'yard'
stale_after = '1d'
rise = { by = 3, within = '30min' }
[point.Q.alarm.high]
limit = 8
count = { times = 3, within = '40min' }
[point.Q.alarm.rise]
window = '1h'
";

/// What a replay says of its alarms, without the stamps, and the numbers of calls, which are made of them.
fn told(input: &str) -> Vec<Value> {
    let lines = replay_of(AGES, input, 4 * 3_600, None);
    let events = lines.iter().map(|line| serde_json::from_str(line));
    let events = events.map(|event: Result<Value, _>| event.expect("an event is JSON"));
    let of_alarms = events.filter(|event| event.get("alarm").is_some());
    let unstamped = of_alarms.map(|mut event| {
        for stamp in [
            "time",
            "until",
            "source_time",
            "raised_at",
            "cleared_at",
            "annunciation",
        ] {
            event.as_object_mut().and_then(|event| event.remove(stamp));
        }
        event
    });
    unstamped.collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(16))]

    /// By how much the clock stepped before a power cut changes nothing that comes after it. (That it stepped
    /// does: everything is on disk then.)
    #[test]
    fn how_far_the_clock_stepped_before_a_power_cut_changes_nothing(
        values in prop::collection::vec((0_u8..14, prop_oneof![2 => Just(5_u8), 1 => Just(9)]), 60..150),
        (stepped, kill, down) in (10_u32..120, 0_u32..20, 0_u32..5),
        step in prop_oneof![-90_000_i32..-100, 100_i32..90_000],
        command in prop_oneof![
            Just(r#""command": "shelve", "for": "45min", "alarm": "Q/high", "reason": "calibration""#),
            Just(r#""command": "drill", "for": "25min", "alarm": "Q/rise", "reason": "calibration""#),
            Just(r#""command": "acknowledge", "for": "30min", "alarm": "P/high""#),
        ],
        commanded in 5_u32..100,
    ) {
        let life = |step: i32| {
            let mut lines: Vec<(f64, String)> = Vec::new();
            for (minute, (p, q)) in (0_u32..).zip(&values) {
                lines.push((f64::from(minute), format!(r#""point": "P", "value": {p}"#)));
                lines.push((f64::from(minute), format!(r#""point": "Q", "value": {q}"#)));
            }
            let (commanded, stepped) = (f64::from(commanded) + 0.1, f64::from(stepped) + 0.2);
            let kill = stepped + f64::from(kill) + 0.1;
            lines.push((commanded, format!(r#"{command}, "by": "li-wei""#)));
            lines.push((stepped, format!(r#""wall_step": {step}"#)));
            lines.push((kill, r#""kill": true"#.to_owned()));
            lines.push((kill + f64::from(down), r#""start": true"#.to_owned()));
            lines.sort_by(|a, b| a.0.total_cmp(&b.0));
            let lines = lines.iter().map(|(minute, line)| format!("{{\"t\": {:.0}, {line}}}\n", minute * 60.0));
            told(&lines.collect::<String>())
        };
        prop_assert_eq!(life(step), life(2));
    }
}
