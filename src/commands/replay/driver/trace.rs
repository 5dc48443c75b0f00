//! Lines of the trace (contract 5.2): what the engine shows, at a fixed pace.

use std::io::Write;
use std::time::Duration;

use super::{Replay, ReplayError};
use crate::engine::time::Mono;

impl<W: Write> Replay<'_, W> {
    /// Shows every point at each step of the trace before `t`, after all that happened at that step.
    pub(super) fn trace_until(&mut self, t: Mono) -> Result<(), ReplayError> {
        while let Some((every, next)) = self.trace
            && next < t
        {
            self.trace = Some((every, next + every.max(Duration::from_millis(1))));
            self.clock = self.clock.at(next.max(self.clock.mono));
            self.tick();
            self.commit()?;
            self.write_trace(next)?;
        }
        Ok(())
    }

    fn write_trace(&mut self, at: Mono) -> Result<(), ReplayError> {
        let Some(life) = &self.life else {
            return Ok(());
        };
        for point in life.station.snapshot().points {
            if point.id.starts_with("gateway.") {
                continue;
            }
            let mut line = serde_json::json!({
                "t": at.as_secs_f64(),
                "trace": &*point.id,
                "quality": point.quality.name(),
            });
            if let Some(value) = point.value {
                line["value"] = value.into();
            }
            if let Some(slope) = point.slope_per_min {
                line["slope_per_min"] = slope.into();
            }
            for (kind, seconds) in point.forecast {
                line["forecast_s"][kind.name()] = seconds.into();
            }
            if point.held.is_some() {
                line["held"] = true.into();
            }
            if let Some(stel) = point.stel {
                line["stel"] = stel.average.into();
                line["coverage"] = stel.coverage.into();
            }
            if let Some(twa) = point.twa {
                line["twa"] = twa.average.into();
                line["twa_coverage"] = twa.coverage.into();
            }
            writeln!(self.out, "{line}")?;
        }
        Ok(())
    }
}
