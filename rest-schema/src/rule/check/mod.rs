//! Binds a rule's names, checks its types, and inlines the rules that it uses.
//!
//! It works on a draft of the schema: resources, fields and relations are in place, rules are not. What other rules
//! say comes from [`Rules`], as parsed.

mod literal;
mod missing;
mod name;
mod related;
mod scope;
mod value;

use self::literal::Typed;
use self::scope::Scope;
use super::ast::Node;
use super::ty::{a, assigns};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::schema::{Expr, FieldId, Operation, ResourceId, Schema};
use crate::source::Span;
use crate::types::FieldType;

/// What a rule may ask about the schema around it while that is still being made.
pub trait Rules {
    /// A named rule of a resource, parsed; `None` also where it has a fault of its own that has been told.
    fn named(&self, resource: ResourceId, name: &str) -> Option<&Node>;

    /// The names of all rules of a resource, those with faults too.
    fn names(&self, resource: ResourceId) -> Vec<&str>;

    /// The access rule of an operation, parsed.
    fn access(&self, resource: ResourceId, operation: Operation) -> Option<&Node>;

    /// The resource of accounts, where the service has them.
    fn accounts(&self) -> Option<ResourceId>;

    /// The words of the service's own that a token may have.
    fn scopes(&self) -> &[String];

    /// Whether a field is computed; the draft doesn't show it yet.
    fn is_computed(&self, field: FieldId) -> bool;

    /// How many resources are known, where the others are stubs for what stands elsewhere; `None` where all are. Names
    /// that may stand elsewhere are nobody's fault then.
    fn known(&self) -> Option<usize> {
        None
    }
}

/// Where a rule stands, which decides what it may speak of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place<'a> {
    /// The access rule of an operation.
    Access(Operation),
    /// A field's `readable`.
    Readable,
    /// A field's `writable`, or the `access` of a many_to_many.
    Writable,
    /// The `where` of a resource.
    Where,
    /// A named rule, by its name.
    Named(&'a str),
    /// A check, or the condition of an index: the row's own fields.
    Condition,
    /// An expression of an index: the row's own fields.
    Index,
    /// A computed field: own fields, and aggregates over a to-many relation.
    Computed,
    /// A default for a field of this type: the new row and its to-one paths.
    Default(&'a FieldType),
    /// `accounts.admin`: the caller's account.
    Admin,
    /// `accounts.active`: an account, whoever asks.
    Active,
}

/// A rule that means something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Checked {
    /// Bound and type-checked.
    pub expr: Expr,
    /// Its type.
    pub ty: FieldType,
    /// Whether it can be NULL.
    pub nullable: bool,
}

/// Whether a name begins with one of these and `_`, as those of foreign keys do with the name of their relation.
pub(crate) fn begins_with_one<'a>(name: &str, mut relations: impl Iterator<Item = &'a str>) -> bool {
    relations.any(|relation| {
        name.strip_prefix(relation)
            .is_some_and(|rest| rest.starts_with('_'))
    })
}

/// Which steps a path may take.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Steps {
    None,
    BelongsTo,
    ToOne,
}

/// What may be said in a place.
#[derive(Debug, Clone, Copy)]
struct Allowed {
    /// Fields of the row.
    row: bool,
    /// Paths.
    steps: Steps,
    /// `me`, `authenticated`.
    caller: bool,
    /// `scope(x)`.
    scopes: bool,
    /// `now`.
    now: bool,
    /// `old.x`.
    old: bool,
    /// `exists`, `me in`, `can`.
    related: bool,
    /// `count(posts)` and its like.
    aggregates: bool,
    /// `slug(x)`.
    slug: bool,
    /// What a message calls the place.
    name: &'static str,
}

const OWN_FIELDS: Allowed = Allowed {
    row: true,
    steps: Steps::None,
    caller: false,
    scopes: false,
    now: false,
    old: false,
    related: false,
    aggregates: false,
    slug: false,
    name: "a check",
};

const GUARD: Allowed = Allowed {
    steps: Steps::ToOne,
    caller: true,
    scopes: true,
    now: true,
    related: true,
    name: "this rule",
    ..OWN_FIELDS
};

impl Place<'_> {
    fn allowed(self) -> Allowed {
        match self {
            Self::Access(operation) => Allowed {
                old: operation == Operation::Update,
                ..GUARD
            },
            Self::Named(_) => Allowed { old: true, ..GUARD },
            Self::Readable | Self::Writable => GUARD,
            Self::Where => Allowed {
                name: "`where`",
                ..GUARD
            },
            Self::Condition => OWN_FIELDS,
            Self::Index => Allowed {
                name: "an index",
                ..OWN_FIELDS
            },
            Self::Computed => Allowed {
                aggregates: true,
                name: "a computed field",
                ..OWN_FIELDS
            },
            Self::Default(_) => Allowed {
                steps: Steps::BelongsTo,
                caller: true,
                slug: true,
                name: "a default",
                ..OWN_FIELDS
            },
            Self::Admin => Allowed {
                row: false,
                caller: true,
                name: "`admin`",
                ..OWN_FIELDS
            },
            Self::Active => Allowed {
                row: false,
                caller: true,
                now: true,
                name: "`active`",
                ..OWN_FIELDS
            },
        }
    }

    fn wants_condition(self) -> bool {
        !matches!(self, Self::Index | Self::Computed | Self::Default(_))
    }
}

