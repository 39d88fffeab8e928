//! What holds for a service as a whole.

use rest_schema::{Accounts, Origins, Schema};

use super::Changes;

const SERVICE: &str = "the service";

/// Prefix, sizes, limits, tokens, accounts, origins.
pub(super) fn compare(old: &Schema, new: &Schema, changes: &mut Changes) {
    if old.prefix != new.prefix {
        let shown = |prefix: &str| {
            if prefix.is_empty() {
                "/".to_owned()
            } else {
                prefix.to_owned()
            }
        };
        let text = format!(
            "every address began with {} and begins with {}",
            shown(&old.prefix),
            shown(&new.prefix)
        );
        changes.breaking(SERVICE, text);
    }
    changes.limit(SERVICE, "the greatest `limit`", old.page.max, new.page.max);
    if old.page.limit != new.page.limit {
        let text = format!(
            "a page had {} items by itself and has {}",
            old.page.limit, new.page.limit
        );
        changes.doubtful(SERVICE, text);
    }
    limits(old, new, changes);
    if new.accounts.is_some() || old.accounts.is_some() {
        changes.limit(
            SERVICE,
            "the longest lifetime of a token, in seconds,",
            old.tokens.max_lifetime,
            new.tokens.max_lifetime,
        );
        if old.tokens.lifetime != new.tokens.lifetime {
            let text = format!(
                "a token lasted {} seconds by itself and lasts {}",
                old.tokens.lifetime, new.tokens.lifetime
            );
            changes.doubtful(SERVICE, text);
        }
        words(&old.tokens.scopes, &new.tokens.scopes, changes);
    }
    match (&old.accounts, &new.accounts) {
        (Some(_), None) => changes.breaking(SERVICE, "nobody can sign in any more"),
        (None, Some(_)) => changes.compatible(SERVICE, "accounts can sign in"),
        (Some(one), Some(other)) => accounts((old, one), (new, other), changes),
        (None, None) => {}
    }
    origins(old, new, changes);
}

/// Words of the service's own that a token may have.
fn words(old: &[String], new: &[String], changes: &mut Changes) {
    for word in old.iter().filter(|word| !new.contains(word)) {
        changes.breaking(
            SERVICE,
            format!("a token can't be made for the scope `{word}` any more"),
        );
    }
    for word in new.iter().filter(|word| !old.contains(word)) {
        changes.compatible(SERVICE, format!("a token may be made for the scope `{word}`"));
    }
}

fn limits(old: &Schema, new: &Schema, changes: &mut Changes) {
    let (one, other) = (&old.limits, &new.limits);
    changes.limit(SERVICE, "the greatest body, in bytes,", one.body, other.body);
    for (what, one, other) in [
        ("the most items in one body", one.bulk, other.bulk),
        (
            "the most relations in a path",
            one.include_depth,
            other.include_depth,
        ),
        ("the most relations within an item", one.includes, other.includes),
        ("the most filters", one.filters, other.filters),
    ] {
        changes.limit(SERVICE, what, one, other);
    }
    match (one.quota, other.quota) {
        (None, Some(quota)) => {
            let text = format!(
                "a caller has {} requests in {} seconds, and had any number",
                quota.requests, quota.window
            );
            changes.doubtful(SERVICE, text);
        }
        (Some(_), None) => changes.compatible(SERVICE, "a caller has any number of requests"),
        (Some(one), Some(other)) if one != other => {
            let text = format!(
                "a caller had {} requests in {} seconds and has {} in {}",
                one.requests, one.window, other.requests, other.window
            );
            changes.doubtful(SERVICE, text);
        }
        _ => {}
    }
}

fn accounts((old, one): (&Schema, &Accounts), (new, other): (&Schema, &Accounts), changes: &mut Changes) {
    let names = |schema: &Schema, accounts: &Accounts| -> Vec<String> {
        let fields = accounts.identify_by.iter();
        fields
            .map(|field| schema.field(*field).api_name.clone())
            .collect()
    };
    let named = |schema: &Schema, accounts: &Accounts| schema.resource(accounts.resource).collection.clone();
    if named(old, one) != named(new, other) {
        let text = format!("accounts were {} and are {}", named(old, one), named(new, other));
        changes.breaking(SERVICE, text);
    }
    changes.rule(
        SERVICE,
        "which accounts are active",
        one.active.as_ref(),
        other.active.as_ref(),
    );
    let (before, after) = (names(old, one), names(new, other));
    for name in before.iter().filter(|name| !after.contains(name)) {
        changes.breaking(
            SERVICE,
            format!("an account is no longer named by its `{name}` at sign-in"),
        );
    }
    for name in after.iter().filter(|name| !before.contains(name)) {
        changes.compatible(
            SERVICE,
            format!("an account may be named by its `{name}` at sign-in"),
        );
    }
}

fn origins(old: &Schema, new: &Schema, changes: &mut Changes) {
    let of = |schema: &Schema| {
        schema
            .cors
            .as_ref()
            .map(|cors| (cors.origins.clone(), cors.credentials))
    };
    let lost = match (of(old), of(new)) {
        (None, Some(_)) => return changes.compatible(SERVICE, "pages of other origins may call"),
        (Some(_), None) => vec!["pages of other origins may not call any more".to_owned()],
        (Some((one, credentials)), Some((other, still))) => {
            let mut lost = match (one, other) {
                (Origins::Any, Origins::Listed(_)) => {
                    vec!["pages of some origins may not call any more".to_owned()]
                }
                (Origins::Listed(one), Origins::Listed(other)) => {
                    let gone = one.into_iter().filter(|origin| !other.contains(origin));
                    gone.map(|origin| format!("pages of {origin} may not call any more"))
                        .collect()
                }
                (_, Origins::Any) => Vec::new(),
            };
            if credentials && !still {
                lost.push("pages of other origins may not send cookies any more".to_owned());
            }
            lost
        }
        (None, None) => Vec::new(),
    };
    for text in lost {
        changes.breaking(SERVICE, text);
    }
}
