//! One checked description of a REST service.
//!
//! ```text
//! rest.yaml ──yaml──┐
//! #[derive] structs ┼─> raw (as written, spans) ──resolve──> Schema (checked, nothing open) ──> every reader
//! import ───────────┘                          all faults at once
//! ```
//!
//! This crate has no I/O, no async and no HTTP. Only [`resolve()`] makes a [`Schema`].

pub mod codes;
pub mod diagnostic;
pub mod export;
pub mod json_schema;
pub mod keys;
pub mod naming;
pub mod operators;
pub mod packed;
pub mod raw;
pub mod report;
pub mod resolve;
pub mod rule;
#[cfg(feature = "rust")]
pub mod rust;
pub mod schema;
pub mod source;
pub mod spelling;
pub mod types;
pub mod value;
pub mod written;
#[cfg(feature = "yaml")]
pub mod yaml;

pub use diagnostic::{Diagnostic, Diagnostics, Severity};
pub use export::export;
pub use json_schema::json_schema;
pub use report::{Loaded, Report};
pub use resolve::resolve;
#[cfg(feature = "yaml")]
pub use resolve::{read, read_one};
pub use schema::*;
pub use source::{Excerpt, FileId, Sources, Span};
pub use types::FieldType;
pub use value::{Value, ValueCode, ValueFault};
