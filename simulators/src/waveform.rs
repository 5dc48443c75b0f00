//! What a simulated sensor sees: seeded waveforms made of parts.
//!
//! ```text
//! base=3 noise=0.2 drift=0.1/min ramp=4s..16s:+4/s spike=20s:+30 stuck=30s..40s dropout=50s..60s every=2min
//! ```
//!
//! | part | means |
//! |---|---|
//! | `base=3` | the value everything else is added to |
//! | `noise=0.2` | bell-shaped noise of that standard deviation, never beyond 3.5 of it |
//! | `drift=0.1/min` | a steady change (`/s`, `/min`, `/h`) |
//! | `sine=60s:0.6` | a swing of that amplitude and period |
//! | `ramp=4s..16s:+4/s` | a change over an interval that then stays: a rate, or in all (`:+48`) |
//! | `step=70s:+5` | a jump that stays |
//! | `spike=20s:+30` | added to one sample, the first one asked for at or after that time |
//! | `stuck=30s..40s` | frozen at the value the interval began with |
//! | `dropout=50s..60s` | no value at all |
//! | `every=2min` | the story so far begins anew, drift and steps included |
//!
//! An interval `50s..` never ends. Parts may repeat and add up; a dropout hides everything, a stuck value
//! hides everything but a dropout.
//!
//! Noise depends on seed and time only, not on how often somebody asks: the same seed gives the same
//! values, whoever else reads the sensor. Spikes alone have a memory, because "one sample" needs one.

use std::f64::consts::TAU;
use std::ops::Range;
use std::str::FromStr;
use std::time::Duration;

use crate::clock;
use crate::notation::{self, NotationError};

/// A value over time. See the module for its notation.
#[derive(Debug, Clone, PartialEq)]
pub struct Waveform {
    parts: Vec<Part>,
    every: Option<Duration>,
    seed: u64,
}

#[derive(Debug, Clone, PartialEq)]
enum Part {
    Base(f64),
    Noise {
        deviation: f64,
    },
    Drift {
        per_second: f64,
    },
    Sine {
        period: Duration,
        amplitude: f64,
    },
    Ramp {
        within: Range<Duration>,
        per_second: f64,
    },
    Step {
        at: Duration,
        by: f64,
    },
    /// `shown_in` is the round of the story in which the spike was last given out.
    Spike {
        at: Duration,
        by: f64,
        shown_in: Option<u128>,
    },
    Stuck(Range<Duration>),
    Dropout(Range<Duration>),
}

impl Waveform {
    /// The same value for ever.
    pub fn constant(value: f64) -> Self {
        Self {
            parts: vec![Part::Base(value)],
            every: None,
            seed: 0,
        }
    }

