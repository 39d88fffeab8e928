//! Schema → YAML: a schema in its own words, whichever way it came in.
//!
//! What is as it would be anyway isn't written. Mixins and includes are expanded: they have no trace in a [`Schema`].
//! Reading the text gives the same schema again; a test says so for random ones.

mod resource;
mod write;

use self::write::{Out, entry, text};
use crate::resolve::empty;
use crate::schema::{Accounts, Caching, Cors, Journal, Jwt, JwtAlgorithm, Origins, Schema, Sessions};

/// The schema as YAML.
pub fn export(schema: &Schema) -> String {
    let mut top = vec![("service".to_owned(), text(&schema.name))];
    if schema.version != "1.0.0" {
        top.push(("version".to_owned(), text(&schema.version)));
    }
    if let Some(description) = &schema.description {
        top.push(("description".to_owned(), Out::prose(description)));
    }
    if schema.prefix != "/api" {
        let prefix = if schema.prefix.is_empty() {
            "/"
        } else {
            &schema.prefix
        };
        top.push(("prefix".to_owned(), text(prefix)));
    }
    if let Some(managed) = schema.managed {
        top.push(("managed".to_owned(), Out::flag(managed)));
    }
    if let Some(Journal::Wal) = schema.journal {
        top.push(("storage".to_owned(), Out::Map(vec![entry("journal", "wal")])));
    }
    let resources = schema.resources();
    let resources = resources.map(|(id, one)| (one.name.clone(), resource::resource(schema, id)));
    top.push(("resources".to_owned(), Out::Block(resources.collect())));
    if let Some(accounts) = &schema.accounts {
        top.push(("accounts".to_owned(), self::accounts(schema, accounts)));
    }
    top.extend(settings(schema));
    Out::Block(top).document()
}

fn accounts(schema: &Schema, accounts: &Accounts) -> Out {
    let resource = schema.resource(accounts.resource);
    let mut entries = vec![entry("resource", &resource.name)];
    let names = accounts
        .identify_by
        .iter()
        .map(|field| text(&schema.field(*field).name));
    entries.push(("identify_by".to_owned(), Out::List(names.collect())));
    entries.push(entry("password", &schema.field(accounts.password).name));
    for (key, rule) in [("admin", &accounts.admin), ("active", &accounts.active)] {
        entries.extend(rule.as_ref().map(|rule| entry(key, &rule.source)));
    }
    Out::Map(entries)
}

/// Numbers that differ from what they are by themselves.
fn settings(schema: &Schema) -> Vec<(String, Out)> {
    let usual = empty();
    let mut list = Vec::new();
    let (tokens, page, limits) = (&schema.tokens, &schema.page, &schema.limits);
    if *tokens != usual.tokens {
        let mut entries = vec![
            entry("lifetime", &duration(tokens.lifetime)),
            entry("max_lifetime", &duration(tokens.max_lifetime)),
        ];
        if !tokens.scopes.is_empty() {
            let words = tokens.scopes.iter().map(|word| text(word));
            entries.push(("scopes".to_owned(), Out::List(words.collect())));
        }
        list.push(("tokens".to_owned(), Out::Map(entries)));
    }
    if *page != usual.page {
        let entries = vec![number("limit", page.limit), number("max", page.max)];
        list.push(("page".to_owned(), Out::Map(entries)));
    }
    if *limits != usual.limits {
        let mut entries = vec![
            ("body".to_owned(), Out::Scalar(size(limits.body))),
            number("bulk", limits.bulk),
            number("include_depth", limits.include_depth),
            number("includes", limits.includes),
            number("filters", limits.filters),
        ];
        if let Some(quota) = limits.quota {
            entries.push(number("requests", quota.requests));
            entries.push(entry("window", &duration(quota.window.into())));
        }
        if limits.statement_timeout != usual.limits.statement_timeout {
            let time = duration(limits.statement_timeout.into());
            entries.push(entry("statement_timeout", &time));
        }
        list.push(("limits".to_owned(), Out::Map(entries)));
    }
    list.extend(schema.cors.as_ref().map(|of| ("cors".to_owned(), cors(of))));
    let sessions = schema.sessions.as_ref();
    list.extend(sessions.map(|of| ("sessions".to_owned(), self::sessions(schema, of))));
    list.extend(schema.jwt.as_ref().map(|of| ("jwt".to_owned(), jwt(schema, of))));
    list.extend(schema.caching.map(|of| ("caching".to_owned(), caching(of))));
    list
}

