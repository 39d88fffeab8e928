//! What may be read and points at what may not.

use rest_schema::{FieldRole, Link, Operation, RelationId, RelationKind, Value};

use super::super::scene::{Cell, How, Scene, Who};
use super::super::search::Goal;
use super::super::stage::Stage;
use super::super::text::{Test, each};
use super::{Of, Page, filter, is_filtered};
impl<'s> Of<'s> {
    /// What may be read and points at it: a test for each relation that leads to such items.
    pub(super) fn pointing_at_hidden(&self, page: &mut Page) {
        if !self.serves(Operation::Read) {
            return;
        }
        for relation in &self.resource.relations {
            let Some(back) = relation.inverse.filter(|_| !relation.declared) else {
                continue;
            };
            let of_back = self.schema.relation(back);
            let Link::Keys { local, .. } = &of_back.link else {
                continue;
            };
            if of_back.kind == RelationKind::BelongsTo && self.are_shown(local) {
                page.tests.extend(self.pointed_at_by(back, &relation.name));
                page.tests.extend(self.sorted_along(back));
            }
        }
    }

    /// A row that is hidden from somebody who may read what points at it.
    fn pointed_at_by(&self, back: RelationId, forth: &str) -> Option<Test> {
        let read = &self.rule(Operation::Read)?.expr;
        let pointing = self.schema.resource(back.resource);
        let read_pointing = &pointing.access.read.as_ref()?.expr;
        let accounts = self.schema.accounts.as_ref()?.resource;
        let mut scene = Scene::new(self.schema);
        let granted = scene.add(accounts, How::THERE, &[])?;
        let row = scene.add(self.id, How::THERE, &[])?;
        let Link::Keys { local, remote } = &self.schema.relation(back).link else {
            return None;
        };
        let given = scene.holding(row, remote, local);
        let other = scene.add(back.resource, How::THERE, &given)?;
        let goals = |who: Who| {
            vec![
                Goal::refuses(read, row, who),
                Goal::grants(read_pointing, other, who),
                Goal::grants(read, row, Some(granted)),
                Goal::grants(read_pointing, other, Some(granted)),
            ]
        };
        // To an account more is open than to nobody, and so more can be told.
        let account = super::somebody(&scene, &[], &[], goals);
        let (scene, who) = account.or_else(|| super::somebody(&scene, &[], &[None], goals))?;
        let is_linked = scene.related(&scene.rows[other], back) == [row];
        let stage = Stage::new(&scene, &[(Some(granted), "granted"), (who, "stranger")])?;
        let stranger = if who.is_some() { "stranger" } else { "nobody" };
        if !is_linked || who == Some(granted) {
            return None;
        }
        let name = &self.schema.relation(back).name;
        let all = format!("{}/{}", self.schema.prefix, pointing.collection);
        let key = format!("text({})", stage.key_ref(other));
        let asked = [
            format!("format!(\"{all}/{{}}/{name}\", {key})"),
            format!("format!(\"{all}/{{}}?include={name}\", {key})"),
            format!("\"{all}?include={name}\".to_owned()"),
        ];
        let mut lines = vec![
            format!("let at = item(COLLECTION, {});", stage.key_ref(row)),
            "let found = granted.get(&at).await;".to_owned(),
            "status(&found, 200);".to_owned(),
        ];
        let within = vec![
            "let shown = granted.get(&asked).await;".to_owned(),
            "assert!(holds(&shown, &found), \"{asked}: {shown:?}\");".to_owned(),
            format!("let answer = {stranger}.get(&asked).await;"),
            "assert!(!holds(&answer, &found), \"{asked}: {answer:?}\");".to_owned(),
        ];
        lines.extend(each("asked", &asked, within));
        let counted = self.filters_along(&scene, row, &all, name);
        if !counted.is_empty() {
            let within = vec![
                "assert_eq!(many(&granted.get(asked).await), 1, \"{asked}\");".to_owned(),
                format!("assert_eq!(many(&{stranger}.get(asked).await), 0, \"{{asked}}\");"),
            ];
            lines.extend(each("asked", &counted, within));
        }
        // The way from it is as from one that isn't there, though what it leads to may be read.
        if let Some(absent) = self.absent() {
            lines.push(format!("let absent = item(COLLECTION, &{absent});"));
            lines.push(format!(
                "let hidden = {stranger}.get(format!(\"{{at}}/{forth}\")).await;"
            ));
            lines.push(format!(
                "let absent = {stranger}.get(format!(\"{{absent}}/{forth}\")).await;"
            ));
            lines.push("alike(&hidden, &absent);".to_owned());
        }
        let name = rest_schema::naming::snake(&format!("{}_{name}", pointing.name));
        Some(self.test(
            format!("what_points_at_it_does_not_tell_it_{name}"),
            &stage,
            lines,
        ))
    }

