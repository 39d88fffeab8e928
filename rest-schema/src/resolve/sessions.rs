//! Sign-in by cookie.

use super::Draft;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::Block;
use crate::schema::{FieldId, Flask, Sessions};
use crate::types::Kind;

/// Seconds that a session of ours may be left alone, where nothing is said: two hours.
const IDLE: u64 = 7_200;
/// Seconds that one lasts at most, where nothing is said: two weeks.
const LIFETIME: u64 = 14 * 86_400;
/// Seconds that Flask takes a cookie of its own, where nothing is said (`PERMANENT_SESSION_LIFETIME`): 31 days.
const FLASK: u64 = 31 * 86_400;

/// Takes over what `sessions` says.
pub(super) fn read(draft: &Draft, block: &Block, diagnostics: &mut Diagnostics) -> Option<Sessions> {
    let lifetime = block.number("lifetime").unwrap_or(LIFETIME);
    let idle = block.number("idle").unwrap_or(IDLE.min(lifetime));
    if idle > lifetime {
        let message = "`idle` is longer than `lifetime`";
        diagnostics.push(Diagnostic::new("contradiction", block.place("idle"), message));
    }
    // When a session was used is kept to the minute.
    if idle < 60 || lifetime < 60 {
        let key = if idle < 60 && block.has("idle") {
            "idle"
        } else {
            "lifetime"
        };
        let message = format!("`{key}` is a minute at least");
        diagnostics.push(Diagnostic::new("wrong-shape", block.place(key), message));
    }
    let sessions = Sessions {
        idle,
        lifetime,
        flask: block.block("flask").map(|block| flask(draft, block, diagnostics)),
    };
    if draft.schema.accounts.is_none() && !draft.is_open() {
        let message = "nobody signs in, since the service has no accounts";
        let help = "declare them: `accounts: { resource: User, identify_by: [email], password: password }`";
        diagnostics.push(Diagnostic::new("missing-key", block.span, message).help(help));
        return None;
    }
    Some(sessions)
}

fn flask(draft: &Draft, block: &Block, diagnostics: &mut Diagnostics) -> Flask {
    let user = telling(draft, block, "the app's `get_id()` gives", diagnostics);
    let mut named = |key: &str| {
        let name = block.string(key)?;
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if name.is_empty() || !name.bytes().all(is_token) {
            let message = format!("`{name}` is no name of a cookie");
            diagnostics.push(Diagnostic::new("bad-name", block.place(key), message));
        }
        Some(name)
    };
    Flask {
        cookie: named("cookie").unwrap_or_else(|| "session".to_owned()),
        remember: named("remember"),
        lifetime: block.number("lifetime").unwrap_or(FLASK),
        user,
    }
}

/// The field `user`, by whose value an account is told from others; `None`: its key.
pub(super) fn telling(
    draft: &Draft,
    block: &Block,
    given: &str,
    diagnostics: &mut Diagnostics,
) -> Option<FieldId> {
    let name = block.text("user")?;
    let accounts = draft.schema.accounts.as_ref()?.resource;
    let found = super::service::field(draft, accounts, name, diagnostics)?;
    let field = draft.schema.field(found);
    let is_key = draft.schema.resource(accounts).key.fields == [found];
    let tells = is_key || field.unique && matches!(field.ty.kind(), Kind::Text | Kind::Integer | Kind::Uuid);
    if !tells {
        let message = format!("`{}` doesn't tell one account from another", name.text);
        let help = format!("name the field whose value {given}: a unique text, number or UUID");
        diagnostics.push(Diagnostic::new("bad-accounts", name.span, message).help(help));
    }
    Some(found).filter(|_| !is_key)
}
