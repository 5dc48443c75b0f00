//! Every part, every mistake, and what a seed promises.

use super::*;

fn values(notation: &str, seconds: &[f64]) -> Vec<Option<f64>> {
    let mut waveform: Waveform = notation.parse().expect("a good notation");
    seconds
        .iter()
        .map(|at| waveform.at(Duration::from_secs_f64(*at)))
        .map(|value| value.map(|v| (v * 1e6).round() / 1e6))
        .collect()
}

#[test]
fn every_part_does_what_it_says() {
    type Case = (&'static str, &'static [f64], &'static [Option<f64>]);
    let cases: [Case; 14] = [
        ("base=3", &[0.0, 9.0], &[Some(3.0), Some(3.0)]),
        (
            "drift=0.1/min",
            &[0.0, 60.0, 600.0],
            &[Some(0.0), Some(0.1), Some(1.0)],
        ),
        ("drift=-36/h", &[100.0], &[Some(-1.0)]),
        (
            "base=1 sine=60s:2",
            &[0.0, 15.0, 45.0],
            &[Some(1.0), Some(3.0), Some(-1.0)],
        ),
        (
            "base=3 ramp=4s..16s:+4/s",
            &[3.9, 4.0, 5.0, 16.0, 99.0],
            &[Some(3.0), Some(3.0), Some(7.0), Some(51.0), Some(51.0)],
        ),
        (
            "ramp=4s..6s:-10",
            &[4.0, 5.0, 7.0],
            &[Some(0.0), Some(-5.0), Some(-10.0)],
        ),
        ("ramp=1s..:1/s", &[0.0, 11.0], &[Some(0.0), Some(10.0)]),
        (
            "step=70s:+5",
            &[69.9, 70.0, 99.0],
            &[Some(0.0), Some(5.0), Some(5.0)],
        ),
        // One sample only, and the first one after its time when none falls on it.
        (
            "spike=20s:+30",
            &[19.0, 20.3, 20.3, 21.0],
            &[Some(0.0), Some(30.0), Some(0.0), Some(0.0)],
        ),
        (
            "drift=1/s stuck=30s..40s",
            &[29.0, 30.0, 39.9, 40.0],
            &[Some(29.0), Some(30.0), Some(30.0), Some(40.0)],
        ),
        (
            "base=1 dropout=5s..6s",
            &[4.9, 5.0, 5.9, 6.0],
            &[Some(1.0), None, None, Some(1.0)],
        ),
        (
            "base=1 stuck=0s..9s dropout=5s..6s",
            &[4.0, 5.0],
            &[Some(1.0), None],
        ),
        (
            "step=5s:+1 every=10s",
            &[4.0, 6.0, 14.0, 16.0],
            &[Some(0.0), Some(1.0), Some(0.0), Some(1.0)],
        ),
        // A spike comes back in every round of the story.
        (
            "spike=5s:+1 every=10s",
            &[5.0, 6.0, 14.0, 17.0, 18.0],
            &[Some(1.0), Some(0.0), Some(0.0), Some(1.0), Some(0.0)],
        ),
    ];
    for (notation, seconds, expected) in cases {
        assert_eq!(values(notation, seconds), expected, "{notation}");
    }
}

#[test]
fn the_same_seed_gives_the_same_values_however_often_one_asks() {
    let seconds: Vec<f64> = (0..200).map(f64::from).collect();
    let twice: Vec<f64> = seconds.iter().flat_map(|s| [*s, *s]).collect();
    let once = values("base=3 noise=0.5", &seconds);
    let doubled = values("base=3 noise=0.5", &twice);
    assert_eq!(once, doubled.into_iter().step_by(2).collect::<Vec<_>>());

    let mut other: Waveform = "base=3 noise=0.5".parse().expect("a good notation");
    other = other.with_seed(7);
    let differing = seconds
        .iter()
        .map(|s| other.at(Duration::from_secs_f64(*s)))
        .zip(&once)
        .filter(|(a, b)| a.map(|v| (v * 1e6).round() / 1e6) != **b)
        .count();
    assert!(
        differing > 190,
        "another seed differs, {differing} of 200 did"
    );
}

#[test]
fn noise_has_the_deviation_asked_for_and_an_end() {
    let mut waveform: Waveform = "noise=2".parse().expect("a good notation");
    let samples: Vec<f64> = (0..20_000_u32)
        .filter_map(|ms| waveform.at(Duration::from_millis(u64::from(ms) * 500)))
        .collect();
    let mean = samples.iter().sum::<f64>() / 20_000.0;
    let variance = samples.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 20_000.0;
    assert!(mean.abs() < 0.1, "mean {mean}");
    assert!(
        (variance.sqrt() - 2.0).abs() < 0.1,
        "deviation {}",
        variance.sqrt()
    );
    assert!(samples.iter().all(|v| v.abs() <= 2.0 * 3.5));
}

#[test]
fn a_stuck_value_is_frozen_with_its_noise() {
    let frozen = values("base=3 noise=0.5 stuck=10s..20s", &[10.0, 11.0, 19.9]);
    assert_eq!(frozen[0], frozen[1]);
    assert_eq!(frozen[1], frozen[2]);
}

#[test]
fn mistakes_are_named_where_they_stand() {
    let cases = [
        (
            "",
            "in \"\", column 1: \"\" should be a waveform such as base=3 noise=0.2",
        ),
        (
            "base=3 nois=0.2",
            "in \"base=3 nois=0.2\", column 8: \"nois\" should be one of base, noise, drift, sine, ramp, step, spike, stuck, dropout or every",
        ),
        (
            "base=three",
            "in \"base=three\", column 6: \"three\" should be a number such as 3 or -0.5",
        ),
        (
            "base",
            "in \"base\", column 1: \"base\" should be base=VALUE",
        ),
        (
            "drift=0.1",
            "in \"drift=0.1\", column 7: \"0.1\" should be a rate such as 0.1/min",
        ),
        (
            "ramp=4s..2s:+1",
            "in \"ramp=4s..2s:+1\", column 6: \"4s..2s\" should be an interval such as 10s..20s, its end after its start",
        ),
        (
            "spike=20:+30",
            "in \"spike=20:+30\", column 7: \"20\" should be a time with its unit, such as 600ms, 1.5s, 2min or 1h",
        ),
        (
            "base=1 every=0s",
            "in \"base=1 every=0s\", column 14: \"0s\" should be longer than zero",
        ),
        (
            "ramp=1s..:+5",
            "in \"ramp=1s..:+5\", column 6: \"1s..:+5\" should be a rate (+4/s), as this ramp never ends",
        ),
    ];
    for (notation, expected) in cases {
        let error = notation.parse::<Waveform>().expect_err(notation);
        assert_eq!(error.to_string(), expected);
    }
}
