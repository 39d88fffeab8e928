//! One thing that is wrong at one place of a request, and the words for what can be wrong in a body.

use std::borrow::Cow;

use serde::Serialize;
use serde_json::Value as Json;

use rest_schema::diagnostic::nearest;

/// Where in the request a fault is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Place {
    /// In the body: RFC 6901's string form, `""` being the whole of it.
    Pointer(String),
    /// In the query string, as it was written.
    Parameter(String),
    /// In a header.
    Header(String),
}

/// One thing that is wrong.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Fault {
    /// Where.
    #[serde(flatten)]
    pub place: Place,
    /// What, for programs: in a body a word of [`FAULTS`] or [`VALUE_CODES`](rest_schema::value::VALUE_CODES), or the
    /// name of the schema's check that is broken; elsewhere a word of [`Code`](super::Code).
    pub code: Cow<'static, str>,
    /// What, for people: lower case, no full stop.
    pub detail: String,
    /// The limit that was overstepped, where there is one.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub limit: Option<Box<Json>>,
    /// The nearest spelling that exists.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub nearest: Option<String>,
}

impl Fault {
    /// A fault at a place.
    pub fn new(place: Place, code: impl Into<Cow<'static, str>>, detail: impl Into<String>) -> Self {
        Self {
            place,
            code: code.into(),
            detail: detail.into(),
            limit: None,
            nearest: None,
        }
    }

    /// A fault of a parameter.
    pub fn parameter(
        name: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(Place::Parameter(name.into()), code, detail)
    }

    /// A fault of a place in the body.
    pub fn pointer(
        pointer: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(Place::Pointer(pointer.into()), code, detail)
    }

    /// A fault of a header.
    pub fn header(
        name: impl Into<String>,
        code: impl Into<Cow<'static, str>>,
        detail: impl Into<String>,
    ) -> Self {
        Self::new(Place::Header(name.into()), code, detail)
    }

    /// Names the limit that was overstepped.
    #[must_use]
    pub fn limit(mut self, limit: impl Into<Json>) -> Self {
        self.limit = Some(Box::new(limit.into()));
        self
    }

    /// Names the candidate that is spelled most like `written`, if one is.
    #[must_use]
    pub fn near<'a>(mut self, written: &str, candidates: impl IntoIterator<Item = &'a str>) -> Self {
        self.nearest = nearest(written, candidates);
        self
    }
}

/// A word for what can be wrong in a body.
#[derive(Debug)]
pub struct FaultRow {
    /// The word on the wire.
    pub word: &'static str,
    /// The status of the problem it stands in: 422 or 409.
    pub status: u16,
    /// What it means.
    pub doc: &'static str,
}

macro_rules! faults {
    ($($name:ident $word:literal $status:literal $doc:literal;)*) => {
        /// The words of [`FAULTS`], by name.
        pub mod words {
            $(#[doc = $doc] pub const $name: &str = $word;)*
        }

        /// What can be wrong in a body, beside [values](rest_schema::value::VALUE_CODES) that aren't of their type. A
        /// broken check of the schema has the check's own name for a word.
        pub const FAULTS: &[FaultRow] = &[$(FaultRow { word: $word, status: $status, doc: $doc }),*];
    };
}

faults! {
    REQUIRED       "required"        422 "the member is missing, and the field has no default and is not optional";
    NOT_NULL       "not-null"        422 "null, where the field is not optional";
    WRONG_TYPE     "wrong-type"      422 "a JSON value of another type than the field's";
    TOO_SHORT      "too-short"       422 "fewer characters, or items, than limit";
    TOO_LONG       "too-long"        422 "more characters, or items, than limit";
    TOO_SMALL      "too-small"       422 "a value below limit";
    TOO_GREAT      "too-great"       422 "a value above limit";
    BAD_PATTERN    "bad-pattern"     422 "text that does not match the field's pattern";
    REPEATED       "repeated"        422 "an item of a set that stands there twice";
    UNKNOWN_FIELD  "unknown-field"   422 "a member that is no field of the resource, or none for this caller";
    READONLY       "readonly"        422 "a member that clients may not set";
    IMMUTABLE      "immutable"       422 "a member that cannot change once it is set";
    CHECK          "check"           422 "the row breaks a condition of its table";
    NOT_SERVED     "not-served"      422 "a member, or a value of it, that this service does not serve";
    TAKEN          "taken"           409 "a value that another item has, in a field where it may stand once";
    NO_SUCH_ITEM   "no-such-item"    409 "a foreign key that names no item, or none that this caller may read";
    IN_USE         "in-use"          409 "an item that others point to";
    TOO_MANY       "too-many"        409 "more items match than limit, of those that PATCH or DELETE of a collection is meant for";
    TEST_FAILED    "test-failed"     409 "the `test` of a JSON Patch, which the item as it is doesn't pass";
    NO_SUCH_PLACE  "no-such-place"   409 "an operation of a JSON Patch at a place that the item as it is doesn't have";
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_told_apart() {
        for (place, row) in FAULTS.iter().enumerate() {
            assert!(
                FAULTS[..place].iter().all(|other| other.word != row.word),
                "{row:?}"
            );
            assert!(matches!(row.status, 409 | 422), "{row:?}");
        }
    }

    #[test]
    fn a_fault_is_written_without_what_it_lacks() {
        let fault = Fault::header("If-Match", "bad-header", "is no entity tag");
        assert_eq!(
            serde_json::to_string(&fault).expect("JSON"),
            r#"{"header":"If-Match","code":"bad-header","detail":"is no entity tag"}"#
        );
    }
}
