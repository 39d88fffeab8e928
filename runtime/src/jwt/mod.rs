//! Tokens of another issuer (JSON Web Tokens, RFC 7519): by which of its keys they are signed, for whom they are, until
//! when, and what they say. As RFC 8725 has it, the algorithm is one that the schema names, and never the token's choice.

#[cfg(feature = "jwt")]
mod keys;
#[cfg(feature = "jwt")]
mod verifier;

use rest_schema::{Jwt, Schema};
use serde_json::{Map, Value};

use crate::migrate::Finding;
use crate::service::Error;

#[cfg(feature = "jwt")]
pub(crate) use verifier::Verifier;

/// What a program knows of an issuer that the schema doesn't say, or says for another place.
#[derive(Debug, Clone, Default)]
pub(crate) struct Settings {
    /// Where the issuer's keys are.
    pub(crate) keys: Option<String>,
    /// Who makes the tokens.
    pub(crate) issuer: Option<String>,
    /// For whom; where it is empty, the schema says it.
    pub(crate) audience: Vec<String>,
}

impl Settings {
    /// What the schema says, but for what is said here.
    #[cfg(feature = "jwt")]
    fn over(&self, jwt: &Jwt) -> Jwt {
        let mut jwt = jwt.clone();
        if let Some(issuer) = &self.issuer {
            jwt.issuer.clone_from(issuer);
        }
        if !self.audience.is_empty() {
            jwt.audience.clone_from(&self.audience);
        }
        jwt.keys = self.keys.clone().or(jwt.keys);
        jwt
    }
}

/// What a token says.
#[derive(Debug)]
pub(crate) struct Claims(Map<String, Value>);

/// Why a token isn't taken.
#[derive(Debug)]
#[cfg_attr(
    not(feature = "jwt"),
    expect(dead_code, reason = "without the feature no token is looked at")
)]
pub(crate) enum Refused {
    /// It isn't good, and why; for whoever sent it.
    Bad(String),
    /// The issuer's keys can't be had now.
    NoKeys(String),
}

impl Claims {
    /// A claim by its name, or by a path with points into objects. A name that has points itself goes before: issuers use
    /// addresses as names.
    pub(crate) fn get(&self, path: &str) -> Option<&Value> {
        within(&self.0, path)
    }

    /// The words of a claim: of a text with spaces between them (RFC 8693, 4.2), or of a list.
    pub(crate) fn words(&self, path: &str) -> impl Iterator<Item = &str> {
        let claim = self.get(path);
        let text = claim.and_then(Value::as_str).unwrap_or_default();
        let list = claim.and_then(Value::as_array).map(Vec::as_slice);
        let listed = list.unwrap_or_default().iter().filter_map(Value::as_str);
        text.split_ascii_whitespace().chain(listed)
    }
}

fn within<'c>(object: &'c Map<String, Value>, path: &str) -> Option<&'c Value> {
    if let Some(found) = object.get(path) {
        return Some(found);
    }
    path.match_indices('.').find_map(|(at, _)| {
        let inner = object.get(&path[..at])?.as_object()?;
        within(inner, &path[at + 1..])
    })
}

/// A scalar as it would stand in a query string; `None` for what is none.
pub(crate) fn text(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(_) | Value::Bool(_) => Some(value.to_string()),
        Value::Null | Value::Array(_) | Value::Object(_) => None,
    }
}

/// The one that checks the tokens of the issuer that a schema names, and what its operator should know.
///
/// # Errors
///
/// Where this program was built without it.
pub(crate) fn verifier(
    schema: &Schema,
    settings: &Settings,
    advice: &mut Vec<Finding>,
) -> Result<Option<Verifier>, Error> {
    let Some(jwt) = &schema.jwt else {
        return Ok(None);
    };
    made(jwt, settings, advice).map(Some)
}

#[cfg(feature = "jwt")]
fn made(jwt: &Jwt, settings: &Settings, advice: &mut Vec<Finding>) -> Result<Verifier, Error> {
    let (verifier, fault) = Verifier::new(&settings.over(jwt));
    advice.extend(fault.map(|message| {
        let help = "set REST_JWKS to an https address or a file, or give the builder `.jwks(…)`; until then those who \
                    come with its tokens are answered with 503";
        Finding::new("jwt.keys", message).help(help)
    }));
    Ok(verifier)
}

#[cfg(not(feature = "jwt"))]
fn made(_: &Jwt, _: &Settings, _: &mut Vec<Finding>) -> Result<Verifier, Error> {
    Err(Error::told(
        "the schema says `jwt`, and this program was built without it: add the feature `jwt` of rest-runtime to its Cargo.toml",
    ))
}

/// Checks nothing: without the feature there is none.
#[cfg(not(feature = "jwt"))]
#[derive(Debug)]
pub(crate) enum Verifier {}

#[cfg(not(feature = "jwt"))]
impl Verifier {
    #[expect(clippy::unused_async, reason = "as with the feature")]
    pub(crate) async fn claims(&self, _: &str) -> Result<Claims, Refused> {
        match *self {}
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn claims(value: &Value) -> Claims {
        Claims(value.as_object().expect("an object").clone())
    }

    #[test]
    fn a_claim_is_found_by_its_name_and_by_a_path() {
        let claims = claims(&json!({
            "sub": "ada", "realm_access": { "roles": ["admin"], "a.b": { "c": 1 } }, "https://x.example/team": 7, "org.id": 3, "org": { "id": 4 },
        }));
        let get = |path| claims.get(path).cloned();
        assert_eq!(get("sub"), Some(json!("ada")));
        assert_eq!(get("realm_access.roles"), Some(json!(["admin"])));
        assert_eq!(get("realm_access.a.b.c"), Some(json!(1)));
        assert_eq!(get("https://x.example/team"), Some(json!(7)));
        assert_eq!(get("org.id"), Some(json!(3)));
        for none in ["", ".", "sub.x", "org.", "realm_access.roles.0", "nothing"] {
            assert_eq!(get(none), None, "{none}");
        }
    }

    #[test]
    fn words_stand_in_a_text_or_a_list() {
        let claims = claims(&json!({ "scope": "a  b", "roles": ["c", 1, "d e"], "n": 1 }));
        let words = |path| claims.words(path).collect::<Vec<_>>();
        assert_eq!(words("scope"), ["a", "b"]);
        assert_eq!(words("roles"), ["c", "d e"]);
        assert!(words("n").is_empty() && words("none").is_empty());
    }
}
