//! The plant that both programs watch, and what the gateway is told about it.

use std::fmt::Write;
use std::net::SocketAddr;

/// Limit of the alarm `high`.
pub(crate) const HIGH: f64 = 80.0;
/// Limit of the alarm `rise`.
pub(crate) const RISE_PER_MINUTE: f64 = 10.0;
/// Unit of every point.
pub(crate) const UNIT: &str = "%LEL";
/// The first points are probes: the load leaves them alone, so that only the witness moves them.
pub(crate) const PROBES: usize = 100;

/// Name of a point.
pub(crate) fn point(index: usize) -> String {
    format!("GAS-{index:05}")
}

/// Topic of its sensor.
pub(crate) fn topic(index: usize) -> String {
    format!("bench/hall/{}", point(index))
}

/// Where events of both programs go.
pub(crate) fn event_topic(site: &str) -> String {
    format!("forewarn/v1/{site}/event")
}

/// What a sensor says.
pub(crate) fn payload(value: f64, unix_ms: u64) -> String {
    format!("{{\"value\":{value},\"ts\":{unix_ms}}}")
}

/// A quiet value: noise of half a unit, no trend.
pub(crate) fn quiet(point: usize, turn: u64) -> f64 {
    let phase = u32::try_from((point as u64 * 31 + turn * 17) % 101).unwrap_or(0);
    20.0 + f64::from(phase) / 200.0
}

/// The gateway's configuration: everything on, with the texts that a plant would write.
pub(crate) fn configuration(
    site: &str,
    broker: SocketAddr,
    http: SocketAddr,
    points: usize,
) -> String {
    let mut text = format!(
        r#"site = "{site}"

[http]
listen = "{http}"

[person.li-wei]
name = "Li Wei, shift lead"

[area.hall]
name = "Hall north"
responsible = ["li-wei"]

[broker.plant]
url = "mqtt://{broker}"

[output.control-room]
mqtt = "mqtt://{broker}"
"#
    );
    for index in 0..points {
        let (id, topic) = (point(index), topic(index));
        // An hour of silence: the load must not have to outrun the stale alarms of idle points.
        write!(
            text,
            r#"
[point.{id}]
name = "Methane, hall north, detector {index}"
area = "hall"
topic = "{topic}"
value = "/value"
time = "/ts"
unit = "{UNIT}"
range = [0, 100]
stale_after = "1h"
high = {HIGH}
rise = {{ by = {RISE_PER_MINUTE}, within = "1min" }}
action = "Stop hot work, start the fans, call the shift lead"
"#
        )
        .expect("writing to a string");
    }
    text
}
