//! What a many-to-many leads to and somebody may not read, or by a pair that he may not read, isn't told, and isn't linked.

use rest_schema::{Link, Operation, RelationId, RelationKind, ResourceId};

use super::super::scene::{Cell, How, Pair, Scene, Who};
use super::super::search::Goal;
use super::super::stage::Stage;
use super::super::text::{Test, each};
use super::{Of, Page, is_filtered, somebody};

/// A row, one that it is paired with, and the row that the pair is, where it is one.
struct Ends {
    from: usize,
    to: usize,
    pair: Option<usize>,
}

/// What of them is hidden.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Part {
    Target,
    Pair,
}

impl<'s> Of<'s> {
    pub(super) fn paired(&self, page: &mut Page) {
        if !self.serves(Operation::Read) {
            return;
        }
        for (index, relation) in (0u32..).zip(&self.resource.relations) {
            let id = RelationId {
                resource: self.id,
                index,
            };
            if relation.kind == RelationKind::ManyToMany {
                page.tests.extend(self.not_told_along(id, Part::Target));
                page.tests.extend(self.not_told_along(id, Part::Pair));
            }
        }
    }

    /// A row of this resource that is paired with another.
    fn ends(&self, scene: &mut Scene<'s>, id: RelationId) -> Option<Ends> {
        let relation = self.schema.relation(id);
        let from = scene.add(self.id, How::THERE, &[])?;
        let to = scene.add(relation.target, How::THERE, &[])?;
        let Some(through) = relation.through else {
            let (declared, from_there, to_there) = if relation.declared {
                (id, from, to)
            } else {
                (relation.inverse?, to, from)
            };
            scene.pairs.push(Pair {
                relation: declared,
                from: from_there,
                to: to_there,
            });
            return Some(Ends { from, to, pair: None });
        };
        let mut given: Vec<(u32, Cell)> = Vec::new();
        for (way, end) in [(through.from, from), (through.to, to)] {
            let Link::Keys { local, remote } = &self.schema.relation(way).link else {
                return None;
            };
            given.extend(scene.holding(end, remote, local));
        }
        let pair = Some(scene.add(through.resource(), How::THERE, &given)?);
        Some(Ends { from, to, pair })
    }

    fn not_told_along(&self, id: RelationId, part: Part) -> Option<Test> {
        let relation = self.schema.relation(id);
        let rule = |of: ResourceId| Some(&self.schema.resource(of).access.read.as_ref()?.expr);
        let mut scene = Scene::new(self.schema);
        let granted = scene.add(self.schema.accounts.as_ref()?.resource, How::THERE, &[])?;
        let ends = self.ends(&mut scene, id)?;
        let mut all = vec![(rule(self.id)?, ends.from), (rule(relation.target)?, ends.to)];
        if let (Some(pair), Some(through)) = (ends.pair, relation.through) {
            all.push((rule(through.resource())?, pair));
        }
        let hidden = match part {
            Part::Target => ends.to,
            Part::Pair => ends.pair?,
        };
        let goals = |who: Who| {
            let mut goals = Vec::new();
            for (rule, row) in &all {
                if *row == hidden {
                    goals.push(Goal::refuses(rule, *row, who));
                } else if Some(*row) != ends.pair {
                    goals.push(Goal::grants(rule, *row, who));
                }
                goals.push(Goal::grants(rule, *row, Some(granted)));
            }
            goals
        };
        // To an account more is open than to nobody, and so more can be told.
        let account = somebody(&scene, &[], &[], goals);
        let (scene, who) = account.or_else(|| somebody(&scene, &[], &[None], goals))?;
        let stage = Stage::new(&scene, &[(Some(granted), "granted"), (who, "stranger")])?;
        let leads = scene.related(&scene.rows[ends.from], id) == [ends.to];
        if !leads || who == Some(granted) {
            return None;
        }
        let stranger = if who.is_some() { "stranger" } else { "nobody" };
        let mut lines = vec![format!(
            "let from = item(COLLECTION, {});",
            stage.key_ref(ends.from)
        )];
        for client in ["granted", stranger] {
            lines.push(format!("status(&{client}.get(&from).await, 200);"));
        }
        lines.extend(self.counts_along(id, &stage, &ends, stranger));
        if part == Part::Target {
            lines.extend(self.links(id, &stage, &ends, stranger));
        }
        let name = rest_schema::naming::snake(&relation.name);
        Some(match part {
            Part::Target => self.test(
                format!("what_is_hidden_among_its_{name}_is_not_told"),
                &stage,
                lines,
            ),
            Part::Pair => self.test(format!("no_hidden_pair_leads_to_its_{name}"), &stage, lines),
        })
    }

    /// Questions to which the answer is one for whoever may read all of it.
    fn counts_along(
        &self,
        id: RelationId,
        stage: &Stage<'_, 's>,
        ends: &Ends,
        stranger: &str,
    ) -> Vec<String> {
        let relation = self.schema.relation(id);
        let target = self.schema.resource(relation.target);
        let mut asked = vec![
            format!("format!(\"{{from}}/{}\")", relation.name),
            format!("format!(\"{{from}}/{}?count=exact\")", relation.name),
        ];
        // Others may be paired alike, so both ends are named.
        if let ([key], [own]) = (&target.key.fields[..], &self.resource.key.fields[..])
            && [key, own].iter().all(|key| is_filtered(self.schema.field(**key)))
        {
            asked.push(format!(
                "format!(\"{{COLLECTION}}?{}={{}}&{}.{}={{}}\", text({}), text({}))",
                self.schema.field(*own).api_name,
                relation.name,
                self.schema.field(*key).api_name,
                stage.key_ref(ends.from),
                stage.key_ref(ends.to)
            ));
        }
        let within = vec![
            "assert_eq!(many(&granted.get(&asked).await), 1, \"{asked}\");".to_owned(),
            format!("assert_eq!(many(&{stranger}.get(&asked).await), 0, \"{{asked}}\");"),
        ];
        let mut lines = each("asked", &asked, within);
        // The same within an item and within a page.
        let items = format!("[{:?}][\"items\"]", relation.name);
        lines.push(format!(
            "let including = format!(\"{{from}}?include={}\");",
            relation.name
        ));
        for (client, many) in [("granted", 1), (stranger, 0)] {
            lines.push(format!("let found = {client}.get(&including).await;"));
            lines.push(format!("let items = &found.body{items};"));
            lines.push(format!(
                "assert_eq!(items.as_array().map_or(0, Vec::len), {many}, \"{{found:?}}\");"
            ));
        }
        lines
    }

    /// It is linked and unlinked as if it weren't there, and stays.
    fn links(&self, id: RelationId, stage: &Stage<'_, 's>, ends: &Ends, stranger: &str) -> Vec<String> {
        let relation = self.schema.relation(id);
        let Some(absent) = Of::new(self.schema, relation.target).absent() else {
            return Vec::new();
        };
        let mut lines = vec![
            format!("let all = format!(\"{{from}}/{}\");", relation.name),
            format!("let pair = item(&all, {});", stage.key_ref(ends.to)),
            format!("let none = item(&all, &{absent});"),
        ];
        for call in ["link", "delete"] {
            lines.push(format!("let hidden = {stranger}.{call}(&pair).await;"));
            lines.push(format!("alike(&hidden, &{stranger}.{call}(&none).await);"));
        }
        lines.push("assert_eq!(many(&granted.get(&all).await), 1);".to_owned());
        lines
    }
}