    /// A row that points at a hidden one and one that points at another, sorted by a field of those: what is hidden has no
    /// value, and so comes last, wherever it would stand.
    fn sorted_along(&self, back: RelationId) -> Option<Test> {
        let mut fields = self.fields();
        let (index, field) = fields.find(|(_, field)| {
            let is_plain = field.role == FieldRole::Plain && field.is_stored() && field.is_shown();
            field.sortable && is_plain && field.readable.is_none() && !field.optional
        })?;
        let read = &self.rule(Operation::Read)?.expr;
        let pointing = self.schema.resource(back.resource);
        let read_pointing = &pointing.access.read.as_ref()?.expr;
        let mut scene = Scene::new(self.schema);
        let granted = scene.add(self.schema.accounts.as_ref()?.resource, How::THERE, &[])?;
        let Link::Keys { local, remote } = &self.schema.relation(back).link else {
            return None;
        };
        let mut add = |nth: usize| {
            let value = scene.rules(self.resource, index).nth(nth)?;
            let row = scene.add(self.id, How::THERE, &[(index, Cell::Value(value))])?;
            scene.pinned.push((row, index));
            let given = scene.holding(row, remote, local);
            Some((row, scene.add(back.resource, How::THERE, &given)?))
        };
        let ((hidden, one), (shown, two)) = (add(1)?, add(2)?);
        let order = match (scene.cell(hidden, index), scene.cell(shown, index)) {
            (Cell::Value(hidden), Cell::Value(shown)) => hidden.compare(&shown),
            _ => None,
        };
        if order != Some(std::cmp::Ordering::Less) {
            return None;
        }
        let goals = |who: Who| {
            let both = |rule, row| {
                [
                    Goal::grants(rule, row, who),
                    Goal::grants(rule, row, Some(granted)),
                ]
            };
            let mut goals = vec![
                Goal::refuses(read, hidden, who),
                Goal::grants(read, hidden, Some(granted)),
            ];
            goals.extend(both(read, shown));
            goals.extend(both(read_pointing, one));
            goals.extend(both(read_pointing, two));
            goals
        };
        let account = super::somebody(&scene, &[], &[], goals);
        let (scene, who) = account.or_else(|| super::somebody(&scene, &[], &[None], goals))?;
        let leads = |row: usize, target| scene.related(&scene.rows[row], back) == [target];
        let stage = Stage::new(&scene, &[(Some(granted), "granted"), (who, "stranger")])?;
        if !leads(one, hidden) || !leads(two, shown) || who == Some(granted) {
            return None;
        }
        let stranger = if who.is_some() { "stranger" } else { "nobody" };
        let name = &self.schema.relation(back).name;
        let all = format!("{}/{}", self.schema.prefix, pointing.collection);
        let mut lines = Vec::new();
        for (found, row) in [("first", one), ("second", two)] {
            lines.push(format!("let at = item({all:?}, {});", stage.key_ref(row)));
            lines.push(format!("let {found} = {stranger}.get(&at).await;"));
            lines.push(format!("status(&{found}, 200);"));
        }
        lines.push(format!(
            "let sorted = {:?};",
            format!("{all}?sort={name}.{}", field.api_name)
        ));
        for (client, [ahead, behind]) in [("granted", ["first", "second"]), (stranger, ["second", "first"])] {
            lines.push(format!("let page = {client}.get(sorted).await;"));
            lines.push(format!(
                "let places = [place(&page, &{ahead}), place(&page, &{behind})];"
            ));
            lines.push("assert!(places.is_sorted(), \"{page:?}\");".to_owned());
        }
        let name = rest_schema::naming::snake(&format!("{}_{name}", pointing.name));
        Some(self.test(format!("no_order_tells_it_{name}"), &stage, lines))
    }

    /// Filters over a relation that find the row by its values.
    fn filters_along(&self, scene: &Scene<'s>, row: usize, all: &str, relation: &str) -> Vec<String> {
        let mut asked = Vec::new();
        for (index, field) in self.fields() {
            if let (true, Cell::Value(value)) = (is_filtered(field), scene.cell(row, index))
                && value != Value::Null
            {
                asked.push(format!(
                    "{:?}",
                    format!("{all}?{relation}.{}", filter(field, &value))
                ));
            }
        }
        asked
    }
}
