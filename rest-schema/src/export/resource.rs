//! One resource in its own words.

use super::write::{Out, entry, quoted, text};
use crate::keys::Level;
use crate::naming;
use crate::resolve::{is_own, usual_reach as usual};
use crate::schema::{
    Access, Bounds, DefaultValue, Deprecation, Field, FieldId, FieldRole, Index, IndexExpr, JoinColumn,
    KeyKind, Link, OnDelete, Relation, RelationId, RelationKind, Resource, ResourceId, Rule, Schema, SortKey,
    Through,
};
use crate::types::FieldType;
use crate::value::Value;

type Entries = Vec<(String, Out)>;

/// All that a resource says.
pub(super) fn resource(schema: &Schema, id: ResourceId) -> Out {
    let resource = schema.resource(id);
    let writer = Writer { schema, resource };
    let mut entries = writer.head();
    entries.extend(writer.key());
    let fields: Entries = (0u32..)
        .zip(&resource.fields)
        .filter_map(|(index, field)| writer.field(index, field))
        .collect();
    section(&mut entries, "fields", fields);
    section(
        &mut entries,
        "belongs_to",
        writer.relations(RelationKind::BelongsTo),
    );
    section(
        &mut entries,
        "many_to_many",
        writer.relations(RelationKind::ManyToMany),
    );
    writer.constraints(&mut entries);
    writer.kept(&mut entries);
    if let Some(access) = access(&resource.access) {
        entries.push(("access".to_owned(), access));
    }
    rule(&mut entries, "where", resource.condition.as_ref());
    Out::Block(entries)
}

fn section(entries: &mut Entries, key: &str, section: Entries) {
    if !section.is_empty() {
        entries.push((key.to_owned(), Out::Block(section)));
    }
}

struct Writer<'a> {
    schema: &'a Schema,
    resource: &'a Resource,
}

