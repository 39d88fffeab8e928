//! What a body may say: every limit of every field, and every check.

use rest_schema::{Field, Operation};

use super::super::cast::{Cast, Wanted};
use super::super::literal;
use super::super::refused;
use super::super::scene::{Cell, Slot};
use super::super::search::Search;
use super::super::stage::Stage;
use super::super::text::{called, each, object};
use super::{Of, Page, answer};

/// The longest body that a test sends.
const MOST_BYTES: u64 = 8 << 20;

/// A row of a table: a member, what stands in `json!(…)`, the word it is refused for.
fn row(member: &str, json: &str, code: &str) -> String {
    format!("({member:?}, json!({json}), {code:?})")
}

impl<'s> Of<'s> {
    pub(super) fn limits(&self, page: &mut Page) {
        if self.serves(Operation::Create) {
            match self.makeable(true) {
                Some(cast) => {
                    self.limits_of_create(page, &cast);
                    self.checks(page, &cast);
                    self.costs(page, &cast);
                }
                None => page.note("limits of create: nobody was found who may make an item"),
            }
        }
        if self.serves(Operation::Update) {
            self.limits_of_update(page);
        }
    }

    /// A row that somebody may make.
    pub(super) fn makeable(&self, full: bool) -> Option<Cast<'s>> {
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Create],
            full,
            apart: false,
        };
        wanted.find(self.schema)
    }

    fn limits_of_create(&self, page: &mut Page, cast: &Cast<'s>) {
        let Some(stage) = Stage::new(&cast.scene, &[(cast.granted, "caller")]) else {
            page.note("limits of create: the rows it needs need each other, so none can be made first");
            return;
        };
        let name = if cast.granted.is_some() {
            "caller"
        } else {
            "nobody"
        };
        let mut lines = object("sound", &stage.members(cast.row));
        let rows = self.refused_on_create(page);
        let mut within = vec!["let body = with(&sound, member, value);".to_owned()];
        within.extend(answer(name, "post", &["COLLECTION", "body"], 1));
        within.extend(called("refused", &["&answer", "422", "member", "code"], 1));
        lines.extend(each("(member, value, code)", &rows, within));
        let required = self.required(&stage, cast.row);
        if !required.is_empty() {
            let mut within = vec!["let body = without(&sound, member);".to_owned()];
            within.extend(answer(name, "post", &["COLLECTION", "body"], 1));
            within.extend(called(
                "refused",
                &["&answer", "422", "member", "\"required\""],
                1,
            ));
            lines.extend(each("member", &required, within));
        }
        lines.extend(answer(name, "post", &["COLLECTION", "sound"], 0));
        lines.push("status(&answer, 201);".to_owned());
        page.tests
            .push(self.test("what_breaks_a_limit_is_not_made", &stage, lines));
    }

    fn refused_on_create(&self, page: &mut Page) -> Vec<String> {
        let mut rows = Vec::new();
        for (index, field) in self.fields() {
            let name = &field.api_name;
            if field.private {
                rows.push(row(name, "1", "unknown-field"));
            } else if !self.is_sent(index, field, false) {
                rows.push(row(name, "1", "readonly"));
            } else if field.writable.is_none() {
                rows.extend(self.refused_values(index, field));
            }
        }
        if self.is_named("no_such_member") {
            page.note("an unknown member: one has the name that the tests would use");
        } else {
            rows.push(row("no_such_member", "1", "unknown-field"));
        }
        rows
    }

    fn is_named(&self, name: &str) -> bool {
        self.resource.fields.iter().any(|field| field.api_name == name)
            || self
                .resource
                .relations
                .iter()
                .any(|relation| relation.name == name)
    }

    fn refused_values(&self, index: u32, field: &Field) -> Vec<String> {
        let rules = super::super::sample::Rules {
            field,
            is_key: self.is_key(index),
        };
        let all = refused::all(&rules, self.schema.limits.body / 2).into_iter();
        all.map(|refused| row(&field.api_name, &refused.json, refused.code))
            .collect()
    }

    /// The members that a body can't leave out.
    fn required(&self, stage: &Stage<'_, 's>, row: usize) -> Vec<String> {
        let slots = &stage.scene().rows[row].slots;
        self.fields()
            .filter(|(index, field)| {
                let is_given = matches!(slots[*index as usize], Slot::Given(_));
                let is_made =
                    self.is_key(*index) && super::super::scene::is_generated(self.resource, *index, field);
                is_given && !field.optional && field.default.is_none() && !is_made
            })
            .map(|(_, field)| format!("{:?}", field.api_name))
            .collect()
    }

    fn checks(&self, page: &mut Page, cast: &Cast<'s>) {
        for check in &self.resource.checks {
            let broken = Search::breaking(&cast.scene, &check.rule.expr, cast.row);
            let stage = broken
                .as_ref()
                .and_then(|scene| Stage::new(scene, &[(cast.granted, "caller")]));
            let Some(stage) = stage else {
                page.note(format!(
                    "check {}: no body was found that breaks `{}`",
                    check.name, check.rule.source
                ));
                continue;
            };
            let name = if cast.granted.is_some() {
                "caller"
            } else {
                "nobody"
            };
            let mut lines = object("body", &stage.members(cast.row));
            lines.extend(answer(name, "post", &["COLLECTION", "body"], 0));
            let code = format!("{:?}", check.name);
            lines.extend(called("refused", &["&answer", "422", "\"\"", &code], 0));
            let test = format!(
                "{}_that_breaks_{}_is_not_made",
                self.one(),
                rest_schema::naming::snake(&check.name)
            );
            page.tests.push(self.test(test, &stage, lines));
        }
    }

    /// What any request may cost; told once for the whole service, where items are made first.
    fn costs(&self, page: &mut Page, cast: &Cast<'s>) {
        let mut made = self
            .schema
            .resources()
            .filter(|(_, resource)| resource.access.create.is_some());
        if made.next().is_none_or(|(id, _)| id != self.id) {
            return;
        }
        let Some(stage) = Stage::alone(&cast.scene, cast.granted, "caller") else {
            return;
        };
        let name = if cast.granted.is_some() {
            "caller"
        } else {
            "nobody"
        };
        let (bytes, most) = (self.schema.limits.body, u64::from(self.schema.limits.bulk));
        let mut lines = Vec::new();
        if bytes <= MOST_BYTES {
            lines.push(format!("let long = json!({{\"long\": \"x\".repeat({bytes})}});"));
            lines.extend(answer(name, "post", &["COLLECTION", "long"], 0));
            lines.push("status(&answer, 413);".to_owned());
        } else {
            page.note(format!("limits of bodies: {bytes} bytes are too many for a test"));
        }
        lines.extend(answer(name, "post", &["COLLECTION", "json!([])"], 0));
        lines.extend(called("refused", &["&answer", "422", "\"\"", "\"too-short\""], 0));
        if most * 4 < bytes.min(MOST_BYTES) {
            lines.push(format!("let many = vec![json!({{}}); {}];", most + 1));
            lines.extend(answer(name, "post", &["COLLECTION", "many"], 0));
            lines.extend(called("refused", &["&answer", "422", "\"\"", "\"too-long\""], 0));
        } else {
            page.note(format!(
                "limits of arrays: {most} objects are too many for a test"
            ));
        }
        page.tests.push(self.test("a_body_has_its_limits", &stage, lines));
    }

    fn limits_of_update(&self, page: &mut Page) {
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Update],
            full: true,
            apart: false,
        };
        let Some(cast) = wanted.find(self.schema) else {
            page.note("limits of update: nobody was found who may change an item");
            return;
        };
        let Some(stage) = Stage::new(&cast.scene, &[(cast.granted, "caller")]) else {
            page.note("limits of update: the rows it needs need each other, so none can be made first");
            return;
        };
        let rows = self.refused_on_update(&cast);
        if rows.is_empty() {
            return;
        }
        let name = if cast.granted.is_some() {
            "caller"
        } else {
            "nobody"
        };
        let mut lines = vec![format!("let at = item(COLLECTION, {});", stage.key_ref(cast.row))];
        let mut within = vec!["let change = json!({member: value});".to_owned()];
        within.extend(answer(name, "patch", &["&at", "change"], 1));
        within.extend(called("refused", &["&answer", "422", "member", "code"], 1));
        lines.extend(each("(member, value, code)", &rows, within));
        page.tests
            .push(self.test("what_breaks_a_limit_is_not_changed", &stage, lines));
    }

    fn refused_on_update(&self, cast: &Cast<'s>) -> Vec<String> {
        let mut rows = Vec::new();
        for (index, field) in self.fields() {
            let name = &field.api_name;
            if field.writable.is_some() || field.private {
                continue;
            }
            if self.is_sent(index, field, true) {
                rows.extend(self.refused_values(index, field));
            } else if let Some(other) = self.another_value(cast, index, field) {
                let is_key = self.is_key(index) && self.resource.key.by_client;
                let is_immutable = field.is_accepted() && (is_key || field.immutable && !self.is_key(index));
                let code = if is_immutable { "immutable" } else { "readonly" };
                rows.push(row(name, &other, code));
            }
        }
        rows
    }

    /// A value of the field's type that the row surely doesn't have.
    fn another_value(&self, cast: &Cast<'s>, index: u32, field: &Field) -> Option<String> {
        let rules = super::super::sample::Rules {
            field,
            is_key: self.is_key(index),
        };
        let values = rules
            .candidates()
            .into_iter()
            .filter(|value| *value != rest_schema::Value::Null);
        // Keys that are counted up begin at 1; of the moment of a write only the century is known.
        let mut values: Vec<_> = values.collect();
        values.reverse();
        let now = cast.scene.cell(cast.row, index);
        if now == Cell::Unknown && field.ty == rest_schema::FieldType::Boolean {
            return None;
        }
        let other = values
            .into_iter()
            .find(|value| now != Cell::Value(value.clone()))?;
        Some(literal::json(&other))
    }
}
