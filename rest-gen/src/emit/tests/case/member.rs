//! Fields that not everybody may read or write.

use rest_schema::{Field, Operation, Rule};

use super::super::judge::Judge;
use super::super::scene::{Cell, How, Scene, Slot, Who};
use super::super::search::{Goal, Search};
use super::super::stage::Stage;
use super::super::text::{called, inline};
use super::{Of, Page, answer, somebody};

impl<'s> Of<'s> {
    pub(super) fn members(&self, page: &mut Page) {
        for (index, field) in self.fields() {
            if let Some(rule) = field
                .readable
                .as_ref()
                .filter(|_| field.is_shown() && self.serves(Operation::Read))
            {
                self.readable(page, field, rule);
            }
            if let Some(rule) = field.writable.as_ref().filter(|_| self.serves(Operation::Update)) {
                self.writable(page, index, field, rule);
            }
        }
    }

    /// A row, and accounts that may be asked about it.
    fn subject(&self) -> Option<(Scene<'s>, usize, Vec<Who>)> {
        let mut scene = Scene::new(self.schema);
        let row = scene.add(self.id, How::THERE, &[])?;
        let mut candidates = vec![None];
        if self.is_accounts() {
            candidates.insert(0, Some(row));
        }
        Some((scene, row, candidates))
    }

    /// Somebody who sees the field and somebody who sees the item without it.
    fn readable(&self, page: &mut Page, field: &Field, rule: &'s Rule) {
        let Some(read) = self.rule(Operation::Read) else {
            return;
        };
        let found = self.subject().and_then(|(scene, row, candidates)| {
            let sees = |who| {
                vec![
                    Goal::grants(&read.expr, row, who),
                    Goal::grants(&rule.expr, row, who),
                ]
            };
            let misses = |who| {
                vec![
                    Goal::grants(&read.expr, row, who),
                    Goal::refuses(&rule.expr, row, who),
                ]
            };
            let (scene, reader) = somebody(&scene, &[], &candidates, sees)?;
            let (scene, other) = somebody(&scene, &sees(reader), &[None], misses)?;
            Some((scene, row, reader, other))
        });
        let Some((scene, row, reader, other)) = found else {
            page.note(format!(
                "readable of {}: no two were found of whom `{}` tells apart",
                field.name, rule.source
            ));
            return;
        };
        let Some(stage) = Stage::new(&scene, &[(reader, "granted"), (other, "other")]) else {
            return;
        };
        let (reader, other) = (named(reader, "granted"), named(other, "other"));
        let member = format!("{:?}", field.api_name);
        let mut lines = vec![format!("let at = item(COLLECTION, {});", stage.key_ref(row))];
        lines.extend(answer(reader, "get", &["&at"], 0));
        lines.push("status(&answer, 200);".to_owned());
        lines.extend(asserted(&format!("answer.body.get({member}).is_some()")));
        lines.extend(answer(other, "get", &["&at"], 0));
        lines.push("status(&answer, 200);".to_owned());
        lines.extend(asserted(&format!("answer.body.get({member}).is_none()")));
        let name = rest_schema::naming::snake(&field.name);
        page.tests
            .push(self.test(format!("{name}_is_shown_to_some_only"), &stage, lines));
    }

