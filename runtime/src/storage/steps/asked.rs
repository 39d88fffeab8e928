//! What is to be written, for whom.

use std::sync::Arc;

use jiff::Timestamp;
use rest_schema::ResourceId;
use tokio::runtime::Handle;

use super::{Pair, Paired, Several};
use crate::caller::Caller;
use crate::cell::Cell;
use crate::engine::Engine;
use crate::problem::Fault;
use crate::request::precondition::Preconditions;
use crate::storage::once::Once;
use crate::typed::Binding;
use crate::validate::{New, Update};
use crate::write::{Asking, Changes};

/// A write of one resource, for one caller.
#[derive(Debug)]
pub struct Write {
    /// The service.
    pub engine: Arc<Engine>,
    /// Whose rows.
    pub resource: ResourceId,
    /// Who writes.
    pub caller: Caller,
    /// The moment of the request.
    pub now: Timestamp,
    /// What is done.
    pub action: Action,
    /// The struct that is made of what was written.
    pub(crate) wanted: Option<Arc<Binding>>,
    /// How many writes it is within.
    pub(crate) depth: u8,
    /// What hooks are told after the commit.
    pub(crate) changes: Changes,
    /// The key under which it was sent, where that is kept with what it writes.
    pub(crate) once: Option<Once>,
    /// Where hooks that wait for something else find it: so that they are seen waiting.
    pub(crate) threads: Option<Handle>,
}

impl Write {
    /// A write of its own.
    pub(crate) fn of(engine: Arc<Engine>, asked: Asking, action: Action) -> Self {
        Self {
            engine,
            resource: asked.resource,
            caller: asked.caller,
            now: asked.now,
            action,
            wanted: asked.wanted,
            depth: 0,
            changes: Changes::default(),
            once: None,
            threads: Handle::try_current().ok(),
        }
    }
}

impl Write {
    /// The write of items of another resource within it, which are made one by one.
    pub(super) fn along(&self, resource: ResourceId) -> Self {
        Self {
            engine: Arc::clone(&self.engine),
            resource,
            caller: self.caller.clone(),
            now: self.now,
            action: Action::Create {
                rows: Vec::new(),
                many: true,
            },
            wanted: None,
            depth: self.depth,
            changes: self.changes.clone(),
            once: None,
            threads: self.threads.clone(),
        }
    }

    /// Whether code of the program's own is asked or told of it.
    pub(crate) fn is_hooked(&self) -> bool {
        self.action.is_hooked(&self.engine, self.resource)
    }
}

impl Action {
    /// Whether code of the program's own is asked or told, of a write of this resource.
    pub(crate) fn is_hooked(&self, engine: &Engine, resource: ResourceId) -> bool {
        let has = |resource: ResourceId| !engine.hooks.of(resource).is_empty();
        let rows = match self {
            Self::Create { rows, .. } => rows.as_slice(),
            _ => &[],
        };
        let schema = &engine.model.schema;
        let mut along = rows.iter().flat_map(|row| row.resources_along(schema));
        has(resource) || along.any(has)
    }
}

/// What a write does.
#[derive(Debug)]
pub enum Action {
    /// Makes rows, all or none.
    Create {
        /// The rows.
        rows: Vec<New>,
        /// Whether the body is an array, so that pointers begin with a place in it.
        many: bool,
    },
    /// Changes the row of a key.
    Update {
        /// The key.
        key: Vec<Cell>,
        /// The change; what is wrong with it is told only once the row may be spoken of.
        update: Box<Update>,
        /// What makes the row if it isn't there (PUT where the client chooses keys).
        create: Option<Result<Box<New>, Vec<Fault>>>,
        /// What the caller expects of the row.
        expected: Preconditions,
    },
    /// Deletes the row of a key.
    Delete {
        /// The key.
        key: Vec<Cell>,
        /// What the caller expects of the row.
        expected: Preconditions,
    },
    /// Brings back the row of a key that was deleted.
    Restore {
        /// The key.
        key: Vec<Cell>,
        /// What the caller expects of the row.
        expected: Preconditions,
    },
    /// Changes or deletes several rows, all or none.
    Several(Several),
    /// Links or unlinks a pair.
    Link {
        /// The pair; the write is of the side that declares the relation.
        pair: Pair,
        /// What the caller expects of the item in the address.
        expected: Preconditions,
    },
    /// Makes, changes or deletes the row that is a pair.
    Paired(Box<Paired>),
}
