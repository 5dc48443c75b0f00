//! Input lines of `forewarn replay` (contract 5.1): JSON Lines, in order of `t`.
//!
//! There are millions of them, nearly all readings: understanding one copies no text and allocates
//! nothing.

use std::borrow::Cow;
use std::time::Duration;

use jiff::Timestamp;
use serde::Deserialize;

use super::connection::{self, Named};
use super::plain;
use crate::engine::command::{Action, Command, Drilling, Permit, Shelving};
use crate::engine::reading::{Fault, Finite, Health, Measured, PointIndex, Sample};
use crate::engine::time::Wall;
use crate::scalar;

/// One line, understood.
#[derive(Debug, Clone, PartialEq)]
pub struct Line {
    /// True elapsed time since the start.
    pub t: Duration,
    /// What happens then.
    pub step: Step,
}

/// What a line can say.
#[derive(Debug, Clone, PartialEq)]
pub enum Step {
    /// A reading of a point.
    Reading {
        /// Which point.
        point: PointIndex,
        /// What was measured.
        measured: Measured,
        /// When the source says it was taken.
        source_time: Option<Wall>,
        /// The source's counter.
        sequence: Option<u64>,
        /// An MQTT retained message.
        retained: bool,
        /// What the device says of itself.
        health: Health,
    },
    /// A person's command. Boxed: there are few, and lines lie in a list.
    Command(Box<Command>),
    /// The wall clock jumps by this many seconds.
    WallStep(f64),
    /// All memory is lost at this instant.
    Kill,
    /// The same journal is opened again.
    Start,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Fields<'a> {
    t: f64,
    #[serde(borrow)]
    point: Option<Text<'a>>,
    device: Option<Text<'a>>,
    broker: Option<Text<'a>>,
    lost: Option<bool>,
    value: Option<f64>,
    raw: Option<f64>,
    quality: Option<Quality>,
    reason: Option<Text<'a>>,
    source_time: Option<Timestamp>,
    sequence: Option<u64>,
    #[serde(default)]
    retained: bool,
    #[serde(default)]
    status: Health,
    command: Option<Text<'a>>,
    alarm: Option<Text<'a>>,
    group: Option<Text<'a>>,
    occurrence: Option<u64>,
    by: Option<Text<'a>>,
    comment: Option<Text<'a>>,
    #[serde(default)]
    verified_independently: bool,
    #[serde(rename = "for")]
    span: Option<Text<'a>>,
    #[serde(default)]
    one_shot: bool,
    approved_by: Option<Text<'a>>,
    also_approved_by: Option<Text<'a>>,
    permit: Option<Text<'a>>,
    compensating_measure: Option<Text<'a>>,
    wall_step: Option<f64>,
    #[serde(default)]
    kill: bool,
    #[serde(default)]
    start: bool,
}

/// A text as it stands in the line, where it has no escapes. `serde` borrows for a field of this type
/// also behind an `Option`, which it does not for a plain [`Cow`].
#[derive(Deserialize)]
#[serde(transparent)]
struct Text<'a>(#[serde(borrow)] Cow<'a, str>);

impl Fields<'_> {
    fn connection(&self) -> Option<Named<'_>> {
        let device = self.device.as_ref().map(|id| Named::Device(&id.0));
        let broker = || self.broker.as_ref().map(|id| Named::Broker(&id.0));
        device.or_else(broker)
    }
}

impl From<Text<'_>> for String {
    fn from(text: Text<'_>) -> Self {
        text.0.into_owned()
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "snake_case")]
enum Quality {
    Good,
    Uncertain,
    Bad,
}

