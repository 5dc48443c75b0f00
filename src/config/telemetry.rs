//! `[telemetry]`: how often what is measured is recorded, and where it is kept.

use std::ops::RangeInclusive;
use std::path::Path;
use std::time::Duration;

use super::finding::{Kind, Log};
use super::keys::{Keys, Vocabulary};
use super::output::Output;
use super::place::Place;
use super::point::RawPoint;
use super::scalar::{self, show_duration};
use super::tree::Section;
use crate::output::Target;
use crate::telemetry::{DiskSettings, Pace, TelemetrySettings};

const TELEMETRY: Vocabulary = Vocabulary {
    what: "`[telemetry]`",
    keys: &[
        "min_interval",
        "max_interval",
        "deadband_percent",
        "max_size",
        "keep",
        "commit_every",
    ],
    later: &[],
};

const MIN_INTERVAL: RangeInclusive<Duration> = Duration::ZERO..=Duration::from_secs(3_600);
const MAX_INTERVAL: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(86_400);
const COMMIT: RangeInclusive<Duration> = Duration::from_secs(1)..=Duration::from_secs(3_600);
const KEEP: RangeInclusive<Duration> =
    Duration::from_secs(3_600)..=Duration::from_secs(366 * 86_400);
/// Bytes; less holds no hour of a small plant, more is no file for an SD card.
const SIZE: RangeInclusive<u64> = (4 << 20)..=(64 << 30);

/// The file, beside the journal.
const FILE: &str = "telemetry.db";

/// What is written, or goes without saying.
pub(super) struct RawTelemetry {
    pace: Pace,
    /// Share of a point's range, as percent.
    deadband_percent: f64,
    max_size: Option<u64>,
    keep: Duration,
    commit_every: Duration,
}

/// Reads `[telemetry]`.
pub(super) fn read(root: &Section, outputs: &[Output], log: &mut Log) -> RawTelemetry {
    let mut telemetry = RawTelemetry {
        pace: Pace {
            shortest: Duration::from_secs(10),
            longest: Duration::from_secs(600),
        },
        deadband_percent: 0.5,
        max_size: None,
        keep: Duration::from_secs(30 * 86_400),
        commit_every: Duration::from_secs(300),
    };
    let Some(entry) = root.get("telemetry") else {
        return telemetry;
    };
    // An output with a mistake may have been meant to.
    if !log.has_errors() && !is_wanted(outputs) {
        let text = "no output carries telemetry";
        log.warn(Kind::Unused, entry.key.place, text)
            .hint("write `readings = \"points\"` or `readings = \"batches\"` at an MQTT output");
    }
    let Some(keys) = Keys::open(entry, &TELEMETRY, log) else {
        return telemetry;
    };
    telemetry.pace = pace(&keys, telemetry.pace, log);
    if let Some(percent) = keys.positive("deadband_percent", true, log) {
        if percent.value <= 100.0 {
            telemetry.deadband_percent = percent.value;
        } else {
            let text = "`deadband_percent` is a share of a point's range, 100 at most";
            log.error(Kind::OutOfRange, percent.place, text);
        }
    }
    telemetry.max_size = size(&keys, log);
    if let Some(keep) = keys.duration("keep", KEEP, log) {
        telemetry.keep = keep.value;
    }
    if let Some(every) = keys.duration("commit_every", COMMIT, log) {
        telemetry.commit_every = every.value;
    }
    if !keys.has("max_size") {
        for key in ["keep", "commit_every"] {
            let reason = "without `max_size` telemetry is kept in memory only";
            keys.refuse(key, reason, log);
        }
    }
    telemetry
}

fn is_wanted(outputs: &[Output]) -> bool {
    let mut targets = outputs.iter().filter_map(|output| output.target.as_ref());
    targets.any(Target::carries_telemetry)
}

fn pace(keys: &Keys<'_>, usual: Pace, log: &mut Log) -> Pace {
    let shortest = keys.duration("min_interval", MIN_INTERVAL, log);
    let longest = keys.duration("max_interval", MAX_INTERVAL, log);
    let place = longest.as_ref().or(shortest.as_ref()).map(|at| at.place);
    let pace = Pace {
        shortest: shortest.map_or(usual.shortest, |at| at.value),
        longest: longest.map_or(usual.longest, |at| at.value),
    };
    if pace.shortest > pace.longest {
        wrong_order(pace, place.unwrap_or(keys.owner), log);
        return usual;
    }
    pace
}

fn wrong_order(pace: Pace, place: Place, log: &mut Log) {
    let (shortest, longest) = (show_duration(pace.shortest), show_duration(pace.longest));
    let text = format!("`min_interval` ({shortest}) is longer than `max_interval` ({longest})");
    log.error(Kind::Conflict, place, text);
}

fn size(keys: &Keys<'_>, log: &mut Log) -> Option<u64> {
    let text = keys.text("max_size", log)?;
    match scalar::size(&text.value) {
        Ok(size) if SIZE.contains(&size) => Some(size),
        Ok(_) => {
            let text_of = format!("`max_size` must be from 4MiB to 64GiB, not {}", text.value);
            log.error(Kind::OutOfRange, text.place, text_of);
            None
        }
        Err(hint) => {
            let text_of = format!("`max_size` is not a size: \"{}\"", text.value);
            log.error(Kind::BadUnit, text.place, text_of).hint(hint);
            None
        }
    }
}

impl RawTelemetry {
    /// What the gateway runs on, for `all` points, of which `points` come first; `None` when no output
    /// carries it.
    pub(super) fn settings<'o>(
        &self,
        points: &[RawPoint],
        all: usize,
        mut targets: impl Iterator<Item = &'o Target>,
        journal: &Path,
    ) -> Option<TelemetrySettings> {
        if !targets.any(Target::carries_telemetry) {
            return None;
        }
        let deadband = |point: &RawPoint| {
            let own = point.telemetry_deadband;
            let range = point.range.as_ref().map(|range| range.value);
            let share = range.map(|(low, high)| (high - low) * self.deadband_percent / 100.0);
            own.or(share).unwrap_or(0.0)
        };
        let mut deadbands: Vec<f64> = points.iter().map(deadband).collect();
        deadbands.resize(all, 0.0);
        Some(TelemetrySettings {
            pace: self.pace,
            deadbands,
            disk: self.max_size.map(|max_size| DiskSettings {
                path: journal.with_file_name(FILE),
                max_size,
                keep: self.keep,
            }),
            commit_every: self.commit_every,
        })
    }
}

/// In words, for `check --explain`.
pub(super) fn explain(settings: &TelemetrySettings) -> String {
    let shortest = show_duration(settings.pace.shortest);
    let longest = show_duration(settings.pace.longest);
    let kept = match &settings.disk {
        None => "about 100000 records are kept in memory and nothing on disk".to_owned(),
        Some(disk) => format!(
            "what has not arrived is written to {} every {}, {} MiB and {} of it at most",
            disk.path.display(),
            show_duration(settings.commit_every),
            disk.max_size >> 20,
            show_duration(disk.keep),
        ),
    };
    format!(
        "Telemetry: a point is recorded when it leaves its deadband, not more often than every {shortest}, \
         and every {longest} while readings come; {kept}."
    )
}
