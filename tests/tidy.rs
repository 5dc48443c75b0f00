//! Architecture fences.
