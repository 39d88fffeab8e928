//! What somebody may not read is to him as if it weren't there, whatever he does.

use rest_schema::{FieldId, FieldRole, FieldType, KeyKind, Link, Operation, RelationId, RelationKind};

use super::super::cast::{Cast, Wanted};
use super::super::literal;
use super::super::outcome;
use super::super::scene::{How, Scene};
use super::super::search::{Goal, Search};
use super::super::stage::Stage;
use super::super::text::{Test, called, formatted, object};
use super::hidden::Hidden;
use super::{Of, Page};
impl<'s> Of<'s> {
    /// Who may make what he may not read is told that it is made, and nothing of it.
    pub(super) fn made_unseen(&self, page: &mut Page) {
        let (Some(create), Some(read)) = (self.rule(Operation::Create), self.rule(Operation::Read)) else {
            return;
        };
        let Some(cast) = self.maker() else {
            return;
        };
        let goals = [
            Goal::grants(&create.expr, cast.row, cast.granted),
            Goal::refuses(&read.expr, cast.row, cast.granted),
        ];
        let Some(scene) = Search::find(cast.scene, &goals) else {
            return;
        };
        let Some(stage) = Stage::new(&scene, &[(cast.granted, "caller")]) else {
            return;
        };
        let mut lines = object("body", &stage.members(cast.row));
        lines.push("let answer = caller.post(COLLECTION, body).await;".to_owned());
        lines.push("status(&answer, 201);".to_owned());
        lines.push("assert!(answer.body.is_null(), \"{answer:?}\");".to_owned());
        lines.push("assert_eq!(answer.header(\"etag\"), \"\");".to_owned());
        page.tests
            .push(self.test("who_makes_what_he_may_not_read_is_not_shown_it", &stage, lines));
    }

    /// A key that no item has, as `json!` takes it.
    pub(super) fn absent(&self) -> Option<String> {
        let fields = &self.resource.key.fields;
        let parts: Option<Vec<String>> = fields.iter().map(|id| self.absent_part(*id)).collect();
        Some(match &parts?[..] {
            [only] => format!("json!({only})"),
            parts => format!("json!([{}])", parts.join(", ")),
        })
    }

    fn absent_part(&self, id: FieldId) -> Option<String> {
        let field = self.schema.field(id);
        let rules = Scene::new(self.schema).rules(self.resource, id.index);
        match field.ty {
            FieldType::Integer | FieldType::Bigint => Some("999_999".to_owned()),
            FieldType::Uuid => Some("\"00000000-0000-4000-8000-00000000ffff\"".to_owned()),
            _ if field.role == FieldRole::Key || self.resource.key.kind == KeyKind::Natural => {
                rules.nth(77).map(|value| literal::json(&value))
            }
            _ => None,
        }
    }

    /// Every method at its address answers as at one where there is nothing.
    pub(super) fn as_if_absent(&self, page: &mut Page, hidden: &Hidden<'s>) {
        let (Some(stage), Some(absent)) = (Self::stage(hidden), self.absent()) else {
            return;
        };
        let mut lines = vec![
            format!("let at = item(COLLECTION, {});", stage.key_ref(hidden.cast.row)),
            format!("let absent = item(COLLECTION, &{absent});"),
            "let before = granted.get(&at).await;".to_owned(),
            "status(&before, 200);".to_owned(),
        ];
        let pair = |call: &str| {
            let of = |at: &str| call.replace("AT", at);
            vec![
                format!("let hidden = other.{}.await;", of("&at")),
                format!("alike(&hidden, &other.{}.await);", of("&absent")),
            ]
        };
        let mut asked = pair("get(AT)");
        if self.serves(Operation::Update) {
            asked.extend(pair("patch(AT, json!({}))"));
            if !self.resource.key.by_client {
                asked.extend(pair("put(AT, json!({}))"));
            }
            asked.push("let dated = other.header(\"if-match\", \"\\\"0.0\\\"\");".to_owned());
            asked.extend(
                pair("patch(AT, json!({}))")
                    .into_iter()
                    .map(|line| line.replace("other", "dated")),
            );
            asked.push(
                "let listed = other.header(\"content-type\", \"application/json-patch+json\");".to_owned(),
            );
            asked.extend(
                pair("patch(AT, json!([]))")
                    .into_iter()
                    .map(|line| line.replace("other", "listed")),
            );
        }
        if self.serves(Operation::Delete) {
            asked.extend(pair("delete(AT)"));
        }
        // Where keys are chosen by clients, what isn't there would be made, and nothing is put over what is.
        if self.resource.key.by_client && (self.serves(Operation::Create) || self.serves(Operation::Update)) {
            lines.extend(object("body", &stage.members(hidden.cast.row)));
            asked.push("let answer = other.put(&at, &body).await;".to_owned());
            asked.push("let refused = [401, 403, 409, 412, 422];".to_owned());
            asked.push("assert!(refused.contains(&answer.status), \"{answer:?}\");".to_owned());
        }
        lines.extend(Self::others(hidden, asked));
        lines.extend(self.many_at_once(hidden, &stage));
        lines.push("assert_eq!(granted.get(&at).await.body, before.body);".to_owned());
        page.tests
            .push(self.test("what_is_hidden_is_as_if_it_were_not_there", &stage, lines));
    }

