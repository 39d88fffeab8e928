//! What tells one item from another: which fields a key has, and of which types, before any field is made.
//!
//! Foreign keys take their types from the target's key, which may hold foreign keys itself; so keys come first, each
//! after those it needs.

use super::{Draft, Origin, typing};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{Block, Value};
use crate::schema::{KeyKind, ResourceId};
use crate::source::{Excerpt, Span};
use crate::types::FieldType;

/// A resource's key: where its fields come from.
#[derive(Debug, Clone)]
pub(super) struct KeyPlan {
    pub(super) kind: KeyKind,
    pub(super) by_client: bool,
    /// In the order of the address; a relation stands for all its fields.
    pub(super) origins: Vec<Origin>,
    /// Names and types of all its fields.
    pub(super) parts: Vec<Part>,
    /// A generated key's column, where it is written.
    pub(super) column: Option<String>,
}

/// One field of a key.
#[derive(Debug, Clone)]
pub(super) struct Part {
    pub(super) name: String,
    pub(super) ty: FieldType,
}

/// The keys of all resources.
pub(super) fn plan(draft: &Draft, diagnostics: &mut Diagnostics) -> Vec<KeyPlan> {
    let mut planner = Planner {
        draft,
        plans: Vec::new(),
        inside: Vec::new(),
        diagnostics,
    };
    planner.plans = planner.draft.ids().map(|_| None).collect();
    let ids: Vec<_> = planner.draft.ids().collect();
    for id in &ids {
        planner.plan(*id);
    }
    let plans = planner.plans;
    plans
        .into_iter()
        .map(|plan| plan.unwrap_or_else(generated))
        .collect()
}

fn generated() -> KeyPlan {
    KeyPlan {
        kind: KeyKind::Autoincrement,
        by_client: false,
        origins: vec![Origin::Generated],
        parts: vec![Part {
            name: "id".to_owned(),
            ty: FieldType::Bigint,
        }],
        column: None,
    }
}

struct Planner<'a> {
    draft: &'a Draft,
    plans: Vec<Option<KeyPlan>>,
    inside: Vec<ResourceId>,
    diagnostics: &'a mut Diagnostics,
}

