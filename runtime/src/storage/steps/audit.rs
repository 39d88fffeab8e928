//! The log of changes (`audit:`): a line for each row that a write makes, changes or deletes, in the write's own
//! transaction, so that it is there exactly if the change is.

use std::collections::{HashSet, VecDeque};

use rest_schema::{Field, FieldId, OnDelete, RelationId, ResourceId};
use serde_json::json;

use super::Steps;
use super::checks::key_in;
use crate::cell::Cell;
use crate::codec::json_text::write_string;
use crate::respond::format::{Json, Writing};
use crate::sql::write as sql;
use crate::storage::Refusal;
use crate::storage::connection::{Connection, Every};
use crate::storage::rows::Output;
use crate::storage::state::{self, Line};

/// What was done to a row.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Act {
    Created,
    Updated,
    Deleted,
    Restored,
    Linked,
    Unlinked,
}

impl Act {
    /// The word in the log.
    fn word(self) -> &'static str {
        match self {
            Self::Created => "create",
            Self::Updated => "update",
            Self::Deleted => "delete",
            Self::Restored => "restore",
            Self::Linked => "link",
            Self::Unlinked => "unlink",
        }
    }
}

impl<C: Connection> Steps<'_, C> {
    fn is_audited(&self, resource: ResourceId) -> bool {
        self.engine().model.resource(resource).kept.audited
    }

    /// Logs what has become of the row that was written, from what it was.
    pub(super) async fn log_written(
        &self,
        act: Act,
        key: &[Cell],
        before: Option<&[Cell]>,
        output: &Output,
    ) -> Result<(), Refusal> {
        if !self.is_audited(self.write.resource) {
            return Ok(());
        }
        let after = self.row_of(output);
        self.log(self.write.resource, act, key, [before, Some(&after)])
            .await
    }

    /// Logs what has become of a row, from what it was; `None` where there is none. Of one that stays, what differs.
    pub(super) async fn log(
        &self,
        resource: ResourceId,
        act: Act,
        key: &[Cell],
        [before, after]: [Option<&[Cell]>; 2],
    ) -> Result<(), Refusal> {
        let model = &self.engine().model;
        if !self.is_audited(resource) {
            return Ok(());
        }
        let differs = |field: FieldId| match (before, after) {
            (Some(before), Some(after)) => before[field.index as usize] != after[field.index as usize],
            _ => true,
        };
        let fields: Vec<(FieldId, &Field)> = model
            .stored(resource)
            .filter(|(field, _)| differs(*field))
            .collect();
        if fields.is_empty() {
            return Ok(());
        }
        let text = |row: Option<&[Cell]>| row.map(|row| self.document(&fields, row, key)).transpose();
        self.log_line(resource, act, key, [text(before)?, text(after)?])
            .await
    }

    /// Logs that a pair of a many-to-many was made or taken apart, at the side that declares it.
    pub(super) async fn log_pair(
        &self,
        relation: RelationId,
        key: &[Cell],
        other: &[Cell],
        linked: bool,
    ) -> Result<(), Refusal> {
        let model = &self.engine().model;
        let declared = model.schema.declared(relation);
        if !self.is_audited(declared.resource) {
            return Ok(());
        }
        let (key, other) = if declared == relation {
            (key, other)
        } else {
            (other, key)
        };
        let pair = Some(json!({ &model.relation(declared).name: state::key_json(other) }).to_string());
        let (act, before, after) = if linked {
            (Act::Linked, None, pair)
        } else {
            (Act::Unlinked, pair, None)
        };
        self.log_line(declared.resource, act, key, [before, after]).await
    }

    /// Logs, before a row is deleted, what the database then does by itself to those that point at it, and so on.
    pub(super) async fn log_dependents(&self, key: &[Cell]) -> Result<(), Refusal> {
        let model = &self.engine().model;
        let first = (self.write.resource, key.to_vec());
        let mut owners = VecDeque::from([first.clone()]);
        // Rows may lead to each other.
        let mut gone = HashSet::from([first]);
        while let Some((owner, key)) = owners.pop_front() {
            for relation in model.logged_along(owner) {
                let of = relation.resource;
                let is_let_go = model.relation(relation).on_delete == OnDelete::SetNull;
                for row in self.dependents(relation, &key).await? {
                    let own = key_in(&row, &model.resource(of).key.fields).unwrap_or_default();
                    if is_let_go {
                        let mut after = row.clone();
                        for field in model.foreign_key(relation).unwrap_or_default() {
                            after[field.index as usize] = Cell::Null;
                        }
                        self.log(of, Act::Updated, &own, [Some(&row), Some(&after)])
                            .await?;
                    } else if gone.insert((of, own.clone())) {
                        self.log(of, Act::Deleted, &own, [Some(&row), None]).await?;
                        owners.push_back((of, own));
                    }
                }
            }
        }
        Ok(())
    }

    /// All that is stored of the rows that point at one, by field.
    async fn dependents(&self, relation: RelationId, key: &[Cell]) -> Result<Vec<Vec<Cell>>, Refusal> {
        let model = &self.engine().model;
        let stored: Vec<FieldId> = model.stored(relation.resource).map(|(field, _)| field).collect();
        let statement = sql::dependents(model, relation, &stored);
        let mut rows = Every::of(stored.len());
        let values = self.values(key, &[], &self.write.caller);
        self.connection.each(&statement, values.into(), &mut rows).await?;
        let whole = |cells: &Vec<Cell>| self.by_field(relation.resource, cells);
        Ok(rows.found.iter().map(whole).collect())
    }

    /// Fields of a row as an item shows them; `null` in the place of what none ever shows.
    fn document(&self, fields: &[(FieldId, &Field)], row: &[Cell], key: &[Cell]) -> Result<String, Refusal> {
        let mut out = vec![b'{'];
        for (place, (id, field)) in fields.iter().enumerate() {
            if place > 0 {
                out.push(b',');
            }
            write_string(&field.name, &mut out);
            out.push(b':');
            if field.private || field.writeonly {
                Json::null(&mut out);
                continue;
            }
            let codec = self.engine().model.codec(*id);
            let written = codec.write_json(row[id.index as usize].as_ref(), &mut out);
            written.map_err(|unfit| Refusal::StoredValue {
                field: *id,
                key: key.to_vec(),
                expected: unfit.expected,
            })?;
        }
        out.push(b'}');
        String::from_utf8(out).map_err(|_| Refusal::Internal("a change is no text".into()))
    }

    async fn log_line(
        &self,
        resource: ResourceId,
        act: Act,
        key: &[Cell],
        change: [Option<String>; 2],
    ) -> Result<(), Refusal> {
        let (engine, caller) = (self.engine(), &self.write.caller);
        let account = caller.account();
        let line = Line {
            at: self.write.now,
            account: account.map(|account| account.key(engine.model.resource(account.resource))),
            token: caller.token,
            done: act.word(),
            resource: &engine.model.resource(resource).name,
            key,
            change,
        };
        state::log(self.connection, &engine.state, &engine.model, line).await
    }
}
