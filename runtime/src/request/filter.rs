//! Filters: `path[operator]=value`, and the table of operators.

use rest_schema::types::Kind;
use rest_schema::value::ValueFault;
use rest_schema::{Field, FieldType, ResourceId, Value};

use super::names::{Names, list};
use super::query::Parameter;
use super::{Filter, Operator};
use crate::problem::{Code, Fault, MAX_FAULTS};

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
    "eq"          Eq          EQUAL   One  "equal; the same as no operator at all";
    "ne"          Ne          EQUAL   One  "not equal, and not NULL";
    "in"          In          ORDERED List "equal to one of the list";
    "nin"         Nin         ORDERED List "equal to none of the list, and not NULL";
    "gt"          Gt          ORDERED One  "greater; texts by code point";
    "gte"         Gte         ORDERED One  "greater or equal";
    "lt"          Lt          ORDERED One  "less";
    "lte"         Lte         ORDERED One  "less or equal";
    "null"        IsNull      EVERY   Flag "`true`: NULL; `false`: not NULL";
    "contains"    Contains    TEXT    Text "has the text within";
    "startswith"  StartsWith  TEXT    Text "begins with the text";
    "endswith"    EndsWith    TEXT    Text "ends with the text";
    "icontains"   IContains   TEXT    Text "has the text within, ASCII letters of either case";
    "istartswith" IStartsWith TEXT    Text "begins with the text, ASCII letters of either case";
    "iendswith"   IEndsWith   TEXT    Text "ends with the text, ASCII letters of either case";
}

/// What other services call it, and what it is here.
const RIVALS: &[(&str, &str)] = &[
    ("neq", "ne"),
    ("not", "ne"),
    ("ge", "gte"),
    ("le", "lte"),
    ("min", "gte"),
    ("max", "lte"),
    ("notin", "nin"),
    ("not_in", "nin"),
    ("isnull", "null"),
    ("is_null", "null"),
    ("exists", "null"),
    ("like", "contains"),
    ("ilike", "icontains"),
    ("starts_with", "startswith"),
    ("ends_with", "endswith"),
    ("exact", "eq"),
];

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

fn by_word(word: &str) -> Option<&'static OperatorRow> {
    OPERATORS.iter().find(|row| row.word == word)
}

/// `path[word]` in its two parts; `None` where the brackets are not those of one operator.
fn split(name: &str) -> Option<(&str, Option<&str>)> {
    match name.split_once('[') {
        None if name.contains(']') => None,
        None => Some((name, None)),
        Some((path, rest)) => {
            let word = rest.strip_suffix(']')?;
            (!word.contains(['[', ']'])).then_some((path, Some(word)))
        }
    }
}

/// How `score__gte`, `filter[score]` or `score.gte` is written here.
pub(super) fn bracketed(names: &Names, resource: ResourceId, name: &str) -> Option<String> {
    if let Some((path, word)) = name.split_once("__") {
        let row = by_word(word)?;
        return names.has(resource, path).then(|| format!("{path}[{}]", row.word));
    }
    let within = name.strip_prefix("filter[")?.split(']').next()?;
    names.has(resource, within).then(|| within.to_owned())
}

/// Reads one filter; the faults of all its values at once.
pub(super) fn read(names: &Names, resource: ResourceId, parameter: &Parameter) -> Result<Filter, Vec<Fault>> {
    let name = &parameter.name;
    let Some((path, word)) = split(name) else {
        let detail = "an operator stands once, in brackets behind the path: score[gte]";
        return Err(vec![Fault::parameter(name, Code::UnknownOperator, detail)]);
    };
    let (path, field) = names.path(resource, path, name).map_err(|fault| vec![fault])?;
    if !field.filterable {
        return Err(vec![not_filterable(names, path.field.resource, field, name)]);
    }
    let row = operator(field, word, name).map_err(|fault| vec![fault])?;
    if row.takes != Takes::List
        && let Some(fault) = parameter.repeated()
    {
        return Err(vec![fault]);
    }
    let (operator, values) = values(row, field, parameter)?;
    Ok(Filter {
        path,
        operator,
        values,
    })
}

