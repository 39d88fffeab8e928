//! Fields: their types, rules and defaults, one by one; what fields say about each other comes later.

use super::key::KeyPlan;
use super::{Draft, Origin, deprecated, literal, names, pattern, typing};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{Block, Named, Node, NodeKind, Value as Raw, is_name};
use crate::schema::{DefaultValue, Expr, Field, FieldId, FieldRole, KeyKind, ResourceId, Rule};
use crate::source::Excerpt;
use crate::types::{FieldType, Kind};
use crate::value::Value;

/// Parameters that a request may carry; a field of this name couldn't be filtered by.
pub(crate) const RESERVED_PARAMETERS: &[&str] = &[
    "q",
    "sort",
    "limit",
    "cursor",
    "page",
    "fields",
    "include",
    "count",
    "aggregate",
    "group",
    "max_affected",
    "deleted",
];

/// Makes all fields of all resources: the key's, then those of relations, then the others.
pub(super) fn build(draft: &mut Draft, keys: &[KeyPlan], diagnostics: &mut Diagnostics) {
    for id in draft.ids() {
        let Some(plan) = keys.get(id.0 as usize) else {
            continue;
        };
        let made = Maker {
            draft,
            keys,
            id,
            plan,
            diagnostics,
        }
        .all();
        let (origins, list): (Vec<Origin>, Vec<Field>) = made.into_iter().unzip();
        let key_fields = origins
            .iter()
            .take_while(|origin| plan.origins.contains(origin))
            .count();
        let resource = draft.resource_mut(id);
        resource.key.kind = plan.kind;
        resource.key.by_client = plan.by_client;
        resource.key.fields = (0u32..)
            .take(key_fields)
            .map(|index| FieldId { resource: id, index })
            .collect();
        resource.fields = list;
        draft.sketches[id.0 as usize].origins = origins;
    }
}

pub(super) struct Maker<'a> {
    pub(super) draft: &'a mut Draft,
    pub(super) keys: &'a [KeyPlan],
    pub(super) id: ResourceId,
    pub(super) plan: &'a KeyPlan,
    pub(super) diagnostics: &'a mut Diagnostics,
}

