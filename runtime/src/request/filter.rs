//! Filters: `path[operator]=value`.

use rest_schema::types::Kind;
use rest_schema::value::ValueFault;
use rest_schema::{Field, FieldType, ResourceId, Value};

pub use rest_schema::operators::{OPERATORS, OperatorRow, Takes};

use super::names::{Names, list};
use super::query::Parameter;
use super::{Filter, Operator};
use crate::problem::{Code, Fault, MAX_FAULTS};

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
        Some(_) => format!("{word} does not apply to the type {}", field.ty.name()),
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

#[cfg(test)]
mod tests {
    use rest_schema::types::TYPES;

    use super::super::fixture::{posts, refused, written};
    use super::*;

    /// A filter as `path Operator values`.
    fn filter(raw: &str) -> String {
        let query = posts(raw).expect("a filter");
        let [super::super::Condition::Test(filter)] = query.filters.as_slice() else {
            panic!("{:?}", query.filters)
        };
        format!(
            "{} {:?} {:?}",
            written(&filter.path),
            filter.operator,
            filter.values
        )
    }

    #[test]
    fn each_operator_has_its_row_and_each_row_its_operator() {
        for row in OPERATORS {
            assert_eq!(row.operator.row().word, row.word);
        }
        assert_eq!(Operator::IsNotNull.row().word, "null");
        for row in TYPES {
            assert!(
                Operator::of_kind(row.kind).any(|operator| operator.word == "null"),
                "{}",
                row.name
            );
        }
    }