/// Understands one line. `find` gives the point that is named, of a device or broker its own; or says why
/// there is none.
///
/// # Errors
/// What is wrong with it, in words that go behind `line N: `.
pub fn parse(
    text: &str,
    find: impl Fn(Named<'_>) -> Result<PointIndex, String>,
) -> Result<Line, String> {
    let Some(plain) = plain::read(text) else {
        return parse_any(text, find);
    };
    let t = elapsed(plain.t)?;
    let step = Step::Reading {
        point: find(Named::Point(plain.point))?,
        measured: Sample::measured(plain.value).into(),
        source_time: None,
        sequence: None,
        retained: false,
        health: Health::Good,
    };
    Ok(Line { t, step })
}

fn elapsed(t: f64) -> Result<Duration, String> {
    Duration::try_from_secs_f64(t)
        .map_err(|_negative| format!("`t` is {t}; it counts seconds from 0"))
}

/// Any line, plain or not.
pub(super) fn parse_any(
    text: &str,
    find: impl Fn(Named<'_>) -> Result<PointIndex, String>,
) -> Result<Line, String> {
    // A sequence would pass for the fields in their order.
    if !text.trim_start().starts_with('{') {
        return Err(
            r#"a line is an object, like {"t": 12, "point": "PT-330", "value": 7.9}"#.into(),
        );
    }
    let fields: Fields<'_> = serde_json::from_str(text).map_err(|error| explain(text, &error))?;
    let t = elapsed(fields.t)?;
    let kinds = [
        fields.point.is_some(),
        fields.device.is_some(),
        fields.broker.is_some(),
        fields.command.is_some(),
        fields.wall_step.is_some(),
        fields.kill,
        fields.start,
    ];
    if kinds.iter().filter(|present| **present).count() != 1 {
        return Err(
            "a line has exactly one of `point`, `device`, `broker`, `command`, `wall_step`, `kill`, `start`"
                .to_owned(),
        );
    }
    let step = if let Some(seconds) = fields.wall_step {
        // More than a century is a slip of the keyboard, and nothing that a clock can show.
        if seconds.abs() > 3.2e9 {
            return Err(format!("`wall_step` is {seconds}; it is in seconds"));
        }
        Step::WallStep(seconds)
    } else if fields.kill {
        Step::Kill
    } else if fields.start {
        Step::Start
    } else if fields.command.is_some() {
        Step::Command(Box::new(command(fields)?))
    } else if let Some(named) = fields.connection() {
        let valued = fields.value.or(fields.raw).is_some() || fields.quality.is_some();
        connection::step(find(named)?, fields.lost, valued)?
    } else {
        reading(&fields, find)?
    };
    Ok(Line { t, step })
}

/// Why a line cannot be understood. A command that this version does not know says more than the
/// fields that came with it.
fn explain(text: &str, error: &serde_json::Error) -> String {
    let line: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    if let Some(Err(unknown)) = line["command"].as_str().map(known) {
        return unknown;
    }
    let (words, column) = (error.to_string(), error.column());
    let place = format!(" at line {} column {column}", error.line());
    match words.strip_suffix(&place) {
        Some(words) => format!("{words} at column {column}"),
        None => words,
    }
}

const COMMANDS: [&str; 10] = [
    "acknowledge",
    "confirm",
    "reset",
    "shelve",
    "unshelve",
    "out_of_service",
    "in_service",
    "drill",
    "drill_end",
    "first_out_reset",
];

/// Is this a command of this version?
fn known(command: &str) -> Result<(), String> {
    if COMMANDS.contains(&command) {
        return Ok(());
    }
    let words = COMMANDS.join("\", \"");
    Err(format!(
        "`command` is \"{command}\": this version has no such command; it knows \"{words}\""
    ))
}

fn reading(
    fields: &Fields<'_>,
    find: impl Fn(Named<'_>) -> Result<PointIndex, String>,
) -> Result<Step, String> {
    if fields.lost.is_some() {
        return Err("`lost` is said of a `device` or a `broker`".to_owned());
    }
    let measured = measured(fields)?;
    let source_time = fields.source_time.map(wall).transpose()?;
    let point = fields.point.as_ref().map_or("", |point| &*point.0);
    Ok(Step::Reading {
        point: find(Named::Point(point))?,
        measured,
        source_time,
        sequence: fields.sequence,
        retained: fields.retained,
        health: fields.status,
    })
}

fn measured(fields: &Fields<'_>) -> Result<Measured, String> {
    let quality = fields.quality.as_ref().unwrap_or(&Quality::Good);
    match (quality, fields.value, fields.raw) {
        (Quality::Good, Some(value), None) => Ok(Sample::measured(value).into()),
        (Quality::Good, None, Some(raw)) => Ok(Measured::Raw(raw)),
        (Quality::Uncertain, Some(value), None) => {
            let doubt = reason(fields, "sensor_not_accurate")?;
            let value = Finite::new(value).map(|value| Sample::Uncertain(value, doubt));
            Ok(value.unwrap_or(Sample::Bad(Fault::SensorFailure)).into())
        }
        (Quality::Bad, None, None) => Ok(Sample::Bad(reason(fields, "sensor_failure")?).into()),
        (Quality::Bad, _, _) => Err("a bad reading has no `value` and no `raw`".to_owned()),
        _ => Err("a reading has `value` or `raw`, or `quality` \"bad\"".to_owned()),
    }
}

fn reason<T: for<'a> Deserialize<'a>>(fields: &Fields<'_>, default: &str) -> Result<T, String> {
    let name = fields.reason.as_ref().map_or(default, |reason| &*reason.0);
    serde_json::from_value(name.into()).map_err(|error| format!("`reason`: {error}"))
}

/// Is every field of a line one that its command takes? What is ignored is a mistake that nobody finds.
fn fits(command: &str, fields: &Fields<'_>) -> Result<(), String> {
    let takes: &[&str] = match command {
        "acknowledge" => &["occurrence", "for"],
        "confirm" => &["occurrence"],
        "reset" => &["occurrence", "verified_independently"],
        "shelve" => &["for", "one_shot", "reason", "approved_by"],
        "out_of_service" => &[
            "for",
            "approved_by",
            "also_approved_by",
            "permit",
            "compensating_measure",
            "reason",
        ],
        "drill" => &["for", "reason"],
        "first_out_reset" => &["reason"],
        _ => &[],
    };
    let about = match command {
        "first_out_reset" => "group",
        _ => "alarm",
    };
    let given = [
        ("alarm", fields.alarm.is_some()),
        ("group", fields.group.is_some()),
        ("occurrence", fields.occurrence.is_some()),
        ("verified_independently", fields.verified_independently),
        ("for", fields.span.is_some()),
        ("one_shot", fields.one_shot),
        ("reason", fields.reason.is_some()),
        ("approved_by", fields.approved_by.is_some()),
        ("also_approved_by", fields.also_approved_by.is_some()),
        ("permit", fields.permit.is_some()),
        (
            "compensating_measure",
            fields.compensating_measure.is_some(),
        ),
        ("lost", fields.lost.is_some()),
        ("value", fields.value.is_some()),
        ("raw", fields.raw.is_some()),
        ("quality", fields.quality.is_some()),
        ("source_time", fields.source_time.is_some()),
        ("sequence", fields.sequence.is_some()),
        ("retained", fields.retained),
        ("status", fields.status != Health::Good),
    ];
    let foreign =
        |(field, given): &(&str, bool)| *given && *field != about && !takes.contains(field);
    let Some((field, _)) = given.into_iter().find(foreign) else {
        return Ok(());
    };
    let mut known = vec![about, "by", "comment"];
    known.extend(takes);
    Err(format!(
        "`{command}` has no `{field}`; it takes `{}`",
        known.join("`, `")
    ))
}

fn command(fields: Fields<'_>) -> Result<Command, String> {
    let owned = |text: Option<Text<'_>>| text.map(String::from);
    let required = |text| owned(text).unwrap_or_default();
    if let Some(name) = &fields.command {
        known(&name.0)?;
        fits(&name.0, &fields)?;
    }
    let name = required(fields.command);
    let span = owned(fields.span);
    let span = span.as_deref().map(scalar::duration).transpose();
    let span = span.map_err(|hint| format!("`for` is not a duration: {hint}"))?;
    let action = match &*name {
        "acknowledge" => Action::Acknowledge {
            occurrence: fields.occurrence,
            span,
        },
        "confirm" => Action::Confirm {
            occurrence: fields.occurrence,
        },
        "shelve" => Action::Shelve(Shelving {
            span,
            one_shot: fields.one_shot,
            reason: required(fields.reason),
            approved_by: owned(fields.approved_by),
        }),
        "unshelve" => Action::Unshelve,
        "out_of_service" => Action::TakeOut(Permit {
            span,
            approved_by: required(fields.approved_by),
            also_approved_by: owned(fields.also_approved_by),
            number: required(fields.permit),
            compensating_measure: owned(fields.compensating_measure),
            reason: owned(fields.reason),
        }),
        "in_service" => Action::PutBack,
        "drill" => Action::Drill(Drilling {
            span,
            reason: required(fields.reason),
        }),
        "drill_end" => Action::EndDrill,
        "first_out_reset" => Action::ResetFirstOut {
            reason: owned(fields.reason),
        },
        // The only other one that is known.
        _ => Action::Reset {
            occurrence: fields.occurrence,
            verified_independently: fields.verified_independently,
        },
    };
    let of = if matches!(action, Action::ResetFirstOut { .. }) {
        owned(fields.group).ok_or("`first_out_reset` names its `group`")?
    } else {
        owned(fields.alarm).ok_or("a command names its `alarm`, as POINT/KIND")?
    };
    Ok(Command {
        alarm: of,
        action,
        by: required(fields.by),
        comment: owned(fields.comment),
    })
}

/// A time stamp as the engine counts it.
///
/// # Errors
/// Times outside the years 1677 to 2262.
pub fn wall(time: Timestamp) -> Result<Wall, String> {
    i64::try_from(time.as_nanosecond())
        .map(Wall::from_unix_nanos)
        .map_err(|_outside| format!("{time} lies outside the years 1677 to 2262"))
}

#[cfg(test)]
mod tests;
