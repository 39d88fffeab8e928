//! Sessions of browsers: a cookie of ours, random and kept as its hash, or that of a Flask app, which is read and never
//! written.
//!
//! A request that has no `Authorization` is of the account whose cookie it has. Another site's page can make a browser send
//! the cookie along but not read an answer, so what changes anything has to carry the session's token as well
//! (`X-CSRF-Token`), which `GET /api/me` tells. A session of ours ends with its time, when it isn't used, and when its
//! account gets another password.

pub(crate) mod flask;

use std::fmt;
use std::sync::Arc;

use axum::http::header::COOKIE;
use axum::http::request::Parts;
use axum::http::{HeaderMap, Method};
use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use subtle::ConstantTimeEq;

use self::flask::SecretKey;
use crate::accounts::{Among, Sought};
use crate::operate::{NO_ACCOUNTS, NotDone, not_done, told};
use crate::password::Plain;
use crate::problem::{Code, Problem};
use crate::serve::client_of;
use crate::service::{Inner, Service};
use crate::storage::job::Done;
use crate::storage::state::{AddSession, EndSessions, Ended, RenewSession, SigningIn};
use crate::token::{Digest, Secret};

/// The cookie of a session of ours. Its name has a browser take it over HTTPS alone, for this host alone, for all of it.
pub const SESSION_COOKIE: &str = "__Host-session";

/// The headers in which a session's token may be sent: ours, and the other that Flask-WTF's scripts know.
pub(crate) const CSRF_HEADERS: [&str; 2] = ["x-csrf-token", "x-csrftoken"];

/// By which session a caller came.
#[derive(Clone, PartialEq, Eq)]
pub(crate) enum Came {
    /// One of ours, by the hash of its secret.
    Own(Digest),
    /// One of a Flask app.
    Flask {
        /// What tells it from others.
        identity: String,
        /// What the app's forms have to send, before it is signed.
        form: Option<String>,
    },
}

impl fmt::Debug for Came {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Own(_) => "Own(…)",
            Self::Flask { .. } => "Flask(…)",
        })
    }
}

/// Makes the tokens of sessions.
#[derive(Clone, Copy)]
pub struct CsrfKey(pub(crate) [u8; 32]);

impl fmt::Debug for CsrfKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("CsrfKey(…)")
    }
}

impl CsrfKey {
    /// The token of a session.
    pub(crate) fn token(&self, came: &Came) -> String {
        let (kind, identity) = match came {
            Came::Own(digest) => (b"own", &digest.0[..]),
            Came::Flask { identity, .. } => (b"app", identity.as_bytes()),
        };
        // HMAC takes keys of any length.
        let mac = <Hmac<Sha256> as KeyInit>::new_from_slice(&self.0);
        let mut mac = mac.unwrap_or_else(|_| Hmac::new(&[0; 64].into()));
        mac.update(kind);
        mac.update(identity);
        URL_SAFE_NO_PAD.encode(mac.finalize().into_bytes())
    }
}

/// How the cookies of requests are read.
#[derive(Debug)]
pub(crate) struct Cookies {
    /// Seconds that a session of ours may be left alone.
    pub(crate) idle: i64,
    /// Seconds that it lasts at most.
    lifetime: i64,
    flask: Option<App>,
}

/// A Flask app.
#[derive(Debug)]
struct App {
    cookie: String,
    lifetime: u64,
    remember: Option<String>,
    keys: Vec<SecretKey>,
}

/// What a request's cookies say.
pub(crate) enum Presented {
    /// A session of ours, which may be there or not.
    Own(Digest),
    /// A Flask app's user.
    Flask(flask::SignedIn),
}

impl Cookies {
    /// Those of a schema; `None` where no cookie is looked at. `secrets` are a Flask app's, the present one first.
    pub(crate) fn new(schema: &rest_schema::Schema, secrets: &[String]) -> Option<Self> {
        let sessions = schema.sessions.as_ref()?;
        let seconds = |number: u64| i64::try_from(number).unwrap_or(i64::MAX / 4);
        let app = sessions.flask.as_ref().map(|flask| App {
            cookie: flask.cookie.clone(),
            lifetime: flask.lifetime,
            remember: flask.remember.clone(),
            keys: secrets.iter().map(|secret| SecretKey::new(secret)).collect(),
        });
        Some(Self {
            idle: seconds(sessions.idle),
            lifetime: seconds(sessions.lifetime),
            flask: app,
        })
    }

