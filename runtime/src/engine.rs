//! What every request and every write of a service share: the model, its validators, the written shapes, the keys.

use std::collections::HashMap;
use std::sync::atomic::{AtomicU8, AtomicU64, Ordering};
use std::sync::{Arc, PoisonError, RwLock};

use jiff::Timestamp;
use rest_schema::{Deprecation, FieldId, Operation, ResourceId, Value};

use crate::caller::Caller;
use crate::hook::{Registry, Unbound};
use crate::model::Model;
use crate::open::Keys;
use crate::plan::access::{Deed, Permit};
use crate::plan::lower::Kind;
use crate::plan::read::Shape;
use crate::problem::Problem;
use crate::request::page::CursorKey;
use crate::scope::Act;
use crate::session::CsrfKey;
use crate::sql::select::{self, Read};
use crate::sql::write::{self, PreSelect};
use crate::storage::read::StateKey;
use crate::storage::sqlite::lane::Lane;
use crate::storage::state;
use crate::typed::{Binding, Bindings, Mismatch, Struct};
use crate::validate::{Validators, Writer};

/// Written shapes that are kept; strangers choose which shapes there are.
const SHAPES: usize = 256;

/// What a service shares.
pub struct Engine {
    /// The schema, ready.
    pub model: Model,
    /// What bodies are checked by.
    pub validators: Validators,
    /// The program's own code.
    pub(crate) hooks: Registry,
    /// Seals cursors.
    pub cursor_key: CursorKey,
    /// Hashes states of items.
    pub state_key: StateKey,
    /// Makes the tokens of sessions.
    pub csrf_key: CsrfKey,
    /// What is asked of our own tables.
    pub state: state::Statements,
    bindings: Bindings,
    shapes: RwLock<HashMap<Arc<Shape>, Arc<Compiled>, foldhash::fast::RandomState>>,
    clock: AtomicU64,
    pre_selects: Vec<[PreSelect; 4]>,
}

/// A written shape and the lane it takes.
#[derive(Debug)]
pub struct Compiled {
    /// The shape.
    pub shape: Arc<Shape>,
    /// Its statements.
    pub read: Read,
    /// What is told of the end of what it shows.
    pub deprecated: Option<Deprecation>,
    lane: AtomicU8,
    used: AtomicU64,
}

impl Compiled {
    /// The lane, once it is known.
    pub fn lane(&self) -> Option<Lane> {
        match self.lane.load(Ordering::Relaxed) {
            1 => Some(Lane::Inline),
            2 => Some(Lane::Pool),
            _ => None,
        }
    }

    /// Sets the lane.
    pub fn set_lane(&self, lane: Lane) {
        let number = match lane {
            Lane::Inline => 1,
            Lane::Pool => 2,
        };
        self.lane.store(number, Ordering::Relaxed);
    }
}

impl Engine {
    /// Makes ready what can be made ready before the first request.
    pub(crate) fn new(model: Model, validators: Validators, keys: Keys, state: state::Statements) -> Self {
        let pre_selects = model
            .schema
            .resources()
            .map(|(id, _)| {
                let of = |caller: &Caller, operation: Operation| {
                    write::pre_select(&model, id, caller, operation.into(), &[])
                };
                let (anonymous, account) = (&Caller::anonymous(), &model.somebody());
                [
                    of(anonymous, Operation::Update),
                    of(anonymous, Operation::Delete),
                    of(account, Operation::Update),
                    of(account, Operation::Delete),
                ]
            })
            .collect();
        Self {
            model,
            validators,
            hooks: Registry::default(),
            cursor_key: keys.cursor,
            state_key: keys.state,
            csrf_key: keys.csrf,
            state,
            bindings: Bindings::default(),
            shapes: RwLock::default(),
            clock: AtomicU64::new(0),
            pre_selects,
        }
    }

    /// Runs code when rows of its resource are written.
    pub(crate) fn add_hooks(&mut self, hooks: Unbound) -> Result<(), Vec<Mismatch>> {
        let binding = self.binding(&hooks.of)?;
        self.hooks.add(hooks, binding);
        Ok(())
    }

