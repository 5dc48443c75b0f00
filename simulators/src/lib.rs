//! A believable plant.
