//! What costs: filters and orders that no index serves, and the index that would.
//!
//! Told by `rest-gen check` alone: on a small table it may well be meant so.

use rest_schema::types::Kind;
use rest_schema::{Field, FieldId, FieldType, Link, RelationKind, ResourceId, Schema, SortKey};

use super::Finding;
use super::index::Needed;

/// What the schema by itself tells: of another program's tables only what it says of their indexes is known.
pub fn costs(schema: &Schema) -> Vec<Finding> {
    let is_ours = schema.managed != Some(false);
    let all = schema.resources().flat_map(|(id, resource)| {
        let of_relations = resource
            .relations
            .iter()
            .filter_map(|relation| match &relation.link {
                Link::Keys { local, .. } if relation.kind == RelationKind::BelongsTo => local.first(),
                Link::Keys { .. } | Link::Join { .. } => None,
            });
        // Foreign keys have an index where we make it; where we don't, a look at the database tells.
        let keys: Vec<FieldId> = of_relations.copied().collect();
        of_resource(schema, id, is_ours, |field| {
            let alone = SortKey {
                field,
                descending: false,
            };
            keys.contains(&field) || schema.serves(id, &[], &[alone])
        })
    });
    all.collect()
}

/// The fields of a resource by which requests may filter or sort, and of which no index is known.
pub(super) fn of_resource(
    schema: &Schema,
    id: ResourceId,
    is_ours: bool,
    is_served: impl Fn(FieldId) -> bool,
) -> Vec<Finding> {
    let resource = schema.resource(id);
    let fields = (0..)
        .zip(&resource.fields)
        .map(|(index, field)| (FieldId { resource: id, index }, field));
    let slow = fields.filter(|(id, field)| is_worth_an_index(field) && !is_served(*id));
    slow.map(|(_, field)| {
        let what = match (field.filterable, field.sortable) {
            (true, true) => "filters and orders by it read",
            (true, false) => "filters by it read",
            _ => "orders by it read",
        };
        let (table, column) = (&resource.table, &field.column);
        let message = format!("no index begins with {column}, so {what} all rows of {table}");
        let place = format!("{}.{}", resource.name, field.name);
        let finding = Finding::new(place, message);
        if is_ours {
            return finding.help("say `index: true`, unless the table stays small");
        }
        let index = Needed::on(column);
        Finding {
            statement: Some(index.statement(&index.name(table, None), table, None)),
            ..finding.help("let the owner of the table make one, and say `index: true`")
        }
    })
    .collect()
}

/// Of two values or a few words an index finds half the table. What is searched for by words has an index of its own.
fn is_worth_an_index(field: &Field) -> bool {
    let is_asked = field.filterable || field.sortable;
    let is_few = matches!(field.ty, FieldType::Enum(_) | FieldType::Boolean);
    let has_order = !matches!(field.ty.kind(), Kind::Json | Kind::Bytes);
    is_asked && field.is_shown() && field.is_stored() && !is_few && has_order && !field.searchable
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(managed: bool) -> Vec<String> {
        let text = format!(
            "
service: shop
managed: {managed}
resources:
  Maker:
    fields: {{ name: {{ type: string, unique: true }} }}
    access: {{ read: public }}
  Book:
    sort: -rank
    index: [[pages, price]]
    fields:
      title: {{ type: string, searchable: true }}
      isbn: {{ type: string, index: true }}
      pages: {{ type: integer, filterable: true, sortable: true }}
      price: {{ type: decimal, precision: 8, scale: 2, filterable: true }}
      weight: {{ type: float, sortable: true }}
      rank: {{ type: integer, sortable: true }}
      state: {{ type: enum, values: [new, used], filterable: true }}
    belongs_to: {{ maker: {{ to: Maker, inverse: books }} }}
    access: {{ read: public }}
"
        );
        let schema = rest_schema::read_one("rest.yaml", &text)
            .expect("a schema")
            .schema;
        costs(&schema).iter().map(ToString::to_string).collect()
    }

    #[test]
    fn what_no_index_serves_is_told_with_the_index() {
        insta::assert_snapshot!([told(true), told(false)].map(|all| all.join("\n")).join("\n\n"));
    }
}
