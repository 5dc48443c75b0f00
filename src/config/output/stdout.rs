//! Every event as a line on standard output.

use super::Reading;
use crate::config::finding::{Kind, Log};
use crate::output::Target;

pub(super) const KEYS: &[&str] = &["stdout"];

pub(super) fn read(reading: &Reading<'_>, log: &mut Log) -> Option<Target> {
    let wanted = reading.keys.flag("stdout", log)?;
    if !wanted.value {
        log.error(
            Kind::BadValue,
            wanted.place,
            "an output with `stdout = false` does nothing",
        )
        .hint("take the output out, or write `stdout = true`");
        return None;
    }
    Some(Target::Stdout)
}

pub(super) fn explain() -> String {
    "standard output, every event a line".to_owned()
}