impl Maker<'_> {
    fn all(mut self) -> Vec<(Origin, Field)> {
        let block = self.draft.sketch(self.id).block.clone();
        let relations = (0..block.named("belongs_to").len()).map(Origin::Relation);
        let pairs = block.named("many_to_many").iter().enumerate();
        let writable = pairs.filter(|(_, named)| named.block.is("writable"));
        let fields = (0..block.named("fields").len()).map(Origin::Field);
        let others = relations
            .chain(fields)
            .filter(|origin| !self.plan.origins.contains(origin))
            .chain(writable.map(|(at, _)| Origin::Keys(at)));
        let order: Vec<Origin> = self.plan.origins.iter().copied().chain(others).collect();
        let mut list = Vec::new();
        for origin in order {
            let made = match origin {
                Origin::Generated => self.generated(&block),
                Origin::Field(at) => vec![self.plain(&block, &block.named("fields")[at], origin)],
                Origin::Relation(at) => self.foreign(&block, at, origin),
                Origin::Keys(at) => self.keys(&block, at).into_iter().collect(),
            };
            list.extend(made.into_iter().map(|field| (origin, field)));
        }
        list
    }

    pub(super) fn push(&mut self, diagnostic: Diagnostic) {
        self.diagnostics.push(diagnostic);
    }

    fn generated(&mut self, block: &Block) -> Vec<Field> {
        let span = block.place("key");
        let mut fields = Vec::new();
        for part in &self.plan.parts {
            let mut field = empty(&part.name, part.ty.clone());
            field.column = self.plan.column.clone().unwrap_or(field.column);
            field.role = FieldRole::Key;
            field.readonly = !self.plan.by_client;
            field.immutable = self.plan.by_client;
            field.filterable = true;
            field.sortable = true;
            field.default = (self.plan.kind == KeyKind::Uuid).then_some(DefaultValue::Uuid);
            if RESERVED_PARAMETERS.contains(&part.name.as_str()) {
                reserved(&part.name, span, self.diagnostics);
            }
            names::sql_name("column", &field.column, span, self.diagnostics);
            fields.push(field);
        }
        fields
    }

    fn plain(&mut self, block: &Block, named: &Named, origin: Origin) -> Field {
        let before = self.diagnostics.faults();
        let written = &named.block;
        let computed = written.has("computed");
        let ty = if computed {
            self.computed(named);
            None
        } else {
            typing::field_type(named, self.diagnostics)
        };
        // A computed field's type is found with its expression.
        let mut field = empty(&named.name.text, ty.clone().unwrap_or(FieldType::String));
        Self::flags(&mut field, written);
        field.deprecated = deprecated::read(written, self.diagnostics);
        field.column = written.string("column").unwrap_or(field.column);
        self.wire(&mut field, written, &named.name);
        names::sql_name("column", &field.column, written.place("column"), self.diagnostics);
        field.computed = written.text("computed").map(unchecked);
        if self.plan.origins.contains(&origin) {
            field.role = FieldRole::Key;
            field.immutable = true;
        }
        if let Some(ty) = ty {
            self.typed(&mut field, &ty, block, written);
            self.settable(&field, block, named);
        }
        if computed {
            field.readonly = true;
        }
        self.contradictions(written);
        if self.diagnostics.faults() > before {
            self.draft.broken.insert(named.name.text.clone());
        }
        field
    }

    fn flags(field: &mut Field, written: &Block) {
        field.description = written.string("description");
        field.was = written.string("was");
        field.optional = written.is("optional");
        field.unique = written.is("unique");
        field.index = written.is("index");
        field.searchable = written.is("searchable");
        field.immutable = written.is("immutable");
        field.readonly = written.is("readonly");
        field.writeonly = written.is("writeonly");
        field.private = written.is("private");
        field.readable = written.text("readable").map(unchecked);
        field.writable = written.text("writable").map(unchecked);
    }

    pub(super) fn wire(&mut self, field: &mut Field, written: &Block, name: &Excerpt) {
        match written.text("api_name") {
            Some(api_name) => {
                if !is_name(&api_name.text) {
                    let message = format!("`{}` can't be a name on the wire", api_name.text);
                    let help = "a name is a letter or `_`, then letters, digits and `_`";
                    self.push(Diagnostic::new("bad-name", api_name.span, message).help(help));
                }
                if RESERVED_PARAMETERS.contains(&api_name.text.as_str()) {
                    reserved(&api_name.text, api_name.span, self.diagnostics);
                }
                field.api_name.clone_from(&api_name.text);
            }
            None if RESERVED_PARAMETERS.contains(&field.name.as_str()) => {
                reserved(&field.name, name.span, self.diagnostics);
            }
            None => {}
        }
    }

    /// What follows from the type: bounds, pattern, default, example.
    fn typed(&mut self, field: &mut Field, ty: &FieldType, block: &Block, written: &Block) {
        if *ty == FieldType::Password {
            field.writeonly = true;
        }
        self.unfit(ty, written);
        if let Some(text) = written.text("length").filter(|_| ty.row().has_length) {
            let read = |text: &str, span| {
                text.parse::<u64>()
                    .map_err(|_| Diagnostic::new("bad-interval", span, format!("`{text}` is no length")))
            };
            field.length = self.kept(literal::interval(text, read, |a, b| a <= b));
        }
        if let Some(text) = written.text("range").filter(|_| ty.row().has_range) {
            let read = |text: &str, span| literal::parse(ty, text, span);
            let ordered = |a: &Value, b: &Value| a.compare(b).is_some_and(std::cmp::Ordering::is_le);
            field.range = self.kept(literal::interval(text, read, ordered));
        }
        if let Some(text) = written.text("pattern").filter(|_| ty.row().has_pattern) {
            field.pattern = Some(text.text.clone());
            if let Err(message) = pattern::parse(&text.text) {
                self.push(bad_pattern(text, &message));
            }
        }
        if let Some(node) = written.literal("default") {
            field.default = self.default_value(ty, node, block);
            self.held(field, written, "default");
        }
        if let Some(node) = written.literal("example") {
            field.example = self.kept(literal::read(ty, node));
            self.held(field, written, "example");
        }
    }

    fn kept<T>(&mut self, read: Result<T, Diagnostic>) -> Option<T> {
        read.map_err(|diagnostic| self.push(diagnostic)).ok()
    }

    /// A literal must be one that the field would take from a client.
    fn held(&mut self, field: &Field, written: &Block, key: &str) {
        let value = match (key, &field.default) {
            ("default", Some(DefaultValue::Literal(value))) => Some(value),
            ("default", _) => None,
            _ => field.example.as_ref(),
        };
        if let Some(reason) = value.and_then(|value| literal::breaks(field, value)) {
            let message = format!("the {key} isn't a value that the field takes: {reason}");
            self.push(Diagnostic::new("bad-literal", written.place(key), message));
        }
    }

    fn default_value(&mut self, ty: &FieldType, node: &Node, block: &Block) -> Option<DefaultValue> {
        let NodeKind::Text { text, plain } = &node.kind else {
            return self.kept(literal::read(ty, node)).map(DefaultValue::Literal);
        };
        let is_text = ty.kind() == Kind::Text || *ty == FieldType::Json;
        let word = matches!(ty, FieldType::Enum(values) if values.contains(&text.text));
        match (text.text.as_str(), ty) {
            ("now", FieldType::Timestamp | FieldType::Date | FieldType::Time) => {
                return Some(DefaultValue::Now);
            }
            ("uuid", FieldType::Uuid) => return Some(DefaultValue::Uuid),
            ("database", _) if (*plain || !is_text) && !word => return Some(DefaultValue::Database),
            ("now" | "uuid" | "me", _) if !is_text => {
                let fits = match text.text.as_str() {
                    "now" => "a timestamp, date or time",
                    "uuid" => "a uuid",
                    _ => "a belongs_to to the resource of the accounts",
                };
                let message = format!(
                    "`{}` is a default for {fits}, not for type {}",
                    text.text,
                    ty.name()
                );
                self.push(Diagnostic::new("bad-default", text.span, message));
                return None;
            }
            _ => {}
        }
        let expression = if is_text {
            !word && *ty != FieldType::Json && is_expression(&text.text, block)
        } else {
            // A number, date or uuid is a literal; all else speaks of the row.
            let known = |key: &str| block.named(key).iter().any(|named| named.name.text == text.text);
            literal::read(ty, node).is_err()
                && literal::parse(ty, &text.text, text.span).is_err()
                && (!is_name(&text.text) || known("fields"))
        };
        if expression {
            return Some(DefaultValue::Expression(unchecked(text)));
        }
        self.kept(literal::read(ty, node)).map(DefaultValue::Literal)
    }

    /// Keys that mean nothing for a type.
    fn unfit(&mut self, ty: &FieldType, written: &Block) {
        let row = ty.row();
        let opaque = matches!(ty, FieldType::Json);
        let unordered = opaque || matches!(ty, FieldType::Bytes);
        let password = *ty == FieldType::Password;
        let checks = [
            ("length", !row.has_length),
            ("range", !row.has_range),
            ("pattern", !row.has_pattern),
            ("values", !matches!(ty, FieldType::Enum(_))),
            ("precision", !matches!(ty, FieldType::Decimal { .. })),
            ("scale", !matches!(ty, FieldType::Decimal { .. })),
            ("unique", opaque || password),
            ("index", opaque || password),
            ("filterable", password),
            ("sortable", unordered || password),
            ("searchable", !is_prose(ty)),
            ("default", password),
            ("example", password),
            ("readable", password),
        ];
        for (key, unfit) in checks {
            if let Some(entry) = written
                .entry(key)
                .filter(|entry| unfit && entry.value != Raw::Flag(false))
            {
                let message = format!("`{key}` means nothing for type {}", ty.name());
                self.push(Diagnostic::new("wrong-type", entry.at, message));
            }
        }
    }

    /// A value that is required, that no client may give and that nothing else gives would refuse every create.
    pub(super) fn settable(&mut self, field: &Field, block: &Block, named: &Named) {
        let created = block.block("access").is_some_and(|access| access.has("create"));
        let given = field.optional || field.default.is_some() || named.block.has("default");
        let never = field.readonly || field.private;
        if created && !given && never && field.role != FieldRole::Key {
            let word = if field.readonly { "readonly" } else { "private" };
            let message = format!(
                "`{}` is required, but {word} and without a default: no create could succeed",
                field.name
            );
            self.push(
                Diagnostic::new("never-set", named.name.span, message)
                    .help("give it a `default` or make it `optional`"),
            );
        }
    }

    fn computed(&mut self, named: &Named) {
        const ALLOWED: &[&str] = &["computed", "api_name", "description", "deprecated", "readable"];
        for entry in &named.block.entries {
            if !ALLOWED.contains(&entry.key.key) && entry.value != Raw::Flag(false) {
                let message = format!("a computed field has no `{}`", entry.key.key);
                let help = "it has no column, its type is that of its expression, and it is only ever read";
                self.push(Diagnostic::new("contradiction", entry.at, message).help(help));
            }
        }
    }

    pub(super) fn contradictions(&mut self, written: &Block) {
        const PAIRS: &[(&str, &str)] = &[
            ("readonly", "writable"),
            ("readonly", "writeonly"),
            ("private", "writable"),
            ("private", "readable"),
            ("private", "writeonly"),
            ("private", "filterable"),
            ("private", "sortable"),
            ("private", "searchable"),
            ("writeonly", "readable"),
            ("writeonly", "filterable"),
            ("writeonly", "sortable"),
            ("writeonly", "searchable"),
        ];
        let said = |key: &str| {
            written
                .level
                .row(key)
                .and_then(|_| written.entry(key))
                .filter(|entry| entry.value != Raw::Flag(false))
        };
        for (first, second) in PAIRS {
            if let (Some(_), Some(entry)) = (said(first), said(second)) {
                let message = format!("what is `{first}` can't be `{second}`");
                self.diagnostics
                    .push(Diagnostic::new("contradiction", entry.at, message));
            }
        }
    }
}