    /// What the cookies of a request say, in the order in which it is asked; a cookie that can't be one of these says
    /// nothing.
    pub(crate) fn presented(&self, headers: &HeaderMap, now: Timestamp) -> impl Iterator<Item = Presented> {
        let own = own_cookie(headers).map(Presented::Own);
        let of_app = move || {
            let app = self.flask.as_ref()?;
            let session = cookie(headers, &app.cookie)
                .and_then(|value| flask::read(value, &app.keys, app.lifetime, now.as_second()));
            let remembered = || flask::remembered(cookie(headers, app.remember.as_ref()?)?, &app.keys);
            session.or_else(remembered).map(Presented::Flask)
        };
        // The app's are read where ours don't do.
        own.into_iter().chain(std::iter::once_with(of_app).flatten())
    }

    /// Whether a request carries the token of the session by which it came.
    fn has_token(&self, key: &CsrfKey, came: &Came, headers: &HeaderMap, now: Timestamp) -> bool {
        let ours = key.token(came);
        let is_one = |given: &[u8]| {
            let is_ours: bool = given.ct_eq(ours.as_bytes()).into();
            let is_form_s = || match (came, &self.flask, std::str::from_utf8(given)) {
                (Came::Flask { form: Some(form), .. }, Some(app), Ok(given)) => {
                    flask::is_form_token(given, form, &app.keys, now.as_second())
                }
                _ => false,
            };
            is_ours || is_form_s()
        };
        let given = CSRF_HEADERS.iter().flat_map(|name| headers.get_all(*name));
        given.into_iter().any(|given| is_one(given.as_bytes()))
    }

    /// Refuses what may change something and doesn't carry the session's token.
    ///
    /// # Errors
    ///
    /// 403 `csrf-token`.
    pub(crate) fn hold(
        &self,
        key: &CsrfKey,
        came: &Came,
        parts: &Parts,
        now: Timestamp,
    ) -> Result<(), Problem> {
        let is_safe = matches!(parts.method, Method::GET | Method::HEAD | Method::OPTIONS)
            || parts.method.as_str() == "QUERY";
        if is_safe || self.has_token(key, came, &parts.headers, now) {
            Ok(())
        } else {
            Err(Problem::new(Code::CsrfToken))
        }
    }
}

/// The session of ours that a request's cookie names.
fn own_cookie(headers: &HeaderMap) -> Option<Digest> {
    let value = cookie(headers, SESSION_COOKIE)?;
    Secret::parse(value).map(|secret| secret.digest())
}

/// The value of a cookie (RFC 6265, 5.4).
fn cookie<'h>(headers: &'h HeaderMap, name: &str) -> Option<&'h str> {
    let values = headers.get_all(COOKIE).into_iter();
    let values = values.filter_map(|value| value.to_str().ok());
    let mut pairs = values.flat_map(|value| value.split(';'));
    pairs.find_map(|pair| {
        let (own, value) = pair.trim_matches([' ', '\t']).split_once('=')?;
        (own == name).then(|| value.trim_matches('"'))
    })
}

/// A session that has begun: what its browser is to be given.
#[derive(Clone)]
pub struct Session {
    secret: Secret,
    csrf: String,
    lifetime: i64,
}

impl fmt::Debug for Session {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Session(…)")
    }
}

impl Session {
    /// The value of `Set-Cookie` that gives it to a browser.
    pub fn set_cookie(&self) -> String {
        set_cookie(self.secret.reveal(), self.lifetime)
    }

    /// What forms and scripts of its pages have to send in `X-CSRF-Token`.
    pub fn csrf_token(&self) -> &str {
        &self.csrf
    }

    /// The value of `Set-Cookie` that has a browser forget its session.
    pub fn forget_cookie() -> String {
        set_cookie("", 0)
    }
}