    /// Somebody who may write the field, and somebody who may write others.
    fn writable(&self, page: &mut Page, index: u32, field: &Field, rule: &'s Rule) {
        let (Some(read), Some(update)) = (self.rule(Operation::Read), self.rule(Operation::Update)) else {
            return;
        };
        if !self.is_sent(index, field, true) {
            return;
        }
        let found = self.subject().and_then(|(scene, row, candidates)| {
            let changes = |who| {
                vec![
                    Goal::grants(&read.expr, row, who),
                    Goal::grants(&update.expr, row, who),
                ]
            };
            let may = |who| [changes(who), vec![Goal::grants(&rule.expr, row, who)]].concat();
            let may_not = |who| [changes(who), vec![Goal::refuses(&rule.expr, row, who)]].concat();
            let both = somebody(&scene, &[], &candidates, may_not).and_then(|(scene, other)| {
                let (scene, writer) = somebody(&scene, &may_not(other), &candidates, may)?;
                Some((scene, writer, Some(other)))
            });
            let one = || somebody(&scene, &[], &candidates, may).map(|(scene, writer)| (scene, writer, None));
            let (scene, writer, other) = both.or_else(one)?;
            let before = [may(writer), other.map(may_not).unwrap_or_default()].concat();
            let (value, scene) = self.other_value(&scene, row, index, &before)?;
            Some((scene, row, writer, other, value))
        });
        let Some((scene, row, writer, other, value)) = found else {
            page.note(format!(
                "writable of {}: nobody was found to whom `{}` grants it",
                field.name, rule.source
            ));
            return;
        };
        let mut clients = vec![(writer, "granted")];
        clients.extend(other.map(|other| (other, "other")));
        let Some(stage) = Stage::new(&scene, &clients) else {
            return;
        };
        let Some(json) = stage.json(&value) else { return };
        let member = [(field.api_name.clone(), json)];
        let mut lines = vec![format!("let at = item(COLLECTION, {});", stage.key_ref(row))];
        lines.push(format!("let change = json!({});", inline(&member)));
        match other {
            Some(other) => {
                lines.extend(answer(named(other, "other"), "patch", &["&at", "&change"], 0));
                // Closed to him whatever the row is, it is like any other field that clients may not set.
                let is_closed = Judge::blind(&scene, other).truth(&rule.expr, &[]).refuses();
                let status = if is_closed { "422" } else { "403" };
                let member = format!("{:?}", field.api_name);
                lines.extend(called(
                    "refused",
                    &["&answer", status, &member, "\"readonly\""],
                    0,
                ));
            }
            None => page.note(format!(
                "writable of {}: nobody was found who may change an item and to whom `{}` doesn't grant it",
                field.name, rule.source
            )),
        }
        lines.extend(answer(named(writer, "granted"), "patch", &["&at", "&change"], 0));
        lines.push("status(&answer, 200);".to_owned());
        let name = rest_schema::naming::snake(&field.name);
        page.tests
            .push(self.test(format!("{name}_is_set_by_some_only"), &stage, lines));
    }

    /// Another value for a field, with which the rules still hold.
    fn other_value(
        &self,
        scene: &Scene<'s>,
        row: usize,
        index: u32,
        goals: &[Goal<'s>],
    ) -> Option<(Cell, Scene<'s>)> {
        let field = &self.resource.fields[index as usize];
        if let rest_schema::FieldRole::ForeignKey(relation) = field.role {
            let mut scene = scene.clone();
            let target = scene.add(self.schema.relation(relation).target, How::THERE, &[])?;
            let rest_schema::Link::Keys { remote, .. } = &self.schema.relation(relation).link else {
                return None;
            };
            let read = self
                .schema
                .resource(self.schema.relation(relation).target)
                .access
                .read
                .as_ref()?;
            let who = goals.first()?.me;
            let mut goals = goals.to_vec();
            goals.push(Goal::grants(&read.expr, target, who));
            let scene = Search::find(scene, &goals)?;
            return Some((scene.cell(target, remote.first()?.index), scene));
        }
        let values = scene.rules(self.resource, index).candidates().into_iter();
        let mut values = values
            .map(Cell::Value)
            .filter(|cell| scene.cell(row, index) != *cell);
        values.find_map(|cell| {
            let mut changed = scene.clone();
            changed.rows[row].slots[index as usize] = Slot::Given(cell.clone());
            let holds = goals
                .iter()
                .all(|goal| goal.holds_after(&changed, &scene.rows[row]));
            (holds && changed.is_sound() && Search::keeps_checks(&changed)).then(|| (cell, scene.clone()))
        })
    }
}

fn named(who: Who, name: &'static str) -> &'static str {
    if who.is_some() { name } else { "nobody" }
}

/// `assert!(condition, "{answer:?}");`
fn asserted(condition: &str) -> Vec<String> {
    called("assert!", &[condition, "\"{answer:?}\""], 0)
}