impl Writer<'_> {
    fn head(&self) -> Entries {
        let resource = self.resource;
        let mut entries = Vec::new();
        if resource.table != naming::snake(&resource.name) {
            entries.push(entry("table", &resource.table));
        }
        if resource.collection != naming::collection(&resource.name) {
            entries.push(entry("collection", &resource.collection));
        }
        if let Some(description) = &resource.description {
            entries.push(("description".to_owned(), Out::prose(description)));
        }
        deprecated(&mut entries, resource.deprecated);
        entries
    }

    fn kept(&self, entries: &mut Entries) {
        let kept = &self.resource.kept;
        let name =
            |key: &str, field: Option<FieldId>| field.map(|field| entry(key, &self.schema.field(field).name));
        entries.extend(name("version", kept.version));
        let moments = [name("created", kept.created), name("updated", kept.updated)];
        let moments: Entries = moments.into_iter().flatten().collect();
        if !moments.is_empty() {
            entries.push(("timestamps".to_owned(), Out::Map(moments)));
        }
        entries.extend(name("soft_delete", kept.deleted));
        if kept.preconditions {
            entries.push(entry("preconditions", "required"));
        }
        flag(entries, "audit", kept.audited);
        let caching = self.resource.caching.map(super::caching);
        entries.extend(caching.map(|out| ("caching".to_owned(), out)));
    }

    fn key(&self) -> Option<(String, Out)> {
        let key = &self.resource.key;
        let value = match key.kind {
            KeyKind::Autoincrement | KeyKind::Uuid => self.generated()?,
            KeyKind::Natural => match self.names(&key.fields).first() {
                Some(name) => text(name),
                None => return None,
            },
            KeyKind::Composite => self.list(&key.fields),
        };
        Some(("key".to_owned(), value))
    }

    /// `None` for the key that a resource has by itself.
    fn generated(&self) -> Option<Out> {
        let key = &self.resource.key;
        let field = self.schema.field(*key.fields.first()?);
        let uuid = key.kind == KeyKind::Uuid;
        let usual = field.name == "id" && field.column == "id" && !key.by_client;
        // Beside a field or relation called `uuid` the short form would mean that one.
        let taken = self.resource.fields.iter().any(|field| field.name == "uuid")
            || self
                .resource
                .relations
                .iter()
                .any(|relation| relation.name == "uuid");
        if usual && !uuid {
            return None;
        }
        if usual && !taken {
            return Some(text("uuid"));
        }
        let mut entries = vec![entry("type", if uuid { "uuid" } else { "integer" })];
        if field.name != "id" {
            entries.push(entry("name", &field.name));
        }
        if field.column != field.name {
            entries.push(entry("column", &field.column));
        }
        flag(&mut entries, "by_client", key.by_client);
        Some(Out::Map(entries))
    }

    /// The names that fields are written by: a relation's for all of its fields together.
    fn names(&self, fields: &[FieldId]) -> Vec<String> {
        let mut names: Vec<String> = Vec::new();
        let mut at = 0;
        while let Some(id) = fields.get(at) {
            let field = self.schema.field(*id);
            let whole = match field.role {
                FieldRole::ForeignKey(relation) => match &self.schema.relation(relation).link {
                    Link::Keys { local, .. } if fields[at..].starts_with(local) => {
                        Some((self.schema.relation(relation).name.clone(), local.len()))
                    }
                    _ => None,
                },
                FieldRole::Key | FieldRole::Keys(_) | FieldRole::Plain => None,
            };
            let (name, count) = whole.unwrap_or((field.name.clone(), 1));
            names.push(name);
            at += count;
        }
        names
    }

    fn list(&self, fields: &[FieldId]) -> Out {
        Out::List(self.names(fields).iter().map(|name| text(name)).collect())
    }

    fn has_own_index(&self, field: FieldId) -> bool {
        let own = |index: &&Index| is_own(index) && index.terms[0].expr == IndexExpr::Field(field);
        self.resource.indexes.iter().any(|index| own(&index))
    }

    /// A declared field; those that the key or a relation makes say nothing of themselves.
    fn field(&self, index: u32, field: &Field) -> Option<(String, Out)> {
        let key = &self.resource.key;
        let id = key.fields.iter().find(|id| id.index == index);
        let generated = matches!(key.kind, KeyKind::Autoincrement | KeyKind::Uuid);
        let is_made = matches!(field.role, FieldRole::ForeignKey(_) | FieldRole::Keys(_));
        if is_made || (id.is_some() && generated) {
            return None;
        }
        let mut entries = Vec::new();
        if let Some(computed) = &field.computed {
            entries.push(entry("computed", &computed.source));
        } else {
            of_type(&mut entries, &field.ty);
            if field.column != field.name {
                entries.push(entry("column", &field.column));
            }
        }
        if field.api_name != field.name {
            entries.push(entry("api_name", &field.api_name));
        }
        if let Some(description) = &field.description {
            entries.push(("description".to_owned(), Out::prose(description)));
        }
        if let Some(example) = &field.example {
            entries.push(("example".to_owned(), literal(example)));
        }
        deprecated(&mut entries, field.deprecated);
        if let Some(was) = &field.was {
            entries.push(entry("was", was));
        }
        if field.computed.is_none() {
            self.rules(&mut entries, index, field);
        }
        rule(&mut entries, "readable", field.readable.as_ref());
        rule(&mut entries, "writable", field.writable.as_ref());
        let short = entries.len() == 1 && field.computed.is_none();
        let value = match entries.pop() {
            Some((_, only)) if short => only,
            Some(last) => {
                entries.push(last);
                Out::Map(entries)
            }
            None => Out::Map(entries),
        };
        Some((field.name.clone(), value))
    }

    fn rules(&self, entries: &mut Entries, index: u32, field: &Field) {
        flag(entries, "optional", field.optional);
        if let Some(default) = &field.default {
            entries.push(("default".to_owned(), default_value(default)));
        }
        if let Some(length) = &field.length {
            entries.push(entry("length", &interval(length, u64::to_string)));
        }
        if let Some(range) = &field.range {
            entries.push(entry("range", &interval(range, Value::to_wire)));
        }
        if let Some(pattern) = &field.pattern {
            entries.push(("pattern".to_owned(), Out::Scalar(quoted(pattern))));
        }
        self.reach(entries, index, field);
        let key = self.resource.key.fields.iter().any(|key| key.index == index);
        flag(entries, "immutable", field.immutable && !key);
        flag(entries, "readonly", field.readonly);
        flag(
            entries,
            "writeonly",
            field.writeonly && field.ty != FieldType::Password,
        );
        flag(entries, "private", field.private);
    }

    /// Uniqueness, index, filter and sort; the last two only where they aren't as usual.
    fn reach(&self, entries: &mut Entries, index: u32, field: &Field) {
        let id = self.id(index);
        flag(entries, "unique", field.unique);
        flag(entries, "index", self.has_own_index(id));
        flag(entries, "searchable", field.searchable);
        let usual = usual(self.resource, index, field);
        for (key, is) in [("filterable", field.filterable), ("sortable", field.sortable)] {
            if is != usual {
                entries.push((key.to_owned(), Out::flag(is)));
            }
        }
    }

    fn id(&self, index: u32) -> FieldId {
        let resource = self
            .schema
            .resources
            .iter()
            .position(|one| std::ptr::eq(one, self.resource));
        FieldId {
            resource: ResourceId(resource.and_then(|at| u32::try_from(at).ok()).unwrap_or_default()),
            index,
        }
    }

    fn relations(&self, kind: RelationKind) -> Entries {
        let relations = (0u32..).zip(&self.resource.relations);
        relations
            .filter(|(_, relation)| relation.declared && relation.kind == kind)
            .map(|(index, relation)| {
                let mut entries = vec![entry("to", &self.schema.resource(relation.target).name)];
                match &relation.link {
                    Link::Keys { local, .. } => self.belongs_to(&mut entries, relation, local),
                    Link::Join { table, local, remote } => {
                        if let Some(through) = relation.through {
                            self.through(&mut entries, through);
                        } else {
                            self.pairs(&mut entries, relation, table, [local, remote]);
                        }
                        described(&mut entries, relation);
                        self.inverse(&mut entries, relation);
                        self.written(&mut entries, index);
                    }
                }
                let value = match entries.as_slice() {
                    [(_, only)] => only.clone(),
                    _ => Out::Map(entries),
                };
                (relation.name.clone(), value)
            })
            .collect()
    }

    /// A bare table of pairs.
    fn pairs(&self, entries: &mut Entries, relation: &Relation, table: &str, sides: [&[JoinColumn]; 2]) {
        let target = &self.schema.resource(relation.target).table;
        let own = &self.resource.table;
        differs(entries, "table", table, &format!("{own}_{}", relation.name));
        for ((key, side), of) in ["from_column", "to_column"].iter().zip(sides).zip([own, target]) {
            for column in side {
                differs(entries, key, &column.column, &format!("{of}_id"));
            }
        }
    }

    /// A resource whose items are the pairs; the columns where several belongs_to of it lead to one side.
    fn through(&self, entries: &mut Entries, through: Through) {
        let pairs = self.schema.resource(through.resource());
        entries.push(entry("through", &pairs.name));
        for (key, side) in [("from_column", through.from), ("to_column", through.to)] {
            let leads = |relation: &&Relation| {
                relation.kind == RelationKind::BelongsTo
                    && relation.target == self.schema.relation(side).target
            };
            if let Link::Keys { local, .. } = &self.schema.relation(side).link
                && let [first, ..] = local.as_slice()
                && pairs.relations.iter().filter(leads).count() > 1
            {
                entries.push(entry(key, &self.schema.field(*first).column));
            }
        }
    }

    /// What bodies say of a many-to-many, and who says which pairs there are.
    fn written(&self, entries: &mut Entries, index: u32) {
        let resource = self.id(0).resource;
        if let Some((_, field)) = self.resource.keys_field(RelationId { resource, index }) {
            flag(entries, "writable", true);
            differs(entries, "api_name", &field.api_name, &field.name);
        }
        let access = &self.resource.relations[index as usize].access;
        rule(entries, "access", access.as_ref());
    }

    fn belongs_to(&self, entries: &mut Entries, relation: &Relation, local: &[FieldId]) {
        let fields: Vec<&Field> = local.iter().map(|id| self.schema.field(*id)).collect();
        let Some((first, id)) = fields.first().copied().zip(local.first()) else {
            return;
        };
        if let [only] = fields.as_slice() {
            differs(entries, "column", &only.column, &only.name);
            differs(entries, "api_name", &only.api_name, &only.name);
        } else if fields.iter().any(|field| field.column != field.name) {
            let columns = fields.iter().map(|field| text(&field.column));
            entries.push(("columns".to_owned(), Out::List(columns.collect())));
        }
        described(entries, relation);
        deprecated(entries, first.deprecated);
        self.inverse(entries, relation);
        flag(entries, "optional", first.optional);
        if let Some(default) = &first.default {
            entries.push(("default".to_owned(), default_value(default)));
        }
        flag(entries, "unique", fields.len() == 1 && first.unique);
        flag(entries, "index", fields.len() == 1 && self.has_own_index(*id));
        for (key, is) in [("filterable", first.filterable), ("sortable", first.sortable)] {
            if !is {
                entries.push((key.to_owned(), Out::flag(false)));
            }
        }
        let key = self.resource.key.fields.contains(id);
        flag(entries, "immutable", first.immutable && !key);
        flag(entries, "readonly", first.readonly);
        rule(entries, "readable", first.readable.as_ref());
        rule(entries, "writable", first.writable.as_ref());
        match relation.on_delete {
            OnDelete::Restrict => {}
            OnDelete::Cascade => entries.push(entry("on_delete", "cascade")),
            OnDelete::SetNull => entries.push(entry("on_delete", "set_null")),
        }
    }

    fn inverse(&self, entries: &mut Entries, relation: &Relation) {
        let Some(inverse) = relation.inverse.map(|id| self.schema.relation(id)) else {
            return;
        };
        let mut long = vec![entry("name", &inverse.name)];
        described(&mut long, inverse);
        if let Some(limit) = inverse.limit {
            long.push(("limit".to_owned(), Out::Scalar(limit.to_string())));
        }
        if !inverse.sort.is_empty() {
            long.push(("sort".to_owned(), self.sort(&inverse.sort)));
        }
        flag(&mut long, "nested", inverse.nested);
        let value = if long.len() == 1 {
            text(&inverse.name)
        } else {
            Out::Map(long)
        };
        entries.push(("inverse".to_owned(), value));
    }

    fn sort(&self, sort: &[SortKey]) -> Out {
        let terms = sort.iter().map(|key| {
            let name = self.names(&[key.field]).concat();
            text(&signed(&name, key.descending))
        });
        let mut terms: Vec<Out> = terms.collect();
        match (terms.pop(), terms.is_empty()) {
            (Some(only), true) => only,
            (last, _) => {
                terms.extend(last);
                Out::List(terms)
            }
        }
    }

    fn constraints(&self, entries: &mut Entries) {
        let resource = self.resource;
        let uniques = resource.uniques.iter().filter(|unique| unique.fields.len() > 1);
        let uniques: Vec<Out> = uniques.map(|unique| self.list(&unique.fields)).collect();
        if !uniques.is_empty() {
            entries.push(("unique".to_owned(), Out::List(uniques)));
        }
        let indexes = resource.indexes.iter().filter(|index| !is_own(index));
        let indexes: Vec<Out> = indexes.map(|index| self.index(index)).collect();
        if !indexes.is_empty() {
            entries.push(("index".to_owned(), Out::List(indexes)));
        }
        let checks = resource.checks.iter().map(|check| {
            let value = match &check.message {
                None => text(&check.rule.source),
                Some(message) => Out::Map(vec![entry("rule", &check.rule.source), entry("message", message)]),
            };
            (check.name.clone(), value)
        });
        section(entries, "check", checks.collect());
        let rules = resource
            .rules
            .iter()
            .map(|rule| (rule.name.clone(), text(&rule.rule.source)));
        section(entries, "rules", rules.collect());
        if !resource.sort.is_empty() {
            entries.push(("sort".to_owned(), self.sort(&resource.sort)));
        }
    }

    fn index(&self, index: &Index) -> Out {
        let terms = index.terms.iter().map(|term| match &term.expr {
            IndexExpr::Field(field) => text(&signed(&self.names(&[*field]).concat(), term.descending)),
            IndexExpr::Expression(rule) => text(&rule.source),
        });
        let terms = Out::List(terms.collect());
        if !index.unique && index.condition.is_none() {
            return terms;
        }
        let mut entries = vec![("on".to_owned(), terms)];
        flag(&mut entries, "unique", index.unique);
        rule(&mut entries, "where", index.condition.as_ref());
        Out::Map(entries)
    }
}