fn set_cookie(value: &str, seconds: i64) -> String {
    format!("{SESSION_COOKIE}={value}; Path=/; Max-Age={seconds}; Secure; HttpOnly; SameSite=Lax")
}

impl Service {
    /// Signs an account in by its name and password, and begins a session; the one by which the request comes, of whichever
    /// account, has ended then. Wrong passwords are counted, as where tokens are made.
    ///
    /// # Errors
    ///
    /// 401 for a wrong password, an unknown name and an account that isn't active, all alike; 429 for too many of them; 503
    /// where the database refuses; 500 where the schema doesn't say `sessions:`.
    pub async fn sign_in(&self, parts: &Parts, name: &str, password: Plain) -> Result<Session, Problem> {
        let (inner, now) = (self.inner(), Timestamp::now());
        let account = inner
            .sign_in(name, password, client_of(inner, parts), now)
            .await?;
        let begun = inner
            .begin_session(account, own_cookie(&parts.headers), now)
            .await;
        begun.map_err(|refusal| refusal.into_problem(&inner.engine.model))
    }

    /// Begins a session of an account, as if it had signed in; `None` where no active account has this name.
    ///
    /// # Errors
    ///
    /// Where the schema doesn't say `sessions:`, or the database refuses.
    pub async fn begin_session(&self, account: &str) -> Result<Option<Session>, NotDone> {
        let (inner, now) = (self.inner(), Timestamp::now());
        if inner.cookies.is_none() {
            return Err(told(
                "the service has no sessions: its schema doesn't say `sessions:`",
            ));
        }
        let sought = Sought::Name(account.to_owned());
        let found = inner.account(sought, Among::Active, now).await;
        let Some(account) = found.map_err(|refusal| not_done(refusal, inner))? else {
            return Ok(None);
        };
        let begun = inner.begin_session(account, None, now).await;
        begun.map(Some).map_err(|refusal| not_done(refusal, inner))
    }

    /// Gives the session by which a request comes another secret, whereby the former is worth nothing: where a caller is
    /// trusted with more than before. `None` where it comes by none of ours.
    ///
    /// # Errors
    ///
    /// Where the database refuses.
    pub async fn renew_session(&self, parts: &Parts) -> Result<Option<Session>, Problem> {
        let (inner, now) = (self.inner(), Timestamp::now());
        let (Some(old), Some(cookies)) = (own_cookie(&parts.headers), &inner.cookies) else {
            return Ok(None);
        };
        let problem = |refusal: crate::storage::Refusal| refusal.into_problem(&inner.engine.model);
        let secret =
            Secret::generate().ok_or_else(|| Problem::internal("the system gives no random bytes"))?;
        let renew = RenewSession {
            engine: Arc::clone(&inner.engine),
            old,
            new: secret.digest(),
            now: now.as_second(),
            idle: cookies.idle,
        };
        // What is left of its time.
        match inner.storage.write_state(renew).await.map_err(problem)? {
            Done::Number(left) if left > 0 => Ok(Some(inner.session(secret, left))),
            _ => Ok(None),
        }
    }

    /// Ends the session of ours by which a request comes; whether there was one. Its browser should forget the cookie, too
    /// ([`Session::forget_cookie`]).
    ///
    /// # Errors
    ///
    /// Where the database refuses.
    pub async fn end_session(&self, parts: &Parts) -> Result<bool, Problem> {
        let inner = self.inner();
        let Some(digest) = own_cookie(&parts.headers) else {
            return Ok(false);
        };
        let ended = inner.end_sessions(Ended::One(digest)).await;
        ended.map_err(|refusal| refusal.into_problem(&inner.engine.model))
    }

    /// Ends all sessions of ours of an account, on every instance at once: it is signed out everywhere. Whether there were
    /// any; `None` where no account has this name. Tokens stay ([`Service::revoke_tokens`]).
    ///
    /// # Errors
    ///
    /// Where the service has no accounts, or the database refuses.
    pub async fn end_sessions(&self, account: &str) -> Result<Option<bool>, NotDone> {
        let inner = self.inner();
        if inner.engine.model.schema.accounts.is_none() {
            return Err(told(NO_ACCOUNTS));
        }
        let sought = Sought::Name(account.to_owned());
        let found = inner.account(sought, Among::All, Timestamp::now()).await;
        let Some(account) = found.map_err(|refusal| not_done(refusal, inner))? else {
            return Ok(None);
        };
        let ended = inner.end_sessions(Ended::Account(account.key)).await;
        ended.map(Some).map_err(|refusal| not_done(refusal, inner))
    }
}

