//! The rule language: who may do what, which rows are right, what a field is computed by.
//!
//! ```text
//! text ──lex, parse──> ast::Node (names, spans) ──check──> schema::Expr (bound, typed, named rules and `can` inlined)
//! ```
//!
//! It is SQL's conditions with SQL's three-valued logic: `and or not = != < <= > >= in like is null`, `+ - * / ||`,
//! `coalesce lower upper length`, and `exists(path where condition)`, `me`, `old`, `this`, `now`, `can read post`.
//! What may be said depends on the [`Place`]; a fault is told with its span inside the rule.

pub mod ast;
mod check;
mod lex;
mod parse;
mod print;
mod ty;

pub(crate) use check::begins_with_one;
pub use check::{Checked, Place, Rules, check};
pub use parse::parse;
pub use print::print;
pub use ty::type_of;

#[cfg(test)]
mod tests;
