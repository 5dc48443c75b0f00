//! What the device of a point says of itself, in another point (alarm-standards 2.13).

use super::super::reading::{Health, PointIndex};

/// A status point, and what its values say in the categories of NAMUR NE 107. A value in two lists says the
/// worse.
#[derive(Debug, Clone, PartialEq)]
pub struct HealthRule {
    /// The status point: a measured one, that does not depend on other points itself.
    pub from: PointIndex,
    /// Nothing is wrong.
    pub good: Box<[f64]>,
    /// The device has failed.
    pub failure: Box<[f64]>,
    /// Somebody works on it.
    pub function_check: Box<[f64]>,
    /// It measures beyond what it is made for.
    pub out_of_specification: Box<[f64]>,
    /// It measures, and wants to be looked after.
    pub maintenance: Box<[f64]>,
}

impl HealthRule {
    /// What `value` of the status point says. One that stands in no list says nothing that is known.
    pub fn says(&self, value: f64) -> Health {
        let lists = [
            (Health::Failure, &self.failure),
            (Health::FunctionCheck, &self.function_check),
            (Health::OutOfSpecification, &self.out_of_specification),
            (Health::Maintenance, &self.maintenance),
            (Health::Good, &self.good),
        ];
        let holds = |list: &[f64]| list.iter().any(|known| (known - value).abs() <= 0.0);
        let found = lists.into_iter().find(|(_, list)| holds(list));
        found.map_or(Health::Unknown, |(health, _)| health)
    }
}
