//! What a client is told when a request is refused (RFC 9457): one table of codes, and the only maker of answers ≥ 400.
//!
//! A [`Problem`] is made where a refusal is found and turned into bytes once, by [`Problem::answer`], when the
//! router knows what belongs around it. It carries words for the client and, apart from them, the error behind it,
//! which goes to the log and nowhere else: so nothing internal can leak by way of a message.

mod code;
mod fault;
mod order;

use std::borrow::Cow;
use std::error::Error;
use std::fmt;
use std::fmt::Write as _;
use std::sync::Arc;

use axum::body::Body;
use axum::http::header::{
    ACCEPT, ALLOW, CACHE_CONTROL, CONTENT_TYPE, HeaderName, HeaderValue, RETRY_AFTER, WWW_AUTHENTICATE,
};
use axum::http::{Response, StatusCode};
use rest_schema::diagnostic::nearest;
use serde::Serialize;
use uuid::Uuid;

pub use code::{Code, CodeRow};
pub use fault::{FAULTS, Fault, FaultRow, Place, words};
pub use order::{ORDER, Stage};

/// The media type of every problem.
pub const MEDIA_TYPE: &str = "application/problem+json";

/// So many faults of parameters are told; strangers choose how many there are.
pub const MAX_FAULTS: usize = 50;

/// Seconds that `Retry-After` names where nobody knows better.
const RETRY_AFTER_DEFAULT: u64 = 1;

/// A refusal. Boxed within, so that a `Result` stays small.
#[derive(Debug, Clone)]
pub struct Problem(Box<Inner>);

#[derive(Debug, Clone)]
struct Inner {
    code: Code,
    detail: Option<String>,
    faults: Vec<Fault>,
    headers: Vec<(HeaderName, HeaderValue)>,
    offers_basic: bool,
    scope: Option<String>,
    source: Option<Arc<dyn Error + Send + Sync>>,
}

impl Problem {
    /// A refusal with nothing more to say than its code does.
    pub fn new(code: Code) -> Self {
        Self(Box::new(Inner {
            code,
            detail: None,
            faults: Vec::new(),
            headers: Vec::new(),
            offers_basic: false,
            scope: None,
            source: None,
        }))
    }

    /// Something that should not have happened: the log gets the error and its chain, the client `internal` and the id
    /// to ask for.
    pub fn internal(source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        Self::new(Code::Internal).because(source)
    }

    /// A body whose content is wrong whatever the database holds (422), with all its faults.
    pub fn invalid(faults: Vec<Fault>) -> Self {
        Self::new(Code::Invalid).faults(faults)
    }

    /// A request that conflicts with what the database holds now (409).
    pub fn conflict(faults: Vec<Fault>) -> Self {
        Self::new(Code::Conflict).faults(faults)
    }

    /// Faults whose words are codes themselves, as those of parameters are; the first one names the problem. `None`
    /// where there is no fault; no more than [`MAX_FAULTS`] are told.
    pub fn of_faults(mut faults: Vec<Fault>) -> Option<Self> {
        faults.truncate(MAX_FAULTS);
        let code = Code::from_word(&faults.first()?.code).unwrap_or(Code::BadValue);
        Some(Self::new(code).faults(faults))
    }

    /// A method that isn't served at an address (405); `allow` is the list of those that are.
    pub fn method_not_allowed(allow: &str) -> Self {
        Self::new(Code::MethodNotAllowed)
            .detail(format!("this address serves {allow}"))
            .header(ALLOW, allow)
    }

