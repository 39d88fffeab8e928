//! What would be better in tables that another program owns: indexes, and columns that keep every digit.

use rest_schema::{Field, FieldId, FieldType, JoinColumn, ResourceId};

use super::{Comparison, Finding};
use crate::codec::Affinity;
use crate::migrate::catalogue::{Column, Table, TableIndex};
use crate::migrate::index::{Needed, Needs, Why};
use crate::migrate::{Expression, Ownership, cost, create, name, table_name};
use crate::sql::dialect::Dialect;

/// Digits that a double keeps of any decimal.
const DIGITS_OF_REAL: u8 = 15;

impl Comparison<'_> {
    pub(super) fn advise_decimal(&mut self, table: &Table, column: &Column, field: &Field) {
        let FieldType::Decimal { precision, .. } = field.ty else {
            return;
        };
        let is_text = Affinity::of(&column.declared) == Affinity::Text;
        if column.native.is_none()
            && self.ownership == Ownership::Foreign
            && precision > DIGITS_OF_REAL
            && !is_text
        {
            let message = format!(
                "{}.{} is declared {}, where SQLite keeps {DIGITS_OF_REAL} digits of {precision}",
                table.name, column.name, column.declared
            );
            let place = self.place(Some(field));
            self.fit
                .advice
                .push(Finding::new(place, message).help("a text column keeps them all"));
        }
    }

    /// The pairs are looked for from both sides.
    pub(super) fn advise_join_index(&mut self, place: &str, table: &Table, side: &[JoinColumn]) {
        let is_first = |terms: &[(Option<String>, bool)]| {
            let first = terms.iter().take(side.len());
            let mut first = first.map(|(column, _)| column.as_deref());
            first.all(|column| {
                column.is_some_and(|column| side.iter().any(|join| join.column.eq_ignore_ascii_case(column)))
            }) && terms.len() >= side.len()
        };
        if side.iter().any(|join| table.column(&join.column).is_none())
            || table
                .indexes
                .iter()
                .any(|index| !index.is_partial && is_first(&index.terms))
        {
            return;
        }
        let columns: Vec<&str> = side.iter().map(|join| join.column.as_str()).collect();
        let quoted: Vec<String> = columns.iter().map(|column| name(column)).collect();
        let index = format!("ix_{}_{}", table.name, columns.join("_"));
        let mut finding = Finding::new(
            place,
            format!("no index of {} begins with ({})", table.name, columns.join(", ")),
        );
        finding.statement = Some(format!(
            "CREATE INDEX {} ON {} ({})",
            name(&index),
            table_name(&table.name),
            quoted.join(", ")
        ));
        self.fit.advice.push(finding);
    }

    /// What of the requests that the schema allows no index serves, as the table has them.
    pub(super) fn count_costs(&mut self, id: ResourceId) {
        let Some(table) = self.catalogue.table(&self.resource.table) else {
            return;
        };
        let is_served = |field: FieldId| {
            let column = &self.schema.field(field).column;
            let is_key = |key: &&str| key.eq_ignore_ascii_case(column);
            serves(table, &Needed::on(column)) || table.key().first().is_some_and(is_key)
        };
        let is_ours = self.ownership == Ownership::Ours;
        self.fit
            .costs
            .extend(cost::of_resource(self.schema, id, is_ours, is_served));
    }

    pub(super) fn advise_indexes(&mut self, expression: &Expression<'_>) {
        let Some(table) = self.catalogue.table(&self.resource.table) else {
            return;
        };
        let needs = Needs {
            schema: self.schema,
            expression,
        };
        for needed in needs.of(self.resource) {
            let is_plain = needed.condition.is_none() && !needed.is_unique && needed.has_columns_only();
            let all_there = needed.columns().all(|column| table.column(column).is_some());
            if !is_plain || !all_there || serves(table, &needed) {
                continue;
            }
            let reason = match &needed.why {
                Why::Declared => "the schema asks for".to_owned(),
                Why::Relation(relation) => format!("{relation} and its order need"),
                Why::Sort => "`sort:` needs".to_owned(),
            };
            let columns: Vec<&str> = needed.columns().collect();
            let message = format!(
                "{} has no index on ({}), which {reason}",
                table.name,
                columns.join(", ")
            );
            let mut finding = Finding::new(&self.resource.name, message);
            let rowid = match self.dialect {
                Dialect::Sqlite => table
                    .rowid
                    .as_deref()
                    .or_else(|| create::rowid(self.schema, self.resource)),
                Dialect::Postgres => None,
            };
            let index_name = needed.name(&table.name, rowid);
            finding.statement = Some(needed.statement(&index_name, &table.name, rowid));
            self.fit.advice.push(finding);
        }
    }
}

/// Whether an index of the table does as well as one that is needed.
fn serves(table: &Table, needed: &Needed) -> bool {
    let is_as_good = |index: &TableIndex| {
        let terms = index.terms.iter();
        let terms: Vec<_> = terms
            .map(|(column, descends)| (column.as_deref(), *descends))
            .collect();
        !index.is_partial && needed.is_served_by(&terms)
    };
    table.indexes.iter().any(is_as_good)
}