fn reserved(name: &str, span: crate::source::Span, diagnostics: &mut Diagnostics) {
    let message =
        format!("`{name}` is a parameter of every collection, so no field can have this name on the wire");
    diagnostics.push(
        Diagnostic::new("reserved-name", span, message)
            .help(format!("give it another one: `api_name: {name}_`")),
    );
}

fn bad_pattern(text: &Excerpt, message: &str) -> Diagnostic {
    let fault = Diagnostic::new(
        "bad-pattern",
        text.span,
        format!("the pattern can't be used: {message}"),
    );
    if message.contains("not supported") {
        fault.help("patterns match in linear time, so there is no look-around and no back reference")
    } else {
        fault
    }
}

/// A rule that is parsed and checked when all resources are there.
pub(super) fn unchecked(text: &Excerpt) -> Rule {
    Rule {
        source: text.text.clone(),
        expr: Expr::Literal(Value::Null),
    }
}

pub(super) fn empty(name: &str, ty: FieldType) -> Field {
    Field {
        name: name.to_owned(),
        api_name: name.to_owned(),
        column: name.to_owned(),
        ty,
        role: FieldRole::Plain,
        optional: false,
        default: None,
        length: None,
        range: None,
        pattern: None,
        unique: false,
        immutable: false,
        readonly: false,
        writeonly: false,
        private: false,
        index: false,
        filterable: false,
        sortable: false,
        searchable: false,
        readable: None,
        writable: None,
        computed: None,
        description: None,
        example: None,
        deprecated: None,
        was: None,
    }
}

/// Whether a type holds words that a search could find.
fn is_prose(ty: &FieldType) -> bool {
    let words = [
        FieldType::String,
        FieldType::Text,
        FieldType::Email,
        FieldType::Url,
        FieldType::Slug,
    ];
    words.contains(ty)
}

/// For text a default is an expression only where it can hardly be meant as text.
pub(super) fn is_expression(text: &str, block: &Block) -> bool {
    const FUNCTIONS: &[&str] = &["slug", "lower", "upper", "coalesce"];
    let call = text.split_once('(').is_some_and(|(function, rest)| {
        FUNCTIONS.contains(&function.trim()) && rest.trim_end().ends_with(')')
    });
    let path = text.contains('.') && text.split('.').all(is_name);
    let head = text.split('.').next().unwrap_or_default();
    let mut relations = block.named("belongs_to").iter();
    call || path && (head == "me" || relations.any(|named| named.name.text == head))
}
