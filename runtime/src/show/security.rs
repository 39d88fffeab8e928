//! The rules of a schema as row-level security of PostgreSQL: for programs that come to the tables by another way.
//!
//! They are the rules that requests meet, compiled once more with the caller's account found by a setting of the session.
//! In a rule the rows that it leads to aren't held to their own rules, so what asks for other tables stands in functions
//! that run as the tables' owner; what asks for the row alone stands in the policy itself, where an index can serve it.
//! What a policy can't see is asked by a trigger: the row before an update.

use std::collections::BTreeSet;

use rest_schema::{DefaultValue, FieldId, JoinColumn, Link, Relation, RelationKind, ResourceId, Schema};

use crate::cell::Cell;
use crate::codec::Columns;
use crate::migrate::create::literal;
use crate::migrate::{name, table_name};
use crate::model::Model;
use crate::operate::{NotDone, told};
use crate::plan::access::{Ruling, fields_of_me};
use crate::plan::eval::Verdict;
use crate::plan::expr::{Expr, Origin, Slot};
use crate::plan::lower::Kind;
use crate::service::Service;
use crate::sql::condition::{Writer, constant};
use crate::sql::dialect::Dialect;
use crate::sql::{Bind, Statement, constants};

/// The schema of the functions.
const OURS: &str = "rest_access";

/// Types of moments; all others hold UTC without saying so.
const TIMESTAMPS: [&str; 2] = ["timestamptz", "timestamp with time zone"];

const HEAD: &str = "\
-- A session says for whom it asks, by the key of an account:   SET rest.account = '3';
-- Where that isn't set, it asks for nobody in particular. Which of the service's own scopes it has:
--                                                              SET rest.scopes = 'publish notes';
-- All of them, where that isn't set. Whoever may connect may set both, so give the role to programs that you trust.
--
-- The tables' owner and superusers aren't held by this; the service has to be one of them. Roles need GRANTs besides.
-- Tables called rest_... are the service's own, and nobody else's. Rules of single fields aren't of rows: GRANT columns
-- for those. Who may not read a row as it will be can't change it so, where the service lets him.
";

/// The rules of a schema whose tables are ours, as SQL that may be run again and again.
pub fn row_security(schema: &Schema) -> String {
    let model = Model::new(schema.clone(), Columns::ours(schema, Dialect::Postgres));
    Written::new(&model).whole()
}

impl Service {
    /// The rules of its schema as row-level security, over the columns that its database has.
    ///
    /// # Errors
    ///
    /// Where that isn't PostgreSQL.
    pub fn row_security(&self) -> Result<String, NotDone> {
        let model = &self.inner().engine.model;
        match model.columns.dialect {
            Dialect::Postgres => Ok(Written::new(model).whole()),
            Dialect::Sqlite => Err(told(
                "row-level security is PostgreSQL's, and the database is SQLite's",
            )),
        }
    }
}

struct Written<'m> {
    model: &'m Model,
    /// What an account has that rules ask for.
    me: Vec<FieldId>,
    /// Resources of whose rows it is asked whether they may be read, for keys that lead there.
    seen: BTreeSet<ResourceId>,
    functions: String,
    policies: String,
}

/// Where a condition stands, and so what its row is called there.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Place {
    /// A policy, of its own row.
    Policy,
    /// A function: `t0`, and `given` for the row before.
    Function,
}

/// A key that leads to rows that not everybody may read.
struct Key {
    /// Its columns, in the order of the key that they hold.
    columns: Vec<String>,
    target: ResourceId,
    /// What it is by itself, which nobody asks for: `me`.
    own: Option<String>,
}

impl<'m> Written<'m> {
    fn new(model: &'m Model) -> Self {
        Self {
            model,
            me: fields_of_me(&model.schema),
            seen: BTreeSet::new(),
            functions: String::new(),
            policies: String::new(),
        }
    }

