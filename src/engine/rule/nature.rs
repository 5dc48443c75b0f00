//! What kinds of rules have in common.

use super::Watch;

/// What a kind of rule has in common with others.
#[derive(Debug, Clone, Copy)]
struct Nature {
    /// It watches what is measured, and not the measuring itself.
    process: bool,
    /// It looks at a value, and holds without one.
    value: bool,
    /// It is not judged with the others of its point.
    apart: bool,
}

impl Nature {
    const PROCESS: Self = Self {
        process: true,
        value: true,
        apart: false,
    };
    const SENSOR: Self = Self {
        process: false,
        ..Self::PROCESS
    };
    const MEASURING: Self = Self {
        value: false,
        ..Self::SENSOR
    };

    const fn apart(self) -> Self {
        Self {
            apart: true,
            ..self
        }
    }
}

impl Watch {
    /// What the kind of rule has in common with others; the one list to enter a new kind in.
    const fn nature(&self) -> Nature {
        match self {
            Self::Limit(_)
            | Self::Rate(_)
            | Self::Forecast(_)
            | Self::Deviation(_)
            | Self::State { .. }
            | Self::Exposure(_)
            | Self::OverRange(_) => Nature::PROCESS,
            Self::Vote => Nature::PROCESS.apart(),
            Self::Discrepancy(_) | Self::Frozen(_) => Nature::SENSOR.apart(),
            Self::Bad | Self::Stale | Self::Clock => Nature::MEASURING,
            Self::Degraded | Self::GroupFault | Self::Maintenance => Nature::MEASURING.apart(),
        }
    }

    /// Does it watch the measured value, and not the measuring itself?
    pub(in super::super) const fn is_process(&self) -> bool {
        self.nature().process
    }

    /// Does it look at a value, so that it holds without one?
    pub(in super::super) const fn needs_value(&self) -> bool {
        self.nature().value
    }

    /// Is it true when there is no value?
    pub(in super::super) const fn is_about_loss(&self) -> bool {
        matches!(self, Self::Bad | Self::Stale)
    }

    /// Is it judged apart from the others of its point: by a group, before them, or by what a
    /// device says?
    pub(in super::super) const fn is_judged_apart(&self) -> bool {
        self.nature().apart
    }
}
