//! What is asked of all items together: `aggregate=count,avg(pages)&group=status`.

use std::borrow::Cow;

use rest_schema::types::Kind;
use rest_schema::{Aggregate, Field, ResourceId};

use super::names::{Names, list};
use super::query::{Parameter, Parameters};
use super::{Path, Query};
use crate::problem::{Code, Fault};

/// The terms that `aggregate` may have.
pub const MAX_TERMS: usize = 10;
/// The fields that `group` may have.
pub const MAX_GROUPS: usize = 3;
/// The groups that one answer may have.
pub const MAX_ITEMS: u32 = 1_000;

/// What is worked out of the items of a collection.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Aggregation {
    /// What is told of each group, at least one.
    pub terms: Vec<Term>,
    /// The fields whose values make the groups, reached by steps to one; without any, all items are one group.
    pub groups: Vec<Path>,
}

impl Aggregation {
    /// The fields that it looks at.
    pub(crate) fn paths(&self) -> impl Iterator<Item = &Path> {
        let of_terms = self.terms.iter().filter_map(|term| term.path.as_ref());
        self.groups.iter().chain(of_terms)
    }
}

/// One term of `aggregate`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Term {
    /// How.
    pub function: Aggregate,
    /// Of which values; `None`: `count` is of the items.
    pub path: Option<Path>,
}

/// A function of fields.
pub(crate) struct FunctionRow {
    /// Its name in requests and answers.
    pub(crate) word: &'static str,
    pub(crate) function: Aggregate,
    kinds: &'static [Kind],
}

const NUMBERS: &[Kind] = &[Kind::Integer, Kind::Float, Kind::Decimal];
const ORDERED: &[Kind] = &[
    Kind::Integer,
    Kind::Float,
    Kind::Decimal,
    Kind::Text,
    Kind::Date,
    Kind::Time,
    Kind::Timestamp,
];

/// The functions, in the order of the documentation.
pub(crate) const FUNCTIONS: &[FunctionRow] = &[
    of("sum", Aggregate::Sum, NUMBERS),
    of("avg", Aggregate::Avg, NUMBERS),
    of("min", Aggregate::Min, ORDERED),
    of("max", Aggregate::Max, ORDERED),
];

const fn of(word: &'static str, function: Aggregate, kinds: &'static [Kind]) -> FunctionRow {
    FunctionRow {
        word,
        function,
        kinds,
    }
}

/// The function without a field.
pub(crate) const COUNT: &str = "count";

impl FunctionRow {
    /// Whether it can be asked of a field. What isn't kept in a column is left to its own reads.
    pub(crate) fn takes(&self, field: &Field) -> bool {
        field.is_shown() && field.is_stored() && self.kinds.contains(&field.ty.kind())
    }
}

/// Whether requests may group by a field.
pub(crate) fn is_groupable(field: &Field) -> bool {
    field.filterable && field.is_stored() && !matches!(field.ty.kind(), Kind::Json | Kind::Bytes)
}

/// Reads `aggregate` and `group`; `None` where neither is there.
pub(super) fn read(
    names: &Names,
    resource: ResourceId,
    parameters: &Parameters,
    faults: &mut Vec<Fault>,
) -> Option<Aggregation> {
    let items = |name: &str| parameters.named(name).map(Parameter::items);
    let (asked, by) = (items("aggregate"), items("group"));
    if by.is_some() && asked.is_none() {
        let detail = "group says of what an aggregate is worked out; add one, as aggregate=count";
        faults.push(Fault::parameter("group", Code::MissingParameter, detail));
    }
    let by = by.unwrap_or_default();
    let groups = several("group", by, MAX_GROUPS, faults, |item| {
        group(names, resource, item)
    });
    let terms = several("aggregate", asked?, MAX_TERMS, faults, |item| {
        term(names, resource, item)
    });
    Some(Aggregation { terms, groups })
}

/// The items of a list, each once.
fn several<T: PartialEq>(
    parameter: &str,
    items: Vec<Cow<'_, str>>,
    most: usize,
    faults: &mut Vec<Fault>,
    read: impl Fn(&str) -> Result<T, Fault>,
) -> Vec<T> {
    if items.len() > most {
        let detail = format!("{} places, where at most {most} are served", items.len());
        faults.push(Fault::parameter(parameter, Code::LimitExceeded, detail).limit(most));
        return Vec::new();
    }
    let mut found = Vec::new();
    for item in items {
        match read(&item) {
            Ok(one) if found.contains(&one) => faults.push(bad(parameter, format!("{item} stands twice"))),
            Ok(one) => found.push(one),
            Err(fault) => faults.push(fault),
        }
    }
    found
}

fn bad(parameter: &str, detail: impl Into<String>) -> Fault {
    Fault::parameter(parameter, Code::BadAggregate, detail)
}

fn group(names: &Names, resource: ResourceId, item: &str) -> Result<Path, Fault> {
    let (path, field) = to_one(names, resource, item, "group")?;
    if is_groupable(field) {
        return Ok(path);
    }
    let known = names.fields(path.field.resource).map(|(_, field)| field);
    let known = known.filter(|field| is_groupable(field));
    let detail = format!(
        "{} is not a field to group by; those are: {}",
        field.api_name,
        list(known.map(|field| field.api_name.as_str()))
    );
    Err(Fault::parameter("group", Code::NotFilterable, detail))
}