    /// Changes of all that match, of which it would be the only one.
    fn many_at_once(&self, hidden: &Hidden<'s>, stage: &Stage<'_, 's>) -> Vec<String> {
        let Some((name, _)) = self.single_key(hidden, stage) else {
            return Vec::new();
        };
        let key = stage.key_ref(hidden.cast.row);
        let bulk =
            |value: &str| format!("format!(\"{{COLLECTION}}?{name}={{}}&max_affected=9\", text({value}))");
        let Some(absent) = self.absent() else {
            return Vec::new();
        };
        let mut asked = Vec::new();
        for (operation, call) in [
            (Operation::Update, "patch(AT, json!({}))"),
            (Operation::Delete, "delete(AT)"),
        ] {
            if self.serves(operation) {
                asked.push(format!(
                    "let hidden = other.{}.await;",
                    call.replace("AT", "&these")
                ));
                asked.push(format!(
                    "alike(&hidden, &other.{}.await);",
                    call.replace("AT", "&none")
                ));
            }
        }
        if asked.is_empty() {
            return asked;
        }
        let mut lines = Vec::new();
        for (name, value) in [("these", key), ("none", format!("&{absent}"))] {
            lines.extend(formatted(&format!("let {name} = "), &bulk(&value)));
            if let Some(last) = lines.last_mut() {
                last.push(';');
            }
        }
        lines.extend(Self::others(hidden, asked));
        lines
    }

    /// A key of a row that the maker may not read is refused as one of no row.
    pub(super) fn keys_of_hidden(&self, page: &mut Page) {
        if !self.serves(Operation::Create) {
            return;
        }
        let relations = (0u32..).zip(&self.resource.relations);
        for (index, relation) in relations {
            let (RelationKind::BelongsTo, Link::Keys { local, .. }) = (relation.kind, &relation.link) else {
                continue;
            };
            let [local] = local[..] else { continue };
            let field = self.schema.field(local);
            if !field.is_accepted() || field.writable.is_some() || self.is_key(local.index) {
                continue;
            }
            let id = RelationId {
                resource: self.id,
                index,
            };
            if let Some(test) = self.key_of_hidden(id, local) {
                page.tests.push(test);
            }
        }
    }

    fn key_of_hidden(&self, id: RelationId, local: FieldId) -> Option<Test> {
        let target = self.schema.relation(id).target;
        let read = &self.schema.resource(target).access.read.as_ref()?.expr;
        let create = &self.rule(Operation::Create)?.expr;
        let mut cast = self.maker()?;
        let other = cast.scene.add(target, How::THERE, &[])?;
        let goals = [
            Goal::grants(create, cast.row, cast.granted),
            Goal::refuses(read, other, cast.granted),
        ];
        // Who makes it may change it afterwards, where there is such a case.
        let may_change = self.changeable(&cast, local);
        let more = may_change.as_ref().map(|more| [&goals[..], more].concat());
        let changed = more.and_then(|goals| Search::find(cast.scene.clone(), &goals));
        let is_changed = changed.is_some();
        let scene = changed.or_else(|| Search::find(cast.scene, &goals))?;
        let stage = Stage::new(&scene, &[(cast.granted, "caller")])?;
        let absent = Of::new(self.schema, target).absent()?;
        let member = format!("{:?}", self.schema.field(local).api_name);
        let mut lines = object("body", &stage.members(cast.row));
        lines.push(format!(
            "let hidden = with(&body, {member}, json!({}));",
            stage.key(other)
        ));
        lines.push(format!("let absent = with(&body, {member}, {absent});"));
        for (hidden, absent) in [("&hidden", "&absent"), ("json!([hidden])", "json!([absent])")] {
            lines.push(format!("let answer = caller.post(COLLECTION, {hidden}).await;"));
            lines.push("status(&answer, 409);".to_owned());
            lines.push(format!(
                "alike(&answer, &caller.post(COLLECTION, {absent}).await);"
            ));
        }
        if is_changed {
            lines.push("let at = made(&caller.post(COLLECTION, body).await);".to_owned());
            lines.extend(changes(&member));
        } else {
            lines.push("status(&caller.post(COLLECTION, body).await, 201);".to_owned());
        }
        let name = rest_schema::naming::snake(&self.schema.relation(id).name);
        Some(self.test(format!("a_hidden_{name}_is_one_that_is_not_there"), &stage, lines))
    }

