//! Which requests read a device's points: as few as the device's limits allow.
//!
//! Within each table, values are taken in order of address. A value joins the request before it when
//! at most `max_gap` addresses that nobody asked for lie between, and the request stays within the
//! cap. A value is never cut in two: half of a float read now and half read later is a number that
//! never was. Going from the lowest address up and filling each request is also the least number of
//! requests possible, as long as values do not overlap.

use std::fmt;
use std::ops::Range;

use super::decode::width;
use super::{DeviceSettings, RegisterPoint, Table};

/// Registers that fit in one answer (Modbus Application Protocol V1.1b3, 6.3).
pub const MAX_REGISTERS: u16 = 125;

/// Bits that fit in one answer (Modbus Application Protocol V1.1b3, 6.1).
pub const MAX_BITS: u16 = 2000;

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

/// A device's points and the requests that read each of them exactly once.
#[derive(Debug, Clone, PartialEq)]
pub struct Plan {
    points: Vec<RegisterPoint>,
    requests: Vec<Request>,
}

impl Plan {
    /// Plans for a device. Caps outside of the protocol's are taken as the nearest allowed one; a
    /// value wider than the cap gets a request of its own. The same settings give the same plan.
    pub fn new(device: &DeviceSettings) -> Self {
        let mut points = device.points.clone();
        points.sort_by_key(|point| (point.table, point.address, end(point), point.point));

        let mut requests = Vec::new();
        let mut first = 0;
        for next in 1..=points.len() {
            let joins = points.get(next).is_some_and(|point| {
                let run = points.get(first..next).unwrap_or_default();
                joins(run, point, device)
            });
            if !joins {
                requests.extend(request(&points, first..next));
                first = next;
            }
        }
        Self { points, requests }
    }

    /// The points, by table and address.
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

    /// Cuts a request in two that together read the same points: in its widest gap, since devices
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

/// One past the last address of a value. The last one may lie past the table: such a request is
/// sent as it is, and the device refuses it.
fn end(point: &RegisterPoint) -> u32 {
    u32::from(point.address) + u32::from(width(point.table, point.data_type))
}

/// One past the last address of any value in `run`.
fn run_end(run: &[RegisterPoint]) -> u32 {
    run.iter().map(end).max().unwrap_or(0)
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

/// May `point` be read by the request that reads `run`?
fn joins(run: &[RegisterPoint], point: &RegisterPoint, device: &DeviceSettings) -> bool {
    let Some(first) = run.first() else {
        return false;
    };
    let cap = match point.table {
        Table::Coil | Table::Discrete => device.max_bits.clamp(1, MAX_BITS),
        Table::Holding | Table::Input => device.max_registers.clamp(1, MAX_REGISTERS),
    };
    let run_end = run_end(run);
    let gap = u32::from(point.address).saturating_sub(run_end);
    let span = end(point).max(run_end) - u32::from(first.address);
    first.table == point.table && gap <= u32::from(device.max_gap) && span <= u32::from(cap)
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
