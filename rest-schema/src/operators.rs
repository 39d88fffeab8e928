//! The operators of filters, in one table: requests are read by it, the OpenAPI document and the reference are made of it.

use crate::types::Kind;

/// How a filter looks at a field.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Operator {
    /// `field=v`, `field[eq]=v`
    Eq,
    /// `[ne]`
    Ne,
    /// `[in]`, a list
    In,
    /// `[nin]`, a list
    Nin,
    /// `[gt]`
    Gt,
    /// `[gte]`
    Gte,
    /// `[lt]`
    Lt,
    /// `[lte]`
    Lte,
    /// `[null]=true`
    IsNull,
    /// `[null]=false`
    IsNotNull,
    /// `[contains]`
    Contains,
    /// `[startswith]`
    StartsWith,
    /// `[endswith]`
    EndsWith,
    /// `[icontains]`
    IContains,
    /// `[istartswith]`
    IStartsWith,
    /// `[iendswith]`
    IEndsWith,
}

/// What an operator is given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Takes {
    /// A value of the field's type.
    One,
    /// Values of the field's type.
    List,
    /// Any text.
    Text,
    /// `true` or `false`.
    Flag,
}

/// A row of the table.
#[derive(Debug)]
pub struct OperatorRow {
    /// What stands in brackets.
    pub word: &'static str,
    /// What it means (with `null=false`, its opposite).
    pub operator: Operator,
    /// Which fields it may look at.
    pub kinds: &'static [Kind],
    /// What it is given.
    pub takes: Takes,
    /// What it finds.
    pub doc: &'static str,
}

const EVERY: &[Kind] = &[
    Kind::Text,
    Kind::Integer,
    Kind::Float,
    Kind::Decimal,
    Kind::Boolean,
    Kind::Date,
    Kind::Time,
    Kind::Timestamp,
    Kind::Uuid,
    Kind::Json,
    Kind::Bytes,
];
const EQUAL: &[Kind] = &[
    Kind::Text,
    Kind::Integer,
    Kind::Float,
    Kind::Decimal,
    Kind::Boolean,
    Kind::Date,
    Kind::Time,
    Kind::Timestamp,
    Kind::Uuid,
];
/// All but booleans, which have neither an order worth asking for nor more values than a list would exclude.
const ORDERED: &[Kind] = &[
    Kind::Text,
    Kind::Integer,
    Kind::Float,
    Kind::Decimal,
    Kind::Date,
    Kind::Time,
    Kind::Timestamp,
    Kind::Uuid,
];
const TEXT: &[Kind] = &[Kind::Text];

macro_rules! operators {
    ($($word:literal $operator:ident $kinds:ident $takes:ident $doc:literal;)*) => {
        /// All operators, in the order of the documentation.
        pub const OPERATORS: &[OperatorRow] = &[$(OperatorRow {
            word: $word, operator: Operator::$operator, kinds: $kinds, takes: Takes::$takes, doc: $doc,
        }),*];
    };
}

operators! {
    "eq"          Eq          EQUAL   One  "are equal; the same as no operator at all";
    "ne"          Ne          EQUAL   One  "are not equal, and not NULL";
    "in"          In          ORDERED List "are equal to one of the list";
    "nin"         Nin         ORDERED List "are equal to none of the list, and not NULL";
    "gt"          Gt          ORDERED One  "are greater; texts by code point";
    "gte"         Gte         ORDERED One  "are greater or equal";
    "lt"          Lt          ORDERED One  "are less";
    "lte"         Lte         ORDERED One  "are less or equal";
    "null"        IsNull      EVERY   Flag "are NULL (`true`), or are not (`false`)";
    "contains"    Contains    TEXT    Text "have the text within";
    "startswith"  StartsWith  TEXT    Text "begin with the text";
    "endswith"    EndsWith    TEXT    Text "end with the text";
    "icontains"   IContains   TEXT    Text "have the text within, ASCII letters of either case";
    "istartswith" IStartsWith TEXT    Text "begin with the text, ASCII letters of either case";
    "iendswith"   IEndsWith   TEXT    Text "end with the text, ASCII letters of either case";
}

impl Operator {
    /// Its row.
    pub fn row(self) -> &'static OperatorRow {
        let same = match self {
            Self::IsNotNull => Self::IsNull,
            other => other,
        };
        // Every operator but one has a row of its own, as a test holds.
        OPERATORS
            .iter()
            .find(|row| row.operator == same)
            .unwrap_or(&OPERATORS[0])
    }

    /// The operators that may look at a field of this kind.
    pub fn of_kind(kind: Kind) -> impl Iterator<Item = &'static OperatorRow> {
        OPERATORS.iter().filter(move |row| row.kinds.contains(&kind))
    }
}

/// A filter's name without brackets and dots, for programs: `author__name_gte`.
pub fn x_name(path: &str, word: &str) -> String {
    let plain = path.replace('.', "__");
    if word == "eq" {
        plain
    } else {
        format!("{plain}_{word}")
    }
}
