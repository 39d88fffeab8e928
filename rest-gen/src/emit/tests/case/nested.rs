//! What is made along with an item is held to its own rules, keys and members, and all of it or nothing is made.

use rest_schema::{Link, Operation, Relation, RelationId, RelationKind};

use super::super::cast::Cast;
use super::super::scene::{How, Scene};
use super::super::search::{Goal, Search};
use super::super::stage::Stage;
use super::super::text::{Test, object};
use super::{Of, Page};

/// An item that somebody may make, and one that would be made along.
struct Along<'s> {
    of: Of<'s>,
    /// What its collection is called in the body.
    name: &'s str,
    cast: Cast<'s>,
    child: usize,
    /// The fields by which it belongs to the item.
    link: Vec<u32>,
}

impl<'s> Of<'s> {
    pub(super) fn nested(&self, page: &mut Page) {
        if !self.serves(Operation::Create) {
            return;
        }
        let relations = self.resource.relations.iter();
        for relation in relations.filter(|one| one.nested && one.kind == RelationKind::HasMany) {
            page.tests.extend(self.made_along(relation));
            page.tests.extend(self.not_made_along(relation));
        }
    }

    fn along(&self, relation: &'s Relation) -> Option<Along<'s>> {
        let of = Of::new(self.schema, relation.target);
        of.rule(Operation::Create)?;
        let mut cast = self.maker()?;
        let Link::Keys { local, remote } = &relation.link else {
            return None;
        };
        let given = cast.scene.holding(cast.row, local, remote);
        let link: Vec<u32> = remote.iter().map(|field| field.index).collect();
        let how = How {
            full: false,
            maker: Some(cast.granted),
        };
        let child = cast.scene.add(relation.target, how, &given)?;
        // It belongs to the item, whatever would have the rules be met.
        let pinned = link.iter().map(|index| (child, *index));
        cast.scene.pinned.extend(pinned);
        Some(Along {
            of,
            name: &relation.name,
            cast,
            child,
            link,
        })
    }

    /// Who may make both makes both at once, and nothing where a member or a key of one isn't for him.
    fn made_along(&self, relation: &'s Relation) -> Option<Test> {
        let along = self.along(relation)?;
        let goals = along.goals(self, true)?;
        let mut scene = Search::find(along.cast.scene.clone(), &goals)?;
        let mut hidden = Vec::new();
        for (key, member) in along.keys() {
            let target = self.schema.relation(key).target;
            let read = &self.schema.resource(target).access.read.as_ref()?.expr;
            let mut more = scene.clone();
            let Some(other) = more.add(target, How::THERE, &[]) else {
                continue;
            };
            let mut goals = goals.clone();
            goals.push(Goal::refuses(read, other, along.cast.granted));
            let absent = Of::new(self.schema, target).absent();
            if let (Some(found), Some(absent)) = (Search::find(more, &goals), absent) {
                scene = found;
                hidden.push((member, other, absent));
            }
        }
        let stage = Stage::new(&scene, &[(along.cast.granted, "caller")])?;
        let mut lines = along.bodies(&stage);
        let post = |child: &str, answer: &str| {
            vec![
                format!("let both = with(&body, {:?}, json!([{child}]));", along.name),
                format!("let {answer} = caller.post(COLLECTION, both).await;"),
            ]
        };
        for (member, other, absent) in &hidden {
            let key = format!("json!({})", stage.key(*other));
            for (name, key) in [("hidden", &key), ("absent", absent)] {
                lines.push(format!("let {name} = with(&child, {member:?}, {key});"));
                lines.extend(post(name, name));
            }
            lines.push("status(&hidden, 409);".to_owned());
            lines.push("alike(&hidden, &absent);".to_owned());
        }
        if let Some((member, value)) = along.for_nobody() {
            lines.push(format!("let more = with(&child, {member:?}, json!({value}));"));
            lines.extend(post("more", "answer"));
            let pointer = format!("{}/0/{member}", along.name);
            lines.push(format!("refused(&answer, 422, {pointer:?}, \"readonly\");"));
        }
        lines.extend(post("child", "answer"));
        lines.push("status(&answer, 201);".to_owned());
        let name = rest_schema::naming::snake(along.name);
        Some(self.test(format!("{name}_are_made_along"), &stage, lines))
    }

    /// Who may make an item, but not what would be made along with it, makes neither.
    fn not_made_along(&self, relation: &'s Relation) -> Option<Test> {
        let along = self.along(relation)?;
        let goals = along.goals(self, false)?;
        let scene = Search::find(along.cast.scene.clone(), &goals)?;
        let stage = Stage::new(&scene, &[(along.cast.granted, "caller")])?;
        let mut lines = along.bodies(&stage);
        lines.push(format!(
            "let both = with(&body, {:?}, json!([child]));",
            along.name
        ));
        lines.push("let before = many(&caller.get(COLLECTION).await);".to_owned());
        lines.push("status(&caller.post(COLLECTION, both).await, 403);".to_owned());
        lines.push("assert_eq!(many(&caller.get(COLLECTION).await), before);".to_owned());
        lines.push("status(&caller.post(COLLECTION, body).await, 201);".to_owned());
        let name = rest_schema::naming::snake(along.name);
        Some(self.test(format!("{name}_are_not_made_along_by_everybody"), &stage, lines))
    }
}

impl<'s> Along<'s> {
    /// That the item may be made, and what is made along may be, or may not.
    fn goals(&self, of: &Of<'s>, also_along: bool) -> Option<Vec<Goal<'s>>> {
        let (own, child) = (of.rule(Operation::Create)?, self.of.rule(Operation::Create)?);
        let who = self.cast.granted;
        Some(vec![
            Goal::grants(&own.expr, self.cast.row, who),
            if also_along {
                Goal::grants(&child.expr, self.child, who)
            } else {
                Goal::refuses(&child.expr, self.child, who)
            },
        ])
    }

    /// `body` and `child`, which doesn't say to what it belongs.
    fn bodies(&self, stage: &Stage<'_, 's>) -> Vec<String> {
        let mut lines = object("body", &stage.members(self.cast.row));
        let link: Vec<&str> = self
            .link
            .iter()
            .map(|index| self.of.resource.fields[*index as usize].api_name.as_str())
            .collect();
        let mut members = stage.members(self.child);
        members.retain(|(name, _)| !link.contains(&name.as_str()));
        lines.extend(object("child", &members));
        lines
    }

    /// Its other keys that a body may say, of one field, with their members.
    fn keys(&self) -> Vec<(RelationId, String)> {
        let relations = (0u32..).zip(&self.of.resource.relations);
        let keys = relations.filter_map(|(index, relation)| {
            let (RelationKind::BelongsTo, Link::Keys { local, .. }) = (relation.kind, &relation.link) else {
                return None;
            };
            let [local] = local[..] else { return None };
            let field = &self.of.resource.fields[local.index as usize];
            let is_sent = self.of.is_sent(local.index, field, false) && field.writable.is_none();
            let id = RelationId {
                resource: self.of.id,
                index,
            };
            (is_sent && !self.link.contains(&local.index)).then(|| (id, field.api_name.clone()))
        });
        keys.collect()
    }

    /// A member that no client says, and what it could be.
    fn for_nobody(&self) -> Option<(String, String)> {
        let rules = Scene::new(self.of.schema);
        self.of.fields().find_map(|(index, field)| {
            let is_plain = field.role == rest_schema::FieldRole::Plain;
            let is_for_nobody = field.readonly && field.is_shown() && field.is_stored() && is_plain;
            let value = rules.rules(self.of.resource, index).nth(5)?;
            is_for_nobody.then(|| (field.api_name.clone(), super::super::literal::json(&value)))
        })
    }
}