impl Inner {
    fn session(&self, secret: Secret, lifetime: i64) -> Session {
        Session {
            csrf: self.engine.csrf_key.token(&Came::Own(secret.digest())),
            secret,
            lifetime,
        }
    }

    /// Keeps a new session in place of another.
    pub(crate) async fn begin_session(
        &self,
        account: SigningIn,
        before: Option<Digest>,
        now: Timestamp,
    ) -> Result<Session, crate::storage::Refusal> {
        let internal = |what: &str| crate::storage::Refusal::Internal(what.into());
        let cookies = self.cookies.as_ref();
        let cookies = cookies.ok_or_else(|| internal("the schema doesn't say `sessions:`"))?;
        let secret = Secret::generate().ok_or_else(|| internal("the system gives no random bytes"))?;
        let key = account.key.clone();
        let add = AddSession {
            engine: Arc::clone(&self.engine),
            digest: secret.digest(),
            account,
            before,
            now: now.as_second(),
            idle: cookies.idle,
            lifetime: cookies.lifetime,
        };
        self.storage.write_state(add).await?;
        // An account may have been made a moment ago, and its holder looks for it next.
        self.storage.wrote_as(&self.engine, &key).await;
        Ok(self.session(secret, cookies.lifetime))
    }

    async fn end_sessions(&self, which: Ended) -> Result<bool, crate::storage::Refusal> {
        let engine = Arc::clone(&self.engine);
        let ended = self.storage.write_state(EndSessions { engine, which }).await?;
        Ok(matches!(ended, Done::Number(1..)))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::{HeaderMap, HeaderValue};

    use super::*;

    fn headers(values: &[&'static str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for value in values {
            headers.append(COOKIE, HeaderValue::from_static(value));
        }
        headers
    }

    #[test]
    fn a_cookie_is_found_by_its_whole_name() {
        let found = |values: &[&'static str]| cookie(&headers(values), "session").map(str::to_owned);
        assert_eq!(found(&["session=a"]).as_deref(), Some("a"));
        assert_eq!(
            found(&["xsession=b; session=a; session2=c"]).as_deref(),
            Some("a")
        );
        assert_eq!(found(&["other=b", "session=\"a=\""]).as_deref(), Some("a="));
        assert_eq!(found(&["Session=a; session"]), None);
        assert_eq!(found(&[]), None);
    }

    #[test]
    fn each_session_has_its_own_token() {
        let key = CsrfKey([7; 32]);
        let own = |byte| key.token(&Came::Own(Digest([byte; 32])));
        let flask = |identity: &str| {
            key.token(&Came::Flask {
                identity: identity.to_owned(),
                form: None,
            })
        };
        let all = [
            own(1),
            own(2),
            flask("1"),
            flask("2"),
            CsrfKey([8; 32]).token(&Came::Own(Digest([1; 32]))),
        ];
        for (place, one) in all.iter().enumerate() {
            assert!(one.len() == 43 && !all[..place].contains(one));
        }
        assert_eq!(own(1), own(1));
    }

    #[test]
    fn a_browser_keeps_it_from_scripts_and_from_other_sites() {
        let session = Session {
            secret: Secret::generate().expect("random bytes"),
            csrf: "token".to_owned(),
            lifetime: 600,
        };
        let cookie = session.set_cookie();
        assert!(cookie.starts_with("__Host-session=rest_"), "{cookie}");
        assert!(
            cookie.ends_with("; Path=/; Max-Age=600; Secure; HttpOnly; SameSite=Lax"),
            "{cookie}"
        );
        assert!(!format!("{session:?}").contains("rest_"));
        assert!(Session::forget_cookie().starts_with("__Host-session=; Path=/; Max-Age=0;"));
    }
}
