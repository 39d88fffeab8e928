//! The life of an item: made, read, listed, changed, deleted.

use rest_schema::{FieldType, Operation};

use super::super::cast::Wanted;
use super::super::outcome;
use super::super::scene::{Cell, How, Scene, Slot, Who};
use super::super::search::Goal;
use super::super::stage::Stage;
use super::super::text::{called, inline, object};
use super::{Of, Page, answer, somebody};

/// What may follow the making of an item.
const THEN: [Operation; 3] = [Operation::Read, Operation::Update, Operation::Delete];

/// An item with somebody for each operation that somebody may do.
struct Life<'s> {
    scene: Scene<'s>,
    row: usize,
    /// Whoever makes it; `None`: it is there before.
    maker: Option<Who>,
    then: Vec<(Operation, Who)>,
}

impl<'s> Of<'s> {
    pub(super) fn life(&self, page: &mut Page) {
        let start = self.born().or_else(|| self.there());
        let Some(start) = start else {
            page.note("life of an item: no row that it can be tried on was found");
            return;
        };
        if start.maker.is_none() && self.serves(Operation::Create) {
            page.note(format!(
                "create: nobody was found to whom `{}` grants it",
                self.source(Operation::Create)
            ));
        }
        let life = self.lived(start, page);
        if life.maker.is_none() && life.then.is_empty() {
            return;
        }
        let names = self.roles(&life);
        let clients: Vec<(Who, &str)> = names.iter().map(|(who, name)| (*who, name.as_str())).collect();
        let clients: Vec<_> = clients
            .into_iter()
            .filter(|(who, _)| *who != Some(life.row))
            .collect();
        let Some(stage) = Stage::new(&life.scene, &clients) else {
            page.note("life of an item: its rows need each other, so none can be made first");
            return;
        };
        let body = self.told(&life, &stage, &names);
        page.tests.push(self.test(self.life_name(&life), &stage, body));
    }

