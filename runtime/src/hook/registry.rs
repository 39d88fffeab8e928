//! The hooks of a service, by resource.

use std::collections::HashMap;
use std::fmt;
use std::future::Future;
use std::marker::PhantomData;
use std::pin::Pin;
use std::sync::Arc;

use rest_schema::ResourceId;

use super::draft::RawDraft;
use super::{Change, Draft, Hooks, Moment, RawChange, Tx};
use crate::problem::Problem;
use crate::typed::{Binding, RestResource, Struct};

type Boxed<'a, T> = Pin<Box<dyn Future<Output = T> + Send + 'a>>;

/// Hooks without the struct's type.
pub(crate) trait AnyHooks: Send + Sync {
    fn prepare<'a>(
        &'a self,
        binding: &'a Arc<Binding>,
        draft: RawDraft,
    ) -> Boxed<'a, Result<RawDraft, Problem>>;

    fn run<'a>(
        &'a self,
        moment: Moment,
        binding: &'a Arc<Binding>,
        tx: &'a mut Tx,
        change: &'a RawChange,
    ) -> Boxed<'a, Result<(), Problem>>;

    fn committed<'a>(
        &'a self,
        binding: &'a Arc<Binding>,
        change: &'a RawChange,
    ) -> Boxed<'a, Result<(), Problem>>;
}

struct Typed<R, H> {
    hooks: H,
    of: PhantomData<fn() -> R>,
}

impl<R: RestResource, H: Hooks<R>> AnyHooks for Typed<R, H> {
    fn prepare<'a>(
        &'a self,
        binding: &'a Arc<Binding>,
        draft: RawDraft,
    ) -> Boxed<'a, Result<RawDraft, Problem>> {
        Box::pin(async move {
            let mut draft = Draft::of(draft, Arc::clone(binding));
            self.hooks.prepare(&mut draft).await?;
            Ok(draft.into_raw())
        })
    }

    fn run<'a>(
        &'a self,
        moment: Moment,
        binding: &'a Arc<Binding>,
        tx: &'a mut Tx,
        change: &'a RawChange,
    ) -> Boxed<'a, Result<(), Problem>> {
        Box::pin(async move {
            let change = Change::of(change, binding)?;
            match moment {
                Moment::Before => self.hooks.before(tx, &change).await,
                Moment::Within => self.hooks.within(tx, &change).await,
            }
        })
    }

    fn committed<'a>(
        &'a self,
        binding: &'a Arc<Binding>,
        change: &'a RawChange,
    ) -> Boxed<'a, Result<(), Problem>> {
        Box::pin(async move {
            self.hooks.committed(Change::of(change, binding)?).await;
            Ok(())
        })
    }
}

/// Hooks whose struct isn't held against the schema yet.
#[derive(Clone)]
pub(crate) struct Unbound {
    pub(crate) of: Struct,
    hooks: Arc<dyn AnyHooks>,
    name: &'static str,
}

impl Unbound {
    pub(crate) fn new<R: RestResource, H: Hooks<R>>(hooks: H) -> Self {
        Self {
            of: Struct::of::<R>(),
            hooks: Arc::new(Typed {
                hooks,
                of: PhantomData,
            }),
            name: std::any::type_name::<H>(),
        }
    }
}

impl fmt::Debug for Unbound {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} of {}", self.name, self.of.name)
    }
}

/// Hooks of a resource.
#[derive(Clone)]
pub(crate) struct Hooked {
    pub(crate) binding: Arc<Binding>,
    pub(crate) hooks: Arc<dyn AnyHooks>,
    /// Their type, and the resource.
    pub(crate) name: String,
}

impl fmt::Debug for Hooked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.name)
    }
}

/// The hooks of a service.
#[derive(Debug, Default)]
pub(crate) struct Registry(HashMap<ResourceId, Vec<Hooked>>);

impl Registry {
    /// Adds hooks to the writes of a resource.
    pub(crate) fn add(&mut self, unbound: Unbound, binding: Arc<Binding>) {
        self.0.entry(binding.resource).or_default().push(Hooked {
            name: format!("{unbound:?}"),
            binding,
            hooks: unbound.hooks,
        });
    }

    /// Those of a resource, in the order in which they were added.
    pub(crate) fn of(&self, resource: ResourceId) -> &[Hooked] {
        self.0.get(&resource).map_or(&[], Vec::as_slice)
    }
}
