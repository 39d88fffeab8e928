//! What is asked of a resource, and what is to be answered.

mod absent;
mod access;
mod account;
mod clash;
mod delete;
mod hidden;
mod life;
mod limit;
mod list;
mod member;
mod narrow;
mod nested;
mod paired;
mod pointed;

pub(super) use list::{filter, is_filtered};
use rest_schema::{Field, FieldId, Operation, Resource, ResourceId, Rule, Schema, naming};

use super::cast::{Cast, Wanted};
use super::scene::{Cell, Scene, Slot, Who};
use super::search::{Goal, Search};
use super::stage::Stage;
use super::text::{Test, asked};

/// The tests of one resource, and what they leave out.
#[derive(Debug, Default)]
pub(super) struct Page {
    pub(super) tests: Vec<Test>,
    /// What is not covered, and why.
    pub(super) notes: Vec<String>,
}

impl Page {
    fn note(&mut self, note: impl Into<String>) {
        self.notes.push(note.into());
    }
}

/// All tests of a resource.
pub(super) fn all(schema: &Schema, id: ResourceId) -> Page {
    let of = Of::new(schema, id);
    let mut page = Page::default();
    of.life(&mut page);
    of.limits(&mut page);
    of.clashes(&mut page);
    of.deletions(&mut page);
    of.access(&mut page);
    of.hidden(&mut page);
    of.paired(&mut page);
    of.nested(&mut page);
    of.narrow(&mut page);
    of.members(&mut page);
    of.lists(&mut page);
    of.accounts(&mut page);
    page
}

/// What a resource's tests are made of.
#[derive(Debug, Clone, Copy)]
pub(super) struct Of<'s> {
    schema: &'s Schema,
    id: ResourceId,
    resource: &'s Resource,
}

impl<'s> Of<'s> {
    pub(super) fn new(schema: &'s Schema, id: ResourceId) -> Self {
        Self {
            schema,
            id,
            resource: schema.resource(id),
        }
    }

