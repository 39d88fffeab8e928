//! The service's own settings, and who signs in.

use super::{Draft, cors, deprecated, jwt, sessions};
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::Block;
use crate::schema::{Accounts, Bounds, Caching, FieldId, Journal, Quota, ResourceId};
use crate::source::Excerpt;
use crate::types::{FieldType, Kind};

/// Seconds in which requests may be counted at most: a day.
const LONGEST_WINDOW: u32 = 86_400;
/// Seconds that one statement may take, at most.
const LONGEST_STATEMENT: u32 = 3_600;

/// Takes over what the top level says.
pub(super) fn build(draft: &mut Draft, root: &Block, diagnostics: &mut Diagnostics) {
    draft.schema.name = root.string("service").unwrap_or_default();
    if let Some(name) = root.text("service") {
        let bad =
            name.text.trim().is_empty() || name.text.chars().any(char::is_control) || name.text.len() > 100;
        if bad {
            let message = "a service's name has 1 to 100 bytes and no control characters";
            diagnostics.push(Diagnostic::new("bad-name", name.span, message));
        }
    }
    if let Some(version) = root.string("version") {
        draft.schema.version = version;
    }
    draft.schema.description = root.string("description");
    draft.schema.managed = root.flag("managed");
    if let Some(text) = root.text("prefix") {
        draft.schema.prefix = prefix(text, diagnostics);
    }
    if root
        .block("storage")
        .is_some_and(|storage| storage.has("journal"))
    {
        draft.schema.journal = Some(Journal::Wal);
    }
    tokens(draft, root, diagnostics);
    page(draft, root, diagnostics);
    limits(draft, root, diagnostics);
    sets(draft);
    draft.schema.caching = root.block("caching").map(|block| caching(block, diagnostics));
    for id in draft.ids() {
        let block = draft.sketch(id).block.clone();
        let resource = draft.resource_mut(id);
        resource.caching = block.block("caching").map(|block| caching(block, diagnostics));
        resource.deprecated = deprecated::read(&block, diagnostics);
    }
    draft.schema.cors = root
        .block("cors")
        .and_then(|block| cors::read(block, diagnostics));
    draft.schema.accounts = root
        .block("accounts")
        .and_then(|block| accounts(draft, block, diagnostics));
    draft.schema.sessions = root
        .block("sessions")
        .and_then(|block| sessions::read(draft, block, diagnostics));
    draft.schema.jwt = root
        .block("jwt")
        .and_then(|block| jwt::read(draft, block, diagnostics));
}

/// A body names as many related items as it could make.
fn sets(draft: &mut Draft) {
    let max = Some(u64::from(draft.schema.limits.bulk));
    let resources = draft.schema.resources.iter_mut();
    let fields = resources.flat_map(|resource| &mut resource.fields);
    for field in fields.filter(|field| field.keys_of().is_some()) {
        field.length = Some(Bounds { min: None, max });
    }
}

fn prefix(text: &Excerpt, diagnostics: &mut Diagnostics) -> String {
    let prefix = text.text.strip_suffix('/').unwrap_or(&text.text);
    let segment = |segment: &str| {
        let word = |b: u8| b.is_ascii_alphanumeric() || b"-._~".contains(&b);
        !matches!(segment, "" | "." | "..") && segment.bytes().all(word)
    };
    let good = prefix.is_empty()
        || prefix
            .strip_prefix('/')
            .is_some_and(|rest| rest.split('/').all(segment));
    if !good {
        let message = format!("`{}` is no prefix of an address", text.text);
        let help = "write `/api`, or `/` for none; segments are made of letters, digits and `-._~`";
        diagnostics.push(Diagnostic::new("bad-prefix", text.span, message).help(help));
    }
    prefix.to_owned()
}

fn tokens(draft: &mut Draft, root: &Block, diagnostics: &mut Diagnostics) {
    let Some(block) = root.block("tokens") else {
        return;
    };
    let tokens = &mut draft.schema.tokens;
    tokens.lifetime = block.number("lifetime").unwrap_or(tokens.lifetime);
    // A lifetime longer than the usual maximum raises it, where none is said.
    tokens.max_lifetime = block
        .number("max_lifetime")
        .unwrap_or(tokens.max_lifetime.max(tokens.lifetime));
    if tokens.lifetime > tokens.max_lifetime {
        let message = "`lifetime` is longer than `max_lifetime`";
        diagnostics.push(Diagnostic::new("contradiction", block.place("lifetime"), message));
    }
    for word in block.texts("scopes") {
        scope(word, &mut tokens.scopes, diagnostics);
    }
}