    /// A struct's place in the service.
    pub(crate) fn binding(&self, of: &Struct) -> Result<Arc<Binding>, Vec<Mismatch>> {
        self.bindings.get(&self.model, of)
    }

    /// Refuses what is closed to a caller whatever the row.
    pub(crate) fn open(
        &self,
        resource: ResourceId,
        deed: impl Into<Deed>,
        caller: &Caller,
    ) -> Result<(), Problem> {
        let deed = deed.into();
        let ruling = self.model.rules(resource).deed(deed);
        match ruling.permit(caller) {
            Permit::Never => Err(ruling.refusal(&self.model, caller)),
            Permit::Always | Permit::When(_) => Ok(()),
        }
    }

    /// Validates as a caller, at the moment of the request.
    pub(crate) fn as_writer<T>(
        &self,
        resource: ResourceId,
        caller: &Caller,
        now: Timestamp,
        validate: impl FnOnce(&Writer<'_>) -> T,
    ) -> T {
        let is_himself = caller.kind_in(resource, Act::Write) == Kind::Account;
        let me = self.key_of(caller).filter(|_| is_himself);
        let closed = |field: u32| {
            let rule = self.model.rules(resource).writable[field as usize].as_ref();
            rule.is_some_and(|rule| rule.permit(caller) == Permit::Never)
        };
        validate(&Writer {
            now,
            me: me.as_deref(),
            closed: &closed,
            is_trusted: caller.is_unrestricted,
        })
    }

    /// The key of a caller's account.
    pub(crate) fn key_of(&self, caller: &Caller) -> Option<Vec<Value>> {
        let account = caller.account.as_ref()?;
        let fields = &self.model.resource(account.resource).key.fields;
        let decoded = |field: &FieldId| self.model.codec(*field).decode(account.cell(*field).as_ref());
        fields.iter().map(|field| decoded(field).ok()).collect()
    }

    /// The statements of a shape, written now or kept from before.
    pub fn compiled(&self, shape: &Arc<Shape>) -> Arc<Compiled> {
        let now = self.clock.fetch_add(1, Ordering::Relaxed);
        if let Some(found) = self
            .shapes
            .read()
            .unwrap_or_else(PoisonError::into_inner)
            .get(shape)
        {
            found.used.store(now, Ordering::Relaxed);
            return Arc::clone(found);
        }
        let compiled = Arc::new(Compiled {
            shape: Arc::clone(shape),
            read: select::read(&self.model, shape),
            deprecated: self.model.deprecation_of(&shape.level),
            lane: AtomicU8::new(0),
            used: AtomicU64::new(now),
        });
        let mut shapes = self.shapes.write().unwrap_or_else(PoisonError::into_inner);
        if shapes.len() >= SHAPES {
            let oldest = shapes
                .iter()
                .min_by_key(|(_, kept)| kept.used.load(Ordering::Relaxed));
            if let Some(oldest) = oldest.map(|(shape, _)| Arc::clone(shape)) {
                shapes.remove(&oldest);
            }
        }
        shapes.insert(Arc::clone(shape), Arc::clone(&compiled));
        compiled
    }

    /// The pre-select of an update or delete without computed fields, made at start; `None` for what is rarely done.
    pub fn pre_select(
        &self,
        resource: ResourceId,
        caller: &Caller,
        operation: Operation,
    ) -> Option<&PreSelect> {
        let kind = caller.kind_in(resource, Act::Write);
        if caller.is_unrestricted || kind != caller.kind_in(resource, Act::Read) {
            return None;
        }
        let first = 2 * usize::from(kind == Kind::Account);
        let place = match operation {
            Operation::Update => first,
            Operation::Delete => first + 1,
            Operation::Create | Operation::Read | Operation::Restore => return None,
        };
        Some(&self.pre_selects[resource.0 as usize][place])
    }
}

impl std::fmt::Debug for Engine {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Engine")
            .field("schema", &self.model.schema.name)
            .finish_non_exhaustive()
    }
}
