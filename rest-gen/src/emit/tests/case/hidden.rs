//! What somebody may not read is told to him by no way, and is to him as if it weren't there.

use rest_schema::{FieldId, FieldRole, FieldType, KeyKind, Link, Operation, RelationId, RelationKind, Value};

use super::super::cast::{Cast, Wanted};
use super::super::literal;
use super::super::outcome;
use super::super::scene::{Cell, How, Scene, Who};
use super::super::search::{Goal, Search};
use super::super::stage::Stage;
use super::super::text::{called, each, formatted, object};
use super::{Of, Page, filter, is_filtered};

/// A row that somebody may read, and those who may not.
struct Hidden<'s> {
    cast: Cast<'s>,
    /// By their names.
    others: Vec<&'static str>,
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
    fn hidden_row(&self) -> Option<Hidden<'s>> {
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

    fn stage<'a>(hidden: &'a Hidden<'s>) -> Option<Stage<'a, 's>> {
        let mut clients = vec![(hidden.cast.granted, "granted")];
        if hidden.others.contains(&"stranger") {
            clients.push((hidden.cast.stranger, "stranger"));
        }
        Stage::new(&hidden.cast.scene, &clients)
    }

    /// `for other in [&nobody, &stranger] {` around lines.
    fn others(hidden: &Hidden<'_>, lines: Vec<String>) -> Vec<String> {
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
    fn are_shown(&self, fields: &[FieldId]) -> bool {
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
    fn single_key(&self, hidden: &Hidden<'s>, stage: &Stage<'_, 's>) -> Option<(String, String)> {
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

    /// What may be read and points at it: a test for each relation that leads to such items.
    fn pointing_at_hidden(&self, page: &mut Page) {
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
    fn pointed_at_by(&self, back: RelationId, forth: &str) -> Option<super::super::text::Test> {
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
        let cells = remote.iter().map(|id| scene.cell(row, id.index));
        let given: Vec<(u32, Cell)> = local.iter().map(|id| id.index).zip(cells).collect();
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
    fn sorted_along(&self, back: RelationId) -> Option<super::super::text::Test> {
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
            let cells = remote.iter().map(|id| scene.cell(row, id.index));
            let given: Vec<(u32, Cell)> = local.iter().map(|id| id.index).zip(cells).collect();
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

    /// Who may make what he may not read is told that it is made, and nothing of it.
    fn made_unseen(&self, page: &mut Page) {
        let (Some(create), Some(read)) = (self.rule(Operation::Create), self.rule(Operation::Read)) else {
            return;
        };
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Create],
            full: false,
            apart: false,
        };
        let Some(cast) = wanted.as_account(self.schema) else {
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

    /// Every method at its address answers as at one where there is nothing.
    fn as_if_absent(&self, page: &mut Page, hidden: &Hidden<'s>) {
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
    fn keys_of_hidden(&self, page: &mut Page) {
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

    fn key_of_hidden(&self, id: RelationId, local: FieldId) -> Option<super::super::text::Test> {
        let target = self.schema.relation(id).target;
        let read = &self.schema.resource(target).access.read.as_ref()?.expr;
        let create = &self.rule(Operation::Create)?.expr;
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Create],
            full: false,
            apart: false,
        };
        let mut cast = wanted.as_account(self.schema)?;
        let other = cast.scene.add(target, How::THERE, &[])?;
        let goals = [
            Goal::grants(create, cast.row, cast.granted),
            Goal::refuses(read, other, cast.granted),
        ];
        let scene = Search::find(cast.scene, &goals)?;
        let stage = Stage::new(&scene, &[(cast.granted, "caller")])?;
        let absent = Of::new(self.schema, target).absent()?;
        let member = format!("{:?}", self.schema.field(local).api_name);
        let mut lines = object("body", &stage.members(cast.row));
        lines.push(format!(
            "let hidden = with(&body, {member}, json!({}));",
            stage.key(other)
        ));
        lines.push(format!("let absent = with(&body, {member}, {absent});"));
        lines.push("let answer = caller.post(COLLECTION, hidden).await;".to_owned());
        lines.push("status(&answer, 409);".to_owned());
        lines.push("alike(&answer, &caller.post(COLLECTION, absent).await);".to_owned());
        lines.push("status(&caller.post(COLLECTION, body).await, 201);".to_owned());
        let name = rest_schema::naming::snake(&self.schema.relation(id).name);
        Some(self.test(format!("a_hidden_{name}_is_one_that_is_not_there"), &stage, lines))
    }

    /// Who may change an item gives it to another, or takes it, only where the rule lets him.
    fn given_away(&self, page: &mut Page) {
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

/// Tests of tokens that do less than their account, or nothing.
impl Of<'_> {
    pub(super) fn narrow(&self, page: &mut Page) {
        let Some(hidden) = self.hidden_row() else { return };
        let writes = [Operation::Create, Operation::Update, Operation::Delete];
        // What the token may do instead.
        let Some(_) = writes.into_iter().find(|operation| self.serves(*operation)) else {
            return;
        };
        let (scene, row) = (&hidden.cast.scene, hidden.cast.row);
        let Some(stage) = Stage::new(scene, &[(hidden.cast.granted, "granted")]) else {
            return;
        };
        let refused = |status: u16| if status == 401 { 403 } else { status };
        let Some(read) = outcome::read(scene, row, None) else {
            return;
        };
        let list = outcome::list(scene, row, None);
        let word = format!("{}:write", self.resource.collection);
        let mut lines = vec![
            format!("let at = item(COLLECTION, {});", stage.key_ref(row)),
            "status(&granted.get(&at).await, 200);".to_owned(),
            format!("let narrow = granted.scoped(&[{word:?}]).await;"),
            format!("status(&narrow.get(&at).await, {});", refused(read)),
            format!("status(&narrow.get(COLLECTION).await, {});", refused(list)),
        ];
        lines.extend(self.narrow_writes(scene));
        page.tests
            .push(self.test("a_token_does_what_its_scopes_say", &stage, lines));
    }

    /// Writes that are closed to whoever isn't signed in are to a token that reads only.
    fn narrow_writes(&self, scene: &Scene<'_>) -> Vec<String> {
        let word = format!("{}:read", self.resource.collection);
        let mut lines = Vec::new();
        for (operation, call) in [
            (Operation::Create, "post(COLLECTION, json!({}))"),
            (Operation::Update, "patch(&at, json!({}))"),
            (Operation::Delete, "delete(&at)"),
        ] {
            let rule = self.rule(operation);
            if rule.is_some_and(|rule| outcome::is_closed(scene, &rule.expr, None)) {
                lines.push(format!("status(&reader.{call}.await, 403);"));
            }
        }
        if !lines.is_empty() {
            lines.insert(0, format!("let reader = granted.scoped(&[{word:?}]).await;"));
        }
        lines
    }
}
