//! What two rows of a resource may not share.

use rest_schema::{FieldId, Index, IndexExpr, Resource, Rule};

use super::judge::each_ref;

/// Fields that two rows may not share.
#[derive(Debug, Clone)]
pub(super) struct Uniqueness<'s> {
    pub(super) fields: Vec<FieldId>,
    /// Of which rows; `None`: of all.
    pub(super) condition: Option<&'s Rule>,
    /// Whether it is over the fields themselves.
    pub(super) is_plain: bool,
}

/// All that two rows of a resource may not share: the key, and what the schema says.
pub(super) fn uniques(resource: &Resource) -> Vec<Uniqueness<'_>> {
    let plain = |fields: &[FieldId]| Uniqueness {
        fields: fields.to_vec(),
        condition: None,
        is_plain: true,
    };
    let mut all = vec![plain(&resource.key.fields)];
    all.extend(resource.uniques.iter().map(|unique| plain(&unique.fields)));
    let indexes = resource.indexes.iter().filter(|index| index.unique);
    all.extend(indexes.map(|index| {
        Uniqueness {
            fields: fields_of(index),
            condition: index.condition.as_ref(),
            is_plain: index
                .terms
                .iter()
                .all(|term| matches!(term.expr, IndexExpr::Field(_))),
        }
    }));
    all
}

/// The fields of a unique index; those within expressions too.
fn fields_of(index: &Index) -> Vec<FieldId> {
    let mut fields = Vec::new();
    for term in &index.terms {
        match &term.expr {
            IndexExpr::Field(field) => fields.push(*field),
            IndexExpr::Expression(rule) => {
                each_ref(&rule.expr, &mut |reference| fields.push(reference.field));
            }
        }
    }
    fields
}