    fn whole(mut self) -> String {
        for (id, _) in self.model.schema.resources() {
            self.resource(id);
        }
        let pairs = self.model.schema.resources().flat_map(|(id, of)| {
            let of = of.relations.iter().enumerate();
            of.filter_map(move |(index, relation)| is_bare(relation).then_some((id, index)))
        });
        for (id, index) in pairs.collect::<Vec<_>>() {
            self.pairs(id, index);
        }
        let seen: String = self.seen.iter().map(|id| self.seen_function(*id)).collect();
        let service = self
            .model
            .schema
            .name
            .split_whitespace()
            .collect::<Vec<_>>()
            .join(" ");
        let (account, functions, policies) = (self.account(), self.functions, self.policies);
        format!(
            "-- Row-level security: the access rules of {service}.\n--\n{HEAD}\nBEGIN;\n\n\
             -- Functions find the tables where they are now, whoever calls them.\n\
             SELECT set_config('search_path', quote_ident(current_schema()) || ', pg_temp', true);\n\
             DROP SCHEMA IF EXISTS {OURS} CASCADE;\nCREATE SCHEMA {OURS};\nGRANT USAGE ON SCHEMA {OURS} TO PUBLIC;\n\n\
             {account}{functions}{seen}{policies}COMMIT;\n"
        )
    }

    /// Who asks.
    fn account(&self) -> String {
        let model = self.model;
        let Some(accounts) = &model.schema.accounts else {
            return String::new();
        };
        let resource = model.resource(accounts.resource);
        let column = |field: &FieldId| name(&model.field(*field).column);
        let members: Vec<String> = self
            .me
            .iter()
            .map(|field| format!("{} {}", column(field), self.type_of(*field)))
            .collect();
        let shown: Vec<String> = self
            .me
            .iter()
            .map(|field| format!("t0.{}", column(field)))
            .collect();
        let key = resource.key.fields[0];
        let is_key = format!(
            "t0.{} = nullif(current_setting('rest.account', true), '')::{}",
            column(&key),
            self.type_of(key)
        );
        let active = match self.text(&model.active, Place::Function) {
            text if text == "TRUE" => String::new(),
            text => format!(" AND {text}"),
        };
        let mut out = format!("CREATE TYPE {OURS}.account AS ({});\n", members.join(", "));
        let body = format!(
            "SELECT ({})::{OURS}.account FROM {} t0 WHERE {is_key}{active}",
            row(&shown),
            table_name(&resource.table)
        );
        out += &function("me()", &format!("{OURS}.account"), &body);
        let body = format!("SELECT ({OURS}.me()).{} IS NOT NULL", column(&key));
        out += &function("is_signed_in()", "boolean", &body);
        if !model.schema.tokens.scopes.is_empty() {
            let body = format!(
                "SELECT ({OURS}.is_signed_in() AND coalesce($1 = ANY (string_to_array(\
                 nullif(current_setting('rest.scopes', true), ''), ' ')), true))::int::int8"
            );
            out += &function("has_scope(text)", "int8", &body);
        }
        out
    }

    fn resource(&mut self, id: ResourceId) {
        let model = self.model;
        let (resource, rules) = (model.resource(id), model.rules(id));
        let of = table_name(&resource.table);
        self.policies += &format!(
            "-- {}\nALTER TABLE {of} ENABLE ROW LEVEL SECURITY;\n",
            resource.name
        );
        let read = self.condition(&rules.read);
        let both = |one: &Expr| all_of(&read, one);
        self.policy(id, "read", "SELECT", Some(&read), None);
        let create = self.condition(&rules.create);
        let keys = self.keys(id);
        let held: Vec<String> = keys.iter().map(|key| seen(self.model, key, "")).collect();
        self.policy(id, "create", "INSERT", None, Some((&create, &held)));
        let update = both(&self.condition(&rules.update));
        let updated = self.condition(&rules.updated);
        let asks_before = is_anywhere(&updated, &|part| match part {
            Expr::Slot(Slot::Given(_)) => true,
            Expr::Related(related) => related.from == Origin::Given,
            _ => false,
        });
        let after = if asks_before {
            Expr::Boolean(true)
        } else {
            updated.clone()
        };
        self.policy(id, "update", "UPDATE", Some(&update), Some((&after, &[])));
        self.trigger(
            id,
            asks_before.then_some(&updated),
            &keys,
            update != Expr::Boolean(false),
        );
        let delete = if resource.kept.deleted.is_some() {
            self.policies += "-- Its rows are kept when they are deleted, which is for the service to do.\n";
            Expr::Boolean(false)
        } else {
            both(&self.condition(&rules.delete))
        };
        self.policy(id, "delete", "DELETE", Some(&delete), None);
        self.policies.push('\n');
    }

