//! Which points the numbers in records stand for. Pure.

use std::sync::Arc;

use crate::engine::reading::PointIndex;

/// Id and unit of every point, in the order of one configuration.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Names(Vec<(Arc<str>, Arc<str>)>);

impl Names {
    /// From ids and units, by point index.
    pub fn new(points: impl Iterator<Item = (Arc<str>, Arc<str>)>) -> Self {
        Self(points.collect())
    }

    /// Id and unit of a point.
    pub fn get(&self, point: PointIndex) -> Option<(&str, &str)> {
        let (id, unit) = self.0.get(point.0 as usize)?;
        Some((id, unit))
    }

    /// How many there are.
    pub(super) fn count(&self) -> u32 {
        u32::try_from(self.0.len()).unwrap_or(u32::MAX)
    }

    /// As the file keeps them.
    pub(super) fn to_lines(&self) -> String {
        let line = |(id, unit): &(Arc<str>, Arc<str>)| {
            let clean = |text: &str| text.replace(['\t', '\n'], " ");
            format!("{}\t{}\n", clean(id), clean(unit))
        };
        self.0.iter().map(line).collect()
    }

    pub(super) fn from_lines(lines: &str) -> Self {
        let point = |line: &str| {
            let (id, unit) = line.split_once('\t').unwrap_or((line, ""));
            (Arc::from(id), Arc::from(unit))
        };
        Self(lines.lines().map(point).collect())
    }
}
