//! A rule as written: names are words, types are unknown, every node knows where it stands.

use crate::schema::{Arithmetic, Comparison};
use crate::source::Span;

/// A part of a rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Node {
    /// What it is.
    pub kind: NodeKind,
    /// Where it stands.
    pub span: Span,
}

/// A word of a path, or the name of a function.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name {
    /// The word.
    pub text: String,
    /// Where it stands.
    pub span: Span,
}

/// `a`, `a.b`, `a.b.c`; never empty.
pub type Path = Vec<Name>;

/// What a part of a rule is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum NodeKind {
    /// `null`
    Null,
    /// `true`, `false`
    Boolean(bool),
    /// `12`, `12.50`, as written
    Number(String),
    /// `'text'`, without quotes
    Text(String),
    /// `now`
    Now,
    /// `public`
    Public,
    /// `authenticated`
    Authenticated,
    /// A field, a named rule, `me.id`, `old.title`, `this.id`
    Path(Path),
    /// `not a`
    Not(Box<Node>),
    /// `a and b and …`, two or more
    And(Vec<Node>),
    /// `a or b or …`, two or more
    Or(Vec<Node>),
    /// `a = b`
    Compare(Comparison, Box<Node>, Box<Node>),
    /// `a in (b, c)`, at least one
    In {
        /// What is looked for.
        value: Box<Node>,
        /// Where.
        list: Vec<Node>,
        /// `not in`
        negated: bool,
    },
    /// `me in project.members`
    Within {
        /// What is looked for.
        value: Box<Node>,
        /// The relation.
        path: Path,
        /// `not in`
        negated: bool,
    },
    /// `a like 'b%'`
    Like {
        /// The text.
        value: Box<Node>,
        /// The pattern; the checker wants a text.
        pattern: Box<Node>,
        /// `not like`
        negated: bool,
    },
    /// `a is null`
    IsNull {
        /// The value.
        value: Box<Node>,
        /// `is not null`
        negated: bool,
    },
    /// `a + b`, `a || b`
    Arithmetic(Arithmetic, Box<Node>, Box<Node>),
    /// `-a`
    Negate(Box<Node>),
    /// `lower(a)`, `count(posts)`
    Call(Name, Vec<Node>),
    /// `exists(path where condition)`
    Exists(Path, Option<Box<Node>>),
    /// `can read post`
    Can(Name, Path),
}
