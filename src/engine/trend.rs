//! Which way a point goes (alarm-standards 2.4): a straight line through its good samples of the last
//! while. Rules about slopes and forecasts look at lines; a point has one trend for all its rules that
//! ask for the same window.
//!
//! ```text
//!  good samples ─▶ Window ─▶ enough, long enough, no hole? ─▶ least squares ─▶ Line
//!                  buckets          no: no line               or Theil-Sen
//! ```
//!
//! Without a line there is *no verdict*, which neither raises nor clears. Times are those of the source
//! where its clock was accepted, always on the gateway's monotonic scale: a wall-clock step cannot bend
//! a line. A value that merely holds is no sample.
//!
//! # Which method
//!
//! | | least squares | Theil-Sen |
//! |---|---|---|
//! | slope | `Σ(tᵢ−t̄)(vᵢ−v̄) / Σ(tᵢ−t̄)²` | median of the slopes of all pairs |
//! | a single outlier e among n even samples | moves it by up to 6e/(nW) | moves it hardly at all |
//! | outliers until it breaks | 1 | 29 % of the buckets |
//! | band of two standard errors | from the residuals | Sen's, from the order of the pairs |
//! | cost | about 0.15 us a sample, whatever the window | all pairs of up to 64 buckets: about 25 us, at most 64 times a window |

mod line;
mod theil_sen;
mod window;

use std::time::Duration;

use super::memory::Content;
use super::reading::Finite;
use super::refill;
use super::settings::{Method, TrendSettings};
use super::time::{Mono, Nanos, nanos, span_nanos};
pub(super) use line::{Ahead, Course, Line};
use window::Window;

/// Entries of a window at most, for least squares.
const LEAST_SQUARES_BUCKETS: u32 = 128;

/// Theil-Sen looks at all pairs. A poll every second fits into a minute without being averaged.
const THEIL_SEN_BUCKETS: u32 = 64;

/// One window of a point, and the line through it.
#[derive(Debug)]
pub(super) struct Trend {
    settings: TrendSettings,
    window: Window,
    /// Through the window as it is.
    line: Option<Line>,
    /// No line before this: until then a hole lies in the window.
    whole_from: Nanos,
    /// When it was remembered last.
    remembered: Mono,
}

impl Trend {
    pub(super) fn new(settings: TrendSettings) -> Self {
        let buckets = match settings.method {
            Method::LeastSquares => LEAST_SQUARES_BUCKETS,
            Method::TheilSen => THEIL_SEN_BUCKETS,
        };
        Self {
            settings,
            window: Window::new(settings.window, buckets),
            line: None,
            whole_from: Nanos::MIN,
            remembered: Mono::ZERO,
        }
    }

    /// An empty window of the same kind.
    pub(super) fn anew(&self) -> Self {
        Self::new(self.settings)
    }

    /// Takes one good sample. A time before the newest one counts as the newest.
    pub(super) fn learn(&mut self, time: Mono, value: Finite) {
        if let Some(newest) = self.window.newest()
            && nanos(time).saturating_sub(newest) > span_nanos(self.settings.max_gap)
        {
            self.window.clear();
            self.whole_from = newest.saturating_add(span_nanos(self.settings.window));
        }
        let joined = self.window.push(time, value.get());
        let costly = self.settings.method == Method::TheilSen;
        if !(joined && costly) {
            self.line = self.draw();
        }
    }

    /// The line, unless the newest sample is so old at `now` that the window has a hole.
    pub(super) fn line(&self, now: Mono) -> Option<&Line> {
        let newest = self.window.newest()?;
        let age = nanos(now).saturating_sub(newest);
        (self.line.as_ref()).filter(|_| age <= span_nanos(self.settings.max_gap))
    }

    /// Is nothing known?
    pub(super) const fn is_empty(&self) -> bool {
        self.window.newest().is_none()
    }

    /// How much must be seen before there is a line, as far as that is a time.
    pub(super) const fn min_span(&self) -> Duration {
        self.settings.min_span
    }

    /// Is it worth remembering over a restart, and time for that?
    pub(super) fn is_memory_due(&self, now: Mono) -> bool {
        refill::is_due(self.settings.window, self.remembered, now)
    }

    /// What to remember, if it is worth that.
    pub(super) fn remember(&mut self, now: Mono) -> Option<Content> {
        self.remembered = now;
        let worth = self.settings.window >= refill::LASTING;
        worth.then(|| {
            // An empty one, too: it must not be taken for what was kept of it before.
            let (newest_s, samples) = self
                .window
                .remember(now, refill::PIECES)
                .unwrap_or_default();
            Content::Slope { newest_s, samples }
        })
    }

    /// Takes up what was remembered `at`.
    pub(super) fn restore(&mut self, content: &Content, at: Nanos, now: Mono) {
        self.remembered = now;
        if let Content::Slope { newest_s, samples } = content {
            let age = Duration::try_from_secs_f64(*newest_s).unwrap_or(Duration::MAX);
            let newest = at.saturating_sub(span_nanos(age));
            if nanos(now).saturating_sub(newest) <= span_nanos(self.settings.max_gap) {
                self.window.restore(newest, samples, at, now);
            }
        }
    }

    fn draw(&mut self) -> Option<Line> {
        let newest = self.window.newest()?;
        let settings = &self.settings;
        if newest < self.whole_from
            || self.window.samples() < as_f64(settings.min_samples)
            || self.window.span() < settings.min_span.as_secs_f64()
        {
            return None;
        }
        let newest = Mono::from_nanos(u64::try_from(newest).unwrap_or_default());
        match settings.method {
            Method::LeastSquares => self.window.least_squares(newest),
            Method::TheilSen => theil_sen::line(self.window.buckets(), newest),
        }
    }
}

/// A sample count as a float; counts are far below 2^52.
fn as_f64(count: usize) -> f64 {
    u32::try_from(count).map_or(f64::INFINITY, f64::from)
}

#[cfg(test)]
mod tests;
