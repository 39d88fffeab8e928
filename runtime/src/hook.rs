//! The places in a write at which a program's own code runs.
//!
//! A hook within a write runs inside its transaction, before or after the statement, and may run more than once: a
//! batch that lost its transaction runs its writes again. Where it fails, its write is undone, and no other's.

use std::collections::HashMap;
use std::sync::Arc;

use rest_schema::ResourceId;
use rusqlite::Connection;

use crate::cell::Cell;
use crate::storage::Refusal;

/// Where in a write a hook runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Moment {
    /// After all checks of the request, before the statement.
    Before,
    /// After the statement and the rule on the row as it is now.
    After,
}

/// A change of one row, by the place of each field in the schema; stored forms.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// The row before; `None`: a create.
    pub before: Option<&'a [Cell]>,
    /// The row after, as far as it is known; `None`: a delete.
    pub after: Option<&'a [Cell]>,
}

/// Code that runs within a write.
pub trait Within: Send + Sync {
    /// Runs at a moment of a write of one row.
    fn run(&self, moment: Moment, change: Change<'_>, connection: &Connection) -> Result<(), Refusal>;
}

/// The hooks of a service, by resource.
#[derive(Default, Clone)]
pub(crate) struct Registry {
    within: HashMap<ResourceId, Vec<Arc<dyn Within>>>,
}

impl std::fmt::Debug for Registry {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Registry").finish_non_exhaustive()
    }
}

impl Registry {
    /// Runs a resource's hooks in the order in which they were added; the first failure ends it.
    pub(crate) fn run(
        &self,
        resource: ResourceId,
        moment: Moment,
        change: Change<'_>,
        connection: &Connection,
    ) -> Result<(), Refusal> {
        let hooks = self.within.get(&resource).map_or(&[][..], Vec::as_slice);
        hooks
            .iter()
            .try_for_each(|hook| hook.run(moment, change, connection))
    }
}