fn term(names: &Names, resource: ResourceId, item: &str) -> Result<Term, Fault> {
    if item == COUNT {
        return Ok(Term {
            function: Aggregate::Count,
            path: None,
        });
    }
    let words = || std::iter::once(COUNT).chain(FUNCTIONS.iter().map(|row| row.word));
    let called = item
        .split_once('(')
        .and_then(|(word, rest)| Some((word, rest.strip_suffix(')')?)));
    let row = called.and_then(|(word, _)| FUNCTIONS.iter().find(|row| row.word == word));
    let (Some(row), Some((_, name))) = (row, called) else {
        let detail = match called {
            Some((COUNT, _)) => "count takes no field: it counts the items".to_owned(),
            None if words().any(|word| word == item) => format!("{item} needs a field, as {item}(id)"),
            _ => format!("{item} is no aggregate; write count, or a function and a field, as avg(id)"),
        };
        let word = item.split('(').next().unwrap_or(item);
        return Err(bad("aggregate", detail).near(word, words()));
    };
    let (path, field) = to_one(names, resource, name, "aggregate")?;
    if row.takes(field) {
        return Ok(Term {
            function: row.function,
            path: Some(path),
        });
    }
    let fields = names.fields(path.field.resource).map(|(_, field)| field);
    let fitting = fields.filter(|field| row.takes(field));
    let detail = format!(
        "{} has no {}; those that have one: {}",
        field.api_name,
        row.word,
        list(fitting.map(|field| field.api_name.as_str()))
    );
    Err(bad("aggregate", detail))
}

/// A field reached by steps that lead to one item each: by several an item would count several times.
fn to_one<'a>(
    names: &Names<'a>,
    resource: ResourceId,
    text: &str,
    parameter: &str,
) -> Result<(Path, &'a Field), Fault> {
    let (path, field) = names.path(resource, text, parameter)?;
    match names.to_many(&path) {
        None => Ok((path, field)),
        Some(relation) => {
            let detail = format!("{} leads to many items; ask their own collection", relation.name);
            Err(bad(parameter, detail))
        }
    }
}

/// What says which items are shown, and how, has no meaning where none is.
const OF_PAGES: [&str; 7] = ["sort", "limit", "cursor", "page", "count", "fields", "include"];

/// Refuses what is said of pages and of their forms.
pub(super) fn check(query: &Query, parameters: &Parameters, faults: &mut Vec<Fault>) {
    if query.aggregation.is_none() {
        return;
    }
    for name in OF_PAGES {
        if parameters.named(name).is_some() {
            let detail =
                format!("aggregates have no {name}; they are of all items for which the filters hold");
            faults.push(Fault::parameter(name, Code::ConflictingParameters, detail));
        }
    }
    if query.format != crate::respond::format::Format::Json {
        faults.push(bad(
            "aggregate",
            "aggregates are answered as application/json alone",
        ));
    }
}

#[cfg(test)]
mod tests {
    use super::super::fixture::{posts, refused, written};

    fn asked(raw: &str) -> String {
        let aggregation = posts(raw).expect("a question").aggregation.expect("aggregates");
        let terms = aggregation.terms.iter().map(|term| {
            let path = term.path.as_ref().map(written).unwrap_or_default();
            format!("{:?}({path})", term.function)
        });
        let terms: Vec<_> = terms.collect();
        let groups: Vec<_> = aggregation.groups.iter().map(written).collect();
        format!("{} by {}", terms.join(" "), groups.join(" "))
    }

    #[test]
    fn functions_and_groups_are_named() {
        assert_eq!(asked("aggregate=count"), "Count() by ");
        assert_eq!(
            asked("aggregate=count,avg(views),max(title)&group=author_id,author.username"),
            "Count() Avg(views) Max(title) by author_id author.username"
        );
        assert!(posts("title=x").expect("a question").aggregation.is_none());
    }

    #[test]
    fn what_has_no_meaning_is_refused() {
        for (raw, refusal) in [
            (
                "group=author_id",
                "missing-parameter group: group says of what an aggregate is worked out; add one, as aggregate=count",
            ),
            (
                "aggregate=count(id)",
                "bad-aggregate aggregate: count takes no field: it counts the items",
            ),
            (
                "aggregate=sum",
                "bad-aggregate aggregate: sum needs a field, as sum(id)",
            ),
            (
                "aggregate=average(views)",
                "bad-aggregate aggregate: average(views) is no aggregate; write count, or a function and a field, as avg(id)",
            ),
            (
                "aggregate=max(tags.name)",
                "bad-aggregate aggregate: tags leads to many items; ask their own collection",
            ),
            (
                "aggregate=count,count",
                "bad-aggregate aggregate: count stands twice",
            ),
            (
                "aggregate=count&limit=5",
                "conflicting-parameters limit: aggregates have no limit; they are of all items for which the filters hold",
            ),
        ] {
            assert_eq!(refused(posts(raw)), refusal, "{raw}");
        }
        assert!(
            refused(posts("aggregate=avg(title)"))
                .starts_with("bad-aggregate aggregate: title has no avg; those that have one: ")
        );
        assert!(refused(posts("aggregate=sum(viws)")).ends_with(" → views"));
        assert!(refused(posts("aggregate=count&group=body")).starts_with("not-filterable group: "));
        assert!(refused(posts("aggregate=count&group=meta")).starts_with("not-filterable group: "));
        assert!(refused(posts("aggregate=count&group=author.email")).starts_with("unknown-field group: "));
        assert!(refused(posts("aggregate=counts")).ends_with(" → count"));
        let many = "count,".repeat(11);
        assert!(
            refused(posts(&format!("aggregate={}", many.trim_end_matches(','))))
                .starts_with("limit-exceeded ")
        );
    }
}
