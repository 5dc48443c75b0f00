//! A line through a window, and when it meets a limit (alarm-standards 2.5).

use super::super::time::Mono;

/// A limit further ahead than this is not foretold: by then the line is another one.
const HORIZON_S: f64 = 1_800.0;

/// A straight line, with the band in which its slope lies.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Line {
    /// Of the newest sample.
    pub(super) time: Mono,
    /// The line's value there.
    pub(super) value: f64,
    /// Units per second.
    pub(super) slope: f64,
    /// Two standard errors below and above the slope, units per second.
    pub(super) band: (f64, f64),
}

/// How a line lies to a limit.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) enum Course {
    /// It leads away from the limit, or is noise.
    Away,
    /// It has met the limit.
    Met,
    /// It will meet it.
    Ahead(Ahead),
}

/// How long until a line meets a limit, seconds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(in super::super) struct Ahead {
    /// At the slope itself.
    pub(in super::super) seconds: f64,
    /// At the steeper edge of the band.
    pub(in super::super) earliest: f64,
    /// At its flatter edge.
    pub(in super::super) latest: f64,
}

impl Line {
    /// `None` when a number ran over: values near the end of what a float holds give no line.
    pub(super) fn new(time: Mono, value: f64, slope: f64, band: (f64, f64)) -> Option<Self> {
        let numbers = [value, slope, band.0, band.1];
        let all = numbers.iter().all(|number| (number * 60.0).is_finite());
        all.then_some(Self {
            time,
            value,
            slope,
            band,
        })
    }

    /// When it was drawn: the time of the newest sample on it.
    pub(in super::super) const fn time(&self) -> Mono {
        self.time
    }

    /// Units per minute.
    pub(in super::super) fn slope_per_min(&self) -> f64 {
        self.slope * 60.0
    }

    /// Does the band leave out zero, so that the slope is more than its own noise?
    pub(in super::super) fn is_significant(&self) -> bool {
        self.band.0 > 0.0 || self.band.1 < 0.0
    }

    /// Whether and when the line meets `limit` on its way up or down, seen from `now`.
    pub(in super::super) fn course(&self, limit: f64, upwards: bool, now: Mono) -> Course {
        if !self.is_significant() || (self.slope > 0.0) != upwards {
            return Course::Away;
        }
        let passed = now.since(self.time).as_secs_f64();
        let way = limit - (self.value + self.slope * passed);
        let seconds = way / self.slope;
        if seconds <= 0.0 {
            return Course::Met;
        }
        let (a, b) = (way / self.band.0, way / self.band.1);
        let ahead = Ahead {
            seconds,
            earliest: a.min(b),
            latest: a.max(b),
        };
        if ahead.latest.is_finite() {
            Course::Ahead(ahead)
        } else {
            Course::Away
        }
    }
}

impl Ahead {
    /// Near enough to be told.
    pub(in super::super) fn is_foretold(&self) -> bool {
        self.seconds <= HORIZON_S
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_slope_is_significant_when_its_band_leaves_out_zero() {
        for (band, significant) in [
            ((0.0, 0.0), false),
            ((0.0, 2.0), false),
            ((-2.0, 0.0), false),
            ((-1.0, 3.0), false),
            ((0.5, 1.5), true),
            ((-1.5, -0.5), true),
        ] {
            let slope = f64::midpoint(band.0, band.1);
            let line = Line::new(Mono::ZERO, 1.0, slope, band).expect("a line");
            assert_eq!(line.is_significant(), significant, "{band:?}");
        }
    }
}