    #[test]
    fn every_operator_is_read() {
        assert_eq!(filter("title=a"), r#"title Eq [Text("a")]"#);
        assert_eq!(filter("title[eq]=a"), r#"title Eq [Text("a")]"#);
        assert_eq!(filter("title%5Bne%5D=a"), r#"title Ne [Text("a")]"#);
        assert_eq!(filter("views[in]=1,2"), "views In [Integer(1), Integer(2)]");
        assert_eq!(
            filter("title[nin]=a%5C,b,c"),
            r#"title Nin [Text("a,b"), Text("c")]"#
        );
        assert_eq!(
            filter("title[in]=a,b&title[in]=c"),
            r#"title In [Text("a,b"), Text("c")]"#
        );
        for (word, operator) in [("gt", "Gt"), ("gte", "Gte"), ("lt", "Lt"), ("lte", "Lte")] {
            assert_eq!(
                filter(&format!("views[{word}]=1")),
                format!("views {operator} [Integer(1)]")
            );
        }
        assert_eq!(filter("data[null]=true"), "data IsNull []");
        assert_eq!(filter("meta[null]=false"), "meta IsNotNull []");
        for word in [
            "Contains",
            "StartsWith",
            "EndsWith",
            "IContains",
            "IStartsWith",
            "IEndsWith",
        ] {
            let raw = format!("status[{}]=x,y", word.to_lowercase());
            assert_eq!(filter(&raw), format!(r#"status {word} [Text("x,y")]"#));
        }
    }

    #[test]
    fn a_value_is_read_as_its_type() {
        assert_eq!(filter("title="), r#"title Eq [Text("")]"#);
        assert_eq!(filter("title"), r#"title Eq [Text("")]"#);
        assert_eq!(filter("title[in]="), r#"title In [Text("")]"#);
        assert_eq!(filter("pinned=true"), "pinned Eq [Boolean(true)]");
        assert_eq!(filter("rating[gt]=1e1"), "rating Gt [Float(10.0)]");
        assert_eq!(filter("site=not+a+url"), r#"site Eq [Text("not a url")]"#);
        assert_eq!(
            filter("created_at=2026-01-01T02:00:00%2B02:00"),
            "created_at Eq [Timestamp(2026-01-01T00:00:00Z)]"
        );
    }

    #[test]
    fn a_path_goes_through_relations_of_any_kind() {
        assert_eq!(
            filter("author.username=susan"),
            r#"author.username Eq [Text("susan")]"#
        );
        assert_eq!(
            filter("tags.name[in]=a,b"),
            r#"tags.name In [Text("a"), Text("b")]"#
        );
        assert_eq!(
            filter("comments.author.username=x"),
            r#"comments.author.username Eq [Text("x")]"#
        );
        assert_eq!(
            refused(posts("author.posts.author.posts.id=1")),
            "limit-exceeded author.posts.author.posts.id: a path of more than 3 relations is not served"
        );
    }

    #[test]
    fn a_value_of_another_type_is_refused() {
        for raw in [
            "views=",
            "views=x",
            "views=2147483648",
            "views[in]=1,",
            "pinned=1",
            "pinned[null]=",
            "day=2026-02-30",
            "hour=25:00",
            "link=x",
            "price=1.005",
            "status=published2",
            "rating=NaN",
            "title=%00",
            "id=9223372036854775808",
        ] {
            assert!(refused(posts(raw)).starts_with("bad-value "), "{raw}");
        }
        assert!(refused(posts("status=publishd")).ends_with(" → published"));
        assert!(refused(posts("created_at=2026-01-01T02:00:00+02:00")).ends_with("a + is written %2B"));
        assert_eq!(refused(posts("views[in]=x,1,y")).lines().count(), 2);
    }

    #[test]
    fn an_operator_that_is_not_there_is_refused() {
        assert_eq!(
            refused(posts("pinned[gt]=true")),
            "unknown-operator pinned[gt]: gt does not apply to the type boolean; operators of pinned: eq, ne, null"
        );
        assert_eq!(
            refused(posts("data[ne]=x")),
            "unknown-operator data[ne]: ne does not apply to the type bytes; operators of data: null"
        );
        assert!(refused(posts("title[contain]=x")).ends_with(" → contains"));
        assert!(refused(posts("title[ilike]=x")).ends_with(" → icontains"));
        assert!(refused(posts("views[ilike]=1")).ends_with("gt, gte, lt, lte, null"));
        for raw in ["title[gt=x", "title[gt][lt]=x", "title[[gt]]=x", "title[gt]x=1"] {
            assert!(
                refused(posts(raw)).contains("in brackets behind the path"),
                "{raw}"
            );
        }
        assert!(refused(posts("title[]=x")).starts_with("unknown-operator "));
    }

    #[test]
    fn a_field_that_is_not_there_is_refused() {
        assert_eq!(
            refused(posts("author.usrname=x")),
            "unknown-field author.usrname: there is no field usrname; fields: id, username → username"
        );
        assert_eq!(
            refused(posts("autor.username=x")),
            "unknown-field autor.username: there is no relation autor; relations: author, tags, comments → author"
        );
        assert_eq!(
            refused(posts("title.x=1")),
            "unknown-field title.x: title is a field, not a relation; relations: author, tags, comments"
        );
        assert_eq!(
            refused(posts("author=1")),
            "unknown-field author: author is a relation; name a field of it, as author.id → author_id"
        );
        assert!(refused(posts("tags=1")).ends_with("as tags.id"));
        assert!(refused(posts("titel[eq]=1")).ends_with(" → title"));
        for raw in ["author..id=1", ".=1", "author.=1", ".id=1"] {
            assert!(refused(posts(raw)).starts_with("unknown-field "), "{raw}");
        }
    }

    #[test]
    fn what_the_caller_may_not_see_is_not_there() {
        let hidden = refused(posts("author.email=x"));
        let missing = refused(posts("author.emaix=x"));
        assert_eq!(hidden.replace("email", "emaix"), missing);
        assert!(refused(posts("author.secret=x")).starts_with("unknown-field "));
    }

    #[test]
    fn a_field_not_meant_for_it_is_refused() {
        assert!(
            refused(posts("body=x")).starts_with(
                "not-filterable body: body is not a field to filter by; those are: id, author_id,"
            )
        );
        assert!(refused(posts("comments.post.body=x")).starts_with("not-filterable "));
    }

    #[test]
    fn the_number_of_filters_is_bounded() {
        let many = |count: i32| {
            (0..count)
                .map(|i| format!("title[{}]=x", OPERATORS[i as usize].word))
                .collect::<Vec<_>>()
                .join("&")
        };
        assert!(posts(&many(6)).is_ok());
        assert_eq!(
            refused(posts(&many(7))),
            "limit-exceeded title[lt]: 7 filters, where at most 6 are served"
        );
        assert!(posts(&"id[in]=1&".repeat(50)).is_ok());
        let faults = refused(posts(&format!("id[in]={}", ",".repeat(4000))));
        assert_eq!(faults.lines().count(), 50);
    }
}
