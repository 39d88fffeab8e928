//! Structs that are resources: what a derive implements, and what typed code is built on.
//!
//! A struct says what it is ([`RestResource::written`]) and how its fields are made of values; which resource of the
//! served schema that is, and which field is where, is bound once, at start.

mod bind;
mod field;
mod value;

pub use bind::Mismatch;
pub(crate) use bind::{Binding, Bindings};
pub(crate) use field::Given;
pub use field::{Condition, Order, Set, Textual};
pub use value::{Enumerated, FieldValue, Kinds, ManyToMany, Misfit, Password, Taker};

use std::marker::PhantomData;

use rest_schema::written::{self, Writer};
use rest_schema::{Loaded, Report, Value};

/// A struct that is a resource. Derive it: `#[derive(RestResource)]`.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no resource",
    label = "a struct that derives `RestResource` is expected"
)]
pub trait RestResource: Sized + Send + Sync + 'static {
    /// The resource's name in the schema.
    const NAME: &'static str;
    /// What tells one item from another: the key field's type, or a tuple where the key is composite.
    type Key: FieldValue;
    /// The struct's fields that hold values, in their order.
    const COLUMNS: &'static [Column];
    /// What there is to know of it without its type.
    const STRUCT: Struct = Struct::of::<Self>();
    /// Writes the resource as the struct describes it, into the mapping of its keys.
    fn written(writer: &mut Writer);
    /// The item's key.
    fn key(&self) -> Self::Key;
    /// Makes an item of its values, in the order of [`RestResource::COLUMNS`].
    fn take(values: &mut Taker) -> Result<Self, Misfit>;
    /// Adds the item's values, in the order of [`RestResource::COLUMNS`].
    fn put(&self, values: &mut Vec<Value>);
}

/// A struct that lists the resources of a service. Derive it: `#[derive(RestService)]`.
pub trait RestService: 'static {
    /// Writes the whole service: its settings, its accounts, its resources.
    fn written(writer: &mut Writer);
    /// Names each resource's struct, so that they can be held against the schema at start.
    fn structs(add: &mut dyn FnMut(Struct));
}

/// The schema that a service's structs describe.
///
/// # Errors
///
/// Every fault there is, each with its file, line and column.
pub fn load<S: RestService>() -> Result<Loaded, Report> {
    let mut writer = Writer::new();
    S::written(&mut writer);
    written::read(writer)
}

/// What there is to know of a struct without its type.
#[derive(Debug, Clone, Copy)]
pub struct Struct {
    /// The struct.
    pub id: fn() -> std::any::TypeId,
    /// The resource's name in the schema.
    pub name: &'static str,
    /// Its fields that hold values.
    pub columns: &'static [Column],
    /// What its key holds.
    pub key: Kinds,
}

impl Struct {
    /// Of a struct.
    pub const fn of<R: RestResource>() -> Self {
        Self {
            id: std::any::TypeId::of::<R>,
            name: R::NAME,
            columns: R::COLUMNS,
            key: <R::Key as FieldValue>::KINDS,
        }
    }
}

/// A field of a struct that holds a value, or several where it is a foreign key to a composite key.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    /// The name in the schema: of a field, or of the belongs_to whose key it holds.
    pub name: &'static str,
    /// Whether it is the key of a belongs_to.
    pub is_relation: bool,
    /// What its Rust type holds.
    pub kinds: Kinds,
}

impl Column {
    /// A field of the schema.
    pub const fn field<T: FieldValue>(name: &'static str) -> Self {
        Self::of(name, false, T::KINDS)
    }

    /// The key that a belongs_to holds.
    pub const fn relation<T: FieldValue>(name: &'static str) -> Self {
        Self::of(name, true, T::KINDS)
    }

    /// The one or the other, of what its Rust type holds.
    pub const fn of(name: &'static str, is_relation: bool, kinds: Kinds) -> Self {
        Self {
            name,
            is_relation,
            kinds,
        }
    }
}

/// A field of a resource, for typed code: `Post::TITLE`. `place` is that of its column in [`RestResource::COLUMNS`].
pub struct Field<R, T> {
    place: usize,
    of: PhantomData<fn() -> (R, T)>,
}

impl<R, T> Field<R, T> {
    /// The field at a place.
    pub const fn at(place: usize) -> Self {
        Self {
            place,
            of: PhantomData,
        }
    }

    /// The place of its column.
    pub const fn place(&self) -> usize {
        self.place
    }
}

impl<R, T> Clone for Field<R, T> {
    fn clone(&self) -> Self {
        *self
    }
}

impl<R, T> Copy for Field<R, T> {}

impl<R, T> std::fmt::Debug for Field<R, T> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Field").field("place", &self.place).finish()
    }
}

/// An enum that is the values of a field. Derive it: `#[derive(RestEnum)]`.
pub trait RestEnum: Sized + Send + Sync + 'static {
    /// The words on the wire, one for each variant in their order.
    const WORDS: &'static [&'static str];
    /// The variant's place.
    fn place(&self) -> usize;
    /// The variant at a place.
    fn at(place: usize) -> Option<Self>;
    /// The word on the wire.
    fn word(&self) -> &'static str {
        value::word(Self::WORDS, self.place())
    }
}
