//! Tokens: an account signs in with its password and gets one; whoever holds one can revoke it.

use axum::body::Body;
use axum::http::{Response, StatusCode};
use rest_schema::value::ValueCode;

use super::answer;
use super::{Exchange, caller};
use crate::accounts::{Among, NewToken, Sought};
use crate::cell::Cell;
use crate::model::Model;
use crate::password::Plain;
use crate::problem::{Code, Fault, Problem, words};
use crate::request::body::{self, Json};
use crate::request::query;
use crate::scope;
use crate::storage::bind::now_as;
use crate::storage::state::{self, Revoked, SigningIn};
use crate::token::Credentials;

/// What a request for a token says.
#[derive(Default)]
struct Wanted {
    identifier: Option<String>,
    password: Option<Plain>,
    token: NewToken,
}

impl Exchange<'_> {
    /// POST of a token, by HTTP Basic or by a JSON body.
    pub(super) async fn make_token(&self, body: Body) -> Result<Response<Body>, Problem> {
        let basic = self.basic()?;
        self.check_length()?;
        let bytes = self.bytes(body).await?;
        let sent_json = !bytes.is_empty();
        if sent_json {
            body::check_headers(&self.parts.method, &self.parts.headers)?;
        }
        query::none(self.parts.uri.query())?;
        let document = if sent_json {
            body::parse(&bytes)?
        } else {
            Json::Object(Vec::new())
        };
        let model = &self.service.engine.model;
        let by_session = if basic.is_none() && !names_account(&document) {
            self.by_session().await?
        } else {
            None
        };
        let needs_password = basic.is_none() && by_session.is_none();
        let wanted = read_wanted(&document, needs_password, sent_json, model)?;
        if let Some(account) = by_session {
            return self.add_token(account, wanted.token).await;
        }
        let (identifier, password) = match (basic, wanted.identifier, wanted.password) {
            (Some(basic), ..) => basic,
            (None, Some(identifier), Some(password)) => (identifier, password),
            (None, ..) => return Err(Problem::new(Code::Unauthenticated).offer_basic()),
        };
        let address = self.outside.client;
        let account = self
            .service
            .sign_in(&identifier, password, address, self.now)
            .await;
        let account = account.map_err(|problem| match problem.code() {
            Code::BadCredentials if !sent_json => problem.offer_basic(),
            _ => problem,
        })?;
        self.add_token(account, wanted.token).await
    }

    /// The account that is signed in by a session's cookie, whose token the request carries.
    async fn by_session(&self) -> Result<Option<SigningIn>, Problem> {
        let caller = caller::by_cookie(self.service, self.parts, self.now).await?;
        let Some(account) = caller.and_then(|caller| caller.account) else {
            return Ok(None);
        };
        let key = account.key(self.service.engine.model.resource(account.resource));
        let found = self
            .service
            .account(Sought::Key(key), Among::Active, self.now)
            .await;
        found.map_err(|refusal| self.problem(refusal))
    }

    /// The name and password of HTTP Basic; `None` where the request has no credentials in its header.
    fn basic(&self) -> Result<Option<(String, Plain)>, Problem> {
        match caller::credentials(self.parts) {
            None => Ok(None),
            Some(Ok(Credentials::Basic { identifier, password })) => {
                if !self.outside.is_private() {
                    let detail = "Basic over plain HTTP is taken from this machine only: anybody between could read \
                                  the password; a proxy that takes HTTPS has to be one that the service trusts";
                    return Err(Problem::new(Code::Forbidden).detail(detail));
                }
                Ok(Some((identifier, password)))
            }
            Some(Ok(Credentials::Bearer(_) | Credentials::Compact(_))) => {
                Err(Problem::new(Code::Forbidden)
                    .detail("a token can't make tokens; sign in with the password"))
            }
            Some(Err(_)) => Err(Problem::new(Code::BadCredentials).offer_basic()),
        }
    }

    async fn add_token(&self, account: SigningIn, wanted: NewToken) -> Result<Response<Body>, Problem> {
        let key = account.key.clone();
        let made = self.service.add_token(account, wanted, self.now).await;
        let (made, secret) = made.map_err(|refusal| self.problem(refusal))?;
        // An account may have been made a moment ago, and its holder looks for it next.
        self.service.storage.wrote_as(&self.service.engine, &key).await;
        let told = told(&made, Some(secret.reveal()))?;
        let response = answer::document(StatusCode::CREATED, told.to_string().into_bytes());
        let address = format!("{}/tokens/{}", self.prefix, made.id);
        Ok(answer::with_location(response, &address))
    }

    /// The key of the account that asks. Its tokens are for those to see and revoke who may do everything, but for the one
    /// that asks.
    fn account_key(&self, of: Option<i64>) -> Result<Vec<Cell>, Problem> {
        let account = self.caller.account.as_ref();
        let account = account.ok_or_else(|| Problem::new(Code::Unauthenticated))?;
        let is_its_own = of.is_some() && of == self.caller.token;
        if self.caller.scopes.are_limited() && !is_its_own {
            return Err(Problem::new(Code::InsufficientScope).scope(scope::ALL));
        }
        query::none(self.parts.uri.query())?;
        Ok(account.key(self.service.engine.model.resource(account.resource)))
    }

    /// GET of the caller's own tokens: the latest, for nobody reads more.
    pub(super) async fn tokens(&self) -> Result<Response<Body>, Problem> {
        let all = self
            .own_tokens(self.account_key(None)?, state::Wanted::Latest)
            .await?;
        let items: Result<Vec<_>, _> = all.iter().map(|token| told(token, None)).collect();
        let told = serde_json::json!({ "items": items? });
        Ok(answer::document(StatusCode::OK, told.to_string().into_bytes()))
    }

    async fn own_tokens(
        &self,
        account: Vec<Cell>,
        wanted: state::Wanted,
    ) -> Result<Vec<state::Token>, Problem> {
        let found = self
            .service
            .account(Sought::Key(account), Among::Active, self.now)
            .await;
        let Some(account) = found.map_err(|refusal| self.problem(refusal))? else {
            return Ok(Vec::new());
        };
        let tokens = self.service.tokens_of(account, wanted, self.now).await;
        tokens.map_err(|refusal| self.problem(refusal))
    }

    /// GET of one of them.
    pub(super) async fn token(&self, segment: &str) -> Result<Response<Body>, Problem> {
        let id = self.token_id(segment);
        let account = self.account_key(id)?;
        let id = id.ok_or_else(|| Problem::new(Code::NotFound))?;
        let found = self.own_tokens(account, state::Wanted::One(id)).await?;
        let token = found.first().ok_or_else(|| Problem::new(Code::NotFound))?;
        let told = told(token, None)?;
        Ok(answer::document(StatusCode::OK, told.to_string().into_bytes()))
    }

    /// DELETE of the caller's own tokens: that of the request is one of them.
    pub(super) async fn revoke_tokens(&self) -> Result<Response<Body>, Problem> {
        let account = self.account_key(None)?;
        self.revoke(Revoked::Account(account)).await?;
        Ok(answer::nothing(StatusCode::NO_CONTENT))
    }

    /// DELETE of one of them.
    pub(super) async fn revoke_token(&self, segment: &str) -> Result<Response<Body>, Problem> {
        let id = self.token_id(segment);
        let account = self.account_key(id)?;
        let id = id.ok_or_else(|| Problem::new(Code::NotFound))?;
        if self.revoke(Revoked::One(account, id)).await? {
            Ok(answer::nothing(StatusCode::NO_CONTENT))
        } else {
            Err(Problem::new(Code::NotFound))
        }
    }

    /// Whether there was one.
    async fn revoke(&self, which: Revoked) -> Result<bool, Problem> {
        let revoked = self.service.revoke_tokens(which).await;
        revoked.map_err(|refusal| self.problem(refusal))
    }

    /// The id that an address names: a number, or `current` for that of the request.
    fn token_id(&self, segment: &str) -> Option<i64> {
        match segment {
            "current" => self.caller.token,
            // In one way only.
            number => number.parse().ok().filter(|id: &i64| id.to_string() == number),
        }
    }
}