/// A word of the service's own stands in rules as a name, and beside words such as `posts:read` in lists.
fn scope(word: &Excerpt, known: &mut Vec<String>, diagnostics: &mut Diagnostics) {
    let mut bytes = word.text.bytes();
    let is_name = bytes.next().is_some_and(|first| first.is_ascii_lowercase())
        && bytes.all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'_')
        && word.text.len() <= 60;
    if !is_name {
        let message = format!("`{}` is no name of a scope", word.text);
        let help =
            "it has lower-case letters, digits and `_`, begins with a letter and has 60 characters at most";
        diagnostics.push(Diagnostic::new("bad-name", word.span, message).help(help));
    } else if known.contains(&word.text) {
        let message = format!("the scope `{}` stands twice", word.text);
        diagnostics.push(Diagnostic::new("duplicate-name", word.span, message));
    } else {
        known.push(word.text.clone());
    }
}

/// A number of a block, at least 1, at most what fits.
fn count(block: &Block, key: &str, usual: u32, most: u32, diagnostics: &mut Diagnostics) -> u32 {
    let Some(number) = block.number(key) else {
        return usual;
    };
    match u32::try_from(number) {
        Ok(number) if (1..=most).contains(&number) => number,
        _ => {
            let message = format!("`{key}` is a number from 1 to {most}");
            diagnostics.push(Diagnostic::new("wrong-shape", block.place(key), message));
            usual
        }
    }
}

fn page(draft: &mut Draft, root: &Block, diagnostics: &mut Diagnostics) {
    let Some(block) = root.block("page") else {
        return;
    };
    let page = &mut draft.schema.page;
    page.limit = count(block, "limit", page.limit, 10_000, diagnostics);
    page.max = count(block, "max", page.max.max(page.limit), 10_000, diagnostics);
    if page.limit > page.max {
        let message = "`limit` is more than `max`";
        diagnostics.push(Diagnostic::new("contradiction", block.place("limit"), message));
    }
}

fn limits(draft: &mut Draft, root: &Block, diagnostics: &mut Diagnostics) {
    let Some(block) = root.block("limits") else {
        return;
    };
    let limits = &mut draft.schema.limits;
    limits.body = block.number("body").unwrap_or(limits.body);
    limits.bulk = count(block, "bulk", limits.bulk, 100_000, diagnostics);
    limits.include_depth = count(block, "include_depth", limits.include_depth, 10, diagnostics);
    limits.includes = count(block, "includes", limits.includes, 100, diagnostics);
    limits.filters = count(block, "filters", limits.filters, 1_000, diagnostics);
    limits.quota = quota(block, diagnostics);
    if let Some(time) = block.number("statement_timeout") {
        match u32::try_from(time) {
            Ok(time) if (1..=LONGEST_STATEMENT).contains(&time) => limits.statement_timeout = time,
            _ => {
                let message = "`statement_timeout` is from a second to an hour";
                let place = block.place("statement_timeout");
                diagnostics.push(Diagnostic::new("wrong-shape", place, message));
            }
        }
    }
}

fn caching(block: &Block, diagnostics: &mut Diagnostics) -> Caching {
    let is_off = block.is("no_cache");
    let aged = ["max_age", "shared_max_age"]
        .into_iter()
        .find(|key| block.has(key));
    match (is_off, aged) {
        (true, Some(key)) => {
            let message = format!("with `no_cache` no cache answers by itself, so `{key}` says nothing");
            diagnostics.push(Diagnostic::new("contradiction", block.place(key), message));
        }
        (false, _) if !block.has("max_age") => {
            let help = "say how long, `max_age: 1m`, or `no_cache: true`";
            diagnostics
                .push(Diagnostic::new("missing-key", block.span, "`caching` has no `max_age`").help(help));
        }
        _ => {}
    }
    let seconds = |key| {
        block
            .number(key)
            .map(|age| u32::try_from(age).unwrap_or(u32::MAX))
    };
    Caching {
        max_age: seconds("max_age").unwrap_or(0),
        shared_max_age: seconds("shared_max_age"),
    }
}

