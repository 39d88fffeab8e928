//! What can't be made because of what is there: values that may stand once, keys that lead nowhere.

use rest_schema::{FieldId, FieldRole, Link, Operation, RelationKind, Value};

use super::super::cast::Cast;
use super::super::literal;
use super::super::scene::{Cell, How, Scene, Slot};
use super::super::search::{Goal, Search};
use super::super::stage::Stage;
use super::super::text::{called, each, object};
use super::super::unique::{Uniqueness, uniques};
use super::{Of, Page, answer};

/// The number of a sample that no scene has.
const FAR: usize = 600;

impl<'s> Of<'s> {
    pub(super) fn clashes(&self, page: &mut Page) {
        if !self.serves(Operation::Create) {
            return;
        }
        let Some(cast) = self.makeable(false) else {
            page.note("uniqueness and foreign keys: nobody was found who may make an item");
            return;
        };
        for unique in uniques(self.resource) {
            self.taken(page, &cast, &unique);
        }
        self.nowhere(page, &cast);
    }

    fn taken(&self, page: &mut Page, cast: &Cast<'s>, unique: &Uniqueness<'s>) {
        if self.is_made_by_the_service(unique) {
            return;
        }
        let names = self.names(&unique.fields);
        let Some((scene, other)) = self.clashing(cast, unique) else {
            page.note(format!(
                "uniqueness of {names}: no two rows were found that share it"
            ));
            return;
        };
        let Some(stage) = Stage::new(&scene, &[(cast.granted, "caller")]) else {
            page.note(format!(
                "uniqueness of {names}: its rows need each other, so none can be made first"
            ));
            return;
        };
        stage.keep(other);
        let name = if cast.granted.is_some() {
            "caller"
        } else {
            "nobody"
        };
        let mut lines = object("body", &stage.members(cast.row));
        lines.extend(answer(name, "post", &["COLLECTION", "body"], 0));
        let shown = unique
            .fields
            .iter()
            .map(|id| self.schema.field(*id))
            .filter(|field| !field.private);
        let shown: Vec<String> = shown.map(|field| format!("{:?}", field.api_name)).collect();
        if shown.is_empty() || !unique.is_plain {
            lines.push("status(&answer, 409);".to_owned());
        } else if let [only] = shown.as_slice() {
            lines.extend(called("refused", &["&answer", "409", only, "\"taken\""], 0));
        } else {
            let within = called("refused", &["&answer", "409", "member", "\"taken\""], 1);
            lines.extend(each("member", &shown, within));
        }
        let what = if unique.is_plain {
            "a_taken"
        } else {
            "a_taken_index_of"
        };
        page.tests
            .push(self.test(format!("{what}_{names}_is_refused"), &stage, lines));
    }

    /// Keys that are counted up, UUIDs: nobody can give them.
    fn is_made_by_the_service(&self, unique: &Uniqueness<'_>) -> bool {
        unique.fields.iter().any(|id| {
            let field = self.schema.field(*id);
            let is_default = matches!(
                field.default,
                Some(rest_schema::DefaultValue::Uuid | rest_schema::DefaultValue::Now)
            );
            let is_generated = super::super::scene::is_generated(self.resource, id.index, field);
            is_generated || is_default && !field.is_accepted()
        })
    }

    /// The scene with a row that shares just these fields with the one that is to be made.
    fn clashing(&self, cast: &Cast<'s>, unique: &Uniqueness<'s>) -> Option<(Scene<'s>, usize)> {
        let mut scene = cast.scene.clone();
        for id in &unique.fields {
            self.give(&mut scene, cast.row, *id)?;
        }
        let create = self.rule(Operation::Create)?;
        let mut goals = vec![Goal::grants(&create.expr, cast.row, cast.granted)];
        goals.extend(
            unique
                .condition
                .map(|rule| Goal::grants(&rule.expr, cast.row, None)),
        );
        let mut scene = Search::find(scene, &goals)?;
        let given: Vec<(u32, Cell)> = unique
            .fields
            .iter()
            .map(|id| (id.index, scene.cell(cast.row, id.index)))
            .collect();
        scene.clashing = Some(cast.row);
        let other = scene.add(self.id, How::THERE, &given)?;
        goals.extend(unique.condition.map(|rule| Goal::grants(&rule.expr, other, None)));
        let scene = Search::find(scene, &goals)?;
        let is_shared = |id: &FieldId| {
            super::super::scene::same(&scene.cell(cast.row, id.index), &scene.cell(other, id.index))
        };
        unique.fields.iter().all(is_shared).then_some((scene, other))
    }

    /// Makes a field known and not NULL.
    fn give(&self, scene: &mut Scene<'s>, row: usize, id: FieldId) -> Option<()> {
        let cell = scene.cell(row, id.index);
        if !matches!(cell, Cell::Value(Value::Null) | Cell::Unknown | Cell::Now) {
            return Some(());
        }
        let field = self.schema.field(id);
        if let FieldRole::ForeignKey(relation) = field.role {
            let target = scene.add(self.schema.relation(relation).target, How::THERE, &[])?;
            scene.link(row, relation, target);
            return field.is_accepted().then_some(());
        }
        if !scene.is_settable(row, id.index) {
            return None;
        }
        let value = scene.rules(self.resource, id.index).nth(1)?;
        scene.rows[row].slots[id.index as usize] = Slot::Given(Cell::Value(value));
        Some(())
    }

    fn nowhere(&self, page: &mut Page, cast: &Cast<'s>) {
        let rows = self.keys_to_nowhere();
        if rows.is_empty() {
            return;
        }
        let Some(stage) = Stage::new(&cast.scene, &[(cast.granted, "caller")]) else {
            return;
        };
        let name = if cast.granted.is_some() {
            "caller"
        } else {
            "nobody"
        };
        let mut lines = object("sound", &stage.members(cast.row));
        let mut within = vec!["let body = with(&sound, member, value);".to_owned()];
        within.extend(answer(name, "post", &["COLLECTION", "body"], 1));
        within.extend(called(
            "refused",
            &["&answer", "409", "member", "\"no-such-item\""],
            1,
        ));
        lines.extend(each("(member, value)", &rows, within));
        page.tests
            .push(self.test("a_key_that_leads_nowhere_is_refused", &stage, lines));
    }

    fn keys_to_nowhere(&self) -> Vec<String> {
        let mut rows = Vec::new();
        for relation in &self.resource.relations {
            let (Link::Keys { local, remote }, RelationKind::BelongsTo) = (&relation.link, relation.kind)
            else {
                continue;
            };
            let field = self.schema.field(local[0]);
            let is_sent = self.is_sent(local[0].index, field, false) && field.writable.is_none();
            // A key of several fields of which some are optional is only a key where all are given.
            let is_whole = local
                .iter()
                .all(|id| self.schema.field(*id).optional == (local.len() == 1 && field.optional));
            if !is_sent || !is_whole {
                continue;
            }
            let target = self.schema.resource(relation.target);
            let rules = super::super::sample::Rules {
                field: &target.fields[remote[0].index as usize],
                is_key: true,
            };
            let far = match rules.nth(FAR) {
                Some(Value::Integer(_)) => Some(Value::Integer(2_000_000_000)),
                other => other,
            };
            rows.extend(far.map(|value| format!("({:?}, json!({}))", field.api_name, literal::json(&value))));
        }
        rows.dedup();
        rows
    }
}
