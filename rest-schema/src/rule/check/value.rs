//! Values and conditions: operators and functions, and the types that they want.

use super::Checker;
use super::literal::{Ty, Typed};
use super::related::negated_if;
use super::scope::Scope;
use crate::diagnostic::Diagnostic;
use crate::rule::ast::{Name, Node, NodeKind};
use crate::rule::ty::{a, compares, is_comparable, is_ordered, of_arithmetic, of_negation};
use crate::schema::{Aggregate, Arithmetic, Comparison, Expr, Function};
use crate::source::Span;
use crate::types::{FieldType, Kind};
use crate::value::Value;

/// Functions that a message can offer.
const FUNCTIONS: [&str; 11] = [
    "coalesce", "lower", "upper", "length", "slug", "exists", "count", "sum", "min", "max", "avg",
];

impl Checker<'_> {
    /// A part that must be TRUE or FALSE; with whether it may be NULL.
    pub(super) fn condition(&mut self, node: &Node, scope: &Scope) -> Option<(Expr, bool)> {
        let typed = self.value(node, scope)?;
        if typed.ty == Ty::Known(FieldType::Boolean) {
            return Some((typed.expr, typed.nullable));
        }
        let message = format!("{} stands where a condition is needed", typed.ty.a());
        let help = "compare it with something, or test it with `is not null`";
        self.push(Diagnostic::new("rule-type", node.span, message).help(help));
        None
    }

    /// Any part of a rule.
    pub(super) fn value(&mut self, node: &Node, scope: &Scope) -> Option<Typed> {
        self.nested(node.span, |checker| checker.part(node, scope))
    }

    fn part(&mut self, node: &Node, scope: &Scope) -> Option<Typed> {
        let span = node.span;
        match &node.kind {
            NodeKind::Null => Some(Typed::literal(Ty::Null, span)),
            NodeKind::Boolean(value) => Some(boolean(Expr::Literal(Value::Boolean(*value)), false, span)),
            NodeKind::Number(text) => Some(Typed::literal(Ty::Number(text.clone()), span)),
            NodeKind::Text(text) => Some(Typed::literal(Ty::Text(text.clone()), span)),
            NodeKind::Now => self.now(span),
            NodeKind::Public => self.caller(Expr::Literal(Value::Boolean(true)), "`public`", span),
            NodeKind::Authenticated => self.caller(Expr::Authenticated, "`authenticated`", span),
            NodeKind::Path(path) => self.path(path, span, scope, false),
            NodeKind::Not(operand) => {
                let (expr, nullable) = self.condition(operand, scope)?;
                Some(boolean(Expr::Not(Box::new(expr)), nullable, span))
            }
            NodeKind::And(parts) => self.joined(parts, Expr::And, span, scope),
            NodeKind::Or(parts) => self.joined(parts, Expr::Or, span, scope),
            NodeKind::Compare(comparison, left, right) => self.compare(*comparison, left, right, span, scope),
            NodeKind::In { value, list, negated } => {
                let found = self.in_list(value, list, span, scope)?;
                Some(negated_if(*negated, found))
            }
            NodeKind::Within { value, path, negated } => self.within(value, path, *negated, span, scope),
            NodeKind::Like {
                value,
                pattern,
                negated,
            } => Some(negated_if(*negated, self.like(value, pattern, span, scope)?)),
            NodeKind::IsNull { value, negated } => {
                Some(negated_if(*negated, self.is_null(value, span, scope)?))
            }
            NodeKind::Arithmetic(operator, left, right) => {
                self.arithmetic(*operator, left, right, span, scope)
            }
            NodeKind::Negate(operand) => self.negate(operand, span, scope),
            NodeKind::Call(name, arguments) => self.call(name, arguments, span, scope),
            NodeKind::Exists(path, condition) => self.exists(path, condition.as_deref(), span, scope),
            NodeKind::Can(operation, path) => self.can(operation, path, span, scope),
        }
    }

    fn now(&mut self, span: Span) -> Option<Typed> {
        if self.allowed.now {
            return Some(Typed::new(Expr::Now, FieldType::Timestamp, false, span));
        }
        self.not_here(span, "`now`", "it must mean the same at every moment")
    }

    fn caller(&mut self, expr: Expr, what: &str, span: Span) -> Option<Typed> {
        if self.allowed.caller {
            return Some(boolean(expr, false, span));
        }
        self.not_here(
            span,
            what,
            "it holds whoever asks, so it can speak of its row only",
        )
    }

    fn joined(
        &mut self,
        parts: &[Node],
        join: fn(Vec<Expr>) -> Expr,
        span: Span,
        scope: &Scope,
    ) -> Option<Typed> {
        // Every part is looked at before the first fault ends it.
        let checked: Vec<Option<(Expr, bool)>> =
            parts.iter().map(|part| self.condition(part, scope)).collect();
        let checked: Vec<(Expr, bool)> = checked.into_iter().collect::<Option<_>>()?;
        let nullable = checked.iter().any(|(_, nullable)| *nullable);
        let exprs = checked.into_iter().map(|(expr, _)| expr).collect();
        Some(boolean(join(exprs), nullable, span))
    }

    fn compare(
        &mut self,
        comparison: Comparison,
        left: &Node,
        right: &Node,
        span: Span,
        scope: &Scope,
    ) -> Option<Typed> {
        let (left, right) = (self.value(left, scope), self.value(right, scope));
        let (left, right) = (left?, right?);
        if left.ty == Ty::Null || right.ty == Ty::Null {
            return self.compared_with_null(comparison, span);
        }
        let (left, right) = self.together(left, right)?;
        let (one, other) = (left.ty.clone().known()?, right.ty.clone().known()?);
        let means = match comparison {
            Comparison::Equal | Comparison::NotEqual => is_comparable,
            Comparison::Less | Comparison::LessOrEqual | Comparison::Greater | Comparison::GreaterOrEqual => {
                is_ordered
            }
        };
        if !means(&one) || !means(&other) || !compares(&one, &other) {
            let message = format!("{} can't be compared so with {}", a(&one), a(&other));
            return self.fault("rule-type", span, message);
        }
        let nullable = left.nullable || right.nullable;
        let expr = Expr::Compare(comparison, Box::new(left.expr), Box::new(right.expr));
        Some(boolean(expr, nullable, span))
    }

    fn compared_with_null<T>(&mut self, comparison: Comparison, span: Span) -> Option<T> {
        let help = match comparison {
            Comparison::NotEqual => "write `is not null`",
            _ => "write `is null`",
        };
        let message = "nothing equals null, not even null";
        self.push(Diagnostic::new("rule-null", span, message).help(help));
        None
    }

    /// Gives literals the type of the other side; two literals are what they look like.
    fn together(&mut self, left: Typed, right: Typed) -> Option<(Typed, Typed)> {
        let (left, right) = match (left.ty.clone(), right.ty.clone()) {
            (Ty::Known(ty), _) => (left, self.coerce(right, &ty)?),
            (_, Ty::Known(ty)) => (self.coerce(left, &ty)?, right),
            _ => (left, right),
        };
        let left = self.settle(left);
        let right = self.settle(right);
        Some((left?, right?))
    }

    fn in_list(&mut self, value: &Node, list: &[Node], span: Span, scope: &Scope) -> Option<Typed> {
        let value = self.value(value, scope);
        let items: Vec<Option<Typed>> = list.iter().map(|item| self.value(item, scope)).collect();
        let value = self.settle(value?)?;
        let ty = value.ty.clone().known()?;
        let mut nullable = value.nullable;
        let mut exprs = Vec::with_capacity(items.len());
        let mut complete = true;
        for item in items {
            match item.and_then(|item| self.list_item(item, &ty)) {
                Some(item) => {
                    nullable |= item.nullable;
                    exprs.push(item.expr);
                }
                None => complete = false,
            }
        }
        complete.then(|| boolean(Expr::In(Box::new(value.expr), exprs), nullable, span))
    }

    fn list_item(&mut self, item: Typed, ty: &FieldType) -> Option<Typed> {
        if item.ty == Ty::Null {
            return self.compared_with_null(Comparison::Equal, item.span);
        }
        let item = self.coerce(item, ty)?;
        let own = item.ty.clone().known()?;
        if is_comparable(ty) && compares(ty, &own) {
            return Some(item);
        }
        let message = format!("{} can't be compared with {}", a(ty), a(&own));
        self.fault("rule-type", item.span, message)
    }

    fn like(&mut self, value: &Node, pattern: &Node, span: Span, scope: &Scope) -> Option<Typed> {
        let value = self.value(value, scope)?;
        let value = self.settle(value)?;
        let ty = value.ty.clone().known()?;
        if ty.kind() != Kind::Text {
            let message = format!("`like` is for texts, and this is {}", a(&ty));
            return self.fault("rule-type", value.span, message);
        }
        let NodeKind::Text(pattern_text) = &pattern.kind else {
            let message = "the pattern of `like` is a text in single quotes";
            return self.fault("rule-type", pattern.span, message);
        };
        if pattern_text.chars().rev().take_while(|c| *c == '\\').count() % 2 == 1 {
            let message = "the pattern ends with `\\`, which escapes nothing";
            return self.fault("rule-literal", pattern.span, message);
        }
        let expr = Expr::Like(Box::new(value.expr), pattern_text.clone());
        Some(boolean(expr, value.nullable, span))
    }

    fn is_null(&mut self, value: &Node, span: Span, scope: &Scope) -> Option<Typed> {
        let value = match &value.kind {
            NodeKind::Path(path) => self.path(path, value.span, scope, true)?,
            _ => self.value(value, scope)?,
        };
        let value = self.settle(value)?;
        Some(boolean(Expr::IsNull(Box::new(value.expr)), false, span))
    }

    fn arithmetic(
        &mut self,
        operator: Arithmetic,
        left: &Node,
        right: &Node,
        span: Span,
        scope: &Scope,
    ) -> Option<Typed> {
        let (left, right) = (self.value(left, scope), self.value(right, scope));
        let (left, right) = self.operands(operator, left?, right?)?;
        let (one, other) = (left.ty.clone().known()?, right.ty.clone().known()?);
        let Some(ty) = of_arithmetic(operator, &one, &other) else {
            let message = format!("`{}` can't join {} and {}", sign(operator), a(&one), a(&other));
            let help = match operator {
                Arithmetic::Concat => "`||` joins texts",
                Arithmetic::Divide => "`/` divides whole numbers and floats",
                _ => "numbers of one type go together; decimals only with the same digits after the point",
            };
            self.push(Diagnostic::new("rule-type", span, message).help(help));
            return None;
        };
        let nullable = left.nullable || right.nullable || operator == Arithmetic::Divide;
        let expr = Expr::Arithmetic(operator, Box::new(left.expr), Box::new(right.expr));
        Some(Typed::new(expr, ty, nullable, span))
    }

    fn operands(&mut self, operator: Arithmetic, left: Typed, right: Typed) -> Option<(Typed, Typed)> {
        let decimal = |typed: &Typed| matches!(&typed.ty, Ty::Known(ty) if ty.kind() == Kind::Decimal);
        // A factor keeps its own digits: `price * 1.195` is right where `price` has two.
        if operator == Arithmetic::Multiply && (decimal(&left) || decimal(&right)) {
            let (left, right) = (self.settle(left), self.settle(right));
            return Some((left?, right?));
        }
        self.together(left, right)
    }

    fn negate(&mut self, operand: &Node, span: Span, scope: &Scope) -> Option<Typed> {
        let operand = self.value(operand, scope)?;
        if let Ty::Number(text) = &operand.ty {
            let text = text
                .strip_prefix('-')
                .map_or_else(|| format!("-{text}"), str::to_owned);
            return Some(Typed::literal(Ty::Number(text), span));
        }
        let operand = self.settle(operand)?;
        let ty = operand.ty.clone().known()?;
        match of_negation(&ty) {
            Some(negated) => Some(Typed::new(
                Expr::Negate(Box::new(operand.expr)),
                negated,
                operand.nullable,
                span,
            )),
            None => self.fault(
                "rule-type",
                span,
                format!("`-` is for numbers, and this is {}", a(&ty)),
            ),
        }
    }

    fn call(&mut self, name: &Name, arguments: &[Node], span: Span, scope: &Scope) -> Option<Typed> {
        if let Some(aggregate) = aggregate(&name.text) {
            return self.aggregate_call(aggregate, arguments, span, scope);
        }
        match name.text.as_str() {
            "coalesce" => self.coalesce(arguments, span, scope),
            "lower" => self.of_text(Function::Lower, FieldType::Text, arguments, span, scope),
            "upper" => self.of_text(Function::Upper, FieldType::Text, arguments, span, scope),
            "length" => self.of_text(Function::Length, FieldType::Bigint, arguments, span, scope),
            "slug" if self.allowed.slug => {
                self.of_text(Function::Slug, FieldType::Slug, arguments, span, scope)
            }
            "slug" => self.not_here(name.span, "`slug`", "it makes defaults: `default: slug(title)`"),
            "scope" => self.scope(arguments, span),
            unknown => {
                let message = format!("no function is called `{unknown}`");
                self.push(Diagnostic::new("unknown-name", name.span, message).near(unknown, FUNCTIONS));
                None
            }
        }
    }

    /// `scope(x)`: whether a token may do what the word `x` of the service's own stands for.
    fn scope(&mut self, arguments: &[Node], span: Span) -> Option<Typed> {
        if !self.allowed.scopes {
            return self.not_here(span, "`scope`", "it asks what a request's token may do");
        }
        let [
            Node {
                kind: NodeKind::Path(path),
                ..
            },
        ] = arguments
        else {
            let help = "it is written like `scope(publish)`, with `tokens: { scopes: [publish] }`";
            self.push(Diagnostic::new("rule-type", span, "`scope` takes one word").help(help));
            return None;
        };
        let [word] = &path[..] else {
            return self.fault("rule-type", span, "`scope` takes one word, not a path");
        };
        if self.is_open() || self.rules.scopes().contains(&word.text) {
            return Some(boolean(Expr::Scope(word.text.clone()), false, span));
        }
        let message = format!("the service has no scope `{}`", word.text);
        let help = format!("declare it: `tokens: {{ scopes: [{}] }}`", word.text);
        let words = self.rules.scopes().iter().map(String::as_str);
        let fault = Diagnostic::new("unknown-name", word.span, message).near(&word.text, words);
        self.push(fault.help(help));
        None
    }

    fn aggregate_call(
        &mut self,
        function: Aggregate,
        arguments: &[Node],
        span: Span,
        scope: &Scope,
    ) -> Option<Typed> {
        if !self.allowed.aggregates {
            return self.not_here(
                span,
                "aggregates",
                "they stand in computed fields; a rule asks `exists(…)`",
            );
        }
        match arguments {
            [
                Node {
                    kind: NodeKind::Path(path),
                    ..
                },
            ] => self.aggregate(function, path, span, scope),
            _ => {
                let message = "an aggregate takes one to-many relation of the row";
                self.push(
                    Diagnostic::new("rule-type", span, message)
                        .help("it is written like `count(lines)` or `sum(lines.amount)`"),
                );
                None
            }
        }
    }

    fn of_text(
        &mut self,
        function: Function,
        ty: FieldType,
        arguments: &[Node],
        span: Span,
        scope: &Scope,
    ) -> Option<Typed> {
        let [argument] = arguments else {
            let message = format!("the function takes one argument, not {}", arguments.len());
            return self.fault("rule-type", span, message);
        };
        let argument = self.value(argument, scope)?;
        let argument = self.settle(argument)?;
        let own = argument.ty.clone().known()?;
        if own.kind() != Kind::Text {
            let message = format!("the function takes a text, not {}", a(&own));
            return self.fault("rule-type", argument.span, message);
        }
        let expr = Expr::Call(function, vec![argument.expr]);
        Some(Typed::new(expr, ty, argument.nullable, span))
    }

    fn coalesce(&mut self, arguments: &[Node], span: Span, scope: &Scope) -> Option<Typed> {
        if arguments.len() < 2 {
            return self.fault("rule-type", span, "`coalesce` takes two values or more");
        }
        let values: Vec<Option<Typed>> = arguments
            .iter()
            .map(|argument| self.value(argument, scope))
            .collect();
        let values: Vec<Typed> = values.into_iter().collect::<Option<_>>()?;
        let known = values.iter().find(|value| !value.ty.is_literal());
        let ty = match known.or(values.first()).cloned() {
            Some(value) => self.settle(value)?.ty.known()?,
            None => return None,
        };
        let mut exprs = Vec::with_capacity(values.len());
        let mut nullable = true;
        for value in values {
            let value = self.coerce(value, &ty)?;
            let value = self.settle(value)?;
            let own = value.ty.known()?;
            let same = own.kind() == ty.kind() && compares(&own, &ty);
            if !same {
                let message = format!("{} and {} can't stand for each other", a(&ty), a(&own));
                return self.fault("rule-type", value.span, message);
            }
            nullable &= value.nullable;
            exprs.push(value.expr);
        }
        Some(Typed::new(
            Expr::Call(Function::Coalesce, exprs),
            ty,
            nullable,
            span,
        ))
    }
}

fn boolean(expr: Expr, nullable: bool, span: Span) -> Typed {
    Typed::new(expr, FieldType::Boolean, nullable, span)
}

fn aggregate(name: &str) -> Option<Aggregate> {
    match name {
        "count" => Some(Aggregate::Count),
        "sum" => Some(Aggregate::Sum),
        "min" => Some(Aggregate::Min),
        "max" => Some(Aggregate::Max),
        "avg" => Some(Aggregate::Avg),
        _ => None,
    }
}

fn sign(operator: Arithmetic) -> &'static str {
    match operator {
        Arithmetic::Add => "+",
        Arithmetic::Subtract => "-",
        Arithmetic::Multiply => "*",
        Arithmetic::Divide => "/",
        Arithmetic::Concat => "||",
    }
}