/// A token as it is told; its secret with it only once.
fn told(token: &state::Token, secret: Option<&str>) -> Result<serde_json::Value, Problem> {
    let moment = |seconds| {
        jiff::Timestamp::from_second(seconds)
            .map(|at| now_as(rest_schema::types::Kind::Timestamp, at).to_wire())
            .map_err(Problem::internal)
    };
    let mut told = serde_json::json!({
        "id": token.id,
        "token": secret,
        "token_type": "Bearer",
        "name": token.name,
        "scopes": token.scopes.split(' ').collect::<Vec<_>>(),
        "created_at": moment(token.created_at)?,
        "expires_at": moment(token.expires_at)?,
        "last_used_at": token.last_used_at.map(moment).transpose()?,
    });
    if let (None, Some(members)) = (secret, told.as_object_mut()) {
        members.shift_remove("token");
    }
    Ok(told)
}

/// Whether a body names an account, or its password.
fn names_account(document: &Json) -> bool {
    match document {
        Json::Object(members) => members
            .iter()
            .any(|(name, _)| name == "identifier" || name == "password"),
        _ => false,
    }
}

fn read_wanted(document: &Json, needs_password: bool, sent: bool, model: &Model) -> Result<Wanted, Problem> {
    let Json::Object(members) = document else {
        let fault = Fault::pointer(String::new(), words::WRONG_TYPE, "an object is asked for");
        return Err(Problem::invalid(vec![fault]));
    };
    let mut wanted = Wanted::default();
    let mut faults = Vec::new();
    for (name, value) in members {
        read_member(name, value, model, &mut wanted, &mut faults);
    }
    if needs_password && sent {
        for (name, missing) in [
            ("identifier", wanted.identifier.is_none()),
            ("password", wanted.password.is_none()),
        ] {
            if missing && members.iter().all(|(given, _)| given != name) {
                faults.push(Fault::pointer(
                    format!("/{name}"),
                    words::REQUIRED,
                    "is needed to sign in",
                ));
            }
        }
    }
    if faults.is_empty() {
        Ok(wanted)
    } else {
        Err(Problem::invalid(faults))
    }
}