    /// What is asked of whoever asks, whether he is signed in or not.
    fn condition(&self, ruling: &Ruling) -> Expr {
        let (nobody, account) = (ruling.expr(Kind::Anonymous), ruling.expr(Kind::Account));
        let Some(accounts) = &self.model.schema.accounts else {
            return nobody.clone();
        };
        if nobody == account {
            return nobody.clone();
        }
        let key = self.model.resource(accounts.resource).key.fields[0];
        let is_nobody = Expr::IsNull(Box::new(Expr::Slot(Slot::Me(key))));
        // What an account of which nothing is known isn't granted needs no more.
        let closed_anyway = ruling.verdict_of_an_account(&|_| Some(Cell::Null), false);
        let account = match closed_anyway {
            Verdict::Never => account.clone(),
            Verdict::Always | Verdict::ByRow => Expr::and([is_nobody.clone().negated(), account.clone()]),
        };
        Expr::or([account, Expr::and([is_nobody, nobody.clone()])])
    }

    /// One policy, in the place of what was there; none where nobody passes.
    fn policy(
        &mut self,
        id: ResourceId,
        word: &str,
        command: &str,
        using: Option<&Expr>,
        check: Option<(&Expr, &[String])>,
    ) {
        let of = table_name(&self.model.resource(id).table);
        self.policies += &format!("DROP POLICY IF EXISTS rest_{word} ON {of};\n");
        let is_closed = |expr: &Expr| *expr == Expr::Boolean(false);
        if using.is_some_and(is_closed) || check.is_some_and(|(check, _)| is_closed(check)) {
            return;
        }
        let mut policy = format!("CREATE POLICY rest_{word} ON {of} FOR {command}");
        if let Some(using) = using {
            policy += &format!("\n    USING ({})", self.clause(id, word, using));
        }
        if let Some((check, more)) = check {
            let word = if using.is_some() {
                format!("{word}d")
            } else {
                word.to_owned()
            };
            let mut all = vec![self.clause(id, &word, check)];
            all.extend(more.iter().cloned());
            all.retain(|part| part != "TRUE" || more.is_empty());
            policy += &format!("\n    WITH CHECK ({})", all.join("\n        AND "));
        }
        self.policies += &policy;
        self.policies += ";\n";
    }

    /// A condition as a policy has it: its text, or a call of the function that asks other tables.
    fn clause(&mut self, id: ResourceId, word: &str, condition: &Expr) -> String {
        let leads = |part: &Expr| matches!(part, Expr::Related(_) | Expr::LedTo(_) | Expr::Search(_));
        if !is_anywhere(condition, &leads) {
            return self.text(condition, Place::Policy);
        }
        let resource = self.model.resource(id);
        let of = &resource.table;
        let called = name(&format!("{}_{word}", resource.name));
        let body = format!("SELECT {}", self.text(condition, Place::Function));
        self.functions += &function(&format!("{called}(t0 {})", table_name(of)), "boolean", &body);
        let row = of.rsplit('.').next().unwrap_or(of);
        format!("{OURS}.{called}({})", name(row))
    }

