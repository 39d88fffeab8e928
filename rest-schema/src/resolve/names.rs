//! Which resources there are: their names, tables and addresses, their mixins merged in.

use std::collections::HashMap;

use super::{Draft, Sketch, kept};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::keys::Level;
use crate::naming;
use crate::raw::{self, Block, Entry, Named, Value};
use crate::schema::{Access, Kept, Key, KeyKind, Limits, PageSizes, Resource, Schema, Tokens};
use crate::source::{Excerpt, Span};

/// Addresses below the prefix that are ours.
pub(crate) const RESERVED_COLLECTIONS: &[&str] = &[
    "tokens",
    "me",
    "docs",
    "schemas",
    "problems",
    "openapi.json",
    "client.js",
];

/// Tables that are ours, whoever owns the others.
const RESERVED_TABLES: &[&str] = &[
    "rest_tokens",
    "rest_state",
    "rest_idempotency",
    "rest_writers",
    "rest_attempts",
];

/// A schema with its resources, all of them still empty.
pub(super) fn draft(raw: &raw::Service, known: Option<usize>, diagnostics: &mut Diagnostics) -> Draft {
    let mut mixins = Mixins::new(raw.root.named("mixins"), diagnostics);
    let mut draft = Draft {
        schema: empty(),
        sketches: Vec::new(),
        broken: Default::default(),
        known,
    };
    for named in raw.root.named("resources") {
        let mut block = mixins.expand(&named.block, &mut Vec::new());
        kept::declare(&mut block);
        draft.schema.resources.push(resource(&named.name, &block));
        draft.sketches.push(Sketch {
            name: named.name.clone(),
            block,
            origins: Vec::new(),
        });
    }
    mixins.unused();
    if !draft.is_open() {
        required(&raw.root, diagnostics);
    }
    addresses(&draft, &raw.root, diagnostics);
    tables(&draft, diagnostics);
    draft
}

fn required(root: &Block, diagnostics: &mut Diagnostics) {
    let start = Span {
        end: root.span.start,
        ..root.span
    };
    for key in ["service", "resources"] {
        if !root.has(key) {
            let message = format!("the schema has no `{key}`");
            diagnostics.push(Diagnostic::new("missing-key", start, message));
        }
    }
    if let Some(entry) = root
        .entry("resources")
        .filter(|_| root.named("resources").is_empty())
    {
        let message = "a service has one resource at least";
        diagnostics.push(Diagnostic::new("missing-key", entry.at, message));
    }
}

/// A service that says nothing: what every setting is by itself.
pub(crate) fn empty() -> Schema {
    Schema {
        name: String::new(),
        version: "1.0.0".to_owned(),
        description: None,
        prefix: "/api".to_owned(),
        managed: None,
        journal: None,
        resources: Vec::new(),
        accounts: None,
        tokens: Tokens {
            lifetime: 3_600,
            max_lifetime: 90 * 86_400,
            scopes: Vec::new(),
        },
        sessions: None,
        jwt: None,
        page: PageSizes { limit: 20, max: 100 },
        limits: Limits {
            body: 1 << 20,
            bulk: 1_000,
            include_depth: 3,
            includes: 10,
            filters: 20,
            quota: None,
            statement_timeout: 30,
        },
        cors: None,
        caching: None,
    }
}

fn resource(name: &Excerpt, block: &Block) -> Resource {
    Resource {
        name: name.text.clone(),
        collection: block
            .string("collection")
            .unwrap_or_else(|| naming::collection(&name.text)),
        table: block.string("table").unwrap_or_else(|| naming::snake(&name.text)),
        description: block.string("description"),
        key: Key {
            fields: Vec::new(),
            kind: KeyKind::Autoincrement,
            by_client: false,
        },
        fields: Vec::new(),
        relations: Vec::new(),
        uniques: Vec::new(),
        indexes: Vec::new(),
        checks: Vec::new(),
        condition: None,
        rules: Vec::new(),
        sort: Vec::new(),
        access: Access::default(),
        kept: Kept::default(),
        caching: None,
        deprecated: None,
    }
}