    pub(super) fn source(&self, operation: Operation) -> &'s str {
        self.rule(operation).map_or("", |rule| &rule.source)
    }

    fn born(&self) -> Option<Life<'s>> {
        let wanted = Wanted {
            resource: self.id,
            operations: &[Operation::Create],
            full: true,
            apart: false,
        };
        let cast = wanted.find(self.schema)?;
        Some(Life {
            scene: cast.scene,
            row: cast.row,
            maker: Some(cast.granted),
            then: Vec::new(),
        })
    }

    fn there(&self) -> Option<Life<'s>> {
        let mut scene = Scene::new(self.schema);
        let row = scene.add(self.id, How::THERE, &[])?;
        let scene = super::Search::find(scene, &[])?;
        Some(Life {
            scene,
            row,
            maker: None,
            then: Vec::new(),
        })
    }

    /// Finds somebody for each operation, keeping what was found before.
    fn lived(&self, mut life: Life<'s>, page: &mut Page) -> Life<'s> {
        let mut goals: Vec<Goal<'s>> = Vec::new();
        if let (Some(maker), Some(rule)) = (life.maker, self.rule(Operation::Create)) {
            goals.push(Goal::grants(&rule.expr, life.row, maker));
        }
        let read = self.rule(Operation::Read);
        for operation in THEN {
            let (Some(rule), Some(read)) = (self.rule(operation), read) else {
                continue;
            };
            let row = life.row;
            let wanted = |who: Who| {
                vec![
                    Goal::grants(&read.expr, row, who),
                    Goal::grants(&rule.expr, row, who),
                ]
            };
            match somebody(&life.scene, &goals, &self.candidates(&life), wanted) {
                Some((scene, who)) => {
                    life.scene = scene;
                    goals.extend(wanted(who));
                    life.then.push((operation, who));
                }
                None => page.note(format!(
                    "{} in the life of an item: nobody was found to whom `{}` grants it",
                    word(operation),
                    rule.source
                )),
            }
        }
        life
    }

    /// Those who are there already, then nobody, then the row itself where it is an account.
    fn candidates(&self, life: &Life<'s>) -> Vec<Who> {
        let mut all: Vec<Who> = life.maker.into_iter().collect();
        all.extend(life.then.iter().map(|(_, who)| *who));
        all.push(None);
        if self.is_accounts() && self.identifier(&life.scene, life.row).is_some() {
            all.push(Some(life.row));
        }
        all
    }

    /// A name and a password with which a row signs in.
    pub(super) fn identifier(&self, scene: &Scene<'s>, row: usize) -> Option<(Cell, Cell)> {
        let accounts = self.schema.accounts.as_ref()?;
        let given = |index: u32| match &scene.rows[row].slots[index as usize] {
            Slot::Given(cell @ Cell::Value(_)) if *cell != Cell::NULL => Some(cell.clone()),
            _ => None,
        };
        let name = accounts.identify_by.iter().find_map(|id| given(id.index))?;
        Some((name, given(accounts.password.index)?))
    }

    /// A name for each caller: by what he is the first to do, or just the caller.
    fn roles(&self, life: &Life<'s>) -> Vec<(Who, String)> {
        let mut all: Vec<(Who, &str)> = life.maker.iter().map(|who| (*who, "maker")).collect();
        let role = |operation| match operation {
            Operation::Read | Operation::Create => "reader",
            Operation::Update => "editor",
            Operation::Delete => "remover",
            Operation::Restore => "restorer",
        };
        all.extend(life.then.iter().map(|(operation, who)| (*who, role(*operation))));
        let mut names: Vec<(Who, String)> = Vec::new();
        for (who, role) in all {
            if !names.iter().any(|(known, _)| *known == who) {
                let name = match who {
                    None => "nobody",
                    Some(place) if place == life.row => "itself",
                    Some(_) => role,
                };
                names.push((who, name.to_owned()));
            }
        }
        if let [(Some(_), name)] = names.as_mut_slice()
            && name != "itself"
        {
            "caller".clone_into(name);
        }
        names
    }

    fn life_name(&self, life: &Life<'s>) -> String {
        let mut deeds: Vec<&str> = life.maker.iter().map(|_| "made").collect();
        deeds.extend(life.then.iter().map(|(operation, _)| match operation {
            Operation::Read => "read",
            Operation::Create => "made",
            Operation::Update => "changed",
            Operation::Delete => "deleted",
            Operation::Restore => "restored",
        }));
        let last = deeds.pop().unwrap_or("there");
        let deeds = if deeds.is_empty() {
            last.to_owned()
        } else {
            format!("{}_and_{last}", deeds.join("_"))
        };
        format!("{}_is_{deeds}", self.one())
    }

    fn told(&self, life: &Life<'s>, stage: &Stage<'_, 's>, names: &[(Who, String)]) -> Vec<String> {
        let name = |who: Who| {
            let found = names.iter().find(|(known, _)| *known == who);
            found.map_or("nobody", |(_, name)| name.as_str())
        };
        let mut lines = match life.maker {
            Some(maker) => self.told_made(life, stage, maker, name(maker)),
            None => vec![format!("let at = item(COLLECTION, {});", stage.key_ref(life.row))],
        };
        if names.iter().any(|(who, _)| *who == Some(life.row)) {
            lines.extend(self.signed_in(life, stage));
        }
        for (operation, who) in &life.then {
            lines.push(String::new());
            lines.extend(match operation {
                Operation::Read | Operation::Create | Operation::Restore => {
                    self.told_read(life, stage, *who, name(*who))
                }
                Operation::Update => self.told_changed(life, stage, *who, name(*who)),
                Operation::Delete => self.told_deleted(life, *who, &name),
            });
        }
        lines
    }

    fn told_made(&self, life: &Life<'s>, stage: &Stage<'_, 's>, maker: Who, name: &str) -> Vec<String> {
        let members = stage.members(life.row);
        let mut lines = object("body", &members);
        lines.extend(answer(name, "post", &["COLLECTION", "&body"], 0));
        lines.push("let at = made(&answer);".to_owned());
        // Whoever makes an account without having one reads it as that account.
        let reader = if maker.is_none() && self.is_accounts() {
            Some(life.row)
        } else {
            maker
        };
        if outcome::read(&life.scene, life.row, reader) == Some(200) {
            let shown = self.shown(stage, life.row, reader);
            if shown == members {
                lines.push("shows(&answer, &body);".to_owned());
            } else if !shown.is_empty() {
                lines.extend(object("shown", &shown));
                lines.push("shows(&answer, &shown);".to_owned());
            }
        }
        lines
    }

    fn signed_in(&self, life: &Life<'s>, stage: &Stage<'_, 's>) -> Vec<String> {
        let Some((name, password)) = self.identifier(&life.scene, life.row) else {
            return Vec::new();
        };
        let text = |cell: &Cell| stage.json(cell).unwrap_or_default();
        let (name, password) = (text(&name), text(&password));
        let borrowed = |text: String| {
            if text.starts_with('"') && text.ends_with('"') {
                text
            } else {
                format!("&{text}")
            }
        };
        let call = format!("sign_in(&api, {}, {})", borrowed(name), borrowed(password));
        vec![format!("let itself = {call}.await;")]
    }

    fn told_read(&self, life: &Life<'s>, stage: &Stage<'_, 's>, who: Who, name: &str) -> Vec<String> {
        let mut lines = answer(name, "get", &["&at"], 0);
        lines.push("status(&answer, 200);".to_owned());
        let shown = self.shown(stage, life.row, who);
        if life.maker.is_none() && !shown.is_empty() {
            lines.extend(object("shown", &shown));
            lines.push("shows(&answer, &shown);".to_owned());
        }
        lines.push(format!("let page = {name}.get(COLLECTION).await;"));
        lines.push("assert!(lists(&page, &answer), \"{page:?}\");".to_owned());
        lines
    }

    fn told_changed(&self, life: &Life<'s>, stage: &Stage<'_, 's>, who: Who, name: &str) -> Vec<String> {
        let then = life.then.iter();
        let goals: Vec<Goal<'s>> = then
            .filter_map(|(operation, who)| Some(Goal::grants(&self.rule(*operation)?.expr, life.row, *who)))
            .collect();
        let (members, changed) = match self.change(&life.scene, life.row, who, &goals) {
            Some((index, cell, changed)) => {
                let member = self.resource.fields[index as usize].api_name.clone();
                (vec![(member, stage.json(&cell).unwrap_or_default())], changed)
            }
            None => (Vec::new(), life.scene.clone()),
        };
        let mut lines = vec![format!("let change = json!({});", inline(&members))];
        lines.extend(answer(name, "patch", &["&at", "&change"], 0));
        let status = outcome::update(&life.scene, &changed, life.row, who).unwrap_or(200);
        lines.push(format!("status(&answer, {status});"));
        let is_shown = |name: &str| {
            let field = self.resource.fields.iter().find(|field| field.api_name == name);
            field.is_some_and(|field| {
                let is_secret = field.writeonly || field.ty == FieldType::Password;
                !is_secret && super::may_read(&changed, life.row, field, who)
            })
        };
        if status == 200 && members.iter().any(|(name, _)| is_shown(name)) {
            lines.extend(called("shows", &["&answer", "&change"], 0));
        }
        lines
    }

    fn told_deleted<'n>(&self, life: &Life<'s>, who: Who, name: &dyn Fn(Who) -> &'n str) -> Vec<String> {
        let mut lines = answer(name(who), "delete", &["&at"], 0);
        lines.push("status(&answer, 204);".to_owned());
        let reader = life
            .then
            .iter()
            .find(|(operation, _)| *operation == Operation::Read);
        // Whoever deletes his own account has no token any more.
        let reader = reader.and_then(|(_, who)| *who).filter(|who| *who != life.row);
        let status = outcome::read_gone(&life.scene, life.row, reader);
        lines.extend(answer(name(reader), "get", &["&at"], 0));
        lines.push(format!("status(&answer, {status});"));
        lines
    }
}

/// An operation, as a sentence names it.
pub(super) fn word(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "read",
        Operation::Create => "create",
        Operation::Update => "update",
        Operation::Delete => "delete",
        Operation::Restore => "restore",
    }
}
