//! The table of field types: one row per type, read by everything that repeats a fact about one.

/// A field's type, with what it needs to be known.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub enum FieldType {
    /// A line of text.
    String,
    /// Text of any length.
    Text,
    /// A signed integer of 32 bits.
    Integer,
    /// A signed integer of 64 bits.
    Bigint,
    /// A double (IEEE 754, finite).
    Float,
    /// An exact decimal.
    Decimal {
        /// All digits, 1 to 38.
        precision: u8,
        /// Digits after the point, at most `precision`.
        scale: u8,
    },
    /// true or false.
    Boolean,
    /// A calendar date.
    Date,
    /// A time of day, to the microsecond.
    Time,
    /// A moment, to the microsecond.
    Timestamp,
    /// A UUID.
    Uuid,
    /// Any JSON value.
    Json,
    /// Bytes.
    Bytes,
    /// One of a list of words.
    Enum(Vec<String>),
    /// An e-mail address, as HTML's `type=email` takes it.
    Email,
    /// An absolute URI (RFC 3986).
    Url,
    /// Lower-case words joined by dashes.
    Slug,
    /// A password: taken as text, kept as a hash, never shown.
    Password,
    /// The keys of related items, each of this type: a JSON array without order or repetition. No schema names it.
    Keys(Box<FieldType>),
}

/// What a type's value is made of: how it is compared, filtered and bound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Kind {
    /// string, text, enum, email, url, slug, password
    Text,
    /// integer, bigint
    Integer,
    /// float
    Float,
    /// decimal
    Decimal,
    /// boolean
    Boolean,
    /// date
    Date,
    /// time
    Time,
    /// timestamp
    Timestamp,
    /// uuid
    Uuid,
    /// json
    Json,
    /// bytes
    Bytes,
}

/// A row of the table.
#[derive(Debug)]
pub struct TypeRow {
    /// The word in a schema.
    pub name: &'static str,
    /// What its values are made of.
    pub kind: Kind,
    /// The column's type where the table is ours, on SQLite (`STRICT`).
    pub sqlite: &'static str,
    /// The column's type on PostgreSQL.
    pub postgres: &'static str,
    /// JSON's type on the wire.
    pub json: &'static str,
    /// JSON Schema's `format`, if there is one.
    pub format: Option<&'static str>,
    /// The Rust type of a struct's field.
    pub rust: &'static str,
    /// The `type` of an HTML input, or `textarea`, `select`, `checkbox`.
    pub input: &'static str,
    /// Whether `length:` means something.
    pub has_length: bool,
    /// Whether `range:` means something.
    pub has_range: bool,
    /// Whether `pattern:` means something.
    pub has_pattern: bool,
    /// One sentence for people.
    pub doc: &'static str,
}

macro_rules! rows {
    ($($name:literal $kind:ident $sqlite:literal $postgres:literal $json:literal $format:expr, $rust:literal $input:literal
       [$length:literal $range:literal $pattern:literal] $doc:literal;)*) => {
        &[$(TypeRow {
            name: $name, kind: Kind::$kind, sqlite: $sqlite, postgres: $postgres, json: $json, format: $format,
            rust: $rust, input: $input, has_length: $length, has_range: $range, has_pattern: $pattern, doc: $doc,
        }),*]
    };
}

/// All types, in the order of the documentation. The brackets say whether length, range and pattern apply.
#[rustfmt::skip]
pub const TYPES: &[TypeRow] = rows! {
    "string"    Text      "TEXT"    "text"             "string"  None,              "String"              "text"           [true  false true]  "A line of text";
    "text"      Text      "TEXT"    "text"             "string"  None,              "String"              "textarea"       [true  false true]  "Text of any length";
    "integer"   Integer   "INTEGER" "integer"          "integer" Some("int32"),     "i32"                 "number"         [false true  false] "A signed integer of 32 bits";
    "bigint"    Integer   "INTEGER" "bigint"           "integer" Some("int64"),     "i64"                 "number"         [false true  false] "A signed integer of 64 bits, all digits kept";
    "float"     Float     "REAL"    "double precision" "number"  Some("double"),    "f64"                 "number"         [false true  false] "A finite double";
    "decimal"   Decimal   "INTEGER" "numeric"          "string"  Some("decimal"),   "Decimal"             "text"           [false true  false] "An exact decimal, a string with exactly its scale";
    "boolean"   Boolean   "INTEGER" "boolean"          "boolean" None,              "bool"                "checkbox"       [false false false] "true or false";
    "date"      Date      "TEXT"    "date"             "string"  Some("date"),      "jiff::civil::Date"   "date"           [false true  false] "A calendar date, 2026-01-31";
    "time"      Time      "TEXT"    "time"             "string"  Some("time-local"),"jiff::civil::Time"   "time"           [false true  false] "A time of day, to the microsecond";
    "timestamp" Timestamp "TEXT"    "timestamptz"      "string"  Some("date-time"), "jiff::Timestamp"     "datetime-local" [false true  false] "A moment (RFC 3339), to the microsecond";
    "uuid"      Uuid      "TEXT"    "uuid"             "string"  Some("uuid"),      "uuid::Uuid"          "text"           [false false false] "A UUID, 36 lower-case characters";
    "json"      Json      "TEXT"    "jsonb"            ""        None,              "serde_json::Value"   "textarea"       [false false false] "Any JSON value, embedded as it is";
    "bytes"     Bytes     "BLOB"    "bytea"            "string"  Some("byte"),      "Vec<u8>"             "file"           [true  false false] "Bytes, base64 on the wire";
    "enum"      Text      "TEXT"    "text"             "string"  None,              "enum"                "select"         [false false false] "One of `values`";
    "email"     Text      "TEXT"    "text"             "string"  Some("email"),     "String"              "email"          [true  false true]  "An e-mail address, as HTML's type=email takes it";
    "url"       Text      "TEXT"    "text"             "string"  Some("uri"),       "String"              "url"            [true  false true]  "An absolute URI (RFC 3986)";
    "slug"      Text      "TEXT"    "text"             "string"  None,              "String"              "text"           [true  false true]  "Lower-case ASCII letters and digits, words joined by single dashes";
    "password"  Text      "TEXT"    "text"             "string"  Some("password"),  "Password"            "password"       [true  false true]  "Taken as text, kept as a hash, never shown";
};

/// The row of what a relation makes; no word of a schema's.
#[rustfmt::skip]
const KEYS: &[TypeRow] = rows! {
    "keys"      Json      "TEXT"    "jsonb"            "array"   None,              "Vec"                 "select"         [false false false] "The keys of related items";
};

impl FieldType {
    /// The type's row in [`TYPES`]; keys of related items have one of their own.
    pub fn row(&self) -> &'static TypeRow {
        let place = match self {
            Self::String => 0,
            Self::Text => 1,
            Self::Integer => 2,
            Self::Bigint => 3,
            Self::Float => 4,
            Self::Decimal { .. } => 5,
            Self::Boolean => 6,
            Self::Date => 7,
            Self::Time => 8,
            Self::Timestamp => 9,
            Self::Uuid => 10,
            Self::Json => 11,
            Self::Bytes => 12,
            Self::Enum(_) => 13,
            Self::Email => 14,
            Self::Url => 15,
            Self::Slug => 16,
            Self::Password => 17,
            Self::Keys(_) => return &KEYS[0],
        };
        &TYPES[place]
    }

    /// The word in a schema.
    pub fn name(&self) -> &'static str {
        self.row().name
    }

    /// What its values are made of.
    pub fn kind(&self) -> Kind {
        self.row().kind
    }
}