    /// That whoever makes an item may read and change it, if he may change this field of it.
    fn changeable(&self, cast: &Cast<'s>, local: FieldId) -> Option<[Goal<'s>; 2]> {
        let (read, update) = (self.rule(Operation::Read)?, self.rule(Operation::Update)?);
        let field = self.schema.field(local);
        (self.is_sent(local.index, field, true) && field.writable.is_none()).then(|| {
            [
                Goal::grants(&read.expr, cast.row, cast.granted),
                Goal::grants(&update.expr, cast.row, cast.granted),
            ]
        })
    }

    /// Who may change an item gives it to another, or takes it, only where the rule lets him.
    pub(super) fn given_away(&self, page: &mut Page) {
        let Some(accounts) = self.schema.accounts.as_ref().map(|accounts| accounts.resource) else {
            return;
        };
        if !self.serves(Operation::Update) || self.is_accounts() {
            return;
        }
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Update],
            full: false,
            apart: true,
        };
        let Some(cast) = wanted.find(self.schema) else {
            return;
        };
        let (Some(_), Some(stranger)) = (cast.granted, cast.stranger) else {
            return;
        };
        let relations = (0u32..).zip(&self.resource.relations);
        for (index, relation) in relations.filter(|(_, relation)| relation.target == accounts) {
            let Link::Keys { local, .. } = &relation.link else {
                continue;
            };
            let [local] = local[..] else { continue };
            let field = self.schema.field(local);
            let is_sent = self.is_sent(local.index, field, true) && field.writable.is_none();
            if relation.kind != RelationKind::BelongsTo || !is_sent {
                continue;
            }
            let id = RelationId {
                resource: self.id,
                index,
            };
            let mut changed = cast.scene.clone();
            changed.link(cast.row, id, stranger);
            let status = match outcome::read(&cast.scene, stranger, cast.granted) {
                Some(200) => outcome::update(&cast.scene, &changed, cast.row, cast.granted),
                Some(_) => Some(409),
                None => None,
            };
            let (Some(status), Some(stage)) = (
                status,
                Stage::new(
                    &cast.scene,
                    &[(cast.granted, "granted"), (Some(stranger), "stranger")],
                ),
            ) else {
                continue;
            };
            let mut lines = vec![format!("let at = item(COLLECTION, {});", stage.key_ref(cast.row))];
            let member = [(field.api_name.clone(), stage.key(stranger))];
            lines.extend(object("change", &member));
            let call = "&granted.patch(&at, &change).await";
            lines.extend(called("status", &[call, &status.to_string()], 0));
            let name = rest_schema::naming::snake(&relation.name);
            page.tests
                .push(self.test(format!("who_may_give_its_{name}_away"), &stage, lines));
        }
    }
}

/// A change of what is at `at`, by a merge patch and by a JSON Patch, to the keys in `hidden` and `absent`.
fn changes(member: &str) -> Vec<String> {
    let path = member.trim_matches('"');
    let mut lines = Vec::new();
    for name in ["hidden", "absent"] {
        lines.push(format!("let {name} = &{name}[{member}];"));
    }
    lines.push(format!("let change = |key| json!({{{member}: key}});"));
    lines.push("let answer = caller.patch(&at, change(hidden)).await;".to_owned());
    lines.push("status(&answer, 409);".to_owned());
    lines.push("alike(&answer, &caller.patch(&at, change(absent)).await);".to_owned());
    lines.push(format!(
        "let change = |key| json!([{{\"op\": \"add\", \"path\": \"/{path}\", \"value\": key}}]);"
    ));
    lines.push("let listed = caller.header(\"content-type\", \"application/json-patch+json\");".to_owned());
    lines.push("let answer = listed.patch(&at, change(hidden)).await;".to_owned());
    lines.push("status(&answer, 409);".to_owned());
    lines.push("alike(&answer, &listed.patch(&at, change(absent)).await);".to_owned());
    lines
}
