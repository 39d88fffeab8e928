//! Who may do what: nobody, a stranger, and whoever the rules grant it to.

use rest_schema::Operation;

use super::super::cast::{Cast, Wanted};
use super::super::outcome;
use super::super::scene::{Scene, Who};
use super::super::stage::Stage;
use super::super::text::{asked, called, inline, object};
use super::life::word;
use super::{Of, Page};

const ALL: [Operation; 5] = [
    Operation::Read,
    Operation::Create,
    Operation::Update,
    Operation::Delete,
    Operation::Restore,
];

impl<'s> Of<'s> {
    pub(super) fn access(&self, page: &mut Page) {
        for operation in ALL {
            if self.serves(operation) {
                self.access_of(page, operation);
            }
        }
        self.unserved(page);
    }

    fn access_of(&self, page: &mut Page, operation: Operation) {
        // What is restored was deleted before.
        let operations: &[Operation] = match operation {
            Operation::Restore => &[Operation::Restore, Operation::Delete],
            _ => &[operation],
        };
        let wanted = Wanted {
            resource: self.id,
            operations,
            full: false,
            apart: true,
        };
        let found = wanted.find(self.schema);
        if found.is_none() {
            page.note(format!(
                "{}: nobody was found to whom `{}` grants it",
                word(operation),
                self.source(operation)
            ));
        }
        let cast = found.clone().or_else(|| wanted.anybody(self.schema));
        let Some(cast) = cast else {
            page.note(format!(
                "{}: no row that it can be tried on was found",
                word(operation)
            ));
            return;
        };
        if operation == Operation::Restore && (found.is_none() || cast.granted == Some(cast.row)) {
            page.note("restore: nobody was found who may delete an item and restore it");
            return;
        }
        let callers = callers(&cast, found.is_some());
        let expected: Vec<(Who, &str, u16)> = callers
            .iter()
            .filter_map(|(who, name)| match self.expected(&cast, operation, *who) {
                Some(status) => Some((*who, *name, status)),
                None => {
                    page.note(format!(
                        "{} by {name}: what `{}` says is known only by the service",
                        word(operation),
                        self.source(operation)
                    ));
                    None
                }
            })
            .collect();
        let expected = in_turn(operation, expected);
        let clients: Vec<(Who, &str)> = expected.iter().map(|(who, name, _)| (*who, *name)).collect();
        let Some(stage) = Stage::new(&cast.scene, &clients) else {
            page.note(format!(
                "{}: its rows need each other, so none can be made first",
                word(operation)
            ));
            return;
        };
        let lines = self.asked(&cast, &stage, operation, expected);
        page.tests
            .push(self.test(format!("who_may_{}", verb(operation)), &stage, lines));
    }

    fn expected(&self, cast: &Cast<'s>, operation: Operation, who: Who) -> Option<u16> {
        let (scene, row) = (&cast.scene, cast.row);
        match operation {
            Operation::Read => outcome::read(scene, row, who),
            Operation::Create => outcome::create(scene, row, who),
            Operation::Update => outcome::update(scene, &self.changed(cast).1, row, who),
            Operation::Delete => outcome::delete(scene, row, who),
            Operation::Restore => outcome::restore(scene, row, who),
        }
    }

    /// A change, as the one to whom it is granted may make it; an empty one where there is none.
    fn changed(&self, cast: &Cast<'s>) -> (Vec<(u32, super::Cell)>, Scene<'s>) {
        match self.change(&cast.scene, cast.row, cast.granted, &[]) {
            Some((index, cell, changed)) => (vec![(index, cell)], changed),
            None => (Vec::new(), cast.scene.clone()),
        }
    }

    fn asked(
        &self,
        cast: &Cast<'s>,
        stage: &Stage<'_, 's>,
        operation: Operation,
        expected: Vec<(Who, &str, u16)>,
    ) -> Vec<String> {
        let mut lines = self.before(cast, stage, operation);
        for (who, name, status) in expected {
            let (method, arguments) = match operation {
                Operation::Read => ("get", vec!["&at"]),
                Operation::Create => ("post", vec!["COLLECTION", "&body"]),
                Operation::Update => ("patch", vec!["&at", "&change"]),
                Operation::Delete => ("delete", vec!["&at"]),
                Operation::Restore => ("post", vec!["&restore", "json!({})"]),
            };
            let call = format!("&{name}.{method}({}).await", arguments.join(", "));
            lines.extend(called("status", &[&call, &status.to_string()], 0));
            if operation == Operation::Read {
                lines.extend(listed(cast, who, name, status));
            }
        }
        lines
    }