    pub(super) fn rule(&self, operation: Operation) -> Option<&'s Rule> {
        self.resource.access.rule(operation)
    }

    fn serves(&self, operation: Operation) -> bool {
        self.rule(operation).is_some()
    }

    fn fields(&self) -> impl Iterator<Item = (u32, &'s Field)> + use<'s> {
        (0u32..).zip(&self.resource.fields)
    }

    fn is_key(&self, index: u32) -> bool {
        self.resource.key.fields.iter().any(|id| id.index == index)
    }

    fn is_accounts(&self) -> bool {
        self.schema
            .accounts
            .as_ref()
            .is_some_and(|accounts| accounts.resource == self.id)
    }

    /// `a_post`, `an_order`
    fn one(&self) -> String {
        one(&self.resource.name)
    }

    /// An account that may make an item, with no more than that takes.
    fn maker(&self) -> Option<Cast<'s>> {
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Create],
            full: false,
            apart: false,
        };
        wanted.as_account(self.schema)
    }

    /// Whether a body may set a field: on create, or also on update.
    fn is_sent(&self, index: u32, field: &Field, changing: bool) -> bool {
        let is_key = self.is_key(index);
        field.is_accepted()
            && (!is_key || self.resource.key.by_client)
            && !(changing && (is_key || field.immutable))
    }

    /// A change that the rules allow to a caller, after which other goals are met still: a field, its new value, and
    /// the scene after it.
    pub(super) fn change(
        &self,
        scene: &Scene<'s>,
        row: usize,
        me: Who,
        goals: &[Goal<'s>],
    ) -> Option<(u32, Cell, Scene<'s>)> {
        let old = &scene.rows[row];
        self.fields()
            .filter(|(index, field)| {
                let is_plain = matches!(field.role, rest_schema::FieldRole::Plain);
                let is_password = field.ty == rest_schema::FieldType::Password;
                is_plain && !is_password && field.writable.is_none() && self.is_sent(*index, field, true)
            })
            .find_map(|(index, _)| {
                let values = scene.rules(self.resource, index).candidates().into_iter();
                let mut changes = values
                    .map(Cell::Value)
                    .filter(|cell| scene.cell(row, index) != *cell);
                changes.find_map(|cell| {
                    let mut changed = scene.clone();
                    changed.rows[row].slots[index as usize] = Slot::Given(cell.clone());
                    let is_sound = changed.is_sound() && Search::keeps_checks(&changed);
                    let rule = self.rule(Operation::Update)?;
                    let judge = super::judge::Judge::after(&changed, me, old);
                    let grants = judge.truth(&rule.expr, &[&changed.rows[row]]).grants();
                    let holds = goals.iter().all(|goal| goal.holds(&changed));
                    (is_sound && grants && holds).then_some((index, cell, changed))
                })
            })
    }

    /// The members that a reader is sure to see, as far as their values are known.
    fn shown(&self, stage: &Stage<'_, 's>, row: usize, me: Who) -> Vec<(String, String)> {
        let scene = stage.scene();
        let mut members = Vec::new();
        for (index, field) in self.fields() {
            let is_shown =
                field.is_shown() && field.is_stored() && field.ty != rest_schema::FieldType::Password;
            if !is_shown || !may_read(scene, row, field, me) {
                continue;
            }
            let (Slot::Given(cell) | Slot::Left(cell)) = &scene.rows[row].slots[index as usize] else {
                continue;
            };
            let is_own = matches!(cell, Cell::Key(place) if *place == row);
            let is_null =
                matches!(&scene.rows[row].slots[index as usize], Slot::Left(cell) if *cell == Cell::NULL);
            if !is_own && !is_null {
                members.extend(stage.json(cell).map(|json| (field.api_name.clone(), json)));
            }
        }
        members
    }

    /// A test with what comes before it.
    fn test(&self, name: impl Into<String>, stage: &Stage<'_, 's>, body: Vec<String>) -> Test {
        let mut lines = vec!["let api = api().await;".to_owned()];
        lines.extend(stage.lines());
        if body.iter().any(|line| super::helpers::speaks_of(line, "nobody")) {
            lines.push(format!(
                "let nobody = {};",
                super::helpers::anonymous(self.schema)
            ));
        }
        lines.extend(body);
        Test {
            name: name.into(),
            lines,
        }
    }

    fn names(&self, fields: &[FieldId]) -> String {
        let names: Vec<String> = fields
            .iter()
            .map(|id| naming::snake(&self.schema.field(*id).name))
            .collect();
        names.join("_and_")
    }
}

/// Whether a reader of an item is sure to see a field.
fn may_read<'s>(scene: &Scene<'s>, row: usize, field: &'s Field, me: Who) -> bool {
    let judge = super::judge::Judge::new(scene, me);
    let readable = field.readable.as_ref();
    readable.is_none_or(|rule| judge.truth(&rule.expr, &[&scene.rows[row]]).grants())
}

/// `a_post`, `an_order`
pub(super) fn one(name: &str) -> String {
    let name = naming::snake(name);
    let article = if name.starts_with(['a', 'e', 'i', 'o', 'u']) {
        "an"
    } else {
        "a"
    };
    format!("{article}_{name}")
}

/// `let answer = who.method(arguments).await;`
fn answer(who: &str, method: &str, arguments: &[&str], deep: usize) -> Vec<String> {
    asked("let answer = ", who, method, arguments, deep)
}

/// The accounts that could be asked whether a rule grants them something, the nearest first; the scene may get a new
/// one, and other values, for it.
fn somebody<'s>(
    scene: &Scene<'s>,
    before: &[Goal<'s>],
    candidates: &[Who],
    goals: impl Fn(Who) -> Vec<Goal<'s>>,
) -> Option<(Scene<'s>, Who)> {
    let try_one = |scene: Scene<'s>, who: Who| {
        let all: Vec<Goal<'s>> = before.iter().cloned().chain(goals(who)).collect();
        Search::find(scene, &all).map(|scene| (scene, who))
    };
    let found = candidates.iter().find_map(|who| try_one(scene.clone(), *who));
    found.or_else(|| {
        let accounts = scene.schema.accounts.as_ref()?.resource;
        let mut scene = scene.clone();
        let fresh = scene.add(accounts, super::scene::How::THERE, &[])?;
        try_one(scene, Some(fresh))
    })
}
