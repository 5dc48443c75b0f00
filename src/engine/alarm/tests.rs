//! Every state, input and trait.
