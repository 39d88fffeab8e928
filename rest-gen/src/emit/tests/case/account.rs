//! Signing in.

use rest_schema::Operation;

use super::super::cast::Wanted;
use super::super::outcome;
use super::super::scene::{Cell, Slot};
use super::super::stage::Stage;
use super::super::text::{called, each, object};
use super::{Of, Page, answer};

impl<'s> Of<'s> {
    pub(super) fn accounts(&self, page: &mut Page) {
        let Some(accounts) = self
            .schema
            .accounts
            .as_ref()
            .filter(|accounts| accounts.resource == self.id)
        else {
            return;
        };
        let wanted = Wanted {
            resource: self.id,
            operations: &[],
            full: true,
            apart: false,
        };
        let Some(cast) = wanted.anybody(self.schema) else {
            page.note("signing in: no account was found to try it on");
            return;
        };
        let Some(stage) = Stage::new(&cast.scene, &[]) else {
            page.note("signing in: its rows need each other, so none can be made first");
            return;
        };
        stage.keep(cast.row);
        let given = |index: u32| match &cast.scene.rows[cast.row].slots[index as usize] {
            Slot::Given(cell @ Cell::Value(_)) => stage.json(cell),
            _ => None,
        };
        let Some(password) = given(accounts.password.index) else {
            page.note("signing in: its password is known only by the service");
            return;
        };
        let members = |identifier: &str, password: &str| {
            [("identifier", identifier), ("password", password)]
                .map(|(name, value)| (name.to_owned(), value.to_owned()))
        };
        let mut lines = Vec::new();
        for id in &accounts.identify_by {
            let Some(identifier) = given(id.index) else {
                continue;
            };
            lines.extend(object("body", &members(&identifier, &password)));
            lines.extend(answer("nobody", "post", &["TOKENS", "body"], 0));
            lines.extend(called("status", &["&answer", "201"], 0));
            lines.extend(object("body", &members(&identifier, "\"another password\"")));
            lines.extend(answer("nobody", "post", &["TOKENS", "body"], 0));
            lines.extend(called("status", &["&answer", "401"], 0));
        }
        lines.extend(object("body", &members("\"nobody at all\"", &password)));
        lines.extend(answer("nobody", "post", &["TOKENS", "body"], 0));
        lines.extend(called("status", &["&answer", "401"], 0));
        page.tests
            .push(self.test("an_account_signs_in_with_its_password_alone", &stage, lines));
        self.own_account(page);
    }

    /// GET of one's own account, and an end to the token.
    fn own_account(&self, page: &mut Page) {
        let wanted = Wanted {
            resource: self.id,
            operations: &[],
            full: false,
            apart: false,
        };
        let Some(cast) = wanted.anybody(self.schema) else {
            return;
        };
        let Some(stage) = Stage::new(&cast.scene, &[(Some(cast.row), "caller")]) else {
            return;
        };
        let mut lines = Vec::new();
        match outcome::read(&cast.scene, cast.row, Some(cast.row)).filter(|_| self.serves(Operation::Read)) {
            Some(status) => {
                let me = format!("{:?}", format!("{}/me", self.schema.prefix));
                lines.extend(answer("caller", "get", &[&me], 0));
                lines.push(format!("status(&answer, {status});"));
            }
            None => page.note("GET of one's own account: what its rule says is known only by the service"),
        }
        let token = format!("{:?}", format!("{}/tokens/current", self.schema.prefix));
        lines.extend(answer("caller", "delete", &[&token], 0));
        lines.push("status(&answer, 204);".to_owned());
        lines.extend(answer("caller", "get", &["COLLECTION"], 0));
        lines.push("status(&answer, 401);".to_owned());
        let test = "a_token_is_its_account_s_until_it_is_revoked";
        if self.serves(Operation::Read) {
            page.tests.push(self.test(test, &stage, lines));
        }
        self.bad_credentials(page, &stage);
    }

    /// Tokens that aren't valid, and a cookie without the session's token.
    fn bad_credentials(&self, page: &mut Page, stage: &Stage<'_, 's>) {
        let tokens = format!("{:?}", format!("{}/tokens/current", self.schema.prefix));
        let refused = |who: &str| called("status", &[&format!("&{who}.get({tokens}).await"), "401"], 0);
        let mut lines = called("status", &[&format!("&caller.get({tokens}).await"), "200"], 0);
        lines.push("let expired = caller.expired().await;".to_owned());
        lines.extend(refused("expired"));
        let mut within = vec!["let forged = caller.header(\"authorization\", credentials);".to_owned()];
        within.extend(refused("forged"));
        let rows = ["Bearer", "Bearer x", "Bearer rest_", "Basic eDp5", "Digest x"];
        let rows: Vec<String> = rows.iter().map(|row| format!("{row:?}")).collect();
        lines.extend(each("credentials", &rows, within));
        page.tests
            .push(self.test("what_is_no_valid_token_is_refused", stage, lines));
        if self.schema.sessions.is_some() {
            let all = format!("{:?}", format!("{}/tokens", self.schema.prefix));
            let mut lines = vec!["let browser = caller.browser().await;".to_owned()];
            lines.extend(called(
                "status",
                &[&format!("&browser.get({all}).await"), "200"],
                0,
            ));
            lines.extend(called(
                "status",
                &[&format!("&browser.delete({all}).await"), "403"],
                0,
            ));
            lines.extend(called(
                "status",
                &[&format!("&browser.post({all}, json!({{}})).await"), "403"],
                0,
            ));
            page.tests
                .push(self.test("a_cookie_alone_changes_nothing", stage, lines));
        }
    }
}
