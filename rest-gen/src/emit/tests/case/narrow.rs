//! Tokens that do less than their account, or nothing.

use rest_schema::Operation;

use super::super::outcome;
use super::super::scene::Scene;
use super::super::stage::Stage;
use super::{Of, Page};
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
