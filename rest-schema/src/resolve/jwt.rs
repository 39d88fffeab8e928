//! Tokens of another issuer.

use super::Draft;
use super::service::field;
use super::sessions::telling;
use crate::diagnostic::{Diagnostic, Diagnostics};
use crate::raw::{Block, Named};
use crate::schema::{Claimed, Jwt, JwtAlgorithm};
use crate::types::{FieldType, Kind};

/// Takes over what `jwt` says.
pub(super) fn read(draft: &Draft, block: &Block, diagnostics: &mut Diagnostics) -> Option<Jwt> {
    let required = [
        (
            "issuer",
            "say who makes the tokens, `issuer: https://login.example.com/`",
        ),
        (
            "audience",
            "say for whom they are made, `audience: my-service`; without it a token for any other program would do",
        ),
    ];
    for (key, help) in required {
        if !block.has(key) {
            let message = format!("`jwt` has no `{key}`");
            diagnostics.push(Diagnostic::new("missing-key", block.span, message).help(help));
        }
    }
    let algorithms = algorithms(block, diagnostics);
    let keys = block.string("keys");
    if let Some(keys) = &keys {
        address(block, keys, &algorithms, diagnostics);
    }
    if draft.schema.accounts.is_none() && !draft.is_open() {
        let message = "nobody is known by a token, since the service has no accounts";
        let help = "declare them: `accounts: { resource: User, identify_by: [email], password: password }`";
        diagnostics.push(Diagnostic::new("missing-key", block.span, message).help(help));
        return None;
    }
    let user = telling(draft, block, "the claim `subject` holds", diagnostics);
    let claims = block.named("claims").iter();
    let claims = claims
        .filter_map(|claim| claimed(draft, claim, diagnostics))
        .collect();
    let audience: Vec<String> = block
        .texts("audience")
        .iter()
        .map(|one| one.text.clone())
        .collect();
    Some(Jwt {
        issuer: block.string("issuer")?,
        audience: Some(audience).filter(|all| !all.is_empty())?,
        keys,
        algorithms,
        subject: block.string("subject").unwrap_or_else(|| "sub".to_owned()),
        user,
        claims,
        scopes: block.string("scopes"),
    })
}

fn algorithms(block: &Block, diagnostics: &mut Diagnostics) -> Vec<JwtAlgorithm> {
    let mut all = Vec::new();
    for name in block.texts("algorithms") {
        match JwtAlgorithm::parse(&name.text) {
            Some(algorithm) if all.contains(&algorithm) => {}
            Some(algorithm) => all.push(algorithm),
            None => {
                let message = format!("`{}` is no algorithm that tokens are signed by", name.text);
                let known: Vec<&str> = JwtAlgorithm::ALL.iter().map(|one| one.name()).collect();
                let help = format!("there are {}", known.join(", "));
                diagnostics.push(
                    Diagnostic::new("unknown-word", name.span, message)
                        .near(&name.text, known)
                        .help(help),
                );
            }
        }
    }
    if all.is_empty() {
        JwtAlgorithm::USUAL.to_vec()
    } else {
        all
    }
}

/// Keys that come over a network have to come from whom they are said to be of; a secret may not come by it at all.
fn address(block: &Block, keys: &str, algorithms: &[JwtAlgorithm], diagnostics: &mut Diagnostics) {
    if !keys.contains("://") {
        return;
    }
    if !Jwt::may_have_keys_of(keys) {
        let message = format!("`{keys}` is no address that keys may come from");
        let help = "give an https address, or a file; plain http is for this machine only";
        diagnostics.push(Diagnostic::new("wrong-shape", block.place("keys"), message).help(help));
    }
    if algorithms.iter().any(|one| one.is_by_secret()) {
        let message = "a secret that is shared can't be at an address";
        let help = "give a file for HS256, HS384 and HS512, or have the issuer sign by a private key";
        diagnostics.push(Diagnostic::new("contradiction", block.place("algorithms"), message).help(help));
    }
}

fn claimed(draft: &Draft, claim: &Named, diagnostics: &mut Diagnostics) -> Option<Claimed> {
    let accounts = draft.schema.accounts.as_ref()?;
    let found = field(draft, accounts.resource, &claim.name, diagnostics)?;
    let resource = draft.schema.resource(accounts.resource);
    let of = draft.schema.field(found);
    if resource.key.fields.contains(&found) || of.ty == FieldType::Password || of.computed.is_some() {
        let message = format!("`{}` isn't for a token to say", claim.name.text);
        let help = "a token says whose it is by `subject`, and other fields of the account by `claims`";
        diagnostics.push(Diagnostic::new("bad-accounts", claim.name.span, message).help(help));
    }
    let has = claim.block.string("has");
    if has.is_some() && of.ty.kind() != Kind::Boolean {
        let message = format!("`{}` isn't a boolean, which is what `has` gives", claim.name.text);
        diagnostics.push(Diagnostic::new("wrong-type", claim.block.place("has"), message));
    }
    if !claim.block.has("claim") {
        let message = format!("`{}` names no claim", claim.name.text);
        let help = "`role: role`, or `is_admin: { claim: roles, has: admin }`";
        diagnostics.push(Diagnostic::new("missing-key", claim.name.span, message).help(help));
    }
    Some(Claimed {
        field: found,
        claim: claim.block.string("claim")?,
        has,
    })
}