    /// What is asked when a row is changed that only both rows tell: a rule with `old`, keys that are other ones now.
    fn trigger(&mut self, id: ResourceId, updated: Option<&Expr>, keys: &[Key], is_open: bool) {
        let resource = self.model.resource(id);
        let of = table_name(&resource.table);
        if !is_open || updated.is_none() && keys.is_empty() {
            return;
        }
        let mut refused = Vec::new();
        if let Some(updated) = updated {
            let called = name(&format!("{}_updated", resource.name));
            let body = format!("SELECT {}", self.text(updated, Place::Function));
            self.functions += &function(&format!("{called}(t0 {of}, given {of})"), "boolean", &body);
            refused.push(format!("NOT coalesce({OURS}.{called}(NEW, OLD), false)"));
        }
        for key in keys {
            let columns = |of: &str| {
                let all: Vec<String> = key
                    .columns
                    .iter()
                    .map(|column| format!("{of}.{column}"))
                    .collect();
                row(&all)
            };
            let is_other = format!("{} IS DISTINCT FROM {}", columns("NEW"), columns("OLD"));
            refused.push(format!(
                "{is_other} AND NOT coalesce({}, false)",
                seen(self.model, key, "NEW.")
            ));
        }
        let called = name(&format!("{}_changed", resource.name));
        let message = literal(&Cell::Text(format!(
            "the access rules of {} refuse this change",
            resource.name
        )));
        // It runs as whoever asks, for that is whose row-level security is asked of.
        self.functions += &format!(
            "CREATE FUNCTION {OURS}.{called}() RETURNS trigger LANGUAGE plpgsql SET search_path FROM CURRENT AS {};\n",
            dollars(&format!(
                "\nBEGIN\n    IF row_security_active(TG_RELID) AND ({}) THEN\n        \
                 RAISE insufficient_privilege USING MESSAGE = {message};\n    END IF;\n    RETURN NEW;\nEND\n",
                refused
                    .iter()
                    .map(|one| format!("({one})"))
                    .collect::<Vec<_>>()
                    .join("\n        OR ")
            ))
        );
        self.policies += &format!(
            "CREATE TRIGGER rest_changed BEFORE UPDATE ON {of} FOR EACH ROW EXECUTE FUNCTION {OURS}.{called}();\n"
        );
    }

    /// Keys of rows that not everybody may read.
    fn keys(&mut self, id: ResourceId) -> Vec<Key> {
        let model = self.model;
        let mut keys = Vec::new();
        for relation in &model.resource(id).relations {
            let Link::Keys { local, remote } = &relation.link else {
                continue;
            };
            let target = relation.target;
            let is_key = relation.kind == RelationKind::BelongsTo && relation.declared;
            if !is_key || self.condition(&model.rules(target).read) == Expr::Boolean(true) {
                continue;
            }
            self.seen.insert(target);
            let of_key = model.resource(target).key.fields.iter().filter_map(|field| {
                let place = remote.iter().position(|one| one == field)?;
                Some(name(&model.field(local[place]).column))
            });
            keys.push(Key {
                columns: of_key.collect(),
                target,
                own: local.first().and_then(|field| self.own(*field)),
            });
        }
        keys
    }

    /// What a field is by itself where that is the caller's.
    fn own(&self, field: FieldId) -> Option<String> {
        let model = self.model;
        let of_me = |expr: &Expr| self.text(expr, Place::Policy);
        match &model.field(field).default {
            Some(DefaultValue::Me) => {
                let accounts = model.schema.accounts.as_ref()?;
                let key = model.resource(accounts.resource).key.fields[0];
                Some(of_me(&Expr::Slot(Slot::Me(key))))
            }
            Some(DefaultValue::Expression(_)) => {
                let ruling = model.rules(field.resource).defaults[field.index as usize].as_ref()?;
                let expr = ruling.expr(Kind::Account);
                matches!(expr, Expr::Slot(Slot::Me(_))).then(|| of_me(expr))
            }
            _ => None,
        }
    }

