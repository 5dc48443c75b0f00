//! Which way a value goes, as people are told: its slope, and when it will reach a limit.

use super::Engine;
use super::effect::{Details, Outlook};
use super::occurrence::Alarm;
use super::report::six_digits;
use super::rule::Watch;
use super::settings::{AlarmKind, ForecastRule};
use super::time::{Mono, spoken, spoken_unit};
use super::trend::{Ahead, Course, Line};

impl Engine {
    /// Slope and time to the limits ahead, for the alarms that are about the value.
    pub(super) fn trend(&self, alarm: usize, now: Mono) -> Details {
        let Alarm { watch, .. } = &self.alarms[alarm];
        let point = self.point_of(alarm);
        // An average has another slope.
        let about_value = watch.is_process() && !matches!(watch, Watch::Exposure(_));
        let Some(line) = self.line(point, now).filter(|_| about_value) else {
            return Details::default();
        };
        let forecast = self.forecast(point, now);
        let message = if let Watch::Forecast(forecast) = watch {
            self.foretold(point, forecast.rule, now)
        } else {
            let next = forecast.iter().min_by(|a, b| a.1.total_cmp(&b.1));
            next.map(|(kind, seconds)| {
                let span = spoken(*seconds);
                format!("at this slope {} is reached in about {span}", kind.name())
            })
        };
        let tenths = |(kind, seconds): (AlarmKind, f64)| (kind, (seconds * 10.0).round() / 10.0);
        Details {
            slope_per_min: Some(six_digits(line.slope_per_min())),
            forecast_s: forecast.into_iter().map(tenths).collect(),
            message,
            ..Details::default()
        }
    }

    /// Slope and time to the limits ahead at this moment, for whoever is told of `alarm`; nothing of drills.
    pub fn outlook(&self, alarm: &str) -> Outlook {
        let Some(index) = self.find(alarm) else {
            return Outlook::default();
        };
        let Details {
            slope_per_min,
            forecast_s,
            ..
        } = self.trend(index, self.now.mono);
        Outlook {
            slope_per_min,
            forecast_s,
        }
    }

    /// `high_high (50 %LEL) in about 9 min (8 to 11)`.
    fn foretold(&self, point: usize, rule: ForecastRule, now: Mono) -> Option<String> {
        let point = &self.points[point];
        let line = point.trends.get(rule.trend)?.line(now)?;
        let Course::Ahead(ahead) = line.course(rule.limit, rule.to.is_upper(), now) else {
            return None;
        };
        let (limit, unit) = (rule.limit, &point.unit);
        let limit = format!("{limit} {unit}");
        let (kind, limit) = (rule.to.kind().name(), limit.trim_end());
        Some(format!("{kind} ({limit}) in about {}", spoken_band(ahead)))
    }

    /// The line through the point's values: of the first of its trends that has one.
    pub(super) fn line(&self, point: usize, now: Mono) -> Option<&Line> {
        let point = &self.points[point];
        point.channel.shown()?;
        if point.held_at.is_some() {
            return None;
        }
        let mut trends = point.trends.iter();
        trends.find_map(|trend| trend.line(now))
    }

    /// Seconds until each limit that the line leads to and that is not passed yet.
    pub(super) fn forecast(&self, point: usize, now: Mono) -> Vec<(AlarmKind, f64)> {
        let Some(line) = self.line(point, now) else {
            return Vec::new();
        };
        let own = self.alarms[self.points[point].alarms.clone()].iter();
        own.filter_map(|alarm| {
            let Watch::Limit(rule) = &alarm.watch else {
                return None;
            };
            let course = line.course(rule.limit, rule.level.is_upper(), now);
            match course {
                Course::Ahead(ahead) if ahead.is_foretold() && !alarm.delayed().in_alarm() => {
                    Some((alarm.kind, ahead.seconds))
                }
                Course::Ahead(_) | Course::Met | Course::Away => None,
            }
        })
        .collect()
    }
}

/// A time ahead and the band it lies in, in one unit; the band is rounded outwards.
fn spoken_band(ahead: Ahead) -> String {
    let (unit, _) = spoken_unit(ahead.seconds);
    let (earliest, latest) = (
        (ahead.earliest / unit).floor(),
        (ahead.latest / unit).ceil(),
    );
    format!("{} ({earliest:.0} to {latest:.0})", spoken(ahead.seconds))
}
