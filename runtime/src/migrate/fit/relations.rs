//! Foreign keys and tables of pairs, compared with the schema's relations.

use rest_schema::diagnostic::nearest;
use rest_schema::{FieldId, JoinColumn, Link, OnDelete, Relation, RelationKind, ResourceId};

use super::{Comparison, Finding};
use crate::migrate::catalogue::{ForeignKey, Table};

impl Comparison<'_> {
    pub(super) fn relation(&mut self, id: ResourceId, table: &Table, relation: &Relation) {
        match &relation.link {
            Link::Keys { local, remote } if relation.kind == RelationKind::BelongsTo => {
                self.foreign_key(table, relation, local, remote);
            }
            Link::Join { table, local, remote } if relation.declared && relation.through.is_none() => {
                debug_assert!(local.iter().all(|column| column.field.resource == id));
                self.join(relation, table, local, remote);
            }
            Link::Keys { .. } | Link::Join { .. } => {}
        }
    }

    fn foreign_key(&mut self, table: &Table, relation: &Relation, local: &[FieldId], remote: &[FieldId]) {
        let column = |id: &FieldId| self.schema.field(*id).column.as_str();
        let local: Vec<&str> = local.iter().map(column).collect();
        let remote: Vec<&str> = remote.iter().map(column).collect();
        if local.iter().any(|column| table.column(column).is_none()) {
            return;
        }
        let target = &self.schema.resource(relation.target).table;
        let place = format!("{}.{}", self.resource.name, relation.name);
        let keys: Vec<&ForeignKey> = table
            .foreign_keys
            .iter()
            .filter(|key| starts_at(key, &local))
            .collect();
        let Some(first) = keys.first() else {
            return self.no_foreign_key(table, relation, &local, place);
        };
        let Some(key) = keys
            .iter()
            .find(|key| key.table.eq_ignore_ascii_case(target) && self.leads_to(key, &local, &remote))
        else {
            let message = format!(
                "({}) of {} points at {}",
                local.join(", "),
                table.name,
                first.table
            );
            let help = "`to:` names the resource of that table";
            self.fit.mismatches.push(Finding::new(place, message).help(help));
            return;
        };
        let wanted = relation.on_delete;
        if action(&key.on_delete) != wanted {
            let message = format!(
                "the database says ON DELETE {}, the schema on_delete: {}",
                key.on_delete,
                word(wanted)
            );
            let help = format!("`on_delete: {}`", word(action(&key.on_delete)));
            self.fit.mismatches.push(Finding::new(place, message).help(help));
        }
    }

    fn no_foreign_key(&mut self, table: &Table, relation: &Relation, local: &[&str], place: String) {
        let message = format!("{} has no foreign key on ({})", table.name, local.join(", "));
        if relation.on_delete == OnDelete::Restrict {
            let help = "nothing but this service then keeps it from pointing at what isn't there";
            self.fit.advice.push(Finding::new(place, message).help(help));
        } else {
            let message = format!(
                "{message}, so nothing does what `on_delete: {}` says",
                word(relation.on_delete)
            );
            self.fit
                .mismatches
                .push(Finding::new(place, message).help("without `on_delete:`"));
        }
    }

    /// Whether a foreign key pairs the same columns as a relation does.
    fn leads_to(&self, key: &ForeignKey, local: &[&str], remote: &[&str]) -> bool {
        let target = self
            .catalogue
            .table(&key.table)
            .map(Table::key)
            .unwrap_or_default();
        let mut columns = key.columns.iter().enumerate();
        columns.all(|(place, (from, to))| {
            let to = to.as_deref().or_else(|| target.get(place).copied());
            local.iter().zip(remote).any(|(local, remote)| {
                from.eq_ignore_ascii_case(local) && to.is_some_and(|to| to.eq_ignore_ascii_case(remote))
            })
        })
    }

    fn join(&mut self, relation: &Relation, table: &str, local: &[JoinColumn], remote: &[JoinColumn]) {
        let place = format!("{}.{}", self.resource.name, relation.name);
        let Some(found) = self.catalogue.table(table) else {
            let names = self.catalogue.tables.iter().map(|table| table.name.as_str());
            let near = nearest(table, names)
                .map(|near| format!("; the nearest is {near}"))
                .unwrap_or_default();
            let message = format!("there is no table {table}{near}");
            self.fit
                .mismatches
                .push(Finding::new(place, message).help("`table:` says what it is called"));
            return;
        };
        for join in local.iter().chain(remote) {
            let ty = &self.schema.field(join.field).ty;
            let message = match found.column(&join.column) {
                None => format!("{table} has no column {}", join.column),
                Some(column) if !self.holds(column, ty) => {
                    format!(
                        "{table}.{} is declared {}, which can't hold {}",
                        column.name,
                        column.declared,
                        ty.name()
                    )
                }
                Some(_) => continue,
            };
            let help = "`from_column:` and `to_column:` say what they are called";
            self.fit.mismatches.push(Finding::new(&place, message).help(help));
        }
        for side in [local, remote] {
            self.advise_join_index(&place, found, side);
        }
    }
}

fn starts_at(key: &ForeignKey, local: &[&str]) -> bool {
    key.columns.len() == local.len()
        && key
            .columns
            .iter()
            .all(|(from, _)| local.iter().any(|column| column.eq_ignore_ascii_case(from)))
}

fn action(on_delete: &str) -> OnDelete {
    match on_delete.to_ascii_uppercase().as_str() {
        "CASCADE" => OnDelete::Cascade,
        "SET NULL" => OnDelete::SetNull,
        _ => OnDelete::Restrict,
    }
}

fn word(on_delete: OnDelete) -> &'static str {
    match on_delete {
        OnDelete::Restrict => "restrict",
        OnDelete::Cascade => "cascade",
        OnDelete::SetNull => "set_null",
    }
}
