//! How a life begins: everything is built from the settings, and takes up what the journal knows of the life
//! before (alarm-standards 1.7).

use std::collections::VecDeque;
use std::sync::Arc;

use super::agenda::Agenda;
use super::drill::{Drills, drilled};
use super::first_out::FirstOuts;
use super::group::Group;
use super::health::SelfCheck;
use super::links::Links;
use super::names::Names;
use super::occurrence::Alarm;
use super::quality::{Channel, Condition};
use super::reading::Fault;
use super::refusals::Refusals;
use super::settings::{AlarmKind, Settings};
use super::sight::Sight;
use super::snapshot::{AlarmRecord, History};
use super::suppression::Suppressions;
use super::time::{Moment, Wall};
use super::trend::Trend;
use super::warm_up::WarmUp;
use super::{Engine, Point, rule, wiring};

impl Engine {
    /// Begins to watch: takes up what the journal knows, records the start and the gap before it.
    /// Active alarms stay active, acknowledgements stay, delays begin anew, and nothing clears
    /// before there is good evidence.
    pub fn start(settings: &Settings, history: &History, now: Moment) -> Self {
        let mut engine = Self::build(settings, history.last_alive, now);
        // The start says what it could not fill.
        engine.refill(settings, history);
        engine.announce_start(history);
        for record in &history.records {
            engine.restore(record);
        }
        for point in 0..engine.points.len() {
            engine.restore_condition(point);
        }
        engine.resume_over_range(now);
        engine.begin_exposures(settings, history, now);
        engine.resume_suppressions(history);
        engine.resume_overlays(history);
        engine.judge_suppressions(now);
        engine.resume_drills(history);
        engine.first_outs.resume(&engine.alarms);
        engine.compare_configuration(settings, history);
        for group in 0..engine.groups.len() {
            engine.judge_group(group, now);
        }
        engine.settle(now);
        engine
    }

    fn build(settings: &Settings, last_alive: Option<Wall>, now: Moment) -> Self {
        let mut points = Vec::with_capacity(settings.points.len());
        let alarms = settings.points.iter().map(|point| point.alarms.len());
        let mut alarms: Vec<Alarm> = Vec::with_capacity(alarms.sum());
        for point in &settings.points {
            let first = alarms.len();
            alarms.extend(
                point
                    .alarms
                    .iter()
                    .map(|alarm| Alarm::new(&point.id, alarm)),
            );
            points.push(Point {
                id: Arc::clone(&point.id),
                area: point.area.clone(),
                unit: Arc::clone(&point.unit),
                origin: point
                    .origin
                    .as_ref()
                    .map(|origin| Arc::clone(&origin.words)),
                meanings: point.meanings,
                stale_after: point.stale_after,
                good_confirm: point.good_confirm,
                channel: Channel::new(point, last_alive, now.mono),
                check: SelfCheck::new(point, first),
                warm_up: WarmUp::new(point.warm_up),
                on_bad: point.on_bad,
                group: None,
                late: None,
                hidden: Sight::default(),
                held_at: None,
                frozen: (first..alarms.len())
                    .find(|alarm| alarms[*alarm].kind == AlarmKind::Frozen),
                trends: point.trends.iter().copied().map(Trend::new).collect(),
                alarms: first..alarms.len(),
            });
        }
        let suppressions = Suppressions::new(settings, &points, &mut alarms);
        let mut groups = Vec::new();
        for (index, point) in settings.points.iter().enumerate() {
            if let Some(settings) = &point.group {
                points[index].group = Some(groups.len());
                groups.push(Group::new(settings, index, &points, &alarms));
            }
        }
        let links = Links::new(
            wiring::of(&groups, &suppressions, &points, &alarms),
            points.len(),
            alarms.len(),
        );
        debug_assert!(links.circle().is_empty(), "config refuses circles");
        Self {
            names: Names::new(&alarms),
            groups,
            suppressions,
            first_outs: FirstOuts::new(&settings.first_outs, &points, &alarms),
            drills: Drills::default(),
            links,
            // Silence, confirmation and what is set aside per point, a delay and another look per alarm. What people do may allocate.
            agenda: Agenda::with_capacity(3 * points.len() + 2 * alarms.len()),
            longest: settings.longest,
            guards: settings.guards.clone(),
            reminder: settings.reminder.clone(),
            effects: VecDeque::with_capacity(64),
            refusals: Refusals::default(),
            points,
            alarms,
            now,
        }
    }

    fn restore(&mut self, record: &AlarmRecord) {
        let of = drilled(&record.alarm);
        match (self.find(of.unwrap_or(&record.alarm)), of) {
            (Some(index), None) => self.alarms[index].restore(record),
            (Some(index), Some(_)) => self.drills.restore(index, record),
            (None, _) => self.close_removed(record),
        }
    }

    /// A point whose bad or stale alarm was active is still bad or stale, a group without a good channel
    /// still has none; any other was good, or new, and needs no confirmation.
    fn restore_condition(&mut self, point: usize) {
        let active = |watch: fn(&rule::Watch) -> bool| {
            let mut alarms = self.alarms[self.points[point].alarms.clone()].iter();
            alarms.any(|alarm| watch(&alarm.watch) && alarm.state.is_active())
        };
        let condition =
            if active(|watch| matches!(watch, rule::Watch::Bad | rule::Watch::GroupFault)) {
                Condition::Bad(Fault::WaitingForInitialData)
            } else if active(|watch| matches!(watch, rule::Watch::Stale)) {
                Condition::Stale
            } else {
                Condition::Waiting
            };
        self.points[point].channel.condition = condition;
        if condition != Condition::Waiting {
            self.points[point].hidden = self.hazards_in_sight(point);
        }
        if condition != Condition::Stale {
            self.arm_stale(point);
        }
    }
}