    /// Says what is wrong this time: lower case, no full stop.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.0.detail = Some(detail.into());
        self
    }

    /// Adds a fault.
    #[must_use]
    pub fn fault(mut self, fault: Fault) -> Self {
        self.0.faults.push(fault);
        self
    }

    /// Adds faults.
    #[must_use]
    pub fn faults(mut self, faults: impl IntoIterator<Item = Fault>) -> Self {
        self.0.faults.extend(faults);
        self
    }

    /// Adds a fault of a parameter.
    #[must_use]
    pub fn parameter(
        self,
        name: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        self.fault(Fault::parameter(name, code, detail))
    }

    /// Adds a fault of a place in the body (RFC 6901).
    #[must_use]
    pub fn pointer(
        self,
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        self.fault(Fault::pointer(pointer, code, detail))
    }

    /// Adds a fault of a header.
    #[must_use]
    pub fn in_header(
        self,
        name: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        self.fault(Fault::header(name, code, detail))
    }

    /// Gives the fault added last the candidate that is spelled most like `written`, if one is.
    #[must_use]
    pub fn near<'a>(mut self, written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        if let Some(fault) = self.0.faults.last_mut() {
            fault.nearest = nearest(written, candidates);
        }
        self
    }

    /// Adds a header to the answer; a value that no header can hold is left out.
    #[must_use]
    pub fn header(mut self, name: HeaderName, value: &str) -> Self {
        if let Ok(value) = HeaderValue::from_str(value) {
            self.0.headers.push((name, value));
        }
        self
    }

    /// Says after how many seconds another try makes sense.
    #[must_use]
    pub fn retry_after(self, seconds: u64) -> Self {
        self.header(RETRY_AFTER, &seconds.to_string())
    }

    /// Says which media types POST takes here.
    #[must_use]
    pub fn accept_post(self, types: &str) -> Self {
        self.header(HeaderName::from_static("accept-post"), types)
    }

    /// Says which media types PATCH takes here (RFC 5789).
    #[must_use]
    pub fn accept_patch(self, types: &str) -> Self {
        self.header(HeaderName::from_static("accept-patch"), types)
    }

    /// Says which media types this address takes, for methods that have no header of their own (RFC 9110, 15.5.16).
    #[must_use]
    pub fn accept(self, types: &str) -> Self {
        self.header(ACCEPT, types)
    }

    /// Offers HTTP Basic beside Bearer in the challenge of a 401.
    #[must_use]
    pub fn offer_basic(mut self) -> Self {
        self.0.offers_basic = true;
        self
    }

    /// Names the scope that the token would need.
    #[must_use]
    pub fn scope(mut self, scope: impl Into<String>) -> Self {
        let scope = scope.into();
        let detail = format!("the token's scopes do not cover this: it needs `{scope}`");
        self.0.scope = Some(scope);
        self.detail(detail)
    }

    /// Keeps the error behind the refusal, for the log.
    #[must_use]
    pub fn because(mut self, source: impl Into<Box<dyn Error + Send + Sync>>) -> Self {
        self.0.source = Some(Arc::from(source.into()));
        self
    }

    /// Which refusal it is.
    pub fn code(&self) -> Code {
        self.0.code
    }

    /// Its status.
    pub fn status(&self) -> StatusCode {
        self.0.code.status()
    }

    /// Its faults, in the order found.
    pub fn all_faults(&self) -> &[Fault] {
        &self.0.faults
    }

    /// What the client reads in `detail`.
    pub fn told(&self) -> Cow<'_, str> {
        match (&self.0.detail, self.0.faults.as_slice()) {
            (Some(detail), _) => Cow::Borrowed(detail),
            (None, []) => Cow::Borrowed(self.0.code.row().doc),
            (None, [fault]) => Cow::Borrowed(&fault.detail),
            (None, faults) => Cow::Owned(format!("{} faults, listed in errors", faults.len())),
        }
    }

    /// The error behind it, if there is one, with all its causes.
    pub fn cause(&self) -> Option<String> {
        let mut error: &dyn Error = &**self.0.source.as_ref()?;
        let mut chain = error.to_string();
        while let Some(cause) = error.source() {
            // Writing to a string can't fail.
            let _ = write!(chain, ": {cause}");
            error = cause;
        }
        Some(chain)
    }

    /// The answer. `prefix` is that of the service's addresses, `realm` its name; the error behind the problem is logged
    /// under the request's id.
    pub fn answer(self, prefix: &str, request_id: Uuid, realm: &str) -> Response<Body> {
        let home = Home {
            prefix: Some(prefix),
            realm,
        };
        self.answer_at(home, request_id)
    }

    /// The answer of a handler that stands alone: outside of a service a problem has no page that its type could name.
    pub(crate) fn answer_alone(self) -> Response<Body> {
        let home = Home {
            prefix: None,
            realm: "service",
        };
        self.answer_at(home, Uuid::now_v7())
    }

    fn answer_at(self, home: Home<'_>, request_id: Uuid) -> Response<Body> {
        self.log(request_id);
        let mut response = Response::new(Body::from(self.document(home.prefix, request_id)));
        *response.status_mut() = self.status();
        let headers = response.headers_mut();
        headers.insert(CONTENT_TYPE, HeaderValue::from_static(MEDIA_TYPE));
        headers.insert(CACHE_CONTROL, HeaderValue::from_static("no-store"));
        for challenge in self.challenges(home.realm) {
            if let Ok(challenge) = HeaderValue::from_str(&challenge) {
                headers.append(WWW_AUTHENTICATE, challenge);
            }
        }
        for (name, value) in self.0.headers {
            headers.append(name, value);
        }
        if matches!(self.0.code, Code::Unavailable | Code::TooManyRequests)
            && !headers.contains_key(RETRY_AFTER)
        {
            headers.insert(RETRY_AFTER, HeaderValue::from(RETRY_AFTER_DEFAULT));
        }
        response
    }

    fn log(&self, request_id: Uuid) {
        let Some(cause) = self.cause() else { return };
        if self.status() == StatusCode::INTERNAL_SERVER_ERROR {
            tracing::error!(request = %request_id, code = self.0.code.word(), cause, "request failed");
        } else {
            tracing::warn!(request = %request_id, code = self.0.code.word(), cause, "request refused");
        }
    }

    /// The body: a problem document.
    pub fn body(&self, prefix: &str, request_id: Uuid) -> Vec<u8> {
        self.document(Some(prefix), request_id)
    }

    fn document(&self, prefix: Option<&str>, request_id: Uuid) -> Vec<u8> {
        let row = self.0.code.row();
        let of = |prefix: &str| format!("{prefix}/problems/{}", row.word);
        let document = Document {
            r#type: prefix.map_or_else(|| "about:blank".to_owned(), of),
            code: row.word,
            title: row.title,
            status: row.status.as_u16(),
            detail: self.told(),
            instance: format!("urn:uuid:{request_id}"),
            errors: &self.0.faults,
        };
        // Texts and numbers only: nothing that JSON can't hold.
        serde_json::to_vec(&document).unwrap_or_default()
    }

    /// The values of `WWW-Authenticate` (RFC 6750, 3; RFC 7617).
    fn challenges(&self, realm: &str) -> Vec<String> {
        let realm = quoted(realm);
        let mut bearer = format!("Bearer realm={realm}");
        match self.0.code {
            Code::Unauthenticated | Code::BadCredentials => {}
            Code::BadToken => bearer.push_str(", error=\"invalid_token\""),
            Code::InsufficientScope => {
                bearer.push_str(", error=\"insufficient_scope\"");
                if let Some(scope) = &self.0.scope {
                    let _ = write!(bearer, ", scope={}", quoted(scope));
                }
            }
            _ => return Vec::new(),
        }
        let mut challenges = vec![bearer];
        if self.0.offers_basic {
            challenges.push(format!("Basic realm={realm}, charset=\"UTF-8\""));
        }
        challenges
    }
}