/// How many requests a caller has, where it is said.
fn quota(block: &Block, diagnostics: &mut Diagnostics) -> Option<Quota> {
    let window = block.number("window").unwrap_or(60);
    if !block.has("requests") {
        if block.has("window") {
            let message = "`window` says nothing without `requests`";
            let help = "say `requests: 100` beside it, or leave it out";
            diagnostics.push(Diagnostic::new("contradiction", block.place("window"), message).help(help));
        }
        return None;
    }
    let requests = count(block, "requests", 1, 1_000_000_000, diagnostics);
    let window = u32::try_from(window)
        .ok()
        .filter(|window| *window <= LONGEST_WINDOW);
    if window.is_none() {
        let message = "`window` is a day at most";
        diagnostics.push(Diagnostic::new("wrong-shape", block.place("window"), message));
    }
    Some(Quota {
        requests,
        window: window?,
    })
}

fn accounts(draft: &Draft, block: &Block, diagnostics: &mut Diagnostics) -> Option<Accounts> {
    for key in ["resource", "identify_by", "password"] {
        if !block.has(key) {
            let message = format!("`accounts` has no `{key}`");
            diagnostics.push(Diagnostic::new("missing-key", block.span, message));
        }
    }
    let name = block.text("resource").filter(|_| !draft.is_open())?;
    let id = draft.find(name, diagnostics)?;
    let resource = draft.schema.resource(id);
    if resource.key.fields.len() > 1 {
        let message = format!(
            "`{}` has a key of several fields, and an account has one",
            resource.name
        );
        diagnostics.push(Diagnostic::new("bad-accounts", name.span, message));
    }
    let mut identify_by = Vec::new();
    for name in block.texts("identify_by") {
        identify_by.extend(identifying(draft, id, name, diagnostics));
    }
    let password = password(draft, id, block.text("password")?, diagnostics)?;
    (!identify_by.is_empty()).then_some(Accounts {
        resource: id,
        identify_by,
        password,
        admin: block.text("admin").map(super::fields::unchecked),
        active: block.text("active").map(super::fields::unchecked),
    })
}

pub(super) fn field(
    draft: &Draft,
    id: ResourceId,
    name: &Excerpt,
    diagnostics: &mut Diagnostics,
) -> Option<FieldId> {
    let resource = draft.schema.resource(id);
    let found = resource.fields.iter().position(|field| field.name == name.text);
    if found.is_none() {
        let message = format!("`{}` has no field `{}`", resource.name, name.text);
        let names = resource.fields.iter().map(|field| &field.name);
        diagnostics.push(Diagnostic::new("unknown-field", name.span, message).near(&name.text, names));
    }
    found.map(|index| FieldId {
        resource: id,
        index: u32::try_from(index).unwrap_or(u32::MAX),
    })
}

/// A name that two accounts could share would let one sign in as the other.
fn identifying(
    draft: &Draft,
    id: ResourceId,
    name: &Excerpt,
    diagnostics: &mut Diagnostics,
) -> Option<FieldId> {
    let found = field(draft, id, name, diagnostics)?;
    let field = draft.schema.field(found);
    let resource = draft.schema.resource(id);
    let key = resource.key.fields == [found];
    let text = field.ty.kind() == Kind::Text && field.ty != FieldType::Password;
    let fault = |message: String| Diagnostic::new("bad-accounts", name.span, message);
    if field.computed.is_some() || !text {
        diagnostics.push(fault(format!(
            "`{}` isn't a text that can be typed at sign-in",
            name.text
        )));
        return None;
    }
    if !field.unique && !key {
        let message = format!(
            "`{}` isn't unique, so it doesn't say which account signs in",
            name.text
        );
        diagnostics.push(fault(message).help("say `unique: true` of the field"));
        return None;
    }
    Some(found)
}

fn password(draft: &Draft, id: ResourceId, name: &Excerpt, diagnostics: &mut Diagnostics) -> Option<FieldId> {
    let found = field(draft, id, name, diagnostics)?;
    let ty = &draft.schema.field(found).ty;
    if *ty != FieldType::Password && !draft.broken.contains(&name.text) {
        let message = format!("`{}` is of type {}, not password", name.text, ty.name());
        let help = "say `type: password`, so that it is kept as a hash and never shown";
        diagnostics.push(Diagnostic::new("bad-accounts", name.span, message).help(help));
    }
    Some(found)
}
