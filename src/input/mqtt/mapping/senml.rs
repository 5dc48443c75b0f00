//! SenML in JSON (RFC 8428): a list of records whose base values hold from their record on.
//!
//! | field | here |
//! |---|---|
//! | `bn`, `n` | the name: the one before the other |
//! | `bt`, `t` | the time: their sum. Below 2^28 s it is relative to now (section 4.5.3), and 0 is now |
//! | `bu`, `u` | the unit: the record's own, else the base |
//! | `bv`, `v` | the value: their sum; `bv` alone is none |
//! | `vb` | `true` is 1, `false` is 0, for a point that has two positions |
//! | `vs`, `vd`, `s` | no value: refused when nothing else is there |
//! | `bver` | 10 or less |
//! | `..._` | has to be understood, and is not: the pack is refused (section 4.4) |
//!
//! Records come out oldest first (section 4.6). Deliberately absent: CBOR, XML, EXI, and base sums.

use std::time::Duration;

use super::MAX_ELEMENTS;
use super::decode::not_json;
use super::json::Json;
use super::pointer::Number;
use super::rejection::{Refused, Rejection};
use crate::engine::reading::{Measured, Reading};
use crate::engine::time::{Moment, Wall};
use crate::input::mqtt::{Payload, Target};

/// The version of the RFC.
const VERSION: i64 = 10;

/// Times below this are relative, seconds (section 4.5.3).
const RELATIVE: f64 = 268_435_456.0;

/// Bytes of a name at most; a longer one is none of ours.
const LONGEST_NAME: usize = 1_024;

/// A record that stands for itself.
#[derive(Debug, Clone, PartialEq)]
pub(super) struct Record {
    pub(super) name: String,
    unit: Option<String>,
    value: Value,
    /// `None`: now.
    time: Result<Option<Wall>, Rejection>,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Value {
    Number(f64),
    Flag(bool),
    None(Rejection),
}

/// What holds from a record on.
#[derive(Debug, Default)]
struct Base<'t> {
    name: &'t str,
    time: f64,
    unit: Option<&'t str>,
    value: f64,
}

/// The records of a pack that arrived at `now`, oldest first.
pub(super) fn read(text: &str, now: Wall) -> Result<Vec<Record>, Rejection> {
    let pack = Json::parse(text).map_err(|error| not_json(&error))?;
    let Json::List(items) = &pack else {
        return Err(Rejection::NotSenml);
    };
    if items.len() > MAX_ELEMENTS {
        return Err(Rejection::TooManyReadings);
    }
    let mut base = Base::default();
    let mut records = Vec::with_capacity(items.len());
    for item in items {
        base.change(item)?;
        // A record of base fields alone is no reading.
        if has_own_fields(item) {
            records.push(base.resolve(item, now)?);
        }
    }
    records.sort_by_key(|record| record.time.ok().flatten().unwrap_or(now));
    Ok(records)
}

/// A name in the form that patterns take apart: `:` and `/` both end a part.
pub(super) fn as_levels(name: &str) -> String {
    name.replace(':', "/")
}

impl Record {
    /// What it says of `target`. Received at no particular moment: the caller knows when.
    pub(super) fn reading(&self, payload: &Payload, target: &Target) -> Result<Reading, Refused> {
        if let Some(unit) = self.unit.as_deref().filter(|_| !payload.units.is_empty()) {
            payload.compare_unit(unit, target)?;
        }
        let number = match self.value {
            Value::Number(number) => number,
            Value::Flag(set) if target.digital => f64::from(u8::from(set)),
            Value::Flag(_) => return Err(Rejection::NotANumber.into()),
            Value::None(rejection) => return Err(rejection.into()),
        };
        Ok(Reading {
            source_time: self.time?,
            ..Reading::live(target.point, Measured::Raw(number), Moment::default())
        })
    }
}

impl<'t> Base<'t> {
    /// Takes over the base fields of a record, and checks that all of it can be understood.
    fn change(&mut self, item: &'t Json<'t>) -> Result<(), Rejection> {
        let Json::Map(entries) = item else {
            return Err(Rejection::NotSenml);
        };
        for (at, (key, value)) in entries.iter().enumerate() {
            if entries[..at].iter().any(|(other, _)| other == key) {
                return Err(Rejection::DuplicateKey);
            }
            match (&**key, value) {
                ("bn", Json::Text(name)) => self.name = name,
                ("bu", Json::Text(unit)) => self.unit = Some(unit),
                ("bt", Json::Number(time)) => self.time = time.as_f64(),
                ("bv", Json::Number(value)) => self.value = value.as_f64(),
                ("bver", Json::Number(Number::Integer(version))) if *version <= VERSION => {}
                ("bn" | "bu" | "bt" | "bv" | "bver", _) => return Err(Rejection::NotSenml),
                (key, _) if key.ends_with('_') => return Err(Rejection::NotSenml),
                (_, _) => {}
            }
        }
        Ok(())
    }

    fn resolve(&self, item: &'t Json<'t>, now: Wall) -> Result<Record, Rejection> {
        let own = match item.get("n") {
            Some(Json::Text(name)) => &**name,
            None => "",
            Some(_) => return Err(Rejection::NotSenml),
        };
        let name = format!("{}{own}", self.name);
        if name.is_empty() || name.len() > LONGEST_NAME {
            return Err(Rejection::NotSenml);
        }
        let unit = match item.get("u") {
            Some(Json::Text(unit)) => Some(&**unit),
            Some(_) => return Err(Rejection::NotSenml),
            None => self.unit,
        };
        Ok(Record {
            name,
            unit: unit.map(str::to_owned),
            value: self.value(item),
            time: self.time(item, now),
        })
    }

    fn value(&self, item: &Json<'_>) -> Value {
        match (item.get("v"), item.get("vb")) {
            (Some(Json::Number(number)), None) => {
                let sum = self.value + number.as_f64();
                if sum.is_finite() {
                    Value::Number(sum)
                } else {
                    Value::None(Rejection::NotANumber)
                }
            }
            (None, Some(Json::Flag(flag))) => Value::Flag(*flag),
            (None, None) => Value::None(Rejection::NoSenmlValue),
            (Some(_), _) | (None, Some(_)) => Value::None(Rejection::NotANumber),
        }
    }

    fn time(&self, item: &Json<'_>, now: Wall) -> Result<Option<Wall>, Rejection> {
        let own = match item.get("t") {
            Some(Json::Number(time)) => time.as_f64(),
            None => 0.0,
            Some(_) => return Err(Rejection::BadTime),
        };
        let seconds = self.time + own;
        if seconds.abs() < f64::MIN_POSITIVE {
            return Ok(None);
        }
        if seconds >= RELATIVE {
            let nanos = Number::Float(seconds).times(1_000_000_000);
            let nanos = nanos.ok_or(Rejection::TimeOutOfRange)?;
            return Ok(Some(Wall::from_unix_nanos(nanos)));
        }
        let span = Duration::try_from_secs_f64(seconds.abs());
        let span = span.map_err(|_| Rejection::TimeOutOfRange)?;
        let is_past = seconds < 0.0;
        Ok(Some(if is_past { now - span } else { now + span }))
    }
}

/// Does a record say more than what holds from it on?
fn has_own_fields(item: &Json<'_>) -> bool {
    let Json::Map(entries) = item else {
        return false;
    };
    let own = ["n", "u", "v", "vs", "vb", "vd", "s", "t", "ut"];
    let mut keys = entries.iter().map(|(key, _)| &**key);
    keys.any(|key| own.contains(&key))
}
