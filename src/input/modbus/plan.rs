//! Which requests read a set of points: the cheapest that keep to the device's rules.
//!
//! Within each table, values are taken in order of address, and a request reads a run of them. A run
//! may reach over a *hole*, addresses that nobody asked for, of at most `max_gap`; never over a *wall*:
//! a gap that a person has listed, an address that the device refuses, a place where it refused to be
//! read across. A value is never cut in two: half of a float read now and half read later is a number
//! that never was.
//!
//! Of all ways to cut the values into runs within the caps the one is taken that costs least by the
//! device's [`Timing`]:
//!
//! ```text
//!   cost of the first n values = least over i < n of
//!       cost of the first i values + cost of one request for values i to n - 1
//! ```
//!
//! Since reading over holes only adds registers, a plan that is cheaper by it has fewer requests, never
//! more; and where holes cost nothing to speak of, as over TCP, the cheapest plan has the fewest requests
//! there can be and reads over no more than it must for that.

use std::fmt;
use std::ops::Range;
use std::time::Duration;

use super::decode::width;
use super::timing::Timing;
use super::{RegisterPoint, Table};

/// Registers that fit in one answer (Modbus Application Protocol V1.1b3, 6.3).
pub const MAX_REGISTERS: u16 = 125;

/// Bits that fit in one answer (Modbus Application Protocol V1.1b3, 6.1).
pub const MAX_BITS: u16 = 2000;

/// What the requests to a device must keep to.
#[derive(Debug, Clone, PartialEq)]
pub struct Rules {
    /// Registers in one request at most, 1 to 125.
    pub max_registers: u16,
    /// Bits in one request at most, 1 to 2000.
    pub max_bits: u16,
    /// Addresses nobody asked for that a request may read over at one place to save another request;
    /// 0 for devices that refuse unmapped addresses.
    pub max_gap: u16,
    /// Addresses that are never read.
    pub gaps: Vec<Gap>,
    /// What requests cost.
    pub timing: Timing,
}

/// A run of addresses that is never read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Gap {
    /// Of which table.
    pub table: Table,
    /// The first address.
    pub first: u16,
    /// The last address, not below the first.
    pub last: u16,
}

/// Where no request may reach across: the addresses from `from` up to, but without, `to`; the place
/// between two addresses when both are the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wall {
    /// Of which table.
    pub table: Table,
    /// The first address.
    pub from: u32,
    /// One past the last address.
    pub to: u32,
}

impl From<Gap> for Wall {
    fn from(gap: Gap) -> Self {
        Self {
            table: gap.table,
            from: gap.first.into(),
            to: u32::from(gap.last) + 1,
        }
    }
}

/// One read request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// Which table, and so which function.
    pub table: Table,
    /// First address, zero-based.
    pub address: u16,
    /// How many addresses.
    pub count: u16,
    /// What it reads, as positions in [`Plan::points`].
    pub points: Range<usize>,
}

/// Points and the requests that read each of them exactly once, but for those that are left out.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    points: Vec<RegisterPoint>,
    requests: Vec<Request>,
    /// How many of the points are read.
    read: usize,
}

impl Plan {
    /// Plans for `points`. Caps outside of the protocol's are taken as the nearest allowed one; a
    /// value wider than the cap gets a request of its own. The same input gives the same plan.
    pub fn new(points: Vec<RegisterPoint>, rules: &Rules) -> Self {
        Self::around(points, Vec::new(), &[], rules)
    }

    /// Plans for `points` without touching what the device is known to refuse: `refused` points, which
    /// are not read and come last in [`points`](Self::points), in their order, and further `walls`.
    pub fn around(
        mut points: Vec<RegisterPoint>,
        refused: Vec<RegisterPoint>,
        walls: &[Wall],
        rules: &Rules,
    ) -> Self {
        points.sort_by_key(|point| (point.table, point.address, end(point), point.point));
        let mut walls = walls.to_vec();
        walls.extend(rules.gaps.iter().copied().map(Wall::from));
        walls.extend(refused.iter().flat_map(addresses_of));
        walls.sort_by_key(|wall| (wall.table, wall.from, wall.to));
        let requests = runs(&points, &walls, rules);
        let requests = requests.into_iter();
        let requests = requests.filter_map(|run| request(&points, run)).collect();
        let read = points.len();
        points.extend(refused);
        Self {
            points,
            requests,
            read,
        }
    }

