//! The HTTP tests of a generated project: a pure function of the schema.
//!
//! ```text
//! scene (rows as values) ─ judge (what a rule says over them) ─ search (a scene in which it says so)
//!                                      │
//!            cases (what is asked and what is to be answered) ─ text (statements as rustfmt writes them)
//! ```

mod cast;
mod judge;
mod literal;
mod outcome;
mod pattern;
mod refused;
mod sample;
mod scene;
mod search;
mod stage;
mod text;
mod truth;
