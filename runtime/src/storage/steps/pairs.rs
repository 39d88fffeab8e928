//! Pairs of many-to-manys that bodies set, by the keys that an item shows.

use rest_schema::{FieldType, Link, RelationId, Value};

use super::Steps;
use super::checks::conflict;
use crate::cell::Cell;
use crate::problem::{Fault, words};
use crate::request::body::Pointer;
use crate::storage::Refusal;
use crate::storage::connection::Connection;

/// What becomes of the pairs of one relation.
pub(super) struct Pairs {
    relation: RelationId,
    /// Keys of the items to be linked, as they are stored.
    linked: Vec<Cell>,
    /// Keys of those to be unlinked.
    unlinked: Vec<Cell>,
}

impl<C: Connection> Steps<'_, C> {
    /// What becomes of the pairs: by field the keys to be, and those that the caller sees now (none of a row that is
    /// made). What he can't see stays; what he names and can't see is told like what isn't there.
    pub(super) async fn pairs(
        &self,
        set: impl Iterator<Item = (u32, &Value)>,
        old: &[Value],
        at: &Pointer,
    ) -> Result<Vec<Pairs>, Refusal> {
        let model = &self.engine().model;
        let (mut all, mut faults) = (Vec::new(), Vec::new());
        for (field, value) in set {
            let of = model.field(self.field(field));
            let (Some(relation), FieldType::Keys(ty)) = (of.keys_of(), &of.ty) else {
                continue;
            };
            let Link::Join { remote, .. } = &model.relation(relation).link else {
                continue;
            };
            let (wanted, shown) = (value.keys(ty), old.get(field as usize).map(|old| old.keys(ty)));
            let shown = shown.unwrap_or_default();
            let only_in = |one: &[Value], other: &[Value]| -> Vec<Value> {
                let differ = one.iter().filter(|key| !other.contains(key));
                differ.cloned().collect()
            };
            let stored = |key: &Value| model.codec(remote[0].field).encode(key);
            let mut pairs = Pairs {
                relation,
                linked: Vec::new(),
                unlinked: only_in(&shown, &wanted).iter().map(stored).collect(),
            };
            for key in only_in(&wanted, &shown) {
                let cell = stored(&key);
                if self.has_target(relation, std::slice::from_ref(&cell)).await? {
                    pairs.linked.push(cell);
                } else {
                    let detail = format!("no item that you may read has the key {key}");
                    faults.push(Fault::pointer(
                        at.member(&of.api_name),
                        words::NO_SUCH_ITEM,
                        detail,
                    ));
                }
            }
            if !(pairs.linked.is_empty() && pairs.unlinked.is_empty()) {
                all.push(pairs);
            }
        }
        conflict(faults)?;
        Ok(all)
    }

    /// Writes them, of the row with this key.
    pub(super) async fn write_pairs(&self, key: &[Cell], all: &[Pairs], at: &Pointer) -> Result<(), Refusal> {
        for pairs in all {
            for other in &pairs.unlinked {
                self.write_pair(pairs.relation, key, std::slice::from_ref(other), false, at)
                    .await?;
            }
            for other in &pairs.linked {
                self.write_pair(pairs.relation, key, std::slice::from_ref(other), true, at)
                    .await?;
            }
        }
        Ok(())
    }
}