fn sessions(schema: &Schema, sessions: &Sessions) -> Out {
    let mut entries = vec![
        entry("idle", &duration(sessions.idle)),
        entry("lifetime", &duration(sessions.lifetime)),
    ];
    if let Some(flask) = &sessions.flask {
        let mut of = vec![
            entry("cookie", &flask.cookie),
            entry("lifetime", &duration(flask.lifetime)),
        ];
        of.extend(flask.user.map(|user| entry("user", &schema.field(user).name)));
        of.extend(flask.remember.as_ref().map(|cookie| entry("remember", cookie)));
        entries.push(("flask".to_owned(), Out::Map(of)));
    }
    Out::Map(entries)
}

fn jwt(schema: &Schema, jwt: &Jwt) -> Out {
    let texts = |all: &[String]| Out::List(all.iter().map(|one| text(one)).collect());
    let mut entries = vec![
        entry("issuer", &jwt.issuer),
        ("audience".to_owned(), texts(&jwt.audience)),
    ];
    entries.extend(jwt.keys.as_ref().map(|keys| entry("keys", keys)));
    if jwt.algorithms != JwtAlgorithm::USUAL {
        let names = jwt.algorithms.iter().map(|one| text(one.name()));
        entries.push(("algorithms".to_owned(), Out::List(names.collect())));
    }
    if jwt.subject != "sub" {
        entries.push(entry("subject", &jwt.subject));
    }
    entries.extend(jwt.user.map(|user| entry("user", &schema.field(user).name)));
    if !jwt.claims.is_empty() {
        let claims = jwt.claims.iter().map(|claimed| {
            let claim = match &claimed.has {
                None => text(&claimed.claim),
                Some(has) => Out::Map(vec![entry("claim", &claimed.claim), entry("has", has)]),
            };
            (schema.field(claimed.field).name.clone(), claim)
        });
        entries.push(("claims".to_owned(), Out::Map(claims.collect())));
    }
    entries.extend(jwt.scopes.as_ref().map(|claim| entry("scopes", claim)));
    Out::Map(entries)
}

fn caching(caching: Caching) -> Out {
    if caching.max_age == 0 {
        return Out::Map(vec![("no_cache".to_owned(), Out::flag(true))]);
    }
    let mut entries = vec![entry("max_age", &duration(caching.max_age.into()))];
    let shared = caching.shared_max_age;
    entries.extend(shared.map(|age| entry("shared_max_age", &duration(age.into()))));
    Out::Map(entries)
}

fn cors(cors: &Cors) -> Out {
    let origins = match &cors.origins {
        Origins::Any => text("*"),
        Origins::Listed(listed) => Out::List(listed.iter().map(|origin| text(origin)).collect()),
    };
    let mut entries = vec![("origins".to_owned(), origins)];
    if cors.credentials {
        entries.push(("credentials".to_owned(), Out::flag(true)));
    }
    entries.push(entry("max_age", &duration(cors.max_age)));
    Out::Map(entries)
}

fn number(key: &str, number: u32) -> (String, Out) {
    (key.to_owned(), Out::Scalar(number.to_string()))
}

/// Seconds as a schema writes them: `90s`, `1h`.
pub fn duration(seconds: u64) -> String {
    let units = [(86_400, "d"), (3_600, "h"), (60, "m")];
    let unit = units.iter().find(|(factor, _)| seconds.is_multiple_of(*factor));
    unit.map_or_else(
        || format!("{seconds}s"),
        |(factor, unit)| format!("{}{unit}", seconds / factor),
    )
}

/// Bytes as a schema writes them: `1MiB`, or a number.
pub fn size(bytes: u64) -> String {
    let units = [(1 << 30, "GiB"), (1 << 20, "MiB"), (1 << 10, "KiB")];
    let unit = units.iter().find(|(factor, _)| bytes.is_multiple_of(*factor));
    unit.map_or_else(
        || bytes.to_string(),
        |(factor, unit)| format!("{}{unit}", bytes / factor),
    )
}