/// Where a problem is answered.
#[derive(Clone, Copy)]
struct Home<'a> {
    /// What the addresses of the service begin with.
    prefix: Option<&'a str>,
    realm: &'a str,
}

/// A quoted string of HTTP (RFC 9110, 5.6.4); what it can't hold is left out.
fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for c in text.chars().filter(|c| (' '..='~').contains(c)) {
        if matches!(c, '"' | '\\') {
            quoted.push('\\');
        }
        quoted.push(c);
    }
    quoted.push('"');
    quoted
}

/// The problem document (RFC 9457, 3), its members in the order of the docs.
#[derive(Serialize)]
struct Document<'a> {
    r#type: String,
    code: &'static str,
    title: &'static str,
    status: u16,
    detail: Cow<'a, str>,
    instance: String,
    #[serde(skip_serializing_if = "<[Fault]>::is_empty")]
    errors: &'a [Fault],
}

impl fmt::Display for Problem {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}: {}", self.0.code.word(), self.told())
    }
}

impl Error for Problem {}

impl From<Code> for Problem {
    fn from(code: Code) -> Self {
        Self::new(code)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answer(problem: Problem) -> (Response<()>, serde_json::Value) {
        let body = problem.body("/api", Uuid::nil());
        let response = problem.answer("/api", Uuid::nil(), "blog \"x\"");
        (
            response.map(|_| ()),
            serde_json::from_slice(&body).expect("a problem is JSON"),
        )
    }

    #[test]
    fn a_problem_is_a_document_of_rfc_9457() {
        let problem = Problem::new(Code::UnknownField)
            .parameter("titel[eq]", Code::UnknownField, "there is no field titel")
            .near("titel", ["title", "body"]);
        let (response, body) = answer(problem);
        assert_eq!(response.status(), 400);
        assert_eq!(response.headers()[CONTENT_TYPE], "application/problem+json");
        assert_eq!(response.headers()[CACHE_CONTROL], "no-store");
        assert_eq!(
            body.to_string(),
            r#"{"type":"/api/problems/unknown-field","code":"unknown-field","title":"Unknown field","status":400,"detail":"there is no field titel","instance":"urn:uuid:00000000-0000-0000-0000-000000000000","errors":[{"parameter":"titel[eq]","code":"unknown-field","detail":"there is no field titel","nearest":"title"}]}"#
        );
    }

    #[test]
    fn what_is_internal_is_not_told() {
        let problem = Problem::internal("no such table: secret");
        assert_eq!(problem.cause().as_deref(), Some("no such table: secret"));
        let (response, body) = answer(problem);
        assert_eq!(response.status(), 500);
        assert!(!body.to_string().contains("secret"), "{body}");
    }

    #[test]
    fn challenges_are_those_of_rfc_6750() {
        let challenges = |problem: Problem| {
            let (response, _) = answer(problem);
            let all = response.headers().get_all(WWW_AUTHENTICATE);
            all.iter()
                .map(|value| value.to_str().expect("ASCII").to_owned())
                .collect::<Vec<_>>()
        };
        assert_eq!(
            challenges(Problem::new(Code::Unauthenticated)),
            [r#"Bearer realm="blog \"x\"""#]
        );
        assert_eq!(
            challenges(Problem::new(Code::BadToken)),
            [r#"Bearer realm="blog \"x\"", error="invalid_token""#]
        );
        assert_eq!(
            challenges(Problem::new(Code::InsufficientScope).scope("books:write")),
            [r#"Bearer realm="blog \"x\"", error="insufficient_scope", scope="books:write""#]
        );
        assert_eq!(
            challenges(Problem::new(Code::BadCredentials).offer_basic())[1],
            r#"Basic realm="blog \"x\"", charset="UTF-8""#
        );
        assert_eq!(challenges(Problem::new(Code::Forbidden)), [""; 0]);
    }

    #[test]
    fn overload_says_when_to_come_back() {
        let (response, _) = answer(Problem::new(Code::Unavailable));
        assert_eq!(response.headers()[RETRY_AFTER], "1");
        let (response, _) = answer(Problem::new(Code::TooManyRequests).retry_after(30));
        let all: Vec<_> = response.headers().get_all(RETRY_AFTER).iter().collect();
        assert_eq!(all, ["30"]);
    }

    #[test]
    fn several_faults_are_all_told() {
        let faults = vec![
            Fault::pointer("/title", words::TOO_LONG, "has 300 characters").limit(120),
            Fault::pointer("/tags/0", words::WRONG_TYPE, "is no text"),
        ];
        let (response, body) = answer(Problem::invalid(faults));
        assert_eq!(response.status(), 422);
        assert_eq!(body["detail"], "2 faults, listed in errors");
        assert_eq!(body["errors"][0]["limit"], 120);
        assert_eq!(body["errors"][1]["pointer"], "/tags/0");
    }

    #[test]
    fn the_first_fault_of_several_names_the_problem() {
        let fault = Fault::parameter("limit", Code::BadLimit, "is over 100");
        assert_eq!(
            Problem::of_faults(vec![fault]).map(|problem| problem.code()),
            Some(Code::BadLimit)
        );
        assert!(Problem::of_faults(Vec::new()).is_none());
    }
}