fn not_filterable(names: &Names, resource: ResourceId, field: &Field, parameter: &str) -> Fault {
    let known: Vec<_> = names.filterable(resource).collect();
    let detail = format!(
        "{} is not a field to filter by; those are: {}",
        field.api_name,
        list(known)
    );
    Fault::parameter(parameter, Code::NotFilterable, detail)
}

/// The operator of a word, if a field of this type has it.
fn operator(field: &Field, word: Option<&str>, parameter: &str) -> Result<&'static OperatorRow, Fault> {
    let word = word.unwrap_or("eq");
    let kind = field.ty.kind();
    let found = by_word(word);
    if let Some(row) = found
        && row.kinds.contains(&kind)
    {
        return Ok(row);
    }
    let known: Vec<_> = Operator::of_kind(kind).map(|row| row.word).collect();
    let what = match found {
        Some(_) => format!(
            "{word} does not apply to {}, which is {}",
            field.api_name,
            named(&field.ty)
        ),
        None => format!("there is no operator {word}"),
    };
    let detail = format!("{what}; operators of {}: {}", field.api_name, known.join(", "));
    let mut fault = Fault::parameter(parameter, Code::UnknownOperator, detail);
    let rival = RIVALS
        .iter()
        .find(|(theirs, _)| *theirs == word)
        .map(|(_, ours)| *ours);
    match rival.filter(|ours| known.contains(ours)) {
        Some(ours) => fault.nearest = Some(ours.to_owned()),
        None if found.is_none() => fault = fault.near(word, known),
        None => {}
    }
    Err(fault)
}

/// The type with its article.
fn named(ty: &FieldType) -> String {
    let article = if ty.name().starts_with(['a', 'e', 'i', 'o']) {
        "an"
    } else {
        "a"
    };
    format!("{article} {}", ty.name())
}

fn values(
    row: &OperatorRow,
    field: &Field,
    parameter: &Parameter,
) -> Result<(Operator, Vec<Value>), Vec<Fault>> {
    match row.takes {
        Takes::One => Ok((row.operator, vec![one(&field.ty, field, parameter)?])),
        Takes::Text => Ok((row.operator, vec![one(&FieldType::Text, field, parameter)?])),
        Takes::List => Ok((row.operator, several(field, parameter)?)),
        Takes::Flag => match one(&FieldType::Boolean, field, parameter)? {
            Value::Boolean(false) => Ok((Operator::IsNotNull, Vec::new())),
            _ => Ok((row.operator, Vec::new())),
        },
    }
}

fn one(ty: &FieldType, field: &Field, parameter: &Parameter) -> Result<Value, Vec<Fault>> {
    let text = parameter.single();
    sought(ty, text).map_err(|fault| vec![bad_value(field, text, fault, &parameter.name)])
}

fn several(field: &Field, parameter: &Parameter) -> Result<Vec<Value>, Vec<Fault>> {
    let (mut values, mut faults) = (Vec::new(), Vec::new());
    for item in parameter.items() {
        if faults.len() == MAX_FAULTS {
            break;
        }
        match sought(&field.ty, &item) {
            Ok(value) => values.push(value),
            Err(fault) => faults.push(bad_value(field, &item, fault, &parameter.name)),
        }
    }
    if faults.is_empty() {
        Ok(values)
    } else {
        Err(faults)
    }
}

/// A value to look for. What is looked for need not be an address or URL itself: no row has it then.
fn sought(ty: &FieldType, text: &str) -> Result<Value, ValueFault> {
    match ty {
        FieldType::Email | FieldType::Url | FieldType::Slug => FieldType::Text.parse_text(text),
        _ => ty.parse_text(text),
    }
}

fn bad_value(field: &Field, text: &str, fault: ValueFault, parameter: &str) -> Fault {
    let mut detail = fault.message;
    // The classic slip: a `+` that wasn't escaped arrived as a space.
    if field.ty.kind() == Kind::Timestamp && text.contains(' ') {
        detail.push_str("; a + is written %2B");
    }
    let mut bad = Fault::parameter(parameter, Code::BadValue, detail);
    bad.nearest = fault.nearest;
    bad
}
