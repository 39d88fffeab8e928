//! What somebody may not read is told to him by no way, and is to him as if it weren't there.

use rest_schema::{FieldId, FieldType, Link, Operation, RelationId, RelationKind, Value};

use super::super::cast::{Cast, Wanted};
use super::super::outcome;
use super::super::scene::{Cell, How, Scene, Who};
use super::super::search::{Goal, Search};
use super::super::stage::Stage;
use super::super::text::each;
use super::{Of, Page, filter, is_filtered};

/// A row that somebody may read, and those who may not.
pub(super) struct Hidden<'s> {
    pub(super) cast: Cast<'s>,
    /// By their names.
    pub(super) others: Vec<&'static str>,
}

impl<'s> Of<'s> {
    pub(super) fn hidden(&self, page: &mut Page) {
        if let Some(hidden) = self.hidden_row() {
            self.told_by_no_way(page, &hidden);
            self.as_if_absent(page, &hidden);
            self.cursor_of_another(page, hidden);
        }
        self.pointing_at_hidden(page);
        self.made_unseen(page);
        self.keys_of_hidden(page);
        self.given_away(page);
    }

    /// A row that an account may read, and nobody in particular or a stranger may not.
    pub(super) fn hidden_row(&self) -> Option<Hidden<'s>> {
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Read],
            full: false,
            apart: true,
        };
        let cast = wanted.find(self.schema)?;
        cast.granted?;
        let refused = |who: Who| matches!(outcome::read(&cast.scene, cast.row, who), Some(401..=404));
        let mut others = Vec::new();
        if refused(None) {
            others.push("nobody");
        }
        if cast.stranger.is_some_and(|stranger| refused(Some(stranger))) {
            others.push("stranger");
        }
        (!others.is_empty()).then_some(Hidden { cast, others })
    }

    pub(super) fn stage<'a>(hidden: &'a Hidden<'s>) -> Option<Stage<'a, 's>> {
        let mut clients = vec![(hidden.cast.granted, "granted")];
        if hidden.others.contains(&"stranger") {
            clients.push((hidden.cast.stranger, "stranger"));
        }
        Stage::new(&hidden.cast.scene, &clients)
    }

    /// `for other in [&nobody, &stranger] {` around lines.
    pub(super) fn others(hidden: &Hidden<'_>, lines: Vec<String>) -> Vec<String> {
        let rows: Vec<String> = hidden.others.iter().map(|name| format!("&{name}")).collect();
        each("other", &rows, lines)
    }

    fn told_by_no_way(&self, page: &mut Page, hidden: &Hidden<'s>) {
        let Some(stage) = Self::stage(hidden) else { return };
        let scene = &hidden.cast.scene;
        if scene.rows.len() > self.schema.page.limit as usize {
            return;
        }
        let row = hidden.cast.row;
        let mut lines = vec![
            format!("let at = item(COLLECTION, {});", stage.key_ref(row)),
            "let found = granted.get(&at).await;".to_owned(),
            "status(&found, 200);".to_owned(),
        ];
        let asked = [self.ways(scene, row, &stage), self.ways_along(hidden, &stage)].concat();
        let mut within = vec![
            "let shown = granted.get(&asked).await;".to_owned(),
            "assert!(holds(&shown, &found), \"{asked}: {shown:?}\");".to_owned(),
        ];
        within.extend(Self::others(
            hidden,
            vec![
                "let answer = other.get(&asked).await;".to_owned(),
                "assert!(!holds(&answer, &found), \"{asked}: {answer:?}\");".to_owned(),
            ],
        ));
        lines.extend(each("asked", &asked, within));
        lines.extend(self.streamed(hidden));
        lines.extend(self.questions(hidden, &stage));
        let counted = self.counted(hidden, &stage);
        if !counted.is_empty() {
            let mut within = vec!["assert_eq!(many(&granted.get(&asked).await), 1, \"{asked}\");".to_owned()];
            let other = "assert_eq!(many(&other.get(&asked).await), 0, \"{asked}\");".to_owned();
            within.extend(Self::others(hidden, vec![other]));
            lines.extend(each("asked", &counted, within));
        }
        page.tests
            .push(self.test("what_is_hidden_is_told_by_no_way", &stage, lines));
    }

    /// Its address, and all that its collection can be asked for.
    fn ways(&self, scene: &Scene<'s>, row: usize, stage: &Stage<'_, 's>) -> Vec<String> {
        let mut asked = vec!["at.clone()".to_owned(), "COLLECTION.to_owned()".to_owned()];
        for (index, field) in self.fields() {
            let cell = scene.cell(row, index);
            if is_filtered(field) {
                match &cell {
                    Cell::Value(value) if *value != Value::Null => {
                        asked.push(format!("format!(\"{{COLLECTION}}?{}\")", filter(field, value)));
                    }
                    Cell::Key(place) => asked.push(format!(
                        "format!(\"{{COLLECTION}}?{}={{}}\", text({}))",
                        field.api_name,
                        stage.key_ref(*place)
                    )),
                    _ => {}
                }
            }
            let is_plain = field.is_shown() && field.is_stored() && field.readable.is_none();
            let is_bulky = matches!(field.ty, FieldType::Json | FieldType::Bytes | FieldType::Password);
            if field.sortable && is_plain && !is_bulky {
                for sign in ["", "-"] {
                    asked.push(format!(
                        "format!(\"{{COLLECTION}}?sort={sign}{}\")",
                        field.api_name
                    ));
                }
            }
            if let (true, true, Cell::Value(Value::Text(text))) = (field.searchable, is_plain, &cell)
                && !text.is_empty()
                && text
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
            {
                asked.push(format!("format!(\"{{COLLECTION}}?q={text}\")"));
            }
        }
        asked
    }

    /// The rows that its belongs_to lead to, as far as the caller may read them: each with the way back.
    fn parents(&self, hidden: &Hidden<'s>) -> Vec<(usize, RelationId)> {
        let (scene, row) = (&hidden.cast.scene, hidden.cast.row);
        let relations = (0u32..).zip(&self.resource.relations);
        let relations = relations.filter(|(_, relation)| relation.kind == RelationKind::BelongsTo);
        relations
            .filter_map(|(index, relation)| {
                let id = RelationId {
                    resource: self.id,
                    index,
                };
                let back = relation.inverse?;
                let Link::Keys { local, .. } = &relation.link else {
                    return None;
                };
                let parent = *scene.related(&scene.rows[row], id).first()?;
                let read = outcome::read(scene, parent, hidden.cast.granted);
                (self.are_shown(local) && read == Some(200)).then_some((parent, back))
            })
            .collect()
    }

    /// Whether whoever may read an item sees these fields of it.
    pub(super) fn are_shown(&self, fields: &[FieldId]) -> bool {
        let mut fields = fields.iter().map(|id| self.schema.field(*id));
        fields.all(|field| field.is_shown() && field.readable.is_none())
    }

    /// What leads to it from other items.
    fn ways_along(&self, hidden: &Hidden<'s>, stage: &Stage<'_, 's>) -> Vec<String> {
        let mut asked = Vec::new();
        for (parent, back) in self.parents(hidden) {
            let relation = self.schema.relation(back);
            let of = self.schema.resource(back.resource);
            let at = format!("{}/{}/{{}}", self.schema.prefix, of.collection);
            let key = format!("text({})", stage.key_ref(parent));
            asked.push(format!("format!(\"{at}/{}\", {key})", relation.name));
            // What is included is capped; a scene has fewer.
            asked.push(format!("format!(\"{at}?include={}\", {key})", relation.name));
        }
        asked
    }

    /// The whole result, as lines.
    fn streamed(&self, hidden: &Hidden<'_>) -> Vec<String> {
        if !self.resource.sort.is_empty() {
            // An order that no index serves can't be streamed, and which do is not told here.
            return Vec::new();
        }
        let mut lines = vec!["let lines = (\"accept\", \"application/x-ndjson\");".to_owned()];
        lines.push("let shown = granted.header(lines.0, lines.1).get(COLLECTION).await;".to_owned());
        lines.push("assert!(holds(&shown, &found), \"{shown:?}\");".to_owned());
        lines.extend(Self::others(
            hidden,
            vec![
                "let answer = other.header(lines.0, lines.1).get(COLLECTION).await;".to_owned(),
                "assert!(!holds(&answer, &found), \"{answer:?}\");".to_owned(),
            ],
        ));
        lines
    }

    /// The same asked by a body.
    fn questions(&self, hidden: &Hidden<'s>, stage: &Stage<'_, 's>) -> Vec<String> {
        let mut bodies = vec![format!("json!({{\"limit\": {}}})", self.schema.page.limit)];
        if let Some((name, key)) = self.single_key(hidden, stage) {
            bodies.push(format!("json!({{\"filter\": {{{name:?}: {key}}}}})"));
            bodies.push(format!(
                "json!({{\"filter\": {{\"any\": [{{{name:?}: {key}}}]}}}})"
            ));
        }
        let mut within = vec![
            "let shown = granted.post(&query, &body).await;".to_owned(),
            "assert!(holds(&shown, &found), \"{body}: {shown:?}\");".to_owned(),
        ];
        within.extend(Self::others(
            hidden,
            vec![
                "let answer = other.post(&query, &body).await;".to_owned(),
                "assert!(!holds(&answer, &found), \"{body}: {answer:?}\");".to_owned(),
            ],
        ));
        let mut lines = vec!["let query = format!(\"{COLLECTION}/query\");".to_owned()];
        lines.extend(each("body", &bodies, within));
        lines
    }

    /// The name and the value of a key of one field that can be filtered by.
    pub(super) fn single_key(&self, hidden: &Hidden<'s>, stage: &Stage<'_, 's>) -> Option<(String, String)> {
        let [key] = self.resource.key.fields[..] else {
            return None;
        };
        let field = self.schema.field(key);
        is_filtered(field).then(|| (field.api_name.clone(), stage.key(hidden.cast.row)))
    }

    /// Questions of how many there are, to which the answer is one.
    fn counted(&self, hidden: &Hidden<'s>, stage: &Stage<'_, 's>) -> Vec<String> {
        let Some((name, _)) = self.single_key(hidden, stage) else {
            return Vec::new();
        };
        let key = format!("text({})", stage.key_ref(hidden.cast.row));
        let mut asked = vec![
            format!("format!(\"{{COLLECTION}}?{name}={{}}&count=exact\", {key})"),
            format!("format!(\"{{COLLECTION}}?{name}={{}}&aggregate=count\", {key})"),
        ];
        let mut groups = self.fields().filter(|(_, field)| {
            let is_value = !matches!(field.ty, FieldType::Json | FieldType::Bytes | FieldType::Password);
            is_value && is_filtered(field) && field.is_stored() && field.readable.is_none()
        });
        if let Some((_, field)) = groups
            .find(|(index, _)| !self.is_key(*index))
            .or_else(|| groups.next())
        {
            asked.push(format!(
                "format!(\"{{COLLECTION}}?{name}={{}}&aggregate=count&group={}\", {key})",
                field.api_name
            ));
        }
        for (parent, back) in self.parents(hidden) {
            let relation = self.schema.relation(back);
            let of = self.schema.resource(back.resource);
            // Others of the kind may be led to from the same one.
            let kin = hidden.cast.scene.rows.iter();
            let is_alone =
                kin.filter(|row| row.resource == back.resource).count() == 1 || relation.kind.is_to_one();
            if is_alone && parent != hidden.cast.row {
                asked.push(format!(
                    "format!(\"{}/{}?{}.{name}={{}}\", {key})",
                    self.schema.prefix, of.collection, relation.name
                ));
            }
        }
        asked
    }

    /// A cursor of somebody who sees more shows no more to others.
    fn cursor_of_another(&self, page: &mut Page, hidden: Hidden<'s>) {
        let Some(read) = self.rule(Operation::Read) else {
            return;
        };
        let Hidden { cast, others } = hidden;
        let mut scene = cast.scene;
        let Some(second) = scene.add(self.id, How::THERE, &[]) else {
            return;
        };
        let whos: Vec<Who> = others
            .iter()
            .map(|name| if *name == "stranger" { cast.stranger } else { None })
            .collect();
        let mut goals = Vec::new();
        for row in [cast.row, second] {
            goals.push(Goal::grants(&read.expr, row, cast.granted));
            goals.extend(whos.iter().map(|who| Goal::refuses(&read.expr, row, *who)));
        }
        let Some(scene) = Search::find(scene, &goals) else {
            return;
        };
        let hidden = Hidden {
            cast: Cast { scene, ..cast },
            others,
        };
        let Some(stage) = Self::stage(&hidden) else { return };
        let mut lines = Vec::new();
        for (name, row) in [("one", cast.row), ("two", second)] {
            lines.push(format!(
                "let {name} = granted.get(item(COLLECTION, {})).await;",
                stage.key_ref(row)
            ));
            lines.push(format!("status(&{name}, 200);"));
        }
        lines.push("let first = granted.get(format!(\"{COLLECTION}?limit=1\")).await;".to_owned());
        lines.push("let next = first.body[\"links\"][\"next\"].as_str().expect(\"a next page\");".to_owned());
        lines.push("let shown = granted.get(next).await;".to_owned());
        lines.push("assert!(holds(&shown, &one) || holds(&shown, &two), \"{shown:?}\");".to_owned());
        lines.extend(Self::others(
            &hidden,
            vec![
                "let answer = other.get(next).await;".to_owned(),
                "assert!(!holds(&answer, &one) && !holds(&answer, &two), \"{answer:?}\");".to_owned(),
            ],
        ));
        page.tests
            .push(self.test("a_cursor_of_another_shows_no_more", &stage, lines));
    }
}
