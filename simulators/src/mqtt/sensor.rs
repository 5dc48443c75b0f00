//! One sensor that publishes.
//!
//! ```text
//! sensors/pit/co interval=1s base=12 noise=0.5
//! line2/pump7/vibration interval=500ms qos=1 json={"data":{"rms":{value}},"ts":{ts_ms}} base=2 noise=0.3
//! ```
//! Topic first, then in any order `interval=`, `qos=` (0 or 1), `retain`, `json=` (a template without white
//! space) and the parts of a waveform.

use std::str::FromStr;
use std::time::Duration;

use super::payload::{Payload, Sample};
use crate::clock;
use crate::notation::{self, NotationError};
use crate::waveform::Waveform;

/// A sensor. Default: a bare number every second at QoS 1, not retained.
#[derive(Debug, Clone, PartialEq)]
pub struct Sensor {
    pub(super) topic: String,
    pub(super) payload: Payload,
    pub(super) interval: Duration,
    pub(super) at_least_once: bool,
    pub(super) retain: bool,
    waveform: Waveform,
    sequence: u64,
}

impl Sensor {
    /// The same sensor with another seed of its noise.
    #[must_use]
    pub fn with_seed(mut self, seed: u64) -> Self {
        self.waveform = self.waveform.with_seed(seed);
        self
    }

    /// The next sample; `None` in a dropout.
    pub(super) fn sample(&mut self, since_start: Duration) -> Option<Sample> {
        let value = self.waveform.at(since_start)?;
        self.sequence += 1;
        Some(Sample {
            value,
            unix_ms: clock::unix_ms(),
            sequence: self.sequence,
        })
    }

    fn parse(line: &str) -> Result<Self, NotationError> {
        let mut parts = line.split_whitespace();
        let topic = parts.next().ok_or_else(|| {
            NotationError::new(line, "TOPIC WAVEFORM, such as sensors/co base=12")
        })?;
        if topic.contains(['#', '+', '=']) {
            return Err(NotationError::new(topic, "a topic without # + ="));
        }
        let mut sensor = Self {
            topic: topic.to_owned(),
            payload: Payload::Bare,
            interval: Duration::from_secs(1),
            at_least_once: true,
            retain: false,
            waveform: Waveform::empty(),
            sequence: 0,
        };
        for part in parts {
            match notation::key_value(part) {
                ("interval", Some(time)) => sensor.interval = notation::period(time)?,
                ("qos", Some("0")) => sensor.at_least_once = false,
                ("qos", Some("1")) => sensor.at_least_once = true,
                ("qos", _) => return Err(NotationError::new(part, "qos=0 or qos=1")),
                ("retain", None) => sensor.retain = true,
                ("json", Some(template)) => {
                    if !template.contains("{value}") {
                        let expected = "a template with {value} in it and no white space";
                        return Err(NotationError::new(template, expected));
                    }
                    sensor.payload = Payload::Template(template.to_owned());
                }
                (key, value) => {
                    if !sensor.waveform.add(key, value)? {
                        let expected =
                            format!("one of interval, qos, retain, json, {}", Waveform::KEYS);
                        return Err(NotationError::new(key, expected));
                    }
                }
            }
        }
        Ok(sensor)
    }
}

impl FromStr for Sensor {
    type Err = NotationError;

    fn from_str(line: &str) -> Result<Self, NotationError> {
        Self::parse(line).map_err(|error| error.within(line))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_says_all_of_a_sensor() {
        let mut sensor: Sensor =
            "a/b interval=500ms qos=0 retain json={\"v\":{value}} base=2 dropout=1s..2s"
                .parse()
                .expect("good");
        assert_eq!(sensor.topic, "a/b");
        assert_eq!(sensor.interval, Duration::from_millis(500));
        assert!(sensor.retain && !sensor.at_least_once);
        let first = sensor.sample(Duration::ZERO).expect("a value");
        assert_eq!(sensor.payload.render(&first), "{\"v\":2}");
        assert!(sensor.sample(Duration::from_secs(1)).is_none());
        assert_eq!(
            sensor
                .sample(Duration::from_secs(2))
                .expect("a value")
                .sequence,
            2
        );
    }

    #[test]
    fn mistakes_are_named_where_they_stand() {
        let cases = [
            ("", "should be TOPIC WAVEFORM"),
            ("base=3", "a topic without"),
            ("a/# base=3", "a topic without"),
            ("a qos=2 base=3", "qos=0 or qos=1"),
            ("a interval=0s base=3", "longer than zero"),
            ("a json={\"v\":1} base=3", "a template with {value}"),
            ("a factor=2", "\"factor\" should be one of interval"),
        ];
        for (line, expected) in cases {
            let error = line.parse::<Sensor>().expect_err(line).to_string();
            assert!(error.contains(expected), "{error}");
        }
    }
}
