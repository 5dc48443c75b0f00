//! Whose each point is, so that two sources whose ids are spelt alike do not feed one point. Pure.
//!
//! `{area}-{point}` makes `a-b-c` of `plant/a-b/c` and of `plant/a/b-c`. The first of them that gives the point a value,
//! live, owns it while the gateway runs; what the other one says is refused and told. What a broker had kept claims
//! nothing: it may be all that is left of a source that is gone. Nor does what cannot be read: whatever strays onto the
//! topic of a twin must not shut out the sensor.
//!
//! Bound: one entry for each point of a mapping. Refusing such templates with the configuration is deliberately
//! absent: most plants have hyphens in their names and no two that meet.

use std::collections::BTreeMap;

use super::harvest::Harvest;
use super::pointer::Pointer;
use super::rejection::{Refused, Rejection};
use crate::engine::reading::{PointIndex, Reading};
use crate::input::mqtt::Target;

/// What an id was made of: which template, and its parts. No two ways to one id are alike.
pub(super) type Recipe = (usize, String);

/// The owners of a family's points.
#[derive(Debug, Default)]
pub(super) struct Owners(BTreeMap<PointIndex, Recipe>);

impl Owners {
    /// May the source of this recipe say something of the point?
    pub(super) fn admit(&self, point: PointIndex, recipe: &Recipe) -> bool {
        self.0.get(&point).is_none_or(|owner| owner == recipe)
    }

    /// The source of this recipe, which may, has given the point a value; `retained`: long ago.
    pub(super) fn gave(&mut self, point: PointIndex, recipe: &Recipe, retained: bool) {
        if !retained {
            self.0.entry(point).or_insert_with(|| recipe.clone());
        }
    }
}

/// A point that a message means, and where its value stands.
pub(super) struct Slot<'f> {
    pub(super) id: String,
    pub(super) recipe: Recipe,
    pub(super) target: &'f Target,
    pub(super) value: Option<&'f Pointer>,
}

impl Slot<'_> {
    /// Is the point no other source's? If it is, that is counted.
    pub(super) fn may_speak(&self, owners: &Owners, harvest: &mut Harvest) -> bool {
        let admitted = owners.admit(self.target.point, &self.recipe);
        if !admitted {
            harvest.count(Refused::with(Rejection::OtherSource, &self.id));
        }
        admitted
    }

    /// The point is its source's from now on, if this is a value.
    pub(super) fn claim(
        &self,
        reading: &Result<Option<Reading>, Refused>,
        owners: &mut Owners,
        retained: bool,
    ) {
        if let Ok(Some(_)) = reading {
            owners.gave(self.target.point, &self.recipe, retained);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_gives_a_live_value_owns_the_point() {
        let mut owners = Owners::default();
        let (one, other) = ((0, "a-b\0c".to_owned()), (0, "a\0b-c".to_owned()));
        let point = PointIndex(7);
        owners.gave(point, &other, true);
        assert!(owners.admit(point, &other) && owners.admit(point, &one));
        owners.gave(point, &one, false);
        assert!(owners.admit(point, &one) && !owners.admit(point, &other));
        assert!(owners.admit(PointIndex(8), &other));
        let template = (1, one.1.clone());
        assert!(!owners.admit(point, &template));
    }
}
