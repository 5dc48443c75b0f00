//! Whose each point is, so that two sources whose ids are spelt alike do not feed one point. Pure.
//!
//! `{area}-{point}` makes `a-b-c` of `plant/a-b/c` and of `plant/a/b-c`. The first of them that says something live
//! owns the point while the gateway runs; what the other one says is refused and told. What a broker had kept claims
//! nothing: it may be all that is left of a source that is gone.
//!
//! Bound: one entry for each point of a mapping. Refusing such templates with the configuration is deliberately
//! absent: most plants have hyphens in their names and no two that meet.

use std::collections::BTreeMap;

use crate::engine::reading::PointIndex;

/// What an id was made of: which template, and its parts. No two ways to one id are alike.
pub(super) type Recipe = (usize, String);

/// The owners of a family's points.
#[derive(Debug, Default)]
pub(super) struct Owners(BTreeMap<PointIndex, Recipe>);

impl Owners {
    /// May the source of this recipe say something of the point?
    pub(super) fn admit(&mut self, point: PointIndex, recipe: &Recipe, retained: bool) -> bool {
        match self.0.get(&point) {
            Some(owner) => owner == recipe,
            None if retained => true,
            None => {
                self.0.insert(point, recipe.clone());
                true
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_that_is_live_owns_the_point() {
        let mut owners = Owners::default();
        let (one, other) = ((0, "a-b\0c".to_owned()), (0, "a\0b-c".to_owned()));
        let point = PointIndex(7);
        assert!(owners.admit(point, &other, true), "nobody owns it");
        assert!(owners.admit(point, &one, false));
        assert!(owners.admit(point, &one, false));
        for retained in [true, false] {
            assert!(!owners.admit(point, &other, retained));
        }
        assert!(owners.admit(PointIndex(8), &other, false));
        let template = (1, one.1.clone());
        assert!(!owners.admit(point, &template, false));
    }
}