    /// The same waveform with another seed of its noise.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.seed = seed;
        self
    }

    /// The value at a time since the start; `None` while the sensor has none (dropout).
    pub fn at(&mut self, since_start: Duration) -> Option<f64> {
        let (round, time) = self.story_time(since_start);
        let in_any = |wanted: fn(&Part) -> Option<&Range<Duration>>| {
            self.parts
                .iter()
                .filter_map(wanted)
                .find(|within| within.contains(&time))
                .map(|within| within.start)
        };
        if in_any(|part| {
            if let Part::Dropout(within) = part {
                Some(within)
            } else {
                None
            }
        })
        .is_some()
        {
            return None;
        }
        if let Some(frozen_at) = in_any(|part| {
            if let Part::Stuck(within) = part {
                Some(within)
            } else {
                None
            }
        }) {
            return Some(self.steady(frozen_at, since_start - (time - frozen_at)));
        }
        let steady = self.steady(time, since_start);
        Some(steady + self.take_spikes(round, time))
    }

    /// Which round of the story it is, and how far into it.
    fn story_time(&self, since_start: Duration) -> (u128, Duration) {
        self.every
            .map_or((0, since_start), |every| clock::round(since_start, every))
    }

    /// Everything that is a function of time: all but spikes, stuck and dropout.
    fn steady(&self, time: Duration, since_start: Duration) -> f64 {
        let seconds = time.as_secs_f64();
        self.parts
            .iter()
            .enumerate()
            .map(|(index, part)| match part {
                Part::Base(value) => *value,
                Part::Noise { deviation } => deviation * self.noise(index, since_start),
                Part::Drift { per_second } => per_second * seconds,
                Part::Sine { period, amplitude } => {
                    amplitude * (TAU * seconds / period.as_secs_f64()).sin()
                }
                Part::Ramp { within, per_second } => {
                    let run = time.min(within.end).saturating_sub(within.start);
                    per_second * run.as_secs_f64()
                }
                Part::Step { at, by } if time >= *at => *by,
                Part::Step { .. } | Part::Spike { .. } | Part::Stuck(_) | Part::Dropout(_) => 0.0,
            })
            .sum()
    }

    /// About a normal distribution of deviation 1: the sum of four uniform numbers. It has an end, so
    /// that noise alone never crosses a limit some tests rely on.
    fn noise(&self, part: usize, since_start: Duration) -> f64 {
        let moment = clock::micros(since_start);
        let mut random = fastrand::Rng::with_seed(
            self.seed ^ moment.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ (part as u64).rotate_left(48),
        );
        let sum: f64 = (0..4).map(|_| random.f64()).sum();
        (sum - 2.0) * 3.0_f64.sqrt()
    }

    /// The spikes that are due and were not given out in this round.
    fn take_spikes(&mut self, round: u128, time: Duration) -> f64 {
        let mut sum = 0.0;
        for part in &mut self.parts {
            if let Part::Spike { at, by, shown_in } = part
                && time >= *at
                && *shown_in != Some(round)
            {
                *shown_in = Some(round);
                sum += *by;
            }
        }
        sum
    }

    /// Adds one part in its notation; `false` when the key is none of a waveform's, so that a line may
    /// carry parts of its own beside.
    pub(crate) fn add(&mut self, key: &str, value: Option<&str>) -> Result<bool, NotationError> {
        let value = || value.ok_or_else(|| NotationError::new(key, format!("{key}=VALUE")));
        let part = match key {
            "base" => Part::Base(notation::number(value()?)?),
            "noise" => Part::Noise {
                deviation: notation::number(value()?)?.abs(),
            },
            "drift" => Part::Drift {
                per_second: rate(value()?)?.ok_or_else(|| {
                    NotationError::new(value().unwrap_or(key), "a rate such as 0.1/min")
                })?,
            },
            "sine" => {
                let (period, amplitude) =
                    notation::pair(value()?, "PERIOD:AMPLITUDE, such as 60s:0.6")?;
                Part::Sine {
                    period: notation::period(period)?,
                    amplitude: notation::number(amplitude)?,
                }
            }
            "ramp" => ramp(value()?)?,
            "step" => {
                let (at, by) = notation::pair(value()?, "TIME:CHANGE, such as 70s:+5")?;
                Part::Step {
                    at: notation::duration(at)?,
                    by: notation::number(by)?,
                }
            }
            "spike" => {
                let (at, by) = notation::pair(value()?, "TIME:CHANGE, such as 20s:+30")?;
                Part::Spike {
                    at: notation::duration(at)?,
                    by: notation::number(by)?,
                    shown_in: None,
                }
            }
            "stuck" => Part::Stuck(notation::interval(value()?)?),
            "dropout" => Part::Dropout(notation::interval(value()?)?),
            "every" => {
                self.every = Some(notation::period(value()?)?);
                return Ok(true);
            }
            _ => return Ok(false),
        };
        self.parts.push(part);
        Ok(true)
    }

    /// A waveform without any part yet: zero.
    pub(crate) fn empty() -> Self {
        Self {
            parts: Vec::new(),
            every: None,
            seed: 0,
        }
    }

    /// The keys, for messages.
    pub(crate) const KEYS: &str =
        "base, noise, drift, sine, ramp, step, spike, stuck, dropout or every";
}

impl FromStr for Waveform {
    type Err = NotationError;

    fn from_str(line: &str) -> Result<Self, NotationError> {
        let mut waveform = Self::empty();
        for part in line.split_whitespace() {
            let (key, value) = notation::key_value(part);
            let known = waveform
                .add(key, value)
                .map_err(|error| error.within(line))?;
            if !known {
                return Err(NotationError::new(key, format!("one of {}", Self::KEYS)).within(line));
            }
        }
        if waveform.parts.is_empty() {
            return Err(NotationError::new("", "a waveform such as base=3 noise=0.2").within(line));
        }
        Ok(waveform)
    }
}

/// `+4/s`, `0.1/min` or `-2/h` in units per second; `None` when it is no rate.
fn rate(text: &str) -> Result<Option<f64>, NotationError> {
    let Some((change, unit)) = text.split_once('/') else {
        return Ok(None);
    };
    let seconds = match unit {
        "s" => 1.0,
        "min" => 60.0,
        "h" => 3_600.0,
        _ => {
            return Err(NotationError::new(
                text,
                "a rate per s, min or h, such as 0.1/min",
            ));
        }
    };
    Ok(Some(notation::number(change)? / seconds))
}

/// `4s..16s:+4/s` or `4s..16s:+48`.
fn ramp(text: &str) -> Result<Part, NotationError> {
    let expected = "FROM..TO:CHANGE, such as 4s..16s:+4/s or 4s..16s:+48";
    let (within, change) = notation::pair(text, expected)?;
    let within = notation::interval(within)?;
    let per_second = match rate(change)? {
        Some(per_second) => per_second,
        None if within.end == Duration::MAX => {
            return Err(NotationError::new(
                text,
                "a rate (+4/s), as this ramp never ends",
            ));
        }
        None => notation::number(change)? / (within.end - within.start).as_secs_f64(),
    };
    Ok(Part::Ramp { within, per_second })
}

#[cfg(test)]
mod tests {
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
}
