//! The table of problems: word, status, title and what it means. Everything that lists problems reads this.

use std::borrow::Cow;
use std::fmt;

use axum::http::StatusCode;

/// A row of the table.
#[derive(Debug)]
pub struct CodeRow {
    /// Which it is.
    pub code: Code,
    /// The word on the wire; public, never reused for something else.
    pub word: &'static str,
    /// The status it is answered with.
    pub status: StatusCode,
    /// What it is called.
    pub title: &'static str,
    /// What it means, for documents.
    pub doc: &'static str,
}

macro_rules! codes {
    ($($name:ident $word:literal $status:ident $title:literal $doc:literal;)*) => {
        /// Why a request was refused.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
        pub enum Code {
            $(#[doc = $doc] $name,)*
        }

        const ROWS: &[CodeRow] = &[$(CodeRow {
            code: Code::$name, word: $word, status: StatusCode::$status, title: $title, doc: $doc,
        }),*];
    };
}

codes! {
    BadEncoding "bad-encoding" BAD_REQUEST "Bad encoding"
        "the query string has a broken percent escape, or is not UTF-8 once decoded";
    UnknownParameter "unknown-parameter" BAD_REQUEST "Unknown parameter"
        "a parameter of the query string is not one this address takes";
    MissingParameter "missing-parameter" BAD_REQUEST "Missing parameter"
        "a parameter that the request cannot do without is not there";
    DuplicateParameter "duplicate-parameter" BAD_REQUEST "Duplicate parameter"
        "a parameter that may stand once stands twice";
    ConflictingParameters "conflicting-parameters" BAD_REQUEST "Conflicting parameters"
        "two parameters that exclude each other were sent together";
    UnknownField "unknown-field" BAD_REQUEST "Unknown field"
        "a parameter names a field or relation that does not exist, or not for this caller";
    UnknownOperator "unknown-operator" BAD_REQUEST "Unknown operator"
        "the operator in brackets does not exist, or not for a field of this type";
    NotFilterable "not-filterable" BAD_REQUEST "Not filterable"
        "the field exists, but the schema does not let requests filter by it";
    NotSortable "not-sortable" BAD_REQUEST "Not sortable"
        "the field exists, but the schema does not let requests sort by it";
    BadValue "bad-value" BAD_REQUEST "Bad value"
        "the value of a parameter is not one that the parameter, or the type of its field, can have";
    BadSort "bad-sort" BAD_REQUEST "Bad sort"
        "the order asked for cannot be made: too many terms, a field twice, or a step to many items";
    BadAggregate "bad-aggregate" BAD_REQUEST "Bad aggregate"
        "what is asked of all items together cannot be worked out: no such function, a field that it does not fit, one named twice, or a step to many items";
    BadLimit "bad-limit" BAD_REQUEST "Bad limit"
        "limit is not a whole number between 1 and the greatest page size";
    BadPage "bad-page" BAD_REQUEST "Bad page"
        "page is not a whole number from 1 to the last page that can be asked for by number";
    BadCursor "bad-cursor" BAD_REQUEST "Bad cursor"
        "the cursor was not made by this service, or for another sort or filter; begin again without one";
    NotStreamable "not-streamable" BAD_REQUEST "Not streamable"
        "the form asked for is a stream of the whole result, which has no pages, no count and no included items, and only an order that an index serves";
    LimitExceeded "limit-exceeded" BAD_REQUEST "Limit exceeded"
        "the request has more parameters, filters, included relations or groups, or nests them deeper, than this service serves";
    BadHeader "bad-header" BAD_REQUEST "Bad header"
        "a header of the request cannot be read";
    UnreadableBody "unreadable-body" BAD_REQUEST "Unreadable body"
        "the body is not JSON in UTF-8, names a member twice, or nests too deep";
    Unauthenticated "unauthenticated" UNAUTHORIZED "Not signed in"
        "this needs a caller who is signed in, and the request has no credentials";
    BadCredentials "bad-credentials" UNAUTHORIZED "Bad credentials"
        "there is no account of this name with this password";
    BadToken "bad-token" UNAUTHORIZED "Bad token"
        "the token is malformed, unknown, expired or revoked";
    Forbidden "forbidden" FORBIDDEN "Forbidden"
        "the rules of the service do not allow this caller to do this";
    InsufficientScope "insufficient-scope" FORBIDDEN "Insufficient scope"
        "the token's scopes do not cover this, though its account might";
    CsrfToken "csrf-token" FORBIDDEN "No token of the session"
        "a change by a session's cookie has to carry the session's token in X-CSRF-Token, and this one doesn't; GET of the caller's own account tells it";
    NotFound "not-found" NOT_FOUND "Not found"
        "there is nothing at this address, or nothing that this caller may see";
    MethodNotAllowed "method-not-allowed" METHOD_NOT_ALLOWED "Method not allowed"
        "the address exists and does not serve this method; Allow lists those it serves";
    NotAcceptable "not-acceptable" NOT_ACCEPTABLE "Not acceptable"
        "none of the media types in Accept can be served here";
    Conflict "conflict" CONFLICT "Conflict"
        "the request conflicts with what the database holds now: a value that is taken, an item that is not there, an item that is in use";
    IdempotencyInFlight "idempotency-in-flight" CONFLICT "Idempotent request under way"
        "a request with this Idempotency-Key is being done just now; try again when it has ended";
    IdempotencyUnknown "idempotency-unknown" CONFLICT "Outcome unknown"
        "a request with this Idempotency-Key was begun, and the service ended before it was known to be done; look, then use another key";
    PreconditionFailed "precondition-failed" PRECONDITION_FAILED "Precondition failed"
        "the item is not in the state that the request's precondition names; read it again";
    BodyTooLarge "body-too-large" PAYLOAD_TOO_LARGE "Body too large"
        "the body is longer than this service takes";
    UriTooLong "uri-too-long" URI_TOO_LONG "URI too long"
        "the address with its query string is longer than this service takes";
    UnsupportedMediaType "unsupported-media-type" UNSUPPORTED_MEDIA_TYPE "Unsupported media type"
        "the body's Content-Type is missing or not one that is taken here";
    Invalid "invalid" UNPROCESSABLE_ENTITY "Invalid"
        "the body was read, and what it says does not fit the schema; errors lists every fault";
    IdempotencyMismatch "idempotency-mismatch" UNPROCESSABLE_ENTITY "Idempotency-Key used for something else"
        "another request was sent with this Idempotency-Key; each needs its own";
    PreconditionRequired "precondition-required" PRECONDITION_REQUIRED "Precondition required"
        "a write here has to say by If-Match on which state of the item it is based";
    TooManyRequests "too-many-requests" TOO_MANY_REQUESTS "Too many requests"
        "too much was tried in too short a time; Retry-After says when to try again";
    HeadersTooLarge "headers-too-large" REQUEST_HEADER_FIELDS_TOO_LARGE "Headers too large"
        "the request's headers are longer than this service takes";
    Internal "internal" INTERNAL_SERVER_ERROR "Internal error"
        "the service failed; its log has the cause under the id in instance";
    StoredValue "stored-value" INTERNAL_SERVER_ERROR "Stored value does not fit"
        "the database holds a value that its field's type cannot have";
    Unavailable "unavailable" SERVICE_UNAVAILABLE "Unavailable"
        "the service or its database cannot take the request now; Retry-After says when to try again";
}

impl Code {
    /// All rows, in the order of the documentation (and of their statuses).
    pub fn all() -> &'static [CodeRow] {
        ROWS
    }

    /// Its row. The enum and the table are one list, so the place is the row's.
    pub fn row(self) -> &'static CodeRow {
        &ROWS[self as usize]
    }

    /// The word on the wire.
    pub fn word(self) -> &'static str {
        self.row().word
    }

    /// The status it is answered with.
    pub fn status(self) -> StatusCode {
        self.row().status
    }

    /// The code of a word.
    pub fn from_word(word: &str) -> Option<Self> {
        ROWS.iter().find(|row| row.word == word).map(|row| row.code)
    }
}

impl fmt::Display for Code {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.word())
    }
}

impl From<Code> for Cow<'static, str> {
    fn from(code: Code) -> Self {
        Cow::Borrowed(code.word())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_row_is_found_by_its_code_and_its_word() {
        for row in Code::all() {
            assert_eq!(row.code.row().word, row.word);
            assert_eq!(Code::from_word(row.word), Some(row.code));
        }
        assert_eq!(Code::from_word("teapot"), None);
    }

    #[test]
    fn rows_are_refusals_in_the_order_of_their_statuses() {
        for row in Code::all() {
            assert!(
                row.status.is_client_error() || row.status.is_server_error(),
                "{row:?}"
            );
            assert!(
                row.word.bytes().all(|b| b.is_ascii_lowercase() || b == b'-'),
                "{row:?}"
            );
            assert!(
                !row.doc.ends_with('.') && !row.doc.starts_with(char::is_uppercase),
                "{row:?}"
            );
        }
        assert!(Code::all().is_sorted_by_key(|row| row.status));
    }
}
