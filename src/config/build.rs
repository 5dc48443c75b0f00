//! Reads the tables one after the other, and decides and checks what stands in them together.

use std::sync::Arc;

use jiff::tz::TimeZone;

use super::Config;
use super::assemble::{Parts, assemble, index};
use super::broker::{self};
use super::check::{self, Checked};
use super::defaults::{self, Resolved, is_process};
use super::device::{self};
use super::escalation;
use super::finding::Log;
use super::first_out;
use super::frozen;
use super::group;
use super::health;
use super::language;
use super::layers::Scalars;
use super::links;
use super::mapping::{self};
use super::output::{self};
use super::overlays;
use super::people;
use super::place::Sources;
use super::point::{self, RawPoint, RawSource, Surroundings};
use super::polling::{self, Polling};
use super::priority;
use super::reach;
use super::review;
use super::suppression;
use super::telemetry::{self};
use super::texts::Texts;
use super::tree::Section;
use super::wiring;
use crate::engine::settings::{PointSettings, Priority};
use crate::input::modbus::RegisterPoint;
use crate::wording::{Duties, Readers};

/// Reads the tables of `root` and builds the configuration, unless there was a mistake.
pub(super) fn build(
    root: Section,
    scalars: Option<Scalars>,
    sources: &Sources,
    log: &mut Log,
) -> Option<Config> {
    let site = scalars.as_ref().map_or("", |scalars| scalars.site.as_str());
    let readers = language::read(&root, log);
    let people = people::read(&root, readers.zone.as_ref(), log);
    let devices = device::read(&root, log);
    let brokers = broker::brokers(&root, site, sources, log);
    let mappings = mapping::read(&root, &brokers, log);
    let outputs = output::read(&root, site, sources, &people.persons, log);
    let telemetry = telemetry::read(&root, &outputs, log);
    let priorities = priority::read(&root, log);
    let links = links::read(&root, &people.persons, sources, log);
    let (longest, guards) = overlays::commands(&root, &people, log);
    let escalation = escalation::read(&root, &people, &outputs, log);
    let around = Surroundings {
        people: &people,
        devices: &devices,
        brokers: &brokers,
        mappings: &mappings,
    };
    let entries = people::entries(&root, "point", log);
    // Grown step by step it would end with room for half as many again.
    let mut points: Vec<RawPoint> = Vec::with_capacity(entries.len());
    points.extend(
        entries
            .iter()
            .filter_map(|entry| point::read(entry, &around, log)),
    );
    let groups = group::read(&root, &mut points, &people, log);
    let (groups, first_outs) = (groups.voting, groups.first_outs);
    // With thousands of points the tree is the largest thing in memory: what comes next fits into
    // its place.
    drop(root);
    let mut resolved: Vec<Resolved> = Vec::with_capacity(points.len());
    let mut texts = Texts::default();
    let mut registers = registers(&points, devices.len());
    let polling = Polling::new(&devices, &registers);
    polling.check(&devices, log);
    let mut told_stale = Vec::new();
    for raw in &points {
        let poll = match &raw.source {
            Some(RawSource::Register(register)) => Some(polling.of(register, &devices)),
            Some(RawSource::Topic(_) | RawSource::Mapped(_)) | None => None,
        };
        let period = poll.map(|poll| poll.period);
        let decided = defaults::resolve(raw, &points, period, &priorities, &people, &mut texts);
        let checked = Checked {
            raw,
            points: &points,
            settings: &decided.settings,
            guidance: &decided.guidance,
            poll,
        };
        check::point(&checked, log);
        polling::check_stale(&checked, &mut told_stale, log);
        review::point(&checked, log);
        resolved.push(decided);
    }
    for raw in &groups {
        let decided = group::resolve(raw, &priorities, &people, &mut texts);
        let checked = Checked {
            points: &points,
            raw: &raw.point,
            settings: &decided.settings,
            guidance: &decided.guidance,
            poll: None,
        };
        check::point(&checked, log);
        resolved.push(decided);
    }
    let all: Vec<&RawPoint> = (points.iter())
        .chain(groups.iter().map(|group| &group.point))
        .collect();
    suppression::connect(&all, &mut resolved, log);
    frozen::connect(&all, &mut resolved, log);
    health::connect(&all, &mut resolved, log);
    let first_outs = first_out::resolve(&first_outs, &all, log);
    wiring::check(&points, &devices, &brokers, &mappings, &outputs, log);
    let notify = escalation.settings(&people, &outputs);
    let decided = resolved.iter().map(|point| &point.settings);
    let pairs: Vec<_> = all.iter().copied().zip(decided).collect();
    escalation.check(&pairs, &people, &notify, log);
    reach::check(&people, &notify, &outputs, log);
    let areas = people.in_order();
    for point in registers.iter_mut().flatten() {
        let position = point.point.0 as usize;
        point.hazard = is_hazard(&points[position], &resolved[position].settings);
    }
    let hazards = pairs.iter().enumerate();
    let hazards = hazards.filter(|(_, (raw, settings))| is_hazard(raw, settings));
    let hazards = hazards.map(|(position, _)| index(position)).collect();
    let scalars = scalars?;
    if log.has_errors() {
        return None;
    }
    Some(assemble(
        scalars,
        Parts {
            readers: Readers {
                language: readers.language,
                zone: readers.zone.unwrap_or(TimeZone::UTC),
                persons: Arc::new(people.persons),
                duties: Arc::new(Duties::from(&notify)),
            },
            notify,
            areas,
            points,
            resolved,
            devices,
            registers,
            brokers,
            mappings,
            outputs,
            links,
            first_outs,
            longest,
            guards,
            hazards,
            telemetry,
        },
    ))
}

/// What is read of each device, hazards not yet marked: alarms are decided later.
fn registers(points: &[RawPoint], devices: usize) -> Vec<Vec<RegisterPoint>> {
    let mut registers = vec![Vec::new(); devices];
    for (position, point) in points.iter().enumerate() {
        if let Some(RawSource::Register(register)) = &point.source {
            registers[register.device].push(RegisterPoint {
                point: index(position),
                table: register.table,
                address: register.address,
                data_type: register.data_type,
                order: register.order,
                bits: register.bits,
                poll: register.period,
                hazard: false,
            });
        }
    }
    registers
}

/// Does it watch the air, or anything whose alarm is critical?
fn is_hazard(raw: &RawPoint, settings: &PointSettings) -> bool {
    let mut process = settings
        .alarms
        .iter()
        .filter(|alarm| is_process(alarm.kind()));
    process.any(|alarm| raw.measures.is_gas() || alarm.priority == Priority::Critical)
}