/// Each collection is an address of its own, and a word that an address can hold as it is.
fn addresses(draft: &Draft, root: &Block, diagnostics: &mut Diagnostics) {
    let at_root = root
        .text("prefix")
        .is_some_and(|prefix| matches!(prefix.text.as_str(), "" | "/"));
    let mut seen: HashMap<&str, &str> = HashMap::new();
    for (sketch, resource) in draft.known() {
        let collection = resource.collection.as_str();
        let span = sketch
            .block
            .text("collection")
            .map_or(sketch.name.span, |text| text.span);
        let word = |b: u8| b.is_ascii_alphanumeric() || b == b'-' || b == b'_';
        if collection.is_empty() || collection.len() > 100 || !collection.bytes().all(word) {
            let message = format!("`{collection}` can't be an address");
            let help = "a collection is made of letters, digits, `-` and `_`";
            diagnostics.push(Diagnostic::new("bad-collection", span, message).help(help));
        } else if RESERVED_COLLECTIONS.contains(&collection) || (at_root && collection == "health") {
            let message = format!("the address `{collection}` is the service's own");
            let help = format!("give `{}` another one by `collection:`", resource.name);
            diagnostics.push(Diagnostic::new("reserved-collection", span, message).help(help));
        }
        if let Some(other) = seen.insert(collection, &resource.name) {
            let message = format!(
                "`{other}` and `{}` have one address, `{collection}`",
                resource.name
            );
            let help = "give one of them another by `collection:`";
            diagnostics.push(Diagnostic::new("duplicate-collection", span, message).help(help));
        }
    }
}

/// SQLite compares names of tables without regard to case.
fn tables(draft: &Draft, diagnostics: &mut Diagnostics) {
    let mut seen: HashMap<String, &str> = HashMap::new();
    for (sketch, resource) in draft.known() {
        let span = sketch
            .block
            .text("table")
            .map_or(sketch.name.span, |text| text.span);
        table_name(&resource.table, span, diagnostics);
        if let Some(other) = seen.insert(resource.table.to_lowercase(), &resource.name) {
            let message = format!(
                "`{other}` and `{}` have one table, `{}`",
                resource.name, resource.table
            );
            diagnostics.push(Diagnostic::new("duplicate-table", span, message));
        }
    }
}

/// A table's name is quoted in SQL, so anything goes that a database takes and that isn't ours.
pub(super) fn table_name(table: &str, span: Span, diagnostics: &mut Diagnostics) {
    let lower = table.to_lowercase();
    let is_kept = lower.starts_with("sqlite_") || lower.starts_with("rest_search_");
    if RESERVED_TABLES.contains(&lower.as_str()) || is_kept {
        let message = format!("the table `{table}` is kept for the service's own state");
        diagnostics.push(Diagnostic::new("reserved-table", span, message));
    }
    sql_name("table", table, span, diagnostics);
}

/// What is wrong with a name in the database.
pub(super) fn sql_name(what: &str, name: &str, span: Span, diagnostics: &mut Diagnostics) {
    if name.is_empty() || name.len() > 63 || name.chars().any(char::is_control) {
        let message = format!("a {what} can't be called `{}`", name.escape_default());
        let help = "a name in the database has 1 to 63 bytes and no control characters";
        diagnostics.push(Diagnostic::new("bad-name", span, message).help(help));
    }
}

/// The mixins of a schema, and which of them were used.
struct Mixins<'a, 'd> {
    all: &'a [Named],
    used: Vec<bool>,
    diagnostics: &'d mut Diagnostics,
}

impl<'a, 'd> Mixins<'a, 'd> {
    fn new(all: &'a [Named], diagnostics: &'d mut Diagnostics) -> Self {
        Self {
            all,
            used: vec![false; all.len()],
            diagnostics,
        }
    }

    /// A block with all that its mixins add: what stands in the block itself wins, then mixins in their order.
    fn expand(&mut self, block: &Block, inside: &mut Vec<usize>) -> Block {
        let mut whole = Block {
            entries: block.entries.iter().map(|entry| self.plain(entry)).collect(),
            ..*block
        };
        let own = whole.clone();
        for name in block.texts("mixins") {
            let Some(at) = self.all.iter().position(|mixin| mixin.name.text == name.text) else {
                let message = format!("no mixin is called `{}`", name.text);
                let names = self.all.iter().map(|mixin| &mixin.name.text);
                self.diagnostics
                    .push(Diagnostic::new("unknown-mixin", name.span, message).near(&name.text, names));
                continue;
            };
            self.used[at] = true;
            if inside.contains(&at) {
                let message = format!("the mixin `{}` is made of itself", name.text);
                self.diagnostics
                    .push(Diagnostic::new("cycle", name.span, message));
                continue;
            }
            inside.push(at);
            let mixin = self.expand(&self.all[at].block, inside);
            inside.pop();
            for entry in mixin.entries {
                self.merge(&mut whole, &own, entry, name);
            }
        }
        whole
    }