/// Checks a rule of `resource` (for [`Place::Admin`] and [`Place::Active`]: the accounts' resource). `None` where a fault was told, or where
/// a rule that it uses has one.
pub fn check(
    schema: &Schema,
    rules: &dyn Rules,
    resource: ResourceId,
    place: Place<'_>,
    node: &Node,
    diagnostics: &mut Diagnostics,
) -> Option<Checked> {
    let mut checker = Checker {
        schema,
        rules,
        allowed: place.allowed(),
        diagnostics,
        using: match place {
            Place::Access(operation) => vec![(resource, access_name(operation))],
            Place::Named(name) => vec![(resource, name.to_owned())],
            _ => Vec::new(),
        },
        site: None,
        nodes: 0,
        depth: 0,
        too_large: false,
    };
    let scope = Scope::guarded(resource, checker.allowed.old);
    if place.wants_condition() {
        let (expr, nullable) = checker.condition(node, &scope)?;
        return Some(Checked {
            expr,
            ty: FieldType::Boolean,
            nullable,
        });
    }
    let typed = checker.value(node, &scope)?;
    match place {
        Place::Default(ty) => checker.assigned(typed, ty),
        _ => checker.settled(typed),
    }
}

/// A rule by its resource and name (`access.read` for an access rule).
type Used = (ResourceId, String);

fn access_name(operation: Operation) -> String {
    format!("access.{}", operation_word(operation))
}

fn operation_word(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "read",
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
        Operation::Restore => "restore",
    }
}

/// The most parts of one rule after inlining: what is used twice at each of ten levels is there a thousand times.
const NODES: usize = 4_096;
/// The deepest nesting after inlining.
const DEPTH: usize = 160;

struct Checker<'a> {
    schema: &'a Schema,
    rules: &'a dyn Rules,
    allowed: Allowed,
    diagnostics: &'a mut Diagnostics,
    /// The rules that are being inlined, the outermost first.
    using: Vec<Used>,
    /// Where the outermost of them is used beyond the rule's own text, and its name.
    site: Option<(Span, String)>,
    nodes: usize,
    depth: usize,
    /// Told once: everything around a part that is too large is so as well.
    too_large: bool,
}

impl Checker<'_> {
    fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    /// Whether a resource stands for one that isn't seen here.
    fn is_stub(&self, resource: ResourceId) -> bool {
        self.rules
            .known()
            .is_some_and(|known| resource.0 as usize >= known)
    }

    /// Whether there is more than is seen here.
    fn is_open(&self) -> bool {
        self.rules.known().is_some()
    }

    /// Tells a fault; there is nothing to go on with.
    fn fault<T>(&mut self, code: &'static str, span: Span, message: impl Into<String>) -> Option<T> {
        self.push(Diagnostic::new(code, span, message));
        None
    }

    /// Tells that a word means something elsewhere.
    fn not_here<T>(&mut self, span: Span, what: &str, help: &str) -> Option<T> {
        let message = format!("{} can't use {what}", self.allowed.name);
        self.misplaced(span, message, help)
    }

    /// What is right in a rule of its own and wrong where that is used is told where it is used.
    fn misplaced<T>(&mut self, span: Span, message: String, help: &str) -> Option<T> {
        let diagnostic = match &self.site {
            Some((site, name)) => {
                Diagnostic::new("rule-place", *site, format!("{message}, and `{name}` does"))
            }
            None => Diagnostic::new("rule-place", span, message),
        };
        self.push(diagnostic.help(help));
        None
    }

    /// Goes one level down, unless the rule has become too large.
    fn nested<T>(&mut self, span: Span, part: impl FnOnce(&mut Self) -> Option<T>) -> Option<T> {
        self.nodes += 1;
        if self.depth == DEPTH || self.nodes > NODES {
            let message = "the rule is too large, with the rules that it uses written out";
            let told = std::mem::replace(&mut self.too_large, true);
            return if told {
                None
            } else {
                self.fault("rule-too-large", span, message)
            };
        }
        self.depth += 1;
        let result = part(self);
        self.depth -= 1;
        result
    }

    /// A value as it stands, literals by their own look.
    fn settled(&mut self, typed: Typed) -> Option<Checked> {
        let typed = self.settle(typed)?;
        Some(Checked {
            expr: typed.expr,
            ty: typed.ty.known()?,
            nullable: typed.nullable,
        })
    }

    /// A value for a field of type `to`.
    fn assigned(&mut self, typed: Typed, to: &FieldType) -> Option<Checked> {
        let typed = self.coerce(typed, to)?;
        let span = typed.span;
        let checked = self.settled(typed)?;
        if assigns(&checked.ty, to) {
            return Some(checked);
        }
        let message = format!("{} can't be the default of {}", a(&checked.ty), a(to));
        self.fault("rule-type", span, message)
    }
}
