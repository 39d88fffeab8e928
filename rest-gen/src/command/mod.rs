//! One file per command.

pub(crate) mod check;
pub(crate) mod completions;