fn flag(entries: &mut Entries, key: &str, flag: bool) {
    debug_assert!(Level::ALL.iter().any(|level| level.row(key).is_some()), "{key}");
    if flag {
        entries.push((key.to_owned(), Out::flag(true)));
    }
}

fn deprecated(entries: &mut Entries, deprecated: Option<Deprecation>) {
    let Some(Deprecation { since, sunset }) = deprecated else {
        return;
    };
    let days = [("since", since), ("sunset", sunset)].into_iter();
    let days: Entries = days
        .filter_map(|(key, day)| Some(entry(key, &day?.to_string())))
        .collect();
    if days.is_empty() {
        flag(entries, "deprecated", true);
    } else {
        entries.push(("deprecated".to_owned(), Out::Map(days)));
    }
}

fn rule(entries: &mut Entries, key: &str, rule: Option<&Rule>) {
    if let Some(rule) = rule {
        entries.push(entry(key, &rule.source));
    }
}

fn differs(entries: &mut Entries, key: &str, is: &str, usual: &str) {
    if is != usual {
        entries.push(entry(key, is));
    }
}

fn described(entries: &mut Entries, relation: &Relation) {
    if let Some(description) = &relation.description {
        entries.push(("description".to_owned(), Out::prose(description)));
    }
}

fn signed(name: &str, descending: bool) -> String {
    if descending {
        format!("-{name}")
    } else {
        name.to_owned()
    }
}

