//! Paths: fields, named rules, `this.x`, `old.x`, `me.x`.

use super::literal::Typed;
use super::scope::{Base, Scope};
use super::{Checker, Steps, begins_with_one};
use crate::diagnostic::Diagnostic;
use crate::rule::ast::{Name, Path};
use crate::schema::{
    Expr, Field, FieldId, FieldRole, Relation, RelationId, RelationKind, Resource, ResourceId, Row,
};
use crate::source::Span;
use crate::types::FieldType;

/// A word at the head of a path that isn't a field.
const HEADS: [&str; 3] = ["me", "old", "this"];

impl<'a> Checker<'a> {
    pub(super) fn resource_of(&self, base: &Base) -> &'a Resource {
        self.schema.resource(base.resource)
    }

    /// The value that a path stands for. `any_type`: also passwords, of which only `is null` can be asked.
    pub(super) fn path(&mut self, path: &Path, span: Span, scope: &Scope, any_type: bool) -> Option<Typed> {
        let (base, names) = self.start(path, scope)?;
        let (last, steps) = names.split_last()?;
        let base = self.steps(base, steps)?;
        if self.is_stub(base.resource) {
            return None;
        }
        let resource = self.resource_of(&base);
        if let Some((id, field)) = field_of(&base, resource, &last.text) {
            return self.field(&base, id, field, last, span, any_type);
        }
        if let Some(relation) = relation_of(&base, resource, &last.text).map(|(_, relation)| relation) {
            return self.relation_is_no_value(path, last, relation);
        }
        if self.rules.names(base.resource).contains(&last.text.as_str()) {
            return self.use_rule(base, last, span, scope);
        }
        self.unknown(&base, last)
    }

    fn field(
        &mut self,
        base: &Base,
        id: FieldId,
        field: &Field,
        name: &Name,
        span: Span,
        any_type: bool,
    ) -> Option<Typed> {
        if field.keys_of().is_some() {
            let message = format!("`{}` holds keys of other rows, and no column", name.text);
            let help = "ask for the rows themselves: `exists(relation where …)`";
            self.push(Diagnostic::new("computed-in-rule", name.span, message).help(help));
            return None;
        }
        if self.rules.is_computed(id) {
            let message = format!(
                "`{}` is computed, and {} can't use it",
                name.text, self.allowed.name
            );
            let help = "rules speak of stored fields";
            self.push(Diagnostic::new("computed-in-rule", name.span, message).help(help));
            return None;
        }
        if field.ty == FieldType::Password && !any_type {
            let message = format!("`{}` is a password", name.text);
            let help = "nothing but `is null` can be asked of it";
            self.push(Diagnostic::new("rule-type", name.span, message).help(help));
            return None;
        }
        let nullable = field.optional || base.row == Row::Me || self.may_lead_nowhere(base);
        Some(Typed::new(
            Expr::Ref(base.field(id)),
            field.ty.clone(),
            nullable,
            span,
        ))
    }

    /// Where a path starts, and the names that are left.
    pub(super) fn start<'n>(&mut self, path: &'n [Name], scope: &Scope) -> Option<(Base, &'n [Name])> {
        let (head, rest) = path.split_first()?;
        if HEADS.contains(&head.text.as_str()) && !rest.is_empty() {
            let base = match head.text.as_str() {
                "me" => self.me(head.span)?,
                "old" => self.old(head.span, scope)?,
                _ => scope.this.clone(),
            };
            return Some((base, rest));
        }
        if self.allowed.row {
            return Some((scope.bare.clone(), path));
        }
        self.not_here(head.span, "fields of a row", &format!("write `me.{}`", head.text))
    }

    /// The caller's account.
    pub(super) fn me(&mut self, span: Span) -> Option<Base> {
        if !self.allowed.caller {
            return self.not_here(
                span,
                "`me`",
                "it holds whoever asks, so it can speak of its row only",
            );
        }
        match self.rules.accounts() {
            Some(resource) => Some(Base::row(Row::Me, resource)),
            None if self.is_open() => None,
            None => {
                let message = "`me` is the caller's account, and this service has no accounts";
                let help =
                    "declare them: `accounts: { resource: User, identify_by: [email], password: password }`";
                self.push(Diagnostic::new("rule-place", span, message).help(help));
                None
            }
        }
    }

    fn old(&mut self, span: Span, scope: &Scope) -> Option<Base> {
        if let Some(base) = &scope.old {
            return Some(base.clone());
        }
        let help = "a row has a value before only in `access.update`";
        self.not_here(span, "`old`", help)
    }

    /// Follows to-one steps.
    pub(super) fn steps(&mut self, mut base: Base, names: &[Name]) -> Option<Base> {
        for name in names {
            let resource = self.resource_of(&base);
            let Some((id, relation)) = relation_of(&base, resource, &name.text) else {
                return self.no_step(&base, resource, name);
            };
            self.step_is_allowed(&base, relation, name)?;
            base.path.push(id);
            base.resource = relation.target;
        }
        Some(base)
    }

    fn step_is_allowed(&mut self, base: &Base, relation: &Relation, name: &Name) -> Option<()> {
        if !relation.kind.is_to_one() {
            let message = format!("`{}` leads to many rows", name.text);
            let help = format!("write `exists({} where …)`", name.text);
            self.push(Diagnostic::new("to-many-path", name.span, message).help(help));
            return None;
        }
        // The account is there before any row, so its paths are open wherever it may be named.
        if base.row == Row::Me {
            return Some(());
        }
        let allowed = match self.allowed.steps {
            Steps::None => false,
            Steps::BelongsTo => relation.kind == RelationKind::BelongsTo,
            Steps::ToOne => true,
        };
        if allowed {
            return Some(());
        }
        let what = format!("the path over `{}`", name.text);
        let help = match self.allowed.steps {
            Steps::BelongsTo => "a new row has only the relations whose key it holds",
            Steps::None | Steps::ToOne => "it can speak of the row's own fields only",
        };
        self.not_here(name.span, &what, help)
    }

    fn no_step(&mut self, base: &Base, resource: &Resource, name: &Name) -> Option<Base> {
        let is_field = field_of(base, resource, &name.text).is_some();
        if self.may_be_elsewhere(base.resource, is_field) {
            return None;
        }
        let message = if is_field {
            format!(
                "`{}` of {} is a field, and nothing can follow it",
                name.text, resource.name
            )
        } else {
            format!("{} has no relation `{}`", resource.name, name.text)
        };
        let names = resource.relations.iter().map(|relation| relation.name.as_str());
        let mut fault = Diagnostic::new("unknown-name", name.span, message);
        if !is_field {
            fault = fault.near(&name.text, names.chain(HEADS));
        }
        self.push(fault);
        None
    }

    /// Whether a name that isn't among a resource's relations may be that of an inverse, declared elsewhere.
    pub(super) fn may_be_elsewhere(&self, resource: ResourceId, is_field: bool) -> bool {
        self.is_stub(resource) || (self.is_open() && !is_field)
    }

    fn unknown<T>(&mut self, base: &Base, name: &Name) -> Option<T> {
        let resource = self.resource_of(base);
        let relations = resource.relations.iter().map(|relation| relation.name.as_str());
        if self.is_open() && begins_with_one(&name.text, relations) {
            return None;
        }
        if HEADS.contains(&name.text.as_str()) {
            let message = format!("`{}` is a row, not a value", name.text);
            let help = format!("name a field of it, `{}.{}`", name.text, key_name(resource));
            self.push(Diagnostic::new("unknown-name", name.span, message).help(help));
            return None;
        }
        let fields = resource.fields.iter().map(|field| field.name.as_str());
        let relations = resource.relations.iter().map(|relation| relation.name.as_str());
        let known = fields
            .chain(relations)
            .chain(self.rules.names(base.resource))
            .chain(["now", "public", "authenticated"]);
        let message = format!("{} has no field or rule `{}`", resource.name, name.text);
        let fault = Diagnostic::new("unknown-name", name.span, message).near(&name.text, known);
        self.push(fault);
        None
    }

    fn relation_is_no_value(&mut self, path: &Path, name: &Name, relation: &Relation) -> Option<Typed> {
        let written: Vec<&str> = path.iter().map(|name| name.text.as_str()).collect();
        let written = written.join(".");
        let help = match relation.kind {
            RelationKind::BelongsTo => {
                let key = self.foreign_key(name, relation);
                format!("compare its key, `{}`", written.replace(&name.text, &key))
            }
            RelationKind::HasOne => {
                let key = key_name(self.schema.resource(relation.target));
                format!("name a field of it, `{written}.{key}`")
            }
            RelationKind::HasMany | RelationKind::ManyToMany => format!("write `exists({written} where …)`"),
        };
        let message = format!("`{}` is a relation, not a value", name.text);
        self.push(Diagnostic::new("unknown-name", name.span, message).help(help));
        None
    }

    /// The field that holds the key of a relation's target.
    fn foreign_key(&self, name: &Name, relation: &Relation) -> String {
        let holder = match &relation.link {
            crate::schema::Link::Keys { local, .. } => local.first(),
            crate::schema::Link::Join { .. } => None,
        };
        holder.map_or_else(|| name.text.clone(), |id| self.schema.field(*id).name.clone())
    }

    /// Whether there may be no row at the end of a path.
    pub(super) fn may_lead_nowhere(&self, base: &Base) -> bool {
        let leads_nowhere = |step: &RelationId| {
            let relation = self.schema.relation(*step);
            let optional = self
                .schema
                .resource(step.resource)
                .fields
                .iter()
                .any(|field| field.optional && field.role == FieldRole::ForeignKey(*step));
            // Where the tables aren't ours, a key that leads nowhere is nobody's promise broken.
            optional || relation.kind == RelationKind::HasOne || self.schema.managed != Some(true)
        };
        self.schema.may_lead_to_deleted(&base.path) || base.path.iter().any(leads_nowhere)
    }
}

pub(super) fn field_of<'r>(base: &Base, resource: &'r Resource, name: &str) -> Option<(FieldId, &'r Field)> {
    let (index, field) = (0u32..)
        .zip(&resource.fields)
        .find(|(_, field)| field.name == name)?;
    let id = FieldId {
        resource: base.resource,
        index,
    };
    Some((id, field))
}

pub(super) fn relation_of<'r>(
    base: &Base,
    resource: &'r Resource,
    name: &str,
) -> Option<(RelationId, &'r Relation)> {
    let (index, relation) = resource.relation_by_name(name)?;
    let id = RelationId {
        resource: base.resource,
        index,
    };
    Some((id, relation))
}

fn key_name(resource: &Resource) -> &str {
    let first = resource.key.fields.first();
    first
        .and_then(|id| resource.fields.get(id.index as usize))
        .map_or("id", |field| field.name.as_str())
}
