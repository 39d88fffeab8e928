//! The schemas of `tests/schemas` as the generator writes them.

pub mod bin;
pub mod blog;
pub mod gate;
pub mod keys;
pub mod many;
pub mod rules;
pub mod sets;
pub mod shapes;
pub mod teams;
pub mod types;
