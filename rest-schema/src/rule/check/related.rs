//! Other rows and other rules: `exists`, `me in`, `can`, named rules, aggregates.

use super::literal::Typed;
use super::missing;
use super::name::{field_of, relation_of};
use super::scope::{Base, Scope};
use super::{Checker, access_name, operation_word};
use crate::diagnostic::Diagnostic;
use crate::rule::ast::{Name, Node, NodeKind, Path};
use crate::rule::ty::{a, of_aggregate};
use crate::schema::{Aggregate, Comparison, Expr, FieldId, Operation, Relation, RelationId, ResourceId, Row};
use crate::source::Span;
use crate::types::FieldType;

/// How many `exists` may stand in each other.
const LEVELS: u8 = 2;

const OPERATIONS: [Operation; 5] = [
    Operation::Read,
    Operation::Create,
    Operation::Update,
    Operation::Delete,
    Operation::Restore,
];

impl Checker<'_> {
    /// `exists(path where condition)`
    pub(super) fn exists(
        &mut self,
        path: &Path,
        condition: Option<&Node>,
        span: Span,
        scope: &Scope,
    ) -> Option<Typed> {
        if self.allowed.aggregates && condition.is_none() {
            return self.aggregate(Aggregate::Exists, path, span, scope);
        }
        self.related_is_allowed(span, "`exists(… where …)`")?;
        let (base, relation, target) = self.path_to_many(path, scope)?;
        let inside = self.inside(span, scope, target)?;
        let condition = match condition {
            Some(node) => Some(Box::new(self.condition(node, &inside)?.0)),
            None => None,
        };
        Some(Self::exists_expr(base, relation, condition, span))
    }

    fn exists_expr(base: Base, relation: RelationId, condition: Option<Box<Expr>>, span: Span) -> Typed {
        let expr = Expr::Exists {
            row: base.row,
            path: base.path,
            relation,
            condition,
        };
        Typed::new(expr, FieldType::Boolean, false, span)
    }

    fn related_is_allowed(&mut self, span: Span, what: &str) -> Option<()> {
        if self.allowed.related {
            return Some(());
        }
        self.not_here(span, what, "it can't look at related rows")
    }

    fn inside(&mut self, span: Span, scope: &Scope, target: ResourceId) -> Option<Scope> {
        if scope.level < LEVELS {
            return Some(scope.inside_exists(target));
        }
        let message = format!("`exists` nests deeper than {LEVELS} levels, with the rules that it uses");
        self.fault("rule-too-large", span, message)
    }

    /// To-one steps, then the to-many relation.
    fn path_to_many(&mut self, path: &Path, scope: &Scope) -> Option<(Base, RelationId, ResourceId)> {
        let (base, names) = self.start(path, scope)?;
        let (last, steps) = names.split_last()?;
        let base = self.steps(base, steps)?;
        let resource = self.resource_of(&base);
        match relation_of(&base, resource, &last.text) {
            Some((id, relation)) if !relation.kind.is_to_one() => Some((base, id, relation.target)),
            Some((_, relation)) => self.not_to_many(last, relation),
            None if self.may_be_elsewhere(base.resource, field_of(&base, resource, &last.text).is_some()) => {
                None
            }
            None => {
                let message = format!("{} has no relation `{}`", resource.name, last.text);
                let names = resource.relations.iter().map(|relation| relation.name.as_str());
                let fault = Diagnostic::new("unknown-name", last.span, message).near(&last.text, names);
                self.push(fault);
                None
            }
        }
    }

    fn not_to_many<T>(&mut self, name: &Name, relation: &Relation) -> Option<T> {
        let message = format!("`{}` leads to one row at most", name.text);
        let field = self.schema.resource(relation.target).fields.last();
        let field = field.map_or("id", |field| field.name.as_str());
        let help = format!("name its fields directly: `{}.{field}`", name.text);
        self.push(Diagnostic::new("to-one-path", name.span, message).help(help));
        None
    }

    /// `me in project.members`
    pub(super) fn within(
        &mut self,
        value: &Node,
        path: &Path,
        negated: bool,
        span: Span,
        scope: &Scope,
    ) -> Option<Typed> {
        self.related_is_allowed(span, "`in` a relation")?;
        if !is_me(value) {
            let message = "only `me` can be looked for in a relation";
            let help = "a list stands in parentheses, `status in ('a', 'b')`; for other rows write `exists(path where …)`";
            self.push(Diagnostic::new("rule-type", value.span, message).help(help));
            return None;
        }
        let me = self.me(value.span)?;
        let (base, relation, target) = self.path_to_many(path, scope)?;
        if target != me.resource {
            let (account, found) = (self.resource_of(&me), self.schema.resource(target));
            let message = format!("`me` is of {}, and these are {}", account.name, found.name);
            let help = format!("write `exists({} where …)`", dotted(path));
            self.push(Diagnostic::new("rule-type", span, message).help(help));
            return None;
        }
        let inside = self.inside(span, scope, target)?;
        let same = self.same_key(&me, &inside.bare);
        let found = Self::exists_expr(base, relation, Some(Box::new(same)), span);
        Some(negated_if(negated, found))
    }

    fn same_key(&self, me: &Base, row: &Base) -> Expr {
        let keys = self.resource_of(me).key.fields.iter();
        let mut equal: Vec<Expr> = keys
            .map(|key| {
                let (one, other) = (row.field(*key), me.field(*key));
                Expr::Compare(
                    Comparison::Equal,
                    Box::new(Expr::Ref(one)),
                    Box::new(Expr::Ref(other)),
                )
            })
            .collect();
        match equal.len() {
            1 => equal.remove(0),
            _ => Expr::And(equal),
        }
    }

    /// `can read post`
    pub(super) fn can(&mut self, operation: &Name, path: &Path, span: Span, scope: &Scope) -> Option<Typed> {
        self.related_is_allowed(span, "`can`")?;
        let Some(known) = OPERATIONS
            .into_iter()
            .find(|known| operation_word(*known) == operation.text)
        else {
            let message = format!("no operation is called `{}`", operation.text);
            let fault = Diagnostic::new("unknown-name", operation.span, message)
                .help("operations are read, create, update, delete and restore")
                .near(&operation.text, OPERATIONS.map(operation_word));
            self.push(fault);
            return None;
        };
        let (base, names) = self.start(path, scope)?;
        let base = self.steps(base, names)?;
        let resource = self.resource_of(&base);
        let Some(node) = self.rules.access(base.resource, known) else {
            if self.is_stub(base.resource) {
                return None;
            }
            let message = format!("{} has no rule for `{}`", resource.name, operation.text);
            let help = format!(
                "nobody may {} it; give {} the rule first",
                operation.text, resource.name
            );
            self.push(Diagnostic::new("unknown-name", span, message).help(help));
            return None;
        };
        self.inlined((base.resource, access_name(known)), node, base, span, scope)
    }

    /// A named rule, of the row or of one that a path leads to.
    pub(super) fn use_rule(&mut self, base: Base, name: &Name, span: Span, scope: &Scope) -> Option<Typed> {
        let node = self.rules.named(base.resource, &name.text)?;
        self.inlined((base.resource, name.text.clone()), node, base, span, scope)
    }

    fn inlined(
        &mut self,
        rule: (ResourceId, String),
        node: &Node,
        base: Base,
        span: Span,
        scope: &Scope,
    ) -> Option<Typed> {
        if let Some(start) = self.using.iter().position(|used| *used == rule) {
            self.cycle(start, span);
            return None;
        }
        let outermost = self.site.is_none();
        if outermost {
            self.site = Some((span, rule.1.clone()));
        }
        self.using.push(rule);
        let inside = scope.inside_rule(base.clone());
        let condition = self.condition(node, &inside);
        self.using.pop();
        if outermost {
            self.site = None;
        }
        let (expr, nullable) = condition?;
        Some(Typed::new(
            self.of_a_row(&base, expr),
            FieldType::Boolean,
            nullable,
            span,
        ))
    }

    /// A rule about a row that isn't there doesn't hold, whatever it says of NULL.
    fn of_a_row(&self, base: &Base, expr: Expr) -> Expr {
        // The key of a row that was deleted still stands at this side of the relation.
        let is_sure = missing::rejects(&expr, base) && !self.schema.may_lead_to_deleted(&base.path);
        if base.path.is_empty() || !self.may_lead_nowhere(base) || is_sure {
            return expr;
        }
        let keys = &self.resource_of(base).key.fields;
        let there = keys.first().map(|key| {
            let key = Expr::Ref(base.field(*key));
            Expr::Not(Box::new(Expr::IsNull(Box::new(key))))
        });
        match there {
            Some(there) => Expr::And(vec![there, expr]),
            None => expr,
        }
    }

    /// A circle is told once, by the check that enters it at its least rule.
    fn cycle(&mut self, start: usize, span: Span) {
        let circle = &self.using[start..];
        if circle.first() != circle.iter().min() {
            return;
        }
        let names: Vec<String> = circle
            .iter()
            .chain(circle.first())
            .map(|(resource, name)| format!("{}.{name}", self.schema.resource(*resource).name))
            .collect();
        let message = format!("the rule uses itself: {}", names.join(" → "));
        self.push(
            Diagnostic::new("rule-cycle", span, message).help("write one of them out without the others"),
        );
    }

    /// `count(posts)`, `sum(lines.amount)`
    pub(super) fn aggregate(
        &mut self,
        function: Aggregate,
        path: &Path,
        span: Span,
        scope: &Scope,
    ) -> Option<Typed> {
        let takes_field = !matches!(function, Aggregate::Count | Aggregate::Exists);
        let (names, field) = match path.as_slice() {
            [relation] if !takes_field => (vec![relation.clone()], None),
            [relation, field] if takes_field => (vec![relation.clone()], Some(field)),
            _ => {
                let right = if takes_field {
                    "sum(lines.amount)"
                } else {
                    "count(lines)"
                };
                let message = "an aggregate takes one to-many relation of the row";
                let fault = Diagnostic::new("rule-type", span, message);
                self.push(fault.help(format!("it is written like `{right}`")));
                return None;
            }
        };
        let (_, relation, target) = self.path_to_many(&names, scope)?;
        let field = match field {
            Some(name) => Some(self.aggregated(target, name)?),
            None => None,
        };
        let of = field.map(|id| &self.schema.field(id).ty);
        let Some(ty) = of_aggregate(function, of) else {
            let message = format!("{} can't be aggregated so", of.map_or_else(String::new, a));
            return self.fault("rule-type", span, message);
        };
        let expr = Expr::Aggregate {
            function,
            relation,
            field,
        };
        Some(Typed::new(expr, ty, takes_field, span))
    }

    fn aggregated(&mut self, target: ResourceId, name: &Name) -> Option<FieldId> {
        let base = Base::row(Row::Level(0), target);
        let span = name.span;
        let typed = self.path(
            &vec![name.clone()],
            span,
            &Scope::guarded(base.resource, false),
            false,
        )?;
        match typed.expr {
            Expr::Ref(reference) => Some(reference.field),
            _ => self.fault("rule-type", span, "an aggregate takes a field"),
        }
    }
}

fn is_me(node: &Node) -> bool {
    matches!(&node.kind, NodeKind::Path(path) if matches!(path.as_slice(), [name] if name.text == "me"))
}

pub(super) fn negated_if(negated: bool, typed: Typed) -> Typed {
    match negated {
        true => Typed {
            expr: Expr::Not(Box::new(typed.expr)),
            ..typed
        },
        false => typed,
    }
}

fn dotted(path: &Path) -> String {
    let names: Vec<&str> = path.iter().map(|name| name.text.as_str()).collect();
    names.join(".")
}