impl Planner<'_> {
    /// `None` where the key needs itself.
    fn plan(&mut self, id: ResourceId) -> Option<KeyPlan> {
        if let Some(plan) = self.plans.get(id.0 as usize).cloned().flatten() {
            return Some(plan);
        }
        if self.inside.contains(&id) {
            return None;
        }
        self.inside.push(id);
        let plan = self.read(id);
        self.inside.pop();
        if let Some(place) = self.plans.get_mut(id.0 as usize) {
            *place = Some(plan.clone());
        }
        Some(plan)
    }

    fn read(&mut self, id: ResourceId) -> KeyPlan {
        let block = &self.draft.sketch(id).block;
        match block.entry("key").map(|entry| &entry.value) {
            None => generated(),
            Some(Value::Block(long)) => Self::long(long),
            Some(Value::Texts(names)) => self.declared(id, names, KeyKind::Composite),
            Some(Value::Text(word)) => self.short(id, word),
            Some(_) => generated(),
        }
    }

    fn short(&mut self, id: ResourceId, word: &Excerpt) -> KeyPlan {
        let block = &self.draft.sketch(id).block;
        let declared = ["fields", "belongs_to"]
            .iter()
            .any(|key| block.named(key).iter().any(|named| named.name.text == word.text));
        match word.text.as_str() {
            "uuid" if !declared => KeyPlan {
                kind: KeyKind::Uuid,
                parts: vec![Part {
                    name: "id".to_owned(),
                    ty: FieldType::Uuid,
                }],
                ..generated()
            },
            _ => self.declared(id, std::slice::from_ref(word), KeyKind::Natural),
        }
    }

    fn long(long: &Block) -> KeyPlan {
        let (kind, ty) = match long.text("type").map(|word| word.text.as_str()) {
            Some("uuid") => (KeyKind::Uuid, FieldType::Uuid),
            _ => (KeyKind::Autoincrement, FieldType::Bigint),
        };
        let name = long.string("name").unwrap_or_else(|| "id".to_owned());
        KeyPlan {
            kind,
            by_client: long.is("by_client"),
            origins: vec![Origin::Generated],
            parts: vec![Part { name, ty }],
            column: long.string("column"),
        }
    }

    fn declared(&mut self, id: ResourceId, names: &[Excerpt], kind: KeyKind) -> KeyPlan {
        let mut plan = KeyPlan {
            kind,
            by_client: true,
            origins: Vec::new(),
            parts: Vec::new(),
            column: None,
        };
        for name in names {
            let Some((origin, parts)) = self.part(id, name) else {
                continue;
            };
            if plan.origins.contains(&origin) {
                let message = format!("`{}` stands in the key twice", name.text);
                self.diagnostics
                    .push(Diagnostic::new("bad-key", name.span, message));
                continue;
            }
            plan.origins.push(origin);
            plan.parts.extend(parts);
        }
        if plan.parts.is_empty() {
            return self.stand_in(id);
        }
        plan
    }

    /// The key of a resource whose key is a fault: a field that is called like a generated one is no fault beside it.
    fn stand_in(&self, id: ResourceId) -> KeyPlan {
        let usual = generated();
        let fields = self.draft.sketch(id).block.named("fields").iter();
        let mut names = fields.map(|named| &named.name.text);
        match names.position(|name| usual.parts.iter().any(|part| part.name == *name)) {
            Some(at) => KeyPlan {
                kind: KeyKind::Natural,
                origins: vec![Origin::Field(at)],
                ..usual
            },
            None => usual,
        }
    }

    fn part(&mut self, id: ResourceId, name: &Excerpt) -> Option<(Origin, Vec<Part>)> {
        let draft = self.draft;
        let block = &draft.sketch(id).block;
        let position = |key| {
            block
                .named(key)
                .iter()
                .position(|named| named.name.text == name.text)
        };
        if let Some(at) = position("fields") {
            let field = &block.named("fields")[at];
            // Its faults are reported when the field itself is made.
            let mut quiet = Diagnostics::new();
            let ty = typing::field_type(field, &mut quiet);
            quiet.finish();
            self.suitable(&field.block, name.span, ty.as_ref());
            let part = Part {
                name: field.name.text.clone(),
                ty: ty.unwrap_or(FieldType::String),
            };
            return Some((Origin::Field(at), vec![part]));
        }
        if let Some(at) = position("belongs_to") {
            let relation = &block.named("belongs_to")[at];
            return Some((
                Origin::Relation(at),
                self.foreign(&relation.name, &relation.block, name)?,
            ));
        }
        let names = ["fields", "belongs_to"];
        let names = names
            .iter()
            .flat_map(|key| block.named(key))
            .map(|named| &named.name.text);
        let message = format!(
            "`{}` has no field and no belongs_to `{}`",
            draft.sketch(id).name.text,
            name.text
        );
        self.diagnostics
            .push(Diagnostic::new("unknown-field", name.span, message).near(&name.text, names));
        None
    }

    fn foreign(&mut self, relation: &Excerpt, block: &Block, name: &Excerpt) -> Option<Vec<Part>> {
        let to = block.text("to")?;
        let ids: Vec<_> = self.draft.ids().collect();
        let target = ids
            .into_iter()
            .find(|id| self.draft.sketch(*id).name.text == to.text)?;
        for key in ["optional", "readable", "readonly"] {
            self.forbidden(block, key, name.span);
        }
        let Some(plan) = self.plan(target) else {
            let message = format!("the key needs the key of `{}`, which needs this one", to.text);
            self.diagnostics
                .push(Diagnostic::new("cycle", name.span, message));
            return None;
        };
        Some(foreign_parts(&relation.text, &plan))
    }

    /// A key is written into addresses, shown to whoever may read the item, and never null.
    fn suitable(&mut self, field: &Block, at: Span, ty: Option<&FieldType>) {
        for key in [
            "optional",
            "readable",
            "readonly",
            "private",
            "writeonly",
            "computed",
        ] {
            self.forbidden(field, key, at);
        }
        let fits = |ty: &FieldType| {
            matches!(
                ty,
                FieldType::String
                    | FieldType::Slug
                    | FieldType::Email
                    | FieldType::Enum(_)
                    | FieldType::Integer
                    | FieldType::Bigint
                    | FieldType::Uuid
                    | FieldType::Date
            )
        };
        if let Some(ty) = ty.filter(|ty| !fits(ty)) {
            let message = format!("a field of type {} can't be a key", ty.name());
            let help = "a key is a string, slug, email, enum, integer, bigint, uuid or date";
            self.diagnostics
                .push(Diagnostic::new("bad-key", at, message).help(help));
        }
    }

    fn forbidden(&mut self, block: &Block, key: &str, at: Span) {
        let said = match block.entry(key).map(|entry| &entry.value) {
            Some(Value::Flag(flag)) => *flag,
            Some(Value::Broken) => false,
            Some(_) => true,
            None => false,
        };
        if said {
            let message = format!("what is part of the key can't be `{key}`");
            let span = block.entry(key).map_or(at, |entry| entry.at);
            self.diagnostics.push(Diagnostic::new("bad-key", span, message));
        }
    }
}

/// The fields that a relation to a key makes.
pub(super) fn foreign_parts(relation: &str, target: &KeyPlan) -> Vec<Part> {
    let part = |part: &Part| Part {
        name: format!("{relation}_{}", part.name),
        ty: part.ty.clone(),
    };
    target.parts.iter().map(part).collect()
}