fn of_type(entries: &mut Entries, ty: &FieldType) {
    entries.push(entry("type", ty.name()));
    match ty {
        FieldType::Enum(values) => {
            let values = values.iter().map(|value| text(value));
            entries.push(("values".to_owned(), Out::List(values.collect())));
        }
        FieldType::Decimal { precision, scale } => {
            entries.push(("precision".to_owned(), Out::Scalar(precision.to_string())));
            if *scale > 0 {
                entries.push(("scale".to_owned(), Out::Scalar(scale.to_string())));
            }
        }
        _ => {}
    }
}

fn interval<T>(bounds: &Bounds<T>, spell: impl Fn(&T) -> String) -> String {
    let end = |end: &Option<T>| end.as_ref().map(&spell).unwrap_or_default();
    format!("{}..{}", end(&bounds.min), end(&bounds.max))
}

fn default_value(default: &DefaultValue) -> Out {
    match default {
        DefaultValue::Now => text("now"),
        DefaultValue::Uuid => text("uuid"),
        DefaultValue::Me => text("me"),
        DefaultValue::Database => text("database"),
        DefaultValue::Expression(rule) => text(&rule.source),
        // Without quotes this text would be the database's default.
        DefaultValue::Literal(Value::Text(word)) if word == "database" => Out::Scalar(quoted(word)),
        DefaultValue::Literal(value) => literal(value),
    }
}

