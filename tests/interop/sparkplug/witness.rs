//! Decoders that others wrote.

use std::process::Command;

use serde_json::Value;

use crate::interop::bench::{Scratch, project};

#[derive(Debug, Clone, Copy)]
pub(super) enum Decoder {
    /// PyPI: the raw protobuf of tahutils.
    Tahutils,
    /// npm: sparkplug-payload.
    SparkplugPayload,
}

/// A message as a decoder understands it; all numbers are floats, so that two decoders compare.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Told {
    pub(super) topic: String,
    /// Null when there is none.
    pub(super) seq: Value,
    pub(super) metrics: Vec<Value>,
}

impl Decoder {
    pub(super) const ALL: [Self; 2] = [Self::Tahutils, Self::SparkplugPayload];

    /// Reads lines of topic and payload.
    pub(super) fn read(self, record: &str) -> Vec<Told> {
        let scratch = Scratch::new("sparkplug");
        let record = scratch.write("record", record);
        let mut command = match self {
            Self::Tahutils => {
                let mut command = Command::new(project("tests/interop/sparkplug/.venv/bin/python"));
                command.arg(project("tests/interop/sparkplug/decode.py"));
                command
            }
            Self::SparkplugPayload => {
                let mut command = Command::new("node");
                command.arg(project("tests/interop/sparkplug/decode.js"));
                command
            }
        };
        let input = std::fs::File::open(record).expect("just written");
        let answer = command.stdin(input).output();
        let answer = answer.unwrap_or_else(|error| panic!("{self:?} (see tests/setup): {error}"));
        let errors = String::from_utf8_lossy(&answer.stderr);
        assert!(
            answer.status.success(),
            "{self:?} (see tests/setup): {errors}"
        );
        let lines = String::from_utf8(answer.stdout).expect("JSON is UTF-8");
        lines.lines().map(told).collect()
    }
}

fn told(line: &str) -> Told {
    let mut message: Value = serde_json::from_str(line).expect("JSON");
    even(&mut message);
    Told {
        topic: message["topic"].as_str().expect("a topic").to_owned(),
        seq: message["seq"].clone(),
        metrics: message["metrics"].as_array().expect("a list").clone(),
    }
}

/// 1 and 1.0 are one number.
fn even(value: &mut Value) {
    match value {
        Value::Number(number) => *value = number.as_f64().into(),
        Value::Array(items) => items.iter_mut().for_each(even),
        Value::Object(fields) => fields.values_mut().for_each(even),
        Value::Null | Value::Bool(_) | Value::String(_) => {}
    }
}

impl Told {
    pub(super) fn kind(&self) -> &str {
        self.topic.split('/').nth(2).unwrap_or_default()
    }

    /// The metric of this name, which only births have.
    pub(super) fn metric(&self, name: &str) -> &Value {
        let found = self.metrics.iter().find(|metric| metric["name"] == name);
        found.unwrap_or_else(|| panic!("{name} is not in {self:?}"))
    }

    pub(super) fn value(&self, name: &str) -> Option<Value> {
        Some(self.metric(name)["value"].clone())
    }
}
