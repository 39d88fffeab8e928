//! Structs as a schema: `#[derive(RestResource)]` and `#[rest(…)]`, read from tokens.
//!
//! Both the derive macros and the reader of `.rs` files use it. It makes the same tree of nodes that a YAML file gives;
//! what is in the tree is checked by the same stages ([`crate::raw`], [`crate::resolve()`]), so that a fault has one
//! code and one message. Here are only the faults that Rust alone can have: in its attributes, types and shapes.

mod alone;
mod attr;
mod choice;
mod entries;
mod field;
mod files;
mod place;
mod resource;
mod service;
mod shape;
mod tree;
mod ty;

pub use alone::{alone, service_alone};
pub use choice::{Choice, choice};
pub use files::{parse, read_files};
pub use place::{Places, Told};
pub use resource::{Field, Foreign, Form, Resource, resource};
pub use service::{Member, Service, service};
pub use tree::{Tree, TreeKind, Types};