    fn before(&self, cast: &Cast<'s>, stage: &Stage<'_, 's>, operation: Operation) -> Vec<String> {
        if operation == Operation::Create {
            return object("body", &stage.members(cast.row));
        }
        let mut lines = vec![format!("let at = item(COLLECTION, {});", stage.key_ref(cast.row))];
        if operation == Operation::Restore {
            lines.push("let restore = format!(\"{at}/restore\");".to_owned());
            let name = if cast.granted.is_some() {
                "granted"
            } else {
                "nobody"
            };
            let call = format!("&{name}.delete(&at).await");
            lines.extend(called("status", &[&call, "204"], 0));
        }
        if operation == Operation::Update {
            let changes = self.changed(cast).0;
            let members: Vec<(String, String)> = changes
                .iter()
                .filter_map(|(index, cell)| {
                    let name = self.resource.fields[*index as usize].api_name.clone();
                    Some((name, stage.json(cell)?))
                })
                .collect();
            lines.push(format!("let change = json!({});", inline(&members)));
        }
        lines
    }

    /// Operations without a rule aren't served to anybody.
    fn unserved(&self, page: &mut Page) {
        // Where nothing is restored there is no address for it.
        let closed: Vec<Operation> = ALL
            .into_iter()
            .filter(|operation| *operation != Operation::Restore && !self.serves(*operation))
            .collect();
        if closed.is_empty() {
            return;
        }
        let scene = Scene::new(self.schema);
        let Some(stage) = Stage::new(&scene, &[]) else {
            return;
        };
        let mut lines = Vec::new();
        if closed.iter().any(|operation| *operation != Operation::Create) {
            lines.push("let at = item(COLLECTION, &json!(1));".to_owned());
            if self.resource.key.fields.len() > 1 {
                let parts = vec!["1"; self.resource.key.fields.len()].join(", ");
                lines = vec![format!("let at = item(COLLECTION, &json!([{parts}]));")];
            }
        }
        for operation in closed {
            let call = match operation {
                Operation::Read => "&nobody.get(&at).await",
                Operation::Create => "&nobody.post(COLLECTION, json!({})).await",
                Operation::Update => "&nobody.patch(&at, json!({})).await",
                Operation::Delete | Operation::Restore => "&nobody.delete(&at).await",
            };
            lines.extend(called("status", &[call, "405"], 0));
        }
        page.tests
            .push(self.test("what_has_no_rule_is_not_served", &stage, lines));
    }
}

/// Refusals first: they change nothing. Of those that may make or delete the item only one can.
fn in_turn(operation: Operation, mut expected: Vec<(Who, &str, u16)>) -> Vec<(Who, &str, u16)> {
    expected.sort_by_key(|(_, name, status)| (*status < 300, *name != "granted"));
    let once = matches!(operation, Operation::Create | Operation::Delete);
    let first = expected.iter().position(|(_, _, status)| *status < 300);
    if let Some(first) = first.filter(|_| once) {
        expected.truncate(first + 1);
    }
    expected
}

/// Everybody whose right is tried.
fn callers(cast: &Cast<'_>, is_granted: bool) -> Vec<(Who, &'static str)> {
    let mut all: Vec<(Who, &str)> = vec![(None, "nobody")];
    all.extend(cast.stranger.map(|place| (Some(place), "stranger")));
    if is_granted && cast.granted.is_some() {
        all.push((cast.granted, "granted"));
    }
    all
}

/// The same right, asked of the collection.
fn listed(cast: &Cast<'_>, who: Who, name: &str, status: u16) -> Vec<String> {
    let of_list = outcome::list(&cast.scene, cast.row, who);
    if status == 200 {
        let mut lines = asked("let found = ", name, "get", &["&at"], 0);
        lines.extend(asked("let page = ", name, "get", &["COLLECTION"], 0));
        lines.push("assert!(lists(&page, &found), \"{page:?}\");".to_owned());
        return lines;
    }
    called(
        "status",
        &[&format!("&{name}.get(COLLECTION).await"), &of_list.to_string()],
        0,
    )
}

fn verb(operation: Operation) -> &'static str {
    match operation {
        Operation::Read => "read",
        Operation::Create => "make",
        Operation::Update => "change",
        Operation::Delete => "delete",
        Operation::Restore => "restore",
    }
}