    /// Pairs that are rows of no resource: seen where both ends are, made and undone by whom the link's rule lets.
    fn pairs(&mut self, id: ResourceId, index: usize) {
        let model = self.model;
        let (resource, rules) = (model.resource(id), model.rules(id));
        let relation = &resource.relations[index];
        let Link::Join {
            table: of,
            local,
            remote,
        } = &relation.link
        else {
            return;
        };
        self.seen.extend([id, relation.target]);
        let columns = |joins: &[JoinColumn]| {
            let all: Vec<String> = joins.iter().map(|join| name(&join.column)).collect();
            all.join(", ")
        };
        let (here, there) = (columns(local), columns(remote));
        let link = rules.links[index].as_ref().unwrap_or(&rules.update);
        let link = all_of(&self.condition(&rules.read), &self.condition(link));
        let called = name(&format!("{}_link_{}", resource.name, relation.name));
        let fields: Vec<FieldId> = local.iter().map(|join| join.field).collect();
        self.functions += &self.found(&called, id, &fields, &link);
        let sees = |id: ResourceId, columns: &str| format!("{OURS}.{}({columns})", seen_name(model, id));
        let (from, to) = (sees(id, &here), sees(relation.target, &there));
        let may = format!("{OURS}.{called}({here}) AND {to}");
        let of = table_name(of);
        self.policies += &format!(
            "-- {}: {}\nALTER TABLE {of} ENABLE ROW LEVEL SECURITY;\n",
            resource.name, relation.name
        );
        for (word, command, clause) in [
            ("read", "SELECT", format!("USING ({from} AND {to})")),
            ("create", "INSERT", format!("WITH CHECK ({may})")),
            ("delete", "DELETE", format!("USING ({may})")),
        ] {
            self.policies += &format!(
                "DROP POLICY IF EXISTS rest_{word} ON {of};\nCREATE POLICY rest_{word} ON {of} FOR {command} {clause};\n"
            );
        }
        self.policies.push('\n');
    }

    fn seen_function(&self, id: ResourceId) -> String {
        let resource = self.model.resource(id);
        let read = self.condition(&self.model.rules(id).read);
        self.found(&seen_name(self.model, id), id, &resource.key.fields, &read)
    }

    /// A function that says whether there is a row with these values for which a condition holds.
    fn found(&self, called: &str, id: ResourceId, fields: &[FieldId], condition: &Expr) -> String {
        let types: Vec<String> = fields.iter().map(|field| self.type_of(*field)).collect();
        let places = 1..=fields.len();
        let are: Vec<String> = places
            .zip(fields)
            .map(|(place, field)| format!("t0.{} = ${place}", name(&self.model.field(*field).column)))
            .collect();
        let mut body = format!(
            "SELECT EXISTS (SELECT 1 FROM {} t0 WHERE {}",
            table_name(&self.model.resource(id).table),
            are.join(" AND ")
        );
        if *condition != Expr::Boolean(true) {
            body += &format!(" AND {}", self.text(condition, Place::Function));
        }
        body.push(')');
        function(&format!("{called}({})", types.join(", ")), "boolean", &body)
    }

    fn type_of(&self, field: FieldId) -> String {
        let of = self.model.column_type(field);
        of.map_or_else(|| "text".to_owned(), |of| of.name.clone())
    }

    /// A condition with its values in place.
    fn text(&self, condition: &Expr, place: Place) -> String {
        let mut out = Statement::default();
        let (model, bare) = (self.model, place == Place::Policy);
        Writer { model, bare }.write(condition, &mut out);
        let mut slots = out.slots.iter();
        constants(&out.text, &mut || match slots.next() {
            Some(Bind::Slot(slot)) => self.value(slot),
            Some(other) => constant(other, Dialect::Postgres),
            None => "NULL".to_owned(),
        })
    }

    fn value(&self, slot: &Slot) -> String {
        let column = |field: FieldId| name(&self.model.field(field).column);
        match slot {
            // In a query of its own it is asked once for all rows.
            Slot::Me(field) => format!("(SELECT ({OURS}.me()).{})", column(*field)),
            Slot::Scope(word) => {
                let words = &self.model.schema.tokens.scopes;
                let word = words.get(usize::from(*word)).cloned().unwrap_or_default();
                format!("(SELECT {OURS}.has_scope({}))", literal(&Cell::Text(word)))
            }
            Slot::Given(field) => format!("given.{}", column(*field)),
            Slot::Now(field) if TIMESTAMPS.contains(&self.type_of(*field).as_str()) => "now()".to_owned(),
            Slot::Now(_) => "timezone('UTC', now())".to_owned(),
            Slot::Param(_) | Slot::Literal(_) => constant(&Bind::Slot(slot.clone()), Dialect::Postgres),
        }
    }
}