    /// The points that are read, by table and address, then those that are left out.
    pub fn points(&self) -> &[RegisterPoint] {
        &self.points
    }

    /// The requests, by table and address.
    pub fn requests(&self) -> &[Request] {
        &self.requests
    }

    /// The points that `request` reads.
    pub fn points_of(&self, request: &Request) -> &[RegisterPoint] {
        self.points.get(request.points.clone()).unwrap_or_default()
    }

    /// The positions of the points that are left out.
    pub const fn left_out(&self) -> Range<usize> {
        self.read..self.points.len()
    }

    /// A request for the one point at `position`, be it left out or not.
    pub fn alone(&self, position: usize) -> Option<Request> {
        request(&self.points, position..position.checked_add(1)?)
    }

    /// How long all requests together take.
    pub fn cost(&self, timing: &Timing) -> Duration {
        let requests = self.requests.iter();
        requests
            .map(|request| timing.of(request.table, request.count))
            .fold(Duration::ZERO, Duration::saturating_add)
    }

    /// Cuts a request in two that together read the same points: in its widest hole, since devices
    /// mostly refuse what lies between values, else in the middle. `None` for a single value.
    pub fn halves(&self, whole: &Request) -> Option<[Request; 2]> {
        let points = self.points_of(whole);
        let cut = (1..points.len()).max_by_key(|&cut| {
            let (before, after) = points.split_at(cut);
            let gap = after.first().map_or(0, |point| {
                u32::from(point.address).saturating_sub(run_end(before))
            });
            (gap, std::cmp::Reverse(before.len().abs_diff(after.len())))
        })?;
        let cut = whole.points.start + cut;
        Some([
            request(&self.points, whole.points.start..cut)?,
            request(&self.points, cut..whole.points.end)?,
        ])
    }
}

impl Request {
    /// One past the last address.
    pub fn end(&self) -> u32 {
        u32::from(self.address) + u32::from(self.count)
    }
}

/// One past the last address of a value. The last one may lie past the table: such a request is
/// sent as it is, and the device refuses it.
fn end(point: &RegisterPoint) -> u32 {
    u32::from(point.address) + u32::from(width(point.table, point.data_type))
}

/// One past the last address of any value in `run`.
fn run_end(run: &[RegisterPoint]) -> u32 {
    run.iter().map(end).max().unwrap_or(0)
}

/// A wall around each address of a value.
fn addresses_of(point: &RegisterPoint) -> impl Iterator<Item = Wall> {
    let (table, first) = (point.table, u32::from(point.address));
    (first..end(point)).map(move |from| Wall {
        table,
        from,
        to: from + 1,
    })
}

/// Addresses that any value in `run` takes; several values may lie in one register.
fn addresses(run: &[RegisterPoint]) -> u32 {
    let (asked, _) = run.iter().fold((0, 0), |(asked, reach), point| {
        let first = u32::from(point.address).max(reach);
        let reach = end(point).max(reach);
        (asked + reach.saturating_sub(first), reach)
    });
    asked
}