fn literal(value: &Value) -> Out {
    match value {
        Value::Null => Out::Scalar("null".to_owned()),
        Value::Boolean(_) | Value::Integer(_) | Value::Float(_) | Value::Decimal(_) => {
            Out::Scalar(value.to_wire())
        }
        Value::Json(json) => match serde_json::from_str(json) {
            Ok(json) => self::json(&json),
            Err(_) => Out::Scalar(quoted(json)),
        },
        Value::Text(_)
        | Value::Timestamp(_)
        | Value::Date(_)
        | Value::Time(_)
        | Value::Uuid(_)
        | Value::Bytes(_) => text(&value.to_wire()),
    }
}

fn json(value: &serde_json::Value) -> Out {
    match value {
        serde_json::Value::String(string) => Out::Scalar(quoted(string)),
        serde_json::Value::Array(items) => Out::List(items.iter().map(json).collect()),
        serde_json::Value::Object(entries) => Out::Map(
            entries
                .iter()
                .map(|(key, value)| (key.clone(), json(value)))
                .collect(),
        ),
        scalar => Out::Scalar(scalar.to_string()),
    }
}

fn access(access: &Access) -> Option<Out> {
    let mut entries = Vec::new();
    rule(&mut entries, "read", access.read.as_ref());
    rule(&mut entries, "create", access.create.as_ref());
    if access.update.is_some() && access.update == access.delete {
        rule(&mut entries, "change", access.update.as_ref());
    } else {
        rule(&mut entries, "update", access.update.as_ref());
        rule(&mut entries, "delete", access.delete.as_ref());
    }
    rule(&mut entries, "restore", access.restore.as_ref());
    (!entries.is_empty()).then_some(Out::Map(entries))
}