/// A scope, if there is such a one.
fn read_scope(scope: &Json, model: &Model) -> Result<String, impl FnOnce(String) -> Fault> {
    match scope {
        Json::Text(word) if model.scopes.has(word) => Ok(word.clone()),
        other => Err(move |at| match other {
            Json::Text(word) => {
                let detail = format!("there is no scope `{word}`");
                Fault::pointer(at, ValueCode::NotOneOf.word(), detail).near(word, model.scopes.all())
            }
            _ => Fault::pointer(at, words::WRONG_TYPE, "is a text"),
        }),
    }
}

const MEMBERS: [&str; 5] = ["identifier", "password", "name", "scopes", "lifetime"];

fn read_member(name: &str, value: &Json, model: &Model, wanted: &mut Wanted, faults: &mut Vec<Fault>) {
    let pointer = body::Pointer::root().member(name);
    let at = pointer.as_str().to_owned();
    let longest = model.schema.tokens.max_lifetime;
    match (name, value) {
        ("identifier", Json::Text(text)) => wanted.identifier = Some(text.clone()),
        ("password", Json::Text(text)) => wanted.password = Some(Plain::new(text.clone())),
        ("name", Json::Null) => {}
        ("name", Json::Text(text)) if text.chars().count() <= 200 => wanted.token.name = Some(text.clone()),
        ("name", Json::Text(_)) => {
            faults.push(Fault::pointer(at, words::TOO_LONG, "has 200 characters at most").limit(200));
        }
        ("scopes", Json::Array(scopes)) if scopes.is_empty() => {
            let detail = "names a scope at least; leave it out for all of them";
            faults.push(Fault::pointer(at, words::TOO_SHORT, detail).limit(1));
        }
        ("scopes", Json::Array(scopes)) => {
            for (place, scope) in scopes.iter().enumerate() {
                match read_scope(scope, model) {
                    Ok(word) if wanted.token.scopes.contains(&word) => {}
                    Ok(word) => wanted.token.scopes.push(word),
                    Err(fault) => {
                        let at = pointer.index(place).as_str().to_owned();
                        faults.push(fault(at));
                    }
                }
            }
        }
        ("lifetime", value) => match value.as_integer().and_then(|seconds| u64::try_from(seconds).ok()) {
            Some(seconds) if (1..=longest).contains(&seconds) => wanted.token.lifetime = Some(seconds),
            _ => {
                let detail = format!("is a whole number of seconds between 1 and {longest}");
                faults.push(Fault::pointer(at, words::TOO_GREAT, detail).limit(longest));
            }
        },
        ("identifier" | "password" | "name", _) => {
            faults.push(Fault::pointer(at, words::WRONG_TYPE, "is a text"));
        }
        ("scopes", _) => faults.push(Fault::pointer(at, words::WRONG_TYPE, "is an array of texts")),
        (other, _) => {
            let fault = Fault::pointer(at, words::UNKNOWN_FIELD, format!("a token has no `{other}`"));
            faults.push(fault.near(other, MEMBERS));
        }
    }
}
