//! The resources of the service.
//!
//! `generated/` is written from `rest.yaml`. To take a resource over, move its file from there to here and add
//! `mod its_name;` below; from then on it is yours, and the generator leaves it alone.

mod generated;

pub use generated::*;