    /// `change` says `update` and `delete` at once.
    fn plain(&mut self, entry: &Entry) -> Entry {
        let Value::Block(block) = &entry.value else {
            return entry.clone();
        };
        if block.level != Level::Access {
            return entry.clone();
        }
        let Some(change) = block.entry("change") else {
            return entry.clone();
        };
        let mut plain = block.clone();
        plain.entries.retain(|one| one.key.key != "change");
        for key in ["update", "delete"] {
            if block.has(key) {
                let message = format!("`change` is `update` and `delete`, so `{key}` can't stand beside it");
                let at = block.entry(key).map_or(block.span, |entry| entry.at);
                self.diagnostics
                    .push(Diagnostic::new("contradiction", at, message));
            } else if let Some(row) = Level::Access.row(key) {
                plain.entries.push(Entry {
                    key: row,
                    ..change.clone()
                });
            }
        }
        Entry {
            value: Value::Block(plain),
            ..entry.clone()
        }
    }

    fn merge(&mut self, whole: &mut Block, own: &Block, entry: Entry, mixin: &Excerpt) {
        if entry.key.key == "mixins" {
            return;
        }
        let key = entry.key.key;
        let Some(there) = whole.entries.iter_mut().find(|one| one.key.key == key) else {
            let key = Level::Resource
                .row(key)
                .filter(|_| whole.level == Level::Resource);
            whole.entries.push(Entry {
                key: key.unwrap_or(entry.key),
                ..entry
            });
            return;
        };
        match (&mut there.value, entry.value) {
            (Value::Named(all), Value::Named(more)) => {
                let own: Vec<&str> = own.named(key).iter().map(|one| one.name.text.as_str()).collect();
                self.add(all, more, &own, |one| (&one.name.text, one.name.span), mixin);
            }
            (Value::Rules(all), Value::Rules(more)) => {
                let own: Vec<&str> = own.rules(key).iter().map(|one| one.0.text.as_str()).collect();
                self.add(all, more, &own, |one| (&one.0.text, one.0.span), mixin);
            }
            (Value::Block(all), Value::Block(more)) => {
                let own = own.block(key);
                let own: Vec<&str> = own
                    .iter()
                    .flat_map(|own| &own.entries)
                    .map(|one| one.key.key)
                    .collect();
                self.add(
                    &mut all.entries,
                    more.entries,
                    &own,
                    |one| (one.key.key, one.at),
                    mixin,
                );
            }
            (Value::Lists(all), Value::Lists(more)) => all.extend(more),
            (Value::Blocks(all), Value::Blocks(more)) => all.extend(more),
            (_, _) if own.has(key) || there.at == entry.at => {}
            _ => self.conflict(key, mixin),
        }
    }

    fn add<T>(
        &mut self,
        all: &mut Vec<T>,
        more: Vec<T>,
        own: &[&str],
        id: impl Fn(&T) -> (&str, Span),
        mixin: &Excerpt,
    ) {
        for one in more {
            let (name, at) = id(&one);
            match all.iter().map(&id).find(|(there, _)| *there == name) {
                None => all.push(one),
                // What comes by two ways from one place is no conflict.
                Some((_, there)) if there == at || own.contains(&name) => {}
                Some(_) => self.conflict(name, mixin),
            }
        }
    }

    fn conflict(&mut self, name: &str, mixin: &Excerpt) {
        let message = format!("`{}` and a mixin before it both say `{name}`", mixin.text);
        self.diagnostics.push(
            Diagnostic::new("mixin-conflict", mixin.span, message)
                .help("say it here: what stands in the resource itself wins"),
        );
    }

    fn unused(self) {
        for (mixin, _) in self.all.iter().zip(&self.used).filter(|(_, used)| !**used) {
            let message = format!("no resource has the mixin `{}`", mixin.name.text);
            self.diagnostics
                .push(Diagnostic::new("unused-mixin", mixin.name.span, message).warning());
        }
    }
}