/// The cheapest way to cut sorted points into runs.
fn runs(points: &[RegisterPoint], walls: &[Wall], rules: &Rules) -> Vec<Range<usize>> {
    let joined = joints(points, walls, rules);
    // Of the first n points: the least cost, and where the last run of it begins.
    let mut best: Vec<((u64, usize), usize)> = Vec::with_capacity(points.len() + 1);
    best.push(((0, 0), 0));
    for last in 0..points.len() {
        let (mut least, mut reach) = (None, 0);
        for first in (0..=last).rev() {
            let (Some(point), Some(((before, requests), _))) =
                (points.get(first), best.get(first).copied())
            else {
                break;
            };
            reach = end(point).max(reach);
            let span = reach - u32::from(point.address);
            if first < last && span > cap(point.table, rules) {
                break;
            }
            let count = u16::try_from(span).unwrap_or(u16::MAX);
            let cost = before.saturating_add(rules.timing.nanos(point.table, count));
            let found = (cost, requests + 1);
            if least.is_none_or(|(known, _)| found < known) {
                least = Some((found, first));
            }
            if !joined.get(first).is_some_and(|joined| *joined) {
                break;
            }
        }
        best.extend(least);
    }
    let mut runs = Vec::new();
    let mut behind = points.len();
    while let Some((_, first)) = best.get(behind).copied().filter(|_| behind > 0) {
        runs.push(first..behind);
        behind = first;
    }
    runs.reverse();
    runs
}

/// For each point: may one request read it and the point before it?
fn joints(points: &[RegisterPoint], walls: &[Wall], rules: &Rules) -> Vec<bool> {
    let mut walls = walls.iter().peekable();
    // Of the table: one past the last address of the points so far, and of the walls.
    let (mut table, mut reach, mut walled) = (Table::Coil, None, 0);
    let joint = |point: &RegisterPoint| {
        if point.table != table {
            (table, reach, walled) = (point.table, None, 0);
        }
        let address = u32::from(point.address);
        let begin = reach.unwrap_or(u32::MAX);
        let mut cut = false;
        let earlier = |wall: &&Wall| {
            let place = (wall.table, wall.from).cmp(&(point.table, address));
            place.is_lt() || (place.is_eq() && wall.from == wall.to)
        };
        while let Some(wall) = walls.next_if(earlier) {
            if wall.table == table {
                cut |= wall.from == wall.to && wall.from >= begin;
                walled = wall.to.max(walled);
            }
        }
        let hole = reach.map(|reach| address.saturating_sub(reach));
        cut |= hole.is_some_and(|hole| hole > 0) && walled > begin;
        reach = Some(end(point).max(reach.unwrap_or(0)));
        !cut && hole.is_some_and(|hole| hole <= u32::from(rules.max_gap))
    };
    points.iter().map(joint).collect()
}

fn cap(table: Table, rules: &Rules) -> u32 {
    match table {
        Table::Coil | Table::Discrete => rules.max_bits.clamp(1, MAX_BITS).into(),
        Table::Holding | Table::Input => rules.max_registers.clamp(1, MAX_REGISTERS).into(),
    }
}

/// The request that reads the points at `range`; `None` when there are none.
fn request(points: &[RegisterPoint], range: Range<usize>) -> Option<Request> {
    let run = points.get(range.clone())?;
    let first = run.first()?;
    let count = run_end(run) - u32::from(first.address);
    Some(Request {
        table: first.table,
        address: first.address,
        count: u16::try_from(count).ok()?,
        points: range,
    })
}

impl fmt::Display for Request {
    /// `holding:120+20`: table, first address, how many.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let table = match self.table {
            Table::Coil => "coil",
            Table::Discrete => "discrete",
            Table::Holding => "holding",
            Table::Input => "input",
        };
        write!(f, "{table}:{}+{}", self.address, self.count)
    }
}

impl fmt::Display for Plan {
    /// For people who check a configuration: a line that sums up, then a line for each request.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let count = |n: usize, what: &str| format!("{n} {what}{}", if n == 1 { "" } else { "s" });
        write!(
            f,
            "{} for {}",
            count(self.requests.len(), "request"),
            count(self.points.len(), "point")
        )?;
        for request in &self.requests {
            let points = count(request.points.len(), "point");
            let asked = addresses(self.points_of(request));
            let read_over = u32::from(request.count).saturating_sub(asked);
            write!(f, "\n  {request}: {points}")?;
            if read_over > 0 {
                write!(f, ", reads over {read_over} unused")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests;
