//! What becomes of those who point at an item when it is deleted.

use rest_schema::{FieldId, FieldRole, Link, OnDelete, Operation, RelationId, naming};

use super::super::cast::{Cast, Wanted};
use super::super::outcome;
use super::super::scene::{Cell, How, Scene, Who};
use super::super::search::{Goal, Search};
use super::super::stage::Stage;
use super::super::text::called;
use super::{Of, Page, answer, somebody};

/// A row that points at the one that is deleted.
struct Pointing<'s> {
    scene: Scene<'s>,
    row: usize,
    /// Who may read it, before and after.
    reader: Option<Who>,
}

impl<'s> Of<'s> {
    pub(super) fn deletions(&self, page: &mut Page) {
        if !self.serves(Operation::Delete) {
            return;
        }
        // `set_null` does nothing where the row stays.
        let stays = self.resource.kept.deleted.is_some();
        let does_something =
            |way: &RelationId| !stays || self.schema.relation(*way).on_delete != OnDelete::SetNull;
        let ways: Vec<RelationId> = self.schema.pointing_at(self.id).filter(does_something).collect();
        if ways.is_empty() {
            return;
        }
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Delete],
            full: false,
            apart: false,
        };
        let Some(cast) = wanted.find(self.schema) else {
            page.note("on_delete: nobody was found who may delete an item");
            return;
        };
        for way in ways {
            self.deletion(page, &cast, way);
        }
    }

    fn deletion(&self, page: &mut Page, cast: &Cast<'s>, way: RelationId) {
        let relation = self.schema.relation(way);
        let what = format!("{}.{}", self.schema.resource(way.resource).name, relation.name);
        let Some(pointing) = self.pointed_at(cast, way) else {
            page.note(format!("on_delete of {what}: no rows were found to try it on"));
            return;
        };
        let reader = pointing.reader.unwrap_or(None);
        let mut clients = vec![(cast.granted, "caller")];
        if reader != cast.granted {
            clients.push((reader, "reader"));
        }
        let Some(stage) = Stage::new(&pointing.scene, &clients) else {
            page.note(format!(
                "on_delete of {what}: its rows need each other, so none can be made first"
            ));
            return;
        };
        let caller = if cast.granted.is_some() {
            "caller"
        } else {
            "nobody"
        };
        let held = outcome::gone_with(&pointing.scene, cast.row).is_none();
        let mut lines = vec![format!("let at = item(COLLECTION, {});", stage.key_ref(cast.row))];
        let reader = pointing.reader.filter(|_| !held).map(|who| match who {
            None => "nobody",
            who if who == cast.granted => "caller",
            Some(_) => "reader",
        });
        if let Some(reader) = reader {
            lines.extend(self.read_first(&stage, &pointing, way, reader));
        }
        lines.extend(answer(caller, "delete", &["&at"], 0));
        if held {
            lines.extend(called("refused", &["&answer", "409", "\"\"", "\"in-use\""], 0));
        } else {
            lines.push("status(&answer, 204);".to_owned());
        }
        if let Some(reader) = reader {
            lines.extend(self.read_again(&pointing, way, reader));
        }
        page.tests
            .push(self.test(self.deletion_name(way, held), &stage, lines));
    }

    fn deletion_name(&self, way: RelationId, held: bool) -> String {
        let relation = self.schema.relation(way);
        let name = super::one(&self.schema.resource(way.resource).name);
        let role = naming::snake(&relation.name);
        match relation.on_delete {
            _ if held => format!("{name}_holds_its_{role}"),
            OnDelete::Restrict | OnDelete::Cascade => format!("{name}_goes_with_its_{role}"),
            OnDelete::SetNull => format!("{name}_stays_without_its_{role}"),
        }
    }

    fn pointed_at(&self, cast: &Cast<'s>, way: RelationId) -> Option<Pointing<'s>> {
        let relation = self.schema.relation(way);
        let Link::Keys { local, remote } = &relation.link else {
            return None;
        };
        let mut scene = cast.scene.clone();
        let given: Vec<(u32, Cell)> = local
            .iter()
            .zip(remote)
            .map(|(own, other)| (own.index, scene.cell(cast.row, other.index)))
            .collect();
        let row = scene.add(way.resource, How::THERE, &given)?;
        scene.pinned.extend(local.iter().map(|id| (row, id.index)));
        let access = &self.resource.access;
        let rules = [access.read.as_ref()?, access.delete.as_ref()?];
        let goals: Vec<Goal<'s>> = rules
            .iter()
            .map(|rule| Goal::grants(&rule.expr, cast.row, cast.granted))
            .collect();
        let scene = Search::find(scene, &goals)?;
        let read = self.schema.resource(way.resource).access.read.as_ref();
        let candidates: Vec<Who> = [cast.granted, None]
            .into_iter()
            .filter(|who| *who != Some(cast.row))
            .collect();
        let found = read.and_then(|read| {
            somebody(&scene, &goals, &candidates, |who| {
                vec![Goal::grants(&read.expr, row, who)]
            })
        });
        let found = found.filter(|(scene, who)| {
            let gone = outcome::gone_with(scene, cast.row).unwrap_or_default();
            who.is_none_or(|who| !gone.contains(&who))
        });
        Some(match found {
            Some((scene, who)) => Pointing {
                scene,
                row,
                reader: Some(who),
            },
            None => Pointing {
                scene,
                row,
                reader: None,
            },
        })
    }

    fn read_first(
        &self,
        stage: &Stage<'_, 's>,
        pointing: &Pointing<'s>,
        way: RelationId,
        reader: &str,
    ) -> Vec<String> {
        let collection = &self.schema.resource(way.resource).collection;
        let address = format!("{}/{collection}", self.schema.prefix);
        let key = stage.key_ref(pointing.row);
        let mut lines = vec![format!("let other = item({address:?}, {key});")];
        lines.extend(answer(reader, "get", &["&other"], 0));
        lines.push("status(&answer, 200);".to_owned());
        lines
    }

    fn read_again(&self, pointing: &Pointing<'s>, way: RelationId, reader: &str) -> Vec<String> {
        let relation = self.schema.relation(way);
        let mut lines = answer(reader, "get", &["&other"], 0);
        if relation.on_delete != OnDelete::SetNull {
            lines.push("status(&answer, 404);".to_owned());
            return lines;
        }
        let Link::Keys { local, .. } = &relation.link else {
            return lines;
        };
        let who = pointing.reader.unwrap_or(None);
        let is_shown = |id: &&FieldId| {
            let field = self.schema.field(**id);
            let is_key = matches!(field.role, FieldRole::ForeignKey(_)) && field.optional;
            is_key && field.is_shown() && field.readable.is_none()
        };
        // Whether he may read it afterwards is up to a row that has changed; what he sees then is shown without the key.
        let after = self.without_its_target(pointing, way);
        if outcome::read(&after, pointing.row, who) != Some(200) {
            return lines[..0].to_vec();
        }
        lines.push("status(&answer, 200);".to_owned());
        for id in local.iter().filter(is_shown) {
            let name = &self.schema.field(*id).api_name;
            lines.extend(called(
                "shows",
                &["&answer", &format!("&json!({{{name:?}: null}})")],
                0,
            ));
        }
        lines
    }

    fn without_its_target(&self, pointing: &Pointing<'s>, way: RelationId) -> Scene<'s> {
        let mut scene = pointing.scene.clone();
        if let Link::Keys { local, .. } = &self.schema.relation(way).link {
            for id in local {
                let slot = super::super::scene::Slot::Left(Cell::NULL);
                scene.rows[pointing.row].slots[id.index as usize] = slot;
            }
        }
        scene
    }
}