/// Whether its pairs are rows of no resource, and are told of here.
fn is_bare(relation: &Relation) -> bool {
    relation.kind == RelationKind::ManyToMany && relation.declared && relation.through.is_none()
}

/// What the function is called that says whether a row of a resource may be read.
fn seen_name(model: &Model, id: ResourceId) -> String {
    name(&format!("{}_seen", model.resource(id).name))
}

/// That a key's row may be read by whoever asks, or isn't asked for; `before` says whose columns they are.
fn seen(model: &Model, key: &Key, before: &str) -> String {
    let columns = || key.columns.iter().map(|column| format!("{before}{column}"));
    let mut any: Vec<String> = columns().map(|column| format!("{column} IS NULL")).collect();
    if let (Some(own), Some(column)) = (&key.own, columns().next()) {
        any.push(format!("{column} = {own}"));
    }
    let called = seen_name(model, key.target);
    any.push(format!(
        "{OURS}.{called}({})",
        columns().collect::<Vec<_>>().join(", ")
    ));
    format!("({})", any.join(" OR "))
}

/// Both, and what both ask once.
fn all_of(one: &Expr, other: &Expr) -> Expr {
    let parts = |expr: &Expr| match expr {
        Expr::And(all) => all.clone(),
        expr => vec![expr.clone()],
    };
    let mut all = parts(one);
    all.extend(parts(other).into_iter().filter(|part| !parts(one).contains(part)));
    Expr::and(all)
}

fn is_anywhere(expr: &Expr, is: &dyn Fn(&Expr) -> bool) -> bool {
    let found = std::cell::Cell::new(false);
    expr.map(&|part| {
        found.set(found.get() || is(part));
        None
    });
    found.get()
}

fn row(columns: &[String]) -> String {
    format!("ROW({})", columns.join(", "))
}

/// A function that runs as its owner, so that the rows that it asks for aren't held to rules themselves.
fn function(signature: &str, returns: &str, body: &str) -> String {
    format!(
        "CREATE FUNCTION {OURS}.{signature} RETURNS {returns}\n    \
         LANGUAGE sql STABLE SECURITY DEFINER SET search_path FROM CURRENT\n    AS {};\n\n",
        dollars(body)
    )
}

/// A text in PostgreSQL's dollar quotes.
fn dollars(text: &str) -> String {
    let mut tag = "$$".to_owned();
    while text.contains(&tag) {
        tag.insert(1, 'r');
    }
    format!("{tag}{text}{tag}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rules_become_policies() {
        let text = "
service: tracker
managed: true
resources:
  Person:
    fields: { name: { type: string, unique: true }, password: password, is_admin: { type: boolean, default: false } }
    access: { read: public, update: id = me.id and is_admin = old.is_admin }
  Project:
    fields: { name: string, status: { type: enum, values: [open, closed] } }
    belongs_to: { owner: { to: Person, default: me } }
    many_to_many: { members: { to: Person } }
    access: { read: me in members or status = 'open', create: authenticated, change: owner_id = me.id and scope(staff) }
  Task:
    soft_delete: deleted_at
    fields: { title: string, deleted_at: { type: timestamp, optional: true, readonly: true } }
    belongs_to: { project: Project }
    access: { read: can read project, create: can read project, delete: me.is_admin, restore: me.is_admin }
accounts: { resource: Person, identify_by: [name], password: password }
tokens: { scopes: [staff] }
";
        let schema = rest_schema::read_one("s.yaml", text).expect("a schema").schema;
        insta::assert_snapshot!(row_security(&schema));
    }

    #[test]
    fn a_text_is_quoted_whatever_it_holds() {
        assert_eq!(dollars("a"), "$$a$$");
        assert_eq!(dollars("a$$b"), "$r$a$$b$r$");
        assert_eq!(dollars("$$ $r$"), "$rr$$$ $r$$rr$");
    }
}
